"""What was promised, offered and said becomes tables: the register of promises, offers, sessions, statements.

Knows arrays only, as `records` does, and takes the same `Legend`. A bargained promise is settled by the model; what a
plain assurance came to is read off what happened while it stood, by the rule of docs/ledger.md, stated at `_spells`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import columns
from sim.arrays import (
    ACCEPTED,
    ADD,
    ANSWER,
    ATTEND,
    BROKEN_WORD,
    COUNTERED,
    FAILED,
    JOIN,
    KEPT_WORD,
    LAPSED,
    MOVED,
    OUTPUT,
    OWED,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    TO,
    VETO,
    VOID,
    Compiled,
    History,
)  # fmt: skip
from sim.records import Legend, positions, when

TABLES = ("promises", "promise_beliefs", "offers", "sessions", "statements")
STANDS = 0.05  # a promise of which less is left no longer stands: our assumption
STATUSES = ("kept", "broken", "void", "pending")
ANSWERS = ("refused", "accepted", "countered", "lapsed")

PROMISES = pa.schema(
    [("run", pa.int64()), ("promise", pa.int32())]
    + [(name, pa.string()) for name in ("giver", "receiver", "kind", "bargain", "action", "target")]
    + [(name, pa.string()) for name in ("return_by", "return_action", "return_target")]
    + [("given_turn", pa.int32()), ("given_date", pa.string()), ("given_by", pa.string()), ("times", pa.int32())]
    + [("due_turn", pa.int32()), ("due_date", pa.string()), ("status", pa.string())]
    + [("settled_turn", pa.int32()), ("settled_date", pa.string()), ("evidence", pa.string())]
    + [(name, pa.float64()) for name in ("stake", "probability", "worth_receiver", "worth_giver")]
)
OFFERS = pa.schema(
    [("run", pa.int64()), ("turn", pa.int32()), ("date", pa.string())]
    + [(name, pa.string()) for name in ("bargain", "proposer", "target", "answer")]
    + [("answered_turn", pa.int32()), ("answered_date", pa.string()), ("considered", pa.int32())]
    + [(name, pa.float64()) for name in ("probability", "worth_target", "worth_proposer")]
    + [(name, pa.string()) for name in ("asked_to_join", "joined", "counter", "reply")]
    + [("reply_probability", pa.float64()), ("reply_worth", pa.float64())]
)


def dealings(history: History, compiled: Compiled, legend: Legend) -> dict[str, pa.Table]:
    """The tables of TABLES, in order of run and turn; without rows where a scenario has nothing of the kind.

    promises: one row a promise. promise is its number within the run; kind the assurance; bargain, action (what is to
    be done towards target), return_* (what it hangs on: the act of return_by, several ids apart by spaces), due_* and
    the numbers of bargained ones alone. given_by: the act by which a plain one was first given, `timeline` or
    `start`; times: how often it was given while it stood. status: kept, broken, void, pending. evidence: in words.
    stake: 0..1, odd.md 7.11; probability: of delivery; worth_*: of what was promised, to either, when it was given.

    promise_beliefs: one row a promise and audience (all who can be promised that kind by that giver): credibility when
    it was given (before), and once it was settled and that was taken in (after); where it is pending at the end of
    the run; null where the run ends before it is taken in.

    offers: one row an offer. answer: the last (refused, accepted, countered, lapsed; null: not answered), probability
    of accepting and worth to each when it was last considered; considered: in how many turns. counter: the bargain
    offered instead; reply: accepted or refused.

    sessions: one row a session, member and agenda item on which the member has a position (item null without any).
    convener: null where the session was dated. before, after: the member's position where the session could move it.

    statements: one row a session and output for which the quorum was there. vetoed_by: ids apart by spaces.
    """
    made = _Register(history, compiled, legend)
    return {
        "promises": made.promises(),
        "promise_beliefs": made.beliefs(),
        "offers": made.offered(),
        "sessions": _sessions(history, compiled, legend),
        "statements": _statements(history, compiled, legend),
    }


@dataclass
class _Promise:
    """An entry of the register; p is None for a plain assurance."""

    r: int
    belief: int
    given: int
    by: str
    p: int | None = None
    before: int = 0  # row of the beliefs that knew nothing of it yet
    after: int = 0  # row of those that know how it ended
    times: int = 1
    due: int | None = None
    status: str = "pending"
    settled: int | None = None
    evidence: str = ""
    back: tuple[str, int] | None = None  # who owes the act that it hangs on, and that option
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass
class _Offer:
    r: int
    turn: int
    deal: int
    answer: str | None = None
    answered: int | None = None
    considered: int = 0
    asked: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    counter: str | None = None
    reply: str | None = None
    numbers: dict[str, float] = field(default_factory=dict)


class _Register:
    """Promises and offers of a history, put together in one pass over what was said."""

    def __init__(self, history: History, compiled: Compiled, legend: Legend) -> None:
        self.history, self.compiled, self.legend = history, compiled, legend
        self.tables = compiled.tables
        self.last = history.states.shape[1] - 1
        self.act_at = positions(history, history.acts.run)
        self.act_start = np.searchsorted(self.act_at, np.arange(history.runs.size + 1))
        self.offers = self._offers()
        self.made: dict[tuple[int, int], list[_Offer]] = {}  # by run and deal
        self.joining: dict[tuple[int, int, int], list[tuple[str, bool]]] = {}  # by run, turn and deal
        self.countered: _Offer | None = None
        self.owed: dict[tuple[int, int], _Promise] = {}  # by run and promise of a deal
        self.broken: dict[tuple[int, int], int] = {}  # in which turn, since it was last made
        self.entries = [*_spells(self), *self._bargained()]
        self.entries.sort(key=lambda entry: (entry.r, entry.given, entry.p is not None))

    def words(self, option: int) -> str:
        """An act as a sentence."""
        actor, action, target = self.compiled.options[option]
        names, verbs = self.legend.actors, self.legend.actions
        words = [names.get(actor, actor), verbs.get(action, action)]
        return " ".join([*words, names.get(target, target)] if target else words)

    # -- offers and what came of them

    def _offers(self) -> list[_Offer]:
        """Every offer as it was made, in order of run and turn."""
        acts = self.history.acts
        deals = self.tables.option_deal[acts.option] if acts.option.size else acts.option
        found = [_Offer(int(self.act_at[n]), int(acts.turn[n]), int(deals[n])) for n in np.flatnonzero(deals >= 0)]
        return sorted(found, key=lambda offer: (offer.r, offer.turn))

    def _bargained(self) -> list[_Promise]:
        """Promises of bargains, by what was said of them; answers go to the offers."""
        talks = self.history.talks
        for offer in self.offers:
            self.made.setdefault((offer.r, offer.deal), []).append(offer)
        entries: list[_Promise] = []
        at = positions(self.history, talks.run)
        for n in np.flatnonzero(talks.kind <= SETTLED):
            r, turn, row, result = int(at[n]), int(talks.turn[n]), int(talks.row[n]), int(talks.result[n])
            odds, first, second = float(talks.probability[n]), float(talks.first[n]), float(talks.second[n])
            kind = talks.kind[n]
            if kind == JOIN:
                joiner = self.compiled.promises[row][1]
                self.joining.setdefault((r, turn, int(self.tables.promise_deal[row])), []).append((joiner, result == 1))
            elif kind == ANSWER:
                self._answered(r, turn, row, result, (odds, first, second))
            elif kind == REPLY and self.countered is not None:  # to the counter-offer made just before
                self.countered.reply = ANSWERS[result]
                self.countered.numbers |= {"reply_probability": odds, "reply_worth": first}
            elif kind == OWED:
                entry = self._owed(r, turn, row, result)
                entry.numbers = {"worth_receiver": first, "worth_giver": second}
                self.owed[r, row] = entry
                self.broken.pop((r, row), None)
                entries.append(entry)
            elif kind == SETTLED and result != FAILED:
                entry = self.owed.pop((r, row))
                entry.numbers |= {"probability": odds, "stake": first}
                self._settled(entry, turn, result)
        self._hangs_on(entries)
        for entry in self.owed.values():
            act = self.words(self._promised(entry))
            entry.evidence = f"tried and failed so far: {act}" if (entry.due or 0) <= self.last else "not due yet"
        return entries

    def _answered(self, r: int, turn: int, deal: int, result: int, numbers: tuple[float, float, float]) -> None:
        """An answer to the last offer made of a deal."""
        offers = self.made.get((r, deal), [])
        place = bisect_right(offers, turn, key=lambda one: one.turn) - 1
        if place < 0:
            return
        offer = offers[place]
        offer.answer, offer.answered = ANSWERS[result], turn
        if result == LAPSED:
            return
        offer.considered += 1
        offer.numbers = dict(zip(("probability", "worth_target", "worth_proposer"), numbers, strict=True))
        others = self.joining.get((r, turn, deal), [])
        offer.asked = [name for name, _ in others]
        offer.joined = [name for name, joins in others if joins]
        if result == COUNTERED:
            self.countered = offer
            offer.counter = self.compiled.deals[int(self.tables.deal_counter[deal])][0]

    def _owed(self, r: int, turn: int, p: int, due: int) -> _Promise:
        bargain = self.compiled.deals[self.compiled.promises[p][0]][0]
        return _Promise(r, int(self.tables.promise_belief[p]), turn, bargain, p, before=turn, after=self.last, due=due)

    def _hangs_on(self, entries: list[_Promise]) -> None:
        """What each promise was given for: the acts of the proposer and of those who joined, and that of the target."""
        tables = self.tables
        struck: dict[tuple[int, int, int], list[_Promise]] = {}
        for entry in entries:
            struck.setdefault((entry.r, entry.given, int(tables.promise_deal[entry.p])), []).append(entry)
        for (_, _, deal), parts in struck.items():
            ask = int(tables.deal_promise[deal + 1]) - 1
            gives = [entry for entry in parts if entry.p != ask]
            for entry in parts:
                if entry.p == ask:
                    givers = " ".join(self.compiled.beliefs[give.belief][1] for give in gives)
                    entry.back = givers, self._promised(gives[0])
                else:
                    entry.back = self.compiled.promises[ask][1], int(tables.promise_option[ask])

    def _promised(self, entry: _Promise) -> int:
        """The option that a bargained promise is of."""
        return int(self.tables.promise_option[entry.p])

    def _settled(self, entry: _Promise, turn: int, result: int) -> None:
        """How a bargained promise ended."""
        tables, p, r = self.tables, entry.p or 0, entry.r
        act = self.words(self._promised(entry))
        entry.settled, entry.after = turn, turn + 1  # signals are taken in at the next turn's step 2
        if result == KEPT_WORD:
            entry.status = "kept"
            entry.evidence = f"done before it was due: {act}" if turn < (entry.due or 0) else f"done: {act}"
        elif result == BROKEN_WORD:
            entry.status, entry.evidence = "broken", f"owed and not done: {act}"
            self.broken[r, p] = turn
        else:
            deal = int(tables.promise_deal[p])
            first, ask = int(tables.deal_promise[deal]), int(tables.deal_promise[deal + 1]) - 1
            betrayed = self.broken.get((r, first if p == ask else ask), turn) < turn
            entry.status, entry.after = "void", turn
            entry.evidence = "the other side had broken its word" if betrayed else f"no longer possible: {act}"

    # -- tables

    def promises(self) -> pa.Table:
        dates, names = self.legend.dates, self.compiled
        rows = []
        for number, entry in self.numbered():
            receiver, giver, kind = names.beliefs[entry.belief]
            row: dict[str, Any] = {
                "run": self.history.runs[entry.r], "promise": number, "giver": giver, "receiver": receiver,
                "kind": kind, "given_turn": entry.given, "given_date": dates[entry.given], "given_by": entry.by,
                "times": entry.times, "status": entry.status, "evidence": entry.evidence,
            }  # fmt: skip
            if entry.settled is not None:
                row |= {"settled_turn": entry.settled, "settled_date": dates[entry.settled]}
            if entry.p is not None and entry.back is not None:
                by, back = entry.back
                _, action, target = names.options[int(self.tables.promise_option[entry.p])]
                row |= {"bargain": entry.by, "action": action, "target": target, "return_by": by}
                row |= {"return_action": names.options[back][1], "return_target": names.options[back][2]}
                due = entry.due or 0
                row |= {"due_turn": due, "due_date": dates[due] if due < len(dates) else None}
            rows.append(row | entry.numbers)
        return columns.rows(rows, PROMISES)

    def numbered(self) -> Iterator[tuple[int, _Promise]]:
        """The entries with their numbers, from 0 in each run."""
        run, number = -1, 0
        for entry in self.entries:
            number = number + 1 if entry.r == run else 0
            run = entry.r
            yield number, entry

    def beliefs(self) -> pa.Table:
        """Each audience's belief before and after."""
        tables, compiled = self.tables, self.compiled
        audiences = [
            np.sort(np.append(tables.other_belief[tables.other_start[b] : tables.other_start[b + 1]], b)).astype(
                np.int64
            )
            for b in range(len(compiled.beliefs))
        ]
        pairs = list(self.numbered())
        sizes = np.array([audiences[entry.belief].size for _, entry in pairs], dtype=np.int64)
        seen = np.concatenate([audiences[entry.belief] for _, entry in pairs] or [np.empty(0, dtype=np.int64)])

        def each(value: Callable[[int, _Promise], int]) -> NDArray[np.int64]:
            return np.repeat(np.array([value(*pair) for pair in pairs], dtype=np.int64), sizes)

        r, after = each(lambda _, e: e.r), each(lambda _, e: e.after)
        slots = tables.credibility[seen]
        known = after <= self.last
        before = self.history.states[r, each(lambda _, e: e.before), slots]
        later = np.where(known, self.history.states[r, np.minimum(after, self.last), slots], np.nan)
        labels = sorted({name for belief in compiled.beliefs for name in belief})
        spelled = np.array([[labels.index(name) for name in belief] for belief in compiled.beliefs], dtype=np.int64)
        spelled = spelled.reshape(-1, 3)
        return pa.table(
            {
                "run": columns.numbers(self.history.runs[r], pa.int64()),
                "promise": columns.numbers(each(lambda number, _: number), pa.int32()),
                "giver": columns.named(labels, spelled[seen, 1]),
                "kind": columns.named(labels, spelled[seen, 2]),
                "audience": columns.named(labels, spelled[seen, 0]),
                "received_it": columns.flags(seen == each(lambda _, e: e.belief)),
                "before": columns.numbers(before),
                "after": columns.known(later),
            }
        )

    def offered(self) -> pa.Table:
        dates, names = self.legend.dates, self.compiled
        rows = []
        for offer in self.offers:
            bargain, proposer, target = names.deals[offer.deal]
            row: dict[str, Any] = {
                "run": self.history.runs[offer.r], "turn": offer.turn, "date": dates[offer.turn], "bargain": bargain,
                "proposer": proposer, "target": target, "answer": offer.answer, "considered": offer.considered,
                "asked_to_join": " ".join(offer.asked) or None, "joined": " ".join(offer.joined) or None,
                "counter": offer.counter, "reply": offer.reply,
            }  # fmt: skip
            if offer.answered is not None:
                row |= {"answered_turn": offer.answered, "answered_date": dates[offer.answered]}
            rows.append(row | offer.numbers)
        return columns.rows(rows, OFFERS)


# -------------------------------------------------------------------------------------------------- plain assurances


def _spells(of: _Register) -> Iterator[_Promise]:
    """Plain assurances: each from the turn in which it is given until it is belied or hardly anything of it is left.

    Given by an act of the giver's whose effect adds to, or sets, its own promise and leaves at least STANDS of it, by a
    dated event likewise, or from the start. Giving it again while it stands renews it. It is broken by the first
    test that found it so or incident that belies it, in a turn at whose start it stood. Else it is kept if a test
    found it kept, or if it ran out where incidents could have belied it and none did; void if it ran out and nothing
    could show; pending while it stands untested. Our assumption, for an assurance names no act and no date.
    """
    history, compiled, tables, last = of.history, of.compiled, of.tables, of.last
    given = sorted(_givings(of))
    if not given:
        return
    shape = (history.runs.size, last + 2, len(compiled.beliefs))
    talks = history.talks
    kept, broken, belied = (np.zeros(shape, dtype=np.bool_) for _ in range(3))
    tests = np.flatnonzero(talks.kind == TESTED)
    at = positions(history, talks.run[tests])
    for found, result in ((broken, 0), (kept, 1)):
        some = talks.result[tests] == result
        found[at[some], talks.turn[tests][some], talks.row[tests][some]] = True
    can_belie: dict[int, list[int]] = {}
    for n in range(len(compiled.incidents)):
        for row in range(tables.belied_start[n], tables.belied_start[n + 1]):
            if tables.belied_full[row]:  # those who only hear of it were promised nothing that it belies
                b = int(tables.belied_belief[row])
                can_belie.setdefault(b, []).append(n)
                belied[:, 1 : last + 1, b] |= history.incidents[:, :, n]
    low = np.zeros(shape, dtype=np.bool_)
    low[:, : last + 1] = history.states[:, :, tables.promised] < STANDS
    next_broken, next_low = _next(broken | belied), _next(low)
    tested = np.cumsum(kept, axis=1)

    open_: _Promise | None = None
    place, end = (-1, -1), -1
    for r, b, turn, first, by in given:
        if open_ is not None and place == (r, b) and (turn < end or first == turn == end):
            open_.times += 1
            continue
        if low[r, turn, b]:
            continue
        wrong, out = int(next_broken[r, min(first, last + 1), b]), int(next_low[r, turn + 1, b])
        place, end = (r, b), min(wrong, out)
        open_ = _Promise(r, b, turn, by, before=first - 1)
        held = int(tested[r, min(end, last), b] - tested[r, first - 1, b])
        if wrong <= min(out, last):
            open_.status, open_.settled = "broken", wrong
            open_.after = wrong + 1 if broken[r, wrong, b] else wrong  # incidents are taken in at once
            open_.evidence = _belied(of, r, wrong, b, bool(broken[r, wrong, b]), can_belie.get(b, []))
        elif held:
            final = first + int(np.flatnonzero(kept[r, first : min(end, last) + 1, b])[-1])
            open_.status, open_.settled, open_.after = "kept", final, final + 1
            often = "once" if held == 1 else f"in {held} turns, last"
            open_.evidence = f"held when relied on, {often}: {_relied(of, r, final, b)}"
        elif out <= last:
            quiet = b in can_belie
            open_.status, open_.settled, open_.after = "kept" if quiet else "void", out, out
            open_.evidence = "ran out and nothing had belied it" if quiet else "ran out and nothing had tested it"
        else:
            open_.after = last
            open_.evidence = "stands; nothing has belied it" if b in can_belie else "stands; nothing has tested it"
        yield open_


def _givings(of: _Register) -> Iterator[tuple[int, int, int, int, str]]:
    """(r, belief, turn, first turn at whose step 2 it stood, by what) of each giving of a plain assurance."""
    history, compiled, tables = of.history, of.compiled, of.tables
    for r, b in np.argwhere(history.states[:, 0, tables.promised] >= STANDS).tolist():
        yield r, b, 0, 1, "start"
    for n in range(tables.dated_turn.size):
        belief, date = int(tables.belief_of[tables.dated_slot[n]]), int(tables.dated_turn[n])
        if belief >= 0 and tables.dated_value[n] > 0.0 and date <= of.last:
            yield from ((r, belief, date, date, "timeline") for r in range(history.runs.size))
    acts = history.acts
    if not acts.option.size:
        return
    words = tables.word_start[acts.option + 1] - tables.word_start[acts.option]
    for act in np.flatnonzero(words > 0).tolist():
        o = int(acts.option[act])
        for e in tables.word_effect[tables.word_start[o] : tables.word_start[o + 1]]:
            happens = acts.succeeded[act] or tables.effect_attempt[e] == 1
            turn = int(acts.turn[act] + tables.effect_after[e])
            if happens and tables.effect_kind[e] in (ADD, TO) and tables.effect_value[e] > 0.0 and turn <= of.last:
                belief = int(tables.belief_of[tables.reference[tables.option_at[o] + tables.effect_at[e]]])
                yield int(of.act_at[act]), belief, turn, turn + 1, compiled.options[o][1]


def _next(held: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(runs, turns, beliefs) the first turn from this one on in which it holds; one past the last where in none."""
    turns = np.arange(held.shape[1], dtype=np.int32)[None, :, None]
    marked = np.where(held, turns, np.int32(held.shape[1] - 1))
    return np.minimum.accumulate(marked[:, ::-1], axis=1)[:, ::-1]


def _relied(of: _Register, r: int, turn: int, b: int) -> str:
    """The acts that relied on a promise, or reckoned with its being broken, in a turn."""
    tables, acts = of.tables, of.history.acts
    testing = tables.hung_option[tables.hung_start[b] : tables.hung_start[b + 1]]
    run = slice(of.act_start[r], of.act_start[r + 1])
    some = (acts.turn[run] == turn) & np.isin(acts.option[run], testing)
    return ", ".join(of.words(int(o)) for o in acts.option[run][some])


def _belied(of: _Register, r: int, turn: int, b: int, by_test: bool, incidents: list[int]) -> str:
    """What broke a promise in a turn, in words."""
    found = []
    for n in incidents:
        if of.history.incidents[r, turn - 1, n]:
            name, actor = of.compiled.incidents[n]
            title = of.legend.incident_titles.get(name, name)
            found.append(f"{title} ({of.legend.actors.get(actor, actor)})" if actor else title)
    if by_test:
        found.append(f"did not hold when relied on: {_relied(of, r, turn, b)}")
    return "; ".join(found)


# ------------------------------------------------------------------------------------------------------------- fora


def _sessions(history: History, compiled: Compiled, legend: Legend) -> pa.Table:
    tables, talks = compiled.tables, history.talks
    at = positions(history, talks.run).astype(np.int64) * history.states.shape[1] + talks.turn
    came = np.flatnonzero(talks.kind == ATTEND)
    met, moved = np.flatnonzero(talks.kind == SESSION), np.flatnonzero(talks.kind == MOVED)
    fora, seats, places = len(compiled.fora), len(compiled.seats), len(compiled.places)
    # One row for each place of a member who was asked, or one without where it has none.
    by_seat = np.argsort(tables.place_seat, kind="stable")
    begins = np.searchsorted(tables.place_seat[by_seat], np.arange(seats + 1))
    counts = np.diff(begins)[talks.row[came]]
    row = np.repeat(np.arange(came.size), np.maximum(counts, 1))
    nth = np.arange(row.size) - np.searchsorted(row, row)
    seat = talks.row[came][row].astype(np.int64)
    place = np.where(counts[row] > 0, np.append(by_seat, -1)[np.minimum(begins[seat] + nth, places)], -1)
    talk = came[row]
    forum = np.searchsorted(tables.seat_start, seat, side="right") - 1
    convener = _looked_up(at[met] * fora + talks.row[met], talks.result[met], at[talk] * fora + forum, -1)
    turn_place = np.where(place >= 0, at[talk] * max(places, 1) + place, -1)
    before, move = (
        _looked_up(at[moved] * max(places, 1) + talks.row[moved], numbers[moved], turn_place, np.nan)
        for numbers in (talks.first, talks.second)
    )
    items = [item for _, item, _ in compiled.places]
    return pa.table(
        when(legend, talks.run[talk], talks.turn[talk])
        | {
            "forum": columns.named(compiled.fora, forum),
            "convener": columns.named(compiled.actors, convener),
            "member": columns.named([member for _, member in compiled.seats], seat),
            "came": columns.flags(talks.result[talk] == 1),
            "probability": columns.known(talks.probability[talk]),
            "worth": columns.known(talks.first[talk]),
            "item": columns.named(items, place),
            "before": columns.known(before),
            "after": columns.known(before + move),
        }
    )


def _looked_up(keys: NDArray[Any], values: NDArray[Any], wanted: NDArray[Any], missing: float) -> NDArray[Any]:
    """The value of each wanted key, `missing` for a key that there is not."""
    order = np.argsort(keys, kind="stable")
    found = np.searchsorted(keys[order], wanted)
    padded, held = np.append(keys[order], -2), np.append(values[order], missing)
    return np.where(padded[found] == wanted, held[found], missing)


def _statements(history: History, compiled: Compiled, legend: Legend) -> pa.Table:
    talks = history.talks
    cast: dict[tuple[int, int, int], list[str]] = {}
    output = {name: u for u, name in enumerate(compiled.outputs)}
    for n in np.flatnonzero((talks.kind == VETO) & (talks.result == 1)):
        forum, name, member = compiled.vetoes[talks.row[n]]
        cast.setdefault((int(talks.run[n]), int(talks.turn[n]), output[forum, name]), []).append(member)
    rows = np.flatnonzero(talks.kind == OUTPUT)
    vetoed = [cast.get((int(talks.run[n]), int(talks.turn[n]), int(talks.row[n])), []) for n in rows]
    return pa.table(
        when(legend, talks.run[rows], talks.turn[rows])
        | {
            "forum": columns.named([forum for forum, _ in compiled.outputs], talks.row[rows]),
            "output": columns.named([name for _, name in compiled.outputs], talks.row[rows]),
            "spread": columns.known(talks.first[rows]),
            "vetoes": columns.numbers(talks.second[rows], pa.int32()),
            "vetoed_by": columns.texts([" ".join(members) or None for members in vetoed]),
            "followed": columns.flags(talks.result[rows] == 1),
        }
    )


# ------------------------------------------------------------------------------------- counts over any number of runs


class Tally:
    """How often bargains were offered and struck, promises of them kept or not, sessions held, statements made."""

    EVENTS = (("bargain", ("offered", "struck", "kept", "broken", "void")), ("forum", ("session", "statement")))

    def __init__(self, compiled: Compiled) -> None:
        self.compiled, self.runs = compiled, 0
        bargains = list(dict.fromkeys(name for name, _, _ in compiled.deals))
        self.rows = [
            (kind, name, event)
            for (kind, events), names in zip(self.EVENTS, (bargains, compiled.fora), strict=True)
            for name in names
            for event in events
        ]
        self.row = {row: n for n, row in enumerate(self.rows)}
        self.times = np.zeros(len(self.rows), dtype=np.int64)
        self.ever = np.zeros(len(self.rows), dtype=np.int64)

    def add(self, history: History) -> None:
        self.runs += history.runs.size
        size = len(self.rows)
        if not size:
            return
        found, at = [], []
        for run, which in self._events(history):
            at.append(run)
            found.append(which)
        which, run = np.concatenate(found), np.concatenate(at)
        self.times += np.bincount(which, minlength=size)
        self.ever += np.bincount(np.unique(run * size + which) % size, minlength=size)

    def _events(self, history: History) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(runs, rows) of each kind of event."""
        tables, talks, acts = self.compiled.tables, history.talks, history.acts
        deals = [name for name, _, _ in self.compiled.deals]
        fora = self.compiled.fora
        offered = tables.option_deal[acts.option] >= 0 if acts.option.size else np.zeros(0, dtype=np.bool_)
        yield acts.run[offered], self._rows("bargain", deals, "offered", tables.option_deal[acts.option[offered]])
        struck = ((talks.kind == ANSWER) & (talks.result == ACCEPTED)) | ((talks.kind == REPLY) & (talks.result == 1))
        yield talks.run[struck], self._rows("bargain", deals, "struck", talks.row[struck])
        for event, result in (("kept", KEPT_WORD), ("broken", BROKEN_WORD), ("void", VOID)):
            some = (talks.kind == SETTLED) & (talks.result == result)
            yield talks.run[some], self._rows("bargain", deals, event, tables.promise_deal[talks.row[some]])
        some = talks.kind == SESSION
        yield talks.run[some], self._rows("forum", fora, "session", talks.row[some])
        some = (talks.kind == OUTPUT) & (talks.result == 1)
        outputs = [forum for forum, _ in self.compiled.outputs]
        yield talks.run[some], self._rows("forum", outputs, "statement", talks.row[some])

    def _rows(self, kind: str, names: list[str], event: str, indices: NDArray[Any]) -> NDArray[np.int64]:
        return np.array([self.row[kind, name, event] for name in names], dtype=np.int64)[indices.astype(np.int64)]

    def table(self) -> pa.Table:
        """kind (bargain, forum), name, event, times, a_run (mean a run), runs (in how many it happened), of (runs).

        offered counts the offers made, struck those accepted, as they were or as a counter-offer; kept, broken, void
        the promises of a bargain; statement the outputs of a forum that followed. Events that never were have a row.
        """
        ints = pa.int64()
        return pa.table(
            {name: columns.texts([row[n] for row in self.rows]) for n, name in enumerate(("kind", "name", "event"))}
            | {
                "times": columns.numbers(self.times, ints),
                "a_run": columns.numbers(self.times / max(self.runs, 1)),
                "runs": columns.numbers(self.ever, ints),
                "of": columns.numbers(np.full(len(self.rows), self.runs), ints),
            }
        )

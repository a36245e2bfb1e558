"""What offers and sessions were worth to whom, and what was said of them in a turn (odd.md 7.11 and 7.12).

An offer's and a convening's expected utility are taken apart here, by side and by act; what was answered, owed,
settled, attended and voted is read from the turn's notes (`arrays.Talks`) and explained by the same sums.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from sim import apart, bargains, meetings, rules, worth
from sim.apart import Contribution, Deed, Eyes
from sim.arrays import (
    ACCEPTED,
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
    REFUSED,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    VETO,
    VOID,
    Compiled,
    State,
    Tables,
)

ANSWERS = {REFUSED: "refused", ACCEPTED: "accepted", COUNTERED: "countered", LAPSED: "lapsed"}
ENDS = {BROKEN_WORD: "broken", KEPT_WORD: "kept", VOID: "void", FAILED: "failed"}


# ------------------------------------------------------------------------------------------------ what there is to tell


@dataclass(frozen=True)
class Share:
    """What one side of a deal does, or gets. value: EU of what it does itself (V less cost), V of what it gets.

    discount: gamma^n for n turns. credibility: of the giver's word to it; 1 of its own act. counts: the probability
    that the giver joins the offer, 1 or 0 once known. worth: value x discount x credibility x counts.
    contributions: to the value, by interest. cost: of its own act.
    """

    deed: Deed
    own: bool
    value: float
    cost: float
    discount: float
    credibility: float
    counts: float
    worth: float
    contributions: list[Contribution]


@dataclass(frozen=True)
class Side:
    """What a deal is worth to one side: X of odd.md 7.11, the sum of the shares."""

    actor: str
    rationality: float
    foresight: float
    worth: float
    shares: list[Share]


@dataclass(frozen=True)
class Joiner:
    """Another who is asked to join an offer. joined: None while that is not known."""

    actor: str
    deed: Deed
    probability: float
    worth: float
    joined: bool | None


@dataclass(frozen=True)
class Terms:
    """A deal and what it is worth to both sides.

    bias: log-odds against accepting. accept, counter: probabilities of the answers where it is the only offer that asks
    for this act (None for what is itself a counter-offer); the rest is refusing. instead: the counter-offer that the
    target can make; reply: the probability that the proposer accepts this deal as a counter-offer.
    """

    bargain: str
    bias: float
    target: Side
    proposer: Side
    joiners: list[Joiner]
    accept: float | None
    counter: float | None
    instead: Terms | None
    reply: float | None


@dataclass(frozen=True)
class Swayed:
    """The move of one member on one item of an agenda. worth: its part in what all the moves are worth."""

    item: str
    member: str
    path: str
    value: float
    change: float
    worth: float


@dataclass(frozen=True)
class Occasioned:
    """An act of a member on the occasion of an output. willing: with what probability it would do it."""

    deed: Deed
    willing: float
    value: float
    worth: float


@dataclass(frozen=True)
class Stopper:
    """A member who can stop an output. probability: of doing so; worth: of the output to it."""

    member: str
    probability: float
    worth: float


@dataclass(frozen=True)
class Outcome:
    """An output of a forum as a convener expects it. follows: with what probability; value: of the output itself."""

    output: str
    spread: float
    within: float
    agreed: bool
    follows: float
    value: float
    worth: float
    vetoes: list[Stopper]
    acts: list[Occasioned]


@dataclass(frozen=True)
class Prospect:
    """What a convener expects of a session that all members attend."""

    forum: str
    quorum: int
    worth_of_moves: float
    moves: list[Swayed]
    outputs: list[Outcome]


@dataclass(frozen=True)
class Answer:
    """What was answered to an offer on the table. probability: of accepting, beside all offers that ask for the act.

    terms: None where it lapsed. reply: to a counter-offer, whether the proposer took it, and with what probability.
    """

    bargain: str
    proposer: str
    target: str
    result: str
    probability: float | None
    worth_to_target: float | None
    worth_to_proposer: float | None
    terms: Terms | None
    reply: Reply | None


@dataclass(frozen=True)
class Reply:
    """What the proposer said to a counter-offer."""

    bargain: str
    accepted: bool
    probability: float
    worth: float


@dataclass(frozen=True)
class Joining:
    """Whether one who was asked joined an offer on the table."""

    bargain: str
    proposer: str
    target: str
    joiner: str
    joined: bool
    probability: float
    side: Side


@dataclass(frozen=True)
class Made:
    """A promise made by an agreement. due: turn."""

    bargain: str
    giver: str
    receiver: str
    deed: Deed
    due: int
    worth_to_receiver: float
    worth_to_giver: float


@dataclass(frozen=True)
class Settled:
    """A promise that fell due or was served. result: kept, broken, void or failed (still owed).

    probability: of delivering, 1/(1 + exp(-lambda (utility - loss))); None where nothing was decided: the giver did the
    act anyway (unasked), or it was void. utility: EU of the act to its giver; loss: what breaking the promise would
    cost it, by its credibility; stake: for the receiver, 0..1.
    """

    bargain: str
    giver: str
    receiver: str
    deed: Deed
    result: str
    unasked: bool
    probability: float | None
    utility: float
    loss: float | None
    stake: float | None
    rationality: float
    possible: bool


@dataclass(frozen=True)
class Cast:
    """Whether a member stopped an output. worth: of the output to it."""

    output: str
    member: str
    cast: bool
    probability: float
    worth: float
    bias: float


@dataclass(frozen=True)
class Came:
    """What came of an output in a session. vetoes: how many."""

    output: str
    follows: bool
    spread: float
    within: float
    vetoes: int


@dataclass(frozen=True)
class Session:
    """A session as an actor had it. convener: None where it was dated. attended: None where it is no member.

    probability: of attending, from the log-odds `inclined` + lambda x worth; 1 for a convener. worth: of being there.
    moved: of all who were present.
    """

    forum: str
    convener: str | None
    present: int
    quorum: int
    attended: bool | None
    probability: float | None
    inclined: float | None
    worth: float | None
    moved: list[Swayed]
    outputs: list[Came]
    votes: list[Cast]


@dataclass(frozen=True)
class Tested:
    """A promise that acts of its receiver put to the test. probability: of keeping."""

    receiver: str
    giver: str
    kind: str
    kept: bool
    probability: float


@dataclass(frozen=True)
class Dealings:
    """What was said and settled in a turn as far as an actor had part in it."""

    answers: list[Answer]
    joinings: list[Joining]
    made: list[Made]
    settled: list[Settled]
    sessions: list[Session]
    tested: list[Tested]

    @property
    def some(self) -> bool:
        return any((self.answers, self.joinings, self.made, self.settled, self.sessions, self.tested))


class _Note(NamedTuple):
    """What was said or settled; the meaning of the columns depends on the kind (`arrays.Talks`)."""

    kind: int
    row: int
    result: int
    odds: float
    first: float
    second: float


# ------------------------------------------------------------------------------------------------ offers


class Dealer:
    """Tables and state of one turn, from which deals and sessions are told."""

    def __init__(self, tables: Tables, state: State, compiled: Compiled) -> None:
        self.tables, self.state, self.compiled = tables, state, compiled

    def eyes(self, x: int) -> Eyes:
        return apart.eyes(self.tables, self.state, self.compiled, x)

    def idle(self, x: int) -> bool:
        """Whether an actor deals with nobody, by its policy."""
        return bool(worth.deals_with_nobody(self.tables, x))

    def rationality(self, x: int) -> float:
        """Lambda by which an actor answers, joins, delivers, attends and votes."""
        return float(worth.rationality(self.tables, x, 0))

    def yes(self, x: int, worth: float, bias: float) -> float:
        """Probability of a yes of an actor to what is worth so much to it."""
        return float(rules.logistic(self.rationality(x) * worth - bias))

    def share(self, x: int, p: int, counts: float = 1.0) -> Share:
        """What promise p is worth to x, who gives it or for whom it is."""
        T, S = self.tables, self.state
        giver, o = int(T.promise_giver[p]), int(T.promise_option[p])
        own = giver == x
        contributions = apart.act(self.eyes(x), o)[0] if S.possible[T.promise_value[p], 0] else []
        price = apart.cost(T, S, o) if own else 0.0
        believed = 1.0
        if not own:
            b = self._belief(x, p)
            believed = float(S.alpha[b, 0] / (S.alpha[b, 0] + S.beta[b, 0]))
        discount = float(rules.delayed(T.foresight[x], int(T.promise_after[p])))
        value = apart.total(contributions) - price
        return Share(
            apart.deed(self.compiled, o), own, value, price, discount, believed, counts,
            value * discount * believed * counts, contributions,
        )  # fmt: skip

    def _belief(self, x: int, p: int) -> int:
        """What x believes of the word of the giver of promise p."""
        T = self.tables
        if T.promise_receiver[p] == x:
            return int(T.promise_belief[p])
        d = int(T.promise_deal[p])  # a joiner, who relies on what the target promised to the proposer
        mine = next(n for n in range(T.deal_promise[d], T.deal_promise[d + 1]) if T.promise_giver[n] == x)
        return int(T.promise_trust[mine])

    def giving(self, p: int) -> Side:
        """What a deal is worth to the giver of promise p, who is promised the target's act for it."""
        ask = int(self.tables.deal_promise[self.tables.promise_deal[p] + 1]) - 1
        x = int(self.tables.promise_giver[p])
        return self._side(x, [self.share(x, p), self.share(x, ask)])

    def _side(self, x: int, shares: list[Share]) -> Side:
        name, foresight = self.compiled.actors[x], float(self.tables.foresight[x])
        return Side(name, self.rationality(x), foresight, sum(share.worth for share in shares), shares)

    def terms(self, d: int, joined: Mapping[int, bool] | None = None, answers: bool = True) -> Terms:
        """A deal in numbers. joined: by promise, once it is known. answers: whether it is an offer (else a counter)."""
        T, S = self.tables, self.state
        first, ask = int(T.deal_promise[d]), int(T.deal_promise[d + 1]) - 1
        i, j, bias = int(T.promise_giver[first]), int(T.promise_giver[ask]), float(T.deal_bias[d])
        joiners, parts = [], {first: 1.0}
        for p in range(first + 1, ask):
            likely, side = float(bargains.joining(T, S, d, p, 0)), self.giving(p)
            known = None if joined is None else joined.get(p, False)
            parts[p] = likely if known is None else float(known)
            joiners.append(Joiner(side.actor, side.shares[0].deed, likely, side.worth, known))
        target = self._side(j, [self.share(j, ask), *(self.share(j, p, part) for p, part in parts.items())])
        proposer = self.giving(first)
        reply = 0.0 if self.idle(i) else self.yes(i, proposer.worth, bias)
        told = Terms(self.compiled.deals[d][0], bias, target, proposer, joiners, None, None, None, reply)
        if not answers:
            return told
        if self.idle(j):
            return replace(told, accept=0.0, counter=0.0, reply=None)
        other = int(bargains.counterable(T, S, d, 0))
        instead = self.terms(other, answers=False) if other >= 0 else None
        weights = [0.0, self.rationality(j) * target.worth - bias]
        if instead is not None and instead.reply is not None:
            weights.append(self.rationality(j) * instead.reply * instead.target.worth - instead.bias)
        top = max(weights)
        exps = [math.exp(weight - top) for weight in weights]
        counter = exps[2] / sum(exps) if instead is not None else 0.0
        return replace(told, accept=exps[1] / sum(exps), counter=counter, instead=instead, reply=None)

    def offer(self, d: int) -> tuple[Terms, list[Contribution], float]:
        """An offer: its terms, and the parts and the cost that its expected utility is the sum of."""
        terms = self.terms(d)
        found, price = [], 0.0
        for deal, weight, word in (
            (terms, terms.accept, ""),
            (terms.instead, (terms.counter or 0.0) * ((terms.instead and terms.instead.reply) or 0.0), " instead"),
        ):
            if deal is None or not weight:
                continue
            for share in deal.proposer.shares:
                counts = weight * share.discount * share.credibility
                through = ("gives" if share.own else "gets") + word
                found += [_counted(part, counts, through) for part in share.contributions]
                price += counts * share.cost
        return terms, apart.ordered(found, terms.proposer.actor), price

    # -- sessions

    def convening(self, c: int) -> tuple[Prospect, list[Contribution]]:
        """What a convener, in row c, expects of a session; and the parts that this is the sum of, before the cost."""
        T, S, compiled = self.tables, self.state, self.compiled
        f = int(T.convener_forum[c])
        (o,) = (o for o in range(T.option_actor.size) if T.option_convener[o] == c)
        by = self.eyes(int(T.option_actor[o]))
        moves, found = self.swayed(by, f, {m: float(S.move[m, 0]) for m in self._places(f)})
        outputs = []
        whole = T.seat_start[f + 1] - T.seat_start[f] >= T.forum_quorum[f]
        first = int(T.output_start[f])
        for u in range(first, int(T.output_start[f + 1])) if whole else ():
            row = int(T.prospect_start[c]) + u - first
            outcome, parts = self._outcome(by, f, u, int(T.boon_start[row]))
            outputs.append(outcome)
            found += parts
        prospect = Prospect(
            compiled.fora[f], int(T.forum_quorum[f]), sum(move.worth for move in moves), moves, outputs
        )  # fmt: skip
        return prospect, apart.ordered(found, by.name)

    def _places(self, f: int) -> range:
        T = self.tables
        return range(T.place_start[T.item_start[f]], T.place_start[T.item_start[f + 1]])

    def swayed(self, by: Eyes, f: int, moves: Mapping[int, float]) -> tuple[list[Swayed], list[Contribution]]:
        """Moves of places in somebody's eyes; where several move what it has one interest in, each by its share."""
        T, S = self.tables, self.state
        changes = {m: (int(T.place_slot[m]), move) for m, move in moves.items()}
        parts = apart.changed(by, changes.values(), 1.0, through="moves")
        whole = apart.reached(by, changes.values())
        by_path: dict[str, float] = {}
        for part in parts:
            by_path[part.path] = by_path.get(part.path, 0.0) + part.utility
        told = []
        for m, (s, move) in changes.items():
            alone = apart.reached(by, [(s, move)])
            fraction = sum(
                by_path.get(self.compiled.paths[T.rank_slot[k]], 0.0) * size / whole[k]
                for k, size in alone.items()
                if whole[k] != 0.0
            )
            _, item, member = self.compiled.places[m]
            told.append(Swayed(item, member, self.compiled.paths[s], float(S.x[s, 0]), move, float(fraction)))
        return told, parts

    def _outcome(self, by: Eyes, f: int, u: int, boon: int) -> tuple[Outcome, list[Contribution]]:
        """An output as a convener expects it, all members attending. boon: its first row of the acts' valuations."""
        T, S = self.tables, self.state
        S.here[T.seat_start[f] : T.seat_start[f + 1], 0] = True
        spread, agreed = meetings.spread_of(T, S, u, S.move, 0)
        vetoes, follows = [], 1.0 if agreed else 0.0
        for n in range(T.veto_start[u], T.veto_start[u + 1]):
            odds = float(meetings.veto_odds(T, S, u, n, 0))
            follows *= 1.0 - odds
            valued = float(S.value[T.veto_value[n], 0])
            vetoes.append(Stopper(self.compiled.vetoes[n][2], odds, valued))
        parts, acts = [], []
        o = int(T.output_option[u])
        own = apart.act(by, o, follows, "output")[0]
        parts += own
        for n in range(T.occasion_start[u], T.occasion_start[u + 1]):
            v, act = int(T.occasion_value[n]), int(T.occasion_option[n])
            if not S.possible[v, 0]:
                continue
            willing = float(meetings.willing(T, S, v, 0))
            more = apart.act(by, act, follows * willing, "act")[0]
            parts += more
            value = float(S.value[T.boon_value[boon + n - T.occasion_start[u]], 0])
            acts.append(Occasioned(apart.deed(self.compiled, act), willing, value, apart.total(more)))
        value = apart.total(apart.act(by, o)[0])
        within = float(T.output_within[u])
        outcome = Outcome(
            self.compiled.outputs[u][1], float(spread), within, bool(agreed), follows, value, apart.total(parts),
            vetoes, acts,
        )  # fmt: skip
        return outcome, [part for part in parts if part.utility != 0.0]

    # -- what was said

    def told(self, after: State, actor: int, turn: int) -> Dealings:
        """What the notes at the end of the turn tell of an actor. after: the state then."""
        T = self.tables
        notes = [
            _Note(*(int(n) for n in after.talk[0, row]), *(float(n) for n in after.talk_number[0, row]))
            for row in range(int(after.told[0]))
        ]
        joined = {note.row: bool(note.result) for note in notes if note.kind == JOIN}
        replies = {
            note.row: Reply(self.compiled.deals[note.row][0], bool(note.result), note.odds, note.first)
            for note in notes
            if note.kind == REPLY
        }
        found = Dealings([], [], [], [], [], [])
        for note in notes:
            row = note.row
            if note.kind == ANSWER and actor in self._parties(row):
                found.answers.append(self._answer(note, joined, replies))
            elif note.kind == JOIN and actor in (int(T.promise_giver[row]), *self._parties(int(T.promise_deal[row]))):
                deal = self.compiled.deals[int(T.promise_deal[row])]
                joiner = self.compiled.actors[T.promise_giver[row]]
                found.joinings.append(Joining(*deal, joiner, bool(note.result), note.odds, self.giving(row)))
            elif note.kind in (OWED, SETTLED) and actor in (T.promise_giver[row], T.promise_receiver[row]):
                if note.kind == OWED:
                    found.made.append(Made(*self._promise(row), note.result, note.first, note.second))
                else:
                    found.settled.append(self._settled(note, after))
            elif note.kind == TESTED:
                receiver, giver, word = self.compiled.beliefs[row]
                if self.compiled.actors[actor] in (receiver, giver):
                    found.tested.append(Tested(receiver, giver, word, bool(note.result), note.odds))
        found.sessions.extend(self._sessions(notes, actor))
        return found

    def _parties(self, d: int) -> tuple[int, int]:
        """Proposer and target of a deal."""
        T = self.tables
        return int(T.promise_giver[T.deal_promise[d]]), int(T.promise_giver[T.deal_promise[d + 1] - 1])

    def _answer(self, note: _Note, joined: Mapping[int, bool], replies: Mapping[int, Reply]) -> Answer:
        d, result = note.row, ANSWERS[note.result]
        if note.result == LAPSED:
            return Answer(*self.compiled.deals[d], result, None, None, None, None, None)
        reply = replies.get(int(self.tables.deal_counter[d])) if note.result == COUNTERED else None
        terms = self.terms(d, joined)
        return Answer(*self.compiled.deals[d], result, note.odds, note.first, note.second, terms, reply)

    def _promise(self, p: int) -> tuple[str, str, str, Deed]:
        d, giver, receiver, _ = self.compiled.promises[p]
        return self.compiled.deals[d][0], giver, receiver, apart.deed(self.compiled, int(self.tables.promise_option[p]))

    def _settled(self, note: _Note, after: State) -> Settled:
        T, S, p, result = self.tables, self.state, note.row, note.result
        v = int(T.promise_value[p])
        possible = bool(S.possible[v, 0])
        decided = result == BROKEN_WORD or not math.isnan(after.delivered[p, 0])
        return Settled(
            *self._promise(p),
            result=ENDS[result],
            unasked=result in (KEPT_WORD, FAILED) and not decided,
            probability=note.odds if decided else None,
            utility=float(S.value[v, 0] - S.charge[v, 0]) if possible else 0.0,
            loss=float(after.loss[p, 0]) if decided else None,
            stake=None if math.isnan(note.first) else note.first,
            rationality=self.rationality(int(T.promise_giver[p])),
            possible=possible,
        )

    def _sessions(self, notes: list[_Note], actor: int) -> list[Session]:
        T, compiled = self.tables, self.compiled
        told = []
        for note in notes:
            if note.kind != SESSION:
                continue
            f, convener = note.row, note.result
            seat = next((q for q in range(T.seat_start[f], T.seat_start[f + 1]) if T.seat_actor[q] == actor), None)
            if seat is None and convener != actor:
                continue
            mine = next((n for n in notes if n.kind == ATTEND and n.row == seat), None)
            places = self._places(f)
            outputs = range(T.output_start[f], T.output_start[f + 1])
            vetoes = range(T.veto_start[outputs.start], T.veto_start[outputs.stop])
            moves = {n.row: n.second for n in notes if n.kind == MOVED and n.row in places}
            told.append(
                Session(
                    forum=compiled.fora[f],
                    convener=None if convener < 0 else compiled.actors[convener],
                    present=int(note.first),
                    quorum=int(T.forum_quorum[f]),
                    attended=None if mine is None else bool(mine.result),
                    probability=None if mine is None else mine.odds,
                    inclined=None if seat is None else float(T.seat_attend[seat]),
                    worth=None if mine is None else mine.first,
                    moved=self.swayed(self.eyes(actor), f, moves)[0],
                    outputs=[
                        Came(
                            compiled.outputs[n.row][1], bool(n.result), n.first, float(T.output_within[n.row]),
                            int(n.second),
                        )
                        for n in notes
                        if n.kind == OUTPUT and n.row in outputs
                    ],
                    votes=[self._cast(n) for n in notes if n.kind == VETO and n.row in vetoes],
                )
            )  # fmt: skip
        return told

    def _cast(self, note: _Note) -> Cast:
        forum, output, member = self.compiled.vetoes[note.row]
        bias = float(self.tables.output_bias[self.compiled.outputs.index((forum, output))])
        return Cast(output, member, bool(note.result), note.odds, note.first, bias)


def _counted(part: Contribution, counts: float, through: str) -> Contribution:
    """A contribution to the worth of an act as one to the worth of an offer of it. What is got hangs on a word."""
    worth = part.utility * counts
    trust = worth if through.startswith("gets") else part.trust * counts
    return replace(part, counts=part.counts * counts, utility=worth, through=through, trust=trust)

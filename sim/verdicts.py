"""What the names of facts stand for in a scenario, and whether runs bear the facts out.

`bind` resolves every name, or tells all that is wrong; a `BoundFact` then weighs any number of runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim import evidence, located, metrics
from sim.analysis import QUAD_OF
from sim.arrays import (
    ACCEPTED,
    ANSWER,
    ATTEND,
    BROKEN_WORD,
    COUNTERED,
    FAILED,
    KEPT_WORD,
    LAPSED,
    OUTPUT,
    OWED,
    REFUSED,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    VOID,
    Compiled,
)
from sim.errors import Problems
from sim.facts import (
    BOUNDS,
    METRICS,
    ActorsOf,
    ActsOf,
    AnswersOf,
    ChangeOf,
    Condition,
    CorrelationOf,
    EventsOf,
    Fact,
    Facts,
    GoldsteinOf,
    LevelOf,
    Operand,
    OutputsOf,
    OverTime,
    OverTurns,
    PeakOf,
    PromisesOf,
    RankOf,
    ReliedOf,
    SessionsOf,
    ShareOf,
    Timed,
    said,
    sorted_problems,
)
from sim.form import DATE, Scenario, expand, first_day, last_day, members, span, turn_of
from sim.located import Location
from sim.metrics import Heard, Record
from sim.scenario import settable
from sim.validate import Fault, as_told
from sim.words import nearest

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RESAMPLES = 1000  # of the runs, behind the share of a fact about an ensemble; fewer of very many runs
RESAMPLED = 20_000_000  # runs in all of them together
BLOCK = 2_000_000  # runs weighed at once
MOST_PARTS = 5_000  # of the tests of a file
MOST_NESTED = 4  # metrics over turns or actors, within one another


@dataclass(frozen=True)
class Value:
    """A metric with its names resolved.

    compute: of a record, for the period that holds where it names none, gives (R,) numbers. period: that it names, if
    any. options, slots: that it looks at, for the search for a decision that stood in the way; aims: (slot, rung) that
    its own tests ask for. kind: of number. ladder: rungs, where it is a place on one. scale: a large difference.
    """

    compute: Callable[[Record, metrics.Period], Floats]
    period: metrics.Period | None = None
    options: tuple[int, ...] = ()
    slots: tuple[int, ...] = ()
    kind: Literal["level", "turn", "number"] = "number"
    ladder: tuple[str, ...] | None = None
    scale: float = 1.0
    aims: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Leaf:
    """A metric against a bound, as the file says it at `at`."""

    left: Value
    bound: str
    right: Value | float
    at: str

    def measure(self, record: Record, period: metrics.Period) -> Floats:
        """(R, 2) both sides."""
        right = (
            self.right.compute(record, period) if isinstance(self.right, Value) else np.full(record.size, self.right)
        )
        return np.stack([self.left.compute(record, period), right], axis=1)

    def holds(self, sides: Floats) -> Flags:
        """(...) whether it does of (..., 2) sides; never where one is no number."""
        return _COMPARED[self.bound](sides[..., 0], sides[..., 1])

    @property
    def aims(self) -> tuple[tuple[int, float], ...]:
        """(slot, rung) that it asks for, where it asks for a rung, or those of what it is made of."""
        if self.left.ladder is None or isinstance(self.right, Value):
            return self.left.aims
        return tuple((slot, self.right) for slot in self.left.slots)

    def gap(self, sides: Floats) -> Floats:
        """(...) by how much it fails, 0 where it holds, 1 a large difference or more."""
        with np.errstate(invalid="ignore"):
            off = np.abs(sides[..., 0] - sides[..., 1]) / self.left.scale
        return np.where(self.holds(sides), 0.0, np.where(np.isfinite(off), np.minimum(off, 1.0), 1.0))


_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "at_least": lambda x, y: x >= y,
    "at_most": lambda x, y: x <= y,
    "above": lambda x, y: x > y,
    "below": lambda x, y: x < y,
    "equals": lambda x, y: np.isclose(x, y, rtol=0.0, atol=1e-9),
}


@dataclass(frozen=True)
class Judged:
    """(...) whether a test holds, how many of its parts would have to turn out otherwise, and by how much."""

    holds: Flags
    unmet: NDArray[np.int64]
    gap: Floats


@dataclass(frozen=True)
class Tree:
    """A test with its names resolved: a leaf, or parts under all, any or not."""

    word: Literal["leaf", "all", "any", "not"]
    leaf: Leaf | None = None
    parts: tuple[Tree, ...] = ()

    def leaves(self) -> Iterator[Leaf]:
        """Every leaf, in order."""
        if self.leaf is not None:
            yield self.leaf
        for part in self.parts:
            yield from part.leaves()

    def measure(self, record: Record, period: metrics.Period) -> Floats:
        """(R, leaves, 2) both sides of every leaf."""
        return np.stack([leaf.measure(record, period) for leaf in self.leaves()], axis=1)

    def judge(self, sides: Floats) -> Judged:
        """What (..., leaves, 2) sides say."""
        judged, rest = self._judged(sides, 0)
        assert rest == sides.shape[-2]
        return judged

    def held(self, record: Record, period: metrics.Period) -> Flags:
        """(R,) whether it holds."""
        return self.judge(self.measure(record, period)).holds

    def _judged(self, sides: Floats, at: int) -> tuple[Judged, int]:
        if self.leaf is not None:
            here = sides[..., at, :]
            holds = self.leaf.holds(here)
            return Judged(holds, (~holds).astype(np.int64), self.leaf.gap(here)), at + 1
        found = []
        for part in self.parts:
            judged, at = part._judged(sides, at)
            found.append(judged)
        if self.word == "not":
            inner = found[0].holds
            return Judged(~inner, inner.astype(np.int64), np.zeros(inner.shape)), at
        holds, unmet, gap = (np.stack([getattr(one, name) for one in found]) for name in ("holds", "unmet", "gap"))
        if self.word == "all":
            return Judged(np.asarray(holds.all(axis=0)), unmet.sum(axis=0), gap.sum(axis=0)), at
        nearest_part = np.expand_dims((unmet + gap / (1.0 + gap.max(initial=0.0))).argmin(axis=0), 0)
        taken = (np.take_along_axis(array, nearest_part, axis=0)[0] for array in (unmet, gap))
        return Judged(np.asarray(holds.any(axis=0)), *taken), at


@dataclass(frozen=True)
class BoundFact:
    """A fact with its names resolved in a scenario. notes: what a reader should mind."""

    id: str
    fact: Fact
    tree: Tree
    pooled: Tree | None
    turns: int
    whole: metrics.Period
    notes: tuple[str, ...] = ()

    def measure(self, record: Record) -> Floats:
        """(R, leaves, 2) both sides of every part of the test."""
        return self.tree.measure(record, self.whole)

    def judge(self, sides: Floats) -> Judged:
        """(R,) what the sides say of each run (scope run)."""
        return self.tree.judge(sides)

    def holds(self, record: Record) -> Flags:
        """(R,) whether it holds of each run (scope run)."""
        return self.judge(self.measure(record)).holds


def averaged(tree: Tree, sides: Floats, turns: int, without: Floats | None = None) -> tuple[bool, float]:
    """Whether a test holds of averages over runs, and in what share of resamples of the runs.

    sides: (R, leaves, 2). without: those of the same runs with something else: it is then the mean difference that
    counts, against plain numbers of the test as they stand. Source of the share: Efron 1979, the bootstrap.
    """
    plain = np.array([[False, not isinstance(leaf.right, Value)] for leaf in tree.leaves()])
    here = _counted(sides, turns)
    if without is not None:
        here = np.where(plain, here, here - _counted(without, turns))
    known = ~np.isnan(here)
    flat = np.where(known, here, 0.0).reshape(here.shape[0], -1)
    known_flat = known.reshape(here.shape[0], -1).astype(np.float64)
    rng, size = np.random.default_rng(0), here.shape[0]
    resamples = max(min(RESAMPLES, RESAMPLED // size), 20)
    block = max(BLOCK // size, 1)
    held = [tree.judge(_weighed(np.ones((1, size)), flat, known_flat, here.shape)).holds]
    for first in range(0, resamples, block):
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=min(block, resamples - first))
        held.append(tree.judge(_weighed(drawn.astype(np.float64), flat, known_flat, here.shape)).holds)
    return bool(held[0][0]), float(np.concatenate(held[1:]).mean())


def _weighed(weights: Floats, sums: Floats, known: Floats, shape: tuple[int, ...]) -> Floats:
    """(draws, leaves, 2) means over runs by weight; NaN where none is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return ((weights @ sums) / (weights @ known)).reshape(-1, *shape[1:])


def _counted(sides: Floats, turns: int) -> Floats:
    """A turn that never came counts as the one after the last."""
    return np.where(np.isposinf(sides), turns + 1.0, sides)


@dataclass(frozen=True)
class BoundFacts:
    """The facts of a file in a scenario. facts: those that can be tested; outside: those whose dates the scenario does
    not hold, with the reason; cannot: those that the layers cannot express, with theirs."""

    facts: list[BoundFact]
    outside: dict[str, str]
    cannot: dict[str, str]
    source: Facts

    def measure(self, record: Record) -> dict[str, Floats]:
        """Both sides of every part of every fact's test, by id."""
        return {fact.id: fact.measure(record) for fact in self.facts}


def bind(facts: Facts, scenario: Scenario, compiled: Compiled, turns: int | None = None) -> BoundFacts:
    """The facts with every name resolved. turns: of the runs, the scenario's own if None.

    Raises `Problems` with every name, path and date that is wrong.
    """
    binder = _Binder(facts, scenario, compiled, scenario.turns if turns is None else turns)
    bound, outside, cannot = [], {}, {}
    try:
        whole = binder.whole()
        reason = None
    except _Outside as error:
        reason = str(error)
    for name, fact in facts.file.facts.items():
        result = reason if reason is not None else binder.fact(name, fact, whole) if fact.cannot is None else None
        if fact.cannot is not None:
            cannot[name] = fact.cannot
        elif isinstance(result, str):
            outside[name] = result
        elif result is not None:
            bound.append(result)
    if binder.faults:
        raise sorted_problems(fault.told(facts.document) for fault in binder.faults)
    return BoundFacts(bound, outside, cannot, facts)


ANSWERED = {"accepted": ACCEPTED, "refused": REFUSED, "countered": COUNTERED, "lapsed": LAPSED}
REPLIED = {"accepted": 1, "refused": 0}  # to a counter-offer
SETTLEMENTS = {"kept": KEPT_WORD, "broken": BROKEN_WORD, "void": VOID, "failed": FAILED}
NESTING = ("first", "turns", "actors", "rank", "correlation", "over_time", "peak")


class _Outside(Exception):
    """A date lies outside the scenario."""


class _Binder:
    """Resolves the names of a file in one scenario; gathers what is wrong."""

    def __init__(self, facts: Facts, scenario: Scenario, compiled: Compiled, turns: int) -> None:
        self.facts, self.scenario, self.compiled, self.turns = facts, scenario, compiled, turns
        self.timed = scenario.model_copy(update={"turns": turns})
        self.slots = {path: s for s, path in enumerate(compiled.paths)}
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.me: str | None = None  # the actor for whom `self` stands
        self.parts, self.nested = 0, 0

    def tell(self, at: Location, message: str, key: bool = False) -> None:
        self.faults.append(Fault(at, message, key=key))

    def whole(self) -> metrics.Period:
        """The period that the facts are about, all turns if the file names none. Raises `_Outside`."""
        file = self.facts.file
        return self.between(file.from_, file.until, ("from", "until"), ()) or (1, self.turns)

    def fact(self, name: str, fact: Fact, whole: metrics.Period) -> BoundFact | str | None:
        """The fact; why it is outside the scenario; or None where something is wrong with it."""
        at: Location = ("facts", name)
        before, self.notes, self.nested = len(self.faults), [], 0
        for path in fact.without or {}:
            try:
                settable(self.scenario, path)
            except Problems as error:
                self.tell((*at, "without", path), error.problems[0].message, key=True)
        assert fact.holds is not None
        try:
            tree = self.condition(fact.holds, (*at, "holds"))
            pooled = None if fact.pooled is None else self.condition(fact.pooled, (*at, "pooled"))
        except _Outside as reason:
            del self.faults[before:]
            return str(reason)
        if len(self.faults) > before or tree is None:
            return None
        return BoundFact(name, fact, tree, pooled, self.turns, whole, tuple(dict.fromkeys(self.notes)))

    # conditions

    def condition(self, condition: Condition, at: Location) -> Tree | None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            message = f"the tests come to more than {MOST_PARTS:,} parts; ask of fewer actors, or in several files"
            raise Problems([Fault(at, message).told(self.facts.document)])
        for word in ("all", "any"):
            parts = getattr(condition, word)
            if parts is not None:
                found = [self.condition(part, (*at, word, n)) for n, part in enumerate(parts)]
                return self._joined(word, found)
        if condition.not_ is not None:
            return self._joined("not", [self.condition(condition.not_, (*at, "not"))])
        for word, joined in (("each", "all"), ("some", "any")):
            part = getattr(condition, word)
            if part is not None:
                here = (*at, word)
                found = [
                    self.asking(actor, self.condition, part.that, (*here, "that"))
                    for actor in self.actors(part.of, (*here, "of"))
                ]
                return self._joined(joined, found)
        left = self.operand(condition, at)
        leaves: list[Tree | None] = []
        for word in said(condition, BOUNDS):
            right = self.bound(getattr(condition, word), left, (*at, word))
            if left is None or right is None:
                leaves.append(None)
                continue
            leaves.append(Tree("leaf", Leaf(left, word, right, located.path_of(at))))
        return leaves[0] if len(leaves) == 1 else self._joined("all", leaves)

    def _joined(self, word: Any, parts: Sequence[Tree | None]) -> Tree | None:
        found = [part for part in parts if part is not None]
        return Tree(word, parts=tuple(found)) if found and len(found) == len(parts) else None

    def asking(self, actor: str, bind: Callable[..., Any], *arguments: Any) -> Any:
        """What `bind` gives with `self` for an actor."""
        before, self.me = self.me, actor
        try:
            return bind(*arguments)
        finally:
            self.me = before

    def bound(self, bound: float | str | Operand, left: Value | None, at: Location) -> Value | float | None:
        """The number that a metric is held against."""
        if isinstance(bound, Operand):
            return self.operand(bound, at)
        if not isinstance(bound, str):
            return float(bound)
        if left is None:
            return None
        if re.match(DATE, bound):
            if left.kind != "turn":
                self.tell(at, f"{as_told(bound)} is a date; only a turn (first, peak) can be held against one")
                return None
            day = self.date(bound, at)
            late = at[-1] in ("at_most", "above")  # by, and after, a month: its last turn
            turn = turn_of(self.scenario.model_copy(update={"turns": 10**6}), last_day(day) if late else day)
            if turn is None:
                raise _Outside(f"{bound} is before the scenario")
            return float(turn)
        if left.ladder is None:
            self.tell(at, f"{as_told(bound)} is a rung; what it is held against is no place on a ladder")
            return None
        if bound not in left.ladder:
            self.tell(at, f'no rung "{located.short(bound)}"{nearest(bound, left.ladder, "rungs are")}')
            return None
        return float(left.ladder.index(bound))

    # operands

    def operand(self, operand: Operand, at: Location) -> Value | None:
        """The metric of an operand, multiplied and added to as it says."""
        name = said(operand, METRICS)[0]
        part = getattr(operand, name)
        self.nested += name in NESTING
        if self.nested > MOST_NESTED:
            self.tell((*at, name), f"more than {MOST_NESTED} metrics over turns or actors within one another")
            self.nested -= 1
            return None
        value: Value | None = getattr(self, f"_{name}")(part, (*at, name))
        self.nested -= name in NESTING
        if value is None or (operand.times is None and operand.plus is None):
            return value
        times, plus, inner = operand.times or 0.0 if operand.times is not None else 1.0, operand.plus or 0.0, value
        return Value(
            lambda record, period: inner.compute(record, period) * times + plus,
            inner.period, inner.options, inner.slots, inner.kind, None, inner.scale,
        )  # fmt: skip

    def _level(self, part: LevelOf, at: Location) -> Value | None:
        slots, period = self.paths(part.of, (*at, "of")), self.period(part, at)
        if not slots:
            return None
        return self._of_slots(
            slots, period, lambda record, p: metrics.level(record, slots, period or p, part.take, part.over), part.over
        )

    def _change(self, part: ChangeOf, at: Location) -> Value | None:
        slots, period = self.paths(part.of, (*at, "of")), self.period(part, at)
        if not slots:
            return None
        value = self._of_slots(
            slots, period, lambda record, p: metrics.change(record, slots, period or p, part.over), part.over
        )
        return Value(value.compute, period, (), value.slots, "number", None, value.scale)

    def _of_slots(self, slots: Sequence[int], period: metrics.Period | None, compute: Any, over: str) -> Value:
        tables = self.compiled.tables
        width = float((tables.high[list(slots)] - tables.low[list(slots)]).max())
        ladders = {self.compiled.ladders.get(s) for s in slots}
        ladder = ladders.pop() if len(ladders) == 1 and over != "sum" else None
        return Value(compute, period, (), tuple(slots), "level", ladder, width * (len(slots) if over == "sum" else 1))

    def _count(self, part: ActsOf, at: Location) -> Value | None:
        return self._acts(part, at, metrics.count)

    def _rate(self, part: ActsOf, at: Location) -> Value | None:
        return self._acts(part, at, metrics.rate)

    def _acts(self, part: ActsOf, at: Location, metric: Any) -> Value | None:
        weights, period = self.options(part, at), self.period(part, at)
        if weights is None:
            return None
        chosen = tuple(np.flatnonzero(weights).tolist())
        if not chosen and self.me is None:
            self.notes.append("by the menu: no option of this scenario fits a count, which is always 0")
        return Value(lambda record, p: metric(record, weights, period or p, part.succeeded), period, chosen, scale=3.0)

    def _goldstein(self, part: GoldsteinOf, at: Location) -> Value | None:
        weights, period = self.options(part, at), self.period(part, at)
        if weights is None:
            return None
        found = [evidence.code(cameo) for cameo, _ in self.compiled.codes]
        by_action = np.array(
            [np.nan if code is None or code.goldstein is None else code.goldstein for code in found], dtype=np.float64
        )
        each = np.where(weights != 0, by_action[self.compiled.tables.option_action[: weights.size]], np.nan)
        chosen = tuple(np.flatnonzero(weights).tolist())
        return Value(
            lambda record, p: metrics.goldstein(record, each, period or p, part.take), period, chosen, scale=10.0
        )

    def _events(self, part: EventsOf, at: Location) -> Value | None:
        period = self.period(part, at)
        if part.dated:
            if part.incident or part.on:
                self.tell((*at, "dated"), "dated events have no incident and no actor; leave those out")
                return None
            when = [turn for event in self.scenario.timeline if (turn := turn_of(self.timed, event.date)) is not None]
            return Value(lambda record, p: metrics.events(record, [], when, period or p), period)
        names = part.incident or list(self.scenario.incidents)
        for n, name in enumerate(part.incident or ()):
            if name not in self.scenario.incidents:
                self.tell((*at, "incident", n), f'no incident "{name}"{nearest(name, self.scenario.incidents)}')
                return None
        of = set(self.actors(part.on, (*at, "on"))) if part.on is not None else None
        columns = [
            n for n, (name, actor) in enumerate(self.compiled.incidents)
            if name in names and (of is None or actor in of)
        ]  # fmt: skip
        if not columns and self.me is None:
            self.notes.append("no incident of this scenario fits a count, which is always 0")
        return Value(lambda record, p: metrics.events(record, columns, [], period or p), period)

    def _sessions(self, part: SessionsOf, at: Location) -> Value | None:
        held = self.held(part, at)
        if held is None:
            return None
        return self._heard([held], self.period(part, at), self._convening(held.rows))

    def _outputs(self, part: OutputsOf, at: Location) -> Value | None:
        compiled = self.compiled
        held = self.held(part, at)
        if held is None or not self.names(part.output, sorted({u for _, u in compiled.outputs}), "output", at):
            return None
        rows = tuple(
            u for u, (forum, name) in enumerate(compiled.outputs)
            if compiled.fora.index(forum) in held.rows and (part.output is None or name in part.output)
        )  # fmt: skip
        of = tuple(compiled.fora.index(forum) for forum, _ in compiled.outputs)
        which = Heard(OUTPUT, rows, (int(part.followed),), of, (held,))
        return self._heard([which], self.period(part, at), self._convening(held.rows))

    def held(self, part: SessionsOf, at: Location) -> Heard | None:
        """The sessions that fit every word given; None where one is wrong."""
        compiled, before = self.compiled, len(self.faults)
        self.names(part.forum, compiled.fora, "forum", at)
        convener = None if part.convener is None else self.actors(part.convener, (*at, "convener"))
        present = None if part.present is None else self.actors(part.present, (*at, "present"))
        if part.dated and part.convener is not None:
            self.tell((*at, "dated"), "a session that a date brought has no convener; leave one of them out")
        if len(self.faults) > before:
            return None
        results: tuple[int, ...] | None = None
        if part.dated:
            results = (-1,)
        elif convener is not None or part.dated is False:
            results = tuple(i for i, actor in enumerate(compiled.actors) if convener is None or actor in convener)
        every = tuple(range(len(compiled.fora)))
        rows = tuple(f for f in every if part.forum is None or compiled.fora[f] in part.forum)
        besides: tuple[Heard, ...] = ()
        if present is not None:
            of = tuple(compiled.fora.index(forum) for forum, _ in compiled.seats)
            seats = tuple(q for q, (_, member) in enumerate(compiled.seats) if member in present)
            besides = (Heard(ATTEND, seats, (1,), of),)
        return Heard(SESSION, rows, results, every, besides)

    def _convening(self, fora: Sequence[int]) -> tuple[int, ...]:
        """The options that call a session of one of these fora."""
        named = {self.compiled.fora[f] for f in fora}
        row, of = self.compiled.tables.option_convener, self.compiled.options
        return tuple(o for o, (_, name, _) in enumerate(of) if row[o] >= 0 and name in named)

    def _answers(self, part: AnswersOf, at: Location) -> Value | None:
        deals = self.compiled.deals
        by, toward = self.chosen(part.by, (*at, "by")), self.chosen(part.toward, (*at, "toward"))
        if not self.names(part.bargain, list(self.scenario.bargains), "bargain", at) or by is None or toward is None:
            return None
        rows = tuple(
            d for d, (name, proposer, target) in enumerate(deals)
            if (part.bargain is None or name in part.bargain) and proposer in by and target in toward
        )  # fmt: skip
        wanted: Sequence[str] = part.answer or tuple(ANSWERED)
        offers = np.isin(self.compiled.tables.option_deal, rows)
        return self._heard(
            [
                Heard(ANSWER, rows, tuple(ANSWERED[word] for word in wanted)),
                Heard(REPLY, rows, tuple(REPLIED[word] for word in wanted if word in REPLIED)),
            ],
            self.period(part, at), tuple(np.flatnonzero(offers).tolist()),
        )  # fmt: skip

    def _promises(self, part: PromisesOf, at: Location) -> Value | None:
        compiled = self.compiled
        giver, receiver = self.chosen(part.giver, (*at, "giver")), self.chosen(part.receiver, (*at, "receiver"))
        known = self.names(part.bargain, list(self.scenario.bargains), "bargain", at)
        if not self.names(part.kind, list(self.scenario.assurances), "assurance", at, "kind") or not known:
            return None
        if giver is None or receiver is None:
            return None
        rows = tuple(
            p for p, (deal, who, whom, kind) in enumerate(compiled.promises)
            if (part.bargain is None or compiled.deals[deal][0] in part.bargain)
            and (part.kind is None or kind in part.kind) and who in giver and whom in receiver
        )  # fmt: skip
        period, tables = self.period(part, at), compiled.tables
        if part.became is None:
            offers = np.isin(tables.option_deal, [compiled.promises[p][0] for p in rows])
            return self._heard([Heard(OWED, rows)], period, tuple(np.flatnonzero(offers).tolist()))
        which = Heard(SETTLED, rows, tuple(SETTLEMENTS[word] for word in part.became))
        promised = dict.fromkeys(int(tables.promise_option[p]) for p in rows if part.became == ["kept"])
        return self._heard([which], period, tuple(promised))

    def _relied(self, part: ReliedOf, at: Location) -> Value | None:
        giver, receiver = self.chosen(part.giver, (*at, "giver")), self.chosen(part.receiver, (*at, "receiver"))
        known = self.names(part.kind, list(self.scenario.assurances), "assurance", at, "kind")
        if not known or giver is None or receiver is None:
            return None
        rows = tuple(
            b for b, (whom, who, kind) in enumerate(self.compiled.beliefs)
            if (part.kind is None or kind in part.kind) and who in giver and whom in receiver
        )  # fmt: skip
        return self._heard(
            [Heard(TESTED, rows, None if part.held is None else (int(part.held),))], self.period(part, at), ()
        )

    def _heard(self, which: Sequence[Heard], period: metrics.Period | None, options: tuple[int, ...]) -> Value:
        if not any(one.rows for one in which) and self.me is None:
            self.notes.append("no forum, bargain or promise of this scenario fits a count, which is always 0")
        return Value(lambda record, p: metrics.heard(record, which, period or p), period, options, scale=3.0)

    def _first(self, part: OverTurns, at: Location) -> Value | None:
        return self._over_turns(part, at, metrics.first, "turn")

    def _turns(self, part: OverTurns, at: Location) -> Value | None:
        return self._over_turns(part, at, lambda held, turns: metrics.number(held), "number")

    def _over_turns(self, part: OverTurns, at: Location, metric: Any, kind: Any) -> Value | None:
        tree, period = self.condition(part.that, (*at, "that")), self.period(part, at)
        if tree is None:
            return None
        inner = tree

        def compute(record: Record, p: metrics.Period) -> Floats:
            turns = _range(period or p)
            return metric(np.stack([inner.held(record, (t, t)) for t in turns], axis=1), turns)

        leaves = list(tree.leaves())
        return self._of(compute, period, [leaf.left for leaf in leaves], kind, float(self.turns), leaves)

    def _actors(self, part: ActorsOf, at: Location) -> Value | None:
        who = self.actors(part.among, (*at, "among"))
        trees = [self.asking(actor, self.condition, part.that, (*at, "that")) for actor in who]
        if not trees or any(tree is None for tree in trees):
            return None
        whole = float(len(trees)) if part.share else 1.0

        def compute(record: Record, p: metrics.Period) -> Floats:
            return metrics.number(np.stack([tree.held(record, p) for tree in trees], axis=1)) / whole

        leaves = [leaf for tree in trees for leaf in tree.leaves()]
        return self._of(compute, None, [leaf.left for leaf in leaves], scale=len(who) / whole, leaves=leaves)

    def _rank(self, part: RankOf, at: Location) -> Value | None:
        who = self.actors(part.among, (*at, "among"))
        values = [self.asking(actor, self.operand, part.by, (*at, "by")) for actor in who]
        if part.of not in self.scenario.actors:
            self.tell((*at, "of"), f'no actor "{part.of}"{nearest(part.of, self.scenario.actors)}')
            return None
        if who and part.of not in who:
            self.tell((*at, "of"), f'"{part.of}" is not among those it is ranked with; add it to `among`')
            return None
        if not values or any(value is None for value in values):
            return None
        which = who.index(part.of)

        def compute(record: Record, p: metrics.Period) -> Floats:
            return metrics.rank(np.stack([value.compute(record, p) for value in values], axis=1), which, part.lowest)

        return self._of(compute, None, values, scale=float(len(who)))

    def _correlation(self, part: CorrelationOf, at: Location) -> Value | None:
        period, ranks = self.period(part, at), part.kind == "spearman"
        if part.among is not None:
            who = self.actors(part.among, (*at, "among"))
            pairs = [
                [self.asking(actor, self.operand, operand, (*at, word)) for operand, word in
                 ((part.of, "of"), (part.with_, "with"))]
                for actor in who
            ]  # fmt: skip
            if not pairs or any(value is None for pair in pairs for value in pair):
                return None

            def across(record: Record, p: metrics.Period) -> Floats:
                rows = [np.stack([pair[n].compute(record, period or p) for pair in pairs], axis=1) for n in (0, 1)]
                return metrics.correlation(rows[0], rows[1], ranks)

            return self._of(across, period, [value for pair in pairs for value in pair])
        one, other = self.operand(part.of, (*at, "of")), self.operand(part.with_, (*at, "with"))
        if one is None or other is None:
            return None
        both = (one, other)

        def compute(record: Record, p: metrics.Period) -> Floats:
            rows = [_row(value, record, _range(period or p)) for value in both]
            return metrics.correlation(rows[0], rows[1], ranks)

        return self._of(compute, period, both)

    def _over_time(self, part: OverTime, at: Location) -> Value | None:
        period, inner = self.period(part, at), self.operand(part.of, (*at, "of"))
        if inner is None:
            return None
        value = inner
        found = self._of(
            lambda record, p: metrics.over_time(_row(value, record, _range(period or p)), part.take),
            period, [inner], scale=inner.scale,
        )  # fmt: skip
        ladder = inner.ladder if part.take in ("mean", "min", "max") else None
        return Value(found.compute, period, found.options, found.slots, "number", ladder, found.scale)

    def _peak(self, part: PeakOf, at: Location) -> Value | None:
        period, inner = self.period(part, at), self.operand(part.of, (*at, "of"))
        if inner is None:
            return None
        value = inner

        def compute(record: Record, p: metrics.Period) -> Floats:
            turns = _range(period or p)
            return metrics.peak(_row(value, record, turns), turns, part.lowest)

        return self._of(compute, period, [inner], "turn", float(self.turns))

    def _share(self, part: ShareOf, at: Location) -> Value | None:
        one, whole = self.operand(part.of, (*at, "of")), self.operand(part.among, (*at, "among"))
        if one is None or whole is None:
            return None
        both = (one, whole)
        return self._of(
            lambda record, p: metrics.share(both[0].compute(record, p), both[1].compute(record, p)), one.period, [one]
        )

    def _several(self, parts: Sequence[Operand], at: Location, reduce: Any) -> Value | None:
        values = [self.operand(part, (*at, n)) for n, part in enumerate(parts)]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        found = self._of(
            lambda record, p: reduce(np.stack([value.compute(record, p) for value in known], axis=1)),
            None, known, scale=max(value.scale for value in known),
        )  # fmt: skip
        turn = all(value.kind == "turn" for value in known)
        ladders = {value.ladder for value in known}
        ladder = ladders.pop() if len(ladders) == 1 else None
        kind: Literal["turn", "number"] = "turn" if turn else "number"
        return Value(found.compute, found.period, found.options, found.slots, kind, ladder, found.scale)

    def _sum(self, parts: Sequence[Operand], at: Location) -> Value | None:
        return self._several(parts, at, lambda values: metrics.over_time(values, "sum"))

    def _mean(self, parts: Sequence[Operand], at: Location) -> Value | None:
        return self._several(parts, at, lambda values: metrics.over_time(values, "mean"))

    def _largest(self, parts: Sequence[Operand], at: Location) -> Value | None:
        return self._several(parts, at, lambda values: metrics.over_time(values, "max"))

    def _smallest(self, parts: Sequence[Operand], at: Location) -> Value | None:
        return self._several(parts, at, lambda values: metrics.over_time(values, "min"))

    def _of(
        self,
        compute: Any,
        period: metrics.Period | None,
        values: Iterable[Value],
        kind: Any = "number",
        scale: float = 1.0,
        leaves: Iterable[Leaf] = (),
    ) -> Value:
        """A metric made of others, or of tests."""
        parts = list(values)
        named = [value.period for value in parts if value.period is not None]
        if period is None and named and len(named) == len(parts):
            period = min(first for first, _ in named), max(last for _, last in named)
        options = dict.fromkeys(o for value in parts for o in value.options)
        slots = dict.fromkeys(s for value in parts for s in value.slots)
        aims = dict.fromkeys(aim for leaf in leaves for aim in leaf.aims)
        return Value(compute, period, tuple(options), tuple(slots), kind, None, scale, tuple(aims))

    # names

    def date(self, date: str, at: Location) -> str:
        try:
            first_day(date)
        except ValueError:
            self.tell(at, f"{as_told(date)} is no day of the calendar")
            return self.scenario.start
        return date

    def period(self, part: Timed, at: Location) -> metrics.Period | None:
        """The period that a part names, if it does. Raises `_Outside`."""
        if part.in_ is not None:
            return self.between(part.in_, part.in_, ("in", "in"), at)
        return self.between(part.from_, part.until, ("from", "until"), at)

    def between(
        self, begins: str | None, ends: str | None, words: tuple[str, str], at: Location
    ) -> metrics.Period | None:
        """The turns between two dates; where one is left out, from the first or until the last turn of the facts' own
        period; None where both are, or are wrong. Raises `_Outside`."""
        if begins is None and ends is None:
            return None
        for date, word in zip((begins, ends), words, strict=True):
            if date is not None and self.date(date, (*at, word)) != date:
                return None
        begin, end = begins or self.facts.file.from_, ends or self.facts.file.until
        for date in (begin, end):
            if date is not None and turn_of(self.timed, date if date == begin else last_day(date)) is None:
                raise _Outside(f"{date} lies outside the scenario's turns")
        first, last = span(self.timed, begin, end)
        first, last = max(first, 1), min(last, self.turns)
        if first > last:
            self.tell((*at, words[0]), f"{begins} to {ends} runs backwards")
            return None
        return first, last

    def actors(self, selector: Sequence[str], at: Location) -> list[str]:
        """The actors that names, tags and `self` stand for; [] and a problem for an unknown word."""
        found: set[str] = set()
        for n, word in enumerate(selector):
            if word == "self" and self.me is not None:
                found.add(self.me)
            elif word in self.scenario.groups:
                found.update(members(self.scenario, [word]))
            else:
                known = [*self.scenario.groups, *(["self"] if self.me else [])]
                lone = " (`self` stands for an actor only within each, some, actors, rank and correlation)"
                self.tell((*at, n), f'no actor "{word}"{lone if word == "self" else nearest(word, known)}')
                return []
        return sorted(found)

    def chosen(self, selector: Sequence[str] | None, at: Location) -> set[str] | None:
        """The actors of a selector, all where there is none; None and a problem for an unknown word."""
        if selector is None:
            return set(self.scenario.actors)
        return set(self.actors(selector, at)) or None

    def names(
        self, wanted: Sequence[str] | None, known: Sequence[str], what: str, at: Location, key: str | None = None
    ) -> bool:
        """Whether names are known; a problem for each that is not. key: under which they stand, `what` if None."""
        wrong = [(n, name) for n, name in enumerate(wanted or ()) if name not in known]
        for n, name in wrong:
            self.tell((*at, key or what, n), f'no {what} "{name}"{nearest(name, known)}')
        return not wrong

    def paths(self, wanted: Sequence[str], at: Location) -> list[int]:
        """The slots that paths speak of."""
        found: list[int] = []
        for n, path in enumerate(wanted):
            slots = expand(path, self.scenario, self.me)
            if not slots:
                shown = path if self.me is None else path.replace("self", self.me)
                self.tell((*at, n), f'no indicator "{shown}"{nearest(shown, self.slots)}')
                return []
            found += [self.slots[slot] for slot in slots]
        return list(dict.fromkeys(found))

    def options(self, part: ActsOf, at: Location) -> Floats | None:
        """(O,) weight of each option: 0 for what does not fit."""
        scenario, compiled = self.scenario, self.compiled
        before = len(self.faults)
        kinds = (scenario.actions, scenario.bargains, scenario.fora)  # making an offer and calling a session are acts
        channels = {name: one.channel for kind in kinds for name, one in kind.items()}
        for word, known in (("action", list(channels)), ("channel", sorted(set(channels.values())))):
            for n, name in enumerate(getattr(part, word) or ()):
                if name not in known:
                    self.tell((*at, word, n), f'no {word} "{name}"{nearest(name, known)}')
        by = None if part.by is None else set(self.actors(part.by, (*at, "by")))
        toward = None if part.toward is None else set(self.actors(part.toward, (*at, "toward")))
        strengths = dict(zip(compiled.capabilities, compiled.tables.capability.tolist(), strict=True))
        if part.weigh is not None and part.weigh not in {name for _, name in strengths}:
            known = sorted({name for _, name in strengths})
            self.tell((*at, "weigh"), f'no capability "{part.weigh}"{nearest(part.weigh, known)}')
        if len(self.faults) > before:
            return None
        weights = np.zeros(len(compiled.options))
        for o, (actor, action, target) in enumerate(compiled.options):
            cameo, plover = compiled.codes[int(compiled.tables.option_action[o])]
            fits = (
                (part.action is None or action in part.action)
                and (by is None or actor in by)
                and (toward is None or target in toward)
                and (part.channel is None or channels[action] in part.channel)
                and (part.plover is None or plover in part.plover)
                and (part.quad is None or QUAD_OF[plover].replace(" ", "_") in part.quad)
                and (part.cameo is None or any(cameo.startswith(code) for code in part.cameo))
            )
            if fits:
                weights[o] = 1.0 if part.weigh is None else strengths.get((actor, part.weigh), 0.0)
        return weights


def _range(period: metrics.Period) -> range:
    return range(period[0], period[1] + 1)


def _row(value: Value, record: Record, turns: Iterable[int]) -> Floats:
    """(R, turns) a metric turn by turn."""
    return np.stack([value.compute(record, (t, t)) for t in turns], axis=1)

"""What stood in the way of a fact: of the runs that fail it the nearest to passing, and in it one decision.

The nearest run has the fewest parts of the test that would have to turn out otherwise, and of those the smallest gap.
The decision is the one, of those that bear on such a part, that was likeliest to go the other way: an act that was not
done though the part wants more, or one that was done though it wants less. Acts that reach a rung that is asked for
come before those that are a step towards it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import metrics
from sim.apart import Move
from sim.arrays import ADD, LOWER, Compiled
from sim.decision import Decision, Option, decide, flips
from sim.metrics import Record
from sim.verdicts import BoundFact, Leaf, Tree, Value

Floats = NDArray[np.float64]

LOOKED_AT = 60  # decisions of one run
MORE = {"at_least": True, "above": True, "at_most": False, "below": False}


@dataclass(frozen=True)
class Obstacle:
    """The nearest run that fails a fact, and what stood in the way there.

    unmet: parts of the test that would have to turn; gap: how far off they are, 1 a large difference each. part: where
    the first of them stands in the file; value, bound, limit: what it came to. turn, actor, option: the decision; None
    where none bears on it. done: whether the option was taken, else `instead` was (None: nothing). chance: of the
    option being taken, as recorded or, not taken, of being drawn first. utility: its expected utility. tip: the
    smallest change of one number that turns it, by path, from and to.
    """

    fact: str
    run: int
    unmet: int
    gap: float
    part: str
    value: float
    bound: str
    limit: float
    turn: int | None = None
    actor: str | None = None
    option: Option | None = None
    done: bool = False
    instead: Option | None = None
    chance: float | None = None
    utility: float | None = None
    tip: tuple[str, float, float] | None = None


@dataclass(frozen=True)
class _Turned:
    """A part of a test that fails. more: whether its metric should be higher."""

    leaf: Leaf
    sides: Floats
    more: bool


@dataclass(frozen=True)
class _Lever:
    """A decision that bears on a part. ease: the chance that it would have gone the other way. whole: whether it does
    all that is asked, and not a step towards it."""

    decision: Decision
    option: Option
    done: bool
    chance: float
    utility: float
    ease: float
    whole: bool = True


def nearest(
    fact: BoundFact,
    sides: Floats,
    numbers: Sequence[int],
    compiled_of: Callable[[int], Compiled],
    seed: int,
    record_of: Any,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Obstacle | None:
    """The obstacle of a fact that some runs fail; None where none fails.

    sides: (R, leaves, 2) as measured in the runs of these numbers. compiled_of: gives the tables of one run, record_of
    its `Record` again.
    ranges: declared, of the numbers looked at for a tip.
    """
    judged = fact.judge(sides)
    failing = np.flatnonzero(judged.holds != fact.fact.observed)
    if not failing.size:
        return None
    if not fact.fact.observed:
        return None
    order = np.lexsort((failing, judged.gap[failing], judged.unmet[failing]))
    row = int(failing[order[0]])
    run = int(numbers[row])
    turned = list(_to_turn(fact.tree, sides[row], 0, True)[0])
    first = turned[0]
    found = Obstacle(
        fact.id, run, int(judged.unmet[row]), float(judged.gap[row]), first.leaf.at,
        float(first.sides[0]), first.leaf.bound, float(first.sides[1]),
    )  # fmt: skip
    record = record_of(run)
    search = _Search(compiled_of(run), seed, run, record, fact.whole)
    best = max(
        ((lever, part) for part in turned for lever in search.levers(part)),
        key=lambda item: (item[0].whole, item[0].ease),
        default=None,
    )
    if best is None:
        return found
    lever, part = best
    decision = lever.decision
    taken = [option.name for option in decision.taken]
    instead = None if lever.done or not taken else taken[0]
    rivals = [option.name for option in decision.passed[:5]]
    if lever.done:
        turns = flips(decision.desk, lever.option, [None, *rivals], ranges)
    else:
        turns = flips(decision.desk, instead, [lever.option], ranges)
    tip = (turns[0].path, turns[0].before, turns[0].after) if turns else None
    return Obstacle(
        fact.id, run, found.unmet, found.gap, part.leaf.at, float(part.sides[0]), part.leaf.bound, float(part.sides[1]),
        decision.turn, decision.actor, lever.option, lever.done, instead, lever.chance, lever.utility, tip,
    )  # fmt: skip


def _to_turn(tree: Tree, sides: Floats, at: int, wanted: bool) -> tuple[list[_Turned], int]:
    """The leaves that would have to turn for a test to hold (or, under not, to fail), and the next leaf's place."""
    if tree.leaf is not None:
        leaf, here = tree.leaf, sides[at]
        if bool(leaf.holds(here)) == wanted:
            return [], at + 1
        more = MORE.get(leaf.bound, bool(here[0] < here[1]))
        return [_Turned(leaf, here, more == wanted)], at + 1
    parts = []
    for part in tree.parts:
        found, at = _to_turn(part, sides, at, wanted if tree.word != "not" else not wanted)
        parts.append(found)
    every = tree.word == "not" or (tree.word == "all") == wanted
    if every:
        return [leaf for part in parts for leaf in part], at
    open_parts = parts if all(parts) else [[]]  # one of them holds already
    return min(open_parts, key=len), at


class _Search:
    """Decisions of one run that bear on a part of a test."""

    def __init__(self, compiled: Compiled, seed: int, run: int, record: Record, whole: metrics.Period) -> None:
        self.compiled, self.seed, self.run, self.record, self.whole = compiled, seed, run, record, whole
        self.known: dict[tuple[int, str], Decision] = {}

    def levers(self, part: _Turned) -> Iterator[_Lever]:
        """What could have turned a part, on either side of its bound."""
        yield from self._of(part.leaf.left, part.more, part.leaf.aims)
        if isinstance(part.leaf.right, Value):
            yield from self._of(part.leaf.right, not part.more, part.leaf.right.aims)

    def _of(self, value: Value, more: bool, aims: Sequence[tuple[int, float]]) -> Iterator[_Lever]:
        period = value.period or self.whole
        if value.options and value.kind == "number":
            yield from self._acts(value.options, period, more)
        elif value.options and value.kind == "turn":  # earlier is by an act more, later by one less
            yield from self._acts(value.options, period, not more)
        if value.slots:
            wanted = {self.compiled.paths[slot]: rung for slot, rung in aims}
            yield from self._moves(value.slots, (1, period[1]), more if value.kind != "turn" else not more, wanted)

    def _acts(self, options: Iterable[int], period: metrics.Period, more: bool) -> Iterator[_Lever]:
        """Acts that should, or should not, have been done."""
        wanted = set(options)
        done = {(int(t), int(o)) for t, o in zip(self.record.turn, self.record.option, strict=True)}
        for turn in range(period[0], period[1] + 1):
            actors = dict.fromkeys(self.compiled.options[o][0] for o in sorted(wanted))
            if not more:
                actors = dict.fromkeys(
                    self.compiled.options[o][0] for t, o in sorted(done) if t == turn and o in wanted
                )
            for actor in actors:
                decision = self._decision(turn, actor)
                if decision is None:
                    return
                names = {self.compiled.options[o][1:] for o in wanted if self.compiled.options[o][0] == actor}
                for option in decision.options:
                    if option.name in names and option.available and bool(option.order) != more:
                        yield self._lever(decision, option)

    def _moves(
        self, slots: Sequence[int], period: metrics.Period, more: bool, aims: Mapping[str, float]
    ) -> Iterator[_Lever]:
        """Acts that moved the indicator the wrong way, or would have moved it the right way. aims: rungs asked for."""
        wanted = {self.compiled.paths[s] for s in slots}
        actors = sorted({self.compiled.options[o][0] for o in self._touching(slots)})
        for turn in range(period[1], period[0] - 1, -1):
            for actor in actors:
                decision = self._decision(turn, actor)
                if decision is None:
                    return
                for option in decision.options:
                    moves = [move for move in option.moves if move.path in wanted and move.change != 0.0]
                    moved = sum(move.change for move in moves)
                    if option.available and moved != 0.0 and (moved > 0) == (more != bool(option.order)):
                        whole = bool(option.order) or all(self._reaches(turn, move, aims, more) for move in moves)
                        yield replace(self._lever(decision, option), whole=whole)

    def _reaches(self, turn: int, move: Move, aims: Mapping[str, float], more: bool) -> bool:
        """Whether a move brings an indicator to the rung that is asked of it, if one is."""
        if move.path not in aims:
            return True
        after = float(self.record.states[0, turn - 1, self.compiled.paths.index(move.path)]) + move.change
        return after >= aims[move.path] if more else after <= aims[move.path]

    def _touching(self, slots: Sequence[int]) -> Iterator[int]:
        """Options with an effect on one of these slots."""
        tables, wanted = self.compiled.tables, set(slots)
        for o in range(len(self.compiled.options)):
            a, at = int(tables.option_action[o]), int(tables.option_at[o])
            for e in range(int(tables.effect_start[a]), int(tables.effect_start[a + 1])):
                if ADD <= tables.effect_kind[e] <= LOWER and int(tables.reference[at + tables.effect_at[e]]) in wanted:
                    yield o
                    break

    def _lever(self, decision: Decision, option: Any) -> _Lever:
        done = option.order is not None
        chance = float(option.probability if done else option.first)
        return _Lever(decision, option.name, done, chance, float(option.utility), 1.0 - chance if done else chance)

    def _decision(self, turn: int, actor: str) -> Decision | None:
        """A decision of the run; None where enough were looked at."""
        key = (turn, actor)
        if key not in self.known:
            if len(self.known) >= LOOKED_AT:
                return None
            self.known[key] = decide(self.compiled, self.seed, self.run, turn, actor)
        return self.known[key]

"""What an act is worth to somebody, as a sum: each interest's part in an expected utility (odd.md 7.4 and 7.10).

Told from the tables and the state of one run at the start of a turn, by the functions of `rules`; foresight is the
kernel's. What offers and sessions add up from such sums stands in `dealing`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sim import rules, worth
from sim.arrays import ADD, ALWAYS, BROKEN, RAISE, TO, Compiled, State, Tables


@dataclass(frozen=True)
class Deed:
    """An act of somebody; of an output of a forum, the forum and the output."""

    actor: str
    action: str
    target: str | None


@dataclass(frozen=True)
class Move:
    """What an option is expected to do to one indicator by itself, before anything follows from it.

    after: turns until it arrives. counts: how far it counts by the promise it hangs on (1 without one).
    """

    path: str
    change: float
    after: int
    counts: float
    attempt: bool


@dataclass(frozen=True)
class Reliance:
    """A promise that an option's effects hang on. counts: how far they do. adds: what the expected utility has by it:
    as it is, less what it would be if nothing were promised."""

    giver: str
    kind: str
    on: str  # kept or broken
    promised: float
    credibility: float
    counts: float
    adds: float


@dataclass(frozen=True)
class Contribution:
    """What one interest adds to the expected utility of an option.

    value: at the start of the turn; as expected of others, for an actor of some depth. change: expected, on the average
    of the turns to come (odd.md 7.3), kept to the range. gain: in the owner's own utility. weight: 1 for the actor
    itself, stake x regard for others. counts: what it is multiplied by: the chance of success (1 for the attempt) and,
    for what stands behind an offer or a session, how far that is expected. utility: weight x gain x counts.
    trust: the part of the utility that promises add: as it is, less what it would be if none were given.
    through: `itself`; of an offer `gives`, `gets`, or `gives instead`, `gets instead` by a counter-offer; of a
    convening `moves`, `output` or `act`; `answer`: what its word would make the receiver do. deed: the act through
    which, where it is not the option itself.
    """

    owner: str
    interest: str
    path: str
    value: float
    change: float
    gain: float
    weight: float
    attempt: bool
    counts: float
    utility: float
    through: str = "itself"
    deed: Deed | None = None
    trust: float = 0.0


@dataclass(frozen=True)
class Eyes:
    """Whose sums they are: tables and state with the actor x, whom it minds, and its foresight at hand."""

    tables: Tables
    state: State
    compiled: Compiled
    x: int
    weights: Mapping[int, float]  # own 1, stake x regard of others

    @property
    def name(self) -> str:
        return self.compiled.actors[self.x]


def eyes(tables: Tables, state: State, compiled: Compiled, x: int) -> Eyes:
    """The eyes of actor x, for the state as it stands; until somebody else's are asked for."""
    worth.ready(tables, state, x)  # the foresight W that the state holds becomes that of x
    weights = {x: 1.0}
    for p in range(tables.mind_start[x], tables.mind_start[x + 1]):
        weights[int(tables.mind_actor[p])] = float(tables.stake[p] * state.x[tables.mind_slot[p], 0])
    return Eyes(tables, state, compiled, x, weights)


def deed(compiled: Compiled, o: int) -> Deed:
    """The name of an option, or of an output of a forum."""
    if o < len(compiled.options):
        return Deed(*compiled.options[o])
    return Deed(*compiled.outputs[o - len(compiled.options)], None)


# ------------------------------------------------------------------------------------------------ an option's numbers


def references(T: Tables, o: int, offset: int, count: int) -> np.ndarray:
    """Some of the state slots, beliefs and factors that an option refers to."""
    at = int(T.option_at[o]) + offset
    return T.reference[at : at + count]


def product(S: State, codes: Iterable[int]) -> float:
    """Product of factors as read at the start of the turn."""
    result = 1.0
    for code in codes:
        result *= rules.factor(S.source[code >> 1, 0], (code & 1) == 1)
    return result


def cost(T: Tables, S: State, o: int) -> float:
    """Of an option to its actor; an output of a forum costs nothing."""
    a, doer = int(T.option_action[o]), int(T.option_actor[o])
    if doer < 0:
        return 0.0
    return float(T.cost[a, doer] * product(S, references(T, o, int(T.cost_at[a]), int(T.cost_factors[a]))))


def chance(T: Tables, S: State, o: int) -> float:
    """Of success of an option; an output of a forum is sure."""
    a, doer = int(T.option_action[o]), int(T.option_actor[o])
    whole = T.chance[a, doer] if doer >= 0 else 1.0
    factors = references(T, o, int(T.chance_at[a]), int(T.chance_factors[a]))
    return float(rules.clamp(whole * product(S, factors), 0.0, 1.0))


def ideal(T: Tables, S: State, h: int) -> float:
    """Of an interest, as it stands."""
    return float(S.x[T.ideal_slot[h], 0] if T.ideal_slot[h] >= 0 else T.ideal[h])


def gain(T: Tables, S: State, o: int, h: int, after: float) -> float:
    """What owner o gains in its interest h when the indicator goes from what it is to `after`."""
    s = T.interest_slot[h]
    width = T.high[s] - T.low[s]
    return float(rules.gain(T.salience[h], ideal(T, S, h), S.x[s, 0], after, width, T.risk[o]))


Hold = tuple[int, bool]  # a belief, and whether it is on the promise's being broken that something hangs


def change(T: Tables, S: State, x: int, o: int, e: int, doubted: Container[Hold] = ()) -> tuple[float, float]:
    """What effect e of option o is expected to change, in the eyes of x, and how far it counts. doubted: promises that
    count as not given."""
    s, belief = (int(code) for code in references(T, o, int(T.effect_at[e]), 2))
    value = T.effect_value[e] * product(S, references(T, o, int(T.effect_at[e]) + 2, int(T.effect_factors[e])))
    now, low, high, kind = S.x[s, 0], T.low[s], T.high[s], T.effect_kind[e]
    counts = 1.0
    if T.effect_when[e] != ALWAYS and belief >= 0:
        promised, credible = S.x[T.promised[belief], 0], S.x[T.credibility[belief], 0]
        on_broken = bool(T.effect_when[e] == BROKEN)
        promised = 0.0 if (belief, on_broken) in doubted else promised
        counts = rules.reliance(promised, credible, on_broken)
    if kind == ADD:
        found = rules.step(now, value * counts, low, high)
    elif kind == TO:
        found = rules.levelling(now, value, counts, low, high)
    else:
        found = rules.lift(now, value) if kind == RAISE else rules.drop(now, value)
    if T.effect_after[e] > 0:
        found *= rules.delayed(T.foresight[x], int(T.effect_after[e]))
    return float(found), float(counts)


def _reliance(T: Tables, S: State, compiled: Compiled, hold: Hold, adds: float) -> Reliance:
    belief, on_broken = hold
    _, giver, kind = compiled.beliefs[belief]
    promised, credible = float(S.x[T.promised[belief], 0]), float(S.x[T.credibility[belief], 0])
    counts = float(rules.reliance(promised, credible, on_broken))
    return Reliance(giver, kind, "broken" if on_broken else "kept", promised, credible, counts, adds)


# ------------------------------------------------------------------------------------------------ sums


def act(
    by: Eyes, o: int, counts: float = 1.0, through: str = "itself", named: bool = True
) -> tuple[list[Contribution], list[Reliance], list[Move]]:
    """V of option o in somebody's eyes (odd.md 7.10) times `counts`, by interest; the promises that it hangs on; what
    it does by itself. named: whether the contributions tell the act."""
    T, S, compiled = by.tables, by.state, by.compiled
    odds, of = chance(T, S, o), deed(compiled, o) if named else None
    holds: dict[Hold, None] = {}
    moves = []
    for attempt in (False, True):
        for e, s, belief in _effects(by, o, attempt):
            expected, counted = change(T, S, by.x, o, e)
            moves.append(Move(compiled.paths[s], expected, int(T.effect_after[e]), counted, attempt))
            if T.effect_when[e] != ALWAYS and belief >= 0:
                holds[belief, bool(T.effect_when[e] == BROKEN)] = None

    def summed(doubted: Container[Hold] = ()) -> list[Contribution]:
        found = []
        for attempt in (False, True):
            changes = [(s, change(T, S, by.x, o, e, doubted)[0]) for e, s, _ in _effects(by, o, attempt)]
            found += changed(by, changes, counts if attempt else counts * odds, attempt, through, of)
        return found

    contributions = summed()
    reliances = [_reliance(T, S, compiled, hold, total(contributions) - total(summed({hold}))) for hold in holds]
    if holds:
        contributions = _trusting(contributions, summed(holds))
    return ordered(contributions, by.name), reliances, moves


def _effects(by: Eyes, o: int, attempt: bool) -> Iterator[tuple[int, int, int]]:
    """The effects of an option that move something: effect, slot and belief (-1: none)."""
    T = by.tables
    a = int(T.option_action[o])
    for e in range(T.effect_start[a], T.effect_start[a + 1]):
        s, belief = (int(code) for code in references(T, o, int(T.effect_at[e]), 2))
        if s >= 0 and bool(T.effect_attempt[e]) == attempt:
            yield e, s, belief


def _trusting(parts: Iterable[Contribution], bare: Iterable[Contribution]) -> list[Contribution]:
    """Contributions with what promises add to each. bare: the same without those promises."""

    def key(part: Contribution) -> tuple[str, str, bool]:
        return part.owner, part.interest, part.attempt

    without = {key(part): part for part in bare}
    found = []
    for part in parts:
        plain = without.pop(key(part), None)
        found.append(replace(part, trust=part.utility - (plain.utility if plain else 0.0)))
    left = without.values()  # what would follow without the promise, and does not with it
    return found + [replace(part, change=0.0, gain=0.0, utility=0.0, trust=-part.utility) for part in left]


def ordered(contributions: list[Contribution], actor: str) -> list[Contribution]:
    """An actor's own first, the greatest first."""
    return sorted(contributions, key=lambda part: (part.owner != actor, -abs(part.utility)))


def changed(
    by: Eyes,
    changes: Iterable[tuple[int, float]],
    counts: float,
    attempt: bool = False,
    through: str = "itself",
    of: Deed | None = None,
) -> list[Contribution]:
    """What changes of slots come to in somebody's eyes, by interest (the latter part of odd.md 7.4)."""
    T, S, compiled = by.tables, by.state, by.compiled
    found = []
    for k, moved in reached(by, changes).items():
        s = int(T.rank_slot[k])
        now = float(S.x[s, 0])
        d = float(rules.step(now, moved, T.low[s], T.high[s]))
        for p in range(T.holder_start[k], T.holder_start[k + 1]):
            h, owner = int(T.holder_interest[p]), int(T.holder_owner[p])
            if owner not in by.weights or d == 0.0:
                continue
            gained, weight = gain(T, S, owner, h, now + d), by.weights[owner]
            found.append(
                Contribution(
                    *compiled.interests[h], compiled.paths[s], now, d, gained, weight, attempt, counts,
                    weight * gained * counts, through, of,
                )
            )  # fmt: skip
    return found


def reached(by: Eyes, changes: Iterable[tuple[int, float]]) -> dict[int, float]:
    """What changes of slots come to, through the couplings, in each slot that matters to somebody (by k)."""
    T, S = by.tables, by.state
    moved: dict[int, float] = {}
    for s, size in changes:
        for p in range(T.reach_start[s], T.reach_start[s + 1]):
            k = int(T.reach_rank[p])
            if T.cares[by.x, k]:
                moved[k] = moved.get(k, 0.0) + float(S.foreseen[T.reach_pair[p], 0]) * size
    return moved


def total(contributions: Iterable[Contribution]) -> float:
    """The sum of parts."""
    return float(sum(part.utility for part in contributions))

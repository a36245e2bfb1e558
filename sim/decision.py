"""One actor's decision in one turn, taken apart: what it saw, weighed and did, and which single numbers would tip it.

The run is done again from its seed up to that turn by the kernel. There every option's expected utility is taken apart
by the functions of `rules`, and the numbers of the scenario are moved one at a time with the state of the turn held
fixed. Knows tables and names, no folder and no text: `explain` puts the card together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim import kernel, rules
from sim.arrays import ADD, ALWAYS, BROKEN, FROZEN, LOWER, POLICIES, RAISE, TO, Compiled, State, Tables
from sim.errors import BadInput
from sim.scenario import nearest

FOUND = 3  # flips told, smallest first
CARRIERS = 6  # numbers that carry an option, told
STEPS = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)  # of a number's span: where a flip is looked for
NUDGE = 1e-4  # of a number's value, for what it carries at the margin
DUST = 0.01  # of the greatest: what carries less is not told
PARTS = {"salience", "stake", "cost", "chance", "effect_value", "coupling_add", "capability"}  # EU is a sum of these
Option = tuple[str, str | None]  # action and target


# ------------------------------------------------------------------------------------------------ what a decision is


@dataclass(frozen=True)
class Want:
    """An interest of the actor as it stood. unmet: utility that is lost by its not being met."""

    interest: str
    path: str
    value: float
    ideal: float
    salience: float
    unmet: float


@dataclass(frozen=True)
class Minded:
    """Another whose gains and losses count, by stake x regard."""

    actor: str
    stake: float
    regard: float
    weight: float


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
    """A promise that an option's effects hang on. counts: how far they do."""

    giver: str
    kind: str
    on: str  # kept or broken
    promised: float
    credibility: float
    counts: float


@dataclass(frozen=True)
class Contribution:
    """What one interest adds to the expected utility of an option.

    change: expected, on the average of the turns to come (odd.md 7.3), kept to the range. gain: in the owner's own
    utility. weight: 1 for the actor itself, stake x regard for others. utility: weight x gain, by the chance of success
    unless it is of the attempt.
    """

    owner: str
    interest: str
    path: str
    value: float  # at the start of the turn
    change: float
    gain: float
    weight: float
    attempt: bool
    utility: float


@dataclass(frozen=True)
class Missing:
    """A condition that did not hold; without path and value where the pair has no such indicator."""

    path: str | None
    bound: str  # at_least or at_most
    wanted: float
    value: float | None


@dataclass(frozen=True)
class Considered:
    """One option in one turn. The contributions less the cost are the expected utility.

    chance, utility, prior, first: of success; expected; before any reasons; of being drawn first (all 0 where it was
    not available). order: when it was taken, from 1. probability: of being drawn then, as recorded. fate: what became
    of it.
    """

    action: str
    target: str | None
    available: bool
    missing: list[Missing]
    chance: float
    cost: float
    utility: float
    prior: float
    first: float
    order: int | None
    probability: float | None
    succeeded: bool | None
    fate: str
    contributions: list[Contribution]
    reliances: list[Reliance]
    moves: list[Move]

    @property
    def name(self) -> Option:
        return self.action, self.target


@dataclass(frozen=True)
class Decision:
    """What an actor saw, weighed and did in one turn of one run."""

    actor: str
    run: int
    turn: int
    policy: str
    rationality: float
    foresight: float
    risk: float
    attention: float
    wants: list[Want]
    minds: list[Minded]
    hold_prior: float
    hold_first: float
    options: list[Considered]  # the available ones first, by chance of being drawn first
    events: list[Option]  # acts of dated events, which the actor did not choose
    desk: Desk = field(repr=False, compare=False)
    acts: list[tuple[int, int, float]] = field(repr=False, compare=False)  # turn, option, probability, up to this turn

    @property
    def taken(self) -> list[Considered]:
        """The acts, in the order in which they were drawn."""
        return sorted((option for option in self.options if option.order), key=lambda option: option.order or 0)

    @property
    def passed(self) -> list[Considered]:
        """What was available and not taken, likeliest first."""
        return [option for option in self.options if option.available and not option.order]

    def option(self, action: str, target: str | None) -> Considered:
        """The option of that name; KeyError where there is none."""
        return {option.name: option for option in self.options}[action, target]


@dataclass(frozen=True)
class Flip:
    """A change of one number after which an option not taken is likelier to be drawn first than what was done.

    relative: the change as a share of the span from low to high that was searched; within: which span that is. then:
    the option that is likelier then; None is holding.
    """

    path: str
    before: float
    after: float
    relative: float
    low: float
    high: float
    within: str
    then: Option | None


@dataclass(frozen=True)
class Carrier:
    """A number and what it carries: what an expected utility would lose without it, by its slope here."""

    path: str
    value: float
    carries: float


# ------------------------------------------------------------------------------------------------ the turn again


class Desk:
    """One actor's appraisal, with tables of its own in which numbers can be changed; the state stays that of the turn.

    Rows are the actor's options in the order of the tables; the row after the last is holding.
    """

    def __init__(self, compiled: Compiled, state: State, actor: int, seed: int, turn: int) -> None:
        self.compiled = compiled
        self.tables: Tables = _copy(compiled.tables)
        self.state = state
        self.actor, self.turn, self.seed = actor, turn, np.uint64(seed)
        T = self.tables
        self.first = int(T.option_start[actor])
        self.size = int(T.option_start[actor + 1]) - self.first
        self.appraise()

    def appraise(self) -> None:
        """Appraisal and logits with the tables as they are now."""
        self.state.taken[:] = 0
        kernel.appraise(self.tables, self.state, self.actor)
        kernel.choose(self.tables, self.state, self.actor, self.seed, self.turn, False)

    @property
    def available(self) -> np.ndarray:
        return self.state.available[: self.size, 0]

    @property
    def utilities(self) -> np.ndarray:
        """(options,) expected utility; NaN where not available."""
        return np.where(self.available, self.state.utility[: self.size, 0], np.nan)

    @property
    def logits(self) -> np.ndarray:
        """(options + 1,) log prior + lambda x EU; -inf where not available."""
        own = np.where(self.available, self.state.logit[: self.size, 0], -np.inf)
        return np.append(own, self.state.hold_score[0, 0])

    @contextmanager
    def changed(self, path: str, value: float) -> Iterator[None]:
        """Within it, one number of the scenario has another value."""
        cells = [(getattr(self.tables, name), name, index) for name, index in self.compiled.owners[path]]
        before = [array[index] for array, _, index in cells]
        names = {name for _, name, _ in cells}
        try:
            for array, _, index in cells:
                array[index] = value
            self._renew(names)
            yield
        finally:
            for (array, _, index), old in zip(cells, before, strict=True):
                array[index] = old
            self._renew(names)

    def _renew(self, names: set[str]) -> None:
        """Bring what the start of the turn derived from these columns up to date."""
        T, S = self.tables, self.state
        if "capability" in names:
            S.source[T.low.size :, 0] = T.capability
        if names & {"capability", "coupling_add"}:
            for c in range(T.coupling_add.size):
                first, last = int(T.coupling_factor_start[c]), int(T.coupling_factor_start[c + 1])
                S.coefficient[c, 0] = T.coupling_add[c] * _times(S, T.coupling_factor[first:last])
        if names & {"capability", "coupling_add", "pull"}:
            S.foreseen_for[0] = np.nan  # forget what was foreseen

    def row(self, option: Option | None) -> int:
        """The row of an option; None is holding."""
        if option is None:
            return self.size
        return self.compiled.options.index((self.compiled.actors[self.actor], *option)) - self.first

    def named(self, row: int) -> Option | None:
        """The option of a row; None is holding."""
        return None if row == self.size else self.compiled.options[self.first + row][1:]


def _copy(block: Any) -> Any:
    """A block with arrays of its own."""
    names = type(block).__annotations__
    return block.replaced(**{name: getattr(block, name).copy() for name in names if name != "address"})


def _times(S: State, codes: Iterable[int]) -> float:
    """Product of factors as read at the start of the turn."""
    product = 1.0
    for code in codes:
        product *= rules.factor(S.source[code >> 1, 0], (code & 1) == 1)
    return product


def decide(compiled: Compiled, seed: int, run: int, turn: int, actor: str, policy: str | None = None) -> Decision:
    """What an actor weighed and did in a turn, from 1, of the run that seed and number make.

    policy: instead of the scenario's own. Raises BadInput for an actor or a turn that there is not.
    """
    if actor not in compiled.actors:
        raise BadInput(f'no actor "{actor}"{nearest(actor, compiled.actors, "the actors are")}')
    if turn < 1:
        raise BadInput(f"no turn {turn}; the first is 1")
    ready = compiled.with_policy(policy)
    T, key = ready.tables, np.uint64(seed)
    i = ready.actors.index(actor)
    S = kernel.new_state(ready, [run])
    kernel.begin(T, S)
    acts = []
    for now in range(1, turn + 1):
        kernel.open_turn(T, S, key, now)
        if now == turn:
            desk = Desk(ready, _copy(S), i, seed, turn)
        for other in range(len(ready.actors)):
            if T.policy[other] != FROZEN:
                kernel.appraise(T, S, other)
                kernel.choose(T, S, other, key, now, True)
        kernel.close_turn(T, S, key, now)
        acts += [(now, int(S.act[0, n]), float(S.act_probability[0, n])) for n in range(int(S.taken[0]))]
    return _decision(desk, S, run, acts)


def _decision(desk: Desk, after: State, run: int, acts: list[tuple[int, int, float]]) -> Decision:
    """after: the state at the end of the turn, for what was taken and what came of it."""
    T, S, compiled, i = desk.tables, desk.state, desk.compiled, desk.actor
    minds = _minds(T, S, compiled, i)
    weights = {i: 1.0} | {compiled.actors.index(mind.actor): mind.weight for mind in minds}
    frozen = T.policy[i] == FROZEN
    shares = _softmax(desk.logits)
    priors = _priors(desk)
    mine = [n for n in range(int(after.taken[0])) if T.option_actor[after.act[0, n]] == i]
    forced = [int(o) for o, turn in zip(T.forced_option, T.forced_turn, strict=True) if turn == desk.turn]
    events = [o for o in forced if T.option_actor[o] == i]
    chosen = {int(after.act[0, n]): (order, n) for order, n in enumerate(mine[: len(mine) - len(events)], 1)}
    fates = _fates(desk, list(chosen))
    options = []
    for row in range(desk.size):
        o = desk.first + row
        available = bool(desk.available[row])
        contributions, reliances, moves = _apart(T, S, compiled, i, o, weights) if available else ([], [], [])
        order, n = chosen.get(o, (None, None))
        a = int(T.option_action[o])
        cost = T.cost[a, i] * _times(S, _references(T, o, int(T.cost_at[a]), int(T.cost_factors[a])))
        options.append(
            Considered(
                *compiled.options[o][1:],
                available=available,
                missing=[] if available else _missing(T, S, compiled, o),
                chance=float(S.odds[row, 0]) if available else 0.0,
                cost=float(cost),
                utility=float(S.utility[row, 0]) if available else 0.0,
                prior=float(priors[row]),
                first=0.0 if frozen else float(shares[row]),
                order=order,
                probability=None if n is None else float(after.act_probability[0, n]),
                succeeded=None if n is None else bool(after.act_done[0, n]),
                fate=fates[row],
                contributions=contributions,
                reliances=reliances,
                moves=moves,
            )
        )
    options.sort(key=lambda option: (not option.available, -option.first, -option.utility))
    return Decision(
        actor=compiled.actors[i],
        run=run,
        turn=desk.turn,
        policy=next(name for name, code in POLICIES.items() if code == T.policy[i]),
        rationality=float(T.rationality[i]),
        foresight=float(T.foresight[i]),
        risk=float(T.risk[i]),
        attention=float(S.x[T.attention[i], 0]) if T.attention[i] >= 0 else 1.0,
        wants=_wants(T, S, compiled, i),
        minds=minds,
        hold_prior=float(priors[-1]),
        hold_first=1.0 if frozen else float(shares[-1]),
        options=options,
        events=[compiled.options[o][1:] for o in events],
        desk=desk,
        acts=acts,
    )


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Probability of each row of being drawn first."""
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def _priors(desk: Desk) -> np.ndarray:
    """(options + 1,) prior of each, which is how the kernel draws where lambda is 0."""
    random = Desk(desk.compiled.with_policy("random"), _copy(desk.state), desk.actor, int(desk.seed), desk.turn)
    return np.exp(random.logits)


def _fates(desk: Desk, taken: list[int]) -> list[str]:
    """What became of each option of the actor. taken: options, in order.

    The draw put `channel taken`, `attention short` and `attention gone` before holding as well: they were passed over
    for an act of the same channel and target, or for want of attention.
    """
    T, S = desk.tables, desk.state
    left = float(S.x[T.attention[desk.actor], 0]) if T.attention[desk.actor] >= 0 else 1.0
    spent = {}
    for o in taken:
        left = max(left - float(T.effort[T.option_action[o]]), 0.0)
        spent[o] = left
    fates = []
    for row in range(desk.size):
        o, score = desk.first + row, S.score[row, 0]
        seat = (T.channel[T.option_action[o]], T.option_target[o])
        ahead = [p for p in taken if S.score[p - desk.first, 0] > score]
        if not desk.available[row]:
            fates.append("not available")
        elif o in taken:
            fates.append("taken")
        elif T.policy[desk.actor] == FROZEN or score <= S.hold_score[1, 0]:
            fates.append("not drawn")
        elif any(spent[p] <= 0.0 for p in ahead):
            fates.append("attention gone")
        elif any(seat == (T.channel[T.option_action[p]], T.option_target[p]) for p in ahead):
            fates.append("channel taken")
        else:
            fates.append("attention short")
    return fates


# ------------------------------------------------------------------------------------------------ taking EU apart


def _references(T: Tables, o: int, offset: int, count: int) -> np.ndarray:
    at = int(T.option_at[o]) + offset
    return T.reference[at : at + count]


def _minds(T: Tables, S: State, compiled: Compiled, i: int) -> list[Minded]:
    found = []
    for p in range(T.mind_start[i], T.mind_start[i + 1]):
        stake, regard = float(T.stake[p]), float(S.x[T.mind_slot[p], 0])
        found.append(Minded(compiled.actors[T.mind_actor[p]], stake, regard, stake * regard))
    return found


def _ideal(T: Tables, S: State, h: int) -> float:
    return float(S.x[T.ideal_slot[h], 0] if T.ideal_slot[h] >= 0 else T.ideal[h])


def _gain(T: Tables, S: State, o: int, h: int, after: float) -> float:
    """What owner o gains in its interest h when the indicator goes from what it is to `after`."""
    s = T.interest_slot[h]
    width = T.high[s] - T.low[s]
    return float(rules.gain(T.salience[h], _ideal(T, S, h), S.x[s, 0], after, width, T.risk[o]))


def _wants(T: Tables, S: State, compiled: Compiled, i: int) -> list[Want]:
    found = []
    for h in range(T.interest_start[i], T.interest_start[i + 1]):
        s, ideal = int(T.interest_slot[h]), _ideal(T, S, h)
        unmet = _gain(T, S, i, h, ideal)
        found.append(
            Want(compiled.interests[h][1], compiled.paths[s], float(S.x[s, 0]), ideal, float(T.salience[h]), unmet)
        )
    return sorted(found, key=lambda want: -want.unmet)


def _missing(T: Tables, S: State, compiled: Compiled, o: int) -> list[Missing]:
    a = int(T.option_action[o])
    first, last = int(T.need_start[a]), int(T.need_start[a + 1])
    found = []
    for n, s in zip(range(first, last), _references(T, o, 0, last - first), strict=True):
        wanted, least = float(T.need_value[n]), bool(T.need_least[n])
        bound, value = "at_least" if least else "at_most", float(S.x[s, 0])
        if s < 0:
            found.append(Missing(None, bound, wanted, None))
        elif not (value >= wanted if least else value <= wanted):
            found.append(Missing(compiled.paths[s], bound, wanted, value))
    return found


def _apart(
    T: Tables, S: State, compiled: Compiled, i: int, o: int, weights: Mapping[int, float]
) -> tuple[list[Contribution], list[Reliance], list[Move]]:
    """Option o's expected utility for i, by interest; the promises it hangs on; what it does by itself."""
    a = int(T.option_action[o])
    row = o - int(T.option_start[i])
    contributions, reliances, moves = [], {}, []
    for attempt in (False, True):
        moved: dict[int, float] = {}  # by interest slot k
        for e in range(T.effect_start[a], T.effect_start[a + 1]):
            s, belief = (int(code) for code in _references(T, o, int(T.effect_at[e]), 2))
            if s < 0 or bool(T.effect_attempt[e]) != attempt:
                continue
            change, counts = _change(T, S, i, o, e, s, belief)
            moves.append(Move(compiled.paths[s], change, int(T.effect_after[e]), counts, attempt))
            if T.effect_when[e] != ALWAYS and belief >= 0:
                reliance = _reliance(T, S, compiled, belief, T.effect_when[e] == BROKEN)
                reliances[reliance.giver, reliance.kind, reliance.on] = reliance
            for p in range(T.reach_start[s], T.reach_start[s + 1]):
                k = int(T.reach_rank[p])
                if T.cares[i, k]:
                    moved[k] = moved.get(k, 0.0) + float(S.foreseen[T.reach_pair[p], 0]) * change
        for k, sum_ in moved.items():
            s = int(T.rank_slot[k])
            x = float(S.x[s, 0])
            change = float(rules.step(x, sum_, T.low[s], T.high[s]))
            for p in range(T.holder_start[k], T.holder_start[k + 1]):
                h, owner = int(T.holder_interest[p]), int(T.holder_owner[p])
                if owner not in weights or change == 0.0:
                    continue
                gain = _gain(T, S, owner, h, x + change)
                counted = weights[owner] * gain * (1.0 if attempt else float(S.odds[row, 0]))
                contributions.append(
                    Contribution(
                        *compiled.interests[h], compiled.paths[s], x, change, gain, weights[owner], attempt, counted
                    )
                )
    contributions.sort(key=lambda part: (part.owner != compiled.actors[i], -abs(part.utility)))
    return contributions, list(reliances.values()), moves


def _change(T: Tables, S: State, i: int, o: int, e: int, s: int, belief: int) -> tuple[float, float]:
    """What effect e of option o is expected to change in slot s, and how far it counts."""
    value = T.effect_value[e] * _times(S, _references(T, o, int(T.effect_at[e]) + 2, int(T.effect_factors[e])))
    x, low, high, kind = S.x[s, 0], T.low[s], T.high[s], T.effect_kind[e]
    counts = 1.0
    if T.effect_when[e] != ALWAYS and belief >= 0:
        promised, credible = S.x[T.promised[belief], 0], S.x[T.credibility[belief], 0]
        counts = rules.reliance(promised, credible, T.effect_when[e] == BROKEN)
    if kind == ADD:
        change = rules.step(x, value * counts, low, high)
        if T.effect_after[e] > 0:
            change *= rules.delayed(T.foresight[i], int(T.effect_after[e]))
    elif kind == TO:
        change = rules.levelling(x, value, counts, low, high)
    else:
        change = rules.lift(x, value) if kind == RAISE else rules.drop(x, value)
    return float(change), float(counts)


def _reliance(T: Tables, S: State, compiled: Compiled, belief: int, on_broken: bool) -> Reliance:
    _, giver, kind = compiled.beliefs[belief]
    promised, credible = float(S.x[T.promised[belief], 0]), float(S.x[T.credibility[belief], 0])
    counts = float(rules.reliance(promised, credible, on_broken))
    return Reliance(giver, kind, "broken" if on_broken else "kept", promised, credible, counts)


# ------------------------------------------------------------------------------------------------ single numbers


@dataclass(frozen=True)
class _Span:
    """Where a number is looked at: from low to high, by whole rungs on a ladder."""

    low: float
    high: float
    within: str
    rungs: bool = False


def _entering(desk: Desk) -> list[str]:
    """The numbers of the scenario that can enter this decision while the state stands: their paths, sorted."""
    T, i = desk.tables, desk.actor
    minded = {i, *(int(T.mind_actor[p]) for p in range(T.mind_start[i], T.mind_start[i + 1]))}
    owned = {h for o in minded for h in range(T.interest_start[o], T.interest_start[o + 1])}
    menu = {int(T.option_action[desk.first + row]) for row in range(desk.size) if desk.available[row]}
    effects = {e for a in menu for e in range(T.effect_start[a], T.effect_start[a + 1])}
    stakes = range(T.mind_start[i], T.mind_start[i + 1])
    enters: dict[str, Callable[[tuple[int, ...]], bool]] = {
        "salience": lambda at: at[0] in owned,
        "ideal": lambda at: at[0] in owned and T.ideal_slot[at[0]] < 0,
        "risk": lambda at: at[0] in minded,
        "rationality": lambda at: at[0] == i,
        "foresight": lambda at: at[0] == i,
        "stake": lambda at: at[0] in stakes,
        "chance": lambda at: at[0] in menu and at[1] == i,
        "cost": lambda at: at[0] in menu and at[1] == i,
        "habit": lambda at: at[0] in menu,
        "effect_value": lambda at: at[0] in effects,
        **dict.fromkeys(("hold", "capability", "coupling_add", "pull"), lambda at: True),
    }
    return sorted(
        path
        for path, cells in desk.compiled.owners.items()
        if any(column in enters and enters[column](at) for column, at in cells)
    )


def _value(desk: Desk, path: str) -> float:
    """A number as it is."""
    name, at = desk.compiled.owners[path][0]
    return float(getattr(desk.tables, name)[at])


def _span(desk: Desk, path: str, declared: tuple[float, float] | None) -> _Span:
    """The range a number declares; else what it can be; else from nothing to twice its value."""
    T, value = desk.tables, _value(desk, path)
    column, at = desk.compiled.owners[path][0]
    slot, rungs = None, False
    if column == "ideal":
        slot = int(T.interest_slot[at[0]])
    elif column == "effect_value" and T.effect_kind[at[0]] != ADD:
        slot = _slot_of_effect(desk, at[0])
        rungs = T.effect_kind[at[0]] in (RAISE, LOWER)
    if declared is not None:
        return _Span(min(declared[0], value), max(declared[1], value), "its declared range", rungs)
    if slot is not None:
        return _Span(float(T.low[slot]), float(T.high[slot]), "the indicator's range", rungs)
    if column in ("salience", "stake", "capability", "chance", "pull"):
        return _Span(0.0, 1.0, "what it can be")
    if column in ("risk", "habit"):  # greater than nothing
        return _Span(value / 100.0, 2.0 * value, "a hundredth to twice its value")
    if column in ("hold", "foresight"):  # whose ends themselves are not allowed
        return _Span(0.001, 0.999, "what it can be")
    return _Span(min(0.0, 2.0 * value), max(0.0, 2.0 * value), "nothing to twice its value")


def _slot_of_effect(desk: Desk, e: int) -> int | None:
    """A slot that effect e moves for some option of the actor."""
    T = desk.tables
    for o in range(desk.first, desk.first + desk.size):
        a = T.option_action[o]
        if T.effect_start[a] <= e < T.effect_start[a + 1]:
            s = int(_references(T, o, int(T.effect_at[e]), 1)[0])
            if s >= 0:
                return s
    return None


def flips(
    desk: Desk,
    done: Option | None,
    rivals: Sequence[Option | None],
    ranges: Mapping[str, tuple[float, float]] | None = None,
    known: Iterable[str] | None = None,
) -> list[Flip]:
    """The smallest changes of one number that make one of the rivals likelier than what was done, smallest first.

    done, rivals: options; None is holding. ranges: declared, by the number's path. known: paths to look at (all that
    enter the decision if left out). At most `FOUND`; none where no number does it within its span, or where a rival is
    likelier as it is.
    """
    base, rows = desk.row(done), [desk.row(rival) for rival in rivals]

    def lead() -> tuple[float, int]:
        """By how much the likeliest rival leads, and which it is."""
        desk.appraise()
        logits = desk.logits
        best = max(rows, key=lambda row: logits[row])
        return float(logits[best] - logits[base]), best

    if not rows or lead()[0] > 0.0:
        return []
    found: list[Flip] = []
    allowed = None if known is None else set(known)
    for path in _entering(desk):
        if allowed is not None and path not in allowed:
            continue
        limit = found[FOUND - 1].relative if len(found) >= FOUND else 1.0
        flip = _flip(desk, path, _span(desk, path, (ranges or {}).get(path)), limit, lead)
        if flip is not None:
            found = sorted([*found, flip], key=lambda one: one.relative)
    desk.appraise()
    return found[:FOUND]


def _flip(desk: Desk, path: str, span: _Span, limit: float, lead: Callable[[], tuple[float, int]]) -> Flip | None:
    """The smallest change of one number, no greater than `limit` of its span, that gives a rival the lead."""
    value, width, now = _value(desk, path), span.high - span.low, lead()[0]

    def leads(at: float) -> tuple[float, int]:
        with desk.changed(path, at):
            return lead()

    best: float | None = None
    for end in (span.low, span.high):
        reach = min(abs(end - value), limit * width if best is None else abs(best - value))
        step = math.copysign(1.0, end - value)
        if width <= 0.0 or reach <= 0.0 or all(leads(value + step * part)[0] == now for part in (reach, reach / 2.0)):
            continue
        if span.rungs:
            tried = (value + step * n for n in range(1, int(reach) + 1))
            best = next((at for at in tried if leads(at)[0] > 0.0), best)
            continue
        before = value
        for part in (*(part * width for part in STEPS if part * width < reach), reach):
            at = value + step * part
            if leads(at)[0] > 0.0:
                best = _edge(leads, before, at, value)
                break
            before = at
    if best is None:
        return None
    after = best if span.rungs else _shortest(best, value, span, lambda at: leads(at)[0] > 0.0)
    then = leads(after)[1]
    return Flip(path, value, after, abs(after - value) / width, span.low, span.high, span.within, desk.named(then))


def _edge(leads: Callable[[float], tuple[float, int]], without: float, with_: float, origin: float) -> float:
    """Where the lead passes: a value that has it, next to one that has not."""
    while abs(with_ - without) > 1e-6 * abs(with_ - origin):
        middle = 0.5 * (without + with_)
        if middle in (without, with_):
            break
        if leads(middle)[0] > 0.0:
            with_ = middle
        else:
            without = middle
    return with_


def _shortest(value: float, origin: float, span: _Span, holds: Callable[[float], bool]) -> float:
    """The value with the fewest digits, a hundredth of the change beyond `value` at most, for which it holds."""
    size = abs(value - origin)
    for digits in range(16):
        scale = 10.0**digits
        near = math.ceil(value * scale) / scale if value > origin else math.floor(value * scale) / scale
        if abs(near - value) <= 0.01 * size and span.low <= near <= span.high and holds(near):
            return near
    return value


def carriers(desk: Desk, option: Option, known: Iterable[str] | None = None, most: int = CARRIERS) -> list[Carrier]:
    """The numbers that carry most of an option's expected utility, for or against, the greatest first.

    Those that parts of the sum are multiples of: what a salience, a cost or an effect carries is its own part, what a
    stake carries is what the other's gains add. Ideals, foresight and the like have no part of their own.
    """
    row = desk.row(option)
    desk.appraise()
    now = float(desk.utilities[row])
    found = []
    allowed = None if known is None else set(known)
    for path in _entering(desk):
        value, column = _value(desk, path), desk.compiled.owners[path][0][0]
        if column not in PARTS or value == 0.0 or (allowed is not None and path not in allowed):
            continue
        if column == "chance" and value >= 1.0:  # certain: it takes nothing away
            continue
        with desk.changed(path, value * (1.0 - NUDGE)):
            desk.appraise()
            found.append(Carrier(path, value, (now - float(desk.utilities[row])) / NUDGE))
    desk.appraise()
    found.sort(key=lambda one: (-abs(one.carries), one.path))
    return [one for one in found[:most] if abs(one.carries) > DUST * abs(found[0].carries)]

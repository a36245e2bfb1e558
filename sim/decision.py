"""One actor's decision in one turn, taken apart: what it saw, weighed and did, and which single numbers would tip it.

The run is done again from its seed up to that turn by the kernel. There every option's expected utility is taken apart
by the functions of `rules`, and the numbers of the scenario are moved one at a time with the state of the turn held
fixed. Knows tables and names, no folder and no text: `explain` puts the card together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sim import apart, appraisal, bargains, draws, kernel, meetings, rules, theories
from sim.apart import Contribution, Deed, Move, Reliance
from sim.arrays import (
    ADD,
    CHALLENGE,
    FROZEN,
    LOWER,
    POLICIES,
    RAISE,
    REINFORCEMENT,
    TREND,
    Compiled,
    State,
    Tables,
)
from sim.dealing import Dealer, Dealings, Prospect, Terms
from sim.errors import BadInput
from sim.scenario import nearest
from sim.seats import MODEL, Choice, enter

FOUND = 3  # flips told, smallest first
CARRIERS = 6  # numbers that carry an option, told
STEPS = (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)  # of a number's span: where a flip is looked for
NUDGE = 1e-4  # of a number's value, for what it carries at the margin
DUST = 0.01  # of the greatest: what carries less is not told
PARTS = {"salience", "stake", "cost", "chance", "effect_value", "coupling_add", "capability"}  # EU is a sum of these
PARTS |= {"deal_bias", "output_bias", "place_openness"}  # but for what they do to the odds of an answer
SHARES = {"salience", "stake", "capability", "chance", "pull", "output_within", "place_openness", "place_salience"}
SHARES |= {"contested", "clout", "resolve"}  # numbers of 0..1
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
class Missing:
    """A condition that did not hold; without path and value where the pair has no such indicator."""

    path: str | None
    bound: str  # at_least or at_most
    wanted: float
    value: float | None


@dataclass(frozen=True)
class Prompted:
    """What a word would make its receiver do (odd.md 7.13).

    deed: of the receiver, which hangs on the promise. rise: how much likelier the word makes it. value: of it to who
    gives the word. utility: the part in the expected utility.
    """

    deed: Deed
    kind: str
    rise: float
    value: float
    utility: float


@dataclass(frozen=True)
class Rate:
    """What `trend` goes by: how often the option was done in the last `window` turns.

    before: times in the dated record, of those turns that lie before the first; here: times in this run.
    """

    rate: float
    window: int
    before: float
    here: float


@dataclass(frozen=True)
class Experience:
    """A turn in which an option was done, and what `reinforcement` made of it. gain: of the actor's own utility."""

    turn: int
    gain: float
    before: float
    after: float


@dataclass(frozen=True)
class Learnt:
    """What `reinforcement` goes by. experiences: all that made the propensity what it is."""

    propensity: float
    experiences: list[Experience]


@dataclass(frozen=True)
class Contested:
    """What `challenge` goes by. expected: E_ij, None where one of the two declares no position.

    own, other: positions, 0..1. wins: the probability of prevailing in E_ij, None where that makes no difference.
    tenor: Goldstein weight / 10 of the action. worth: -0.01 x tenor x expected.
    """

    own: float | None
    other: float | None
    resolve: float | None
    wins: float | None
    expected: float | None
    tenor: float
    worth: float


@dataclass(frozen=True)
class Considered:
    """One option in one turn. The contributions less the cost are the expected utility.

    chance, utility, prior, first: of success; expected; before any reasons; of being drawn first (all 0 where it was
    not available). order: when it was taken, from 1. probability: of being drawn then, as recorded. fate: what became
    of it. cost: of an offer, what it would have to do, by how far that is expected.
    terms: of an offer; prospect: of a convening. prompted: what its word would make others do (among the contributions
    too). theory: the numbers of another policy, by which it was weighed instead: under `trend` the chance of being
    drawn is the rate, under `reinforcement` the utility is the propensity, under `challenge` it is worth - cost; there
    are contributions under `trend` (what it would have been worth) but not under the other two.
    alone: utility and chance of being drawn first if nothing were expected of others; None for an actor of depth 0.
    """

    action: str
    target: str | None
    available: bool
    missing: list[Missing]
    closed: str | None
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
    terms: Terms | None = None
    prospect: Prospect | None = None
    prompted: list[Prompted] = field(default_factory=list)
    theory: Rate | Learnt | Contested | None = None
    alone: Alone | None = None

    @property
    def name(self) -> Option:
        return self.action, self.target


@dataclass(frozen=True)
class Alone:
    """How an actor of some depth would have weighed if it expected nothing of others."""

    utility: float
    first: float


@dataclass(frozen=True)
class Doer:
    """What one other is expected to change."""

    actor: str
    shift: float


@dataclass(frozen=True)
class Expected:
    """What others are expected to do to an indicator this turn (odd.md 7.13). by: the greatest first.

    worth: of that change by itself to who expects it.
    """

    path: str
    value: float
    then: float
    worth: float
    by: list[Doer]


@dataclass(frozen=True)
class Also:
    """An act that the actor did beside those it chose: to deliver a promise, or on the occasion of a session."""

    action: str
    target: str | None
    why: str  # delivery or occasion
    probability: float
    utility: float
    succeeded: bool


@dataclass(frozen=True)
class Decision:
    """What an actor saw, weighed and did in one turn of one run.

    depth: how many steps it reckons ahead of others; expects: what it expects of them, what is worth most, or
    costs most, first; hold_alone: the chance that holding came up first if it expected nothing.
    also: what it did to deliver or on an occasion; dealings: what it answered, kept, attended and voted.
    by_player: somebody else than the model chose; the chances are those that the model's choice would have had.
    """

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
    depth: int
    expects: list[Expected]
    hold_alone: float | None
    held: Learnt | None  # what `reinforcement` made of doing nothing
    also: list[Also]
    dealings: Dealings
    desk: Desk = field(repr=False, compare=False)
    # turn, option, probability (None: a player's), up to this turn
    acts: list[tuple[int, int, float | None]] = field(repr=False, compare=False)
    by_player: bool = False

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
        self.dealer = Dealer(self.tables, state, compiled)
        self.stale: set[str] = set()  # columns that were changed since the last appraisal
        self._tried: dict[tuple[str, float], np.ndarray] = {}
        self.appraise()
        rows = np.flatnonzero(self.available) + self.first
        self.deals = bool((T.option_deal[rows] >= 0).any() or (T.option_convener[rows] >= 0).any())

    def appraise(self) -> None:
        """Appraisal and logits with the tables as they are now."""
        if self.stale:
            self._renew(self.stale)
            self.stale = set()
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
    def policy(self) -> str:
        """The theory by which the actor decides."""
        return next(name for name, code in POLICIES.items() if code == self.tables.policy[self.actor])

    @property
    def firsts(self) -> np.ndarray:
        """(options + 1,) chance of being drawn first; under `trend` the rate of each, and that of doing none."""
        policy = self.tables.policy[self.actor]
        if policy == FROZEN:
            return np.append(np.zeros(self.size), 1.0)
        if policy == TREND:
            rates = np.array([self.rate(row) if self.available[row] else 0.0 for row in range(self.size)])
            return np.append(rates, np.prod(1.0 - rates))
        logits = self.logits
        weights = np.exp(logits - logits.max())
        return weights / weights.sum()

    def rate(self, row: int) -> float:
        """How often an option was done in the last year, as a probability (`trend`)."""
        return float(theories.rate(self.tables, self.state, self.first + row, self.turn, 0))

    @property
    def logits(self) -> np.ndarray:
        """(options + 1,) log prior + lambda x EU; -inf where not available; of no meaning under `trend`."""
        own = np.where(self.available, self.state.logit[: self.size, 0], -np.inf)
        return np.append(own, self.state.hold_score[0, 0])

    @contextmanager
    def changed(self, path: str, value: float) -> Iterator[None]:
        """Within it, one number of the scenario has another value, for all that is appraised anew."""
        cells = [(getattr(self.tables, name), name, index) for name, index in self.compiled.owners[path]]
        before = [array[index] for array, _, index in cells]
        names = {name for _, name, _ in cells}
        try:
            for array, _, index in cells:
                array[index] = value
            self.stale |= names
            yield
        finally:
            for (array, _, index), old in zip(cells, before, strict=True):
                array[index] = old
            self.stale |= names

    def logits_with(self, path: str, value: float) -> np.ndarray:
        """The logits if one number of the scenario had another value."""
        if (path, value) not in self._tried:
            with self.changed(path, value):
                self.appraise()
                self._tried[path, value] = self.logits
        return self._tried[path, value]

    def _renew(self, names: set[str]) -> None:
        """Bring what the start of the turn derived from these columns up to date."""
        T, S = self.tables, self.state
        if "capability" in names:
            S.source[T.low.size :, 0] = T.capability
        if names & {"capability", "coupling_add"}:
            for c in range(T.coupling_add.size):
                first, last = int(T.coupling_factor_start[c]), int(T.coupling_factor_start[c + 1])
                S.coefficient[c, 0] = T.coupling_add[c] * apart.product(S, T.coupling_factor[first:last])
        if names & {"capability", "coupling_add", "pull"}:
            S.foreseen_for[0] = np.nan  # forget what was foreseen
        if S.contest.size:
            theories.dispute(T, S, 0)
        if self.deals:
            appraisal.weigh(T, S)
        if T.depth[self.actor] > 0:
            appraisal.expect(T, S)

    @property
    def outlook(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What an actor of its depth expects: shifts by each actor (N, stirred), their sum, how much likelier a full
        promise makes what hangs on it."""
        S = self.state
        found = (S.shift, S.shifts, S.answering)
        if self.tables.depth[self.actor] > 1:
            found = (S.next_shift, S.next_shifts, S.next_answering)
        shift, shifts, answering = found
        return shift[..., 0], shifts[:, 0], answering[:, 0]

    @contextmanager
    def expected(self) -> Iterator[None]:
        """Within it, the state is the one that an actor of some depth expects (odd.md 7.13)."""
        T, S, i = self.tables, self.state, self.actor
        if T.depth[i] == 0:
            yield
            return
        slots, (shift, shifts, _) = T.stirred, self.outlook
        before = S.x[slots, 0].copy()
        S.x[slots, 0] = np.clip(before + (shifts - shift[i]), T.low[slots], T.high[slots])
        try:
            yield
        finally:
            S.x[slots, 0] = before

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


def decide(
    compiled: Compiled,
    seed: int,
    run: int,
    turn: int,
    actor: str,
    policy: str | None = None,
    made: Mapping[tuple[str, int], Choice] | None = None,
) -> Decision:
    """What an actor weighed and did in a turn, from 1, of the run that seed and number make.

    policy: instead of the scenario's own. made: what others than the model chose, by actor and turn. Raises BadInput
    for an actor or a turn that there is not.
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
    acts: list[tuple[int, int, float | None]] = []
    past: dict[int, list[Experience]] = {}
    chosen = 0
    for now in range(1, turn + 1):
        kernel.open_turn(T, S, key, now)
        if now == turn:
            desk = Desk(ready, _copy(S), i, seed, turn)
        for other in range(len(ready.actors)):
            choice = None if made is None else made.get((ready.actors[other], now), MODEL)
            if T.policy[other] != FROZEN or choice not in (None, MODEL):
                kernel.appraise(T, S, other)
                if choice is not None:
                    enter(ready, S, key, now, other, choice)
                if choice is None or choice.acts is None:
                    kernel.choose(T, S, other, key, now, True)
        chosen = len(_own(T, S, i))
        before = S.propensity[:, 0].copy() if T.policy[i] == REINFORCEMENT and now < turn else None
        kernel.close_turn(T, S, key, now)
        if before is not None:
            _remember(past, before, S, now)
        acts += [(now, int(S.act[0, n]), _known(S.act_probability[0, n])) for n in range(int(S.taken[0]))]
    told = _decision(desk, S, run, acts, chosen, past)
    own = (made or {}).get((actor, turn), MODEL)
    return told if own.acts is None else replace(told, by_player=True)


def _known(probability: float) -> float | None:
    """None where nobody drew."""
    return None if math.isnan(probability) else float(probability)


def _own(T: Tables, S: State, i: int) -> list[int]:
    """Places of an actor's acts among those of the turn so far."""
    return [n for n in range(int(S.taken[0])) if T.option_actor[S.act[0, n]] == i]


def _remember(past: dict[int, list[Experience]], before: np.ndarray, S: State, turn: int) -> None:
    """Add what a turn taught, by row of the propensities."""
    for row in np.nonzero(before != S.propensity[:, 0])[0]:
        old, new = float(before[row]), float(S.propensity[row, 0])
        past.setdefault(int(row), []).append(Experience(turn, old + (new - old) / rules.RECENCY, old, new))


def _decision(
    desk: Desk,
    after: State,
    run: int,
    acts: list[tuple[int, int, float | None]],
    count: int,
    past: Mapping[int, list[Experience]],
) -> Decision:
    """after: the state at the end of the turn, for what was taken and what came of it. count: acts chosen."""
    T, S, compiled, i = desk.tables, desk.state, desk.compiled, desk.actor
    policy, depth = int(T.policy[i]), int(T.depth[i])
    priors, firsts = _priors(desk), desk.firsts
    alone = _alone(desk) if depth else None
    mine = _own(T, after, i)
    forced = [int(o) for o, turn in zip(T.forced_option, T.forced_turn, strict=True) if turn == desk.turn]
    events = [o for o in forced if T.option_actor[o] == i]
    chosen = {int(after.act[0, n]): (order, n) for order, n in enumerate(mine[:count], 1)}
    also = [_also(desk, after, n) for n in mine[count + len(events) :]]
    fates = _fates(desk, list(chosen), {compiled.options.index((compiled.actors[i], a.action, a.target)) for a in also})
    whole = len(T.option_actor)
    options = []
    for row in range(desk.size):
        o = desk.first + row
        available = bool(desk.available[row])
        order, n = chosen.get(o, (None, None))
        told = taken_apart(desk, row, past) if available else Parts(cost=apart.cost(T, S, o))
        missing = [] if available else _missing(T, S, compiled, o)
        options.append(
            Considered(
                *compiled.options[o][1:],
                available=available,
                missing=missing,
                closed=None if available or missing else _closed(desk, o),
                chance=float(S.odds[row, 0]) if available else 0.0,
                cost=told.cost,
                utility=float(S.utility[row, 0]) if available else 0.0,
                prior=float(priors[row]),
                first=float(firsts[row]),
                order=order,
                probability=None if n is None else _known(after.act_probability[0, n]),
                succeeded=None if n is None else bool(after.act_done[0, n]),
                fate=fates[row],
                contributions=told.contributions,
                reliances=told.reliances,
                moves=told.moves,
                terms=told.terms,
                prospect=told.prospect,
                prompted=told.prompted,
                theory=told.theory,
                alone=None if alone is None or not available else Alone(float(alone[0][row]), float(alone[1][row])),
            )
        )
    options.sort(key=lambda option: (not option.available, -option.first, -option.utility))
    return Decision(
        actor=compiled.actors[i],
        run=run,
        turn=desk.turn,
        policy=desk.policy,
        rationality=float(T.rationality[i]),
        foresight=float(T.foresight[i]),
        risk=float(T.risk[i]),
        attention=float(S.x[T.attention[i], 0]) if T.attention[i] >= 0 else 1.0,
        wants=_wants(T, S, compiled, i),
        minds=_minds(T, S, compiled, i),
        hold_prior=float(priors[-1]),
        hold_first=float(firsts[-1]),
        options=options,
        events=[compiled.options[o][1:] for o in events],
        depth=depth,
        expects=_expects(desk) if depth else [],
        hold_alone=None if alone is None else float(alone[1][-1]),
        held=Learnt(float(S.propensity[whole + i, 0]), past.get(whole + i, [])) if policy == REINFORCEMENT else None,
        also=also,
        dealings=desk.dealer.told(after, i, desk.turn),
        desk=desk,
        acts=acts,
    )


def _also(desk: Desk, after: State, n: int) -> Also:
    """An act of the turn that was not chosen: it delivers what was owed, or was done on an occasion."""
    T, o = desk.tables, int(after.act[0, n])
    owed = T.owed_promise[T.owed_start[o] : T.owed_start[o + 1]]
    delivers = bool(np.isfinite(after.delivered[owed, 0]).any())
    return Also(
        *desk.compiled.options[o][1:],
        why="delivery" if delivers else "occasion",
        probability=float(after.act_probability[0, n]),
        utility=float(after.act_utility[0, n]),
        succeeded=bool(after.act_done[0, n]),
    )


def _alone(desk: Desk) -> tuple[np.ndarray, np.ndarray]:
    """Utilities and chances of being drawn first of an actor that expects nothing of others."""
    T, i = desk.tables, desk.actor
    depth = int(T.depth[i])
    T.depth[i] = 0
    desk.appraise()
    found = desk.utilities.copy(), desk.firsts.copy()
    T.depth[i] = depth
    desk.appraise()
    return found


def _expects(desk: Desk) -> list[Expected]:
    """What the actor expects others to do to indicators that it cares about, directly or through what follows."""
    T, S, i, compiled = desk.tables, desk.state, desk.actor, desk.compiled
    found = []
    by = apart.eyes(T, S, compiled, i)
    shift, sums, _ = desk.outlook
    for n, s in enumerate(T.stirred):
        shifts = [(o, float(shift[o, n])) for o in range(len(compiled.actors)) if o != i]
        shifts = sorted((one for one in shifts if one[1] != 0.0), key=lambda one: -abs(one[1]))
        now = float(S.x[s, 0])
        then = float(rules.clamp(now + (sums[n] - shift[i, n]), T.low[s], T.high[s]))
        if shifts and apart.reached(by, [(int(s), then - now)]):
            worth = apart.total(apart.changed(by, [(int(s), then - now)], 1.0))
            doers = [Doer(compiled.actors[o], size) for o, size in shifts]
            found.append(Expected(compiled.paths[s], now, then, worth, doers))
    return sorted(found, key=lambda one: -abs(one.worth))


def _priors(desk: Desk) -> np.ndarray:
    """(options + 1,) prior of each, which is how the kernel draws where lambda is 0."""
    random = Desk(desk.compiled.with_policy("random"), _copy(desk.state), desk.actor, int(desk.seed), desk.turn)
    return np.exp(random.logits)


def _fates(desk: Desk, taken: list[int], also: set[int]) -> list[str]:
    """What became of each option of the actor. taken: options, in order; also: done beside them.

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
        elif o in also:
            fates.append("done otherwise")
        elif T.policy[desk.actor] == TREND:
            drawn = draws.uniform(desk.seed, S.run[0], desk.turn, T.option_key[o], draws.CHOICE) < desk.rate(row)
            fates.append("channel taken" if drawn else "not drawn")
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


def _minds(T: Tables, S: State, compiled: Compiled, i: int) -> list[Minded]:
    found = []
    for p in range(T.mind_start[i], T.mind_start[i + 1]):
        stake, regard = float(T.stake[p]), float(S.x[T.mind_slot[p], 0])
        found.append(Minded(compiled.actors[T.mind_actor[p]], stake, regard, stake * regard))
    return found


def _wants(T: Tables, S: State, compiled: Compiled, i: int) -> list[Want]:
    found = []
    for h in range(T.interest_start[i], T.interest_start[i + 1]):
        s, ideal = int(T.interest_slot[h]), apart.ideal(T, S, h)
        unmet = apart.gain(T, S, i, h, ideal)
        found.append(
            Want(compiled.interests[h][1], compiled.paths[s], float(S.x[s, 0]), ideal, float(T.salience[h]), unmet)
        )
    return sorted(found, key=lambda want: -want.unmet)


def _missing(T: Tables, S: State, compiled: Compiled, o: int) -> list[Missing]:
    a = int(T.option_action[o])
    first, last = int(T.need_start[a]), int(T.need_start[a + 1])
    found = []
    for n, s in zip(range(first, last), apart.references(T, o, 0, last - first), strict=True):
        wanted, least = float(T.need_value[n]), bool(T.need_least[n])
        bound, value = "at_least" if least else "at_most", float(S.x[s, 0])
        if s < 0:
            found.append(Missing(None, bound, wanted, None))
        elif not (value >= wanted if least else value <= wanted):
            found.append(Missing(compiled.paths[s], bound, wanted, value))
    return found


def _closed(desk: Desk, o: int) -> str:
    """Why an offer or a convening whose conditions hold was not open."""
    T, S = desk.tables, desk.state
    d, c = int(T.option_deal[o]), int(T.option_convener[o])
    if d < 0:
        f = int(T.convener_forum[c])
        if not T.forum_active[f] > 0.0:
            return "it is switched off"
        if meetings.dated_session(T, f, desk.turn):
            return "a session is dated for this turn"
        return f"it met in turn {int(S.met[f, 0])}, and pauses for {int(T.forum_pause[f])}"
    if not T.deal_active[d] > 0.0:
        return "it is switched off"
    for p in (int(T.deal_promise[d]), int(T.deal_promise[d + 1]) - 1):
        giver = desk.compiled.promises[p][1]
        act = desk.compiled.options[T.promise_option[p]][1]
        if not S.possible[T.promise_value[p], 0]:
            return f"{giver} cannot do what it would promise ({act})"
        if bargains.owed(T, S, int(T.promise_option[p]), 0):
            return f"{giver} owes what it would promise already ({act})"
    return "it lies on the table"


@dataclass
class Parts:
    """An option taken apart, field by field as in `Considered`."""

    contributions: list[Contribution] = field(default_factory=list)
    reliances: list[Reliance] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    cost: float = 0.0
    terms: Terms | None = None
    prospect: Prospect | None = None
    prompted: list[Prompted] = field(default_factory=list)
    theory: Rate | Learnt | Contested | None = None


def taken_apart(desk: Desk, row: int, past: Mapping[int, list[Experience]] | None = None) -> Parts:
    """An available option's expected utility in parts, by the theory that its actor follows.

    past: what was experienced with each option, where that is known.
    """
    T, S, i, o = desk.tables, desk.state, desk.actor, desk.first + row
    told = Parts(cost=apart.cost(T, S, o))
    if T.policy[i] == REINFORCEMENT:
        told.theory = Learnt(float(S.propensity[o, 0]), (past or {}).get(o, []))
        return told
    if T.policy[i] == CHALLENGE:
        told.theory = _contest(desk, o)
        return told
    d, c = int(T.option_deal[o]), int(T.option_convener[o])
    if d >= 0:
        told.terms, told.contributions, told.cost = desk.dealer.offer(d)
    elif c >= 0:
        told.prospect, told.contributions = desk.dealer.convening(c)
    else:
        with desk.expected():
            by = apart.eyes(T, S, desk.compiled, i)
            told.contributions, told.reliances, told.moves = apart.act(by, o, named=False)
            if T.depth[i] > 0:
                more, told.prompted = _prompted(desk, by, o)
                told.contributions = apart.ordered(told.contributions + more, by.name)
    if T.policy[i] == TREND:
        window = T.past.shape[0]
        before = sum(float(T.past[back - desk.turn, o]) for back in range(desk.turn, window + 1))
        rate = desk.rate(row)
        told.theory = Rate(rate, window, before, sum(float(n) for n in S.recent[:, o, 0]))
    return told


def _prompted(desk: Desk, by: apart.Eyes, o: int) -> tuple[list[Contribution], list[Prompted]]:
    """What an option's words would make their receivers do: parts, and a line for each act (odd.md 7.13)."""
    T, S, compiled = desk.tables, desk.state, desk.compiled
    parts, told = [], []
    odds, (_, _, answering) = apart.chance(T, S, o), desk.outlook
    for e in T.word_effect[T.word_start[o] : T.word_start[o + 1]]:
        s = int(apart.references(T, o, int(T.effect_at[e]), 1)[0])
        b, missing = int(T.belief_of[s]), 1.0 - float(S.x[s, 0])
        if missing <= 0.0:
            continue
        size, _ = apart.change(T, S, by.x, o, int(e))
        for h in range(T.hung_start[b], T.hung_start[b + 1]):
            rise = float(answering[h]) * size / missing
            if rise == 0.0:
                continue
            counts = rise * (1.0 if T.effect_attempt[e] else odds)
            more = apart.act(by, int(T.hung_option[h]), counts, "answer")[0]
            parts += more
            worth = apart.total(more)
            done = apart.deed(compiled, int(T.hung_option[h]))
            told.append(Prompted(done, compiled.beliefs[b][2], rise, worth / counts if counts else 0.0, worth))
    told.sort(key=lambda one: -abs(one.utility))
    return parts, told


def _contest(desk: Desk, o: int) -> Contested:
    """What the challenge model makes of an option."""
    T, S, i, j = desk.tables, desk.state, desk.actor, int(desk.tables.option_target[o])
    tenor = float(T.tenor[o])
    own = float(theories.stand(T, S, i, 0)) if T.contests[i] else None
    if own is None or j < 0 or not T.contests[j]:
        return Contested(own, None, None, None, None, tenor, 0.0)
    other, resolve, expected = float(theories.stand(T, S, j, 0)), float(T.resolve[j]), float(S.contest[i, j, 0])
    secure = [float(S.contest[k, k, 0]) for k in range(len(T.contests)) if T.contests[k]]
    exponent = rules.risk_exponent(float(S.contest[i, i, 0]), min(secure), max(secure))
    fails, wins = (rules.challenge(sure, abs(own - other), resolve, exponent) for sure in (0.0, 1.0))
    likely = (expected - fails) / (wins - fails) if wins != fails else None
    worth = -rules.CHALLENGE_SCALE * tenor * expected
    return Contested(own, other, resolve, None if likely is None else float(likely), expected, tenor, worth)


# ------------------------------------------------------------------------------------------------ single numbers


@dataclass(frozen=True)
class _Span:
    """Where a number is looked at: from low to high, by whole rungs on a ladder."""

    low: float
    high: float
    within: str
    rungs: bool = False


def _entering(desk: Desk) -> list[str]:
    """The numbers of the scenario that can enter this decision while the state stands: their paths, sorted.

    Also those that enter through what others would answer to an offer, or do at a session; but not those that enter
    only through what others are expected to do of themselves. Of no number under `trend` and `frozen`.
    """
    T, i = desk.tables, desk.actor
    if T.policy[i] in (TREND, FROZEN):
        return []
    rows = [desk.first + row for row in range(desk.size) if desk.available[row]]
    own = {i}
    menu = {int(T.option_action[o]) for o in rows}
    deals = {int(T.option_deal[o]) for o in rows if T.option_deal[o] >= 0}
    deals |= {int(T.deal_counter[d]) for d in deals if T.deal_counter[d] >= 0}
    fora = {int(T.convener_forum[T.option_convener[o]]) for o in rows if T.option_convener[o] >= 0}
    outputs = {u for f in fora for u in range(T.output_start[f], T.output_start[f + 1])}
    places = {m for f in fora for m in desk.dealer._places(f)}
    behind = {int(T.promise_option[p]) for d in deals for p in range(T.deal_promise[d], T.deal_promise[d + 1])}
    behind |= {int(T.output_option[u]) for u in outputs}
    behind |= {int(o) for u in outputs for o in T.occasion_option[T.occasion_start[u] : T.occasion_start[u + 1]]}
    seats = {int(T.veto_seat[n]) for u in outputs for n in range(T.veto_start[u], T.veto_start[u + 1])}
    others = {int(T.option_actor[o]) for o in behind if T.option_actor[o] >= 0} | {int(T.seat_actor[q]) for q in seats}
    judges = own | others
    stakes = {p for x in judges for p in range(T.mind_start[x], T.mind_start[x + 1])}
    minded = judges | {int(T.mind_actor[p]) for p in stakes}
    owned = {h for o in minded for h in range(T.interest_start[o], T.interest_start[o + 1])}
    done = {(int(T.option_action[o]), int(T.option_actor[o])) for o in {*rows, *behind}}
    effects = {e for a, _ in done for e in range(T.effect_start[a], T.effect_start[a + 1])}
    enters: dict[str, Callable[[tuple[int, ...]], bool]] = {
        "habit": lambda at: at[0] in menu,
        "rationality": lambda at: at[0] in judges,
        "hold": lambda at: True,
    }
    if T.policy[i] == CHALLENGE:
        enters |= {
            **dict.fromkeys(("contested", "clout", "resolve"), lambda at: bool(T.contests[at[0]])),
            "cost": lambda at: (at[0], at[1]) in done,
            "capability": lambda at: True,
        }
        enters["rationality"] = lambda at: at[0] == i
    elif T.policy[i] == REINFORCEMENT:
        enters["rationality"] = lambda at: at[0] == i
    else:
        enters |= {
            "salience": lambda at: at[0] in owned,
            "ideal": lambda at: at[0] in owned and T.ideal_slot[at[0]] < 0,
            "risk": lambda at: at[0] in minded,
            "foresight": lambda at: at[0] in judges,
            "stake": lambda at: at[0] in stakes,
            "chance": lambda at: (at[0], at[1]) in done,
            "cost": lambda at: (at[0], at[1]) in done,
            "effect_value": lambda at: at[0] in effects,
            "deal_bias": lambda at: at[0] in deals,
            "output_bias": lambda at: at[0] in outputs,
            "output_within": lambda at: at[0] in outputs,
            **dict.fromkeys(("place_openness", "place_salience"), lambda at: at[0] in places),
            **dict.fromkeys(("capability", "coupling_add", "pull"), lambda at: True),
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
    if column in SHARES:
        return _Span(0.0, 1.0, "what it can be")
    if column in ("risk", "habit"):  # greater than nothing
        return _Span(value / 100.0, 2.0 * value, "a hundredth to twice its value")
    if column in ("hold", "foresight"):  # whose ends themselves are not allowed
        return _Span(0.001, 0.999, "what it can be")
    return _Span(min(0.0, 2.0 * value), max(0.0, 2.0 * value), "nothing to twice its value")


def _slot_of_effect(desk: Desk, e: int) -> int | None:
    """A slot that effect e moves for some option, of the actor if it has one."""
    T = desk.tables
    for o in (*range(desk.first, desk.first + desk.size), *range(len(T.option_action))):
        a = T.option_action[o]
        if T.effect_start[a] <= e < T.effect_start[a + 1]:
            s = int(apart.references(T, o, int(T.effect_at[e]), 1)[0])
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

    def lead(logits: np.ndarray) -> tuple[float, int]:
        """By how much the likeliest rival leads, and which it is."""
        best = max(rows, key=lambda row: logits[row])
        return float(logits[best] - logits[base]), best

    desk.appraise()
    now = lead(desk.logits)[0] if rows else 1.0
    if now > 0.0:
        return []
    found: list[Flip] = []
    allowed = None if known is None else set(known)
    for path in _entering(desk):
        if allowed is not None and path not in allowed:
            continue
        limit = found[FOUND - 1].relative if len(found) >= FOUND else 1.0
        flip = _flip(desk, path, _span(desk, path, (ranges or {}).get(path)), limit, lead, now)
        if flip is not None:
            found = sorted([*found, flip], key=lambda one: one.relative)
    desk.appraise()
    return found[:FOUND]


def _flip(
    desk: Desk, path: str, span: _Span, limit: float, lead: Callable[[np.ndarray], tuple[float, int]], now: float
) -> Flip | None:
    """The smallest change of one number, no greater than `limit` of its span, that gives a rival the lead; now: by how
    much it leads as it is."""
    value, width = _value(desk, path), span.high - span.low

    def leads(at: float) -> tuple[float, int]:
        return lead(desk.logits_with(path, at))

    best: float | None = None
    for end in (span.low, span.high):
        reach = min(abs(end - value), limit * width if best is None else abs(best - value))
        step = math.copysign(1.0, end - value)
        if width <= 0.0 or reach <= 0.0 or leads(end)[0] == now:
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
    found = [Carrier(path, value, float(of_rows[row])) for path, value, of_rows in carried(desk, known)]
    found.sort(key=lambda one: (-abs(one.carries), one.path))
    return [one for one in found[:most] if abs(one.carries) > DUST * abs(found[0].carries)]


def carried(desk: Desk, known: Iterable[str] | None = None) -> Iterator[tuple[str, float, np.ndarray]]:
    """Each number that parts of expected utilities are multiples of: path, value, and what it carries of each option's,
    in the desk's order of options. known: these paths only."""
    desk.appraise()
    now = desk.utilities.copy()
    allowed = None if known is None else set(known)
    for path in _entering(desk):
        value, column = _value(desk, path), desk.compiled.owners[path][0][0]
        if column not in PARTS or value == 0.0 or (allowed is not None and path not in allowed):
            continue
        if column == "chance" and value >= 1.0:  # certain: it takes nothing away
            continue
        with desk.changed(path, value * (1.0 - NUDGE)):
            desk.appraise()
            of_rows = (now - desk.utilities) / NUDGE
        yield path, value, of_rows
    desk.appraise()

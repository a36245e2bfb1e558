"""Every array of the model: its shape, unit and meaning, stated once.

`Tables` is a scenario as numbers and indices, read-only while runs go on. `State` is what changes, for several runs
side by side: its last axis is always the run, `r`, so that the innermost loops work on many runs at once.
`Compiled` carries the tables with the names behind them; `History` is what came of a set of runs.

Index letters: r run, t turn, i acting actor, j target, o onlooker or owner, a action, s slot of the state vector,
q assurance; k an interest slot (a slot that somebody has an interest in), b a belief (receiver, giver, kind).
A *source* is what a factor reads: a slot's share of its range, or a capability; it is coded 2 x index + (1 for `not`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, get_type_hints

import numpy as np
from numpy.typing import NDArray

from sim.jit import Block

# One, two and three dimensions of each kind of number.
Floats = Annotated[NDArray[np.float64], 1]
Floats2 = Annotated[NDArray[np.float64], 2]
Floats3 = Annotated[NDArray[np.float64], 3]
Ints = Annotated[NDArray[np.int32], 1]
Ints2 = Annotated[NDArray[np.int32], 2]
Longs = Annotated[NDArray[np.int64], 1]
Keys = Annotated[NDArray[np.uint64], 1]
Flags = Annotated[NDArray[np.bool_], 1]
Flags2 = Annotated[NDArray[np.bool_], 2]

ADD, TO, RAISE, LOWER = 0, 1, 2, 3
ALWAYS, KEPT, BROKEN = 0, 1, 2
QUANTAL, BEST, RANDOM, FROZEN = 0, 1, 2, 3
POLICIES = {"quantal": QUANTAL, "best": BEST, "random": RANDOM, "frozen": FROZEN}


class Tables(Block):
    """A scenario as arrays. Numbers of the file stand here as they are, so that a changed number patches one cell."""

    # slots of the state vector: (S,) in the indicator's own unit
    low: Floats
    high: Floats
    start: Floats
    rest: Floats
    pull: Floats  # 0..1 a turn
    noise: Floats  # standard deviation a turn
    slot_key: Keys
    moving: Ints  # slots that step 8 can move
    capability: Floats  # sources from S on
    # actors: (N,)
    rationality: Floats
    foresight: Floats
    risk: Floats
    responsiveness: Floats
    policy: Ints
    attention: Ints  # slot, or -1: a budget of 1
    hold: Floats  # (1,) prior probability of doing nothing
    hold_key: Keys
    # whom i minds (stake and regard): rows mind_start[i]..mind_start[i+1]
    mind_start: Ints
    mind_actor: Ints
    mind_slot: Ints
    stake: Floats
    # who regards i: rows seen_start[i]..
    seen_start: Ints
    seen_actor: Ints
    seen_slot: Ints
    # interests by owner: rows interest_start[o]..
    interest_start: Ints
    interest_slot: Ints
    interest_rank: Ints  # k
    ideal: Floats
    ideal_slot: Ints  # -1, or the position that is the ideal
    salience: Floats
    # interest slots: (K,)
    rank_slot: Ints
    slot_rank: Ints  # (S,) k or -1
    holder_start: Ints  # rows by k: interests in that slot
    holder_interest: Ints
    holder_owner: Ints
    cares_start: Ints  # rows by i: the k that matter to i or to whom it minds
    cares_rank: Ints
    cares: Flags2  # (N, K)
    # couplings: (C,), sorted by the moved slot
    coupling_from: Ints
    coupling_to: Ints
    coupling_add: Floats
    coupling_around: Floats
    coupling_factor_start: Ints
    coupling_factor: Ints
    # what can reach interest slot k within the horizon: nodes, arrows (backwards) and the pairs (k, s) wanted
    node_start: Ints
    node_slot: Ints
    arrow_start: Ints  # rows by node
    arrow_to: Ints  # local node
    arrow_coupling: Ints
    varies: Flags  # (K,) an arrow has factors
    node_end: Ints  # local: where the nodes end that lead to one another with this one
    node_feeds: Flags  # an arrow leads to it
    node_pair: Ints  # -1: not wanted
    reach_start: Ints  # rows by s
    reach_rank: Ints
    reach_pair: Ints
    # actions: (A,), their needs, factors and effects as templates; options hold the references
    channel: Ints
    visibility: Floats
    habit: Floats
    effort: Floats
    attempts: Flags  # has effects that come whether or not it succeeds
    chance: Floats2  # (A, N)
    cost: Floats2  # (A, N)
    need_start: Ints
    need_value: Floats
    need_least: Flags  # at_least, else at_most
    chance_at: Ints  # offset in the option's references
    chance_factors: Ints
    cost_at: Ints
    cost_factors: Ints
    effect_start: Ints
    effect_kind: Ints
    effect_value: Floats
    effect_attempt: Ints
    effect_when: Ints
    effect_after: Ints
    effect_at: Ints  # offset: slot (-1: left out), belief (-1: none), factors
    effect_factors: Ints
    # options: sorted by actor, action, target
    option_start: Ints  # rows by i
    option_actor: Ints
    option_action: Ints
    option_target: Ints  # -1: none
    option_key: Keys
    option_at: Ints  # where its references begin
    reference: Ints
    menu_start: Ints  # rows by i: one for each action that i has options of
    menu_first: Ints  # first option
    menu_end: Ints
    option_signal_start: Ints  # rows by option
    signal_belief: Ints
    signal_full: Flags
    signal_kept: Flags
    signal_number: Ints
    signal_weight: Floats
    # beliefs: (B,)
    promised: Ints  # slot
    reliability: Ints  # slot
    credibility: Ints  # slot
    prior_kept: Floats
    prior_broken: Floats
    forgetting: Floats
    belief_signal: Floats
    belief_key: Keys
    other_start: Ints  # rows by b: the other receivers of that giver's kind
    other_belief: Ints
    # incidents: (I,), one row for each actor it is drawn for
    incident_key: Keys
    hazard: Floats
    hazard_visibility: Floats
    step_start: Ints
    step_source: Ints
    step_add: Floats
    hazard_factor_start: Ints
    hazard_factor: Ints
    blow_start: Ints  # an incident's effects
    blow_kind: Ints
    blow_value: Floats
    blow_slot: Ints
    blow_after: Ints
    blow_factor_start: Ints
    blow_factor: Ints
    belied_start: Ints
    belied_belief: Ints
    belied_full: Flags
    # timeline
    dated_turn: Ints
    dated_slot: Ints
    dated_adds: Flags
    dated_value: Floats
    forced_turn: Ints
    forced_option: Ints


class State(Block):
    """What changes, for R runs side by side; `x` and the beliefs are the state proper, the rest is working space."""

    run: Keys  # (R,) run numbers
    x: Floats2  # (S, R)
    source: Floats2  # (S + capabilities, R) shares and capabilities at the start of the turn
    alpha: Floats2  # (B, R)
    beta: Floats2
    kept: Floats2  # (B, R) signals not yet taken in
    broken: Floats2
    hazard_start: Floats2  # (I, R) h0
    happened: Flags2  # (I, R) this turn
    under_way: Floats3  # (D, S, R) steps that arrive later, a ring over turns
    add: Floats2  # (S, R) sums of this turn's effects
    level: Floats2
    levels: Floats2
    up: Floats2
    down: Floats2
    tested: Floats2  # (B, R) highest visibility of a test, -1: none
    test: Floats2  # (B, R) 1 kept, 0 broken, -1 not drawn
    coefficient: Floats2  # (C, R) add x factors
    foreseen: Floats2  # (P, R) W of each pair (k, s)
    foreseen_for: Floats  # (R,) the foresight that `foreseen` holds, NaN: none
    foreseen_now: Flags  # (1,) whether it is of this turn's factors
    discount: Floats2  # (horizon + 1, R) weight of each turn from now
    walk: Floats3  # (nodes, horizon + 1, R) powers of C on the way to the interest slot looked at
    weight: Floats2  # (N, R) own 1, stake x regard of others
    slope: Floats2  # (K, R)
    bend: Floats2  # (K, R)
    moved: Floats2  # (K, R) change of each interest slot by the option looked at
    mark: Longs  # (K + 1,) which option touched k last; the last cell counts options
    touched: Ints  # (K,)
    change: Floats2  # (4, R) working rows
    available: Flags2  # (O_max, R) of the actor looked at
    open: Flags  # (O_max,) available in some run
    count: Floats2  # (menus, R) available options of each action of the actor looked at
    utility: Floats2  # (O_max, R) expected utility
    odds: Floats2  # (O_max, R) chance of success
    logit: Floats2  # (O_max, R) log prior + lambda x EU
    score: Floats2  # (O_max, R) logit + Gumbel
    hold_score: Floats2  # (2, R) logit and score of hold
    taken: Ints  # (R,) acts of this turn
    act: Ints2  # (R, C) options
    act_utility: Floats2
    act_odds: Floats2
    act_probability: Floats2
    act_done: Flags2
    own_change: Floats  # (K,) change by one realised act
    candidate: Ints2  # (R, O_max)
    candidates: Ints  # (R,)


# The tables' numbers of the scenario, as against their names and shapes: what `patched` and `side_by_side` can change.
NUMBERS = frozenset(
    {"start", "rest", "pull", "noise", "capability", "rationality", "foresight", "risk", "responsiveness", "hold"}
    | {
        "stake",
        "ideal",
        "salience",
        "coupling_add",
        "coupling_around",
        "visibility",
        "habit",
        "effort",
        "chance",
        "cost",
    }
    | {"need_value", "effect_value", "signal_weight", "prior_kept", "prior_broken", "forgetting", "belief_signal"}
    | {"hazard", "hazard_visibility", "step_add", "blow_value", "dated_value"}
)


class PointTables(Tables):
    """Tables in which each number may differ from run to run: those of `Tables`, with the run as a last axis."""

    __annotations__ = {
        name: {Floats: Floats2, Floats2: Floats3}[hint]
        for name, hint in get_type_hints(Tables, include_extras=True).items()
        if name in NUMBERS
    }


@dataclass(frozen=True)
class Compiled:
    """A scenario ready to run: tables, and the names behind every index."""

    tables: Tables
    paths: list[str]  # (S,) column names
    ladders: dict[int, tuple[str, ...]]  # slot -> rungs
    capabilities: list[tuple[str, str]]  # (actor, capability)
    actors: list[str]
    actions: list[str]
    options: list[tuple[str, str, str | None]]  # (actor, action, target)
    interests: list[tuple[str, str]]  # (owner, name)
    beliefs: list[tuple[str, str, str]]  # (receiver, giver, kind)
    incidents: list[tuple[str, str | None]]
    dates: list[str]  # (T,) label of each turn
    codes: list[tuple[str, str]]  # (A,) CAMEO, PLOVER
    owners: dict[str, list[tuple[str, tuple[int, ...]]]] = field(repr=False)  # number's path -> cells of the tables
    space: dict[str, int] = field(repr=False, default_factory=dict)  # sizes of working space

    @property
    def turns(self) -> int:
        return len(self.dates)

    def with_policy(self, policy: str | None) -> Compiled:
        """The same with every actor choosing by this policy; None leaves it as the scenario says."""
        if policy is None:
            return self
        return replace(self, tables=self.tables.replaced(policy=np.full_like(self.tables.policy, POLICIES[policy])))

    def patched(self, numbers: Mapping[str, float]) -> Compiled:
        """The same with other values of some numbers; a path that owns no cell raises KeyError."""
        copies: dict[str, np.ndarray] = {}
        for path, value in numbers.items():
            for name, index in self.owners[path]:
                array = copies.setdefault(name, getattr(self.tables, name).copy())
                array[index] = value
        return replace(self, tables=self.tables.replaced(**copies))

    def side_by_side(self, numbers: Mapping[str, Floats], runs: int) -> Compiled:
        """The same for `runs` runs side by side that differ in some numbers: path -> (runs,) values.

        Each run gives what it would give alone with `patched` tables. A path that owns no cell raises KeyError.
        """
        arrays = {
            name: np.repeat(array[..., None], runs, axis=-1) if name in NUMBERS else array
            for name, array in self.tables.arrays().items()
        }
        for path, values in numbers.items():
            for name, index in self.owners[path]:
                arrays[name][index] = values
        return replace(self, tables=PointTables(**arrays))


@dataclass(frozen=True)
class Acts:
    """Acts of some runs: equal-length arrays in order of run, turn, actor and choice."""

    run: Longs
    turn: Ints
    option: Ints
    chance: Floats
    succeeded: Flags
    utility: Floats  # expected utility at the choice
    probability: Floats  # of being chosen next, given the acts already taken that turn; NaN where not asked for


@dataclass(frozen=True)
class History:
    """What came of some runs. Turn 0 is the start; row t is the end of turn t."""

    runs: Longs  # (R,)
    states: Floats3  # (R, T + 1, S)
    alpha: Floats3  # (R, T + 1, B)
    beta: Floats3
    incidents: Annotated[NDArray[np.bool_], 3]  # (R, T, I)
    acts: Acts

"""Every array of the model: its shape, unit and meaning, stated once.

`Tables` is a scenario as numbers and indices, read-only while runs go on. `State` is what changes, for several runs
side by side: its last axis is always the run, `r`, so that the innermost loops work on many runs at once.
`Compiled` carries the tables with the names behind them; `History` is what came of a set of runs.

Index letters: r run, t turn, i acting actor, j target, o onlooker or owner, a action, s slot of the state vector,
q assurance; d deal (a bargain between two), p promise of a deal, f forum, u output of a forum; k an interest slot (a
slot that somebody has an interest in), b a belief (receiver, giver, kind).
A *source* is what a factor reads: a slot's share of its range, or a capability; it is coded 2 x index + (1 for `not`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
Ints3 = Annotated[NDArray[np.int32], 3]
Longs = Annotated[NDArray[np.int64], 1]
Keys = Annotated[NDArray[np.uint64], 1]
Flags = Annotated[NDArray[np.bool_], 1]
Flags2 = Annotated[NDArray[np.bool_], 2]

ADD, TO, RAISE, LOWER = 0, 1, 2, 3
ALWAYS, KEPT, BROKEN = 0, 1, 2
QUANTAL, BEST, RANDOM, FROZEN, TREND, REINFORCEMENT, CHALLENGE = range(7)
POLICIES = {
    "quantal": QUANTAL,
    "best": BEST,
    "random": RANDOM,
    "frozen": FROZEN,
    "trend": TREND,
    "reinforcement": REINFORCEMENT,
    "challenge": CHALLENGE,
}
MEMORY = {"week": 52, "month": 12, "quarter": 4, "year": 1}  # turns of a year, which `trend` looks back

# Kinds of talk (`Talks`): what its row is, and what its result, probability, first and second number are.
ANSWER = 0  # deal; REFUSED, ACCEPTED, COUNTERED or LAPSED; of accepting; worth to the target, worth to the proposer
REPLY = 1  # deal of a counter-offer; 1 accepted; of accepting; worth to the proposer; -
JOIN = 2  # promise of a joiner; 1 joins; of joining; worth to the joiner; -
OWED = 3  # promise; turn in which it falls due; -; worth to its receiver, worth to its giver (less the cost)
SETTLED = (
    4  # promise; BROKEN, KEPT, VOID or FAILED (still owed); of delivering (1: done unasked); stake; loss by default
)
SESSION = 5  # forum; convener's actor, -1: dated; -; members present; -
ATTEND = 6  # seat; 1 present; of attending; worth of being there; -
MOVED = 7  # place; -1; -; position before; the move
OUTPUT = 8  # output; 1 follows; -; widest spread; vetoes
VETO = 9  # veto; 1 cast; of casting; worth of the output; -
TESTED = 10  # belief; 1 kept; of keeping; visibility; -
REFUSED, ACCEPTED, COUNTERED, LAPSED = 0, 1, 2, 3
BROKEN_WORD, KEPT_WORD, VOID, FAILED = 0, 1, 2, 3


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
    depth: Ints  # 0..2
    contests: Flags  # declares a `challenge`
    contested: Floats  # position as a share of its range, where it is a number
    contested_slot: Ints  # -1, or the position
    clout: Floats
    resolve: Floats
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
    option_deal: Ints  # -1, or the deal that it offers
    option_convener: Ints  # -1, or the row of its convener
    tenor: Floats  # Goldstein weight / 10 of its action, 0 where there is none
    past: Floats2  # (W, O) how often it was done in the n-th turn before the first
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
    belief_of: Ints  # (S,) the belief of a promise, by its slot, or -1
    # what hangs on a belief: options of its receiver, rows hung_start[b]..
    hung_start: Ints
    hung_option: Ints
    hung_belief: Ints
    received_start: Ints  # by receiver: rows of the above
    received_hung: Ints
    given_start: Ints  # by giver
    given_hung: Ints
    word_start: Ints  # rows by option: its effects on promises
    word_effect: Ints
    stirred: Ints  # slots that an option's effects reach
    # valuations: what an option is worth to an actor, rows value_start[x]..
    value_start: Ints
    value_option: Ints
    # deals: (D,) by bargain, proposer, target
    deal_option: Ints
    deal_key: Keys
    deal_active: Floats
    deal_bias: Floats
    deal_visibility: Floats
    deal_expires: Ints
    deal_counter: Ints  # -1, or the deal that can be offered instead
    deal_promise: Ints  # (D + 1) rows of promises: the proposer's, the joiners', last the target's
    asked_start: Ints  # rows by act that is asked for: deals answered together
    asked_deal: Ints
    asked_key: Keys
    promise_option: Ints  # (P,) the act promised
    promise_deal: Ints
    promise_giver: Ints
    promise_receiver: Ints
    promise_after: Ints
    promise_value: Ints  # valuation by its giver
    promise_gift: Ints  # valuation by its receiver
    promise_return: Ints  # valuation, by its giver, of what is promised for it; -1 on the target's
    promise_belief: Ints  # (receiver, giver, word)
    promise_trust: Ints  # the giver's belief in the target's word; -1 on the target's
    promise_key: Keys
    join_key: Keys
    owed_start: Ints  # rows by option: promises of it
    owed_promise: Ints
    # fora: (F,) seats of members (forum, member), agenda items (G,), places (item, member with a position)
    forum_active: Floats
    forum_pause: Ints
    forum_quorum: Ints
    dated_session_start: Ints  # rows by f: turns
    dated_session: Ints
    seat_start: Ints  # rows by f
    seat_actor: Ints
    seat_attend: Floats
    seat_key: Keys
    item_start: Ints  # rows by f
    place_start: Ints  # rows by item
    place_seat: Ints
    place_slot: Ints
    place_openness: Floats
    place_salience: Floats
    place_power: Ints  # source of the capability, -1: weighs 1, -2: weighs 0
    place_regard: Ints  # where its row of `regard_slot` begins: one for each place of the item
    regard_slot: Ints  # -1: none
    output_start: Ints  # rows by f
    output_option: Ints
    output_within: Floats
    output_bias: Floats
    output_on_start: Ints  # rows by u: items
    output_on: Ints
    veto_start: Ints  # rows by u
    veto_seat: Ints
    veto_value: Ints  # valuation of the output by the member
    veto_key: Keys
    occasion_start: Ints  # rows by u: acts of members
    occasion_option: Ints
    occasion_seat: Ints
    occasion_value: Ints  # valuation by its actor
    occasion_key: Keys
    convener_start: Ints  # rows by actor
    convener_forum: Ints
    prospect_start: Ints  # rows by convener: one for each output of the forum
    prospect_value: Ints  # valuation of the output by the convener
    boon_start: Ints  # rows by prospect: one for each occasion of the output
    boon_value: Ints
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
    change: Floats2  # (8, R) working rows
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
    turn: Longs  # (1,) the turn under way
    assumed: Longs  # (1,) the belief whose promise counts as given in full, -1: none
    # valuations
    value: Floats2  # (V, R) V of odd.md 7.10
    charge: Floats2  # (V, R) cost, on the rows of the option's own actor
    prospect: Floats2  # (V, R) chance
    possible: Flags2  # (V, R) the option's conditions hold
    # bargains
    table: Ints2  # (D, R) last turn that the offer is on the table
    joined: Flags2  # (P, R) in the answer under way
    due: Ints2  # (P, R) turn in which a promise falls due, 0: nothing owed
    broken_on: Ints2  # (P, R) turn in which it was broken since it was last made, 0: not
    loss: Floats2  # (P, R) value to its giver of the loss of credibility
    delivered: Floats2  # (P, R) probability with which it was delivered this turn, NaN: not
    reply: Ints2  # (D, R) what a player answers: 0 as the model would, 1 accept, 2 refuse, 3 later
    serve: Ints2  # (P, R) whether a player's promise is delivered: 0 as the model would, 2 by his own act alone
    # fora
    met: Ints2  # (F, R) turn of the last session
    session: Ints2  # (F, R) this turn: 0 none, 1 dated, 2 + actor: convened
    here: Flags2  # (seats, R)
    move: Floats2  # (places, R) moves of all members
    trial: Floats2  # (places, R) moves of those who are here
    drawn: Floats2  # (conveners, R) worth of the moves of all members
    worth: Floats2  # (seats, R) worth of being there
    seated: Ints2  # (seats, R) what a player does: 0 as the model would, 1 attends, 2 stays away
    # depth
    actual: Floats2  # (S, R) the state while an expected one stands in x
    shift: Floats3  # (N, stirred, R) expected shifts by each actor, at level 0
    next_shift: Floats3  # ... at level 1
    shifts: Floats2  # (stirred, R) their sum
    next_shifts: Floats2
    likely: Floats2  # (O_max, R)
    answering: Floats2  # (hung, R) how much likelier the full promise makes an option, at level 0
    next_answering: Floats2  # ... at level 1
    hung_value: Floats2  # (hung, R) worth to the giver
    # rival policies
    recent: Floats3  # (W, O, R) how often each option was done, a ring over turns
    propensity: Floats2  # (O + N, R) of each option, then of each actor's hold
    before: Floats2  # (S, R) the state at the start of the turn
    contest: Floats3  # (N, N, R) E_ij of the challenge model
    # what was said and settled this turn
    told: Ints  # (R,)
    talk: Ints3  # (R, C, 3) kind, row, result
    talk_number: Floats3  # (R, C, 3) probability, first, second


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
    | {"contested", "clout", "resolve", "deal_active", "deal_bias", "deal_visibility"}
    | {"forum_active", "seat_attend", "place_openness", "place_salience", "output_within", "output_bias"}
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
    deals: list[tuple[str, str, str]]  # (D,) bargain, proposer, target
    promises: list[tuple[int, str, str, str]]  # (P,) deal, giver, receiver, assurance
    fora: list[str]
    seats: list[tuple[str, str]]  # forum, member
    places: list[tuple[str, str, str]]  # forum, agenda item, member
    outputs: list[tuple[str, str]]  # forum, output
    vetoes: list[tuple[str, str, str]]  # forum, output, member
    owners: dict[str, list[tuple[str, tuple[int, ...]]]] = field(repr=False)  # number's path -> cells of the tables
    space: dict[str, int] = field(repr=False, default_factory=dict)  # sizes of working space
    record: Callable[[], Floats2] | None = field(repr=False, default=None)  # (W, O) acts of the dated record: `past`

    @property
    def turns(self) -> int:
        return len(self.dates)

    def with_policy(self, policy: str | None) -> Compiled:
        """The same with every actor choosing by this policy; None leaves it as the scenario says."""
        if policy is None:
            return self
        chosen = np.full_like(self.tables.policy, POLICIES[policy])
        past = self.record() if policy == "trend" and self.record is not None else self.tables.past
        return replace(self, tables=self.tables.replaced(policy=chosen, past=past))

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
class Talks:
    """What was answered, owed, settled, moved and voted: equal-length arrays in order of run and turn.

    kind: ANSWER ... TESTED, above; what row, result and the numbers are depends on it. Numbers without meaning are NaN.
    """

    run: Longs
    turn: Ints
    kind: Ints
    row: Ints
    result: Ints
    probability: Floats
    first: Floats
    second: Floats

    @staticmethod
    def none() -> Talks:
        """Nothing said."""
        few, none = np.empty(0, dtype=np.int32), np.empty(0)
        return Talks(np.empty(0, dtype=np.int64), few, few, few, few, none, none, none)


@dataclass(frozen=True)
class History:
    """What came of some runs. Turn 0 is the start; row t is the end of turn t."""

    runs: Longs  # (R,)
    states: Floats3  # (R, T + 1, S)
    alpha: Floats3  # (R, T + 1, B)
    beta: Floats3
    incidents: Annotated[NDArray[np.bool_], 3]  # (R, T, I)
    acts: Acts
    talks: Talks = field(default_factory=Talks.none)

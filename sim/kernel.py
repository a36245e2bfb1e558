"""The order of a turn, and many runs at once.

A turn is `open_turn` (dated events, incidents, beliefs, what others are expected to do), `appraise` and `choose` for
each actor, and `close_turn` (offers, promises due, fora, effects, regard, couplings). Mesa's `World` calls the same four for one run as `simulate` does for many side by side;
the rules themselves are in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sim import draws, rules
from sim.arrays import (
    ACCEPTED,
    ADD,
    ALWAYS,
    ANSWER,
    ATTEND,
    BEST,
    BROKEN,
    BROKEN_WORD,
    CHALLENGE,
    COUNTERED,
    FAILED,
    FROZEN,
    JOIN,
    KEPT_WORD,
    LAPSED,
    LOWER,
    MOVED,
    OUTPUT,
    OWED,
    RAISE,
    RANDOM,
    REFUSED,
    REINFORCEMENT,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    TO,
    TREND,
    VETO,
    VOID,
    Acts,
    Compiled,
    History,
    State,
    Tables,
    Talks,
)
from sim.jit import inlined, njit, of, of_pair
from sim.maths import exp, log

LANES = 64  # runs side by side: enough for the vector units, few enough for the cache
NOT_DRAWN = -1.0
NEVER = -(10**6)  # turn of what has not been
# What a player answers or does (State.reply, serve, seated); 0: as the model would.
YES, NO, LATER = 1, 2, 3
DATED, CONVENED = 1, 2


# ------------------------------------------------------------------ factors


@njit
def _read_sources(T: Tables, S: State):
    """Shares of all slots, as factors read them until the next reading."""
    for s in range(T.low.shape[0]):
        low, high = T.low[s], T.high[s]
        for r in range(S.run.shape[0]):
            S.source[s, r] = rules.share(S.x[s, r], low, high)


@njit
def _times(T: Tables, S: State, references, first, count, out):
    """Multiply the row `out` by factors; each reference is 2 x source + (1: not)."""
    for n in range(first, first + count):
        code = references[n]
        source, negated = code >> 1, (code & 1) == 1
        if negated:
            for r in range(S.run.shape[0]):
                out[r] *= rules.factor(S.source[source, r], True)
        else:
            for r in range(S.run.shape[0]):
                out[r] *= rules.factor(S.source[source, r], False)


@njit
def _product(S: State, references, first, count, r):
    """Product of factors in one run, multiplied in the same order as `_times`."""
    product = 1.0
    for n in range(first, first + count):
        code = references[n]
        product *= rules.factor(S.source[code >> 1, r], (code & 1) == 1)
    return product


# ------------------------------------------------------------------ sums of effects (odd.md 7.6)


@njit
def _clear_sums(S: State):
    S.add[:] = 0.0
    S.level[:] = 0.0
    S.levels[:] = 0.0
    S.up[:] = -np.inf
    S.down[:] = np.inf


@njit
def _gather(S: State, kind, s, value, counts, r):
    """Add one realised effect of run r to the turn's sums."""
    if kind == ADD:
        S.add[s, r] += value * counts
    elif kind == TO:
        S.level[s, r] += S.x[s, r] + counts * (value - S.x[s, r])
        S.levels[s, r] += 1.0
    elif kind == RAISE:
        S.up[s, r] = max(S.up[s, r], value)
    else:
        S.down[s, r] = min(S.down[s, r], value)


@njit
def _delay(S: State, turn, after, s, amount, r):
    S.under_way[(turn + after) % S.under_way.shape[0], s, r] += amount


@njit
def _settle(T: Tables, S: State):
    """Bring the sums into the state: levels, steps, one clamp; on ladders the highest lift, then the lowest drop."""
    for s in range(T.low.shape[0]):
        low, high = T.low[s], T.high[s]
        for r in range(S.run.shape[0]):
            base = S.level[s, r] / S.levels[s, r] if S.levels[s, r] > 0.0 else S.x[s, r]
            value = rules.clamp(base + S.add[s, r], low, high)
            S.x[s, r] = min(max(value, S.up[s, r]), S.down[s, r])


# ------------------------------------------------------------------ step 1 and 2


@njit
def _hazard(T: Tables, S: State, n, out):
    """Probability of incident n in each run, from the sources as last read."""
    for r in range(S.run.shape[0]):
        out[r] = of(T.hazard, n, r)
    for p in range(T.step_start[n], T.step_start[n + 1]):
        source = T.step_source[p]
        for r in range(S.run.shape[0]):
            out[r] += of(T.step_add, p, r) * S.source[source, r]
    first = T.hazard_factor_start[n]
    _times(T, S, T.hazard_factor, first, T.hazard_factor_start[n + 1] - first, out)
    for r in range(S.run.shape[0]):
        out[r] = rules.clamp(out[r], 0.0, 1.0)


@njit
def begin(T: Tables, S: State):
    """Put the runs at their start: starting values, prior beliefs, nothing under way."""
    for r in range(S.run.shape[0]):
        for s in range(T.low.shape[0]):
            S.x[s, r] = of(T.start, s, r)
        for c in range(T.capability.shape[0]):
            S.source[T.low.shape[0] + c, r] = of(T.capability, c, r)
        for b in range(T.promised.shape[0]):
            S.alpha[b, r] = of(T.prior_kept, b, r)
            S.beta[b, r] = of(T.prior_broken, b, r)
            S.x[T.credibility[b], r] = S.alpha[b, r] / (S.alpha[b, r] + S.beta[b, r])
    S.kept[:] = 0.0
    S.broken[:] = 0.0
    S.under_way[:] = 0.0
    S.foreseen_for[:] = np.nan
    S.taken[:] = 0
    S.told[:] = 0
    S.table[:] = 0
    S.due[:] = 0
    S.broken_on[:] = 0
    S.met[:] = NEVER
    S.reply[:] = 0
    S.serve[:] = 0
    S.seated[:] = 0
    S.recent[:] = 0.0
    S.propensity[:] = 0.0
    S.shift[:] = 0.0
    S.turn[0] = 0
    S.assumed[0] = -1
    _read_sources(T, S)
    for n in range(T.incident_key.shape[0]):
        _hazard(T, S, n, S.hazard_start[n])


@njit
def _dated(T: Tables, S: State, turn):
    for n in range(T.dated_turn.shape[0]):
        if T.dated_turn[n] == turn:
            s = T.dated_slot[n]
            for r in range(S.run.shape[0]):
                value = of(T.dated_value, n, r)
                S.x[s, r] = S.x[s, r] + value if T.dated_adds[n] else value
    for n in range(T.dated_turn.shape[0]):
        if T.dated_turn[n] == turn:
            s = T.dated_slot[n]
            for r in range(S.run.shape[0]):
                S.x[s, r] = rules.clamp(S.x[s, r], T.low[s], T.high[s])


@njit
def _incidents(T: Tables, S: State, seed, turn):
    """Draw the incidents, tell the beliefs of them, and let them do what they do."""
    if T.incident_key.shape[0] == 0:
        return
    _read_sources(T, S)
    _clear_sums(S)
    any_blow = False
    hazard = S.change[0]
    for n in range(T.incident_key.shape[0]):
        _hazard(T, S, n, hazard)
        for r in range(S.run.shape[0]):
            u = draws.uniform(seed, S.run[r], turn, T.incident_key[n], draws.INCIDENT)
            S.happened[n, r] = u < hazard[r]
        for p in range(T.belied_start[n], T.belied_start[n + 1]):
            b = T.belied_belief[p]
            for r in range(S.run.shape[0]):
                seen = 1.0 if T.belied_full[p] else of(T.hazard_visibility, n, r)
                weight, first = seen * S.x[T.promised[b], r], S.hazard_start[n, r]
                kept, broken = of(T.prior_kept, b, r), of(T.prior_broken, b, r)
                credible, told = kept / (kept + broken), of(T.belief_signal, b, r)
                if S.happened[n, r]:
                    S.broken[b, r] += weight * rules.incident_broken(told, first, credible)
                else:
                    S.kept[b, r] += weight * rules.incident_kept(told, first, credible)
        for e in range(T.blow_start[n], T.blow_start[n + 1]):
            first = T.blow_factor_start[e]
            count = T.blow_factor_start[e + 1] - first
            for r in range(S.run.shape[0]):
                if S.happened[n, r]:
                    any_blow = True
                    value = of(T.blow_value, e, r) * _product(S, T.blow_factor, first, count, r)
                    if T.blow_after[e] > 0:
                        _delay(S, turn, T.blow_after[e], T.blow_slot[e], value, r)
                    else:
                        _gather(S, T.blow_kind[e], T.blow_slot[e], value, 1.0, r)
    if any_blow:
        _settle(T, S)


@njit
def _believe(T: Tables, S: State):
    for b in range(T.promised.shape[0]):
        s = T.credibility[b]
        for r in range(S.run.shape[0]):
            forgets = of(T.forgetting, b, r)
            alpha = rules.remembered(of(T.prior_kept, b, r), S.alpha[b, r], forgets, S.kept[b, r])
            beta = rules.remembered(of(T.prior_broken, b, r), S.beta[b, r], forgets, S.broken[b, r])
            S.alpha[b, r] = alpha
            S.beta[b, r] = beta
            S.x[s, r] = alpha / (alpha + beta)
            S.kept[b, r] = 0.0
            S.broken[b, r] = 0.0


def open_turn(T: Tables, S: State, seed: np.uint64, turn: int) -> None:
    """Steps 1 and 2: dated events, incidents, beliefs. Afterwards the state is that of the start of the turn.

    Also what step 3 needs of others: what their acts are worth to whom, and, for actors of some depth, what they are
    expected to do.
    """
    _open(T, S, seed, turn)
    _weigh(T, S)
    _expect(T, S)


@njit
def _open(T: Tables, S: State, seed, turn):
    """Steps 1 and 2."""
    S.turn[0] = turn
    S.told[:] = 0
    _dated(T, S, turn)
    _incidents(T, S, seed, turn)
    _believe(T, S)
    _read_sources(T, S)
    for c in range(T.coupling_from.shape[0]):
        for r in range(S.run.shape[0]):
            S.coefficient[c, r] = of(T.coupling_add, c, r)
        first = T.coupling_factor_start[c]
        _times(T, S, T.coupling_factor, first, T.coupling_factor_start[c + 1] - first, S.coefficient[c])
    S.foreseen_now[0] = False
    S.taken[:] = 0
    S.delivered[:] = np.nan
    if S.before.shape[0] > 0:
        S.before[:] = S.x
    if S.contest.shape[0] > 0:
        for r in range(S.run.shape[0]):
            _dispute(T, S, r)


# ------------------------------------------------------------------ step 3


@njit
def _step_back(T: Tables, S: State, node, v, n, out):
    """C applied once more: the n-th power's weight on local node v, from the powers before, into the row `out`."""
    s = T.node_slot[node]
    for r in range(S.run.shape[0]):
        out[r] = (1.0 - of(T.pull, s, r)) * S.walk[v, n - 1, r]
    for e in range(T.arrow_start[node], T.arrow_start[node + 1]):
        moved, c = T.arrow_to[e], T.arrow_coupling[e]
        for r in range(S.run.shape[0]):
            out[r] += S.coefficient[c, r] * S.walk[moved, n - 1, r]


@njit
def _follow_leaf(T: Tables, S: State, i, s, moved, c, total):
    """A node that nothing leads to, with one arrow: its powers are wanted for their sum only."""
    for r in range(S.run.shape[0]):
        foresight, stays = of(T.foresight, i, r), 1.0 - of(T.pull, s, r)
        now, power, sum_ = 0.0, 1.0, 0.0
        for n in range(1, rules.HORIZON + 1):
            now = stays * now + S.coefficient[c, r] * S.walk[moved, n - 1, r]
            power *= foresight
            sum_ += (power if n == rules.HORIZON else (1.0 - foresight) * power) * now
        total[r] = sum_


@njit
def _foresee(T: Tables, S: State, i):
    """W of odd.md 7.3 for every wanted pair: what a unit change of slot s comes to in interest slot k.

    Walks the couplings backwards from each k, node by node: S.walk holds the powers of C on the way. Nodes that lead
    to one another go side by side, power by power. What no factor moves is kept from turn to turn.
    """
    same = True
    for r in range(S.run.shape[0]):
        same &= S.foreseen_for[r] == of(T.foresight, i, r)
        S.foreseen_for[r] = of(T.foresight, i, r)
        for n in range(rules.HORIZON + 1):
            S.discount[n, r] = rules.discount(of(T.foresight, i, r), n)
    for k in range(T.rank_slot.shape[0]):
        if same and not T.varies[k]:
            continue
        first, last = T.node_start[k], T.node_start[k + 1]
        v = 0
        while v < last - first:
            end = T.node_end[first + v]
            if (
                end == v + 1
                and not T.node_feeds[first + v]
                and T.arrow_start[first + v + 1] == T.arrow_start[first + v] + 1
            ):
                e, w = T.arrow_start[first + v], T.node_pair[first + v]
                if w >= 0:
                    _follow_leaf(T, S, i, T.node_slot[first + v], T.arrow_to[e], T.arrow_coupling[e], S.foreseen[w])
            else:
                for u in range(v, end):
                    for r in range(S.run.shape[0]):
                        S.walk[u, 0, r] = 1.0 if u == 0 else 0.0  # node 0 is k itself
                for n in range(1, rules.HORIZON + 1):
                    for u in range(v, end):
                        _step_back(T, S, first + u, u, n, S.walk[u, n])
                for u in range(v, end):
                    w = T.node_pair[first + u]
                    if w >= 0:
                        for r in range(S.run.shape[0]):
                            S.foreseen[w, r] = S.discount[0, r] * S.walk[u, 0, r]
                        for n in range(1, rules.HORIZON + 1):
                            for r in range(S.run.shape[0]):
                                S.foreseen[w, r] += S.discount[n, r] * S.walk[u, n, r]
            v = end
    S.foreseen_now[0] = True


@njit
def _want(T: Tables, S: State, o, risky):
    """Add owner o's quadratic interests, at its weight, to the slopes and bends; True where another loss remains."""
    for r in range(S.run.shape[0]):
        risky |= of(T.risk, o, r) != 2.0
    for h in range(T.interest_start[o], T.interest_start[o + 1]):
        s, k, moves = T.interest_slot[h], T.interest_rank[h], T.ideal_slot[h]
        width = T.high[s] - T.low[s]
        if moves >= 0:
            for r in range(S.run.shape[0]):
                weight = S.weight[o, r] if of(T.risk, o, r) == 2.0 else 0.0
                salience = of(T.salience, h, r)
                S.slope[k, r] += weight * rules.slope(salience, S.x[moves, r], S.x[s, r], width)
                S.bend[k, r] += weight * rules.bend(salience, width)
        else:
            for r in range(S.run.shape[0]):
                weight = S.weight[o, r] if of(T.risk, o, r) == 2.0 else 0.0
                salience = of(T.salience, h, r)
                S.slope[k, r] += weight * rules.slope(salience, of(T.ideal, h, r), S.x[s, r], width)
                S.bend[k, r] += weight * rules.bend(salience, width)
    return risky


@njit
def _look(T: Tables, S: State, i):
    """What i cares for now: own weight 1, others' stake x regard; slopes and bends of each interest slot."""
    for p in range(T.cares_start[i], T.cares_start[i + 1]):
        S.slope[T.cares_rank[p], :] = 0.0
        S.bend[T.cares_rank[p], :] = 0.0
    S.weight[i, :] = 1.0
    risky = _want(T, S, i, False)
    for p in range(T.mind_start[i], T.mind_start[i + 1]):
        o, s = T.mind_actor[p], T.mind_slot[p]
        for r in range(S.run.shape[0]):
            S.weight[o, r] = of(T.stake, p, r) * S.x[s, r]
        risky = _want(T, S, o, risky)
    return risky


@njit
def _other_losses(T: Tables, S: State, i, k, moved, gain):
    """Gains of i and of those it minds in slot k under losses that are not quadratic."""
    s = T.rank_slot[k]
    width = T.high[s] - T.low[s]
    for p in range(T.holder_start[k], T.holder_start[k + 1]):
        h, o = T.holder_interest[p], T.holder_owner[p]
        minded = o == i
        for m in range(T.mind_start[i], T.mind_start[i + 1]):
            minded = minded or T.mind_actor[m] == o
        if minded:
            for r in range(S.run.shape[0]):
                risk = of(T.risk, o, r)
                if risk != 2.0:
                    ideal = S.x[T.ideal_slot[h], r] if T.ideal_slot[h] >= 0 else of(T.ideal, h, r)
                    after = S.x[s, r] + moved[r]
                    gain[r] += S.weight[o, r] * rules.gain(of(T.salience, h, r), ideal, S.x[s, r], after, width, risk)


@njit
def _change_of(T: Tables, S: State, i, e, place, change):
    """Expected change of its slot by one effect of an option, into the row `change`."""
    s, b, factors = T.reference[place], T.reference[place + 1], T.effect_factors[e]
    low, high, kind = T.low[s], T.high[s], T.effect_kind[e]
    hangs = T.effect_when[e] != ALWAYS and b >= 0
    if kind == ADD and not hangs and factors == 0:
        for r in range(S.run.shape[0]):
            change[r] = rules.step(S.x[s, r], of(T.effect_value, e, r), low, high)
    elif kind == ADD and not hangs and factors == 1:
        code = T.reference[place + 2]
        source = code >> 1
        if code & 1 == 1:
            for r in range(S.run.shape[0]):
                size = of(T.effect_value, e, r) * rules.factor(S.source[source, r], True)
                change[r] = rules.step(S.x[s, r], size, low, high)
        else:
            for r in range(S.run.shape[0]):
                size = of(T.effect_value, e, r) * rules.factor(S.source[source, r], False)
                change[r] = rules.step(S.x[s, r], size, low, high)
    else:
        for r in range(S.run.shape[0]):
            change[r] = of(T.effect_value, e, r)
        _times(T, S, T.reference, place + 2, factors, change)
        if kind == RAISE:
            for r in range(S.run.shape[0]):
                change[r] = rules.lift(S.x[s, r], change[r])
        elif kind == LOWER:
            for r in range(S.run.shape[0]):
                change[r] = rules.drop(S.x[s, r], change[r])
        else:
            counts = S.change[3]
            for r in range(S.run.shape[0]):
                counts[r] = 1.0
            if hangs:
                on_broken = T.effect_when[e] == BROKEN
                full = S.assumed[0] == b
                for r in range(S.run.shape[0]):
                    promise = 1.0 if full else S.x[T.promised[b], r]
                    counts[r] = rules.reliance(promise, S.x[T.credibility[b], r], on_broken)
            if kind == ADD:
                for r in range(S.run.shape[0]):
                    change[r] = rules.step(S.x[s, r], change[r] * counts[r], low, high)
            else:
                for r in range(S.run.shape[0]):
                    change[r] = rules.levelling(S.x[s, r], change[r], counts[r], low, high)
    if T.effect_after[e] > 0:
        for r in range(S.run.shape[0]):
            change[r] *= rules.delayed(of(T.foresight, i, r), T.effect_after[e])


@njit
def _bring(T: Tables, S: State, i, s, change, touched, stamp):
    """Add what a change of slot s comes to in the slots that matter to i; returns how many are touched."""
    for p in range(T.reach_start[s], T.reach_start[s + 1]):
        k, w = T.reach_rank[p], T.reach_pair[p]
        if not T.cares[i, k]:
            continue
        if S.mark[k] != stamp:
            S.mark[k] = stamp
            S.touched[touched] = k
            touched += 1
            for r in range(S.run.shape[0]):
                S.moved[k, r] = S.foreseen[w, r] * change[r]
        else:
            for r in range(S.run.shape[0]):
                S.moved[k, r] += S.foreseen[w, r] * change[r]
    return touched


@njit
def _sum_up(T: Tables, S: State, i, touched, risky, gain):
    """What the changes in the touched slots are worth to i (odd.md 7.4), into the row `gain`."""
    if touched == 0 or risky:
        for r in range(S.run.shape[0]):
            gain[r] = 0.0
    for n in range(touched):
        k = S.touched[n]
        s = T.rank_slot[k]
        low, high = T.low[s], T.high[s]
        if risky:
            for r in range(S.run.shape[0]):
                d = rules.step(S.x[s, r], S.moved[k, r], low, high)
                S.moved[k, r] = d
                gain[r] += (S.slope[k, r] - S.bend[k, r] * d) * d
            _other_losses(T, S, i, k, S.moved[k], gain)
        elif n == 0:
            for r in range(S.run.shape[0]):
                d = rules.step(S.x[s, r], S.moved[k, r], low, high)
                gain[r] = (S.slope[k, r] - S.bend[k, r] * d) * d
        else:
            for r in range(S.run.shape[0]):
                d = rules.step(S.x[s, r], S.moved[k, r], low, high)
                gain[r] += (S.slope[k, r] - S.bend[k, r] * d) * d


@njit
def _value_of(T: Tables, S: State, i, o, attempt, risky, gain):
    """V of one group of an option's effects (odd.md 7.4) to i, into the row `gain`; whether there is any."""
    a, at = T.option_action[o], T.option_at[o]
    touched = 0
    S.mark[S.mark.shape[0] - 1] += 1
    stamp = S.mark[S.mark.shape[0] - 1]
    change = S.change[1]
    for e in range(T.effect_start[a], T.effect_start[a + 1]):
        place = at + T.effect_at[e]
        s = T.reference[place]
        if T.effect_attempt[e] != attempt or s < 0 or T.reach_start[s] == T.reach_start[s + 1]:
            continue
        _change_of(T, S, i, e, place, change)
        touched = _bring(T, S, i, s, change, touched, stamp)
    _sum_up(T, S, i, touched, risky, gain)
    return touched > 0


@njit
def _ready(T: Tables, S: State, i):
    """Bring the foresight W up to the turn and to i's gamma."""
    stale = not S.foreseen_now[0]
    for r in range(S.run.shape[0]):
        stale |= S.foreseen_for[r] != of(T.foresight, i, r)
    if stale:
        _foresee(T, S, i)


@njit
def _needs_hold(T: Tables, S: State, o, holds):
    """Which runs meet an option's conditions, into the row `holds`; whether any does."""
    a, at = T.option_action[o], T.option_at[o]
    for r in range(S.run.shape[0]):
        holds[r] = True
    for n in range(T.need_start[a], T.need_start[a + 1]):
        s = T.reference[at + n - T.need_start[a]]
        if s < 0:
            for r in range(S.run.shape[0]):
                holds[r] = False
        elif T.need_least[n]:
            for r in range(S.run.shape[0]):
                holds[r] &= S.x[s, r] >= of(T.need_value, n, r)
        else:
            for r in range(S.run.shape[0]):
                holds[r] &= S.x[s, r] <= of(T.need_value, n, r)
    some = False
    for r in range(S.run.shape[0]):
        some |= holds[r]
    return some


@njit
def _chances(T: Tables, S: State, o, odds, costs):
    """Chance and cost of an option to its actor, into the rows; an output of a forum is sure and costs nothing."""
    i, a, at = T.option_actor[o], T.option_action[o], T.option_at[o]
    for r in range(S.run.shape[0]):
        odds[r] = of_pair(T.chance, a, i, r) if i >= 0 else 1.0
        costs[r] = of_pair(T.cost, a, i, r) if i >= 0 else 0.0
    _times(T, S, T.reference, at + T.chance_at[a], T.chance_factors[a], odds)
    _times(T, S, T.reference, at + T.cost_at[a], T.cost_factors[a], costs)
    for r in range(S.run.shape[0]):
        odds[r] = rules.clamp(odds[r], 0.0, 1.0)


@njit
def _available(T: Tables, S: State, i):
    """Which of i's options are available in which runs (S.available; S.open: in some)."""
    first = T.option_start[i]
    for o in range(first, T.option_start[i + 1]):
        row = o - first
        some = _needs_hold(T, S, o, S.available[row])
        d, c = T.option_deal[o], T.option_convener[o]
        if some and (d >= 0 or c >= 0):
            some = False
            for r in range(S.run.shape[0]):
                if d >= 0:
                    S.available[row, r] &= _offerable(T, S, d, r) and S.table[d, r] < S.turn[0]
                else:
                    S.available[row, r] &= _convenable(T, S, T.convener_forum[c], r)
                some |= S.available[row, r]
        S.open[row] = some


@njit
def _dealings(T: Tables, S: State, i):
    """Chances and expected utilities of i's offers and convenings, at the actual state."""
    first, costs = T.option_start[i], S.change[1]
    for o in range(first, T.option_start[i + 1]):
        row, d, c = o - first, T.option_deal[o], T.option_convener[o]
        if S.open[row] and (d >= 0 or c >= 0):
            _chances(T, S, o, S.odds[row], costs)
            for r in range(S.run.shape[0]):
                if S.available[row, r]:
                    worth = _offer_utility(T, S, d, r) if d >= 0 else _convening_utility(T, S, c, r)
                    S.utility[row, r] = worth - costs[r]


@njit
def _appraise(T: Tables, S: State, i, level, stays):
    """Step 3 for actor i as one of this depth would do it (odd.md 7.13). stays: leave in S.x the state that i expects."""
    _available(T, S, i)
    _dealings(T, S, i)
    if level > 0:
        _expected_state(T, S, i)
    _ready(T, S, i)
    risky = _look(T, S, i)
    first = T.option_start[i]
    gain, attempted, costs = S.change[0], S.change[2], S.change[1]
    if level > 0:
        for p in range(T.given_start[i], T.given_start[i + 1]):
            h = T.given_hung[p]
            _worth(T, S, i, T.hung_option[h], risky, S.hung_value[h])
    for o in range(first, T.option_start[i + 1]):
        a, at, row = T.option_action[o], T.option_at[o], o - first
        if not S.open[row]:
            continue
        if T.option_deal[o] >= 0 or T.option_convener[o] >= 0:
            continue  # see `_dealings`
        _value_of(T, S, i, o, 0, risky, gain)
        tries = T.attempts[a] and _value_of(T, S, i, o, 1, risky, attempted)
        words = level > 0 and T.word_start[o] < T.word_start[o + 1]
        if T.chance_factors[a] == 0 and T.cost_factors[a] == 0 and not tries and not words:
            for r in range(S.run.shape[0]):
                chance = rules.clamp(of_pair(T.chance, a, i, r), 0.0, 1.0)
                S.odds[row, r] = chance
                S.utility[row, r] = rules.expected_utility(chance, gain[r], 0.0, of_pair(T.cost, a, i, r))
            continue
        if not tries:
            for r in range(S.run.shape[0]):
                attempted[r] = 0.0
        if words:
            _answered(T, S, i, o, gain, attempted)
        for r in range(S.run.shape[0]):
            S.odds[row, r] = of_pair(T.chance, a, i, r)
            costs[r] = of_pair(T.cost, a, i, r)
        _times(T, S, T.reference, at + T.chance_at[a], T.chance_factors[a], S.odds[row])
        _times(T, S, T.reference, at + T.cost_at[a], T.cost_factors[a], costs)
        for r in range(S.run.shape[0]):
            S.odds[row, r] = rules.clamp(S.odds[row, r], 0.0, 1.0)
            S.utility[row, r] = rules.expected_utility(S.odds[row, r], gain[r], attempted[r], costs[r])
    if T.policy[i] == REINFORCEMENT:
        for o in range(first, T.option_start[i + 1]):
            for r in range(S.run.shape[0]):
                S.utility[o - first, r] = S.propensity[o, r]
    elif T.policy[i] == CHALLENGE:
        _contested(T, S, i)
    if level > 0 and not stays:
        _actual_state(T, S)


def appraise(T: Tables, S: State, i: int) -> None:
    """Step 3 for actor i: which options are available, their chances and expected utilities (rows of its options)."""
    _appraise(T, S, i, T.depth[i], False)


# ------------------------------------------------------------------ what acts are worth to others (odd.md 7.10)


@njit
def _worth(T: Tables, S: State, x, o, risky, out):
    """V of option o to x, chance and all, into the row `out`; S.change[5] holds the chance, S.change[6] the cost."""
    attempted, odds, costs = S.change[4], S.change[5], S.change[6]
    _value_of(T, S, x, o, 0, risky, out)
    if not (T.attempts[T.option_action[o]] and _value_of(T, S, x, o, 1, risky, attempted)):
        for r in range(S.run.shape[0]):
            attempted[r] = 0.0
    _chances(T, S, o, odds, costs)
    for r in range(S.run.shape[0]):
        out[r] = odds[r] * out[r] + attempted[r]


@njit
def _weigh(T: Tables, S: State):
    """What others' acts are worth to each actor, as far as offers and fora ask for it."""
    if T.value_option.shape[0] == 0 and T.convener_forum.shape[0] == 0:
        return
    for f in range(T.forum_active.shape[0]):
        for q in range(T.seat_start[f], T.seat_start[f + 1]):
            S.here[q, :] = True
        _moves(T, S, f, S.move)
    for x in range(T.policy.shape[0]):
        first, last = T.value_start[x], T.value_start[x + 1]
        if first == last and T.convener_start[x] == T.convener_start[x + 1]:
            continue
        _ready(T, S, x)
        risky = _look(T, S, x)
        for v in range(first, last):
            o = T.value_option[v]
            if not _needs_hold(T, S, o, S.possible[v]):
                S.value[v, :] = 0.0
                continue
            _worth(T, S, x, o, risky, S.value[v])
            for r in range(S.run.shape[0]):
                if not S.possible[v, r]:
                    S.value[v, r] = 0.0
                S.prospect[v, r] = S.change[5, r]
                S.charge[v, r] = S.change[6, r] if T.option_actor[o] == x else 0.0
        for c in range(T.convener_start[x], T.convener_start[x + 1]):
            _value_of_moves(T, S, x, T.convener_forum[c], S.move, risky, S.drawn[c])


@njit
def _rationality(T: Tables, i, r):
    """Lambda by which i answers, joins, delivers, attends and votes."""
    if T.policy[i] == BEST:
        return rules.BEST_RATIONALITY
    if T.policy[i] == RANDOM:
        return 0.0
    return of(T.rationality, i, r)


@inlined
def _idle(T: Tables, i):
    """Whether i deals with nobody, by its policy."""
    return T.policy[i] == FROZEN or T.policy[i] == TREND


# ------------------------------------------------------------------ offers, considered (odd.md 7.11)


@njit
def _owed(T: Tables, S: State, o, r):
    """Whether an act is owed already, in whatever deal."""
    for n in range(T.owed_start[o], T.owed_start[o + 1]):
        if S.due[T.owed_promise[n], r] > 0:
            return True
    return False


@njit
def _standing(T: Tables, S: State, p, r):
    """Whether what is promised could be promised: it can be done, and is not owed yet."""
    return S.possible[T.promise_value[p], r] and not _owed(T, S, T.promise_option[p], r)


@njit
def _offerable(T: Tables, S: State, d, r):
    """Whether a deal could be made, its own conditions and the table aside."""
    return (
        of(T.deal_active, d, r) > 0.0
        and _standing(T, S, T.deal_promise[d], r)
        and _standing(T, S, T.deal_promise[d + 1] - 1, r)
    )


@inlined
def _credible(T: Tables, S: State, b, r):
    return S.alpha[b, r] / (S.alpha[b, r] + S.beta[b, r])


@njit
def _net(T: Tables, S: State, p, r):
    """EU of what a promise's giver would have to do."""
    v = T.promise_value[p]
    return S.value[v, r] - S.charge[v, r]


@njit
def _to_giver(T: Tables, S: State, p, ask, r):
    """X of a deal to one who gives promise p in it and is promised `ask`."""
    i = T.promise_giver[p]
    own = rules.delayed(of(T.foresight, i, r), T.promise_after[p]) * _net(T, S, p, r)
    return own + rules.delayed(of(T.foresight, i, r), T.promise_after[ask]) * (
        _credible(T, S, T.promise_trust[p], r) * S.value[T.promise_return[p], r]
    )


@njit
def _joining(T: Tables, S: State, d, p, r):
    """Probability that the giver of promise p joins the common offer d."""
    k = T.promise_giver[p]
    if _idle(T, k) or not _standing(T, S, p, r):
        return 0.0
    return rules.logistic(_rationality(T, k, r) * _to_giver(T, S, p, T.deal_promise[d + 1] - 1, r) - of(T.deal_bias, d, r))


@njit
def _to_target(T: Tables, S: State, d, joined, r):
    """X of a deal to its target. joined: whether it is known who has joined a common offer (S.joined)."""
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    j = T.promise_giver[ask]
    worth = rules.delayed(of(T.foresight, j, r), T.promise_after[ask]) * _net(T, S, ask, r)
    for p in range(first, ask):
        part = 1.0
        if p > first:
            if joined:
                part = 1.0 if S.joined[p, r] else 0.0
            else:
                part = _joining(T, S, d, p, r)
        gift = _credible(T, S, T.promise_belief[p], r) * S.value[T.promise_gift[p], r]
        worth += part * rules.delayed(of(T.foresight, j, r), T.promise_after[p]) * gift
    return worth


@njit
def _counterable(T: Tables, S: State, d, r):
    """The deal that the target could offer instead of d; -1: none."""
    other = T.deal_counter[d]
    if other >= 0 and _offerable(T, S, other, r):
        o = T.deal_option[other]
        a, at = T.option_action[o], T.option_at[o]
        for n in range(T.need_start[a], T.need_start[a + 1]):
            s = T.reference[at + n - T.need_start[a]]
            if T.need_least[n]:
                if S.x[s, r] < of(T.need_value, n, r):
                    return -1
            elif S.x[s, r] > of(T.need_value, n, r):
                return -1
        return other
    return -1


@njit
def _reply_odds(T: Tables, S: State, d, r):
    """Probability that the proposer of d would accept it as a counter-offer."""
    first = T.deal_promise[d]
    i = T.promise_giver[first]
    if _idle(T, i):
        return 0.0
    worth = _to_giver(T, S, first, T.deal_promise[d + 1] - 1, r)
    return rules.logistic(_rationality(T, i, r) * worth - of(T.deal_bias, d, r))


@njit
def _answer_odds(T: Tables, S: State, d, joined, r):
    """Log weights of accepting an offer and of countering it, against 0 for refusing; and the deal that it is countered
    by, or -1 (with a weight of minus infinity)."""
    j = T.promise_giver[T.deal_promise[d + 1] - 1]
    if _idle(T, j):
        return -np.inf, -np.inf, -1
    rationality = _rationality(T, j, r)
    accept = rationality * _to_target(T, S, d, joined, r) - of(T.deal_bias, d, r)
    other = _counterable(T, S, d, r)
    if other < 0:
        return accept, -np.inf, -1
    worth = _reply_odds(T, S, other, r) * _to_target(T, S, other, True, r)
    return accept, rationality * worth - of(T.deal_bias, other, r), other


@njit
def _offer_utility(T: Tables, S: State, d, r):
    """EU of making an offer: what the target is expected to answer, and what comes of it."""
    accept, counter, other = _answer_odds(T, S, d, False, r)
    top = max(0.0, accept, counter)
    total = exp(-top) + _weight(accept - top) + _weight(counter - top)
    worth = _weight(accept - top) / total * _to_giver(T, S, T.deal_promise[d], T.deal_promise[d + 1] - 1, r)
    if other >= 0:
        instead = _to_giver(T, S, T.deal_promise[other], T.deal_promise[other + 1] - 1, r)
        worth += _weight(counter - top) / total * _reply_odds(T, S, other, r) * instead
    return worth


# ------------------------------------------------------------------ fora, considered (odd.md 7.12)


@njit
def _dated_session(T: Tables, f, turn):
    for n in range(T.dated_session_start[f], T.dated_session_start[f + 1]):
        if T.dated_session[n] == turn:
            return True
    return False


@njit
def _convenable(T: Tables, S: State, f, r):
    """Whether a forum can be convened this turn, the convening's own conditions aside."""
    turn = S.turn[0]
    return (
        of(T.forum_active, f, r) > 0.0
        and turn - S.met[f, r] > T.forum_pause[f]
        and not _dated_session(T, f, turn)
    )


@njit
def _moves(T: Tables, S: State, f, out):
    """How far a session of those who are here moves each of them, into rows `out` of the forum's places."""
    for g in range(T.item_start[f], T.item_start[f + 1]):
        first, last = T.place_start[g], T.place_start[g + 1]
        for m in range(first, last):
            for r in range(S.run.shape[0]):
                out[m, r] = 0.0
                if not S.here[T.place_seat[m], r]:
                    continue
                own = S.x[T.place_slot[m], r]
                total, weights = own, 1.0
                for k in range(first, last):
                    if k == m or not S.here[T.place_seat[k], r]:
                        continue
                    s, power = T.regard_slot[T.place_regard[m] + k - first], T.place_power[k]
                    if s < 0 or power == -2:
                        continue
                    strength = S.source[power, r] if power >= 0 else 1.0
                    weight = strength * of(T.place_salience, k, r) * max(0.0, S.x[s, r])
                    total += weight * S.x[T.place_slot[k], r]
                    weights += weight
                out[m, r] = of(T.place_openness, m, r) * (total / weights - own)


@njit
def _value_of_moves(T: Tables, S: State, x, f, moves, risky, gain):
    """V to x of the moves of a forum's members, into the row `gain`."""
    touched = 0
    S.mark[S.mark.shape[0] - 1] += 1
    stamp = S.mark[S.mark.shape[0] - 1]
    for m in range(T.place_start[T.item_start[f]], T.place_start[T.item_start[f + 1]]):
        touched = _bring(T, S, x, T.place_slot[m], moves[m], touched, stamp)
    _sum_up(T, S, x, touched, risky, gain)


@njit
def _spread(T: Tables, S: State, u, moves, r):
    """The widest spread after the moves, as a share of the range, of the items that an output is on; is it within?"""
    widest, agreed = 0.0, True
    for n in range(T.output_on_start[u], T.output_on_start[u + 1]):
        g = T.output_on[n]
        low, high, width = np.inf, -np.inf, 1.0
        for m in range(T.place_start[g], T.place_start[g + 1]):
            if S.here[T.place_seat[m], r]:
                s = T.place_slot[m]
                at = S.x[s, r] + moves[m, r]
                low, high, width = min(low, at), max(high, at), T.high[s] - T.low[s]
        spread = (high - low) / width if high >= low else 0.0
        widest = max(widest, spread)
        agreed &= spread < of(T.output_within, u, r)
    return widest, agreed


@njit
def _veto_odds(T: Tables, S: State, u, n, r):
    """Probability that the member of veto row n stops output u."""
    i = T.seat_actor[T.veto_seat[n]]
    return rules.logistic(-of(T.output_bias, u, r) - _rationality(T, i, r) * S.value[T.veto_value[n], r])


@njit
def _convening_utility(T: Tables, S: State, c, r):
    """EU of convening before its cost: what moves, and what may come of it, if all members attend."""
    f = T.convener_forum[c]
    worth = S.drawn[c, r]
    first = T.output_start[f]
    if T.seat_start[f + 1] - T.seat_start[f] < T.forum_quorum[f]:
        return worth
    for u in range(first, T.output_start[f + 1]):
        for q in range(T.seat_start[f], T.seat_start[f + 1]):
            S.here[q, r] = True
        _, agreed = _spread(T, S, u, S.move, r)
        if not agreed:
            continue
        follows = 1.0
        for n in range(T.veto_start[u], T.veto_start[u + 1]):
            follows *= 1.0 - _veto_odds(T, S, u, n, r)
        row = T.prospect_start[c] + u - first
        gain = S.value[T.prospect_value[row], r]
        for n in range(T.occasion_start[u], T.occasion_start[u + 1]):
            v = T.occasion_value[n]
            if S.possible[v, r] and not _idle(T, T.option_actor[T.occasion_option[n]]):
                boon = S.value[T.boon_value[T.boon_start[row] + n - T.occasion_start[u]], r]
                gain += boon * _willing(T, S, v, r)
        worth += follows * gain
    return worth


@njit
def _willing(T: Tables, S: State, v, r):
    """Probability that an actor does, on its occasion, the act that it values in row v."""
    i = T.option_actor[T.value_option[v]]
    return rules.logistic(_rationality(T, i, r) * (S.value[v, r] - S.charge[v, r]))


# ------------------------------------------------------------------ what others are expected to do (odd.md 7.13)


@njit
def _expected_state(T: Tables, S: State, i):
    """Put into S.x the state that i expects; `_actual_state` takes it back."""
    for n in range(T.stirred.shape[0]):
        s = T.stirred[n]
        low, high = T.low[s], T.high[s]
        for r in range(S.run.shape[0]):
            S.actual[n, r] = S.x[s, r]
            S.x[s, r] = rules.clamp(S.x[s, r] + (S.shifts[n, r] - S.shift[i, n, r]), low, high)


@njit
def _actual_state(T: Tables, S: State):
    for n in range(T.stirred.shape[0]):
        for r in range(S.run.shape[0]):
            S.x[T.stirred[n], r] = S.actual[n, r]


@njit
def _likely(T: Tables, S: State, i, position, level):
    """How likely each available option of i comes up before hold (S.likely), within i's attention (S.change[7])."""
    first, last = T.option_start[i], T.option_start[i + 1]
    scale = S.change[7]
    if T.policy[i] == TREND:
        for r in range(S.run.shape[0]):
            scale[r] = 1.0
            for o in range(first, last):
                if S.open[o - first]:
                    S.likely[o - first, r] = _rate(T, S, o, S.turn[0], r)
        return
    _logits(T, S, i)
    for r in range(S.run.shape[0]):
        scale[r] = 0.0
    for o in range(first, last):
        row = o - first
        if not S.open[row]:
            continue
        for r in range(S.run.shape[0]):
            S.likely[row, r] = rules.logistic(S.logit[row, r] - S.hold_score[0, r])
            if S.available[row, r]:
                scale[r] += S.likely[row, r] * of(T.effort, T.option_action[o], r)
    for r in range(S.run.shape[0]):
        left = 1.0
        if T.attention[i] >= 0:
            s = T.attention[i]
            left = S.actual[position[s], r] if level > 0 and position[s] >= 0 else S.x[s, r]
        scale[r] = min(1.0, left / scale[r]) if scale[r] > 0.0 else 1.0
    for o in range(first, last):
        if S.open[o - first]:
            for r in range(S.run.shape[0]):
                S.likely[o - first, r] *= scale[r]


@njit
def _shift(T: Tables, S: State, i, position):
    """What i is expected to change, into its rows of S.next_shift. position: of each slot in T.stirred."""
    first, last = T.option_start[i], T.option_start[i + 1]
    change = S.change[1]
    for o in range(first, last):
        row, a, at = o - first, T.option_action[o], T.option_at[o]
        if not S.open[row]:
            continue
        for e in range(T.effect_start[a], T.effect_start[a + 1]):
            place = at + T.effect_at[e]
            s = T.reference[place]
            if s < 0:
                continue
            _change_of(T, S, i, e, place, change)
            n = position[s]
            tries = T.effect_attempt[e] == 1
            for r in range(S.run.shape[0]):
                if S.available[row, r]:
                    odds = 1.0 if tries else S.odds[row, r]
                    S.next_shift[i, n, r] += S.likely[row, r] * odds * change[r]


@njit
def _answers(T: Tables, S: State, i):
    """How much likelier each option of i becomes if the promise that it hangs on were given in full."""
    first = T.option_start[i]
    if T.policy[i] == TREND or T.policy[i] == REINFORCEMENT or T.policy[i] == CHALLENGE:
        return
    risky = _look(T, S, i)
    now, kept = S.change[0], S.change[4]
    for n in range(T.received_start[i], T.received_start[i + 1]):
        h = T.received_hung[n]
        o = T.hung_option[h]
        row = o - first
        if not S.open[row]:
            continue
        _both(T, S, i, o, row, risky, now)
        S.assumed[0] = T.hung_belief[h]
        _both(T, S, i, o, row, risky, kept)
        S.assumed[0] = -1
        for r in range(S.run.shape[0]):
            logit = S.logit[row, r] + _rationality(T, i, r) * (kept[r] - now[r])
            e = rules.logistic(logit - S.hold_score[0, r]) * S.change[7, r]
            S.next_answering[h, r] = e - S.likely[row, r] if S.available[row, r] else 0.0


@njit
def _both(T: Tables, S: State, i, o, row, risky, out):
    """V of an option to its actor with the chance as appraised, into the row `out`."""
    attempted = S.change[5]
    _value_of(T, S, i, o, 0, risky, out)
    if not (T.attempts[T.option_action[o]] and _value_of(T, S, i, o, 1, risky, attempted)):
        for r in range(S.run.shape[0]):
            attempted[r] = 0.0
    for r in range(S.run.shape[0]):
        out[r] = S.odds[row, r] * out[r] + attempted[r]


@njit
def _answered(T: Tables, S: State, i, o, gain, attempted):
    """Add to an option's gains what its word would make the receiver do."""
    at = T.option_at[o]
    change = S.change[1]
    for n in range(T.word_start[o], T.word_start[o + 1]):
        e = T.word_effect[n]
        place = at + T.effect_at[e]
        s = T.reference[place]
        b = T.belief_of[s]
        _change_of(T, S, i, e, place, change)
        for h in range(T.hung_start[b], T.hung_start[b + 1]):
            for r in range(S.run.shape[0]):
                missing = 1.0 - S.x[s, r]
                if missing > 0.0:
                    more = S.answering[h, r] * (change[r] / missing) * S.hung_value[h, r]
                    if T.effect_attempt[e] == 1:
                        attempted[r] += more
                    else:
                        gain[r] += more


@njit
def _expect(T: Tables, S: State):
    """The expected shifts that actors of some depth reckon with: each level from the one below."""
    if S.shift.shape[0] == 0:
        return
    top = 0
    for i in range(T.depth.shape[0]):
        if T.policy[i] != FROZEN:
            top = max(top, T.depth[i])
    position = np.full(T.low.shape[0], -1, dtype=np.int32)
    for n in range(T.stirred.shape[0]):
        position[T.stirred[n]] = n
    for level in range(top):
        S.next_shift[:] = 0.0
        S.next_answering[:] = 0.0
        for i in range(T.depth.shape[0]):
            if T.policy[i] == FROZEN or T.option_start[i] == T.option_start[i + 1]:
                continue
            _appraise(T, S, i, level, True)
            _likely(T, S, i, position, level)
            _shift(T, S, i, position)
            if T.received_start[i] < T.received_start[i + 1]:
                _answers(T, S, i)
            if level > 0:
                _actual_state(T, S)
        S.shift[:] = S.next_shift
        S.answering[:] = S.next_answering
        S.shifts[:] = 0.0
        for i in range(T.depth.shape[0]):
            for n in range(T.stirred.shape[0]):
                for r in range(S.run.shape[0]):
                    S.shifts[n, r] += S.shift[i, n, r]


# ------------------------------------------------------------------ rival ways of deciding (odd.md 7.14)


@njit
def _rate(T: Tables, S: State, o, turn, r):
    """How often an option was done in the turns of the last year, as a probability."""
    memory = T.past.shape[0]
    total = 0.0
    for back in range(1, memory + 1):
        before = turn - back
        total += S.recent[before % memory, o, r] if before >= 1 else T.past[-before, o]
    return min(1.0, total / memory)


@njit
def _repeat(T: Tables, S: State, i, seed, turn):
    """Step 4 under `trend`: each option at the rate of the last year."""
    first = T.option_start[i]
    for o in range(first, T.option_start[i + 1]):
        row = o - first
        if not S.open[row]:
            continue
        for r in range(S.run.shape[0]):
            if not S.available[row, r]:
                continue
            rate = _rate(T, S, o, turn, r)
            u = draws.uniform(seed, S.run[r], turn, T.option_key[o], draws.CHOICE)
            taken_from = S.taken[r]
            while taken_from > 0 and T.option_actor[S.act[r, taken_from - 1]] == i:
                taken_from -= 1
            if u < rate and not _barred(T, S, o, taken_from, r):
                c = S.taken[r]
                S.act[r, c] = o
                S.act_utility[r, c] = np.nan
                S.act_odds[r, c] = S.odds[row, r]
                S.act_probability[r, c] = rate
                S.taken[r] += 1


@njit
def _learn(T: Tables, S: State, r):
    """Reinforcement: what the turn brought each actor becomes the propensity of what it did."""
    options = T.option_actor.shape[0]
    for i in range(T.policy.shape[0]):
        if T.policy[i] != REINFORCEMENT:
            continue
        gain = 0.0
        for h in range(T.interest_start[i], T.interest_start[i + 1]):
            s = T.interest_slot[h]
            ideal = S.before[T.ideal_slot[h], r] if T.ideal_slot[h] >= 0 else of(T.ideal, h, r)
            width = T.high[s] - T.low[s]
            gain += rules.gain(of(T.salience, h, r), ideal, S.before[s, r], S.x[s, r], width, of(T.risk, i, r))
        acted = False
        for n in range(S.taken[r]):
            o = S.act[r, n]
            if T.option_actor[o] == i:
                acted = True
                again = False  # chosen, and done by a dated event too
                for m in range(n):
                    again |= S.act[r, m] == o
                if not again:
                    S.propensity[o, r] = rules.reinforced(S.propensity[o, r], gain)
        if not acted:
            S.propensity[options + i, r] = rules.reinforced(S.propensity[options + i, r], gain)


@njit
def _stand(T: Tables, S: State, i, r):
    """Where i stands on the contested issue, 0..1."""
    s = T.contested_slot[i]
    return rules.share(S.x[s, r], T.low[s], T.high[s]) if s >= 0 else of(T.contested, i, r)


@njit
def _challenge(T: Tables, S: State, i, j, exponent, r):
    """E_ij: what i expects of challenging j, with i's exponent r."""
    own, other = _stand(T, S, i, r), _stand(T, S, j, r)
    for_, all_ = 0.0, 0.0
    for k in range(T.contests.shape[0]):
        if T.contests[k]:
            stand = _stand(T, S, k, r)
            vote = of(T.clout, k, r) * of(T.resolve, k, r) * (abs(stand - other) - abs(stand - own))
            for_ += max(0.0, vote)
            all_ += abs(vote)
    wins = for_ / all_ if all_ > 0.0 else 0.5
    return rules.challenge(wins, abs(own - other), of(T.resolve, j, r), exponent)


@njit
def _dispute(T: Tables, S: State, r):
    """E_ij of the challenge model for all who declare a position (S.contest)."""
    actors = T.contests.shape[0]
    low, high = np.inf, -np.inf
    for i in range(actors):
        if T.contests[i]:
            security = 0.0
            for j in range(actors):
                if j != i and T.contests[j]:
                    security += _challenge(T, S, j, i, 1.0, r)
            S.contest[i, i, r] = security
            low, high = min(low, security), max(high, security)
    for i in range(actors):
        if T.contests[i]:
            exponent = rules.risk_exponent(S.contest[i, i, r], low, high)
            for j in range(actors):
                if j != i and T.contests[j]:
                    S.contest[i, j, r] = _challenge(T, S, i, j, exponent, r)


@njit
def _contested(T: Tables, S: State, i):
    """EU of i's options under the challenge model."""
    first = T.option_start[i]
    costs = S.change[1]
    for o in range(first, T.option_start[i + 1]):
        row, j = o - first, T.option_target[o]
        if not S.open[row]:
            continue
        _chances(T, S, o, S.odds[row], costs)
        meets = j >= 0 and T.contests[i] and T.contests[j]
        for r in range(S.run.shape[0]):
            expected = S.contest[i, j, r] if meets else 0.0
            S.utility[row, r] = -rules.CHALLENGE_SCALE * T.tenor[o] * expected - costs[r]


# ------------------------------------------------------------------ step 4


@njit
def _logits(T: Tables, S: State, i):
    """Log prior + lambda x EU of i's available options (S.logit) and of hold (S.hold_score[0])."""
    first = T.option_start[i]
    weight, rationality = S.change[0], S.change[3]
    for r in range(S.run.shape[0]):
        rationality[r] = _rationality(T, i, r)
    for r in range(S.run.shape[0]):
        weight[r] = 0.0
    for m in range(T.menu_start[i], T.menu_start[i + 1]):
        a, count = T.option_action[T.menu_first[m]], S.count[m - T.menu_start[i]]
        for r in range(S.run.shape[0]):
            count[r] = 0.0
        for o in range(T.menu_first[m], T.menu_end[m]):
            if S.open[o - first]:
                for r in range(S.run.shape[0]):
                    count[r] += 1.0 if S.available[o - first, r] else 0.0
        for r in range(S.run.shape[0]):
            weight[r] += of(T.habit, a, r) if count[r] > 0.0 else 0.0
    for r in range(S.run.shape[0]):
        S.hold_score[0, r] = log(of(T.hold, 0, r))
    if T.policy[i] == REINFORCEMENT:
        for r in range(S.run.shape[0]):
            S.hold_score[0, r] += rationality[r] * S.propensity[T.option_actor.shape[0] + i, r]
    prior = S.change[2]
    for m in range(T.menu_start[i], T.menu_start[i + 1]):
        a, count = T.option_action[T.menu_first[m]], S.count[m - T.menu_start[i]]
        some = False
        for o in range(T.menu_first[m], T.menu_end[m]):
            some |= S.open[o - first]
        if not some:
            continue
        for r in range(S.run.shape[0]):
            share = (1.0 - of(T.hold, 0, r)) * of(T.habit, a, r)
            prior[r] = log(share / (max(weight[r], 1e-300) * max(count[r], 1.0)))
        for o in range(T.menu_first[m], T.menu_end[m]):
            row = o - first
            if S.open[row]:
                for r in range(S.run.shape[0]):
                    S.logit[row, r] = prior[r] + rationality[r] * S.utility[row, r]


@njit
def _score(T: Tables, S: State, i, seed, turn):
    """Logits and scores of i's available options and of hold."""
    _logits(T, S, i)
    for r in range(S.run.shape[0]):
        S.hold_score[1, r] = S.hold_score[0, r] + draws.gumbel(
            draws.uniform(seed, S.run[r], turn, T.hold_key[i], draws.CHOICE)
        )
    first, noise = T.option_start[i], S.change[1]
    for o in range(first, T.option_start[i + 1]):
        row, key = o - first, T.option_key[o]
        if not S.open[row]:
            continue
        # One pass each: together they need more registers than there are.
        for r in range(S.run.shape[0]):
            noise[r] = draws.uniform(seed, S.run[r], turn, key, draws.CHOICE)
        for r in range(S.run.shape[0]):
            noise[r] = -log(noise[r])
        for r in range(S.run.shape[0]):
            S.score[row, r] = S.logit[row, r] - log(noise[r])


@njit
def _barred(T: Tables, S: State, o, taken_from, r):
    """Whether an act of the same channel and target is taken already."""
    for n in range(taken_from, S.taken[r]):
        other = S.act[r, n]
        if (
            T.option_target[other] == T.option_target[o]
            and T.channel[T.option_action[other]] == T.channel[T.option_action[o]]
        ):
            return True
    return False


@njit
def _probability(T: Tables, S: State, i, o, taken_from, drawn, r):
    """Probability that o is drawn next among hold and what is neither drawn nor barred."""
    first = T.option_start[i]
    top, total = S.hold_score[0, r], 1.0  # total is in units of exp(top)
    for other in range(first, T.option_start[i + 1]):
        if not S.available[other - first, r] or _barred(T, S, other, taken_from, r):
            continue
        seen = False
        for n in range(drawn):
            seen = seen or S.candidate[r, n] == other
        if seen:
            continue
        logit = S.logit[other - first, r]
        if logit > top:
            total *= exp(top - logit)
            top = logit
        total += exp(logit - top)
    return exp(S.logit[o - first, r] - top) / total


@njit
def choose(T: Tables, S: State, i, seed, turn, explained):
    """Step 4 for actor i: its acts are added to S.act. explained: also the probability of each."""
    if T.policy[i] == FROZEN:
        return
    if T.policy[i] == TREND:
        _repeat(T, S, i, seed, turn)
        return
    _score(T, S, i, seed, turn)
    first, last = T.option_start[i], T.option_start[i + 1]
    S.candidates[:] = 0
    for o in range(first, last):
        row = o - first
        if not S.open[row]:
            continue
        better = False
        for r in range(S.run.shape[0]):
            better |= S.score[row, r] > S.hold_score[1, r]
        if not better:
            continue
        for r in range(S.run.shape[0]):
            if S.score[row, r] > S.hold_score[1, r] and S.available[row, r]:
                S.candidate[r, S.candidates[r]] = o
                S.candidates[r] += 1
    for r in range(S.run.shape[0]):
        left = S.x[T.attention[i], r] if T.attention[i] >= 0 else 1.0
        taken_from = S.taken[r]
        for n in range(S.candidates[r]):
            if left <= 0.0:
                break
            best = n
            for m in range(n + 1, S.candidates[r]):
                if S.score[S.candidate[r, m] - first, r] > S.score[S.candidate[r, best] - first, r]:
                    best = m
            o = S.candidate[r, best]
            S.candidate[r, best] = S.candidate[r, n]
            S.candidate[r, n] = o
            if _barred(T, S, o, taken_from, r):
                continue
            effort = of(T.effort, T.option_action[o], r)
            fits = 1.0
            if effort > left:
                fits = left / effort
                if draws.second_uniform(seed, S.run[r], turn, T.option_key[o], draws.CHOICE) >= fits:
                    continue
            c = S.taken[r]
            S.act[r, c] = o
            S.act_utility[r, c] = S.utility[o - first, r]
            S.act_odds[r, c] = S.odds[o - first, r]
            S.act_probability[r, c] = fits * _probability(T, S, i, o, taken_from, n, r) if explained else np.nan
            S.taken[r] += 1
            left = max(left - effort, 0.0)


# ------------------------------------------------------------------ step 5: offers and promises (odd.md 7.11)


@njit
def _note(S: State, r, kind, row, result, probability, first, second):
    """Put down what was said or settled (see `arrays.Talks`)."""
    n = S.told[r]
    S.talk[r, n, 0] = kind
    S.talk[r, n, 1] = row
    S.talk[r, n, 2] = result
    S.talk_number[r, n, 0] = probability
    S.talk_number[r, n, 1] = first
    S.talk_number[r, n, 2] = second
    S.told[r] += 1


@njit
def _bargain(T: Tables, S: State, seed, turn):
    """Offers answered, then promises due."""
    if T.deal_option.shape[0] == 0:
        return
    for r in range(S.run.shape[0]):
        for n in range(S.taken[r]):
            d = T.option_deal[S.act[r, n]]
            if d >= 0:
                S.table[d, r] = turn + T.deal_expires[d] - 1
        for g in range(T.asked_start.shape[0] - 1):
            _answer(T, S, g, seed, turn, r)
    looked = -1
    risky = False
    for p in range(T.promise_option.shape[0]):
        some = False
        for r in range(S.run.shape[0]):
            some |= 0 < S.due[p, r] <= turn
        if some:
            if T.promise_giver[p] != looked:
                looked = T.promise_giver[p]
                _ready(T, S, looked)
                risky = _look(T, S, looked)
            _weigh_default(T, S, p, risky)
    for p in range(T.promise_option.shape[0]):
        for r in range(S.run.shape[0]):
            if 0 < S.due[p, r] <= turn:
                _fall_due(T, S, p, seed, turn, r)


@njit
def _answer(T: Tables, S: State, g, seed, turn, r):
    """The offers that ask one and the same act, in one run: who joins them, and what the target answers."""
    first, last = T.asked_start[g], T.asked_start[g + 1]
    some = False
    for n in range(first, last):
        d = T.asked_deal[n]
        if S.table[d, r] >= turn:
            some |= _tabled(T, S, d, seed, turn, r)
    if not some:
        return
    best, countered = -1, False
    score = draws.gumbel(draws.uniform(seed, S.run[r], turn, T.asked_key[g], draws.ANSWER))
    top = 0.0
    for n in range(first, last):
        d = T.asked_deal[n]
        if S.table[d, r] < turn or S.reply[d, r] == LATER or S.reply[d, r] == NO:
            continue
        if S.reply[d, r] == YES:
            best, countered, score = d, False, np.inf
            continue
        accept, counter, _ = _answer_odds(T, S, d, True, r)
        top = max(top, accept, counter)
        accept += draws.gumbel(draws.uniform(seed, S.run[r], turn, T.deal_key[d], draws.ANSWER))
        counter += draws.gumbel(draws.second_uniform(seed, S.run[r], turn, T.deal_key[d], draws.ANSWER))
        if accept > score:
            best, countered, score = d, False, accept
        if counter > score:
            best, countered, score = d, True, counter
    total = exp(-top)
    for n in range(first, last):
        d = T.asked_deal[n]
        if S.table[d, r] >= turn:
            accept, counter, _ = _answer_odds(T, S, d, True, r)
            total += _weight(accept - top) + _weight(counter - top)
    for n in range(first, last):
        d = T.asked_deal[n]
        if S.table[d, r] < turn:
            continue
        if S.reply[d, r] == LATER:
            S.table[d, r] = max(S.table[d, r], turn + 1)
            continue
        result = REFUSED
        if d == best:
            result = COUNTERED if countered else ACCEPTED
        accept, _, _ = _answer_odds(T, S, d, True, r)
        to_giver = _to_giver(T, S, T.deal_promise[d], T.deal_promise[d + 1] - 1, r)
        _note(S, r, ANSWER, d, result, _weight(accept - top) / total, _to_target(T, S, d, True, r), to_giver)
        if d == best or S.table[d, r] == turn:
            S.table[d, r] = 0
    if best < 0:
        return
    if countered:
        best = T.deal_counter[best]
        odds = _reply_odds(T, S, best, r)
        taken = draws.uniform(seed, S.run[r], turn, T.deal_key[best], draws.REPLY) < odds
        to_giver = _to_giver(T, S, T.deal_promise[best], T.deal_promise[best + 1] - 1, r)
        _note(S, r, REPLY, best, 1 if taken else 0, odds, to_giver, np.nan)
        if not taken:
            return
    _accept(T, S, best, turn, r)
    for n in range(first, last):  # whoever has taken one offer for an act takes no other
        d = T.asked_deal[n]
        if S.table[d, r] >= turn:
            S.table[d, r] = 0
            _note(S, r, ANSWER, d, LAPSED, np.nan, np.nan, np.nan)


@inlined
def _weight(odds):
    """exp, and 0 for what cannot be."""
    return exp(odds) if odds > -np.inf else 0.0


@njit
def _tabled(T: Tables, S: State, d, seed, turn, r):
    """Whether an offer still stands; if so, who joins it (S.joined)."""
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    if not (_standing(T, S, first, r) and _standing(T, S, ask, r)):
        S.table[d, r] = 0
        _note(S, r, ANSWER, d, LAPSED, np.nan, np.nan, np.nan)
        return False
    for p in range(first + 1, ask):
        odds = _joining(T, S, d, p, r)
        S.joined[p, r] = draws.uniform(seed, S.run[r], turn, T.join_key[p], draws.JOIN) < odds
        _note(S, r, JOIN, p, 1 if S.joined[p, r] else 0, odds, _to_giver(T, S, p, ask, r), np.nan)
    return True


@njit
def _accept(T: Tables, S: State, d, turn, r):
    """Both sides of a deal owe what they promised."""
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    for p in range(first, ask + 1):
        if first < p < ask and not S.joined[p, r]:
            continue
        S.due[p, r] = turn + T.promise_after[p]
        S.broken_on[p, r] = 0
        _gather(S, TO, T.promised[T.promise_belief[p]], 1.0, 1.0, r)
        _note(S, r, OWED, p, S.due[p, r], np.nan, S.value[T.promise_gift[p], r], _net(T, S, p, r))


@njit
def _stake(T: Tables, S: State, p, r):
    """What is at stake for the receiver of a promise, 0..1."""
    return rules.stake(of(T.rationality, T.promise_receiver[p], r), S.value[T.promise_gift[p], r])


@njit
def _weigh_default(T: Tables, S: State, p, risky):
    """Value to its giver of the credibility that breaking promise p would cost (S.loss)."""
    x, b = T.promise_giver[p], T.promise_belief[p]
    change = S.change[1]
    S.mark[S.mark.shape[0] - 1] += 1
    stamp = S.mark[S.mark.shape[0] - 1]
    touched = 0
    for n in range(T.other_start[b] - 1, T.other_start[b + 1]):
        c = b if n < T.other_start[b] else T.other_belief[n]
        for r in range(S.run.shape[0]):
            seen = 1.0 if c == b else of(T.deal_visibility, T.promise_deal[p], r)
            told = seen * of(T.belief_signal, b, r) * _stake(T, S, p, r)
            alpha, beta = S.alpha[c, r], S.beta[c, r]
            change[r] = alpha / (alpha + beta + told) - alpha / (alpha + beta)
        touched = _bring(T, S, x, T.credibility[c], change, touched, stamp)
    _sum_up(T, S, x, touched, risky, S.loss[p])


@njit
def _done_already(S: State, o, r):
    for n in range(S.taken[r]):
        if S.act[r, n] == o:
            return True
    return False


@njit
def _fall_due(T: Tables, S: State, p, seed, turn, r):
    """A promise that is due is delivered, broken or void."""
    o, d = T.promise_option[p], T.promise_deal[p]
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    other = first if p == ask else ask
    v = T.promise_value[p]
    if not S.possible[v, r] or 0 < S.broken_on[other, r] < turn:
        S.due[p, r] = 0
        _note(S, r, SETTLED, p, VOID, np.nan, np.nan, np.nan)
        return
    if _done_already(S, o, r):
        return
    x = T.promise_giver[p]
    odds = 0.0
    if S.serve[p, r] != NO:
        odds = rules.logistic(_rationality(T, x, r) * (_net(T, S, p, r) - S.loss[p, r]))
    if draws.uniform(seed, S.run[r], turn, T.promise_key[p], draws.DELIVERY) < odds:
        S.delivered[p, r] = odds
        _enter(T, S, o, S.prospect[v, r], _net(T, S, p, r), odds, r)
        return
    S.due[p, r] = 0
    S.broken_on[p, r] = turn
    _bear_out(T, S, p, False, r)
    _note(S, r, SETTLED, p, BROKEN_WORD, odds, _stake(T, S, p, r), S.loss[p, r])


@njit
def _serve(T: Tables, S: State, p, done, r):
    """An act that was owed has been done, or has failed."""
    odds = 1.0 if np.isnan(S.delivered[p, r]) else S.delivered[p, r]
    if done:
        S.due[p, r] = 0
        _bear_out(T, S, p, True, r)
    _note(S, r, SETTLED, p, KEPT_WORD if done else FAILED, odds, _stake(T, S, p, r), np.nan)


@njit
def _bear_out(T: Tables, S: State, p, kept, r):
    """What a promise kept or broken tells its receiver and all who watch."""
    b = T.promise_belief[p]
    weight = of(T.belief_signal, b, r) * _stake(T, S, p, r)
    _tell(S, b, weight, kept, r)
    for n in range(T.other_start[b], T.other_start[b + 1]):
        _tell(S, T.other_belief[n], weight * of(T.deal_visibility, T.promise_deal[p], r), kept, r)


# ------------------------------------------------------------------ step 5: fora (odd.md 7.12)


@njit
def _meet(T: Tables, S: State, seed, turn):
    """Sessions: who comes, what moves, what is agreed."""
    for f in range(T.forum_active.shape[0]):
        some = False
        dated = _dated_session(T, f, turn)
        for r in range(S.run.shape[0]):
            S.session[f, r] = -1
            if of(T.forum_active, f, r) > 0.0:
                if dated:
                    S.session[f, r] = 0
                for n in range(S.taken[r]):
                    c = T.option_convener[S.act[r, n]]
                    if c >= 0 and T.convener_forum[c] == f and S.session[f, r] <= 0:
                        S.session[f, r] = 1 + T.option_actor[S.act[r, n]]
            some |= S.session[f, r] >= 0
        if not some:
            continue
        _weigh_attendance(T, S, f)
        for r in range(S.run.shape[0]):
            _attend(T, S, f, seed, turn, r)
        _moves(T, S, f, S.trial)
        for r in range(S.run.shape[0]):
            if S.session[f, r] >= 0:
                _sit(T, S, f, seed, turn, r)


@njit
def _weigh_attendance(T: Tables, S: State, f):
    """What each member's being there is worth to it, if all others come (S.worth)."""
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        S.here[q, :] = True
    without = S.change[2]
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        x = T.seat_actor[q]
        _ready(T, S, x)
        risky = _look(T, S, x)
        _value_of_moves(T, S, x, f, S.move, risky, S.worth[q])
        S.here[q, :] = False
        _moves(T, S, f, S.trial)
        S.here[q, :] = True
        _value_of_moves(T, S, x, f, S.trial, risky, without)
        for r in range(S.run.shape[0]):
            S.worth[q, r] -= without[r]


@njit
def _convened(T: Tables, S: State, f, i, r):
    """Whether i has convened the forum this turn."""
    for n in range(S.taken[r]):
        c = T.option_convener[S.act[r, n]]
        if c >= 0 and T.convener_forum[c] == f and T.option_actor[S.act[r, n]] == i:
            return True
    return False


@njit
def _attend(T: Tables, S: State, f, seed, turn, r):
    """Which members come to a session, if there is one (S.here)."""
    if S.session[f, r] < 0:
        for q in range(T.seat_start[f], T.seat_start[f + 1]):
            S.here[q, r] = False
        return
    present = 0
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        odds = _attendance(T, S, f, q, r)
        S.here[q, r] = draws.uniform(seed, S.run[r], turn, T.seat_key[q], draws.ATTEND) < odds
        present += 1 if S.here[q, r] else 0
        _note(S, r, ATTEND, q, 1 if S.here[q, r] else 0, odds, S.worth[q, r], np.nan)
    S.met[f, r] = turn
    _note(S, r, SESSION, f, S.session[f, r] - 1, np.nan, present, np.nan)


@njit
def _attendance(T: Tables, S: State, f, q, r):
    """Probability that a member comes to a session."""
    i = T.seat_actor[q]
    if _convened(T, S, f, i, r) or S.seated[q, r] == YES:
        return 1.0
    if _idle(T, i) or S.seated[q, r] == NO:
        return 0.0
    return rules.logistic(of(T.seat_attend, q, r) + _rationality(T, i, r) * S.worth[q, r])


@njit
def _sit(T: Tables, S: State, f, seed, turn, r):
    """One session: the moves of those present (S.trial), and what comes of it."""
    present = 0
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        present += 1 if S.here[q, r] else 0
    if present < T.forum_quorum[f]:
        return
    for m in range(T.place_start[T.item_start[f]], T.place_start[T.item_start[f + 1]]):
        if S.here[T.place_seat[m], r]:
            S.add[T.place_slot[m], r] += S.trial[m, r]
            _note(S, r, MOVED, m, -1, np.nan, S.x[T.place_slot[m], r], S.trial[m, r])
    for u in range(T.output_start[f], T.output_start[f + 1]):
        spread, agreed = _spread(T, S, u, S.trial, r)
        vetoes = 0
        if agreed:
            for n in range(T.veto_start[u], T.veto_start[u + 1]):
                if S.here[T.veto_seat[n], r]:
                    odds = _veto_odds(T, S, u, n, r)
                    cast = draws.uniform(seed, S.run[r], turn, T.veto_key[n], draws.VETO) < odds
                    vetoes += 1 if cast else 0
                    _note(S, r, VETO, n, 1 if cast else 0, odds, S.value[T.veto_value[n], r], np.nan)
        follows = agreed and vetoes == 0
        _note(S, r, OUTPUT, u, 1 if follows else 0, np.nan, spread, vetoes)
        if not follows:
            continue
        _do(T, S, seed, turn, T.output_option[u], True, r)
        for n in range(T.occasion_start[u], T.occasion_start[u + 1]):
            v, o = T.occasion_value[n], T.occasion_option[n]
            if not S.here[T.occasion_seat[n], r] or not S.possible[v, r] or _done_already(S, o, r):
                continue
            odds = _willing(T, S, v, r)
            if draws.uniform(seed, S.run[r], turn, T.occasion_key[n], draws.OCCASION) < odds:
                _enter(T, S, o, S.prospect[v, r], S.value[v, r] - S.charge[v, r], odds, r)


# ------------------------------------------------------------------ steps 6 to 8


@njit
def _test(T: Tables, S: State, seed, turn, b, visibility, r):
    """Whether the promise behind belief b is kept this turn: one draw for all who test it. Notes who sees the test."""
    if S.test[b, r] == NOT_DRAWN:
        u = draws.uniform(seed, S.run[r], turn, T.belief_key[b], draws.KEPT)
        S.test[b, r] = 1.0 if u < S.x[T.reliability[b], r] else 0.0
    S.tested[b, r] = max(S.tested[b, r], visibility)
    return S.test[b, r]


@njit
def _do(T: Tables, S: State, seed, turn, o, done, r):
    """Let one act happen in run r: its effects into the turn's sums, its own changes into S.own_change."""
    a, at = T.option_action[o], T.option_at[o]
    touched = 0
    S.mark[S.mark.shape[0] - 1] += 1
    stamp = S.mark[S.mark.shape[0] - 1]
    for e in range(T.effect_start[a], T.effect_start[a + 1]):
        place = at + T.effect_at[e]
        s = T.reference[place]
        if s < 0 or not (done or T.effect_attempt[e] == 1):
            continue
        value = of(T.effect_value, e, r) * _product(S, T.reference, place + 2, T.effect_factors[e], r)
        counts = 1.0
        b = T.reference[place + 1]
        if T.effect_when[e] != ALWAYS and b >= 0:
            kept = _test(T, S, seed, turn, b, of(T.visibility, a, r), r)
            counts = rules.reliance(S.x[T.promised[b], r], kept, T.effect_when[e] == BROKEN)
        kind = T.effect_kind[e]
        if T.effect_after[e] > 0:
            _delay(S, turn, T.effect_after[e], s, value * counts, r)
            continue
        _gather(S, kind, s, value, counts, r)
        k = T.slot_rank[s]
        if k < 0:
            continue
        x = S.x[s, r]
        if kind == ADD:
            change = rules.step(x, value * counts, T.low[s], T.high[s])
        elif kind == TO:
            change = rules.levelling(x, value, counts, T.low[s], T.high[s])
        elif kind == RAISE:
            change = rules.lift(x, value)
        else:
            change = rules.drop(x, value)
        if S.mark[k] != stamp:
            S.mark[k] = stamp
            S.touched[touched] = k
            touched += 1
            S.own_change[k] = change
        else:
            S.own_change[k] += change
    return touched


@njit
def _noticed(T: Tables, S: State, i, visibility, touched, r):
    """Add what one act did for or to each who regards i (S.weight collects, by onlooker)."""
    for n in range(touched):
        k = S.touched[n]
        s = T.rank_slot[k]
        x, width = S.x[s, r], T.high[s] - T.low[s]
        d = rules.step(x, S.own_change[k], T.low[s], T.high[s])
        if d == 0.0:
            continue
        for p in range(T.holder_start[k], T.holder_start[k + 1]):
            h, o = T.holder_interest[p], T.holder_owner[p]
            ideal = S.x[T.ideal_slot[h], r] if T.ideal_slot[h] >= 0 else of(T.ideal, h, r)
            salience, risk = of(T.salience, h, r), of(T.risk, o, r)
            if risk == 2.0:
                gain = (rules.slope(salience, ideal, x, width) - rules.bend(salience, width) * d) * d
            else:
                gain = rules.gain(salience, ideal, x, x + d, width, risk)
            S.weight[o, r] += visibility * gain


@njit
def _regard(T: Tables, S: State, i, r):
    for p in range(T.seen_start[i], T.seen_start[i + 1]):
        o, s = T.seen_actor[p], T.seen_slot[p]
        S.add[s, r] += rules.regard_change(of(T.responsiveness, o, r), S.weight[o, r], S.x[s, r])


@njit
def _signals(T: Tables, S: State, r):
    """What the turn's acts told of promises (odd.md 7.7), to be taken in at the next turn's step 2."""
    for n in range(S.taken[r]):
        if not S.act_done[r, n]:
            continue
        o = S.act[r, n]
        visibility = of(T.visibility, T.option_action[o], r)
        for p in range(T.option_signal_start[o], T.option_signal_start[o + 1]):
            b = T.signal_belief[p]
            weight = of(T.signal_weight, T.signal_number[p], r) * (1.0 if T.signal_full[p] else visibility)
            if T.signal_kept[p]:
                S.kept[b, r] += weight
            else:
                S.broken[b, r] += weight
    for b in range(T.promised.shape[0]):
        if S.tested[b, r] < 0.0:
            continue
        weight = of(T.belief_signal, b, r) * S.x[T.promised[b], r]
        _note(S, r, TESTED, b, 1 if S.test[b, r] > 0.0 else 0, S.x[T.reliability[b], r], S.tested[b, r], np.nan)
        _tell(S, b, weight, S.test[b, r] > 0.0, r)
        for p in range(T.other_start[b], T.other_start[b + 1]):
            _tell(S, T.other_belief[p], weight * S.tested[b, r], S.test[b, r] > 0.0, r)


@njit
def _tell(S: State, b, weight, kept, r):
    if kept:
        S.kept[b, r] += weight
    else:
        S.broken[b, r] += weight


@njit
def _enter(T: Tables, S: State, o, odds, utility, probability, r):
    """Add an act to the turn's, behind what its actor chose."""
    c = S.taken[r]
    while c > 0 and T.option_actor[S.act[r, c - 1]] > T.option_actor[o]:
        S.act[r, c] = S.act[r, c - 1]
        S.act_utility[r, c] = S.act_utility[r, c - 1]
        S.act_odds[r, c] = S.act_odds[r, c - 1]
        S.act_probability[r, c] = S.act_probability[r, c - 1]
        c -= 1
    S.act[r, c] = o
    S.act_utility[r, c] = utility
    S.act_odds[r, c] = odds
    S.act_probability[r, c] = probability
    S.taken[r] += 1


@njit
def _force(T: Tables, S: State, turn, r):
    """Acts of dated events."""
    for n in range(T.forced_turn.shape[0]):
        if T.forced_turn[n] == turn:
            _enter(T, S, T.forced_option[n], 1.0, np.nan, 1.0, r)


@njit
def _act(T: Tables, S: State, seed, turn, r):
    """Steps 6 and 7 of run r: all acts, from the state at the start of the turn."""
    actor = -1
    for n in range(S.taken[r]):
        o = S.act[r, n]
        i, a = T.option_actor[o], T.option_action[o]
        if i != actor:
            if actor >= 0:
                _regard(T, S, actor, r)
            actor = i
            for p in range(T.seen_start[i], T.seen_start[i + 1]):
                S.weight[T.seen_actor[p], r] = 0.0
        done = draws.uniform(seed, S.run[r], turn, T.option_key[o], draws.SUCCESS) < S.act_odds[r, n]
        S.act_done[r, n] = done
        for p in range(T.owed_start[o], T.owed_start[o + 1]):
            if S.due[T.owed_promise[p], r] > 0:
                _serve(T, S, T.owed_promise[p], done, r)
        if S.recent.shape[0] > 0:
            S.recent[turn % S.recent.shape[0], o, r] += 1.0
        touched = _do(T, S, seed, turn, o, done, r)
        _noticed(T, S, i, of(T.visibility, a, r), touched, r)
    if actor >= 0:
        _regard(T, S, actor, r)
    _signals(T, S, r)


@njit
def _couple(T: Tables, S: State, seed, turn):
    """Step 8: couplings, resting levels and noise, all from the state after the acts."""
    _read_sources(T, S)
    S.add[:] = 0.0
    factors = S.change[0]
    for c in range(T.coupling_from.shape[0]):
        for r in range(S.run.shape[0]):
            factors[r] = of(T.coupling_add, c, r)
        first = T.coupling_factor_start[c]
        _times(T, S, T.coupling_factor, first, T.coupling_factor_start[c + 1] - first, factors)
        source, moved = T.coupling_from[c], T.coupling_to[c]
        for r in range(S.run.shape[0]):
            S.add[moved, r] += factors[r] * (S.x[source, r] - of(T.coupling_around, c, r))
    for n in range(T.moving.shape[0]):
        s = T.moving[n]
        noisy = False
        for r in range(S.run.shape[0]):
            S.add[s, r] += rules.drift(S.x[s, r], of(T.pull, s, r), of(T.rest, s, r))
            noisy |= of(T.noise, s, r) > 0.0
        if noisy:
            for r in range(S.run.shape[0]):
                u = draws.uniform(seed, S.run[r], turn, T.slot_key[s], draws.NOISE)
                S.add[s, r] += of(T.noise, s, r) * draws.normal(u)
    for n in range(T.moving.shape[0]):
        s = T.moving[n]
        for r in range(S.run.shape[0]):
            S.x[s, r] = rules.clamp(S.x[s, r] + S.add[s, r], T.low[s], T.high[s])


def close_turn(T: Tables, S: State, seed: np.uint64, turn: int) -> None:
    """Steps 5 to 8: offers, promises due and fora; effects of the acts in S.act; regard; couplings, resting levels,
    noise."""
    _gather_in(T, S, turn)
    _bargain(T, S, seed, turn)
    _meet(T, S, seed, turn)
    _carry_out(T, S, seed, turn)


@njit
def _gather_in(T: Tables, S: State, turn):
    """The turn's sums begin with what arrives from earlier turns; dated acts join those that were chosen."""
    _clear_sums(S)
    S.tested[:] = -1.0
    S.test[:] = NOT_DRAWN
    arriving = turn % S.under_way.shape[0]
    if S.under_way.shape[0] > 1:
        for s in range(T.low.shape[0]):
            for r in range(S.run.shape[0]):
                S.add[s, r] = S.under_way[arriving, s, r]
                S.under_way[arriving, s, r] = 0.0
    if S.recent.shape[0] > 0:
        S.recent[turn % S.recent.shape[0]] = 0.0
    for r in range(S.run.shape[0]):
        _force(T, S, turn, r)


@njit
def _carry_out(T: Tables, S: State, seed, turn):
    """Steps 6 to 8."""
    for r in range(S.run.shape[0]):
        _act(T, S, seed, turn, r)
    _settle(T, S)
    _couple(T, S, seed, turn)
    if S.propensity.shape[0] > 0:
        for r in range(S.run.shape[0]):
            _learn(T, S, r)


# ------------------------------------------------------------------ many runs


@njit
def simulate(
    T: Tables, S: State, seed, turns, explained, states, alpha, beta, incidents, log_counts, logs, log_numbers,
    talk_counts, talks, talk_numbers,
):  # fmt: skip
    """Run the R runs of S from the start through all turns.

    states (R, T+1, S), alpha, beta (R, T+1, B), incidents (R, T, I): filled. log_counts (R,); logs (R, L, 3): turn,
    option, done; log_numbers (R, L, 3): chance, utility, probability. talk_counts (R,); talks (R, M, 4): turn, kind,
    row, result; talk_numbers (R, M, 3): probability, first, second.
    """
    begin(T, S)
    _record(S, 0, states, alpha, beta)
    log_counts[:] = 0
    talk_counts[:] = 0
    for turn in range(1, turns + 1):
        _open(T, S, seed, turn)
        _weigh(T, S)
        _expect(T, S)
        for r in range(S.run.shape[0]):
            for n in range(T.incident_key.shape[0]):
                incidents[r, turn - 1, n] = S.happened[n, r]
        for i in range(T.policy.shape[0]):
            if T.policy[i] != FROZEN:
                _appraise(T, S, i, T.depth[i], False)
                choose(T, S, i, seed, turn, explained)
        _gather_in(T, S, turn)
        _bargain(T, S, seed, turn)
        _meet(T, S, seed, turn)
        _carry_out(T, S, seed, turn)
        for r in range(S.run.shape[0]):
            for n in range(S.taken[r]):
                c = log_counts[r]
                logs[r, c, 0] = turn
                logs[r, c, 1] = S.act[r, n]
                logs[r, c, 2] = 1 if S.act_done[r, n] else 0
                log_numbers[r, c, 0] = S.act_odds[r, n]
                log_numbers[r, c, 1] = S.act_utility[r, n]
                log_numbers[r, c, 2] = S.act_probability[r, n]
                log_counts[r] += 1
            for n in range(S.told[r]):
                c = talk_counts[r]
                talks[r, c, 0] = turn
                talks[r, c, 1:] = S.talk[r, n]
                talk_numbers[r, c] = S.talk_number[r, n]
                talk_counts[r] += 1
        _record(S, turn, states, alpha, beta)


@njit
def _record(S: State, turn, states, alpha, beta):
    for r in range(S.run.shape[0]):
        for s in range(S.x.shape[0]):
            states[r, turn, s] = S.x[s, r]
        for b in range(S.alpha.shape[0]):
            alpha[r, turn, b] = S.alpha[b, r]
            beta[r, turn, b] = S.beta[b, r]


def new_state(compiled: Compiled, runs: Iterable[int]) -> State:
    """Working space for these runs side by side; `begin` puts them at their start."""
    T = compiled.tables
    run = np.array(list(runs), dtype=np.uint64)
    R = run.size
    size = compiled.space
    S, N, B, I, K = T.low.size, T.policy.size, T.promised.size, T.incident_key.size, T.rank_slot.size
    V, D, P, F = T.value_option.size, T.deal_option.size, T.promise_option.size, T.forum_active.size
    O, H, stirred = T.option_actor.size, T.hung_option.size, T.stirred.size
    thinks, learns = bool((T.depth > 0).any()), bool((T.policy == REINFORCEMENT).any())
    repeats, contests = bool((T.policy == TREND).any()), bool((T.policy == CHALLENGE).any())

    def zeros(*shape: int) -> Any:
        return np.zeros((*shape, R))

    def whole(*shape: int) -> Any:
        return np.zeros((*shape, R), dtype=np.int32)

    def flags(*shape: int) -> Any:
        return np.zeros((*shape, R), dtype=np.bool_)

    return State(
        run=run, x=zeros(S), source=zeros(S + T.capability.shape[0]),
        alpha=zeros(B), beta=zeros(B), kept=zeros(B), broken=zeros(B),
        hazard_start=zeros(I), happened=np.zeros((I, R), dtype=np.bool_),
        under_way=zeros(size["delay"] + 1, S if size["delay"] else 0),
        add=zeros(S), level=zeros(S), levels=zeros(S), up=zeros(S), down=zeros(S),
        tested=zeros(B), test=zeros(B), coefficient=zeros(T.coupling_from.size),
        foreseen=zeros(size["pairs"]), foreseen_for=np.full(R, np.nan), foreseen_now=np.zeros(1, dtype=np.bool_),
        discount=zeros(rules.HORIZON + 1), walk=zeros(size["nodes"], rules.HORIZON + 1),
        weight=zeros(N), slope=zeros(K), bend=zeros(K), moved=zeros(K),
        mark=np.zeros(K + 1, dtype=np.int64), touched=np.zeros(K, dtype=np.int32), change=zeros(8),
        available=np.zeros((size["options"], R), dtype=np.bool_),
        open=np.zeros(size["options"], dtype=np.bool_), count=zeros(int(np.diff(T.menu_start).max(initial=0))),
        utility=zeros(size["options"]), odds=zeros(size["options"]), logit=zeros(size["options"]),
        score=zeros(size["options"]), hold_score=zeros(2),
        taken=np.zeros(R, dtype=np.int32), act=np.zeros((R, size["acts"]), dtype=np.int32),
        act_utility=np.zeros((R, size["acts"])), act_odds=np.zeros((R, size["acts"])),
        act_probability=np.zeros((R, size["acts"])), act_done=np.zeros((R, size["acts"]), dtype=np.bool_),
        own_change=np.zeros(K), candidate=np.zeros((R, size["options"]), dtype=np.int32),
        candidates=np.zeros(R, dtype=np.int32), turn=np.zeros(1, dtype=np.int64),
        assumed=np.full(1, -1, dtype=np.int64),
        value=zeros(V), charge=zeros(V), prospect=zeros(V), possible=flags(V),
        table=whole(D), joined=flags(P), due=whole(P), broken_on=whole(P), loss=zeros(P), delivered=zeros(P),
        reply=whole(D), serve=whole(P), met=whole(F), session=whole(F),
        here=flags(T.seat_actor.size), seated=whole(T.seat_actor.size), worth=zeros(T.seat_actor.size),
        move=zeros(T.place_slot.size), trial=zeros(T.place_slot.size), drawn=zeros(T.convener_forum.size),
        actual=zeros(stirred if thinks else 0), shifts=zeros(stirred if thinks else 0),
        shift=zeros(N if thinks else 0, stirred), next_shift=zeros(N if thinks else 0, stirred),
        likely=zeros(size["options"]),
        answering=zeros(H if thinks else 0), next_answering=zeros(H if thinks else 0), hung_value=zeros(H if thinks else 0),
        recent=zeros(T.past.shape[0] if repeats else 0, O), propensity=zeros(O + N if learns else 0),
        before=zeros(S if learns else 0), contest=zeros(N if contests else 0, N),
        told=np.zeros(R, dtype=np.int32), talk=np.zeros((R, size["talks"], 3), dtype=np.int32),
        talk_number=np.zeros((R, size["talks"], 3)),
    )  # fmt: skip


def _batch(compiled: Compiled, seed: int, runs: np.ndarray, turns: int, explained: bool, names: np.ndarray) -> History:
    """History of some runs side by side, under these names."""
    T = compiled.tables
    R, S, B, I = runs.size, T.low.size, T.promised.size, T.incident_key.size
    states = np.empty((R, turns + 1, S))
    alpha, beta = np.empty((R, turns + 1, B)), np.empty((R, turns + 1, B))
    incidents = np.empty((R, turns, I), dtype=np.bool_)
    counts = np.empty(R, dtype=np.int64)
    logs = np.empty((R, turns * compiled.space["acts"], 3), dtype=np.int32)
    numbers = np.empty((R, turns * compiled.space["acts"], 3))
    talk_counts = np.empty(R, dtype=np.int64)
    talks = np.empty((R, turns * compiled.space["talks"], 4), dtype=np.int32)
    talk_numbers = np.empty((R, turns * compiled.space["talks"], 3))
    state = new_state(compiled, runs)
    simulate(
        T, state, np.uint64(seed), turns, explained, states, alpha, beta, incidents, counts, logs, numbers,
        talk_counts, talks, talk_numbers,
    )  # fmt: skip
    kept = np.arange(logs.shape[1])[None, :] < counts[:, None]
    acts = Acts(
        run=np.repeat(names, counts), turn=logs[..., 0][kept], option=logs[..., 1][kept],
        chance=numbers[..., 0][kept], succeeded=logs[..., 2][kept].astype(np.bool_),
        utility=numbers[..., 1][kept], probability=numbers[..., 2][kept],
    )  # fmt: skip
    told = np.arange(talks.shape[1])[None, :] < talk_counts[:, None]
    said = Talks(
        np.repeat(names, talk_counts), *(talks[..., n][told] for n in range(4)),
        *(talk_numbers[..., n][told] for n in range(3)),
    )  # fmt: skip
    return History(names, states, alpha, beta, incidents, acts, said)


def batches(
    compiled: Compiled,
    seed: int,
    runs: Iterable[int],
    *,
    policy: str | None = None,
    turns: int | None = None,
    explained: bool = True,
    numbers: Mapping[str, Sequence[float]] | None = None,
    names: Iterable[int] | None = None,
    threads: int = 1,
    lanes: int = LANES,
) -> Iterator[History]:
    """Histories of the runs in order, `lanes` at a time; results do not depend on `lanes` or `threads`.

    seed: 0 <= seed < 2**64. runs: run numbers 0 <= run < 2**32. turns: the scenario's where None.
    explained: also the probability of each act (a tenth slower). numbers: values that differ from run to run, one for
    each of the runs by the number's path; compiled once, the runs still go side by side. names: under which numbers
    the histories are told, the runs' own where None; runs that share their random numbers need other names.
    """
    ready = compiled.with_policy(policy)
    every = np.array(list(runs), dtype=np.int64)
    varied = {path: np.asarray(values, dtype=np.float64) for path, values in (numbers or {}).items()}
    told = every if names is None else np.array(list(names), dtype=np.int64)
    horizon = compiled.turns if turns is None else turns

    def part(first: int) -> History:
        some = slice(first, first + lanes)
        here = ready
        if varied:
            here = ready.side_by_side({path: values[some] for path, values in varied.items()}, every[some].size)
        return _batch(here, seed, every[some], horizon, explained, told[some])

    parts = range(0, every.size, lanes)
    if threads <= 1:
        yield from map(part, parts)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: list[Any] = []
        for first in parts:
            waiting.append(pool.submit(part, first))
            if len(waiting) > 2 * threads:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def ensemble(compiled: Compiled, seed: int, runs: Iterable[int], **options: Any) -> History:
    """One history of all runs (see `batches`)."""
    return joined(list(batches(compiled, seed, runs, **options)))


def joined(parts: list[History]) -> History:
    """Histories of several sets of runs as one."""
    if len(parts) == 1:
        return parts[0]

    def both(name: str, of: Any = lambda part: part) -> Any:
        return np.concatenate([getattr(of(part), name) for part in parts])

    return History(
        both("runs"), both("states"), both("alpha"), both("beta"), both("incidents"),
        Acts(**{name: both(name, lambda part: part.acts) for name in Acts.__dataclass_fields__}),
        Talks(**{name: both(name, lambda part: part.talks) for name in Talks.__dataclass_fields__}),
    )  # fmt: skip

"""The order of a turn, and many runs at once.

A turn is `open_turn` (dated events, incidents, beliefs), `appraise` and `choose` for each actor, and `close_turn`
(effects, regard, couplings). Mesa's `World` calls the same four for one run as `simulate` does for many side by side;
the rules themselves are in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sim import draws, rules
from sim.arrays import (
    ADD,
    ALWAYS,
    BEST,
    BROKEN,
    FROZEN,
    LOWER,
    RAISE,
    RANDOM,
    TO,
    Acts,
    Compiled,
    History,
    State,
    Tables,
)
from sim.jit import njit, of, of_pair
from sim.maths import exp, log

LANES = 64  # runs side by side: enough for the vector units, few enough for the cache
NOT_DRAWN = -1.0


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


@njit
def open_turn(T: Tables, S: State, seed, turn):
    """Steps 1 and 2: dated events, incidents, beliefs. Afterwards the state is that of the start of the turn."""
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
                for r in range(S.run.shape[0]):
                    counts[r] = rules.reliance(S.x[T.promised[b], r], S.x[T.credibility[b], r], on_broken)
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
def _value_of(T: Tables, S: State, i, o, attempt, risky, gain):
    """V of one group of an option's effects (odd.md 7.4), into the row `gain`."""
    a, at = T.option_action[o], T.option_at[o]
    touched = 0
    S.mark[S.mark.shape[0] - 1] += 1
    stamp = S.mark[S.mark.shape[0] - 1]
    change = S.change[1]
    for e in range(T.effect_start[a], T.effect_start[a + 1]):
        place = at + T.effect_at[e]
        s = T.reference[place]
        if T.effect_attempt[e] != attempt or s < 0:
            continue
        first, last = T.reach_start[s], T.reach_start[s + 1]
        if first == last:
            continue
        _change_of(T, S, i, e, place, change)
        for p in range(first, last):
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
    return touched > 0


@njit
def appraise(T: Tables, S: State, i):
    """Step 3 for actor i: which options are available, their chances and expected utilities (rows of its options)."""
    stale = not S.foreseen_now[0]
    for r in range(S.run.shape[0]):
        stale |= S.foreseen_for[r] != of(T.foresight, i, r)
    if stale:
        _foresee(T, S, i)
    risky = _look(T, S, i)
    first = T.option_start[i]
    gain, attempted, costs = S.change[0], S.change[2], S.change[1]
    for o in range(first, T.option_start[i + 1]):
        a, at, row = T.option_action[o], T.option_at[o], o - first
        for r in range(S.run.shape[0]):
            S.available[row, r] = True
        for n in range(T.need_start[a], T.need_start[a + 1]):
            s = T.reference[at + n - T.need_start[a]]
            if s < 0:
                for r in range(S.run.shape[0]):
                    S.available[row, r] = False
            elif T.need_least[n]:
                for r in range(S.run.shape[0]):
                    S.available[row, r] &= S.x[s, r] >= of(T.need_value, n, r)
            else:
                for r in range(S.run.shape[0]):
                    S.available[row, r] &= S.x[s, r] <= of(T.need_value, n, r)
        some = False
        for r in range(S.run.shape[0]):
            some |= S.available[row, r]
        S.open[row] = some
        if not some:
            continue
        _value_of(T, S, i, o, 0, risky, gain)
        tries = T.attempts[a] and _value_of(T, S, i, o, 1, risky, attempted)
        if T.chance_factors[a] == 0 and T.cost_factors[a] == 0 and not tries:
            for r in range(S.run.shape[0]):
                chance = rules.clamp(of_pair(T.chance, a, i, r), 0.0, 1.0)
                S.odds[row, r] = chance
                S.utility[row, r] = rules.expected_utility(chance, gain[r], 0.0, of_pair(T.cost, a, i, r))
            continue
        if not tries:
            for r in range(S.run.shape[0]):
                attempted[r] = 0.0
        for r in range(S.run.shape[0]):
            S.odds[row, r] = of_pair(T.chance, a, i, r)
            costs[r] = of_pair(T.cost, a, i, r)
        _times(T, S, T.reference, at + T.chance_at[a], T.chance_factors[a], S.odds[row])
        _times(T, S, T.reference, at + T.cost_at[a], T.cost_factors[a], costs)
        for r in range(S.run.shape[0]):
            S.odds[row, r] = rules.clamp(S.odds[row, r], 0.0, 1.0)
            S.utility[row, r] = rules.expected_utility(S.odds[row, r], gain[r], attempted[r], costs[r])


# ------------------------------------------------------------------ step 4


@njit
def _score(T: Tables, S: State, i, seed, turn):
    """Logits and scores of i's available options and of hold."""
    first = T.option_start[i]
    weight, rationality = S.change[0], S.change[3]
    for r in range(S.run.shape[0]):
        rationality[r] = of(T.rationality, i, r)
        if T.policy[i] == BEST:
            rationality[r] = rules.BEST_RATIONALITY
        elif T.policy[i] == RANDOM:
            rationality[r] = 0.0
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
        S.hold_score[1, r] = S.hold_score[0, r] + draws.gumbel(
            draws.uniform(seed, S.run[r], turn, T.hold_key[i], draws.CHOICE)
        )
    prior, noise = S.change[2], S.change[1]
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
            row, key = o - first, T.option_key[o]
            if not S.open[row]:
                continue
            # One pass each: together they need more registers than there are.
            for r in range(S.run.shape[0]):
                noise[r] = draws.uniform(seed, S.run[r], turn, key, draws.CHOICE)
            for r in range(S.run.shape[0]):
                noise[r] = -log(noise[r])
            for r in range(S.run.shape[0]):
                logit = prior[r] + rationality[r] * S.utility[row, r]
                S.logit[row, r] = logit
                S.score[row, r] = logit - log(noise[r])


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
def _force(T: Tables, S: State, turn, r):
    """Acts of dated events, each behind what its actor chose."""
    for n in range(T.forced_turn.shape[0]):
        if T.forced_turn[n] == turn:
            o = T.forced_option[n]
            c = S.taken[r]
            while c > 0 and T.option_actor[S.act[r, c - 1]] > T.option_actor[o]:
                S.act[r, c] = S.act[r, c - 1]
                S.act_utility[r, c] = S.act_utility[r, c - 1]
                S.act_odds[r, c] = S.act_odds[r, c - 1]
                S.act_probability[r, c] = S.act_probability[r, c - 1]
                c -= 1
            S.act[r, c] = o
            S.act_utility[r, c] = np.nan
            S.act_odds[r, c] = 1.0
            S.act_probability[r, c] = 1.0
            S.taken[r] += 1


@njit
def _act(T: Tables, S: State, seed, turn, r):
    """Steps 6 and 7 of run r: all acts, from the state at the start of the turn."""
    _force(T, S, turn, r)
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


@njit
def close_turn(T: Tables, S: State, seed, turn):
    """Steps 6 to 8: effects of the acts in S.act, regard, couplings, resting levels, noise."""
    _clear_sums(S)
    S.tested[:] = -1.0
    S.test[:] = NOT_DRAWN
    arriving = turn % S.under_way.shape[0]
    if S.under_way.shape[0] > 1:
        for s in range(T.low.shape[0]):
            for r in range(S.run.shape[0]):
                S.add[s, r] = S.under_way[arriving, s, r]
                S.under_way[arriving, s, r] = 0.0
    for r in range(S.run.shape[0]):
        _act(T, S, seed, turn, r)
    _settle(T, S)
    _couple(T, S, seed, turn)


# ------------------------------------------------------------------ many runs


@njit
def simulate(
    T: Tables, S: State, seed, turns, explained, states, alpha, beta, incidents, log_counts, logs, log_numbers
):
    """Run the R runs of S from the start through all turns.

    states (R, T+1, S), alpha, beta (R, T+1, B), incidents (R, T, I): filled. log_counts (R,); logs (R, L, 3): turn,
    option, done; log_numbers (R, L, 3): chance, utility, probability.
    """
    begin(T, S)
    _record(S, 0, states, alpha, beta)
    log_counts[:] = 0
    for turn in range(1, turns + 1):
        open_turn(T, S, seed, turn)
        for r in range(S.run.shape[0]):
            for n in range(T.incident_key.shape[0]):
                incidents[r, turn - 1, n] = S.happened[n, r]
        for i in range(T.policy.shape[0]):
            if T.policy[i] != FROZEN:
                appraise(T, S, i)
                choose(T, S, i, seed, turn, explained)
        close_turn(T, S, seed, turn)
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

    def zeros(*shape: int) -> Any:
        return np.zeros((*shape, R))

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
        mark=np.zeros(K + 1, dtype=np.int64), touched=np.zeros(K, dtype=np.int32), change=zeros(4),
        available=np.zeros((size["options"], R), dtype=np.bool_),
        open=np.zeros(size["options"], dtype=np.bool_), count=zeros(int(np.diff(T.menu_start).max(initial=0))),
        utility=zeros(size["options"]), odds=zeros(size["options"]), logit=zeros(size["options"]),
        score=zeros(size["options"]), hold_score=zeros(2),
        taken=np.zeros(R, dtype=np.int32), act=np.zeros((R, size["acts"]), dtype=np.int32),
        act_utility=np.zeros((R, size["acts"])), act_odds=np.zeros((R, size["acts"])),
        act_probability=np.zeros((R, size["acts"])), act_done=np.zeros((R, size["acts"]), dtype=np.bool_),
        own_change=np.zeros(K), candidate=np.zeros((R, size["options"]), dtype=np.int32),
        candidates=np.zeros(R, dtype=np.int32),
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
    state = new_state(compiled, runs)
    simulate(T, state, np.uint64(seed), turns, explained, states, alpha, beta, incidents, counts, logs, numbers)
    kept = np.arange(logs.shape[1])[None, :] < counts[:, None]
    acts = Acts(
        run=np.repeat(names, counts), turn=logs[..., 0][kept], option=logs[..., 1][kept],
        chance=numbers[..., 0][kept], succeeded=logs[..., 2][kept].astype(np.bool_),
        utility=numbers[..., 1][kept], probability=numbers[..., 2][kept],
    )  # fmt: skip
    return History(names, states, alpha, beta, incidents, acts)


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

    names = Acts.__dataclass_fields__
    return History(
        both("runs"), both("states"), both("alpha"), both("beta"), both("incidents"),
        Acts(**{name: both(name, lambda part: part.acts) for name in names}),
    )  # fmt: skip

"""What an option is worth: factors, foresight, interests, expected utility (odd.md 7.3, 7.4, 7.10)."""

from __future__ import annotations

from sim import rules
from sim.arrays import ADD, ALWAYS, BEST, BROKEN, FROZEN, LOWER, RAISE, RANDOM, TREND, State, Tables
from sim.jit import inlined, inner, njit, of, of_pair


@njit
def read_sources(T: Tables, S: State):
    """Shares of all slots, as factors read them until the next reading."""
    for s in range(T.low.shape[0]):
        low, high = T.low[s], T.high[s]
        for r in range(S.run.shape[0]):
            S.source[s, r] = rules.share(S.x[s, r], low, high)


@njit
def multiply(T: Tables, S: State, references, first, count, out):
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
def product(S: State, references, first, count, r):
    """Product of factors in one run, multiplied in the same order as `_times`."""
    product = 1.0
    for n in range(first, first + count):
        code = references[n]
        product *= rules.factor(S.source[code >> 1, r], (code & 1) == 1)
    return product


@inner
def _step_back(T: Tables, S: State, node, v, n, out):
    """C applied once more: the n-th power's weight on local node v, from the powers before, into the row `out`."""
    s = T.node_slot[node]
    for r in range(S.run.shape[0]):
        out[r] = (1.0 - of(T.pull, s, r)) * S.walk[v, n - 1, r]
    for e in range(T.arrow_start[node], T.arrow_start[node + 1]):
        moved, c = T.arrow_to[e], T.arrow_coupling[e]
        for r in range(S.run.shape[0]):
            out[r] += S.coefficient[c, r] * S.walk[moved, n - 1, r]


@inner
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


@inner
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


@inner
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
def look(T: Tables, S: State, i):
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


@inner
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
def change_of(T: Tables, S: State, i, e, place, change):
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
        multiply(T, S, T.reference, place + 2, factors, change)
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
def bring(T: Tables, S: State, i, s, change, touched, stamp):
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
def sum_up(T: Tables, S: State, i, touched, risky, gain):
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
def value_of(T: Tables, S: State, i, o, attempt, risky, gain):
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
        change_of(T, S, i, e, place, change)
        touched = bring(T, S, i, s, change, touched, stamp)
    sum_up(T, S, i, touched, risky, gain)
    return touched > 0


@njit
def ready(T: Tables, S: State, i):
    """Bring the foresight W up to the turn and to i's gamma."""
    stale = not S.foreseen_now[0]
    for r in range(S.run.shape[0]):
        stale |= S.foreseen_for[r] != of(T.foresight, i, r)
    if stale:
        _foresee(T, S, i)


@njit
def needs_hold(T: Tables, S: State, o, holds):
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
def chances(T: Tables, S: State, o, odds, costs):
    """Chance and cost of an option to its actor, into the rows; an output of a forum is sure and costs nothing."""
    i, a, at = T.option_actor[o], T.option_action[o], T.option_at[o]
    for r in range(S.run.shape[0]):
        odds[r] = of_pair(T.chance, a, i, r) if i >= 0 else 1.0
        costs[r] = of_pair(T.cost, a, i, r) if i >= 0 else 0.0
    multiply(T, S, T.reference, at + T.chance_at[a], T.chance_factors[a], odds)
    multiply(T, S, T.reference, at + T.cost_at[a], T.cost_factors[a], costs)
    for r in range(S.run.shape[0]):
        odds[r] = rules.clamp(odds[r], 0.0, 1.0)


@njit
def value_to(T: Tables, S: State, x, o, risky, out):
    """V of option o to x, chance and all, into the row `out`; S.change[5] holds the chance, S.change[6] the cost."""
    attempted, odds, costs = S.change[4], S.change[5], S.change[6]
    value_of(T, S, x, o, 0, risky, out)
    if not (T.attempts[T.option_action[o]] and value_of(T, S, x, o, 1, risky, attempted)):
        for r in range(S.run.shape[0]):
            attempted[r] = 0.0
    chances(T, S, o, odds, costs)
    for r in range(S.run.shape[0]):
        out[r] = odds[r] * out[r] + attempted[r]


@njit
def rationality(T: Tables, i, r):
    """Lambda by which i answers, joins, delivers, attends and votes."""
    if T.policy[i] == BEST:
        return rules.BEST_RATIONALITY
    if T.policy[i] == RANDOM:
        return 0.0
    return of(T.rationality, i, r)


@inlined
def deals_with_nobody(T: Tables, i):
    """Whether i deals with nobody, by its policy."""
    return T.policy[i] == FROZEN or T.policy[i] == TREND

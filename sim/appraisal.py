"""Step 3 of a turn: what each actor makes of its options, and of what others are about to do (odd.md 7.4, 7.13)."""

from __future__ import annotations

import numpy as np

from sim import bargains, meetings, rules, theories, worth
from sim.arrays import CHALLENGE, FROZEN, REINFORCEMENT, TREND, State, Tables
from sim.jit import inner, njit, of, of_pair
from sim.maths import log


@inner
def _available(T: Tables, S: State, i):
    """Which of i's options are available in which runs (S.available; S.open: in some)."""
    first = T.option_start[i]
    for o in range(first, T.option_start[i + 1]):
        row = o - first
        some = worth.needs_hold(T, S, o, S.available[row])
        d, c = T.option_deal[o], T.option_convener[o]
        if some and (d >= 0 or c >= 0):
            some = False
            for r in range(S.run.shape[0]):
                if d >= 0:
                    S.available[row, r] &= bargains.offerable(T, S, d, r) and S.table[d, r] < S.turn[0]
                else:
                    S.available[row, r] &= meetings.convenable(T, S, T.convener_forum[c], r)
                some |= S.available[row, r]
        S.open[row] = some


@inner
def _dealings(T: Tables, S: State, i):
    """Chances and expected utilities of i's offers and convenings, at the actual state."""
    first, costs = T.option_start[i], S.change[1]
    for o in range(first, T.option_start[i + 1]):
        row, d, c = o - first, T.option_deal[o], T.option_convener[o]
        if S.open[row] and (d >= 0 or c >= 0):
            worth.chances(T, S, o, S.odds[row], costs)
            for r in range(S.run.shape[0]):
                if S.available[row, r]:
                    gain = bargains.offer_utility(T, S, d, r) if d >= 0 else meetings.convening_utility(T, S, c, r)
                    S.utility[row, r] = gain - costs[r]


@njit
def appraise(T: Tables, S: State, i, level, stays):
    """Step 3 for actor i as one of this depth would do it (odd.md 7.13).

    stays: leave in S.x the state that i expects.
    """
    _available(T, S, i)
    _dealings(T, S, i)
    if level > 0:
        _expected_state(T, S, i, level)
    worth.ready(T, S, i)
    risky = worth.look(T, S, i)
    first = T.option_start[i]
    gain, attempted, costs = S.change[0], S.change[2], S.change[1]
    if level > 0:
        for p in range(T.given_start[i], T.given_start[i + 1]):
            h = T.given_hung[p]
            worth.value_to(T, S, i, T.hung_option[h], risky, S.hung_value[h])
    for o in range(first, T.option_start[i + 1]):
        a, at, row = T.option_action[o], T.option_at[o], o - first
        if not S.open[row]:
            continue
        if T.option_deal[o] >= 0 or T.option_convener[o] >= 0:
            continue  # see `_dealings`
        worth.value_of(T, S, i, o, 0, risky, gain)
        tries = T.attempts[a] and worth.value_of(T, S, i, o, 1, risky, attempted)
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
            _answered(T, S, i, o, level, gain, attempted)
        for r in range(S.run.shape[0]):
            S.odds[row, r] = of_pair(T.chance, a, i, r)
            costs[r] = of_pair(T.cost, a, i, r)
        worth.multiply(T, S, T.reference, at + T.chance_at[a], T.chance_factors[a], S.odds[row])
        worth.multiply(T, S, T.reference, at + T.cost_at[a], T.cost_factors[a], costs)
        for r in range(S.run.shape[0]):
            S.odds[row, r] = rules.clamp(S.odds[row, r], 0.0, 1.0)
            S.utility[row, r] = rules.expected_utility(S.odds[row, r], gain[r], attempted[r], costs[r])
    if T.policy[i] == REINFORCEMENT:
        for o in range(first, T.option_start[i + 1]):
            for r in range(S.run.shape[0]):
                S.utility[o - first, r] = S.propensity[o, r]
    elif T.policy[i] == CHALLENGE:
        theories.contested(T, S, i)
    if level > 0 and not stays:
        _actual_state(T, S)


@njit
def weigh(T: Tables, S: State):
    """What others' acts are worth to each actor, as far as offers and fora ask for it."""
    if T.value_option.shape[0] == 0 and T.convener_forum.shape[0] == 0:
        return
    for f in range(T.forum_active.shape[0]):
        for q in range(T.seat_start[f], T.seat_start[f + 1]):
            S.here[q, :] = True
        meetings.moves_of(T, S, f, S.move)
    for x in range(T.policy.shape[0]):
        first, last = T.value_start[x], T.value_start[x + 1]
        if first == last and T.convener_start[x] == T.convener_start[x + 1]:
            continue
        worth.ready(T, S, x)
        risky = worth.look(T, S, x)
        for v in range(first, last):
            o = T.value_option[v]
            if not worth.needs_hold(T, S, o, S.possible[v]):
                S.value[v, :] = 0.0
                S.charge[v, :] = 0.0
                continue
            worth.value_to(T, S, x, o, risky, S.value[v])
            for r in range(S.run.shape[0]):
                S.prospect[v, r] = S.change[5, r]
                S.charge[v, r] = S.change[6, r] if T.option_actor[o] == x else 0.0
                if not S.possible[v, r]:
                    S.value[v, r] = 0.0
                    S.charge[v, r] = 0.0
        for c in range(T.convener_start[x], T.convener_start[x + 1]):
            meetings.value_of_moves(T, S, x, T.convener_forum[c], S.move, risky, S.drawn[c])


@inner
def _expected_state(T: Tables, S: State, i, level):
    """Put into S.x the state that i expects at this level; `_actual_state` takes it back."""
    shift = S.shift if level == 1 else S.next_shift
    shifts = S.shifts if level == 1 else S.next_shifts
    for n in range(T.stirred.shape[0]):
        s = T.stirred[n]
        low, high = T.low[s], T.high[s]
        for r in range(S.run.shape[0]):
            S.actual[n, r] = S.x[s, r]
            S.x[s, r] = rules.clamp(S.x[s, r] + (shifts[n, r] - shift[i, n, r]), low, high)


@inner
def _actual_state(T: Tables, S: State):
    for n in range(T.stirred.shape[0]):
        for r in range(S.run.shape[0]):
            S.x[T.stirred[n], r] = S.actual[n, r]


@inner
def _likely(T: Tables, S: State, i, position, level):
    """How likely each available option of i comes up before hold (S.likely), within i's attention (S.change[7])."""
    first, last = T.option_start[i], T.option_start[i + 1]
    scale = S.change[7]
    if T.policy[i] == TREND:
        for r in range(S.run.shape[0]):
            scale[r] = 1.0
            for o in range(first, last):
                if S.open[o - first]:
                    S.likely[o - first, r] = theories.rate(T, S, o, S.turn[0], r)
        return
    logits(T, S, i)
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


@inner
def _shift(T: Tables, S: State, i, position, shift):
    """What i is expected to change, into its rows of `shift`. position: of each slot in T.stirred."""
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
            worth.change_of(T, S, i, e, place, change)
            n = position[s]
            tries = T.effect_attempt[e] == 1
            for r in range(S.run.shape[0]):
                if S.available[row, r]:
                    odds = 1.0 if tries else S.odds[row, r]
                    shift[i, n, r] += S.likely[row, r] * odds * change[r]


@inner
def _answers(T: Tables, S: State, i, answering):
    """How much likelier each option of i becomes if the promise that it hangs on were given in full."""
    first = T.option_start[i]
    if T.policy[i] == TREND or T.policy[i] == REINFORCEMENT or T.policy[i] == CHALLENGE:
        return
    risky = worth.look(T, S, i)
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
            logit = S.logit[row, r] + worth.rationality(T, i, r) * (kept[r] - now[r])
            e = rules.logistic(logit - S.hold_score[0, r]) * S.change[7, r]
            answering[h, r] = e - S.likely[row, r] if S.available[row, r] else 0.0


@inner
def _both(T: Tables, S: State, i, o, row, risky, out):
    """V of an option to its actor with the chance as appraised, into the row `out`."""
    attempted = S.change[5]
    worth.value_of(T, S, i, o, 0, risky, out)
    if not (T.attempts[T.option_action[o]] and worth.value_of(T, S, i, o, 1, risky, attempted)):
        for r in range(S.run.shape[0]):
            attempted[r] = 0.0
    for r in range(S.run.shape[0]):
        out[r] = S.odds[row, r] * out[r] + attempted[r]


@inner
def _answered(T: Tables, S: State, i, o, level, gain, attempted):
    """Add to an option's gains what its word would make the receiver do."""
    at = T.option_at[o]
    change = S.change[1]
    answering = S.answering if level == 1 else S.next_answering
    for n in range(T.word_start[o], T.word_start[o + 1]):
        e = T.word_effect[n]
        place = at + T.effect_at[e]
        s = T.reference[place]
        b = T.belief_of[s]
        worth.change_of(T, S, i, e, place, change)
        for h in range(T.hung_start[b], T.hung_start[b + 1]):
            for r in range(S.run.shape[0]):
                missing = 1.0 - S.x[s, r]
                if missing > 0.0:
                    more = answering[h, r] * (change[r] / missing) * S.hung_value[h, r]
                    if T.effect_attempt[e] == 1:
                        attempted[r] += more
                    else:
                        gain[r] += more


@njit
def expect(T: Tables, S: State):
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
        shift = S.shift if level == 0 else S.next_shift
        shifts = S.shifts if level == 0 else S.next_shifts
        answering = S.answering if level == 0 else S.next_answering
        shift[:] = 0.0
        shifts[:] = 0.0
        answering[:] = 0.0
        for i in range(T.depth.shape[0]):
            if T.policy[i] == FROZEN or T.option_start[i] == T.option_start[i + 1]:
                continue
            appraise(T, S, i, level, True)
            _likely(T, S, i, position, level)
            _shift(T, S, i, position, shift)
            if T.received_start[i] < T.received_start[i + 1]:
                _answers(T, S, i, answering)
            if level > 0:
                _actual_state(T, S)
            for n in range(T.stirred.shape[0]):
                for r in range(S.run.shape[0]):
                    shifts[n, r] += shift[i, n, r]


@njit
def logits(T: Tables, S: State, i):
    """Log prior + lambda x EU of i's available options (S.logit) and of hold (S.hold_score[0])."""
    first = T.option_start[i]
    weight, rationality = S.change[0], S.change[3]
    for r in range(S.run.shape[0]):
        rationality[r] = worth.rationality(T, i, r)
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

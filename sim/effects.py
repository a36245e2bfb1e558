"""What acts do to the state, put together before it changes (odd.md 7.6), and what is put down of a turn."""

from __future__ import annotations

import numpy as np

from sim import draws, rules, worth
from sim.arrays import ADD, ALWAYS, BROKEN, RAISE, TO, State, Tables
from sim.jit import inner, njit, of

NOT_DRAWN = -1.0


@njit
def clear_sums(S: State):
    S.add[:] = 0.0
    S.level[:] = 0.0
    S.levels[:] = 0.0
    S.up[:] = -np.inf
    S.down[:] = np.inf


@njit
def gather(S: State, kind, s, value, counts, r):
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
def delay(S: State, turn, after, s, amount, r):
    S.under_way[(turn + after) % S.under_way.shape[0], s, r] += amount


@njit
def settle(T: Tables, S: State):
    """Bring the sums into the state: levels, steps, one clamp; on ladders the highest lift, then the lowest drop."""
    for s in range(T.low.shape[0]):
        low, high = T.low[s], T.high[s]
        for r in range(S.run.shape[0]):
            base = S.level[s, r] / S.levels[s, r] if S.levels[s, r] > 0.0 else S.x[s, r]
            value = rules.clamp(base + S.add[s, r], low, high)
            S.x[s, r] = min(max(value, S.up[s, r]), S.down[s, r])


@njit
def note(S: State, r, kind, row, result, probability, first, second):
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
def done_already(S: State, o, r):
    for n in range(S.taken[r]):
        if S.act[r, n] == o:
            return True
    return False


@inner
def _test(T: Tables, S: State, seed, turn, b, visibility, r):
    """Whether the promise behind belief b is kept this turn: one draw for all who test it. Notes who sees the test."""
    if S.test[b, r] == NOT_DRAWN:
        u = draws.uniform(seed, S.run[r], turn, T.belief_key[b], draws.KEPT)
        S.test[b, r] = 1.0 if u < S.x[T.reliability[b], r] else 0.0
    S.tested[b, r] = max(S.tested[b, r], visibility)
    return S.test[b, r]


@njit
def happen(T: Tables, S: State, seed, turn, o, done, r):
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
        value = of(T.effect_value, e, r) * worth.product(S, T.reference, place + 2, T.effect_factors[e], r)
        counts = 1.0
        b = T.reference[place + 1]
        if T.effect_when[e] != ALWAYS and b >= 0:
            kept = _test(T, S, seed, turn, b, of(T.visibility, a, r), r)
            counts = rules.reliance(S.x[T.promised[b], r], kept, T.effect_when[e] == BROKEN)
        kind = T.effect_kind[e]
        if T.effect_after[e] > 0:
            delay(S, turn, T.effect_after[e], s, value * counts, r)
            continue
        gather(S, kind, s, value, counts, r)
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
def tell(S: State, b, weight, kept, r):
    if kept:
        S.kept[b, r] += weight
    else:
        S.broken[b, r] += weight


@njit
def enter(T: Tables, S: State, o, odds, utility, probability, r):
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

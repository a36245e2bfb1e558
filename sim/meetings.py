"""Fora: what a session moves, who comes, what is agreed (odd.md 7.12)."""

from __future__ import annotations

import numpy as np

from sim import draws, effects, rules, worth
from sim.arrays import ATTEND, MOVED, OUTPUT, SESSION, VETO, State, Tables
from sim.jit import inner, njit, of

YES, NO = 1, 2  # what a player does (State.seated)


@njit
def dated_session(T: Tables, f, turn):
    for n in range(T.dated_session_start[f], T.dated_session_start[f + 1]):
        if T.dated_session[n] == turn:
            return True
    return False


@njit
def convenable(T: Tables, S: State, f, r):
    """Whether a forum can be convened this turn, the convening's own conditions aside."""
    turn = S.turn[0]
    return of(T.forum_active, f, r) > 0.0 and turn - S.met[f, r] > T.forum_pause[f] and not dated_session(T, f, turn)


@njit
def moves_of(T: Tables, S: State, f, out):
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
def value_of_moves(T: Tables, S: State, x, f, moves, risky, gain):
    """V to x of the moves of a forum's members, into the row `gain`."""
    touched = 0
    S.mark[S.mark.shape[0] - 1] += 1
    stamp = S.mark[S.mark.shape[0] - 1]
    for m in range(T.place_start[T.item_start[f]], T.place_start[T.item_start[f + 1]]):
        touched = worth.bring(T, S, x, T.place_slot[m], moves[m], touched, stamp)
    worth.sum_up(T, S, x, touched, risky, gain)


@njit
def spread_of(T: Tables, S: State, u, moves, r):
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
def veto_odds(T: Tables, S: State, u, n, r):
    """Probability that the member of veto row n stops output u."""
    i = T.seat_actor[T.veto_seat[n]]
    return rules.logistic(-of(T.output_bias, u, r) - worth.rationality(T, i, r) * S.value[T.veto_value[n], r])


@njit
def convening_utility(T: Tables, S: State, c, r):
    """EU of convening before its cost: what moves, and what may come of it, if all members attend."""
    f = T.convener_forum[c]
    value = S.drawn[c, r]
    first = T.output_start[f]
    if T.seat_start[f + 1] - T.seat_start[f] < T.forum_quorum[f]:
        return value
    for u in range(first, T.output_start[f + 1]):
        for q in range(T.seat_start[f], T.seat_start[f + 1]):
            S.here[q, r] = True
        _, agreed = spread_of(T, S, u, S.move, r)
        if not agreed:
            continue
        follows = 1.0
        for n in range(T.veto_start[u], T.veto_start[u + 1]):
            follows *= 1.0 - veto_odds(T, S, u, n, r)
        row = T.prospect_start[c] + u - first
        gain = S.value[T.prospect_value[row], r]
        for n in range(T.occasion_start[u], T.occasion_start[u + 1]):
            v = T.occasion_value[n]
            if S.possible[v, r]:
                boon = S.value[T.boon_value[T.boon_start[row] + n - T.occasion_start[u]], r]
                gain += boon * willing(T, S, v, r)
        value += follows * gain
    return value


@njit
def willing(T: Tables, S: State, v, r):
    """Probability that an actor does, on its occasion, the act that it values in row v."""
    i = T.option_actor[T.value_option[v]]
    return rules.logistic(worth.rationality(T, i, r) * (S.value[v, r] - S.charge[v, r]))


@njit
def meet(T: Tables, S: State, seed, turn):
    """Sessions: who comes, what moves, what is agreed."""
    for f in range(T.forum_active.shape[0]):
        some = False
        dated = dated_session(T, f, turn)
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
        moves_of(T, S, f, S.trial)
        for r in range(S.run.shape[0]):
            if S.session[f, r] >= 0:
                _sit(T, S, f, seed, turn, r)


@inner
def _weigh_attendance(T: Tables, S: State, f):
    """What each member's being there is worth to it, if all others come (S.worth)."""
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        S.here[q, :] = True
    without = S.change[2]
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        x = T.seat_actor[q]
        worth.ready(T, S, x)
        risky = worth.look(T, S, x)
        value_of_moves(T, S, x, f, S.move, risky, S.worth[q])
        S.here[q, :] = False
        moves_of(T, S, f, S.trial)
        S.here[q, :] = True
        value_of_moves(T, S, x, f, S.trial, risky, without)
        for r in range(S.run.shape[0]):
            S.worth[q, r] -= without[r]


@inner
def _convened(T: Tables, S: State, f, i, r):
    """Whether i has convened the forum this turn."""
    for n in range(S.taken[r]):
        c = T.option_convener[S.act[r, n]]
        if c >= 0 and T.convener_forum[c] == f and T.option_actor[S.act[r, n]] == i:
            return True
    return False


@inner
def _attend(T: Tables, S: State, f, seed, turn, r):
    """Which members come to a session, if there is one (S.here)."""
    if S.session[f, r] < 0:
        for q in range(T.seat_start[f], T.seat_start[f + 1]):
            S.here[q, r] = False
        return
    present = 0
    for q in range(T.seat_start[f], T.seat_start[f + 1]):
        odds = attendance(T, S, f, q, r)
        S.here[q, r] = draws.uniform(seed, S.run[r], turn, T.seat_key[q], draws.ATTEND) < odds
        present += 1 if S.here[q, r] else 0
        effects.note(S, r, ATTEND, q, 1 if S.here[q, r] else 0, odds, S.worth[q, r], np.nan)
    S.met[f, r] = turn
    effects.note(S, r, SESSION, f, S.session[f, r] - 1, np.nan, present, np.nan)


@njit
def attendance(T: Tables, S: State, f, q, r):
    """Probability that a member comes to a session."""
    i = T.seat_actor[q]
    if _convened(T, S, f, i, r) or S.seated[q, r] == YES:
        return 1.0
    if worth.deals_with_nobody(T, i) or S.seated[q, r] == NO:
        return 0.0
    return rules.logistic(of(T.seat_attend, q, r) + worth.rationality(T, i, r) * S.worth[q, r])


@inner
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
            effects.note(S, r, MOVED, m, -1, np.nan, S.x[T.place_slot[m], r], S.trial[m, r])
    for u in range(T.output_start[f], T.output_start[f + 1]):
        spread, agreed = spread_of(T, S, u, S.trial, r)
        vetoes = 0
        if agreed:
            for n in range(T.veto_start[u], T.veto_start[u + 1]):
                if S.here[T.veto_seat[n], r]:
                    odds = veto_odds(T, S, u, n, r)
                    cast = draws.uniform(seed, S.run[r], turn, T.veto_key[n], draws.VETO) < odds
                    vetoes += 1 if cast else 0
                    effects.note(S, r, VETO, n, 1 if cast else 0, odds, S.value[T.veto_value[n], r], np.nan)
        follows = agreed and vetoes == 0
        effects.note(S, r, OUTPUT, u, 1 if follows else 0, np.nan, spread, vetoes)
        if not follows:
            continue
        effects.happen(T, S, seed, turn, T.output_option[u], True, r)
        for n in range(T.occasion_start[u], T.occasion_start[u + 1]):
            v, o = T.occasion_value[n], T.occasion_option[n]
            if not S.here[T.occasion_seat[n], r] or not S.possible[v, r] or effects.done_already(S, o, r):
                continue
            odds = willing(T, S, v, r)
            if draws.uniform(seed, S.run[r], turn, T.occasion_key[n], draws.OCCASION) < odds:
                effects.enter(T, S, o, S.prospect[v, r], S.value[v, r] - S.charge[v, r], odds, r)

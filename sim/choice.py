"""Step 4 of a turn: quantal response with a prior, and the naive repetition of the past (odd.md 7.5, 7.14)."""

from __future__ import annotations

import numpy as np

from sim import appraisal, draws, theories
from sim.arrays import FROZEN, TREND, State, Tables
from sim.jit import inner, njit, of
from sim.maths import exp, log


@inner
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
            rate = theories.rate(T, S, o, turn, r)
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


@inner
def _score(T: Tables, S: State, i, seed, turn):
    """Logits and scores of i's available options and of hold."""
    appraisal.logits(T, S, i)
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


@inner
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


@inner
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

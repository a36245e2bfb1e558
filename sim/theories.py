"""Rival ways of deciding: trend, reinforcement, challenge (odd.md 7.14)."""

from __future__ import annotations

import numpy as np

from sim import rules, worth
from sim.arrays import REINFORCEMENT, State, Tables
from sim.jit import njit, of


@njit
def rate(T: Tables, S: State, o, turn, r):
    """How often an option was done in the turns of the last year, as a probability."""
    memory = T.past.shape[0]
    total = 0.0
    for back in range(1, memory + 1):
        before = turn - back
        total += S.recent[before % memory, o, r] if before >= 1 else T.past[-before, o]
    return min(1.0, total / memory)


@njit
def learn(T: Tables, S: State, r):
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
def stand(T: Tables, S: State, i, r):
    """Where i stands on the contested issue, 0..1."""
    s = T.contested_slot[i]
    return rules.share(S.x[s, r], T.low[s], T.high[s]) if s >= 0 else of(T.contested, i, r)


@njit
def challenge(T: Tables, S: State, i, j, exponent, r):
    """E_ij: what i expects of challenging j, with i's exponent r."""
    own, other = stand(T, S, i, r), stand(T, S, j, r)
    for_, all_ = 0.0, 0.0
    for k in range(T.contests.shape[0]):
        if T.contests[k]:
            place = stand(T, S, k, r)
            vote = of(T.clout, k, r) * of(T.resolve, k, r) * (abs(place - other) - abs(place - own))
            for_ += max(0.0, vote)
            all_ += abs(vote)
    wins = for_ / all_ if all_ > 0.0 else 0.5
    return rules.challenge(wins, abs(own - other), of(T.resolve, j, r), exponent)


@njit
def dispute(T: Tables, S: State, r):
    """E_ij of the challenge model for all who declare a position (S.contest)."""
    actors = T.contests.shape[0]
    low, high = np.inf, -np.inf
    for i in range(actors):
        if T.contests[i]:
            security = 0.0
            for j in range(actors):
                if j != i and T.contests[j]:
                    security += challenge(T, S, j, i, 1.0, r)
            S.contest[i, i, r] = security
            low, high = min(low, security), max(high, security)
    for i in range(actors):
        if T.contests[i]:
            exponent = rules.risk_exponent(S.contest[i, i, r], low, high)
            for j in range(actors):
                if j != i and T.contests[j]:
                    S.contest[i, j, r] = challenge(T, S, i, j, exponent, r)


@njit
def contested(T: Tables, S: State, i):
    """EU of i's options under the challenge model."""
    first = T.option_start[i]
    costs = S.change[1]
    for o in range(first, T.option_start[i + 1]):
        row, j = o - first, T.option_target[o]
        if not S.open[row]:
            continue
        worth.chances(T, S, o, S.odds[row], costs)
        meets = j >= 0 and T.contests[i] and T.contests[j]
        for r in range(S.run.shape[0]):
            expected = S.contest[i, j, r] if meets else 0.0
            S.utility[row, r] = -rules.CHALLENGE_SCALE * T.tenor[o] * expected - costs[r]

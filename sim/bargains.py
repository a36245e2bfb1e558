"""Offers: what they are worth, how they are answered, what is owed and whether it is delivered (odd.md 7.11)."""

from __future__ import annotations

import numpy as np

from sim import draws, effects, rules, worth
from sim.arrays import (
    ACCEPTED,
    ANSWER,
    BROKEN_WORD,
    COUNTERED,
    FAILED,
    JOIN,
    KEPT_WORD,
    LAPSED,
    OWED,
    REFUSED,
    REPLY,
    SETTLED,
    TO,
    VOID,
    State,
    Tables,
)
from sim.jit import inlined, inner, njit, of
from sim.maths import exp

YES, NO, LATER = 1, 2, 3  # what a player answers (State.reply, serve, seated); 0: as the model would


@njit
def owed(T: Tables, S: State, o, r):
    """Whether an act is owed already, in whatever deal."""
    for n in range(T.owed_start[o], T.owed_start[o + 1]):
        if S.due[T.owed_promise[n], r] > 0:
            return True
    return False


@njit
def standing(T: Tables, S: State, p, r):
    """Whether what is promised could be promised: it can be done, and is not owed yet."""
    return S.possible[T.promise_value[p], r] and not owed(T, S, T.promise_option[p], r)


@njit
def offerable(T: Tables, S: State, d, r):
    """Whether a deal could be made, its own conditions and the table aside."""
    return (
        of(T.deal_active, d, r) > 0.0
        and standing(T, S, T.deal_promise[d], r)
        and standing(T, S, T.deal_promise[d + 1] - 1, r)
    )


@inlined
def credible(T: Tables, S: State, b, r):
    return S.alpha[b, r] / (S.alpha[b, r] + S.beta[b, r])


@njit
def net(T: Tables, S: State, p, r):
    """EU of what a promise's giver would have to do."""
    v = T.promise_value[p]
    return S.value[v, r] - S.charge[v, r]


@njit
def to_giver(T: Tables, S: State, p, ask, r):
    """X of a deal to one who gives promise p in it and is promised `ask`."""
    i = T.promise_giver[p]
    own = rules.delayed(of(T.foresight, i, r), T.promise_after[p]) * net(T, S, p, r)
    return own + rules.delayed(of(T.foresight, i, r), T.promise_after[ask]) * (
        credible(T, S, T.promise_trust[p], r) * S.value[T.promise_return[p], r]
    )


@njit
def joining(T: Tables, S: State, d, p, r):
    """Probability that the giver of promise p joins the common offer d."""
    k = T.promise_giver[p]
    if worth.deals_with_nobody(T, k) or not standing(T, S, p, r):
        return 0.0
    return rules.logistic(
        worth.rationality(T, k, r) * to_giver(T, S, p, T.deal_promise[d + 1] - 1, r) - of(T.deal_bias, d, r)
    )


@njit
def to_target(T: Tables, S: State, d, joined, r):
    """X of a deal to its target. joined: whether it is known who has joined a common offer (S.joined)."""
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    j = T.promise_giver[ask]
    value = rules.delayed(of(T.foresight, j, r), T.promise_after[ask]) * net(T, S, ask, r)
    for p in range(first, ask):
        part = 1.0
        if p > first:
            if joined:
                part = 1.0 if S.joined[p, r] else 0.0
            else:
                part = joining(T, S, d, p, r)
        gift = credible(T, S, T.promise_belief[p], r) * S.value[T.promise_gift[p], r]
        value += part * rules.delayed(of(T.foresight, j, r), T.promise_after[p]) * gift
    return value


@njit
def counterable(T: Tables, S: State, d, r):
    """The deal that the target could offer instead of d; -1: none."""
    other = T.deal_counter[d]
    if other >= 0 and offerable(T, S, other, r):
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
def reply_odds(T: Tables, S: State, d, r):
    """Probability that the proposer of d would accept it as a counter-offer."""
    first = T.deal_promise[d]
    i = T.promise_giver[first]
    if worth.deals_with_nobody(T, i):
        return 0.0
    gain = to_giver(T, S, first, T.deal_promise[d + 1] - 1, r)
    return rules.logistic(worth.rationality(T, i, r) * gain - of(T.deal_bias, d, r))


@njit
def answer_odds(T: Tables, S: State, d, joined, r):
    """Log weights of accepting an offer and of countering it, against 0 for refusing; and the deal that it is countered
    by, or -1 (with a weight of minus infinity)."""
    j = T.promise_giver[T.deal_promise[d + 1] - 1]
    if worth.deals_with_nobody(T, j):
        return -np.inf, -np.inf, -1
    rationality = worth.rationality(T, j, r)
    accept = rationality * to_target(T, S, d, joined, r) - of(T.deal_bias, d, r)
    other = counterable(T, S, d, r)
    if other < 0:
        return accept, -np.inf, -1
    gain = reply_odds(T, S, other, r) * to_target(T, S, other, True, r)
    return accept, rationality * gain - of(T.deal_bias, other, r), other


@njit
def offer_utility(T: Tables, S: State, d, r):
    """EU of making an offer: what the target is expected to answer, and what comes of it."""
    accept, counter, other = answer_odds(T, S, d, False, r)
    top = max(0.0, accept, counter)
    total = exp(-top) + _weight(accept - top) + _weight(counter - top)
    value = _weight(accept - top) / total * to_giver(T, S, T.deal_promise[d], T.deal_promise[d + 1] - 1, r)
    if other >= 0:
        instead = to_giver(T, S, T.deal_promise[other], T.deal_promise[other + 1] - 1, r)
        value += _weight(counter - top) / total * reply_odds(T, S, other, r) * instead
    return value


@njit
def bargain(T: Tables, S: State, seed, turn):
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
                worth.ready(T, S, looked)
                risky = worth.look(T, S, looked)
            _weigh_default(T, S, p, risky)
    for p in range(T.promise_option.shape[0]):
        for r in range(S.run.shape[0]):
            if 0 < S.due[p, r] <= turn:
                _fall_due(T, S, p, seed, turn, r)


@inner
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
        accept, counter, _ = answer_odds(T, S, d, True, r)
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
            accept, counter, _ = answer_odds(T, S, d, True, r)
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
        accept, _, _ = answer_odds(T, S, d, True, r)
        own = to_giver(T, S, T.deal_promise[d], T.deal_promise[d + 1] - 1, r)
        effects.note(S, r, ANSWER, d, result, _weight(accept - top) / total, to_target(T, S, d, True, r), own)
        if d == best or S.table[d, r] == turn:
            S.table[d, r] = 0
    if best < 0:
        return
    if countered:
        best = T.deal_counter[best]
        odds = reply_odds(T, S, best, r)
        taken = draws.uniform(seed, S.run[r], turn, T.deal_key[best], draws.REPLY) < odds
        own = to_giver(T, S, T.deal_promise[best], T.deal_promise[best + 1] - 1, r)
        effects.note(S, r, REPLY, best, 1 if taken else 0, odds, own, np.nan)
        if not taken:
            return
    _accept(T, S, best, turn, r)
    for n in range(first, last):  # whoever has taken one offer for an act takes no other
        d = T.asked_deal[n]
        if S.table[d, r] >= turn:
            S.table[d, r] = 0
            effects.note(S, r, ANSWER, d, LAPSED, np.nan, np.nan, np.nan)


@inlined
def _weight(odds):
    """exp, and 0 for what cannot be."""
    return exp(odds) if odds > -np.inf else 0.0


@inner
def _tabled(T: Tables, S: State, d, seed, turn, r):
    """Whether an offer still stands; if so, who joins it (S.joined)."""
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    if not (standing(T, S, first, r) and standing(T, S, ask, r)):
        S.table[d, r] = 0
        effects.note(S, r, ANSWER, d, LAPSED, np.nan, np.nan, np.nan)
        return False
    for p in range(first + 1, ask):
        odds = joining(T, S, d, p, r)
        S.joined[p, r] = draws.uniform(seed, S.run[r], turn, T.join_key[p], draws.JOIN) < odds
        effects.note(S, r, JOIN, p, 1 if S.joined[p, r] else 0, odds, to_giver(T, S, p, ask, r), np.nan)
    return True


@inner
def _accept(T: Tables, S: State, d, turn, r):
    """Both sides of a deal owe what they promised."""
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    for p in range(first, ask + 1):
        if first < p < ask and not S.joined[p, r]:
            continue
        S.due[p, r] = turn + T.promise_after[p]
        S.broken_on[p, r] = 0
        effects.gather(S, TO, T.promised[T.promise_belief[p]], 1.0, 1.0, r)
        effects.note(S, r, OWED, p, S.due[p, r], np.nan, S.value[T.promise_gift[p], r], net(T, S, p, r))


@njit
def stake(T: Tables, S: State, p, r):
    """What is at stake for the receiver of a promise, 0..1."""
    return rules.stake(of(T.rationality, T.promise_receiver[p], r), S.value[T.promise_gift[p], r])


@inner
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
            told = seen * of(T.belief_signal, b, r) * stake(T, S, p, r)
            alpha, beta = S.alpha[c, r], S.beta[c, r]
            change[r] = alpha / (alpha + beta + told) - alpha / (alpha + beta)
        touched = worth.bring(T, S, x, T.credibility[c], change, touched, stamp)
    worth.sum_up(T, S, x, touched, risky, S.loss[p])


@inner
def _fall_due(T: Tables, S: State, p, seed, turn, r):
    """A promise that is due is delivered, broken or void."""
    o, d = T.promise_option[p], T.promise_deal[p]
    first, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
    other = first if p == ask else ask
    v = T.promise_value[p]
    if not S.possible[v, r] or 0 < S.broken_on[other, r] < turn:
        S.due[p, r] = 0
        effects.note(S, r, SETTLED, p, VOID, np.nan, np.nan, np.nan)
        return
    if effects.done_already(S, o, r):
        return
    x = T.promise_giver[p]
    odds = 0.0
    if S.serve[p, r] != NO:
        odds = rules.logistic(worth.rationality(T, x, r) * (net(T, S, p, r) - S.loss[p, r]))
    if draws.uniform(seed, S.run[r], turn, T.promise_key[p], draws.DELIVERY) < odds:
        S.delivered[p, r] = odds
        effects.enter(T, S, o, S.prospect[v, r], net(T, S, p, r), odds, r)
        return
    S.due[p, r] = 0
    S.broken_on[p, r] = turn
    _bear_out(T, S, p, False, r)
    effects.note(S, r, SETTLED, p, BROKEN_WORD, odds, stake(T, S, p, r), S.loss[p, r])


@njit
def serve(T: Tables, S: State, p, done, r):
    """An act that was owed has been done, or has failed."""
    odds = 1.0 if np.isnan(S.delivered[p, r]) else S.delivered[p, r]
    if done:
        S.due[p, r] = 0
        _bear_out(T, S, p, True, r)
    effects.note(S, r, SETTLED, p, KEPT_WORD if done else FAILED, odds, stake(T, S, p, r), np.nan)


@inner
def _bear_out(T: Tables, S: State, p, kept, r):
    """What a promise kept or broken tells its receiver and all who watch."""
    b = T.promise_belief[p]
    weight = of(T.belief_signal, b, r) * stake(T, S, p, r)
    effects.tell(S, b, weight, kept, r)
    for n in range(T.other_start[b], T.other_start[b + 1]):
        effects.tell(S, T.other_belief[n], weight * of(T.deal_visibility, T.promise_deal[p], r), kept, r)

"""The order of a turn, and many runs at once.

A turn is `open_turn` (dated events, incidents, beliefs, what others are expected to do), `appraise` and `choose` for
each actor, and `close_turn` (offers, promises due, fora, effects, regard, couplings). Mesa's `World` calls the same
four for one run as `simulate` does for many side by side; `appraisal`, `choice`, `bargains` and `meetings` hold the
steps, `rules` the formulas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sim import appraisal, bargains, draws, effects, meetings, rules, theories, worth
from sim.arrays import CHALLENGE, FROZEN, REINFORCEMENT, TESTED, TREND, Acts, Compiled, History, State, Tables, Talks
from sim.choice import choose as choose  # one of the four steps that others call here
from sim.jit import inner, njit, of

__all__ = [
    "LANES",
    "appraise",
    "batches",
    "begin",
    "choose",
    "close_turn",
    "ensemble",
    "joined",
    "new_state",
    "open_turn",
]

LANES = 64  # runs side by side: enough for the vector units, few enough for the cache
NEVER = -(10**6)  # turn of what has not been


# ------------------------------------------------------------------ step 1 and 2


@inner
def _hazard(T: Tables, S: State, n, out):
    """Probability of incident n in each run, from the sources as last read."""
    for r in range(S.run.shape[0]):
        out[r] = of(T.hazard, n, r)
    for p in range(T.step_start[n], T.step_start[n + 1]):
        source = T.step_source[p]
        for r in range(S.run.shape[0]):
            out[r] += of(T.step_add, p, r) * S.source[source, r]
    first = T.hazard_factor_start[n]
    worth.multiply(T, S, T.hazard_factor, first, T.hazard_factor_start[n + 1] - first, out)
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
    S.shifts[:] = 0.0
    S.next_shift[:] = 0.0
    S.next_shifts[:] = 0.0
    S.answering[:] = 0.0
    S.next_answering[:] = 0.0
    S.turn[0] = 0
    S.assumed[0] = -1
    worth.read_sources(T, S)
    for n in range(T.incident_key.shape[0]):
        _hazard(T, S, n, S.hazard_start[n])


@inner
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


@inner
def _incidents(T: Tables, S: State, seed, turn):
    """Draw the incidents, tell the beliefs of them, and let them do what they do."""
    if T.incident_key.shape[0] == 0:
        return
    worth.read_sources(T, S)
    effects.clear_sums(S)
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
                    value = of(T.blow_value, e, r) * worth.product(S, T.blow_factor, first, count, r)
                    if T.blow_after[e] > 0:
                        effects.delay(S, turn, T.blow_after[e], T.blow_slot[e], value, r)
                    else:
                        effects.gather(S, T.blow_kind[e], T.blow_slot[e], value, 1.0, r)
    if any_blow:
        effects.settle(T, S)


@inner
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
    appraisal.weigh(T, S)
    appraisal.expect(T, S)


@njit
def _open(T: Tables, S: State, seed, turn):
    """Steps 1 and 2."""
    S.turn[0] = turn
    S.told[:] = 0
    _dated(T, S, turn)
    _incidents(T, S, seed, turn)
    _believe(T, S)
    worth.read_sources(T, S)
    for c in range(T.coupling_from.shape[0]):
        for r in range(S.run.shape[0]):
            S.coefficient[c, r] = of(T.coupling_add, c, r)
        first = T.coupling_factor_start[c]
        worth.multiply(T, S, T.coupling_factor, first, T.coupling_factor_start[c + 1] - first, S.coefficient[c])
    S.foreseen_now[0] = False
    S.taken[:] = 0
    S.delivered[:] = np.nan
    if S.before.shape[0] > 0:
        S.before[:] = S.x
    if S.contest.shape[0] > 0:
        for r in range(S.run.shape[0]):
            theories.dispute(T, S, r)


def appraise(T: Tables, S: State, i: int) -> None:
    """Step 3 for actor i: which options are available, their chances and expected utilities (rows of its options)."""
    appraisal.appraise(T, S, i, T.depth[i], False)


# ------------------------------------------------------------------ steps 6 to 8


@inner
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


@inner
def _regard(T: Tables, S: State, i, r):
    for p in range(T.seen_start[i], T.seen_start[i + 1]):
        o, s = T.seen_actor[p], T.seen_slot[p]
        S.add[s, r] += rules.regard_change(of(T.responsiveness, o, r), S.weight[o, r], S.x[s, r])


@inner
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
        effects.note(S, r, TESTED, b, 1 if S.test[b, r] > 0.0 else 0, S.x[T.reliability[b], r], S.tested[b, r], np.nan)
        effects.tell(S, b, weight, S.test[b, r] > 0.0, r)
        for p in range(T.other_start[b], T.other_start[b + 1]):
            effects.tell(S, T.other_belief[p], weight * S.tested[b, r], S.test[b, r] > 0.0, r)


@inner
def _force(T: Tables, S: State, turn, r):
    """Acts of dated events."""
    for n in range(T.forced_turn.shape[0]):
        if T.forced_turn[n] == turn:
            effects.enter(T, S, T.forced_option[n], 1.0, np.nan, 1.0, r)


@inner
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
                bargains.serve(T, S, T.owed_promise[p], done, r)
        if S.recent.shape[0] > 0:
            S.recent[turn % S.recent.shape[0], o, r] += 1.0
        touched = effects.happen(T, S, seed, turn, o, done, r)
        _noticed(T, S, i, of(T.visibility, a, r), touched, r)
    if actor >= 0:
        _regard(T, S, actor, r)
    _signals(T, S, r)


@inner
def _couple(T: Tables, S: State, seed, turn):
    """Step 8: couplings, resting levels and noise, all from the state after the acts."""
    worth.read_sources(T, S)
    S.add[:] = 0.0
    factors = S.change[0]
    for c in range(T.coupling_from.shape[0]):
        for r in range(S.run.shape[0]):
            factors[r] = of(T.coupling_add, c, r)
        first = T.coupling_factor_start[c]
        worth.multiply(T, S, T.coupling_factor, first, T.coupling_factor_start[c + 1] - first, factors)
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
    bargains.bargain(T, S, seed, turn)
    meetings.meet(T, S, seed, turn)
    _carry_out(T, S, seed, turn)


@njit
def _gather_in(T: Tables, S: State, turn):
    """The turn's sums begin with what arrives from earlier turns; dated acts join those that were chosen."""
    effects.clear_sums(S)
    S.tested[:] = -1.0
    S.test[:] = effects.NOT_DRAWN
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
    effects.settle(T, S)
    _couple(T, S, seed, turn)
    if S.propensity.shape[0] > 0:
        for r in range(S.run.shape[0]):
            theories.learn(T, S, r)


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
        appraisal.weigh(T, S)
        appraisal.expect(T, S)
        for r in range(S.run.shape[0]):
            for n in range(T.incident_key.shape[0]):
                incidents[r, turn - 1, n] = S.happened[n, r]
        for i in range(T.policy.shape[0]):
            if T.policy[i] != FROZEN:
                appraisal.appraise(T, S, i, T.depth[i], False)
                choose(T, S, i, seed, turn, explained)
        _gather_in(T, S, turn)
        bargains.bargain(T, S, seed, turn)
        meetings.meet(T, S, seed, turn)
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


@inner
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
        next_shifts=zeros(stirred if thinks else 0),
        shift=zeros(N if thinks else 0, stirred), next_shift=zeros(N if thinks else 0, stirred),
        likely=zeros(size["options"]),
        answering=zeros(H if thinks else 0), next_answering=zeros(H if thinks else 0),
        hung_value=zeros(H if thinks else 0),
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
    turn, kind, row, result = (talks[..., n][told] for n in range(4))
    probability, first, second = (talk_numbers[..., n][told] for n in range(3))
    said = Talks(np.repeat(names, talk_counts), turn, kind, row, result, probability, first, second)
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

"""Each rule does what its docstring says, for whatever numbers a scenario may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import rules

shares = st.floats(0, 1)
inner = st.floats(0.001, 0.999)
regards = st.floats(-1, 1)
saliences = st.floats(0, 1)
foresights = st.floats(0, 0.99)
sizes = st.floats(-3, 3)
weights = st.floats(0, 10)
risks = st.floats(0.2, 5)


def close(value, tolerance=1e-12):
    return pytest.approx(value, rel=tolerance, abs=tolerance)


# ------------------------------------------------------------------------------------------ changes of an indicator


@given(st.floats(-5, 5), sizes)
def test_a_step_leads_no_further_than_the_range(value, size):
    low, high = -1.0, 2.0
    value = rules.clamp(value, low, high)
    assert low <= value <= high
    change = rules.step(value, size, low, high)
    assert low - 1e-12 <= value + change <= high + 1e-12
    assert change * size >= 0
    assert abs(change) <= abs(size) + 1e-15
    if low <= value + size <= high:
        assert change == close(size)


@given(shares, shares, shares)
def test_levelling_goes_the_counted_part_of_the_way(value, level, counts):
    assert rules.levelling(value, level, counts, 0.0, 1.0) == close(counts * (level - value))
    assert rules.levelling(value, value, counts, 0.0, 1.0) == 0.0
    assert rules.levelling(value, level, 0.0, 0.0, 1.0) == 0.0


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_lift_never_drops_and_a_drop_never_lifts(value, rung):
    assert value + rules.lift(float(value), float(rung)) == max(value, rung)
    assert value + rules.drop(float(value), float(rung)) == min(value, rung)


@given(st.floats(-1, 2))
def test_a_share_runs_from_0_at_the_lower_end_to_1_at_the_upper(value):
    assert rules.share(-1.0, -1.0, 2.0) == 0.0
    assert rules.share(2.0, -1.0, 2.0) == 1.0
    assert rules.share(value, -1.0, 2.0) == close((value + 1) / 3)


@given(shares)
def test_a_factor_and_its_not_add_up_to_one(share):
    assert rules.factor(share, False) == share
    assert rules.factor(share, False) + rules.factor(share, True) == close(1)


@given(shares, shares)
def test_what_hangs_on_a_kept_and_what_hangs_on_a_broken_promise_add_up_to_one(promise, kept):
    on_kept, on_broken = rules.reliance(promise, kept, False), rules.reliance(promise, kept, True)
    assert 0 <= on_kept <= 1
    assert on_kept + on_broken == close(1)


def test_without_a_promise_the_whole_risk_is_borne():
    assert rules.reliance(0.0, 0.9, True) == 1.0
    assert rules.reliance(0.0, 0.9, False) == 0.0


@given(shares, shares, shares)
def test_drift_moves_towards_rest_and_never_past_it(value, pull, rest):
    after = value + rules.drift(value, pull, rest)
    assert abs(after - rest) <= abs(value - rest) + 1e-15
    assert (after - rest) * (value - rest) >= -1e-15


# ------------------------------------------------------------------------------------------------------- utility


@given(saliences, shares, shares, shares, st.floats(0.1, 10))
def test_slope_and_bend_are_the_quadratic_loss_exactly(salience, ideal, before, after, width):
    """u(x) = -salience ((x - ideal)/width)^2: the second-order expansion is the whole of it."""
    d = after - before
    expanded = (rules.slope(salience, ideal, before, width) - rules.bend(salience, width) * d) * d
    exact = salience * (((before - ideal) / width) ** 2 - ((after - ideal) / width) ** 2)
    assert expanded == close(exact, 1e-10)


@given(saliences, shares, shares, shares, st.floats(0.5, 4))
def test_the_general_loss_with_exponent_2_is_the_quadratic_one(salience, ideal, before, after, width):
    d = after - before
    quadratic = (rules.slope(salience, ideal, before, width) - rules.bend(salience, width) * d) * d
    assert rules.gain(salience, ideal, before, after, width, 2.0) == close(quadratic)


@given(saliences, shares, shares, shares, risks)
def test_coming_nearer_to_the_ideal_is_never_a_loss(salience, ideal, before, after, risk):
    gain = rules.gain(salience, ideal, before, after, 1.0, risk)
    if abs(after - ideal) <= abs(before - ideal):
        assert gain >= -1e-14
    else:
        assert gain <= 1e-14


@given(saliences, saliences, shares, shares, shares, risks)
def test_what_an_interest_gains_grows_with_its_salience(one, other, ideal, before, after, risk):
    less, more = sorted((one, other))
    assert abs(rules.gain(more, ideal, before, after, 1.0, risk)) >= abs(
        rules.gain(less, ideal, before, after, 1.0, risk)
    ) * (1 - 1e-14)


@given(saliences, shares, shares, shares, risks)
def test_going_there_and_back_gains_nothing(salience, ideal, one, other, risk):
    there = rules.gain(salience, ideal, one, other, 1.0, risk)
    assert there + rules.gain(salience, ideal, other, one, 1.0, risk) == close(0, 1e-14)


@given(shares, sizes, sizes, st.floats(-0.1, 0.1))
def test_expected_utility_counts_the_chance_on_success_only(chance, gain, attempt, cost):
    assert rules.expected_utility(chance, gain, attempt, cost) == close(chance * gain + attempt - cost)
    assert rules.expected_utility(0.0, gain, attempt, cost) == attempt - cost


# ------------------------------------------------------------------------------------------------------ foresight


@given(foresights)
def test_the_weights_of_the_turns_ahead_add_up_to_one(foresight):
    weights = [rules.discount(foresight, n) for n in range(rules.HORIZON + 1)]
    assert sum(weights) == close(1)
    assert min(weights) >= 0


def test_without_foresight_only_the_change_itself_counts():
    assert [rules.discount(0.0, n) for n in range(rules.HORIZON + 1)] == [1.0] + [0.0] * rules.HORIZON
    assert rules.delayed(0.0, 0) == 1.0
    assert rules.delayed(0.0, 1) == 0.0


@given(foresights, st.integers(0, 60))
def test_a_step_that_comes_later_counts_less(foresight, turns):
    assert rules.delayed(foresight, turns) == close(foresight**turns, 1e-11)
    assert rules.delayed(foresight, turns + 1) <= rules.delayed(foresight, turns)


# -------------------------------------------------------------------------------------------------------- beliefs


@given(weights, shares, inner)
def test_the_signals_of_an_incident_and_of_its_absence_leave_belief_where_it_is_on_the_average(weight, hazard, prior):
    """E[kept] : E[broken] = c0 : 1 - c0 while the hazard stays at h0, so a constant hazard tells nothing."""
    kept = (1 - hazard) * rules.incident_kept(weight, hazard, prior)
    broken = hazard * rules.incident_broken(weight, hazard, prior)
    assert kept * (1 - prior) == close(broken * prior)


@given(weights, shares, inner)
def test_an_incident_speaks_against_a_promise_and_its_absence_for_it(weight, hazard, prior):
    assert rules.incident_kept(weight, hazard, prior) >= 0
    assert rules.incident_broken(weight, hazard, prior) >= 0


def test_a_rarer_incident_tells_more_when_it_happens_and_less_when_it_does_not():
    hazards = [0.01, 0.1, 0.3, 0.7, 0.99]
    broken = [rules.incident_broken(0.6, h, 0.5) for h in hazards]
    kept = [rules.incident_kept(0.6, h, 0.5) for h in hazards]
    assert broken == sorted(broken, reverse=True)
    assert kept == sorted(kept)


@given(st.floats(0.1, 10), st.floats(0, 20), shares, weights)
def test_forgetting_pulls_a_belief_to_its_prior_and_signals_add_to_it(prior, learned, forgetting, signal):
    value = prior + learned
    after = rules.remembered(prior, value, forgetting, signal)
    assert after >= prior
    assert after == close(prior + (1 - forgetting) * learned + signal)
    assert rules.remembered(prior, value, 1.0, 0.0) == prior
    assert rules.remembered(prior, prior, forgetting, 0.0) == prior


@given(st.floats(0.1, 10), st.floats(0.1, 10), inner, st.lists(st.tuples(weights, weights), max_size=30))
def test_whatever_the_signals_credibility_stays_inside_0_and_1(prior_kept, prior_broken, forgetting, signals):
    alpha, beta = prior_kept, prior_broken
    for kept, broken in signals:
        alpha = rules.remembered(prior_kept, alpha, forgetting, kept)
        beta = rules.remembered(prior_broken, beta, forgetting, broken)
        assert 0 < alpha / (alpha + beta) < 1


# --------------------------------------------------------------------------------------------------------- regard


@given(regards, st.floats(-1, 1))
def test_regard_stays_within_its_ends(regard, felt):
    """As long as what one turn's acts are felt as, times the responsiveness, is at most 1."""
    assert -1 - 1e-12 <= regard + rules.regard_change(1.0, felt, regard) <= 1 + 1e-12


@given(regards, st.floats(0, 8), sizes)
def test_regard_moves_with_what_was_gained(regard, responsiveness, felt):
    assert rules.regard_change(responsiveness, felt, regard) * felt >= 0
    assert rules.regard_change(responsiveness, 0.0, regard) == 0.0
    assert rules.regard_change(0.0, felt, regard) == 0.0


@given(inner, st.floats(0.001, 0.1))
def test_a_warm_relation_cools_faster_than_it_warms(regard, felt):
    assert -rules.regard_change(5.0, -felt, regard) > rules.regard_change(5.0, felt, regard)


@given(inner, st.floats(0.001, 0.1))
def test_friend_and_foe_mirror_one_another(regard, felt):
    assert rules.regard_change(5.0, felt, regard) == close(-rules.regard_change(5.0, -felt, -regard))

"""Our own logarithm, exponential and power are as good as the library's; draws have the distributions they claim."""

import math
from statistics import NormalDist

import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim import draws, maths

TINY = 2.2250738585072014e-308  # the smallest normal float64
GAMMA = 0.5772156649015329  # Euler and Mascheroni's


def ulps(found, expected):
    """How many units in the last place two numbers lie apart."""
    return abs(found - expected) / math.ulp(expected)


def worst(function, expected, points):
    return max(ulps(function(x), expected(x)) for x in points)


def spread(low, high, count=20_000):
    """Numbers from low to high, evenly spread over their logarithms, with random last bits."""
    points = np.exp(np.random.default_rng(1).uniform(math.log(low), math.log(high), count))
    return np.clip(points, low, high).tolist()


@numba.njit
def drawn(seed, runs, turn, key, purpose):
    first, second = np.empty(runs), np.empty(runs)
    for r in range(runs):
        first[r] = draws.uniform(seed, np.uint64(r), turn, key, purpose)
        second[r] = draws.second_uniform(seed, np.uint64(r), turn, key, purpose)
    return first, second


def uniforms(seed, runs, turn, key, purpose):
    """First and second uniform of one draw in runs 0, 1, 2, ..."""
    return drawn(np.uint64(seed), runs, turn, np.uint64(key), purpose)


def chi_square(numbers, cells):
    """Statistic of evenly filled cells of (0, 1)."""
    counts = np.bincount((np.asarray(numbers) * cells).astype(int), minlength=cells)
    return float(((counts - len(numbers) / cells) ** 2).sum() / (len(numbers) / cells))


def unlikely(degrees):
    """A chi-square statistic exceeds this once in ten thousand times (Wilson and Hilferty)."""
    return degrees * (1 - 2 / (9 * degrees) + 3.719 * math.sqrt(2 / (9 * degrees))) ** 3


# ------------------------------------------------------------------------------------------------ log, exp, power


@pytest.mark.parametrize(("low", "high"), [(TINY, 1e308), (0.5, 2.0), (1 - 1e-6, 1 + 1e-6), (1e-17, 1.0)])
def test_log_is_within_one_unit_of_the_librarys(low, high):
    assert worst(maths.log, math.log, [x for x in spread(low, high) if x != 1.0]) <= 1.0


def test_log_of_powers_of_two_and_of_one_is_right():
    assert maths.log(1.0) == 0.0
    assert all(ulps(maths.log(2.0**n), math.log(2.0**n)) <= 1.0 for n in range(-1022, 1024) if n)


def test_exp_is_within_one_unit_or_so_of_the_librarys():
    points = np.random.default_rng(2).uniform(-700, 700, 20_000).tolist()
    points += [sign * x for x in spread(1e-300, 1.0, 5_000) for sign in (-1, 1)]
    assert worst(maths.exp, math.exp, points) <= 2.0
    assert maths.exp(0.0) == 1.0


def test_exp_stays_finite_and_positive_far_out():
    assert maths.exp(1e12) == maths.exp(700.0) < math.inf
    assert maths.exp(-1e12) == maths.exp(-700.0) > 0.0


@given(st.floats(1e-150, 1e3), st.floats(0.01, 10))
def test_power_is_right_to_the_bits_that_its_exponent_leaves(base, exponent):
    """An error of a unit in the logarithm is multiplied by the exponent."""
    expected = base**exponent
    if 1e-300 < expected < 1e300:
        allowed = 2.0**-52 * (2.0 + 2.0 * abs(exponent * math.log(base)))
        assert abs(maths.power(base, exponent) - expected) <= allowed * expected


@given(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0), st.floats(0.1, 5))
def test_power_never_falls_where_it_should_rise(one, other, exponent):
    low, high = sorted((one, other))
    assert maths.power(low, exponent) <= maths.power(high, exponent) * (1 + 1e-14)


def test_power_of_nothing_is_nothing():
    assert maths.power(0.0, 0.5) == maths.power(0.0, 2.0) == 0.0
    assert maths.power(5e-324, 0.5) < 1e-150
    assert maths.power(1.0, 3.7) == 1.0


# -------------------------------------------------------------------------------------------------- distributions


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@example(0, 0)
@example(2**32 - 1, 2**32 - 1)
def test_a_uniform_number_lies_strictly_between_0_and_1(high, low):
    assert 0.0 < draws.unit(np.uint64(high), np.uint64(low)) < 1.0


@pytest.mark.parametrize("purpose", [draws.CHOICE, draws.SUCCESS, draws.KEPT, draws.INCIDENT, draws.NOISE])
def test_uniform_numbers_fill_the_unit_interval_evenly_and_in_pairs(purpose):
    key = draws.name_key("alba|talk|front")
    first, second = uniforms(7, 60_000, 3, key, purpose)
    assert chi_square(first, 100) < unlikely(99)
    assert chi_square(second, 100) < unlikely(99)
    assert chi_square((np.floor(first * 10) + second) / 10, 100) < unlikely(99)  # the two of one draw
    assert chi_square((np.floor(first[:-1] * 10) + first[1:]) / 10, 100) < unlikely(99)  # neighbouring runs
    assert abs(first.mean() - 0.5) < 5 * math.sqrt(1 / 12 / first.size)


def test_draws_of_other_turns_names_purposes_and_seeds_have_nothing_to_do_with_one_another():
    key, other = draws.name_key("alba|talk|front"), draws.name_key("alba|talk|front2")
    base = uniforms(7, 20_000, 3, key, draws.CHOICE)[0]
    for changed in [(7, 4, key, 1), (7, 3, other, 1), (7, 3, key, 2), (8, 3, key, 1), (7 + 2**32, 3, key, 1)]:
        seed, turn, name, purpose = changed
        found = uniforms(seed, 20_000, turn, name, purpose)[0]
        assert not np.any(found == base)
        assert abs(np.corrcoef(base, found)[0, 1]) < 5 / math.sqrt(20_000)


@pytest.mark.parametrize("u", [1e-16, 1e-9, 0.001, 0.075, 0.0750001, 0.3, 0.5, 0.77, 0.925, 0.999, 1 - 1e-12])
def test_normal_is_the_inverse_of_the_normal_distribution_function(u):
    """Two units in the last place where the argument is well behaved; in the tails an ulp of u moves it by more."""
    expected = NormalDist().inv_cdf(u)
    assert draws.normal(u) == pytest.approx(expected, rel=4e-15, abs=1e-16)


def test_normal_agrees_with_the_standard_librarys_over_its_whole_range():
    inverse = NormalDist().inv_cdf
    low = spread(1e-16, 0.5, 10_000)
    assert max(abs(draws.normal(u) - inverse(u)) for u in low) < 1e-14
    assert all(draws.normal(1.0 - u) == pytest.approx(-draws.normal(u), abs=1e-9) for u in low if 1 - (1 - u) == u)


def test_gumbel_is_the_inverse_of_its_distribution_function():
    for u in (1e-16, 1e-5, 0.1, 0.5, 0.9, 1 - 1e-10, 1 - 2**-53):
        assert draws.gumbel(u) == pytest.approx(-math.log(-math.log(u)), rel=1e-14, abs=1e-15)


def test_gumbel_and_normal_numbers_have_the_moments_of_the_tables():
    first, _ = uniforms(5, 40_000, 1, draws.name_key("x"), draws.NOISE)
    normal = np.array([draws.normal(u) for u in first.tolist()])
    gumbel = np.array([draws.gumbel(u) for u in first.tolist()])
    assert abs(normal.mean()) < 5 / math.sqrt(first.size)
    assert abs(normal.std() - 1) < 5 / math.sqrt(2 * first.size)
    assert abs(gumbel.mean() - GAMMA) < 5 * math.pi / math.sqrt(6 * first.size)


def test_the_largest_of_scores_with_gumbel_noise_falls_as_the_logit_says():
    """What choice rests on: argmax(logit + Gumbel) is the softmax (the Gumbel-max identity)."""
    logits = np.array([0.0, 1.0, -0.7])
    noise = np.array(
        [[draws.gumbel(u) for u in uniforms(9, 30_000, 1, draws.name_key(n), draws.CHOICE)[0].tolist()] for n in "abc"]
    )
    shares = np.bincount((logits[:, None] + noise).argmax(axis=0), minlength=3) / noise.shape[1]
    expected = np.exp(logits) / np.exp(logits).sum()
    assert np.abs(shares - expected).max() < 5 * 0.5 / math.sqrt(noise.shape[1])


def test_a_names_key_is_its_own_and_does_not_change():
    assert draws.name_key("alba|talk|front") == 14470790393215767036
    names = [f"actor{n}|act|other{m}" for n in range(100) for m in range(100)]
    assert len({draws.name_key(name) for name in names}) == len(names)

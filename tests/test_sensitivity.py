"""What moves an outcome, held against functions and chances whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from SALib.analyze import sobol as salib
from scipy.stats import spearmanr

from sim import sensitivity
from sim.sensitivity import Answers, Chance, Curve, Given, Level, estimate, joined, response, tipping_points

SPACE, GRID = Chance(True, False), Chance(False, False)
COMMON = Chance(False, True)
POINTS, REPLICATES = 40, 10
# Sobol' indices of the Ishigami function with a = 7, b = 0.1 (Ishigami & Homma 1990; Sobol' & Levitan 1999).
FIRST, TOTAL = (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437)
VARIANCE = 13.8446


def ishigami(unit: np.ndarray) -> np.ndarray:
    """Of (points, 3) coordinates in 0..1."""
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def saltelli(random: np.random.Generator, rows: int, noise: float = 0.0, replicates: int = 1) -> np.ndarray:
    """(rows * 5, replicates) of Ishigami's function in Saltelli's order, with chance that a row shares."""
    a, b = random.random((2, rows, 3))
    sides = [a, *(np.where(np.arange(3) == k, b, a) for k in range(3)), b]
    values = np.stack([ishigami(side) for side in sides], axis=1)[:, :, None]
    return (values + noise * random.normal(size=(rows, 1, replicates))).reshape(rows * 5, replicates)


def full_grid(*shape: int) -> np.ndarray:
    """(points, axes) coordinates, the last changing fastest."""
    cells = np.meshgrid(*[(np.arange(n) + 0.3) / n for n in shape], indexing="ij")
    return np.stack(cells, axis=-1).reshape(-1, len(shape))


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-8 * (x - 0.6)))


# ---------------------------------------------------------------------------------------------------------- intervals

RANDOM = np.random.default_rng(20)
SHARES = RANDOM.random((POINTS, 1))


START = RANDOM.bit_generator.state


@pytest.fixture(autouse=True)
def _same_chance() -> None:
    """Whichever tests are run."""
    RANDOM.bit_generator.state = START


def _grid_of_common_chance() -> np.ndarray:
    shared = RANDOM.normal(size=(1, REPLICATES))
    return ((shared + RANDOM.normal(size=(POINTS, REPLICATES))) < 3 * (SHARES - 0.5)).astype(float)


CASES: dict[str, tuple[Callable[[], np.ndarray], Chance, bool, float]] = {
    "numbers at points of a space": (
        lambda: RANDOM.random((POINTS, 1)) + RANDOM.normal(size=(POINTS, REPLICATES)), SPACE, False, 0.5,
    ),
    "numbers at points of a space, on common random numbers": (
        lambda: 3 * RANDOM.random((POINTS, 1)) + RANDOM.normal(size=(1, REPLICATES))
        + RANDOM.normal(size=(POINTS, REPLICATES)), Chance(True, True), False, 1.5,
    ),
    "shares of a grid": (lambda: (RANDOM.random((POINTS, REPLICATES)) < SHARES) * 1.0, GRID, True, SHARES.mean()),
    "shares of a grid on common random numbers": (
        _grid_of_common_chance, COMMON, True, float(np.mean([_grid_of_common_chance().mean() for _ in range(8000)])),
    ),
    "shares of single runs": (
        lambda: (RANDOM.random((POINTS, 1)) < RANDOM.random((POINTS, 1))) * 1.0, SPACE, True, 0.5,
    ),
    "rare answers": (
        lambda: (RANDOM.random((100, 1)) < 0.06 * RANDOM.random((100, 1))) * 1.0, SPACE, True, 0.03,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_intervals_cover_at_their_rate(case: str) -> None:
    make, chance, yes_or_no, truth = CASES[case]
    found = [estimate(make(), chance, yes_or_no) for _ in range(800)]
    covered = np.mean([here.low <= truth <= here.high for here in found])
    assert 0.925 <= covered <= 0.985


def test_replicates_of_a_point_are_not_taken_for_points() -> None:
    """Forty points with ten equal replicates tell no more than forty points."""
    one = RANDOM.normal(size=(POINTS, 1))
    alone, repeated = (estimate(values, SPACE, False) for values in (one, np.repeat(one, 10, axis=1)))
    assert repeated.high - repeated.low == pytest.approx(alone.high - alone.low)
    assert (repeated.points, repeated.runs) == (40, 400)


def test_points_drawn_together_count_as_one() -> None:
    one = RANDOM.normal(size=(POINTS, 1))
    together = estimate(np.repeat(one, 5, axis=0), SPACE, False, np.repeat(np.arange(POINTS), 5))
    assert together.high - together.low == pytest.approx((lambda e: e.high - e.low)(estimate(one, SPACE, False)))


def test_points_count_the_same_whatever_they_lack() -> None:
    values = np.array([[1.0, 1.0, 1.0], [0.0, np.nan, np.nan], [np.nan] * 3])
    here = estimate(values, GRID, False)
    assert (here.mean, here.points, here.runs) == (0.5, 2, 4)


def test_one_replicate_on_common_random_numbers_has_no_interval() -> None:
    here = estimate(np.array([[1.0], [0.0]]), COMMON, True)
    assert here.mean == 0.5
    assert math.isnan(here.low)


def test_a_share_of_none_or_all_has_a_wilson_interval() -> None:
    none, whole = (estimate(np.full((50, 1), value), SPACE, True) for value in (0.0, 1.0))
    assert none.low == 0 < none.high < 0.1
    assert whole.high == 1 > whole.low > 0.9


def test_no_value_at_all_is_nothing() -> None:
    here = estimate(np.full((3, 2), np.nan), SPACE, True)
    assert here.runs == 0
    assert math.isnan(here.mean)


# ----------------------------------------------------------------------------------------------------------- response


def test_each_value_of_an_axis_has_its_level() -> None:
    axis = np.repeat([0.1, 0.2, 0.5], 4)
    values = np.repeat([1.0, 0.0, 1.0], 4)[:, None]
    levels = response(axis, values, SPACE, True)
    assert [(level.at, level.here.mean) for level in levels] == [(0.1, 1), (0.2, 0), (0.5, 1)]


def test_a_continuous_axis_has_parts_of_equal_number() -> None:
    axis = RANDOM.random(1000)
    levels = response(axis, axis[:, None], SPACE, False)
    assert [level.here.points for level in levels] == [100] * 10
    assert all(level.low <= level.here.mean <= level.high for level in levels)


def test_a_difference_on_common_random_numbers_is_surer_than_its_sides_and_covers() -> None:
    hits = []
    for _ in range(400):
        shared = 3 * RANDOM.normal(size=(1, REPLICATES))
        low, high = (end + shared + 0.5 * RANDOM.normal(size=(6, REPLICATES)) for end in (0, 1))
        moved = sensitivity.contrast(high, low, COMMON)
        hits.append(moved.low <= 1 <= moved.high)
        side = estimate(high, COMMON, False)
        assert moved.high - moved.low < 0.5 * (side.high - side.low)
    assert 0.925 <= np.mean(hits) <= 0.98


def test_a_difference_between_parts_of_a_space_covers() -> None:
    hits = []
    for _ in range(400):
        low, high = RANDOM.normal(size=(30, 1)), 1 + 2 * RANDOM.normal(size=(50, 1))
        moved = sensitivity.contrast(high, low, SPACE)
        hits.append(moved.low <= 1 <= moved.high)
    assert 0.925 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize(
    ("truth", "yes_or_no"), [(logistic, True), (lambda x: np.sin(6 * x), False)], ids=["a share", "a number"]
)
def test_the_band_of_a_curve_covers(truth: Callable[[np.ndarray], np.ndarray], yes_or_no: bool) -> None:
    covered = []
    for _ in range(80):
        x = RANDOM.random(800)
        mean = truth(x)[:, None]
        values = (RANDOM.random((800, 1)) < mean) * 1.0 if yes_or_no else mean + 0.5 * RANDOM.normal(size=(800, 1))
        line = sensitivity.curve(x, values, SPACE, yes_or_no)
        assert line is not None
        covered.append(np.mean((line.low <= truth(line.at)) & (truth(line.at) <= line.high)))
    assert 0.89 <= np.mean(covered) <= 0.99  # each place for itself; a little bias of the line is left


# ----------------------------------------------------------------------------------------------------- tipping points


def test_the_interval_of_a_tipping_point_covers() -> None:
    hits, missed = [], []
    for _ in range(150):
        x = RANDOM.random(800)
        line = sensitivity.curve(x, (RANDOM.random((800, 1)) < logistic(x)[:, None]) * 1.0, SPACE, True)
        assert line is not None
        (one,) = tipping_points(line)
        assert one.rises
        hits.append(one.low <= 0.6 <= one.high)
        missed.append(abs(one.at - 0.6))
    assert np.mean(hits) >= 0.9
    assert np.mean(missed) < 0.03


def test_a_grid_tips_between_its_values() -> None:
    x = np.linspace(0, 1, 6)
    hits = []
    for _ in range(150):
        values = (RANDOM.random((6, 100)) < logistic(x)[:, None]) * 1.0
        (one,) = tipping_points(joined(response(x, values, GRID, True)))
        hits.append(one.low <= 0.6 <= one.high)
    assert np.mean(hits) >= 0.9


def curve_of(*means: float, margin: float = 0.05) -> Curve:
    mean = np.array(means)
    return Curve(np.arange(mean.size, dtype=float), mean, mean - margin, mean + margin, False)


def test_a_share_that_falls_tips_downwards() -> None:
    (one,) = tipping_points(curve_of(0.9, 0.6, 0.4, 0.1))
    assert (one.at, one.rises) == (1.5, False)
    assert 1 < one.low < 1.5 < one.high < 2


def test_there_and_back_are_two_tipping_points() -> None:
    rising, falling = tipping_points(curve_of(0.2, 0.8, 0.8, 0.3))
    assert (rising.rises, falling.rises) == (True, False)
    assert rising.at < falling.at


def test_what_stays_on_one_side_does_not_tip() -> None:
    assert tipping_points(curve_of(0.2, 0.3, 0.4)) == []


def test_a_crossing_at_the_end_is_open() -> None:
    (one,) = tipping_points(curve_of(0.1, 0.3, 0.52))
    assert 1 < one.at < 2
    assert one.high == math.inf


# -------------------------------------------------------------------------------------------------- shares of variance


def test_ishigamis_indices_are_the_known_ones() -> None:
    told, _, rows = sensitivity.sobol_indices(saltelli(np.random.default_rng(1), 8192), 3, resamples=100)
    assert rows == 8192
    assert [index.first for index in told] == pytest.approx(FIRST, abs=0.03)
    assert [index.total for index in told] == pytest.approx(TOTAL, abs=0.03)


def test_indices_are_those_of_salib() -> None:
    values = saltelli(np.random.default_rng(2), 256)
    told, _, _ = sensitivity.sobol_indices(values, 3, resamples=10)
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    theirs = salib.analyze(problem, values[:, 0], calc_second_order=False, num_resamples=10)
    assert [index.total for index in told] == pytest.approx(theirs["ST"], rel=0.01)
    assert [index.first for index in told] == pytest.approx(theirs["S1"], abs=0.01)


def test_intervals_of_indices_cover() -> None:
    random = np.random.default_rng(3)
    hits = []
    for _ in range(150):
        told, _, _ = sensitivity.sobol_indices(saltelli(random, 256), 3, resamples=200)
        hits.append(
            [i.first_low <= t <= i.first_high for i, t in zip(told, FIRST, strict=True)]
            + [i.total_low <= t <= i.total_high for i, t in zip(told, TOTAL, strict=True)]
        )
    assert 0.9 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize("replicates", [1, 4])
def test_chance_takes_its_share_of_the_variance(replicates: int) -> None:
    values = saltelli(np.random.default_rng(4), 4096, noise=3.0, replicates=replicates)
    told, chance, _ = sensitivity.sobol_indices(values, 3, resamples=50)
    share = VARIANCE / (VARIANCE + 9)
    assert [index.first for index in told] == pytest.approx([share * first for first in FIRST], abs=0.03)
    assert chance.first == pytest.approx(1 - share, abs=0.03)
    if replicates > 1:
        assert chance.total == pytest.approx(1 - share, abs=0.02)


def test_a_row_that_lacks_a_value_is_left_out_and_nothing_turns_to_zero() -> None:
    values = saltelli(np.random.default_rng(1), 2048)
    values[7] = np.nan
    told, _, rows = sensitivity.sobol_indices(values, 3, resamples=20)
    assert rows == 2047
    assert [index.total for index in told] == pytest.approx(TOTAL, abs=0.06)


def test_what_does_not_vary_has_no_indices() -> None:
    told, _, _ = sensitivity.sobol_indices(np.ones((50, 1)), 3)
    assert all(math.isnan(index.first) for index in told)


def test_a_grid_splits_its_own_variance() -> None:
    shape = (5, 4, 3)
    exact = ishigami(full_grid(*shape))
    cube, whole = exact.reshape(shape), exact.var() + 9
    first = [cube.mean(axis=tuple(m for m in range(3) if m != n)).var() / whole for n in range(3)]
    total = [cube.var(axis=n).mean() / whole for n in range(3)]
    random, hits, found = np.random.default_rng(5), [], []
    for _ in range(150):
        told, chance = sensitivity.grid_indices(exact[:, None] + random.normal(0, 3, (exact.size, 12)), shape)
        found.append([*(i.first for i in told), *(i.total for i in told), chance.total])
        hits.append([i.first_low <= t <= i.first_high for i, t in zip(told, first, strict=True)]
                    + [i.total_low <= t <= i.total_high for i, t in zip(told, total, strict=True)])  # fmt: skip
    assert np.mean(found, axis=0) == pytest.approx([*first, *total, 9 / whole], abs=0.01)
    assert 0.9 <= np.mean(hits) <= 0.995


def test_a_grid_that_lacks_a_value_has_no_split() -> None:
    values = np.ones((4, 3))
    values[0, 0] = np.nan
    told, _ = sensitivity.grid_indices(values, (2, 2))
    assert math.isnan(told[0].first)


def test_given_data_finds_first_order_indices_and_covers() -> None:
    random, hits, found = np.random.default_rng(6), [], []
    for _ in range(120):
        x = random.random((2000, 3))
        answers = Answers(ishigami(x)[:, None])
        told = [Given(x[:, k]).index(answers) for k in range(3)]
        found.append([index.first for index in told])
        hits.append([i.first_low <= t <= i.first_high for i, t in zip(told, FIRST, strict=True)])
    assert np.mean(found, axis=0) == pytest.approx(FIRST, abs=0.01)
    assert 0.9 <= np.mean(hits) <= 0.99


def test_given_data_leaves_out_what_is_missing() -> None:
    x = np.random.default_rng(7).random((3000, 3))
    values = ishigami(x)[:, None]
    values[::7] = np.nan
    assert Given(x[:, 1]).index(Answers(values)).first == pytest.approx(FIRST[1], abs=0.05)


def test_rank_correlation_is_spearmans() -> None:
    x, y = RANDOM.random((2, 50))
    y = np.round(x + y, 1)
    rho, low, high = Given(x).rank_correlation(Answers(y[:, None]))
    assert rho == pytest.approx(spearmanr(x, y).statistic)
    assert low < rho < high


# --------------------------------------------------------------------------------------------------------- robustness


def test_the_choice_with_least_regret_is_found() -> None:
    """Savage's kind of table: a bold choice that is best on average, and a careful one that never costs much."""
    bold, careful = np.array([1.0, 1.0, 0.0, 1.0]), np.array([0.7, 0.7, 0.6, 0.7])
    values = [np.repeat(part[:, None], 10, axis=1) for part in (bold, careful)]
    one, other = sensitivity.robustness(values, GRID, False, True, True)
    assert (one.mean.mean, other.mean.mean) == pytest.approx((0.75, 0.675))
    assert (one.regret, other.regret) == pytest.approx((0.6, 0.3))
    assert (one.worst, other.worst) == pytest.approx((0.0, 0.6))
    one, other = sensitivity.robustness(values, GRID, False, False, True)
    assert (one.regret, other.regret) == pytest.approx((0.3, 0.6))


def test_few_replicates_tell_no_regret() -> None:
    values = [np.ones((4, 3)), np.zeros((4, 3))]
    assert all(math.isnan(choice.regret) for choice in sensitivity.robustness(values, GRID, True, True, True))


def test_levels_join_to_a_curve() -> None:
    here = estimate(np.array([[0.0], [1.0]]), SPACE, False)
    line = joined([Level(1, 1, 1, here), Level(2, 2, 2, here)])
    assert line.at.tolist() == [1, 2]
    assert not line.smooth


def test_given_data_indices_agree_with_those_of_salib():
    """Any sample at all gives first-order indices: SALib's RBD-FAST (Tarantola et al. 2006) on the same one."""
    from SALib.analyze import rbd_fast

    x = np.random.default_rng(2).uniform(-np.pi, np.pi, (4000, 3))
    y = np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[-np.pi, np.pi]] * 3}
    theirs = rbd_fast.analyze(problem, x, y, num_resamples=2, seed=1)["S1"]
    for n in range(3):
        ours = Given(x[:, n]).index(Answers(y[:, None]))
        assert ours.first == pytest.approx(theirs[n], abs=0.03)
        assert ours.first_low - 0.03 <= theirs[n] <= ours.first_high + 0.03

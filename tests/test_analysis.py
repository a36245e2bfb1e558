"""Intervals and bands against values from the literature and from NumPy."""

import math

import numpy as np
import pyarrow as pa
import pytest

from sim import analysis


@pytest.mark.parametrize(
    ("successes", "of", "low", "high"),
    [
        (0, 200, 0.0, 0.01885),
        (200, 200, 0.98115, 1.0),
        (15, 148, 0.0624, 0.1605),  # Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29, without correction
        (81, 263, 0.2553, 0.3662),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_newcombe_1998(successes: int, of: int, low: float, high: float):
    assert analysis.wilson(successes, of) == pytest.approx((low, high), abs=6e-5)


def test_wilson_of_nothing_knows_nothing():
    assert analysis.wilson(0, 0) == (0.0, 1.0)


def test_wilson_covers_at_its_rate():
    rng = np.random.default_rng(1)
    for share in (0.02, 0.3, 0.9):
        drawn = rng.binomial(200, share, size=4000)
        held = [low <= share <= high for low, high in (analysis.wilson(int(n), 200) for n in drawn)]
        assert np.mean(held) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(
    ("freedom", "value"),
    [(1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (5, 2.57058), (9, 2.26216), (30, 2.04227), (199, 1.97196)],
)
def test_students_t_agrees_with_its_table(freedom: int, value: float):
    assert analysis.student_t(0.975, freedom) == pytest.approx(value, rel=2e-4)


def test_the_interval_of_a_mean_covers_at_its_rate():
    rng = np.random.default_rng(2)
    held = [low <= 1 <= high for _, low, high in map(analysis.mean_interval, rng.normal(1, 2, size=(4000, 8)))]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_a_mean_of_one_value_has_no_interval():
    mean, low, high = analysis.mean_interval([3.0])
    assert mean == 3
    assert math.isnan(low)
    assert math.isnan(high)


def states() -> pa.Table:
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "run": np.repeat(np.arange(50), 3),
            "turn": np.tile(np.arange(3), 50).astype(np.int32),
            "date": ["a", "b", "c"] * 50,
            "x": rng.random(150),
            "i.j.rung": rng.integers(0, 4, 150).astype(float),
        }
    )


def test_bands_are_quantiles_over_the_runs_by_turn():
    table = states()
    rows = analysis.bands(table, ["x", "i.j.rung"]).to_pylist()
    assert [(row["turn"], row["date"], row["path"]) for row in rows[:3]] == [
        (0, "a", "x"), (0, "a", "i.j.rung"), (1, "b", "x"),
    ]  # fmt: skip
    values = table["x"].to_numpy().reshape(50, 3)
    expected = np.quantile(values[:, 2], analysis.QUANTILES, method="inverted_cdf")
    assert [rows[4][name] for name in analysis.QUANTILE_NAMES] == expected.tolist()
    assert rows[4]["mean"] == pytest.approx(values[:, 2].mean())
    assert analysis.bands(table, ["x", "i.j.rung"], turn=2).to_pylist() == rows[4:]


def test_rungs_are_told_by_their_names():
    ends = analysis.bands(states(), ["x", "i.j.rung"], turn=2)
    (row,) = analysis.rung_summary(ends, {"i.j.rung": ["none", "talks", "mission", "ally"]}).to_pylist()
    assert (row["actor"], row["target"], row["ladder"]) == ("i", "j", "rung")
    assert (row["low"], row["high"]) == ("none", "ally")
    assert row["median"] == ["none", "talks", "mission", "ally"][row["median_rung"]]


def test_outcomes_have_an_interval_or_a_band():
    table = pa.table(
        {
            "run": [0, 1, 2, 3],
            "q": [True, False, True, True],
            "q_turn": pa.array([4, None, 2, 2], pa.int32()),
            "q_date": ["d4", None, "d2", "d2"],
            "n": [1.0, 2.0, 3.0, 4.0],
        }
    )
    kinds = {
        "q": {"title": "Does it?", "yes_or_no": True, "dated": True},
        "n": {"title": "How many?", "yes_or_no": False, "dated": False},
    }
    yes, count = analysis.outcome_summary(table, kinds).to_pylist()
    assert (yes["yes"], yes["share"], yes["turn"], yes["date"]) == (3, 0.75, 2, "d2")
    assert (yes["low"], yes["high"]) == analysis.wilson(3, 4)
    assert (count["median"], count["q05"], count["q95"], count["mean"]) == (2, 1, 4, 2.5)
    assert yes["median"] is None
    assert count["share"] is None

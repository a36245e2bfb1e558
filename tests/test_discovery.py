"""A planted box is found, measured on other runs than those it was found in; and none is found where there is none."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
import pytest

from sim import discovery
from sim.discovery import discover
from sim.errors import BadInput
from sim.sensitivity import Chance

SPACE = Chance(True, False)


def planted(points: int = 4000, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Twelve axes, of which two decide: yes in 85% of runs where x0 > 0.6 and x3 < 0.4, in 5% elsewhere."""
    random = np.random.default_rng(seed)
    axes = {f"x{n}": random.random(points) for n in range(12)}
    inside = (axes["x0"] > 0.6) & (axes["x3"] < 0.4)
    return axes, (random.random(points) < np.where(inside, 0.85, 0.05))[:, None] * 1.0, inside


def test_a_planted_box_is_found() -> None:
    axes, yes, inside = planted()
    (box,) = discover(axes, {}, yes, SPACE)
    bounds = {bound.axis: bound for bound in box.bounds}
    assert set(bounds) == {"x0", "x3"}
    assert (bounds["x0"].low, bounds["x0"].high) == (pytest.approx(0.6, abs=0.02), math.inf)
    assert (bounds["x3"].low, bounds["x3"].high) == (-math.inf, pytest.approx(0.4, abs=0.02))
    assert box.apart
    assert box.density.low <= 0.85 <= box.density.high
    assert box.coverage.low <= yes[inside].sum() / yes.sum() <= box.coverage.high
    assert all(bound.quasi_p < 1e-10 for bound in box.bounds)
    assert box.mass == pytest.approx(inside.mean(), abs=0.02)
    assert len(box.examples) == 3
    assert all(yes[point, replicate] == 1 and box.holds(axes)[point] for point, replicate in box.examples)


def test_words_and_few_values_bound_a_box_of_a_grid() -> None:
    random = np.random.default_rng(1)
    grid = np.stack(np.meshgrid([0.1, 0.2, 0.3, 0.4], [0.0, 1, 2], [1.0, 2, 3, 4, 5], indexing="ij"), axis=-1)
    height, word, other = grid.reshape(-1, 3).T
    inside = (height >= 0.3) & (word == 1)
    yes = (random.random((60, 40)) < np.where(inside, 0.8, 0.1)[:, None]) * 1.0
    (box,) = discover({"height": height, "word": word, "other": other}, {"word": 3}, yes, Chance(False, True))
    assert {bound.axis: bound.members for bound in box.bounds} == {"height": None, "word": (1,)}
    assert (box.holds({"height": height, "word": word}) == inside).all()
    assert box.confirmed
    assert box.density.mean == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_no_box_is_found_in_mere_chance(seed: int) -> None:
    random = np.random.default_rng(seed)
    axes = {f"x{n}": random.random(1000) for n in range(8)}
    assert discover(axes, {}, (random.random((1000, 1)) < 0.3) * 1.0, SPACE, seed) == []


def test_a_second_box_is_told_of_the_rest() -> None:
    random = np.random.default_rng(2)
    axes = {f"x{n}": random.random(6000) for n in range(5)}
    yes = (random.random(6000) < np.where((axes["x0"] > 0.75) | (axes["x1"] < 0.2), 0.9, 0.02))[:, None] * 1.0
    first, second = discover(axes, {}, yes, SPACE)
    assert {bound.axis for box in (first, second) for bound in box.bounds} == {"x0", "x1"}
    assert second.elsewhere < first.elsewhere


def test_too_few_runs_of_interest_give_no_box() -> None:
    axes, yes, _ = planted(60)
    assert discover(axes, {}, yes, SPACE) == []


def test_without_the_extra_one_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    axes, yes, _ = planted(100)
    with pytest.raises(BadInput, match=r"^scenario discovery .* pip install 'tightrope\[discovery\]'$"):
        discover(axes, {}, yes, SPACE)
    assert not discovery.available()


def test_what_is_sure_but_slight_is_no_box() -> None:
    random = np.random.default_rng(3)
    axes = {f"x{n}": random.random(100_000) for n in range(2)}
    yes = (random.random(100_000) < np.where(axes["x0"] > 0.5, 0.215, 0.195))[:, None] * 1.0
    assert discover(axes, {}, yes, SPACE) == []

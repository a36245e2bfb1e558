"""Where in the space of the axes an outcome is found: boxes by PRIM, measured on runs that they were not found in.

The boxes are found by the EMA Workbench's PRIM (Friedman & Fisher 1999; Bryant & Lempert 2010), which is an extra:
`tightrope[discovery]`. Knows arrays of points and replicates, as `sensitivity` does.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import BadInput
from sim.sensitivity import Chance, Estimate, Floats, Whole, ratio

MISSING = "scenario discovery needs the EMA Workbench: pip install 'tightrope[discovery]'"
ROWS = 10_000  # runs in which a box is looked for
BOXES = 2
MOST_BOUNDS = 4
ENOUGH = 30  # runs of interest without which nothing is looked for
EXAMPLES = 3
APART_POINTS = 400  # from which on half of them are set aside
APART_REPLICATES = 10
SIGNIFICANT = 0.05
DENSER = 1.1  # times as dense as anywhere a box must surely be: among many runs, less is sure and means nothing
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Bound:
    """What a box asks of one axis: at least `low` and at most `high`, or one of `members`.

    low, high: infinite where there is no bound. members: numbers of words. quasi_p: the probability of a density as
    high as the box's if this bound did nothing (Bryant & Lempert 2010).
    """

    axis: str
    low: float
    high: float
    members: tuple[int, ...] | None
    quasi_p: float

    def holds(self, values: Floats) -> Mask:
        """(points,) whether it is kept."""
        if self.members is not None:
            return np.isin(values, self.members)
        return (values >= self.low) & (values <= self.high)


@dataclass(frozen=True)
class Box:
    """A part of the space in which runs of interest are found.

    density: their share of the runs in the box. coverage: the box's share of them. mass: its share of all runs.
    elsewhere: their share of the runs that no box before this one holds. confirmed: whether the box holds also on runs
    that it was not found in; apart: whether all this was measured on those alone. examples: points and replicates of
    runs of interest, the most typical first.
    """

    bounds: tuple[Bound, ...]
    density: Estimate
    coverage: Estimate
    mass: float
    elsewhere: float
    confirmed: bool
    apart: bool
    examples: tuple[tuple[int, int], ...]

    def holds(self, axes: Mapping[str, Floats]) -> Mask:
        """(points,) which of them lie in it."""
        return np.logical_and.reduce([bound.holds(axes[bound.axis]) for bound in self.bounds])


def available() -> bool:
    """Whether the extra is there."""
    from importlib.util import find_spec

    return find_spec("ema_workbench") is not None


def discover(
    axes: Mapping[str, Floats],
    words: Mapping[str, int],
    wanted: Floats,
    chance: Chance,
    seed: int = 0,
) -> list[Box]:
    """Boxes in which runs of interest are dense, the first first; none where nothing stands out.

    axes: (points,) by name, of words their numbers. words: the axes whose values are words, and how many. wanted:
    (points, replicates) 1 for a run of interest, 0 for another, NaN for none. A box is found in half of the points of a
    space, and must hold in the other half, by which it is measured. Of a grid it is half of the replicates, and what
    there are so few of is measured on all. Without enough of them, all are used for everything. Raises BadInput
    without the extra.
    """
    if not available():
        raise BadInput(MISSING)
    if np.nansum(wanted) < ENOUGH or np.nansum(1 - wanted) < ENOUGH:
        return []
    unit = np.arange(wanted.shape[0], dtype=np.int64) // chance.together
    halves = _Halves(wanted, chance, unit, seed)
    free = np.ones(wanted.shape[0], dtype=np.bool_)
    found: list[Box] = []
    while len(found) < BOXES and np.nansum(halves.seen[free]) >= ENOUGH / 2:
        bounds = _found(axes, words, np.where(free[:, None], halves.seen, np.nan), seed)
        box = _measured(bounds, axes, halves, wanted, free, chance, unit)
        if box is None:
            break
        found.append(box)
        free &= ~box.holds(axes)
    return found


class _Halves:
    """The runs that boxes are found in (`seen`), must hold in (`other`), and are measured by (`measured`)."""

    def __init__(self, wanted: Floats, chance: Chance, unit: Whole, seed: int) -> None:
        random = np.random.default_rng(seed)
        replicates = wanted.shape[1]
        self.seen = self.other = self.measured = wanted
        self.apart = bool(chance.sampled and unit[-1] + 1 >= APART_POINTS)
        self.confirmed = self.apart or (not chance.sampled and replicates >= APART_REPLICATES)
        if not self.confirmed:
            return
        if self.apart:
            first = (random.permutation(unit[-1] + 1) % 2 == 0)[unit][:, None]
        else:
            first = (random.permutation(replicates) % 2 == 0)[None, :]
        self.seen, self.other = np.where(first, wanted, np.nan), np.where(first, np.nan, wanted)
        if self.apart:
            self.measured = self.other


def _found(axes: Mapping[str, Floats], words: Mapping[str, int], wanted: Floats, seed: int) -> tuple[Bound, ...]:
    """The bounds of the box that PRIM finds: of its peelings the one that holds most runs of interest beyond what as
    many runs hold elsewhere, less the bounds that do little for it."""
    points, replicates = np.nonzero(~np.isnan(wanted))
    if points.size > ROWS:
        kept = np.sort(np.random.default_rng(seed).choice(points.size, ROWS, replace=False))
        points, replicates = points[kept], replicates[kept]
    y = wanted[points, replicates].astype(np.int64)
    names = [name for name in axes if np.unique(axes[name][points]).size > 1]
    if not names or not 0 < y.sum() < y.size:
        return ()
    limits, whole = _peeled(axes, words, names, points, y)
    best: tuple[Bound, ...] = ()
    best_score = 0.0
    rows = {name: axes[name][points] for name in names}
    for n in range(len(limits)):
        bounds = _bounds(limits[n], whole, names, words)
        if 0 < len(bounds) <= 2 * MOST_BOUNDS:
            bounds, score = _pruned(bounds, rows, y)
            if score > best_score and len(bounds) <= MOST_BOUNDS:
                best, best_score = bounds, score
    return best


def _peeled(
    axes: Mapping[str, Floats], words: Mapping[str, int], names: list[str], points: Whole, y: Whole
) -> tuple[list[Any], Any]:
    """The limits at each of PRIM's steps, and those of all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        from ema_workbench.analysis.prim import Prim

        table = pd.DataFrame({
            f"c{n}": [f"w{int(v)}" for v in axes[name][points]] if name in words else axes[name][points]
            for n, name in enumerate(names)
        })  # fmt: skip
        search = Prim(table, y, threshold=max(1e-9, float(y.mean())), peel_alpha=0.05, mass_min=0.03)
        box = search.find_box()
    if box is None:
        return [], search.box_init
    return list(box.box_lims), search.box_init


def _bounds(limits: Any, whole: Any, names: list[str], words: Mapping[str, int]) -> tuple[Bound, ...]:
    """What a box of PRIM asks, where that is less than everything."""
    found = []
    for n, name in enumerate(names):
        column = f"c{n}"
        low, high = limits[column]
        if name in words:
            members = tuple(sorted(int(str(word)[1:]) for word in low))
            if len(members) < len(whole[column][0]):
                found.append(Bound(name, -math.inf, math.inf, members, math.nan))
            continue
        low = -math.inf if low <= whole[column][0] else float(low)
        high = math.inf if high >= whole[column][1] else float(high)
        if low > -math.inf or high < math.inf:
            found.append(Bound(name, low, high, None, math.nan))
    return tuple(found)


def _pruned(bounds: tuple[Bound, ...], rows: Mapping[str, Floats], y: Whole) -> tuple[tuple[Bound, ...], float]:
    """The bounds without which the box would be worse by a hundredth at least, and how good it is."""
    held = {bound: bound.holds(rows[bound.axis]) for bound in bounds}
    kept = list(bounds)
    score = _score(kept, held, y)
    while len(kept) > 1:
        without = [(_score([b for b in kept if b is not bound], held, y), n) for n, bound in enumerate(kept)]
        best, n = max(without)
        if best < 0.99 * score:
            break
        del kept[n]
        score = best
    return tuple(kept), score


def _score(bounds: list[Bound], held: Mapping[Bound, Mask], y: Whole) -> float:
    """How many more runs of interest a box holds than as many runs taken anywhere, as a share of all runs (weighted
    relative accuracy, Lavrac, Flach & Zupan 1999)."""
    inside = np.logical_and.reduce([held[bound] for bound in bounds])
    return float(inside.mean() * (y[inside].mean() - y.mean())) if inside.any() else 0.0


def _measured(
    bounds: tuple[Bound, ...],
    axes: Mapping[str, Floats],
    halves: _Halves,
    wanted: Floats,
    free: Mask,
    chance: Chance,
    unit: Whole,
) -> Box | None:
    """A box with what it holds, without the bounds that do not hold elsewhere; None where nothing is left of it."""
    if not bounds:
        return None
    inside = free & np.logical_and.reduce([bound.holds(axes[bound.axis]) for bound in bounds])

    def within(values: Floats) -> tuple[Floats, Floats, Estimate]:
        ones = (~np.isnan(values)).astype(np.float64)
        yes = np.where(ones > 0, values, 0.0)
        return yes, ones, ratio(inside[:, None] * yes, inside[:, None] * ones, chance, True, unit)

    yes, ones, density = within(halves.other)
    share = float((free[:, None] * yes).sum() / max((free[:, None] * ones).sum(), 1))
    if not density.runs or not density.low > DENSER * share:
        return None
    tested = tuple(
        Bound(b.axis, b.low, b.high, b.members, _quasi_p(b, bounds, axes, free, yes, ones, density)) for b in bounds
    )
    kept = tuple(bound for bound, test in zip(bounds, tested, strict=True) if test.quasi_p <= SIGNIFICANT)
    if len(kept) < len(bounds):
        return _measured(kept, axes, halves, wanted, free, chance, unit)
    yes, ones, density = within(halves.measured)
    coverage = ratio(inside[:, None] * yes, yes, chance, True, unit)
    everything = wanted[free]
    return Box(
        tested, density, coverage, float((inside[:, None] * ones).sum() / ones.sum()), float(np.nanmean(everything)),
        halves.confirmed, halves.apart, _examples(tested, axes, wanted, inside),
    )  # fmt: skip


def _quasi_p(
    bound: Bound,
    bounds: tuple[Bound, ...],
    axes: Mapping[str, Floats],
    free: Mask,
    yes: Floats,
    ones: Floats,
    density: Estimate,
) -> float:
    """How probable so dense a box is if this bound did nothing: binomial, on as many runs as its interval is worth."""
    from scipy.stats import binom

    others = [b for b in bounds if b is not bound]
    wider = free & np.logical_and.reduce([b.holds(axes[b.axis]) for b in others] or [np.ones_like(free)])
    inside = wider & bound.holds(axes[bound.axis])
    share = float((wider[:, None] * yes).sum() / max((wider[:, None] * ones).sum(), 1))
    number, hits = float((inside[:, None] * ones).sum()), float((inside[:, None] * yes).sum())
    half = (density.high - density.low) / 2 / 1.959964
    spread = density.mean * (1 - density.mean)
    worth = min(number, spread / half**2) if half > 0 and spread > 0 else number
    scale = worth / number if number else 0.0
    return float(binom.sf(math.ceil(hits * scale) - 1, max(round(number * scale), 1), share))


def _examples(
    bounds: tuple[Bound, ...], axes: Mapping[str, Floats], wanted: Floats, inside: Mask
) -> tuple[tuple[int, int], ...]:
    """Runs of interest in the box, at different points where there are: those nearest to the middle of them first."""
    points = np.flatnonzero(inside & (np.nan_to_num(wanted) > 0).any(axis=1))
    if not points.size:
        return ()
    away = np.zeros(points.size)
    for bound in bounds:
        if bound.members is None:
            values = axes[bound.axis][points]
            away += ((values - np.median(values)) / (np.ptp(axes[bound.axis]) or 1.0)) ** 2
    found: list[tuple[int, int]] = []
    order = points[np.argsort(away, kind="stable")]
    for turn in range(EXAMPLES):
        for point in order[:EXAMPLES]:
            hits = np.flatnonzero(np.nan_to_num(wanted[point]) > 0)
            if turn < hits.size and len(found) < EXAMPLES:
                found.append((int(point), int(hits[turn])))
    return tuple(found)

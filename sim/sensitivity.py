"""What moves an outcome: its response to each axis, shares of variance, tipping points, robust choices.

Knows arrays of points and replicates, and nothing of where they are from. `values` is always (points, replicates) of
one outcome, a yes counting 1; NaN where a run has no value, which counts nowhere.

Two things may be left to chance: which points there are (a Latin hypercube is a sample of its space, a grid is all
there is of it), and what happens at a point (its replicates). Which of them an interval covers is what `Chance` says.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.analysis import quantiles, student_t

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
MOST_LEVELS = 30  # distinct values of an axis that are looked at one by one
BINS = 10
FINE = 200  # bins from which a curve is smoothed
CURVE = 41  # positions at which it is told
WIDTHS = (0.06, 0.1, 0.15, 0.25, 0.4, 0.7, 1.5)  # of the smoothing window, as shares of the axis
GROUPS = 40  # of the jackknife
ENOUGH_REPLICATES = 10
NARROWER = 0.7  # than the window that foretells best, so that the bias of a line stays small beside its band
RESAMPLES = 500


@dataclass(frozen=True)
class Chance:
    """Where the values of a study come from.

    sampled: the points are drawn from a space. common: a replicate has the same random numbers at all points. together:
    points that are drawn together and follow one another (a row of Saltelli's design).
    """

    sampled: bool
    common: bool
    together: int = 1


@dataclass(frozen=True)
class Estimate:
    """A mean (or share) with its 95% interval, NaN where nothing tells of it, and what it rests on."""

    mean: float
    low: float
    high: float
    points: int
    runs: int


# ------------------------------------------------------------------------------------------------ means with intervals


def estimate(values: Floats, chance: Chance, yes_or_no: bool, unit: Whole | None = None) -> Estimate:
    """Mean over some points, each counting the same whatever its replicates.

    unit: (points,) which of them were drawn together; each by itself if left out. The variance is that between units
    where points are a sample, that between replicates where these share their random numbers, by both where both hold
    (Cameron, Gelbach & Miller 2011), and that within points where neither does. A mean has Student's interval; a share
    Wilson's (1927), for as many runs as the variance is worth (Dean & Pagano 2015).
    """
    there = ~np.isnan(values)
    counts = there.sum(axis=1)
    weights = there / np.maximum(counts, 1)[:, None]
    return ratio(np.where(there, values, 0.0) * weights, weights, chance, yes_or_no, unit)


def ratio(top: Floats, bottom: Floats, chance: Chance, yes_or_no: bool, unit: Whole | None = None) -> Estimate:
    """What one number of the runs comes to over another, in sum, as `estimate` has it. bottom: 0 for what is not there.

    Source: the linearised ratio, Cochran 1977, 6.19.
    """
    there = bottom > 0
    known = there.any(axis=1)
    top, bottom, there = top[known], bottom[known], there[known]
    runs, points = int(there.sum()), int(known.sum())
    if not points:
        return Estimate(math.nan, math.nan, math.nan, 0, 0)
    whole = float(bottom.sum())
    mean = float(top.sum()) / whole
    left = (top - mean * bottom) / whole
    variance, freedom, units = _variance(left, there, chance, None if unit is None else unit[known])
    low, high = _bounds(mean, variance, freedom, units, yes_or_no, runs)
    return Estimate(mean, low, high, points, runs)


def contrast(high: Floats, low: Floats, chance: Chance, unit: tuple[Whole, Whole] | None = None) -> Estimate:
    """Mean over some points less that over others, with its interval: on common random numbers far narrower than those
    of the two. high, low: (points, replicates) each. unit: which of them were drawn together."""
    sides = [(values, ~np.isnan(values)) for values in (high, low)]
    sides = [(values[there.any(axis=1)], there[there.any(axis=1)]) for values, there in sides]
    if not all(len(values) for values, _ in sides):
        return Estimate(math.nan, math.nan, math.nan, 0, 0)
    means, left = [], []
    for (values, there), sign in zip(sides, (1, -1), strict=True):
        weights = there / there.sum(axis=1)[:, None] / len(values)
        means.append(float(np.where(there, values * weights, 0.0).sum()))
        left.append(sign * weights * np.where(there, values - means[-1], 0.0))
    together = None
    if unit is not None:
        known = [~np.isnan(values).all(axis=1) for values in (high, low)]
        together = np.concatenate([part[held] for part, held in zip(unit, known, strict=True)])
    there = np.concatenate([side for _, side in sides])
    variance, freedom, units = _variance(np.concatenate(left), there, chance, together)
    mean = means[0] - means[1]
    low_end, high_end = _bounds(mean, variance, freedom, units, False, int(there.sum()))
    return Estimate(mean, low_end, high_end, len(there), int(there.sum()))


def _variance(left: Floats, there: NDArray[np.bool_], chance: Chance, unit: Whole | None) -> tuple[float, int, int]:
    """Variance of a mean from what each run leaves of it, its degrees of freedom, and the units that it rests on; no
    degrees of freedom where nothing tells of it."""
    counts = there.sum(axis=1)
    replicates = int(there.any(axis=0).sum())
    if chance.sampled or (not chance.common and counts.max() < 2):
        by_unit = left.sum(axis=1)
        if unit is not None:
            _, which = np.unique(unit, return_inverse=True)
            by_unit = np.bincount(which.ravel(), by_unit)
        units = by_unit.size
        if units < 2:
            return math.nan, 0, units
        between = float((by_unit**2).sum()) * units / (units - 1)
        if not chance.common or replicates < 2:
            return between, units - 1, units
        both = between + _by_replicate(left, there) - float((left**2).sum())
        fewer = min(units, replicates)
        return max(both, between), fewer - 1, fewer
    if chance.common:
        if replicates < 2:
            return math.nan, 0, 1
        return _by_replicate(left, there), replicates - 1, replicates
    several = counts > 1
    own = left.sum(axis=1) / counts
    spread = np.where(there, (left - own[:, None]) ** 2, 0.0).sum(axis=1)
    spread[several] /= counts[several] - 1
    spread[~several] = spread[several].mean()
    return float((spread * counts).sum()), int((counts[several] - 1).sum()), int(counts.sum())


def _by_replicate(left: Floats, there: NDArray[np.bool_]) -> float:
    sums = left.sum(axis=0)[there.any(axis=0)]
    return float((sums**2).sum()) * sums.size / (sums.size - 1)


def _bounds(mean: float, variance: float, freedom: int, units: int, share: bool, runs: int) -> tuple[float, float]:
    """The interval of a mean, or of a share, with this variance. units: independent draws, where it does not vary."""
    if not freedom or math.isnan(variance):
        return math.nan, math.nan
    t = student_t(0.975, freedom)
    if not share:
        margin = t * math.sqrt(variance)
        return mean - margin, mean + margin
    return share_interval(mean, variance, t, units, runs)


def share_interval(
    mean: float, variance: float, t: float, units: int, runs: int, least: float = 0.0
) -> tuple[float, float]:
    """Wilson's interval of a share with this variance, for as many independent runs as that is worth, `least` at
    least."""
    mean = min(max(mean, 0.0), 1.0)
    if mean in (0.0, 1.0):
        worth: float = units
    elif variance <= 0:
        worth = runs
    else:
        worth = max(mean * (1 - mean) / variance * (1.959964 / t) ** 2, least)
    if worth <= 0:
        return 0.0, 1.0
    z2 = 1.959964**2
    centre, scale = mean + z2 / (2 * worth), 1 + z2 / worth
    margin = 1.959964 * math.sqrt(mean * (1 - mean) / worth + z2 / (4 * worth**2))
    low, high = (centre - margin) / scale, (centre + margin) / scale
    return (0.0 if mean == 0 else max(low, 0.0)), (1.0 if mean == 1 else min(high, 1.0))


# ------------------------------------------------------------------------------------------------------- the response


@dataclass(frozen=True)
class Level:
    """What an outcome is where an axis has one value, or lies between two."""

    low: float
    high: float
    at: float
    here: Estimate


@dataclass(frozen=True)
class Curve:
    """An outcome along an axis: positions, means and the bounds of their 95% intervals, each for itself.

    smooth: a local straight line (a continuous axis), else the levels themselves joined.
    """

    at: Floats
    mean: Floats
    low: Floats
    high: Floats
    smooth: bool


def levels_of(axis: Floats) -> Floats | None:
    """The values of an axis that has few; None where there are too many to look at one by one."""
    found = np.unique(axis[~np.isnan(axis)])
    return found if found.size <= MOST_LEVELS else None


def response(axis: Floats, values: Floats, chance: Chance, yes_or_no: bool, bins: int = BINS) -> list[Level]:
    """The outcome at each value of an axis, or in `bins` parts of equal number of points where it is continuous.

    axis: (points,) its value, NaN for points that do not count.
    """
    unit = _units(axis.size, chance)
    known = levels_of(axis)
    if known is not None:
        return [
            Level(value, value, value, estimate(values[held], chance, yes_or_no, unit[held]))
            for value in known.tolist()
            if (held := axis == value).any()
        ]
    edges = _edges(axis, bins)
    which = _binned(axis, edges)
    found = []
    for n in range(edges.size - 1):
        held = which == n
        if held.any():
            here = estimate(values[held], chance, yes_or_no, unit[held])
            found.append(Level(float(edges[n]), float(edges[n + 1]), float(axis[held].mean()), here))
    return found


def _units(points: int, chance: Chance) -> Whole:
    return np.arange(points, dtype=np.int64) // chance.together


def _edges(axis: Floats, bins: int) -> Floats:
    """Bounds of parts with equal numbers of points."""
    known = np.sort(axis[~np.isnan(axis)])
    bins = max(1, min(bins, known.size // 5))
    places = np.linspace(0, known.size, bins + 1).astype(np.int64)[1:-1]
    inner = (known[places - 1] + known[places]) / 2
    return np.unique(np.concatenate([known[:1], inner, known[-1:]]))


def _binned(axis: Floats, edges: Floats) -> Whole:
    """Which part each point is in; -1 for none."""
    which = np.clip(np.searchsorted(edges, axis, side="right") - 1, 0, max(edges.size - 2, 0))
    return np.where(np.isnan(axis), -1, which).astype(np.int64)


def curve(axis: Floats, values: Floats, chance: Chance, yes_or_no: bool) -> Curve | None:
    """The outcome along a continuous axis as a local straight line with its band; None for too few points.

    The window (tricube, Cleveland 1979) is the one that best foretells what it has not seen, a fifth narrower so that
    the line's bias stays small beside its band. The band is that of the residuals, of points and of replicates.
    """
    known = ~np.isnan(axis) & ~np.isnan(values).all(axis=1)
    if known.sum() < 20:
        return None
    x, y = axis[known], values[known]
    there = ~np.isnan(y)
    own = np.where(there, y, 0.0).sum(axis=1) / there.sum(axis=1)
    edges = _edges(x, FINE)
    which = _binned(x, edges)
    bins = edges.size - 1
    counts = np.bincount(which, minlength=bins).astype(np.float64)
    held = counts > 0
    middle = np.bincount(which, x, minlength=bins)[held] / counts[held]
    mean = np.bincount(which, own, minlength=bins)[held] / counts[held]
    number = counts[held]
    span = float(x.max() - x.min())
    width = NARROWER * span * min(WIDTHS, key=lambda share: _unseen(middle, mean, number, share * span))
    fitted = _smoother(middle, middle, number, width) @ mean
    at = np.linspace(float(x.min()), float(x.max()), CURVE)
    weights = _smoother(at, middle, number, width)
    place = np.cumsum(held) - 1
    residual = own - fitted[place[which]]
    squares = np.bincount(place[which], residual**2, minlength=middle.size) / number**2
    swallowed = _swallowed(middle, number, width)
    variance = weights**2 @ squares / max(1 - swallowed / known.sum(), 0.5)
    freedom = max(int(known.sum() - swallowed), 1)
    replicates = int(there.any(axis=0).sum())
    if chance.common and replicates > 1:
        variance = np.maximum(variance, _of_replicates(weights, which, place, number, y, own))
        freedom = min(freedom, replicates - 1)
    line = weights @ mean
    t = student_t(0.975, freedom)
    if yes_or_no:
        line = np.clip(line, 0.0, 1.0)
        runs = there.sum()
        units = 1 / (weights**2 / number).sum(axis=1)  # points that a place rests on
        bounds = [
            share_interval(float(p), float(v), t, max(int(n), 1), int(runs), least=float(n) / 4)
            for p, v, n in zip(line, variance, units, strict=True)
        ]
        low, high = np.array(bounds).T
    else:
        margin = t * np.sqrt(variance)
        low, high = line - margin, line + margin
    return Curve(at, line, low, high, True)


def _of_replicates(weights: Floats, which: Whole, place: Whole, number: Floats, y: Floats, own: Floats) -> Floats:
    """Variance of a smooth line by the replicates, which share their random numbers over all points."""
    lines = []
    for column in y.T:
        left = np.where(np.isnan(column), 0.0, column - own)
        lines.append(weights @ (np.bincount(place[which], left, minlength=number.size) / number))
    spread = np.array(lines)
    return np.asarray(spread.var(axis=0, ddof=1) / len(lines))


def _smoother(at: Floats, x: Floats, number: Floats, width: float) -> Floats:
    """(positions, bins) weights of a local straight line; a window that holds fewer than five bins is widened."""
    distance = np.abs(at[:, None] - x[None, :])
    near = np.sort(distance, axis=1)[:, min(5, x.size) - 1] * 1.01 + 1e-12
    kernel = np.clip(1 - (distance / np.maximum(width, near)[:, None]) ** 3, 0, None) ** 3 * number
    offset = x[None, :] - at[:, None]
    s0, s1, s2 = (np.asarray((kernel * offset**power).sum(axis=1)) for power in (0, 1, 2))
    determinant = s0 * s2 - s1**2
    line = (s2[:, None] - s1[:, None] * offset) * kernel / np.where(determinant > 0, determinant, 1.0)[:, None]
    flat = kernel / s0[:, None]
    return np.where((determinant > 1e-12 * s0 * s2)[:, None], line, flat)


def _unseen(x: Floats, mean: Floats, number: Floats, width: float) -> float:
    """Squared error of each bin's mean as foretold by the others (leave-one-out by the smoother's diagonal)."""
    smoother = _smoother(x, x, number, width)
    left = (mean - smoother @ mean) / np.maximum(1 - np.diag(smoother), 1e-3)
    return float((number * left**2).sum())


def _swallowed(x: Floats, number: Floats, width: float) -> float:
    """Degrees of freedom that a smooth line takes."""
    return float(np.trace(_smoother(x, x, number, width)))


def joined(levels: Sequence[Level]) -> Curve:
    """The levels of an axis as a curve."""
    rows = np.array([(level.at, level.here.mean, level.here.low, level.here.high) for level in levels])
    at, mean, low, high = rows.reshape(-1, 4).T
    return Curve(at, mean, low, high, False)


# ----------------------------------------------------------------------------------------------------- tipping points


@dataclass(frozen=True)
class Tipping:
    """Where a share crosses one half.

    at: the best guess; low, high: its 95% interval, infinite where the axis ends before it does. rises: whether the
    share is above one half after it.
    """

    at: float
    low: float
    high: float
    rises: bool


def tipping_points(curve: Curve, half: float = 0.5) -> list[Tipping]:
    """Where a curve of shares crosses one half, for certain at both sides or on one of them at least.

    Between two places where the curve's interval leaves out one half, once below and once above, it must cross it. The
    interval of the crossing reaches from the last such place before it to the first one after it; the best guess is
    where the rising (or falling) curve nearest to the one between them crosses (isotonic regression, Barlow et al.
    1972), on a straight line in log-odds.
    """
    side = np.where(curve.low > half, 1, np.where(curve.high < half, -1, 0))
    sure = np.flatnonzero(side)
    found = []
    if np.isnan(curve.low).all() and (curve.mean - half).min() * (curve.mean - half).max() < 0:
        rising = 1 if curve.mean[-1] > curve.mean[0] else -1
        one = _tipping(curve, 0, curve.at.size - 1, rising, half)
        return [Tipping(one.at, math.nan, math.nan, one.rises)]
    if not sure.size:
        return []
    for before, after in itertools.pairwise(sure):
        if side[before] != side[after]:
            found.append(_tipping(curve, int(before), int(after), int(side[after]), half))
    first, last = int(sure[0]), int(sure[-1])
    if first > 0 and (curve.mean[: first + 1] - half).min() * (curve.mean[: first + 1] - half).max() < 0:
        one = _tipping(curve, 0, first, int(side[first]), half)
        found.insert(0, Tipping(one.at, -math.inf, one.high, one.rises))
    if last < curve.at.size - 1 and (curve.mean[last:] - half).min() * (curve.mean[last:] - half).max() < 0:
        one = _tipping(curve, last, curve.at.size - 1, -int(side[last]), half)
        found.append(Tipping(one.at, one.low, math.inf, one.rises))
    return found


def _tipping(curve: Curve, before: int, after: int, rising: int, half: float) -> Tipping:
    part = slice(before, after + 1)
    at = curve.at[part]
    line, low, high = (
        _monotone(rising * _log_odds(values[part], half)) for values in (curve.mean, curve.low, curve.high)
    )
    if rising < 0:
        low, high = high, low  # the bound that crosses first is the one nearer to the far side
    return Tipping(_zero(at, line), _zero(at, high), _zero(at, low), rising > 0)


def _log_odds(share: Floats, half: float) -> Floats:
    kept = np.clip(share, 1e-4, 1 - 1e-4)
    return np.log(kept / (1 - kept)) - math.log(half / (1 - half))


def _zero(at: Floats, line: Floats) -> float:
    """Where a rising line crosses zero; its end where it does not."""
    above = np.flatnonzero(line >= 0)
    if not above.size:
        return float(at[-1])
    n = int(above[0])
    if n == 0:
        return float(at[0])
    return float(at[n - 1] + (at[n] - at[n - 1]) * (-line[n - 1]) / (line[n] - line[n - 1]))


def _monotone(values: Floats) -> Floats:
    """The rising sequence nearest to this one: pool adjacent violators (Ayer et al. 1955)."""
    blocks: list[list[float]] = []
    for value in values.tolist():
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last, count = blocks.pop()
            mean, many = blocks[-1]
            blocks[-1] = [(mean * many + last * count) / (many + count), many + count]
    return np.concatenate([np.full(int(count), mean) for mean, count in blocks])


# --------------------------------------------------------------------------------------------------- shares of variance


@dataclass(frozen=True)
class Index:
    """Shares of the variance between runs that an axis explains, with 95% intervals; NaN where it cannot be told.

    first: by itself. total: with all its interactions.
    """

    first: float
    first_low: float
    first_high: float
    total: float = math.nan
    total_low: float = math.nan
    total_high: float = math.nan


NOTHING = Index(*[math.nan] * 3)


def sobol_indices(
    values: Floats, axes: int, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[list[Index], Index, int]:
    """Sobol' indices of each axis, those of chance, and the rows they rest on, of Saltelli's design.

    values: (rows · (axes + 2), replicates), each row A, A with one column of B, ..., B, all on the same random numbers.
    Rows that lack a value are left out as a whole. First-order: Saltelli et al. 2010, equation (b); total: Jansen 1999.
    With several replicates a first-order index multiplies different ones only, so that it leaves out what an axis does
    together with chance; with one it cannot. Intervals: percentiles of the bootstrap over rows (Archer, Saltelli &
    Sobol' 1997). Chance by itself is what the two ends of a row have in common; in total, what replicates of one point
    have not.
    """
    rows = values.shape[0] // (axes + 2)
    y = values[: rows * (axes + 2)].reshape(rows, axes + 2, -1)
    y = y[~np.isnan(y).any(axis=(1, 2))]
    count, _, replicates = y.shape
    if count < 2:
        return [NOTHING] * axes, NOTHING, count
    y = y - y.mean()
    a, b = y[:, 0], y[:, -1]
    if np.concatenate([a, b]).var() <= 0:
        return [NOTHING] * axes, NOTHING, count
    moved = y[:, 1:-1] - a[:, None]  # (rows, axes, replicates)
    same = np.einsum("nkr,nr->nk", moved, b)
    if replicates > 1:
        crossed = np.einsum("nkr,n->nk", moved, b.sum(axis=1))
        first = (crossed - same) / (replicates * (replicates - 1))
        within = y[:, [0, -1]].var(axis=2, ddof=1).mean(axis=1)
    else:
        first, within = same, np.full(count, np.nan)
    total = (moved**2).mean(axis=2) / 2
    both = (a * b).mean(axis=1)
    terms = np.column_stack([first, total, both, within, (a + b).mean(axis=1) / 2, (a**2 + b**2).mean(axis=1) / 2])
    best = _ratios(terms.mean(axis=0)[None, :], axes)[0]
    random = np.random.default_rng(seed)
    drawn = np.empty((resamples, best.size))
    for n in range(resamples):
        weights = np.bincount(random.integers(0, count, count), minlength=count)
        drawn[n] = _ratios((weights @ terms / count)[None, :], axes)[0]
    low, high = _ends(drawn)
    told = [
        Index(*(float(part[n]) for part in (best, low, high)), *(float(part[axes + n]) for part in (best, low, high)))
        for n in range(axes)
    ]
    last = 2 * axes
    chance = Index(
        *(float(part[last]) for part in (best, low, high)), *(float(part[last + 1]) for part in (best, low, high))
    )
    return told, chance, count


def _ends(drawn: Floats) -> Floats:
    """Percentiles of each column; NaN for one that holds nothing."""
    known = ~np.isnan(drawn).any(axis=0)
    out = np.full((2, drawn.shape[1]), np.nan)
    out[:, known] = np.quantile(drawn[:, known], (0.025, 0.975), axis=0)
    return out


def _ratios(means: Floats, axes: int) -> Floats:
    """First, total, chance's own and chance's total share of the variance, from means of the terms of rows."""
    variance = means[:, -1] - means[:, -2] ** 2
    return np.asarray(means[:, : 2 * axes + 2] / np.where(variance > 0, variance, np.nan)[:, None])


def grid_indices(values: Floats, shape: Sequence[int]) -> tuple[list[Index], Index]:
    """First-order and total shares of each axis of a full grid, and what is left to chance.

    values: (points, replicates), the last axis changing fastest. The variance of the points is split by analysis of
    variance; products of different replicates only, so that chance adds nothing (NaN with one replicate for the fresh
    draws of which that cannot be said). Intervals: the jackknife over replicates. Points that lack a value: NaN.
    """
    if np.isnan(values).any() or values.shape[1] < 2:
        return [NOTHING] * len(shape), NOTHING
    groups = np.array_split(np.arange(values.shape[1]), min(values.shape[1], GROUPS))
    y = np.stack([values[:, group].mean(axis=1) for group in groups], axis=1)
    many = values.shape[1]
    within = np.array([[(values[:, group] ** 2).sum(axis=1), values[:, group].sum(axis=1)] for group in groups])
    best = _split(y, within, [len(group) for group in groups], shape)
    left = np.array([
        _split(np.delete(y, g, axis=1), np.delete(within, g, axis=0),
               [len(group) for h, group in enumerate(groups) if h != g], shape)
        for g in range(len(groups))
    ]) if len(groups) > 2 and many > 2 else None  # fmt: skip
    return _jackknifed(best, left, len(shape))


def _split(y: Floats, within: Floats, sizes: Sequence[int], shape: Sequence[int]) -> Floats:
    """First of each axis, total of each, and chance's total, as shares of the variance between runs."""
    count, runs = y.shape[1], sum(sizes)
    cube = y.reshape(*shape, count)
    axes = len(shape)

    def crossed(parts: Floats, over: tuple[int, ...]) -> float:
        """Variance over some axes (mean over the others), of products of different replicates."""
        each = parts.var(axis=over).mean(axis=tuple(range(parts.ndim - len(over) - 1)))
        mean = parts.mean(axis=-1)
        whole = float(mean.var(axis=over).mean())
        return (count**2 * whole - float(each.sum())) / (count * (count - 1))

    squares, sums = within.sum(axis=0)
    chance = float(((squares - sums**2 / runs) / (runs - 1)).mean())
    points = crossed(y, (0,))
    variance = points + chance
    if variance <= 0:
        return np.full(2 * axes + 1, np.nan)
    first, total = [], []
    for n in range(axes):
        others = tuple(m for m in range(axes) if m != n)
        first.append(crossed(np.asarray(cube.mean(axis=others)), (0,)))
        total.append(crossed(np.moveaxis(cube, n, -2), (axes - 1,)))
    return np.array([*first, *total, chance]) / variance


def _jackknifed(best: Floats, left: Floats | None, axes: int) -> tuple[list[Index], Index]:
    """Indices with intervals from leaving out one group at a time. Source: Miller 1974."""
    if left is None:
        low = high = np.full(best.size, np.nan)
    else:
        count = left.shape[0]
        spread = np.sqrt((count - 1) / count * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
        margin = student_t(0.975, count - 1) * spread
        low, high = best - margin, best + margin
    told = [
        Index(float(best[n]), float(low[n]), float(high[n]),
              float(best[axes + n]), float(low[axes + n]), float(high[axes + n]))
        for n in range(axes)
    ]  # fmt: skip
    return told, Index(math.nan, math.nan, math.nan, float(best[-1]), float(low[-1]), float(high[-1]))


class Answers:
    """What came of the points, ready to be set against many axes. values: (points, replicates)."""

    def __init__(self, values: Floats) -> None:
        there = ~np.isnan(values)
        self.counts = there.sum(axis=1).astype(np.float64)
        self.present = self.counts > 0
        centred = np.where(there, values - (values[there].mean() if there.any() else 0.0), 0.0)
        self.sums, self.squares = centred.sum(axis=1), (centred**2).sum(axis=1)
        self.own = self.sums / np.maximum(self.counts, 1)
        self.ranks = _ranks(self.own[self.present])
        whole = self.counts.sum()
        self.varies = bool(whole and self.squares.sum() / whole - (self.sums.sum() / whole) ** 2 > 1e-15)


class Given:
    """An axis, whatever the design of its points, ready to be set against many outcomes."""

    def __init__(self, axis: Floats, seed: int = 0) -> None:
        """axis: (points,) values, NaN for points that do not count."""
        self.axis, self.known = axis, ~np.isnan(axis)
        x = axis[self.known]
        seen = levels_of(x)
        if seen is not None:
            self.which, self.bins = np.searchsorted(seen, x), seen.size
        else:
            edges = _edges(x, int(min(50, max(4, round(x.size**0.5)))))
            self.which, self.bins = _binned(x, edges), edges.size - 1
        self.groups = min(GROUPS, x.size // 5)
        self.group = np.random.default_rng(seed).permutation(x.size) % max(self.groups, 1)
        self.cell = self.group * self.bins + self.which
        self._ranks = _ranks(x)

    def index(self, answers: Answers) -> Index:
        """First-order share of the axis: the variance of the means of its values, or of parts of equal number of points
        where it is continuous, less what chance adds to them.

        Sources: given-data estimation, Plischke, Borgonovo & Smith 2013; the correction is Kelley's (1935) epsilon
        squared. Intervals: the jackknife over groups of points (Miller 1974).
        """
        if self.groups < 4 or self.bins < 2 or not answers.varies:
            return NOTHING
        groups, bins = self.groups, self.bins
        one, own = answers.present[self.known].astype(np.float64), answers.own[self.known]
        parts = [
            np.bincount(self.cell, part, minlength=groups * bins).reshape(groups, bins)
            for part in (one, one * own, one * own**2)
        ]
        runs = np.stack([
            np.bincount(self.group, part[self.known], minlength=groups)
            for part in (answers.counts, answers.sums, answers.squares)
        ])  # fmt: skip
        whole = [part.sum(axis=0) for part in parts]
        left = [every[None, :] - part for every, part in zip(whole, parts, strict=True)]
        number, total, square = whole
        everything = runs.sum(axis=1)[:, None]
        best = float(_share(number[None, :], total[None, :], square[None, :], everything)[0])
        without = _share(left[0], left[1], left[2], everything - runs)
        spread = math.sqrt((groups - 1) / groups * float(((without - without.mean()) ** 2).sum()))
        margin = student_t(0.975, groups - 1) * spread
        return Index(best, best - margin, best + margin)

    def rank_correlation(self, answers: Answers) -> tuple[float, float, float]:
        """Spearman's correlation with the points' means, with its interval (Bonett & Wright 2000)."""
        both = answers.present & self.known
        if both.sum() < 5:
            return math.nan, math.nan, math.nan
        if both.all():
            x, y = self._ranks, answers.ranks
        else:
            x, y = _ranks(self.axis[both]), _ranks(answers.own[both])
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            return math.nan, math.nan, math.nan
        rho = float(np.corrcoef(x, y)[0, 1])
        if abs(rho) > 1 - 1e-12:
            return rho, rho, rho
        margin = 1.959964 * math.sqrt((1 + rho**2 / 2) / max(both.sum() - 3, 1))
        return rho, math.tanh(math.atanh(rho) - margin), math.tanh(math.atanh(rho) + margin)


def _ranks(values: Floats) -> Floats:
    """From 1 on, the mean of those that are equal."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values), dtype=np.float64)


def _share(n: Floats, s: Floats, q: Floats, runs: Floats) -> Floats:
    """Of some ways to count, the share of the variance between runs that lies between bins; n, s, q: (ways, bins)
    points, sums and squares; runs: (3, ways) number, sum and squares of the runs."""
    safe = np.maximum(n, 1)
    points, used = n.sum(axis=1), (n > 0).sum(axis=1)
    inner = (s**2 / safe).sum(axis=1)
    between = inner - s.sum(axis=1) ** 2 / points
    inside = (q.sum(axis=1) - inner) / np.maximum(points - used, 1)
    variance = runs[2] / runs[0] - (runs[1] / runs[0]) ** 2
    return np.asarray((between - (used - 1) * inside) / points / np.where(variance > 0, variance, np.nan))


# --------------------------------------------------------------------------------------------------------- robustness


@dataclass(frozen=True)
class Choice:
    """How one choice does across the uncertainties.

    mean: over them, with its interval. worst: the decile that is worst for whoever wants the outcome high (`wanted`) or
    low. regret: the most that is lost against the best choice for the same uncertainties; typical: its mean. NaN where
    choices were not tried on the same uncertainties.
    """

    mean: Estimate
    worst: float
    regret: float
    typical: float


def robustness(values: Sequence[Floats], chance: Chance, yes_or_no: bool, wanted: bool, matched: bool) -> list[Choice]:
    """How each choice does; values: of each, (uncertainties, replicates).

    matched: the same uncertainties, in the same order, for every choice. Regret: Savage 1951. What happens for one set
    of uncertainties cannot be told from a few runs: with fewer than ten replicates there is no worst and no regret.
    """
    told = min((part.shape[1] for part in values), default=0) >= ENOUGH_REPLICATES
    sign = 1.0 if wanted else -1.0
    means = []
    for part in values:
        there = ~np.isnan(part)
        counts = there.sum(axis=1)
        means.append(np.where(counts > 0, np.where(there, part, 0.0).sum(axis=1) / np.maximum(counts, 1), np.nan))
    regrets: list[tuple[float, float]] = [(math.nan, math.nan)] * len(values)
    if matched and told:
        table = sign * np.stack(means)
        whole = ~np.isnan(table).any(axis=0)
        if whole.any():
            lost = table[:, whole].max(axis=0) - table[:, whole]
            regrets = [(float(row.max()), float(row.mean())) for row in lost]
    out = []
    for part, mean, (regret, typical) in zip(values, means, regrets, strict=True):
        known = mean[~np.isnan(mean)]
        worst = float(sign * quantiles(sign * known, (0.1,))[0]) if known.size >= 2 and told else math.nan
        out.append(Choice(estimate(part, chance, yes_or_no), worst, regret, typical))
    return out

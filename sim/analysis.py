"""What tables of runs say: shares with intervals, bands, means, rungs. Knows tables and nothing of where they are from.

Quantiles are those of the sample itself: the smallest value that at least a share q of the runs do not exceed, so a
median rung is a rung.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from sim import columns

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
QUANTILE_NAMES = ("q05", "q25", "q50", "q75", "q95")

# PLOVER's own grouping of its types (the codebook of POLECAT, Halterman et al. 2023); what PLOVER drops is neutral.
QUADS = {
    "verbal cooperation": ("AGREE", "CONSULT", "SUPPORT", "CONCEDE"),
    "material cooperation": ("COOPERATE", "AID", "RETREAT"),
    "verbal conflict": ("REQUEST", "ACCUSE", "REJECT", "THREATEN"),
    "material conflict": ("PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"),
    "neutral": ("NONE",),
}
QUAD_OF = {plover: quad for quad, types in QUADS.items() for plover in types}


def wilson(successes: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share. Source: Wilson 1927, score interval without continuity correction."""
    if of == 0:
        return 0.0, 1.0
    z = _normal(0.5 + level / 2)
    share = successes / of
    centre = share + z * z / (2 * of)
    margin = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    scale = 1 + z * z / of
    low, high = (centre - margin) / scale, (centre + margin) / scale
    return (0.0 if successes == 0 else low), (1.0 if successes == of else high)


def _normal(probability: float) -> float:
    """Quantile of the normal distribution."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Mean, and its interval by Student's t; the bounds are NaN for fewer than two values."""
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return math.nan, math.nan, math.nan
    mean = float(array.mean())
    if array.size < 2:
        return mean, math.nan, math.nan
    margin = student_t(0.5 + level / 2, array.size - 1) * float(array.std(ddof=1)) / math.sqrt(array.size)
    return mean, mean - margin, mean + margin


def student_t(probability: float, freedom: int) -> float:
    """Quantile of Student's t, for probabilities above one half. Source: Hill 1970 (Algorithm 396); exact for 1 and 2
    degrees of freedom."""
    tail = 2 * (1 - probability)
    if freedom == 1:
        return 1 / math.tan(tail * math.pi / 2)
    if freedom == 2:
        return math.sqrt(2 / (tail * (2 - tail)) - 2)
    n = float(freedom)
    a = 1 / (n - 0.5)
    b = (48 / a) / a
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * tail) ** (2 / n)
    if y > 0.05 + a:
        x = -_normal(tail / 2)
        y = x * x
        if n < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = (
            (1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1
        ) * (n + 1) / (n + 2) + 1 / y  # fmt: skip
    return math.sqrt(n * y)


def quantiles(values: ArrayLike, at: Sequence[float] = QUANTILES) -> NDArray[np.float64]:
    """Quantiles of the sample, along the first axis."""
    return np.quantile(np.asarray(values, dtype=np.float64), at, axis=0, method="inverted_cdf")


# ----------------------------------------------------------------------------------------------------------- pairs


def paired_shares(first: int, second: int, of: int, level: float = 0.95) -> tuple[float, float, float]:
    """Difference of two shares of the same pairs, the second less the first, with its interval.

    first, second: pairs in which it held on that side alone; of: all pairs. NaN without pairs. Source: Bonett & Price
    2012 (Journal of Educational and Behavioral Statistics 37, 479): Wald's interval with one pair added to each of the
    two counts. It needs these counts only, and covers at its rate also where hardly a pair differs, as pairs on common
    random numbers do; Newcombe's (1998, method 10) there fell to 87%.
    """
    if of == 0:
        return math.nan, math.nan, math.nan
    one, other = (first + 1) / (of + 2), (second + 1) / (of + 2)
    centre = other - one
    margin = _normal(0.5 + level / 2) * math.sqrt((one + other - centre**2) / (of + 2))
    return (second - first) / of, max(centre - margin, -1.0), min(centre + margin, 1.0)


class Paired:
    """Means and variances of pairs of numbers, and of their differences (the second less the first), over any number
    of batches: of `width` kinds side by side.

    Arrays of (width,): `first`, `second`, `difference` are means; `changed`, `higher`, `lower` count the pairs whose
    two numbers differ, and how. Source: Chan, Golub & LeVeque 1983 for the sums of squares of batches put together.
    """

    def __init__(self, width: int) -> None:
        self.pairs = 0
        self._means = np.zeros((3, width))
        self._squares = np.zeros((3, width))
        self.higher = np.zeros(width, dtype=np.int64)
        self.lower = np.zeros(width, dtype=np.int64)

    def add(self, first: ArrayLike, second: ArrayLike) -> None:
        """(pairs, width) numbers of some more pairs."""
        one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
        if not len(one):
            return
        moved = other - one
        count, before = len(one), self.pairs
        self.pairs += count
        for n, values in enumerate((one, other, moved)):
            mean = values.mean(axis=0)
            gap = mean - self._means[n]
            self._squares[n] += ((values - mean) ** 2).sum(axis=0) + gap**2 * (before * count / self.pairs)
            self._means[n] += gap * (count / self.pairs)
        self.higher += (moved > 0).sum(axis=0)
        self.lower += (moved < 0).sum(axis=0)

    @property
    def first(self) -> NDArray[np.float64]:
        return self._means[0]

    @property
    def second(self) -> NDArray[np.float64]:
        return self._means[1]

    @property
    def difference(self) -> NDArray[np.float64]:
        return self._means[2]

    @property
    def changed(self) -> NDArray[np.int64]:
        return self.higher + self.lower

    @property
    def spreads(self) -> NDArray[np.float64]:
        """(3, width) standard deviations of the first, the second and the differences; NaN for fewer than two pairs."""
        if self.pairs < 2:
            return np.full(self._squares.shape, np.nan)
        return np.sqrt(self._squares / (self.pairs - 1))

    def interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of each mean difference, by Student's t on the differences; NaN for fewer than two pairs."""
        if self.pairs < 2:
            nothing = np.full(self.difference.shape, np.nan)
            return nothing, nothing
        margin = student_t(0.5 + level / 2, self.pairs - 1) * self.spreads[2] / math.sqrt(self.pairs)
        return self.difference - margin, self.difference + margin

    @property
    def saving(self) -> NDArray[np.float64]:
        """How many independent runs of each side one pair is worth: the variance of a difference of independent runs
        over that of a pair's. NaN where no pair differs or nothing varies."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (self._squares[0] + self._squares[1]) / self._squares[2]
        return np.where((self._squares[2] > 0) & (self.changed > 0), ratio, np.nan)


# ------------------------------------------------------------------------------------------------------- outcomes


def outcome_summary(outcomes: pa.Table, kinds: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """One row an outcome, with its interval.

    kinds: by name, whether it is `yes_or_no`, its `title` and whether it is `dated`. Columns: outcome, title, kind,
    runs; for yes/no `yes` (runs), `share` with its 95% Wilson interval `low`, `high`, and where dated the median turn
    among the runs in which it came true; for numbers `median` with the 90% band `q05`, `q95` over the runs, and `mean`
    with its 95% interval by Student's t, `low`, `high`.
    """
    rows = []
    for name, kind in kinds.items():
        column = columns.values(outcomes[name])
        row: dict[str, Any] = {"outcome": name, "title": kind["title"], "runs": len(column)}
        if kind["yes_or_no"]:
            yes = int(column.sum())
            low, high = wilson(yes, len(column))
            row |= {"kind": "yes/no", "yes": yes, "share": yes / max(len(column), 1), "low": low, "high": high}
            if kind["dated"] and yes:
                row |= _typical_turn(outcomes, name)
        elif len(column):
            q05, median, q95 = quantiles(column, (0.05, 0.5, 0.95))
            mean, low, high = mean_interval(column)
            row |= {"kind": "number", "median": median, "q05": q05, "q95": q95, "mean": mean, "low": low, "high": high}
        rows.append(row)
    return columns.rows(rows, _OUTCOMES)


_OUTCOMES = pa.schema(
    [("outcome", pa.string()), ("title", pa.string()), ("kind", pa.string()), ("runs", pa.int64()), ("yes", pa.int64())]
    + [(name, pa.float64()) for name in ("share", "median", "q05", "q95", "mean", "low", "high")]
    + [("turn", pa.int32()), ("date", pa.string())]
)


def no_outcomes() -> pa.Table:
    """A summary of outcomes without rows."""
    return columns.rows([], _OUTCOMES)


def _typical_turn(outcomes: pa.Table, name: str) -> dict[str, Any]:
    """The median turn, and its date, among the runs in which an outcome came true."""
    passed, turns = columns.values(outcomes[name]), columns.values(outcomes[f"{name}_turn"])
    turn = int(quantiles(turns[passed], (0.5,))[0])
    row = int(np.flatnonzero(passed & (turns == turn))[0])
    return {"turn": turn, "date": outcomes[f"{name}_date"][row].as_py()}


# ------------------------------------------------------------------------------------------------- bands and rungs


def no_bands() -> pa.Table:
    """A table of bands without rows."""
    return _bands([], [], [], np.empty((0, len(QUANTILES))), [])


def bands(states: pa.Table, paths: Sequence[str], turn: int | None = None) -> pa.Table:
    """turn, date, path, q05 .. q95, mean of these indicators over the runs, from a table of states.

    turn: of this turn only.
    """
    turns = columns.values(states["turn"])
    rows = np.arange(turns.size) if turn is None else np.flatnonzero(turns == turn)
    order = rows[np.argsort(turns[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(turns[order], prepend=-1))
    dates = [states["date"][int(row)].as_py() for row in order[edges]]
    values = np.empty((edges.size, len(paths), len(QUANTILES)))
    means = np.empty((edges.size, len(paths)))
    for s, path in enumerate(paths):
        for t, part in enumerate(np.split(columns.values(states[path])[order], edges[1:])):
            values[t, s] = quantiles(part)
            means[t, s] = part.mean()
    count = len(paths)
    return _bands(
        np.repeat(turns[order][edges], count), [date for date in dates for _ in paths], [*paths] * edges.size,
        values.reshape(-1, len(QUANTILES)), means.reshape(-1),
    )  # fmt: skip


def _bands(turns: Any, dates: Any, paths: Any, values: Any, means: Any) -> pa.Table:
    return pa.table(
        {
            "turn": columns.numbers(turns, pa.int32()),
            "date": columns.texts(dates),
            "path": columns.texts(paths),
        }
        | {name: columns.numbers(values[:, n]) for n, name in enumerate(QUANTILE_NAMES)}
        | {"mean": columns.numbers(means)}
    )


def at_turn(table: pa.Table, turn: int) -> pa.Table:
    """The rows of one turn."""
    return columns.where(table, columns.values(table["turn"]) == turn)


def rung_summary(ends: pa.Table, ladders: Mapping[str, Sequence[str]]) -> pa.Table:
    """Where each ladder stands at the end: path, actor, target, ladder, median, low, high (90% band) as rungs' names
    and, with `_rung` after the name, as numbers.

    ends: bands of one turn, among them those of the ladders. ladders: rung names by indicator path.
    """
    rows = []
    for row in ends.to_pylist():
        rungs = ladders.get(row["path"])
        if rungs is None:
            continue
        *owners, name = row["path"].split(".")
        actor, target = [*owners, None, None][:2]
        numbers = {key: round(row[q]) for key, q in (("median", "q50"), ("low", "q05"), ("high", "q95"))}
        rows.append(
            {"path": row["path"], "actor": actor, "target": target, "ladder": name}
            | {key: rungs[number] for key, number in numbers.items()}
            | {f"{key}_rung": number for key, number in numbers.items()}
        )  # fmt: skip
    return columns.rows(rows, _RUNGS)


_RUNGS = pa.schema(
    [(name, pa.string()) for name in ("path", "actor", "target", "ladder", "median", "low", "high")]
    + [(name, pa.int32()) for name in ("median_rung", "low_rung", "high_rung")]
)

"""What can be measured of runs: small named functions over many runs at once, from histories.

`Record` is what they look at. Each gives one number a run, (R,) float64: turns count from 1, NaN where there is nothing
to measure, infinity for what never came. A period is (first, last) turn, both included; it lies within 1..T.
Knows arrays only; what names and dates stand for is settled in `facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import History, Talks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Period = tuple[int, int]

NEVER = np.inf


@dataclass(frozen=True)
class Heard:
    """Talks that count, of what was answered, owed, settled, held and voted (`arrays.Talks`).

    kind: of talk. rows: that count. results: that count, any if None. forum: of each row of the kind, where it has
    one; besides: what else must be heard in the same run, turn and forum.
    """

    kind: int
    rows: tuple[int, ...]
    results: tuple[int, ...] | None = None
    forum: tuple[int, ...] = ()
    besides: tuple[Heard, ...] = ()


@dataclass(frozen=True)
class Record:
    """Some runs, as they are measured.

    runs: (R,) their numbers. states: (R, T + 1, S), turn 0 is the start. incidents: (R, T, I). row, turn, option,
    succeeded: of each act, row being its run's place in `runs`. talks: what was said and settled, talk_row likewise.
    """

    runs: NDArray[np.int64]
    states: Floats
    incidents: Flags
    row: NDArray[np.int64]
    turn: NDArray[np.int64]
    option: NDArray[np.int64]
    succeeded: Flags
    talks: Talks
    talk_row: NDArray[np.int64]
    _tallies: dict[Hashable, Floats] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, history: History) -> Record:
        """What came of a set of runs."""
        order = np.argsort(history.runs, kind="stable")
        done, said = history.acts, history.talks
        row, talk_row = (
            order[np.searchsorted(history.runs, part.run, sorter=order)] if part.run.size else part.run
            for part in (done, said)
        )
        turn, option = done.turn.astype(np.int64), done.option.astype(np.int64)
        return cls(history.runs, history.states, history.incidents, row, turn, option, done.succeeded, said, talk_row)

    @property
    def size(self) -> int:
        """R."""
        return int(self.runs.size)

    @property
    def turns(self) -> int:
        """T."""
        return int(self.states.shape[1] - 1)

    def tally(self, weights: Floats, succeeded: bool | None = None) -> Floats:
        """(R, T + 1) sum of the weights of the options done in each turn; computed once for the same weights.

        weights: (O,). succeeded: only acts that did, or did not; all if None.
        """
        key = weights.tobytes() + repr(succeeded).encode()
        found = self._tallies.get(key)
        if found is None:
            each = weights[self.option] if self.option.size else np.zeros(0)
            if succeeded is not None:
                each = each * (self.succeeded == succeeded)
            counted = each != 0
            found = self._by_turn(self.row[counted] * (self.turns + 1) + self.turn[counted], each[counted])
            self._tallies[key] = found
        return found

    def heard(self, which: Heard) -> Floats:
        """(R, T + 1) how many such talks there were in each turn; computed once for the same ones."""
        found = self._tallies.get(which)
        if found is None:
            found = self._by_turn(self._cells(np.flatnonzero(self._counts(which))))
            self._tallies[which] = found
        return found

    def _counts(self, which: Heard) -> Flags:
        """(talks,) which of them count."""
        some = (self.talks.kind == which.kind) & np.isin(self.talks.row, which.rows)
        if which.results is not None:
            some &= np.isin(self.talks.result, which.results)
        for other in which.besides:
            places = self._sessions(which, np.flatnonzero(some))
            there = self._sessions(other, np.flatnonzero(self._counts(other)))
            some[some] = np.isin(places, there)
        return some

    def _sessions(self, which: Heard, talks: NDArray[np.int64]) -> NDArray[np.int64]:
        """(talks,) a number for the run, turn and forum of each."""
        forum = np.asarray(which.forum, dtype=np.int64)
        return forum[self.talks.row[talks]] * (self.size * (self.turns + 1)) + self._cells(talks)

    def _cells(self, talks: NDArray[np.int64]) -> NDArray[np.int64]:
        """(talks,) a number for the run and turn of each."""
        return self.talk_row[talks] * (self.turns + 1) + self.talks.turn[talks]

    def _by_turn(self, cell: NDArray[np.int64], weights: Floats | None = None) -> Floats:
        """(R, T + 1) sums of what falls in each run and turn."""
        counted = np.bincount(cell, weights, self.size * (self.turns + 1))
        return counted.astype(np.float64).reshape(self.size, self.turns + 1)


# ------------------------------------------------------------------------------------------------- single measures


def level(record: Record, slots: Sequence[int], period: Period, take: str = "end", over: str = "mean") -> Floats:
    """Value of indicators: at the end of the period (`end`), or its mean, min or max over the ends of its turns; of
    several indicators their mean, min, max or sum."""
    first, last = period
    values = record.states[:, first : last + 1, :][:, :, list(slots)]
    over_time = values[:, -1] if take == "end" else _TAKEN[take](values, 1)
    return np.asarray(_TAKEN[over](over_time, 1), dtype=np.float64)


def change(record: Record, slots: Sequence[int], period: Period, over: str = "mean") -> Floats:
    """Value at the end of the period less value at its beginning, which is the end of the turn before."""
    first, last = period
    moved = record.states[:, last, :][:, list(slots)] - record.states[:, first - 1, :][:, list(slots)]
    return np.asarray(_TAKEN[over](moved, 1), dtype=np.float64)


def count(record: Record, weights: Floats, period: Period, succeeded: bool | None = None) -> Floats:
    """Sum of the weights of the acts done in the period; a weight of 1 counts them. weights: (O,) by option."""
    first, last = period
    return _added(record.tally(weights, succeeded)[:, first : last + 1])


def rate(record: Record, weights: Floats, period: Period, succeeded: bool | None = None) -> Floats:
    """The same a turn."""
    return count(record, weights, period, succeeded) / (period[1] - period[0] + 1)


def heard(record: Record, which: Sequence[Heard], period: Period) -> Floats:
    """How often any of these was said, settled, held or voted in the period."""
    first, last = period
    return _added(np.stack([_added(record.heard(one)[:, first : last + 1]) for one in which], axis=1))


def goldstein(record: Record, weights: Floats, period: Period, take: str = "sum") -> Floats:
    """Sum, or mean an act, of the Goldstein weights of acts. weights: (O,), NaN for what is not counted."""
    counted = (~np.isnan(weights)).astype(np.float64)
    total = count(record, np.nan_to_num(weights), period)
    return total if take == "sum" else share(total, count(record, counted, period))


def events(record: Record, columns: Sequence[int], dated: Sequence[int], period: Period) -> Floats:
    """How often incidents, and dated events, happened in the period. dated: turns of those events."""
    first, last = period
    given = sum(first <= turn <= last for turn in dated)
    return record.incidents[:, first - 1 : last][:, :, list(columns)].sum(axis=(1, 2)) + float(given)


# ------------------------------------------------------------------------------------- measures of other measures


def first(held: Flags, turns: Sequence[int]) -> Floats:
    """The first turn in which something holds, infinity for never. held: (R, turns)."""
    if not held.shape[1]:
        return np.full(held.shape[0], NEVER)
    return np.where(held.any(axis=1), np.asarray(turns, dtype=np.float64)[held.argmax(axis=1)], NEVER)


def number(held: Flags) -> Floats:
    """How many of the turns, or actors, it holds for. held: (R, n)."""
    return held.sum(axis=1).astype(np.float64)


def rank(values: Floats, which: int, lowest: bool = False) -> Floats:
    """Place of one of several by its number, 1 the highest (or lowest); equals share the better place.

    values: (R, members). NaN where the one has no number.
    """
    sign = -1.0 if lowest else 1.0
    ahead = (sign * values > sign * values[:, which : which + 1]).sum(axis=1) + 1.0
    return np.where(np.isnan(values[:, which]), np.nan, ahead)


def correlation(x: Floats, y: Floats, ranks: bool = False) -> Floats:
    """Pearson's correlation of two rows of numbers, or Spearman's, of their ranks; NaN where one of them is constant.

    x, y: (R, n).
    """
    if ranks:
        x, y = _ranks(x), _ranks(y)
    a, b = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 1e-15, (a * b).sum(axis=1) / scale, np.nan)


def over_time(values: Floats, take: str) -> Floats:
    """A row of numbers, one a turn, as one: mean, min, max, sum, spread (standard deviation) or slope (change a turn,
    by least squares). values: (R, n)."""
    if take == "slope":
        t = np.arange(values.shape[1]) - (values.shape[1] - 1) / 2
        return (values * t).sum(axis=1) / max(float((t * t).sum()), 1e-300)
    if take == "spread":
        return np.asarray(values.std(axis=1))
    return np.asarray(_TAKEN[take](values, 1), dtype=np.float64)


def peak(values: Floats, turns: Sequence[int], lowest: bool = False) -> Floats:
    """The first turn with the highest (or lowest) of a row of numbers. values: (R, turns)."""
    where = values.argmin(axis=1) if lowest else values.argmax(axis=1)
    return np.asarray(turns, dtype=np.float64)[where]


def share(part: Floats, whole: Floats) -> Floats:
    """One number as a share of another; NaN of nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole != 0, part / whole, np.nan)


# ------------------------------------------------------------------------------------------------------- reductions


def _added(values: Any, axis: int = 1) -> Any:
    """Sum in order: NumPy's own order depends on how many runs stand side by side."""
    moved = np.moveaxis(values, axis, 0)
    total = np.zeros(moved.shape[1:])
    for part in moved:
        total = total + part
    return total


def _mean(values: Any, axis: int) -> Any:
    return _added(values, axis) / values.shape[axis]


_TAKEN: dict[str, Callable[[Any, int], Any]] = {
    "mean": _mean,
    "sum": _added,
    "min": lambda values, axis: values.min(axis=axis),
    "max": lambda values, axis: values.max(axis=axis),
}


def _ranks(values: Floats) -> Floats:
    """(R, n) ranks from 1 within each row, equals sharing their mean rank."""
    below = (values[:, None, :] < values[:, :, None]).sum(axis=2)
    equal = (values[:, None, :] == values[:, :, None]).sum(axis=2)
    return below + (equal + 1) / 2

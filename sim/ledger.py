"""Whose word was worth what: the register of a run folder, added up by giver and kind of promise.

`ledger` is the command's call in Python. Reads the tables `promises` and `promise_beliefs` and nothing else.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import analysis, columns
from sim.errors import BadInput
from sim.runs import Run, open_run

COUNTED = ("given", "kept", "broken", "void", "pending")


@dataclass(frozen=True)
class Ledger:
    """What became of promises.

    summary: one row a giver and kind: how many were given, kept, broken, void, pending (in one run the count, over
    several the mean a run with its 95% interval by Student's t in `<name>_low` and `_high`), kept_share (kept of those
    kept or broken, all runs together; null where none was) and the mean belief of all audiences, before and after.

    beliefs: one row a giver, kind and audience: promises (whose end it had taken in, or which are pending), its mean
    belief before and after, the mean change with its 95% interval over the runs' means (`low`, `high`).

    promises: the register of one run, `shown`, as in the table `promises`.
    """

    folder: Path
    runs: int
    run: int | None
    shown: int
    summary: pa.Table
    beliefs: pa.Table
    promises: pa.Table

    def as_dict(self) -> dict[str, Any]:
        tables = {name: getattr(self, name).to_pylist() for name in ("summary", "beliefs", "promises")}
        return {"folder": str(self.folder), "runs": self.runs, "run": self.run, "shown": self.shown} | tables


def ledger(folder: str | Path, run: int | None = None, giver: str | None = None, receiver: str | None = None) -> Ledger:
    """The ledger of a run folder. run: of this run alone; else over all, with the rows of run 0.

    giver, receiver: promises by and to these alone. Raises BadInput for an unknown actor or run, FolderProblem where
    the folder is damaged or does not keep its promises (above 1,000 runs without --full).
    """
    done = open_run(folder)
    for option, name in (("giver", giver), ("receiver", receiver)):
        _known(done, option, name)
    shown = 0 if run is None else run
    done.check_run(shown)
    if run is None:
        promises, beliefs, runs = done.promises, done.promise_beliefs, np.arange(done.runs)
    else:
        promises, beliefs = done.one("promises", run), done.one("promise_beliefs", run)
        runs = np.array([run])
    wanted = _meant(promises, giver, receiver)
    promises = columns.where(promises, wanted)
    of = {(row["run"], row["promise"]) for row in promises.select(["run", "promise"]).to_pylist()}
    pairs = zip(beliefs["run"].to_pylist(), beliefs["promise"].to_pylist(), strict=True)
    beliefs = columns.where(beliefs, [pair in of for pair in pairs])
    rows = columns.where(promises, columns.values(promises["run"]) == shown)
    believed = columns.rows(_believed(beliefs), _BELIEFS)
    return Ledger(done.folder, done.runs, run, shown, _summary(promises, beliefs, runs), believed, rows)


def _known(done: Run, option: str, name: str | None) -> None:
    actors = list(done.manifest["actors"])
    if name is None or name in actors:
        return
    near = difflib.get_close_matches(name, actors, 1)
    raise BadInput(
        f"--{option} {name}: no such actor; " + (f"did you mean {near[0]}?" if near else f"one of {', '.join(actors)}")
    )


def _meant(promises: pa.Table, giver: str | None, receiver: str | None) -> NDArray[np.bool_]:
    held = np.ones(promises.num_rows, dtype=np.bool_)
    for column, name in (("giver", giver), ("receiver", receiver)):
        if name is not None:
            held &= np.array([value == name for value in promises[column].to_pylist()], dtype=np.bool_)
    return held


def _grouped(table: pa.Table, *names: str) -> dict[tuple[str, ...], NDArray[np.int64]]:
    """The rows of each combination of texts, in the order of their names."""
    found: dict[tuple[str, ...], list[int]] = {}
    for n, key in enumerate(zip(*(table[name].to_pylist() for name in names), strict=True)):
        found.setdefault(key, []).append(n)
    return {key: np.array(rows) for key, rows in sorted(found.items())}


def _summary(promises: pa.Table, beliefs: pa.Table, runs: NDArray[np.int64]) -> pa.Table:
    run = columns.values(promises["run"])
    status = np.array(promises["status"].to_pylist(), dtype=object)
    audiences = _grouped(beliefs, "giver", "kind")
    before, after = columns.values(beliefs["before"]), columns.values(beliefs["after"])
    rows = []
    for key, some in _grouped(promises, "giver", "kind").items():
        row: dict[str, Any] = {"giver": key[0], "kind": key[1]}
        for name in COUNTED:
            held = run[some] if name == "given" else run[some][status[some] == name]
            each = np.bincount(held - runs[0], minlength=runs.size)
            row[name], row[f"{name}_low"], row[f"{name}_high"] = analysis.mean_interval(each)
        settled = row["kept"] + row["broken"]
        row["kept_share"] = row["kept"] / settled if settled else None
        told = audiences[key]
        told = told[~np.isnan(after[told])]
        row["before"], row["after"] = _mean(before[told]), _mean(after[told])
        rows.append(row)
    return columns.rows(rows, _SUMMARY)


def _believed(beliefs: pa.Table) -> list[dict[str, Any]]:
    run, before, after = (columns.values(beliefs[name]) for name in ("run", "before", "after"))
    rows = []
    for (giver, kind, audience), some in _grouped(beliefs, "giver", "kind", "audience").items():
        told = some[~np.isnan(after[some])]
        change = after[told] - before[told]
        which, place = np.unique(run[told], return_inverse=True)
        means = np.bincount(place, change, which.size) / np.bincount(place, minlength=which.size)
        _, low, high = analysis.mean_interval(means)
        rows.append(
            {"giver": giver, "kind": kind, "audience": audience, "promises": told.size, "before": _mean(before[told]),
             "after": _mean(after[told]), "change": _mean(change), "low": low, "high": high}
        )  # fmt: skip
    return rows


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else math.nan


def most_moved(beliefs: Sequence[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """Of rows of `Ledger.beliefs`, those whose audience changed its mind most."""
    known = [row for row in beliefs if row["change"] is not None]
    return sorted(known, key=lambda row: (-abs(row["change"]), row["audience"]))[:count]


_SUMMARY = pa.schema(
    [("giver", pa.string()), ("kind", pa.string())]
    + [(f"{name}{bound}", pa.float64()) for name in COUNTED for bound in ("", "_low", "_high")]
    + [(name, pa.float64()) for name in ("kept_share", "before", "after")]
)
_BELIEFS = pa.schema(
    [(name, pa.string()) for name in ("giver", "kind", "audience")]
    + [("promises", pa.int64())]
    + [(name, pa.float64()) for name in ("before", "after", "change", "low", "high")]
)

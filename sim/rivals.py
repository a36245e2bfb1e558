"""One scenario under rival theories of how actors decide: what each makes of it, and what holds under all of them.

`theories` is the command's call in Python (`tightrope run SCENARIO --policy all`). Each theory gets the same seed, and
with it the same random numbers, and a run folder of its own below that of the comparison.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sim import analysis, columns, store
from sim.arrays import Compiled
from sim.errors import BadInput
from sim.runs import EVERYTHING, Progress, Run, open_run, prepare, run

THEORIES = ("quantal", "best", "challenge", "reinforcement", "random", "frozen", "trend")
NULL = ("random", "frozen")  # these know nothing of what actors want
INFORMED = tuple(theory for theory in THEORIES if theory not in NULL)
OPEN = "undecided"
TABLES = ("outcomes", "rungs", "conclusions")


@dataclass
class Theories:
    """What rival theories make of one scenario: a folder, in it a run folder for each theory, by its name.

    outcomes: one row an outcome and theory, as `analysis.outcome_summary` has it, with the theory in front. rungs: one
    row a ladder and theory, where it stands at the end: the rung that most runs share (`modal`; of several the lowest)
    with the share of the runs, the median and the 90% band.

    conclusions: one row a yes/no outcome or ladder: kind, name, title, one column a theory with what it concludes,
    `survives` (all of them conclude the same, and none is undecided), `survives_informed` (all but NULL do) and what
    they conclude. A yes/no outcome is yes (no) where the 95% interval of its share lies above (below) one half, else
    undecided; a ladder is at its modal rung. Numbers are set side by side without a verdict. The rule is ours.
    """

    folder: Path
    manifest: dict[str, Any]

    @cached_property
    def outcomes(self) -> pa.Table:
        return self._table("outcomes")

    @cached_property
    def rungs(self) -> pa.Table:
        return self._table("rungs")

    @cached_property
    def conclusions(self) -> pa.Table:
        return self._table("conclusions")

    @property
    def notes(self) -> list[str]:
        return list(self.manifest["notes"])

    def run(self, theory: str) -> Run:
        """The runs under one theory."""
        return open_run(self.folder / theory)

    def _table(self, name: str) -> pa.Table:
        entry = self.manifest["tables"][f"{name}.parquet"]
        return store.read_table(self.folder, f"{name}.parquet", expected=entry["hash"])

    def as_dict(self) -> dict[str, Any]:
        keys = ("scenario", "title", "runs", "seed", "turns", "theories", "sets", "notes", "seconds")
        tables = {name: getattr(self, name).to_pylist() for name in TABLES}
        return {key: self.manifest[key] for key in keys} | {"folder": str(self.folder)} | tables


def theories(
    source: str | Path,
    runs: int = 200,
    seed: int = 1,
    sets: Sequence[str] = (),
    turns: int | None = None,
    full: bool = False,
    out: str | Path | None = None,
    figures: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Theories:
    """Run a scenario under each of THEORIES, all actors by the same one; arguments as for `runs.run`.

    figures: of the scenario's own theory alone. Raises BadInput, FolderProblem or StorageProblem; on any error nothing
    is left behind.
    """
    if runs > EVERYTHING and not full:
        raise BadInput(f"--policy all compares the rungs of every run: at most {EVERYTHING:,} runs, or --full")
    began = time.monotonic()
    ready = prepare(source, sets, turns)
    name = Path(source).stem
    folder = store.Folder.create(out) if out is not None else store.Folder.numbered("runs", name)
    with folder:
        done: dict[str, Run] = {}
        for n, theory in enumerate(THEORIES):
            drawn = figures and theory == ready.scenario.policy
            told = None if progress is None else _shifted(progress, n * runs, runs * len(THEORIES))
            place = folder.path / theory
            done[theory] = run(source, runs, seed, sets, turns, theory, full, place, drawn, threads, told)
        first = done[THEORIES[0]].manifest
        outcomes, rungs = _outcomes(done), _rungs(done)
        folder.write_table("outcomes.parquet", outcomes)
        folder.write_table("rungs.parquet", rungs)
        folder.write_table("conclusions.parquet", _conclusions(outcomes, rungs, first))
        kept = ("scenario", "source", "title", "runs", "seed", "sets", "turns", "full", "hashes", "versions", "dates",
                "actors", "indicators")  # fmt: skip
        manifest = {"kind": "theories", "theories": list(THEORIES)} | {key: first[key] for key in kept}
        manifest |= {"notes": _notes(ready.compiled), "seconds": round(time.monotonic() - began, 3)}
        return Theories(folder.path, folder.finish(manifest))


def open_theories(folder: str | Path) -> Theories:
    """The comparison of a folder. Raises FolderProblem where there is none, or one that is unfinished or damaged."""
    return Theories(Path(folder), store.read_manifest(folder, "theories"))


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)


def _notes(compiled: Compiled) -> list[str]:
    """What a theory lacks in this scenario."""
    notes = []
    if np.count_nonzero(compiled.tables.contests) < 2:
        notes.append("challenge: fewer than two actors declare a `challenge`, so every act is worth its cost alone")
    return notes + trend_notes(compiled)


def trend_notes(compiled: Compiled) -> list[str]:
    """That `trend` has nothing to repeat in this scenario, where it has not."""
    if compiled.with_policy("trend").tables.past.any():
        return []
    return ["trend: the dated record holds no act of the twelve months before, so nobody does anything chosen"]


def _outcomes(done: Mapping[str, Run]) -> pa.Table:
    parts = []
    for theory, one in done.items():
        rows = one.summary().outcomes
        name = columns.texts([theory] * rows.num_rows)
        parts.append(pa.Table.from_arrays([name, *rows.columns], names=["theory", *rows.column_names]))
    return pa.concat_tables(parts).combine_chunks()


def _rungs(done: Mapping[str, Run]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for theory, one in done.items():
        ladders = one.ladders
        if not ladders:
            continue
        states = store.read_table(one.folder, "states.parquet", ["turn", *ladders])
        ends = analysis.at_turn(states, one.manifest["turns"])
        for row in one.summary().rungs.to_pylist():
            counts = np.bincount(columns.values(ends[row["path"]]).astype(np.int64))
            modal = int(counts.argmax())
            rows.append(
                {"theory": theory, **row, "modal": ladders[row["path"]][modal], "share": counts[modal] / one.runs}
            )  # fmt: skip
    return columns.rows(rows, _RUNGS)


_RUNGS = pa.schema(
    [(name, pa.string()) for name in ("theory", "path", "actor", "target", "ladder", "modal")]
    + [("share", pa.float64())]
    + [(name, pa.string()) for name in ("median", "low", "high")]
)


def verdict(low: float, high: float) -> str:
    """What the 95% interval of the share of a yes/no outcome says."""
    return "yes" if low > 0.5 else "no" if high < 0.5 else OPEN


def _conclusions(outcomes: pa.Table, rungs: pa.Table, manifest: Mapping[str, Any]) -> pa.Table:
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in outcomes.to_pylist():
        if row["kind"] == "yes/no":
            place = "outcome", row["outcome"], row["title"]
            found.setdefault(place, {})[row["theory"]] = verdict(row["low"], row["high"])
    names, titles = manifest["actors"], manifest["indicators"]
    for row in rungs.to_pylist():
        who = " towards ".join(names[name] for name in (row["actor"], row["target"]) if name)
        title = titles.get(row["ladder"], row["ladder"])
        found.setdefault(("rung", row["path"], f"{title}: {who}" if who else title), {})[row["theory"]] = row["modal"]
    rows = []
    for (kind, name, title), held in found.items():
        all_of, informed = ({held[theory] for theory in some} for some in (THEORIES, INFORMED))
        rows.append(
            {"kind": kind, "name": name, "title": title, **held, "survives": _one(all_of),
             "survives_informed": _one(informed), "conclusion": next(iter(informed)) if _one(informed) else None}
        )  # fmt: skip
    return columns.rows(rows, _CONCLUSIONS)


_CONCLUSIONS = pa.schema(
    [(name, pa.string()) for name in ("kind", "name", "title", *THEORIES)]
    + [("survives", pa.bool_()), ("survives_informed", pa.bool_()), ("conclusion", pa.string())]
)


def _one(held: set[str]) -> bool:
    return len(held) == 1 and OPEN not in held

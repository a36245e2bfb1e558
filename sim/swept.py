"""The folder of a study, read back: what lies there whole, its tables, any run again, how far it is.

Shards lie in a folder a table, each named after its runs and a hash of its bytes; what is whole there is done.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sim import columns, parameters, runs, store, study
from sim.errors import BadInput, FolderProblem, StorageProblem
from sim.plan import Plan

if TYPE_CHECKING:
    import duckdb

STUDY, SCENARIO, POINTS = "study.yaml", "scenario.yaml", "points.csv"
OUTCOMES, FAILURES = "outcomes", "failures"
RECENT = 20  # shards by which the rate is told
FAILURE = pa.schema(
    [
        ("run", pa.int64()),
        ("variant", pa.string()),
        ("point", pa.int64()),
        ("replicate", pa.int64()),
        ("seed", pa.string()),
        ("parameters", pa.string()),
        ("message", pa.string()),
        ("replay", pa.string()),
    ]
)


# -------------------------------------------------------------------------------------------------------- the folder


@dataclass(frozen=True)
class Shelf:
    """The shards of a study, as they lie there now.

    whole: shards that do not overlap, in order. spare: shards whose runs others hold already. others: what is no shard.
    """

    whole: list[store.Shard]
    spare: list[store.Shard]
    others: list[Path]

    @property
    def done(self) -> int:
        return sum(shard.runs for shard in self.whole)

    def missing(self, total: int) -> Iterator[tuple[int, int]]:
        """First and last run of every gap."""
        after = 0
        for shard in self.whole:
            if shard.first > after:
                yield after, shard.first - 1
            after = shard.last + 1
        if after < total:
            yield after, total - 1


def shelf(folder: Path, name: str = OUTCOMES) -> Shelf:
    """What lies in one table's folder."""
    found, others = store.shards(folder / name)
    whole: list[store.Shard] = []
    spare: list[store.Shard] = []
    for shard in sorted(found, key=lambda shard: (shard.first, -shard.last, shard.digest)):
        (spare if whole and shard.first <= whole[-1].last else whole).append(shard)
    return Shelf(whole, spare, others)


def texts(folder: Path) -> dict[str, str]:
    """The files that a study's runs depend on, by name."""
    with store.storage(folder):
        return {name: (folder / name).read_text(encoding="utf-8") for name in (STUDY, SCENARIO, POINTS, parameters.FILE)
                if (folder / name).is_file()}  # fmt: skip


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of a study's folder. Raises FolderProblem where there is none."""
    manifest = store.read_manifest(folder)
    if manifest.get("kind") != "study":
        raise FolderProblem(f"{folder}: holds a {manifest.get('kind')}, not a study; choose another folder with --out")
    return manifest


# -------------------------------------------------------------------------------------------------------- reading back


@contextmanager
def queried(folder: Path) -> Iterator[None]:
    """Tell what DuckDB cannot read as a problem of the folder, of one line."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        told = " ".join(str(error).split())
        if os.strerror(errno.EMFILE) in told:
            raise StorageProblem(f"{folder}: {store.REASONS[errno.EMFILE]}") from None
        raise FolderProblem(f"{folder}: cannot be read: {told[:300]}") from None


@dataclass
class Swept:
    """The folder of a study: its manifest, and its tables, each read when it is asked for."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def complete(self) -> bool:
        return bool(self.manifest["complete"])

    @property
    def runs(self) -> int:
        return int(self.manifest["runs"])

    @property
    def failed(self) -> int:
        """Runs that failed."""
        return self.failures.num_rows

    def relation(self, name: str = OUTCOMES) -> duckdb.DuckDBPyRelation:
        """A table as a lazily read relation of DuckDB: `outcomes`, or one that was kept. Rows are in no given order."""
        import duckdb

        files = [str(shard.path) for shard in self._shelf(name).whole]
        if not files:
            raise FolderProblem(f"{self.folder}: holds no {name} yet")
        with queried(self.folder):
            return duckdb.connect().read_parquet(files)

    def table(self, name: str = OUTCOMES, wanted: Sequence[str] | None = None) -> pa.Table:
        """A table, or some columns of it, in order of run. Raises FolderProblem for a damaged shard."""
        parts = [store.read_shard(shard, wanted) for shard in self._shelf(name).whole]
        if not parts:
            raise FolderProblem(f"{self.folder}: holds no {name} yet")
        return pa.concat_tables(parts)

    @cached_property
    def outcomes(self) -> pa.Table:
        """run, variant, point, replicate, one column an axis, one or more an outcome; in order of run."""
        return self.table()

    @cached_property
    def failures(self) -> pa.Table:
        """Runs that failed: what they were, why, and the command that does one again."""
        parts = [store.read_shard(shard) for shard in shelf(self.folder, FAILURES).whole]
        return pa.concat_tables(parts) if parts else columns.rows([], FAILURE)

    def means(self) -> dict[str, dict[str, float | None]]:
        """Mean of each outcome (the share, of a yes or no) over all points, by variant and outcome."""
        names = list(self.manifest["outcomes"])
        asked = ", ".join(f'avg("{name}"::double)' for name in names)
        with queried(self.folder):
            found = self.relation().aggregate(f"variant, {asked}").fetchall()
        return {variant: dict(zip(names, values, strict=True)) for variant, *values in found}

    def spread(self) -> dict[str, float]:
        """How much each outcome varies over all runs: twice its standard deviation over its range, from 0 (never) to 1
        (half of the runs at each end); 0 where no run has it."""
        names = list(self.manifest["outcomes"])
        asked = ", ".join(
            f'2 * stddev_pop("{name}"::double) / nullif(max("{name}"::double) - min("{name}"::double), 0)'
            for name in names
        )
        with queried(self.folder):
            found = self.relation().aggregate(asked).fetchall()[0]
        return {name: value or 0.0 for name, value in zip(names, found, strict=True)}

    def hash(self) -> str:
        """Canonical hash of the outcomes: equal for equal studies, however they were executed."""
        return store.table_hash(self.outcomes)

    def damage(self) -> list[Path]:
        """Shards that are not as they were written."""
        names = (OUTCOMES, FAILURES, *self.manifest["keep"])
        whole = [shard for name in names for shard in shelf(self.folder, name).whole]
        return [shard.path for shard in whole if not store.is_whole(shard, self.manifest["key"])]

    @cached_property
    def plan(self) -> Plan:
        """What each run is."""
        return Plan(study.load(self.folder / STUDY, trusted=True), trusted=True)

    def changes(self) -> list[str]:
        """What is no longer as it was when the study was begun, each as a line."""
        from sim.jit import rules_hash

        found = [f"{name} has changed since the study was begun" for name, text in texts(self.folder).items()
                 if store.text_hash(text) != self.manifest["hashes"].get(name)]  # fmt: skip
        if self.manifest["hashes"]["rules"] != rules_hash():
            found.append("the model's code has changed since the study was begun")
        return found

    def row(self, run: int) -> pa.Table | None:
        """The recorded row of a run; None where there is none."""
        if not 0 <= run < self.runs:
            raise BadInput(f"{self.folder}: no run {run}; the study has runs 0 to {self.runs - 1}")
        for shard in self._shelf(OUTCOMES).whole:
            if shard.first <= run <= shard.last:
                table = store.read_shard(shard)
                return columns.where(table, columns.values(table["run"]) == run)
        return None

    def _shelf(self, name: str) -> Shelf:
        if name not in (OUTCOMES, *self.manifest["keep"]):
            raise FolderProblem(f"{self.folder}: {name} were not kept; run the study again with --full")
        return shelf(self.folder, name)


def open_sweep(folder: str | Path) -> Swept:
    """The study of a folder, finished or not. Raises FolderProblem where there is none."""
    return Swept(Path(folder), manifest_of(Path(folder)))


def replay(folder: str | Path, run: int) -> runs.Replay:
    """Do one run of a study again, alone, and compare it with what was recorded."""
    swept = open_sweep(folder)
    recorded = swept.row(run)
    ready, history = swept.plan.one(run)
    tables = ready.tables(history)
    compared, differing = [], []
    if recorded is not None and recorded.num_rows:
        compared = [OUTCOMES]
        again = swept.plan.tables(np.array([run]))[OUTCOMES]
        if store.table_hash(again) != store.table_hash(recorded):
            differing = [OUTCOMES]
    return runs.Replay(run, tables, compared, differing, swept.changes())


def status(folder: str | Path) -> dict[str, Any]:
    """How far a study is: runs done, failed and wanted, whether it is running, its rate and the time that is left."""
    folder = Path(folder)
    manifest = manifest_of(folder)
    found = shelf(folder)
    failed = sum(store.rows(shard) for shard in shelf(folder, FAILURES).whole)
    holder = store.holder(folder)
    told = {
        "folder": str(folder),
        "title": manifest["title"],
        "runs": manifest["runs"],
        "done": found.done,
        "failed": failed,
        "complete": manifest["complete"],
        "running": holder is not None,
        "process": holder,
        "rate": None,
        "left": None,
    }
    with store.storage(folder):
        written = sorted((shard.path.stat().st_mtime, shard.runs) for shard in found.whole)[-RECENT:]
    if len(written) > 1 and written[-1][0] > written[0][0]:
        told["rate"] = sum(count for _, count in written[1:]) / (written[-1][0] - written[0][0])
        if told["running"]:
            told["left"] = (manifest["runs"] - found.done) / told["rate"]
    return told

"""A study is run: planned, executed by any number of workers, resumed after anything.

A study's folder holds all that its runs depend on (`study.yaml`, `scenario.yaml`, `points.csv`), so that workers and
replays need nothing else. Workers compute chunks of consecutive runs and write them as shards themselves; what is done
is what lies there whole. Whoever executes is an `Executor`: processes of this machine, or a Dask cluster.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import shlex
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sim import columns, located, parameters, runs, store, study
from sim.errors import BadInput, FolderProblem, StorageProblem, UserError
from sim.plan import Plan
from sim.scenario import as_data, as_yaml
from sim.study import MOST_RUNS, Asked
from sim.swept import (
    FAILURE,
    FAILURES,
    OUTCOMES,
    POINTS,
    SCENARIO,
    STUDY,
    Swept,
    manifest_of,
    open_sweep,
    shelf,
    texts,
)
from sim.workers import WorkerDied, Workers, keep_memory

DOING = ".doing"
DETAILS = ("states", "acts", "beliefs", "events")
STRETCH = 512  # runs between two signs of life
PATIENCE = 600.0  # seconds that a stretch may take before it is given up
MOST_PATIENCE = 1_000_000
STRIKES = 2  # times that a run may end its process before it is given up
SHORTEST, LONGEST = 2.0, 60.0  # seconds of work in a chunk
LAST = 0.2  # of the last ones
FIRST_CHUNK = 256
MOST_CHUNK = 8_192
MOST_SHARDS = 4096
CHUNK_BYTES = 64_000_000
MEND_SECONDS = 5.0
LOOK_SECONDS = 2.0  # without news, after which the folder is looked at
SILENCE = 1.5  # times the patience, after which the workers are believed gone
STARTS = 5  # times that workers may end before they compute anything
SAMPLE = 64  # runs by which a study's time is foretold
Progress = Callable[[int, int], None]
Tell = Callable[[str], None]


class Interrupted(UserError):
    """The user stopped a study; what was done is kept."""

    exit_code = 130


# -------------------------------------------------------------------------------------------------------- the folder


def _key(folder: Path) -> str:
    """Whose shards these are: a hash of the study's files and of the model's code."""
    from sim.jit import rules_hash

    return store.text_hash("".join((*texts(folder).values(), rules_hash())))


def _content(asked: Asked) -> dict[str, str]:
    """The files that a study's runs depend on, complete in themselves."""
    said = as_data(asked.study)
    said["scenario"] = SCENARIO
    said.pop("ask", None)
    said["outcomes"] = asked.outcomes
    said["vary"] = {axis.path: list(axis.choices) if axis.choices else {"low": axis.low, "high": axis.high}
                    for axis in asked.axes}  # fmt: skip
    files = {SCENARIO: as_yaml(asked.scenario)}
    if asked.listing is not None:
        said |= {"file": POINTS, "vary": {}}
        files[POINTS] = asked.listing
    if asked.drawn:
        said["parameters"] = parameters.FILE
        files[parameters.FILE] = asked.drawn.text
    return files | {STUDY: located.dump(said)}


# --------------------------------------------------------------------------------------------------- one chunk of work


@dataclass(frozen=True)
class Chunk:
    """Runs first..last of the study in a folder.

    careful: runs among them that are computed one by one, since one of them ended its process. given_up: runs that are
    not tried any more, and why.
    """

    folder: str
    key: str
    first: int
    last: int
    keep: tuple[str, ...]
    patience: float
    careful: tuple[int, int] | None = None
    given_up: Mapping[int, str] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        return self.last - self.first + 1

    @property
    def lies_there(self) -> bool:
        """Whether its shard has been written, which is the last that is done."""
        return any((Path(self.folder) / OUTCOMES).glob(f"{self.first:012d}-{self.last:012d}.*.parquet"))

    @property
    def doing(self) -> Path:
        """Where a worker notes which runs it is at."""
        return Path(self.folder) / DOING / f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Done:
    """What came of a chunk."""

    runs: int
    failed: int
    seconds: float
    bytes: int


_PLANS: dict[tuple[str, str], Plan] = {}


def _plan(folder: str, key: str) -> Plan:
    """The plan of a folder's study; a worker keeps the last."""
    if (folder, key) not in _PLANS:
        if _key(Path(folder)) != key:
            raise FolderProblem(f"{folder}: its study, its scenario or the model's code differ from those of the sweep")
        keep_memory()
        _PLANS.clear()
        _PLANS[folder, key] = Plan(study.load(Path(folder) / STUDY, trusted=True), trusted=True)
    return _PLANS[folder, key]


def work(chunk: Chunk) -> Done:
    """Compute a chunk and write its shards: failures first, outcomes last, whose shard says that all is there."""
    plan = _plan(chunk.folder, chunk.key)
    began = time.monotonic()
    parts: dict[str, list[pa.Table]] = {name: [] for name in (OUTCOMES, *chunk.keep)}
    failures: list[dict[str, Any]] = []
    with _watched(chunk) as at:
        for first, last in _stretches(chunk):
            at(first, last)
            for tables in _computed(plan, first, last, chunk, failures):
                for name, table in tables.items():
                    parts[name].append(table)
    folder = Path(chunk.folder)
    size = 0
    for name, held in reversed(parts.items()):
        table = pa.concat_tables(held) if held else plan.empty(name)
        size += table.nbytes
        if name == OUTCOMES and failures:
            store.write_shard(folder / FAILURES, chunk.first, chunk.last, columns.rows(failures, FAILURE), chunk.key)
        store.write_shard(folder / name, chunk.first, chunk.last, table, chunk.key)
    with suppress(OSError):
        chunk.doing.unlink()
    return Done(chunk.runs, len(failures), time.monotonic() - began, size)


def _stretches(chunk: Chunk) -> Iterator[tuple[int, int]]:
    """The chunk in parts: small enough for signs of life, single runs where care is asked for."""
    first = chunk.first
    while first <= chunk.last:
        last = min(first + STRETCH - 1, chunk.last)
        if chunk.careful is not None:
            begin, end = chunk.careful
            if begin <= first <= end:
                last = first
            elif first < begin <= last:
                last = begin - 1
        yield first, last
        first = last + 1


def _computed(
    plan: Plan, first: int, last: int, chunk: Chunk, failures: list[dict[str, Any]]
) -> Iterator[dict[str, pa.Table]]:
    """Tables of the runs of a stretch that can be computed; the others are added to the failures."""
    wanted = np.array([run for run in range(first, last + 1) if run not in chunk.given_up], dtype=np.int64)
    failed = {run: message for run, message in chunk.given_up.items() if first <= run <= last}
    try:
        if wanted.size:
            yield plan.tables(wanted, chunk.keep)
    except Exception:
        for run in wanted:
            try:
                yield plan.tables(np.array([run]), chunk.keep)
            except Exception as error:
                failed[int(run)] = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
    failures += [_failure(plan, run, failed[run], chunk.folder) for run in sorted(failed)]


def _failure(plan: Plan, run: int, message: str, folder: str) -> dict[str, Any]:
    about = plan.described(run)
    about |= {"seed": str(about["seed"]), "parameters": json.dumps(about["parameters"], ensure_ascii=False)}
    return about | {"message": message, "replay": f"tightrope replay {shlex.quote(folder)} --run {run}"}


@contextmanager
def _watched(chunk: Chunk) -> Iterator[Callable[[int, int], None]]:
    """Note which runs are being computed, and end this process when they do not end.

    The clock is a thread of C, which runs also where Python does not.
    """
    import faulthandler

    with ExitStack() as stack:
        silence = stack.enter_context(open(os.devnull, "w"))  # noqa: PTH123
        with store.storage(chunk.doing.parent):
            chunk.doing.parent.mkdir(exist_ok=True)
            note = stack.enter_context(chunk.doing.open("w"))
        stack.callback(faulthandler.cancel_dump_traceback_later)

        def at(first: int, last: int) -> None:
            faulthandler.dump_traceback_later(chunk.patience, exit=True, file=silence)
            with store.storage(chunk.doing):
                note.seek(0)
                note.write(f"{first:012d} {last:012d} {os.getpid()}")
                note.flush()

        yield at


# ------------------------------------------------------------------------------------------------------------ engines


def _check_engine(engine: str | Executor) -> None:
    """Raises BadInput for an engine that there is not."""
    if isinstance(engine, Executor) or engine == "local":
        return
    if engine != "dask-local" and not engine.startswith("dask://"):
        raise BadInput(f"--engine {engine}: no such engine; one of local, dask-local, dask://HOST:PORT")
    if importlib.util.find_spec("distributed") is None:
        raise BadInput(f"--engine {engine}: needs Dask; pip install 'tightrope[cluster]'")


@contextmanager
def _cluster(engine: str | Executor, workers: int | None) -> Iterator[Future | None]:
    """A Dask cluster of this machine that starts while the study is planned; None for other engines.

    Nannies that leave with a worker that died repeatedly are replaced.
    """
    if engine != "dask-local":
        yield None
        return

    def start() -> Any:
        from distributed import LocalCluster

        resource_tracker.ensure_running()  # which lets signals in when it starts
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited by its workers: Ctrl-C is for us alone
        count = workers or runs.cores()
        return LocalCluster(n_workers=count, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)

    with ThreadPoolExecutor(1) as helper:
        starting, ended = helper.submit(start), threading.Event()

        def mend() -> None:
            while not ended.wait(MEND_SECONDS):
                if starting.exception() is None:
                    with suppress(RuntimeError):  # it is closing
                        starting.result().scale(workers or runs.cores())

        try:
            threading.Thread(target=mend, daemon=True).start()
            yield starting
        finally:
            ended.set()
            if starting.exception() is None:
                starting.result().close()


@contextmanager
def _executor(engine: str | Executor, workers: int | None, cluster: Future | None) -> Iterator[tuple[Executor, int]]:
    """Who computes, and how many chunks at once. Raises BadInput for a scheduler that does not answer."""
    count = workers or runs.cores()
    if isinstance(engine, Executor):
        yield engine, count
        return
    if engine == "local":
        pool = Workers(count)
        try:
            yield pool, count
        finally:
            pool.shutdown(cancel_futures=True)
        return
    from distributed import Client

    where = cluster.result() if cluster is not None else "tcp://" + engine.removeprefix("dask://")
    try:
        client = Client(where, timeout=30)
    except (OSError, ValueError) as error:
        raise BadInput(f"--engine {engine}: no Dask scheduler answers: {error}") from None
    with client:
        yield client.get_executor(retries=2), sum(client.ncores().values()) or count


# ---------------------------------------------------------------------------------------------------------- the sweep


def sweep(
    source: str | Path,
    out: str | Path | None = None,
    workers: int | None = None,
    engine: str | Executor = "local",
    resume: bool = False,
    full: bool = False,
    allow_large: bool = False,
    progress: Progress | None = None,
    tell: Tell | None = None,
    chunk: int | None = None,
    patience: float = PATIENCE,
) -> Swept:
    """Run a study, or what is missing of it; returns what came of it, whose tables are read when they are asked for.

    source: a file, or the name of a shipped study. out: the folder; `runs/<study>-<n>` if left out. workers: processes,
    one for each processor if left out. engine: local, dask-local, dask://HOST:PORT, or any Executor, whose workers must
    see the folder; results do not depend on it.
    resume: go on in a folder that holds the study already. full: keep states, acts, beliefs and events too.
    allow_large: also above 10^7 runs. chunk: runs of a shard, as many as take some seconds if left out. patience:
    seconds after which runs that do not end are given up. progress: called with the runs done and wanted. tell: called
    with what was found in the folder. Raises BadInput, FolderProblem, StorageProblem, or Interrupted; what was done is
    kept and can be resumed.
    """
    if workers is not None and workers < 1:
        raise BadInput(f"--workers {workers}: must be 1 or more")
    if chunk is not None and chunk < 1:
        raise BadInput(f"chunk {chunk}: must be 1 or more")
    if not 0 < patience <= MOST_PATIENCE:
        raise BadInput(f"--patience {patience:g}: must be above 0 and at most {MOST_PATIENCE:,}")
    _check_engine(engine)
    with ExitStack() as stack:
        cluster = stack.enter_context(_cluster(engine, workers))
        asked = study.load(source)
        if asked.runs > MOST_RUNS and not allow_large:
            raise BadInput(f"{source}: {asked.runs:,} runs; more than {MOST_RUNS:,} need --allow-large")
        plan = Plan(asked)
        folder = Path(out) if out is not None else store.numbered("runs", Path(source).stem)
        keep = DETAILS if full else tuple(asked.study.keep)
        told = tell or (lambda line: None)
        manifest = stack.enter_context(_opened(folder, asked, plan, str(source), keep, resume, told))
        again = f"tightrope sweep {shlex.quote(str(source))} --out {shlex.quote(str(folder))} --resume"
        again += f" --engine {shlex.quote(engine)}" if isinstance(engine, str) and engine != "local" else ""
        again += (" --full" if full else "") + (" --allow-large" if allow_large else "")
        try:
            _execute(folder, manifest, plan, lambda: _executor(engine, workers, cluster), chunk, patience, progress)
        except KeyboardInterrupt:
            done = shelf(folder).done
            raise Interrupted(f"interrupted after {done:,} of {plan.runs:,} runs; to go on: {again}") from None
        except StorageProblem as problem:
            raise StorageProblem(f"{problem}; then: {again}") from None
        except OSError as error:
            where = "" if error.filename else f"{folder}: "
            raise StorageProblem(f"{where}{store.reason(error)}; then: {again}") from error
    return open_sweep(folder)


@contextmanager
def _opened(
    folder: Path, asked: Asked, plan: Plan, source: str, keep: tuple[str, ...], resume: bool, tell: Tell
) -> Iterator[dict[str, Any]]:
    """The folder, locked, with the study in it; its manifest."""
    with store.storage(folder):
        if folder.exists() and not folder.is_dir():
            raise FolderProblem(f"{folder}: not a folder; choose another with --out")
        folder.mkdir(parents=True, exist_ok=True)
    with store.locked(folder):
        with store.storage(folder):
            names = {path.name for path in folder.iterdir()} - {store.LOCK}
        if names and not resume:
            if store.MANIFEST in names and manifest_of(folder):
                raise FolderProblem(f"{folder}: holds a study already; --resume goes on with it, --out names another")
            raise FolderProblem(f"{folder}: not empty ({store.what_is(folder)}); choose another folder with --out")
        started = store.MANIFEST in names
        if not started and not names <= {STUDY, SCENARIO, POINTS, parameters.FILE} | {
            name for name in names if name.endswith(store.PART)
        }:
            raise FolderProblem(
                f"{folder}: holds no study to resume, but other files; choose another folder with --out"
            )
        files = _content(asked)
        if started:
            manifest = manifest_of(folder)
            _same(folder, manifest, files, keep)
        else:
            manifest = _begin(folder, asked, plan, source, keep, files)
        for name in (OUTCOMES, FAILURES, *keep):
            with store.storage(folder / name):
                (folder / name).mkdir(exist_ok=True)
        _tidy(folder, manifest, tell)
        yield manifest


def _begin(
    folder: Path, asked: Asked, plan: Plan, source: str, keep: tuple[str, ...], files: Mapping[str, str]
) -> dict[str, Any]:
    """Put a study into its folder, the manifest last."""
    from sim.jit import rules_hash

    for name, text in files.items():
        store.write_text(folder / name, text)
    return store.write_manifest(folder, _manifest(asked, plan, source, keep) | {
        "hashes": {name: store.text_hash(text) for name, text in files.items()} | {"rules": rules_hash()},
        "key": _key(folder),
    })  # fmt: skip


def _manifest(asked: Asked, plan: Plan, source: str, keep: tuple[str, ...]) -> dict[str, Any]:
    said, scenario = asked.study, asked.scenario
    ready = plan.structure(plan.first).ready
    return {
        "kind": "study",
        "source": source,
        "title": said.title,
        "question": said.question,
        "scenario": said.scenario,
        "scenario_title": scenario.title,
        "design": said.design,
        "draws": "common" if asked.design.common else "fresh",
        "seed": said.seed,
        "runs": plan.runs,
        "points": plan.points,
        "replicates": plan.replicates,
        "variants": {name: said.variants[name].title or name if name in said.variants else "as it is"
                     for name in asked.variants},
        "axes": [{"path": axis.path, "lever": axis.lever, "low": axis.low, "high": axis.high,
                  "choices": list(axis.choices) if axis.choices else None, "numeric": axis.numeric}
                 for axis in asked.axes],
        "outcomes": {q.name: {"title": scenario.outcomes[q.name].title or q.name, "yes_or_no": q.yes_or_no,
                              "dated": q.dated} for q in ready.questions},
        "turns": ready.turns,
        "dates": list(ready.legend.dates),
        "keep": list(keep),
        "versions": runs.versions(),
        "started": _now(),
        "complete": False,
    }  # fmt: skip


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _same(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, str], keep: tuple[str, ...]) -> None:
    """Raises FolderProblem, saying what differs, where another study, scenario or model was begun here."""
    from sim.jit import rules_hash

    differs: list[str] = []
    before = texts(folder)
    for name in dict.fromkeys([*before, *files]):
        if manifest["hashes"].get(name) != store.text_hash(before.get(name, "")) and name in before:
            differs.append(f"{folder / name} was edited")
        if before.get(name) != files.get(name):
            differs += [f"{name}: {line}" for line in _difference(before.get(name, ""), files.get(name, ""))]
    if manifest["hashes"]["rules"] != rules_hash():
        differs.append("the model's code has changed")
    if tuple(manifest["keep"]) != keep:
        differs.append(f"it keeps {', '.join(manifest['keep']) or 'outcomes only'}, not "
                       f"{', '.join(keep) or 'outcomes only'}")  # fmt: skip
    if differs:
        shown = "\n".join(f"  {line}" for line in differs[:20])
        raise FolderProblem(f"{folder}: cannot be resumed, for something has changed since it was begun:\n{shown}")


def _difference(before: str, after: str) -> list[str]:
    """The lines by which two texts differ."""
    import difflib

    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def _tidy(folder: Path, manifest: Mapping[str, Any], tell: Tell) -> None:
    """Remove what is half written, damaged, double or failed, so that it is done again; name what is not ours."""
    key = manifest["key"]
    with store.storage(folder):
        for path in (*folder.glob(f".*{store.PART}"), *folder.glob(f"*/.*{store.PART}"), *folder.glob(f"{DOING}/*")):
            path.unlink(missing_ok=True)
        shelves = {name: shelf(folder, name) for name in (OUTCOMES, *manifest["keep"], FAILURES)}
        for name, found in shelves.items():
            for path in found.others:
                tell(f"{path}: no part of this study; it is left alone")
            for shard in found.spare:
                shard.path.unlink()
            for shard in list(found.whole):
                if not store.is_whole(shard, key):
                    tell(f"{shard.path}: damaged, or of another study; its runs are done again")
                elif name != OUTCOMES or store.rows(shard) == shard.runs:
                    continue
                shard.path.unlink()
                found.whole.remove(shard)
        failures = shelves.pop(FAILURES).whole
        everywhere = set.intersection(*({(s.first, s.last) for s in found.whole} for found in shelves.values()))
        for found in shelves.values():
            for shard in found.whole:
                if (shard.first, shard.last) not in everywhere:
                    shard.path.unlink()
        for shard in failures:
            shard.path.unlink()


# ---------------------------------------------------------------------------------------------------------- executing


@dataclass
class _Pace:
    """How many runs make a chunk: some seconds of work, not too many shards, not too many bytes."""

    total: int
    fixed: int | None
    seconds: float | None = None  # a run
    bytes: float = 0.0

    def size(self, fair: int) -> int:
        """fair: one worker's part of what is left, which makes the last chunks small, so that all end together."""
        if self.fixed is not None:
            return self.fixed
        if self.seconds is None:
            return min(FIRST_CHUNK, max(1, self.total // 8))
        wanted = max(SHORTEST / self.seconds, min(self.total / MOST_SHARDS, LONGEST / self.seconds))
        wanted = min(wanted, max(fair, LAST / self.seconds))
        return int(max(1, min(wanted, MOST_CHUNK, CHUNK_BYTES / max(self.bytes, 1.0))))

    def take(self, done: Done) -> None:
        if not done.seconds:  # nobody told
            return
        seconds = done.seconds / done.runs
        self.seconds = seconds if self.seconds is None else min(seconds, (self.seconds + seconds) / 2)
        self.bytes = max(self.bytes, done.bytes / done.runs)


class _Queue:
    """The chunks of what is missing, made as they are asked for; what must be done again comes first."""

    def __init__(
        self, gaps: Iterable[tuple[int, int]], pace: _Pace, most: int, make: Callable[[int, int], Chunk]
    ) -> None:
        """most: how many chunks are under way at once."""
        self.gaps = deque(gaps)
        self.left = sum(last - first + 1 for first, last in self.gaps)
        self.again: deque[Chunk] = deque()
        self.pace, self.most, self.make = pace, most, make

    def next(self) -> Chunk | None:
        if self.again:
            return self.again.popleft()
        if not self.gaps:
            return None
        first, last = self.gaps.popleft()
        end = min(first + self.pace.size(self.left // self.most) - 1, last)
        if end < last:
            self.gaps.appendleft((end + 1, last))
        self.left -= end - first + 1
        return self.make(first, end)


def _execute(
    folder: Path,
    manifest: dict[str, Any],
    plan: Plan,
    executor_of: Callable[[], AbstractContextManager[tuple[Executor, int]]],
    chunk: int | None,
    patience: float,
    progress: Progress | None,
) -> None:
    """Do what is missing, until nothing is, and make the folder whole."""
    began = time.monotonic()
    found = shelf(folder)
    done, keep = found.done, tuple(manifest["keep"])
    if done == plan.runs and manifest["complete"]:
        return
    pace = _Pace(plan.runs, chunk)
    where = str(folder.resolve())
    make = lambda first, last: Chunk(where, manifest["key"], first, last, keep, patience)  # noqa: E731
    _PLANS.clear()
    _PLANS[where, manifest["key"]] = plan  # workers that are forked have it
    while done < plan.runs:
        with executor_of() as (executor, count):
            waiting = _Queue(found.missing(plan.runs), pace, 2 * count, make)
            for result in _results(executor, waiting, 2 * count):
                pace.take(result)
                done += result.runs
                if progress is not None:
                    progress(min(done, plan.runs), plan.runs)
        found = shelf(folder)
        done = found.done
    _finish(folder, manifest, time.monotonic() - began)


def _results(executor: Executor, waiting: _Queue, most: int) -> Iterator[Done]:
    """What comes of the chunks, in the order in which they are done. What ended its process is tried with more care.

    Dask says nothing of a task whose worker dies between doing it and telling; its shard tells.
    """
    strikes: dict[int, int] = {}
    doing: dict[Future, Chunk] = {}
    heard = time.time()
    while True:
        while len(doing) < most and (chunk := waiting.next()) is not None:
            doing[executor.submit(work, chunk)] = chunk
        if not doing:
            return
        over = wait(doing, LOOK_SECONDS, return_when=FIRST_COMPLETED).done
        heard = time.time() if over else heard
        _check_alive(next(iter(doing.values())), heard)
        for future in [] if over else [future for future, chunk in doing.items() if chunk.lies_there]:
            yield Done(doing[future].runs, 0, 0.0, 0)
            del doing[future]
        for future in over:
            chunk = doing.pop(future)
            if future.cancelled():
                raise StorageProblem(f"{chunk.folder}: those who computed it are gone")
            error = future.exception()
            if error is None:
                yield future.result()
            elif isinstance(error, (UserError, OSError)) or not _died(error):
                raise error
            else:
                waiting.again.append(_careful(chunk, str(error), strikes))


def _check_alive(chunk: Chunk, heard: float) -> None:
    """Raises StorageProblem where no worker has given a sign of life for longer than any may take. heard: the last."""
    silence = time.time() - heard
    if silence > SILENCE * chunk.patience:
        with suppress(OSError):
            silence = time.time() - max(heard, *(note.stat().st_mtime for note in chunk.doing.parent.iterdir()))
    if silence > SILENCE * chunk.patience:
        raise StorageProblem(f"{chunk.folder}: no worker has given a sign of life for {silence:.0f} seconds")


def _died(error: BaseException) -> bool:
    """Whether a worker ended in the middle of its chunk."""
    dasks = type(error).__name__ in ("KilledWorker", "CommClosedError")
    return dasks or isinstance(error, (WorkerDied, BrokenExecutor))


def _careful(chunk: Chunk, how: str, strikes: dict[int, int]) -> Chunk:
    """The chunk again, with more care where its worker was when it ended; a run that ends it repeatedly is given up."""
    first, last, since = _was_doing(chunk)
    if since >= chunk.patience:
        how = f"did not end within {chunk.patience:g} seconds"
    strikes[first] = strikes.get(first, 0) + 1
    if strikes[first] > STARTS and first != last:
        raise FolderProblem(f"{chunk.folder}: workers keep ending before they compute anything: {how}")
    if first != last:
        return replace(chunk, careful=(first, last))
    if strikes[first] < STRIKES:
        return replace(chunk, careful=(first, last))
    return replace(chunk, given_up={**chunk.given_up, first: how}, careful=chunk.careful or (first, last))


def _was_doing(chunk: Chunk) -> tuple[int, int, float]:
    """The runs that a worker was at when it ended, and for how many seconds; all of the chunk where it left no word."""
    try:
        first, last, _ = chunk.doing.read_text().split()
        return int(first), int(last), time.time() - chunk.doing.stat().st_mtime
    except (OSError, ValueError):
        return chunk.first, chunk.last, 0.0


def _finish(folder: Path, manifest: dict[str, Any], seconds: float) -> None:
    """Count, hash and seal."""
    found = shelf(folder)
    digest: store.TableHash | None = None
    for shard in found.whole:
        table = store.read_shard(shard)
        digest = digest or store.TableHash(table.schema)
        digest.update(table)
    assert digest is not None
    failed = sum(store.rows(shard) for shard in shelf(folder, FAILURES).whole)
    manifest |= {
        "complete": True,
        "failed": failed,
        "rows": digest.rows,
        "hash": digest.hexdigest(),
        "shards": len(found.whole),
        "seconds": manifest.get("seconds", 0.0) + round(seconds, 3),
        "finished": _now(),
    }
    store.write_manifest(folder, manifest)


# ---------------------------------------------------------------------------------------------------------- foretelling


@dataclass(frozen=True)
class Forecast:
    """What a study would take: runs, seconds on so many workers, bytes on the disk."""

    file: str
    title: str
    scenario: str
    design: str
    points: int
    variants: list[str]
    replicates: int
    runs: int
    axes: list[dict[str, Any]]
    outcomes: list[str]
    seconds: float
    workers: int
    bytes: int
    large: bool
    notes: list[str]


def check(source: str | Path) -> Forecast:
    """Validate a study and say what it would take, by running a few of its runs. Raises Problems."""
    asked = study.load(source)
    plan = Plan(asked)
    some = np.unique(np.linspace(0, plan.runs - 1, min(SAMPLE, plan.runs)).astype(np.int64))
    plan.tables(some[:1])
    began = time.perf_counter()
    table = plan.tables(some, tuple(asked.study.keep))
    seconds = (time.perf_counter() - began) / some.size * plan.runs / runs.cores()
    size = sum(part.nbytes for part in table.values()) / some.size * plan.runs
    axes = [{"path": axis.path, "lever": axis.lever, "low": axis.low, "high": axis.high,
             "choices": list(axis.choices) if axis.choices else None} for axis in asked.axes]  # fmt: skip
    return Forecast(
        str(study.find(source)), asked.study.title, asked.study.scenario, asked.study.design, plan.points,
        asked.variants, plan.replicates, plan.runs, axes,
        [q.name for q in plan.structure(plan.first).ready.questions], seconds, runs.cores(), int(size),
        plan.runs > MOST_RUNS, list(asked.notes),
    )  # fmt: skip

"""A study's table is the same however it is executed, and what goes wrong costs itself alone."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from sim import cli, data, store, study, sweep, swept
from sim.errors import BadInput, FolderProblem, StorageProblem
from sim.plan import Plan

ROOT = Path(__file__).resolve().parent.parent
TEXT = """\
study: 1
title: A small study
scenario: minimal
vary:
  model.rationality: [100, 200, 300]
  front.funds: {from: 0.1, to: 0.5, steps: 3}
  policy: [quantal, best]
  turns: 4
replicates: 4
variants: {rich: {set: {front.standing: 0.9}}}
"""  # 144 runs


class Inline(Executor):
    """Computes in this process, at once."""

    def submit(self, function, /, *args, **options):
        future: Future = Future()
        try:
            future.set_result(function(*args, **options))
        except BaseException as error:
            future.set_exception(error)
        return future


@contextmanager
def inline(*_: object):
    yield Inline(), 1


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies are computed in this process."""
    monkeypatch.setattr(sweep, "_executor", inline)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a small study."""
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def whole(small: Path, tmp_path_factory: pytest.TempPathFactory) -> swept.Swept:
    """The small study, done without interruption on one worker."""
    return sweep.sweep(small, tmp_path_factory.mktemp("whole"), workers=1, chunk=50)


@pytest.fixture
def copy(whole: swept.Swept, tmp_path: Path) -> Path:
    """A copy of its folder, to be harmed."""
    return Path(shutil.copytree(whole.folder, tmp_path / "copy"))


# --------------------------------------------------------------------------------------------------------- the table


def test_every_run_is_there_once_with_what_it_was(whole: swept.Swept):
    table = whole.outcomes
    assert table["run"].to_pylist() == list(range(144))
    assert table.column_names[:7] == [
        "run",
        "variant",
        "point",
        "replicate",
        "model.rationality",
        "front.funds",
        "policy",
    ]
    assert whole.complete
    assert whole.failed == 0
    assert whole.hash() == whole.manifest["hash"]
    assert set(table["policy"].to_pylist()) == {"quantal", "best"}


def test_the_table_is_read_lazily(whole: swept.Swept):
    found = whole.relation().filter("variant = 'rich'").aggregate("count(*), count(distinct run)").fetchall()
    assert found == [(72, 72)]


@pytest.mark.parametrize(("workers", "chunk"), [(1, 7), (2, None), (4, 144)])
def test_workers_and_chunks_change_no_bit(
    whole: swept.Swept, small: Path, tmp_path: Path, workers: int, chunk: int | None
):
    assert sweep.sweep(small, tmp_path / "out", workers=workers, chunk=chunk).hash() == whole.manifest["hash"]


@pytest.mark.parametrize("hashing", ["0", "1"])
def test_hash_seeds_change_no_bit(whole: swept.Swept, small: Path, tmp_path: Path, hashing: str):
    process = sweeping(small, tmp_path / "out", PYTHONHASHSEED=hashing)
    assert "144 runs" in process.communicate(timeout=60)[0]
    assert swept.open_sweep(tmp_path / "out").hash() == whole.manifest["hash"]


def test_workers_that_are_fresh_interpreters_change_no_bit(whole: swept.Swept, small: Path, tmp_path: Path):
    """Where the caller has other threads, nothing is forked."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(sweep.sweep, small, tmp_path / "out", workers=2).result(timeout=60)
    assert done.hash() == whole.manifest["hash"]


@pytest.mark.parametrize("name", ["small", *(path.stem for path in (data.scenarios() / "studies").glob("*.yaml"))])
def test_a_study_read_back_from_its_folder_is_the_same(small: Path, tmp_path: Path, name: str):
    """Forked workers have the plan of their parent; others, and replays, that of the folder."""
    asked = study.load(small if name == "small" else name)
    for file, text in sweep._content(asked).items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    one, other = Plan(asked, trusted=True), Plan(study.load(tmp_path / "study.yaml", trusted=True), trusted=True)
    some = np.unique(np.linspace(0, one.runs - 1, 20).astype(np.int64))
    first, second = one.tables(some), other.tables(some)
    assert store.table_hash(first["outcomes"]) == store.table_hash(second["outcomes"])


def test_any_row_replays_alone(whole: swept.Swept):
    for run in (0, 77, 143):
        again = swept.replay(whole.folder, run)
        assert again.compared == ["outcomes"]
        assert again.same
        assert again.tables["states"].num_rows == 5
    with pytest.raises(BadInput, match="no run 144"):
        swept.replay(whole.folder, 144)


def test_what_is_kept_is_there_for_every_run(small: Path, tmp_path: Path, here: None):
    done = sweep.sweep(small, tmp_path / "out", full=True, chunk=60)
    assert done.table("states").num_rows == 144 * 5
    assert sorted(set(done.table("acts", ["run"])["run"].to_pylist())) == sorted(
        set(done.table("acts")["run"].to_pylist())
    )
    with pytest.raises(FolderProblem, match="were not kept"):
        sweep.sweep(small, tmp_path / "other").table("acts")


def test_a_folder_holds_all_that_its_runs_depend_on(whole: swept.Swept, copy: Path):
    assert swept.open_sweep(copy).plan.described(99) == whole.plan.described(99)
    assert swept.replay(copy, 5).same


# ------------------------------------------------------------------------------------------------- starting, resuming


def test_a_finished_study_has_nothing_to_do(small: Path, copy: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "_executor", None)
    assert sweep.sweep(small, copy, resume=True).complete


def test_a_new_folder_may_be_resumed_and_another_may_not(small: Path, copy: Path, tmp_path: Path, here: None):
    assert sweep.sweep(small, tmp_path / "new", resume=True).complete
    with pytest.raises(FolderProblem, match="--resume goes on with it"):
        sweep.sweep(small, copy)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").touch()
    for resume in (False, True):
        with pytest.raises(FolderProblem, match="choose another folder"):
            sweep.sweep(small, tmp_path / "other", resume=resume)


def test_two_studies_never_share_a_folder(small: Path, copy: Path):
    with store.locked(copy), pytest.raises(FolderProblem, match=f"in use by process {os.getpid()}") as caught:
        sweep.sweep(small, copy, resume=True)
    assert caught.value.exit_code == 3


def test_a_changed_study_is_not_resumed_and_the_change_is_shown(small: Path, copy: Path, tmp_path: Path):
    other = tmp_path / "small.yaml"
    other.write_text(TEXT.replace("replicates: 4", "replicates: 5").replace("turns: 4", "turns: 6"))
    with pytest.raises(FolderProblem) as caught:
        sweep.sweep(other, copy, resume=True)
    for line in ("-replicates: 4", "+replicates: 5", "-turns: 4", "+turns: 6"):
        assert line in str(caught.value)


def test_changed_rules_are_not_resumed(small: Path, copy: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sim.jit.rules_hash", lambda: "other")
    with pytest.raises(FolderProblem, match="the model's code has changed"):
        sweep.sweep(small, copy, resume=True)


def test_an_edited_folder_is_not_resumed(small: Path, copy: Path):
    (copy / "scenario.yaml").write_text((copy / "scenario.yaml").read_text() + "\n# mine\n")
    with pytest.raises(FolderProblem, match=r"scenario.yaml was edited"):
        sweep.sweep(small, copy, resume=True)


def test_more_than_ten_million_runs_must_be_meant(tmp_path: Path):
    path = tmp_path / "large.yaml"
    path.write_text(TEXT.replace("replicates: 4", "replicates: 400000"))
    assert sweep.check(path).large
    with pytest.raises(BadInput, match="--allow-large"):
        sweep.sweep(path, tmp_path / "out")


def test_the_forecast_counts_points_runs_and_bytes(small: Path):
    told = sweep.check(small)
    assert (told.points, told.runs, told.variants) == (18, 144, ["base", "rich"])
    assert told.bytes > 0


# ------------------------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "foreign", "lost", "doubled"])
def test_a_damaged_shard_is_named_and_done_again(
    whole: swept.Swept, small: Path, copy: Path, here: None, harm: str, tmp_path: Path
):
    shard = swept.shelf(copy).whole[1].path
    content = bytearray(shard.read_bytes())
    if harm == "flip":
        content[len(content) // 3] ^= 4
        shard.write_bytes(content)
    elif harm == "cut":
        shard.write_bytes(content[:-10])
    elif harm == "empty":
        shard.write_bytes(b"")
    elif harm == "foreign":  # a good shard of the same runs, but of another study
        other = tmp_path / "other.yaml"
        other.write_text(TEXT.replace("title: A small study", "title: Another\nseed: 2"))
        theirs = swept.shelf(sweep.sweep(other, tmp_path / "theirs", chunk=50).folder).whole[1].path
        shard.unlink()
        shutil.copy(theirs, shard.parent)
    elif harm == "lost":
        shard.unlink()
    else:  # another chunk size left its shards beside
        store.write_shard(copy / "outcomes", 40, 60, whole.outcomes.slice(40, 21), whole.manifest["key"])
    if harm not in ("lost", "doubled"):
        assert swept.open_sweep(copy).damage() == [swept.shelf(copy).whole[1].path]
    told: list[str] = []
    done = sweep.sweep(small, copy, resume=True, chunk=50, tell=told.append)
    assert done.hash() == whole.manifest["hash"]
    assert len(swept.shelf(copy).whole) == 3
    assert [line for line in told if "damaged" in line] == told
    assert len(told) == (harm not in ("lost", "doubled"))


def test_every_flipped_bit_is_noticed(copy: Path):
    rng = np.random.default_rng(1)
    shard = swept.shelf(copy).whole[0]
    content = shard.path.read_bytes()
    key = swept.open_sweep(copy).manifest["key"]
    for _ in range(50):
        harmed = bytearray(content)
        harmed[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        shard.path.write_bytes(harmed)
        assert not store.is_whole(shard, key)


def test_a_strange_file_is_named_and_left_alone(small: Path, copy: Path):
    (copy / "outcomes" / "notes.txt").write_text("mine")
    told: list[str] = []
    sweep.sweep(small, copy, resume=True, tell=told.append)
    assert len(told) == 1
    assert "notes.txt" in told[0]
    assert (copy / "outcomes" / "notes.txt").exists()


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EMFILE, "too many open files")],
)
def test_failing_storage_ends_in_one_line_and_is_resumed(
    whole: swept.Swept, small: Path, tmp_path: Path, here: None, number: int, message: str
):
    calls = [0]
    real = os.fsync

    def failing(handle: int) -> None:
        calls[0] += 1
        if calls[0] > 12:
            raise OSError(number, os.strerror(number))
        real(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(StorageProblem, match=message) as caught:
            sweep.sweep(small, tmp_path / "out", chunk=20)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    assert "--resume" in str(caught.value)
    assert 0 < swept.status(tmp_path / "out")["done"] < 144
    assert sweep.sweep(small, tmp_path / "out", resume=True).hash() == whole.manifest["hash"]


# ------------------------------------------------------------------------------------------------------- failing runs


def test_a_failing_run_costs_itself_alone(
    whole: swept.Swept, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("TIGHTROPE_FAULT", "tests.faulty:trip")
    monkeypatch.setenv("FAULTS", "raise@17,exit@70,segfault@71,hang@100,memory@130")
    done = sweep.sweep(small, tmp_path / "out", workers=2, chunk=24, patience=5)
    rows = done.failures.to_pylist()
    assert [row["run"] for row in rows] == [17, 70, 71, 100, 130]
    for row, said in zip(rows, ("ValueError: planted", "code 3", "SIGSEGV", "within 5 seconds", "Memory"), strict=True):
        assert said in row["message"]
        assert row["replay"] == f"tightrope replay {tmp_path / 'out'} --run {row['run']}"
        assert "model.rationality" in row["parameters"]
    table = done.outcomes
    assert table["run"].to_pylist() == [run for run in range(144) if run not in (17, 70, 71, 100, 130)]
    monkeypatch.delenv("TIGHTROPE_FAULT")
    assert swept.status(done.folder)["failed"] == 5
    assert cli.main(["replay", str(done.folder), "--run", "71"]) == 0
    assert "nothing is recorded" in capsys.readouterr().out
    again = sweep.sweep(small, done.folder, resume=True, workers=1)
    assert again.failed == 0
    assert again.hash() == whole.manifest["hash"]


def test_a_study_of_nothing_but_failures_ends(small: Path, tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sim.plan.faults.before", lambda run: 1 / 0)
    done = sweep.sweep(small, tmp_path / "out")
    assert done.failed == 144
    assert done.outcomes.num_rows == 0


# ------------------------------------------------------------------------------------------------------------- killing


def sweeping(small: Path, out: Path, **environment: str) -> subprocess.Popen:
    code = "import sys; from sim.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, "sweep", str(small), "--out", str(out), "--workers", "2"], cwd=ROOT, text=True,
        env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="session")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that takes long enough to be interrupted."""
    path = tmp_path_factory.mktemp("longer") / "longer.yaml"
    path.write_text(TEXT.replace("replicates: 4", "replicates: 4000").replace("turns: 4", "turns: 40"))
    return path


def test_an_interrupt_ends_it_soon_with_the_command_that_resumes_it(longer: Path, tmp_path: Path):
    process = sweeping(longer, tmp_path / "out")
    until(lambda: (tmp_path / "out" / "outcomes").is_dir() and any((tmp_path / "out" / "outcomes").glob("0*")))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"tightrope sweep {longer} --out {tmp_path / 'out'} --resume" in said
    assert swept.status(tmp_path / "out")["running"] is False


def test_workers_end_with_their_parent_and_its_lock_dies_with_it(longer: Path, tmp_path: Path):
    process = sweeping(longer, tmp_path / "out")
    until(lambda: (tmp_path / "out" / ".doing").is_dir() and any((tmp_path / "out" / ".doing").iterdir()))
    assert store.holder(tmp_path / "out") == process.pid
    workers = [int(line) for line in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    workers = workers or children(process.pid)
    assert workers
    process.kill()
    process.communicate()
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert store.holder(tmp_path / "out") is None


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


# --------------------------------------------------------------------------------------------------------------- Dask


def test_a_dask_cluster_gives_the_same_with_a_worker_killed(whole: swept.Swept, small: Path, tmp_path: Path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = client.run(os.getpid)
        killed: list[int] = []

        def kill(done: int, total: int) -> None:
            if not killed:
                killed.append(next(iter(victim.values())))
                os.kill(killed[0], signal.SIGKILL)

        address = cluster.scheduler_address.removeprefix("tcp://")
        done = sweep.sweep(small, tmp_path / "out", engine=f"dask://{address}", chunk=12, progress=kill)
    assert killed
    assert done.failed == 0
    assert done.hash() == whole.manifest["hash"]


class Silent(Inline):
    """Does the work, and never tells of the second chunk."""

    def __init__(self) -> None:
        self.count = 0

    def submit(self, function, /, *args, **options):
        self.count += 1
        done = super().submit(function, *args, **options)
        return Future() if self.count == 2 else done


def test_what_was_done_by_a_worker_that_could_not_tell_is_done(
    whole: swept.Swept, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweep, "LOOK_SECONDS", 0.1)
    engine = Silent()
    assert sweep.sweep(small, tmp_path / "out", engine=engine, chunk=40).hash() == whole.manifest["hash"]
    assert engine.count == 4


def test_workers_that_give_no_sign_of_life_are_believed_gone(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sweep, "LOOK_SECONDS", 0.1)

    class Dead(Executor):
        def submit(self, function, /, *args, **options):
            return Future()

    with pytest.raises(StorageProblem, match="no worker has given a sign of life"):
        sweep.sweep(small, tmp_path / "out", engine=Dead(), patience=0.5)


def test_a_cluster_that_goes_away_is_told_and_its_study_resumed(whole: swept.Swept, small: Path, tmp_path: Path):
    class Gone(Silent):
        def submit(self, function, /, *args, **options):
            future = super().submit(function, *args, **options)
            if self.count == 2:
                future.cancel()
                future.set_running_or_notify_cancel()
            return future

    with pytest.raises(StorageProblem, match="are gone; then: tightrope sweep"):
        sweep.sweep(small, tmp_path / "out", engine=Gone(), chunk=40)
    assert sweep.sweep(small, tmp_path / "out", resume=True).hash() == whole.manifest["hash"]


def test_any_executor_will_do(whole: swept.Swept, small: Path, tmp_path: Path):
    assert sweep.sweep(small, tmp_path / "one", engine=Inline()).hash() == whole.manifest["hash"]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        assert sweep.sweep(small, tmp_path / "two", engine=pool, workers=2).hash() == whole.manifest["hash"]


def test_an_engine_that_there_is_not_is_refused(small: Path, tmp_path: Path):
    with pytest.raises(BadInput, match="one of local, dask-local"):
        sweep.sweep(small, tmp_path / "out", engine="slurm")
    assert not (tmp_path / "out").exists()


# -------------------------------------------------------------------------------------------------- the command line


def test_the_verbs_tell_what_a_study_is_and_how_far(
    small: Path, copy: Path, tmp_path: Path, here: None, capsys: pytest.CaptureFixture
):
    assert cli.main(["check", str(small)]) == 0
    assert "18 points x 2 variants (base, rich) x 4 replicates = 144 runs" in capsys.readouterr().out
    assert cli.main(["sweep", str(small), "--out", str(tmp_path / "out")]) == 0
    assert "144 runs (18 points, grid)" in capsys.readouterr().out
    assert cli.main(["status", str(copy)]) == 0
    assert "144 of 144 runs (100%); complete" in capsys.readouterr().out
    assert cli.main(["sweep", str(small), "--out", str(copy)]) == 3
    assert cli.main(["replay", str(copy), "--run", "5"]) == 0
    assert "as recorded, bit for bit" in capsys.readouterr().out
    assert cli.main(["status", str(tmp_path)]) == 3

"""Run folders: whole or not at all, and damage never goes unnoticed."""

import errno
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import store
from sim.errors import FolderProblem, StorageProblem
from sim.store import Folder, TableHash, table_hash

ROOT = Path(__file__).resolve().parent.parent


def sample(rows: int = 1000, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    names = [None, "", "russia", "a longer name"]
    return pa.table(
        {
            "run": pa.array(np.arange(rows) // 10),
            "turn": pa.array((np.arange(rows) % 10).astype(np.int32)),
            "name": pa.array([names[n] for n in rng.integers(0, 4, rows)], pa.string()),
            "yes": pa.array(rng.integers(0, 2, rows).astype(bool)),
            "value": pa.array(rng.random(rows)),
            "perhaps": pa.array(np.where(rng.random(rows) < 0.3, np.nan, rng.random(rows)), from_pandas=True),
        }
    )


def written(folder: Path, table: pa.Table | None = None) -> dict:
    with Folder.create(folder) as run:
        run.write_table("t.parquet", sample() if table is None else table)
        return run.finish({"kind": "test"})


# ----------------------------------------------------------------------------------------------------------- hashes


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(0, 10**6))
def test_the_hash_of_a_table_does_not_depend_on_its_chunks(cuts: list[int], seed: int):
    table = sample(60, seed)
    edges = sorted({0, 60, *cuts})
    parts = [table.slice(first, last - first) for first, last in itertools.pairwise(edges)]
    assert table_hash(pa.concat_tables(parts)) == table_hash(table)
    piecewise = TableHash(table.schema)
    for part in parts:
        piecewise.update(part)
    assert piecewise.hexdigest() == table_hash(table)


def test_the_hash_of_a_table_does_not_depend_on_its_file(tmp_path: Path):
    table = sample()
    for n, options in enumerate(({}, {"compression": "zstd"}, {"row_group_size": 7, "use_dictionary": False})):
        pq.write_table(table, tmp_path / f"{n}.parquet", **options)
        assert table_hash(pq.read_table(tmp_path / f"{n}.parquet")) == table_hash(table)


def test_the_hash_notices_any_change_of_name_type_order_null_or_value():
    table = sample(20)
    value = table["value"].to_numpy().copy()
    value[3] = np.nextafter(value[3], 2)
    changed = [
        table.rename_columns(["run", "turn", "name", "yes", "value", "maybe"]),
        table.set_column(1, "turn", table["turn"].cast(pa.int64())),
        table.slice(1),
        table.slice(0, 19),
        pa.concat_tables([table.slice(10), table.slice(0, 10)]),
        table.set_column(4, "value", pa.array(value)),
        table.set_column(5, "perhaps", table["perhaps"].fill_null(0.0)),
        table.set_column(2, "name", table["name"].fill_null("")),
        table.select(["turn", "run", "name", "yes", "value", "perhaps"]),
    ]
    assert len({table_hash(table), *map(table_hash, changed)}) == len(changed) + 1


def test_what_stands_behind_a_null_does_not_count():
    mask = np.array([False, True])
    assert table_hash(pa.table({"x": pa.array(np.array([1.0, 2.0]), mask=mask)})) == table_hash(
        pa.table({"x": pa.array(np.array([1.0, 3.0]), mask=mask)})
    )


# ---------------------------------------------------------------------------------------------------------- writing


def test_a_finished_folder_reads_back(tmp_path: Path):
    manifest = written(tmp_path / "run")
    assert store.read_manifest(tmp_path / "run") == manifest
    entry = manifest["tables"]["t.parquet"]
    assert entry["rows"] == 1000
    assert store.read_table(tmp_path / "run", "t.parquet", expected=entry["hash"]).equals(sample())
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["manifest.json", "t.parquet"]


def test_parts_become_row_groups_and_rows_are_found_in_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "ROW_GROUP_ROWS", 100)
    with Folder.create(tmp_path / "run") as run:
        with run.table("t.parquet") as writer:
            for first in range(0, 1000, 30):
                writer.write(sample().slice(first, min(30, 1000 - first)))
        run.finish({})
    assert pq.ParquetFile(tmp_path / "run" / "t.parquet").num_row_groups > 5
    rows = store.read_rows(tmp_path / "run", "t.parquet", "run", 42)
    assert rows.equals(sample().slice(420, 10))
    assert store.read_rows(tmp_path / "run", "t.parquet", "run", 4242).num_rows == 0


def test_a_folder_left_early_leaves_nothing(tmp_path: Path):
    def fail() -> None:
        with Folder.create(tmp_path / "a" / "run") as run:
            run.write_table("t.parquet", sample())
            with run.table("u.parquet") as writer:
                writer.write(sample())
                raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert not (tmp_path / "a" / "run").exists()


def test_a_folder_that_was_there_stays_but_empty(tmp_path: Path):
    (tmp_path / "run").mkdir()
    with suppress(ZeroDivisionError), Folder.create(tmp_path / "run") as run:
        run.write_table("t.parquet", sample())
        1 / 0  # noqa: B018
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [("notes.txt", "it holds other files"), ("manifest.json", "it holds a run"), ("scenario.yaml", "was not finished")],
)
def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path, content: str, told: str):
    (tmp_path / content).write_text("mine")
    with pytest.raises(FolderProblem, match=told):
        Folder.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [content]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(FolderProblem, match="not a folder"):
        Folder.create(tmp_path / "run")


def test_numbered_folders_count_on_above_the_highest(tmp_path: Path):
    names = []
    for _ in range(2):
        with Folder.numbered(tmp_path, "world") as run:
            names.append(run.path.name)
            run.finish({})
    (tmp_path / "world-7").mkdir()
    (tmp_path / "world-x").mkdir()
    with Folder.numbered(tmp_path, "world") as run:
        names.append(run.path.name)
    assert names == ["world-1", "world-2", "world-8"]
    assert not (tmp_path / "world-8").exists()


def crashes(monkeypatch: pytest.MonkeyPatch, at: int) -> list[str]:
    """Let the n-th call of write-through, rename or folder sync fail; returns the list of calls made."""
    calls: list[str] = []

    def failing(name, real):
        def call(*args, **kwargs):
            calls.append(name)
            if len(calls) == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "fsync", failing("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", failing("rename", Path.replace))
    monkeypatch.setattr(Path, "open", failing("open", Path.open))
    return calls


def test_a_failure_at_any_step_ends_in_one_line_and_leaves_nothing(tmp_path: Path):
    at = 0
    while True:
        at += 1
        with pytest.MonkeyPatch.context() as patch:
            calls = crashes(patch, at)
            try:
                written(tmp_path / str(at))
            except StorageProblem as problem:
                told = str(problem)
            else:
                break
        assert "disk is full" in told
        assert "\n" not in told
        assert len(calls) >= at
        assert not (tmp_path / str(at)).exists()
    assert at > 8


def test_a_crash_at_any_step_never_leaves_what_opens_as_a_run(tmp_path: Path):
    """As above, but dying: nothing is cleaned up."""
    at = 0
    while True:
        at += 1
        with pytest.MonkeyPatch.context() as patch:
            crashes(patch, at)
            patch.setattr(Folder, "_remove", lambda self: None)
            try:
                written(tmp_path / str(at))
            except StorageProblem:
                pass
            else:
                break
        if (tmp_path / str(at) / "manifest.json").exists():  # all that failed was bringing the folder's entry to disk
            entry = store.read_manifest(tmp_path / str(at))["tables"]["t.parquet"]
            store.read_table(tmp_path / str(at), "t.parquet", expected=entry["hash"])
        else:
            with pytest.raises(FolderProblem):
                store.read_manifest(tmp_path / str(at))


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.EROFS, "read-only"), (errno.EACCES, "no permission"), (errno.EMFILE, "too many open files"),
     (errno.EDQUOT, "quota"), (errno.EIO, "disk reports an error")],
)  # fmt: skip
def test_failures_of_the_system_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: str
):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageProblem, match=told) as caught:
        Folder.create(tmp_path / "run")
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------ locks

HOLD = """
import sys, time
from pathlib import Path
from sim.store import take_lock
take_lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_folder_in_use_is_refused_and_its_lock_dies_with_the_holder(tmp_path: Path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(FolderProblem, match=f"in use by process {holder.pid}") as caught:
            Folder.create(tmp_path)
        assert caught.value.exit_code == 3
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with Folder.create(tmp_path) as run:
        run.finish({})


# ---------------------------------------------------------------------------------------------------------- reading


def test_a_flipped_bit_anywhere_in_a_table_is_caught(tmp_path: Path):
    manifest = written(tmp_path / "run")
    path = tmp_path / "run" / "t.parquet"
    good, expected = path.read_bytes(), manifest["tables"]["t.parquet"]["hash"]
    rng = random.Random(7)
    for _ in range(150):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        try:
            table = store.read_table(tmp_path / "run", "t.parquet", expected=expected)
        except FolderProblem:
            pass
        else:  # a byte that carries nothing
            assert table.equals(sample())


@pytest.mark.parametrize("keep", [0, 3, 100, -1])
def test_a_truncated_table_is_named_as_damaged(tmp_path: Path, keep: int):
    written(tmp_path / "run")
    path = tmp_path / "run" / "t.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FolderProblem, match=r"t\.parquet: damaged"):
        store.read_table(tmp_path / "run", "t.parquet")


def test_a_flipped_bit_anywhere_in_the_manifest_is_caught(tmp_path: Path):
    written(tmp_path / "run")
    path = tmp_path / "run" / "manifest.json"
    good = path.read_bytes()
    rng = random.Random(8)
    for _ in range(100):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        try:
            content = store.read_manifest(tmp_path / "run")
        except FolderProblem:
            pass
        else:  # white space
            assert content == json.loads(good)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"seal": 1}', '{"tightrope": 1}', "[" * 100_000])
def test_a_foreign_manifest_is_told_in_one_line(tmp_path: Path, text: str):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(FolderProblem, match=r"manifest\.json: damaged"):
        store.read_manifest(tmp_path)


def test_a_newer_folder_asks_for_a_newer_tightrope(tmp_path: Path):
    content = {"tightrope": store.FORMAT + 1, "kind": "run"}
    (tmp_path / "manifest.json").write_text(json.dumps(content | {"seal": store._seal(content)}))
    with pytest.raises(FolderProblem, match="newer Tightrope"):
        store.read_manifest(tmp_path)


def test_a_folder_that_is_not_there_or_foreign_is_refused(tmp_path: Path):
    for folder, told in ((tmp_path / "no", "no such run folder"), (tmp_path, "it is empty"), (ROOT, "other files")):
        with pytest.raises(FolderProblem, match=told):
            store.read_manifest(folder)


# ----------------------------------------------------------------------------------------------------- a full disk


@pytest.mark.parametrize("limit", [0, 1, 4000, 9000])
def test_a_full_disk_leaves_no_half_written_file(tmp_path: Path, limit: int):
    program = textwrap.dedent(f"""
        import resource, sys
        sys.path.insert(0, {str(ROOT)!r})
        from sim.errors import StorageProblem
        from tests.test_store import written
        from pathlib import Path
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        try:
            written(Path({str(tmp_path / "run")!r}))
        except StorageProblem as problem:
            print(problem)
            sys.exit(problem.exit_code)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (4, "")
    assert done.stdout.count("\n") == 1
    assert not (tmp_path / "run").exists()

"""Run folders: written whole or not at all, read back only if undamaged.

A file is written under a temporary name, brought to the disk and renamed; the manifest, written last, names every
table with a hash of its contents, so a folder without one is unfinished. Whoever writes holds a lock that dies with
its holder. Pages of the tables carry checksums, which every reading verifies.

Stands alone: knows tables and folders, and nothing of what is in them.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim import columns
from sim.errors import FolderProblem, StorageProblem

FORMAT = 1
MANIFEST = "manifest.json"
LOCK = ".lock"
PART = ".part"
ROW_GROUP_BYTES = 4_000_000
ROW_GROUP_ROWS = 65_536
# What a folder is called by its kind.
KINDS = {
    "run": "run folder", "comparison": "comparison", "hindcast": "hindcast", "calibration": "calibration",
    "theories": "comparison of theories",
}  # fmt: skip
WAITING = 64  # parts of a table that wait side by side; each takes memory of its own

REASONS = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EDQUOT: "the disk quota is used up; make room and run again",
    errno.EFBIG: "the file is larger than the system allows; raise the limit or keep less",
    errno.EROFS: "the file system is read-only; choose another folder with --out",
    errno.EACCES: "no permission; choose another folder with --out",
    errno.EPERM: "no permission; choose another folder with --out",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n)",
    errno.ENFILE: "too many open files in the system; close some programs",
    errno.EIO: "the disk reports an error",
}


@contextmanager
def storage(place: Path | str) -> Iterator[None]:
    """Tell any failure of the system while at `place` as a StorageProblem of one line."""
    try:
        yield
    except OSError as error:
        raise StorageProblem(f"{place}: {_why(error)}") from error


def reason(error: OSError) -> str:
    """A failure of the system in one line."""
    return f"{error.filename}: {_why(error)}" if error.filename else _why(error)


def _why(error: OSError) -> str:
    return REASONS.get(error.errno or 0) or error.strerror or " ".join(str(error).split()) or "cannot be used"


# ------------------------------------------------------------------------------------------------------ hashes


class TableHash:
    """Hash of a table's names, types and values, whatever its chunks, its compression or the bytes of its file.

    Fed by `update` with consecutive parts of the table; nulls count, what stands behind a null does not.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows = 0
        self._parts = [[hashlib.blake2b(digest_size=16) for _ in range(3)] for _ in schema]

    def update(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        for (nulls, lengths, values), column in zip(self._parts, table.columns, strict=True):
            for chunk in column.chunks:
                self._column(chunk, nulls, lengths, values)

    def _column(self, chunk: Any, nulls: Any, lengths: Any, values: Any) -> None:
        missing = columns.missing(chunk)
        nulls.update(missing.tobytes())
        if pa.types.is_string(chunk.type):
            _, places, text = chunk.buffers()
            ends = np.zeros(1, np.int32) if places is None else np.frombuffer(places, np.int32)
            ends = ends[chunk.offset : chunk.offset + len(chunk) + 1].astype(np.int64)
            sizes = ends[1:] - ends[:-1]
            lengths.update(np.where(missing, 0, sizes).tobytes())
            if sizes[missing].any():  # something stands behind a null
                _, places, text = chunk.drop_null().buffers()
                ends = np.frombuffer(places, np.int32)
            values.update(memoryview(text)[ends[0] : ends[-1]] if text is not None else b"")
        else:
            array = columns.values(chunk)
            values.update(np.where(missing, array.dtype.type(0), array).tobytes())

    def hexdigest(self) -> str:
        whole = hashlib.blake2b(digest_size=16)
        for field, parts in zip(self.schema, self._parts, strict=True):
            whole.update(f"{field.name}\0{field.type}\0{self.rows}\0".encode())
            for part in parts:
                whole.update(part.digest())
        return whole.hexdigest()


def table_hash(table: pa.Table) -> str:
    """Canonical hash of a whole table (see TableHash)."""
    digest = TableHash(table.schema)
    digest.update(table)
    return digest.hexdigest()


def text_hash(text: str) -> str:
    """Hash of a text, such as a resolved scenario."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


# ----------------------------------------------------------------------------------------------------- writing


class Folder:
    """A run folder that is being written, locked until it is left.

    Used as a context: `finish` makes it whole; left without that, for whatever reason, what was written is removed,
    unless it is `kept`.
    """

    def __init__(self, path: Path, made: bool = False) -> None:
        self.path = path
        self.files: dict[str, dict[str, Any]] = {}
        self.finished = False
        self.kept = False
        self._made = made
        self._lock: int | None = None

    @classmethod
    def create(cls, path: Path | str) -> Folder:
        """A new folder, or an empty one that is there. Raises FolderProblem where there is anything else."""
        folder = cls(Path(path))
        with storage(folder.path):
            folder._claim()
        return folder

    @classmethod
    def numbered(cls, parent: Path | str, name: str) -> Folder:
        """The folder that `numbered` makes."""
        folder = cls(numbered(parent, name), made=True)
        with storage(folder.path):
            folder._claim()
        return folder

    @classmethod
    def again(cls, path: Path | str) -> Folder:
        """An unfinished folder that was kept, to go on with. Raises FolderProblem where there is none."""
        folder = cls(unfinished(path))
        folder.kept = True
        with storage(folder.path):
            folder._lock = take_lock(folder.path)
        return folder

    def _claim(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise FolderProblem(f"{self.path}: not a folder; choose another with --out")
        if not self.path.exists():
            _make(self.path)
            self._made = True
        try:
            self._lock = take_lock(self.path)
        except OSError:
            if self._made:
                self.path.rmdir()
            raise
        held = {entry.name for entry in self.path.iterdir()} - {LOCK}
        if held:
            self._release()
            raise FolderProblem(f"{self.path}: not empty ({what_is(self.path)}); choose another folder with --out")

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if not self.finished and not self.kept:
            self._remove()
        self._release()

    def _remove(self) -> None:
        with suppress(OSError):
            for entry in self.path.iterdir():
                if entry.name == LOCK:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def _release(self) -> None:
        if self._lock is None:
            return
        with suppress(OSError):
            (self.path / LOCK).unlink()
        if not self.finished and not self.kept and self._made:
            with suppress(OSError):
                self.path.rmdir()
        os.close(self._lock)
        self._lock = None

    def write_text(self, name: str, text: str) -> Path:
        """Write a text file whole."""
        return write_text(self.path / name, text)

    def append(self, name: str, text: str) -> None:
        """Add to the end of a text file, and wait until it is on the disk."""
        path = self.path / name
        with storage(path), path.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def table(self, name: str) -> TableWriter:
        """A writer of the table `name`, which becomes part of the folder when it is closed."""
        return TableWriter(self, name)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a whole table."""
        with self.table(name) as writer:
            writer.write(table)

    def finish(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest, which makes the folder whole; returns it as written."""
        content = write_manifest(self.path, {**manifest, "tables": self.files})
        self.finished = True
        return content


def unfinished(path: Path | str) -> Path:
    """The place of a folder that is there and not finished. Raises FolderProblem for any other."""
    path = Path(path)
    if not path.is_dir():
        raise FolderProblem(f"{path}: no such folder")
    if (path / MANIFEST).exists():
        raise FolderProblem(f"{path}: finished already ({what_is(path)})")
    return path


class TableWriter:
    """Writes a table part by part in constant memory; a context that keeps all of it or, on an error, nothing."""

    def __init__(self, folder: Folder, name: str) -> None:
        self.folder, self.name = folder, name
        self.path = folder.path / name
        self.part = self.path.with_name(f".{name}{PART}")
        self._writer: Any = None
        self._file: Any = None
        self._hash: TableHash | None = None
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self._rows = 0

    def __enter__(self) -> TableWriter:
        return self

    def write(self, table: pa.Table) -> None:
        """Append rows; every part has the schema of the first."""
        if self._hash is None:
            self._hash = TableHash(table.schema)
        self._hash.update(table)
        self._waiting.append(table)
        self._bytes += table.nbytes
        self._rows += table.num_rows
        if len(self._waiting) >= WAITING:
            self._waiting = [pa.concat_tables(self._waiting).combine_chunks()]
        if self._bytes >= ROW_GROUP_BYTES or self._rows >= ROW_GROUP_ROWS:
            with storage(self.path):
                self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        if self._writer is None:
            self._file = self.part.open("wb", buffering=1 << 20)
            self._writer = pq.ParquetWriter(self._file, table.schema, **_layout(table.schema))
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._waiting, self._bytes, self._rows = [], 0, 0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            with storage(self.path):
                self._commit()
        except BaseException:
            self._abandon()
            raise

    def _commit(self) -> None:
        self._flush()
        if self._hash is None or self._writer is None:
            return
        self._writer.close()
        size = _to_disk(self._file, self.part, self.path)
        self.folder.files[self.name] = {"rows": self._hash.rows, "bytes": size, "hash": self._hash.hexdigest()}

    def _abandon(self) -> None:
        for closing in (self._writer, self._file):
            with suppress(OSError, pa.ArrowException):
                if closing is not None:
                    closing.close()
        with suppress(OSError):
            self.part.unlink(missing_ok=True)


def _layout(schema: pa.Schema) -> dict[str, Any]:
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [field.name for field in schema if field.name not in set(floats)],
        "use_byte_stream_split": floats,
        "write_page_checksum": True,
    }


def numbered(parent: Path | str, name: str) -> Path:
    """Makes the first of `<parent>/<name>-1`, `-2`, ... above those there are; two processes never get the same."""
    parent = Path(parent)
    with storage(parent):
        _make(parent)
        names = re.compile(rf"{re.escape(name)}-([0-9]+)")
        taken = [int(match[1]) for entry in parent.iterdir() if (match := names.fullmatch(entry.name))]
    number = max(taken, default=0) + 1
    while True:
        path = parent / f"{name}-{number}"
        try:
            with storage(path):
                path.mkdir()
        except StorageProblem as problem:
            if not isinstance(problem.__cause__, FileExistsError):
                raise
            number += 1
        else:
            return path


def _make(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


def _to_disk(file: Any, part: Path, path: Path) -> int:
    """Bring an open temporary file to the disk under its name; its size."""
    file.flush()
    os.fsync(file.fileno())
    size = os.fstat(file.fileno()).st_size
    file.close()
    part.replace(path)
    _sync_folder(path.parent)
    return size


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> Path:
    """Write a text file so that it is there whole or not at all."""
    part = path.with_name(f".{path.name}{PART}")
    with storage(path):
        try:
            with part.open("wb") as file:
                file.write(text.encode())
                _to_disk(file, part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    return path


def write_csv(path: Path, table: pa.Table) -> Path:
    """Write a table as comma-separated values, whole or not at all; makes the folder where there is none."""
    from pyarrow import csv

    part = path.with_name(f".{path.name}{PART}")
    with storage(path):
        _make(path.parent)
        try:
            with part.open("wb") as file:
                csv.write_csv(table, file)
                _to_disk(file, part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    return path


def take_lock(folder: Path) -> int:
    """Lock a folder for this process; the open descriptor holds it. Raises FolderProblem where another has it."""
    path = folder / LOCK
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 20).decode(errors="replace").strip()
            os.close(handle)
            by = f" by process {holder}" if holder.isdigit() else ""
            raise FolderProblem(f"{folder}: in use{by}; wait for it or choose another folder with --out") from None
        # The last holder may have removed the file between our opening and our locking it.
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(handle).st_ino:
                _sign(handle, path)
                return handle
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which stays. Raises FolderProblem where another has it."""
    with storage(folder):
        handle = take_lock(folder)
    try:
        yield
    finally:
        os.close(handle)


def holder(folder: Path) -> int | None:
    """The process that holds a folder's lock; None where nobody does."""
    with storage(folder), suppress(FileNotFoundError), (folder / LOCK).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            said = file.read(20).decode(errors="replace").strip()
            return int(said) if said.isdigit() else 0
    return None


def _sign(handle: int, path: Path) -> None:
    """Say in a lock's file who holds it."""
    try:
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    except OSError:
        path.unlink(missing_ok=True)
        os.close(handle)
        raise


def write_manifest(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write a folder's manifest under a seal; returns it as written."""
    content = {"tightrope": FORMAT, **{key: value for key, value in manifest.items() if key != "seal"}}
    content["seal"] = _seal(content)
    write_text(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return content


# ------------------------------------------------------------------------------------------------------ shards


@dataclass(frozen=True)
class Shard:
    """A file with the rows of the runs first..last, whose name tells them and a hash of its bytes."""

    path: Path
    first: int
    last: int
    digest: str

    @property
    def runs(self) -> int:
        return self.last - self.first + 1


_SHARD = re.compile(r"([0-9]{12})-([0-9]{12})\.([0-9a-f]{16})\.parquet")


def write_shard(folder: Path, first: int, last: int, table: pa.Table, key: str) -> Shard:
    """Write the rows of some runs whole or not at all. key: whose shards these are, such as a study's hash.

    The same rows of the same key may be written any number of times, also at once.
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, **_layout(table.schema)) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    content = sink.getvalue()
    path = folder / f"{first:012d}-{last:012d}.{_digest(content, key)}.parquet"
    part = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}{PART}")
    with storage(folder):
        try:
            with part.open("wb") as file:
                file.write(content)
                _to_disk(file, part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
    return Shard(path, first, last, path.name.split(".")[1])


def shards(folder: Path) -> tuple[list[Shard], list[Path]]:
    """The shards of a folder by their names, in order, and what else lies there."""
    found, others = [], []
    with storage(folder):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            match = _SHARD.fullmatch(path.name)
            if match and int(match[1]) <= int(match[2]):
                found.append(Shard(path, int(match[1]), int(match[2]), match[3]))
            else:
                others.append(path)
    return found, others


def is_whole(shard: Shard, key: str) -> bool:
    """Whether every byte of a shard is as it was written, under this key."""
    with storage(shard.path):
        return _digest(shard.path.read_bytes(), key) == shard.digest


def rows(shard: Shard) -> int:
    """How many rows a shard holds."""
    with _reading(shard.path) as file:
        return int(file.metadata.num_rows)


def read_shard(shard: Shard, wanted: Sequence[str] | None = None) -> pa.Table:
    """A shard's rows, its page checksums verified. wanted: these columns only. Raises FolderProblem if damaged."""
    return read_table(shard.path.parent, shard.path.name, wanted)


def _digest(content: Any, key: str) -> str:
    return hashlib.blake2b(content, digest_size=8, key=key.encode()).hexdigest()


# ----------------------------------------------------------------------------------------------------- reading


def what_is(folder: Path) -> str:
    """What a folder that is not empty holds, in words."""
    if (folder / MANIFEST).is_file():
        return "it holds a run"
    names = {entry.name for entry in folder.iterdir()} - {LOCK}
    if any(name.endswith(PART) for name in names) or "scenario.yaml" in names:
        return "a run that was not finished: remove it"
    return "it holds other files"


def read_manifest(folder: Path | str, kind: str | None = None) -> dict[str, Any]:
    """The manifest of a finished folder, of a kind of `KINDS` or of any.

    Raises FolderProblem for a foreign, unfinished or damaged one.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not folder.is_dir():
        raise FolderProblem(f"{folder}: no such {KINDS.get(kind or '', 'run folder')}")
    if not path.is_file():
        with storage(folder):
            raise FolderProblem(
                f"{folder}: not a {KINDS.get(kind or '', 'run folder')}: no {MANIFEST} ({_emptiness(folder)})"
            )
    with storage(path):
        raw = path.read_bytes()
    try:
        content = json.loads(raw)
        sealed = {key: value for key, value in content.items() if key != "seal"}
        whole = content["seal"] == _seal(sealed)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FolderProblem(f"{path}: damaged, or not a manifest of Tightrope") from None
    version = content.get("tightrope")
    if isinstance(version, int) and version > FORMAT:
        raise FolderProblem(f"{path}: written by a newer Tightrope (format {version}); update Tightrope")
    if not whole:
        raise FolderProblem(f"{path}: damaged or edited: its seal does not fit its contents")
    if kind is not None and content.get("kind") != kind:
        raise FolderProblem(f"{folder}: not a {KINDS[kind]}, but a folder of kind {content.get('kind')!r}")
    return content


def _emptiness(folder: Path) -> str:
    return what_is(folder) if any(folder.iterdir()) else "it is empty"


def _seal(content: dict[str, Any]) -> str:
    return text_hash(json.dumps(content, sort_keys=True, ensure_ascii=False))


def read_table(
    folder: Path | str, name: str, wanted: Sequence[str] | None = None, expected: str | None = None
) -> pa.Table:
    """A table of a folder, its page checksums verified. wanted: these columns only.

    expected: the hash that the manifest names, verified where the whole table is read. Raises FolderProblem for a
    missing or damaged file.
    """
    path = Path(folder) / name
    with _reading(path) as file:
        table = file.read(columns=list(wanted) if wanted is not None else None)
    if expected is not None and wanted is None and table_hash(table) != expected:
        raise FolderProblem(f"{path}: damaged: its contents are not those that the manifest names")
    return table


def listed_table(folder: Path | str, manifest: Mapping[str, Any], name: str) -> pa.Table:
    """A whole table of a folder, by its name without the ending, held to the manifest that lists it.

    Raises FolderProblem where the manifest lists none of that name, or the file is missing or damaged.
    """
    entry = manifest["tables"].get(f"{name}.parquet")
    if entry is None:
        raise FolderProblem(f"{folder}: no table {name}")
    return read_table(folder, f"{name}.parquet", expected=entry["hash"])


def read_rows(folder: Path | str, name: str, column: str, value: int) -> pa.Table:
    """The rows of a table in which an ascending whole-number column has this value; reads only where they can be."""
    path = Path(folder) / name
    parts = []
    with _reading(path) as file:
        at = file.schema_arrow.get_field_index(column)
        for group in range(file.num_row_groups):
            bounds = file.metadata.row_group(group).column(at).statistics
            if bounds is not None and bounds.has_min_max and not bounds.min <= value <= bounds.max:
                continue
            part = file.read_row_group(group)
            parts.append(columns.where(part, columns.values(part[column]) == value))
        empty = file.schema_arrow.empty_table()
    return pa.concat_tables(parts) if parts else empty


@contextmanager
def _reading(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise FolderProblem(f"{path}: missing; the folder is damaged or the run did not keep it")
    with storage(path), path.open("rb") as file:
        try:
            yield pq.ParquetFile(file, page_checksum_verification=True)
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            if isinstance(error, OSError) and error.errno in REASONS:
                raise
            raise FolderProblem(f"{path}: damaged: {' '.join(str(error).split())[:200]}") from error

"""NumPy arrays and lists as Arrow columns, without `pyarrow.array`, which brings pandas in (a quarter of a second)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

_DTYPES = {"double": np.float64, "int32": np.int32, "int64": np.int64}


def numbers(values: ArrayLike, kind: Any = None, missing: ArrayLike | None = None) -> Any:
    """A column of float64 (or int32, int64) numbers; null where `missing` holds."""
    kind = kind or pa.float64()
    array = np.ascontiguousarray(values, dtype=_DTYPES[str(kind)])
    return pa.Array.from_buffers(kind, array.size, [_validity(missing), pa.py_buffer(array)])


def known(values: ArrayLike) -> Any:
    """A column of float64 numbers; null where NaN stands."""
    array = np.asarray(values, dtype=np.float64)
    return numbers(array, missing=np.isnan(array))


def flags(values: ArrayLike) -> Any:
    """A column of yes and no."""
    array = np.asarray(values, dtype=np.bool_)
    return pa.Array.from_buffers(pa.bool_(), array.size, [None, _bits(array)])


def texts(values: Sequence[str | None]) -> Any:
    """A column of texts; null where None stands."""
    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(item) for item in encoded], out=offsets[1:])
    missing = np.array([value is None for value in values], dtype=np.bool_)
    buffers = [_validity(missing), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def named(labels: Sequence[str | None], indices: ArrayLike) -> Any:
    """A column of texts: the label of each index; null for an index of -1."""
    encoded = [b"" if label is None else label.encode() for label in (*labels, None)]
    missing = np.array([label is None for label in (*labels, None)], dtype=np.bool_)
    sizes = np.array([len(item) for item in encoded], dtype=np.int64)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    array = np.asarray(indices, dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes[array])])
    letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    places = np.arange(offsets[-1]) + np.repeat(begins[array] - offsets[:-1], sizes[array])
    buffers = [_validity(missing[array]), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(letters[places])]
    return pa.Array.from_buffers(pa.string(), array.size, buffers)


def rows(records: Sequence[dict[str, Any]], schema: Any) -> pa.Table:
    """A table from rows of plain values; what a row lacks is null."""
    columns = []
    for field in schema:
        values: list[Any] = [row.get(field.name) for row in records]
        if pa.types.is_string(field.type):
            columns.append(texts(values))
        elif pa.types.is_boolean(field.type):
            columns.append(flags([bool(value) for value in values]))
        else:
            absent = [value is None or value != value for value in values]  # NaN differs from itself
            filled: list[Any] = [0 if none else value for value, none in zip(values, absent, strict=True)]
            columns.append(numbers(filled, field.type, absent))
    return pa.Table.from_arrays(columns, schema=schema)


def values(column: Any) -> Any:
    """The numbers of a column (or chunk) as a NumPy array, yes and no as bool; NaN, or 0, where null stands."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [_values(chunk) for chunk in chunks]
    if not parts:
        return np.zeros(0, np.bool_ if pa.types.is_boolean(column.type) else _DTYPES[str(column.type)])
    return np.concatenate(parts) if len(parts) != 1 else parts[0]


def _values(chunk: Any) -> Any:
    held, array = chunk.buffers()[1], slice(chunk.offset, chunk.offset + len(chunk))
    if pa.types.is_boolean(chunk.type):
        return _unpacked(held, array)
    dtype = _DTYPES[str(chunk.type)]
    numbers = np.zeros(0, dtype) if held is None else np.frombuffer(held, dtype)[array]
    if not chunk.null_count:
        return numbers
    return np.where(missing(chunk), np.array(np.nan if dtype is np.float64 else 0, dtype), numbers)


def missing(chunk: Any) -> Any:
    """(rows,) where null stands in a chunk."""
    if not chunk.null_count:
        return np.zeros(len(chunk), dtype=np.bool_)
    return ~_unpacked(chunk.buffers()[0], slice(chunk.offset, chunk.offset + len(chunk)))


def _unpacked(buffer: Any, part: slice) -> Any:
    if buffer is None:
        return np.zeros(0, dtype=np.bool_)
    return np.unpackbits(np.frombuffer(buffer, np.uint8), bitorder="little")[part].astype(np.bool_)


def where(table: pa.Table, held: ArrayLike) -> pa.Table:
    """The rows for which it holds."""
    return table.filter(flags(held))


def _bits(array: Any) -> Any:
    return pa.py_buffer(np.packbits(array, bitorder="little"))


def _validity(missing: ArrayLike | None) -> Any:
    """Arrow's bitmap of what is there; None where everything is."""
    if missing is None:
        return None
    array = np.asarray(missing, dtype=np.bool_)
    return _bits(~array) if array.any() else None

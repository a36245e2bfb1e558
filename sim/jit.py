"""How functions are compiled, and how they take many named arrays as one argument.

Numba keeps compiled code per file and does not notice an edit in another file that a function calls, so the cache
folder is named after a hash of every source that is compiled.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import NativeValue, models, overload, register_model, typeof_impl, unbox
from numba.np.arrayobj import populate_array


def _without_blas() -> None:
    """Let Numba start without looking for SciPy's linear algebra, which the kernel never uses: it takes 0.2 s."""
    if "scipy.linalg" in sys.modules or "numba.np.arraymath" in sys.modules:
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        del sys.modules["scipy.linalg"]


_without_blas()
COMPILED = (
    "jit", "maths", "arrays", "draws", "rules", "effects", "worth", "theories", "bargains", "meetings", "appraisal",
    "choice", "kernel",
)  # fmt: skip


def rules_hash() -> str:
    """Hash of the model's compiled sources: equal hashes give equal runs."""
    digest = hashlib.blake2b(digest_size=16)
    for name in COMPILED:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def _cache_folder() -> Path:
    """A folder of this user's for this state of the sources; a temporary one where none can be written."""
    versions = f"py{sys.version_info[0]}{sys.version_info[1]}-numba{numba.__version__}-numpy{np.__version__}"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tightrope"
    folder = base / f"{versions}-{rules_hash()[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="tightrope-"))
    return folder


CACHE = _cache_folder()
numba.config.CACHE_DIR = str(CACHE)


def is_warm() -> bool:
    """Whether the kernel was compiled before, so that the next call starts at once."""
    return any(CACHE.rglob("choice.choose*.nbc"))


def njit(function: Any) -> Any:
    """Compile without the GIL and without Python's zero-division check, which would stop vectorising.

    Never `fastmath`: results must not depend on the processor.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function)


def inner(function: Any) -> Any:
    """Compile for other compiled code only: without the wrapper through which Python calls, a fifth of the work."""
    return numba.njit(
        cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True
    )(function)  # fmt: skip


def inlined(function: Any) -> Any:
    """Compile into every caller: small functions in the innermost loops, which vectorise only without calls."""
    return numba.njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True, forceinline=True)(function)


# ------------------------------------------------------------------ many arrays as one argument


class Block:
    """Named arrays that compiled code takes as one argument; a subclass annotates each with its NDArray type.

    Numba would pass a tuple of a hundred arrays as a thousand separate values to every function, and spend minutes
    compiling them. A block passes one address, of a table that says where each array begins and how long it is.
    """

    address: int

    def __init__(self, **arrays: Any) -> None:
        kind = _kind(type(self))
        table = np.zeros((len(kind.fields), 4), dtype=np.int64)
        for n, (name, field) in enumerate(kind.fields.items()):
            array = np.ascontiguousarray(arrays.pop(name), dtype=field.dtype.name)
            if array.ndim != field.ndim:
                raise ValueError(f"{name} has {array.ndim} dimensions, not {field.ndim}")
            setattr(self, name, array)
            table[n] = [array.ctypes.data, *array.shape, *[0] * (3 - array.ndim)]
        if arrays:
            raise TypeError(f"no array is called {', '.join(arrays)}")
        self._table = table  # keeps the address alive
        self.address = table.ctypes.data

    def replaced(self, **arrays: Any) -> Any:
        """The same block with some arrays changed for others."""
        return type(self)(**self.arrays() | arrays)

    def arrays(self) -> dict[str, Any]:
        """The arrays by name."""
        return {name: getattr(self, name) for name in _kind(type(self)).fields}


class BlockType(types.Type):
    """The compiled code's view of a block."""

    def __init__(self, name: str, fields: dict[str, types.Array]) -> None:
        self.fields = fields
        self.place = {field: n for n, field in enumerate(fields)}
        super().__init__(name=f"Block[{name}]")


_KINDS: dict[type, BlockType] = {}


def _kind(block: type[Block]) -> BlockType:
    if block not in _KINDS:
        fields = {}
        for name, hint in get_type_hints(block, include_extras=True).items():
            if name != "address":
                dimensions, kind = hint.__metadata__[0], hint.__origin__.__args__[-1]
                dtype = (get_args(kind) or (kind,))[0]  # NumPy 2.5 spells NDArray[float64] another way
                fields[name] = types.Array(numba.from_dtype(np.dtype(dtype)), dimensions, "C")
        _KINDS[block] = BlockType(block.__name__, fields)
    return _KINDS[block]


@typeof_impl.register(Block)
def _typeof_block(value: Block, context: Any) -> BlockType:
    return _kind(type(value))


@register_model(BlockType)
class _BlockModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: BlockType) -> None:
        super().__init__(manager, kind, ir.IntType(64))


@unbox(BlockType)
def _unbox_block(kind: BlockType, value: Any, c: Any) -> NativeValue:
    address = c.pyapi.object_getattr_string(value, "address")
    native = c.pyapi.long_as_longlong(address)
    c.pyapi.decref(address)
    return NativeValue(native, is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred()))


@infer_getattr
class _BlockAttributes(AttributeTemplate):
    key = BlockType

    def generic_resolve(self, kind: BlockType, name: str) -> types.Array | None:
        return kind.fields.get(name)


@lower_getattr_generic(BlockType)
def _array_of(context: Any, builder: Any, kind: BlockType, address: Any, name: str) -> Any:
    """The array behind a name: its entry in the table never changes, so loops read it once (`invariant.load`)."""
    field, word = kind.fields[name], ir.IntType(64)
    entry = builder.inttoptr(address, word.as_pointer())

    def read(n: int) -> Any:
        place = builder.gep(entry, [ir.Constant(word, 4 * kind.place[name] + n)])
        value = builder.load(place)
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    array = context.make_array(field)(context, builder)
    item = context.get_abi_sizeof(context.get_data_type(field.dtype))
    shape = [read(1 + n) for n in range(field.ndim)]
    strides: list[Any] = []
    size = ir.Constant(word, item)
    for extent in reversed(shape):
        strides.insert(0, size)
        size = builder.mul(size, extent)
    data = builder.inttoptr(read(0), context.get_data_type(field.dtype).as_pointer())
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=ir.Constant(word, item), meminfo=None)
    return impl_ret_borrowed(context, builder, field, array._getvalue())


# ------------------------------------------------------------------ numbers that may differ from run to run


def of(numbers: Any, n: int, r: int) -> float:
    """The n-th number in run r: of an array (n,) that holds for all runs, or (n, R) with a value for each."""
    return float(numbers[n] if numbers.ndim == 1 else numbers[n, r])


def of_pair(numbers: Any, a: int, i: int, r: int) -> float:
    """The number of (a, i) in run r: of an array (a, i) that holds for all runs, or (a, i, R)."""
    return float(numbers[a, i] if numbers.ndim == 2 else numbers[a, i, r])


@overload(of, jit_options={"forceinline": True})
def _of(numbers, n, r):  # type: ignore[no-untyped-def]
    if numbers.ndim == 1:
        return lambda numbers, n, r: numbers[n]
    return lambda numbers, n, r: numbers[
        n, np.uintp(r)
    ]  # unsigned: no look for a negative index, which bars vectorising


@overload(of_pair, jit_options={"forceinline": True})
def _of_pair(numbers, a, i, r):  # type: ignore[no-untyped-def]
    if numbers.ndim == 2:
        return lambda numbers, a, i, r: numbers[a, i]
    return lambda numbers, a, i, r: numbers[a, i, np.uintp(r)]

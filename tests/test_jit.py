"""Compiled code sees the arrays of a block, and is compiled anew when any of its sources changes."""

import ast
import shutil
from pathlib import Path
from typing import Annotated

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

import sim
from sim import jit, kernel
from sim.jit import Block

SOURCES = Path(sim.__file__).parent


class Sample(Block):
    """One array of each kind and dimension that the model uses."""

    line: Annotated[NDArray[np.float64], 1]
    grid: Annotated[NDArray[np.float64], 2]
    cube: Annotated[NDArray[np.float64], 3]
    whole: Annotated[NDArray[np.int32], 1]
    keys: Annotated[NDArray[np.uint64], 1]
    flags: Annotated[NDArray[np.bool_], 2]


def arrays(seed=1):
    rng = np.random.default_rng(seed)
    return {
        "line": rng.normal(size=5),
        "grid": rng.normal(size=(2, 7)),
        "cube": rng.normal(size=(3, 2, 4)),
        "whole": rng.integers(-9, 9, 6).astype(np.int32),
        "keys": rng.integers(2**63, 2**64, 3, dtype=np.uint64),
        "flags": rng.integers(0, 2, (4, 3)).astype(np.bool_),
    }


@numba.njit
def read(B):
    total = 0.0
    for n in range(B.cube.shape[0]):
        for m in range(B.cube.shape[1]):
            for p in range(B.cube.shape[2]):
                total += B.cube[n, m, p] * (n + 10 * m + 100 * p)
    return B.line[1], B.grid[1, 6], total, B.whole[5], B.keys[2], B.flags[3, 0], B.grid.shape, B.flags.shape


@numba.njit
def write(B):
    B.grid[1, :] = 4.0
    B.cube[2, 1, 3] += 1.0


def test_compiled_code_reads_every_array_of_a_block():
    given = arrays()
    weights = sum(w * np.indices((3, 2, 4))[n] for n, w in enumerate((1, 10, 100)))
    line, grid, total, whole, key, flag, shape, flags = read(Sample(**given))
    assert (line, grid, whole, key, flag) == (
        given["line"][1], given["grid"][1, 6], given["whole"][5], given["keys"][2], given["flags"][3, 0],
    )  # fmt: skip
    assert total == pytest.approx((given["cube"] * weights).sum(), rel=1e-13)
    assert (shape, flags) == ((2, 7), (4, 3))


def test_what_compiled_code_writes_stands_in_the_blocks_arrays():
    block = Sample(**arrays())
    before = block.cube[2, 1, 3]
    write(block)
    assert np.all(block.grid[1] == 4.0)
    assert block.cube[2, 1, 3] == before + 1.0


def test_a_block_takes_lists_and_empty_arrays_and_gives_them_their_type():
    block = Sample(**arrays() | {"line": [1, 2], "whole": [], "flags": np.zeros((0, 3))})
    assert block.line.dtype == np.float64
    assert block.whole.dtype == np.int32
    assert block.flags.shape == (0, 3)


def test_a_block_keeps_strided_arrays_whole():
    block = Sample(**arrays() | {"grid": np.arange(28.0).reshape(7, 4).T[::2], "line": np.arange(10.0)[::2]})
    line, grid, *_ = read(block)
    assert (line, grid) == (2.0, 26.0)


def test_an_array_of_the_wrong_dimension_is_refused():
    with pytest.raises(ValueError, match="grid has 1 dimensions, not 2"):
        Sample(**arrays() | {"grid": np.zeros(3)})


def test_an_array_that_no_field_declares_is_refused():
    with pytest.raises(TypeError, match="no array is called other"):
        Sample(**arrays(), other=np.zeros(3))


def test_an_array_that_is_left_out_is_missed():
    given = arrays()
    del given["cube"]
    with pytest.raises(KeyError, match="cube"):
        Sample(**given)


def test_a_block_with_some_arrays_replaced_leaves_the_first_as_it_was():
    block = Sample(**arrays())
    other = block.replaced(line=np.arange(5.0))
    assert read(other)[0] == 1.0
    assert read(block)[0] == arrays()["line"][1]
    assert read(other)[1:] == read(block)[1:]


def test_a_block_outlives_the_arrays_it_was_given():
    block = Sample(**{name: array.copy() for name, array in arrays().items()})
    _ = [np.full(1000, np.nan) for _ in range(200)]
    assert read(block) == read(Sample(**arrays()))


# ------------------------------------------------------------------------------------------------------- the cache


def imports(name):
    """The modules of ours that one imports, and the names it takes from them."""
    found = {}
    for node in ast.walk(ast.parse((SOURCES / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sim":
            found |= {alias.name: set() for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sim."):
            found[node.module[4:]] = {alias.name for alias in node.names}
    return found


def test_the_hash_covers_every_source_that_is_compiled_and_all_that_they_rest_on():
    modules = [path.stem for path in SOURCES.glob("*.py")]
    compiled = {name for name in modules if {"njit", "inlined"} & imports(name).get("jit", set())}
    assert compiled <= set(jit.COMPILED)
    for name in jit.COMPILED:
        assert set(imports(name)) <= set(jit.COMPILED), name


@pytest.mark.parametrize("name", jit.COMPILED)
def test_editing_a_compiled_source_changes_the_hash(name, tmp_path, monkeypatch):
    for source in SOURCES.glob("*.py"):
        shutil.copy(source, tmp_path)
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    before = jit.rules_hash()
    (tmp_path / "world.py").write_text("# not compiled\n")
    assert jit.rules_hash() == before
    with (tmp_path / f"{name}.py").open("a") as source:
        source.write("# edited\n")
    assert jit.rules_hash() != before


def test_compiled_code_lies_in_a_folder_named_after_the_hash(minimal):
    kernel.ensemble(minimal, 1, [0])
    assert jit.rules_hash()[:16] in str(jit.CACHE) or jit.CACHE.name.startswith("tightrope-")
    assert jit.is_warm()


def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = jit._cache_folder()
    assert folder.is_dir()
    assert folder.parent == tmp_path


def test_two_versions_of_the_sources_have_two_folders(tmp_path, monkeypatch):
    for source in SOURCES.glob("*.py"):
        shutil.copy(source, tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    one = jit._cache_folder()
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    assert jit._cache_folder() == one
    (tmp_path / "rules.py").write_text("# other rules\n")
    assert jit._cache_folder() != one

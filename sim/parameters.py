"""Sets of parameters with weights: a file that calibration writes, and from which every run may draw its numbers.

Which set a run has is a function of its seed and its number alone, so that what is run on common random numbers has
common parameters too. The file is CSV under a head of `# word: value` lines; docs/calibration.md describes it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.arrays import Compiled
from sim.draws import name_key
from sim.errors import BadInput, Problem, Problems
from sim.scenario import Loaded, nearest, numbers

Floats = NDArray[np.float64]

FIRST = "# tightrope parameter sets: 1"
WEIGHT = "weight"
OWN = ("set.", "timeline[", "outcomes.")  # what a scenario says of its own time: never another's
MOST_BYTES = 200_000_000
FILE = "parameters.csv"  # in the folder of what was run with some


# ------------------------------------------------------------------------------------------------- which run has which


@dataclass(frozen=True)
class Drawn:
    """Sets that fit a scenario, as its runs draw them.

    paths: of numbers of the compiled scenario. values: (sets, paths). weights: (sets,). text: the file
    that says the same and no more. notes: what of the file does not bear on the scenario.
    """

    paths: tuple[str, ...] = ()
    values: Floats = field(default_factory=lambda: np.empty((0, 0)))
    weights: Floats = field(default_factory=lambda: np.empty(0))
    text: str = ""
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paths)

    @cached_property
    def _upto(self) -> Floats:
        return np.cumsum(self.weights)

    def of(self, seed: int, runs: Iterable[int]) -> NDArray[np.int64]:
        """(R,) which set each run has: a set's chance is its weight."""
        uniform = np.array([name_key(f"parameters|{seed}|{run}") * 2.0**-64 for run in runs])
        return np.minimum(np.searchsorted(self._upto, uniform * self._upto[-1], side="right"), self.weights.size - 1)

    def numbers(self, seed: int, runs: Iterable[int]) -> dict[str, Floats]:
        """What some runs have at each path, as `kernel.batches` takes it; nothing of no sets."""
        if not self.paths:
            return {}
        values = self.values[self.of(seed, runs)]
        return {path: values[:, n] for n, path in enumerate(self.paths)}

    def patched(self, compiled: Compiled, seed: int, run: int) -> Compiled:
        """The tables of one run."""
        if not self.paths:
            return compiled
        return compiled.patched({path: float(values[0]) for path, values in self.numbers(seed, [run]).items()})

    def without(self, paths: Iterable[str]) -> Drawn:
        """The same but for some numbers, which are as something else has them. Each run keeps its set."""
        dropped = set(paths)
        kept = [n for n, path in enumerate(self.paths) if path not in dropped]
        if len(kept) == len(self.paths):
            return self
        return replace(self, paths=tuple(self.paths[n] for n in kept), values=self.values[:, kept])

    @property
    def efforts(self) -> dict[str, float]:
        """The least of every effort that varies: more acts then fit into a turn."""
        return {path: float(self.values[:, n].min()) for n, path in enumerate(self.paths) if path.endswith(".effort")}


NONE = Drawn()


# ----------------------------------------------------------------------------------------------------------- the file


@dataclass(frozen=True)
class Sets:
    """A file of parameter sets.

    head: its words: scenario, world and what it was made of. paths, values, weights: see `Drawn`.
    """

    head: Mapping[str, str]
    paths: tuple[str, ...]
    values: Floats
    weights: Floats

    def text(self) -> str:
        """The file; numbers read back to the same bits."""
        out = io.StringIO()
        out.write(FIRST + "\n")
        out.writelines(f"# {word}: {' '.join(value.split())}\n" for word, value in self.head.items())
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow([WEIGHT, *self.paths])
        for weight, values in zip(self.weights.tolist(), self.values.tolist(), strict=True):
            rows.writerow([repr(weight), *map(repr, values)])
        return out.getvalue()

    def digest(self) -> str:
        """Hash of the file."""
        return hashlib.blake2b(self.text().encode(), digest_size=16).hexdigest()


def read(path: str | Path) -> Sets:
    """The sets of a file. Raises `Problems` with every line that is wrong."""
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path}: larger than {MOST_BYTES:,} bytes; no file of parameter sets")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file; tightrope calibrate writes one") from None
    except (IsADirectoryError, UnicodeDecodeError):
        raise BadInput(f"{path}: no file of parameter sets; tightrope calibrate writes {FILE}") from None
    return parsed(text, str(path))


def parsed(text: str, name: str) -> Sets:
    """The same of a text. name: of the file."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != FIRST:
        raise BadInput(f"{name}:1: no file of parameter sets: it begins with `{FIRST}`")
    head: dict[str, str] = {}
    after = 1
    while after < len(lines) and lines[after].startswith("#"):
        word, _, value = lines[after].removeprefix("#").partition(":")
        head[word.strip()] = value.strip()
        after += 1
    words = ("scenario", "world")
    found = [Problem(name, 1, message=f"the head lacks `# {word}: ...`") for word in words if not head.get(word)]
    try:
        rows = list(csv.reader(lines[after:], strict=True))
    except csv.Error as error:
        raise Problems([*found, Problem(name, after + 1, message=str(error))]) from None
    columns = rows[0] if rows else []
    if columns[:1] != [WEIGHT] or len(columns) < 2:
        found.append(Problem(name, after + 1, message=f"the columns must be `{WEIGHT}` and then paths of numbers"))
    twice = [path for n, path in enumerate(columns) if path in columns[:n]]
    found += [Problem(name, after + 1, path=path, message="stands here twice; remove one") for path in twice]
    values: list[list[float]] = []
    for line, row in enumerate(rows[1:], after + 2):
        if len(row) != len(columns):
            found.append(Problem(name, line, message=f"{len(row)} values under {len(columns)} columns"))
            continue
        try:
            values.append([float(cell) for cell in row])
        except ValueError:
            bad = next(n for n, cell in enumerate(row) if not _is_number(cell))
            found.append(Problem(name, line, path=columns[bad], message=f"{row[bad][:40]!r} is no number"))
            continue
        if not all(map(math.isfinite, values[-1])) or values[-1][0] < 0:
            found.append(Problem(name, line, message="every number must be finite, and the weight 0 or more"))
    if not found and not any(row[0] > 0 for row in values):
        found.append(Problem(name, after + 1, message="holds no set with a weight above 0"))
    if found:
        raise Problems(found[:100])
    array = np.array(values)
    return Sets(head, tuple(columns[1:]), array[:, 1:], array[:, 0])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


# ------------------------------------------------------------------------------------------------- in which scenario


def world_of(loaded: Loaded) -> str:
    """The world that a scenario stands in: the last that it extends, or itself."""
    return loaded.files[-1].stem


def fitted(
    sets: Sets, loaded: Loaded, compiled: Compiled, held: Iterable[str] = (), name: str = "--parameters"
) -> Drawn:
    """What of the sets bears on a scenario.

    Sets of the same scenario bear on it whole. In another of the same world those numbers are as in the sets that both
    have from the world; starting values and dated events are each scenario's own. held: paths that are set by hand, and
    stay. Raises `Problems` for sets of another world, for paths that there are not and for values out of range.
    """
    scenario, stem = loaded.scenario, loaded.files[0].stem
    of, world = sets.head["scenario"], sets.head["world"]
    own = of == stem and world == world_of(loaded)
    if not own and world != world_of(loaded):
        raise BadInput(
            f"{name}: calibrated on {of} (world {world}), and {stem} is of the world {world_of(loaded)}; "
            f"tightrope calibrate {stem} makes one for it"
        )
    known = {entry.path: entry.quantity for entry in numbers(scenario)}
    found: list[Problem] = []
    fits, apart, idle = [], 0, 0
    for n, path in enumerate(sets.paths):
        if not own and path.startswith(OWN):
            apart += 1
            continue
        quantity = known.get(path)
        if quantity is None:
            near = nearest(path, [*known])
            found.append(Problem(name, path=path, message=f"no such number in {stem}{near}"))
            continue
        values, bounds = sets.values[:, n], quantity.range
        if bounds is None or values.min() < bounds[0] or values.max() > bounds[1]:
            if not own:  # the scenario has a number of its own there
                apart += 1
                continue
            shown = "which it lacks" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g}"
            message = f"{values.min():g} to {values.max():g} leaves its range, {shown}; calibrate again"
            found.append(Problem(name, path=path, message=message))
            continue
        if path not in compiled.owners:
            idle += 1
            continue
        fits.append(n)
    if found:
        raise Problems(found[:100])
    fixed = set(held)
    fits = [n for n in fits if sets.paths[n] not in fixed]
    if not fits:
        raise BadInput(f"{name}: none of its {len(sets.paths)} numbers bears on {stem}")
    notes = []
    if apart:
        notes.append(f"{apart} numbers of {of} are of its own time; {stem} keeps its own")
    if idle:
        notes.append(f"{idle} numbers of {of} are of no effect in {stem}")
    return _drawn(Sets(sets.head, tuple(sets.paths[n] for n in fits), sets.values[:, fits], sets.weights), notes)


def _drawn(sets: Sets, notes: Sequence[str]) -> Drawn:
    """As runs draw them; the text is for the folder of what is run, where the scenario is `scenario.yaml`."""
    head = {**sets.head, "of": sets.head.get("of", sets.head["scenario"]), "scenario": "scenario", "world": "scenario"}
    text = Sets(head, sets.paths, sets.values, sets.weights).text()
    return Drawn(sets.paths, sets.values, sets.weights, text, tuple(notes))

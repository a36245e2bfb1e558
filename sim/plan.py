"""A study becomes runs: which point, variant and replicate each run number is, and what comes of a stretch of them.

A scenario is compiled once for each variant and each combination of choices that change more than numbers; all other
points patch numbers of the compiled tables. A run's result depends on the study and the run's number alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import columns, faults, parameters, records, runs
from sim.arrays import Acts, Compiled, History, Talks
from sim.errors import Problem, Problems
from sim.scenario import Scenario, plain, settable
from sim.study import Asked, Axis, Value, changed

STRIP = 128  # runs whose histories are answered at once
MOST_STRUCTURES = 1000
MOST_KEPT = 64  # structures in memory
MOST_LOOKED = 20  # choices of an axis that are compared
Cells = list[tuple[str, tuple[int, ...]]]
Key = tuple[int, tuple[int, ...]]  # variant, and the choices that change more than numbers


@dataclass(frozen=True)
class Structure:
    """A scenario compiled for one variant and one combination of choices. patching: the axes that patch its numbers,
    and the path that they patch."""

    ready: runs.Prepared
    patching: Mapping[int, str]

    @property
    def compiled(self) -> Compiled:
        return self.ready.compiled

    def patched(self, values: NDArray[np.float64]) -> Compiled:
        """The tables with the numbers of one point."""
        return self.compiled.patched({place: float(values[a]) for a, place in self.patching.items()})


@dataclass(frozen=True)
class Rows:
    """What some runs are: their numbers, variants, points and replicates."""

    run: NDArray[np.int64]
    variant: NDArray[np.int64]
    point: NDArray[np.int64]
    replicate: NDArray[np.int64]


class Plan:
    """The runs of a study. Raises `Problems` for an axis or a variant that changes nothing."""

    def __init__(self, asked: Asked, trusted: bool = False) -> None:
        """trusted: the study was planned before; what changes nothing is not looked for."""
        self.asked = asked
        self.study, self.design, self.axes = asked.study, asked.design, asked.axes
        self.points, self.replicates, self.runs = self.design.points, self.study.replicates, asked.runs
        self._base = runs.prepared(self._apart(asked.scenario), "")
        owners = self._base.compiled.owners
        self.patching = [a for a, axis in enumerate(self.axes) if axis.numeric and owners.get(axis.place)]
        self.choosing = [a for a in range(len(self.axes)) if a not in self.patching]
        self._structures: dict[Key, Structure] = {}
        if not trusted:
            self._look(owners)

    @property
    def first(self) -> Key:
        """The structure of the base with every axis at its first choice."""
        return 0, (0,) * len(self.choosing)

    # -- what a run is

    def rows(self, run: NDArray[np.int64]) -> Rows:
        """Variants are outermost, then points, then replicates."""
        block = self.points * self.replicates
        within = run % block
        return Rows(run, run // block, within // self.replicates, within % self.replicates)

    def _keys(self, rows: Rows, values: NDArray[np.float64]) -> Iterator[tuple[Key, NDArray[np.int64]]]:
        """The structures of some runs, each with the rows that have it."""
        together = np.stack([rows.variant, *(self._choice(a, values[:, a]) for a in self.choosing)], axis=1)
        kinds, which = np.unique(together, axis=0, return_inverse=True)
        for n, (variant, *choices) in enumerate(kinds.tolist()):
            yield (variant, tuple(choices)), np.flatnonzero(which.ravel() == n)

    def _choice(self, a: int, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Which choices of an axis these values are."""
        axis = self.axes[a]
        if not axis.numeric:
            return values.astype(np.int64)
        known = np.array(axis.choices, dtype=np.float64)
        order = np.argsort(known)
        return order[np.searchsorted(known[order], values)]

    def described(self, run: int) -> dict[str, Any]:
        """variant, point, replicate, seed and parameters of a run."""
        rows = self.rows(np.array([run]))
        values = self.design.values(rows.point)[0]
        return {
            "run": run,
            "variant": self.asked.variants[int(rows.variant[0])],
            "point": int(rows.point[0]),
            "replicate": int(rows.replicate[0]),
            "seed": self.study.seed,
            "parameters": {axis.path: axis.value(values[a]) for a, axis in enumerate(self.axes)},
        }

    def drawn(self, run: int) -> int:
        """The kernel's number of a run, which decides all chance."""
        rows = self.rows(np.array([run]))
        return int(self.design.drawn(rows.point, rows.replicate)[0])

    def own(self, run: int) -> dict[str, Value]:
        """What a run has otherwise than the study's scenario, by path: by its variant, its point and what it drew."""
        rows = self.rows(np.array([run]))
        ((key, _),) = self._keys(rows, self.design.values(rows.point))
        numbers = self.structure(key).ready.drawn.numbers(self.study.seed, [self.drawn(run)])
        variant = self.asked.variants[int(rows.variant[0])]
        varied = self.study.variants[variant].set if rows.variant[0] else {}
        return {**varied, **self.described(run)["parameters"], **{at: float(of[0]) for at, of in numbers.items()}}

    def one(self, run: int) -> tuple[runs.Prepared, History]:
        """One run alone: its scenario compiled with its own numbers, and its history."""
        rows = self.rows(np.array([run]))
        values = self.design.values(rows.point)
        ((key, _),) = self._keys(rows, values)
        structure = self.structure(key)
        compiled = structure.ready.drawn.patched(structure.patched(values[0]), self.study.seed, self.drawn(run))
        ready = dataclasses.replace(structure.ready, compiled=compiled, drawn=parameters.NONE)
        return ready, self.history(structure, rows, values)

    # -- the scenario of a structure

    def _apart(self, scenario: Scenario) -> Scenario:
        """The scenario with every starting value that varies set by itself, so that it has a cell of its own."""
        slots = [axis.place.removeprefix("set.") for axis in self.axes if axis.place.startswith("set.")]
        missing = [path for path in slots if path not in scenario.set]
        if not missing:
            return scenario
        compiled = runs.prepared(scenario, "").compiled
        start = compiled.tables.start
        return changed(scenario, {path: plain(float(start[compiled.paths.index(path)])) for path in missing})

    def structure(self, key: Key) -> Structure:
        """A scenario compiled for one variant and one combination of choices; the last few are kept."""
        found = self._structures.pop(key, None) or self._structure(key)
        self._structures[key] = found
        if len(self._structures) > MOST_KEPT:
            del self._structures[next(iter(self._structures))]
        return found

    def _structure(self, key: Key) -> Structure:
        variant, choices = key
        values: dict[str, Value] = {}
        if variant:
            values |= self.study.variants[self.asked.variants[variant]].set
        for a, choice in zip(self.choosing, choices, strict=True):
            values[self.axes[a].path] = (self.axes[a].choices or (self.axes[a].low, self.axes[a].high))[choice]
        scenario = self._apart(changed(self.asked.scenario, values)) if values else self._base.scenario
        ready = runs.prepared(scenario, "") if values else self._base
        compiled, wanted = ready.compiled, self.asked.outcomes
        efforts = {self.axes[a].path: self.axes[a].low for a in self.patching if self.axes[a].place.endswith(".effort")}
        drawn = self._drawn(scenario, values)
        compiled = runs.roomy(compiled, scenario, drawn.efforts | efforts)
        questions = tuple(question for question in ready.questions if question.name in wanted)
        patching = {a: self.axes[a].place for a in self.patching if self.axes[a].place in compiled.owners}
        return Structure(dataclasses.replace(ready, compiled=compiled, questions=questions, drawn=drawn), patching)

    def _drawn(self, scenario: Scenario, values: Mapping[str, Value]) -> parameters.Drawn:
        """The parameter sets of the study but for what varies, and what the variant sets."""
        axes = [axis.place for axis in self.axes]
        return self.asked.drawn.without([*axes, *(settable(scenario, path) for path in values)])

    # -- what changes nothing

    def _look(self, owners: Mapping[str, Cells]) -> None:
        """Raises `Problems` for axes and variants that change nothing, and for what overlaps."""
        found: list[Problem] = []
        base = self._print(self.first)
        for n, a in enumerate(self.choosing):
            found += self._idle(a, n, base)
        cells: dict[tuple[str, tuple[int, ...]], str] = {}
        for a in self.patching:
            axis = self.axes[a]
            for cell in owners[axis.place]:
                if cells.setdefault(cell, axis.path) != axis.path:
                    found.append(self._at(axis.path, f"overlaps with {cells[cell]}: both change the same number"))
                    break
        seen = {base: "the base"}
        for n, name in enumerate(self.study.variants, 1):
            mark = self._print((n, (0,) * len(self.choosing)))
            if mark in seen:
                message = f"equals {seen[mark]}: it would run the same again; change something, or leave it out"
                found.append(self.asked.problem(("variants", name), message))
            seen.setdefault(mark, name)
        structures = len(self.asked.variants) * math.prod(len(self.axes[a].choices or (0,)) for a in self.choosing)
        if structures > MOST_STRUCTURES:
            message = f"{structures:,} combinations of variants and of values that are no numbers of the scenario"
            found.append(self.asked.problem(("vary",), f"{message}; at most {MOST_STRUCTURES:,}"))
        if found:
            raise Problems(found)

    def _idle(self, a: int, n: int, base: str) -> Iterator[Problem]:
        """What is wrong with an axis that changes more than numbers."""
        axis = self.axes[a]
        count = len(axis.choices) if axis.choices else 2
        prints = [
            self._print((0, tuple(choice if m == n else 0 for m in range(len(self.choosing)))))
            for choice in range(1, min(count, MOST_LOOKED))
        ]
        if all(mark == base for mark in prints):
            yield self._at(axis.path, "changes nothing in this scenario; leave it out")
        elif axis.choices is None:
            yield self._at(axis.path, "changes more than a number; write its values as a list")

    def _at(self, path: str, message: str) -> Problem:
        at: tuple[str, ...] = ("vary", path)
        return self.asked.problem(at if at in self.asked.document.keys else ("file",), message, key=True)

    def _print(self, key: Key) -> str:
        """Equal for structures whose runs are equal."""
        ready = self.structure(key).ready
        compiled = ready.compiled
        digest = hashlib.blake2b(digest_size=16)
        for name in sorted(vars(compiled.tables)):
            array = getattr(compiled.tables, name)
            if name != "_table" and isinstance(array, np.ndarray):
                digest.update(f"{name}{array.shape}".encode() + array.tobytes())
        digest.update(repr((compiled.paths, compiled.options, compiled.incidents)).encode())
        digest.update(repr((ready.turns, ready.legend.dates, ready.questions)).encode())
        return digest.hexdigest()

    # -- running

    def tables(self, run: NDArray[np.int64], keep: Sequence[str] = ()) -> dict[str, pa.Table]:
        """Tables of some runs, in order: `outcomes`, and those of states, acts, beliefs, events to keep."""
        rows = self.rows(run)
        values = self.design.values(rows.point)
        parts: dict[str, list[pa.Table]] = {name: [] for name in ("outcomes", *keep)}
        for key, held in self._keys(rows, values):
            structure = self.structure(key)
            for n in range(0, held.size, STRIP):
                strip = held[n : n + STRIP]
                picked = Rows(rows.run[strip], rows.variant[strip], rows.point[strip], rows.replicate[strip])
                history = self.history(structure, picked, values[strip], explained="acts" in keep)
                parts["outcomes"].append(self._answers(structure, picked, values[strip], history))
                for name in keep:
                    parts[name].append(getattr(records, name)(history, structure.compiled, structure.ready.legend))
        return {name: _by_run(pa.concat_tables(tables)) for name, tables in parts.items()}

    def empty(self, name: str) -> pa.Table:
        """A table of no runs."""
        structure = self.structure(self.first)
        tables, turns = structure.compiled.tables, structure.ready.turns
        nobody, few = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        none, beliefs = np.empty(0), np.empty((0, turns + 1, tables.prior_kept.size))
        history = History(
            nobody, np.empty((0, turns + 1, tables.low.size)), beliefs, beliefs,
            np.empty((0, turns, tables.hazard.size), dtype=np.bool_),
            Acts(nobody, few, few, none, none.astype(np.bool_), none, none),
            Talks(nobody, few, few, few, few, none, none, none),
        )  # fmt: skip
        if name != "outcomes":
            return getattr(records, name)(history, structure.compiled, structure.ready.legend)
        return self._answers(structure, Rows(*(nobody,) * 4), np.empty((0, len(self.axes))), history)

    def history(self, structure: Structure, rows: Rows, values: NDArray[np.float64], explained: bool = True) -> History:
        """The history of some runs of one structure, under their numbers in the study."""
        from sim import kernel

        faults.before(rows.run)
        varied = {place: values[:, a] for a, place in structure.patching.items()}
        drawn = self.design.drawn(rows.point, rows.replicate)
        varied |= structure.ready.drawn.numbers(self.study.seed, drawn.tolist())
        same = (rows.point == rows.point[0]).all() and not structure.ready.drawn
        return kernel.ensemble(
            structure.patched(values[0]) if same else structure.compiled, self.study.seed, drawn, names=rows.run,
            turns=structure.ready.turns, explained=explained, numbers=None if same else varied,
        )  # fmt: skip

    def _answers(self, structure: Structure, rows: Rows, values: NDArray[np.float64], history: History) -> pa.Table:
        """run, variant, point, replicate, then one column an axis, then the outcomes."""
        answers = records.outcomes(history, structure.ready.questions, structure.ready.legend)
        whole = pa.int64()
        return pa.table(
            {
                "run": columns.numbers(rows.run, whole),
                "variant": columns.named(self.asked.variants, rows.variant),
                "point": columns.numbers(rows.point, whole),
                "replicate": columns.numbers(rows.replicate, whole),
            }
            | {axis.path: _column(axis, values[:, a]) for a, axis in enumerate(self.axes)}
            | {name: answers[name] for name in answers.column_names[1:]}
        )


def _column(axis: Axis, values: NDArray[np.float64]) -> Any:
    if axis.numeric:
        return columns.numbers(values)
    return columns.named([str(choice) for choice in axis.choices or ()], values.astype(np.int64))


def _by_run(table: pa.Table) -> pa.Table:
    """A table in the order of its runs."""
    run = columns.values(table["run"])
    if (run[1:] >= run[:-1]).all():
        return table
    return table.take(columns.numbers(np.argsort(run, kind="stable"), pa.int64()))

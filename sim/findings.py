"""What a study says: its folder read, each outcome set against what varied, and all of it in sentences and rows.

`analyse` is the command's call in Python. The statistics are those of `sensitivity` and `discovery`, which know nothing
of studies; here is only which of them a design allows, and how what they find is said.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import columns, discovery, naming, store, study, swept
from sim.errors import BadInput, FolderProblem
from sim.naming import capital, number, percent
from sim.scenario import read
from sim.sensitivity import (
    ENOUGH_REPLICATES,
    NOTHING,
    Answers,
    Chance,
    Choice,
    Curve,
    Estimate,
    Floats,
    Given,
    Index,
    Level,
    Tipping,
    contrast,
    curve,
    estimate,
    grid_indices,
    joined,
    levels_of,
    response,
    robustness,
    sobol_indices,
    tipping_points,
)

MOST_CELLS = 40_000_000  # numbers of axes that are held at once
BATCH = 32  # axes read at once
LOOKED = 24  # axes whose response is told, the strongest first
CURVES = 8  # of them, with a smooth curve
SEARCHED = 10  # axes in which boxes are looked for
MOST_CHOICES = 24
NAMED = 3  # axes named in a sentence
WORTH_NAMING = 0.01
NAMED_RUNS = 10
HIGH = 0.8  # a number is of interest above this quantile
BASE = study.BASE
Progress = Callable[[int, int], None]


# ----------------------------------------------------------------------------------------------------- what is found


@dataclass(frozen=True)
class AxisTold:
    """An axis in words. labels: of its choices where these are words."""

    path: str
    title: str
    lever: bool
    low: float
    high: float
    labels: tuple[str, ...] = ()

    def value(self, at: float) -> str:
        return self.labels[int(at)] if self.labels else number(at)


@dataclass(frozen=True)
class Strength:
    """How much of an outcome an axis explains."""

    axis: AxisTold
    index: Index
    rank: tuple[float, float, float]


@dataclass(frozen=True)
class Found:
    """A box, in words and with its example runs."""

    box: discovery.Box
    words: str
    runs: tuple[int, ...]


@dataclass(frozen=True)
class Robust:
    """How the choices of levers do across what nobody chooses.

    wanted: whether for somebody who wants the outcome high. best: the row that is minimax-regret, or has the best mean
    where regret cannot be told. decided: whether it does better than the worst beyond chance.
    """

    levers: tuple[str, ...]
    labels: tuple[str, ...]
    choices: tuple[Choice, ...]
    wanted: bool
    best: int
    matched: bool
    decided: bool


@dataclass(frozen=True)
class Surface:
    """An outcome over two axes: (rows of the second, columns of the first) means. whole: of all their values, not of
    parts between."""

    across: AxisTold
    up: AxisTold
    x: Floats
    y: Floats
    mean: Floats
    whole: bool


@dataclass
class Told:
    """What was found of one outcome.

    responses, curves, tipping: by variant and path of the axis. effects: by path, the outcome at the high end of the
    axis less that at its low end. interest: which runs boxes are looked for, in words; examples, others: runs that are
    of interest and runs that are not.
    """

    name: str
    title: str
    yes_or_no: bool
    varies: bool = True
    sentences: list[str] = field(default_factory=list)
    overall: dict[str, Estimate] = field(default_factory=dict)
    against_base: dict[str, Estimate] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    missing_runs: int = 0
    method: str = ""
    source: str = ""
    strengths: list[Strength] = field(default_factory=list)
    chance: Index = NOTHING
    responses: dict[tuple[str, str], list[Level]] = field(default_factory=dict)
    curves: dict[tuple[str, str], Curve] = field(default_factory=dict)
    effects: dict[str, Estimate] = field(default_factory=dict)
    tipping: dict[tuple[str, str], list[Tipping]] = field(default_factory=dict)
    interest: str = ""
    boxes: list[Found] = field(default_factory=list)
    robust: list[Robust] = field(default_factory=list)
    surface: Surface | None = None
    examples: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    def value(self, of: float) -> str:
        """As the outcome is told: a share or a number."""
        return percent(of) if self.yes_or_no else number(of)


@dataclass
class Findings:
    """What a study says. notes: what a reader must know of the study before anything else."""

    folder: str
    manifest: dict[str, Any]
    axes: list[AxisTold]
    variants: dict[str, str]
    notes: list[str]
    outcomes: list[Told]
    commands: list[str]

    def replays(self, runs: Iterable[int]) -> list[str]:
        """The commands that do some of its runs again."""
        return [f"tightrope replay {shlex.quote(self.folder)} --run {run}" for run in runs]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        keys = ("title", "question", "scenario", "design", "draws", "points", "replicates", "runs", "seed", "complete")
        return {
            "folder": self.folder,
            **{key: self.manifest[key] for key in keys},
            "variants": self.variants,
            "notes": self.notes,
            "axes": [asdict(axis) for axis in self.axes],
            "outcomes": [_outcome_dict(self, told) for told in self.outcomes],
            "commands": self.commands,
        }


def _outcome_dict(found: Findings, told: Told) -> dict[str, Any]:
    labels = {axis.path: axis for axis in found.axes}
    return {
        "outcome": told.name,
        "title": told.title,
        "kind": "yes/no" if told.yes_or_no else "number",
        "sentences": told.sentences,
        "overall": {name: asdict(here) for name, here in told.overall.items()},
        "against_base": {name: asdict(here) for name, here in told.against_base.items()},
        "missing": {"runs": told.missing_runs, "first": list(told.missing)},
        "indices": {
            "method": told.method,
            "source": told.source,
            "axes": [
                {"axis": s.axis.path, "title": s.axis.title, **asdict(s.index), "rank_correlation": s.rank[0],
                 "rank_low": s.rank[1], "rank_high": s.rank[2],
                 "end_to_end": asdict(told.effects[s.axis.path]) if s.axis.path in told.effects else None}
                for s in told.strengths
            ],
            "chance": asdict(told.chance),
        },
        "responses": [
            {"variant": variant, "axis": path, "low": level.low, "high": level.high,
             "value": labels[path].value(level.at) if labels[path].labels else level.at,
             "mean": level.here.mean, "mean_low": level.here.low, "mean_high": level.here.high,
             "points": level.here.points, "runs": level.here.runs}
            for (variant, path), levels in told.responses.items() for level in levels
        ],
        "curves": [
            {"variant": variant, "axis": path, "at": list(c.at), "mean": list(c.mean), "low": list(c.low),
             "high": list(c.high)} for (variant, path), c in told.curves.items() if c.smooth
        ],
        "tipping_points": [
            {"variant": variant, "axis": path, **asdict(one)}
            for (variant, path), several in told.tipping.items() for one in several
        ],
        "surface": None if told.surface is None else {
            "across": told.surface.across.path, "up": told.surface.up.path, "x": told.surface.x.tolist(),
            "y": told.surface.y.tolist(), "mean": told.surface.mean.tolist(), "whole": told.surface.whole,
        },
        "boxes": {
            "of_interest": told.interest,
            "found": [
                {"words": one.words, "density": asdict(one.box.density), "coverage": asdict(one.box.coverage),
                 "mass": one.box.mass, "elsewhere": one.box.elsewhere, "confirmed": one.box.confirmed,
                 "held_out": one.box.apart,
                 "bounds": [{"axis": b.axis, "low": b.low, "high": b.high, "quasi_p": b.quasi_p,
                             "values": None if b.members is None else [labels[b.axis].labels[m] for m in b.members]}
                            for b in one.box.bounds],
                 "example_runs": list(one.runs), "replay": found.replays(one.runs)} for one in told.boxes
            ],
        },
        "robustness": [
            {"wanted": one.wanted, "levers": list(one.levers), "best": one.labels[one.best], "matched": one.matched,
             "choices": [{"choice": label, **asdict(choice)}
                         for label, choice in zip(one.labels, one.choices, strict=True)]} for one in told.robust
        ],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------- reading the folder


class _Table:
    """The tables of a study's folder as arrays of points and replicates; axes are read as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.swept = swept.open_sweep(folder)
        manifest = self.manifest = self.swept.manifest
        shards = swept.shelf(folder).whole
        for shard in shards:
            if not store.is_whole(shard, manifest["key"]):
                raise FolderProblem(f"{shard.path}: damaged; tightrope sweep ... --resume does its runs again")
        self.done = sum(shard.runs for shard in shards)
        if not self.done:
            raise FolderProblem(f"{folder}: holds no runs yet; tightrope status {folder} tells how far it is")
        self.replicates, self.all_points = int(manifest["replicates"]), int(manifest["points"])
        self.variants = list(manifest["variants"])
        self.chance = Chance(
            manifest["design"] in ("latin_hypercube", "sobol", "saltelli"),
            manifest["draws"] == "common",
            len(manifest["axes"]) + 2 if manifest["design"] == "saltelli" else 1,
        )
        held = max(MOST_CELLS // max(len(manifest["axes"]), 1), 1000)
        self.points = min(self.all_points, held // self.chance.together * self.chance.together)
        self.relation = self.swept.relation()
        self._axes: dict[str, Floats] = {}

    def outcome(self, name: str) -> dict[str, Floats]:
        """By variant, (points, replicates) of an outcome; NaN where a run has no value."""
        block = self.all_points * self.replicates
        values = np.full((len(self.variants), self.all_points, self.replicates), np.nan)
        with swept.queried(self.swept.folder):
            table = self.relation.project(f'"run", CAST({_quoted(name)} AS DOUBLE) AS value').to_arrow_table()
        values.reshape(len(self.variants) * block)[columns.values(table["run"])] = columns.values(table["value"])
        return {variant: values[n, : self.points] for n, variant in enumerate(self.variants)}

    def axis(self, path: str) -> Floats:
        """(points,) values, of words their numbers; NaN for points without a run."""
        if path not in self._axes:
            paths = [axis["path"] for axis in self.manifest["axes"]]
            first = paths.index(path) // BATCH * BATCH
            self._read(self.manifest["axes"][first : first + BATCH])
        return self._axes[path]

    def _read(self, axes: Sequence[Mapping[str, Any]]) -> None:
        wanted = ", ".join(f"any_value({_quoted(axis['path'])}) AS a{n}" for n, axis in enumerate(axes))
        with swept.queried(self.swept.folder):
            rows = self.relation.filter(f'"point" < {self.points}').aggregate(f'"point", {wanted}', '"point"')
            table = rows.to_arrow_table()
        point = columns.values(table["point"])
        for n, axis in enumerate(axes):
            values = np.full(self.points, np.nan)
            if axis["numeric"]:
                values[point] = columns.values(table[f"a{n}"])
            else:
                place = {str(choice): float(m) for m, choice in enumerate(axis["choices"])}
                values[point] = [place[word] for word in table[f"a{n}"].to_pylist()]
            self._axes[axis["path"]] = values

    def run(self, variant: str, point: int, replicate: int) -> int:
        """The number of a run."""
        return (self.variants.index(variant) * self.all_points + point) * self.replicates + replicate


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# ------------------------------------------------------------------------------------------------------- the analysis


def analyse(
    folder: str | Path, outcomes: Sequence[str] = (), progress: Progress | None = None, whole: bool = True
) -> Findings:
    """What the study of a folder says, finished or not. outcomes: these only. progress: called with the outcomes that
    are done and wanted. whole: with curves, tipping points, boxes and choices, not only with what moves an outcome.

    Raises BadInput for an outcome that the study does not ask for, FolderProblem for a folder without runs or with a
    damaged shard.
    """
    return _Analysis(Path(folder), outcomes, progress or (lambda done, wanted: None), whole).findings()


class _Analysis:
    def __init__(self, folder: Path, outcomes: Sequence[str], progress: Progress, whole: bool) -> None:
        self.folder, self.progress, self.whole = folder, progress, whole
        self.table = _Table(folder)
        self.manifest = self.table.manifest
        known = self.manifest["outcomes"]
        for name in outcomes:
            if name not in known:
                raise BadInput(f'--outcome {name}: the study asks for no "{name}"; it asks for {", ".join(known)}')
        self.wanted = list(dict.fromkeys(outcomes)) or list(known)
        self.chance = self.table.chance
        scenario = read(folder / swept.SCENARIO).scenario
        titles = naming.axis_titles(scenario, [axis["path"] for axis in self.manifest["axes"]])
        self.axes = [
            AxisTold(
                axis["path"], titles[axis["path"]], axis["lever"], axis["low"], axis["high"],
                () if axis["numeric"] else tuple(str(choice) for choice in axis["choices"]),
            )
            for axis in self.manifest["axes"]
        ]  # fmt: skip
        self.by_path = {axis.path: axis for axis in self.axes}
        self.unit = np.arange(self.table.points, dtype=np.int64) // self.chance.together

    def findings(self) -> Findings:
        data = {name: self.table.outcome(name) for name in self.wanted}
        notes = self._notes(data)
        told = [self._begun(name, data[name]) for name in self.wanted]
        if self.axes:
            self._strengths(told, data)
        for n, one in enumerate(told):
            self.progress(n, len(told))
            if one.varies:
                self._responses(one, data[one.name])
            if one.varies and self.whole:
                self._boxes(one, data[one.name][BASE], notes)
                self._robust(one, data[one.name])
            one.sentences = self._sentences(one)
        notes += self._untold(told)
        return Findings(
            str(self.folder), self.manifest, self.axes, dict(self.manifest["variants"]), notes, told, self._commands()
        )

    # -- what must be known first

    def _notes(self, data: Mapping[str, Mapping[str, Floats]]) -> list[str]:
        manifest, found = self.manifest, []
        where = shlex.quote(str(self.folder))
        done, failed = self.table.done, self.table.swept.failed
        if done < manifest["runs"]:
            found.append(
                f"The study is unfinished: {done:,} of {manifest['runs']:,} runs are done. What follows is of those; "
                f"tightrope sweep {shlex.quote(str(manifest['source']))} --out {where} --resume does the rest."
            )
        if failed:
            runs = self.table.swept.failures["run"].to_pylist()
            found.append(
                f"{failed:,} run{_s(failed)} failed and count{'s' if failed == 1 else ''} nowhere: {_few(runs)}. "
                "Where failures are more likely at some points than at others, shares near them are biased."
            )
        if self.table.points < self.table.all_points:
            found.append(
                f"Analysed are the first {self.table.points:,} of {self.table.all_points:,} points, "
                "which is as many as are held in memory."
            )
        if self.chance.common and self.table.replicates == 1:
            found.append(
                "All points share the random numbers of their one replicate: whatever is said holds for that course of "
                "chance alone, and intervals leave chance out. Replicates would tell of it."
            )
        changes = self.table.swept.changes()
        if changes:
            found.append(f"{capital('; '.join(changes))}: the runs are told as they were recorded.")
        return found

    def _untold(self, told: Sequence[Told]) -> list[str]:
        """Why no regret is told of choices that matter."""
        lacking = [
            one for each in told for one in each.robust if one.decided and math.isnan(one.choices[one.best].regret)
        ]
        why = {
            f"it takes {ENOUGH_REPLICATES} replicates to tell it from chance" if one.matched else
            "this design does not try the choices on the same uncertainties, as a grid and variants do"
            for one in lacking
        }  # fmt: skip
        return [f"How much a choice may be regretted is not told: {reason}." for reason in sorted(why)]

    def _begun(self, name: str, values: Mapping[str, Floats]) -> Told:
        """An outcome with its overall answer, the variants against the base, and the runs that lack a value."""
        kind = self.manifest["outcomes"][name]
        told = Told(name, kind["title"], kind["yes_or_no"])
        lacking: list[int] = []
        for n, variant in enumerate(self.table.variants):
            told.overall[variant] = estimate(values[variant], self.chance, told.yes_or_no, self.unit)
            missing = np.flatnonzero(np.isnan(values[variant]))
            lacking += (missing[:NAMED_RUNS] + n * self.table.all_points * self.table.replicates).tolist()
            told.missing_runs += missing.size
        told.missing = tuple(sorted(lacking)[:NAMED_RUNS])
        everything = np.stack(list(values.values()))
        told.varies = bool(np.nanmin(everything) < np.nanmax(everything)) if not np.isnan(everything).all() else False
        for variant in self.table.variants[1:]:
            moved = values[variant] - values[BASE]
            told.against_base[variant] = estimate(moved, self.chance, False, self.unit)
        return told

    # -- what it depends on

    def _strengths(self, told: Sequence[Told], data: Mapping[str, Mapping[str, Floats]]) -> None:
        """The share of the variance that each axis explains, by what the design allows."""
        manifest, axes = self.manifest, self.axes
        base = {one.name: data[one.name][BASE] for one in told}
        first = self._ends_of_rows()
        answers = {name: Answers(values[first]) for name, values in base.items()}
        whole: dict[str, list[Index]] = {}
        for one in told:
            values = base[one.name]
            if manifest["design"] == "saltelli":
                indices, one.chance, rows = sobol_indices(values, len(axes))
                left = values.shape[0] // self.chance.together - rows
                one.method = f"Sobol' indices from {rows:,} rows of Saltelli's design"
                one.method += f" ({left:,} rows that lack a value left out)" if left else ""
                one.source = "Saltelli et al. 2010; Jansen 1999; bootstrap over rows"
                if self.chance.common:
                    one.chance = NOTHING
                whole[one.name] = indices
            elif manifest["design"] == "grid" and self.table.replicates > 1 and not np.isnan(values).any():
                whole[one.name], one.chance = grid_indices(values, [len(axis["choices"]) for axis in manifest["axes"]])
                one.method = "shares of the variance over the grid's own points, by analysis of variance"
                one.source = "Sobol' 1993 on a full factorial, by products of different replicates; jackknife"
            else:
                one.method = "given-data first-order indices: variance of the means of bins, corrected for chance"
                one.source = "Plischke, Borgonovo & Smith 2013; Kelley 1935; jackknife over groups of points"
                if manifest["design"] == "list":
                    one.method += "; axes of a list may go together, and then share what they explain"
        found: dict[str, list[Strength]] = {one.name: [] for one in told}
        for n, axis in enumerate(axes):
            given = Given(self.table.axis(axis.path)[first])
            for one in told:
                index = whole[one.name][n] if one.name in whole else given.index(answers[one.name])
                rank = (math.nan,) * 3 if axis.labels else given.rank_correlation(answers[one.name])
                found[one.name].append(Strength(axis, index, rank))
        for one in told:
            one.strengths = sorted(found[one.name], key=_weight)

    def _ends_of_rows(self) -> NDArray[np.int64]:
        """Points that were drawn apart: of Saltelli's rows the two ends, else all."""
        points = np.arange(self.table.points, dtype=np.int64)
        if self.chance.together == 1:
            return points
        place = points % self.chance.together
        return points[(place == 0) | (place == self.chance.together - 1)]

    def _looked(self, told: Told) -> list[AxisTold]:
        """The axes whose response is told: the levers and the strongest."""
        strongest = [strength.axis for strength in told.strengths[:LOOKED]]
        return strongest + [axis for axis in self.axes if axis.lever and axis not in strongest]

    def _responses(self, told: Told, data: Mapping[str, Floats]) -> None:
        first = self._ends_of_rows()
        apart = Chance(self.chance.sampled, self.chance.common, 2 if self.chance.together > 1 else 1)
        for n, axis in enumerate(self._looked(told)):
            values = self.table.axis(axis.path)
            continuous = levels_of(values) is None
            if not axis.labels:
                told.effects[axis.path] = self._effect(values, data[BASE])
            for variant, of in data.items():
                levels = response(values, of, self.chance, told.yes_or_no)
                if not levels:
                    continue
                told.responses[variant, axis.path] = levels
                if not self.whole:
                    continue
                line: Curve | None = joined(levels)
                if continuous:
                    line = curve(values[first], of[first], apart, told.yes_or_no) if n < CURVES or axis.lever else None
                if line is None:
                    continue
                told.curves[variant, axis.path] = line
                if told.yes_or_no and not axis.labels:
                    told.tipping[variant, axis.path] = tipping_points(line)
        told.tipping = {key: several for key, several in told.tipping.items() if several}
        told.surface = self._surface(told, data[BASE]) if self.whole else None

    def _effect(self, at: Floats, values: Floats) -> Estimate:
        """The outcome at the high end of an axis less that at its low end: at its last and first value, or in its
        highest and lowest tenth."""
        known = at[~np.isnan(at)]
        if not known.size:
            return contrast(values[:0], values[:0], self.chance)
        few = levels_of(at)
        low, high = (few[0], few[-1]) if few is not None else np.quantile(known, (0.1, 0.9))
        top, bottom = at >= high, at <= low
        return contrast(values[top], values[bottom], self.chance, (self.unit[top], self.unit[bottom]))

    def _surface(self, told: Told, values: Floats) -> Surface | None:
        """The outcome over its two strongest axes that are numbers."""
        numeric = [s.axis for s in told.strengths if not s.axis.labels][:2]
        strongest = told.strengths[0].index if told.strengths else NOTHING
        if len(numeric) < 2 or max(strongest.first_low, strongest.total_low) <= 0:
            return None
        parts = []
        for axis in numeric:
            at = self.table.axis(axis.path)
            few = levels_of(at)
            if few is not None:
                parts.append((few, np.where(np.isnan(at), -1, np.searchsorted(few, at))))
                continue
            bins = int(min(6, (values.shape[0] / 60) ** 0.5))
            if bins < 3:
                return None
            edges = np.linspace(axis.low, axis.high, bins + 1)
            which = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, bins - 1)
            parts.append(((edges[1:] + edges[:-1]) / 2, np.where(np.isnan(at), -1, which)))
        (x, i), (y, j) = parts
        if min(x.size, y.size) < 2:
            return None
        there = ~np.isnan(values)
        held = there.any(axis=1) & (i >= 0) & (j >= 0)
        own = np.where(there, values, 0.0).sum(axis=1)[held] / there.sum(axis=1)[held]
        cell = j[held] * x.size + i[held]
        count = np.bincount(cell, minlength=x.size * y.size)
        total = np.bincount(cell, own, minlength=x.size * y.size)
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(y.size, x.size)
        if np.nanmax(mean) - np.nanmin(mean) <= 0:
            return None
        whole = all(levels_of(self.table.axis(axis.path)) is not None for axis in numeric)
        return Surface(numeric[0], numeric[1], x, y, mean, whole)

    # -- where it is found

    def _boxes(self, told: Told, values: Floats, notes: list[str]) -> None:
        wanted, told.interest = _of_interest(told, values)
        if wanted is None:
            return
        told.examples, told.others = (
            tuple(np.flatnonzero(wanted.ravel() == sought)[: discovery.EXAMPLES].tolist()) for sought in (1, 0)
        )
        if not self.axes:
            return
        if not discovery.available():
            if discovery.MISSING not in notes:
                notes.append(discovery.MISSING)
            return
        first = self._ends_of_rows()
        searched = [strength.axis for strength in told.strengths[:SEARCHED]]
        axes = {axis.path: self.table.axis(axis.path)[first] for axis in searched}
        known = ~np.isnan(np.stack(list(axes.values()))).any(axis=0)
        places = first[known]
        apart = Chance(self.chance.sampled, self.chance.common, 2 if self.chance.together > 1 else 1)
        if apart.together == 2 and not known.all():
            return
        boxes = discovery.discover(
            {path: of[known] for path, of in axes.items()},
            {axis.path: len(axis.labels) for axis in searched if axis.labels},
            wanted[places],
            apart,
        )
        for number_, box in enumerate(boxes):
            runs = tuple(self.table.run(BASE, int(places[point]), replicate) for point, replicate in box.examples)
            told.boxes.append(Found(box, self._box_words(told, box, number_), runs))
        if told.boxes and told.boxes[0].runs:
            told.examples = told.boxes[0].runs

    def _box_words(self, told: Told, box: discovery.Box, number_: int) -> str:
        conditions = _listed([self._bound_words(bound) for bound in box.bounds])
        return (
            f"{_quote(told.title)}: {told.interest} in {percent(box.density.mean)} of "
            f"{'the other runs' if number_ else 'runs'} where {conditions} ({_between(box.density, percent)}; "
            f"against {percent(box.elsewhere)} of {'those' if number_ else 'all runs'}); covers "
            f"{percent(box.coverage.mean)} of such runs."
        )

    def _bound_words(self, bound: discovery.Bound) -> str:
        axis = self.by_path[bound.axis]
        if bound.members is not None:
            return f"{axis.title} is {_listed([f'“{axis.labels[m]}”' for m in bound.members], 'or')}"
        few = levels_of(self.table.axis(axis.path))
        if few is None:
            if bound.high == math.inf:
                return f"{axis.title} exceeds {number(bound.low)}"
            if bound.low == -math.inf:
                return f"{axis.title} is below {number(bound.high)}"
            return f"{axis.title} lies between {number(bound.low)} and {number(bound.high)}"
        inside = few[(few >= bound.low) & (few <= bound.high)]
        if inside.size == 1:
            return f"{axis.title} is {number(float(inside[0]))}"
        if bound.high == math.inf:
            return f"{axis.title} is {number(float(inside[0]))} or more"
        if bound.low == -math.inf:
            return f"{axis.title} is {number(float(inside[-1]))} or less"
        return f"{axis.title} is {number(float(inside[0]))} to {number(float(inside[-1]))}"

    # -- which choice does well

    def _robust(self, told: Told, data: Mapping[str, Floats]) -> None:
        levers = [axis for axis in self.axes if axis.lever]
        several = len(data) > 1
        if not levers and not several:
            return
        options, matched = self._options(levers)
        if options is None:
            return
        variants = self.table.variants if several else [BASE]
        if len(options) * len(variants) > MOST_CHOICES or len(options) * len(variants) < 2:
            return
        labels, parts = [], []
        for variant in variants:
            for label, points in options:
                named = [self.manifest["variants"][variant]] if several else []
                labels.append("; ".join([*named, *([label] if label else [])]))
                parts.append(data[variant][points])
        names = tuple((["variant"] if several else []) + [axis.title for axis in levers])
        for wanted in (True, False):
            choices = robustness(parts, self.chance, told.yes_or_no, wanted, matched)
            sign = 1 if wanted else -1
            known = not math.isnan(choices[0].regret)
            means = [sign * choice.mean.mean for choice in choices]
            if any(math.isnan(mean) for mean in means):
                return
            order = sorted(range(len(choices)), key=lambda n: (choices[n].regret if known else 0.0, -means[n]))
            best, worst = order[0], min(range(len(choices)), key=lambda n: means[n])
            told.robust.append(
                Robust(names, tuple(labels), tuple(choices), wanted, best, matched,
                       self._decided(parts[best], parts[worst], choices[best], choices[worst], matched))
            )  # fmt: skip

    def _decided(self, best: Floats, worst: Floats, one: Choice, other: Choice, matched: bool) -> bool:
        """Whether two choices differ beyond chance."""
        if not matched:
            return one.mean.low > other.mean.high or one.mean.high < other.mean.low
        moved = estimate(best - worst, self.chance, False)
        return moved.low > 0 or moved.high < 0

    def _options(self, levers: Sequence[AxisTold]) -> tuple[list[tuple[str, NDArray[np.int64]]] | None, bool]:
        """The choices of the levers, each with its points, and whether the uncertainties are the same for each."""
        everything = np.arange(self.table.points, dtype=np.int64)
        if not levers:
            return [("", everything)], True
        at = np.stack([self.table.axis(axis.path) for axis in levers], axis=1)
        for n in range(len(levers)):
            if levels_of(at[:, n]) is None:
                edges = np.quantile(at[:, n], (1 / 3, 2 / 3))
                at[:, n] = np.searchsorted(edges, at[:, n])
        known = ~np.isnan(at).any(axis=1)
        kinds = np.unique(at[known], axis=0)
        if len(kinds) > MOST_CHOICES:
            return None, False
        options = []
        for kind in kinds:
            label = ", ".join(self._choice_words(axis, float(value)) for axis, value in zip(levers, kind, strict=True))
            options.append((label, np.flatnonzero((at == kind).all(axis=1))))
        matched = self.manifest["design"] == "grid" and len({points.size for _, points in options}) == 1
        return options, matched

    def _choice_words(self, axis: AxisTold, value: float) -> str:
        if not axis.labels and levels_of(self.table.axis(axis.path)) is None:
            return f"{('lowest', 'middle', 'highest')[int(value)]} third of {axis.title}"
        return f"{axis.title} {axis.value(value)}"

    # -- in words

    def _sentences(self, told: Told) -> list[str]:
        found = [self._overall_words(told)]
        if not told.varies:
            return found
        for variant, moved in told.against_base.items():
            found.append(self._variant_words(told, variant, moved))
        if told.missing_runs:
            few = _few(told.missing, told.missing_runs)
            found.append(f"{told.missing_runs:,} run{_s(told.missing_runs)} without a value count nowhere: {few}.")
        found += self._strength_words(told)
        for (variant, path), several in told.tipping.items():
            strong = [s.axis.path for s in told.strengths if s.index.first_low > 0 or s.index.total_low > 0]
            if path in strong[:NAMED] or self.by_path[path].lever:
                found += [self._tipping_words(told, variant, path, one) for one in several]
        found += [one.words for one in told.boxes]
        return found + self._robust_words(told)

    def _overall_words(self, told: Told) -> str:
        here = told.overall[BASE]
        if not here.runs:
            return f"{_quote(told.title)}: no run has a value."
        what = f"yes in {percent(here.mean)} of runs" if told.yes_or_no else f"{number(here.mean)} on average"
        same = "" if told.varies else ", the same in every run"
        return f"{_quote(told.title)}: {what}{same} ({_between(here, told.value)})."

    def _variant_words(self, told: Told, variant: str, moved: Estimate) -> str:
        title = f"{_quote(self.manifest['variants'][variant])}: "
        if not moved.runs:
            return f"{title}no pair of runs has a value on both sides."
        here = told.value(told.overall[variant].mean)
        low, high = difference(told, moved.low), difference(told, moved.high)
        if math.isnan(moved.low):
            return f"{title}{here}; the difference to the scenario as it is has no interval."
        if moved.low == moved.high == 0:
            return f"{title}{here}, the same as it is in every pair of runs."
        if moved.low <= 0 <= moved.high:
            return f"{title}{here}, no difference to the scenario as it is beyond chance ({low} to {high})."
        way = "more" if moved.mean > 0 else "less"
        if moved.mean < 0:
            low, high = _size(told, -moved.high, False), _size(told, -moved.low, False)
        return f"{title}{here}, {_size(told, abs(moved.mean))} {way} than as it is ({low} to {high})."

    def _strength_words(self, told: Told) -> list[str]:
        if not told.strengths or not told.overall[BASE].runs:
            return []
        found = []
        sure = [s for s in told.strengths if s.index.first_low > 0 and s.index.first >= WORTH_NAMING]
        unsure = [s for s in told.strengths if math.isnan(s.index.first_low) and s.index.first >= WORTH_NAMING]
        named = (sure or unsure)[:NAMED]
        if named:
            parts = [
                f"{s.axis.title} ({percent(s.index.first)} of the variance between runs"
                f"{'' if math.isnan(s.index.first_low) else ', ' + _range(s.index.first_low, s.index.first_high)})"
                if n == 0
                else f"{s.axis.title} ({percent(s.index.first)})"
                for n, s in enumerate(named)
            ]
            found.append(f"It depends most on {_listed(parts)}.")
        elif any(not math.isnan(s.index.first) for s in told.strengths):
            found.append("None of the axes explains by itself more of it than chance could.")
        together = [s for s in told.strengths if s.index.total_low > max(s.index.first_high, WORTH_NAMING)]
        if together:
            best = together[0]
            also = ", those with chance among them," if self.manifest["design"] == "saltelli" else ""
            found.append(
                f"{capital(best.axis.title)} counts more together with others than alone: with all its interactions"
                f"{also} it has {percent(min(best.index.total, 1))} of the variance, "
                f"{percent(max(best.index.first, 0))} by itself."
            )
        if told.chance.total_low > 0:
            low, high = told.chance.total_low, told.chance.total_high
            found.append(
                f"Chance, with all that it does together with them, makes {percent(min(told.chance.total, 1))} of the "
                f"variance between runs ({_range(low, high)})."
            )
        for strength in named:
            levels = told.responses.get((BASE, strength.axis.path))
            if levels and len(levels) > 1:
                found.append(self._response_words(told, strength.axis, levels))
        return found

    def _response_words(self, told: Told, axis: AxisTold, levels: Sequence[Level]) -> str:
        means = [level.here.mean for level in levels]
        low, high = int(np.nanargmin(means)), int(np.nanargmax(means))
        ends = abs(means[-1] - means[0]) >= 0.75 * (means[high] - means[low])
        where = [self._level_words(axis, levels, n) for n in (0, -1)]
        what = "The share" if told.yes_or_no else "The mean"
        if ends and not axis.labels:
            way = "rises" if means[-1] > means[0] else "falls"
            return (
                f"{what} {way} from {told.value(means[0])} where {axis.title} is {where[0]} to "
                f"{told.value(means[-1])} where it is {where[1]}{self._effect_words(told, axis)}."
            )
        return (
            f"{what} is highest, {told.value(means[high])}, where {axis.title} is "
            f"{self._level_words(axis, levels, high)}, and lowest, {told.value(means[low])}, where it is "
            f"{self._level_words(axis, levels, low)}."
        )

    def _effect_words(self, told: Told, axis: AxisTold) -> str:
        moved = told.effects[axis.path]
        if math.isnan(moved.low):
            return ""
        unit = " points" if told.yes_or_no else ""
        low, high = difference(told, moved.low), difference(told, moved.high)
        return f", a change of {difference(told, moved.mean)}{unit} ({low} to {high})"

    def _level_words(self, axis: AxisTold, levels: Sequence[Level], n: int) -> str:
        level = levels[n]
        if level.low == level.high:
            return f"“{axis.value(level.at)}”" if axis.labels else axis.value(level.at)
        if n == 0:
            return f"below {number(level.high)}"
        if n in (-1, len(levels) - 1):
            return f"above {number(level.low)}"
        return f"{number(level.low)} to {number(level.high)}"

    def _tipping_words(self, told: Told, variant: str, path: str, one: Tipping) -> str:
        axis = self.by_path[path]
        whose = "" if variant == BASE else f"{_quote(self.manifest['variants'][variant])}: "
        way = "more likely than not" if one.rises else "less likely than not"
        low, high = (number(bound) if math.isfinite(bound) else None for bound in (one.low, one.high))
        if low is None and high is None:
            sure = "no interval"
        elif low is None:
            sure = f"95% interval up to {high}, its lower end below what was tried"
        elif high is None:
            sure = f"95% interval from {low}, its upper end above what was tried"
        else:
            sure = f"95% interval {low} to {high}"
        return f"{whose}It becomes {way} where {axis.title} passes {number(one.at)} ({sure})."

    def _robust_words(self, told: Told) -> list[str]:
        if not told.robust:
            return []
        if not any(one.decided for one in told.robust):
            return [f"The choice of {_listed(told.robust[0].levers)} makes no difference beyond chance."]
        return [self._choice_sentence(told, one) for one in told.robust]

    def _choice_sentence(self, told: Told, one: Robust) -> str:
        choice, label = one.choices[one.best], one.labels[one.best]
        who = f"Whoever wants it {in_words(told, one.wanted)}"
        mean = f"{told.value(choice.mean.mean)} on average"
        tail = "" if math.isnan(choice.worst) else f", {told.value(choice.worst)} in the worst tenth of uncertainties"
        if math.isnan(choice.regret):
            return f"{who} does best with {label}: {mean} ({_between(choice.mean, told.value)}){tail}."
        worst = max(one.choices, key=lambda c: c.regret)
        if choice.regret <= 0:
            return (
                f"{who} has nothing to regret with {label}, best for all uncertainties: {mean}{tail} "
                f"(with {one.labels[one.choices.index(worst)]} up to {_size(told, worst.regret)} are lost)."
            )
        return (
            f"{who} has least to regret with {label}: at most {_size(told, choice.regret)} against the best choice "
            f"({_size(told, worst.regret)} with {one.labels[one.choices.index(worst)]}); {mean}{tail}."
        )

    def _commands(self) -> list[str]:
        where = shlex.quote(str(self.folder))
        return [
            f"tightrope sweep {shlex.quote(str(self.folder / swept.STUDY))} --out another-folder",
            f"tightrope analyse {where}",
            f"tightrope replay {where} --run 0",
        ]


def _weight(strength: Strength) -> tuple[float, float]:
    """The strongest first: by the total index where there is one, else by the first."""
    index = strength.index
    best = index.first if math.isnan(index.total) else index.total
    by_rank = 0.0 if math.isnan(strength.rank[0]) else abs(strength.rank[0])
    return (math.inf if math.isnan(best) else -best, -by_rank)


def _of_interest(told: Told, values: Floats) -> tuple[Floats | None, str]:
    """(points, replicates) 1 for the runs of interest: the rarer answer, or the highest fifth; and what they are."""
    there = ~np.isnan(values)
    if not there.any():
        return None, ""
    if told.yes_or_no:
        rare = float(values[there].mean()) <= 0.5
        return np.where(there, values if rare else 1 - values, np.nan), "yes" if rare else "no"
    bound = float(np.quantile(values[there], HIGH, method="inverted_cdf"))
    above = np.where(there, values > bound, np.nan)
    words = f"above {number(bound)}"
    if np.nanmean(above) < (1 - HIGH) / 2:
        at_least = np.where(there, values >= bound, np.nan)
        if np.nanmean(at_least) <= 0.5:
            above, words = at_least, f"{number(bound)} or more"
    return (above, words) if 0 < np.nanmean(above) < 1 else (None, "")


def in_words(told: Told, wanted: bool) -> str:
    """How somebody wants an outcome."""
    if told.yes_or_no:
        return "to happen" if wanted else "not to happen"
    return "high" if wanted else "low"


def difference(told: Told, value: float) -> str:
    """A difference of an outcome, of shares in percentage points, with its sign.

    An interval's end may lie beyond what a share can move by, and is told as that.
    """
    if math.isnan(value):
        return "-"
    return _size(told, max(-1.0, min(1.0, value)) if told.yes_or_no else value, False)


def _size(told: Told, difference: float, unit: bool = True) -> str:
    """A difference of an outcome: of shares in percentage points."""
    if not told.yes_or_no:
        return number(difference)
    shown = f"{100 * difference:.1f}".removesuffix(".0").replace("-0", "-0" if round(difference, 3) else "0")
    return f"{shown} percentage points" if unit else shown


def _quote(title: str) -> str:
    return f"“{title}”"


def _between(here: Estimate, shown: Callable[[float], str]) -> str:
    if math.isnan(here.low):
        return "no interval"
    return f"95% interval {shown(here.low)} to {shown(here.high)}"


def _range(low: float, high: float) -> str:
    return f"{percent(max(low, 0))} to {percent(min(high, 1))}"


def _listed(parts: Sequence[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _few(runs: Sequence[int], of: int | None = None) -> str:
    shown = ", ".join(str(run) for run in runs[:NAMED_RUNS])
    left = (len(runs) if of is None else of) - min(len(runs), NAMED_RUNS)
    return f"run{_s(len(runs))} {shown}" + (f" and {left:,} more" if left > 0 else "")


def _s(count: int) -> str:
    return "" if count == 1 else "s"

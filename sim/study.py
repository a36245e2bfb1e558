"""What a study file may say: a scenario, what to vary and how often; and the points of its design.

A study is read as a scenario is, with every problem at its line and column. Each point of a design is a pure function
of (study, number of the point), so that workers compute their own points and memory does not grow with their number.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Discriminator, Field, FiniteFloat, Tag
from pydantic_core import PydanticCustomError

from sim import data, located, parameters
from sim.compile import compile_scenario
from sim.draws import name_key
from sim.errors import BadInput, Problem, Problems
from sim.located import Location, path_of
from sim.scenario import (
    Claims,
    Line,
    Loaded,
    Name,
    Outcome,
    Part,
    Scenario,
    as_data,
    nearest,
    parse,
    plain,
    quantities,
    read,
    settable,
    tidied,
    validated,
    with_numbers,
)

MOST_RUNS = 10_000_000  # without being told that more is meant
MOST_VALUES = 100_000
MOST_POINTS = 1_000_000_000
DRAWN = 2**32  # run numbers that the kernel knows
BASE = "base"
RANGED = "ranged"
EVERYTHING = "all"
OWN_COLUMNS = ("run", "variant", "point", "replicate")
Value = int | float | str
Words = ("from", "to", "steps")


# ---------------------------------------------------------------------------------------------------- what a file says


class Steps(Part):
    """Evenly spaced values, both ends among them."""

    from_: FiniteFloat = Field(alias="from", description="First value.", examples=[100])
    to: FiniteFloat = Field(description="Last value.", examples=[300])
    steps: int = Field(ge=2, le=MOST_VALUES, description="How many values, both ends among them.", examples=[5])


class Between(Part):
    """Any value between two, for designs that fill a space."""

    low: FiniteFloat = Field(description="Lowest value.", examples=[0.3])
    high: FiniteFloat = Field(description="Highest value.", examples=[0.6])


def _scalar(value: Any) -> Any:
    """A number or a word passes; anything else is told in one line instead of one for each type."""
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        raise PydanticCustomError("scalar", "must be a number or a word, or a list of them to vary it")
    return value


Scalar = Annotated[int | FiniteFloat | Annotated[str, Field(min_length=1, max_length=200)], BeforeValidator(_scalar)]


def _form(value: Any) -> str:
    """Which way of varying (or holding) a value is."""
    if isinstance(value, (list, tuple)):
        return "values"
    if isinstance(value, Steps) or (isinstance(value, dict) and any(word in value for word in Words)):
        return "spaced"
    return "between" if isinstance(value, (dict, Between)) else "held"


Varied = Annotated[
    Annotated[list[Scalar], Tag("values")]
    | Annotated[Steps, Tag("spaced")]
    | Annotated[Between, Tag("between")]
    | Annotated[Scalar, Tag("held")],
    Discriminator(_form),
]


Vary = Annotated[
    Annotated[Literal["ranged"], Tag("ranged")] | Annotated[dict[str, Varied], Tag("paths")],
    Discriminator(lambda value: "ranged" if isinstance(value, str) else "paths"),
]


class Variant(Part):
    """The scenario with some other values, beside the scenario as it is."""

    title: Line | None = Field(None, description="Name for tables and figures.", examples=["Recognised in May"])
    set: dict[str, Scalar] = Field(
        min_length=1, description="Values by path, as in --set.", examples=[{"taliban.control": 0.9}]
    )


class Study(Part):
    """A scenario, what to vary, how often, what to report."""

    study: Literal[1] = Field(description="Format version of the file.", examples=[1])
    title: Line = Field(description="What the study is about.", examples=["Credibility and recognition"])
    question: str | None = Field(
        None, max_length=2000, description="The question it answers.", examples=["Would Moscow recognise if ...?"]
    )
    claim: Claims | None = Field(
        None, description="Claims of the documents that raise the question.", examples=["FRS-041"]
    )
    scenario: Line = Field(
        description="A scenario file, sought beside this one and among the shipped.", examples=["takeover-2021"]
    )
    vary: Vary = Field(
        default_factory=dict,
        description="By path: a list of values, {from, to, steps}, {low, high}, or `ranged` for every number there "
        "that has a range; a plain value holds. `ranged` alone varies every number of the scenario that has one.",
        examples=[{"model.rationality": [100, 300], "taliban.control": {"low": 0.3, "high": 0.6}}],
    )
    design: Literal["grid", "latin_hypercube", "sobol", "saltelli", "list"] = Field(
        "grid",
        description="grid: all combinations; latin_hypercube, sobol: `points` points that fill the space; saltelli: "
        "`points` rows for Sobol indices; list: the points of a CSV `file`.",
        examples=["latin_hypercube"],
    )
    points: int | None = Field(
        None, ge=1, le=MOST_POINTS, description="Points of a latin_hypercube or sobol design, rows of a saltelli one.",
        examples=[1024],
    )  # fmt: skip
    file: Line | None = Field(
        None, description="CSV beside this file: paths in the first line, a point in every other.", examples=["a.csv"]
    )
    replicates: int = Field(1, ge=1, le=MOST_POINTS, description="Runs of each point.", examples=[200])
    seed: int = Field(1, ge=0, le=2**64 - 1, description="The same seed gives the same runs.", examples=[1])
    draws: Literal["common", "fresh"] | None = Field(
        None,
        description="common: every point has the same random numbers, so that points differ by mechanism alone; fresh: "
        "each its own, so that many points average over chance. Common for grid and list, fresh for the others, if "
        "left out; variants of a point always share theirs.",
        examples=["common"],
    )
    variants: dict[Name, Variant] = Field(
        default_factory=dict,
        description="Named sets of other values, run beside the scenario as it is (`base`) on the same random numbers.",
        examples=[{"accession": {"set": {"csto.union": 1}}}],
    )
    levers: list[str] = Field(
        default_factory=list,
        description="Axes that an actor could choose, against the uncertainties that nobody chooses.",
        examples=[["actors.russia.interests.borders.salience"]],
    )
    outcomes: list[Name] | None = Field(
        None,
        min_length=1,
        description="Outcomes of the scenario to report (all if left out); what is asked beside them is reported too.",
        examples=[["russia_recognises"]],
    )
    ask: dict[Name, Outcome] = Field(
        default_factory=dict,
        description="Outcomes that the scenario does not ask for, in its own form.",
        examples=[{"calm": {"end": "spillover", "at_most": 0.2}}],
    )
    parameters: Line | None = Field(
        None,
        description="Sets of parameters, beside this file, of which every run draws one (tightrope calibrate); what "
        "varies, is held or set by a variant stays as the study has it.",
        examples=["parameters.csv"],
    )
    keep: list[Literal["states", "acts", "beliefs", "events"]] = Field(
        default_factory=list, description="Tables to keep beside the outcomes.", examples=[["acts"]]
    )


def schema() -> dict[str, Any]:
    """JSON Schema of a study file as people write it, by which editors complete it."""
    described = Study.model_json_schema(by_alias=True, mode="validation")
    tidied(described)
    about = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tightrope study"}
    return about | described


@dataclass(frozen=True)
class Axis:
    """One thing that varies.

    path: as the study spells it, and the column's name. place: the one spelling of it. choices: its values, or None for
    any between low and high.
    """

    path: str
    place: str
    choices: tuple[Value, ...] | None
    low: float
    high: float
    lever: bool = False

    @property
    def numeric(self) -> bool:
        """Whether all its values are numbers."""
        return self.choices is None or not any(isinstance(value, str) for value in self.choices)

    def value(self, number: float) -> Value:
        """What stands in the study for one of `values`."""
        return float(number) if self.numeric or self.choices is None else self.choices[int(number)]

    def values(self, coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values, or indices of choices that are no numbers, at coordinates in [0, 1)."""
        if self.choices is None:
            return self.low + coordinates * (self.high - self.low)
        index = np.minimum((coordinates * len(self.choices)).astype(np.int64), len(self.choices) - 1)
        return np.array(self.choices, dtype=np.float64)[index] if self.numeric else index.astype(np.float64)


@dataclass(frozen=True)
class Asked:
    """A study with its scenario, all names resolved.

    scenario: what is held is set, what is asked beside its own outcomes is added. listed: (points, axes) choices of a
    `list` design, listing: its CSV. document: where the study's own words stand.
    """

    study: Study
    scenario: Scenario
    axes: tuple[Axis, ...]
    listed: NDArray[np.int64] | None
    listing: str | None
    document: located.Document
    notes: tuple[str, ...] = ()
    drawn: parameters.Drawn = parameters.NONE

    @cached_property
    def design(self) -> Design:
        return Design(self.study, self.axes, self.listed)

    @property
    def variants(self) -> list[str]:
        """The base first."""
        return [BASE, *self.study.variants]

    @property
    def outcomes(self) -> list[str]:
        """What is reported: the scenario's own outcomes, or those that are named, and all that is asked beside them."""
        named = self.study.outcomes
        return [name for name in self.scenario.outcomes if named is None or name in named or name in self.study.ask]

    @property
    def runs(self) -> int:
        return self.design.points * len(self.variants) * self.study.replicates

    def problem(self, at: Location, message: str, key: bool = False) -> Problem:
        """A problem with a place of the study file. key: of the key there, rather than the value."""
        return _problem(self.document, at, message, key)


# ------------------------------------------------------------------------------------------------------- its design


@dataclass(frozen=True)
class Design:
    """The points of a study: each computed from its number alone."""

    study: Study
    axes: tuple[Axis, ...]
    listed: NDArray[np.int64] | None = None

    @cached_property
    def points(self) -> int:
        if self.study.design == "grid":
            return math.prod(len(axis.choices or ()) for axis in self.axes)
        if self.listed is not None:
            return len(self.listed)
        rows = self.study.points or 1
        return rows * (len(self.axes) + 2) if self.study.design == "saltelli" else rows

    @property
    def common(self) -> bool:
        """Whether all points share their random numbers."""
        return (self.study.draws or ("common" if self.study.design in ("grid", "list") else "fresh")) == "common"

    def drawn(self, points: NDArray[np.int64], replicates: NDArray[np.int64]) -> NDArray[np.int64]:
        """The kernel's run number, which decides all chance, of each replicate of a point.

        The points of a row of a saltelli design share theirs: their differences are what the indices are made of.
        """
        if self.common:
            return replicates
        block = points // (len(self.axes) + 2) if self.study.design == "saltelli" else points
        return block * self.study.replicates + replicates

    def values(self, points: NDArray[np.int64]) -> NDArray[np.float64]:
        """(points, axes) what each axis is at each of these points: its number, or the index of its choice."""
        found = np.empty((points.size, len(self.axes)))
        for a, (axis, row) in enumerate(zip(self.axes, self._coordinates(points), strict=True)):
            found[:, a] = axis.values(row)
        return found

    def _coordinates(self, points: NDArray[np.int64]) -> Iterable[NDArray[np.float64]]:
        """For each axis the coordinates, in [0, 1), of these points."""
        if self.study.design == "latin_hypercube":
            return _latin(points, self.points, self.study.seed, [axis.path for axis in self.axes]).T
        if self.study.design == "sobol":
            return _sobol(points, len(self.axes), self.study.seed).T
        if self.study.design == "saltelli":
            return _saltelli(points, len(self.axes), self.study.seed).T
        return (
            (index + 0.5) / len(axis.choices or ()) for axis, index in zip(self.axes, self._index(points), strict=True)
        )

    def _index(self, points: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """For each axis the choice at these points of a grid, whose last axis changes fastest, or of a list."""
        if self.listed is not None:
            yield from self.listed[points].T
            return
        after = self.points
        for axis in self.axes:
            after //= len(axis.choices or ())
            yield points // after % len(axis.choices or ())


ROUNDS = 3
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits of 64-bit words stirred. Source: the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * _M1
    x = (x ^ (x >> np.uint64(27))) * _M2
    return x ^ (x >> np.uint64(31))


def _latin(points: NDArray[np.int64], of: int, seed: int, paths: Sequence[str]) -> NDArray[np.float64]:
    """(points, axes) a Latin hypercube: each of the `of` strata of an axis holds one point, at a random place within.

    The strata are a keyed permutation of the points' numbers, so that any point can be computed alone.
    Sources: McKay, Beckman & Conover 1979; a Feistel network over two unequal halves that is walked until it stays
    below `of` (Black & Rogaway 2002).
    """
    keys = np.array(
        [[name_key(f"{path}|{seed}|{n}") for path in paths] for n in range(2 * ROUNDS + 1)], dtype=np.uint64
    )
    left = np.uint64(math.isqrt(max(of - 1, 0)) + 1)
    right = np.uint64(-(-of // int(left)))

    def stirred(x: NDArray[np.uint64], axis: NDArray[np.int64]) -> NDArray[np.uint64]:
        a, b = x // right, x % right
        for n in range(ROUNDS):
            a = (a + _mixed(b + keys[2 * n][axis])) % left
            b = (b + _mixed(a + keys[2 * n + 1][axis])) % right
        return a * right + b

    axis = np.broadcast_to(np.arange(len(paths)), (points.size, len(paths)))
    number = np.broadcast_to(points.astype(np.uint64)[:, None], axis.shape)
    strata = stirred(number, axis)
    while (outside := strata >= np.uint64(of)).any():
        strata[outside] = stirred(strata[outside], axis[outside])
    within = _mixed(number + keys[-1]) >> np.uint64(11)
    return (strata.astype(np.float64) + within * 2.0**-53) / of


@lru_cache(maxsize=4)
def _directions(dimensions: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32], float]:
    """(dimensions,) the shift and (dimensions, bits) the direction numbers of SciPy's scrambled sequence, and its unit.

    SciPy itself only gives a point after all that precede it.
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    return sequence._shift, sequence._sv, sequence._scale


def _sobol(points: NDArray[np.int64], dimensions: int, seed: int) -> NDArray[np.float64]:
    """(points, dimensions) these points of a scrambled Sobol' sequence, each by the bits of its Gray code.

    Sources: Antonov & Saleev 1979; direction numbers of Joe & Kuo 2008; scrambling of Matousek 1998.
    """
    if not points.size or not dimensions:
        return np.empty((points.size, dimensions))
    shift, directions, unit = _directions(dimensions, seed)
    gray = points ^ (points >> 1)
    drawn = np.tile(shift, (points.size, 1))
    for bit in range(int(gray.max()).bit_length()):
        drawn[(gray >> bit) % 2 == 1] ^= directions[:, bit]
    return np.asarray(drawn * unit, dtype=np.float64)


def _saltelli(points: NDArray[np.int64], axes: int, seed: int) -> NDArray[np.float64]:
    """(points, axes) rows A, A with one column of B, ..., B. Source: Saltelli et al. 2010."""
    row, which = points // (axes + 2), points % (axes + 2)
    both = _sobol(row, 2 * axes, seed)
    a, b = both[:, :axes], both[:, axes:]
    taken = (which[:, None] == np.arange(1, axes + 1)[None, :]) | (which == axes + 1)[:, None]
    return np.where(taken, b, a)


# -------------------------------------------------------------------------------------------------------- reading


def find(source: str | Path) -> Path:
    """The file of a study: a path, or the name of a shipped one. Raises `Problems` offering the nearest."""
    path, shipped = Path(source), data.scenarios() / "studies"
    try:
        if path.is_file():
            return path
        if path.name == str(path):
            for name in (path.name, f"{path.name}.yaml"):
                if (shipped / name).is_file():
                    return _from_here(shipped / name)
    except (OSError, ValueError):
        pass
    names = [file.stem for file in shipped.glob("*.yaml")]
    shown = located.short(str(source), 100)
    raise Problems([Problem(shown, message=f"no such file, nor a shipped study{nearest(shown, names, 'shipped are')}")])


def _from_here(path: Path) -> Path:
    """The path as seen from the working folder, if it lies below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def is_study(source: str | Path) -> bool:
    """Whether a file, or a shipped name, is that of a study."""
    try:
        document, _ = located.examine(find(source))
    except Problems:
        return False
    return document is not None and isinstance(document.data, dict) and "study" in document.data


def load(source: str | Path, trusted: bool = False) -> Asked:
    """The study of a file or of a shipped name. Raises `Problems` with everything that is wrong.

    trusted: it was loaded before; whether the scenario takes the values is not tried again.
    """
    path = find(source)
    document, found = located.examine(path, str(path))
    if document is None:
        raise Problems(found)
    if not isinstance(document.data, dict) or "study" not in document.data:
        raise Problems([_problem(document, (), "no study: it begins with `study: 1` and names its `scenario`")])
    study, told = validated(Study, document)
    if study is None or found:
        raise _sorted([*found, *told])
    return _resolved(study, document, path, trusted)


def _resolved(study: Study, document: located.Document, path: Path, trusted: bool) -> Asked:
    reading = _Reading(study, document, path, trusted)
    asked = reading.asked()
    if reading.found or asked is None:
        raise _sorted(reading.found)
    return asked


def _sorted(found: Sequence[Problem]) -> Problems:
    found = list(dict.fromkeys(found))
    return Problems(sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0)))


def _problem(document: located.Document, at: Location, message: str, key: bool = False) -> Problem:
    by_key = key or at not in document.marks or document.is_block(at)
    mark = document.key(at) if by_key else document.mark(at)
    return Problem(mark.file, mark.line, mark.column, located.short(path_of(at), 150) or None, message)


class _Reading:
    """One study file on its way to `Asked`: gathers every problem."""

    def __init__(self, study: Study, document: located.Document, path: Path, trusted: bool) -> None:
        self.study, self.document, self.path, self.trusted = study, document, path, trusted
        self.found: list[Problem] = []
        self.notes: list[str] = []
        self.listing: str | None = None

    def tell(self, at: Location, message: str, key: bool = False) -> None:
        """key: whether the key is at fault rather than the value."""
        self.found.append(_problem(self.document, at, message, key))

    def asked(self) -> Asked | None:
        self._twice()
        loaded = self._scenario()
        if loaded is None:
            return None
        scenario = self._questions(loaded.scenario) or loaded.scenario
        axes, held = self._axes(scenario)
        listed: NDArray[np.int64] | None = None
        if self.study.design == "list":
            added, listed = self._list(scenario)
            axes += added
        elif self.study.file is not None:
            self.tell(("file",), "is read by `design: list` only; leave it out, or say so")
        self._places(scenario, axes)
        self._fits(axes)
        self._levers(axes)
        stated = {found.path for found in quantities(scenario)}
        known = self.trusted and all(axis.place in stated for axis in axes)
        axes = self._whole(scenario if known else self._extremes(scenario, axes), axes)
        if self.found:
            return None
        levers = {settable(scenario, path) for path in self.study.levers}
        axes = [Axis(a.path, a.place, a.choices, a.low, a.high, a.place in levers) for a in axes]
        base = self._held(scenario, held)
        if base is not None and not self.trusted:
            self._variants(base, axes)
        if self.found or base is None:
            return None
        drawn = self._drawn(loaded, base, held)
        if self.found:
            return None
        asked = Asked(self.study, base, tuple(axes), listed, self.listing, self.document, tuple(self.notes), drawn)
        if asked.design.points * self.study.replicates > DRAWN:
            self.tell((), f"asks for {asked.runs:,} runs; at most {DRAWN:,} can be told apart")
        return asked

    def _twice(self) -> None:
        """What a list names a second time."""
        for word in ("levers", "outcomes", "keep"):
            named = getattr(self.study, word) or []
            for n, name in enumerate(named):
                if name in named[:n]:
                    self.tell((word, n), f"{_text(name)} stands here a second time; remove one")

    def _scenario(self) -> Loaded | None:
        """The scenario, beside the study or among the shipped."""
        beside = self.path.parent / self.study.scenario
        try:
            for path in (beside, beside.with_name(f"{beside.name}.yaml")):
                if path.is_file():
                    return read(path)
        except OSError:
            pass
        try:
            return read(self.study.scenario)
        except Problems as error:
            if any(problem.line is not None for problem in error.problems):
                raise
            self.tell(("scenario",), error.problems[0].message)
        return None

    def _drawn(self, loaded: Loaded, base: Scenario, held: Mapping[str, Value]) -> parameters.Drawn:
        """The parameter sets that runs draw from."""
        if self.study.parameters is None:
            return parameters.NONE
        path = self.path.parent / self.study.parameters
        fixed = [settable(base, place) for place in held]
        try:
            drawn = parameters.fitted(parameters.read(path), loaded, compile_scenario(base), fixed, str(path))
        except BadInput as error:
            self.tell(("parameters",), str(error))
            return parameters.NONE
        self.notes += drawn.notes
        return drawn

    def _questions(self, scenario: Scenario) -> Scenario | None:
        """The scenario with what is asked beside its own outcomes."""
        study = self.study
        for name in study.ask:
            if name in scenario.outcomes:
                self.tell(("ask", name), "the scenario asks this already; give it another name")
        for n, name in enumerate(study.outcomes or ()):
            if name not in scenario.outcomes and name not in study.ask:
                known = [*scenario.outcomes, *study.ask]
                self.tell(("outcomes", n), f'no outcome "{name}"{nearest(name, known)}')
        if not (study.ask or scenario.outcomes):
            self.tell(("scenario",), "the scenario asks for no outcome; `ask` for one")
        if self.found or not study.ask:
            return scenario
        raw = as_data(scenario)
        raw.setdefault("outcomes", {}).update({name: as_data(outcome) for name, outcome in study.ask.items()})
        try:
            return parse(raw)
        except Problems as error:
            for problem in error.problems:
                place = (problem.path or "").replace("outcomes.", "ask.", 1)
                self.tell(self.document.places.get(place, ("ask",)), problem.message)
            return None

    def _axes(self, scenario: Scenario) -> tuple[list[Axis], dict[str, Value]]:
        """What varies, and what is held."""
        vary = {EVERYTHING: RANGED} if self.study.vary == RANGED else self.study.vary
        assert isinstance(vary, Mapping)
        places: dict[str, str] = {}
        for path, how in vary.items():
            if how == RANGED:
                continue
            try:
                places[path] = settable(scenario, path)
            except Problems as error:
                self.tell(("vary", path), error.problems[0].message, key=True)
        axes, held = [], {}
        for path, how in vary.items():
            if how == RANGED:
                axes += self._ranged(scenario, path, set(places.values()))
            elif isinstance(how, (float, int, str)) and path in places:
                held[path] = how
            elif path in places:
                axes += self._axis(path, places[path], how)
        return axes, held

    def _axis(self, path: str, place: str, how: Any) -> list[Axis]:
        """The axis that a list, steps or bounds ask for; none if there is something wrong with it."""
        at = ("vary", path)
        if place.startswith("outcomes."):
            self.tell(at, "an outcome is a question and moves nothing; `ask` another beside it")
        elif isinstance(how, list):
            twice = next((n for n, value in enumerate(how) if value in how[:n]), None)
            if not how:
                self.tell(at, "is empty; write values, or leave it out")
            elif len(how) == 1:
                self.tell(at, f"has one value and varies nothing; to hold it write {_text(how[0])} without brackets")
            elif twice is not None:
                self.tell((*at, twice), f"{_text(how[twice])} stands here a second time; remove one")
            elif len(how) > MOST_VALUES:
                self.tell(at, f"has {len(how):,} values; at most {MOST_VALUES:,}")
            else:
                return [_chosen(path, place, how)]
        elif isinstance(how, Steps):
            if how.from_ == how.to:
                self.tell(at, f"{plain(how.from_)} to {plain(how.to)} varies nothing; write two different ends")
            else:
                return [_chosen(path, place, [float(f"{v:.12g}") for v in np.linspace(how.from_, how.to, how.steps)])]
        elif how.low >= how.high:
            shown = f"{plain(how.low)} to {plain(how.high)}"
            back = "varies nothing" if how.low == how.high else "runs backwards"
            self.tell(at, f"{shown} {back}; low must be below high")
        else:
            return [Axis(path, place, None, how.low, how.high)]
        return []

    def _ranged(self, scenario: Scenario, path: str, apart: set[str]) -> list[Axis]:
        """Every number at or below a path that has a range; not those that are axes of their own."""
        owners = compile_scenario(scenario).owners
        found: list[Axis] = []
        idle = 0
        for number in quantities(scenario):
            bounds, inside = number.quantity.range, number.path
            if bounds is None or bounds[0] == bounds[1] or inside.startswith("outcomes.") or inside in apart:
                continue
            if path == EVERYTHING or inside == path or inside.startswith((f"{path}.", f"{path}[")):
                if number.bounds.whole:  # a depth too, which is no number that a compiled scenario can change
                    found.append(_chosen(inside, inside, _each(*bounds)))
                elif inside in owners:
                    found.append(Axis(inside, inside, None, bounds[0], bounds[1]))
                else:
                    idle += 1
        if idle:
            self.notes.append(f"{idle} numbers with a range are of no effect in this scenario and stay as they are")
        if not found:
            at: Location = ("vary",) if self.study.vary == RANGED else ("vary", path)
            self.tell(at, "no number with a range stands here; write {low, high}, or another path")
        return found

    def _list(self, scenario: Scenario) -> tuple[list[Axis], NDArray[np.int64] | None]:
        """The axes and points of a CSV."""
        if self.study.file is None:
            self.tell(("design",), "a list design reads its points from a `file`; write for example `file: points.csv`")
            return [], None
        path = self.path.parent / self.study.file
        name = str(path)
        try:
            self.listing = located.read_text(path, name)
            rows = list(csv.reader(io.StringIO(self.listing)))
        except (Problems, csv.Error) as error:
            told = error.problems[0].message if isinstance(error, Problems) else str(error)
            self.tell(("file",), f"{name}: {told.replace('a YAML file', 'a CSV file')}")
            return [], None
        header = [word.strip() for word in rows[0]] if rows else []
        points = [(n, row) for n, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
        if not header or not points:
            self.tell(("file",), f"{name}: holds no points; write paths in the first line and a point in every other")
            return [], None
        if len(header) == 1 and any(mark in header[0] for mark in (";", "\t")):
            self.found.append(Problem(name, 1, 1, None, "columns must be separated by commas"))
            return [], None
        values: list[list[Value]] = [[] for _ in header]
        for line, row in points:
            if len(row) != len(header):
                message = f"{len(row)} values under {len(header)} paths"
                self.found.append(Problem(name, line, 1, None, message))
                continue
            for column, cell in enumerate(row):
                try:
                    value = located.scalar(cell.strip())
                    if value is None or isinstance(value, bool):
                        raise ValueError("must be a number or a word")
                    values[column].append(value)
                except ValueError as error:
                    shown, rule = located.short(cell.strip()), str(error)
                    told = f"{shown} {rule}" if shown else "nothing stands here; must be a number or a word"
                    self.found.append(Problem(name, line, None, header[column], told))
        axes = []
        for word in header:
            try:
                axes.append((word, settable(scenario, word)))
            except Problems as error:
                self.found.append(Problem(name, 1, None, located.short(word), error.problems[0].message))
        if self.found:
            return [], None
        listed = np.empty((len(points), len(header)), dtype=np.int64)
        chosen = []
        for column, (word, place) in enumerate(axes):
            kinds = list(dict.fromkeys(values[column]))
            index = {value: n for n, value in enumerate(kinds)}
            listed[:, column] = [index[value] for value in values[column]]
            chosen.append(_chosen(word, place, kinds))
        again = len(points) - len(np.unique(listed, axis=0))
        if again:
            self.notes.append(f"{again} of the {len(points)} points of {name} stand there more than once")
        return chosen, listed

    def _places(self, scenario: Scenario, axes: Sequence[Axis]) -> None:
        """No two axes that are one and the same, and none with the name of another column."""
        seen: dict[str, str] = {}
        outcomes = {*self.study.ask, *(self.study.outcomes or scenario.outcomes)}
        for name in outcomes.intersection(OWN_COLUMNS):
            at: Location = ("ask", name) if name in self.study.ask else ("scenario",)
            self.tell(at, f'a column of the results is called "{name}"; give the outcome another name')
        for axis in axes:
            at = ("vary", axis.path)
            if axis.place in seen:
                self.tell(at, f"overlaps with {seen[axis.place]}: both vary {axis.place}; remove one", key=True)
            seen.setdefault(axis.place, axis.path)
            if axis.path in outcomes or axis.path in OWN_COLUMNS:
                self.tell(at, f'a column of the results is called "{axis.path}"; write set.{axis.path}')

    def _fits(self, axes: Sequence[Axis]) -> None:
        """What the design asks of the axes, and of the number of points."""
        study = self.study
        if study.design in ("grid", "list"):
            if study.points is not None:
                self.tell(("points",), f"a {study.design} has as many points as it has; leave it out")
            if study.design == "list" and len(axes) > 0 and not isinstance(study.vary, str):
                for path, how in study.vary.items():
                    if how == RANGED or not isinstance(how, (float, int, str)):
                        self.tell(
                            ("vary", path), "a list design varies what its file says; hold a value, or leave it out"
                        )
            for axis in axes:
                if axis.choices is None and study.design == "grid":
                    at: Location = ("vary", axis.path)
                    if at not in self.document.marks:
                        at = ("vary",)
                    self.tell(at, "a grid needs values: a list or {from, to, steps}; or take latin_hypercube")
                    break
            return
        if study.points is None:
            self.tell(("design",), f"{study.design} needs a number of points; write for example `points: 1024`")
        elif study.design != "latin_hypercube" and study.points & (study.points - 1):
            below = 1 << (study.points.bit_length() - 1)
            self.tell(("points",), f"{study.points} is no power of two, which Sobol' sequences need; "
                      f"write {below} or {2 * below}")  # fmt: skip
        if not axes:
            self.tell(("vary",) if study.vary else ("design",), f"{study.design} needs something to vary")

    def _levers(self, axes: Sequence[Axis]) -> None:
        paths = {axis.path for axis in axes} | {axis.place for axis in axes}
        for n, path in enumerate(self.study.levers):
            if path not in paths:
                near = nearest(path, [axis.path for axis in axes], "axes are")
                self.tell(("levers", n), f"{_text(path)} is no axis{near}")

    def _held(self, scenario: Scenario, held: Mapping[str, Value]) -> Scenario | None:
        """The scenario with what is held set."""
        return self._with(scenario, held, lambda path: ("vary", path)) if held else scenario

    def _whole(self, lowest: Scenario | None, axes: list[Axis]) -> list[Axis]:
        """The axes, those of whole numbers with each as a choice. lowest: the scenario at the lowest of all."""
        whole = {found.path for found in quantities(lowest or ()) if found.bounds.whole}
        kept = []
        for axis in axes:
            broken = [value for value in axis.choices or () if not isinstance(value, str) and value != int(value)]
            if axis.place not in whole:
                kept.append(axis)
            elif broken:
                self.tell(("vary", axis.path), f"{plain(broken[0])} is no whole number, as this must be")
            elif axis.choices is None:
                kept.append(_chosen(axis.path, axis.place, _each(axis.low, axis.high)))
            else:
                kept.append(axis)
        return kept

    def _extremes(self, base: Scenario, axes: Sequence[Axis]) -> Scenario | None:
        """The lowest and the highest of every axis, and every word, as the scenario takes them; with the lowest."""
        where = {axis.path: ("vary", axis.path) for axis in axes}

        def place(path: str) -> Location:
            at = where.get(path, ("vary",))
            return at if at in self.document.keys else ("file",) if self.study.file else ("vary",)

        numeric = [axis for axis in axes if axis.numeric]
        lowest, _ = [
            self._with(base, {axis.path: getattr(axis, bound) for axis in numeric}, place) for bound in ("low", "high")
        ]
        for axis in axes:
            if not axis.numeric:
                for value in axis.choices or ():
                    self._with(base, {axis.path: value}, place)
        return lowest

    def _variants(self, base: Scenario, axes: Sequence[Axis]) -> None:
        taken = {axis.place: axis.path for axis in axes}
        for name, variant in self.study.variants.items():
            if name == BASE:
                self.tell(("variants", name), "base is the scenario as it is; give the variant another name")
            for path in variant.set:
                try:
                    place_ = settable(base, path)
                except Problems as error:
                    self.tell(("variants", name, "set", path), error.problems[0].message, key=True)
                else:
                    if place_ in taken:
                        self.tell(
                            ("variants", name, "set", path), f"varies already, as {taken[place_]}; remove one", key=True
                        )

            def place(path: str, name: str = name) -> Location:
                return ("variants", name, "set", path)

            if not self.found:
                self._with(base, variant.set, place)

    def _with(self, scenario: Scenario, values: Mapping[str, Value], place: Any) -> Scenario | None:
        """The scenario with other values; None, and told, where it does not take them."""
        try:
            return changed(scenario, values)
        except Problems as error:
            for problem in error.problems:
                path = next((p for p in values if problem.path and problem.path.startswith(p)), None)
                if path is not None:
                    self.tell(place(path), problem.message)
                else:
                    self.tell(place(next(iter(values))), f"{problem.path}: {problem.message}")
        return None


def changed(scenario: Scenario, values: Mapping[str, Value]) -> Scenario:
    """The scenario with other values, also beyond their ranges. Raises `Problems`."""
    plainly = {path: plain(value) if isinstance(value, float) else value for path, value in values.items()}
    return with_numbers(scenario, plainly, widen=True) if plainly else scenario


def _chosen(path: str, place: str, values: Sequence[Value]) -> Axis:
    """An axis of these values."""
    known = [float(value) for value in values if not isinstance(value, str)]
    return Axis(path, place, tuple(values), min(known, default=0.0), max(known, default=0.0))


def _each(low: float, high: float) -> list[Value]:
    """The whole numbers from one to another."""
    return [float(value) for value in range(int(low), int(high) + 1)]


def _text(value: Value) -> str:
    return f'"{located.short(value)}"' if isinstance(value, str) else str(plain(value))

"""A number of a file, where it comes from and what it may be: what every block of every kind of file is made of.

Every number is a `Quantity`, so that it can say where it comes from (`claim` or `assumption`) and how uncertain it is
(`range`); a plain number is short for one. `numbers` gives every number of a file with its path, `as_data` what reads
back to the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, FiniteFloat, Tag
from pydantic_core import PydanticCustomError

from sim.located import Location, path_of

NAME = r"^[a-z][a-z0-9_]*$"
PATH = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}$"
CLAIM = r"^[A-Z]{2,8}-[0-9]{3,4}$"
LINE = r"^[^\r\n]*$"
LARGEST = 1e15

Name = Annotated[str, Field(pattern=NAME, max_length=60)]
Path = Annotated[str, Field(pattern=PATH, max_length=190)]
Line = Annotated[str, Field(pattern=LINE, min_length=1, max_length=200)]


@dataclass(frozen=True)
class Short:
    """Marks a form that has a shorter one, for the JSON Schema."""

    form: tuple[str, ...]

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        short = [{"type": name} for name in self.form]
        return {"anyOf": [*short, handler(core)]}


@dataclass(frozen=True)
class Bounds:
    """What the value of a number may be. below, above: whether the bound itself is left out. rung: a name may stand.
    whole: whether only the few whole numbers of a range may stand."""

    low: float = -LARGEST
    high: float = LARGEST
    above: bool = False
    below: bool = False
    rung: bool = False
    whole: bool = False

    def holds(self, value: float) -> bool:
        """Whether the value keeps to the bounds."""
        within = (self.low < value if self.above else self.low <= value) and (
            value < self.high if self.below else value <= self.high
        )
        return within and not (self.whole and value != int(value))

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        described = handler(core)
        for short in _inner_numbers(described):
            if self.low > -LARGEST:
                short["exclusiveMinimum" if self.above else "minimum"] = plain(self.low)
            if self.high < LARGEST:
                short["exclusiveMaximum" if self.below else "maximum"] = plain(self.high)
            if self.whole:
                short["multipleOf"] = 1
        return described

    def __str__(self) -> str:
        low, high = plain(self.low), plain(self.high)
        if self.whole:
            *first, last = map(str, range(int(low), int(high) + 1))
            return f"{', '.join(first)} or {last}"
        if self.high >= LARGEST:
            return f"greater than {low}" if self.above else f"{low} or more"
        if not self.above and not self.below:
            return f"{low}..{high}"
        beginning = "greater than" if self.above else "at least"
        return f"{beginning} {low} and {'less than' if self.below else 'at most'} {high}"


def _inner_numbers(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plain numbers among the forms of a JSON Schema."""
    if described.get("type") == "number":
        yield described
    for form in described.get("anyOf", []):
        yield from _inner_numbers(form)


SHARE = Bounds(0, 1)
ANY = Bounds()
LEVEL = Bounds(rung=True)
POSITIVE = Bounds(low=0, above=True)
COUNT = Bounds(low=0)
SWITCH = Bounds(0, 1, whole=True)
DEPTH = Bounds(0, 2, whole=True)


def plain(value: float) -> float | int:
    """A whole number without its `.0`, as a reader writes it."""
    return int(value) if value == int(value) and abs(value) <= LARGEST else value


def _listed(value: Any) -> Any:
    """One item is short for a list of one."""
    return [value] if isinstance(value, str) else value


Claims = Annotated[
    list[Annotated[str, Field(pattern=CLAIM)]],
    Field(min_length=1, max_length=100),
    BeforeValidator(_listed),
    Short(("string",)),
]
Names = Annotated[list[Name], BeforeValidator(_listed), Short(("string",))]
Selector = Annotated[list[Name], Field(min_length=1), BeforeValidator(_listed), Short(("string",))]
Pair = Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]


class Part(BaseModel):
    """Anything in a scenario file: no unknown keys, no silent conversions, no changes after reading."""

    whole: ClassVar[bool] = False  # a whole file, whose settings are written out even where they are the usual ones
    lone: ClassVar[str | None] = None  # the field whose value alone is short for a part that says nothing else
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Sourced(Part):
    """A block whose numbers rest on a claim of the documents or on a stated assumption."""

    claim: Claims | None = Field(
        None,
        description="Claim ids of seeds/claims.yaml that the numbers in this block rest on: one, or a list.",
        examples=["FRS-041", ["FRS-130", "FRS-167"]],
    )
    assumption: str | None = Field(
        None,
        min_length=3,
        max_length=2000,
        description="Why the numbers in this block are what they are, where no document says it.",
        examples=["one great power is a quarter of the way"],
    )


def _scalar(value: Any) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def _value(value: Any) -> Any:
    """A number or a word passes; anything else is told in one line instead of one for each type."""
    if not _scalar(value) or (isinstance(value, str) and not re.fullmatch(NAME, value)):
        raise PydanticCustomError("number", "must be a number")
    return value


class Quantity(Sourced):
    """A number (or, on a ladder, the name of a rung) with its source and its plausible range."""

    lone: ClassVar[str | None] = "value"
    value: Annotated[FiniteFloat | Name, BeforeValidator(_value)] = Field(
        description="The number; on a ladder also the name of a rung.", examples=[0.45, "mission"]
    )
    range: Pair | None = Field(
        None,
        description="Lowest and highest plausible value: what a study varies, and where explanations look for a flip.",
        examples=[[0.35, 0.55]],
    )


def _quantity(value: Any) -> Any:
    """A plain number or rung name is short for {value: ...}."""
    if value is None or isinstance(value, (bool, list)):
        raise PydanticCustomError("number", "must be a number")
    return {"value": value} if _scalar(value) else value


Number = Annotated[Quantity, BeforeValidator(_quantity), Short(("number",))]
Level = Annotated[Quantity, BeforeValidator(_quantity), Short(("number", "string"))]


def _numbers(value: Any) -> Any:
    """A plain number, or a quantity, is short for {default: ...}."""
    if value is None or isinstance(value, (bool, list)):
        raise PydanticCustomError("number", "must be a number")
    if _scalar(value):
        return {"default": value}
    if isinstance(value, dict) and "value" in value and "default" not in value:
        own = {key: value[key] for key in ("value", "range", "claim", "assumption") if key in value}
        return {"default": own, **{key: item for key, item in value.items() if key not in own}}
    return value


class PerName(Sourced):
    """Numbers by actor, tag or pair (`russia`, `west`, `west.taliban`); `default` stands for all others.

    A name beats a tag and a pair of names beats a name and a tag; equally exact keys that both hold must agree.
    """

    lone: ClassVar[str | None] = "default"
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Level]

    @property
    def by_name(self) -> dict[str, Quantity]:
        """The quantities by key, `default` among them, in the order of the file, which means nothing."""
        return self.__pydantic_extra__


PerActor = Annotated[PerName, BeforeValidator(_numbers), Short(("number",))]
LevelPerActor = Annotated[PerName, BeforeValidator(_numbers), Short(("number", "string"))]


class Not(Part):
    """The distance that remains: one minus the named share."""

    not_: Path = Field(
        alias="not",
        description="Indicator or capability whose share is subtracted from 1.",
        examples=["self.repute"],
    )


Factor = Annotated[
    Annotated[Path, Tag("path")] | Annotated[Not, Tag("not")],
    Discriminator(lambda value: "not" if isinstance(value, (dict, Not)) else "path"),
]
Factors = list[Factor]
TIMES = (
    "Indicators (as a share of their range, 0..1) or capabilities (`self.finance`) that multiply this number, read at "
    "the start of the turn. {not: path} multiplies by what is missing to the upper end."
)
TIMES_EXAMPLES: list[Any] = [["target.control", {"not": "world_attention"}]]


class Scaled(PerName):
    """A number per actor that may be multiplied by indicators and capabilities."""

    times: Factors = Field(default_factory=list, description=TIMES, examples=TIMES_EXAMPLES)


ScaledNumber = Annotated[Scaled, BeforeValidator(_numbers), Short(("number",))]


# --------------------------------------------------------------------------------- every number, and its path


@dataclass(frozen=True)
class Entry:
    """One number of a scenario. claim, assumption: its own, or those of the nearest block around it that has any."""

    path: str
    quantity: Quantity
    claim: list[str] | None
    assumption: str | None


@dataclass(frozen=True)
class Found:
    """A quantity, where it stands in the data, its source, and what its value may be."""

    at: Location
    quantity: Quantity
    source: Sourced | None
    bounds: Bounds

    @property
    def path(self) -> str:
        """Its place as users write it."""
        return path_of(self.at)


def numbers(whole: Part) -> list[Entry]:
    """Every number of a scenario, those filled in by the models included.

    path: its place in the file, such as `actors.russia.interests.borders.salience` or `actions.visit.effects[0].add`,
    with `.value` and `.default` left out.
    """
    return [
        Entry(
            found.path,
            found.quantity,
            found.source.claim if found.source else None,
            found.source.assumption if found.source else None,
        )
        for found in quantities(whole)
    ]


def quantities(value: Any) -> list[Found]:
    """Every quantity in a part of a scenario, in the order of the models and of the file."""
    found: list[Found] = []
    _gather(found, value, (), None, ANY)
    return found


def _gather(found: list[Found], value: Any, at: Location, source: Sourced | None, bounds: Bounds) -> None:
    """Adds the quantities of a part. source, bounds: of the nearest block around it that has any."""
    if isinstance(value, Sourced) and (value.claim or value.assumption):
        source = value
    if isinstance(value, Quantity):
        found.append(Found(at, value, source, bounds))
        return
    items: Iterable[tuple[str | int, Any]]
    limits: Mapping[str | int, Bounds] = {}
    if isinstance(value, Part):
        limits = _limits(type(value))
        items = [(field.alias or name, getattr(value, name)) for name, field in type(value).model_fields.items()]
        items += (value.model_extra or {}).items()
    else:
        items = value.items() if isinstance(value, dict) else enumerate(value)
    for word, item in items:
        if isinstance(item, (Part, dict, list)):
            _gather(found, item, (*at, word), source, limits.get(word, bounds))


@cache
def _limits(kind: type[Part]) -> dict[str | int, Bounds]:
    """What the numbers in the fields of a kind of part may be, by the field's key in the file."""
    return {
        field.alias or name: item
        for name, field in kind.model_fields.items()
        for item in field.metadata
        if isinstance(item, Bounds)
    }


@cache
def _left_out(kind: type[Part], name: str) -> Any:
    """What a field that is left out reads as, in plain data."""
    return as_data(kind.model_fields[name].get_default(call_default_factory=True))


def as_data(value: Any) -> Any:
    """A scenario, or a part of it, as plain data that reads back to the same: what need not be said is left out."""
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, list):
        return [as_data(item) for item in value]
    if isinstance(value, dict):
        return {key: as_data(item) for key, item in value.items()}
    if not isinstance(value, Part):
        return value
    data = {}
    for name, field in type(value).model_fields.items():
        item = as_data(getattr(value, name))
        if item == [] or item == {}:
            idle = item == _left_out(type(value), name)
        else:
            idle = item is None or (item == field.default and not value.whole)
        if not idle:
            data[field.alias or name] = item
    data |= {key: as_data(item) for key, item in (value.model_extra or {}).items()}
    data |= {key: data.pop(key) for key in ("times", "claim", "assumption") if key in data}
    lone = value.lone
    return data[lone] if lone and list(data) == [lone] and not isinstance(data[lone], dict) else data

"""What a scenario may say: frozen models, the names in them, and how a file becomes one.

Data in YAML, formulas in Python: nothing in a scenario is evaluated. Every number is a `Quantity`, so that it can
say where it comes from (`claim` or `assumption`) and how uncertain it is (`range`); a plain number is short for one.

In order: the models; whom and what names stand for (`members`, `slots`, `pick`, `expand`); the calendar; every number
with its path (`numbers`, `with_numbers`); what the models cannot see (`problems`); reading (`find`, `read`, `parse`);
the JSON Schema (`schema`).
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import difflib
import itertools
import json
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    Tag,
    ValidationError,
)  # fmt: skip
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from sim import data, located
from sim.errors import Problem, Problems
from sim.located import Location, path_of

FORMAT = 1
NAME = r"^[a-z][a-z0-9_]*$"
PATH = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}$"
DATE = r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$"
CAMEO = r"^[0-9]{2,4}$"
CLAIM = r"^[A-Z]{2,8}-[0-9]{3,4}$"
LINE = r"^[^\r\n]*$"
LARGEST = 1e15

Name = Annotated[str, Field(pattern=NAME, max_length=60)]
Path = Annotated[str, Field(pattern=PATH, max_length=190)]
Date = Annotated[str, Field(pattern=DATE)]
Cameo = Annotated[str, Field(pattern=CAMEO)]
Line = Annotated[str, Field(pattern=LINE, min_length=1, max_length=200)]
Plover = Literal[
    "AGREE", "CONSULT", "SUPPORT", "COOPERATE", "AID", "CONCEDE", "RETREAT", "ACCUSE", "REQUEST", "REJECT",
    "THREATEN", "PROTEST", "MOBILIZE", "SANCTION", "COERCE", "ASSAULT", "NONE",
]  # fmt: skip
Policy = Literal["quantal", "best", "random", "frozen"]


@dataclass(frozen=True)
class Short:
    """Marks a form that has a shorter one, for the JSON Schema."""

    form: tuple[str, ...]

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        short = [{"type": name} for name in self.form]
        return {"anyOf": [*short, handler(core)]}


@dataclass(frozen=True)
class Bounds:
    """What the value of a number may be. below, above: whether the bound itself is left out. rung: a name may stand."""

    low: float = -LARGEST
    high: float = LARGEST
    above: bool = False
    below: bool = False
    rung: bool = False

    def holds(self, value: float) -> bool:
        """Whether the value keeps to the bounds."""
        return (self.low < value if self.above else self.low <= value) and (
            value < self.high if self.below else value <= self.high
        )

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        described = handler(core)
        for short in _inner_numbers(described):
            if self.low > -LARGEST:
                short["exclusiveMinimum" if self.above else "minimum"] = plain(self.low)
            if self.high < LARGEST:
                short["exclusiveMaximum" if self.below else "maximum"] = plain(self.high)
        return described

    def __str__(self) -> str:
        low, high = plain(self.low), plain(self.high)
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
Selector = Annotated[list[Name], Field(min_length=1), BeforeValidator(_listed), Short(("string",))]
Pair = Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]


class Part(BaseModel):
    """Anything in a scenario file: no unknown keys, no silent conversions, no changes after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Kind = TypeVar("Kind", bound=Part)


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

    A name beats a tag and a pair of names beats a name and a tag; of equally exact keys the later one holds.
    """

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    __pydantic_extra__: dict[str, Level]

    @property
    def by_name(self) -> dict[str, Quantity]:
        """The quantities by key, `default` among them, in the order of the file."""
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


class Indicator(Sourced):
    """A named number that the world is measured by."""

    scope: Literal["world", "actor", "dyad"] = Field(
        description="`world`: one number; `actor`: one per actor of `of`; `dyad`: one per pair `from` -> `to`.",
        examples=["dyad"],
    )
    title: Line | None = Field(None, description="Name for figures and tables.", examples=["Rung of engagement"])
    of: Selector | None = Field(
        None, description="Scope actor: the actors or tags that have it (all if left out).", examples=["state"]
    )
    from_: Selector | None = Field(
        None,
        alias="from",
        description="Scope dyad: who has it towards another (all if left out).",
        examples=[["west", "russia"]],
    )
    to: Selector | None = Field(None, description="Scope dyad: towards whom (all if left out).", examples=["taliban"])
    range: Pair | None = Field(
        None, description="Lowest and highest value (0 and 1 if left out; regard has -1 and 1).", examples=[[-1, 1]]
    )
    zero: Line | None = Field(None, description="What the lowest value means.", examples=["no presence"])
    one: Line | None = Field(None, description="What the highest value means.", examples=["contests the government"])
    ladder: Annotated[list[Name], Field(min_length=2, max_length=60)] | None = Field(
        None,
        description="Named rungs, lowest first; the value is a whole number from 0 in tables, a name in files.",
        examples=[["none", "talks", "mission", "recognition"]],
    )
    start: Annotated[LevelPerActor, LEVEL] = Field(
        description="Value at the start: a number or rung, or one per actor, tag or pair.",
        examples=[0.45, {"default": "none", "pakistan.taliban": "dealings"}],
    )
    rest: Annotated[LevelPerActor | None, LEVEL] = Field(
        None, description="Level it is pulled to (its start if left out).", examples=[0.3]
    )
    pull: Annotated[Number | None, SHARE] = Field(
        None, description="Share of the distance to `rest` that is lost each turn, 0..1.", examples=[0.08]
    )
    noise: Annotated[Number | None, COUNT] = Field(
        None, description="Standard deviation of the random change each turn, in its unit.", examples=[0.02]
    )


class Position(Part):
    """An ideal point that moves: an indicator that is read at the start of each turn."""

    of: Path = Field(description="The indicator that holds the ideal point.", examples=["self.stance"])


def _ideal(value: Any) -> Any:
    return value if isinstance(value, (Quantity, Position)) else _quantity(value)


def _ideal_tag(value: Any) -> str:
    moves = isinstance(value, Position) or (isinstance(value, dict) and "of" in value)
    return "position" if moves else "number"


Ideal = Annotated[Annotated[Quantity, Tag("number")] | Annotated[Position, Tag("position")], Discriminator(_ideal_tag)]


class Interest(Sourced):
    """What an actor wants of one indicator."""

    of: Path = Field(
        description="The indicator: `name`, `actor.name`, `from.to.name`; `self` is the actor.",
        examples=["taliban.control", "self.repute"],
    )
    ideal: Annotated[Ideal, BeforeValidator(_ideal), Short(("number", "string")), LEVEL] = Field(
        description="Ideal point: a number, a rung, or {of: path}, a position that is read each turn.",
        examples=[0, "recognition", {"of": "self.stance"}],
    )
    salience: Annotated[Number, SHARE] = Field(
        description="How much it matters, 0..1 (1: nothing matters more); not normalised.", examples=[0.8]
    )


class Actor(Sourced):
    """One who decides."""

    title: Line | None = Field(None, description="Name for figures and tables.", examples=["The Taliban"])
    tags: list[Name] = Field(
        default_factory=list,
        max_length=100,
        description="Words by which one line speaks of several actors.",
        examples=[["state", "neighbour"]],
    )
    rationality: Annotated[Number | None, COUNT] = Field(
        None, description="Lambda >= 0 of quantal response, per unit of utility.", examples=[175]
    )
    foresight: Annotated[Number | None, Bounds(0, 1, below=True)] = Field(
        None, description="Gamma, 0 (myopic) to below 1: weight of the next turn.", examples=[0.6]
    )
    risk: Annotated[Number | None, Bounds(0, 100, above=True)] = Field(
        None, description="Risk exponent rho > 0 of the loss |x - ideal|^rho; 2 by default.", examples=[2]
    )
    responsiveness: Annotated[Number | None, COUNT] = Field(
        None, description="Eta >= 0: how fast its regard answers what others do.", examples=[5]
    )
    capabilities: Annotated[PerName, SHARE] = Field(
        default_factory=PerName,
        description="Named strengths 0..1 that multiply what its actions do (`times: [self.finance]`).",
        examples=[{"finance": 0.2, "military": 0.8, "claim": "FRS-096"}],
    )
    interests: dict[Name, Interest] = Field(
        default_factory=dict,
        description="What it wants, by a name of your choice.",
        examples=[{"borders": {"of": "spillover", "ideal": 0, "salience": 0.9}}],
    )
    stakes: Annotated[PerActor | None, SHARE] = Field(
        None,
        description="How much others' fortunes matter to it, 0..1, by actor or tag (0 if left out), times its regard.",
        examples=[{"default": 0.04, "tajikistan": 0.3}],
    )
    policy: Policy | None = Field(
        None, description="How this actor chooses, where it differs from the scenario's policy.", examples=["random"]
    )


class Need(Sourced):
    """A condition on an indicator at the start of the turn."""

    of: Path = Field(description="Indicator path; `self` acts, `target` is acted upon.", examples=["self.target.rung"])
    at_least: Annotated[Level | None, LEVEL] = Field(
        None, description="Holds when the value is this or more.", examples=["accredits"]
    )
    at_most: Annotated[Level | None, LEVEL] = Field(
        None, description="Holds when the value is this or less.", examples=[0.5]
    )


class When(Part):
    """The assurance on which an effect hangs."""

    kept: Name | None = Field(
        None,
        description="Assurance: the effect counts by promise x credibility (or the draw).",
        examples=["counter_daesh"],
    )
    broken: Name | None = Field(
        None, description="Assurance: the effect counts by 1 - promise x credibility.", examples=["counter_daesh"]
    )
    by: Name = Field(
        "target",
        description="Who gave the promise (`target` or an actor); the actor itself received it.",
        examples=["taliban"],
    )


class Effect(Sourced):
    """What an act, an incident or a dated event does to one indicator (a tag in the path speaks of several)."""

    of: Path = Field(
        description="Indicator path; `self`, `target`, an actor or a tag may stand for actors.",
        examples=["self.target.rung", "target.legitimacy"],
    )
    add: Annotated[Number | None, ANY] = Field(None, description="A step, in the indicator's unit.", examples=[0.05])
    to: Annotated[Level | None, LEVEL] = Field(
        None, description="A level it is brought to (words, on indicators that fade).", examples=[1]
    )
    raise_to: Annotated[Level | None, LEVEL] = Field(
        None, description="Ladder: lifts to this rung what is below it.", examples=["mission"]
    )
    lower_to: Annotated[Level | None, LEVEL] = Field(
        None, description="Ladder: drops to this rung what is above it.", examples=["none"]
    )
    times: Factors = Field(default_factory=list, description=TIMES, examples=TIMES_EXAMPLES)
    when: When | None = Field(
        None, description="The assurance it hangs on (effects of actions only).", examples=[{"broken": "counter_daesh"}]
    )
    attempt: bool = Field(
        False, description="Happens whether or not the act succeeds (effects of actions only).", examples=[True]
    )
    after: int = Field(0, ge=0, le=60, description="Turns until it arrives (only with `add`).", examples=[3])


class Signal(Sourced):
    """What an act shows about a promise."""

    promise: Name = Field(description="The assurance it tells of.", examples=["counter_daesh"])
    by: Name = Field(
        "self", description="Whose word it tells of: self, target, an actor or a tag.", examples=["target"]
    )
    to: Selector | None = Field(
        None,
        description="Receivers who see it in full (`target`, actors, tags; all if left out); the other receivers "
        "of the same kind take it at the act's visibility.",
        examples=["target"],
    )
    kept: Annotated[Number | None, COUNT] = Field(
        None,
        description="Weight of a signal that it is kept (1: as good as one observation).",
        examples=[0.5],
    )
    broken: Annotated[Number | None, COUNT] = Field(
        None, description="Weight of a signal that it is broken.", examples=[0.5]
    )


class Action(Sourced):
    """What an actor can do, to whom, under which conditions, at what cost, with which expected effects."""

    title: Line | None = Field(None, description="A verb phrase for cards and feeds.", examples=["recognises"])
    cameo: Cameo = Field(description="CAMEO event code, quoted.", examples=["054"])
    plover: Plover = Field(
        description="PLOVER event type (NONE where PLOVER drops the CAMEO code).", examples=["SUPPORT"]
    )
    channel: Name = Field(
        description="words, ties, money, force, ...: at most one act a channel and target a turn.", examples=["ties"]
    )
    effort: Annotated[Number, COUNT] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="a deed"),
        description="Attention it takes: a word 0.25, a deed 1, a programme 2.",
        examples=[0.25],
    )
    by: Selector = Field(description="Actors or tags who can do it.", examples=["state"])
    toward: Selector | None = Field(
        None, description="Actors or tags it is done to; none if left out.", examples=["taliban"]
    )
    habit: Annotated[Number, POSITIVE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="no act is likelier than another beforehand"),
        description="Weight of the action in the prior over available actions.",
        examples=[2],
    )
    visibility: Annotated[Number, SHARE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="done in the open"),
        description="0..1: how much of it others see (covert acts: low).",
        examples=[0.2],
    )
    needs: list[Need] = Field(
        default_factory=list,
        description="All must hold at the start of the turn.",
        examples=[[{"of": "self.target.rung", "at_least": "accredits"}]],
    )
    chance: Annotated[ScaledNumber, SHARE] = Field(
        default_factory=lambda: Scaled.model_validate(
            {"default": {"value": 1.0, "assumption": "it is in the actor's own hands"}}
        ),
        description="Probability of success, 0..1: one number, or one per actor or tag, with `times`.",
        examples=[0.7, {"default": 0.6, "times": ["self.military"]}],
    )
    cost: Annotated[ScaledNumber, ANY] = Field(
        description="Cost to the actor in units of utility; word 0.002, deed 0.008, programme 0.016.",
        examples=[0.008, {"default": 0.03, "russia": 0.06, "claim": "FRS-014"}],
    )
    effects: list[Effect] = Field(
        default_factory=list,
        description="What it does, and what its actor expects it to do.",
        examples=[[{"of": "self.target.rung", "raise_to": "recognition"}, {"of": "target.legitimacy", "add": 0.25}]],
    )
    signals: list[Signal] = Field(
        default_factory=list,
        description="What it shows about promises when it succeeds.",
        examples=[[{"promise": "counter_daesh", "kept": 0.5}]],
    )


class Assurance(Sourced):
    """A promise of one kind. It makes three dyad indicators: `giver.receiver.promised_<name>` (0..1, fades),
    `giver.receiver.reliability_<name>` (0..1) and `receiver.giver.credibility_<name>` (the belief's mean)."""

    title: Line | None = Field(None, description="What is promised.", examples=["to leave the border alone"])
    from_: Selector = Field(alias="from", description="Who can give it.", examples=["taliban"])
    to: Selector = Field(description="Who can receive it.", examples=[["russia", "central_asia"]])
    fade: Annotated[Number, SHARE] = Field(
        description="Share of a standing promise that fades each turn, 0..1.", examples=[0.12]
    )
    promised: Annotated[PerActor, SHARE] = Field(
        default_factory=lambda: PerName.model_validate(
            {"default": {"value": 0.0, "assumption": "nothing is promised yet"}}
        ),
        description="Standing promise at the start, 0..1, by giver, or `giver.receiver`.",
        examples=[{"default": 0, "taliban.china": 0.8}],
    )
    reliability: Annotated[PerActor, SHARE] = Field(
        description="Chance that it is kept when tested, at the start, 0..1; by giver or `giver.receiver`.",
        examples=[0.6],
    )
    rest: Annotated[PerActor | None, SHARE] = Field(
        None, description="Level that reliability is pulled to (its start if left out).", examples=[0.5]
    )
    pull: Annotated[Number | None, SHARE] = Field(
        None, description="Pull of reliability to its rest, 0..1 a turn.", examples=[0.1]
    )
    kept: Annotated[PerActor, POSITIVE] = Field(
        description="alpha0 > 0: prior weight of 'kept', by receiver or `receiver.giver`.",
        examples=[2, {"default": 2, "tajikistan": 0.5}],
    )
    broken: Annotated[PerActor, POSITIVE] = Field(
        description="beta0 > 0: prior weight of 'broken', by receiver or `receiver.giver`.", examples=[2]
    )
    forgetting: Annotated[Number, SHARE] = Field(
        description="Omega, 0..1: share of what was learned that is forgotten each turn.", examples=[0.08]
    )
    signal: Annotated[Number, COUNT] = Field(
        description="w >= 0: weight of an incident, or of a test by commitment, as a signal.", examples=[0.6]
    )


class Step(Sourced):
    """A number of an indicator's share that is added to a hazard."""

    of: Path = Field(description="Indicator (as a share of its range) or capability.", examples=["daesh_strength"])
    add: Annotated[Number, ANY] = Field(description="What the full share adds to the hazard.", examples=[0.3])


class Belies(Part):
    """The promise that an incident belies."""

    promise: Name = Field(description="The assurance.", examples=["quiet"])
    by: Name = Field(description="Whose promise: an actor, a tag, or `self` of `on`.", examples=["taliban"])
    to: Selector | None = Field(
        None,
        description="Receivers who see it in full: `self`, actors, tags; all if left out.",
        examples=["self"],
    )


class Incident(Sourced):
    """What happens without being chosen, drawn each turn from a hazard."""

    title: Line | None = Field(None, description="What happens.", examples=["raiders cross the border"])
    on: Selector | None = Field(
        None,
        description="One draw for each of these actors (`self` in paths); one if left out.",
        examples=["neighbour"],
    )
    cameo: Cameo | None = Field(None, description="CAMEO code, quoted.", examples=["190"])
    hazard: Annotated[Number, SHARE] = Field(
        description="Probability a turn before `plus` and `times`, 0..1.", examples=[0.02]
    )
    plus: list[Step] = Field(
        default_factory=list, description="Added to the hazard.", examples=[[{"of": "daesh_strength", "add": 0.3}]]
    )
    times: Factors = Field(default_factory=list, description=TIMES, examples=TIMES_EXAMPLES)
    visibility: Annotated[Number, SHARE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="seen by all"),
        description="0..1: how much of it receivers see who are not its own.",
        examples=[0.5],
    )
    belies: list[Belies] = Field(
        default_factory=list,
        description="The promises that speak against it: when it happens they look broken, else kept.",
        examples=[[{"promise": "quiet", "by": "taliban", "to": "self"}]],
    )
    effects: list[Effect] = Field(
        default_factory=list, description="What it does.", examples=[[{"of": "self.safety", "add": -0.15}]]
    )


class Coupling(Sourced):
    """How one indicator moves another, each turn: to += add x (from - around) x factors."""

    by: Selector | None = Field(
        None, description="Stands for `self` in the paths, one coupling for each.", examples=["state"]
    )
    toward: Selector | None = Field(
        None, description="Stands for `target` in the paths, one for each pair.", examples=["taliban"]
    )
    from_: Path = Field(
        alias="from",
        description="The indicator that moves the other (in its own unit).",
        examples=["self.target.aid"],
    )
    to: Path = Field(description="The indicator that is moved.", examples=["target.solvency"])
    add: Annotated[Number, ANY] = Field(description="Change a turn per unit of `from`.", examples=[0.03])
    around: Annotated[Number, ANY] = Field(
        default_factory=lambda: Quantity(value=0.0, assumption="measured from zero"),
        description="Level of `from` at which nothing moves.",
        examples=[0.5],
    )
    times: Factors = Field(default_factory=list, description=TIMES, examples=TIMES_EXAMPLES)


class Act(Part):
    """An act that is done whatever its actor would choose."""

    by: Name = Field(description="The actor.", examples=["united_states"])
    action: Name = Field(description="The action's id.", examples=["freeze_reserves"])
    target: Name | None = Field(
        None, description="The actor it is done to; none for an action without `toward`.", examples=["taliban"]
    )


class Dated(Sourced):
    """A dated event (an inject)."""

    date: Date = Field(description="YYYY-MM or YYYY-MM-DD, within the scenario's turns.", examples=["2021-08"])
    title: Line = Field(description="What happens.", examples=["Kabul falls"])
    set: Annotated[dict[Path, Level], LEVEL] = Field(
        default_factory=dict,
        description="Indicators that take a value (tags allowed).",
        examples=[{"taliban.control": 0.92}],
    )
    add: Annotated[dict[Path, Number], ANY] = Field(
        default_factory=dict,
        description="Indicators that take a step (tags allowed).",
        examples=[{"west.attention": -0.5}],
    )
    act: Act | None = Field(
        None,
        description="An act that is done in that turn, with success.",
        examples=[{"by": "united_states", "action": "freeze_reserves", "target": "taliban"}],
    )


class Counted(Part):
    """Which acts an outcome counts."""

    action: Selector | None = Field(None, description="Action ids (any if left out).", examples=["recognise"])
    by: Selector | None = Field(None, description="Actors or tags who act (any if left out).", examples=["west"])
    toward: Selector | None = Field(
        None, description="Actors or tags acted upon (any if left out).", examples=["taliban"]
    )
    plover: Plover | None = Field(None, description="PLOVER type (any if left out).", examples=["AID"])
    from_: Date | None = Field(None, alias="from", description="First date counted.", examples=["2021-08"])
    until: Date | None = Field(None, description="Last date counted.", examples=["2021-11"])


class Outcome(Sourced):
    """A question that each run answers: exactly one measure, and where it is a yes or no, a bound."""

    title: Line | None = Field(None, description="The question in words.", examples=["Does Russia recognise?"])
    first: Path | None = Field(
        None,
        description="Indicator whose first passage of the bound is asked for (yes/no, when).",
        examples=["russia.taliban.rung"],
    )
    end: Path | None = Field(None, description="Value at the end.", examples=["taliban.control"])
    mean: Path | None = Field(None, description="Mean over the turns.", examples=["taliban.solvency"])
    max: Path | None = Field(None, description="Highest value.", examples=["daesh_strength"])
    min: Path | None = Field(None, description="Lowest value.", examples=["taliban.solvency"])
    change: Path | None = Field(
        None, description="Value at the end less value at the start.", examples=["russia.isolation"]
    )
    count: Counted | None = Field(None, description="Number of acts.", examples=[{"action": "recognise"}])
    incidents: Name | None = Field(None, description="Number of times this incident happens.", examples=["raid"])
    at_least: Annotated[Level | None, LEVEL] = Field(
        None, description="Turns the measure into a yes/no: this or more.", examples=["recognition"]
    )
    at_most: Annotated[Level | None, LEVEL] = Field(
        None, description="Turns the measure into a yes/no: this or less.", examples=[0.2]
    )
    over: Literal["any", "all", "number", "mean"] = Field(
        "any",
        description="Where a tag stands in the path: what is asked of its members (any, all, how many, their mean).",
        examples=["number"],
    )


class Model(Sourced):
    """Numbers of the model that hold for every actor unless it says otherwise."""

    hold: Annotated[Number, Bounds(0, 1, above=True, below=True)] = Field(
        default_factory=lambda: Quantity(
            value=0.5, assumption="doing nothing is as likely beforehand as all acts together"
        ),
        description="Prior probability of doing nothing (more), between 0 and 1.",
        examples=[0.5],
    )
    rationality: Annotated[Number, COUNT] = Field(
        default_factory=lambda: Quantity(value=175.0, assumption="deliberate, seldom erratic", range=[100.0, 300.0]),
        description="Lambda >= 0 where an actor states none.",
        examples=[175],
    )
    foresight: Annotated[Number, Bounds(0, 1, below=True)] = Field(
        default_factory=lambda: Quantity(value=0.6, assumption="looks a few turns ahead", range=[0.4, 0.8]),
        description="Gamma, 0 to below 1, where an actor states none.",
        examples=[0.6],
    )
    risk: Annotated[Number, Bounds(0, 100, above=True)] = Field(
        default_factory=lambda: Quantity(value=2.0, assumption="quadratic loss, the field's standard"),
        description="Rho > 0 where an actor states none.",
        examples=[2],
    )
    responsiveness: Annotated[Number, COUNT] = Field(
        default_factory=lambda: Quantity(
            value=5.0, assumption="regard shifts by a few hundredths an act", range=[3.0, 8.0]
        ),
        description="Eta >= 0 where an actor states none.",
        examples=[5],
    )


class Scenario(Sourced):
    """One scenario: the world, its actors, its timeline, its outcomes."""

    tightrope: Literal[1] = Field(description="Format version of the file.", examples=[1])
    title: Line = Field(description="What the scenario is about.", examples=["The Taliban takeover, 2021"])
    description: str | None = Field(
        None, max_length=5000, description="A paragraph for readers.", examples=["Seven months from May 2021."]
    )
    extends: Line | None = Field(
        None,
        description="A file whose contents this one adds to or replaces: beside this file, or among the shipped.",
        examples=["worlds/afghanistan.yaml"],
    )
    start: Date = Field(description="Date of the first turn.", examples=["2021-05"])
    turns: int = Field(ge=1, le=1200, description="Number of turns.", examples=[7])
    turn: Literal["week", "month", "quarter", "year"] = Field(
        "month", description="Length of a turn.", examples=["month"]
    )
    policy: Policy = Field("quantal", description="How actors choose.", examples=["quantal"])
    model: Model = Field(
        default_factory=Model,
        description="Numbers of the model that hold for every actor.",
        examples=[{"hold": 0.5, "rationality": {"value": 175, "range": [100, 300]}}],
    )
    indicators: dict[Name, Indicator] = Field(
        description="What the world is measured by, by name.",
        examples=[{"raiders": {"scope": "world", "start": 0.5, "pull": 0.08}}],
    )
    actors: dict[Name, Actor] = Field(
        description="Who decides, by name.",
        examples=[{"alba": {"tags": ["state"], "interests": {"calm": {"of": "raiders", "ideal": 0, "salience": 0.8}}}}],
    )
    assurances: dict[Name, Assurance] = Field(
        default_factory=dict,
        description="Kinds of promises, by name.",
        examples=[
            {
                "quiet": {
                    "from": "front", "to": "state", "fade": 0.12, "reliability": 0.6, "kept": 2, "broken": 2,
                    "forgetting": 0.08, "signal": 0.6,
                }
            }
        ],
    )  # fmt: skip
    actions: dict[Name, Action] = Field(
        default_factory=dict,
        description="What can be done, by name.",
        examples=[
            {
                "talk": {
                    "cameo": "040", "plover": "CONSULT", "channel": "ties", "by": "state", "toward": "front",
                    "cost": 0.008, "effects": [{"of": "target.standing", "add": 0.04}],
                }
            }
        ],
    )  # fmt: skip
    incidents: dict[Name, Incident] = Field(
        default_factory=dict,
        description="What happens by chance, by name.",
        examples=[{"raid": {"on": "state", "hazard": 0.02, "effects": [{"of": "self.safety", "add": -0.15}]}}],
    )
    couplings: dict[Name, Coupling] = Field(
        default_factory=dict,
        description="How indicators move one another, by name.",
        examples=[{"hunger_raids": {"from": "front.funds", "around": 0.5, "to": "raiders", "add": -0.04}}],
    )
    timeline: list[Dated] = Field(
        default_factory=list,
        description="Dated events.",
        examples=[[{"date": "2021-08", "title": "Kabul falls", "set": {"taliban.control": 0.92}}]],
    )
    outcomes: dict[Name, Outcome] = Field(
        default_factory=dict,
        description="Questions that each run answers, by name.",
        examples=[{"recognised": {"first": "state.front.contact", "at_least": "recognition"}}],
    )
    set: Annotated[dict[Path, Level], LEVEL] = Field(
        default_factory=dict,
        description="Starting values by indicator path, replacing those of the indicators.",
        examples=[{"taliban.control": {"value": 0.45, "range": [0.35, 0.55]}}],
    )

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Actor ids and tags, each with the actors it stands for, sorted."""
        bearers: dict[str, dict[str, None]] = {}
        for name in sorted(self.actors):
            for tag in self.actors[name].tags:
                bearers.setdefault(tag, {})[name] = None
        return {tag: tuple(names) for tag, names in bearers.items()} | {name: (name,) for name in sorted(self.actors)}

    @cached_property
    def slots(self) -> dict[str, Slot]:
        """Every number of the state by its path, in canonical order (see `slots`)."""
        return _slots(self)


# ------------------------------------------------------------------------------- whom and what names stand for


@dataclass(frozen=True)
class Slot:
    """One number of the state.

    path: `name`, `actor.name` or `from.to.name`. first, second: the actor, or the pair. lo, hi: its range, on a ladder
    0..rungs - 1. place: the block of the file that declares it.
    """

    path: str
    indicator: str
    scope: str
    first: str | None
    second: str | None
    lo: float
    hi: float
    ladder: tuple[str, ...] | None
    place: str


def members(scenario: Scenario, selector: Sequence[str] | None) -> list[str]:
    """The actors, sorted, that names and tags stand for: all without a selector, none for an unknown word."""
    if selector is None:
        return sorted(scenario.actors)
    return sorted({actor for word in selector for actor in scenario.groups.get(word, ())})


def slots(scenario: Scenario) -> dict[str, Slot]:
    """Every number of the state by its path, sorted by indicator, first and second actor.

    An assurance q makes three families, each 0..1: `giver.receiver.promised_q`, `giver.receiver.reliability_q` and
    `receiver.giver.credibility_q`. No pair is of an actor with itself.
    """
    return scenario.slots


def _slots(scenario: Scenario) -> dict[str, Slot]:
    found: list[Slot] = []
    for name, indicator in scenario.indicators.items():
        found += _of_indicator(scenario, name, indicator)
    for kind, assurance in scenario.assurances.items():
        found += _of_assurance(scenario, kind, assurance)
    found.sort(key=lambda slot: (slot.indicator, slot.first or "", slot.second or ""))
    return {slot.path: slot for slot in found}


def _of_indicator(scenario: Scenario, name: str, indicator: Indicator) -> Iterable[Slot]:
    lo, hi = indicator_range(name, indicator)
    ladder = None if indicator.ladder is None else tuple(indicator.ladder)
    owners: Iterable[tuple[str, ...]]
    if indicator.scope == "world":
        owners = [()]
    elif indicator.scope == "actor":
        owners = [(actor,) for actor in members(scenario, indicator.of)]
    else:
        owners = pairs(scenario, indicator.from_, indicator.to)
    for owner in owners:
        first, second = (*owner, None, None)[:2]
        path = ".".join((*owner, name))
        yield Slot(path, name, indicator.scope, first, second, lo, hi, ladder, f"indicators.{name}")


def _of_assurance(scenario: Scenario, kind: str, assurance: Assurance) -> Iterable[Slot]:
    for giver, receiver in pairs(scenario, assurance.from_, assurance.to):
        for name, first, second in (
            (f"promised_{kind}", giver, receiver),
            (f"reliability_{kind}", giver, receiver),
            (f"credibility_{kind}", receiver, giver),
        ):
            path = f"{first}.{second}.{name}"
            yield Slot(path, name, "dyad", first, second, 0.0, 1.0, None, f"assurances.{kind}")


def indicator_range(name: str, indicator: Indicator) -> tuple[float, float]:
    """Lowest and highest value: a ladder's rungs, what is declared, or 0..1 (regard: -1..1)."""
    if indicator.ladder is not None:
        return 0.0, len(indicator.ladder) - 1.0
    if indicator.range is not None:
        return indicator.range[0], indicator.range[1]
    return (-1.0, 1.0) if name == "regard" else (0.0, 1.0)


def pairs(scenario: Scenario, first: Sequence[str] | None, second: Sequence[str] | None) -> list[tuple[str, str]]:
    """Pairs of different actors, sorted, of two selectors."""
    others = members(scenario, second)
    return [(one, other) for one in members(scenario, first) for other in others if one != other]


def pick(
    numbers: PerName, scenario: Scenario, first: str | None = None, second: str | None = None
) -> tuple[str, Quantity] | None:
    """The key and the quantity that hold for an actor or a pair; None where no key covers it.

    A name beats a tag: two names, then name and tag, then two tags, then the first one's name, its tag, `default`.
    Among equally exact keys the later in the file holds. For an assurance's kept and broken the pair is
    (receiver, giver).
    """
    best, found = -1, None
    for key, quantity in numbers.by_name.items():
        exact = _exactness(key, scenario, first, second)
        if exact >= max(best, 0):
            best, found = exact, (key, quantity)
    return found


def _exactness(key: str, scenario: Scenario, first: str | None, second: str | None) -> int:
    """How exactly a key speaks of an actor or a pair; -1: not at all."""
    if key == "default":
        return 0
    one, _, other = key.partition(".")
    if first not in scenario.groups.get(one, ()):
        return -1
    if not other:
        return 2 if one == first else 1
    if second not in scenario.groups.get(other, ()):
        return -1
    return 3 + (one == first) + (other == second)


def expand(path: str, scenario: Scenario, self_: str | None = None, target: str | None = None) -> list[str]:
    """The slots, sorted, that a path with `self`, `target`, actors and tags speaks of, of those that there are."""
    *words, name = path.split(".")
    paths = {name}
    for word in reversed(words):
        one = {"self": self_, "target": target}.get(word)
        actors = scenario.groups.get(word, ()) if one is None else (one,)
        paths = {f"{actor}.{rest}" for actor in actors for rest in paths}
    return sorted(found for found in paths if found in scenario.slots)


def rung_value(quantity: Quantity, slot: Slot) -> float:
    """The number that a quantity stands for on a slot: a rung's name is its index from 0."""
    if not isinstance(quantity.value, str):
        return float(quantity.value)
    if slot.ladder is None or quantity.value not in slot.ladder:
        raise ValueError(f'{slot.path} has no rung "{quantity.value}"')
    return float(slot.ladder.index(quantity.value))


# ------------------------------------------------------------------------------------------------ the calendar


def turn_dates(scenario: Scenario) -> list[str]:
    """The ISO label of each turn 1..T: `2021-05` (month, quarter), `2021-05-03` (week), `2021` (year)."""
    first = first_day(scenario.start)
    if scenario.turn == "week":
        return [str(first + datetime.timedelta(weeks=turn)) for turn in range(scenario.turns)]
    months = [_MONTHS[scenario.turn] * turn + first.month - 1 for turn in range(scenario.turns)]
    days = [datetime.date(first.year + month // 12, month % 12 + 1, 1) for month in months]
    return [str(day)[:4] if scenario.turn == "year" else str(day)[:7] for day in days]


_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def turn_of(scenario: Scenario, date: str) -> int | None:
    """The turn, from 1, whose period holds a date `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; None outside the scenario.

    Periods are counted from the scenario's start; a date without a day means the first.
    """
    try:
        first, day = first_day(scenario.start), first_day(date)
    except ValueError:
        return None
    if scenario.turn == "week":
        turn = (day - first).days // 7 + 1
    else:
        turn = ((day.year - first.year) * 12 + day.month - first.month) // _MONTHS[scenario.turn] + 1
    return turn if 1 <= turn <= scenario.turns else None


def first_day(date: str) -> datetime.date:
    """The day that `YYYY`, `YYYY-MM` or `YYYY-MM-DD` begins with. Raises ValueError for a day that no calendar has."""
    year, month, day = (*map(int, date.split("-")), 1, 1)[:3]
    return datetime.date(year, month, day)


# --------------------------------------------------------------------------------- every number, and its path


@dataclass(frozen=True)
class Entry:
    """One number of a scenario. claim, assumption: its own, or those of the nearest block around it that has any."""

    path: str
    quantity: Quantity
    claim: list[str] | None
    assumption: str | None


@dataclass(frozen=True)
class _Found:
    """A quantity, where it stands in the data, its source, and what its value may be."""

    at: Location
    quantity: Quantity
    source: Sourced | None
    bounds: Bounds


def numbers(scenario: Scenario) -> list[Entry]:
    """Every number of the scenario, those filled in by the models included.

    path: its place in the file, such as `actors.russia.interests.borders.salience` or `actions.visit.effects[0].add`,
    with `.value` and `.default` left out.
    """
    return [
        Entry(
            path_of(found.at),
            found.quantity,
            found.source.claim if found.source else None,
            found.source.assumption if found.source else None,
        )
        for found in _quantities(scenario)
    ]


def _quantities(value: Any, at: Location = (), source: Sourced | None = None, bounds: Bounds = ANY) -> Iterator[_Found]:
    """Every quantity in a part of a scenario, in the order of the models and of the file."""
    if isinstance(value, Sourced) and (value.claim or value.assumption):
        source = value
    if isinstance(value, Quantity):
        yield _Found(at, value, source, bounds)
    elif isinstance(value, Part):
        for name, field in type(value).model_fields.items():
            limits = next((item for item in field.metadata if isinstance(item, Bounds)), bounds)
            yield from _quantities(getattr(value, name), (*at, field.alias or name), source, limits)
        for key, item in (value.model_extra or {}).items():
            yield from _quantities(item, (*at, key), source, bounds)
    elif isinstance(value, (dict, list)):
        for word in value if isinstance(value, dict) else range(len(value)):
            yield from _quantities(value[word], (*at, word), source, bounds)


def as_data(value: Any) -> Any:
    """A scenario, or a part of it, as plain data that reads back to the same: what is not set or empty left out."""
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
        idle = item == field.default and not isinstance(value, Scenario)
        if not (idle or item is None or item == [] or item == {}):
            data[field.alias or name] = item
    data |= {key: as_data(item) for key, item in (value.model_extra or {}).items()}
    data |= {key: data.pop(key) for key in ("times", "claim", "assumption") if key in data}
    lone = {Quantity: "value", PerName: "default", Scaled: "default"}.get(type(value))
    return data[lone] if lone and list(data) == [lone] and not isinstance(data[lone], dict) else data


def with_numbers(scenario: Scenario, values: Mapping[str, float | str], widen: bool = False) -> Scenario:
    """The scenario with other values at some paths of `numbers`, or at indicators' own paths (their starting values).

    Sources and ranges stay; widen: a range that leaves a value out gives way. Raises `Problems` for a path that is not
    there and for what the values break.
    """
    return _overridden(scenario, values, "", lambda fault: fault.told(None), widen)


def settable(scenario: Scenario, path: str) -> str:
    """The one spelling of a path that `with_numbers` takes: `set.taliban.control` for `taliban.control`, without a last
    `.value`. Raises `Problems`, offering the nearest, where there is no such setting."""
    spots = {path_of(quantity.at): quantity.at for quantity in _quantities(scenario)}
    at = _settable(scenario, path, spots)
    if at is None:
        raise Problems([_no_number(scenario, path, spots, "")])
    return path_of(at)


def as_yaml(scenario: Scenario) -> str:
    """A scenario as YAML that reads back to an equal one."""
    return located.dump(as_data(scenario))


# ------------------------------------------------------------------------------- what the models cannot see

RESERVED = frozenset(("self", "target", "default", "value", "range", "claim", "assumption", "times"))
FAMILIES = ("promised_", "reliability_", "credibility_")
MEASURES = ("first", "end", "mean", "max", "min", "change", "count", "incidents")
MOVES = ("add", "to", "raise_to", "lower_to")
MOST_PROBLEMS = 100


def problems(scenario: Scenario) -> list[tuple[str, str]]:
    """Everything wrong with a scenario that is well formed: its place, and what is wrong with the mend.

    At most a hundred; a file with more is best mended from the first on.
    """
    return too_large(scenario) or _Check(scenario).all()


MOST_ACTORS = 1000
MOST_SLOTS = 1_000_000


def too_large(scenario: Scenario) -> list[tuple[str, str]]:
    """Told before anything is laid out: more actors, or more numbers in the state, than a computer holds with ease."""
    if len(scenario.actors) > MOST_ACTORS:
        return [("actors", f"{len(scenario.actors)} actors; at most {MOST_ACTORS}")]
    sides = [
        (f"indicators.{name}", one.from_, one.to) for name, one in scenario.indicators.items() if one.scope == "dyad"
    ]
    sides += [(f"assurances.{name}", one.from_, one.to) for name, one in scenario.assurances.items()]
    count = 0
    for place, first, second in sides:
        count += len(members(scenario, first)) * len(members(scenario, second))
        if count > MOST_SLOTS:
            return [(place, f"more than {MOST_SLOTS} pairs in all; name fewer in `from` and `to`")]
    return []


def nearest(word: str, known: Iterable[str], kind: str = "there are") -> str:
    """`; did you mean ...?` with the nearest known word, else `; there are: ...` where they are few, else nothing."""
    options = sorted(known)
    near = near_word(word, options)
    if near is not None:
        return f'; did you mean "{near}"?'
    return f"; {kind}: {', '.join(options)}" if 0 < len(options) <= 12 else ""


def near_word(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like a word, small and capital letters alike; None if none is."""
    if len(word) > 200:
        return None
    spelt = {option.lower(): option for option in known}
    near = difflib.get_close_matches(word.lower(), spelt, 1, 0.6)
    return spelt[near[0]] if near else None


@dataclass(frozen=True)
class _Here:
    """Whom `self` and `target` stand for at a place (None: nobody), and which other words its paths may hold."""

    self_: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    self_by: str = ""  # the key that would say whom `self` stands for
    target_by: str = ""
    tags: bool = False
    capabilities: bool = False
    written: bool = False

    def with_(self, **changes: Any) -> _Here:
        return dataclasses.replace(self, **changes)


Applies = Callable[[str | None, str | None], bool]


def always(self_: str | None, target: str | None) -> bool:
    """Where there is no condition."""
    return True


def _spelt(path: str, self_: str | None, target: str | None) -> str:
    """A path with actors in place of `self` and `target`."""
    return ".".join({"self": self_, "target": target}.get(word) or word for word in path.split("."))


class _Full(Exception):
    """Enough problems were found."""


class _Check:
    """Looks through a scenario block by block and gathers problems. One method a block; the helpers stand last."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.found: list[tuple[str, str]] = []
        self.groups = scenario.groups
        self.kinds: dict[str, Slot] = {slot.indicator: slot for slot in scenario.slots.values()}
        self.capabilities = {name for actor in scenario.actors.values() for name in actor.capabilities.by_name}

    def all(self) -> list[tuple[str, str]]:
        try:
            self.frame()
            self.names()
            self.values()
            checks: tuple[tuple[Callable[[str, Any], None], Mapping[str, Any]], ...] = (
                (self.indicator, self.scenario.indicators),
                (self.actor, self.scenario.actors),
                (self.assurance, self.scenario.assurances),
                (self.action, self.scenario.actions),
                (self.incident, self.scenario.incidents),
                (self.coupling, self.scenario.couplings),
                (self.outcome, self.scenario.outcomes),
            )
            for check, blocks in checks:
                for name, block in blocks.items():
                    check(name, block)
            for index, event in enumerate(self.scenario.timeline):
                self.event(f"timeline[{index}]", event)
            for path, quantity in self.scenario.set.items():
                place = f"set.{path}"
                kind = self.path(place, path, _Here(written=True))
                self.level(place, quantity, kind)
        except _Full:
            pass
        return self.found

    def tell(self, place: str, message: str) -> None:
        self.found.append((place, message))
        if len(self.found) >= MOST_PROBLEMS:
            raise _Full

    # blocks

    def frame(self) -> None:
        """What concerns the scenario as a whole."""
        scenario = self.scenario
        if scenario.extends is not None:
            self.tell("extends", "only a file can extend another; give this scenario whole")
        if not scenario.actors:
            self.tell("actors", "there is no actor; a scenario needs at least one")
        if self.date("start", scenario.start) and not self.labels():
            self.tell("turns", f"{scenario.turns} turns run past the year 9999; shorten the scenario")

    def names(self) -> None:
        """Names that stand for something else already, or could be taken for one another."""
        scenario = self.scenario
        for name in scenario.actors:
            self.reserved(f"actors.{name}", name)
        seen: dict[str, str] = {located.fold(name): name for name in scenario.actors}
        for name, actor in scenario.actors.items():
            for index, tag in enumerate(actor.tags):
                place = f"actors.{name}.tags[{index}]"
                self.reserved(place, tag)
                twin = seen.setdefault(located.fold(tag), tag)
                if tag in scenario.actors:
                    self.tell(place, f'"{tag}" is an actor too; give the tag another name')
                elif twin != tag:
                    self.tell(place, f'"{tag}" looks like "{twin}" (0 and o, 1 and l); give one another name')
            for name_ in actor.capabilities.by_name:
                self.capability(f"actors.{name}.capabilities.{name_}", name_)
        for name in scenario.indicators:
            self.reserved(f"indicators.{name}", name)
            if name.startswith(FAMILIES):
                prefix = next(family for family in FAMILIES if name.startswith(family))
                self.tell(f"indicators.{name}", f'names with "{prefix}" belong to assurances; choose another')
        if "hold" in scenario.actions:
            self.tell("actions.hold", '"hold" stands for doing nothing; choose another name')

    def reserved(self, place: str, name: str) -> None:
        if name in RESERVED:
            self.tell(place, f'"{name}" has a meaning of its own in scenario files; choose another name')

    def capability(self, place: str, name: str) -> None:
        if not re.fullmatch(NAME, name):
            self.tell(place, f'"{name}" is not a name (lower-case letters, digits and _, a letter first)')
        elif name in self.scenario.indicators:
            self.tell(place, f'"{name}" is an indicator too; give the capability another name')
        self.reserved(place, name)

    def values(self) -> None:
        """Every number within its bounds, and its range around it."""
        for found in _quantities(self.scenario):
            place, bounds, quantity = path_of(found.at), found.bounds, found.quantity
            value = quantity.value
            if isinstance(value, str):
                if not bounds.rung:
                    self.tell(place, f'"{value}" is text; must be a number')
                continue
            if abs(value) > LARGEST:
                self.tell(place, f"{plain(value)} is out of range; must be at most {LARGEST:g} in size")
            elif not bounds.holds(value):
                self.tell(place, f"{plain(value)} is out of range; must be {bounds}")
            elif quantity.range is not None:
                self.around(place, value, quantity.range, bounds)

    def around(self, place: str, value: float, range_: list[float], bounds: Bounds) -> None:
        """A plausible range holds the value and nothing that the number may not be."""
        low, high = range_
        shown = f"[{plain(low)}, {plain(high)}]"
        if low > high:
            self.tell(f"{place}.range", f"{shown} ends before it begins; write [{plain(high)}, {plain(low)}]")
        elif not low <= value <= high:
            self.tell(f"{place}.range", f"{shown} leaves out the value {plain(value)}; widen it")
        elif not bounds.holds(low) or not bounds.holds(high):
            self.tell(f"{place}.range", f"{shown} is out of range; must be {bounds}")

    def indicator(self, name: str, indicator: Indicator) -> None:
        place = f"indicators.{name}"
        self.selectors(place, indicator, of=indicator.of, **{"from": indicator.from_}, to=indicator.to)
        if indicator.scope != "actor" and indicator.of is not None:
            self.tell(f"{place}.of", f"only for scope actor, not {indicator.scope}; remove it")
        for word, selector in (("from", indicator.from_), ("to", indicator.to)):
            if indicator.scope != "dyad" and selector is not None:
                self.tell(f"{place}.{word}", f"only for scope dyad, not {indicator.scope}; remove it")
        self.special(place, name, indicator)
        if indicator.range is not None and indicator.ladder is None and not self.spans(place, indicator.range):
            return
        if indicator.ladder is not None:
            self.ladder(place, indicator)
        owners = [(slot.first, slot.second) for slot in self.scenario.slots.values() if slot.place == place]
        if not owners and self.all_known(indicator.of, indicator.from_, indicator.to):
            self.tell(place, f"exists for no {'pair of two actors' if indicator.scope == 'dyad' else 'actor'}")
        elif owners:
            for word, numbers_ in (("start", indicator.start), ("rest", indicator.rest)):
                if numbers_ is not None:
                    self.covered(f"{place}.{word}", numbers_, owners)
                    self.levels(f"{place}.{word}", numbers_, self.kinds[name])

    def spans(self, place: str, range_: list[float]) -> bool:
        """Whether a range is one."""
        if range_[0] >= range_[1]:
            self.tell(f"{place}.range", "the lowest value must be less than the highest")
        elif max(map(abs, range_)) > LARGEST:
            self.tell(f"{place}.range", f"must be at most {LARGEST:g} in size")
        else:
            return True
        return False

    def special(self, place: str, name: str, indicator: Indicator) -> None:
        """`regard` and `attention` mean something to the model."""
        if name == "regard":
            if indicator.scope != "dyad" or indicator.ladder is not None:
                self.tell(place, "regard is how warmly one sees another; must be of scope dyad, without a ladder")
            elif indicator.range is not None and indicator.range != [-1, 1]:
                self.tell(f"{place}.range", "regard runs from -1 to 1; write [-1, 1] or leave it out")
        if name == "attention":
            if indicator.scope != "actor" or indicator.ladder is not None:
                self.tell(place, "attention is what an actor can spend; must be of scope actor, without a ladder")
            elif indicator.range is not None and indicator.range[0] < 0:
                self.tell(f"{place}.range", "attention cannot be less than 0")

    def ladder(self, place: str, indicator: Indicator) -> None:
        """A ladder moves by acts and events alone."""
        for word in ("range", "rest", "pull", "noise"):
            if getattr(indicator, word) is not None:
                self.tell(f"{place}.{word}", f"a ladder has no {word}; remove it")
        rungs = indicator.ladder or []
        for index, rung in enumerate(rungs):
            if rung in rungs[:index]:
                self.tell(f"{place}.ladder[{index}]", f'the rung "{rung}" stands twice; remove one')

    def actor(self, name: str, actor: Actor) -> None:
        place = f"actors.{name}"
        here = _Here(self_=(name,))
        for key, interest in actor.interests.items():
            at = f"{place}.interests.{key}"
            kind = self.path(f"{at}.of", interest.of, here)
            if isinstance(interest.ideal, Position):
                self.path(f"{at}.ideal.of", interest.ideal.of, here)
            else:
                self.level(f"{at}.ideal", interest.ideal, kind)
        if actor.stakes is not None:
            self.stakes(f"{place}.stakes", name, actor.stakes)

    def stakes(self, place: str, name: str, stakes: PerName) -> None:
        for key in stakes.by_name:
            if key == "default" or not self.keys(f"{place}.{key}", key, pair=False):
                continue
            others = [other for other in self.groups[key] if other != name]
            if not others:
                self.tell(f"{place}.{key}", "an actor has no stake in itself; remove it")
            elif not any(f"{name}.{other}.regard" in self.scenario.slots for other in others):
                path = f"{name}.{key}.regard"
                self.tell(
                    f"{place}.{key}", f"counts only with a regard, and there is no {path}; declare it or remove this"
                )

    def assurance(self, name: str, assurance: Assurance) -> None:
        place = f"assurances.{name}"
        self.selectors(place, assurance, **{"from": assurance.from_}, to=assurance.to)
        given = pairs(self.scenario, assurance.from_, assurance.to)
        if not given:
            if self.all_known(assurance.from_, assurance.to):
                self.tell(place, "nobody can give it to another; look at `from` and `to`")
            return
        taken = [(receiver, giver) for giver, receiver in given]
        for word in ("promised", "reliability", "rest"):
            numbers_ = getattr(assurance, word)
            if numbers_ is not None:
                self.covered(f"{place}.{word}", numbers_, given)
        self.covered(f"{place}.kept", assurance.kept, taken)
        self.covered(f"{place}.broken", assurance.broken, taken)

    def action(self, name: str, action: Action) -> None:
        place = f"actions.{name}"
        self.selectors(place, action, by=action.by, toward=action.toward)
        doers = self.those(action.by)
        targets = None if action.toward is None else self.those(action.toward)
        able = doers if targets is None else tuple(i for i in doers if any(i != j for j in targets))
        if not able:
            self.tell(place, "no actor can do it; look at `by` and `toward`")
            return
        here = _Here(self_=able, target=targets, target_by="toward")
        for index, need in enumerate(action.needs):
            self.need(f"{place}.needs[{index}]", need, here)

        def available(self_: str | None, target: str | None) -> bool:
            return all(expand(need.of, self.scenario, self_, target) for need in action.needs)

        for word in ("chance", "cost"):
            numbers_ = getattr(action, word)
            self.covered(f"{place}.{word}", numbers_, [(doer, None) for doer in able], pair=False)
            self.factors(f"{place}.{word}", numbers_.times, here, available)
        for index, effect in enumerate(action.effects):
            self.effect(f"{place}.effects[{index}]", effect, here, available)
            if effect.when is not None:
                self.when(f"{place}.effects[{index}].when", effect.when, here)
        self.conflicts(place, action.effects, able, targets)
        for index, signal in enumerate(action.signals):
            self.signal(f"{place}.signals[{index}]", signal, here)

    def need(self, place: str, need: Need, here: _Here) -> None:
        kind = self.path(f"{place}.of", need.of, here)
        if need.at_least is None and need.at_most is None:
            self.tell(place, "says no bound; add at_least or at_most")
        for word in ("at_least", "at_most"):
            bound = getattr(need, word)
            if bound is not None:
                self.level(f"{place}.{word}", bound, kind)

    def effect(self, place: str, effect: Effect, here: _Here, available: Applies = always) -> None:
        """One effect of an act or an incident. available: whether an actor can do it to a target."""

        def applies(self_: str | None, target: str | None) -> bool:
            return available(self_, target) and bool(expand(effect.of, self.scenario, self_, target))

        kind = self.path(f"{place}.of", effect.of, here.with_(tags=True, written=True))
        given = [word for word in MOVES if getattr(effect, word) is not None]
        if len(given) != 1:
            told = " and ".join(given) or "nothing of what it does"
            self.tell(place, f"says {told}; must say exactly one of {', '.join(MOVES)}")
            return
        move = given[0]
        if effect.after and move != "add":
            self.tell(f"{place}.after", f"only a step (add) can come later, not {move}; remove it")
        self.factors(place, effect.times, here, applies)
        if kind is None:
            return
        on_ladder = kind.ladder is not None
        if on_ladder != (move in ("raise_to", "lower_to")):
            right = "raise_to or lower_to" if on_ladder else "add or to"
            is_ = "is a ladder" if on_ladder else "is no ladder"
            self.tell(f"{place}.{move}", f'"{kind.indicator}" {is_}; use {right}')
            return
        for word in ("times", "when"):
            if on_ladder and getattr(effect, word):
                self.tell(f"{place}.{word}", "a rung is reached or not; an effect on a ladder has no " + word)
        if move != "add":
            self.level(f"{place}.{move}", getattr(effect, move), kind)

    def when(self, place: str, when: When, here: _Here) -> None:
        """The promise that an effect hangs on is one that its giver can give to the actor."""
        if (when.kept is None) == (when.broken is None):
            self.tell(place, "must say exactly one of kept, broken")
            return
        word, promise = ("kept", when.kept) if when.kept else ("broken", when.broken)
        assurance = self.promise(f"{place}.{word}", promise)
        givers = self.whom(f"{place}.by", when.by, here)
        if assurance is None or givers is None:
            return
        given = set(pairs(self.scenario, assurance.from_, assurance.to))
        if not any((giver, receiver) in given for giver in givers for receiver in here.self_ or ()):
            self.tell(
                f"{place}.{word}",
                f'"{when.by}" cannot give "{promise}" to anyone who does this; look at its `from` and `to`',
            )

    def signal(self, place: str, signal: Signal, here: _Here) -> None:
        if (signal.kept is None) == (signal.broken is None):
            self.tell(place, "must say exactly one of kept, broken")
        if "self" in (signal.to or []):
            self.tell(f"{place}.to", '"self" cannot stand here; write target, actors or tags')
        else:
            self.told(place, signal, here)

    def told(self, place: str, teller: Signal | Belies, here: _Here) -> None:
        """A promise that something tells of has such givers and such receivers."""
        assurance = self.promise(f"{place}.promise", teller.promise)
        givers = self.whom(f"{place}.by", teller.by, here.with_(tags=True))
        receivers = [
            self.whom(f"{place}.to[{index}]", word, here.with_(tags=True)) for index, word in enumerate(teller.to or [])
        ]
        if assurance is None or givers is None or None in receivers:
            return
        if not set(givers) & set(members(self.scenario, assurance.from_)):
            self.tell(f"{place}.by", f'"{teller.by}" cannot give "{teller.promise}"; look at its `from`')
        can = set(members(self.scenario, assurance.to))
        if teller.to is not None and not any(can.intersection(found or ()) for found in receivers):
            self.tell(f"{place}.to", f'cannot receive "{teller.promise}"; look at its `to`')

    def incident(self, name: str, incident: Incident) -> None:
        place = f"incidents.{name}"
        self.selectors(place, incident, on=incident.on)
        on = None if incident.on is None else self.those(incident.on)
        here = _Here(self_=on, self_by="on")
        for index, step in enumerate(incident.plus):
            self.source(f"{place}.plus[{index}].of", step.of, here)
        self.factors(place, incident.times, here)
        for index, effect in enumerate(incident.effects):
            at = f"{place}.effects[{index}]"
            for word in ("when", "attempt"):
                if getattr(effect, word):
                    self.tell(f"{at}.{word}", "only effects of actions can say this; remove it")
            self.effect(at, effect, here)
        for index, belied in enumerate(incident.belies):
            self.told(f"{place}.belies[{index}]", belied, here)

    def coupling(self, name: str, coupling: Coupling) -> None:
        place = f"couplings.{name}"
        self.selectors(place, coupling, by=coupling.by, toward=coupling.toward)
        here = _Here(
            self_=None if coupling.by is None else self.those(coupling.by),
            target=None if coupling.toward is None else self.those(coupling.toward),
            self_by="by",
            target_by="toward",
        )
        if coupling.toward is not None and coupling.by is None:
            self.tell(f"{place}.toward", "needs `by` beside it, whose pairs it makes")
        self.path(f"{place}.from", coupling.from_, here.with_(tags=True))
        moved = self.path(f"{place}.to", coupling.to, here.with_(tags=True, written=True))
        if moved is not None and moved.ladder is not None:
            self.tell(f"{place}.to", f'"{moved.indicator}" is a ladder, which only acts and events move')

        def applies(self_: str | None, target: str | None) -> bool:
            return all(expand(path, self.scenario, self_, target) for path in (coupling.from_, coupling.to))

        self.factors(place, coupling.times, here, applies)

    def event(self, place: str, event: Dated) -> None:
        if self.date(f"{place}.date", event.date):
            self.within(f"{place}.date", event.date)
        here = _Here(tags=True, written=True)
        for path, quantity in event.set.items():
            self.level(f"{place}.set.{path}", quantity, self.path(f"{place}.set.{path}", path, here))
        for path, quantity in event.add.items():
            kind = self.path(f"{place}.add.{path}", path, here)
            if kind is not None and kind.ladder is not None and quantity.value != int(quantity.value):
                self.tell(f"{place}.add.{path}", f"{quantity.value} is no whole number of rungs")
        if event.act is not None:
            self.act(f"{place}.act", event.act)

    def act(self, place: str, act: Act) -> None:
        """A dated act is one that its actor can do to its target."""
        known = self.known(f"{place}.by", act.by, self.scenario.actors, "actor")
        if act.target is not None:
            known &= self.known(f"{place}.target", act.target, self.scenario.actors, "actor")
        if not self.known(f"{place}.action", act.action, self.scenario.actions, "action") or not known:
            return
        action = self.scenario.actions[act.action]
        if act.by not in members(self.scenario, action.by):
            self.tell(f"{place}.by", f'"{act.by}" cannot do "{act.action}"; look at its `by`')
        if action.toward is None:
            if act.target is not None:
                self.tell(f"{place}.target", f'"{act.action}" is done to nobody; remove it')
        elif act.target is None:
            self.tell(place, f'"{act.action}" is done to someone; add target')
        elif act.target == act.by or act.target not in members(self.scenario, action.toward):
            self.tell(f"{place}.target", f'"{act.action}" cannot be done to "{act.target}"; look at its `toward`')

    def outcome(self, name: str, outcome: Outcome) -> None:
        place = f"outcomes.{name}"
        given = [word for word in MEASURES if getattr(outcome, word) is not None]
        if len(given) != 1:
            told = " and ".join(given) or "nothing"
            self.tell(place, f"asks for {told}; must ask for exactly one of {', '.join(MEASURES)}")
            return
        measure = given[0]
        bounds = [word for word in ("at_least", "at_most") if getattr(outcome, word) is not None]
        if len(bounds) == 2:
            self.tell(place, "says at_least and at_most; must say one of them")
        if measure == "first" and not bounds:
            self.tell(place, "asks when a bound is first passed; add at_least or at_most")
        kind = None
        if measure == "count":
            self.counted(f"{place}.count", outcome.count or Counted())
        elif measure == "incidents":
            self.known(f"{place}.incidents", outcome.incidents or "", self.scenario.incidents, "incident")
        else:
            path = getattr(outcome, measure)
            kind = self.path(f"{place}.{measure}", path, _Here(tags=True))
            if kind is not None and not bounds and outcome.over != "mean" and len(expand(path, self.scenario)) > 1:
                self.tell(f"{place}.{measure}", "speaks of several; add at_least or at_most, or `over: mean`")
        for word in bounds:
            quantity = getattr(outcome, word)
            if measure not in ("count", "incidents", "change"):
                self.level(f"{place}.{word}", quantity, kind)
            elif isinstance(quantity.value, str):
                self.tell(f"{place}.{word}", f'"{quantity.value}" is text; must be a number')

    def counted(self, place: str, counted: Counted) -> None:
        for index, action in enumerate(counted.action or []):
            self.known(f"{place}.action[{index}]", action, self.scenario.actions, "action")
        self.selectors(place, counted, by=counted.by, toward=counted.toward)
        dates = {"from": counted.from_, "until": counted.until}
        days = {word: first_day(date) for word, date in dates.items() if date and self.date(f"{place}.{word}", date)}
        for word in days:
            self.within(f"{place}.{word}", dates[word] or "")
        if len(days) == 2 and (counted.until or "") < (counted.from_ or "")[: len(counted.until or "")]:
            self.tell(f"{place}.until", f"{counted.until} is before {counted.from_}; exchange them")

    # helpers

    def selectors(self, place: str, block: Part, **selectors: Sequence[str] | None) -> None:
        """Every word of a selector is an actor or a tag."""
        for key, selector in selectors.items():
            for index, word in enumerate(selector or []):
                self.known(f"{place}.{key}[{index}]", word, self.groups, "actor or tag")

    def all_known(self, *selectors: Sequence[str] | None) -> bool:
        return bool(self.groups) and all(word in self.groups for selector in selectors for word in selector or [])

    def those(self, selector: Sequence[str]) -> tuple[str, ...]:
        """The actors of a selector; all of them where it holds a word that is not known (and told)."""
        return tuple(members(self.scenario, selector if self.all_known(selector) else None))

    def known(self, place: str, word: str, known: Iterable[str], kind: str) -> bool:
        if word in known:
            return True
        self.tell(place, f'no {kind} "{word}"{nearest(word, known)}')
        return False

    def whom(self, place: str, word: str, here: _Here) -> tuple[str, ...] | None:
        """The actors that a word may stand for at a place; None, and told, where it stands for nobody."""
        if word in ("self", "target"):
            found = here.self_ if word == "self" else here.target
            if found is None:
                key = here.self_by if word == "self" else here.target_by
                mend = f"; add `{key}` or name an actor" if key else "; name an actor"
                self.tell(place, f'"{word}" stands for nobody here{mend}')
            return found
        if not self.known(place, word, self.groups, "actor or tag" if here.tags else "actor"):
            return None
        if not here.tags and word not in self.scenario.actors:
            self.tell(place, f'"{word}" is a tag, and one actor must stand here; name it')
            return None
        return self.groups[word]

    def path(self, place: str, path: str, here: _Here) -> Slot | None:
        """A slot like those that a path stands for; None, and told, where it stands for none."""
        *words, name = path.split(".")
        if here.capabilities and len(words) == 1 and name in self.capabilities:
            self.skill(place, words[0], name, here)
            return None
        kind = self.kinds.get(name)
        if kind is None and here.capabilities and not words and name in self.capabilities:
            self.tell(place, f'"{name}" is a capability; write {"self" if here.self_ else "actor"}.{name}')
            return None
        if kind is None:
            if name not in self.scenario.indicators:
                known = {*self.scenario.indicators, *self.kinds, *(self.capabilities if here.capabilities else ())}
                told = "indicator or capability" if here.capabilities else "indicator"
                self.tell(place, f'no {told} "{name}"{nearest(name, known)}')
            return None
        shape = {"world": 0, "actor": 1, "dyad": 2}[kind.scope]
        if shape != len(words):
            owners_ = ("self" if here.self_ else "actor", "target" if here.target else "other")
            right = ".".join([*owners_[:shape], name])
            self.tell(place, f'"{name}" is of scope {kind.scope}; write {right}')
            return None
        actors = [self.whom(place, word, here) for word in words]
        if None in actors:
            return None
        if here.written and kind.indicator.startswith("credibility_") and kind.place.startswith("assurances."):
            self.tell(place, "credibility is what others believe and cannot be set; use signals, or kept and broken")
            return None
        owners = itertools.product(*(found or () for found in actors))
        if not any(".".join((*owner, name)) in self.scenario.slots for owner in owners):
            self.tell(place, f'no {path}; "{name}" exists for {self.owners(kind)}')
            return None
        return kind

    def skill(self, place: str, word: str, name: str, here: _Here) -> None:
        """A capability of an actor who has it."""
        owners = self.whom(place, word, here)
        if owners and not any(name in self.scenario.actors[owner].capabilities.by_name for owner in owners):
            self.tell(place, f'"{word}" has no capability "{name}"; add it to its capabilities')

    def owners(self, kind: Slot) -> str:
        """For whom an indicator exists, as its block says it."""
        if kind.place.startswith("indicators."):
            indicator = self.scenario.indicators[kind.indicator]
            sides = [indicator.of] if kind.scope == "actor" else [indicator.from_, indicator.to]
        else:
            assurance = self.scenario.assurances[kind.place.partition(".")[2]]
            sides = [assurance.from_, assurance.to]
            sides = sides[::-1] if kind.indicator.startswith("credibility_") else sides
        return " toward ".join(", ".join(side) if side else "all" for side in sides)

    def factors(self, place: str, factors: Sequence[str | Not], here: _Here, applies: Applies = always) -> None:
        """Factors of one number. applies: whether the number counts for an actor and a target."""
        for index, factor in enumerate(factors):
            at = f"{place}.times[{index}]"
            path, at = (factor.not_, f"{at}.not") if isinstance(factor, Not) else (factor, at)
            self.source(at, path, here, applies)

    def source(self, place: str, path: str, here: _Here, applies: Applies = always) -> None:
        """What a number is multiplied by exists wherever the number counts."""
        before = len(self.found)
        self.path(place, path, here.with_(tags=False, written=False, capabilities=True))
        words = path.split(".")
        if len(self.found) > before or not {"self", "target"}.intersection(words):
            return
        doers = here.self_ if "self" in words and here.self_ else (None,)
        others = here.target if "target" in words and here.target else (None,)
        if all(self.exists(path, i, j) for i in doers for j in others if i is None or i != j):
            return
        for i, j in itertools.product(here.self_ or (None,), here.target or (None,)):
            if (i is None or i != j) and not self.exists(path, i, j) and applies(i, j):
                real = _spelt(path, i, j)
                self.tell(place, f"there is no {real}, by which this number would be multiplied; declare it")
                return

    def exists(self, path: str, self_: str | None, target: str | None) -> bool:
        """Whether there is such a slot or capability."""
        real = _spelt(path, self_, target)
        actor, _, name = real.partition(".")
        owner = self.scenario.actors.get(actor)
        return real in self.scenario.slots or (owner is not None and name in owner.capabilities.by_name)

    def level(self, place: str, quantity: Quantity, kind: Slot | None) -> None:
        """A value that an indicator can have: a rung of its ladder, or a number of its range."""
        if kind is None:
            return
        value, bounds = quantity.value, Bounds(kind.lo, kind.hi)
        if isinstance(value, str):
            if kind.ladder is None:
                self.tell(place, f'"{value}" is text; must be a number, as "{kind.indicator}" is no ladder')
            elif value not in kind.ladder:
                self.tell(place, f'"{kind.indicator}" has no rung "{value}"{nearest(value, kind.ladder, "rungs")}')
            elif quantity.range is not None:
                self.around(place, kind.ladder.index(value), quantity.range, bounds)
        elif not bounds.holds(value):
            self.tell(place, f"{plain(value)} is out of range; must be {bounds}")
        elif kind.ladder is not None and value != int(value):
            self.tell(place, f"{value} is no rung; write a whole number from 0 or a rung's name")
        elif quantity.range is not None and quantity.range[0] <= value <= quantity.range[1]:
            self.around(place, value, quantity.range, bounds)

    def levels(self, place: str, numbers_: PerName, kind: Slot) -> None:
        for key, quantity in numbers_.by_name.items():
            self.level(place if key == "default" else f"{place}.{key}", quantity, kind)

    def promise(self, place: str, name: str | None) -> Assurance | None:
        if name is None or not self.known(place, name, self.scenario.assurances, "assurance"):
            return None
        return self.scenario.assurances[name]

    def keys(self, place: str, key: str, pair: bool = True) -> bool:
        """A key of numbers by name is an actor, a tag, or a pair of them."""
        words = key.split(".")
        if len(words) > (2 if pair else 1):
            self.tell(place, f'"{key}" must name an actor or tag' + (", or a pair (first.second)" if pair else ""))
            return False
        return all(self.known(place, word, [*self.groups, "default"], "actor or tag") for word in words)

    def covered(
        self, place: str, numbers_: PerName, owners: Sequence[tuple[str | None, str | None]], pair: bool = True
    ) -> None:
        """Every owner has a number, and every key an owner."""
        pair = pair and owners[0][1] is not None
        for key in numbers_.by_name:
            if key == "default" or not self.keys(f"{place}.{key}", key, pair):
                continue
            if not any(_exactness(key, self.scenario, *owner) > 0 for owner in owners):
                self.tell(f"{place}.{key}", f'"{key}" is nobody who has this number; remove it')
        if "default" in numbers_.by_name:
            return
        bare = [owner for owner in owners if pick(numbers_, self.scenario, *owner) is None]
        if bare:
            who = ", ".join(".".join(filter(None, owner)) for owner in bare[:3])
            more = f" and {len(bare) - 3} more" if len(bare) > 3 else ""
            self.tell(place, f"no number for {who}{more}; add `default`" if who else "no number; write one")

    def conflicts(
        self, place: str, effects: Sequence[Effect], doers: Sequence[str], targets: Sequence[str] | None
    ) -> None:
        """Two levels for one slot in one act: which should hold?"""
        levels = [(index, effect) for index, effect in enumerate(effects) if effect.add is None]
        for (_, one), (index, other) in itertools.combinations(levels, 2):
            if one.attempt != other.attempt or one.of.split(".")[-1] != other.of.split(".")[-1]:
                continue
            if one.of == other.of or self.meet(one.of, other.of, doers, targets):
                self.tell(f"{place}.effects[{index}]", f"brings {other.of} to a second level in one act; remove one")

    def meet(self, one: str, other: str, doers: Sequence[str], targets: Sequence[str] | None) -> bool:
        """Whether two paths speak of one slot for some actor and target."""
        others: Sequence[str | None] = targets or [None]
        for doer, target in itertools.product(doers, others):
            if doer != target and set(expand(one, self.scenario, doer, target)) & set(
                expand(other, self.scenario, doer, target)
            ):
                return True
        return False

    def date(self, place: str, date: str) -> bool:
        """Whether a calendar has that day."""
        try:
            first_day(date)
        except ValueError:
            self.tell(place, f"{date} is in no calendar; write YYYY-MM or YYYY-MM-DD")
            return False
        return True

    def within(self, place: str, date: str) -> None:
        """A date lies in one of the turns."""
        labels = self.labels()
        if labels and turn_of(self.scenario, date) is None:
            turn = self.scenario.turn
            last = labels[-1] if turn == "month" else f"the {turn} of {labels[-1]}"
            self.tell(place, f"{date} is outside the scenario; must be from {labels[0]} to {last}")

    def labels(self) -> list[str]:
        """The dates of the turns; none where the calendar does not reach that far."""
        try:
            return turn_dates(self.scenario)
        except (OverflowError, ValueError):
            return []


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class Loaded:
    """A scenario that was read, and where it came from. files: the file itself first, then what it extends."""

    scenario: Scenario
    files: tuple[pathlib.Path, ...]
    document: located.Document

    def place(self, path: str) -> tuple[str, int, int]:
        """File, line and column of a path; of the nearest block around it where the file does not say it."""
        mark = self.document.mark(_nearest_location(self.document, path))
        return mark.file, mark.line, mark.column

    def text(self) -> str:
        """The scenario as YAML that reads back to an equal one: all that it extends and all overrides within."""
        return as_yaml(self.scenario)


def find(name: str | pathlib.Path) -> pathlib.Path:
    """The file of a scenario: a path, or the name of a shipped one. Raises `Problems` offering the nearest."""
    path, text = pathlib.Path(name), str(name)
    shipped = data.scenarios()
    try:
        if path.exists() and not path.is_dir():
            return path
        if not path.is_absolute() and ".." not in path.parts:
            for candidate in (shipped / text, shipped / f"{text}.yaml"):
                if candidate.is_file():
                    return _from_here(candidate)
        if path.exists():
            return path
    except (OSError, ValueError):
        pass
    names = [file.stem for file in shipped.glob("*.yaml")]
    shown = located.short(text, 100)
    raise Problems(
        [Problem(shown, message=f"no such file, nor a shipped scenario{nearest(text, names, 'shipped are')}")]
    )


def read(source: str | pathlib.Path, sets: Mapping[str, Any] | Sequence[str] = ()) -> Loaded:
    """The scenario of a file or of a shipped name, with overrides.

    sets: `PATH=VALUE` texts, or values by path; a path is one of `numbers`, an indicator's own (its starting value), or
    that of another single setting such as `turns`. Raises `Problems` with everything that is wrong.
    """
    path = find(source)
    files, document, found = _gathered(path, str(path))
    if document is None:
        raise Problems(found)
    scenario, faults = _examined(document.data, document.refused)
    found += [fault.told(document) for fault in faults]
    if found or scenario is None:
        raise _all(found)
    if sets:
        scenario = _overridden(scenario, _parsed(sets), "--set ", lambda fault: fault.told(document))
    return Loaded(scenario, files, document)


def parse(raw: Any) -> Scenario:
    """The scenario in plain data, such as a test writes it; the same checks as for a file. Raises `Problems`."""
    scenario, faults = _examined(raw)
    if faults or scenario is None:
        raise _all([fault.told(None) for fault in faults])
    return scenario


def _all(found: list[Problem]) -> Problems:
    """Problems in the order of files and lines, the first hundred of them."""
    order = {name: n for n, name in enumerate(dict.fromkeys(problem.file for problem in found))}
    found = list(dict.fromkeys(found))
    found.sort(key=lambda problem: (order[problem.file], problem.line or 0, problem.column or 0))
    more = len(found) - MOST_PROBLEMS
    if more > 0:
        found[MOST_PROBLEMS:] = [Problem(message=f"{more} more problems are not shown; mend these first")]
    return Problems(found)


def _from_here(path: pathlib.Path) -> pathlib.Path:
    """The path as seen from the working folder, if it lies below it."""
    try:
        return path.relative_to(pathlib.Path.cwd())
    except (OSError, ValueError):
        return path


# extending

MOST_BASES = 10


def _gathered(path: pathlib.Path, name: str) -> tuple[tuple[pathlib.Path, ...], located.Document | None, list[Problem]]:
    """A file laid over all that it extends; None where one of them cannot be read at all."""
    files: list[pathlib.Path] = []
    documents: list[located.Document] = []
    found: list[Problem] = []
    step: tuple[pathlib.Path, str] | None = (path, name)
    while step is not None:
        files.append(step[0])
        document, told = located.examine(*step)
        found += told
        if document is None:
            return tuple(files), None, found
        if not isinstance(document.data, dict):
            mark = document.mark(())
            message = "a scenario is a mapping (key: value); it begins with `tightrope: 1`"
            return tuple(files), None, [*found, Problem(mark.file, mark.line, mark.column, None, message)]
        documents.append(document)
        try:
            step = _base(document, files)
        except Problems as error:
            return tuple(files), None, found + error.problems
    whole = documents[-1]
    for document in reversed(documents[:-1]):
        whole = document.over(whole)
    return tuple(files), whole.without("extends"), found


def _base(document: located.Document, files: list[pathlib.Path]) -> tuple[pathlib.Path, str] | None:
    """The file that a document extends, and what to call it. Raises `Problems`."""
    name = document.data.get("extends")
    if name is None:
        return None
    mark = document.mark(("extends",))

    def no(message: str) -> Problems:
        return Problems([Problem(mark.file, mark.line, mark.column, "extends", message)])

    if not isinstance(name, str):
        raise no("must be the name of a file")
    path = _beside_or_shipped(files[-1], name)
    if path is None:
        parts = pathlib.PurePath(name).parts
        if ".." in parts or pathlib.PurePath(name).is_absolute():
            raise no(f"{_shown(name)} leads elsewhere; name a file beside this one, or a shipped one")
        raise no(f"no file {_shown(name)} beside this one or among the shipped{nearest(name, _bases(files[-1]))}")
    if any(path.resolve() == file.resolve() for file in files):
        raise no(f"{_shown(name)} extends this file in turn; a scenario cannot rest on itself")
    if len(files) > MOST_BASES:
        raise no(f"more than {MOST_BASES} files extend one another")
    return path, str(path)


def _beside_or_shipped(file: pathlib.Path, name: str) -> pathlib.Path | None:
    """The file of that name in one of the two folders, never outside them."""
    for folder in (file.parent, data.scenarios()):
        for path in (folder / name, folder / f"{name}.yaml"):
            try:
                if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                    return _from_here(path)
            except (OSError, ValueError):
                continue
    return None


def _bases(file: pathlib.Path) -> list[str]:
    """What a file could extend."""
    try:
        near = itertools.islice(itertools.chain(file.parent.glob("*.yaml"), file.parent.glob("*/*.yaml")), 200)
        beside = [path.relative_to(file.parent).as_posix() for path in near if path != file]
    except OSError:
        beside = []
    shipped = data.scenarios()
    return beside + [path.relative_to(shipped).as_posix() for path in shipped.rglob("*.yaml")]


# validating


@dataclass(frozen=True)
class _Fault:
    """One thing wrong with plain data. key: whether the key is at fault rather than the value."""

    at: Location
    message: str
    path: str | None = None
    key: bool = False

    def told(self, document: located.Document | None) -> Problem:
        """The problem, with its place in a document if there is one."""
        path = path_of(self.at) if self.path is None else self.path
        if document is None:
            return Problem(path=path or None, message=self.message)
        places = document.places
        while path.endswith("[0]") and path not in places:  # one word is short for a list of one
            path = path[:-3]
        at = self.at if self.path is None else _nearest_location(document, path)
        by_key = self.key or at not in document.marks or document.is_block(at)
        mark = document.key(at) if by_key else document.mark(at)
        return Problem(mark.file, mark.line, mark.column, located.short(path, 150) or None, self.message)


def _nearest_location(document: located.Document, path: str) -> Location:
    """Where a path of `numbers` or `problems` stands in a document, or the nearest block around it."""
    places = document.places
    while path and path not in places:
        cut = max(path.rfind("."), path.rfind("["))
        path = path[:cut] if cut > 0 else ""
    return places.get(path, ())


def _examined(raw: Any, refused: Iterable[Location] = ()) -> tuple[Scenario | None, list[_Fault]]:
    """The scenario in plain data, and all that is wrong with it. refused: places known to be wrong, not told again.

    Parts that are not well formed are told, then mended or left out, so that the rest can be looked at too.
    """
    if not isinstance(raw, dict):
        return None, [_Fault((), "a scenario is a mapping (key: value); it begins with `tightrope: 1`")]
    version = raw.get("tightrope")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        message = f"this file is of format {version}; this program reads {FORMAT}; use a newer Tightrope"
        return None, [_Fault(("tightrope",), message)]
    try:
        scenario = Scenario.model_validate(raw)
    except ValidationError as error:
        return None, _faults(raw, error, refused)
    return scenario, _semantic(scenario)


def validated(kind: type[Kind], document: located.Document) -> tuple[Kind | None, list[Problem]]:
    """A document as another kind of file, such as a study; None, and what is wrong with its form, where it is not."""
    try:
        return kind.model_validate(document.data), []
    except ValidationError as error:
        faults = [
            _fault(document.data, item, kind)
            for item in error.errors(include_url=False, include_context=True)[:MOST_PROBLEMS]
            if not _is_told(_data_location(document.data, item), item, document.refused)
        ]
        return None, [fault.told(document) for fault in faults]


def _semantic(scenario: Scenario) -> list[_Fault]:
    return [_Fault((), message, place) for place, message in problems(scenario)]


def _faults(raw: dict[str, Any], error: ValidationError, refused: Iterable[Location]) -> list[_Fault]:
    """What is not well formed, and what else is wrong in what remains when that is mended or left out."""
    mended = _Mended(raw)
    errors = error.errors(include_url=False, include_context=True)
    faults = [
        _fault(raw, item) for item in errors[:MOST_PROBLEMS] if not _is_told(_data_location(raw, item), item, refused)
    ]
    scenario = mended.scenario(errors)
    if scenario is not None:
        faults += [fault for fault in _semantic(scenario) if not mended.touches(fault)]
    return faults


def _is_told(at: Location, item: Any, refused: Iterable[Location]) -> bool:
    """Whether an error comes of what was refused already: the value itself, or the block that lacks a key."""
    return at in refused or (item["type"] == "missing" and at[:-1] in refused)


class _Mended:
    """Plain data whose malformed parts are given a stand-in or left out, so that the rest can be looked at."""

    STAND_INS: Mapping[str, Any] = {
        "tightrope": FORMAT, "title": "x", "turns": 12, "value": 0.5, "salience": 0.5, "ideal": 0.5, "cost": 0.5,
        "cameo": "010", "plover": "NONE", "channel": "words", "hazard": 0.5, "add": 0.5, "fade": 0.5, "kept": 0.5,
        "broken": 0.5, "reliability": 0.5, "forgetting": 0.5, "signal": 0.5, "date": "2000-01",
    }  # fmt: skip
    SELECTING = ("scope", "of", "from", "to", "ladder", "range", "by", "toward", "on")
    TIMING = ("start", "turns", "turn")

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw: Any = copy.deepcopy(raw)
        self.paths: set[str] = set()
        self.blocks: set[str] = set()  # with unknown keys, and so perhaps without what they should say
        self.lost: set[str] = set()
        self.hopeless = False

    def scenario(self, errors: Sequence[Any]) -> Scenario | None:
        """The scenario that is left; None if too little is."""
        for _ in range(6):
            for item in errors:
                self.mend(item)
            if self.hopeless:
                return None
            try:
                return Scenario.model_validate(self.raw)
            except ValidationError as error:
                errors = error.errors(include_url=False, include_context=False, include_input=False)
        return None

    def mend(self, item: Any) -> None:
        at = _data_location(self.raw, item)
        self.paths.add(path_of(at))
        if item["type"] == "extra_forbidden":
            self.blocks.add(path_of(at[:-1]))
        if item["type"] != "missing":
            self.drop(at)
        elif at[-1] in self.STAND_INS:
            self.parent(at)[at[-1]] = self.STAND_INS[str(at[-1])]
        elif at == ("start",):
            self.raw["start"] = "2000-01"
        elif at[-1] == "start":
            self.parent(at)["start"] = 0.5
        else:
            self.drop(at[:-1])

    def drop(self, at: Location) -> None:
        """Leaves a value out: with it the list that it is in, or the block that cannot be read without it."""
        if len(at) > 2 and at[0] not in ("actors", "timeline") and at[2] in self.SELECTING:
            at = at[:2]
        while at and isinstance(at[-1], int):
            at = at[:-1]
        if not at or at in (("actors",), ("indicators",)) or (at[0] == "actors" and (len(at) == 2 or at[2] == "tags")):
            self.hopeless = True
            return
        self.paths.add(path_of(at))
        if len(at) == 2:
            self.lost |= {str(at[1]), *(family + str(at[1]) for family in FAMILIES)}
        parent = self.parent(at)
        if isinstance(parent, dict):
            parent.pop(at[-1], None)

    def parent(self, at: Location) -> Any:
        node = self.raw
        for word in at[:-1]:
            found = (isinstance(node, dict) and word in node) or (isinstance(node, list) and isinstance(word, int))
            node = node[word] if found else {}
        return node

    def touches(self, fault: _Fault) -> bool:
        """Whether a fault may come of the mending."""
        path = fault.path or ""
        if path in self.blocks:
            return True
        if any(path == faulty or path.startswith((f"{faulty}.", f"{faulty}[")) for faulty in self.paths):
            return True
        if self.paths.intersection(self.TIMING) and "outside the scenario" in fault.message:
            return True
        return any(f'"{name}"' in fault.message for name in self.lost)


def _data_location(raw: Any, item: Any) -> Location:
    """Where in the data an error of pydantic lies, without the words of its own."""
    node, at = raw, []
    words = item["loc"][:-1] if item["type"] == "missing" else item["loc"]
    for word in words:
        if (isinstance(node, dict) and word in node) or (
            isinstance(node, list) and isinstance(word, int) and word < len(node)
        ):
            node = node[word]
        else:
            continue
        at.append(word)
    return (*at, item["loc"][-1]) if item["type"] == "missing" else tuple(at)


# pydantic's complaints in our words


def _fault(raw: Any, item: Any, root: type[Part] = Scenario) -> _Fault:
    """One error of pydantic: where, what is wrong, and the mend. root: what the whole file should be."""
    at = _data_location(raw, item)
    kinds, field = _declared(item["loc"], root)
    if item["type"] == "extra_forbidden":
        keys = {key for kind in kinds for key in _keys(kind)}
        key = str(at[-1])
        odd = located.odd_letter(key)
        told = f" (it holds {odd})" if odd else ""
        return _Fault(at, f'unknown key "{located.short(key)}"{told}{nearest(key, keys, "keys here are")}', key=True)
    if item["type"] == "missing":
        example = json.dumps(field.examples[0], ensure_ascii=False) if field and field.examples else "..."
        return _Fault(at, f"missing; write for example `{at[-1]}: {example}`", key=True)
    is_key = item["loc"][-1] == "[key]"
    if item["type"] == "string_type" and at[-1] in ("start", "date", "from", "until"):
        return _Fault(at, f"{_shown(item['input'])} {_PATTERNS[DATE]}")
    return _Fault(at, _complaint(item, at[-1] if is_key and at else item["input"], field), key=is_key)


def _keys(kind: Any) -> list[str]:
    if not (isinstance(kind, type) and issubclass(kind, Part)):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def _declared(words: Sequence[Any], root: type[Part] = Scenario) -> tuple[list[Any], FieldInfo | None]:
    """The types that may stand at a location (for an unknown key: around it), and the field it is or is in."""
    kinds, field = [root], None
    for word in words:
        following: list[Any] = []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, Part):
                found = next((f for name, f in kind.model_fields.items() if (f.alias or name) == word), None)
                field = found or field
                following += _alternatives(found.annotation) if found else []
                following += [Quantity] if not found and issubclass(kind, PerName) else []
            elif get_origin(kind) is (list if isinstance(word, int) else dict):
                following += _alternatives(get_args(kind)[-1])
        kinds = following or kinds
    return kinds, field


def _alternatives(annotation: Any) -> list[Any]:
    """The types of a union, without what is annotated to them."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _alternatives(part)]
    return [annotation]


_TYPES = {
    "number": "a number", "float_type": "a number", "finite_number": "a finite number", "int_type": "a whole number",
    "string_type": "text", "bool_type": "true or false", "dict_type": "a mapping (key: value)", "list_type": "a list",
    "model_type": "a mapping (key: value)", "model_attributes_type": "a mapping (key: value)",
}  # fmt: skip
_PATTERNS = {
    PATH: "is no path; write name, actor.name or from.to.name",
    DATE: "is no date; write YYYY-MM or YYYY-MM-DD",
    CAMEO: 'is no CAMEO code; write two to four digits in quotes, such as "054"',
    CLAIM: "is no claim id; one looks like FRS-041",
    LINE: "is of several lines; write it on one",
}


def _complaint(item: Any, value: Any, field: FieldInfo | None) -> str:
    """What pydantic found, as value, rule and mend."""
    kind, rule = item["type"], item.get("ctx", {})
    if kind in _TYPES:
        return _wrong_type(value, _TYPES[kind], field is None or field.is_required())
    if kind == "string_pattern_mismatch":
        return _misnamed(value, rule["pattern"])
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", rule["expected"]) or [rule["expected"]]
        near = near_word(value, allowed) if isinstance(value, str) else None
        mend = f'did you mean "{near}"?' if near else f"must be {_or(allowed)}"
        return f"{_shown(value)} is not allowed; {mend}"
    if kind in ("greater_than_equal", "less_than_equal"):
        limits = {type(item).__name__: item for item in (field.metadata if field else [])}
        return f"{_shown(value)} is out of range; must be {limits['Ge'].ge}..{limits['Le'].le}"
    if kind in ("string_too_long", "string_too_short"):
        if not value:
            return "is empty; write something, or leave the key out"
        bound = f"at most {rule['max_length']}" if "max_length" in rule else f"at least {rule['min_length']}"
        return f"has {len(value)} characters; must have {bound}"
    if kind in ("too_long", "too_short"):
        bound = f"at most {rule['max_length']}" if "max_length" in rule else f"at least {rule['min_length']}"
        return f"has {rule['actual_length']} items; must have {bound}"
    return str(item["msg"])


def _or(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _wrong_type(value: Any, rule: str, required: bool) -> str:
    if value is None:
        return f"nothing stands here; must be {rule}{'' if required else ', or leave the key out'}"
    if isinstance(value, bool):
        return f"{_shown(value)} is a yes or no; must be {rule}"
    if isinstance(value, float) and rule == "a whole number":
        return f"{value} has a point or an exponent; must be a whole number such as {round(value)}"
    if isinstance(value, (int, float)):
        mend = ": put it in quotes" if rule == "text" else ""
        return f"{_shown(value)} is a number; must be {rule}{mend}"
    if isinstance(value, str):
        return f"{_shown(value)} is text; must be {rule}"
    return f"{_shown(value)} stands here; must be {rule}"


def _misnamed(value: Any, pattern: str) -> str:
    """A text that has not the form it must have."""
    shown, odd = _shown(value), located.odd_letter(str(value))
    if pattern in (NAME, PATH) and odd:
        return f"{shown} holds {odd}; write it with plain letters a-z"
    if pattern in _PATTERNS:
        return f"{shown} {_PATTERNS[pattern]}"
    better = re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_")
    mend = f'; write "{better}"' if re.fullmatch(NAME, better) and len(better) <= 60 else ""
    return f"{shown} is no name (lower-case letters, digits and _, a letter first){mend}"


def _shown(value: Any) -> str:
    """A value as it may stand in a message."""
    if isinstance(value, str):
        return f'"{located.short(value)}"'
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return located.short(str(plain(value)) if isinstance(value, float) else str(value))


# overriding


def _parsed(sets: Mapping[str, Any] | Sequence[str]) -> dict[str, Any]:
    """Values by path. Raises `Problems` for what is not PATH=VALUE."""
    if isinstance(sets, Mapping):
        return dict(sets)
    values: dict[str, Any] = {}
    found = []
    for text in [sets] if isinstance(sets, str) else sets:
        path, equals, value = text.partition("=")
        try:
            if not equals or not path.strip() or not value.strip():
                raise ValueError("must be PATH=VALUE")
            values[path.strip()] = located.scalar(value.strip())
        except ValueError as error:
            found.append(Problem(path=f"--set {located.short(text, 100)}", message=str(error)))
    if found:
        raise Problems(found)
    return values


def _overridden(
    scenario: Scenario,
    values: Mapping[str, Any],
    label: str,
    told: Callable[[_Fault], Problem],
    widen: bool = False,
) -> Scenario:
    """The scenario with other values at some paths. told: how a fault elsewhere is to be reported."""
    raw, names, found = as_data(scenario), {}, []
    spots = {path_of(quantity.at): quantity.at for quantity in _quantities(scenario)}
    for path, value in values.items():
        at = _settable(scenario, path, spots)
        if at is None:
            found.append(_no_number(scenario, path, spots, label))
        else:
            _put(raw, at, value, widen)
            names[path_of(at)] = f"{label}{path}"
    if found:
        raise Problems(found)
    result, faults = _examined(raw)
    if result is None or faults:
        raise _all([_by_override(fault, names) or told(fault) for fault in faults])
    return result


def _no_number(scenario: Scenario, path: str, spots: Iterable[str], label: str) -> Problem:
    known = [*spots, *scenario.slots, "turns", "turn", "start", "policy"]
    return Problem(path=f"{label}{path}", message=f"no such number{nearest(path, known)}")


def _by_override(fault: _Fault, names: Mapping[str, str]) -> Problem | None:
    """The problem under the name of the override that it lies in, if it does."""
    path = path_of(fault.at) if fault.path is None else fault.path
    for place, name in names.items():
        if path == place or path.startswith((f"{place}.", f"{place}[")):
            return Problem(path=name, message=fault.message)
    return None


def _settable(scenario: Scenario, path: str, spots: Mapping[str, Location]) -> Location | None:
    """Where a value for a path goes in the data; None if there is no such setting."""
    path = re.sub(r"(\.(value|default))+$", "", path)
    slot = path.removeprefix("set.")
    if path in spots:
        return spots[path]
    if slot in scenario.slots:
        return ("set", slot)
    return _setting(scenario, scenario, re.findall(r"\[[0-9]{1,6}\]|[^.\[\]]+", path))


def _setting(scenario: Scenario, part: Any, words: Sequence[str]) -> Location | None:
    """Where the words of a path lead within a part of a scenario; None if to nothing, or to more than one setting."""
    if not words:
        single = part is None or isinstance(part, (Quantity, PerName, Position, str, int, float))
        return () if single else None
    word, inner = words[0], None
    key: str | int = word
    if isinstance(part, Part):
        names = {field.alias or name: name for name, field in type(part).model_fields.items()}
        if word not in names:
            new = isinstance(part, PerName) and all(name in scenario.groups for name in words)
            return (".".join(words),) if new else None
        inner = getattr(part, names[word])
    elif isinstance(part, dict) and word in part:
        inner = part[word]
    elif isinstance(part, list) and word.startswith("[") and int(word[1:-1]) < len(part):
        key = int(word[1:-1])
        inner = part[key]
    else:
        return None
    further = _setting(scenario, inner, words[1:])
    return None if further is None else (key, *further)


def _put(raw: Any, at: Location, value: Any, widen: bool = False) -> None:
    """Writes a value into plain data; a number's source and range stay, and a short form becomes a long one.

    widen: a range that leaves the value out goes.
    """
    *way, last = at
    for word in way:
        child = raw.setdefault(word, {}) if isinstance(raw, dict) else raw[word]
        if not isinstance(child, (dict, list)):
            child = raw[word] = {"default": child}
        raw = child
    child = raw.get(last) if isinstance(raw, dict) else raw[last]
    if isinstance(child, dict) and "of" not in child:
        child["value" if "value" in child else "default"] = value
        low, high = child.get("range") or (value, value)
        if widen and not (isinstance(value, str) or low <= value <= high):
            del child["range"]
    else:
        raw[last] = value


# ------------------------------------------------------------------------------------------------ the schema


def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file as people write it: short forms allowed, a description and examples everywhere."""
    described = Scenario.model_json_schema(by_alias=True, mode="validation")
    for name in ("PerName", "Scaled"):
        block = described["$defs"][name]
        about = {"description": "The number for all who are not named.", "examples": [0.5]}
        block["properties"]["default"] = block["additionalProperties"] | about
        for key in ("value", "range"):  # a quantity is short for {default: quantity}
            block["properties"][key] = described["$defs"]["Quantity"]["properties"][key]
        block["additionalProperties"]["description"] = "The number of an actor, a tag or a pair (`west.taliban`)."
    _tidied(described)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tightrope scenario", **described}


def _tidied(described: Any, names: bool = False) -> None:
    """Takes away the titles that pydantic makes of field names, and lets no other keys stand beside patterns of keys.

    names: whether the keys are names of fields.
    """
    if isinstance(described, list):
        for item in described:
            _tidied(item)
    elif isinstance(described, dict):
        if not names:
            described.pop("title", None)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        for key, item in described.items():
            if key not in ("examples", "default"):
                _tidied(item, key in ("properties", "$defs"))

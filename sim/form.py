"""What a scenario may say, and whom and what its names, paths and dates stand for.

Data in YAML, formulas in Python: nothing in a scenario is evaluated. In order: the models, frozen; names (`members`,
`slots`, `pick`, `expand`); the calendar (`turn_dates`, `turn_of`); the JSON Schema (`schema`).
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from sim.quantities import (
    ANY,
    COUNT,
    DEPTH,
    LEVEL,
    POSITIVE,
    SHARE,
    SWITCH,
    TIMES,
    TIMES_EXAMPLES,
    Bounds,
    Factors,
    Level,
    LevelPerActor,
    Line,
    Name,
    Names,
    Number,
    Pair,
    Part,
    Path,
    PerActor,
    PerName,
    Quantity,
    Scaled,
    ScaledNumber,
    Selector,
    Short,
    Sourced,
    _listed,
    _quantity,
    plain,
)

FORMAT = 1
DATE = r"^[0-9]{4}-[0-9]{2}(-[0-9]{2})?$"
CAMEO = r"^[0-9]{2,4}$"

Date = Annotated[str, Field(pattern=DATE)]
Cameo = Annotated[str, Field(pattern=CAMEO)]
Plover = Literal[
    "AGREE", "CONSULT", "SUPPORT", "COOPERATE", "AID", "CONCEDE", "RETREAT", "ACCUSE", "REQUEST", "REJECT",
    "THREATEN", "PROTEST", "MOBILIZE", "SANCTION", "COERCE", "ASSAULT", "NONE",
]  # fmt: skip
Policy = Literal["quantal", "best", "random", "frozen", "trend", "reinforcement", "challenge"]


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
        None,
        description="Share of the distance to `rest` that is lost each turn, 0..1 (0 if left out: it never fades).",
        examples=[0.08],
        json_schema_extra={"default": 0},
    )
    noise: Annotated[Number | None, COUNT] = Field(
        None,
        description="Standard deviation of the random change each turn, in its unit (0 if left out: none).",
        examples=[0.02],
        json_schema_extra={"default": 0},
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


class Challenge(Sourced):
    """What an actor brings to the expected-utility challenge model."""

    position: Annotated[Ideal, BeforeValidator(_ideal), Short(("number",)), SHARE] = Field(
        description="Where it stands on the one issue, 0..1, or {of: path}: an indicator's share of its range.",
        examples=[0.8, {"of": "self.stance"}],
    )
    capability: Annotated[Number, SHARE] = Field(description="What it could bring to bear, 0..1.", examples=[0.7])
    salience: Annotated[Number, SHARE] = Field(
        description="How much of that it would bring to bear, 0..1.", examples=[0.8]
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
        None,
        description="Lambda >= 0 of quantal response, per unit of utility (`model.rationality` if left out).",
        examples=[175],
    )
    foresight: Annotated[Number | None, Bounds(0, 1, below=True)] = Field(
        None,
        description="Gamma, 0 (myopic) to below 1: weight of the next turn (`model.foresight` if left out).",
        examples=[0.6],
    )
    risk: Annotated[Number | None, Bounds(0, 100, above=True)] = Field(
        None, description="Risk exponent rho > 0 of the loss |x - ideal|^rho (`model.risk` if left out).", examples=[2]
    )
    responsiveness: Annotated[Number | None, COUNT] = Field(
        None,
        description="Eta >= 0: how fast its regard answers what others do (`model.responsiveness` if left out).",
        examples=[5],
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
        json_schema_extra={"default": 0},
    )
    depth: Annotated[Number | None, DEPTH] = Field(
        None,
        description="How far it thinks of others' choices: 0, 1 or 2 (`model.depth` if left out).",
        examples=[1],
    )
    policy: Policy | None = Field(
        None, description="How this actor chooses, where it differs from the scenario's policy.", examples=["random"]
    )
    challenge: Challenge | None = Field(
        None,
        description="What it brings to the policy `challenge`, under which who declares none counts for nothing.",
        examples=[{"position": 0.8, "capability": 0.7, "salience": 0.8}],
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
        default_factory=lambda: PerName.model_validate(
            {"default": {"value": 1.0, "assumption": "kept when its giver so chooses"}}
        ),
        description="Chance that it is kept when tested, at the start, 0..1; by giver or `giver.receiver`.",
        examples=[0.6],
    )
    rest: Annotated[PerActor | None, SHARE] = Field(
        None, description="Level that reliability is pulled to (its start if left out).", examples=[0.5]
    )
    pull: Annotated[Number | None, SHARE] = Field(
        None,
        description="Pull of reliability to its rest, 0..1 a turn (0 if left out).",
        examples=[0.1],
        json_schema_extra={"default": 0},
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


def _deed(value: Any) -> Any:
    """An action's id is short for {action: ...}."""
    if isinstance(value, str):
        return {"action": value}
    if not isinstance(value, (dict, Deed)):
        raise PydanticCustomError("deed", "must be the name of an action")
    return value


class Deed(Part):
    """An act that a side of a bargain promises."""

    lone: ClassVar[str | None] = "action"
    action: Name = Field(description="The action's id.", examples=["open_schools"])
    toward: Name | None = Field(
        None,
        description="The actor it is done to (the other side if left out; nobody where the action has no `toward`).",
        examples=["europe"],
    )


Promised = Annotated[Deed, BeforeValidator(_deed), Short(("string",))]


class Bargain(Sourced):
    """What an actor can offer another: an act of its own for an act of the other's."""

    title: Line | None = Field(
        None, description="A verb phrase for cards and feeds.", examples=["offers aid against schools for girls to"]
    )
    cameo: Cameo = Field(description="CAMEO event code of the offer, quoted.", examples=["0331"])
    plover: Plover = Field(
        description="PLOVER event type (NONE where PLOVER drops the CAMEO code).", examples=["AGREE"]
    )
    channel: Name = Field(
        description="words, ties, money, force, ...: at most one act a channel and target a turn.", examples=["deals"]
    )
    effort: Annotated[Number, COUNT] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="a deed"),
        description="Attention that the offer takes: a word 0.25, a deed 1, a programme 2.",
        examples=[0.5],
    )
    by: Selector = Field(description="Actors or tags who can propose it.", examples=["west"])
    toward: Selector = Field(description="Actors or tags it can be proposed to.", examples=["taliban"])
    habit: Annotated[Number, POSITIVE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="no act is likelier than another beforehand"),
        description="Weight of the offer in the prior over available actions.",
        examples=[2],
    )
    visibility: Annotated[Number, SHARE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="done in the open"),
        description="0..1: how much others see of what came of it.",
        examples=[0.2],
    )
    needs: list[Need] = Field(
        default_factory=list,
        description="All must hold at the start of the turn (`self` proposes to `target`).",
        examples=[[{"of": "self.target.rung", "at_least": "talks"}]],
    )
    give: Promised = Field(
        description="What the proposer promises: an action, or {action, toward}.", examples=["conditional_aid"]
    )
    ask: Promised = Field(
        description="What the target promises in return: an action, or {action, toward}.",
        examples=["open_schools", {"action": "open_schools", "toward": "europe"}],
    )
    give_after: int = Field(0, ge=0, le=60, description="Turns from acceptance until the give falls due.", examples=[1])
    ask_after: int = Field(0, ge=0, le=60, description="Turns from acceptance until the ask falls due.", examples=[1])
    expires: int = Field(1, ge=1, le=60, description="Turns that an offer stays on the table.", examples=[2])
    bias: Annotated[Number, ANY] = Field(
        description="Log-odds against acceptance when nothing hangs on it: the weight of what is.", examples=[1.5]
    )
    word: Name = Field(
        description="The assurance that both promise by: what each believes of the other's word.",
        examples=["good_faith"],
    )
    together: bool = Field(
        False, description="Whether the others of `by` are asked to join the offer.", examples=[True]
    )
    counter: Name | None = Field(
        None,
        description="The bargain that the target can answer with: same `by` and `toward`, neither `together`.",
        examples=["smaller_bargain"],
    )
    active: Annotated[Number, SWITCH] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="part of the world"),
        description="0 switches it off, 1 on.",
        examples=[0],
    )


class AgendaItem(Sourced):
    """A position that a session of a forum moves."""

    of: Path = Field(
        description="Indicator of the member (`self`) that holds its position; who has none neither moves nor counts.",
        examples=["self.stance"],
    )
    openness: Annotated[PerActor, SHARE] = Field(
        description="Share of the way to the others' weighed mean that a member moves in a session, 0..1.",
        examples=[{"default": 0.2, "tajikistan": 0.05}],
    )
    salience: Annotated[PerActor, SHARE] = Field(
        description="How much a member puts behind its position, 0..1.", examples=[{"default": 0.5, "russia": 0.8}]
    )


class Output(Sourced):
    """What can come of a session where those present agree."""

    title: Line | None = Field(None, description="What it is.", examples=["a joint statement"])
    on: Names = Field(
        default_factory=list,
        description="Items of the agenda that must be agreed enough.",
        examples=[["line"]],
    )
    within: Annotated[Number, SHARE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="it asks for no agreement but that nobody vetoes it"),
        description="Spread of the positions (share of the range) below which it can follow, 0..1.",
        examples=[0.3],
    )
    vetoes: Names | None = Field(
        None,
        description="Actors or tags who can stop it, if present (all members if left out; []: nobody).",
        examples=[["russia", "china"]],
    )
    bias: Annotated[Number, ANY] = Field(description="Log-odds against a veto when nothing hangs on it.", examples=[3])
    effects: list[Effect] = Field(
        default_factory=list, description="What it does.", examples=[[{"of": "taliban.legitimacy", "add": 0.02}]]
    )
    acts: list[Act] = Field(
        default_factory=list,
        description="Acts that it gives rise to, of members who are present and willing.",
        examples=[[{"by": "russia", "action": "exercise", "target": "tajikistan"}]],
    )


class Forum(Sourced):
    """Where members meet, move one another's positions, and may agree on something."""

    title: Line | None = Field(None, description="Name for cards and figures.", examples=["the Moscow format"])
    cameo: Cameo = Field(description="CAMEO event code of convening it, quoted.", examples=["040"])
    plover: Plover = Field(
        description="PLOVER event type (NONE where PLOVER drops the CAMEO code).", examples=["CONSULT"]
    )
    members: Selector = Field(
        description="Actors or tags who meet there, two at least.", examples=[["russia", "china", "central_asia"]]
    )
    convener: Selector = Field(description="Actors or tags who can convene it, members or not.", examples=["russia"])
    channel: Name = Field(
        description="words, ties, money, force, ...: at most one act a channel and target a turn.", examples=["talks"]
    )
    effort: Annotated[Number, COUNT] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="a deed"),
        description="Attention that convening takes: a word 0.25, a deed 1, a programme 2.",
        examples=[1],
    )
    habit: Annotated[Number, POSITIVE] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="no act is likelier than another beforehand"),
        description="Weight of convening in the prior over available actions.",
        examples=[2],
    )
    needs: list[Need] = Field(
        default_factory=list,
        description="All must hold at the start of the turn for convening (`self` is the convener).",
        examples=[[{"of": "world_attention", "at_least": 0.3}]],
    )
    cost: Annotated[ScaledNumber, ANY] = Field(
        description="Cost of convening in units of utility; word 0.002, deed 0.008, programme 0.016.",
        examples=[0.008, {"default": 0.008, "russia": 0.004, "claim": "FRS-014"}],
    )
    dates: Annotated[list[Date], BeforeValidator(_listed), Short(("string",))] = Field(
        default_factory=list, description="Sessions held without being convened.", examples=[["2021-10"]]
    )
    every: int | None = Field(
        None,
        ge=1,
        le=240,
        description="A session each so many turns, from the first of `dates`, else from the first turn.",
        examples=[6],
    )
    pause: int = Field(
        1, ge=0, le=240, description="Turns after a session in which it cannot be convened.", examples=[3]
    )
    quorum: int = Field(
        2, ge=2, le=1000, description="Members who must be present for anything to come of it.", examples=[4]
    )
    capability: Name | None = Field(
        None,
        description="The capability by which members weigh (all weigh 1 if left out).",
        examples=["diplomacy"],
    )
    attend: Annotated[PerActor, ANY] = Field(
        description="Log-odds of attending when nothing hangs on it: one number, or one per actor or tag.",
        examples=[2, {"default": 2, "tajikistan": 0}],
    )
    agenda: dict[Name, AgendaItem] = Field(
        default_factory=dict,
        description="The positions that a session moves, by name.",
        examples=[{"line": {"of": "self.stance", "openness": 0.2, "salience": 0.5}}],
    )
    outputs: dict[Name, Output] = Field(
        default_factory=dict,
        description="What can come of a session, by name.",
        examples=[{"statement": {"on": ["line"], "within": 0.3, "bias": 3}}],
    )
    active: Annotated[Number, SWITCH] = Field(
        default_factory=lambda: Quantity(value=1.0, assumption="part of the world"),
        description="0 switches it off, 1 on.",
        examples=[0],
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
    depth: Annotated[Number, DEPTH] = Field(
        default_factory=lambda: Quantity(value=0.0, assumption="takes the world as it stands"),
        description="How far actors think of others' choices: 0, 1 or 2, where an actor states none.",
        examples=[1],
    )


class Scenario(Sourced):
    """One scenario: the world, its actors, its timeline, its outcomes."""

    whole: ClassVar[bool] = True
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
    bargains: dict[Name, Bargain] = Field(
        default_factory=dict,
        description="What can be offered against what, by name.",
        examples=[
            {
                "aid_for_calm": {
                    "cameo": "0331", "plover": "AGREE", "channel": "deals", "by": "state", "toward": "front",
                    "give": "aid", "ask": "stop_raids", "bias": 1.5, "word": "good_faith",
                }
            }
        ],
    )  # fmt: skip
    fora: dict[Name, Forum] = Field(
        default_factory=dict,
        description="Where actors meet, by name.",
        examples=[
            {
                "council": {
                    "cameo": "040", "plover": "CONSULT", "members": "state", "convener": "alba", "channel": "talks",
                    "cost": 0.008, "attend": 2,
                    "agenda": {"line": {"of": "self.stance", "openness": 0.2, "salience": 0.5}},
                    "outputs": {"statement": {"on": "line", "within": 0.3, "bias": 3}},
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
    def menu(self) -> dict[str, Action | Bargain | Forum]:
        """All that can be chosen, by name: actions, offers of bargains, convenings of fora."""
        return {**self.actions, **self.bargains, **self.fora}

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


def verb(scenario: Scenario, name: str) -> str:
    """What doing, offering or convening is called, as a verb phrase: "recognises", "convenes the Moscow format"."""
    title = scenario.menu[name].title or name.replace("_", " ")
    return f"convenes {title}" if name in scenario.fora else title


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


Option = tuple[str, str, str | None]  # actor, action, target


def doing(scenario: Scenario, deed: Deed) -> Callable[[str, str], Option | None]:
    """Gives, of a doer and the other side, the option that a deed promised to that side means; None where the doer has
    no such option."""
    action = scenario.actions.get(deed.action)
    doers = set(members(scenario, action.by)) if action else set()
    targets = set(members(scenario, action.toward)) if action and action.toward else None

    def option(doer: str, other: str) -> Option | None:
        if doer not in doers or (targets is None and deed.toward):
            return None
        target = None if targets is None else deed.toward or other
        return (doer, deed.action, target) if targets is None or (target in targets and target != doer) else None

    return option


def pick(
    numbers: PerName, scenario: Scenario, first: str | None = None, second: str | None = None
) -> tuple[str, Quantity] | None:
    """The key and the quantity that hold for an actor or a pair; None where no key covers it.

    A name beats a tag: two names, then name and tag, then two tags, then the first one's name, its tag, `default`.
    Of equally exact keys, which say the same, the first by name. For an assurance's kept and broken the pair is
    (receiver, giver).
    """
    best, found = -1, None
    for key in sorted(numbers.by_name):
        exact = exactness(key, scenario, first, second)
        if exact > best:
            best, found = exact, (key, numbers.by_name[key])
    return found


def exactness(key: str, scenario: Scenario, first: str | None, second: str | None) -> int:
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


def span(scenario: Scenario, first: str | None, last: str | None) -> tuple[int, int]:
    """First and last turn between two dates, each of which may lie outside the scenario (before it: 1 and 0)."""
    endless = scenario.model_copy(update={"turns": 10**9})
    begins = 1 if first is None else turn_of(endless, first) or 1
    ends = 10**9 if last is None else turn_of(endless, last_day(last)) or 0
    return begins, ends


def last_day(date: str) -> str:
    """The last day of `YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    parts = [int(part) for part in date.split("-")]
    if len(parts) == 3:
        return date
    month = parts[1] if len(parts) == 2 else 12
    return f"{parts[0]:04d}-{month:02d}-{calendar.monthrange(parts[0], month)[1]:02d}"


# ------------------------------------------------------------------------------------------------ the schema


def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file as people write it: short forms allowed, a description and examples everywhere.

    A file that extends another need not say again what that one says: nothing in it is required, but in lists, which
    replace those of the other file.
    """
    described = Scenario.model_json_schema(by_alias=True, mode="validation")
    for name in ("PerName", "Scaled"):
        block = described["$defs"][name]
        about = {"description": "The number for all who are not named.", "examples": [0.5]}
        block["properties"]["default"] = block["additionalProperties"] | about
        for key in ("value", "range"):  # a quantity is short for {default: quantity}
            block["properties"][key] = described["$defs"]["Quantity"]["properties"][key]
        block["additionalProperties"]["description"] = "The number of an actor, a tag or a pair (`west.taliban`)."
    tidied(described)
    kinds = described["$defs"]
    for name, block in [("Scenario", described), *kinds.items()]:
        _defaults(name, block)
    parts = {f"{name}Part": _in_part(block) for name, block in kinds.items() if "properties" in block}
    fields = described["properties"]
    told = ("description", "examples", "default")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Tightrope scenario",
        **{key: item for key, item in described.items() if key not in ("$defs", "properties", "required")},
        "properties": {name: {key: field[key] for key in told if key in field} for name, field in fields.items()},
        "if": {"required": ["extends"]},
        "then": {"properties": _in_part(fields)},
        "else": {"properties": fields, "required": described["required"]},
        "$defs": kinds | parts,
    }


def _defaults(kind: str, block: dict[str, Any]) -> None:
    """Gives each number that a model fills in its value, where pydantic, which calls a function for it, tells none."""
    kinds = (Scenario, Model, Action, Assurance, Bargain, Forum, Output, Incident, Coupling)
    models = {model.__name__: model for model in kinds}
    for name, field in models[kind].model_fields.items() if kind in models else ():
        if field.default_factory is not None:
            value = field.get_default(call_default_factory=True)
            number = value.by_name["default"] if isinstance(value, PerName) else value
            if isinstance(number, Quantity) and not isinstance(number.value, str):
                block["properties"][field.alias or name]["default"] = plain(number.value)


def _in_part(described: Any) -> Any:
    """A JSON Schema of which nothing is required, outside of lists."""
    if isinstance(described, list):
        return [_in_part(item) for item in described]
    if not isinstance(described, dict):
        return described
    found = {}
    for key, item in described.items():
        if key == "required" and isinstance(item, list):
            continue
        if key == "$ref":
            found[key] = f"{item}Part"
        elif key == "oneOf":
            found["anyOf"] = _in_part(item)
        elif key == "discriminator":
            continue
        else:
            found[key] = item if key in ("items", "examples", "default") and not _is_field(item) else _in_part(item)
    return found


def _is_field(item: Any) -> bool:
    """Whether what stands under a word of JSON Schema is the form of a field of that name."""
    return isinstance(item, dict) and "description" in item


def tidied(described: Any, names: bool = False) -> None:
    """Takes away the titles that pydantic makes of field names, and lets no other keys stand beside patterns of keys.

    names: whether the keys are names of fields.
    """
    if isinstance(described, list):
        for item in described:
            tidied(item)
    elif isinstance(described, dict):
        if not names:
            described.pop("title", None)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        for key, item in described.items():
            if key not in ("examples", "default"):
                tidied(item, key in ("properties", "$defs"))

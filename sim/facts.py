"""Facts as data: what a file of them may say, and reading one.

A fact is a test that a run passes or not: a metric of `sim.metrics` by name, with its arguments, and a bound; tests
combine by all, any, not, each and some. Nothing in a file is evaluated. What its names stand for in a scenario, and
whether runs bear it out, is in `sim.verdicts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, FiniteFloat, Tag

from sim import data, located
from sim.errors import Problem, Problems
from sim.form import Cameo, Date, Plover, tidied
from sim.located import Location
from sim.quantities import Claims, Line, Name, Part, Selector, Short
from sim.validate import Fault, validated
from sim.words import nearest

WANTED = {"hard": 0.9, "soft": 0.6}

Quad = Literal["verbal_cooperation", "material_cooperation", "verbal_conflict", "material_conflict", "neutral"]


# --------------------------------------------------------------------------------------------- what a file may say


def _listed(value: Any) -> Any:
    """One item is short for a list of one."""
    return value if value is None or isinstance(value, list) else [value]


Paths = Annotated[
    list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,2}$", max_length=190)]],
    Field(min_length=1, max_length=50),
    BeforeValidator(_listed),
    Short(("string",)),
]
Types = Annotated[
    list[Plover],
    Field(min_length=1),
    BeforeValidator(_listed),
    Short(("string",)),
]
Codes = Annotated[
    list[Cameo],
    Field(min_length=1),
    BeforeValidator(_listed),
    Short(("string",)),
]
Quads = Annotated[
    list[Quad],
    Field(min_length=1),
    BeforeValidator(_listed),
    Short(("string",)),
]
Answer = Literal["accepted", "refused", "countered", "lapsed"]
Answers = Annotated[
    list[Answer],
    Field(min_length=1),
    BeforeValidator(_listed),
    Short(("string",)),
]
Becoming = Literal["kept", "broken", "void", "failed"]
Becomings = Annotated[
    list[Becoming],
    Field(min_length=1),
    BeforeValidator(_listed),
    Short(("string",)),
]
Over = Literal["mean", "min", "max", "sum"]


class Timed(Part):
    """A part of the runs' time: if nothing is said the facts' own period, or within a metric over turns that turn."""

    in_: Date | None = Field(
        None, alias="in", description="The month or day: the turn, or turns, that it falls in.", examples=["2021-08"]
    )
    from_: Date | None = Field(None, alias="from", description="First date of the period.", examples=["2021-08"])
    until: Date | None = Field(None, description="Last date of the period.", examples=["2021-11"])


class LevelOf(Timed):
    """The value of indicators, promises and beliefs among them."""

    of: Paths = Field(
        description="Indicator path, or several; a tag stands for its members, `self` for the actor asked about. "
        "Beliefs: `receiver.giver.credibility_KIND`.",
        examples=["russia.taliban.rung", "outsider.taliban.aid"],
    )
    take: Literal["end", "mean", "min", "max"] = Field(
        "end", description="Of the period: the value at its end, or its mean, lowest or highest.", examples=["min"]
    )
    over: Over = Field("mean", description="Of several indicators: their mean, min, max or sum.", examples=["sum"])


class ChangeOf(Timed):
    """The value of indicators at the end of the period less that at its beginning, the end of the turn before."""

    of: Paths = Field(description="Indicator path, or several.", examples=["taliban.control"])
    over: Over = Field("mean", description="Of several indicators: their mean, min, max or sum.", examples=["mean"])


class ActsOf(Timed):
    """Acts: all that fit every word given."""

    action: Selector | None = Field(
        None,
        description="Ids of actions; of bargains (making the offer) and fora (calling a session).",
        examples=[["host_talks", "meet_in_kabul"]],
    )
    by: Selector | None = Field(None, description="Actors or tags who act, or `self`.", examples=["russia"])
    toward: Selector | None = Field(None, description="Actors or tags acted upon, or `self`.", examples=["taliban"])
    channel: Selector | None = Field(None, description="Channels.", examples=["force"])
    plover: Types | None = Field(None, description="PLOVER types.", examples=["AID"])
    quad: Quads | None = Field(None, description="Quad categories of PLOVER.", examples=["verbal_conflict"])
    cameo: Codes | None = Field(
        None, description="CAMEO codes, quoted; a code stands for all that begin with it.", examples=["04"]
    )
    succeeded: bool | None = Field(None, description="Only acts that succeeded, or only such that failed.")
    weigh: Name | None = Field(
        None, description="Count each act by this capability of its actor (0 where it has none).", examples=["finance"]
    )


class GoldsteinOf(ActsOf):
    """The Goldstein weights of acts, -10 (conflict) to 10 (cooperation); acts whose code has none are left out."""

    take: Literal["sum", "mean"] = Field("sum", description="Their sum, or the mean an act.", examples=["mean"])


class EventsOf(Timed):
    """Incidents and dated events."""

    incident: Selector | None = Field(None, description="Incident ids.", examples=["daesh_attack"])
    on: Selector | None = Field(
        None, description="Actors or tags that the incidents are drawn for, or `self`.", examples=["tajikistan"]
    )
    dated: bool = Field(False, description="Count the scenario's dated events instead.", examples=[True])


class SessionsOf(Timed):
    """Sessions that fora held."""

    forum: Selector | None = Field(None, description="Forum ids.", examples=["g20"])
    convener: Selector | None = Field(None, description="Actors or tags who called it, or `self`.", examples=["russia"])
    present: Selector | None = Field(
        None, description="Actors or tags of whom at least one came, or `self`.", examples=["taliban"]
    )
    dated: bool | None = Field(
        None,
        description="Only sessions that nobody called and a date brought, or only such that were called.",
        examples=[True],
    )


class OutputsOf(SessionsOf):
    """What could follow from sessions: statements, pledges and the like."""

    output: Selector | None = Field(None, description="Output ids.", examples=["pledges"])
    followed: bool = Field(True, description="false: what was at issue and did not follow.", examples=[False])


class AnswersOf(Timed):
    """Answers to offers; a counter-offer's answer counts as one to the bargain that it proposes."""

    bargain: Selector | None = Field(None, description="Bargain ids.", examples=["western_package"])
    by: Selector | None = Field(None, description="Actors or tags who made the offer, or `self`.", examples=["russia"])
    toward: Selector | None = Field(None, description="Actors or tags it was made to, or `self`.", examples=["taliban"])
    answer: Answers | None = Field(
        None,
        description="accepted, refused (an offer that stands for several turns may be refused in each), countered, "
        "lapsed; any if left out.",
        examples=["accepted"],
    )


class PromisesOf(Timed):
    """What became of promises under bargains; without `became` those made."""

    became: Becomings | None = Field(
        None,
        description="kept, broken, void (the other side broke its own, or it could no longer be done) or failed (tried "
        "in vain, still owed), counted in the turn it became so; if left out, promises in the turn they were made.",
        examples=["broken"],
    )
    bargain: Selector | None = Field(None, description="Bargain ids.", examples=["western_package"])
    kind: Selector | None = Field(None, description="Assurances by which they are promised.", examples=["good_faith"])
    giver: Selector | None = Field(None, description="Actors or tags who promise, or `self`.", examples=["taliban"])
    receiver: Selector | None = Field(
        None, description="Actors or tags it is promised to, or `self`.", examples=["russia"]
    )


class ReliedOf(Timed):
    """How often a plain assurance was relied on, and whether it held."""

    held: bool | None = Field(None, description="Only where it held, or only where it did not.", examples=[False])
    kind: Selector | None = Field(None, description="Assurance ids.", examples=["counter_daesh"])
    giver: Selector | None = Field(None, description="Actors or tags who gave it, or `self`.", examples=["taliban"])
    receiver: Selector | None = Field(
        None, description="Actors or tags it was given to, or `self`.", examples=["russia"]
    )


class OverTurns(Timed):
    """A test that is put to each turn of a period."""

    that: Condition = Field(
        description="The test; periods that it does not name are the turn.",
        examples=[{"count": {"action": "exercise"}, "at_least": 1}],
    )


class ActorsOf(Part):
    """How many actors a test holds for."""

    among: Selector = Field(description="Actors or tags.", examples=["outsider"])
    that: Condition = Field(
        description="The test, in which `self` is the actor.",
        examples=[{"level": {"of": "self.taliban.rung"}, "at_least": "accredits"}],
    )
    share: bool = Field(False, description="As a share of them.", examples=[True])


class RankOf(Part):
    """An actor's place among several by a metric, 1 the highest."""

    of: Name = Field(description="The actor.", examples=["china"])
    among: Selector = Field(description="Actors or tags, it among them.", examples=[["china", "russia"]])
    by: Operand = Field(
        description="The metric, in which `self` is the actor.", examples=[{"level": {"of": "self.taliban.leverage"}}]
    )
    lowest: bool = Field(False, description="1 is the lowest.", examples=[True])


class CorrelationOf(Timed):
    """Correlation of two metrics over the turns of a period, or across actors."""

    of: Operand = Field(description="A metric.", examples=[{"level": {"of": "russia.tajikistan.posture"}}])
    with_: Operand = Field(
        alias="with", description="Another.", examples=[{"count": {"action": "meet_in_kabul", "by": "russia"}}]
    )
    among: Selector | None = Field(
        None, description="Across these actors, `self` in the metrics, instead of over turns.", examples=["outsider"]
    )
    kind: Literal["pearson", "spearman"] = Field(
        "pearson", description="Of values, or of ranks.", examples=["spearman"]
    )


class OverTime(Timed):
    """A metric turn by turn, as one number."""

    of: Operand = Field(description="The metric, of one turn.", examples=[{"change": {"of": "taliban.control"}}])
    take: Literal["mean", "min", "max", "sum", "slope", "spread"] = Field(
        description="Of its values in the turns of the period.", examples=["min"]
    )


class PeakOf(Timed):
    """The turn in which a metric is highest, the first of equals."""

    of: Operand = Field(description="The metric, of one turn.", examples=[{"count": {"plover": "AID"}}])
    lowest: bool = Field(False, description="The turn in which it is lowest.", examples=[True])


class ShareOf(Part):
    """One metric as a share of another; nothing of nothing is no number, and no test holds of it."""

    of: Operand = Field(description="The part.", examples=[{"count": {"by": "china", "plover": "AID"}}])
    among: Operand = Field(description="The whole.", examples=[{"count": {"plover": "AID"}}])


class Operand(Part):
    """A number that a run has: exactly one metric, which may be multiplied and added to."""

    level: LevelOf | None = Field(
        None, description="Value of indicators.", examples=[{"of": "taliban.control", "in": "2021-11"}]
    )
    change: ChangeOf | None = Field(
        None,
        description="Change of indicators over a period.",
        examples=[{"of": "russia.taliban.rung", "in": "2021-08"}],
    )
    first: OverTurns | None = Field(
        None,
        description="The first turn in which a test holds; compared with dates or with another turn. Never is later "
        "than every date.",
        examples=[{"that": {"level": {"of": "russia.taliban.rung"}, "at_least": "mission"}}],
    )
    turns: OverTurns | None = Field(
        None,
        description="In how many turns a test holds.",
        examples=[{"that": {"count": {"action": "exercise"}, "at_least": 1}, "from": "2021-08", "until": "2021-10"}],
    )
    count: ActsOf | None = Field(
        None, description="Number of acts.", examples=[{"action": "exercise", "by": "russia", "in": "2021-08"}]
    )
    rate: ActsOf | None = Field(
        None, description="Number of acts a turn.", examples=[{"action": "invest", "until": "2021-07"}]
    )
    goldstein: GoldsteinOf | None = Field(
        None, description="Goldstein weights of acts.", examples=[{"by": "west", "toward": "taliban", "take": "mean"}]
    )
    events: EventsOf | None = Field(
        None, description="Number of incidents, or of dated events.", examples=[{"incident": "daesh_attack"}]
    )
    sessions: SessionsOf | None = Field(
        None, description="Number of sessions of fora.", examples=[{"forum": "g20", "present": "russia"}]
    )
    outputs: OutputsOf | None = Field(
        None,
        description="Number of statements and the like that followed from sessions.",
        examples=[{"forum": "saarc"}],
    )
    answers: AnswersOf | None = Field(
        None,
        description="Number of answers to offers.",
        examples=[{"by": "west", "toward": "taliban", "answer": "accepted"}],
    )
    promises: PromisesOf | None = Field(
        None,
        description="Number of promises under bargains, or of those that became something.",
        examples=[{"giver": "taliban", "became": "broken"}],
    )
    relied: ReliedOf | None = Field(
        None,
        description="How often plain assurances were relied on.",
        examples=[{"giver": "taliban", "kind": "borders", "held": False}],
    )
    actors: ActorsOf | None = Field(
        None,
        description="How many actors a test holds for.",
        examples=[{"among": "outsider", "that": {"level": {"of": "self.taliban.presence"}, "at_least": "open"}}],
    )
    rank: RankOf | None = Field(
        None,
        description="An actor's place among several.",
        examples=[{"of": "china", "among": "outsider", "by": {"level": {"of": "self.taliban.leverage"}}}],
    )
    correlation: CorrelationOf | None = Field(
        None,
        description="Correlation of two metrics, over turns or across actors.",
        examples=[{"of": {"level": {"of": "taliban.solvency"}}, "with": {"count": {"plover": "AID"}}}],
    )
    over_time: OverTime | None = Field(
        None,
        description="A metric turn by turn, as one number.",
        examples=[{"of": {"change": {"of": "taliban.control"}}, "take": "min", "until": "2021-08"}],
    )
    peak: PeakOf | None = Field(
        None,
        description="The turn in which a metric is highest.",
        examples=[{"of": {"count": {"action": "send_relief"}}}],
    )
    share: ShareOf | None = Field(
        None,
        description="One metric as a share of another.",
        examples=[{"of": {"count": {"quad": "verbal_conflict"}}, "among": {"count": {}}}],
    )
    sum: list[Operand] | None = Field(
        None,
        min_length=1,
        description="Sum of metrics.",
        examples=[[{"count": {"by": "russia"}}, {"count": {"by": "china"}}]],
    )
    mean: list[Operand] | None = Field(None, min_length=1, description="Mean of metrics.", examples=[[{"count": {}}]])
    largest: list[Operand] | None = Field(None, min_length=1, description="The largest.", examples=[[{"count": {}}]])
    smallest: list[Operand] | None = Field(None, min_length=1, description="The smallest.", examples=[[{"count": {}}]])
    times: FiniteFloat | None = Field(None, description="Multiplied by this.", examples=[0.9])
    plus: FiniteFloat | None = Field(None, description="And this added.", examples=[-0.02])


def _bound_tag(value: Any) -> str:
    if isinstance(value, (dict, Operand)):
        return "metric"
    return "word" if isinstance(value, str) else "number"


Bound = Annotated[
    Annotated[FiniteFloat, Tag("number")]
    | Annotated[Annotated[str, Field(min_length=1, max_length=60)], Tag("word")]
    | Annotated[Operand, Tag("metric")],
    Discriminator(_bound_tag),
]


class AmongActors(Part):
    """A test that is put to each of several actors."""

    of: Selector = Field(description="Actors or tags.", examples=[["united_kingdom", "turkey"]])
    that: Condition = Field(
        description="The test, in which `self` is the actor.",
        examples=[{"count": {"by": "self", "plover": "CONSULT"}, "at_least": 1}],
    )


class Condition(Operand):
    """What holds of a run or not: a metric with a bound, or several (all must hold), or a combination of tests."""

    at_least: Bound | None = Field(
        None, description="This or more: a number, a rung, a date (of a turn) or another metric.", examples=["mission"]
    )
    at_most: Bound | None = Field(None, description="This or less.", examples=[0.2])
    above: Bound | None = Field(None, description="More than this.", examples=[{"count": {"in": "2021-07"}}])
    below: Bound | None = Field(None, description="Less than this.", examples=["2021-09"])
    equals: Bound | None = Field(None, description="Exactly this.", examples=[0])
    all: list[Condition] | None = Field(
        None,
        min_length=1,
        description="Every one of these holds.",
        examples=[[{"count": {"plover": "AID"}, "above": 0}]],
    )
    any: list[Condition] | None = Field(
        None, min_length=1, description="One of these holds.", examples=[[{"count": {"plover": "AID"}, "above": 0}]]
    )
    not_: Condition | None = Field(
        None, alias="not", description="This does not hold.", examples=[{"count": {"plover": "AID"}, "above": 0}]
    )
    each: AmongActors | None = Field(
        None,
        description="A test holds for every one of some actors.",
        examples=[{"of": "west", "that": {"level": {"of": "self.taliban.presence"}, "equals": "closed"}}],
    )
    some: AmongActors | None = Field(
        None,
        description="A test holds for at least one of some actors.",
        examples=[{"of": "west", "that": {"count": {"by": "self", "action": "recognise"}, "at_least": 1}}],
    )


class Fact(Part):
    """What a document says happened, as a test of runs."""

    statement: Annotated[str, Field(min_length=3, max_length=1000)] = Field(
        description="The fact in a sentence.", examples=["No outside state recognises the Taliban."]
    )
    sample: Literal["in", "out"] = Field(
        description="in: numbers may be fitted on it (May to November 2021); out: never.", examples=["in"]
    )
    weight: Literal["hard", "soft"] = Field(
        description="hard: wants to hold in 0.9 of runs; soft: in 0.6.", examples=["hard"]
    )
    want: float | None = Field(
        None, ge=0, le=1, description="The share of runs that it wants, where that is another.", examples=[0.75]
    )
    scope: Literal["run", "ensemble", "ablation"] = Field(
        "run",
        description="run: holds of a run or not. ensemble: every metric is first averaged over all runs (a turn that "
        "never came counts as the one after the last). ablation: every metric is the mean difference that `without` "
        "makes, runs as they are less runs with its values, on the same random numbers.",
        examples=["ensemble"],
    )
    without: dict[Annotated[str, Field(max_length=300)], FiniteFloat | Name] | None = Field(
        None, description="Scope ablation: values by path, as in --set.", examples=[{"couplings.blame_is_heard.add": 0}]
    )
    holds: Condition | None = Field(
        None,
        description="The test.",
        examples=[{"each": {"of": "outsider", "that": {"level": {"of": "self.taliban.rung"}, "below": "recognition"}}}],
    )
    pooled: Condition | None = Field(
        None,
        description="Scope run: what averages over runs should show, scored beside it: the timing of rare acts.",
        examples=[{"rate": {"action": "exercise", "from": "2021-08"}, "above": {"rate": {"action": "exercise"}}}],
    )
    observed: bool = Field(True, description="Whether it happened; false where the record says that it did not.")
    given: Line | None = Field(
        None,
        description="Why it is decided by a dated event of the scenario; it is scored apart.",
        examples=["an inject"],
    )
    cannot: Line | None = Field(
        None, description="Why the model's layers cannot express it; it then has no test.", examples=["no such bodies"]
    )
    locator: Line | None = Field(None, description="Where the document says it.", examples=["FRS2021 §3 ¶5 fn101"])
    claim: Claims | None = Field(None, description="Claims that it rests on.", examples=["FRS-149"])
    assumption: Annotated[str, Field(min_length=3, max_length=2000)] | None = Field(
        None, description="What of the test is our choice: thresholds, what stands for what.", examples=["0.2 is ours"]
    )

    @property
    def wanted(self) -> float:
        """The share of runs in which it should hold."""
        return self.want if self.want is not None else WANTED[self.weight]


FactId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]


class FactFile(Part):
    """A file of facts."""

    record: Literal[1] = Field(description="Format version of the file.", examples=[1])
    title: Line = Field(description="What the facts are about.", examples=["The takeover, May to November 2021"])
    from_: Date | None = Field(
        None,
        alias="from",
        description="First date of the period that the facts are about: metrics that name none speak of it, and a "
        "scenario that does not hold it is not scored by them.",
        examples=["2021-05"],
    )
    until: Date | None = Field(None, description="Last date of that period.", examples=["2021-11"])
    facts: Annotated[dict[FactId, Fact], Field(min_length=1, max_length=1000)] = Field(
        description="The facts by id.",
        examples=[
            {
                "SF-01": {
                    "statement": "Nobody recognises.", "sample": "in", "weight": "hard",
                    "holds": {"count": {"action": "recognise"}, "equals": 0},
                }
            }
        ],
    )  # fmt: skip


METRICS = (
    "level", "change", "first", "turns", "count", "rate", "goldstein", "events", "sessions", "outputs", "answers",
    "promises", "relied", "actors", "rank", "correlation", "over_time", "peak", "share",
    "sum", "mean", "largest", "smallest",
)  # fmt: skip
COMBINATIONS = ("all", "any", "not_", "each", "some")
BOUNDS = ("at_least", "at_most", "above", "below", "equals")


# ------------------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class Facts:
    """A file of facts that was read. document: where its words stand."""

    file: FactFile
    document: located.Document
    path: Path

    def only(self, sample: str) -> Facts:
        """The facts of one sample alone: what else the file holds is not there."""
        kept = {name: fact for name, fact in self.file.facts.items() if fact.sample == sample}
        return Facts(self.file.model_copy(update={"facts": kept}), self.document, self.path)


def default() -> Path:
    """The facts of the documents, seeds/facts.yaml."""
    return data.seeds() / "facts.yaml"


def read(source: str | Path | None = None, sample: str | None = None) -> Facts:
    """The facts of a file, seeds/facts.yaml if None. sample: only those `in`, or `out`.

    Raises `Problems` with everything that is wrong with the file's form; what its names stand for, `bind` looks at.
    """
    path = default() if source is None else Path(source)
    document, found = located.examine(path, str(path) if source is not None else shown(path))
    if document is None:
        raise Problems(found)
    if not isinstance(document.data, dict) or "record" not in document.data:
        message = "no file of facts: it begins with `record: 1` and lists its `facts`"
        raise Problems([*found, Fault((), message).told(document)])
    file, told = formed(document)
    if file is None or found or told:
        raise sorted_problems([*found, *told])
    facts = Facts(file, document, path)
    return facts if sample is None else facts.only(sample)


def formed(document: located.Document) -> tuple[FactFile | None, list[Problem]]:
    """A document as a file of facts, and what is wrong with its form."""
    file, told = validated(FactFile, document)
    if file is None:
        return None, told
    return file, [fault.told(document) for fault in _shape(file)]


def shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def sorted_problems(found: Iterable[Problem]) -> Problems:
    unique = list(dict.fromkeys(found))
    return Problems(sorted(unique, key=lambda problem: (problem.line or 0, problem.column or 0)))


def schema() -> dict[str, Any]:
    """JSON Schema of a file of facts."""
    described = FactFile.model_json_schema(by_alias=True, mode="validation")
    tidied(described)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Tightrope facts", **described}


def _shape(file: FactFile) -> list[Fault]:
    """What is wrong with facts that needs no scenario to see."""
    found: list[Fault] = []
    for name, fact in file.facts.items():
        at: Location = ("facts", name)
        if fact.cannot is None and fact.holds is None:
            found.append(Fault(at, "has no test; write `holds`, or `cannot` and why", key=True))
        if fact.cannot is not None and (fact.holds is not None or fact.pooled is not None):
            found.append(Fault((*at, "cannot"), "what cannot be expressed has no test; leave `cannot` or the test out"))
        if fact.scope == "ablation" and fact.without is None:
            found.append(Fault((*at, "scope"), "an ablation says by `without` what is taken away"))
        if fact.scope != "ablation" and fact.without is not None:
            found.append(Fault((*at, "without"), "goes with `scope: ablation`; say so, or leave it out"))
        if fact.pooled is not None and fact.scope != "run":
            found.append(Fault((*at, "pooled"), f"scope {fact.scope} averages over runs anyway; leave it out"))
        for word in ("holds", "pooled"):
            condition = getattr(fact, word)
            if condition is not None:
                _shape_condition(found, condition, (*at, word), inside=False)
    return found


def said(part: Part, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(part, name) is not None]


def _key(name: str) -> str:
    return name.rstrip("_")


def _shape_condition(found: list[Fault], condition: Condition, at: Location, inside: bool) -> None:
    combined, bounds = said(condition, COMBINATIONS), said(condition, BOUNDS)
    measured = said(condition, METRICS)
    if combined:
        more = [_key(name) for name in combined[1:]] + measured + bounds + said(condition, ("times", "plus"))
        if more:
            found.append(
                Fault(at, f"`{_key(combined[0])}` stands alone; put `{more[0]}` in a test of its own", key=True)
            )
    elif not measured:
        found.append(Fault(at, f"a test names a metric{nearest('', METRICS, 'metrics are')}", key=True))
    elif not bounds:
        words = ", ".join(BOUNDS[:-1])
        found.append(Fault(at, f"a test of {measured[0]} needs a bound: {words} or {BOUNDS[-1]}", key=True))
    if not combined:
        _shape_operand(found, condition, at, inside)
    for name in bounds:
        bound = getattr(condition, name)
        if isinstance(bound, Operand):
            _shape_operand(found, bound, (*at, name), inside)
    for word in ("all", "any"):
        for n, part in enumerate(getattr(condition, word) or ()):
            _shape_condition(found, part, (*at, word, n), inside)
    if condition.not_ is not None:
        _shape_condition(found, condition.not_, (*at, "not"), inside)
    for word in ("each", "some"):
        part = getattr(condition, word)
        if part is not None:
            _shape_condition(found, part.that, (*at, word, "that"), inside)


def _shape_operand(found: list[Fault], operand: Operand, at: Location, inside: bool) -> None:
    measured = said(operand, METRICS)
    if not measured and not isinstance(operand, Condition):
        found.append(Fault(at, f"names no metric{nearest('', METRICS, 'metrics are')}", key=True))
    if len(measured) > 1:
        found.append(Fault((*at, measured[1]), f"one metric at a time; {measured[0]} stands here already", key=True))
    for name in measured:
        part = getattr(operand, name)
        here = (*at, name)
        if isinstance(part, list):
            for n, item in enumerate(part):
                _shape_operand(found, item, (*here, n), inside)
            continue
        if isinstance(part, Timed) and part.in_ is not None and (part.from_ or part.until):
            found.append(Fault((*here, "in"), "is a period by itself; leave out `from` and `until`"))
        for word in ("that", "of", "with_", "by", "among"):
            item = getattr(part, word, None)
            if isinstance(item, Condition):
                _shape_condition(found, item, (*here, word), True)
            elif isinstance(item, Operand):
                _shape_operand(found, item, (*here, _key(word)), True)

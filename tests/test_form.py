"""Bargains, fora, depth and challenges as a file says them: read, found by path, sourced, overridden, described."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from sim import evidence, located, runs
from sim.errors import Problems
from sim.form import Deed, Forum, Scenario, doing
from sim.naming import axis_titles
from sim.problems import too_large
from sim.scenario import as_data, as_yaml, numbers, parse, quantities, read, schema, verb, with_numbers
from tests.test_bad import PROMISE, crowd, deed
from tests.test_scenario import faults

FULL = """\
tightrope: 1
title: Dealings
assumption: a test
start: 2030-01
turns: 12
policy: trend
model: {depth: {value: 1, range: [0, 2]}}
indicators:
  rights: {scope: actor, of: movement, start: 0.2}
  stance: {scope: actor, of: state, start: 0.5}
  regard: {scope: dyad, start: 0}
actors:
  alba:
    tags: [state]
    capabilities: {diplomacy: 0.5}
    depth: {value: 2, assumption: a schemer}
    policy: challenge
    challenge:
      position: {of: self.stance}
      capability: {value: 0.7, claim: FRS-001}
      salience: 0.8
  borea:
    tags: [state]
    policy: reinforcement
    challenge: {position: {value: 0.4, range: [0.3, 0.5]}, capability: 0.2, salience: 0.9}
  front: {tags: [movement]}
assurances:
  good_faith: {from: [state, front], to: [state, front], fade: 0.1, kept: 2, broken: 2, forgetting: 0.1, signal: 0.5}
actions:
  aid: {cameo: "070", plover: AID, channel: money, by: state, toward: front, cost: 0.01}
  open_schools:
    {cameo: "080", plover: CONCEDE, channel: rights, by: front, cost: 0.01, effects: [{of: self.rights, add: 0.1}]}
bargains:
  aid_for_rights:
    title: offers aid against schools to
    cameo: "0331"
    plover: AGREE
    channel: deals
    effort: 0.5
    habit: 2
    visibility: 0.9
    by: state
    toward: front
    needs: [{of: target.rights, at_most: 0.9}]
    give: aid
    ask: open_schools
    give_after: 1
    ask_after: 2
    expires: 3
    bias: {value: -1.5, range: [-2, 2], claim: FRS-001}
    word: good_faith
    counter: half
  half:
    cameo: "0331"
    plover: AGREE
    channel: deals
    by: state
    toward: front
    give: {action: aid, toward: front}
    ask: open_schools
    bias: 1
    word: good_faith
  common:
    cameo: "0331"
    plover: AGREE
    channel: deals
    by: state
    toward: front
    give: aid
    ask: open_schools
    bias: 1
    word: good_faith
    together: true
    active: 0
fora:
  council:
    title: the council
    cameo: "040"
    plover: CONSULT
    members: [state, front]
    convener: alba
    channel: talks
    effort: 1
    habit: 1
    needs: [{of: self.stance, at_least: 0.1}]
    cost: {default: 0.008, alba: 0.004, times: [{not: self.stance}]}
    dates: [2030-03]
    every: 6
    pause: 0
    quorum: 2
    capability: diplomacy
    attend: {default: 2, front: {value: -1, claim: FRS-001}}
    agenda:
      line: {of: self.stance, openness: {default: 0.2, borea: 0.05}, salience: {value: 0.5, range: [0.2, 0.8]}}
    outputs:
      statement:
        title: a joint statement
        on: line
        within: {value: 0.3, assumption: as near as this}
        vetoes: []
        bias: 3
        effects: [{of: front.rights, add: 0.02, after: 2, times: [alba.stance]}]
        acts: [{by: borea, action: aid, target: front}]
      silence: {bias: 1}
    active: 1
outcomes:
  offers: {count: {action: [aid_for_rights, half, council]}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("form")
    (path / "full.yaml").write_text(FULL, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def full(folder: Path) -> Scenario:
    return read(folder / "full.yaml").scenario


def raw() -> dict[str, Any]:
    document, problems = located.parse(FULL, "full.yaml")
    assert not problems
    return copy.deepcopy(document.data)


# ---------------------------------------------------------------------------------------------------- reading


def test_what_a_file_leaves_out_has_its_usual_value(full: Scenario):
    half, council = full.bargains["half"], full.fora["council"]
    assert [getattr(half, name).value for name in ("effort", "habit", "visibility", "active")] == [1, 1, 1, 1]
    assert (half.give_after, half.ask_after, half.expires, half.together, half.counter) == (0, 0, 1, False, None)
    assert half.ask == full.bargains["aid_for_rights"].ask == Deed(action="open_schools")
    silence = council.outputs["silence"]
    assert (silence.on, silence.within.value, silence.vetoes) == ([], 1, None)
    assert council.outputs["statement"].vetoes == []
    bare = Forum.model_validate({
        "cameo": "040", "plover": "CONSULT", "members": "state", "convener": "alba", "channel": "talks", "cost": 0,
        "attend": 0,
    })  # fmt: skip
    assert (bare.dates, bare.every, bare.pause, bare.quorum, bare.capability) == ([], None, 1, 2, None)
    assert (bare.agenda, bare.outputs, bare.active.value, bare.effort.value, bare.habit.value) == ({}, {}, 1, 1, 1)
    assert parse({**raw(), "model": {}}).model.depth.value == 0


def test_a_promise_that_only_bargains_make_is_kept_as_its_giver_chooses(full: Scenario):
    (quantity,) = full.assurances["good_faith"].reliability.by_name.values()
    assert (quantity.value, quantity.assumption) == (1, "kept when its giver so chooses")


def test_what_is_written_reads_back_to_the_same(full: Scenario, folder: Path):
    assert parse(as_data(full)) == full
    (folder / "again.yaml").write_text(as_yaml(full), encoding="utf-8")
    assert read(folder / "again.yaml").scenario == full
    given = as_data(full)["bargains"]
    assert (given["aid_for_rights"]["give"], given["half"]["give"]) == ("aid", {"action": "aid", "toward": "front"})


def test_one_file_lays_its_bargains_and_fora_over_those_of_another(folder: Path):
    over = """\
tightrope: 1
extends: full.yaml
bargains:
  half: null
  aid_for_rights: {bias: 0.5, counter: null}
fora:
  council: {agenda: {line: {openness: {borea: 0.5}}}, outputs: {silence: null}, dates: [2030-04, 2030-05]}
"""
    (folder / "over.yaml").write_text(over, encoding="utf-8")
    with pytest.raises(Problems, match=r'outcomes\.offers\.count\.action\[1\]: no action "half"'):
        read(folder / "over.yaml")
    (folder / "over.yaml").write_text(over + "outcomes: {offers: {count: {action: council}}}\n", encoding="utf-8")
    found = read(folder / "over.yaml").scenario
    assert sorted(found.bargains) == ["aid_for_rights", "common"]
    offer, council = found.bargains["aid_for_rights"], found.fora["council"]
    assert (offer.bias.value, offer.bias.range, offer.counter, offer.expires) == (0.5, None, None, 3)
    assert [q.value for q in council.agenda["line"].openness.by_name.values()] == [0.2, 0.5]
    assert (sorted(council.outputs), council.dates, council.every) == (["statement"], ["2030-04", "2030-05"], 6)


def test_a_deed_is_done_to_the_other_side_to_whom_it_names_or_to_nobody(full: Scenario):
    to_other = doing(full, Deed(action="aid"))
    assert to_other("alba", "front") == ("alba", "aid", "front")
    assert (to_other("front", "alba"), to_other("alba", "borea")) == (None, None)
    assert doing(full, Deed(action="aid", toward="front"))("borea", "alba") == ("borea", "aid", "front")
    assert doing(full, Deed(action="open_schools"))("front", "alba") == ("front", "open_schools", None)
    assert doing(full, Deed(action="open_schools", toward="alba"))("front", "alba") is None
    assert doing(full, Deed(action="unheard_of"))("alba", "front") is None


def test_outcomes_count_offers_and_convenings_among_acts(full: Scenario):
    data = as_data(full)
    data["outcomes"] = {
        "offers": {"count": {"action": ["aid_for_rights", "council"]}}, "consults": {"count": {"plover": "CONSULT"}},
        "agreed": {"count": {"plover": "AGREE", "by": "borea"}},
    }  # fmt: skip
    ready = runs.prepared(parse(data), "")
    counted = {q.name: {ready.compiled.options[o][:2] for o in q.options or ()} for q in ready.questions}
    assert counted == {
        "offers": {("alba", "aid_for_rights"), ("borea", "aid_for_rights"), ("alba", "council")},
        "consults": {("alba", "council")},
        "agreed": {("borea", name) for name in full.bargains},
    }
    assert [verb(full, name) for name in ("aid", "half", "aid_for_rights", "council")] == [
        "aid", "half", "offers aid against schools to", "convenes the council"
    ]  # fmt: skip


def test_the_examples_of_the_readme_are_scenarios(tmp_path: Path):
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```yaml\n(tightrope: 1\n.*?)```", readme, re.DOTALL)
    (tmp_path / "loan.yaml").write_text(first, encoding="utf-8")
    (tmp_path / "dealings.yaml").write_text(second, encoding="utf-8")
    assert evidence.sources(read(tmp_path / "loan.yaml").scenario).without() == []
    scenario = read(tmp_path / "dealings.yaml", ["fora.round_table.active=0"]).scenario
    assert evidence.sources(scenario).without() == []
    assert (list(scenario.bargains), list(scenario.fora)) == (["loan_for_arms"], ["round_table"])
    for field in ("give", "ask", "bias", "word", "counter", "together", "expires"):
        assert f"`{field}`" in readme
    for field in ("dates", "every", "attend", "agenda", "capability", "outputs", "quorum", "vetoes"):
        assert f"`{field}`" in readme


# ------------------------------------------------------------------------------------ numbers, sources, overrides

PATHS = [
    "model.depth", "actors.alba.depth", "actors.alba.challenge.capability", "actors.alba.challenge.salience",
    "actors.borea.challenge.position", "assurances.good_faith.reliability",
    *(f"bargains.aid_for_rights.{name}" for name in ("effort", "habit", "visibility", "bias", "active")),
    "bargains.aid_for_rights.needs[0].at_most", "bargains.common.active",
    *(f"fora.council.{name}" for name in ("effort", "habit", "cost", "cost.alba", "attend", "attend.front", "active")),
    "fora.council.needs[0].at_least", "fora.council.agenda.line.openness", "fora.council.agenda.line.openness.borea",
    "fora.council.agenda.line.salience", "fora.council.outputs.statement.within", "fora.council.outputs.silence.within",
    "fora.council.outputs.statement.bias", "fora.council.outputs.statement.effects[0].add",
]  # fmt: skip


def test_every_number_is_found_by_its_path_and_has_a_source(full: Scenario):
    found = {entry.path: entry for entry in numbers(full)}
    assert set(PATHS) <= set(found)
    table = {row["path"]: row for row in evidence.sources(full).table.to_pylist()}
    assert {table[path]["basis"] for path in PATHS} == {"claim", "assumption"}
    assert table["bargains.aid_for_rights.bias"]["claims"] == "FRS-001"
    assert table["fora.council.attend.front"]["claims"] == "FRS-001"
    assert table["actors.alba.challenge.capability"]["statements"]
    assert table["fora.council.outputs.statement.within"]["assumption"] == "as near as this"
    assert (table["actors.borea.challenge.position"]["low"], table["bargains.aid_for_rights.bias"]["high"]) == (0.3, 2)


def test_a_number_without_claim_or_assumption_is_told(full: Scenario):
    bare = as_data(full)
    del bare["assumption"]
    without = set(evidence.sources(parse(bare)).without())
    assert {"bargains.aid_for_rights.effort", "bargains.half.bias", "fora.council.attend"} <= without
    assert {"fora.council.agenda.line.openness", "actors.borea.challenge.salience"} <= without
    assert not {"bargains.half.effort", "bargains.half.active", "fora.council.outputs.silence.within"} & without
    assert not {"model.depth", "assurances.good_faith.reliability"} & set(evidence.sources(parse(raw())).without())


@pytest.mark.parametrize("path", PATHS)
def test_every_number_can_be_overridden_by_its_path(path: str, full: Scenario, folder: Path):
    value = {entry.path: entry.quantity for entry in numbers(full)}[path].value
    other = 1 - value if path.endswith(("active", "depth")) and value in (0, 1) else round(value * 0.9, 6)
    other = 0 if path == "actors.alba.depth" else other
    loaded = read(folder / "full.yaml", [f"{path}={other}"])
    old, new = ({entry.path: entry.quantity for entry in numbers(one)} for one in (full, loaded.scenario))
    assert {name for name in new if new[name] != old[name]} == ({path} if other != value else set())
    assert (new[path].value, new[path].range, new[path].claim) == (other, old[path].range, old[path].claim)
    assert parse(located.parse(loaded.text(), "again.yaml")[0].data) == loaded.scenario


def test_what_is_not_said_can_be_overridden_too(folder: Path):
    sets = [
        "bargains.half.active=0", "fora.council.agenda.line.openness=0.1",
        "fora.council.agenda.line.salience.state=0.3", "actors.borea.depth=2", "actors.alba.challenge.position=0.25",
        "fora.council.attend.borea=-3", "bargains.half.expires=4", "fora.council.quorum=3", "fora.council.every=2",
    ]  # fmt: skip
    scenario = read(folder / "full.yaml", sets).scenario
    half, council = scenario.bargains["half"], scenario.fora["council"]
    assert (half.active.value, half.expires, council.quorum, council.every) == (0, 4, 3, 2)
    assert [quantity.value for quantity in council.agenda["line"].openness.by_name.values()] == [0.1, 0.05]
    assert council.agenda["line"].salience.by_name["state"].value == 0.3
    assert council.attend.by_name["borea"].value == -3
    assert scenario.actors["borea"].depth.value == 2
    assert scenario.actors["alba"].challenge.position.value == 0.25


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bargains.half.active=0.5", "--set bargains.half.active: 0.5 is out of range; must be 0 or 1"),
        ("model.depth=9", "--set model.depth: 9 is out of range; must be 0, 1 or 2"),
        ("bargains.hlaf.bias=1", '--set bargains.hlaf.bias: no such number; did you mean "bargains.half.bias"?'),
        (
            "fora.council.agenda.l.openness=1",
            '--set fora.council.agenda.l.openness: no such number; did you mean "fora.council.agenda.line.openness"?',
        ),
        ("fora.council.quorum=4", "--set fora.council.quorum: 4 of 3 members can never be present; must be 2..3"),
        ("bargains.half.word=faith", '--set bargains.half.word: no assurance "faith"; did you mean "good_faith"?'),
    ],
)  # fmt: skip
def test_a_bad_override_is_told_by_its_path(text: str, told: str, folder: Path):
    with pytest.raises(Problems) as caught:
        read(folder / "full.yaml", [text])
    assert [str(problem) for problem in caught.value.problems] == [told]


def test_each_number_has_a_title_of_its_own(full: Scenario):
    titles = axis_titles(full, PATHS)
    assert not [path for path, title in titles.items() if path == title]
    assert titles["bargains.aid_for_rights.bias"] == "odds against accepting “offers aid against schools to”"
    assert titles["bargains.common.active"] == "whether there is “common”"
    assert titles["fora.council.attend.front"] == "readiness to attend the council (Front)"
    assert titles["fora.council.agenda.line.openness.borea"] == "openness on line in the council (Borea)"
    assert titles["fora.council.outputs.statement.bias"] == "odds against a veto of “a joint statement” of the council"
    assert titles["actors.alba.challenge.salience"] == "Alba's salience in a challenge"
    assert titles["actors.alba.depth"] == "Alba's depth"
    assert titles["model.depth"] == "everybody's depth"


# ----------------------------------------------------------------------------------------------------- schema


def test_the_schema_accepts_all_of_it_and_knows_its_bounds():
    described = schema()
    assert list(faults(raw(), described, described)) == []
    assert list(faults(as_data(parse(raw())), described, described)) == []

    def broken(path: str, value: Any) -> list[str]:
        data = raw()
        *way, last = path.split(".")
        node = data
        for word in way:
            node = node[word]
        node[last] = value
        return list(faults(data, described, described))

    for path, value in (
        ("model.depth", 3), ("model.depth", 0.5), ("actors.front.depth", -1), ("bargains.half.active", 0.5),
        ("bargains.half.visibility", 1.5), ("bargains.half.give", 3), ("bargains.half.give", {"toward": "front"}),
        ("bargains.half.expires", 0), ("bargains.half.gives", "aid"), ("bargains.half.cameo", "4"),
        ("fora.council.every", 0), ("fora.council.quorum", 1), ("fora.council.dates", ["March"]),
        ("fora.council.agenda.line.openness", 2), ("fora.council.outputs.statement.within", -1),
        ("actors.alba.challenge.position", 2), ("actors.alba.policy", "trends"),
    ):  # fmt: skip
        assert broken(path, value), (path, value)
    for path, value in (
        ("bargains.half.give", "aid"), ("fora.council.dates", "2030-03"), ("actors.alba.challenge.position", 0.5),
        ("fora.council.outputs.statement.vetoes", "alba"), ("actors.front.depth", {"value": 2, "range": [1, 2]}),
        ("bargains.half.active", {"value": 0, "assumption": "off"}),
    ):  # fmt: skip
        assert broken(path, value) == [], (path, value)


def test_the_schema_says_what_is_left_out():
    kinds = schema()["$defs"]
    given = {
        "Bargain": {"effort": 1, "habit": 1, "visibility": 1, "active": 1, "give_after": 0, "expires": 1},
        "Forum": {"effort": 1, "habit": 1, "active": 1, "pause": 1, "quorum": 2},
        "Output": {"within": 1},
        "Model": {"depth": 0},
        "Assurance": {"reliability": 1},
    }
    for kind, fields in given.items():
        for name, default in fields.items():
            assert kinds[kind]["properties"][name]["default"] == kinds[f"{kind}Part"]["properties"][name]["default"]
            assert kinds[kind]["properties"][name]["default"] == default


# ------------------------------------------------------------------------------------------- whole numbers, sizes


def test_a_depth_is_a_whole_number_wherever_it_comes_from(full: Scenario):
    whole = {found.path for found in quantities(full) if found.bounds.whole}
    assert whole == {
        "model.depth", "actors.alba.depth", "fora.council.active",
        *(f"bargains.{name}.active" for name in full.bargains),
    }  # fmt: skip
    assert with_numbers(full, {"model.depth": 2}).model.depth.value == 2
    with pytest.raises(Problems, match=r"model\.depth: 1\.5 is out of range; must be 0, 1 or 2"):
        with_numbers(full, {"model.depth": 1.5})


def offer(**more: Any) -> dict[str, Any]:
    return {
        "cameo": "0331", "plover": "AGREE", "channel": "deals", "by": "everyone", "toward": "everyone", "give": "act",
        "ask": "act", "bias": 1, "word": "quiet",
    } | more  # fmt: skip


def meeting(**more: Any) -> dict[str, Any]:
    return {
        "cameo": "040", "plover": "CONSULT", "members": "everyone", "convener": "everyone", "channel": "talks",
        "cost": 0.01, "attend": 0,
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (
            {"bargains": {f"b{n}": offer() for n in range(3)}},
            "bargains.b0: makes 179,400 of 538,200 promises of bargains; at most 200,000; name fewer in `by`",
        ),
        (
            {"bargains": {"b": offer(together=True, toward="a1")}},
            "",
        ),
        (
            {"bargains": {"b": offer(together=True)}},
            "bargains.b: makes 27,089,400 of 27,089,400 promises of bargains; at most 200,000",
        ),
        (
            {"fora": {"f": meeting(agenda={
                f"x{n}": {"of": "self.x", "openness": 0.1, "salience": 0.1} for n in range(20)
            })}},
            "fora.f: makes 1,800,000 of 1,800,000 pairs of members who may move one another; at most 1,000,000",
        ),
        (
            {"fora": {"f": meeting(outputs={f"o{n}": {"bias": 1} for n in range(1000)})}},
            "fora.f: makes 601,300 of 601,300 seats, positions, vetoes and effects of fora; at most 200,000",
        ),
        (
            {"model": {"depth": 1}, "actions": {"act": deed("self.target.y")},
             "indicators": {"y": {"scope": "dyad", "start": 0.5}}},
            "model.depth: makes 26,910,000 of 26,910,000 changes that actors expect of one another; at most 2,000,000; "
            "set the depth to 0",
        ),
        (
            {"actions": {"act": deed("self.target.y")}, "indicators": {"y": {"scope": "dyad", "start": 0.5}}},
            "",
        ),
    ],
    ids=["offers", "few joiners", "joiners", "agenda", "outputs", "depth", "no depth"],
)  # fmt: skip
def test_more_bargains_and_fora_than_a_computer_holds_are_refused_at_once(blocks: dict[str, Any], message: str):
    scenario = Scenario.model_validate(crowd(300, **{"assurances": {"quiet": PROMISE}, **blocks}))
    found = too_large(scenario)
    assert bool(found) == bool(message)
    assert not found or ": ".join(found[0]).startswith(message)
    assert "slots" not in vars(scenario)  # nothing was laid out

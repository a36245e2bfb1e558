"""What a scenario file says is what is read; names stand for what they say; each number has a path and a source."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sim import data, form, located, quantities
from sim.errors import Problems
from sim.scenario import (
    Part,
    PerName,
    Position,
    Quantity,
    as_data,
    as_yaml,
    expand,
    find,
    members,
    numbers,
    parse,
    path_of,
    pick,
    read,
    rung_value,
    schema,
    slots,
    turn_dates,
    turn_of,
    with_numbers,
)
from tests.strategies import random_scenario, scenarios

SHIPPED = sorted(data.scenarios().glob("*.yaml"))


def world(**blocks: Any) -> dict[str, Any]:
    """Three actors and an indicator of each scope, with what a test adds or replaces."""
    return {
        "tightrope": 1,
        "title": "North, South and East",
        "start": "2030-01",
        "turns": 12,
        "indicators": {
            "rain": {"scope": "world", "start": 0.5},
            "wealth": {"scope": "actor", "start": 0.5},
            "rung": {"scope": "dyad", "ladder": ["none", "talks", "mission"], "start": "none"},
        },
        "actors": {"north": {"tags": ["state", "rich"]}, "south": {"tags": ["state"]}, "east": {}},
    } | blocks


TRUCE = {"from": "south", "to": ["north", "east"], "fade": 0.1, "reliability": 0.6, "kept": 2, "broken": 2}
TRUCE |= {"forgetting": 0.1, "signal": 0.5}
TALK = {"cameo": "040", "plover": "CONSULT", "channel": "ties", "by": "state", "toward": "east", "cost": 0.01}


def complaints(raw: Any) -> list[str]:
    with pytest.raises(Problems) as caught:
        parse(raw)
    return [str(problem) for problem in caught.value.problems]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------------ names


def test_members_are_the_actors_of_names_and_tags_sorted_and_once():
    whole = parse(world())
    assert members(whole, ["state", "north"]) == ["north", "south"]
    assert members(whole, None) == ["east", "north", "south"]
    assert members(whole, ["nobody"]) == []


def test_slots_stand_in_canonical_order_whatever_the_order_of_the_file():
    raw = world(assurances={"truce": TRUCE})
    paths = list(slots(parse(raw)))
    keys = [(slot.indicator, slot.first or "", slot.second or "") for slot in slots(parse(raw)).values()]
    assert keys == sorted(keys)
    turned = raw | {key: dict(reversed(list(raw[key].items()))) for key in ("indicators", "actors")}
    assert list(slots(parse(turned))) == paths


def test_an_assurance_makes_promised_reliability_and_credibility_for_its_pairs():
    found = slots(parse(world(assurances={"truce": TRUCE})))
    assert [path for path in found if "truce" in path] == [
        "east.south.credibility_truce", "north.south.credibility_truce", "south.east.promised_truce",
        "south.north.promised_truce", "south.east.reliability_truce", "south.north.reliability_truce",
    ]  # fmt: skip
    slot = found["east.south.credibility_truce"]
    assert (slot.first, slot.second, slot.lo, slot.hi, slot.place) == ("east", "south", 0, 1, "assurances.truce")


def test_ranges_are_what_is_declared_or_those_of_regard_or_of_the_ladder():
    raw = world()
    raw["indicators"]["regard"] = {"scope": "dyad", "start": 0}
    raw["indicators"]["debt"] = {"scope": "world", "range": [-5, 9], "start": 0}
    found = slots(parse(raw))
    ranges = {"north.south.regard": (-1, 1), "debt": (-5, 9), "north.south.rung": (0, 2), "rain": (0, 1)}
    assert {path: (found[path].lo, found[path].hi) for path in ranges} == ranges
    assert found["north.south.rung"].ladder == ("none", "talks", "mission")
    assert "north.north.rung" not in found


EXACT = (("north.south",), ("north.state", "rich.south"), ("rich.state",), ("north",), ("rich",), ("default",))


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(range(len(EXACT)), 2)))
def test_the_more_exact_key_holds(first, second):
    for one, other in itertools.product(EXACT[first], EXACT[second]):
        for keys in ((one, other), (other, one)):
            block = PerName.model_validate(dict.fromkeys(keys, 0.1))
            assert pick(block, parse(world()), "north", "south")[0] == one


def held(keys: list[str], *owner: str) -> str:
    """The key that holds of keys that say the same."""
    return pick(PerName.model_validate(dict.fromkeys(keys, 0.1)), parse(world()), *owner)[0]


def test_of_equally_exact_keys_that_agree_one_holds_whatever_their_order():
    for keys in itertools.permutations(["state", "rich", "default"]):
        assert held(list(keys), "north") == "rich"
    for keys in itertools.permutations(["north.state", "rich.south", "state.state"]):
        assert held(list(keys), "north", "south") == "north.state"


TORN = [
    (
        "indicators.wealth.start",
        {"state": 0.4, "rich": 0.6, "default": 0.5},
        '"rich" (0.6) and "state" (0.4) are equally exact for north; add "north"',
        {"north": 0.6},
    ),
    (
        "indicators.rung.start",
        {"state": "talks", "north.state": 0, "rich.south": "talks", "default": "none"},
        '"north.state" (0) and "rich.south" (talks) are equally exact for north.south; add "north.south"',
        {"north.south": "none"},
    ),
    (
        "assurances.truce.kept",
        {"state": 1, "rich": 2, "default": 3},
        '"rich" (2) and "state" (1) are equally exact for north.south; add "north.south"',
        {"north": 2},
    ),
    (
        "actions.talk.cost",
        {"rich": 0.01, "state": 0.02},
        '"rich" (0.01) and "state" (0.02) are equally exact for north; add "north"',
        {"north": 0.01},
    ),
    (
        "actors.east.stakes",
        {"rich": 0.01, "state": 0.02},
        '"rich" (0.01) and "state" (0.02) are equally exact for north; add "north"',
        {"north": 0.01},
    ),
    (
        "timeline[0].set",
        {"north.wealth": 0.2, "state.wealth": 0.3},
        '"north.wealth" (0.2) and "state.wealth" (0.3) both set north.wealth; write each indicator once',
        None,
    ),
    (
        "timeline[0].add",
        {"state.wealth": 0.1, "rich.wealth": 0.1},
        '"rich.wealth" (0.1) and "state.wealth" (0.1) both move north.wealth; write each indicator once',
        None,
    ),
]


@pytest.mark.parametrize(("place", "keys", "told", "mend"), TORN, ids=[case[0] for case in TORN])
def test_two_keys_that_would_make_the_order_of_the_file_matter_are_refused(place, keys, told, mend):
    def torn(block: dict[str, Any]) -> Any:
        raw = json.loads(json.dumps(world(assurances={"truce": TRUCE}, actions={"talk": TALK}, timeline=[{}])))
        raw["indicators"]["regard"] = {"scope": "dyad", "start": 0}
        raw["timeline"] = [{"date": "2030-02", "title": "x"}]
        node, words = raw, re.findall(r"[a-z]+|[0-9]+", place)
        for word in words[:-1]:
            node = node[int(word)] if word.isdigit() else node[word]
        node[words[-1]] = block
        return raw

    later = max(key for key in keys if f'"{key}"' in told)
    for order in (list(keys), list(reversed(keys))):
        assert complaints(torn({key: keys[key] for key in order})) == [f"{place}.{later}: {told}"]
    if mend:
        parse(torn(keys | mend))


def test_keys_that_say_the_same_may_be_equally_exact():
    raw = world(timeline=[{"date": "2030-02", "title": "x", "set": {"state.wealth": 0.2, "rich.wealth": 0.2}}])
    raw["indicators"]["wealth"]["start"] = {"state": 0.4, "rich": 0.4, "default": 0.5}
    raw["indicators"]["rung"]["start"] = {"north.state": 1, "rich.south": "talks", "default": 0}
    parse(raw)


def test_who_is_torn_is_named_up_to_three():
    raw = world()
    raw["indicators"]["rung"]["start"] = {"state": 0, "rich": 1, "default": 0}
    raw["actors"] |= {name: {} for name in ("west", "centre")}
    assert complaints(raw) == [
        'indicators.rung.start.state: "rich" (1) and "state" (0) are equally exact for north.centre, north.east, '
        'north.south and 1 more; add "north.centre", "north.east", "north.south" and 1 more'
    ]


def test_what_stands_in_for_a_malformed_number_disagrees_with_none():
    raw = world()
    raw["indicators"]["wealth"]["start"] = {"rich": {"claim": "FRS-001"}, "state": 0.4, "default": 0.5}
    assert complaints(raw) == ["indicators.wealth.start.rich: missing; write for example `value: 0.45`"]


def test_nobody_is_covered_by_keys_of_others():
    block = PerName.model_validate({"south": 0.1, "state.east": 0.2})
    assert pick(block, parse(world()), "east") is None
    assert pick(block, parse(world()), "north", "east")[0] == "state.east"


def test_a_path_expands_to_the_slots_that_there_are():
    whole = parse(world())
    assert expand("state.wealth", whole) == ["north.wealth", "south.wealth"]
    assert expand("self.target.rung", whole, "north", "east") == ["north.east.rung"]
    assert expand("self.state.rung", whole, "north") == ["north.south.rung"]
    assert expand("rain", whole) == ["rain"]
    assert (
        expand("self.wealth", whole) == expand("north.nothing", whole) == expand("self.self.rung", whole, "north") == []
    )


def test_a_rungs_name_is_its_index():
    slot = slots(parse(world()))["north.south.rung"]
    assert rung_value(Quantity(value="mission"), slot) == 2.0
    assert rung_value(Quantity(value=1.0), slot) == 1.0
    with pytest.raises(ValueError, match="no rung"):
        rung_value(Quantity(value="summit"), slot)


# --------------------------------------------------------------------------------------------------- calendar


@pytest.mark.parametrize(
    ("turn", "start", "dates"),
    [
        ("month", "2021-11", ["2021-11", "2021-12", "2022-01"]),
        ("quarter", "2021-10", ["2021-10", "2022-01", "2022-04"]),
        ("year", "2021-01", ["2021", "2022", "2023"]),
        ("week", "2021-12-20", ["2021-12-20", "2021-12-27", "2022-01-03"]),
    ],
)
def test_turns_are_labelled_by_iso_dates_that_lead_back_to_them(turn, start, dates):
    whole = parse(world(start=start, turns=3, turn=turn))
    assert turn_dates(whole) == dates
    assert [turn_of(whole, date) for date in dates] == [1, 2, 3]


def test_a_date_belongs_to_the_turn_whose_period_holds_it():
    whole = parse(world(start="2021-05", turns=7))
    assert [turn_of(whole, date) for date in ("2021-05-31", "2021-08", "2021-11-30")] == [1, 4, 7]
    assert [turn_of(whole, date) for date in ("2021-04-30", "2021-12", "2021-02-31", "soon")] == [None] * 4
    weekly = parse(world(start="2021-05-03", turn="week", turns=2))
    assert [turn_of(weekly, date) for date in ("2021-05-09", "2021-05-10", "2021-05-02", "2021-05-17")] == [
        1,
        2,
        None,
        None,
    ]


# ---------------------------------------------------------------------------------------------------- numbers


def test_every_number_has_a_path_of_its_own():
    for path in SHIPPED:
        paths = [entry.path for entry in numbers(read(path).scenario)]
        assert len(paths) == len(set(paths)), path


def test_a_number_takes_the_source_of_the_nearest_block_that_has_one():
    raw = world(assumption="of the whole")
    raw["indicators"]["wealth"] |= {
        "claim": "FRS-001",
        "start": {"default": 0.5, "north": {"value": 0.4, "assumption": "own"}},
    }
    found = {entry.path: (entry.claim, entry.assumption) for entry in numbers(parse(raw))}
    assert found["indicators.rain.start"] == (None, "of the whole")
    assert found["indicators.wealth.start"] == (["FRS-001"], None)
    assert found["indicators.wealth.start.north"] == (None, "own")
    assert found["model.hold"][1].startswith("doing nothing")


def test_canonical_paths_leave_value_and_default_out():
    action = TALK | {
        "cost": {"default": {"value": 0.1}, "north": 0.2},
        "effects": [{"of": "target.wealth", "add": 0.1}],
    }
    raw = world(actions={"talk": action}, set={"north.wealth": 0.3})
    raw["timeline"] = [{"date": "2030-02", "title": "x", "set": {"north.wealth": 0.3}}]
    paths = [entry.path for entry in numbers(parse(raw))]
    for path in (
        "actions.talk.cost", "actions.talk.cost.north", "actions.talk.effects[0].add", "actions.talk.effort",
        "set.north.wealth", "timeline[0].set.north.wealth", "indicators.rain.start",
    ):  # fmt: skip
        assert path in paths


def test_replacing_numbers_changes_those_and_nothing_else():
    raw = world(actions={"talk": TALK | {"cost": {"value": 0.1, "range": [0, 0.2], "claim": "FRS-001"}}})
    before = parse(raw)
    after = with_numbers(before, {"actions.talk.cost": 0.15, "north.wealth": 0.9, "model.hold": 0.4})
    old, new = ({e.path: e.quantity for e in numbers(one)} for one in (before, after))
    assert {path for path in new if new[path] != old.get(path)} == {
        "actions.talk.cost",
        "set.north.wealth",
        "model.hold",
    }
    cost = new["actions.talk.cost"]
    assert (cost.value, cost.range, cost.claim) == (0.15, [0, 0.2], ["FRS-001"])
    assert before == parse(raw)


def test_what_is_empty_is_left_out_only_where_leaving_it_out_says_the_same():
    raw = world(indicators={}, outcomes={"acts": {"count": {}}})
    raw["actors"]["north"]["stakes"] = {}
    whole = parse(raw)
    data = as_data(whole)
    assert (data["indicators"], data["outcomes"], "actions" in data) == ({}, {"acts": {"count": {}}}, False)
    document, problems = located.parse(as_yaml(whole), "again.yaml")
    assert not problems
    assert parse(document.data) == parse(data) == whole
    assert with_numbers(whole, {"model.hold": 0.4}).model.hold.value == 0.4


def test_replacing_a_number_by_one_that_breaks_a_rule_is_told():
    with pytest.raises(Problems, match=r"north\.wealth: 2 is out of range; must be 0\.\.1"):
        with_numbers(parse(world()), {"north.wealth": 2})
    with pytest.raises(Problems, match=r'no such number; did you mean "north\.wealth"'):
        with_numbers(parse(world()), {"north.welth": 0.2})


@given(scenarios(), st.integers(0, 10**6))
def test_any_number_can_be_replaced_by_itself(raw, pick_of):
    whole = parse(raw)
    entries = numbers(whole)
    entry = entries[pick_of % len(entries)]
    assert with_numbers(whole, {entry.path: entry.quantity.value}) == whole


# --------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_are_read_and_their_text_reads_back_to_the_same(path, tmp_path):
    loaded = read(path)
    again = read(written(tmp_path, "again.yaml", loaded.text()))
    assert again.scenario == loaded.scenario
    assert again.text() == loaded.text()


@given(scenarios())
def test_random_scenarios_are_valid_and_their_text_reads_back_to_the_same(raw):
    whole = parse(raw)
    document, problems = located.parse(as_yaml(whole), "again.yaml")
    assert not problems
    assert parse(document.data) == whole


def test_random_scenarios_together_use_every_field_of_the_format():
    used = set()
    for seed in range(300):
        raw = random_scenario(random.Random(seed))
        used |= set(fields_set(parse(raw)))
    everything = {(kind.__name__, name) for kind in parts() for name in kind.model_fields}
    unused = {(kind, name) for kind, name in everything - used if name not in ("claim", "assumption")}
    assert unused == {("Scenario", "extends")}
    assert {name for _, name in used} >= {"claim", "assumption"}


def fields_set(value: Any) -> Any:
    """Every (model, field) that a scenario says."""
    if isinstance(value, Part):
        for name in value.model_fields_set & set(type(value).model_fields):
            yield type(value).__name__, name
        for item in [*vars(value).values(), *(value.model_extra or {}).values()]:
            yield from fields_set(item)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from fields_set(item)


def parts() -> list[type[Part]]:
    """Every model of the format."""
    named = vars(quantities) | vars(form)
    found = [kind for kind in named.values() if isinstance(kind, type) and issubclass(kind, Part)]
    return [kind for kind in found if kind.__name__ not in ("Part", "Sourced")]


def test_reordering_blocks_makes_no_other_scenario_of_it():
    raw = random_scenario(random.Random(3))
    turned = dict(reversed(list(raw.items())))
    assert parse(turned) == parse(raw)


@pytest.mark.parametrize("name", ["minimal", "minimal.yaml"])
def test_a_shipped_scenario_is_found_by_name_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find(name).resolve() == (data.scenarios() / "minimal.yaml").resolve()
    (tmp_path / "minimal").mkdir()
    assert find(name).is_file()


def test_a_file_comes_before_a_shipped_scenario_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "minimal.yaml", "")
    assert find("minimal.yaml") == Path("minimal.yaml")


@pytest.mark.parametrize("name", ["minimul", "a/b.yaml", "../minimal", "x\x00y", "n" * 5000, ""])
def test_an_unknown_scenario_is_told_with_what_there_is(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problems, match=r"no such file|is a folder"):
        read(name)


BASE = """\
tightrope: 1
title: Base
start: 2030-01
turns: 3
indicators:
  rain: {scope: world, start: {value: 0.5, range: [0.4, 0.6], claim: FRS-001}}
actors:
  north: {tags: [state, rich]}
  south: {}
incidents:
  flood: {hazard: 0.1}
  storm: {hazard: 0.2}
"""


def test_mappings_merge_lists_are_replaced_and_null_takes_away(tmp_path):
    written(tmp_path, "worlds/base.yaml", BASE)
    own = "extends: worlds/base.yaml\ntitle: Own\nindicators: {rain: {start: {value: 0.45}}}\n"
    own += "actors: {north: {tags: [poor]}}\nincidents: {flood: null}\n"
    loaded = read(written(tmp_path, "own.yaml", own))
    whole = loaded.scenario
    assert (whole.title, whole.turns, whole.extends) == ("Own", 3, None)
    start = whole.indicators["rain"].start.by_name["default"]
    assert (start.value, start.range, start.claim) == (0.45, [0.4, 0.6], ["FRS-001"])
    assert (whole.actors["north"].tags, list(whole.actors), list(whole.incidents)) == (
        ["poor"],
        ["north", "south"],
        ["storm"],
    )
    assert [path.name for path in loaded.files] == ["own.yaml", "base.yaml"]


def test_places_lead_to_the_file_that_says_it(tmp_path):
    base = written(tmp_path, "worlds/base.yaml", BASE)
    own = written(tmp_path, "own.yaml", "extends: worlds/base.yaml\nincidents: {flood: {hazard: 0.3}}\n")
    loaded = read(own)
    assert loaded.place("incidents.flood.hazard") == (str(own), 2, 29)
    assert loaded.place("incidents.storm.hazard") == (str(base), 12, 19)
    assert loaded.place("indicators.rain.start") == (str(base), 6, 39)
    assert loaded.place("incidents.flood.visibility")[:2] == (str(own), 2)
    assert loaded.place("model.hold") == (str(own), 1, 1)


def test_a_problem_stands_where_its_value_stands(tmp_path):
    base = written(tmp_path, "worlds/base.yaml", BASE.replace("hazard: 0.2", "hazard: 1.2"))
    own = written(tmp_path, "own.yaml", "extends: worlds/base.yaml\nincidents: {flood: {hazard: 3}}\n")
    with pytest.raises(Problems) as caught:
        read(own)
    assert [str(problem) for problem in caught.value.problems] == [
        f"{own}:2:29: incidents.flood.hazard: 3 is out of range; must be 0..1",
        f"{base}:12:19: incidents.storm.hazard: 1.2 is out of range; must be 0..1",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("own.yaml", "rest on itself"),
        ("worlds/bose.yaml", 'did you mean "worlds/base.yaml"'),
        ("../secret.yaml", "leads elsewhere"),
        ("/etc/passwd", "leads elsewhere"),
        ("link.yaml", "no file"),
        ("worlds", "no file"),
    ],
)
def test_extending_never_leaves_its_two_folders(name, told, tmp_path, monkeypatch):
    written(tmp_path, "secret.yaml", BASE)
    inner = tmp_path / "inner"
    written(inner, "worlds/base.yaml", BASE)
    (inner / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(Problems, match=told):
        read(written(inner, "own.yaml", f"extends: {name}\n"))


def test_a_shipped_world_can_be_extended_from_any_folder(tmp_path):
    whole = read(written(tmp_path, "own.yaml", "extends: minimal\ntitle: Own\n")).scenario
    assert whole.title == "Own"
    assert whole.actors == read("minimal").scenario.actors


# ------------------------------------------------------------------------------------------------- overriding


def test_an_override_is_in_the_scenario_and_in_its_text(tmp_path):
    sets = [
        "alba.repute=0.3",
        "actions.pay.cost=0.02",
        "actions.pay.cost.alba=0.05",
        "turns=3",
        "outcomes.recognised.at_least=mission",
    ]
    sets += [
        "actors.alba.rationality=1e2",
        "actors.borea.policy=random",
        "actors.alba.interests.safety.salience.value=0.7",
    ]
    loaded = read("minimal", sets)
    whole = loaded.scenario
    assert whole.set["alba.repute"].value == 0.3
    assert [quantity.value for quantity in whole.actions["pay"].cost.by_name.values()] == [0.02, 0.05]
    assert (whole.turns, whole.outcomes["recognised"].at_least.value) == (3, "mission")
    assert (whole.actors["alba"].rationality.value, whole.actors["borea"].policy) == (100, "random")
    assert whole.actors["alba"].interests["safety"].salience.value == 0.7
    assert read(written(tmp_path, "again.yaml", loaded.text())).scenario == whole


def test_an_override_keeps_the_source_and_the_range():
    quantity = (
        read("minimal", {"assurances.quiet.reliability": 0.8})
        .scenario.assurances["quiet"]
        .reliability.by_name["default"]
    )
    assert (quantity.value, quantity.range) == (0.8, [0.3, 0.9])
    assert quantity.assumption


@pytest.mark.parametrize("path", ["set.alba.repute", "alba.repute"])
def test_an_indicators_own_path_is_its_starting_value(path):
    assert read("minimal", {path: 0.3}).scenario == read("minimal", ["alba.repute = 0.3"]).scenario


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("alba.reput=0.3", '--set alba.reput: no such number; did you mean "alba.repute"?'),
        ("alba.repute=1.3", "--set alba.repute: 1.3 is out of range; must be 0..1"),
        ("alba.repute=high", '--set alba.repute: "high" is text; must be a number, as "repute" is no ladder'),
        ("alba.repute=.nan", "--set alba.repute=.nan: is not a finite number; write one"),
        ("alba.repute=[1]", "--set alba.repute=[1]: must be one number or word"),
        ("alba.repute=", "--set alba.repute=: must be PATH=VALUE"),
        ("alba.repute", "--set alba.repute: must be PATH=VALUE"),
        ("turns=0", "--set turns: 0 is out of range; must be 1..1200"),
        ("turns=1e3", "--set turns: 1000.0 has a point or an exponent; must be a whole number such as 1000"),
        ("actions=3", '--set actions: no such number; did you mean "actions.pay.cost"?'),
        (
            "assurances.quiet.reliability=0.95",
            "--set assurances.quiet.reliability: [0.3, 0.9] leaves out the value 0.95; widen it",
        ),
        ("actions.pay.cost.albo=1", '--set actions.pay.cost.albo: no such number; did you mean "actions.pay.cost"?'),
        (
            "actions.pay.effects[9].add=1",
            '--set actions.pay.effects[9].add: no such number; did you mean "actions.pay.effects[1].add"?',
        ),
    ],
)  # fmt: skip
def test_a_bad_override_is_told_by_its_path(text, told):
    with pytest.raises(Problems) as caught:
        read("minimal", [text])
    assert [str(problem) for problem in caught.value.problems] == [told]


def test_what_an_override_breaks_elsewhere_is_told_there():
    with pytest.raises(Problems, match=r"minimal.yaml:\d+:\d+: outcomes"):
        read("minimal", ["outcomes.recognised.at_most=talks"])


# -------------------------------------------------------------------------------------------------- meanings


def test_yaml_is_read_by_the_core_schema_of_1_2():
    text = "{a: NO, b: on, c: 1e3, d: 0x1F, e: 0o17, f: 2021-08-15, g: 1_000, h: ~, i: true, j: '054', k: -.5, l: +3}"
    document, problems = located.parse(text, "x")
    assert not problems
    assert document.data == {
        "a": "NO", "b": "on", "c": 1000.0, "d": 31, "e": 15, "f": "2021-08-15", "g": "1_000", "h": None, "i": True,
        "j": "054", "k": -0.5, "l": 3,
    }  # fmt: skip
    assert [type(document.data[key]) for key in "cdk"] == [float, int, float]


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="\u2028\u2029\ufeff"))
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.from_regex(r"[a-z]{1,6}", fullmatch=True)


@given(
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=20,
    )
)
def test_what_is_written_reads_back_the_same(value):
    text = located.dump({"value": value})
    if not located._FORBIDDEN.search(text):
        document, problems = located.parse(text, "x")
        assert not problems
        assert document.data == {"value": value}


def test_an_ideal_is_a_number_a_rung_or_a_position():
    raw = world()
    raw["actors"]["north"]["interests"] = {
        "a": {"of": "rain", "ideal": 1, "salience": 0.5},
        "b": {"of": "self.south.rung", "ideal": "mission", "salience": 0.5},
        "c": {"of": "rain", "ideal": {"of": "self.wealth"}, "salience": 0.5},
        "d": {"of": "rain", "ideal": {"value": 0.4, "range": [0.3, 0.5], "claim": "FRS-001"}, "salience": 0.5},
    }
    ideals = {name: interest.ideal for name, interest in parse(raw).actors["north"].interests.items()}
    assert ideals["a"] == Quantity(value=1.0)
    assert ideals["b"].value == "mission"
    assert ideals["c"] == Position(of="self.wealth")
    assert ideals["d"].range == [0.3, 0.5]
    raw["actors"]["north"]["interests"]["a"]["ideal"] = "self.wealth"
    assert complaints(raw) == ['actors.north.interests.a.ideal: "self.wealth" is text; must be a number']


def test_a_plain_number_a_quantity_and_a_default_are_the_same():
    plain, quantity, long = (
        parse(world(actions={"talk": TALK | {"cost": cost}}))
        for cost in (0.01, {"value": 0.01}, {"default": {"value": 0.01}})
    )
    assert plain == quantity == long
    scaled = parse(world(actions={"talk": TALK | {"cost": {"value": 0.01, "times": ["rain"], "north": 0.2}}}))
    assert list(scaled.actions["talk"].cost.by_name) == ["default", "north"]
    assert scaled.actions["talk"].cost.times == ["rain"]


def test_one_word_is_short_for_a_list_of_one():
    whole = parse(world(actions={"talk": TALK}))
    assert (whole.actions["talk"].by, whole.actions["talk"].toward) == (["state"], ["east"])


def test_an_effect_on_pairs_of_which_some_exist_is_no_problem():
    raw = world(
        actions={"talk": TALK | {"toward": ["east", "south"], "effects": [{"of": "self.target.debt", "add": 0.1}]}}
    )
    raw["indicators"]["debt"] = {"scope": "dyad", "from": "north", "to": "east", "start": 0}
    parse(raw)
    raw["indicators"]["debt"] |= {"from": "east", "to": "north"}
    assert complaints(raw) == ['actions.talk.effects[0].of: no self.target.debt; "debt" exists for east toward north']


def test_a_factor_must_exist_wherever_its_number_counts():
    action = TALK | {"effects": [{"of": "target.wealth", "add": 0.1, "times": ["self.arms"]}]}
    raw = world(actions={"talk": action})
    raw["actors"]["north"]["capabilities"] = {"arms": 0.5}
    assert complaints(raw) == [
        "actions.talk.effects[0].times[0]: there is no south.arms, by which this number would be multiplied; declare it"
    ]
    raw["actors"]["south"]["capabilities"] = {"arms": 0}
    parse(raw)


# ---------------------------------------------------------------------------------------------------- schema


def test_every_field_of_the_schema_has_a_description_and_an_example():
    described = schema()
    blocks = {"Scenario": described} | described["$defs"]
    bare = []
    for name, block in blocks.items():
        bare += [] if block.get("description") else [name]
        for key, field in block.get("properties", {}).items():
            bare += [] if field.get("description") and field.get("examples") else [f"{name}.{key}"]
    assert bare == []
    assert set(blocks) >= {kind.__name__ for kind in parts()}


def test_every_example_of_the_schema_is_accepted():
    for kind in parts():
        for field in kind.model_fields.values():
            form = TypeAdapter(field.rebuild_annotation())
            for example in field.examples or []:
                form.validate_python(example, strict=True)


def test_the_schema_accepts_what_is_read_and_refuses_unknown_keys():
    described = schema()
    for path in (*SHIPPED, *SHIPPED[0].parent.glob("worlds/*.yaml")):
        document = located.load(path)
        assert list(faults(document.data, described, described)) == [], path
    for seed in range(50):
        raw = random_scenario(random.Random(seed))
        assert list(faults(raw, described, described)) == [], seed
    assert list(faults(world(trun="month"), described, described)) == ["trun"]
    assert list(faults(world(turns="x"), described, described)) == ["turns"]
    raw = world(model={"hold": 1.5})
    assert list(faults(raw, described, described)) == ["model.hold"]


def test_a_file_that_extends_another_need_not_say_again_what_that_one_says():
    described = schema()
    part = {"tightrope": 1, "extends": "worlds/x.yaml", "indicators": {"attention": {"start": 1}}}
    assert list(faults(part, described, described)) == []
    assert list(faults(part | {"trun": 1, "timeline": [{"title": "x"}]}, described, described)) == [
        "timeline[0].date",
        "trun",
    ]
    del part["extends"]
    found = set(faults(part, described, described))
    assert found == {"title", "start", "turns", "actors", "indicators.attention.scope"}


def test_every_optional_number_of_the_schema_says_what_it_is_when_left_out():
    described = schema()
    blocks = {"Scenario": described["else"]} | described["$defs"]
    silent = []
    for kind in parts():
        for name, field in kind.model_fields.items():
            key = field.alias or name
            form = blocks[kind.__name__]["properties"][key]
            if not field.is_required() and numeric(form) and "default" not in form:
                silent.append(f"{kind.__name__}.{key}")
    assert silent == []


def numeric(form: dict[str, Any]) -> bool:
    """Whether a number may stand for a field."""
    return form.get("type") in ("number", "integer") or any(numeric(inner) for inner in form.get("anyOf", []))


def test_the_defaults_of_the_schema_are_those_of_the_models():
    kinds = schema()["$defs"]
    given = {
        "Action": {"effort": 1, "habit": 1, "visibility": 1, "chance": 1},
        "Assurance": {"promised": 0, "pull": 0},
        "Actor": {"stakes": 0},
        "Coupling": {"around": 0},
        "Incident": {"visibility": 1},
        "Indicator": {"pull": 0, "noise": 0},
        "Model": {"hold": 0.5, "rationality": 175, "foresight": 0.6, "risk": 2, "responsiveness": 5},
    }
    for kind, fields in given.items():
        for name, default in fields.items():
            for block in (kind, f"{kind}Part"):
                assert kinds[block]["properties"][name]["default"] == default
    for name in ("pull", "noise"):
        assert "0 if left out" in kinds["Indicator"]["properties"][name]["description"]


def faults(value: Any, form: dict[str, Any], root: dict[str, Any], path: str = "") -> Any:
    """Where a value breaks a JSON Schema, of which this knows the part that pydantic writes."""
    if "$ref" in form:
        yield from faults(value, root["$defs"][form["$ref"].rsplit("/", 1)[1]], root, path)
        return
    if "if" in form:
        yield from faults(value, form["else" if list(faults(value, form["if"], root, path)) else "then"], root, path)
    for word in ("anyOf", "oneOf"):
        if word in form and not any(not list(faults(value, inner, root, path)) for inner in form[word]):
            yield path
    kinds = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool}
    kinds["null"] = type(None)
    kind = form.get("type")
    if kind and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind in ("number", "integer"))):
        yield path
        return
    if ("enum" in form and value not in form["enum"]) or ("const" in form and value != form["const"]):
        yield path
    if isinstance(value, str) and "pattern" in form and not re.search(form["pattern"], value):
        yield path
    if kind in ("number", "integer") and (
        value < form.get("minimum", value) or value > form.get("maximum", value)
        or value <= form.get("exclusiveMinimum", value - 1) or value >= form.get("exclusiveMaximum", value + 1)
        or value % form.get("multipleOf", value or 1)
    ):  # fmt: skip
        yield path
    if isinstance(value, list) and "items" in form:
        for index, item in enumerate(value):
            yield from faults(item, form["items"], root, f"{path}[{index}]")
    if isinstance(value, dict):
        yield from (path_of((path, key)) for key in form.get("required", []) if key not in value)
        for key, item in value.items():
            inner = form.get("properties", {}).get(key)
            for pattern, other in form.get("patternProperties", {}).items():
                inner = other if inner is None and re.search(pattern, key) else inner
            inner = form.get("additionalProperties", {}) if inner is None else inner
            at = f"{path}.{key}" if path else key
            if inner is False:
                yield at
            elif inner is not True:
                yield from faults(item, inner, root, at)


def test_the_schema_is_json():
    assert json.loads(json.dumps(schema()))["$schema"].startswith("https://json-schema.org")

"""Tables hold every number of a scenario where its path says, and nothing of the order or the names of the file."""

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import kernel
from sim.arrays import FROZEN, TREND, Tables
from sim.compile import compile_scenario
from sim.errors import Problems
from sim.scenario import as_data, numbers, parse, read, with_numbers
from tests.strategies import scenarios

SHIPPED = [path.stem for path in sorted((Path(__file__).resolve().parent.parent / "scenarios").glob("*.yaml"))]
FIELDS = list(Tables.__annotations__)
FEW = settings(max_examples=25)
seeds = st.integers(0, 10**6)
DATED = ("dated_turn", "dated_slot", "dated_adds", "dated_value")


def build(raw):
    return compile_scenario(parse(raw))


def differing(one, other):
    """The tables in which two compiled scenarios differ by a bit; the sign of a zero is none.

    Dated changes of different slots may stand in any order: none sees another.
    """
    told = []
    for name in FIELDS:
        first, second = getattr(one.tables, name), getattr(other.tables, name)
        if name in DATED:
            first, second = (array[by_slot(compiled)] for array, compiled in ((first, one), (second, other)))
        if first.shape != second.shape or plain(first).tobytes() != plain(second).tobytes():
            told.append(name)
    return told


def plain(array):
    return array + 0.0 if array.dtype == np.float64 else array


def by_slot(compiled):
    """The order of the dated changes by slot, those of one slot as they stand."""
    return np.argsort(compiled.tables.dated_slot, kind="stable")


def names_behind(compiled):
    return {
        name: getattr(compiled, name)
        for name in (
            "paths", "ladders", "capabilities", "actors", "actions", "options", "interests", "beliefs", "incidents",
            "dates", "codes",
        )
    }  # fmt: skip


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request):
    return read(request.param).scenario


# ----------------------------------------------------------------------------------------------- numbers and cells


def cells(compiled, path):
    return [float(getattr(compiled.tables, name)[index]) for name, index in compiled.owners[path]]


def others(value):
    """Values near one number, the first of which a scenario takes that is not barred by a bound."""
    return [value + 0.0625, value - 0.0625, value + 1, value - 1, value * 0.5, 0.5, 0.75]


def changed(scenario, compiled, path):
    """Another value for a number, and the scenario with it; None where it may have no other."""
    now = cells(compiled, path)[0]
    for value in others(now):
        if value != now:
            try:
                return value, with_numbers(scenario, {path: value})
            except Problems:
                continue
    return None


def check_each_number(scenario):
    compiled = compile_scenario(scenario)
    held = {entry.path for entry in numbers(scenario)}
    assert set(compiled.owners) <= held
    for path in compiled.owners:
        found = changed(scenario, compiled, path)
        if found is None:
            continue
        value, other = found
        assert not differing(compiled.patched({path: value}), compile_scenario(other)), f"{path} = {value}"


def test_patching_a_number_equals_compiling_anew_for_every_number_of_the_tutorial(tutorial, minimal):
    assert all(changed(tutorial, minimal, path) for path in minimal.owners)
    check_each_number(tutorial)


@settings(max_examples=4)
@given(scenarios())
def test_patching_a_number_equals_compiling_anew_for_every_number_of_any_scenario(raw):
    check_each_number(parse(raw))


def test_patching_all_numbers_at_once_equals_compiling_anew(shipped):
    """Each number is moved by its own share of the room it has, so that a cell of another would show."""
    compiled = compile_scenario(shipped)
    rng, values = random.Random(1), {}
    for path in compiled.owners:
        now = cells(compiled, path)[0]
        values[path] = now if now == int(now) else now * rng.uniform(0.9, 0.999)
    try:
        other = with_numbers(shipped, values)
    except Problems as error:  # a range that leaves the new value out: keep those numbers
        kept = {problem.path.removesuffix(".range") for problem in error.problems}
        values = {path: value for path, value in values.items() if path not in kept}
        other = with_numbers(shipped, values)
    assert len(values) > 0.5 * len(compiled.owners)
    assert not differing(compiled.patched(values), compile_scenario(other))


def test_a_number_owns_the_cells_that_hold_it(shipped):
    compiled = compile_scenario(shipped)
    values = {entry.path: entry.quantity.value for entry in numbers(shipped)}
    for path in compiled.owners:
        found = set(cells(compiled, path))
        assert len(found) == 1, path
        if not isinstance(values[path], str):
            assert found == {values[path]}, path


def idle(scenario, path):
    """Why the tables do not hold a number, or None where they should.

    The bounds of outcomes are read after a run. A starting value that `set` replaces holds nowhere if the resting
    level has a number of its own; a number of the model that every actor states for itself, and one by name that
    nobody in its place picks, hold for nobody.
    """
    words = path.split(".")
    if words[0] == "outcomes":
        return "read after a run"
    if words[-1] == "depth":
        return "how many appraisals there are, not a number in one"
    if words[0] == "model" and all(getattr(actor, words[1]) for actor in scenario.actors.values()):
        return "every actor has its own"
    if words[0] == "indicators" and words[2] == "start":
        return "replaced by `set`" if scenario.indicators[words[1]].rest and scenario.set else "nobody's by name"
    if words[0] in ("actions", "bargains", "fora") and not any(
        action == words[1] for _, action, _ in compile_scenario(scenario).options
    ):
        return "nobody can do it"
    by_name = {"start", "rest", "promised", "reliability", "kept", "broken", "stakes", "chance", "cost"}
    by_name |= {"openness", "attend", "salience"} if words[0] == "fora" else set()
    return "nobody's by name" if by_name & set(words) else None


def test_the_tables_hold_every_number_but_those_that_no_run_reads(shipped):
    compiled = compile_scenario(shipped)
    unheld = [entry.path for entry in numbers(shipped) if entry.path not in compiled.owners]
    assert [path for path in unheld if idle(shipped, path) is None] == []


def test_of_the_tutorials_numbers_only_depth_and_the_bound_of_an_outcome_are_not_in_the_tables(tutorial, minimal):
    unheld = [entry.path for entry in numbers(tutorial) if entry.path not in minimal.owners]
    assert unheld == ["model.depth", "outcomes.recognised.at_least"]


@FEW
@given(scenarios())
def test_a_number_that_the_tables_do_not_hold_changes_no_bit(raw):
    """Changed in the file instead, it leaves the tables as they were."""
    scenario = parse(raw)
    compiled = compile_scenario(scenario)
    for entry in numbers(scenario):
        if entry.path in compiled.owners or isinstance(entry.quantity.value, str) or entry.path.endswith("depth"):
            continue
        assert idle(scenario, entry.path), entry.path
        for value in others(entry.quantity.value):
            try:
                other = with_numbers(scenario, {entry.path: value})
            except Problems:
                continue
            assert not differing(compiled, compile_scenario(other)), entry.path
            break


def test_patching_leaves_the_first_as_it_was(minimal):
    before = {name: getattr(minimal.tables, name).copy() for name in FIELDS}
    patched = minimal.patched({"actions.talk.cost": 0.5, "indicators.raiders.pull": 0.9})
    assert all(np.array_equal(before[name], getattr(minimal.tables, name)) for name in FIELDS)
    assert differing(minimal, patched) == ["pull", "cost"]


def test_a_path_that_owns_no_cell_cannot_be_patched(minimal):
    with pytest.raises(KeyError):
        minimal.patched({"outcomes.recognised.at_least": 1.0})


def test_a_smaller_effort_leaves_room_for_the_acts_that_it_allows():
    """What an actor can do in a turn grows with what is left of its attention; patched or not, it is written down."""
    act = {"cameo": "010", "plover": "NONE", "by": "north", "cost": 0, "effort": 2}
    acts = {f"act{n}": act | {"channel": f"channel{n}"} for n in range(9)}
    actors = {"north": {}}
    raw = {"tightrope": 1, "title": "x", "start": "2030-01", "turns": 1, "actors": actors, "actions": acts}
    raw["indicators"] = {"calm": {"scope": "world", "start": 0.5}}
    small = {f"actions.act{n}.effort": 0.05 for n in range(9)}
    compiled = build(raw)
    patched, anew = compiled.patched(small), compile_scenario(with_numbers(parse(raw), small))
    assert patched.space == anew.space
    history = kernel.ensemble(anew, 1, range(50), policy="random")
    assert np.bincount(history.acts.run).max() > 1
    assert kernel.ensemble(patched, 1, range(50), policy="random").acts.option.tolist() == history.acts.option.tolist()


# -------------------------------------------------------------------------------------------------- order and names


def shuffled(raw, rng):
    """The same data with every mapping in another order."""
    if isinstance(raw, list):
        return [shuffled(item, rng) for item in raw]
    if not isinstance(raw, dict):
        return raw
    return {key: shuffled(raw[key], rng) for key in rng.sample(list(raw), len(raw))}


def check_order(raw, rng):
    first, second = build(raw), build(shuffled(raw, rng))
    assert not differing(first, second)
    assert names_behind(first) == names_behind(second)
    assert first.space == second.space
    assert owned(first) == owned(second)


def owned(compiled):
    """The cells of each path, but those of dated changes (see `differing`)."""
    return {path: sorted(cell for cell in found if cell[0] not in DATED) for path, found in compiled.owners.items()}


@FEW
@given(seeds)
def test_reordering_the_tutorial_changes_no_bit(tutorial, seed):
    check_order(as_data(tutorial), random.Random(seed))


def test_reordering_a_shipped_scenario_changes_no_bit(shipped):
    check_order(as_data(shipped), random.Random(1))


@FEW
@given(scenarios(), seeds)
def test_reordering_the_file_changes_no_bit(raw, seed):
    check_order(raw, random.Random(seed))


@FEW
@given(scenarios(), seeds)
def test_reordering_tags_and_selectors_changes_no_bit(raw, seed):
    rng = random.Random(seed)

    def mixed(value, key=None):
        if isinstance(value, dict):
            return {name: mixed(item, name) for name, item in value.items()}
        if isinstance(value, list) and key in ("tags", "by", "toward", "from", "to", "on", "of"):
            return rng.sample(value, len(value))
        return [mixed(item) for item in value] if isinstance(value, list) else value

    assert not differing(build(raw), build(mixed(raw)))


def test_reordered_files_give_the_same_runs(tutorial, minimal):
    other = build(shuffled(as_data(tutorial), random.Random(3)))
    one, two = (kernel.ensemble(compiled, 5, range(8)) for compiled in (minimal, other))
    assert one.states.tobytes() == two.states.tobytes()
    assert one.acts.probability.tobytes() == two.acts.probability.tobytes()


def renamed(raw, names):
    """The same scenario with other names for some actors, wherever they stand."""
    words = re.compile(r"(?<![a-z0-9_])(" + "|".join(names) + r")(?![a-z0-9_])")
    return json.loads(words.sub(lambda found: names[found[1]], json.dumps(raw)))


def menus(compiled, states, alpha, beta, turn):
    """Logits and expected utilities of every option of every actor, from a state, by actor, action and target."""
    T, found = compiled.tables, {}
    S = kernel.new_state(compiled, [0])
    kernel.begin(T, S)
    S.x[:, 0], S.alpha[:, 0], S.beta[:, 0] = states, alpha, beta
    kernel.open_turn(T, S, np.uint64(1), turn)
    for i, actor in enumerate(compiled.actors):
        if T.policy[i] in (FROZEN, TREND):
            continue
        kernel.appraise(T, S, i)
        kernel.choose(T, S, i, np.uint64(1), turn, True)
        first = T.option_start[i]
        for o in range(first, T.option_start[i + 1]):
            if S.available[o - first, 0]:
                found[compiled.options[o]] = [S.logit[o - first, 0], S.utility[o - first, 0], S.odds[o - first, 0]]
        found[actor, "hold", None] = [S.hold_score[0, 0], 0.0, 1.0]
    return found


def check_renaming(raw, names):
    """From every state of a run, the renamed actors have the same options with the same probabilities."""
    raw = {key: block for key, block in raw.items() if key != "incidents"}  # which are drawn, by name
    raw["outcomes"] = {}
    one, two = build(raw), build(renamed(raw, names))
    history = kernel.ensemble(one, 3, [0])
    here = {path: s for s, path in enumerate(one.paths)}
    back = {name: actor for actor, name in names.items()}

    def old(path):
        return ".".join(back.get(word, word) for word in path.split("."))

    order = [here[old(path)] for path in two.paths]
    beliefs = [one.beliefs.index((back.get(r, r), back.get(g, g), q)) for r, g, q in two.beliefs]
    for turn in range(1, one.turns + 1):
        states, alpha, beta = history.states[0, turn - 1], history.alpha[0, turn - 1], history.beta[0, turn - 1]
        expected = menus(one, states, alpha, beta, turn)
        found = menus(two, states[order], alpha[beliefs], beta[beliefs], turn)
        assert len(found) == len(expected)
        for (actor, action, target), numbers_ in found.items():
            name = back.get(actor, actor), action, back.get(target, target)
            assert numbers_ == pytest.approx(expected[name], rel=1e-9, abs=1e-9)


def test_renaming_the_tutorials_actors_changes_no_probability(tutorial):
    check_renaming(as_data(tutorial), {"alba": "zeta", "front": "alpha", "borea": "mu"})


@FEW
@given(scenarios())
def test_renaming_actors_changes_no_probability(raw):
    check_renaming(raw, {"arda": "zeta", "brin": "alpha", "cale": "mu"})


def test_renaming_an_actor_changes_its_draws(tutorial, minimal):
    other = build(renamed(as_data(tutorial), {"alba": "zeta"}))
    one, two = (kernel.ensemble(compiled, 5, range(8)) for compiled in (minimal, other))
    assert one.acts.option.size != two.acts.option.size or one.states.sum() != two.states.sum()


# -------------------------------------------------------------------------------------------------------- bystanders


def with_bystander(raw, name):
    """The scenario with one more actor, who neither acts nor is anyone's target, regard or stake.

    Where a selector is left out it stands for all actors, and an untargeted tag could name the newcomer: so both are
    written out as those who were there. The newcomer has wants and strengths, which are nobody's business.
    """
    there = sorted(raw["actors"])
    other = json.loads(json.dumps(raw))
    for indicator in other["indicators"].values():
        if indicator["scope"] == "actor":
            indicator.setdefault("of", there)
        elif indicator["scope"] == "dyad":
            indicator.setdefault("from", there)
            indicator.setdefault("to", there)
    other["indicators"]["gossip"] = {"scope": "actor", "of": [name, there[0]], "start": 0.4, "noise": 0.1}
    world = next(n for n, indicator in other["indicators"].items() if indicator["scope"] == "world")
    other["actors"][name] = {
        "capabilities": {"listening": 0.7},
        "interests": {"peace": {"of": world, "ideal": 0, "salience": 0.9}, "gossip": {"of": "self.gossip", "ideal": 1,
                                                                                      "salience": 0.5}},
    }  # fmt: skip
    return other


def check_bystander(raw, name):
    one, two = build(raw), build(with_bystander(raw, name))
    runs = [kernel.ensemble(compiled, 9, range(6)) for compiled in (one, two)]
    there = [two.paths.index(path) for path in one.paths]
    assert runs[0].states.tobytes() == np.ascontiguousarray(runs[1].states[:, :, there]).tobytes()
    assert one.options == two.options
    for field in ("run", "turn", "option", "chance", "succeeded", "utility", "probability"):
        assert getattr(runs[0].acts, field).tobytes() == getattr(runs[1].acts, field).tobytes(), field
    assert np.array_equal(runs[0].incidents, runs[1].incidents)
    assert runs[0].alpha.tobytes() == runs[1].alpha.tobytes()


@pytest.mark.parametrize("name", ["aaron", "castor", "zoe"])
def test_a_bystander_changes_no_bit_of_the_tutorial(tutorial, name):
    check_bystander(as_data(tutorial), name)


@FEW
@given(scenarios(), st.sampled_from(["aaron", "castor", "zoe"]))
def test_a_bystander_changes_no_bit_of_the_rest(raw, name):
    check_bystander(raw, name)


# ------------------------------------------------------------------------------------------- what names stand for


def sides(**blocks):
    """North and South on one side, with what a test adds."""
    return {
        "tightrope": 1,
        "title": "Two of a side",
        "start": "2030-01",
        "turns": 2,
        "policy": "frozen",
        "indicators": {"wealth": {"scope": "actor", "start": 0.5}},
        "actors": {"north": {"tags": ["side"]}, "south": {"tags": ["side"]}},
    } | blocks


def action(**blocks):
    return {"cameo": "010", "plover": "NONE", "channel": "words", "by": "side", "toward": "side", "cost": 0} | blocks


TRUCE = {
    "from": "side", "to": "side", "fade": 0, "promised": 1, "reliability": 0.5, "kept": 1, "broken": 1, "forgetting": 0,
    "signal": 0.5,
}  # fmt: skip


def forced(by, name, target=None):
    return {
        "date": "2030-01",
        "title": name,
        "act": {"by": by, "action": name} | ({"target": target} if target else {}),
    }


def beliefs_after(raw, turn=2):
    compiled = build(raw)
    history = kernel.ensemble(compiled, 1, [0])
    return {b: (history.alpha[0, turn, n], history.beta[0, turn, n]) for n, b in enumerate(compiled.beliefs)}


def test_a_cost_is_needed_only_of_those_who_can_do_it():
    """South could only do it to itself, and so cannot."""
    compiled = build(sides(actions={"visit": action(by=["north", "south"], toward="south", cost={"north": 0.1})}))
    assert compiled.options == [("north", "visit", "south")]


def test_a_signal_about_the_word_of_a_tag_tells_of_each_who_bears_it():
    actions = {"report": action(signals=[{"promise": "truce", "by": "side", "kept": 0.5}])}
    found = beliefs_after(
        sides(assurances={"truce": TRUCE}, actions=actions, timeline=[forced("north", "report", "south")])
    )
    assert found["south", "north", "truce"] == (1.5, 1.0)
    assert found["north", "south", "truce"] == (1.5, 1.0)


def test_an_incident_that_belies_the_word_of_the_one_it_is_drawn_for_speaks_against_that_one():
    incidents = {"riot": {"on": ["north"], "hazard": 1, "belies": [{"promise": "truce", "by": "self"}]}}
    quiet = {"riot": incidents["riot"] | {"hazard": 0.5}}
    for block in (incidents, quiet):
        compiled = build(sides(assurances={"truce": TRUCE}, incidents=block))
        told = compiled.tables.belied_belief.tolist()
        assert [compiled.beliefs[b] for b in told] == [("south", "north", "truce")]


def test_an_effect_on_a_promise_that_nobody_can_give_to_the_actor_counts_as_without_a_promise():
    """odd.md 7.4: p is 0, so what hangs on `kept` counts nothing and what hangs on `broken` all."""
    hung = [{"of": "self.wealth", "add": 0.2, "when": {word: "truce"}} for word in ("kept", "broken")]
    actions = {f"act{n}": action(effects=[effect]) for n, effect in enumerate(hung)}
    truce = TRUCE | {"from": "south", "to": "north"}
    for n, wealth in ((0, 0.5), (1, 0.7)):
        raw = sides(assurances={"truce": truce}, actions=actions, timeline=[forced("south", f"act{n}", "north")])
        history = kernel.ensemble(compiled := build(raw), 1, [0])
        assert history.states[0, 1, compiled.paths.index("south.wealth")] == pytest.approx(wealth, abs=1e-15)

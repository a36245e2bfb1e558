"""A turn goes as docs/odd.md section 7 says, and a run depends on its scenario, seed and number alone."""

import itertools
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim import kernel
from sim.arrays import FROZEN, POLICIES, TREND
from sim.compile import compile_scenario
from sim.scenario import as_data, numbers, parse, read
from tests.strategies import scenarios

SHIPPED = [path.stem for path in sorted((Path(__file__).resolve().parent.parent / "scenarios").glob("*.yaml"))]
HOLD = "hold"
CALM = {"scope": "world", "start": 0.5}
SOME = settings(max_examples=40)


# ------------------------------------------------------------------------------------------------------ small worlds


def world(**blocks):
    """North and South, one turn, nobody acting of itself, with what a test adds or replaces."""
    return {
        "tightrope": 1,
        "title": "North and South",
        "start": "2030-01",
        "turns": 1,
        "policy": "frozen",
        "model": {"foresight": 0, "rationality": 100, "responsiveness": 2},
        "indicators": {"wealth": {"scope": "actor", "start": {"north": 0.5, "south": 0.2}}},
        "actors": {"north": {}, "south": {}},
    } | blocks


def action(**blocks):
    return {"cameo": "010", "plover": "NONE", "channel": "words", "by": "north", "toward": "south", "cost": 0} | blocks


def forced(name, by="north", target="south", date="2030-01"):
    """A dated act."""
    act = {"by": by, "action": name} | ({"target": target} if target else {})
    return {"date": date, "title": name, "act": act}


def build(raw):
    return compile_scenario(parse(raw))


def play(raw, runs=1, seed=7, **options):
    compiled = build(raw)
    return compiled, kernel.ensemble(compiled, seed, range(runs), **options)


def course(raw, path, run=0, **options):
    """An indicator from the start to the end of one run."""
    compiled, history = play(raw, run + 1, **options)
    return history.states[run, :, compiled.paths.index(path)].tolist()


def close(value, tolerance=1e-13):
    return pytest.approx(value, rel=tolerance, abs=tolerance)


def acts_of(compiled, history):
    """Options taken, in order, by run and turn."""
    found = defaultdict(list)
    for run, turn, o in zip(history.acts.run, history.acts.turn, history.acts.option, strict=True):
        found[int(run), int(turn)].append(compiled.options[o])
    return found


class Menu:
    """What one actor makes of its options in the first turn: logits, utilities and chances by option.

    One whose policy weighs nothing (frozen, trend) is asked what it would make of them by quantal response.
    """

    def __init__(self, compiled, actor, seed=1, run=0, turn=1):
        i = compiled.actors.index(actor)
        if compiled.tables.policy[i] in (FROZEN, TREND):
            compiled = compiled.with_policy("quantal")
        T = compiled.tables
        S = kernel.new_state(compiled, [run])
        kernel.begin(T, S)
        kernel.open_turn(T, S, np.uint64(seed), turn)
        kernel.appraise(T, S, i)
        kernel.choose(T, S, i, np.uint64(seed), turn, True)
        first, last = T.option_start[i], T.option_start[i + 1]
        rows = {compiled.options[o][1:]: o - first for o in range(first, last) if S.available[o - first, 0]}
        self.utility = {name: S.utility[row, 0] for name, row in rows.items()}
        self.odds = {name: S.odds[row, 0] for name, row in rows.items()}
        self.logit = {name: S.logit[row, 0] for name, row in rows.items()} | {HOLD: S.hold_score[0, 0]}
        self.noise = {name: S.score[row, 0] - S.logit[row, 0] for name, row in rows.items()}
        self.noise[HOLD] = S.hold_score[1, 0] - S.hold_score[0, 0]

    @property
    def probability(self):
        """Of being drawn first."""
        top = max(self.logit.values())
        total = sum(math.exp(value - top) for value in self.logit.values())
        return {name: math.exp(value - top) / total for name, value in self.logit.items()}


def same(one, other):
    """Whether two histories agree in every bit."""
    fields = [(a, b) for a, b in zip(vars(one.acts).values(), vars(other.acts).values(), strict=True)]
    fields += [(getattr(one, name), getattr(other, name)) for name in ("runs", "states", "alpha", "beta", "incidents")]
    return all(a.shape == b.shape and a.tobytes() == b.tobytes() for a, b in fields)


# ------------------------------------------------------------------------------------ what a result does not hang on


@pytest.mark.parametrize("name", SHIPPED)
def test_chunk_size_never_changes_a_result(name):
    compiled = compile_scenario(read(name).scenario)
    expected = kernel.ensemble(compiled, 3, range(37), lanes=37)
    every = itertools.product((1, 3, 32), (1, 2))
    for lanes, threads in every if name == "minimal" else [(1, 2), (3, 1), (32, 2)]:
        assert same(kernel.ensemble(compiled, 3, range(37), lanes=lanes, threads=threads), expected)


def test_more_batches_than_threads_come_in_order(minimal):
    parts = list(kernel.batches(minimal, 3, range(40), lanes=2, threads=2))
    assert np.concatenate([part.runs for part in parts]).tolist() == list(range(40))
    assert same(kernel.joined(parts), kernel.ensemble(minimal, 3, range(40)))


def test_the_order_of_runs_changes_no_result(minimal):
    order = [9, 2, 30, 0, 17, 4]
    mixed, expected = kernel.ensemble(minimal, 3, order), kernel.ensemble(minimal, 3, range(31))
    assert mixed.states.tobytes() == np.ascontiguousarray(expected.states[order]).tobytes()
    assert list(dict.fromkeys(mixed.acts.run.tolist())) == [run for run in order if run in expected.acts.run]


def test_another_process_with_other_hashes_of_text_gives_the_same(minimal, elsewhere):
    assert kernel.ensemble(minimal, 11, range(8)).states.tobytes().hex() == elsewhere["states"]


def test_asking_for_probabilities_changes_nothing_else(minimal):
    told, untold = (kernel.ensemble(minimal, 3, range(20), explained=explained) for explained in (True, False))
    assert np.all(np.isnan(untold.acts.probability))
    assert told.states.tobytes() == untold.states.tobytes()
    assert told.acts.utility.tobytes() == untold.acts.utility.tobytes()


def test_a_shorter_run_is_the_beginning_of_a_longer_one(minimal):
    short, long = kernel.ensemble(minimal, 3, range(10), turns=5), kernel.ensemble(minimal, 3, range(10), turns=20)
    assert long.states.shape[1] == 21
    assert short.states.tobytes() == np.ascontiguousarray(long.states[:, :6]).tobytes()


def test_the_tables_are_as_they_were_after_many_runs(minimal):
    before = {name: getattr(minimal.tables, name).copy() for name in type(minimal.tables).__annotations__}
    kernel.ensemble(minimal, 3, range(10))
    assert all(array.tobytes() == getattr(minimal.tables, name).tobytes() for name, array in before.items())


@pytest.mark.parametrize(("seed", "run"), [(2, 0), (1 + 2**32, 0), (2**64 - 1, 0), (1, 1), (1, 2**32 - 1)])
def test_every_seed_and_every_run_number_has_its_own_draws(minimal, seed, run):
    one, other = kernel.ensemble(minimal, 1, [0]), kernel.ensemble(minimal, seed, [run])
    assert one.states.tobytes() != other.states.tobytes()


# -------------------------------------------------------------------------------------------- common random numbers


@SOME
@given(scenarios(), st.integers(0, 10**6))
def test_two_variants_that_differ_in_one_number_share_every_draw(raw, pick):
    """The noise on each option that both have is the same, whatever its utility has become."""
    compiled = build(raw)
    path = sorted(compiled.owners)[pick % len(compiled.owners)]
    column, cell = compiled.owners[path][0]
    other = compiled.patched({path: float(getattr(compiled.tables, column)[cell]) * 0.9})
    for actor in compiled.actors:
        one, two = Menu(compiled, actor), Menu(other, actor)
        for option in one.noise.keys() & two.noise.keys():
            assert one.noise[option] == close(two.noise[option], 1e-6)  # the rest of a sum with a large lambda x EU


def test_a_number_of_an_act_that_cannot_be_done_changes_no_bit(minimal):
    """Until Alba has talked nobody is paid; where talk leads nowhere, what paying would cost is nobody's business."""
    never = minimal.patched({"actions.talk.effects[0].raise_to": 0, "actions.recognise.effects[0].raise_to": 0})
    other = never.patched({"actions.pay.cost": 0.5, "actions.pay.effort": 0.25, "actions.pay.effects[0].add": 0.9})
    assert same(kernel.ensemble(never, 3, range(20)), kernel.ensemble(other, 3, range(20)))
    assert not same(kernel.ensemble(minimal, 3, range(20)), kernel.ensemble(never, 3, range(20)))


def test_a_new_action_leaves_the_draws_of_the_others_alone():
    acts = {name: action(channel=name, effects=[{"of": "self.wealth", "add": 0.1}]) for name in ("a", "b", "c")}
    one, two = (build(world(actions=dict(list(acts.items())[:n]))) for n in (2, 3))
    menus = Menu(one, "north"), Menu(two, "north")
    assert {option[0] for option in menus[1].noise if option != HOLD} == {"a", "b", "c"}
    assert all(menus[1].noise[option] == close(noise) for option, noise in menus[0].noise.items())


RIOT = {"riot": {"on": ["north", "south"], "hazard": 0.3, "effects": [{"of": "self.wealth", "add": -0.05}]}}


def test_when_frozen_nobody_acts_and_incidents_go_on_with_the_same_draws():
    acts = {
        "mend": action(by=["north", "south"], toward=["north", "south"], effects=[{"of": "target.wealth", "add": 0.1}])
    }
    raw = world(turns=20, policy="random", actions=acts, incidents=RIOT)
    compiled, busy = play(raw, 30)
    idle = kernel.ensemble(compiled, 7, range(30), policy="frozen")
    assert busy.acts.option.size > 100
    assert idle.acts.option.size == 0
    assert np.array_equal(busy.incidents, idle.incidents)
    assert abs(idle.incidents.mean() - 0.3) < 5 * math.sqrt(0.21 / idle.incidents.size)


def test_one_frozen_actor_leaves_the_others_to_act(tutorial):
    raw = as_data(tutorial)
    raw["actors"]["front"]["policy"] = "frozen"
    found = {option[0] for row in acts_of(*play(raw, 20)).values() for option in row}
    assert found == {"alba", "borea"}


# --------------------------------------------------------------------------------------- what must hold in every run


@settings(max_examples=100)
@given(scenarios(), st.sampled_from([None, "quantal", "best", "random"]))
def test_everything_stays_in_its_bounds(raw, policy):
    """Indicators in range, ladders whole, credibility inside 0 and 1, regard within its ends, probabilities too."""
    compiled, history = play(raw, 6, policy=policy)
    T, states = compiled.tables, history.states
    assert np.all(np.isfinite(states))
    assert np.all((states >= T.low) & (states <= T.high))
    for s in compiled.ladders:
        assert np.all(states[:, :, s] == np.round(states[:, :, s]))
    believed = [s for s, path in enumerate(compiled.paths) if ".credibility_" in path]
    assert np.all((states[:, :, believed] > 0) & (states[:, :, believed] < 1))
    regard = [s for s, path in enumerate(compiled.paths) if path.endswith(".regard")]
    assert np.all(np.abs(states[:, :, regard]) <= 1)
    assert np.all((history.acts.probability > 0) & (history.acts.probability <= 1 + 1e-12))
    assert np.all((history.acts.chance >= 0) & (history.acts.chance <= 1))
    dated = sum("act" in event for event in raw["timeline"])
    weighs = T.policy[T.option_actor[history.acts.option]] != TREND
    unweighed = np.isnan(history.acts.utility) & weighs
    forced_of_others = [
        event for event in raw["timeline"]
        if "act" in event and T.policy[compiled.actors.index(event["act"]["by"])] != TREND
    ]  # fmt: skip
    assert unweighed.sum() == 6 * (dated if policy else len(forced_of_others))  # nobody weighed those


@settings(max_examples=60)
@given(scenarios(talks=False), st.sampled_from(["quantal", "best", "random"]))  # what is owed bars nothing
def test_no_actor_does_two_things_at_once_in_one_channel_to_one_target_nor_more_than_its_attention_allows(raw, policy):
    raw["timeline"] = []  # forced acts ask nobody
    scenario = parse(raw)
    compiled, history = play(raw, 6, policy=policy)
    index = {path: s for s, path in enumerate(compiled.paths)}
    for (run, turn), options in acts_of(compiled, history).items():
        assert [option[0] for option in options] == sorted(option[0] for option in options)
        for actor, mine in itertools.groupby(options, key=lambda option: option[0]):
            mine = list(mine)
            seats = Counter((scenario.actions[name].channel, target) for _, name, target in mine)
            assert max(seats.values()) == 1
            efforts = [scenario.actions[name].effort.value for _, name, _ in mine]
            slot = index.get(f"{actor}.attention")
            budget = 1.0 if slot is None else budget_of(raw, compiled, history, run, turn, slot)
            assert sum(efforts[:-1]) <= budget + 1e-12


def budget_of(raw, compiled, history, run, turn, slot):
    """Attention at the start of a turn: no incident and no event moves it in these worlds."""
    assert not any("attention" in str(block) for block in raw["incidents"].values())
    return history.states[history.runs.tolist().index(run), turn - 1, slot]


# -------------------------------------------------------------------------------------------- step 1: dated events


def test_an_event_sets_then_adds_then_keeps_to_the_range():
    indicators = {name: {"scope": "world", "start": 0.5} for name in ("a", "b", "c")}
    event = {"date": "2030-01", "title": "x", "set": {"a": 0.9, "b": 0.2}, "add": {"a": 0.3, "b": 0.1, "c": -0.7}}
    raw = world(indicators=indicators, timeline=[event])
    assert [course(raw, name)[1] for name in "abc"] == [1.0, close(0.3), 0.0]


def test_of_two_values_for_one_indicator_the_last_holds_and_every_step_counts():
    wealth = [{"set": {"north.wealth": 0.9}, "add": {"north.wealth": 0.05}}, {"set": {"north.wealth": 0.1}}]
    wealth += [{"add": {"north.wealth": 0.02}}]
    timeline = [{"date": "2030-01", "title": "x"} | event for event in wealth]
    assert course(world(timeline=timeline), "north.wealth")[1] == close(0.17)


def test_an_event_belongs_to_the_turn_that_holds_its_date():
    timeline = [{"date": "2030-08-31", "title": "x", "set": {"north.wealth": 0.9}}]
    found = course(world(turns=4, turn="quarter", timeline=timeline), "north.wealth")
    assert found == [0.5, 0.5, 0.5, 0.9, 0.9]


def test_actors_see_the_events_of_the_turn_when_they_choose():
    """The act needs what the event of the same turn brings."""
    acts = {
        "spend": action(needs=[{"of": "self.wealth", "at_least": 0.8}], effects=[{"of": "target.wealth", "add": 0.1}])
    }
    timeline = [{"date": "2030-02", "title": "x", "set": {"north.wealth": 0.9}}]
    _, history = play(world(turns=3, policy="random", actions=acts, timeline=timeline), 40)
    turns = set(history.acts.turn.tolist())
    assert turns == {2, 3}


def test_a_dated_act_is_done_with_success_whatever_its_conditions_say_and_takes_no_attention():
    """North, which would anyway do the best it can, does both."""
    gift = {"of": "target.wealth", "add": 0.1}
    acts = {
        "give": action(chance=0, needs=[{"of": "self.wealth", "at_least": 0.9}], effects=[gift], channel="money"),
        "earn": action(effects=[{"of": "self.wealth", "add": 0.2}]),
    }
    actors = {"north": {"interests": {"gold": {"of": "self.wealth", "ideal": 1, "salience": 1}}}, "south": {}}
    raw = world(policy="best", actions=acts, actors=actors, timeline=[forced("give")])
    compiled, history = play(raw, 5)
    assert set(map(tuple, acts_of(compiled, history).values())) == {
        (("north", "earn", "south"), ("north", "give", "south"))
    }
    given = history.acts.option == compiled.options.index(("north", "give", "south"))
    assert np.all(history.acts.succeeded[given])
    assert np.all(history.acts.chance[given] == 1)
    assert np.all(history.acts.probability[given] == 1)
    assert np.all(np.isnan(history.acts.utility[given]))
    assert course(raw, "south.wealth")[1] == close(0.3)
    assert course(raw, "north.wealth")[1] == close(0.7)


def test_a_dated_act_is_done_in_its_turn_and_in_no_other():
    acts = {"give": action(effects=[{"of": "target.wealth", "add": 0.1}])}
    timeline = [forced("give", date="2030-02"), forced("give", date="2030-04")]
    assert course(world(turns=4, actions=acts, timeline=timeline), "south.wealth") == close([0.2, 0.2, 0.3, 0.3, 0.4])


# -------------------------------------------------------------------------------------------------- step 1: incidents


def test_a_hazard_is_its_number_plus_what_indicators_add_times_its_factors():
    riot = {"hazard": 0.1, "plus": [{"of": "north.wealth", "add": 0.6}], "times": [{"not": "south.wealth"}]}
    _, history = play(world(turns=10, incidents={"riot": riot}), 2000)
    expected = (0.1 + 0.6 * 0.5) * (1 - 0.2)
    assert abs(history.incidents.mean() - expected) < 5 * math.sqrt(expected * (1 - expected) / history.incidents.size)


@pytest.mark.parametrize(("hazard", "share"), [(0, 0.0), (1, 1.0)])
def test_what_cannot_happen_never_does_and_what_must_always_does(hazard, share):
    _, history = play(world(turns=10, incidents={"riot": {"hazard": hazard}}), 50)
    assert history.incidents.mean() == share


def test_incidents_of_one_turn_read_the_same_state():
    """Each would double the other's blow if it saw it."""
    blow = {"add": -0.2, "times": ["north.wealth"]}
    both = {name: {"hazard": 1, "effects": [{"of": "north.wealth", **blow}]} for name in ("a", "b")}
    assert course(world(incidents=both), "north.wealth")[1] == close(0.5 - 2 * 0.2 * 0.5)


# ----------------------------------------------------------------------------------------------------- step 2: beliefs

TRUCE = {
    "from": "south", "to": "north", "fade": 0, "promised": 0.8, "reliability": 0.6, "kept": 3, "broken": 1,
    "forgetting": 0.1, "signal": 0.5,
}  # fmt: skip
RAID = {"raid": {"hazard": 0.25, "belies": [{"promise": "truce", "by": "south"}]}}


def test_belief_starts_at_its_prior_and_stays_there_while_nothing_is_told():
    compiled, history = play(world(turns=5, assurances={"truce": TRUCE}))
    assert compiled.beliefs == [("north", "south", "truce")]
    assert np.all(history.alpha == 3)
    assert np.all(history.beta == 1)
    assert course(world(turns=5, assurances={"truce": TRUCE}), "north.south.credibility_truce") == [0.75] * 6


def test_an_incident_tells_of_a_broken_promise_and_its_absence_of_a_kept_one():
    _, history = play(world(turns=3, assurances={"truce": TRUCE}, incidents=RAID), 20)
    for run in range(20):
        alpha, beta = 3.0, 1.0
        for turn in range(3):
            kept, broken = 0.8 * 2 * 0.5 * 0.25 * 0.75, 0.8 * 2 * 0.5 * 0.75 * 0.25
            happened = history.incidents[run, turn, 0]
            alpha = 3 + 0.9 * (alpha - 3) + (0 if happened else kept)
            beta = 1 + 0.9 * (beta - 1) + (broken if happened else 0)
            assert history.alpha[run, turn + 1, 0] == close(alpha)
            assert history.beta[run, turn + 1, 0] == close(beta)


def test_a_constant_hazard_leaves_belief_where_it_was_on_the_average():
    """Over many runs the signals stand to one another as the prior does; a higher hazard than at first lowers it."""
    incidents = {"raid": RAID["raid"] | {"plus": [{"of": "alarm", "add": 0.4}]}}
    indicators = world()["indicators"] | {"alarm": {"scope": "world", "start": 0}}
    raw = world(turns=30, assurances={"truce": TRUCE}, incidents=incidents, indicators=indicators)
    _, history = play(raw, 4000)
    alpha, beta = history.alpha[:, -1, 0], history.beta[:, -1, 0]
    drift = 0.25 * alpha - 0.75 * beta  # 0 on the average, as 3 : 1 is the prior
    assert abs(drift.mean()) < 4 * drift.std() / math.sqrt(drift.size)
    assert drift.std() > 0.1
    for level, sign in ((1.0, -1), (0.0, 1)):
        later = [{"date": "2030-01", "title": "x", "set": {"alarm": level}}]
        start = {"alarm": 0.5}
        _, other = play(raw | {"timeline": later, "set": start}, 1000)
        drift = 0.25 * other.alpha[:, -1, 0] - 0.75 * other.beta[:, -1, 0]
        assert sign * drift.mean() > 10 * drift.std() / math.sqrt(drift.size)


def test_without_a_standing_promise_an_incident_tells_nothing():
    _, history = play(world(turns=5, assurances={"truce": TRUCE | {"promised": 0}}, incidents=RAID), 10)
    assert history.incidents.any()
    assert np.all(history.alpha == 3)
    assert np.all(history.beta == 1)


def test_those_whom_an_incident_does_not_concern_see_it_at_its_visibility():
    truce = TRUCE | {"to": ["north", "east"], "forgetting": 0}
    raid = {"hazard": 0.25, "visibility": 0.3, "belies": [{"promise": "truce", "by": "south", "to": "north"}]}
    raw = world(
        turns=4, actors={"north": {}, "south": {}, "east": {}}, assurances={"truce": truce}, incidents={"r": raid}
    )
    raw["indicators"] = {"calm": {"scope": "world", "start": 0}}
    compiled, history = play(raw, 5)
    north, east = (compiled.beliefs.index((who, "south", "truce")) for who in ("north", "east"))
    assert np.allclose(history.alpha[:, :, east] - 3, 0.3 * (history.alpha[:, :, north] - 3), atol=1e-13)
    assert np.allclose(history.beta[:, :, east] - 1, 0.3 * (history.beta[:, :, north] - 1), atol=1e-13)
    assert history.beta[:, -1, north].max() > 1


@SOME
@given(scenarios(), st.integers(1, 3))
def test_an_incident_that_belies_an_assurance_never_leaves_its_credibility_higher(raw, turns):
    """From one and the same state, the turn with the incident against the turn without it, all else alike."""
    compiled = build(raw)
    T = compiled.tables
    assume(T.belied_belief.size > 0)
    S = kernel.new_state(compiled, range(64))
    kernel.begin(T, S)
    history = kernel.ensemble(compiled, 1, [0], turns=turns)
    S.x[:] = history.states[0, -1][:, None]
    S.alpha[:], S.beta[:] = history.alpha[0, -1][:, None], history.beta[0, -1][:, None]
    kernel.open_turn(T, S, np.uint64(5), turns + 1)
    told = {
        n: set(T.belied_belief[T.belied_start[n] : T.belied_start[n + 1]].tolist())
        for n in range(len(compiled.incidents))
    }
    groups = defaultdict(dict)
    for r in range(64):
        pattern = tuple(S.happened[:, r].tolist())
        for n in told:
            groups[n, pattern[:n], pattern[n + 1 :]][pattern[n]] = r
    for (n, *_), found in groups.items():
        if len(found) == 2:
            for b in told[n]:
                s = T.credibility[b]
                assert S.x[s, found[True]] <= S.x[s, found[False]] + 1e-15


# --------------------------------------------------------------------------------------------------- step 3: appraisal


def want(ideal=1, salience=0.5, of="self.wealth"):
    return {"gold": {"of": of, "ideal": ideal, "salience": salience}}


def north_wants(**traits):
    return {"north": {"interests": want()} | traits, "south": {}}


def eu(raw, name="act", actor="north", target="south"):
    return Menu(build(raw), actor).utility[name, target]


def test_expected_utility_is_the_gain_under_quadratic_loss_less_the_cost():
    acts = {"act": action(cost=0.01, effects=[{"of": "self.wealth", "add": 0.2}])}
    assert eu(world(actors=north_wants(), actions=acts)) == close(0.5 * (0.5**2 - 0.3**2) - 0.01)


def test_the_chance_counts_on_what_success_brings_and_not_on_the_attempt():
    effects = [{"of": "self.wealth", "add": 0.2}, {"of": "self.wealth", "add": -0.1, "attempt": True}]
    acts = {"act": action(chance=0.7, effects=effects)}
    expected = 0.7 * 0.5 * (0.25 - 0.09) + 0.5 * (0.25 - 0.36)
    assert eu(world(actors=north_wants(), actions=acts)) == close(expected)


def test_factors_multiply_effects_chances_and_costs():
    skilled = north_wants(capabilities={"arms": 0.4})
    chance, cost = {"default": 0.5, "times": ["self.wealth"]}, {"default": 0.02, "times": [{"not": "target.wealth"}]}
    acts = {
        "act": action(chance=chance, cost=cost, effects=[{"of": "self.wealth", "add": 0.5, "times": ["self.arms"]}])
    }
    expected = 0.5 * 0.5 * 0.5 * (0.25 - 0.09) - 0.02 * 0.8
    assert eu(world(actors=skilled, actions=acts)) == close(expected)


def test_what_is_clamped_away_is_worth_nothing():
    acts = {"act": action(effects=[{"of": "self.wealth", "add": 0.9}])}
    more = {"act": action(effects=[{"of": "self.wealth", "add": 0.5}])}
    assert (
        eu(world(actors=north_wants(), actions=acts)) == eu(world(actors=north_wants(), actions=more)) == close(0.125)
    )


def test_another_exponent_makes_another_loss():
    acts = {"act": action(effects=[{"of": "self.wealth", "add": 0.2}])}
    assert eu(world(actors=north_wants(risk=1), actions=acts)) == close(0.5 * 0.2)
    assert eu(world(actors=north_wants(risk=3), actions=acts)) == close(0.5 * (0.5**3 - 0.3**3))


def test_others_fortunes_count_by_stake_and_regard():
    acts = {"act": action(effects=[{"of": "target.wealth", "add": 0.2}])}
    indicators = world()["indicators"] | {"regard": {"scope": "dyad", "start": {"default": 0, "north.south": -0.5}}}
    actors = {"north": {"stakes": {"south": 0.4}}, "south": {"interests": want(salience=0.9)}}
    expected = 0.4 * -0.5 * 0.9 * (0.8**2 - 0.6**2)
    assert eu(world(actors=actors, actions=acts, indicators=indicators)) == close(expected)


def test_what_hangs_on_a_promise_counts_by_promise_and_credibility():
    effects = {"kept": {"of": "self.wealth", "add": 0.2, "when": {"kept": "truce"}}}
    effects["broken"] = {"of": "self.wealth", "add": 0.2, "when": {"broken": "truce"}}
    trusted = 0.8 * 0.75
    for word, counts in (("kept", trusted), ("broken", 1 - trusted)):
        raw = world(actors=north_wants(), actions={"act": action(effects=[effects[word]])}, assurances={"truce": TRUCE})
        assert eu(raw) == close(0.5 * (0.25 - (0.5 - 0.2 * counts) ** 2))


def test_foresight_follows_a_change_through_the_couplings():
    """gamma 0.5; a world indicator feeds wealth: W = sum of w_n C^n, the tail on n = 12."""
    indicators = world()["indicators"] | {"trade": {"scope": "world", "start": 0.1, "pull": 0.2}}
    indicators["wealth"] = indicators["wealth"] | {"pull": 0.1}
    couplings = {"feeds": {"from": "trade", "to": "north.wealth", "add": 0.3}}
    acts = {"act": action(effects=[{"of": "trade", "add": 0.2}])}
    raw = world(actors=north_wants(foresight=0.5), actions=acts, indicators=indicators, couplings=couplings)
    C = np.array([[0.8, 0.0], [0.3, 0.9]])
    weights = [0.5 * 0.5**n for n in range(12)] + [0.5**12]
    W = sum(w * np.linalg.matrix_power(C, n) for n, w in enumerate(weights))
    assert eu(raw) == close(0.5 * (0.25 - (0.5 - W[1, 0] * 0.2) ** 2))


def test_an_act_whose_conditions_do_not_hold_is_not_considered():
    acts = {"act": action(needs=[{"of": "self.wealth", "at_most": 0.4}]), "other": action()}
    assert set(Menu(build(world(actions=acts)), "north").utility) == {("other", "south")}


@SOME
@given(
    start=st.floats(0.05, 0.95), ideal=st.floats(0, 1), part=st.floats(0, 1), risk=st.floats(0.3, 4),
    saliences=st.tuples(st.floats(0, 1), st.floats(0, 1)), foresight=st.floats(0, 0.9),
    rationality=st.floats(0, 300), cost=st.floats(-0.1, 0.1),
    chance=st.floats(0, 1),
)  # fmt: skip
def test_raising_the_salience_of_an_interest_never_lowers_the_odds_against_hold_of_the_option_that_alone_touches_it(
    start, ideal, part, saliences, risk, foresight, rationality, cost, chance
):
    """The option brings the indicator some part of the way to the ideal, so it is worth more the more that matters."""
    indicators = {"wealth": {"scope": "actor", "start": start, "pull": 0.1}, "calm": {"scope": "world", "start": 0.5}}
    acts = {
        "act": action(cost=cost, chance=chance, effects=[{"of": "self.wealth", "add": part * (ideal - start)}]),
        "other": action(channel="ties", cost=0.001, effects=[{"of": "calm", "add": 0.1}]),
    }
    odds, logits = [], []
    for salience in sorted(saliences):
        wants = want(ideal, salience) | {"calm": {"of": "calm", "ideal": 1, "salience": 0.3}}
        traits = {"risk": risk, "foresight": foresight, "rationality": rationality, "interests": wants}
        menu = Menu(build(world(indicators=indicators, actors={"north": traits, "south": {}}, actions=acts)), "north")
        odds.append(menu.logit["act", "south"] - menu.logit[HOLD])
        logits.append(menu.logit["other", "south"] - menu.logit[HOLD])
    assert odds[1] >= odds[0] - 1e-9
    assert logits[1] == logits[0]  # the option that does not touch it stays where it was


@SOME
@given(scenarios(talks=False), st.integers(0, 10**6))
def test_utility_is_linear_in_the_salience_of_an_interest(raw, pick):
    """Doubling the difference doubles what each option gains by it: the arithmetic that a decision card shows."""
    raw.get("model", {}).pop("depth", None)  # with depth, others' choices answer to it
    for actor in raw["actors"].values():
        actor.pop("depth", None)
    compiled = build(raw)
    paths = sorted(path for path in compiled.owners if path.endswith(".salience"))
    assume(paths)
    path = paths[pick % len(paths)]
    owner = path.split(".")[1]
    menus = [Menu(compiled.patched({path: salience}), owner).utility for salience in (0.0, 0.5, 1.0)]
    for option, base in menus[0].items():
        assert menus[2][option] - base == close(2 * (menus[1][option] - base), 1e-11)


# ------------------------------------------------------------------------------------------------------ step 4: choice


def menu_world(**blocks):
    """North with three actions, one of them towards two targets, and plenty of attention."""
    acts = {
        "praise": action(toward=["south", "east"], habit=2, effects=[{"of": "self.wealth", "add": 0.02}]),
        "dig": action(channel="money", toward=None, cost=0.003, effects=[{"of": "self.wealth", "add": 0.05}]),
        "blame": action(channel="ties", habit=0.5, cost=0.004, effects=[{"of": "self.wealth", "add": -0.01}]),
    }
    del acts["dig"]["toward"]
    actors = north_wants() | {"east": {}}
    indicators = {
        "wealth": {"scope": "actor", "start": 0.5},
        "attention": {"scope": "actor", "range": [0, 9], "start": 9},
    }
    model = world()["model"] | {"hold": 0.4}
    return world(policy="quantal", actions=acts, actors=actors, indicators=indicators, model=model) | blocks


PRIOR = {
    ("praise", "south"): 0.6 * 2 / 3.5 / 2, ("praise", "east"): 0.6 * 2 / 3.5 / 2, ("dig", None): 0.6 * 1 / 3.5,
    ("blame", "south"): 0.6 * 0.5 / 3.5, HOLD: 0.4,
}  # fmt: skip


def first_acts(compiled, history):
    """The first act of each run's only turn, by option; hold where there is none."""
    taken = acts_of(compiled, history)
    return Counter(taken[int(run), 1][0][1:] if (int(run), 1) in taken else HOLD for run in history.runs)


def check_frequencies(counts, expected):
    """Chi-square of counts against probabilities; exceeded once in ten thousand times."""
    total, degrees = sum(counts.values()), len(expected) - 1
    statistic = sum((counts[name] - total * p) ** 2 / (total * p) for name, p in expected.items())
    assert set(counts) <= set(expected)
    assert statistic < degrees * (1 - 2 / (9 * degrees) + 3.719 * math.sqrt(2 / (9 * degrees))) ** 3


def test_at_lambda_0_choice_follows_the_prior_exactly():
    """hold has its share; the rest goes by habit to actions, then equally to targets."""
    compiled, history = play(menu_world(), 6000, policy="random")
    check_frequencies(first_acts(compiled, history), PRIOR)
    firsts = np.flatnonzero(np.diff(history.acts.run, prepend=-1))
    for n in firsts:
        option = compiled.options[history.acts.option[n]][1:]
        assert history.acts.probability[n] == close(PRIOR[option])


def test_the_random_policy_is_a_rationality_of_0(minimal):
    zero = minimal.patched({path: 0.0 for path in minimal.owners if path.endswith(".rationality")})
    assert same(kernel.ensemble(zero, 3, range(20)), kernel.ensemble(minimal, 3, range(20), policy="random"))


@SOME
@given(scenarios())
def test_at_lambda_0_the_prior_is_what_the_scenario_says_whatever_acts_are_worth(raw):
    scenario = parse(raw | {"policy": "random"})
    for actor in scenario.actors.values():
        object.__setattr__(actor, "policy", None)
    compiled = compile_scenario(scenario)
    hold = scenario.model.hold.value
    for actor in compiled.actors:
        found = Menu(compiled, actor).probability
        kinds = scenario.actions | scenario.bargains | scenario.fora
        habits = {name: kinds[name].habit.value for name, _ in found.keys() - {HOLD}}
        alike = Counter(name for name, _ in found.keys() - {HOLD})
        for option in found.keys() - {HOLD}:
            expected = (1 - hold) * habits[option[0]] / sum(habits.values()) / alike[option[0]]
            assert found[option] == close(expected if habits else 1.0, 1e-12)
        assert found[HOLD] == close(hold if habits else 1.0, 1e-12)


def test_acts_are_drawn_as_often_as_their_recorded_probability_says():
    compiled, history = play(menu_world(), 6000)
    expected = Menu(compiled, "north").probability
    check_frequencies(first_acts(compiled, history), expected)
    for n in np.flatnonzero(np.diff(history.acts.run, prepend=-1)):
        assert history.acts.probability[n] == close(expected[compiled.options[history.acts.option[n]][1:]])


def test_a_later_act_is_drawn_among_what_is_left():
    """The recorded probability of a second act: hold and the options neither drawn nor barred by channel and target."""
    compiled, history = play(menu_world(), 400)
    weight = Menu(compiled, "north").probability
    channel = {"praise": "words", "dig": "money", "blame": "ties"}
    seen = 0
    for (run, _), options in acts_of(compiled, history).items():
        recorded = history.acts.probability[history.acts.run == run]
        used = set()
        for (_, name, target), probability in zip(options, recorded, strict=True):
            rivals = [o for o in weight if o == HOLD or (channel[o[0]], o[1]) not in used]
            assert probability == close(weight[name, target] / sum(weight[o] for o in rivals), 1e-12)
            used.add((channel[name], target))
            seen += len(used) > 1
    assert seen > 50


def test_the_best_policy_takes_what_is_worth_most():
    """In order of utility, and nothing that is worth less than doing nothing."""
    compiled, history = play(menu_world(), 300, policy="best")
    value = Menu(compiled, "north").utility
    taken = acts_of(compiled, history)
    assert len(taken) == 300
    good = {option for option, utility in value.items() if utility > 0}
    assert good == {("praise", "south"), ("praise", "east"), ("dig", None)}
    for options in taken.values():
        assert {option[1:] for option in options} == good
        assert options[0][1:] == max(value, key=value.get)


def test_the_more_rational_the_likelier_the_best():
    shares = []
    for rationality in (0, 30, 100, 300, 1000):
        raw = menu_world(model={"rationality": rationality, "foresight": 0, "hold": 0.4})
        probability = Menu(build(raw), "north").probability
        shares.append(probability["dig", None])
    assert shares == sorted(shares)
    assert shares[-1] > 0.99


def busier(value, extra, habit, hold, rationality, actions=("act",)):
    """Probability that a menu's actor holds, without and with one more action of that worth."""
    found = []
    for more in (False, True):
        acts = {name: action(cost=-v, channel=name) for name, v in zip(actions, value, strict=True)}
        if more:
            acts["zero"] = action(channel="zero", cost=-extra, habit=habit)
        model = {"hold": hold, "rationality": rationality, "foresight": 0}
        raw = world(policy="quantal", model=model, actions=acts, actors=north_wants())
        found.append(Menu(build(raw), "north").probability)
    return found


@SOME
@given(
    value=st.lists(st.floats(-0.03, 0.03), min_size=1, max_size=4), habit=st.floats(0.1, 10),
    hold=st.floats(0.05, 0.95), rationality=st.floats(0, 300),
)  # fmt: skip
def test_an_act_that_is_worth_nothing_does_not_make_anyone_busier(value, habit, hold, rationality):
    """With A the mean of exp(lambda EU) over the menu, weighted by habit, P(hold) = h / (h + (1 - h) A).

    An action worth 0 draws A towards 1. So where acts are on the whole worth doing (A >= 1, P(hold) <= h) the actor
    holds as often as before or oftener; where they are not, P(hold) comes nearer to its prior h and stays above it;
    and it never crosses h. Every other act becomes rarer.
    """
    names = [f"act{n}" for n in range(len(value))]
    before, after = busier(value, 0.0, habit, hold, rationality, names)
    low, high = sorted((before[HOLD], hold))
    assert low - 1e-12 <= after[HOLD] <= high + 1e-12
    if before[HOLD] <= hold:
        assert after[HOLD] >= before[HOLD] - 1e-12
    assert all(after[name, "south"] <= before[name, "south"] + 1e-12 for name in names)


@SOME
@given(
    value=st.lists(st.floats(0, 0.03), min_size=1, max_size=4), extra=st.floats(-0.05, 0), habit=st.floats(0.1, 10),
    rationality=st.floats(0, 300),
)  # fmt: skip
def test_an_act_that_is_worth_less_than_nothing_does_not_make_anyone_busier_either(value, extra, habit, rationality):
    before, after = busier(value, extra, habit, 0.5, rationality, [f"act{n}" for n in range(len(value))])
    assert after[HOLD] >= before[HOLD] - 1e-12


def test_where_nothing_is_worth_anything_the_size_of_the_menu_does_not_matter():
    for count in (1, 2, 5, 9):
        before, after = busier([0.0] * count, 0.0, 3.0, 0.35, 200, [f"act{n}" for n in range(count)])
        assert before[HOLD] == close(0.35)
        assert after[HOLD] == close(0.35)


def test_one_more_target_does_not_make_an_actor_busier():
    found = []
    for others in (["south"], ["south", "east"]):
        acts = {"praise": action(toward=others), "dig": action(channel="money")}
        actors = {name: {} for name in ("north", *others)}
        found.append(Menu(build(world(actors=actors, indicators={"calm": CALM}, actions=acts)), "north"))
    few, many = found
    assert few.probability[HOLD] == close(many.probability[HOLD])
    assert few.probability["praise", "south"] == close(2 * many.probability["praise", "south"])
    assert few.probability["dig", "south"] == close(many.probability["dig", "south"])


# --------------------------------------------------------------------------------- step 4: channels and attention


def spending_world(attention, efforts, channels=None, targets=None, **blocks):
    """North wants to do everything: each act is worth less than the one before it."""
    acts = {
        f"act{n}": action(cost=-0.1 + 0.01 * n, effort=effort, channel=channels[n] if channels else f"channel{n}")
        for n, effort in enumerate(efforts)
    }
    for n, target in enumerate(targets or []):
        acts[f"act{n}"]["toward"] = target
        if target is None:
            del acts[f"act{n}"]["toward"]
    indicators = {"wealth": {"scope": "actor", "start": 0.5}}
    if attention is not None:
        indicators["attention"] = {"scope": "actor", "range": [0, 9], "start": attention}
    actors = north_wants() | {"east": {}}
    return world(policy="best", actions=acts, actors=actors, indicators=indicators) | blocks


def taken_in(raw, runs=1):
    compiled, history = play(raw, runs)
    found = acts_of(compiled, history)
    return [[option[1] for option in found.get((run, 1), [])] for run in range(runs)]


def test_acts_are_taken_until_attention_is_spent():
    assert taken_in(spending_world(3, [1, 1, 1, 1, 1])) == [["act0", "act1", "act2"]]
    assert taken_in(spending_world(None, [0.25] * 6)) == [["act0", "act1", "act2", "act3"]]


def test_without_attention_nothing_is_done_not_even_what_takes_none():
    assert taken_in(spending_world(0, [1, 0])) == [[]]
    assert taken_in(spending_world(1, [1, 0])) == [["act0"]]
    assert taken_in(spending_world(1, [0, 1])) == [["act0", "act1"]]


def test_the_last_act_that_does_not_fit_whole_is_taken_with_the_share_that_is_left():
    """2.5 to spend on acts of 1, 1, 2 and 1: the third with a quarter; where passed over, the fourth with a half."""
    found = taken_in(spending_world(2.5, [1, 1, 2, 1]), 4000)
    counts = Counter(tuple(row) for row in found)
    expected = {("act0", "act1", "act2"): 0.25, ("act0", "act1", "act3"): 0.375, ("act0", "act1"): 0.375}
    check_frequencies(counts, expected)


def test_the_probability_recorded_counts_the_chance_to_fit():
    """1.5 to spend on acts of 1, 2 and 2: a quarter each, for the third where the second was drawn and passed over."""
    compiled, history = play(spending_world(1.5, [1, 2, 2]), 200)
    act = np.array([compiled.options[o][1] for o in history.acts.option])
    assert 20 < (act == "act1").sum() < 80
    assert 10 < (act == "act2").sum() < 80
    assert history.acts.probability[act == "act0"] == close(1.0, 1e-9)
    assert history.acts.probability[act != "act0"] == close(0.25, 1e-9)


def test_attention_is_read_at_the_start_of_the_turn():
    drain = [{"date": "2030-01", "title": "a war elsewhere", "add": {"north.attention": -2}}]
    assert taken_in(spending_world(3, [1, 1, 1], timeline=drain)) == [["act0"]]


def test_at_most_one_act_a_channel_and_target():
    words = ["words", "words", "ties"]
    assert taken_in(spending_world(9, [1, 1, 1], words)) == [["act0", "act2"]]
    assert taken_in(spending_world(9, [1, 1, 1], words, ["south", "east", "south"])) == [["act0", "act1", "act2"]]
    assert taken_in(spending_world(9, [1, 1, 1], words, [None, None, "south"])) == [["act0", "act2"]]
    assert taken_in(spending_world(9, [1, 1, 1], words, [None, "south", "south"])) == [["act0", "act1", "act2"]]


# ----------------------------------------------------------------------------------------------------- step 6: effects

TRIO = ("north", "south", "east")


def strike(*effects, **blocks):
    """Each of three actors does one act with one effect, all in turn 1."""
    acts = {f"act{n}": action(by=TRIO[n], effects=[effect]) for n, effect in enumerate(effects)}
    for act in acts.values():
        del act["toward"]
    timeline = [forced(f"act{n}", by=TRIO[n], target=None) for n in range(len(effects))]
    indicators = {
        "calm": {"scope": "world", "start": 0.5}, "wealth": {"scope": "actor", "start": 0.5},
        "rung": {"scope": "dyad", "from": "north", "to": "south", "ladder": list("abcdef"), "start": "c"},
    }  # fmt: skip
    return world(actors={name: {} for name in TRIO}, actions=acts, timeline=timeline, indicators=indicators, **blocks)


def test_levels_are_averaged_steps_are_added_and_the_range_is_kept():
    levels = [{"of": "calm", "to": level} for level in (0.2, 0.4, 0.9)]
    assert course(strike(*levels), "calm")[1] == close(0.5)
    assert course(strike(levels[0], levels[2], {"of": "calm", "add": 0.1}), "calm")[1] == close(0.65)
    steps = [{"of": "calm", "add": step} for step in (0.9, -0.3, 0.1)]
    assert course(strike(*steps), "calm")[1] == 1.0
    assert course(strike(steps[0], steps[0], {"of": "calm", "add": -1}), "calm")[1] == 1.0  # one clamp, at the end


def test_on_a_ladder_the_highest_lift_comes_first_and_then_the_lowest_drop():
    def rung(*effects):
        return course(strike(*[{"of": "north.south.rung"} | effect for effect in effects]), "north.south.rung")[1]

    assert rung({"raise_to": "d"}, {"raise_to": "f"}, {"raise_to": "a"}) == 5
    assert rung({"lower_to": "b"}, {"lower_to": "a"}, {"lower_to": "e"}) == 0
    assert rung({"raise_to": "f"}, {"lower_to": "b"}) == 1
    assert rung({"raise_to": "b"}) == rung({"lower_to": "e"}) == 2


def test_all_acts_read_the_state_at_the_start_of_the_turn():
    grow = {"of": "calm", "add": 0.4, "times": ["calm"]}
    assert course(strike(grow, grow), "calm")[1] == close(0.5 + 2 * 0.4 * 0.5)


def test_an_effect_on_a_tag_moves_each_who_bears_it():
    raw = strike({"of": "side.wealth", "add": 0.1})
    raw["actors"] = {"north": {"tags": ["side"]}, "south": {"tags": ["side"]}, "east": {}}
    assert [course(raw, f"{name}.wealth")[1] for name in TRIO] == close([0.6, 0.6, 0.5])


@pytest.mark.parametrize("after", [1, 2, 5])
def test_a_step_that_comes_later_arrives_then_and_as_it_was_when_it_was_done(after):
    """Its factor halves after the act, which no longer matters."""
    raw = strike({"of": "north.wealth", "add": 0.2, "after": after, "times": ["calm"]}, turns=7)
    raw["timeline"].append({"date": "2030-02", "title": "x", "set": {"calm": 0.1}})
    found = course(raw, "north.wealth")
    assert found == close([0.5] * (1 + after) + [0.6] * (7 - after))


def test_steps_of_several_turns_are_under_way_at_once_and_none_is_lost_or_doubled():
    steps = [{"of": "target.wealth", "add": 0.1, "after": 3}, {"of": "target.wealth", "add": 0.01, "after": 1}]
    acts = {"lend": action(effects=steps)}
    timeline = [forced("lend", date=f"2030-0{month}") for month in (1, 2, 4)]
    found = course(world(turns=9, actions=acts, timeline=timeline), "south.wealth")
    steps = dict.fromkeys(range(1, 10), 0.0)
    for turn in (1, 2, 4):
        steps[turn + 3] += 0.1
        steps[turn + 1] += 0.01
    assert found == close([0.2, *(0.2 + sum(list(steps.values())[: turn + 1]) for turn in range(9))])


def test_what_an_incident_brings_later_arrives_later():
    flood = {"hazard": 1, "effects": [{"of": "north.wealth", "add": -0.1, "after": 2}]}
    assert course(world(turns=4, incidents={"flood": flood}), "north.wealth") == close([0.5, 0.5, 0.5, 0.4, 0.3])


def test_an_act_succeeds_as_often_as_its_chance_and_an_attempt_always_leaves_its_mark():
    effects = [{"of": "self.wealth", "add": 0.2}, {"of": "target.wealth", "add": 0.1, "attempt": True}]
    raw = world(policy="best", actions={"act": action(chance=0.3, cost=-0.1, effects=effects)})
    compiled, history = play(raw, 3000)
    won = history.states[:, 1, compiled.paths.index("north.wealth")] > 0.6
    assert np.array_equal(won, history.acts.succeeded)
    assert abs(won.mean() - 0.3) < 5 * math.sqrt(0.21 / 3000)
    assert np.allclose(history.states[:, 1, compiled.paths.index("south.wealth")], 0.3)


def test_one_draw_whether_a_promise_is_kept_serves_all_who_test_it():
    """Two acts of one turn, and both sides of one act, see the same word kept or broken."""
    hung = {"when": {"kept": "truce"}}, {"when": {"broken": "truce"}}
    acts = {
        "trade": action(effects=[{"of": "self.wealth", "add": 0.1} | hung[0], {"of": "calm", "add": 0.1} | hung[1]]),
        "visit": action(channel="ties", effects=[{"of": "target.wealth", "add": 0.1} | hung[0]]),
    }
    indicators = {"wealth": {"scope": "actor", "start": 0.5}, "calm": {"scope": "world", "start": 0.5}}
    truce = TRUCE | {"promised": 1, "reliability": 0.6}
    raw = world(
        turns=3, actions=acts, indicators=indicators, assurances={"truce": truce},
        timeline=[forced(name, date=f"2030-0{month}") for name in acts for month in (1, 2, 3)],
    )  # fmt: skip
    compiled, history = play(raw, 1500)
    steps = np.diff(history.states, axis=1)
    own, other, calm = (
        steps[:, :, compiled.paths.index(path)] > 0.05 for path in ("north.wealth", "south.wealth", "calm")
    )
    assert np.array_equal(own, other)
    assert np.array_equal(own, ~calm)
    assert abs(own.mean() - 0.6) < 5 * math.sqrt(0.24 / own.size)
    assert abs(np.corrcoef(own[:, 0], own[:, 1])[0, 1]) < 5 / math.sqrt(1500)


# ----------------------------------------------------------------------------------------------------- step 6: signals


def test_a_test_by_commitment_tells_its_receiver_in_full_and_others_as_far_as_they_see_it():
    acts = {"trade": action(visibility=0.4, effects=[{"of": "self.wealth", "add": 0.1, "when": {"kept": "truce"}}])}
    truce = TRUCE | {"to": ["north", "east"], "forgetting": 0}
    actors = {"north": {}, "south": {}, "east": {}}
    indicators = {"wealth": {"scope": "actor", "start": 0.5}}
    raw = world(turns=2, actors=actors, actions=acts, indicators=indicators, assurances={"truce": truce})
    compiled, history = play(raw | {"timeline": [forced("trade")]}, 40)
    north, east = (compiled.beliefs.index((who, "south", "truce")) for who in ("north", "east"))
    kept = history.states[:, 1, compiled.paths.index("north.wealth")] > 0.55
    for who, weight in ((north, 0.5 * 0.8), (east, 0.4 * 0.5 * 0.8)):
        assert np.allclose(history.alpha[:, 2, who], 3 + weight * kept)
        assert np.allclose(history.beta[:, 2, who], 1 + weight * ~kept)
    assert 0 < kept.sum() < 40


def test_a_signal_is_taken_in_at_the_next_turn_and_only_if_the_act_succeeded():
    acts = {"withdraw": action(by="south", toward="north", chance=0.5, cost=-0.1,
                               signals=[{"promise": "truce", "kept": 0.7}])}  # fmt: skip
    raw = world(turns=2, policy="best", actions=acts, assurances={"truce": TRUCE})
    _, history = play(raw, 40)
    assert np.all(history.alpha[:, 1] == 3)
    won = history.acts.succeeded[history.acts.turn == 1]
    assert np.allclose(history.alpha[:, 2, 0], 3 + 0.7 * won)
    assert 0 < won.sum() < 40


# ------------------------------------------------------------------------------------------------------ step 7: regard


def test_regard_warms_by_what_acts_gained_and_cools_by_what_they_cost():
    """eta 2; north's gift and south's theft: D from quadratic loss, at the state before, by visibility."""
    for step, start in ((0.2, 0.3), (-0.15, 0.3), (-0.15, -0.6)):
        acts = {"act": action(visibility=0.5, effects=[{"of": "target.wealth", "add": step}])}
        indicators = world()["indicators"] | {"regard": {"scope": "dyad", "start": start}}
        actors = {"north": {}, "south": {"interests": want(salience=0.9)}}
        raw = world(actors=actors, indicators=indicators, actions=acts, timeline=[forced("act")])
        felt = 0.5 * 0.9 * (0.8**2 - (0.8 - step) ** 2)
        expected = start + 2 * felt * (1 - start * math.copysign(1, felt))
        assert course(raw, "south.north.regard")[1] == close(expected)
        assert course(raw, "north.south.regard")[1] == start


def test_what_an_act_brings_later_moves_no_regard_today():
    acts = {"act": action(effects=[{"of": "target.wealth", "add": 0.2, "after": 1}])}
    indicators = world()["indicators"] | {"regard": {"scope": "dyad", "start": 0.1}}
    actors = {"north": {}, "south": {"interests": want()}}
    raw = world(turns=2, actors=actors, indicators=indicators, actions=acts, timeline=[forced("act")])
    assert course(raw, "south.north.regard") == [0.1, 0.1, 0.1]


def test_onlookers_warm_to_what_serves_them_and_a_failed_act_moves_nobody():
    acts = {"act": action(chance=0, cost=-0.1, effects=[{"of": "calm", "add": 0.2}])}
    indicators = {"calm": {"scope": "world", "start": 0.5}, "regard": {"scope": "dyad", "start": 0}}
    actors = {"north": {}, "south": {}, "east": {"interests": want(of="calm")}}
    raw = world(policy="best", actors=actors, indicators=indicators, actions=acts)
    assert course(raw, "east.north.regard")[1] == 0
    raw["actions"]["act"]["chance"] = 1
    assert course(raw, "east.north.regard")[1] == close(2 * 0.5 * (0.25 - 0.09))


# ------------------------------------------------------------------------------ step 8: couplings, rest and noise


def test_couplings_and_resting_levels_move_everything_at_once_from_the_state_after_the_acts():
    indicators = {
        "a": {"scope": "world", "start": 0.8, "pull": 0.25, "rest": 0.2}, "b": {"scope": "world", "start": 0.4},
        "c": {"scope": "world", "start": 0.6, "range": [-1, 2]},
    }  # fmt: skip
    couplings = {
        "one": {"from": "a", "around": 0.5, "to": "b", "add": 0.2},
        "two": {"from": "b", "to": "a", "add": -0.1, "times": [{"not": "c"}]},
    }
    raw = world(turns=2, indicators=indicators, couplings=couplings)
    raw["actions"] = {"act": action(effects=[{"of": "a", "add": -0.1}])}
    raw["timeline"] = [forced("act")]
    a, b, not_c = 0.8, 0.4, 1 - (0.6 + 1) / 3
    expected = []
    for turn in range(2):
        a -= 0.1 if turn == 0 else 0
        a, b = a + 0.25 * (0.2 - a) - 0.1 * not_c * b, b + 0.2 * (a - 0.5)
        expected.append((a, b))
    assert list(zip(course(raw, "a")[1:], course(raw, "b")[1:], strict=True)) == [close(pair) for pair in expected]
    assert course(raw, "c") == [0.6] * 3


def test_noise_has_the_standard_deviation_that_is_stated_and_no_direction():
    indicators = {name: {"scope": "world", "range": [-9, 9], "start": 1, "noise": 0.3} for name in ("a", "b")}
    _, history = play(world(turns=4, indicators=indicators), 2500)
    steps = np.diff(history.states, axis=1)
    for n in range(2):
        assert abs(steps[:, :, n].mean()) < 5 * 0.3 / math.sqrt(10_000)
        assert abs(steps[:, :, n].std() - 0.3) < 5 * 0.3 / math.sqrt(20_000)
    assert abs(np.corrcoef(steps[:, :, 0].ravel(), steps[:, :, 1].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(steps[:, 0, 0], steps[:, 1, 0])[0, 1]) < 0.1


def test_a_promise_fades_and_reliability_comes_back_to_its_rest():
    truce = TRUCE | {"fade": 0.25, "reliability": 0.9, "pull": 0.5, "rest": 0.1}
    raw = world(turns=3, assurances={"truce": truce})
    assert course(raw, "south.north.promised_truce") == close([0.8 * 0.75**turn for turn in range(4)])
    assert course(raw, "south.north.reliability_truce") == close([0.1 + 0.8 * 0.5**turn for turn in range(4)])


def test_a_starting_value_that_is_set_leaves_the_resting_level_where_it_was():
    indicators = {"calm": {"scope": "world", "start": 0.5, "pull": 0.5}}
    raw = world(turns=2, indicators=indicators, set={"calm": 0.9})
    assert course(raw, "calm") == close([0.9, 0.7, 0.6])


# --------------------------------------------------------------------------------------------------------- policies


@SOME
@given(scenarios())
def test_a_frozen_world_has_no_acts_but_those_of_its_events(raw):
    compiled, history = play(raw, 3, policy="frozen")
    dated = sum("act" in event for event in raw["timeline"])
    assert history.acts.option.size == 3 * dated
    assert np.all(np.isnan(history.acts.utility))
    assert np.all(compiled.with_policy("frozen").tables.policy == FROZEN)


def test_every_policy_has_a_name_and_none_leaves_the_scenarios_own(minimal):
    assert minimal.with_policy(None) is minimal
    for name, number in POLICIES.items():
        assert np.all(minimal.with_policy(name).tables.policy == number)
    with pytest.raises(KeyError):
        minimal.with_policy("clever")


def test_points_side_by_side_give_what_each_gives_alone():
    """Numbers that differ from run to run: as many patched scenarios, compiled once, bit for bit."""
    scenario = read("minimal").scenario
    compiled = compile_scenario(scenario)
    paths = [entry.path for entry in numbers(scenario) if entry.path in compiled.owners]
    values = {path: np.linspace(0.3, 0.7, 5) for path in paths if not path.endswith((".contact.start", "raise_to"))}
    values["model.risk"] = np.array([1.5, 2.0, 2.0, 2.5, 3.0])
    values["model.rationality"] = np.linspace(50.0, 200.0, 5)
    together = kernel.ensemble(compiled, 7, range(5), numbers=values, lanes=3)
    for r in range(5):
        alone = kernel.ensemble(compiled.patched({path: float(row[r]) for path, row in values.items()}), 7, [r])
        mine = together.acts.run == r
        assert np.array_equal(alone.states[0], together.states[r])
        assert np.array_equal(alone.acts.option, together.acts.option[mine])
        assert np.array_equal(alone.acts.probability, together.acts.probability[mine])

"""A Mesa world is the same model: what an ensemble gives for a run, stepping that run gives, bit for bit."""

import math
import struct
from pathlib import Path

import mesa
import numpy as np
import pytest
from hypothesis import given, settings

from sim import kernel
from sim.arrays import POLICIES
from sim.compile import compile_scenario
from sim.scenario import as_data, parse, read
from sim.world import Actor, World
from tests.strategies import scenarios

SHIPPED = [path.stem for path in sorted((Path(__file__).resolve().parent.parent / "scenarios").glob("*.yaml"))]
SEED = 2**40 + 17


def bits(numbers):
    return [struct.pack("<d", number + 0.0) if number == number else b"nan" for number in numbers]


def stepped(compiled, seed, run, **options):
    """A world after all turns, with its values and beliefs of each turn."""
    world = World(compiled, seed, run, **options)
    states, alpha, beta = [], [], []
    for turn in range(compiled.turns + 1):
        if turn:
            world.step()
        states.append(list(world.values.values()))
        alpha.append(world.state.alpha[:, 0].tolist())
        beta.append(world.state.beta[:, 0].tolist())
    return world, np.array(states), np.array(alpha), np.array(beta)


def check_agreement(compiled, policy=None, runs=(0, 3, 4)):
    history = kernel.ensemble(compiled, SEED, range(5), policy=policy)
    names = compiled.incidents
    for run in runs:
        world, states, alpha, beta = stepped(compiled, SEED, run, policy=policy)
        assert states.tobytes() == history.states[run].tobytes()
        assert alpha.tobytes() == history.alpha[run].tobytes()
        assert beta.tobytes() == history.beta[run].tobytes()
        assert world.happened == [(int(t) + 1, *names[n]) for t, n in np.argwhere(history.incidents[run])]
        acts, rows = history.acts, np.flatnonzero(history.acts.run == run)
        assert [(act.turn, act.actor, act.action, act.target, act.succeeded) for act in world.acts] == [
            (int(acts.turn[n]), *compiled.options[acts.option[n]], bool(acts.succeeded[n])) for n in rows
        ]
        for field in ("chance", "utility", "probability"):
            assert bits(getattr(act, field) for act in world.acts) == bits(getattr(acts, field)[rows].tolist()), field


# ----------------------------------------------------------------------------------------------------- one model


@pytest.mark.parametrize("name", SHIPPED)
def test_mesa_and_ensemble_agree_bit_for_bit(name):
    check_agreement(compile_scenario(read(name).scenario))


@pytest.mark.parametrize("policy", list(POLICIES))
def test_mesa_and_ensemble_agree_under_every_policy(minimal, policy):
    check_agreement(minimal, policy)


@settings(max_examples=40)
@given(scenarios())
def test_mesa_and_ensemble_agree_on_any_scenario(raw):
    check_agreement(compile_scenario(parse(raw)), runs=(0, 4))


def test_a_world_takes_a_scenario_or_its_tables(tutorial, minimal):
    one, two = (World(source, 3, 1) for source in (tutorial, minimal))
    for _ in range(4):
        one.step()
        two.step()
    assert one.values == two.values
    assert repr(one.acts) == repr(two.acts)


def test_worlds_side_by_side_do_not_disturb_one_another(minimal):
    alone, one, two = World(minimal, 1, 0), World(minimal, 1, 0), World(minimal, 2, 5)
    for _ in range(6):
        alone.step()
    for _ in range(6):
        one.step()
        two.step()
    assert one.values == alone.values
    assert two.values != alone.values


def test_a_world_is_a_mesa_model_and_stops_when_the_scenario_ends(minimal):
    world = World(minimal)
    assert isinstance(world, mesa.Model)
    assert {agent.name for agent in world.agents} == {"alba", "borea", "front"}
    assert all(isinstance(agent, mesa.Agent) for agent in world.agents)
    steps = 0
    while world.running:
        world.step()
        steps += 1
    assert steps == minimal.turns == world.turn


# --------------------------------------------------------------------------------------------- what an actor holds


def test_an_actor_carries_its_interests_beliefs_and_regard(tutorial):
    world = World(tutorial)
    alba, borea, front = world.actors
    assert alba.interests == {"repute": ("alba.repute", 1.0, 0.3), "safety": ("alba.safety", 1.0, 0.8)}
    assert borea.interests["raiders"] == ("raiders", 0.0, 0.3)
    assert alba.beliefs == {("front", "quiet"): 0.5}
    assert front.beliefs == {}
    assert set(front.regard) == {"alba", "borea"}
    while world.running:
        world.step()
    assert alba.beliefs["front", "quiet"] == world.values["alba.front.credibility_quiet"] != 0.5
    assert front.regard["alba"] == world.values["front.alba.regard"] != 0


def test_an_ideal_that_is_a_position_is_read_as_it_stands():
    raw = lone()
    raw["actors"]["north"]["interests"]["wealth"]["ideal"] = {"of": "self.stance"}
    raw["timeline"] = [{"date": "2030-02", "title": "a change of mind", "set": {"north.stance": 0.9}}]
    world = World(parse(raw))
    assert world.actors[0].interests["wealth"] == ("north.wealth", 0.6, 0.5)
    world.step()
    world.step()
    assert world.actors[0].interests["wealth"] == ("north.wealth", 0.9, 0.5)


def test_an_actor_lists_the_options_whose_conditions_hold(tutorial):
    world = World(tutorial)
    kernel.open_turn(world.tables, world.state, world.key, 1)
    alba, _, front = world.actors
    assert [(option.action, option.target) for option in alba.appraise()] == [
        ("criticise", "front"), ("recognise", "front"), ("talk", "front"),
    ]  # fmt: skip
    assert [option.target for option in front.appraise()] == ["alba", "borea", None]
    assert all(option.chance == 1.0 and math.isfinite(option.utility) for option in front.appraise())


# ------------------------------------------------------------------------------------------------- other players


class Talker(Actor):
    """Talks whenever it can, and does nothing else."""

    def choose(self, options):
        return [option for option in options if option.action == "talk"]


class Idler(Actor):
    """Does nothing."""

    def choose(self, options):
        return []


class Undecided(Actor):
    """Looks, and leaves the choice to the model."""

    def choose(self, options):
        assert options == self.appraise()


def lone():
    """North alone, with one want and two ways to what it wants."""
    act = {"cameo": "010", "plover": "NONE", "by": "north", "cost": 0}
    return {
        "tightrope": 1, "title": "North alone", "start": "2030-01", "turns": 3,
        "indicators": {
            "wealth": {"scope": "actor", "start": 0.2}, "stance": {"scope": "actor", "start": 0.6},
            "attention": {"scope": "actor", "range": [0, 4], "start": 2},
        },
        "actors": {"north": {"interests": {"wealth": {"of": "self.wealth", "ideal": 1, "salience": 0.5}}}},
        "actions": {
            "dig": act | {"channel": "money", "chance": 0.5, "effects": [{"of": "self.wealth", "add": 0.1}]},
            "talk": act | {"channel": "words", "effects": [{"of": "self.wealth", "add": 0.05}]},
        },
    }  # fmt: skip


def test_a_scripted_player_acts_by_its_script_and_the_rules_stay_the_same(minimal):
    world, *_ = stepped(minimal, 1, 0, players={"alba": Talker})
    mine = [act for act in world.acts if act.actor == "alba"]
    assert [(act.turn, act.action, act.target) for act in mine] == [
        (turn, "talk", "front") for turn in range(1, minimal.turns + 1)
    ]
    assert world.values["alba.front.contact"] == 1.0
    assert all(math.isfinite(act.utility) and math.isnan(act.probability) for act in mine)
    assert {act.actor for act in world.acts} == {"alba", "borea", "front"}


def test_a_script_does_what_dated_acts_would_do(tutorial):
    """The same acts, once chosen by a player and once forced by the timeline, among actors who do nothing else."""
    scripted, states, alpha, _ = stepped(compile_scenario(tutorial), 1, 0, policy="frozen", players={"alba": Talker})
    raw = as_data(tutorial)
    raw["timeline"] = [
        {"date": f"2030-{month:02d}", "title": "talks", "act": {"by": "alba", "action": "talk", "target": "front"}}
        for month in range(1, 13)
    ]
    history = kernel.ensemble(compile_scenario(parse(raw)), 1, [0], policy="frozen")
    assert len(scripted.acts) == history.acts.option.size == 12
    assert states.tobytes() == history.states[0].tobytes()
    assert alpha.tobytes() == history.alpha[0].tobytes()


def test_a_player_who_leaves_the_choice_to_the_model_changes_no_bit(minimal):
    everyone = dict.fromkeys(minimal.actors, Undecided)
    _, states, *_ = stepped(minimal, SEED, 2, players=everyone)
    assert states.tobytes() == kernel.ensemble(minimal, SEED, [2]).states[0].tobytes()


def test_a_player_who_idles_is_like_one_whose_policy_is_frozen(tutorial, minimal):
    raw = as_data(tutorial)
    raw["actors"]["front"]["policy"] = "frozen"
    world, states, *_ = stepped(minimal, SEED, 2, players={"front": Idler})
    assert states.tobytes() == kernel.ensemble(compile_scenario(parse(raw)), SEED, [2]).states[0].tobytes()
    assert not [act for act in world.acts if act.actor == "front"]


def test_a_players_acts_succeed_and_fail_by_the_same_draws():
    compiled = compile_scenario(parse(lone()))

    class Digger(Actor):
        def choose(self, options):
            return [option for option in options if option.action == "dig"]

    for run in range(6):
        world, *_ = stepped(compiled, 1, run, players={"north": Digger})
        history = kernel.ensemble(compiled, 1, [run], policy="best")
        acts = history.acts
        dug = [o for o, option in enumerate(compiled.options) if option[1] == "dig"]
        expected = {int(acts.turn[n]): bool(acts.succeeded[n]) for n in np.flatnonzero(np.isin(acts.option, dug))}
        assert {act.turn: act.succeeded for act in world.acts if act.turn in expected} == expected


def test_an_act_that_the_model_chooses_says_how_likely_it_was(minimal):
    world, *_ = stepped(minimal, 1, 0)
    assert world.acts
    assert all(0 < act.probability <= 1 for act in world.acts)

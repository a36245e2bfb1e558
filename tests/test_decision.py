"""Decisions taken apart: the parts are the kernel's own numbers, and a flip flips."""

import math
import random
from itertools import product

import numpy as np
import pytest

from sim import data, rules
from sim.arrays import Compiled
from sim.compile import compile_scenario
from sim.decision import FOUND, Decision, carriers, decide, flips
from sim.errors import BadInput
from sim.kernel import ensemble
from sim.scenario import numbers, parse, read
from tests.strategies import random_scenario

SHIPPED = sorted(path.stem for path in data.scenarios().glob("*.yaml"))
EXACT = 1e-12


def generated(number: int) -> Compiled:
    return compile_scenario(parse(random_scenario(random.Random(number))))


def decisions(compiled: Compiled, turns, seed=7, run=0) -> list[Decision]:
    return [decide(compiled, seed, run, turn, actor) for turn, actor in product(turns, compiled.actors)]


def assert_adds_up(decision: Decision) -> None:
    for option in decision.options:
        parts = math.fsum(part.utility for part in option.contributions)
        assert parts - option.cost == pytest.approx(option.utility if option.available else -option.cost, abs=EXACT)
        for part in option.contributions:
            counted = 1.0 if part.attempt else option.chance
            assert part.utility == pytest.approx(part.weight * part.gain * counted, abs=EXACT)
    assert decision.hold_first + math.fsum(option.first for option in decision.options) == pytest.approx(1.0)
    if not any(option.available for option in decision.options):
        return
    assert decision.hold_prior + math.fsum(option.prior for option in decision.options) == pytest.approx(1.0)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_parts_add_up_to_the_kernels_utility_on_every_shipped_scenario(name):
    compiled = compile_scenario(read(name).scenario)
    for decision in decisions(compiled, (1, compiled.turns // 2 + 1)):
        assert_adds_up(decision)


def test_the_parts_add_up_whatever_the_format_allows():
    seen = set()
    for number in range(80):
        compiled = generated(number)
        for decision in decisions(compiled, range(1, compiled.turns + 1)):
            assert_adds_up(decision)
            seen.add("risk" if decision.risk != 2.0 else "")
            for option in decision.options:
                seen |= {"attempt" for part in option.contributions if part.attempt}
                seen |= {"others" for part in option.contributions if part.owner != decision.actor}
                seen |= {"after" for move in option.moves if move.after}
                seen |= {reliance.on for reliance in option.reliances}
                seen |= {option.fate}
    assert seen >= {"risk", "attempt", "others", "after", "kept", "broken", "taken", "not drawn", "not available"}


@pytest.mark.parametrize("number", range(12))
def test_what_is_told_as_taken_is_what_the_ensemble_did(number):
    compiled = generated(number)
    history = ensemble(compiled, 7, [3])
    done = [
        (int(turn), *compiled.options[option], float(probability), bool(succeeded))
        for turn, option, probability, succeeded, utility in zip(
            history.acts.turn, history.acts.option, history.acts.probability, history.acts.succeeded,
            history.acts.utility, strict=True,
        )
        if not np.isnan(utility)  # acts of dated events
    ]  # fmt: skip
    told = [
        (decision.turn, decision.actor, *option.name, option.probability, option.succeeded)
        for decision in decisions(compiled, range(1, compiled.turns + 1), run=3)
        for option in decision.taken
    ]
    assert told == done


def test_the_first_act_drawn_has_its_chance_of_being_drawn_first(minimal):
    for decision in decisions(minimal, range(1, 13)):
        for option in decision.taken[:1]:
            assert option.probability == pytest.approx(option.first)


def test_an_act_of_a_dated_event_is_told_as_one():
    raw = read("minimal").document.data
    raw = raw | {
        "timeline": [
            {
                "date": "2030-02",
                "title": "It is recognised",
                "act": {"by": "alba", "action": "recognise", "target": "front"},
            }
        ]
    }
    decision = decide(compile_scenario(parse(raw)), 3, 0, 2, "alba")
    assert decision.events == [("recognise", "front")]
    assert all(option.name != ("recognise", "front") for option in decision.taken)


def test_without_rationality_the_first_draw_follows_the_prior(minimal):
    decision = decide(minimal, 3, 0, 5, "alba", "random")
    assert decision.policy == "random"
    for option in decision.options:
        assert option.first == pytest.approx(option.prior)


def test_a_frozen_actor_weighs_and_holds(minimal):
    decision = decide(minimal, 3, 0, 5, "alba", "frozen")
    assert decision.hold_first == 1.0
    assert not decision.taken
    assert any(option.utility != 0.0 for option in decision.options)


def test_a_promise_counts_by_what_is_promised_and_believed(minimal):
    seen = set()
    for decision in decisions(minimal, range(2, 13)):
        values = dict(zip(minimal.paths, decision.desk.state.x[:, 0], strict=True))
        for reliance in (reliance for option in decision.options for reliance in option.reliances):
            assert reliance.promised == values[f"{reliance.giver}.{decision.actor}.promised_{reliance.kind}"]
            assert reliance.credibility == values[f"{decision.actor}.{reliance.giver}.credibility_{reliance.kind}"]
            kept = reliance.promised * reliance.credibility
            assert reliance.counts == pytest.approx(kept if reliance.on == "kept" else 1.0 - kept)
            seen.add((reliance.on, reliance.promised > 0.0))
    assert seen >= {("kept", True), ("broken", True)}


def test_an_option_that_is_not_open_says_which_condition_fails(minimal):
    (missing,) = decide(minimal, 3, 0, 1, "alba").option("pay", "front").missing
    assert (missing.path, missing.bound, missing.wanted, missing.value) == ("alba.front.contact", "at_least", 1.0, 0.0)


# ------------------------------------------------------------------------------------------------ single numbers


def likelier(decision: Decision, one, other) -> bool:
    """By the probability of being drawn first; of an actor who takes the best, by what it is made of, as all that a
    third option leads have none."""
    if decision.policy == "best":
        worth = {option.name: score(option.prior, option.utility) for option in decision.options}
        worth[None] = score(decision.hold_prior, 0.0)
    else:
        worth = {option.name: option.first for option in decision.options} | {None: decision.hold_first}
    return worth[one] > worth[other]


def score(prior: float, utility: float) -> float:
    """The logit of an option of an actor who takes the best."""
    return math.log(prior) + rules.BEST_RATIONALITY * utility if prior > 0.0 else -math.inf


def tippable(compiled: Compiled, seed: int):
    """Decisions of the first turn, whose state no number that enters a choice has touched, with what they compare."""
    for decision in decisions(compiled, [1], seed):
        done = decision.taken[0].name if decision.taken else None
        rivals = [option.name for option in decision.passed] if done is None else [None]
        yield decision, done, rivals
        if decision.taken and decision.passed:
            yield decision, done, [option.name for option in decision.passed]


@pytest.mark.parametrize("number", [*range(10), None])
def test_a_flip_flips_and_a_smaller_change_does_not(number, minimal):
    compiled = minimal if number is None else generated(number)
    for seed in (1, 2, 3):
        for decision, done, rivals in tippable(compiled, seed):
            for flip in flips(decision.desk, done, rivals):
                again = decide(compiled.patched({flip.path: flip.after}), seed, 0, 1, decision.actor)
                assert likelier(again, flip.then, done), flip
                assert flip.then in rivals
                assert flip.low <= flip.after <= flip.high
                if flip.after == int(flip.after) and flip.within.startswith("the indicator"):
                    continue  # a rung has no smaller change
                short = flip.before + 0.97 * (flip.after - flip.before)
                again = decide(compiled.patched({flip.path: short}), seed, 0, 1, decision.actor)
                assert not any(likelier(again, rival, done) for rival in rivals), flip


def test_flips_come_smallest_first_and_none_is_needed_where_a_rival_leads(minimal):
    told = 0
    for decision, done, rivals in tippable(minimal, 1):
        found = flips(decision.desk, done, rivals)
        sizes = [flip.relative for flip in found]
        assert sizes == sorted(sizes)
        assert len(found) <= FOUND
        if any(likelier(decision, rival, done) for rival in rivals):
            assert not found
        told += len(found)
    assert told


def test_a_flip_stays_within_the_range_that_a_number_declares(minimal):
    decision = next(d for d, done, _ in tippable(minimal, 1) if d.actor == "alba")
    wide = flips(decision.desk, None, [("talk", "front")]) or flips(decision.desk, ("talk", "front"), [None])
    path = wide[0].path
    done, rivals = (None, [("talk", "front")]) if wide[0].then else (("talk", "front"), [None])
    value = wide[0].before
    close = (value - 1e-4 * abs(value), value + 1e-4 * abs(value))
    narrow = flips(decision.desk, done, rivals, {path: close})
    assert all(flip.path != path for flip in narrow)
    only = flips(decision.desk, done, rivals, known=[path])
    assert [flip.path for flip in only] == [path]


@pytest.mark.parametrize("number", range(6))
def test_a_number_that_was_tried_stands_as_before(number):
    compiled = generated(number)
    for decision in decisions(compiled, [compiled.turns]):
        desk = decision.desk
        before = desk.utilities.copy(), desk.logits.copy()
        for path in compiled.owners:
            with desk.changed(path, 0.37):
                desk.appraise()
        desk.appraise()
        assert np.array_equal(before[0], desk.utilities, equal_nan=True)
        assert np.array_equal(before[1], desk.logits)


def test_a_salience_carries_its_contribution_and_a_cost_itself(minimal):
    for decision in decisions(minimal, (1, 6)):
        for option in (option for option in decision.options if option.available):
            found = {one.path: one.carries for one in carriers(decision.desk, option.name, most=1000)}
            assert found[f"actions.{option.action}.cost"] == pytest.approx(-option.cost, rel=1e-6)
            for part in option.contributions:
                path = f"actors.{part.owner}.interests.{part.interest}.salience"
                if path in found:
                    whole = sum(p.utility for p in option.contributions if p.interest == part.interest)
                    assert found[path] == pytest.approx(whole, rel=1e-6)


def test_only_numbers_of_the_scenario_are_named(tutorial, minimal):
    known = {entry.path for entry in numbers(tutorial)}
    for decision, done, rivals in tippable(minimal, 1):
        assert {flip.path for flip in flips(decision.desk, done, rivals)} <= known
        for option in decision.passed:
            assert {one.path for one in carriers(decision.desk, option.name)} <= known


@pytest.mark.parametrize(
    ("turn", "actor", "message"),
    [(1, "allba", 'no actor "allba"; did you mean "alba"?'), (0, "alba", "no turn 0; the first is 1")],
)
def test_a_name_that_there_is_not_is_told(minimal, turn, actor, message):
    with pytest.raises(BadInput, match=message.replace("?", r"\?")):
        decide(minimal, 1, 0, turn, actor)

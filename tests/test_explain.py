"""Decision cards of recorded runs."""

import json
import math
import random
from itertools import product

import pytest

from sim import runs
from sim.decision import decide
from sim.errors import BadInput, FolderProblem
from sim.explain import WIDTH, Telling, _signed, card, card_of, table
from sim.naming import share as _share
from sim.scenario import read
from tests.strategies import random_scenario


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("cards") / "minimal"
    runs.run("minimal", runs=6, seed=3, out=path, figures=False, threads=1)
    return path


@pytest.fixture(scope="module")
def afghan(tmp_path_factory):
    path = tmp_path_factory.mktemp("cards") / "takeover"
    runs.run("takeover-2021", runs=2, seed=1, out=path, figures=False, threads=1)
    return path


def recorded(folder, **wanted):
    """The first recorded act that fits."""
    for row in runs.open_run(folder).acts.to_pylist():
        if all(row[name] == value for name, value in wanted.items()):
            return row
    raise AssertionError(f"no act {wanted}")


def held(folder, actor):
    """A run and turn in which an actor did nothing."""
    done = {(row["run"], row["turn"]) for row in runs.open_run(folder).acts.to_pylist() if row["actor"] == actor}
    return next((run, turn) for run in range(6) for turn in range(1, 13) if (run, turn) not in done)


def test_a_card_tells_the_act_that_was_recorded(folder):
    row = recorded(folder, actor="alba")
    made = card(folder, "alba", row["date"], row["run"])
    assert made.focus == (row["action"], row["target"])
    taken = made.decision.taken[0]
    assert (taken.probability, taken.utility, taken.succeeded) == (row["probability"], row["utility"], row["succeeded"])
    assert made.notes == []
    assert made.text() == card(folder, "alba", row["turn"], row["run"]).text()


def test_every_card_of_a_run_can_be_printed_and_is_plain_data(folder):
    for actor in ("alba", "borea", "front"):
        for turn in range(1, 13):
            made = card(folder, actor, turn)
            assert max(map(len, made.text().splitlines())) <= WIDTH
            content = json.loads(json.dumps(made.as_dict(), allow_nan=False))
            for option in content["options"]:
                if option["available"]:
                    parts = math.fsum(part["utility"] for part in option["contributions"])
                    assert parts - option["cost"] == pytest.approx(option["utility"], abs=1e-12)


def test_a_turn_without_an_act_is_explained_too(folder):
    run, turn = held(folder, "alba")
    made = card(folder, "alba", turn, run)
    assert made.focus is None
    assert "Alba does nothing. Doing nothing had a chance of" in made.text().replace("\n", " ")
    (tip,) = made.tips
    assert tip.done is None
    assert tip.rival == made.decision.passed[0].name
    assert made.sources


def test_a_tip_either_was_likelier_or_has_its_flips(folder):
    for turn in range(1, 13):
        for tip in card(folder, "alba", turn).tips:
            assert tip.already == (tip.rival_first > tip.done_first)
            assert not (tip.already and tip.flips)
            assert tip.itself is None or tip.itself.then == tip.rival


def test_an_act_that_was_not_done_is_explained_when_asked_for(folder):
    other = card(folder, "alba", 1).decision.passed[0]
    made = card(folder, "alba", 1, action=other.action, target=other.target)
    assert made.focus == other.name
    assert f": {other.fate}; its chance to be drawn first was" in made.text().replace("\n", " ")
    assert all(tip.rival == other.name for tip in made.tips)


def test_the_answer_begins_with_whether_it_was_done_and_why(folder):
    for turn in range(1, 13):
        made = card(folder, "alba", turn)
        for option in made.decision.options:
            told = Telling(card(folder, "alba", turn, action=option.action, target=option.target)).in_short()
            name = f"‘{Telling(made).words.option(option.name)}’"
            if option.order:
                assert told.startswith(f"Alba did {name} in ")
                assert f"worth {_signed(option.utility)} to it" in told
            elif option.available:
                assert told.startswith(f"Alba did not do {name} in ")
                assert f"worth {_signed(option.utility)} to it" in told
                assert f"was {_share(option.first)}, against" in told
            else:
                assert told.startswith(f"Alba did not do {name} in ")
                assert "it was not open to it." in told
    run, turn = held(folder, "alba")
    assert Telling(card(folder, "alba", turn, run)).in_short().startswith("Alba did nothing in ")


def test_the_answer_tells_what_was_done_to_deliver_on_an_occasion_or_passed_over():
    """Acts that were done without being chosen, and options that the draw brought up in vain."""
    ready = runs.prepare("takeover-2021")
    words = {
        "delivery": "to deliver what it owed",
        "occasion": "on the occasion of a session",
        "channel taken": "the draw brought it up, but it did something else",
        "attention gone": "the draw brought it up, but its attention was spent",
    }
    found = set()
    for turn, actor in product(range(1, 8), ("russia", "taliban", "tajikistan")):
        decision = card_of(ready, 1, 0, actor, turn, whole=False).decision
        told = {also.why: (also.action, also.target) for also in decision.also}
        told |= {option.fate: option.name for option in decision.options if option.fate in words}
        for why in told.keys() - found:
            made = card_of(ready, 1, 0, actor, turn, None, *told[why], whole=False)
            assert words[why] in Telling(made).in_short()
            assert not made.tips
            found.add(why)
    assert found == set(words)


def test_the_answer_names_what_weighs_most_on_either_side(folder):
    made = card(folder, "alba", 1, action=card(folder, "alba", 1).decision.options[0].action)
    option = made.decision.option(*made.focus)
    told = Telling(made).in_short()
    sums = {}
    for part in option.contributions:
        sums[part.path, part.owner] = sums.get((part.path, part.owner), 0.0) + part.utility
    best = max(sums, key=sums.get)
    assert f"for it {Telling(made).indicator(best[0])} {sums[best]:+.4f}" in told


def test_an_act_that_was_not_open_says_why(folder):
    text = card(folder, "alba", 1, action="pay", target="front").text().replace("\n", " ")
    assert "not open to it; " in text
    assert "must be at least talks and is none" in text


def test_the_claims_behind_the_numbers_are_told_in_full(afghan):
    row = recorded(afghan, actor="russia")
    made = card(afghan, "russia", row["date"], row["run"])
    cited = [claim for source in made.sources for claim in source.claims]
    assert cited
    assert all(claim.locator and claim.statement for claim in cited)
    text = made.text()
    assert cited[0].id in text
    assert cited[0].locator in text
    known = {entry.path: entry.quantity.value for entry in _numbers("takeover-2021")}
    assert all(known[source.path] == source.value for source in made.sources)


def _numbers(name):
    from sim.scenario import numbers

    return numbers(read(name).scenario)


def test_flips_keep_to_the_ranges_of_the_scenario(afghan):
    ranges = {entry.path: entry.quantity.range for entry in _numbers("takeover-2021") if entry.quantity.range}
    told = 0
    for actor in ("russia", "taliban"):
        for tip in card(afghan, actor, 4).tips:
            for flip in tip.flips:
                told += 1
                if flip.path in ranges:
                    assert ranges[flip.path][0] <= flip.after <= ranges[flip.path][1]
                    assert flip.within == "its declared range"
    assert told


def test_under_the_frozen_policy_nobody_acts_and_the_card_says_so(tmp_path):
    runs.run("minimal", runs=1, out=tmp_path / "run", policy="frozen", figures=False, threads=1)
    made = card(tmp_path / "run", "alba", 2)
    assert "nobody acts" in made.text()
    assert made.tips == []


@pytest.mark.parametrize("policy", ["best", "random"])
def test_other_policies_have_cards(tmp_path, policy):
    runs.run("minimal", runs=1, out=tmp_path / "run", policy=policy, figures=False, threads=1)
    for turn in range(1, 13):
        made = card(tmp_path / "run", "alba", turn)
        assert made.notes == []
        assert made.decision.policy == policy
        assert "lambda EU" not in made.text()


def test_a_card_says_when_the_code_has_changed(folder, monkeypatch):
    monkeypatch.setattr("sim.jit.rules_hash", lambda: "other")
    assert "code has changed" in card(folder, "alba", 1).text()


def test_a_card_says_when_the_scenario_has_changed_and_the_run_comes_out_otherwise(tmp_path):
    runs.run("minimal", runs=1, seed=3, out=tmp_path / "run", figures=False, threads=1)
    path = tmp_path / "run" / "scenario.yaml"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("salience: 0.8", "salience: 0.1"))
    text = card(tmp_path / "run", "alba", 12).text().replace("\n", " ")
    assert "has changed" in text
    assert "differs from what was recorded" in text


def test_a_folder_without_acts_says_that_nothing_could_be_compared(tmp_path):
    runs.run("minimal", runs=1001, turns=2, out=tmp_path / "run", figures=False, threads=1)
    assert "could not be compared" in card(tmp_path / "run", "alba", 2, 1000).text().replace("\n", " ")


def test_a_run_longer_than_its_scenario_has_cards_to_its_end(tmp_path):
    runs.run("minimal", runs=1, turns=15, out=tmp_path / "run", figures=False, threads=1)
    assert card(tmp_path / "run", "alba", "2031-03").decision.turn == 15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("allba", 1), 'no actor "allba"; did you mean "alba"?'),
        (("alba", "2032-04"), "turn 2032-04: not in this run; its turns are 2030-01 (1) to 2030-12 (12); did you mean"),
        (("alba", "spring"), "turn spring: not in this run; its turns are 2030-01 (1) to 2030-12 (12)"),
        (("alba", 0), "turn 0 is the start, before anyone chose"),
        (("alba", "13"), "turn 13: not in this run"),
        (("alba", 1, 6), "no run 6; it holds runs 0 to 5"),
        (("alba", 1, 0, "recognize"), 'alba has no action "recognize"; did you mean "recognise"?'),
        (("alba", 1, 0, "talk", "frontt"), 'alba can do "talk" to no "frontt"; did you mean "front"?'),
    ],
)
def test_a_name_that_there_is_not_is_told_with_the_nearest(folder, arguments, message):
    with pytest.raises(BadInput) as error:
        card(folder, *arguments)
    assert message in str(error.value)


def test_a_folder_that_is_none_is_told(tmp_path):
    with pytest.raises(FolderProblem):
        card(tmp_path / "nowhere", "alba", 1)


def test_a_day_within_a_turn_names_it(folder):
    assert card(folder, "alba", "2030-04-17").decision.turn == 4


def test_options_that_differ_only_in_their_target_stay_apart_in_a_table():
    verb = "blames the collapse of a long-standing government and all that came of it on the United"
    rows = [[f"{verb} {state}", "0.500"] for state in ("States", "Kingdom")]
    lines = table(["option", "first"], rows, 1).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "…" not in "".join(lines)
    for row in rows:
        assert row[0] in " ".join(" ".join(lines).replace("0.500", "").split())


def test_what_tips_it_to_the_named_rival_is_told_before_what_is_nearer(folder):
    told = 0
    for run, turn in product(range(3), range(1, 13)):
        made = card(folder, "alba", turn, run)
        text = " ".join(made.text().split())
        for tip in made.tips:
            if tip.itself:
                told += 1
                here = text.index(" ".join(tip.itself.path.split()), text.index("What would have tipped it"))
                assert here < text.index("nearer still: any other option")
    assert told


# ------------------------------------------------------------------------------- offers, sessions, other theories

TITLES = ("[bold]Zed[/bold] & <script>alert(1)</script>", "{{ secret }} %s %(x)s {0}", "Ünïted ∞ \\n $(rm)", "self")


def dealing_world(tmp_path, number):
    """A run folder of a random world with bargains and fora, whose actors have hostile titles."""
    raw = random_scenario(random.Random(number), talks=True)
    for name, title in zip(sorted(raw["actors"]), TITLES, strict=False):
        raw["actors"][name]["title"] = title
    for name, bargain in raw.get("bargains", {}).items():
        bargain["title"] = f"offers [red]{name}[/red] {{}} to"
    path = tmp_path / f"world{number}.yaml"
    path.write_text(json.dumps(raw), encoding="utf-8")  # which YAML 1.2 holds
    out = tmp_path / f"run{number}"
    runs.run(str(path), runs=2, seed=7, out=out, figures=False, threads=1)
    return out


def test_cards_of_worlds_with_bargains_and_fora_tell_what_was_said(tmp_path):
    seen = set()
    for number in (1, 3, 9, 13, 14, 20, 31, 184):
        out = dealing_world(tmp_path, number)
        prepared = runs.open_run(out).prepared
        for actor, turn in product(prepared.compiled.actors, range(1, prepared.turns + 1)):
            made = card(out, actor, turn)
            text = " ".join(made.text().split())
            assert max(map(len, made.text().splitlines())) <= WIDTH
            assert made.notes == []
            content = json.loads(json.dumps(made.as_dict(), allow_nan=False))
            assert f"theory: {made.decision.policy} (" in text
            for option in content["options"]:
                if option["available"] and content["policy"] not in ("reinforcement", "challenge"):
                    parts = math.fsum(part["utility"] for part in option["contributions"])
                    assert parts - option["cost"] == pytest.approx(option["utility"], abs=1e-9)
            dealings = made.decision.dealings
            if dealings.some:
                assert "What it answered, owed, attended and voted" in text
            for answer in dealings.answers:
                seen.add(answer.result)
                if answer.probability is not None:
                    assert f"{answer.result} by" in text
                    assert f"it was worth X = {_signed(answer.worth_to_target)} (" in text
                    assert f"it was worth X = {_signed(answer.worth_to_proposer)} (" in text
            for settled in dealings.settled:
                seen.add(settled.result)
                if settled.probability is not None:
                    assert f"against {_signed(settled.loss)} by default" in text
            for session in dealings.sessions:
                seen.add("attended" if session.attended else "away")
            for also in made.decision.also:
                seen.add(also.why)
                if also.why == "occasion":
                    assert f"x EU {_signed(also.utility)})" in text
            if made.decision.depth:
                assert "What it expected others to do this turn" in text
                seen.add("depth")
            for option in made.decision.options:
                if option.terms is not None and option.name != made.focus:
                    seen.add("offer")
    assert seen >= {"accepted", "refused", "lapsed", "kept", "broken", "attended", "away", "depth", "offer"}
    assert seen >= {"occasion", "delivery"}


def test_an_offer_and_a_convening_are_explained_by_what_stands_behind_them(afghan):
    """In the Afghan world: who would accept, why, and what a session would bring."""
    seen = set()
    compiled = runs.open_run(afghan).prepared.compiled
    for actor, turn in (("russia", 4), ("uzbekistan", 4), ("china", 1)):
        decision = decide(compiled, 1, 0, turn, actor)
        for option in decision.options:
            kind = "offer" if option.terms is not None else "convening" if option.prospect is not None else None
            if kind is None or kind in seen:
                continue
            seen.add(kind)
            text = " ".join(card(afghan, actor, turn, action=option.action, target=option.target).text().split())
            if kind == "offer":
                assert f"accepts with {_share(option.terms.accept)}" in text
                assert f"with X = {_signed(option.terms.target.worth)}" in text
                assert f"the deal is worth X = {_signed(option.terms.proposer.worth)}" in text
            else:
                assert f"the moves are worth {_signed(option.prospect.worth_of_moves)}" in text
                for output in option.prospect.outputs:
                    assert f"follows with {_share(output.follows)}" in text
        if seen >= {"offer", "convening"}:
            return
    raise AssertionError(f"only {seen}")


@pytest.mark.parametrize("policy", ["trend", "reinforcement", "challenge"])
def test_rival_theories_are_explained_by_their_own_numbers(tmp_path, policy):
    runs.run("minimal", runs=1, out=tmp_path / "run", policy=policy, figures=False, threads=1)
    for actor, turn in product(("alba", "front"), (1, 6, 12)):
        made = card(tmp_path / "run", actor, turn)
        text = " ".join(made.text().split())
        assert made.notes == []
        json.dumps(made.as_dict(), allow_nan=False)
        assert f"theory: {policy} (" in text
        if any(option.available for option in made.decision.options):
            assert f"Under `{policy}`: " in text
        if policy == "trend":
            assert "What would have tipped it: no number does, changed alone; under `trend`" in text
            assert made.tips == []

"""Decisions taken apart: the parts are the kernel's own numbers, and a flip flips."""

import dataclasses
import math
import random
from itertools import product

import numpy as np
import pytest

from sim import data, rules
from sim.apart import Deed
from sim.arrays import ANSWER, ATTEND, OWED, SETTLED, VETO, Compiled
from sim.compile import compile_scenario
from sim.dealing import ANSWERS, ENDS, Terms
from sim.decision import FOUND, Contested, Decision, Learnt, Rate, carriers, decide, flips
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
        theory = option.theory
        if isinstance(theory, Learnt):
            assert option.utility == theory.propensity
        elif isinstance(theory, Contested):
            assert theory.worth - option.cost == pytest.approx(option.utility, abs=EXACT)
        else:
            whole = option.utility if option.available else -option.cost
            assert parts - option.cost == pytest.approx(whole, abs=EXACT)
        for part in option.contributions:
            assert part.utility == pytest.approx(part.weight * part.gain * part.counts, abs=EXACT)
            if part.through == "itself":
                assert part.counts == pytest.approx(1.0 if part.attempt else option.chance)
        if option.terms is not None:
            assert_terms_add_up(option.terms)
            assert 0.0 <= option.terms.accept + option.terms.counter <= 1.0 + EXACT
        if option.prospect is not None:
            moved = math.fsum(part.utility for part in option.contributions if part.through == "moves")
            assert option.prospect.worth_of_moves == pytest.approx(moved, abs=EXACT)
            followed = math.fsum(output.worth for output in option.prospect.outputs)
            assert parts - moved == pytest.approx(followed, abs=EXACT)
        answered = math.fsum(part.utility for part in option.contributions if part.through == "answer")
        assert math.fsum(one.utility for one in option.prompted) == pytest.approx(answered, abs=EXACT)
    if decision.policy == "trend":
        none = math.prod(1.0 - option.first for option in decision.options)
        assert decision.hold_first == pytest.approx(none)
    else:
        assert decision.hold_first + math.fsum(option.first for option in decision.options) == pytest.approx(1.0)
    if not any(option.available for option in decision.options):
        return
    assert decision.hold_prior + math.fsum(option.prior for option in decision.options) == pytest.approx(1.0)


def assert_terms_add_up(terms: Terms) -> None:
    """X of both sides is the sum of what each does and gets (odd.md 7.11), and the odds follow from X."""
    for side in (terms.target, terms.proposer):
        for share in side.shares:
            product = share.value * share.discount * share.credibility * share.counts
            assert share.worth == pytest.approx(product, abs=EXACT)
            parts = math.fsum(part.utility for part in share.contributions) - share.cost
            assert share.value == pytest.approx(parts, abs=EXACT)
        assert side.worth == pytest.approx(math.fsum(share.worth for share in side.shares), abs=EXACT)
    if terms.instead is None and terms.accept and terms.target.rationality < 1e6:
        odds = 1.0 / (1.0 + math.exp(terms.bias - terms.target.rationality * terms.target.worth))
        assert terms.accept == pytest.approx(odds)
    if terms.instead is not None:
        assert_terms_add_up(terms.instead)


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
            assert_settled_as_weighed(decision)
            seen |= {"risk" if decision.risk != 2.0 else "", decision.policy, f"depth {decision.depth}"}
            for option in decision.options:
                seen |= {"attempt" for part in option.contributions if part.attempt}
                seen |= {"others" for part in option.contributions if part.owner != decision.actor}
                seen |= {"after" for move in option.moves if move.after}
                seen |= {reliance.on for reliance in option.reliances}
                seen |= {part.through for part in option.contributions}
                seen |= {option.fate}
                if option.terms is not None:
                    seen |= {"joiners"} if option.terms.joiners else set()
            dealings = decision.dealings
            seen |= {answer.result for answer in dealings.answers} | {one.result for one in dealings.settled}
            seen |= {"session"} if dealings.sessions else set()
            seen |= {"joining"} if dealings.joinings else set()
            seen |= {also.why for also in decision.also} | {"expects" for _ in decision.expects}
    assert seen >= {"risk", "attempt", "others", "after", "kept", "broken", "taken", "not drawn", "not available"}
    assert seen >= {"quantal", "best", "random", "frozen", "trend", "reinforcement", "challenge"}
    assert seen >= {"depth 0", "depth 1", "depth 2", "expects", "answer", "delivery", "session", "joining", "joiners"}
    assert seen >= {"gives", "gets", "gives instead", "gets instead", "moves", "output"}
    assert seen >= {"accepted", "refused", "countered", "lapsed", "kept", "broken", "failed", "void"}


def assert_settled_as_weighed(decision: Decision) -> None:
    """What the kernel noted of offers, promises, attendance and votes follows from the numbers that the card tells."""

    def odds(rationality: float, worth: float, bias: float = 0.0) -> float:
        return 1.0 / (1.0 + math.exp(min(max(bias - rationality * worth, -700.0), 700.0)))

    dealings = decision.dealings
    for answer in dealings.answers:
        if answer.terms is not None:
            assert_terms_add_up(answer.terms)
            assert answer.terms.target.worth == pytest.approx(answer.worth_to_target, abs=EXACT)
            assert answer.terms.proposer.worth == pytest.approx(answer.worth_to_proposer, abs=EXACT)
    for joining in dealings.joinings:
        assert joining.side.worth == pytest.approx(math.fsum(share.worth for share in joining.side.shares), abs=EXACT)
    for settled in dealings.settled:
        if settled.probability is not None:
            expected = odds(settled.rationality, settled.utility - settled.loss)
            assert settled.probability == pytest.approx(expected, abs=1e-9)
    for session in dealings.sessions:
        if session.attended is not None and session.convener != decision.actor:
            rationality = {"best": rules.BEST_RATIONALITY, "random": 0.0}.get(decision.policy, decision.rationality)
            expected = odds(rationality, session.worth, -session.inclined)
            assert session.probability == pytest.approx(expected, abs=1e-9) or (
                session.probability in (0.0, 1.0)  # who deals with nobody, and who convened it too
            )


def test_what_is_done_beside_what_was_chosen_has_the_odds_of_its_worth():
    """Acts on the occasion of a session follow from their utility, deliveries from that of a promise that is told."""
    seen = set()
    for number in (3, 14, 169, 176, 184, 192, 206):
        compiled = compile_scenario(parse(random_scenario(random.Random(number), talks=True)))
        for decision in decisions(compiled, range(1, compiled.turns + 1)):
            rationality = {"best": rules.BEST_RATIONALITY, "random": 0.0}.get(decision.policy, decision.rationality)
            for also in decision.also:
                seen.add(also.why)
                assert decision.option(also.action, also.target).fate == "done otherwise"
                if also.why == "occasion":
                    odds = 1.0 / (1.0 + math.exp(min(max(-rationality * also.utility, -700.0), 700.0)))
                    assert also.probability == pytest.approx(odds, abs=1e-12)
                    assert decision.dealings.sessions or compiled.fora
                else:
                    named = Deed(decision.actor, also.action, also.target)
                    told = [
                        one for one in decision.dealings.settled if one.deed == named and one.giver == decision.actor
                    ]
                    assert also.probability in [one.probability for one in told]
                    assert also.utility in [one.utility for one in told]
    assert seen == {"occasion", "delivery"}


@pytest.mark.parametrize("number", range(30))
def test_what_is_told_as_done_is_what_the_ensemble_did(number):
    compiled = generated(number)
    history = ensemble(compiled, 7, [3])
    acts = history.acts
    done = [
        (int(turn), *compiled.options[option], float(probability), bool(succeeded))
        for turn, option, probability, succeeded in zip(
            acts.turn, acts.option, acts.probability, acts.succeeded, strict=True
        )
    ]
    told = []
    for decision in decisions(compiled, range(1, compiled.turns + 1), run=3):
        told += [(decision.turn, decision.actor, *one.name, one.probability, one.succeeded) for one in decision.taken]
        told += [(decision.turn, decision.actor, *event, 1.0, None) for event in decision.events]
        told += [
            (decision.turn, decision.actor, one.action, one.target, one.probability, one.succeeded)
            for one in decision.also
        ]
    assert [row[:5] for row in told] == [row[:5] for row in done]
    assert all(one[5] in (other[5], None) for one, other in zip(told, done, strict=True))
    for decision in decisions(compiled, range(1, compiled.turns + 1), run=3):
        for option in decision.taken:
            o = compiled.options.index((decision.actor, *option.name))
            (recorded,) = acts.utility[(acts.turn == decision.turn) & (acts.option == o) & ~_dated(history, compiled)][
                :1
            ]
            assert math.isnan(recorded) if decision.policy == "trend" else recorded == option.utility


def _dated(history, compiled: Compiled) -> np.ndarray:
    """Which acts of a history are those of dated events: sure, and worth nothing in particular."""
    forced = zip(compiled.tables.forced_turn, compiled.tables.forced_option, strict=True)
    rows = np.zeros(history.acts.turn.size, dtype=bool)
    for turn, option in forced:
        found = np.flatnonzero((history.acts.turn == turn) & (history.acts.option == option))
        rows[found[-1:]] = True
    return rows


@pytest.mark.parametrize("number", range(30))
def test_what_is_told_as_said_is_what_the_ensemble_noted(number):
    """Answers, promises made and settled, sessions and votes: each once, by the actor whom it is about."""
    compiled = generated(number)
    talks = ensemble(compiled, 7, [3]).talks
    noted, told = [], []
    for turn, kind, row, result, odds in zip(
        talks.turn, talks.kind, talks.row, talks.result, talks.probability, strict=True
    ):
        odds = None if math.isnan(odds) else float(odds)
        if kind == ANSWER:
            noted.append((int(turn), "answer", *compiled.deals[row], ANSWERS[result], odds))
        elif kind in (OWED, SETTLED):
            d, giver, receiver, _ = compiled.promises[row]
            what = result if kind == OWED else ENDS[result]
            noted.append((int(turn), "promise", compiled.deals[d][0], giver, receiver, what))
        elif kind == ATTEND:
            noted.append((int(turn), "seat", *compiled.seats[row], bool(result), odds))
        elif kind == VETO:
            noted.append((int(turn), "vote", *compiled.vetoes[row], bool(result), odds))
    for decision in decisions(compiled, range(1, compiled.turns + 1), run=3):
        me, dealings = decision.actor, decision.dealings
        told += [
            (decision.turn, "answer", one.bargain, one.proposer, one.target, one.result, one.probability)
            for one in dealings.answers
            if one.target == me
        ]
        told += [
            (decision.turn, "promise", one.bargain, one.giver, one.receiver, getattr(one, "result", None) or one.due)
            for one in (*dealings.made, *dealings.settled)
            if one.giver == me
        ]
        for session in dealings.sessions:
            if session.attended is not None:
                told.append((decision.turn, "seat", session.forum, me, session.attended, session.probability))
            told += [
                (decision.turn, "vote", session.forum, one.output, me, one.cast, one.probability)
                for one in session.votes
                if one.member == me
            ]
    assert sorted(told, key=str) == sorted(noted, key=str)


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


@pytest.mark.parametrize("name", ["minimal", "takeover-2021"])
def test_what_promises_add_is_what_is_lost_without_them(name):
    """The kernel's own appraisal of the same state with nothing promised, against the parts that tell of trust; of
    actors who expect no promises of the turn."""
    compiled = compile_scenario(read(name).scenario)
    compiled.tables.depth[:] = 0
    actors = [actor for actor in compiled.actors if actor in ("alba", "borea", "russia", "china")]
    added = 0
    for decision in (decide(compiled, 7, 0, turn, actor) for turn, actor in product((3, 5), actors)):
        desk = decision.desk
        desk.state.x[desk.tables.promised, 0] = 0.0
        desk.appraise()
        for option in decision.options:
            if option.available and option.reliances and not option.prompted:
                lost = option.utility - desk.utilities[desk.row(option.name)]
                assert math.fsum(part.trust for part in option.contributions) == pytest.approx(lost, abs=EXACT)
                added += abs(lost) > 1e-4
                if len(option.reliances) == 1:
                    assert option.reliances[0].adds == pytest.approx(lost, abs=EXACT)
    assert added


def test_what_an_offer_gets_is_lost_if_the_word_is_not_believed():
    takeover = compile_scenario(read("takeover-2021").scenario)
    offers = 0
    for turn in (1, 2, 4):
        decision = decide(takeover, 1, 0, turn, "china")
        desk = decision.desk
        desk.state.alpha[:] = 0.0  # nobody's word is believed
        for option in decision.options:
            if option.available and option.terms is not None and option.terms.instead is None:
                gets = [part for part in option.contributions if part.through == "gets"]
                assert all(part.trust == part.utility for part in gets)
                terms = desk.dealer.terms(int(desk.tables.option_deal[desk.first + desk.row(option.name)]))
                (got,) = (share for share in terms.proposer.shares if not share.own)
                assert got.worth == 0.0
                offers += bool(gets)
    assert offers


def test_an_option_that_is_not_open_says_which_condition_fails(minimal):
    (missing,) = decide(minimal, 3, 0, 1, "alba").option("pay", "front").missing
    assert (missing.path, missing.bound, missing.wanted, missing.value) == ("alba.front.contact", "at_least", 1.0, 0.0)


def test_a_rate_counts_the_acts_of_the_last_year():
    """Under `trend`: what was done in the run, and before it, over the window."""
    told = 0
    for number in range(20):
        compiled = generated(number).with_policy("trend")
        done = ensemble(compiled, 7, [0]).acts
        for decision in decisions(compiled, range(1, compiled.turns + 1)):
            for option in (option for option in decision.options if option.available):
                assert isinstance(option.theory, Rate)
                o = compiled.options.index((decision.actor, *option.name))
                here = ((done.option == o) & (done.turn < decision.turn)).sum()
                told += int(here)
                if decision.turn <= option.theory.window:
                    assert option.theory.here == here
                rate = (option.theory.here + option.theory.before) / option.theory.window
                assert option.first == option.theory.rate == pytest.approx(min(1.0, rate))
            assert flips(decision.desk, None, [option.name for option in decision.passed]) == []
    assert told


def test_a_propensity_is_what_its_experiences_made_it():
    told = 0
    for number in range(20):
        compiled = generated(number).with_policy("reinforcement")
        for decision in decisions(compiled, [compiled.turns]):
            for theory in (*(option.theory for option in decision.options if option.available), decision.held):
                value = 0.0
                for one in theory.experiences:
                    assert one.before == value
                    value += rules.RECENCY * (one.gain - value)
                    told += 1
                assert theory.propensity == pytest.approx(value, abs=EXACT)
    assert told


def test_an_actor_of_some_depth_tells_what_it_would_have_weighed_alone():
    """Its utilities without expectations are those of the same actor at depth 0."""
    changed = 0
    for number in range(40):
        compiled = generated(number)
        for decision in decisions(compiled, [1]):
            if not decision.depth or decision.policy in ("frozen", "trend", "reinforcement", "challenge"):
                continue
            tables = compiled.tables
            depth = tables.depth.copy()
            depth[compiled.actors.index(decision.actor)] = 0
            plain = dataclasses.replace(compiled, tables=tables.replaced(depth=depth))
            alone = decide(plain, 7, 0, 1, decision.actor)
            for option in (option for option in decision.options if option.available):
                assert option.alone.utility == pytest.approx(alone.option(*option.name).utility, abs=EXACT)
                changed += option.alone.utility != option.utility
            for shift in decision.expects:
                whole = shift.value + math.fsum(doer.shift for doer in shift.by)
                assert shift.then == pytest.approx(whole, abs=EXACT) or abs(shift.then) < abs(whole)
    assert changed


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

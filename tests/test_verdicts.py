# ruff: noqa: E501  (a metric and its answer are read best on one line)
"""Facts on tiny hand-made histories whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from sim import facts, located, obstacles, verdicts
from sim.arrays import (
    ACCEPTED,
    ANSWER,
    ATTEND,
    BROKEN_WORD,
    COUNTERED,
    FAILED,
    KEPT_WORD,
    LAPSED,
    MOVED,
    OUTPUT,
    OWED,
    REFUSED,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    VOID,
    Acts,
    History,
    Talks,
)
from sim.compile import compile_scenario
from sim.errors import BadInput, Problems
from sim.facts import Facts
from sim.kernel import ensemble
from sim.metrics import Record
from sim.register import Tally
from sim.scenario import parse, read

DEALINGS = Path(__file__).parent / "dealings.yaml"

WORLD = {
    "tightrope": 1,
    "title": "Hand-made",
    "start": "2030-01",
    "turns": 4,
    "assumption": "an example",
    "indicators": {
        "calm": {"scope": "world", "start": 0.5},
        "rung": {
            "scope": "dyad",
            "from": "state",
            "to": "front",
            "ladder": ["none", "talks", "mission"],
            "start": "none",
        },
        "funds": {"scope": "actor", "start": 0.1},
    },
    "actors": {
        "alba": {"tags": ["state"], "capabilities": {"finance": 0.9}},
        "borea": {"tags": ["state"], "capabilities": {"finance": 0.5}},
        "front": {},
    },
    "actions": {
        "talk": {
            "cameo": "040",
            "plover": "CONSULT",
            "channel": "ties",
            "by": "state",
            "toward": "front",
            "cost": 0.01,
        },
        "blame": {
            "cameo": "111",
            "plover": "ACCUSE",
            "channel": "words",
            "by": "state",
            "toward": "state",
            "cost": 0.01,
        },
        "aid": {"cameo": "071", "plover": "AID", "channel": "money", "by": "state", "toward": "front", "cost": 0.01},
        "raid": {"cameo": "190", "plover": "ASSAULT", "channel": "force", "by": "front", "cost": 0.01},
    },
    "incidents": {"storm": {"on": "state", "hazard": 0.1}},
    "assurances": {
        "calm_word": {
            "from": "front",
            "to": "state",
            "fade": 0.1,
            "kept": 1,
            "broken": 1,
            "forgetting": 0.1,
            "signal": 0.5,
        },
        "good_word": {
            "from": ["state", "front"],
            "to": ["state", "front"],
            "fade": 0.1,
            "kept": 1,
            "broken": 1,
            "forgetting": 0.1,
            "signal": 0.5,
        },
    },
    "bargains": {
        name: {
            "cameo": "0331",
            "plover": "AGREE",
            "channel": "deals",
            "by": "state",
            "toward": "front",
            "give": "aid",
            "ask": "raid",
            "give_after": 1,
            "ask_after": after,
            "word": "good_word",
            "bias": 0.5,
        }
        | more
        for name, after, more in (("loan", 1, {"counter": "late_loan"}), ("late_loan", 2, {}))
    },
    "fora": {
        name: {
            "cameo": "040",
            "plover": "CONSULT",
            "channel": "ties",
            "members": ["alba", "borea", "front"],
            "convener": "alba",
            "cost": 0.001,
            "attend": 1,
            "agenda": {"line": {"of": "self.funds", "openness": 0.1, "salience": 0.5}},
            "outputs": {
                output: {"on": "line", "within": 0.5, "bias": 1, "effects": [{"of": "calm", "add": 0.05}]}
                for output in ("appeal", "truce")
            },
        }
        for name in ("club", "league")
    },
    "timeline": [{"date": "2030-02", "title": "Snow", "add": {"calm": 0.1}}],
}
SCENARIO = parse(WORLD)
COMPILED = compile_scenario(SCENARIO)
RUNS = np.array([5, 9])


def history(states=(), acts=(), storms=(), talks=()) -> History:
    """Two runs of four turns. states: (path, run, turn, value); acts: (run, turn, actor, action, target);
    storms: (run, turn, actor); talks: (run, turn, kind, row, result)."""
    x = np.tile(COMPILED.tables.start, (2, 5, 1))
    for path, run, turn, value in states:
        x[run, turn, COMPILED.paths.index(path)] = value
    incidents = np.zeros((2, 4, len(COMPILED.incidents)), dtype=bool)
    for run, turn, actor in storms:
        incidents[run, turn - 1, COMPILED.incidents.index(("storm", actor))] = True
    done = sorted(acts, key=lambda act: act[:2])
    options = np.array([COMPILED.options.index(tuple(act[2:5])) for act in done], dtype=np.int32)
    size, none = len(done), np.zeros((2, 5, 0))
    return History(
        RUNS, x, none, none, incidents,
        Acts(RUNS[[act[0] for act in done]] if size else np.zeros(0, np.int64),
             np.array([act[1] for act in done], dtype=np.int32), options, np.ones(size),
             np.array([len(act) < 6 for act in done], dtype=bool), np.zeros(size), np.ones(size)),
        said(sorted(talks, key=lambda talk: talk[:2])),
    )  # fmt: skip


def said(talks) -> Talks:
    columns = np.array(talks, dtype=np.int32).reshape(-1, 5).T
    blank = np.full(len(talks), np.nan)
    return Talks(RUNS[columns[0]], *columns[1:], blank, blank, blank)


def deal(name: str, actor: str = "alba") -> int:
    return COMPILED.deals.index((name, actor, "front"))


def promise(name: str, giver: str, actor: str = "alba") -> int:
    return next(p for p, (d, who, _, _) in enumerate(COMPILED.promises) if d == deal(name, actor) and who == giver)


def seat(forum: str, member: str) -> int:
    return COMPILED.seats.index((forum, member))


def output(forum: str, name: str) -> int:
    return COMPILED.outputs.index((forum, name))


def word(receiver: str, kind: str) -> int:
    return COMPILED.beliefs.index((receiver, "front", kind))


CLUB, LEAGUE = (COMPILED.fora.index(name) for name in ("club", "league"))
ALBA = COMPILED.actors.index("alba")
TALKS = [
    # Run 5: a dated session of the club in turn 1, one called by alba in turn 3; the league meets in turn 3 as well.
    (0, 1, ATTEND, seat("club", "alba"), 1), (0, 1, ATTEND, seat("club", "front"), 0), (0, 1, SESSION, CLUB, -1),
    (0, 1, MOVED, 0, -1), (0, 1, OUTPUT, output("club", "appeal"), 1), (0, 1, OUTPUT, output("club", "truce"), 0),
    (0, 3, ATTEND, seat("club", "front"), 1), (0, 3, SESSION, CLUB, ALBA), (0, 3, OUTPUT, output("club", "truce"), 1),
    (0, 3, ATTEND, seat("league", "front"), 0), (0, 3, ATTEND, seat("league", "alba"), 1), (0, 3, SESSION, LEAGUE, ALBA),
    (0, 3, OUTPUT, output("league", "appeal"), 1),
    # Run 9: the club meets once, and nothing follows.
    (1, 2, ATTEND, seat("club", "front"), 1), (1, 2, ATTEND, seat("club", "alba"), 1), (1, 2, SESSION, CLUB, ALBA),
    (1, 2, OUTPUT, output("club", "appeal"), 0),
    # Run 5: alba's loan is refused, then countered, and the counter-offer accepted; borea's is accepted.
    (0, 1, ANSWER, deal("loan"), REFUSED), (0, 2, ANSWER, deal("loan"), COUNTERED), (0, 2, REPLY, deal("late_loan"), 1),
    (0, 3, ANSWER, deal("loan", "borea"), ACCEPTED),
    (1, 2, ANSWER, deal("loan"), COUNTERED), (1, 2, REPLY, deal("late_loan"), 0),
    (1, 3, ANSWER, deal("loan", "borea"), LAPSED),
    # What came of those promises.
    (0, 2, OWED, promise("late_loan", "alba"), 3), (0, 2, OWED, promise("late_loan", "front"), 4),
    (0, 3, OWED, promise("loan", "borea", "borea"), 4), (0, 3, OWED, promise("loan", "front", "borea"), 4),
    (0, 3, SETTLED, promise("late_loan", "alba"), KEPT_WORD), (0, 4, SETTLED, promise("late_loan", "front"), FAILED),
    (0, 4, SETTLED, promise("loan", "borea", "borea"), VOID),
    (0, 4, SETTLED, promise("loan", "front", "borea"), BROKEN_WORD),
    (0, 2, TESTED, word("alba", "calm_word"), 1), (0, 4, TESTED, word("alba", "calm_word"), 0),
    (1, 1, TESTED, word("borea", "calm_word"), 0), (1, 1, TESTED, word("borea", "good_word"), 1),
]  # fmt: skip

RECORD = Record.of(
    history(
        states=[
            *[("calm", 0, t, v) for t, v in enumerate([0.5, 0.6, 0.7, 0.8, 0.9])],
            *[("calm", 1, t, v) for t, v in enumerate([0.5, 0.4, 0.6, 0.2, 0.3])],
            ("alba.front.rung", 0, 2, 1), ("alba.front.rung", 0, 3, 2), ("alba.front.rung", 0, 4, 2),
            ("borea.front.rung", 0, 4, 1),
            *[("alba.front.rung", 1, t, 1) for t in (1, 2, 3, 4)],
            *[("alba.funds", r, t, 0.4) for r in (0, 1) for t in (1, 2, 3, 4)],
            *[("borea.funds", 1, t, 0.8) for t in (1, 2, 3, 4)],
        ],
        acts=[
            (0, 1, "alba", "talk", "front"), (0, 2, "alba", "talk", "front"), (0, 2, "borea", "talk", "front"),
            (0, 3, "alba", "aid", "front"), (0, 4, "borea", "aid", "front", "failed"), (0, 4, "alba", "blame", "borea"),
            (1, 3, "borea", "blame", "alba"), (1, 3, "front", "raid", None), (1, 3, "alba", "talk", "front"),
        ],
        storms=[(0, 2, "alba"), (0, 3, "alba"), (1, 3, "borea")],
        talks=TALKS,
    )
)  # fmt: skip


def bound(condition: dict, **more) -> verdicts.BoundFact:
    raw = {"record": 1, "title": "t", "facts": {"F": {
        "statement": "something", "sample": "in", "weight": "hard", "holds": condition} | more}}  # fmt: skip
    document, found = located.parse(located.dump(raw), "facts.yaml")
    assert document is not None
    assert not found
    file, problems = facts.formed(document)
    if problems:
        raise Problems(problems)
    result = verdicts.bind(Facts(file, document, None), SCENARIO, COMPILED)
    if result.outside:
        raise BadInput(result.outside["F"])
    return result.facts[0]


def measured(operand: dict) -> list[float]:
    """What a metric gives in the two runs."""
    fact = bound(operand | {"at_least": 0})
    return fact.measure(RECORD)[:, 0, 0].tolist()


NEVER = float("inf")
NAN = float("nan")
EXAMPLES = [
    ({"level": {"of": "calm"}}, [0.9, 0.3]),
    ({"level": {"of": "calm", "in": "2030-02"}}, [0.7, 0.6]),
    ({"level": {"of": "calm", "from": "2030-02", "until": "2030-03", "take": "mean"}}, [0.75, 0.4]),
    ({"level": {"of": "calm", "take": "min"}}, [0.6, 0.2]),
    ({"level": {"of": "calm", "take": "max"}}, [0.9, 0.6]),
    ({"level": {"of": "state.front.rung", "over": "sum"}}, [3, 1]),
    ({"level": {"of": "state.front.rung", "over": "max", "in": "2030-03"}}, [2, 1]),
    ({"level": {"of": ["calm", "alba.funds"]}}, [0.65, 0.35]),
    ({"change": {"of": "calm"}}, [0.4, -0.2]),
    ({"change": {"of": "calm", "in": "2030-03"}}, [0.1, -0.4]),
    ({"first": {"that": {"level": {"of": "alba.front.rung"}, "at_least": "mission"}}}, [3, NEVER]),
    ({"first": {"that": {"count": {"plover": "AID"}, "at_least": 1}}}, [3, NEVER]),
    ({"turns": {"that": {"count": {"action": "talk"}, "at_least": 1}}}, [2, 1]),
    ({"turns": {"that": {"count": {"action": "talk"}, "at_least": 1}, "from": "2030-02"}}, [1, 1]),
    ({"count": {}}, [6, 3]),
    ({"count": {"by": "alba"}}, [4, 1]),
    ({"count": {"by": "state", "toward": "front", "until": "2030-02"}}, [3, 0]),
    ({"count": {"quad": "verbal_conflict"}}, [1, 1]),
    ({"count": {"quad": ["material_conflict", "material_cooperation"]}}, [2, 1]),
    ({"count": {"cameo": ["04", "07"]}}, [5, 1]),
    ({"count": {"cameo": ["071", "19"]}}, [2, 1]),
    ({"count": {"channel": "ties"}}, [3, 1]),
    ({"count": {"plover": "AID", "succeeded": True}}, [1, 0]),
    ({"count": {"plover": "AID", "weigh": "finance"}}, [1.4, 0]),
    ({"rate": {"action": "talk"}}, [0.75, 0.25]),
    ({"rate": {"action": "talk", "from": "2030-01", "until": "2030-02"}}, [1.5, 0]),
    ({"goldstein": {}}, [1 + 1 + 1 + 7.4 + 7.4 - 2, -2 - 10 + 1]),
    ({"goldstein": {"take": "mean", "action": ["talk", "blame"]}}, [0.25, -0.5]),
    ({"goldstein": {"take": "mean", "action": "aid"}}, [7.4, NAN]),
    ({"events": {"incident": "storm"}}, [2, 1]),
    ({"events": {"on": "alba", "in": "2030-02"}}, [1, 0]),
    ({"events": {"dated": True}}, [1, 1]),
    ({"events": {"dated": True, "from": "2030-03"}}, [0, 0]),
    ({"sessions": {}}, [3, 1]),
    ({"sessions": {"forum": "club"}}, [2, 1]),
    ({"sessions": {"forum": "club", "from": "2030-02"}}, [1, 1]),
    ({"sessions": {"dated": True}}, [1, 0]),
    ({"sessions": {"dated": False}}, [2, 1]),
    ({"sessions": {"convener": "state"}}, [2, 1]),
    ({"sessions": {"convener": "borea"}}, [0, 0]),
    ({"sessions": {"present": "front"}}, [1, 1]),
    ({"sessions": {"present": "state", "convener": "alba"}}, [1, 1]),
    ({"outputs": {}}, [3, 0]),
    ({"outputs": {"followed": False}}, [1, 1]),
    ({"outputs": {"output": "appeal"}}, [2, 0]),
    ({"outputs": {"forum": "club", "in": "2030-03"}}, [1, 0]),
    ({"outputs": {"present": "front"}}, [1, 0]),  # not the league's, which met in the same turn without it
    ({"outputs": {"dated": True}}, [1, 0]),
    ({"outputs": {"convener": "alba"}}, [2, 0]),
    ({"answers": {}}, [4, 3]),
    ({"answers": {"answer": "accepted"}}, [2, 0]),
    ({"answers": {"answer": "accepted", "bargain": "late_loan"}}, [1, 0]),
    ({"answers": {"answer": "accepted", "by": "borea", "toward": "front"}}, [1, 0]),
    ({"answers": {"answer": "refused"}}, [1, 1]),
    ({"answers": {"answer": ["countered", "lapsed"], "bargain": "loan"}}, [1, 2]),
    ({"answers": {"answer": "refused", "in": "2030-01"}}, [1, 0]),
    ({"promises": {}}, [4, 0]),
    ({"promises": {"in": "2030-02"}}, [2, 0]),
    ({"promises": {"became": "kept"}}, [1, 0]),
    ({"promises": {"became": ["kept", "broken"], "giver": "front"}}, [1, 0]),
    ({"promises": {"became": "broken", "receiver": "borea", "bargain": "loan"}}, [1, 0]),
    ({"promises": {"became": ["void", "failed"], "kind": "good_word"}}, [2, 0]),
    ({"promises": {"became": "kept", "bargain": "loan"}}, [0, 0]),
    ({"relied": {}}, [2, 2]),
    ({"relied": {"held": False}}, [1, 1]),
    ({"relied": {"kind": "calm_word", "receiver": "borea", "giver": "front"}}, [0, 1]),
    ({"relied": {"held": True, "from": "2030-02"}}, [1, 0]),
    ({"actors": {"among": "state", "that": {"count": {"by": "self", "action": "talk"}, "at_least": 1}}}, [2, 1]),
    ({"actors": {"among": "state", "that": {"level": {"of": "self.front.rung"}, "equals": "mission"}, "share": True}},
     [0.5, 0]),
    ({"rank": {"of": "alba", "among": "state", "by": {"level": {"of": "self.funds"}}}}, [1, 2]),
    ({"rank": {"of": "alba", "among": ["alba", "borea", "front"], "by": {"level": {"of": "self.funds"}}, "lowest": True}},
     [3, 2]),
    ({"correlation": {"of": {"level": {"of": "calm"}}, "with": {"level": {"of": "calm"}, "times": -2}}}, [-1, -1]),
    ({"correlation": {"of": {"level": {"of": "calm"}}, "with": {"count": {"action": "raid"}}}}, [NAN, -0.6831300510639732]),
    ({"correlation": {"of": {"level": {"of": "alba.front.rung"}}, "with": {"level": {"of": "calm"}}, "kind": "spearman"}},
     [0.9486832980505138, NAN]),
    ({"correlation": {"of": {"level": {"of": "self.funds"}}, "with": {"count": {"by": "self"}}, "among": "state"}}, [1, NAN]),
    ({"over_time": {"of": {"change": {"of": "calm"}}, "take": "min"}}, [0.1, -0.4]),
    ({"over_time": {"of": {"level": {"of": "calm"}}, "take": "slope"}}, [0.1, -0.07]),
    ({"over_time": {"of": {"count": {}}, "take": "max", "from": "2030-02", "until": "2030-03"}}, [2, 3]),
    ({"over_time": {"of": {"level": {"of": "calm"}}, "take": "spread"}}, [0.11180339887498948, 0.14790199457749043]),
    ({"peak": {"of": {"count": {"action": "talk"}}}}, [2, 3]),
    ({"peak": {"of": {"level": {"of": "calm"}}, "lowest": True}}, [1, 3]),
    ({"share": {"of": {"count": {"by": "alba"}}, "among": {"count": {}}}}, [4 / 6, 1 / 3]),
    ({"share": {"of": {"count": {"plover": "AID"}}, "among": {"count": {"action": "aid"}}}}, [1, NAN]),
    ({"sum": [{"count": {"by": "alba"}}, {"count": {"by": "borea"}}]}, [6, 2]),
    ({"sum": [{"level": {"of": "calm"}}, {"level": {"of": "calm", "in": "2030-01"}, "times": -1}]}, [0.3, -0.1]),
    ({"mean": [{"count": {"by": "alba"}}, {"count": {"by": "borea"}}]}, [3, 1]),
    ({"largest": [{"count": {"by": "alba"}}, {"count": {"by": "borea"}}]}, [4, 1]),
    ({"smallest": [{"count": {"by": "alba"}}, {"count": {"by": "borea"}}]}, [2, 1]),
    ({"level": {"of": "calm"}, "times": 2, "plus": -1}, [0.8, -0.4]),
]  # fmt: skip


@pytest.mark.parametrize(("operand", "answer"), EXAMPLES, ids=[str(example[0])[:70] for example in EXAMPLES])
def test_every_metric_gives_the_number_that_the_hand_made_runs_have(operand: dict, answer: list[float]):
    assert measured(operand) == pytest.approx(answer, nan_ok=True)


def test_every_metric_has_an_example():
    assert {next(iter(operand)) for operand, _ in EXAMPLES} == set(facts.METRICS)


TALKED = {"count": {"action": "talk"}, "at_least": 2}
RAIDED = {"count": {"action": "raid"}, "above": 0}
TESTS = [
    (TALKED, [True, False]),
    ({"all": [TALKED, RAIDED]}, [False, False]),
    ({"any": [TALKED, RAIDED]}, [True, True]),
    ({"not": TALKED}, [False, True]),
    ({"not": {"any": [TALKED, RAIDED]}}, [False, False]),
    ({"each": {"of": "state", "that": {"count": {"by": "self", "action": "talk"}, "at_least": 1}}}, [True, False]),
    ({"some": {"of": "state", "that": {"count": {"by": "self", "action": "talk"}, "at_least": 1}}}, [True, True]),
    ({"level": {"of": "calm"}, "at_least": 0.2, "at_most": 0.4}, [False, True]),
    ({"level": {"of": "alba.front.rung"}, "equals": "mission"}, [True, False]),
    ({"level": {"of": "alba.front.rung"}, "below": "mission"}, [False, True]),
    ({"count": {"by": "alba"}, "above": {"count": {"by": "borea"}}}, [True, False]),
    ({"level": {"of": "calm"}, "at_least": {"level": {"of": "calm", "in": "2030-01"}, "times": 1.4}}, [True, False]),
    ({"first": {"that": {"count": {"plover": "AID"}, "at_least": 1}}, "at_most": "2030-03"}, [True, False]),
    ({"first": {"that": {"count": {"plover": "AID"}, "at_least": 1}}, "above": "2030-03"}, [False, True]),
    (
        {"first": {"that": {"count": {"action": "talk"}, "at_least": 1}},
         "below": {"first": {"that": {"count": {"action": "blame"}, "at_least": 1}}}},
        [True, False],
    ),
    ({"goldstein": {"take": "mean", "action": "aid"}, "above": -100}, [True, False]),  # of nothing nothing holds
]  # fmt: skip


@pytest.mark.parametrize(("condition", "answer"), TESTS, ids=[str(test[0])[:70] for test in TESTS])
def test_a_test_holds_of_the_runs_of_which_it_should(condition: dict, answer: list[bool]):
    assert bound(condition).holds(RECORD).tolist() == answer


def test_a_batch_of_runs_says_of_each_what_it_says_alone():
    parts = [history(), history(acts=[(0, 1, "alba", "talk", "front")])]
    fact = bound({"count": {"action": "talk"}, "at_least": 1})
    assert [fact.holds(Record.of(part)).tolist() for part in parts] == [[False, False], [True, False]]


def test_the_nearest_run_misses_the_fewest_parts_and_by_least():
    fact = bound(
        {"all": [{"count": {"action": "talk"}, "at_least": 2}, {"level": {"of": "calm"}, "above": 0.95}, RAIDED]}
    )
    judged = fact.judge(fact.measure(RECORD))
    assert judged.unmet.tolist() == [2, 2]
    assert judged.gap[0] < judged.gap[1] + 1
    either = bound({"any": [{"level": {"of": "calm"}, "above": 0.95}, {"level": {"of": "calm"}, "above": 0.99}]})
    assert either.judge(either.measure(RECORD)).gap.tolist() == pytest.approx([0.05, 0.65])


def test_averages_over_runs_are_what_a_fact_about_the_ensemble_is_held_against():
    fact = bound({"count": {"action": "talk"}, "at_least": 2}, scope="ensemble")
    sides = fact.measure(RECORD)  # 3 and 1 talks: two on average
    assert verdicts.averaged(fact.tree, sides, 4)[0]
    share = verdicts.averaged(fact.tree, sides, 4)[1]
    assert 0.6 < share < 0.9  # of two drawn from two at least one has three, or both pairs even out: three in four
    never = bound({"first": {"that": {"count": {"plover": "AID"}, "at_least": 1}}, "at_most": 4}, scope="ensemble")
    assert verdicts.averaged(never.tree, never.measure(RECORD), 4)[0]  # turn 3, and never, which counts as 5


def test_an_ablation_is_held_against_the_mean_difference():
    fact = bound({"count": {}, "at_least": 0.9, "at_most": 1.1}, scope="ablation", without={"calm": 0.4})
    sides = fact.measure(RECORD)
    without = sides.copy()
    without[:, :, 0] -= 1.0
    assert verdicts.averaged(fact.tree, sides, 4, without) == (True, 1.0)
    assert verdicts.averaged(fact.tree, sides, 4, sides) == (False, 0.0)


def test_dates_outside_the_scenario_put_a_fact_outside_and_are_no_fault():
    with pytest.raises(BadInput, match="2029-12 lies outside"):
        bound({"count": {"in": "2029-12"}, "equals": 0})
    with pytest.raises(BadInput, match="2030-09 lies outside"):
        bound({"count": {"until": "2030-09"}, "equals": 0})


def test_by_a_month_is_until_its_end_where_turns_are_weeks():
    weekly = parse(WORLD | {"turn": "week", "turns": 12, "start": "2030-01-07", "timeline": []})
    talked = {"first": {"that": {"count": {"action": "talk"}, "at_least": 1}}}
    turns = {}
    for word in ("at_most", "above", "at_least", "below"):
        raw = {"record": 1, "title": "t", "facts": {"F": {
            "statement": "something", "sample": "in", "weight": "hard", "holds": talked | {word: "2030-02"}}}}  # fmt: skip
        document = located.parse(located.dump(raw), "facts.yaml")[0]
        fact = verdicts.bind(Facts(facts.formed(document)[0], document, None), weekly, compile_scenario(weekly)).facts[
            0
        ]
        turns[word] = next(fact.tree.leaves()).right
    assert turns == {"at_most": 8, "above": 8, "at_least": 4, "below": 4}  # weeks of 28 January and of 25 February


def test_what_would_have_to_turn_follows_the_words():
    one, other = {"count": {"action": "talk"}, "at_least": 5}, {"level": {"of": "calm"}, "above": 0.95}
    for condition, parts, more in (
        ({"all": [one, other]}, 2, [True, True]),
        ({"any": [one, other]}, 1, [True]),
        ({"not": {"any": [{"count": {"action": "talk"}, "at_least": 2}, other]}}, 1, [False]),
        ({"not": {"not": one}}, 1, [True]),
    ):
        fact = bound(condition)
        turned = obstacles._to_turn(fact.tree, fact.measure(RECORD)[0], 0, True)[0]
        assert len(turned) == parts
        assert [part.more for part in turned] == more


def test_offers_and_calls_for_a_session_are_counted_among_acts():
    record = Record.of(
        history(acts=[(0, 1, "alba", "loan", "front"), (0, 2, "alba", "club", None), (1, 2, "borea", "loan", "front")])
    )
    for words, answer in (
        ({"action": "loan"}, [1, 1]),
        ({"action": ["club", "loan"], "by": "alba"}, [2, 0]),
        ({"channel": "deals"}, [1, 1]),
        ({"channel": "ties"}, [1, 0]),
    ):
        assert bound({"count": words, "at_least": 0}).measure(record)[:, 0, 0].tolist() == answer


def test_a_batch_of_talks_says_of_each_run_what_it_says_alone():
    fact = bound({"outputs": {"present": "front"}, "at_least": 1})
    parts = [history(talks=[talk for talk in TALKS if talk[0] == run]) for run in (0, 1)]
    assert [fact.measure(Record.of(part))[:, 0, 0].tolist() for part in parts] == [[1, 0], [0, 0]]
    assert fact.measure(Record.of(history()))[:, 0, 0].tolist() == [0, 0]


def test_the_options_behind_a_count_of_talks_are_those_that_bring_them_about():
    def options(operand: dict) -> set:
        return {COMPILED.options[o] for o in next(bound(operand | {"at_least": 1}).tree.leaves()).left.options}

    assert options({"outputs": {"forum": "club"}}) == {("alba", "club", None)}
    assert options({"answers": {"by": "borea", "bargain": "loan"}}) == {("borea", "loan", "front")}
    assert options({"promises": {"giver": "alba", "became": "kept"}}) == {("alba", "aid", "front")}
    assert options({"promises": {"giver": "alba", "bargain": "loan"}}) == {("alba", "loan", "front")}
    assert options({"promises": {"became": "broken"}}) == set()  # no act breaks a promise


def test_talks_of_real_runs_are_counted_as_the_register_counts_them():
    scenario = read(DEALINGS).scenario
    compiled = compile_scenario(scenario)
    history_ = ensemble(compiled, 3, range(200))
    record, tally = Record.of(history_), Tally(compiled)
    tally.add(history_)
    told = {(row["kind"], row["name"], row["event"]): row["times"] for row in tally.table().to_pylist()}
    words = {
        "offered": lambda name: {"count": {"action": name}},
        "struck": lambda name: {"answers": {"bargain": name, "answer": "accepted"}},
        "kept": lambda name: {"promises": {"bargain": name, "became": "kept"}},
        "broken": lambda name: {"promises": {"bargain": name, "became": "broken"}},
        "void": lambda name: {"promises": {"bargain": name, "became": "void"}},
        "session": lambda name: {"sessions": {"forum": name}},
        "statement": lambda name: {"outputs": {"forum": name}},
    }
    assert {event for _, _, event in told} == set(words)
    assert sum(times > 0 for times in told.values()) > len(told) / 2
    for (_, name, event), times in told.items():
        raw = {"record": 1, "title": "t", "facts": {"F": {
            "statement": "something", "sample": "in", "weight": "hard", "holds": words[event](name) | {"at_least": 1}}}}  # fmt: skip
        document = located.parse(located.dump(raw), "facts.yaml")[0]
        fact = verdicts.bind(Facts(facts.formed(document)[0], document, None), scenario, compiled).facts[0]
        assert fact.measure(record)[:, 0, 0].sum() == times, (name, event)


def test_what_can_never_be_counted_is_noted():
    assert bound({"promises": {"kind": "calm_word"}, "equals": 0}).notes  # no bargain is promised by it
    assert not bound({"promises": {"kind": "good_word"}, "equals": 0}).notes
    assert bound({"count": {"action": "raid", "by": "alba"}, "equals": 0}).notes
    assert not bound({"count": {"action": "raid"}, "equals": 0}).notes

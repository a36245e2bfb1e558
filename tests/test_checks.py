"""What `check` says of a world, and that it says nothing of a sound one."""

import math
from pathlib import Path

import pytest

from sim import checks, data
from sim.cli import main
from sim.errors import Problems
from sim.scenario import as_data, as_yaml, parse, read

SHIPPED = sorted(path.stem for path in data.scenarios().glob("*.yaml"))


def told(tmp_path: Path, **changes) -> list[str]:
    """Warnings about the tutorial with some parts laid over."""
    raw = as_data(read("minimal").scenario)
    for place, value in changes.items():
        *way, last = place.split("__")
        node = raw
        for word in way:
            node = node[word]
        if value is None:
            del node[last]
        else:
            node[last] = value
    path = tmp_path / "world.yaml"
    path.write_text(as_yaml(parse(raw)), encoding="utf-8")
    return [str(problem).removeprefix(f"{path}:") for problem in checks.check(path).warnings]


def test_it_counts_what_a_file_holds():
    report = checks.check("minimal")
    scenario = read("minimal").scenario
    counts = report.counts
    assert (counts["turns"], counts["actors"], counts["actions"]) == (12, 3, len(scenario.actions))
    assert counts["slots"] == len(scenario.slots)
    assert counts["sourced"] + counts["assumed"] + counts["neither"] == counts["numbers"]


def test_leading_options_stand_beside_their_prior():
    report = checks.check("minimal")
    front = [option for option in report.leading if option.actor == "front"]
    assert front[0].action == "restrain"
    # hold has 1/2, two actions a quarter each, and promise has two targets
    assert front[0].prior == pytest.approx(math.log(0.25 / 0.5))
    assert [option.prior for option in front[1:]] == pytest.approx([math.log(0.125 / 0.5)] * 2)
    assert front[0].score == pytest.approx(175 * front[0].utility)
    assert front[0].odds == front[0].score + front[0].prior


def test_a_word_that_adds_is_told_unless_it_multiplies_by_what_remains(tmp_path: Path):
    word = {
        "cameo": "010", "plover": "NONE", "channel": "words", "by": "front", "cost": 0.001, "assumption": "a test",
        "effects": [{"of": "self.standing", "add": 0.1}],
    }  # fmt: skip
    assert any("actions.boast: words that add to self.standing" in line for line in told(tmp_path, actions__boast=word))
    word["effects"][0]["times"] = [{"not": "self.standing"}]
    assert not any("actions.boast" in line for line in told(tmp_path, actions__boast=word))


def test_an_interest_in_what_its_owner_sets_is_told(tmp_path: Path):
    interest = {"of": "self.front.contact", "ideal": "recognition", "salience": 0.2, "assumption": "a test"}
    (line,) = [line for line in told(tmp_path, actors__alba__interests__rank=interest) if "interests.rank" in line]
    assert "wants alba.front.contact, which alba sets itself by" in line


def test_a_stock_without_pull_is_told(tmp_path: Path):
    (line,) = [line for line in told(tmp_path, indicators__funds__pull=None) if "indicators.funds" in line]
    assert "nothing brings it back; give it a pull" in line


def test_an_overwhelming_coupling_is_told(tmp_path: Path):
    coupling = {"from": "front.funds", "to": "raiders", "add": 0.5, "assumption": "a test"}
    (line,) = [line for line in told(tmp_path, couplings__flood=coupling) if "couplings alone" in line]
    assert "indicators.raiders: couplings alone would hold raiders" in line


def test_an_act_worth_nothing_to_anyone_is_told(tmp_path: Path):
    act = {
        "cameo": "040", "plover": "CONSULT", "channel": "ties", "by": "front", "toward": "state", "cost": 0.5,
        "assumption": "a test", "effects": [{"of": "target.safety", "add": 0.1}],
    }  # fmt: skip
    assert any("actions.waste: worth its cost to nobody" in line for line in told(tmp_path, actions__waste=act))
    act["cost"] = 0.001
    act["effects"] = [{"of": "raiders", "add": 0.1}, {"of": "self.standing", "add": 0.02}]
    assert not any("actions.waste" in line for line in told(tmp_path, actions__waste=act))


def test_no_option_is_worth_more_than_the_bound_that_calls_it_worthless():
    """`worth nothing` must never be said of an act that some state makes worth its cost."""
    import numpy as np

    from sim import kernel
    from sim.compile import compile_scenario

    for name in ("minimal", "takeover-2021"):
        actions = read(name).scenario.actions
        compiled = compile_scenario(read(name).scenario)
        tables = compiled.tables
        couplings = checks._Couplings(compiled)
        bounds = {g: couplings.reach(g, tables.rank_slot.tolist()) for g in set(tables.foresight.tolist())}
        state = kernel.new_state(compiled, range(16))
        kernel.begin(tables, state)
        for turn in range(1, 6):
            kernel.open_turn(tables, state, np.uint64(4), turn)
            for i in range(len(compiled.actors)):
                kernel.appraise(tables, state, i)
                first = tables.option_start[i]
                for o in range(first, tables.option_start[i + 1]):
                    seen = state.available[o - first]
                    bounded = compiled.options[o][1] in actions
                    bounded &= not tables.depth[i] or tables.word_start[o] == tables.word_start[o + 1]
                    if bounded and seen.any():
                        most = checks._most(compiled, o, bounds[float(tables.foresight[i])])
                        assert state.utility[o - first][seen].max() <= most + 1e-9, compiled.options[o]
                kernel.choose(tables, state, i, np.uint64(4), turn, False)
            kernel.close_turn(tables, state, np.uint64(4), turn)


OFFER = {
    "cameo": "0331", "plover": "AGREE", "channel": "deals", "by": "alba", "toward": "front", "give": "pay",
    "ask": "restrain", "bias": 1, "word": "faith", "assumption": "a test",
}  # fmt: skip
FAITH = {"from": ["state", "front"], "to": ["state", "front"], "fade": 0.1, "kept": 2, "broken": 2} | {
    "forgetting": 0.1, "signal": 0.5, "assumption": "a test"
}  # fmt: skip
COUNCIL = {
    "cameo": "040", "plover": "CONSULT", "members": "state", "convener": "alba", "channel": "talks", "cost": 0.01,
    "attend": 2, "assumption": "a test",
}  # fmt: skip


def test_bargains_and_fora_are_counted_and_depths_told(tmp_path: Path, capsys: pytest.CaptureFixture):
    raw = as_data(read("minimal").scenario)
    raw["assurances"]["faith"] = FAITH
    raw |= {"bargains": {"aid_for_quiet": OFFER}, "fora": {"council": COUNCIL}}
    raw["actors"]["front"]["depth"] = {"value": 2, "assumption": "a test"}
    path = tmp_path / "world.yaml"
    path.write_text(as_yaml(parse(raw)), encoding="utf-8")
    report = checks.check(path)
    counts = report.counts
    assert [counts[name] for name in ("bargains", "deals", "fora", "seats")] == [1, 1, 1, 2]
    assert counts["options"] == checks.check("minimal").counts["options"] + 2
    assert report.depths == report.as_dict()["depths"] == {"alba": 0, "borea": 0, "front": 2}
    assert main(["check", str(path)]) == 0
    printed = capsys.readouterr().out
    assert f"{counts['options']} options of 6 actions, 1 bargain (1 deal) and 1 forum (2 seats)\n" in printed
    rows = [line.split()[:3] for line in printed.splitlines()]
    assert ["Actor", "Depth", "Act"] in rows
    assert ["front", "2"] in [row[:2] for row in rows]


def test_a_bargain_that_neither_side_would_gain_by_is_told(tmp_path: Path):
    world = {"assurances__faith": FAITH, "bargains": {"aid_for_quiet": OFFER}}
    assert not any("bargains." in line for line in told(tmp_path, **world))
    idle = {"cameo": "040", "plover": "CONSULT", "channel": "ties", "cost": 0.02, "assumption": "a test"}
    world |= {"actions__visit": idle | {"by": "alba", "toward": "front"}, "actions__greet": idle | {"by": "front"}}
    world["bargains"] = {"courtesies": OFFER | {"give": "visit", "ask": "greet"}}
    (line,) = [line for line in told(tmp_path, **world) if "bargains." in line]
    assert "both sides would lose by it at the start (at best worth -0.0200 to alba, -0.0200 to front)" in line


def test_a_bargain_that_no_pair_can_make_or_answer_is_told(tmp_path: Path):
    rare = {"of": "self.standing", "at_least": 0.1}  # of the front alone
    other = OFFER | {"by": "state", "give": "praise_all"}
    praise = {"cameo": "051", "plover": "SUPPORT", "channel": "words", "by": ["borea", "front"], "cost": 0.001}
    world = {"assurances__faith": FAITH, "actions__praise_all": praise | {"assumption": "a test"}}
    lend = {"cameo": "071", "plover": "AID", "channel": "money", "by": "alba", "cost": 0.001, "assumption": "a test"}
    world |= {"actions__lend": lend}
    world["bargains"] = {"first": OFFER | {"by": "state", "give": "lend", "counter": "second"}, "second": other}
    (line,) = [line for line in told(tmp_path, **world) if "bargains.first" in line]
    assert line.endswith("bargains.first.counter: no two who can make first can make second too; leave it out")
    world = {"assurances__faith": FAITH, "actions__lend": lend | {"by": ["alba", "front"], "needs": [rare]}}
    world["bargains"] = {"lending": OFFER | {"give": "lend"}}
    (line,) = [line for line in told(tmp_path, **world) if "bargains." in line]
    assert line.endswith("bargains.lending: nobody can offer it: no pair that its conditions and acts could hold for")


def test_what_is_promised_is_not_called_worthless(tmp_path: Path):
    act = {"cameo": "040", "plover": "CONSULT", "channel": "ties", "by": "front", "cost": 0.5, "assumption": "a test"}
    world = {"actions__waste": act, "assurances__faith": FAITH}
    assert any("actions.waste: worth its cost to nobody" in line for line in told(tmp_path, **world))
    world["bargains"] = {"price": OFFER | {"ask": "waste"}}
    assert not any("actions.waste" in line for line in told(tmp_path, **world))


def test_a_forum_that_cannot_meet_move_or_agree_is_told(tmp_path: Path):
    needs = [{"of": "self.safety", "at_least": 0.1}, {"of": "self.standing", "at_least": 0.1}]  # no one has both
    needy = COUNCIL | {"convener": ["alba", "front"], "needs": needs}
    dated = needy | {"dates": ["2030-03"]}
    item = {"of": "self.safety", "openness": 0.1, "salience": 0.5}
    lonely = COUNCIL | {
        "members": ["alba", "front"], "agenda": {"line": item},
        "outputs": {"statement": {"on": "line", "within": 0, "bias": 1}, "silence": {"within": 0, "bias": 1}},
    }  # fmt: skip
    repute = {"of": "self.standing", "at_least": 0.1}  # of the front alone
    act = {"cameo": "040", "plover": "CONSULT", "channel": "ties", "by": ["alba", "front"], "cost": 0.001}
    acts = [{"by": "alba", "action": "drill"}, {"by": "front", "action": "drill"}]
    lonely["outputs"]["drills"] = {"bias": 1, "acts": acts}
    world = {"actions__drill": act | {"needs": [repute], "assumption": "a test"}}
    world["fora"] = {"needy": needy, "dated": dated, "lonely": lonely, "well": COUNCIL | {"agenda": {"line": item}}}
    lines = [line.split(": ", 1) for line in told(tmp_path, **world) if "fora." in line]
    assert lines
    assert [line[1].partition(":")[0] for line in lines] == [
        "fora.needy", "fora.lonely.agenda.line", "fora.lonely.outputs.statement.within",
        "fora.lonely.outputs.drills.acts[0]",
    ]  # fmt: skip


def test_couplings_that_feed_one_another_are_rejected_with_their_place(tmp_path: Path):
    raw = as_data(read("minimal").scenario)
    raw["couplings"]["up"] = {"from": "front.funds", "to": "front.standing", "add": 1.2, "assumption": "a test"}
    raw["couplings"]["back"] = {"from": "front.standing", "to": "front.funds", "add": 1.2, "assumption": "a test"}
    path = tmp_path / "world.yaml"
    path.write_text(as_yaml(parse(raw)), encoding="utf-8")
    with pytest.raises(Problems, match=r"model\.foresight: 0\.6 times 2\.11, the growth of the couplings") as caught:
        checks.check(path)
    assert caught.value.exit_code == 2


def test_stocks_that_only_keep_their_level_are_not_explosive():
    compiled = __import__("sim.compile", fromlist=["x"]).compile_scenario(read("minimal").scenario)
    assert checks._Couplings(compiled).radius(1.0) <= 1.0


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_passes(name: str):
    report = checks.check(name)
    assert report.counts["actors"] >= 3
    assert not [problem for problem in report.warnings if "no claim" in problem.message]

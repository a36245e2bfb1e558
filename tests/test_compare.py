"""Pairs on common random numbers: differences, intervals, partings, forks, the folder and the verb."""

import dataclasses
import json
import random
from pathlib import Path

import numpy as np
import pytest

from sim import analysis, compare, decision, runs, store
from sim.arrays import Compiled, History
from sim.cli import main
from sim.compare import CAUSES, Shared, Weighed, forked, handed_over, open_comparison, parted
from sim.errors import BadInput, FolderProblem
from sim.kernel import begin, ensemble, new_state, open_turn
from sim.scenario import as_data, parse, read
from sim.world import World
from tests.strategies import random_scenario

CHEAPER = "actions.talk.cost=0.005"


@pytest.fixture(scope="module")
def tutorial() -> runs.Prepared:
    return runs.prepare("minimal")


@pytest.fixture(scope="module")
def cheaper() -> runs.Prepared:
    return runs.prepare("minimal", [CHEAPER])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> compare.Comparison:
    """Sixty pairs of the tutorial and of one in which talks cost less."""
    out = tmp_path_factory.mktemp("comparison")
    return compare.compare("minimal", runs=60, seed=3, sets=[CHEAPER], out=out, figures=False)


def written(raw: dict, path: Path) -> Path:
    path.write_text(json.dumps(raw))  # which YAML 1.2 holds
    return path


def same(one: History, other: History) -> bool:
    names = ("runs", "states", "alpha", "beta", "incidents")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    for rows, others in ((one.acts, other.acts), (one.talks, other.talks)):
        names = [field.name for field in dataclasses.fields(rows)]
        pairs += [(getattr(rows, name), getattr(others, name)) for name in names]
    return all(np.array_equal(left, right, equal_nan=left.dtype.kind == "f") for left, right in pairs)


# -------------------------------------------------------------------------------------------------------- statistics


def test_a_share_less_itself_is_exactly_zero_and_its_interval_holds_it():
    difference, low, high = analysis.paired_shares(0, 0, 200)
    assert difference == 0.0
    assert low == -high < 0


@pytest.mark.parametrize(
    ("first", "second", "of", "low", "high"),
    # By hand from Bonett & Price 2012: (8 - 2)/23 +- z sqrt((8/23 + 2/23 - (6/23)^2)/23), and the other way round.
    [(1, 7, 21, 0.01338, 0.50836), (7, 1, 21, -0.50836, -0.01338)],
)
def test_the_interval_of_paired_shares_is_bonett_and_prices(first: int, second: int, of: int, low: float, high: float):
    assert analysis.paired_shares(first, second, of)[1:] == pytest.approx((low, high), abs=2e-5)


@pytest.mark.parametrize("pairs", [50, 200])
@pytest.mark.parametrize(
    ("first", "second"), [(0.0, 0.05), (0.01, 0.03), (0.05, 0.1), (0.2, 0.3), (0.0, 0.3), (0.02, 0.02)]
)
def test_intervals_of_paired_shares_cover_at_their_rate_or_above(pairs: int, first: float, second: float):
    rng = np.random.default_rng(5)
    counts = rng.multinomial(pairs, [first, second, 1 - first - second], size=3000)
    intervals = [analysis.paired_shares(int(one), int(other), pairs)[1:] for one, other, _ in counts]
    held = np.mean([low <= second - first <= high for low, high in intervals])
    assert 0.94 <= held <= 1.0


def test_intervals_of_paired_means_cover_at_their_rate():
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(600):
        first = rng.normal(2, 3, size=(12, 3))
        paired = analysis.Paired(3)
        paired.add(first, 0.8 * first + rng.normal(0.5, 1, size=(12, 3)))
        low, high = paired.interval()
        held += int(((low <= 0.1) & (high >= 0.1)).sum())
    assert held / 1800 == pytest.approx(0.95, abs=0.015)


def test_sums_over_batches_are_those_of_all_at_once():
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    second[:, 3] = first[:, 3]
    paired = analysis.Paired(4)
    for rows in np.split(np.arange(50), [7, 8, 30]):
        paired.add(first[rows], second[rows])
    moved = second - first
    assert paired.first == pytest.approx(first.mean(axis=0))
    assert paired.difference == pytest.approx(moved.mean(axis=0))
    assert paired.spreads[2] == pytest.approx(moved.std(axis=0, ddof=1))
    assert paired.changed.tolist() == [50, 50, 50, 0]
    assert (paired.difference[3], paired.spreads[2, 3]) == (0.0, 0.0)
    saving = (first.var(axis=0) + second.var(axis=0))[:3] / moved.var(axis=0)[:3]
    assert paired.saving[:3] == pytest.approx(saving)
    assert np.isnan(paired.saving[3])


def test_intervals_cover_the_models_own_truth(tutorial: runs.Prepared, cheaper: runs.Prepared):
    each, groups = 40, 150
    numbers = range(each * groups)
    a, b = (ensemble(ready.compiled, 2, numbers, explained=False) for ready in (tutorial, cheaper))
    slot = tutorial.compiled.paths.index("front.standing")
    first, second = a.states[:, -1, slot], b.states[:, -1, slot]
    truth, held = float((second - first).mean()), 0
    for rows in np.split(np.arange(each * groups), groups):
        paired = analysis.Paired(1)
        paired.add(first[rows, None], second[rows, None])
        low, high = paired.interval()
        held += int(low[0] <= truth <= high[0])
    assert truth > 0
    assert held / groups == pytest.approx(0.95, abs=0.045)


# ---------------------------------------------------------------------------------------------------------- partings


def brute_force(a: History, b: History, first: Compiled, second: Compiled) -> list[tuple[int, set]]:
    """Of each run the first turn in which the chosen acts differ (-1: none), and those of one side only."""
    found = []
    for run in a.runs.tolist():
        chosen: list[dict[int, list]] = [{}, {}]
        for side, (history, compiled) in enumerate(((a, first), (b, second))):
            acts = history.acts
            for n in range(acts.run.size):
                if acts.run[n] == run and not np.isnan(acts.utility[n]):
                    chosen[side].setdefault(int(acts.turn[n]), []).append(compiled.options[acts.option[n]])
        for turn in range(1, a.states.shape[1]):
            one, other = (set(side.get(turn, [])) for side in chosen)
            if one != other:
                alone = {(name, False) for name in one - other} | {(name, True) for name in other - one}
                found.append((turn, alone))
                break
        else:
            found.append((-1, set()))
    return found


def variant(scenario: dict, rng: random.Random) -> dict:
    """The same scenario with one more or less drastic change."""
    changed = json.loads(json.dumps(scenario))
    kind = rng.choice(["hold", "less", "start"])
    if kind == "less" and len(changed["actions"]) > 1 and not changed.get("timeline") and not changed.get("outcomes"):
        del changed["actions"][sorted(changed["actions"])[0]]
    elif kind == "start":
        changed["set"] = {**changed.get("set", {}), "unrest": 0.9}
    else:
        changed["model"] = {**changed.get("model", {}), "hold": 0.3}
    return changed


@pytest.mark.parametrize("seed", range(40))
def test_the_first_parting_is_that_of_a_search_by_hand(seed: int):
    rng = random.Random(seed)
    drawn = random_scenario(rng)
    scenarios = [parse(drawn), parse(variant(drawn, rng))]
    a, b = (runs.prepared(scenario, "") for scenario in scenarios)
    shared = Shared.of(a, b)
    one, other = (ensemble(ready.compiled, seed, range(5, 14), turns=a.turns) for ready in (a, b))
    found = parted(one, other, shared)
    expected = brute_force(one, other, a.compiled, b.compiled)
    assert found.parts.tolist() == [turn for turn, _ in expected]
    for row, (_, alone) in enumerate(expected):
        here = found.row == row
        names = zip(found.option[here].tolist(), found.of_b[here].tolist(), strict=True)
        assert {(shared.options[o], of_b) for o, of_b in names} == alone


def test_nothing_differs_between_a_run_and_itself(tutorial: runs.Prepared):
    history = ensemble(tutorial.compiled, 1, range(20))
    found = parted(history, history, Shared.of(tutorial, tutorial))
    assert set(found.differs.tolist()) == set(found.parts.tolist()) == set(found.cause.tolist()) == {-1}
    assert found.acts.sum() == found.row.size == found.seen.sum() == 0


def test_a_pair_is_the_same_run_until_something_differs(tutorial: runs.Prepared, cheaper: runs.Prepared):
    a, b = (ensemble(ready.compiled, 4, range(50)) for ready in (tutorial, cheaper))
    found = parted(a, b, Shared.of(tutorial, cheaper))
    assert 0 < (found.parts > 0).sum() < 50
    for row, turn in enumerate(found.differs):
        until = turn if turn >= 0 else a.states.shape[1]
        assert np.array_equal(a.states[row, :until], b.states[row, :until])
    assert {CAUSES[n] for n in found.cause if n >= 0} == {"decision"}  # a cost moves nothing but choices


def test_what_differs_first_is_named_by_its_cause():
    def cause(*sets: str, text: str = "", tmp: Path | None = None) -> set:
        a, b = runs.prepare("minimal"), runs.prepare("minimal", sets)
        if text:
            raw = as_data(b.scenario)
            raw["timeline"] = [{"date": "2030-04", "title": "A truce", "set": {"alba.safety": 0.95}}]
            b = runs.prepared(parse(raw), "")
        one, other = (ensemble(ready.compiled, 1, range(60)) for ready in (a, b))
        dated = compare._dated(a.compiled, b.compiled, 0)
        found = parted(one, other, Shared.of(a, b), dated)
        return {(CAUSES[c], int(t)) for c, t in zip(found.cause, found.differs, strict=True) if c in (0, 1)} or {
            CAUSES[c] for c in found.cause if c >= 0
        }

    assert cause("set.raiders=0.8") == {("start", 0)}
    assert cause(text="timeline") == {("dated event", 4)}
    assert "incident" in cause("incidents.raid.hazard=0.1")
    assert cause("couplings.hunger_raids.add=-0.05") == {"numbers"}


# ------------------------------------------------------------------------------------------------------------- forks


def test_a_fork_into_itself_is_the_run_itself(tutorial: runs.Prepared):
    compiled = tutorial.compiled
    assert same(forked(compiled, compiled, 5, 9, range(3, 12), 12), ensemble(compiled, 9, range(3, 12)))


@pytest.mark.parametrize("seed", range(12))
def test_a_fork_into_itself_is_the_run_itself_in_drawn_worlds(seed: int):
    compiled = runs.prepared(parse(random_scenario(random.Random(seed), turns=6)), "").compiled
    for fork in (1, 3, 6):
        assert same(forked(compiled, compiled, fork, seed, range(4), 6), ensemble(compiled, seed, range(4)))


def test_until_the_fork_it_is_a_bit_for_bit(tutorial: runs.Prepared, cheaper: runs.Prepared):
    whole = ensemble(tutorial.compiled, 9, range(40))
    fork = forked(tutorial.compiled, cheaper.compiled, 6, 9, range(40), 12)
    assert np.array_equal(fork.states[:, :6], whole.states[:, :6])
    assert np.array_equal(fork.alpha[:, :6], whole.alpha[:, :6])
    assert np.array_equal(fork.incidents[:, :5], whole.incidents[:, :5])
    assert not np.array_equal(fork.states, whole.states)
    before = [acts.turn < 6 for acts in (fork.acts, whole.acts)]
    for name in ("run", "turn", "option", "chance", "succeeded", "utility", "probability"):
        one, other = (getattr(h.acts, name)[held] for h, held in zip((fork, whole), before, strict=True))
        assert np.array_equal(one, other)


@pytest.mark.parametrize(
    "sets", [[CHEAPER], ["actors.alba.capabilities.finance=0.2", "couplings.hunger_raids.add=-0.08"]]
)
def test_a_fork_is_what_mesa_does_when_its_tables_are_exchanged(tutorial: runs.Prepared, sets: list[str]):
    other = runs.prepare("minimal", sets).compiled
    fork = forked(tutorial.compiled, other, 4, 9, [7], 12)
    world = World(tutorial.compiled, seed=9, run=7)
    for turn in range(1, 13):
        if turn == 4:
            world.compiled = other
            world.state.source[other.tables.low.size :] = other.tables.capability[:, None]
            world.state.foreseen_for[:] = np.nan
        world.step()
        assert np.array_equal(world.state.x[:, 0], fork.states[0, turn])
    names = [other.options[o] for o in fork.acts.option]
    assert [(act.actor, act.action, act.target) for act in world.acts] == names


def test_steps_under_way_arrive_after_a_fork_into_a_world_that_plans_further_ahead():
    raw = as_data(read("minimal").scenario)
    raw["actions"]["pay"]["effects"][0]["after"] = 2
    a = runs.prepared(parse(raw), "").compiled
    raw["actions"]["talk"]["effects"][1]["after"] = 4
    b = runs.prepared(parse(raw), "").compiled
    paid = 0.0
    for turn in (3, 4, 5, 6):
        fork = forked(a, b, turn, 1, range(64), 12)
        assert np.array_equal(fork.states[:, :turn], ensemble(a, 1, range(64)).states[:, :turn])
        state = new_state(a, range(64))
        begin(a.tables, state)
        state.under_way[:] = np.arange(state.under_way.size).reshape(state.under_way.shape)
        for other in (b, a):  # into a longer ring, and into its like
            new = handed_over(state, a, other, turn)
            for later in range(3):
                arriving = new.under_way[(turn + later) % new.under_way.shape[0]]
                assert np.array_equal(arriving, state.under_way[(turn + later) % 3])
            paid += float(new.under_way.sum() - state.under_way.sum())
    assert paid == 0.0


def test_a_fork_needs_the_same_indicators(tmp_path: Path):
    raw = as_data(read("minimal").scenario)
    raw["indicators"]["harvest"] = {"scope": "world", "start": 0.5}
    other = written(raw, tmp_path / "other.yaml")
    with pytest.raises(BadInput, match=r"--fork needs the same indicators on both sides; only B has harvest"):
        compare.compare("minimal", other, fork="2030-03", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fork", ["2029-12", "2031-01", "13", "0", "soon"])
def test_a_fork_outside_the_turns_is_refused(tmp_path: Path, fork: str):
    with pytest.raises(BadInput, match=r"not one of the turns, which are 2030-01 \(1\) to 2030-12 \(12\)"):
        compare.compare("minimal", sets=[CHEAPER], fork=fork, out=tmp_path / "out")


def test_starting_values_do_not_apply_after_a_fork(tmp_path: Path):
    with pytest.raises(BadInput, match=r"B equals A from 2030-05 on"):
        compare.compare("minimal", sets=["raiders=0.9"], fork=5, out=tmp_path / "out")


# ---------------------------------------------------------------------------------------------------- the comparison


def test_a_scenario_is_not_compared_with_itself(tmp_path: Path):
    with pytest.raises(BadInput, match="B equals A: every number is the same"):
        compare.compare("minimal", "minimal", out=tmp_path / "out")
    with pytest.raises(BadInput, match="B equals A"):
        compare.compare("minimal", sets=["actions.talk.cost=0.008"], out=tmp_path / "out")
    with pytest.raises(BadInput, match="nothing to compare"):
        compare.compare("minimal", out=tmp_path / "out")


def test_other_calendars_are_not_compared(tmp_path: Path):
    with pytest.raises(BadInput, match="not on the same calendar: start is 2021-05 in A and 2021-11 in B"):
        compare.compare("takeover-2021", "year-one", out=tmp_path / "out")


def test_a_small_change_is_worth_many_independent_runs(done: compare.Comparison):
    savings = [row["saving"] for row in done.of_kind("number", "indicator") if row["saving"] is not None]
    assert min(savings) > 1
    assert np.median(savings) > 3


def test_differences_are_those_of_the_two_sides_run_alone(done: compare.Comparison, tmp_path: Path):
    alone = [
        runs.run("minimal", runs=60, seed=3, sets=sets, figures=False, out=tmp_path / str(n)).outcomes
        for n, sets in enumerate(([], [CHEAPER]))
    ]
    for row in done.of_kind("yes/no", "number"):
        one, other = (table[row["name"]].to_numpy(zero_copy_only=False).astype(float) for table in alone)
        assert (row["a"], row["b"]) == pytest.approx((one.mean(), other.mean()))
        assert row["difference"] == pytest.approx((other - one).mean())
        assert row["changed"] == int((one != other).sum())
        assert row["low"] <= row["difference"] <= row["high"]
    assert [row["name"] for row in done.of_kind("yes/no", "number")] == ["recognised", "talks", "raids"]


def test_what_changed_is_told(done: compare.Comparison):
    assert done.manifest["changes"] == [{"path": "actions.talk.cost", "a": 0.008, "b": 0.005}]
    found = compare.changes(read("minimal").scenario, read("minimal", ["raiders=0.6", "turns=10"]).scenario)
    assert {(change.path, change.a, change.b) for change in found} == {("turns", 12, 10), ("set.raiders", None, 0.6)}


def test_pairs_and_partings_agree_with_the_summary(done: compare.Comparison):
    pairs, partings = done.pairs.to_pylist(), done.partings.to_pylist()
    parting = done.manifest["parting"]
    assert len(pairs) == parting["pairs"] == 60
    with_parting = [row["run"] for row in pairs if row["parts_turn"] is not None]
    assert len(with_parting) == parting["part"] == sum(row["pairs"] for row in parting["when"])
    assert sorted({row["run"] for row in partings}) == with_parting
    turn = {row["run"]: (row["parts_turn"], row["parts_date"]) for row in pairs}
    assert all((row["turn"], row["date"]) == turn[row["run"]] for row in partings)
    who = {row["actor"]: row["pairs"] for row in parting["who"]}
    assert who == {name: len({row["run"] for row in partings if row["actor"] == name}) for name in who}
    whens = [(row["turn"], row["actor"]) for row in parting["who_when"]]
    assert len(set(whens)) == len(whens)
    assert sum(row["pairs"] for row in parting["who_when"]) == sum(who.values())


def test_the_story_is_that_of_the_pair_nearest_to_the_median(done: compare.Comparison):
    rows = [row for row in done.pairs.to_pylist() if row["parts_turn"] is not None]
    names = [key[2:] for key in rows[0] if key.startswith("a.") and not key.endswith("_turn")]
    moves = np.array([[float(row[f"b.{name}"]) - float(row[f"a.{name}"]) for name in names] for row in rows])
    spread = moves.std(axis=0)
    scaled = moves[:, spread > 0] / spread[spread > 0]
    distance = np.abs(scaled - np.median(scaled, axis=0)).sum(axis=1)
    nearest = rows[int(distance.argmin())]
    assert done.story is not None
    assert (done.story["run"], done.story["turn"]) == (nearest["run"], nearest["parts_turn"])
    actors = {row["actor"] for row in done.partings.to_pylist() if row["run"] == nearest["run"]}
    assert {card["actor"] for card in done.story["cards"]} == actors  # there are three at most
    assert done.story["text"] == [line for card in done.story["cards"] for line in card["text"]] + done.story["after"]
    assert "parts. In A it" in done.story["text"][0]


def test_the_chain_holds_every_act_of_one_side_only(done: compare.Comparison):
    assert done.story is not None
    run = done.story["run"]
    acts = []
    for sets in ([], [CHEAPER]):
        ready = runs.prepare("minimal", sets)
        history = ensemble(ready.compiled, 3, [run])
        names = [ready.compiled.options[o] for o in history.acts.option]
        acts.append(set(zip(history.acts.turn.tolist(), names, strict=True)))
    chain = [row for row in done.story["chain"] if row["kind"] == "act"]
    for side, alone in (("A", acts[0] - acts[1]), ("B", acts[1] - acts[0])):
        told = {(row["turn"], (row["actor"], row["action"], row["target"])) for row in chain if row["side"] == side}
        assert told == alone


def test_the_parts_of_a_utility_are_those_of_the_decision_card(tutorial: runs.Prepared):
    decided = decision.decide(tutorial.compiled, 3, 5, 4, "alba")
    course = compare.Course(tutorial.compiled, tutorial.compiled, 0, 3, [5])
    for _ in range(3):
        course.open()
        course.close()
    course.open()
    weighed = Weighed(course.compiled, course.state, "alba", 3, 4)
    open_ones = [option for option in decided.options if option.available]
    assert open_ones
    for option in open_ones:
        assert weighed.utility(option.name) == pytest.approx(option.utility, abs=1e-15)
        assert weighed.chance(option.name) == pytest.approx(option.first)
        parts = weighed.parts(option.name)
        card: dict = {}
        for part in option.contributions:
            card[part.owner, part.interest] = card.get((part.owner, part.interest), 0.0) + part.utility
        assert parts.pop(("", "cost")) == pytest.approx(-option.cost, abs=1e-12)
        assert {name: value for name, value in parts.items() if abs(value) > 1e-12} == pytest.approx(
            {name: value for name, value in card.items() if abs(value) > 1e-12}, abs=1e-12
        )


def test_weighing_leaves_the_state_as_it_was(tutorial: runs.Prepared):
    state = new_state(tutorial.compiled, [0])
    begin(tutorial.compiled.tables, state)
    open_turn(tutorial.compiled.tables, state, np.uint64(1), 1)
    before = {name: getattr(state, name).copy() for name in ("x", "alpha", "source", "foreseen")}
    Weighed(tutorial.compiled, state, "alba", 1, 1).parts(("talk", "front"))
    assert all(np.array_equal(getattr(state, name), held) for name, held in before.items())


def test_worlds_of_other_shape_are_compared_on_what_they_share(tmp_path: Path):
    raw = as_data(read("minimal").scenario)
    del raw["actions"]["criticise"]
    raw["indicators"]["harvest"] = {"scope": "world", "start": 0.5}
    raw["outcomes"]["talks"]["count"]["by"] = "alba"
    other = written(raw, tmp_path / "other.yaml")
    found = compare.compare("minimal", other, runs=20, out=tmp_path / "out", figures=False)
    assert found.manifest["only_a"] == {"actions": ["criticise"]}
    assert found.manifest["only_b"] == {"indicators": ["harvest"]}
    assert found.manifest["notes"] == ["left out: talks is asked otherwise in B"]
    assert [row["name"] for row in found.of_kind("yes/no", "number")] == ["recognised", "raids"]
    assert {row["side"] for row in found.manifest["parting"]["what"] if row["action"] == "criticise"} == {"A"}


def test_who_is_on_one_side_only_parts_the_pair(tmp_path: Path):
    raw = as_data(read("minimal").scenario)
    del raw["actors"]["borea"]
    del raw["actors"]["alba"]["stakes"]["borea"]
    fewer = written(raw, tmp_path / "fewer.yaml")
    for n, (a, b, absent) in enumerate((("minimal", fewer, "B"), (fewer, "minimal", "A"))):
        found = compare.compare(a, b, runs=20, out=tmp_path / str(n), figures=False)
        assert found.manifest[f"only_{'ba'[n == 0]}"]["actors"] == ["borea"]
        assert found.manifest["parting"]["part"] == 20
        assert found.story is not None
        assert f"Borea is not there in {absent}." in found.story["text"]


def test_unequal_horizons_are_compared_as_far_as_both_go(tmp_path: Path):
    found = compare.compare("minimal", sets=["turns=8", CHEAPER], runs=10, out=tmp_path / "out", figures=False)
    assert found.manifest["turns"] == 8
    assert found.manifest["notes"] == ["A has 12 turns and B 8: the first 8 are compared"]


def test_a_policy_is_bs(tmp_path: Path):
    found = compare.compare("minimal", policy="frozen", runs=20, out=tmp_path / "out", figures=False)
    acts = found.of_kind("act")
    assert sum(row["a"] for row in acts) > 0
    assert sum(row["b"] for row in acts) == 0
    assert found.manifest["parting"]["part"] == 20
    assert found.story is not None
    assert found.story["cards"][0]["hold"]["b"] == 1.0


def test_threads_change_no_number(tmp_path: Path):
    def tables(fork: int | None, threads: int) -> dict:
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        found = compare.compare("minimal", runs=100, sets=[CHEAPER], fork=fork, threads=threads, out=out, figures=False)
        return found.manifest["tables"]

    assert tables(None, 1) == tables(None, 3)
    assert tables(5, 1) == tables(5, 3)
    assert tables(None, 1) != tables(5, 1)


def test_a_folder_reads_back_as_it_was_written(done: compare.Comparison):
    again = open_comparison(done.folder)
    assert again.manifest == done.manifest
    for name in ("differences", "pairs", "partings", "bands"):
        assert store.table_hash(getattr(again, name)) == store.table_hash(getattr(done, name))
    assert (again.folder / "a.yaml").read_text() == runs.prepare("minimal").text
    assert runs.prepare(again.folder / "b.yaml").text == runs.prepare("minimal", [CHEAPER]).text


def test_only_comparisons_are_opened(done: compare.Comparison, tmp_path: Path):
    with pytest.raises(FolderProblem, match="no such comparison"):
        open_comparison(tmp_path / "none")
    other = runs.run("minimal", runs=2, figures=False, out=tmp_path / "run")
    with pytest.raises(FolderProblem, match="not a comparison, but a folder of kind 'run'"):
        open_comparison(other.folder)
    with pytest.raises(FolderProblem, match="not a run folder, but a folder of kind 'comparison'"):
        runs.open_run(done.folder)


def test_every_figure_is_drawn(tmp_path: Path):
    found = compare.compare("minimal", runs=40, sets=[CHEAPER], fork="2030-03", out=tmp_path / "out")
    names = {path.name for path in (found.folder / "figures").iterdir()}
    assert names == {f"{name}.{form}" for name in ("outcomes", "rungs", "paths", "partings") for form in ("png", "svg")}


def test_a_change_without_effect_draws_nothing_and_tells_so(tmp_path: Path, capsys: pytest.CaptureFixture):
    sets = ["actors.borea.responsiveness=6"]  # nobody's stake in anyone hangs on how Borea sees them
    found = compare.compare("minimal", runs=10, sets=sets, out=tmp_path / "out")
    assert found.manifest["parting"]["part"] == 0
    assert found.story is None
    assert not list((tmp_path / "out" / "figures").glob("outcomes*"))


# ---------------------------------------------------------------------------------------------------------- the verb


def told(capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str, str]:
    code = main(["compare", *arguments])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    return code, shown.out, shown.err


def test_the_verb_prints_differences_partings_and_a_story(tmp_path: Path, capsys: pytest.CaptureFixture):
    out = str(tmp_path / "out")
    code, text, _ = told(capsys, "minimal", "--set", CHEAPER, "--runs", "50", "--out", out, "--no-figures")
    assert code == 0
    assert "actions.talk.cost: 0.008 in A, 0.005 in B" in text
    assert "How often do the states talk to it?" in text
    assert "Where the paths part. Of 50 pairs" in text
    assert "The median pair, run" in text
    assert f"Folder: {out}" in text


def test_the_verb_gives_the_same_to_machines(tmp_path: Path, capsys: pytest.CaptureFixture):
    arguments = ["minimal", "--set", CHEAPER, "--runs", "50", "--fork", "2030-06", "--out", str(tmp_path / "out")]
    code, text, _ = told(capsys, *arguments, "--no-figures", "--json")
    content = json.loads(text)
    assert code == 0
    assert (content["runs"], content["fork"]) == (50, "2030-06")
    found = open_comparison(tmp_path / "out")
    assert [row["name"] for row in content["differences"]] == found.differences["name"].to_pylist()
    assert content["parting"] == found.manifest["parting"]
    assert content["story"] == found.story


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["minimal"], "nothing to compare"),
        (["minimal", "minimal"], "B equals A: every number is the same"),
        (["minimal", "minimal", "minimal"], "two scenarios at most; 3 are named"),
        (["minimal", "nowhere"], "no such file, nor a shipped scenario"),
        (["minimal", "--set", "nothing=1"], "no"),
        (["minimal", "--set", CHEAPER, "--runs", "1"], "--runs 1: must be 2..100,000"),
        (["minimal", "--set", CHEAPER, "--seed", "-1"], "--seed -1: must be 0..2^64 - 1"),
        (["minimal", "--set", CHEAPER, "--policy", "wise"], "--policy wise: no such policy"),
        (["minimal", "--set", CHEAPER, "--turns", "0"], "--turns 0: must be"),
        (["minimal", "--set", CHEAPER, "--fork", "2031-01"], "--fork 2031-01: not one of the turns"),
        (["minimal", "--set", CHEAPER, "--fork", "9", "--turns", "6"], "--fork 9: not one of the turns"),
    ],
)
def test_each_problem_is_told_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, arguments: list[str], message: str
):
    monkeypatch.chdir(tmp_path)
    code, text, problem = told(capsys, *arguments)
    assert (code, text) == (2, "")
    assert message in problem
    assert not list(tmp_path.iterdir())


def test_a_change_without_effect_is_told(tmp_path: Path, capsys: pytest.CaptureFixture):
    # The second promise is never made again within the turns, and what it would be kept by moves nothing.
    code, text, _ = told(
        capsys, "minimal", "--set", "actions.recognise.visibility=0.9", "--turns", "1", "--runs", "5", "--out",
        str(tmp_path / "out"),
    )  # fmt: skip
    assert code == 0
    assert "No run differs in anything: what B changes has no effect here." in text

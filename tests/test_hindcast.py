"""Ensembles held against the record: known answers of the scores, and what must vanish when the record is shuffled."""

import copy
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sim import (
    columns,
    evidence,
    facts,
    hindcast,
    hindcast_figures,
    observed,
    obstacles,
    register,
    scores,
    store,
    verdicts,
)
from sim.analysis import wilson
from sim.errors import BadInput, FolderProblem, Problems
from sim.hindcast import Hindcast
from sim.kernel import ensemble
from sim.metrics import Record
from sim.rivals import trend_notes
from sim.runs import Prepared, prepare, run

RUNS = 60


@pytest.fixture(scope="module")
def takeover() -> Prepared:
    return prepare("takeover-2021")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Hindcast:
    return hindcast.hindcast("takeover-2021", RUNS, out=tmp_path_factory.mktemp("hindcast") / "h", figures=False)


# ------------------------------------------------------------------------------------------------- known answers


def test_average_precision_has_its_textbook_values():
    chance = np.array([0.9, 0.8, 0.7, 0.6])
    assert scores.average_precision(chance, np.array([1, 1, 0, 0], bool)) == 1.0
    assert scores.average_precision(chance, np.array([0, 1, 0, 1], bool)) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert scores.average_precision(np.full(4, 0.5), np.array([0, 1, 0, 0], bool)) == 0.25
    assert scores.average_precision(chance, np.zeros(4, bool)) is None


def test_ranked_probability_counts_only_what_is_known():
    assert scores.ranked_probability(np.array([2, 2]), 2, 2, 3) == 0.0
    assert scores.ranked_probability(np.array([0, 0]), 3, 3, 3) == 1.0
    assert scores.ranked_probability(np.array([1, 2]), 2, 2, 3) == pytest.approx(0.25 / 3)
    assert scores.ranked_probability(np.array([1, 2]), 1, 2, 3) == 0.0  # either is as the record has it
    assert scores.ranked_probability(np.array([0, 2]), 1, 2, 3) == pytest.approx(0.25 / 3)


def test_shuffling_what_happened_takes_the_skill_away():
    happened = np.arange(400) % 20 == 0
    right = np.where(happened, 0.9, 0.02)
    told = scores.shuffled_skill(right, happened)
    assert told["skill_base_rate"] > 0.9
    assert told["shuffled"] < 0
    assert told["shuffled_q95"] < 0.1


# ------------------------------------------------------------------------------------------------------- the whole


def test_the_shares_are_those_that_the_runs_tables_give(done: Hindcast, tmp_path: Path):
    recorded = run("takeover-2021", RUNS, out=tmp_path / "run", figures=False)
    acts, states = recorded.acts.to_pandas(), recorded.states.to_pandas()
    told = {row["fact"]: row for row in done.facts.to_pylist()}
    appeals = acts[(acts.actor == "russia") & (acts.action == "appeal_dialogue") & (acts.turn <= 6)].run.unique()
    coerced = acts[(acts.actor == "russia") & (acts.target == "tajikistan") & (acts.plover == "THREATEN")].run.unique()
    assert told["SF-15"]["share"] == pytest.approx(len(set(appeals) - set(coerced)) / RUNS)
    drills = acts[(acts.action == "exercise") & acts.turn.isin([4, 5, 6])].groupby("run").turn.nunique()
    assert told["SF-10"]["share"] == pytest.approx((drills == 3).sum() / RUNS)
    rungs = [path for path in states.columns if path.endswith(".taliban.rung")]
    assert told["SF-01"]["share"] == pytest.approx((states.groupby("run")[rungs].max().max(axis=1) < 9).mean())
    assert told["SF-10"]["low"] == pytest.approx(wilson(int((drills == 3).sum()), RUNS)[0])


def test_totals_add_up_and_keep_given_and_free_facts_apart(done: Hindcast):
    rows = done.facts.to_pylist()
    totals = done.manifest["totals"]
    assert sum(row["scored"] + row["given"] + row["cannot"] + row["outside"] for row in totals) == 34
    assert sum(row["given"] for row in totals) == 2
    assert sum(row["passed"] for row in totals) == sum(r["passes"] for r in rows if r["status"] == "scored")
    baselines = [f"passes_{name}" for name in hindcast.BASELINES]
    free = [row for row in rows if row["status"] == "scored" and any(row[name] for name in baselines)]
    assert {row["fact"] for row in free} == {r["fact"] for r in rows if r["status"] == "scored" and r["free"]}
    assert sum(row["free"] for row in totals) == len(free)
    brier = np.mean([(row["share"] - 1) ** 2 for row in rows if row["status"] == "scored"])
    assert done.manifest["brier"][0]["brier"] == pytest.approx(brier)


def test_trend_stands_in_every_table_beside_the_others(done: Hindcast):
    assert done.manifest["baselines"] == ["random", "frozen", "trend"]
    assert {"share_trend", "passes_trend"} <= set(done.facts.column_names)
    assert {"trend"} <= {row["forecast"] for row in done.manifest["acts"]}
    assert all("trend" in row for row in done.manifest["totals"])
    assert all("skill_trend" in row for row in done.manifest["brier"])
    assert all("trend" in row for row in done.manifest["ladders"])
    assert "trend" in done.cells.column_names
    assert "trend" in hindcast_figures.MARKS


def test_trend_says_that_it_has_nothing_to_repeat_only_where_it_has_not(takeover: Prepared):
    """What it does in the takeover is nothing; in the year after it has the autumn of 2021 to repeat."""
    assert trend_notes(takeover.compiled)
    assert not ensemble(takeover.compiled, 1, range(3), policy="trend").acts.option.size
    later = prepare("year-one").compiled
    assert trend_notes(later) == []
    assert ensemble(later, 1, range(3), policy="trend").acts.option.size


def test_what_bodies_bring_about_is_what_the_register_of_sessions_holds(takeover: Prepared, done: Hindcast):
    history = ensemble(takeover.compiled, 1, range(RUNS))
    table = register.dealings(history, takeover.compiled, takeover.legend)["statements"].to_pandas()
    table = table[table.followed & (table.turn >= 4)]
    came = {body: set(table[table.forum == body].run) for body in ("saarc", "oic", "g20")}
    told = {row["fact"]: row for row in done.facts.to_pylist()}
    assert told["SF-27"]["status"] == "scored"
    assert told["SF-27"]["share"] == pytest.approx(len((came["oic"] & came["g20"]) - came["saarc"]) / RUNS)


def test_the_model_knows_more_than_those_who_know_nothing(done: Hindcast):
    brier = done.manifest["brier"][0]
    assert min(brier["skill_random"], brier["skill_frozen"]) > 0.5
    acts = {row["forecast"]: row for row in done.manifest["acts"]}
    assert acts["model"]["pr_auc"] > 2 * acts["random"]["pr_auc"]
    ladders = {(row["ladder"], row["basis"]): row for row in done.manifest["ladders"]}
    assert ladders["rung", "stated"]["model"] < ladders["rung", "stated"]["frozen"]


def test_skill_vanishes_when_the_observed_facts_are_shuffled(takeover: Prepared):
    """Each fact's test is exchanged for its opposite with even odds: then no share is worth more than a half."""
    read = facts.read()
    bound = verdicts.bind(read, takeover.scenario, takeover.compiled)
    found = {
        name: scores.gather(bound, [ensemble(takeover.compiled, 1, range(RUNS), policy=policy)], takeover.compiled)
        for name, policy in (("model", None), ("random", "random"))
    }
    for name in found:
        found[name].without = {"SF-25": found[name].sides["SF-25"]}
    table = scores.fact_table(bound, found).to_pandas()
    table = table[table.status == "scored"]
    rng = np.random.default_rng(4)
    skills = []
    for _ in range(200):
        happened = rng.permutation(np.arange(len(table)) % 2 == 0)
        model, other = (np.mean((table[name] - happened) ** 2) for name in ("share", "share_random"))
        skills.append(1 - model / other)
    real = 1 - np.mean((table.share - 1) ** 2) / np.mean((table.share_random - 1) ** 2)
    assert real > 0.5
    assert np.mean(skills) < 0.05


def test_skill_against_the_chronology_vanishes_when_it_is_shuffled(done: Hindcast):
    rows = {row["forecast"]: row for row in done.manifest["acts"]}
    assert rows["reported"]["skill_base_rate"] > 0.03
    for name in ("model", "reported"):
        assert rows[name]["shuffled"] < 0
        assert rows[name]["skill_base_rate"] > rows[name]["shuffled_q95"]


def test_a_fact_that_did_not_happen_wants_to_fail(tmp_path: Path):
    path = tmp_path / "facts.yaml"
    path.write_text(
        "record: 1\ntitle: t\nfacts:\n"
        "  A: {statement: they talk, sample: in, weight: soft, holds: {count: {action: talk}, at_least: 1}}\n"
        "  B: {statement: they talk, sample: in, weight: soft, observed: false,"
        " holds: {count: {action: talk}, at_least: 1}}\n"
        "  C: {statement: never, sample: out, weight: hard, observed: false, holds: {count: {}, below: 0}}\n"
    )
    told = hindcast.hindcast("minimal", 20, fact_file=path, out=tmp_path / "h", figures=False)
    rows = {row["fact"]: row for row in told.facts.to_pylist()}
    assert rows["A"]["share"] == rows["B"]["share"]
    assert rows["A"]["brier"] == pytest.approx((1 - rows["A"]["share"]) ** 2)
    assert rows["B"]["brier"] == pytest.approx(rows["B"]["share"] ** 2)
    assert (rows["A"]["passes"], rows["B"]["passes"], rows["C"]["passes"]) == (True, False, True)


def test_threads_change_no_table(tmp_path: Path):
    path = tmp_path / "facts.yaml"
    path.write_text(
        "record: 1\ntitle: t\nfacts:\n"
        "  A: {statement: talk, sample: in, weight: soft, holds: {rate: {by: russia, plover: CONSULT}, above: 1.5}}\n"
        "  B: {statement: drills, sample: in, weight: hard, holds: {count: {action: exercise}, at_least: 30}}\n"
    )
    one, two = (
        hindcast.hindcast("takeover-2021", 20, 1, path, out=tmp_path / str(threads), figures=False, threads=threads)
        for threads in (1, 2)
    )
    for name in ("facts", "obstacles", "cells", "reliability", "ladders", "holds"):
        assert store.table_hash(one.table(name)) == store.table_hash(two.table(name))


def test_a_folder_is_read_back_whole_and_others_are_refused(done: Hindcast, tmp_path: Path):
    again = hindcast.open_hindcast(done.folder)
    assert again.facts.equals(done.facts)
    assert again.as_dict()["totals"] == done.manifest["totals"]
    run("minimal", 2, out=tmp_path / "run", figures=False)
    with pytest.raises(FolderProblem, match="not a hindcast"):
        hindcast.open_hindcast(tmp_path / "run")
    with pytest.raises(FolderProblem, match="no table"):
        again.table("states")


def test_nothing_to_score_is_refused_and_leaves_nothing(tmp_path: Path):
    with pytest.raises(BadInput, match="nothing to score: none of the facts"):
        hindcast.hindcast("minimal", 10, out=tmp_path / "h")
    with pytest.raises(BadInput, match="--runs 1: must be 2"):
        hindcast.hindcast("takeover-2021", 1, out=tmp_path / "h")
    path = tmp_path / "facts.yaml"
    path.write_text("record: 1\n")
    with pytest.raises(Problems, match="title: missing"):
        hindcast.hindcast("takeover-2021", 10, fact_file=path, out=tmp_path / "h")
    assert not (tmp_path / "h").exists()


def test_the_command_tells_all_of_it(done: Hindcast, tmp_path: Path, capsys: pytest.CaptureFixture):
    from sim import cli

    text = cli._hindcast(done)
    for row in done.facts.to_pylist():
        assert row["fact"] in text
    assert "note: trend: the dated record holds no act of the twelve months before" in text
    assert "Hard facts in sample:" in text
    assert "the model, as reported" in text
    assert "rung, stated" in text
    path = tmp_path / "facts.yaml"
    path.write_text(
        "record: 1\ntitle: t\nfacts:\n"
        "  A: {statement: they talk, sample: in, weight: soft, holds: {count: {action: talk}, at_least: 1}}\n"
    )
    arguments = ["hindcast", "minimal", "--runs", "5", "--facts", str(path), "--out", str(tmp_path / "h"), "--json"]
    assert cli.main([*arguments, "--no-figures"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["fact"] for row in told["facts"]] == ["A"]
    assert cli.main(["schema", "--facts"]) == 0
    assert json.loads(capsys.readouterr().out) == facts.schema()
    assert cli.main(["hindcast", "minimal", "--runs", "5"]) == 2


@pytest.mark.slow
def test_every_figure_is_drawn(done: Hindcast):
    written = [path.name for path in hindcast.draw(done)]
    assert written == [f"{name}.{form}" for name in ("scoreboard", "reliability", "ladders") for form in ("png", "svg")]
    assert all((done.folder / "figures" / name).stat().st_size > 10_000 for name in written)


# ------------------------------------------------------------------------------------------------------- obstacles


def test_what_stood_in_the_way_is_a_decision_of_the_nearest_run(done: Hindcast, takeover: Prepared):
    rows = done.obstacles.to_pylist()
    failing = [
        row["fact"] for row in done.facts.to_pylist()
        if row["status"] == "scored" and not row["passes"] and row["scope"] == "run"
    ]  # fmt: skip
    assert [row["fact"] for row in rows] == failing
    assert failing
    holds = {row["run"]: row for row in done.table("holds").to_pylist()}
    for row in rows:
        assert not holds[row["run"]][row["fact"]]
        assert row["part"].startswith(f"facts.{row['fact']}.holds")
        assert row["actor"] is not None
        record = Record.of(ensemble(takeover.compiled, 1, [row["run"]]))
        option = takeover.compiled.options.index((row["actor"], row["action"], row["target"]))
        taken = option in record.option[record.turn == row["turn"]]
        assert taken == row["done"]
        assert 0 <= row["chance"] <= 1


def test_the_nearest_run_is_one_that_misses_by_least(takeover: Prepared):
    bound = verdicts.bind(facts.read(), takeover.scenario, takeover.compiled)
    fact = next(fact for fact in bound.facts if fact.id == "SF-24")
    sides = fact.measure(Record.of(ensemble(takeover.compiled, 1, range(RUNS))))
    one = obstacles.nearest(
        fact, sides, range(RUNS), lambda _: takeover.compiled, 1,
        lambda n: Record.of(ensemble(takeover.compiled, 1, [n])),
    )  # fmt: skip
    assert one is not None
    judged = fact.judge(sides)
    assert one.unmet == judged.unmet[~judged.holds].min()
    always = np.ones_like(sides)
    always[..., 0] = 9.0
    assert obstacles.nearest(fact, always, range(RUNS), lambda _: takeover.compiled, 1, None) is None


def test_a_level_that_no_act_moves_has_no_decision(tmp_path: Path):
    path = tmp_path / "facts.yaml"
    path.write_text(
        "record: 1\ntitle: t\nfacts:\n"
        "  A: {statement: full, sample: in, weight: hard, holds: {events: {incident: raid}, at_least: 400}}\n"
    )
    told = hindcast.hindcast("minimal", 10, fact_file=path, out=tmp_path / "h", figures=False).obstacles.to_pylist()
    assert [(row["fact"], row["actor"], row["unmet"]) for row in told] == [("A", None, 1)]


# ------------------------------------------------------------------------------------------------------ the record


def test_cells_follow_the_declared_rule(takeover: Prepared):
    cells = observed.cells(takeover.scenario, 7)
    by_key = {(c.date, c.source, c.unit, c.plover): c for c in cells.cells}
    assert by_key["2021-07", "russia", "taliban", "CONSULT"].happened == ("E-043",)
    assert by_key["2021-07", "russia", "west", "ACCUSE"].happened == ("E-049",)  # NATO is the West
    assert by_key["2021-08", "russia", "tajikistan", "MOBILIZE"].happened == ("E-051",)  # the ally, not the Taliban
    assert not any(c.unit == "taliban" and c.plover == "MOBILIZE" and c.happened for c in cells.cells)
    assert "E-100" in by_key["2021-10", "united_states", "taliban", "CONSULT"].happened
    given = {"E-052", "E-053"}
    assert not any(given & set(c.happened) for c in cells.cells)
    assert {c.sample for c in cells.cells} == {"in"}
    assert by_key["2021-10", "taliban", "russia", "AGREE"].before is False
    assert [c.before for c in cells.cells if c.date == "2021-05"].count(True) == 0
    assert by_key["2021-09", "russia", "tajikistan", "MOBILIZE"].before is True
    assert cells.left_out == ["2021-11 to 2022-08: outside the scenario"]


def test_the_rule_names_only_what_there_is():
    rule = evidence.load("coverage.yaml")
    actors = {actor["id"] for actor in evidence.load("documents.yaml")["actors"]}
    events = {event["id"]: event for event in evidence.load("chronology.yaml")["events"]}
    named = [name for part in ("sources", "targets") for names in rule[part].values() for name in names]
    assert set(named) <= actors
    assert len(set(named)) == len(named)
    assert set(rule["given"]) <= set(events)
    assert set(rule["beside"]) <= {event.get("plover") for event in events.values()}


def test_runs_with_an_act_are_counted_once_a_cell(takeover: Prepared):
    cells = observed.cells(takeover.scenario, 7)
    history = ensemble(takeover.compiled, 1, range(30))
    counter = cells.counter(takeover.compiled)
    counter.add(Record.of(history))
    options = takeover.compiled.options
    plover = [takeover.compiled.codes[a][1] for a in takeover.compiled.tables.option_action[: len(options)]]
    done = set()
    for number, turn, o in zip(history.acts.run, history.acts.turn, history.acts.option, strict=True):
        actor, _, target = options[o]
        unit = "nobody" if target is None else cells.units[target]
        done.add((int(number), 4 + int(turn), actor, unit, plover[o]))
    for cell, count in zip(cells.cells, counter.counts, strict=True):
        month = int(cell.date[5:7])
        assert count == sum((n, month, cell.source, cell.unit, cell.plover) in done for n in range(30))
    assert counter.counts.max() <= 30
    assert counter.chances.min() > 0


def test_what_lies_out_of_sample_never_enters_what_is_in(takeover: Prepared, monkeypatch: pytest.MonkeyPatch):
    """A planted event, position and fact of the year after change nothing of what may be fitted on."""
    clean_cells = observed.cells(takeover.scenario, 7, ["in"])
    clean_places = observed.places(takeover.scenario, takeover.compiled, 7, ["in"])
    real = evidence.load

    def planted(name: str):
        held = copy.deepcopy(real(name))
        if name == "chronology.yaml":
            leak = copy.deepcopy(next(event for event in held["events"] if event["id"] == "E-043"))
            held["events"].append(leak | {"id": "E-999", "sample": "out", "date": "2021-09-01"})
        if name == "positions.yaml":
            leak = copy.deepcopy(next(place for place in held["positions"] if place["actor"] == "russia"))
            leak["rung"] = {"value": "recognition", "basis": "stated"}
            held["positions"].append(leak | {"sample": "out", "date": "2021-10"})
        return held

    monkeypatch.setattr(evidence, "load", planted)
    assert observed.cells(takeover.scenario, 7, ["in"]) == clean_cells
    assert observed.places(takeover.scenario, takeover.compiled, 7, ["in"]) == clean_places
    assert len(observed.places(takeover.scenario, takeover.compiled, 7)) > len(clean_places)  # it would be seen


def test_positions_are_scored_that_are_stated_or_implied_and_no_start():
    ready = prepare("year-one")
    places = observed.places(ready.scenario, ready.compiled, ready.turns)
    assert {place.date for place in places} == {"2022-08"}
    assert {place.basis for place in places} <= {"stated", "implied"}
    russia = next(place for place in places if (place.actor, place.ladder) == ("russia", "rung"))
    assert (russia.rungs[russia.low], russia.basis, russia.sample, russia.turn) == ("accredits", "stated", "out", 10)


def test_forecasts_from_the_record_know_its_rates(takeover: Prepared):
    cells = observed.cells(takeover.scenario, 7)
    bound = verdicts.bind(facts.read(sample="out"), takeover.scenario, takeover.compiled)
    found = {"model": scores.gather(bound, [ensemble(takeover.compiled, 1, range(20))], takeover.compiled, cells)}
    chances = scores.forecasts(cells, found)
    happened = cells.happened
    assert np.unique(chances["base_rate"]) == pytest.approx([happened.mean()])
    before = np.array([cell.before for cell in cells.cells])
    assert np.unique(chances["persistence"][before]) == pytest.approx(
        [(happened[before].sum() + 0.5) / (before.sum() + 1)]
    )
    dates = np.array([cell.date for cell in cells.cells])
    september, others = dates == "2021-09", dates != "2021-09"
    p = chances["model"]
    share = (p[others] * happened[others]).sum() / (p[others] ** 2).sum()
    assert chances["reported"][september] == pytest.approx(np.clip(p[september] * share, 1e-4, 1 - 1e-4))


def test_cells_are_a_table_with_the_events_behind_them(done: Hindcast):
    rows = done.cells.to_pylist()
    assert done.cells.schema.field("happened").type == pa.bool_()
    assert sum(row["happened"] for row in rows) == int(columns.values(done.cells["happened"]).sum())
    assert all((row["events"] is not None) == row["happened"] for row in rows)
    counted = done.reliability.to_pylist()
    assert sum(row["cells"] for row in counted if row["forecast"] == "model") == len(rows)

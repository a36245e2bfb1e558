"""A scenario becomes a run folder, and a recorded run the same run again."""

from pathlib import Path

import numpy as np
import pytest

from sim import runs, store
from sim.errors import BadInput, FolderProblem, Problems
from sim.runs import open_run, replay, run
from sim.scenario import as_data, parse, read, span

DATED = """
timeline:
  - {date: 2030-03, title: A truce is signed, set: {alba.safety: 0.9}}
  - {date: 2030-05-17, title: Borea recognises, act: {by: borea, action: recognise, target: front}}
"""


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial with two dated events."""
    path = tmp_path_factory.mktemp("scenario") / "dated.yaml"
    path.write_text(read("minimal").text() + DATED, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, dated: Path) -> runs.Run:
    """Twelve runs of it."""
    return run(dated, runs=12, seed=3, figures=False, out=tmp_path_factory.mktemp("small"))


def hashes(done: runs.Run) -> dict[str, str]:
    return {name: entry["hash"] for name, entry in done.manifest["tables"].items()}


def test_a_run_folder_holds_what_was_run_and_every_table(small: runs.Run, dated: Path):
    names = {path.name for path in small.folder.iterdir()}
    tables = {f"{name}.parquet" for name in (*runs.KEPT, "outcomes", "totals", "tally")}
    assert names == tables | {"manifest.json", "scenario.yaml"}
    manifest = small.manifest
    assert (manifest["runs"], manifest["seed"], manifest["turns"], manifest["policy"]) == (12, 3, 12, "quantal")
    assert manifest["source"] == str(dated)
    assert manifest["hashes"]["scenario"] == store.text_hash((small.folder / "scenario.yaml").read_text())
    assert {"tightrope", "python", "numpy", "numba"} <= manifest["versions"].keys()
    assert open_run(small.folder).manifest == manifest


def test_tables_are_as_long_as_runs_turns_and_pairs(small: runs.Run):
    assert small.states.num_rows == 12 * 13
    assert small.beliefs.num_rows == 12 * 13 * 2
    assert small.outcomes.num_rows == 12
    assert small.states.column_names == ["run", "turn", "date", *small.paths]
    assert small.totals["acts"].to_numpy().sum() == small.acts.num_rows


def test_turn_0_carries_the_period_before_the_first(small: runs.Run):
    assert small.states["date"].to_pylist()[:3] == ["2029-12", "2030-01", "2030-02"]
    assert small.acts["date"][0].as_py() == "2030-01"


@pytest.mark.parametrize(
    ("turn", "labels"),
    [("week", ["2029-12-25", "2030-01-01"]), ("quarter", ["2029-10", "2030-01"]), ("year", ["2029", "2030"])],
)
def test_every_length_of_turn_has_its_period_before(tutorial, turn: str, labels: list[str]):
    scenario = tutorial.model_copy(update={"turn": turn})
    assert runs.dates_from_start(scenario, 5)[:2] == labels


def test_turns_that_leave_the_calendar_are_refused(tutorial):
    with pytest.raises(BadInput, match="calendar"):
        runs.dates_from_start(tutorial.model_copy(update={"turn": "year", "start": "9990-01"}), 100)


def test_dated_events_and_their_acts_are_recorded(small: runs.Run):
    events = [row for row in small.events.to_pylist() if row["kind"] == "inject"]
    assert [(row["date"], row["title"]) for row in events[:2]] == [
        ("2030-03", "A truce is signed"),
        ("2030-05", "Borea recognises"),
    ]
    forced = [row for row in small.acts.to_pylist() if row["utility"] is None]
    assert [(row["date"], row["actor"], row["action"], row["succeeded"]) for row in forced] == [
        ("2030-05", "borea", "recognise", True)
    ] * 12
    assert small.outcomes["recognised"].to_pylist() == [True] * 12
    assert set(small.outcomes["recognised_date"].to_pylist()) == {"2030-05"}
    assert {row["goldstein"] for row in forced} == {6.0}


def test_results_depend_on_no_thread_and_no_number_of_runs(small: runs.Run, dated: Path, tmp_path: Path):
    alone = run(dated, runs=12, seed=3, figures=False, out=tmp_path / "one", threads=1)
    assert hashes(alone) == hashes(small)
    fewer = run(dated, runs=5, seed=3, figures=False, out=tmp_path / "two")
    assert fewer.acts.equals(small.acts.filter(np.less(small.acts["run"].to_numpy(), 5)))


def test_the_folders_scenario_suffices_to_run_again(small: runs.Run, tmp_path: Path):
    again = run(small.folder / "scenario.yaml", runs=12, seed=3, figures=False, out=tmp_path / "again")
    assert hashes(again) == hashes(small)


@pytest.mark.parametrize("number", [0, 7, 11])
def test_a_run_replays_alone_and_exactly(small: runs.Run, number: int):
    again = replay(small.folder, number)
    assert again.same
    assert again.changes == []
    assert again.compared == [*runs.KEPT, "outcomes"]
    assert again.tables["acts"].equals(small.one("acts", number))


def test_replay_notices_another_recording_and_another_scenario(small: runs.Run, tmp_path: Path, dated: Path):
    done = run(dated, runs=3, seed=4, figures=False, out=tmp_path / "run")
    text = (done.folder / "scenario.yaml").read_text()
    (done.folder / "scenario.yaml").write_text(text.replace("hazard: 0.02", "hazard: 0.9"))
    again = replay(done.folder, 1)
    assert again.changes == ["scenario.yaml has changed since this folder was written"]
    assert "events" in again.differing


def test_replay_says_when_the_code_has_changed(small: runs.Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sim.jit.rules_hash", lambda: "other")
    assert replay(small.folder, 0).changes == ["the model's code has changed since this folder was written"]


def test_overrides_policy_and_turns_are_replayed_too(dated: Path, tmp_path: Path):
    done = run(dated, runs=4, sets=["front.funds=0.9"], turns=15, policy="random", figures=False, out=tmp_path / "run")
    assert done.states["front.funds"][0].as_py() == 0.9
    assert done.manifest["dates"][-1] == "2031-03"
    assert replay(done.folder, 2).same


def test_turns_may_be_fewer_than_the_scenarios(dated: Path, tmp_path: Path):
    done = run(dated, runs=4, turns=3, figures=False, out=tmp_path / "run")
    assert done.states.num_rows == 4 * 4
    assert {row["title"] for row in done.events.to_pylist() if row["kind"] == "inject"} == {"A truce is signed"}
    assert None not in done.acts["utility"].to_pylist()  # the act of a later date is not among them


def test_under_the_frozen_policy_only_dated_acts_are_done(dated: Path, tmp_path: Path):
    done = run(dated, runs=4, policy="frozen", figures=False, out=tmp_path / "run")
    assert done.acts["action"].to_pylist() == ["recognise"] * 4


def test_above_1000_runs_outcomes_and_quantiles_are_kept(dated: Path, tmp_path: Path):
    many = run(dated, runs=1001, figures=False, out=tmp_path / "many")
    assert sorted(many.manifest["tables"]) == [
        f"{name}.parquet" for name in ("outcomes", "quantiles", "tally", "totals")
    ]
    assert not many.complete
    with pytest.raises(FolderProblem, match=r"states were not kept .*--full"):
        many.states  # noqa: B018
    full = run(dated, runs=1001, full=True, figures=False, out=tmp_path / "full")
    assert full.complete
    assert full.outcomes.equals(many.outcomes)
    assert full.quantiles.equals(many.quantiles)
    assert many.summary().as_dict() == full.summary().as_dict()
    again = replay(many.folder, 1000)
    assert (again.same, again.compared) == (True, ["outcomes"])
    assert replay(full.folder, 1000).same


def test_the_summary_reads_alike_from_the_folder(small: runs.Run):
    summary = open_run(small.folder).summary().as_dict()
    assert summary == small.summary().as_dict()
    assert [row["outcome"] for row in summary["outcomes"]] == ["recognised", "talks", "raids"]
    assert summary["outcomes"][0]["share"] == 1
    assert summary["outcomes"][0]["date"] == "2030-05"
    assert {row["path"]: row["median"] for row in summary["rungs"]}["borea.front.contact"] == "recognition"


def test_figures_are_drawn_into_the_folder_and_change_no_table(dated: Path, small: runs.Run, tmp_path: Path):
    done = run(dated, runs=12, seed=3, out=tmp_path / "run")
    assert hashes(done) == hashes(small)
    assert {path.suffix for path in (done.folder / "figures").iterdir()} == {".png", ".svg"}
    assert open_run(done.folder).manifest == done.manifest


def test_a_missing_or_shortened_table_is_named(dated: Path, tmp_path: Path):
    done = run(dated, runs=2, figures=False, out=tmp_path / "run")
    path = done.folder / "acts.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FolderProblem, match=r"acts\.parquet: damaged"):
        open_run(done.folder)
    path.unlink()
    with pytest.raises(FolderProblem, match=r"acts\.parquet: missing"):
        open_run(done.folder)


@pytest.mark.parametrize(
    "options",
    [{"runs": 0}, {"runs": 10**9}, {"seed": -1}, {"seed": 2**64}, {"policy": "bold"}, {"turns": 0}, {"turns": 10**9}],
)
def test_impossible_options_are_refused_before_anything_is_written(tmp_path: Path, options: dict):
    with pytest.raises(BadInput, match=r"must be|no such policy"):
        run("minimal", figures=False, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_bad_input_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text("tightrope: 1\n")
    with pytest.raises(Problems):
        run("bad.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


def test_an_interrupt_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(done: int, wanted: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run("minimal", runs=50, progress=interrupt)
    assert list((tmp_path / "runs").iterdir()) == []


def test_default_folders_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folders = [run("minimal", runs=1, figures=False).folder for _ in range(2)]
    assert folders == [Path("runs/minimal-1"), Path("runs/minimal-2")]


def test_a_run_that_the_folder_does_not_hold_is_refused(small: runs.Run):
    for number in (-1, 12):
        with pytest.raises(BadInput, match="it holds runs 0 to 11"):
            replay(small.folder, number)


# ------------------------------------------------------------------------------------------------------ questions


def asked(tutorial, outcome: dict):
    """The question that an outcome becomes, and the tables it asks of."""
    ready = runs.prepared(parse(as_data(tutorial) | {"outcomes": {"q": outcome}}), "")
    return ready.questions[0], ready.compiled


def test_counted_acts_are_those_of_every_word_named(tutorial):
    question, compiled = asked(tutorial, {"count": {"by": "state", "plover": "CONSULT"}})
    assert {compiled.options[o] for o in question.options} == {("alba", "talk", "front"), ("borea", "talk", "front")}
    question, compiled = asked(tutorial, {"count": {"toward": "borea"}})
    assert {compiled.options[o] for o in question.options} == {("front", "promise", "borea")}


@pytest.mark.parametrize(
    ("span", "turns"),
    [
        ({}, (1, 10**9)),
        ({"from": "2030-03"}, (3, 10**9)),
        ({"until": "2030-04"}, (1, 4)),
        ({"from": "2030-02-11", "until": "2030-02-20"}, (2, 2)),
    ],
)
def test_counted_dates_become_turns(tutorial, span: dict, turns: tuple[int, int]):
    assert asked(tutorial, {"count": {"action": "talk"} | span})[0].turns == turns


def test_weeks_of_a_month_are_counted_to_its_end(tutorial):
    weekly = tutorial.model_copy(update={"turn": "week", "turns": 12})
    assert span(weekly, "2030-01", "2030-01") == (1, 5)


def test_a_rungs_name_becomes_its_number(tutorial):
    question, compiled = asked(tutorial, {"end": "state.front.contact", "at_least": "mission", "over": "number"})
    assert question.at_least == 2
    assert [compiled.paths[s] for s in question.slots] == ["alba.front.contact", "borea.front.contact"]
    assert (question.yes_or_no, question.dated) == (False, False)

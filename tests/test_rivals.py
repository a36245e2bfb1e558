"""Rival theories side by side: the same runs as alone, and a verdict by a rule with known answers."""

import json
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pytest

from sim import rivals, runs, store
from sim.cli import main
from sim.errors import BadInput, FolderProblem
from sim.form import Policy
from sim.rivals import THEORIES, open_theories, theories

WORLD = Path(__file__).with_name("dealings.yaml")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> rivals.Theories:
    """Thirty runs under each theory."""
    return theories(WORLD, runs=30, seed=4, figures=False, out=tmp_path_factory.mktemp("rivals"))


def test_every_theory_that_there_is_is_compared():
    assert sorted(THEORIES) == sorted(get_args(Policy))


def test_each_theory_gives_what_it_gives_alone(done: rivals.Theories, tmp_path: Path):
    for theory in ("quantal", "challenge", "random"):
        alone = runs.run(WORLD, runs=30, seed=4, policy=theory, figures=False, out=tmp_path / theory)
        beside = done.run(theory)
        assert beside.manifest["policy"] == theory
        for name, entry in alone.manifest["tables"].items():
            assert beside.manifest["tables"][name]["hash"] == entry["hash"], (theory, name)
        rows = [row for row in done.outcomes.to_pylist() if row.pop("theory") == theory]
        assert rows == alone.summary().outcomes.to_pylist()


def test_the_folder_reads_back_and_each_theorys_folder_replays(done: rivals.Theories):
    again = open_theories(done.folder)
    assert again.manifest == done.manifest
    for name in rivals.TABLES:
        assert store.table_hash(getattr(again, name)) == store.table_hash(getattr(done, name))
    assert runs.replay(done.folder / "reinforcement", 7).same
    with pytest.raises(FolderProblem, match="not a run folder, but a folder of kind 'theories'"):
        runs.open_run(done.folder)
    with pytest.raises(FolderProblem, match="not a comparison of theories, but a folder of kind 'run'"):
        open_theories(done.folder / "quantal")


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.51, 0.9, "yes"), (0.1, 0.49, "no"), (0.4, 0.6, "undecided"), (0.5, 0.9, "undecided"), (0, 0.5, "undecided")],
)
def test_an_interval_that_holds_one_half_decides_nothing(low: float, high: float, expected: str):
    assert rivals.verdict(low, high) == expected


def concluded(answers: dict[str, tuple[float, float]], rungs: dict[str, str]) -> list[dict]:
    """Conclusions of one yes/no outcome with these intervals and one ladder at these rungs, by theory."""
    kinds = [{"theory": theory, "outcome": "calm", "title": "Calm?", "kind": "yes/no", "low": low, "high": high}
             for theory, (low, high) in answers.items()]  # fmt: skip
    place = {"path": "a.b.contact", "actor": "a", "target": "b", "ladder": "contact"}
    ladders = [place | {"theory": theory, "modal": rung} for theory, rung in rungs.items()]
    names = {"actors": {"a": "A", "b": "B"}, "indicators": {"contact": "Contact"}}
    return rivals._conclusions(pa.Table.from_pylist(kinds), pa.Table.from_pylist(ladders), names).to_pylist()


def test_a_conclusion_survives_where_all_theories_draw_it():
    outcome, rung = concluded(dict.fromkeys(THEORIES, (0.6, 0.9)), dict.fromkeys(THEORIES, "open"))
    assert (outcome["survives"], outcome["conclusion"], outcome["quantal"]) == (True, "yes", "yes")
    assert (rung["title"], rung["survives"], rung["conclusion"]) == ("Contact: A towards B", True, "open")


def test_one_theory_that_is_undecided_or_of_another_mind_breaks_it():
    even = dict.fromkeys(THEORIES, (0.6, 0.9))
    outcome, rung = concluded(even | {"challenge": (0.4, 0.7)}, dict.fromkeys(THEORIES, "open") | {"trend": "shut"})
    assert (outcome["survives"], outcome["survives_informed"], outcome["conclusion"]) == (False, False, None)
    assert (rung["survives"], rung["trend"]) == (False, "shut")
    outcome, _ = concluded(dict.fromkeys(THEORIES, (0.4, 0.6)), dict.fromkeys(THEORIES, "open"))
    assert not outcome["survives"]  # all undecided is no conclusion


def test_theories_that_know_nothing_of_wants_are_told_apart():
    answers = dict.fromkeys(THEORIES, (0.6, 0.9)) | {"random": (0.1, 0.2), "frozen": (0.0, 0.1)}
    outcome, _ = concluded(answers, dict.fromkeys(THEORIES, "open"))
    assert (outcome["survives"], outcome["survives_informed"], outcome["conclusion"]) == (False, True, "yes")


def test_the_modal_rung_is_the_one_that_most_runs_share(tmp_path: Path):
    found = theories("minimal", runs=25, figures=False, out=tmp_path / "minimal")
    rows = {(row["theory"], row["path"]): row for row in found.rungs.to_pylist()}
    for theory in ("quantal", "random"):
        one = found.run(theory)
        for path, rungs in one.ladders.items():
            ends = [row[path] for row in one.states.to_pylist() if row["turn"] == 12]
            counts = [ends.count(rung) for rung in range(len(rungs))]
            row = rows[theory, path]
            assert (row["modal"], row["share"]) == (rungs[counts.index(max(counts))], max(counts) / 25)


def test_what_a_theory_lacks_is_told_in_a_line(done: rivals.Theories, tmp_path: Path):
    assert [note.split(":")[0] for note in done.notes] == ["trend"]
    plain = theories("minimal", runs=2, figures=False, out=tmp_path / "plain")
    assert [note.split(":")[0] for note in plain.notes] == ["challenge", "trend"]


def test_more_runs_than_are_kept_are_refused_before_anything_runs(tmp_path: Path):
    with pytest.raises(BadInput, match="at most 1,000 runs, or --full"):
        theories(WORLD, runs=1001, out=tmp_path / "many")
    assert not (tmp_path / "many").exists()


def test_a_fault_in_one_theory_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def failing(
        source: object, runs_: int, seed: int, sets: object, turns: object, policy: str, *rest: object
    ) -> object:
        if policy == "random":
            raise KeyboardInterrupt
        return runs.run(source, runs_, seed, sets, turns, policy, *rest)

    monkeypatch.setattr(rivals, "run", failing)
    with pytest.raises(KeyboardInterrupt):
        theories(WORLD, runs=2, figures=False, out=tmp_path / "broken")
    assert not (tmp_path / "broken").exists()


def test_the_command_sets_theories_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture):
    arguments = ["run", str(WORLD), "--policy", "all", "--runs", "20", "--no-figures"]
    assert main([*arguments, "--out", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    for words in (*THEORIES, "Is it calm at the end?", "Survives", "20 runs under each theory", "note: trend:"):
        assert words in out
    assert "Of 1 yes/no outcomes" in out
    assert main([*arguments, "--json", "--out", str(tmp_path / "b")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["theories"] == list(THEORIES)
    assert [row["theory"] for row in told["outcomes"] if row["outcome"] == "calm"] == list(THEORIES)
    assert {"kind", "name", "survives", "quantal", "conclusion"} <= told["conclusions"][0].keys()


def test_figures_are_drawn_of_the_scenarios_own_theory_alone(tmp_path: Path):
    found = theories(WORLD, runs=2, out=tmp_path / "drawn")
    assert [theory for theory in THEORIES if (found.folder / theory / "figures").is_dir()] == ["quantal"]

"""Whose word was worth what: sums of a register with known answers, and the command that prints them."""

from pathlib import Path

import numpy as np
import pytest

from sim import ledger as accounting
from sim import register, runs, store
from sim.analysis import mean_interval
from sim.cli import main
from sim.errors import BadInput, FolderProblem
from sim.ledger import ledger

WORLD = Path(__file__).with_name("dealings.yaml")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """Forty runs in which a third deals, watches and joins."""
    return runs.run(WORLD, runs=40, seed=2, figures=False, out=tmp_path_factory.mktemp("ledger"))


def test_a_summary_counts_each_givers_promises_of_a_kind(done: runs.Run):
    promises = done.promises.to_pylist()
    rows = {(row["giver"], row["kind"]): row for row in ledger(done.folder).summary.to_pylist()}
    assert rows.keys() == {(row["giver"], row["kind"]) for row in promises}
    for (giver, kind), row in rows.items():
        mine = [one for one in promises if (one["giver"], one["kind"]) == (giver, kind)]
        for name in accounting.COUNTED:
            held = [one["run"] for one in mine if name == "given" or one["status"] == name]
            expected = mean_interval(np.bincount(held, minlength=40))
            assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(expected)
        kept, broken = (sum(one["status"] == status for one in mine) for status in ("kept", "broken"))
        assert row["kept_share"] == pytest.approx(kept / (kept + broken))
        assert row["given"] == pytest.approx(sum(row[status] for status in register.STATUSES))


def test_beliefs_are_means_over_promises_whose_end_was_taken_in(done: runs.Run):
    beliefs = done.promise_beliefs.to_pylist()
    for row in ledger(done.folder).beliefs.to_pylist():
        key = ("giver", "kind", "audience")
        mine = [one for one in beliefs if all(one[name] == row[name] for name in key) and one["after"] is not None]
        assert row["promises"] == len(mine)
        assert row["before"] == pytest.approx(np.mean([one["before"] for one in mine]))
        assert row["after"] == pytest.approx(np.mean([one["after"] for one in mine]))
        assert row["change"] == pytest.approx(row["after"] - row["before"])
        by_run = {run: [one["after"] - one["before"] for one in mine if one["run"] == run] for run in range(40)}
        _, low, high = mean_interval([np.mean(changes) for changes in by_run.values() if changes])
        assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_one_run_is_counted_alone_and_shown_whole(done: runs.Run):
    one = ledger(done.folder, run=7)
    mine = [row for row in done.promises.to_pylist() if row["run"] == 7]
    assert one.promises.to_pylist() == mine
    assert sum(row["given"] for row in one.summary.to_pylist()) == len(mine)
    assert ledger(done.folder).promises.to_pylist() == [row for row in done.promises.to_pylist() if row["run"] == 0]


def test_a_giver_and_a_receiver_narrow_it(done: runs.Run):
    to_north = ledger(done.folder, giver="rebels", receiver="north")
    assert {row["giver"] for row in to_north.summary.to_pylist()} == {"rebels"}
    promises = [row for row in done.promises.to_pylist() if (row["giver"], row["receiver"]) == ("rebels", "north")]
    assert sum(row["given"] for row in to_north.summary.to_pylist()) * 40 == pytest.approx(len(promises))
    assert {row["receiver"] for row in to_north.promises.to_pylist()} <= {"north"}
    counted = sum(row["promises"] for row in to_north.beliefs.to_pylist() if row["audience"] == "north")
    assert counted <= len(promises)


def test_who_promised_nothing_has_an_empty_ledger(tmp_path: Path):
    silent = runs.run(WORLD, runs=3, policy="frozen", figures=False, out=tmp_path / "silent")
    found = ledger(silent.folder)
    assert [table.num_rows for table in (found.summary, found.beliefs, found.promises)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"giver": "nort"}, "--giver nort: no such actor; did you mean north?"),
        ({"receiver": "xyz"}, "--receiver xyz: no such actor; one of east, north, rebels"),
        ({"run": 40}, "no run 40; it holds runs 0 to 39"),
        ({"run": -1}, "no run -1"),
    ],
)
def test_what_there_is_not_is_refused_in_a_line(done: runs.Run, asked: dict, message: str):
    with pytest.raises(BadInput) as refused:
        ledger(done.folder, **asked)
    assert message in str(refused.value)


def test_folders_that_keep_no_promises_say_how_to_get_them(tmp_path: Path):
    many = runs.run(WORLD, runs=1001, turns=2, figures=False, out=tmp_path / "many")
    with pytest.raises(FolderProblem, match=r"promises were not kept \(more than 1,000 runs\); run again with --full"):
        ledger(many.folder)


def test_folders_of_an_older_version_say_so(done: runs.Run, tmp_path: Path):
    old = runs.run(WORLD, runs=2, figures=False, out=tmp_path / "old")
    tables = {name: entry for name, entry in old.manifest["tables"].items() if name != "promises.parquet"}
    store.write_manifest(old.folder, old.manifest | {"tables": tables})
    with pytest.raises(FolderProblem, match="run again with this version of Tightrope"):
        ledger(old.folder)


def test_the_command_prints_the_sums_the_minds_and_the_promises(done: runs.Run, capsys: pytest.CaptureFixture):
    assert main(["ledger", str(done.folder), "--run", "3"]) == 0
    out = capsys.readouterr().out
    for words in ("Whose word was worth what. Run 3", "Kept of settled", "Moved most", "Promises of run 3"):
        assert words in out
    first = done.one("promises", 3).to_pylist()[0]
    assert first["given_date"] in out
    assert first["status"] in out
    assert main(["ledger", str(done.folder)]) == 0
    out = capsys.readouterr().out
    assert "40 runs; a run: mean ± half its 95% interval" in out
    assert "Promises of run 0" in out


def test_the_command_gives_the_same_to_machines(done: runs.Run, capsys: pytest.CaptureFixture):
    import json

    assert main(["ledger", str(done.folder), "--giver", "rebels", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"] == ledger(done.folder, giver="rebels").summary.to_pylist()
    assert {row["giver"] for row in told["beliefs"]} == {"rebels"}
    assert told["promises"] == ledger(done.folder, giver="rebels").promises.to_pylist()


def test_the_command_says_when_nobody_promised_anything(tmp_path: Path, capsys: pytest.CaptureFixture):
    silent = runs.run(WORLD, runs=2, policy="frozen", figures=False, out=tmp_path / "silent")
    assert main(["ledger", str(silent.folder)]) == 0
    assert "nobody promised anybody anything" in capsys.readouterr().out


def test_a_run_prints_what_came_of_bargains_and_fora_where_there_are_any(
    done: runs.Run, tmp_path: Path, capsys: pytest.CaptureFixture
):
    assert main(["run", str(WORLD), "--runs", "5", "--no-figures", "--out", str(tmp_path / "a")]) == 0
    out = capsys.readouterr().out
    assert "offers a loan against arms" in out
    assert "the round table" in out
    assert "Statements a run" in out
    assert main(["run", "minimal", "--runs", "5", "--no-figures", "--out", str(tmp_path / "b")]) == 0
    out = capsys.readouterr().out
    assert "Bargains" not in out
    assert "Fora" not in out

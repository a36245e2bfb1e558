"""What the benchmarks compare does the same, and they run; how fast anything is, no test asks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as cli
from benchmarks import measures, report, studies
from benchmarks.worlds import generated
from sim.scenario import parse

ROOT = Path(__file__).resolve().parent.parent

WORLDS = {
    "minimal": "minimal",
    measures.PLAIN: measures.plain("takeover-2021"),
    "six actors": json.dumps(generated(6, turns=8)),
    "another seed": json.dumps(generated(5, turns=12, seed=4)),
    "few minded": json.dumps(generated(7, turns=6, minded=3)),
}


@pytest.mark.parametrize("name", WORLDS)
def test_the_ordinary_model_and_the_ensemble_do_the_same_run_by_run(name):
    agreed = measures.agreement(WORLDS[name], measures.compiled(WORLDS[name]), range(3))
    assert agreed.same, agreed.told()
    assert agreed.acts > 10


def test_runs_that_differ_are_told():
    other = measures.compiled(json.dumps(generated(6, turns=8, seed=2)))
    agreed = measures.agreement(WORLDS["six actors"], other, range(2))
    assert not agreed.same
    assert "2 of 2 runs differ" in agreed.told()


def test_generated_worlds_are_as_large_as_asked_for_and_the_same_every_time():
    assert generated(12, seed=3) == generated(12, seed=3)
    for actors in (5, 12):
        world = parse(generated(actors, turns=8))
        assert (len(world.actors), len(world.actions), world.turns) == (actors, 18, 8)
    minded = generated(12, minded=4)["actors"]
    assert {len(actor["stakes"]) for actor in minded.values()} == {4}


def test_a_ratio_is_that_of_the_best_times_and_its_spread_is_told():
    times = measures.Times([3.0, 2.0, 8.0], [1.0, 1.0, 2.0])
    assert times.ratio == 2.0
    assert times.told() == "2 times (median 3, 2 to 4)"


def test_one_part_is_measured_and_only_it_is_written_down(tmp_path):
    page = tmp_path / "page.md"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "ensemble", "--write", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert "ensemble and Mesa do the same, minimal: 3 runs" in lines[0]
    text = page.read_text()
    assert "python -m benchmarks --only ensemble --quick --write" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Machine", "## The ensemble against an ordinary Mesa model", "## To repeat",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_part_of_studies_measures_every_promise():
    part = studies.studies(quick=True)
    assert [line.what for line in part.lines] == [
        "two cores with Parquet against mesa.batch_run on two processes", "speed kept with writing",
        "two workers against one", "Dask's two local workers against ours",
        "a Latin hypercube against as many replicates of one point", "resuming a finished study of 4,000 runs",
        "parent's peak memory at 4,000 runs against 2,000", "4,000 runs",
    ]  # fmt: skip
    assert {len(row) for row in part.rows} == {len(part.headings)}


def test_a_part_that_is_not_there_is_told(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--only", "ensemble,speed"])
    assert stopped.value.code == 2
    assert "no part is called speed; there are ensemble, threads" in capsys.readouterr().err


def test_where_the_work_was_not_the_same_the_command_fails(monkeypatch, capsys):
    part = report.Part("Title", "About.", [report.Line("what", "target", "measured", True)], valid=False)
    monkeypatch.setattr("os.environ", dict(os.environ))
    monkeypatch.setitem(cli.PARTS, "ensemble", lambda quick: part)
    assert cli.main(["--only", "ensemble"]) == 1
    assert capsys.readouterr().out == "what: measured (target): met\n"

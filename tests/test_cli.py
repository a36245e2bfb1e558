"""Each verb, its output, its exit code, and that nobody ever sees a traceback."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from sim import cli, runs
from sim.cli import main
from sim.form import Policy
from sim.scenario import read

ROOT = Path(__file__).resolve().parent.parent
VERBS = tuple(command.callback.__name__ for command in cli.app.registered_commands)


@pytest.fixture(autouse=True)
def elsewhere_than_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sim.jit.is_warm", lambda: True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Ten runs of the tutorial."""
    return str(runs.run("minimal", runs=10, figures=False, out=tmp_path_factory.mktemp("run")).folder)


def told(capsys: pytest.CaptureFixture, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    code = main(list(arguments))
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    return code, shown.out, shown.err


def process(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", "import sys; from sim.cli import main; sys.exit(main())", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, **options,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------- the verbs


def test_help_names_every_verb_and_the_exit_codes(capsys: pytest.CaptureFixture):
    code, out, _ = told(capsys, "--help")
    assert code == 0
    assert all(verb in out for verb in VERBS)
    assert "130 interrupted" in out


def test_without_a_verb_the_help_is_laid_out(capsys: pytest.CaptureFixture):
    help_ = told(capsys, "--help")
    assert told(capsys) == help_
    assert help_[1].count("\n") > len(VERBS)


def test_the_readme_names_every_verb():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in VERBS if f"`tightrope {verb}" not in text] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(capsys: pytest.CaptureFixture, verb: str):
    code, out, _ = told(capsys, verb, "--help")
    assert code == 0
    assert out.startswith(f"Usage: tightrope {verb}")


@pytest.mark.parametrize("verb", ["run", "compare"])
def test_policies_are_named_where_one_is_asked_for(capsys: pytest.CaptureFixture, verb: str):
    words = told(capsys, verb, "--help")[1].replace(",", " ").replace(".", " ").split()
    assert [policy for policy in get_args(Policy) if policy not in words] == []


def test_help_brings_in_nothing_heavy():
    program = """
import sys
from sim.cli import main
main(["--help"])
heavy = {"numpy", "numba", "pyarrow", "pydantic", "yaml", "pandas", "mesa", "matplotlib", "duckdb", "scipy"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_run_without_figures_brings_in_only_what_it_needs():
    program = """
import sys
from sim.cli import main
main(["run", "minimal", "--runs", "1", "--no-figures", "--out", sys.argv[1]])
heavy = {"pandas", "mesa", "matplotlib", "duckdb", "scipy.linalg", "pyarrow.dataset", "pyarrow.compute", "networkx"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path.cwd() / "run")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.endswith("[]\n")


def test_run_prints_outcomes_rungs_acts_and_the_folder(capsys: pytest.CaptureFixture):
    code, out, _ = told(capsys, "run", "minimal", "--runs", "20", "--no-figures")
    assert code == 0
    assert "20 runs of 12 turns, 2030-01 to 2030-12; seed 1, policy quantal" in out
    assert "Does anyone recognise the Front?" in out
    assert "95% interval" in out
    assert "Rungs at the end, 2030-12" in out
    assert "reins in raiders" in out
    assert out.endswith("Run folder: runs/minimal-1\n")
    assert runs.open_run("runs/minimal-1").runs == 20


def test_run_gives_the_same_to_machines(capsys: pytest.CaptureFixture):
    code, out, _ = told(
        capsys, "run", "minimal", "--runs", "5", "--seed", "9", "--set", "front.funds=0.9", "--turns", "4",
        "--policy", "random", "--no-figures", "--json", "--out", "here",
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert (found["runs"], found["seed"], found["turns"], found["policy"], found["folder"]) == (
        5,
        9,
        4,
        "random",
        "here",
    )
    assert found["sets"] == ["front.funds=0.9"]
    assert [row["outcome"] for row in found["outcomes"]] == ["recognised", "talks", "raids"]
    assert {row["path"] for row in found["rungs"]} == {"alba.front.contact", "borea.front.contact"}
    assert found["acts"]


def test_several_scenarios_get_a_folder_each(capsys: pytest.CaptureFixture):
    code, out, _ = told(capsys, "run", "minimal", "minimal", "--runs", "2", "--no-figures", "--json", "--out", "both")
    assert code == 0
    assert [found["folder"] for found in json.loads(out)] == ["both/minimal", "both/minimal-2"]


def test_check_prints_what_a_scenario_holds(capsys: pytest.CaptureFixture):
    code, out, _ = told(capsys, "check", "minimal")
    assert code == 0
    assert "3 actors with 6 interests" in out
    assert "Best options at the start" in out
    code, out, _ = told(capsys, "check", "minimal", "--json")
    assert json.loads(out)["counts"]["actors"] == 3


def test_check_goes_on_after_a_bad_file(capsys: pytest.CaptureFixture):
    Path("bad.yaml").write_text("tightrope: 1\n")
    code, out, err = told(capsys, "check", "bad.yaml", "minimal", "--json")
    assert code == 2
    assert [report["title"] for report in json.loads(out)] == [read("minimal").scenario.title]
    assert all(line.startswith("bad.yaml:") for line in err.splitlines()[:-1])


def test_replay_says_that_every_bit_came_out_again(capsys: pytest.CaptureFixture, folder: str):
    code, out, err = told(capsys, "replay", folder, "--run", "3")
    assert (code, err) == (0, "")
    assert f"Run 3: as recorded, bit for bit: {', '.join(runs.KEPT)}, outcomes" in out
    code, out, _ = told(capsys, "replay", folder, "--run", "3", "--json")
    assert json.loads(out)["same"] is True


def test_replay_of_what_has_changed_ends_with_3(capsys: pytest.CaptureFixture, tmp_path: Path):
    done = runs.run("minimal", runs=2, figures=False, out=tmp_path / "run")
    path = done.folder / "scenario.yaml"
    path.write_text(path.read_text().replace("hazard: 0.02", "hazard: 0.9"))
    code, _, err = told(capsys, "replay", str(done.folder), "--run", "0")
    assert code == 3
    assert "scenario.yaml has changed" in err.splitlines()[0]
    assert "came out differently" in err.splitlines()[1]


def test_explain_prints_a_decision_card(capsys: pytest.CaptureFixture, folder: str):
    code, out, _ = told(capsys, "explain", folder, "--actor", "front", "--turn", "2030-03")
    assert code == 0
    assert "2030" in out
    code, out, _ = told(capsys, "explain", folder, "--actor", "front", "--turn", "3", "--run", "2", "--json")
    assert json.loads(out)["folder"] == folder
    code, _, err = told(capsys, "explain", folder, "--actor", "frnt", "--turn", "3")
    assert code == 2
    assert err.count("\n") <= 2


def test_sources_prints_coverage_and_what_has_neither(capsys: pytest.CaptureFixture):
    code, out, _ = told(capsys, "sources", "minimal")
    assert code == 0
    assert "numbers: 0 on claims, 0 on claims and assumptions, " in out
    code, out, _ = told(capsys, "sources", "minimal", "--json")
    found = json.loads(out)
    assert len(found["numbers"]) == found["coverage"]["numbers"]
    assert found["neither"] == found["unknown"] == []


def test_export_writes_a_file_a_table(capsys: pytest.CaptureFixture, folder: str):
    code, out, _ = told(capsys, "export", folder, "--csv", "--out", "sheets", "--json")
    assert code == 0
    assert {Path(item["file"]).name for item in json.loads(out)} == {
        f"{name}.csv" for name in (*runs.KEPT, "outcomes", "totals", "tally")
    }
    with Path("sheets/outcomes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert rows[3]["run"] == "3"
    assert told(capsys, "export", folder)[0] == 2


def test_too_little_memory_is_told_in_one_line(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr("sim.scenario.read", full)
    code, out, err = told(capsys, "check", "minimal")
    assert (code, out) == (2, "")
    assert err.startswith("the memory of this computer does not suffice")
    assert err.count("\n") == 1


def test_schemas_are_json(capsys: pytest.CaptureFixture):
    for options, key in (((), "actors"), (("--study",), "vary")):
        code, out, _ = told(capsys, "schema", *options)
        assert code == 0
        assert key in json.loads(out)["properties"]


def test_every_faulty_override_is_told_at_once(capsys: pytest.CaptureFixture):
    code, _, err = told(capsys, "run", "minimal", "--set", "turns", "--set", "front.fnds=1", "--set", "turns=x")
    assert code == 2
    assert [line.partition(": ")[0] for line in err.splitlines()] == [
        "--set turns", "--set front.fnds", "--set turns", "3 problems; nothing was run",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------- problems, one line


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rnu"], 2, "Did you mean 'run'"),
        (["run"], 2, "tightrope run: Missing argument"),
        (["run", "minimal", "--runs", "many"], 2, "--runs"),
        (["run", "minimal", "--runs", "0"], 2, "--runs 0: must be 1.."),
        (["run", "minimal", "--policy", "bold"], 2, "no such policy"),
        (["run", "minimal", "--set", "alba.safty=1"], 2, 'did you mean "alba.safety"?'),
        (["run", "no-such-scenario"], 2, "no such file"),
        (["run", "."], 2, ""),
        (["replay", "no-such-folder", "--run", "1"], 3, "no such run folder"),
        (["replay", ".", "--run", "1"], 3, "not a run folder"),
        (["export", "/dev/null", "--csv"], 3, "no such run folder"),
        (["explain", ".", "--actor", "a", "--turn", "1"], 3, "not a run folder"),
        (["sources", "no-such-scenario"], 2, "no such file"),
    ],
)
def test_each_problem_is_one_line_on_stderr_with_its_code(
    capsys: pytest.CaptureFixture, arguments: list[str], code: int, message: str
):
    found, out, err = told(capsys, *arguments)
    assert (found, out) == (code, "")
    lines = err.splitlines()
    assert message in lines[0]
    assert lines[1:] in ([], ["1 problem; nothing was run"])
    assert not Path("runs").exists()


def test_a_folder_that_is_not_empty_ends_with_3(capsys: pytest.CaptureFixture, folder: str):
    code, _, err = told(capsys, "run", "minimal", "--out", folder, "--no-figures")
    assert code == 3
    assert "not empty (it holds a run)" in err


def test_a_read_only_place_ends_with_4(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    code, out, err = told(capsys, "run", "minimal", "--no-figures")
    assert (code, out) == (4, "")
    assert err == "runs: the file system is read-only; choose another folder with --out\n"


def test_a_full_disk_ends_with_4_and_leaves_nothing():
    done = process("run", "minimal", "--runs", "300", "--no-figures", preexec_fn=_little_room)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1].endswith("raise the limit or keep less")
    assert "Traceback" not in done.stderr
    assert list(Path("runs").iterdir()) == []


def _little_room() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))


def test_a_fault_of_ours_is_told_without_a_traceback(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise ValueError("unforeseen\nin two lines")

    monkeypatch.setattr(runs, "run", fail)
    code, out, err = told(capsys, "run", "minimal")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "a fault of Tightrope, not of yours: ValueError: unforeseen in two lines"


# ------------------------------------------------------------------------------------------------ signals and streams


def test_an_interrupt_ends_with_130_and_leaves_no_folder():
    program = "import sys; from sim.cli import main; sys.exit(main())"
    running = subprocess.Popen(
        [sys.executable, "-c", program, "run", "minimal", "--runs", "5000000", "--no-figures"],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stderr is not None
    line = running.stderr.readline()
    while line and "left" not in line:  # its progress: it is running now
        line = running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in err
    assert list(Path("runs").iterdir()) == []


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -c 'import sys; from sim.cli import main; sys.exit(main())' schema; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | head -c 10"], env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == "0\n"
    assert len(done.stdout) == 10


def test_text_that_the_terminal_cannot_show_is_no_error(folder: str):
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from sim.cli import main; sys.exit(main())", "check", "minimal"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_progress_is_silent_for_a_second_and_then_says_how_long(capsys: pytest.CaptureFixture, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with cli.Progress("runs") as progress:
        for now, done in ((0.1, 10), (0.9, 90), (2.1, 210), (2.2, 220), (20.0, 900), (30.0, 1000)):
            clock[0] = now
            progress(done, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "runs 210 of 1,000 (21%), 100 a second, about 8 s left",
        "runs 900 of 1,000 (90%), 45 a second, about 3 s left",
    ]


def test_the_first_compilation_is_announced(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sim.jit.is_warm", lambda: False)
    cli.announce_compilation()
    assert capsys.readouterr().err.startswith("Compiling the model")

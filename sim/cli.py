"""The command line: one public function a verb. A thin face over `sim`, which nothing imports.

Heavy imports happen inside the verb that needs them, so that `--help` answers at once. Results go to stdout, progress
and problems to stderr, each problem as one line; the exit code says whose fault it was.
"""

from __future__ import annotations

import gc
import io
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.errors import BadInput, FolderProblem, UserError

if TYPE_CHECKING:
    from rich.table import Table

    from sim.calibrate import Calibration
    from sim.checks import Report
    from sim.compare import Comparison
    from sim.evidence import Sources
    from sim.findings import Findings, Told
    from sim.hindcast import Hindcast
    from sim.ledger import Ledger
    from sim.rivals import Theories
    from sim.runs import Replay, Run
    from sim.sensitivity import Index
    from sim.sweep import Forecast
    from sim.swept import Swept

POLICIES = "quantal, best, random, frozen, trend, reinforcement or challenge"
INTERRUPTED = 130
FAULT = 1
TOP = 5  # acts shown of each actor, failures of a study
SHOWN_AXES = 20
STRONGEST = 12  # axes of an analysis
MOVED = 3  # audiences of a promise

app = typer.Typer(
    name="tightrope",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: laying it out with rich takes longer than all the rest of --help
    help="How states and armed movements deal with one another when nobody can be sure that a promise holds.",
    epilog="Exit codes: 0 done; 1 some runs failed; 2 bad input; 3 run folder in use, foreign, damaged or not empty; "
    "4 storage; 130 interrupted.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Parameters = Annotated[
    Path | None,
    typer.Option("--parameters", metavar="FILE", help="Sets of parameters that runs draw from; calibrate writes one."),
]
Players = Annotated[
    list[str] | None,
    typer.Option("--player", metavar="ACTOR=FILE.py:CLASS", help="A class that chooses for an actor; one for each."),
]
Folder = Annotated[Path, typer.Argument(metavar="RUNDIR", help="A run folder.", show_default=False)]


# --------------------------------------------------------------------------------------------------------- the verbs


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, or names of shipped scenarios.")],
    as_json: Json = False,
) -> None:
    """Validate scenarios and studies; print what they hold, what in them is likely a fault, and what a study takes."""
    from sim import scenario as reading
    from sim import study

    reports: list[dict[str, Any]] = []
    code = 0
    for file in files:
        try:
            if study.is_study(file):
                announce_compilation()
                from sim import sweep as sweeping

                forecast = sweeping.check(file)
                reports.append(vars(forecast))
                if not as_json:
                    echo(("" if len(reports) == 1 else "\n") + _foretold(forecast))
                continue
            loaded = reading.read(file)
            announce_compilation()
            from sim import checks

            report = checks.check_loaded(loaded)
        except UserError as error:
            tell(str(error))
            code = max(code, error.exit_code)
            continue
        reports.append(report.as_dict())
        if not as_json:
            echo(("" if len(reports) == 1 else "\n") + _checked(report))
    if as_json:
        echo(to_json(_one_or_all(reports, files)))
    if code:
        raise typer.Exit(code)


@app.command()
def run(
    scenarios: Annotated[
        list[str],
        typer.Argument(metavar="SCENARIO...", help="Files, or names of shipped scenarios.", show_default=False),
    ],
    runs: Annotated[int, typer.Option(help="Number of runs.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same runs.")] = 1,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Replace a number; may be given often.")
    ] = None,
    turns: Annotated[int | None, typer.Option(help="Number of turns, instead of the scenario's own.")] = None,
    policy: Annotated[
        str | None, typer.Option(help=f"{POLICIES}, instead of the scenario's own; all: each, side by side.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Keep every table also above 1,000 runs.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write, new or empty.  [default: runs/<scenario>-<n>]")
    ] = None,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw the figures.")] = True,
    parameters: Parameters = None,
    choices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Again with what was chosen; seed and runs are the file's.")
    ] = None,
    players: Players = None,
    as_json: Json = False,
) -> None:
    """Run scenarios many times; print what came of them and write a run folder for each."""
    if policy == "all" and (choices is not None or players):
        raise BadInput("--policy all: not with --choices or --player; name one policy")
    announce_compilation()
    from sim import runs as running

    summaries = []
    for number, scenario in enumerate(scenarios):
        folder = out
        if out is not None and len(scenarios) > 1:
            folder = _apart(out, scenario, scenarios[:number])
        with Progress(f"{Path(scenario).stem}: runs") as progress:
            done: Run | Theories
            if policy == "all":
                from sim.rivals import theories

                if parameters is not None:
                    raise BadInput(
                        "--policy all: compares theories on the scenario's own numbers; leave --parameters out"
                    )
                done = theories(scenario, runs, seed, sets or (), turns, full, folder, figures, progress=progress)
            else:
                done = running.run(
                    scenario, runs, seed, sets or (), turns, policy, full, folder, figures, progress=progress,
                    parameter_file=parameters,
                    choices=choices, players=players or (),
                )  # fmt: skip
        if as_json:
            summaries.append(_described(done) if isinstance(done, running.Run) else done.as_dict())
        else:
            text = _report(done) if isinstance(done, running.Run) else _side_by_side(done)
            echo(("\n" if number else "") + text)
    if as_json:
        echo(to_json(_one_or_all(summaries, scenarios)))


@app.command()
def play(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO", help="A file, or a shipped scenario.", show_default=False)
    ] = None,
    actor: Annotated[str | None, typer.Option("--as", metavar="ACTOR", help="Whom you play.")] = None,
    seed: Annotated[int, typer.Option(help="Seed.")] = 1,
    run: Annotated[int, typer.Option("--run", help="Number of the run, from 0.")] = 0,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Replace a number.")] = None,
    turns: Annotated[int | None, typer.Option(help="Number of turns, instead of the scenario's own.")] = None,
    policy: Annotated[str | None, typer.Option(help=f"{POLICIES}, of the others.")] = None,
    players: Players = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write.  [default: runs/<scenario>-<n>]")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Go on with a game that was left.")] = None,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw the figures at the end.")] = True,
) -> None:
    """Take an actor's seat: see what it sees, choose what it does, turn by turn."""
    if resume is not None and (scenario is not None or actor is not None):
        raise BadInput("tightrope play: --resume DIR goes on with a game; it takes no SCENARIO and no --as")
    if resume is None and (scenario is None or actor is None):
        raise BadInput("tightrope play: asks for SCENARIO and --as ACTOR, or for --resume DIR")
    announce_compilation()
    from sim import play as playing

    if resume is not None:
        done = playing.resume(resume, players or (), figures, write=echo)
    else:
        assert scenario is not None
        assert actor is not None
        done = playing.play(
            scenario, actor, seed, run, sets or (), turns, policy, players or (), out, figures, write=echo
        )
    if done is not None:
        echo(f"Run folder: {done.folder}")


@app.command()
def replay(
    folder: Folder,
    run: Annotated[int, typer.Option("--run", help="Number of the run, from 0.")],
    as_json: Json = False,
) -> None:
    """Do one recorded run again, alone, and compare it with what was recorded, bit for bit."""
    announce_compilation()
    from sim import runs as running
    from sim import store

    manifest = store.read_manifest(folder)
    if manifest.get("kind") == "study":
        from sim import swept

        again = swept.replay(folder, run)
        manifest |= {"actors": {}, "actions": {}}
    else:
        again = running.replay(folder, run)
    for change in again.changes:
        tell(f"{folder}: {change}")
    if as_json:
        tables = {name: rows.to_pylist() for name, rows in again.tables.items()}
        echo(to_json({"run": run, "same": again.same, "compared": again.compared, "differing": again.differing,
                      "changes": again.changes, "tables": tables}))  # fmt: skip
    else:
        echo(_replayed(again, manifest))
    if not again.same:
        why = "the model or the scenario has changed" if again.changes else "the folder is damaged"
        raise FolderProblem(f"{folder}: run {run} came out differently in {', '.join(again.differing)}: {why}")


@app.command()
def explain(
    folder: Folder,
    actor: Annotated[str, typer.Option(help="Whose decision.")],
    turn: Annotated[str, typer.Option(help="Its date, such as 2021-08, or its number.")],
    run: Annotated[int, typer.Option("--run", help="Number of the run, from 0.")] = 0,
    action: Annotated[str | None, typer.Option(help="The act to explain, taken or not.")] = None,
    target: Annotated[str | None, typer.Option(help="The act's target.")] = None,
    as_json: Json = False,
) -> None:
    """Say why an actor did what it did: a decision card."""
    announce_compilation()
    from sim import explain as explaining

    card = explaining.card(folder, actor, turn, run, action, target)
    echo(to_json(card.as_dict()) if as_json else card.text())


@app.command()
def ledger(
    folder: Folder,
    run: Annotated[
        int | None, typer.Option("--run", help="Of this run alone.  [default: all, and run 0 in full]")
    ] = None,
    giver: Annotated[str | None, typer.Option(help="Promises by this actor only.")] = None,
    receiver: Annotated[str | None, typer.Option(help="Promises to this actor only.")] = None,
    as_json: Json = False,
) -> None:
    """Say whose word was worth what: promises given, kept and broken, and what their audiences believed."""
    from sim import ledger as accounting
    from sim import store

    told = accounting.ledger(folder, run, giver, receiver)
    echo(to_json(told.as_dict()) if as_json else _accounted(told, store.read_manifest(folder)))


@app.command()
def compare(
    scenarios: Annotated[
        list[str], typer.Argument(metavar="A [B]", help="Files, or names of shipped scenarios.", show_default=False)
    ],
    runs: Annotated[int, typer.Option(help="Number of pairs of runs.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same pairs.")] = 1,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="A number of B; may be given often.")
    ] = None,
    fork: Annotated[
        str | None, typer.Option(metavar="TURN", help="Until this date or turn B is A; then B's numbers hold.")
    ] = None,
    turns: Annotated[int | None, typer.Option(help="Number of turns, instead of the scenarios' own.")] = None,
    policy: Annotated[str | None, typer.Option(help=f"B's policy: {POLICIES}.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write, new or empty.  [default: runs/<A>-vs-<B>-<n>]")
    ] = None,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw the figures.")] = True,
    parameters: Parameters = None,
    as_json: Json = False,
) -> None:
    """Compare two scenarios, or one and what --set changes, run by run on common random numbers."""
    if len(scenarios) > 2:
        raise BadInput(f"tightrope compare: two scenarios at most; {len(scenarios)} are named")
    announce_compilation()
    from sim import compare as comparing

    b = scenarios[1] if len(scenarios) == 2 else None
    with Progress(f"{Path(scenarios[0]).stem}: pairs") as progress:
        done = comparing.compare(
            scenarios[0], b, runs, seed, sets or (), fork, turns, policy, out, figures, progress=progress,
            parameter_file=parameters,
        )  # fmt: skip
    echo(to_json(done.as_dict()) if as_json else _compared(done))


@app.command()
def sweep(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A study file, or the name of a shipped study.")],
    workers: Annotated[
        int | None, typer.Option(help="Processes that compute.  [default: one for each processor]", show_default=False)
    ] = None,
    engine: Annotated[str, typer.Option(help="local, dask-local or dask://HOST:PORT.")] = "local",
    out: Annotated[Path | None, typer.Option(help="Folder to write.  [default: runs/<study>-<n>]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in a folder that holds this study.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Keep states, acts, beliefs and events of every run.")] = False,
    allow_large: Annotated[bool, typer.Option("--allow-large", help="Also above 10 million runs.")] = False,
    patience: Annotated[float, typer.Option(help="Seconds after which runs that do not end are given up.")] = 600.0,
    as_json: Json = False,
) -> None:
    """Run a study, or what is missing of it; nothing that was done is lost, whatever happens."""
    announce_compilation()
    from sim import sweep as sweeping

    with Progress(f"{Path(study).stem}: runs") as progress:
        done = sweeping.sweep(study, out, workers, engine, resume, full, allow_large, progress, tell, patience=patience)
    if as_json:
        echo(to_json(_swept_facts(done)))
    else:
        echo(_swept(done))
    if done.failed:
        raise typer.Exit(FAULT)


@app.command()
def status(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A study's folder.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Say how far a study is."""
    from sim import swept

    told = swept.status(folder)
    echo(to_json(told) if as_json else _standing(told))


@app.command()
def analyse(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.", show_default=False)],
    outcomes: Annotated[
        list[str] | None, typer.Option("--outcome", metavar="NAME", help="This outcome only; may be given often.")
    ] = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write DIR/report.html.")] = True,
    as_json: Json = False,
) -> None:
    """Say what a study means: what each outcome depends on, where it tips and is found, which choices do well."""
    from sim import findings

    with Progress("outcomes") as progress:
        found = findings.analyse(folder, outcomes or (), progress)
    if not as_json:
        echo(_analysed(found))
    written = None
    if report:
        announce_compilation()
        from sim import report as reporting

        with Progress("report: outcomes") as progress:
            written = reporting.write(found, progress=progress)
    if as_json:
        echo(to_json(found.as_dict() | {"report": None if written is None else str(written)}))
    elif written is not None:
        echo(f"Report: {written}")


@app.command()
def hindcast(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A file, or the name of a shipped scenario.")],
    runs: Annotated[int, typer.Option(help="Number of runs, of the model and of each baseline.")] = 1000,
    facts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Facts to score.  [default: those of the documents]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same runs.")] = 1,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Replace a number; may be given often.")
    ] = None,
    turns: Annotated[int | None, typer.Option(help="Number of turns, instead of the scenario's own.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write, new or empty.  [default: runs/hindcast-<scenario>-<n>]")
    ] = None,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw the figures.")] = True,
    parameters: Parameters = None,
    as_json: Json = False,
) -> None:
    """Score a scenario against what the documents report, beside policies and forecasts that know nothing."""
    announce_compilation()
    from sim import hindcast as scoring

    with Progress(f"{Path(scenario).stem}: runs") as progress:
        done = scoring.hindcast(
            scenario, runs, seed, facts, sets or (), turns, out, figures, progress=progress, parameter_file=parameters
        )
    echo(to_json(done.as_dict()) if as_json else _hindcast(done))


@app.command()
def calibrate(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A file, or the name of a shipped scenario.")],
    points: Annotated[int, typer.Option(help="Points over the ranges of all numbers that have one.")] = 8000,
    runs_a_point: Annotated[int, typer.Option("--runs-a-point", help="Runs of each point.")] = 16,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same files.")] = 1,
    facts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Facts, of which those in sample count.  [default: the documents']"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write.  [default: runs/calibration-<scenario>-<n>]")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in a folder that holds this calibration.")] = False,
    as_json: Json = False,
) -> None:
    """Find which numbers go with the facts in sample, and keep them as a file that --parameters takes."""
    announce_compilation()
    from sim import calibrate as calibrating

    with Progress(f"{Path(scenario).stem}: points") as progress:
        done = calibrating.calibrate(scenario, points, runs_a_point, seed, out, resume, facts, progress=progress)
    echo(to_json(done.as_dict()) if as_json else _calibrated(done))


@app.command()
def forecast(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A file, or the name of a shipped scenario.")],
    parameters: Parameters = None,
    runs: Annotated[int, typer.Option(help="Number of runs.")] = 4000,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same runs.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Page to write.  [default: docs/forecasts/<last turn>-<scenario>.md]")
    ] = None,
) -> None:
    """Write down what an ensemble says of a scenario's end, once, before anyone compares it."""
    announce_compilation()
    from sim import forecast as forecasting

    with Progress(f"{Path(scenario).stem}: runs") as progress:
        echo(str(forecasting.forecast(scenario, parameters, runs, seed, out, progress=progress)))


@app.command()
def validate(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A file, or a shipped name.")] = "takeover-2021",
    points: Annotated[int, typer.Option(help="Points of the calibration.")] = 8000,
    runs_a_point: Annotated[int, typer.Option("--runs-a-point", help="Runs of each.")] = 16,
    runs: Annotated[int, typer.Option(help="Runs of each policy in a hindcast.")] = 1000,
    matters: Annotated[int, typer.Option(help="Points of what matters, of two runs each.")] = 4000,
    seed: Annotated[int, typer.Option(help="Seed: the same seed gives the same page.")] = 1,
    docs: Annotated[Path, typer.Option(help="Folder of the page and its figures.")] = Path("docs"),
    work: Annotated[Path, typer.Option(help="Folder of what is run; what is whole there is used again.")] = Path(
        "runs/validation"
    ),
) -> None:
    """Calibrate, score and ask what matters; write docs/validation.md with its figures."""
    announce_compilation()
    from sim import validation

    bars: dict[str, Progress] = {}

    def progress(what: str, done: int, wanted: int) -> None:
        bars.setdefault(what, Progress(what))(done, wanted)

    budget = validation.Budget(points, runs_a_point, runs, matters, seed)
    echo(str(validation.validate(scenario, budget, docs, work, progress)))


@app.command()
def sources(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A file, or the name of a shipped scenario.")],
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Replace a number.")] = None,
    document: Annotated[
        str | None, typer.Option(help="Only numbers that rest on this document, such as RID or FRS2021.")
    ] = None,
    cites: Annotated[
        str | None, typer.Option(metavar="DOCUMENT", help="List the numbers that cite it, by the part that they play.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print which claim or assumption stands behind which number, and the coverage."""
    from sim import evidence
    from sim import scenario as reading

    found = evidence.sources(reading.read(scenario, sets or ()).scenario)
    if cites is not None:
        parts = found.parts(cites)
        echo(to_json({"cites": cites, "parts": parts}) if as_json else _citing(cites, parts))
        return
    rows = found.table.to_pylist()
    if document is not None:
        wanted = set(found.resting_on(document))
        rows = [row for row in rows if row["path"] in wanted]
    if as_json:
        unknown = [{"path": path, "claim": claim} for path, claim in found.unknown]
        named = {claim: len(paths) for claim, paths in found.unknown_claims.items()}
        echo(to_json({"numbers": rows, "coverage": found.coverage, "by_document": found.by_document,
                      "neither": found.without(), "unknown": unknown, "unknown_claims": named}))  # fmt: skip
    else:
        echo(_sourced(found, rows))


@app.command()
def export(
    folder: Folder,
    csv: Annotated[bool, typer.Option("--csv", help="Write comma-separated values, one file a table.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to write.  [default: RUNDIR/csv]")] = None,
    as_json: Json = False,
) -> None:
    """Write the tables of a run folder for a spreadsheet."""
    from sim import runs as running

    if not csv:
        raise BadInput("tightrope export: say in which form: --csv")
    written = running.export_csv(running.open_run(folder), out)
    if as_json:
        echo(to_json([{"file": str(path), "rows": rows} for path, rows in written]))
    else:
        shown = table("File", "Rows")
        for path, rows in written:
            shown.add_row(str(path), f"{rows:,}")
        echo(drawn(shown))


@app.command()
def dashboard(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the run folders and studies are.")] = Path(
        "runs"
    ),
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 for any.  [default: 8765, or any if taken]")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but the default lets others in who have the URL.")
    ] = "127.0.0.1",
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:
    """Watch runs, question, compare and explore them in the browser; prints the dashboard's URL first."""
    asked = [str(folder), "--host", host, *([] if port is None else ["--port", str(port)])]
    # Another program, so that nothing of this package imports it; -P: a folder `dashboards` here is not taken for it.
    command = [sys.executable, "-P", "-m", "dashboards", *asked, *([] if open_ else ["--no-open"])]
    sys.stdout.flush()
    os.execv(command[0], command)


@app.command()
def schema(
    study: Annotated[bool, typer.Option("--study", help="Of study files instead of scenario files.")] = False,
    facts: Annotated[bool, typer.Option("--facts", help="Of files of facts instead of scenario files.")] = False,
) -> None:
    """Print the JSON Schema of scenario (or study, or fact) files, by which editors complete them."""
    from sim import facts as recorded
    from sim import scenario
    from sim import study as studies

    if study and facts:
        raise BadInput("tightrope schema: --study or --facts, not both")
    echo(to_json(recorded.schema() if facts else studies.schema() if study else scenario.schema()))


def _one_or_all(found: Sequence[Any], asked: Sequence[str]) -> Any:
    """What was asked for: one thing, or a list where several were named."""
    return found[0] if len(asked) == 1 and found else list(found)


def _apart(out: Path, scenario: str, before: Sequence[str]) -> Path:
    """A folder below `out` for one of several scenarios."""
    name = Path(scenario).stem
    again = sum(Path(other).stem == name for other in before)
    return out / (f"{name}-{again + 1}" if again else name)


# ------------------------------------------------------------------------------------------------- what `run` prints


def _described(done: Run) -> dict[str, Any]:
    manifest = done.manifest
    keys = ("scenario", "title", "runs", "seed", "turns", "policy", "sets", "seconds")
    return {key: manifest[key] for key in keys} | {"folder": str(done.folder)} | done.summary().as_dict()


def _report(done: Run) -> str:
    manifest, summary = done.manifest, done.summary()
    dates = manifest["dates"]
    span = f"{manifest['turns']} turn{plural(manifest['turns'])}, {dates[1]} to {dates[-1]}"
    parts = [
        manifest["title"],
        f"{manifest['runs']:,} run{plural(manifest['runs'])} of {span}; seed {manifest['seed']}, "
        f"policy {manifest['policy']}" + "".join(f"; {item}" for item in manifest["sets"]),
        *_drawn_from(manifest),
        "",
    ]
    if summary.outcomes.num_rows:
        parts.append(drawn(_outcome_table(summary.outcomes.to_pylist())))
    if summary.rungs.num_rows:
        parts.append(drawn(_rung_table(summary.rungs.to_pylist(), manifest)))
    parts.append(drawn(_act_table(summary.acts.to_pylist(), manifest)))
    parts += [drawn(shown) for shown in _dealing_tables(summary.dealings.to_pylist(), manifest)]
    parts.append(f"Run folder: {done.folder}")
    return "\n".join(parts)


def _drawn_from(manifest: dict[str, Any]) -> list[str]:
    """What the runs' parameters come from, in lines."""
    told = manifest.get("parameters")
    if not told:
        return []
    return [
        f"each run draws {told['numbers']} numbers from the {told['sets']} sets of {told['file']}",
        *(f"note: {note}" for note in told["notes"] if note not in manifest.get("notes", ())),
    ]


def _outcome_table(rows: list[dict[str, Any]]) -> Table:
    shown = table("Outcome", "Answer", "How sure", title="Outcomes")
    for row in rows:
        if row["kind"] == "yes/no":
            answer = f"yes in {percent(row['share'])} of runs"
            sure = f"95% interval {percent(row['low'])} to {percent(row['high'])}"
            if row["date"]:
                answer += f", typically by {row['date']}"
        else:
            answer = f"median {number(row['median'])}"
            sure = f"90% of runs {number(row['q05'])} to {number(row['q95'])}; mean {number(row['mean'])}"
        shown.add_row(row["title"], answer, sure)
    return shown


def _rung_table(rows: list[dict[str, Any]], manifest: dict[str, Any]) -> Table:
    title = f"Rungs at the end, {manifest['dates'][-1]}"
    shown = table("Actor", "Towards", "Ladder", "Median", "90% of runs", title=title)
    names, titles = manifest["actors"], manifest["indicators"]
    for row in rows:
        band = row["low"] if row["low"] == row["high"] else f"{row['low']} to {row['high']}"
        actor, target = names.get(row["actor"], "the world"), names.get(row["target"], "")
        shown.add_row(actor, target, titles.get(row["ladder"], row["ladder"]), row["median"], band)
    return shown


def _act_table(rows: list[dict[str, Any]], manifest: dict[str, Any]) -> Table:
    shown = table("Actor", "Act", "Towards", "A run", "In", title="Commonest acts")
    names, titles = manifest["actors"], manifest["actions"]
    for actor, name in names.items():
        mine = [row for row in rows if row["actor"] == actor]
        if not mine:
            shown.add_row(name, "does nothing", "", "", "")
        for n, row in enumerate(mine[:TOP]):
            shown.add_row(
                name if n == 0 else "", titles[row["action"]], names.get(row["target"], ""), number(row["a_run"]),
                f"{percent(row['runs'] / row['of'])} of runs",
            )  # fmt: skip
    return shown


def _dealing_tables(rows: list[dict[str, Any]], manifest: dict[str, Any]) -> list[Table]:
    """What came of bargains and fora, where there are any that were used."""
    tables = []
    for kind, names, heads in (
        (
            "bargain",
            manifest["bargains"],
            {"offered": "Offered", "struck": "Accepted", "kept": "Kept", "broken": "Broken"},
        ),
        ("forum", manifest["fora"], {"session": "Sessions", "statement": "Statements"}),
    ):
        times = {(row["name"], row["event"]): row["a_run"] for row in rows if row["kind"] == kind}
        used = [name for name in names if any(times[name, event] for event in heads if (name, event) in times)]
        if not used:
            continue
        used.sort(key=lambda name: -max(times[name, event] for event in heads))
        title = "Bargains (kept and broken: promises of both sides)" if kind == "bargain" else "Fora"
        shown = table(title, *(f"{head} a run" for head in heads.values()))
        for name in used[: 2 * TOP]:
            shown.add_row(names[name].removesuffix(" to"), *(number(times[name, event]) for event in heads))
        if len(used) > 2 * TOP:
            rest = (sum(times[name, event] for name in used[2 * TOP :]) for event in heads)
            shown.add_row(f"and {len(used) - 2 * TOP} more", *map(number, rest))
        tables.append(shown)
    return tables


def _side_by_side(done: Theories) -> str:
    """What each theory makes of a scenario, and what holds under all of them."""
    manifest = done.manifest
    dates, held = manifest["dates"], done.conclusions.to_pylist()
    survives = {(row["kind"], row["name"]): "yes" if row["survives"] else "no" for row in held}
    parts = [
        manifest["title"],
        f"{manifest['runs']:,} run{plural(manifest['runs'])} under each theory, {dates[1]} to {dates[-1]}; seed "
        f"{manifest['seed']}" + "".join(f"; {item}" for item in manifest["sets"]),
        *(_folded(f"note: {note}") for note in done.notes),
        "",
    ]
    by_outcome: dict[str, list[dict[str, Any]]] = {}
    for row in done.outcomes.to_pylist():
        by_outcome.setdefault(row["outcome"], []).append(row)
    if by_outcome:
        shown = table(
            "Outcome", *manifest["theories"], "Survives", title="Share of runs, or mean, with its 95% interval"
        )
        for name, rows in by_outcome.items():
            shown.add_row(rows[0]["title"], *map(_with_interval, rows), survives.get(("outcome", name), ""))
        parts.append(drawn(shown))
    rungs = [row for row in held if row["kind"] == "rung"]
    differ = [row for row in rungs if not row["survives"]]
    if differ:
        shown = table("", *manifest["theories"], title=f"Rungs most runs end on, {dates[-1]}, where theories differ")
        for row in differ:
            shown.add_row(row["title"], *(row[theory] for theory in manifest["theories"]))
        parts.append(drawn(shown))
    parts += _surviving(held, len(manifest["theories"]))
    return "\n".join([*parts, f"Folder: {done.folder}, with a run folder for each theory"])


def _with_interval(row: dict[str, Any]) -> str:
    if row["kind"] == "yes/no":
        return f"{percent(row['share'])} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
    return number(row["mean"]) + ("" if row["low"] is None else f" ±{number(row['high'] - row['mean'])}")


def _surviving(held: list[dict[str, Any]], count: int) -> list[str]:
    """Which conclusions hold under all theories, and which under all that know what actors want."""
    from sim.rivals import NULL

    lines = []
    for kind, what in (("outcome", "yes/no outcomes"), ("rung", "rungs")):
        mine = [row for row in held if row["kind"] == kind]
        all_of = [row for row in mine if row["survives"]]
        informed = [row for row in mine if row["survives_informed"] and not row["survives"]]
        if not mine:
            continue
        lines.append(f"Of {len(mine)} {what} {len(all_of)} survive all {count} theories, "
                     f"{len(informed)} more all but {' and '.join(NULL)}.")  # fmt: skip
        lines += [f"  {row['title']} {row['conclusion']}" for row in all_of if kind == "outcome"]
        lines += [f"  {row['title']} {row['conclusion']} (but for {' and '.join(NULL)})" for row in informed]
    return lines


# ------------------------------------------------------------------------------------------------ what `ledger` prints


def _accounted(told: Ledger, manifest: dict[str, Any]) -> str:
    names, kinds = manifest["actors"], manifest["assurances"]
    one = told.run is not None or told.runs == 1
    span = f"Run {told.shown}" if one else f"{told.runs:,} runs; a run: mean ± half its 95% interval"
    parts = [manifest["title"]]
    if not told.summary.num_rows:
        return "\n".join([*parts, f"{span}: nobody promised anybody anything that is asked for."])
    heads = ["Given", "Kept", "Broken", "Void", "Pending"]
    shown = table("Giver", "Promise", *heads, "Kept of settled", "Believed", title=f"Whose word was worth what. {span}")
    before = None
    for row in told.summary.to_pylist():
        counts = [
            number(row[name]) if one or not row[name] else f"{row[name]:.2f} ±{row[f'{name}_high'] - row[name]:.2f}"
            for name in ("given", "kept", "broken", "void", "pending")
        ]  # fmt: skip
        share = "-" if row["kept_share"] is None else percent(row["kept_share"])
        giver = "" if row["giver"] == before else names[row["giver"]]
        before = row["giver"]
        shown.add_row(giver, kinds[row["kind"]], *counts, share, _believing(row))
    parts += ["", drawn(shown), drawn(_minds(told, names, kinds))]
    if told.promises.num_rows:
        parts.append(drawn(_register(told, names, manifest)))
    else:
        parts.append(f"Run {told.shown}: nobody promised anybody anything that is asked for.")
    return "\n".join(parts)


def _believing(row: dict[str, Any]) -> str:
    return "-" if row["before"] is None or row["after"] is None else f"{row['before']:.2f} → {row['after']:.2f}"


def _minds(told: Ledger, names: dict[str, str], kinds: dict[str, str]) -> Table:
    """Whose belief changed most by what became of a promise."""
    from sim.ledger import most_moved

    shown = table("Giver", "Promise", "Audiences", "Moved most", title="Belief when it was given → once it was settled")
    beliefs = told.beliefs.to_pylist()
    for row in told.summary.to_pylist():
        mine = [belief for belief in beliefs if (belief["giver"], belief["kind"]) == (row["giver"], row["kind"])]
        moved = [f"{names[belief['audience']]} {_believing(belief)}" for belief in most_moved(mine, MOVED)]
        shown.add_row(names[row["giver"]], kinds[row["kind"]], str(len(mine)), ", ".join(moved) or "-")
    return shown


def _register(told: Ledger, names: dict[str, str], manifest: dict[str, Any]) -> Table:
    """The promises of one run, one by one."""
    verbs = manifest["actions"]

    def act(action: str | None, target: str | None) -> str:
        return "" if action is None else " ".join([verbs[action], *([names[target]] if target else [])])

    heads = ("No", "Given", "By", "To", "Promise", "In return for", "Due", "Status", "Settled", "Evidence")
    shown = table(*heads, title=f"Promises of run {told.shown}")
    for row in told.promises.to_pylist():
        often = f" ({row['times']} times)" if row["times"] > 1 else ""
        promise = act(row["action"], row["target"]) or manifest["assurances"][row["kind"]]
        others = " and ".join(names[name] for name in (row["return_by"] or "").split())
        back = f"{others}: {act(row['return_action'], row['return_target'])}" if others else ""
        shown.add_row(
            str(row["promise"]), row["given_date"] + often, names[row["giver"]], names[row["receiver"]], promise, back,
            row["due_date"] or "", row["status"], row["settled_date"] or "", row["evidence"],
        )  # fmt: skip
    return shown


# ----------------------------------------------------------------------------------------------- what `compare` prints


def _compared(done: Comparison) -> str:
    manifest = done.manifest
    dates, story = manifest["dates"], done.story
    fork = f"; until {manifest['fork']} both are A" if manifest["fork"] else ""
    parts = [
        f"A: {manifest['a']['label']} ({manifest['a']['title']})",
        f"B: {manifest['b']['label']}{fork}",
        f"{manifest['runs']:,} pairs of runs on common random numbers, {dates[1]} to {dates[-1]}; "
        f"seed {manifest['seed']}",
        *_drawn_from(manifest),
        *_changed(manifest),
        *manifest["notes"],
        "",
    ]
    if not manifest["parting"]["differ"]:
        parts.append("No run differs in anything: what B changes has no effect here.\n")
    else:
        answers = done.of_kind("yes/no", "number")
        moved = [row for row in answers if _matters(row)]
        if moved:
            parts.append(drawn(_difference_table("Outcomes", moved)))
        same, less = sum(not row["changed"] for row in answers), len(answers) - len(moved)
        rest = [f"{same} more outcomes are the same in every pair"] if same else []
        rest += (
            [f"{less - same} hardly differ (by less than a hundredth of a standard deviation)"] if less > same else []
        )
        parts += [f"{'; '.join(rest)}.\n"] if rest else []
        for title, rows in _most_moved(done, dates[-1]):
            parts.append(drawn(_difference_table(title, rows)))
        parts += [_parting(manifest), ""]
    if story is not None:
        parts.append(f"The median pair, run {story['run']}")
        for card in story["cards"]:
            parts += [*map(_folded, card["text"]), "", drawn(_card_table(card))]
        parts += [*map(_folded, story["after"]), ""]
    parts.append(f"Folder: {done.folder}")
    return "\n".join(parts)


def _matters(row: dict[str, Any]) -> bool:
    """Whether some pair differs in an outcome, and by more than dust."""
    far = max(abs(row["low"]), abs(row["high"]))
    return bool(row["changed"]) and (row["kind"] == "yes/no" or far >= 0.01 * (row["a_sd"] or 0.0))


def _changed(manifest: dict[str, Any]) -> list[str]:
    """What B says otherwise, and what one side alone has."""
    lines = []
    changes = manifest["changes"]
    for change in changes[:TOP]:
        sides = ["nothing" if change[side] is None else _abridged(change[side]) for side in ("a", "b")]
        lines.append(f"  {change['path']}: {sides[0]} in A, {sides[1]} in B")
    if len(changes) > TOP:
        lines.append(f"  and {len(changes) - TOP} more places (see manifest.json)")
    for side in ("a", "b"):
        for kind, names in manifest[f"only_{side}"].items():
            more = f" and {len(names) - TOP} more" if len(names) > TOP else ""
            lines.append(f"  not compared, for only {side.upper()} has them: {kind} {', '.join(names[:TOP])}{more}")
    return lines


def _abridged(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _most_moved(done: Comparison, date: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Tables of what differs most: rungs, other indicators, acts; each a few rows."""
    rungs = [row for row in done.of_kind("rung") if row["changed"]]
    rungs.sort(key=lambda row: -abs(row["difference"]))
    others = [row for row in done.of_kind("indicator") if row["low"] > 0 or row["high"] < 0]
    others.sort(key=lambda row: -abs(row["difference"]) / row["scale"])
    acts = [row for row in done.of_kind("act") if row["low"] > 0 or row["high"] < 0]
    acts.sort(key=lambda row: -abs(row["difference"]))
    tables = [
        (f"Rungs at the end, {date}", rungs),
        (f"Indicators at the end, {date}, whose interval leaves out zero", others),
        ("Times an act is done in a run, where the interval leaves out zero", acts),
    ]
    return [(f"{title} (first {2 * TOP} of {len(rows)})" if len(rows) > 2 * TOP else title, rows[: 2 * TOP])
            for title, rows in tables if rows]  # fmt: skip


def _difference_table(title: str, rows: list[dict[str, Any]]) -> Table:
    kinds = {row["kind"] for row in rows}
    ladders = "rung" in kinds
    heads = ["", "A", "B", "B less A, 95% interval", "Pairs higher, lower", "A pair equals"]
    shown = table(*heads, title=title)
    for row in rows:
        yes = row["kind"] == "yes/no"
        scale, unit = (100.0, " points") if yes else (1.0, "")
        half = scale * (row["high"] - row["low"]) / 2
        digits = min(max(1 - math.floor(math.log10(half)), 1), 4) if half > 0 else 2
        sides = [percent(row[side]) if yes else f"{row[side]:.{digits}f}" for side in ("a", "b")]
        if ladders:
            sides = [f"{mean} ({row[f'{side}_rung']})" for mean, side in zip(sides, "ab", strict=True)]
        difference, low, high = (f"{scale * row[name]:+.{digits}f}" for name in ("difference", "low", "high"))
        saving = "" if row["saving"] is None else f"{_worth(row['saving'])} runs of each"
        moved = f"{percent(row['higher'] / row['pairs'])}, {percent(row['lower'] / row['pairs'])}"
        shown.add_row(row["title"], *sides, f"{difference} [{low}, {high}]{unit}", moved, saving)
    return shown


def _card_table(card: dict[str, Any]) -> Table:
    """A decision on both sides: the options that differ and the likeliest."""
    shown = table("Option", "A: first", "EU", "", "B: first", "EU", "", "What changed in its EU, A → B")
    for option in card["options"]:
        cells = []
        for side in (option["a"], option["b"]):
            if side["available"]:
                cells += [percent(side["first"]), f"{side['utility']:+.4f}", "done" if side["done"] else ""]
            else:
                cells += ["-", "not open", "done" if side["done"] else ""]
        parts = [f"{part['title']} {part['a']:+.4f} → {part['b']:+.4f}" for part in option["parts"][:2]]
        shown.add_row(option["title"], *cells, "; ".join(parts))
    shown.add_row("does nothing", percent(card["hold"]["a"]), "0", "", percent(card["hold"]["b"]), "0", "", "")
    return shown


def _worth(saving: float) -> str:
    """How many independent runs a pair is worth."""
    return "over 1,000" if saving > 1000 else f"{saving:.1f}" if saving < 10 else f"{saving:.0f}"


FIRST = {
    "start": "at the start",
    "dated event": "by a dated event",
    "incident": "by an incident",
    "decision": "by a decision",
    "numbers": "by what acts and couplings do",
}


def _parting(manifest: dict[str, Any]) -> str:
    """Where the paths part, in sentences."""
    parting = manifest["parting"]
    pairs, part = parting["pairs"], parting["part"]
    causes = [f"{row['pairs']:,} {FIRST[name]}" for name, row in parting["first"].items()]
    lines = [
        f"Where the paths part. Of {pairs:,} pairs {parting['differ']:,} differ at all, first {', '.join(causes)}."
    ]
    if not part:
        return _folded(f"{lines[0]} In none does anybody choose otherwise.")
    who = [f"{row['title']} {percent(row['pairs'] / pairs)}" for row in parting["who"][:TOP]]
    what = [f"‘{row['title']}’ in {row['side']} alone {percent(row['pairs'] / pairs)}" for row in parting["what"][:TOP]]
    never = f"{pairs - part:,} pairs never part" if part < pairs else "every pair parts"
    lines.append(f"Somebody chooses otherwise in {part:,}, typically by {parting['median_date']}; {never}.")
    lines.append(f"Who (in per cent of the pairs; several may at once): {', '.join(who)}.")
    lines.append(f"By what most often: {'; '.join(what)}.")
    return _folded(" ".join(lines))


def _folded(text: str) -> str:
    """Broken into lines that fit a terminal."""
    import textwrap

    return textwrap.fill(text, 118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


# --------------------------------------------------------------------------------------------- what `calibrate` prints


def _calibrated(done: Calibration) -> str:
    manifest = done.manifest
    rows = [row for row in done.facts.to_pylist() if row["status"] != "left out"]
    shown = table("Fact", "", "Wants", "All points", "Best", "Kept", "95%", "By the rest", "95%", "", title="Facts")
    for row in rows:
        rest = ["-", "", ""]
        if not math.isnan(row["rest"] if row["rest"] is not None else math.nan):
            verdict = "foretold" if row["predicted"] else "NOT FORETOLD"
            rest = [percent(row["rest"]), f"{percent(row['rest_low'])}-{percent(row['rest_high'])}", verdict]
        kept = "-" if row["kept"] is None else percent(row["kept"])
        band = "" if row["kept"] is None else f"{percent(row['kept_low'])}-{percent(row['kept_high'])}"
        name = row["fact"] + ("" if row["status"] == "used" else " (out of reach)")
        shown.add_row(
            name, "H" if row["weight"] == "hard" else "S",
            percent(row["wanted"]), percent(row["prior"]), percent(row["best"]), kept, band, *rest,
        )  # fmt: skip
    learnt = table("Number", "Range", "By hand", "Pulled", "95%", "Kept: median", "90%", "Moved", "95%", "Distance",
                   title="What the facts taught")  # fmt: skip
    taught = [row for row in done.numbers.to_pylist() if row["taught"]]
    for row in taught[:SHOWN_AXES]:
        learnt.add_row(
            row["title"], f"{number(row['low'])} to {number(row['high'])}", number(row["value"]),
            f"{'up' if row['pull'] > 0 else 'down'} {abs(row['pull']):.2f}",
            f"{row['pull_low']:+.2f} to {row['pull_high']:+.2f}", number(row["q50"]),
            f"{number(row['q05'])} to {number(row['q95'])}", f"{row['shift']:+.0%}",
            f"{row['shift_low']:+.0%} to {row['shift_high']:+.0%}", f"{row['distance']:.2f}",
        )  # fmt: skip
    left_out = [f"{name}: {why}" for name, why in manifest["left_out"].items()]
    return "\n".join([
        manifest["title"],
        f"{manifest['points']:,} points of {manifest['numbers']} numbers, {manifest['runs_a_point']} runs each; seed "
        f"{manifest['seed']}; facts in sample of {manifest['facts']}: {manifest['used']} used of {len(rows)}",
        f"{manifest['kept']} points are kept, worth {manifest['effective']:.1f} of equal weight",
        "", drawn(shown),
        *(_folded(f"not used: {line}") for line in left_out),
        "", *([drawn(learnt)] if taught else []),
        _folded(f"The facts taught {manifest['taught']} numbers something; {manifest['open']} they left open, as far "
                f"as {manifest['points']:,} points can tell."),
        f"Parameter sets: {done.parameters}",
    ])  # fmt: skip


# ---------------------------------------------------------------------------------------------- what `hindcast` prints


def _hindcast(done: Hindcast) -> str:
    manifest = done.manifest
    dates, others = manifest["dates"], manifest["baselines"]
    parts = [
        manifest["title"],
        f"{manifest['runs']:,} runs of each policy, {dates[1]} to {dates[-1]}; seed {manifest['seed']}"
        + "".join(f"; {item}" for item in manifest["sets"]),
        f"Facts of {manifest['facts']['file']}: {manifest['facts']['title']}",
        *_drawn_from(manifest),
        *(f"note: {note}" for note in manifest["notes"]),
        "",
    ]
    rows = done.facts.to_pylist()
    tested = [row for row in rows if row["status"] in ("scored", "given")]
    if tested:
        parts.append(drawn(_fact_table(tested, others)))
    told = {"cannot": "cannot be said: ", "given": "is given: ", "scored": ""}
    parts += [
        _folded(f"{row['fact']} {told[row['status']]}{row['why']}")
        for row in rows
        if row["why"] and row["status"] != "outside"
    ]
    outside: dict[str, list[str]] = {}
    for row in rows:
        if row["status"] == "outside":
            outside.setdefault(row["why"], []).append(row["fact"])
    parts += [_folded(f"Not scored, for {why}: {', '.join(names)}.") for why, names in outside.items()]
    pooled = [row for row in tested if row["pooled_share"] is not None]
    if pooled:
        held = (f"{row['fact']} {'yes' if row['pooled'] else 'no'} ({row['pooled_share']:.0%})" for row in pooled)
        parts.append(_folded(f"On averages over all runs (share of resamples): {', '.join(held)}."))
    parts += ["", *(_folded(_total(row, others)) for row in manifest["totals"] if row["scored"])]
    parts += [*(_folded(_brier(row, others)) for row in manifest["brier"]), ""]
    if manifest["acts"]:
        parts.append(drawn(_forecast_table(manifest["acts"])))
        parts += [*map(_folded, _best_others(manifest["acts"])), ""]
    if manifest["ladders"]:
        parts.append(drawn(_ladder_table(manifest["ladders"], others)))
    stood = done.obstacles.to_pylist()
    if stood:
        parts += ["What stood in the way, in the run nearest to passing:", *map(_obstacle, stood), ""]
    parts.append(f"Folder: {done.folder}")
    return "\n".join(parts)


def _fact_table(rows: list[dict[str, Any]], others: Sequence[str]) -> Table:
    shown = table("Fact", "", "", "Holds in", "95%", "Wants", "", *others, title="Facts")
    for row in rows:
        interval = "" if row["low"] is None else f"{percent(row['low'])}-{percent(row['high'])}"
        verdict = "passes" if row["passes"] else "FAILS"
        if row["status"] == "given":
            verdict += ", given"
        elif row["free"]:
            verdict += ", free"
        statement = row["statement"].strip()
        wanted = percent(row["wanted"]) if row["observed"] else f"≤{percent(1 - row['wanted'])}"
        shown.add_row(
            row["fact"], "H" if row["weight"] == "hard" else "S",
            statement if len(statement) <= 40 else f"{statement[:39]}…", f"{row['share']:.1%}", interval,
            wanted, verdict, *(percent(row[f"share_{other}"]) for other in others),
        )  # fmt: skip
    return shown


def _total(row: dict[str, Any], others: Sequence[str]) -> str:
    from sim.hindcast import SAMPLES

    theirs = ", ".join(f"{other} {row[other]}" for other in others)
    kinds = {"given": "given", "cannot": "cannot be said", "outside": "outside the scenario"}
    apart = [f"{row[key]} {word}" for key, word in kinds.items() if row[key]]
    more = f" Apart: {', '.join(apart)}." if apart else ""
    return (
        f"{row['weight'].capitalize()} facts {SAMPLES[row['sample']]}: {row['passed']} of {row['scored']} pass "
        f"({theirs}). {row['free']} of the {row['scored']} a baseline passes too; of the other {row['others']}, "
        f"{row['passed_others']} pass.{more}"
    )


def _brier(row: dict[str, Any], others: Sequence[str]) -> str:
    from sim.hindcast import SAMPLES

    skills = ", ".join(
        f"{number(row[f'brier_{other}'])} of {other} (skill {number(row[f'skill_{other}'])})" for other in others
    )
    which = "all facts" if row["facts"] == "all" else "facts that no baseline passes"
    return (
        f"Brier score of {which} {SAMPLES[row['sample']]} ({row['number']}): {number(row['brier'])}, against {skills}."
    )


def _forecast_table(rows: list[dict[str, Any]]) -> Table:
    title = "Acts against the record: month, source, target and PLOVER type"
    heads = ["Forecast", "Cells", "Acts", "Brier", "with act", "without", "Log", "PR-AUC", "Skill", "As reported"]
    shown = table(*heads, title=title)
    names = {"model": "the model", "reported": "the model, as reported", "base_rate": "base rate of the record"}
    for row in rows:
        cells = [f"{row[key]:.4f}" if row[key] is not None else "" for key in ("brier", "brier_act", "brier_none")]
        cells += [f"{row[key]:.3f}" if row[key] is not None else "" for key in ("log_score", "pr_auc")]
        cells += ["" if row[key] is None else f"{row[key]:+.3f}" for key in ("skill", "skill_reported")]
        name = f"{names.get(row['forecast'], row['forecast'])}{'' if row['sample'] == 'in' else ', out of sample'}"
        shown.add_row(name, f"{row['cells']:,}", f"{row['acts']}", *cells)
    return shown


def _best_others(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The model's skill over the best forecast that is not its own, by sample."""
    from sim.hindcast import SAMPLES

    for sample, where in SAMPLES.items():
        others = [row for row in rows if row["sample"] == sample and row["forecast"] not in ("model", "reported")]
        if others:
            best = min(others, key=lambda row: row["brier"])
            told = f"{best['skill']:+.3f}, as reported {best['skill_reported']:+.3f}" if best["brier"] else "none"
            yield f"Brier skill {where} over the best of the others ({best['forecast'].replace('_', ' ')}): {told}."


def _ladder_table(rows: list[dict[str, Any]], others: Sequence[str]) -> Table:
    title = "Ladders: ranked probability score, 0 the best"
    shown = table("Ladder", "Sample", "Positions", "On the rung", "The model", *others, title=title)
    for row in rows:
        scores = [f"{row[name]:.4f}" for name in ("model", *others)]
        shown.add_row(
            f"{row['ladder']}, {row['basis']}", row["sample"], f"{row['positions']}", percent(row["share"]), *scores
        )
    return shown


def _obstacle(row: dict[str, Any]) -> str:
    part = row["part"].removeprefix(f"facts.{row['fact']}.")
    came = f"{part} came to {number(row['value'])}, wanted {row['bound'].replace('_', ' ')} {number(row['limit'])}"
    told = row["told"] or "No decision bears on it: dated events, incidents and couplings alone do."
    return _folded(f"{row['fact']}, run {row['run']}: {came}. {told}")


# ------------------------------------------------------------------------------------------- what other verbs print


def _checked(report: Report) -> str:
    counts = report.counts
    dealings = (
        f", {counts['bargains']} bargain{plural(counts['bargains'])} ({counts['deals']} deal{plural(counts['deals'])}) "
        f"and {counts['fora']} {'forum' if counts['fora'] == 1 else 'fora'} ({counts['seats']} seats)"
    )
    held = [
        f"{counts['turns']} turn{plural(counts['turns'])}, {counts['injects']} dated event{plural(counts['injects'])}, "
        f"{counts['incidents']} incident{plural(counts['incidents'])}, "
        f"{counts['outcomes']} outcome{plural(counts['outcomes'])}",
        f"{counts['actors']} actors with {counts['interests']} interests and {counts['options']} options of "
        f"{counts['actions']} actions" + (dealings if counts["bargains"] or counts["fora"] else ""),
        f"{counts['indicators']} indicators ({counts['slots']} columns), {counts['couplings']} couplings, "
        f"{counts['assurances']} assurances ({counts['beliefs']} beliefs)",
        _resting(counts["numbers"], counts["claim_only"], counts["claim_and_assumption"], counts["assumed"])
        + f"{counts['neither']} on neither; {counts['ranged']} with a range",
    ]
    deep = any(report.depths.values())
    shown = table(
        "Actor",
        *(["Depth"] if deep else []),
        "Act",
        "Towards",
        "EU",
        "λ·EU",
        "Prior",
        "Odds",
        title="Best options at the start, against doing nothing",
    )
    before = None
    for option in report.leading:
        name = "" if option.actor == before else option.actor
        before = option.actor
        depth = [str(report.depths[option.actor]) if name else ""] if deep else []
        shown.add_row(
            name, *depth, option.action, option.target or "", f"{option.utility:+.4f}", f"{option.score:+.2f}",
            f"{option.prior:+.2f}", _against(option.odds),
        )  # fmt: skip
    warnings = [f"warning: {problem}" for problem in report.warnings]
    return "\n".join([f"{report.file}: {report.title}", *(f"  {line}" for line in held), "", drawn(shown), *warnings])


def _foretold(forecast: Forecast) -> str:
    shown = table("Axis", "Values", "", title="What varies")
    for axis in forecast.axes[:SHOWN_AXES]:
        choices = axis["choices"]
        span = f"{axis['low']:g} to {axis['high']:g}" if choices is None else _listed(choices)
        shown.add_row(axis["path"], span, "lever" if axis["lever"] else "")
    if len(forecast.axes) > SHOWN_AXES:
        shown.add_row(f"and {len(forecast.axes) - SHOWN_AXES} more", "", "")
    names = f" x {len(forecast.variants)} variants ({', '.join(forecast.variants)})" if forecast.variants[1:] else ""
    lines = [
        f"{forecast.file}: {forecast.title}",
        f"  scenario {forecast.scenario}; {forecast.design}: {forecast.points:,} point{plural(forecast.points)}{names}"
        f" x {forecast.replicates:,} replicate{plural(forecast.replicates)} = "
        f"{forecast.runs:,} run{plural(forecast.runs)}",
        f"  about {_duration(forecast.seconds)} on {forecast.workers} worker{plural(forecast.workers)}, "
        f"at most {_size(forecast.bytes)}",
        f"  outcomes: {', '.join(forecast.outcomes)}",
        "",
        *([drawn(shown)] if forecast.axes else ["nothing varies\n"]),
        *(f"note: {note}" for note in forecast.notes),
    ]
    if forecast.large:
        lines.append("warning: more than 10 million runs; tightrope sweep needs --allow-large")
    return "\n".join(lines)


def _listed(choices: Sequence[Any]) -> str:
    shown = [f"{choice:g}" if isinstance(choice, float) else str(choice) for choice in choices]
    return ", ".join(shown if len(shown) <= 6 else [*shown[:3], "...", shown[-1]])


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.3g} {unit}"
        count /= 1000
    return ""


def _swept_facts(done: Swept) -> dict[str, Any]:
    keys = ("title", "scenario", "design", "runs", "points", "replicates", "variants", "failed", "seconds", "hash")
    return {key: done.manifest[key] for key in keys} | {"folder": str(done.folder), "outcomes": done.means()}


def _swept(done: Swept) -> str:
    manifest = done.manifest
    shown = table("Outcome", *manifest["variants"], title="Share of runs, or mean, over all points")
    means = done.means()
    for name, kind in manifest["outcomes"].items():
        values = (means[variant][name] for variant in manifest["variants"])
        shown.add_row(
            kind["title"], *(percent(v) if kind["yes_or_no"] and v is not None else number(v) for v in values)
        )
    failures = done.failures.slice(0, TOP).to_pylist()
    lines = [f"run {row['run']} failed: {row['message']}; again: {row['replay']}" for row in failures]
    if done.failed > TOP:
        lines.append(f"and {done.failed - TOP:,} more runs failed")
    return "\n".join(
        [
            manifest["title"],
            f"{manifest['runs']:,} runs ({manifest['points']:,} points, {manifest['design']}) in "
            f"{_duration(manifest['seconds'])}" + (f"; {done.failed:,} failed" if done.failed else ""),
            "",
            drawn(shown),
            *lines,
            f"Study folder: {done.folder}",
        ]
    )


def _standing(told: dict[str, Any]) -> str:
    parts = [f"{told['done']:,} of {told['runs']:,} runs ({100 * told['done'] // max(told['runs'], 1)}%)"]
    if told["failed"]:
        parts.append(f"{told['failed']:,} failed")
    if told["running"]:
        parts.append(f"running, process {told['process']}")
    else:
        parts.append("complete" if told["complete"] else "stopped; tightrope sweep with --resume goes on")
    if told["rate"]:
        parts.append(f"{told['rate']:,.0f} a second")
    if told["left"]:
        parts.append(f"about {_duration(told['left'])} left")
    return f"{told['title']}\n{told['folder']}: {'; '.join(parts)}"


def _analysed(found: Findings) -> str:
    manifest = found.manifest
    lines = [
        manifest["title"],
        f"{manifest['runs']:,} runs: {manifest['points']:,} point{plural(manifest['points'])} "
        f"({manifest['design']}), {manifest['replicates']:,} replicate{plural(manifest['replicates'])}, "
        f"{len(found.variants)} variant{plural(len(found.variants))}; seed {manifest['seed']}, "
        f"{manifest['draws']} random numbers",
        *([_folded(manifest["question"])] if manifest["question"] else []),
        *(_folded(f"note: {note}") for note in found.notes),
    ]
    for told in found.outcomes:
        lines += ["", *(_folded(line if n == 0 else f"  {line}") for n, line in enumerate(told.sentences))]
        for n, one in enumerate(told.boxes, 1):
            lines += [f"  box {n}: {line}" for line in found.replays(one.runs)]
        if told.varies and told.strengths:
            lines += ["", drawn(_strength_table(told))]
    return "\n".join(lines)


def _strength_table(told: Told) -> Table:
    from sim import findings

    unit = " (points)" if told.yes_or_no else ""
    shown = table("Axis", "By itself", "95%", "With interactions", "95%", f"End to end{unit}", "95%", "Rank corr.")
    for strength in told.strengths[:STRONGEST]:
        index, moved = strength.index, told.effects.get(strength.axis.path)
        shown.add_row(
            strength.axis.title, *_index_cells(index),
            "-" if moved is None else findings.difference(told, moved.mean),
            "-" if moved is None or math.isnan(moved.low)
            else f"{findings.difference(told, moved.low)} to {findings.difference(told, moved.high)}",
            "-" if math.isnan(strength.rank[0]) else f"{strength.rank[0]:+.2f}",
        )  # fmt: skip
    if not (math.isnan(told.chance.first) and math.isnan(told.chance.total)):
        shown.add_row("chance", *_index_cells(told.chance), "", "", "")
    left = len(told.strengths) - STRONGEST
    more = f"; {left} weaker axes are in the report or --json" if left > 0 else ""
    shown.caption = f"{told.method} ({told.source}){more}"
    shown.caption_justify = "left"
    return shown


def _index_cells(index: Index) -> list[str]:
    from sim.naming import percent

    cells = []
    for best, low, high in (
        (index.first, index.first_low, index.first_high),
        (index.total, index.total_low, index.total_high),
    ):
        cells.append("-" if math.isnan(best) else percent(best))
        cells.append("-" if math.isnan(low) else f"{percent(low)} to {percent(high)}")
    return cells


def _against(logit: float) -> str:
    """Odds as people read them."""
    if logit >= 0:
        return f"{math.exp(min(logit, 20)):.3g} : 1"
    return f"1 : {math.exp(min(-logit, 20)):.3g}"


def _replayed(again: Replay, manifest: dict[str, Any]) -> str:
    names, titles = manifest["actors"], manifest["actions"]
    shown = table("Date", "Actor", "Act", "Towards", "EU", "Probability", "", title=f"Run {again.run}")
    rows = [(row["turn"], 1, row) for row in again.tables["acts"].to_pylist()]
    rows += [(row["turn"], 0, row) for row in again.tables["events"].to_pylist()]
    for _, is_act, row in sorted(rows, key=lambda item: item[:2]):
        if is_act:
            shown.add_row(
                row["date"], names.get(row["actor"], row["actor"]), titles.get(row["action"], row["action"]),
                names.get(row["target"], row["target"] or ""),
                "-" if row["utility"] is None else f"{row['utility']:+.4f}",
                "-" if row["probability"] is None else percent(row["probability"]),
                "" if row["succeeded"] else "failed",
            )  # fmt: skip
        else:
            shown.add_row(row["date"], names.get(row["actor"], ""), f"[{row['title']}]", "", "", "", row["kind"])
    answers = table("Outcome", "Answer", title="Outcomes")
    for name, kind in manifest["outcomes"].items():
        value = again.tables["outcomes"][name][0].as_py()
        answers.add_row(kind["title"], ("yes" if value else "no") if kind["yes_or_no"] else number(value))
    verdict = f"as recorded, bit for bit: {', '.join(again.compared)}" if again.same else "not as recorded"
    if not again.compared:
        verdict = "nothing is recorded of it yet"
    return "\n".join([drawn(shown), drawn(answers), f"Run {again.run}: {verdict}"])


def _resting(numbers: int, claim: int, both: int, assumption: int) -> str:
    """How many numbers rest on what; what rests on neither is to follow."""
    return f"{numbers} numbers: {claim} on claims, {both} on claims and assumptions, {assumption} on assumptions, "


def _citing(document: str, parts: dict[str, list[dict[str, Any]]]) -> str:
    shown = table("Part", "Number", "Value", "Claims and their kind", "Where")
    for part, rows in parts.items():
        for n, row in enumerate(rows):
            shown.add_row(part if n == 0 else "", row["path"], row["value"], row["kinds"], row["locators"])
    counts = ", ".join(f"{len(rows)} {part}" for part, rows in parts.items())
    return drawn(shown) + f"{sum(map(len, parts.values()))} numbers cite {document}: {counts or 'none'}"


def _sourced(found: Sources, rows: Sequence[dict[str, Any]]) -> str:
    shown = table("Number", "Value", "Range", "Rests on")
    for row in rows:
        span = "" if row["low"] is None else f"{row['low']:g} to {row['high']:g}"
        cited = [f"{claim} (unknown)" if claim in found.unknown_claims else claim for claim in row["claims"].split()]
        known = row["basis"] == "claim"
        basis = ", ".join(cited if known else [*cited, row["assumption"] or "NOTHING"])
        where = f" ({row['locators']})" if row["locators"] else ""
        shown.add_row(row["path"], row["value"], span, basis + where)
    coverage = found.coverage
    documents = ", ".join(f"{count} on {document}" for document, count in found.by_document.items())
    lines = [
        drawn(shown),
        _resting(coverage["numbers"], coverage["claim_only"], coverage["claim_and_assumption"], coverage["assumption"])
        + f"{coverage['neither']} on neither; {coverage['ranged']} with a range; {documents or 'none on a document'}",
    ]
    lines += [f"neither claim nor assumption: {path}" for path in found.without()]
    for claim, paths in found.unknown_claims.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        lines.append(f"unknown claim: {claim}: named by {paths[0]}{more}; nothing rests on it")
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------------ showing things


def table(*headings: str, title: str | None = None) -> Table:
    """An empty table in our style."""
    from rich import box
    from rich.table import Table

    return Table(*headings, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")


def drawn(shown: Table) -> str:
    """A table as text, coloured where stdout is a terminal."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((140, 40)).columns if terminal else 160
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, markup=False, highlight=False, emoji=False)
    console.print(shown)
    return text.getvalue().rstrip("\n") + "\n"


def percent(share: float) -> str:
    """A share in per cent, with a decimal where it is near 0 or 1."""
    value = 100 * share
    near = 0 < value < 10 or 90 < value < 100
    return f"{value:.1f}".removesuffix(".0") + "%" if near else f"{value:.0f}%"


def number(value: float | None) -> str:
    """Three significant figures, without needless noughts."""
    if value is None or math.isnan(value):
        return "-"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def plural(count: int) -> str:
    return "" if count == 1 else "s"


def to_json(content: Any) -> str:
    """JSON with null where a number is missing."""
    return json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):  # a NumPy scalar
        return _plain(value.item())
    if is_dataclass(value):
        return _plain(vars(value))
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def echo(text: str) -> None:
    """Print to stdout; when nobody reads it any more, go on in silence."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(text: str) -> None:
    """Print to stderr; when nobody reads it any more, go on in silence."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def announce_compilation() -> None:
    """Say what takes so long the first time."""
    from sim import jit

    if not jit.is_warm():
        tell("Compiling the model: once after installing or changing it, about half a minute ...")


class Progress:
    """How far it is and how long it will take, on stderr, once it has taken longer than a second."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.next = time.monotonic() + 1.0
        self.first: tuple[float, int] | None = None  # what came before it, compiling and the like, tells nothing
        self.live = sys.stderr.isatty()
        self.shown = False

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int, wanted: int) -> None:
        now = time.monotonic()
        if self.first is None:
            self.first = now, done
        began, before = self.first
        if now < max(self.next, began + 0.5) or done >= wanted or done <= before:
            return
        rate = (done - before) / max(now - began, 1e-9)
        left = (wanted - done) / rate
        pace = f"{rate:,.0f} a second, " if rate >= 1 else ""
        line = f"{self.what} {done:,} of {wanted:,} ({100 * done // wanted}%), {pace}about {_duration(left)} left"
        if self.live:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
            self.shown = True
        else:
            tell(line)
        self.next = now + (0.2 if self.live else 10.0)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    if seconds < 5400:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


# ----------------------------------------------------------------------------------------------------- the entry point


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, and never raises."""
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)  # importing makes much that stays: looking through it takes a sixth of the start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _guarded(arguments)
    except KeyboardInterrupt:  # a second one, while the first was being told
        return INTERRUPTED
    finally:
        gc.set_threshold(*thresholds)


def _guarded(arguments: Sequence[str] | None) -> int:
    # Typer brings its own click from 0.16 on; this is the class that all its usage errors share, wherever it lives.
    usage_error = typer.BadParameter.__mro__[2]
    try:
        given = sys.argv[1:] if arguments is None else arguments
        result = app(args=given or ["--help"], prog_name="tightrope", standalone_mode=False)
        if result == INTERRUPTED:  # how newer Typers tell of Ctrl-C
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except UserError as error:
        tell(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        tell("interrupted; no unfinished run folder is left behind")
        return INTERRUPTED
    except typer.Exit as error:
        return error.exit_code
    except usage_error as error:  # type: ignore[misc]
        tell(_usage(error))
        return 2
    except MemoryError:
        tell("the memory of this computer does not suffice; take fewer runs, turns or workers, or a smaller scenario")
        return 2
    except OSError as error:
        from sim.store import reason

        tell(reason(error))
        return 4
    except Exception as error:
        if os.environ.get("TIGHTROPE_DEBUG"):
            raise
        tell(f"a fault of Tightrope, not of yours: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
        tell("set TIGHTROPE_DEBUG=1 to see where, and report it")
        return FAULT


def _usage(error: Any) -> str:
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "tightrope"
    return f"{where}: {message} (see {where} --help)"

"""A scenario becomes a run folder; a recorded run, the same run again.

`run` is the command's call in Python; it gives a `Run`, whose tables are read when they are asked for. `open_run`
gives the `Run` of a folder that is there. `replay` does one run of it again, alone, and compares every bit.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import sim
from sim import analysis, evidence, parameters, records, register, seats, store
from sim.arrays import POLICIES, Compiled, History
from sim.errors import BadInput, FolderProblem
from sim.scenario import (
    Outcome,
    Scenario,
    expand,
    first_day,
    members,
    read,
    rung_value,
    settable,
    span,
    turn_dates,
    turn_of,
    verb,
    with_numbers,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sim.figures import RunData

EVERYTHING = 1000  # up to this many runs, every table is kept
STRETCH = 8192  # runs for which the kernel is called at once
SHOWN = 200  # above that, the figures show this many of the first runs
MOST_RUNS = 10_000_000
MOST_TURNS = 1200
SCENARIO = "scenario.yaml"
DETAILS = ("states", "acts", "beliefs", "events")
DRAWN = (*DETAILS, "promises")  # what figures are drawn from
KEPT = (*DETAILS, *register.TABLES)  # up to EVERYTHING runs
Progress = Callable[[int, int], None]


# ------------------------------------------------------------------------------------------------------ preparation


@dataclass(frozen=True)
class Prepared:
    """A scenario ready to run: what it says, its tables, its questions and its labels, for a number of turns.

    drawn: sets of parameters from which each run has its numbers, if there are any.
    """

    scenario: Scenario
    text: str
    compiled: Compiled
    turns: int
    legend: records.Legend
    questions: tuple[records.Question, ...]
    drawn: parameters.Drawn = parameters.NONE

    def histories(
        self, seed: int, runs: range, policy: str | None = None, threads: int | None = None, explained: bool = True
    ) -> Iterator[History]:
        """Histories in order of run, for any number of runs in the same memory."""
        from sim.kernel import batches

        for first in range(runs.start, runs.stop, STRETCH):
            part = range(first, min(first + STRETCH, runs.stop))
            varied: Any = self.drawn.numbers(seed, part)
            yield from batches(
                self.compiled, seed, part, policy=policy, turns=self.turns, threads=threads or cores(),
                explained=explained, numbers=varied,
            )  # fmt: skip

    def one(self, seed: int, run: int) -> Prepared:
        """The same with the numbers of one run in the scenario and its tables."""
        if not self.drawn:
            return self
        values = {path: float(value[0]) for path, value in self.drawn.numbers(seed, [run]).items()}
        patched = self.compiled.patched(values)
        return replace(self, scenario=with_numbers(self.scenario, values), compiled=patched, drawn=parameters.NONE)

    def tables(self, history: History) -> dict[str, pa.Table]:
        """All tables of a history: states, acts, beliefs, events, those of `register.TABLES`, outcomes."""
        return {
            "states": records.states(history, self.compiled, self.legend),
            "acts": records.acts(history, self.compiled, self.legend),
            "beliefs": records.beliefs(history, self.compiled, self.legend),
            "events": records.events(history, self.compiled, self.legend),
            **register.dealings(history, self.compiled, self.legend),
            "outcomes": records.outcomes(history, self.questions, self.legend),
        }


def prepare(
    source: str | Path, sets: Sequence[str] = (), turns: int | None = None, parameter_file: str | Path | None = None
) -> Prepared:
    """Read, check and compile a scenario. turns: instead of the scenario's own. parameter_file: sets of parameters from
    which each run has its numbers, but for those that `sets` sets."""
    loaded = read(source, sets)
    scenario: Scenario = loaded.scenario
    ready = prepared(scenario, loaded.text(), turns)
    if parameter_file is None:
        return ready
    held = [settable(scenario, text.partition("=")[0].strip()) for text in sets]
    found = parameters.read(parameter_file)
    return with_parameters(ready, parameters.fitted(found, loaded, ready.compiled, held, str(parameter_file)))


def with_parameters(ready: Prepared, drawn: parameters.Drawn) -> Prepared:
    """The same with numbers that each run draws."""
    return replace(ready, compiled=roomy(ready.compiled, ready.scenario, drawn.efforts), drawn=drawn)


def roomy(compiled: Compiled, scenario: Scenario, efforts: Mapping[str, float]) -> Compiled:
    """The same with room for the acts that fit into a turn when efforts are this low."""
    from sim.compile import compile_scenario

    if not efforts:
        return compiled
    space = compile_scenario(with_numbers(scenario, efforts, widen=True)).space
    return replace(compiled, space={name: max(size, space[name]) for name, size in compiled.space.items()})


def prepared(scenario: Scenario, text: str, turns: int | None = None) -> Prepared:
    """The same for a scenario that has been read."""
    from sim.compile import compile_scenario

    horizon = scenario.turns if turns is None else turns
    if not 1 <= horizon <= MOST_TURNS:
        raise BadInput(f"--turns {horizon}: must be 1..{MOST_TURNS}")
    compiled = compile_scenario(scenario)
    dates = dates_from_start(scenario, horizon)
    injects = [
        (turn, f"timeline[{n}]", event.title)
        for n, event in enumerate(scenario.timeline)
        if (turn := turn_of(scenario, event.date)) is not None
    ]
    legend = records.Legend(
        dates=dates,
        injects=sorted(injects, key=lambda item: item[0]),
        incident_titles={name: incident.title or name for name, incident in scenario.incidents.items()},
        goldstein={cameo: found.goldstein for cameo, _ in compiled.codes if (found := evidence.code(cameo))},
        actors=_titles(scenario, compiled),
        actions={action: verb(scenario, action) for action in compiled.actions},
    )
    questions = tuple(question(scenario, compiled, name, outcome) for name, outcome in scenario.outcomes.items())
    return Prepared(scenario, text, compiled, horizon, legend, questions)


def _titles(scenario: Scenario, compiled: Compiled) -> dict[str, str]:
    return {actor: scenario.actors[actor].title or actor for actor in compiled.actors}


def dates_from_start(scenario: Scenario, turns: int) -> list[str]:
    """Labels of turns 0..turns. Turn 0, the start, is the end of the period before the first turn."""
    first = first_day(scenario.start)
    try:
        if scenario.turn == "week":
            before = str(first - datetime.timedelta(weeks=1))
        else:
            months = first.year * 12 + first.month - 1 - {"month": 1, "quarter": 3, "year": 12}[scenario.turn]
            before = f"{months // 12:04d}-{months % 12 + 1:02d}"
            first_day(before)
        return turn_dates(scenario.model_copy(update={"start": before, "turns": turns + 1}))
    except (ValueError, OverflowError):
        raise BadInput(f"{turns} turns from {scenario.start} leave the calendar's years 1..9999") from None


def question(scenario: Scenario, compiled: Compiled, name: str, outcome: Outcome) -> records.Question:
    """An outcome with its names resolved to indices."""
    measure, paths = _measured(scenario, outcome)
    slot = scenario.slots[paths[0]] if paths else None
    bound = [
        None if quantity is None else rung_value(quantity, slot) if slot else float(quantity.value)
        for quantity in (outcome.at_least, outcome.at_most)
    ]
    if outcome.count is not None:
        counted = outcome.count
        by, toward = (set(members(scenario, selector)) for selector in (counted.by, counted.toward))
        options = tuple(
            o
            for o, (actor, action, target) in enumerate(compiled.options)
            if actor in by
            and (counted.toward is None or target in toward)
            and (counted.action is None or action in counted.action)
            and (counted.plover is None or scenario.menu[action].plover == counted.plover)
        )
        turns = span(scenario, counted.from_, counted.until)
        return records.Question(name, "count", options=options, turns=turns, at_least=bound[0], at_most=bound[1])
    if outcome.incidents is not None:
        rows = tuple(n for n, (incident, _) in enumerate(compiled.incidents) if incident == outcome.incidents)
        return records.Question(name, "incidents", incidents=rows, at_least=bound[0], at_most=bound[1])
    return records.Question(
        name, measure, tuple(compiled.paths.index(path) for path in paths),
        at_least=bound[0], at_most=bound[1], over=outcome.over,
    )  # fmt: skip


def _measured(scenario: Scenario, outcome: Outcome) -> tuple[records.Measure, list[str]]:
    """What is measured of an outcome, and the indicators that it is measured on."""
    words: tuple[records.Measure, ...] = ("first", "end", "mean", "max", "min", "change")
    for word in words:
        path = getattr(outcome, word)
        if path is not None:
            return word, expand(path, scenario)
    return ("incidents" if outcome.count is None else "count"), []


# ------------------------------------------------------------------------------------------------------- running


@dataclass(frozen=True)
class Summary:
    """What came of the runs, as tables: see `analysis.outcome_summary`, `analysis.rung_summary`, `records.Totals`,
    `register.Tally`."""

    outcomes: pa.Table
    rungs: pa.Table
    acts: pa.Table
    dealings: pa.Table

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        return {name: getattr(self, name).to_pylist() for name in ("outcomes", "rungs", "acts", "dealings")}


@dataclass
class Run:
    """A run folder: its manifest, and its tables, each read when first asked for."""

    folder: Path
    manifest: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    @cached_property
    def states(self) -> pa.Table:
        """run, turn, date, one column an indicator path."""
        return self.table("states")

    @cached_property
    def acts(self) -> pa.Table:
        """One row an act (see `records.acts`)."""
        return self.table("acts")

    @cached_property
    def beliefs(self) -> pa.Table:
        """One row a run, turn, receiver, giver and kind of promise."""
        return self.table("beliefs")

    @cached_property
    def events(self) -> pa.Table:
        """Dated events and incidents."""
        return self.table("events")

    @cached_property
    def promises(self) -> pa.Table:
        """The register of promises (see `register.dealings`, also of what follows)."""
        return self.table("promises")

    @cached_property
    def promise_beliefs(self) -> pa.Table:
        """What each audience believed before and after a promise."""
        return self.table("promise_beliefs")

    @cached_property
    def offers(self) -> pa.Table:
        """Offers and their answers."""
        return self.table("offers")

    @cached_property
    def sessions(self) -> pa.Table:
        """Sessions of fora: who came, what moved."""
        return self.table("sessions")

    @cached_property
    def statements(self) -> pa.Table:
        """What sessions could agree on, and whether it followed."""
        return self.table("statements")

    @cached_property
    def tally(self) -> pa.Table:
        """How often bargains were offered, struck, kept and broken, sessions held, statements made, over all runs."""
        return self.table("tally")

    @cached_property
    def outcomes(self) -> pa.Table:
        """One row a run, one column an outcome."""
        return self.table("outcomes")

    @cached_property
    def totals(self) -> pa.Table:
        """How often each act was done, over all runs."""
        return self.table("totals")

    @cached_property
    def quantiles(self) -> pa.Table:
        """turn, date, path, q05 .. q95, mean: kept above 1,000 runs, else computed from the states."""
        if "quantiles.parquet" in self.manifest["tables"]:
            return self.table("quantiles")
        return analysis.bands(self.states, self.paths)

    @property
    def runs(self) -> int:
        return int(self.manifest["runs"])

    @property
    def complete(self) -> bool:
        """Whether states, acts, beliefs, events, promises and the like of every run are kept."""
        return "states.parquet" in self.manifest["tables"]

    @property
    def paths(self) -> list[str]:
        """Every indicator path."""
        return list(self.manifest["paths"])

    @property
    def ladders(self) -> dict[str, list[str]]:
        """Rung names by indicator path."""
        return {path: self.manifest["ladders"][name] for path, name in self._ladder_of.items()}

    @cached_property
    def _ladder_of(self) -> dict[str, str]:
        return {path: name for path in self.paths if (name := path.split(".")[-1]) in self.manifest["ladders"]}

    @cached_property
    def prepared(self) -> Prepared:
        """The scenario of the folder, read and compiled again, for the number of turns that was run."""
        path = self.folder / SCENARIO
        if not path.is_file():
            raise FolderProblem(f"{path}: missing; the folder is damaged")
        drawn = self.folder / parameters.FILE
        return prepare(path, (), self.manifest["turns"], drawn if self.manifest.get("parameters") else None)

    def own(self, run: int) -> dict[str, float]:
        """The numbers that a run drew, by path; none where all have the scenario's."""
        if not self.manifest.get("parameters"):
            return {}
        drawn = self.prepared.drawn.numbers(self.manifest["seed"], [run])
        return {path: float(values[0]) for path, values in drawn.items()}

    def table(self, name: str) -> pa.Table:
        """A table by name, verified against the manifest."""
        return store.read_table(self.folder, f"{name}.parquet", expected=self._entry(name)["hash"])

    def one(self, name: str, run: int) -> pa.Table:
        """The rows of one run in a table."""
        self._entry(name)
        self.check_run(run)
        return store.read_rows(self.folder, f"{name}.parquet", "run", run)

    def _entry(self, name: str) -> dict[str, Any]:
        try:
            return self.manifest["tables"][f"{name}.parquet"]
        except KeyError:
            told = f"{self.folder}: {name.replace('_', ' ')} were not kept"
            if self.runs <= EVERYTHING:  # an older version wrote the folder, which knew no such table
                raise FolderProblem(f"{told}; run again with this version of Tightrope") from None
            raise FolderProblem(f"{told} (more than {EVERYTHING:,} runs); run again with --full") from None

    @cached_property
    def choices(self) -> seats.Choices | None:
        """What was chosen by others than the model; None where the model chose for all."""
        if "chosen" not in self.manifest:
            return None
        path = self.folder / seats.FILE
        if not path.is_file() or store.text_hash(path.read_text(encoding="utf-8")) != self.manifest["chosen"]["hash"]:
            raise FolderProblem(f"{path}: missing or changed; the folder is damaged")
        return seats.read(path)

    def check_run(self, run: int) -> None:
        """Raises BadInput for a run that the folder does not hold."""
        if not 0 <= run < self.runs:
            raise BadInput(f"{self.folder}: no run {run}; it holds runs 0 to {self.runs - 1}")

    def summary(self) -> Summary:
        """Outcomes with intervals, rungs at the end, the commonest acts, what came of bargains and fora."""
        rungs = analysis.rung_summary(self._ends(), self.ladders)
        return Summary(self._answers(), rungs, self.totals, self.tally)

    def _answers(self) -> pa.Table:
        """The summary of the outcomes; of many runs, reading one after the other."""
        import pyarrow as pa

        kinds = self.manifest["outcomes"]
        if self.runs <= EVERYTHING:
            return analysis.outcome_summary(self.outcomes, kinds)
        parts = [analysis.no_outcomes()]
        for name, kind in kinds.items():
            wanted = [name, f"{name}_turn", f"{name}_date"] if kind["dated"] else [name]
            table = store.read_table(self.folder, "outcomes.parquet", wanted)
            parts.append(analysis.outcome_summary(table, {name: kind}))
        return pa.concat_tables(parts)

    def _ends(self) -> pa.Table:
        """Quantiles of the ladders at the end."""
        if not self.ladders:
            return analysis.no_bands()
        if "quantiles.parquet" in self.manifest["tables"]:
            return analysis.at_turn(self.quantiles, self.manifest["turns"])
        if "states" in self.__dict__:
            rows = self.states
        else:
            rows = store.read_table(self.folder, "states.parquet", ["turn", "date", *self.ladders])
        return analysis.bands(rows, list(self.ladders), self.manifest["turns"])

    def changes(self) -> list[str]:
        """What is no longer as it was when the folder was written, each as a line; none if nothing."""
        from sim.jit import rules_hash

        found = []
        if self.manifest["hashes"]["rules"] != rules_hash():
            found.append("the model's code has changed since this folder was written")
        path = self.folder / SCENARIO
        with store.storage(path):
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if self.manifest["hashes"]["scenario"] != store.text_hash(text):
            found.append(f"{SCENARIO} has changed since this folder was written")
        if self.manifest.get("parameters") and self.manifest["parameters"]["hash"] != store.text_hash(
            self.prepared.drawn.text
        ):
            found.append(f"{parameters.FILE} has changed since this folder was written")
        return found


def run(
    source: str | Path,
    runs: int = 200,
    seed: int = 1,
    sets: Sequence[str] = (),
    turns: int | None = None,
    policy: str | None = None,
    full: bool = False,
    out: str | Path | None = None,
    figures: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
    parameter_file: str | Path | None = None,
    choices: str | Path | None = None,
    players: Sequence[str] = (),
) -> Run:
    """Run a scenario and write a run folder; returns it as a `Run`.

    source: a file, or the name of a shipped scenario. sets: `path=value` replacements. turns, policy: instead of the
    scenario's own. full: keep every table also above 1,000 runs. out: the folder, new or empty; `runs/<scenario>-<n>`
    if left out. threads: all cores if left out; results do not depend on it. progress: called with the runs done and
    the runs wanted. parameter_file: sets of parameters that the runs draw from. choices: a file of what was chosen for
    some actors (see `seats`), which says seed, runs, numbers, policy and, where they are not given, turns too. players:
    `ACTOR=FILE.py:CLASS`, classes that choose for an actor.
    Raises BadInput, FolderProblem or StorageProblem; on any error nothing is left behind.
    """
    if parameter_file is not None and (choices is not None or players):
        raise BadInput("--parameters: runs in which players choose draw no parameters; leave it or the players out")
    made = None if choices is None else seats.read(choices)
    if made is not None:
        runs, seed, sets, policy = made.runs, made.seed, [*made.sets, *sets], made.policy
        turns = made.turns if turns is None else turns
    check_options(runs, seed, policy, threads)
    began = time.monotonic()
    ready = prepare(source, sets, turns, parameter_file)
    name = Path(source).stem
    chosen = None
    if made is not None or players:
        from sim import players as playing

        if made is not None:
            seats.check(made, ready.compiled, store.text_hash(ready.text), str(choices))
        loaded = playing.load(players, ready.compiled.actors)
        first = 0 if made is None else made.run
        chosen = seats.Choices(
            name, store.text_hash(ready.text), seed, first, runs, ready.turns,
            [actor for actor in ready.compiled.actors
             if (made is not None and actor in made.actors) or any(player.actor == actor for player in loaded)],
            list(sets), policy, [*([] if made is None else made.players), *players],
        )  # fmt: skip
        histories = playing.histories(
            ready.compiled, seed, first, range(runs), ready.turns, policy, loaded, made,
            lambda number, actor, turn, choice: chosen.made.update({(number, actor, turn): choice}),
        )  # fmt: skip
    else:
        histories = ready.histories(seed, range(runs), policy, threads)
    folder = store.Folder.create(out) if out is not None else store.Folder.numbered("runs", name)
    with folder:
        folder.write_text(SCENARIO, ready.text)
        return write(
            folder, ready, histories, source, runs, seed, sets, policy, full, figures, began, progress, chosen,
            parameter_file,
        )  # fmt: skip


def write(
    folder: store.Folder,
    ready: Prepared,
    histories: Iterable[History],
    source: str | Path,
    runs: int,
    seed: int,
    sets: Sequence[str],
    policy: str | None,
    full: bool,
    figures: bool,
    began: float,
    progress: Progress | None = None,
    chosen: seats.Choices | None = None,
    parameter_file: str | Path | None = None,
) -> Run:
    """Write the tables of these histories as they come, and the manifest, which makes the folder whole.

    began: by `time.monotonic()`. chosen: what players chose, once the histories have come.
    """
    started = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=time.monotonic() - began)
    if ready.drawn:
        folder.write_text(parameters.FILE, ready.drawn.text)
    sample = _write_tables(folder, ready, histories, runs, full, figures, progress)
    more: dict[str, Any] = {}
    if chosen is not None:
        folder.write_text(seats.FILE, chosen.text())
        more = {"chosen": {"run": chosen.run, "actors": chosen.actors, "players": chosen.players}}
        more["chosen"]["hash"] = store.text_hash(chosen.text())
    manifest = folder.finish(
        _manifest(
            ready, source, Path(source).stem if chosen is None else chosen.scenario, runs, seed, sets, policy, full
        )
        | {"started": started.isoformat(timespec="seconds"), "seconds": round(time.monotonic() - began, 3)}
        | more
        | described(parameter_file, ready.drawn)
    )
    done = Run(folder.path, manifest)
    done.__dict__["prepared"] = ready
    if figures:
        draw(done, sample)
    return done


def check_options(
    runs: int, seed: int, policy: str | None, threads: int | None, least: int = 1, most: int = MOST_RUNS
) -> None:
    """Raises BadInput for an option that no run can have."""
    if not least <= runs <= most:
        raise BadInput(f"--runs {runs}: must be {least}..{most:,}")
    if not 0 <= seed < 2**64:
        raise BadInput(f"--seed {seed}: must be 0..2^64 - 1")
    if policy is not None and policy not in POLICIES:
        raise BadInput(f"--policy {policy}: no such policy; one of {', '.join(POLICIES)}")
    if threads is not None and threads < 1:
        raise BadInput(f"threads {threads}: must be 1 or more")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def described(parameter_file: str | Path | None, drawn: parameters.Drawn) -> dict[str, Any]:
    """What a manifest says of the parameters; nothing where each run has the scenario's own."""
    if not drawn:
        return {}
    return {
        "parameters": {
            "file": str(parameter_file), "hash": store.text_hash(drawn.text), "sets": int(drawn.weights.size),
            "numbers": len(drawn.paths), "notes": list(drawn.notes),
        }
    }  # fmt: skip


def _write_tables(
    folder: store.Folder,
    ready: Prepared,
    histories: Iterable[History],
    runs: int,
    full: bool,
    figures: bool,
    progress: Progress | None,
) -> dict[str, pa.Table] | None:
    """Write every table of the folder as the histories come; returns the tables of the first runs, if figures are
    wanted of more runs than can be drawn."""
    keep_all = full or runs <= EVERYTHING
    kept = (*KEPT, "outcomes") if keep_all else ("outcomes",)
    totals, tally = records.Totals(ready.compiled), register.Tally(ready.compiled)
    bands = records.Bands(ready.compiled, ready.turns) if runs > EVERYTHING else None
    first: list[History] = []
    done = 0
    with ExitStack() as stack:
        writers = {name: stack.enter_context(folder.table(f"{name}.parquet")) for name in kept}
        for history in histories:
            tables = (
                ready.tables(history)
                if keep_all
                else {"outcomes": records.outcomes(history, ready.questions, ready.legend)}
            )
            for name, writer in writers.items():
                writer.write(tables[name])
            totals.add(history)
            tally.add(history)
            if bands is not None:
                bands.add(history)
                if figures and done < SHOWN:
                    first.append(history)
            done += history.runs.size
            if progress is not None:
                progress(done, runs)
    folder.write_table("totals.parquet", totals.table())
    folder.write_table("tally.parquet", tally.table())
    if bands is not None:
        folder.write_table("quantiles.parquet", bands.table(ready.legend))
    return ready.tables(_joined(first)) if first else None


def _joined(histories: list[History]) -> History:
    from sim.kernel import joined

    return joined(histories)


def _manifest(
    ready: Prepared,
    source: str | Path,
    name: str,
    runs: int,
    seed: int,
    sets: Sequence[str],
    policy: str | None,
    full: bool,
) -> dict[str, Any]:
    from sim.jit import rules_hash

    compiled, asked = ready.compiled, ready.scenario.outcomes
    return {
        "kind": "run",
        "scenario": name,
        "source": str(source),
        "title": ready.scenario.title,
        "runs": runs,
        "seed": seed,
        "sets": list(sets),
        "turns": ready.turns,
        "policy": policy or ready.scenario.policy,
        "policy_set": policy is not None,
        "full": full,
        "hashes": {"scenario": store.text_hash(ready.text), "rules": rules_hash()},
        "versions": versions(),
        "dates": list(ready.legend.dates),
        "actors": dict(ready.legend.actors),
        "actions": dict(ready.legend.actions),
        "assurances": {name: kind.title or name for name, kind in ready.scenario.assurances.items()},
        "bargains": {name: bargain.title or name for name, bargain in ready.scenario.bargains.items()},
        "fora": {name: forum.title or name for name, forum in ready.scenario.fora.items()},
        "indicators": {name: indicator.title or name for name, indicator in ready.scenario.indicators.items()},
        "outcomes": {
            q.name: {"title": asked[q.name].title or q.name, "yes_or_no": q.yes_or_no, "dated": q.dated}
            for q in ready.questions
        },
        "paths": list(compiled.paths),
        "ladders": {compiled.paths[s].split(".")[-1]: list(rungs) for s, rungs in compiled.ladders.items()},
    }


def versions() -> dict[str, str]:
    """Versions of what a result may depend on; Mesa's where it is in use."""
    found = {"tightrope": sim.__version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in ("numpy", "numba", "pyarrow", "pydantic", "mesa"):
        module = sys.modules.get(name)
        if module is not None:
            found[name] = str(getattr(module, "__version__", "unknown"))
    return found


def open_run(folder: str | Path) -> Run:
    """The run of a folder. Raises FolderProblem where there is none, or one that is unfinished or damaged."""
    path = Path(folder)
    manifest = store.read_manifest(path, "run")
    for name, entry in manifest["tables"].items():
        table = path / name
        if not table.is_file():
            raise FolderProblem(f"{table}: missing; the folder is damaged")
        if table.stat().st_size != entry["bytes"]:
            raise FolderProblem(f"{table}: damaged: {table.stat().st_size} bytes instead of {entry['bytes']}")
    return Run(path, manifest)


def draw(done: Run, tables: dict[str, pa.Table] | None = None) -> list[Path]:
    """Draw the figures of a run into its folder; returns their paths. tables: those of some runs, instead of all."""
    from sim import figures

    place = done.folder / "figures"
    with store.storage(place):
        return figures.draw_run(run_data(done, tables), place)


def run_data(done: Run, tables: dict[str, pa.Table] | None = None) -> RunData:
    """What the figures are drawn from: tables of a run folder, or of some of its runs, and the names behind them."""
    from sim.figures import RunData

    ready = done.prepared
    scenario, slots = ready.scenario, ready.scenario.slots
    if tables is None:
        tables = {name: getattr(done, name) for name in DRAWN}
    titles = {name: indicator.title or name for name, indicator in scenario.indicators.items()}
    compiled = ready.compiled
    cared_for = np.bincount(compiled.tables.interest_slot, compiled.tables.salience, len(compiled.paths))
    return RunData(
        title=scenario.title,
        **{name: tables[name] for name in DRAWN},
        actors=done.manifest["actors"],
        ladders=done.ladders,
        indicators={path: titles.get(slot.indicator, slot.indicator) for path, slot in slots.items()},
        injects=[(turn, title) for turn, _, title in ready.legend.injects if turn <= ready.turns],
        actions=done.manifest["actions"],
        seed=done.manifest["seed"],
        ranges={path: (slot.lo, slot.hi) for path, slot in slots.items()},
        assurances={name: assurance.title or name for name, assurance in scenario.assurances.items()},
        incidents=dict(ready.legend.incident_titles),
        weights=dict(zip(compiled.paths, cared_for.tolist(), strict=True)),
    )


def export_csv(done: Run, out: Path | None = None) -> list[tuple[Path, int]]:
    """Write every table of a run as CSV into `out` (`<folder>/csv` if left out); returns each file and its rows."""
    place = out if out is not None else done.folder / "csv"
    return [
        (store.write_csv(place / f"{name}.csv", done.table(name)), entry["rows"])
        for file, entry in done.manifest["tables"].items()
        for name in [file.removesuffix(".parquet")]
    ]


# ---------------------------------------------------------------------------------------------------------- replay


@dataclass(frozen=True)
class Replay:
    """One run done again, alone.

    tables: all tables of the run (see `Prepared.tables`). compared: the tables that the folder holds.
    differing: those among them that are not the same bit for bit. changes: what has changed since (see `Run.changes`).
    """

    run: int
    tables: dict[str, pa.Table]
    compared: list[str]
    differing: list[str]
    changes: list[str]

    @property
    def same(self) -> bool:
        """Whether every recorded row came out again, bit for bit."""
        return not self.differing


def replay(folder: str | Path, run: int) -> Replay:
    """Do one recorded run again, alone, and compare it with what was recorded."""
    recorded = open_run(folder)
    recorded.check_run(run)
    changes = recorded.changes()
    history = again(recorded, run)
    tables = recorded.prepared.tables(history)
    compared = [name for name in tables if f"{name}.parquet" in recorded.manifest["tables"]]
    differing = [
        name for name in compared if store.table_hash(tables[name]) != store.table_hash(recorded.one(name, run))
    ]
    return Replay(run, tables, compared, differing, changes)


def again(recorded: Run, run: int) -> History:
    """The history of one recorded run, computed anew from the folder's scenario, seed and policy."""
    from sim.kernel import ensemble

    recorded.check_run(run)
    ready, manifest = recorded.prepared, recorded.manifest
    policy = manifest["policy"] if manifest["policy_set"] else None
    made = recorded.choices
    if made is not None:
        from sim import players

        return next(players.histories(ready.compiled, made.seed, made.run, [run], ready.turns, policy, choices=made))
    compiled = ready.drawn.patched(ready.compiled, manifest["seed"], run)
    return ensemble(compiled, manifest["seed"], np.array([run]), policy=policy, turns=ready.turns)

"""Does it get history right: an ensemble held against what the documents report, beside baselines that know nothing.

`hindcast` runs a scenario and the baselines on the same seed, scores facts, acts and ladders (`sim.scores`), and writes
a folder; `open_hindcast` reads one.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sim import columns, data, facts, naming, observed, obstacles, parameters, store, verdicts
from sim import runs as running
from sim.arrays import Compiled, History
from sim.errors import BadInput
from sim.metrics import Record
from sim.rivals import trend_notes
from sim.scenario import Scenario, numbers, settable, with_numbers
from sim.scenario import read as read_scenario
from sim.scores import (
    MODEL,
    Gathered,
    act_scores,
    cell_table,
    fact_brier,
    fact_table,
    forecasts,
    gather,
    ladder_scores,
    ladder_table,
    reliability,
    totals,
)
from sim.verdicts import BoundFact, BoundFacts

BASELINES = ("random", "frozen", "trend")
SAMPLES = {"in": "in sample", "out": "out of sample"}
MOST = 100_000
MOST_SIDES = 40_000_000  # numbers kept of each policy: parts of tests times runs
Progress = Callable[[int, int], None]


@dataclass
class Hindcast:
    """A hindcast's folder: its manifest, and its tables, each read when first asked for.

    facts: see `fact_table`. obstacles: of each failing fact the nearest run, and the decision that stood in the way.
    cells: see `cell_table`. reliability, ladders: likewise. scenario: as it was scored.
    """

    folder: Path
    manifest: dict[str, Any]

    @cached_property
    def scenario(self) -> Scenario:
        return read_scenario(self.folder / running.SCENARIO).scenario

    @cached_property
    def facts(self) -> pa.Table:
        return self.table("facts")

    @cached_property
    def obstacles(self) -> pa.Table:
        return self.table("obstacles")

    @cached_property
    def cells(self) -> pa.Table:
        return self.table("cells")

    @cached_property
    def reliability(self) -> pa.Table:
        return self.table("reliability")

    @cached_property
    def ladders(self) -> pa.Table:
        return self.table("ladders")

    def table(self, name: str) -> pa.Table:
        """A table by name, verified against the manifest."""
        return store.listed_table(self.folder, self.manifest, name)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        keys = (
            "scenario",
            "title",
            "runs",
            "seed",
            "turns",
            "sets",
            "baselines",
            "notes",
            "seconds",
            "totals",
            "brier",
        )
        return {key: self.manifest[key] for key in keys} | {
            "folder": str(self.folder),
            "facts": self.facts.to_pylist(),
            "obstacles": self.obstacles.to_pylist(),
            "acts": self.manifest["acts"],
            "reliability": self.reliability.to_pylist(),
            "ladders": self.manifest["ladders"],
            "positions": self.ladders.to_pylist(),
        }


def open_hindcast(folder: str | Path) -> Hindcast:
    """The hindcast of a folder. Raises FolderProblem where there is none, or one that is unfinished or damaged."""
    return Hindcast(Path(folder), store.read_manifest(folder, "hindcast"))


def hindcast(
    source: str | Path,
    runs: int = 1000,
    seed: int = 1,
    fact_file: str | Path | None = None,
    sets: Sequence[str] = (),
    turns: int | None = None,
    out: str | Path | None = None,
    figures: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
    parameter_file: str | Path | None = None,
) -> Hindcast:
    """Score a scenario against what the documents report, beside the baselines, and write a folder; returns it.

    fact_file: the facts, seeds/facts.yaml if None. out: the folder, new or empty; `runs/hindcast-<scenario>-<n>` if
    None.
    progress: called with the runs done and the runs wanted. parameter_file: sets of parameters that the runs of every
    policy draw from. Raises BadInput, FolderProblem or StorageProblem; on any
    error nothing is left behind.
    """
    running.check_options(runs, seed, None, threads, least=2, most=MOST)
    began, started = time.monotonic(), datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    read = facts.read(fact_file)
    ready = running.prepare(source, sets, turns, parameter_file)
    bound = verdicts.bind(read, ready.scenario, ready.compiled, ready.turns)
    cells = observed.cells(ready.scenario, ready.turns)
    places = observed.places(ready.scenario, ready.compiled, ready.turns)
    if not bound.facts and not cells.cells and not places:
        reason = next(iter(bound.outside.values()), "the file holds none that can be tested")
        raise BadInput(
            f"nothing to score: none of the facts of {facts.shown(read.path)} speaks of this scenario ({reason}); name "
            "others with --facts"
        )
    parts = sum(len(list(fact.tree.leaves())) for fact in bound.facts)
    if parts * runs > MOST_SIDES:
        raise BadInput(f"--runs {runs}: with {parts:,} parts of tests at most {MOST_SIDES // max(parts, 1):,}")
    name = Path(source).stem
    folder = store.Folder.create(out) if out is not None else store.Folder.numbered("runs", f"hindcast-{name}")
    with folder:
        found = _all_gathered(ready, bound, cells, places, runs, seed, threads, progress)
        table = fact_table(bound, found)
        chances = forecasts(cells, found)
        drawn = cell_table(cells, chances)
        tables = {
            "facts": table,
            "obstacles": obstacle_table(ready, bound, found[MODEL], table, runs, seed),
            "cells": drawn,
            "reliability": reliability(drawn),
            "ladders": ladder_table(places, found),
            "holds": _holds(bound, found[MODEL], runs),
        }
        folder.write_text(running.SCENARIO, ready.text)
        if ready.drawn:
            folder.write_text(parameters.FILE, ready.drawn.text)
        folder.write_text("facts.yaml", read.path.read_text(encoding="utf-8"))
        for label, one in tables.items():
            folder.write_table(f"{label}.parquet", one)
        manifest = folder.finish(
            _manifest(ready, source, name, runs, seed, sets, read, cells)
            | running.described(parameter_file, ready.drawn)
            | {
                "totals": totals(table),
                "brier": fact_brier(table),
                "acts": act_scores(cells, chances),
                "ladders": ladder_scores(tables["ladders"]),
                "started": started,
                "seconds": round(time.monotonic() - began, 3),
            }
        )
        done = Hindcast(folder.path, manifest)
        done.__dict__.update(tables)
        if figures:
            draw(done)
    return done


def _ablated(ready: running.Prepared, bound: BoundFacts) -> list[tuple[running.Prepared, BoundFacts]]:
    """The scenario without what each ablation takes away, and the facts that ask for it."""
    groups: dict[tuple[tuple[str, Any], ...], list[BoundFact]] = {}
    for fact in bound.facts:
        if fact.fact.without:
            key = tuple(sorted((settable(ready.scenario, path), value) for path, value in fact.fact.without.items()))
            groups.setdefault(key, []).append(fact)
    found = []
    for key, members in groups.items():
        without = running.prepared(with_numbers(ready.scenario, dict(key), widen=True), "", ready.turns)
        drawn = ready.drawn.without(path for path, _ in key)
        found.append((running.with_parameters(without, drawn), BoundFacts(members, {}, {}, bound.source)))
    return found


def _all_gathered(
    ready: running.Prepared,
    bound: BoundFacts,
    cells: observed.Cells,
    places: Sequence[observed.Place],
    runs: int,
    seed: int,
    threads: int | None,
    progress: Progress | None,
) -> dict[str, Gathered]:
    """What is kept of the model and of each baseline."""
    ablations = _ablated(ready, bound)
    names = (MODEL, *BASELINES)
    wanted, before = runs * len(names) * (1 + len(ablations)), 0

    def done(count: int) -> None:
        nonlocal before
        before += count
        if progress is not None:
            progress(before, wanted)

    def histories(of: running.Prepared, name: str) -> Iterable[History]:
        return of.histories(seed, range(runs), None if name == MODEL else name, threads, explained=False)

    found = {}
    for name in names:
        found[name] = gather(bound, histories(ready, name), ready.compiled, cells, places, done)
        for without, some in ablations:
            found[name].without |= gather(some, histories(without, name), without.compiled, done=done).sides
    return found


def obstacle_table(
    ready: running.Prepared, bound: BoundFacts, found: Gathered, table: pa.Table, runs: int, seed: int
) -> pa.Table:
    """One row a fact that fails by its rule: the run nearest to passing and the decision that stood in the way."""
    from sim.kernel import ensemble

    rows = {row["fact"]: row for row in table.to_pylist()}
    ranges = {
        entry.path: (entry.quantity.range[0], entry.quantity.range[1])
        for entry in numbers(ready.scenario)
        if entry.quantity.range
    }

    def tables(run: int) -> Compiled:
        return ready.drawn.patched(ready.compiled, seed, run)

    def record(run: int) -> Record:
        return Record.of(ensemble(tables(run), seed, [run], turns=ready.turns))

    dates, words, out = ready.legend.dates, naming.Words(ready.scenario), []
    for fact in bound.facts:
        row = rows[fact.id]
        if row["passes"] or row["status"] != "scored" or fact.fact.scope != "run":
            continue
        one = obstacles.nearest(fact, found.sides[fact.id], range(runs), tables, seed, record, ranges)
        if one is None:
            continue
        told: dict[str, Any] = {
            key: getattr(one, key)
            for key in ("fact", "run", "unmet", "gap", "part", "value", "bound", "limit", "turn", "actor", "done")
        } | {"chance": one.chance, "utility": one.utility}
        if one.actor is not None and one.turn is not None and one.option is not None:
            told |= {"date": dates[one.turn], "action": one.option[0], "target": one.option[1]}
            told["told"] = _obstacle_told(one, dates[one.turn], words)
        if one.tip is not None:
            told |= dict(zip(("tip", "tip_from", "tip_to"), one.tip, strict=True))
        out.append(told)
    return columns.rows(out, _OBSTACLES)


_OBSTACLES = pa.schema(
    [("fact", pa.string()), ("run", pa.int64()), ("unmet", pa.int64()), ("gap", pa.float64()), ("part", pa.string())]
    + [("value", pa.float64()), ("bound", pa.string()), ("limit", pa.float64()), ("turn", pa.int32())]
    + [(name, pa.string()) for name in ("date", "actor", "action", "target")]
    + [("done", pa.bool_()), ("chance", pa.float64()), ("utility", pa.float64())]
    + [("tip", pa.string()), ("tip_from", pa.float64()), ("tip_to", pa.float64()), ("told", pa.string())]
)


def _obstacle_told(one: obstacles.Obstacle, date: str, words: naming.Words) -> str:
    """The decision in a sentence."""
    who, what = words.actor(one.actor or ""), words.option(one.option)
    chance = f"{one.chance:.0%}"
    if one.done:
        return naming.capital(f"{who} {what} in {date} (chance {chance}), and the fact wants it otherwise.")
    return naming.capital(
        f"{who} {words.option(one.instead)} in {date}; the fact wants that it {what} (chance of that first {chance}, "
        f"expected utility {one.utility:+.4f})."
    )


def _holds(bound: BoundFacts, found: Gathered, runs: int) -> pa.Table:
    """run, and by fact about a run whether it holds."""
    return pa.table(
        {"run": columns.numbers(np.arange(runs), pa.int64())}
        | {
            fact.id: columns.flags(fact.judge(found.sides[fact.id]).holds)
            for fact in bound.facts
            if fact.fact.scope == "run"
        }
    )


def _manifest(
    ready: running.Prepared,
    source: str | Path,
    name: str,
    runs: int,
    seed: int,
    sets: Sequence[str],
    read: facts.Facts,
    cells: observed.Cells,
) -> dict[str, Any]:
    from sim.jit import rules_hash

    seeds = ("chronology.yaml", "positions.yaml", "coverage.yaml")
    return {
        "kind": "hindcast",
        "scenario": name,
        "source": str(source),
        "title": ready.scenario.title,
        "facts": {"file": facts.shown(read.path), "title": read.file.title},
        "runs": runs,
        "seed": seed,
        "sets": list(sets),
        "turns": ready.turns,
        "dates": list(ready.legend.dates),
        "baselines": list(BASELINES),
        "notes": [*trend_notes(ready.compiled), *(f"acts not scored: {reason}" for reason in cells.left_out)],
        "hashes": {
            "scenario": store.text_hash(ready.text),
            "rules": rules_hash(),
            "facts": store.text_hash(read.path.read_text(encoding="utf-8")),
        }
        | {file: store.text_hash((data.seeds() / file).read_text(encoding="utf-8")) for file in seeds},
        "versions": running.versions(),
    }


def draw(done: Hindcast) -> list[Path]:
    """Draw the figures of a hindcast into its folder; returns their paths."""
    from sim import hindcast_figures

    place = done.folder / "figures"
    with store.storage(place):
        return hindcast_figures.draw_hindcast(
            hindcast_figures.HindcastData(
                title=done.manifest["title"],
                runs=done.manifest["runs"],
                seed=done.manifest["seed"],
                baselines=done.manifest["baselines"],
                facts=done.facts,
                acts=done.manifest["acts"],
                reliability=done.reliability,
                ladders=done.ladders,
            ),
            place,
        )

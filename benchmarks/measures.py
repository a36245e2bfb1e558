"""What is measured, and against what. Each part gives its lines and its numbers; the model's modules come in late.

A ratio is that of the best times of interleaved repeats: the machine's other work only ever adds time. Beside it stand
the median and the extremes of the repeats' own ratios.
"""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT, Line, Part

SEED = 1


@dataclass(frozen=True)
class Times:
    """Seconds of each repeat of two things measured in turns, each for one unit of its own work."""

    first: list[float]
    second: list[float]

    @property
    def ratio(self) -> float:
        """How many times as long the first takes, by the best of each."""
        return min(self.first) / min(self.second)

    def spread(self) -> str:
        each = [one / other for one, other in zip(self.first, self.second, strict=True)]
        return f"median {statistics.median(each):.3g}, {min(each):.3g} to {max(each):.3g}"

    def told(self) -> str:
        return f"{self.ratio:.3g} times ({self.spread()})"


def in_turns(first: Callable[[], Any], second: Callable[[], Any], repeats: int, units: tuple[float, float]) -> Times:
    """Time both `repeats` times after a warm-up, now one and now the other first. units: what each call comes to."""
    times: tuple[list[float], list[float]] = ([], [])
    first()
    second()
    for n in range(repeats):
        for which in (0, 1) if n % 2 == 0 else (1, 0):
            began = time.perf_counter()
            (first, second)[which]()
            times[which].append((time.perf_counter() - began) / units[which])
    return Times(*times)


def fitting(work: Callable[[int], Any], least: int, seconds: float) -> int:
    """How much work, a multiple of the least, takes about that long."""
    work(least)
    began = time.perf_counter()
    work(least)
    return least * max(1, round(seconds / (time.perf_counter() - began)))


def through(histories: Iterable[Any]) -> None:
    """Compute histories one after the other, as `tightrope run` does, which keeps none."""
    deque(histories, maxlen=0)


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g}"


def sources(quick: bool) -> dict[str, str]:
    """What both sides run, by the names in the report."""
    from benchmarks.worlds import generated

    if quick:
        return {"minimal": "minimal"}
    return {PLAIN: plain("takeover-2021"), "10 actors, 60 turns": json.dumps(generated())}


PLAIN = "takeover-2021 without bargains, fora and depth"


def plain(name: str, bargains: bool = False, fora: bool = False, depth: int = 0) -> str:
    """A shipped scenario as JSON, without what the ordinary Mesa model does not know; all actors of one depth."""
    from sim.scenario import as_data, read

    raw = as_data(read(name).scenario)
    gone: set[str] = set()
    for word, kept in (("bargains", bargains), ("fora", fora)):
        if not kept:
            gone |= set(raw.pop(word, {}))
    raw["outcomes"] = {
        outcome: asked for outcome, asked in raw["outcomes"].items()
        if not gone & set((asked.get("count") or {}).get("action") or ())
    }  # fmt: skip
    for actor in raw["actors"].values():
        actor.pop("depth", None)
    raw.setdefault("model", {})["depth"] = {"value": depth, "assumption": "what is measured"}
    return json.dumps(raw)


def compiled(source: str) -> Any:
    from benchmarks.ordinary import plan_of
    from sim.compile import compile_scenario

    return compile_scenario(plan_of(source).scenario)


# ------------------------------------------------------------------------------- the ensemble against ordinary Mesa


def ensemble(quick: bool) -> Part:
    """The ensemble on one core against `mesa.batch_run` of the same model, and whether both did the same."""
    from benchmarks.ordinary import run_all
    from sim import kernel

    part = Part(
        "The ensemble against an ordinary Mesa model",
        "The same scenario, seed and model, on one core in one process: `sim.kernel.batches` against "
        "`benchmarks/ordinary.py`, the model as it is commonly written in Mesa, by `mesa.batch_run`. Reading and "
        "compiling the scenario are left out on both sides. `tightrope run` also computes for every act how likely it "
        "was, which the ordinary model does not: the first row of a scenario leaves that out on both sides, so that "
        "the work is the same; the second has it, as users get it. Both do the first runs again and must come to the "
        "same acts, and to the same states within 1e-9.",
        headings=("scenario", "runs a repeat", "repeats", "Mesa, ms a run", "ensemble, ms a run", "ratio",
                  "median of the repeats' ratios, and their extremes"),
    )  # fmt: skip
    repeats = 2 if quick else 31  # short ones: the best of them meet a machine that is quiet for a moment
    for name, source in sources(quick).items():
        ready = compiled(source)
        agreed = agreement(source, ready, range(3 if quick else 8))
        part.valid = part.valid and agreed.same
        part.lines.append(
            Line(f"ensemble and Mesa do the same, {name}", "same acts and states", agreed.told(), agreed.same)
        )

        def mesa(runs: int, source: str = source) -> Any:
            return run_all(source, SEED, list(range(runs)))

        few = fitting(mesa, 2, 0.01 if quick else 0.3)
        for explained, what in ((False, "the same work"), (True, "with the probability of every act")):

            def ours(runs: int, ready: Any = ready, explained: bool = explained) -> Any:
                return through(kernel.batches(ready, SEED, range(runs), explained=explained))

            many = fitting(ours, kernel.LANES, 0.01 if quick else 0.15)
            times = in_turns(partial(mesa, few), partial(ours, many), repeats, (few, many))
            part.lines.append(
                Line(f"ensemble against Mesa on one core, {name}, {what}", "at least 100 times", times.told(),
                     times.ratio >= 100)
            )  # fmt: skip
            part.rows.append((
                f"{name}, {what}", f"{few:,} and {many:,}", str(repeats), milliseconds(min(times.first)),
                milliseconds(min(times.second)), f"{times.ratio:.1f}", times.spread(),
            ))  # fmt: skip
    return part


@dataclass(frozen=True)
class Agreement:
    """Whether two ways of running a scenario did the same. gap: the largest difference of a state or a utility."""

    runs: int
    acts: int
    different: int
    gap: float

    @property
    def same(self) -> bool:
        return self.different == 0 and self.gap <= 1e-9

    def told(self) -> str:
        if self.different:
            return f"{self.different} of {self.runs} runs differ in their acts"
        return f"{self.runs} runs, {self.acts:,} acts the same; states within {self.gap:.0e}"


def agreement(source: str, ready: Any, runs: range) -> Agreement:
    """Compare the ordinary model with the ensemble, run by run: acts one by one, states, beliefs and utilities."""
    import numpy as np

    from benchmarks.ordinary import plan_of, run_all
    from sim.kernel import ensemble as ensemble_of

    names = plan_of(source).names
    history = ensemble_of(ready, SEED, runs)
    acts = history.acts
    rows: dict[int, list[dict[str, Any]]] = {run: [] for run in runs}
    for row in run_all(source, SEED, list(runs)):
        rows[row["run"]].append(row)
    count, different, gap = 0, 0, 0.0
    for r, run in enumerate(runs):
        mine = np.flatnonzero(acts.run == run)
        ours = [(acts.turn[n], ready.options[acts.option[n]], acts.succeeded[n]) for n in mine]
        theirs = [(row["Step"] + 1, names[o], done) for row in rows[run] for o, done, _, _ in row["acts"]]
        count += len(ours)
        if ours != theirs or len(rows[run]) != ready.turns:
            different += 1
            continue
        told = [(chance, utility) for row in rows[run] for _, _, chance, utility in row["acts"]]
        pairs = [(np.array(told).reshape(-1, 2), np.stack([acts.chance[mine], acts.utility[mine]], axis=1))]
        pairs += [
            (np.array([row[key] for row in rows[run]]), array[r, 1:])
            for key, array in (("state", history.states), ("alpha", history.alpha), ("beta", history.beta))
        ]
        for one, other in pairs:
            if one.size:
                apart = np.abs(one - other)
                gap = max(gap, float(np.max(np.where(np.isnan(one) & np.isnan(other), 0.0, apart))))
    return Agreement(len(runs), count, different, gap if not math.isnan(gap) else math.inf)


# ---------------------------------------------------------------------------------------------- two cores against one


def threads(quick: bool) -> Part:
    """Two threads against one; for comparison, `mesa.batch_run` on two processes against one."""
    from benchmarks.ordinary import run_all
    from sim import kernel

    part = Part(
        "Two cores against one",
        "The ensemble on two threads against one, and for comparison the ordinary model by `mesa.batch_run` on two "
        "processes against one; a process of its pool starts, imports and reads the scenario anew, which counts.",
        headings=("what", "runs", "repeats", "one, s", "two, s", "ratio",
                  "median of the repeats' ratios, and their extremes"),
    )  # fmt: skip
    cores = len(os.sched_getaffinity(0))

    def add(what: str, runs: int, repeats: int, target: float | None, run: Callable[[int], Any]) -> None:
        times = in_turns(partial(run, 1), partial(run, 2), repeats, (1, 1))
        met = None if target is None or cores < 2 else times.ratio >= target
        told = times.told() if cores > 1 else f"{times.told()}, on a machine with one core"
        part.lines.append(Line(what, "" if target is None else f"at least {target} times", told, met))
        part.rows.append((
            what, f"{runs:,}", str(repeats), f"{min(times.first):.3f}", f"{min(times.second):.3f}",
            f"{times.ratio:.2f}", times.spread(),
        ))  # fmt: skip

    for name, source in sources(quick).items():
        ready = compiled(source)

        def ours(count: int, ready: Any = ready, runs: int = 2 * kernel.LANES) -> Any:
            return through(kernel.batches(ready, SEED, range(runs), threads=count))

        runs = fitting(lambda runs, ours=ours: ours(1, runs=runs), 2 * kernel.LANES, 0.01 if quick else 1.5)
        add(f"two threads against one, {name}", runs, 2 if quick else 9, 1.8, partial(ours, runs=runs))
        if not quick:

            def mesa(count: int, source: str = source, runs: int = 2) -> Any:
                return run_all(source, SEED, list(range(runs)), processes=count)

            few = fitting(lambda runs, mesa=mesa: mesa(1, runs=runs), 2, 8.0)
            add(f"mesa.batch_run on two processes against one, {name}", few, 3, None, partial(mesa, runs=few))
    return part


# ------------------------------------------------------------------------------------ what dealings and depth cost


def minds(quick: bool) -> Part:
    """What bargains, fora and depth cost, against the same scenario without them."""
    from sim import kernel

    part = Part(
        "Bargains, fora and depth",
        "The same scenario on one core: with its bargains and fora against without, and with actors of depth 1 and 2 "
        "against depth 0. A ratio of 2 is twice the time.",
        headings=("what", "runs", "repeats", "without, s", "with, s", "ratio",
                  "median of the repeats' ratios, and their extremes"),
    )  # fmt: skip
    every = {"bargains": True, "fora": True}
    cases: list[tuple[str, float, dict[str, Any], dict[str, Any]]] = [
        ("bargains and fora, at depth 0", 3.0, {}, every),
        ("depth 1 against 0, with bargains and fora", 2.0, every, every | {"depth": 1}),
        ("depth 2 against 0, with bargains and fora", 3.0, every, every | {"depth": 2}),
        ("depth 1 against 0, without", 2.0, {}, {"depth": 1}),
        ("depth 2 against 0, without", 3.0, {}, {"depth": 2}),
    ]
    for what, most, before, after in cases:
        one, two = (compiled(plain("takeover-2021", **kept)) for kept in (before, after))

        def ours(runs: int, ready: Any) -> None:
            through(kernel.batches(ready, SEED, range(runs), explained=False))

        runs = fitting(partial(ours, ready=one), kernel.LANES, 0.01 if quick else 0.3)
        times = in_turns(partial(ours, runs, two), partial(ours, runs, one), 2 if quick else 15, (1, 1))
        part.lines.append(Line(what, f"at most {most:g} times the time", times.told(), times.ratio <= most))
        part.rows.append((
            what, f"{runs:,}", str(len(times.first)), f"{min(times.second):.3f}", f"{min(times.first):.3f}",
            f"{times.ratio:.2f}", times.spread(),
        ))  # fmt: skip
    return part


# ------------------------------------------------------------------------------------------------------- many actors


def actors(quick: bool) -> Part:
    """What an option costs among 200 actors against among 10."""
    from benchmarks.worlds import generated
    from sim import kernel
    from sim.compile import compile_scenario
    from sim.scenario import parse

    many, turns = (20, 2) if quick else (200, 3)
    part = Part(
        f"{many} actors against 10",
        f"Generated worlds, {turns} turns, {kernel.LANES} runs on one core, with all that `tightrope run` "
        "computes. The cost of an option is the time divided by options x runs x turns, where options are all that "
        "the actors have between them, whether or not their conditions hold. In the first world everybody minds "
        "everybody, and what moves the world's trade or threat moves the fortunes of every actor: an option reaches "
        "more interests the more actors there are. In the second each minds nine others, as each of ten does, so that "
        "an option reaches as many as among ten.",
        headings=("world", "options", "interests an option reaches", "repeats", "ns an option", "against 10"),
    )

    def world(count: int, minded: int | None) -> tuple[Any, int]:
        ready = compile_scenario(parse(generated(count, minded=minded)))
        return ready, len(ready.options)

    few, options = world(10, None)
    batch = max(1, 40_000 // options) if not quick else 1
    repeats = 2 if quick else 3
    for minded, what in ((None, "everybody minds everybody"), (9, "each minds nine others")):
        ready, larger = world(many, minded)
        times = in_turns(
            lambda ready=ready: through(kernel.batches(ready, SEED, range(kernel.LANES), turns=turns)),
            lambda: through(kernel.batches(few, SEED, range(kernel.LANES * batch), turns=turns)),
            repeats,
            (larger * kernel.LANES * turns, options * kernel.LANES * batch * turns),
        )
        part.lines.append(
            Line(f"cost an option, {many} actors against 10, {what}", "at most 1.3 times", times.told(),
                 times.ratio <= 1.3)
        )  # fmt: skip
        for name, of, seconds, ratio in (
            ("10 actors", few, min(times.second), ""),
            (f"{many} actors, {what}", ready, min(times.first), f"{times.ratio:.2f}"),
        ):
            part.rows.append(
                (name, f"{len(of.options):,}", f"{reached(of):.1f}", str(repeats), f"{1e9 * seconds:.1f}", ratio)
            )
        del ready
    return part


def reached(ready: Any) -> float:
    """How many changes of interests an option is appraised by, on average; of many options, a sample."""
    tables, total = ready.tables, 0
    sample = range(0, len(ready.options), max(1, len(ready.options) // 2000))
    for o in sample:
        i, action = tables.option_actor[o], tables.option_action[o]
        for e in range(tables.effect_start[action], tables.effect_start[action + 1]):
            slot = tables.reference[tables.option_at[o] + tables.effect_at[e]]
            if slot >= 0:
                reach = tables.reach_rank[tables.reach_start[slot] : tables.reach_start[slot + 1]]
                total += int(tables.cares[i, reach].sum())
    return total / len(sample)


# ------------------------------------------------------------------------------------------------------------ memory

RUN = """
import sys
from benchmarks.measures import peak
from sim.runs import run
run(sys.argv[1], int(sys.argv[2]), out=sys.argv[3], figures=False)
print(peak())
"""


def peak() -> float:
    """Megabytes that this process has held at most; `ru_maxrss` would count what its parent held when it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def memory(quick: bool) -> Part:
    """Peak memory of many runs against a tenth of them."""
    source, few, many = ("minimal", 1100, 2200) if quick else ("takeover-2021", 10_000, 100_000)
    part = Part(
        "Memory of many runs",
        f"Peak resident memory of a process that does nothing but `sim.runs.run({source!r}, runs, figures=False)` on "
        "all cores.",
        headings=("runs", "peak, MB", "seconds"),
    )
    peaks = []
    for runs in (few, many):
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            command = [sys.executable, "-c", RUN, source, str(runs), str(Path(folder) / "run")]
            done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
            seconds = time.perf_counter() - began
        peaks.append(float(done.stdout.split()[-1]))
        part.rows.append((f"{runs:,}", f"{peaks[-1]:.0f}", f"{seconds:.0f}"))
    more = peaks[1] / peaks[0] - 1
    part.lines.append(
        Line(f"peak memory of {many:,} runs against {few:,}, {source}", "at most 10% more",
             f"{100 * more:+.1f}% ({peaks[0]:.0f} and {peaks[1]:.0f} MB)", more <= 0.10)
    )  # fmt: skip
    return part


# ---------------------------------------------------------------------------------------------------------- start-up


def startup(quick: bool) -> Part:
    """How long the command takes to answer, against the bare imports of what it stands on."""
    part = Part(
        "Starting",
        "Whole processes, started in turns, with compiled code and bytecode in their caches. Wall time, and processor "
        "time beside it, which other work on the machine disturbs less.",
        headings=("command", "repeats", "wall, ms: median", "best", "processor, ms: median", "best"),
    )
    command = Path(sys.executable).with_name("tightrope")
    tightrope = [str(command)] if command.exists() else [sys.executable, "-c", "import sim.cli; sim.cli.main()"]

    def single(name: str) -> list[str]:
        return [*tightrope, "run", name, "--runs", "1", "--no-figures"]

    bare = 'python -c "import typer, rich"', 'python -c "import numba, pyarrow, pydantic"'
    commands = {
        bare[0]: [sys.executable, "-c", "import typer, rich"],
        "tightrope --help": [*tightrope, "--help"],
        bare[1]: [sys.executable, "-c", "import numba, pyarrow, pydantic"],
        "tightrope run minimal --runs 1 --no-figures": single("minimal"),
    }
    if not quick:
        commands["tightrope run takeover-2021 --runs 1 --no-figures"] = single("takeover-2021")
    repeats = 1 if quick else 21
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    folder = tempfile.mkdtemp(prefix="tightrope-benchmarks-")
    try:
        for n in range(repeats + 1):
            for name, words in commands.items():
                spent = seconds_of(words, folder)
                if n:  # the first one warms up
                    times[name].append(spent)
    finally:
        shutil.rmtree(folder)
    middle = {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in times.items()}
    for name, rows in times.items():
        best = [min(column) for column in zip(*rows, strict=True)]
        cells = (middle[name][0], best[0], middle[name][1], best[1])
        part.rows.append((f"`{name}`", str(repeats), *(f"{1000 * cell:.0f}" for cell in cells)))
        if name.startswith("tightrope"):
            against, limit = (bare[0], 2.0) if "--help" in name else (bare[1], 2.5)
            wall, processor = (one / other for one, other in zip(middle[name], middle[against], strict=True))
            part.lines.append(
                Line(name, f"at most {limit:g} times {against}",
                     f"{wall:.2f} times in wall time, {processor:.2f} in processor time", wall <= limit)
            )  # fmt: skip
    return part


def seconds_of(command: Sequence[str], folder: str) -> tuple[float, float]:
    """Wall and processor time of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def environment() -> dict[str, str]:
    """The environment of a user's shell: bytecode is kept, and this checkout is what is measured."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(ROOT)}


PARTS: dict[str, Callable[[bool], Part]] = {
    "ensemble": ensemble,
    "threads": threads,
    "minds": minds,
    "actors": actors,
    "memory": memory,
    "startup": startup,
}

"""What a study costs: each sweep in a process of its own, whole calls, the start of the workers among them.

`python -m benchmarks.studies STUDY OUT WORKERS ENGINE` is one of those processes; the engine `none` computes the runs
of the study's first point in threads of one process and keeps nothing of them.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measures import SEED, environment, fitting, peak, plain
from benchmarks.report import ROOT, Line, Part

VARIED = """\
study: 1
title: What a study costs
scenario: {scenario}
vary:
{axes}design: latin_hypercube
points: {runs}
"""
REPEATED = """\
study: 1
title: One point
scenario: {scenario}
replicates: {runs}
"""
SCENARIO = "scenario.yaml"  # beside the study
AXES = {
    "takeover-2021": """\
  taliban.control: {low: 0.35, high: 0.55}
  actors.russia.interests.borders.salience: {low: 0.3, high: 0.9}
  model.rationality: {low: 100, high: 300}
""",
    "minimal": "  model.rationality: {low: 100, high: 300}\n",
}


def studies(quick: bool) -> Part:
    """Two workers against one, Dask, Mesa and nothing written; points against replicates; a finished study; memory."""
    scenario, runs, times, repeats = ("minimal", 2_000, 2, 1) if quick else ("takeover-2021", 100_000, 10, 3)
    part = Part(
        "Studies",
        f"`sweep` of {runs:,} runs of {scenario} (without bargains, fora and depth, which "
        "the ordinary Mesa model does not know), its outcomes written as Parquet: a Latin hypercube of three numbers "
        "with one run a point, and replicates of one point. Each call is a process of its own, whose whole time "
        "counts: planning, starting workers, writing, the closing hash. `nothing written` computes the same replicates "
        "in two threads of one process and drops them. Mesa is `mesa.batch_run` on two processes, nothing written. "
        "What is compared was measured in turns; each number is the best of its repeats.",
        headings=("what", "runs", "repeats", "best, s", "median, s", "ms a run", "parent's peak, MB"),
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="tightrope-benchmarks-") as place:
        folder = Path(place)
        same = folder / SCENARIO  # for both: without bargains, fora and depth, which the ordinary model does not know
        same.write_text(plain(scenario))
        few = fitting(partial(_mesa, str(same)), 2, 0.01 if quick else 8.0)
        calls: dict[str, tuple[int, Callable[[], dict[str, float]]]] = {
            "points, two workers": (runs, partial(swept, VARIED, scenario, runs, folder, 2)),
            "points, one worker": (runs, partial(swept, VARIED, scenario, runs, folder, 1)),
            "points, Dask's two workers": (runs, partial(swept, VARIED, scenario, runs, folder, 2, "dask-local")),
            "replicates, two workers": (runs, partial(swept, REPEATED, scenario, runs, folder, 2)),
            "replicates, two threads, nothing written": (
                runs, partial(swept, REPEATED, scenario, runs, folder, 2, "none"),
            ),
            "mesa.batch_run, two processes, nothing written": (few, partial(_mesa_timed, str(same), few)),
        }  # fmt: skip
        swept(VARIED, scenario, 64, folder, 1)  # compiles, where it must
        told: dict[str, list[dict[str, float]]] = {name: [] for name in calls}
        for n in range(repeats):
            for name in list(calls)[:: 1 if n % 2 == 0 else -1]:
                told[name].append(calls[name][1]())
        many = f"points, two workers, {times * runs:,} runs"
        calls[many] = (times * runs, partial(swept, VARIED, scenario, times * runs, folder, 2))
        told[many] = [calls[many][1]()]
    best = {name: min(found["seconds"] for found in each) for name, each in told.items()}
    for name, each in told.items():
        count, held = calls[name][0], each[0].get("peak_mb")
        middle = statistics.median(found["seconds"] for found in each)
        part.rows.append((name, f"{count:,}", str(len(each)), f"{best[name]:.2f}", f"{middle:.2f}",
                          f"{1000 * best[name] / count:.4g}", "" if held is None else f"{held:.0f}"))  # fmt: skip
    two, one, dask, replicates, bare, mesa, large = best.values()
    finished = told[many][0]
    more = finished["peak_mb"] / told["points, two workers"][0]["peak_mb"] - 1
    faster = (mesa / few) / (replicates / runs)
    for what, target, measured, met in (
        ("two cores with Parquet against mesa.batch_run on two processes", "at least 50 times, better 100",
         f"{faster:.3g} times", faster >= 50),
        ("speed kept with writing", "at least 0.7", f"{bare / replicates:.2f}", bare / replicates >= 0.7),
        ("two workers against one", "at least 1.8 times", f"{one / two:.2f} times", one / two >= 1.8),
        ("Dask's two local workers against ours", "at least 0.8", f"{two / dask:.2f}", two / dask >= 0.8),
        ("a Latin hypercube against as many replicates of one point", "at most 2 times as long",
         f"{two / replicates:.2f} times", two / replicates <= 2),
        (f"resuming a finished study of {times * runs:,} runs", "at most 5 s",
         f"{finished['resume_seconds']:.1f} s", finished["resume_seconds"] <= 5),
        (f"parent's peak memory at {times * runs:,} runs against {runs:,}", "at most 10% more", f"{100 * more:+.1f}%",
         more <= 0.10),
        (f"{times * runs:,} runs", "", f"{large:.0f} s and {finished['mb']:.0f} MB on the disk", None),
    ):  # fmt: skip
        part.lines.append(Line(what, target, measured, met))
    return part


def swept(text: str, scenario: str, runs: int, folder: Path, workers: int, engine: str = "local") -> dict[str, float]:
    """What one call took: seconds, the parent's peak memory, seconds to resume it, megabytes on the disk."""
    study, out = folder / "study.yaml", folder / "out"
    study.write_text(text.format(scenario=SCENARIO, axes=AXES[scenario], runs=runs))
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.studies", str(study), str(out), str(workers), engine],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def _mesa(scenario: str, runs: int) -> None:
    from benchmarks.ordinary import run_all

    run_all(scenario, SEED, list(range(runs)), processes=2)


def _mesa_timed(scenario: str, runs: int) -> dict[str, float]:
    began = time.perf_counter()
    _mesa(scenario, runs)
    return {"seconds": time.perf_counter() - began}


def main(study: str, out: str, workers: str, engine: str) -> None:
    """Sweep once, then resume, and print what it took."""
    told = unwritten(study, int(workers)) if engine == "none" else written(study, out, int(workers), engine)
    told["peak_mb"] = peak()
    if engine != "none":
        from sim import sweep

        began = time.perf_counter()
        sweep.sweep(study, out, resume=True)
        told["resume_seconds"] = time.perf_counter() - began
        told["mb"] = sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file()) / 1e6
    print(json.dumps(told))


def written(study: str, out: str, workers: int, engine: str) -> dict[str, float]:
    from sim import sweep

    began = time.perf_counter()
    sweep.sweep(study, out, workers=workers, engine=engine)
    return {"seconds": time.perf_counter() - began}


def unwritten(study: str, threads: int) -> dict[str, float]:
    from sim import kernel, plan
    from sim.study import load

    begun = plan.Plan(load(study))
    ready = begun.structure(begun.first).ready
    for _ in kernel.batches(ready.compiled, SEED, range(kernel.LANES), explained=False):
        pass
    began = time.perf_counter()
    for _ in kernel.batches(ready.compiled, SEED, range(begun.runs), explained=False, threads=threads):
        pass
    return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    main(*sys.argv[1:5])

"""What a study costs: `python -m benchmarks.studies [runs]` prints each figure with what it was measured on.

Times are of the whole call, the start of the workers among them; the memory of the parent is its peak.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VARIED = """\
study: 1
title: What a study costs
scenario: takeover-2021
vary:
  taliban.control: {{low: 0.35, high: 0.55}}
  actors.russia.interests.borders.salience: {{low: 0.3, high: 0.9}}
  model.rationality: {{low: 100, high: 300}}
design: latin_hypercube
points: {runs}
"""
REPEATED = "study: 1\ntitle: One point\nscenario: takeover-2021\nreplicates: {runs}\n"
UNWRITTEN = """\
import sys, time
from sim import kernel, runs
ready = runs.prepare("takeover-2021")
list(kernel.batches(ready.compiled, 1, range(128), explained=False))
began = time.perf_counter()
for _ in kernel.batches(ready.compiled, 1, range(int(sys.argv[1])), explained=False, threads=2):
    pass
print(time.perf_counter() - began)
"""


def swept(text: str, runs: int, folder: Path, workers: int, engine: str = "local") -> dict[str, float]:
    """Seconds and the parent's peak memory of one study, in a process of its own."""
    study = folder / "study.yaml"
    study.write_text(text.format(runs=runs))
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.studies", "--one", str(study), str(out), str(workers), engine],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def one(study: str, out: str, workers: str, engine: str) -> None:
    """Sweep once, then resume, and print what it took."""
    from sim import sweep

    began = time.perf_counter()
    sweep.sweep(study, out, workers=int(workers), engine=engine)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    sweep.sweep(study, out, resume=True)
    resumed = time.perf_counter() - began
    size = sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file()) / 1e6
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "resume_seconds": resumed, "mb": size}))


def main(runs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        swept(VARIED, 64, folder, 1)  # compiles, where it must
        two = swept(VARIED, runs, folder, 2)
        single = swept(VARIED, runs, folder, 1)
        repeated = swept(REPEATED, runs, folder, 2)
        dask = swept(VARIED, runs, folder, 2, "dask-local")
        ten = swept(VARIED, 10 * runs, folder, 2)
        bare = float(
            subprocess.run(
                [sys.executable, "-c", UNWRITTEN, str(runs)], capture_output=True, text=True, check=True
            ).stdout
        )
    print(f"{runs:,} points of three numbers, one run each, takeover-2021, two workers: {two['seconds']:.1f} s")
    print(f"two workers against one: {single['seconds'] / two['seconds']:.2f} times as fast")
    print(f"points against as many replicates of one point: {two['seconds'] / repeated['seconds']:.2f} times as long")
    print(f"speed kept with writing, against two threads that write nothing: {bare / repeated['seconds']:.2f}")
    print(f"Dask's two workers against ours: {two['seconds'] / dask['seconds']:.2f}")
    print(f"parent's peak memory: {two['peak_mb']:.0f} MB at {runs:,} runs, {ten['peak_mb']:.0f} MB at {10 * runs:,}")
    print(f"{10 * runs:,} runs: {ten['seconds']:.1f} s, {ten['mb']:.0f} MB; resumed in {ten['resume_seconds']:.1f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:6])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 100_000)

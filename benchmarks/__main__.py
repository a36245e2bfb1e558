"""`python -m benchmarks`: measures what the project promises of its speed, and says whether each promise is kept.

Every part prints one line a promise; `--write FILE` also writes them down, with the machine they were measured on.
The parts themselves are in `measures` and `studies`. A machine that does other work meanwhile gives other numbers:
repeats are interleaved, so that it does so to both sides of a ratio, and the spread is told.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import dashboard, measures, report, studies

PARTS = measures.PARTS | {"studies": studies.studies, "dashboard": dashboard.dashboard}


def main(arguments: list[str] | None = None) -> int:
    """Measure the parts asked for; 1 if the ensemble and the baseline did not do the same, which makes ratios void."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Tightrope's speed.")
    parser.add_argument("--only", metavar="PART,...", default=",".join(PARTS),
                        help=f"parts to measure, of {', '.join(PARTS)}")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="small and few: shows that it works, judges nothing")
    parser.add_argument("--write", metavar="FILE", type=Path, help="also write a report, of what this call measured")
    asked = parser.parse_args(arguments)
    names = asked.only.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM"):  # before NumPy is imported
        os.environ[f"{library}_NUM_THREADS"] = "1"
    command = "python -m benchmarks" + (f" --only {asked.only}" if names != list(PARTS) else "")
    command += " --quick" if asked.quick else ""
    began = report.Machine.now()
    done = []
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        part = PARTS[name](asked.quick)
        if asked.quick:
            part.lines = [replace(line, met=None) for line in part.lines]
        done.append(part)
        for line in part.lines:
            print(line, flush=True)
        if asked.write is not None:  # after each part: a call that is cut off keeps what it measured
            asked.write.write_text(report.written(done, began, command))
    return 0 if all(part.valid for part in done) else 1


if __name__ == "__main__":
    sys.exit(main())

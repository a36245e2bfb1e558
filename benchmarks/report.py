"""What was measured, in words: a line a promise on the screen, and a page with the machine and every number."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "numba", "llvmlite", "mesa", "pyarrow", "pydantic", "typer", "rich")


@dataclass(frozen=True)
class Line:
    """One promise: what, what is aimed at, what was measured, and whether that is enough; None where none is made."""

    what: str
    target: str
    measured: str
    met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "NOT met", None: "not judged"}[self.met]
        return f"{self.what}: {self.measured} ({self.target or 'for comparison'}): {verdict}"


@dataclass
class Part:
    """What came of one part. valid: whether what was compared did the same work."""

    title: str
    about: str
    lines: list[Line] = field(default_factory=list)
    headings: Sequence[str] = ()
    rows: list[Sequence[str]] = field(default_factory=list)
    valid: bool = True


@dataclass(frozen=True)
class Machine:
    """Where and when it was measured."""

    when: str
    load: str

    @staticmethod
    def now() -> Machine:
        when = datetime.datetime.now(datetime.UTC).isoformat(sep=" ", timespec="minutes").replace("+00:00", " UTC")
        return Machine(when, " ".join(f"{load:.2f}" for load in os.getloadavg()))


def written(parts: Sequence[Part], began: Machine, command: str) -> str:
    """The page: every number of it was measured by this call."""
    ended = Machine.now()
    text = [
        "# Benchmarks",
        f"Written by `{command} --write`; every number below was measured by that call, and nothing is carried over "
        f"from an earlier one. Begun {began.when}, ended {ended.when}.",
        table(("what", "target", "measured", ""), [
            (line.what, line.target or "-", line.measured, {True: "met", False: "**not met**", None: ""}[line.met])
            for part in parts
            for line in part.lines
        ]),
        "## Machine",
        "\n".join([
            f"- {processor()}, {len(os.sched_getaffinity(0))} cores, {memory()}; {platform.platform()}",
            f"- Python {platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in PACKAGES),
            f"- Tightrope at {commit()}",
            f"- Load averages over 1, 5 and 15 minutes: {began.load} when it began, {ended.load} when it ended. Above "
            "the number of threads that are measured, others were at work on the machine.",
        ]),
    ]  # fmt: skip
    for part in parts:
        text += [f"## {part.title}", part.about, table(part.headings, part.rows)]
    text += [
        "## To repeat",
        "```sh\nmake bench                                      # prints a line a promise\n"
        f"{command} --write docs/benchmarks.md\n"
        "python -m benchmarks --only ensemble,threads    # some parts only\n```\n"
        "On a machine that does nothing else; the compiled code is warmed up by the benchmarks themselves.",
    ]
    return "\n\n".join(text) + "\n"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def commit() -> str:
    """The commit that is checked out, and whether anything that was measured differs from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "sim", "scenarios", "benchmarks")
        return git("rev-parse", "--short=12", "HEAD") + (", with changes that are not committed" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "an unknown commit"

"""Studies and hindcasts as processes of their own: started, watched and stopped from a page, going on without it.

What a study has done is read from its folder, so that it is found again after a reload, by another tab, and when the
dashboard itself was started anew. Only what a process said before it ended is kept here, while the server runs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim import store, swept
from sim.errors import BadInput, FolderProblem

# An interrupt must reach the child although servers started in the background ignore it.
COMMAND = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from sim.cli import main; sys.exit(main())"
)
INTERRUPTED = 130
LAST_LINES = 12
AGAIN, TIMES = 6.0, 5  # seconds between interrupts, and how many follow the first
SWEEP, HINDCAST = "sweep", "hindcast"  # verbs of the command line


@dataclass
class Started:
    """A process that this server started by a verb, and the file of what it says."""

    process: subprocess.Popen
    said: Path
    verb: str


_started: dict[Path, Started] = {}
_lock = threading.Lock()


def _spawn(arguments: Sequence[str], out: Any, err: Any) -> subprocess.Popen:
    """The command line in a process and a session of its own, so that the end of the server does not end it."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, close_fds=True,
    )  # fmt: skip


def _holder(folder: Path) -> int | None:
    return store.holder(folder) if folder.is_dir() else None


def begin(study: Path, folder: Path, workers: int | None, resume: bool = False) -> None:
    """Run a study, or what is missing of it, into a folder. Raises FolderProblem where somebody is at it."""
    more = (["--workers", str(workers)] if workers else []) + (["--resume"] if resume else [])
    _begin(SWEEP, folder, [str(study), *more])


def begin_hindcast(scenario: Path, folder: Path, runs: int, seed: int) -> None:
    """Score a scenario into a folder. Raises FolderProblem where somebody is at it."""
    _begin(HINDCAST, folder, [str(scenario), "--runs", str(runs), "--seed", str(seed), "--no-figures"])


def _begin(verb: str, folder: Path, arguments: Sequence[str]) -> None:
    with _lock:
        if _holder(folder) is not None or (folder in _started and _started[folder].process.poll() is None):
            raise FolderProblem(f"{folder}: is being worked on already.")
        handle, name = tempfile.mkstemp(prefix=f"tightrope-{verb}-", suffix=".txt")
        with os.fdopen(handle, "wb") as said:
            process = _spawn([verb, *arguments, "--out", str(folder)], subprocess.DEVNULL, said)
        before = _started.get(folder)
        _started[folder] = Started(process, Path(name), verb)
    if before is not None:
        before.said.unlink(missing_ok=True)


def stop(folder: Path) -> None:
    """Interrupt whoever works on a folder: what a study has done is kept, of a hindcast nothing. Raises BadInput where
    nobody does."""
    holder = _holder(folder)
    with _lock:
        ours = _started.get(folder)
    if ours is not None and ours.process.poll() is None:
        ours.process.send_signal(signal.SIGINT)
        _insist(ours.process.pid, lambda: ours.process.poll() is None)
        return
    if not holder:
        raise BadInput(f"{folder.name}: nobody is working on it.")
    try:
        os.kill(holder, signal.SIGINT)
    except (ProcessLookupError, PermissionError) as error:
        raise BadInput(f"{folder.name}: process {holder} cannot be interrupted: {error.strerror}.") from None
    _insist(holder, lambda: _holder(folder) == holder)


def _insist(process: int, at_work: Callable[[], bool]) -> None:
    """Interrupt a process again while it is still at work: an interrupt that comes while it starts can be lost."""

    def again() -> None:
        for _ in range(TIMES):
            time.sleep(AGAIN)
            if not at_work():
                return
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGINT)

    threading.Thread(target=again, name="tightrope-stop", daemon=True).start()


@dataclass(frozen=True)
class Standing:
    """How far a study is. problem: what its process said, if it ended badly. rate: runs a second; left: seconds."""

    begun: bool
    runs: int = 0
    done: int = 0
    failed: int = 0
    complete: bool = False
    running: bool = False
    rate: float | None = None
    left: float | None = None
    problem: str = ""

    @property
    def words(self) -> str:
        """In a sentence."""
        if not self.begun:
            return "Preparing the study …" if self.running else "It ended before it began."
        parts = [f"{self.done:,} of {self.runs:,} runs"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.running and self.rate:
            parts.append(f"{self.rate:,.0f} a second")
        if self.running and self.left is not None:
            parts.append(f"about {spoken(self.left)} left")
        parts.append("running" if self.running else "complete" if self.complete else "stopped")
        return " · ".join(parts)


def spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def standing(folder: Path) -> Standing:
    """How far the study of a folder is, by what lies there. Raises FolderProblem for a folder that is no study."""
    with _lock:
        ours = _started.get(folder)
    code = None if ours is None else ours.process.poll()
    at_work = ours is not None and code is None
    problem = _said(ours) if ours is not None and code not in (None, 0, 1, INTERRUPTED, -signal.SIGINT) else ""
    if not (folder / store.MANIFEST).is_file():
        if at_work or problem or code in (INTERRUPTED, -signal.SIGINT):
            return Standing(False, running=at_work, problem=problem)
        raise FolderProblem(f"{folder}: there is no study here any more.")
    told = swept.status(folder)
    running = bool(told["running"]) or at_work
    return Standing(True, told["runs"], told["done"], told["failed"], bool(told["complete"]), running,
                    told["rate"], told["left"] if running else None, problem)  # fmt: skip


def _said(started: Started) -> str:
    """The last lines of what a process said."""
    return "\n".join(_lines(started)[-LAST_LINES:]) or "its process ended without a word"


def _lines(started: Started) -> list[str]:
    try:
        lines = started.said.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
    except OSError:
        return []
    return [line.strip() for line in lines if line.strip()]


def begun(verb: str = SWEEP) -> list[Path]:
    """Folders that this server started by a verb and that have no manifest yet, or ended before they had one."""
    with _lock:
        return [folder for folder, started in _started.items()
                if started.verb == verb and not (folder / store.MANIFEST).is_file()]  # fmt: skip


@dataclass(frozen=True)
class Scoring:
    """How far the hindcast of a folder is. done: the folder is whole. words: its state in a sentence. problem: what its
    process said, if it ended badly."""

    done: bool
    running: bool
    words: str
    problem: str = ""


def scoring(folder: Path) -> Scoring:
    """How far a hindcast is: by what lies there, and what its process last said. Raises FolderProblem where none is or
    was at work."""
    with _lock:
        ours = _started.get(folder)
    code = None if ours is None else ours.process.poll()
    if (folder / store.MANIFEST).is_file():
        return Scoring(True, False, "complete")
    if ours is None:
        holder = _holder(folder)
        if holder is None:
            raise FolderProblem(f"{folder}: there is no hindcast here any more.")
        return Scoring(False, True, f"process {holder} is at work on it" if holder else "somebody is at work on it")
    if code is None:
        lines = _lines(ours)
        return Scoring(False, True, lines[-1] if lines else "preparing the runs")
    if code in (INTERRUPTED, -signal.SIGINT):
        return Scoring(False, False, "stopped; nothing of it was kept")
    return Scoring(False, False, "failed", _said(ours))


def analysis(folder: Path, outcome: str) -> dict[str, Any]:
    """What a study says of one outcome, as `tightrope analyse --json` tells it: in a process of its own, so that the
    pages stay quick and its memory is given back. Raises FolderProblem."""
    arguments = ["analyse", str(folder), "--outcome", outcome, "--no-report", "--json"]
    process = _spawn(arguments, subprocess.PIPE, subprocess.PIPE)
    out, err = process.communicate()
    if process.returncode != 0:
        lines = [line.strip() for line in err.decode(errors="replace").replace("\r", "\n").splitlines() if line.strip()]
        raise FolderProblem("\n".join(lines[-LAST_LINES:]) or f"{folder}: the analysis ended without a word")
    return json.loads(out)

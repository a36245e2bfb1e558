"""Processes of this machine as an executor: a worker that dies costs its own task and nothing else.

`ProcessPoolExecutor` loses everything pending when a worker dies, and runs the user's script again in each worker.
Here each worker is given tasks one by one, and is replaced when it dies; it ends when its parent does. The first ones
are forked where that is safe, so that they have at once what their parent has loaded and planned; all others are fresh
interpreters.
"""

from __future__ import annotations

import ctypes
import gc
import math
import os
import queue
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

LOOK_SECONDS = 0.5  # how often a worker looks whether its parent is there
ROOM = 2 << 30  # bytes that a worker may take at least


class WorkerDied(Exception):
    """A worker ended in the middle of a task."""


class Workers(Executor):
    """An executor of `count` worker processes. What is submitted must be a function of an importable module."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._tasks: queue.SimpleQueue[tuple[Future, Any] | None] = queue.SimpleQueue()
        self._ended = False
        self._room = max(ROOM, int(0.8 * _available() / count))
        self._guard = threading.Lock()
        first = [_Worker(self._room, forked=True) for _ in range(count)] if _may_fork() else [None] * count
        self._workers = {worker for worker in first if worker is not None}
        self._threads = [threading.Thread(target=self._tend, args=(worker,), daemon=True) for worker in first]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Future:
        future: Future = Future()
        self._tasks.put((future, (function, args, options)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all workers, at once where futures are to be cancelled."""
        self._ended = self._ended or cancel_futures
        for _ in self._threads:
            self._tasks.put(None)
        if cancel_futures:
            with self._guard:
                for worker in self._workers:
                    worker.process.kill()
        if wait:
            for thread in self._threads:
                thread.join()

    def _tend(self, worker: _Worker | None) -> None:
        """Give one worker its tasks, and a successor when it dies."""
        while (task := self._tasks.get()) is not None and not self._ended:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                worker = worker or self._start()
            except OSError as error:
                future.set_exception(error)
                continue
            try:
                ok, result = worker.ask(call)
            except (EOFError, OSError) as error:
                future.set_exception(WorkerDied(self._end(worker) or str(error)))
                worker = None
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result) if ok else future.set_exception(result)
        self._end(worker)

    def _start(self) -> _Worker:
        worker = _Worker(self._room)
        with self._guard:
            self._workers.add(worker)
            if self._ended:
                worker.process.kill()
        return worker

    def _end(self, worker: _Worker | None) -> str:
        if worker is None:
            return ""
        with self._guard:
            self._workers.discard(worker)
        return worker.end()


class _Worker:
    """One process, seen from its parent."""

    process: _Forked | subprocess.Popen

    def __init__(self, room: int, forked: bool = False) -> None:
        self.pipe, theirs = Pipe()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        if forked:
            self.process = _Forked(theirs.fileno(), self.errors.fileno(), room)
            theirs.close()
            return
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; from sim.workers import serve; serve({theirs.fileno()}, {room})"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.errors, process_group=0,
        )  # fmt: skip
        theirs.close()

    def ask(self, call: Any) -> tuple[bool, Any]:
        """What a call gave: whether it did, and the result or the exception."""
        self.pipe.send(call)
        return self.pipe.recv()

    def end(self) -> str:
        """End it; how it ended, in words."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self.process.kill()
        code = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().splitlines()
        self.errors.close()
        if code < 0:
            return f"the process was ended by {signal.Signals(-code).name}"
        told = f": {said[-1][:300]}" if said else ""
        return f"the process ended itself with code {code}{told}"


class _Forked:
    """A copy of this process that serves; it goes by what `subprocess.Popen` offers."""

    def __init__(self, handle: int, errors: int, room: int) -> None:
        self.code: int | None = None
        parent = os.getpid()
        with warnings.catch_warnings():  # newer Pythons warn of any threads, also of those of NumPy's BLAS
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if not self.pid:
            try:
                _apart(handle, errors, room, parent)
            finally:
                os._exit(1)

    def kill(self) -> None:
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, seconds: float = math.inf) -> int:
        """Its exit code. Raises TimeoutExpired."""
        end = time.monotonic() + seconds
        while self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > end:
                raise subprocess.TimeoutExpired("worker", seconds)
            else:
                time.sleep(0.01)
        return self.code


def _may_fork() -> bool:
    """Whether a copy of this process can go on: none of its other threads, which a copy lacks, holds a lock then."""
    return sys.platform == "linux" and threading.active_count() == 1


def _apart(handle: int, errors: int, room: int, parent: int) -> None:
    """What a forked worker does: let go of all that is its parent's, its locks among them, and serve."""
    gc.freeze()  # what is garbage here is the parent's, and may own what has these handles
    os.setpgid(0, 0)  # Ctrl-C is for the parent
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with open(os.devnull, "r+") as silence:  # noqa: PTH123
        for to, of in ((0, silence.fileno()), (1, silence.fileno()), (2, errors)):
            os.dup2(of, to)
    os.closerange(3, handle)
    os.closerange(handle + 1, os.sysconf("SC_OPEN_MAX"))
    serve(handle, room, parent)
    os._exit(0)


def serve(handle: int, room: int, parent: int | None = None) -> None:
    """What a worker does: answer calls until nobody asks any more. room: bytes that it may take."""
    pipe = Connection(handle)
    threading.Thread(target=_end_with, args=(parent or os.getppid(),), daemon=True).start()
    limited = False
    while True:
        try:
            function, args, options = pipe.recv()
        except EOFError:
            return
        if not limited:  # by now everything is loaded
            _limit(room)
            limited = True
        try:
            answer: tuple[bool, Any] = (True, function(*args, **options))
        except Exception as error:
            answer = (False, error)
        try:
            pipe.send(answer)
        except (OSError, EOFError):
            return
        except Exception as error:
            pipe.send((False, RuntimeError(f"{type(error).__name__}: {error}")))


def keep_memory() -> None:
    """Let this process keep what it frees, for a stretch of runs takes as much again as the last one.

    Dask's workers are told the opposite, after which half of their time goes into fetching memory.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD
        library.mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD, the most that there may be


def _end_with(parent: int) -> None:
    """End this process when its parent is gone."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


def _limit(room: int) -> None:
    """Let memory run out in this process before it does for the machine."""
    with suppress(OSError, ValueError):
        with open("/proc/self/statm") as file:  # noqa: PTH123
            now = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        wanted = now + room
        resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def _available() -> int:
    """Bytes of memory that are free for use."""
    with suppress(OSError, ValueError, StopIteration), open("/proc/meminfo") as file:  # noqa: PTH123
        line = next(line for line in file if line.startswith("MemAvailable"))
        return int(line.split()[1]) * 1024
    return 4 * ROOM

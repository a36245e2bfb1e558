"""A run in the making: Mesa's `World`, stepped for one tab, and what of it the pages see. Only this module knows it.

`Live` steps the world and keeps what came of each turn; `film` gives that as an immutable snapshot, which any number of
threads may read. `Player` is the loop that steps it while its tab plays, and ends with the tab.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dashboards.state import Subject
from sim.arrays import Acts, History
from sim.runs import Prepared
from sim.world import Done, World


@dataclass(frozen=True, eq=False)
class Film:
    """One run as far as it is known, as tables of a run folder; immutable. last: the last turn there is, 0 the start.

    states has a row for each turn of the horizon; those that have not come yet are NaN.
    """

    subject: Subject
    ready: Prepared
    last: int
    states: pa.Table
    acts: pa.Table
    events: pa.Table
    beliefs: pa.Table

    @property
    def turns(self) -> int:
        """The last turn that there will be."""
        return self.ready.turns

    def values(self, turn: int) -> dict[str, float]:
        """The indicators by path at the end of a turn."""
        row = self.states.slice(turn, 1)
        return {path: float(row.column(path)[0].as_py()) for path in self.ready.compiled.paths}


class Live:
    """One run of a subject, stepped when it is asked for. Raises BadInput and FolderProblem as `Subject.ready` does."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.ready = subject, subject.ready()
        seed, policy = subject.draws()
        self._world = World(self.ready.compiled, seed, subject.run, policy)
        self._number = {name: n for n, name in enumerate(self.ready.compiled.options)}
        self._incident = {name: n for n, name in enumerate(self.ready.compiled.incidents)}
        self._states: list[list[float]] = []
        self._alpha: list[np.ndarray] = []
        self._beta: list[np.ndarray] = []
        self._lock = threading.Lock()
        self._film: Film | None = None
        self._keep()

    def _keep(self) -> None:
        """What the turn that has just ended left behind."""
        world = self._world
        self._states.append(list(world.values.values()))
        self._alpha.append(world.state.alpha[:, 0].copy())
        self._beta.append(world.state.beta[:, 0].copy())

    def reach(self, turn: int) -> Film:
        """Step until this turn, or the last one, is over; what is known then."""
        with self._lock:
            while self._world.turn < min(turn, self.ready.turns):
                self._world.step()
                self._keep()
                self._film = None
            if self._film is None:
                self._film = self._shown()
            return self._film

    def _shown(self) -> Film:
        tables = self.ready.tables(self._history())
        coming = self.ready.turns - self._world.turn
        states = tables["states"]
        if coming:
            states = pa.concat_tables([states, _unknown(states.schema, self._world.turn, self.ready)])
        return Film(
            self.subject, self.ready, self._world.turn, states, tables["acts"], tables["events"], tables["beliefs"]
        )

    def _history(self) -> History:
        """The run so far as the kernel gives it."""
        world, done = self._world, self._world.acts
        incidents = np.zeros((1, world.turn, len(self._incident)), dtype=np.bool_)
        for turn, name, actor in world.happened:
            incidents[0, turn - 1, self._incident[name, actor]] = True

        def column(read: Callable[[Done], Any], kind: Any) -> np.ndarray:
            return np.fromiter((read(act) for act in done), dtype=kind, count=len(done))

        return History(
            np.array([self.subject.run]),
            np.array([self._states]),
            np.array([self._alpha]),
            np.array([self._beta]),
            incidents,
            Acts(
                run=np.full(len(done), self.subject.run),
                turn=column(lambda act: act.turn, np.int32),
                option=column(lambda act: self._number[act.actor, act.action, act.target], np.int32),
                chance=column(lambda act: act.chance, np.float64),
                succeeded=column(lambda act: act.succeeded, np.bool_),
                utility=column(lambda act: act.utility, np.float64),
                probability=column(lambda act: act.probability, np.float64),
            ),
        )


def _unknown(schema: pa.Schema, last: int, ready: Prepared) -> pa.Table:
    """Rows of the states for the turns after the last."""
    turns = range(last + 1, ready.turns + 1)
    nan = pa.array(np.full(len(turns), np.nan))
    given: dict[str, Any] = {
        "run": pa.array([0] * len(turns)),
        "turn": pa.array(list(turns)),
        "date": pa.array([ready.legend.dates[turn] for turn in turns]),
    }
    return pa.table([given.get(one.name, nan).cast(one.type) for one in schema], schema=schema)


class Player:
    """Calls `tick` again and again, in a thread of its own, until it says no, it is told to stop, or the tab is gone.

    tick: steps and shows; False at the end. here: whether the tab is still there.
    """

    def __init__(self, tick: Callable[[], bool], here: Callable[[], bool], seconds: float) -> None:
        self._tick, self._here, self.seconds = tick, here, seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play, name="tightrope-play", daemon=True)
        self._thread.start()

    def _play(self) -> None:
        while not self._over.wait(self.seconds):
            if not self._here() or not self._tick():
                break
        self._over.set()

    def stop(self) -> None:
        """No further step is begun."""
        self._over.set()

    @property
    def over(self) -> bool:
        return self._over.is_set()


_WARM = threading.Event()
COMPILE = """
from sim.scenario import read
from sim.world import World
World(read("minimal").scenario).step()
"""


def warm() -> None:
    """Have the model compiled before the first tab wants it: by another process, as compiling holds up all threads."""

    def wait() -> None:
        try:
            subprocess.run([sys.executable, "-P", "-c", COMPILE], check=False, timeout=600, stdin=subprocess.DEVNULL)
            open_live(Subject(scenario="minimal"), 1)  # loads what was compiled
        finally:
            _WARM.set()

    threading.Thread(target=wait, name="tightrope-warm", daemon=True).start()


def open_live(subject: Subject, turn: int) -> Live:
    """A run of a subject that has come to a turn, once the model is compiled."""
    if threading.current_thread().name != "tightrope-warm":
        _WARM.wait()
    live = Live(subject)
    live.reach(turn)
    return live

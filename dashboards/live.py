"""A run in the making: Mesa's `World`, stepped for one tab, and what of it the pages see. Only this module knows it.

`Live` steps the world and keeps what came of each turn; `film` gives that as an immutable snapshot, which any number of
threads may read.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from dashboards import state
from dashboards.state import Subject
from sim import records, register, seats
from sim.arrays import History
from sim.naming import Words
from sim.players import Script
from sim.runs import Prepared
from sim.seats import MODEL, Choice
from sim.world import Option, World


@dataclass(frozen=True, eq=False)
class Film:
    """One run as far as it is known; immutable. last: the last turn there is, 0 the start. refused: actor, turn and why
    of what a player had chosen and cannot choose here.

    Its tables are those of a run folder, each made when it is first asked for.
    """

    subject: Subject
    ready: Prepared
    last: int
    history: History
    refused: tuple[tuple[str, int, str], ...] = ()

    @property
    def turns(self) -> int:
        """The last turn that there will be."""
        return self.ready.turns

    def values(self, turn: int) -> dict[str, float]:
        """The indicators by path at the end of a turn; NaN where it has not come yet."""
        if turn > self.last:
            return dict.fromkeys(self.ready.compiled.paths, float("nan"))
        return dict(zip(self.ready.compiled.paths, self.history.states[0, turn].tolist(), strict=True))

    def part(self, paths: Sequence[str]) -> pa.Table:
        """turn, date and some indicators, a row for each turn of the horizon; NaN for those that have not come yet."""
        slots = state.library().beside(self.ready, "slots", lambda: _numbered(self.ready.compiled.paths))
        coming = np.full(self.turns - self.last, np.nan)
        columns: dict[str, Any] = {
            "turn": np.arange(self.turns + 1, dtype=np.int32),
            "date": list(self.ready.legend.dates),
        }
        return pa.table(
            columns | {path: np.concatenate([self.history.states[0, :, slots[path]], coming]) for path in paths}
        )

    @cached_property
    def states(self) -> pa.Table:
        return records.states(self.history, self.ready.compiled, self.ready.legend)

    @cached_property
    def acts(self) -> pa.Table:
        return records.acts(self.history, self.ready.compiled, self.ready.legend)

    @cached_property
    def events(self) -> pa.Table:
        return records.events(self.history, self.ready.compiled, self.ready.legend)

    @cached_property
    def beliefs(self) -> pa.Table:
        return records.beliefs(self.history, self.ready.compiled, self.ready.legend)

    @cached_property
    def dealings(self) -> dict[str, pa.Table]:
        """The tables of `register.TABLES` by name, as far as they are known."""
        return register.dealings(self.history, self.ready.compiled, self.ready.legend)


def _numbered(names: Sequence[str]) -> dict[str, int]:
    return {name: n for n, name in enumerate(names)}


class Kept(Script):
    """Chooses what was chosen in the run that is looked at; where a change has made that impossible, the model does."""

    def __init__(
        self,
        model: World,
        name: str,
        index: int,
        made: Mapping[tuple[str, int], Choice],
        called: Callable[[tuple[str, str | None]], str],
        refused: list[tuple[str, int, str]],
    ) -> None:
        super().__init__(model, name, index, made)
        self.called, self.refused = called, refused

    def decide(self, options: Sequence[Option]) -> Choice:
        world, choice = self.model, super().decide(options)
        why = seats.wrong(world.compiled, world.state, self.index, world.turn, choice, self.called)
        if why is None:
            return choice
        self.refused.append((self.name, world.turn, why))
        return MODEL


class Live:
    """One run of a subject, stepped when it is asked for. Raises BadInput and FolderProblem as `Subject.ready` does."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.ready = subject, subject.ready()
        seed, policy = subject.draws()
        self._refused: list[tuple[str, int, str]] = []
        made, called = subject.chosen(), Words(self.ready.scenario).option
        seated = dict.fromkeys(
            {actor for actor, _ in made},
            lambda model, name, index: Kept(model, name, index, made, called, self._refused),
        )
        self._world = World(self.ready.compiled, seed, subject.drawn(), policy, seated)
        self._lock = threading.Lock()
        self._film: Film | None = None

    def reach(self, turn: int) -> Film:
        """Step until this turn, or the last one, is over; what is known then."""
        with self._lock:
            while self._world.turn < min(turn, self.ready.turns):
                self._world.step()
                self._film = None
            if self._film is None:
                self._film = self._shown()
            return self._film

    def _shown(self) -> Film:
        history = self._world.history(self.subject.run)
        return Film(self.subject, self.ready, self._world.turn, history, tuple(self._refused))

    def chosen(self) -> dict[tuple[str, int], Choice]:
        """What players chose, by actor and turn, as far as it has come."""
        with self._lock:
            return {(actor, turn): choice for actor, turn, choice in self._world.chosen}


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


def await_model() -> None:
    """Wait until the model is compiled."""
    _WARM.wait()


def open_live(subject: Subject, turn: int) -> Live:
    """A run of a subject that has come to a turn, once the model is compiled."""
    if threading.current_thread().name != "tightrope-warm":
        await_model()
    live = Live(subject)
    live.reach(turn)
    return live

"""Runs in which somebody else than the model chooses for an actor: choices of a file, or a class of the user's own.

Each run is a `World` of its own. Code is loaded here only, from the file that `--player` names on the command line.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.arrays import Compiled, History
from sim.errors import BadInput, UserError
from sim.seats import MODEL, Choice, Choices
from sim.world import Actor, Option, Player, World


class Script(Actor):
    """Chooses what is written down, by actor and turn; leaves the rest to the model."""

    made: Mapping[tuple[str, int], Choice]

    def __init__(self, model: World, name: str, index: int, made: Mapping[tuple[str, int], Choice]) -> None:
        super().__init__(model, name, index)
        self.made = made

    def decide(self, options: Sequence[Option]) -> Choice:
        return self.made.get((self.name, self.model.turn), MODEL)


@dataclass(frozen=True)
class Loaded:
    """A player's class. told: `ACTOR=FILE.py:CLASS`, as it was asked for."""

    told: str
    actor: str
    file: Path
    kind: type[Actor]


def load(told: Sequence[str], actors: Sequence[str]) -> list[Loaded]:
    """The classes that `ACTOR=FILE.py:CLASS` name. Raises BadInput, one line each, for whatever is wrong with one."""
    found = [_load(one, actors) for one in told]
    twice = {player.actor for player in found if sum(other.actor == player.actor for other in found) > 1}
    if twice:
        raise BadInput(f"--player: two players for {', '.join(sorted(twice))}; one each")
    return found


def _load(told: str, actors: Sequence[str]) -> Loaded:
    actor, equals, rest = told.partition("=")
    name, colon, kind = rest.rpartition(":")
    place = f"--player {told}"
    if not (equals and colon and actor and name and kind):
        raise BadInput(f"{place}: must be ACTOR=FILE.py:CLASS")
    if actor not in actors:
        raise BadInput(f"{place}: no actor {actor}; the actors are {', '.join(actors)}")
    file = Path(name)
    if file.suffix != ".py" or not file.is_file():
        raise BadInput(f"{place}: no Python file {file}")
    module = f"_tightrope_player_{abs(hash(file.resolve()))}"
    spec = importlib.util.spec_from_file_location(module, file)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # dataclasses look their module up there
    try:
        spec.loader.exec_module(loaded)
    except (Exception, SystemExit) as error:
        raise BadInput(f"{place}: {_where(error, file)}") from error
    found = getattr(loaded, kind, None)
    if found is None:
        raise BadInput(f"{place}: {file} has no class {kind}")
    if not (isinstance(found, type) and issubclass(found, Actor) and found is not Actor):
        raise BadInput(f"{place}: {kind} is no subclass of sim.world.Actor")
    return Loaded(told, actor, file, found)


def _where(error: BaseException, file: Path) -> str:
    """An error in a player's file: `line 12: ValueError: ...`."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if _same(frame.filename, file)]
    if isinstance(error, SyntaxError) and error.filename and _same(error.filename, file):
        lines.append(error.lineno)
    where = f"line {lines[-1]}: " if lines else ""
    return f"{where}{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _same(name: str, file: Path) -> bool:
    return Path(name).resolve() == file.resolve()


def step(world: World, players: Sequence[Loaded]) -> None:
    """A turn, in which a failure in a player's class is told as one line."""
    try:
        world.step()
    except UserError:
        raise
    except Exception as error:
        for player in players:
            frames = traceback.extract_tb(error.__traceback__)
            if any(_same(frame.filename, player.file) for frame in frames):
                told = f"--player {player.told}: turn {world.turn}: {_where(error, player.file)}"
                raise BadInput(told) from error
        asked: BaseException | None = error
        if players and any(frame.name == "decide" for frame in traceback.extract_tb(error.__traceback__)):
            # What it returned, rather than what it did.
            names = ", ".join(player.told for player in players)
            raise BadInput(
                f"--player {names}: turn {world.turn}: choose, reply or attend returned what it may not: "
                f"{type(asked).__name__}: {error}"
            ) from error
        raise


def seated(players: Sequence[Loaded]) -> dict[str, Player]:
    return {player.actor: player.kind for player in players}


def scripted(actors: Iterable[str], made: Mapping[tuple[str, int], Choice]) -> dict[str, Player]:
    """Seats in which what is written down is chosen. made: by actor and turn; looked into turn by turn."""
    return dict.fromkeys(actors, lambda model, name, index: Script(model, name, index, made))


def histories(
    compiled: Compiled,
    seed: int,
    first: int,
    runs: Iterable[int],
    turns: int,
    policy: str | None,
    players: Sequence[Loaded] = (),
    choices: Choices | None = None,
    note: Callable[[int, str, int, Choice], Any] | None = None,
) -> Iterator[History]:
    """Histories of these runs, counted from `first` and told under these numbers: a World each.

    note: told of every choice: number, actor, turn, choice.
    """
    for number in runs:
        made = {} if choices is None else choices.of(number)
        world = World(
            compiled, seed, first + number, policy, seated(players) | scripted({who for who, _ in made}, made)
        )
        for _ in range(turns):
            step(world, players)
        if note is not None:
            for actor, turn, choice in world.chosen:
                note(number, actor, turn, choice)
        yield world.history(number)

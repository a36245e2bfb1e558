"""What the pages share: the folder that is looked at, what an address says, and which run it speaks of.

Nothing here belongs to a tab: what is kept is read-only, found by id in a list, and the same for everyone. What a tab
is doing lives in its page's own state and dies with it.
"""

from __future__ import annotations

import dataclasses
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from sim import data, game, located, runs, seats, store, swept
from sim.arrays import POLICIES
from sim.errors import BadInput, FolderProblem, UserError
from sim.plan import Plan
from sim.runs import Prepared, Run, prepare, prepared
from sim.scenario import Scenario, as_data, as_yaml, nearest, parse, read, with_numbers
from sim.seats import Choice, Choices
from sim.study import changed
from sim.swept import Swept

DEPTH = 4  # folders below DIR that are looked into
MOST_FOLDERS = 5000
MOST_PAIRS = 2000  # of an address
KEPT = 4  # opened run folders, and prepared scenarios, at once
RUN, STUDY, COMPARISON, HINDCAST = "run", "study", "comparison", "hindcast"
GAME = "game"  # one that was left; played to the end it is a run

Value = TypeVar("Value")


# ------------------------------------------------------------------------------------------------ addresses


@dataclass(frozen=True)
class Query:
    """What stands behind the `?` of an address: names and texts, in order, a name as often as it stands there."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str | None) -> Query:
        """What an address says; what stands after the first MOST_PAIRS pairs is not read."""
        pairs = "&".join((text or "").split("&", MOST_PAIRS)[:MOST_PAIRS])
        return cls(tuple(parse_qsl(pairs, keep_blank_values=True)))

    def get(self, name: str, default: str = "") -> str:
        """The first of that name."""
        return next((value for key, value in self.pairs if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Each of that name."""
        return tuple(value for key, value in self.pairs if key == name)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds. Raises BadInput."""
        text = self.get(name)
        if not text:
            return default
        if not re.fullmatch(r"[0-9]{1,20}", text) or not low <= int(text) <= high:
            raise BadInput(f"The address says {name}={text[:40]}; it must be a whole number from {low} to {high}.")
        return int(text)

    def with_(self, **changes: Any) -> Query:
        """The same with other values: a text or number, several of them, or None for none."""
        kept = [pair for pair in self.pairs if pair[0] not in changes]
        for name, value in changes.items():
            values = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
            kept += [(name, str(one)) for one in values]
        return Query(tuple(kept))

    def text(self) -> str:
        return urlencode(self.pairs)


def address(page: str, query: Query) -> str:
    """The address of a view on this server."""
    text = query.text()
    return f"/{page}?{text}" if text else f"/{page}"


# ------------------------------------------------------------------------------------------------ what is kept


class Kept:
    """The few values used last, by key; made once, also when several tabs ask at the same time."""

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            try:
                value = make()
                with self._lock:
                    self._values[key] = value
                    while len(self._values) > self.most:
                        self._values.popitem(last=False)
            finally:
                with self._lock:
                    self._making.pop(key, None)
        return value


# ------------------------------------------------------------------------------------------------ the folder


@dataclass(frozen=True)
class Entry:
    """A folder of results under DIR. id: its path below DIR, by which addresses name it. problem: why it cannot be
    opened; None if it can. manifest: as it was written, of a game what its choices begin with, `actor`, who is played,
    and `over`, the turns that are; empty where there is a problem."""

    id: str
    path: Path
    kind: str
    manifest: Mapping[str, Any] = field(repr=False, compare=False)
    changed: float
    problem: str | None = None


def files(folder: Path) -> list[Path]:
    """The YAML files of a folder by name; what is named like one and is none, as a folder or a pipe, is left out,
    and so is what has a name that is no text."""
    return sorted(path for path in folder.glob("*.yaml") if path.is_file() and _said(path.name) == path.name)


def _said(name: str) -> str:
    """A name as text: Linux allows bytes that are none, which no address can hold."""
    return name.encode(errors="replace").decode()


def asks_study(path: Path) -> bool:
    """Whether a file is that of a study, also of a faulty one: whether a line of it begins with `study:`."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return re.search(rb"^study\s*:", file.read(100_000), re.MULTILINE) is not None
    except OSError:
        return False


class Library:
    """What lies under DIR: run folders, studies, comparisons, games and scenario files, each looked up by id in a list.

    No path is ever made of what an address says.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._seen: dict[Path, tuple[tuple[float, int], Entry]] = {}
        self._opened, self._made = Kept(), Kept(16)
        self._lock = threading.Lock()

    def entries(self, kind: str | None = None) -> list[Entry]:
        """The folders, latest first; of one kind, or all but games that were left. Reads only what has changed."""
        with self._lock:
            found = [entry for path in self._folders() if (entry := self._entry(path)) is not None]
            there = {entry.path for entry in found}
            self._seen = {path: seen for path, seen in self._seen.items() if path in there}
        found.sort(key=lambda entry: (-entry.changed, entry.id))
        return [entry for entry in found if entry.kind == kind or (kind is None and entry.kind != GAME)]

    def entry(self, id: str, kind: str | None = None) -> Entry:  # noqa: A002
        """The folder of an id. Raises BadInput for one that is not in the list, FolderProblem for a damaged one."""
        found = {entry.id: entry for entry in self.entries(kind)}
        if id not in found:
            what = {None: "folder", RUN: "run folder"}.get(kind, kind)
            raise BadInput(f"There is no {what} “{id[:100]}” under {self.folder}{nearest(id, found)}.")
        if found[id].problem:
            raise FolderProblem(str(found[id].problem))
        return found[id]

    def run(self, id: str) -> Run:  # noqa: A002
        """An opened run folder, which several tabs may share. Raises as `entry` does."""
        entry = self.entry(id, RUN)
        return self._opened.get((entry.path, entry.changed), lambda: runs.open_run(entry.path))

    def study(self, id: str) -> Swept:  # noqa: A002
        """An opened study, which several tabs may share. Raises as `entry` does."""
        entry = self.entry(id, STUDY)
        return self._opened.get((entry.path, entry.changed), lambda: swept.open_sweep(entry.path))

    def holds(self, id: str, kind: str) -> bool:  # noqa: A002
        """Whether an id is that of a folder of this kind."""
        return any(entry.id == id for entry in self.entries(kind))

    def scenarios(self) -> dict[str, Path]:
        """Scenario files by id: those saved under DIR (`./name`), then the shipped ones (`name`)."""
        own = {f"./{path.stem}": path for path in files(self.folder) if not asks_study(path)}
        return own | {path.stem: path for path in files(data.scenarios())}

    def scenario(self, id: str) -> Path:  # noqa: A002
        """The file of a scenario's id. Raises BadInput."""
        known = self.scenarios()
        if id not in known:
            raise BadInput(f"There is no scenario “{id[:100]}”{nearest(id, known)}.")
        return known[id]

    def made(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Something read-only that takes a while to make, shared by all tabs."""
        return self._made.get(key, make)

    def beside(self, thing: Any, name: str, make: Callable[[], Value]) -> Value:
        """Something read-only that is made of a thing that cannot be hashed, as long as both are in use."""
        # The thing is kept beside it, so that its id stays its own.
        return self._made.get((name, id(thing)), lambda: (thing, make()))[1]

    def _folders(self) -> Iterable[Path]:
        """Every folder with a manifest or a game, a bounded way down; none below one that has it."""
        level, count = [self.folder], 0
        for _ in range(DEPTH):
            below: list[Path] = []
            for place in level:
                try:
                    with os.scandir(place) as items:
                        inner = [Path(item.path) for item in items if item.is_dir(follow_symlinks=False)]
                except OSError:
                    continue
                for path in inner:
                    count += 1
                    if count > MOST_FOLDERS:
                        return
                    if (path / store.MANIFEST).is_file() or (path / seats.FILE).is_file():
                        yield path
                    elif not path.name.startswith("."):
                        below.append(path)
            level = below

    def _entry(self, path: Path) -> Entry | None:
        """What is in a folder; None if it went away meanwhile."""
        left = not (path / store.MANIFEST).is_file()
        try:
            stat = (path / (seats.FILE if left else store.MANIFEST)).stat()
        except OSError:
            return None
        mark = (stat.st_mtime, stat.st_size)
        known = self._seen.get(path)
        if known is not None and known[0] == mark:
            return known[1]
        name = path.relative_to(self.folder).as_posix()
        id_ = _said(name)
        try:
            if id_ != name:
                raise FolderProblem(f"{id_}: its name holds what is no text in UTF-8; rename the folder")
            manifest = _left(path) if left else store.read_manifest(path)
            entry = Entry(id_, path, str(manifest.get("kind")), manifest, stat.st_mtime)
        except UserError as error:
            entry = Entry(id_, path, GAME if left else RUN, {}, stat.st_mtime, str(error))
        self._seen[path] = (mark, entry)
        return entry


def _left(path: Path) -> dict[str, Any]:
    """What there is to know of a game that was left."""
    made = game.chosen(path)
    told = {name: value for name, value in vars(made).items() if name != "made"}
    return told | {"kind": GAME, "actor": game.person(made.actors, made.players), "over": made.last}


_library: Library | None = None


def open_library(folder: Path) -> Library:
    """Look at a folder; once, when the server starts."""
    global _library
    _library = Library(folder)
    return _library


def library() -> Library:
    """The folder that the server was started on."""
    if _library is None:
        raise RuntimeError("no folder was opened")
    return _library


# ------------------------------------------------------------------------------------------------ what is looked at


@dataclass(frozen=True)
class Change:
    """An intervention, which is a dated event of the scenario that the reader adds: at the beginning of a turn an act
    is done, or an indicator takes a value."""

    turn: int
    act: tuple[str, str, str | None] | None = None  # actor, action, target
    set: tuple[str, float | str] | None = None  # path of an indicator, value

    def text(self) -> str:
        """As it stands in an address."""
        if self.act is not None:
            return f"{self.turn}:act:" + ":".join(part or "" for part in self.act)
        path, value = self.set or ("", 0.0)
        return f"{self.turn}:set:{path}={value if isinstance(value, str) else format(value, '.12g')}"

    @classmethod
    def of(cls, text: str) -> Change:
        """Raises BadInput."""
        parts = text.split(":")
        try:
            turn, kind = int(parts[0]), parts[1]
            if kind == "act" and len(parts) == 5:
                return cls(turn, act=(parts[2], parts[3], parts[4] or None))
            path, value = ":".join(parts[2:]).split("=", 1)
            if kind == "set":
                return cls(turn, set=(path, _number(value)))
        except (ValueError, IndexError):
            pass
        raise BadInput(
            f"The address says do={text[:80]}; write do=TURN:act:ACTOR:ACTION:TARGET or do=TURN:set:PATH=VALUE."
        )


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Subject:
    """One run that can be looked at: of a folder, or made here of a scenario and a seed; and what the reader changed.

    folder, scenario: ids of the library; one of them is empty. A folder is that of a run, of a study or of a game, of
    which the turns are those that are over. run: its number there. seed, policy: None with a folder (its own). sets:
    `path=value`, from the start. changes: from a turn on.
    """

    scenario: str = ""
    folder: str = ""
    seed: int = 1
    run: int = 0
    policy: str | None = None
    sets: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    @classmethod
    def of(cls, query: Query, scenario: str = "") -> Subject:
        """What an address speaks of; scenario: where it names none. Raises BadInput."""
        folder = query.get("run")
        policy = query.get("policy") or None
        if policy is not None and policy not in POLICIES:
            raise BadInput(f"The address says policy={policy[:40]}; it must be one of {', '.join(POLICIES)}.")
        return cls(
            scenario="" if folder else query.get("scenario", scenario),
            folder=folder,
            seed=query.whole("seed", 1, 0, 2**64 - 1),
            run=query.whole("n", 0, 0, 10**7),
            policy=policy,
            sets=query.all("set"),
            changes=tuple(Change.of(text) for text in query.all("do")),
        )

    def query(self) -> Query:
        """As it stands in an address."""
        return Query().with_(
            run=self.folder or None,
            scenario=self.scenario or None,
            seed=None if self.folder or self.seed == 1 else self.seed,
            n=self.run or None,
            policy=self.policy,
            set=self.sets,
            do=tuple(change.text() for change in self.changes),
        )

    @property
    def recorded(self) -> bool:
        """Whether it is a run of a run folder as it stands there."""
        return bool(self.folder) and self.plain and not self.of_study and not self.of_game

    @property
    def plain(self) -> bool:
        """Whether the reader changed nothing."""
        return not self.sets and not self.changes and self.policy is None

    @property
    def of_study(self) -> bool:
        """Whether it is a run of a study."""
        return bool(self.folder) and library().holds(self.folder, STUDY)

    @property
    def of_game(self) -> bool:
        """Whether it is a game that is not over."""
        return bool(self.folder) and library().holds(self.folder, GAME)

    @property
    def count(self) -> int:
        """How many runs its folder holds; 0 where it is in none."""
        if not self.folder or self.of_game:
            return int(bool(self.folder))
        found = library()
        return int((found.study if self.of_study else found.run)(self.folder).runs)

    def with_(self, **changes: Any) -> Subject:
        return dataclasses.replace(self, **changes)

    def ready(self) -> Prepared:
        """The scenario with all that was changed, compiled; shared by all tabs. Raises BadInput, FolderProblem."""
        found = library()
        own: tuple[str, ...] = ()
        if self.of_study:
            of = self._studied()
            point = ("point", of.folder, found.entry(self.folder, STUDY).changed, self.run, self.sets, self.changes)
            return found.made(point, lambda: _of_point(of.plan, self.run, self.sets, self.changes))
        if self.of_game:
            entry = found.entry(self.folder, GAME)
            if not entry.manifest["over"]:
                raise BadInput(f"{self.folder}: no turn of this game is over yet; end one on the page Play.")
            path, turns = entry.path / runs.SCENARIO, entry.manifest["over"]
            mark: Hashable = entry.changed
        elif self.folder:
            entry = found.entry(self.folder, RUN)
            mark = entry.changed
            recorded = found.run(self.folder)
            turns = recorded.manifest["turns"]
            path = entry.path / runs.SCENARIO
            own = tuple(f"{at}={value!r}" for at, value in recorded.own(self.run).items())
        else:
            path, turns = found.scenario(self.scenario), None
            mark = path.stat().st_mtime
        key = ("ready", path, mark, own, self.sets, self.changes)
        return found.made(key, lambda: _prepared(path, turns, (*own, *self.sets), self.changes))

    def draws(self) -> tuple[int, str | None]:
        """Seed and policy."""
        if not self.folder:
            return self.seed, self.policy
        if self.of_study:
            return self._studied().plan.study.seed, self.policy
        if self.of_game:
            manifest = library().entry(self.folder, GAME).manifest
            return int(manifest["seed"]), self.policy or manifest["policy"]
        manifest = library().run(self.folder).manifest
        own = manifest["policy"] if manifest["policy_set"] else None
        return int(manifest["seed"]), self.policy or own

    def drawn(self) -> int:
        """The kernel's run number, which decides all chance: its own number, but of a study's run that of its point,
        and where players chose counted from the first that they chose in."""
        if self.of_study:
            return self._studied().plan.drawn(self.run)
        made = self._choices()
        return self.run if made is None else made.run + self.run

    def chosen(self) -> dict[tuple[str, int], Choice]:
        """What players chose in it, by actor and turn; nothing where the model chose for all."""
        made = self._choices()
        return {} if made is None else made.of(self.run)

    def _choices(self) -> Choices | None:
        """What players chose in its folder."""
        if not self.folder or self.of_study:
            return None
        found = library()
        if self.of_game:
            return game.chosen(found.entry(self.folder, GAME).path)
        return found.run(self.folder).choices

    def _studied(self) -> Swept:
        """The study that it is a run of. Raises BadInput where there is no such run."""
        of = library().study(self.folder)
        if self.run >= of.runs:
            raise BadInput(f"{self.folder}: no run {self.run}; the study has runs 0 to {of.runs - 1}.")
        return of


def _prepared(path: Path, turns: int | None, sets: tuple[str, ...], changes: tuple[Change, ...]) -> Prepared:
    """A scenario, what is set from the start and the reader's events."""
    if not path.is_file():
        raise FolderProblem(f"{path}: it is no longer there.")
    if not changes:
        return prepare(path, sets, turns)
    return _with_changes(read(path, sets).scenario, changes, turns)


def _of_point(plan: Plan, run: int, sets: tuple[str, ...], changes: tuple[Change, ...]) -> Prepared:
    """The scenario of a study with the numbers of one of its runs, what is set from the start and the reader's events.

    A study may take a number out of its range, and so may not be told by `sets`.
    """
    values: dict[str, Any] = {}
    for text in sets:
        path, _, value = text.partition("=")
        try:
            values[path.strip()] = located.scalar(value.strip())
        except ValueError as error:
            raise BadInput(f"{text[:100]}: {error}.") from None
    scenario = changed(plan.asked.scenario, plan.own(run))
    return _with_changes(with_numbers(scenario, values) if values else scenario, changes)


def _with_changes(scenario: Scenario, changes: tuple[Change, ...], turns: int | None = None) -> Prepared:
    """A scenario and the reader's events. turns: that are run, where they are not the scenario's."""
    turns = scenario.turns if turns is None else turns
    if not changes:
        return prepared(scenario, as_yaml(scenario), turns)
    base = prepared(scenario, "", turns)
    # A shorter run keeps the scenario's end, by which its dates are checked.
    raw = as_data(scenario.model_copy(update={"turns": max(turns, scenario.turns)}))
    raw["timeline"] = [*raw.get("timeline", []), *(_dated(change, base) for change in changes)]
    whole = parse(raw)
    return prepared(whole, as_yaml(whole), turns)


def _dated(change: Change, base: Prepared) -> dict[str, Any]:
    """A change as an entry of the timeline."""
    if not 1 <= change.turn <= base.turns:
        raise BadInput(f"A change is to happen in turn {change.turn}; the turns are 1 to {base.turns}.")
    entry: dict[str, Any] = {"date": base.legend.dates[change.turn], "title": "The reader's change",
                             "assumption": "a what-if, made in the dashboard"}  # fmt: skip
    if change.act is not None:
        actor, action, target = change.act
        entry["act"] = {"by": actor, "action": action} | ({} if target is None else {"target": target})
    elif change.set is not None:
        entry["set"] = {change.set[0]: change.set[1]}
    return entry


def drawn_sets(scenario: Path, drawn: Path, seed: int, run: int) -> tuple[str, ...]:
    """The numbers that a run drew from a file of parameter sets, as `path=value`; none where there is no such file.
    scenario: that the file fits. Raises BadInput, FolderProblem."""
    if not drawn.is_file():
        return ()
    found = prepare(scenario, (), None, drawn).drawn.numbers(seed, [run])
    return tuple(f"{path}={float(values[0])!r}" for path, values in found.items())

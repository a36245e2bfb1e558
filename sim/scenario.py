"""How a file becomes a scenario: found, read, laid over what it extends, overridden; every problem told with its place.

What a scenario may say is in `sim.form`, its numbers in `sim.quantities`, what can be wrong with it in `sim.validate`
and `sim.problems`. This is their public face: what others use of them can be imported from here.
"""

from __future__ import annotations

import itertools
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim import data, located
from sim.errors import Problem, Problems
from sim.form import (
    Action,
    Coupling,
    Deed,
    Effect,
    Need,
    Outcome,
    Position,
    Scenario,
    Signal,
    Slot,
    When,
    expand,
    first_day,
    members,
    pairs,
    pick,
    rung_value,
    schema,
    slots,
    span,
    tidied,
    turn_dates,
    turn_of,
    verb,
)
from sim.located import Location, path_of
from sim.quantities import (
    Claims,
    Entry,
    Factor,
    Line,
    Name,
    Not,
    Part,
    PerName,
    Quantity,
    Scaled,
    as_data,
    numbers,
    plain,
    quantities,
)
from sim.validate import Fault, as_told, examined, validated
from sim.words import MOST_PROBLEMS, nearest

__all__ = [
    "Action", "Claims", "Coupling", "Deed", "Effect", "Entry", "Factor", "Line", "Loaded", "Name", "Need", "Not",
    "Outcome", "Part", "PerName", "Position", "Quantity", "Scaled", "Scenario", "Signal", "Slot", "When", "as_data",
    "as_yaml", "expand", "find", "first_day", "members", "nearest", "numbers", "pairs", "parse", "path_of",
    "pick", "plain", "quantities", "read", "rung_value", "schema", "settable", "slots", "span", "tidied", "turn_dates",
    "turn_of", "validated", "verb", "with_numbers",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class Loaded:
    """A scenario that was read, and where it came from. files: the file itself first, then what it extends."""

    scenario: Scenario
    files: tuple[pathlib.Path, ...]
    document: located.Document

    def place(self, path: str) -> tuple[str, int, int]:
        """File, line and column of a path; of the nearest block around it where the file does not say it."""
        mark = self.document.mark(self.document.nearest(path))
        return mark.file, mark.line, mark.column

    def text(self) -> str:
        """The scenario as YAML that reads back to an equal one: all that it extends and all overrides within."""
        return as_yaml(self.scenario)


def find(name: str | pathlib.Path) -> pathlib.Path:
    """The file of a scenario: a path, or the name of a shipped one. Raises `Problems` offering the nearest."""
    path, text = pathlib.Path(name), str(name)
    shipped = data.scenarios()
    try:
        if path.exists() and not path.is_dir():
            return path
        if not path.is_absolute() and ".." not in path.parts:
            for candidate in (shipped / text, shipped / f"{text}.yaml"):
                if candidate.is_file():
                    return _from_here(candidate)
        if path.exists():
            return path
    except (OSError, ValueError):
        pass
    names = [file.stem for file in shipped.glob("*.yaml")]
    shown = located.short(text, 100)
    raise Problems(
        [Problem(shown, message=f"no such file, nor a shipped scenario{nearest(text, names, 'shipped are')}")]
    )


def read(source: str | pathlib.Path, sets: Mapping[str, Any] | Sequence[str] = ()) -> Loaded:
    """The scenario of a file or of a shipped name, with overrides.

    sets: `PATH=VALUE` texts, or values by path; a path is one of `numbers`, an indicator's own (its starting value), or
    that of another single setting such as `turns`. Raises `Problems` with everything that is wrong.
    """
    path = find(source)
    files, document, found = _gathered(path, str(path))
    if document is None:
        raise Problems(found)
    scenario, faults = examined(document.data, document)
    found += [fault.told(document) for fault in faults]
    if found or scenario is None:
        raise _all(found)
    if sets:
        values, malformed = _parsed(sets)
        scenario = _overridden(scenario, values, "--set ", lambda fault: fault.told(document), found=malformed)
    return Loaded(scenario, files, document)


def parse(raw: Any) -> Scenario:
    """The scenario in plain data, such as a test writes it; the same checks as for a file. Raises `Problems`."""
    scenario, faults = examined(raw)
    if faults or scenario is None:
        raise _all([fault.told(None) for fault in faults])
    return scenario


def _all(found: list[Problem]) -> Problems:
    """Problems in the order of files and lines, the first hundred of them."""
    order = {name: n for n, name in enumerate(dict.fromkeys(problem.file for problem in found))}
    found = list(dict.fromkeys(found))
    found.sort(key=lambda problem: (order[problem.file], problem.line or 0, problem.column or 0))
    more = len(found) - MOST_PROBLEMS
    if more > 0:
        found[MOST_PROBLEMS:] = [Problem(message=f"{more} more problems are not shown; mend these first")]
    return Problems(found)


def _from_here(path: pathlib.Path) -> pathlib.Path:
    """The path as seen from the working folder, if it lies below it."""
    try:
        return path.relative_to(pathlib.Path.cwd())
    except (OSError, ValueError):
        return path


# extending

MOST_BASES = 10


def _gathered(path: pathlib.Path, name: str) -> tuple[tuple[pathlib.Path, ...], located.Document | None, list[Problem]]:
    """A file laid over all that it extends; None where one of them cannot be read at all."""
    files: list[pathlib.Path] = []
    documents: list[located.Document] = []
    found: list[Problem] = []
    step: tuple[pathlib.Path, str] | None = (path, name)
    while step is not None:
        files.append(step[0])
        document, told = located.examine(*step)
        found += told
        if document is None:
            return tuple(files), None, found
        if not isinstance(document.root.value, dict):
            mark = document.mark(())
            message = "a scenario is a mapping (key: value); it begins with `tightrope: 1`"
            return tuple(files), None, [*found, Problem(mark.file, mark.line, mark.column, None, message)]
        documents.append(document)
        try:
            step = _base(document, files)
        except Problems as error:
            return tuple(files), None, found + error.problems
    whole = documents[-1]
    for document in reversed(documents[:-1]):
        whole = document.over(whole)
    return tuple(files), whole.without("extends"), found


def _base(document: located.Document, files: list[pathlib.Path]) -> tuple[pathlib.Path, str] | None:
    """The file that a document extends, and what to call it. Raises `Problems`."""
    node = document.root.value.get("extends")
    if node is None or node.value is None:
        return None
    name = node.plain()
    mark = document.mark(("extends",))

    def no(message: str) -> Problems:
        return Problems([Problem(mark.file, mark.line, mark.column, "extends", message)])

    if not isinstance(name, str):
        raise no("must be the name of a file")
    path = _beside_or_shipped(files[-1], name)
    if path is None:
        parts = pathlib.PurePath(name).parts
        if ".." in parts or pathlib.PurePath(name).is_absolute():
            raise no(f"{as_told(name)} leads elsewhere; name a file beside this one, or a shipped one")
        raise no(f"no file {as_told(name)} beside this one or among the shipped{nearest(name, _bases(files[-1]))}")
    if any(path.resolve() == file.resolve() for file in files):
        raise no(f"{as_told(name)} extends this file in turn; a scenario cannot rest on itself")
    if len(files) > MOST_BASES:
        raise no(f"more than {MOST_BASES} files extend one another")
    return path, str(path)


def _beside_or_shipped(file: pathlib.Path, name: str) -> pathlib.Path | None:
    """The file of that name in one of the two folders, never outside them."""
    for folder in (file.parent, data.scenarios()):
        for path in (folder / name, folder / f"{name}.yaml"):
            try:
                if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                    return _from_here(path)
            except (OSError, ValueError):
                continue
    return None


def _bases(file: pathlib.Path) -> list[str]:
    """What a file could extend."""
    try:
        near = itertools.islice(itertools.chain(file.parent.glob("*.yaml"), file.parent.glob("*/*.yaml")), 200)
        beside = [path.relative_to(file.parent).as_posix() for path in near if path != file]
    except OSError:
        beside = []
    shipped = data.scenarios()
    return beside + [path.relative_to(shipped).as_posix() for path in shipped.rglob("*.yaml")]


# overriding


def with_numbers(scenario: Scenario, values: Mapping[str, float | str], widen: bool = False) -> Scenario:
    """The scenario with other values at some paths of `numbers`, or at indicators' own paths (their starting values).

    Sources and ranges stay; widen: a range that leaves a value out gives way. Raises `Problems` for a path that is not
    there and for what the values break.
    """
    return _overridden(scenario, values, "", lambda fault: fault.told(None), widen)


def settable(scenario: Scenario, path: str) -> str:
    """The one spelling of a path that `with_numbers` takes: `set.taliban.control` for `taliban.control`, without a last
    `.value`. Raises `Problems`, offering the nearest, where there is no such setting."""
    spots = {found.path: found.at for found in quantities(scenario)}
    at = _settable(scenario, path, spots)
    if at is None:
        raise Problems([_no_number(scenario, path, spots, "")])
    return path_of(at)


def as_yaml(scenario: Scenario) -> str:
    """A scenario as YAML that reads back to an equal one."""
    return located.dump(as_data(scenario))


def _parsed(sets: Mapping[str, Any] | Sequence[str]) -> tuple[dict[str, Any], list[Problem]]:
    """Values by path, and what is not PATH=VALUE."""
    if isinstance(sets, Mapping):
        return dict(sets), []
    values: dict[str, Any] = {}
    found = []
    for text in [sets] if isinstance(sets, str) else sets:
        path, equals, value = text.partition("=")
        try:
            if not equals or not path.strip() or not value.strip():
                raise ValueError("must be PATH=VALUE")
            values[path.strip()] = located.scalar(value.strip())
        except ValueError as error:
            found.append(Problem(path=f"--set {located.short(text, 100)}", message=str(error)))
    return values, found


def _overridden(
    scenario: Scenario,
    values: Mapping[str, Any],
    label: str,
    told: Callable[[Fault], Problem],
    widen: bool = False,
    found: Sequence[Problem] = (),
) -> Scenario:
    """The scenario with other values at some paths. told: how a fault elsewhere is to be reported. found: what is
    wrong with other overrides already."""
    raw, names, found = as_data(scenario), {}, list(found)
    spots = {found.path: found.at for found in quantities(scenario)}
    for path, value in values.items():
        at = _settable(scenario, path, spots)
        if at is None:
            found.append(_no_number(scenario, path, spots, label))
        else:
            _put(raw, at, value, widen)
            names[path_of(at)] = f"{label}{path}"
    result, faults = examined(raw)
    found += [_by_override(fault, names) or told(fault) for fault in faults]
    if result is None or found:
        raise _all(found)
    return result


def _no_number(scenario: Scenario, path: str, spots: Iterable[str], label: str) -> Problem:
    known = [*spots, *scenario.slots, "turns", "turn", "start", "policy"]
    return Problem(path=f"{label}{path}", message=f"no such number{nearest(path, known)}")


def _by_override(fault: Fault, names: Mapping[str, str]) -> Problem | None:
    """The problem under the name of the override that it lies in, if it does."""
    path = path_of(fault.at) if fault.path is None else fault.path
    for place, name in names.items():
        if path == place or path.startswith((f"{place}.", f"{place}[")):
            return Problem(path=name, message=fault.message)
    return None


def _settable(scenario: Scenario, path: str, spots: Mapping[str, Location]) -> Location | None:
    """Where a value for a path goes in the data; None if there is no such setting."""
    path = re.sub(r"(\.(value|default))+$", "", path)
    slot = path.removeprefix("set.")
    if path in spots:
        return spots[path]
    if slot in scenario.slots:
        return ("set", slot)
    return _setting(scenario, scenario, re.findall(r"\[[0-9]{1,6}\]|[^.\[\]]+", path))


def _setting(scenario: Scenario, part: Any, words: Sequence[str]) -> Location | None:
    """Where the words of a path lead within a part of a scenario; None if to nothing, or to more than one setting."""
    if not words:
        single = part is None or isinstance(part, (Quantity, PerName, Position, str, int, float))
        return () if single else None
    word, inner = words[0], None
    key: str | int = word
    if isinstance(part, Part):
        names = {field.alias or name: name for name, field in type(part).model_fields.items()}
        if word not in names:
            new = isinstance(part, PerName) and all(name in scenario.groups for name in words)
            return (".".join(words),) if new else None
        inner = getattr(part, names[word])
    elif isinstance(part, dict) and word in part:
        inner = part[word]
    elif isinstance(part, list) and word.startswith("[") and int(word[1:-1]) < len(part):
        key = int(word[1:-1])
        inner = part[key]
    else:
        return None
    further = _setting(scenario, inner, words[1:])
    return None if further is None else (key, *further)


def _put(raw: Any, at: Location, value: Any, widen: bool = False) -> None:
    """Writes a value into plain data; a number's source and range stay, and a short form becomes a long one.

    widen: a range that leaves the value out goes.
    """
    *way, last = at
    for word in way:
        child = raw.setdefault(word, {}) if isinstance(raw, dict) else raw[word]
        if not isinstance(child, (dict, list)):
            child = raw[word] = {"default": child}
        raw = child
    child = raw.get(last) if isinstance(raw, dict) else raw[last]
    if isinstance(child, dict) and "of" not in child:
        child["value" if "value" in child else "default"] = value
        low, high = child.get("range") or (value, value)
        if widen and not (isinstance(value, str) or low <= value <= high):
            del child["range"]
    else:
        raw[last] = value

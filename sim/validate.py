"""Plain data as a scenario: what is not well formed is told in our words, and the rest looked at all the same.

`examined` gives the scenario and every `Fault`. Malformed parts are told, then given a stand-in or left out, so that
one reading tells everything at once. `validated` does the first half for other kinds of file, such as studies.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from sim import located
from sim.errors import Problem
from sim.form import (
    CAMEO,
    DATE,
    FORMAT,
    Scenario,
)
from sim.located import Location, path_of
from sim.problems import FAMILIES, problems
from sim.quantities import (
    CLAIM,
    LINE,
    NAME,
    PATH,
    Part,
    PerName,
    Quantity,
    plain,
)
from sim.words import MOST_PROBLEMS, near_word, nearest

Kind = TypeVar("Kind", bound=Part)


@dataclass(frozen=True)
class Fault:
    """One thing wrong with plain data. key: whether the key is at fault rather than the value."""

    at: Location
    message: str
    path: str | None = None
    key: bool = False

    def told(self, document: located.Document | None) -> Problem:
        """The problem, with its place in a document if there is one."""
        path = path_of(self.at) if self.path is None else self.path
        if document is None:
            return Problem(path=path or None, message=self.message)
        places = document.places
        while path.endswith("[0]") and path not in places:  # one word is short for a list of one
            path = path[:-3]
        at = self.at if self.path is None else document.nearest(path)
        by_key = self.key or at not in document.marks or document.is_block(at)
        mark = document.key(at) if by_key else document.mark(at)
        return Problem(mark.file, mark.line, mark.column, located.short(path, 150) or None, self.message)


def examined(raw: Any, document: located.Document | None = None) -> tuple[Scenario | None, list[Fault]]:
    """The scenario in plain data, and all that is wrong with it. document: whose data it is; what was refused there is
    not told again.

    Parts that are not well formed are told, then mended or left out, so that the rest can be looked at too.
    """
    if not isinstance(raw, dict):
        return None, [Fault((), "a scenario is a mapping (key: value); it begins with `tightrope: 1`")]
    version = raw.get("tightrope")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        message = f"this file is of format {version}; this program reads {FORMAT}; use a newer Tightrope"
        return None, [Fault(("tightrope",), message)]
    try:
        scenario = Scenario.model_validate(raw)
    except ValidationError as error:
        return None, _faults(raw, error, document.refused if document else ())
    return scenario, _semantic(scenario)


def validated(kind: type[Kind], document: located.Document) -> tuple[Kind | None, list[Problem]]:
    """A document as another kind of file, such as a study; None, and what is wrong with its form, where it is not."""
    try:
        return kind.model_validate(document.data), []
    except ValidationError as error:
        faults = [
            _fault(document.data, item, kind)
            for item in error.errors(include_url=False, include_context=True)[:MOST_PROBLEMS]
            if not _is_told(_data_location(document.data, item), item, document.refused)
        ]
        return None, [fault.told(document) for fault in faults]


def _semantic(scenario: Scenario) -> list[Fault]:
    return [Fault((), message, place) for place, message in problems(scenario)]


def _faults(raw: dict[str, Any], error: ValidationError, refused: Iterable[Location]) -> list[Fault]:
    """What is not well formed, and what else is wrong in what remains when that is mended or left out."""
    mended = _Mended(raw)
    errors = error.errors(include_url=False, include_context=True)
    faults = [
        _fault(raw, item) for item in errors[:MOST_PROBLEMS] if not _is_told(_data_location(raw, item), item, refused)
    ]
    scenario = mended.scenario(errors)
    if scenario is not None:
        faults += [fault for fault in _semantic(scenario) if not mended.touches(fault)]
    return faults


def _is_told(at: Location, item: Any, refused: Iterable[Location]) -> bool:
    """Whether an error comes of what was refused already: the value itself, or the block that lacks a key."""
    return at in refused or (item["type"] == "missing" and at[:-1] in refused)


class _Mended:
    """Plain data whose malformed parts are given a stand-in or left out, so that the rest can be looked at."""

    STAND_INS: Mapping[str, Any] = {
        "tightrope": FORMAT, "title": "x", "turns": 12, "value": 0.5, "salience": 0.5, "ideal": 0.5, "cost": 0.5,
        "cameo": "010", "plover": "NONE", "channel": "words", "hazard": 0.5, "add": 0.5, "fade": 0.5, "kept": 0.5,
        "broken": 0.5, "forgetting": 0.5, "signal": 0.5, "date": "2000-01", "bias": 0.5, "attend": 0.5,
        "openness": 0.5, "capability": 0.5,
    }  # fmt: skip
    SELECTING = ("scope", "of", "from", "to", "ladder", "range", "by", "toward", "on")
    TIMING = ("start", "turns", "turn")

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw: Any = copy.deepcopy(raw)
        self.paths: set[str] = set()
        self.blocks: set[str] = set()  # with unknown keys, and so perhaps without what they should say
        self.lost: set[str] = set()
        self.hopeless = False

    def scenario(self, errors: Sequence[Any]) -> Scenario | None:
        """The scenario that is left; None if too little is."""
        for _ in range(6):
            for at, item in [(_data_location(self.raw, item), item) for item in errors]:
                self.mend(at, item)
            if self.hopeless:
                return None
            try:
                return Scenario.model_validate(self.raw)
            except ValidationError as error:
                errors = error.errors(include_url=False, include_context=False, include_input=False)
        return None

    def mend(self, at: Location, item: Any) -> None:
        self.paths.add(path_of(at))
        if item["type"] == "extra_forbidden":
            self.blocks.add(path_of(at[:-1]))
        if item["type"] != "missing":
            self.drop(at)
        elif at[-1] in self.STAND_INS:
            self.parent(at)[at[-1]] = self.STAND_INS[str(at[-1])]
        elif at == ("start",):
            self.raw["start"] = "2000-01"
        elif at[-1] == "start":
            self.parent(at)["start"] = 0.5
        else:
            self.drop(at[:-1])

    def drop(self, at: Location) -> None:
        """Leaves a value out: with it the list that it is in, or the block that cannot be read without it."""
        if len(at) > 2 and at[0] not in ("actors", "timeline") and at[2] in self.SELECTING:
            at = at[:2]
        while at and isinstance(at[-1], int):
            at = at[:-1]
        if not at or at in (("actors",), ("indicators",)) or (at[0] == "actors" and (len(at) == 2 or at[2] == "tags")):
            self.hopeless = True
            return
        self.paths.add(path_of(at))
        if len(at) == 2:
            self.lost |= {str(at[1]), *(family + str(at[1]) for family in FAMILIES)}
        parent = self.parent(at)
        if isinstance(parent, dict):
            parent.pop(at[-1], None)

    def parent(self, at: Location) -> Any:
        node = self.raw
        for word in at[:-1]:
            found = (isinstance(node, dict) and word in node) or (isinstance(node, list) and isinstance(word, int))
            node = node[word] if found else {}
        return node

    def touches(self, fault: Fault) -> bool:
        """Whether a fault may come of the mending."""
        path = fault.path or ""
        if path in self.blocks:
            return True
        if any(path == faulty or path.startswith((f"{faulty}.", f"{faulty}[")) for faulty in self.paths):
            return True
        twin = re.match(r'"([^"]+)" \(.*?\) and "([^"]+)"', fault.message)
        if twin and path.removesuffix(twin[2]) + twin[1] in self.paths:
            return True
        if self.paths.intersection(self.TIMING) and "outside the scenario" in fault.message:
            return True
        return any(f'"{name}"' in fault.message for name in self.lost)


def _data_location(raw: Any, item: Any) -> Location:
    """Where in the data an error of pydantic lies, without the words of its own."""
    node, at = raw, []
    words = item["loc"][:-1] if item["type"] == "missing" else item["loc"]
    for word in words:
        if (isinstance(node, dict) and word in node) or (
            isinstance(node, list) and isinstance(word, int) and word < len(node)
        ):
            node = node[word]
        else:
            continue
        at.append(word)
    return (*at, item["loc"][-1]) if item["type"] == "missing" else tuple(at)


# pydantic's complaints in our words


def _fault(raw: Any, item: Any, root: type[Part] = Scenario) -> Fault:
    """One error of pydantic: where, what is wrong, and the mend. root: what the whole file should be."""
    at = _data_location(raw, item)
    kinds, field = _declared(item["loc"], root)
    if item["type"] == "extra_forbidden":
        keys = {key for kind in kinds for key in _keys(kind)}
        key = str(at[-1])
        odd = located.odd_letter(key)
        told = f" (it holds {odd})" if odd else ""
        return Fault(at, f'unknown key "{located.short(key)}"{told}{nearest(key, keys, "keys here are")}', key=True)
    if item["type"] == "missing":
        example = json.dumps(field.examples[0], ensure_ascii=False) if field and field.examples else "..."
        return Fault(at, f"missing; write for example `{at[-1]}: {example}`", key=True)
    is_key = item["loc"][-1] == "[key]"
    if item["type"] == "string_type" and at[-1] in ("start", "date", "from", "until"):
        return Fault(at, f"{as_told(item['input'])} {_PATTERNS[DATE]}")
    return Fault(at, _complaint(item, at[-1] if is_key and at else item["input"], field), key=is_key)


def _keys(kind: Any) -> list[str]:
    if not (isinstance(kind, type) and issubclass(kind, Part)):
        return []
    return [field.alias or name for name, field in kind.model_fields.items()]


def _declared(words: Sequence[Any], root: type[Part] = Scenario) -> tuple[list[Any], FieldInfo | None]:
    """The types that may stand at a location (for an unknown key: around it), and the field it is or is in."""
    kinds, field = [root], None
    for word in words:
        following: list[Any] = []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, Part):
                found = next((f for name, f in kind.model_fields.items() if (f.alias or name) == word), None)
                field = found or field
                following += _alternatives(found.annotation) if found else []
                following += [Quantity] if not found and issubclass(kind, PerName) else []
            elif get_origin(kind) is (list if isinstance(word, int) else dict):
                following += _alternatives(get_args(kind)[-1])
        kinds = following or kinds
    return kinds, field


def _alternatives(annotation: Any) -> list[Any]:
    """The types of a union, without what is annotated to them."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _alternatives(part)]
    return [annotation]


_TYPES = {
    "number": "a number", "float_type": "a number", "finite_number": "a finite number", "int_type": "a whole number",
    "string_type": "text", "bool_type": "true or false", "dict_type": "a mapping (key: value)", "list_type": "a list",
    "model_type": "a mapping (key: value)", "model_attributes_type": "a mapping (key: value)",
    "deed": "the name of an action",
}  # fmt: skip
_PATTERNS = {
    PATH: "is no path; write name, actor.name or from.to.name",
    DATE: "is no date; write YYYY-MM or YYYY-MM-DD",
    CAMEO: 'is no CAMEO code; write two to four digits in quotes, such as "054"',
    CLAIM: "is no claim id; one looks like FRS-041",
    LINE: "is of several lines; write it on one",
}


def _complaint(item: Any, value: Any, field: FieldInfo | None) -> str:
    """What pydantic found, as value, rule and mend."""
    kind, rule = item["type"], item.get("ctx", {})
    if kind in _TYPES:
        return _wrong_type(value, _TYPES[kind], field is None or field.is_required())
    if kind == "string_pattern_mismatch":
        return _misnamed(value, rule["pattern"])
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", rule["expected"]) or [rule["expected"]]
        near = near_word(value, allowed) if isinstance(value, str) else None
        mend = f'did you mean "{near}"?' if near else f"must be {_or(allowed)}"
        return f"{as_told(value)} is not allowed; {mend}"
    if kind in ("greater_than_equal", "less_than_equal"):
        limits = {type(item).__name__: item for item in (field.metadata if field else [])}
        return f"{as_told(value)} is out of range; must be {limits['Ge'].ge}..{limits['Le'].le}"
    if kind in ("string_too_long", "string_too_short"):
        if not value:
            return "is empty; write something, or leave the key out"
        bound = f"at most {rule['max_length']}" if "max_length" in rule else f"at least {rule['min_length']}"
        return f"has {len(value)} characters; must have {bound}"
    if kind in ("too_long", "too_short"):
        bound = f"at most {rule['max_length']}" if "max_length" in rule else f"at least {rule['min_length']}"
        return f"has {rule['actual_length']} items; must have {bound}"
    return str(item["msg"])


def _or(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _wrong_type(value: Any, rule: str, required: bool) -> str:
    if value is None:
        return f"nothing stands here; must be {rule}{'' if required else ', or leave the key out'}"
    if isinstance(value, bool):
        return f"{as_told(value)} is a yes or no; must be {rule}"
    if isinstance(value, float) and rule == "a whole number":
        return f"{value} has a point or an exponent; must be a whole number such as {round(value)}"
    if isinstance(value, (int, float)):
        mend = ": put it in quotes" if rule == "text" else ""
        return f"{as_told(value)} is a number; must be {rule}{mend}"
    if isinstance(value, str):
        comma = rule == "a number" and re.fullmatch(r"[+-]?[0-9]{1,15},[0-9]{1,15}", value)
        mend = f"; write {value.replace(',', '.')}, with a point" if comma else ""
        return f"{as_told(value)} is text; must be {rule}{mend}"
    return f"{as_told(value)} stands here; must be {rule}"


def _misnamed(value: Any, pattern: str) -> str:
    """A text that has not the form it must have."""
    shown, odd = as_told(value), located.odd_letter(str(value))
    if pattern in (NAME, PATH) and odd:
        return f"{shown} holds {odd}; write it with plain letters a-z"
    if pattern in _PATTERNS:
        return f"{shown} {_PATTERNS[pattern]}"
    better = re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_")
    mend = f'; write "{better}"' if re.fullmatch(NAME, better) and len(better) <= 60 else ""
    return f"{shown} is no name (lower-case letters, digits and _, a letter first){mend}"


def as_told(value: Any) -> str:
    """A value as it may stand in a message."""
    if isinstance(value, str):
        return f'"{located.short(value)}"'
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return located.short(str(plain(value)) if isinstance(value, float) else str(value))

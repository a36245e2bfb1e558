"""YAML text as plain data that knows where each value stands.

Reads a safe part of YAML 1.2: mappings, lists and scalars of the core schema. Anchors, aliases, tags, merge keys and
second documents are refused, and so are numbers that could be read two ways (`0123`, `12:30:45`). The events of the
parser are taken one by one under a bound on size, depth and count, so that no file takes long or grows in memory.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from sim.errors import Problem, Problems

MAX_BYTES = 2_000_000
MAX_NODES = 100_000
MAX_DEPTH = 30
MAX_DIGITS = 300
MAX_PROBLEMS = 100

Location = tuple[str | int, ...]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file, line and column from 1."""

    file: str
    line: int
    column: int


@dataclass(slots=True)
class Node:
    """A value with its place: a dict of nodes, a list of nodes, or a scalar.

    key: where its key stands, if it has one. refused: its text, or a key in it, could not be taken, and was told.
    """

    value: Any
    mark: Mark
    key: Mark | None = None
    refused: bool = False

    def plain(self) -> Any:
        """The value alone."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def walk(self, at: Location) -> Iterator[tuple[Location, Node]]:
        """This node and all below it, each with its location."""
        yield at, self
        if isinstance(self.value, (dict, list)):
            for key, node in self.value.items() if isinstance(self.value, dict) else enumerate(self.value):
                yield from node.walk((*at, key))


@dataclass(frozen=True)
class Document:
    """What a file holds.

    data: plain values. marks: where the value at each location begins. keys: where the key of each entry begins.
    refused: locations of what could not be taken, or not whole, and has been told.
    """

    root: Node

    @cached_property
    def data(self) -> Any:
        return self.root.plain()

    @cached_property
    def marks(self) -> dict[Location, Mark]:
        return {at: node.mark for at, node in self._nodes.items()}

    @cached_property
    def keys(self) -> dict[Location, Mark]:
        return {at: node.key for at, node in self._nodes.items() if node.key is not None}

    @cached_property
    def refused(self) -> set[Location]:
        return {at for at, node in self._nodes.items() if node.refused}

    @cached_property
    def _nodes(self) -> dict[Location, Node]:
        return dict(self.root.walk(()))

    def mark(self, at: Location) -> Mark:
        """Where the value at a location begins, or the nearest thing around it that stands in the file."""
        while at not in self.marks:
            at = at[:-1]
        return self.marks[at]

    def key(self, at: Location) -> Mark:
        """Where the key at a location stands, or that of the nearest thing around it."""
        while at and at not in self.keys:
            at = at[:-1]
        return self.keys.get(at) or self.marks[()]

    def is_block(self, at: Location) -> bool:
        """Whether a mapping with a key of its own stands at a location."""
        return at in self.keys and isinstance(self._nodes[at].value, dict)

    def over(self, base: Document) -> Document:
        """This document laid over another: mappings merge, anything else replaces, null takes away."""
        return Document(_merged(base.root, self.root))

    def without(self, key: str) -> Document:
        """This document, a mapping, without one of its keys."""
        rest = {name: node for name, node in self.root.value.items() if name != key}
        return Document(Node(rest, self.root.mark))

    @cached_property
    def places(self) -> dict[str, Location]:
        """Every location by its path; of those with one path the innermost."""
        return {path_of(at): at for at in self.marks}

    def nearest(self, path: str) -> Location:
        """Where a path stands, or the nearest block around it."""
        while path and path not in self.places:
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self.places.get(path, ())


def path_of(at: Location) -> str:
    """A location as users write it: dotted, list items in brackets, without a last `value` or `default`."""
    words = list(at)
    while len(words) > 1 and words[-1] in ("value", "default"):
        words.pop()
    path = ""
    for word in words:
        path += f"[{word}]" if isinstance(word, int) else f".{word}" if path else word
    return path


def _merged(base: Node, over: Node) -> Node:
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if node.value is None and key in merged:
            del merged[key]
        else:
            merged[key] = _merged(merged[key], node) if key in merged else node
    return Node(merged, over.mark, over.key)


def load(path: Path | str, name: str | None = None) -> Document:
    """The document in a file. name: what messages call it, the path if left out. Raises `Problems` with all of them."""
    document, problems = examine(path, name)
    if document is None or problems:
        raise Problems(problems)
    return document


def examine(path: Path | str, name: str | None = None) -> tuple[Document | None, list[Problem]]:
    """The document in a file, None where there is no reading it at all, and every problem of its text."""
    name = str(path) if name is None else name
    try:
        return parse(read_text(path, name), name)
    except Problems as error:
        return None, error.problems


def parse(text: str, name: str) -> tuple[Document | None, list[Problem]]:
    """The document in a text, None where its syntax is broken, and every problem; faulty entries are left out of it."""
    builder = _Builder(name)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except _Enough:
        return None, builder.problems
    except yaml.YAMLError as error:
        return None, [*builder.problems, _syntax(error, text, name)]
    if builder.root is None:
        return None, [Problem(name, 1, 1, None, "the file is empty")]
    return Document(builder.root), builder.problems


def scalar(text: str) -> Any:
    """The value that a text would have in a file (`0.5`, `NO`, `"054"`). Raises ValueError saying what is wrong."""
    events = []
    try:
        for event in yaml.parse(text, Loader=_Loader):
            events.append(event)
            if len(events) > 4:
                break
    except yaml.YAMLError:
        raise ValueError("is no plain value; put it in quotes") from None
    if (
        len(events) < 3
        or not isinstance(events[2], yaml.ScalarEvent)
        or not isinstance(events[3], yaml.DocumentEndEvent)
    ):
        raise ValueError("must be one number or word")
    if events[2].anchor or events[2].tag:
        raise ValueError("must be one number or word, without tag or anchor")
    return resolve(events[2])


def dump(data: Any) -> str:
    """Plain data as YAML that `parse` reads back to equal data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes no aliases, and in quotes every text that would not be read as that text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    try:
        safe = _plain(text) == text
    except ValueError:
        safe = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if safe else "'")


_Dumper.add_representer(str, _represent_text)


# ------------------------------------------------------------------------------------------------ bytes to text


def read_text(path: Path | str, name: str) -> str:
    """The text of a file. Never waits on a pipe or a device. Raises `Problems`."""
    data = _read_bytes(Path(path), name)
    for mark, encoding in ((b"\xff\xfe\x00\x00", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if data.startswith(mark):
            raise _no(name, f"is written in {encoding}; save it as UTF-8")
    if b"\x00" in data[:1000] and data[:1000].count(b"\x00") * 3 > len(data[:1000]):
        raise _no(name, "looks like UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        message = f"byte 0x{data[error.start]:02X} is not UTF-8 (Latin-1?); save the file as UTF-8"
        raise Problems([Problem(name, *_line_column(before), None, message)]) from None
    found = [
        Problem(name, *_line_column(text[: match.start()]), None, f"{describe(match[0])} is not allowed; remove it")
        for match, _ in zip(_FORBIDDEN.finditer(text), range(MAX_PROBLEMS), strict=False)
    ]
    if found:
        raise Problems(found)
    return text


def _read_bytes(path: Path, name: str) -> bytes:
    """At most the cap of a regular file's bytes."""
    try:
        kind = path.stat()
        _regular(kind.st_mode, name)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            _regular(os.fstat(descriptor).st_mode, name)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _no(name, f"cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise _no(name, "is no file name") from None
    if len(data) > MAX_BYTES:
        raise _no(name, f"is larger than {MAX_BYTES // 1_000_000} MB, which is more than any scenario needs")
    return data


def _regular(mode: int, name: str) -> None:
    kinds = {
        stat.S_IFDIR: "a folder", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
    }  # fmt: skip
    kind = kinds.get(stat.S_IFMT(mode))
    if kind is not None:
        raise _no(name, f"is {kind}; name a YAML file")


def _no(name: str, message: str) -> Problems:
    return Problems([Problem(name, message=message)])


# C0 and C1 controls but tab and line ends, line separators, noncharacters, and what turns the direction of text.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)


def describe(character: str) -> str:
    """A character as a reader can find it: its code and its name."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    if not name:
        name = "NUL character" if character == "\x00" else "control character"
    return f"{name} ({code})"


def _line_column(before: str) -> tuple[int, int]:
    """Line and column of what comes after a text."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1


# ------------------------------------------------------------------------------------------------ events to nodes


class _Enough(Exception):
    """Reading on is of no use."""


class _Builder:
    """Takes the parser's events and keeps the tree, the problems, and a stack of what is open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.nodes = 0
        self.documents = 0

    def take(self, event: Any) -> None:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._count(event)
            self._scalar(event)
        elif kind is yaml.AliasEvent:
            self._count(event)
            self._place(Node(None, self._mark(event), refused=True))
        elif kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent):
            self._count(event)
            empty: Any = {} if kind is yaml.MappingStartEvent else []
            self.open.append(_Open(Node(empty, self._mark(event), refused=bool(event.tag))))
        elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
            self._place(self.open.pop().node)
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                self._tell(event, "a second document begins here; a file holds one (remove the `---`)")
                raise _Enough

    def _count(self, event: Any) -> None:
        """Refuses what is too much, and marks (tags, anchors, aliases)."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._tell(event, f"more than {MAX_NODES} values; that is more than any scenario needs")
            raise _Enough
        if len(self.open) >= MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            self._tell(event, f"nested more than {MAX_DEPTH} deep")
            raise _Enough
        if isinstance(event, yaml.AliasEvent):
            self._tell(event, f"aliases (*{event.anchor}) are not allowed; write the value out")
        elif event.anchor:
            self._tell(event, f"anchors (&{event.anchor}) are not allowed; remove it")
        if getattr(event, "tag", None):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._tell(event, f"tags ({short(tag)}) are not allowed; remove it")

    def _scalar(self, event: Any) -> None:
        value, refused = None, bool(event.tag)
        try:
            value = resolve(event)
        except ValueError as error:
            refused = True
            top = self.open[-1] if self.open else None
            is_key = top is not None and isinstance(top.node.value, dict) and not top.has_key
            self._tell(event, f"{short(event.value)} {error}", None if is_key else self.here())
        self._place(Node(value, self._mark(event), refused=refused))

    def _place(self, node: Node) -> None:
        """Puts a finished value where it belongs: the root, a list, or a mapping as key or value."""
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif not top.has_key:
            self._key(top, node)
        else:
            if top.key is not None:
                node.key = top.key_mark
                top.node.value[top.key] = node
            top.has_key, top.key = False, None

    def _key(self, top: _Open, node: Node) -> None:
        """Takes a key, or None for one that cannot be one, whose value is then passed over."""
        top.has_key, top.key, top.key_mark = True, None, node.mark
        key = node.value
        if node.refused:
            top.node.refused = True
            return
        before = len(self.problems)
        if isinstance(key, (dict, list)):
            self._tell_at(node.mark, "a key must be a name, not a list or a mapping")
        elif not isinstance(key, str):
            shown = str(key).lower() if isinstance(key, bool) else "null" if key is None else str(key)
            self._tell_at(node.mark, f"the key {short(shown)} is not text; put it in quotes")
        elif key == "<<":
            self._tell_at(node.mark, "merge keys (<<) are not allowed; use `extends`, or write the values out")
        elif key in top.node.value:
            first = top.node.value[key].key
            where = f" (first on line {first.line})" if first else ""
            self._tell_at(node.mark, f'the key "{short(key)}" stands here a second time{where}; remove one')
        elif (twin := top.folded.setdefault(fold(key), key)) != key:
            self._tell_at(node.mark, _looks_alike(key, twin))
        else:
            top.key = key
        top.node.refused |= len(self.problems) > before

    def here(self) -> str | None:
        """The path of the value that is being read."""
        path = ""
        for item in self.open:
            if isinstance(item.node.value, list):
                path += f"[{len(item.node.value)}]"
            elif item.key is not None:
                path += f".{item.key}" if path else item.key
        return path or None

    def _mark(self, event: Any) -> Mark:
        return Mark(self.name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _tell(self, event: Any, message: str, path: str | None = None) -> None:
        self._tell_at(self._mark(event), message, path)

    def _tell_at(self, mark: Mark, message: str, path: str | None = None) -> None:
        self.problems.append(Problem(mark.file, mark.line, mark.column, path, message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Enough


class _Open:
    """A list or mapping that is being read, with the key that waits for its value."""

    __slots__ = ("folded", "has_key", "key", "key_mark", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.has_key = False
        self.key: str | None = None
        self.key_mark: Mark | None = None
        self.folded: dict[str, str] = {}


# ------------------------------------------------------------------------------------------------ scalars

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9][0-9_.eE+-]*")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_WORDS = {"": None, "~": None} | dict.fromkeys(("null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)


def resolve(event: Any) -> Any:
    """The value of a scalar by the YAML 1.2 core schema. Raises ValueError with what is wrong and the mend."""
    text = event.value
    if event.style or not event.implicit[0]:
        found = _FORBIDDEN.search(text) or _SURROGATE.search(text)
        if found:
            raise ValueError(f"holds a {describe(found[0])}, which no text may")
        return text
    return _plain(text)


def _plain(text: str) -> Any:
    """The value of a scalar without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("is not a finite number; write one")
    if _LEADING_ZERO.fullmatch(text):
        number = re.sub(r"^([-+]?)0+(?=[0-9])", r"\1", text)
        raise ValueError(f'could be read two ways; write "{short(text)}" if it is text, {short(number)} if a number')
    if _SEXAGESIMAL.fullmatch(text):
        raise ValueError(f'could be read two ways; write "{short(text)}" if it is text')
    if _INTEGER.fullmatch(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"has {len(text)} digits; a number has at most {MAX_DIGITS}")
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    return text


_SURROGATE = re.compile("[\ud800-\udfff]")


def _finite(text: str) -> float:
    value = float(text) if len(text) <= 2 * MAX_DIGITS else float("inf")
    if value in (float("inf"), float("-inf")):
        raise ValueError("is too large or too long a number")
    return value


def short(text: str, longest: int = 40) -> str:
    """A text as it may stand in a message: on one line, not too long."""
    text = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text[: longest + 1])
    return text if len(text) <= longest else text[:longest] + "..."


# ------------------------------------------------------------------------------------------------ look-alikes

# Letters of other alphabets, and digits, that a reader takes for these.
_LOOKS = str.maketrans("аеорсухіјѕԁԛԝһӏьνοαικρτυχγωıƅ01|", "aeopcyxijsdqwhlbvoaikptuxywiboll")


def fold(name: str) -> str:
    """A name with look-alike letters made equal (full-width, Cyrillic, Greek; 0 and o, 1 and l)."""
    return unicodedata.normalize("NFKC", name).casefold().translate(_LOOKS)


def odd_letter(name: str) -> str | None:
    """The first character of a name that is not plain ASCII, described; None if there is none."""
    return next((describe(letter) for letter in name if ord(letter) > 126), None)


def _looks_alike(key: str, twin: str) -> str:
    odd = odd_letter(key) or odd_letter(twin)
    why = f"one has {odd}" if odd else "0 and o, 1 and l"
    return f'the key "{short(key)}" looks like "{short(twin)}" ({why}); give one another name'


# ------------------------------------------------------------------------------------------------ broken syntax

_SYNTAX = (
    ("cannot start any token", "this character cannot begin a value; put the value in quotes"),
    ("mapping values are not allowed", "a colon stands where no key can be; put text with `: ` in quotes"),
    ("could not find expected ':'", "a key without its colon, or a text that should be in quotes"),
    ("did not find expected key", "a key was expected here; look at the indentation and the quotes"),
    ("did not find expected '-' indicator", "a list item (`- `) was expected here; look at the indentation"),
    ("did not find expected ',' or ']'", "a comma or `]` was expected here"),
    ("did not find expected ',' or '}'", "a comma or `}` was expected here"),
    ("did not find expected node content", "a value was expected here"),
    ("unexpected end of stream", "the quotes that open here are never closed"),
    ("block sequence entries are not allowed", "a list item (`- `) cannot stand here; begin it on a line of its own"),
    ("tab character that violates", "a tab in the indentation; use spaces"),
    ("invalid Unicode character", "an escape (\\u) that stands for no character"),
    ("unknown escape character", "an unknown escape (\\) in double quotes; use single quotes, or write \\\\"),
    ("undefined tag handle", "tags (!) are not allowed; remove it"),
    ("did not find expected <document start>", "this belongs to no key; look at the indentation"),
)


def _syntax(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """A parser's complaint in our words, at the place that a reader would mend."""
    told = str(getattr(error, "problem", None) or error)
    message = next((ours for theirs, ours in _SYNTAX if theirs in told), f"is not YAML: {short(told, 100)}")
    mark, context = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if mark is None or (context is not None and ("expected ':'" in told or "unexpected end of stream" in told)):
        mark = context  # where the key or the quoted text begins, rather than where patience ends
    elif context is not None and message.startswith("a comma"):
        message += f", or an end to what opens on line {context.line + 1}"
    if mark is None:
        return Problem(name, message=message)
    lines = text.splitlines() or [""]
    number = min(mark.line, len(lines) - 1)
    line = lines[number]
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        return Problem(name, number + 1, indent.index("\t") + 1, None, "a tab in the indentation; use spaces")
    if "\xa0" in line:
        return Problem(name, number + 1, line.index("\xa0") + 1, None, "a no-break space (U+00A0); use a plain one")
    return Problem(name, number + 1, mark.column + 1, None, message)

"""Scenario: a scenario's YAML, its errors at their lines when one pauses, what it resolves to, saved as a new file."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import pages, parts, state
from dashboards.state import Query
from sim import checks, store
from sim.errors import BadInput, Problem, Problems
from sim.naming import Words, axis_title, capital, spaced
from sim.scenario import Loaded, numbers, read

PAGE = pages.Page("scenario", "Scenario", "mdi-file-edit-outline", 60)
FIRST = "takeover-2021"
MOST_TEXT = 2_000_000  # letters
BESIDE = 100  # files that a draft may extend
SHOWN = 200  # numbers at once
DRAFT = "draft.yaml"
VIEWS = ("holds", "numbers", "whole")  # what it holds, its numbers and their sources, the whole as one file


@dataclass(frozen=True, eq=False)
class Found:
    """What came of reading a text. problems: place and message of each; warnings: likely faults of the world; counts:
    how many of what it holds; files: the draft, then what it extends; loaded: None where it could not be read."""

    problems: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    title: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    leading: list[dict[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    loaded: Loaded | None = None

    def plain(self) -> dict[str, Any]:
        """What is shown of it at once."""
        return {name: value for name, value in vars(self).items() if name in SHOWN_AT_ONCE}

    @cached_property
    def whole(self) -> str:
        """It and all that it extends as one YAML."""
        return "" if self.loaded is None else self.loaded.text()

    @cached_property
    def numbers(self) -> list[dict[str, Any]]:
        """Every number: path, title, value, range, claims, assumption; line where the draft itself says it, else the
        file that does."""
        if self.loaded is None:
            return []
        scenario, found = self.loaded.scenario, []
        for one in numbers(scenario):
            value, bounds = one.quantity.value, one.quantity.range
            file, line, _ = self.loaded.place(one.path)
            own = Path(file).name == DRAFT
            row = {
                "path": one.path,
                "title": capital(axis_title(scenario, one.path)),
                "value": spaced(value) if isinstance(value, str) else f"{value:.6g}",
                "range": "" if bounds is None else f"{bounds[0]:g} to {bounds[1]:g}",
                "claims": list(one.claim or ()),
                "assumption": one.assumption or "",
                "line": line if own else None,
                "file": "" if own else f"{file}, line {line}",
            }
            found.append(row)
        return found

    def having(self, words: str) -> list[dict[str, Any]]:
        """The numbers of which a path, title, claim, assumption or value has each of these words."""
        wanted, found = words.lower().split(), []
        for row in self.numbers:
            text = " ".join((row["path"], row["title"], row["value"], *row["claims"], row["assumption"])).lower()
            if all(word in text for word in wanted):
                found.append(row)
        return found


SHOWN_AT_ONCE = ("problems", "warnings", "title", "counts", "leading", "files")


@solara.component_vue("vue/editor.vue")
def _Editor(
    scenarios: list[str],
    chosen: str,
    text: str,
    found: dict[str, Any],
    busy: bool,
    told: str,
    saved: str,
    view: str,
    find: str,
    rows: list[dict[str, Any]],
    count: int,
    whole: str,
    event_choose: Callable[[str], Any],
    event_check: Callable[[str], Any],
    event_save: Callable[[dict[str, str]], Any],
    event_watch: Callable[[str], Any],
    event_show: Callable[[str], Any],
    event_seek: Callable[[str], Any],
    event_cite: Callable[[str], Any],
) -> None:
    """The text, its lines, and beside it what it holds."""


@solara.component
def View(query: Query, go: parts.Go) -> None:
    library = state.library()
    chosen = query.get("scenario", FIRST)
    path = library.scenario(chosen)
    Editing(chosen, path, query, go).key(chosen)


@solara.component
def Editing(chosen: str, path: Path, query: Query, go: parts.Go) -> None:
    """One scenario's text, and what the reader makes of it."""
    library = state.library()
    first = solara.use_memo(lambda: _text(path), [])
    text, set_text = solara.use_state(first)
    told, tell = solara.use_state("")
    saved, set_saved = solara.use_state("")
    view, set_view = solara.use_state(query.get("view", VIEWS[0]))
    words, set_words = solara.use_state(query.get("find")[:200])
    if view not in VIEWS:
        raise BadInput(f"The address says view={view[:40]}; it must be one of {', '.join(VIEWS)}.")
    made, error, busy = parts.use_work(lambda: examine(text, chosen, path.parent), [text])
    found = made if made is not None and error is None else Found()
    listed, failed, listing = parts.use_work(
        lambda: (found.having(words) if view == "numbers" else [], found.whole if view == "whole" else ""),
        [found if made is not None else None, view, words],
    )
    rows, whole = listed or ([], "")

    def look(**new: str) -> None:
        """Another view of what it resolves to, which the address names."""
        here = {"view": view, "find": words} | new
        set_view(here["view"])
        set_words(here["find"])
        go.note(Query().with_(scenario=chosen, view=None if here["view"] == VIEWS[0] else here["view"],
                              find=here["find"] or None))  # fmt: skip

    def check(new: str) -> None:
        if len(new) > MOST_TEXT:
            raise BadInput(f"The text has more than {MOST_TEXT:,} letters.")
        set_saved("")
        set_text(new)

    def save(given: dict[str, str]) -> None:
        new, name = str(given.get("text", "")), str(given.get("name", "")).strip()
        check(new)
        set_saved(keep(library.folder, name, new))

    with rv.Html(tag="div"):
        _Editor(
            scenarios=list(library.scenarios()),
            chosen=chosen,
            text=first,
            found=found.plain(),
            busy=busy or listing,
            told=told or next((parts.told(one) for one in (error, failed) if one is not None), ""),
            saved=saved,
            view=view,
            find=words,
            rows=rows[:SHOWN],
            count=len(rows),
            whole=whole,
            event_choose=lambda name: go(PAGE.path, Query().with_(scenario=str(name))),
            event_check=parts.guarded(lambda new: check(str(new)), tell),
            event_save=parts.guarded(save, tell),
            event_watch=lambda name: go("watch", Query().with_(scenario=str(name))),
            event_show=lambda name: look(view=str(name)) if name in VIEWS else None,
            event_seek=lambda new: look(find=str(new)[:200]),
            event_cite=lambda claim: go("evidence", Query().with_(scenario=chosen, claim=str(claim))),
        )


def _text(path: Path) -> str:
    with store.storage(path):
        size = path.stat().st_size
        if size > MOST_TEXT:
            raise BadInput(f"{path}: {size:,} bytes; what is opened here may have {MOST_TEXT:,}. Open it in an editor.")
        return path.read_text(encoding="utf-8", errors="replace")


def examine(text: str, name: str, folder: Path) -> Found:
    """Read a text as if it lay in a folder. name: what its own file is called in messages."""
    with tempfile.TemporaryDirectory(prefix="tightrope-") as place:
        draft = Path(place) / DRAFT
        draft.write_bytes(text.encode("utf-8", "surrogatepass"))  # half a character is told as one that is no UTF-8
        # What it extends may lie beside it; what cannot be read there is none of this text's business.
        for path in state.files(folder)[:BESIDE]:
            if path.name != draft.name:
                with suppress(OSError):
                    shutil.copyfile(path, Path(place) / path.name)
        try:
            loaded = read(draft)
            report = checks.check_loaded(loaded)
        except Problems as error:
            return Found(problems=[_placed(problem, place, name) for problem in error.problems])
        return _read(loaded, report, place, name)


def _read(loaded: Loaded, report: checks.Report, place: str, name: str) -> Found:
    words = Words(loaded.scenario)
    return Found(
        warnings=[_placed(problem, place, name) for problem in report.warnings],
        title=report.title,
        counts=report.counts,
        files=[_named(str(path), place, name) for path in loaded.files],
        loaded=loaded,
        leading=[
            {
                "actor": capital(words.actor(one.actor)),
                "act": capital(words.option((one.action, one.target))),
                "utility": f"{one.utility:+.4f}",
            }
            for one in report.leading
        ],
    )


def _named(file: str, place: str, name: str) -> str:
    """What a file is called in messages: the draft by its own file's name."""
    return name if Path(file).name == DRAFT else file.removeprefix(place).lstrip("/")


def _placed(problem: Problem, place: str, name: str) -> dict[str, Any]:
    """A problem of the draft has its line; one of a file that it extends is told with that file's name."""
    own = problem.file is None or Path(problem.file).name == DRAFT
    where = "" if own else f"{_named(str(problem.file), place, name)}: "
    return {
        "line": problem.line if own else None,
        "column": problem.column if own else None,
        "text": where + ": ".join(part for part in (problem.path or "", problem.message) if part).replace(place, name),
    }


def keep(folder: Path, name: str, text: str) -> str:
    """Save a text as a new file under DIR; its id. Raises BadInput for a name that will not do, StorageProblem."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", name):
        raise BadInput("The name must be small letters, digits, - and _, such as takeover-what-if.")
    path = folder / f"{name}.yaml"
    try:
        written = text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise BadInput(f"The text holds half a character on line {line}; remove it.") from None
    with store.storage(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(written)
        except FileExistsError:
            raise BadInput(f"There is a {name}.yaml under {folder} already; choose another name.") from None
        except OSError:  # of a full disk, no half of a scenario
            path.unlink(missing_ok=True)
            raise
    return f"./{name}"

"""Scenario: a scenario's YAML, its errors at their lines when one pauses, what it resolves to, saved as a new file."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import pages, parts, state
from dashboards.state import Query
from sim import checks, store
from sim.errors import BadInput, Problem, Problems
from sim.scenario import Loaded, read

PAGE = pages.Page("scenario", "Scenario", "mdi-file-edit-outline", 60)
FIRST = "takeover-2021"
MOST_TEXT = 2_000_000  # letters
BESIDE = 100  # files that a draft may extend


@dataclass(frozen=True)
class Found:
    """What came of reading a text. problems: place and message of each; counts: how many of what it holds; warnings:
    likely faults of the world; resolved: the whole as YAML."""

    problems: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    title: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    leading: list[dict[str, str]] = field(default_factory=list)
    resolved: str = ""


@solara.component_vue("vue/editor.vue")
def _Editor(
    scenarios: list[str],
    chosen: str,
    text: str,
    found: dict[str, Any],
    busy: bool,
    told: str,
    saved: str,
    event_choose: Callable[[str], Any],
    event_check: Callable[[str], Any],
    event_save: Callable[[dict[str, str]], Any],
    event_watch: Callable[[str], Any],
) -> None:
    """The text, its lines, and beside it what it holds."""


@solara.component
def View(query: Query, go: parts.Go) -> None:
    library = state.library()
    chosen = query.get("scenario", FIRST)
    path = library.scenario(chosen)
    Editing(chosen, path, go).key(chosen)


@solara.component
def Editing(chosen: str, path: Path, go: parts.Go) -> None:
    """One scenario's text, and what the reader makes of it."""
    library = state.library()
    first = solara.use_memo(lambda: _text(path), [])
    text, set_text = solara.use_state(first)
    told, tell = solara.use_state("")
    saved, set_saved = solara.use_state("")
    found, error, busy = parts.use_work(lambda: examine(text, chosen, path.parent), [text])

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
            found=vars(found) if found is not None and error is None else vars(Found()),
            busy=busy,
            told=told or (parts.told(error) if error is not None else ""),
            saved=saved,
            event_choose=lambda name: go(PAGE.path, Query().with_(scenario=str(name))),
            event_check=parts.guarded(lambda new: check(str(new)), tell),
            event_save=parts.guarded(save, tell),
            event_watch=lambda name: go("watch", Query().with_(scenario=str(name))),
        )


def _text(path: Path) -> str:
    with store.storage(path):
        return path.read_text(encoding="utf-8", errors="replace")


def examine(text: str, name: str, folder: Path) -> Found:
    """Read a text as if it lay in a folder. name: what its own file is called in messages."""
    with tempfile.TemporaryDirectory(prefix="tightrope-") as place:
        draft = Path(place) / "draft.yaml"
        draft.write_text(text, encoding="utf-8")
        # What it extends may lie beside it.
        for path in sorted(folder.glob("*.yaml"))[:BESIDE]:
            if path.name != draft.name:
                shutil.copyfile(path, Path(place) / path.name)
        try:
            loaded = read(draft)
            report = checks.check_loaded(loaded)
        except Problems as error:
            return Found(problems=[_placed(problem, place, name) for problem in error.problems])
        return _read(loaded, report, place, name)


def _read(loaded: Loaded, report: checks.Report, place: str, name: str) -> Found:
    return Found(
        warnings=[_placed(problem, place, name) for problem in report.warnings],
        title=report.title,
        counts=report.counts,
        leading=[
            {
                "actor": one.actor,
                "act": " ".join(filter(None, (one.action, one.target))),
                "utility": f"{one.utility:+.4f}",
            }
            for one in report.leading
        ],
        resolved=loaded.text(),
    )


def _placed(problem: Problem, place: str, name: str) -> dict[str, Any]:
    """A problem of the draft has its line; one of a file that it extends is told with that file's name."""
    own = problem.file is None or problem.file.endswith("draft.yaml")
    where = "" if own else f"{str(problem.file).removeprefix(place).lstrip('/')}: "
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
    with store.storage(path):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise BadInput(f"There is a {name}.yaml under {folder} already; choose another name.") from None
    return f"./{name}"

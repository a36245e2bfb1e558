"""Evidence: claims, chronology, documents; from a number to what it rests on, from a claim to what rests on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import pages, parts, stage, state
from dashboards.state import Query, Subject
from sim import evidence
from sim.decision import carriers, decide
from sim.errors import BadInput
from sim.naming import capital, spaced
from sim.runs import Prepared

PAGE = pages.Page("evidence", "Evidence", "mdi-book-open-variant", 50)
FIRST = "takeover-2021"
KINDS = ("claims", "numbers", "assumptions", "chronology", "documents")
SHOWN = 200  # rows of a list
FIRST_OPTIONS = 6  # of an actor, whose numbers are weighed


@solara.component_vue("vue/evidence.vue")
def _Evidence(
    scenarios: list[str],
    scenario: str,
    kinds: list[str],
    kind: str,
    find: str,
    rows: list[dict[str, Any]],
    count: int,
    about: str,
    busy: bool,
    detail: dict[str, Any] | None,
    event_go: Callable[[dict[str, Any]], Any],
    event_why: Callable[[str], Any],
) -> None:
    """A list, and beside it one thing of it."""


@solara.component
def View(query: Query, go: parts.Go) -> None:
    scenario = query.get("scenario", FIRST)
    kind = query.get("kind", "claims")
    if kind not in KINDS:
        raise BadInput(f"The address says kind={kind[:40]}; it must be one of {', '.join(KINDS)}.")
    ready = Subject(scenario=scenario).ready()
    find = query.get("find")[:200]
    weighed, error, busy = parts.use_work(
        lambda: state.library().beside(ready, "weights", lambda: weights(ready)) if kind == "assumptions" else {},
        [scenario, kind == "assumptions"],
    )
    if error is not None:
        raise error
    rows, count, about = listed(ready, kind, find.lower().split(), weighed or {})
    claim, number, event = (query.get(name) for name in ("claim", "number", "event"))
    detail = (
        of_claim(ready, claim) if claim else of_number(ready, number) if number else of_event(event) if event else None
    )

    def where(given: dict[str, Any]) -> None:
        """To another view of this page: only what it says changes."""
        allowed = {name: (str(value) or None) for name, value in given.items()
                   if name in ("scenario", "kind", "find", "claim", "number", "event")}  # fmt: skip
        fresh = {"claim": None, "number": None, "event": None} if set(allowed) & {"claim", "number", "event"} else {}
        go(PAGE.path, query.with_(**(fresh | allowed)))

    with rv.Html(tag="div"):
        _Evidence(
            scenarios=list(state.library().scenarios()),
            scenario=scenario,
            kinds=list(KINDS),
            kind=kind,
            find=find,
            rows=rows,
            count=count,
            about=about,
            busy=busy,
            detail=detail,
            event_go=where,
            event_why=lambda action: _to_act(ready, scenario, str(action), go),
        )


def _to_act(ready: Prepared, scenario: str, action: str, go: parts.Go) -> None:
    """The card of the first actor who can do an act, whether it was done or not."""
    for actor, name, target in ready.compiled.options:
        if name == action:
            go("why", Query().with_(scenario=scenario, turn=1, actor=actor, action=action, target=target))
            return


# ------------------------------------------------------------------------------------------------ lists


def listed(
    ready: Prepared, kind: str, words: list[str], weighed: dict[str, float]
) -> tuple[list[dict[str, Any]], int, str]:
    """Rows of a list that have every word, how many there are in all, and a line about the list."""
    rows, about = _rows(ready, kind, weighed)
    found = [row for row in rows if all(word in row["search"] for word in words)]
    shown = [{key: value for key, value in row.items() if key != "search"} for row in found[:SHOWN]]
    return shown, len(found), about


def _rows(ready: Prepared, kind: str, weighed: dict[str, float]) -> tuple[list[dict[str, Any]], str]:
    cited = _cited(ready)
    if kind == "claims":
        return [
            _row(one.id, one.locator, one.statement, f"{len(cited.get(one.id, []))} numbers", {"claim": one.id})
            for one in evidence.claims().values()
        ], "What the documents state, in our words; with how many numbers of the scenario rest on it."
    if kind == "chronology":
        return [
            _row(one["id"], str(one["date"]), one["what"], ", ".join(one["claims"]), {"event": one["id"]})
            for one in evidence.load("chronology.yaml")["events"]
        ], "What happened, by the documents; dated as closely as they allow."
    if kind == "documents":
        return [
            _row(one["id"], str(one["date"]), f"{one['author']}: {one['title']}. {one['publisher']}.", one["kind"],
                 {"kind": "claims", "find": "frs-" if one["id"].startswith("FRS") else "rid-"})
            for one in evidence.load("documents.yaml")["documents"]
        ], "The two source documents; a click lists their claims."  # fmt: skip
    entries = stage.numbers_of(ready)
    if kind == "numbers":
        return [
            _row(_value(entry), title, path, _basis(entry), {"number": path})
            for path, title, entry in entries
        ], "Every number of the scenario, and what it rests on."  # fmt: skip
    assumed = [(path, title, entry) for path, title, entry in entries if entry.assumption and not entry.claim]
    assumed.sort(key=lambda one: -weighed.get(one[0], 0.0))
    return [
        _row(
            f"{weighed[path]:.4f}" if path in weighed else "", title, entry.assumption, _value(entry), {"number": path}
        )
        for path, title, entry in assumed
    ], (
        "Numbers that rest on an assumption alone, those first that most hangs on at the start: the expected utility "
        "that each carries in the actors' likeliest options, by the chance of each, summed."
    )


def _row(mark: str, head: str, text: str | None, foot: str, key: dict[str, str]) -> dict[str, Any]:
    text = " ".join(str(text).split())
    return {"mark": mark, "head": head, "text": text, "foot": foot, "key": key,
            "search": f"{mark} {head} {text} {foot}".lower()}  # fmt: skip


def _cited(ready: Prepared) -> dict[str, list[tuple[str, str, Any]]]:
    """The numbers that rest on each claim."""

    def make() -> dict[str, list[tuple[str, str, Any]]]:
        found: dict[str, list[tuple[str, str, Any]]] = {}
        for one in stage.numbers_of(ready):
            for claim in one[2].claim or []:
                found.setdefault(claim, []).append(one)
        return found

    return state.library().beside(ready, "cited", make)


def _value(entry: Any) -> str:
    value = entry.quantity.value
    return spaced(value) if isinstance(value, str) else f"{value:.6g}"


def _basis(entry: Any) -> str:
    return ", ".join(entry.claim or []) or ("assumption" if entry.assumption else "neither")


def weights(ready: Prepared) -> dict[str, float]:
    """By number: the expected utility that it carries in each actor's likeliest options of the first turn, times the
    chance of each to be drawn first, summed over all."""
    found: dict[str, float] = {}
    known = {path for path, _, _ in stage.numbers_of(ready)}
    for actor in ready.compiled.actors:
        decision = decide(ready.compiled, 1, 0, 1, actor)
        for option in [one for one in decision.options if one.available][:FIRST_OPTIONS]:
            for one in carriers(decision.desk, option.name, known, most=10_000):
                found[one.path] = found.get(one.path, 0.0) + option.first * abs(one.carries)
    return found


# ------------------------------------------------------------------------------------------------ one thing


def of_claim(ready: Prepared, name: str) -> dict[str, Any]:
    """A claim, the numbers and acts that rest on it, and the events that report it. Raises BadInput."""
    known = evidence.claims()
    if name not in known:
        raise BadInput(f"There is no claim “{name[:40]}”.")
    claim = known[name]
    raw = next(one for one in evidence.load("claims.yaml")["claims"] if one["id"] == name)
    resting = _cited(ready).get(name, [])
    actions = list(dict.fromkeys(match[1] for path, _, _ in resting if (match := re.match(r"actions\.(\w+)", path))))
    words = stage.cast(ready).words
    return {
        "name": claim.id,
        "place": claim.locator,
        "text": claim.statement,
        "facts": [
            ["kind", spaced(claim.kind)],
            *([["marked", ", ".join(claim.flags)]] if claim.flags else []),
            *([["when", str(raw["dates"]["period"])]] if (raw.get("dates") or {}).get("period") else []),
            *([["mind", " ".join(str(raw["caution"]).split())]] if raw.get("caution") else []),
        ],
        "numbers": [_number(one) for one in resting],
        "acts": [{"id": one, "title": capital(words.scenario.actions[one].title or spaced(one))} for one in actions],
        "claims": [],
        "events": [_event(one) for one in evidence.load("chronology.yaml")["events"] if name in one["claims"]],
    }


def of_number(ready: Prepared, path: str) -> dict[str, Any]:
    """A number and what it rests on. Raises BadInput."""
    entry = next((one for one in stage.numbers_of(ready) if one[0] == path), None)
    if entry is None:
        raise BadInput(f"There is no number “{path[:100]}” in {ready.scenario.title}.")
    _, title, found = entry
    known = evidence.claims()
    bounds = found.quantity.range
    match = re.match(r"actions\.(\w+)", path)
    words = stage.cast(ready).words
    return {
        "name": title,
        "place": path,
        "text": f"{_value(found)}" + (f", of {bounds[0]:g} to {bounds[1]:g}" if bounds else ""),
        "facts": [["assumption", found.assumption]] if found.assumption else
                 [] if found.claim else [["rests on", "neither claim nor assumption"]],
        "numbers": [],
        "acts": [{"id": match[1], "title": capital(words.scenario.actions[match[1]].title or spaced(match[1]))}]
                if match and match[1] in words.scenario.actions else [],
        "claims": [{"id": one, "place": known[one].locator if one in known else "there is no such claim",
                    "text": known[one].statement if one in known else ""} for one in found.claim or []],
        "events": [],
    }  # fmt: skip


def of_event(name: str) -> dict[str, Any]:
    """An event of the chronology. Raises BadInput."""
    raw = next((one for one in evidence.load("chronology.yaml")["events"] if one["id"] == name), None)
    if raw is None:
        raise BadInput(f"There is no event “{name[:40]}” in the chronology.")
    known = evidence.claims()
    return {
        "name": raw["id"],
        "place": raw["locator"],
        "text": " ".join(raw["what"].split()),
        "facts": [
            ["date", f"{raw['date']} ({raw['precision']}, {raw['basis']})"],
            ["from, to", f"{', '.join(raw.get('source') or [])} → {', '.join(raw.get('target') or [])}"],
            ["CAMEO, PLOVER", f"{raw.get('cameo') or '-'}, {raw.get('plover') or '-'}"],
        ],
        "numbers": [],
        "acts": [],
        "claims": [{"id": one, "place": known[one].locator, "text": known[one].statement}
                   for one in raw["claims"] if one in known],
        "events": [],
    }  # fmt: skip


def _number(one: tuple[str, str, Any]) -> dict[str, str]:
    path, title, entry = one
    return {"path": path, "title": title, "value": _value(entry)}


def _event(raw: dict[str, Any]) -> dict[str, str]:
    return {"id": raw["id"], "date": str(raw["date"]), "text": " ".join(raw["what"].split())}

"""Evidence: claims, chronology, documents; from a number to what it rests on, from a claim to what rests on it."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import pages, parts, stage, state
from dashboards.state import Query, Subject
from sim import evidence
from sim.decision import carried, decide
from sim.errors import BadInput
from sim.explain import _signed
from sim.naming import capital, number, share, spaced
from sim.runs import Prepared

PAGE = pages.Page("evidence", "Evidence", "mdi-book-open-variant", 50)
FIRST = "takeover-2021"
KINDS = ("claims", "numbers", "assumptions", "chronology", "documents")
SHOWN = 200  # rows of a list
ACTS = 12  # acts that a number or a claim weighs most in


@dataclass(frozen=True)
class Act:
    """An option open to an actor in the first turn, and a number in it. carries: of its expected utility; first: the
    chance that it is drawn first."""

    actor: str
    action: str
    target: str | None
    carries: float
    first: float
    path: str

    @property
    def weight(self) -> float:
        """What hangs on the number there."""
        return abs(self.carries) * self.first


@dataclass(frozen=True)
class Bearing:
    """What hangs on a number in the first turn. weight: over all options; acts: those in which most does."""

    weight: float
    acts: list[Act]


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
    event_why: Callable[[dict[str, Any]], Any],
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
    claim, path, event = (query.get(name) for name in ("claim", "number", "event"))
    asked = bool(kind == "assumptions" or claim or path)
    found, error, busy = parts.use_work(
        lambda: (ready, state.library().beside(ready, "bearings", lambda: bearings(ready))) if asked else None,
        [scenario, asked],
    )
    if error is not None:
        raise error
    weighed = found[1] if found is not None and found[0] is ready else None  # what comes last may be another scenario's
    rows, count, about = listed(ready, kind, find.lower().split(), weighed or {})
    detail = (
        of_claim(ready, claim, weighed) if claim
        else of_number(ready, path, weighed) if path
        else of_event(event) if event else None
    )  # fmt: skip

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
            event_why=lambda key: _to_act(ready, scenario, key, go),
        )


def _to_act(ready: Prepared, scenario: str, key: Mapping[str, Any], go: parts.Go) -> None:
    """The card of an option in the first turn, whether it was taken or not; of a kind of act that of who can do it."""
    for actor, action, target in ready.compiled.options:
        own = {"actor": actor, "action": action, "target": target}
        if all(own[name] == value for name, value in key.items() if name in own):
            go("why", Query().with_(scenario=scenario, turn=1, **own))
            return


# ------------------------------------------------------------------------------------------------ lists


def listed(
    ready: Prepared, kind: str, words: list[str], weighed: Mapping[str, Bearing]
) -> tuple[list[dict[str, Any]], int, str]:
    """Rows of a list that have every word, how many there are in all, and a line about the list."""
    rows, about = _rows(ready, kind, weighed)
    found = [row for row in rows if all(word in row["search"] for word in words)]
    shown = [{key: value for key, value in row.items() if key != "search"} for row in found[:SHOWN]]
    return shown, len(found), about


def _rows(ready: Prepared, kind: str, weighed: Mapping[str, Bearing]) -> tuple[list[dict[str, Any]], str]:
    cited = _cited(ready)
    if kind == "claims":
        return [
            _row(one.id, one.locator, one.statement, _count(len(cited.get(one.id, []))), {"claim": one.id})
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
    assumed.sort(key=lambda one: -weighed[one[0]].weight if one[0] in weighed else 0.0)
    return [
        _row(
            number(weighed[path].weight) if path in weighed else "",
            title, entry.assumption, f"{_value(entry)} · {path}", {"number": path},
        )
        for path, title, entry in assumed
    ], (
        "Numbers that rest on an assumption alone, those first that most hangs on in the first turn: the expected "
        "utility that each carries in all options open to the actors, each times its chance to be drawn first, added "
        "up. What moves an outcome over a whole run, the study ‘everything’ asks."
    )  # fmt: skip


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


def _count(numbers: int) -> str:
    return "1 number" if numbers == 1 else f"{numbers} numbers"


def _value(entry: Any) -> str:
    value = entry.quantity.value
    return spaced(value) if isinstance(value, str) else f"{value:.6g}"


def _basis(entry: Any) -> str:
    return ", ".join(entry.claim or []) or ("assumption" if entry.assumption else "neither")


def bearings(ready: Prepared) -> dict[str, Bearing]:
    """What hangs on each number in the options that are open to the actors in the first turn."""
    acts: dict[str, list[Act]] = {}
    known = {path for path, _, _ in stage.numbers_of(ready)}
    for actor in ready.compiled.actors:
        decision = decide(ready.compiled, 1, 0, 1, actor)
        rows = [(option, decision.desk.row(option.name)) for option in decision.options if option.available]
        for path, _, carries in carried(decision.desk, known):
            acts.setdefault(path, []).extend(
                Act(actor, option.action, option.target, float(carries[row]), option.first, path)
                for option, row in rows if carries[row]
            )  # fmt: skip
    return {path: Bearing(sum(act.weight for act in of), _weightiest(of)) for path, of in acts.items()}


def _weightiest(acts: list[Act]) -> list[Act]:
    return heapq.nlargest(ACTS, acts, key=lambda act: act.weight)


# ------------------------------------------------------------------------------------------------ one thing


def of_claim(ready: Prepared, name: str, weighed: Mapping[str, Bearing] | None) -> dict[str, Any]:
    """A claim, the numbers and acts that rest on it, and the events that report it. weighed: None while it is not
    known. Raises BadInput."""
    known = evidence.claims()
    if name not in known:
        raise BadInput(f"There is no claim “{name[:40]}”.")
    claim = known[name]
    raw = next(one for one in evidence.load("claims.yaml")["claims"] if one["id"] == name)
    resting = _cited(ready).get(name, [])
    best: dict[tuple[str, str, str | None], Act] = {}  # of each act the number through which most hangs on the claim
    for path, _, _ in resting:
        for act in (weighed or {}).get(path, Bearing(0.0, [])).acts:
            key = (act.actor, act.action, act.target)
            if key not in best or best[key].weight < act.weight:
                best[key] = act
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
        "kinds": _kinds(ready, [path for path, _, _ in resting]),
        "acts": _acts(ready, _weightiest(list(best.values()))),
        "weighing": weighed is None,
        "rests": True,
        "claims": [],
        "events": [_event(one) for one in evidence.load("chronology.yaml")["events"] if name in one["claims"]],
    }


def _kinds(ready: Prepared, paths: list[str]) -> list[dict[str, str]]:
    """The kinds of act that have one of these numbers for their own."""
    known = ready.scenario.actions
    named = dict.fromkeys(match[1] for path in paths if (match := re.match(r"actions\.(\w+)", path)))
    return [{"id": one, "title": capital(known[one].title or spaced(one))} for one in named if one in known]


def _acts(ready: Prepared, acts: list[Act]) -> list[dict[str, Any]]:
    """Acts of the first turn and what a number carries in each, as texts."""
    words = stage.cast(ready).words
    titles = {path: title for path, title, _ in stage.numbers_of(ready)}
    return [
        {
            "key": {"actor": act.actor, "action": act.action, "target": act.target},
            "told": f"{capital(words.actor(act.actor))} {words.option((act.action, act.target))}",
            "carries": _signed(act.carries),
            "first": share(act.first),
            "through": titles[act.path],
        }
        for act in acts if act.weight > 0
    ]  # fmt: skip


def of_number(ready: Prepared, path: str, weighed: Mapping[str, Bearing] | None) -> dict[str, Any]:
    """A number, what it rests on, and the acts that rest on it. weighed: None until it is known. Raises BadInput."""
    entry = next((one for one in stage.numbers_of(ready) if one[0] == path), None)
    if entry is None:
        raise BadInput(f"There is no number “{path[:100]}” in {ready.scenario.title}.")
    _, title, found = entry
    known = evidence.claims()
    bounds = found.quantity.range
    bearing = (weighed or {}).get(path, Bearing(0.0, []))
    rests = [["assumption", found.assumption]] if found.assumption else []
    if not found.assumption and not found.claim:
        rests = [["rests on", "neither claim nor assumption"]]
    total = f"{number(bearing.weight)} of expected utility, over all open options"
    carries = [["carries in the first turn", total]] if bearing.weight else []
    return {
        "name": title,
        "place": path,
        "text": f"{_value(found)}" + (f", of {bounds[0]:g} to {bounds[1]:g}" if bounds else ""),
        "facts": rests + carries,
        "numbers": [],
        "kinds": _kinds(ready, [path]),
        "acts": _acts(ready, bearing.acts),
        "weighing": weighed is None,
        "rests": True,
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
        "kinds": [],
        "acts": [],
        "weighing": False,
        "rests": False,
        "claims": [{"id": one, "place": known[one].locator, "text": known[one].statement}
                   for one in raw["claims"] if one in known],
        "events": [],
    }  # fmt: skip


def _number(one: tuple[str, str, Any]) -> dict[str, str]:
    path, title, entry = one
    return {"path": path, "title": title, "value": _value(entry)}


def _event(raw: dict[str, Any]) -> dict[str, str]:
    return {"id": raw["id"], "date": str(raw["date"]), "text": " ".join(raw["what"].split())}

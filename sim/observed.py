"""What the documents report, as runs can be held against it: acts in cells of the chronology, places on ladders.

The rule by which acts become cells is seeds/coverage.yaml. Every reader names a sample, and what belongs to another is
not even looked at, so that what calibrates cannot see what comes after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import evidence
from sim.arrays import Compiled
from sim.form import Scenario, turn_of
from sim.metrics import Record

NOBODY = "nobody"
SAMPLES = ("in", "out")


@dataclass(frozen=True)
class Cell:
    """One thing that a document reports or not: an act of a type from a source towards a unit in some turns.

    happened: the ids of the events; none where it reports nothing. before: whether it reports one in the month (or
    window) before.
    """

    window: int
    sample: str
    date: str
    turns: tuple[int, int]
    source: str
    unit: str
    plover: str
    happened: tuple[str, ...]
    before: bool


@dataclass(frozen=True)
class Cells:
    """The cells that a scenario holds. left_out: windows that it does not, with the reason."""

    cells: list[Cell]
    units: dict[str, str]  # of the scenario's actors, as targets
    left_out: list[str]

    @property
    def happened(self) -> NDArray[np.bool_]:
        """(cells,) whether the documents report such an act."""
        return np.array([bool(cell.happened) for cell in self.cells], dtype=np.bool_)

    def counter(self, compiled: Compiled) -> Counter:
        """Counts in how many runs of a scenario each cell has an act."""
        return Counter(self, compiled)


class Counter:
    """In how many runs each cell has at least one act."""

    def __init__(self, cells: Cells, compiled: Compiled) -> None:
        self.size, self.runs = len(cells.cells), 0
        self.counts = np.zeros(self.size, dtype=np.int64)
        kinds: dict[tuple[str, str, str], list[int]] = {}
        for n, cell in enumerate(cells.cells):
            kinds.setdefault((cell.source, cell.unit, cell.plover), []).append(n)
        self._cells = [(c, *cells.cells[c].turns) for c in range(self.size)]
        self._of_option: list[list[int]] = []
        for o, (actor, _, target) in enumerate(compiled.options):
            unit = NOBODY if target is None else cells.units.get(target, target)
            plover = compiled.codes[int(compiled.tables.option_action[o])][1]
            self._of_option.append(kinds.get((actor, unit, plover), []))

    def add(self, record: Record) -> None:
        """Counts some more runs."""
        self.runs += record.size
        if not self.size:
            return
        seen = np.zeros((record.size, self.size), dtype=np.bool_)
        order = np.argsort(record.option, kind="stable")
        edges = np.searchsorted(record.option[order], np.arange(len(self._of_option) + 1))
        for o, cells in enumerate(self._of_option):
            rows = order[edges[o] : edges[o + 1]]
            if not cells or not rows.size:
                continue
            turn, row = record.turn[rows], record.row[rows]
            for cell in cells:
                _, first, last = self._cells[cell]
                seen[row[(turn >= first) & (turn <= last)], cell] = True
        self.counts += seen.sum(axis=0)

    @property
    def chances(self) -> NDArray[np.float64]:
        """(cells,) probability of such an act, never quite 0 or 1 (Jeffreys' prior)."""
        return np.asarray((self.counts + 0.5) / (self.runs + 1.0), dtype=np.float64)


def _chronology(sample: str) -> list[dict[str, Any]]:
    """The events of one sample."""
    return [event for event in evidence.load("chronology.yaml")["events"] if event["sample"] == sample]


def cells(scenario: Scenario, turns: int, samples: Iterable[str] = SAMPLES) -> Cells:
    """The cells of the chronology that a scenario of this many turns holds, of these samples."""
    rule = evidence.load("coverage.yaml")
    timed = scenario.model_copy(update={"turns": turns})
    unit_of = {name: unit for unit, names in rule["targets"].items() for name in names}
    source_of = {name: source for source, names in rule["sources"].items() for name in names}
    units = {actor: unit_of.get(actor, actor) for actor in scenario.actors}
    found: list[Cell] = []
    left_out: list[str] = []
    wanted = set(samples)
    for number, window in enumerate(rule["windows"]):
        if window["sample"] not in wanted:
            continue
        label = f"{window['from']} to {window['until']}"
        months = _months(window["from"], window["until"])
        places = [turn_of(timed, month) for month in months]
        if scenario.turn != "month":
            left_out.append(f"{label}: turns of a {scenario.turn} hold no months")
            continue
        if any(place is None for place in places):
            left_out.append(f"{label}: outside the scenario")
            continue
        known = [place for place in places if place is not None]
        events = [event for event in _chronology(window["sample"]) if _counts(event, rule)]
        acts = [
            (event["id"], _placed(event, months, window["cells"]), source, unit, event["plover"])
            for event in events
            for source, unit in _sides(event, rule, scenario, source_of, unit_of)
        ]
        acts = [act for act in acts if act[1] is not None]
        pairs = sorted({(source, unit) for _, _, source, unit, _ in acts})
        types = sorted({plover for *_, plover in acts})
        reported: dict[tuple[Any, ...], list[str]] = {}
        for identity, place, source, unit, plover in acts:
            reported.setdefault((place, source, unit, plover), []).append(identity)
        earlier = _earlier(rule, number, scenario, source_of, unit_of, wanted)
        for source, unit in pairs:
            for plover in types:
                for n, month in enumerate(months if window["cells"] == "month" else [label]):
                    monthly = window["cells"] == "month"
                    key = (n, source, unit, plover)
                    before = (n - 1, source, unit, plover) in reported if n else (source, unit, plover) in earlier
                    span = (known[n], known[n]) if monthly else (known[0], known[-1])
                    happened = tuple(dict.fromkeys(reported.get(key, ())))
                    found.append(Cell(number, window["sample"], month, span, source, unit, plover, happened, before))
    return Cells(found, units, left_out)


def _counts(event: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    return not event.get("status") and event.get("plover") is not None and event["id"] not in rule["given"]


def _placed(event: Mapping[str, Any], months: Sequence[str], cells: str) -> int | None:
    """Which cell of a window an event is in; None for none."""
    first, last = str(event["date"])[:7], str(event.get("end") or event["date"])[:7]
    if cells == "whole":
        return 0 if last >= months[0] and first <= months[-1] else None
    return months.index(first) if first == last and first in months else None


def _sides(
    event: Mapping[str, Any],
    rule: Mapping[str, Any],
    scenario: Scenario,
    source_of: Mapping[str, str],
    unit_of: Mapping[str, str],
) -> list[tuple[str, str]]:
    """The pairs of source and unit that an event is an act between."""
    also = event.get("also") or []
    if event["plover"] in rule["beside"]:
        named = [*(event["target"] if event["cooperation"] == "coop" else ())]
        named += [other["target"] for other in also if other["cooperation"] == "coop"]
    else:
        named = [*event["target"], *(other["target"] for other in also)]
    found = []
    for who in event["source"]:
        source = source_of.get(who, who)
        if source not in scenario.actors:
            continue
        for target in named:
            unit = unit_of.get(target, target if target in scenario.actors else None)
            if unit is not None and unit != source and unit_of.get(source) != unit:
                found.append((source, unit))
    return list(dict.fromkeys(found))


def _earlier(
    rule: Mapping[str, Any],
    number: int,
    scenario: Scenario,
    source_of: Mapping[str, str],
    unit_of: Mapping[str, str],
    wanted: set[str],
) -> set[tuple[str, str, str]]:
    """What the window before this one holds, for a forecast that nothing changes."""
    if number == 0 or rule["windows"][number - 1]["sample"] not in wanted | {"in"}:
        return set()
    window = rule["windows"][number - 1]
    months = _months(window["from"], window["until"])
    return {
        (source, unit, event["plover"])
        for event in _chronology(window["sample"])
        if _counts(event, rule) and _placed(event, months, "whole") is not None
        for source, unit in _sides(event, rule, scenario, source_of, unit_of)
    }


def _months(first: str, last: str) -> list[str]:
    begin, end = (int(date[:4]) * 12 + int(date[5:7]) - 1 for date in (first, last))
    return [f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(begin, end + 1)]


# ------------------------------------------------------------------------------------------------------------ ladders

LADDERS = ("rung", "presence")
TOWARD = "taliban"  # whom the positions are towards


@dataclass(frozen=True)
class Place:
    """Where a document sees an actor on a ladder at a date: rungs `low` to `high`. basis: stated or implied."""

    actor: str
    ladder: str
    date: str
    sample: str
    turn: int
    slot: int
    rungs: tuple[str, ...]
    low: int
    high: int
    basis: str


def places(scenario: Scenario, compiled: Compiled, turns: int, samples: Iterable[str] = SAMPLES) -> list[Place]:
    """The stated and implied positions that a scenario's turns reach; those of its first date are its start, and no
    forecast."""
    slots = {path: s for s, path in enumerate(compiled.paths)}
    timed = scenario.model_copy(update={"turns": turns})
    wanted = set(samples)
    found = []
    for position in evidence.load("positions.yaml")["positions"]:
        date = str(position["date"])
        turn = turn_of(timed, date)
        if position["sample"] not in wanted or turn is None or date == scenario.start[:7]:
            continue
        for ladder in LADDERS:
            said = position[ladder]
            slot = slots.get(f"{position['actor']}.{TOWARD}.{ladder}")
            if said["basis"] not in ("stated", "implied") or said["value"] is None or slot is None:
                continue
            rungs = compiled.ladders.get(slot, ())
            ends = [_rung(value, rungs) for value in _ends(said["value"])]
            if any(end is None for end in ends):
                continue
            low, high = (int(end) for end in ends if end is not None)
            found.append(
                Place(position["actor"], ladder, date, position["sample"], turn, slot, rungs, low, high, said["basis"])
            )
    return found


def _ends(value: Any) -> list[Any]:
    return [value[0], value[-1]] if isinstance(value, list) else [value, value]


def _rung(value: Any, rungs: Sequence[str]) -> int | None:
    if isinstance(value, str):
        return rungs.index(value) if value in rungs else None
    return int(value) if 0 <= int(value) < len(rungs) else None

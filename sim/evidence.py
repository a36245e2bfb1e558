"""Claims and numbers: what the documents say, and which number of a scenario rests on what."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sim import columns, data
from sim.errors import BadInput
from sim.scenario import Scenario, first_day, numbers


@dataclass(frozen=True)
class Code:
    """A CAMEO event code. goldstein: its published weight, -10..10. intensity: of its PLOVER type."""

    code: str
    name: str
    goldstein: float | None
    plover: str | None
    intensity: float | None


@dataclass(frozen=True)
class Claim:
    """What a document states, in our words, and where."""

    id: str
    document: str
    locator: str
    kind: str
    flags: tuple[str, ...]
    statement: str


@cache
def load(name: str) -> Any:
    """What a file of seeds/ holds, as plain data; read once, so nobody changes it."""
    import yaml

    path: Path = data.seeds() / name
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {' '.join(str(error).split())}") from None


@cache
def codes() -> dict[str, Code]:
    """The event codes of seeds/codes.yaml, by code."""
    return {
        item["code"]: Code(item["code"], item["name"], item["goldstein"], item["plover"], item["intensity"])
        for item in load("codes.yaml")["codes"]
    }


def code(cameo: str) -> Code | None:
    """An event code, or the nearest above it (0341: 034, else 03, which CAMEO writes 030); None for no such root."""
    known = codes()
    for length in range(len(cameo), 1, -1):
        found = known.get(cameo[:length]) or (known.get(f"{cameo[:2]}0") if length == 2 else None)
        if found is not None:
            return found
    return None


@cache
def claims() -> dict[str, Claim]:
    """The claims of seeds/claims.yaml, by id."""
    return {
        item["id"]: Claim(
            item["id"], item["place"]["document"], item["locator"], item["kind"], tuple(item["flags"]),
            " ".join(item["statement"].split()),
        )
        for item in load("claims.yaml")["claims"]
    }  # fmt: skip


def past_acts(
    options: Sequence[tuple[str, str, str | None] | None], codes: Mapping[str, tuple[str, str]], start: str, turn: str,
    memory: int,
) -> np.ndarray:  # fmt: skip
    """How often each option was done before a scenario began, by seeds/chronology.yaml.

    options: (actor, action, target), or None for what nobody can choose. codes: CAMEO and PLOVER by action. start,
    turn: the scenario's. Returns (memory, options): row n is the n-th turn before the first. An event of a source, a
    target and a code belongs to the options of that actor towards that target (or towards nobody) with that CAMEO code,
    else with that PLOVER type, in equal parts; events whose month is not known are left out.
    """
    counts = np.zeros((memory, len(options)))
    first = first_day(start)
    for event in load("chronology.yaml")["events"]:
        if event.get("status") or event["precision"] not in ("day", "month") or not event.get("cameo"):
            continue
        n = _turns_before(first, first_day(str(event["date"])), turn)
        if not 0 <= n < memory:
            continue
        for source in event["source"]:
            for target in event["target"]:
                if target == source:  # both sides of a mutual act stand in both lists
                    continue
                own = [
                    (o, codes[option[1]]) for o, option in enumerate(options)
                    if option is not None and option[0] == source and option[2] in (target, None)
                ]  # fmt: skip
                found = [o for o, (cameo, _) in own if cameo == event["cameo"]] or [
                    o for o, (_, plover) in own if event["plover"] and plover == event["plover"]
                ]
                for o in found:
                    counts[n, o] += 1 / len(found)
    return counts


def _turns_before(first: datetime.date, day: datetime.date, turn: str) -> int:
    """How many whole turns lie between a day and the first turn: 0 in the turn before it, negative from it on."""
    if turn == "week":
        return ((first - day).days - 1) // 7
    months = (first.year - day.year) * 12 + first.month - day.month
    return -1 if months <= 0 else (months - 1) // {"month": 1, "quarter": 3, "year": 12}[turn]


# ------------------------------------------------------------------------------------ which number rests on what

SOURCED, ASSUMED, NEITHER = "claim", "assumption", "neither"
CLAIM_ONLY, BOTH = "claim_only", "claim_and_assumption"  # the two parts of SOURCED


@dataclass(frozen=True)
class Sources:
    """Which number of a scenario rests on what.

    table: one row a number: path, value (as written; a rung by its name), low, high (its range), basis (`claim`, also
    where there is an assumption beside it; `assumption`; `neither`), claims (ids), locators, statements, assumption.
    unknown: (path, id) of cited claims that there are not, on which nothing rests.
    """

    table: pa.Table
    unknown: list[tuple[str, str]]

    @cached_property
    def coverage(self) -> dict[str, int]:
        """Numbers in all, by basis, with a range; of those with a claim, without and with an assumption beside it."""
        basis = self.table["basis"].to_pylist()
        ranged = len(basis) - self.table["low"].null_count
        beside = zip(basis, self.table["assumption"].to_pylist(), strict=True)
        both = sum(kind == SOURCED and bool(assumption) for kind, assumption in beside)
        counts = {kind: basis.count(kind) for kind in (SOURCED, ASSUMED, NEITHER)}
        split = {CLAIM_ONLY: counts[SOURCED] - both, BOTH: both}
        return {"numbers": len(basis)} | counts | {"ranged": ranged} | split

    @cached_property
    def unknown_claims(self) -> dict[str, list[str]]:
        """The cited claims that there are not, each with the paths of the numbers that name it."""
        found: dict[str, list[str]] = {}
        for path, claim in self.unknown:
            found.setdefault(claim, []).append(path)
        return found

    @cached_property
    def by_document(self) -> dict[str, int]:
        """How many numbers rest on claims of each document."""
        found: dict[str, int] = {}
        for cited in self.table["claims"].to_pylist():
            for document in {_document(claim) for claim in cited.split() if claim in claims()}:
                found[document] = found.get(document, 0) + 1
        return dict(sorted(found.items()))

    def resting_on(self, document: str) -> list[str]:
        """Paths of the numbers that rest on a claim of a document (FRS2021, Riddle2022), or of ids that begin so."""
        rows = zip(self.table["path"].to_pylist(), self.table["claims"].to_pylist(), strict=True)
        return [
            path
            for path, cited in rows
            if any(_document(claim) == document or claim.startswith(f"{document}-") for claim in cited.split())
        ]

    def parts(self, document: str) -> dict[str, list[dict[str, Any]]]:
        """The numbers that cite a document, by the part that each plays (see `part`): rows of the table, with what kind
        of statement each claim of the document is (`kinds`)."""
        wanted, known = set(self.resting_on(document)), claims()
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.table.to_pylist():
            if row["path"] in wanted:
                cited = [claim for claim in row["claims"].split() if claim in known]
                mine = [c for c in cited if document in (_document(c), c.split("-")[0])]
                row["kinds"] = " ".join(f"{claim}:{known[claim].kind}" for claim in mine)
                found.setdefault(part(row["path"]), []).append(row)
        return {name: found[name] for name in PARTS if name in found}

    def without(self) -> list[str]:
        """Paths of the numbers that have neither claim nor assumption."""
        rows = zip(self.table["path"].to_pylist(), self.table["basis"].to_pylist(), strict=True)
        return [path for path, basis in rows if basis == NEITHER]


INTEREST, CONSTRAINT, INJECT, START, ASKED = "interest", "constraint", "inject", "starting value", "outcome"
PARTS = (INTEREST, CONSTRAINT, INJECT, START, ASKED)


def part(path: str) -> str:
    """The part that a number plays: interest (what actors want, whom they have a stake in); constraint (what acts,
    promises, couplings, capabilities, incidents and indicators can do); inject (a dated event); starting value (of an
    indicator, in the world or as a scenario sets it); outcome (a question of the scenario)."""
    words = path.replace("[", ".").split(".")
    if words[0] == "actors" and words[2] in ("interests", "stakes"):
        return INTEREST
    if words[0] == "indicators" and words[2] == "start":
        return START
    return {"timeline": INJECT, "set": START, "outcomes": ASKED}.get(words[0], CONSTRAINT)


def sources(scenario: Scenario) -> Sources:
    """Which claim or assumption stands behind which number of a scenario."""
    known = claims()
    rows, unknown = [], []
    for entry in numbers(scenario):
        cited = entry.claim or []
        unknown += [(entry.path, claim) for claim in cited if claim not in known]
        found = [known[claim] for claim in cited if claim in known]
        low, high = entry.quantity.range or (None, None)
        value = entry.quantity.value
        rows.append(
            {
                "path": entry.path,
                "value": value if isinstance(value, str) else f"{value:.10g}",
                "low": low,
                "high": high,
                "basis": SOURCED if found else ASSUMED if entry.assumption else NEITHER,
                "claims": " ".join(cited),
                "locators": "; ".join(claim.locator for claim in found),
                "statements": " ".join(claim.statement for claim in found),
                "assumption": entry.assumption,
            }
        )
    return Sources(columns.rows(rows, _SOURCES), unknown)


_SOURCES = pa.schema(
    [("path", pa.string()), ("value", pa.string()), ("low", pa.float64()), ("high", pa.float64())]
    + [(name, pa.string()) for name in ("basis", "claims", "locators", "statements", "assumption")]
)


def _document(claim: str) -> str:
    known = claims().get(claim)
    return known.document if known else claim.split("-")[0]

"""Scores of what runs say against what the documents report: facts, acts in cells, places on ladders.

`gather` keeps of any set of runs what is needed; everything else turns that into tables and numbers, of one set of runs
(`model`) beside others. Knows neither folders nor the command line.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import analysis, columns, facts, observed, verdicts
from sim.arrays import Compiled, History
from sim.metrics import Record
from sim.verdicts import BoundFact, BoundFacts

Floats = NDArray[np.float64]

MODEL = "model"
SHUFFLES = 200  # of what was observed, behind the skill that chance would have
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


# ------------------------------------------------------------------------------------------------ what is kept of runs


@dataclass
class Gathered:
    """What is kept of a set of runs by one policy.

    runs: how many. sides: both sides of every part of each fact's test, (R, leaves, 2) by fact; pooled: those of what
    is scored on averages; without: those of the same runs with what an ablation changes. acts: runs with an act, by
    cell. rungs: (R,) rung by place.
    """

    runs: int = 0
    sides: dict[str, Floats] = field(default_factory=dict)
    pooled: dict[str, Floats] = field(default_factory=dict)
    without: dict[str, Floats] = field(default_factory=dict)
    acts: observed.Counter | None = None
    rungs: list[NDArray[np.int64]] = field(default_factory=list)


def gather(
    bound: BoundFacts,
    histories: Iterable[History],
    compiled: Compiled,
    cells: observed.Cells | None = None,
    places: Sequence[observed.Place] = (),
    done: Callable[[int], None] | None = None,
) -> Gathered:
    """What is kept of these runs. cells, places: of acts and ladders, if those are scored too. done: told the runs."""
    kept: dict[str, list[Floats]] = {fact.id: [] for fact in bound.facts}
    pooled: dict[str, list[Floats]] = {fact.id: [] for fact in bound.facts if fact.pooled is not None}
    rungs: list[list[NDArray[np.int64]]] = [[] for _ in places]
    counter = None if cells is None else cells.counter(compiled)
    found = Gathered(acts=counter)
    for history in histories:
        record = Record.of(history)
        found.runs += record.size
        for fact in bound.facts:
            kept[fact.id].append(fact.measure(record))
            if fact.pooled is not None:
                pooled[fact.id].append(fact.pooled.measure(record, fact.whole))
        if counter is not None:
            counter.add(record)
        for n, place in enumerate(places):
            rungs[n].append(np.rint(record.states[:, place.turn, place.slot]).astype(np.int64))
        if done is not None:
            done(record.size)
    found.sides = {name: np.concatenate(parts) for name, parts in kept.items()}
    found.pooled = {name: np.concatenate(parts) for name, parts in pooled.items()}
    found.rungs = [np.concatenate(parts) for parts in rungs]
    return found


# ---------------------------------------------------------------------------------------------------------- the facts


@dataclass(frozen=True)
class Scored:
    """How a fact fares in a set of runs. share: of runs in which it holds (of resamples, where it is one of averages);
    low, high: Wilson's 95% interval, NaN for resamples. passes: by its rule. pooled: what averages show, and in what
    share of resamples; None where it has no such test."""

    share: float
    low: float
    high: float
    passes: bool
    pooled: bool | None = None
    pooled_share: float | None = None


def score(fact: BoundFact, found: Gathered) -> Scored:
    """How a fact fares in what was gathered."""
    sides, wanted, happened = found.sides[fact.id], fact.fact.wanted, fact.fact.observed
    if fact.fact.scope == "run":
        holds = fact.judge(sides).holds
        share = float(holds.mean())
        low, high = analysis.wilson(int(holds.sum()), holds.size)
        passes = share >= wanted if happened else share <= 1.0 - wanted
        if fact.pooled is None:
            return Scored(share, low, high, passes)
        held, resampled = verdicts.averaged(fact.pooled, found.pooled[fact.id], fact.turns)
        return Scored(share, low, high, passes, held == happened, resampled)
    held, share = verdicts.averaged(fact.tree, sides, fact.turns, found.without.get(fact.id))
    return Scored(share, np.nan, np.nan, held == happened)


def fact_table(bound: BoundFacts, found: Mapping[str, Gathered]) -> pa.Table:
    """One row a fact: what it says, how it fares in the model and each baseline. found: by `model` and baseline.

    status: scored, given, cannot or outside; free: some baseline passes it too. brier: (share - observed)^2.
    """
    names = [name for name in found if name != MODEL]
    rows: list[dict[str, Any]] = []
    by_id = {fact.id: fact for fact in bound.facts}
    for name, fact in bound.source.file.facts.items():
        row: dict[str, Any] = {
            "fact": name, "statement": fact.statement, "sample": fact.sample, "weight": fact.weight,
            "scope": fact.scope, "wanted": fact.wanted, "observed": fact.observed, "locator": fact.locator,
            "assumption": fact.assumption,
        }  # fmt: skip
        if name in bound.cannot or name in bound.outside:
            status = "cannot" if name in bound.cannot else "outside"
            rows.append(row | {"status": status, "why": (bound.cannot | bound.outside)[name]})
            continue
        mine = score(by_id[name], found[MODEL])
        row |= {
            "status": "given" if fact.given else "scored",
            "why": fact.given or "; ".join(by_id[name].notes) or None,
        }
        row |= {key: getattr(mine, key) for key in ("share", "low", "high", "passes", "pooled", "pooled_share")}
        row["brier"] = (mine.share - fact.observed) ** 2
        others = {other: score(by_id[name], found[other]) for other in names}
        row["free"] = any(other.passes for other in others.values())
        for other, scored in others.items():
            row |= {f"share_{other}": scored.share, f"passes_{other}": scored.passes}
            row[f"brier_{other}"] = (scored.share - fact.observed) ** 2
        rows.append(row)
    text, number, flag = pa.string(), pa.float64(), pa.bool_()
    schema = [(key, text) for key in ("fact", "statement", "sample", "weight", "scope", "status", "why")]
    schema += [("wanted", number), ("observed", flag)]
    schema += [(key, number) for key in ("share", "low", "high")] + [("passes", flag), ("free", flag)]
    schema += [("pooled_share", number), ("pooled", flag), ("brier", number)]
    for other in names:
        schema += [(f"share_{other}", number), (f"passes_{other}", flag), (f"brier_{other}", number)]
    return columns.rows(rows, pa.schema([*schema, ("locator", text), ("assumption", text)]))


TOTALS = ("in", "out")


def totals(table: pa.Table) -> list[dict[str, Any]]:
    """By sample and weight: facts scored, passed (in the model and each baseline), passed by a baseline too (free), the
    rest, and of it passed. Given facts and those that cannot be said are counted apart."""
    rows = table.to_pylist()
    others = _baselines(table)
    found = []
    for sample in TOTALS:
        for weight in facts.WANTED:
            mine = [row for row in rows if row["sample"] == sample and row["weight"] == weight]
            scored = [row for row in mine if row["status"] == "scored"]
            if not mine:
                continue
            harder = [row for row in scored if not row["free"]]
            found.append(
                {"sample": sample, "weight": weight, "scored": len(scored), "passed": _passed(scored)}
                | {"free": len(scored) - len(harder), "others": len(harder), "passed_others": _passed(harder)}
                | {other: _passed(scored, f"passes_{other}") for other in others}
                | {status: sum(row["status"] == status for row in mine) for status in ("given", "cannot", "outside")}
            )
    return found


def _passed(rows: Sequence[Mapping[str, Any]], key: str = "passes") -> int:
    return sum(bool(row[key]) for row in rows)


def _baselines(table: pa.Table) -> list[str]:
    return [name.removeprefix("share_") for name in table.column_names if name.startswith("share_")]


def fact_brier(table: pa.Table) -> list[dict[str, Any]]:
    """By sample, over the facts scored, and over those that no baseline passes: mean Brier score of the model and each
    baseline, and the model's skill against it, 1 - BS / BS of the baseline (none where that is 0)."""
    others, rows = _baselines(table), [row for row in table.to_pylist() if row["status"] == "scored"]
    found = []
    for sample in TOTALS:
        for which in ("all", "not free"):
            mine = [row for row in rows if row["sample"] == sample and (which == "all" or not row["free"])]
            if not mine:
                continue
            brier = float(np.mean([row["brier"] for row in mine]))
            row: dict[str, Any] = {"sample": sample, "facts": which, "number": len(mine), "brier": brier}
            for other in others:
                theirs = float(np.mean([row[f"brier_{other}"] for row in mine]))
                row |= {f"brier_{other}": theirs, f"skill_{other}": _skill(brier, theirs)}
            found.append(row)
    return found


def _skill(score: float, reference: float) -> float | None:
    return None if reference == 0 else 1.0 - score / reference


# ------------------------------------------------------------------------------------------- acts against the record

BASE_RATE, PERSISTENCE, REPORTED = "base_rate", "persistence", "reported"


def forecasts(cells: observed.Cells, found: Mapping[str, Gathered]) -> dict[str, Floats]:
    """(cells,) probability of an act by the model, by each baseline policy, and by forecasts made with the record.

    reported: the model's, times the share of what it foresees that the record holds in the other months (for a whole
    window: in other windows; as it is where there is none), for the record does not hold all that happened. base_rate:
    that of the window. persistence: the rate among cells whose month before had, or had not, such an act. The last two
    know the window's own rates, which no forecaster would.
    """
    chances = {name: gathered.acts.chances for name, gathered in found.items() if gathered.acts is not None}
    happened = cells.happened
    window = np.array([cell.window for cell in cells.cells], dtype=np.int64)
    before = np.array([cell.before for cell in cells.cells], dtype=np.bool_)
    base, persistence = np.zeros(happened.size), np.zeros(happened.size)
    for number in np.unique(window):
        here = window == number
        base[here] = happened[here].mean()
        for was in (False, True):
            alike = here & (before == was)
            persistence[alike] = (happened[alike].sum() + 0.5) / (alike.sum() + 1.0)
    return chances | {REPORTED: _thinned(cells, chances[MODEL]), BASE_RATE: base, PERSISTENCE: persistence}


def _thinned(cells: observed.Cells, chance: Floats) -> Floats:
    """Chances times the share of them that the record holds at other dates, by least squares, at most 1. Windows of a
    later sample never bear on an earlier one."""
    dates = np.array([cell.date for cell in cells.cells])
    inside = np.array([cell.sample == "in" for cell in cells.cells], dtype=np.bool_)
    thinned = chance.copy()
    for date in np.unique(dates):
        here = dates == date
        others = ~here & inside
        weight = float((chance[others] ** 2).sum())
        if weight > 0:
            thinned[here] *= min(float((chance[others] * cells.happened[others]).sum()) / weight, 1.0)
    return np.clip(thinned, 1e-4, 1.0 - 1e-4)


def act_scores(cells: observed.Cells, chances: Mapping[str, Floats]) -> list[dict[str, Any]]:
    """By sample and forecast: cells, those with an act, Brier score (of all, with an act, without), mean log score
    (the higher the better), area under the precision-recall curve, and the Brier skill against it: of the model, and
    `skill_reported` of the model as far as reported. Of these two also their skill against the base rate, and what
    remains of it when what happened is shuffled: mean and 95th percentile."""
    found = []
    samples = np.array([cell.sample for cell in cells.cells])
    for sample in TOTALS:
        here = samples == sample
        if not here.any():
            continue
        happened = cells.happened[here]
        scored = {name: _act_score(chance[here], happened) for name, chance in chances.items()}
        model = scored[MODEL]["brier"]
        for name, chance_of in chances.items():
            row = {"sample": sample, "forecast": name} | scored[name]
            row["skill"] = None if name == MODEL else _skill(model, row["brier"])
            row["skill_reported"] = None if name == REPORTED else _skill(scored[REPORTED]["brier"], row["brier"])
            if name in (MODEL, REPORTED):
                row |= shuffled_skill(chance_of[here], happened)
            found.append(row)
    return found


def _act_score(chance: Floats, happened: NDArray[np.bool_]) -> dict[str, Any]:
    losses = (chance - happened) ** 2
    likely = np.where(happened, chance, 1.0 - chance)
    return {
        "cells": int(happened.size),
        "acts": int(happened.sum()),
        "brier": float(losses.mean()),
        "brier_act": float(losses[happened].mean()) if happened.any() else None,
        "brier_none": float(losses[~happened].mean()) if not happened.all() else None,
        "log_score": float(np.log(np.clip(likely, 1e-12, 1.0)).mean()),
        "pr_auc": average_precision(chance, happened),
    }


def average_precision(chance: Floats, happened: NDArray[np.bool_]) -> float | None:
    """Area under the precision-recall curve as the mean precision over recalls, equal chances taken together; None
    where nothing happened. Source: Davis & Goadrich 2006 on why not to interpolate."""
    if not happened.any():
        return None
    order = np.argsort(-chance, kind="stable")
    hits = np.cumsum(happened[order])
    last = np.append(np.flatnonzero(np.diff(chance[order])), happened.size - 1)  # of each group of equals
    precision, recall = hits[last] / (last + 1), hits[last] / hits[-1]
    return float((precision * np.diff(recall, prepend=0.0)).sum())


def shuffled_skill(chance: Floats, happened: NDArray[np.bool_], times: int = SHUFFLES) -> dict[str, Any]:
    """Brier skill against the base rate, and what it is when what happened is shuffled: mean, 95th percentile."""
    base = float(happened.mean() * (1.0 - happened.mean()))
    if base == 0:
        return {"skill_base_rate": None, "shuffled": None, "shuffled_q95": None}
    rng = np.random.default_rng(0)
    skills = [1.0 - float(((chance - rng.permutation(happened)) ** 2).mean()) / base for _ in range(times)]
    own = 1.0 - float(((chance - happened) ** 2).mean()) / base
    return {
        "skill_base_rate": own,
        "shuffled": float(np.mean(skills)),
        "shuffled_q95": float(np.quantile(skills, 0.95, method="higher")),
    }


def cell_table(cells: observed.Cells, chances: Mapping[str, Floats]) -> pa.Table:
    """One row a cell: sample, date, source, target, plover, happened, events, and the probability by each forecast."""
    text = ("sample", "date", "source", "target", "plover")
    named = {
        "sample": [cell.sample for cell in cells.cells],
        "date": [cell.date for cell in cells.cells],
        "source": [cell.source for cell in cells.cells],
        "target": [cell.unit for cell in cells.cells],
        "plover": [cell.plover for cell in cells.cells],
    }
    return pa.table(
        {name: columns.texts(named[name]) for name in text}
        | {
            "happened": columns.flags(cells.happened),
            "events": columns.texts([" ".join(cell.happened) or None for cell in cells.cells]),
        }
        | {name: columns.numbers(chance) for name, chance in chances.items()}
    )


def reliability(cells: pa.Table, forecasts: Sequence[str] = (MODEL, REPORTED)) -> pa.Table:
    """By sample, forecast and bin of probability: low, high, cells, mean chance, acts, share with its 95% interval."""
    rows = []
    samples, happened = np.array(cells["sample"].to_pylist()), columns.values(cells["happened"])
    for sample, forecast in itertools.product(TOTALS, forecasts):
        chance = columns.values(cells[forecast])
        for low, high in itertools.pairwise(BINS):
            here = (samples == sample) & (chance >= low) & ((chance < high) | (high == BINS[-1]))
            if here.any():
                acts, number = int(happened[here].sum()), int(here.sum())
                interval = analysis.wilson(acts, number)
                rows.append(
                    {"sample": sample, "forecast": forecast, "low": low, "high": high, "chance": chance[here].mean()}
                    | {"cells": number, "acts": acts, "share": acts / number}
                    | {"share_low": interval[0], "share_high": interval[1]}
                )
    floats = ("low", "high", "chance", "share", "share_low", "share_high")
    schema = [(name, pa.string()) for name in ("sample", "forecast")] + [(name, pa.float64()) for name in floats]
    return columns.rows(rows, pa.schema([*schema, ("cells", pa.int64()), ("acts", pa.int64())]))


# ---------------------------------------------------------------------------------------------------------- ladders


def ranked_probability(rungs: NDArray[np.int64], low: int, high: int, steps: int) -> float:
    """Ranked probability score of an ensemble on a ladder of `steps` + 1 rungs, 0 (best) to 1: the mean over the steps
    of (share at or below - whether the record is)^2. The record is a rung between low and high: steps within it are
    neither right nor wrong. Source: Epstein 1969; for what is known to a range, the score of its known part."""
    below = np.bincount(rungs, minlength=steps + 1).cumsum()[:steps] / rungs.size
    step = np.arange(steps)
    known = (step < low) | (step >= high)
    return float(((below - (step >= high)) ** 2 * known).sum() / steps)


def ladder_table(places: Sequence[observed.Place], found: Mapping[str, Gathered]) -> pa.Table:
    """One row a position: actor, ladder, date, sample, basis, its rungs, the ensemble's median and 90% band, the share
    of runs on a rung of the record, and the ranked probability score of the model and each baseline."""
    rows = []
    for n, place in enumerate(places):
        mine = found[MODEL].rungs[n]
        low, median, high = (place.rungs[int(q)] for q in analysis.quantiles(mine, (0.05, 0.5, 0.95)))
        row = {
            "actor": place.actor, "ladder": place.ladder, "date": place.date, "sample": place.sample,
            "basis": place.basis, "from": place.rungs[place.low], "to": place.rungs[place.high],
            "median": median, "low": low, "high": high,
            "share": float(((mine >= place.low) & (mine <= place.high)).mean()),
        }  # fmt: skip
        for name, gathered in found.items():
            row[name] = ranked_probability(gathered.rungs[n], place.low, place.high, len(place.rungs) - 1)
        rows.append(row)
    text = ("actor", "ladder", "date", "sample", "basis", "from", "to", "median", "low", "high")
    schema = [(name, pa.string()) for name in text] + [(name, pa.float64()) for name in ("share", *found)]
    return columns.rows(rows, pa.schema(schema))


def ladder_scores(table: pa.Table) -> list[dict[str, Any]]:
    """By sample, basis and ladder: positions, mean ranked probability score of the model and each baseline."""
    rows = table.to_pylist()
    names = table.column_names[table.column_names.index("share") :]
    found = []
    for sample in TOTALS:
        for basis in ("stated", "implied"):
            for ladder in observed.LADDERS:
                mine = [r for r in rows if (r["sample"], r["basis"], r["ladder"]) == (sample, basis, ladder)]
                if mine:
                    means = {name: float(np.mean([row[name] for row in mine])) for name in names}
                    found.append({"sample": sample, "basis": basis, "ladder": ladder, "positions": len(mine)} | means)
    return found

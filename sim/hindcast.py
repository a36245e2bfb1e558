"""Does it get history right: an ensemble held against what the documents report, beside baselines that know nothing.

`hindcast` runs a scenario and the baselines on the same seed, scores facts, acts and ladders, and writes a folder;
`open_hindcast` reads one. `gather` and `fact_table` do the first part for any set of runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import analysis, columns, observed, verdicts
from sim import runs as running
from sim.arrays import POLICIES, Compiled, History
from sim.metrics import Record
from sim.scenario import settable, with_numbers
from sim.verdicts import BoundFact, BoundFacts

Floats = NDArray[np.float64]

MODEL = "model"
BASELINES = tuple(name for name in ("random", "frozen", "trend") if name in POLICIES)
SHUFFLES = 200  # of what was observed, behind the skill that chance would have
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
MOST = 100_000
Progress = Callable[[int, int], None]


# ----------------------------------------------------------------------------------------------------- running, once


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


def _ablated(ready: running.Prepared, bound: BoundFacts) -> list[tuple[Compiled, BoundFacts]]:
    """The scenario without what each ablation takes away, and the facts that ask for it."""
    groups: dict[tuple[tuple[str, Any], ...], list[BoundFact]] = {}
    for fact in bound.facts:
        if fact.fact.without:
            key = tuple(sorted((settable(ready.scenario, path), value) for path, value in fact.fact.without.items()))
            groups.setdefault(key, []).append(fact)
    found = []
    for key, members in groups.items():
        from sim.compile import compile_scenario

        compiled = compile_scenario(with_numbers(ready.scenario, dict(key), widen=True))
        found.append((compiled, BoundFacts(members, {}, {}, bound.source)))
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

"""History becomes tidy tables: one row a run and turn, an act, a belief, an event, an answer.

Knows arrays only. What a history does not hold (dates, titles, weights of event codes, the questions that a run
answers) comes in as plain data: `Legend` and `Question`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import columns
from sim.arrays import Compiled, History

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
QUANTILE_NAMES = tuple(f"q{round(100 * q):02d}" for q in QUANTILES)
GRID_BYTES = 64_000_000  # what the histograms behind the quantiles may take
FINEST, COARSEST = 1000, 50  # steps of an indicator's range in them

Measure = Literal["first", "end", "mean", "max", "min", "change", "count", "incidents"]


@dataclass(frozen=True)
class Legend:
    """What the tables say that a history does not know.

    dates: label of each turn from 0, the start (labelled with the period before the first turn). injects: turn, name
    and title of each dated event. incident_titles: by incident. goldstein: weight by CAMEO code. actors: titles by id;
    actions: verb phrases ("sends money to") by id, of bargains and fora too.
    """

    dates: Sequence[str]
    injects: Sequence[tuple[int, str, str]] = ()
    incident_titles: Mapping[str, str] = field(default_factory=dict)
    goldstein: Mapping[str, float | None] = field(default_factory=dict)
    actors: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """An outcome with its names resolved to indices.

    slots: of the state, one a member where a tag speaks of several. options, incidents: rows that are counted.
    turns: first and last turn counted. at_least, at_most: where there is one, the answer is a yes or no.
    over: what is asked of several members; without a bound always their mean.
    """

    name: str
    measure: Measure
    slots: tuple[int, ...] = ()
    options: tuple[int, ...] = ()
    incidents: tuple[int, ...] = ()
    turns: tuple[int, int] = (1, 10**9)
    at_least: float | None = None
    at_most: float | None = None
    over: Literal["any", "all", "number", "mean"] = "any"

    @property
    def bounded(self) -> bool:
        return self.at_least is not None or self.at_most is not None

    @property
    def yes_or_no(self) -> bool:
        """Whether the answer is a yes or no rather than a number."""
        return self.bounded and (not self.slots or self.over in ("any", "all"))

    @property
    def dated(self) -> bool:
        """Whether the answer has a turn: the first passage of one indicator, or of any or all of several."""
        return self.measure == "first" and self.yes_or_no


# ------------------------------------------------------------------------------------------------- rows of a history


def when(legend: Legend, runs: Any, turns: Any) -> dict[str, Any]:
    """The columns run, turn and date."""
    return {
        "run": columns.numbers(runs, pa.int64()),
        "turn": columns.numbers(turns, pa.int32()),
        "date": columns.named(legend.dates, turns),
    }


def positions(history: History, runs: NDArray[Any]) -> NDArray[np.int64]:
    """Where these runs stand among those of the history."""
    order = np.argsort(history.runs, kind="stable")
    return np.asarray(order[np.searchsorted(history.runs, runs, sorter=order)])


def _grid(history: History) -> tuple[Any, Any]:
    """Run and turn of each row of the states."""
    count, turns = history.states.shape[:2]
    return np.repeat(history.runs, turns), np.tile(np.arange(turns), count)


def states(history: History, compiled: Compiled, legend: Legend) -> pa.Table:
    """run, turn, date, then one column an indicator path: the value at the end of the turn; turn 0 is the start."""
    runs, turns = _grid(history)
    by_slot = np.ascontiguousarray(history.states.reshape(runs.size, -1).T)
    slots = {path: columns.numbers(values) for path, values in zip(compiled.paths, by_slot, strict=True)}
    return pa.table(when(legend, runs, turns) | slots)


def acts(history: History, compiled: Compiled, legend: Legend) -> pa.Table:
    """One row an act, in order of run, turn, actor and choice.

    chance: of success. utility: expected, at the choice. probability: of being chosen next, given the acts already
    taken that turn. Acts of dated events have no utility (null) and probability 1. goldstein: null for a code that
    has no weight.
    """
    done = history.acts
    option = done.option
    option_actor, option_target = compiled.tables.option_actor[option], compiled.tables.option_target[option]
    goldstein = np.array([_weight(legend, code) for code, _ in compiled.codes], dtype=np.float64)
    chosen = compiled.tables.option_action[option]
    return pa.table(
        when(legend, done.run, done.turn)
        | {
            "actor": columns.named(compiled.actors, option_actor),
            "action": columns.named(compiled.actions, chosen),
            "target": columns.named(compiled.actors, option_target),
            "chance": columns.known(done.chance),
            "succeeded": columns.flags(done.succeeded),
            "utility": columns.known(done.utility),
            "probability": columns.known(done.probability),
            "cameo": columns.named([code for code, _ in compiled.codes], chosen),
            "plover": columns.named([kind for _, kind in compiled.codes], chosen),
            "goldstein": columns.known(goldstein[chosen] if goldstein.size else np.empty(0)),
        }
    )


def _weight(legend: Legend, code: str) -> float:
    weight = legend.goldstein.get(code)
    return np.nan if weight is None else weight


def beliefs(history: History, compiled: Compiled, legend: Legend) -> pa.Table:
    """What each receiver makes of each giver's promise of a kind, at the end of each turn; alpha and beta are behind
    its credibility."""
    count = len(compiled.beliefs)
    runs, turns = (np.repeat(column, count) for column in _grid(history))
    rows = np.tile(np.arange(count), runs.size // count if count else 0)
    labels = sorted({name for belief in compiled.beliefs for name in belief})
    names = [
        columns.named(labels, np.array([labels.index(b[n]) for b in compiled.beliefs], dtype=np.int64)[rows])
        for n in range(3)
    ]
    tables = compiled.tables
    return pa.table(
        when(legend, runs, turns)
        | dict(zip(("receiver", "giver", "kind"), names, strict=True))
        | {
            "promised": columns.numbers(history.states[:, :, tables.promised].reshape(-1)),
            "reliability": columns.numbers(history.states[:, :, tables.reliability].reshape(-1)),
            "credibility": columns.numbers(history.states[:, :, tables.credibility].reshape(-1)),
            "alpha": columns.numbers(history.alpha.reshape(-1)),
            "beta": columns.numbers(history.beta.reshape(-1)),
        }
    )


def events(history: History, compiled: Compiled, legend: Legend) -> pa.Table:
    """What happened without being chosen, by run and turn: dated events (`inject`) first, then `incident`s."""
    horizon = history.incidents.shape[1]
    dated = [item for item in legend.injects if item[0] <= horizon]
    names: list[tuple[str, str, str | None]] = [(name, title, None) for _, name, title in dated]
    names += [(name, legend.incident_titles.get(name, name), actor) for name, actor in compiled.incidents]
    run_at, turn_at, which = np.nonzero(history.incidents)
    r = np.concatenate([np.repeat(np.arange(history.runs.size), len(dated)), run_at])
    turn = np.concatenate([np.tile(np.array([t for t, *_ in dated], dtype=np.int64), history.runs.size), turn_at + 1])
    row = np.concatenate([np.tile(np.arange(len(dated)), history.runs.size), which + len(dated)])
    order = np.lexsort((row, turn, r))
    r, turn, row = r[order], turn[order], row[order]
    return pa.table(
        when(legend, history.runs[r], turn)
        | {
            "kind": columns.named(["inject", "incident"], (row >= len(dated)).astype(np.int64)),
            "name": columns.named([name for name, _, _ in names], row),
            "title": columns.named([title for _, title, _ in names], row),
            "actor": columns.named([actor for *_, actor in names], row),
        }
    )


# ------------------------------------------------------------------------------------------------------- the answers


def outcomes(history: History, questions: Sequence[Question], legend: Legend) -> pa.Table:
    """One row a run and one column a question: yes/no, or a number; a first passage also has `_turn` and `_date`.

    `first`, `max` and `min` look at the start too, `mean` at the ends of the turns. Every act counts, done or failed.
    """
    answers: dict[str, Any] = {"run": columns.numbers(history.runs, pa.int64())}
    for question in questions:
        if question.dated:
            turn = _passage(history, question)
            answers[question.name] = columns.flags(turn >= 0)
            answers[f"{question.name}_turn"] = columns.numbers(turn, pa.int32(), turn < 0)
            answers[f"{question.name}_date"] = columns.named(legend.dates, turn)
        else:
            answer = _answer(history, question)
            answers[question.name] = columns.flags(answer) if question.yes_or_no else columns.numbers(answer)
    return pa.table(answers)


def _within(values: NDArray[Any], question: Question) -> NDArray[np.bool_]:
    held = np.ones(values.shape, dtype=np.bool_)
    if question.at_least is not None:
        held &= values >= question.at_least
    if question.at_most is not None:
        held &= values <= question.at_most
    return held


def _passages(history: History, question: Question) -> NDArray[np.int64]:
    """(runs, members) first turn at which the bound holds, -1 for never."""
    held = _within(history.states[:, :, question.slots], question)
    return np.where(held.any(axis=1), held.argmax(axis=1), -1)


def _passage(history: History, question: Question) -> NDArray[np.int64]:
    """(runs,) the turn from which any, or all, of the members have passed; -1 for never."""
    turns = _passages(history, question)
    if question.over == "all":
        return np.where((turns >= 0).all(axis=1), turns.max(axis=1), -1)
    never = np.iinfo(np.int64).max
    first = np.where(turns < 0, never, turns).min(axis=1)
    return np.where(first == never, -1, first)


def _answer(history: History, question: Question) -> NDArray[Any]:
    """(runs,) yes/no or number."""
    if question.measure in ("count", "incidents"):
        number = _counted(history, question)
        return _within(number, question) if question.bounded else number
    if question.measure == "first":
        members: NDArray[Any] = _passages(history, question) >= 0
    else:
        members = _MEASURES[question.measure](history.states[:, :, question.slots])
        if not question.bounded:
            return _mean(members)
        members = _within(members, question)
    if question.over == "any":
        return np.asarray(members.any(axis=1))
    if question.over == "all":
        return np.asarray(members.all(axis=1))
    return members.sum(axis=1) if question.over == "number" else _mean(members)


def _mean(values: NDArray[Any]) -> NDArray[np.float64]:
    """Mean along axis 1, added up in order: NumPy's own order depends on how many runs stand side by side."""
    total = np.zeros(np.delete(values.shape, 1))
    for n in range(values.shape[1]):
        total += values[:, n]
    return total / values.shape[1]


# (runs, turns, members) -> (runs, members)
_MEASURES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "end": lambda values: values[:, -1],
    "mean": lambda values: _mean(values[:, 1:]),
    "max": lambda values: values.max(axis=1),
    "min": lambda values: values.min(axis=1),
    "change": lambda values: values[:, -1] - values[:, 0],
}


def _counted(history: History, question: Question) -> NDArray[np.int64]:
    first, last = question.turns
    if question.measure == "incidents":
        within = history.incidents[:, max(first - 1, 0) : last, list(question.incidents)]
        return within.sum(axis=(1, 2))
    done = history.acts
    chosen = np.isin(done.option, question.options) & (done.turn >= first) & (done.turn <= last)
    return np.bincount(positions(history, done.run[chosen]), minlength=history.runs.size)


# ---------------------------------------------------------------------------------- sums over any number of runs


class Totals:
    """How often each option was taken, over batches."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.runs = 0
        self.acts = np.zeros(len(compiled.options), dtype=np.int64)
        self.ever = np.zeros(len(compiled.options), dtype=np.int64)

    def add(self, history: History) -> None:
        size = len(self.compiled.options)
        self.runs += history.runs.size
        self.acts += np.bincount(history.acts.option, minlength=size)
        pairs = np.unique(history.acts.run * size + history.acts.option) if size else np.empty(0, dtype=np.int64)
        self.ever += np.bincount(pairs % size, minlength=size) if size else 0

    def table(self) -> pa.Table:
        """actor, action, target, cameo, plover, acts, a_run (mean a run), runs (in how many it happened), of (runs);
        options that nobody took are left out; the commonest of each actor first."""
        codes = dict(zip(self.compiled.actions, self.compiled.codes, strict=True))
        taken = [o for o in range(len(self.acts)) if self.acts[o]]
        taken.sort(key=lambda o: (self.compiled.options[o][0], -self.acts[o], o))
        rows = [self.compiled.options[o] for o in taken]
        ints = pa.int64()
        return pa.table(
            {
                "actor": columns.texts([actor for actor, _, _ in rows]),
                "action": columns.texts([action for _, action, _ in rows]),
                "target": columns.texts([target for _, _, target in rows]),
                "cameo": columns.texts([codes[action][0] for _, action, _ in rows]),
                "plover": columns.texts([codes[action][1] for _, action, _ in rows]),
                "acts": columns.numbers(self.acts[taken], ints),
                "a_run": columns.numbers(self.acts[taken] / max(self.runs, 1)),
                "runs": columns.numbers(self.ever[taken], ints),
                "of": columns.numbers(np.full(len(taken), self.runs), ints),
            }
        )


class Bands:
    """Quantiles and means of every indicator and turn, over any number of runs in the same memory.

    Each value is counted on a grid over its range: exact on ladders and at both ends of a range, elsewhere within half
    a step (`steps` of them; fewer where there are many turns and indicators). The q-quantile is the smallest grid
    value that at least a share q of the runs do not exceed. Means are exact, summed in the order of the runs.
    """

    def __init__(self, compiled: Compiled, turns: int) -> None:
        self.paths = compiled.paths
        self.low = compiled.tables.low
        self.width = compiled.tables.high - self.low
        affordable = GRID_BYTES // (4 * (turns + 1) * max(len(self.paths), 1))
        self.steps = np.full(len(self.paths), int(np.clip(affordable, COARSEST, FINEST)), dtype=np.int64)
        for s, rungs in compiled.ladders.items():
            self.steps[s] = len(rungs) - 1
        first = np.concatenate([[0], np.cumsum(self.steps + 1)])
        self.first = first[:-1] + first[-1] * np.arange(turns + 1)[:, None]  # (T + 1, S) cell of the lowest value
        self.counts = np.zeros(first[-1] * (turns + 1), dtype=np.uint32)
        self.total = np.zeros((turns + 1, len(self.paths)))
        self.runs = 0

    def add(self, history: History) -> None:
        scale = self.steps / self.width
        for x in history.states:
            cells = np.rint((x - self.low) * scale).astype(np.int64) + self.first
            self.counts[cells] += 1  # each cell at most once a run: every turn and indicator has its own
            self.total += x
            self.runs += 1

    def table(self, legend: Legend) -> pa.Table:
        """turn, date, path, q05 .. q95, mean."""
        turns, size = self.total.shape
        wanted = np.ceil(np.array(QUANTILES) * self.runs).clip(min=1)
        values = np.empty((turns, size, len(QUANTILES)))
        for t in range(turns):
            for s in range(size):
                at = self.first[t, s]
                below = np.cumsum(self.counts[at : at + self.steps[s] + 1], dtype=np.int64)
                values[t, s] = self.low[s] + np.searchsorted(below, wanted) * (self.width[s] / self.steps[s])
        turn = np.repeat(np.arange(turns), size)
        return pa.table(
            {
                "turn": columns.numbers(turn, pa.int32()),
                "date": columns.named(legend.dates, turn),
                "path": columns.named(self.paths, np.tile(np.arange(size), turns)),
            }
            | {name: columns.numbers(values[..., n].reshape(-1)) for n, name in enumerate(QUANTILE_NAMES)}
            | {"mean": columns.numbers((self.total / max(self.runs, 1)).reshape(-1))}
        )

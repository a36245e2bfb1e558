"""Two scenarios, or one and what changes it, side by side on common random numbers: what differs, how sure that is,
and where the paths part.

Every draw is a function of seed, run, turn and names, so run n of A and run n of B are a pair: until something differs
they are the same run. `compare` runs the pairs and writes a folder; `open_comparison` reads one. A *parting* is the
first turn of a pair in which somebody chooses otherwise.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim import analysis, columns, parameters, records, store
from sim import runs as running
from sim.arrays import (
    ANSWER,
    ATTEND,
    FROZEN,
    JOIN,
    MOVED,
    OUTPUT,
    OWED,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    TREND,
    VETO,
    Acts,
    Compiled,
    History,
    State,
    Talks,
)
from sim.errors import BadInput
from sim.naming import Words, capital, listed, share
from sim.scenario import Scenario, as_data, turn_of

if TYPE_CHECKING:
    import pyarrow as pa

    from sim.comparison_figures import ComparisonData

MOST_PAIRS = 100_000
CARDS = 3  # actors whose cards are told where several part at once
WEIGHED = 5  # options on a card
CHAIN = 12  # turns told of what follows
TOLD = 3  # things told of one kind, in a sentence
DUST = 5e-5  # of utility or chance: what is less is not told
WORDS = ("title", "description", "claim", "assumption", "zero", "one")  # of a scenario: what moves no number
CAUSES = ("start", "dated event", "incident", "decision", "numbers")
Progress = Callable[[int, int], None]
Act = tuple[str, str, str | None]  # actor, action, target
Option = tuple[str, str | None]  # action, target


# ------------------------------------------------------------------------------------------------- what is compared


@dataclass(frozen=True)
class Shared:
    """The names that both sides have, and where each side has them.

    paths: of indicators that are the same kind of thing on both sides; slots_a, slots_b their places. options: of
    either side, by name; options_a, options_b: place in `options` of each side's own. incidents likewise are those of
    both. outcomes: asked alike on both. only_a, only_b: what one side alone has, by kind.
    """

    paths: list[str]
    slots_a: NDArray[np.int64]
    slots_b: NDArray[np.int64]
    options: list[Act]
    options_a: NDArray[np.int64]
    options_b: NDArray[np.int64]
    incidents_a: NDArray[np.int64]
    incidents_b: NDArray[np.int64]
    outcomes: list[str]
    only_a: dict[str, list[str]]
    only_b: dict[str, list[str]]

    @classmethod
    def of(cls, a: running.Prepared, b: running.Prepared) -> Shared:
        """What two prepared scenarios share."""
        one, other = a.compiled, b.compiled
        options = sorted({*one.options, *other.options}, key=lambda name: (name[0], name[1], name[2] or ""))
        place = {name: n for n, name in enumerate(options)}
        paths = [path for path in one.paths if path in set(other.paths) and _rungs(one, path) == _rungs(other, path)]
        incidents = [name for name in one.incidents if name in set(other.incidents)]
        asked, again = (
            {q.name: (as_data(ready.scenario.outcomes[q.name]) | {"title": ""}, q.yes_or_no) for q in ready.questions}
            for ready in (a, b)
        )
        kinds = {
            "actors": (one.actors, other.actors),
            "actions": (one.actions, other.actions),
            "indicators": ([*one.paths], [*other.paths]),
            "incidents": ([name for name, _ in one.incidents], [name for name, _ in other.incidents]),
            "outcomes": ([*asked], [*again]),
        }
        return cls(
            paths=paths,
            slots_a=_places(one.paths, paths),
            slots_b=_places(other.paths, paths),
            options=options,
            options_a=np.array([place[name] for name in one.options], dtype=np.int64),
            options_b=np.array([place[name] for name in other.options], dtype=np.int64),
            incidents_a=_places(one.incidents, incidents),
            incidents_b=_places(other.incidents, incidents),
            outcomes=[name for name in asked if name in again and asked[name] == again[name]],
            only_a={kind: _without(left, right) for kind, (left, right) in kinds.items() if _without(left, right)},
            only_b={kind: _without(right, left) for kind, (left, right) in kinds.items() if _without(right, left)},
        )


def _rungs(compiled: Compiled, path: str) -> tuple[str, ...]:
    return compiled.ladders.get(compiled.paths.index(path), ())


def _places(names: Sequence[Any], wanted: Sequence[Any]) -> NDArray[np.int64]:
    place = {name: n for n, name in enumerate(names)}
    return np.array([place[name] for name in wanted], dtype=np.int64)


def _without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    held = set(others)
    return list(dict.fromkeys(name for name in names if name not in held))


@dataclass(frozen=True)
class Change:
    """A place of the scenario where B says something else than A; None where a side says nothing there."""

    path: str
    a: Any
    b: Any


def changes(a: Scenario, b: Scenario) -> list[Change]:
    """Every place where two scenarios differ, titles and sources aside."""
    return list(_changes("", as_data(a), as_data(b)))


def _changes(path: str, a: Any, b: Any) -> Iterator[Change]:
    a, b = _number(a), _number(b)
    if path == "set":  # each of them is a change of its own
        a, b = a or {}, b or {}
    if isinstance(a, dict) != isinstance(b, dict):  # one number for all, against one for each
        alone, several = (b, a) if isinstance(a, dict) else (a, b)
        if alone is not None and "default" in several:
            a, b = ({"default": a} if a is alone else a), ({"default": b} if b is alone else b)
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys((*a, *b)):
            if key not in WORDS or isinstance(a.get(key, b.get(key)), dict):
                below = path if key == "default" else f"{path}.{key}" if path else key
                yield from _changes(below, a.get(key), b.get(key))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for n, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from _changes(f"{path}[{n}]", one, other)
    elif a != b:
        yield Change(path, a, b)


def _number(value: Any) -> Any:
    """A number of a scenario without its range and its source."""
    return value["value"] if isinstance(value, dict) and "value" in value else value


# --------------------------------------------------------------------------------------------- from one recorded past


def _said(compiled: Compiled) -> dict[int, list[Any]]:
    """Names of the rows that each kind of talk is about (`arrays.Talks`)."""
    promised = compiled.tables.promise_option
    promises = [
        (*compiled.deals[d], giver, receiver, *compiled.options[o])
        for (d, giver, receiver, _), o in zip(compiled.promises, promised, strict=True)
    ]
    return {
        **dict.fromkeys((ANSWER, REPLY), compiled.deals),
        **dict.fromkeys((JOIN, OWED, SETTLED), promises),
        SESSION: compiled.fora, ATTEND: compiled.seats, MOVED: compiled.places, OUTPUT: compiled.outputs,
        VETO: compiled.vetoes, TESTED: compiled.beliefs,
    }  # fmt: skip


def handed_over(state: State, by: Compiled, to: Compiled, turn: int) -> State:
    """The runs of a state that stands before `turn`, to be gone on with by other tables.

    Indicators, beliefs, signals not yet taken in, steps under way, offers on the table, what is owed and when sessions
    were held stay as they are, as does what actors have learnt or are seen to do; capabilities and what hangs on them
    are those of the new tables. Both must have the same indicators, beliefs and incidents, and `to` every option,
    promise and forum of `by`, whose tables the state stands in.
    """
    from sim import kernel

    rings, delays = state.under_way.shape[0], to.space["delay"] + 1
    new = kernel.new_state(replace(to, space=to.space | {"delay": max(rings, delays) - 1}), state.run)
    for name in ("x", "alpha", "beta", "kept", "broken", "hazard_start", "happened"):
        getattr(new, name)[:] = getattr(state, name)
    new.met[:] = kernel.NEVER
    held, wanted = _said(by), _said(to)
    for names, kind in ((("table",), ANSWER), (("due", "broken_on"), SETTLED), (("met",), SESSION)):
        rows = _places(wanted[kind], held[kind])
        for name in names:
            getattr(new, name)[rows] = getattr(state, name)
    options = _places(to.options, by.options)
    if state.recent.size and new.recent.size:
        new.recent[:, options] = state.recent[:, : options.size]
    if state.propensity.size and new.propensity.size:
        whole, before = to.tables.option_actor.size, by.tables.option_actor.size
        new.propensity[options] = state.propensity[: options.size]
        new.propensity[whole:] = state.propensity[before:]
    if rings > 1:
        for later in range(rings):
            new.under_way[(turn + later) % new.under_way.shape[0]] = state.under_way[(turn + later) % rings]
    new.source[to.tables.low.size :] = to.tables.capability[:, None]
    new.foreseen_for[:] = np.nan  # nothing is foreseen yet
    return new


class Course:
    """Some runs side by side, turn by turn: by one scenario's tables, and from turn `fork` on by another's."""

    def __init__(self, first: Compiled, then: Compiled, fork: int, seed: int, numbers: Sequence[int]) -> None:
        from sim import kernel

        self.compiled, self.then, self.fork = first, then, fork
        self.key, self.turn = np.uint64(seed), 0
        self.state = kernel.new_state(first, numbers)
        if (then.tables.policy == TREND).any() and not self.state.recent.size:  # from the fork on, this will be asked
            ring = np.zeros((first.tables.past.shape[0], first.tables.option_actor.size, len(numbers)))
            self.state = self.state.replaced(recent=ring)
        kernel.begin(first.tables, self.state)

    def open(self) -> None:
        """The next turn up to where the actors choose."""
        from sim import kernel

        self.turn += 1
        if self.turn == self.fork:
            self.state, self.compiled = handed_over(self.state, self.compiled, self.then, self.turn), self.then
        kernel.open_turn(self.compiled.tables, self.state, self.key, self.turn)

    def close(self) -> None:
        """What the actors choose, and what comes of it."""
        from sim import kernel

        tables = self.compiled.tables
        for i in range(tables.rationality.size):
            if tables.policy[i] != FROZEN:
                kernel.appraise(tables, self.state, i)
                kernel.choose(tables, self.state, i, self.key, self.turn, True)
        kernel.close_turn(tables, self.state, self.key, self.turn)


def forked(first: Compiled, then: Compiled, fork: int, seed: int, numbers: Sequence[int], turns: int) -> History:
    """Runs whose turns before `fork` are those of `first`, the rest by `then`; all is named as in `then`."""
    named = _places(then.options, first.options)
    rows = {kind: _places(names, _said(first)[kind]).astype(np.int32) for kind, names in _said(then).items()}
    course = Course(first, then, fork, seed, numbers)
    state, size = course.state, len(numbers)
    states = np.empty((size, turns + 1, state.x.shape[0]))
    alpha, beta = (np.empty((size, turns + 1, state.alpha.shape[0])) for _ in range(2))
    incidents = np.empty((size, turns, state.happened.shape[0]), dtype=np.bool_)
    states[:, 0], alpha[:, 0], beta[:, 0] = state.x.T, state.alpha.T, state.beta.T
    parts: list[tuple[Any, ...]] = []
    talks: list[tuple[Any, ...]] = []
    for turn in range(1, turns + 1):
        course.open()
        incidents[:, turn - 1] = course.state.happened.T
        course.close()
        state = course.state
        states[:, turn], alpha[:, turn], beta[:, turn] = state.x.T, state.alpha.T, state.beta.T
        done = np.arange(state.act.shape[1]) < state.taken[:, None]
        option = state.act[done]
        parts.append(
            (
                np.nonzero(done)[0], np.full(option.size, turn, dtype=np.int32),
                named[option].astype(np.int32) if turn < fork else option, state.act_odds[done],
                state.act_done[done], state.act_utility[done], state.act_probability[done],
            )
        )  # fmt: skip
        told = np.arange(state.talk.shape[1]) < state.told[:, None]
        kind, about, result = state.talk[told].T
        if turn < fork:
            about = np.array([rows[k][n] for k, n in zip(kind, about, strict=True)], dtype=np.int32)
        talks.append(
            (
                np.nonzero(told)[0], np.full(kind.size, turn, dtype=np.int32), kind, about, result,
                *state.talk_number[told].T,
            )
        )  # fmt: skip
    run = np.asarray(numbers, dtype=np.int64)
    return History(run, states, alpha, beta, incidents, Acts(*_in_order(run, parts)), Talks(*_in_order(run, talks)))


def _in_order(run: NDArray[np.int64], parts: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Columns of all turns in order of run and turn, the first of them the run's number."""
    row, *rest = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(row, kind="stable")
    return [run[row[order]], *(column[order] for column in rest)]


def _check_fork(a: running.Prepared, b: running.Prepared) -> None:
    """Raises BadInput where B cannot go on from A's past."""
    one, other = a.compiled, b.compiled
    kinds: list[tuple[str, Sequence[Any], Sequence[Any]]] = [
        ("actors", one.actors, other.actors),
        ("indicators", one.paths, other.paths),
        ("promises", [" ".join(name) for name in one.beliefs], [" ".join(name) for name in other.beliefs]),
        ("incidents", [_spoken(*name) for name in one.incidents], [_spoken(*name) for name in other.incidents]),
    ]
    for kind, left, right in kinds:
        for side, alone in (("A", _without(left, right)), ("B", _without(right, left))):
            if alone:
                more = f" and {len(alone) - TOLD} more" if len(alone) > TOLD else ""
                raise BadInput(f"--fork needs the same {kind} on both sides; only {side} has {_few(alone)}{more}")
    odd = [
        path
        for s, path in enumerate(one.paths)
        if (one.tables.low[s], one.tables.high[s]) != (other.tables.low[s], other.tables.high[s])
        or _rungs(one, path) != _rungs(other, path)
    ]
    if odd:
        raise BadInput(f"--fork needs the same indicators on both sides; {_few(odd)} has another range or ladder in B")
    pasts = [
        [_spoken(*names) for names in (*side.options, *_said(side)[JOIN], *side.seats, *side.places, *side.vetoes)]
        for side in (one, other)
    ]
    lost = _without(*pasts)
    if lost:
        raise BadInput(f"--fork: A's past may hold what B does not know: {_few(lost)}")


def _spoken(*names: str | None) -> str:
    return " ".join(name for name in names if name)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:TOLD])


# --------------------------------------------------------------------------------------------------- where paths part


@dataclass(frozen=True)
class Parted:
    """Where the pairs of a batch begin to differ; turn 0 is the start, -1 is never.

    differs: (pairs,) the first turn in which anything differs; cause: (pairs,) index into CAUSES of what it was first,
    in the order of a turn, -1 where nothing differs. parts: (pairs,) the first turn in which somebody chooses
    otherwise. acts: (pairs,) acts done on one side only, over the whole run. row, option, of_b: the choices that differ
    in the turn of parting, by pair, option and side. seen: (paths,) in how many pairs an indicator is among the first
    to differ.
    """

    differs: NDArray[np.int64]
    cause: NDArray[np.int64]
    parts: NDArray[np.int64]
    acts: NDArray[np.int64]
    row: NDArray[np.int64]
    option: NDArray[np.int64]
    of_b: NDArray[np.bool_]
    seen: NDArray[np.int64]


def parted(a: History, b: History, shared: Shared, dated: frozenset[int] = frozenset()) -> Parted:
    """Where each pair of two histories of the same runs begins to differ. dated: turns whose dated events differ."""
    size, turns = a.runs.size, a.states.shape[1] - 1
    moved = a.states[:, :, shared.slots_a] != b.states[:, :, shared.slots_b]
    state = _first(moved.any(axis=2))
    incident = _first(np.any(a.incidents[:, :, shared.incidents_a] != b.incidents[:, :, shared.incidents_b], axis=2), 1)
    row, turn, option, net = _differing(a, b, shared, chosen=True)
    never = turns + 1
    chosen = np.full(size, never)
    np.minimum.at(chosen, row, turn)
    everything = _differing(a, b, shared, chosen=False)
    done = np.full(size, never)
    np.minimum.at(done, everything[0], everything[1])
    firsts = np.stack([np.where(first < 0, never, first) for first in (state, incident, chosen, done)])
    differs = firsts.min(axis=0)
    event = np.isin(differs, list(dated))
    cause = np.select(
        [differs > turns, differs == 0, event, firsts[1] == differs, chosen == differs], [-1, 0, 1, 2, 3], 4
    )
    at = turn == chosen[row]
    pairs = np.flatnonzero(state >= 0)
    return Parted(
        differs=np.where(differs > turns, -1, differs),
        cause=cause,
        parts=np.where(chosen > turns, -1, chosen),
        acts=np.bincount(everything[0], np.abs(everything[3]), minlength=size).astype(np.int64),
        row=row[at],
        option=option[at],
        of_b=net[at] > 0,
        seen=moved[pairs, state[pairs]].sum(axis=0),
    )


def _first(held: NDArray[np.bool_], turn: int = 0) -> NDArray[np.int64]:
    """(pairs,) the first of the turns, numbered from `turn`, at which it holds; -1 for never."""
    if not held.shape[1]:
        return np.full(held.shape[0], -1)
    return np.where(held.any(axis=1), held.argmax(axis=1) + turn, -1)


def _differing(a: History, b: History, shared: Shared, chosen: bool) -> tuple[NDArray[Any], ...]:
    """Acts of one side only: pair, turn, option, and how many more times B did it. chosen: acts of dated events, which
    nobody chooses, left out."""
    span, size = a.states.shape[1], len(shared.options)
    keys = []
    for history, place in ((a, shared.options_a), (b, shared.options_b)):
        held = ~np.isnan(history.acts.utility) if chosen else np.ones(history.acts.run.size, dtype=np.bool_)
        row = np.searchsorted(history.runs, history.acts.run[held])
        keys.append((row * span + history.acts.turn[held]) * size + place[history.acts.option[held]])
    found, which = np.unique(np.concatenate(keys), return_inverse=True)
    sign = np.repeat([-1.0, 1.0], [len(keys[0]), len(keys[1])])
    net = np.bincount(which, sign, minlength=len(found)).astype(np.int64)
    found, net = found[net != 0], net[net != 0]
    rest, option = np.divmod(found, max(size, 1))
    row, turn = np.divmod(rest, span)
    return row, turn, option, net


def _counts(history: History, place: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """(runs, options) how often each was done."""
    row = np.searchsorted(history.runs, history.acts.run)
    cells = np.bincount(row * size + place[history.acts.option], minlength=history.runs.size * size)
    return cells.reshape(history.runs.size, size)


def _dated(a: Compiled, b: Compiled, fork: int) -> frozenset[int]:
    """Turns whose dated events are not the same on both sides."""

    def events(compiled: Compiled) -> dict[int, list[Any]]:
        tables = compiled.tables
        found: dict[int, list[Any]] = {}
        rows = zip(tables.dated_turn, tables.dated_slot, tables.dated_adds, tables.dated_value, strict=True)
        for turn, s, adds, value in rows:
            found.setdefault(int(turn), []).append((compiled.paths[s], bool(adds), float(value)))
        for turn, o in zip(tables.forced_turn, tables.forced_option, strict=True):
            found.setdefault(int(turn), []).append(compiled.options[o])
        return found

    one, other = events(a), events(b)
    return frozenset(turn for turn in {*one, *other} if turn >= fork and one.get(turn) != other.get(turn))


# ----------------------------------------------------------------------------------------------------- the comparison


@dataclass
class Comparison:
    """A comparison's folder: its manifest, and its tables, each read when first asked for.

    differences: a row for each outcome, ladder, indicator and act (see `docs/compare.md`). pairs: a row a run: outcomes
    and ladders at the end on both sides, where the pair first differs and where it parts. partings: the choices that
    differ in the turn of parting. bands: quantiles of every indicator and turn on both sides.
    """

    folder: Path
    manifest: dict[str, Any]

    @cached_property
    def differences(self) -> pa.Table:
        return self.table("differences")

    @cached_property
    def pairs(self) -> pa.Table:
        return self.table("pairs")

    @cached_property
    def partings(self) -> pa.Table:
        return self.table("partings")

    @cached_property
    def bands(self) -> pa.Table:
        return self.table("bands")

    def table(self, name: str) -> pa.Table:
        """A table by name, verified against the manifest."""
        return store.listed_table(self.folder, self.manifest, name)

    @property
    def runs(self) -> int:
        return int(self.manifest["runs"])

    @property
    def story(self) -> dict[str, Any] | None:
        """The median pair: its run, the decision where it parts on both sides, and what follows; None where no pair
        parts."""
        return self.manifest["story"]

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Rows of the differences, of these kinds: yes/no, number, rung, indicator, act."""
        return [row for row in self.differences.to_pylist() if row["kind"] in kinds]

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        keys = ("a", "b", "runs", "seed", "turns", "fork", "changes", "only_a", "only_b", "notes", "seconds")
        return {key: self.manifest[key] for key in keys} | {
            "folder": str(self.folder),
            "differences": self.differences.to_pylist(),
            "parting": self.manifest["parting"],
            "story": self.story,
        }


def open_comparison(folder: str | Path) -> Comparison:
    """The comparison of a folder. Raises FolderProblem where there is none, or one that is unfinished or damaged."""
    return Comparison(Path(folder), store.read_manifest(folder, "comparison"))


def compare(
    a: str | Path,
    b: str | Path | None = None,
    runs: int = 200,
    seed: int = 1,
    sets: Sequence[str] = (),
    fork: str | int | None = None,
    turns: int | None = None,
    policy: str | None = None,
    out: str | Path | None = None,
    figures: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
    parameter_file: str | Path | None = None,
) -> Comparison:
    """Compare two scenarios pair by pair on common random numbers, and write a folder; returns it as a `Comparison`.

    a, b: files, or names of shipped scenarios; b is a where left out. sets, policy: what B has instead of what its file
    says. fork: a date or a turn from which on B's numbers hold, after A's own past. turns: of both. out: the folder,
    new or empty; `runs/<a>-vs-<b>-<n>` if left out. parameter_file: sets of parameters, of which both runs of a
    pair have the same one, but for what `sets` says of B. Raises BadInput (also where B equals A), FolderProblem or
    StorageProblem; on any error nothing is left behind.
    """
    return _Pairing(a, b, runs, seed, sets, fork, turns, policy, threads, parameter_file).written(
        out, figures, progress
    )


class _Pairing:
    """One comparison: both sides made ready, then the sums over the pairs as they come."""

    def __init__(
        self, a: str | Path, b: str | Path | None, pairs: int, seed: int, sets: Sequence[str], fork: str | int | None,
        turns: int | None, policy: str | None, threads: int | None, parameter_file: str | Path | None,
    ) -> None:  # fmt: skip
        running.check_options(pairs, seed, policy, threads, least=2, most=MOST_PAIRS)
        if b is None and not sets and policy is None:
            raise BadInput("nothing to compare: name a second scenario, or say with --set or --policy what B changes")
        self.began, self.started = time.monotonic(), datetime.datetime.now(datetime.UTC)
        self.count, self.seed, self.sets, self.policy = pairs, seed, list(sets), policy
        self.threads = threads or running.cores()
        self.sources = (a, a if b is None else b)
        self.parameter_file = parameter_file
        self.notes: list[str] = []
        self.a, self.b = self._ready(turns)
        self.turns = self.a.turns
        self.fork = _fork(self.a, fork)
        if self.fork:
            _check_fork(self.a, self.b)
        self.changes = changes(self.a.scenario, self.b.scenario)
        self._refuse_equals()
        self.shared = Shared.of(self.a, self.b)
        asked = [name for name in self.a.scenario.outcomes if name in self.b.scenario.outcomes]
        self.notes += [f"left out: {n} is asked otherwise in B" for n in asked if n not in self.shared.outcomes]
        if self.fork and self.turns < self.fork:
            raise BadInput(f"--fork {fork}: after the last turn")
        self.words = (Words(self.a.scenario), Words(self.b.scenario))
        self.ladders = [
            (n, path) for n, path in enumerate(self.shared.paths) if _rungs(self.a.compiled, path)
        ]  # their places among the shared

    # -- both sides

    def _ready(self, turns: int | None) -> tuple[running.Prepared, running.Prepared]:
        drawn = self.parameter_file
        a = running.prepare(self.sources[0], (), turns, drawn)
        b = running.prepare(self.sources[1], self.sets, turns, drawn)
        self.notes += list(dict.fromkeys(note for ready in (a, b) for note in ready.drawn.notes))
        for word in ("start", "turn"):
            one, other = getattr(a.scenario, word), getattr(b.scenario, word)
            if one != other:
                raise BadInput(
                    f"A and B are not on the same calendar: {word} is {one} in A and {other} in B; "
                    "only the same months can be compared"
                )
        if a.turns != b.turns:
            shorter = min(a.turns, b.turns)
            self.notes.append(f"A has {a.turns} turns and B {b.turns}: the first {shorter} are compared")
            a, b = (
                running.with_parameters(running.prepared(ready.scenario, ready.text, shorter), ready.drawn)
                for ready in (a, b)
            )
        return a, replace(b, compiled=b.compiled.with_policy(self.policy))

    def _refuse_equals(self) -> None:
        """Raises BadInput where B is A."""
        one, other = self.a.compiled, self.b.compiled
        names = ("paths", "actors", "actions", "options", "interests", "beliefs", "incidents", "ladders")
        if any(getattr(one, name) != getattr(other, name) for name in names):
            return
        after = {} if not self.fork else {"start": np.zeros_like(one.tables.start)}
        tables = [
            compiled.tables.replaced(**after, **(_later(compiled, self.fork) if self.fork else {}))
            for compiled in (one, other)
        ]
        columns = [name for name in type(one.tables).__annotations__ if name != "address"]
        if any(not np.array_equal(getattr(tables[0], name), getattr(tables[1], name)) for name in columns):
            return
        if self.a.drawn.paths != self.b.drawn.paths:  # what B sets by hand, A's runs draw
            return
        if self.fork and self.changes:
            raise BadInput(
                f"B equals A from {self.a.legend.dates[self.fork]} on: starting values and earlier dated events do not "
                "apply after a fork, and every other number is the same"
            )
        raise BadInput("B equals A: every number is the same; say with --set what is to differ")

    def _histories(self) -> Iterator[tuple[History, History]]:
        """Histories of both sides, some runs at a time, in order."""

        def of(ready: running.Prepared) -> Iterator[History]:
            return ready.histories(self.seed, range(self.count), threads=self.threads)

        return zip(of(self.a), self._forks() if self.fork else of(self.b), strict=True)

    def tables(self, run: int) -> tuple[Compiled, Compiled]:
        """The tables of both sides in one pair."""
        a, b = (ready.drawn.patched(ready.compiled, self.seed, run) for ready in (self.a, self.b))
        return a, b

    def _forks(self) -> Iterator[History]:
        from sim.kernel import LANES, joined

        def part(first: int) -> History:
            numbers = range(first, min(first + LANES, self.count))
            if self.a.drawn or self.b.drawn:  # each pair has tables of its own
                alone = [forked(*self.tables(run), self.fork, self.seed, [run], self.turns) for run in numbers]
                return joined(alone)
            return forked(self.a.compiled, self.b.compiled, self.fork, self.seed, numbers, self.turns)

        starts = range(0, self.count, LANES)
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: list[Any] = []
            for first in starts:
                waiting.append(pool.submit(part, first))
                if len(waiting) > 2 * self.threads:
                    yield waiting.pop(0).result()
            for future in waiting:
                yield future.result()

    # -- sums over the pairs

    def _added_up(self, progress: Progress | None) -> None:
        """Go through all pairs once."""
        shared = self.shared
        self.indicators = analysis.Paired(len(shared.paths))
        self.acts = analysis.Paired(len(shared.options))
        self.spread = tuple(records.Bands(ready.compiled, self.turns) for ready in (self.a, self.b))
        answers: list[tuple[pa.Table, pa.Table]] = []
        ends: list[tuple[NDArray[Any], NDArray[Any]]] = []
        found: list[Parted] = []
        rungs = [n for n, _ in self.ladders]
        for a, b in self._histories():
            answers.append(
                (
                    records.outcomes(a, self.a.questions, self.a.legend),
                    records.outcomes(b, self.b.questions, self.b.legend),
                )
            )
            last = a.states[:, -1, shared.slots_a], b.states[:, -1, shared.slots_b]
            self.indicators.add(*last)
            ends.append((last[0][:, rungs], last[1][:, rungs]))
            size = len(shared.options)
            self.acts.add(_counts(a, shared.options_a, size), _counts(b, shared.options_b, size))
            for bands, history in zip(self.spread, (a, b), strict=True):
                bands.add(history)
            found.append(parted(a, b, shared, self.dated))
            if progress is not None:
                progress(int(a.runs[-1]) + 1, self.count)
        import pyarrow as pa

        self.answers = tuple(pa.concat_tables([pair[n] for pair in answers]).combine_chunks() for n in (0, 1))
        self.ends = tuple(np.concatenate([pair[n] for pair in ends]) for n in (0, 1))
        at = np.cumsum([0, *(part.differs.size for part in found)])[:-1]
        self.parted = Parted(
            **{
                name: np.concatenate([getattr(part, name) for part in found])
                for name in ("differs", "cause", "parts", "acts", "option", "of_b")
            },
            row=np.concatenate([part.row + first for part, first in zip(found, at, strict=True)]),
            seen=np.sum([part.seen for part in found], axis=0),
        )

    @cached_property
    def dated(self) -> frozenset[int]:
        return _dated(self.a.compiled, self.b.compiled, self.fork)

    # -- tables

    def differences(self) -> pa.Table:
        """A row for each outcome, ladder, indicator and act of both sides."""
        rows = [self._outcome(name) for name in self.shared.outcomes]
        rows += self._rungs() + self._indicators() + self._acts()
        return columns.rows(rows, _differences())

    def _outcome(self, name: str) -> dict[str, Any]:
        """An outcome's row."""
        question = next(q for q in self.a.questions if q.name == name)
        one, other = (columns.values(table[name]) for table in self.answers)
        paired = analysis.Paired(1)
        paired.add(one[:, None], other[:, None])
        row = {"name": name, "title": self.a.scenario.outcomes[name].title or name} | _paired_row(paired, 0)
        if question.yes_or_no:
            row["kind"] = "yes/no"
            _, row["low"], row["high"] = analysis.paired_shares(
                int((one & ~other).sum()), int((other & ~one).sum()), len(one)
            )
        else:
            row["kind"] = "number"
            row |= _spread_row(one, other)
        return row

    def _rungs(self) -> list[dict[str, Any]]:
        """The rows of the ladders, as they stand at the end."""
        rows = []
        for n, (place, path) in enumerate(self.ladders):
            rungs = _rungs(self.a.compiled, path)
            spread = _spread_row(self.ends[0][:, n], self.ends[1][:, n])
            row = {"kind": "rung", "name": path, "title": self.words[0].indicator(path, "")}
            row |= {f"{side}_rung": rungs[round(spread[f"{side}_q50"])] for side in ("a", "b")}
            rows.append(row | spread | _paired_row(self.indicators, place))
        return rows

    def _indicators(self) -> list[dict[str, Any]]:
        """The rows of the other indicators, as they stand at the end."""
        rungs = {path for _, path in self.ladders}
        return [
            {"kind": "indicator", "name": path, "title": self.words[0].indicator(path, ""), "scale": float(scale)}
            | _paired_row(self.indicators, n)
            for n, (path, scale) in enumerate(zip(self.shared.paths, self._ranges(), strict=True))
            if path not in rungs
        ]

    def _ranges(self) -> NDArray[np.float64]:
        tables, slots = self.a.compiled.tables, self.shared.slots_a
        return tables.high[slots] - tables.low[slots]

    def _acts(self) -> list[dict[str, Any]]:
        """The rows of the acts, in times a run; those that neither side does are left out."""
        done = np.flatnonzero((self.acts.first > 0) | (self.acts.second > 0))
        return [
            {"kind": "act", "name": "|".join(word or "" for word in self.shared.options[o])}
            | {"title": capital(self.act(self.shared.options[o]))}
            | _paired_row(self.acts, int(o))
            for o in done
        ]

    def act(self, act: Act) -> str:
        """An act as within a sentence."""
        actor, action, target = act
        for words in self.words:
            if _knows(words.scenario, actor, action, target):
                return f"{words.actor(actor)} {words.option((action, target))}"
        return _spoken(*act)

    def pairs(self) -> pa.Table:
        """A row a run: outcomes and rungs at the end of both sides; where the pair first differs, and parts."""
        import pyarrow as pa

        parted, dates = self.parted, self.a.legend.dates
        table: dict[str, Any] = {"run": columns.numbers(np.arange(self.count), pa.int64())}
        for name in self.shared.outcomes:
            for side, answers in zip("ab", self.answers, strict=True):
                table[f"{side}.{name}"] = answers[name].combine_chunks()
                if f"{name}_turn" in answers.column_names:
                    table[f"{side}.{name}_turn"] = answers[f"{name}_turn"].combine_chunks()
        for n, (_, path) in enumerate(self.ladders):
            for side, ends in zip("ab", self.ends, strict=True):
                table[f"{side}.{path}"] = columns.numbers(ends[:, n], pa.int32())
        for word, turn in (("differs", parted.differs), ("parts", parted.parts)):
            table[f"{word}_turn"] = columns.numbers(turn, pa.int32(), turn < 0)
            table[f"{word}_date"] = columns.named(dates, turn)
        table["differs_by"] = columns.named(CAUSES, parted.cause)
        table["differing_acts"] = columns.numbers(parted.acts, pa.int64())
        return pa.table(table)

    def partings(self) -> pa.Table:
        """A row for each choice of one side only in the turn in which a pair parts: run, turn, date, side, actor,
        action, target."""
        import pyarrow as pa

        parted, options = self.parted, self.shared.options
        turn = parted.parts[parted.row]
        names = [columns.named([option[n] for option in options], parted.option) for n in range(3)]
        return pa.table(
            {
                "run": columns.numbers(parted.row, pa.int64()),
                "turn": columns.numbers(turn, pa.int32()),
                "date": columns.named(self.a.legend.dates, turn),
                "side": columns.named(["A", "B"], parted.of_b.astype(np.int64)),
            }
            | dict(zip(("actor", "action", "target"), names, strict=True))
        )

    def bands(self) -> pa.Table:
        """side, turn, date, path, q05 .. q95, mean."""
        import pyarrow as pa

        parts = []
        for side, bands, ready in zip("AB", self.spread, (self.a, self.b), strict=True):
            table = bands.table(ready.legend)
            parts.append(table.add_column(0, "side", columns.named([side], np.zeros(table.num_rows, dtype=np.int64))))
        return pa.concat_tables(parts)

    # -- where they part, all together

    def parting(self) -> dict[str, Any]:
        """When, who and what most often."""
        parted, dates = self.parted, self.a.legend.dates
        causes = {name: parted.cause == n for n, name in enumerate(CAUSES)}
        held = parted.parts >= 0
        turns = parted.parts[held]
        rows, actors = self._once()
        who = np.bincount(actors, minlength=len(self._actors))
        options = np.unique(np.stack([parted.row, parted.option, parted.of_b]), axis=1)[1:]
        what, times = np.unique(options, axis=1, return_counts=True)
        seen = np.argsort(-parted.seen, kind="stable")
        median = int(analysis.quantiles(turns, (0.5,))[0]) if turns.size else None
        return {
            "pairs": self.count,
            "part": int(held.sum()),
            "differ": int((parted.differs >= 0).sum()),
            "first": {
                name: {"pairs": int(of.sum()), "date": dates[int(analysis.quantiles(parted.differs[of], (0.5,))[0])]}
                for name, of in causes.items()
                if of.any()
            },
            "first_indicators": [
                {"path": self.shared.paths[n], "title": self._indicator(n), "pairs": int(parted.seen[n])}
                for n in seen[:5]
                if parted.seen[n]
            ],
            "median_turn": median,
            "median_date": None if median is None else dates[median],
            "when": [
                {"turn": turn, "date": dates[turn], "pairs": int((turns == turn).sum())}
                for turn in range(1, self.turns + 1)
            ],
            "who": [
                {"actor": self._actors[n], "title": self._actor(self._actors[n]), "pairs": int(who[n])}
                for n in np.argsort(-who, kind="stable")
                if who[n]
            ],
            "who_when": [
                {"turn": int(turn), "actor": self._actors[n], "pairs": int(count)}
                for (turn, n), count in _counted(parted.parts[rows], actors)
            ],
            "what": [
                {"side": "AB"[side], "title": capital(self.act(self.shared.options[o])), "pairs": int(count)}
                | dict(zip(("actor", "action", "target"), self.shared.options[o], strict=True))
                for (o, side), count in sorted(
                    zip(what.T.tolist(), times.tolist(), strict=True), key=lambda item: -item[1]
                )
            ],
        }

    def _once(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Each pair and actor that parts it, once."""
        actor = _places(self._actors, [option[0] for option in self.shared.options])
        found = np.unique(np.stack([self.parted.row, actor[self.parted.option]]), axis=1)
        return found[0], found[1]

    @cached_property
    def _actors(self) -> list[str]:
        return sorted({*self.a.compiled.actors, *self.b.compiled.actors})

    def _actor(self, name: str) -> str:
        words = self.words[0] if name in self.a.scenario.actors else self.words[1]
        return words.actor(name)

    def _indicator(self, n: int) -> str:
        return self.words[0].indicator(self.shared.paths[n], "")

    # -- the folder

    def written(self, out: str | Path | None, figures: bool, progress: Progress | None) -> Comparison:
        """Run all pairs and write the folder."""
        names = [Path(source).stem for source in self.sources]
        stem = f"{names[0]}-vs-{names[1] if names[1] != names[0] else 'variant'}"
        folder = store.Folder.create(out) if out is not None else store.Folder.numbered("runs", stem)
        with folder:
            self._added_up(progress)
            for side, ready in (("a", self.a), ("b", self.b)):
                folder.write_text(f"{side}.yaml", ready.text)
                if ready.drawn:
                    folder.write_text(f"{side}-{parameters.FILE}", ready.drawn.text)
            tables = {
                "differences": self.differences(),
                "pairs": self.pairs(),
                "partings": self.partings(),
                "bands": self.bands(),
            }
            for name, table in tables.items():
                folder.write_table(f"{name}.parquet", table)
            story = Story(self).told() if (self.parted.parts >= 0).any() else None
            manifest = folder.finish(self._manifest(names, story))
            done = Comparison(folder.path, manifest)
            done.__dict__.update(tables)
            if figures:
                self.draw(done)
        return done

    def _manifest(self, names: Sequence[str], story: dict[str, Any] | None) -> dict[str, Any]:
        from sim.jit import rules_hash

        label = f"{names[1]} with {', '.join([*self.sets, *([f'policy={self.policy}'] if self.policy else [])])}"
        changed = bool(self.sets or self.policy)
        return {
            "kind": "comparison",
            "a": {"scenario": names[0], "source": str(self.sources[0]), "title": self.a.scenario.title,
                  "label": names[0], "hash": store.text_hash(self.a.text)},
            "b": {"scenario": names[1], "source": str(self.sources[1]), "title": self.b.scenario.title,
                  "label": label if changed else names[1], "sets": self.sets, "policy": self.policy,
                  "hash": store.text_hash(self.b.text)},
            "runs": self.count,
            "seed": self.seed,
            "turns": self.turns,
            "fork": self.a.legend.dates[self.fork] if self.fork else None,
            "dates": list(self.a.legend.dates),
            "changes": [vars(change) for change in self.changes],
            "only_a": self.shared.only_a,
            "only_b": self.shared.only_b,
            "notes": self.notes,
            "parting": self.parting(),
            "story": story,
            "hashes": {"rules": rules_hash()},
            "versions": running.versions(),
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.began, 3),
        } | running.described(self.parameter_file, self.a.drawn)  # fmt: skip

    def draw(self, done: Comparison) -> list[Path]:
        """Draw the figures of a comparison into its folder."""
        from sim import comparison_figures

        place = done.folder / "figures"
        with store.storage(place):
            return comparison_figures.draw_comparison(self.drawn(done), place)

    def drawn(self, done: Comparison) -> ComparisonData:
        """What the figures are drawn from."""
        from sim.comparison_figures import ComparisonData

        manifest, slots = done.manifest, self.a.scenario.slots
        injects = {(turn, title) for ready in (self.a, self.b) for turn, _, title in ready.legend.injects}
        return ComparisonData(
            a=manifest["a"]["label"],
            b=manifest["b"]["label"],
            title=manifest["a"]["title"],
            fork=self.fork,
            runs=self.count,
            seed=self.seed,
            dates=list(self.a.legend.dates),
            injects=sorted((turn, title) for turn, title in injects if 1 <= turn <= self.turns),
            differences=done.differences,
            bands=done.bands,
            parting=manifest["parting"],
            ladders={path: list(_rungs(self.a.compiled, path)) for _, path in self.ladders},
            ranges={path: (slots[path].lo, slots[path].hi) for path in self.shared.paths},
        )


def _fork(ready: running.Prepared, fork: str | int | None) -> int:
    """The turn of a date or a number; 0 for none."""
    if fork is None:
        return 0
    text, labels = str(fork).strip(), list(ready.legend.dates)
    found = None
    if text in labels:
        found = labels.index(text)
    elif text.isascii() and text.isdigit() and len(text) < 4:
        found = int(text)
    else:
        try:
            found = turn_of(ready.scenario.model_copy(update={"turns": ready.turns}), text)
        except (ValueError, TypeError):  # not a date at all
            found = None
    if found is None or not 1 <= found <= ready.turns:
        raise BadInput(
            f"--fork {text}: not one of the turns, which are {labels[1]} (1) to {labels[ready.turns]} ({ready.turns})"
        )
    return found


def _later(compiled: Compiled, fork: int) -> dict[str, Any]:
    """The dated events from a turn on."""
    tables = compiled.tables
    dated, forced = tables.dated_turn >= fork, tables.forced_turn >= fork
    names = {"dated_turn": dated, "dated_slot": dated, "dated_adds": dated, "dated_value": dated}
    names |= {"forced_turn": forced, "forced_option": forced}
    return {name: getattr(tables, name)[held] for name, held in names.items()}


def _counted(*arrays: NDArray[np.int64]) -> list[tuple[tuple[int, ...], int]]:
    """Each combination that occurs, and how often."""
    found, times = np.unique(np.stack(arrays), axis=1, return_counts=True)
    return [(tuple(key), count) for key, count in zip(found.T.tolist(), times.tolist(), strict=True)]


def _paired_row(paired: analysis.Paired, n: int) -> dict[str, Any]:
    """What a row of the differences says of its n-th pair of numbers."""
    low, high = paired.interval()
    spread = paired.spreads
    return {
        "pairs": paired.pairs,
        "a": float(paired.first[n]),
        "b": float(paired.second[n]),
        "difference": float(paired.difference[n]),
        "low": float(low[n]),
        "high": float(high[n]),
        "changed": int(paired.changed[n]),
        "higher": int(paired.higher[n]),
        "lower": int(paired.lower[n]),
        "saving": float(paired.saving[n]),
        "a_sd": float(spread[0, n]),
        "b_sd": float(spread[1, n]),
    }


def _spread_row(one: NDArray[Any], other: NDArray[Any]) -> dict[str, float]:
    """Quantiles of both sides and of the pairs' differences."""
    row = {}
    for side, values in (("a", one), ("b", other), ("d", other.astype(np.float64) - one)):
        for name, value in zip(analysis.QUANTILE_NAMES, analysis.quantiles(values), strict=True):
            row[f"{side}_{name}"] = float(value)
    return row


def _differences() -> Any:
    """The columns of the differences."""
    import pyarrow as pa

    texts, counts = ("kind", "name", "title", "a_rung", "b_rung"), ("pairs", "changed", "higher", "lower")
    floats = ["a", "b", "difference", "low", "high", "saving", "a_sd", "b_sd", "scale"]
    floats += [f"{side}_{name}" for side in "abd" for name in analysis.QUANTILE_NAMES]
    order = [*texts[:3], "pairs", *floats[:5], *counts[1:], *floats[5:], *texts[3:]]
    kinds = {name: pa.string() for name in texts} | {name: pa.int64() for name in counts}
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in order])


def _knows(scenario: Scenario, actor: str | None, action: str, target: str | None) -> bool:
    return action in scenario.menu and all(name is None or name in scenario.actors for name in (actor, target))


# ------------------------------------------------------------------------------------------------------ the median pair


class Weighed:
    """What one actor made of its options at the start of a turn, on one side.

    first: (options + 1,) chance of each to be drawn first, of doing nothing last. utilities: (options,) expected; NaN
    where not open. attention: what it had to spend. values: of the indicators it has an interest in, by path.
    """

    def __init__(self, compiled: Compiled, state: State, actor: str, seed: int, turn: int) -> None:
        from sim.decision import Desk

        names = [name for name in type(state).__annotations__ if name != "address"]
        own = state.replaced(**{name: getattr(state, name).copy() for name in names})
        self.desk = desk = Desk(compiled, own, compiled.actors.index(actor), seed, turn)
        tables, i = desk.tables, desk.actor
        self.first = desk.firsts
        self.utilities = desk.utilities
        self.options: list[Option] = [name[1:] for name in compiled.options[desk.first : desk.first + desk.size]]
        self.attention = float(own.x[tables.attention[i], 0]) if tables.attention[i] >= 0 else 1.0
        wants = tables.interest_slot[tables.interest_start[i] : tables.interest_start[i + 1]]
        self.values = {compiled.paths[s]: float(own.x[s, 0]) for s in wants}

    def chance(self, option: Option) -> float:
        """Of an option to be drawn first; 0 where it was not open."""
        return float(self.first[self.options.index(option)]) if option in self.options else 0.0

    def utility(self, option: Option) -> float | None:
        """Expected of an option; None where it was not open."""
        value = self.utilities[self.options.index(option)] if option in self.options else np.nan
        return None if np.isnan(value) else float(value)

    def parts(self, option: Option) -> dict[tuple[str, str], float]:
        """What each interest, by owner and name, adds to an open option's expected utility, and the cost; the whole
        where the actor's policy weighs by no interest."""
        from sim.decision import Contested, Learnt, taken_apart

        value = self.utility(option)
        if value is None:
            return {}
        told = taken_apart(self.desk, self.options.index(option))
        if isinstance(told.theory, Learnt):
            return {("", "propensity"): value}
        if isinstance(told.theory, Contested):
            return {("", "contest"): told.theory.worth, ("", "cost"): -told.cost}
        found: dict[tuple[str, str], float] = {}
        for part in told.contributions:
            found[part.owner, part.interest] = found.get((part.owner, part.interest), 0.0) + part.utility
        return found | {("", "cost"): value - sum(found.values())}


class Story:
    """One pair told: where it parts, why, and what follows.

    The median pair: among those that part, the one whose differences, of the outcomes and of the rungs at the end, each
    in its standard deviations over those pairs, lie nearest to their medians (sum of the distances; the lowest run if
    several).
    """

    def __init__(self, pairing: _Pairing) -> None:
        self.of = pairing
        self.run = self._median()
        self.turn = int(pairing.parted.parts[self.run])
        self.words = pairing.words
        self.histories = self._histories()

    def _median(self) -> int:
        of = self.of
        parting = np.flatnonzero(of.parted.parts >= 0)
        profile = [
            columns.values(of.answers[1][name]).astype(np.float64) - columns.values(of.answers[0][name])
            for name in of.shared.outcomes
        ]
        moves = np.column_stack([*profile, of.ends[1] - of.ends[0]])[parting]
        spread = moves.std(axis=0)
        scaled = moves[:, spread > 0] / spread[spread > 0]
        return int(parting[np.abs(scaled - np.median(scaled, axis=0)).sum(axis=1).argmin()])

    def _histories(self) -> tuple[History, History]:
        from sim.kernel import ensemble

        of = self.of
        a, b = of.tables(self.run)
        one = ensemble(a, of.seed, [self.run], turns=of.turns)
        if of.fork:
            return one, forked(a, b, of.fork, of.seed, [self.run], of.turns)
        return one, ensemble(b, of.seed, [self.run], turns=of.turns)

    def _weighed(self, actor: str) -> list[Weighed | None]:
        """The actor's options on each side; None where it is not there."""
        of, found = self.of, []
        tables = of.tables(self.run)
        for side, compiled in enumerate(tables):
            first, fork = (tables[0], of.fork) if side and of.fork else (compiled, 0)
            course = Course(first, compiled, fork, of.seed, [self.run])
            for _ in range(self.turn - 1):
                course.open()
                course.close()
            course.open()
            here = actor in course.compiled.actors
            found.append(Weighed(course.compiled, course.state, actor, of.seed, self.turn) if here else None)
        return found

    def told(self) -> dict[str, Any]:
        """The story as plain data, with `text` in sentences: of each card, then of what comes `after`."""
        cards = sorted((self._card(actor) for actor in self._actors()), key=lambda card: -card["shift"])
        others = [card["title"] for card in cards[CARDS:]]
        cards, chain = cards[:CARDS], self._chain()
        for card in cards:
            card["text"] = self._parts_here(card)
        after = [f"In the same turn {listed(others)} part too."] if others else []
        after += [*self._follows(chain), self._ends()]
        return {
            "run": self.run,
            "turn": self.turn,
            "date": self.of.a.legend.dates[self.turn],
            "cards": cards,
            "others": others,
            "chain": chain,
            "end": self._end(),
            "after": after,
            "text": [line for card in cards for line in card["text"]] + after,
        }

    def _actors(self) -> list[str]:
        """Those who choose otherwise in the turn of parting."""
        parted, options = self.of.parted, self.of.shared.options
        return sorted({options[o][0] for o in parted.option[parted.row == self.run]})

    def _done(self, side: int, actor: str, turn: int) -> list[Option]:
        """What an actor did in a turn."""
        compiled = (self.of.a if side == 0 else self.of.b).compiled
        acts = self.histories[side].acts
        names = [compiled.options[o] for o in acts.option[acts.turn == turn]]
        return [(action, target) for who, action, target in names if who == actor]

    # -- the decision

    def _card(self, actor: str) -> dict[str, Any]:
        """One actor's choice in the turn of parting, on both sides.

        shift: by how much the chances of what it might do first differ (half the sum of the differences).
        """
        a, b = self._weighed(actor)
        done = [self._done(side, actor, self.turn) for side in (0, 1)]
        names = list(dict.fromkeys(name for side in (a, b) if side is not None for name in side.options))

        chances = {name: [side.chance(name) if side is not None else 0.0 for side in (a, b)] for name in names}
        hold = [float(side.first[-1]) if side is not None else 0.0 for side in (a, b)]
        shift = sum(abs(right - left) for left, right in (*chances.values(), hold))
        differing = [name for name in (*done[0], *done[1]) if (name in done[0]) != (name in done[1])]
        likeliest = sorted(names, key=lambda name: -max(chances[name]))
        moved = {name: abs(right - left) for name, (left, right) in chances.items()}
        most = [name for name in sorted(moved, key=lambda name: -moved[name]) if moved[name] >= DUST][:2]
        shown = list(dict.fromkeys((*differing, *most, *likeliest)))[: max(WEIGHED, len(differing) + len(most))]
        options = [
            {
                "action": name[0],
                "target": name[1],
                "title": self._phrase(name),
                "a": _sight(a, name) | {"done": name in done[0]},
                "b": _sight(b, name) | {"done": name in done[1]},
                "parts": self._parts(actor, a, b, name),
            }
            for name in shown
        ]
        return {
            "actor": actor,
            "title": capital(self.of._actor(actor)),
            "done": {"a": [self._phrase(name) for name in done[0]], "b": [self._phrase(name) for name in done[1]]},
            "shift": shift / 2,
            "there": {"a": a is not None, "b": b is not None},
            "hold": {"a": hold[0], "b": hold[1]},
            "attention": {"a": a.attention if a else None, "b": b.attention if b else None},
            "saw": self._saw(actor, a, b),
            "options": options,
        }

    def _parts(self, actor: str, a: Weighed | None, b: Weighed | None, name: Option) -> list[dict[str, Any]]:
        """The parts of an option's expected utility that differ, the greatest difference first."""
        one, other = (side.parts(name) if side is not None else {} for side in (a, b))
        if not one or not other:
            return []
        rows = []
        for owner, interest in dict.fromkeys((*one, *other)):
            left, right = one.get((owner, interest), 0.0), other.get((owner, interest), 0.0)
            if abs(right - left) >= DUST:
                whose = "" if owner in ("", actor) else f"{self.of._actor(owner)}: "
                rows.append({"owner": owner or None, "interest": interest, "a": left, "b": right,
                             "title": f"{whose}{interest.replace('_', ' ')}"})  # fmt: skip
        return sorted(rows, key=lambda row: -abs(row["b"] - row["a"]))

    def _saw(self, actor: str, a: Weighed | None, b: Weighed | None) -> list[dict[str, Any]]:
        """The indicators of the actor's interests that were not the same, the greatest difference first."""
        if a is None or b is None:
            return []
        wide = dict(zip(self.of.shared.paths, self.of._ranges(), strict=True))
        rows = [
            {"path": path, "title": self.words[0].indicator(path, actor), "a": value, "b": b.values[path]}
            for path, value in a.values.items()
            if path in wide and path in b.values and abs(b.values[path] - value) >= 0.001 * wide[path]
        ]
        return sorted(rows, key=lambda row: -abs(row["b"] - row["a"]) / wide[row["path"]])

    # -- what follows

    def _chain(self) -> list[dict[str, Any]]:
        """Acts and incidents of one side only, from the parting on: turn, date, side, title, succeeded."""
        of, (a, b) = self.of, self.histories
        _, turns, options, net = _differing(a, b, of.shared, chosen=False)
        rows = []
        for turn, o, more in zip(turns.tolist(), options.tolist(), net.tolist(), strict=True):
            side = int(more > 0)
            history, place = (b, of.shared.options_b) if side else (a, of.shared.options_a)
            acts = history.acts
            here = (acts.turn == turn) & (place[acts.option] == o)
            actor, action, target = of.shared.options[o]
            rows.append(
                {"kind": "act", "turn": turn, "side": "AB"[side], "actor": actor, "action": action, "target": target,
                 "title": of.act((actor, action, target)), "succeeded": bool(acts.succeeded[here].all())}
            )  # fmt: skip
        for side, (history, other, ready) in enumerate(((a, b, of.a), (b, a, of.b))):
            mine, theirs = (
                {
                    (int(turn) + 1, one.compiled.incidents[n])
                    for turn, n in zip(*np.nonzero(of_run.incidents[0]), strict=True)
                }
                for of_run, one in ((history, ready), (other, of.b if side == 0 else of.a))
            )
            for turn, (name, on) in mine - theirs:
                title = ready.scenario.incidents[name].title or name.replace("_", " ")
                title = f"{title} {of._actor(on)}" if on else title
                rows.append({"kind": "incident", "turn": turn, "side": "AB"[side], "actor": on, "action": name,
                             "target": None, "title": title, "succeeded": True})  # fmt: skip
        rows.sort(key=lambda row: (row["turn"], row["kind"] == "act", row["side"], row["title"]))
        return [row | {"date": of.a.legend.dates[row["turn"]]} for row in rows]

    def _end(self) -> list[dict[str, Any]]:
        """Outcomes, and rungs at the end, in which this pair differs: numbers by a tenth of their standard deviation at
        least; the greatest differences first."""
        of, rows = self.of, []
        for name in of.shared.outcomes:
            one, other = (answers[name][self.run].as_py() for answers in of.answers)
            spread = float(columns.values(of.answers[0][name]).std()) or 1.0
            if abs(other - one) >= 0.1 * spread:
                title = of.a.scenario.outcomes[name].title or name
                rows.append((abs(other - one) / spread, {"name": name, "title": title, "a": one, "b": other}))
        for n, (_, path) in enumerate(of.ladders):
            rungs = _rungs(of.a.compiled, path)
            one, other = (int(ends[self.run, n]) for ends in of.ends)
            if one != other:
                row = {"name": path, "title": self.words[0].indicator(path, ""), "a": rungs[one], "b": rungs[other]}
                rows.append((abs(other - one) / (float(of.ends[0][:, n].std()) or 1.0), row))
        return [row for _, row in sorted(rows, key=lambda item: -item[0])]

    # -- in words

    def _phrase(self, option: Option) -> str:
        """An option as a verb phrase."""
        for words in self.words:
            if _knows(words.scenario, None, *option):
                return words.option(option)
        return _spoken(*option)

    def _parts_here(self, card: dict[str, Any]) -> list[str]:
        """What an actor does on both sides, and why."""
        date = self.words[0].date(self.of.a.legend.dates[self.turn])
        a, b = (card["done"][side] for side in "ab")
        common = [act for act in a if act in b]
        nothing = "does nothing more" if common else "does nothing"
        alone = [listed([act for act in acts if act not in common]) or nothing for acts in (a, b)]
        also = f" (on both sides it {listed(common)})" if common else ""
        return [f"{date}: {card['title']} parts. In A it {alone[0]}; in B it {alone[1]}{also}.", *self._why(card)]

    def _ends(self) -> str:
        """In what the pair differs at the end."""
        end = [f"{row['title'].rstrip('?')}: {_value(row['a'])} in A, {_value(row['b'])} in B" for row in self._end()]
        if not end:
            return "In the end neither an outcome nor a rung differs in this pair."
        more = f"; and {len(end) - 6} more" if len(end) > 6 else ""
        return f"In the end they differ in {len(end)}: {'; '.join(end[:6])}{more}."

    def _why(self, card: dict[str, Any]) -> list[str]:
        """What had changed for those options that one side alone took; else for what else it could do."""
        lines = []
        absent = [side.upper() for side in "ab" if not card["there"][side]]
        if absent:
            return [f"{card['title']} is not there in {absent[0]}."]
        differing = [option for option in card["options"] if option["a"]["done"] != option["b"]["done"]]
        for option in differing[:TOLD]:
            a, b, title = option["a"], option["b"], f"‘{option['title']}’"
            if a["available"] and b["available"]:
                first = [share(side["first"]) for side in (a, b)]
                chance = f"{first[0]} on both sides" if first[0] == first[1] else f"{first[0]} in A, {first[1]} in B"
                lines.append(f"{title}: chance to come up first {chance}; {_worth(option)}.")
            else:
                shut = " and ".join(side for side, seen in (("A", a), ("B", b)) if not seen["available"])
                lines.append(f"{title} was not open to it in {shut}.")
        if not any(option["parts"] for option in differing):
            others = [option for option in card["options"] if option["parts"] and option not in differing]
            lines += [f"What else it could do was worth otherwise: ‘{o['title']}’, {_worth(o)}." for o in others[:2]]
        saw = [f"{row['title']} {row['a']:.3f} → {row['b']:.3f}" for row in card["saw"][:TOLD]]
        if saw:
            lines.append(f"What it wants stood otherwise: {'; '.join(saw)}.")
        attention = card["attention"]
        if None not in attention.values() and abs(attention["a"] - attention["b"]) > 1e-6:
            lines.append(f"It had attention {attention['a']:.2f} to spend in A, {attention['b']:.2f} in B.")
        return lines

    def _follows(self, chain: Sequence[dict[str, Any]]) -> list[str]:
        """The chain after the turn of parting, a sentence a turn."""
        later = [row for row in chain if row["turn"] > self.turn]
        turns = sorted({row["turn"] for row in later})
        lines = []
        for turn in turns[:CHAIN]:
            sides = []
            for side in "AB":
                told = [
                    row["title"] + ("" if row["succeeded"] else " (in vain)")
                    for row in later
                    if row["turn"] == turn and row["side"] == side
                ]
                if told:
                    more = [f"{len(told) - 4} more"] if len(told) > 4 else []
                    sides.append(f"in {side} alone {listed([*told[:4], *more])}")
            lines.append(f"{self.words[0].date(self.of.a.legend.dates[turn])}: {'; '.join(sides)}.")
        if not later:
            lines.append("Nothing else differs in what is done.")
        elif len(turns) > CHAIN:
            lines.append(f"And so on: {len(later)} acts and incidents of one side alone in {len(turns)} turns.")
        return lines


def _sight(side: Weighed | None, option: Option) -> dict[str, Any]:
    utility = None if side is None else side.utility(option)
    first = 0.0 if side is None or utility is None else side.chance(option)
    return {"available": utility is not None, "utility": utility, "first": first}


def _worth(option: dict[str, Any]) -> str:
    """An option's expected utility on both sides, and what of it changed."""
    a, b = option["a"]["utility"], option["b"]["utility"]
    if not option["parts"]:
        return f"expected utility {a:+.4f} on both"
    parts = [f"{part['title']} {part['a']:+.4f} → {part['b']:+.4f}" for part in option["parts"][:TOLD]]
    return f"expected utility {a:+.4f} → {b:+.4f} (what changed: {'; '.join(parts)})"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.replace("_", " ") if isinstance(value, str) else f"{value:.3g}"

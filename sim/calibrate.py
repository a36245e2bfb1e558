"""What the documents report of May to November 2021, held against every number that has a range: history matching.

Points of a Latin hypercube over the declared ranges are run and scored on the facts marked `in`, and on nothing else:
facts marked `out` are dropped as the file is read, months after LAST are never run, and runs are held neither against
the chronology nor against the positions. A point is ruled out where a fact holds in far fewer of its runs than it
wants; what is left is kept with weights, as a file of parameter sets.
Source: Craig, Goldstein, Seheult & Smith 1997; Vernon, Goldstein & Bower 2010 (implausibility and its cut).
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import columns, facts, located, naming, parameters, runs, store, study, swept, verdicts
from sim.errors import BadInput, FolderProblem
from sim.metrics import Record
from sim.plan import Plan, Rows
from sim.scenario import Loaded, Scenario, as_data, as_yaml, numbers, read, with_numbers
from sim.sensitivity import Answers, Given
from sim.verdicts import BoundFact, BoundFacts

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

LAST = "2021-11"  # the last month that anything may be fitted on
TOLERANCE = 0.1  # by how much a share of runs may be off before it tells against a point: our assumption
CUT = 3.0  # largest implausibility of a point that is kept: three standard deviations (Pukelsheim 1994)
REACHED = 0.01  # a fact within the cut at fewer of the points is out of reach, and rules nothing out
TAUGHT = 0.05  # false discovery rate by which a number is said to have been taught something
SHUFFLES = 50_000  # behind what chance does to a distance
RESAMPLES = 200  # of the points, behind the intervals
STRONGEST = 3  # numbers named beside a fact
MOST_POINTS, MOST_RUNS = 1_000_000, 1000
STRIP = 512  # runs at once
SHARD = 16  # strips of a shard
SCORES = "scores"
SCENARIO, STUDY, FACTS = "scenario.yaml", "study.yaml", "facts.yaml"


# ---------------------------------------------------------------------------------------------------- what comes of it


@dataclass
class Calibration:
    """The folder of a calibration: its manifest and its tables.

    facts: see `fact_table`. numbers: see `number_table`. points: point, largest implausibility, weight (0: ruled out),
    and the share of its runs in which each fact holds.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def parameters(self) -> Path:
        """The file of parameter sets."""
        return self.folder / parameters.FILE

    @cached_property
    def facts(self) -> pa.Table:
        return self.table("facts")

    @cached_property
    def numbers(self) -> pa.Table:
        return self.table("numbers")

    @cached_property
    def points(self) -> pa.Table:
        return self.table("points")

    def table(self, name: str) -> pa.Table:
        """A table by name, verified against the manifest."""
        return store.listed_table(self.folder, self.manifest, name)

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        keys = ("scenario", "title", "points", "runs_a_point", "seed", "numbers", "kept", "effective", "taught", "open")
        return {key: self.manifest[key] for key in keys} | {
            "folder": str(self.folder),
            "parameters": str(self.parameters),
            "hashes": self.manifest["hashes"],
            "facts": self.facts.to_pylist(),
            "learnt": self.numbers.to_pylist(),
        }


def open_calibration(folder: str | Path) -> Calibration:
    """The calibration of a folder. Raises FolderProblem where there is none, or one that is unfinished or damaged."""
    path = Path(folder)
    manifest = store.read_manifest(path, "calibration")
    if not manifest["complete"]:
        raise FolderProblem(f"{path}: a calibration that was not finished; {_again(path, manifest)}")
    return Calibration(path, manifest)


def calibrate(
    source: str | Path,
    points: int = 8000,
    runs_a_point: int = 16,
    seed: int = 1,
    out: str | Path | None = None,
    resume: bool = False,
    fact_file: str | Path | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Calibrate a scenario's ranged numbers on the facts in sample, and write a folder; returns it.

    The same scenario, facts, budget and seed give the same files, however often it was interrupted and by whatever
    number of threads. out: the folder; `runs/calibration-<scenario>-<n>` if None. resume: go on in a folder that holds
    this calibration already. fact_file: seeds/facts.yaml if None. progress: called with the points done and wanted.
    Raises BadInput, FolderProblem or StorageProblem; what was done is kept.
    """
    if not 10 <= points <= MOST_POINTS:
        raise BadInput(f"--points {points}: must be 10..{MOST_POINTS:,}")
    if not 2 <= runs_a_point <= MOST_RUNS:
        raise BadInput(f"--runs-a-point {runs_a_point}: must be 2..{MOST_RUNS:,}")
    runs.check_options(points * runs_a_point, seed, None, threads, most=study.DRAWN)
    loaded = read(source)
    known = facts.read(fact_file, sample="in")
    said = {
        SCENARIO: as_yaml(in_sample(loaded)),
        STUDY: _study(Path(source).stem, points, runs_a_point, seed),
        FACTS: located.dump(as_data(known.file)),
    }
    folder = Path(out) if out is not None else store.numbered("runs", f"calibration-{Path(source).stem}")
    budget = {"points": points, "runs_a_point": runs_a_point, "seed": seed}
    with _opened(folder, said, source, known, budget, resume) as manifest:
        asked = study.load(folder / STUDY)
        work = _Work(folder, manifest["key"], _numeric(asked), known)
        try:
            work.computed(threads or runs.cores(), progress)
        except KeyboardInterrupt:
            from sim.sweep import Interrupted

            done = swept.shelf(folder, SCORES).done
            raise Interrupted(f"interrupted after {done:,} of {points:,} points; {_again(folder, manifest)}") from None
        return work.finished(loaded, manifest)


def _again(folder: Path, manifest: dict[str, Any]) -> str:
    facts_given = f" --facts {shlex.quote(manifest['facts'])}" if manifest["facts_given"] else ""
    return (
        f"to go on: tightrope calibrate {shlex.quote(manifest['source'])} --points {manifest['points']} --runs-a-point "
        f"{manifest['runs_a_point']} --seed {manifest['seed']}{facts_given} --out {shlex.quote(str(folder))} --resume"
    )


# ------------------------------------------------------------------------------------------------------- what is tried


def in_sample(loaded: Loaded) -> Scenario:
    """The scenario for no more turns than lie in sample: months of the documents after LAST are not run at all.

    Raises BadInput where its first turn is out of sample already.
    """
    from sim.evidence import load

    scenario = loaded.scenario
    end = max(window["until"] for window in load("coverage.yaml")["windows"])
    dates = runs.dates_from_start(scenario, scenario.turns)[1:]
    count = next((n for n, date in enumerate(dates) if LAST < date[:7] <= end), len(dates))
    if not count:
        raise BadInput(f"{loaded.files[0]}: begins after {LAST}, out of sample; nothing may be fitted on it")
    return scenario if count == len(dates) else with_numbers(scenario, {"turns": count})


def _study(name: str, points: int, runs_a_point: int, seed: int) -> str:
    return located.dump(
        {
            "study": 1, "title": f"Calibration of {name}", "scenario": SCENARIO, "vary": study.RANGED,
            "design": "latin_hypercube", "points": points, "replicates": runs_a_point, "seed": seed,
        }
    )  # fmt: skip


def _numeric(asked: study.Asked) -> study.Asked:
    """The study without what changes more than numbers of the compiled scenario."""
    return replace(asked, axes=tuple(axis for axis in asked.axes if axis.choices is None))


@contextmanager
def _opened(
    folder: Path, said: dict[str, str], source: str | Path, known: facts.Facts, budget: dict[str, int], resume: bool
) -> Iterator[dict[str, Any]]:
    """The folder, locked, with the calibration in it; its manifest."""
    from sim.jit import rules_hash

    hashes = {name: store.text_hash(text) for name, text in said.items()} | {"rules": rules_hash()}
    key = store.text_hash("".join(hashes.values()))
    with store.storage(folder):
        if folder.exists() and not folder.is_dir():
            raise FolderProblem(f"{folder}: not a folder; choose another with --out")
        folder.mkdir(parents=True, exist_ok=True)
    with store.locked(folder):
        with store.storage(folder):
            names = {path.name for path in folder.iterdir()} - {store.LOCK}
        if store.MANIFEST in names:
            manifest = store.read_manifest(folder)
            if manifest.get("kind") != "calibration":
                raise FolderProblem(f"{folder}: holds a {manifest.get('kind')}; choose another folder with --out")
            if not resume:
                raise FolderProblem(f"{folder}: holds a calibration; --resume goes on with it, --out names another")
            if manifest["key"] != key:
                differs = [name for name, value in hashes.items() if manifest["hashes"].get(name) != value]
                told = ", ".join("the model's code" if name == "rules" else name for name in differs)
                raise FolderProblem(f"{folder}: cannot be resumed: {told} changed since it was begun")
        elif any(not name.endswith(store.PART) and name not in (*said, SCORES) for name in names):
            raise FolderProblem(f"{folder}: not empty ({store.what_is(folder)}); choose another folder with --out")
        else:
            for name, text in said.items():
                store.write_text(folder / name, text)
            manifest = store.write_manifest(
                folder,
                {"kind": "calibration", "scenario": Path(source).stem, "source": str(source), **budget}
                | {"facts": facts.shown(known.path), "facts_given": known.path != facts.default(), "hashes": hashes}
                | {"key": key, "complete": False, "versions": runs.versions()},
            )
        with store.storage(folder):
            (folder / SCORES).mkdir(exist_ok=True)
        yield manifest


# ---------------------------------------------------------------------------------------------------------- the scores


class _Work:
    """The points of a calibration: which are scored, and the scoring of the others."""

    def __init__(self, folder: Path, key: str, asked: study.Asked, known: facts.Facts) -> None:
        self.folder, self.key = folder, key
        self.plan = Plan(asked, trusted=True)
        self.structure = self.plan.structure(self.plan.first)
        ready = self.structure.ready
        whole = verdicts.bind(known, ready.scenario, ready.compiled, ready.turns)
        self.left_out = whole.outside | whole.cannot
        scored = []
        for fact in whole.facts:
            if fact.fact.scope == "ablation":
                self.left_out[fact.id] = "is about a difference between runs with and without something"
            else:
                scored.append(fact)
        if not scored:
            reason = next(iter(self.left_out.values()), "the file holds no fact in sample")
            raise BadInput(f"nothing to calibrate on: no fact in sample speaks of this scenario ({reason})")
        self.bound = BoundFacts(scored, {}, {}, known)

    def computed(self, threads: int, progress: Progress | None) -> None:
        """Score what is missing and write it, a shard at a time."""
        total = self.plan.points
        for shard in swept.shelf(self.folder, SCORES).whole:
            if not store.is_whole(shard, self.key):
                shard.path.unlink()
        for part in self.folder.glob(f"{SCORES}/.*{store.PART}"):
            part.unlink(missing_ok=True)
        shelf = swept.shelf(self.folder, SCORES)
        done = shelf.done
        strip = max(STRIP // self.plan.replicates, 1)
        with ThreadPoolExecutor(threads) as pool:
            for first, last in shelf.missing(total):
                for begin in range(first, last + 1, strip * SHARD):
                    end = min(begin + strip * SHARD - 1, last)
                    strips = [np.arange(at, min(at + strip, end + 1)) for at in range(begin, end + 1, strip)]
                    tables = []
                    try:
                        for table in pool.map(self.scored, strips):
                            tables.append(table)
                            done += table.num_rows
                            if progress is not None:
                                progress(done, total)
                    except BaseException:
                        pool.shutdown(wait=True, cancel_futures=True)
                        raise
                    store.write_shard(self.folder / SCORES, begin, end, pa.concat_tables(tables), self.key)

    def scored(self, points: NDArray[np.int64]) -> pa.Table:
        """point, and the share of its runs in which each fact holds: of the first half of them, and of the second."""
        many = self.plan.replicates
        run = (points[:, None] * many + np.arange(many)).ravel()
        rows: Rows = self.plan.rows(run)
        values = self.plan.design.values(rows.point)
        record = Record.of(self.plan.history(self.structure, rows, values, explained=False))
        found: dict[str, Any] = {"point": columns.numbers(points, pa.int64())}
        for fact in self.bound.facts:
            sides = fact.measure(record).reshape(points.size, many, -1, 2)
            for name, part in (("1", sides[:, : many // 2]), ("2", sides[:, many // 2 :])):
                found[f"{fact.id}|{name}"] = columns.numbers(_shares(fact, part))
        return pa.table(found)

    def finished(self, loaded: Loaded, manifest: dict[str, Any]) -> Calibration:
        """All tables, the parameter sets, and the manifest that makes the folder whole."""
        table = pa.concat_tables([store.read_shard(shard) for shard in swept.shelf(self.folder, SCORES).whole])
        names = [fact.id for fact in self.bound.facts]
        halves = np.stack([[columns.values(table[f"{name}|{half}"]) for name in names] for half in "12"])
        many = self.plan.replicates
        counts = np.array([many // 2, many - many // 2], dtype=np.float64)
        matched = Matching.of(self.bound.facts, halves, counts)
        values = self.plan.design.values(np.arange(self.plan.points))
        kept = np.flatnonzero(matched.weights)
        if not kept.size:
            nearest = float(matched.worst.min())
            raise BadInput(
                f"no point of {self.plan.points:,} is left: the best misses a fact by {nearest:.1f} standard "
                f"deviations (at most {CUT:g}); take more --points"
            )
        scenario = self.structure.ready.scenario
        tables = {
            "points": _points(names, matched),
            "facts": fact_table(self.bound.facts, self.left_out, matched, values, self.plan.axes, scenario),
            "numbers": number_table(scenario, self.plan.axes, values, matched.weights, matched.misfit),
        }
        paths = tuple(axis.place for axis in self.plan.axes)
        command = f"tightrope calibrate {manifest['source']} --points {manifest['points']} --runs-a-point {many}"
        head = {
            "scenario": loaded.files[0].stem, "world": parameters.world_of(loaded),
            "made by": f"{command} --seed {manifest['seed']}", "kept": f"{kept.size} of {self.plan.points} points",
            **{f"hash of {name}": value for name, value in manifest["hashes"].items()},
        }  # fmt: skip
        sets = parameters.Sets(head, paths, values[kept], matched.weights[kept])
        store.write_text(self.folder / parameters.FILE, sets.text())
        folder = store.Folder(self.folder)
        for name, one in tables.items():
            folder.write_table(f"{name}.parquet", one)
        taught = columns.values(tables["numbers"]["taught"])
        manifest = folder.finish(
            manifest | {
                "title": scenario.title, "numbers": len(paths), "kept": int(kept.size),
                "effective": float(matched.effective), "used": int(matched.used.sum()), "taught": int(taught.sum()),
                "open": int((~taught).sum()), "left_out": self.left_out, "complete": True,
                "rule": {"tolerance": TOLERANCE, "cut": CUT, "reached": REACHED, "taught": TAUGHT},
                "hash": store.text_hash(sets.text()),
            }
        )  # fmt: skip
        done = Calibration(self.folder, manifest)
        done.__dict__.update(tables)
        return done


def _shares(fact: BoundFact, sides: Floats) -> Floats:
    """(P,) in what share of a point's runs a fact turns out as observed. sides: (P, R, leaves, 2)."""
    if fact.fact.scope == "run":
        share = fact.judge(sides).holds.mean(axis=1)
    else:
        share = np.array([verdicts.averaged(fact.tree, one, fact.turns)[1] for one in sides])
    return np.asarray(share if fact.fact.observed else 1.0 - share, dtype=np.float64)


# ---------------------------------------------------------------------------------------------------------- the match


def implausibility(share: Floats, wanted: Floats, count: float) -> Floats:
    """(..., F) by how many standard deviations a share of `count` runs falls short of what each fact wants, 0 where it
    does not. The variance is that of chance, at a share that is never 0 or 1 (Jeffreys), and the tolerance."""
    near = (share * count + 0.5) / (count + 1.0)
    return np.maximum(wanted - share, 0.0) / np.sqrt(near * (1.0 - near) / count + TOLERANCE**2)


def weighed(misses: Floats) -> Floats:
    """(P,) weights of points by their largest implausibility, 0 from the cut on; their sum is 1, or 0 if none is left.

    misses: (P, F). The largest and not the sum: facts are not independent of one another. Source: Epanechnikov's
    kernel, as Beaumont, Zhang & Balding 2002 weigh what lies within a tolerance.
    """
    worst = misses.max(axis=1, initial=0.0)
    weights = np.where(worst < CUT, 1.0 - (worst / CUT) ** 2, 0.0)
    return weights / math.fsum(weights) if weights.any() else weights


@dataclass(frozen=True)
class Matching:
    """Points held against facts.

    share: (P, F) of all runs; halves: (2, P, F) of the first and the second half of them, counts: how many each.
    wanted, reach: (F,). used: (F,) facts that are in reach, which alone rule points out. worst: (P,) largest
    implausibility by them. weights: (P,), their sum is 1.
    """

    share: Floats
    halves: Floats
    counts: Floats
    wanted: Floats
    used: NDArray[np.bool_]
    reach: Floats
    worst: Floats
    weights: Floats

    @classmethod
    def of(cls, bound: Sequence[BoundFact], halves: Floats, counts: Floats) -> Matching:
        """halves: (2, F, P) as scored."""
        halves = halves.transpose(0, 2, 1)
        wanted = np.array([fact.fact.wanted for fact in bound])
        share = (counts[0] * halves[0] + counts[1] * halves[1]) / counts.sum()  # no BLAS: the same bits everywhere
        misses = implausibility(share, wanted, float(counts.sum()))
        reach = (misses <= CUT).mean(axis=0)
        used = reach >= REACHED
        worst = misses[:, used].max(axis=1, initial=0.0)
        return cls(share, halves, counts, wanted, used, reach, worst, weighed(misses[:, used]))

    @property
    def effective(self) -> float:
        """Effective number of points: how many of equal weight would tell as much (Kish 1965)."""
        return float(1.0 / (self.weights**2).sum()) if self.weights.any() else 0.0

    @property
    def misfit(self) -> Floats:
        """(P,) how far each point is from all facts in reach together: the root of the sum of squared misses."""
        misses = implausibility(self.share, self.wanted, float(self.counts.sum()))
        return np.asarray(np.sqrt((misses[:, self.used] ** 2).sum(axis=1)), dtype=np.float64)

    def from_half(self, without: int | None = None) -> Floats:
        """Weights by the first half of the runs alone, so that the second can test them. without: a fact left out."""
        misses = implausibility(self.halves[0], self.wanted, float(self.counts[0]))
        used = self.used.copy()
        if without is not None:
            used[without] = False
        return weighed(misses[:, used])


def _weighted(weights: Floats, values: Floats) -> tuple[float, float, float]:
    """Weighted mean of points with its 95% interval by the bootstrap over points (Efron 1979)."""
    kept = np.flatnonzero(weights)
    if not kept.size:
        return np.nan, np.nan, np.nan
    drawn = np.random.default_rng(0).multinomial(kept.size, np.full(kept.size, 1 / kept.size), size=RESAMPLES)
    ways = drawn * weights[kept]
    means = (ways @ values[kept]) / ways.sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(weights[kept] @ values[kept] / weights[kept].sum()), float(low), float(high)


def _points(names: Sequence[str], matched: Matching) -> pa.Table:
    found: dict[str, Any] = {"point": columns.numbers(np.arange(matched.worst.size), pa.int64())}
    found |= {"implausibility": columns.numbers(matched.worst), "weight": columns.numbers(matched.weights)}
    return pa.table(found | {name: columns.numbers(matched.share[:, n]) for n, name in enumerate(names)})


def fact_table(
    bound: Sequence[BoundFact],
    left_out: dict[str, str],
    matched: Matching,
    values: Floats,
    axes: Sequence[study.Axis],
    scenario: Scenario,
) -> pa.Table:
    """One row a fact in sample. status: used; out of reach; or left out, and why.

    prior: share of runs in which it turns out as observed, over all points; best: the highest at a point. reach: share
    of the points within the cut. kept: the share in the kept points, weighted by one half of the runs and measured in
    the other. rest: the same of points weighted by the other facts alone (leave one out), with its interval; predicted:
    whether that is what it wants. moved_by: the numbers that move it most, by rank correlation over the points.
    """
    titles = naming.axis_titles(scenario, [axis.path for axis in axes])
    given = [Given(values[:, a]) for a in range(len(axes))]
    rows: list[dict[str, Any]] = []
    for n, fact in enumerate(bound):
        share, second = matched.share[:, n], matched.halves[1][:, n]
        row: dict[str, Any] = {
            "fact": fact.id, "statement": fact.fact.statement, "weight": fact.fact.weight, "wanted": matched.wanted[n],
            "status": "used" if matched.used[n] else "out of reach", "prior": share.mean(), "best": share.max(),
            "reach": matched.reach[n],
        }  # fmt: skip
        row["kept"], row["kept_low"], row["kept_high"] = _weighted(matched.from_half(), second)
        rest = matched.from_half(without=n)
        row["rest"], row["rest_low"], row["rest_high"] = _weighted(rest, second)
        row["rest_points"] = int((rest > 0).sum())
        row["predicted"] = bool(row["rest"] >= matched.wanted[n])
        answers = Answers(share[:, None])
        if answers.varies:
            ranks = [(one.rank_correlation(answers)[0], axis.path) for one, axis in zip(given, axes, strict=True)]
            ranks.sort(key=lambda item: -abs(item[0]))
            row["moved_by"] = "; ".join(f"{titles[path]} ({rank:+.2f})" for rank, path in ranks[:STRONGEST])
        rows.append(row)
    rows += [{"fact": name, "status": "left out", "why": why} for name, why in left_out.items()]
    text, number = pa.string(), pa.float64()
    schema = [(name, text) for name in ("fact", "statement", "weight", "status", "why", "moved_by")]
    floats = ("wanted", "prior", "best", "reach", "kept", "kept_low", "kept_high", "rest", "rest_low", "rest_high")
    schema += [(name, number) for name in floats] + [("rest_points", pa.int64()), ("predicted", pa.bool_())]
    return columns.rows(rows, pa.schema(schema))


def number_table(
    scenario: Scenario, axes: Sequence[study.Axis], values: Floats, weights: Floats, misfit: Floats
) -> pa.Table:
    """One row a number, those that the facts taught most first: what was known of it before, and after.

    low, high: its range, over which it was drawn evenly. value: by hand. mean, q05, q50, q95: of the kept sets. shift:
    of the mean, as a share of the range, with its interval; shrink: 1 - spread after / spread before, with its own.
    distance: Kolmogorov and Smirnov's, between the points as drawn and as weighted; blind: how often the same weights
    on points picked blindly give as much. pull: which way the facts want it, over all points, Spearman's correlation
    with how near they come to the facts, with its interval; chance: of as much where it bears on nothing; taught:
    whether that is rarer than chance allows of so many numbers at once (Benjamini & Hochberg 1995). A pull to the
    middle shows in shrink alone.
    """
    known = {entry.path: entry for entry in numbers(scenario)}
    titles = naming.axis_titles(scenario, [axis.path for axis in axes])
    count = values.shape[0]
    kept = np.flatnonzero(weights)
    rng = np.random.default_rng(0)
    ranks = np.argsort(np.argsort(values, axis=0), axis=0) + 0.5  # (P, A), evenly spread over 0..P
    blind = np.sort(_distances(rng.random((kept.size, SHUFFLES)), weights[kept]))
    distance = _distances(ranks[kept] / count, weights[kept])
    by_chance = (1 + SHUFFLES - np.searchsorted(blind, distance, side="left")) / (SHUFFLES + 1)
    nearness = Answers(-misfit[:, None])
    pulls = np.array([Given(values[:, a]).rank_correlation(nearness) for a in range(len(axes))])
    chance = _of_rank(pulls[:, 0], count)
    taught = _discovered(chance)
    drawn = rng.multinomial(kept.size, np.full(kept.size, 1 / kept.size), size=RESAMPLES) * weights[kept]
    drawn = np.vstack([weights[kept], drawn])
    drawn = drawn / drawn.sum(axis=1, keepdims=True)
    inside = values[kept]
    mean = drawn @ inside
    spread = np.sqrt(
        np.maximum(drawn @ inside**2 - mean**2, 0.0) / np.maximum(1 - (drawn**2).sum(axis=1), 1e-9)[:, None]
    )
    rows = []
    for a, axis in enumerate(axes):
        entry = known[axis.place]
        wide, before = axis.high - axis.low, values[:, a].mean()
        shift, shrink = (mean[:, a] - before) / wide, 1.0 - spread[:, a] / values[:, a].std()
        order = np.argsort(inside[:, a])
        upto = np.cumsum(drawn[0][order])
        row: dict[str, Any] = {
            "path": axis.path, "title": naming.capital(titles[axis.path]), "claims": " ".join(entry.claim or []),
            "assumption": entry.assumption, "low": axis.low, "high": axis.high, "value": float(entry.quantity.value),
            "mean": mean[0, a], "shift": shift[0], "shrink": shrink[0], "distance": distance[a], "blind": by_chance[a],
            "pull": pulls[a, 0], "pull_low": pulls[a, 1], "pull_high": pulls[a, 2], "chance": chance[a],
            "taught": bool(taught[a]),
        }  # fmt: skip
        for name, at in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
            row[name] = inside[order[min(int(np.searchsorted(upto, at)), order.size - 1)], a]
        for name, of in (("shift", shift), ("shrink", shrink)):
            row[f"{name}_low"], row[f"{name}_high"] = np.quantile(of[1:], (0.025, 0.975))
        rows.append(row)
    rows.sort(key=lambda row: (row["chance"], -row["distance"]))
    floats = ["low", "high", "value", "mean", "q05", "q50", "q95", "shift", "shift_low", "shift_high"]
    floats += ["shrink", "shrink_low", "shrink_high", "distance", "blind", "pull", "pull_low", "pull_high", "chance"]
    schema = [(name, pa.string()) for name in ("path", "title", "claims", "assumption")]
    return columns.rows(rows, pa.schema([*schema, *((name, pa.float64()) for name in floats), ("taught", pa.bool_())]))


def _distances(places: Floats, weights: Floats) -> Floats:
    """(A,) greatest distance between a weighted distribution of places in 0..1 and the even one. places: (K, A)."""
    order = np.argsort(places, axis=0)
    sorted_ = np.take_along_axis(places, order, axis=0)
    upto = np.cumsum(weights[order], axis=0) / weights.sum()
    before = upto - weights[order] / weights.sum()
    return np.asarray(np.maximum(np.abs(upto - sorted_), np.abs(before - sorted_)).max(axis=0), dtype=np.float64)


def _of_rank(rho: Floats, count: int) -> Floats:
    """Probability of a rank correlation this far from 0 or farther, by Fisher's transform (Bonett & Wright 2000)."""
    from scipy.stats import norm

    rho = np.nan_to_num(rho)
    error = np.sqrt((1 + rho**2 / 2) / max(count - 3, 1))
    return np.asarray(2 * norm.sf(np.abs(np.arctanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12))) / error), dtype=np.float64)


def _discovered(chance: Floats) -> NDArray[np.bool_]:
    """Which of many are discoveries at the false discovery rate TAUGHT. Source: Benjamini & Hochberg 1995."""
    order = np.argsort(chance)
    bound = TAUGHT * (np.arange(chance.size) + 1) / chance.size
    below = np.flatnonzero(chance[order] <= bound)
    found = np.zeros(chance.size, dtype=np.bool_)
    if below.size:
        found[order[: below[-1] + 1]] = True
    return found

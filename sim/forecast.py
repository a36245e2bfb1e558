"""A dated forecast: what an ensemble of a scenario says of its end, written down once, before anyone compares it.

Two files of one name: a page for people, and JSON with every number for whoever scores it later.
"""

from __future__ import annotations

import datetime
import json
import math
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import analysis, columns, naming, records, runs, store
from sim.errors import BadInput, FolderProblem

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

FOLDER = Path("docs/forecasts")
OWN = ("regard", "credibility", "promised")  # indicators of minds and words, in the JSON alone
ACTS = 8  # of each actor on the page


def forecast(
    source: str | Path,
    parameter_file: str | Path | None = None,
    count: int = 4000,
    seed: int = 1,
    out: str | Path | None = None,
    today: datetime.date | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run an ensemble and write its forecast; returns the page's path.

    parameter_file: sets that the runs draw from. out: the page, `docs/forecasts/<last turn>-<scenario>.md` if None; the
    JSON lies beside it. Raises FolderProblem where a forecast is there already: it is made once.
    """
    runs.check_options(count, seed, None, None, least=2, most=100_000)
    ready = runs.prepare(source, (), None, parameter_file)
    page = FOLDER / f"{ready.legend.dates[-1]}-{Path(source).stem}.md" if out is None else Path(out)
    if page.suffix != ".md":
        raise BadInput(f"--out {page}: must end in .md")
    for path in (page, page.with_suffix(".json")):
        if path.exists():
            raise FolderProblem(f"{path}: there already, and a forecast is made once; remove it to make another")
    told = gathered(ready, count, seed, progress)
    head = {
        "scenario": Path(source).stem, "title": ready.scenario.title, "made": str(today or _today()), "runs": count,
        "seed": seed, "from": ready.legend.dates[0], "to": ready.legend.dates[-1], "turns": ready.turns,
        "command": f"tightrope forecast {shlex.quote(str(source))}"
        + (f" --parameters {shlex.quote(str(parameter_file))}" if parameter_file else "")
        + f" --runs {count} --seed {seed}",
        "hashes": hashes(ready),
    } | runs.described(parameter_file, ready.drawn)  # fmt: skip
    with store.storage(page.parent):
        page.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_finite(head | told), indent=1, ensure_ascii=False, allow_nan=False)
    store.write_text(page.with_suffix(".json"), text + "\n")
    return store.write_text(page, _page(ready, head, told))


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def hashes(ready: runs.Prepared) -> dict[str, str]:
    """Of what the numbers come from."""
    from sim.jit import rules_hash

    found = {"rules": rules_hash(), "scenario": store.text_hash(ready.text)}
    return found | ({"parameters": store.text_hash(ready.drawn.text)} if ready.drawn else {})


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# ------------------------------------------------------------------------------------------------------- what is said


def gathered(ready: runs.Prepared, count: int, seed: int, progress: Progress | None = None) -> dict[str, Any]:
    """outcomes: see `analysis.outcome_summary`, with the share of the spread that the parameters make. ladders: share
    of runs on each rung at the end, at it or above at the end and ever. indicators: at the start and at the end. acts:
    of every kind, a run."""
    compiled, legend = ready.compiled, ready.legend
    ladders = {compiled.paths[s]: (s, rungs) for s, rungs in compiled.ladders.items()}
    others = [(path, s) for s, path in enumerate(compiled.paths) if s not in compiled.ladders]
    slots = [s for s, _ in ladders.values()]
    answers, starts, ends, peaks = [], [], [], []
    totals = records.Totals(compiled)
    done = 0
    for history in ready.histories(seed, range(count), explained=False):
        answers.append(records.outcomes(history, ready.questions, legend))
        totals.add(history)
        starts.append(history.states[:, 0])
        ends.append(history.states[:, -1])
        peaks.append(np.rint(history.states[:, :, slots]).max(axis=1))
        done += history.runs.size
        if progress is not None:
            progress(done, count)
    start, end, peak = np.concatenate(starts), np.concatenate(ends), np.concatenate(peaks)
    outcomes = pa.concat_tables(answers).combine_chunks()
    which = ready.drawn.of(seed, range(count)) if ready.drawn else np.zeros(count, dtype=np.int64)
    asked = ready.scenario.outcomes
    kinds = {
        q.name: {"title": asked[q.name].title or q.name, "yes_or_no": q.yes_or_no, "dated": q.dated}
        for q in ready.questions
    }
    rows = analysis.outcome_summary(outcomes, kinds).to_pylist()
    for row in rows:
        row["by_parameters"] = between(columns.values(outcomes[row["outcome"]]).astype(np.float64), which)
    found = []
    for n, (path, (s, names)) in enumerate(ladders.items()):
        at = np.rint(end[:, s]).astype(np.int64)
        share = np.bincount(at, minlength=len(names)) / count
        found.append(
            {"path": path, "start": names[int(np.rint(np.median(start[:, s])))], "median": names[_median(at)]}
            | {"rungs": dict(zip(names, share.tolist(), strict=True))}
            | {"or_above": {name: float((at >= k).mean()) for k, name in enumerate(names)}}
            | {"ever": {name: float((peak[:, n] >= k).mean()) for k, name in enumerate(names)}}
        )
    told = []
    for path, s in others:
        low, median, high = (float(value) for value in analysis.quantiles(end[:, s], (0.05, 0.5, 0.95)))
        before = float(np.median(start[:, s]))
        told.append(
            {"path": path, "start": before, "median": median, "q05": low, "q95": high, "mean": float(end[:, s].mean())}
            | {"rises": float((end[:, s] > start[:, s] + 1e-9).mean())}
            | {"falls": float((end[:, s] < start[:, s] - 1e-9).mean())}
            | {"by_parameters": between(end[:, s], which)}
        )
    return {"outcomes": rows, "ladders": found, "indicators": told, "acts": totals.table().to_pylist()}


def _median(values: NDArray[np.int64]) -> int:
    return int(analysis.quantiles(values, (0.5,))[0])


def between(values: Floats, which: NDArray[np.int64]) -> float:
    """Share of the variance between runs that lies between parameter sets, less what chance adds to it.

    Source: one-way analysis of variance, Kelley's (1935) epsilon squared. NaN where it cannot be told.
    """
    known = ~np.isnan(values)
    values, which = values[known], which[known]
    sets, place, size = np.unique(which, return_inverse=True, return_counts=True)
    total = float(((values - values.mean()) ** 2).sum()) if values.size else 0.0
    if sets.size < 2 or values.size <= sets.size or total <= 0:
        return math.nan
    means = np.bincount(place, values) / size
    inside = float(((values - means[place]) ** 2).sum())
    return max(0.0, (total - inside - (sets.size - 1) * inside / (values.size - sets.size)) / total)


# ------------------------------------------------------------------------------------------------------ the page


def _page(ready: runs.Prepared, head: dict[str, Any], told: dict[str, Any]) -> str:
    scenario = ready.scenario
    words = naming.Words(scenario)
    drawn = head.get("parameters")
    lines = [
        f"# {head['title']}: what the model foresaw",
        "",
        f"Made on {head['made']}, once, by `{head['command']}`: {head['runs']:,} runs from {head['from']} to "
        f"{head['to']}, seed {head['seed']}. Every number stands in the JSON beside this page.",
        "",
        (
            f"Each run draws {drawn['numbers']} numbers from {drawn['sets']} sets that were calibrated on May to "
            "November 2021 alone; so the spread is that of chance within the model and of what those months leave open "
            "of its numbers. It is not that of whether the model is right."
            if drawn
            else "Every run has the scenario's own numbers: the spread is that of chance within the model alone."
        ),
        "",
        *(f"- hash of {name}: `{value}`" for name, value in head["hashes"].items()),
        "",
        "## Outcomes",
        "",
        *markdown(
            ("", "answer", "how sure", "of its spread, the parameters'"),
            [(row["title"], *_answer(row), _share(row["by_parameters"])) for row in told["outcomes"]],
        ),
    ]
    lines += ["## Ladders", "", "Share of runs on each rung at the end; in brackets where it began.", ""]
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in told["ladders"]:
        groups.setdefault(row["path"].split(".")[-1], []).append(row)
    for name, rows in groups.items():
        title = scenario.indicators[name].title or naming.spaced(name)
        rungs = [rung for rung in rows[0]["rungs"] if any(row["rungs"].get(rung, 0) >= 0.0005 for row in rows)]
        lines += [f"### {naming.capital(title)}", ""]
        lines += markdown(
            ("", *(naming.spaced(rung) for rung in rungs)),
            [
                (
                    f"{_owner(words, row['path'])} ({naming.spaced(row['start'])})",
                    *(_cell(row["rungs"].get(rung, 0)) for rung in rungs),
                )
                for row in rows
            ],
        )
    lines += [
        "## Indicators", "",
        "Median at the start and at the end, the band of 90% of runs at the end, and in how many runs it has risen. "
        "Those of minds and words are in the JSON.", "",
    ]  # fmt: skip
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in told["indicators"]:
        if not row["path"].split(".")[-1].startswith(OWN):
            kinds.setdefault(row["path"].split(".")[-1], []).append(row)
    rows_ = [
        (f"{words.indicator(row['path'], '')}", f"{row['start']:.2f}", f"{row['median']:.2f}",
         f"{row['q05']:.2f} to {row['q95']:.2f}", f"{row['rises']:.0%}")
        for rows in kinds.values() for row in rows
        if abs(row["median"] - row["start"]) >= 0.005 or row["q95"] - row["q05"] >= 0.01
    ]  # fmt: skip
    lines += markdown(("", "start", "end", "90% of runs", "risen in"), rows_)
    lines += ["## Acts", "", f"The commonest {ACTS} of each actor: how often a run, and in how many runs at all.", ""]
    acts: list[tuple[str, ...]] = []
    seen: dict[str, int] = {}
    for row in told["acts"]:
        seen[row["actor"]] = seen.get(row["actor"], 0) + 1
        if seen[row["actor"]] <= ACTS:
            what = words.option((row["action"], row["target"]))
            acts.append((naming.capital(words.actor(row["actor"])), what, f"{row['a_run']:.2f}",
                         naming.percent(row["runs"] / row["of"])))  # fmt: skip
    lines += markdown(("", "act", "a run", "in runs"), acts)
    return "\n".join(lines).rstrip() + "\n"


def _owner(words: naming.Words, path: str) -> str:
    names = [words.actor(name) for name in path.split(".")[:-1]]
    return naming.capital(" → ".join(names) or "the country")


def _answer(row: dict[str, Any]) -> tuple[str, str]:
    if row["kind"] == "yes/no":
        when = f", typically by {row['date']}" if row["date"] else ""
        band = f"95% interval {naming.percent(row['low'])} to {naming.percent(row['high'])}"
        return f"yes in {naming.percent(row['share'])}{when}", band
    band = f"90% of runs {naming.number(row['q05'])} to {naming.number(row['q95'])}"
    return f"median {naming.number(row['median'])}", band


def _share(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else naming.percent(value)


def _cell(value: float) -> str:
    return "" if value < 0.0005 else naming.percent(value)


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, and an empty line."""
    clean = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(row) + " |" for row in clean),
        "",
    ]

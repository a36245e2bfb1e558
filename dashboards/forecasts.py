"""Dated forecasts on the page Validation: what was written down of a scenario's end, beside where the documents then
see the actors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import reacton.ipyvuetify as rv
import solara

from dashboards import charts, parts, picture, stage, state
from dashboards.fields import Button
from dashboards.stage import Cast
from dashboards.tables import Column, Row, Table, cell
from sim import forecast, store
from sim.errors import BadInput, FolderProblem
from sim.naming import capital, number, percent, spaced
from sim.observed import Place, places
from sim.scenario import nearest
from sim.scores import ranked_probability

MOST_BYTES = 20_000_000
KEYS = ("scenario", "title", "made", "runs", "seed", "from", "to", "turns", "command", "outcomes", "ladders", "acts")


def written(folder: Path) -> dict[str, Path]:
    """Forecasts by id: those under DIR (`./name`), then those where `tightrope forecast` writes them, which lie below
    the folder that the dashboard was started in. Each is two files of one name."""
    own, others = (sorted(place.glob("*.json")) if place.is_dir() else [] for place in (folder, forecast.FOLDER))
    found = {f"./{path.stem}": path for path in own} | {path.stem: path for path in others}
    return {name: path for name, path in found.items() if path.with_suffix(".md").is_file()}


def read(path: Path) -> dict[str, Any]:
    """What was written down. Raises FolderProblem for what is no forecast."""
    with store.storage(path):
        if not path.is_file():
            raise FolderProblem(f"{path}: it is no longer there.")
        if path.stat().st_size > MOST_BYTES:
            raise FolderProblem(f"{path}: is larger than any forecast.")
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        told = json.loads(text)
        missing = [key for key in KEYS if key not in told]
    except (ValueError, TypeError, RecursionError):
        raise FolderProblem(f"{path}: is no JSON that can be read; remove it, or forecast again.") from None
    whole = isinstance(told, dict) and not missing and all(isinstance(told[key], int) for key in ("runs", "turns"))
    if not whole or not all(isinstance(told[key], list) for key in ("outcomes", "ladders", "acts")):
        raise FolderProblem(f"{path}: is no forecast: it lacks {', '.join(missing) or 'what one holds'}.")
    return told


@solara.component
def Listed(go: parts.Go) -> None:
    """The forecasts that there are."""
    found = solara.use_memo(lambda: written(state.library().folder), [])
    rv.Html(tag="h2", class_="heading", children=["Forecasts that were written down"])
    if not found:
        parts.Note(text="There are none here. A forecast is made once, in a terminal, before anyone compares it:",
                   more=[f"tightrope forecast year-one --out {state.library().folder / 'year-one.md'}"])  # fmt: skip
        return
    rows = []
    for name, path in found.items():
        try:
            told = read(path)
            cells = [name, str(told["title"]), str(told["made"]), f"{told['runs']:,}", str(told["to"])]
            rows.append(Row(cells, [*cells[:3], told["runs"], cells[4]], name))
        except (FolderProblem, TypeError, ValueError) as error:
            rows.append(Row([name, "", "", "", ""], problem=f"{error}"))
    Table("Forecasts", [Column("Forecast"), Column("Title"), Column("Made"), Column("Runs", True), Column("Of")],
          rows, on_open=lambda key: go("validation", state.Query().with_(forecast=key)))  # fmt: skip


@solara.component
def One(name: str, go: parts.Go) -> None:
    """A forecast, and what the documents say of the date that it speaks of."""
    known = written(state.library().folder)
    if name not in known:
        raise BadInput(f"There is no forecast “{name[:100]}”{nearest(name, known)}.")
    path = known[name]
    told = solara.use_memo(lambda: read(path), [str(path)])
    seen, failed, busy = parts.use_work(lambda: observed(told), [str(path)])
    with solara.Div(classes=["tightrope-head"]):
        rv.Html(tag="h1", class_="heading", children=[str(told["title"])])
        solara.Text(
            f"{name} · made on {told['made']}, once: {told['runs']:,} runs from {told['from']} to {told['to']}, seed "
            f"{told['seed']}",
            classes=["muted"],
        )
        Button("All hindcasts and forecasts", lambda: go("validation"), plain=True)
    with solara.Div(classes=["panel"]):
        rv.Html(tag="h2", class_="heading", children=[f"Ladders: foreseen, and observed in {told['to']}"])
        if failed is not None:
            parts.Note(text=parts.told(failed), kind="error",
                       more=["What was foreseen is shown below without what the documents see."])  # fmt: skip
        if busy:
            parts.Note(text="Reading what the documents say …", kind="wait")
        else:
            Places(told, *(seen or ({}, None)))
    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            Outcomes(told)
        with solara.Div(classes=["panel"]):
            Acts(told, None if seen is None else seen[1])


def observed(told: Mapping[str, Any]) -> tuple[dict[str, Place], Cast]:
    """Where the documents see the actors at the end of a forecast, by the path of the ladder; and the names behind its
    scenario. Raises BadInput where that is not in the list."""
    ready = state.Subject(scenario=str(told["scenario"])).ready()
    found = places(ready.scenario, ready.compiled, int(told["turns"]))
    seen = {ready.compiled.paths[place.slot]: place for place in found if place.date == told["to"]}
    return seen, stage.cast(ready)


def compared(told: Mapping[str, Any], seen: Mapping[str, Place]) -> list[dict[str, Any]]:
    """A row a ladder: path, start, median, likeliest rungs; observed, the share of runs there and the ranked
    probability score (0 the best) where the documents say, else None."""
    found = []
    for row in told["ladders"]:
        place, names = seen.get(row["path"]), list(row["rungs"])
        shares = np.array([row["rungs"][name] for name in names])
        said: dict[str, Any] = {"path": row["path"], "start": row["start"], "median": row["median"],
                                "observed": None, "share": None, "score": None, "basis": None}  # fmt: skip
        if place is not None and list(place.rungs) == names:  # the ladder may have changed since
            counts = np.rint(shares * told["runs"]).astype(np.int64)
            rungs = np.repeat(np.arange(len(names)), counts)
            low, high = place.rungs[place.low], place.rungs[place.high]
            said |= {
                "observed": low if low == high else f"{low} to {high}",
                "share": float(shares[place.low : place.high + 1].sum()),
                "score": ranked_probability(rungs, place.low, place.high, len(names) - 1),
                "basis": place.basis,
            }
        top = sorted(row["rungs"].items(), key=lambda one: -one[1])[:3]
        said["likeliest"] = ", ".join(f"{spaced(rung)} {percent(share)}" for rung, share in top if share >= 0.005)
        found.append(said)
    return found


@solara.component
def Places(told: Mapping[str, Any], seen: Mapping[str, Place], names: Cast | None) -> None:
    """The ladders, those that can be compared first. names: None where the scenario is not there any more."""
    dark = picture.is_dark()
    rows = [row | {"title": _ladder(row["path"], names)} for row in compared(told, seen)]
    rows.sort(key=lambda row: (row["observed"] is None, row["title"]))
    scored = [row for row in rows if row["observed"] is not None]
    if scored:
        picture.Picture(
            charts.scoreboard([_score(row) for row in scored], "Share of runs foreseen where the documents see each",
                              dark, 330, True),
            "Where the documents see the actors: the share of runs that the forecast put there",
            lambda: pa.Table.from_pylist(scored),
            charts.row_height(len(scored), 72),
        )  # fmt: skip
        mean = sum(row["score"] for row in scored) / len(scored)
        parts.Note(text=f"Mean ranked probability score of these {len(scored)}: {mean:.4f} (0 the best, 1 the worst).")
    else:
        parts.Note(text="The documents tell no position of an actor of this scenario at that date.")
    Table(
        "Ladders foreseen",
        [Column("Ladder"), Column("Began at"), Column("Foreseen: median"), Column("Likeliest at the end"),
         Column("Observed"), Column("Share there", True), Column("Score", True)],
        [Row([row["title"], spaced(row["start"]), spaced(row["median"]), row["likeliest"],
              "" if row["observed"] is None else f"{spaced(row['observed'])} ({row['basis']})",
              cell(row["share"], percent), cell(row["score"], lambda value: f"{value:.4f}")],
             [row["title"], row["start"], row["median"], row["likeliest"], row["observed"] or "",
              *(-1.0 if row[key] is None else row[key] for key in ("share", "score"))])
         for row in rows],
        filtered=len(rows) > 12,
    )  # fmt: skip


def _score(row: Mapping[str, Any]) -> charts.Score:
    label = f"{row['title']}: {spaced(row['observed'])}"
    return charts.Score(
        label, row["share"], {}, f"{label} ({row['basis']})\nforeseen in {percent(row['share'])} of runs"
    )


def _ladder(path: str, names: Cast | None) -> str:
    """Whose ladder it is, and which."""
    owner, ladder = path.split(".")[0], path.split(".")[-1]
    if names is None or path not in names.titles:  # the scenario may have changed since
        return f"{capital(spaced(owner))}, {spaced(ladder)}"
    title = names.words.scenario.indicators[ladder].title or spaced(ladder)
    return f"{names.title(owner)}: {title}"


@solara.component
def Outcomes(told: Mapping[str, Any]) -> None:
    """The answers that were foreseen."""
    rows: Sequence[Mapping[str, Any]] = told["outcomes"]
    Table(
        "Outcomes foreseen",
        [Column("Outcome foreseen"), Column("Answer"), Column("How sure"), Column("Parameters' part of it", True)],
        [Row([str(row["title"]), *_answer(row), cell(row["by_parameters"], percent)],
             [str(row["title"]), *_answer(row), row["by_parameters"] or 0.0]) for row in rows],
        filtered=len(rows) > 12,
    )  # fmt: skip


def _answer(row: Mapping[str, Any]) -> tuple[str, str]:
    if row["kind"] == "yes/no":
        return f"yes in {percent(row['share'])}", f"{percent(row['low'])} to {percent(row['high'])}"
    if row["median"] is None:
        return "in no run", ""
    return f"median {number(row['median'])}", f"90% of runs {number(row['q05'])} to {number(row['q95'])}"


@solara.component
def Acts(told: Mapping[str, Any], names: Cast | None) -> None:
    """How often each act was foreseen. names: None where the scenario is not there any more."""
    rows: Sequence[Mapping[str, Any]] = told["acts"]
    Table(
        "Acts foreseen",
        [Column("Actor"), Column("Act"), Column("A run", True), Column("In runs", True)],
        [Row([*_act(row, names), f"{row['a_run']:.2f}", percent(row["runs"] / row["of"])],
             [*_act(row, names), row["a_run"], row["runs"] / row["of"]]) for row in rows],
        filtered=True,
        sort=(2, True),
    )  # fmt: skip


def _act(row: Mapping[str, Any], names: Cast | None) -> tuple[str, str]:
    """Who did what."""
    if names is None or row["actor"] not in names.actors or row["action"] not in names.plover:
        told = f"{row['action']} {row['target'] or ''}".strip()
        return capital(spaced(row["actor"])), spaced(told)
    return names.title(row["actor"]), names.words.option((row["action"], row["target"]))

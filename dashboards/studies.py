"""Studies: started, watched, stopped and resumed; what each says of its outcomes, with runs as examples."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import reacton.ipyvuetify as rv
import solara
import solara.lab

from dashboards import charts, jobs, pages, parts, picture, state
from dashboards.compare import new_folder
from dashboards.fields import Button, Choice, Whole
from dashboards.runs import Course, OneRun
from dashboards.tables import Column, Row, Scrolled, Table, cell
from sim import data, runs, study, sweep, swept
from sim.errors import BadInput, FolderProblem
from sim.naming import axis_titles, capital, number, percent
from sim.scenario import verb

PAGE = pages.Page("studies", "Studies", "mdi-chart-scatter-plot", 50)

BASE = study.BASE
BARS = 15  # of a tornado
PULSE = 1.0  # seconds between two looks at a folder
FAILURES = 50  # runs that failed, shown
AT_ONCE = 20_000  # runs up to which an analysis begins by itself


@solara.component
def View(query: state.Query, go: parts.Go) -> None:
    """All studies, or the one that the address names."""
    if query.get("study"):
        One(query, go).key(query.get("study"))
    else:
        All(query, go)


# ---------------------------------------------------------------------------------------------------------- all studies


@solara.component
def All(query: state.Query, go: parts.Go) -> None:
    """The form by which a study is started, and the studies that there are."""
    library = state.library()
    known = solara.use_memo(lambda: studies(library.folder), [])
    chosen, choose = solara.use_state(query.get("of", next(iter(known), "")))
    workers, set_workers = solara.use_state(runs.cores())
    problem, tell = solara.use_state("")
    if chosen and chosen not in known:
        raise BadInput(f"There is no study file “{chosen[:100]}”.")
    told, wrong, busy = parts.use_work(lambda: foretold(known[chosen]) if chosen else None, [chosen])

    def begin() -> None:
        folder = new_folder(library.folder, known[chosen].stem, jobs.begun())
        library.folder.mkdir(parents=True, exist_ok=True)
        jobs.begin(known[chosen], folder, workers)
        go("studies", state.Query().with_(study=folder.name))

    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h1", class_="heading", children=["Start a study"])
            Choice("Study", chosen, {name: name for name in known}, choose)
            if wrong is not None:
                parts.Note(text=parts.told(wrong), kind="error", more=["Mend the file, then choose it again."])
            elif busy or told is None:
                parts.Note(text="Trying a few of its runs …", kind="wait")
            else:
                Foretold(*told)
            Whole("Workers", workers, 1, max(runs.cores(), 1), set_workers, words="processes")
            Button("Start", parts.guarded(begin, tell), disabled=told is None or wrong is not None)
            if problem:
                parts.Note(text=problem, kind="error")
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h2", class_="heading", children=[f"Studies under {library.folder}"])
            Listed(go)


def studies(folder: Path) -> dict[str, Path]:
    """Study files by id: those under DIR (`./name`), then the shipped ones."""
    own = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    shipped = sorted((data.scenarios() / "studies").glob("*.yaml"))
    return {f"./{path.stem}": path for path in own if state.asks_study(path)} | {path.stem: path for path in shipped}


def foretold(path: Path) -> tuple[sweep.Forecast, dict[str, str]]:
    """What a study would take, and what each number that it varies is called. Raises Problems."""
    forecast = sweep.check(path)
    return forecast, axis_titles(study.load(path).scenario, [axis["path"] for axis in forecast.axes])


@solara.component
def Foretold(forecast: sweep.Forecast, titles: Mapping[str, str]) -> None:
    """What a study would take."""
    axes = [
        f"{capital(titles[axis['path']])}: {_span(axis)}{' (a choice)' if axis['lever'] else ''}"
        for axis in forecast.axes[:12]
    ]
    if len(forecast.axes) > 12:
        axes.append(f"and {len(forecast.axes) - 12} more")
    size = f"{forecast.bytes / 1e6:,.0f} MB" if forecast.bytes >= 1e6 else f"{forecast.bytes / 1e3:,.0f} kB"
    with Scrolled("What it varies"):
        parts.Note(
            text=f"{forecast.title}: {forecast.runs:,} runs of {forecast.scenario} ({forecast.points:,} points by "
            f"{forecast.design}, {forecast.replicates} replicates"
            + (f", {len(forecast.variants)} variants" if len(forecast.variants) > 1 else "")
            + f"), about {jobs.spoken(forecast.seconds)} and {size}.",
            more=["It varies:", *axes, *forecast.notes],
        )


def _span(axis: Mapping[str, Any]) -> str:
    if axis["choices"]:
        return ", ".join(one if isinstance(one, str) else number(one) for one in axis["choices"])
    return f"{number(axis['low'])} to {number(axis['high'])}"


@solara.component
def Listed(go: parts.Go) -> None:
    """The studies under DIR, and those that did not come so far."""
    looked, look = solara.use_state(0)
    library = state.library()
    entries = solara.use_memo(lambda: library.entries(state.STUDY), [looked])
    rows = []
    for entry in entries:
        if entry.problem:
            rows.append(Row([entry.id, "", "", "damaged"], problem=f"{entry.problem}. Remove the folder."))
            continue
        try:
            now = jobs.standing(entry.path)
        except FolderProblem as gone:
            rows.append(Row([entry.id, "", "", "gone"], problem=str(gone)))
            continue
        share = now.done / max(now.runs, 1)
        rows.append(Row([entry.id, str(entry.manifest["title"]), f"{now.runs:,}", now.words],
                        [entry.id, str(entry.manifest["title"]), now.runs, share], entry.id))  # fmt: skip
    for folder in jobs.begun():
        if folder.parent == library.folder:
            now = jobs.standing(folder)
            rows.append(Row([folder.name, "", "", now.words], key=folder.name, problem=now.problem))
    with solara.Div(classes=["tightrope-row"]):
        Button("Look again", lambda: look(looked + 1), plain=True)
    if not rows:
        parts.Note(text="There are no studies here yet.", more=[
            "Choose one above or on the left and press Start: it goes on when this page is closed, and is found here.",
            f"A study of your own is a YAML file in {library.folder}; it is then in the list of choices.",
        ])  # fmt: skip
        return
    Table("Studies", [Column("Folder"), Column("Title"), Column("Runs", True), Column("State")], rows,
          filtered=len(rows) > 8, on_open=lambda key: go("studies", state.Query().with_(study=key)))  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- one study


@solara.component
def One(query: state.Query, go: parts.Go) -> None:
    """One study: how far it is, and what it says."""
    name = query.get("study")
    folder, first = solara.use_memo(lambda: _looked_up(name), [name])
    now, set_now = solara.use_state(first)
    gone, set_gone = solara.use_state("")
    problem, tell = solara.use_state("")

    async def follow() -> None:
        while True:
            await asyncio.sleep(PULSE)
            try:
                set_now(await asyncio.to_thread(jobs.standing, folder))
                set_gone("")
            except FolderProblem as error:
                set_gone(f"{error} It was removed while it was looked at; go back to all studies.")

    solara.lab.use_task(follow, dependencies=[str(folder)], raise_error=False)
    if gone:
        parts.Note(text=gone, kind="error")
        Button("All studies", lambda: go("studies"), plain=True)
        return

    def resume() -> None:
        jobs.begin(folder / swept.STUDY, folder, None, resume=True)
        set_now(jobs.standing(folder))

    manifest = state.library().entry(name, state.STUDY).manifest if now.begun else {}
    with solara.Div(classes=["tightrope-head"]):
        rv.Html(tag="h1", class_="heading", children=[str(manifest.get("title", name))])
        solara.Text(f"{name} · {now.words}", classes=["muted"])
        if now.running:
            Button("Stop", parts.guarded(lambda: jobs.stop(folder), tell))
        elif now.begun and not now.complete:
            Button("Resume", parts.guarded(resume, tell))
        elif now.failed:
            Button("Try the failed runs again", parts.guarded(resume, tell))
        Button("All studies", lambda: go("studies"), plain=True)
    if now.begun:
        Progress(done=now.done, runs=now.runs, words=now.words)
    for told in (problem, now.problem):
        if told:
            parts.Note(text=told, kind="error")
    if now.failed:
        Failures(folder, now.failed)
    if now.begun and now.done:
        Said(query, go, folder, dict(manifest), now, parts.guarded(resume, tell))
    elif now.begun:
        parts.Note(text="No run is done yet. What the study says appears here as soon as there are some."
                   if now.running else "It holds no runs yet: press Resume.")  # fmt: skip
    elif not now.running:
        parts.Note(text="It ended before its first run, and nothing of it was kept: go back and start it again.")


def _looked_up(name: str) -> tuple[Path, jobs.Standing]:
    """A study's folder, also of one that is being prepared, and how far it is. Raises BadInput, FolderProblem."""
    library = state.library()
    preparing = {path.name: path for path in jobs.begun() if path.parent == library.folder}
    folder = preparing[name] if name in preparing else library.entry(name, state.STUDY).path
    return folder, jobs.standing(folder)


@solara.component_vue("vue/progress.vue")
def Progress(done: int, runs: int, words: str) -> None:
    """A bar of what is done."""


@solara.component
def Failures(folder: Path, count: int) -> None:
    """The first runs that failed, and why."""
    rows, error, _ = parts.use_work(
        lambda: swept.open_sweep(folder).failures.slice(0, FAILURES).to_pylist(), [str(folder), count]
    )
    if error is not None:
        parts.Note(text=parts.told(error), kind="error")
    with solara.Div(classes=["panel"]):
        Table(
            f"Runs that failed{f' (the first {FAILURES} of {count:,})' if count > FAILURES else ''}",
            [Column("Run that failed"), Column("Variant"), Column("Point", True), Column("Why")],
            [Row([str(row["run"]), row["variant"], str(row["point"]), row["message"]],
                 [row["run"], row["variant"], row["point"], row["message"]]) for row in rows or ()],
        )  # fmt: skip


@solara.component
def Said(
    query: state.Query, go: parts.Go, folder: Path, manifest: dict[str, Any], now: jobs.Standing,
    on_resume: Callable[[], Any],
) -> None:  # fmt: skip
    """The study's question, its outcomes, and what it says of one of them."""
    name = query.get("study")
    outcomes = manifest["outcomes"]
    asked = query.get("outcome")
    if asked and asked not in outcomes:
        raise BadInput(f"The study asks for no outcome “{asked[:80]}”; it asks for {', '.join(outcomes)}.")
    chosen, choose = solara.use_state(asked)
    run, set_run = solara.use_state(query.whole("n", -1, 0, max(int(manifest["runs"]) - 1, 0)))
    turn, set_turn = solara.use_state(query.whole("turn", runs.MOST_TURNS, 0, runs.MOST_TURNS))
    asked_at, want = solara.use_state(0)  # how many runs were done when the analysis was asked for
    wanted = asked_at > 0 or (now.complete and manifest["runs"] <= AT_ONCE)
    at = asked_at if now.running else now.done  # while it runs, not with every shard
    library = state.library()
    means, lost, _ = parts.use_work(
        lambda: library.made(("means", folder, now.done, now.running), lambda: means_of(folder)),
        [str(folder), now.done, now.running],
    )
    first = means.most if means is not None else next(iter(outcomes)) if lost is not None else ""
    outcome = chosen or first
    # It stays, although another may vary more when more runs are done.
    solara.use_effect(lambda: choose(first) if first and not chosen else None, [first])

    def note(**changes: Any) -> None:
        here = state.Query().with_(study=name, outcome=outcome, n=run if run >= 0 else None)
        here = here.with_(turn=turn if run >= 0 and turn < runs.MOST_TURNS else None)
        go.note(here.with_(**changes))

    def to_outcome(new: str) -> None:
        choose(new)
        note(outcome=new)

    def to_run(new: int) -> None:
        set_run(new)
        note(**({"n": new} if new >= 0 else {"n": None, "turn": None}))

    def to_turn(new: int) -> None:
        set_turn(new)
        note(turn=new)

    found, failed, busy = parts.use_work(
        lambda: (
            library.made(("said", folder, at, outcome), lambda: jobs.analysis(folder, outcome))
            if wanted and outcome
            else None
        ),
        [str(folder), at, outcome, wanted],
    )

    def example() -> None:
        if run >= 0:
            Example(folder, run, turn, to_run, to_turn, go).key(f"run {run}")

    with solara.Div(classes=["panel"]):
        parts.Note(text=str(manifest.get("question") or "").strip())
        for error in (lost, failed):
            if error is not None:
                parts.Note(text=parts.told(error), kind="error",
                           more=["Damaged or missing runs can be done again; the others are kept."])  # fmt: skip
        if (lost or failed) and not now.running:
            Button("Do the damaged runs again", on_resume)
        if means is not None:
            Means(means.by_variant, manifest, outcome, to_outcome)
        with solara.Div(classes=["tightrope-row"]):
            Choice(
                "What the study says of", outcome, {key: told["title"] for key, told in outcomes.items()}, to_outcome
            )
            if not wanted:
                Button(f"Analyse the {now.done:,} runs that are done", lambda: want(now.done))
        if wanted and busy:
            parts.Note(text=f"Analysing {now.done:,} runs; that may take up to a minute …", kind="wait")
    if found is not None and wanted and not busy:
        Answer(found, outcome, to_run, example)
    else:
        example()


@dataclass(frozen=True)
class Average:
    """Means of outcomes, by variant and outcome. most: the outcome that varies most, relative to its own range."""

    by_variant: Mapping[str, Mapping[str, float | None]]
    most: str


def means_of(folder: Path) -> Average:
    """Means over the runs that are done, read lazily. Raises FolderProblem, naming damaged shards."""
    import duckdb

    of = swept.open_sweep(folder)
    try:
        spread = of.spread()
        return Average(of.means(), max(spread, key=lambda name: spread[name]))
    except duckdb.Error:
        damaged = ", ".join(path.name for path in of.damage()) or "a shard went away"
        raise FolderProblem(f"{folder}: damaged: {damaged}.") from None


@solara.component
def Means(
    means: Mapping[str, Mapping[str, float | None]], manifest: Mapping[str, Any], outcome: str,
    on_open: Callable[[str], Any],
) -> None:  # fmt: skip
    """Every outcome's mean by variant."""
    variants = [name for name in manifest["variants"] if name in means]
    rows = []
    for name, told in manifest["outcomes"].items():
        values = [means[variant][name] for variant in variants]
        shown = ["" if value is None else (percent if told["yes_or_no"] else number)(value) for value in values]
        rows.append(Row([told["title"], *shown], [told["title"], *(value or 0.0 for value in values)], name))
    heads = ["share or mean"] if len(variants) == 1 else [manifest["variants"][name] for name in variants]
    Table("Outcomes over all runs that are done", [Column("Outcome"), *(Column(capital(head), True) for head in heads)],
          rows, chosen=outcome, on_open=on_open)  # fmt: skip


# ------------------------------------------------------------------------------------------------- what it says


@solara.component
def Answer(found: Mapping[str, Any], outcome: str, on_run: Callable[[int], Any], example: Callable[[], None]) -> None:
    """What was found of an outcome: in sentences, pictures and example runs. example: draws the run that is open."""
    dark = picture.is_dark()
    told = found["outcomes"][0]
    axes = {axis["path"]: axis for axis in found["axes"]}
    shares = told["kind"] == "yes/no"
    whole = told["overall"][BASE]["mean"]
    swings = swings_of(told, axes)
    curves = list(dict.fromkeys(row["axis"] for row in told["responses"]))
    along, set_along = solara.use_state(None)
    axis = along if along in curves else next(iter(curves), None)
    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h2", class_="heading", children=[told["title"]])
            boxed = {box["words"] for box in told["boxes"]["found"]}  # they stand below, with their runs
            parts.Note(text="What the study says", more=[one for one in told["sentences"] if one not in boxed])
            if found["notes"]:
                parts.Note(text="Before reading on", more=found["notes"])
            Boxes(told, axes, on_run, dark)
            example()
            Choices(told)
        with solara.Div(classes=["panel"]):
            if swings and whole is not None:
                picture.Picture(
                    charts.tornado(swings, whole, shares, dark, room=260),
                    "What moves it most: from the low end of an axis (hollow) to its high end (filled)",
                    lambda: pa.Table.from_pylist([vars(swing) for swing in swings]),
                    height=charts.row_height(len(swings)), on_click=lambda path: set_along(path),
                )  # fmt: skip
            else:
                parts.Note(text="No axis moves this outcome beyond chance.")
            if axis is not None:
                Choice("Along", axis, {path: capital(axes[path]["title"]) for path in curves}, set_along)
                lines = responses_of(told, found["variants"], axis, axes[axis])
                picture.Picture(
                    charts.responses(lines, axes[axis]["title"], shares, axes[axis]["labels"], dark),
                    f"{'Share' if shares else 'Mean'} along the axis, with its 95% interval",
                    lambda: lines_table(lines, axes[axis]),
                    height=280,
                )  # fmt: skip
            Surface(told, axes, shares, dark)
    with solara.Div(classes=["panel"]):
        Strengths(told, axes)


def swings_of(told: Mapping[str, Any], axes: Mapping[str, Mapping[str, Any]]) -> list[charts.Swing]:
    """The bars of the tornado, as the printed figure chooses them: those that are not chance alone, longest first."""
    levels: dict[str, list[Mapping[str, Any]]] = {}
    for row in told["responses"]:
        if row["variant"] == BASE:
            levels.setdefault(row["axis"], []).append(row)
    found = []
    for strength in told["indices"]["axes"]:
        path, moved = strength["axis"], strength["end_to_end"]
        by_chance = moved is not None and moved["low"] is not None and moved["low"] <= 0 <= moved["high"]
        if by_chance and not (strength["first_low"] or 0) > 0:
            continue
        means = [row["mean"] for row in levels.get(path, [])]
        if len(means) < 2 or any(mean is None for mean in means):
            continue
        found.append(charts.Swing(axes[path]["title"], path, means[0], means[-1], min(means), max(means),
                                  bool(axes[path]["labels"])))  # fmt: skip
    found.sort(key=lambda swing: swing.low - swing.high)
    return [swing for swing in found[:BARS] if swing.high > swing.low]


def responses_of(
    told: Mapping[str, Any], variants: Mapping[str, str], path: str, axis: Mapping[str, Any]
) -> list[charts.Response]:
    """One line a variant: the smooth curve where there is one, else the levels."""
    found = []
    for name, title in variants.items():
        tips = [one["at"] for one in told["tipping_points"] if one["variant"] == name and one["axis"] == path]
        smooth = [one for one in told["curves"] if one["variant"] == name and one["axis"] == path]
        rows = [row for row in told["responses"] if row["variant"] == name and row["axis"] == path]
        if smooth:
            of = smooth[0]
            at, mean, low, high = (
                [math.nan if value is None else value for value in of[key]] for key in ("at", "mean", "low", "high")
            )
            found.append(charts.Response(title, at, mean, low, high, levels=False, tipping=tips))
        elif rows:
            at = [axis["labels"].index(row["value"]) if axis["labels"] else _middle(row) for row in rows]
            mean, low, high = ([math.nan if row[key] is None else row[key] for row in rows]
                               for key in ("mean", "mean_low", "mean_high"))  # fmt: skip
            found.append(charts.Response(title, at, mean, low, high, levels=True, tipping=tips))
    return found


def lines_table(lines: Sequence[charts.Response], axis: Mapping[str, Any]) -> pa.Table:
    """What is drawn along an axis: variant, the axis, mean, low, high, a row a point."""
    labels = axis["labels"]
    return pa.Table.from_pylist([
        {"variant": line.name, axis["path"]: labels[int(at)] if labels else at, "mean": mean, "low": low, "high": high}
        for line in lines for at, mean, low, high in zip(line.at, line.mean, line.low, line.high, strict=True)
    ])  # fmt: skip


def _middle(row: Mapping[str, Any]) -> float:
    return float(row["value"])


@solara.component
def Surface(told: Mapping[str, Any], axes: Mapping[str, Mapping[str, Any]], shares: bool, dark: bool) -> None:
    """The outcome over its two strongest axes."""
    of = told["surface"]
    if of is None:
        return
    mean = [[math.nan if value is None else value for value in row] for row in of["mean"]]
    known = [value for row in mean for value in row if not math.isnan(value)]
    heights: Sequence[float] = ()
    if of["whole"] and min(len(of["x"]), len(of["y"])) >= 4 and len(known) == len(of["x"]) * len(of["y"]):
        low, high = min(known), max(known)
        heights = (0.5,) if shares and low < 0.5 < high else tuple(low + (high - low) * k / 4 for k in (1, 2, 3))
    picture.Picture(
        charts.heatmap(of["x"], of["y"], mean, axes[of["across"]]["title"], axes[of["up"]]["title"], shares, heights,
                       dark),
        "Over its two strongest axes",
        lambda: pa.Table.from_pylist([
            {of["across"]: x, of["up"]: y, "mean": value} for y, row in zip(of["y"], of["mean"], strict=True)
            for x, value in zip(of["x"], row, strict=True)
        ]),
        height=max(200, min(400, 60 + 34 * len(of["y"]))),
    )  # fmt: skip


@solara.component
def Boxes(
    told: Mapping[str, Any], axes: Mapping[str, Mapping[str, Any]], on_run: Callable[[int], Any], dark: bool
) -> None:
    """Where the runs of interest are found, in sentences with links to example runs."""
    found = told["boxes"]["found"]
    if not found:
        return
    rv.Html(tag="h2", class_="heading", children=["Where it is found"])
    for n, box in enumerate(found, 1):
        parts.Note(text=f"Box {n}. {box['words']}")
        with solara.Div(classes=["tightrope-row"]):
            solara.Text("Example runs:", classes=["muted"])
            for run in box["example_runs"]:
                Button(f"run {run}", partial(on_run, run), plain=True)
    rows = ranges_of(found, axes)
    if rows:
        picture.Picture(charts.boxes(rows, dark, room=260), "The part of each axis that is in a box",
                        lambda: boxes_table(found, axes),
                        height=charts.row_height(len(rows)))  # fmt: skip


def ranges_of(boxes: Sequence[Mapping[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> list[charts.Range]:
    """The bounded axes of the boxes."""
    found = []
    for n, box in enumerate(boxes, 1):
        for bound in box["bounds"]:
            axis = axes[bound["axis"]]
            low = axis["low"] if bound["low"] is None else bound["low"]
            high = axis["high"] if bound["high"] is None else bound["high"]
            members = [axis["labels"].index(value) for value in bound["values"] or ()]
            found.append(charts.Range(n, axis["title"], low, high, axis["low"], axis["high"], axis["labels"], members))
    return found


def boxes_table(boxes: Sequence[Mapping[str, Any]], axes: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    """box, axis, low, high (None: not bounded there), values (of an axis of words), and the axis' own ends."""
    return pa.Table.from_pylist([
        {"box": n, "axis": bound["axis"], "low": bound["low"], "high": bound["high"],
         "values": " ".join(bound["values"] or ()), "axis_low": axes[bound["axis"]]["low"],
         "axis_high": axes[bound["axis"]]["high"]}
        for n, box in enumerate(boxes, 1) for bound in box["bounds"]
    ])  # fmt: skip


@solara.component
def Choices(told: Mapping[str, Any]) -> None:
    """How each choice does across what nobody chooses; a star marks the best, where it differs beyond chance."""
    alike = any(sentence.endswith("makes no difference beyond chance.") for sentence in told["sentences"])
    for one in told["robustness"]:
        who = "to happen" if one["wanted"] else "not to happen"
        if told["kind"] != "yes/no":
            who = "high" if one["wanted"] else "low"
        show = percent if told["kind"] == "yes/no" else number
        Table(
            f"For whoever wants it {who}",
            [Column(f"Choice, for whoever wants it {who}"), Column("Mean", True), Column("Worst tenth", True),
             Column("Most regret", True)],
            [Row([f"{'★ ' if choice['choice'] == one['best'] and not alike else ''}{choice['choice']}",
                  *(cell(value, show) for value in (choice["mean"]["mean"], choice["worst"], choice["regret"]))],
                 [choice["choice"], *(value or 0.0 for value in
                                      (choice["mean"]["mean"], choice["worst"], choice["regret"]))])
             for choice in one["choices"]],
        )  # fmt: skip


@solara.component
def Strengths(told: Mapping[str, Any], axes: Mapping[str, Mapping[str, Any]]) -> None:
    """How much of the variance each axis explains."""
    indices = told["indices"]
    if not indices["axes"]:
        return
    Table(
        "How much of it each axis explains",
        [Column("Axis"), Column("Of the variance, by itself", True), Column("95% interval", True),
         Column("With its interactions", True), Column("Rank correlation", True)],
        [Row([capital(one["title"]), cell(one["first"], percent),
              "" if one["first_low"] is None else f"{percent(one['first_low'])} to {percent(one['first_high'])}",
              cell(one["total"], percent), cell(one["rank_correlation"], number)],
             [one["title"], *(one[key] or 0.0 for key in ("first", "first_low", "total", "rank_correlation"))])
         for one in indices["axes"]],
        filtered=len(indices["axes"]) > 12,
    )  # fmt: skip
    parts.Note(text=f"{capital(indices['method'])}. Source: {indices['source']}.")


@solara.component
def Example(
    folder: Path, run: int, turn: int, on_run: Callable[[int], Any], on_turn: Callable[[int], Any], go: parts.Go
) -> None:
    """One run of the study, done again with the numbers of its point."""
    found, error, busy = parts.use_work(lambda: example(folder, run), [str(folder), run])
    here = state.Query().with_(run=folder.relative_to(state.library().folder).as_posix(), n=run)

    def why(act: dict[str, Any]) -> None:
        go("why", here.with_(turn=act["turn"], actor=act["actor"], action=act["action"], target=act["target"] or None))

    with rv.Html(tag="section", class_="tightrope-example"):
        with solara.Div(classes=["tightrope-row"]):
            rv.Html(tag="h2", class_="heading", children=[f"Run {run}, done again"])
            Button("Watch it", lambda: go("watch", here))
            Button("Close", lambda: on_run(-1), plain=True)
        if error is not None:
            parts.Note(text=parts.told(error), kind="error")
        if busy or found is None:
            parts.Note(text=f"Doing run {run} again …" if error is None else "", kind="wait")
            return
        about, of = found
        told = [f"{path}: {value}" for path, value in list(about["parameters"].items())[:20]]
        with Scrolled("What it varies"):
            parts.Note(text=f"Variant {about['variant']}, point {about['point']}, replicate {about['replicate']}, "
                       f"seed {about['seed']}", more=told)  # fmt: skip
        Course(of, run, min(turn, of.data.states.num_rows - 1), on_turn, on_act=why)


def example(folder: Path, run: int) -> tuple[dict[str, Any], OneRun]:
    """What a run of a study was, and its tables, computed anew."""
    of = swept.open_sweep(folder)
    if not 0 <= run < of.runs:
        raise BadInput(f"{folder.name}: no run {run}; the study has runs 0 to {of.runs - 1}")
    ready, history = of.plan.one(run)
    about = of.plan.described(run)
    compiled, scenario = ready.compiled, ready.scenario
    recorded = runs.Run(folder, {
        "actors": {name: scenario.actors[name].title or name for name in compiled.actors},
        "actions": {name: verb(scenario, name) for name in compiled.actions},
        "ladders": {compiled.paths[s].split(".")[-1]: list(rungs) for s, rungs in compiled.ladders.items()},
        "paths": list(compiled.paths),
        "seed": about["seed"],
    })  # fmt: skip
    recorded.__dict__["prepared"] = ready  # a study's run has no folder of its own whose scenario could be read
    tables = ready.tables(history)
    return about, OneRun(runs.run_data(recorded, tables), ready, tables)

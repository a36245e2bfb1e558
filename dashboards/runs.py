"""Runs: every folder of results under DIR; of a run folder its ensemble, its outcomes, and one run against them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import reacton.ipyvuetify as rv
import solara

from dashboards import charts, pages, parts, picture, stage, state
from dashboards.fields import Button, Pick, Tick, Whole
from dashboards.tables import Column, Row, Table
from sim import analysis, apart, columns, figures, register, store
from sim import runs as running
from sim.arrays import LOWER, RAISE, TO
from sim.errors import BadInput, FolderProblem, UserError
from sim.figures import RunData
from sim.naming import capital, listed, number, percent, spaced
from sim.runs import Prepared
from sim.scenario import nearest

PAGE = pages.Page("runs", "Runs", "mdi-folder-open-outline", 30)

KINDS = {state.RUN: "run", state.STUDY: "study", state.COMPARISON: "comparison", state.HINDCAST: "hindcast"}
OPENS = {state.RUN: ("runs", "run"), state.STUDY: ("studies", "study"), state.COMPARISON: ("compare", "comparison"),
         state.HINDCAST: ("validation", "hindcast")}  # fmt: skip
PANELS = 9  # shown at first
MOST_PANELS = 30
Act = tuple[str, str, str | None]  # actor, action, target
DRAWN_OVER = "yes"  # of the address: one run is drawn over the bands


@solara.component
def View(query: state.Query, go: parts.Go) -> None:
    """The list of folders, or the folder that the address names."""
    if query.get("run"):
        Ensemble(query, go).key(query.get("run"))
    else:
        Folders(go)


# ------------------------------------------------------------------------------------------------------- all folders


@solara.component
def Folders(go: parts.Go) -> None:
    """Every folder under DIR, of whatever kind."""
    looked, look_again = solara.use_state(0)
    library = state.library()
    entries = solara.use_memo(library.entries, [looked])
    by_id = {entry.id: entry for entry in entries}

    def opened(key: str) -> None:
        entry = by_id.get(key)
        if entry is not None:
            page, name = OPENS.get(entry.kind, OPENS[state.RUN])
            go(page, state.Query().with_(**{name: entry.id}))

    with solara.Div(classes=["panel"]):
        with solara.Div(classes=["tightrope-picture-head"]):
            rv.Html(tag="h1", class_="heading", children=[f"Results under {library.folder}"])
            Button("Look again", lambda: look_again(looked + 1), plain=True)
        if not entries:
            parts.Note(text="There is nothing here yet.", more=[
                "Compare two scenarios, or start a study, on the pages of these names;",
                f"or type: tightrope run takeover-2021 --out {library.folder / 'first'}",
            ])  # fmt: skip
            return
        Table(
            "Folders",
            [Column("Folder"), Column("Kind"), Column("Title"), Column("Runs", True), Column("Seed", True),
             Column("Changed", True), Column("State")],
            [_folder_row(entry) for entry in entries],
            filtered=True,
            sort=(5, True),
            on_open=opened,
        )  # fmt: skip


def _folder_row(entry: state.Entry) -> Row:
    manifest = entry.manifest
    changed = datetime.datetime.fromtimestamp(entry.changed).astimezone()
    when = changed.strftime("%Y-%m-%d %H:%M")
    if entry.problem:
        mend = "It cannot be opened. Remove the folder, or make it anew by running the same again."
        return Row([entry.id, "?", "", "", "", when, "damaged"], [entry.id, "?", "", -1, -1, entry.changed, "damaged"],
                   None, f"{entry.problem}. {mend}")  # fmt: skip
    runs, seed = int(manifest.get("runs", 0)), manifest.get("seed")
    title = str(manifest.get("title") or "")
    if entry.kind == state.COMPARISON:
        title = f"{manifest['a']['label']} against {manifest['b']['label']}"
    standing = "complete" if entry.kind != state.STUDY or manifest.get("complete") else "unfinished"
    cells = [entry.id, KINDS.get(entry.kind, entry.kind), title, f"{runs:,}", str(seed if seed is not None else ""),
             when, standing]  # fmt: skip
    return Row(cells, [*cells[:3], runs, seed if isinstance(seed, int) else -1, entry.changed, standing], entry.id)


# ------------------------------------------------------------------------------------------------------ one folder


@solara.component
def Ensemble(query: state.Query, go: parts.Go) -> None:
    """A run folder: outcomes with intervals, bands, and one run against them."""
    folder = query.get("run")
    done = state.library().run(folder)
    last = int(done.manifest["turns"])
    run, set_run = solara.use_state(query.whole("n", 0, 0, max(done.runs - 1, 0)))
    turn, set_turn = solara.use_state(query.whole("turn", last, 0, last))
    over, set_over = solara.use_state(query.get("over", DRAWN_OVER) == DRAWN_OVER)
    shown, set_shown = solara.use_state(asked_for(query, done))
    mark = state.library().entry(folder, state.RUN).changed
    key = ("ensemble", folder, mark)

    summary, failed, busy = parts.use_work(lambda: state.library().made((*key, "summary"), done.summary), [*key])
    data, lost, waiting = parts.use_work(lambda: one_run(done, run), [*key, run])
    asks, _, _ = parts.use_work(lambda: state.library().made((*key, "asks"), lambda: deciding(done.prepared)), [*key])

    def noted(**new: Any) -> None:
        """The view as it is now, in the address."""
        view = {"run": run, "turn": turn, "over": over, "shown": shown} | new
        go.note(state.Query().with_(
            run=folder, n=view["run"] or None, turn=view["turn"], over=None if view["over"] else "no",
            show=None if view["shown"] is None else view["shown"] or ("",),
        ))  # fmt: skip

    def to(name: str, change: Callable[[Any], None]) -> Callable[[Any], None]:
        def changed(new: Any) -> None:
            change(new)
            noted(**{name: new})

        return changed

    to_turn = to("turn", set_turn)

    def why(act: Act | None = None) -> None:
        """To the decision in the run and turn that are looked at."""
        asked = {} if act is None else dict(zip(("actor", "action", "target"), act, strict=True))
        _why(go, folder, run, {"turn": max(turn, 1), "actor": None, "action": None, "target": None} | asked)

    with solara.Div(classes=["tightrope-head"]):
        rv.Html(tag="h1", class_="heading", children=[str(done.manifest["title"])])
        solara.Text(_facts(done), classes=["muted"])
        Button("All folders", lambda: go("runs"), plain=True)
        Button("Watch this run", lambda: go("watch", state.Query().with_(run=folder, n=run or None)))
    for problem in (failed, lost):
        if problem is not None:
            Damaged(problem, folder)
    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h2", class_="heading", children=["All runs"])
            if busy or summary is None:
                parts.Note(text="Reading the outcomes …" if failed is None else "", kind="wait")
            else:
                Outcomes(summary.outcomes, asks or {}, why)
        with solara.Div(classes=["panel"]):
            with solara.Div(classes=["tightrope-picture-head"]):
                rv.Html(tag="h2", class_="heading", children=["One run"])
                Button("Ask why, or why not", why, plain=True)
            if data is None:
                if lost is None:
                    parts.Note(text=f"Reading run {run} …", kind="wait")
                else:
                    parts.Note(text=f"Run {run} cannot be shown; what is wrong stands above.")
            else:
                Chooser(done.runs, run, to("run", set_run), over, to("over", set_over), waiting)
                Course(data, run, turn, to_turn, on_act=partial(_why, go, folder, run))
    if data is not None or lost is not None:
        drawn = data.data if data is not None and over else None
        Bands(done, key, drawn, run, turn, to_turn, shown, to("shown", set_shown))


def asked_for(query: state.Query, done: running.Run) -> tuple[str, ...] | None:
    """The indicators that the address names; None where it names none. Raises BadInput."""
    named = query.all("show")
    known = set(done.paths)
    for path in named:
        if path and path not in known:
            raise BadInput(f"There is no indicator “{path[:100]}” in {done.folder.name}{nearest(path, known)}.")
    return tuple(path for path in named if path)[:MOST_PANELS] if named else None


def _why(go: parts.Go, folder: str, run: int, act: dict[str, Any]) -> None:
    """To the decision card of an act."""
    go("why", state.Query().with_(run=folder, n=run or None, turn=act["turn"], actor=act["actor"],
                                  action=act["action"], target=act["target"] or None))  # fmt: skip


def _facts(done: running.Run) -> str:
    manifest = done.manifest
    changes = f", changed: {', '.join(manifest['sets'])}" if manifest["sets"] else ""
    dates, chosen = manifest["dates"], manifest.get("chosen") or {"actors": []}
    changes += " · numbers drawn from a parameter file" if manifest.get("parameters") else ""
    played = listed([manifest["actors"].get(name, name) for name in chosen["actors"]])
    changes += f" · players chose for {played}" if played else ""
    return (f"{done.folder.name} · {done.runs:,} run{'' if done.runs == 1 else 's'} from seed {manifest['seed']} · "
            f"{manifest['turns']} turns, {figures.spoken(dates[1])} to {figures.spoken(dates[-1])} · "
            f"policy {manifest['policy']}{changes}")  # fmt: skip


@solara.component
def Damaged(problem: BaseException, folder: str) -> None:
    """What is wrong with a folder, and what to do."""
    gone = isinstance(problem, FolderProblem) and "no such" in str(problem)
    mend = (
        ["The folder was removed while it was looked at; go back to all folders."]
        if gone
        else ["What else this page shows of it may still be right.",
              f"To make the folder anew, run the same again: its scenario and seed are in {folder}/scenario.yaml and "
              f"{folder}/manifest.json."]
    )  # fmt: skip
    parts.Note(text=parts.told(problem), kind="error", more=mend if isinstance(problem, UserError) else [])


@dataclass(frozen=True, eq=False)
class OneRun:
    """One run: what pictures are drawn from, and what sentences are made of (`stage.Record`). dealings: its tables."""

    data: RunData
    ready: Prepared
    dealings: Mapping[str, pa.Table]

    @property
    def events(self) -> pa.Table:
        return self.data.events

    @property
    def acts(self) -> pa.Table:
        return self.data.acts


def one_run(done: running.Run, run: int) -> OneRun:
    """One run's tables and the names behind them; of a folder that kept outcomes only, the run done again."""
    if done.complete:
        tables = {name: done.one(name, run) for name in dict.fromkeys((*running.DRAWN, *register.TABLES))}
        if not tables["states"].num_rows:
            raise FolderProblem(f"{done.folder}: the table states holds nothing of run {run}; the folder is damaged")
    else:
        tables = done.prepared.tables(running.again(done, run))
    return OneRun(running.run_data(done, tables), done.prepared, tables)


# ---------------------------------------------------------------------------------------------------- its parts


@solara.component
def Outcomes(summary: pa.Table, asks: Mapping[str, Act], on_ask: Callable[[Act], Any]) -> None:
    """The outcomes with their intervals: shares as a picture, numbers as a table. asks: see `deciding`; one that has
    an act leads to it."""
    dark = picture.is_dark()
    rows = summary.to_pylist()

    def ask(outcome: str) -> None:
        if outcome in asks:
            on_ask(asks[outcome])

    shares = [row for row in rows if row["kind"] == "yes/no"]
    numbers = [row for row in rows if row["kind"] == "number" and row["median"] is not None]
    if shares:
        picture.Picture(
            charts.outcomes(summary, dark, room=260),
            "Outcomes: share of the runs, with its 95% interval",
            lambda: summary,
            charts.row_height(len(shares)),
        )
    if asks:
        solara.Text("Choose an outcome to ask why, or why not, in the run and the turn beside.", classes=["muted"])
    if shares:
        Table(
            "Outcomes that are yes or no",
            [Column("Outcome"), Column("Runs", True), Column("Yes", True), Column("Share", True),
             Column("95% interval", True), Column("Typically", True)],
            [Row([row["title"], f"{row['runs']:,}", f"{row['yes']:,}", percent(row["share"]),
                  f"{percent(row['low'])} to {percent(row['high'])}",
                  figures.spoken(row["date"]) if row["date"] else ""],
                 [row["title"], row["runs"], row["yes"], row["share"], row["low"], row["date"] or ""],
                 row["outcome"] if row["outcome"] in asks else None)
             for row in shares],
            on_open=ask,
        )  # fmt: skip
    if numbers:
        Table(
            "Outcomes that are numbers",
            [Column("Outcome"), Column("Median", True), Column("90% of runs", True), Column("Mean", True),
             Column("95% interval", True)],
            [Row([row["title"], number(row["median"]), f"{number(row['q05'])} to {number(row['q95'])}",
                  number(row["mean"]), "" if row["low"] is None or np.isnan(row["low"]) else
                  f"{number(row['low'])} to {number(row['high'])}"],
                 [row["title"], row["median"], row["q05"], row["mean"], row["low"] or 0.0],
                 row["outcome"] if row["outcome"] in asks else None) for row in numbers],
            on_open=ask,
            tall=True,
        )  # fmt: skip
    if not rows:
        parts.Note(text="The scenario asks for no outcomes.")


def deciding(ready: Prepared) -> dict[str, Act]:
    """The act by which an outcome comes about, by outcome: the first that is counted, or the least that brings the
    indicator to its bound. None where several actors could do it, and where it is how things are at the start."""
    compiled = ready.compiled
    tables, found = compiled.tables, {}
    for question in ready.questions:
        rows = question.options
        up = question.at_least is not None
        bound = question.at_least if up else question.at_most
        if len(question.slots) == 1 and bound is not None and question.measure != ("min" if up else "max"):
            kinds, sign = ((RAISE, TO), 1) if up else ((LOWER, TO), -1)
            reaching = []
            for o, a in enumerate(tables.option_action[: len(compiled.options)]):
                for e in range(tables.effect_start[a], tables.effect_start[a + 1]):
                    slot = int(apart.references(tables, o, int(tables.effect_at[e]), 1)[0])
                    value = float(tables.effect_value[e])
                    if slot == question.slots[0] and tables.effect_kind[e] in kinds and sign * (value - bound) >= 0.0:
                        reaching.append((sign * value, o))
            rows = tuple(o for _, o in sorted(reaching))
        if rows and len({compiled.options[o][0] for o in rows}) == 1:
            found[question.name] = compiled.options[rows[0]]
    return found


@solara.component
def Chooser(
    runs: int, run: int, on_run: Callable[[int], None], over: bool, on_over: Callable[[bool], None], busy: bool
) -> None:
    """Which run is looked at, and whether it is drawn over the bands."""
    with solara.Div(classes=["tightrope-row"]):
        Whole("Run", run, 0, max(runs - 1, 0), on_run, busy=busy)
        Tick("draw it over the bands", over, on_over)


@solara.component
def Course(
    one: OneRun,
    run: int,
    turn: int,
    on_turn: Callable[[int], Any],
    on_act: Callable[[dict[str, Any]], Any] | None = None,
) -> None:
    """One run: its ladder turn by turn, and who did what."""
    dark, data = picture.is_dark(), one.data
    dates = charts.dates_of(data.states)
    groups = figures.ladder_groups(data)
    names = [path for path in data.ladders if groups and path.split(".")[-1] in groups[0]]
    with solara.Div(classes=["tightrope-row"]):
        Whole("Turn", turn, 0, len(dates) - 1, on_turn, words=dates[turn])
    if names:
        titles = {path: figures._alone(figures._actor(data, path.split(".")[0])) for path in names}
        rungs = {path: data.ladders[path] for path in names}
        picture.Picture(
            charts.ladder(data.states, rungs, titles, turn, dark, room=130),
            f"{capital(data.indicators.get(names[0], spaced(groups[0][0])))}: run {run}",
            lambda: data.states.select(["run", "turn", "date", *names]),
            charts.row_height(len(names), charts.LADDER_FOOT + 8),
            on_click=lambda cell: on_turn(int(cell["turn"])),
        )
    picture.Picture(
        charts.acts(data.acts, _titles(data), data.actions, dates, data.injects, data.events, turn, dark, room=130),
        f"Who did what: run {run}",
        lambda: data.acts,
        charts.row_height(len(set(data.acts["actor"].to_pylist())) + 1, 92),
        on_click=on_act,
    )
    Turn(one, turn, on_act)


def _titles(data: RunData) -> dict[str, str]:
    return {name: figures._alone(figures._actor(data, name)) for name in data.actors}


@solara.component
def Turn(one: OneRun, turn: int, on_act: Callable[[dict[str, Any]], Any] | None) -> None:
    """What happened and was done in a turn, in the sentences of Watch; a click on an act asks why."""
    with rv.Html(tag="section", class_="turn-told", attributes={"aria-label": "What happened in the turn"}):
        if turn:
            stage.Feed(turns=stage.feed(one, turn, 1), event_act=on_act or (lambda key: None))
        else:
            parts.Note(text="The start: nobody has acted yet. Choose a later turn.")


@solara.component
def Bands(
    done: running.Run,
    key: tuple[Any, ...],
    one: RunData | None,
    run: int,
    turn: int,
    on_turn: Callable[[int], Any],
    chosen: tuple[str, ...] | None,
    choose: Callable[[tuple[str, ...]], Any],
) -> None:
    """The ensemble's bands of the indicators that are chosen, and one run over them. chosen: None for those that the
    actors care for most."""
    dark = picture.is_dark()
    names, problem, _ = parts.use_work(lambda: state.library().made((*key, "names"), lambda: _names(done)), [*key])
    shown = chosen if chosen is not None else (names or {}).get("main", [])
    bands, failed, busy = parts.use_work(
        lambda: state.library().made((*key, "bands", tuple(shown)), lambda: bands_of(done, shown)) if shown else None,
        [*key, tuple(shown)],
    )
    with solara.Div(classes=["panel"]):
        for error in (problem, failed):
            if error is not None:
                Damaged(error, done.folder.name)
        if names is None:
            parts.Note(text="Reading the scenario …" if problem is None else "", kind="wait")
            return
        kept = [path for path in shown if path in names["titles"]]
        with solara.Div(classes=["tightrope-row", "tightrope-chips"]):
            Pick("Show another indicator", names["titles"], lambda path: choose(added(kept, path)))
            for path in kept:
                Button(f"{names['titles'][path]}  ✕", partial(choose, tuple(one for one in kept if one != path)), True)
        if bands is None:
            parts.Note(
                text="Reading the bands …" if busy else "Choose an indicator above.", kind="wait" if busy else "plain"
            )
            return
        held = set(bands["path"].to_pylist())
        paths = [path for path in shown if path in held]
        of = charts.band_panels(
            bands, paths, names["titles"], names["ranges"], done.ladders,
            None if one is None else one.states, f"run {run}",
        )  # fmt: skip
        count = f"{done.runs:,} run{'' if done.runs == 1 else 's'}"
        line = "" if one is None else f"; run {run} in orange"
        picture.Picture(
            charts.panels(of, [figures.spoken(date) for date in done.manifest["dates"]], names["injects"], 3, turn,
                          dark),
            f"{count}: median, middle 50% and 90%{line}; an inject happens at the dashed line",
            lambda: bands,
            charts.height(len(of)),
            on_click=lambda point: on_turn(int(point["turn"])),
        )  # fmt: skip


def added(kept: Sequence[str], path: str) -> tuple[str, ...]:
    """The indicators with another one, none twice and the latest of too many."""
    return tuple(dict.fromkeys((*kept, path)))[-MOST_PANELS:]


def _names(done: running.Run) -> dict[str, Any]:
    """What the indicators are called and between what they lie; those that the actors care for most come first."""
    nothing = {name: pa.table({}) for name in running.DRAWN}
    data = running.run_data(done, nothing)
    titles = {path: _title(data, path) for path in done.paths}
    order = sorted(
        (path for path in done.paths if path not in data.ladders and path.count(".") < 2),
        key=lambda path: (-round(data.weights.get(path, 0.0), 6), path),
    )
    return {
        "titles": titles,
        "ranges": data.ranges,
        "injects": data.injects,
        "main": figures._main(order, data.weights)[:PANELS],
    }


def _title(data: RunData, path: str) -> str:
    owner = figures._owner(data, path) if "." in path else ""
    title = figures._title(data, path)
    return f"{title} · {owner}" if owner else title


def bands_of(done: running.Run, paths: Sequence[str]) -> pa.Table:
    """turn, date, path, q05 .. q95, mean of these indicators; reads their columns only."""
    if "quantiles.parquet" in done.manifest["tables"]:
        table = done.table("quantiles")
        return columns.where(table, np.isin(table["path"].to_numpy(zero_copy_only=False), list(paths)))
    states = store.read_table(done.folder, "states.parquet", ["run", "turn", "date", *paths])
    return analysis.bands(states, list(paths))

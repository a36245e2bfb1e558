"""Validation: hindcasts, started and read: facts, acts and ladders as the runs have them and as the documents do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import reacton.ipyvuetify as rv
import solara
import solara.lab

from dashboards import charts, forecasts, jobs, pages, parts, picture, state
from dashboards.compare import new_folder
from dashboards.fields import Button, Choice, Text
from dashboards.tables import Column, Row, Table
from sim import figures, naming, parameters, store
from sim.errors import BadInput, FolderProblem
from sim.hindcast import SAMPLES, Hindcast, open_hindcast
from sim.naming import capital, number, percent, spaced
from sim.runs import SCENARIO

PAGE = pages.Page("validation", "Validation", "mdi-scale-balance", 55)

PULSE = 1.0  # seconds between two looks at a folder
RUNS, MOST_RUNS = 200, 5000
APART = {"given": "given", "cannot": "cannot be said", "outside": "outside the scenario"}
STATED = ("scored", "given")  # facts that have a share
FORECASTS = {"model": "the model", "reported": "the model, as reported", "base_rate": "base rate of the record"}
ACT_SCORES = [
    "Brier: mean squared distance of the probability from what happened, 0 the best. Log: mean logarithm of the "
    "probability given to what happened, 0 the best. PR-AUC: area under the curve of precision and recall, 1 the best.",
    "Skill of the model: 1 less its Brier score over that of the forecast in the row, above 0 where it is better. As "
    "reported: the same of the model times the share of what it foresees that the record holds in the other months, "
    "for two documents do not hold all that happened.",
]
MEND = ["Remove the folder, or go back and score the scenario again."]


@solara.component
def View(query: state.Query, go: parts.Go) -> None:
    """All hindcasts and forecasts, or the one that the address names."""
    if query.get("hindcast"):
        One(query, go).key(query.get("hindcast"))
    elif query.get("forecast"):
        forecasts.One(query.get("forecast"), go).key(f"forecast {query.get('forecast')}")
    else:
        All(query, go)


# ------------------------------------------------------------------------------------------------------- all hindcasts


@solara.component
def All(query: state.Query, go: parts.Go) -> None:
    """The form by which a hindcast is started, and those that there are."""
    library = state.library()
    known = library.scenarios()
    chosen, choose = solara.use_state(query.get("scenario", "takeover-2021"))
    runs, set_runs = solara.use_state(str(RUNS))
    seed, set_seed = solara.use_state("1")
    problem, tell = solara.use_state("")
    library.scenario(chosen)  # one that is not in the list is told of in place of the page

    def begin() -> None:
        path = library.scenario(chosen)
        folder = new_folder(library.folder, f"hindcast-{path.stem}", jobs.begun(jobs.HINDCAST))
        library.folder.mkdir(parents=True, exist_ok=True)
        wanted = _whole("Runs", runs, 2, MOST_RUNS), _whole("Seed", seed, 0, 2**64 - 1)
        jobs.begin_hindcast(path, folder, *wanted)
        go("validation", state.Query().with_(hindcast=folder.name))

    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h1", class_="heading", children=["Does it get history right?"])
            parts.Note(
                text="A hindcast runs a scenario and three policies that know nothing, and holds both against what the "
                "documents report: facts, acts, and where the actors end.",
            )
            with solara.Div(classes=["tightrope-fields"]):
                Choice("Scenario", chosen, {name: name for name in known}, choose)
                Text("Runs of each policy", runs, set_runs)
                Text("Seed", seed, set_seed)
            Button("Score it", parts.guarded(begin, tell))
            if problem:
                parts.Note(text=problem, kind="error")
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h2", class_="heading", children=[f"Hindcasts under {library.folder}"])
            Listed(go)
        with solara.Div(classes=["panel"]):
            forecasts.Listed(go)


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text.strip()) or not low <= int(text) <= high:
        raise BadInput(f"{name}: “{text[:40]}” is no whole number from {low} to {high}.")
    return int(text)


@solara.component
def Listed(go: parts.Go) -> None:
    """The hindcasts under DIR, and those that are not done yet."""
    looked, look = solara.use_state(0)
    entries = solara.use_memo(lambda: state.library().entries(state.HINDCAST), [looked])
    rows = []
    for entry in entries:
        manifest = entry.manifest
        passed, scored = _passed(manifest["totals"])
        share = passed / max(scored, 1)
        rows.append(Row([entry.id, str(manifest["title"]), f"{manifest['runs']:,}", f"{passed} of {scored}"],
                        [entry.id, str(manifest["title"]), manifest["runs"], share], entry.id))  # fmt: skip
    for folder in under_way():
        now = jobs.scoring(folder)
        rows.append(Row([folder.name, "", "", now.words], key=folder.name))
    with solara.Div(classes=["tightrope-row"]):
        Button("Look again", lambda: look(looked + 1), plain=True)
    if not rows:
        parts.Note(text="There are no hindcasts here yet. Press Score it: takeover-2021 is chosen, and takes minutes.")
        return
    Table("Hindcasts", [Column("Folder"), Column("Title"), Column("Runs of each policy", True), Column("Facts passed")],
          rows, filtered=len(rows) > 8,
          on_open=lambda key: go("validation", state.Query().with_(hindcast=key)))  # fmt: skip


def _passed(totals: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Facts that pass, and facts that are scored."""
    return sum(row["passed"] for row in totals), sum(row["scored"] for row in totals)


def under_way() -> list[Path]:
    """Folders of hindcasts that are not whole: those that this server started, and others that somebody is at."""
    folder = state.library().folder
    ours = [path for path in jobs.begun(jobs.HINDCAST) if path.parent == folder]
    others = [path for path in sorted(folder.glob("hindcast-*"))
              if path not in ours and path.is_dir() and not (path / store.MANIFEST).is_file()
              and store.holder(path) is not None]  # fmt: skip
    return [*ours, *others]


# -------------------------------------------------------------------------------------------------------- one hindcast


@solara.component
def One(query: state.Query, go: parts.Go) -> None:
    """A hindcast that is done, or one that is under way."""
    name = query.get("hindcast")
    coming = solara.use_memo(lambda: {path.name: path for path in under_way()}.get(name), [name])
    whole, set_whole = solara.use_state(coming is None)
    if coming is not None and not whole:
        Coming(coming, lambda: set_whole(True), go)
        return
    entry = state.library().entry(name, state.HINDCAST)
    Told(query, go, entry.path, entry.changed)


@solara.component
def Coming(folder: Path, on_done: Any, go: parts.Go) -> None:
    """A hindcast under way: how far it is, and a button that stops it."""
    now, set_now = solara.use_state(solara.use_memo(lambda: jobs.scoring(folder), [str(folder)]))
    problem, tell = solara.use_state("")

    async def follow() -> None:
        while True:
            await asyncio.sleep(PULSE)
            try:
                found = await asyncio.to_thread(jobs.scoring, folder)
            except FolderProblem as gone:
                found = jobs.Scoring(False, False, "gone", str(gone))
            set_now(found)
            if found.done:
                on_done()

    solara.lab.use_task(follow, dependencies=[str(folder)], raise_error=False)
    with solara.Div(classes=["panel"]):
        rv.Html(tag="h1", class_="heading", children=[folder.name])
        parts.Note(text=f"{capital(now.words)} …" if now.running else f"{capital(now.words)}.",
                   kind="wait" if now.running else "plain")  # fmt: skip
        for told in (problem, now.problem):
            if told:
                parts.Note(text=told, kind="error")
        with solara.Div(classes=["tightrope-row"]):
            if now.running:
                Button("Stop", parts.guarded(lambda: jobs.stop(folder), tell))
            Button("All hindcasts", lambda: go("validation"), plain=True)


@solara.component
def Told(query: state.Query, go: parts.Go, folder: Path, changed: float) -> None:
    """What the folder of a hindcast holds."""
    name = query.get("hindcast")
    key = ("hindcast", folder, changed)
    done, failed, busy = parts.use_work(lambda: state.library().made(key, lambda: _read(folder)), [*key])
    chosen, choose = solara.use_state(query.get("fact"))

    def to_fact(new: str) -> None:
        choose(new)
        go.note(state.Query().with_(hindcast=name, fact=new or None))

    if failed is not None:
        parts.Note(text=parts.told(failed), kind="error", more=MEND)
        Button("All hindcasts", lambda: go("validation"), plain=True)
        return
    if done is None or busy:
        parts.Note(text="Reading the scores …", kind="wait")
        return
    facts = {row["fact"]: row for row in done.facts.to_pylist()}
    if chosen and chosen not in facts:
        raise BadInput(f"There is no fact “{chosen[:60]}” in {name}.")
    with solara.Div(classes=["tightrope-head"]):
        rv.Html(tag="h1", class_="heading", children=[str(done.manifest["title"])])
        solara.Text(_about(name, done.manifest), classes=["muted"])
        Button("All hindcasts", lambda: go("validation"), plain=True)
        Button("Score it again", lambda: go("validation", _again(done.manifest)), plain=True)
    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            Totals(done)
        with solara.Div(classes=["panel"]):
            if chosen:
                Fact(facts[chosen], done, go)
            else:
                rv.Html(tag="h2", class_="heading", children=["One fact"])
                parts.Note(text="Choose a fact below: what it asks, and what stood in its way where it fails.")
    with solara.Div(classes=["panel"]):
        Facts(done, list(facts.values()), chosen, to_fact)
    with solara.Div(classes=["panel"]):
        Acts(done, go)
    with solara.Div(classes=["panel"]):
        Ladders(done)


def _read(folder: Path) -> Hindcast:
    """A hindcast with all that the page shows of it, each table verified. Raises FolderProblem, and Problems where its
    scenario is damaged."""
    done = open_hindcast(folder)
    for name in ("scenario", "facts", "obstacles", "cells", "reliability", "ladders"):
        getattr(done, name)
    return done


def _about(name: str, manifest: Mapping[str, Any]) -> str:
    dates = manifest["dates"]
    sets = f" · changed: {', '.join(manifest['sets'])}" if manifest["sets"] else ""
    drawn = " · numbers drawn from a parameter file" if manifest.get("parameters") else ""
    return (f"{name} · {manifest['runs']:,} runs of each policy from seed {manifest['seed']} · "
            f"{figures.spoken(dates[1])} to {figures.spoken(dates[-1])} · facts: "
            f"{manifest['facts']['title']}{sets}{drawn}")  # fmt: skip


def _again(manifest: Mapping[str, Any]) -> state.Query:
    """The form with its scenario, if that is in the list."""
    return state.Query().with_(scenario=_scenario(manifest))


def _scenario(manifest: Mapping[str, Any]) -> str | None:
    """The id of the scenario that was scored; None if it is not in the list."""
    known = state.library().scenarios()
    by_path = {str(path): name for name, path in known.items()}
    name = by_path.get(str(manifest["source"]), str(manifest["source"]))
    return name if name in known else None


# ---------------------------------------------------------------------------------------------------------- its parts


@solara.component
def Totals(done: Hindcast) -> None:
    """How many facts pass, and by how much that is better than knowing nothing."""
    others = done.manifest["baselines"]
    rv.Html(tag="h2", class_="heading", children=["Facts of the documents"])
    rows = []
    for row in done.manifest["totals"]:
        kind = f"{row['weight']}, {SAMPLES[row['sample']]}"
        apart = ", ".join(f"{row[name]} {words}" for name, words in APART.items() if row[name])
        counts = [row[name] for name in ("scored", "passed", *others, "free", "passed_others")]
        cells = [kind, *map(str, counts[:-1]), f"{row['passed_others']} of {row['others']}", apart]
        rows.append(Row(cells, [kind, *counts, apart]))
    if not rows:
        parts.Note(text="None of the facts speaks of this scenario.")
        return
    Table(
        "Facts that pass",
        [Column("Facts"), Column("Scored", True), Column("Pass", True),
         *(Column(capital(name), True) for name in others), Column("Free", True), Column("Of the others pass", True),
         Column("Apart")],
        rows,
    )  # fmt: skip
    parts.Note(
        text="Free: a baseline passes it too, so that it tells little. Given: a dated event decides it.",
        more=[_brier(row, others) for row in done.manifest["brier"]] + list(done.manifest["notes"]),
    )


def _brier(row: Mapping[str, Any], others: Sequence[str]) -> str:
    which = "all facts" if row["facts"] == "all" else "facts that no baseline passes"
    skills = ", ".join(
        f"{number(row[f'brier_{other}'])} of {other}"
        + ("" if row[f"skill_{other}"] is None else f" (skill {number(row[f'skill_{other}'])})")
        for other in others
    )
    return (f"Brier score of {which} {SAMPLES[row['sample']]} ({row['number']}): {number(row['brier'])}, against "
            f"{skills}.")  # fmt: skip


def verdict(row: Mapping[str, Any]) -> str:
    """What became of a fact."""
    if row["status"] not in STATED:
        return APART[row["status"]]
    mark = ", given" if row["status"] == "given" else ", free" if row["free"] else ""
    return f"{'passes' if row['passes'] else 'fails'}{mark}"


def wanted(row: Mapping[str, Any]) -> float:
    """The share of runs that passes it: at least this, or at most, where it did not happen."""
    return float(row["wanted"] if row["observed"] else 1.0 - row["wanted"])


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row["low"] is None else f"{percent(row['low'])} to {percent(row['high'])}"


@solara.component
def Facts(done: Hindcast, rows: Sequence[dict[str, Any]], chosen: str, on_fact: Any) -> None:
    """The scoreboard: a row a fact."""
    dark = picture.is_dark()
    others = done.manifest["baselines"]
    scores = [
        charts.Score(
            f"{row['fact']}  {row['statement'].strip()}", row["share"],
            {name: row[f"share_{name}"] for name in others},
            f"{row['fact']}: {verdict(row)}\n{row['statement'].strip()}\nholds in {percent(row['share'])} of runs"
            + (f" ({_interval(row)})" if row["low"] is not None else ""),
            row["low"], row["high"], wanted(row), row["fact"], not row["passes"],
        )
        for row in rows if row["status"] in STATED
    ]  # fmt: skip
    picture.Picture(
        charts.scoreboard(scores, "Facts: share of runs in which each holds, beside the baselines", dark, 420, True),
        "The scoreboard: in which share of runs each fact holds (hollow: it fails)",
        lambda: done.facts,
        charts.row_height(len(scores), 72),
        on_click=on_fact,
        empty="None of the facts has a share here.",
    )
    Table(
        "All facts",
        [Column("Fact"), Column("Weight"), Column("Statement"), Column("Holds in", True), Column("95% interval", True),
         Column("Wants", True), Column("Verdict"), *(Column(capital(name), True) for name in others)],
        [_fact_row(row, others) for row in rows],
        filtered=True,
        chosen=chosen or None,
        on_open=on_fact,
    )  # fmt: skip


def _fact_row(row: Mapping[str, Any], others: Sequence[str]) -> Row:
    weight = row["weight"] + ("" if row["sample"] == "in" else ", out of sample")
    said = [row["fact"], weight, row["statement"].strip()]
    if row["status"] not in STATED:
        return Row([*said, "", "", "", verdict(row), *("" for _ in others)],
                   [*said, -1.0, -1.0, -1.0, verdict(row), *(-1.0 for _ in others)], row["fact"])  # fmt: skip
    sign = "≥" if row["observed"] else "≤"
    shares = [row[f"share_{name}"] for name in others]
    low = -1.0 if row["low"] is None else row["low"]
    return Row(
        [*said, percent(row["share"]), _interval(row), f"{sign} {percent(wanted(row))}", verdict(row),
         *map(percent, shares)],
        [*said, row["share"], low, wanted(row), verdict(row), *shares], row["fact"],
    )  # fmt: skip


@solara.component
def Fact(row: Mapping[str, Any], done: Hindcast, go: parts.Go) -> None:
    """One fact: what it says, how it fares, and the decision that stood in its way."""
    manifest = done.manifest
    rv.Html(tag="h2", class_="heading", children=[f"{row['fact']}: {verdict(row)}"])
    lines = []
    if row["status"] in STATED:
        sign = "at least" if row["observed"] else "at most"
        what = "runs" if row["scope"] == "run" else "resamples"
        interval = f" (95% interval {_interval(row)})" if row["low"] is not None else ""
        lines.append(f"It holds in {percent(row['share'])} of {what}{interval}, and wants {sign} "
                     f"{percent(wanted(row))}.")  # fmt: skip
        theirs = ", ".join(f"{name} {percent(row[f'share_{name}'])}" for name in manifest["baselines"])
        lines.append(f"Of the policies that know nothing: {theirs}.")
        if row["pooled_share"] is not None:
            lines.append(f"On averages over all runs: {'yes' if row['pooled'] else 'no'}, in "
                         f"{percent(row['pooled_share'])} of resamples.")  # fmt: skip
    if row["why"]:
        lines.append(f"{capital(APART.get(row['status'], 'note'))}: {row['why']}.")
    if row["assumption"]:
        lines.append(f"Assumption: {row['assumption']}.")
    if row["locator"]:
        lines.append(f"Source: {row['locator']}.")
    parts.Note(text=row["statement"].strip(), more=lines)
    stood = next((one for one in done.obstacles.to_pylist() if one["fact"] == row["fact"]), None)
    if stood is not None:
        Obstacle(stood, done, go)


@solara.component
def Obstacle(stood: Mapping[str, Any], done: Hindcast, go: parts.Go) -> None:
    """What stood in the way of a fact in the run nearest to passing."""
    part = stood["part"].removeprefix(f"facts.{stood['fact']}.")
    lines = [
        f"Its part {part} came to {number(stood['value'])}, wanted {spaced(stood['bound'])} {number(stood['limit'])}.",
        stood["told"] or "No decision bears on it: dated events, incidents and couplings alone do.",
    ]
    if stood["tip"]:
        tip = naming.axis_title(done.scenario, stood["tip"])
        lines.append(f"It would have turned had {tip} been {number(stood['tip_to'])} and not "
                     f"{number(stood['tip_from'])}.")  # fmt: skip
    parts.Note(text=f"What stood in the way, in run {stood['run']}, the one nearest to passing", more=lines)
    if not stood["action"]:
        return
    subject, failed, busy = parts.use_work(lambda: subject_of(done, stood["run"]),
                                           [done.manifest["seal"], stood["run"]])  # fmt: skip
    if subject is not None:
        asked = subject.query().with_(turn=stood["turn"], actor=stood["actor"], action=stood["action"],
                                      target=stood["target"] or None)  # fmt: skip
        Button("Open the decision", lambda: go("why", asked))
    elif failed is not None:
        parts.Note(text=parts.told(failed), kind="error")
    elif not busy:
        parts.Note(text="Its decision card cannot be opened: the scenario is not in the list, or has changed since.")


def subject_of(done: Hindcast, run: int) -> state.Subject | None:
    """The run of a hindcast, to be looked at on other pages; None where the scenario is no longer the same. Numbers
    that the run drew from a parameter file stand among what is set. Raises BadInput, FolderProblem."""
    manifest = done.manifest
    name = _scenario(manifest)
    if name is None:
        return None
    seed, sets = int(manifest["seed"]), tuple(manifest["sets"])
    subject = state.Subject(scenario=name, seed=seed, run=run, sets=sets)
    if store.text_hash(subject.ready().text) != manifest["hashes"]["scenario"]:
        return None
    own = state.drawn_sets(done.folder / SCENARIO, done.folder / parameters.FILE, seed, run)
    return subject.with_(sets=(*sets, *own))


@solara.component
def Acts(done: Hindcast, go: parts.Go) -> None:
    """Forecasts of acts against the record."""
    dark = picture.is_dark()
    rv.Html(tag="h2", class_="heading", children=["Acts: forecast against observed"])
    scores = done.manifest["acts"]
    if not scores:
        parts.Note(text="No act of this scenario can be held against the record.")
        return
    rows = []
    for row in scores:
        name = FORECASTS.get(row["forecast"], row["forecast"])
        kind = name + ("" if row["sample"] == "in" else ", out of sample")
        values = [row[key] for key in ("cells", "acts", "brier", "log_score", "pr_auc", "skill", "skill_reported")]
        shown = [f"{values[0]:,}", f"{values[1]:,}", f"{values[2]:.4f}", *(_decimals(value) for value in values[3:5]),
                 *("" if value is None else f"{value:+.3f}" for value in values[5:])]  # fmt: skip
        rows.append(Row([kind, *shown], [kind, *(-9.0 if value is None else value for value in values)]))
    Table(
        "Forecasts of acts: cells of month, source, target and PLOVER type",
        [Column("Forecast"), Column("Cells", True), Column("Acts", True), Column("Brier", True), Column("Log", True),
         Column("PR-AUC", True), Column("Skill of the model", True), Column("As reported", True)],
        rows,
    )  # fmt: skip
    parts.Note(text="A cell is one month, source, target and type of act; each forecast gives it a probability.",
               more=ACT_SCORES)  # fmt: skip
    bins = done.reliability.to_pylist()
    with solara.Div(classes=["tightrope-two"]):
        for sample in SAMPLES:
            for forecast in ("model", "reported"):
                mine = [row for row in bins if (row["sample"], row["forecast"]) == (sample, forecast)]
                if mine:
                    title = f"Reliability {SAMPLES[sample]}: {FORECASTS[forecast]}"
                    picture.Picture(
                        charts.reliability(mine, title, dark), title,
                        lambda sample=sample, forecast=forecast: _bins(done, sample, forecast), 340,
                    )  # fmt: skip
    Record(done, go)


def _bins(done: Hindcast, sample: str, forecast: str) -> Any:
    from pyarrow import compute

    table = done.reliability
    return table.filter(
        compute.and_(compute.equal(table["sample"], sample), compute.equal(table["forecast"], forecast))
    )


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


@solara.component
def Record(done: Hindcast, go: parts.Go) -> None:
    """The acts that the record holds, and the chance that each forecast gave them."""
    names = [name for name in ("model", "reported", "base_rate", "persistence") if name in done.cells.column_names]
    rows = []
    for n, row in enumerate(done.cells.to_pylist()):
        if not row["happened"]:
            continue
        said = [_actor(done, row["source"]), _actor(done, row["target"]), spaced(row["plover"]).lower()]
        chances = [row[name] for name in names]
        rows.append(Row([figures.spoken(row["date"]), *said, row["events"] or "", *map(percent, chances)],
                        [row["date"], *said, row["events"] or "", *chances], str(n)))  # fmt: skip

    def opened(key: str) -> None:
        events = str(done.cells["events"][int(key)].as_py() or "").split()
        if events:
            go("evidence", state.Query().with_(event=events[0]))

    Table("Acts of the record, and the chance that each forecast gave them",
          [Column("Date"), Column("Source"), Column("Target"), Column("PLOVER type"), Column("Events"),
           *(Column(capital(FORECASTS.get(name, name)), True) for name in names)],
          rows, filtered=True, sort=(5, True), on_open=opened)  # fmt: skip


@solara.component
def Ladders(done: Hindcast) -> None:
    """Where the runs put the actors, and where the documents see them."""
    dark = picture.is_dark()
    rv.Html(tag="h2", class_="heading", children=["Ladders: forecast against observed"])
    rows = done.ladders.to_pylist()
    if not rows:
        parts.Note(text="The documents tell no position of an actor of this scenario at its dates.")
        return
    others = done.manifest["baselines"]
    picture.Picture(
        charts.scoreboard([_position(row, done) for row in rows], "Ranked probability scores of positions", dark, 300,
                          unit="ranked probability score: 0 the best, 1 the worst"),
        "Where actors end: how far the forecast is from what the documents see",
        lambda: done.ladders,
        charts.row_height(len(rows), 92),
    )  # fmt: skip
    Table(
        "Positions",
        [Column("Actor"), Column("Ladder"), Column("Date"), Column("Basis"), Column("Observed"), Column("Runs: median"),
         Column("90% of runs"), Column("On the rung", True), Column("Score", True),
         *(Column(capital(name), True) for name in others)],
        [_position_row(row, done) for row in rows],
        filtered=len(rows) > 12,
    )  # fmt: skip


def _seen(row: Mapping[str, Any]) -> str:
    return _between(row["from"], row["to"])


def _between(low: str, high: str) -> str:
    return spaced(low) if low == high else f"{spaced(low)} to {spaced(high)}"


def _actor(done: Hindcast, name: str) -> str:
    """Its title; `nobody`, and a group of actors, as words."""
    known = done.scenario.actors.get(name)
    return capital((known and known.title) or spaced(name))


def _ladder(done: Hindcast, name: str) -> str:
    return done.scenario.indicators[name].title or spaced(name)


def _position(row: Mapping[str, Any], done: Hindcast) -> charts.Score:
    who = f"{_actor(done, row['actor'])}, {_ladder(done, row['ladder'])}"
    label = f"{who}, {figures.spoken(row['date'])}: {_seen(row)}"
    tip = (f"{label} ({row['basis']})\nruns: {spaced(row['median'])}, 90% {_between(row['low'], row['high'])}\n"
           f"on the rung in {percent(row['share'])}")  # fmt: skip
    return charts.Score(label, row["model"], {name: row[name] for name in done.manifest["baselines"]}, tip)


def _position_row(row: Mapping[str, Any], done: Hindcast) -> Row:
    basis = row["basis"] + ("" if row["sample"] == "in" else ", out of sample")
    who = [_actor(done, row["actor"]), _ladder(done, row["ladder"])]
    said = [basis, _seen(row), spaced(row["median"]), _between(row["low"], row["high"])]
    scores = [row["model"], *(row[name] for name in done.manifest["baselines"])]
    return Row(
        [*who, figures.spoken(row["date"]), *said, percent(row["share"]), *(f"{score:.4f}" for score in scores)],
        [*who, row["date"], *said, row["share"], *scores],
    )

"""Compare: two scenarios, or one and a what-if, pair by pair on common random numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import reacton.ipyvuetify as rv
import solara

from dashboards import charts, pages, parts, picture, state
from dashboards.fields import Button, Choice, Pick, Slide, Text
from dashboards.tables import Column, Row, Scrolled, Table
from sim import compare as comparing
from sim import comparison_figures, evidence, figures, parameters, store
from sim import runs as running
from sim.arrays import POLICIES
from sim.comparison_figures import ComparisonData
from sim.errors import BadInput
from sim.naming import axis_title, axis_titles, capital, number, percent, spaced
from sim.scenario import read

PAGE = pages.Page("compare", "Compare", "mdi-compare", 40)

MOST_PAIRS = 20_000
SHOWN = 18  # differences of each kind
PANELS = 9
TOLD = 0.25  # seconds between two signs of progress


@solara.component
def View(query: state.Query, go: parts.Go) -> None:
    """What is to be compared, or the comparison that the address names."""
    if query.get("comparison"):
        Result(query.get("comparison"), go).key(query.get("comparison"))
    else:
        Asking(query, go)


# --------------------------------------------------------------------------------------------------- what to compare


@solara.component
def Asking(query: state.Query, go: parts.Go) -> None:
    """The form, and the comparisons that there are."""
    library = state.library()
    known = library.scenarios()
    asked = query.get("a", "takeover-2021" if "takeover-2021" in known else next(iter(known), ""))
    a, set_a = solara.use_state(asked)
    b, set_b = solara.use_state(query.get("b"))
    sets, set_sets = solara.use_state(query.all("set"))
    policy, set_policy = solara.use_state(query.get("policy"))
    fork, set_fork = solara.use_state(query.get("fork"))
    pairs, set_pairs = solara.use_state(str(query.whole("pairs", 200, 1, MOST_PAIRS)))
    seed, set_seed = solara.use_state(str(query.whole("seed", 1, 0, 2**64 - 1)))
    problem, tell = solara.use_state("")
    doing, do = solara.use_state(None)
    for name in (a, b):
        if name:
            library.scenario(name)  # one that is not in the list is told of in place of the page
    numbers, lost, _ = parts.use_work(lambda: numbers_of(library.scenario(b or a)), [b or a])

    def begin() -> None:
        view = state.Query().with_(
            a=a,
            b=b or None,
            set=sets,
            policy=policy or None,
            fork=fork or None,
            pairs=_whole("pairs", pairs, 1, MOST_PAIRS),
            seed=_whole("seed", seed, 0, 2**64 - 1),
        )
        if not b and not sets and not policy:
            raise BadInput("Nothing to compare: choose another scenario for B, or say what B changes.")
        go.note(view)
        do({"a": a, "b": b, "sets": sets, "policy": policy or None, "fork": fork or None, "pairs": int(pairs),
            "seed": int(seed), "n": time.monotonic()})  # fmt: skip

    titles = {name: f"{name}" for name in known}
    with solara.Div(classes=["panel"]):
        rv.Html(tag="h1", class_="heading", children=["Compare pair by pair: what differs is the change, not chance"])
        with solara.Div(classes=["tightrope-fields"]):
            Choice("A", a, titles, set_a)
            Choice("B", b, {"": "the same as A, with changes", **titles}, set_b)
            Choice("Policy of B", policy, {"": "its own", **{name: name for name in POLICIES}}, set_policy)
            Choice("B changes from", fork, {"": "the start", **_dates(numbers)}, set_fork)
            Text("Pairs of runs", pairs, set_pairs)
            Text("Seed", seed, set_seed)
        if lost is not None:
            parts.Note(text=parts.told(lost), kind="error")
        Changes(numbers or {"rows": {}}, sets, set_sets)
        with solara.Div(classes=["tightrope-row"]):
            Button("Compare", parts.guarded(begin, tell), disabled=doing is not None)
        if problem:
            parts.Note(text=problem, kind="error")
        if doing is not None:
            Doing(doing, do, tell, go).key(str(doing["n"]))
    Before(go)


@solara.component
def Doing(asked: dict[str, Any], do: Callable[[Any], None], tell: Callable[[str], None], go: parts.Go) -> None:
    """A comparison under way."""
    done, set_done = solara.use_state(0)

    def work() -> str:
        return compare(asked, set_done)

    found, error, busy = parts.use_work(work, [asked["n"]])

    def ended() -> None:
        if error is not None:
            tell(parts.told(error))
            do(None)
        elif found is not None and not busy:
            go("compare", state.Query().with_(comparison=found))

    solara.use_effect(ended, [found, error is not None, busy])
    parts.Note(text=f"{done:,} of {2 * asked['pairs']:,} runs …" if done else "Preparing both sides …", kind="wait")


def compare(asked: Mapping[str, Any], told: Callable[[int], Any]) -> str:
    """Do a comparison into a new folder under DIR; its id. Raises the errors of `sim.compare`."""
    library = state.library()
    a = library.scenario(asked["a"])
    b = library.scenario(asked["b"]) if asked["b"] else None
    last = 0.0

    def progress(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last > TOLD:
            last = time.monotonic()
            told(done)

    name = f"{a.stem}-vs-{b.stem if b is not None and b.stem != a.stem else 'variant'}"
    folder = new_folder(library.folder, name)
    done = comparing.compare(
        a, b, asked["pairs"], asked["seed"], asked["sets"], asked["fork"], None, asked["policy"], folder,
        figures=False, progress=progress,
    )  # fmt: skip
    return done.folder.resolve().relative_to(library.folder).as_posix()


def new_folder(parent: Path, name: str, taken: Collection[Path] = ()) -> Path:
    """The first of `<name>-1`, `-2`, ... that is neither there nor taken."""
    count = 1
    while (found := parent / f"{name}-{count}").exists() or found in taken:
        count += 1
    return found


def numbers_of(path: Path) -> dict[str, Any]:
    """Every number of a scenario that can be changed, by path: what it is and between what it lies; and its dates."""
    scenario = read(path).scenario
    found = evidence.sources(scenario).table.to_pylist()
    titles = axis_titles(scenario, [row["path"] for row in found])
    rows = {row["path"]: row | {"title": titles[row["path"]]} for row in found}
    dates = running.dates_from_start(scenario, scenario.turns)
    return {"rows": rows, "dates": dates[1:]}


def _dates(numbers: Mapping[str, Any] | None) -> dict[str, str]:
    return {date: figures.spoken(date) for date in (numbers or {}).get("dates", [])}


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"\s*[0-9]{1,20}\s*", text) or not low <= int(text) <= high:
        raise BadInput(f"{capital(name)}: “{text[:30]}” must be a whole number from {low} to {high:,}.")
    return int(text)


@solara.component
def Changes(numbers: Mapping[str, Any], sets: Sequence[str], on_sets: Callable[[tuple[str, ...]], Any]) -> None:
    """What B changes: any number of the scenario, each with the range that it carries."""
    path, set_path = solara.use_state("")
    value, set_value = solara.use_state("")
    problem, tell = solara.use_state("")
    rows = numbers["rows"]
    here = rows.get(path)

    def chosen(new: str) -> None:
        set_path(new)
        set_value(str(rows[new]["value"]) if new in rows else "")

    def add() -> None:
        if not path:
            raise BadInput("Choose a number first.")
        if not value.strip():
            raise BadInput(f"{path}: say what it is to be.")
        on_sets((*[one for one in sets if not one.startswith(f"{path}=")], f"{path}={value.strip()}"))

    with solara.Div(classes=["tightrope-fields"]):
        Pick("A number that B changes", {name: _described(row) for name, row in rows.items()}, chosen, free=True)
        if path:
            Text(f"{path} in B", value, set_value)
        if here is not None and here["low"] is not None:
            low, high = float(here["low"]), float(here["high"])
            at = min(max(_float(value, low), low), high)
            Slide(f"{number(low)} to {number(high)}", at, low, high, lambda new: set_value(f"{new:.4g}"))
        with solara.Div(classes=["tightrope-row"]):
            Button("Add", parts.guarded(add, tell), plain=True)
    if problem:
        parts.Note(text=problem, kind="error")
    if sets:
        with solara.Div(classes=["tightrope-row", "tightrope-chips"]):
            for one in sets:
                Button(f"{one}  ✕", partial(on_sets, tuple(kept for kept in sets if kept != one)), plain=True)


def _described(row: Mapping[str, Any]) -> str:
    span = "" if row["low"] is None else f"  [{number(float(row['low']))} to {number(float(row['high']))}]"
    return f"{capital(row['title'])} = {row['value']}{span}"


def _float(text: str, other: float) -> float:
    try:
        return float(text)
    except ValueError:
        return other


@solara.component
def Before(go: parts.Go) -> None:
    """The comparisons under DIR."""
    entries = [entry for entry in state.library().entries(state.COMPARISON) if not entry.problem]
    with solara.Div(classes=["panel"]):
        rv.Html(tag="h2", class_="heading", children=["Comparisons made before"])
        if not entries:
            parts.Note(text="None yet. Say above what B changes, and press Compare.")
            return
        Table(
            "Comparisons",
            [Column("Folder"), Column("A"), Column("B"), Column("Pairs", True)],
            [Row([entry.id, entry.manifest["a"]["label"], entry.manifest["b"]["label"], f"{entry.manifest['runs']:,}"],
                 [entry.id, entry.manifest["a"]["label"], entry.manifest["b"]["label"], entry.manifest["runs"]],
                 entry.id) for entry in entries],
            on_open=lambda key: go("compare", state.Query().with_(comparison=key)),
        )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- what came of it


@solara.component
def Result(folder: str, go: parts.Go) -> None:
    """One comparison."""
    library = state.library()
    entry = library.entry(folder, state.COMPARISON)
    key = ("comparison", folder, entry.changed)
    made, failed, _ = parts.use_work(lambda: library.made(key, lambda: _read(entry.path)), [*key])
    manifest = entry.manifest
    runs_of, _, _ = parts.use_work(lambda: sides(entry), [*key])
    with solara.Div(classes=["tightrope-head"]):
        rv.Html(tag="h1", class_="heading", children=[f"{manifest['a']['label']} against {manifest['b']['label']}"])
        solara.Text(_facts(manifest), classes=["muted"])
        Button("Compare again", lambda: go("compare", _again(manifest)), plain=True)
        Button("Another comparison", lambda: go("compare"), plain=True)
    if failed is not None:
        parts.Note(text=parts.told(failed), kind="error", more=["Compare again makes the folder anew."])
        return
    if made is None:
        parts.Note(text="Reading the comparison …", kind="wait")
        return
    found, titles = made
    notes = [
        f"{titles[change['path']]}: {_said(change['a'])} in A, {_said(change['b'])} in B ({change['path']})"
        for change in manifest["changes"][:40]
    ]
    more = len(manifest["changes"]) - 40
    notes += [f"and {more} more"] if more > 0 else []
    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel"]):
            Parting(manifest)
            Story(manifest["story"], runs_of or {}, go)
        with solara.Div(classes=["panel"]):
            Differences(found)
            with Scrolled("What B changes"):
                parts.Note(text=f"What B changes ({len(manifest['changes'])}):", more=[*notes, *manifest["notes"]])
    Both(found)


def _read(path: Path) -> tuple[comparing.Comparison, dict[str, str]]:
    """A comparison with its tables of differences and bands read; and what each number that B changes is called."""
    found = comparing.open_comparison(path)
    _ = found.differences, found.bands
    scenario = read(path / "b.yaml").scenario
    return found, {
        change["path"]: capital(axis_title(scenario, change["path"])) for change in found.manifest["changes"]
    }


def _facts(manifest: Mapping[str, Any]) -> str:
    fork = f" · the same until {figures.spoken(manifest['fork'])}" if manifest["fork"] else ""
    return f"{manifest['runs']:,} pairs from seed {manifest['seed']} · {manifest['turns']} turns{fork}"


def _again(manifest: Mapping[str, Any]) -> state.Query:
    """The form as it was, as far as its scenarios are in the list."""
    by_path = {str(path): name for name, path in state.library().scenarios().items()}
    sources = [manifest[side]["source"] for side in "ab"]
    names = [by_path.get(str(source), Path(source).stem) for source in sources]
    known = state.library().scenarios()
    if any(name not in known for name in names):
        return state.Query()
    return state.Query().with_(
        a=names[0], b=names[1] if names[1] != names[0] else None, set=tuple(manifest["b"]["sets"]),
        policy=manifest["b"]["policy"], fork=manifest["fork"], pairs=min(manifest["runs"], MOST_PAIRS),
        seed=manifest["seed"],
    )  # fmt: skip


def _said(value: Any) -> str:
    return "nothing of its own" if value is None else str(value)


@solara.component
def Differences(found: comparing.Comparison) -> None:
    """Outcomes, and rungs at the end, on both sides."""
    dark = picture.is_dark()
    for kind, title in (("yes/no", "Outcomes that are yes or no: B less A, in percentage points"),
                        ("number", "Outcomes that are numbers: B less A, in standard deviations of A")):  # fmt: skip
        rows = [row for row in found.of_kind(kind) if row["changed"]]
        rows.sort(key=lambda row: -abs(row["difference"]) / (1 if kind == "yes/no" else row["a_sd"] or 1))
        option = charts.differences(rows[:SHOWN], dark, room=250)
        if option is not None:
            picture.Picture(option, title, lambda: found.differences, charts.row_height(min(len(rows), SHOWN), 62))
    same = sum(not row["changed"] for row in found.of_kind("yes/no", "number"))
    parts.Note(text=f"Hollow: the 95% interval holds zero. {same} outcomes are the same in every pair.")
    told = percent, number
    Table(
        "Outcomes on both sides",
        [Column("Outcome"), Column("A", True), Column("B", True), Column("B less A", True),
         Column("95% interval", True), Column("Pairs that differ", True)],
        [_difference_row(row, told[row["kind"] == "number"]) for row in found.of_kind("yes/no", "number")],
        tall=True,
    )  # fmt: skip
    rungs = [row for row in found.of_kind("rung") if row["changed"]]
    if rungs:
        Table(
            "Rungs at the end",
            [Column("Ladder"), Column("A, median"), Column("B, median"), Column("Mean difference", True),
             Column("Pairs that differ", True)],
            [Row([row["title"], spaced(row["a_rung"]), spaced(row["b_rung"]), _signed(row["difference"]),
                  f"{row['changed']:,}"], [row["title"], row["a_q50"], row["b_q50"], row["difference"], row["changed"]])
             for row in rungs],
            sort=(4, True),
        )  # fmt: skip


def _difference_row(row: Mapping[str, Any], told: Callable[[float], str]) -> Row:
    scale, unit = (100, " points") if row["kind"] == "yes/no" else (1, "")
    low, high = row["low"], row["high"]
    known = low is not None and not np.isnan(low)
    cells = [row["title"], told(row["a"]), told(row["b"]), f"{_signed(scale * row['difference'])}{unit}",
             f"{_signed(scale * low)} to {_signed(scale * high)}" if known else "", f"{row['changed']:,}"]  # fmt: skip
    return Row(cells, [row["title"], row["a"], row["b"], row["difference"], low if known else 0.0, row["changed"]])


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{value:+.3g}".replace("-", "−")


@solara.component
def Parting(manifest: Mapping[str, Any]) -> None:
    """When, who and by what pairs part."""
    parting, dark = manifest["parting"], picture.is_dark()
    rv.Html(tag="h2", class_="heading", children=["Where the paths part"])
    if not parting["part"]:
        parts.Note(text="In no pair does anybody choose otherwise.")
        return
    when = [(figures.spoken(row["date"]), row["pairs"], row["turn"]) for row in parting["when"]]
    parts.Note(
        text=f"In {parting['part']:,} of {parting['pairs']:,} pairs somebody chooses otherwise; the median turn is "
        f"{figures.spoken(parting['median_date'])}.",
        more=[f"{capital(row['title'])}: {row['pairs']:,} pairs ({row['side']} only)" for row in parting["what"][:6]],
    )
    picture.Picture(charts.counts(when, "pairs that part", dark), "Pairs by the turn in which they part", height=150)


def sides(entry: state.Entry) -> dict[str, state.Subject]:
    """The pair that is told of, as runs that other pages can show, by side (A, B); without a side whose scenario is not
    in the list, has changed since or changes on the way. Numbers that both drew stand among what is set."""
    manifest, story = entry.manifest, entry.manifest["story"]
    library = state.library()
    by_path = {str(path): name for name, path in library.scenarios().items()}
    found: dict[str, state.Subject] = {}
    for side in ("a", "b") if story else ():
        said = manifest[side]
        name = by_path.get(str(said["source"]), str(said["source"]))
        if name not in library.scenarios() or (side == "b" and manifest["fork"]):
            continue
        seed, run, sets = int(manifest["seed"]), int(story["run"]), tuple(said.get("sets", ()))
        subject = state.Subject(scenario=name, seed=seed, run=run, policy=said.get("policy"), sets=sets)
        if store.text_hash(subject.ready().text) == said["hash"]:
            own = state.drawn_sets(entry.path / f"{side}.yaml", entry.path / f"{side}-{parameters.FILE}", seed, run)
            found[side.upper()] = subject.with_(sets=(*sets, *own))
    return found


@solara.component
def Story(story: Mapping[str, Any] | None, runs_of: Mapping[str, state.Subject], go: parts.Go) -> None:
    """The median pair: the decision where it parts, and what follows on both sides. runs_of: see `sides`."""
    if story is None:
        return

    def why(side: str, turn: int, actor: str, act: Mapping[str, Any] | None = None) -> None:
        named = {name: (act or {}).get(name) for name in ("action", "target")}
        go("why", runs_of[side].query().with_(turn=turn, actor=actor, **named))

    def opened(key: str) -> None:
        row = story["chain"][int(key)]
        why(row["side"], row["turn"], row["actor"], row)

    heading = f"The first parting decision: pair {story['run']}, {figures.spoken(story['date'])}"
    rv.Html(tag="h2", class_="heading", children=[heading])
    if runs_of:
        with solara.Div(classes=["tightrope-row"]):
            for side, subject in runs_of.items():
                Button(f"Watch {side}", partial(go, "watch", subject.query().with_(turn=story["turn"])), plain=True)
    for card in story["cards"]:
        parts.Note(text=card["text"][0], more=card["text"][1:])
        if runs_of:
            with solara.Div(classes=["tightrope-row"]):
                for side in runs_of:
                    ask = partial(why, side, story["turn"], card["actor"])
                    Button(f"Why {card['title']} did so in {side}", ask, plain=True)
        options = [option for option in card["options"] if option["a"]["available"] or option["b"]["available"]]
        Table(
            f"What {card['title']} weighed",
            [Column("Option"), Column("A: chance", True), Column("A: utility", True), Column("B: chance", True),
             Column("B: utility", True)],
            [_option_row(option) for option in options],
        )  # fmt: skip
    rv.Html(tag="h2", class_="heading", children=["Both paths from there"])
    Table(
        "What is done on one side only",
        [Column("When"), Column("In A only"), Column("In B only")],
        [Row([figures.spoken(row["date"]), *_sided(row)], [row["turn"], *_sided(row)],
             str(n) if row["kind"] == "act" and row["side"] in runs_of else None)
         for n, row in enumerate(story["chain"])],
        on_open=opened,
        tall=True,
    )  # fmt: skip
    parts.Note(text=story["after"][-1] if story["after"] else "")


def _sided(row: Mapping[str, Any]) -> tuple[str, str]:
    text = capital(row["title"]) + ("" if row["succeeded"] else " (in vain)")
    return (text, "") if row["side"] == "A" else ("", text)


def _option_row(option: Mapping[str, Any]) -> Row:
    cells, order = [option["title"]], [option["title"]]
    for side in (option["a"], option["b"]):
        known = side["available"]
        mark = "✓ " if side["done"] else ""
        cells += [f"{mark}{percent(side['first'])}" if known else "not open",
                  f"{side['utility']:+.4f}".replace("-", "−") if known else ""]  # fmt: skip
        order += [side["first"], side["utility"] or 0.0]
    return Row(cells, order)


@solara.component
def Both(found: comparing.Comparison) -> None:
    """The paths of both sides, of what differs most."""
    dark = picture.is_dark()
    data, problem, _ = parts.use_work(lambda: _drawn(found), [str(found.folder)])
    with solara.Div(classes=["panel"]):
        if problem is not None:
            parts.Note(text=parts.told(problem), kind="error")
        if data is None:
            parts.Note(text="Reading the paths …" if problem is None else "", kind="wait")
            return
        if not data["panels"]:
            parts.Note(text="No indicator differs between the means of both sides.")
            return
        picture.Picture(
            charts.panels(data["panels"], [figures.spoken(date) for date in found.manifest["dates"]], data["injects"],
                          3, None, dark),
            "The paths that differ most: A in blue, whole; B in orange, dashed; median and middle 90%",
            lambda: found.bands,
            charts.height(len(data["panels"])),
        )  # fmt: skip


def _drawn(found: comparing.Comparison) -> dict[str, Any]:
    """The panels of what differs most, as the printed figure chooses them."""
    data = _figure_data(found)
    cubes = comparison_figures._cubes(data)
    gap = {
        path: float(np.abs(b[3] - a[3]).max() / ((data.ranges[path][1] - data.ranges[path][0]) or 1.0))
        for path, (a, b) in cubes.items()
    }
    paths = sorted((path for path in cubes if gap[path] > 1e-9), key=lambda path: (-gap[path], path))
    ladders = comparison_figures._various([path for path in paths if path in data.ladders], 3)[: PANELS // 2]
    others = comparison_figures._various([path for path in paths if path not in data.ladders], 2)
    chosen = [*ladders, *others[: PANELS - len(ladders)]]
    titles = {row["name"]: capital(row["title"]) for row in found.of_kind("rung", "indicator")}
    return {
        "panels": charts.two_panels(found.bands, chosen, titles, data.ranges, data.ladders),
        "injects": data.injects,
    }


def _figure_data(found: comparing.Comparison) -> ComparisonData:
    """What the printed figures of a comparison are drawn from, out of its folder."""
    manifest = found.manifest
    ready = running.prepare(found.folder / "a.yaml", turns=manifest["turns"])
    held = set(found.bands["path"].unique().to_pylist())
    slots = {path: slot for path, slot in ready.scenario.slots.items() if path in held}
    dates = list(manifest["dates"])
    return ComparisonData(
        a=manifest["a"]["label"],
        b=manifest["b"]["label"],
        title=manifest["a"]["title"],
        fork=dates.index(manifest["fork"]) if manifest["fork"] else 0,
        runs=manifest["runs"],
        seed=manifest["seed"],
        dates=dates,
        injects=[(turn, title) for turn, _, title in ready.legend.injects if 1 <= turn <= manifest["turns"]],
        differences=found.differences,
        bands=found.bands,
        parting=manifest["parting"],
        ladders={path: list(rungs) for path in slots if (rungs := comparing._rungs(ready.compiled, path))},
        ranges={path: (slot.lo, slot.hi) for path, slot in slots.items()},
    )

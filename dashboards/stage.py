"""What Watch and a replay show of one run at one turn: map, feed, ladder, indicators, regard; all from one `Film`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import reacton.ipyvuetify as rv
import solara

from dashboards import charts, picture, state
from dashboards import map as region
from dashboards.live import Film
from sim.analysis import QUAD_OF
from sim.figures import PREPOSITIONS
from sim.naming import Words, axis_title, capital, listed, spaced
from sim.runs import Prepared
from sim.scenario import Entry, numbers

SIDES = ("As it was", "With the change")
TOLD = 3  # turns in the feed: the one looked at and those before
EVENT = ["turn", "kind", "title", "actor"]
ACT = ["turn", "actor", "action", "target", "succeeded", "utility"]
Act = tuple[int, str, str, str | None]  # turn, actor, action, target
Key = dict[str, Any]


# ------------------------------------------------------------------------------------------------ names


@dataclass(frozen=True, eq=False)
class Cast:
    """The names behind a scenario's run. ladder: the paths of the ladder that the map is shaded by, one an actor.
    main: the indicators that the actors care for most, without ladders and regard."""

    words: Words
    actors: dict[str, str]
    ladder: dict[str, list[str]]
    ladder_title: str
    rows: dict[str, str]
    titles: dict[str, str]
    ranges: dict[str, tuple[float, float]]
    ladders: dict[str, list[str]]
    main: list[str]
    regard: dict[str, tuple[str, str]]
    injects: list[tuple[int, str]]
    plover: dict[str, str]
    dates: list[str]

    def title(self, actor: str) -> str:
        return self.actors.get(actor, actor)


def cast(ready: Prepared) -> Cast:
    """The names of a prepared scenario."""
    return state.library().beside(ready, "cast", lambda: _cast(ready))


def _cast(ready: Prepared) -> Cast:
    scenario, compiled = ready.scenario, ready.compiled
    words = Words(scenario)
    actors = {name: scenario.actors[name].title or spaced(name).title() for name in compiled.actors}
    slots = scenario.slots
    ladders = {compiled.paths[s]: list(rungs) for s, rungs in compiled.ladders.items()}
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in ladders:
        if path.split(".")[0] in actors:
            by_name[path.split(".")[-1]].append(path)
    name = max(by_name, key=lambda one: (len({p.split(".")[0] for p in by_name[one]}) * len(ladders[by_name[one][0]])),
               default="")  # fmt: skip
    first: dict[str, str] = {}
    for path in by_name.get(name, ()):
        first.setdefault(path.split(".")[0], path)
    shown = list(first.values()) if len(by_name.get(name, ())) > 12 else by_name.get(name, [])
    several = len(shown) > len(first)
    cared = np.bincount(compiled.tables.interest_slot, compiled.tables.salience, len(compiled.paths))
    weights = dict(zip(compiled.paths, cared.tolist(), strict=True))
    regard = {path: (slot.first or "", slot.second or "") for path, slot in slots.items() if slot.indicator == "regard"}
    main = [path for path in compiled.paths if path not in ladders and path not in regard]
    main.sort(key=lambda path: -weights[path])
    indicators = {key: one.title or spaced(key) for key, one in scenario.indicators.items()}
    return Cast(
        words=words,
        actors=actors,
        ladder={path: ladders[path] for path in shown},
        ladder_title=indicators.get(name, spaced(name)),
        rows={path: _row(path, actors, several) for path in shown},
        titles={path: capital(words.indicator(path, "")) for path in compiled.paths},
        ranges={path: (slots[path].lo, slots[path].hi) for path in compiled.paths},
        ladders=ladders,
        main=main,
        regard=regard,
        injects=[(turn, title) for turn, _, title in ready.legend.injects if turn <= ready.turns],
        plover=dict(zip(compiled.actions, (plover for _, plover in compiled.codes), strict=True)),
        dates=[words.date(label) for label in ready.legend.dates],
    )


def numbers_of(ready: Prepared) -> list[tuple[str, str, Entry]]:
    """Every number of a scenario: path, title, and what it says of it."""
    return state.library().beside(
        ready,
        "numbers",
        lambda: [(one.path, capital(axis_title(ready.scenario, one.path)), one) for one in numbers(ready.scenario)],
    )


def _row(path: str, actors: Mapping[str, str], several: bool) -> str:
    owners = [actors.get(part, part) for part in path.split(".")[:-1]]
    return " → ".join(owners) if several else owners[0]


# ------------------------------------------------------------------------------------------------ sentences


class Record(Protocol):
    """What sentences are made of: the tables of one run, as a `Film` or a folder holds them, and its scenario."""

    @property
    def ready(self) -> Prepared: ...
    @property
    def events(self) -> Any: ...
    @property
    def acts(self) -> Any: ...
    @property
    def dealings(self) -> Mapping[str, Any]: ...


def sentences(film: Record, turn: int) -> list[dict[str, Any]]:
    """What happened in a turn, in plain sentences: dated events, incidents, acts in order of actor, then what became of
    offers, meetings and promises."""
    names = cast(film.ready)
    words = names.words
    told: list[dict[str, Any]] = [
        {
            "kind": row["kind"],
            "text": capital(of_whom(row["title"], words.actor(row["actor"]) if row["actor"] else "")),
        }
        for row in _rows(film.events.select(EVENT), turn)
    ]
    told += [
        {
            "kind": "act",
            "who": capital(names.title(row["actor"])),
            "text": words.option((row["action"], row["target"])),
            "done": bool(row["succeeded"]),
            "given": row["utility"] is None,
            "quad": QUAD_OF.get(names.plover.get(row["action"], ""), "neutral"),
            "key": {name: row[name] for name in ("turn", "actor", "action", "target")},
        }
        for row in _rows(film.acts.select(ACT), turn)
    ]
    return told + [{"kind": "dealing", "text": text} for text in dealings(film, turn)]


def dealings(film: Record, turn: int) -> list[str]:
    """Offers answered, meetings held and what they agreed, and promises kept or broken in a turn, in sentences."""
    words, tables = cast(film.ready).words, film.dealings
    told = [
        f"{capital(words.actor(row['target']))} {row['answer']} an offer: {words.actor(row['proposer'])} "
        f"{words.option((row['bargain'], row['target']))}"
        for row in _of(tables["offers"], "answered_turn", turn)
        if row["answer"]
    ]
    came: dict[str, dict[str, bool]] = defaultdict(dict)
    for row in _of(tables["sessions"], "turn", turn):
        came[row["forum"]][row["member"]] = bool(row["came"])
    told += [
        f"{capital(words.forum(forum))} meets; {sum(seats.values())} of {len(seats)} members came"
        for forum, seats in came.items()
    ]
    told += [
        f"{capital(words.forum(row['forum']))}: {words.output(row['forum'], row['output'])}: "
        + ("agreed" if row["followed"] else "not agreed")
        for row in _of(tables["statements"], "turn", turn)
    ]
    # A promise that is kept without an act stands until the run ends.
    ended: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in _of(tables["promises"], "settled_turn", turn):
        if row["status"] == "broken" or (row["status"] == "kept" and row["action"]):
            ended[row["giver"], row["status"], _word(words, row)].append(words.actor(row["receiver"]))
    verbs = {"kept": "kept", "broken": "broke"}
    return told + [
        f"{capital(words.actor(giver))} {verbs[status]} its word to {listed(receivers)}, {what}"
        for (giver, status, what), receivers in ended.items()
    ]


def _of(table: Any, column: str, turn: int) -> list[dict[str, Any]]:
    """The rows of a table in whose column stands this turn."""
    from pyarrow import compute

    return table.filter(compute.equal(table.column(column), turn)).to_pylist()


def _word(words: Words, row: Mapping[str, Any]) -> str:
    """What was promised."""
    if row["action"]:
        return f"by which it {words.option((row['action'], row['target']))}"
    return words.scenario.assurances[row["kind"]].title or spaced(row["kind"])


def of_whom(title: str, whom: str) -> str:
    """An incident and whom it befell, who completes a title that ends with a preposition."""
    if not whom:
        return title
    return f"{title} {whom}" if title.split()[-1:] and title.split()[-1] in PREPOSITIONS else f"{title} ({whom})"


def _rows(table: Any, turn: int) -> list[dict[str, Any]]:
    """The rows of a turn."""
    first, last = np.searchsorted(table.column("turn").to_numpy(), np.array([turn, turn + 1], dtype=np.int32))
    return table.slice(int(first), int(last - first)).to_pylist()


def feed(film: Record, turn: int, back: int = TOLD) -> list[dict[str, Any]]:
    """The turn and those before it, latest first. back: how many turns."""
    names = cast(film.ready)
    return [
        {"turn": t, "date": names.dates[t], "told": sentences(film, t)} for t in range(turn, max(turn - back, -1), -1)
    ]


# ------------------------------------------------------------------------------------------------ pictures


@solara.component_vue("vue/feed.vue")
def _Feed(happened: str, event_act: Callable[[Key], Any] = lambda key: None) -> None:
    """See `Feed`."""


@solara.component
def Feed(turns: list[dict[str, Any]], event_act: Callable[[Key], Any] = lambda key: None) -> None:
    """What happened, in sentences: unasked, then what was answered, agreed, kept and broken, then who did what. A click
    on an act brings its key back. turns: of `feed`."""
    _Feed(happened=picture.as_json(turns), event_act=event_act)


@solara.component
def TheMap(
    film: Film,
    turn: int,
    told: list[dict[str, Any]],
    on_act: Callable[[Key], Any],
    on_actor: Callable[[str], Any],
) -> None:
    """Where everyone stands, and the acts of the turn as arrows. told: the sentences of the turn."""
    names, dark = cast(film.ready), picture.is_dark()
    values = film.values(turn)
    levels = region.ladder_levels(values, names.ladder)
    rungs = max(names.ladder.values(), key=len, default=[])
    acts = [
        region.Act(one["key"]["actor"], one["key"]["target"], one["quad"], f"{one['who']} {one['text']}", one["key"],
                one["done"])
        for one in told if one["kind"] == "act"
    ]  # fmt: skip
    scene = region.scene(names.actors, levels, acts, [spaced(rung) for rung in rungs], dark)
    region.Map(scene, f"{names.ladder_title or 'The region'}, {names.dates[turn]}", on_actor, on_act)


@solara.component
def TheLadder(film: Film, turn: int, on_turn: Callable[[int], Any]) -> None:
    """Everyone's rung, turn by turn."""
    names, dark = cast(film.ready), picture.is_dark()
    if not names.ladder:
        Nothing("Ladder over time", "This scenario has no indicator with rungs, so there is no ladder to show.")
        return
    states = film.part(list(names.ladder))
    option = charts.ladder(states, names.ladder, names.rows, at=turn, dark=dark, room=110)
    picture.Picture(
        option, f"{names.ladder_title} over time", lambda: states,
        on_click=lambda key: on_turn(int(key["turn"])) if isinstance(key, dict) and "turn" in key else None,
    )  # fmt: skip


@solara.component
def TheIndicators(films: Sequence[Film], turn: int, shown: Sequence[str], count: int, columns: int) -> None:
    """The indicators that are looked at; of two runs both lines."""
    names, dark = cast(films[0].ready), picture.is_dark()
    first = names.main[:count] if len(films) == 1 else parting(films, names)[:count]
    paths = list(shown) or first
    states = [film.part(paths) for film in films]
    drawn = charts.run_panels(states[0], paths, names.titles, names.ranges, names.ladders)
    if len(films) > 1:
        others = charts.run_panels(states[1], paths, names.titles, names.ranges, names.ladders)
        drawn = [
            charts.Panel(
                one.path, one.title, one.low, one.high,
                [charts.Line(label, panel.lines[0].values, side=n)
                 for n, (label, panel) in enumerate(zip(SIDES, (one, other), strict=True))],
                one.rungs,
            )
            for one, other in zip(drawn, others, strict=True)
        ]  # fmt: skip
    option = charts.panels(drawn, charts.dates_of(states[0]), names.injects, columns, turn, dark)

    def table() -> Any:
        import pyarrow as pa

        return pa.concat_tables([one.append_column("side", [["AB"[n]] * one.num_rows]) for n, one in enumerate(states)])

    picture.Picture(option, "Indicators", table, charts.height(len(paths), columns))


def parting(films: Sequence[Film], names: Cast) -> list[str]:
    """The indicators that are looked at, those first in which two runs part most, as a share of their ranges."""
    last = min(film.last for film in films) + 1
    one, other = (film.history.states[0, :last] for film in films)
    spans = np.array([high - low for low, high in names.ranges.values()])
    apart = dict(zip(names.ranges, np.abs(one - other).max(axis=0) / np.where(spans > 0, spans, 1.0), strict=True))
    return sorted(names.main, key=lambda path: -round(apart[path], 3))


def mark_alone(happened: Sequence[list[dict[str, Any]]]) -> None:
    """Marks what happened in a turn on one side only."""
    for one, other in ((happened[0], happened[1]), (happened[1], happened[0])):
        for turn, beside in zip(one, other, strict=True):
            there = {(told.get("who"), told["text"]) for told in beside["told"]}
            for told in turn["told"]:
                told["alone"] = (told.get("who"), told["text"]) not in there


def tell_refused(film: Film, turns: Sequence[dict[str, Any]]) -> None:
    """Adds to its turn what a player had chosen in the run that is looked at and cannot choose here."""
    names = cast(film.ready)
    for told in turns:
        told["told"][:0] = [
            {"kind": "incident", "text": f"{names.title(actor)} cannot do here what was chosen for it ({why}); the "
                                         "model chooses in its place"}
            for actor, turn, why in film.refused if turn == told["turn"]
        ]  # fmt: skip


@solara.component
def TheRegard(film: Film, turn: int, on_actor: Callable[[str], Any]) -> None:
    """Who regards whom."""
    names, dark = cast(film.ready), picture.is_dark()
    values = film.values(turn)
    pairs = {pair: values[path] for path, pair in names.regard.items()}
    if not pairs:
        Nothing("Who regards whom", "In this scenario nobody has a regard for anybody that could move.")
        return
    picture.Picture(
        charts.regard(pairs, names.actors, dark=dark),
        f"Who regards whom, {names.dates[turn]}",
        on_click=lambda key: on_actor(key) if isinstance(key, str) else None,
    )


def Nothing(title: str, why: str) -> None:
    """In place of a picture that a scenario has nothing for."""
    rv.Html(tag="h3", class_="heading", children=[title])
    rv.Html(tag="p", class_="muted", children=[why])


def _panels(size: tuple[int, int]) -> tuple[int, int]:
    """How many indicators have room, and in how many columns. size: of the window, pixels."""
    width, height = size
    if width <= 640:
        return 4, 2
    return 2 * max(1, min(4, (height - 160) // 2 // 130)) if width > 1100 else 4, 2


def Panel(area: str, *children: Any) -> Any:
    """A panel in its place of the grid."""
    return rv.Html(tag="section", class_=f"panel area-{area}", children=list(children))


@solara.component
def Stage(
    film: Film,
    turn: int,
    on_act: Callable[[int, Key], Any],
    on_actor: Callable[[int, str], Any],
    on_turn: Callable[[int], Any],
    shown: Sequence[str] = (),
    size: tuple[int, int] = (1280, 720),
    other: Film | None = None,
) -> None:
    """One run at one turn, on one screen; with another beside it, both, on the same clock.

    on_act, on_actor: get the side (0, or 1 for the other) and what was clicked.
    """
    films = [film] if other is None else [film, other]
    turn = min(turn, *(one.last for one in films))

    def act(side: int) -> Callable[[Key], Any]:
        return lambda key: on_act(side, key)

    def actor(side: int) -> Callable[[str], Any]:
        return lambda name: on_actor(side, name)

    happened = [feed(one, turn) for one in films]
    for one, turns in zip(films, happened, strict=True):
        tell_refused(one, turns)
    if other is None:
        rv.Html(tag="div", class_="stage", children=[
            Panel("map", TheMap(film, turn, happened[0][0]["told"], act(0), actor(0))),
            Panel("feed", Feed(turns=happened[0], event_act=act(0))),
            Panel("ladder", TheLadder(film, turn, on_turn)),
            Panel("indicators", TheIndicators(films, turn, shown, *_panels(size))),
            Panel("regard", TheRegard(film, turn, actor(0))),
        ])  # fmt: skip
        return
    mark_alone(happened)
    rv.Html(tag="div", class_="stage two", children=[
        rv.Html(tag="div", class_=f"side side-{side}", children=[
            rv.Html(tag="h2", class_="side-name", children=[SIDES[side]]),
            Panel("map", TheMap(one, turn, happened[side][0]["told"], act(side), actor(side))),
            Panel("ladder", TheLadder(one, turn, on_turn)),
            Panel("feed", Feed(turns=happened[side], event_act=act(side))),
        ])
        for side, one in enumerate(films)
    ] + [Panel("indicators", TheIndicators(films, turn, shown, 6, 3))])  # fmt: skip

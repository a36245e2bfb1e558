"""The region as a map: who stands where, and the acts of a turn as arrows.

`scene` is pure: names, levels and acts in, plain values out; `Map` draws it as SVG (`vue/map.vue`) from the outlines of
`geo.json`. An actor stands on the country of which its id or title is a name (`geo.json` has the names: of the country,
its capital, its codes); whoever is no country of the region stands beside the map, so that any scenario can be shown.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import solara

from dashboards import charts
from dashboards.picture import Frame, as_json
from sim.naming import spaced

GEO = Path(__file__).with_name("geo.json")
COLUMN = 172  # units of the column beside the map
CHIP, CHIP_GAP = 30, 5
LEGEND = 46  # units of the legend below
FOOT = 16
NAMED = 20  # letters of a name on a chip

Point = tuple[float, float]
Scene = dict[str, Any]

# A mark of 8 units around the origin for each quad class, as the printed figures have them.
MARKS = {
    "verbal cooperation": "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z",
    "material cooperation": "M-3.6,-3.6H3.6V3.6H-3.6Z",
    "verbal conflict": "M0,-4.6L4.6,3.6H-4.6Z",
    "material conflict": "M0,-5L5,0L0,5L-5,0Z",
    "neutral": "M0,4.6L4.6,-3.6H-4.6Z",
}


@dataclass(frozen=True)
class Country:
    """A country of the window. at: its capital; label: where its name is written; both in units of the map."""

    name: str
    at: Point
    label: Point


@dataclass(frozen=True)
class Level:
    """Where an actor stands: 0..1 from the lowest to the highest, and in words."""

    share: float
    text: str


@dataclass(frozen=True)
class Act:
    """One act of the turn. text: a plain sentence. key: what a click on it brings back."""

    actor: str
    target: str | None
    quad: str
    text: str
    key: Any
    done: bool = True


@lru_cache(maxsize=1)
def geo() -> dict[str, Any]:
    """The outlines, as they lie in their file."""
    return json.loads(GEO.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _names() -> dict[str, Country]:
    found = {}
    for country in geo()["countries"]:
        if "at" in country:
            here = Country(country["name"], tuple(country["at"]), tuple(country["label"]))
            for name in (country["name"], *country["names"]):
                found[_folded(name)] = here
    return found


def _folded(name: str) -> str:
    """In small letters without accents, marks and article."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", plain).strip().removeprefix("the ")


def places(actors: Mapping[str, str]) -> dict[str, Country]:
    """The country of each actor that is one, by id; a country stands for one actor only, the first."""
    found: dict[str, Country] = {}
    for name, title in actors.items():
        country = _names().get(_folded(name)) or _names().get(_folded(title))
        if country is not None and country not in found.values():
            found[name] = country
    return found


def ladder_levels(values: Mapping[str, float], ladders: Mapping[str, Sequence[str]]) -> dict[str, Level]:
    """Where each actor stands on its own ladder. values: by path; ladders: rungs by path, whose first part is the
    actor."""
    return {
        path.split(".")[0]: Level(values[path] / max(len(rungs) - 1, 1), spaced(rungs[round(values[path])]))
        for path, rungs in ladders.items()
        if path in values and math.isfinite(values[path])
    }


def scene(
    actors: Mapping[str, str],
    levels: Mapping[str, Level],
    acts: Sequence[Act] = (),
    legend: Sequence[str] = (),
    dark: bool = False,
    chosen: str | None = None,
) -> Scene:
    """What is drawn over the outlines: actors on the map and beside it, arrows, the legend; colours are chosen here.

    legend: the levels in words, lowest first. chosen: the actor that is marked.
    """
    of = charts.look(dark)
    found = places(actors)
    width, height = geo()["width"], geo()["height"]
    beside, tall = _beside([name for name in actors if name not in found], height)
    shown = []
    at: dict[str, Point] = {}
    for name, title in actors.items():
        level = levels.get(name)
        shade = charts.shade(of.heat, level.share) if level else of.shade
        one = {"id": name, "title": title, "fill": shade, "level": level.text if level else "",
               "chosen": name == chosen, "told": f"{title}: {level.text}" if level else title}  # fmt: skip
        if name in found:
            country = found[name]
            at[name] = country.at[0] + COLUMN, country.at[1]
            one |= {"country": country.name, "x": country.label[0] + COLUMN, "y": country.label[1], "at": at[name]}
        else:
            x, y = beside[name]
            at[name] = x + COLUMN - 12, y + CHIP / 2
            one |= {"country": None, "x": x, "y": y, "ink": charts.legible(shade),
                    "short": title if len(title) <= NAMED else title[: NAMED - 1].rstrip() + "…"}  # fmt: skip
        shown.append(one)
    return {
        "width": width + COLUMN,
        "height": height,
        "tall": tall,
        "room": LEGEND,
        "actors": shown,
        "arrows": _arrows(acts, at, of),
        "legend": [{"fill": charts.shade(of.heat, n / max(len(legend) - 1, 1)), "text": text}
                   for n, text in enumerate(legend)],
        "quads": [{"name": quad, "mark": MARKS[quad], "colour": of.quads[quad], "dash": _dash(quad)}
                  for quad in MARKS if any(act.quad == quad for act in acts)],
        "ink": of.ink, "grey": of.grey, "rule": of.rule, "paper": of.paper, "alarm": of.alarm,
        "land": "#3a3f44" if dark else "#e6e6e1", "sea": "#191c20" if dark else "#f1f5f8",
        "border": of.paper,
        "attribution": geo()["attribution"],
    }  # fmt: skip


def _beside(names: Sequence[str], height: float) -> tuple[dict[str, Point], float]:
    """Where the chips stand, and how tall the picture is with them: a column beside the map, then rows below it."""
    pitch = CHIP + CHIP_GAP
    room = int(height // pitch)
    found: dict[str, Point] = {name: (0.0, float(n * pitch)) for n, name in enumerate(names[:room])}
    columns = int((geo()["width"] + COLUMN) // COLUMN)
    for n, name in enumerate(names[room:]):
        row, column = divmod(n, columns)
        found[name] = float(column * COLUMN), height + LEGEND + row * pitch
    rows = -(-max(len(names) - room, 0) // columns)
    return found, height + LEGEND + rows * pitch + FOOT


def _dash(quad: str) -> str:
    """Words are dashed, deeds are whole lines."""
    return "none" if quad.startswith("material") else "5 3" if quad.startswith("verbal") else "1 3"


def _arrows(acts: Sequence[Act], at: Mapping[str, Point], of: charts.Look) -> list[Scene]:
    """A curve for each act between two, a mark beside the actor for one without a target."""
    between: dict[tuple[str, str], int] = defaultdict(int)
    alone: dict[str, int] = defaultdict(int)
    found = []
    for act in acts:
        if act.actor not in at:
            continue
        colour = of.quads.get(act.quad, of.grey)
        one: Scene = {
            "key": act.key,
            "told": act.text,
            "done": act.done,
            "colour": colour,
            "fill": colour if act.done else of.paper,
            "mark": MARKS.get(act.quad, MARKS["neutral"]),
            "dash": _dash(act.quad),
        }
        x, y = at[act.actor]
        if act.target is None or act.target not in at or act.target == act.actor:
            n = alone[act.actor]
            alone[act.actor] += 1
            one |= {"path": None, "head": None, "x": x + 11 + 11 * (n % 6), "y": y + 11 + 11 * (n // 6)}
        else:
            n = between[act.actor, act.target]
            between[act.actor, act.target] += 1
            one |= _curve((x, y), at[act.target], n)
        found.append(one)
    return found


def _curve(start: Point, end: Point, n: int) -> Scene:
    """A bow from one to the other, to its left; the n-th between the two is bent more. `x`, `y`: its middle."""
    across, down = end[0] - start[0], end[1] - start[1]
    length = math.hypot(across, down) or 1.0
    bend = 0.16 * length + 13 * n + 6
    control = (start[0] + across / 2 + down / length * bend, start[1] + down / 2 - across / length * bend)
    a, b = _towards(start, control, 6), _towards(end, control, 7)
    x, y = (0.25 * a[k] + 0.5 * control[k] + 0.25 * b[k] for k in (0, 1))
    angle = math.atan2(b[1] - control[1], b[0] - control[0])
    wings = [(b[0] - 8 * math.cos(angle + turn), b[1] - 8 * math.sin(angle + turn)) for turn in (0.42, -0.42)]
    return {
        "path": f"M{a[0]:.1f},{a[1]:.1f}Q{control[0]:.1f},{control[1]:.1f} {b[0]:.1f},{b[1]:.1f}",
        "head": f"M{b[0]:.1f},{b[1]:.1f}" + "".join(f"L{px:.1f},{py:.1f}" for px, py in wings) + "Z",
        "x": round(x, 1),
        "y": round(y, 1),
    }


def _towards(start: Point, end: Point, by: float) -> Point:
    length = math.hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    part = min(by / length, 0.4)
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


@lru_cache(maxsize=1)
def outlines() -> str:
    """What never changes and is sent to a page once: name and path of each country, beside the column of chips."""
    return as_json({"shift": COLUMN, "countries": [{"name": c["name"], "path": c["path"]} for c in geo()["countries"]]})


@solara.component_vue("vue/map.vue")
def _Drawn(
    outlines: str,
    drawn: str,
    title: str = "",
    event_actor: Callable[[str], Any] = lambda name: None,
    event_act: Callable[[Any], Any] = lambda key: None,
) -> None:
    """See `Map`."""


@solara.component
def Map(
    scene: Scene,
    title: str = "The region",
    on_actor: Callable[[str], Any] | None = None,
    on_act: Callable[[Any], Any] | None = None,
) -> None:
    """The map of a `scene`. on_actor: called with the id of an actor that is clicked; on_act: with an act's key."""
    with Frame(title, lambda: table_of(scene)):
        _Drawn(
            outlines=outlines(),
            drawn=as_json(scene),
            title=title,
            event_actor=on_actor or (lambda name: None),
            event_act=on_act or (lambda key: None),
        )


def table_of(scene: Scene) -> pa.Table:
    """The map's data: where each actor stands, then the acts."""
    rows = [
        {"kind": "actor", "id": one["id"], "title": one["title"], "country": one["country"], "level": one["level"]}
        for one in scene["actors"]
    ]
    acts = [
        {"kind": "act", "id": None, "title": one["told"], "country": None, "level": "" if one["done"] else "in vain"}
        for one in scene["arrows"]
    ]
    return pa.Table.from_pylist(rows + acts)

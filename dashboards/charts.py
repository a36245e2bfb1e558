"""Table → option of ECharts: the dashboard's pictures, in one language with the printed figures of `sim.figures`.

Every function is pure: tables and names in, a dict of plain values out, whose numbers are the tables' own. Options are
ECharts' with additions that `chart.vue` makes into what JSON cannot say: `names` (text by value) and `percent` of an
axis label, `share` of a title (its width, of the picture's) and of a grid (where it begins, how wide it is, and the
pixels that its axis takes of that), `band` of a series (its data are place, low, high, and the area between is filled),
and `tip` of a datum (what is shown on hovering; text it stays, whatever is in it). `key` of a datum is what a click on
it brings back to Python.

Colours are those of Okabe & Ito 2008, lighter on dark ground, and no distinction rests on colour alone. A turn is a
place on a value axis, its inject half a turn before it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sim import figures
from sim.analysis import QUAD_OF, QUANTILE_NAMES
from sim.figures import QUAD_MARK
from sim.naming import capital, number, percent, spaced

Option = dict[str, Any]
Floats = NDArray[np.float64]
Inject = tuple[int, str]  # turn and title

FONT = "'DejaVu Sans', Roboto, 'Helvetica Neue', Arial, sans-serif"
PANEL_HEIGHT = 138  # pixels of a row of panels
LETTER = 6.4  # pixels of a letter of 11 points
ROW_HEIGHT = 28  # pixels of a row of bars
LADDER_FOOT = 92  # pixels below the ladder's cells: dates, and rungs in up to three lines
LABELLED = 24  # turns up to which a cell of the ladder has room for its rung


@dataclass(frozen=True)
class Look:
    """Colours of one ground. heat: from little to much; warmth: from hostile to warm; sides: A and B; lines: of
    variants, each with its dashes and mark; quads: by PLOVER's quad class."""

    ink: str
    grey: str
    rule: str
    paper: str
    shade: str
    band_90: str
    band_50: str
    line: str
    alarm: str
    heat: tuple[str, ...]
    warmth: tuple[str, ...]
    sides: tuple[str, str]
    lines: tuple[tuple[str, str, str], ...]
    quads: Mapping[str, str]
    parts: Mapping[str, str]


def _lines(*colours: str) -> tuple[tuple[str, str, str], ...]:
    dashes = ("solid", "dashed", "dotted", "solid", "dashed", "dotted")
    marks = ("circle", "diamond", "rect", "triangle", "roundRect", "pin")
    return tuple(zip(colours, dashes, marks, strict=True))


LIGHT = Look(
    figures.INK, figures.GREY, figures.RULE, figures.PAPER, figures.SHADE, figures.BAND_90, figures.BAND_50,
    figures.BLUE, figures.VERMILLION, ("#f4f8fb", "#86b9d9", "#0072b2", "#08304d"),
    ("#b35806", "#f1a340", "#f7f7f7", "#7fb3d5", "#0b5a94"), (figures.BLUE, figures.VERMILLION),
    _lines(figures.BLUE, figures.VERMILLION, figures.GREEN, figures.PURPLE, figures.ORANGE, figures.GREY),
    {quad: colour for quad, (_, colour) in QUAD_MARK.items()},
    {"interests": figures.BLUE, "regard": figures.GREEN, "credibility": figures.ORANGE, "cost": figures.VERMILLION},
)  # fmt: skip
DARK = Look(
    "#ececea", "#b4b4b0", "#42464a", "#1f2226", "#2a2d30", "#1d3a4c", "#2f6a92", "#56b4e9", "#f0804a",
    ("#22303a", "#2f6a92", "#56b4e9", "#d8eefb"), ("#f1a340", "#a5671f", "#3a3d40", "#3d7396", "#7fc4ee"),
    ("#56b4e9", "#f0804a"), _lines("#56b4e9", "#f0804a", "#2fc79d", "#e0a3c6", "#f0b53c", "#b4b4b0"),
    {"verbal cooperation": "#56b4e9", "material cooperation": "#2fc79d", "verbal conflict": "#f0b53c",
     "material conflict": "#f0804a", "neutral": "#a8a8a8"},
    {"interests": "#56b4e9", "regard": "#2fc79d", "credibility": "#f0b53c", "cost": "#f0804a"},
)  # fmt: skip
HEAT_STOPS = 4

# ECharts' marks for those of the printed figures.
MARKS = {"o": "circle", "s": "rect", "^": "triangle", "D": "diamond", "v": "path://M0,0L10,0L5,9Z",
         "X": "path://M2,0L5,3L8,0L10,2L7,5L10,8L8,10L5,7L2,10L0,8L3,5L0,2Z"}  # fmt: skip
INCIDENT = MARKS[figures.INCIDENT_MARK]


def look(dark: bool) -> Look:
    """The colours of a dark or a light ground."""
    return DARK if dark else LIGHT


def dates_of(states: pa.Table) -> list[str]:
    """Spoken dates of turns 0..T of a table that holds each turn at least once: "Aug 2021"."""
    turns = states.column("turn").to_numpy()
    _, first = np.unique(turns, return_index=True)
    return [figures.spoken(str(date)) for date in states.column("date").take(pa.array(first)).to_pylist()]


def _series(states: pa.Table, path: str) -> list[float]:
    """One run's values in order of turn."""
    order = np.argsort(states.column("turn").to_numpy(), kind="stable")
    return [float(value) for value in np.asarray(states.column(path).to_numpy(), dtype=np.float64)[order]]


def _seen(value: float | None) -> float | None:
    """As JSON has it: no NaN."""
    return None if value is None or not math.isfinite(value) else float(value)


# ---------------------------------------------------------------------------------------------------------- the frame


def _frame(told: str, dark: bool) -> Option:
    """What all pictures share. told: what a screen reader says."""
    of = look(dark)
    return {
        "animation": False,
        "backgroundColor": of.paper,
        "textStyle": {"color": of.ink, "fontFamily": FONT, "fontSize": 12},
        "aria": {"enabled": True, "label": {"description": told}},
        "tooltip": {
            "trigger": "item",
            "confine": True,
            "backgroundColor": of.paper,
            "borderColor": of.rule,
            "textStyle": {"color": of.ink, "fontSize": 12},
        },
    }


def _round(low: float, high: float) -> Option:
    """Bounds and steps of an axis that holds both, on round values."""
    from matplotlib.ticker import MaxNLocator

    if not low < high:
        low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
    ticks = MaxNLocator(6).tick_values(low, high)
    first, last, step = (float(f"{value:.10g}") for value in (ticks[0], ticks[-1], ticks[1] - ticks[0]))
    return {"min": first, "max": last, "interval": step}


def _value_axis(of: Look, **more: Any) -> Option:
    axis: Option = {
        "type": "value",
        "axisLine": {"show": True, "onZero": False, "lineStyle": {"color": of.grey}},
        "axisTick": {"show": False},
        "axisLabel": {"color": of.ink, "fontSize": 11, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": of.rule, "width": 0.7}},
    }
    for name, value in more.items():
        axis[name] = {**axis[name], **value} if isinstance(axis.get(name), dict) else value
    return axis


def _time_axis(of: Look, dates: Sequence[str], marked: int, first: int = 0, **more: Any) -> Option:
    """Turns from half a turn before the first to half a turn after the last. marked: about how many have labels."""
    step = max(1, math.ceil(len(dates) / marked)) | 1  # odd, so that every second of its halves is a whole turn
    # Each has half a step on either side, so that none is cut off at an edge.
    names = {f"{turn}": dates[turn] for turn in range(first + step // 2, len(dates) - step // 2, step)}
    return _value_axis(
        of,
        min=first - 0.5,
        max=len(dates) - 0.5,
        interval=step / 2,  # no more places than are labelled, as each is drawn
        axisLabel={"names": names, "hideOverlap": True, "showMinLabel": False, "showMaxLabel": False},
        splitLine={"show": False},
        **more,
    )


def _category_axis(of: Look, labels: Sequence[str], room: int, **more: Any) -> Option:
    """Rows from the top down, their labels in up to two lines of `room` pixels."""
    letters = int(2 * room / LETTER) - 4
    return {
        "type": "category",
        "data": [label if len(label) <= letters else label[:letters].rstrip() + "…" for label in labels],
        "inverse": True,
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {
            "color": of.ink,
            "fontSize": 11,
            "lineHeight": 12,
            "width": room,
            "overflow": "break",
            "interval": 0,
        },
        **more,
    }


def _marks_of_time(of: Look, injects: Sequence[Inject], turns: int, at: int | None) -> Option | None:
    """Dashed lines where injects happen, and a whole one at the turn that is looked at."""
    lines = [
        {"xAxis": turn - 0.5, "tip": title, "lineStyle": {"color": of.ink, "type": "dashed", "width": 1}}
        for turn, title in injects
        if 1 <= turn <= turns
    ]
    if at is not None:
        lines.append({"xAxis": at, "tip": "", "lineStyle": {"color": of.alarm, "type": "solid", "width": 1.2}})
    return {"symbol": "none", "label": {"show": False}, "data": lines, "silent": False} if lines else None


# --------------------------------------------------------------------------------------------------------- the ladder


def ladder(
    states: pa.Table,
    rungs: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    at: int | None = None,
    dark: bool = False,
    room: int = 150,
) -> Option:
    """Where everyone stands on a ladder, turn by turn: a row a path, a cell a turn, the rung by shade and number.

    states: one run's, or medians: turn, date and the paths. rungs: by path, lowest first, the same for all of them.
    names: what the rows are called. at: the turn that is looked at, which is framed.
    """
    of = look(dark)
    paths = list(rungs)
    dates = dates_of(states)
    steps = max((len(rungs[path]) for path in paths), default=1)
    longest = max((rungs[path] for path in paths), key=len, default=())
    rows = {path: _series(states, path) for path in paths}
    shades, labelled = shades_of(of.heat, steps), len(dates) <= LABELLED
    inks = [{"label": {"color": legible(shade)}} if labelled else {} for shade in shades]
    cells = [
        {
            "value": [turn, n, round(value)],
            "key": {"turn": turn, "path": path},
            "tip": f"{dates[turn]}\n{names[path]}: {spaced(rungs[path][round(value)])}",
            **inks[round(value)],
            **({"itemStyle": {"borderColor": of.alarm, "borderWidth": 1.5}} if turn == at else {}),
        }
        for n, path in enumerate(paths)
        for turn, value in enumerate(rows[path])
        if math.isfinite(value)
    ]
    keys = [
        f"{n} {spaced(rung)}" for n, rung in enumerate(longest)
    ]  # a legend breaks into lines, a visual map does not
    option = _frame(f"Rungs of {len(paths)} over {len(dates)} turns", dark)
    return option | {
        "grid": {"left": room + 12, "right": 12, "top": 8, "bottom": LADDER_FOOT},
        "xAxis": {
            "type": "category", "data": dates, "axisTick": {"show": False}, "axisLine": {"show": False},
            "axisLabel": {"color": of.ink, "fontSize": 11, "hideOverlap": True},
        },
        "yAxis": _category_axis(of, [names[path] for path in paths], room),
        "visualMap": {
            "type": "piecewise", "dimension": 2, "seriesIndex": 0, "show": False,
            "pieces": [{"value": n, "color": shades[n]} for n in range(len(longest))],
        },
        "legend": {
            "bottom": 0, "left": 0, "selectedMode": False, "itemWidth": 13, "itemHeight": 12, "itemGap": 9,
            "textStyle": {"color": of.ink, "fontSize": 11}, "data": keys,
        },
        "series": [{
            "type": "heatmap", "data": cells,
            "itemStyle": {"borderColor": of.paper, "borderWidth": 1},
            "label": {"show": labelled, "fontSize": 11, "formatter": "{@[2]}"},
            "emphasis": {"itemStyle": {"borderColor": of.ink}},
        }, *({"type": "scatter", "name": name, "data": [], "symbol": "rect",
              "itemStyle": {"color": shades[n], "borderColor": of.rule, "borderWidth": 1, "opacity": 1}}
             for n, name in enumerate(keys))],
    }  # fmt: skip


def shades_of(colours: Sequence[str], count: int) -> list[str]:
    """`count` colours from the first to the last, as hexadecimal."""
    return [shade(colours, n / max(count - 1, 1)) for n in range(count)]


def shade(colours: Sequence[str], share: float) -> str:
    """The colour at a share, 0..1, of the way from the first to the last, as hexadecimal."""
    from matplotlib.colors import to_hex

    return to_hex(_scale(tuple(colours))(min(max(share, 0.0), 1.0)))


@lru_cache(maxsize=32)
def _scale(colours: tuple[str, ...]) -> Any:
    """The scale through these colours, which takes a while to make."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", list(colours))


def legible(colour: str) -> str:
    """Black or white, whichever can be read on a colour."""
    return figures._legible_on(colour)


# --------------------------------------------------------------------------------------------- indicators and bands


@dataclass(frozen=True)
class Line:
    """One line of a panel: what it is, its values by turn, and the bounds of its bands (90%, 50%) where it has some.

    side: 0 or 1 for A and B; else the one run's or the ensemble's. run: whether it is a single run's.
    """

    name: str
    values: Sequence[float]
    bands: tuple[tuple[Sequence[float], Sequence[float]], ...] = ()
    side: int | None = None
    run: bool = False


@dataclass(frozen=True)
class Panel:
    """One indicator over time. rungs: of a ladder."""

    path: str
    title: str
    low: float
    high: float
    lines: Sequence[Line]
    rungs: Sequence[str] = field(default=())


def panels(
    of_panels: Sequence[Panel],
    dates: Sequence[str],
    injects: Sequence[Inject] = (),
    columns: int = 3,
    at: int | None = None,
    dark: bool = False,
) -> Option:
    """Small panels side by side, one an indicator, on its whole range; rungs are named. `height` says how tall."""
    of = look(dark)
    columns = max(1, min(columns, len(of_panels)))
    rows = -(-len(of_panels) // columns)
    option = _frame(f"{len(of_panels)} indicators over {len(dates)} turns", dark)
    option |= {"title": [], "grid": [], "xAxis": [], "yAxis": [], "series": []}
    option["tooltip"] |= {"trigger": "axis", "axisPointer": {"type": "line", "lineStyle": {"color": of.grey}}}
    wide = 100 / columns
    for n, panel in enumerate(of_panels):
        row, column = divmod(n, columns)
        left, top = column * wide, 100 * row / rows
        gutter = 84 if panel.rungs else 40
        option["title"].append({
            "text": panel.title, "left": f"{left:.2f}%", "top": f"{top:.2f}%",
            "textStyle": {"color": of.ink, "fontSize": 12, "fontWeight": "bold", "overflow": "truncate",
                          "share": 0.96 / columns},
        })  # fmt: skip
        option["grid"].append({
            "share": [column / columns, 1 / columns, gutter],
            "top": f"{top + 100 * 24 / (rows * PANEL_HEIGHT):.2f}%",
            "height": f"{100 * (PANEL_HEIGHT - 50) / (rows * PANEL_HEIGHT):.2f}%",
        })  # fmt: skip
        option["xAxis"].append(_time_axis(of, dates, 3, gridIndex=n))
        option["yAxis"].append(_range_axis(of, panel, n))
        option["series"] += _panel_lines(of, panel, n, dates, injects, at)
    return option


def height(count: int, columns: int = 3) -> int:
    """Pixels that so many panels want."""
    return -(-max(count, 1) // max(1, min(columns, max(count, 1)))) * PANEL_HEIGHT + 4


def _range_axis(of: Look, panel: Panel, n: int) -> Option:
    if panel.rungs:
        every = -(-len(panel.rungs) // 6)
        names = {str(rung): spaced(name) for rung, name in enumerate(panel.rungs) if rung % every == 0}
        label = {"names": names, "width": 78, "overflow": "truncate", "fontSize": 10}
        return _value_axis(of, gridIndex=n, min=-0.4, max=len(panel.rungs) - 0.6, interval=0.2, axisLabel=label,
                           splitLine={"show": False}, axisLine={"show": False})  # fmt: skip
    return _value_axis(of, gridIndex=n, min=panel.low, max=panel.high, interval=(panel.high - panel.low) / 2 or 1,
                       axisLine={"show": False}, axisLabel={"fontSize": 10})  # fmt: skip


def _panel_lines(
    of: Look, panel: Panel, n: int, dates: Sequence[str], injects: Sequence[Inject], at: int | None
) -> list[Option]:
    found: list[Option] = []
    step = "middle" if panel.rungs else False
    for m, line in enumerate(panel.lines):
        colour, dashes = of.line, "solid"
        if line.side is not None:
            colour, dashes = of.sides[line.side], ("solid", "dashed")[line.side]
        elif line.run:
            colour = of.alarm
        for b, (low, high) in enumerate(line.bands):
            if line.side is None:
                face = {"color": (of.band_90, of.band_50)[b], "opacity": 1.0}
            else:
                face = {"color": colour, "opacity": 0.16}
            found.append(_band(range(len(low)), low, high, face, n, bool(panel.rungs)))
        values = [
            {"value": [turn, _seen(value)], "tip": _told(panel, line, dates[turn], value, turn),
             "key": {"turn": turn, "path": panel.path}}
            for turn, value in enumerate(line.values)
        ]  # fmt: skip
        found.append({
            "type": "line", "name": f"{panel.path}: {line.name}", "data": values, "step": step, "symbolSize": 4,
            "xAxisIndex": n, "yAxisIndex": n, "showSymbol": len(line.values) <= 12 and line.run, "z": 5 + m,
            "lineStyle": {"color": colour, "width": 1.8, "type": dashes}, "itemStyle": {"color": colour},
        })  # fmt: skip
    marks = _marks_of_time(of, injects, len(dates) - 1, at)
    if marks is not None and found:
        found[-1]["markLine"] = marks
    return found


def _told(panel: Panel, line: Line, date: str, value: float, turn: int) -> str:
    if not math.isfinite(value):
        return ""
    shown = (lambda at: spaced(panel.rungs[round(at)])) if panel.rungs else _short
    told = f"{line.name} {shown(value)}"
    if line.bands:
        low, high = (bound[turn] for bound in line.bands[0])
        told += f" ({shown(low)} to {shown(high)})"
    return f"{date} · {panel.title}: {told}"


def _short(value: float) -> str:
    return figures._number(value)


def _band(at: Sequence[float], low: Sequence[float], high: Sequence[float], face: Option, n: int, step: bool) -> Option:
    """The area between two lines, in steps of a turn for a ladder."""
    data = [[float(x), float(a), float(b)] for x, a, b in zip(at, low, high, strict=True) if math.isfinite(a + b)]
    return {"type": "custom", "band": {"step": step, **face}, "data": data, "encode": {"x": 0, "y": [1, 2]},
            "name": "band", "xAxisIndex": n, "yAxisIndex": n, "z": 1, "silent": True, "clip": True}  # fmt: skip


def run_panels(
    states: pa.Table,
    paths: Sequence[str],
    titles: Mapping[str, str],
    ranges: Mapping[str, tuple[float, float]],
    ladders: Mapping[str, Sequence[str]] | None = None,
) -> list[Panel]:
    """Panels of one run's indicators. ranges: (lowest, highest) by path; ladders: rungs by path."""
    ladders = ladders or {}
    return [
        Panel(path, titles.get(path, path), *ranges.get(path, (0.0, 1.0)),
              [Line("", _series(states, path))], ladders.get(path, ()))
        for path in paths
    ]  # fmt: skip


def band_panels(
    quantiles: pa.Table,
    paths: Sequence[str],
    titles: Mapping[str, str],
    ranges: Mapping[str, tuple[float, float]],
    ladders: Mapping[str, Sequence[str]] | None = None,
    run: pa.Table | None = None,
    run_name: str = "this run",
) -> list[Panel]:
    """Panels of an ensemble: median, 50% and 90% bands, and one run over them.

    quantiles: turn, path, q05 .. q95. run: the states of one run.
    """
    ladders = ladders or {}
    spread = _spread(quantiles, paths)
    found = []
    for path in paths:
        q05, q25, q50, q75, q95 = (list(row) for row in spread[path])
        lines = [Line("median", q50, ((q05, q95), (q25, q75)))]
        if run is not None:
            lines.append(Line(run_name, _series(run, path), run=True))
        found.append(Panel(path, titles.get(path, path), *ranges.get(path, (0.0, 1.0)), lines, ladders.get(path, ())))
    return found


def two_panels(
    bands: pa.Table,
    paths: Sequence[str],
    titles: Mapping[str, str],
    ranges: Mapping[str, tuple[float, float]],
    ladders: Mapping[str, Sequence[str]] | None = None,
    labels: tuple[str, str] = ("A", "B"),
) -> list[Panel]:
    """Panels of two ensembles: median and 90% band of each side. bands: side (A or B), turn, path, q05 .. q95."""
    ladders = ladders or {}
    sides = np.asarray(bands.column("side").to_pylist())
    parts = [_spread(bands.filter(pa.array(sides == side)), paths) for side in "AB"]
    found = []
    for path in paths:
        lines = [
            Line(label, list(part[path][2]), ((list(part[path][0]), list(part[path][4])),), side=n)
            for n, (label, part) in enumerate(zip(labels, parts, strict=True))
        ]
        found.append(Panel(path, titles.get(path, path), *ranges.get(path, (0.0, 1.0)), lines, ladders.get(path, ())))
    return found


def _spread(quantiles: pa.Table, paths: Sequence[str]) -> dict[str, Floats]:
    """(5, T + 1) by path."""
    of_path = np.asarray(quantiles.column("path").to_pylist())
    turn = quantiles.column("turn").to_numpy()
    values = np.stack([np.asarray(quantiles.column(name).to_numpy(), dtype=np.float64) for name in QUANTILE_NAMES])
    found = {}
    for path in paths:
        rows = np.flatnonzero(of_path == path)
        found[path] = values[:, rows[np.argsort(turn[rows], kind="stable")]]
    return found


# ------------------------------------------------------------------------------------------------------ intervals


def counts(rows: Sequence[tuple[str, float, Any]], told: str, dark: bool = False) -> Option:
    """Upright bars: label, count, key."""
    of = look(dark)
    return _frame(told, dark) | {
        "grid": {"left": 46, "right": 12, "top": 10, "bottom": 26},
        "xAxis": {"type": "category", "data": [label for label, _, _ in rows], "axisTick": {"show": False},
                  "axisLabel": {"color": of.ink, "fontSize": 11, "hideOverlap": True}},
        "yAxis": _value_axis(of, minInterval=1),
        "series": [{
            "type": "bar", "name": told, "itemStyle": {"color": of.line}, "barMaxWidth": 34,
            "data": [{"value": count, "key": key, "tip": f"{label}: {count:,}"} for label, count, key in rows],
        }],
    }  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """A row of a picture of intervals. weak: drawn hollow, since its interval holds what it is held against."""

    label: str
    low: float
    at: float
    high: float
    tip: str
    key: Any = None
    weak: bool = False


def outcomes(summary: pa.Table, dark: bool = False, room: int = 330) -> Option | None:
    """Shares of the outcomes that are yes or no, with their 95% intervals; None without any.

    summary: as `analysis.outcome_summary` has it.
    """
    rows = [
        Interval(row["title"], row["low"], row["share"], row["high"],
                 f"{row['title']}\nyes in {row['yes']:,} of {row['runs']:,} runs: {percent(row['share'])} "
                 f"({percent(row['low'])} to {percent(row['high'])})", row["outcome"])
        for row in summary.to_pylist() if row["kind"] == "yes/no"
    ]  # fmt: skip
    if not rows:
        return None
    return intervals(rows, "Shares of outcomes with 95% intervals", dark, room, (0.0, 1.0), shares=True)


def differences(rows: Sequence[Mapping[str, Any]], dark: bool = False, room: int = 330) -> Option | None:
    """Differences of pairs, B less A, with their 95% intervals: of shares in percentage points, of numbers in standard
    deviations of A. None without any.

    rows: as in a comparison's `differences`, all of one kind.
    """
    found = []
    for row in rows:
        share = row["kind"] == "yes/no"
        scale = 100.0 if share else 1 / (_spread_of(row) or math.inf)
        if row["low"] is None or not math.isfinite(row["low"]) or not scale:
            continue
        a, b = ((percent if share else number)(row[side]) for side in ("a", "b"))
        low, at, high = (scale * row[name] for name in ("low", "difference", "high"))
        unit = "points" if share else "standard deviations"
        tip = (f"{row['title']}\nA {a}, B {b}: {_signed(at)} {unit} ({_signed(low)} to {_signed(high)})\n"
               f"{row['changed']:,} of {row['pairs']:,} pairs differ")  # fmt: skip
        weak = low <= 0 <= high
        found.append(Interval(row["title"], low, at, high, tip, row["name"], weak))
    if not found:
        return None
    told = "percentage points" if rows[0]["kind"] == "yes/no" else "standard deviations of A"
    return intervals(found, f"Differences of B less A, in {told}", dark, room, None, zero=True, unit=told)


def _spread_of(row: Mapping[str, Any]) -> float:
    spread = row.get("a_sd")
    return float(spread) if spread is not None and math.isfinite(spread) else 0.0


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def intervals(
    rows: Sequence[Interval], told: str, dark: bool = False, room: int = 330,
    within: tuple[float, float] | None = None, shares: bool = False, zero: bool = False, unit: str = "",
) -> Option:  # fmt: skip
    """A row each: a thin bar from low to high, a dot at the value; hollow where weak. `row_height` says how tall."""
    of = look(dark)
    option = _frame(told, dark)
    low = min((row.low for row in rows), default=0.0) if within is None else within[0]
    high = max((row.high for row in rows), default=1.0) if within is None else within[1]
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    axis = _value_axis(of, axisLabel={"percent": True} if shares else {}, name=unit, nameLocation="middle", nameGap=26,
                       nameTextStyle={"color": of.grey}, **_round(low, high))  # fmt: skip
    dots = [
        {"value": [row.at, n], "tip": row.tip, "key": row.key,
         "itemStyle": {"color": of.paper if row.weak else of.line, "borderColor": of.line, "borderWidth": 1.6}}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    spans = [{"coords": [[row.low, n], [row.high, n]], "tip": row.tip, "key": row.key} for n, row in enumerate(rows)]
    marks = {"symbol": "none", "silent": True, "label": {"show": False},
             "data": [{"xAxis": 0, "lineStyle": {"color": of.ink, "type": "solid", "width": 1}}]}  # fmt: skip
    return option | {
        "grid": {"left": room + 12, "right": 24, "top": 8, "bottom": 44 if unit else 26},
        "xAxis": axis,
        "yAxis": _category_axis(of, [row.label for row in rows], room),
        "series": [
            {"type": "lines", "coordinateSystem": "cartesian2d", "data": spans, "name": "95% interval", "z": 2,
             "lineStyle": {"color": of.line, "width": 3, "opacity": 0.55}},
            {"type": "scatter", "data": dots, "symbolSize": 9, "z": 4, "name": "value",
             **({"markLine": marks} if zero else {})},
        ],
    }  # fmt: skip


@dataclass(frozen=True)
class Score:
    """A row of a scoreboard: what the model has, with its interval, beside each baseline. wanted: marked by a bar.
    weak: drawn hollow."""

    label: str
    at: float
    others: Mapping[str, float]
    tip: str
    low: float | None = None
    high: float | None = None
    wanted: float | None = None
    key: Any = None
    weak: bool = False


BASELINE_MARKS = {"random": "triangle", "frozen": "rect", "trend": "diamond"}


def scoreboard(
    rows: Sequence[Score], told: str, dark: bool = False, room: int = 330, shares: bool = False, unit: str = ""
) -> Option | None:
    """A row each: the model's dot with its interval, a hollow mark for each baseline, a bar where it wants to be; None
    without rows. `row_height` says how tall."""
    if not rows:
        return None
    of = look(dark)
    names = list(dict.fromkeys(name for row in rows for name in row.others))
    colours = {name: of.lines[n + 1][0] for n, name in enumerate(names)}
    high = 1.0 if shares else max(0.1, max(value for row in rows for value in (row.at, *row.others.values())))
    dots = [
        {"value": [row.at, n], "tip": row.tip, "key": row.key,
         "itemStyle": {"color": of.paper if row.weak else of.line, "borderColor": of.line, "borderWidth": 1.6}}
        for n, row in enumerate(rows)
    ]  # fmt: skip
    spans = [{"coords": [[row.low, n], [row.high, n]], "tip": row.tip, "key": row.key}
             for n, row in enumerate(rows) if row.low is not None and row.high is not None]  # fmt: skip
    bars = [{"value": [row.wanted, n], "tip": f"{row.label}\nwanted {percent(row.wanted)}", "key": row.key}
            for n, row in enumerate(rows) if row.wanted is not None]  # fmt: skip
    series: list[Option] = [
        {"type": "lines", "coordinateSystem": "cartesian2d", "data": spans, "name": "95% interval", "z": 3,
         "lineStyle": {"color": of.line, "width": 3, "opacity": 0.55}},
        *({"type": "scatter", "name": f"policy {name}", "symbol": BASELINE_MARKS.get(name, "pin"), "symbolSize": 9,
           "z": 4, "itemStyle": {"color": of.paper, "borderColor": colours[name], "borderWidth": 1.5},
           "data": [{"value": [row.others[name], n], "key": row.key,
                     "tip": f"{row.label}\npolicy {name}: {(percent if shares else number)(row.others[name])}"}
                    for n, row in enumerate(rows) if name in row.others]} for name in names),
        {"type": "scatter", "name": "the model", "data": dots, "symbolSize": 9, "z": 5,
         "itemStyle": {"color": of.line}},
    ]  # fmt: skip
    if bars:
        series.append({"type": "scatter", "name": "wanted", "symbol": "rect", "symbolSize": [2, 20], "z": 2,
                       "itemStyle": {"color": of.ink}, "data": bars})  # fmt: skip
    return _frame(told, dark) | {
        "grid": {"left": room + 12, "right": 24, "top": 32, "bottom": 44 if unit else 26},
        "legend": {"top": 0, "left": 0, "textStyle": {"color": of.ink}, "type": "scroll",
                   "data": [one["name"] for one in series[1:]]},
        "xAxis": _value_axis(of, axisLabel={"percent": True} if shares else {}, name=unit, nameLocation="middle",
                             nameGap=26, nameTextStyle={"color": of.grey}, **_round(0.0, high)),
        "yAxis": _category_axis(of, [row.label for row in rows], room),
        "series": series,
    }  # fmt: skip


def reliability(rows: Sequence[Mapping[str, Any]], told: str, dark: bool = False) -> Option | None:
    """Forecast against how often it happened, a dot a bin with its 95% interval; the broken line is where forecasts are
    right. None without bins. rows: as in a hindcast's `reliability`, of one sample and forecast."""
    if not rows:
        return None
    of = look(dark)
    tips = [f"{percent(row['low'])} to {percent(row['high'])}: {row['cells']:,} cells\ngiven {percent(row['chance'])}, "
            f"happened in {row['acts']:,}: {percent(row['share'])} ({percent(row['share_low'])} to "
            f"{percent(row['share_high'])})" for row in rows]  # fmt: skip
    spans = [{"coords": [[row["chance"], row["share_low"]], [row["chance"], row["share_high"]]], "tip": tip}
             for row, tip in zip(rows, tips, strict=True)]  # fmt: skip
    dots = [{"value": [row["chance"], row["share"]], "tip": tip} for row, tip in zip(rows, tips, strict=True)]
    axis: Option = {"min": 0, "max": 1, "axisLabel": {"percent": True}, "nameLocation": "middle",
                    "nameTextStyle": {"color": of.ink}}  # fmt: skip
    return _frame(told, dark) | {
        "grid": {"left": 62, "right": 20, "top": 12, "bottom": 44},
        "xAxis": _value_axis(of, name="Probability given", nameGap=26, **axis),
        "yAxis": _value_axis(of, name="Share in which it happened", nameGap=44, **axis),
        "series": [
            {"type": "line", "data": [[0, 0], [1, 1]], "symbol": "none", "silent": True, "name": "right",
             "lineStyle": {"color": of.grey, "type": "dashed", "width": 1}},
            {"type": "lines", "coordinateSystem": "cartesian2d", "data": spans, "name": "95% interval", "z": 3,
             "lineStyle": {"color": of.line, "width": 2, "opacity": 0.6}},
            {"type": "scatter", "data": dots, "symbolSize": 9, "z": 4, "name": "bins",
             "itemStyle": {"color": of.line}},
        ],
    }  # fmt: skip


def row_height(count: int, extra: int = 52) -> int:
    """Pixels that so many rows want."""
    return max(count, 1) * ROW_HEIGHT + extra


# ------------------------------------------------------------------------------------------------------ a decision


def decision_parts(option: Mapping[str, Any], actor: str) -> dict[str, float]:
    """Of one option of a decision card: what the actor's own interests add to its expected utility and what its regard
    for others adds if no promise counted, what promises add by being believed, and the cost. They sum to the utility.

    option: as `explain.Card.as_dict` has it.
    """
    sums: dict[str, float] = {"interests": 0.0, "regard": 0.0, "credibility": 0.0}
    for part in option["contributions"]:
        sums["interests" if part["owner"] == actor else "regard"] += part["utility"] - part["trust"]
        sums["credibility"] += part["trust"]
    return sums | {"cost": -option["cost"]}


def decision_bars(
    options: Sequence[tuple[str, Mapping[str, float], Any, str]], dark: bool = False, room: int = 250
) -> Option:
    """Options of a decision as stacked bars of what makes their expected utility; a diamond marks the sum.

    options: (title, parts by name, key, mark), the parts adding up to the utility; those known (interests, regard,
    credibility, cost) keep their colours. mark: what a reader sees before the title, such as "✓" for what was done.
    """
    of = look(dark)
    names = list(dict.fromkeys(name for _, parts, _, _ in options for name in parts))
    spare = [colour for colour, *_ in of.lines if colour not in of.parts.values()]
    shades = {name: of.parts.get(name, spare[n % len(spare)]) for n, name in enumerate(names)}
    option = _frame(f"{len(options)} options and what makes their expected utility", dark)
    series: list[Option] = [
        {
            "type": "bar", "name": name, "stack": "utility", "barWidth": 13,
            "itemStyle": {"color": shades[name], "borderColor": of.paper, "borderWidth": 0.5, **_decal(name, of)},
            "data": [
                {"value": parts.get(name, 0.0), "key": key, "tip": f"{title}\n{name} {_utility(parts.get(name, 0.0))}"}
                for title, parts, key, _ in options
            ],
        }
        for name in names
    ]  # fmt: skip
    series.append({
        "type": "scatter", "name": "expected utility", "symbol": "diamond", "symbolSize": 11, "z": 5,
        "itemStyle": {"color": of.ink, "borderColor": of.paper, "borderWidth": 1},
        "data": [{"value": [sum(parts.values()), n], "key": key,
                  "tip": f"{title}\nexpected utility {_utility(sum(parts.values()))}"}
                 for n, (title, parts, key, _) in enumerate(options)],
    })  # fmt: skip
    return option | {
        "legend": {"top": 0, "left": 0, "textStyle": {"color": of.ink}, "data": [*names, "expected utility"],
                   "selectedMode": False, "itemHeight": 10},
        "grid": {"left": room + 12, "right": 20, "top": 30, "bottom": 26},
        "xAxis": _value_axis(of),
        "yAxis": _category_axis(of, [f"{mark} {title}".strip() for title, _, _, mark in options], room),
        "series": series,
    }  # fmt: skip


def _decal(name: str, of: Look) -> Option:
    """A hatching that tells parts apart without their colours."""
    hatched: Option | None = {
        "regard": {"symbol": "circle", "dashArrayX": [[5, 5]], "dashArrayY": [4, 2], "symbolSize": 0.5},
        "credibility": {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 3], "rotation": 0},
        "cost": {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 3], "rotation": math.pi / 4},
    }.get(name)
    return {} if hatched is None else {"decal": hatched | {"color": of.paper}}


def _utility(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


# ---------------------------------------------------------------------------------------------------------- a study


def heatmap(
    x: Sequence[float], y: Sequence[float], means: Sequence[Sequence[float]] | Floats, x_title: str, y_title: str,
    shares: bool, contours: Sequence[float] = (), dark: bool = False,
) -> Option:  # fmt: skip
    """An outcome over two axes: (rows of y, columns of x) means by shade and number, and lines of equal height."""
    of = look(dark)
    mean = np.asarray(means, dtype=np.float64)
    told = percent if shares else number
    cells: list[Option] = [
        {"value": [i, j, float(mean[j, i])],
         "tip": f"{x_title} {number(float(x[i]))}\n{y_title} {number(float(y[j]))}\n{told(float(mean[j, i]))}"}
        for j, i in np.ndindex(mean.shape) if math.isfinite(mean[j, i])
    ]  # fmt: skip
    low, high = (float(np.nanmin(mean)), float(np.nanmax(mean))) if cells else (0.0, 1.0)
    option = _frame(f"An outcome over {x_title} and {y_title}", dark)
    few = mean.size <= 100
    for cell in cells:
        shade = (cell["value"][2] - low) / ((high - low) or 1.0)
        cell["label"] = {"show": few, "color": _on_heat(shade, dark), "formatter": told(cell["value"][2])}
    lines = [
        {"type": "line", "xAxisIndex": 1, "yAxisIndex": 1, "data": line, "symbol": "none", "silent": True, "z": 5,
         "name": f"{told(at)}", "lineStyle": {"color": of.alarm, "width": 2},
         "endLabel": {"show": True, "formatter": told(at), "color": of.alarm}}
        for at in contours for line in contour_lines(mean, at)
    ]  # fmt: skip
    hidden = {"type": "value", "show": False, "min": -0.5}
    return option | {
        "grid": {"left": 74, "right": 92, "top": 34, "bottom": 46},
        "title": {"text": f"↑ {capital(y_title)}", "left": 0, "top": 0,
                  "textStyle": {"color": of.ink, "fontSize": 12, "fontWeight": "normal"}},
        "xAxis": [{"type": "category", "data": [number(float(value)) for value in x], "name": capital(x_title),
                   "nameLocation": "middle", "nameGap": 26, "nameTextStyle": {"color": of.ink},
                   "axisTick": {"show": False}, "axisLabel": {"color": of.ink}},
                  hidden | {"max": len(x) - 0.5}],
        "yAxis": [{"type": "category", "data": [number(float(value)) for value in y], "axisTick": {"show": False},
                   "axisLabel": {"color": of.ink}},
                  hidden | {"max": len(y) - 0.5}],
        "visualMap": {"min": low, "max": high if high > low else low + 1e-9, "calculable": False, "right": 0,
                      "top": "middle", "seriesIndex": 0, "itemHeight": 120, "dimension": 2, "precision": 3,
                      "inRange": {"color": list(of.heat)}, "textStyle": {"color": of.ink},
                      "text": [told(high), told(low)]},
        "series": [{"type": "heatmap", "data": cells, "label": {"show": few, "fontSize": 11},
                    "itemStyle": {"borderColor": of.paper, "borderWidth": 1}}, *lines],
    }  # fmt: skip


def _on_heat(shade: float, dark: bool) -> str:
    """Legible on that part of the heat."""
    if dark:
        return DARK.ink if shade < 0.45 else "#101214"
    return LIGHT.paper if shade > 0.55 else LIGHT.ink


def contour_lines(mean: Floats, at: float) -> list[list[list[float]]]:
    """Lines of equal height over a grid, in places of columns and rows."""
    from contourpy import contour_generator

    if min(mean.shape) < 2:
        return []
    return [np.asarray(line).tolist() for line in contour_generator(z=np.asarray(mean)).lines(at)]


@dataclass(frozen=True)
class Response:
    """One variant's outcome along an axis, with its 95% band. levels: the axis has few values, joined or not."""

    name: str
    at: Sequence[float]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    levels: bool
    tipping: Sequence[float] = ()


def responses(
    curves: Sequence[Response], x_title: str, shares: bool, labels: Sequence[str] = (), dark: bool = False
) -> Option:
    """An outcome along one axis, one line a variant, with its band; a cross where it becomes more likely than not.

    labels: of an axis whose values are words.
    """
    of = look(dark)
    told = percent if shares else number
    option = _frame(f"An outcome along {x_title}", dark)
    series: list[Option] = []
    for n, curve in enumerate(curves):
        colour, dashes, mark = of.lines[n % len(of.lines)]
        if not labels and len(curve.at) > 1:
            face = {"color": colour, "opacity": 0.2 if len(curves) == 1 else 0.12}
            series.append(_band(curve.at, curve.low, curve.high, face, 0, False))
        points = [
            {"value": [_seen(at), _seen(mean)],
             "tip": f"{curve.name}\n{x_title} {labels[int(at)] if labels else number(at)}: {told(mean)} "
                    f"({told(low)} to {told(high)})"}
            for at, mean, low, high in zip(curve.at, curve.mean, curve.low, curve.high, strict=True)
        ]  # fmt: skip
        if labels:
            spans = [{"coords": [[at, low], [at, high]]} for at, low, high in
                     zip(curve.at, curve.low, curve.high, strict=True) if math.isfinite(low + high)]  # fmt: skip
            series.append({"type": "lines", "coordinateSystem": "cartesian2d", "data": spans, "silent": True,
                           "lineStyle": {"color": colour, "width": 2, "opacity": 0.6}})  # fmt: skip
        series.append({
            "type": "scatter" if labels else "line", "name": curve.name, "data": points, "symbol": mark,
            "symbolSize": 7, "showSymbol": curve.levels, "z": 4, "itemStyle": {"color": colour},
            "lineStyle": {"color": colour, "type": dashes, "width": 2},
        })  # fmt: skip
        if curve.tipping:
            series.append({
                "type": "scatter", "symbol": INCIDENT, "symbolSize": 12, "z": 6,
                "itemStyle": {"color": colour, "borderColor": of.paper, "borderWidth": 1},
                "data": [{"value": [at, 0.5], "tip": f"{curve.name}: one half at {number(at)}"}
                         for at in curve.tipping],
            })  # fmt: skip
    names = {str(n): label for n, label in enumerate(labels)}
    along: Option = {"scale": True}
    if labels:
        along = {"min": -0.5, "max": len(labels) - 0.5, "interval": 0.5, "axisLabel": {"names": names}}
    return option | {
        "grid": {"left": 58, "right": 20, "top": 30 if len(curves) > 1 else 12, "bottom": 44},
        "legend": {"show": len(curves) > 1, "top": 0, "left": 0, "textStyle": {"color": of.ink},
                   "data": [curve.name for curve in curves], "type": "scroll"},
        "xAxis": _value_axis(of, name=capital(x_title), nameLocation="middle", nameGap=26, splitLine={"show": False},
                             nameTextStyle={"color": of.ink, "overflow": "truncate", "width": 420}, **along),
        "yAxis": _value_axis(of, axisLabel={"percent": True} if shares else {}, **_round(*_bounds(curves))),
        "series": series,
    }  # fmt: skip


def _bounds(curves: Sequence[Response]) -> tuple[float, float]:
    """The lowest and the highest that is drawn."""
    drawn = [value for curve in curves for row in (curve.low, curve.mean, curve.high) for value in row]
    known = [value for value in drawn if math.isfinite(value)]
    return (min(known), max(known)) if known else (0.0, 1.0)


@dataclass(frozen=True)
class Swing:
    """A bar of a tornado: the outcome at the low and the high end of an axis, each with its interval, and the extremes
    between."""

    title: str
    path: str
    start: float
    end: float
    low: float
    high: float
    words: bool = False


def tornado(swings: Sequence[Swing], whole: float, shares: bool, dark: bool = False, room: int = 330) -> Option:
    """A bar an axis from the lowest to the highest mean along it; hollow: at its low end, filled: at its high end.

    whole: the outcome over all runs. `row_height` says how tall.
    """
    of = look(dark)
    told = percent if shares else number
    option = _frame("What moves an outcome most", dark)
    spans, dots = [], []
    for n, swing in enumerate(swings):
        tip = f"{swing.title}\n{told(swing.low)} to {told(swing.high)}"
        if not swing.words:
            tip += f"\nat its low end {told(swing.start)}, at its high end {told(swing.end)}"
        spans.append({"coords": [[swing.low, n], [swing.high, n]], "tip": tip, "key": swing.path})
        if not swing.words:
            for value, face in ((swing.start, of.paper), (swing.end, of.line)):
                dots.append({"value": [value, n], "tip": tip, "key": swing.path,
                             "itemStyle": {"color": face, "borderColor": of.line, "borderWidth": 1.6}})  # fmt: skip
    ends = [value for swing in swings for value in (swing.low, swing.high)] + [whole]
    line = {"symbol": "none", "silent": True, "label": {"show": False},
            "data": [{"xAxis": whole, "lineStyle": {"color": of.ink, "type": "dashed", "width": 1}}]}  # fmt: skip
    return option | {
        "grid": {"left": room + 12, "right": 24, "top": 8, "bottom": 26},
        "xAxis": _value_axis(of, axisLabel={"percent": True} if shares else {}, **_round(min(ends), max(ends))),
        "yAxis": _category_axis(of, [capital(swing.title) for swing in swings], room),
        "series": [
            {"type": "lines", "coordinateSystem": "cartesian2d", "data": spans, "z": 2,
             "lineStyle": {"color": of.band_50, "width": 11, "opacity": 1}},
            {"type": "scatter", "data": dots, "symbolSize": 9, "z": 4, "markLine": line},
        ],
    }  # fmt: skip


@dataclass(frozen=True)
class Range:
    """The part of an axis that lies in a box. members: those of `labels` that do, for an axis of words."""

    box: int
    title: str
    low: float
    high: float
    axis_low: float
    axis_high: float
    labels: Sequence[str] = ()
    members: Sequence[int] = ()


def boxes(ranges: Sequence[Range], dark: bool = False, room: int = 330) -> Option:
    """A row for each bounded axis of each box: the whole axis, and on it the part that is in the box."""
    of = look(dark)
    option = _frame("Where runs of interest are found", dark)
    ground, inside = [], []
    for n, one in enumerate(ranges):
        ground.append({"coords": [[0, n], [1, n]]})
        if one.labels:
            share = 1 / len(one.labels)
            parts = [(m * share, (m + 1) * share) for m in one.members]
            told = " or ".join(one.labels[m] for m in one.members)
        else:
            width = (one.axis_high - one.axis_low) or 1.0
            low, high = max(one.low, one.axis_low), min(one.high, one.axis_high)
            parts = [((low - one.axis_low) / width, (high - one.axis_low) / width)]
            told = f"{number(low)} to {number(high)} of {number(one.axis_low)} to {number(one.axis_high)}"
        tip = f"Box {one.box}: {one.title}\n{told}"
        inside += [{"coords": [[low, n], [high, n]], "tip": tip, "told": told} for low, high in parts]
    return option | {
        "grid": {"left": room + 12, "right": 30, "top": 8, "bottom": 26},
        "xAxis": _value_axis(of, min=0, max=1, interval=1, splitLine={"show": False},
                             axisLabel={"names": {"0": "low end", "1": "high end"}}),
        "yAxis": _category_axis(of, [f"{one.box} · {capital(one.title)}" for one in ranges], room),
        "series": [
            {"type": "lines", "coordinateSystem": "cartesian2d", "data": ground, "silent": True, "z": 1,
             "lineStyle": {"color": of.rule, "width": 12, "opacity": 1}},
            {"type": "lines", "coordinateSystem": "cartesian2d", "data": inside, "z": 2,
             "lineStyle": {"color": of.line, "width": 12, "opacity": 1}},
        ],
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- acts and regard


def acts(
    table: pa.Table,
    actors: Mapping[str, str],
    phrases: Mapping[str, str],
    dates: Sequence[str],
    injects: Sequence[Inject] = (),
    events: pa.Table | None = None,
    at: int | None = None,
    dark: bool = False,
    room: int = 150,
) -> Option:
    """Who did what when: a lane an actor, a mark an act, shaped by its quad class and hollow where it failed.

    table, events: one run's acts and events. actors: titles, in the order of the lanes. phrases: of actions.
    """
    of = look(dark)
    rows = table.to_pylist()
    incidents = [row for row in events.to_pylist() if row["kind"] == "incident"] if events is not None else []
    doing = {row["actor"] for row in rows} | {row["actor"] or "" for row in incidents}
    lanes = [name for name in ["", *actors] if name in doing]
    place = {name: n for n, name in enumerate(lanes)}
    marks: dict[str, list[Option]] = defaultdict(list)
    cells: dict[tuple[int, str], int] = defaultdict(int)
    for row in rows:
        cells[row["turn"], row["actor"]] += 1
    for row in incidents:
        cells[row["turn"], row["actor"] or ""] += 1
    used: dict[tuple[int, str], int] = defaultdict(int)

    def spot(turn: int, name: str) -> list[float]:
        """Places within a cell, side by side."""
        n, count = used[turn, name], cells[turn, name]
        used[turn, name] += 1
        return [turn - 0.36 + 0.72 * (n + 0.5) / count, place[name]]

    for row in rows:
        quad = QUAD_OF.get(str(row["plover"] or "").upper(), "neutral")
        done = bool(row["succeeded"])
        marks[quad].append({
            "value": spot(row["turn"], row["actor"]),
            "key": {"turn": row["turn"], "actor": row["actor"], "action": row["action"], "target": row["target"]},
            "tip": f"{dates[row['turn']]}: {act_words(row, actors, phrases)}",
            "itemStyle": {"color": of.quads[quad] if done else of.paper, "borderColor": of.quads[quad],
                          "borderWidth": 1.5},
        })  # fmt: skip
    series = [
        {"type": "scatter", "name": quad, "symbol": MARKS[QUAD_MARK[quad][0]], "symbolSize": 10, "data": marks[quad],
         "itemStyle": {"color": of.quads[quad]}, "z": 4}
        for quad in QUAD_MARK if marks[quad]
    ]  # fmt: skip
    if incidents:
        series.append({
            "type": "scatter", "name": "incident", "symbol": INCIDENT, "symbolSize": 11, "z": 4,
            "itemStyle": {"color": of.ink},
            "data": [{"value": spot(row["turn"], row["actor"] or ""), "key": None,
                      "tip": f"{dates[row['turn']]}: {event_words(row, actors)}"} for row in incidents],
        })  # fmt: skip
    time_marks = _marks_of_time(of, injects, len(dates) - 1, at)
    if time_marks is not None and series:
        series[0]["markLine"] = time_marks
    titles = [actors.get(name, name) if name else "World" for name in lanes]
    option = _frame(f"{len(rows)} acts over {len(dates) - 1} turns", dark)
    return option | {
        "legend": {"top": 0, "left": 0, "textStyle": {"color": of.ink}, "itemWidth": 12, "itemHeight": 10,
                   "data": [one["name"] for one in series]},
        "grid": {"left": room + 12, "right": 16, "top": 48, "bottom": 26},
        "xAxis": _time_axis(of, dates, 8, first=1),
        "yAxis": _category_axis(of, titles, room, splitLine={"show": True, "lineStyle": {"color": of.rule}}),
        "series": series,
    }  # fmt: skip


def event_words(row: Mapping[str, Any], actors: Mapping[str, str]) -> str:
    """A dated event or an incident in words; "armed men cross into" is completed by the actor it happens to."""
    title = str(row.get("title") or spaced(row["name"]))
    on = row.get("actor")
    struck = row["kind"] == "incident" and on and title.split()[-1] in figures.PREPOSITIONS
    return capital(figures._plain(f"{title} {figures._within(actors.get(on or '', on or ''))}" if struck else title))


def act_words(row: Mapping[str, Any], actors: Mapping[str, str], phrases: Mapping[str, str]) -> str:
    """An act in words: who does what to whom. actors: titles; phrases: of actions."""
    who, target = figures._alone(actors.get(row["actor"], row["actor"])), row["target"]
    whom = figures._within(actors.get(target, target)) if target else ""
    told = " ".join(part for part in (who, phrases.get(row["action"], spaced(row["action"])), whom) if part)
    return figures._plain(told) + ("" if row["succeeded"] else " (in vain)")


def regard(
    values: Mapping[tuple[str, str], float], actors: Mapping[str, str], notable: float = 0.1, dark: bool = False
) -> Option:
    """Who regards whom, as a network: warm in whole lines, hostile in dashes, the stronger the thicker.

    values: regard by (onlooker, regarded), -1..1. notable: what is weaker is not drawn.
    """
    of = look(dark)
    warm, hostile = of.line, of.alarm
    names = [name for name in actors if any(name in pair for pair in values)]
    links = [
        {"source": one, "target": other, "tip": f"{actors[one]} → {actors[other]}: {_signed(value)}",
         "value": value,
         "lineStyle": {"color": warm if value > 0 else hostile, "type": "solid" if value > 0 else "dashed",
                       "width": 0.5 + 4 * abs(value), "opacity": 0.75, "curveness": 0.18}}
        for (one, other), value in values.items()
        if one in actors and other in actors and abs(value) >= notable
    ]  # fmt: skip
    sums = {name: sum(value for (_, other), value in values.items() if other == name) for name in names}
    turns = {name: 2 * math.pi * n / max(len(names), 1) for n, name in enumerate(names)}
    option = _frame(f"Regard among {len(names)} actors", dark)
    hidden = {"type": "value", "show": False, "min": -1.05, "max": 1.05}
    return option | {
        "grid": {"left": 114, "right": 114, "top": 24, "bottom": 24},
        "xAxis": hidden,
        "yAxis": hidden,
        "series": [{
            "type": "graph", "coordinateSystem": "cartesian2d", "name": "regard",
            "edgeSymbol": ["none", "arrow"], "edgeSymbolSize": 7,
            "label": {"show": True, "color": of.ink, "width": 102, "overflow": "truncate"},
            "emphasis": {"focus": "adjacency"},
            "data": [{"id": name, "name": actors[name], "key": name, "symbolSize": 14,
                      "value": [math.sin(turns[name]), math.cos(turns[name])],
                      "label": {"position": _beside(turns[name])},
                      "itemStyle": {"color": of.shade, "borderColor": of.grey, "borderWidth": 1.5},
                      "tip": f"{actors[name]}\nregard received, summed: {_signed(sums[name])}"} for name in names],
            "links": links,
        }],
    }  # fmt: skip


def _beside(angle: float) -> str:
    """On which side of a node on the circle its label has room."""
    if abs(math.cos(angle)) > 0.995:
        return "top" if math.cos(angle) > 0 else "bottom"
    return "right" if angle < math.pi else "left"


# ------------------------------------------------------------------------------------------------------------ as data


def rows_of(option: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a picture shows, as rows for a spreadsheet: series, label and numbers of every datum that is told."""
    found = []
    for one in option.get("series", ()):
        for datum in [*one.get("data", ()), *one.get("links", ())]:
            if not isinstance(datum, dict) or not datum.get("tip"):
                continue
            values = datum.get("value", datum.get("coords"))
            flat = np.ravel(np.asarray(values, dtype=object)).tolist()
            row = {"series": one.get("name", one["type"]), "told": datum["tip"].replace("\n", "; ")}
            found.append(row | {f"value_{n + 1}": value for n, value in enumerate(flat)})
    return found

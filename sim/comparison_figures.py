"""Table → figure for a comparison: what differs, where the rungs stand, the paths of both sides, where pairs part.

On the page of `figures` and in its language. Everywhere A is a blue circle or a whole line, B a vermillion diamond or a
broken line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from sim.figures import (
    BLUE,
    BODY,
    GREY,
    INJECT_DASHES,
    INK,
    PAGE,
    RULE,
    SHADE,
    SMALL,
    TINY,
    VERMILLION,
    RunData,
    _cut,
    _date_ticks,
    _Grid,
    _injects,
    _label_turns,
    _levels,
    _mark_injects,
    _measure,
    _number,
    _Page,
    _plain,
    _prettified,
    _States,
    _steps,
    _style,
    _sub_name,
    _time_axis,
    _wrap,
    drawn,
    save,
)

Floats = NDArray[np.float64]

OUTCOMES = 18  # of each kind
RUNGS = 28
PATHS = 12
ACTORS = 14
CHOICES = 14
BAND_A, BAND_B = "#cfe2ef", "#f6d3b8"  # tints of blue and vermillion
BROKEN = (0, (4, 1.6))


@dataclass(frozen=True)
class ComparisonData:
    """What the figures are drawn from.

    a, b: what to call the sides. fork: the turn from which on B goes its own way, 0 if from the start. dates: of turns
    0..T. injects: turn and title. differences, bands: as in the folder. parting: as in the manifest. ladders: rungs by
    path. ranges: (lowest, highest) by path.
    """

    a: str
    b: str
    title: str
    fork: int
    runs: int
    seed: int
    dates: list[str]
    injects: list[tuple[int, str]]
    differences: pa.Table
    bands: pa.Table
    parting: dict[str, Any]
    ladders: dict[str, list[str]]
    ranges: dict[str, tuple[float, float]]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Rows of the differences."""
        return [row for row in self.differences.to_pylist() if row["kind"] == kind]

    @property
    def turns(self) -> int:
        return len(self.dates) - 1

    @cached_property
    def calendar(self) -> RunData:
        """Dates and injects, as the page wants them."""
        turns = pa.array(range(len(self.dates)), pa.int32())
        states = pa.table({"run": pa.array([0] * len(self.dates), pa.int64()), "turn": turns, "date": self.dates})
        nothing = pa.table({})
        return RunData(self.title, states, nothing, nothing, nothing, {}, {}, {}, self.injects, {}, self.seed)

    @cached_property
    def states(self) -> _States:
        return _States(self.calendar.states)

    @property
    def injects_shown(self) -> list[tuple[str, int, str]]:
        """Number, turn and title: letters stand for the sides."""
        found = _injects(self.calendar, self.turns)
        return [(str(n), turn, title) for n, (_, turn, title) in enumerate(found, 1)]

    @property
    def sides(self) -> str:
        """Which side is which, in a sentence."""
        fork = f", from {self.dates[self.fork]} on; until then both are A" if self.fork else ""
        return f"A: {self.a}. B: {self.b}{fork}."


def draw_comparison(data: ComparisonData, folder: Path) -> list[Path]:
    """Write every figure that has something to show into `folder` as PNG and SVG; return the paths written."""
    return save(figures_of(data), folder)


def figures_of(data: ComparisonData) -> Iterator[tuple[str, Figure]]:
    """(file name without ending, figure) of each figure that has something to show."""
    makers: dict[str, Callable[[ComparisonData], Figure | None]] = {
        "outcomes": draw_outcomes, "rungs": draw_rungs, "paths": draw_paths, "partings": draw_partings,
    }  # fmt: skip
    return drawn((name, partial(make, data)) for name, make in makers.items())


def _page(data: ComparisonData, body: float, heading: str, reading: str, **more: Any) -> _Page:
    pairs = f"{data.runs:,} pairs of runs on common random numbers"
    width = more.pop("width", PAGE)
    return _Page(data.calendar, data.states, width, body, heading, f"{data.sides} {reading}", runs=pairs, **more)


def _marks(sure: bool = False) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = [
        (Line2D([], [], color=BLUE, marker="o", markersize=5, linestyle="None"), "A"),
        (Line2D([], [], color=VERMILLION, marker="D", markersize=4.5, linestyle="None"), "B"),
    ]
    if sure:
        for face, told in ((INK, "difference with its 95% interval"), ("#ffffff", "the interval holds zero")):
            mark = Line2D([], [], color=INK, marker="s", markersize=4.5, linestyle="None", markerfacecolor=face)
            found.append((mark, told))
    return found


def _inject_key(injects: Sequence[Any]) -> list[tuple[Any, str]]:
    dashes = Line2D([], [], color=INK, linewidth=0.8, linestyle=INJECT_DASHES)
    return [(dashes, "inject: see its number below")] if injects else []


def _fork_key(data: ComparisonData) -> list[tuple[Any, str]]:
    return [(Line2D([], [], color=INK, linewidth=1.4), "B's numbers hold from here on")] if data.fork else []


def _mark_fork(axes: Axes, data: ComparisonData) -> None:
    if data.fork:
        axes.axvline(data.fork - 0.5, color=INK, linewidth=1.4, zorder=2.6)


def _bare(axes: Axes) -> None:
    """Neither frame nor marks."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def _sure(row: dict[str, Any]) -> bool:
    return row["low"] > 0 or row["high"] < 0


# ------------------------------------------------------------------------------------------------------------ outcomes


@_style()
def draw_outcomes(data: ComparisonData) -> Figure | None:
    """Each outcome on both sides, and the difference with its interval: shares first, then numbers in standard
    deviations."""
    shares = sorted(
        (row for row in data.of_kind("yes/no") if row["changed"]),
        key=lambda row: (-abs(row["difference"]), row["name"]),
    )
    numbers = [row for row in data.of_kind("number") if row["changed"] and row["a_sd"]]
    numbers.sort(key=lambda row: (-abs(row["difference"]) / row["a_sd"], row["name"]))
    if not shares and not numbers:
        return None
    same = sum(not row["changed"] for kind in ("yes/no", "number") for row in data.of_kind(kind))
    less = max(len(shares) - OUTCOMES, 0) + max(len(numbers) - OUTCOMES, 0)
    notes = [f"Left out: {same} outcome{'s' if same > 1 else ''} in which no pair differs."] if same else []
    notes += [f"Left out: {less} more that differ less."] if less else []
    shares, numbers = shares[:OUTCOMES], numbers[:OUTCOMES]
    pitch, head, foot, gap = 0.25, 0.24, 0.3, 0.16
    blocks = [rows for rows in (shares, numbers) if rows]
    body = sum(head + pitch * len(rows) + foot for rows in blocks) + gap * (len(blocks) - 1)
    page = _page(
        data,
        body,
        "What comes out otherwise",
        "Differences are B less A, paired run by run. On the right: the difference, its 95% interval, and how many "
        "independent runs of each side would tell as much as one pair.",
        legend=_marks(sure=True),
        notes=notes,
    )
    down = 0.0
    for rows in blocks:
        _outcome_block(page, rows, down, head, pitch, rows is shares)
        down += head + pitch * len(rows) + foot + gap
    return page.figure


def _outcome_block(page: _Page, rows: list[dict[str, Any]], down: float, head: float, pitch: float, yes: bool) -> None:
    """Rows of one kind of outcome: name, both sides, difference."""
    words, middle, right = 3.55, 1.75, 2.05
    left = page.MARGIN
    height = pitch * len(rows)
    titles = ("Yes in this share of runs", "Difference in percentage points") if yes else (
        "Mean on both sides", "Difference in standard deviations of A")  # fmt: skip
    places = (left + words + 0.1, left + words + middle + 0.3)
    for x, title in zip(places, titles, strict=True):
        page.text(x, down + head - 0.07, title, size=SMALL, color=GREY, va="baseline")
    for n in range(0, len(rows), 2):
        shade = page.axes(left, down + head + n * pitch, page.room, pitch, f"shade {yes} {n}")
        shade.set_facecolor(SHADE)
        shade.set_xticks([])
        shade.set_yticks([])
        _bare(shade)
    for n, row in enumerate(rows):
        middle_of = down + head + (n + 0.5) * pitch
        page.text(left + 0.04, middle_of, _cut(_plain(row["title"]), words - 0.04, BODY), size=BODY, va="center")
        told = _told(row, 100.0 if yes else 1.0)
        page.text(left + page.room - 0.55, middle_of, told, size=SMALL, ha="right", va="center")
        saving = "" if row["saving"] is None else f"×{_times(row['saving'])}"
        page.text(left + page.room - 0.04, middle_of, saving, size=SMALL, color=GREY, ha="right", va="center")
        if not yes:
            digits = _digits(row)
            for side, x, colour in (("a", 0.0, BLUE), ("b", 0.85, VERMILLION)):
                text = f"{side.upper()} {row[side]:.{digits}f}".replace("-", "−")
                page.text(places[0] + x, middle_of, text, size=SMALL, color=colour, va="center")
    spots = np.arange(len(rows))
    if yes:
        axes = page.axes(places[0], down + head, middle - 0.1, height, "shares")
        axes.set_facecolor("none")
        axes.set_xlim(-3, 103)
        _row_axis(axes, len(rows))
        one, other = (np.array([100 * row[side] for row in rows]) for side in "ab")
        axes.hlines(spots, one, other, color=GREY, linewidth=1.2, zorder=2)
        axes.scatter(one, spots, s=26, color=BLUE, marker="o", zorder=3)
        axes.scatter(other, spots, s=20, color=VERMILLION, marker="D", zorder=4)
        axes.set_xticks([0, 50, 100], ["0%", "50%", "100%"], size=TINY)
    axes = page.axes(places[1], down + head, right, height, f"differences {yes}")
    axes.set_facecolor("none")
    _row_axis(axes, len(rows))
    scale = np.array([100.0 if yes else 1 / row["a_sd"] for row in rows])
    low, high, difference = (scale * [row[name] for row in rows] for name in ("low", "high", "difference"))
    reach = max(float(np.abs([low, high]).max()) * 1.05, 1e-9)
    axes.set_xlim(-reach, reach)
    axes.axvline(0, color=INK, linewidth=0.7, zorder=1)
    axes.hlines(spots, low, high, color=INK, linewidth=1.1, zorder=2)
    for spot, value, row in zip(spots, difference, rows, strict=True):
        face = INK if _sure(row) else "#ffffff"
        axes.scatter([value], [spot], s=18, marker="s", edgecolor=INK, facecolor=face, linewidth=0.9, zorder=3)
    axes.tick_params(axis="x", labelsize=TINY)
    axes.locator_params(axis="x", nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))


def _row_axis(axes: Axes, rows: int) -> None:
    """One row a unit, the first on top."""
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks([])
    for side in ("left",):
        axes.spines[side].set_visible(False)


def _digits(row: dict[str, Any], scale: float = 1.0) -> int:
    """Decimals that show an interval's half width with two figures."""
    half = scale * (row["high"] - row["low"]) / 2
    return int(np.clip(1 - np.floor(np.log10(half)), 1, 5)) if half > 0 else 2


def _told(row: dict[str, Any], scale: float = 1.0, digits: int | None = None) -> str:
    """A difference and its interval."""
    digits = _digits(row, scale) if digits is None else digits
    parts = [f"{scale * row[name]:+.{digits}f}".replace("-", "−") for name in ("difference", "low", "high")]
    return f"{parts[0]} [{parts[1]}, {parts[2]}]"


def _times(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


# --------------------------------------------------------------------------------------------------------------- rungs


@_style()
def draw_rungs(data: ComparisonData) -> Figure | None:
    """Where the ladders stand at the end on both sides: mean, median and 90% of the runs."""
    moved = [row for row in data.of_kind("rung") if row["changed"]]
    moved.sort(key=lambda row: -abs(row["difference"]) / max(len(data.ladders[row["name"]]) - 1, 1))
    less, moved = max(len(moved) - RUNGS, 0), moved[:RUNGS]
    if not moved:
        return None
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in moved:
        groups[(row["name"].split(".")[-1], *data.ladders[row["name"]])].append(row)
    same = sum(not row["changed"] for row in data.of_kind("rung"))
    notes = [f"Left out: {same} ladder{'s' if same > 1 else ''} on which no pair differs at the end."] if same else []
    notes += [f"Left out: {less} more that differ less."] if less else []
    pitch, head, foot, words, last = 0.33, 0.26, 0.44, 1.7, 3.1
    body = sum(head + pitch * len(rows) + foot for rows in groups.values())
    page = _page(
        data,
        body,
        f"Rungs at the end, {data.dates[-1]}",
        "A mark is the mean rung of the runs, a stroke the median, a line the middle 90%. On the right: in how many of "
        "the pairs B ends higher and lower, and the mean difference in rungs with its 95% interval.",
        legend=_marks(),
        notes=notes,
    )
    down = 0.0
    for (name, *rungs), rows in sorted(groups.items(), key=lambda group: -len(group[0])):
        title = _upper(_plain(rows[0]["title"].split(" (")[0]))
        alike = len({row["name"].partition(".")[2] for row in rows}) == 1
        page.text(page.MARGIN, down + head - 0.08, title, size=BODY + 0.4, weight="bold", va="baseline")
        axes = page.axes(
            page.MARGIN + words, down + head, page.room - words - last, pitch * len(rows), f"{name} {len(rungs)}"
        )
        _row_axis(axes, len(rows))
        top = len(rungs) - 1
        axes.set_xlim(-0.35, top + 0.35)
        axes.vlines(range(top + 1), -0.5, len(rows) - 0.5, color=RULE, linewidth=0.5, zorder=1)
        room = (page.room - words - last) / (top + 0.7)
        names = [_prettified(_plain(rung)) for rung in rungs]
        size = max(min(TINY, TINY * (room - 0.04) / max(_measure(rung, TINY) for rung in names)), 5.2)
        axes.set_xticks(range(top + 1), [_cut(rung, room - 0.02, size) for rung in names], size=size)
        for n, row in enumerate(rows):
            spot = down + head + (n + 0.5) * pitch
            owner = _upper(_owner(row["title"], alike))
            page.text(page.MARGIN + 0.04, spot, _cut(owner, words - 0.1, BODY), size=BODY, va="center")
            told = f"higher {_percent(row['higher'] / row['pairs'])}, lower {_percent(row['lower'] / row['pairs'])}"
            page.text(page.MARGIN + page.room - last + 0.12, spot, told, size=SMALL, va="center")
            page.text(page.MARGIN + page.room, spot, _told(row, digits=3), size=SMALL, ha="right", va="center")
            for side, shift, colour, marker in (("a", -0.17, BLUE, "o"), ("b", 0.17, VERMILLION, "D")):
                at = n + shift
                axes.hlines([at], row[f"{side}_q05"], row[f"{side}_q95"], color=colour, linewidth=1.3, zorder=2)
                middle = row[f"{side}_q50"]
                axes.vlines([middle], at - 0.13, at + 0.13, color=colour, linewidth=1.3, zorder=3)
                size = 20 if marker == "o" else 15
                axes.scatter([row[side]], [at], s=size, color=colour, marker=marker, zorder=4)
        down += head + pitch * len(rows) + foot
    return page.figure


def _owner(title: str, alone: bool) -> str:
    """Whose an indicator is; alone: without the one it is towards."""
    owner = _plain(title.rpartition(" (")[2].rstrip(")")) if " (" in title else "World"
    return owner.split(" → ")[0] if alone else owner


def _percent(share: float) -> str:
    value = 100 * share
    return f"{value:.1f}%" if 0 < value < 9.95 else f"{value:.0f}%"


# --------------------------------------------------------------------------------------------------------------- paths


def _cubes(data: ComparisonData) -> dict[str, tuple[Floats, Floats]]:
    """(4, T + 1) q05, median, q95 and mean of both sides by path: those of both sides that are not alike."""
    found: dict[str, dict[str, Floats]] = defaultdict(dict)
    side, path, turn = (data.bands.column(name).to_numpy(zero_copy_only=False) for name in ("side", "path", "turn"))
    values = np.stack([data.bands.column(name).to_numpy() for name in ("q05", "q50", "q95", "mean")])
    order = np.lexsort((turn, path, side))
    edges = np.flatnonzero((path[order][1:] != path[order][:-1]) | (side[order][1:] != side[order][:-1])) + 1
    for rows in np.split(order, edges):
        found[path[rows[0]]][side[rows[0]]] = values[:, rows]
    return {name: (sides["A"], sides["B"]) for name, sides in found.items() if len(sides) == 2 and name in data.ranges}


@_style()
def draw_paths(data: ComparisonData) -> Figure | None:
    """Median, mean and 90% band of both sides over time, of the ladders and other indicators that differ most."""
    cubes = _cubes(data)
    gap = {
        path: float(np.abs(b[3] - a[3]).max() / ((data.ranges[path][1] - data.ranges[path][0]) or 1.0))
        for path, (a, b) in cubes.items()
    }
    paths = sorted((path for path in cubes if gap[path] > 1e-9), key=lambda path: (-gap[path], path))
    ladders = _various([path for path in paths if path in data.ladders], 3)[: PATHS // 2]
    others = _various([path for path in paths if path not in data.ladders], 2)[: PATHS - len(ladders)]
    chosen = [*ladders, *others]
    if not chosen:
        return None
    titles = {row["name"]: row["title"] for kind in ("rung", "indicator") for row in data.of_kind(kind)}
    rungs = {path: [_prettified(_plain(rung)) for rung in data.ladders[path]] for path in ladders}
    widest = max((_measure(rung, TINY) for names in rungs.values() for rung in names), default=0.3)
    gutter = min(1.1, 0.12 + widest)
    grid = _Grid.of(len(chosen), 4, gutter, gutter + 0.1, 3.0)
    height, head = 1.05, 0.62
    pitch = height + head + 0.08
    injects = data.injects_shown
    less = len(paths) - len(chosen)
    page = _page(
        data,
        grid.rows(len(chosen)) * pitch + 0.26,
        "The paths that differ most",
        "Ladders first, then other indicators, by the greatest distance between the means as a share of the range; no "
        "more than three owners of one. An indicator's axis spans what the bands hold. On the right of an owner: the "
        "difference of the means at the end.",
        width=grid.width,
        legend=[
            (Line2D([], [], color=BLUE, linewidth=1.6), "median of A"),
            (Line2D([], [], color=VERMILLION, linewidth=1.6, linestyle=BROKEN), "median of B"),
            (Line2D([], [], color=BLUE, linewidth=0.7), "mean of A"),
            (Line2D([], [], color=VERMILLION, linewidth=0.7, linestyle=BROKEN), "mean of B"),
            (Patch(facecolor=BAND_A), "middle 90% of A"),
            (Patch(facecolor=BAND_B, alpha=0.75), "middle 90% of B"),
            *_fork_key(data),
            *_inject_key(injects),
        ],
        injects=injects,
        notes=[f"Left out: {less} more whose means differ less."] if less else [],
    )
    ticks = _date_ticks(data.states.dates, data.turns, grid.panel)
    for number, path in enumerate(chosen):
        row, column = divmod(number, grid.columns)
        x, down = grid.left(column), row * pitch + head
        axes = page.axes(x, down, grid.panel, height, path)
        a, b = cubes[path]
        stepped = path in rungs
        _time_axis(axes, ticks, data.turns, labelled=number + grid.columns >= len(chosen))
        _sides(axes, a, b, stepped)
        if stepped:
            top = len(rungs[path]) - 1
            axes.set_ylim(-0.45, top + 0.45)
            _levels(axes, list(range(top + 1)), [_cut(rung, gutter - 0.08, TINY) for rung in rungs[path]])
        else:
            low, high = float(min(a[0].min(), b[0].min())), float(max(a[2].max(), b[2].max()))
            room = (high - low) * 0.06 or 0.05
            axes.set_ylim(low - room, high + room)
            levels = [low, (low + high) / 2, high]
            _levels(axes, levels, [_number(level) for level in levels])
        _mark_fork(axes, data)
        _mark_injects(axes, injects, grid.panel, data.turns + 1)
        title = _plain(titles[path])
        name = title.rpartition(" (")[0] or title
        lines = _wrap(_upper(name), grid.panel + 0.3, BODY, True, lines=2)
        for up, line in enumerate(reversed(lines)):
            page.text(x, down - 0.28 - 0.13 * up, line, size=BODY, weight="bold", va="baseline")
        end = f"{_number(b[3, -1] - a[3, -1])}"
        _sub_name(
            page,
            x,
            down - 0.145,
            grid.panel,
            _upper(_owner(title, False)).replace("→ the ", "→ "),
            end if end[0] == "−" else f"+{end}",
        )
    return page.figure


def _various(paths: Sequence[str], most: int) -> list[str]:
    """No indicator with more than `most` owners."""
    held: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        held[path.split(".")[-1]].append(path)
    return [path for path in paths if path in held[path.split(".")[-1]][:most]]


def _sides(axes: Axes, a: Floats, b: Floats, stepped: bool) -> None:
    """Bands, medians and means of both sides."""
    across: Floats = np.arange(a.shape[1], dtype=np.float64)
    step: Any = None
    if stepped:
        across, step = _steps(across), "post"
        a, b = (np.column_stack([side, side[:, -1]]) for side in (a, b))
    drawn = "steps-post" if stepped else "default"
    for side, band, see in ((a, BAND_A, 1.0), (b, BAND_B, 0.75)):
        axes.fill_between(across, side[0], side[2], step=step, facecolor=band, alpha=see, linewidth=0, zorder=2)
    for side, colour, line in ((a, BLUE, "-"), (b, VERMILLION, BROKEN)):
        axes.plot(across, side[1], color=colour, linewidth=1.6, linestyle=line, drawstyle=drawn, zorder=3)
        axes.plot(across, side[3], color=colour, linewidth=0.7, linestyle=line, drawstyle=drawn, zorder=3.1)


# ------------------------------------------------------------------------------------------------------------ partings


@_style()
def draw_partings(data: ComparisonData) -> Figure | None:
    """When pairs part, by whom, and by which choice."""
    parting = data.parting
    if not parting["part"]:
        return None
    who, what = parting["who"][:ACTORS], parting["what"][:CHOICES]
    pairs, turns = parting["pairs"], data.turns
    place = {row["actor"]: n for n, row in enumerate(who)}
    cells = np.zeros((len(who), turns + 1))
    for row in parting["who_when"]:
        if row["actor"] in place:
            cells[place[row["actor"]], row["turn"]] = row["pairs"] / pairs
    words = float(np.clip(0.2 + max(_measure(_plain(row["title"]), BODY) for row in who), 1.3, 2.4))
    curve, lane, bar, gap = 1.0, 0.22, 0.2, 0.34
    room = page_room = PAGE - 2 * _Page.MARGIN - words
    never = pairs - parting["part"]
    more = [f"{len(parting['who']) - len(who)} more actors" if len(parting["who"]) > len(who) else ""]
    more += [f"{len(parting['what']) - len(what)} more choices" if len(parting["what"]) > len(what) else ""]
    less = [text for text in more if text]
    body = 0.2 + curve + 0.1 + lane * len(who) + 0.34 + gap + bar * len(what) + 0.3
    injects = data.injects_shown
    page = _page(
        data,
        body,
        "Where the paths part",
        "A pair parts in the first turn in which somebody chooses otherwise. Above: the share of the pairs that have "
        f"parted by then; {_share_of(never, pairs)}. Below: who parts them, when, in per cent of the pairs "
        "(several may in one turn); then by which choices.",
        legend=[
            (Patch(facecolor=BLUE), "a choice of A alone"),
            (Patch(facecolor=VERMILLION, hatch="////", edgecolor="#ffffff"), "a choice of B alone"),
            *_fork_key(data),
            *_inject_key(injects),
        ],
        injects=injects,
        notes=[f"Left out: {' and '.join(less)}, each in fewer pairs."] if less else [],
    )
    left = page.MARGIN + words
    ticks = _date_ticks(data.states.dates, turns, room)
    axes = page.axes(left, 0.2, room, curve, "parted")
    by = np.cumsum([0, *(row["pairs"] for row in parting["when"])]) / pairs
    edges = _steps(np.arange(turns + 1.0))
    level = np.append(by, by[-1])
    axes.fill_between(edges, 0, level, step="post", facecolor=SHADE, linewidth=0, zorder=1.5)
    axes.plot(edges, level, drawstyle="steps-post", color=INK, linewidth=1.3, zorder=3)
    axes.set_ylim(0, 1.04)
    _time_axis(axes, ticks, turns, labelled=False)
    _levels(axes, (0, 0.5, 1), ("0%", "50%", "100%"))
    _mark_fork(axes, data)
    _mark_injects(axes, injects, room, turns + 1)
    page.text(page.MARGIN, 0.2 + curve / 2, "parted by then", size=SMALL, color=GREY, va="center")
    top = 0.2 + curve + 0.1
    axes = page.axes(left, top, room, lane * len(who), "who")
    strongest = max(float(cells.max()), 1e-9)
    axes.imshow(
        cells, aspect="auto", cmap=_tint(), vmin=0, vmax=strongest, extent=(-0.5, turns + 0.5, len(who) - 0.5, -0.5)
    )
    axes.set_xlim(-0.5, turns + 0.5)
    axes.set_yticks([])
    _label_turns(axes, ticks, TINY)
    if room / (turns + 1) > 0.26:
        for n, turn in zip(*np.nonzero(cells), strict=True):
            share = cells[n, turn]
            dark = share > 0.6 * strongest
            axes.text(turn, n, _percent(share).rstrip("%"), size=TINY, ha="center", va="center_baseline",
                      color="#ffffff" if dark else INK)  # fmt: skip
    for n, row in enumerate(who):
        name = _cut(_upper(_plain(row["title"])), words - 0.1, BODY)
        page.text(page.MARGIN, top + (n + 0.5) * lane, name, size=BODY, va="center")
    top += lane * len(who) + 0.34 + gap
    _choices(page, what, pairs, top, bar, page_room)
    return page.figure


def _choices(page: _Page, what: Sequence[dict[str, Any]], pairs: int, top: float, bar: float, room: float) -> None:
    """Bars of the choices by which pairs part."""
    words = min(6.0, 0.2 + max(_measure(_plain(row["title"]), BODY) for row in what))
    wide = page.room - words - 0.5
    axes = page.axes(page.MARGIN + words, top, wide, bar * len(what), "what")
    for n, row in enumerate(what):
        share = row["pairs"] / pairs
        of_b = row["side"] == "B"
        (box,) = axes.barh([n], [share], height=0.66, linewidth=0, color=VERMILLION if of_b else BLUE)
        if of_b:
            box.set(hatch="////", edgecolor="#ffffff")
        page.text(page.MARGIN, top + (n + 0.5) * bar, _cut(_plain(row["title"]), words - 0.1, BODY), size=BODY,
                  va="center")  # fmt: skip
        axes.text(share, n, f" {row['side']} {_percent(share)}", size=TINY, va="center_baseline")
    axes.set_xlim(0, max(row["pairs"] for row in what) / pairs * 1.12)
    axes.set_xticks([])
    _row_axis(axes, len(what))
    axes.spines["bottom"].set_visible(False)
    page.text(page.MARGIN, top - 0.08, "Choices that part the pairs", size=BODY, weight="bold", va="baseline")


def _share_of(count: int, of: int) -> str:
    """How many pairs never part."""
    return f"{count:,} of them ({_percent(count / of)}) never do" if count else "all of them do"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _tint() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("tint", ["#ffffff", BLUE])

"""Table → figure: what came of a set of runs, drawn for print.

`draw_run` writes every figure that has something to show; each `draw_*` function returns one Matplotlib Figure, or None
when there is nothing. All share one page: a heading, how to read it, panels, the injects by letter, what was left out,
and a source line. Colours are those of Okabe & Ito 2008, and no distinction rests on colour alone.

A turn is a cell of the time axis: its value stands in the middle, its injects on its left edge, where they happen.
Nothing here uses pyplot, so drawing leaves no state behind; the same tables give the same bytes.
"""

from __future__ import annotations

import gc
import io
import re
import threading
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from sim.analysis import QUAD_OF, QUANTILES, quantiles
from sim.errors import BadInput, StorageProblem

Floats = NDArray[np.float64]

PNG_DPI = 150
PAGE = 10.6  # inches: fits a landscape A4 or letter sheet
LADDER_PANELS = 20
INDICATOR_PANELS = 16
WORLD_PANELS = 11  # of them, for the world's indicators
CREDIBILITY_PANELS = 36
REGARD_ACTORS = 20
LANES = 24
LANE_ROWS = 92  # of all lanes together
PROMISE_ROWS = 60


@dataclass(frozen=True)
class RunData:
    """What the figures are drawn from: tables as in a run folder, and the names that a reader should see.

    states: run, turn, date and one column an indicator path; turn 0 is the start. acts, beliefs, events: as in the run
    folder. actors: id -> title, in the order in which they are shown. ladders: path -> rungs, lowest first.
    indicators: path -> title. injects: (turn, title). actions: id -> verb phrase ("sends money to").
    The rest may be left out: ranges: path -> (lowest, highest); assurances and incidents: id -> title; weights: path ->
    how much the actors care for it, the sum of the saliences of the interests in it; promises: as in the run folder.
    """

    title: str
    states: pa.Table
    acts: pa.Table
    beliefs: pa.Table
    events: pa.Table
    actors: dict[str, str]
    ladders: dict[str, list[str]]
    indicators: dict[str, str]
    injects: list[tuple[int, str]]
    actions: dict[str, str]
    seed: int | None = None
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    assurances: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, str] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    promises: pa.Table | None = None


def draw_run(data: RunData, folder: Path, runs_shown: int | Sequence[int] = 0) -> list[Path]:
    """Write every figure that has something to show into `folder` as PNG and SVG; return the paths written.

    runs_shown: the run, or runs, whose acts are drawn one by one. Raises BadInput for a run that is not in the tables
    and StorageProblem where the folder cannot be written.
    """
    shown = [runs_shown] if isinstance(runs_shown, int) else list(runs_shown)
    return save(figures_of(data, shown), folder)


def save(figures: Iterable[tuple[str, Figure]], folder: Path) -> list[Path]:
    """Write figures, each with its file name without ending, into `folder` as PNG and SVG; return the paths written.

    Raises StorageProblem where the folder cannot be written.
    """
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _no_collecting():
            for name, figure in figures:
                for form in ("png", "svg"):
                    path = folder / f"{name}.{form}"
                    path.write_bytes(render(figure, form))
                    written.append(path)
    except OSError as error:
        place = error.filename or folder
        raise StorageProblem(f"{place}: figures cannot be written: {error.strerror or error}") from error
    return written


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Without garbage collection, which would take a quarter of the time to look through Matplotlib's objects."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def drawn(makers: Iterable[tuple[str, Callable[[], Figure | None]]]) -> Iterator[tuple[str, Figure]]:
    """(file name without ending, figure) of each of these that has something to show, one at a time."""
    for name, make in makers:
        figure = make()
        if figure is not None:
            yield name, figure


def figures_of(data: RunData, runs_shown: Sequence[int] = (0,)) -> Iterator[tuple[str, Figure]]:
    """(file name without ending, figure) of each figure that has something to show."""
    makers: list[tuple[str, Callable[[], Figure | None]]] = []
    for number, names in enumerate(ladder_groups(data)):
        stem = "ladder" if number == 0 else "ladder-others" if len(names) > 1 else f"ladder-{_file_name(names[0])}"
        makers.append((stem, partial(draw_ladder, data, *names)))
    makers += [(f"acts-run-{run}", partial(draw_acts, data, run)) for run in runs_shown]
    makers += [(f"promises-run-{run}", partial(draw_promises, data, run)) for run in runs_shown]
    makers.append(("indicators", partial(draw_indicators, data)))
    makers.append(("credibility", partial(draw_credibility, data)))
    makers.append(("regard", partial(draw_regard, data)))
    return drawn(makers)


def render(figure: Figure, form: str) -> bytes:
    """The figure as a `png` or `svg` file; the same figure gives the same bytes."""
    metadata: dict[str, Any] = {"Software": None} if form == "png" else {"Date": None, "Creator": None}
    packing: dict[str, Any] = (
        {"pil_kwargs": {"compress_level": 3}} if form == "png" else {}
    )  # as small as 6, and faster
    out = io.BytesIO()
    with _style():
        figure.savefig(out, format=form, dpi=PNG_DPI, metadata=metadata, **packing)
    return out.getvalue()


def ladder_groups(data: RunData) -> list[list[str]]:
    """The ladder indicators of each ladder figure, by the last part of their paths; the largest figure first.

    A ladder that several have is a figure of its own; those that only one has share the last figure.
    """
    columns = set(data.states.column_names)
    held: dict[str, list[str]] = defaultdict(list)
    for path in data.ladders:
        if path in columns:
            held[path.split(".")[-1]].append(path)
    shared = [name for name, paths in held.items() if len(paths) > 1]
    shared.sort(key=lambda name: (-len(held[name]) * len(data.ladders[held[name][0]]), name))
    alone = sorted(name for name, paths in held.items() if len(paths) == 1)
    return [[name] for name in shared] + ([alone] if alone else [])


def bands(values: Floats) -> Floats:
    """(5, T) quantiles over runs at each turn, of values (R, T): the 90% band, the 50% band and the median between.

    They are `analysis.quantiles`, so that figures and printed tables agree. A run that lacks a turn (NaN) does not
    count there; a turn that no run has is NaN.
    """
    if not np.isnan(values).any():
        return quantiles(values)
    out = np.full((len(QUANTILES), values.shape[1]), np.nan)
    for turn, column in enumerate(values.T):
        present = column[~np.isnan(column)]
        if present.size:
            out[:, turn] = quantiles(present)
    return out


# -------------------------------------------------------------------------------------------------- one visual language

INK, GREY, RULE, SHADE, PAPER = "#222222", "#5c5c5c", "#d9d9d9", "#f4f4f2", "#ffffff"
BLUE, GREEN, ORANGE, VERMILLION, PURPLE = "#0072b2", "#009e73", "#e69f00", "#d55e00", "#cc79a7"  # Okabe & Ito 2008
BAND_90, BAND_50 = "#cfe2ef", "#86b9d9"  # tints of blue, opaque so that print and screen agree
TITLE, BODY, SMALL, TINY = 12.5, 8.0, 7.2, 6.6  # points

QUAD_MARK = {
    "verbal cooperation": ("o", BLUE),
    "material cooperation": ("s", GREEN),
    "verbal conflict": ("^", ORANGE),
    "material conflict": ("D", VERMILLION),
    "neutral": ("v", "#8a8a8a"),
}
MARK_SIZE = {"o": 26.0, "s": 23.0, "^": 28.0, "D": 19.0, "v": 22.0, "X": 34.0}  # square points, alike to the eye
INCIDENT_MARK = "X"
INJECT_DASHES = (0, (3.5, 2))

_STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # Matplotlib's own, so that every machine draws the same
    "font.size": BODY,
    "text.parse_math": False,  # a `$` in a name is a `$`
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.hashsalt": "tightrope",
    "svg.fonttype": "path",
}
_STYLE_LOCK = threading.RLock()


@contextmanager
def _style() -> Iterator[None]:
    """Our settings and nobody else's; one thread at a time, because Matplotlib's settings belong to the process."""
    with _STYLE_LOCK, style.context(["default", _STYLE]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")  # drawn as a box
        yield


def _plain(text: str) -> str:
    """On one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _prettified(name: str) -> str:
    return name.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _within(title: str) -> str:
    """A title inside a sentence: "the Taliban"."""
    return "the " + title[4:] if title.startswith("The ") else title


def _alone(title: str) -> str:
    """A title that stands for itself: "The Taliban"."""
    return "The " + title[4:] if title.startswith("the ") else title


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "unnamed"


@lru_cache(maxsize=20_000)
def _measure(text: str, size: float, bold: bool = False) -> float:
    """Width in inches."""
    font = FontProperties(family=["DejaVu Sans"], size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width) / 72 * 1.03  # hinting makes small letters that much wider on a screen's grid


def _cut(text: str, room: float, size: float, bold: bool = False) -> str:
    """The text, or as much of it as fits in `room` inches and an ellipsis; empty when not even that fits."""
    if _measure(text, size, bold) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _measure(text[:middle].rstrip() + "…", size, bold) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else ""


def _wrap(text: str, room: float, size: float, bold: bool = False, lines: int | None = None) -> list[str]:
    """Broken into lines of `room` inches, at most `lines` of them, the last of which may end in an ellipsis."""
    out: list[str] = []
    words = text.split(" ")
    while words:
        if lines is not None and len(out) == lines - 1:
            return [*out, _cut(" ".join(words), room, size, bold)]
        taken = 1
        while taken < len(words) and _measure(" ".join(words[: taken + 1]), size, bold) <= room:
            taken += 1
        out.append(_cut(" ".join(words[:taken]), room, size, bold))
        words = words[taken:]
    return out


def _number(value: float) -> str:
    """Two decimals below ten, else whole, with a real minus sign."""
    text = f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"
    if text == "-0.00":
        text = "0.00"
    return text.replace("-", "−")


def _level(value: float) -> str:
    """A mark of an axis."""
    return f"{value:g}".replace("-", "−")


# ------------------------------------------------------------------------------------------------------- reading tables


def _column(table: pa.Table, name: str) -> NDArray[Any]:
    return np.asarray(table.column(name).to_numpy())


def _cube(run: NDArray[Any], turn: NDArray[Any], values: NDArray[Any], runs: NDArray[Any], turns: int) -> Floats:
    """(R, turns + 1); NaN where the table has no row."""
    if len(values) == len(runs) * (turns + 1) and (turn.reshape(len(runs), -1) == np.arange(turns + 1)).all():
        return np.asarray(values, dtype=np.float64).reshape(len(runs), turns + 1)
    out = np.full((len(runs), turns + 1), np.nan)
    out[np.searchsorted(runs, run), turn] = np.asarray(values, dtype=np.float64)
    return out


class _States:
    """The states table by run and turn."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.run, self.turn = _column(table, "run"), _column(table, "turn")
        self.runs = np.unique(self.run)
        self.turns = int(self.turn.max()) if len(self.turn) else 0
        self.paths = [name for name in table.column_names if name not in ("run", "turn", "date")]
        found, first = np.unique(self.turn, return_index=True)
        dates = table.column("date").take(pa.array(first)).to_pylist()
        self.dates = {int(turn): _plain(str(date)) for turn, date in zip(found, dates, strict=True)}
        # Rows of one run must be together and in order for a column to be reshaped as it stands.
        self.ordered = bool(np.all(np.diff(self.run) >= 0)) if len(self.run) else True

    def values(self, path: str) -> Floats:
        """(R, T + 1)"""
        values = _column(self.table, path)
        if self.ordered:
            return _cube(self.run, self.turn, values, self.runs, self.turns)
        order = np.lexsort((self.turn, self.run))
        return _cube(self.run[order], self.turn[order], values[order], self.runs, self.turns)


def _owner(data: RunData, path: str) -> str:
    """The titles of those a path belongs to: "Russia", "Russia → the Taliban", or nothing for the world's."""
    return _alone(" → ".join(_within(_actor(data, name)) for name in path.split(".")[:-1]))


def _actor(data: RunData, name: str | None) -> str:
    """The actor's title; an id that stands for one as a name: "United States"."""
    if not name:
        return "World"
    title = _plain(data.actors.get(name, name))
    return " ".join(map(_capital, title.split("_"))) if title == name else title


def _title(data: RunData, path: str) -> str:
    name = path.split(".")[-1]
    title = _plain(data.indicators.get(path, name))
    return _capital(_prettified(title)) if title == name else title


def _in_order(data: RunData, paths: Iterable[str]) -> list[str]:
    """By the order of the actors they belong to, the world's first."""
    place = {name: number for number, name in enumerate(data.actors)}
    last = len(place)

    def key(path: str) -> tuple[list[int], str]:
        return [place.get(name, last) for name in path.split(".")[:-1]], path

    return sorted(paths, key=lambda path: (len(path.split(".")), key(path)))


def _range_of(data: RunData, path: str, spread: Floats) -> tuple[float, float]:
    """As declared, else 0..1 or -1..1 where that holds every value, else what was seen, with zero."""
    if path in data.ranges:
        return data.ranges[path]
    low, high = float(np.nanmin(spread)), float(np.nanmax(spread))
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= -1 and high <= 1:
        return -1.0, 1.0
    return min(low, 0.0), max(high, 0.0)


def _movement(spread: Floats, low: float, high: float) -> float:
    """How much there is to see: the median's travel over the turns and the widest 50% band, as shares of the range."""
    travel = np.nanmax(spread[2]) - np.nanmin(spread[2])
    return float((travel + np.nanmax(spread[3] - spread[1])) / ((high - low) or 1.0))


def _steadiness(values: Floats) -> float:
    """0..1: a run's distance between its lowest and highest value over the way it went, mean of the runs. What rises or
    falls for good is near 1; what flickers, as a word that fades and is said again, is near 0."""
    way = np.nansum(np.abs(np.diff(values, axis=1)), axis=1)
    reach = np.nanmax(values, axis=1) - np.nanmin(values, axis=1)
    return float(reach.sum() / way.sum()) if way.sum() else 0.0


# ----------------------------------------------------------------------------------------------------- time and injects

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class _Date:
    year: int
    month: int
    day: int | None


def _parsed(text: str) -> _Date | None:
    match = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text)
    if match is None or not 1 <= int(match[2]) <= 12:
        return None
    return _Date(int(match[1]), int(match[2]), int(match[3]) if match[3] else None)


def spoken(text: str) -> str:
    """A date as a reader says it: "Aug 2021", "3 May 2021"; any other text as it is."""
    date = _parsed(text)
    if date is None:
        return text
    day = "" if date.day is None else f"{date.day} "
    return f"{day}{_MONTHS[date.month - 1]} {date.year}"


def _date_ticks(dates: dict[int, str], turns: int, room: float, size: float = TINY) -> list[tuple[int, str]]:
    """(turn, label) of as many turns as have room in `room` inches; the year is below its first month."""
    known = [turn for turn in range(1, turns + 1) if turn in dates]
    parsed = {turn: _parsed(dates[turn]) for turn in known}
    monthly = bool(known) and all(date is not None and date.day is None for date in parsed.values())
    daily = bool(known) and not monthly and all(date is not None for date in parsed.values())
    if monthly:
        widest = _measure("May", size)
    elif daily:
        widest = _measure("28 May", size)
    else:
        widest = max((_measure(dates[turn], size) for turn in known), default=0.0)
    need = (widest + 0.07) * (turns + 1) / max(room, 0.01)
    step = next((k for k in (1, 2, 3, 4, 6, 12, 24, 60, 120) if k >= need), int(np.ceil(need)))
    chosen = [turn for turn in known if (turn - 1) % step == 0]
    if monthly:
        months = {turn: date.year * 12 + date.month - 1 for turn, date in parsed.items() if date is not None}
        gap = months[known[1]] - months[known[0]] if len(known) > 1 else 1
        stride = step * max(gap, 1)
        if stride in (3, 4, 6) or stride % 12 == 0:
            aligned = [turn for turn in known if months[turn] % stride == 0]
            chosen = aligned if len(aligned) > 1 else chosen
        if all(months[turn] % 12 == 0 for turn in chosen):
            return [(turn, str(months[turn] // 12)) for turn in chosen]
    ticks: list[tuple[int, str]] = []
    year = None
    for turn in chosen:
        date = parsed[turn]
        if date is None or not (monthly or daily):
            ticks.append((turn, _cut(dates[turn], 1.2, size)))
            continue
        label = _MONTHS[date.month - 1] if date.day is None else f"{date.day} {_MONTHS[date.month - 1]}"
        ticks.append((turn, f"{label}\n" if date.year == year else f"{label}\n{date.year}"))
        year = date.year
    return ticks


def _letter(number: int) -> str:
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _injects(data: RunData, turns: int) -> list[tuple[str, int, str]]:
    """(letter, turn, title) in order of turn, those within the horizon."""
    within = sorted((turn, _plain(title)) for turn, title in data.injects if 1 <= turn <= turns)
    return [(_letter(number), turn, title) for number, (turn, title) in enumerate(within)]


def _mark_injects(axes: Axes, injects: list[tuple[str, int, str]], room: float, cells: int, size: float = TINY) -> None:
    """A dashed line at the start of each inject's turn, its letter above; letters too close together share a label."""
    groups: list[list[tuple[str, int]]] = []
    for letter, turn, _ in injects:
        if groups and (turn - groups[-1][-1][1]) * room / cells < 0.13:
            groups[-1].append((letter, turn))
        else:
            groups.append([(letter, turn)])
    for turn in sorted({turn for _, turn, _ in injects}):
        width = 0.7 if len(injects) < 5 else 0.4
        axes.axvline(turn - 0.5, color=INK, linewidth=width, linestyle=INJECT_DASHES, zorder=2.5)
    for group in groups:
        letters = [letter for letter, _ in group]
        axes.annotate(
            letters[0] if len(letters) == 1 else f"{letters[0]}–{letters[-1]}",
            ((group[0][1] + group[-1][1]) / 2 - 0.5, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 1.2),
            textcoords="offset points",
            size=size,
            weight="bold",
            ha="center",
            va="bottom",
            annotation_clip=False,
        )


# ------------------------------------------------------------------------------------------------------------- the page

FOOT_LINE = 0.132  # inches


class _Page:
    """A figure laid out in inches from the top down: heading, how to read it, body, injects, notes, source line."""

    MARGIN = 0.25

    def __init__(
        self,
        data: RunData,
        states: _States,
        width: float,
        body: float,
        heading: str,
        reading: str,
        legend: Sequence[tuple[Any, str]] = (),
        injects: Sequence[tuple[str, int, str]] = (),
        notes: Sequence[str] = (),
        runs: str | None = None,
    ) -> None:
        """body: height of the panels together. runs: what the source line says of the runs, if not their number."""
        self.width, self.room = width, width - 2 * self.MARGIN
        title = _wrap(_plain(heading), self.room, TITLE, True, lines=2)
        read = _wrap(_plain(reading), self.room, SMALL + 0.3)
        keys = self._arranged(legend)
        injected = self._inject_lines(states, injects)
        noted = _wrap(_plain(" ".join(notes)), self.room, SMALL) if notes else []
        if runs is None:
            runs = f"{len(states.runs):,} run{'' if len(states.runs) == 1 else 's'}"
        seed = "" if data.seed is None else f", seed {data.seed}"
        source = _wrap(f"Source: Tightrope, “{_plain(data.title)}”, {runs}{seed}.", self.room, TINY, lines=2)

        self.top = self.MARGIN + len(title) * 0.235 + len(read) * 0.15 + len(keys) * 0.19 + 0.16
        parts = [max((down + 1 for down, *_ in injected), default=0), len(noted), len(source)]
        foot = sum(FOOT_LINE * lines + (0.05 if lines else 0) for lines in parts)
        self.height = self.top + body + 0.12 + foot + 0.12
        self.figure = Figure(figsize=(width, self.height), facecolor=PAPER)

        down = -self.top + self.MARGIN
        for line in title:
            self.text(self.MARGIN, down, line, size=TITLE, weight="bold")
            down += 0.235
        down += 0.02
        for line in read:
            self.text(self.MARGIN, down, line, size=SMALL + 0.3, color=GREY)
            down += 0.15
        down += 0.06
        for row in keys:
            self._draw_keys(row, down)
            down += 0.19

        down = body + 0.12
        for lines_down, x, letter, line in injected:
            place = down + lines_down * FOOT_LINE
            self.text(self.MARGIN + x, place, letter, size=SMALL, weight="bold")
            self.text(self.MARGIN + x + 0.2 + 0.1 * (len(letter) > 1), place, line, size=SMALL)
        down += FOOT_LINE * parts[0] + (0.05 if parts[0] else 0)
        for line in noted:
            self.text(self.MARGIN, down, line, size=SMALL)
            down += FOOT_LINE
        down += 0.05 if noted else 0
        for line in source:
            self.text(self.MARGIN, down, line, size=TINY, color=GREY)
            down += FOOT_LINE

    def _inject_lines(
        self, states: _States, injects: Sequence[tuple[str, int, str]]
    ) -> list[tuple[int, float, str, str]]:
        """(lines down, inches in, letter or nothing, text) of the injects, in two columns where they are many."""
        if not injects:
            return []
        columns = 1 if len(injects) <= 3 else 2
        each = -(-len(injects) // columns)
        out = []
        down = [0] * columns
        for number, (letter, turn, title) in enumerate(injects):
            column = number // each
            date = spoken(states.dates.get(turn, f"turn {turn}"))
            for n, line in enumerate(_wrap(f"{date}: {title}", self.room / columns - 0.5, SMALL, lines=3)):
                out.append((down[column], column * self.room / columns, "" if n else letter, line))
                down[column] += 1
        return out

    def _arranged(self, legend: Sequence[tuple[Any, str]]) -> list[list[tuple[Any, str, float, float]]]:
        """Rows of (handle, label, inches from the left, width of the handle)."""
        rows: list[list[tuple[Any, str, float, float]]] = []
        across = 0.0
        for handle, label in legend:
            wide = 0.1 if isinstance(handle, Line2D) and handle.get_linestyle() == "None" else 0.26
            whole = wide + 0.07 + _measure(label, SMALL) + 0.2
            if not rows or across + whole > self.room + 0.2:
                rows.append([])
                across = 0.0
            rows[-1].append((handle, label, across, wide))
            across += whole
        return rows

    def _draw_keys(self, row: list[tuple[Any, str, float, float]], down: float) -> None:
        middle = self.height - self.top - down - 0.07
        for handle, label, across, wide in row:
            left = self.MARGIN + across
            if isinstance(handle, Patch):
                corner = (left / self.width, (middle - 0.05) / self.height)
                box = Rectangle(corner, wide / self.width, 0.1 / self.height, transform=self.figure.transFigure)
                box.set(facecolor=handle.get_facecolor(), edgecolor=handle.get_edgecolor(), hatch=handle.get_hatch())
                box.set_linewidth(0.4)
                self.figure.add_artist(box)
            else:
                spots = [left + wide / 2] if handle.get_linestyle() == "None" else [left, left + wide]
                line = Line2D([spot / self.width for spot in spots], [middle / self.height] * len(spots))
                line.update_from(handle)
                line.set_transform(self.figure.transFigure)
                self.figure.add_artist(line)
            self.text(left + wide + 0.07, down + 0.07, label, size=SMALL, va="center_baseline")

    def text(self, x: float, down: float, text: str, **how: Any) -> None:
        """Text whose top left corner is at these inches from the left and from the top of the body."""
        if text:
            place = (x / self.width, 1 - (self.top + down) / self.height)
            self.figure.text(*place, text, **{"va": "top", "ha": "left", **how})

    def axes(self, x: float, down: float, width: float, height: float, name: str) -> Axes:
        """Axes whose top left corner is at these inches; `name` is their label, which nothing draws."""
        bottom = self.height - self.top - down - height
        box = (x / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box, label=name)


@dataclass(frozen=True)
class _Grid:
    """Panels of one size in rows and columns; inches."""

    columns: int
    panel: float  # width of a panel
    gutter: float  # to the left of the first column
    gap: float  # between columns

    @classmethod
    def of(cls, count: int, most: int, gutter: float, gap: float, widest: float) -> _Grid:
        rows = -(-count // most)
        columns = -(-count // rows)
        room = PAGE - 2 * _Page.MARGIN - gutter - gap * (columns - 1)
        return cls(columns, min(widest, room / columns), gutter, gap)

    @property
    def width(self) -> float:
        """Of the page."""
        return max(5.6, 2 * _Page.MARGIN + self.gutter + self.columns * (self.panel + self.gap) - self.gap)

    def left(self, column: int) -> float:
        return _Page.MARGIN + self.gutter + column * (self.panel + self.gap)

    def rows(self, count: int) -> int:
        return -(-count // self.columns)


def _panel_name(page: _Page, x: float, foot: float, room: float, name: str, right: str, size: float = BODY) -> None:
    """A panel's name in bold and, where there is room, a value on the right; `foot` is the line they stand on."""
    left = room - (_measure(right, SMALL) + 0.08 if right else 0)
    size = size if _measure(name, size, True) <= left else TINY + 0.2
    kept = _cut(name, left, size, True)
    if right and len(kept) < min(len(name), 10):
        right, kept = "", _cut(name, room, size, True)
    page.text(x, foot, kept, size=size, weight="bold", va="baseline")
    page.text(x + room, foot, right, size=SMALL, color=GREY, ha="right", va="baseline")


def _band_legend(runs: int, of: str = "") -> list[tuple[Any, str]]:
    line = Line2D([], [], color=BLUE, linewidth=1.6)
    if runs == 1:
        return [(line, f"{of}in the one run".strip())]
    return [
        (line, f"{of}median of the runs"),
        (Patch(facecolor=BAND_50), "middle 50% of the runs"),
        (Patch(facecolor=BAND_90), "middle 90%"),
    ]


def _inject_legend(injects: Sequence[Any]) -> list[tuple[Any, str]]:
    if not injects:
        return []
    return [(Line2D([], [], color=INK, linewidth=0.8, linestyle=INJECT_DASHES), "inject: see its letter below")]


def _draw_bands(axes: Axes, spread: Floats, stepped: bool = False) -> None:
    """Median and bands over turns 0..T; a ladder's stand as steps, a turn wide."""
    turns = np.flatnonzero(~np.isnan(spread[2]))
    if not turns.size:
        return
    across: Floats = turns.astype(np.float64)
    spread = spread[:, turns]
    step: Any = None
    if stepped:
        across, spread, step = _steps(across), np.column_stack([spread, spread[:, -1]]), "post"
    for low, high, colour in ((0, 4, BAND_90), (1, 3, BAND_50)):
        if (spread[high] > spread[low]).any():
            axes.fill_between(across, spread[low], spread[high], step=step, facecolor=colour, linewidth=0, zorder=2)
    marker = "o" if len(turns) == 1 and not stepped else ""
    drawn = "steps-post" if stepped else "default"
    axes.plot(across, spread[2], color=BLUE, linewidth=1.6, drawstyle=drawn, marker=marker, markersize=3, zorder=3)


def _steps(turns: Floats) -> Floats:
    """The edges of the turns' cells."""
    return np.append(turns - 0.5, turns[-1] + 0.5)


def _levels(axes: Axes, levels: Sequence[float], labels: Sequence[str] | None) -> None:
    """Rules across the panel at these levels, named where there are labels. The time axis must stand."""
    axes.hlines(levels, *axes.get_xlim(), color=RULE, linewidth=0.5, zorder=1)
    if labels is None:
        axes.set_yticks([])
    else:
        axes.set_yticks(list(levels), list(labels), size=TINY)


def _time_axis(axes: Axes, ticks: list[tuple[int, str]], turns: int, labelled: bool) -> None:
    axes.set_xlim(-0.5, turns + 0.5)
    if labelled:
        _label_turns(axes, ticks, TINY)
    else:
        axes.set_xticks([turn for turn, _ in ticks])
        axes.tick_params(axis="x", labelbottom=False)


def _label_turns(axes: Axes, ticks: list[tuple[int, str]], size: float) -> None:
    """Labels on one line, whatever their letters: their lines are counted down from a common baseline."""
    axes.set_xticks([turn for turn, _ in ticks], [label for _, label in ticks], size=size, va="baseline")
    lines = max((label.count("\n") for _, label in ticks), default=0)
    axes.tick_params(axis="x", pad=2.5 + size * (0.75 + 1.17 * lines))


# ----------------------------------------------------------------------------------------------------------- the ladder


@_style()
def draw_ladder(data: RunData, *names: str) -> Figure | None:
    """The ladders of these names over time, a panel for each actor or pair that has one.

    Median, 50% and 90% bands; of a ladder of two rungs, the share of the runs on the upper one. Ladders that nobody
    else has are left out where they never move.
    """
    states = _States(data.states)
    paths = _in_order(data, [p for p in states.paths if p in data.ladders and p.split(".")[-1] in names])
    if not len(states.runs):
        return None
    cubes = {path: states.values(path) for path in paths}
    spreads = {path: bands(cube) for path, cube in cubes.items()}
    if len(names) > 1 or len(paths) == 1:
        paths = [path for path in paths if np.nanmin(cubes[path]) < np.nanmax(cubes[path])]
    if not paths:
        return None
    rungs = {path: [_prettified(_plain(rung)) for rung in data.ladders[path]] for path in paths}
    left_out = len(paths) - LADDER_PANELS
    if left_out > 0:
        moved = sorted(paths, key=lambda p: -_movement(spreads[p], 0, len(rungs[p]) - 1))
        paths = [path for path in paths if path in set(moved[:LADDER_PANELS])]
    two = {path for path in paths if len(rungs[path]) == 2}
    same_rungs = all(rungs[path] == rungs[paths[0]] for path in paths)
    every = {path: max(1, -(-len(rungs[path]) // 24)) for path in paths}
    height = max(min(3.0, max(0.5, 0.118 * len(rungs[path]) / every[path])) for path in paths)

    titles = {_title(data, path) for path in paths}
    targets = {tuple(path.split(".")[1:-1]) for path in paths}
    alike = len(titles) == 1 and len(targets) == 1  # a panel is known by its actor
    heading = (
        next(iter(titles))
        if len(titles) == 1
        else "Other ladders"
        if len(names) > 1
        else _capital(_prettified(names[0]))
    )
    towards = f", towards {_within(_actor(data, paths[0].split('.')[1]))}" if alike and targets != {()} else ""

    gutter = min(1.5, 0.12 + max(_measure(rung, TINY) for path in paths for rung in rungs[path]))
    grid = _Grid.of(len(paths), 5 if same_rungs else 4, gutter, 0.16 if same_rungs else gutter + 0.1, 3.2)
    head = 0.34 if alike else 0.46
    pitch = height + head + 0.06
    injects = _injects(data, states.turns)
    reading = f"A panel for each {f'actor{towards}' if alike else 'ladder'}: first the start, then a step a turn."
    legend: list[tuple[Any, str]] = []
    median = "" if len(states.runs) == 1 else ", median of the runs"
    if two:
        reading += " The area is the share of the runs on the upper rung; on the right, the share at the end."
        legend.append((Patch(facecolor=BAND_50, edgecolor=BLUE), "share of the runs on the upper rung"))
    if len(two) < len(paths):
        reading += f" On the right of a panel's name: the rung at the end{median}."
        legend = [*_band_legend(len(states.runs)), *legend]
    page = _Page(
        data,
        states,
        grid.width,
        grid.rows(len(paths)) * pitch + 0.24,
        heading,
        reading,
        [*legend, *_inject_legend(injects)],
        injects,
        [f"Left out: {left_out} more panels, whose rungs move and differ less."] if left_out > 0 else [],
    )
    ticks = _date_ticks(states.dates, states.turns, grid.panel)
    for number, path in enumerate(paths):
        row, column = divmod(number, grid.columns)
        x, down = grid.left(column), row * pitch + head
        axes = page.axes(x, down, grid.panel, height, path)
        _time_axis(axes, ticks, states.turns, labelled=number + grid.columns >= len(paths))
        top = len(rungs[path]) - 1
        if path in two:
            share = np.nanmean(cubes[path], axis=0)
            edges, level = _steps(np.arange(states.turns + 1.0)), np.append(share, share[-1])
            axes.fill_between(edges, 0, level, step="post", facecolor=BAND_50, linewidth=0, zorder=2)
            axes.plot(edges, level, drawstyle="steps-post", color=BLUE, linewidth=1.4, zorder=3)
            axes.set_ylim(-0.03, 1.06)
            end = f"{rungs[path][1]}: {share[-1]:.0%}"
        else:
            _draw_bands(axes, spreads[path], stepped=True)
            axes.set_ylim(-0.45, top + 0.45)
            end = rungs[path][int(spreads[path][2, -1])]
        shown = list(range(0, top + 1, every[path]))
        labels = [_cut(rungs[path][rung], gutter - 0.08, TINY) for rung in shown]
        _levels(axes, shown, labels if column == 0 or not same_rungs else None)
        _mark_injects(axes, injects, grid.panel, states.turns + 1)
        if alike:
            _panel_name(page, x, down - 0.14, grid.panel, _alone(_actor(data, path.split(".")[0])), end)
        else:
            _panel_name(page, x, down - 0.27, grid.panel, _title(data, path), "")
            _sub_name(page, x, down - 0.14, grid.panel, _owner(data, path) or "World", end)
    return page.figure


def _sub_name(page: _Page, x: float, foot: float, room: float, owner: str, right: str) -> None:
    """The second line of a panel's name: whose it is, and a value on the right."""
    page.text(x, foot, _cut(owner, room - _measure(right, SMALL) - 0.08, SMALL), size=SMALL, va="baseline")
    page.text(x + room, foot, right, size=SMALL, color=GREY, ha="right", va="baseline")


# ----------------------------------------------------------------------------------------------------------- indicators


@_style()
def draw_indicators(data: RunData) -> Figure | None:
    """The main world and actor indicators over time: those that the actors care for most, the world's first. What
    nobody cares for comes after, by how much it moves, over turns and between runs, for longer than a turn."""
    states = _States(data.states)
    candidates = [p for p in states.paths if p not in data.ladders and len(p.split(".")) <= 2]
    if not candidates or not len(states.runs):
        return None
    spreads: dict[str, Floats] = {}
    ranges: dict[str, tuple[float, float]] = {}
    movement: dict[str, float] = {}
    varies: dict[str, bool] = {}
    for path in candidates:
        values = states.values(path)
        if not np.isnan(values).any(axis=1).all():
            spreads[path] = bands(values)
            ranges[path] = _range_of(data, path, spreads[path])
            movement[path] = _movement(spreads[path], *ranges[path]) * _steadiness(values) ** 2
            varies[path] = bool(np.nanmax(values) > np.nanmin(values))
    moving = [path for path in movement if varies[path]]
    moving.sort(key=lambda path: (-round(data.weights.get(path, 0.0), 6), -movement[path]))
    if not moving:
        return None
    paths = sorted(
        _main(moving, data.weights), key=lambda p: ("." in p, _title(data, p), _in_order(data, moving).index(p))
    )

    alike = len({ranges[path] for path in paths}) == 1
    grid = _Grid.of(len(paths), 4, 0.36, 0.2 if alike else 0.42, 3.2)
    titles = {path: _wrap(_title(data, path), grid.panel, BODY, True, lines=2) for path in paths}
    height = 0.95
    tops, down = [], 0.0
    for row in range(grid.rows(len(paths))):
        down += 0.39 + 0.13 * max(len(titles[path]) for path in paths[row * grid.columns : (row + 1) * grid.columns])
        tops.append(down)
        down += height + 0.08
    injects = _injects(data, states.turns)
    less, still = len(moving) - len(paths), len(candidates) - len(moving)
    missing = [f"{less} more that {'matter less to the actors' if data.weights else 'move less'}"] if less else []
    missing += [f"{still} that never {'moves' if still == 1 else 'move'}"] if still else []
    reading = "Each axis spans the indicator's whole range. Each panel begins with the start."
    if len(states.runs) > 1:
        reading += " On the right of a panel's name: median and 90% band at the end."
    page = _Page(
        data,
        states,
        grid.width,
        down + 0.24,
        "The main indicators",
        reading,
        [*_band_legend(len(states.runs)), *_inject_legend(injects)],
        injects,
        [f"Left out of the world's and the actors' indicators: {' and '.join(missing)}."] if missing else [],
    )
    ticks = _date_ticks(states.dates, states.turns, grid.panel)
    for number, path in enumerate(paths):
        row, column = divmod(number, grid.columns)
        x, down = grid.left(column), tops[row]
        axes = page.axes(x, down, grid.panel, height, path)
        _time_axis(axes, ticks, states.turns, labelled=number + grid.columns >= len(paths))
        _draw_bands(axes, spreads[path])
        low, high = ranges[path]
        axes.set_ylim(low - 0.03 * (high - low), high + 0.03 * (high - low))
        marks = [low, (low + high) / 2, high]
        _levels(axes, marks, [_level(mark) for mark in marks] if column == 0 or not alike else None)
        _mark_injects(axes, injects, grid.panel, states.turns + 1)
        lines = titles[path]
        for up, line in enumerate(reversed(lines)):
            page.text(x, down - 0.27 - 0.13 * up, line, size=BODY, weight="bold", va="baseline")
        last = spreads[path][:, -1]
        value = _number(last[2])
        if len(states.runs) > 1:
            value += f" ({_number(last[0])} to {_number(last[4])})"
        _sub_name(page, x, down - 0.14, grid.panel, _owner(data, path) or "World", value)
    return page.figure


def _main(moving: list[str], weights: dict[str, float]) -> list[str]:
    """The panels' worth of paths, from the first on: the world's own that anyone cares for before the others, and no
    more than two actors for one indicator unless panels are left."""
    kept = [path for path in moving if "." not in path and (not weights or weights.get(path, 0.0) > 0)][:WORLD_PANELS]
    of: Counter[str] = Counter()
    later = []
    for path in moving:
        if path in kept:
            continue
        name = path.split(".")[-1]
        of[name] += 1
        if of[name] <= 2 and len(kept) < INDICATOR_PANELS:
            kept.append(path)
        else:
            later.append(path)
    return [*kept, *later][:INDICATOR_PANELS]


# ---------------------------------------------------------------------------------------------------------- credibility


@dataclass(frozen=True)
class _Belief:
    """One receiver's belief in one giver's promise over turns 0..T."""

    giver: str
    kind: str
    receiver: str
    credibility: Floats  # (5, T + 1) bands
    reliability: Floats  # (T + 1) medians
    promised: Floats


def _beliefs(table: pa.Table) -> list[_Belief]:
    run, turn = _column(table, "run"), _column(table, "turn")
    runs, turns = np.unique(run), int(turn.max())
    codes = np.zeros(table.num_rows, dtype=np.int64)
    names: list[list[str]] = []
    for column in ("giver", "kind", "receiver"):
        coded = table.column(column).combine_chunks().dictionary_encode()
        names.append(coded.dictionary.to_pylist())
        codes = codes * len(names[-1]) + coded.indices.to_numpy()
    rows = np.lexsort((turn, run, codes))
    found, first = np.unique(codes[rows], return_index=True)
    values = {name: _column(table, name) for name in ("credibility", "reliability", "promised")}
    out = []
    for code, chosen in zip(found.tolist(), np.split(rows, first[1:]), strict=True):
        rest, receiver = divmod(code, len(names[2]))
        giver, kind = divmod(rest, len(names[1]))
        spread, reliability, promised = (
            bands(_cube(run[chosen], turn[chosen], column[chosen], runs, turns)) for column in values.values()
        )
        out.append(_Belief(names[0][giver], names[1][kind], names[2][receiver], spread, reliability[2], promised[2]))
    return out


@_style()
def draw_credibility(data: RunData) -> Figure | None:
    """How far each receiver believes each promise, beside how far it would be kept and how far it stands."""
    if not data.beliefs.num_rows:
        return None
    states = _States(data.states)
    beliefs = _beliefs(data.beliefs)
    turns = beliefs[0].credibility.shape[1] - 1
    left_out = len(beliefs) - CREDIBILITY_PANELS
    beliefs.sort(key=lambda b: -_movement(b.credibility, 0, 1))
    place = {name: number for number, name in enumerate(data.actors)}
    blocks: dict[tuple[str, str], list[_Belief]] = defaultdict(list)
    shown = beliefs[:CREDIBILITY_PANELS]
    for b in sorted(shown, key=lambda b: (place.get(b.giver, 999), b.kind, place.get(b.receiver, 999), b.receiver)):
        blocks[b.giver, b.kind].append(b)

    widest = max(len(block) for block in blocks.values())
    grid = _Grid.of(max(widest, 2), 7, 0.34, 0.14, 2.4)
    headings = {
        (
            giver,
            kind,
        ): f"Promised by {_within(_actor(data, giver))}: {_plain(data.assurances.get(kind, _prettified(kind)))}"
        for giver, kind in blocks
    }
    spans = {
        key: max(len(block), int(np.ceil(_measure(headings[key], BODY + 0.6, True) / (grid.panel + grid.gap))))
        for key, block in blocks.items()
    }
    shelves = _shelves(spans, grid.columns)
    height, head, block_head, block_foot = 0.66, 0.3, 0.22, 0.34
    pitch = height + head + 0.04
    injects = _injects(data, turns)
    runs = len(states.runs)
    dashes, dots = (0, (4, 1.6)), (0, (1, 1.3))
    middle = "" if runs == 1 else ", median"
    page = _Page(
        data,
        states,
        grid.width,
        sum(block_head + pitch * max(grid.rows(len(blocks[key])) for key in shelf) + block_foot for shelf in shelves)
        - 0.1,
        "How far each promise is believed",
        "A panel for each receiver. Credibility is what the receiver believes, reliability the chance that the promise "
        "would in truth be kept; the promise itself fades unless it is renewed. On the right: credibility at the end.",
        [
            *_band_legend(runs, "credibility, " if runs > 1 else "credibility "),
            (Line2D([], [], color=VERMILLION, linewidth=1.1, linestyle=dashes), f"reliability{middle}"),
            (Line2D([], [], color=GREY, linewidth=1.1, linestyle=dots), f"promise standing{middle}"),
            *_inject_legend(injects),
        ],
        injects,
        [f"Left out: {left_out} more panels, where credibility moves and differs less."] if left_out > 0 else [],
    )
    ticks = _date_ticks(states.dates, turns, grid.panel)
    across = np.arange(turns + 1)
    down = 0.0
    for shelf in shelves:
        begin = 0
        for key in shelf:
            x, block = grid.left(begin) if begin else page.MARGIN, blocks[key]
            heading = _cut(headings[key], page.width - page.MARGIN - x, BODY + 0.6, True)
            page.text(x, down + 0.13, heading, size=BODY + 0.6, weight="bold", color=BLUE, va="baseline")
            for number, belief in enumerate(block):
                row, column = divmod(begin + number, grid.columns)
                x, top = grid.left(column), down + block_head + row * pitch + head
                axes = page.axes(x, top, grid.panel, height, f"{belief.receiver}.{belief.giver}.{belief.kind}")
                _time_axis(axes, ticks, turns, labelled=number + grid.columns >= len(block))
                _draw_bands(axes, belief.credibility)
                axes.plot(across, belief.promised, color=GREY, linewidth=1.1, linestyle=dots, zorder=3.1)
                axes.plot(across, belief.reliability, color=VERMILLION, linewidth=1.1, linestyle=dashes, zorder=3.2)
                axes.set_ylim(-0.03, 1.03)
                _levels(axes, (0, 0.5, 1), ("0", "0.5", "1") if column == 0 else None)
                _mark_injects(axes, injects, grid.panel, turns + 1)
                name = _alone(_actor(data, belief.receiver))
                _panel_name(page, x, top - 0.14, grid.panel, name, _number(belief.credibility[2, -1]), SMALL + 0.2)
            begin += spans[key]
        down += block_head + pitch * max(grid.rows(len(blocks[key])) for key in shelf) + block_foot
    return page.figure


def _shelves(spans: dict[tuple[str, str], int], columns: int) -> list[list[tuple[str, str]]]:
    """Blocks of so many columns, side by side where they fit; the widest first."""
    shelves: list[list[tuple[str, str]]] = []
    for key in sorted(spans, key=lambda key: -spans[key]):
        for shelf in shelves:
            if sum(spans[other] for other in shelf) + spans[key] <= columns:
                shelf.append(key)
                break
        else:
            shelves.append([key])
    return shelves


# --------------------------------------------------------------------------------------------------------------- regard

_WARMTH = LinearSegmentedColormap.from_list(
    "warmth", [(0, "#b35806"), (0.25, "#f1a340"), (0.5, "#f7f7f7"), (0.75, "#7fb3d5"), (1, "#0b5a94")]
)
NOTABLE = 0.1  # a change of regard that is framed


@_style()
def draw_regard(data: RunData) -> Figure | None:
    """Regard among actors, median of the runs: at the start, and at the end with the change written in the cells."""
    states = _States(data.states)
    pairs = {tuple(p.split(".")[:2]): p for p in states.paths if len(p.split(".")) == 3 and p.split(".")[2] == "regard"}
    if not pairs or not len(states.runs):
        return None
    start: dict[tuple[str, ...], float] = {}
    end: dict[tuple[str, ...], float] = {}
    for pair, path in pairs.items():
        start[pair], end[pair] = bands(states.values(path)[:, [0, -1]])[2].tolist()
    place = {name: number for number, name in enumerate(data.actors)}
    names = sorted({name for pair in pairs for name in pair}, key=lambda name: (place.get(name, len(place)), name))
    left_out = len(names) - REGARD_ACTORS
    if left_out > 0:
        moved = {name: sum(abs(end[pair] - start[pair]) for pair in pairs if name in pair) for name in names}
        kept = set(sorted(names, key=lambda name: -moved[name])[:REGARD_ACTORS])
        names = [name for name in names if name in kept]
    rows = [name for name in names if any((name, other) in pairs for other in names)]
    columns = [name for name in names if any((other, name) in pairs for other in names)]
    if not rows:
        return None

    titles = {name: _cut(_alone(_actor(data, name)), 1.35, SMALL) for name in names}
    gutter = 0.12 + max(_measure(titles[name], SMALL) for name in rows)
    slant = 0.72 * max(_measure(titles[name], SMALL) for name in columns)  # of labels at 45 degrees
    middle = 0.32
    cell = min(0.46, (PAGE - 2 * _Page.MARGIN - gutter - middle) / (2 * len(columns)))
    wide, tall, head = cell * len(columns), cell * len(rows), 0.42 + slant
    absent = Patch(facecolor=PAPER, edgecolor=RULE, hatch="//////")
    page = _Page(
        data,
        states,
        max(5.6, 2 * _Page.MARGIN + gutter + 2 * wide + middle + slant),
        head + tall + 0.08,
        "Who regards whom, and how that changed",
        "Rows look at columns: −1 hostile, 0 indifferent, 1 warm; medians of the runs. Left, the regard at the start. "
        f"Right, in the colour of the regard at the end, the change: framed from {NOTABLE:g} on, a dot for none.",
        [
            *((Patch(facecolor=_WARMTH((v + 1) / 2), edgecolor=RULE), _level(v)) for v in (-1, -0.5, 0, 0.5, 1)),
            (absent, "no such regard"),
        ],
        (),
        [f"Left out: {left_out} more actors, whose regards change less."] if left_out > 0 else [],
    )
    left = page.MARGIN + gutter
    date = states.dates.get(states.turns)
    for panel, level in enumerate((start, end)):
        x = left + panel * (wide + middle)
        heading = "At the start" if panel == 0 else f"At the end, {spoken(date)}" if date else "At the end"
        page.text(x, 0.02, heading, size=BODY + 0.6, weight="bold")
        axes = page.axes(x, head, wide, tall, "regard-end" if panel else "regard-start")
        values = np.array([[level.get((row, column), np.nan) for column in columns] for row in rows])
        across, depth = np.arange(len(columns) + 1), np.arange(len(rows) + 1)
        axes.patch.set(facecolor=PAPER, edgecolor=RULE, hatch="//////", linewidth=0)
        shades = np.ma.masked_invalid(values)
        axes.pcolormesh(across, depth, shades, cmap=_WARMTH, vmin=-1, vmax=1, edgecolors=PAPER, linewidth=0.8)
        for r, c in zip(*np.nonzero(~np.isnan(values)), strict=True):
            value = float(values[r, c])
            change = value - start[rows[r], columns[c]]
            notable = panel == 1 and round(abs(change), 2) >= NOTABLE
            axes.text(
                c + 0.5,
                r + 0.52,
                _hundredths(change, signed=True) if panel else _hundredths(value, signed=False),
                size=min(TINY, 72 * cell / 3.6),
                ha="center",
                va="center",
                color=GREY if abs(value) < 0.005 else _legible_on(_WARMTH((value + 1) / 2)),
                weight="bold" if notable else "normal",
            )
            if notable:
                corner = (float(c) + 0.06, float(r) + 0.06)
                axes.add_patch(Rectangle(corner, 0.88, 0.88, fill=False, edgecolor=INK, linewidth=0.9))
        axes.set_ylim(len(rows), 0)
        axes.set_xlim(0, len(columns))
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        how: dict[str, Any] = {"size": SMALL, "rotation": 45, "va": "bottom", "rotation_mode": "anchor"}
        for c, column in enumerate(columns):
            page.text(x + (c + 0.5) * cell - 0.04, head - 0.05, titles[column], **how)
        for r, row in enumerate(rows):
            if panel == 0:
                page.text(x - 0.06, head + (r + 0.5) * cell, titles[row], size=SMALL, ha="right", va="center")
    return page.figure


def _hundredths(value: float, signed: bool) -> str:
    """ ".30", "−.05", "+.20"; "0" or, of a change, "·" for nothing."""
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    if float(text) == 0:
        return "·" if signed else "0"
    return text.replace("0.", ".", 1).replace("-", "−")


def _legible_on(colour: Any) -> str:
    red, green, blue = to_rgb(colour)
    return PAPER if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else INK


# ------------------------------------------------------------------------------------------------------- one run's acts

ROW, LANE_GAP = 0.135, 0.07  # inches
SPOT, CLEAR = 0.085, 0.075  # of a mark from its cell's left edge; from the middle of a mark to its words
ROOMY = 1.2  # a cell of this width may have room for the words of its acts
FULL = 8  # acts of one actor in one turn, above which there is none
KINDS_WIDE = 4.0  # inches at most for the words of a row
COMMON = 0.4  # share of the acts with a target above which the target is said once for all
PREPOSITIONS = ("across", "against", "at", "by", "for", "from", "in", "into", "near", "of", "on", "over", "to",
                "towards", "upon", "with")  # fmt: skip


@dataclass(frozen=True)
class _Mark:
    """An act or incident."""

    turn: int
    verb: str
    target: str
    shape: str
    colour: str
    done: bool
    weight: float  # what goes first where not all have room

    @property
    def text(self) -> str:
        return f"{self.verb} {self.target}".strip()


@dataclass
class _Lane:
    """One actor's marks, each at a place on the time axis and in a row from the top; and the words beside them."""

    rows: int
    spots: list[tuple[_Mark, float, int]] = field(default_factory=list)
    words: list[tuple[str, float, int, bool]] = field(default_factory=list)  # text, its mark's place, row, done
    labels: list[tuple[str, str]] = field(default_factory=list)  # of rows: verb, targets
    left_out: int = 0
    cut: int = 0  # words that are not whole


@_style()
def draw_acts(data: RunData, run: int) -> Figure | None:
    """One run's acts and incidents as swim lanes by actor; the marks tell the quad category, hollow ones failed.

    Over few turns each mark has its words beside it; over many, each row of a lane is a kind of act and has its words
    on the left. Raises BadInput for a run that is not in the states.
    """
    states = _States(data.states)
    if run not in states.runs:
        have = f"runs {states.runs[0]} to {states.runs[-1]}" if len(states.runs) else "none"
        raise BadInput(f"run {run}: not in the tables, which hold {have}")
    marks, counts, common = _marks(data, run)
    if not marks:
        return None
    notes = []
    idle = [_actor(data, name) for name in data.actors if name not in marks]
    if len(marks) > LANES:
        notes.append(f"Left out: {len(marks) - LANES} more actors, who do less than those shown.")
        busy = sorted(marks, key=lambda name: -len(marks[name]))[:LANES]
        marks = {name: of for name, of in marks.items() if name in busy}

    turns = states.turns
    width = 11.4 if turns <= 16 else 12.4
    titles = {name: _alone(_actor(data, name)) for name in marks}
    names_wide = min(1.35, max(_measure(title, BODY, True) for title in titles.values())) + 0.12
    gutter = names_wide
    cell = (width - 2 * _Page.MARGIN - gutter) / turns
    busiest = [max(Counter(mark.turn for mark in of).values()) for of in marks.values()]
    roomy = cell > ROOMY and max(busiest) <= FULL
    if roomy:
        lanes = {name: _lane_by_turn(of, _most_rows(busiest), turns, cell) for name, of in marks.items()}
        roomy = not any(lane.cut for lane in lanes.values())
    if roomy:
        reading = "A lane for each actor, a column for each turn; a mark is an act in the turn in which it was done."
    else:
        most = _most_rows([len({(mark.shape, mark.verb) for mark in of}) for of in marks.values()])
        lanes = {name: _lane_by_kind(of, most, common) for name, of in marks.items()}
        labels = [label for lane in lanes.values() for label in lane.labels]
        gutter += (
            min(KINDS_WIDE if turns <= 16 else 2.7, max(_measure(" ".join(label), TINY) for label in labels)) + 0.12
        )
        cell = (width - 2 * _Page.MARGIN - gutter) / turns
        reading = "A lane for each actor, a row for each kind of act; a number counts several in one turn."
    if common:
        reading += f" Where a target is left unsaid, it is {common}."
    left_out = sum(lane.left_out for lane in lanes.values())
    if left_out:
        notes.append(f"Left out: {left_out} acts for which their lane had no room.")
    if idle:
        more = f" and {len(idle) - 12} more" if len(idle) > 12 else ""
        notes.append(f"No act or incident: {', '.join(idle[:12])}{more}.")

    legend = [(_key(*QUAD_MARK[quad]), f"{quad} ({counts[quad]})") for quad in QUAD_MARK if counts[quad]]
    if counts["failed"]:
        legend.append((_key("o", GREY, filled=False), f"hollow: failed ({counts['failed']})"))
    if counts["incident"]:
        legend.append((_key(INCIDENT_MARK, INK), f"incident ({counts['incident']})"))
    injects = _injects(data, turns)
    tall = sum(lane.rows * ROW + LANE_GAP for lane in lanes.values())
    above = 0.36 if injects else 0.26
    page = _Page(
        data,
        states,
        width,
        above + tall + 0.34,
        f"Who did what to whom: run {run}",
        reading,
        [*legend, *_inject_legend(injects)],
        injects,
        notes,
        runs=f"run {run} of {len(states.runs):,}",
    )
    axes = page.axes(page.MARGIN + gutter, above, cell * turns, tall, "lanes")
    axes.set_xlim(0.5, turns + 0.5)
    axes.set_ylim(tall, 0)
    axes.vlines(np.arange(turns + 1) + 0.5, 0, tall, color=RULE, linewidth=0.5, zorder=0.5)
    edges = [turn - 0.5 for _, turn, _ in injects]
    places: dict[tuple[str, str, bool], list[tuple[float, float]]] = defaultdict(list)
    down = 0.0
    for number, (name, lane) in enumerate(lanes.items()):
        ground = PAPER if number % 2 else SHADE
        axes.axhspan(down, down + lane.rows * ROW + LANE_GAP, color=ground, zorder=0, linewidth=0)
        for step, line in enumerate(_wrap(titles[name], names_wide - 0.1, BODY, True, lines=min(2, lane.rows))):
            foot = above + down + LANE_GAP / 2 + 0.105 + step * 0.13
            page.text(page.MARGIN, foot, line, size=BODY, weight="bold", va="baseline")
        middle = down + LANE_GAP / 2 + ROW / 2  # of the first row
        for row, (verb, of_all) in enumerate(lane.labels):
            text = _fitted(verb, of_all, gutter - names_wide - 0.1)
            x = page.MARGIN + gutter - 0.07
            page.text(x, above + middle + row * ROW, text, size=TINY, ha="right", va="center_baseline")
        for mark, across, row in lane.spots:
            places[mark.shape, mark.colour, mark.done].append((across, middle + row * ROW))
        for text, across, row, done in lane.words:
            begin = across + CLEAR / cell
            end = begin + _measure(text, TINY) / cell
            box = {"boxstyle": "square,pad=0.05", "facecolor": ground, "linewidth": 0}
            axes.text(
                begin,
                middle + row * ROW + 0.003,
                text,
                size=TINY,
                color=INK if done else GREY,
                va="center_baseline",
                bbox=box if any(begin < edge < end for edge in edges) else None,
                zorder=4,
            )
        down += lane.rows * ROW + LANE_GAP
    for (shape, colour, done), at in sorted(places.items()):
        across_all, down_all = zip(*at, strict=True)
        face, edge = (colour, _darker(colour)) if done else (PAPER, colour)
        size, line_width = MARK_SIZE[shape], 0.5 if done else 1.2
        axes.scatter(
            across_all, down_all, s=size, marker=shape, facecolor=face, edgecolor=edge, linewidth=line_width, zorder=5
        )
    _mark_injects(axes, injects, cell * turns, turns, size=SMALL)
    ticks = _date_ticks(states.dates, turns, cell * turns, SMALL)
    _label_turns(axes, ticks, SMALL)
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0)
    for turn, label in ticks:
        x = page.MARGIN + gutter + (turn - 0.5) * cell
        foot = above - (0.16 if injects else 0.05)
        for up, line in enumerate(label.split("\n")):
            page.text(x, foot - 0.125 * up, line, size=SMALL, ha="center", va="baseline")
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return page.figure


# --------------------------------------------------------------------------------------------------------- the promises

STATUS_MARK = {"kept": ("o", GREEN), "broken": ("X", VERMILLION), "void": ("D", "#8a8a8a"), "pending": ("", BLUE)}
PROMISE_ROW, PROMISE_HEAD = 0.155, 0.24  # inches


@_style()
def draw_promises(data: RunData, run: int) -> Figure | None:
    """One run's promises as bars from the turn in which they were given to that in which they were settled.

    A row for each giver, receiver and thing promised, in blocks by giver and kind.
    """
    if data.promises is None:
        return None
    blocks: dict[tuple[str, str], dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    place = {name: number for number, name in enumerate(data.actors)}
    rows = [row for row in data.promises.to_pylist() if row["run"] == run]
    rows.sort(
        key=lambda row: (place.get(row["giver"], 999), row["kind"], place.get(row["receiver"], 999), row["promise"])
    )
    for row in rows:
        to = _alone(_actor(data, row["receiver"]))
        act = (
            "" if row["action"] is None else f": {_plain(data.actions.get(row['action'], _prettified(row['action'])))}"
        )
        blocks[row["giver"], row["kind"]][to + act].append(row)
    if not blocks:
        return None
    left_out, room = 0, PROMISE_ROWS
    for block in blocks.values():
        for label in list(block)[max(room, 0) :]:
            left_out += len(block.pop(label))
        room -= len(block)
    shown = {key: block for key, block in blocks.items() if block}

    states = _States(data.states)
    turns = states.turns
    injects = _injects(data, turns)
    labels = [label for block in shown.values() for label in block]
    gutter = min(3.2, max(_measure(label, TINY) for label in labels)) + 0.12
    width = 2 * _Page.MARGIN + gutter + min(7.6, max(4.4, 0.62 * turns))
    counts = Counter(row["status"] for row in rows)
    legend: list[tuple[Any, str]] = []
    for status, (shape, colour) in STATUS_MARK.items():
        if counts[status]:
            key = _key(shape, colour) if shape else Line2D([], [], color=colour, linewidth=2.4)
            legend.append((key, f"{status} ({counts[status]})"))
    tall = sum(PROMISE_HEAD + PROMISE_ROW * len(block) for block in shown.values())
    above = 0.16 if injects else 0.06
    page = _Page(
        data,
        states,
        width,
        above + tall + 0.3,
        f"What was promised, and what became of it: run {run}",
        "A bar begins when a promise is given and ends when it is settled; a tick marks when a bargained one is due.",
        [*legend, *_inject_legend(injects)],
        injects,
        [f"Left out: {left_out} more promises."] if left_out else [],
        runs=f"run {run} of {len(states.runs):,}",
    )
    wide = width - 2 * page.MARGIN - gutter
    axes = page.axes(page.MARGIN + gutter, above, wide, tall, "promises")
    axes.set_xlim(-0.5, turns + 0.5)
    axes.set_ylim(tall, 0)
    axes.vlines(np.arange(turns + 2) - 0.5, 0, tall, color=RULE, linewidth=0.5, zorder=0.5)
    down = 0.0
    for number, ((giver, kind), block) in enumerate(shown.items()):
        whole = PROMISE_HEAD + PROMISE_ROW * len(block)
        axes.axhspan(down, down + whole, color=PAPER if number % 2 else SHADE, zorder=0, linewidth=0)
        title = f"{_alone(_actor(data, giver))}: {_plain(data.assurances.get(kind, _prettified(kind)))}"
        heading = _cut(title, width - 2 * page.MARGIN, SMALL + 0.2, True)
        page.text(page.MARGIN, above + down + 0.15, heading, size=SMALL + 0.2, weight="bold", va="baseline")
        for nth, (label, promises) in enumerate(block.items()):
            middle = down + PROMISE_HEAD + PROMISE_ROW * (nth + 0.5)
            text = _cut(label, gutter - 0.1, TINY)
            x = page.MARGIN + gutter - 0.07
            page.text(x, above + middle, text, size=TINY, ha="right", va="center_baseline")
            for row in promises:
                _draw_promise(axes, row, middle, turns)
        down += whole
    _mark_injects(axes, injects, wide, turns + 1)
    _label_turns(axes, _date_ticks(states.dates, turns, wide), TINY)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return page.figure


def _draw_promise(axes: Axes, row: dict[str, Any], middle: float, turns: int) -> None:
    shape, colour = STATUS_MARK[row["status"]]
    end = turns + 0.5 if row["settled_turn"] is None else row["settled_turn"]
    axes.plot([row["given_turn"], end], [middle, middle], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=3)
    if row["due_turn"] is not None and row["due_turn"] <= turns:
        axes.plot([row["due_turn"]] * 2, [middle - 0.055, middle + 0.055], color=INK, linewidth=0.8, zorder=4)
    if shape:
        axes.scatter([end], [middle], s=MARK_SIZE[shape] * 0.8, marker=shape, facecolor=colour,
                     edgecolor=_darker(colour), linewidth=0.5, zorder=5)  # fmt: skip


def _key(shape: str, colour: str, filled: bool = True) -> Line2D:
    key = Line2D([], [], linestyle="None", marker=shape, markersize=MARK_SIZE[shape] ** 0.5, color=colour)
    key.set(markerfacecolor=colour if filled else PAPER, markeredgewidth=0.6 if filled else 1.2)
    return key


def _darker(colour: str) -> str:
    red, green, blue = (0.7 * part for part in to_rgb(colour))
    return to_hex((red, green, blue))


def _marks(data: RunData, run: int) -> tuple[dict[str, list[_Mark]], Counter[str], str]:
    """Each actor's marks in one run, in the order of the actors, the world's first; how many of each kind; and the
    target that is left unsaid because many acts are done to it, as it stands in a sentence."""
    acts = data.acts.filter(pa.array(_column(data.acts, "run") == run)).to_pylist()
    events = data.events.filter(pa.array(_column(data.events, "run") == run)).to_pylist()
    marks: dict[str, list[_Mark]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for event in events:
        if event["kind"] != "incident":
            continue
        counts["incident"] += 1
        name, actor = str(event["name"]), event["actor"] or ""
        title = _plain(data.incidents.get(name, "")) or _prettified(name)
        # "armed men cross into": such a title is completed by the actor it happens to.
        struck = _within(_actor(data, actor)) if actor and title.split()[-1] in PREPOSITIONS else ""
        marks[actor].append(_Mark(int(event["turn"]), title, struck, INCIDENT_MARK, INK, True, 99.0))
    often = Counter((act["actor"], act["action"]) for act in acts)
    aimed = Counter(act["target"] for act in acts if act["target"])
    most = aimed.most_common(1)
    common = most[0][0] if most and most[0][1] > max(1, COMMON * aimed.total()) else None
    for act in acts:
        actor, action = act["actor"], str(act["action"])
        quad = QUAD_OF.get(str(act["plover"] or "").upper(), "neutral")
        counts[quad] += 1
        counts["failed"] += not act["succeeded"]
        verb = _plain(data.actions.get(action, "")) or _prettified(action)
        target = _within(_actor(data, act["target"])) if act["target"] and act["target"] != common else ""
        weight = ("material" in quad) + 1 / often[actor, action]  # what is rare tells more
        marks[actor].append(_Mark(int(act["turn"]), verb, target, *QUAD_MARK[quad], bool(act["succeeded"]), weight))
    place = {name: number for number, name in enumerate(data.actors)}
    order = sorted(marks, key=lambda name: (-1 if not name else place.get(name, len(place)), name))
    lanes = {name: sorted(marks[name], key=lambda m: (m.turn, -m.weight, m.text)) for name in order}
    return lanes, counts, _within(_actor(data, common)) if common else ""


def _most_rows(wanted: list[int]) -> int:
    """The rows that any one lane may have, so that all together keep within the page."""
    most = max(wanted)
    while most > 3 and sum(min(rows, most) for rows in wanted) > LANE_ROWS:
        most -= 1
    return most


def _lane_by_turn(marks: list[_Mark], most: int, turns: int, cell: float) -> _Lane:
    """Every mark with its words, as far as they fit before the next mark of its row.

    The same act keeps its row from turn to turn, so that what is repeated reads as a line.
    """
    of_turn: dict[int, list[_Mark]] = defaultdict(list)
    for mark in marks:
        of_turn[mark.turn].append(mark)
    lane = _Lane(min(most, max(map(len, of_turn.values()))))
    rows: list[list[_Mark]] = [[] for _ in range(lane.rows)]
    for turn, group in sorted(of_turn.items()):
        waiting = []
        for mark in group:
            kept = [row for row in rows if row and row[-1].text == mark.text and turn - 4 <= row[-1].turn < turn]
            if kept:
                kept[0].append(mark)
            else:
                waiting.append(mark)
        free = [row for row in rows if not row or row[-1].turn < turn]
        lane.left_out += max(0, len(waiting) - len(free))
        # The longest words lowest, where the next turn is likeliest to leave them room.
        waiting = sorted(waiting[: len(free)], key=lambda m: (m.shape != INCIDENT_MARK, len(m.text)))
        for mark, row in zip(waiting, free, strict=False):
            row.append(mark)
    for number, row in enumerate(rows):
        for mark, following in zip(row, [*row[1:], None], strict=True):
            until = turns + (CLEAR - 0.04) / cell if following is None else following.turn - 1 + (SPOT - 0.04) / cell
            middle = mark.turn - 0.5 + SPOT / cell
            lane.spots.append((mark, middle, number))
            text = _shortened(mark, (until + 0.5 - middle) * cell - 2 * CLEAR)
            lane.cut += text.endswith("…") or not text or "… " in text
            if text:
                lane.words.append((text, middle, number, mark.done))
    return lane


def _shortened(mark: _Mark, room: float) -> str:
    """The words that fit in `room` inches: without the target's article, or with the end of the verb cut."""
    return _fitted(mark.verb, mark.target, room)


def _fitted(verb: str, target: str, room: float) -> str:
    """Verb and target in `room` inches; the target stays whole as long as anything of the verb fits beside it."""
    bare = target.removeprefix("the ")
    for text in (f"{verb} {target}".strip(), f"{verb} {bare}".strip()):
        if _measure(text, TINY) <= room:
            return text
    if bare:
        start = _cut(verb, room - _measure(f" {bare}", TINY), TINY)
        if len(start) >= min(10, len(verb)):
            return f"{start} {bare}"
    text = _cut(f"{verb} {target}".strip(), room, TINY)
    return text if len(text) >= 5 else ""


def _lane_by_kind(marks: list[_Mark], most: int, common: str) -> _Lane:
    """A row for each kind of act, incidents first, then in order of first appearance; the rarest share the last row."""
    kinds: dict[tuple[str, str], list[_Mark]] = defaultdict(list)
    for mark in marks:
        kinds[mark.shape, mark.verb].append(mark)
    rows = sorted(kinds.values(), key=lambda row: (row[0].shape != INCIDENT_MARK, row[0].turn, row[0].verb))
    others: list[_Mark] = []
    if len(rows) > most:
        deeds = (INCIDENT_MARK, QUAD_MARK["material cooperation"][0], QUAD_MARK["material conflict"][0])
        ranked = sorted(rows, key=lambda row: -len(row) * (2 if row[0].shape in deeds else 1))
        others = [mark for row in ranked[most - 1 :] for mark in row]
        rows = [row for row in rows if not any(row is kept for kept in ranked[most - 1 :])]
    lane = _Lane(len(rows) + bool(others))
    for number, row in enumerate([*rows, others] if others else rows):
        targets = list(dict.fromkeys(mark.target for mark in row))
        targets = [""] if targets == [""] else [target or common for target in targets]
        if row is others:
            lane.labels.append(("other: " + ", ".join(dict.fromkeys(mark.text for mark in row)), ""))
        else:
            lane.labels.append((row[0].verb, ", ".join(targets)))
        of_turn: dict[int, list[_Mark]] = defaultdict(list)
        for mark in row:
            of_turn[mark.turn].append(mark)
        for turn, group in of_turn.items():
            lane.spots.append((max(group, key=lambda m: (m.done, m.weight)), float(turn), number))
            if len(group) > 1:
                lane.words.append((str(len(group)), float(turn), number, True))
    return lane

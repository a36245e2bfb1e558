"""Table → figure for a hindcast: the scoreboard of facts, the reliability of the acts, the ladders.

On the page of `figures` and in its language. The model is a filled blue circle, each baseline an open mark of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.figures import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAGE,
    PAPER,
    RULE,
    SHADE,
    SMALL,
    TINY,
    VERMILLION,
    RunData,
    _cut,
    _Page,
    _States,
    _style,
    drawn,
    save,
)

MARKS = {"random": ("^", ORANGE), "frozen": ("s", GREEN), "trend": ("D", VERMILLION)}
FACTS, POSITIONS = 60, 40  # rows of a page


@dataclass(frozen=True)
class HindcastData:
    """What the figures are drawn from: tables and manifest entries of a hindcast's folder."""

    title: str
    runs: int
    seed: int
    baselines: Sequence[str]
    facts: pa.Table
    acts: list[dict[str, Any]]
    reliability: pa.Table
    ladders: pa.Table

    @cached_property
    def calendar(self) -> RunData:
        """Title and seed, as the page wants them."""
        one = {"run": pa.array([0], pa.int64()), "turn": pa.array([0], pa.int32()), "date": ["start"]}
        nothing = pa.table({})
        return RunData(self.title, pa.table(one), nothing, nothing, nothing, {}, {}, {}, [], {}, self.seed)


def draw_hindcast(data: HindcastData, folder: Path) -> list[Path]:
    """Write every figure that has something to show into `folder` as PNG and SVG; return the paths written."""
    return save(figures_of(data), folder)


def figures_of(data: HindcastData) -> Iterator[tuple[str, Figure]]:
    """(file name without ending, figure) of each figure that has something to show."""
    makers: dict[str, Callable[[HindcastData], Figure | None]] = {
        "scoreboard": draw_scoreboard, "reliability": draw_reliability, "ladders": draw_ladders,
    }  # fmt: skip
    return drawn((name, partial(make, data)) for name, make in makers.items())


def _page(data: HindcastData, body: float, heading: str, reading: str, **more: Any) -> _Page:
    runs = f"{data.runs:,} runs of each policy"
    return _Page(data.calendar, _States(data.calendar.states), PAGE, body, heading, reading, runs=runs, **more)


def _keys(data: HindcastData, model: str) -> list[tuple[Any, str]]:
    keys: list[tuple[Any, str]] = [
        (Line2D([], [], color=BLUE, marker="o", markersize=5, linestyle="None"), model)
    ]  # fmt: skip
    for name in data.baselines:
        marker, colour = MARKS[name]
        mark = Line2D([], [], color=colour, marker=marker, markersize=4.5, linestyle="None", markerfacecolor=PAPER)
        keys.append((mark, f"policy {name}"))
    return keys


def _rows_of(page: _Page, left: float, down: float, width: float, rows: int, pitch: float) -> Axes:
    """Axes with a unit a row, the first on top, every other shaded."""
    shade = page.axes(page.MARGIN, down, page.room, rows * pitch, "shade")
    shade.set_xlim(0, 1)
    shade.set_ylim(rows - 0.5, -0.5)
    for n in range(0, rows, 2):
        shade.axhspan(n - 0.5, n + 0.5, color=SHADE, linewidth=0)
    shade.set_axis_off()
    axes = page.axes(left, down, width, rows * pitch, "rows")
    axes.set_facecolor("none")
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE, linewidth=0.5)
    axes.tick_params(axis="x", labelsize=TINY)
    return axes


@_style()
def draw_scoreboard(data: HindcastData) -> Figure | None:
    """A row a fact: the share of runs in which it holds, what it wants, and the same of each baseline."""
    rows = [row for row in data.facts.to_pylist() if row["status"] in ("scored", "given")][:FACTS]
    if not rows:
        return None
    left_out = [row for row in data.facts.to_pylist() if row["status"] not in ("scored", "given")]
    notes = []
    if left_out:
        notes.append(f"Not drawn, for they cannot be said of this scenario: {', '.join(r['fact'] for r in left_out)}.")
    pitch, words, wide = 0.2, 5.6, 3.1
    page = _page(
        data, pitch * len(rows) + 0.3, "How far the runs bear out the facts",
        "Each row is a fact of the documents: in which share of runs it holds, with its 95% interval, and in which "
        "share of those of each baseline. The tick is the share it wants. Free: a baseline passes it too.",
        legend=[*_keys(data, "the model"), (Line2D([], [], color=INK, linewidth=1.4), "wanted")], notes=notes,
    )  # fmt: skip
    axes = _rows_of(page, page.MARGIN + words, 0.0, wide, len(rows), pitch)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"], size=TINY)
    for n, row in enumerate(rows):
        middle = (n + 0.5) * pitch
        page.text(page.MARGIN + 0.04, middle, row["fact"], size=SMALL, va="center", color=GREY)
        page.text(page.MARGIN + 0.6, middle, "H" if row["weight"] == "hard" else "S", size=SMALL, va="center")
        statement = _cut(row["statement"].strip(), words - 0.95, SMALL)
        page.text(page.MARGIN + 0.8, middle, statement, size=SMALL, va="center")
        axes.plot([row["wanted"]] * 2, [n - 0.42, n + 0.42], color=INK, linewidth=1.4, zorder=2)
        for name in data.baselines:
            marker, colour = MARKS[name]
            axes.plot(
                row[f"share_{name}"], n, marker=marker, markersize=4, markerfacecolor=PAPER, color=colour, zorder=3,
                linestyle="None", clip_on=False,
            )  # fmt: skip
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [n, n], color=BLUE, linewidth=1.2, zorder=4)
        axes.plot(row["share"], n, "o", color=BLUE, markersize=4.6, zorder=5, clip_on=False)
        verdict = "passes" if row["passes"] else "fails"
        more = ", given" if row["status"] == "given" else ", free" if row["free"] else ""
        weight = "normal" if row["passes"] else "bold"
        page.text(page.MARGIN + words + wide + 0.15, middle, f"{verdict}{more}", size=SMALL, va="center", weight=weight)
    return page.figure


@_style()
def draw_reliability(data: HindcastData) -> Figure | None:
    """Forecast against how often it happened: a row of panels a sample, the model as it is and as far as reported."""
    rows = data.reliability.to_pylist()
    samples = [sample for sample in ("in", "out") if any(row["sample"] == sample for row in rows)]
    if not samples:
        return None
    side, gap, pad, head = 3.6, 1.3, 0.55, 0.32
    page = _page(
        data, len(samples) * (side + head + 0.5),
        "When the model gives an act a chance, how often does the record hold it?",
        "Cells of month, source, target and PLOVER type, by the probability given: each circle is a bin, its bar a 95% "
        "interval, the number how many cells it holds. On the broken line forecasts are right. As reported: times the "
        "share of what the model foresees that the record holds in the other months.",
        legend=_keys(data, "bins of forecasts")[:1],
    )  # fmt: skip
    titles = {"model": "the model", "reported": "the model, as reported"}
    for (down, sample), (across, forecast) in itertools.product(enumerate(samples), enumerate(titles)):
        left, top = page.MARGIN + pad + across * (side + gap), down * (side + head + 0.5)
        axes = page.axes(left, top + head, side, side, f"reliability {sample} {forecast}")
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        for row in rows:
            if (row["sample"], row["forecast"]) == (sample, forecast):
                x, ends = row["chance"], [row["share_low"], row["share_high"]]
                axes.plot([x, x], ends, color=BLUE, linewidth=1.1, zorder=2)
                axes.plot(x, row["share"], "o", color=BLUE, markersize=5, zorder=3, clip_on=False)
                if row["low"] > 0:
                    axes.annotate(
                        f"{row['cells']:,}", (x, ends[1]), xytext=(0, 2), textcoords="offset points", size=TINY,
                        ha="center", va="bottom", color=GREY, annotation_clip=False,
                    )  # fmt: skip
                else:  # no room beside the corner
                    told = f"{row['cells']:,} cells below {row['high']:.0%}"
                    axes.text(0.98, 0.02, told, size=TINY, color=GREY, ha="right", va="bottom")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("probability given", size=SMALL)
        axes.set_ylabel("share in which it happened", size=SMALL)
        axes.tick_params(labelsize=TINY)
        scores = {row["forecast"]: row for row in data.acts if row["sample"] == sample}
        name = "In sample" if sample == "in" else "Out of sample"
        told = f"{name}, {titles[forecast]}: Brier {scores[forecast]['brier']:.4f}"
        page.text(left - pad + 0.1, top, f"{told} (base rate {scores['base_rate']['brier']:.4f})", size=SMALL,
                  weight="bold")  # fmt: skip
    return page.figure


@_style()
def draw_ladders(data: HindcastData) -> Figure | None:
    """A row a position: where the runs put an actor, and where the documents see it."""
    rows = data.ladders.to_pylist()[:POSITIONS]
    rows.sort(key=lambda row: (row["sample"], row["basis"] != "stated", row["ladder"], row["actor"]))
    if not rows:
        return None
    pitch, words, wide = 0.2, 6.0, 3.2
    page = _page(
        data, pitch * len(rows) + 0.3, "Ladders: forecast against observed",
        "Each row is a position in the documents. To the right its ranked probability score, 0 the best and 1 the "
        "worst, of the model and of each baseline.",
        legend=_keys(data, "the model"),
    )  # fmt: skip
    axes = _rows_of(page, page.MARGIN + words, 0.0, wide, len(rows), pitch)
    scores = [row[name] for row in rows for name in ("model", *data.baselines)]
    axes.set_xlim(-0.01, max(0.1, max(scores) * 1.05))
    for n, row in enumerate(rows):
        middle = (n + 0.5) * pitch
        seen = row["from"] if row["from"] == row["to"] else f"{row['from']} to {row['to']}"
        band = row["low"] if row["low"] == row["high"] else f"{row['low']} to {row['high']}"
        name = f"{row['actor'].replace('_', ' ')}, {row['ladder']}, {row['date']}"
        page.text(page.MARGIN + 0.04, middle, _cut(name, 2.3, SMALL), size=SMALL, va="center")
        page.text(page.MARGIN + 2.35, middle, _cut(f"{row['basis']}: {seen}", 1.75, SMALL), size=SMALL, va="center")
        runs = f"runs: {row['median']}" + (f" ({band})" if band != row["median"] else "")
        page.text(page.MARGIN + 4.1, middle, _cut(runs, 1.85, SMALL), size=SMALL, va="center", color=GREY)
        for name in data.baselines:
            marker, colour = MARKS[name]
            axes.plot(
                row[name], n, marker=marker, markersize=4, markerfacecolor=PAPER, color=colour, zorder=3, clip_on=False
            )
        axes.plot(row["model"], n, "o", color=BLUE, markersize=4.6, zorder=5, clip_on=False)
    return page.figure

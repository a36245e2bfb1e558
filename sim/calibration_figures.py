"""Table → figure for a calibration: the facts before and after, and the numbers that they taught.

On the canvas of `study_figures` and in its language: what a figure holds is said by the page that shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sim.calibrate import Calibration
from sim.figures import BAND_90, BLUE, GREY, INK, ORANGE, PAPER, RULE, SHADE, SMALL, TINY, _cut, _style
from sim.study_figures import WIDTH, _Canvas

PITCH, HEAD, FOOT = 0.22, 0.32, 0.3
NUMBERS = 30


def figures_of(done: Calibration) -> Iterator[tuple[str, Figure]]:
    """(file name without ending, figure) of each figure."""
    yield "facts", draw_facts(done)
    yield "taught", draw_taught(done)


def _rows(page: _Canvas, words: float, count: int) -> Axes:
    axes = page.axes(words, HEAD, WIDTH - words - 0.2, PITCH * count, "rows")
    for n in range(0, count, 2):
        axes.axhspan(n - 0.5, n + 0.5, color=SHADE, linewidth=0)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=RULE, linewidth=0.5)
    axes.tick_params(axis="x", labelsize=TINY)
    return axes


def _mark(label: str, **how: Any) -> Line2D:
    return Line2D([], [], linestyle="None", markersize=5, label=label, **how)


@_style()
def draw_facts(done: Calibration) -> Figure:
    """A row a fact: its share of runs over all points, over the kept ones, and as the other facts alone foretell it."""
    rows = [row for row in done.facts.to_pylist() if row["status"] != "left out"]
    words = 4.6
    page = _Canvas(WIDTH, HEAD + PITCH * len(rows) + FOOT)
    axes = _rows(page, words, len(rows))
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
    for n, row in enumerate(rows):
        at = HEAD + (n + 0.5) * PITCH + 0.035
        page.text(0.05, at, row["fact"], color=GREY)
        page.text(0.6, at, _cut(row["statement"].strip(), words - 0.75, SMALL))
        axes.plot([row["wanted"]] * 2, [n - 0.4, n + 0.4], color=INK, linewidth=1.4, zorder=2)
        axes.plot(row["prior"], n, "o", markerfacecolor=PAPER, color=BLUE, markersize=4.5, zorder=3, clip_on=False)
        if row["rest"] is not None:
            axes.plot([row["rest_low"], row["rest_high"]], [n, n], color=ORANGE, linewidth=1.2, zorder=3)
            axes.plot(row["rest"], n, "D", color=ORANGE, markersize=4.5, zorder=4, clip_on=False)
        if row["kept"] is not None:
            axes.plot(row["kept"], n, "o", color=BLUE, markersize=4.5, zorder=5, clip_on=False)
    keys = [
        _mark("over all points", marker="o", markerfacecolor=PAPER, color=BLUE),
        _mark("the kept points", marker="o", color=BLUE),
        _mark("as the other facts foretell it, 95%", marker="D", color=ORANGE),
        Line2D([], [], color=INK, linewidth=1.4, label="wanted"),
    ]
    page.figure.legend(handles=keys, loc="upper left", ncols=4, frameon=False, fontsize=SMALL, borderpad=0.1)
    return page.figure


@_style()
def draw_taught(done: Calibration) -> Figure:
    """A row a number, on its own range: the band of what is kept, its median, and where it was set by hand."""
    every = done.numbers.to_pylist()
    rows = [row for row in every if row["taught"]][:NUMBERS] or every[:10]
    words = 4.9
    page = _Canvas(WIDTH, HEAD + PITCH * len(rows) + FOOT)
    axes = _rows(page, words, len(rows))
    axes.set_xlim(-0.02, 1.02)
    axes.set_xticks([0, 0.5, 1], ["low end of its range", "middle", "high end"])
    for n, row in enumerate(rows):
        wide = row["high"] - row["low"]
        low, median, high, hand = ((row[name] - row["low"]) / wide for name in ("q05", "q50", "q95", "value"))
        page.text(words - 0.1, HEAD + (n + 0.5) * PITCH + 0.035, _cut(row["title"], words - 0.2, SMALL), ha="right")
        axes.barh(n, high - low, left=low, height=0.4, color=BAND_90, edgecolor="none", zorder=2)
        axes.plot(median, n, "o", color=BLUE, markersize=5, zorder=4, clip_on=False)
        axes.plot(hand, n, "|", color=INK, markersize=9, zorder=3, clip_on=False)
    keys = [
        _mark("median of the kept sets; the bar holds 90%", marker="o", color=BLUE),
        _mark("as set by hand", marker="|", color=INK),
    ]
    page.figure.legend(handles=keys, loc="upper left", ncols=2, frameon=False, fontsize=SMALL, borderpad=0.1)
    return page.figure

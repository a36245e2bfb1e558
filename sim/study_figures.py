"""Findings of a study → figures for its report: what moves an outcome, how, where it is found, and examples.

In the visual language of `figures`. The report says above each what it shows and how to read it, so that a figure holds
nothing but its panels; no distinction rests on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from sim.figures import (
    BAND_90,
    BLUE,
    BODY,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    RULE,
    SHADE,
    SMALL,
    TINY,
    VERMILLION,
    _cut,
    _date_ticks,
    _label_turns,
    _measure,
    _style,
    _wrap,
    render,
)
from sim.findings import BASE, AxisTold, Surface, Told
from sim.naming import capital
from sim.sensitivity import Floats

__all__ = [
    "Figure",
    "Paths",
    "contoured",
    "draw_boxes",
    "draw_paths",
    "draw_responses",
    "draw_surface",
    "draw_tornado",
    "render",
]

WIDTH = 9.6  # inches
BARS = 15
PANELS = 6
LINES: tuple[tuple[str, Any, str], ...] = (  # colour, dashes and mark of each variant
    (BLUE, "-", "o"), (VERMILLION, (0, (4, 1.6)), "D"), (GREEN, (0, (1, 1.2)), "s"),
    (PURPLE, "-.", "^"), (ORANGE, (0, (6, 1, 1, 1)), "v"), (GREY, (0, (2, 1)), "P"),
)  # fmt: skip
HEAT = LinearSegmentedColormap.from_list("heat", ["#f4f8fb", "#86b9d9", "#0072b2", "#08304d"])


@dataclass(frozen=True)
class Paths:
    """One indicator over the turns of some runs. runs: number, whether it is of interest, and the values."""

    title: str
    dates: list[str]
    rungs: tuple[str, ...]
    low: float
    high: float
    runs: tuple[tuple[int, bool, Floats], ...]


class _Canvas:
    """A figure measured in inches from its top left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor=PAPER)

    def axes(self, x: float, down: float, width: float, height: float, name: str) -> Axes:
        box = (x / self.width, 1 - (down + height) / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box, label=name)

    def text(self, x: float, down: float, text: str, **how: object) -> None:
        if text:
            place = (x / self.width, 1 - down / self.height)
            self.figure.text(*place, text, **{"va": "baseline", "ha": "left", "size": SMALL, **how})  # type: ignore[arg-type]


def _as_told(axes: Axes, told: Told, along: str) -> None:
    """Numbers of an outcome on one of the axes, shares in per cent."""
    if told.yes_or_no:
        formatter = FuncFormatter(lambda value, _: f"{100 * value:g}%".replace("-", "−"))
        (axes.xaxis if along == "x" else axes.yaxis).set_major_formatter(formatter)
    axes.tick_params(axis="both", labelsize=TINY)


# ------------------------------------------------------------------------------------------------------- the tornado


@_style()
def draw_tornado(told: Told) -> Figure | None:
    """A bar an axis, from the outcome at its low end to that at its high end; those that move it most on top."""
    rows = []
    for strength in told.strengths:
        levels, moved = told.responses.get((BASE, strength.axis.path)), told.effects.get(strength.axis.path)
        if moved is not None and moved.low <= 0 <= moved.high and not strength.index.first_low > 0:
            continue  # its bar would be chance
        if levels and len(levels) > 1 and not any(math.isnan(level.here.mean) for level in levels):
            means = [level.here.mean for level in levels]
            rows.append((strength.axis, levels, means, max(means) - min(means)))
    rows = sorted(rows, key=lambda row: -row[3])[:BARS]
    if not rows or not rows[0][3]:
        return None
    gutter = min(4.2, max(_measure(capital(axis.title), SMALL) for axis, *_ in rows) + 0.15)
    pitch, head = 0.24, 0.32
    page = _Canvas(WIDTH, head + pitch * len(rows) + 0.42)
    axes = page.axes(gutter, head, WIDTH - gutter - 0.75, pitch * len(rows), "tornado")
    whole = told.overall[BASE].mean
    for n, (axis, levels, means, _) in enumerate(rows):
        low, high = min(means), max(means)
        axes.barh(n, high - low, left=low, height=0.42, color=BAND_90, edgecolor="none", zorder=2)
        ends = () if axis.labels else ((0, "o", PAPER), (-1, "o", BLUE))
        for end, marker, face in ends:
            here = levels[end].here
            axes.plot([here.low, here.high], [n, n], color=BLUE, linewidth=0.9, zorder=3)
            axes.plot(
                here.mean, n, marker=marker, markersize=5, markerfacecolor=face, color=BLUE, zorder=4, clip_on=False
            )
        if axis.labels:
            axes.plot(means, [n] * len(means), "|", color=BLUE, markersize=8, zorder=4)
        line = _cut(capital(axis.title), gutter - 0.12, SMALL)
        page.text(gutter - 0.08, head + (n + 0.5) * pitch + 0.035, line, ha="right")
    axes.axvline(whole, color=INK, linewidth=0.8, linestyle=(0, (3.5, 2)), zorder=1.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.grid(axis="x", color=RULE, linewidth=0.5)
    axes.spines["left"].set_visible(False)
    _as_told(axes, told, "x")
    keys = [
        Line2D([], [], marker="o", linestyle="", markerfacecolor=PAPER, color=BLUE, label="at the low end of the axis"),
        Line2D([], [], marker="o", linestyle="", color=BLUE, label="at its high end"),
        Line2D([], [], color=INK, linewidth=0.8, linestyle=(0, (3.5, 2)), label="over all runs"),
    ]
    page.figure.legend(handles=keys, loc="upper left", ncols=3, frameon=False, fontsize=SMALL, borderpad=0.1)
    return page.figure


# ------------------------------------------------------------------------------------------------------ the responses


@_style()
def draw_responses(told: Told, variants: dict[str, str]) -> Figure | None:
    """A panel for each of the strongest axes: means or shares along it with their band, one line a variant."""
    order = [s.axis for s in told.strengths]
    order = [*order[: PANELS // 2], *(axis for axis in order if axis.lever), *order]
    shown = list(dict.fromkeys(axis for axis in order if (BASE, axis.path) in told.curves))[:PANELS]
    if not shown:
        return None
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    panel, gap, height, head = (WIDTH - 0.62 * columns) / columns, 0.62, 1.55, 0.5
    names = [name for name in variants if any((name, axis.path) in told.curves for axis in shown)]
    top = 0.3 if len(names) > 1 else 0.04
    page = _Canvas(WIDTH, top + rows * (head + height + 0.34))
    lows = [np.nanmin(np.fmin(c.low, c.mean)) for (_, path), c in told.curves.items() if _among(path, shown)]
    highs = [np.nanmax(np.fmax(c.high, c.mean)) for (_, path), c in told.curves.items() if _among(path, shown)]
    low, high = float(min(lows)), float(max(highs))
    room = 0.06 * ((high - low) or 1.0)
    for n, axis in enumerate(shown):
        row, column = divmod(n, columns)
        x, down = 0.5 + column * (panel + gap), top + head + row * (head + height + 0.34)
        axes = page.axes(x, down, panel, height, axis.path)
        for m, name in enumerate(names):
            _draw_curve(axes, told, axis, name, m, len(names) == 1)
        axes.set_ylim(max(low - room, -0.02) if told.yes_or_no else low - room,
                      min(high + room, 1.02) if told.yes_or_no else high + room)  # fmt: skip
        axes.grid(axis="y", color=RULE, linewidth=0.5)
        if axis.labels:
            axes.set_xlim(-0.5, len(axis.labels) - 0.5)
            labels = [_cut(label, panel / len(axis.labels), TINY) for label in axis.labels]
            axes.set_xticks(range(len(axis.labels)), labels)
        if told.yes_or_no and low < 0.5 < high:
            axes.axhline(0.5, color=GREY, linewidth=0.6, zorder=1)
        _as_told(axes, told, "y")
        for up, line in enumerate(reversed(_wrap(capital(axis.title), panel, BODY, True, lines=2))):
            page.text(x, down - 0.1 - 0.14 * up, line, size=BODY, weight="bold")
    if len(names) > 1:
        keys = [Line2D([], [], color=LINES[m % len(LINES)][0], linestyle=LINES[m % len(LINES)][1],
                       marker=LINES[m % len(LINES)][2], markersize=4, label=variants[name])
                for m, name in enumerate(names)]  # fmt: skip
        page.figure.legend(handles=keys, loc="upper left", ncols=min(len(keys), 4), frameon=False, fontsize=SMALL)
    return page.figure


def _among(path: str, shown: Sequence[AxisTold]) -> bool:
    return any(axis.path == path for axis in shown)


def _draw_curve(axes: Axes, told: Told, axis: AxisTold, variant: str, m: int, alone: bool) -> None:
    line = told.curves.get((variant, axis.path))
    if line is None:
        return
    colour, dashes, marker = LINES[m % len(LINES)]
    if axis.labels or line.at.size <= 12:
        bars = np.nan_to_num(np.abs(np.stack([line.mean - line.low, line.high - line.mean])))
        axes.errorbar(line.at, line.mean, yerr=bars, fmt=marker, color=colour, markersize=4, elinewidth=0.9, zorder=4)
    if not axis.labels:
        axes.fill_between(line.at, line.low, line.high, color=colour, alpha=0.16 if alone else 0.1, linewidth=0)
        axes.plot(line.at, line.mean, color=colour, linestyle=dashes, linewidth=1.5, zorder=3)
    for one in told.tipping.get((variant, axis.path), []):
        axes.plot(one.at, 0.5, marker="X", markersize=7, color=colour, markeredgecolor=PAPER, zorder=5)


# ------------------------------------------------------------------------------------------------------- the surface


@_style()
def draw_surface(told: Told, surface: Surface) -> Figure:
    """The outcome over two axes: cells by their colour and number, lines of equal height where there are enough."""
    height = min(3.6, max(1.4, 0.42 * surface.y.size))
    page = _Canvas(WIDTH, height + 0.95)
    axes = page.axes(0.75, 0.32, 5.9, height, "surface")
    low, high = float(np.nanmin(surface.mean)), float(np.nanmax(surface.mean))
    x, y = np.arange(surface.x.size), np.arange(surface.y.size)
    image = axes.imshow(
        surface.mean, origin="lower", aspect="auto", cmap=HEAT, vmin=low, vmax=high if high > low else low + 1e-9
    )
    if surface.x.size * surface.y.size <= 100:
        for j, i in np.ndindex(surface.mean.shape):
            value = surface.mean[j, i]
            if not math.isnan(value):
                shade = (value - low) / ((high - low) or 1.0)
                size = SMALL if surface.x.size <= 8 else TINY
                axes.text(i, j, told.value(float(value)), ha="center", va="center", size=size,
                          color=PAPER if shade > 0.55 else INK)  # fmt: skip
    if contoured(surface):
        heights = [0.5] if told.yes_or_no and low < 0.5 < high else np.linspace(low, high, 5)[1:-1]
        axes.contour(x, y, surface.mean, levels=heights, colors=VERMILLION, linewidths=1.3)
    axes.set_xticks(x[:: -(-x.size // 12)], [f"{value:.3g}" for value in surface.x[:: -(-x.size // 12)]])
    axes.set_yticks(y[:: -(-y.size // 12)], [f"{value:.3g}" for value in surface.y[:: -(-y.size // 12)]])
    axes.tick_params(labelsize=TINY, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    page.text(0.75 + 2.95, height + 0.72, _cut(capital(surface.across.title), 6.4, BODY), size=BODY, ha="center")
    page.text(0.1, 0.2, _cut(f"↑ {capital(surface.up.title)}", 7.0, BODY), size=BODY)
    bar = page.axes(6.95, 0.32, 0.14, height, "scale")
    page.figure.colorbar(image, cax=bar)
    bar.spines["outline"].set_visible(False)
    _as_told(bar, told, "y")
    return page.figure


def contoured(surface: Surface) -> bool:
    """Whether there are places enough, each by itself, for lines of equal height."""
    return surface.whole and min(surface.mean.shape) >= 4 and not bool(np.isnan(surface.mean).any())


# ---------------------------------------------------------------------------------------------------------- the boxes


@_style()
def draw_boxes(told: Told) -> Figure | None:
    """For each box the part of each bounded axis that lies in it."""
    rows = [(n, bound) for n, one in enumerate(told.boxes, 1) for bound in one.box.bounds]
    if not rows:
        return None
    axis_of = {strength.axis.path: strength.axis for strength in told.strengths}
    gutter = min(4.2, max(_measure(capital(axis_of[bound.axis].title), SMALL) for _, bound in rows) + 0.75)
    pitch = 0.34
    page = _Canvas(WIDTH, 0.1 + pitch * len(rows))
    width = WIDTH - gutter - 1.0
    before = 0
    for row, (n, bound) in enumerate(rows):
        axis, down = axis_of[bound.axis], 0.08 + row * pitch
        title = _cut(capital(axis.title), gutter - 0.62, SMALL)
        page.text(gutter - 0.1, down + 0.17, title, ha="right")
        if n != before:
            page.text(0.05, down + 0.17, f"Box {n}", size=BODY, weight="bold")
            before = n
        panel = page.axes(gutter, down + 0.04, width, 0.16, f"{n}-{bound.axis}")
        panel.set_ylim(0, 1)
        panel.set_axis_off()
        panel.axhspan(0, 1, color=SHADE)
        if bound.members is not None:
            panel.set_xlim(0, len(axis.labels))
            for m, label in enumerate(axis.labels):
                inside = m in bound.members
                panel.axvspan(m + 0.02, m + 0.98, color=BLUE if inside else SHADE)
                room = width / len(axis.labels) - 0.08
                panel.text(m + 0.5, 0.46, _cut(label, room, TINY), size=TINY, ha="center", va="center",
                           color=PAPER if inside else GREY)  # fmt: skip
            continue
        panel.set_xlim(axis.low, axis.high)
        low, high = max(bound.low, axis.low), min(bound.high, axis.high)
        panel.axvspan(low, high, color=BLUE)
        for value, shown, side in ((low, bound.low > -math.inf, "right"), (high, bound.high < math.inf, "left")):
            if shown:
                place = (value - axis.low) / ((axis.high - axis.low) or 1.0) * width + gutter
                page.text(place + (-0.04 if side == "right" else 0.04), down + 0.17, f"{value:.3g}", ha=side, size=TINY)
    return page.figure


# ------------------------------------------------------------------------------------------------- runs as examples


@_style()
def draw_paths(paths: Paths) -> Figure:
    """One indicator over time in runs of interest and in others, each named at its end."""
    turns = len(paths.dates) - 1
    gutter = min(1.6, max((_measure(rung.replace("_", " "), TINY) for rung in paths.rungs), default=0.3) + 0.12)
    page = _Canvas(WIDTH, 2.55)
    width = WIDTH - gutter - 0.95
    axes = page.axes(gutter, 0.3, width, 1.8, "paths")
    span = (paths.high - paths.low) or 1.0
    ends: list[tuple[float, str, str]] = []
    several = len(paths.runs)
    for n, (run, wanted, values) in enumerate(paths.runs):
        shift = (n - (several - 1) / 2) * 0.03 * span  # so that equal paths do not hide one another
        colour, dashes, _ = LINES[0] if wanted else (GREY, (0, (3, 1.5)), "")
        axes.plot(range(values.size), values + shift, color=colour, linestyle=dashes, linewidth=1.3)
        ends.append((float(values[-1] + shift), f"run {run}", colour))
    axes.set_xlim(-0.2, turns + 0.2)
    axes.set_ylim(paths.low - 0.06 * span, paths.high + 0.06 * span)
    last = -math.inf
    for value, name, colour in sorted(ends):
        at = max(value, last + 0.075 * span)
        axes.annotate(name, (turns + 0.2, at), xytext=(4, 0), textcoords="offset points", size=TINY, color=colour,
                      va="center", annotation_clip=False)  # fmt: skip
        last = at
    if paths.rungs:
        axes.set_yticks(range(len(paths.rungs)), [rung.replace("_", " ") for rung in paths.rungs])
    axes.grid(axis="y", color=RULE, linewidth=0.5)
    axes.tick_params(axis="y", labelsize=TINY)
    _label_turns(axes, _date_ticks(dict(enumerate(paths.dates)), turns, width), TINY)
    page.text(gutter, 0.2, _cut(paths.title, WIDTH - gutter, BODY, True), size=BODY, weight="bold")
    return page.figure

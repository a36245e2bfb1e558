"""A table on a page: sorted by a click on its head, filtered by what is typed, a row opened by a click or Enter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reacton.ipyvuetify as rv
import solara


@dataclass(frozen=True)
class Column:
    """title: its head. numeric: to the right."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Row:
    """cells: what is shown. order: what each is sorted by; the cells themselves if left out. key: what opening it
    brings back; None for a row that does not open. problem: shown below the row."""

    cells: Sequence[str]
    order: Sequence[float | str] = ()
    key: str | None = None
    problem: str = ""


def cell(value: float | None, show: Callable[[float], str]) -> str:
    """A cell; empty where there is no value."""
    return "" if value is None else show(value)


@solara.component_vue("vue/table.vue")
def _Table(
    title: str,
    columns: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    filtered: bool = False,
    sort: list[Any] = [],  # noqa: B006
    chosen: str | None = None,
    tall: bool = False,
    event_open: Callable[[str], Any] = lambda key: None,
) -> None:
    """See `Table`."""


@solara.component
def Table(
    title: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    filtered: bool = False,
    sort: tuple[int, bool] | None = None,
    chosen: str | None = None,
    on_open: Callable[[str], Any] | None = None,
    tall: bool = False,
) -> None:
    """A table of texts. filtered: with a field to filter by. sort: the column it is sorted by at first, and whether
    from the highest down. chosen: the key of the row that is marked. tall: it scrolls by itself, below its head."""
    _Table(
        title=title,
        columns=[{"title": column.title, "numeric": column.numeric} for column in columns],
        rows=[
            {"cells": list(row.cells), "order": list(row.order or row.cells), "key": row.key, "problem": row.problem}
            for row in rows
        ],
        filtered=filtered,
        sort=list(sort) if sort else [],
        chosen=chosen,
        tall=tall,
        event_open=on_open or (lambda key: None),
    )


def Scrolled(label: str) -> Any:
    """A place for a long list, which scrolls by itself and can be reached by the keyboard."""
    return rv.Html(tag="section", class_="tightrope-feed", attributes={"tabindex": "0", "aria-label": label})

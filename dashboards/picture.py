"""A picture on a page: drawn by ECharts or as SVG, with buttons that save it as PNG, as SVG, and its data as CSV."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pyarrow as pa
import reacton.ipyvuetify as rv
import solara
import solara.lab

from dashboards import charts

Clicked = Callable[[Any], None]
Table = Callable[[], pa.Table]


@solara.component_vue("vue/chart.vue")
def _Chart(option: str, title: str = "", height: int = 360, event_click: Clicked = lambda key: None) -> None:
    """See `Picture`. option: as `as_json` has it."""


@solara.component_vue("vue/save.vue")
def _Save(
    title: str = "", file: str = "", paper: str = "#ffffff", csv: dict | None = None,
    event_wanted: Callable[[Any], None] = lambda nothing: None,
) -> None:  # fmt: skip
    """See `Frame`."""


def is_dark() -> bool:
    """Whether the page is dark now; a component that asks is drawn anew when that changes.

    As Solara's own hook does, which fails when a tab closes: the theme is then gone before those who look at it.
    """
    theme = solara.lab.theme
    dark, set_dark = solara.use_state(bool(theme.dark_effective))

    def look() -> Callable[[], None]:
        def turned(change: Any) -> None:
            set_dark(bool(change.new))

        theme.observe(turned, "dark_effective")
        set_dark(bool(theme.dark_effective))  # it may have turned since this was drawn

        def away() -> None:
            with suppress(ValueError):
                theme.unobserve(turned, "dark_effective")

        return away

    solara.use_effect(look, [])
    return dark


@solara.component
def Picture(
    option: dict[str, Any] | None,
    title: str,
    table: Table | None = None,
    height: int = 360,
    on_click: Clicked | None = None,
    empty: str = "Nothing to show.",
) -> None:
    """A picture by ECharts from an option of `charts`, under its title.

    table: the data behind it, made when it is saved; what the picture tells if left out. on_click: called with the
    `key` of what is clicked. empty: shown where there is no option.
    """
    if option is None:
        solara.Text(empty)
        return
    with Frame(title, table or (lambda: pa.Table.from_pylist(_even(charts.rows_of(option))))):
        _Chart(option=as_json(option), title=title, height=height, event_click=on_click or (lambda key: None))


@solara.component
def Frame(title: str, table: Table, children: list[solara.Element] = []) -> None:  # noqa: B006
    """A heading, the buttons that save, and the picture below: the first `svg` among the children."""
    csv, set_csv = solara.use_state(None)
    taken, set_taken = solara.use_state(0)
    dark = is_dark()

    def wanted(_: Any) -> None:
        set_csv({"n": taken, "text": as_csv(table())})
        set_taken(taken + 1)

    with solara.Div(classes=["tightrope-picture"]):
        with solara.Div(classes=["tightrope-picture-head"]):
            rv.Html(tag="h3", children=[title])
            _Save(title=title, file=file_name(title), paper=charts.look(dark).paper, csv=csv, event_wanted=wanted)
        solara.Div(classes=["tightrope-drawn"], children=children)


def as_json(value: Any) -> str:
    """Plain values as one text: large ones reach the page so, as a text is compared, sent and kept as it is, where of a
    dict each part is looked at on the way, several times on either side."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_csv(table: pa.Table) -> str:
    """A table as comma-separated values. A text that a spreadsheet would take for a formula gets an apostrophe before
    it, by which it is text there too."""
    from pyarrow import compute, csv

    columns = []
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_string(column.type):
            number = compute.match_substring_regex(column, r"^[+-]?(\d|\.\d|inf)")
            formula = compute.and_not(compute.match_substring_regex(column, r"^[=+\-@\t\r]"), number)
            column = compute.if_else(formula, compute.binary_join_element_wise("'", column, ""), column)
        columns.append(column)
    out = io.BytesIO()
    csv.write_csv(pa.table(columns, names=table.column_names), out)
    return out.getvalue().decode()


def file_name(title: str) -> str:
    """A name for a file, from a title."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "picture"


def _even(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the same columns each, as text where a column is not of one kind."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: None if row.get(name) is None else str(row[name]) for name in names} for row in rows]

"""The shell: one bar, one page below it, and the contract of a page.

**A page** is a module with two names:

- `PAGE = pages.Page(path, title, icon, order)`: its address (`/path`), its name in the bar, an icon of Material Design
  (`mdi-…`) and its place in the bar;
- `View(query: state.Query, go: parts.Go)`, a `solara.component` that draws it.

It is registered by its name in `MODULES` below; there is nothing else to do. It may use any module of `sim` but `cli`
(and `world`, which is `live`'s), `state` for what is shared, `parts` for what all pages look like.

**What it shows is in its address.** `query.get("run")`, `query.all("set")`, `query.whole("turn", default, low, high)`
read it; ids are looked up (`state.library().run(id)`), no path is ever made of them, and texts of the address are shown
as texts only. `go("why", Query)` goes to a view, as a click on a link does; `go.note(Query)` writes the present view
into the address without drawing anew (for what changes often, such as the turn). What the address does not hold lives
in the page's own `solara.use_state` or `use_memo`, and dies with the tab; module-level variables are shared by everyone
and are read-only.

**Errors.** While drawing, a page raises the errors of `sim.errors`, and the shell shows their text in its place, with a
way back; what else goes wrong is told in a sentence, and its traceback goes to the server's terminal. Handlers of
events are wrapped: `parts.guarded(handler, tell)`. What takes longer than a tenth of a second runs in
`parts.use_work(function, dependencies)`, which returns `(value, error, busy)`.

**Figures.** `picture.Picture(option, title, table, ...)` draws an option of `charts` in the colours of the theme
(`picture.is_dark()`) and offers it as PNG, SVG and CSV; `picture.Frame` does so for an SVG of a page's own. Scenario
text reaches a page as a value only: in Vue as `{{ }}` of a property or `:title`, in Solara by `solara.Text` or
`parts.Note`; never `v-html`, Markdown or HTML. Colours of pages are CSS variables (`assets/custom.css`: --ink, --muted,
--line, --panel, --page, --accent …), in both themes; `.panel`, `.button`, `.muted`, `.heading` are its classes.
"""

from __future__ import annotations

import importlib
from typing import Any

import reacton.ipyvuetify as rv
import solara
import solara.lab

from dashboards import pages, parts, picture
from dashboards.state import Query, address

MODULES = (
    "dashboards.watch",
    "dashboards.why",
    "dashboards.play",
    "dashboards.runs",
    "dashboards.compare",
    "dashboards.studies",
    "dashboards.validation",
    "dashboards.scenario",
    "dashboards.evidence",
)

VIEWS: dict[str, Any] = {}
for _name in MODULES:
    _module = importlib.import_module(_name)
    VIEWS[_module.PAGE.path] = _module
ORDER: list[pages.Page] = sorted((module.PAGE for module in VIEWS.values()), key=lambda page: page.order)
PAGES: tuple[str, ...] = ("", *(page.path for page in ORDER))  # every address that there is; the first page is also /


def turn_theme(dark: bool) -> None:
    """Dark or light colours from now on."""
    solara.lab.theme.dark = bool(dark)


@solara.component
def Shell() -> None:
    """The bar and the page that the address names."""
    router = solara.use_router()
    asked = (router.path or "").strip("/")
    page = next((page for page in ORDER if page.path == asked), ORDER[0])
    query = Query.of(router.search)
    view = address(page.path, query)
    # No state of the shell: what is noted changes with every turn, and the page need not be drawn anew for that.
    noted = solara.use_memo(lambda: solara.reactive(""), [view])
    pushing = solara.use_ref(router.push)
    pushing.current = router.push
    go = solara.use_memo(
        lambda: parts.Go(lambda to: pushing.current(to), lambda query: noted.set(address(page.path, query))), [view]
    )
    solara.Title(f"{page.title} · Tightrope")
    with rv.Html(tag="div"):
        parts.Bar(
            pages=[{"path": one.path, "title": one.title, "icon": one.icon} for one in ORDER],
            here=page.path,
            dark=picture.is_dark(),
            event_go=lambda path: router.push(f"/{path}") if path in PAGES else None,
            event_turn=turn_theme,
        )
        Noted(noted)
        with parts.Main():
            Boundary(page.path, query, go).key(page.path)


@solara.component
def Noted(noted: solara.Reactive[str]) -> None:
    """Writes what is noted into the browser's address."""
    parts.Address(address=noted.value)


@solara.component
def Boundary(path: str, query: Query, go: parts.Go) -> None:
    """A page, or what went wrong with it."""
    error, clear = solara.use_exception()
    failed, set_failed = solara.use_state("")
    view = address(path, query)

    if error is not None and failed != view:
        set_failed(view)

    def again() -> None:
        set_failed("")
        clear()

    def anew() -> None:
        if error is not None and failed and failed != view:
            again()

    solara.use_effect(anew, [view])
    if error is not None:
        parts.Failed(message=parts.told(error), event_again=lambda _: again(), event_home=lambda _: go(path))
    else:
        VIEWS[path].View(query, go)


@solara.component
def Frame(children: list[Any] = []) -> None:  # noqa: B006
    """Around the shell: nothing of Solara's own."""
    rv.Html(tag="div", children=children)


routes = [
    solara.Route(path if path else "/", component=Shell, label="Tightrope", layout=None if path else Frame)
    for path in PAGES
]

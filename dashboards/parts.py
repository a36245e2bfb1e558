"""What all pages look like: the bar and messages; and how errors and slow work are handled."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import reacton.ipyvuetify as rv
import solara
from solara.server import kernel_context

from dashboards.state import Query, address
from sim.errors import UserError

Value = TypeVar("Value")


class Go:
    """How a page goes elsewhere: `go("why", query)`; `go.note(query)` only writes the present view into the address."""

    def __init__(self, push: Callable[[str], None], note: Callable[[Query], None]) -> None:
        self._push, self.note = push, note

    def __call__(self, page: str, query: Query | None = None) -> None:
        self._push(address(page, query or Query()))


# ------------------------------------------------------------------------------------------------ errors and work


def told(error: BaseException) -> str:
    """What the reader is told of an error."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return "This takes more memory than there is."
    return "Something went wrong here that should not have. What it was is in the terminal that runs the dashboard."


def log(error: BaseException) -> None:
    """To the terminal what is not the reader's to mend."""
    if not isinstance(error, UserError):
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)


def guarded(handler: Callable[..., Any], tell: Callable[[str], Any]) -> Callable[..., None]:
    """A handler of events whose errors are told: `tell` gets "" when it begins, and the message where it fails."""

    def handle(*given: Any) -> None:
        tell("")  # before it: what it sets going may fail, and say so, sooner than it ends
        try:
            handler(*given)
        except Exception as error:
            log(error)
            tell(told(error))

    return handle


def together() -> contextlib.AbstractContextManager[Any]:
    """What is set within is drawn once, at its end: with `parts.together(): …`."""
    tab = kernel_context.get_current_context().app_object
    return contextlib.nullcontext() if tab is None else tab


def use_work(work: Callable[[], Value], dependencies: list[Any]) -> tuple[Value | None, BaseException | None, bool]:
    """Do something slow beside the page: its value, its error, and whether it is still under way.

    It begins anew when a dependency changes; until then the value is that of the last time.
    """
    result = solara.lab.use_task(_quiet(work), dependencies=dependencies, raise_error=False, prefer_threaded=True)
    value, error = result.value if result.value is not None else (None, None)
    if result.error and result.exception is not None:
        value, error = None, result.exception
    return value, error, bool(result.pending)


def _quiet(work: Callable[[], Value]) -> Callable[[], tuple[Value | None, BaseException | None]]:
    def done() -> tuple[Value | None, BaseException | None]:
        try:
            return work(), None
        except Exception as error:
            log(error)
            return None, error

    return done


# ------------------------------------------------------------------------------------------------ what is seen


@solara.component_vue("vue/bar.vue")
def Bar(
    pages: list[dict[str, str]],
    here: str,
    dark: bool = False,
    event_go: Callable[[str], Any] | None = None,
    event_turn: Callable[[bool], Any] | None = None,
) -> None:
    """The bar."""


@solara.component_vue("vue/address.vue")
def Address(address: str) -> None:
    """What the browser's address is to be, without going there; nothing where it is empty."""


@solara.component_vue("vue/failed.vue")
def Failed(
    message: str,
    event_again: Callable[[Any], Any] | None = None,
    event_home: Callable[[Any], Any] | None = None,
) -> None:
    """In place of a page that cannot be drawn."""


@solara.component_vue("vue/note.vue")
def Note(text: str, kind: str = "plain", more: list[str] = []) -> None:  # noqa: B006
    """A message in a page. kind: plain, wait or error. more: further lines."""


def Main() -> Any:
    """The place of the page below the bar."""
    return rv.Html(tag="main", class_="page", attributes={"id": "page"})

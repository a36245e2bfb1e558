"""What is filled in on a page: a choice, a text, a number between bounds, a tick, one of many by typing; a button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import solara


@solara.component_vue("vue/field.vue")
def _Field(
    kind: str,
    label: str,
    value: Any = "",
    items: list[dict[str, str]] = [],  # noqa: B006
    low: float = 0.0,
    high: float = 1.0,
    step: float = 0.01,
    wide: bool = False,
    free: bool = False,
    event_chosen: Callable[[Any], Any] = lambda value: None,
) -> None:
    """See the functions below."""


def Choice(label: str, value: str, choices: Mapping[str, str], on_value: Callable[[str], Any]) -> Any:
    """One of a short list, by its id. choices: text by id."""
    items = [{"value": key, "text": text} for key, text in choices.items()]

    def chosen(new: Any) -> None:
        if new in choices:
            on_value(new)

    return _Field(kind="choice", label=label, value=value, items=items, event_chosen=chosen)


def Pick(label: str, choices: Mapping[str, str], on_value: Callable[[str], Any], free: bool = False) -> Any:
    """One of a long list, found by typing a part of its id or text. free: also what is not in the list."""
    items = [{"value": key, "text": text} for key, text in choices.items()]

    def chosen(new: Any) -> None:
        if new in choices or free:
            on_value(str(new)[:200])

    return _Field(kind="pick", label=label, items=items, wide=True, free=free, event_chosen=chosen)


def Text(label: str, value: str, on_value: Callable[[str], Any]) -> Any:
    """A line of text."""
    return _Field(kind="text", label=label, value=value, event_chosen=lambda new: on_value(str(new)))


def Slide(label: str, value: float, low: float, high: float, on_value: Callable[[float], Any]) -> Any:
    """A number between bounds."""
    return _Field(
        kind="slide", label=label, value=value, low=low, high=high, step=(high - low) / 100 or 0.01,
        event_chosen=lambda new: on_value(float(new)),
    )  # fmt: skip


def Tick(label: str, value: bool, on_value: Callable[[bool], Any]) -> Any:
    """Yes or no."""
    return _Field(kind="tick", label=label, value=value, event_chosen=lambda new: on_value(bool(new)))


@solara.component_vue("vue/number.vue")
def _Whole(
    label: str, value: int, low: int, high: int, busy: bool = False, words: str = "",
    event_chosen: Callable[[int], Any] = lambda value: None,
) -> None:  # fmt: skip
    """See `Whole`."""


def Whole(
    label: str, value: int, low: int, high: int, on_value: Callable[[int], Any], words: str = "", busy: bool = False
) -> Any:
    """A whole number with a step back and forth, a slider and a field. words: shown beside it."""

    def chosen(new: Any) -> None:
        if isinstance(new, int) and low <= new <= high:
            on_value(new)

    return _Whole(label=label, value=value, low=low, high=high, busy=busy, words=words, event_chosen=chosen)


@solara.component_vue("vue/button.vue")
def _Button(
    label: str, plain: bool = False, disabled: bool = False, event_pressed: Callable[[Any], Any] = lambda nothing: None
) -> None:
    """See `Button`."""


def Button(label: str, on_click: Callable[[], Any], plain: bool = False, disabled: bool = False) -> Any:
    """A button in the look of all pages."""
    return _Button(label=label, plain=plain, disabled=disabled, event_pressed=lambda nothing: on_click())

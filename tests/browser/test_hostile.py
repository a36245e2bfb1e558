"""Hostile strings in every text that a scenario, a study and facts may hold, and in the names of files and folders:
shown as they are on every page, in what is told on hovering, and in what is saved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pydantic
import pytest

from sim import findings, form, game, quantities, report, sweep
from sim.compare import compare
from sim.forecast import forecast
from sim.hindcast import hindcast
from sim.runs import prepare, run
from sim.scenario import read
from tests.browser import hostile
from tests.browser.visiting import Dashboard, Visitor, serving

FIRST = hostile.NAMES[0]
DRAWN = ("script, link, style, iframe, math, marquee, img[onerror], img[src=x], svg[onload], details[ontoggle], "
         "input[onfocus], a[href^=javascript], a[href*='example.org'], [v-html]")  # fmt: skip


def at(page: str, **said: Any) -> str:
    return f"/{page}?{urlencode(said)}"


VIEWS = [
    *(at("runs", run=f"{name}-run", n=0, turn=4) for name in hostile.NAMES),
    at("runs"),
    at("watch", run=f"{FIRST}-run", n=0, turn=4),
    at("watch", scenario=f"./{hostile.NAMES[1]}", turn=4),
    at("play", game=f"{hostile.NAMES[1]}-game"),
    at("play"),
    at("why", run=f"{FIRST}-run", n=0, turn=4, actor="north"),
    at("why", run=f"{FIRST}-run", n=0, turn=2, actor="rebels"),
    at("compare", comparison=f"{FIRST}-pairs"),
    at("studies"),
    at("studies", study=f"{FIRST}-study"),
    at("validation", hindcast=f"{FIRST}-facts"),
    at("validation", forecast=f"./{FIRST}-told"),
    at("evidence", scenario=f"./{FIRST}", kind="assumptions"),
    at("scenario", scenario=f"./{hostile.NAMES[2]}", view="numbers"),
    at("scenario", scenario=f"./{FIRST}", view="whole"),
]


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of a hostile scenario under each hostile name, and of one all else that there is."""
    place = tmp_path_factory.mktemp("hurt")
    for name in hostile.NAMES:
        (place / f"{name}.yaml").write_text(hostile.dealings(), encoding="utf-8")
        run(place / f"{name}.yaml", runs=6, out=place / f"{name}-run", figures=False)
    first, second = (place / f"{name}.yaml" for name in hostile.NAMES[:2])
    left = game.start(prepare(second), second.stem, "north", out=place / f"{second.stem}-game")
    for _ in range(3):
        left.choose(game.choice([left.seat.options[0].option], {}, {}))
    compare(
        first, runs=6, sets=["actors.north.interests.peace.salience=0.1"], out=place / f"{FIRST}-pairs", figures=False
    )
    (place.parent / "facts.yaml").write_text(hostile.facts(), encoding="utf-8")
    hindcast(first, 6, fact_file=place.parent / "facts.yaml", out=place / f"{FIRST}-facts", figures=False)
    (place / "study.yaml").write_text(hostile.study(first.name), encoding="utf-8")
    sweep.sweep(place / "study.yaml", place / f"{FIRST}-study")
    forecast(first, count=6, out=place / f"{FIRST}-told.md")
    return place


@pytest.fixture(scope="module")
def served(hurt: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard of that folder."""
    with serving(hurt, tmp_path_factory.mktemp("served")) as one:
        yield one
        assert one.process.poll() is None
        assert "Traceback" not in one.log.read_text()


@pytest.fixture
def guest(browser: Any, served: Dashboard) -> Iterator[Visitor]:
    """A browser of one's own at it."""
    came = Visitor(browser, served)
    yield came
    came.context.close()
    assert came.wrong == []


def texts(part: Any) -> Iterator[tuple[str, str]]:
    """The classes and fields of which a model holds a text."""
    if isinstance(part, pydantic.BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if name in hostile.TEXTS and value in hostile.STRINGS:
                yield type(part).__name__, name
            yield from texts(value)
    elif isinstance(part, (dict, list, tuple)):
        for one in part.values() if isinstance(part, dict) else part:
            yield from texts(one)


def test_every_text_of_the_form_is_hostile(tmp_path: Path):
    (tmp_path / "one.yaml").write_text(hostile.dealings(), encoding="utf-8")
    models = [one for module in (form, quantities) for one in vars(module).values()
              if isinstance(one, type) and issubclass(one, quantities.Part)]  # fmt: skip
    free = {(model.__name__, name) for model in models for name in model.model_fields if name in hostile.TEXTS}
    assert free - set(texts(read(tmp_path / "one.yaml").scenario)) == {
        ("Sourced", "assumption")
    }  # which all are made of


@pytest.mark.parametrize("view", VIEWS)
def test_whatever_is_hostile_is_shown_as_it_is(guest: Visitor, view: str):
    page = guest.open(view)
    page.wait_for_timeout(800)
    page.wait_for_function("() => !document.querySelector('.note.wait')")
    shown = page.inner_text("main")
    assert "This cannot be shown" not in shown
    assert any(one in shown for one in (*hostile.STRINGS, *hostile.NAMES))
    for chart in page.locator(".tightrope-chart").all():  # what is told on hovering may be HTML to ECharts
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        for across in (0.3, 0.5, 0.7):
            page.mouse.move(box["x"] + across * box["width"], box["y"] + 0.4 * box["height"], steps=3)
    assert page.evaluate("window.hacked") is None
    assert page.locator(f"main >> css={DRAWN}").count() == 0
    assert hostile.EVALUATED not in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_is_saved_holds_texts_only(guest: Visitor, tmp_path: Path):
    page = guest.open(at("runs", run=f"{FIRST}-run", n=0, turn=4), ".tightrope-chart svg")
    page.wait_for_timeout(800)
    saved = []
    for button in page.locator(".tightrope-picture button:text-is('SVG')").all():
        with page.expect_download() as kept:
            button.click()
        saved.append(Path(kept.value.path()).read_text(encoding="utf-8"))
        assert kept.value.suggested_filename.replace("-", "").replace(".", "").isalnum()
    assert saved
    assert any("&lt;" in one for one in saved)
    file = tmp_path / "saved.svg"
    for text in saved:
        file.write_text(text, encoding="utf-8")
        # as a reader opens it, where no policy of ours holds
        alone = guest.context.new_page()
        alone.goto(file.as_uri())
        alone.wait_for_timeout(200)
        assert alone.evaluate("window.hacked") is None
        assert alone.locator("script, foreignObject, [onload], [onerror], image, a").count() == 0
        alone.close()


def test_a_report_shows_texts_as_texts(guest: Visitor, hurt: Path, tmp_path: Path):
    file = tmp_path / "report.html"
    file.write_text(report.page(findings.analyse(hurt / f"{FIRST}-study")), encoding="utf-8")
    page = guest.context.new_page()
    page.goto(file.as_uri())
    page.wait_for_timeout(300)
    assert any(one in page.inner_text("body") for one in hostile.STRINGS)
    assert page.evaluate("window.hacked") is None
    assert page.locator("script, iframe, math, marquee, [onerror], [onload], [ontoggle], [onfocus], link").count() == 0

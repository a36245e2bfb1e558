"""One dashboard and one Chromium for all browser tests; a page that leaves the machine or is refused fails its test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim import game
from sim.runs import prepare, run
from tests.browser import hostile
from tests.browser.visiting import PATIENCE, Dashboard, Visitor, chromium, opened, serving, settled

__all__ = ["PATIENCE", "Dashboard", "Visitor", "serving", "settled"]


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """DIR: a run folder of the tutorial and a game of it, and a scenario, a run folder and a game whose every text is
    hostile."""
    place = tmp_path_factory.mktemp("runs")
    run("minimal", runs=20, seed=7, out=place / "minimal-1", figures=False)
    (place / "hostile.yaml").write_text(hostile.scenario(), encoding="utf-8")
    run(place / "hostile.yaml", runs=10, out=place / "hostile-1", figures=False)
    for name, source in (("minimal-1", "minimal"), ("hostile-1", place / "hostile.yaml")):
        left = game.start(prepare(source), name, "alba", out=place / f"{name}-game")
        for _ in range(3):
            left.choose(game.choice([left.seat.options[0].option], {}, {}))
    return place


@pytest.fixture(scope="package")
def dashboard(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """The dashboard of `folder`."""
    with serving(folder, tmp_path_factory.mktemp("served")) as served:
        yield served
        assert served.process.poll() is None, served.log.read_text()


@pytest.fixture(scope="package")  # not session: Playwright keeps an event loop running, which later tests would find
def browser() -> Iterator[Any]:
    """A Chromium."""
    place = chromium()
    if place is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "no Chromium: install Debian's package chromium, or name one in CHROMIUM"
        )
    with opened(place) as found:
        yield found


@pytest.fixture
def visitor(browser: Any, dashboard: Dashboard) -> Iterator[Visitor]:
    """A browser of one's own; fails the test for whatever went wrong in it."""
    came = Visitor(browser, dashboard)
    yield came
    came.context.close()
    assert came.wrong == []
    assert dashboard.process.poll() is None
    assert "Traceback" not in dashboard.log.read_text()

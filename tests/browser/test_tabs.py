"""What becomes of a run that plays when its tab is closed, left, reloaded, or falls asleep."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visiting import FLAGS, Dashboard, Visitor, chromium, serving, settled

# The dashboard as it is, with a witness: on SIGUSR1 it writes how many turns its worlds have made.
WITNESSED = """
import runpy, signal, sys, threading
from pathlib import Path
from sim.world import World

place, step, count = Path(sys.argv.pop(1)), World.step, [0]

def counted(world):
    count[0] += 1
    step(world)

def tell(*_):
    place.with_suffix(".new").write_text(str(count[0]))
    place.with_suffix(".new").rename(place)

World.step = counted
signal.signal(signal.SIGUSR1, tell)
sys.argv[0] = "dashboards"
runpy.run_module("dashboards", run_name="__main__", alter_sys=True)
"""
WATCH = "/watch?scenario=outlook-2022"  # 41 turns: 82 seconds at half a turn a second
SLOW = "0.5"
PERIOD = 2.0  # seconds of a turn then


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard that tells how many turns it has made."""
    home = tmp_path_factory.mktemp("witnessed")
    (home / "runs").mkdir()
    with serving(home / "runs", home, program=("-c", WITNESSED, str(home / "steps"))) as served:
        yield served
        assert served.process.poll() is None, served.log.read_text()
        assert "Traceback" not in served.log.read_text()


def steps(served: Dashboard) -> int:
    """How many turns the server has made since it began."""
    told = served.log.parent / "steps"
    told.unlink(missing_ok=True)
    served.process.send_signal(signal.SIGUSR1)
    end = time.monotonic() + 30
    while not told.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return int(told.read_text())


def turn(page: Any) -> int:
    return int(page.inner_text(".controls-count").split()[0])


def playing(page: Any, speed: str = SLOW) -> None:
    """Play, until it has gone on by itself."""
    page.wait_for_selector(".stage")
    page.select_option("select[aria-label=Speed]", speed)
    page.locator(".key.play").click()
    page.wait_for_function("(from) => +document.querySelector('.controls-count').textContent.split(' ')[0] > from + 1",
                           arg=turn(page))  # fmt: skip


@pytest.mark.parametrize("ends", ["the tab is closed", "the window is closed", "another page is gone to"])
def test_the_play_loop_ends_with_its_tab(browser: Any, witnessed: Dashboard, ends: str):
    came = Visitor(browser, witnessed)
    page = came.open(WATCH)
    before = steps(witnessed)
    playing(page)
    assert steps(witnessed) > before
    if ends == "the tab is closed":
        page.close()
    elif ends == "the window is closed":
        came.context.close()
    else:
        page.get_by_role("link", name="Runs").click()
        page.wait_for_function("() => location.pathname === '/runs'")
    time.sleep(1)  # for what was under way
    made = steps(witnessed)
    time.sleep(2.5 * PERIOD)
    assert steps(witnessed) == made
    came.context.close()
    assert came.wrong == []


def test_a_tab_reloaded_while_it_plays_shows_its_turn_and_plays_on_when_told(browser: Any, witnessed: Dashboard):
    came = Visitor(browser, witnessed)
    page = came.open(WATCH)
    playing(page, "2")
    page.wait_for_function("() => +new URLSearchParams(location.search).get('turn') >= 2")
    seen = turn(page)
    page.reload()
    page.wait_for_selector(".stage")
    reached = turn(page)
    assert seen - 1 <= reached <= seen + 2  # a turn may come between
    assert page.locator(".key.play").get_attribute("aria-label") == "Play"
    made = steps(witnessed)
    time.sleep(1.5)
    assert turn(page) == reached
    assert steps(witnessed) == made  # nobody plays on for the tab as it was
    playing(page, "2")
    came.context.close()
    assert came.wrong == []


def test_a_run_plays_at_its_speed_to_its_end_and_again_from_the_start(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal&turn=4", ".stage")
    page.select_option("select[aria-label=Speed]", "4")
    began = time.monotonic()
    page.locator(".key.play").click()
    settled(page, ".controls-count", "12 of 12")
    assert time.monotonic() - began >= 7 / 4
    page.wait_for_selector(".key.play[aria-label=Play]")
    page.locator(".key.play").click()
    page.wait_for_function("() => +document.querySelector('.controls-count').textContent.split(' ')[0] < 12")
    page.locator(".key.play").click()


def offspring() -> set[int]:
    """The processes that this one has started, and theirs."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
    found, new = set(), {os.getpid()}
    while new:
        new = {number for number, parent in parents.items() if parent in new}
        found |= new
    return found


def tell_all(numbers: set[int], what: signal.Signals) -> None:
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, what)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="which processes a browser has is read from /proc")
def test_a_tab_that_sleeps_while_it_plays_goes_on(browser: Any, witnessed: Dashboard):
    """A closed laptop: all of a browser stands still for longer than the server waits for a sign of life (40 s)."""
    before = offspring()
    second = browser.browser_type.launch(executable_path=chromium(), args=FLAGS)
    came = Visitor(second, witnessed)
    page = came.open(WATCH)
    playing(page)
    asleep = offspring() - before
    reached = turn(page)
    try:
        tell_all(asleep, signal.SIGSTOP)
        time.sleep(5)
        made = steps(witnessed)
        time.sleep(60)
        assert steps(witnessed) == made  # nothing is played while nobody looks
    finally:
        tell_all(asleep, signal.SIGCONT)
    page.wait_for_function("(from) => +document.querySelector('.controls-count').textContent.split(' ')[0] > from + 1",
                           arg=reached)  # fmt: skip
    page.wait_for_function("() => !document.querySelector('.bar-lost')")
    page.locator(".key.play").click()
    came.context.close()
    second.close()


def test_a_lost_connection_is_told_and_comes_back(browser: Any, witnessed: Dashboard):
    came = Visitor(browser, witnessed)
    cut = [False]
    open_now: list[Any] = []

    def between(route: Any) -> None:
        if cut[0]:
            route.close()
            return
        there = route.connect_to_server()
        route.on_message(lambda message: None if cut[0] else there.send(message))
        there.on_message(lambda message: None if cut[0] else route.send(message))
        open_now[:] = [route, there]

    came.context.route_web_socket("**/jupyter/**", between)
    page = came.open(WATCH)
    playing(page)
    cut[0] = True
    for end in open_now:
        end.close()
    page.wait_for_selector(".bar-lost")
    assert "connection to the dashboard was lost" in page.inner_text(".bar-lost")
    page.wait_for_timeout(10_000)
    assert page.locator(".bar-lost").count() == 1
    reached = turn(page)
    cut[0] = False
    page.wait_for_selector(".bar-lost", state="detached")
    page.wait_for_function("(from) => +document.querySelector('.controls-count').textContent.split(' ')[0] > from",
                           arg=reached)  # fmt: skip
    came.context.close()


def test_a_tab_whose_state_is_gone_begins_anew_where_its_address_says(browser: Any, witnessed: Dashboard):
    """As after a night: the server drops what a tab held when nobody has looked for hours."""
    came = Visitor(browser, witnessed)
    page = came.open(f"{WATCH}&turn=3", ".stage")
    page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "4 of 41")
    page.wait_for_function("() => new URLSearchParams(location.search).get('turn') === '4'")
    page.evaluate("""async () => {
      const kernel = solara.debug.kernel();
      window.before = true;
      await fetch(`/_solara/api/close/${kernel.id}?session_id=${kernel.clientId}`, { method: 'POST' });
    }""")
    page.wait_for_function("() => !window.before")
    page.wait_for_selector(".stage")
    settled(page, ".controls-count", "4 of 41")
    came.context.close()

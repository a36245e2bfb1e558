"""What the dashboard withstands: quick fingers, a server that ends or is started anew, and a link on another site."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashboards import why
from dashboards.state import Library
from sim.runs import run
from tests.browser.visiting import ROOT, Dashboard, Visitor, settled


def test_no_press_is_lost_while_an_answer_is_on_its_way(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal&seed=7", ".stage")
    settled(page, ".controls-count", "0 of 12")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "7 of 12")
    for _ in range(3):
        page.locator("button[aria-label='A turn back']").click()
    settled(page, ".controls-count", "4 of 12")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    settled(page, ".controls-count", "11 of 12")


@contextlib.contextmanager
def begun(folder: Path, log: Path, port: str = "0") -> Iterator[tuple[subprocess.Popen, Dashboard]]:
    """A dashboard on a port, which is killed where it does not end."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboards", str(folder), "--no-open", "--port", port],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=out, text=True,
        )  # fmt: skip
        try:
            url, _, token = process.stdout.readline().strip().partition("/?token=")
            yield process, Dashboard(url, token, folder, process, log)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def test_a_tab_says_that_its_server_ended_and_goes_on_with_another(browser: Any, tmp_path: Path):
    log = tmp_path / "log"
    with begun(tmp_path, log) as (process, first):
        came = Visitor(browser, first)
        page = came.open("/watch?scenario=minimal&turn=3", ".stage")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert log.read_text() == ""  # nothing was left to complain about
    page.wait_for_selector(".bar-lost")
    with begun(tmp_path, log, str(urlsplit(first.url).port)) as (_, second):
        page.wait_for_function("() => solara.debug.kernel().isDisposed")
        page.wait_for_timeout(7000)
        assert "open the address that it prints" in " ".join(page.inner_text(".bar-lost").split())
        other = came.context.new_page()
        other.goto(f"{second.url}/?token={second.token}")
        page.wait_for_selector(".bar-lost", state="detached")
        page.wait_for_selector(".stage")
        settled(page, ".controls-count", "3 of 12")
        came.context.close()


def test_a_link_on_another_site_leads_in_by_one_click_more(browser: Any, dashboard: Dashboard):
    came = Visitor(browser, dashboard)
    came.open("/runs").close()
    page = came.context.new_page()
    view = f"{dashboard.url}/runs?run=minimal-1"
    page.route("http://elsewhere.example/", lambda route: route.fulfill(
        content_type="text/html", body=f"<a href='{view}'>look</a>"))  # fmt: skip
    page.goto("http://elsewhere.example/")
    page.get_by_text("look").click()
    page.wait_for_selector("text=printed when it started")
    page.get_by_role("link").click()
    page.wait_for_selector("main.page")
    settled(page, "main", "20 runs")
    came.context.close()


def test_why_asks_of_the_latest_run_that_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    library = Library(tmp_path)
    monkeypatch.setattr("dashboards.state._library", library)
    assert why.default().scenario == "takeover-2021"
    run("minimal", runs=2, out=tmp_path / "whole", figures=False)
    run("minimal", runs=2, out=tmp_path / "spoilt", figures=False)
    (tmp_path / "spoilt" / "scenario.yaml").write_text("x", encoding="utf-8")
    assert why.default().folder == "whole"

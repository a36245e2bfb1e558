"""A dashboard that serves a folder, and a browser that visits it: for tests, benchmarks and screenshots."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PATIENCE = 120_000  # milliseconds: the machine may be busy


def chromium() -> str | None:
    """The browser of CHROMIUM, or of the machine."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Dashboard:
    """A dashboard that serves a folder. url: without token."""

    url: str
    token: str
    folder: Path
    process: subprocess.Popen = field(repr=False)
    log: Path


@contextlib.contextmanager
def serving(folder: Path, home: Path, *more: str, program: Sequence[str] = ("-m", "dashboards")) -> Iterator[Dashboard]:
    """A dashboard on a port of its own. program: what Python is to run for it."""
    log = home / "dashboard.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *program, str(folder), "--no-open", "--port", "0", *more],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=out, text=True, env=os.environ | {"HOST": "0.0.0.0"},
        )  # fmt: skip
        try:
            first = process.stdout.readline().strip()
            url, _, token = first.partition("/?token=")
            yield Dashboard(url, token, folder, process, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def opened(place: str) -> Iterator[Any]:
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """One browser's session: opens views and sees to it that nothing leaves the machine or is refused."""

    def __init__(self, browser: Any, dashboard: Dashboard, **options: Any) -> None:
        self.dashboard = dashboard
        self.context = browser.new_context(viewport={"width": 1280, "height": 720}, reduced_motion="reduce", **options)
        self.context.set_default_timeout(PATIENCE)
        self.wrong: list[str] = []
        self.received = 0  # bytes of WebSockets
        self.known = False

    def open(self, view: str = "/", wait: str | None = None) -> Any:
        """A new tab on a view; wait: for what to be seen."""
        page = self.context.new_page()
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("websocket", lambda socket: socket.on("framereceived", self._came))
        page.on("pageerror", lambda error: self.wrong.append(f"a fault in the page: {error}"))
        page.on("dialog", lambda dialog: (self.wrong.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        mark = "" if self.known else ("&" if "?" in view else "?") + f"token={self.dashboard.token}"
        page.goto(f"{self.dashboard.url}{view}{mark}")
        self.known = True
        page.wait_for_selector("main.page")
        if wait is not None:
            page.wait_for_selector(wait)
        return page

    def _came(self, frame: Any) -> None:
        self.received += len(frame)

    def _asked(self, request: Any) -> None:
        at, home = urlsplit(request.url), urlsplit(self.dashboard.url)
        if at.scheme in ("http", "https", "ws", "wss") and at.netloc != home.netloc:
            self.wrong.append(f"left the machine: {request.url}")

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")


def settled(page: Any, selector: str, text: str) -> None:
    """Wait until an element holds a text."""
    end = time.monotonic() + PATIENCE / 1000
    while text not in page.inner_text(selector):
        assert time.monotonic() < end, (selector, text, page.inner_text(selector))
        page.wait_for_timeout(20)

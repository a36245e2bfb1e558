"""What the dashboard promises of its speed, measured in a real browser: a step, and opening a study of 10⁵ runs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import ROOT, Line, Part
from tests.browser.visiting import Dashboard, Visitor, chromium, opened, serving

STEP = 150.0  # milliseconds
MEMORY, WIRE = 200.0, 5.0  # MB
STUDY = """
study: 1
title: A study of {runs} runs
question: What does opening it cost?
scenario: minimal
design: latin_hypercube
points: {points}
vary:
  actors.alba.interests.safety.salience: {{low: 0.4, high: 1.0}}
  incidents.raid.hazard: {{low: 0.005, high: 0.1}}
  indicators.raiders.pull: {{low: 0.02, high: 0.12}}
replicates: {replicates}
"""
# From the key to the frame in which the count, the feed, the map, the ladder, the indicators and the regard have all
# changed. What changes is watched, not asked for again and again, which would take time from what is measured.
STEPPED = """
() => new Promise((done) => {
  const places = ['.controls-count', '.area-feed .feed', '.area-map svg', '.area-ladder .tightrope-drawn',
                  '.area-indicators .tightrope-drawn', '.area-regard .tightrope-drawn'];
  const waited = new Set(places), began = performance.now(), seen = [];
  const end = () => { seen.forEach((one) => one.disconnect()); clearTimeout(late); };
  const late = setTimeout(() => { end(); done(5000); }, 5000);
  for (const place of places) {
    const watching = new MutationObserver(() => {
      if (!waited.delete(place) || waited.size) return;
      requestAnimationFrame(() => { end(); done(performance.now() - began); });
    });
    const all = { subtree: true, childList: true, attributes: true, characterData: true };
    watching.observe(document.querySelector(place), all);
    seen.push(watching);
  }
  window.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight' }));
})
"""


def memory(process: int, what: str) -> float:
    """MB of a process: VmRSS as it is, VmHWM at its highest."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def steps(browser: Any, served: Dashboard, scenario: str, count: int) -> list[float]:
    """Milliseconds of each step of a run on Watch, after a few that warm up."""
    came = Visitor(browser, served)
    page = came.open(f"/watch?scenario={scenario}", ".stage")
    page.wait_for_selector(".area-regard .tightrope-chart svg")
    page.wait_for_timeout(1500)
    took = []
    for _ in range(count):
        took.append(float(page.evaluate(STEPPED)))
        page.wait_for_timeout(150)
    came.context.close()
    return took[2:]


def study_opened(browser: Any, served: Dashboard, study: str) -> dict[str, float]:
    """MB that opening a study, then analysing it, adds to the server at its highest; MB over the wire, all told."""
    came = Visitor(browser, served)
    page = came.open("/runs")
    page.wait_for_timeout(2000)
    number, before, wire = served.process.pid, memory(served.process.pid, "VmRSS"), [0.0]
    Path(f"/proc/{number}/clear_refs").write_text("5")  # the highest from now on
    came.received = 0
    tab = came.context.new_page()
    watched = came.context.new_cdp_session(tab)
    watched.send("Network.enable")
    watched.on("Network.loadingFinished", lambda told: wire.append(told["encodedDataLength"]))
    watched.on("Network.webSocketFrameReceived", lambda told: wire.append(len(told["response"]["payloadData"])))
    tab.on("websocket", lambda socket: socket.on("framereceived", came._came))
    tab.goto(f"{served.url}/studies?study={study}")
    tab.wait_for_selector("main table")
    tab.wait_for_timeout(3000)
    found = {"memory": memory(number, "VmHWM") - before}
    tab.locator("button", has_text="Analyse the").click()
    tab.wait_for_selector(".tightrope-chart svg", timeout=300_000)
    tab.wait_for_timeout(3000)
    found |= {"analysed": memory(number, "VmHWM") - before, "wire": sum(wire) / 1e6, "socket": came.received / 1e6}
    came.context.close()
    return found


def dashboard(quick: bool) -> Part:
    """How soon a step is seen; what opening a study costs the server and the wire."""
    scenario, count, points, replicates = ("minimal", 8, 10, 20) if quick else ("outlook-2022", 34, 500, 200)
    runs = points * replicates
    part = Part(
        "The dashboard",
        f"A Chromium without a screen, a step of {scenario} on Watch at 1280 x 720, from the key to the frame in which "
        f"count, feed, map, ladder, indicators and regard have all changed; and a study of {runs:,} runs opened on "
        "Studies: how far the server's peak memory rises above what it held, and what comes over the wire, the page's "
        "own files included.",
        headings=("what", "measured"),
    )
    place = chromium()
    if place is None:
        part.lines.append(Line("the dashboard", "", "no Chromium on this machine", None))
        return part
    with tempfile.TemporaryDirectory(prefix="tightrope-benchmarks-") as home:
        folder = Path(home) / "runs"
        folder.mkdir()
        file = Path(home) / "large.yaml"
        file.write_text(STUDY.format(runs=runs, points=points, replicates=replicates))
        sweep = [sys.executable, "-c", "import sys; from sim.cli import main; sys.exit(main())", "sweep", str(file)]
        subprocess.run([*sweep, "--out", str(folder / "large")], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        with serving(folder, Path(home)) as served, opened(place) as browser:
            took = steps(browser, served, scenario, count)
            cost = study_opened(browser, served, "large")
    slow = sorted(took)[int(0.95 * (len(took) - 1))]
    seen = f"{statistics.median(took):.0f} ms in the middle, {slow:.0f} ms for 95%, {max(took):.0f} ms at most"
    sent = f"{cost['wire']:.2f} MB, of them {cost['socket']:.2f} MB by WebSocket"
    of = f"a study of {runs:,} runs"
    part.lines = [
        Line(f"a step is seen (of {len(took)})", f"within {STEP:.0f} ms", seen, slow <= STEP),
        Line(f"the server's memory for {of}", f"at most {MEMORY:.0f} MB", f"{cost['memory']:.0f} MB",
             cost["memory"] <= MEMORY),
        Line("the same when it is analysed there", f"at most {MEMORY:.0f} MB", f"{cost['analysed']:.0f} MB",
             cost["analysed"] <= MEMORY),
        Line(f"the wire for {of}", f"at most {WIRE:.0f} MB", sent, cost["wire"] <= WIRE),
    ]  # fmt: skip
    part.rows = [(f"step {n + 3}", f"{value:.0f} ms") for n, value in enumerate(took)]
    return part


if __name__ == "__main__":
    for line in dashboard("--quick" in sys.argv).lines:
        print(line)

"""`python -m tests.browser.screenshots OUT [DIR]`: a picture of each page at three widths, in both themes at the first.

DIR: the folder that is looked at (`runs` if left out). Without a study or a run folder in it, the pages show that.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dashboards.state import GAME, HINDCAST, RUN, STUDY, Library
from tests.browser.visiting import Visitor, chromium, opened, serving

SIZES = ((1280, 720), (1920, 1080), (768, 1024))


def views(folder: Path) -> dict[str, str]:
    """Name and address of each view."""
    library = Library(folder)
    runs = [entry.id for entry in library.entries(RUN)]
    hindcasts = [entry.id for entry in library.entries(HINDCAST)]
    studies = [entry.id for entry in library.entries(STUDY)]
    games = [entry.id for entry in library.entries(GAME)]
    fork = "fork=4:act:russia:recognise:taliban"
    found = {
        "watch": "/watch?turn=4",
        "fork": f"/watch?turn=5&{fork}",
        "why": "/why?scenario=takeover-2021&actor=russia&turn=4&action=recognise&target=taliban",
        "runs": "/runs",
        "compare": "/compare",
        "play": "/play",
        "studies": "/studies",
        "validation": "/validation",
        "evidence": "/evidence?claim=FRS-014",
        "scenario": "/scenario",
    }
    if runs:
        found["run"] = f"/runs?run={runs[0]}"
    if games:
        found["game"] = f"/play?game={games[0]}"
    if studies:
        found["study"] = f"/studies?study={studies[0]}"
    if hindcasts:
        found["hindcast"] = f"/validation?hindcast={hindcasts[0]}"
    return found


def main() -> int:
    """Writes OUT/<view>-<width>[-dark].png."""
    out, folder = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "runs")
    place = chromium()
    if place is None:
        print("no Chromium: name one in CHROMIUM", file=sys.stderr)
        return 2
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, serving(folder, Path(home)) as served, opened(place) as browser:
        for n, (width, height) in enumerate(SIZES):
            for scheme in ("light", "dark") if n == 0 else ("light",):
                came = Visitor(browser, served, color_scheme=scheme)
                for name, view in views(folder).items():
                    page = came.open(view)
                    page.set_viewport_size({"width": width, "height": height})
                    page.wait_for_function("() => !document.querySelector('.note.wait')")
                    page.wait_for_timeout(3000)
                    path = out / f"{name}-{width}{'-dark' if scheme == 'dark' else ''}.png"
                    page.screenshot(path=path, full_page=True)
                    print(path, flush=True)
                    page.close()
                for wrong in came.wrong:
                    print(wrong, file=sys.stderr)
                came.context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The page Compare pairs two scenarios and shows what its folder holds, in a real browser."""

from __future__ import annotations

import shutil

import pandas
import pytest

from sim.compare import compare, open_comparison
from tests.browser.conftest import Visitor, serving, settled
from tests.browser.test_runs import cells, saved
from tests.browser.test_why import serious

BOTH = "table:has(caption:text-is('Outcomes on both sides'))"
SET = "actors.alba.interests.safety.salience"


@pytest.fixture(scope="module")
def made(folder):
    """A comparison of the tutorial with a variant of it."""
    return compare("minimal", runs=40, sets=[f"{SET}=0.2"], out=folder / "minimal-vs-variant-7", figures=False)


def test_a_what_if_is_said_and_compared_and_its_address_can_be_shared(visitor, folder):
    page = visitor.open("/compare?a=minimal", "text=Comparisons made before")
    page.get_by_role("button", name="Compare", exact=True).click()
    settled(page, ".note.error", "Nothing to compare")
    page.get_by_label("A number that B changes").fill(SET)
    page.get_by_label(f"{SET} in B").fill("0.1")
    page.get_by_label(f"{SET} in B").press("Tab")
    page.get_by_role("button", name="Add").click()
    page.wait_for_selector(f"button:has-text('{SET}=0.1')")
    page.get_by_label("Pairs of runs").fill("30")
    page.get_by_label("Pairs of runs").press("Tab")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_selector(BOTH)
    assert "comparison=minimal-vs-variant-" in page.url
    name = page.url.partition("comparison=")[2]
    found = open_comparison(folder / name)
    assert (found.runs, found.manifest["b"]["sets"]) == (30, [f"{SET}=0.1"])
    table = cells(page, BOTH)
    page.reload()
    page.wait_for_selector(BOTH)
    assert cells(page, BOTH) == table


def test_differences_are_those_that_pandas_reads(visitor, folder, made):
    page = visitor.open(f"/compare?comparison={made.folder.name}", BOTH)
    pairs = pandas.read_parquet(made.folder / "pairs.parquet")
    told = cells(page, BOTH)["How often do the states talk to it?"]
    assert float(told[0]) == pytest.approx(pairs["a.talks"].mean(), rel=0.006)
    assert float(told[1]) == pytest.approx(pairs["b.talks"].mean(), rel=0.006)
    difference = (pairs["b.talks"].astype(float) - pairs["a.talks"]).mean()
    assert float(told[2].replace("−", "-")) == pytest.approx(difference, rel=0.006, abs=0.006)
    assert int(told[4]) == int((pairs["a.talks"] != pairs["b.talks"]).sum())
    settled(page, "main.page", f"Alba's weight on safety: 0.8 in A, 0.2 in B ({SET})")
    csv = pandas.read_csv(saved(page, "CSV", "The paths that differ most").path())
    assert set(csv.side) == {"A", "B"}
    assert len(csv) == made.bands.num_rows


def test_the_first_parting_decision_and_both_paths_are_told(visitor, made):
    page = visitor.open(f"/compare?comparison={made.folder.name}", BOTH)
    parting = pandas.read_parquet(made.folder / "pairs.parquet").parts_turn
    settled(page, "main.page", f"In {parting.notna().sum()} of {len(parting)} pairs somebody chooses otherwise")
    for card in made.story["cards"]:
        for line in card["text"]:
            assert line in page.inner_text("main.page")
    rows = page.locator("table:has(caption:text-is('What is done on one side only')) tbody tr")
    assert rows.count() == min(len(made.story["chain"]), 100)
    sides = [row.locator("td").all_inner_texts()[1:] for row in rows.all()]
    for row, told in zip(made.story["chain"], sides, strict=False):
        empty = told[0] if row["side"] == "B" else told[1]
        assert empty.strip() == ""


def test_both_sides_of_the_parting_decision_open_with_their_own_numbers(visitor, made):
    told = made.story["cards"][0]
    for side in "AB":
        page = visitor.open(f"/compare?comparison={made.folder.name}", BOTH)
        page.get_by_role("button", name=f"Why {told['title']} did so in {side}").click()
        page.wait_for_selector(".card-text .menu")
        menu = page.inner_text(".card-text .menu")
        for option in told["options"]:
            if option[side.lower()]["available"]:
                assert f"{option[side.lower()]['utility']:+.4f}" in menu
        assert ("set=" in page.url) == (side == "B")
        assert f"turn={made.story['turn']}" in page.url
    done = next((row for row in made.story["chain"] if row["kind"] == "act"), None)
    assert done is not None
    page = visitor.open(f"/compare?comparison={made.folder.name}", BOTH)
    page.locator("table:has(caption:text-is('What is done on one side only')) tbody a").first.click()
    page.wait_for_selector(".note.summary")
    assert f"action={done['action']}" in page.url


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_comparison_can_be_used_by_all_and_its_tables_scroll_inside(browser, dashboard, made, dark):
    came = Visitor(browser, dashboard, color_scheme="dark" if dark else "light")
    page = came.open(f"/compare?comparison={made.folder.name}", "text=Both paths from there")
    page.wait_for_selector(".tightrope-picture:has-text('The paths that differ most') svg")
    assert serious(page) == []
    for width in (1920, 768):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    came.context.close()


def test_comparisons_are_listed_and_done_again_from_their_form(visitor, made):
    page = visitor.open("/compare", f"text={made.folder.name}")
    page.get_by_role("link", name=made.folder.name).click()
    page.wait_for_selector(BOTH)
    page.get_by_role("button", name="Compare again").click()
    page.wait_for_selector(f"button:has-text('{SET}=0.2')")
    assert page.get_by_label("Pairs of runs").input_value() == "40"


def test_a_hostile_scenario_is_compared_and_shown_as_it_is(visitor, folder):
    found = compare(folder / "hostile.yaml", runs=12, sets=[f"{SET}=0.1"], out=folder / "hostile-vs-variant-1",
                    figures=False)  # fmt: skip
    page = visitor.open(f"/compare?comparison={found.folder.name}", BOTH)
    page.wait_for_timeout(1500)
    assert page.evaluate("window.hacked") is None
    titles = [row["title"] for row in found.of_kind("yes/no", "number")]
    assert all(" ".join(title.split()) in " ".join(page.inner_text(BOTH).split()) for title in titles)
    assert page.locator("main.page iframe, main.page img[src=x]").count() == 0


def test_two_scenarios_are_compared(visitor, folder):
    page = visitor.open("/compare?a=minimal&pairs=20", "text=Comparisons made before")
    page.locator(".tightrope-field:has(span:text-is('B')) select").select_option("./hostile")
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_selector(BOTH)
    found = open_comparison(folder / page.url.partition("comparison=")[2])
    assert (found.manifest["a"]["scenario"], found.manifest["b"]["scenario"]) == ("minimal", "hostile")
    assert page.evaluate("window.hacked") is None


WRONG = {
    "/compare?comparison=../..": "There is no comparison",
    "/compare?a=nothing": "There is no scenario",
    "/compare?b=/etc/passwd": "There is no scenario",
    "/compare?pairs=0": "must be a whole number from 1",
    "/compare?seed=-1": "must be a whole number from 0",
    "/runs?run=gone": "There is no run folder",
    "/runs?run=minimal-1&n=20": "must be a whole number from 0 to 19",
    "/runs?run=minimal-1&turn=13": "must be a whole number from 0 to 12",
    "/runs?run=minimal-1&show=<b>": "There is no indicator",
}


def test_wrong_addresses_are_told(visitor):
    page = visitor.open("/runs")
    for view, message in WRONG.items():
        page.goto(visitor.dashboard.url + view)
        settled(page, "main", message)
        assert "Traceback" not in page.inner_text("body")


def test_what_cannot_be_compared_is_told_beside_the_form(visitor):
    for view, message in (
        ("/compare?a=minimal&set=raiders%3D7", "raiders"),
        ("/compare?a=minimal&set=nothing.here%3D1", "nothing.here"),
        ("/compare?a=minimal&policy=none", "none"),
        ("/compare?a=minimal&set=raiders%3D0.4&fork=1999-01", "1999-01"),
    ):
        page = visitor.open(view, "text=Comparisons made before")
        page.get_by_role("button", name="Compare", exact=True).click()
        settled(page, ".note.error", message)
        assert page.get_by_role("button", name="Compare", exact=True).is_enabled()
        page.close()


def test_a_damaged_comparison_says_what_to_do(browser, made, tmp_path):
    shutil.copytree(made.folder, tmp_path / "runs" / "torn")
    table = tmp_path / "runs" / "torn" / "bands.parquet"
    table.write_bytes(table.read_bytes()[:-40])
    with serving(tmp_path / "runs", tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/compare?comparison=torn", ".note.error")
        settled(page, ".note.error", "damaged")
        settled(page, ".note.error", "Compare again makes the folder anew.")
        page.get_by_role("button", name="Compare again").click()
        page.wait_for_selector(f"button:has-text('{SET}=0.2')")
        assert came.wrong == []
        came.context.close()

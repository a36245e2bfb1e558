"""The page Runs shows what the run folders hold, in a real browser."""

from __future__ import annotations

import io
import shutil
from xml.etree import ElementTree

import pandas
import pytest

from dashboards import charts
from dashboards.runs import deciding
from sim import runs as running
from sim.explain import Telling, card
from sim.runs import open_run, prepare, run
from tests.browser import hostile
from tests.browser.conftest import Visitor, serving, settled

OUTCOMES = "table:has(caption:text-is('Outcomes that are yes or no'))"
NUMBERS = "table:has(caption:text-is('Outcomes that are numbers'))"
COURSE = ".turn-told"


def cells(page, table):
    """The texts of a table's body, by the first column."""
    rows = page.locator(f"{table} tbody tr").all()
    found = [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in rows]
    return {row[0]: row[1:] for row in found}


def saved(page, button, near=""):
    """What a picture's button saves."""
    with page.expect_download() as coming:
        page.locator(f".tightrope-picture:has-text('{near}')").locator(f"button:text-is('{button}')").first.click()
    return coming.value


def read(folder, name, table):
    return pandas.read_parquet(folder / name / f"{table}.parquet")


def told(page):
    """What the page tells of the turn: events and incidents, acts."""
    return tuple(page.locator(f"{COURSE} {kind}").count() for kind in ("li:is(.inject, .incident)", "button.act"))


def test_every_folder_is_listed_filtered_sorted_and_opened(visitor, folder):
    page = visitor.open("/runs", "text=minimal-1")
    listed = page.locator("table tbody tr td:first-child").all_inner_texts()
    assert {"minimal-1", "hostile-1"} <= {name.strip() for name in listed}
    page.get_by_label("Filter Folders").fill("minimal-1")
    settled(page, ".table-filter", f"1 of {len(listed)}")
    row = cells(page, "table")["minimal-1"]
    assert row[0] == "run"
    assert row[2] == f"{open_run(folder / 'minimal-1').runs}"
    page.get_by_label("Filter Folders").fill("")
    runs = page.get_by_role("button", name="Runs")
    for direction in ("descending", "ascending"):
        runs.click()
        page.wait_for_selector(f"th[aria-sort={direction}]:has-text('Runs')")
        counts = [int(row[2].replace(",", "")) for row in cells(page, "table").values() if row[2]]
        assert counts == sorted(counts, reverse=direction == "descending")
    page.get_by_role("link", name="minimal-1", exact=True).click()
    page.wait_for_selector(OUTCOMES)
    assert page.url.endswith("/runs?run=minimal-1")


def test_outcomes_are_those_that_pandas_reads(visitor, folder):
    page = visitor.open("/runs?run=minimal-1", OUTCOMES)
    outcomes = read(folder, "minimal-1", "outcomes")
    row = cells(page, OUTCOMES)["Does anyone recognise the Front?"]
    assert row[0] == f"{len(outcomes)}"
    assert row[1] == f"{int(outcomes.recognised.sum())}"
    numbers = cells(page, NUMBERS)
    for title, name in (("How often do the states talk to it?", "talks"), ("How many raids are there?", "raids")):
        assert float(numbers[title][2]) == pytest.approx(outcomes[name].mean(), rel=0.006)


def test_one_run_is_told_turn_by_turn_and_the_address_names_it(visitor, folder):
    page = visitor.open("/runs?run=minimal-1&n=4&turn=2", COURSE)
    acts, events = read(folder, "minimal-1", "acts"), read(folder, "minimal-1", "events")

    def held(run, turn):
        return tuple(int(((of.run == run) & (of.turn == turn)).sum()) for of in (events, acts))

    settled(page, COURSE, "February 2030")
    assert told(page) == held(4, 2)
    page.get_by_label("Turn after").click()
    settled(page, COURSE, "March 2030")
    assert told(page) == held(4, 3)
    page.get_by_label("Run after").click()
    page.wait_for_url("**n=5*")
    page.wait_for_function(f"() => document.querySelectorAll('{COURSE} button.act').length === {held(5, 3)[1]}")
    page.reload()
    settled(page, COURSE, "March 2030")
    assert told(page) == held(5, 3)


def test_the_address_names_the_indicators_and_a_shared_link_shows_them(visitor, folder):
    page = visitor.open("/runs?run=minimal-1", ".tightrope-picture:has-text('middle 50%') svg")
    chips = ".tightrope-chips button"
    page.locator(chips).first.click()
    page.wait_for_url("**show=*")
    page.get_by_label("Show another indicator").fill("alba.front.contact")
    page.wait_for_url("**alba.front.contact*")
    page.get_by_label("Turn before").click()
    page.wait_for_url("**turn=11*")
    page.get_by_label("draw it over the bands").click()
    page.wait_for_url("**over=no*")
    shown = page.locator(chips).all_inner_texts()
    assert any("Alba" in one for one in shown)
    other = visitor.open(page.url.removeprefix(visitor.dashboard.url), ".tightrope-picture:has-text('middle 50%') svg")
    assert other.locator(chips).all_inner_texts() == shown
    assert not other.get_by_label("draw it over the bands").is_checked()
    settled(other, COURSE, "November 2030")
    assert other.url == page.url
    bands = pandas.read_csv(saved(other, "CSV", "middle 50%").path())
    assert "alba.front.contact" in set(bands.path)
    other.goto(f"{visitor.dashboard.url}/runs?run=minimal-1&show=nothing")
    settled(other, "main.page", "There is no indicator")


def test_runs_tells_of_a_turn_what_watch_tells_and_the_tables_hold(browser, tmp_path):
    """Offers, meetings and promises of a folder, in the same sentences."""
    done = run("takeover-2021", runs=2, out=tmp_path / "runs" / "one", figures=False)
    offers, promises = (done.one(name, 1).to_pandas() for name in ("offers", "promises"))
    turn = int(promises[promises.status == "broken"].settled_turn.iloc[0])
    with serving(tmp_path / "runs", tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open(f"/runs?run=one&n=1&turn={turn}", f"{COURSE} button.act")
        here = [" ".join(one.split()) for one in page.locator(f"{COURSE} li").all_inner_texts()]
        assert sum(" an offer: " in one for one in here) == (offers.answered_turn == turn).sum()
        broken = promises[(promises.settled_turn == turn) & (promises.status == "broken")]
        words = broken.drop_duplicates(["giver", "kind", "action", "target"])  # given to several at once
        assert sum(" broke its word to " in one for one in here) == len(words) > 0
        page.goto(f"{served.url}/watch?run=one&n=1&turn={turn}")
        page.wait_for_selector(".stage .feed section")
        there = page.locator(".feed section").first.locator("li").all_inner_texts()
        assert [" ".join(one.split()) for one in there] == here
        assert came.wrong == []
        came.context.close()


def test_a_picture_is_saved_as_png_svg_and_its_data_as_csv(visitor, folder):
    page = visitor.open("/runs?run=minimal-1", ".tightrope-picture:has-text('middle 50%') svg")
    saved_csv = saved(page, "CSV", "middle 50%")
    assert saved_csv.suggested_filename.endswith(".csv")
    bands = pandas.read_csv(saved_csv.path())
    states = read(folder, "minimal-1", "states")
    for path in bands.path.unique():
        of = bands[bands.path == path].set_index("turn")
        grouped = states.groupby("turn")[path]
        assert (of["mean"] - grouped.mean()).abs().max() < 1e-9
        assert (of.q05 >= grouped.min()).all()
        assert (of.q95 <= grouped.max()).all()

    svg = ElementTree.fromstring(saved(page, "SVG", "Outcomes").path().read_text())
    texts = "".join(svg.itertext())
    assert "Does" in texts
    assert not [element for element in svg.iter() if element.tag.endswith(("script", "image", "foreignObject"))]
    png = saved(page, "PNG", "Outcomes").path().read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("L")
    assert image.width > 400
    dark, light = image.getextrema()
    assert dark < 128 < light  # something is drawn


def test_the_drawn_text_is_the_tables_text(visitor, folder):
    page = visitor.open("/runs?run=minimal-1", ".tightrope-picture:has-text('Who did what') svg text")
    shown = page.locator(".tightrope-picture:has-text('Who did what') svg text").all_text_contents()
    doing = set(read(folder, "minimal-1", "acts").query("run == 0").actor)
    titles = open_run(folder / "minimal-1").manifest["actors"]
    for actor in doing:
        assert titles[actor].lower() in [text.lower() for text in shown]


def test_an_act_leads_to_its_decision(visitor, folder):
    page = visitor.open("/runs?run=minimal-1&n=0", ".tightrope-picture:has-text('Who did what') svg text")
    acts = read(folder, "minimal-1", "acts").query("run == 0")
    drawn = page.locator(".tightrope-picture:has-text('Who did what') svg")
    drawn.scroll_into_view_if_needed()
    top = drawn.bounding_box()["y"]
    boxes = [mark.bounding_box() for mark in drawn.locator("path[fill='#0072b2']").all()]
    mark = next(box for box in boxes if box is not None and box["y"] > top + 46)  # below the legend
    page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    page.wait_for_url("**/why?**")
    asked = dict(pair.split("=") for pair in page.url.split("?")[1].split("&"))
    held = acts[(acts.actor == asked["actor"]) & (acts.action == asked["action"]) & (acts.turn == int(asked["turn"]))]
    assert len(held)


def test_a_folder_that_kept_outcomes_only_shows_its_bands_and_any_run_done_again(browser, tmp_path):
    done = run("minimal", runs=1100, out=tmp_path / "runs" / "many", figures=False)
    again = open_run(tmp_path / "runs" / "many").prepared.tables(running.again(done, 1099))
    turn = int(again["acts"]["turn"][0].as_py())
    with serving(tmp_path / "runs", tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open(f"/runs?run=many&n=1099&turn={turn}", f"{COURSE} button.act")
        assert told(page)[1] == again["acts"]["turn"].to_pylist().count(turn)
        page.wait_for_selector(".tightrope-picture:has-text('middle 50%') svg")
        bands = pandas.read_csv(saved(page, "CSV", "middle 50%").path()).sort_values(["path", "turn"])
        kept = pandas.read_parquet(done.folder / "quantiles.parquet").sort_values(["path", "turn"])
        kept = kept[kept.path.isin(set(bands.path))]
        assert len(bands) == len(kept) > 0
        assert bands.q50.to_numpy() == pytest.approx(kept.q50.to_numpy(), abs=1e-12)
        row = cells(page, OUTCOMES)["Does anyone recognise the Front?"]
        assert row[:2] == ["1,100", f"{int(done.outcomes.to_pandas().recognised.sum()):,}"]
        assert came.wrong == []
        came.context.close()


def test_an_outcome_is_decided_by_the_act_that_brings_it_about():
    asked = deciding(prepare("outlook-2022"))
    assert asked["russia_recognises"] == ("russia", "recognise", "taliban")
    assert asked["russia_delists"] == ("russia", "delist", "taliban")
    assert asked["strikes"] == ("united_states", "air_strike", "taliban")
    assert not {"anyone_recognises", "recognitions"} & set(asked)  # several could


def test_from_an_outcome_to_why_it_did_not_come_about(browser, tmp_path):
    """As a new user would: the run's outcome, then the answer in the first sentence."""
    done = run("takeover-2021", runs=20, out=tmp_path / "runs" / "takeover-2021-1", figures=False)
    with serving(tmp_path / "runs", tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/runs", "text=takeover-2021-1")
        page.get_by_role("link", name="takeover-2021-1").click()
        page.wait_for_selector(OUTCOMES)
        page.get_by_role("link", name="Does Russia recognise the Taliban?").click()
        page.wait_for_selector(".card-text")
        found = Telling(card(done.folder, "russia", 7, 0, "recognise", "taliban"))
        answer = page.inner_text(".note.summary > span:last-of-type").strip()
        assert answer == found.in_short()
        assert answer.startswith("Russia did not do ‘recognises the Taliban’ in November 2021")
        acts = done.acts.to_pandas()
        recognised = acts[(acts.actor == "russia") & (acts.action == "recognise")].run.nunique()
        settled(page, ".note.summary", f"In {recognised} of 20 runs Russia recognises the Taliban")
        page.get_by_label("Actor").select_option("china")  # the same question of another
        settled(page, ".note.summary", "China did not do ‘recognises the Taliban’ in November 2021")
        assert came.wrong == []
        came.context.close()


def test_hostile_names_are_shown_as_they_are(visitor, folder):
    page = visitor.open("/runs?run=hostile-1&turn=1", COURSE)
    page.wait_for_selector(".tightrope-picture:has-text('middle 50%') svg")
    assert page.evaluate("window.hacked") is None
    shown = page.inner_text("main.page")
    assert sum(text in shown for text in hostile.STRINGS) >= 5
    assert page.locator("main.page iframe, main.page img[src=x], main.page details[open]").count() == 0
    page.goto(f"{visitor.dashboard.url}/runs")
    page.wait_for_selector("text=hostile-1")
    assert page.evaluate("window.hacked") is None


@pytest.fixture
def broken(folder, tmp_path):
    """DIR with a damaged table, a torn table, a manifest of rubbish, and a whole folder."""
    place = tmp_path / "runs"
    for name in ("flipped", "torn", "rubbish", "whole"):
        shutil.copytree(folder / "minimal-1", place / name)
    table = place / "flipped" / "acts.parquet"
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 0xFF
    table.write_bytes(content)
    table = place / "torn" / "states.parquet"
    table.write_bytes(table.read_bytes()[:-40])
    (place / "rubbish" / "manifest.json").write_text("{}")
    return place


def test_damage_is_a_message_in_the_page_and_the_server_lives(browser, broken, tmp_path):
    with serving(broken, tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/runs", "text=whole")
        assert "damaged" in page.locator("tr:has-text('rubbish')").first.inner_text()
        page = came.open("/runs?run=flipped", ".note.error")
        settled(page, ".note.error", "damaged")
        settled(page, "main.page", "Does anyone recognise the Front?")  # what is whole is shown
        page = came.open("/runs?run=torn", ".failed")
        settled(page, ".failed", "damaged")
        page = came.open("/runs?run=whole", COURSE)
        shutil.rmtree(broken / "whole")
        page.get_by_label("Run after").click()
        page.wait_for_selector(".note.error, .failed")
        assert "Traceback" not in page.inner_text("body")
        page.goto(f"{served.url}/runs")
        page.wait_for_selector("text=flipped")
        assert "whole" not in [name.strip() for name in page.locator("table td:first-child").all_inner_texts()]
        assert served.process.poll() is None
        assert came.wrong == []
        came.context.close()


def test_an_empty_dir_says_what_to_do(browser, tmp_path):
    with serving(tmp_path / "nothing", tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/runs", ".note")
        assert "tightrope run" in page.inner_text(".note")
        page = came.open("/compare", ".note")
        page = came.open("/studies", ".note")
        assert came.wrong == []
        came.context.close()


def test_pictures_follow_the_theme(browser, dashboard):
    came = Visitor(browser, dashboard, color_scheme="dark")
    page = came.open("/runs?run=minimal-1", ".tightrope-picture:has-text('middle 50%') svg")
    for paper in (charts.DARK.paper, charts.LIGHT.paper):
        page.wait_for_function(
            """(paper) => [...document.querySelectorAll('.tightrope-chart svg rect:first-child')]
               .every((ground) => ground.getAttribute('fill') === paper)""",
            arg=paper,
        )
        page.locator(".bar-theme").click()
    came.context.close()
    assert came.wrong == []

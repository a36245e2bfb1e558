"""The page Validation starts hindcasts and shows what their folders hold, in a real browser."""

from __future__ import annotations

import json
import shutil

import pandas
import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboards import jobs
from sim import parameters
from sim.evidence import load
from sim.forecast import forecast
from sim.hindcast import hindcast
from sim.naming import capital, spaced
from sim.scenario import numbers
from sim.scenario import read as read_scenario
from tests.browser import hostile
from tests.browser.conftest import Visitor, serving, settled
from tests.browser.test_runs import cells, saved

FACTS = "table:has(caption:text-is('All facts'))"
TOTALS = "table:has(caption:text-is('Facts that pass'))"
ACTS = "table:has(caption:text-is('Forecasts of acts: cells of month, source, target and PLOVER type'))"
RECORD = "table:has(caption:text-is('Acts of the record, and the chance that each forecast gave them'))"
POSITIONS = "table:has(caption:text-is('Positions'))"
ASKED = f"""\
record: 1
title: '{hostile.STRINGS[1]}'
from: "2021-05"
until: "2021-11"
facts:
  T-1:
    statement: '{hostile.STRINGS[0]}'
    sample: in
    weight: hard
    holds: {{level: {{of: outsider.taliban.rung, take: max, over: max}}, below: recognition}}
    locator: '{hostile.STRINGS[2]}'
  T-2:
    statement: The United Kingdom recognises the Taliban.
    sample: out
    weight: soft
    holds: {{count: {{action: recognise, by: united_kingdom, until: 2021-11}}, at_least: 1}}
    assumption: that it would
  T-3:
    statement: Reserves are frozen.
    sample: in
    weight: hard
    holds: {{level: {{of: reserves_frozen, from: 2021-08, until: 2021-11, take: min}}, at_least: frozen}}
    given: a dated event does it
  T-4:
    statement: Nobody knows.
    sample: in
    weight: soft
    cannot: nothing in the model says so
"""


@pytest.fixture(scope="module")
def scored(folder):
    """A small hindcast, under DIR."""
    place = folder.parent / "asked.yaml"
    if not (folder / "hindcast-kept").exists():
        place.write_text(ASKED, encoding="utf-8")
        hindcast("takeover-2021", 12, fact_file=place, out=folder / "hindcast-kept", figures=False)
    return folder / "hindcast-kept"


def read(scored, table):
    return pandas.read_parquet(scored / f"{table}.parquet")


def share(text):
    return float(text.rstrip("%")) / 100


def test_the_scoreboard_holds_what_the_folder_holds(visitor, scored):
    page = visitor.open("/validation?hindcast=hindcast-kept", FACTS)
    facts = read(scored, "facts").set_index("fact")
    told = cells(page, FACTS)
    assert list(told) == list(facts.index)
    for name in ("T-1", "T-2", "T-3"):
        row, (_, statement, held, interval, wants, verdict, *others) = facts.loc[name], told[name]
        assert statement == row.statement
        assert share(held) == pytest.approx(row.share, abs=0.006)
        assert [share(end) for end in interval.split(" to ")] == pytest.approx([row.low, row.high], abs=0.006)
        assert wants == f"≥ {row.wanted:.0%}"
        assert verdict.startswith("passes" if row.passes else "fails")
        assert [share(text) for text in others] == pytest.approx(
            [row.share_random, row.share_frozen, row.share_trend], abs=0.006
        )
    assert told["T-3"][5].endswith(", given")
    assert told["T-1"][5].endswith(", free") == bool(facts.loc["T-1"].free)
    assert told["T-4"][5] == "cannot be said"
    assert cells(page, TOTALS)["hard, in sample"][:2] == ["1", str(int(facts.loc["T-1"].passes))]
    kept = pandas.read_csv(saved(page, "CSV", "The scoreboard").path())
    assert kept.share.dropna().tolist() == facts.share.dropna().tolist()


def test_acts_and_positions_are_those_of_the_folder(visitor, scored):
    page = visitor.open("/validation?hindcast=hindcast-kept", POSITIONS)
    record = read(scored, "cells")
    model = cells(page, ACTS)["the model"]
    assert model[:2] == [f"{len(record):,}", f"{record.happened.sum():,}"]
    assert float(model[2]) == pytest.approx(((record.model - record.happened) ** 2).mean(), abs=6e-5)
    assert page.locator(f"{RECORD} tbody tr").count() == min(record.happened.sum(), 100)
    ladders = read(scored, "ladders")
    scenario = read_scenario("takeover-2021").scenario
    assert set(ladders.date) == {"2021-11"}
    rows = page.locator(f"{POSITIONS} tbody tr").all()
    assert len(rows) == len(ladders)
    for shown, row in zip(rows, ladders.itertuples(), strict=True):
        texts = [text.strip() for text in shown.locator("td").all_inner_texts()]
        assert texts[:3] == [scenario.actors[row.actor].title or capital(spaced(row.actor)),
                             scenario.indicators[row.ladder].title, "Nov 2021"]  # fmt: skip
        assert share(texts[7]) == pytest.approx(row.share, abs=0.006)
        assert float(texts[8]) == pytest.approx(row.model, abs=6e-5)
    bins = read(scored, "reliability")
    kept = pandas.read_csv(saved(page, "CSV", "Reliability in sample: the model, as reported").path())
    assert kept.cells.tolist() == bins[(bins["sample"] == "in") & (bins.forecast == "reported")].cells.tolist()
    told = {tuple(row.inner_text().split("\t")[:3]) for row in page.locator(f"{RECORD} tbody tr").all()}
    assert ("Aug 2021", "European states", "The Taliban") in told
    page.locator(f"{RECORD} tbody a").first.click()
    page.wait_for_selector(".evidence-one")
    assert "event=E-" in page.url


def test_a_failing_fact_leads_to_the_decision_that_stood_in_its_way(visitor, scored):
    stood = read(scored, "obstacles").set_index("fact").loc["T-2"]
    page = visitor.open("/validation?hindcast=hindcast-kept", FACTS)
    page.locator(f"{FACTS} tbody a", has_text="T-2").click()
    settled(page, "main.page", stood.told)
    page.wait_for_function("() => location.search.includes('fact=T-2')")
    page.reload()
    settled(page, "main.page", stood.told)
    assert "that it would" in page.inner_text("main.page")
    page.get_by_role("button", name="Open the decision").click()
    page.wait_for_selector(".card-text")
    assert f"actor={stood.actor}&action={stood.action}" in page.url
    assert f"turn={stood.turn}" in page.url


def test_the_decision_of_a_run_that_drew_its_numbers_is_opened_with_them(visitor, folder):
    place = folder.parent / "sets.csv"
    ranged = [entry for entry in numbers(read_scenario("takeover-2021").scenario) if entry.quantity.range][::12]
    low, high = (",".join(str(entry.quantity.range[n]) for entry in ranged) for n in (0, 1))
    head = f"{parameters.FIRST}\n# scenario: takeover-2021\n# world: afghanistan\n"
    place.write_text(f"{head}weight,{','.join(entry.path for entry in ranged)}\n1,{low}\n1,{high}\n")
    asked = folder.parent / "drawn.yaml"
    asked.write_text(ASKED, encoding="utf-8")
    done = hindcast("takeover-2021", 12, fact_file=asked, out=folder / "hindcast-drawn", figures=False,
                    parameter_file=place)  # fmt: skip
    stood = read(done.folder, "obstacles").set_index("fact").loc["T-2"]
    page = visitor.open("/validation?hindcast=hindcast-drawn&fact=T-2", FACTS)
    page.get_by_role("button", name="Open the decision").click()
    page.wait_for_selector(".card-text .menu")
    told = page.inner_text(".card-text .menu tr.focus")
    assert f"{stood.utility:+.4f}" in told
    assert page.url.count("set=") == len(ranged)


def test_texts_of_facts_are_texts_and_the_page_can_be_used_by_all(visitor, scored):
    page = visitor.open("/validation?hindcast=hindcast-kept&fact=T-1", FACTS)
    text = page.inner_text("main")
    for string in hostile.STRINGS[:3]:
        assert string in text
    assert hostile.EVALUATED not in text
    assert page.evaluate("window.hacked") is None
    page.wait_for_timeout(1500)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
    ] == []


def test_a_hindcast_is_started_watched_and_stopped_and_a_wrong_one_is_told(visitor, folder, scored):
    page = visitor.open("/validation", "table:has(caption:text-is('Hindcasts'))")
    passed = read(scored, "facts").query("status == 'scored'").passes.astype(bool).sum()
    assert cells(page, "table:has(caption:text-is('Hindcasts'))")["hindcast-kept"][1:] == ["12", f"{passed} of 2"]
    page.get_by_label("Runs of each policy").fill("x")
    page.get_by_label("Runs of each policy").press("Tab")
    page.get_by_role("button", name="Score it").click()
    settled(page, ".note.error", "is no whole number from 2")
    page.get_by_label("Runs of each policy").fill("5000")
    page.get_by_label("Runs of each policy").press("Tab")
    page.get_by_role("button", name="Score it").click()
    settled(page, "h1", "hindcast-takeover-2021-1")
    page.reload()  # it goes on, and is found again
    page.wait_for_selector("button:has-text('Stop')")
    page.get_by_role("button", name="Stop").click()
    settled(page, "main.page", "nothing of it was kept")
    assert not (folder / "hindcast-takeover-2021-1" / "manifest.json").exists()
    page = visitor.open("/validation?scenario=minimal", "button:has-text('Score it')")
    page.get_by_role("button", name="Score it").click()
    settled(page, ".note.error", "nothing to score")
    page.goto(f"{visitor.dashboard.url}/validation?hindcast=gone")
    settled(page, "main.page", "There is no hindcast")
    page.goto(f"{visitor.dashboard.url}/validation?hindcast=hindcast-kept&fact=X")
    settled(page, "main.page", "There is no fact")


def test_a_damaged_table_is_told_and_runs_opens_hindcasts(browser, scored, tmp_path):
    place = tmp_path / "runs"
    shutil.copytree(scored, place / "torn")
    table = place / "torn" / "ladders.parquet"
    table.write_bytes(table.read_bytes()[:-100])
    with serving(place, tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/runs", "text=torn")
        page.get_by_role("link", name="torn").click()
        page.wait_for_selector(".note.error")
        assert "hindcast=torn" in page.url
        settled(page, "main.page", "score the scenario again")
        shutil.rmtree(place / "torn")
        page.get_by_role("button", name="All hindcasts").click()
        settled(page, "main.page", "There are no hindcasts here yet")
        assert served.process.poll() is None
        assert came.wrong == []
        came.context.close()


def test_a_forecast_that_was_written_down_stands_beside_what_the_documents_see(browser, scored, tmp_path):
    place = tmp_path / "runs"
    written = forecast("takeover-2021", count=30, out=place / "autumn.md")
    told = json.loads(written.with_suffix(".json").read_text())
    (place / "torn.json").write_text("{", encoding="utf-8")
    (place / "torn.md").write_text("a forecast", encoding="utf-8")
    (place / "other.json").write_text("{}", encoding="utf-8")  # no page beside it: no forecast
    with serving(place, tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/validation", "table:has(caption:text-is('Forecasts'))")
        settled(page, "main.page", "There are no hindcasts here yet")
        settled(page, "main.page", "is no JSON that can be read")
        assert "other" not in page.inner_text("main.page")
        page.get_by_role("link", name="./autumn").click()
        page.wait_for_selector("table:has(caption:text-is('Ladders foreseen')) tbody tr")
        rows = cells(page, "table:has(caption:text-is('Ladders foreseen'))")
        assert len(rows) == len(told["ladders"])
        ladder = next(row for row in told["ladders"] if row["path"] == "russia.taliban.rung")
        seen = next(one for one in load("positions.yaml")["positions"]
                    if (one["actor"], str(one["date"])) == ("russia", told["to"]))["rung"]  # fmt: skip
        names = list(ladder["rungs"])
        low, high = seen["value"] if isinstance(seen["value"], list) else (seen["value"], seen["value"])
        low, high = (names.index(one) if one in names else int(one) for one in (low, high))
        began, median, _, observed, there, score = rows["Russia: Rung of engagement with the Taliban"]
        assert (began, median) == (ladder["start"], ladder["median"])
        assert observed == f"{names[low]}{f' to {names[high]}' if high > low else ''} ({seen['basis']})"
        assert share(there) == pytest.approx(sum(ladder["rungs"][name] for name in names[low : high + 1]), abs=0.006)
        below = [sum(ladder["rungs"][name] for name in names[: step + 1]) for step in range(len(names) - 1)]
        expected = sum((part - (step >= high)) ** 2 for step, part in enumerate(below) if step < low or step >= high)
        assert float(score) == pytest.approx(expected / (len(names) - 1), abs=6e-5)
        acts = page.locator("table:has(caption:text-is('Acts foreseen')) tbody tr").first.inner_text().split("\t")
        most = max(told["acts"], key=lambda row: row["a_run"])
        assert acts[2] == f"{most['a_run']:.2f}"
        assert "_" not in acts[1]
        page.reload()
        page.wait_for_selector("table:has(caption:text-is('Outcomes foreseen'))")
        page.goto(f"{served.url}/validation?forecast=../../etc/passwd")
        settled(page, "main.page", "There is no forecast")
        page.goto(f"{served.url}/validation?forecast=./torn")
        settled(page, "main.page", "remove it, or forecast again")
        assert came.wrong == []
        came.context.close()


def test_a_hindcast_is_scored_by_a_process_of_its_own(tmp_path):
    asked = tmp_path / "asked.yaml"
    asked.write_text("scenario: 1\n", encoding="utf-8")
    jobs.begin_hindcast(asked, tmp_path / "h", 2, 1)
    jobs._started[tmp_path / "h"].process.wait(120)
    now = jobs.scoring(tmp_path / "h")
    assert not now.done
    assert "asked.yaml" in now.problem
    assert jobs.begun(jobs.HINDCAST) == [tmp_path / "h"]
    assert tmp_path / "h" not in jobs.begun()

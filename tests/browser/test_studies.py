"""The page Studies starts, watches, stops, resumes and reads studies, in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pandas
import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboards import jobs
from sim import sweep, swept
from sim.errors import BadInput
from sim.explain import card_of
from tests.browser import hostile
from tests.browser.conftest import PATIENCE, Visitor, serving, settled
from tests.browser.test_runs import cells, saved

MEANS = "table:has(caption:text-is('Outcomes over all runs that are done'))"
SMALL = """\
study: 1
title: Does the Front's word count?
question: How good must it be?
scenario: minimal
vary:
  assurances.quiet.reliability: [0.1, 0.5, 0.9]
  actors.alba.interests.safety.salience: {from: 0.2, to: 0.9, steps: 4}
replicates: 12
levers: [assurances.quiet.reliability]
outcomes: [talks, raids, recognised]
"""
LONG = SMALL.replace("replicates: 12", "replicates: 200000")


@pytest.fixture(scope="module")
def studied(folder):
    """The small study, done."""
    place = folder / "word.yaml"
    place.write_text(SMALL, encoding="utf-8")
    (folder / "long.yaml").write_text(LONG, encoding="utf-8")
    return sweep.sweep(place, folder / "word-7")


def heading(page, word):
    settled(page, ".tightrope-head", word)
    return page.inner_text(".tightrope-head")


def test_a_study_is_started_from_the_page_and_watched_to_its_end(visitor, folder, studied):
    page = visitor.open("/studies?of=./word", "button:has-text('Start')")
    settled(page, "main.page", "144 runs of minimal")
    assert "Alba's weight on safety: 0.2, 0.433, 0.667, 0.9" in page.inner_text("main.page")
    page.locator("button:text-is('Start'):not([disabled])").click()
    page.wait_for_selector(".tightrope-progress")
    assert "study=word-" in page.url
    heading(page, "complete")
    name = page.url.partition("study=")[2]
    assert swept.open_sweep(folder / name).hash() == studied.hash()


def test_outcomes_are_those_that_duckdb_reads(visitor, folder, studied):
    page = visitor.open("/studies?study=word-7&outcome=talks", MEANS)
    files = str(folder / "word-7" / "outcomes" / "*")
    talks, raids, recognised = duckdb.sql(
        f"SELECT avg(talks), avg(raids), avg(recognised::int) FROM read_parquet('{files}')"
    ).fetchall()[0]
    told = cells(page, MEANS)
    assert float(told["How often do the states talk to it?"][0]) == pytest.approx(talks, rel=0.006)
    assert float(told["How many raids are there?"][0]) == pytest.approx(raids, rel=0.006)
    share = float(told["Does anyone recognise the Front?"][0].rstrip("%")) / 100
    assert share == pytest.approx(recognised, abs=0.006)


def test_what_it_says_is_told_with_pictures_and_example_runs(visitor, studied):
    page = visitor.open("/studies?study=word-7&outcome=talks", MEANS)
    found = jobs.analysis(Path(studied.folder), "talks")["outcomes"][0]
    for sentence in found["sentences"]:
        settled(page, "main.page", sentence)
    boxes = found["boxes"]["found"]
    runs = [run for box in boxes for run in box["example_runs"]]
    shown = [text for text in page.locator("button").all_inner_texts() if re.fullmatch(r"run \d+", text)]
    assert shown == [f"run {run}" for run in runs]
    page.goto(f"{visitor.dashboard.url}/studies?study=word-7&outcome=talks&n=100")
    settled(page, "main.page", "Run 100, done again")
    about = studied.plan.described(100)
    settled(page, "main.page", f"point {about['point']}, replicate {about['replicate']}")
    page.wait_for_selector(".tightrope-picture:has-text('Who did what') svg")
    acts = swept.replay(studied.folder, 100).tables["acts"].to_pandas()
    turn = int(acts.turn.min())
    page.locator(".tightrope-example input[type=number]").fill(str(turn))
    page.locator(".tightrope-example input[type=number]").press("Tab")
    page.wait_for_function(f"() => location.search.includes('turn={turn}')")
    page.reload()  # the address holds the run and its turn
    settled(page, ".tightrope-example", acts[acts.turn == turn].date.iloc[0][:4])
    page.wait_for_selector(".feed button.act")
    assert page.locator(".feed section").first.locator("button.act").count() == (acts.turn == turn).sum()


def test_an_example_run_opens_on_watch_and_why_with_the_numbers_of_its_point(visitor, studied):
    run = 100
    acts = swept.replay(studied.folder, run).tables["acts"].to_pylist()
    turn = acts[-1]["turn"]
    page = visitor.open(f"/studies?study=word-7&outcome=talks&n={run}&turn={turn}", ".tightrope-example .feed section")
    page.get_by_role("button", name="Watch it").click()
    page.wait_for_selector(".stage")
    page.keyboard.press("End")
    settled(page, ".controls-count", "12 of 12")
    page.goto(f"{visitor.dashboard.url}/watch?run=word-7&n={run}&turn={turn}")
    page.wait_for_selector(".feed button.act")
    mine = [act for act in acts if act["turn"] == turn]
    assert page.locator(".feed section").first.locator("button.act").count() == len(mine)
    page.locator(".feed button.act").first.click()
    page.wait_for_selector(".card-text")
    ready, _ = studied.plan.one(run)
    act = mine[0]
    known = card_of(ready, studied.plan.study.seed, run, act["actor"], turn, None, act["action"], act["target"],
                    studied.plan.drawn(run) - run)  # fmt: skip
    found = known.as_dict()
    option = next(one for one in found["options"] if (one["action"], one["target"]) == (act["action"], act["target"]))
    assert option["utility"] == pytest.approx(act["utility"], abs=1e-12)
    assert f"run=word-7&n={run}" in page.url
    assert page.locator(".apart .sum .n").inner_text() == f"{option['utility']:+.4f}"
    page.goto(f"{visitor.dashboard.url}/watch?run=word-7&n=144")
    settled(page, "main", "the study has runs 0 to 143")


def test_pictures_give_the_numbers_of_the_analysis_as_csv(visitor, studied):
    page = visitor.open("/studies?study=word-7&outcome=talks", MEANS)
    found = jobs.analysis(Path(studied.folder), "talks")["outcomes"][0]
    page.wait_for_selector(".tightrope-picture:has-text('along the axis') svg")
    axis = page.locator("label", has_text="Along").locator("select").input_value()
    kept = pandas.read_csv(saved(page, "CSV", "along the axis").path())
    rows = [row for row in found["responses"] if row["axis"] == axis]
    assert kept[axis].tolist() == pytest.approx([row["value"] for row in rows])
    for ours, theirs in (("mean", "mean"), ("low", "mean_low"), ("high", "mean_high")):
        assert kept[ours].tolist() == pytest.approx([row[theirs] for row in rows])
    raw = duckdb.sql(
        f"""SELECT "{axis}" AS x, avg(talks) AS mean FROM read_parquet('{studied.folder}/outcomes/*')
        GROUP BY x ORDER BY x"""
    ).df()
    assert kept["mean"].tolist() == pytest.approx(raw["mean"].tolist())
    moved = pandas.read_csv(saved(page, "CSV", "What moves it most").path()).set_index("path")
    assert moved.loc[axis, "start"] == pytest.approx(raw["mean"].iloc[0])
    assert moved.loc[axis, "end"] == pytest.approx(raw["mean"].iloc[-1])
    for form, begins in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        assert Path(saved(page, form, "What moves it most").path()).read_bytes().startswith(begins)


def test_a_study_opens_on_the_outcome_that_varies_most(visitor, folder, studied):
    text = SMALL.replace("[talks, raids, recognised]", "[never, talks, raids, recognised]").replace("12", "6")
    (folder / "still.yaml").write_text(
        text + "ask: {never: {title: Are there more raiders than can be?, end: raiders, at_least: 1}}\n",
        encoding="utf-8",
    )
    done = sweep.sweep(folder / "still.yaml", folder / "still-1")
    table = done.outcomes.to_pandas()[["never", "talks", "raids", "recognised"]].astype(float)
    assert not table["never"].any()
    spread = (2 * table.std(ddof=0) / (table.max() - table.min())).fillna(0.0)
    assert done.spread() == pytest.approx(spread.to_dict())
    page = visitor.open("/studies?study=still-1", MEANS)
    page.wait_for_selector(
        "label:has-text('What the study says of') select, select[aria-label='What the study says of']"
    )
    most = page.get_by_label("What the study says of")
    page.wait_for_function("() => document.querySelector('.tightrope-table tr.chosen')")
    assert most.input_value() == spread.idxmax() != "never"


def test_another_outcome_is_chosen_and_the_address_names_it(visitor, studied):
    page = visitor.open("/studies?study=word-7", MEANS)
    page.get_by_label("What the study says of").select_option("raids")
    settled(page, "main.page", "“How many raids are there?”")
    assert "outcome=raids" in page.url


def test_a_study_goes_on_without_its_tab_and_its_server_and_is_found_stopped_and_resumed(
    browser, folder, studied, tmp_path
):
    with serving(folder, tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/studies?of=./long", "button:has-text('Start')")
        page.locator("button:text-is('Start'):not([disabled])").click()
        page.wait_for_selector(".tightrope-progress")
        name = page.url.partition("study=")[2]
        came.context.close()
    place = folder / name
    before = jobs.standing(place).done
    _until(lambda: jobs.standing(place).done > before)
    with serving(folder, tmp_path) as served:
        came = Visitor(browser, served)
        listed = came.open("/studies", "table:has(caption:text-is('Studies'))")
        assert "running" in cells(listed, "table:has(caption:text-is('Studies'))")[name][-1]
        page = came.open(f"/studies?study={name}", ".tightrope-progress")
        told = heading(page, "a second")
        assert "left" in told
        assert "running" in told
        page.get_by_role("button", name="Stop").click()
        heading(page, "stopped")
        done = jobs.standing(place)
        assert not done.running
        assert 0 < done.done < done.runs
        page.reload()
        page.get_by_role("button", name="Resume").click()
        _until(lambda: jobs.standing(place).done > done.done)
        heading(page, "running")
        page.get_by_role("button", name="Stop").click()
        heading(page, "stopped")
        assert came.wrong == []
        came.context.close()
    assert not jobs.standing(place).running


def test_a_study_on_dask_is_watched_and_stopped_by_whom_did_not_start_it(visitor, folder, studied):
    pytest.importorskip("distributed")
    place = folder / "dask-1"
    command = [sys.executable, "-c", jobs.COMMAND, "sweep", str(folder / "long.yaml"), "--engine", "dask-local",
               "--workers", "1", "--out", str(place)]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _until(lambda: (place / "manifest.json").is_file() and jobs.standing(place).done > 0)
        page = visitor.open("/studies?study=dask-1", ".tightrope-progress")
        assert "running" in heading(page, "running")
        page.get_by_role("button", name="Stop").click()
        heading(page, "stopped")
        assert process.wait(60) == 130
    finally:
        process.kill()


def test_a_study_outlives_the_server_that_started_it(folder, studied, tmp_path):
    code = (
        "from pathlib import Path; from dashboards import jobs; "
        f"jobs.begin(Path({str(folder / 'long.yaml')!r}), Path({str(tmp_path / 'outlives')!r}), 1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    place = tmp_path / "outlives"
    _until(lambda: (place / "manifest.json").is_file() and jobs.standing(place).running)
    jobs.stop(place)  # by a process that did not start it
    _until(lambda: not jobs.standing(place).running)
    with pytest.raises(BadInput, match="nobody is working on it"):
        jobs.stop(place)


def test_a_study_file_with_a_fault_is_told_before_it_starts(visitor, folder):
    (folder / "faulty.yaml").write_text(SMALL.replace("scenario: minimal", "scenario: nowhere"), encoding="utf-8")
    page = visitor.open("/studies?of=./faulty", ".note.error")
    settled(page, ".note.error", "no such file")
    assert page.get_by_role("button", name="Start").is_disabled()


def test_a_damaged_shard_and_a_removed_folder_are_messages(browser, folder, studied, tmp_path):
    place = tmp_path / "runs"
    for name in ("torn", "gone"):
        shutil.copytree(studied.folder, place / name)
    shard = next((place / "torn" / "outcomes").iterdir())
    shard.write_bytes(shard.read_bytes()[:-200])
    with serving(place, tmp_path) as served:
        came = Visitor(browser, served)
        page = came.open("/studies?study=torn", ".note.error")
        settled(page, ".note.error", "damaged")
        page.get_by_role("button", name="Do the damaged runs again").click()
        page.wait_for_selector(f"{MEANS} tbody tr")
        _until(lambda: not swept.open_sweep(place / "torn").damage() and not jobs.standing(place / "torn").running)
        assert swept.open_sweep(place / "torn").hash() == studied.hash()
        page = came.open("/studies?study=gone", MEANS)
        shutil.rmtree(place / "gone")
        page.wait_for_selector(".note.error")
        settled(page, "main.page", "go back to all studies")
        page.get_by_role("button", name="All studies").click()
        page.wait_for_selector("button:has-text('Start')")
        assert served.process.poll() is None
        assert came.wrong == []
        came.context.close()


def _until(holds):
    end = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_interrupt_reaches_a_study_of_a_server_in_the_background(folder, studied, tmp_path):
    """A shell without job control starts what is in the background deaf to interrupts, and so are its children."""
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from pathlib import Path; from dashboards import jobs\n"
        f"jobs.begin(Path({str(folder / 'long.yaml')!r}), Path({str(tmp_path / 'deaf')!r}), 1)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    place = tmp_path / "deaf"
    _until(lambda: (place / "manifest.json").is_file() and jobs.standing(place).running)
    jobs.stop(place)
    _until(lambda: not jobs.standing(place).running)


def test_texts_of_a_study_are_texts(visitor, folder):
    (folder / "sly.yaml").write_text(
        f"study: 1\ntitle: '{hostile.STRINGS[1]}'\nquestion: '{hostile.STRINGS[2]}'\nscenario: hostile.yaml\n"
        "replicates: 8\nvary:\n  assurances.quiet.reliability: [0.1, 0.9]\n"
        f"variants: {{sly: {{title: '{hostile.STRINGS[0]}', set: {{raiders: 0.1}}}}}}\n",
        encoding="utf-8",
    )
    sweep.sweep(folder / "sly.yaml", folder / "sly-1")
    page = visitor.open("/studies?study=sly-1&n=3", ".tightrope-example .feed section")
    settled(page, "main.page", hostile.STRINGS[0])
    page.get_by_text("What the study says", exact=True).wait_for()
    page.wait_for_timeout(1000)
    text = page.inner_text("main.page")
    assert hostile.STRINGS[1] in text
    assert hostile.STRINGS[2] in text
    assert hostile.EVALUATED not in text
    assert page.evaluate("window.hacked") is None
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in ("serious", "critical")
    ] == []

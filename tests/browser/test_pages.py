"""The dashboard in a real browser: what each page shows, against the folder it shows; and what it withstands."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from sim.decision import carried, carriers, decide
from sim.evidence import sources
from sim.explain import card
from sim.naming import number
from sim.runs import open_run, prepare, run
from sim.scenario import as_yaml, find, numbers, read
from tests.browser import hostile
from tests.browser.visiting import Dashboard, Visitor, serving, settled

PAGES = (
    "/watch?run={run}&turn=4",
    "/why?run={run}&actor=alba&turn=3",
    "/runs",
    "/runs?run={run}",
    "/compare",
    "/studies",
    "/validation",
    "/scenario?scenario={scenario}",
    "/evidence?scenario={scenario}&kind=assumptions",
    "/play?scenario={scenario}",
    "/play?game={run}-game",
)


def told_acts(page: Any) -> list[str]:
    """The acts of the turn that the feed shows first."""
    return [one.inner_text().removesuffix(" (given)").removesuffix(" in vain")
            for one in page.locator(".feed section").first.locator("button.act").all()]  # fmt: skip


# ------------------------------------------------------------------------------------------------ watch


def test_watch_shows_what_the_folder_holds(visitor: Visitor, folder: Path):
    recorded = open_run(folder / "minimal-1")
    scenario = recorded.prepared.scenario
    page = visitor.open("/watch?run=minimal-1&n=3&turn=5", ".stage")
    acts = [row for row in recorded.one("acts", 3).to_pylist() if row["turn"] == 5]
    expected = []
    for row in acts:
        title = scenario.actions[row["action"]].title
        whom = f" {row['target'].title()}" if row["target"] else ""
        expected.append(f"{row['actor'].title()} {title}{whom}")
    assert acts
    settled(page, ".feed section", "May 2030")
    assert told_acts(page) == expected
    # the rungs of the turn, as the ladder's picture has them for a screen reader and a spreadsheet
    with page.expect_download() as kept:
        page.locator(".area-ladder").hover()
        page.locator(".area-ladder button", has_text="CSV").click()
    lines = Path(kept.value.path()).read_text().splitlines()
    states = recorded.one("states", 3).to_pylist()
    assert lines[0] == '"turn","date","alba.front.contact","borea.front.contact"'
    assert [float(x) for x in lines[6].split(",")[2:]] == [
        states[5]["alba.front.contact"], states[5]["borea.front.contact"]]  # fmt: skip


def test_the_keys_step_play_and_write_the_address(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal&seed=7", ".stage")
    settled(page, ".controls-count", "0 of 12")
    page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "1 of 12")
    page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "2 of 12")
    page.keyboard.press("ArrowLeft")
    settled(page, ".controls-count", "1 of 12")
    page.wait_for_function("() => location.search.endsWith('turn=1')")
    settled(page, ".feed section", "January 2030")
    first = told_acts(page)
    page.select_option("select[aria-label=Speed]", "4")
    page.keyboard.press("End")
    settled(page, ".controls-count", "12 of 12")
    page.keyboard.press("Home")
    settled(page, ".controls-count", "0 of 12")
    page.locator(".controls-date").click()
    page.keyboard.press(" ")
    page.wait_for_function("() => +document.querySelector('.controls-count').textContent.split(' ')[0] >= 2")
    page.keyboard.press(" ")
    page.wait_for_function("() => +new URLSearchParams(location.search).get('turn') >= 2")
    page.reload()
    page.wait_for_selector(".stage")
    assert int(page.inner_text(".controls-count").split()[0]) >= 2  # the address kept the turn
    page.keyboard.press("Home")
    settled(page, ".controls-count", "0 of 12")
    page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "1 of 12")
    settled(page, ".feed section", "January 2030")
    assert told_acts(page) == first


def test_an_act_is_forced_on_one_side_of_a_fork(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal&seed=7&turn=3", ".stage")
    page.get_by_text("Change something").click()
    page.select_option(".drawer select >> nth=0", "borea")
    page.select_option(".drawer select >> nth=1", label="recognises Front")
    page.get_by_text("Fork: see both").click()
    page.wait_for_selector(".stage.two")
    page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "4 of 12")
    settled(page, ".side-1 .feed", "April 2030")
    settled(page, ".side-0 .feed", "April 2030")
    sides = [page.locator(f".side-{n} .feed section").first.inner_text() for n in (0, 1)]
    assert "Borea recognises Front" not in sides[0]
    assert "Borea recognises Front (given) only here" in sides[1]
    page.wait_for_function("() => location.search.endsWith('turn=4')")
    page.reload()
    page.wait_for_selector(".stage.two")
    assert page.locator(".side-1 .feed section").first.inner_text() == sides[1]
    page.get_by_text("One side only").click()
    page.wait_for_selector(".stage:not(.two)")


def test_a_number_is_set_from_the_start_and_a_wrong_one_is_told(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal", ".stage")
    page.get_by_text("Scenario and numbers").click()
    page.fill(".drawer input[type=search]", "alba weight safety")
    page.wait_for_function("() => document.querySelectorAll('.numbers li').length === 1")
    page.fill(".numbers .number-value", "7")
    page.keyboard.press("Tab")
    page.get_by_text("Start anew").click()
    settled(page, "main", "out of range")
    page.fill(".numbers .number-value", "0.4")
    page.keyboard.press("Tab")
    page.get_by_text("Start anew").click()
    page.wait_for_function("() => location.search.includes('set=')")
    assert "set=actors.alba.interests.safety.salience%3D0.4" in page.url
    settled(page, ".controls", "1 number changed")


def test_watch_tells_offers_meetings_and_promises_as_the_tables_do(visitor: Visitor, tmp_path: Path):
    done = run("takeover-2021", runs=1, out=tmp_path / "one", figures=False)
    offers, sessions, promises = (done.one(name, 0).to_pandas() for name in ("offers", "sessions", "promises"))
    turn = int(offers.answered_turn.dropna().iloc[0])
    page = visitor.open(f"/watch?scenario=takeover-2021&turn={turn}", ".stage")
    settled(page, ".feed section", done.manifest["dates"][turn][:4])
    told = [one.strip() for one in page.locator(".feed section").first.locator("li.dealing").all_inner_texts()]
    assert sum(" an offer: " in one for one in told) == (offers.answered_turn == turn).sum()
    meetings = sessions[sessions.turn == turn].drop_duplicates(["forum", "member"]).groupby("forum").came
    for came, members in zip(meetings.sum(), meetings.size(), strict=True):
        assert any(one.endswith(f"meets; {came} of {members} members came") for one in told)
    ended = promises[promises.settled_turn == turn]
    for verb, some in (("broke", ended[ended.status == "broken"]),
                       ("kept", ended[(ended.status == "kept") & ended.action.notna()])):  # fmt: skip
        said = [one for one in told if f" {verb} its word to " in one]
        assert len(said) == len(some.drop_duplicates(["giver", "kind", "action", "target"]))  # one a word
        names = {name: actor.title for name, actor in read("takeover-2021").scenario.actors.items()}
        for receiver in some.receiver:
            assert any((names[receiver] or receiver.title()) in one for one in said)
    assert (ended.status == "broken").any()


def test_indicators_are_chosen_and_stand_in_the_address(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal&seed=7&turn=2", ".stage")

    def drawn() -> str:
        """What the picture's titles say."""
        return page.locator(".area-indicators .tightrope-chart svg").text_content()

    def shown() -> list[str]:
        return page.evaluate("() => new URLSearchParams(location.search).getAll('show')")

    first = drawn()
    page.get_by_role("button", name="Indicators").click()
    page.fill(".drawer input[type=search]", "alba repute")
    page.wait_for_function("() => document.querySelectorAll('.choices li').length === 1")
    title = page.locator(".choices li label").inner_text().rsplit(" ", 1)[0].strip()
    page.locator(".choices input").check()
    settled(page, ".area-indicators .tightrope-chart", title)
    assert title not in first
    page.wait_for_function("() => location.search.includes('show=')")
    assert shown() == ["alba.repute"]
    page.locator(".controls-date").click()
    page.keyboard.press("ArrowRight")
    settled(page, ".controls-count", "3 of 12")
    page.wait_for_function("() => new URLSearchParams(location.search).get('turn') === '3'")
    assert shown() == ["alba.repute"]
    page.reload()
    page.wait_for_selector(".area-indicators .tightrope-chart svg")
    settled(page, ".area-indicators .tightrope-chart", title)
    with page.expect_download() as kept:
        page.locator(".area-indicators").hover()
        page.locator(".area-indicators button", has_text="CSV").click()
    assert Path(kept.value.path()).read_text().splitlines()[0] == '"turn","date","alba.repute","side"'
    page.get_by_role("button", name="Indicators").click()
    page.get_by_text("Those that matter most").click()
    page.wait_for_function("() => !location.search.includes('show=')")


def test_watch_leads_to_the_seat_of_the_same_run(visitor: Visitor):
    page = visitor.open("/watch?scenario=minimal&seed=7&n=2&turn=2&set=raiders=0.3", ".stage")
    page.get_by_text("Play this").click()
    page.wait_for_url("**/play?**")
    asked = dict(pair.split("=", 1) for pair in page.url.split("?")[1].split("&"))
    assert (asked["scenario"], asked["seed"], asked["n"], asked["set"]) == ("minimal", "7", "2", "raiders%3D0.3")
    settled(page, "main", "Take a seat")


# ------------------------------------------------------------------------------------------------ why


def test_a_click_on_an_act_opens_its_card(visitor: Visitor, folder: Path):
    page = visitor.open("/watch?run=minimal-1&n=3&turn=5", ".stage")
    page.locator(".feed button.act").first.click()
    page.wait_for_selector(".card-text")
    row = next(row for row in open_run(folder / "minimal-1").one("acts", 3).to_pylist() if row["turn"] == 5)
    found = card(folder / "minimal-1", row["actor"], 5, 3, row["action"], row["target"]).as_dict()
    text = page.inner_text("main")
    assert found["summary"] in text
    assert f"action={row['action']}" in page.url
    option = next(one for one in found["options"] if (one["action"], one["target"]) == (row["action"], row["target"]))
    assert page.locator(".apart .sum .n").inner_text() == f"{option['utility']:+.4f}"
    assert all(source["path"] in page.inner_html(".sources") for source in found["sources"])
    page.go_back()
    page.wait_for_selector(".stage")
    settled(page, ".controls-count", "5 of 12")


# ------------------------------------------------------------------------------------------------ scenario, evidence


def test_a_scenario_is_written_checked_at_its_lines_saved_and_watched(visitor: Visitor, folder: Path):
    page = visitor.open("/scenario?scenario=minimal", ".editor")
    settled(page, ".editor-found", "Two states and a movement")
    assert "Alba\tTalks to Front" in page.locator("[aria-label='Best options at the start']").inner_text()
    area = page.locator("textarea")
    said = area.input_value()
    wrong = said.replace("salience: 0.8", "salience: 1.8").replace("stakes: {borea", "stakes: {borae")
    area.fill(wrong)
    settled(page, ".editor-found", "2 problems")
    lines = [n for n, line in enumerate(wrong.split("\n"), 1) if "1.8" in line or "borae" in line]
    assert [one.inner_text() for one in page.locator(".editor-gutter .wrong").all()] == [str(n) for n in lines]
    assert "did you mean" in page.inner_text(".editor-found")
    area.fill(said.replace("title: Two states and a movement", "title: Mine"))
    settled(page, ".editor-found", "Mine")
    page.fill(".editor form input", "../mine")
    page.get_by_text("Save", exact=True).click()
    settled(page, ".editor form", "small letters")
    page.fill(".editor form input", "mine")
    page.get_by_text("Save", exact=True).click()
    settled(page, ".editor form", "Saved.")
    assert "title: Mine" in (folder / "mine.yaml").read_text()
    page.get_by_text("Watch ./mine").click()
    page.wait_for_selector(".stage")
    settled(page, ".controls", "Mine")
    (folder / "mine.yaml").unlink()


def test_all_numbers_that_a_scenario_resolves_to_are_listed_with_their_sources(visitor: Visitor):
    scenario = read("takeover-2021").scenario
    table = sources(scenario).table.to_pylist()
    page = visitor.open("/scenario?scenario=takeover-2021&view=numbers", ".editor-rows li")
    assert f"200 of {len(table)} shown" in page.inner_text(".editor-found")
    assert "worlds/afghanistan.yaml, line" in page.locator(".editor-rows li").first.inner_text()
    page.fill(".editor-found input[type=search]", "russia borders salience")
    settled(page, ".editor-found", "1 shown")
    row = next(row for row in table if row["path"] == "actors.russia.interests.borders.salience")
    told = page.locator(".editor-rows li").inner_text()
    assert row["value"] in told.split()
    assert f"({row['low']:g} to {row['high']:g})" in told
    assert page.locator(".editor-rows li button").all_inner_texts() == row["claims"].split()
    page.wait_for_function("() => location.search.includes('view=numbers&find=russia')")
    page.get_by_role("button", name="As one file").click()
    settled(page, ".resolved", "republic_stands")
    assert page.inner_text(".resolved").strip() == as_yaml(scenario).strip()
    page.go_back()
    page.goto(f"{visitor.dashboard.url}/scenario?scenario=takeover-2021&view=numbers&find=FRS-136")
    page.locator(".editor-rows button", has_text="FRS-136").first.click()
    page.wait_for_selector(".evidence-one .evidence-text")
    assert "claim=FRS-136" in page.url


def test_a_draft_outlives_a_reload_until_it_is_left(visitor: Visitor):
    page = visitor.open("/scenario?scenario=minimal", ".editor")
    area = page.locator("textarea")
    said = area.input_value()
    area.fill(said.replace("title: Two states and a movement", "title: Mine alone"))
    settled(page, ".editor-found", "Mine alone")
    page.reload()
    page.wait_for_selector(".editor")
    settled(page, ".editor-found", "Mine alone")
    assert "title: Mine alone" in area.input_value()
    page.get_by_role("button", name="Back to the file").click()
    settled(page, ".editor-found", "Two states and a movement")
    assert area.input_value() == said
    page.reload()
    page.wait_for_selector(".editor")
    assert page.locator("textarea").input_value() == said


MANY = "actors:\n" + "".join(f"  a{n}: {{}}\n" for n in range(3000))
CROWD = find("minimal").read_text(encoding="utf-8").replace("actors:\n", MANY)
HUGE = {
    "a million letters": ("title: " + "x" * 1_000_000, "tightrope: missing"),
    "150,000 keys": ("".join(f"key{n}: 1\n" for n in range(150_000)), "more than 100000 values"),
    "a deep list": ("[" * 200_000, "nested more than 30 deep"),
    "a bomb of aliases": ("a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*a,*a]\n" for n in range(20)), "not allowed"),
    "bytes": ("".join(chr(n) for n in range(1, 256)) * 100, "not allowed"),
    "half a character": ("title: \ud83d", "is not UTF-8"),
    "two million and one": ("x" * 2_000_001, "more than 2,000,000 letters"),
    "many actors": (CROWD, "at most 1000"),
    "many turns": ("turns: 1000000000", "out of range"),
}


def test_hostile_and_huge_texts_are_answered_in_a_sentence(visitor: Visitor, folder: Path):
    page = visitor.open("/scenario?scenario=minimal", ".editor")
    settled(page, ".editor-found", "Two states and a movement")
    put = """(text) => {
        const area = document.querySelector('textarea');
        area.value = text;
        area.dispatchEvent(new Event('input'));
    }"""
    for name, (text, message) in HUGE.items():
        page.evaluate(put, text)
        settled(page, ".editor", message)
        assert "Traceback" not in page.inner_text("body"), name
        page.evaluate(put, "tightrope: 1\ntitle: In between")
        settled(page, ".editor [role=status]", "problem")
    page.evaluate(put, "title: \ud83d")
    page.fill(".editor form input", "half")
    page.get_by_text("Save", exact=True).click()
    settled(page, ".editor form", "half a character on line 1")
    assert not (folder / "half.yaml").exists()


def test_a_claim_leads_to_its_numbers_and_a_number_to_its_claims(visitor: Visitor):
    page = visitor.open("/evidence?scenario=takeover-2021&claim=FRS-014", ".evidence-one .evidence-text")
    found = sources(read("takeover-2021").scenario).table.to_pylist()
    resting = [row["path"] for row in found if "FRS-014" in row["claims"].split()]
    assert f"Numbers that rest on it ({len(resting)})" in page.inner_text(".evidence-one")
    page.locator(f".evidence-one button[title='{resting[0]}']").click()
    settled(page, ".evidence-one", resting[0])
    assert "number=" in page.url
    page.locator(".evidence-one button", has_text="FRS-014").click()
    settled(page, ".evidence-one", "Numbers that rest on it")
    page.get_by_text("chronology").click()
    page.fill("input[type=search]", "putin merkel")
    settled(page, ".evidence-list", "E-061")


def test_a_claim_and_a_number_lead_to_the_acts_that_rest_on_them(visitor: Visitor):
    """What a number carries of an option is what the option loses when the number is a hair smaller."""
    ready = prepare("takeover-2021")
    path = "actors.russia.interests.borders.salience"
    by_option = {}
    for actor in ready.compiled.actors:
        decision = decide(ready.compiled, 1, 0, 1, actor)
        for option in decision.options:
            if option.available:
                found = {one.path: one.carries for one in carriers(decision.desk, option.name, [path], most=1)}
                by_option[actor, *option.name] = (abs(found.get(path, 0.0)) * option.first, found.get(path, 0.0))
    most = max(by_option, key=lambda key: by_option[key][0])
    page = visitor.open(f"/evidence?scenario=takeover-2021&number={path}", ".evidence-one")
    page.wait_for_selector(".evidence-carries")
    assert page.locator(".evidence-carries").first.inner_text() == f"{by_option[most][1]:+.4f}"
    total = sum(weight for weight, _ in by_option.values())
    assert f"{number(total)} of expected utility" in page.inner_text(".evidence-one")
    page.locator(".evidence-one button", has_text="FRS-007").click()
    settled(page, ".evidence-one", "Numbers that rest on it")
    page.wait_for_selector(".evidence-carries")
    act = page.locator(".evidence-one li", has=page.locator(".evidence-carries")).first
    told = act.locator("button").inner_text()
    act.locator("button").click()
    page.wait_for_selector(".card-text")
    assert "turn=1" in page.url
    assert told.split(" ")[0] in page.inner_text("main")


def test_assumptions_are_ranked_by_what_hangs_on_them(visitor: Visitor):
    page = visitor.open("/evidence?scenario=minimal&kind=assumptions", ".evidence-rows b:text-matches('[0-9]')")
    ready = prepare("minimal")
    known = {one.path: one for one in numbers(ready.scenario)}
    weights: dict[str, float] = {}
    for actor in ready.compiled.actors:
        decision = decide(ready.compiled, 1, 0, 1, actor)
        for path, _, carries in carried(decision.desk, known):
            weights[path] = weights.get(path, 0.0) + sum(
                option.first * abs(carries[decision.desk.row(option.name)])
                for option in decision.options if option.available
            )  # fmt: skip
    assumed = [path for path, one in known.items() if one.assumption and not one.claim]
    expected = [number(weights[path]) for path in sorted(assumed, key=lambda path: -weights.get(path, 0.0))
                if path in weights]  # fmt: skip
    shown = [one for one in page.locator(".evidence-rows b").all_inner_texts() if one.strip()]
    assert shown == expected
    assert len(shown) > 10


# ------------------------------------------------------------------------------------------------ what it withstands


@pytest.mark.parametrize("view", PAGES)
def test_hostile_text_is_text_on_every_page(visitor: Visitor, view: str):
    page = visitor.open(view.format(run="hostile-1", scenario="./hostile"))
    page.wait_for_timeout(1500)
    page.wait_for_function("() => !document.querySelector('.note.wait')")
    assert page.evaluate("window.hacked") is None
    drawn = "script, img[onerror], iframe, marquee, [v-html], link, svg[onload], details[ontoggle], input[onfocus]"
    assert page.locator(f"main >> css={drawn}").count() == 0
    text = page.inner_text("main")
    assert any(one in text for one in hostile.STRINGS) or "{" not in view
    assert hostile.EVALUATED not in text


WRONG = {
    "/watch?turn=x": "whole number",
    "/watch?turn=-1": "whole number",
    "/watch?scenario=../../etc/passwd": "There is no scenario",
    "/watch?run=../..": "There is no run folder",
    "/watch?policy=<script>": "must be one of",
    "/watch?scenario=minimal&show=nothing": "There is no indicator",
    "/watch?do=1:act": "write do=",
    "/watch?do=99:set:raiders=1": "the turns are",
    "/watch?scenario=minimal&set=raiders=NaN": "raiders",
    "/watch?scenario=minimal&set=" + "a." * 300 + "=1": "no such number",
    "/why?run=gone": "There is no run folder",
    "/why?run=minimal-1&actor=nobody": "There is no actor",
    "/why?run=minimal-1&actor=alba&action=nothing": "no action",
    "/why?run=minimal-1&n=999999": "no run 999999",
    "/evidence?claim=XYZ": "There is no claim",
    "/evidence?number=a.b": "There is no number",
    "/evidence?event=<b>": "There is no event",
    "/evidence?kind=x": "must be one of",
    "/scenario?scenario=/etc/passwd": "There is no scenario",
}  # fmt: skip


def test_a_wrong_address_is_told_in_the_page(visitor: Visitor):
    page = visitor.open("/runs")
    for view, message in WRONG.items():
        page.goto(visitor.dashboard.url + view)
        settled(page, "main", message)
        assert "Traceback" not in page.inner_text("body")
        assert str(Path(__file__).parents[2]) not in page.inner_text("body")


def test_a_folder_deleted_or_spoilt_under_the_page_is_told(browser: Any, folder: Path, tmp_path: Path):
    (tmp_path / "served").mkdir()
    shutil.copytree(folder / "minimal-1", tmp_path / "runs" / "one")
    shutil.copytree(folder / "minimal-1", tmp_path / "runs" / "two")
    with serving(tmp_path / "runs", tmp_path / "served") as served:
        came = Visitor(browser, served)
        page = came.open("/why?run=one&actor=alba&turn=3", ".card-text")
        shutil.rmtree(tmp_path / "runs" / "one")
        page.locator(".menu button.link").nth(1).click()
        settled(page, "main", "There is no run folder")
        acts = tmp_path / "runs" / "two" / "acts.parquet"
        raw = bytearray(acts.read_bytes())
        raw[len(raw) // 3] ^= 255
        acts.write_bytes(raw)
        page.goto(f"{served.url}/why?run=two&actor=alba&turn=3")
        settled(page, "main", "damaged")
        page.goto(f"{served.url}/watch?run=two&turn=1")  # which is made anew of the scenario
        page.wait_for_selector(".stage")
        came.context.close()
        assert served.process.poll() is None
        assert came.wrong == []


def test_tabs_do_not_disturb_one_another(visitor: Visitor):
    one = visitor.open("/watch?scenario=minimal&seed=7", ".stage")
    two = visitor.open("/watch?scenario=minimal&seed=8&turn=2", ".stage")
    one.select_option("select[aria-label=Speed]", "4")
    one.locator(".key.play").click()
    one.wait_for_function("() => +document.querySelector('.controls-count').textContent.split(' ')[0] >= 3")
    assert two.inner_text(".controls-count") == "2 of 12"
    assert one.evaluate("document.title") == "Watch · Tightrope"
    one.close()
    two.keyboard.press("ArrowRight")
    settled(two, ".controls-count", "3 of 12")


def test_another_site_cannot_ask(dashboard: Dashboard):
    import http.client
    from urllib.parse import urlsplit

    at = urlsplit(dashboard.url).netloc
    asked = http.client.HTTPConnection(at, timeout=20)
    asked.request("GET", f"/?token={dashboard.token}", headers={"Host": "example.org"})
    assert asked.getresponse().status == 403
    asked = http.client.HTTPConnection(at, timeout=20)
    asked.request("GET", "/")
    assert asked.getresponse().status == 403


@pytest.mark.parametrize("view", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_serious_finding_of_accessibility(browser: Any, dashboard: Dashboard, view: str, dark: bool):
    came = Visitor(browser, dashboard, color_scheme="dark" if dark else "light")
    page = came.open(view.format(run="minimal-1", scenario="minimal"))
    page.wait_for_timeout(1500)
    page.wait_for_function("() => !document.querySelector('.note.wait')")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [
        (one["id"], one["help"], [node["html"][:200] for node in one["nodes"]][:3])
        for one in found if one["impact"] in ("serious", "critical")
    ]  # fmt: skip
    came.context.close()
    assert serious == []


def test_the_bar_has_its_words_on_a_narrow_screen_too(visitor: Visitor):
    page = visitor.open("/runs")
    whole = "(one => one.scrollWidth <= one.clientWidth)(document.querySelector('.bar nav'))"
    for width in (768, 1280):
        page.set_viewport_size({"width": width, "height": 1024})
        assert all(word.is_visible() for word in page.locator(".bar nav span").all())
        assert page.evaluate(whole)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []

"""A seat for a person in a real browser: what is shown, chosen, kept, gone on with and refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
from axe_playwright_python.sync_playwright import Axe

from sim import game, runs, seats
from sim.naming import Words, capital
from tests.browser import hostile
from tests.browser.visiting import ROOT, Dashboard, Visitor, serving, settled

DEALINGS = ROOT / "tests" / "dealings.yaml"


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """One that serves a folder with scenarios and no game."""
    place = tmp_path_factory.mktemp("games")
    shutil.copy(DEALINGS, place / "dealings.yaml")
    (place / "hostile.yaml").write_text(hostile.scenario(), encoding="utf-8")
    with serving(place, tmp_path_factory.mktemp("served")) as served:
        yield served


def begun(visitor: Visitor, scenario: str, actor: str, seed: int = 1) -> Any:
    """A new game, at its first turn."""
    page = visitor.open(f"/play?scenario={scenario}&as={actor}&seed={seed}")
    page.get_by_role("button", name="Begin the game").click()
    page.wait_for_selector(".play-choose")
    return page


def place(page: Any, visitor: Visitor) -> Path:
    """The folder of the game that is shown."""
    return visitor.dashboard.folder / page.url.split("game=")[1]


def at(page: Any, turn: int) -> None:
    """Wait for a turn."""
    settled(page, "h1", f"turn {turn} of")
    page.wait_for_selector(f".play-choose[data-turn='{turn}']")
    settled(page, ".play-chips", "No act is chosen.")


def pick(page: Any, n: int) -> None:
    """Choose the n-th option that is shown."""
    before = page.locator(".play-chips .chip").count()
    page.locator(".play-option").nth(n).click()
    page.wait_for_function(f"() => document.querySelectorAll('.play-chips .chip').length === {before + 1}")


def end(page: Any) -> None:
    page.locator(".play-last .button").click()


def chosen_here(turn: int) -> list[int]:
    """Which options are taken in a turn."""
    return [0] if turn % 3 == 1 else [1, 0] if turn % 3 == 2 else []


def test_a_whole_game_is_played_and_its_folder_holds_what_was_chosen(visitor: Visitor, tmp_path: Path):
    page = begun(visitor, "minimal", "front", 7)
    folder, ready = place(page, visitor), runs.prepare("minimal")
    assert folder.name == "minimal-1"
    there = game.start(ready, "minimal", "front", 7, out=tmp_path / "there", source="minimal")
    words = Words(ready.scenario)
    for turn in range(1, ready.turns + 1):
        at(page, turn)
        seat = there.seat
        shown = page.locator(".play-option")
        told = [row.locator(".play-told").evaluate("one => one.firstChild.textContent") for row in shown.all()]
        options = [one.option for one in seat.options]
        assert told == [capital(words.option((one.action, one.target))) for one in options]
        utilities = [one.inner_text() for one in page.locator(".play-option .n:nth-child(4)").all()]
        assert [one.split()[-1] for one in utilities] == [f"{one.utility:+.4f}" for one in options]
        taken = [n for n in chosen_here(turn) if n < len(options)]
        for n in taken:
            pick(page, n)
        chips = [one.inner_text().split(". ", 1)[1].split(" (")[0].strip(" ×") for one in page.locator(".chip").all()]
        assert chips == [words.option((options[n].action, options[n].target)) for n in taken]
        choice = game.choice([options[n] for n in taken], {}, {})
        if page.locator(".play-problem").count():
            assert there.wrong(choice) is not None
            page.locator(".chip button").last.click()
            page.wait_for_selector(".play-problem", state="detached")
            choice = game.choice([options[taken[0]]], {}, {})
        if turn == 5:  # what was not ended is lost by reloading, and nothing else
            page.reload()
            at(page, turn)
            choice = game.choice([], {}, {})
        end(page)
        there.choose(choice)
    page.wait_for_selector("text=The game is over: you were Front")
    mine = there.finish(figures=False)
    done = runs.open_run(folder)
    hashes = [{name: entry["hash"] for name, entry in run.manifest["tables"].items()} for run in (done, mine)]
    assert hashes[0] == hashes[1]
    assert done.choices == mine.choices
    assert runs.replay(folder, 0).same
    acts = pandas.read_parquet(folder / "acts.parquet")
    assert acts[acts.actor == "front"].probability.isna().all()
    assert (folder / "figures").is_dir()
    # what came of it, as the folder has it
    settled(page, "main", "What came of it")
    cells = page.locator("table:has(caption:text-is('Outcomes of the game')) tbody tr").all()
    answers = {row.locator("td").nth(0).inner_text(): row.locator("td").nth(1).inner_text() for row in cells}
    outcomes = pandas.read_parquet(folder / "outcomes.parquet").iloc[0]
    for name, told_ in done.manifest["outcomes"].items():
        if told_["yes_or_no"]:
            assert answers[told_["title"]] == ("yes" if outcomes[name] else "no")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    # and Watch shows what the table holds
    row = acts[acts.actor == "front"].iloc[0]
    page.goto(f"{visitor.dashboard.url}/watch?run={folder.name}&turn={row.turn}")
    settled(page, ".feed section", f"Front {words.option((row.action, row.target))}")
    shown = page.locator(".feed section").first.locator("button.act").count()
    assert shown == (acts.turn == row.turn).sum()
    page.goto(f"{visitor.dashboard.url}/play")
    settled(page, "main", "Games under")
    page.get_by_role("link", name=folder.name, exact=True).click()
    page.wait_for_selector("text=The game is over")


def test_an_offer_is_accepted_a_meeting_left_and_a_word_owed(visitor: Visitor):
    page = begun(visitor, "./dealings", "rebels", 3)
    folder = place(page, visitor)
    accepted = 0
    for turn in range(1, 9):
        at(page, turn)
        seat = game.again(folder).seat
        assert page.locator(".play-offer").count() == len(seat.offers)
        for n, one in enumerate(seat.offers):
            text = page.locator(".play-offer").nth(n).inner_text()
            assert f"{one.worth:+.4f}" in text
            assert f"accept with {one.odds:.0%}" in text
        if len(seat.offers) == 1:
            page.get_by_role("button", name="Accept", exact=True).click()
            page.wait_for_selector(".play-answer[aria-pressed=true]:text-is('Accept')")
            accepted = accepted or turn
        elif seat.offers:  # they ask for the same act
            for n in range(2):
                page.locator(".play-offer").nth(n).get_by_role("button", name="Accept", exact=True).click()
            settled(page, ".play-end", "accept one")
            assert page.locator(".play-last .button").is_disabled()
            page.locator(".play-offer").nth(1).get_by_role("button", name="Refuse").click()
            page.wait_for_selector(".play-problem", state="detached")
            accepted = accepted or turn
        if any(one.meets for one in seat.meetings):
            page.get_by_role("button", name="Stay away").click()
            page.wait_for_selector(".play-answer[aria-pressed=true]:text-is('Stay away')")
        if seat.promises:
            settled(page, ".play-room", "Promises")
        end(page)
    page.wait_for_selector("text=The game is over: you were the Rebels")
    assert accepted
    offers = pandas.read_parquet(folder / "offers.parquet")
    assert (offers[offers.answered_turn == accepted].answer == "accepted").any()
    promises = pandas.read_parquet(folder / "promises.parquet")
    assert ((promises.giver == "rebels") & (promises.status == "broken")).any()  # held all along
    sessions = pandas.read_parquet(folder / "sessions.parquet")
    assert not sessions[sessions.member == "rebels"].came.any()
    # where nobody offers, what was chosen cannot be chosen
    page.goto(f"{visitor.dashboard.url}/watch?run={folder.name}&policy=frozen&turn={accepted}")
    settled(page, ".feed section", "the Rebels cannot do here what was chosen for it (no offer")
    page.goto(f"{visitor.dashboard.url}/why?run={folder.name}&policy=frozen&turn={accepted}&actor=rebels")
    page.wait_for_selector(".card-text")


def test_what_cannot_go_together_is_told_and_the_search_picks_nothing(visitor: Visitor):
    page = begun(visitor, "takeover-2021", "russia")
    search = page.get_by_label("Find an option")
    count = page.locator(".play-option").count()
    assert count > 20
    search.fill("tajikistan")
    page.wait_for_function(f"() => document.querySelectorAll('.play-option').length < {count}")
    search.press("Enter")
    page.wait_for_timeout(300)
    assert page.locator(".chip").count() == 0
    texts = [text.lower() for text in page.locator(".play-option").all_inner_texts()]
    assert texts
    assert all("tajikistan" in text for text in texts)
    for n in range(len(texts)):
        pick(page, n)
        if page.locator(".play-problem").count():
            break
    said = page.inner_text(".play-problem")
    assert "goes the same way as" in said or "no attention is left" in said
    assert "_" not in said  # titles, not ids
    assert page.locator(".play-last .button").is_disabled()
    search.fill("nothing is called so")
    settled(page, ".play-room", "No option has these words.")
    search.fill("")
    page.get_by_label("Order of the options").select_option("kind")
    page.wait_for_selector(".play-group")
    page.locator(".play-why").first.click()
    settled(page, ".play-apart", "expected utility")
    # with keys alone: the option, then the end of the turn
    page.reload()
    at(page, 1)
    page.locator(".play-option").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip")
    page.locator(".play-last .button").focus()
    page.keyboard.press("Enter")
    at(page, 2)
    page.wait_for_function("() => document.activeElement.innerText === 'Your choice for June 2021'")


def test_an_act_of_a_game_under_way_opens_its_card(visitor: Visitor):
    page = begun(visitor, "minimal", "front", 5)
    folder = place(page, visitor)
    for turn in (1, 2, 3):
        at(page, turn)
        pick(page, 0)
        end(page)
    at(page, 4)
    played = game.again(folder)
    mine = [act for act in played.seat.acts if act.actor == "front"]
    others = [act for act in played.seat.acts if act.actor != "front"]
    assert mine
    words = Words(played.ready.scenario)
    for act in (mine[0], *others[:1]):
        told = f"{capital(act.actor)} {words.option((act.action, act.target))}"
        page.locator(".area-news button.act", has_text=told).first.click()
        page.wait_for_selector(".card-text")
        text = page.inner_text("main")
        assert ("a player" in text.lower()) == (act.actor == "front")
        assert f"run={folder.name}" in page.url
        page.go_back()
        at(page, 4)
    page.get_by_role("button", name="Watch it so far").click()
    settled(page, ".controls-count", "3 of 3")


def test_two_tabs_and_a_terminal_play_one_game(visitor: Visitor):
    one = begun(visitor, "minimal", "front", 9)
    folder = place(one, visitor)
    other = visitor.open(f"/play?game={folder.name}", ".play-choose")
    pick(one, 0)
    end(one)
    at(one, 2)
    pick(other, 0)
    end(other)
    settled(other, "main", "This turn was ended elsewhere")
    at(other, 2)
    assert game.chosen(folder).last == 1
    end(other)
    at(other, 3)
    assert "elsewhere" not in other.inner_text("main")
    # a terminal goes on with it, and leaves it
    program = "import sys; from sim.cli import main; sys.exit(main())"
    terminal = subprocess.Popen(
        [sys.executable, "-c", program, "play", "--resume", str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for row in terminal.stdout:
            if row.startswith("Turn 3 of"):
                break
        end(other)
        settled(other, "main", f"process {terminal.pid}")
        assert game.chosen(folder).last == 2
        terminal.communicate("hold\nquit\n", timeout=60)
    finally:
        terminal.kill()
        terminal.wait()
    other.get_by_role("button", name="Look again").click()
    at(other, 4)
    end(one)
    settled(one, "main", "This turn was ended elsewhere")
    at(one, 4)


def test_a_second_click_ends_no_second_turn(visitor: Visitor):
    page = begun(visitor, "minimal", "front", 11)
    page.evaluate("() => { const one = document.querySelector('.play-last .button'); one.click(); one.click(); }")
    at(page, 2)
    page.wait_for_timeout(500)
    at(page, 2)
    assert game.chosen(place(page, visitor)).last == 1


def test_a_game_deleted_or_spoilt_meanwhile_is_told(visitor: Visitor):
    page = begun(visitor, "minimal", "front", 13)
    folder = place(page, visitor)
    end(page)
    at(page, 2)
    file = folder / seats.FILE
    whole = file.read_text()

    def says(text: str, message: str) -> None:
        file.write_text(text)
        page.goto(f"{visitor.dashboard.url}/play?game={folder.name}")
        settled(page, "main", message)
        assert "Traceback" not in page.inner_text("body")

    head, row = whole.splitlines()
    says(whole + "{", "turn 2 of")  # a line that was cut short
    says(head + "\nnonsense\n", "not JSON")
    says(head.replace('"hash": "', '"hash": "x') + "\n" + row + "\n", "chosen in another scenario")
    coded = json.loads(head)
    coded["players"], coded["actors"] = ["borea=mine.py:Mine"], ["borea", "front"]
    says(json.dumps(coded) + "\n" + row + "\n", "tightrope play --resume")
    page.goto(f"{visitor.dashboard.url}/play")
    settled(page, "main", "Games under")
    says(whole, "turn 2 of")
    shutil.rmtree(folder)
    end(page)
    settled(page, "main", "There is no game")


WRONG = {
    "/play?game=../..": "There is no game",
    "/play?game=%2Fetc%2Fpasswd": "There is no game",
    "/play?game=" + "x" * 300: "There is no game",
    "/play?game=%3Cscript%3E": "There is no game",
    "/play?as=nobody": "There is no actor",
    "/play?scenario=../../etc/passwd": "There is no scenario",
    "/play?seed=-1": "whole number",
    "/play?policy=x": "must be one of",
    "/play?scenario=minimal&set=raiders=7": "raiders",
}  # fmt: skip


def test_a_wrong_address_is_told_in_the_page(visitor: Visitor):
    page = visitor.open("/play")
    for view, message in WRONG.items():
        page.goto(visitor.dashboard.url + view)
        settled(page, "main", message)
        assert "Traceback" not in page.inner_text("body")
    (visitor.dashboard.folder / "game-on-file").mkdir(exist_ok=True)  # a folder without a game
    page.goto(visitor.dashboard.url + "/play?game=game-on-file")
    settled(page, "main", "There is no game")
    runs.run("minimal", 2, out=visitor.dashboard.folder / "watched", figures=False)
    page.goto(visitor.dashboard.url + "/play?game=watched")
    settled(page, "main", "nobody took a seat")


def test_hostile_texts_are_played_as_texts(visitor: Visitor):
    page = begun(visitor, "./hostile", "alba")
    for turn in (1, 2, 3, 4):
        at(page, turn)
        pick(page, 0)
        page.locator(".play-why").first.click()
        page.wait_for_selector(".play-apart")
        for picture in ("Ladder", "Regard", "Map"):
            page.get_by_role("button", name=picture, exact=True).click()
            page.wait_for_timeout(200)
        end(page)
    at(page, 5)
    turns = [page.inner_text("main")]
    for turn in range(5, 13):
        at(page, turn)
        end(page)
    page.wait_for_selector("text=What came of it")
    for text in (*turns, page.inner_text("main")):
        assert any(one in text for one in hostile.STRINGS)
        assert hostile.EVALUATED not in text
    assert page.evaluate("window.hacked") is None


def test_what_is_watched_can_be_played(visitor: Visitor):
    folder = visitor.dashboard.folder
    runs.run("minimal", 5, seed=7, out=folder / "five", figures=False)
    page = visitor.open("/play?run=five&n=3&as=front")
    page.get_by_role("button", name="Begin the game").click()
    page.wait_for_selector(".play-choose")
    played = game.again(place(page, visitor))
    assert (played.path.name.rsplit("-", 1)[0], played.made.seed, played.made.run) == ("minimal", 7, 3)
    watched = runs.open_run(folder / "five").one("states", 3).to_pylist()[0]
    assert played.history().states[0, 0].tolist() == [watched[path] for path in played.ready.compiled.paths]
    # a change that was made on Watch is an event of the game
    page.goto(f"{visitor.dashboard.url}/play?scenario=minimal&do=1:act:borea:recognise:front&as=front")
    settled(page, ".play-form", "1:act:borea:recognise:front")
    page.get_by_role("button", name="Begin the game").click()
    page.wait_for_selector(".play-choose")
    settled(page, ".area-news", "The reader's change")
    end(page)
    at(page, 2)
    settled(page, ".area-news", "Borea recognises Front (given)")


def test_numbers_are_set_before_a_game_begins(visitor: Visitor):
    page = visitor.open("/play?scenario=minimal&as=front")
    page.get_by_role("button", name="Scenario and numbers").click()
    page.fill(".drawer input[type=search]", "alba weight safety")
    page.wait_for_function("() => document.querySelectorAll('.numbers li').length === 1")
    page.fill(".numbers .number-value", "0.4")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Take these numbers").click()
    settled(page, ".play-form", "actors.alba.interests.safety.salience=0.4")
    page.get_by_label("Who you are").select_option("alba")
    page.wait_for_function("() => location.search.includes('as=alba')")
    page.get_by_role("button", name="Begin the game").click()
    page.wait_for_selector(".play-choose")
    settled(page, ".controls", "actors.alba.interests.safety.salience=0.4")
    made = game.again(place(page, visitor))
    assert made.made.sets == ["actors.alba.interests.safety.salience=0.4"]
    safety = next(one for one in made.seat.interests if one.name == "safety")
    assert safety.salience == 0.4

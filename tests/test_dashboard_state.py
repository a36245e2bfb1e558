"""What the dashboard's pages share: addresses, the folder, changes; and runs in the making, without a browser."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from dashboards import live, state
from dashboards.state import Change, Kept, Library, Query, Subject
from sim import game, parameters, store, sweep, swept
from sim.errors import BadInput, FolderProblem
from sim.runs import Run, prepare, run
from sim.scenario import numbers, read


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run("minimal", runs=5, seed=3, out=tmp_path_factory.mktemp("runs") / "one", figures=False)


@pytest.fixture
def library(recorded: Run, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(state, "_library", Library(recorded.folder.parent))
    live._WARM.set()
    return state.library()


def test_a_subject_is_what_its_address_says(library: Library):
    changes = (
        Change(3, set=("raiders", 0.25)),
        Change(4, act=("alba", "talk", "front")),
        Change(5, act=("front", "restrain", None)),
    )
    for subject in (
        Subject(scenario="minimal", seed=2**64 - 1, run=7, policy="best", sets=("raiders=0.3",), changes=changes),
        Subject(folder="one", seed=1, run=2),
    ):
        assert Subject.of(Query.of(subject.query().text())) == subject


def test_a_run_made_here_is_the_recorded_one_bit_for_bit(library: Library, recorded: Run):
    film = live.open_live(Subject(folder="one", run=4), 12).reach(12)
    for name in ("states", "acts", "events", "beliefs"):
        assert store.table_hash(getattr(film, name)) == store.table_hash(recorded.one(name, 4)), name


def test_a_film_never_changes_and_waits_for_its_turn(library: Library):
    made = live.open_live(Subject(scenario="minimal"), 2)
    early = made.reach(2)
    kept = store.table_hash(early.states)
    late = made.reach(99)
    assert (early.last, late.last, early.states.num_rows, late.states.num_rows) == (2, 12, 3, 13)
    shown = early.part(["raiders"])
    assert shown.column("turn").to_pylist() == list(range(13))
    assert [value == value for value in shown.column("raiders").to_pylist()] == [True] * 3 + [False] * 10
    assert store.table_hash(early.states) == kept
    assert early.values(2) == late.values(2)
    assert all(value != value for value in early.values(3).values())


def test_a_change_differs_from_its_turn_on_only(library: Library):
    plain = live.open_live(Subject(scenario="minimal"), 12).reach(12)
    act = Change(6, act=("borea", "recognise", "front"))
    changed = live.open_live(Subject(scenario="minimal", changes=(act,)), 12).reach(12)
    assert plain.states.slice(0, 6).equals(changed.states.slice(0, 6))
    assert changed.values(6)["borea.front.contact"] == 3.0
    assert plain.values(6)["borea.front.contact"] < 3.0
    number = live.open_live(Subject(scenario="minimal", changes=(Change(6, set=("raiders", 0.0)),)), 6).reach(6)
    assert number.values(5) == plain.values(5)
    assert number.values(6)["raiders"] < 0.1


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> game.Game:
    """A game of run 7 in DIR, of which nothing is played yet."""
    monkeypatch.setattr(state, "_library", Library(tmp_path))
    live._WARM.set()
    dealings = Path(__file__).with_name("dealings.yaml")
    return game.start(prepare(dealings), "dealings", "rebels", 1, 7, parent=tmp_path)


def a_turn_on(played: game.Game) -> bool:
    """A turn is ended with every offer that lies there accepted, and the second option done; whether an offer was."""
    seat = played.seat
    first = {one.offer.ask: one.offer for one in seat.offers}.values()  # one for each act that is asked for
    played.choose(game.choice([seat.options[1].option], {(one.bargain, one.proposer): True for one in first}, {}))
    return bool(seat.offers)


def test_a_game_that_was_left_is_looked_at_as_far_as_it_was_played(played: game.Game):
    subject = Subject(folder="dealings-1")
    assert [entry.id for entry in state.library().entries(state.GAME)] == ["dealings-1"]
    assert state.library().entries() == []
    with pytest.raises(BadInput, match="no turn of this game is over"):
        subject.ready()
    for turn in (1, 2):
        a_turn_on(played)
        film = live.open_live(subject, 99).reach(99)
        assert film.turns == film.last == turn
        assert film.history.states[0].tolist() == played.history().states[0].tolist()
    with pytest.raises(BadInput, match="There is no run folder"):
        state.library().run("dealings-1")


def test_a_played_run_is_watched_with_what_was_chosen(played: game.Game):
    accepted = [a_turn_on(played) for _ in range(8)]
    assert any(accepted)
    done = played.finish(figures=False)
    subject = Subject(folder="dealings-1")
    film = live.open_live(subject, 8).reach(8)
    for name in ("states", "acts", "events", "beliefs"):
        assert store.table_hash(getattr(film, name)) == store.table_hash(done.one(name, 0)), name
    assert subject.chosen() == done.choices.of(0)
    assert film.refused == ()


def test_a_change_leaves_of_what_was_chosen_what_can_still_be(played: game.Game):
    accepted = [a_turn_on(played) for _ in range(8)]
    played.finish(figures=False)
    of = live.open_live(Subject(folder="dealings-1", policy="frozen"), 8)  # nobody else acts, and so nobody offers
    film = of.reach(8)
    assert [turn for _, turn, _ in film.refused] == [turn for turn, yes in enumerate(accepted, 1) if yes]
    assert all("no offer" in why for _, _, why in film.refused)
    kept = {(actor, turn) for actor, turn in of.chosen()}
    assert kept == {("rebels", turn) for turn, yes in enumerate(accepted, 1) if not yes}


def test_a_run_of_fewer_turns_is_changed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also where dates of the scenario lie after its end."""
    monkeypatch.setattr(state, "_library", Library(tmp_path))
    run("takeover-2021", 1, turns=3, out=tmp_path / "short", figures=False)
    change = Change(2, act=("china", "recognise", "taliban"))
    film = live.open_live(Subject(folder="short", changes=(change,)), 9).reach(9)
    assert (film.last, film.turns) == (3, 3)
    given = [row for row in film.acts.to_pylist() if row["utility"] is None]
    assert (2, "china", "recognise") in [(row["turn"], row["actor"], row["action"]) for row in given]


@pytest.mark.parametrize("text", ["", "x", "1", "1:act", "1:act:a:b", "1:set:a", "x:set:a=1", "1:eval:a=1"])
def test_a_change_that_is_none_is_told(text: str):
    with pytest.raises(BadInput, match="write do="):
        Change.of(text)


def test_ids_are_looked_up_and_never_become_paths(library: Library, recorded: Run):
    outside = recorded.folder.parent.parent / "outside"
    shutil.copytree(recorded.folder, outside)
    for id_ in ("../outside", str(recorded.folder), "one/", "./one", "", "one/../one", "ONE"):
        with pytest.raises(BadInput, match="There is no"):
            library.run(id_)
    for id_ in ("/etc/passwd", "../minimal", "worlds/afghanistan", "minimal.yaml", "./nothing"):
        with pytest.raises(BadInput, match="There is no scenario"):
            library.scenario(id_)
    shutil.rmtree(outside)


def test_a_damaged_folder_is_listed_with_what_is_wrong(tmp_path: Path, recorded: Run):
    shutil.copytree(recorded.folder, tmp_path / "deep" / "er" / "two")
    manifest = tmp_path / "deep" / "er" / "two" / "manifest.json"
    library = Library(tmp_path)
    assert [entry.id for entry in library.entries()] == ["deep/er/two"]
    manifest.write_text(manifest.read_text().replace('"seed": 3', '"seed": 4'))
    assert "damaged or edited" in library.entries()[0].problem
    with pytest.raises(FolderProblem):
        library.run("deep/er/two")
    shutil.rmtree(tmp_path / "deep")
    assert library.entries() == []


def test_a_folder_whose_name_is_no_text_is_listed_and_told(tmp_path: Path, recorded: Run):
    shutil.copytree(recorded.folder, os.fsdecode(os.fsencode(tmp_path) + b"/a\xffb"))
    library = Library(tmp_path)
    assert [entry.id for entry in library.entries()] == ["a?b"]
    with pytest.raises(FolderProblem, match="rename the folder"):
        library.run("a?b")


def test_what_is_kept_is_made_once_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch):
    kept, made = Kept(2), []

    def make(n: int) -> int:
        time.sleep(0.01)
        made.append(n)
        return n

    threads = [threading.Thread(target=lambda: kept.get(1, lambda: make(1))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]
    for n in (2, 1, 3, 1, 2):
        kept.get(n, lambda n=n: make(n))
    assert made == [1, 2, 3, 2]
    with pytest.raises(ZeroDivisionError):
        kept.get("bad", lambda: 1 // 0)
    assert kept.get("bad", lambda: 5) == 5


def test_a_run_that_drew_its_numbers_is_watched_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is watched of such a run is what was recorded of it."""
    path = tmp_path / "sets.csv"
    head = f"{parameters.FIRST}\n# scenario: minimal\n# world: minimal\n"
    ranged = [entry for entry in numbers(read("minimal").scenario) if entry.quantity.range]
    low, high = (",".join(str(entry.quantity.range[n]) for entry in ranged) for n in (0, 1))
    path.write_text(f"{head}weight,{','.join(entry.path for entry in ranged)}\n1,{low}\n1,{high}\n")
    made = run("minimal", 6, out=tmp_path / "runs" / "r", figures=False, parameter_file=path)
    monkeypatch.setattr(state, "_library", Library(tmp_path / "runs"))
    own = [made.own(n)[ranged[0].path] for n in range(6)]
    assert len(set(own)) == 2
    for n in (own.index(min(own)), own.index(max(own))):
        film = live.Live(Subject(folder="r", run=n)).reach(made.manifest["turns"])
        assert store.table_hash(film.states) == store.table_hash(made.one("states", n))


def test_an_address_may_hold_hundreds_of_numbers_and_no_flood(library: Library):
    sets = "&".join(f"set=actors.a{n}.stake=1" for n in range(525))
    assert len(Subject.of(Query.of(sets)).sets) == 525
    assert len(Query.of("&".join("a=1" for _ in range(50_000))).pairs) == state.MOST_PAIRS


def test_any_run_of_a_study_is_watched_bit_for_bit_with_the_numbers_of_its_point(tmp_path: Path, monkeypatch):
    """Also with a variant, with numbers beyond their plausible range, and with the draws of its own."""
    (tmp_path / "wide.yaml").write_text(
        "study: 1\ntitle: Wide\nscenario: minimal\ndesign: latin_hypercube\npoints: 8\nreplicates: 2\n"
        "vary:\n  raiders: {low: 0.0, high: 1.0}\n  model.rationality: {low: 10, high: 900}\n  turns: 7\n"
        "variants: {calm: {title: Calm, set: {incidents.raid.hazard: 0.001}}}\n",
        encoding="utf-8",
    )
    done = sweep.sweep(tmp_path / "wide.yaml", tmp_path / "wide-1")
    monkeypatch.setattr(state, "_library", Library(tmp_path))
    assert [*state.library().scenarios()] == [*Library(tmp_path / "none").scenarios()]  # a study is no scenario
    for n in (0, 9, done.runs - 1):
        film = live.Live(Subject(folder="wide-1", run=n)).reach(99)
        again = swept.replay(done.folder, n).tables
        for name in ("acts", "states", "events"):
            assert getattr(film, name).drop_columns(["run"]).equals(again[name].drop_columns(["run"]))
    changed = Subject(folder="wide-1", run=9, sets=("raiders=0.25",)).ready()
    assert changed.compiled.tables.start[changed.compiled.paths.index("raiders")] == 0.25
    with pytest.raises(BadInput, match="the study has runs 0 to 31"):
        Subject(folder="wide-1", run=32).ready()

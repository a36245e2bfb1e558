"""The game apart from the terminal: what is seen is what the step shows, what is chosen is kept, nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim import game, runs, seats, store
from sim.errors import BadInput, FolderProblem
from sim.seats import Choice
from sim.world import Actor, World

DEALINGS = str(Path(__file__).with_name("dealings.yaml"))


@pytest.fixture(autouse=True)
def elsewhere_than_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def begun(source: str = DEALINGS, actor: str = "rebels", turns: int | None = None, **options) -> game.Game:
    ready = runs.prepare(source, options.get("sets", ()), turns)
    return game.start(ready, Path(source).stem, actor, **options)


def best(seat: game.Seat, answer: bool | None = None, count: int = 1) -> Choice:
    """The best options, and one answer to every offer."""
    answers = {} if answer is None else {(one.offer.bargain, one.offer.proposer): answer for one in seat.offers[:1]}
    return game.choice([one.option for one in seat.options[:count]], answers, {})


def played_out(played: game.Game) -> runs.Run:
    while played.seat is not None:
        played.choose(best(played.seat, played.seat.turn % 2 == 0))
    return played.finish(figures=False)


def same(one: runs.Run, other: runs.Run) -> bool:
    hashes = [{name: entry["hash"] for name, entry in run.manifest["tables"].items()} for run in (one, other)]
    return hashes[0] == hashes[1]


# ------------------------------------------------------------------------------------------------ what is seen


class Watched(Actor):
    """Chooses what is best and keeps what it was shown."""

    waits = True

    def decide(self, options):
        shown.append((sorted(options, key=lambda option: -option.utility), self.interests, self.beliefs, self.offers))
        mine = [(option.action, option.target) for option in shown[-1][0][:1]]
        return Choice(acts=tuple(mine), waits=True)


shown: list[tuple] = []


@pytest.mark.parametrize(
    ("source", "actor", "turns"), [(DEALINGS, "rebels", 8), (DEALINGS, "north", 8), ("takeover-2021", "russia", 4)]
)
def test_a_seat_agrees_bit_for_bit_with_what_the_step_shows(source: str, actor: str, turns: int):
    shown.clear()
    played = begun(source, actor, turns, seed=3)
    world = World(played.ready.compiled, 3, players={actor: Watched})
    for turn in range(1, turns + 1):
        seat = played.seat
        played.choose(best(seat))
        world.step()
        options, interests, beliefs, offers = shown[-1]
        assert seat.turn == turn
        assert [one.option for one in seat.options] == options
        assert {one.name: (one.path, one.ideal, one.salience) for one in seat.interests} == interests
        assert {(giver, kind): credible for giver, kind, credible in seat.beliefs} == beliefs
        assert [one.offer for one in seat.offers] == offers
    assert any(options for options, *_ in shown)
    assert np.array_equal(played.history().states, world.history().states)


def test_looking_changes_nothing():
    one, other = begun(seed=3, out="one"), begun(seed=3, out="other")
    while one.seat is not None:
        for open_ in one.seat.options:
            one.apart(open_.option.number)
        one.wrong(best(one.seat, count=3))
        one.choose(best(one.seat))
        other.choose(best(other.seat))
        assert repr(one.seat) == repr(other.seat)  # NaN: the probability of an act that a player chose
    assert same(one.finish(figures=False), other.finish(figures=False))


def test_attention_is_shared_out_in_order():
    seat = begun(seed=3).seat
    acts = [(one.option.action, one.option.target) for one in seat.options]
    efforts = [one.effort for one in seat.options]
    shares, left = replace(seat, attention=efforts[0] + efforts[1] / 2).shares(acts[:3])
    assert shares == pytest.approx([1.0, 0.5, 0.0])
    assert left == 0.0
    assert replace(seat, attention=5.0).shares(acts[:2]) == ([1.0, 1.0], pytest.approx(5.0 - sum(efforts[:2])))


# ------------------------------------------------------------------------------------------------ what is chosen


def test_a_game_gone_on_with_after_every_turn_is_the_same_game():
    whole = played_out(begun(seed=3, out="whole"))
    played = begun(seed=3, out="left")
    while played.seat is not None:
        played.choose(best(played.seat, played.seat.turn % 2 == 0))
        opened = game.again("left")
        assert repr(opened.seat) == repr(played.seat)
        played = opened
    done = played.finish(figures=False)
    assert same(done, whole)
    assert runs.replay("left", 0).same
    assert done.choices.made == whole.choices.made
    with pytest.raises(FolderProblem, match="finished already"):
        game.again("left")


def test_what_cannot_be_chosen_is_refused_and_nothing_happens():
    played = begun(seed=3)
    seat = played.seat
    twice = [(one.option.action, one.option.target) for one in seat.options[:1]] * 2
    for choice, says in (
        (Choice(acts=tuple(twice)), "goes the same way as"),
        (Choice(acts=(("fly", None),)), "no option “fly”"),
        (Choice(acts=(), accept=(("loan_for_arms", "north"),)), "no offer"),
    ):
        with pytest.raises(BadInput, match=says):
            played.choose(choice)
    assert repr(played.seat) == repr(seat)
    assert game.chosen(played.path).made == {}


def test_a_game_that_went_on_elsewhere_says_so():
    one = begun(seed=3, out="g")
    other = game.again("g")
    one.choose(best(one.seat))
    with pytest.raises(game.PlayedElsewhere, match="from turn 1 on"):
        other.choose(best(other.seat))
    other = game.again("g")
    assert repr(other.seat) == repr(one.seat)
    other.choose(best(other.seat))
    with pytest.raises(game.PlayedElsewhere):
        one.choose(best(one.seat))


def test_a_game_that_somebody_holds_is_not_written_to():
    one = begun(seed=3, out="g")
    with store.locked(Path("g")), pytest.raises(FolderProblem, match="in use"):
        one.choose(best(one.seat))
    assert game.chosen(Path("g")).made == {}
    with game.again("g"), pytest.raises(FolderProblem, match="in use"):
        game.again("g").choose(best(one.seat))
    assert store.holder(Path("g")) is None


def test_a_line_that_was_cut_short_is_left_out_and_written_anew():
    played = begun(seed=3, out="g")
    for _ in range(3):
        played.choose(best(played.seat))
    file = Path("g") / seats.FILE
    whole = file.read_text()
    file.write_text(whole[:-20])
    again = game.again("g")
    assert again.last == 2
    again.choose(best(again.seat))
    assert file.read_text() == whole


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda rows: rows[0].update(hash="0"), "chosen in another scenario"),
        (lambda rows: rows[0].update(actors=["north", "rebels"]), "seat of one person"),
        (lambda rows: rows[0].update(players=["north=x.py:P"]), "go on with the same"),
        (lambda rows: rows[1].update(turn=99), "no turn 99"),
        (lambda rows: rows[1].update(acts=[["fly", None]]), "no option “fly”"),
    ],
)
def test_a_spoilt_game_is_told(spoil, says: str):
    played = begun(seed=3, out="g")
    played.choose(best(played.seat))
    file = Path("g") / seats.FILE
    rows = [json.loads(row) for row in file.read_text().splitlines()]
    spoil(rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises((BadInput, FolderProblem), match=says):
        game.again("g")

"""A seat for a person: a pipe plays it; what was chosen is kept, gone on with and had again, bit for bit."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sim import explain, play, players, runs, seats
from sim.cli import main
from sim.compile import compile_scenario
from sim.errors import BadInput
from sim.kernel import ensemble
from sim.scenario import read
from tests.test_cli import process

DEALINGS = str(Path(__file__).with_name("dealings.yaml"))
TURNS = ["1 2", "refuse A\nhold", "hold", "accept A\n3", "hold", "why 1\n2", "stay round_table\n1", "hold"]


@pytest.fixture(autouse=True)
def elsewhere_than_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sim.jit.is_warm", lambda: True)


def lines(*texts: str):
    """A pipe that gives these lines and is then at its end."""
    left = [line for text in texts for line in text.split("\n")]
    return lambda: left.pop(0) if left else None


def played(*texts: str, **options):
    """The run of a game at the table of dealings, and all that was written."""
    told: list[str] = []
    chosen = {"source": DEALINGS, "actor": "rebels", "figures": False} | options
    return play.play(**chosen, read=lines(*texts), write=told.append), "\n".join(told)


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory):
    """A whole game, played without a break."""
    return played(*TURNS, out=tmp_path_factory.mktemp("game"), seed=3)


def same(one: runs.Run, other: runs.Run) -> bool:
    tables = {name: entry["hash"] for name, entry in one.manifest["tables"].items()}
    return tables == {name: entry["hash"] for name, entry in other.manifest["tables"].items()}


def bad(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    """What a command with bad input says."""
    assert main(list(arguments)) == 2
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return shown.err


# ------------------------------------------------------------------------------------------------------ playing


def test_a_pipe_plays_ten_turns():
    given = "\n".join(["hold", "1", "nonsense", "999", "why 1", "hold", "1", *["hold"] * 8]) + "\n"
    done = process("play", "minimal", "--as", "front", "--turns", "10", "--no-figures", "--out", "game", input=given)
    assert (done.returncode, done.stderr) == (0, "")
    assert [f"Turn {turn} of 10" in done.stdout for turn in range(1, 11)] == [True] * 10
    assert "“nonsense” is no command" in done.stdout
    assert "“999”: options are numbers of 1 to" in done.stdout
    assert done.stdout.endswith("Run folder: game\n")
    made = runs.open_run("game")
    mine = [row for row in made.acts.to_pylist() if row["actor"] == "front"]
    assert [row["turn"] for row in mine] == [2, 4]
    assert all(row["probability"] is None for row in mine)
    assert made.manifest["turns"] == 10


def test_the_page_tells_what_the_actor_sees(game):
    _, told = game
    assert "You are the Rebels." in told
    for heading in ("What you want", "Whose word you believe", "Last turn", "On the table before you",
                    "Your options (attention 1.00", "Meetings"):  # fmt: skip
        assert heading in told, heading
    assert "the model would accept with" in " ".join(told.split())
    assert "expected utility" in told  # why


def test_offers_wait_for_an_answer_and_owed_acts_are_done_by_hand_or_not_at_all(game):
    done, _ = game
    assert done.offers.num_rows
    choices = done.choices.of(0)
    accepted = [(turn, deal) for (_, turn), choice in choices.items() for deal in choice.accept]
    assert accepted
    promises = [row for row in done.promises.to_pylist() if row["giver"] == "rebels" and row["receiver"] != "rebels"]
    assert promises
    chosen = {(turn, *act) for (_, turn), choice in choices.items() for act in choice.acts}
    mine = {(row["turn"], row["action"], row["target"]) for row in done.acts.to_pylist() if row["actor"] == "rebels"}
    assert mine <= chosen  # nothing was delivered that was not chosen


def test_what_is_due_at_once_is_kept_by_choosing_it_with_the_answer(tmp_path: Path):
    text = Path(DEALINGS).read_text()
    at_once = tmp_path / "at_once.yaml"
    at_once.write_text(text.replace("ask_after: 2", "ask_after: 0"))
    assert at_once.read_text() != text

    def settled(*last: str) -> list[str]:
        done, told = played("hold", "accept B\n" + last[0], "hold", source=at_once, turns=3, seed=1)
        assert "due in the same turn: choose it too (option 3), or break your word" in " ".join(told.split())
        return [row["status"] for row in done.promises.to_pylist()
                if row["giver"] == "rebels" and row["action"] == "disarm"]  # fmt: skip

    assert settled("hold") == ["broken"]
    assert settled("3") == ["kept"]


def test_looking_changes_nothing(game):
    done, _ = game
    again, _ = played(*(f"why 1\nshow\nhelp\nwhy 99\n{turn}" for turn in TURNS), out="looked", seed=3)
    assert same(done, again)


def test_a_choice_that_cannot_be_made_is_asked_for_again():
    _, told = played("1 1", "accept A", "accept", "attend moon", "why", "1 x", "quit")
    assert "That cannot be: “swear east” goes the same way as" in told or "no attention is left" in told
    assert "no offer lies on the table" in told
    assert "your seats are in" in told
    assert "“why” asks for one number" in told
    assert "Left before the end of turn 1. Go on with: tightrope play --resume" in told


# ------------------------------------------------------------------------------------------------ leaving and again


@pytest.mark.parametrize("stops", [[1], [3, 5], [2, 3, 4, 5, 6, 7]])
def test_a_game_that_was_left_goes_on_without_loss(game, stops):
    whole, _ = game
    done, _ = played(*TURNS[: stops[0]], "quit", out="left", seed=3)
    assert done is None
    for first, last in zip(stops, [*stops[1:], len(TURNS)], strict=True):
        done = play.resume("left", figures=False, read=lines(*TURNS[first:last]), write=lambda text: None)
    assert done is not None
    assert same(done, whole)
    assert done.choices.made == whole.choices.made


def test_a_line_that_was_cut_short_is_chosen_again(game):
    whole, _ = game
    played(*TURNS[:3], out="left", seed=3)
    file = Path("left") / seats.FILE
    file.write_bytes(file.read_bytes()[:-20])
    done = play.resume("left", figures=False, read=lines(*TURNS[2:]), write=lambda text: None)
    assert done is not None
    assert same(done, whole)


def test_a_game_that_is_over_is_not_gone_on_with(game, capsys: pytest.CaptureFixture):
    assert main(["play", "--resume", str(game[0].folder)]) == 3
    assert "finished already" in capsys.readouterr().err
    assert main(["play", "--resume", "nowhere"]) == 3


def test_the_choices_give_the_same_run_again_bit_for_bit(game, capsys: pytest.CaptureFixture):
    done, _ = game
    file = str(done.folder / seats.FILE)
    assert main(["run", DEALINGS, "--choices", file, "--no-figures", "--out", "again"]) == 0
    again = runs.open_run("again")
    assert same(done, again)
    assert (again.folder / seats.FILE).read_text() == Path(file).read_text()
    assert main(["replay", "again", "--run", "0"]) == 0
    assert runs.replay(done.folder, 0).same


def test_a_decision_card_tells_a_players_choice(game):
    done, _ = game
    card = explain.card(done.folder, "rebels", 1)
    assert "A player chose" in card.text()
    assert card.notes == []
    assert [option.name for option in card.decision.taken] == [("swear", "east"), ("swear", "north")]
    other = explain.card(done.folder, "north", len(TURNS))
    assert other.notes == []
    assert "A player chose" not in other.text()


def test_another_run_with_other_numbers_is_played_and_had_again():
    options = {"run": 7, "sets": ["actors.rebels.interests.funds.salience=0.9"], "turns": 3}
    done, _ = played("hold", "1", "hold", out="seven", **options)
    again = runs.run(DEALINGS, choices=done.folder / seats.FILE, figures=False, out="again")
    assert same(done, again)
    assert runs.replay("again", 0).same


# ------------------------------------------------------------------------------------------------------ bad choices


def changed(game, tmp_path: Path, **values) -> str:
    """The file of the game with another header, or another first line."""
    rows = [json.loads(row) for row in (game[0].folder / seats.FILE).read_text().splitlines()]
    for name, value in values.items():
        rows[0 if name in rows[0] and name not in ("run", "turn") else 1][name] = value
    file = tmp_path / "changed.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"hash": "0"}, "chosen in another scenario (dealings)"),
        ({"kind": "cake"}, "not a file of choices"),
        ({"seed": "one"}, 'seed: "one" is of the wrong kind'),
        ({"actors": ["nobody", "rebels"]}, "no actor nobody; the actors are"),
        ({"actor": "north"}, "'north' is none of the actors rebels"),
        ({"turn": 99}, "no turn 99; they are 1 to 8"),
        ({"acts": [["fly", None]]}, "turn 1: rebels has no option “fly”"),
        ({"acts": [["fly"]]}, "acts must be pairs"),
        ({"accept": [["loan_for_arms", "moon"]]}, "rebels has no bargain “loan_for_arms” by moon"),
        ({"accept": [["loan_for_arms", "north"]]}, "no offer “loan_for_arms” by north lies on the table"),
        ({"attend": ["moon"]}, "rebels has no seat in “moon”"),
        ({"acts": [["disarm", None], ["disarm", None]]}, "goes the same way"),
        ({"more": 1}, "unknown: more"),
    ],
)
def test_bad_choices_are_told_in_a_line(game, tmp_path: Path, capsys: pytest.CaptureFixture, values, says):
    file = changed(game, tmp_path, **values)
    told = bad(capsys, "run", DEALINGS, "--choices", file, "--no-figures", "--out", "here")
    assert says in told
    assert not Path("here").exists()


def test_choices_of_another_scenario_and_what_is_no_file(game, capsys: pytest.CaptureFixture):
    file = str(game[0].folder / seats.FILE)
    assert "chosen in another scenario" in bad(capsys, "run", "minimal", "--choices", file)
    assert "cannot be read as choices" in bad(capsys, "run", DEALINGS, "--choices", "nowhere.jsonl")
    Path("text").write_text("hello\n")
    assert "not a file of choices" in bad(capsys, "run", DEALINGS, "--choices", "text")
    assert "name one policy" in bad(capsys, "run", DEALINGS, "--choices", file, "--policy", "all")


def test_play_says_what_it_asks_for(capsys: pytest.CaptureFixture):
    assert "no such actor; the actors are east, north, rebels" in bad(capsys, "play", DEALINGS, "--as", "moon")
    assert "asks for SCENARIO and --as ACTOR" in bad(capsys, "play", DEALINGS)
    assert "it takes no SCENARIO" in bad(capsys, "play", DEALINGS, "--resume", "x")
    assert not Path("runs").exists()


# ------------------------------------------------------------------------------------------------- players of a kind

PLAYERS = '''
from sim.world import Actor

class Idler(Actor):
    def choose(self, options):
        return []

class Yielding(Actor):
    def choose(self, options):
        return None

class Greedy(Actor):
    """Takes the best, and every offer that it can get."""
    def choose(self, options):
        return sorted(options, key=lambda option: -option.utility)[:1]
    def reply(self, offer):
        return True
    def attend(self, forum):
        return False

class Broken(Actor):
    def choose(self, options):
        raise KeyError("no map")

class Odd(Actor):
    def choose(self, options):
        return [7]

class Doubling(Actor):
    def choose(self, options):
        return options[:1] * 2

class Nobody:
    pass
'''


@pytest.fixture
def code() -> str:
    Path("mine.py").write_text(PLAYERS)
    return "mine.py"


def test_a_player_that_returns_none_changes_no_bit(code):
    ours = runs.run(DEALINGS, 3, players=[f"rebels={code}:Yielding", f"north={code}:Yielding"], figures=False, out="a")
    assert same(ours, runs.run(DEALINGS, 3, figures=False, out="b"))
    assert ours.choices.made == {}


def test_a_class_of_ones_own_plays_every_run_and_its_runs_are_had_again(code):
    done = runs.run(DEALINGS, 3, players=[f"rebels={code}:Greedy", f"east={code}:Idler"], figures=False, out="a")
    acts = done.acts.to_pylist()
    assert not [row for row in acts if row["actor"] == "east" and row["probability"] is None]
    assert {row["run"] for row in acts if row["actor"] == "rebels"} == {0, 1, 2}
    assert {row["came"] for row in done.sessions.to_pylist() if row["member"] == "rebels"} == {False}
    Path(code).unlink()  # what was chosen is data: nothing is loaded
    assert all(runs.replay("a", run).same for run in range(3))
    assert same(done, runs.run(DEALINGS, choices="a/choices.jsonl", figures=False, out="b"))


def test_a_person_plays_against_a_class_of_ones_own(code):
    others = [f"north={code}:Greedy"]
    whole, _ = played(*TURNS, others=others, out="whole")
    done, _ = played(*TURNS[:3], others=others, out="left")
    assert done is None
    with pytest.raises(BadInput, match="go on with the same"):
        play.resume("left")
    done = play.resume("left", others, figures=False, read=lines(*TURNS[3:]), write=lambda text: None)
    assert same(done, whole)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ("rebels", "must be ACTOR=FILE.py:CLASS"),
        ("moon=mine.py:Idler", "no actor moon; the actors are"),
        ("rebels=nowhere.py:Idler", "no Python file nowhere.py"),
        ("rebels=mine.py:Ghost", "has no class Ghost"),
        ("rebels=mine.py:Nobody", "is no subclass of sim.world.Actor"),
        ("rebels=wrong.py:Idler", "wrong.py:Idler: line 2: SyntaxError"),
        ("rebels=mine.py:Broken", "turn 1: line 23: KeyError: 'no map'"),
        ("rebels=mine.py:Odd", "returned what it may not"),
        ("rebels=mine.py:Doubling", "turn 1 (rebels): “"),
    ],
)
def test_a_faulty_player_is_told_in_a_line(code, capsys: pytest.CaptureFixture, told, says):
    Path("wrong.py").write_text("x = 1\nclass (:\n")
    err = bad(capsys, "run", DEALINGS, "--runs", "2", "--player", told, "--no-figures", "--out", "here")
    assert says in err
    assert err.count("\n") == 1
    assert not Path("here").exists()


def test_a_world_tells_the_history_that_an_ensemble_tells():
    compiled = compile_scenario(read(DEALINGS).scenario)
    one = next(players.histories(compiled, 5, 3, [0], compiled.turns, None))
    other = ensemble(compiled, 5, [3], names=[0])
    for part, whole in ((one, other), (one.acts, other.acts), (one.talks, other.talks)):
        for name in part.__dataclass_fields__:
            mine, theirs = getattr(part, name), getattr(whole, name)
            if isinstance(mine, np.ndarray):
                assert mine.dtype == theirs.dtype, name
                assert np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), name


def test_what_is_chosen_is_on_the_disk_before_the_next_turn():
    """A game that is killed goes on after the last whole turn."""
    import signal
    import sys

    program = "import sys; from sim.cli import main; sys.exit(main())"
    root = str(Path(DEALINGS).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-c", program, "play", DEALINGS, "--as", "rebels", "--out", "killed", "--no-figures"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": root},
    ) as game:  # fmt: skip
        game.stdin.write("hold\nhold\n")
        game.stdin.flush()
        for row in game.stdout:
            if row.startswith("Turn 3 of"):
                break
        game.send_signal(signal.SIGKILL)
    assert seats.read(Path("killed") / seats.FILE).last == 2
    told: list[str] = []
    done = play.resume("killed", figures=False, read=lines(*["hold"] * 6), write=told.append)
    assert done is not None
    assert "Turn 2 of" not in "\n".join(told)


def test_how_others_take_an_act_is_told_about_as_it_comes():
    told: list[str] = []
    foretold: list[float] = []

    def look() -> str | None:
        row = next((row for row in told[-1].split("\n") if "reins in raiders" in row), None)
        if row is None or foretold:
            return "quit" if not foretold else "hold"
        foretold.append(float(row.split("+")[1].split()[0]))
        return row.split()[0]

    done = play.play("minimal", "front", turns=2, figures=False, out="m", read=look, write=told.append)
    assert done is not None
    regard = done.states.column("borea.front.regard").to_pylist()
    assert foretold[0] > 0.01
    assert regard[1] - regard[0] == pytest.approx(foretold[0], rel=0.1)

"""The register of promises, offers, sessions and statements: what each row says, on histories made by hand."""

from pathlib import Path

import numpy as np
import pytest

from sim import register, runs, store
from sim.arrays import (
    ACCEPTED,
    ANSWER,
    ATTEND,
    BROKEN_WORD,
    COUNTERED,
    FAILED,
    JOIN,
    KEPT_WORD,
    LAPSED,
    MOVED,
    OUTPUT,
    OWED,
    REFUSED,
    REPLY,
    SESSION,
    SETTLED,
    TESTED,
    VETO,
    VOID,
    Acts,
    Compiled,
    History,
    Talks,
)
from sim.kernel import ensemble
from sim.runs import Prepared

WORLD = Path(__file__).with_name("dealings.yaml")
TURNS = 8
NAN = np.nan


@pytest.fixture(scope="module")
def ready() -> Prepared:
    return runs.prepare(WORLD)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    """Sixty runs of it."""
    return runs.run(WORLD, runs=60, seed=2, figures=False, out=tmp_path_factory.mktemp("dealings"))


class Made:
    """A history of one run that is made by hand; nothing moves but what is said."""

    def __init__(self, ready: Prepared, turns: int = TURNS) -> None:
        self.ready, self.compiled = ready, ready.compiled
        start = np.where(self.compiled.tables.start == 0.0, 0.0, self.compiled.tables.start)
        self.states = np.tile(start, (1, turns + 1, 1))
        self.states[:, :, self.compiled.tables.promised] = 0.0
        self.states[:, :, self.compiled.tables.credibility] = 0.5
        self.incidents = np.zeros((1, turns, len(self.compiled.incidents)), dtype=np.bool_)
        self.acts: list[tuple] = []
        self.said: list[tuple] = []

    def act(self, turn: int, *names: str | None, succeeded: bool = True) -> None:
        self.acts.append((turn, self.compiled.options.index(names), succeeded))

    def say(self, turn: int, kind: int, row: int, result: int = -1, *numbers: float) -> None:
        self.said.append((turn, kind, row, result, *numbers, *[NAN] * (3 - len(numbers))))

    def set(self, path: str, turn: int, value: float) -> None:
        """From the end of this turn on."""
        self.states[0, turn:, self.compiled.paths.index(path)] = value

    def tables(self) -> dict[str, list[dict]]:
        acts, said = sorted(self.acts, key=lambda act: act[:2]), sorted(self.said, key=lambda talk: talk[0])
        zeros, nobody = np.zeros(len(acts)), np.zeros((1, self.states.shape[1], 0))
        history = History(
            np.array([4]), self.states, nobody, nobody, self.incidents,
            Acts(np.full(len(acts), 4), *(np.array([act[n] for act in acts], dtype=np.int32) for n in (0, 1)), zeros,
                 np.array([act[2] for act in acts], dtype=np.bool_), zeros, zeros),
            Talks(np.full(len(said), 4), *(np.array([talk[n] for talk in said], dtype=np.int32) for n in range(4)),
                  *(np.array([talk[n] for talk in said], dtype=np.float64) for n in range(4, 7))),
        )  # fmt: skip
        found = register.dealings(history, self.compiled, self.ready.legend)
        return {name: table.to_pylist() for name, table in found.items()}

    def deal(self, *names: str) -> int:
        return self.compiled.deals.index(names)

    def promise(self, deal: int, giver: str) -> int:
        return next(p for p, (d, by, *_) in enumerate(self.compiled.promises) if (d, by) == (deal, giver))

    def belief(self, *names: str) -> int:
        return self.compiled.beliefs.index(names)


@pytest.fixture
def made(ready: Prepared) -> Made:
    return Made(ready)


def facts(row: dict, *names: str) -> tuple:
    return tuple(row[name] for name in names)


# ------------------------------------------------------------------------------------------ bargains and their promises


@pytest.fixture
def pact(made: Made) -> Made:
    """The North offers a loan for arms in turn 1, is refused, then accepted in 2 with the East beside it."""
    deal = made.deal("loan_for_arms", "north", "rebels")
    north, east, rebels = (made.promise(deal, giver) for giver in ("north", "east", "rebels"))
    made.act(1, "north", "loan_for_arms", "rebels")
    made.say(1, JOIN, east, 0, 0.3, -0.01)
    made.say(1, ANSWER, deal, REFUSED, 0.25, 0.01, 0.02)
    made.say(2, JOIN, east, 1, 0.4, 0.01)
    made.say(2, ANSWER, deal, ACCEPTED, 0.75, 0.03, 0.04)
    made.say(2, OWED, north, 3, NAN, 0.1, -0.01)
    made.say(2, OWED, east, 3, NAN, 0.1, -0.02)
    made.say(2, OWED, rebels, 4, NAN, 0.2, -0.03)
    return made


def test_an_offer_is_one_row_with_its_last_answer_and_who_joined(pact: Made):
    (offer,) = pact.tables()["offers"]
    assert facts(offer, "run", "turn", "bargain", "proposer", "target") == (4, 1, "loan_for_arms", "north", "rebels")
    assert facts(offer, "answer", "answered_turn", "answered_date", "considered") == ("accepted", 2, "2030-02", 2)
    assert facts(offer, "probability", "worth_target", "worth_proposer") == (0.75, 0.03, 0.04)
    assert facts(offer, "asked_to_join", "joined", "counter", "reply") == ("east", "east", None, None)


def test_a_bargained_promise_says_what_it_hangs_on_and_when_it_is_due(pact: Made):
    north, east, rebels = pact.tables()["promises"]
    assert facts(north, "giver", "receiver", "kind", "bargain") == ("north", "rebels", "word", "loan_for_arms")
    assert facts(north, "action", "target", "return_by", "return_action") == ("lend", "rebels", "rebels", "disarm")
    assert facts(rebels, "action", "target", "return_by", "return_action", "return_target") == (
        "disarm", None, "north east", "lend", "rebels",
    )  # fmt: skip
    assert [facts(row, "promise", "given_turn", "due_turn", "due_date") for row in (north, east, rebels)] == [
        (0, 2, 3, "2030-03"), (1, 2, 3, "2030-03"), (2, 2, 4, "2030-04"),
    ]  # fmt: skip
    assert facts(rebels, "worth_receiver", "worth_giver") == (0.2, -0.03)


def test_kept_broken_void_and_pending_come_from_what_was_settled(pact: Made):
    deal = pact.deal("loan_for_arms", "north", "rebels")
    north, east, rebels = (pact.promise(deal, giver) for giver in ("north", "east", "rebels"))
    pact.say(3, SETTLED, north, BROKEN_WORD, 0.2, 0.6, -0.01)
    pact.say(3, SETTLED, east, FAILED, 0.9, 0.5)
    pact.say(4, SETTLED, rebels, VOID)
    found = pact.tables()["promises"]
    assert [facts(row, "status", "settled_turn", "stake", "probability") for row in found] == [
        ("broken", 3, 0.6, 0.2), ("pending", None, None, None), ("void", 4, None, None),
    ]  # fmt: skip
    assert [row["evidence"] for row in found] == [
        "owed and not done: the North lends to the Rebels",
        "tried and failed so far: the East lends to the Rebels",
        "the other side had broken its word",
    ]


def test_an_act_that_delivers_early_says_so_and_one_that_cannot_be_done_is_void(pact: Made):
    deal = pact.deal("loan_for_arms", "north", "rebels")
    pact.say(3, SETTLED, pact.promise(deal, "rebels"), KEPT_WORD, 1.0, 0.7)
    pact.say(3, SETTLED, pact.promise(deal, "north"), KEPT_WORD, 0.8, 0.4)
    pact.say(3, SETTLED, pact.promise(deal, "east"), VOID)
    assert [facts(row, "status", "evidence") for row in pact.tables()["promises"]] == [
        ("kept", "done: the North lends to the Rebels"),
        ("void", "no longer possible: the East lends to the Rebels"),
        ("kept", "done before it was due: the Rebels lays down arms"),
    ]


def test_the_same_bargain_struck_again_is_another_promise(pact: Made):
    deal = pact.deal("loan_for_arms", "north", "rebels")
    north = pact.promise(deal, "north")
    pact.say(3, SETTLED, north, KEPT_WORD, 0.8, 0.4)
    pact.say(5, OWED, north, 6, NAN, 0.1, -0.01)
    pact.say(6, SETTLED, north, BROKEN_WORD, 0.3, 0.4)
    mine = [row for row in pact.tables()["promises"] if row["giver"] == "north"]
    assert [facts(row, "given_turn", "status", "settled_turn") for row in mine] == [(2, "kept", 3), (5, "broken", 6)]


def test_audiences_are_asked_before_and_once_they_have_taken_it_in(pact: Made):
    deal = pact.deal("loan_for_arms", "north", "rebels")
    pact.say(3, SETTLED, pact.promise(deal, "rebels"), KEPT_WORD, 1.0, 0.7)
    pact.set("north.rebels.credibility_word", 4, 0.7)  # step 2 of the turn after
    pact.set("east.rebels.credibility_word", 4, 0.6)
    rows = [row for row in pact.tables()["promise_beliefs"] if row["giver"] == "rebels"]
    assert [facts(row, "promise", "kind", "audience", "received_it", "before", "after") for row in rows] == [
        (2, "word", "east", False, 0.5, 0.6), (2, "word", "north", True, 0.5, 0.7),
    ]  # fmt: skip


def test_what_is_settled_in_the_last_turn_nobody_has_taken_in(pact: Made):
    deal = pact.deal("loan_for_arms", "north", "rebels")
    pact.say(TURNS, SETTLED, pact.promise(deal, "rebels"), KEPT_WORD, 1.0, 0.7)
    rows = pact.tables()["promise_beliefs"]
    assert {row["after"] for row in rows if row["giver"] == "rebels"} == {None}
    assert {row["after"] for row in rows if row["giver"] == "north"} == {0.5}  # pending: at the end


def test_a_counter_offer_stands_in_the_row_of_the_offer_that_it_answers(made: Made):
    deal, instead = (made.deal(name, "east", "rebels") for name in ("arms_first", "arms_later"))
    made.act(2, "east", "arms_first", "rebels")
    made.say(2, ANSWER, deal, COUNTERED, 0.4, 0.01, 0.02)
    made.say(2, REPLY, instead, 1, 0.6, 0.03)
    made.say(2, OWED, made.promise(instead, "east"), 3, NAN, 0.1, 0.0)
    made.say(2, OWED, made.promise(instead, "rebels"), 5, NAN, 0.1, 0.0)
    found = made.tables()
    (offer,) = found["offers"]
    assert facts(offer, "answer", "counter", "reply", "reply_probability", "reply_worth") == (
        "countered", "arms_later", "accepted", 0.6, 0.03,
    )  # fmt: skip
    assert [row["bargain"] for row in found["promises"]] == ["arms_later", "arms_later"]
    assert [row["due_turn"] for row in found["promises"]] == [3, 5]


def test_an_offer_that_lapses_keeps_the_numbers_of_when_it_was_considered(made: Made):
    deal = made.deal("loan_for_arms", "east", "rebels")
    made.act(1, "east", "loan_for_arms", "rebels")
    made.say(1, ANSWER, deal, REFUSED, 0.25, 0.01, 0.02)
    made.say(2, ANSWER, deal, LAPSED)
    made.act(5, "east", "loan_for_arms", "rebels")
    made.say(5, ANSWER, deal, LAPSED)
    first, second = made.tables()["offers"]
    assert facts(first, "answer", "considered", "probability") == ("lapsed", 1, 0.25)
    assert facts(second, "turn", "answer", "considered", "probability") == (5, "lapsed", 0, None)


# ------------------------------------------------------------------------------------------------- plain assurances


def sworn(made: Made, *turns: int, until: int = TURNS + 1) -> None:
    """The Rebels swear peace to the North in these turns; what they swore stands from the first until this turn."""
    for turn in turns:
        made.act(turn, "rebels", "swear", "north")
    made.set("rebels.north.promised_quiet", turns[0], 0.8)
    if until <= TURNS:
        made.set("rebels.north.promised_quiet", until, 0.01)


def only(made: Made) -> dict:
    (row,) = made.tables()["promises"]
    return row


def test_an_assurance_stands_from_its_act_and_is_renewed_while_it_stands(made: Made):
    sworn(made, 2, 4, 5)
    row = only(made)
    assert facts(row, "giver", "receiver", "kind", "given_turn", "given_by", "times") == (
        "rebels", "north", "quiet", 2, "swear", 3,
    )  # fmt: skip
    assert facts(row, "status", "settled_turn", "evidence") == ("pending", None, "stands; nothing has belied it")
    assert facts(row, "bargain", "action", "return_by", "due_turn", "stake") == (None,) * 5


def test_a_failed_act_promises_nothing(made: Made):
    made.act(2, "rebels", "swear", "north", succeeded=False)
    assert made.tables()["promises"] == []


def test_a_test_that_fails_breaks_it_and_the_next_oath_is_another_promise(made: Made):
    quiet = made.belief("north", "rebels", "quiet")
    sworn(made, 1, 3, 5)
    made.act(3, "north", "trust", "rebels")
    made.say(3, TESTED, quiet, 0, 0.5, 0.4)
    first, second = made.tables()["promises"]  # the oath of turn 3 comes after what breaks the first in that turn
    assert facts(first, "status", "settled_turn", "times") == ("broken", 3, 1)
    assert first["evidence"] == "did not hold when relied on: the North opens the border to the Rebels"
    assert facts(second, "given_turn", "times", "status") == (3, 2, "pending")


def test_a_test_that_holds_keeps_it_though_it_stands_on(made: Made):
    quiet = made.belief("north", "rebels", "quiet")
    sworn(made, 1)
    for turn in (1, 3, 6):  # that of turn 1 finds nothing promised yet
        made.act(turn, "north", "trust", "rebels")
        made.say(turn, TESTED, quiet, 1, 0.5, 0.4)
    row = only(made)
    assert facts(row, "status", "settled_turn") == ("kept", 6)
    assert row["evidence"] == "held when relied on, in 2 turns, last: the North opens the border to the Rebels"


def test_one_break_outweighs_every_test_that_held(made: Made):
    quiet = made.belief("north", "rebels", "quiet")
    sworn(made, 1)
    made.say(3, TESTED, quiet, 1, 0.5, 0.4)
    made.say(5, TESTED, quiet, 0, 0.5, 0.4)
    assert facts(only(made), "status", "settled_turn") == ("broken", 5)


def test_an_incident_breaks_what_was_promised_to_whom_it_befalls_alone(made: Made):
    sworn(made, 1)
    made.act(1, "rebels", "swear", "east")
    made.set("rebels.east.promised_quiet", 1, 0.8)
    made.incidents[0, 3, made.compiled.incidents.index(("raid", "north"))] = True  # turn 4
    made.set("north.rebels.credibility_quiet", 4, 0.2)  # taken in at once
    found = made.tables()
    rows = {row["receiver"]: row for row in found["promises"]}
    assert facts(rows["north"], "status", "settled_turn") == ("broken", 4)
    assert rows["north"]["evidence"] == "raiders cross the border (the North)"
    assert facts(rows["east"], "status", "settled_turn") == ("pending", None)
    seen = {
        row["audience"]: facts(row, "before", "after")
        for row in found["promise_beliefs"]
        if row["promise"] == rows["north"]["promise"]
    }
    assert seen == {"east": (0.5, 0.5), "north": (0.5, 0.2)}


def test_an_assurance_that_ran_out_unbelied_was_kept(made: Made):
    sworn(made, 2, until=6)
    assert facts(only(made), "status", "settled_turn", "evidence") == (
        "kept", 6, "ran out and nothing had belied it",
    )  # fmt: skip


def test_an_assurance_that_nothing_could_belie_and_nobody_tested_is_void(ready: Prepared, tmp_path: Path):
    text = "\n".join(line for line in WORLD.read_text(encoding="utf-8").splitlines() if "belies:" not in line)
    path = tmp_path / "unbelied.yaml"
    path.write_text(text.replace("hazard: 0.1,", "hazard: 0.1, effects: [{of: peace, add: -0.1}]}"), encoding="utf-8")
    made = Made(runs.prepare(path))
    sworn(made, 2, until=6)
    assert facts(only(made), "status", "settled_turn") == ("void", 6)


def test_what_is_promised_at_the_start_stands_from_turn_0(made: Made):
    made.set("rebels.east.promised_quiet", 0, 0.5)
    assert facts(only(made), "receiver", "given_turn", "given_date", "given_by") == ("east", 0, "2029-12", "start")


def test_a_dated_event_gives_an_assurance_that_stands_in_its_own_turn(tmp_path: Path):
    path = tmp_path / "dated.yaml"
    event = "timeline:\n  - {date: 2030-03, title: An oath, set: {rebels.north.promised_quiet: 1}}\n"
    path.write_text(WORLD.read_text(encoding="utf-8") + event, encoding="utf-8")
    made = Made(runs.prepare(path))
    made.set("rebels.north.promised_quiet", 3, 0.9)
    made.incidents[0, 2, made.compiled.incidents.index(("raid", "north"))] = True  # in the same turn
    assert facts(only(made), "given_turn", "given_by", "status", "settled_turn") == (3, "timeline", "broken", 3)


# ------------------------------------------------------------------------------------------------------------- fora


def test_a_session_has_a_row_for_each_member_with_what_it_moved(made: Made):
    east, north, rebels = 0, 1, 2
    for seat, came in ((east, 1), (north, 0), (rebels, 1)):
        made.say(1, ATTEND, seat, came, 0.5 + seat / 10, 0.01)
    made.say(1, SESSION, 0, -1, NAN, 2)
    made.say(1, MOVED, east, -1, NAN, 0.4, 0.02)
    made.say(1, MOVED, rebels, -1, NAN, 0.6, -0.02)
    for seat in (east, north, rebels):
        made.say(3, ATTEND, seat, int(seat == north), 1.0, 0.0)
    made.say(3, SESSION, 0, made.compiled.actors.index("north"), NAN, 1)
    rows = made.tables()["sessions"]
    assert [facts(row, "turn", "convener", "member", "came") for row in rows] == [
        (1, None, "east", True), (1, None, "north", False), (1, None, "rebels", True),
        (3, "north", "east", False), (3, "north", "north", True), (3, "north", "rebels", False),
    ]  # fmt: skip
    assert facts(rows[0], "run", "forum", "item", "probability", "worth", "before") == (
        4, "round_table", "line", 0.5, 0.01, 0.4,
    )  # fmt: skip
    assert [row["after"] for row in rows] == pytest.approx([0.42, None, 0.58, None, None, None], nan_ok=True)


def test_a_statement_says_who_stopped_it(made: Made):
    for turn, cast in ((1, (0, 0, 0)), (5, (1, 0, 1))):
        for row, veto in enumerate(cast):
            made.say(turn, VETO, row, veto, 0.3, 0.01)
        made.say(turn, OUTPUT, 0, int(not any(cast)), NAN, 0.1 * turn, sum(cast))
    assert [
        facts(row, "turn", "output", "spread", "vetoes", "vetoed_by", "followed") for row in made.tables()["statements"]
    ] == [(1, "truce", 0.1, 0, None, True), (5, "truce", 0.5, 2, "east rebels", False)]


# ------------------------------------------------------------------------------------------------------- whole runs


def test_the_tables_of_a_run_hang_together(small: runs.Run):
    offered = small.acts.to_pylist()
    made = [facts(row, "run", "turn", "actor", "action", "target") for row in offered if row["action"] in BARGAINS]
    offers = small.offers.to_pylist()
    assert [facts(row, "run", "turn", "proposer", "bargain", "target") for row in offers] == made
    tally = {facts(row, "kind", "name", "event"): row["times"] for row in small.tally.to_pylist()}
    promises = small.promises.to_pylist()
    for name in BARGAINS:
        assert tally["bargain", name, "offered"] == sum(row["bargain"] == name for row in offers)
        struck = {facts(row, "run", "given_turn", "return_by") for row in promises if row["bargain"] == name
                  and row["action"] == "lend" and row["giver"] in ("north", "east")}  # fmt: skip
        assert bool(tally["bargain", name, "struck"]) == bool(struck)
        for status in ("kept", "broken", "void"):
            of = [row for row in promises if row["bargain"] == name and row["status"] == status]
            assert tally["bargain", name, status] == len(of)
    agreed = sum(row["answer"] == "accepted" or row["reply"] == "accepted" for row in offers)
    assert agreed == sum(tally["bargain", name, "struck"] for name in BARGAINS)
    assert agreed == sum(row["action"] == "disarm" for row in promises)
    sessions = {facts(row, "run", "turn") for row in small.sessions.to_pylist()}
    assert tally["forum", "round_table", "session"] == len(sessions)
    assert tally["forum", "round_table", "statement"] == sum(row["followed"] for row in small.statements.to_pylist())
    assert min(tally.values()) > 0  # nothing of the above was about nothing


BARGAINS = ("arms_first", "arms_later", "loan_for_arms")


def test_every_promise_has_its_audiences_and_numbers_run_from_0(small: runs.Run):
    promises = small.promises.to_pylist()
    for run in range(60):
        assert [row["promise"] for row in promises if row["run"] == run] == list(
            range(sum(row["run"] == run for row in promises))
        )
    beliefs = small.promise_beliefs.to_pylist()
    assert len(beliefs) == 2 * len(promises)
    receivers = {facts(row, "run", "promise"): row["receiver"] for row in promises}
    assert all((receivers[facts(row, "run", "promise")] == row["audience"]) == row["received_it"] for row in beliefs)
    assert {row["status"] for row in promises} == set(register.STATUSES)


def test_what_was_kept_raises_and_what_was_broken_lowers_the_receivers_belief(small: runs.Run):
    """Of bargained promises that stand alone between the two: nothing else speaks of them then."""
    promises = [row for row in small.promises.to_pylist() if row["kind"] == "word"]
    after = {facts(row, "run", "promise"): row for row in small.promise_beliefs.to_pylist() if row["received_it"]}
    alone = [
        row
        for row in promises
        if sum(facts(other, "run", "giver") == facts(row, "run", "giver") for other in promises) == 1
    ]
    moved = {"kept": 0, "broken": 0}
    for row in alone:
        belief = after[facts(row, "run", "promise")]
        if row["status"] in moved and belief["after"] is not None:
            moved[row["status"]] += 1
            assert (belief["after"] > belief["before"]) == (row["status"] == "kept")
    assert min(moved.values()) > 0


def test_tables_do_not_depend_on_how_runs_are_batched(ready: Prepared):
    whole = register.dealings(ensemble(ready.compiled, 5, range(12)), ready.compiled, ready.legend)
    parts = [ensemble(ready.compiled, 5, range(first, first + 4)) for first in (0, 4, 8)]
    pieces = [register.dealings(part, ready.compiled, ready.legend) for part in parts]
    for name, table in whole.items():
        together = store.TableHash(table.schema)
        for piece in pieces:
            together.update(piece[name])
        assert together.hexdigest() == store.table_hash(table), name


def test_runs_out_of_order_keep_their_own_promises(ready: Prepared):
    backwards = register.dealings(ensemble(ready.compiled, 5, [9, 3]), ready.compiled, ready.legend)
    for run in (3, 9):
        alone = register.dealings(ensemble(ready.compiled, 5, [run]), ready.compiled, ready.legend)
        for name, table in alone.items():
            assert [row for row in backwards[name].to_pylist() if row["run"] == run] == table.to_pylist()


def test_a_scenario_without_bargains_and_fora_has_empty_tables(minimal: Compiled):
    ready = runs.prepare("minimal")
    found = register.dealings(ensemble(minimal, 5, range(4)), minimal, ready.legend)
    assert [found[name].num_rows for name in ("offers", "sessions", "statements")] == [0, 0, 0]
    assert {row["kind"] for row in found["promises"].to_pylist()} == {"quiet"}
    frozen = register.dealings(ensemble(minimal, 5, range(4), policy="frozen"), minimal, ready.legend)
    for name in register.TABLES:
        assert frozen[name].num_rows == 0
        assert frozen[name].schema == found[name].schema, name


def test_replay_and_export_know_the_new_tables(small: runs.Run, tmp_path: Path):
    again = runs.replay(small.folder, 17)
    assert again.same
    assert set(register.TABLES) <= set(again.compared)
    written = {path.stem: rows for path, rows in runs.export_csv(small, tmp_path)}
    assert {*register.TABLES, "tally"} <= written.keys()
    assert written["promises"] == small.promises.num_rows


def test_above_a_thousand_runs_the_tally_is_kept_and_the_rows_are_not(tmp_path: Path):
    done = runs.run(WORLD, runs=1001, figures=False, out=tmp_path / "many")
    assert done.tally["of"].to_pylist()[0] == 1001
    assert "promises.parquet" not in done.manifest["tables"]
    few = runs.run(WORLD, runs=1001, full=True, figures=False, out=tmp_path / "all")
    assert store.table_hash(few.tally) == store.table_hash(done.tally)
    assert few.promises.num_rows > 1001

"""A game: a person chooses for one actor, turn by turn, and the model for the others.

`start` begins one in a folder and `again` goes on with one that was left. A `Game` tells what its actor sees (`Seat`,
plain data), takes a `seats.Choice`, brings it to the disk and steps the world; at the end it writes a run folder like
any other. What is seen is a copy of the world in which the turn to come has begun, so looking changes nothing; what is
chosen is entered by the player that replays choices from a file. Knows neither the terminal nor a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sim import apart, bargains, decision, meetings, players, rules, runs, seats, store
from sim.arrays import History
from sim.decision import Parts
from sim.errors import BadInput, FolderProblem
from sim.seats import Choice, Choices
from sim.world import Actor, Done, Offer, Option, Player, World

if TYPE_CHECKING:
    from sim.runs import Prepared, Run

FELT = 0.0005  # a change of regard that is told


class PlayedElsewhere(FolderProblem):
    """The folder holds another turn than this game: it was gone on with elsewhere, and is to be opened again."""


# ------------------------------------------------------------------------------------------------ what is seen


@dataclass(frozen=True)
class Interest:
    """What the actor wants of an indicator. now: at the beginning of the turn. change: over the turn before, dated
    events and incidents of this one included. ideal, salience: as they stand."""

    name: str
    path: str
    now: float
    change: float
    ideal: float
    salience: float


@dataclass(frozen=True)
class Owed:
    """What is owed by a bargain to the actor, or by it. due: a turn."""

    giver: str
    receiver: str
    action: str
    target: str | None
    due: int


@dataclass(frozen=True)
class OnTable:
    """An offer to the actor. worth: of it to the actor. odds: with which the model would accept, 0..1."""

    offer: Offer
    worth: float
    odds: float


@dataclass(frozen=True)
class Open:
    """An option that is open. effort: attention that it takes. felt: whose regard for the actor is expected to change
    by how much, the greatest first; nothing below `FELT`."""

    option: Option
    effort: float
    felt: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Meeting:
    """A forum in which the actor has a seat. meets: this turn, by its dates; else whether it may be convened."""

    forum: str
    meets: bool
    convenable: bool


@dataclass(frozen=True)
class Seat:
    """What an actor sees at the beginning of a turn; nothing in it can be changed.

    events, incidents: of this turn, before anyone chooses; incidents with whom they befall. acts: of the turn before.
    said: of the turn before, rows of `World.said`. beliefs: giver, kind, credibility. options: best first.
    """

    actor: str
    turn: int
    turns: int
    events: tuple[str, ...]
    incidents: tuple[tuple[str, str | None], ...]
    acts: tuple[Done, ...]
    said: tuple[tuple[int, int, int], ...]
    interests: tuple[Interest, ...]
    beliefs: tuple[tuple[str, str, float], ...]
    promises: tuple[Owed, ...]
    offers: tuple[OnTable, ...]
    meetings: tuple[Meeting, ...]
    options: tuple[Open, ...]
    attention: float

    def shares(self, acts: Sequence[seats.Name]) -> tuple[list[float], float]:
        """The probability that each of these acts comes about, named in this order, and the attention that is left:
        1 while attention lasts; what is left / effort for the one that needs more; 0 after it."""
        efforts = {(one.option.action, one.option.target): one.effort for one in self.options}
        left, found = self.attention, []
        for act in acts:
            found.append(min(1.0, left / efforts[act]) if efforts[act] > 0.0 else 1.0)
            left = max(left - efforts[act], 0.0)
        return found, left


def choice(options: Sequence[Option], answers: Mapping[seats.Deal, bool], coming: Mapping[str, bool]) -> Choice:
    """What a person chooses in a turn. options: in order. answers: whether an offer is accepted; coming: whether the
    actor comes to a forum if it meets; what is left out waits, or is left to the model."""
    return Choice(
        acts=tuple((option.action, option.target) for option in options),
        accept=tuple(deal for deal, yes in answers.items() if yes),
        refuse=tuple(deal for deal, yes in answers.items() if not yes),
        attend=tuple(forum for forum, yes in coming.items() if yes),
        stay_away=tuple(forum for forum, yes in coming.items() if not yes),
        waits=True,
    )


def _seen(actor: Actor, ready: Prepared) -> Seat:
    """What an actor sees in a world in which the turn has begun."""
    world, compiled = actor.model, actor.model.compiled
    T, S, turn = world.tables, world.state, world.turn
    options = actor.appraise()
    values, earlier = world.values, world.earlier
    deals = seats.deals_for(compiled, actor.index)
    eyes = apart.eyes(T, S, compiled, actor.index)
    opened = [
        Open(option, float(T.effort[T.option_action[option.number]]), tuple(_felt(eyes, option)))
        for option in sorted(options, key=lambda option: -option.utility)
    ]
    promises = []
    for p, (_, giver, receiver, _) in enumerate(compiled.promises):
        if S.due[p, 0] > 0 and actor.name in (giver, receiver):
            _, action, target = compiled.options[T.promise_option[p]]
            promises.append(Owed(giver, receiver, action, target, int(S.due[p, 0])))
    offers = []
    for offer in actor.offers:
        d = deals[offer.bargain, offer.proposer]
        gain = bargains.to_target(T, S, d, False, 0)
        accept, _, _ = bargains.answer_odds(T, S, d, False, 0)
        offers.append(OnTable(offer, float(gain), float(rules.logistic(accept))))
    return Seat(
        actor=actor.name,
        turn=turn,
        turns=ready.turns,
        events=tuple(title for when, _, title in ready.legend.injects if when == turn),
        incidents=tuple((name, whom) for when, name, whom in world.happened if when == turn),
        acts=tuple(act for act in world.acts if act.turn == turn - 1),
        said=tuple(world.said),
        interests=tuple(
            Interest(name, path, values[path], values[path] - earlier[path], ideal, salience)
            for name, (path, ideal, salience) in actor.interests.items()
        ),
        beliefs=tuple((giver, kind, credible) for (giver, kind), credible in actor.beliefs.items()),
        promises=tuple(promises),
        offers=tuple(offers),
        meetings=tuple(
            Meeting(
                forum,
                bool(meetings.dated_session(T, compiled.fora.index(forum), turn)),
                bool(meetings.convenable(T, S, compiled.fora.index(forum), 0)),
            )
            for forum in actor.fora
        ),
        options=tuple(opened),
        attention=seats.attention(compiled, S, actor.index),
    )


def _felt(eyes: apart.Eyes, option: Option) -> list[tuple[str, float]]:
    """How each who regards the actor is expected to take an act: the change of its regard, the greatest first."""
    T, S, compiled = eyes.tables, eyes.state, eyes.compiled
    moves = apart.act(eyes, option.number)[2]
    seen = float(T.visibility[T.option_action[option.number]])
    found = []
    for p in range(int(T.seen_start[eyes.x]), int(T.seen_start[eyes.x + 1])):
        o = int(T.seen_actor[p])
        tried = _gain(eyes, o, [move for move in moves if move.attempt])
        gain = option.chance * _gain(eyes, o, moves) + (1.0 - option.chance) * tried
        change = rules.regard_change(float(T.responsiveness[o]), seen * gain, float(S.x[T.seen_slot[p], 0]))
        if abs(change) >= FELT:
            found.append((compiled.actors[o], float(change)))
    return sorted(found, key=lambda row: -abs(row[1]))


def _gain(eyes: apart.Eyes, o: int, moves: Sequence[apart.Move]) -> float:
    """What these moves are worth to an onlooker at once, as regard counts it (odd.md, step 7)."""
    T, S, sums = eyes.tables, eyes.state, dict[str, float]()
    for move in moves:
        if move.after == 0:
            sums[move.path] = sums.get(move.path, 0.0) + move.change
    gain = 0.0
    for h in range(int(T.interest_start[o]), int(T.interest_start[o + 1])):
        s = int(T.interest_slot[h])
        change = sums.get(eyes.compiled.paths[s])
        if change is not None:
            x, low, high = float(S.x[s, 0]), float(T.low[s]), float(T.high[s])
            then = x + rules.step(x, change, low, high)
            gain += rules.gain(float(T.salience[h]), apart.ideal(T, S, h), x, then, high - low, float(T.risk[o]))
    return gain


# ------------------------------------------------------------------------------------------------ the game


def start(
    ready: Prepared,
    name: str,
    actor: str,
    seed: int = 1,
    run: int = 0,
    sets: Sequence[str] = (),
    policy: str | None = None,
    others: Sequence[str] = (),
    out: str | Path | None = None,
    parent: str | Path = "runs",
    source: str | Path | None = None,
) -> Game:
    """A new game in a folder of its own.

    ready: the scenario, for as many turns as are played; name: what it is called. run: number of the run. sets: what
    was set in it, policy: of the others, as they were asked for. others: `ACTOR=FILE.py:CLASS`. out: the folder, new or
    empty; `<parent>/<name>-<n>` if left out. source: where the scenario came from. Raises BadInput, FolderProblem or
    StorageProblem.
    """
    runs.check_options(1, seed, policy, None)
    if not 0 <= run < 2**32:
        raise BadInput(f"--run {run}: must be 0..2^32 - 1")
    known = ready.compiled.actors
    if actor not in known:
        raise BadInput(f"--as {actor}: no such actor; the actors are {', '.join(known)}")
    loaded = _others(others, actor, known)
    seated = [one for one in known if one == actor or any(player.actor == one for player in loaded)]
    made = Choices(
        name, store.text_hash(ready.text), seed, run, 1, ready.turns, seated, list(sets), policy, list(others)
    )
    with store.Folder.create(out) if out is not None else store.Folder.numbered(parent, name) as folder:
        folder.write_text(runs.SCENARIO, ready.text)
        folder.write_text(seats.FILE, made.text())
        folder.kept = True
    return Game(folder.path, ready, actor, made, loaded, source or name)


def again(path: str | Path, others: Sequence[str] = ()) -> Game:
    """A game that was left, at the turn after the last one that is whole on the disk. others: as when it began."""
    path = store.unfinished(path)
    made, scenario = chosen(path), path / runs.SCENARIO
    ready = runs.prepare(scenario, turns=made.turns)
    seats.check(made, ready.compiled, store.text_hash(scenario.read_text(encoding="utf-8")), path / seats.FILE)
    if sorted(others) != sorted(made.players):
        was = "".join(f" --player {told}" for told in made.players) or " without --player"
        raise BadInput(f"{path}: played{was}; go on with the same")
    actor = person(made.actors, made.players)
    return Game(path, ready, actor, made, _others(others, actor, ready.compiled.actors), made.scenario)


def chosen(path: Path) -> Choices:
    """What was chosen in the whole turns of an unfinished game.

    Raises FolderProblem where there is none, BadInput for a file that is spoilt.
    """
    file = path / seats.FILE
    if not file.is_file() or not (path / runs.SCENARIO).is_file():
        raise FolderProblem(f"{path}: no game that was left")
    made = seats.read(file, part=True)
    actor = person(made.actors, made.players)
    if not actor:
        raise FolderProblem(f"{file}: a game has the seat of one person; here are {', '.join(made.actors) or 'none'}")
    last = max((turn for _, name, turn in made.made if name == actor), default=0)
    return replace(made, made={key: choice for key, choice in made.made.items() if key[2] <= last})


def person(actors: Sequence[str], players: Sequence[str]) -> str:
    """The one of those who choose that no code plays; empty where that is not one. players: `ACTOR=FILE.py:CLASS`."""
    code = {told.partition("=")[0] for told in players}
    found = [name for name in actors if name not in code]
    return found[0] if len(found) == 1 else ""


def _others(told: Sequence[str], actor: str, known: Sequence[str]) -> list[players.Loaded]:
    loaded = players.load(told, known)
    if any(player.actor == actor for player in loaded):
        raise BadInput(f"--player {actor}=...: {actor} is played by you (--as)")
    return loaded


class Game:
    """A game under way: see `start` and `again`.

    seat: what its actor sees now; None once the last turn is over. Used as a context it holds the folder until it is
    left; else only while it writes there. An error out of `choose` may leave it in the midst of a turn, to be opened
    again; that the choice cannot be made does not.
    """

    def __init__(
        self,
        path: Path,
        ready: Prepared,
        actor: str,
        made: Choices,
        loaded: Sequence[players.Loaded],
        source: str | Path,
    ) -> None:
        self.path, self.ready, self.actor, self.made, self.source = path, ready, actor, made, source
        self.seat: Seat | None = None
        self._loaded = loaded
        self._folder: store.Folder | None = None
        self._began = time.monotonic()
        self._left_at = made.last
        self._script = made.of(0)
        seated: dict[str, Player] = {player.actor: self._going_on(player) for player in loaded}
        seated |= players.scripted([actor], self._script)
        self._world = World(ready.compiled, made.seed, made.run, made.policy, seated)
        for _ in range(self._left_at):
            players.step(self._world, loaded)
        self._look()

    def __enter__(self) -> Game:
        self._folder = store.Folder.again(self.path)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._folder is not None:
            self._folder.__exit__(kind, error, at)
            self._folder = None

    @property
    def last(self) -> int:
        """The last turn that is over."""
        return self._world.turn

    def history(self) -> History:
        """What has come of the turns that are over, as an ensemble tells it, under the number 0."""
        return self._world.history()

    def wrong(self, choice: Choice, called: Callable[[seats.Name], str] = seats.named) -> str | None:
        """Why a choice cannot be made now; None: it can. called: what an act is called in the answer."""
        world = self._me.model
        return seats.wrong(world.compiled, world.state, self._me.index, world.turn, choice, called)

    def apart(self, number: int) -> Parts:
        """An open option by its number, taken apart."""
        return decision.taken_apart(self._desk, number - self._desk.first)

    def choose(self, choice: Choice) -> None:
        """End the turn with a choice, which is on the disk when this returns. A person's choice always `waits`.

        Raises BadInput for one that cannot be made, PlayedElsewhere where the folder holds another turn, and
        FolderProblem or StorageProblem.
        """
        if self.seat is None:
            raise BadInput("The last turn is over.")
        choice, turn = replace(choice, waits=True), self.seat.turn
        why = self.wrong(choice)
        if why is not None:
            raise BadInput(f"That cannot be: {why}.")
        with self._held() as folder:
            self._script[self.actor, turn] = choice
            players.step(self._world, self._loaded)
            # The person's last: with it the turn is whole.
            new = sorted((row for row in self._world.chosen if row[1] == turn), key=lambda row: row[0] == self.actor)
            folder.append(seats.FILE, "".join(seats.line(0, *row) for row in new))
            self.made.made.update({(0, who, turn): one for who, _, one in new})
        self._look()

    def finish(self, figures: bool = True) -> Run:
        """Write the run folder, once the last turn is over."""
        made = self.made
        with self._held() as folder:
            return runs.write(
                folder, self.ready, [self.history()], self.source, 1, made.seed, made.sets, made.policy, False, figures,
                self._began, chosen=made,
            )  # fmt: skip

    def _look(self) -> None:
        """See the turn to come."""
        self.seat = None
        if self._world.turn < self.ready.turns:
            self._me = self._world.ahead(self.actor)
            world = self._me.model
            self.seat = _seen(self._me, self.ready)
            self._desk = decision.Desk(world.compiled, world.state, self._me.index, int(world.key), world.turn)

    @contextmanager
    def _held(self) -> Iterator[store.Folder]:
        """The folder, held, with the turns on its disk that this game has and no part of another."""
        if self._folder is not None:
            yield self._as_here(self._folder)
        else:
            with store.Folder.again(self.path) as folder:
                yield self._as_here(folder)

    def _as_here(self, folder: store.Folder) -> store.Folder:
        found = chosen(self.path)
        if found != self.made:
            raise PlayedElsewhere(f"{self.path}: gone on with elsewhere, from turn {min(found.last, self.last) + 1} on")
        lines = (self.path / seats.FILE).read_text(encoding="utf-8")
        if not lines.endswith("\n") or lines.count("\n") != 1 + len(found.made):
            folder.write_text(seats.FILE, found.text())  # without what was cut short
        return folder

    def _going_on(self, player: players.Loaded) -> Player:
        """A player that goes on: in the turns that are played already it chooses what it chose."""
        game = self

        class Again(player.kind):  # type: ignore[name-defined]
            def decide(self, options: Sequence[Option]) -> Choice:
                now: Choice = super().decide(options)
                turn = self.model.turn
                return now if turn > game._left_at else game.made.made.get((0, self.name, turn), seats.MODEL)

        return Again

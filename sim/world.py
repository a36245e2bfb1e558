"""Mesa on the same rules: a `World` and its `Actor`s.

An actor appraises its options, chooses and acts by the kernel's own functions on its own rows, so a `World` and an
ensemble agree bit for bit. A subclass of `Actor` may override `choose`, `reply` and `attend` (a script, a person, any
other player) without touching the rules. What players choose is noted as data (`sim.seats`), by which a run is had
again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np

from sim import kernel, seats
from sim.arrays import FROZEN, Acts, Compiled, History, State, Tables, Talks
from sim.compile import compile_scenario
from sim.scenario import Scenario
from sim.seats import MODEL, Choice


@dataclass(frozen=True)
class Option:
    """What an actor can do this turn, and what the model makes of it."""

    number: int
    action: str
    target: str | None
    chance: float
    utility: float  # expected utility


@dataclass(frozen=True)
class Offer:
    """An offer that lies on the table: `proposer` gives the act `give` if it is promised the act `ask`."""

    bargain: str
    proposer: str
    give: tuple[str, str, str | None]  # actor, action, target
    ask: tuple[str, str, str | None]
    give_after: int  # turns from acceptance until it is due
    ask_after: int
    last: int  # turn in which it can still be answered


@dataclass(frozen=True)
class Done:
    """An act that was done."""

    turn: int
    actor: str
    action: str
    target: str | None
    chance: float
    succeeded: bool
    utility: float
    probability: float


class Actor(mesa.Agent):
    """One who decides. `self.name` is its id in the scenario, `self.index` its row in the tables.

    A player overrides `choose`, `reply`, `attend`; or `decide`, which asks them. waits: see `seats.Choice`.
    """

    waits = False

    def __init__(self, model: World, name: str, index: int) -> None:
        super().__init__(model)
        self.name, self.index = name, index

    @property
    def interests(self) -> dict[str, tuple[str, float, float]]:
        """By name: the indicator's path, the ideal point now, the salience."""
        world, T = self.model, self.model.tables
        found = {}
        for h in range(T.interest_start[self.index], T.interest_start[self.index + 1]):
            ideal = T.ideal[h] if T.ideal_slot[h] < 0 else world.state.x[T.ideal_slot[h], 0]
            found[world.compiled.interests[h][1]] = (
                world.compiled.paths[T.interest_slot[h]],
                float(ideal),
                float(T.salience[h]),
            )
        return found

    @property
    def beliefs(self) -> dict[tuple[str, str], float]:
        """Credibility, 0..1, of each promise it can receive, by (giver, kind)."""
        S = self.model.state
        return {
            (giver, kind): float(S.alpha[b, 0] / (S.alpha[b, 0] + S.beta[b, 0]))
            for b, (receiver, giver, kind) in enumerate(self.model.compiled.beliefs)
            if receiver == self.name
        }

    @property
    def regard(self) -> dict[str, float]:
        """How warmly it sees each of those towards whom it has a regard, -1..1."""
        end = ".regard"
        return {
            path[len(self.name) + 1 : -len(end)]: float(self.model.state.x[s, 0])
            for s, path in enumerate(self.model.compiled.paths)
            if path.startswith(f"{self.name}.") and path.endswith(end)
        }

    def appraise(self) -> list[Option]:
        """The options whose conditions hold, with chance and expected utility."""
        world = self.model
        T, S = world.tables, world.state
        kernel.appraise(T, S, self.index)
        first = int(T.option_start[self.index])
        return [
            Option(
                o,
                world.compiled.options[o][1],
                world.compiled.options[o][2],
                float(S.odds[o - first, 0]),
                float(S.utility[o - first, 0]),
            )
            for o in range(first, int(T.option_start[self.index + 1]))
            if S.available[o - first, 0]
        ]

    @property
    def offers(self) -> list[Offer]:
        """What lies on the table before it."""
        world = self.model
        T, options, S = world.tables, world.compiled.options, world.state
        lying = seats.offered(world.compiled, S, self.index, world.turn)
        return [
            Offer(
                *deal,
                options[T.promise_option[T.deal_promise[d]]],
                options[T.promise_option[T.deal_promise[d + 1] - 1]],
                int(T.promise_after[T.deal_promise[d]]),
                int(T.promise_after[T.deal_promise[d + 1] - 1]),
                int(S.table[d, 0]),
            )
            for deal, d in lying.items()
        ]

    @property
    def fora(self) -> list[str]:
        """Those in which it has a seat."""
        return list(seats.seats_of(self.model.compiled, self.index))

    def choose(self, options: Sequence[Option]) -> list[Option] | None:
        """Which of the options to take, in order; None leaves the choice to the model (quantal response)."""
        return None

    def reply(self, offer: Offer) -> bool | None:
        """Whether to accept an offer that lies on the table; None leaves the answer to the model, or, where `waits`,
        to a later turn."""
        return None

    def attend(self, forum: str) -> bool | None:
        """Whether to come, should the forum meet this turn; None leaves that to the model."""
        return None

    def decide(self, options: Sequence[Option]) -> Choice:
        """All that it chooses in a turn."""
        chosen = self.choose(options)
        answers = {(offer.bargain, offer.proposer): self.reply(offer) for offer in self.offers}
        coming = {forum: self.attend(forum) for forum in self.fora}
        return Choice(
            acts=None if chosen is None else tuple((option.action, option.target) for option in chosen),
            accept=tuple(deal for deal, yes in answers.items() if yes),
            refuse=tuple(deal for deal, yes in answers.items() if yes is False),
            attend=tuple(forum for forum, yes in coming.items() if yes),
            stay_away=tuple(forum for forum, yes in coming.items() if yes is False),
            waits=self.waits,
        )

    def step(self) -> None:
        """Appraise, choose, and hand the acts to the world, where all happen at once."""
        world = self.model
        T, S, i = world.tables, world.state, self.index
        if type(self) is Actor:
            if T.policy[i] != FROZEN:
                kernel.appraise(T, S, i)
                kernel.choose(T, S, i, world.key, world.turn, True)
            return
        choice = self.decide(self.appraise())
        kernel.appraise(T, S, i)  # whatever a player looked at, what it chose from stands in the rows again
        seats.enter(world.compiled, S, world.key, world.turn, i, choice)
        if choice.acts is None:
            kernel.choose(T, S, i, world.key, world.turn, True)
        if choice != MODEL:
            world.chosen.append((self.name, world.turn, choice))


Player = Callable[["World", str, int], Actor]  # a subclass of Actor, or what makes one


class World(mesa.Model):
    """One run of a scenario, stepped turn by turn.

    scenario: checked (`sim.scenario.read`) or already compiled. seed: 0 <= seed < 2**64; run: the run's number, so that
    the same pair gives the history that an ensemble gives. players: subclasses of Actor, or what makes one, by actor
    id; `chosen` is what they chose: actor, turn, choice.
    """

    def __init__(
        self,
        scenario: Scenario | Compiled,
        seed: int = 1,
        run: int = 0,
        policy: str | None = None,
        players: Mapping[str, Player] | None = None,
    ) -> None:
        super().__init__(rng=seed % 2**32)  # Mesa's own generator, which the model never draws from
        compiled = scenario if isinstance(scenario, Compiled) else compile_scenario(scenario)
        self.compiled = compiled.with_policy(policy)
        self.key, self.turn = np.uint64(seed), 0
        self.state: State = kernel.new_state(self.compiled, [run])
        kernel.begin(self.tables, self.state)
        self.happened: list[tuple[int, str, str | None]] = []
        self.acts: list[Done] = []
        self.chosen: list[tuple[str, int, Choice]] = []
        self._turns: list[dict[str, Any]] = []
        self._record()
        self.actors = [(players or {}).get(name, Actor)(self, name, i) for i, name in enumerate(self.compiled.actors)]
        self.running = True

    @property
    def tables(self) -> Tables:
        return self.compiled.tables

    @property
    def values(self) -> dict[str, float]:
        """The indicators by path."""
        return dict(zip(self.compiled.paths, self.state.x[:, 0].tolist(), strict=True))

    @property
    def earlier(self) -> dict[str, float]:
        """The indicators a turn before those at the start of the turn under way; at the start, the start."""
        row = self._turns[max(self.turn - 2, 0)]
        return dict(zip(self.compiled.paths, row["states"].tolist(), strict=True))

    @property
    def said(self) -> list[tuple[int, int, int]]:
        """Kind, row and result (`arrays.Talks`) of what was answered, settled and agreed in the last whole turn."""
        return [(int(kind), int(row), int(result)) for kind, row, result in self._turns[-1]["talk"]]

    def step(self) -> None:
        """One turn: what happens unchosen, each actor's step, then everything the actors do, at once."""
        T, S = self.tables, self.state
        self._open()
        for actor in self.actors:
            actor.step()
        kernel.close_turn(T, S, self.key, self.turn)
        self.acts += [self._done(n) for n in range(int(S.taken[0]))]
        self._record()
        self.running = self.turn < self.compiled.turns

    def _open(self) -> None:
        """Begin a turn: what happens unchosen."""
        self.turn += 1
        kernel.open_turn(self.tables, self.state, self.key, self.turn)
        names, now = self.compiled.incidents, self.state.happened
        self.happened = [*self.happened, *((self.turn, *names[n]) for n in range(len(names)) if now[n, 0])]

    def ahead(self, name: str) -> Actor:
        """An actor as it will find itself in the turn to come: in a copy of this world in which that turn has begun,
        to be looked at and not stepped. Nothing changes here."""
        begun = copy.copy(self)
        begun.state = self.state.replaced(**{what: rows.copy() for what, rows in self.state.arrays().items()})
        begun._open()
        actor = copy.copy(self.actors[self.compiled.actors.index(name)])
        actor.model = begun
        return actor

    def _done(self, n: int) -> Done:
        S = self.state
        actor, action, target = self.compiled.options[S.act[0, n]]
        numbers: list[Any] = [S.act_odds[0, n], S.act_utility[0, n], S.act_probability[0, n]]
        chance, utility, probability = map(float, numbers)
        return Done(self.turn, actor, action, target, chance, bool(S.act_done[0, n]), utility, probability)

    def _record(self) -> None:
        """Keep what a history tells of the turn."""
        S = self.state
        taken, told = int(S.taken[0]), int(S.told[0])
        row = {"states": S.x[:, 0], "alpha": S.alpha[:, 0], "beta": S.beta[:, 0], "incidents": S.happened[:, 0]}
        row |= {"option": S.act[0, :taken], "succeeded": S.act_done[0, :taken], "chance": S.act_odds[0, :taken]}
        row |= {"utility": S.act_utility[0, :taken], "probability": S.act_probability[0, :taken]}
        row |= {"talk": S.talk[0, :told], "number": S.talk_number[0, :told]}
        self._turns.append({name: values.copy() for name, values in row.items()})

    def history(self, name: int = 0) -> History:
        """What has come of the run so far, as an ensemble tells it, under this number."""

        def each(what: str, later: bool = False) -> np.ndarray:
            return np.array([row[what] for row in self._turns[later:]])[None]

        def all_(what: str) -> np.ndarray:
            return np.concatenate([row[what] for row in self._turns])

        def turns(what: str) -> np.ndarray:
            counts = [len(row[what]) for row in self._turns]
            return np.repeat(np.arange(len(counts), dtype=np.int32), counts)

        acts = {what: all_(what) for what in ("option", "chance", "succeeded", "utility", "probability")}
        talk, number = all_("talk"), all_("number")
        incidents = np.zeros((1, self.turn, len(self.compiled.incidents)), dtype=np.bool_)
        if self.turn:
            incidents[:] = each("incidents", later=True)
        return History(
            np.array([name]), each("states"), each("alpha"), each("beta"), incidents,
            Acts(run=np.full(len(acts["option"]), name), turn=turns("option"), **acts),
            Talks(np.full(len(talk), name), turns("talk"), *(talk[:, n] for n in range(3)),
                  *(number[:, n] for n in range(3))),
        )  # fmt: skip

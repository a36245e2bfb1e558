"""Mesa on the same rules: a `World` and its `Actor`s.

An actor appraises its options, chooses and acts by the kernel's own functions on its own rows, so a `World` and an
ensemble agree bit for bit. A subclass of `Actor` may override `choose` (a script, a person, any other player) without
touching the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mesa
import numpy as np

from sim import kernel
from sim.arrays import FROZEN, Compiled, State, Tables
from sim.compile import compile_scenario
from sim.scenario import Scenario


@dataclass(frozen=True)
class Option:
    """What an actor can do this turn, and what the model makes of it."""

    number: int
    action: str
    target: str | None
    chance: float
    utility: float  # expected utility


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
    """One who decides. `self.name` is its id in the scenario, `self.index` its row in the tables."""

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

    def choose(self, options: Sequence[Option]) -> list[Option] | None:
        """Which of the options to take, in order; None leaves the choice to the model (quantal response)."""
        return None

    def step(self) -> None:
        """Appraise, choose, and hand the acts to the world, where all happen at once."""
        if self.model.tables.policy[self.index] == FROZEN and type(self).choose is Actor.choose:
            return
        options = self.appraise()
        chosen = self.choose(options)
        if chosen is None:
            world = self.model
            kernel.choose(world.tables, world.state, self.index, world.key, world.turn, True)
        else:
            self.model.take(chosen)


class World(mesa.Model):
    """One run of a scenario, stepped turn by turn.

    scenario: checked (`sim.scenario.read`) or already compiled. seed: 0 <= seed < 2**64; run: the run's number, so that
    the same pair gives the history that an ensemble gives. players: subclasses of Actor by actor id.
    """

    def __init__(
        self,
        scenario: Scenario | Compiled,
        seed: int = 1,
        run: int = 0,
        policy: str | None = None,
        players: Mapping[str, type[Actor]] | None = None,
    ) -> None:
        super().__init__(rng=seed % 2**32)  # Mesa's own generator, which the model never draws from
        compiled = scenario if isinstance(scenario, Compiled) else compile_scenario(scenario)
        self.compiled = compiled.with_policy(policy)
        self.key, self.turn = np.uint64(seed), 0
        self.state: State = kernel.new_state(self.compiled, [run])
        kernel.begin(self.tables, self.state)
        self.happened: list[tuple[int, str, str | None]] = []
        self.acts: list[Done] = []
        self.actors = [(players or {}).get(name, Actor)(self, name, i) for i, name in enumerate(self.compiled.actors)]
        self.running = True

    @property
    def tables(self) -> Tables:
        return self.compiled.tables

    @property
    def values(self) -> dict[str, float]:
        """The indicators by path."""
        return dict(zip(self.compiled.paths, self.state.x[:, 0].tolist(), strict=True))

    def take(self, options: Sequence[Option]) -> None:
        """Enter acts into the turn, as they stand: what an overriding `choose` returned."""
        S = self.state
        for option in options:
            n = int(S.taken[0])
            S.act[0, n], S.act_odds[0, n], S.act_utility[0, n] = option.number, option.chance, option.utility
            S.act_probability[0, n] = np.nan
            S.taken[0] += 1

    def step(self) -> None:
        """One turn: what happens unchosen, each actor's step, then everything the actors do, at once."""
        T, S = self.tables, self.state
        self.turn += 1
        kernel.open_turn(T, S, self.key, self.turn)
        names = self.compiled.incidents
        self.happened += [(self.turn, *names[n]) for n in range(len(names)) if S.happened[n, 0]]
        for actor in self.actors:
            actor.step()
        kernel.close_turn(T, S, self.key, self.turn)
        self.acts += [self._done(n) for n in range(int(S.taken[0]))]
        self.running = self.turn < self.compiled.turns

    def _done(self, n: int) -> Done:
        S = self.state
        actor, action, target = self.compiled.options[S.act[0, n]]
        numbers: list[Any] = [S.act_odds[0, n], S.act_utility[0, n], S.act_probability[0, n]]
        chance, utility, probability = map(float, numbers)
        return Done(self.turn, actor, action, target, chance, bool(S.act_done[0, n]), utility, probability)

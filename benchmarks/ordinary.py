"""The same model as an ordinary Mesa model: agents in Python, loops over their options, run by `mesa.batch_run`.

What the ensemble is measured against. It follows docs/odd.md and makes the same choices run by run, as
`python -m benchmarks` checks. It is written as a modeller would who knows Python well and wants speed: names are
resolved once for all runs (`Plan`), factors are read once a turn, what foresight follows is summed once a turn and
only where a factor moves it, quadratic wants are summed once an actor and turn for all its options, options that are
not available are skipped, random numbers are drawn for all options of a turn in one compiled call, and the inner loops
touch nothing but tuples, lists of floats and local names.

What no benchmarked scenario uses (policies other than quantal, losses other than quadratic) is not here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import lru_cache
from math import inf, log
from operator import itemgetter
from typing import Any

import mesa
import numpy as np

from sim import draws
from sim.jit import njit
from sim.scenario import (
    Not,
    PerName,
    Position,
    Quantity,
    Scenario,
    expand,
    members,
    parse,
    pick,
    read,
    rung_value,
    slots,
    turn_of,
)

HORIZON = 12
ADD, TO, RAISE, LOWER = range(4)
KINDS = {"add": ADD, "to": TO, "raise_to": RAISE, "lower_to": LOWER}

# ------------------------------------------------------------------ random numbers, in bulk


@njit
def gumbels(seed, run, turn, keys):
    """One standard Gumbel number for each key."""
    drawn = np.empty(keys.size)
    for n in range(keys.size):
        drawn[n] = draws.gumbel(draws.uniform(seed, run, turn, keys[n], draws.CHOICE))
    return drawn


@njit
def uniforms(seed, run, turn, keys, purpose):
    """One uniform number for each key."""
    drawn = np.empty(keys.size)
    for n in range(keys.size):
        drawn[n] = draws.uniform(seed, run, turn, keys[n], purpose)
    return drawn


@njit
def normals(seed, run, turn, keys):
    """One standard normal number for each key."""
    drawn = np.empty(keys.size)
    for n in range(keys.size):
        drawn[n] = draws.normal(draws.uniform(seed, run, turn, keys[n], draws.NOISE))
    return drawn


@njit
def uniform(seed, run, turn, key, purpose):
    return draws.uniform(seed, run, turn, key, purpose)


@njit
def second_uniform(seed, run, turn, key):
    return draws.second_uniform(seed, run, turn, key, draws.CHOICE)


def key(name: str) -> np.uint64:
    return np.uint64(draws.name_key(name))


# ------------------------------------------------------------------ the scenario, with every name resolved


class Plan:
    """A scenario as tuples of numbers and indices, made once and read by every run.

    `read` is the list of what factors can name: shares of indicators, capabilities, and what each lacks to 1.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.turns = scenario, scenario.turns
        self.slots = list(slots(scenario).values())
        self.index = {slot.path: s for s, slot in enumerate(self.slots)}
        self.actors = sorted(scenario.actors)
        self.number_of = {name: i for i, name in enumerate(self.actors)}
        self.low = [slot.lo for slot in self.slots]
        self.high = [slot.hi for slot in self.slots]
        self.hold = float(scenario.model.hold.value)
        self.read: list[float] = []
        self.reading: dict[tuple[str, int], int] = {}  # (path, negated) -> place in `read`
        self.read_by: dict[str, list[tuple[int, int, float, float, bool]]] = defaultdict(list)
        self._levels()
        self._beliefs()
        self._couplings()
        self._incidents()
        self._timeline()
        self._interests()
        self._options()
        self._foresight()

    # names

    def level(self, quantity: Quantity | None, s: int) -> float:
        return 0.0 if quantity is None else rung_value(quantity, self.slots[s])

    def named(self, numbers: PerName | None, s: int | None, first: str | None, second: str | None = None) -> float:
        found = None if numbers is None else pick(numbers, self.scenario, first, second)
        if found is None:
            return 0.0
        return float(found[1].value) if s is None else self.level(found[1], s)

    def factors(self, times: list[Any], use: str, own: str | None = None, target: str | None = None) -> tuple[int, ...]:
        """Places in `read` of some factors; `use` says when they are read: incidents, acts or couplings."""
        return tuple(
            self.factor(item.not_, True, use, own, target)
            if isinstance(item, Not)
            else self.factor(item, False, use, own, target)
            for item in times
        )

    def factor(self, path: str, negated: bool, use: str, own: str | None, target: str | None) -> int:
        path = ".".join({"self": own, "target": target}.get(word) or word for word in path.split("."))
        at = self.reading.get((path, negated))
        if at is None:
            at = self.reading[path, negated] = len(self.read)
            self.read.append(0.0)
            if path not in self.index:
                owner, name = path.split(".")
                strength = self.strength(owner, name)
                self.read[at] = 1.0 - strength if negated else strength
        s = self.index.get(path)
        if s is not None:
            row = (at, s, self.low[s], self.high[s] - self.low[s], negated)
            if row not in self.read_by[use]:
                self.read_by[use].append(row)
        return at

    def strength(self, owner: str, capability: str) -> float:
        return float(self.scenario.actors[owner].capabilities.by_name[capability].value)

    # the parts

    def _levels(self) -> None:
        scenario = self.scenario
        self.start, self.rests, pulls, noises = [], [], [], []
        for s, slot in enumerate(self.slots):
            pair = (slot.first, slot.second)
            kind = slot.place.split(".")[1]
            rest, noise = None, None
            if slot.place.startswith("indicators."):
                of = scenario.indicators[kind]
                start, rest, pull, noise = of.start, of.rest or of.start, of.pull, of.noise
            else:
                promise = scenario.assurances[kind]
                if slot.indicator.startswith("promised_"):
                    start, pull = promise.promised, promise.fade
                elif slot.indicator.startswith("reliability_"):
                    start, rest, pull = promise.reliability, promise.rest or promise.reliability, promise.pull
                else:
                    start, pull = None, None
            self.start.append(self.named(start, s, *pair))
            self.rests.append(self.named(rest, s, *pair))
            pulls.append(self.level(pull, s))
            noises.append(self.level(noise, s))
            if slot.path in scenario.set:
                self.start[s] = self.level(scenario.set[slot.path], s)
        self.pulls = pulls
        self.drifts = [(s, pulls[s], self.rests[s]) for s in range(len(pulls)) if pulls[s] > 0.0]
        self.noisy = [(s, noise) for s, noise in enumerate(noises) if noise > 0.0]
        self.noise_keys = np.array([key(self.slots[s].path) for s, _ in self.noisy], dtype=np.uint64)

    def _beliefs(self) -> None:
        self.beliefs, self.others = [], []
        self.belief: dict[tuple[str, str, str], int] = {}
        for q, promise in sorted(self.scenario.assurances.items()):
            for r in members(self.scenario, promise.to):
                for g in members(self.scenario, promise.from_):
                    if g != r:
                        self.belief[r, g, q] = len(self.beliefs)
                        self.beliefs.append((
                            self.named(promise.kept, None, r, g),
                            self.named(promise.broken, None, r, g),
                            1.0 - float(promise.forgetting.value),
                            float(promise.signal.value),
                            self.index[f"{g}.{r}.promised_{q}"],
                            self.index[f"{g}.{r}.reliability_{q}"],
                            self.index[f"{r}.{g}.credibility_{q}"],
                            key(f"{g}|{r}|{q}"),
                        ))  # fmt: skip
        for r, g, q in self.belief:
            self.others.append([b for (o, h, p), b in self.belief.items() if (h, p) == (g, q) and o != r])
        for alpha, beta, _, _, _, _, credible, _ in self.beliefs:
            self.start[credible] = alpha / (alpha + beta)

    def receivers(self, giver: str, kind: str, full: set[str] | None) -> list[tuple[int, bool]]:
        """Beliefs in a giver's word, and whether each takes a signal in full."""
        return [(b, full is None or r in full) for (r, g, q), b in self.belief.items() if (g, q) == (giver, kind)]

    def givers(self, by: str, own: str | None, target: str | None) -> list[str | None]:
        return [own] if by == "self" else [target] if by == "target" else members(self.scenario, [by])

    def in_full(self, to: list[str] | None, own: str | None, target: str | None) -> set[str] | None:
        if to is None:
            return None
        full = {name for word, name in (("self", own), ("target", target)) if word in to and name}
        return full | set(members(self.scenario, [word for word in to if word not in ("self", "target")]))

    def _couplings(self) -> None:
        self.couplings = []  # moved, source, add, around, factors at the start of the turn, factors after the acts
        for coupling in self.scenario.couplings.values():
            pairs: list[tuple[str | None, str | None]] = [(None, None)]
            if coupling.by is not None:
                targets = [None] if coupling.toward is None else members(self.scenario, coupling.toward)
                pairs = [(i, j) for i in members(self.scenario, coupling.by) for j in targets if i != j]
            for i, j in pairs:
                for source in expand(coupling.from_, self.scenario, i, j):
                    for moved in expand(coupling.to, self.scenario, i, j):
                        factors = self.factors(coupling.times, "couplings", i, j)
                        self.factors(coupling.times, "acts", i, j)
                        numbers = float(coupling.add.value), float(coupling.around.value)
                        self.couplings.append((self.index[moved], self.index[source], *numbers, factors))
        self.couplings.sort()

    def _incidents(self) -> None:
        self.incidents, keys = [], []
        for name, incident in sorted(self.scenario.incidents.items()):
            for on in [None] if incident.on is None else members(self.scenario, incident.on):
                keys.append(key(f"{name}|{on or ''}"))
                seen = float(incident.visibility.value)
                belied = [
                    (b, 1.0 if full else seen)
                    for belies in incident.belies
                    for giver in self.givers(belies.by, on, None)
                    for b, full in self.receivers(giver, belies.promise, self.in_full(belies.to, on, None))
                ]
                effects = []
                for effect in incident.effects:
                    kind, quantity = stated(effect)
                    factors = self.factors(effect.times, "incidents", on)
                    for path in expand(effect.of, self.scenario, on):
                        s = self.index[path]
                        effects.append((kind, s, self.level(quantity, s), factors, effect.after))
                plus = [
                    (self.factor(step.of, False, "incidents", on, None), float(step.add.value))
                    for step in incident.plus
                ]
                factors = self.factors(incident.times, "incidents", on)
                self.incidents.append((float(incident.hazard.value), plus, factors, belied, effects))
        self.incident_keys = np.array(keys, dtype=np.uint64)

    def _timeline(self) -> None:
        self.dated: dict[int, list[tuple[int, bool, float]]] = defaultdict(list)
        self.forced: dict[int, list[tuple[str, str, str | None]]] = defaultdict(list)
        for event in self.scenario.timeline:
            turn = turn_of(self.scenario, event.date)
            for adds, numbers in ((False, event.set), (True, event.add)):
                for path, quantity in numbers.items():
                    for found in expand(path, self.scenario):
                        s = self.index[found]
                        self.dated[turn].append((s, adds, self.level(quantity, s)))
            if event.act is not None:
                self.forced[turn].append((event.act.by, event.act.action, event.act.target))
        for rows in self.dated.values():
            rows.sort(key=lambda row: row[1])  # levels before steps

    def _interests(self) -> None:
        """Wants by owner: (rank, slot, 2 salience / range^2, ideal, slot of the ideal or None)."""
        scenario, wants = self.scenario, []
        for i in self.actors:
            rows = []
            for interest in scenario.actors[i].interests.values():
                (path,) = expand(interest.of, scenario, i)
                s = self.index[path]
                ideal, position = 0.0, None
                if isinstance(interest.ideal, Position):
                    position = self.index[expand(interest.ideal.of, scenario, i)[0]]
                else:
                    ideal = self.level(interest.ideal, s)
                rows.append(
                    (s, 2.0 * float(interest.salience.value) / (self.high[s] - self.low[s]) ** 2, ideal, position)
                )
            wants.append(rows)
        self.ranked = sorted({s for rows in wants for s, *_ in rows})
        self.rank = {s: k for k, s in enumerate(self.ranked)}
        self.wants = [[(self.rank[s], s, *rest) for s, *rest in rows] for rows in wants]
        self.bounds = [(self.low[s], self.high[s]) for s in self.ranked]
        self.holders = [
            [
                (i, curve, ideal, position)
                for i, rows in enumerate(self.wants)
                for at, _, curve, ideal, position in rows
                if at == k
            ]
            for k in range(len(self.ranked))
        ]
        self.traits, self.minds, self.seen = [], [], []
        for i in self.actors:
            actor = scenario.actors[i]
            trait = [float((getattr(actor, name) or getattr(scenario.model, name)).value) for name in
                     ("rationality", "foresight", "risk", "responsiveness")]  # fmt: skip
            if trait[2] != 2.0 or (actor.policy or scenario.policy) != "quantal":
                raise NotImplementedError("the ordinary model knows quadratic losses and quantal response only")
            self.traits.append(trait)
            self.minds.append([
                (self.number_of[o], self.index[f"{i}.{o}.regard"], self.named(actor.stakes, None, o))
                for o in self.actors
                if f"{i}.{o}.regard" in self.index and actor.stakes is not None and pick(actor.stakes, scenario, o)
            ])  # fmt: skip
            self.seen.append([
                (self.number_of[o], self.index[path])
                for o in self.actors
                if (path := f"{o}.{i}.regard") in self.index
            ])  # fmt: skip

    def _options(self) -> None:
        """Each actor's menu: (weight in the prior, its options), an entry an action."""
        scenario = self.scenario
        self.names: list[tuple[str, str, str | None]] = []
        self.menus: list[list[tuple[float, list[tuple]]]] = []
        self.deeds: list[tuple] = []  # by option: what happens when it is done
        self.effects: list[list[tuple]] = []  # by actor: what its options can change, each different change once
        channels = {name: c for c, name in enumerate(sorted({a.channel for a in scenario.actions.values()}))}
        forced = {name for names in self.forced.values() for name in names}
        for i in self.actors:
            menu, self.known = [], {}
            for name, action in sorted(scenario.actions.items()):
                if i not in members(scenario, action.by):
                    continue
                targets = [None] if action.toward is None else [j for j in members(scenario, action.toward) if j != i]
                options = []
                for j in targets:
                    possible = all(expand(need.of, scenario, i, j) for need in action.needs)
                    if possible or (i, name, j) in forced:
                        options.append(self._option(name, action, channels[action.channel], i, j))
                        self.names.append((i, name, j))
                if options:
                    menu.append((float(action.habit.value), options))
            self.menus.append(menu)
            self.effects.append(list(self.known))
        self.option = {name: o for o, name in enumerate(self.names)}
        self.keys = np.array([key(f"{i}|{a}|{j or ''}") for i, a, j in self.names], dtype=np.uint64)
        self.hold_keys = np.array([key(f"{i}||") for i in self.actors], dtype=np.uint64)

    def _option(self, name: str, action: Any, channel: int, i: str, j: str | None) -> tuple:
        scenario, number = self.scenario, len(self.names)
        needs = []
        for need in action.needs:
            found = expand(need.of, scenario, i, j)
            if not found:
                needs.append((0, inf, -inf))  # never: only an event brings it about
                continue
            s = self.index[found[0]]
            low = -inf if need.at_least is None else self.level(need.at_least, s)
            high = inf if need.at_most is None else self.level(need.at_most, s)
            needs.append((s, low, high))
        effects, done = ([], []), []
        foresight = float((scenario.actors[i].foresight or scenario.model.foresight).value)
        for effect in action.effects:
            credible, broken = None, False
            if effect.when is not None:
                giver = j if effect.when.by == "target" else effect.when.by
                b = self.belief.get((i, giver, effect.when.kept or effect.when.broken))
                if b is not None:
                    credible, broken = (b, self.beliefs[b][4], self.beliefs[b][6]), effect.when.broken is not None
                elif effect.when.kept is not None:
                    continue  # where nothing can be promised nothing is kept, and everything broken
            kind, quantity = stated(effect)
            paths = expand(effect.of, scenario, i, j)
            factors = self.factors(effect.times, "acts", i, j) if paths else ()
            for path in paths:
                s = self.index[path]
                row = (kind, s, self.low[s], self.high[s], self.level(quantity, s), factors, credible, broken)
                expected = (*row, foresight**effect.after)
                effects[effect.attempt].append(self.known.setdefault(expected, len(self.known)))
                done.append((*row, effect.after, effect.attempt, self.rank.get(s, -1)))
        signals = [
            (b, 1.0 if full else float(action.visibility.value), float(weight.value), weight is signal.kept)
            for signal in action.signals
            for giver in self.givers(signal.by, i, j)
            for b, full in self.receivers(giver, signal.promise, self.in_full(signal.to, i, j))
            for weight in (signal.kept, signal.broken)
            if weight is not None
        ]
        self.deeds.append((self.number_of[i], float(action.visibility.value), done, signals))
        return (
            number, needs, tuple((attempt, group) for attempt, group in enumerate(effects) if group),
            min(max(self.named(action.chance, None, i), 0.0), 1.0), self.factors(action.chance.times, "acts", i, j),
            self.named(action.cost, None, i), self.factors(action.cost.times, "acts", i, j),
            float(action.effort.value), (channel, j), key(f"{i}|{name}|{j or ''}"),
        )  # fmt: skip

    def _foresight(self) -> None:
        """What reaches each interest within the horizon, and the pairs (interest, slot) that an option can move.

        Gives every effect of an option the pairs that follow from it: [(rank, place in the list of weights)].
        """
        into = defaultdict(list)
        for c, (moved, source, *_) in enumerate(self.couplings):
            into[moved].append((c, source))
        movable = {row[1] for rows in self.effects for row in rows}
        reach: dict[int, list[tuple[int, int]]] = defaultdict(list)
        ways = []  # by rank: what reaches it, and whether a factor stands on the way
        for s in self.ranked:
            known, edge, varies = {s}, [s], False
            while edge:
                steps = [step for moved in edge for step in into[moved]]
                varies = varies or any(self.couplings[c][4] for c, _ in steps)
                edge = [source for source in dict.fromkeys(source for _, source in steps) if source not in known]
                known.update(edge)
            ways.append((known, varies))
        count = 0
        self.maps = []
        for varies in (False, True):
            ranks = [k for k, way in enumerate(ways) if way[1] is varies]
            joined = sorted(set().union(*(ways[k][0] for k in ranks)))
            place = {s: v for v, s in enumerate(joined)}
            rows, places = [], []
            for n, k in enumerate(ranks):
                for s in sorted(ways[k][0] & movable):
                    reach[s].append((k, count))
                    rows.append(n)
                    places.append(place[s])
                    count += 1
            start = np.zeros((len(ranks), len(joined)))
            start[range(len(ranks)), [place[self.ranked[k]] for k in ranks]] = 1.0
            stays = np.diag([1.0 - self.pulls[s] for s in joined])
            among = [c for c, row in enumerate(self.couplings) if row[0] in place and row[1] in place]
            links = tuple([place[self.couplings[c][n]] for c in among] for n in (0, 1))
            self.maps.append((start, stays, links, [self.couplings[c][2::2] for c in among], (rows, places)))
        self.foresights = sorted({trait[1] for trait in self.traits})
        for i, menu in enumerate(self.menus):
            for _, options in menu:
                for n, option in enumerate(options):
                    groups = [
                        (attempt, [(e, way) for e in group if (way := reach[self.effects[i][e][1]])])
                        for attempt, group in option[2]
                    ]
                    options[n] = (*option[:2], groups, *option[3:])


def stated(effect: Any) -> tuple[int, Quantity]:
    """What an effect states: its kind and its number."""
    return next((kind, getattr(effect, word)) for word, kind in KINDS.items() if getattr(effect, word) is not None)


@lru_cache(maxsize=4)
def plan_of(source: str) -> Plan:
    """The plan of a scenario, by its name, its file or its data as JSON; made once a process."""
    return Plan(parse(json.loads(source)) if source.startswith("{") else read(source).scenario)


# ------------------------------------------------------------------ the model


class Decider(mesa.Agent):
    """One who decides: appraises its options each turn and takes the best of them, as its attention allows."""

    def __init__(self, model: OrdinaryModel, i: int) -> None:
        super().__init__(model)
        plan = model.plan
        self.i, self.menu, self.effects = i, plan.menus[i], plan.effects[i]
        self.minds, self.wants = plan.minds[i], plan.wants
        self.rationality, self.foresight, _, _ = plan.traits[i]
        self.attention = plan.index.get(f"{plan.actors[i]}.attention")
        self.bounds, self.hold = plan.bounds, plan.hold

    def look(self) -> tuple[list[float], list[float]]:
        """First and second-order worth of each interest slot, over all whose fortunes matter to this actor."""
        x, wants = self.model.x, self.wants
        slope, bend = [0.0] * len(self.bounds), [0.0] * len(self.bounds)
        for k, s, curve, ideal, position in wants[self.i]:
            slope[k] += curve * ((ideal if position is None else x[position]) - x[s])
            bend[k] += 0.5 * curve
        for o, regard, stake in self.minds:
            weight = stake * x[regard]
            if weight != 0.0:
                for k, s, curve, ideal, position in wants[o]:
                    weighed = weight * curve
                    slope[k] += weighed * ((ideal if position is None else x[position]) - x[s])
                    bend[k] += 0.5 * weighed
        return slope, bend

    def expected(self, effect: tuple) -> float:
        """The change of its own slot that an effect is expected to make, for what it counts when it comes later."""
        model = self.model
        x, read = model.x, model.read
        kind, s, low, high, value, factors, credible, broken, later = effect
        for f in factors:
            value *= read[f]
        counts = 1.0
        if credible is not None:
            counts = x[credible[1]] * x[credible[2]]
            if broken:
                counts = 1.0 - counts
        now = x[s]
        if kind == ADD:
            then = now + value * counts
        elif kind == TO:
            then = now + counts * (value - now)
        elif kind == RAISE:
            then = value if value > now else now
        else:
            then = value if value < now else now
        if then > high:
            then = high
        elif then < low:
            then = low
        return (then - now) * later

    def step(self) -> None:
        """Appraise what can be done, and take of it what scores best until holding still does."""
        appraised, habits = self.appraise(*self.look())
        if not appraised:
            return
        still = log(self.hold) + self.model.still[self.i]
        better = []
        for habit, found in appraised:
            prior = log((1.0 - self.hold) * habit / (habits * len(found)))
            better += [(prior + score, *rest) for score, *rest in found if prior + score > still]
        if better:
            better.sort(key=itemgetter(0), reverse=True)
            self.take(better)

    def appraise(self, slope: list[float], bend: list[float]) -> tuple[list[tuple[float, list[tuple]]], float]:
        """By action: its habit and its available options, each as (score less prior, utility, chance, option)."""
        model, bounds, rationality, effects = self.model, self.bounds, self.rationality, self.effects
        x, read, luck, levels, weights = model.x, model.read, model.luck, model.levels, model.weights[self.foresight]
        expected, changes = self.expected, [None] * len(effects)  # each different change is found once
        appraised, habits = [], 0.0
        for habit, options in self.menu:
            found = []
            for option in options:
                number, needs, groups, chance, chance_factors, cost, cost_factors = option[:7]
                for s, low, high in needs:
                    if not low <= x[s] <= high:
                        break
                else:
                    if chance_factors:
                        for f in chance_factors:
                            chance *= read[f]
                        chance = 1.0 if chance > 1.0 else 0.0 if chance < 0.0 else chance
                    for f in cost_factors:
                        cost *= read[f]
                    utility = -cost
                    for attempt, group in groups:
                        moved: dict[int, float] = {}  # by interest slot, with all that follows
                        for e, reach in group:
                            change = changes[e]
                            if change is None:
                                change = changes[e] = expected(effects[e])
                            if change != 0.0:
                                for k, pair in reach:
                                    if k in moved:
                                        moved[k] += weights[pair] * change
                                    else:
                                        moved[k] = weights[pair] * change
                        gain = 0.0
                        for k, change in moved.items():
                            now = levels[k]
                            then = now + change
                            low, high = bounds[k]
                            if then > high:
                                change = high - now
                            elif then < low:
                                change = low - now
                            gain += (slope[k] - bend[k] * change) * change
                        utility += gain if attempt else chance * gain
                    found.append((rationality * utility + luck[number], utility, chance, option))
            if found:
                appraised.append((habit, found))
                habits += habit
        return appraised, habits

    def take(self, better: list[tuple]) -> None:
        """Take options in order of score, one a channel and target, while attention lasts."""
        model = self.model
        left = 1.0 if self.attention is None else model.x[self.attention]
        used = set()
        for _, utility, chance, option in better:
            if left <= 0.0:
                break
            effort, seat, name = option[7:]
            if seat in used:
                continue
            if effort > left and second_uniform(model.seed_key, model.run_key, model.turn, name) >= left / effort:
                continue
            used.add(seat)
            left = max(left - effort, 0.0)
            model.chosen.append((option[0], chance, utility))


class OrdinaryModel(mesa.Model):
    """One run. source: see `plan_of`; seed_key: the seed of the scenario's draws; run: the run's number."""

    def __init__(self, source: str, seed_key: int = 1, run: int = 0) -> None:
        super().__init__(seed=seed_key)
        self.plan = plan = plan_of(source)
        self.seed_key, self.run_key, self.turn = np.uint64(seed_key), np.uint64(run), 0
        self.x, self.read = list(plan.start), list(plan.read)
        self.alpha = [row[0] for row in plan.beliefs]
        self.beta = [row[1] for row in plan.beliefs]
        self.kept, self.broken = [0.0] * len(self.alpha), [0.0] * len(self.alpha)
        self.under_way: dict[int, list[tuple[int, float]]] = defaultdict(list)
        self.weights: dict[float, list[float]] = {}
        self.still_weights: dict[float, list[float]] = {}
        self.look_up("incidents")
        self.first_hazards = [self.hazard(row) for row in plan.incidents]
        self.happened: list[int] = []
        self.acts: list[tuple[int, bool, float, float]] = []
        for i in range(len(plan.actors)):
            Decider(self, i)
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "state": lambda model: model.x,
                "alpha": lambda model: model.alpha,
                "beta": lambda model: model.beta,
                "incidents": lambda model: model.happened,
                "acts": lambda model: model.acts,
            }
        )

    def step(self) -> None:
        self.turn += 1
        self.events()
        self.believe()
        self.look_up("acts")
        self.foresee()
        seed, run, turn, plan = self.seed_key, self.run_key, self.turn, self.plan
        self.luck = gumbels(seed, run, turn, plan.keys).tolist()
        self.still = gumbels(seed, run, turn, plan.hold_keys).tolist()
        self.levels = [self.x[s] for s in plan.ranked]
        self.chosen: list[tuple[int, float, float]] = []
        self.agents.do("step")
        self.act()
        self.drift()
        self.datacollector.collect(self)
        self.running = turn < plan.turns

    # readings

    def look_up(self, use: str) -> None:
        """Read the shares that factors name."""
        x, read = self.x, self.read
        for at, s, low, width, negated in self.plan.read_by[use]:
            share = (x[s] - low) / width
            read[at] = 1.0 - share if negated else share

    def hazard(self, incident: tuple) -> float:
        hazard, plus, factors, _, _ = incident
        read = self.read
        for f, add in plus:
            hazard += add * read[f]
        for f in factors:
            hazard *= read[f]
        return min(max(hazard, 0.0), 1.0)

    def foresee(self) -> None:
        """For each foresight, the weight of every pair (interest, slot): what a step in the slot comes to.

        Where no factor stands on the way it is found once, elsewhere each turn.
        """
        plan = self.plan
        if not self.still_weights:
            self.still_weights = {foresight: self.followed(plan.maps[0], foresight) for foresight in plan.foresights}
        for foresight in plan.foresights:
            self.weights[foresight] = self.still_weights[foresight] + self.followed(plan.maps[1], foresight)

    def followed(self, map_: tuple, foresight: float) -> list[float]:
        """The weights of some pairs, by the powers of the map that couplings and pulls make."""
        start, stays, links, sizes, wanted = map_
        if not wanted[0]:
            return []
        read, strengths = self.read, []
        for add, factors in sizes:
            for f in factors:
                add *= read[f]
            strengths.append(add)
        follow = stays.copy()
        np.add.at(follow, links, strengths)
        now, weight = start, 1.0 - foresight
        total = weight * now
        for n in range(1, HORIZON + 1):
            weight = foresight**n if n == HORIZON else weight * foresight
            now = now @ follow
            total += weight * now
        return total[wanted].tolist()

    # what happens unchosen

    def events(self) -> None:
        """Dated events and incidents."""
        plan, x = self.plan, self.x
        rows = plan.dated.get(self.turn, ())
        for s, adds, value in rows:
            x[s] = x[s] + value if adds else value
        for s, _, _ in rows:
            x[s] = min(max(x[s], plan.low[s]), plan.high[s])
        if not plan.incidents:
            return
        self.look_up("incidents")
        drawn = uniforms(self.seed_key, self.run_key, self.turn, plan.incident_keys, draws.INCIDENT).tolist()
        self.happened, changes = [], Changes(self)
        for n, incident in enumerate(plan.incidents):
            happens = drawn[n] < self.hazard(incident)
            _, _, _, belied, effects = incident
            first = self.first_hazards[n]
            for b, seen in belied:
                alpha, beta, _, signal, promised, _, _, _ = plan.beliefs[b]
                credible = alpha / (alpha + beta)
                weight = 2.0 * signal * seen * x[promised]
                if happens:
                    self.broken[b] += weight * (1.0 - first) * (1.0 - credible)
                else:
                    self.kept[b] += weight * first * credible
            if happens:
                self.happened.append(n)
                for kind, s, value, factors, after in effects:
                    for f in factors:
                        value *= self.read[f]
                    changes.gather(kind, s, value, 1.0, after)
        changes.settle()

    def believe(self) -> None:
        x, alphas, betas, kept, broken = self.x, self.alpha, self.beta, self.kept, self.broken
        for b, (alpha, beta, remembered, _, _, _, credible, _) in enumerate(self.plan.beliefs):
            alphas[b] = alpha = alpha + remembered * (alphas[b] - alpha) + kept[b]
            betas[b] = beta = beta + remembered * (betas[b] - beta) + broken[b]
            x[credible] = alpha / (alpha + beta)
            kept[b] = broken[b] = 0.0

    # what the acts do

    def act(self) -> None:
        """All acts at once, from the state at the start of the turn: effects, signals, regard."""
        plan, seed, run, turn = self.plan, self.seed_key, self.run_key, self.turn
        for name in plan.forced.get(turn, ()):
            self.chosen.append((plan.option[name], 1.0, float("nan")))
        if turn in plan.forced:
            self.chosen.sort(key=lambda row: plan.deeds[row[0]][0])
        changes, self.acts = Changes(self), []
        for s, amount in self.under_way.pop(turn, ()):
            changes.add[s] += amount
        tests: dict[int, list[float]] = {}  # belief -> [kept, highest visibility]
        felt: dict[int, dict[int, float]] = {}  # actor -> onlooker -> gain
        for o, chance, utility in self.chosen:
            i, visibility, effects, signals = plan.deeds[o]
            done = uniform(seed, run, turn, plan.keys[o], draws.SUCCESS) < chance
            self.acts.append((o, done, chance, utility))
            moved = self.happen(effects, done, visibility, changes, tests)
            self.notice(moved, visibility, felt.setdefault(i, defaultdict(float)))
            if done:
                for b, seen, weight, kept in signals:
                    (self.kept if kept else self.broken)[b] += seen * weight
        x = self.x
        for b, (kept, visibility) in tests.items():
            weight = plan.beliefs[b][3] * x[plan.beliefs[b][4]]
            told = self.kept if kept else self.broken
            told[b] += weight
            for other in plan.others[b]:
                told[other] += weight * visibility
        for i, gains in felt.items():
            for o, s in plan.seen[i]:
                gain = gains.get(o, 0.0)
                if gain != 0.0:
                    changes.add[s] += plan.traits[o][3] * gain * (1.0 - x[s] if gain > 0.0 else 1.0 + x[s])
        changes.settle()

    def happen(
        self, effects: list[tuple], done: bool, visibility: float, changes: Changes, tests: dict[int, list[float]]
    ) -> dict[int, float]:
        """Let an act's effects happen; its own change of each interest slot."""
        x, read, moved = self.x, self.read, {}
        for kind, s, low, high, value, factors, credible, broken, after, attempt, k in effects:
            if not (done or attempt):
                continue
            for f in factors:
                value *= read[f]
            counts = 1.0
            if credible is not None:
                b, promised, _ = credible
                if b not in tests:
                    row = self.plan.beliefs[b]
                    drawn = uniform(self.seed_key, self.run_key, self.turn, row[7], draws.KEPT)
                    tests[b] = [1.0 if drawn < x[row[5]] else 0.0, 0.0]
                tests[b][1] = max(tests[b][1], visibility)
                counts = x[promised] * tests[b][0]
                if broken:
                    counts = 1.0 - counts
            changes.gather(kind, s, value, counts, after)
            if k >= 0 and after == 0:
                now = x[s]
                if kind == ADD:
                    then = min(max(now + value * counts, low), high)
                elif kind == TO:
                    then = min(max(now + counts * (value - now), low), high)
                else:
                    then = max(now, value) if kind == RAISE else min(now, value)
                moved[k] = moved.get(k, 0.0) + then - now
        return moved

    def notice(self, moved: dict[int, float], visibility: float, gains: dict[int, float]) -> None:
        """What an act's changes are worth to each who wants something of what they change."""
        plan, x = self.plan, self.x
        for k, change in moved.items():
            now = x[plan.ranked[k]]
            low, high = plan.bounds[k]
            change = min(max(now + change, low), high) - now
            if change != 0.0:
                for o, curve, ideal, position in plan.holders[k]:
                    ideal = ideal if position is None else x[position]
                    gains[o] += visibility * (curve * (ideal - now) - 0.5 * curve * change) * change

    def drift(self) -> None:
        """Couplings, resting levels and noise, all from the state after the acts."""
        plan, x = self.plan, self.x
        self.look_up("couplings")
        read, moved = self.read, defaultdict(float)
        for s, pull, rest in plan.drifts:
            moved[s] = pull * (rest - x[s])
        for s, source, add, around, factors in plan.couplings:
            for f in factors:
                add *= read[f]
            moved[s] += add * (x[source] - around)
        if plan.noisy:
            drawn = normals(self.seed_key, self.run_key, self.turn, plan.noise_keys).tolist()
            for (s, noise), number in zip(plan.noisy, drawn, strict=True):
                moved[s] += noise * number
        lows, highs = plan.low, plan.high
        for s, change in moved.items():
            value = x[s] + change
            x[s] = highs[s] if value > highs[s] else lows[s] if value < lows[s] else value


class Changes:
    """What a turn's effects come to together, whatever their order."""

    def __init__(self, model: OrdinaryModel) -> None:
        self.model = model
        self.add: dict[int, float] = defaultdict(float)
        self.levels: dict[int, list[float]] = defaultdict(list)
        self.up: dict[int, float] = {}
        self.down: dict[int, float] = {}

    def gather(self, kind: int, s: int, value: float, counts: float, after: int) -> None:
        if after > 0:
            self.model.under_way[self.model.turn + after].append((s, value * counts))
        elif kind == ADD:
            self.add[s] += value * counts
        elif kind == TO:
            now = self.model.x[s]
            self.levels[s].append(now + counts * (value - now))
        elif kind == RAISE:
            self.up[s] = max(self.up.get(s, value), value)
        else:
            self.down[s] = min(self.down.get(s, value), value)

    def settle(self) -> None:
        """Bring them into the state: levels, steps, one clamp; on ladders the highest lift, then the lowest drop."""
        model, plan = self.model, self.model.plan
        x, lows, highs = model.x, plan.low, plan.high
        for s in {**self.levels, **self.add}:
            levels = self.levels.get(s)
            value = (sum(levels) / len(levels) if levels else x[s]) + self.add.get(s, 0.0)
            x[s] = min(max(value, lows[s]), highs[s])
        for s, rung in self.up.items():
            x[s] = max(x[s], rung)
        for s, rung in self.down.items():
            x[s] = min(x[s], rung)


def run_all(source: str, seed: int, runs: list[int], processes: int = 1) -> list[dict[str, Any]]:
    """What `mesa.batch_run` returns for these runs: a row a run and turn."""
    return mesa.batch_run(
        OrdinaryModel,
        parameters={"source": source, "seed_key": seed, "run": runs},
        number_processes=processes,
        data_collection_period=1,
        max_steps=10_000,
        display_progress=False,
    )

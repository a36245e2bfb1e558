"""The model a second time: slow, plain, written from docs/odd.md section 7 alone and from nothing of the engine.

Numbers live in dicts by the name of what they measure, and every formula stands where the page has it, so that the two
can be read side by side. `tests/test_reference.py` holds the engine to this within 1e-12.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import NamedTuple

from sim import scenario as form

CHOICE, SUCCESS, KEPT, INCIDENT, NOISE = 1, 2, 3, 4, 5  # 7.10, purposes
STEPS_AHEAD = 12  # 7.3
CERTAIN = 1e9  # 7.5, the lambda of `best`


# ---------------------------------------------------------------------------------------------- 7.10 random draws


def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """The four 32-bit words of Philox 4x32-10 (Salmon et al. 2011)."""
    for _ in range(10):
        one, other = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (other >> 32) ^ c1 ^ k0, other % 2**32, (one >> 32) ^ c3 ^ k1, one % 2**32
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def uniforms(seed: int, run: int, turn: int, purpose: int, name: str) -> tuple[float, float]:
    """The first and the second uniform of one draw."""
    hashed = int.from_bytes(hashlib.blake2b(name.encode("utf-8"), digest_size=8).digest(), "little")
    counter = (run % 2**32, turn + 65536 * purpose, hashed % 2**32, hashed >> 32)
    w = philox(*counter, seed % 2**32, (seed >> 32) % 2**32)
    return tuple(min(((w[n] >> 5) * 2**26 + (w[n + 1] >> 6) + 0.5) / 2**53, 1 - 2**-53) for n in (0, 2))


def gumbel(u: float) -> float:
    return -math.log(-math.log(u))


def normal(u: float) -> float:
    """The standard library's inverse is AS 241 as well (PPND16)."""
    return NormalDist().inv_cdf(u)


# ---------------------------------------------------------------------------------------- the world, name by name


class Act(NamedTuple):
    turn: int
    actor: str
    action: str
    target: str | None
    chance: float
    succeeded: bool
    utility: float
    probability: float


@dataclass
class Result:
    """What one run leaves. The lists over time have T + 1 entries, the start first."""

    states: list[dict[str, float]] = field(default_factory=list)
    beliefs: list[dict[tuple[str, str, str], tuple[float, float]]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)  # by turn, actor, order of being drawn; an event's acts last
    incidents: list[tuple[int, str, str | None]] = field(default_factory=list)
    options: dict[tuple[int, str, str, str | None], float] = field(default_factory=dict)  # EU of what was available


@dataclass
class Slot:
    """One indicator of one owner."""

    low: float = 0.0
    high: float = 1.0
    ladder: list[str] | None = None
    start: float = 0.0
    rest: float | None = None  # the indicator's own start where none is stated
    pull: float = 0.0
    noise: float = 0.0
    believed: bool = False  # a credibility: step 2 alone sets it

    def clamp(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def number(self, quantity: form.Quantity) -> float:
        """A number, or the place of a rung on this ladder."""
        if isinstance(quantity.value, str):
            return float(self.ladder.index(quantity.value))
        return float(quantity.value)


@dataclass(frozen=True)
class Option:
    actor: str
    action: str
    target: str | None

    @property
    def key(self) -> str:
        return f"{self.actor}|{self.action}|{self.target or ''}"


@dataclass(frozen=True)
class Link:
    """A coupling between two slots, and who `self` and `target` are in its factors."""

    coupling: form.Coupling
    source: str
    sink: str
    actor: str | None
    target: str | None


class World:
    """The scenario with its selectors, tags, paths and dates written out."""

    def __init__(self, scenario: form.Scenario) -> None:
        self.scenario = scenario
        self.actors = sorted(scenario.actors)
        self.members: dict[str, list[str]] = defaultdict(list)
        for name in self.actors:
            for tag in scenario.actors[name].tags:
                if tag not in scenario.actors and name not in self.members[tag]:
                    self.members[tag].append(name)
        self.capabilities = {
            key for actor in scenario.actors.values() for key in actor.capabilities.model_extra if key != "default"
        }
        self.slots: dict[str, Slot] = {}
        self.prior: dict[tuple[str, str, str], tuple[float, float]] = {}  # alpha0, beta0 of (receiver, giver, kind)
        self._lay_out_indicators()
        self._lay_out_assurances()
        for slot in self.slots.values():
            if slot.rest is None:
                slot.rest = slot.start
        for path, quantity in scenario.set.items():
            for s in self.places(path):
                self.slots[s].start = self.slots[s].number(quantity)
        self.options = [
            Option(i, action, j)
            for i in self.actors
            for action in sorted(scenario.actions)
            if i in self.chosen(scenario.actions[action].by)
            for j in self._targets(i, scenario.actions[action].toward)
        ]
        self.links = list(self._links())
        self.incidents = [
            (name, i)
            for name in sorted(scenario.incidents)
            for i in ([None] if scenario.incidents[name].on is None else self.chosen(scenario.incidents[name].on))
        ]

    # names and tags

    def chosen(self, selector: Iterable[str] | None, actor: str | None = None, target: str | None = None) -> list[str]:
        """The actors of a selector, sorted; all of them where it is left out."""
        if selector is None:
            return self.actors
        return sorted({name for word in selector for name in self.meant(word, actor, target)})

    def meant(self, word: str, actor: str | None = None, target: str | None = None) -> list[str]:
        """Whom one word speaks of: self, target, an actor, or the bearers of a tag."""
        if word == "self":
            return [] if actor is None else [actor]
        if word == "target":
            return [] if target is None else [target]
        if word in self.scenario.actors:
            return [word]
        if word in self.members:
            return self.members[word]
        raise ValueError(f"{word!r} is neither an actor nor a tag")

    def _targets(self, actor: str, toward: list[str] | None) -> list[str | None]:
        return [None] if toward is None else [j for j in self.chosen(toward) if j != actor]

    def places(self, path: str, actor: str | None = None, target: str | None = None) -> list[str]:
        """The slots that a path speaks of, of those that there are."""
        *owners, name = path.split(".")
        written = [name]
        for word in reversed(owners):
            written = [f"{owner}.{rest}" for owner in self.meant(word, actor, target) for rest in written]
        return [s for s in written if s in self.slots]

    def place(self, path: str, actor: str | None = None, target: str | None = None) -> str | None:
        """The one slot that a path speaks of, if there is one."""
        found = self.places(path, actor, target)
        if len(found) > 1:
            raise ValueError(f"{path} speaks of several: {found}")
        return found[0] if found else None

    def per_name(self, numbers: form.PerName | None, first: str | None = None, second: str | None = None):
        """The quantity that holds for an actor or a pair: the most exact one, of equally exact ones the later."""
        best, holds = 0, None
        for key, quantity in ({} if numbers is None else numbers.model_extra).items():
            exact = self._exactness(key, first, second)
            if exact >= max(best, 1):
                best, holds = exact, quantity
        return holds

    def _exactness(self, key: str, first: str | None, second: str | None) -> int:
        if key == "default":
            return 1
        words = key.split(".")
        if len(words) > 2 or first is None or (len(words) == 2 and second is None):
            return 0
        fits = [
            2 if word == name else 1 if word not in self.scenario.actors and name in self.members.get(word, []) else 0
            for word, name in zip(words, (first, second), strict=False)
        ]
        if 0 in fits:
            return 0
        return fits[0] + 1 if len(fits) == 1 else sum(fits) + 2  # tag 2, name 3; tags 4, name and tag 5, names 6

    # slots

    def _lay_out_indicators(self) -> None:
        for name, indicator in self.scenario.indicators.items():
            if indicator.scope == "world":
                owners = [()]
            elif indicator.scope == "actor":
                owners = [(i,) for i in self.chosen(indicator.of)]
            else:
                owners = list(self._pairs(indicator.from_, indicator.to))
            low, high = indicator.range or ((-1.0, 1.0) if name == "regard" else (0.0, 1.0))
            if indicator.ladder:
                low, high = 0.0, len(indicator.ladder) - 1.0
            for owner in owners:
                slot = Slot(float(low), float(high), indicator.ladder)
                slot.start = slot.number(self.per_name(indicator.start, *owner))
                rest = self.per_name(indicator.rest, *owner)
                slot.rest = None if rest is None else slot.number(rest)
                if not indicator.ladder:
                    slot.pull = plain(indicator.pull)
                    slot.noise = plain(indicator.noise)
                self.slots[".".join((*owner, name))] = slot

    def _lay_out_assurances(self) -> None:
        for q, assurance in self.scenario.assurances.items():
            for g, r in self._pairs(assurance.from_, assurance.to):
                rest = self.per_name(assurance.rest, g, r)
                alpha, beta = plain(self.per_name(assurance.kept, r, g)), plain(self.per_name(assurance.broken, r, g))
                self.prior[r, g, q] = (alpha, beta)
                self.slots[promised(g, r, q)] = Slot(
                    start=plain(self.per_name(assurance.promised, g, r)), rest=0.0, pull=plain(assurance.fade)
                )
                self.slots[reliability(g, r, q)] = Slot(
                    start=plain(self.per_name(assurance.reliability, g, r)),
                    rest=None if rest is None else plain(rest),
                    pull=plain(assurance.pull),
                )
                self.slots[credibility(r, g, q)] = Slot(start=alpha / (alpha + beta), believed=True)

    def _pairs(self, one: Iterable[str] | None, other: Iterable[str] | None) -> Iterator[tuple[str, str]]:
        for i in self.chosen(one):
            for j in self.chosen(other):
                if i != j:
                    yield i, j

    def receivers(self, giver: str, kind: str) -> list[str]:
        return [r for r, g, q in self.prior if g == giver and q == kind]

    def _links(self) -> Iterator[Link]:
        for name in sorted(self.scenario.couplings):
            coupling = self.scenario.couplings[name]
            for i in [None] if coupling.by is None else self.chosen(coupling.by):
                for j in self._targets(i, coupling.toward):
                    for source in self.places(coupling.from_, i, j):
                        for sink in self.places(coupling.to, i, j):
                            if not self.slots[sink].ladder and not self.slots[sink].believed:
                                yield Link(coupling, source, sink, i, j)

    # readings of a state

    def struck(self, path: str, actor: str | None, target: str | None) -> list[str]:
        """The slots that an effect with this path changes; a credibility is left to step 2."""
        return [s for s in self.places(path, actor, target) if not self.slots[s].believed]

    def share(self, path: str, x: dict[str, float], actor: str | None, target: str | None) -> float:
        """An indicator's share of its range, or a capability; nothing of what there is not."""
        s = self.place(path, actor, target)
        if s is not None:
            return (x[s] - self.slots[s].low) / (self.slots[s].high - self.slots[s].low)
        *owners, name = path.split(".")
        if name in self.capabilities and len(owners) <= 1:
            (who,) = self.meant(owners[0] if owners else "self", actor, target)
            strengths = self.scenario.actors[who].capabilities.model_extra
            return plain(strengths.get(name, strengths.get("default")))
        return 0.0

    def product(self, times: list[form.Factor], x: dict[str, float], actor: str | None, target: str | None) -> float:
        """Π times."""
        result = 1.0
        for factor in times:
            if isinstance(factor, form.Not):
                result *= 1.0 - self.share(factor.not_, x, actor, target)
            else:
                result *= self.share(factor, x, actor, target)
        return result

    # numbers of an actor

    def trait(self, actor: str, name: str) -> float:
        own = getattr(self.scenario.actors[actor], name)
        return plain(getattr(self.scenario.model, name) if own is None else own)

    def stake(self, actor: str, other: str) -> float:
        return plain(self.per_name(self.scenario.actors[actor].stakes, other))

    def turn_of(self, date: str) -> int:
        """The turn that holds a date; turns are counted in whole periods from the first one's."""
        (year, month, day), (first_year, first_month, first_day) = split(date), split(self.scenario.start)
        if self.scenario.turn == "week":
            return (datetime.date(year, month, day) - datetime.date(first_year, first_month, first_day)).days // 7 + 1
        months = (year - first_year) * 12 + month - first_month
        return months // {"month": 1, "quarter": 3, "year": 12}[self.scenario.turn] + 1


def promised(giver: str, receiver: str, kind: str) -> str:
    return f"{giver}.{receiver}.promised_{kind}"


def reliability(giver: str, receiver: str, kind: str) -> str:
    return f"{giver}.{receiver}.reliability_{kind}"


def credibility(receiver: str, giver: str, kind: str) -> str:
    return f"{receiver}.{giver}.credibility_{kind}"


def plain(quantity: form.Quantity | None) -> float:
    """A number's value; 0 where there is none."""
    return 0.0 if quantity is None else float(quantity.value)


def split(date: str) -> tuple[int, int, int]:
    year, month, day = (*map(int, date.split("-")), 1, 1)[:3]
    return year, month, day


def clamp01(value: float) -> float:
    return min(max(value, 0.0), 1.0)


# ----------------------------------------------------------------------------------------------------- a run


@dataclass(frozen=True)
class Strike:
    """One effect on one slot: its value m and its factor f."""

    s: str
    kind: str  # add, to, raise_to, lower_to
    m: float
    f: float
    after: int
    attempt: bool


@dataclass
class Deed:
    option: Option
    chance: float
    succeeded: bool
    strikes: list[Strike] = field(default_factory=list)  # the realised ones


def simulate(scenario: form.Scenario, seed: int, run: int, policy: str | None = None) -> Result:
    """One run of the model."""
    return Run(World(scenario), seed, run, policy).go()


class Run:
    def __init__(self, world: World, seed: int, run: int, policy: str | None) -> None:
        self.world, self.seed, self.run, self.policy = world, seed, run, policy
        self.t = 0
        self.x = {s: slot.start for s, slot in world.slots.items()}
        self.belief = dict(world.prior)
        self.first_hazard = {who: self.hazard(*who) for who in world.incidents}  # h0
        self.kept: dict[tuple[str, str, str], float] = defaultdict(float)
        self.broken: dict[tuple[str, str, str], float] = defaultdict(float)
        self.under_way: dict[int, list[tuple[str, float]]] = defaultdict(list)  # turn of arrival -> steps
        self.result = Result()

    def draw(self, purpose: int, name: str) -> tuple[float, float]:
        return uniforms(self.seed, self.run, self.t, purpose, name)

    def go(self) -> Result:
        self.record()
        for t in range(1, self.world.scenario.turns + 1):
            self.t = t
            forced = self.dated_events()
            self.happen()
            self.believe()
            self.foresee()
            appraised = {option: self.appraise(option) for option in self.world.options}
            deeds = self.choose(appraised, forced)
            self.affect(deeds)
            self.drift()
            self.record()
        return self.result

    def record(self) -> None:
        self.result.states.append(dict(self.x))
        self.result.beliefs.append(dict(self.belief))

    # 7.1

    def dated_events(self) -> list[Option]:
        """Sets and adds of this turn's events; returns the acts that they bring."""
        world, levels, steps, forced = self.world, {}, defaultdict(float), []
        for event in world.scenario.timeline:
            if world.turn_of(event.date) != self.t:
                continue
            for path, quantity in event.set.items():
                for s in world.places(path):
                    levels[s] = world.slots[s].number(quantity)
            for path, quantity in event.add.items():
                for s in world.places(path):
                    steps[s] += world.slots[s].number(quantity)
            if event.act is not None:
                forced.append(Option(event.act.by, event.act.action, event.act.target))
        for s in {*levels, *steps}:
            self.x[s] = world.slots[s].clamp(levels.get(s, self.x[s]) + steps.get(s, 0.0))
        return forced

    def hazard(self, name: str, actor: str | None) -> float:
        incident = self.world.scenario.incidents[name]
        base = plain(incident.hazard)
        for step in incident.plus:
            base += plain(step.add) * self.world.share(step.of, self.x, actor, None)
        return clamp01(base * self.world.product(incident.times, self.x, actor, None))

    def happen(self) -> None:
        """Incidents, and what they tell of promises (7.1, 7.2)."""
        world, strikes = self.world, []
        for name, i in world.incidents:
            incident = world.scenario.incidents[name]
            happened = self.draw(INCIDENT, f"{name}|{i or ''}")[0] < self.hazard(name, i)
            if happened:
                self.result.incidents.append((self.t, name, i))
                strikes += self.strikes(incident.effects, i, None)
            for belies in incident.belies:
                full = world.chosen(belies.to, i)
                for g in world.meant(belies.by, i):
                    for r in world.receivers(g, belies.promise):
                        self.tell_of_incident(name, i, happened, r, g, belies.promise, r in full)
        self.x = self.struck(strikes)

    def tell_of_incident(self, name, i, happened, r, g, q, full) -> None:
        scenario = self.world.scenario
        v = 1.0 if full else plain(scenario.incidents[name].visibility)
        alpha0, beta0 = self.world.prior[r, g, q]
        weight = v * self.x[promised(g, r, q)] * 2.0 * plain(scenario.assurances[q].signal)
        h0, c0 = self.first_hazard[name, i], alpha0 / (alpha0 + beta0)
        if happened:
            self.broken[r, g, q] += weight * (1.0 - h0) * (1.0 - c0)
        else:
            self.kept[r, g, q] += weight * h0 * c0

    # 7.2

    def believe(self) -> None:
        for b, (alpha, beta) in self.belief.items():
            alpha0, beta0 = self.world.prior[b]
            remembered = 1.0 - plain(self.world.scenario.assurances[b[2]].forgetting)
            alpha = alpha0 + remembered * (alpha - alpha0) + self.kept[b]
            beta = beta0 + remembered * (beta - beta0) + self.broken[b]
            self.belief[b] = (alpha, beta)
            self.x[credibility(*b)] = alpha / (alpha + beta)
        self.kept.clear()
        self.broken.clear()

    # 7.3

    def foresee(self) -> None:
        """The map C of this turn, column by column."""
        self.map: dict[str, dict[str, float]] = {
            s: defaultdict(float, {s: 1.0 - slot.pull}) for s, slot in self.world.slots.items()
        }
        for link in self.world.links:
            factor = self.world.product(link.coupling.times, self.x, link.actor, link.target)
            self.map[link.source][link.sink] += plain(link.coupling.add) * factor

    def followed_up(self, change: dict[str, float], foresight: float) -> dict[str, float]:
        """W Δx."""
        total: dict[str, float] = defaultdict(float)
        for n in range(STEPS_AHEAD + 1):
            weight = foresight**n if n == STEPS_AHEAD else (1.0 - foresight) * foresight**n
            if weight == 0.0:
                break
            for s, d in change.items():
                total[s] += weight * d
            following: dict[str, float] = defaultdict(float)
            for s, d in change.items():
                for sink, factor in self.map[s].items():
                    following[sink] += factor * d
            change = following
        return total

    # 7.4

    def strikes(self, effects, actor, target, drawn=None, attempts=None) -> list[Strike]:
        """The effects on every slot that they speak of. drawn: kept (1) or broken (0) by belief, instead of trust."""
        result = []
        for effect in effects:
            if attempts is not None and effect.attempt != attempts:
                continue
            if effect.when is not None and effect.when.kept and self.tested(effect.when, actor, target) is None:
                continue  # where nothing can be promised nothing is kept
            (kind,) = (k for k in ("add", "to", "raise_to", "lower_to") if getattr(effect, k) is not None)
            f = self.factor(effect.when, actor, target, drawn)
            for s in self.world.struck(effect.of, actor, target):
                value = self.world.slots[s].number(getattr(effect, kind))
                if kind in ("add", "to"):
                    value *= self.world.product(effect.times, self.x, actor, target)
                result.append(Strike(s, kind, value, f, effect.after, effect.attempt))
        return result

    def tested(self, when: form.When | None, actor: str, target: str | None) -> tuple[str, str, str] | None:
        """The belief that an effect hangs on, if there is such a promise."""
        if when is None:
            return None
        (giver,) = self.world.meant(when.by, actor, target)
        b = (actor, giver, when.kept or when.broken)
        return b if b in self.world.prior else None

    def factor(self, when: form.When | None, actor: str, target: str | None, drawn) -> float:
        if when is None:
            return 1.0
        b, trust = self.tested(when, actor, target), 0.0
        if b is not None:
            r, g, q = b
            trust = self.x[promised(g, r, q)] * (self.x[credibility(r, g, q)] if drawn is None else drawn[b])
        return trust if when.kept is not None else 1.0 - trust

    def change_by(self, strike: Strike, foresight: float) -> float:
        x, clamp = self.x[strike.s], self.world.slots[strike.s].clamp
        if strike.kind == "add":
            return (clamp(x + strike.m * strike.f) - x) * foresight**strike.after
        if strike.kind == "to":
            return clamp(x + strike.f * (strike.m - x)) - x
        if strike.kind == "raise_to":
            return max(x, strike.m) - x
        return min(x, strike.m) - x

    def gain(self, owner: str, change: dict[str, float]) -> float:
        """Δu_o of a change of which all that follows is reckoned in."""
        total = 0.0
        interests = self.world.scenario.actors[owner].interests
        rho = self.world.trait(owner, "risk")
        for name in sorted(interests):
            interest = interests[name]
            k = self.world.place(interest.of, owner)
            slot = self.world.slots[k]
            if isinstance(interest.ideal, form.Position):
                ideal = self.x[self.world.place(interest.ideal.of, owner)]
            else:
                ideal = slot.number(interest.ideal)
            x, y, width = self.x[k], slot.clamp(self.x[k] + change.get(k, 0.0)), slot.high - slot.low
            total += plain(interest.salience) * ((abs(x - ideal) / width) ** rho - (abs(y - ideal) / width) ** rho)
        return total

    def worth(self, i: str, strikes: list[Strike]) -> float:
        """V of one group of effects."""
        if not strikes:
            return 0.0
        foresight, change = self.world.trait(i, "foresight"), defaultdict(float)
        for strike in strikes:
            change[strike.s] += self.change_by(strike, foresight)
        change = self.followed_up(change, foresight)
        total = self.gain(i, change)
        for o in self.world.actors:
            weight = self.world.stake(i, o) * self.x.get(f"{i}.{o}.regard", 0.0)
            if o != i and weight != 0.0:
                total += weight * self.gain(o, change)
        return total

    def scaled(self, numbers: form.Scaled, option: Option) -> float:
        number = self.world.per_name(numbers, option.actor, option.target)
        return plain(number) * self.world.product(numbers.times, self.x, option.actor, option.target)

    def appraise(self, option: Option) -> tuple[bool, float, float]:
        """Whether an option is available, its chance and its EU."""
        i, j, action = option.actor, option.target, self.world.scenario.actions[option.action]
        chance = clamp01(self.scaled(action.chance, option))
        utility = (
            chance * self.worth(i, self.strikes(action.effects, i, j, attempts=False))
            + self.worth(i, self.strikes(action.effects, i, j, attempts=True))
            - self.scaled(action.cost, option)
        )
        available = all(self.holds(need, i, j) for need in action.needs)
        if available:
            self.result.options[self.t, i, option.action, j] = utility
        return available, chance, utility

    def holds(self, need: form.Need, actor: str, target: str | None) -> bool:
        s = self.world.place(need.of, actor, target)
        if s is None:
            return False
        slot, value = self.world.slots[s], self.x[s]
        return (need.at_least is None or value >= slot.number(need.at_least)) and (
            need.at_most is None or value <= slot.number(need.at_most)
        )

    # 7.5

    def choose(self, appraised: dict[Option, tuple[bool, float, float]], forced: list[Option]) -> list[Deed]:
        deeds = []
        for i in self.world.actors:
            for option, probability in self.draw_acts(i, appraised):
                _, chance, utility = appraised[option]
                succeeded = self.draw(SUCCESS, option.key)[0] < chance
                self.do(deeds, option, chance, succeeded, utility, probability)
            for option in forced:  # as well, even if it was chosen; nobody weighed it
                if option.actor == i:
                    self.do(deeds, option, 1.0, True, math.nan, 1.0)
        return deeds

    def do(self, deeds, option, chance, succeeded, utility, probability) -> None:
        deeds.append(Deed(option, chance, succeeded))
        self.result.acts.append(
            Act(self.t, option.actor, option.action, option.target, chance, succeeded, utility, probability)
        )

    def draw_acts(self, i: str, appraised: dict[Option, tuple[bool, float, float]]) -> list[tuple[Option, float]]:
        """The options that an actor takes, in the order of being drawn, and the probability of each."""
        scenario = self.world.scenario
        policy = self.policy or scenario.actors[i].policy or scenario.policy
        available = [option for option in self.world.options if option.actor == i and appraised[option][0]]
        habit = {option.action: plain(scenario.actions[option.action].habit) for option in available}
        if policy == "frozen" or sum(habit.values()) == 0.0:
            return []
        rationality = {"best": CERTAIN, "random": 0.0}.get(policy, self.world.trait(i, "rationality"))
        hold = plain(scenario.model.hold)
        pull = {None: log(hold)}  # log prior + λ EU; None is hold
        for option in available:
            alike = sum(1 for other in available if other.action == option.action)
            prior = (1.0 - hold) * habit[option.action] / sum(habit.values()) / alike
            pull[option] = log(prior) + rationality * appraised[option][2]
        luck = {option: self.draw(CHOICE, f"{i}||" if option is None else option.key) for option in pull}
        scores = {option: pull[option] + gumbel(luck[option][0]) for option in pull}

        left = self.x.get(f"{i}.attention", 1.0)
        taken, used, drawn = [], set(), set()
        for option in sorted(pull, key=lambda option: -scores[option]):
            if option is None or left <= 0.0:
                break
            lane = self.lane(option)
            if lane not in used:
                effort = plain(scenario.actions[option.action].effort)
                fits = 1.0 if effort <= left else left / effort
                if effort <= left or luck[option][1] < fits:
                    rivals = [o for o in pull if o not in drawn and (o is None or self.lane(o) not in used)]
                    top = max(pull[o] for o in rivals)
                    chosen = math.exp(pull[option] - top) / sum(math.exp(pull[o] - top) for o in rivals)
                    taken.append((option, chosen * fits))
                    used.add(lane)
                    left = left - effort if effort <= left else 0.0
            drawn.add(option)
        return taken

    def lane(self, option: Option) -> tuple[str, str | None]:
        return self.world.scenario.actions[option.action].channel, option.target

    # 7.6

    def struck(self, strikes: list[Strike], arriving=(), regard=None) -> dict[str, float]:
        """The state after all these effects at once."""
        levels, steps = defaultdict(list), defaultdict(float)
        lifts, drops = defaultdict(list), defaultdict(list)
        for strike in strikes:
            s, x = strike.s, self.x[strike.s]
            if strike.kind == "to":
                levels[s].append(x + strike.f * (strike.m - x))
            elif strike.kind == "raise_to":
                lifts[s].append(strike.m)
            elif strike.kind == "lower_to":
                drops[s].append(strike.m)
            elif strike.after == 0:
                steps[s] += strike.m * strike.f
            else:
                self.under_way[self.t + strike.after].append((s, strike.m * strike.f))
        for s, step in [*arriving, *(regard or {}).items()]:
            steps[s] += step
        after = dict(self.x)
        for s in {*levels, *steps}:
            base = sum(levels[s]) / len(levels[s]) if levels[s] else self.x[s]
            after[s] = self.world.slots[s].clamp(base + steps[s])
        for s in {*lifts, *drops}:
            after[s] = min([max([after[s], *lifts[s]]), *drops[s]])
        return after

    def affect(self, deeds: list[Deed]) -> None:
        """Steps 6 and 7: effects, signals and regard, all from the start of the turn."""
        drawn, witnessed = {}, {}
        for deed in deeds:
            option, action = deed.option, self.world.scenario.actions[deed.option.action]
            real = [
                effect
                for effect in action.effects
                if (deed.succeeded or effect.attempt) and self.world.struck(effect.of, option.actor, option.target)
            ]
            for effect in real:
                b = self.tested(effect.when, option.actor, option.target)
                if b is None:
                    continue
                r, g, q = b
                drawn[b] = 1.0 if self.draw(KEPT, f"{g}|{r}|{q}")[0] < self.x[reliability(g, r, q)] else 0.0
                witnessed[b] = max(witnessed.get(b, 0.0), plain(action.visibility))
            deed.strikes = self.strikes(real, option.actor, option.target, drawn=drawn)
        after = self.struck(
            [strike for deed in deeds for strike in deed.strikes],
            self.under_way.pop(self.t, []),
            self.warmth(deeds),
        )
        self.signal(deeds, drawn, witnessed)
        self.x = after

    # 7.7

    def signal(self, deeds: list[Deed], drawn, witnessed) -> None:
        world = self.world
        for deed in deeds:
            i, j, action = deed.option.actor, deed.option.target, world.scenario.actions[deed.option.action]
            if not deed.succeeded:
                continue
            for signal in action.signals:
                full = world.chosen(signal.to, i, j)
                for g in world.meant(signal.by, i, j):
                    for r in world.receivers(g, signal.promise):
                        v = 1.0 if r in full else plain(action.visibility)
                        self.kept[r, g, signal.promise] += v * plain(signal.kept)
                        self.broken[r, g, signal.promise] += v * plain(signal.broken)
        for (r, g, q), kept in drawn.items():
            weight = plain(world.scenario.assurances[q].signal) * self.x[promised(g, r, q)]
            for other in world.receivers(g, q):
                seen = weight if other == r else weight * witnessed[r, g, q]
                (self.kept if kept else self.broken)[other, g, q] += seen

    # 7.8

    def warmth(self, deeds: list[Deed]) -> dict[str, float]:
        """What the acts of each do to the regard in which others hold it."""
        result = {}
        for o in self.world.actors:
            for i in self.world.actors:
                s = f"{o}.{i}.regard"
                if s not in self.world.slots:
                    continue
                felt = 0.0
                for deed in deeds:
                    if deed.option.actor == i:
                        change = defaultdict(float)
                        for strike in deed.strikes:
                            change[strike.s] += self.change_by(strike, 0.0)
                        felt += plain(self.world.scenario.actions[deed.option.action].visibility) * self.gain(o, change)
                sign = (felt > 0) - (felt < 0)
                result[s] = self.world.trait(o, "responsiveness") * felt * (1.0 - self.x[s] * sign)
        return result

    # 7.9

    def drift(self) -> None:
        y = self.x
        moved = defaultdict(float)
        for link in self.world.links:
            factor = self.world.product(link.coupling.times, y, link.actor, link.target)
            moved[link.sink] += plain(link.coupling.add) * factor * (y[link.source] - plain(link.coupling.around))
        self.x = dict(y)
        for s, slot in self.world.slots.items():
            if slot.ladder or slot.believed:
                continue
            noise = slot.noise * normal(self.draw(NOISE, s)[0]) if slot.noise else 0.0
            self.x[s] = slot.clamp(y[s] + slot.pull * (slot.rest - y[s]) + moved[s] + noise)


def log(value: float) -> float:
    return math.log(value) if value > 0.0 else -math.inf

"""The model a second time: slow, plain, written from docs/odd.md section 7 alone and from nothing of the engine.

Numbers live in dicts by the name of what they measure, and every formula stands where the page has it, so that the two
can be read side by side. `tests/test_reference.py` holds the engine to this within 1e-12.
"""

from __future__ import annotations

import datetime
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import NamedTuple

from sim import evidence
from sim import scenario as form

CHOICE, SUCCESS, KEPT, INCIDENT, NOISE = 1, 2, 3, 4, 5  # 7.15, purposes
ANSWER, REPLY, JOIN, DELIVERY, ATTENDANCE, VETO, OCCASION = 6, 7, 8, 9, 10, 11, 12
STEPS_AHEAD = 12  # 7.3
CERTAIN = 1e9  # 7.14, the lambda of `best`
LEARNING = 0.2  # 7.14, phi of `reinforcement`
MEMORY = {"month": 12, "week": 52, "quarter": 4, "year": 1}  # 7.14, turns that `trend` looks back
WAYS = ("chosen", "dated", "owed", "session")  # how an act comes to be done, in the order of being told
SILENT = ("frozen", "trend")  # 7.11, who never agrees to anything


# ---------------------------------------------------------------------------------------------- 7.15 random draws


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


class Talk(NamedTuple):
    """What was said, settled, moved or voted. who: the names of what it is about; numbers without meaning are NaN."""

    turn: int
    kind: str
    who: tuple
    result: str | int | None
    probability: float = math.nan
    first: float = math.nan
    second: float = math.nan


@dataclass
class Result:
    """What one run leaves. The lists over time have T + 1 entries, the start first."""

    states: list[dict[str, float]] = field(default_factory=list)
    beliefs: list[dict[tuple[str, str, str], tuple[float, float]]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)  # by turn, actor, order of being drawn; then of steps 5 and 1
    talks: list[Talk] = field(default_factory=list)
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
    """What an actor can do: an action, an offer (the action is its bargain) or a convening (it is the forum)."""

    actor: str
    action: str
    target: str | None

    @property
    def key(self) -> str:
        return f"{self.actor}|{self.action}|{self.target or ''}"

    @property
    def order(self) -> tuple[str, str, str]:
        return self.actor, self.action, self.target or ""


@dataclass(frozen=True)
class Deal:
    """A bargain between two. gives: what those who may join would give, by their names."""

    offer: Option
    terms: form.Bargain = field(compare=False)
    give: Option
    ask: Option
    gives: dict[str, Option] = field(compare=False)

    @property
    def order(self) -> tuple[str, str, str]:
        return self.offer.action, self.offer.actor, self.offer.target

    @property
    def proposer(self) -> str:
        return self.offer.actor

    @property
    def target(self) -> str:
        return self.offer.target


@dataclass(eq=False)
class Promise:
    """What is owed since an offer was accepted."""

    deal: Deal
    act: Option
    receiver: str
    due: int

    @property
    def other_side(self) -> str:
        """Whose promise in the deal was made for this one."""
        return self.deal.proposer if self.act.actor == self.deal.target else self.deal.target


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
        self.found: dict[tuple[str, str | None, str | None], list[str]] = {}  # slots by path, self and target
        self.stakes = {
            (i, o): plain(self.per_name(scenario.actors[i].stakes, o)) for i in self.actors for o in self.actors
        }
        self.wants = {  # interests by owner, and where they lie
            i: [(wanted, self.place(wanted.of, i)) for _, wanted in sorted(scenario.actors[i].interests.items())]
            for i in self.actors
        }
        for slot in self.slots.values():
            if slot.rest is None:
                slot.rest = slot.start
        for path, quantity in scenario.set.items():
            for s in self.places(path):
                self.slots[s].start = self.slots[s].number(quantity)
        self.acts = {
            Option(i, action, j)
            for action, block in scenario.actions.items()
            for i in self.chosen(block.by)
            for j in self._targets(i, block.toward)
        }
        self.deals = {deal.offer: deal for deal in self._deals()}
        self.convenings = {
            Option(i, name, None) for name, forum in scenario.fora.items() for i in self.chosen(forum.convener)
        }
        self.blocks = scenario.actions | scenario.bargains | scenario.fora
        self.options = sorted({*self.acts, *self.deals, *self.convenings}, key=lambda option: option.order)
        self.menu = {i: [option for option in self.options if option.actor == i] for i in self.actors}
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
        if (path, actor, target) not in self.found:
            *owners, name = path.split(".")
            written = [name]
            for word in reversed(owners):
                written = [f"{owner}.{rest}" for owner in self.meant(word, actor, target) for rest in written]
            self.found[path, actor, target] = [s for s in written if s in self.slots]
        return self.found[path, actor, target]

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

    # bargains

    def _deals(self) -> Iterator[Deal]:
        for name, terms in self.scenario.bargains.items():
            for i, j in self._pairs(terms.by, terms.toward):
                give, ask = self._deed(terms.give, i, j), self._deed(terms.ask, j, i)
                if give in self.acts and ask in self.acts:
                    others = [k for k in self.chosen(terms.by) if terms.together and k not in (i, j)]
                    gives = {k: self._deed(terms.give, k, j) for k in others if self._trust(k, j, terms.word)}
                    gives = {k: act for k, act in gives.items() if act in self.acts}
                    yield Deal(Option(i, name, j), terms, give, ask, gives)

    def _trust(self, one: str, other: str, kind: str) -> bool:
        """Whether two can give each other a promise."""
        return (one, other, kind) in self.prior and (other, one, kind) in self.prior

    def _deed(self, deed: form.Deed, actor: str, other: str) -> Option:
        """The act that a side promises: towards the actor named, the other side, or nobody."""
        target = None if self.scenario.actions[deed.action].toward is None else deed.toward or other
        return Option(actor, deed.action, target)

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
    """Something done. why: one of the ways in which an act comes to be done."""

    option: Option
    why: str
    chance: float
    succeeded: bool
    utility: float
    probability: float
    strikes: list[Strike] = field(default_factory=list)  # the realised ones


# Date, source, target, CAMEO code and PLOVER type of acts before the start.
Record = Sequence[tuple[str, str, str, str, str | None]]


def simulate(scenario: form.Scenario, seed: int, run: int, policy: str | None = None, record: Record = ()) -> Result:
    """One run of the model."""
    return Run(World(scenario), seed, run, policy, record).go()


class Run:
    def __init__(self, world: World, seed: int, run: int, policy: str | None, record: Record = ()) -> None:
        self.world, self.seed, self.run, self.policy = world, seed, run, policy
        self.t = 0
        self.x = {s: slot.start for s, slot in world.slots.items()}
        self.belief = dict(world.prior)
        self.first_hazard = {who: self.hazard(*who) for who in world.incidents}  # h0
        self.kept: dict[tuple[str, str, str], float] = defaultdict(float)
        self.broken: dict[tuple[str, str, str], float] = defaultdict(float)
        self.under_way: dict[int, list[tuple[str, float]]] = defaultdict(list)  # turn of arrival -> steps
        self.table: dict[Deal, int] = {}  # offers, and the last turn that they lie on the table
        self.owed: list[Promise] = []
        self.broken_on: dict[tuple[Deal, str], int] = {}  # when a side broke what it last promised in a deal
        self.met: dict[str, int] = {}  # the last session of each forum
        self.past: dict[int, dict[Option, float]] = defaultdict(lambda: defaultdict(float))  # how often, by turn
        self.propensity: dict[tuple[str, Option | None], float] = defaultdict(float)
        self.remember_the_record(record)
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
            self.appraise()
            deeds = self.choose(forced)
            pledges = self.answer(deeds)
            self.deliver(deeds)
            outcome = self.meet(deeds)
            self.write_down(deeds)
            start = self.x
            self.affect(deeds, pledges, outcome)
            self.drift()
            self.learn(start, deeds)
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
        self.columns: dict[tuple[str, float], dict[str, float]] = {}

    def followed_up(self, change: dict[str, float], foresight: float) -> dict[str, float]:
        """W Δx, the sum of what each change leads to."""
        total: dict[str, float] = defaultdict(float)
        for s, d in change.items():
            for sink, weight in self.column(s, foresight).items():
                total[sink] += weight * d
        return total

    def column(self, s: str, foresight: float) -> dict[str, float]:
        """What a change of 1 in s leads to: the column of W."""
        if (s, foresight) not in self.columns:
            total, change = defaultdict(float), {s: 1.0}
            for n in range(STEPS_AHEAD + 1):
                weight = foresight**n if n == STEPS_AHEAD else (1.0 - foresight) * foresight**n
                if weight == 0.0:
                    break
                for k, d in change.items():
                    total[k] += weight * d
                following: dict[str, float] = defaultdict(float)
                for k, d in change.items():
                    for sink, factor in self.map[k].items():
                        following[sink] += factor * d
                change = following
            self.columns[s, foresight] = total
        return self.columns[s, foresight]

    # 7.4: `at` is the state that an effect is appraised at; what multiplies it is read at the start of the turn

    def strikes(self, effects, actor, target, drawn=None, attempts=None, at=None, sure=None) -> list[Strike]:
        """The effects on every slot that they speak of.

        drawn: kept (1) or broken (0) by belief, instead of trust. sure: a belief whose promise counts as full.
        """
        result = []
        for effect in effects:
            if attempts is not None and effect.attempt != attempts:
                continue
            if effect.when is not None and effect.when.kept and self.tested(effect.when, actor, target) is None:
                continue  # where nothing can be promised nothing is kept
            (kind,) = (k for k in ("add", "to", "raise_to", "lower_to") if getattr(effect, k) is not None)
            f = self.factor(effect.when, actor, target, drawn, at or self.x, sure)
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

    def factor(self, when: form.When | None, actor: str, target: str | None, drawn, at, sure) -> float:
        if when is None:
            return 1.0
        b, trust = self.tested(when, actor, target), 0.0
        if b is not None:
            r, g, q = b
            p = 1.0 if b == sure else at[promised(g, r, q)]
            trust = p * (at[credibility(r, g, q)] if drawn is None else drawn[b])
        return trust if when.kept is not None else 1.0 - trust

    def change_by(self, strike: Strike, foresight: float, at: dict[str, float] | None = None) -> float:
        x, clamp = (at or self.x)[strike.s], self.world.slots[strike.s].clamp
        if strike.kind == "add":
            return (clamp(x + strike.m * strike.f) - x) * foresight**strike.after
        if strike.kind == "to":
            return clamp(x + strike.f * (strike.m - x)) - x
        if strike.kind == "raise_to":
            return max(x, strike.m) - x
        return min(x, strike.m) - x

    def gain(self, owner: str, change: dict[str, float], at: dict[str, float] | None = None) -> float:
        """Δu_o of a change of which all that follows is reckoned in."""
        at = at or self.x
        wanted = {k for _, k in self.world.wants[owner] if k in change}
        return self.gained(owner, at, {k: self.world.slots[k].clamp(at[k] + change[k]) for k in wanted})

    def gained(self, owner: str, before: dict[str, float], after: dict[str, float]) -> float:
        """How much less an owner loses after than before, by the ideals of before."""
        total, rho = 0.0, self.world.trait(owner, "risk")
        for interest, k in self.world.wants[owner]:
            if k in after:
                slot, width = self.world.slots[k], self.world.slots[k].high - self.world.slots[k].low
                if isinstance(interest.ideal, form.Position):
                    ideal = before[self.world.place(interest.ideal.of, owner)]
                else:
                    ideal = slot.number(interest.ideal)
                losses = [(abs(x[k] - ideal) / width) ** rho for x in (before, after)]
                total += plain(interest.salience) * (losses[0] - losses[1])
        return total

    def worth(self, i: str, strikes: list[Strike], at: dict[str, float] | None = None) -> float:
        """V of one group of effects."""
        foresight, change = self.world.trait(i, "foresight"), defaultdict(float)
        for strike in strikes:
            change[strike.s] += self.change_by(strike, foresight, at)
        return self.worth_of(i, change, at)

    def worth_of(self, i: str, change: dict[str, float], at: dict[str, float] | None = None) -> float:
        """V of a change, before what follows from it."""
        at = at or self.x
        change = self.followed_up(change, self.world.trait(i, "foresight"))
        total = self.gain(i, change, at)
        for o in self.world.actors:
            weight = self.world.stakes[i, o] * at.get(f"{i}.{o}.regard", 0.0)
            if o != i and weight != 0.0:
                total += weight * self.gain(o, change, at)
        return total

    def scaled(self, numbers: form.Scaled, option: Option) -> float:
        number = self.world.per_name(numbers, option.actor, option.target)
        return plain(number) * self.world.product(numbers.times, self.x, option.actor, option.target)

    def chance(self, option: Option) -> float:
        return clamp01(self.scaled(self.world.blocks[option.action].chance, option))

    def cost(self, option: Option) -> float:
        """What an option costs its actor; an offer costs attention only."""
        return 0.0 if option in self.world.deals else self.scaled(self.world.blocks[option.action].cost, option)

    def is_available(self, option: Option) -> bool:
        if option in self.world.deals:
            deal = self.world.deals[option]
            return deal not in self.table and self.can_be_made(deal)
        if option in self.world.convenings:
            return self.can_be_convened(option)
        return self.conditions_hold(option)

    def conditions_hold(self, option: Option) -> bool:
        return all(self.holds(need, option.actor, option.target) for need in self.world.blocks[option.action].needs)

    def holds(self, need: form.Need, actor: str, target: str | None) -> bool:
        s = self.world.place(need.of, actor, target)
        if s is None:
            return False
        slot, value = self.world.slots[s], self.x[s]
        return (need.at_least is None or value >= slot.number(need.at_least)) and (
            need.at_most is None or value <= slot.number(need.at_most)
        )

    # 7.10

    def value(self, who: str, act: Option, at: dict[str, float] | None = None, sure=None) -> float:
        """V_x(o), what an act is worth to anybody: nothing where it cannot be done."""
        if not self.conditions_hold(act):
            return 0.0
        if at is None and sure is None and (who, act) in self.values:
            return self.values[who, act]
        effects = self.world.scenario.actions[act.action].effects
        others, attempts = (
            self.strikes(effects, act.actor, act.target, attempts=group, at=at, sure=sure) for group in (False, True)
        )
        total = self.chance(act) * self.worth(who, others, at) + self.worth(who, attempts, at)
        if at is None and sure is None:
            self.values[who, act] = total
        return total

    def utility(self, act: Option, at: dict[str, float] | None = None, sure=None) -> float:
        """EU_o."""
        return self.value(act.actor, act, at, sure) - self.cost(act) * self.conditions_hold(act)

    # 7.13

    def appraise(self) -> None:
        """The options of this turn and what each is worth to its actor, at every depth that somebody has."""
        self.values: dict[tuple[str, Option], float] = {}
        self.expected: dict[tuple[str, int], dict[Option, float]] = {}
        self.responses: dict[tuple[tuple[str, str, str], int], float] = {}
        self.available = {i: [o for o in self.world.menu[i] if self.is_available(o)] for i in self.world.actors}
        depth = {i: int(self.world.trait(i, "depth")) for i in self.world.actors}
        self.challenges = self.challenge_model()
        self.seen: list[dict[str, dict[str, float]]] = [dict.fromkeys(self.world.actors, self.x)]
        self.at_level = [{i: {o: self.at_face_value(o) for o in self.available[i]} for i in self.world.actors}]
        for n in range(1, max(depth.values()) + 1):
            shifts = {o: self.shift(o, n - 1) for o in self.world.actors}
            seen, worth = {}, {}
            for i in self.world.actors:
                if depth[i] >= n or n < max(depth.values()):
                    seen[i] = dict(self.x)
                    for s in self.x:
                        moved = sum(shifts[o][s] for o in self.world.actors if o != i and s in shifts[o])
                        seen[i][s] = self.world.slots[s].clamp(self.x[s] + moved)
            self.seen.append(seen)
            for i in seen:
                worth[i] = {option: self.at_depth(option, n) for option in self.available[i]}
            self.at_level.append(worth)
        for i in self.world.actors:
            for option, utility in self.at_level[depth[i]][i].items():
                self.result.options[self.t, *self.named(option)] = utility
        self.depth = depth

    @staticmethod
    def named(option: Option) -> tuple[str, str, str | None]:
        return option.actor, option.action, option.target

    def at_face_value(self, option: Option) -> float:
        """EU at level 0."""
        policy = self.policy_of(option.actor)
        if policy == "challenge":
            return self.by_challenge(option)
        if policy == "reinforcement":
            return self.propensity[option.actor, option]
        if option in self.world.deals:
            return self.expected_of_offer(self.world.deals[option])
        if option in self.world.convenings:
            return self.expected_of_session(option)
        return self.utility(option)

    def at_depth(self, option: Option, n: int, sure=None) -> float:
        """EU at level n, with what a word would do from level 1 on. sure: as in `strikes`."""
        i = option.actor
        if option not in self.world.acts or self.policy_of(i) in ("challenge", "reinforcement"):
            return self.at_level[0][i][option]
        at = None if n == 0 else self.seen[n][i]
        total = self.utility(option, at, sure)
        return total if n == 0 else total + self.by_word(option, n)

    def by_word(self, option: Option, n: int) -> float:
        """What an act's promises would make their receivers do."""
        i, at, total = option.actor, self.seen[n][option.actor], 0.0
        for group in (False, True):
            effects = self.world.scenario.actions[option.action].effects
            for strike in self.strikes(effects, i, option.target, attempts=group, at=at):
                for j, giver, q in self.world.prior:
                    if giver == i and strike.s == promised(i, j, q) and at[strike.s] != 1.0:
                        step = self.change_by(strike, self.world.trait(i, "foresight"), at)
                        response = step / (1.0 - at[strike.s]) * self.response((j, i, q), n)
                        total += response if group else self.chance(option) * response
        return total

    def response(self, b: tuple[str, str, str], n: int) -> float:
        """Σ (e₁ − e) V_i over what the receiver could do that hangs on the promise."""
        if (b, n) not in self.responses:
            j, i, _ = b
            likely, total = self.likely(j, n - 1), 0.0
            for h in self.available[j]:
                effects = self.world.scenario.actions[h.action].effects if h in self.world.acts else []
                if any(self.tested(effect.when, j, h.target) == b for effect in effects):
                    trusted = self.likely(j, n - 1, {h: self.at_depth(h, n - 1, sure=b)})
                    total += (trusted[h] - likely[h]) * self.value(i, h, self.seen[n][i])
            self.responses[b, n] = total
        return self.responses[b, n]

    def likely(self, i: str, n: int, instead: dict[Option, float] | None = None) -> dict[Option, float]:
        """e of every available option. instead: what some are worth in another case, with the effort of this one."""
        if instead is None:
            if (i, n) not in self.expected:
                self.expected[i, n] = self.likely(i, n, {})
            return self.expected[i, n]
        policy, options, worth = self.policy_of(i), self.available[i], self.at_level[n][i]
        if policy == "frozen":
            return dict.fromkeys(options, 0.0)
        if policy == "trend":
            return {option: self.rate(option) for option in options}
        pull = self.pulls(i, worth)
        effort = sum(logistic(pull[o] - pull[None]) * plain(self.world.blocks[o.action].effort) for o in options)
        left = self.x.get(f"{i}.attention", 1.0)
        scale = min(1.0, left / effort) if effort > 0.0 else 1.0
        pull = self.pulls(i, worth | instead)
        return {option: logistic(pull[option] - pull[None]) * scale for option in options}

    def shift(self, o: str, n: int) -> dict[str, float]:
        """What an actor is expected to change, by the options that it is likely to take."""
        at, foresight, total = self.seen[n][o], self.world.trait(o, "foresight"), defaultdict(float)
        for option, e in self.likely(o, n).items():
            if option in self.world.acts and e > 0.0:
                effects = self.world.scenario.actions[option.action].effects
                for strike in self.strikes(effects, o, option.target, at=at):
                    weight = e if strike.attempt else e * self.chance(option)
                    total[strike.s] += weight * self.change_by(strike, foresight, at)
        return total

    # 7.5

    def policy_of(self, i: str) -> str:
        return self.policy or self.world.scenario.actors[i].policy or self.world.scenario.policy

    def rationality(self, i: str) -> float:
        return {"best": CERTAIN, "random": 0.0}.get(self.policy_of(i), self.world.trait(i, "rationality"))

    def pulls(self, i: str, worth: dict[Option, float]) -> dict[Option | None, float]:
        """log prior + λ EU of the available options; None is hold."""
        hold, options = plain(self.world.scenario.model.hold), self.available[i]
        habit = {option.action: plain(self.world.blocks[option.action].habit) for option in options}
        pull: dict[Option | None, float] = {None: math.log(hold)}
        if self.policy_of(i) == "reinforcement":
            pull[None] += self.rationality(i) * self.propensity[i, None]
        for option in options:
            alike = sum(1 for other in options if other.action == option.action)
            prior = (1.0 - hold) * habit[option.action] / sum(habit.values()) / alike
            pull[option] = math.log(prior) + self.rationality(i) * worth[option]
        return pull

    def choose(self, forced: list[Option]) -> list[Deed]:
        deeds = []
        for i in self.world.actors:
            worth = self.at_level[self.depth[i]][i]
            for option, probability in self.by_trend(i) if self.policy_of(i) == "trend" else self.draw_acts(i, worth):
                utility = math.nan if self.policy_of(i) == "trend" else worth[option]
                deeds.append(self.attempt(option, "chosen", utility, probability))
        # dated acts as well, even if chosen; nobody weighed them
        return deeds + [Deed(option, "dated", 1.0, True, math.nan, 1.0) for option in forced]

    def attempt(self, option: Option, why: str, utility: float, probability: float) -> Deed:
        if option not in self.world.acts:
            return Deed(option, why, 1.0, True, utility, probability)
        chance = self.chance(option)
        return Deed(option, why, chance, self.draw(SUCCESS, option.key)[0] < chance, utility, probability)

    def write_down(self, deeds: list[Deed]) -> None:
        """The acts of the turn by actor, and in what order they came to be done."""
        for deed in sorted(deeds, key=lambda deed: (deed.option.actor, WAYS.index(deed.why))):
            self.result.acts.append(
                Act(self.t, *self.named(deed.option), deed.chance, deed.succeeded, deed.utility, deed.probability)
            )
            self.past[self.t][deed.option] += 1.0

    def draw_acts(self, i: str, worth: dict[Option, float]) -> list[tuple[Option, float]]:
        """The options that an actor takes, in the order of being drawn, and the probability of each."""
        if self.policy_of(i) == "frozen" or not self.available[i]:
            return []
        pull = self.pulls(i, worth)
        luck = {option: self.draw(CHOICE, f"{i}||" if option is None else option.key) for option in pull}
        scores = {option: pull[option] + gumbel(luck[option][0]) for option in pull}

        left = self.x.get(f"{i}.attention", 1.0)
        taken, used, drawn = [], set(), set()
        for option in sorted(pull, key=lambda option: -scores[option]):
            if option is None or left <= 0.0:
                break
            lane = self.lane(option)
            if lane not in used:
                effort = plain(self.world.blocks[option.action].effort)
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
        return self.world.blocks[option.action].channel, option.target

    # 7.14

    def by_trend(self, i: str) -> list[tuple[Option, float]]:
        """What an actor does as often as in the past year, and the probability of each."""
        taken, used = [], set()
        for option in self.available[i]:
            rate = self.rate(option)
            if self.lane(option) not in used and self.draw(CHOICE, option.key)[0] < rate:
                taken.append((option, rate))
                used.add(self.lane(option))
        return taken

    def rate(self, option: Option) -> float:
        window = MEMORY[self.world.scenario.turn]
        return min(1.0, sum(self.past[t][option] for t in range(self.t - window, self.t)) / window)

    def remember_the_record(self, record: Record) -> None:
        for date, source, target, cameo, plover in record:
            turn = self.world.turn_of(date)
            alike = [o for o in self.world.options if o.actor == source and o.target in (target, None)]
            same = [o for o in alike if self.world.blocks[o.action].cameo == cameo]
            if not same:
                same = [o for o in alike if self.world.blocks[o.action].plover == plover]
            for option in same if turn < 1 else []:
                self.past[turn][option] += 1.0 / len(same)

    def learn(self, start: dict[str, float], deeds: list[Deed]) -> None:
        """`reinforcement`: what was done is thought of by what came of the turn."""
        for i in self.world.actors:
            if self.policy_of(i) == "reinforcement":
                gained = self.gained(i, start, self.x)
                done = sorted({deed.option for deed in deeds if deed.option.actor == i}, key=lambda o: o.order)
                for option in done or [None]:
                    self.propensity[i, option] += LEARNING * (gained - self.propensity[i, option])

    def challenge_model(self) -> dict[tuple[str, str], float]:
        """E_ij at i's risk, for every two who declare a `challenge`."""
        declared = {i: a.challenge for i in self.world.actors if (a := self.world.scenario.actors[i]).challenge}
        y, c, s = {}, {}, {}
        for i, block in declared.items():
            if isinstance(block.position, form.Position):
                y[i] = self.world.share(block.position.of, self.x, i, None)
            else:
                y[i] = plain(block.position)
            c[i], s[i] = plain(block.capability), plain(block.salience)

        def expected(i: str, j: str, r: float) -> float:
            distance = abs(y[i] - y[j])
            success = 2.0 - 4.0 * (0.5 - 0.5 * distance) ** r
            failure = 2.0 - 4.0 * (0.5 + 0.5 * distance) ** r
            status_quo = 2.0 - 4.0 * 0.5**r
            a = [c[k] * s[k] * (abs(y[k] - y[j]) - abs(y[k] - y[i])) for k in declared]
            whole = sum(abs(v) for v in a)
            p = 0.5 if whole == 0.0 else sum(max(0.0, v) for v in a) / whole
            return s[j] * (p * success + (1.0 - p) * failure) + (1.0 - s[j]) * success - status_quo

        security = {i: sum(expected(j, i, 1.0) for j in declared if j != i) for i in declared}
        risk = {}
        for i in declared:
            low, high = min(security.values()), max(security.values())
            ratio = 0.0 if high == low else (2.0 * security[i] - high - low) / (high - low)
            risk[i] = (1.0 - ratio / 3.0) / (1.0 + ratio / 3.0)
        return {(i, j): expected(i, j, risk[i]) for i in declared for j in declared if i != j}

    def by_challenge(self, option: Option) -> float:
        found = evidence.code(self.world.blocks[option.action].cameo)
        weight = (found and found.goldstein) or 0.0
        gained = -0.01 * weight / 10.0 * self.challenges.get((option.actor, option.target), 0.0)
        return gained - self.cost(option)

    # 7.11

    def tell(self, kind: str, who: tuple, result, probability=math.nan, first=math.nan, second=math.nan) -> None:
        self.result.talks.append(Talk(self.t, kind, who, result, probability, first, second))

    def owes(self, act: Option) -> bool:
        return any(promise.act == act for promise in self.owed)

    def can_be_made(self, deal: Deal) -> bool:
        """Whether an offer is available but for the table."""
        return (
            plain(deal.terms.active) == 1.0
            and self.conditions_hold(deal.offer)
            and all(self.conditions_hold(act) and not self.owes(act) for act in (deal.give, deal.ask))
        )

    def trust(self, receiver: str, giver: str, deal: Deal) -> float:
        """The credibility of a word, 0 where it cannot be given."""
        return self.x.get(credibility(receiver, giver, deal.terms.word), 0.0)

    def later(self, who: str, turns: int) -> float:
        return self.world.trait(who, "foresight") ** turns

    def worth_to_target(self, deal: Deal, joining: dict[str, float]) -> float:
        """X_j(d). joining: weight of each partner's give."""
        j, n, m = deal.target, deal.terms.give_after, deal.terms.ask_after
        total = self.later(j, n) * self.trust(j, deal.proposer, deal) * self.value(j, deal.give)
        for k in sorted(joining):
            total += joining[k] * self.later(j, n) * self.trust(j, k, deal) * self.value(j, deal.gives[k])
        return total + self.later(j, m) * self.utility(deal.ask)

    def worth_to_giver(self, deal: Deal, k: str, give: Option) -> float:
        """X_i(d), and X_k of a partner."""
        n, m = deal.terms.give_after, deal.terms.ask_after
        received = self.later(k, m) * self.trust(k, deal.target, deal) * self.value(k, deal.ask)
        return self.later(k, n) * self.utility(give) + received

    def joins(self, deal: Deal, k: str) -> float:
        """π_k."""
        give = deal.gives[k]
        if self.policy_of(k) in SILENT or not self.conditions_hold(give) or self.owes(give):
            return 0.0
        return logistic(self.rationality(k) * self.worth_to_giver(deal, k, give) - plain(deal.terms.bias))

    def counter(self, deal: Deal) -> tuple[Deal, float] | None:
        """The counter-offer that can be made to an offer, and the probability that its proposer would accept it."""
        other = None
        if deal.terms.counter is not None:
            other = self.world.deals.get(Option(deal.proposer, deal.terms.counter, deal.target))
        if other is None or not self.can_be_made(other):
            return None
        i, rho = deal.proposer, 0.0
        if self.policy_of(i) not in SILENT:
            worth = self.worth_to_giver(other, i, other.give)
            rho = logistic(self.rationality(i) * worth - plain(other.terms.bias))
        return other, rho

    def answers(self, deal: Deal, joining: dict[str, float]) -> tuple[float, float]:
        """Scores of accepting an offer and of its counter-offer, beside the 0 of refusing."""
        rationality = self.rationality(deal.target)
        accept = rationality * self.worth_to_target(deal, joining) - plain(deal.terms.bias)
        counter = self.counter(deal)
        if counter is None:
            return accept, -math.inf
        other, rho = counter
        return accept, rationality * rho * self.worth_to_target(other, {}) - plain(other.terms.bias)

    def expected_of_offer(self, deal: Deal) -> float:
        """EU(offer)."""
        if self.policy_of(deal.target) in SILENT:
            return 0.0
        _, accepted, countered = shares([0.0, *self.answers(deal, {k: self.joins(deal, k) for k in deal.gives})])
        total = accepted * self.worth_to_giver(deal, deal.proposer, deal.give)
        counter = self.counter(deal)
        if counter is not None:
            other, rho = counter
            total += countered * rho * self.worth_to_giver(other, other.proposer, other.give)
        return total

    def answer(self, deeds: list[Deed]) -> list[Strike]:
        """Step 5: the offers on the table are answered. Returns what the promises made do to promised_q."""
        self.pledges: list[Strike] = []
        for deed in deeds:
            if deed.option in self.world.deals:
                deal = self.world.deals[deed.option]
                self.table[deal] = self.t + deal.terms.expires - 1
        for ask in sorted({deal.ask for deal in self.table}, key=lambda act: act.order):
            self.answer_all(ask)
        for deal in self.on_the_table():
            if self.table[deal] == self.t:
                del self.table[deal]
        return self.pledges

    def on_the_table(self) -> list[Deal]:
        return sorted(self.table, key=lambda deal: deal.order)

    def lapse(self, deal: Deal) -> None:
        del self.table[deal]
        self.tell("answer", self.named(deal.offer), "lapsed")

    def answer_all(self, ask: Option) -> None:
        """The offers that ask for one act are answered together."""
        for deal in self.on_the_table():
            if deal.ask == ask and any(not self.conditions_hold(o) or self.owes(o) for o in (deal.give, deal.ask)):
                self.lapse(deal)
        offers = [deal for deal in self.on_the_table() if deal.ask == ask]
        if not offers:
            return
        joined = {deal: [k for k in sorted(deal.gives) if self.is_joined_by(deal, k)] for deal in offers}
        worth = {deal: self.worth_to_target(deal, dict.fromkeys(joined[deal], 1.0)) for deal in offers}
        pull: dict[tuple[Deal | None, str], float] = {(None, "refuse"): 0.0}
        score = {(None, "refuse"): gumbel(self.draw(ANSWER, ask.key)[0])}
        for deal in offers if self.policy_of(ask.actor) not in SILENT else []:
            luck = self.draw(ANSWER, f"{deal.proposer}|{deal.offer.action}|{deal.target}")
            scores = self.answers(deal, dict.fromkeys(joined[deal], 1.0))
            for place, word in enumerate(("accept", "counter")):
                if scores[place] > -math.inf:
                    pull[deal, word] = scores[place]
                    score[deal, word] = scores[place] + gumbel(luck[place])
        probability = dict(zip(pull, shares(list(pull.values())), strict=True))
        won, word = max(score, key=lambda key: score[key])
        agreed = None
        for deal in offers:
            result = "refused" if deal != won else "accepted" if word == "accept" else "countered"
            self.tell(
                "answer", self.named(deal.offer), result, probability.get((deal, "accept"), 0.0),
                worth[deal], self.worth_to_giver(deal, deal.proposer, deal.give),
            )  # fmt: skip
        if won is not None:
            del self.table[won]
            if word == "accept":
                agreed = won
                self.agree(won, joined[won])
            else:
                other, rho = self.counter(won)
                accepted = self.draw(REPLY, other.offer.key)[0] < rho
                gained = self.worth_to_giver(other, other.proposer, other.give)
                self.tell("reply", self.named(other.offer), int(accepted), rho, gained)
                if accepted:
                    agreed = other
                    self.agree(other, [])
        if agreed is not None:
            for deal in offers:
                if deal in self.table and self.table[deal] > self.t:
                    self.lapse(deal)
                else:
                    self.table.pop(deal, None)

    def is_joined_by(self, deal: Deal, k: str) -> bool:
        probability = self.joins(deal, k)
        joined = self.draw(JOIN, f"{k}|{deal.offer.action}|{deal.target}")[0] < probability
        worth = self.worth_to_giver(deal, k, deal.gives[k])
        self.tell("join", (*self.named(deal.offer), k, deal.target), int(joined), probability, worth)
        return joined

    def agree(self, deal: Deal, partners: list[str]) -> None:
        """The promises of a deal are made."""
        give_due, ask_due = self.t + deal.terms.give_after, self.t + deal.terms.ask_after
        gives = [deal.give, *(deal.gives[k] for k in partners)]
        made = [Promise(deal, give, deal.target, give_due) for give in gives]
        for promise in [*made, Promise(deal, deal.ask, deal.proposer, ask_due)]:
            self.owed.append(promise)
            self.broken_on.pop((deal, promise.act.actor), None)
            giver, receiver = promise.act.actor, promise.receiver
            s = promised(giver, receiver, deal.terms.word)
            if s in self.world.slots:
                self.pledges.append(Strike(s, "to", 1.0, 1.0, 0, False))
            self.tell(
                "owed", self.about(promise), promise.due, math.nan,
                self.value(receiver, promise.act), self.utility(promise.act),
            )  # fmt: skip

    def about(self, promise: Promise) -> tuple:
        return (*self.named(promise.deal.offer), promise.act.actor, promise.receiver)

    def at_stake(self, promise: Promise) -> float:
        """σ."""
        y = promise.receiver
        return 1.0 - math.exp(-self.world.trait(y, "rationality") * max(0.0, self.value(y, promise.act)))

    def weights(self, promise: Promise) -> Iterator[tuple[tuple[str, str, str], float]]:
        """What a default, or a word kept, weighs for the receiver and for all who look on."""
        q, giver = promise.deal.terms.word, promise.act.actor
        weight = plain(self.world.scenario.assurances[q].signal) * self.at_stake(promise)
        for r in self.world.receivers(giver, q):
            yield (r, giver, q), weight if r == promise.receiver else plain(promise.deal.terms.visibility) * weight

    def loss(self, promise: Promise) -> float:
        """L."""
        change = {}
        for b, weight in self.weights(promise):
            alpha, beta = self.belief[b]
            change[credibility(*b)] = alpha / (alpha + beta + weight) - alpha / (alpha + beta)
        return self.worth_of(promise.act.actor, change)

    def deliver(self, deeds: list[Deed]) -> None:
        """Step 5: what is due is done, or not."""
        anyway = {deed.option for deed in deeds}
        for promise in sorted(self.owed, key=lambda promise: promise.deal.order):
            if promise.due > self.t:
                continue
            act, giver = promise.act, promise.act.actor
            wronged = self.broken_on.get((promise.deal, promise.other_side), self.t) < self.t
            if not self.conditions_hold(act) or wronged:
                self.owed.remove(promise)
                self.tell("settled", self.about(promise), "void")
            elif act not in anyway:
                utility = self.utility(act)
                probability = logistic(self.rationality(giver) * (utility - self.loss(promise)))
                key = f"{giver}|{promise.deal.offer.action}|{promise.receiver}|{act.action}"
                if self.draw(DELIVERY, key)[0] < probability:
                    deeds.append(self.attempt(act, "owed", utility, probability))
                else:
                    self.broken_on[promise.deal, giver] = self.t
                    self.owed.remove(promise)
                    stake, loss = self.at_stake(promise), self.loss(promise)
                    self.tell("settled", self.about(promise), "broken", probability, stake, loss)
                    for b, weight in self.weights(promise):
                        self.broken[b] += weight

    def settle(self, deeds: list[Deed]) -> None:
        """Step 6: what was owed and is done is kept, if it succeeds."""
        for deed in sorted(deeds, key=lambda deed: WAYS.index(deed.why)):
            for promise in [promise for promise in self.owed if promise.act == deed.option]:
                result, probability = "kept" if deed.succeeded else "failed", 1.0
                if deed.why == "owed":
                    probability = deed.probability
                self.tell("settled", self.about(promise), result, probability, self.at_stake(promise))
                if deed.succeeded:
                    self.owed.remove(promise)
                    for b, weight in self.weights(promise):
                        self.kept[b] += weight

    # 7.12

    def is_dated(self, name: str) -> bool:
        """Whether a session is held in this turn without anybody convening it."""
        forum = self.world.scenario.fora[name]
        turns = [self.world.turn_of(date) for date in forum.dates]
        first = min(turns, default=1)
        regular = forum.every is not None and self.t >= first and (self.t - first) % forum.every == 0
        return plain(forum.active) == 1.0 and (regular or self.t in turns)

    def can_be_convened(self, option: Option) -> bool:
        forum = self.world.scenario.fora[option.action]
        last = self.met.get(option.action)
        return (
            plain(forum.active) == 1.0
            and (last is None or last < self.t - forum.pause)
            and not self.is_dated(option.action)
            and self.conditions_hold(option)
        )

    def moves(self, name: str, present: list[str]) -> dict[tuple[str, str], tuple[str, float]]:
        """Δ of every position held by those present: (item, member) -> (slot, step)."""
        forum, result = self.world.scenario.fora[name], {}
        for item, block in forum.agenda.items():
            position = {m: self.world.place(block.of, m) for m in present}
            position = {m: s for m, s in position.items() if s is not None}
            for m, s in position.items():
                weight = {k: 1.0 if k == m else self.weight(forum, block, m, k) for k in position}
                mean = sum(weight[k] * self.x[position[k]] for k in position) / sum(weight.values())
                result[item, m] = s, plain(self.world.per_name(block.openness, m)) * (mean - self.x[s])
        return result

    def weight(self, forum: form.Forum, item: form.AgendaItem, m: str, k: str) -> float:
        """w_mk."""
        capability = 1.0
        if forum.capability is not None:
            strengths = self.world.scenario.actors[k].capabilities.model_extra
            capability = plain(strengths.get(forum.capability, strengths.get("default")))
        salience = plain(self.world.per_name(item.salience, k))
        return capability * salience * max(0.0, self.x.get(f"{m}.{k}.regard", 0.0))

    @staticmethod
    def as_strikes(moves: dict[tuple[str, str], tuple[str, float]]) -> list[Strike]:
        return [Strike(s, "add", step, 1.0, 0, False) for s, step in moves.values()]

    def worth_of_output(self, i: str, output: form.Output) -> float:
        return self.worth(i, self.strikes(output.effects, None, None))

    def spread(self, name: str, output: form.Output, moves: dict[tuple[str, str], tuple[str, float]]) -> float:
        """The widest spread of the items that an output is on."""
        widest = 0.0
        for item in output.on:
            places = [(s, self.x[s] + step) for (other, _), (s, step) in moves.items() if other == item]
            if places:
                slot, after = self.world.slots[places[0][0]], [level for _, level in places]
                widest = max(widest, (max(after) - min(after)) / (slot.high - slot.low))
        return widest

    def agreed_enough(self, name: str, output: form.Output, moves) -> bool:
        return all(
            self.spread(name, output.model_copy(update={"on": [item]}), moves) < plain(output.within)
            for item in output.on
        )

    def veto(self, m: str, output: form.Output) -> float:
        """The probability that a member casts one."""
        return logistic(-plain(output.bias) - self.rationality(m) * self.worth_of_output(m, output))

    def vetoers(self, forum: form.Forum, output: form.Output) -> list[str]:
        members = self.world.chosen(forum.members)
        return members if output.vetoes is None else [m for m in members if m in self.world.chosen(output.vetoes)]

    def willing(self, act: Option) -> float:
        """The probability that an act is done on the occasion of a session."""
        return logistic(self.rationality(act.actor) * self.utility(act))

    def expected_of_session(self, option: Option) -> float:
        """EU(convening)."""
        i, forum = option.actor, self.world.scenario.fora[option.action]
        members = self.world.chosen(forum.members)
        moves = self.moves(option.action, members)
        total = self.worth(i, self.as_strikes(moves))
        for _, output in sorted(forum.outputs.items()):
            if len(members) < forum.quorum or not self.agreed_enough(option.action, output, moves):
                continue
            passes = math.prod(1.0 - self.veto(m, output) for m in self.vetoers(forum, output))
            gained = self.worth_of_output(i, output)
            for written in output.acts:
                act = Option(written.by, written.action, written.target)
                if act.actor in members and self.conditions_hold(act):
                    gained += self.value(i, act) * self.willing(act)
            total += passes * gained
        return total - self.cost(option)

    def meet(self, deeds: list[Deed]) -> list[Strike]:
        """Step 5: sessions. Returns the moves and what the outputs do."""
        outcome = []
        for name in sorted(self.world.scenario.fora):
            conveners = sorted(deed.option.actor for deed in deeds if deed.option.action == name)
            if conveners or self.is_dated(name):
                self.met[name] = self.t
                outcome += self.session(name, conveners, deeds)
        return outcome

    def session(self, name: str, conveners: list[str], deeds: list[Deed]) -> list[Strike]:
        forum, present = self.world.scenario.fora[name], []
        members = self.world.chosen(forum.members)
        everybody = self.moves(name, members)
        for m in members:
            without = self.moves(name, [k for k in members if k != m])
            gained = self.worth(m, self.as_strikes(everybody)) - self.worth(m, self.as_strikes(without))
            attend = plain(self.world.per_name(forum.attend, m))
            probability = 0.0 if self.policy_of(m) in SILENT else logistic(attend + self.rationality(m) * gained)
            comes = m in conveners or self.draw(ATTENDANCE, f"{m}|{name}|")[0] < probability
            self.tell("attend", (name, m), int(comes), 1.0 if m in conveners else probability, gained)
            present += [m] * comes
        self.tell("session", (name,), conveners[0] if conveners else None, math.nan, float(len(present)))
        if len(present) < forum.quorum:
            return []
        moves = self.moves(name, present)
        for (item, m), (s, step) in moves.items():
            self.tell("moved", (name, item, m), None, math.nan, self.x[s], step)
        outcome = self.as_strikes(moves)
        for title, output in sorted(forum.outputs.items()):
            vetoes = 0
            follows = self.agreed_enough(name, output, moves)
            for m in self.vetoers(forum, output) if follows else []:
                if m in present:
                    probability = self.veto(m, output)
                    cast = self.draw(VETO, f"{m}|{name}|{title}")[0] < probability
                    self.tell("veto", (name, title, m), int(cast), probability, self.worth_of_output(m, output))
                    vetoes += cast
            follows = follows and not vetoes
            self.tell("output", (name, title), int(follows), math.nan, self.spread(name, output, moves), float(vetoes))
            if follows:
                outcome += self.strikes(output.effects, None, None)
                self.act_on(output, present, deeds)
        return outcome

    def act_on(self, output: form.Output, present: list[str], deeds: list[Deed]) -> None:
        """The acts that an output gives rise to."""
        for written in output.acts:
            act = Option(written.by, written.action, written.target)
            done = any(deed.option == act for deed in deeds)
            if act.actor in present and self.conditions_hold(act) and not done:
                probability = self.willing(act)
                if self.draw(OCCASION, act.key)[0] < probability:
                    deeds.append(self.attempt(act, "session", self.utility(act), probability))

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

    def affect(self, deeds: list[Deed], pledges: list[Strike], outcome: list[Strike]) -> None:
        """Steps 6 and 7: effects, signals and regard, all from the start of the turn."""
        self.settle(deeds)
        deeds = [deed for deed in deeds if deed.option in self.world.acts]
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
        for b, kept in drawn.items():
            self.tell("tested", b, "kept" if kept else "broken", self.x[reliability(b[1], b[0], b[2])], witnessed[b])
        after = self.struck(
            [*(strike for deed in deeds for strike in deed.strikes), *pledges, *outcome],
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


def logistic(score: float) -> float:
    """1/(1 + exp(−score)), for scores of any size."""
    if score >= 0.0:
        return 1.0 / (1.0 + math.exp(-score))
    return math.exp(score) / (1.0 + math.exp(score))


def shares(scores: list[float]) -> list[float]:
    """exp(score) over the sum of those, for scores of any size."""
    top = max(scores)
    whole = sum(math.exp(score - top) for score in scores)
    return [math.exp(score - top) / whole for score in scores]

"""What the models cannot see: whether a scenario that is well formed means something, told place by place.

`problems` gathers everything at once: names that stand for nobody, values beyond what they may be, blocks that say too
little or two things at once, and what would depend on which of two lines stands first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim import located
from sim.form import (
    Act,
    Action,
    Actor,
    AgendaItem,
    Assurance,
    Bargain,
    Belies,
    Counted,
    Coupling,
    Dated,
    Deed,
    Effect,
    Forum,
    Incident,
    Indicator,
    Need,
    Outcome,
    Output,
    Position,
    Scenario,
    Signal,
    When,
    doing,
    expand,
    first_day,
    members,
    pairs,
)
from sim.quantities import LARGEST, NAME, PerName, plain, quantities
from sim.words import Applies, Full, Here, Words, always, some

RESERVED = frozenset(("self", "target", "default", "value", "range", "claim", "assumption", "times"))
FAMILIES = ("promised_", "reliability_", "credibility_")
MEASURES = ("first", "end", "mean", "max", "min", "change", "count", "incidents")
MOVES = ("add", "to", "raise_to", "lower_to")


def problems(scenario: Scenario) -> list[tuple[str, str]]:
    """Everything wrong with a scenario that is well formed: its place, and what is wrong with the mend.

    At most a hundred; a file with more is best mended from the first on.
    """
    if not scenario.actors:  # all that names one would be told too
        return [("actors", "there is no actor; a scenario needs at least one")]
    return too_large(scenario) or _Check(scenario).all()


MOST_ACTORS = 1000
MOST_SLOTS = 1_000_000
MOST_OPTIONS = 1_000_000
MOST_MOVES = 10_000_000  # options, each with every indicator that its effects move
MOST_COUPLINGS = 200_000
MOST_BELIEFS = 200_000
MOST_HAPPENINGS = 200_000  # incidents of each actor, with every indicator that they move
MOST_PROMISES = 200_000  # of bargains: two a pair, and one of each who may join
MOST_MEETINGS = 1_000_000  # items of fora, each with every pair of members
MOST_SEATS = 200_000  # of fora: members, their positions and vetoes, and what outputs move and give rise to
MOST_EXPECTED = 2_000_000  # where actors think ahead: what each is expected to change
MOST_BELIED = 10_000_000  # incidents of each actor, with every belief that they belie
MOST_DATED = 1_000_000
Sizes = dict[str, int]


def too_large(scenario: Scenario) -> list[tuple[str, str]]:
    """Told before anything is laid out: more actors, or more that they expand to, than a computer holds with ease."""
    if len(scenario.actors) > MOST_ACTORS:
        return [("actors", f"{len(scenario.actors)} actors; at most {MOST_ACTORS}")]
    sides = [
        (f"indicators.{name}", one.from_, one.to) for name, one in scenario.indicators.items() if one.scope == "dyad"
    ]
    sides += [(f"assurances.{name}", one.from_, one.to) for name, one in scenario.assurances.items()]
    count = 0
    for place, first, second in sides:
        count += len(members(scenario, first)) * len(members(scenario, second))
        if count > MOST_SLOTS:
            return [(place, f"more than {MOST_SLOTS} pairs in all; name fewer in `from` and `to`")]
    options, moves = _options(scenario)
    happenings, belied = _happenings(scenario)
    for sizes, most, what, mend in (
        (_beliefs(scenario), MOST_BELIEFS, "beliefs", "name fewer in `from` and `to`"),
        (options, MOST_OPTIONS, "options", "name fewer in `by` and `toward`"),
        (moves, MOST_MOVES, "effects of options", "name fewer in `by`, `toward` and the effects"),
        (_promises(scenario), MOST_PROMISES, "promises of bargains", "name fewer in `by` and `toward`"),
        (_meetings(scenario), MOST_MEETINGS, "pairs of members who may move one another", "name fewer in `members`"),
        (_seats(scenario), MOST_SEATS, "seats, positions, vetoes and effects of fora", "name fewer in `members`"),
        (_expected(scenario), MOST_EXPECTED, "changes that actors expect of one another", "set the depth to 0"),
        (_couplings(scenario), MOST_COUPLINGS, "couplings", "name fewer in `by`, `toward`, `from` and `to`"),
        (happenings, MOST_HAPPENINGS, "effects of incidents", "name fewer in `on` and the effects"),
        (belied, MOST_BELIED, "beliefs that incidents speak to", "name fewer in `on` and `belies`"),
        (_dated(scenario), MOST_DATED, "indicators set or moved", "name fewer in `set` and `add`"),
    ):
        if sum(sizes.values()) > most:
            place = max(sizes, key=lambda name: sizes[name])
            return [(place, f"makes {sizes[place]:,} of {sum(sizes.values()):,} {what}; at most {most:,}; {mend}")]
    return []


def _pair_count(scenario: Scenario, first: Sequence[str] | None, second: Sequence[str] | None) -> int:
    """How many pairs of different actors there are of two selectors."""
    one, other = members(scenario, first), members(scenario, second)
    return len(one) * len(other) - len(set(one) & set(other))


def _spoken_of(scenario: Scenario, path: str) -> int:
    """At most how many indicators a path speaks of at once: its tags multiply."""
    return math.prod(len(scenario.groups.get(word, ())) or 1 for word in path.split(".")[:-1])


def _beliefs(scenario: Scenario) -> Sizes:
    return {f"assurances.{name}": _pair_count(scenario, one.from_, one.to) for name, one in scenario.assurances.items()}


def _options(scenario: Scenario) -> tuple[Sizes, Sizes]:
    """Of each action: who can do it to whom, and the same with every indicator that its effects move."""
    options, moves = {}, {}
    for name, action in scenario.actions.items():
        place = f"actions.{name}"
        alone = action.toward is None
        options[place] = len(members(scenario, action.by)) if alone else _pair_count(scenario, action.by, action.toward)
        moves[place] = options[place] * (1 + sum(_spoken_of(scenario, effect.of) for effect in action.effects))
    for name, bargain in scenario.bargains.items():
        options[f"bargains.{name}"] = _pair_count(scenario, bargain.by, bargain.toward)
    for name, forum in scenario.fora.items():
        options[f"fora.{name}"] = len(members(scenario, forum.convener))
    return options, moves


def _promises(scenario: Scenario) -> Sizes:
    """Of each bargain: the two promises of each pair, and those of all who may join."""
    return {
        f"bargains.{name}": _pair_count(scenario, one.by, one.toward)
        * (2 + (len(members(scenario, one.by)) if one.together else 0))
        for name, one in scenario.bargains.items()
    }


def _meetings(scenario: Scenario) -> Sizes:
    return {
        f"fora.{name}": len(one.agenda) * len(members(scenario, one.members)) ** 2
        for name, one in scenario.fora.items()
    }


def _seats(scenario: Scenario) -> Sizes:
    """Of each forum: its members, each with its positions and vetoes, and what its outputs do, as conveners see it."""
    sizes = {}
    for name, one in scenario.fora.items():
        seats, conveners = len(members(scenario, one.members)), len(members(scenario, one.convener))
        sizes[f"fora.{name}"] = seats * (1 + len(one.agenda) + len(one.outputs)) + sum(
            (1 + conveners) * (1 + len(output.acts)) + sum(_spoken_of(scenario, effect.of) for effect in output.effects)
            for output in one.outputs.values()
        )
    return sizes


def _expected(scenario: Scenario) -> Sizes:
    """Where somebody thinks ahead: each actor, with every indicator that acts move."""
    deep = [f"actors.{name}.depth" for name, actor in scenario.actors.items() if actor.depth and actor.depth.value]
    if scenario.model.depth.value:
        deep.append("model.depth")
    if not deep:
        return {}
    moved = {effect.of.split(".")[-1] for action in scenario.actions.values() for effect in action.effects}
    count = 0
    for name, one in scenario.indicators.items():
        owners = 1 if one.scope == "world" else len(members(scenario, one.of))
        count += (_pair_count(scenario, one.from_, one.to) if one.scope == "dyad" else owners) * (name in moved)
    for kind, given in _beliefs(scenario).items():
        count += given * sum(f"{family}{kind.partition('.')[2]}" in moved for family in FAMILIES)
    return {deep[-1]: len(scenario.actors) * count}


def _couplings(scenario: Scenario) -> Sizes:
    sizes = {}
    for name, one in scenario.couplings.items():
        owners = 1 if one.by is None else len(members(scenario, one.by))
        if one.by is not None and one.toward is not None:
            owners = _pair_count(scenario, one.by, one.toward)
        sizes[f"couplings.{name}"] = owners * _spoken_of(scenario, one.from_) * _spoken_of(scenario, one.to)
    return sizes


def _happenings(scenario: Scenario) -> tuple[Sizes, Sizes]:
    """Of each incident: its actors, with every indicator that it moves; and with every belief that it belies."""
    happenings, belied = {}, {}
    for name, one in scenario.incidents.items():
        place = f"incidents.{name}"
        actors = 1 if one.on is None else len(members(scenario, one.on))
        happenings[place] = actors * (1 + sum(_spoken_of(scenario, effect.of) for effect in one.effects))
        belied[place] = 0
        for belies in one.belies:
            assurance = scenario.assurances.get(belies.promise)
            if assurance is not None:
                givers = _spoken_of(scenario, f"{belies.by}.promise")
                belied[place] += actors * givers * len(members(scenario, assurance.to))
    return happenings, belied


def _dated(scenario: Scenario) -> Sizes:
    return {
        f"timeline[{index}]": sum(_spoken_of(scenario, path) for path in (*event.set, *event.add))
        for index, event in enumerate(scenario.timeline)
    }


class _Check(Words):
    """Looks through a scenario block by block. One method a block."""

    def all(self) -> list[tuple[str, str]]:
        try:
            self.frame()
            self.names()
            self.values()
            checks: tuple[tuple[Callable[[str, Any], None], Mapping[str, Any]], ...] = (
                (self.indicator, self.scenario.indicators),
                (self.actor, self.scenario.actors),
                (self.assurance, self.scenario.assurances),
                (self.action, self.scenario.actions),
                (self.bargain, self.scenario.bargains),
                (self.forum, self.scenario.fora),
                (self.incident, self.scenario.incidents),
                (self.coupling, self.scenario.couplings),
                (self.outcome, self.scenario.outcomes),
            )
            for check, blocks in checks:
                for name, block in blocks.items():
                    check(name, block)
            self.counters()
            for index, event in enumerate(self.scenario.timeline):
                self.event(f"timeline[{index}]", event)
            for path, quantity in self.scenario.set.items():
                place = f"set.{path}"
                kind = self.path(place, path, Here(written=True))
                self.level(place, quantity, kind)
        except Full:
            pass
        return self.found

    def frame(self) -> None:
        """What concerns the scenario as a whole."""
        scenario = self.scenario
        if scenario.extends is not None:
            self.tell("extends", "only a file can extend another; give this scenario whole")
        if self.date("start", scenario.start) and not self.labels():
            self.tell("turns", f"{scenario.turns} turns run past the year 9999; shorten the scenario")

    def names(self) -> None:
        """Names that stand for something else already, or could be taken for one another."""
        scenario = self.scenario
        for name in scenario.actors:
            self.reserved(f"actors.{name}", name)
        seen: dict[str, str] = {located.fold(name): name for name in scenario.actors}
        for name, actor in scenario.actors.items():
            for index, tag in enumerate(actor.tags):
                place = f"actors.{name}.tags[{index}]"
                self.reserved(place, tag)
                twin = seen.setdefault(located.fold(tag), tag)
                if tag in scenario.actors:
                    self.tell(place, f'"{tag}" is an actor too; give the tag another name')
                elif twin != tag:
                    self.tell(place, f'"{tag}" looks like "{twin}" (0 and o, 1 and l); give one another name')
            for name_ in actor.capabilities.by_name:
                self.capability(f"actors.{name}.capabilities.{name_}", name_)
        for name in scenario.indicators:
            self.reserved(f"indicators.{name}", name)
            if name.startswith(FAMILIES):
                prefix = next(family for family in FAMILIES if name.startswith(family))
                self.tell(f"indicators.{name}", f'names with "{prefix}" belong to assurances; choose another')
        kinds = (("actions", "an action"), ("bargains", "a bargain"), ("fora", "a forum"))
        taken = {"hold": "stands for doing nothing"}
        for key, kind in kinds:
            for name in getattr(scenario, key):
                if name in taken:
                    self.tell(f"{key}.{name}", f'"{name}" {taken[name]}; choose another name')
                taken.setdefault(name, f"is {kind} too")

    def reserved(self, place: str, name: str) -> None:
        if name in RESERVED:
            self.tell(place, f'"{name}" has a meaning of its own in scenario files; choose another name')

    def capability(self, place: str, name: str) -> None:
        if not re.fullmatch(NAME, name):
            self.tell(place, f'"{name}" is not a name (lower-case letters, digits and _, a letter first)')
        elif name in self.scenario.indicators:
            self.tell(place, f'"{name}" is an indicator too; give the capability another name')
        self.reserved(place, name)

    def values(self) -> None:
        """Every number within its bounds, and its range around it."""
        for found in quantities(self.scenario):
            bounds, quantity, value = found.bounds, found.quantity, found.quantity.value
            if isinstance(value, str):
                if not bounds.rung:
                    self.tell(found.path, f'"{value}" is text; must be a number')
                continue
            if abs(value) > LARGEST:
                self.tell(found.path, f"{plain(value)} is out of range; must be at most {LARGEST:g} in size")
            elif not bounds.holds(value):
                self.tell(found.path, f"{plain(value)} is out of range; must be {bounds}")
            elif quantity.range is not None:
                self.around(found.path, value, quantity.range, bounds)

    def indicator(self, name: str, indicator: Indicator) -> None:
        place = f"indicators.{name}"
        self.selectors(place, indicator, of=indicator.of, **{"from": indicator.from_}, to=indicator.to)
        if indicator.scope != "actor" and indicator.of is not None:
            self.tell(f"{place}.of", f"only for scope actor, not {indicator.scope}; remove it")
        for word, selector in (("from", indicator.from_), ("to", indicator.to)):
            if indicator.scope != "dyad" and selector is not None:
                self.tell(f"{place}.{word}", f"only for scope dyad, not {indicator.scope}; remove it")
        self.special(place, name, indicator)
        if indicator.range is not None and indicator.ladder is None and not self.spans(place, indicator.range):
            return
        if indicator.ladder is not None:
            self.ladder(place, indicator)
        owners = [(slot.first, slot.second) for slot in self.scenario.slots.values() if slot.place == place]
        if not owners and self.all_known(indicator.of, indicator.from_, indicator.to):
            self.tell(place, f"exists for no {'pair of two actors' if indicator.scope == 'dyad' else 'actor'}")
        elif owners:
            for word, numbers_ in (("start", indicator.start), ("rest", indicator.rest)):
                if numbers_ is not None:
                    self.covered(f"{place}.{word}", numbers_, owners, kind=self.kinds[name])
                    self.levels(f"{place}.{word}", numbers_, self.kinds[name])

    def spans(self, place: str, range_: list[float]) -> bool:
        """Whether a range is one."""
        if range_[0] >= range_[1]:
            self.tell(f"{place}.range", "the lowest value must be less than the highest")
        elif max(map(abs, range_)) > LARGEST:
            self.tell(f"{place}.range", f"must be at most {LARGEST:g} in size")
        else:
            return True
        return False

    def special(self, place: str, name: str, indicator: Indicator) -> None:
        """`regard` and `attention` mean something to the model."""
        if name == "regard":
            if indicator.scope != "dyad" or indicator.ladder is not None:
                self.tell(place, "regard is how warmly one sees another; must be of scope dyad, without a ladder")
            elif indicator.range is not None and indicator.range != [-1, 1]:
                self.tell(f"{place}.range", "regard runs from -1 to 1; write [-1, 1] or leave it out")
        if name == "attention":
            if indicator.scope != "actor" or indicator.ladder is not None:
                self.tell(place, "attention is what an actor can spend; must be of scope actor, without a ladder")
            elif indicator.range is not None and indicator.range[0] < 0:
                self.tell(f"{place}.range", "attention cannot be less than 0")

    def ladder(self, place: str, indicator: Indicator) -> None:
        """A ladder moves by acts and events alone."""
        for word in ("range", "rest", "pull", "noise"):
            if getattr(indicator, word) is not None:
                self.tell(f"{place}.{word}", f"a ladder has no {word}; remove it")
        rungs = indicator.ladder or []
        for index, rung in enumerate(rungs):
            if rung in rungs[:index]:
                self.tell(f"{place}.ladder[{index}]", f'the rung "{rung}" stands twice; remove one')

    def actor(self, name: str, actor: Actor) -> None:
        place = f"actors.{name}"
        here = Here(self_=(name,))
        for key, interest in actor.interests.items():
            at = f"{place}.interests.{key}"
            kind = self.path(f"{at}.of", interest.of, here)
            if isinstance(interest.ideal, Position):
                self.path(f"{at}.ideal.of", interest.ideal.of, here)
            else:
                self.level(f"{at}.ideal", interest.ideal, kind)
        if actor.challenge is not None and isinstance(actor.challenge.position, Position):
            self.path(f"{place}.challenge.position.of", actor.challenge.position.of, here)
        if actor.stakes is not None:
            self.stakes(f"{place}.stakes", name, actor.stakes)

    def stakes(self, place: str, name: str, stakes: PerName) -> None:
        seen = [(other, None) for other in self.scenario.actors if f"{name}.{other}.regard" in self.scenario.slots]
        self.agree(place, stakes, sorted(seen))
        for key in stakes.by_name:
            if key == "default" or not self.keys(f"{place}.{key}", key, pair=False):
                continue
            others = [other for other in self.groups[key] if other != name]
            if not others:
                self.tell(f"{place}.{key}", "an actor has no stake in itself; remove it")
            elif not any(f"{name}.{other}.regard" in self.scenario.slots for other in others):
                path = f"{name}.{key}.regard"
                self.tell(
                    f"{place}.{key}", f"counts only with a regard, and there is no {path}; declare it or remove this"
                )

    def assurance(self, name: str, assurance: Assurance) -> None:
        place = f"assurances.{name}"
        self.selectors(place, assurance, **{"from": assurance.from_}, to=assurance.to)
        given = pairs(self.scenario, assurance.from_, assurance.to)
        if not given:
            if self.all_known(assurance.from_, assurance.to):
                self.tell(place, "nobody can give it to another; look at `from` and `to`")
            return
        taken = [(receiver, giver) for giver, receiver in given]
        for word in ("promised", "reliability", "rest"):
            numbers_ = getattr(assurance, word)
            if numbers_ is not None:
                self.covered(f"{place}.{word}", numbers_, given)
        self.covered(f"{place}.kept", assurance.kept, taken)
        self.covered(f"{place}.broken", assurance.broken, taken)

    def action(self, name: str, action: Action) -> None:
        place = f"actions.{name}"
        self.selectors(place, action, by=action.by, toward=action.toward)
        doers = self.those(action.by)
        targets = None if action.toward is None else self.those(action.toward)
        able = doers if targets is None else tuple(i for i in doers if any(i != j for j in targets))
        if not able:
            self.tell(place, "no actor can do it; look at `by` and `toward`")
            return
        here = Here(self_=able, target=targets, target_by="toward")
        self.needs(place, action.needs, here)

        def available(self_: str | None, target: str | None) -> bool:
            return all(expand(need.of, self.scenario, self_, target) for need in action.needs)

        for word in ("chance", "cost"):
            numbers_ = getattr(action, word)
            self.covered(f"{place}.{word}", numbers_, [(doer, None) for doer in able], pair=False)
            self.factors(f"{place}.{word}", numbers_.times, here, available)
        for index, effect in enumerate(action.effects):
            self.effect(f"{place}.effects[{index}]", effect, here, available)
            if effect.when is not None:
                self.when(f"{place}.effects[{index}].when", effect.when, here)
        self.conflicts(place, action.effects, able, targets)
        for index, signal in enumerate(action.signals):
            self.signal(f"{place}.signals[{index}]", signal, here)

    def needs(self, place: str, needs: Sequence[Need], here: Here) -> None:
        for index, need in enumerate(needs):
            at = f"{place}.needs[{index}]"
            kind = self.path(f"{at}.of", need.of, here)
            if need.at_least is None and need.at_most is None:
                self.tell(at, "says no bound; add at_least or at_most")
            for word in ("at_least", "at_most"):
                bound = getattr(need, word)
                if bound is not None:
                    self.level(f"{at}.{word}", bound, kind)

    def effect(self, place: str, effect: Effect, here: Here, available: Applies = always) -> None:
        """One effect of an act or an incident. available: whether an actor can do it to a target."""

        def applies(self_: str | None, target: str | None) -> bool:
            return available(self_, target) and bool(expand(effect.of, self.scenario, self_, target))

        kind = self.path(f"{place}.of", effect.of, here.with_(tags=True, written=True))
        given = [word for word in MOVES if getattr(effect, word) is not None]
        if len(given) != 1:
            told = " and ".join(given) or "nothing of what it does"
            self.tell(place, f"says {told}; must say exactly one of {', '.join(MOVES)}")
            return
        move = given[0]
        if effect.after and move != "add":
            self.tell(f"{place}.after", f"only a step (add) can come later, not {move}; remove it")
        self.factors(place, effect.times, here, applies)
        if kind is None:
            return
        on_ladder = kind.ladder is not None
        if on_ladder != (move in ("raise_to", "lower_to")):
            right = "raise_to or lower_to" if on_ladder else "add or to"
            is_ = "is a ladder" if on_ladder else "is no ladder"
            self.tell(f"{place}.{move}", f'"{kind.indicator}" {is_}; use {right}')
            return
        for word in ("times", "when"):
            if on_ladder and getattr(effect, word):
                self.tell(f"{place}.{word}", "a rung is reached or not; an effect on a ladder has no " + word)
        if move != "add":
            self.level(f"{place}.{move}", getattr(effect, move), kind)

    def when(self, place: str, when: When, here: Here) -> None:
        """The promise that an effect hangs on is one that its giver can give to the actor."""
        if (when.kept is None) == (when.broken is None):
            self.tell(place, "must say exactly one of kept, broken")
            return
        word, promise = ("kept", when.kept) if when.kept else ("broken", when.broken)
        assurance = self.promise(f"{place}.{word}", promise)
        givers = self.whom(f"{place}.by", when.by, here)
        if assurance is None or givers is None:
            return
        given = set(pairs(self.scenario, assurance.from_, assurance.to))
        if not any((giver, receiver) in given for giver in givers for receiver in here.self_ or ()):
            self.tell(
                f"{place}.{word}",
                f'"{when.by}" cannot give "{promise}" to anyone who does this; look at its `from` and `to`',
            )

    def signal(self, place: str, signal: Signal, here: Here) -> None:
        if (signal.kept is None) == (signal.broken is None):
            self.tell(place, "must say exactly one of kept, broken")
        if "self" in (signal.to or []):
            self.tell(f"{place}.to", '"self" cannot stand here; write target, actors or tags')
        else:
            self.told(place, signal, here)

    def told(self, place: str, teller: Signal | Belies, here: Here) -> None:
        """A promise that something tells of has such givers and such receivers."""
        assurance = self.promise(f"{place}.promise", teller.promise)
        givers = self.whom(f"{place}.by", teller.by, here.with_(tags=True))
        receivers = [
            self.whom(f"{place}.to[{index}]", word, here.with_(tags=True)) for index, word in enumerate(teller.to or [])
        ]
        if assurance is None or givers is None or None in receivers:
            return
        if not set(givers) & set(members(self.scenario, assurance.from_)):
            self.tell(f"{place}.by", f'"{teller.by}" cannot give "{teller.promise}"; look at its `from`')
        can = set(members(self.scenario, assurance.to))
        if teller.to is not None and not any(can.intersection(found or ()) for found in receivers):
            self.tell(f"{place}.to", f'cannot receive "{teller.promise}"; look at its `to`')

    def incident(self, name: str, incident: Incident) -> None:
        place = f"incidents.{name}"
        self.selectors(place, incident, on=incident.on)
        on = None if incident.on is None else self.those(incident.on)
        here = Here(self_=on, self_by="on")
        for index, step in enumerate(incident.plus):
            self.source(f"{place}.plus[{index}].of", step.of, here)
        self.factors(place, incident.times, here)
        self.happening(place, incident.effects, here)
        for index, belied in enumerate(incident.belies):
            self.told(f"{place}.belies[{index}]", belied, here)

    def happening(self, place: str, effects: Sequence[Effect], here: Here) -> None:
        """Effects of what is not done by an actor."""
        for index, effect in enumerate(effects):
            at = f"{place}.effects[{index}]"
            for word in ("when", "attempt"):
                if getattr(effect, word):
                    self.tell(f"{at}.{word}", "only effects of actions can say this; remove it")
            self.effect(at, effect, here)

    def bargain(self, name: str, bargain: Bargain) -> None:
        place = f"bargains.{name}"
        self.selectors(place, bargain, by=bargain.by, toward=bargain.toward)
        given = pairs(self.scenario, bargain.by, bargain.toward)
        well = self.all_known(bargain.by, bargain.toward)
        if well and not given:
            self.tell(place, "nobody can propose it to another; look at `by` and `toward`")
        proposers, targets = self.those(bargain.by), self.those(bargain.toward)
        here = Here(self_=proposers, target=targets, target_by="toward")
        self.needs(place, bargain.needs, here)
        told = [self.deed(f"{place}.{word}", getattr(bargain, word)) for word in ("give", "ask")]
        if given and well and all(told):
            self.possible(place, bargain, given)
        self.promise(f"{place}.word", bargain.word)
        counter = bargain.counter
        if counter is not None and self.known(f"{place}.counter", counter, self.scenario.bargains, "bargain"):
            self.counter(f"{place}.counter", name, bargain, counter)

    def deed(self, place: str, deed: Deed) -> bool:
        """Whether a promised act is an action, done to somebody if that is named."""
        if not self.known(place, deed.action, self.scenario.actions, "action"):
            return False
        if deed.toward is None:
            return True
        if self.scenario.actions[deed.action].toward is None:
            self.tell(f"{place}.toward", f'"{deed.action}" is done to nobody; remove it')
            return False
        return self.known(f"{place}.toward", deed.toward, self.scenario.actors, "actor")

    def possible(self, place: str, bargain: Bargain, given: Sequence[tuple[str, str]]) -> None:
        """Some pair can keep the bargain, and whoever promises can give the other the word that it hangs on."""
        asked, giving = doing(self.scenario, bargain.ask), doing(self.scenario, bargain.give)
        able = {"give": any(giving(i, j) for i, j in given), "ask": any(asked(j, i) for i, j in given)}
        for word, does in (("give", "proposes"), ("ask", "is asked")):
            if not able[word]:
                deed = getattr(bargain, word)
                whom = f'to "{deed.toward}"' if deed.toward else "to the other side"
                whom = "" if self.scenario.actions[deed.action].toward is None else f" {whom}"
                self.tell(
                    f"{place}.{word}",
                    f'nobody who {does} can do "{deed.action}"{whom}; look at its `by` and `toward`',
                )
        if not all(able.values()):
            return
        made = {(i, j) for i, j in given if giving(i, j) and asked(j, i)}
        if not made:
            self.tell(place, "no two of `by` and `toward` can do their part, one the give and the other the ask")
        assurance = self.scenario.assurances.get(bargain.word)
        if assurance is None or not self.all_known(assurance.from_, assurance.to):
            return
        facing = {j for _, j in made} if bargain.together else set()
        joining = {(i, j) for i, j in given if j in facing and giving(i, j)}
        said = {pair for i, j in made | joining for pair in ((i, j), (j, i))}
        missing = sorted(said.difference(pairs(self.scenario, assurance.from_, assurance.to)))
        if missing:
            who = some(f"{giver} to {receiver}" for giver, receiver in missing)
            self.tell(
                f"{place}.word",
                f'"{bargain.word}" cannot be given by {who}, and both sides promise; widen its `from` and `to`',
            )

    def counter(self, place: str, name: str, bargain: Bargain, counter: str) -> None:
        """A counter-offer is another bargain between the same."""
        if counter == name:
            self.tell(place, "a bargain is no answer to itself; name another, or leave it out")
            return
        other = self.scenario.bargains[counter]
        for word in ("by", "toward"):
            one, two = getattr(bargain, word), getattr(other, word)
            if self.all_known(one, two) and members(self.scenario, one) != members(self.scenario, two):
                self.tell(place, f'"{counter}" has another `{word}`; a counter-offer is between the same actors')
        for word, block in ((name, bargain), (counter, other)):
            if block.together:
                self.tell(place, f'"{word}" is made `together`; only an offer of one to one can be countered')
                break

    def counters(self) -> None:
        """No bargain answers itself by way of others."""
        bargains = self.scenario.bargains
        told: set[str] = set()
        for start in sorted(bargains):
            way = [start]
            while (name := bargains[way[-1]].counter) in bargains and name not in way:
                way.append(name)
            if name == start and len(way) > 1 and not told.intersection(way):
                told.update(way)
                circle = " -> ".join(f'"{word}"' for word in [*way, start])
                self.tell(
                    f"bargains.{start}.counter", f"{circle} is a cycle of conditions; one of them must have no counter"
                )

    def forum(self, name: str, forum: Forum) -> None:
        place = f"fora.{name}"
        self.selectors(place, forum, members=forum.members, convener=forum.convener)
        present, conveners = self.those(forum.members), self.those(forum.convener)
        well = self.all_known(forum.members)
        if well and len(present) < 2:
            self.tell(f"{place}.members", f"only {' '.join(present)} is a member; a forum needs two or more")
        elif well and forum.quorum > len(present):
            told = f"{forum.quorum} of {len(present)} members can never be present; must be 2..{len(present)}"
            self.tell(f"{place}.quorum", told)
        here = Here(self_=conveners)
        self.needs(place, forum.needs, here)

        def available(self_: str | None, target: str | None) -> bool:
            return all(expand(need.of, self.scenario, self_) for need in forum.needs)

        self.covered(f"{place}.cost", forum.cost, [(convener, None) for convener in conveners], pair=False)
        self.factors(f"{place}.cost", forum.cost.times, here, available)
        for index, date in enumerate(forum.dates):
            if self.date(f"{place}.dates[{index}]", date):
                self.within(f"{place}.dates[{index}]", date)
        if forum.capability is not None:
            self.weight(f"{place}.capability", forum.capability, present)
        self.covered(f"{place}.attend", forum.attend, [(member, None) for member in present], pair=False)
        for key, item in forum.agenda.items():
            self.item(f"{place}.agenda.{key}", item, present)
        for key, output in forum.outputs.items():
            self.output(f"{place}.outputs.{key}", output, forum, present)

    def weight(self, place: str, name: str, present: Sequence[str]) -> None:
        """A capability of one of the members."""
        owned = {name for member in present for name in self.scenario.actors[member].capabilities.by_name}
        if self.known(place, name, self.capabilities, "capability") and name not in owned:
            self.tell(place, f'no member has the capability "{name}"; add it to their capabilities')

    def item(self, place: str, item: AgendaItem, present: tuple[str, ...]) -> None:
        """A position that some of the members have."""
        kind = self.path(f"{place}.of", item.of, Here(self_=present, written=True))
        if kind is None:
            return
        if "self" not in item.of.split("."):
            self.tell(f"{place}.of", f"{item.of} is the same for all; name an indicator that is each member's (`self`)")
            return
        if kind.ladder is not None:
            self.tell(f"{place}.of", f'"{kind.indicator}" is a ladder, which only acts and events move')
        owners = [(member, None) for member in present if expand(item.of, self.scenario, member)]
        for word in ("openness", "salience"):
            self.covered(f"{place}.{word}", getattr(item, word), owners, pair=False)

    def output(self, place: str, output: Output, forum: Forum, present: tuple[str, ...]) -> None:
        """What can come of a session: agreed on items of its agenda, vetoed and done by its members."""
        for index, word in enumerate(output.on):
            self.known(f"{place}.on[{index}]", word, forum.agenda, "item of the agenda")
        well = self.all_known(forum.members)
        for index, word in enumerate(output.vetoes or []):
            at = f"{place}.vetoes[{index}]"
            known = self.known(at, word, self.groups, "actor or tag")
            if known and well and not set(present).intersection(self.groups[word]):
                self.tell(at, f'"{word}" is no member of the forum; remove it, or add it to `members`')
        self.happening(place, output.effects, Here())
        self.conflicts(place, output.effects, [None], None)
        for index, act in enumerate(output.acts):
            at = f"{place}.acts[{index}]"
            self.act(at, act)
            if well and act.by in self.scenario.actors and act.by not in present:
                self.tell(f"{at}.by", f'"{act.by}" is no member of the forum; remove it, or add it to `members`')
            if act in output.acts[:index]:
                self.tell(at, "stands here a second time; remove one")

    def coupling(self, name: str, coupling: Coupling) -> None:
        place = f"couplings.{name}"
        self.selectors(place, coupling, by=coupling.by, toward=coupling.toward)
        here = Here(
            self_=None if coupling.by is None else self.those(coupling.by),
            target=None if coupling.toward is None else self.those(coupling.toward),
            self_by="by",
            target_by="toward",
        )
        if coupling.toward is not None and coupling.by is None:
            self.tell(f"{place}.toward", "needs `by` beside it, whose pairs it makes")
        self.path(f"{place}.from", coupling.from_, here.with_(tags=True))
        moved = self.path(f"{place}.to", coupling.to, here.with_(tags=True, written=True))
        if moved is not None and moved.ladder is not None:
            self.tell(f"{place}.to", f'"{moved.indicator}" is a ladder, which only acts and events move')

        def applies(self_: str | None, target: str | None) -> bool:
            return all(expand(path, self.scenario, self_, target) for path in (coupling.from_, coupling.to))

        self.factors(place, coupling.times, here, applies)

    def event(self, place: str, event: Dated) -> None:
        if self.date(f"{place}.date", event.date):
            self.within(f"{place}.date", event.date)
        here = Here(tags=True, written=True)
        for path, quantity in event.set.items():
            self.level(f"{place}.set.{path}", quantity, self.path(f"{place}.set.{path}", path, here))
        for path, quantity in event.add.items():
            kind = self.path(f"{place}.add.{path}", path, here)
            if kind is not None and kind.ladder is not None and quantity.value != int(quantity.value):
                self.tell(f"{place}.add.{path}", f"{quantity.value} is no whole number of rungs")
        self.once(f"{place}.set", event.set, adds=False)
        self.once(f"{place}.add", event.add, adds=True)
        if event.act is not None:
            self.act(f"{place}.act", event.act)

    def act(self, place: str, act: Act) -> None:
        """A dated act is one that its actor can do to its target."""
        known = self.known(f"{place}.by", act.by, self.scenario.actors, "actor")
        if act.target is not None:
            known &= self.known(f"{place}.target", act.target, self.scenario.actors, "actor")
        if not self.known(f"{place}.action", act.action, self.scenario.actions, "action") or not known:
            return
        action = self.scenario.actions[act.action]
        if act.by not in members(self.scenario, action.by):
            self.tell(f"{place}.by", f'"{act.by}" cannot do "{act.action}"; look at its `by`')
        if action.toward is None:
            if act.target is not None:
                self.tell(f"{place}.target", f'"{act.action}" is done to nobody; remove it')
        elif act.target is None:
            self.tell(place, f'"{act.action}" is done to someone; add target')
        elif act.target == act.by or act.target not in members(self.scenario, action.toward):
            self.tell(f"{place}.target", f'"{act.action}" cannot be done to "{act.target}"; look at its `toward`')

    def outcome(self, name: str, outcome: Outcome) -> None:
        place = f"outcomes.{name}"
        given = [word for word in MEASURES if getattr(outcome, word) is not None]
        if len(given) != 1:
            told = " and ".join(given) or "nothing"
            self.tell(place, f"asks for {told}; must ask for exactly one of {', '.join(MEASURES)}")
            return
        measure = given[0]
        bounds = [word for word in ("at_least", "at_most") if getattr(outcome, word) is not None]
        if len(bounds) == 2:
            self.tell(place, "says at_least and at_most; must say one of them")
        if measure == "first" and not bounds:
            self.tell(place, "asks when a bound is first passed; add at_least or at_most")
        kind = None
        if measure == "count":
            self.counted(f"{place}.count", outcome.count or Counted())
        elif measure == "incidents":
            self.known(f"{place}.incidents", outcome.incidents or "", self.scenario.incidents, "incident")
        else:
            path = getattr(outcome, measure)
            kind = self.path(f"{place}.{measure}", path, Here(tags=True))
            if kind is not None and not bounds and outcome.over != "mean" and len(expand(path, self.scenario)) > 1:
                self.tell(f"{place}.{measure}", "speaks of several; add at_least or at_most, or `over: mean`")
        for word in bounds:
            quantity = getattr(outcome, word)
            if measure not in ("count", "incidents", "change"):
                self.level(f"{place}.{word}", quantity, kind)
            elif isinstance(quantity.value, str):
                self.tell(f"{place}.{word}", f'"{quantity.value}" is text; must be a number')

    def counted(self, place: str, counted: Counted) -> None:
        for index, action in enumerate(counted.action or []):
            self.known(f"{place}.action[{index}]", action, self.scenario.menu, "action")
        self.selectors(place, counted, by=counted.by, toward=counted.toward)
        dates = {"from": counted.from_, "until": counted.until}
        days = {word: first_day(date) for word, date in dates.items() if date and self.date(f"{place}.{word}", date)}
        for word in days:
            self.within(f"{place}.{word}", dates[word] or "")
        if len(days) == 2 and (counted.until or "") < (counted.from_ or "")[: len(counted.until or "")]:
            self.tell(f"{place}.until", f"{counted.until} is before {counted.from_}; exchange them")

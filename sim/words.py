"""What the words, paths, numbers and dates at a place of a scenario stand for, and what is told where it is nothing.

`Words` looks one thing up at a time and gathers the problems: `sim.problems` asks it block by block. `nearest` offers
what was probably meant.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.form import Assurance, Effect, Scenario, Slot, exactness, expand, first_day, members, pick, turn_dates, turn_of
from sim.quantities import Bounds, Not, Part, PerName, Quantity, plain

MOST_PROBLEMS = 100


def nearest(word: str, known: Iterable[str], kind: str = "there are") -> str:
    """`; did you mean ...?` with the nearest known word, else `; there are: ...` where they are few, else nothing."""
    options = sorted(known)
    near = near_word(word, options)
    if near is not None:
        return f'; did you mean "{near}"?'
    return f"; {kind}: {', '.join(options)}" if 0 < len(options) <= 12 else ""


def near_word(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like a word, small and capital letters alike; None if none is."""
    if len(word) > 200:
        return None
    spelt = {option.lower(): option for option in known}
    near = difflib.get_close_matches(word.lower(), spelt, 1, 0.6)
    return spelt[near[0]] if near else None


@dataclass(frozen=True)
class Here:
    """Whom `self` and `target` stand for at a place (None: nobody), and which other words its paths may hold."""

    self_: tuple[str, ...] | None = None
    target: tuple[str, ...] | None = None
    self_by: str = ""  # the key that would say whom `self` stands for
    target_by: str = ""
    tags: bool = False
    capabilities: bool = False
    written: bool = False

    def with_(self, **changes: Any) -> Here:
        return dataclasses.replace(self, **changes)


Owner = tuple[str | None, str | None]
Applies = Callable[[str | None, str | None], bool]


def always(self_: str | None, target: str | None) -> bool:
    """Where there is no condition."""
    return True


def _spelt(path: str, self_: str | None, target: str | None) -> str:
    """A path with actors in place of `self` and `target`."""
    return ".".join({"self": self_, "target": target}.get(word) or word for word in path.split("."))


def _worth(quantity: Quantity, kind: Slot | None) -> float | str:
    """What a quantity stands for: a rung's name for its number, where there is such a rung."""
    value = quantity.value
    ladder = () if kind is None or kind.ladder is None else kind.ladder
    return ladder.index(value) if isinstance(value, str) and value in ladder else value


def _both(quantities_: Mapping[str, Quantity], one: str, other: str) -> str:
    """Two keys with what they say."""
    first, second = (plain(v) if not isinstance(v := quantities_[key].value, str) else v for key in (one, other))
    return f'"{one}" ({first}) and "{other}" ({second})'


def some(words: Iterable[str]) -> str:
    """The first three words, and how many more there are."""
    listed = list(words)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


class Full(Exception):
    """Enough problems were found."""


class Words:
    """Looks whether the words, paths, numbers and dates at a place stand for something, and gathers what does not."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.found: list[tuple[str, str]] = []
        self.groups = scenario.groups
        self.kinds: dict[str, Slot] = {slot.indicator: slot for slot in scenario.slots.values()}
        self.capabilities = {name for actor in scenario.actors.values() for name in actor.capabilities.by_name}

    def tell(self, place: str, message: str) -> None:
        self.found.append((place, message))
        if len(self.found) >= MOST_PROBLEMS:
            raise Full

    def selectors(self, place: str, block: Part, **selectors: Sequence[str] | None) -> None:
        """Every word of a selector is an actor or a tag."""
        for key, selector in selectors.items():
            for index, word in enumerate(selector or []):
                self.known(f"{place}.{key}[{index}]", word, self.groups, "actor or tag")

    def all_known(self, *selectors: Sequence[str] | None) -> bool:
        return bool(self.groups) and all(word in self.groups for selector in selectors for word in selector or [])

    def those(self, selector: Sequence[str]) -> tuple[str, ...]:
        """The actors of a selector; all of them where it holds a word that is not known (and told)."""
        return tuple(members(self.scenario, selector if self.all_known(selector) else None))

    def known(self, place: str, word: str, known: Iterable[str], kind: str) -> bool:
        if word in known:
            return True
        self.tell(place, f'no {kind} "{word}"{nearest(word, known)}')
        return False

    def whom(self, place: str, word: str, here: Here) -> tuple[str, ...] | None:
        """The actors that a word may stand for at a place; None, and told, where it stands for nobody."""
        if word in ("self", "target"):
            found = here.self_ if word == "self" else here.target
            if found is None:
                key = here.self_by if word == "self" else here.target_by
                mend = f"; add `{key}` or name an actor" if key else "; name an actor"
                self.tell(place, f'"{word}" stands for nobody here{mend}')
            return found
        if not self.known(place, word, self.groups, "actor or tag" if here.tags else "actor"):
            return None
        if not here.tags and word not in self.scenario.actors:
            self.tell(place, f'"{word}" is a tag, and one actor must stand here; name it')
            return None
        return self.groups[word]

    def path(self, place: str, path: str, here: Here) -> Slot | None:
        """A slot like those that a path stands for; None, and told, where it stands for none."""
        *words, name = path.split(".")
        if here.capabilities and len(words) == 1 and name in self.capabilities:
            self.skill(place, words[0], name, here)
            return None
        kind = self.kinds.get(name)
        if kind is None and here.capabilities and not words and name in self.capabilities:
            self.tell(place, f'"{name}" is a capability; write {"self" if here.self_ else "actor"}.{name}')
            return None
        if kind is None:
            if name not in self.scenario.indicators:
                known = {*self.scenario.indicators, *self.kinds, *(self.capabilities if here.capabilities else ())}
                told = "indicator or capability" if here.capabilities else "indicator"
                self.tell(place, f'no {told} "{name}"{nearest(name, known)}')
            return None
        shape = {"world": 0, "actor": 1, "dyad": 2}[kind.scope]
        if shape != len(words):
            owners_ = ("self" if here.self_ else "actor", "target" if here.target else "other")
            right = ".".join([*owners_[:shape], name])
            self.tell(place, f'"{name}" is of scope {kind.scope}; write {right}')
            return None
        actors = [self.whom(place, word, here) for word in words]
        if None in actors:
            return None
        if here.written and kind.indicator.startswith("credibility_") and kind.place.startswith("assurances."):
            self.tell(place, "credibility is what others believe and cannot be set; use signals, or kept and broken")
            return None
        owners = itertools.product(*(found or () for found in actors))
        if not any(".".join((*owner, name)) in self.scenario.slots for owner in owners):
            self.tell(place, f'no {path}; "{name}" exists for {self.owners(kind)}')
            return None
        return kind

    def skill(self, place: str, word: str, name: str, here: Here) -> None:
        """A capability of an actor who has it."""
        owners = self.whom(place, word, here)
        if owners and not any(name in self.scenario.actors[owner].capabilities.by_name for owner in owners):
            self.tell(place, f'"{word}" has no capability "{name}"; add it to its capabilities')

    def owners(self, kind: Slot) -> str:
        """For whom an indicator exists, as its block says it."""
        if kind.place.startswith("indicators."):
            indicator = self.scenario.indicators[kind.indicator]
            sides = [indicator.of] if kind.scope == "actor" else [indicator.from_, indicator.to]
        else:
            assurance = self.scenario.assurances[kind.place.partition(".")[2]]
            sides = [assurance.from_, assurance.to]
            sides = sides[::-1] if kind.indicator.startswith("credibility_") else sides
        return " toward ".join(", ".join(side) if side else "all" for side in sides)

    def factors(self, place: str, factors: Sequence[str | Not], here: Here, applies: Applies = always) -> None:
        """Factors of one number. applies: whether the number counts for an actor and a target."""
        for index, factor in enumerate(factors):
            at = f"{place}.times[{index}]"
            path, at = (factor.not_, f"{at}.not") if isinstance(factor, Not) else (factor, at)
            self.source(at, path, here, applies)

    def source(self, place: str, path: str, here: Here, applies: Applies = always) -> None:
        """What a number is multiplied by exists wherever the number counts."""
        before = len(self.found)
        self.path(place, path, here.with_(tags=False, written=False, capabilities=True))
        words = path.split(".")
        if len(self.found) > before or not {"self", "target"}.intersection(words):
            return
        doers = here.self_ if "self" in words and here.self_ else (None,)
        others = here.target if "target" in words and here.target else (None,)
        if all(self.exists(path, i, j) for i in doers for j in others if i is None or i != j):
            return
        for i, j in itertools.product(here.self_ or (None,), here.target or (None,)):
            if (i is None or i != j) and not self.exists(path, i, j) and applies(i, j):
                real = _spelt(path, i, j)
                self.tell(place, f"there is no {real}, by which this number would be multiplied; declare it")
                return

    def exists(self, path: str, self_: str | None, target: str | None) -> bool:
        """Whether there is such a slot or capability."""
        real = _spelt(path, self_, target)
        actor, _, name = real.partition(".")
        owner = self.scenario.actors.get(actor)
        return real in self.scenario.slots or (owner is not None and name in owner.capabilities.by_name)

    def around(self, place: str, value: float, range_: list[float], bounds: Bounds) -> None:
        """A plausible range holds the value and nothing that the number may not be."""
        low, high = range_
        shown = f"[{plain(low)}, {plain(high)}]"
        if low > high:
            self.tell(f"{place}.range", f"{shown} ends before it begins; write [{plain(high)}, {plain(low)}]")
        elif not low <= value <= high:
            self.tell(f"{place}.range", f"{shown} leaves out the value {plain(value)}; widen it")
        elif not bounds.holds(low) or not bounds.holds(high):
            self.tell(f"{place}.range", f"{shown} is out of range; must be {bounds}")

    def level(self, place: str, quantity: Quantity, kind: Slot | None) -> None:
        """A value that an indicator can have: a rung of its ladder, or a number of its range."""
        if kind is None:
            return
        value, bounds = quantity.value, Bounds(kind.lo, kind.hi)
        if isinstance(value, str):
            if kind.ladder is None:
                self.tell(place, f'"{value}" is text; must be a number, as "{kind.indicator}" is no ladder')
            elif value not in kind.ladder:
                self.tell(place, f'"{kind.indicator}" has no rung "{value}"{nearest(value, kind.ladder, "rungs")}')
            elif quantity.range is not None:
                self.around(place, kind.ladder.index(value), quantity.range, bounds)
        elif not bounds.holds(value):
            self.tell(place, f"{plain(value)} is out of range; must be {bounds}")
        elif kind.ladder is not None and value != int(value):
            self.tell(place, f"{value} is no rung; write a whole number from 0 or a rung's name")
        elif quantity.range is not None and quantity.range[0] <= value <= quantity.range[1]:
            self.around(place, value, quantity.range, bounds)

    def levels(self, place: str, numbers_: PerName, kind: Slot) -> None:
        for key, quantity in numbers_.by_name.items():
            self.level(place if key == "default" else f"{place}.{key}", quantity, kind)

    def promise(self, place: str, name: str | None) -> Assurance | None:
        if name is None or not self.known(place, name, self.scenario.assurances, "assurance"):
            return None
        return self.scenario.assurances[name]

    def keys(self, place: str, key: str, pair: bool = True) -> bool:
        """A key of numbers by name is an actor, a tag, or a pair of them."""
        words = key.split(".")
        if len(words) > (2 if pair else 1):
            self.tell(place, f'"{key}" must name an actor or tag' + (", or a pair (first.second)" if pair else ""))
            return False
        return all(self.known(place, word, [*self.groups, "default"], "actor or tag") for word in words)

    def covered(
        self, place: str, numbers_: PerName, owners: Sequence[Owner], pair: bool = True, kind: Slot | None = None
    ) -> None:
        """Every owner has one number, and every key an owner. kind: a slot whose value it is."""
        pair = pair and owners[0][1] is not None
        for key in numbers_.by_name:
            if key == "default" or not self.keys(f"{place}.{key}", key, pair):
                continue
            if not any(exactness(key, self.scenario, *owner) > 0 for owner in owners):
                self.tell(f"{place}.{key}", f'"{key}" is nobody who has this number; remove it')
        self.agree(place, numbers_, owners, kind)
        if "default" in numbers_.by_name:
            return
        bare = [owner for owner in owners if pick(numbers_, self.scenario, *owner) is None]
        if bare:
            who = some(".".join(filter(None, owner)) for owner in bare)
            self.tell(place, f"no number for {who}; add `default`" if who else "no number; write one")

    def agree(self, place: str, numbers_: PerName, owners: Sequence[Owner], kind: Slot | None = None) -> None:
        """Of two equally exact keys that both hold for an owner, neither says otherwise: which should hold?"""
        torn: dict[tuple[str, str], list[str]] = {}
        keys = sorted(key for key in numbers_.by_name if key != "default")
        for owner in owners if len(keys) > 1 else ():
            exact = {key: exactness(key, self.scenario, *owner) for key in keys}
            best = [key for key in keys if exact[key] == max(0, *exact.values())]
            for other in best[1:]:
                if _worth(numbers_.by_name[best[0]], kind) != _worth(numbers_.by_name[other], kind):
                    torn.setdefault((best[0], other), []).append(".".join(filter(None, owner)))
        for (one, other), whose in torn.items():
            both = _both(numbers_.by_name, one, other)
            names = some(f'"{name}"' for name in whose)
            self.tell(f"{place}.{other}", f"{both} are equally exact for {some(whose)}; add {names}")

    def once(self, place: str, quantities_: Mapping[str, Quantity], adds: bool) -> None:
        """No two keys of a dated event reach one slot: which should hold?"""
        reached: dict[str, str] = {}
        twice: dict[tuple[str, str], list[str]] = {}
        for path in sorted(quantities_):
            for found in expand(path, self.scenario):
                one, kind = reached.setdefault(found, path), self.scenario.slots[found]
                if one != path and (adds or _worth(quantities_[one], kind) != _worth(quantities_[path], kind)):
                    twice.setdefault((one, path), []).append(found)
        for (one, path), slots_ in twice.items():
            does = "move" if adds else "set"
            told = f"{_both(quantities_, one, path)} both {does} {some(slots_)}; write each indicator once"
            self.tell(f"{place}.{path}", told)

    def conflicts(
        self, place: str, effects: Sequence[Effect], doers: Sequence[str | None], targets: Sequence[str] | None
    ) -> None:
        """Two levels for one slot in one act: which should hold?"""
        levels = [(index, effect) for index, effect in enumerate(effects) if effect.add is None]
        for (_, one), (index, other) in itertools.combinations(levels, 2):
            if one.attempt != other.attempt or one.of.split(".")[-1] != other.of.split(".")[-1]:
                continue
            if one.of == other.of or self.meet(one.of, other.of, doers, targets):
                self.tell(f"{place}.effects[{index}]", f"brings {other.of} to a second level in one act; remove one")

    def meet(self, one: str, other: str, doers: Sequence[str | None], targets: Sequence[str] | None) -> bool:
        """Whether two paths speak of one slot for some actor and target."""
        others: Sequence[str | None] = targets or [None]
        for doer, target in itertools.product(doers, others):
            if (doer is None or doer != target) and set(expand(one, self.scenario, doer, target)) & set(
                expand(other, self.scenario, doer, target)
            ):
                return True
        return False

    def date(self, place: str, date: str) -> bool:
        """Whether a calendar has that day."""
        try:
            first_day(date)
        except ValueError:
            why = "there is no year 0" if date.startswith("0000") else f"{date} is in no calendar"
            self.tell(place, f"{why}; write YYYY-MM or YYYY-MM-DD")
            return False
        return True

    def within(self, place: str, date: str) -> None:
        """A date lies in one of the turns."""
        labels = self.labels()
        if labels and turn_of(self.scenario, date) is None:
            turn = self.scenario.turn
            last = labels[-1] if turn == "month" else f"the {turn} of {labels[-1]}"
            self.tell(place, f"{date} is outside the scenario; must be from {labels[0]} to {last}")

    def labels(self) -> list[str]:
        """The dates of the turns; none where the calendar does not reach that far."""
        try:
            return turn_dates(self.scenario)
        except (OverflowError, ValueError):
            return []

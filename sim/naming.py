"""What the things of a scenario are called in a sentence, and how numbers are written there."""

from __future__ import annotations

import calendar
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sim.scenario import Scenario, verb

_FIELDS = {
    "kept": "initial trust in",
    "broken": "initial distrust in",
    "promised": "firmness at the start of",
    "fade": "fading of",
    "forgetting": "forgetting about",
    "signal": "weight of signals about",
    "rest": "resting level of",
    "pull": "pull on",
    "add": "strength of",
    "hold": "readiness to hold still",
    "risk": "curvature of wants",
}
_OPERATIONS = ("add", "to", "raise_to", "lower_to", "scale")


def axis_titles(scenario: Scenario, paths: Iterable[str]) -> dict[str, str]:
    """A title for each path, no two the same."""
    found = {path: axis_title(scenario, path) for path in paths}
    often = Counter(found.values())
    return {path: title if often[title] == 1 else f"{title} ({path})" for path, title in found.items()}


def axis_title(scenario: Scenario, path: str) -> str:
    """What a path is called within a sentence, such as "Russia's weight on borders"; the path where that is unknown."""
    try:
        return _plain(_title(scenario, path.removeprefix("set.")))
    except (KeyError, IndexError, AttributeError, TypeError, ValueError):
        return path


def _title(scenario: Scenario, path: str) -> str:
    top, *rest = path.split(".")
    if path in scenario.slots:
        return f"{indicator(scenario, path)} at the start"
    match top.partition("[")[0]:
        case "actors":
            return _of_actor(scenario, *rest)
        case "assurances":
            kind, what, *pair = rest
            title = scenario.assurances[kind].title or spaced(kind)
            return f"{_of(what)} the promise {title}{_between(scenario, pair)}"
        case "indicators":
            name, what, *owners = rest
            title = scenario.indicators[name].title or spaced(name)
            title = f"{title} at the start" if what == "start" else f"{_of(what)} “{title}”"
            return title + _between(scenario, owners)
        case "actions":
            return _of_action(scenario, *rest)
        case "bargains":
            name = f"“{scenario.bargains[rest[0]].title or spaced(rest[0])}”"
            return _of_dealing("odds against accepting" if rest[1] == "bias" else "", name, *rest[1:])
        case "fora":
            return _of_forum(scenario, *rest)
        case "incidents":
            title = f"“{scenario.incidents[rest[0]].title or spaced(rest[0])}”"
            found = re.fullmatch(r"(plus|effects)\[(\d+)\]", rest[1])
            if found is None:
                return f"{_of(rest[1])} {title}{_between(scenario, rest[2:])}"
            if found[1] == "plus":
                return f"term {int(found[2]) + 1} of the hazard of {title}"
            return f"effect {int(found[2]) + 1} of {title}"
        case "couplings":
            return f"{_of(rest[-1])} “{spaced(rest[0])}”"
        case "timeline":
            number = int(top[len("timeline[") : -1])
            of = ".".join(rest[1:])
            name = indicator(scenario, of) if of in scenario.slots else spaced(of)
            return f"{name} {'from' if rest[0] == 'set' else 'changed by'} “{scenario.timeline[number].title}”"
        case "model":
            return f"everybody's {_FIELDS.get(rest[0], spaced(rest[0]))}"
    return path


def _of_actor(scenario: Scenario, name: str, what: str, *rest: str) -> str:
    whose = possessive(actor(scenario, name))
    if what == "interests":
        return f"{whose} {'weight on' if rest[1] == 'salience' else 'ideal for'} {spaced(rest[0])}"
    if what == "challenge":
        return f"{whose} {spaced(rest[0])} in a challenge"
    if what == "stakes":
        return f"{whose} stake in {actor(scenario, rest[0]) if rest[0] in scenario.actors else spaced(rest[0])}"
    return f"{whose} {spaced(rest[0] if what == 'capabilities' else what)}"


def _of_action(scenario: Scenario, name: str, what: str, *rest: str) -> str:
    action = scenario.actions[name]
    title = f"“{action.title or spaced(name)}”"
    found = re.fullmatch(r"(\w+)\[(\d+)\]", what)
    if found is None:
        return f"{_of(what)} {title}{_between(scenario, rest)}"
    number = int(found[2])
    if found[1] == "effects" and rest[0] in _OPERATIONS:
        return f"effect of {title} on {spaced(action.effects[number].of.split('.')[-1])}"
    return f"{found[1].removesuffix('s')} {number + 1} of {title} ({spaced(rest[-1])})"


def _of_dealing(told: str, name: str, what: str, *_: str) -> str:
    """A number of a bargain or a forum. told: what it is called where that is no matter of its name."""
    if what == "active":
        return f"whether there is {name}"
    found = re.fullmatch(r"needs\[(\d+)\]", what)
    return f"condition {int(found[1]) + 1} of {name}" if found else f"{told or _of(what)} {name}"


def _of_forum(scenario: Scenario, key: str, what: str, *rest: str) -> str:
    forum = scenario.fora[key]
    name = forum.title or f"“{spaced(key)}”"
    if what == "agenda":
        item, number, *owner = rest
        return f"{number} on {spaced(item)} in {name}{_between(scenario, owner)}"
    if what == "outputs":
        output, number, *_ = rest
        of = f"“{forum.outputs[output].title or spaced(output)}” of {name}"
        effect = re.fullmatch(r"effects\[(\d+)\]", number)
        if effect is not None:
            return f"effect {int(effect[1]) + 1} of {of}"
        return f"{'odds against a veto of' if number == 'bias' else 'agreement needed for'} {of}"
    named = _of_dealing("readiness to attend" if what == "attend" else "", name, what)
    return f"{named}{_between(scenario, rest)}" if what in ("attend", "cost") else named


def _of(name: str) -> str:
    """ "cost of", "initial trust in"."""
    return _FIELDS.get(name, f"{spaced(name)} of")


def _between(scenario: Scenario, owners: Iterable[str]) -> str:
    names = [actor(scenario, name) if name in scenario.actors else spaced(name) for name in owners]
    return f" ({' → '.join(names)})" if names else ""


def indicator(scenario: Scenario, path: str) -> str:
    """An indicator's title and whose it is."""
    slot = scenario.slots[path]
    kind = slot.place.split(".")[1]
    if slot.place.startswith("indicators."):
        title = scenario.indicators[kind].title or spaced(kind)
    else:
        title = f"{slot.indicator.split('_')[0]} of the promise {scenario.assurances[kind].title or spaced(kind)}"
    return title + _between(scenario, [name for name in (slot.first, slot.second) if name])


def actor(scenario: Scenario, name: str) -> str:
    """As within a sentence: "the Taliban"."""
    title = scenario.actors[name].title or spaced(name).title()
    return f"the {title.removeprefix('The ')}" if title.startswith(("The ", "United ")) else title


class Words:
    """The scenario's titles, and numbers as a reader wants them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario

    def actor(self, name: str) -> str:
        """As within a sentence."""
        return actor(self.scenario, name)

    def option(self, option: tuple[str, str | None] | None) -> str:
        """A verb phrase."""
        if option is None:
            return "does nothing"
        action, target = option
        title = verb(self.scenario, action)
        return title if target is None else f"{title} {self.actor(target)}"

    def deed(self, deed: Any) -> str:
        """An act (actor, action, target) with who does it; an output of a forum by its title."""
        if deed.actor in self.scenario.fora and deed.actor not in self.scenario.actors:
            return f"‘{self.output(deed.actor, deed.action)}’ of {self.forum(deed.actor)}"
        return f"{self.actor(deed.actor)} {self.option((deed.action, deed.target))}"

    def forum(self, name: str) -> str:
        return self.scenario.fora[name].title or spaced(name)

    def output(self, forum: str, name: str) -> str:
        return self.scenario.fora[forum].outputs[name].title or spaced(name)

    def indicator(self, path: str, mine: str) -> str:
        """The indicator's title and whose it is, as a card of the actor `mine` has it."""
        slot = self.scenario.slots[path]
        kind = slot.place.split(".")[1]
        if slot.place.startswith("indicators."):
            title = self.scenario.indicators[kind].title or spaced(kind)
        else:
            title = f"{slot.indicator.split('_')[0]}: {self.scenario.assurances[kind].title or spaced(kind)}"
        owners = [self.actor(name) for name in (slot.first, slot.second) if name]
        if slot.first == mine:
            owners[0] = ""
        whose = " → ".join(owners).strip()
        return f"{title} ({whose})" if whose else title

    def value(self, path: str, value: float) -> str:
        """A number of an indicator; on a ladder the rung's name."""
        ladder = self.scenario.slots[path].ladder
        if ladder and value == int(value) and 0 <= value < len(ladder):
            return spaced(ladder[int(value)])
        return f"{value:.3f}"

    def date(self, label: str) -> str:
        """`August 2021` for `2021-08`."""
        year, month, day = (*(int(part) for part in label.split("-")), 0, 0)[:3]
        name = f"{calendar.month_name[month]} {year}" if month else str(year)
        if day:
            name = f"{day} {name}"
        return {"week": f"Week of {name}", "quarter": f"Quarter from {name}"}.get(self.scenario.turn, name)


def possessive(name: str) -> str:
    """ "Russia's", "the United States'"."""
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def spaced(name: str) -> str:
    """An id as words."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """With its first letter large."""
    return text[:1].upper() + text[1:]


def _plain(text: str) -> str:
    """On one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def percent(share: float) -> str:
    """A share in per cent, with a decimal where it is near 0 or 1."""
    if math.isnan(share):
        return "-"
    value = 100 * share
    near = 0.05 <= abs(value) < 10 or 90 < value < 99.95
    return f"{value:.1f}".removesuffix(".0") + "%" if near else f"{abs(value) if abs(value) < 0.5 else value:.0f}%"


def number(value: float) -> str:
    """Three significant figures, without needless noughts."""
    if math.isnan(value):
        return "-"
    if abs(value) < 1e-12:  # what is left of a sum that comes to nothing
        return "0"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def share(value: float) -> str:
    """Three decimals; what is less than one of them by its order of magnitude."""
    return f"{value:.3f}" if value >= 0.0005 or value == 0.0 else f"{value:.0e}"


def listed(items: Sequence[str]) -> str:
    """ "a, b and c"; nothing of nothing."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)

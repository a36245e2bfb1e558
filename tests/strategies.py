"""Small random scenarios that are valid and, taken together, use every feature of the format.

`random_scenario(random.Random(7))` is plain data for `sim.scenario.parse`; `scenarios()` is the same for Hypothesis.
"""

from __future__ import annotations

import datetime
import random
from typing import Any

from hypothesis import strategies as st

ACTORS = ("arda", "brin", "cale", "dorn")
TAGS = ("north", "south", "state")
RUNGS = ("none", "talks", "mission", "envoy", "recognition")
CHANNELS = ("words", "ties", "money", "force")
CODES = (("010", "NONE"), ("054", "SUPPORT"), ("071", "AID"), ("111", "ACCUSE"), ("190", "ASSAULT"), ("0334", "AGREE"))


def scenarios(**options: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Random scenarios for Hypothesis, which shrinks towards the first seeds. options: of `random_scenario`."""
    return st.integers(0, 10**6).map(lambda seed: random_scenario(random.Random(seed), **options))


def random_scenario(
    rng: random.Random, *, actors: int | None = None, turns: int | None = None, actions: int | None = None
) -> dict[str, Any]:
    """A valid scenario as plain data, as YAML would give it.

    rng: decides everything, so that equal generators give equal scenarios. actors: 2..4, turns: at least 1, actions: at
    least 1; drawn where left out. About half of the optional features stand in any one scenario.
    """
    return _Scenario(rng, actors or rng.randint(2, 4), turns or rng.randint(2, 6), actions or rng.randint(2, 6)).whole()


class _Scenario:
    """One scenario in the making: the names chosen so far, and a method a block."""

    def __init__(self, rng: random.Random, actors: int, turns: int, actions: int) -> None:
        self.rng = rng
        self.actors = list(ACTORS[:actors])
        self.turns = turns
        self.count = actions
        self.tags = {name: sorted(rng.sample(TAGS, rng.randint(0, 2))) for name in self.actors}
        self.bearers = {tag: [name for name in self.actors if tag in self.tags[name]] for tag in TAGS}
        self.turn, self.start, self.dates = self._calendar()
        self.world = ["unrest", "harvest"][: rng.randint(1, 2)]
        self.own = ["wealth", "repute", "stance"][: rng.randint(2, 3)]
        self.ladder = RUNGS[: rng.randint(2, 5)] if self.maybe(0.8) else ()
        self.regard = self.maybe(0.8)
        self.all_see = self.regard and self.maybe(0.7)
        self.attention = self.maybe(0.5)
        self.skills = ["finance", "arms"][: rng.randint(0, 2)]
        self.doers: set[str] = set()
        self.promises = ["truce", "transit"][: rng.randint(0, 2)]
        self.indicators = self._indicators()
        self.assurances = {name: self._assurance() for name in self.promises}

    # chance

    def maybe(self, chance: float = 0.5) -> bool:
        return self.rng.random() < chance

    def number(self, low: float, high: float) -> float:
        return round(self.rng.uniform(low, high), 3)

    def sourced(self, low: float, high: float) -> Any:
        """A number, sometimes with its claim, assumption or range."""
        value = self.number(low, high)
        if self.maybe(0.7):
            return value
        near = [max(low, round(value - 0.05, 3)), min(high, round(value + 0.05, 3))]
        long = {"value": value, "range": near, "claim": ["FRS-041"], "assumption": "drawn at random"}
        return {key: long[key] for key in long if key == "value" or self.maybe()}

    def per_actor(self, low: float, high: float, owners: list[tuple[str, ...]]) -> Any:
        """A number, or a default with numbers by name, tag and pair of owners, in any order.

        Equally exact keys that hold for one owner say the same.
        """
        if self.maybe(0.6):
            return self.sourced(low, high)
        items = [("default", self.sourced(low, high))]
        for owner in self.rng.choices(owners, k=self.rng.randint(0, 3)):
            words = [self.rng.choice([name, *self.tags[name]]) for name in owner]
            words, said = words[: self.rng.randint(1, len(words))], self.sourced(low, high)
            rivals = [item for key, item in items if self._rivals(key.split("."), words, owners)]
            if all(item == rivals[0] for item in rivals):
                items.append((".".join(words), rivals[0] if rivals else said))
        self.rng.shuffle(items)
        return dict(items)

    def _rivals(self, one: list[str], other: list[str], owners: list[tuple[str, ...]]) -> bool:
        """Whether two keys are equally exact and hold for one owner."""

        def holds(words: list[str], owner: tuple[str, ...]) -> bool:
            return all(word in (name, *self.tags[name]) for word, name in zip(words, owner, strict=False))

        names = [sum(word in self.actors for word in words) for words in (one, other)]
        alike = len(one) == len(other) and names[0] == names[1]
        return alike and any(holds(one, owner) and holds(other, owner) for owner in owners)

    def pairs(self, first: Any, second: Any) -> list[tuple[str, ...]]:
        """Pairs of different actors of two selectors."""
        return [(one, other) for one in self._meant(first) for other in self._meant(second) if one != other]

    def who(self, least: int = 1) -> str | list[str]:
        """A selector: an actor, a tag with bearers, or a list."""
        tags = [tag for tag, names in self.bearers.items() if len(names) >= least]
        if tags and self.maybe(0.3):
            return self.rng.choice(tags)
        names = self.rng.sample(self.actors, self.rng.randint(least, len(self.actors)))
        return names[0] if len(names) == 1 and self.maybe() else names

    # blocks

    def whole(self) -> dict[str, Any]:
        rng = self.rng
        scenario: dict[str, Any] = {
            "tightrope": 1, "title": f"A drawn world of {len(self.actors)}", "start": self.start, "turns": self.turns,
            "turn": self.turn, "indicators": self.indicators, "actors": {n: self._actor(n) for n in self.actors},
            "assurances": self.assurances,
        }  # fmt: skip
        scenario["actions"] = {f"act_{'abcdefgh'[n % 8]}{n // 8 or ''}": self._action() for n in range(self.count)}
        scenario["incidents"] = {name: self._incident() for name in ("raid", "flood")[: rng.randint(0, 2)]}
        scenario["couplings"] = self._couplings()
        scenario["timeline"] = [self._event(scenario["actions"]) for _ in range(rng.randint(0, 3))]
        scenario["outcomes"] = self._outcomes(scenario)
        if self.maybe():
            scenario["set"] = {f"{self.actors[0]}.wealth": self.sourced(0, 1), self.world[0]: self.number(0, 1)}
        if self.maybe():
            scenario["model"] = self._model()
        if self.maybe(0.2):
            scenario["policy"] = rng.choice(["quantal", "best", "random", "frozen"])
        if self.maybe():
            scenario |= {"description": "Nothing here happened.", "assumption": "drawn at random", "claim": "FRS-007"}
        return scenario

    def _calendar(self) -> tuple[str, str, list[str]]:
        """Length of a turn, start, and a date within each turn."""
        turns = range(self.turns)
        turn = self.rng.choice(["month", "month", "week", "quarter", "year"])
        if turn == "week":
            first = datetime.date(2030, 1, 1)
            return turn, str(first), [str(first + datetime.timedelta(days=7 * n + 2)) for n in turns]
        step = {"month": 1, "quarter": 3, "year": 12}[turn]
        return turn, "2030-01", [f"{2030 + step * n // 12}-{step * n % 12 + 1:02d}" for n in turns]

    def _indicators(self) -> dict[str, Any]:
        wide = self.maybe(0.3)
        indicators: dict[str, Any] = {
            name: {"scope": "world", "start": self.sourced(0, 1), **self._drift()} for name in self.world
        }
        for name in self.own:
            indicators[name] = {
                "scope": "actor",
                "start": self.per_actor(0, 1, [(one,) for one in self.actors]),
                **self._drift(),
            }
        if wide:
            indicators["wealth"] |= {"range": [-0.5, 2], "zero": "bankrupt", "one": "rich", "title": "Wealth"}
        if self.attention:
            indicators["attention"] = {"scope": "actor", "range": [0, 4], "start": self.number(0.2, 2)}
        indicators["ties"] = {
            "scope": "dyad",
            "start": self.per_actor(0, 1, self.pairs(self.actors, self.actors)),
            **self._drift(),
        }
        if self.maybe(0.3):
            indicators["arms_race"] = {"scope": "actor", "of": self.who(), "start": 0.3}
        if self.ladder:
            start = self.rng.choice([self.ladder[0], 0, {"default": 0, self.actors[0]: self.ladder[1]}])
            indicators["rung"] = {"scope": "dyad", "ladder": list(self.ladder), "start": start}
        if self.regard:
            narrow = {} if self.all_see else {"from": self.actors, "to": self.who(least=2)}
            indicators["regard"] = {"scope": "dyad", **narrow, "start": self.sourced(-0.5, 0.9), "pull": 0.03}
        return indicators

    def _drift(self) -> dict[str, Any]:
        """How an indicator moves by itself."""
        drift: dict[str, Any] = {}
        if self.maybe():
            drift["pull"] = self.sourced(0.01, 0.3)
            if self.maybe():
                drift["rest"] = self.sourced(0, 1)
        if self.maybe():
            drift["noise"] = self.sourced(0, 0.1)
        return drift

    def _assurance(self) -> dict[str, Any]:
        one, other = (self.actors if self.maybe() else self.who(least=2) for _ in range(2))
        given, taken = self.pairs(one, other), self.pairs(other, one)
        assurance = {
            "from": one, "to": other, "fade": self.sourced(0, 0.4), "reliability": self.per_actor(0, 1, given),
            "kept": self.per_actor(0.5, 3, taken), "broken": self.per_actor(0.5, 3, taken),
            "forgetting": self.sourced(0, 0.3), "signal": self.number(0, 1.5),
        }  # fmt: skip
        if self.maybe():
            assurance |= {"title": "to keep the peace", "promised": self.per_actor(0, 1, given)}
        if self.maybe():
            assurance |= {"pull": self.number(0, 0.3), "rest": self.number(0, 1)}
        return assurance

    def _actor(self, name: str) -> dict[str, Any]:
        rng, others = self.rng, [other for other in self.actors if other != name]
        actor: dict[str, Any] = {"tags": self.tags[name]} if self.tags[name] else {}
        if self.skills:
            actor["capabilities"] = {skill: self.sourced(0.1, 1) for skill in self.skills}
        traits = {
            "rationality": (20, 300), "foresight": (0, 0.8), "risk": (0.8, 3), "responsiveness": (0, 8),
        }  # fmt: skip
        for trait, (low, high) in traits.items():
            if self.maybe(0.4):
                actor[trait] = self.sourced(low, high)
        actor["interests"] = {f"want_{n}": self._interest(name, n) for n in range(rng.randint(0, 4))}
        if self.regard and self.maybe(0.7):
            whom = {other: self.sourced(0, 0.5) for other in others if self.maybe() and self._sees(name, other)}
            actor["stakes"] = whom or {"default": self.number(0, 0.3)}
        if self.maybe(0.15):
            actor |= {"policy": rng.choice(["quantal", "best", "random", "frozen"]), "title": name.title()}
        return actor

    def _sees(self, name: str, other: str) -> bool:
        to = self.indicators["regard"].get("to", self.actors)
        words = [to] if isinstance(to, str) else to
        return any(other in self.bearers.get(word, [word]) for word in words)

    def _interest(self, name: str, number: int) -> dict[str, Any]:
        paths = [*self.world, *(f"self.{own}" for own in self.own)]
        paths += [f"{other}.wealth" for other in self.actors] + [f"self.{o}.ties" for o in self.actors if o != name]
        path = self.rng.choice(paths)
        interest: dict[str, Any] = {"of": path, "ideal": self.sourced(0, 1), "salience": self.sourced(0.1, 0.9)}
        if self.maybe(0.2):
            interest["ideal"] = {"of": f"self.{self.rng.choice(self.own)}"}
        elif self.ladder and number == 0 and self.maybe():
            other = next(other for other in self.actors if other != name)
            interest |= {"of": f"self.{other}.rung", "ideal": self.ladder[-1]}
        return interest

    def _factors(self, *words: str) -> list[Any]:
        """Up to two multipliers of an indicator or a capability of the words (self, target)."""
        pool: list[Any] = [self.world[0], {"not": self.world[-1]}, f"{self.actors[-1]}.wealth"]
        for word in words:
            pool += [f"{word}.{name}" for name in (*self.own, *self.skills)] + [{"not": f"{word}.repute"}]
        if len(words) == 2:
            pool += ["self.target.ties", {"not": "target.self.ties"}]
            if self.ladder:
                pool.append("self.target.rung")
        return self.rng.sample(pool, self.rng.randint(1, 2))

    def _action(self) -> dict[str, Any]:
        rng = self.rng
        cameo, plover = rng.choice(CODES)
        action: dict[str, Any] = {
            "cameo": cameo, "plover": plover, "channel": rng.choice(CHANNELS), "by": self.who(),
        }  # fmt: skip
        words = ["self"]
        if self.maybe(0.75):
            action["toward"] = self.who(least=2)
            words.append("target")
        doers = [(doer,) for doer, _ in self.pairs(action["by"], action.get("toward", [*self.actors, ""]))]
        self.doers = {doer for (doer,) in doers}
        action["cost"] = self.per_actor(-0.01, 0.03, doers)
        for key, low, high in (("effort", 0.25, 2), ("habit", 0.3, 3), ("visibility", 0, 1)):
            if self.maybe(0.4):
                action[key] = self.sourced(low, high)
        if self.maybe(0.4):
            action["chance"] = self._scaled(self.per_actor(0.2, 1, doers), words)
        if self.maybe(0.3):
            action["cost"] = self._scaled(action["cost"], words)
        if self.maybe(0.2):
            action["title"] = "does it"
        action["effects"] = self._effects(words)
        if self.maybe(0.4):
            action["needs"] = self._needs(words)
        if self.promises and self.maybe():
            action["signals"] = [self._signal(words)]
        return action

    def _scaled(self, numbers: Any, words: list[str]) -> dict[str, Any]:
        """A number with multipliers."""
        long = numbers if isinstance(numbers, dict) else {"default": numbers}
        return {**long, "times": self._factors(*words)}

    def _needs(self, words: list[str]) -> list[dict[str, Any]]:
        needs: list[dict[str, Any]] = [{"of": "self.repute", "at_least": self.number(0, 0.4)}]
        if "target" in words and self.ladder:
            needs.append({"of": "self.target.rung", "at_most": self.rng.choice(self.ladder)})
        if self.maybe():
            needs.append({"of": self.world[0], "at_least": 0, "at_most": self.sourced(0.6, 1)})
        return self.rng.sample(needs, self.rng.randint(1, len(needs)))

    def _effects(self, words: list[str], plain: bool = False) -> list[dict[str, Any]]:
        """One to four effects, no two of which bring one slot to a level. plain: without `when` and `attempt`."""
        paths = [*self.world, *(f"{word}.{name}" for word in words for name in self.own)]
        tag = next((tag for tag, names in self.bearers.items() if names), None)
        paths += [f"{tag}.wealth"] if tag else []
        if "target" in words:
            paths += ["self.target.ties", "target.self.ties"] + ["target.self.regard"] * self.all_see
            paths += [f"self.target.promised_{name}" for name in self.promises if self._gives(name)]
            paths += [f"target.self.reliability_{name}" for name in self.promises if self._gives(name)]
        effects, levels = [], set()
        for path in self.rng.sample(paths, min(len(paths), self.rng.randint(1, 4))):
            effect: dict[str, Any] = {"of": path, "add": self.sourced(-0.2, 0.2)}
            name = path.split(".")[-1]
            if self.maybe(0.3) and name not in levels and name != "regard":
                effect = {"of": path, "to": self.sourced(0, 1)}
                levels.add(name)
            if self.maybe(0.4):
                effect["times"] = self._factors(*words)
            if "add" in effect and self.maybe(0.2):
                effect["after"] = self.rng.randint(1, 3)
            effects.append(effect if plain else self._hung(effect, words))
        if "target" in words and self.ladder and self.maybe():
            move = self.rng.choice(["raise_to", "lower_to"])
            effects.append({"of": self.rng.choice(["self.target.rung", "target.self.rung"]), move: self._rung()})
        return effects

    def _rung(self) -> Any:
        return self.rng.choice([self.rng.choice(self.ladder), self.rng.randrange(len(self.ladder))])

    def _hung(self, effect: dict[str, Any], words: list[str]) -> dict[str, Any]:
        """The effect, perhaps on an assurance, perhaps with the attempt."""
        everybody = [name for name in self.promises if self._gives(name)]
        if everybody and "target" in words and self.maybe(0.3):
            effect["when"] = {self.rng.choice(["kept", "broken"]): self.rng.choice(everybody)}
        elif everybody and self.maybe(0.15):
            givers = [giver for giver in self.actors if self.doers != {giver}]
            effect["when"] = {"kept": everybody[0], "by": self.rng.choice(givers)}
        if self.maybe(0.2):
            effect["attempt"] = True
        return effect

    def _gives(self, promise: str) -> bool:
        """Whether everybody can give the promise to everybody, so that any pair of words will do."""
        block = self.assurances[promise]
        return all(set(self._meant(block[side])) == set(self.actors) for side in ("from", "to"))

    def _meant(self, selector: Any) -> list[str]:
        words = [selector] if isinstance(selector, str) else selector
        return [name for word in words for name in self.bearers.get(word, [word])]

    def _signal(self, words: list[str]) -> dict[str, Any]:
        promise = self.rng.choice(self.promises)
        giver = self.rng.choice(self._meant(self.assurances[promise]["from"]))
        signal: dict[str, Any] = {"promise": promise, self.rng.choice(["kept", "broken"]): self.sourced(0.1, 1)}
        signal["by"] = giver
        if self._gives(promise):
            signal["by"] = self.rng.choice([*words, giver])
        if self.maybe(0.4):
            signal["to"] = self.rng.choice(self._meant(self.assurances[promise]["to"]))
        if self._gives(promise) and "target" in words and self.maybe(0.4):
            signal["to"] = ["target"]
        return signal

    def _incident(self) -> dict[str, Any]:
        words = ["self"] if self.maybe(0.6) else []
        incident: dict[str, Any] = {"hazard": self.sourced(0, 0.6)}
        if words:
            incident["on"] = self.who()
        if self.maybe():
            incident["plus"] = [{"of": self.world[0], "add": self.sourced(-0.2, 0.5)}]
            incident["plus"] += [{"of": "self.wealth", "add": 0.1}] * len(words)
        if self.maybe(0.4):
            incident["times"] = self._factors(*words)
        if self.maybe(0.4):
            incident |= {"visibility": self.number(0, 1), "title": "it happens", "cameo": "190"}
        if self.promises and self.maybe(0.7):
            incident["belies"] = [self._belies(words)]
        if self.maybe(0.8):
            incident["effects"] = self._effects(words, plain=True)
        return incident

    def _belies(self, words: list[str]) -> dict[str, Any]:
        promise = self.rng.choice(self.promises)
        belies = {"promise": promise, "by": self.rng.choice(self._meant(self.assurances[promise]["from"]))}
        if self._gives(promise) and words and self.maybe():
            belies |= {"to": "self"}
        elif self.maybe(0.4):
            belies["to"] = self.rng.choice(self._meant(self.assurances[promise]["to"]))
        return belies

    def _couplings(self) -> dict[str, Any]:
        couplings: dict[str, Any] = {}
        for n in range(self.rng.randint(0, 3)):
            coupling: dict[str, Any] = {"add": self.sourced(-0.05, 0.05)}
            words: tuple[str, ...] = ()
            if self.maybe(0.3):
                coupling |= {"from": self.world[0], "to": f"{self.actors[0]}.wealth"}
            elif self.maybe():
                words = ("self",)
                coupling |= {"by": self.who(), "from": "self.repute", "to": "self.wealth"}
            else:
                words = ("self", "target")
                source = self.rng.choice(["self.target.ties", "self.target.rung" if self.ladder else "self.wealth"])
                coupling |= {"by": self.who(), "toward": self.who(least=2), "from": source, "to": "target.repute"}
            if self.maybe():
                coupling["around"] = self.sourced(0, 0.6)
            if self.maybe(0.4):
                coupling["times"] = self._factors(*words)
            couplings[f"link_{'abc'[n]}"] = coupling
        return couplings

    def _event(self, actions: dict[str, Any]) -> dict[str, Any]:
        event: dict[str, Any] = {"date": self.rng.choice(self.dates), "title": "something happens"}
        tag = next((tag for tag, names in self.bearers.items() if names), self.actors[0])
        if self.maybe():
            event["set"] = {self.world[0]: self.sourced(0, 1), f"{tag}.repute": self.number(0, 1)}
            if self.ladder:
                event["set"][f"{self.actors[0]}.{self.actors[1]}.rung"] = self._rung()
        if self.maybe():
            event["add"] = {self.rng.choice([f"{tag}.wealth", self.world[-1]]): self.sourced(-0.3, 0.3)}
        if self.maybe(0.6):
            name = self.rng.choice(sorted(actions))
            doer = self.rng.choice(self._meant(actions[name]["by"]))
            event["act"] = {"by": doer, "action": name}
            if "toward" in actions[name]:
                others = [other for other in self._meant(actions[name]["toward"]) if other != doer]
                event["act"]["target"] = self.rng.choice(others)
        return event

    def _outcomes(self, scenario: dict[str, Any]) -> dict[str, Any]:
        action = self.rng.choice(sorted(scenario["actions"]))
        one, other = self.actors[:2]
        outcomes: dict[str, Any] = {
            "poor": {"first": f"{one}.wealth", "at_most": 0.2, "title": "Does it go bankrupt?"},
            "close": {"end": f"{one}.{other}.ties", "at_least": self.number(0.2, 0.8)},
            "calm": {"mean": self.world[0]},
            "peak": {"max": f"{other}.repute"},
            "trough": {"min": f"{other}.repute"},
            "gain": {"change": f"{one}.wealth"},
            "acts": {"count": {"action": action}},
            "deeds": {"count": {"by": self.who(), "toward": self.who(), "plover": "AID"}, "at_least": 1},
            "window": {"count": {"from": self.dates[0], "until": self.dates[-1]}},
        }
        for name in scenario["incidents"]:
            outcomes[f"count_{name}"] = {"incidents": name}
        if self.ladder:
            outcomes["climbs"] = {"first": f"{one}.{other}.rung", "at_least": self.ladder[-1]}
        for over in ("any", "all", "number", "mean"):
            tag = next((tag for tag, names in self.bearers.items() if names), one)
            outcomes[f"over_{over}"] = {"end": f"{tag}.wealth", "over": over, "at_least": 0.5}
        kept = self.rng.sample(sorted(outcomes), self.rng.randint(1, 6))
        return {name: outcomes[name] for name in sorted(kept)}

    def _model(self) -> dict[str, Any]:
        return {
            "hold": self.sourced(0.2, 0.8), "rationality": self.number(0, 300), "foresight": self.number(0, 0.9),
            "risk": self.number(0.7, 3), "responsiveness": self.number(0, 8),
        }  # fmt: skip

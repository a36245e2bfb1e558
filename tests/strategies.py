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
POLICIES = ("quantal", "best", "random", "frozen", "trend", "reinforcement", "challenge")
WORD = "faith"  # the promise that bargains are made by, which everybody can give to everybody
CODES = (("010", "NONE"), ("054", "SUPPORT"), ("071", "AID"), ("111", "ACCUSE"), ("190", "ASSAULT"), ("0334", "AGREE"))


def scenarios(**options: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Random scenarios for Hypothesis, which shrinks towards the first seeds. options: of `random_scenario`."""
    return st.integers(0, 10**6).map(lambda seed: random_scenario(random.Random(seed), **options))


def random_scenario(
    rng: random.Random,
    *,
    actors: int | None = None,
    turns: int | None = None,
    actions: int | None = None,
    talks: bool | None = None,
) -> dict[str, Any]:
    """A valid scenario as plain data, as YAML would give it.

    rng: decides everything, so that equal generators give equal scenarios. actors: 2..4, turns: at least 1, actions: at
    least 1, talks: whether there are bargains and fora; drawn where left out. About half of the optional features stand
    in any one scenario.
    """
    made = _Scenario(rng, actors or rng.randint(2, 4), turns or rng.randint(2, 6), actions or rng.randint(2, 6))
    scenario = made.whole()
    if made.maybe(0.6) if talks is None else talks:
        made.add_bargains(scenario)
        made.add_fora(scenario)
    made.add_minds(scenario)
    return scenario


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
            scenario["policy"] = rng.choice(POLICIES)
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
            actor |= {"policy": rng.choice(POLICIES), "title": name.title()}
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

    # bargains, fora, minds

    def add_bargains(self, scenario: dict[str, Any]) -> None:
        """Up to five bargains, of which several may ask for one act, and the word that they are made by."""
        rng = self.rng
        scenario["assurances"][WORD] = {
            "from": self.actors, "to": self.actors, "fade": self.sourced(0, 0.4),
            "kept": self.number(0.5, 3), "broken": self.number(0.5, 3),
            "forgetting": self.sourced(0, 0.3), "signal": self.number(0, 1.5),
        }  # fmt: skip
        if self.maybe():
            scenario["assurances"][WORD] |= {"reliability": self.number(0.2, 1), "promised": self.number(0, 0.6)}
        self.add_words(scenario)
        bargains: dict[str, Any] = {}
        asks = rng.sample(sorted(scenario["actions"]), min(2, len(scenario["actions"])))
        for n in range(rng.randint(2, 5)):
            drawn = [self._terms(scenario, asks) for _ in range(3)]
            pairs, terms = max(
                ((self.parties(scenario, **terms), terms) for terms in drawn), key=lambda one: len(one[0])
            )
            if not pairs:
                continue
            by, toward = sorted({i for i, _ in pairs}), sorted({j for _, j in pairs})
            by = by if self.maybe(0.7) else [pairs[0][0]]
            toward = sorted({j for i, j in pairs if i in by}) if self.maybe(0.7) else [pairs[0][1]]
            bargains[f"pact_{'abcde'[n]}"] = self._bargain() | terms | {"by": by, "toward": toward}
        self._counters(bargains, scenario)
        if bargains:
            scenario["bargains"] = bargains
            if self.maybe(0.3):
                scenario["outcomes"]["offers"] = {"count": {"action": min(bargains)}}

    def _terms(self, scenario: dict[str, Any], asks: list[str]) -> dict[str, Any]:
        give, ask = self.rng.choice(sorted(scenario["actions"])), self.rng.choice(asks)
        one, other = self.rng.choice(self.actors), self.rng.choice(self.actors)
        return {"give": self._promised(scenario, give, other), "ask": self._promised(scenario, ask, one)}

    def add_words(self, scenario: dict[str, Any]) -> None:
        """Makes some acts promises, and others hang on them."""
        toward = [name for name, action in scenario["actions"].items() if "toward" in action]
        for name in self.rng.sample(toward, min(len(toward), self.rng.randint(1, 2))):
            move = {"to": 1} if self.maybe() else {"add": self.sourced(-0.3, 0.6)}
            extra = {"of": f"self.target.promised_{WORD}", **move}
            if self.maybe(0.2):
                extra["attempt"] = True
            scenario["actions"][name]["effects"].append(extra)
        for name in self.rng.sample(toward, min(len(toward), self.rng.randint(1, 2))):
            extra = {
                "of": self.rng.choice([self.world[0], "self.wealth", "target.wealth"]),
                "add": self.sourced(-0.5, 0.5),
            }
            extra["when"] = {self.rng.choice(["kept", "broken"]): WORD}
            effects = scenario["actions"][name]["effects"]
            if not any(effect["of"] == extra["of"] for effect in effects):
                effects.append(extra)

    def _promised(self, scenario: dict[str, Any], action: str, other: str) -> Any:
        """What a side promises: towards the other, or towards an actor named."""
        if "toward" in scenario["actions"][action] and self.maybe(0.3):
            return {"action": action, "toward": other}
        return {"action": action} if self.maybe(0.2) else action

    def parties(self, scenario: dict[str, Any], give: Any, ask: Any) -> list[tuple[str, str]]:
        """Who could make a bargain of two acts with whom."""

        def can(deed: Any, actor: str, other: str) -> bool:
            deed = {"action": deed} if isinstance(deed, str) else deed
            action, other = scenario["actions"][deed["action"]], deed.get("toward", other)
            possible = "toward" not in action or (other != actor and other in self._meant(action["toward"]))
            return possible and actor in self._meant(action["by"])

        return [(i, j) for i, j in self.pairs(self.actors, self.actors) if can(give, i, j) and can(ask, j, i)]

    def _bargain(self) -> dict[str, Any]:
        rng = self.rng
        cameo, plover = rng.choice(CODES)
        bargain: dict[str, Any] = {
            "cameo": cameo, "plover": plover, "channel": rng.choice(CHANNELS),
            "bias": self.sourced(-2, 1), "word": WORD,
        }  # fmt: skip
        for key, low, high in (("effort", 0.1, 1), ("habit", 0.3, 4), ("visibility", 0, 1)):
            if self.maybe(0.4):
                bargain[key] = self.sourced(low, high)
        for key, low, high in (("give_after", 0, 3), ("ask_after", 0, 3), ("expires", 1, 3)):
            if self.maybe(0.6):
                bargain[key] = rng.randint(low, high)
        if self.maybe(0.2):
            bargain["needs"] = self._needs(["self", "target"])
        if self.maybe(0.4):
            bargain["together"] = True
        if self.maybe(0.1):
            bargain |= {"active": rng.randint(0, 1), "title": "offers it to"}
        return bargain

    def _counters(self, bargains: dict[str, Any], scenario: dict[str, Any]) -> None:
        """Gives some bargains another with which their targets can answer."""
        for name in sorted(bargains):
            if bargains[name].get("together") or self.maybe(0.4):
                continue
            by, toward = bargains[name]["by"], bargains[name]["toward"]
            for action in self.rng.sample(sorted(scenario["actions"]), len(scenario["actions"])):
                terms = {"give": bargains[name]["give"], "ask": action}
                if self.maybe():
                    terms = {"give": action, "ask": bargains[name]["ask"]}
                if any(i in by and j in toward for i, j in self.parties(scenario, **terms)):
                    other = {key: item for key, item in self._bargain().items() if key != "together"}
                    bargains[f"{name}_less"] = other | terms | {"by": by, "toward": toward}
                    bargains[name]["counter"] = f"{name}_less"
                    break

    def add_fora(self, scenario: dict[str, Any]) -> None:
        """Up to two fora."""
        scenario["fora"] = {name: self._forum(scenario) for name in ("council", "summit")[: self.rng.randint(0, 2)]}
        if scenario["fora"] and self.maybe(0.3):
            scenario["outcomes"]["convened"] = {"count": {"action": "council"}}

    def _forum(self, scenario: dict[str, Any]) -> dict[str, Any]:
        rng = self.rng
        members = self.who(least=2)
        seats = [(m,) for m in sorted(set(self._meant(members)))]
        cameo, plover = rng.choice(CODES)
        forum: dict[str, Any] = {
            "cameo": cameo, "plover": plover, "members": members, "convener": self.who(),
            "channel": rng.choice(CHANNELS), "attend": self.per_actor(-1, 3, seats),
        }  # fmt: skip
        conveners = [(i,) for i in self._meant(forum["convener"])]
        forum["cost"] = self.per_actor(-0.01, 0.02, conveners)
        if self.maybe(0.3):
            forum["cost"] = self._scaled(forum["cost"], ["self"])
        for key, low, high in (("effort", 0.1, 1), ("habit", 0.3, 4)):
            if self.maybe(0.4):
                forum[key] = self.sourced(low, high)
        if self.maybe(0.3):
            forum["needs"] = self._needs(["self"])
        if self.maybe(0.4):
            forum["dates"] = sorted(rng.sample(self.dates, rng.randint(1, min(2, len(self.dates)))))
        for key, chance, low, high in (("every", 0.3, 1, 4), ("pause", 0.7, 0, 3), ("quorum", 0.5, 2, len(seats))):
            if self.maybe(chance):
                forum[key] = rng.randint(low, high)
        if self.skills and self.maybe():
            forum["capability"] = rng.choice(self.skills)
        forum["agenda"] = {name: self._item(seats) for name in ("line", "tone")[: rng.randint(0, 2)]}
        forum["outputs"] = {
            name: self._output(scenario, seats, sorted(forum["agenda"]))
            for name in ("note", "plan")[: rng.randint(0, 2)]
        }
        if self.maybe(0.1):
            forum |= {"active": rng.randint(0, 1), "title": "the forum"}
        return forum

    def _item(self, seats: list[tuple[str]]) -> dict[str, Any]:
        (member,) = self.rng.choice(seats)
        other = next(name for name in self.actors if name != member)
        holders = {f"self.{name}": seats for name in self.own}
        holders[f"self.{other}.ties"] = [seat for seat in seats if seat != (other,)]
        if "arms_race" in self.indicators:
            armed = self._meant(self.indicators["arms_race"]["of"])
            holders["self.arms_race"] = [seat for seat in seats if seat[0] in armed]
        path = self.rng.choice([path for path, held in holders.items() if held])
        return {
            "of": path,
            "openness": self.per_actor(0, 0.8, holders[path]),
            "salience": self.per_actor(0, 1, holders[path]),
        }

    def _output(self, scenario: dict[str, Any], seats: list[tuple[str]], agenda: list[str]) -> dict[str, Any]:
        rng = self.rng
        output: dict[str, Any] = {"bias": self.sourced(-1, 4), "effects": self._effects([], plain=True)}
        if agenda and self.maybe(0.7):
            output |= {"on": rng.sample(agenda, rng.randint(1, len(agenda))), "within": self.sourced(0.1, 1)}
        if self.maybe(0.6):
            members = [name for (name,) in seats]
            output["vetoes"] = rng.sample(members, rng.randint(0, len(members)))
        options = self._options(scenario, {name for (name,) in seats})
        if options and self.maybe(0.7):
            output["acts"] = rng.sample(options, min(len(options), rng.randint(1, 3)))
        if self.maybe(0.2):
            output["title"] = "a note"
        return output

    def _options(self, scenario: dict[str, Any], doers: set[str]) -> list[dict[str, Any]]:
        """The acts that some actors can do."""
        acts = []
        for name in sorted(scenario["actions"]):
            action = scenario["actions"][name]
            for doer in sorted(doers & set(self._meant(action["by"]))):
                if "toward" not in action:
                    acts.append({"by": doer, "action": name})
                others = sorted(set(self._meant(action.get("toward", []))) - {doer})
                acts += [{"by": doer, "action": name, "target": other} for other in others]
        return acts

    def add_minds(self, scenario: dict[str, Any]) -> None:
        """Depths, positions of the challenge model, and rival policies side by side."""
        rng = self.rng
        if self.maybe():
            scenario.setdefault("model", {})["depth"] = rng.randint(0, 2)
        for actor in scenario["actors"].values():
            if self.maybe(0.3):
                actor["depth"] = rng.randint(0, 2)
            if self.maybe(0.4):
                position = {"of": f"self.{rng.choice(self.own)}"} if self.maybe(0.4) else self.sourced(0, 1)
                actor["challenge"] = {
                    "position": position,
                    "capability": self.sourced(0.1, 1),
                    "salience": self.number(0, 1),
                }
            if "policy" not in actor and self.maybe(0.15):
                actor["policy"] = rng.choice(POLICIES)

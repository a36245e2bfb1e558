"""Generated worlds to measure with: as large as asked for, the same for the same seed, and like the shipped ones.

Every actor can do each of eighteen actions to every other, so that ten actors have 1,620 options a turn and N actors
18 N (N - 1); about a quarter of them wait for a condition. What the numbers are does not matter, only that they are of
the size that `check` expects, that all kinds of effects occur and that something happens every turn.
"""

from __future__ import annotations

import random
from typing import Any

WORLD = ("order", "threat", "trade", "oil", "refugees")
OWN = ("stability", "wealth", "strength", "standing", "reputation")


def generated(actors: int = 10, turns: int = 60, seed: int = 1, minded: int | None = None) -> dict[str, Any]:
    """A world as the data of a scenario file, for `sim.scenario.parse`.

    actors: at least 5. minded: in how many others each has a stake; in all of them if left out.
    """
    rng = random.Random(seed)

    def near(value: float) -> float:
        """The value, or up to a fifth more or less."""
        return round(value * rng.uniform(0.8, 1.2), 4)

    names = [f"actor_{n:03d}" for n in range(actors)]
    return {
        "tightrope": 1,
        "title": f"A generated world of {actors} actors",
        "start": "2030-01",
        "turns": turns,
        "assumption": "generated to measure speed; means nothing",
        "indicators": {
            **{name: {"scope": "world", "start": near(0.5), "pull": 0.08, "noise": 0.01} for name in WORLD},
            **{name: {"scope": "actor", "start": near(0.5), "pull": 0.08} for name in OWN},
            "attention": {"scope": "actor", "range": [0, 4], "start": 2},
            "praise": {"scope": "dyad", "to": "movement", "start": 0, "pull": 0.5},
            "contact": {
                "scope": "dyad",
                "to": "movement",
                "ladder": ["none", "talks", "mission", "dealings", "recognition"],
                "start": "none",
            },
            "regard": {
                "scope": "dyad", "range": [-1, 1], "start": {"default": 0.1, "state.movement": -0.1}, "pull": 0.03,
            },
        },
        "actors": {name: _actor(n, names, rng, near, minded) for n, name in enumerate(names)},
        "assurances": {
            "quiet": {
                "from": "movement", "to": "state", "fade": 0.12, "reliability": 0.6, "kept": 2, "broken": 2,
                "forgetting": 0.08, "signal": 0.6,
            }
        },
        "actions": _actions(near),
        "incidents": {
            "attack": {
                "on": "state", "hazard": 0.02, "plus": [{"of": "threat", "add": 0.2}],
                "times": [{"not": "self.strength"}],
                "belies": [{"promise": "quiet", "by": "movement", "to": "self"}], "visibility": 0.5,
                "effects": [{"of": "self.stability", "add": -0.1}, {"of": "order", "add": -0.02}],
            },
            "surge": {
                "hazard": 0.05, "plus": [{"of": "threat", "add": 0.1}],
                "effects": [{"of": "refugees", "add": 0.1, "times": [{"not": "order"}]}],
            },
        },
        "couplings": {
            "prosperity": {"by": "state", "from": "self.wealth", "around": 0.5, "to": "self.stability", "add": 0.03},
            "commerce": {"by": "state", "from": "trade", "around": 0.5, "to": "self.wealth", "add": 0.02},
            "unrest": {
                "by": "state", "from": "threat", "around": 0.5, "to": "self.stability", "add": -0.02,
                "times": [{"not": "self.strength"}],
            },
            "displacement": {
                "from": "threat", "around": 0.5, "to": "refugees", "add": 0.03, "times": [{"not": "order"}],
            },
            "fame": {
                "by": "movement", "toward": "state", "from": "self.target.promised_quiet", "to": "self.standing",
                "add": round(0.08 / actors, 4),
            },
            "lawless": {"from": "order", "around": 0.5, "to": "threat", "add": -0.03},
        },
        "timeline": [
            {"date": "2030-03", "title": "A shock", "set": {"oil": 0.8}, "add": {"state.attention": -0.5}},
            {"date": "2030-06", "title": "Calm again", "add": {"state.attention": 0.5, "threat": -0.1}},
        ],
        "outcomes": {"unstable": {"min": "state.stability", "over": "number", "at_most": 0.3}},
    }  # fmt: skip


def _actor(n: int, names: list[str], rng: random.Random, near: Any, minded: int | None) -> dict[str, Any]:
    """One actor: every fifth a movement, the others states; eight interests, stakes in all or in the next few."""
    others = names[:n] + names[n + 1 :]
    neighbour, rival = rng.sample(others, 2)
    first, second = rng.sample(WORLD, 2)
    following = [name for name in names[n + 1 :] + names[:n] if name != neighbour]
    wants = {
        "safety": ("self.stability", 1, 0.8),
        "riches": ("self.wealth", 1, 0.6),
        "might": ("self.strength", 0.9, 0.4),
        "name": ("self.reputation", 1, 0.5),
        "world_one": (first, rng.choice([0, 1]), 0.6),
        "world_two": (second, rng.choice([0, 1]), 0.4),
        "neighbour": (f"{neighbour}.stability", 1, 0.3),
        "rival": (f"{rival}.strength", 0, 0.3),
    }
    return {
        "tags": ["movement" if n % 5 == 4 else "state"],
        "rationality": near(175),
        "capabilities": {"finance": near(0.6), "military": near(0.6)},
        "interests": {
            name: {"of": path, "ideal": ideal, "salience": near(salience)}
            for name, (path, ideal, salience) in wants.items()
        },
        "stakes": {
            **({"default": 0.04} if minded is None else dict.fromkeys(following[: minded - 1], 0.04)),
            neighbour: 0.2,
        },
    }


def _actions(near: Any) -> dict[str, Any]:
    """Six words, four ties, four of money, four of force; all by all towards all."""
    word, deed, programme = {"effort": 0.25}, {"effort": 1}, {"effort": 2}

    def action(channel: str, cost: float, effects: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        everybody = {"by": ["state", "movement"], "toward": ["state", "movement"]}
        return {"cameo": "010", "plover": "NONE", "channel": channel, **everybody, "cost": near(cost),
                "effects": effects, **more}  # fmt: skip

    own = "self.reputation"
    return {
        "praise": action("words", 0.002, [
            {"of": "self.target.praise", "to": 1}, {"of": "target.standing", "add": near(0.04)},
            {"of": own, "add": 0.02, "times": [{"not": own}]}], **word),
        "criticise": action("words", 0.002, [
            {"of": "target.reputation", "add": near(-0.05)}, {"of": own, "add": 0.03, "times": [{"not": own}]}],
            **word),
        "appeal": action("words", 0.002, [
            {"of": "order", "add": near(0.02)}, {"of": own, "add": 0.02, "times": ["order"]}], **word),
        "warn": action("words", 0.002, [
            {"of": "target.strength", "add": -0.02, "times": ["self.military"]},
            {"of": "threat", "add": near(-0.01)}], **word),
        "promise": action("words", 0.003, [
            {"of": "self.target.promised_quiet", "to": 1}, {"of": "self.standing", "add": near(0.02)}], **word),
        "deny": action("words", 0.002, [{"of": own, "add": 0.02, "times": [{"not": own}]}], **word,
            needs=[{"of": own, "at_most": 0.5}]),
        "talk": action("ties", 0.008, [
            {"of": "self.target.contact", "raise_to": "talks"}, {"of": "target.standing", "add": near(0.04)},
            {"of": "self.stability", "add": 0.06, "when": {"kept": "quiet"}}], **deed),
        "mission": action("ties", 0.012, [
            {"of": "self.target.contact", "raise_to": "mission"}, {"of": "target.standing", "add": near(0.08)},
            {"of": own, "add": -0.05, "when": {"broken": "quiet"}}], **deed,
            needs=[{"of": "self.wealth", "at_least": 0.3}]),
        "withdraw": action("ties", 0.008, [
            {"of": "self.target.contact", "lower_to": "none"}, {"of": "target.standing", "add": near(-0.06)},
            {"of": own, "add": 0.04}], **deed),
        "treaty": action("ties", 0.016, [
            {"of": "trade", "add": near(0.03)}, {"of": "self.wealth", "add": 0.05, "times": ["target.wealth"]},
            {"of": "target.wealth", "add": 0.05, "times": ["self.wealth"]}], **programme),
        "aid": action("money", 0.012, [
            {"of": "target.wealth", "add": near(0.1), "times": ["self.finance", {"not": "target.wealth"}]},
            {"of": "self.wealth", "add": -0.03}, {"of": own, "add": 0.03}], **deed,
            needs=[{"of": "self.wealth", "at_least": 0.4}], habit=2),
        "invest": action("money", 0.016, [
            {"of": "self.wealth", "add": near(0.12), "after": 3, "times": ["target.stability"]},
            {"of": "target.wealth", "add": near(0.08), "after": 2, "times": ["self.finance"]}], **programme),
        "sanction": action("money", 0.01, [
            {"of": "target.wealth", "add": near(-0.08), "times": ["self.finance"]}, {"of": "trade", "add": -0.02},
            {"of": own, "add": 0.04}], **deed, needs=[{"of": "target.standing", "at_most": 0.6}]),
        "relief": action("money", 0.008, [
            {"of": "refugees", "add": near(-0.05), "times": ["refugees"]},
            {"of": "target.stability", "add": 0.04, "times": [{"not": "target.stability"}]}], **deed),
        "exercise": action("force", 0.008, [
            {"of": "self.strength", "add": 0.05, "times": ["self.military"]}, {"of": "threat", "add": near(0.02)}],
            **deed),
        "strike": action("force", 0.03, [
            {"of": "target.stability", "add": near(-0.15)}, {"of": "target.strength", "add": -0.1},
            {"of": own, "add": -0.06, "attempt": True}, {"of": "order", "add": -0.03, "attempt": True}], **programme,
            chance={"default": 0.7, "times": ["self.military"]}, needs=[{"of": "self.strength", "at_least": 0.4}]),
        "restrain": action("force", 0.008, [
            {"of": "threat", "add": near(-0.05)}, {"of": "self.standing", "add": 0.03}], **deed,
            signals=[{"promise": "quiet", "kept": 0.5}]),
        "arm": action("force", 0.012, [
            {"of": "target.strength", "add": near(0.08), "times": ["self.military"]}, {"of": "order", "add": -0.01}],
            **deed, visibility=0.2, chance=0.9),
    }  # fmt: skip

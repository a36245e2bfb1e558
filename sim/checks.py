"""What a scenario holds, what its actors would do first, and what in it is likely a fault of the world.

Errors of a file are `sim.scenario`'s; this reads what has passed them. Every finding is a `Problem`, placed in the
file, so that it prints as an error does; only a world whose couplings explode is rejected.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import evidence
from sim.arrays import ADD, BEST, FROZEN, LOWER, RAISE, RANDOM, REINFORCEMENT, TO, TREND, Compiled, State
from sim.compile import compile_scenario
from sim.errors import Problem, Problems
from sim.scenario import Action, Effect, Loaded, Not, Scenario, expand, members, read

HORIZON = 12  # turns over which foresight looks, as in rules.HORIZON, which would bring Numba in
SHIFT = 0.3  # of its range: further than this, couplings alone should not hold a stock from its rest
BEST_OPTIONS = 3
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Leading:
    """One of an actor's best options at the start.

    score: lambda x EU. prior: log-odds against `hold` before utility. Their sum is the log-odds of taking the option
    rather than doing nothing.
    """

    actor: str
    action: str
    target: str | None
    utility: float
    score: float
    prior: float

    @property
    def odds(self) -> float:
        """Log-odds of the option against doing nothing."""
        return self.score + self.prior


@dataclass(frozen=True)
class Report:
    """What `check` prints of one file. counts: how many of what. depths: of each actor, how far it thinks of others'
    choices. warnings: likely faults of the world."""

    file: str
    title: str
    counts: dict[str, int]
    depths: dict[str, int]
    leading: list[Leading]
    warnings: list[Problem]

    def as_dict(self) -> dict[str, Any]:
        leading = [vars(option) | {"odds": option.odds} for option in self.leading]
        warnings = [vars_of(problem) for problem in self.warnings]
        return {
            "file": self.file, "title": self.title, "counts": self.counts, "depths": self.depths, "leading": leading,
            "warnings": warnings,
        }  # fmt: skip


def vars_of(problem: Problem) -> dict[str, Any]:
    """A problem's parts."""
    return {name: getattr(problem, name) for name in ("file", "line", "column", "path", "message")}


def check(source: str | Path, sets: Sequence[str] = ()) -> Report:
    """Validate a scenario and say what it holds. Raises Problems with everything that is wrong."""
    return check_loaded(read(source, sets))


def check_loaded(loaded: Loaded) -> Report:
    """The same of a scenario that has been read."""
    scenario = loaded.scenario
    compiled = compile_scenario(scenario)
    couplings = _Couplings(compiled)
    explosive = list(_placed(loaded, couplings.explosive(scenario)))
    if explosive:
        raise Problems(explosive)
    state = _first_turn(compiled)
    found: list[tuple[str, str]] = []
    found += _own_instruments(scenario)
    found += _words_that_add(scenario)
    found += _stocks_without_pull(scenario, compiled)
    found += couplings.overwhelming(scenario, state)
    found += _worth_nothing(scenario, compiled, couplings)
    found += _unwanted_bargains(scenario, compiled, state)
    found += _idle_fora(scenario, compiled)
    found += _unknown_claims(scenario)
    found += _unknown_codes(scenario)
    return Report(
        file=str(loaded.files[0]),
        title=scenario.title,
        counts=_counts(scenario, compiled),
        depths=dict(zip(compiled.actors, compiled.tables.depth.tolist(), strict=True)),
        leading=_leading(compiled, state),
        warnings=list(_placed(loaded, found)),
    )


def _placed(loaded: Loaded, found: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    for path, message in found:
        file, line, column = loaded.place(path)
        yield Problem(file, line, column, path, message)


def _counts(scenario: Scenario, compiled: Compiled) -> dict[str, int]:
    coverage = evidence.sources(scenario).coverage
    return {
        "turns": scenario.turns,
        "actors": len(scenario.actors),
        "indicators": len(scenario.indicators),
        "slots": len(compiled.paths),
        "actions": len(scenario.actions),
        "options": len(compiled.options),
        "bargains": len(scenario.bargains),
        "deals": len(compiled.deals),
        "fora": len(scenario.fora),
        "seats": len(compiled.seats),
        "interests": len(compiled.interests),
        "assurances": len(scenario.assurances),
        "beliefs": len(compiled.beliefs),
        "incidents": len(scenario.incidents),
        "couplings": len(scenario.couplings),
        "injects": len(scenario.timeline),
        "outcomes": len(scenario.outcomes),
        "numbers": coverage["numbers"],
        "sourced": coverage[evidence.SOURCED],
        "assumed": coverage[evidence.ASSUMED],
        "neither": coverage[evidence.NEITHER],
        "ranged": coverage["ranged"],
        evidence.CLAIM_ONLY: coverage[evidence.CLAIM_ONLY],
        evidence.BOTH: coverage[evidence.BOTH],
    }


# -------------------------------------------------------------------------------------------------- the first turn


def _first_turn(compiled: Compiled, seed: int = 1) -> State:
    """The state at the start of turn 1 in run 0."""
    from sim import kernel

    state = kernel.new_state(compiled, [0])
    kernel.begin(compiled.tables, state)
    kernel.open_turn(compiled.tables, state, np.uint64(seed), 1)
    return state


def _leading(compiled: Compiled, state: State) -> list[Leading]:
    """The best options of each actor at the start of turn 1."""
    from sim import kernel

    T = compiled.tables  # noqa: N806
    found = []
    for i, actor in enumerate(compiled.actors):
        if T.policy[i] in (FROZEN, TREND, REINFORCEMENT):  # nothing is worth anything to them, or not yet
            continue
        kernel.appraise(T, state, i)
        first, last = T.option_start[i], T.option_start[i + 1]
        available = state.available[: last - first, 0]
        utility = state.utility[: last - first, 0]
        rationality = {BEST: math.inf, RANDOM: 0.0}.get(int(T.policy[i]), float(T.rationality[i]))
        prior = _priors(compiled, i, available)
        order = sorted(np.flatnonzero(available), key=lambda row: -(prior[row] + T.rationality[i] * utility[row]))
        for row in order[:BEST_OPTIONS]:
            _, action, target = compiled.options[first + row]
            score = rationality * utility[row] if utility[row] else 0.0
            found.append(Leading(actor, action, target, float(utility[row]), float(score), float(prior[row])))
    return found


def _priors(compiled: Compiled, i: int, available: NDArray[np.bool_]) -> Floats:
    """Prior log-odds against `hold` of each option of actor i (odd.md 7.5)."""
    T = compiled.tables  # noqa: N806
    first = T.option_start[i]
    prior = np.full(available.size, -np.inf)
    menu = [(T.menu_first[m] - first, T.menu_end[m] - first) for m in range(T.menu_start[i], T.menu_start[i + 1])]
    open_ = [(begin, end) for begin, end in menu if available[begin:end].any()]
    habit = {begin: float(T.habit[T.option_action[first + begin]]) for begin, _ in open_}
    hold = float(T.hold[0])
    for begin, end in open_:
        count = available[begin:end].sum()
        prior[begin:end] = math.log((1 - hold) / hold * habit[begin] / sum(habit.values()) / count)
    return prior


# ----------------------------------------------------------------------------------------------- faults of the world


def _moves(effect: Effect) -> str:
    return next(kind for kind in ("add", "to", "raise_to", "lower_to") if getattr(effect, kind) is not None)


def _pairs(scenario: Scenario, action: Action) -> list[tuple[str, str | None]]:
    targets: list[str | None] = [None] if action.toward is None else list(members(scenario, action.toward))
    return [(i, j) for i in members(scenario, action.by) for j in targets if i != j]


def _remaining(effect: Effect) -> bool:
    """Whether an effect is multiplied by the distance that remains of the indicator that it moves."""
    return any((factor.not_ if isinstance(factor, Not) else factor) == effect.of for factor in effect.times)


def _unknown_claims(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Claims that there are not, each told once, at the first number that names it."""
    for claim, paths in evidence.sources(scenario).unknown_claims.items():
        named = f"{len(paths)} number{'s name' if len(paths) > 1 else ' names'} it, and none rests on it"
        yield paths[0], f"no claim {claim} in seeds/claims.yaml; {named}"


def _unknown_codes(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """CAMEO codes that neither are listed nor lie below one that is."""
    for word in ("actions", "bargains", "fora", "incidents"):
        for name, block in getattr(scenario, word).items():
            if block.cameo is not None and evidence.code(block.cameo) is None:
                yield f"{word}.{name}.cameo", f'no CAMEO code "{block.cameo}"; the codes stand in seeds/codes.yaml'


def _own_instruments(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Interests in what their owner sets at will: its own rung, posture, statements."""
    for owner, actor in scenario.actors.items():
        wanted = {path: name for name, k in actor.interests.items() for path in expand(k.of, scenario, self_=owner)}
        told = set()
        for name, action in scenario.actions.items():
            if owner not in members(scenario, action.by):
                continue
            for effect in action.effects:
                if effect.of.split(".")[0] != "self" or _moves(effect) == "add":
                    continue
                for i, j in _pairs(scenario, action):
                    for path in expand(effect.of, scenario, i, j) if i == owner else ():
                        if path in wanted and path not in told:
                            told.add(path)
                            yield (
                                f"actors.{owner}.interests.{wanted[path]}",
                                f"wants {path}, which {owner} sets itself by {name}; let what that brings be wanted",
                            )


def _words_that_add(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """Words that step instead of bringing to a level: they are worth as much again when repeated."""
    for name, action in scenario.actions.items():
        stepped = [effect.of for effect in action.effects if effect.add is not None and not _remaining(effect)]
        if action.channel == "words" and stepped:
            yield (
                f"actions.{name}",
                f"words that add to {', '.join(stepped)} are worth as much again when repeated; use `to` on an "
                "indicator that fades, or `times` with what remains of it",
            )


def _stocks_without_pull(scenario: Scenario, compiled: Compiled) -> Iterator[tuple[str, str]]:
    """Indicators that acts, incidents or couplings step, and that nothing brings back."""
    movers: dict[str, str] = {}
    for name, action in scenario.actions.items():
        for effect in action.effects:
            if effect.add is not None and not _remaining(effect):
                movers.setdefault(effect.of.split(".")[-1], f"actions.{name}")
    happenings = [(f"incidents.{name}", incident.effects) for name, incident in scenario.incidents.items()]
    for name, forum in scenario.fora.items():
        happenings += [(f"fora.{name}.outputs.{key}", output.effects) for key, output in forum.outputs.items()]
    for place, effects in happenings:
        for effect in effects:
            if effect.add is not None and not _remaining(effect):
                movers.setdefault(effect.of.split(".")[-1], place)
    for name, coupling in scenario.couplings.items():
        movers.setdefault(coupling.to.split(".")[-1], f"couplings.{name}")
    slots = scenario.slots
    still = {
        slots[path].indicator: slots[path].place
        for s, path in enumerate(compiled.paths)
        if compiled.tables.pull[s] == 0 and slots[path].ladder is None
    }
    for indicator, place in still.items():
        if indicator in movers and not indicator.startswith("credibility_"):
            yield place, f"{movers[indicator]} moves {indicator} and nothing brings it back; give it a pull"


def _unwanted_bargains(scenario: Scenario, compiled: Compiled, state: State) -> Iterator[tuple[str, str]]:
    """Bargains that no pair can make, or by which both sides of every deal that could be made now would lose."""
    from sim import bargains

    T = compiled.tables  # noqa: N806
    worth: dict[str, list[tuple[float, float, str]]] = {}
    for d, (name, i, j) in enumerate(compiled.deals):
        found = worth.setdefault(name, [])
        if bargains.offerable(T, state, d, 0):
            give, ask = T.deal_promise[d], T.deal_promise[d + 1] - 1
            own, other = bargains.to_giver(T, state, give, ask, 0), bargains.to_target(T, state, d, False, 0)
            found.append((own, other, f"{own:+.4f} to {i}, {other:+.4f} to {j}"))
    answered = {name for (name, _, _), other in zip(compiled.deals, T.deal_counter, strict=True) if other >= 0}
    for name, bargain in scenario.bargains.items():
        if name in worth and bargain.counter is not None and name not in answered:
            yield f"bargains.{name}.counter", f"no two who can make {name} can make {bargain.counter} too; leave it out"
        if name not in worth:
            yield f"bargains.{name}", "nobody can offer it: no pair that its conditions and acts could hold for"
        elif worth[name] and all(own < 0 and other < 0 for own, other, _ in worth[name]):
            best = max(worth[name])[2]
            yield (
                f"bargains.{name}",
                f"both sides would lose by it at the start (at best worth {best}); ask or give what is wanted more",
            )


def _idle_fora(scenario: Scenario, compiled: Compiled) -> Iterator[tuple[str, str]]:
    """Fora that never meet, items that nobody's position is moved by, and outputs that cannot follow."""
    options = set(compiled.options)
    convened = {action for _, action, _ in compiled.options}
    owners: dict[tuple[str, str], int] = {}
    for forum, item, _ in compiled.places:
        owners[forum, item] = owners.get((forum, item), 0) + 1
    for name, forum_ in scenario.fora.items():
        place = f"fora.{name}"
        if not (forum_.dates or forum_.every or name in convened):
            yield place, "never meets: it has no date, and no convener for whom its conditions could hold"
        for key in forum_.agenda:
            if owners.get((name, key), 0) < 2:
                yield f"{place}.agenda.{key}", "one member alone has this position, and nobody to move it by"
        for key, output in forum_.outputs.items():
            if output.on and output.within.value == 0:
                yield f"{place}.outputs.{key}.within", "a spread is never below 0, so it can never follow; widen it"
            for n, act in enumerate(output.acts):
                if (act.by, act.action, act.target) not in options:
                    yield f"{place}.outputs.{key}.acts[{n}]", "never done: its conditions could not hold for them"


class _Couplings:
    """The couplings and pulls of a world as a linear map, with multipliers at their bounds."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        T = compiled.tables  # noqa: N806
        self.moved, self.source, self.add = T.coupling_to, T.coupling_from, T.coupling_add
        self.varies = np.diff(T.coupling_factor_start) > 0
        self.stays = 1.0 - T.pull

    def radius(self, varying: float) -> float:
        """Spectral radius of C with every product of multipliers at this bound, 0 or 1."""
        loops = sorted(set(self.moved.tolist()) & set(self.source.tolist()))
        at = {s: n for n, s in enumerate(loops)}
        matrix = np.diag(self.stays[loops]) if loops else np.zeros((0, 0))
        for source, moved, add, varies in zip(self.source, self.moved, self.add, self.varies, strict=True):
            if source in at and moved in at:
                matrix[at[moved], at[source]] += add * (varying if varies else 1.0)
        within = float(np.abs(np.linalg.eigvals(matrix)).max()) if loops else 0.0
        return max(within, float(self.stays.max(initial=0.0)))

    def explosive(self, scenario: Scenario) -> Iterator[tuple[str, str]]:
        """Actors whose foresight does not converge: gamma x rho(C) >= 1."""
        radius = max(self.radius(0.0), self.radius(1.0))
        told = set()
        for i, actor in enumerate(self.compiled.actors):
            gamma = float(self.compiled.tables.foresight[i])
            path = f"actors.{actor}.foresight" if scenario.actors[actor].foresight else "model.foresight"
            if gamma * radius >= 1.0 and path not in told:
                told.add(path)
                yield (
                    path,
                    f"{gamma:g} times {radius:.3g}, the growth of the couplings a turn, is 1 or more: what follows "
                    "from an act has no end; lower the couplings or the foresight, or raise the pulls",
                )

    def overwhelming(self, scenario: Scenario, state: State) -> Iterator[tuple[str, str]]:
        """Stocks that the couplings alone, as they stand at the start, would hold far from their rest."""
        T = self.compiled.tables  # noqa: N806
        force = np.zeros(T.low.size)
        np.add.at(force, self.moved, state.coefficient[:, 0] * (state.x[self.source, 0] - T.coupling_around))
        width = T.high - T.low
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.where(T.pull > 0, force / T.pull / width, 0.0)
        worst: dict[str, tuple[float, str]] = {}
        for s, path in enumerate(self.compiled.paths):
            place = scenario.slots[path].place
            if abs(shift[s]) > max(SHIFT, abs(worst.get(place, (0.0, ""))[0])):
                worst[place] = float(shift[s]), path
        for place, (distance, path) in worst.items():
            yield (
                place,
                f"couplings alone would hold {path} {abs(distance):.2f} of its range "
                f"{'above' if distance > 0 else 'below'} its rest; lower them or raise the pull",
            )

    def reach(self, foresight: float, wanted: Sequence[int]) -> tuple[Floats, Floats]:
        """(K, S) the most that a unit step up of slot s can raise, and lower, each wanted slot, with foresight."""
        size = len(self.compiled.paths)
        up, down = np.zeros((len(wanted), size)), np.zeros((len(wanted), size))
        up[np.arange(len(wanted)), wanted] = 1.0
        most_up, most_down = np.zeros_like(up), np.zeros_like(up)
        weight = 1.0 - foresight
        for n in range(HORIZON + 1):
            share = foresight**HORIZON if n == HORIZON else weight
            most_up += share * up
            most_down += share * down
            weight *= foresight
            next_up, next_down = up * self.stays, down * self.stays
            for source, moved, add in zip(self.source, self.moved, self.add, strict=True):
                same, other = (up, down) if add > 0 else (down, up)
                next_up[:, source] += abs(add) * same[:, moved]
                next_down[:, source] += abs(add) * other[:, moved]
            up, down = next_up, next_down
        return most_up, most_down


def _worth_nothing(scenario: Scenario, compiled: Compiled, couplings: _Couplings) -> Iterator[tuple[str, str]]:
    """Actions that nobody promises and that are worth their cost to nobody, even in the state that suits them best."""
    worth = dict.fromkeys(scenario.actions, -math.inf)
    returned = {deed.action for bargain in scenario.bargains.values() for deed in (bargain.give, bargain.ask)}
    bounds: dict[float, tuple[Floats, Floats]] = {}
    T = compiled.tables  # noqa: N806
    for o, (_, action, _) in enumerate(compiled.options):
        if worth.get(action, 1.0) > 0:
            continue
        i = T.option_actor[o]
        if T.depth[i] > 0 and T.word_start[o] < T.word_start[o + 1]:  # what others do for a word has no such bound
            worth[action] = math.inf
            continue
        gamma = float(T.foresight[i])
        if gamma not in bounds:
            bounds[gamma] = couplings.reach(gamma, T.rank_slot.tolist())
        worth[action] = max(worth[action], _most(compiled, o, bounds[gamma]))
    for name, most in worth.items():
        if most == -math.inf:
            yield f"actions.{name}", "nobody can do it: no actor and target that its conditions could hold for"
        elif most <= 0 and name not in returned:
            yield (
                f"actions.{name}",
                "worth its cost to nobody in any state: it moves nothing that those who can do it want, "
                "or too little; couple it to a want, or remove it",
            )


def _most(compiled: Compiled, o: int, reach: tuple[Floats, Floats]) -> float:
    """No less than the EU of an option in any state: every indicator where its effects gain most."""
    T = compiled.tables  # noqa: N806
    i, a, at = int(T.option_actor[o]), int(T.option_action[o]), int(T.option_at[o])
    rise, fall = np.zeros(T.rank_slot.size), np.zeros(T.rank_slot.size)
    for e in range(T.effect_start[a], T.effect_start[a + 1]):
        s = int(T.reference[at + T.effect_at[e]])
        if s < 0:
            continue
        up, down = _steps(compiled, e, s)
        rise += reach[0][:, s] * up + reach[1][:, s] * down
        fall += reach[0][:, s] * down + reach[1][:, s] * up
    gain = _best_gain(compiled, i, rise, fall, 1.0)
    for p in range(T.mind_start[i], T.mind_start[i + 1]):
        regard, stake = int(T.mind_slot[p]), float(T.stake[p])
        low, high = float(T.low[regard]), float(T.high[regard])
        minded = int(T.mind_actor[p])
        if high > 0:
            gain += stake * high * _best_gain(compiled, minded, rise, fall, 1.0)
        if low < 0:
            gain += stake * -low * _best_gain(compiled, minded, rise, fall, -1.0)
    cost = float(T.cost[a, i])
    return gain - (0.0 if T.cost_factors[a] and cost > 0 else cost)


def _steps(compiled: Compiled, e: int, s: int) -> tuple[float, float]:
    """How far effect e can move slot s up and down at most."""
    T = compiled.tables  # noqa: N806
    low, high, value, kind = float(T.low[s]), float(T.high[s]), float(T.effect_value[e]), int(T.effect_kind[e])
    if kind == ADD:
        return min(max(value, 0.0), high - low), min(max(-value, 0.0), high - low)
    if kind == RAISE:
        return max(value - low, 0.0), 0.0
    if kind == LOWER:
        return 0.0, max(high - value, 0.0)
    assert kind == TO
    return max(value - low, 0.0), max(high - (low if T.effect_factors[e] else value), 0.0)


def _best_gain(compiled: Compiled, o: int, rise: Floats, fall: Floats, sign: float) -> float:
    """The most that o's utility can gain (sign 1) or lose (-1) when its wanted slots rise and fall by so much."""
    T = compiled.tables  # noqa: N806
    total = 0.0
    for h in range(T.interest_start[o], T.interest_start[o + 1]):
        s, k = int(T.interest_slot[h]), int(T.interest_rank[h])
        low, high = float(T.low[s]), float(T.high[s])
        ideals = [low, high] if T.ideal_slot[h] >= 0 else [float(T.ideal[h])]
        best = 0.0
        for ideal in ideals:
            for start, end in ((low, min(low + rise[k], high)), (high, max(high - fall[k], low))):
                near = min(max(ideal, min(start, end)), max(start, end))
                if sign > 0:
                    before, after = abs(start - ideal), abs(near - ideal)
                else:
                    away = (high, max(high - rise[k], ideal)) if end >= start else (low, min(low + fall[k], ideal))
                    before, after = abs(away[0] - ideal), abs(away[1] - ideal)
                risk, width = float(T.risk[o]), high - low
                best = max(best, (before / width) ** risk - (after / width) ** risk)
        total += float(T.salience[h]) * best
    return total

"""Names become indices: a checked scenario becomes tables. The only place that knows both.

Everything is taken in the order of names, so that the order of a file changes no bit of a result. Each number of the
scenario is put into its cells under its path, so that `Compiled.patched` can change it without compiling anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

import numpy as np

from sim import evidence, rules
from sim.arrays import ADD, ALWAYS, BROKEN, KEPT, LOWER, MEMORY, POLICIES, RAISE, TO, TREND, Compiled, Tables
from sim.draws import name_key
from sim.scenario import (
    Deed,
    Effect,
    Need,
    Not,
    PerName,
    Position,
    Quantity,
    Scaled,
    Scenario,
    Signal,
    Slot,
    expand,
    members,
    pick,
    rung_value,
    slots,
    turn_dates,
    turn_of,
)

NOTHING = Quantity(value=0.0)
ALL = Quantity(value=1.0)
Named = tuple[PerName, str]  # numbers by name, and where they stand in the file
Placed = tuple[Quantity, str]
KINDS = {"add": ADD, "to": TO, "raise_to": RAISE, "lower_to": LOWER}


def compile_scenario(scenario: Scenario) -> Compiled:
    """Tables of a scenario that `sim.scenario` has read and checked."""
    return _Compiler(scenario).compiled()


@dataclass(frozen=True)
class _Kind:
    """What all options of an action, of a bargain, of a forum's convening or of its output have in common.

    Numbers that a kind does not state (None) are 1; its cost 0.
    """

    place: str
    channel: str = ""
    codes: tuple[str, str] = ("", "")
    by: Sequence[str] | None = None  # an output is nobody's
    toward: Sequence[str] | None = None
    effort: Quantity | None = None
    habit: Quantity | None = None
    visibility: Quantity | None = None
    needs: Sequence[Need] = ()
    chance: Scaled | None = None
    cost: Scaled | None = None
    effects: Sequence[Effect] = ()
    signals: Sequence[Signal] = ()


def _kinds(scenario: Scenario) -> dict[str, _Kind]:
    """What can be chosen, by name, sorted: actions, offers and convenings."""
    found = {}
    for name, action in scenario.actions.items():
        found[name] = _Kind(
            f"actions.{name}", action.channel, (action.cameo, action.plover), action.by, action.toward, action.effort,
            action.habit, action.visibility, action.needs, action.chance, action.cost, action.effects, action.signals,
        )  # fmt: skip
    for name, bargain in scenario.bargains.items():
        found[name] = _Kind(
            f"bargains.{name}", bargain.channel, (bargain.cameo, bargain.plover), bargain.by, bargain.toward,
            bargain.effort, bargain.habit, bargain.visibility, bargain.needs,
        )  # fmt: skip
    for name, forum in scenario.fora.items():
        found[name] = _Kind(
            f"fora.{name}", forum.channel, (forum.cameo, forum.plover), forum.convener, None,
            forum.effort, forum.habit, needs=forum.needs, cost=forum.cost,
        )  # fmt: skip
    return dict(sorted(found.items()))


def _starts(rows: Iterable[Sequence]) -> list[int]:
    """Where each row of a ragged table begins, and where the last ends."""
    return [0, *accumulate(len(row) for row in rows)]


class _Compiler:
    """One compilation: the scenario's names, and the columns of the tables as they fill."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.slot: dict[str, Slot] = slots(scenario)
        self.index = {path: s for s, path in enumerate(self.slot)}
        self.actors = sorted(scenario.actors)
        self.actor = {name: i for i, name in enumerate(self.actors)}
        self.capabilities = [(i, name) for i in self.actors for name in sorted(_extra(scenario.actors[i].capabilities))]
        self.source = dict(self.index) | {
            f"{owner}.{name}": len(self.index) + c for c, (owner, name) in enumerate(self.capabilities)
        }
        self.kinds = _kinds(scenario)
        self.outputs = [(f, u) for f in sorted(scenario.fora) for u in sorted(scenario.fora[f].outputs)]
        self.columns: dict[str, list] = defaultdict(list)
        self.owners: dict[str, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
        self.space: dict[str, int] = {}

    # -- putting numbers into cells

    def put(self, column: str, value: float, *paths: str) -> None:
        """Append a number and remember which paths of the scenario own its cell."""
        for path in filter(None, paths):
            self.owners[path].append((column, (len(self.columns[column]),)))
        self.columns[column].append(value)

    def number(self, column: str, quantity: Quantity, path: str, slot: Slot | None = None) -> None:
        self.put(column, rung_value(quantity, slot) if slot else float(quantity.value), path)

    def named(
        self, column: str, numbers: PerName, path: str, first: str | None, second: str | None = None,
        slot: Slot | None = None,
    ) -> None:  # fmt: skip
        """Append the number that holds for an actor or pair."""
        found = pick(numbers, self.scenario, first, second)
        if found is None:
            raise KeyError(f"{path}: nothing for {first}.{second}")
        key, quantity = found
        self.number(column, quantity, path if key == "default" else f"{path}.{key}", slot)

    def factors(self, times: Sequence, self_: str | None = None, target: str | None = None) -> list[int]:
        """References of factors: 2 x source + 1 for `not`."""
        codes = []
        for item in times:
            path, negated = (item.not_, 1) if isinstance(item, Not) else (item, 0)
            codes.append(2 * self.source_of(path, self_, target) + negated)
        return codes

    def source_of(self, path: str, self_: str | None = None, target: str | None = None) -> int:
        names = {"self": self_, "target": target}
        return self.source[".".join(names.get(part) or part for part in path.split("."))]

    # -- the parts, in an order in which each finds what it needs

    def compiled(self) -> Compiled:
        self._slots()
        self._actors()
        self._interests()
        self._beliefs()
        self._couplings()
        self._templates()
        options = self._options()
        self._promises_tested(options)
        self._deals()
        self._fora()
        self._valuations()
        self._incidents()
        self._timeline()
        self._foresight()
        scenario = self.scenario
        codes = [kind.codes for kind in self.kinds.values()]
        record = partial(
            evidence.past_acts, options + [None] * len(self.outputs), dict(zip(self.kinds, codes, strict=True)),
            scenario.start, scenario.turn, MEMORY[scenario.turn],
        )  # fmt: skip
        trends = TREND in self.columns["policy"]
        past = record() if trends else np.zeros((MEMORY[scenario.turn], len(self.columns["option_at"])))
        self.columns["past"] = past  # type: ignore[assignment]
        return Compiled(
            tables=self._tables(),
            paths=list(self.slot),
            ladders={s: slot.ladder for s, slot in enumerate(self.slot.values()) if slot.ladder},
            capabilities=self.capabilities,
            actors=self.actors,
            actions=list(self.kinds),
            options=options,
            interests=[(o, name) for o in self.actors for name in sorted(scenario.actors[o].interests)],
            beliefs=self.beliefs,
            incidents=self.incidents,
            dates=turn_dates(scenario),
            codes=codes,
            deals=self.deals,
            promises=self.promises,
            fora=sorted(scenario.fora),
            seats=self.seats,
            places=self.places,
            outputs=self.outputs,
            vetoes=self.vetoes,
            owners=dict(self.owners),
            space=self.space,
            record=record,
        )

    def _slots(self) -> None:
        columns = self.columns
        for s, (path, slot) in enumerate(self.slot.items()):
            columns["low"].append(slot.lo)
            columns["high"].append(slot.hi)
            columns["slot_key"].append(name_key(path))
            starts, rests, pull, noise = self._declared(slot)
            if path in self.scenario.set:
                self.number("start", self.scenario.set[path], f"set.{path}", slot)
            else:
                self.named("start", *starts, slot.first, slot.second, slot)
            self.named("rest", *(rests or starts), slot.first, slot.second, slot)
            self.number("pull", *(pull or (NOTHING, "")))
            self.number("noise", *(noise or (NOTHING, "")))
            if pull or noise:
                columns["moving"].append(s)
        for owner, name in self.capabilities:
            quantity = _extra(self.scenario.actors[owner].capabilities)[name]
            self.number("capability", quantity, f"actors.{owner}.capabilities.{name}")

    def _declared(self, slot: Slot) -> tuple[Named, Named | None, Placed | None, Placed | None]:
        """Starting values, resting levels, pull and noise of a slot, each with its place in the file."""
        place, name = slot.place, slot.place.split(".")[1]
        if place.startswith("indicators."):
            of = self.scenario.indicators[name]
            rests, pull, noise = of.rest, of.pull, of.noise
            return (
                (of.start, f"{place}.start"),
                (rests, f"{place}.rest") if rests else None,
                (pull, f"{place}.pull") if pull else None,
                (noise, f"{place}.noise") if noise else None,
            )
        q = self.scenario.assurances[name]
        if slot.indicator == f"promised_{name}":
            return (q.promised, f"{place}.promised"), (PerName(default=NOTHING), ""), (q.fade, f"{place}.fade"), None
        if slot.indicator == f"reliability_{name}":
            rests, pull = q.rest, q.pull
            return (
                (q.reliability, f"{place}.reliability"),
                (rests, f"{place}.rest") if rests else None,
                (pull, f"{place}.pull") if pull else None,
                None,
            )
        return (PerName(default=NOTHING), ""), None, None, None  # credibility: set by belief

    def _actors(self) -> None:
        scenario, columns, model = self.scenario, self.columns, self.scenario.model
        self.number("hold", model.hold, "model.hold")
        self.stakes: dict[str, list[str]] = {}
        for i in self.actors:
            actor = scenario.actors[i]
            for column in ("rationality", "foresight", "risk", "responsiveness"):
                own = getattr(actor, column)
                self.number(column, own or getattr(model, column), f"actors.{i}.{column}" if own else f"model.{column}")
            columns["policy"].append(POLICIES[actor.policy or scenario.policy])
            columns["depth"].append(int((actor.depth or model.depth).value))
            self._contest(i)
            columns["attention"].append(self.index.get(f"{i}.attention", -1))
            columns["hold_key"].append(name_key(f"{i}||"))
            minded = []
            for o in self.actors:
                regard = self.index.get(f"{i}.{o}.regard")
                if regard is not None and actor.stakes is not None and pick(actor.stakes, scenario, o) is not None:
                    minded.append(o)
                    self.named("stake", actor.stakes, f"actors.{i}.stakes", o)
                    columns["mind_actor"].append(self.actor[o])
                    columns["mind_slot"].append(regard)
            self.stakes[i] = minded
            seen = [o for o in self.actors if f"{o}.{i}.regard" in self.index]
            columns["seen_actor"] += [self.actor[o] for o in seen]
            columns["seen_slot"] += [self.index[f"{o}.{i}.regard"] for o in seen]
            columns["seen_start"].append(len(seen))
        columns["mind_start"] = _starts(self.stakes[i] for i in self.actors)
        columns["seen_start"] = [0, *accumulate(columns["seen_start"])]

    def _contest(self, i: str) -> None:
        """What an actor brings to the challenge model."""
        declared, place, columns = self.scenario.actors[i].challenge, f"actors.{i}.challenge", self.columns
        columns["contests"].append(declared is not None)
        slot = -1
        if declared is None:
            for column in ("contested", "clout", "resolve"):
                self.put(column, 0.0)
        else:
            if isinstance(declared.position, Position):
                (path,) = expand(declared.position.of, self.scenario, self_=i)
                slot = self.index[path]
                self.put("contested", 0.0)
            else:
                self.number("contested", declared.position, f"{place}.position")
            self.number("clout", declared.capability, f"{place}.capability")
            self.number("resolve", declared.salience, f"{place}.salience")
        columns["contested_slot"].append(slot)

    def _interests(self) -> None:
        scenario, columns = self.scenario, self.columns
        wanted = []
        for o in self.actors:
            for name, interest in sorted(scenario.actors[o].interests.items()):
                (path,) = expand(interest.of, scenario, self_=o)
                place = f"actors.{o}.interests.{name}"
                columns["interest_slot"].append(self.index[path])
                wanted.append((o, self.index[path]))
                if isinstance(interest.ideal, Position):
                    (position,) = expand(interest.ideal.of, scenario, self_=o)
                    columns["ideal_slot"].append(self.index[position])
                    self.put("ideal", 0.0)
                else:
                    columns["ideal_slot"].append(-1)
                    self.number("ideal", interest.ideal, f"{place}.ideal", self.slot[path])
                self.number("salience", interest.salience, f"{place}.salience")
        columns["interest_start"] = _starts(list(scenario.actors[o].interests) for o in self.actors)
        ranks = {s: k for k, s in enumerate(sorted({s for _, s in wanted}))}
        columns["rank_slot"] = list(ranks)
        columns["slot_rank"] = [ranks.get(s, -1) for s in range(len(self.slot))]
        columns["interest_rank"] = [ranks[s] for _, s in wanted]
        holders: dict[int, list[int]] = {k: [] for k in ranks.values()}
        for h, (_, s) in enumerate(wanted):
            holders[ranks[s]].append(h)
        columns["holder_start"] = _starts(holders.values())
        columns["holder_interest"] = [h for row in holders.values() for h in row]
        columns["holder_owner"] = [self.actor[wanted[h][0]] for h in columns["holder_interest"]]
        rows = []
        for i in self.actors:
            minded = {i, *self.stakes[i]}
            rows.append(sorted({ranks[s] for o, s in wanted if o in minded}))
        columns["cares_start"] = _starts(rows)
        columns["cares_rank"] = [k for row in rows for k in row]
        self.cares = np.zeros((len(self.actors), len(ranks)), dtype=np.bool_)
        for n, row in enumerate(rows):
            self.cares[n, row] = True

    def _beliefs(self) -> None:
        scenario, columns = self.scenario, self.columns
        self.beliefs: list[tuple[str, str, str]] = []
        for q in sorted(scenario.assurances):
            assurance = scenario.assurances[q]
            for receiver in members(scenario, assurance.to):
                for giver in members(scenario, assurance.from_):
                    if giver == receiver:
                        continue
                    self.beliefs.append((receiver, giver, q))
                    place = f"assurances.{q}"
                    columns["promised"].append(self.index[f"{giver}.{receiver}.promised_{q}"])
                    columns["reliability"].append(self.index[f"{giver}.{receiver}.reliability_{q}"])
                    columns["credibility"].append(self.index[f"{receiver}.{giver}.credibility_{q}"])
                    self.named("prior_kept", assurance.kept, f"{place}.kept", receiver, giver)
                    self.named("prior_broken", assurance.broken, f"{place}.broken", receiver, giver)
                    self.number("forgetting", assurance.forgetting, f"{place}.forgetting")
                    self.number("belief_signal", assurance.signal, f"{place}.signal")
                    columns["belief_key"].append(name_key(f"{giver}|{receiver}|{q}"))
        self.belief: dict[tuple[str | None, str | None, str | None], int] = {}
        self.belief |= {name: b for b, name in enumerate(self.beliefs)}
        columns["belief_of"] = [-1] * len(self.slot)
        for b, s in enumerate(columns["promised"]):
            columns["belief_of"][s] = b
        others = [
            [b for b, (r, g, kind) in enumerate(self.beliefs) if (g, kind) == (giver, q) and r != receiver]
            for receiver, giver, q in self.beliefs
        ]
        columns["other_start"] = _starts(others)
        columns["other_belief"] = [b for row in others for b in row]

    def _couplings(self) -> None:
        scenario = self.scenario
        rows = []
        for name, coupling in scenario.couplings.items():
            place = f"couplings.{name}"
            pairs: list[tuple[str | None, str | None]] = [(None, None)]
            if coupling.by is not None:
                others = [None] if coupling.toward is None else members(scenario, coupling.toward)
                pairs = [(i, j) for i in members(scenario, coupling.by) for j in others if i != j]
            for i, j in pairs:
                for from_ in expand(coupling.from_, scenario, i, j):
                    for to in expand(coupling.to, scenario, i, j):
                        codes = self.factors(coupling.times, i, j)
                        rows.append((self.index[to], self.index[from_], codes, coupling, place))
        # The file's order must not show: by what is moved, by what moves it, then by the coupling's name.
        rows.sort(key=lambda row: (row[0], row[1], row[4]))
        for moved, source, _, coupling, place in rows:
            self.columns["coupling_to"].append(moved)
            self.columns["coupling_from"].append(source)
            self.number("coupling_add", coupling.add, f"{place}.add")
            self.number("coupling_around", coupling.around, f"{place}.around")
        self.columns["coupling_factor_start"] = _starts(codes for _, _, codes, _, _ in rows)
        self.columns["coupling_factor"] = [code for _, _, codes, _, _ in rows for code in codes]
        self.columns["moving"] = sorted({*self.columns["moving"], *self.columns["coupling_to"]})
        self.coupling_rows = [(moved, source, codes) for moved, source, codes, _, _ in rows]

    def _templates(self) -> None:
        """What all options of a kind share. Their references are laid out by the offsets set here.

        The outputs of fora stand behind what can be chosen: they have effects as actions have.
        """
        scenario, columns = self.scenario, self.columns
        channels = {name: c for c, name in enumerate(sorted({kind.channel for kind in self.kinds.values()}))}
        self.effects: dict[str, list[tuple[str, Effect, int]]] = {}  # kind's place -> (place, effect, copies)
        self.signals: dict[str, list[tuple[int, bool, Signal]]] = {}
        outputs = [_Kind(f"fora.{f}.outputs.{u}", effects=scenario.fora[f].outputs[u].effects) for f, u in self.outputs]
        self.templates = [*self.kinds.values(), *outputs]
        for kind in self.templates:
            place = kind.place
            needs_before = len(columns["need_value"])
            columns["channel"].append(channels.get(kind.channel, -1))
            for word in ("visibility", "habit", "effort"):
                quantity = getattr(kind, word)
                self.number(word, quantity or ALL, f"{place}.{word}" if quantity else "")
            for n, need in enumerate(kind.needs):
                for word in ("at_least", "at_most"):
                    bound = getattr(need, word)
                    if bound is not None:
                        columns["need_least"].append(word == "at_least")
                        self.number("need_value", bound, f"{place}.needs[{n}].{word}", self._any_slot(need.of, kind))
            columns["need_start"].append(len(columns["need_value"]))
            at = len(columns["need_value"]) - needs_before
            for part in ("chance", "cost"):
                scaled = getattr(kind, part)
                count = len(scaled.times) if scaled else 0
                columns[f"{part}_at"].append(at)
                columns[f"{part}_factors"].append(count)
                at += count
            effects = []
            for e, effect in enumerate(kind.effects):
                copies = max((len(expand(effect.of, scenario, i, j)) for i, j in self._parties(kind)), default=0)
                effects.append((f"{place}.effects[{e}]", effect, copies))
                moves, quantity = _moves(effect)
                for _ in range(copies):
                    columns["effect_kind"].append(KINDS[moves])
                    self.number(
                        "effect_value", quantity, f"{place}.effects[{e}].{moves}", self._any_slot(effect.of, kind)
                    )
                    columns["effect_attempt"].append(int(effect.attempt))
                    when = effect.when
                    columns["effect_when"].append(ALWAYS if when is None else KEPT if when.kept else BROKEN)
                    columns["effect_after"].append(effect.after)
                    columns["effect_at"].append(at)
                    columns["effect_factors"].append(len(effect.times))
                    at += 2 + len(effect.times)
            self.effects[place] = effects
            columns["attempts"].append(any(effect.attempt for effect in kind.effects))
            columns["effect_start"].append(len(columns["effect_kind"]))
            signals = []
            for n, signal in enumerate(kind.signals):
                for word in ("kept", "broken"):
                    weight = getattr(signal, word)
                    if weight is not None:
                        signals.append((len(columns["signal_weight"]), word == "kept", signal))
                        self.number("signal_weight", weight, f"{place}.signals[{n}].{word}")
            self.signals[place] = signals
        columns["need_start"] = [0, *columns["need_start"]]
        columns["effect_start"] = [0, *columns["effect_start"]]
        self.space["delay"] = max(
            [effect.after for rows in self.effects.values() for _, effect, _ in rows]
            + [effect.after for incident in scenario.incidents.values() for effect in incident.effects],
            default=0,
        )
        # (A, N) tables of chance and cost; 0 where the actor cannot do it
        for part in ("chance", "cost"):
            table = np.zeros((len(self.templates), len(self.actors)))
            for a, kind in enumerate(self.kinds.values()):
                for i in dict.fromkeys(i for i, _ in self._pairs(kind)):
                    scaled = getattr(kind, part)
                    if scaled is None:
                        table[a, self.actor[i]] = 1.0 if part == "chance" else 0.0
                        continue
                    found = pick(scaled, scenario, i)
                    assert found is not None
                    key, quantity = found
                    table[a, self.actor[i]] = float(quantity.value)
                    path = f"{kind.place}.{part}" + ("" if key == "default" else f".{key}")
                    self.owners[path].append((part, (a, self.actor[i])))
            self.columns[part] = table  # type: ignore[assignment]

    def _parties(self, kind: _Kind) -> list[tuple[str | None, str | None]]:
        """Whom `self` and `target` stand for; nobody in an output."""
        return [(None, None)] if kind.by is None else [(i, j) for i, j in self._pairs(kind)]

    def _pairs(self, kind: _Kind) -> list[tuple[str, str | None]]:
        """Who can do it to whom, conditions aside, in order."""
        scenario = self.scenario
        targets: list[str | None] = [None] if kind.toward is None else list(members(scenario, kind.toward))
        return [(i, j) for i in members(scenario, kind.by) for j in targets if i != j]

    def _any_slot(self, path: str, kind: _Kind) -> Slot | None:
        """A slot that the path stands for with some pair (all share range and ladder)."""
        for i, j in self._parties(kind):
            for found in expand(path, self.scenario, i, j):
                return self.slot[found]
        return None

    def _able(self) -> dict[str, list[tuple[str, list[str | None]]]]:
        """What each actor can choose: kinds by name, with their targets. An offer needs both its acts."""
        scenario = self.scenario
        forced = {(e.act.by, e.act.action, e.act.target) for e in scenario.timeline if e.act is not None}
        possible = {
            (i, name, j)
            for name, kind in self.kinds.items()
            for i, j in self._pairs(kind)
            if all(expand(need.of, scenario, i, j) for need in kind.needs) or (i, name, j) in forced
        }
        self.deals = sorted(
            (name, i, j)
            for name, bargain in scenario.bargains.items()
            for i, j in self._pairs(self.kinds[name])
            if j is not None
            and (i, name, j) in possible
            and self._deed(bargain.give, i, j) in possible
            and self._deed(bargain.ask, j, i) in possible
        )
        able: dict[str, list[tuple[str, list[str | None]]]] = {i: [] for i in self.actors}
        offered = {(i, name, j) for name, i, j in self.deals}
        for name, kind in self.kinds.items():
            by_actor: dict[str, list[str | None]] = {}
            for i, j in self._pairs(kind):
                if (i, name, j) in (offered if name in scenario.bargains else possible):
                    by_actor.setdefault(i, []).append(j)
            for i, targets in by_actor.items():
                able[i].append((name, targets))
        return able

    def _deed(self, deed: Deed, giver: str, other: str) -> tuple[str, str, str | None]:
        """The option that a side of a bargain promises."""
        aims = self.scenario.actions[deed.action].toward is not None
        return giver, deed.action, (deed.toward or other) if aims else None

    def _options(self) -> list[tuple[str, str, str | None]]:
        columns = self.columns
        options: list[tuple[str, str, str | None]] = []
        order = {name: a for a, name in enumerate(self.kinds)}
        able = self._able()
        signal_rows = []
        widest_menu = 0
        acts = 0
        for i in self.actors:
            first = len(options)
            for name, targets in able[i]:
                kind = self.kinds[name]
                columns["menu_first"].append(len(options))
                weight = evidence.code(kind.codes[0])
                for j in targets:
                    options.append((i, name, j))
                    columns["option_actor"].append(self.actor[i])
                    columns["option_action"].append(order[name])
                    columns["option_target"].append(-1 if j is None else self.actor[j])
                    columns["option_key"].append(name_key(f"{i}|{name}|{j or ''}"))
                    columns["option_at"].append(len(columns["reference"]))
                    columns["reference"] += self._references(kind, i, j)
                    columns["tenor"].append((weight.goldstein or 0.0) / 10 if weight else 0.0)
                    signal_rows.append(self._signal_rows(kind, i, j))
                columns["menu_end"].append(len(options))
            columns["option_start"].append(first)
            columns["menu_start"].append(len(able[i]))
            widest_menu = max(widest_menu, len(options) - first)
            acts += len({(self.kinds[a].channel, j) for _, a, j in options[first:]})
        self.option: dict[tuple, int] = {name: o for o, name in enumerate(options)}
        for n, (f, u) in enumerate(self.outputs):
            self.option[f, u] = len(self.option)
            columns["option_actor"].append(-1)
            columns["option_action"].append(len(self.kinds) + n)
            columns["option_target"].append(-1)
            columns["option_key"].append(0)
            columns["option_at"].append(len(columns["reference"]))
            columns["reference"] += self._references(self.templates[len(self.kinds) + n], None, None)
            columns["tenor"].append(0.0)
            signal_rows.append([])
        columns["option_start"].append(len(options))
        columns["menu_start"] = [0, *accumulate(columns["menu_start"])]
        columns["option_signal_start"] = _starts(signal_rows)
        for row in signal_rows:
            for belief, full, kept, number in row:
                columns["signal_belief"].append(belief)
                columns["signal_full"].append(full)
                columns["signal_kept"].append(kept)
                columns["signal_number"].append(number)
        columns["stirred"] = sorted(
            {
                columns["reference"][at + columns["effect_at"][e]]
                for at, a in zip(columns["option_at"][: len(options)], columns["option_action"], strict=False)
                for e in range(columns["effect_start"][a], columns["effect_start"][a + 1])
            }
            - {-1}
        )
        self.space["options"] = max(widest_menu, 1)
        self.space["acts"] = max(acts + len(self.scenario.timeline), 1)
        return options

    def _references(self, kind: _Kind, i: str | None, j: str | None) -> list[int]:
        """The option's slots, beliefs and factors, in the order in which `_templates` laid them out."""
        scenario = self.scenario
        row = []
        for need in kind.needs:
            found = expand(need.of, scenario, i, j)
            bounds = (need.at_least is not None) + (need.at_most is not None)
            row += [self.index[found[0]] if found else -1] * bounds
        for scaled in (kind.chance, kind.cost):
            row += self.factors(scaled.times, i, j) if scaled else []
        for _, effect, copies in self.effects[kind.place]:
            paths = expand(effect.of, scenario, i, j)
            belief = -1
            if effect.when is not None:
                giver = j if effect.when.by == "target" else effect.when.by
                belief = self.belief.get((i, giver, effect.when.kept or effect.when.broken), -1)
                if belief < 0 and effect.when.kept:  # where nothing can be promised nothing is kept
                    paths = []
            for n in range(copies):
                row += [self.index[paths[n]] if n < len(paths) else -1, belief]
                row += self.factors(effect.times, i, j) if n < len(paths) else [0] * len(effect.times)
        return row

    def _promises_tested(self, options: list[tuple[str, str, str | None]]) -> None:
        """Which options hang on a promise, and which give one."""
        columns = self.columns
        hung: list[list[int]] = [[] for _ in self.beliefs]
        words = []
        for o in range(len(options)):
            a, at = columns["option_action"][o], columns["option_at"][o]
            row = []
            for e in range(columns["effect_start"][a], columns["effect_start"][a + 1]):
                s, b = (columns["reference"][at + columns["effect_at"][e] + n] for n in range(2))
                if s < 0:
                    continue
                if columns["effect_when"][e] != ALWAYS and b >= 0 and (not hung[b] or hung[b][-1] != o):
                    hung[b].append(o)
                if columns["belief_of"][s] >= 0 and self.beliefs[columns["belief_of"][s]][1] == options[o][0]:
                    row.append(e)
            words.append(row)
        words += [[] for _ in self.outputs]
        columns["word_start"] = _starts(words)
        columns["word_effect"] = [e for row in words for e in row]
        columns["hung_start"] = _starts(hung)
        columns["hung_option"] = [o for row in hung for o in row]
        columns["hung_belief"] = of = [b for b, row in enumerate(hung) for _ in row]
        for word, side in (("received", 0), ("given", 1)):
            rows = [[h for h, b in enumerate(of) if self.beliefs[b][side] == i] for i in self.actors]
            columns[f"{word}_start"] = _starts(rows)
            columns[f"{word}_hung"] = [h for row in rows for h in row]

    # -- what is offered and owed

    def value_of(self, actor: str, option: tuple) -> int:
        """The row of the valuation of an option by an actor (a name for now; `_valuations` sorts them)."""
        return self.valued.setdefault((self.actor[actor], self.option[option]), len(self.valued))

    def _deals(self) -> None:
        scenario, columns = self.scenario, self.columns
        self.valued: dict[tuple[int, int], int] = {}
        self.promises: list[tuple[int, str, str, str]] = []
        deal = {name: d for d, name in enumerate(self.deals)}
        columns["option_deal"] = [-1] * len(self.option)
        asked: dict[int, list[int]] = {}
        promised = []
        for d, (name, i, j) in enumerate(self.deals):
            bargain, place = scenario.bargains[name], f"bargains.{name}"
            offer = self.option[i, name, j]
            columns["option_deal"][offer] = d
            columns["deal_option"].append(offer)
            columns["deal_key"].append(name_key(f"{i}|{name}|{j}"))
            self.number("deal_active", bargain.active, f"{place}.active")
            self.number("deal_bias", bargain.bias, f"{place}.bias")
            self.number("deal_visibility", bargain.visibility, f"{place}.visibility")
            columns["deal_expires"].append(bargain.expires)
            columns["deal_counter"].append(deal.get((bargain.counter or "", i, j), -1))
            joiners = [k for k in members(scenario, bargain.by) if k not in (i, j)] if bargain.together else []
            ask = self._deed(bargain.ask, j, i)
            row = []
            for k in [i, *joiners]:
                give = self._deed(bargain.give, k, j)
                if give in self.option and (j, k, bargain.word) in self.belief and (k, j, bargain.word) in self.belief:
                    row.append((k, j, give, bargain.give_after))
            row.append((j, i, ask, bargain.ask_after))
            promised.append(row)
            asked.setdefault(self.option[ask], []).append(d)
            for giver, receiver, option, after in row:
                mine = option is not ask
                self.promises.append((d, giver, receiver, bargain.word))
                columns["promise_option"].append(self.option[option])
                columns["promise_deal"].append(d)
                columns["promise_giver"].append(self.actor[giver])
                columns["promise_receiver"].append(self.actor[receiver])
                columns["promise_after"].append(after)
                columns["promise_value"].append(self.value_of(giver, option))
                columns["promise_gift"].append(self.value_of(receiver, option))
                columns["promise_return"].append(self.value_of(giver, ask) if mine else -1)
                columns["promise_belief"].append(self.belief[receiver, giver, bargain.word])
                columns["promise_trust"].append(self.belief[giver, receiver, bargain.word] if mine else -1)
                columns["promise_key"].append(name_key(f"{giver}|{name}|{receiver}|{option[1]}"))
                columns["join_key"].append(name_key(f"{giver}|{name}|{receiver}"))
        columns["deal_promise"] = _starts(promised)
        groups = dict(sorted(asked.items()))
        columns["asked_start"] = _starts(groups.values())
        columns["asked_deal"] = [d for row in groups.values() for d in row]
        columns["asked_key"] = [columns["option_key"][o] for o in groups]
        owed: list[list[int]] = [[] for _ in self.option]
        for p, o in enumerate(columns["promise_option"]):
            owed[o].append(p)
        columns["owed_start"] = _starts(owed)
        columns["owed_promise"] = [p for row in owed for p in row]
        self.space["acts"] += len(self.promises)
        self.space["talks"] = len(self.beliefs) + 4 * len(self.deals) + 6 * len(self.promises)

    def _fora(self) -> None:
        scenario, columns = self.scenario, self.columns
        self.seats: list[tuple[str, str]] = []
        self.places: list[tuple[str, str, str]] = []
        self.vetoes: list[tuple[str, str, str]] = []
        columns["option_convener"] = [-1] * len(self.option)
        dated, seats, places, outputs, on, vetoes, occasions = [], [], [], [], [], [], []
        items: list[list[str]] = []
        for name in sorted(scenario.fora):
            forum, place = scenario.fora[name], f"fora.{name}"
            self.number("forum_active", forum.active, f"{place}.active")
            columns["forum_pause"].append(forum.pause)
            columns["forum_quorum"].append(forum.quorum)
            dated.append(self._session_turns(forum.dates, forum.every))
            present = members(scenario, forum.members)
            first_seat, first_item = len(self.seats), len(items)
            seats.append(present)
            for m in present:
                self.seats.append((name, m))
                columns["seat_actor"].append(self.actor[m])
                self.named("seat_attend", forum.attend, f"{place}.attend", m)
                columns["seat_key"].append(name_key(f"{m}|{name}|"))
            for item in sorted(forum.agenda):
                self._agenda_item(name, item, present, first_seat)
                items.append([m for f, g, m in self.places if (f, g) == (name, item)])
            places.append([None] * len(forum.agenda))
            for u in sorted(forum.outputs):
                output, at = forum.outputs[u], f"{place}.outputs.{u}"
                outputs.append(name)
                columns["output_option"].append(self.option[name, u])
                self.number("output_within", output.within, f"{at}.within")
                self.number("output_bias", output.bias, f"{at}.bias")
                on.append([first_item + sorted(forum.agenda).index(item) for item in sorted(set(output.on))])
                row = present
                if output.vetoes is not None:
                    who = members(scenario, output.vetoes) if output.vetoes else []
                    row = [m for m in present if m in who]
                vetoes.append(row)
                for m in row:
                    self.vetoes.append((name, u, m))
                    columns["veto_seat"].append(first_seat + present.index(m))
                    columns["veto_value"].append(self.value_of(m, (name, u)))
                    columns["veto_key"].append(name_key(f"{m}|{name}|{u}"))
                acts = [(act.by, act.action, act.target) for act in output.acts]
                occasions.append([act for act in acts if act in self.option and act[0] in present])
                for act in occasions[-1]:
                    columns["occasion_option"].append(self.option[act])
                    columns["occasion_seat"].append(first_seat + present.index(act[0]))
                    columns["occasion_value"].append(self.value_of(act[0], act))
                    columns["occasion_key"].append(columns["option_key"][self.option[act]])
        fora = sorted(scenario.fora)
        columns["dated_session_start"] = _starts(dated)
        columns["dated_session"] = [turn for row in dated for turn in row]
        columns["seat_start"] = _starts(seats)
        columns["item_start"] = _starts(places)
        columns["place_start"] = _starts(items)
        columns["output_start"] = [0, *accumulate(outputs.count(name) for name in fora)]
        columns["output_on_start"] = _starts(on)
        columns["output_on"] = [g for row in on for g in row]
        columns["veto_start"] = _starts(vetoes)
        columns["occasion_start"] = _starts(occasions)
        prospects, boons, conveners = [], [], []
        for i in self.actors:
            mine = [f for f, name in enumerate(fora) if (i, name, None) in self.option]
            conveners.append(mine)
            for f in mine:
                columns["option_convener"][self.option[i, fora[f], None]] = len(columns["convener_forum"])
                columns["convener_forum"].append(f)
                prospects.append([n for n, (name, _) in enumerate(self.outputs) if name == fora[f]])
                for n in prospects[-1]:
                    columns["prospect_value"].append(self.value_of(i, self.outputs[n]))
                    boons.append(occasions[n])
                    columns["boon_value"] += [self.value_of(i, act) for act in occasions[n]]
        columns["convener_start"] = _starts(conveners)
        columns["prospect_start"] = _starts(prospects)
        columns["boon_start"] = _starts(boons)
        self.space["acts"] += sum(map(len, occasions))
        self.space["talks"] += len(fora) + len(self.seats) + len(self.places) + len(self.outputs) + len(self.vetoes)

    def _session_turns(self, dates: Sequence[str], every: int | None) -> list[int]:
        """The turns, sorted, of a forum's dated sessions."""
        turns = {turn for date in dates if (turn := turn_of(self.scenario, date)) is not None}
        if every is not None:
            turns |= set(range(min(turns, default=1), self.scenario.turns + 1, every))
        return sorted(turns)

    def _agenda_item(self, forum: str, name: str, present: list[str], first_seat: int) -> None:
        """The places of an agenda item: of the members who have a position on it."""
        scenario, columns = self.scenario, self.columns
        item, power = scenario.fora[forum].agenda[name], scenario.fora[forum].capability
        place = f"fora.{forum}.agenda.{name}"
        holders = [m for m in present if expand(item.of, scenario, self_=m)]
        for m in holders:
            self.places.append((forum, name, m))
            columns["place_seat"].append(first_seat + present.index(m))
            columns["place_slot"].append(self.index[expand(item.of, scenario, self_=m)[0]])
            self.named("place_openness", item.openness, f"{place}.openness", m)
            self.named("place_salience", item.salience, f"{place}.salience", m)
            columns["place_power"].append(-1 if power is None else self.source.get(f"{m}.{power}", -2))
            columns["place_regard"].append(len(columns["regard_slot"]))
            columns["regard_slot"] += [self.index.get(f"{m}.{k}.regard", -1) for k in holders]

    def _valuations(self) -> None:
        """Sort what is to be valued by who values it, and put the rows where they were asked for."""
        columns = self.columns
        order = {number: row for row, (_, number) in enumerate(sorted((pair, n) for pair, n in self.valued.items()))}
        pairs = sorted(self.valued)
        columns["value_option"] = [o for _, o in pairs]
        columns["value_start"] = [0, *accumulate(sum(x == i for x, _ in pairs) for i in range(len(self.actors)))]
        for name in (
            "promise_value", "promise_gift", "promise_return", "veto_value", "occasion_value", "prospect_value",
            "boon_value",
        ):  # fmt: skip
            columns[name] = [order[n] if n >= 0 else -1 for n in columns[name]]

    def _signal_rows(self, kind: _Kind, i: str, j: str | None) -> list[tuple[int, bool, bool, int]]:
        rows = []
        for number, kept, signal in self.signals[kind.place]:
            givers = (
                [i] if signal.by == "self" else [j] if signal.by == "target" else members(self.scenario, [signal.by])
            )
            full = None
            if signal.to is not None:
                named = [word for word in signal.to if word != "target"]
                full = {j} if "target" in signal.to else set()
                full |= set(members(self.scenario, named)) if named else set()
            for b, (receiver, by, q) in enumerate(self.beliefs):
                if by in givers and q == signal.promise:
                    rows.append((b, full is None or receiver in full, kept, number))
        return rows

    def _incidents(self) -> None:
        scenario, columns = self.scenario, self.columns
        self.incidents: list[tuple[str, str | None]] = []
        steps, factors, blows, blow_factors, belied = [], [], [], [], []
        for name, incident in sorted(scenario.incidents.items()):
            place = f"incidents.{name}"
            for on in [None] if incident.on is None else members(scenario, incident.on):
                self.incidents.append((name, on))
                columns["incident_key"].append(name_key(f"{name}|{on or ''}"))
                self.number("hazard", incident.hazard, f"{place}.hazard")
                self.number("hazard_visibility", incident.visibility, f"{place}.visibility")
                row = [self.source_of(step.of, on) for step in incident.plus]
                steps.append(row)
                for n, step in enumerate(incident.plus):
                    self.number("step_add", step.add, f"{place}.plus[{n}].add")
                factors.append(self.factors(incident.times, on))
                mine = []
                for e, effect in enumerate(incident.effects):
                    kind, quantity = _moves(effect)
                    for path in expand(effect.of, scenario, on):
                        mine.append(self.index[path])
                        columns["blow_kind"].append(KINDS[kind])
                        self.number("blow_value", quantity, f"{place}.effects[{e}].{kind}", self.slot[path])
                        columns["blow_after"].append(effect.after)
                        blow_factors.append(self.factors(effect.times, on))
                blows.append(mine)
                told = []
                for belies in incident.belies:
                    full = None
                    if belies.to is not None:
                        named = [word for word in belies.to if word != "self"]
                        full = ({on} if "self" in belies.to else set()) | set(members(scenario, named) if named else [])
                    givers = [on] if belies.by == "self" else members(scenario, [belies.by])
                    told += [
                        (b, full is None or receiver in full)
                        for b, (receiver, giver, q) in enumerate(self.beliefs)
                        if q == belies.promise and giver in givers
                    ]
                belied.append(told)
        columns["step_start"] = _starts(steps)
        columns["step_source"] = [source for row in steps for source in row]
        columns["hazard_factor_start"] = _starts(factors)
        columns["hazard_factor"] = [code for row in factors for code in row]
        columns["blow_start"] = _starts(blows)
        columns["blow_slot"] = [s for row in blows for s in row]
        columns["blow_factor_start"] = _starts(blow_factors)
        columns["blow_factor"] = [code for row in blow_factors for code in row]
        columns["belied_start"] = _starts(belied)
        columns["belied_belief"] = [b for row in belied for b, _ in row]
        columns["belied_full"] = [full for row in belied for _, full in row]

    def _timeline(self) -> None:
        scenario, columns = self.scenario, self.columns
        for adds in (False, True):
            for n, event in enumerate(scenario.timeline):
                for path, quantity in (event.add if adds else event.set).items():
                    for found in expand(path, scenario):
                        columns["dated_turn"].append(turn_of(scenario, event.date))
                        columns["dated_slot"].append(self.index[found])
                        columns["dated_adds"].append(adds)
                        word = "add" if adds else "set"
                        self.number("dated_value", quantity, f"timeline[{n}].{word}.{path}", self.slot[found])
        for event in scenario.timeline:
            if event.act is not None:
                columns["forced_turn"].append(turn_of(scenario, event.date))
                columns["forced_option"].append(self.option[event.act.by, event.act.action, event.act.target])

    def _foresight(self) -> None:
        """For each interest slot: what reaches it within the horizon, and which of that an option can move."""
        columns = self.columns
        movable = set()
        for at, action in zip(columns["option_at"], columns["option_action"], strict=True):
            for e in range(columns["effect_start"][action], columns["effect_start"][action + 1]):
                movable.add(columns["reference"][at + columns["effect_at"][e]])
        movable.discard(-1)
        movable |= {*columns["place_slot"], *(columns["credibility"][b] for b in self._words())}
        into: dict[int, list[int]] = defaultdict(list)
        for c, (moved, _, _) in enumerate(self.coupling_rows):
            into[moved].append(c)
        nodes, arrows = [], []
        reach: dict[int, list[tuple[int, int]]] = defaultdict(list)
        count = 0
        for k, s in enumerate(columns["rank_slot"]):
            local = {s: 0}
            edge = [s]
            for _ in range(rules.HORIZON):
                edge = [
                    source
                    for moved in edge
                    for c in into[moved]
                    if (source := self.coupling_rows[c][1]) not in local and local.setdefault(source, len(local)) >= 0
                ]
            rows = [
                (local[source], local[moved], c)
                for c, (moved, source, _) in enumerate(self.coupling_rows)
                if moved in local and source in local
            ]
            groups = _in_order(local.values(), rows)
            place = {v: n for n, v in enumerate(v for group in groups for v in group)}
            nodes.append(sorted(local, key=lambda slot: place[local[slot]]))
            arrows.append([(place[source], place[moved], c) for source, moved, c in rows])
            columns["node_end"] += [
                end for group, end in zip(groups, accumulate(map(len, groups)), strict=True) for _ in group
            ]
            fed = {moved for _, moved, _ in arrows[-1]}
            columns["node_feeds"] += [v in fed for v in range(len(local))]
            columns["varies"].append(any(self.coupling_rows[c][2] for _, _, c in rows))
            for slot in nodes[-1]:
                columns["node_pair"].append(count if slot in movable else -1)
                if slot in movable:
                    reach[slot].append((k, count))
                    count += 1
        columns["node_start"] = _starts(nodes)
        columns["node_slot"] = [s for row in nodes for s in row]
        leaving = [
            [row for row in rows if row[0] == v]
            for own, rows in zip(nodes, arrows, strict=True)
            for v in range(len(own))
        ]
        columns["arrow_start"] = _starts(leaving)
        for name, n in (("arrow_to", 1), ("arrow_coupling", 2)):
            columns[name] = [row[n] for rows in leaving for row in rows]
        reached = [reach[s] for s in range(len(self.slot))]
        columns["reach_start"] = _starts(reached)
        columns["reach_rank"] = [k for row in reached for k, _ in row]
        columns["reach_pair"] = [p for row in reached for _, p in row]
        self.space["pairs"] = count
        self.space["nodes"] = max(map(len, nodes), default=1)

    def _words(self) -> set[int]:
        """The beliefs that tell of the word given in a bargain: those of its receivers and of all who watch."""
        kinds = {(giver, word) for _, giver, _, word in self.promises}
        return {b for b, (_, giver, kind) in enumerate(self.beliefs) if (giver, kind) in kinds}

    def _tables(self) -> Tables:
        self.columns["cares"] = self.cares  # type: ignore[assignment]
        return Tables(**{name: self.columns[name] for name in Tables.__annotations__})


def _extra(numbers: PerName) -> dict[str, Quantity]:
    return dict(numbers.__pydantic_extra__ or {})


def _moves(effect: Effect) -> tuple[str, Quantity]:
    """Which of add, to, raise_to, lower_to an effect states."""
    for kind in KINDS:
        quantity = getattr(effect, kind)
        if quantity is not None:
            return kind, quantity
    raise KeyError("an effect without a number")


def _in_order(nodes: Iterable[int], arrows: Iterable[tuple[int, int, int]]) -> list[list[int]]:
    """Nodes in groups, as small as can be, so that each node's arrows lead to its own group or to earlier ones."""
    leads: dict[int, set[int]] = {v: set() for v in nodes}
    for source, moved, _ in arrows:
        leads[source].add(moved)
    groups: list[list[int]] = []
    placed: set[int] = set()
    while len(placed) < len(leads):
        ready = [[v] for v in leads if v not in placed and leads[v] <= placed]
        if not ready:  # a cycle: the smallest set that leads nowhere else
            closed = []
            for v in leads.keys() - placed:
                found, edge = {v}, {v}
                while edge:
                    edge = set().union(*(leads[u] for u in edge)) - found - placed
                    found |= edge
                closed.append(sorted(found))
            ready = [min(closed, key=lambda group: (len(group), group))]
        groups += ready
        placed |= {v for group in ready for v in group}
    return groups

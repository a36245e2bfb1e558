"""Names become indices: a checked scenario becomes tables. The only place that knows both.

Everything is taken in the order of names, so that the order of a file changes no bit of a result. Each number of the
scenario is put into its cells under its path, so that `Compiled.patched` can change it without compiling anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np

from sim import rules
from sim.arrays import ADD, ALWAYS, BROKEN, KEPT, LOWER, POLICIES, RAISE, TO, Compiled, Tables
from sim.draws import name_key
from sim.scenario import (
    Action,
    Effect,
    Not,
    PerName,
    Position,
    Quantity,
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
Named = tuple[PerName, str]  # numbers by name, and where they stand in the file
Placed = tuple[Quantity, str]
KINDS = {"add": ADD, "to": TO, "raise_to": RAISE, "lower_to": LOWER}


def compile_scenario(scenario: Scenario) -> Compiled:
    """Tables of a scenario that `sim.scenario` has read and checked."""
    return _Compiler(scenario).compiled()


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
        self._actions()
        options = self._options()
        self._incidents()
        self._timeline(options)
        self._foresight()
        scenario = self.scenario
        return Compiled(
            tables=self._tables(),
            paths=list(self.slot),
            ladders={s: slot.ladder for s, slot in enumerate(self.slot.values()) if slot.ladder},
            capabilities=self.capabilities,
            actors=self.actors,
            actions=sorted(scenario.actions),
            options=options,
            interests=[(o, name) for o in self.actors for name in sorted(scenario.actors[o].interests)],
            beliefs=self.beliefs,
            incidents=self.incidents,
            dates=turn_dates(scenario),
            codes=[(scenario.actions[a].cameo, scenario.actions[a].plover) for a in sorted(scenario.actions)],
            owners=dict(self.owners),
            space=self.space,
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
        self.belief: dict[tuple[str, str | None, str | None], int] = {name: b for b, name in enumerate(self.beliefs)}
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

    def _actions(self) -> None:
        """Templates: what all options of an action share. Their references are laid out by the offsets set here."""
        scenario, columns = self.scenario, self.columns
        channels = {name: c for c, name in enumerate(sorted({a.channel for a in scenario.actions.values()}))}
        self.effects: dict[str, list[tuple[str, Effect, int]]] = {}  # action -> (place, effect, copies)
        self.signals: dict[str, list[tuple[int, bool, Signal]]] = {}
        for name, action in sorted(scenario.actions.items()):
            place = f"actions.{name}"
            needs_before = len(columns["need_value"])
            columns["channel"].append(channels[action.channel])
            self.number("visibility", action.visibility, f"{place}.visibility")
            self.number("habit", action.habit, f"{place}.habit")
            self.number("effort", action.effort, f"{place}.effort")
            for n, need in enumerate(action.needs):
                for word in ("at_least", "at_most"):
                    bound = getattr(need, word)
                    if bound is not None:
                        columns["need_least"].append(word == "at_least")
                        self.number("need_value", bound, f"{place}.needs[{n}].{word}", self._any_slot(need.of, action))
            columns["need_start"].append(len(columns["need_value"]))
            at = len(columns["need_value"]) - needs_before
            for part in ("chance", "cost"):
                count = len(getattr(action, part).times)
                columns[f"{part}_at"].append(at)
                columns[f"{part}_factors"].append(count)
                at += count
            effects = []
            for e, effect in enumerate(action.effects):
                copies = max((len(expand(effect.of, scenario, i, j)) for i, j in self._pairs(action)), default=0)
                effects.append((f"{place}.effects[{e}]", effect, copies))
                kind, quantity = _moves(effect)
                for _ in range(copies):
                    columns["effect_kind"].append(KINDS[kind])
                    self.number(
                        "effect_value", quantity, f"{place}.effects[{e}].{kind}", self._any_slot(effect.of, action)
                    )
                    columns["effect_attempt"].append(int(effect.attempt))
                    when = effect.when
                    columns["effect_when"].append(ALWAYS if when is None else KEPT if when.kept else BROKEN)
                    columns["effect_after"].append(effect.after)
                    columns["effect_at"].append(at)
                    columns["effect_factors"].append(len(effect.times))
                    at += 2 + len(effect.times)
            self.effects[name] = effects
            columns["attempts"].append(any(effect.attempt for effect in action.effects))
            columns["effect_start"].append(len(columns["effect_kind"]))
            signals = []
            for n, signal in enumerate(action.signals):
                for word in ("kept", "broken"):
                    weight = getattr(signal, word)
                    if weight is not None:
                        signals.append((len(columns["signal_weight"]), word == "kept", signal))
                        self.number("signal_weight", weight, f"{place}.signals[{n}].{word}")
            self.signals[name] = signals
        columns["need_start"] = [0, *columns["need_start"]]
        columns["effect_start"] = [0, *columns["effect_start"]]
        self.space["delay"] = max(
            [effect.after for rows in self.effects.values() for _, effect, _ in rows]
            + [effect.after for incident in scenario.incidents.values() for effect in incident.effects],
            default=0,
        )
        # (A, N) tables of chance and cost; 0 where the actor cannot do it
        for part in ("chance", "cost"):
            table = np.zeros((len(scenario.actions), len(self.actors)))
            for a, (name, action) in enumerate(sorted(scenario.actions.items())):
                for i in dict.fromkeys(i for i, _ in self._pairs(action)):
                    found = pick(getattr(action, part), scenario, i)
                    assert found is not None
                    key, quantity = found
                    table[a, self.actor[i]] = float(quantity.value)
                    path = f"actions.{name}.{part}" + ("" if key == "default" else f".{key}")
                    self.owners[path].append((part, (a, self.actor[i])))
            self.columns[part] = table  # type: ignore[assignment]

    def _pairs(self, action: Action) -> list[tuple[str, str | None]]:
        """Who can do it to whom, conditions aside, in order."""
        scenario = self.scenario
        targets: list[str | None] = [None] if action.toward is None else list(members(scenario, action.toward))
        return [(i, j) for i in members(scenario, action.by) for j in targets if i != j]

    def _any_slot(self, path: str, action: Action) -> Slot | None:
        """A slot that the path stands for with some pair (all share range and ladder)."""
        for i, j in self._pairs(action):
            for found in expand(path, self.scenario, i, j):
                return self.slot[found]
        return None

    def _options(self) -> list[tuple[str, str, str | None]]:
        scenario, columns = self.scenario, self.columns
        options: list[tuple[str, str, str | None]] = []
        order = {name: a for a, name in enumerate(sorted(scenario.actions))}
        forced = {(e.act.by, e.act.action, e.act.target) for e in scenario.timeline if e.act is not None}
        able: dict[str, list[tuple[str, list[str | None]]]] = {i: [] for i in self.actors}
        for name, action in sorted(scenario.actions.items()):
            by_actor: dict[str, list[str | None]] = {}
            for i, j in self._pairs(action):
                possible = all(expand(need.of, scenario, i, j) for need in action.needs)
                if possible or (i, name, j) in forced:
                    by_actor.setdefault(i, []).append(j)
            for i, targets in by_actor.items():
                able[i].append((name, targets))
        signal_rows = []
        widest_menu = 0
        acts = 0
        for i in self.actors:
            first = len(options)
            for name, targets in able[i]:
                columns["menu_first"].append(len(options))
                for j in targets:
                    options.append((i, name, j))
                    columns["option_actor"].append(self.actor[i])
                    columns["option_action"].append(order[name])
                    columns["option_target"].append(-1 if j is None else self.actor[j])
                    columns["option_key"].append(name_key(f"{i}|{name}|{j or ''}"))
                    columns["option_at"].append(len(columns["reference"]))
                    columns["reference"] += self._references(name, i, j)
                    signal_rows.append(self._signal_rows(name, i, j))
                columns["menu_end"].append(len(options))
            columns["option_start"].append(first)
            columns["menu_start"].append(len(able[i]))
            widest_menu = max(widest_menu, len(options) - first)
            acts += len({(scenario.actions[a].channel, j) for _, a, j in options[first:]})
        columns["option_start"].append(len(options))
        columns["menu_start"] = [0, *accumulate(columns["menu_start"])]
        columns["option_signal_start"] = _starts(signal_rows)
        for row in signal_rows:
            for belief, full, kept, number in row:
                columns["signal_belief"].append(belief)
                columns["signal_full"].append(full)
                columns["signal_kept"].append(kept)
                columns["signal_number"].append(number)
        self.space["options"] = max(widest_menu, 1)
        self.space["acts"] = max(acts + len(scenario.timeline), 1)
        return options

    def _references(self, name: str, i: str, j: str | None) -> list[int]:
        """The option's slots, beliefs and factors, in the order in which `_actions` laid them out."""
        scenario, action = self.scenario, self.scenario.actions[name]
        row = []
        for need in action.needs:
            found = expand(need.of, scenario, i, j)
            bounds = (need.at_least is not None) + (need.at_most is not None)
            row += [self.index[found[0]] if found else -1] * bounds
        row += self.factors(action.chance.times, i, j)
        row += self.factors(action.cost.times, i, j)
        for _, effect, copies in self.effects[name]:
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

    def _signal_rows(self, name: str, i: str, j: str | None) -> list[tuple[int, bool, bool, int]]:
        rows = []
        for number, kept, signal in self.signals[name]:
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

    def _timeline(self, options: list[tuple[str, str, str | None]]) -> None:
        scenario, columns = self.scenario, self.columns
        option = {name: o for o, name in enumerate(options)}
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
                columns["forced_option"].append(option[event.act.by, event.act.action, event.act.target])

    def _foresight(self) -> None:
        """For each interest slot: what reaches it within the horizon, and which of that an option can move."""
        columns = self.columns
        movable = set()
        for at, action in zip(columns["option_at"], columns["option_action"], strict=True):
            for e in range(columns["effect_start"][action], columns["effect_start"][action + 1]):
                movable.add(columns["reference"][at + columns["effect_at"][e]])
        movable.discard(-1)
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

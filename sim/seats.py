"""What those who take an actor's seat choose, as data: entered into a turn, kept in a file, read again.

A `Choice` is one actor's in one turn. Whoever made it (a person, a script, a class of somebody's own), it is entered
here, so that the same choices give the same history. Where there is none, the model chooses. Knows no Mesa.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sim import draws
from sim.arrays import Compiled, State
from sim.bargains import LATER, NO, YES
from sim.errors import BadInput, Problem, Problems

FILE = "choices.jsonl"
KIND = "choices"
HEADER = {"kind": str, "scenario": str, "hash": str, "seed": int, "run": int, "runs": int, "turns": int,
          "actors": list, "sets": list, "policy": (str, type(None)), "players": list}  # fmt: skip
LINE = {"run": int, "actor": str, "turn": int, "acts": (list, type(None)), "accept": list, "refuse": list,
        "attend": list, "stay_away": list, "waits": bool}  # fmt: skip

Name = tuple[str, str | None]  # action and target
Deal = tuple[str, str]  # bargain and proposer


@dataclass(frozen=True)
class Choice:
    """What one actor does in one turn.

    acts: in order; None leaves them to the model. accept, refuse: offers that lie on the table. attend, stay_away:
    fora. waits: it answers by itself alone: offers wait for its answer until the next turn at least, those that it
    leaves unanswered are refused when their time is up, and what it owes is delivered by its own act or not at all
    (but for what its own offer makes it owe at once, in the turn of the offer).
    """

    acts: tuple[Name, ...] | None = None
    accept: tuple[Deal, ...] = ()
    refuse: tuple[Deal, ...] = ()
    attend: tuple[str, ...] = ()
    stay_away: tuple[str, ...] = ()
    waits: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "acts": None if self.acts is None else [list(act) for act in self.acts],
            "accept": [list(deal) for deal in self.accept],
            "refuse": [list(deal) for deal in self.refuse],
            "attend": list(self.attend),
            "stay_away": list(self.stay_away),
            "waits": self.waits,
        }


MODEL = Choice()  # everything as the model would


# ------------------------------------------------------------------------------------------------ what may be chosen


def named(act: Name) -> str:
    return act[0] if act[1] is None else f"{act[0]} {act[1]}"


def options_of(compiled: Compiled, i: int) -> dict[Name, int]:
    """The options of an actor by action and target."""
    T = compiled.tables
    return {compiled.options[o][1:]: o for o in range(int(T.option_start[i]), int(T.option_start[i + 1]))}


def deals_for(compiled: Compiled, i: int) -> dict[Deal, int]:
    """The deals that can be offered to an actor, by bargain and proposer."""
    name = compiled.actors[i]
    return {(bargain, by): d for d, (bargain, by, target) in enumerate(compiled.deals) if target == name}


def seats_of(compiled: Compiled, i: int) -> dict[str, int]:
    """The seats of an actor by forum."""
    name = compiled.actors[i]
    return {forum: q for q, (forum, member) in enumerate(compiled.seats) if member == name}


def offered(compiled: Compiled, S: State, i: int, turn: int) -> dict[Deal, int]:
    """The offers that lie on the table before an actor at the start of a turn (of run 0 of S)."""
    return {deal: d for deal, d in deals_for(compiled, i).items() if S.table[d, 0] >= turn}


def attention(compiled: Compiled, S: State, i: int) -> float:
    """What an actor has of attention this turn."""
    slot = int(compiled.tables.attention[i])
    return float(S.x[slot, 0]) if slot >= 0 else 1.0


def unfit(
    compiled: Compiled, S: State, i: int, acts: Sequence[Name], called: Callable[[Name], str] = named
) -> str | None:
    """Why the acts cannot all be chosen together in this turn, as the actor's appraisal in S has it; None: they can.
    called: what an act is called in the answer."""
    T, first = compiled.tables, int(compiled.tables.option_start[i])
    options, left = options_of(compiled, i), attention(compiled, S, i)
    taken: dict[tuple[int, int], Name] = {}
    for act in acts:
        o = options.get(act)
        if o is None:
            return f"{compiled.actors[i]} has no option “{named(act)}”"
        if not S.available[o - first, 0]:
            return f"“{called(act)}” is not available"
        lane = int(T.channel[T.option_action[o]]), int(T.option_target[o])
        if lane in taken:
            return (
                f"“{called(act)}” goes the same way as “{called(taken[lane])}”: one act a turn to each by each channel"
            )
        if left <= 0.0:
            return f"no attention is left for “{called(act)}”"
        taken[lane] = act
        left = max(left - float(T.effort[T.option_action[o]]), 0.0)
    return None


def wrong(
    compiled: Compiled, S: State, i: int, turn: int, choice: Choice, called: Callable[[Name], str] = named
) -> str | None:
    """Why a choice cannot be made in this turn; None: it can. called: what an act is called in the answer."""
    lying = offered(compiled, S, i, turn)
    for deal in (*choice.accept, *choice.refuse):
        if deal not in lying:
            return f"no offer “{deal[0]}” by {deal[1]} lies on the table"
    asked = [int(compiled.tables.promise_option[compiled.tables.deal_promise[lying[d] + 1] - 1]) for d in choice.accept]
    if len(set(asked)) < len(asked):
        return "two of the offers that are accepted ask for the same act; accept one"
    return None if choice.acts is None else unfit(compiled, S, i, choice.acts, called)


# ------------------------------------------------------------------------------------------------ entering it


def enter(compiled: Compiled, S: State, seed: np.uint64, turn: int, i: int, choice: Choice) -> None:
    """Enter an actor's choice into run 0 of S, whose appraisal is that actor's. Its acts only where they are chosen.

    Raises BadInput for what cannot be chosen. An act that takes more attention than is left comes about with the
    probability left / effort, by the draw that decides so for the model's own choice.
    """
    why = wrong(compiled, S, i, turn, choice)
    if why is not None:
        raise BadInput(f"turn {turn} ({compiled.actors[i]}): {why}")
    T, first = compiled.tables, int(compiled.tables.option_start[i])
    lying = offered(compiled, S, i, turn)
    for deal, d in deals_for(compiled, i).items():
        S.reply[d, 0] = 0
        if deal in choice.accept:
            S.reply[d, 0] = YES
        elif deal in choice.refuse:
            S.reply[d, 0] = NO
        elif choice.waits:
            S.reply[d, 0] = NO if deal in lying and S.table[d, 0] == turn else LATER
    for p in np.flatnonzero(T.promise_giver == i):
        # Whether its own offer is accepted it learns too late for what falls due at once: that is left to the model.
        asked = p == T.deal_promise[T.promise_deal[p] + 1] - 1
        S.serve[p, 0] = NO if choice.waits and (asked or S.due[p, 0] > 0) else 0
    for forum, q in seats_of(compiled, i).items():
        S.seated[q, 0] = YES if forum in choice.attend else NO if forum in choice.stay_away else 0
    if choice.acts is None:
        return
    options, left = options_of(compiled, i), attention(compiled, S, i)
    for act in choice.acts:
        o = options[act]
        effort = float(T.effort[T.option_action[o]])
        if effort > left:
            drawn = draws.second_uniform(seed, S.run[0], turn, T.option_key[o], draws.CHOICE)
            if drawn >= left / effort:
                continue
        n = int(S.taken[0])
        S.act[0, n], S.act_odds[0, n], S.act_utility[0, n] = o, S.odds[o - first, 0], S.utility[o - first, 0]
        S.act_probability[0, n] = np.nan
        S.taken[0] += 1
        left = max(left - effort, 0.0)


# ------------------------------------------------------------------------------------------------ the file


@dataclass
class Choices:
    """What was chosen in some runs of a scenario, by whom.

    scenario: its name; hash: of its resolved text. seed, run: of the first of `runs` runs. made: by run (from 0),
    actor and turn. sets, policy, turns: as they were asked for. players: `ACTOR=FILE.py:CLASS`, who else chose.
    """

    scenario: str
    hash: str
    seed: int
    run: int
    runs: int
    turns: int
    actors: list[str]
    sets: list[str] = field(default_factory=list)
    policy: str | None = None
    players: list[str] = field(default_factory=list)
    made: dict[tuple[int, str, int], Choice] = field(default_factory=dict)

    def header(self) -> str:
        content = {"kind": KIND} | {name: getattr(self, name) for name in HEADER if name != "kind"}
        return json.dumps(content, ensure_ascii=False) + "\n"

    def text(self) -> str:
        """The whole file."""
        rows = sorted(self.made.items(), key=lambda row: (row[0][0], row[0][2], self.actors.index(row[0][1])))
        return self.header() + "".join(line(*key, choice) for key, choice in rows)

    def of(self, run: int) -> dict[tuple[str, int], Choice]:
        """Those of one run, by actor and turn."""
        return {(actor, turn): choice for (r, actor, turn), choice in self.made.items() if r == run}

    @property
    def last(self) -> int:
        """The last turn that is chosen in."""
        return max((turn for _, _, turn in self.made), default=0)


def line(run: int, actor: str, turn: int, choice: Choice) -> str:
    """A choice as a line of the file."""
    return json.dumps({"run": run, "actor": actor, "turn": turn} | choice.as_dict(), ensure_ascii=False) + "\n"


def read(path: str | Path, part: bool = False) -> Choices:
    """The choices of a file. part: a last line that was cut short is left out.

    Raises Problems for a file that is not one, all of them at once.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a text file"
        raise BadInput(f"{path}: cannot be read as choices: {why}") from None
    lines = text.split("\n")
    cut = lines.pop()
    if cut.strip() and not part:
        lines.append(cut)
    problems: list[Problem] = []
    rows = [_parsed(path, n, row, LINE if n > 1 else HEADER, problems) for n, row in enumerate(lines, 1) if row.strip()]
    if f'"kind": "{KIND}"' not in text.partition("\n")[0]:
        raise BadInput(f"{path}: not a file of choices; `tightrope play` writes one, {FILE}, in its run folder")
    if rows[0] is None:
        raise Problems(problems)
    header = {name: value for name, value in rows[0].items() if name != "kind"}
    found = Choices(**header)
    for n, row in enumerate(rows[1:], 2):
        if row is None:
            continue
        key = row["run"], row["actor"], row["turn"]
        why = None
        if row["actor"] not in found.actors:
            why = f"{row['actor']!r} is none of the actors {', '.join(found.actors)}"
        elif not 0 <= row["run"] < found.runs:
            why = f"no run {row['run']}; there are {found.runs}, from 0"
        elif not 1 <= row["turn"] <= found.turns:
            why = f"no turn {row['turn']}; they are 1 to {found.turns}"
        elif key in found.made:
            why = f"{row['actor']} has chosen in turn {row['turn']} already"
        if why is not None:
            problems.append(Problem(str(path), n, message=why))
            continue
        try:
            found.made[key] = Choice(
                acts=None if row["acts"] is None else tuple((str(act), to) for act, to in row["acts"]),
                accept=tuple((str(bargain), str(by)) for bargain, by in row["accept"]),
                refuse=tuple((str(bargain), str(by)) for bargain, by in row["refuse"]),
                attend=tuple(map(str, row["attend"])),
                stay_away=tuple(map(str, row["stay_away"])),
                waits=row["waits"],
            )
        except (TypeError, ValueError):
            problems.append(
                Problem(str(path), n, message="acts must be pairs of an action and a target or null; accept and "
                        "refuse pairs of a bargain and its proposer")
            )  # fmt: skip
    if problems:
        raise Problems(problems)
    return found


def _parsed(path: Path, n: int, text: str, wanted: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any] | None:
    """A line of the file, whole; None, and a problem, where it is not."""
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        problems.append(Problem(str(path), n, error.colno, message=f"not JSON: {error.msg}"))
        return None
    if not isinstance(row, dict):
        problems.append(Problem(str(path), n, message="must be an object { ... }"))
        return None
    for name, kinds in wanted.items():
        if name not in row:
            problems.append(Problem(str(path), n, message=f"{name} is missing"))
            return None
        value = row[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is int):
            problems.append(Problem(str(path), n, path=name, message=f"{json.dumps(value)} is of the wrong kind"))
            return None
    more = sorted(set(row) - set(wanted))
    if more:
        problems.append(Problem(str(path), n, message=f"unknown: {', '.join(more)}; known: {', '.join(wanted)}"))
        return None
    return row


def check(choices: Choices, compiled: Compiled, hashed: str, path: str | Path) -> None:
    """Whether the choices are of this scenario, and everything that they name is there. Raises Problems."""
    if choices.hash != hashed:
        raise BadInput(
            f"{path}: chosen in another scenario ({choices.scenario}) or with other numbers"
            f"{' (--set ' + ' --set '.join(choices.sets) + ')' if choices.sets else ''}; choices hold only where they "
            "were made"
        )
    problems = []
    unknown = [name for name in choices.actors if name not in compiled.actors]
    if unknown:
        raise BadInput(f"{path}: no actor {', '.join(unknown)}; the actors are {', '.join(compiled.actors)}")
    rows = {name: n for n, name in enumerate(compiled.actors)}
    known = {
        name: (options_of(compiled, rows[name]), deals_for(compiled, rows[name]), seats_of(compiled, rows[name]))
        for name in choices.actors
    }
    for (run, actor, turn), choice in choices.made.items():
        options, deals, seats = known[actor]
        whys = [f"no option “{named(act)}”" for act in choice.acts or () if act not in options]
        whys += [f"no bargain “{deal[0]}” by {deal[1]}" for deal in (*choice.accept, *choice.refuse)
                 if deal not in deals]  # fmt: skip
        whys += [f"no seat in “{forum}”" for forum in (*choice.attend, *choice.stay_away) if forum not in seats]
        place = f"turn {turn}" if choices.runs == 1 else f"run {run}, turn {turn}"
        problems += [Problem(str(path), path=place, message=f"{actor} has {why}") for why in whys]
    if problems:
        raise Problems(problems)

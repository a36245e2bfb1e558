"""Why an actor did what it did: a decision card of a recorded run, as data and as text.

`card` does the run again up to the turn (see `decision`), and adds the names, ranges and sources of the scenario.
"""

from __future__ import annotations

import difflib
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from sim import evidence, runs
from sim.apart import Contribution, Reliance
from sim.arrays import Compiled
from sim.dealing import Answer, Joining, Made, Outcome, Prospect, Session, Settled, Share, Side, Terms
from sim.decision import (
    Also,
    Considered,
    Contested,
    Decision,
    Flip,
    Learnt,
    Option,
    Rate,
    carriers,
    decide,
    flips,
)
from sim.errors import BadInput
from sim.naming import Words, capital, listed, share, spaced
from sim.scenario import Entry, Scenario, nearest, numbers, turn_of

SHOWN = 12  # rows of a table in the text
WIDTH = 98  # columns of the text
CHANGE = (
    "change: what it expects on the discounted average of the turns to come, with what follows from it; weight: own, "
    "or stake x regard of another"
)
PASSED_OVER = ("channel taken", "attention short", "attention gone")
TOLD = 5  # items of a list in the text
THEORIES = {
    "quantal": "the more an option is worth, the likelier it is drawn, by lambda",
    "best": "lambda without end: what is worth most",
    "random": "lambda 0: the draw follows the prior",
    "frozen": "nobody acts",
    "trend": "each option at the rate of the last twelve months, whatever it is worth",
    "reinforcement": "what an option brought when it was done stands for its worth",
    "challenge": "a hostile act where challenging the other would pay, a friendly one where it would not",
}
UNTIPPED = {
    "trend": "what is done follows from what was done in the last twelve months, and from no number",
    "frozen": "nobody acts, whatever the numbers",
}

__all__ = ["Card", "Decision", "Telling", "card", "card_of", "decide"]


# ------------------------------------------------------------------------------------------------ the card


@dataclass(frozen=True)
class Tip:
    """What would have made an option not taken likelier to be drawn first than what was done.

    done, rival: None is holding; rival is the likeliest of those compared. already: it was likelier as it was.
    flips: by which any of them is likelier, smallest first. itself: the smallest by which rival is, where that is not
    the first of the flips.
    """

    done: Option | None
    done_first: float
    rival: Option | None
    rival_first: float
    already: bool
    flips: list[Flip]
    itself: Flip | None


@dataclass(frozen=True)
class Cited:
    """A claim of a source document."""

    id: str
    locator: str
    statement: str


@dataclass(frozen=True)
class Source:
    """What a number rests on. carries: see `Carrier`; None for a number that is there because it would tip."""

    path: str
    value: float | str
    carries: float | None
    claims: list[Cited]
    assumption: str | None


@dataclass(frozen=True)
class Card:
    """Why an actor did what it did in one turn of a recorded run.

    focus: the act explained; None where the actor held. notes: what the reader must know of how this was computed.
    """

    folder: str
    date: str
    decision: Decision
    focus: Option | None
    tips: list[Tip]
    sources: list[Source]
    notes: list[str]
    scenario: Scenario = field(repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return {
            "folder": self.folder,
            "scenario": self.scenario.title,
            "date": self.date,
            "summary": Telling(self).summary(),
            **{name: _plain(getattr(self, name)) for name in ("focus", "tips", "sources", "notes")},
            **_plain(self.decision),
        }

    def text(self) -> str:
        """The card for the terminal."""
        return Telling(self).whole()


def _plain(value: Any) -> Any:
    """As JSON has it; an option becomes its action and target, and what belongs to the machinery is left out."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return dict(zip(("action", "target"), value, strict=True))
    if is_dataclass(value):
        return {name.name: _plain(getattr(value, name.name)) for name in fields(value) if name.repr}
    return value


def card(
    folder: str | Path | runs.Run,
    actor: str,
    turn: str | int,
    run: int = 0,
    action: str | None = None,
    target: str | None = None,
    whole: bool = True,
) -> Card:
    """Why an actor did what it did in a turn of a recorded run, recomputed from the folder's scenario and seed.

    folder: its place, or the run when it is open already. turn: a date of the run such as `2021-08`, or a number from
    1. action, target: which act to explain, taken or not; the first one taken if left out. whole: see `card_of`. Raises
    BadInput for a name that there is not, FolderProblem for a bad folder.
    """
    recorded = folder if isinstance(folder, runs.Run) else runs.open_run(folder)
    recorded.check_run(run)
    manifest = recorded.manifest
    policy = manifest["policy"] if manifest["policy_set"] else None
    took = recorded.choices
    first, chosen = (0, None) if took is None else (took.run, took.of(run))
    made = card_of(recorded.prepared, manifest["seed"], run, actor, turn, policy, action, target, first, chosen, whole)
    notes = [*recorded.changes(), *_compared(recorded, recorded.prepared.compiled, made.decision)]
    return replace(made, folder=str(recorded.folder), notes=notes)


def card_of(
    ready: runs.Prepared,
    seed: int,
    run: int,
    actor: str,
    turn: str | int,
    policy: str | None = None,
    action: str | None = None,
    target: str | None = None,
    first: int = 0,
    chosen: Any = None,
    whole: bool = True,
) -> Card:
    """The same of a run that lies in no folder, which scenario, seed, number and policy make.

    first: number of the first run, where what players chose begins elsewhere than at 0; chosen: what they chose in it.
    whole: also what would have tipped it and what the numbers rest on, for which all numbers are tried, one after the
    other.
    """
    ready = ready.one(seed, first + run)
    scenario: Scenario = ready.scenario
    labels = list(ready.legend.dates)
    number = _turn(scenario, {"dates": labels, "turns": ready.turns}, turn)
    decision = replace(decide(ready.compiled, seed, first + run, number, actor, policy, chosen), run=run)
    focus = _focus(decision, action, target)
    entries = {entry.path: entry for entry in numbers(scenario)}
    tips = _tips(decision, focus, entries) if whole else []
    return Card(
        folder="",
        date=labels[number],
        decision=decision,
        focus=focus,
        tips=tips,
        sources=_cited(decision, focus, tips, entries) if whole else [],
        notes=[],
        scenario=scenario,
    )


def _turn(scenario: Scenario, manifest: Mapping[str, Any], turn: str | int) -> int:
    """The turn of a date or a number."""
    labels, last = list(manifest["dates"]), int(manifest["turns"])
    text = str(turn).strip()
    found = None
    if text in labels:
        found = labels.index(text)
    elif text.isascii() and text.isdigit() and len(text) < 4:
        found = int(text)
    else:
        try:
            found = turn_of(scenario.model_copy(update={"turns": last}), text)
        except (ValueError, TypeError):  # not a date at all
            found = None
    if found is None or not 1 <= found <= last:
        why = " is the start, before anyone chose" if found == 0 else ""
        near = difflib.get_close_matches(text, labels[1:], 1, 0.0) if "-" in text and not why else []
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInput(
            f"turn {text}{why or ': not in this run'}; its turns are {labels[1]} (1) to {labels[last]} ({last}){hint}"
        )
    return found


def _focus(decision: Decision, action: str | None, target: str | None) -> Option | None:
    """The option that the card is about; None is holding."""
    if action is None and target is None:
        return decision.taken[0].name if decision.taken else None
    fitting = [option for option in decision.options if action is None or option.action == action]
    if not fitting:
        actions = sorted({option.action for option in decision.options})
        raise BadInput(f'{decision.actor} has no action "{action}"{nearest(str(action), actions)}')
    if target is not None:
        targets = sorted({option.target for option in fitting if option.target is not None})
        fitting = [option for option in fitting if option.target == target]
        if not fitting:
            what = f'"{action}" ' if action else "nothing "
            raise BadInput(f'{decision.actor} can do {what}to no "{target}"{nearest(target, targets)}')
    return min(fitting, key=lambda option: (option.order or math.inf, not option.available, -option.first)).name


def _tips(decision: Decision, focus: Option | None, entries: Mapping[str, Entry]) -> list[Tip]:
    """The comparisons of the card: with the likeliest option not taken, and with holding."""
    if decision.policy in UNTIPPED:
        return []
    passed = [option.name for option in decision.passed]
    taken = [option.name for option in decision.taken]
    compared: list[tuple[Option | None, list[Option | None]]]
    if focus in taken:
        compared = [(focus, [*passed]), (focus, [None])]
    elif focus is None:
        compared = [(None, [*passed])]
    else:  # why not this one: against what was done
        compared = [(taken[0] if taken else None, [focus] if focus in passed else [])]
    ranges = {
        path: (float(entry.quantity.range[0]), float(entry.quantity.range[1]))
        for path, entry in entries.items()
        if entry.quantity.range is not None
    }
    first = {option.name: option.first for option in decision.options} | {None: decision.hold_first}
    tips = []
    for done, rivals in compared:
        if rivals:
            rival = max(rivals, key=lambda name: first[name])
            already = first[rival] > first[done]
            found = [] if already else flips(decision.desk, done, rivals, ranges, entries)
            itself = None
            if found and found[0].then != rival:
                itself = next(iter(flips(decision.desk, done, [rival], ranges, entries)), None)
            tips.append(Tip(done, first[done], rival, first[rival], already, found, itself))
    return tips


def _cited(decision: Decision, focus: Option | None, tips: Sequence[Tip], entries: Mapping[str, Entry]) -> list[Source]:
    """What the numbers rest on that matter most: those that carry the act, or the likeliest where the actor held."""
    about = focus or (decision.passed[0].name if decision.passed else None)
    found: dict[str, float | None] = {}
    if about is not None and decision.option(*about).available and decision.policy not in UNTIPPED:
        found = {one.path: one.carries for one in carriers(decision.desk, about, entries)}
    for tip in tips:
        for flip in tip.flips[:1]:
            found.setdefault(flip.path, None)
    claims = evidence.claims()
    sources = []
    for path, carries in found.items():
        entry = entries[path]
        cited = [
            Cited(name, claims[name].locator, claims[name].statement) if name in claims else Cited(name, "", "")
            for name in entry.claim or []
        ]
        sources.append(Source(path, entry.quantity.value, carries, cited, entry.assumption))
    return sources


def _compared(recorded: runs.Run, compiled: Compiled, decision: Decision) -> list[str]:
    """Whether the acts up to the turn came out again as they were recorded."""
    if not recorded.complete:
        return ["the folder keeps no acts (more than 1,000 runs), so this could not be compared with what was recorded"]
    rows = recorded.one("acts", decision.run)
    columns = [rows.column(name).to_pylist() for name in ("turn", "actor", "action", "target", "probability")]
    written = [row for row in zip(*columns, strict=True) if row[0] <= decision.turn]
    again = [(turn, *compiled.options[o], probability) for turn, o, probability in decision.acts]
    if written == again:
        return []
    for old, new in zip(written, again, strict=False):
        if old != new:
            turn = min(old[0], new[0])
            break
    else:
        turn = [*written, *again][min(len(written), len(again))][0]
    return [
        f"recomputed, the run differs from what was recorded, from turn {turn} on; this card tells the recomputed one"
    ]


# ------------------------------------------------------------------------------------------------ in words


def _signed(value: float) -> str:
    return f"{value:+.4f}" if abs(value) >= 5e-5 else f"{value:+.1e}" if value else "0"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def wrapped(text: str, indent: str = "", later: str | None = None) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent if later is None else later,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """Aligned columns: the first `left` to the left and broken to fit the width, the others to the right."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    spare = WIDTH - 2 - sum(widths) - 2 * (len(widths) - 1)
    while spare < 0:
        widest = max(range(left), key=lambda n: widths[n])
        widths[widest] -= 1
        spare += 1
    out = []
    for line in lines:
        broken = [
            textwrap.wrap(text, max(width, 3), subsequent_indent="  ", break_on_hyphens=False) or [""]
            for text, width in zip(line[:left], widths, strict=False)
        ]
        for step in range(max(map(len, broken))):
            cells = [(parts[step] if step < len(parts) else "").ljust(widths[n]) for n, parts in enumerate(broken)]
            if step == 0:
                cells += [text.rjust(width) for text, width in zip(line[left:], widths[left:], strict=True)]
            out.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(out)


def _times(number: int) -> str:
    return "one step" if number == 1 else f"{number} steps"


def _ordinal(number: int) -> str:
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    return words[number - 1] if number <= len(words) else f"as number {number}"


class Telling:
    """A card in words, a method a part."""

    def __init__(self, card: Card) -> None:
        self.card, self.decision, self.words = card, card.decision, Words(card.scenario)
        self.open = [option for option in self.decision.options if option.available]

    def whole(self) -> str:
        """All parts, with an empty line between."""
        full, brief = self.shown()
        parts = [
            self.heading(),
            self.seen(),
            self.expected(),
            self.menu(),
            *(self.apart(option, option is full[0]) for option in full),
            self.briefly(brief),
            self.dealt(),
        ]
        parts += [self.tipping(), self.sources(), self.notes()]
        return "\n\n".join(part for part in parts if part) + "\n"

    def heading(self) -> str:
        where = f"{self.card.scenario.title}, run {self.decision.run}, turn {self.decision.turn}"
        return f"{where}\n{wrapped(self.summary())}"

    # -- the answer in a sentence, and in a paragraph

    def in_short(self) -> str:
        """Whether the act was done, and above all why."""
        decision, words = self.decision, self.words
        who, when = words.actor(decision.actor), words.date(self.card.date)
        if decision.policy == "frozen":
            return f"{capital(who)} did nothing in {when}: under the policy `frozen` nobody acts."
        if self.card.focus is None:
            return f"{capital(who)} did nothing in {when}: {self.why_nothing()}."
        focus = decision.option(*self.card.focus)
        name = self.quoted(focus.name)
        if focus.order:
            return self.why_done(focus, f"{capital(who)} did {name} in {when}")
        if focus.name in decision.events:
            return f"{capital(who)} did {name} in {when}, but did not choose to: it is a dated event of the scenario."
        for also in decision.also:
            if (also.action, also.target) == focus.name:
                why = "to deliver what it owed" if also.why == "delivery" else "on the occasion of a session"
                return (
                    f"{capital(who)} did {name} in {when} {why}, with a chance of {share(also.probability)} then; of "
                    "its own accord it did not choose it."
                )
        return self.why_not(focus, f"{capital(who)} did not do {name} in {when}")

    def why_nothing(self) -> str:
        """Of an actor that held, as the end of a sentence."""
        if not self.decision.options:
            return "the scenario gives it nothing that it could do"
        if not self.open:
            return "no option was open to it"
        best, held = self.open[0], share(self.decision.hold_first)
        if best.first > self.decision.hold_first:
            return f"the draw decided, for {self.quoted(best.name)} was likelier ({share(best.first)}, against {held})"
        worth = f"was worth {_signed(best.utility)} to it and had a chance of {share(best.first)}"
        return f"of {len(self.open)} open options the likeliest, {self.quoted(best.name)}, {worth}, against {held}"

    def why_done(self, focus: Considered, lead: str) -> str:
        """Of an act that was chosen."""
        worth = f"worth {_signed(focus.utility)} to it"
        if self.decision.by_player:
            return f"{lead}: a player chose it. To the model it was {worth}{self.reasons(focus)}."
        likelier = [option for option in self.open if option.first > focus.first]
        if likelier:
            rival = f"{share(likelier[0].first)} for {self.quoted(likelier[0].name)}"
            came = f"the draw decided: its chance to come up first was {share(focus.first)}, against {rival}"
        else:
            came = f"of {len(self.open)} open options it was the likeliest to come up first ({share(focus.first)})"
        return f"{lead}: it was {worth}, and {came}{self.reasons(focus)}."

    def why_not(self, focus: Considered, lead: str) -> str:
        """Of an act that was not done."""
        if not focus.available:
            return f"{lead}: it was not open to it. {capital(self.wanting(focus))}."
        others = [("doing nothing", self.decision.hold_first)]
        others += [(self.quoted(option.name), option.first) for option in self.decision.taken[:1]]
        rival, first = max(others, key=lambda other: other[1])
        worth = f"worth {_signed(focus.utility)} to it"
        chance = f"Its chance to come up first was {share(focus.first)}, against {share(first)} for {rival}"
        if self.decision.by_player:
            return f"{lead}: a player chose otherwise. To the model it was {worth}{self.reasons(focus)}. {chance}."
        if focus.fate in PASSED_OVER:
            why = {
                "channel taken": "it did something else to the same target through the same channel",
                "attention short": "too little of its attention was left, and the draw went against it",
                "attention gone": "its attention was spent",
            }[focus.fate]
            return f"{lead}: the draw brought it up, but {why}. It was {worth}{self.reasons(focus)}. {chance}."
        drew = ": the draw decided" if focus.first > first else ""
        return f"{lead}, though it was open: it was {worth}{self.reasons(focus)}. {chance}{drew}."

    def reasons(self, option: Considered) -> str:
        """The two greatest of what speaks for an option, and of what speaks against it."""
        sums: dict[str, float] = {}
        for part in option.contributions:
            whose = "" if part.owner == self.decision.actor else f"{self.words.actor(part.owner)}: "
            name = whose + self.indicator(part.path)
            sums[name] = sums.get(name, 0.0) + part.utility
        if sums:
            sums["its cost"] = -option.cost
        told = []
        for side, sign in (("for it", 1.0), ("against it", -1.0)):
            parts = sorted((item for item in sums.items() if sign * item[1] > 5e-5), key=lambda item: -sign * item[1])
            if parts:
                told.append(f"{side} {listed([f'{name} {_signed(value)}' for name, value in parts[:2]])}")
        return f"; {', '.join(told)}" if told else ""

    def summary(self) -> str:
        """What was done, how likely it was, and whether the draw or the reasons decided."""
        decision, words = self.decision, self.words
        acts = [words.option(option.name) for option in decision.taken] or ["does nothing"]
        parts = [f"{words.date(self.card.date)}: {capital(words.actor(decision.actor))} {listed(acts)}."]
        if decision.by_player:
            parts.append("A player chose; the chances are those that the model's own choice would have had.")
        if decision.events:
            done = listed([words.option(option) for option in decision.events])
            parts.append(f"By a dated event of the scenario it also {done}.")
        for also in decision.also:
            why = "To deliver what it owed" if also.why == "delivery" else "On the occasion of a session"
            came = "" if also.succeeded else ", and failed"
            parts.append(f"{why} it {words.option((also.action, also.target))} ({share(also.probability)}){came}.")
        parts += self.answered()
        if decision.policy == "frozen":
            parts.append("Under the policy `frozen` nobody acts, whatever it would be worth.")
        elif not self.open:
            parts.append("No option was open to it.")
        elif self.card.focus is None:
            parts += [f"Doing nothing had a chance of {share(decision.hold_first)} to come up first.", self.why_none()]
        else:
            parts += self.about(decision.option(*self.card.focus))
        return " ".join(parts)

    def answered(self) -> list[str]:
        """What it answered, broke and attended, a sentence each."""
        told, words, me = [], self.words, self.decision.actor
        for answer in self.decision.dealings.answers:
            if answer.target == me and answer.probability is not None:
                offer = f"‘{words.option((answer.bargain, answer.target))}’"
                odds = f"accepting had {share(answer.probability)}"
                told.append(f"It {answer.result} an offer of {words.actor(answer.proposer)}, {offer} ({odds}).")
        for settled in self.decision.dealings.settled:
            if settled.giver == me and settled.result == "broken":
                kept = share(settled.probability or 0.0)
                told.append(f"It broke its promise to {words.actor(settled.receiver)} (keeping it had {kept}).")
        for session in self.decision.dealings.sessions:
            if session.attended is not None:
                did = "attended" if session.attended else "stayed away from"
                told.append(
                    f"It {did} a session of {words.forum(session.forum)} ({share(session.probability or 0.0)})."
                )
        more = len(told) - TOLD
        return told[:TOLD] + ([f"And {more} more, below."] if more > 0 else [])

    def about(self, focus: Considered) -> list[str]:
        """What is said of the act explained."""
        name, worth = capital(self.words.option(focus.name)), f"{self.worth_word} {_signed(focus.utility)}"
        holding = f"Doing nothing had {share(self.decision.hold_first)}."
        if focus.order:
            came = "it succeeded" if focus.succeeded else "it failed"
            then = "by a player" if focus.probability is None else f"chance {share(focus.probability)} then"
            return [
                f"{name}: taken {_ordinal(focus.order)} ({then}, {worth}); {came}.",
                self.standing(focus),
                holding,
            ]
        if focus.available:
            first = f"its chance to be drawn first was {share(focus.first)}, its {worth}"
            return [f"{name}: {focus.fate}; {first}.", holding]
        return [f"{name}: not open to it; {self.wanting(focus)}."]

    def standing(self, focus: Considered) -> str:
        """Whether the act was the likeliest of all to be drawn first."""
        others = [option for option in self.open if option is not focus]
        likelier = [option for option in others if option.first > focus.first]
        first = share(focus.first)
        if likelier:
            return f"To be drawn first it had {first}: {self.named(likelier)} likelier, and the draw decided."
        if not others:
            return f"Nothing else was open to it; to be drawn first it had {first}."
        return (
            f"Of the {len(self.open)} options open it was the likeliest to be drawn first ({first}); the next, "
            f"{self.words.option(others[0].name)}, had {share(others[0].first)}."
        )

    def why_none(self) -> str:
        """Whether holding was the likeliest of all."""
        likelier = [option for option in self.open if option.first > self.decision.hold_first]
        if likelier:
            return f"{capital(self.named(likelier))} likelier: the draw decided."
        best = self.open[0]
        reason = "worth nothing to it" if best.utility <= 0.0 else "worth too little against doing nothing"
        return (
            f"No single option was likelier; the likeliest of {len(self.open)}, {self.words.option(best.name)}, had "
            f"{share(best.first)} at an expected utility of {_signed(best.utility)}: {reason}."
        )

    def named(self, options: Sequence[Considered]) -> str:
        """The first two, how many more, and their verb."""
        told = [f"{self.words.option(option.name)} ({share(option.first)})" for option in options[:2]]
        told += [f"{len(options) - 2} more"] if len(options) > 2 else []
        return f"{listed(told)} {'was' if len(options) == 1 else 'were'}"

    @property
    def worth_word(self) -> str:
        return "propensity" if self.decision.policy == "reinforcement" else "expected utility"

    def wanting(self, option: Considered) -> str:
        """Why an option was not available."""
        told = [option.closed] if option.closed else []
        for missing in option.missing:
            if missing.path is None or missing.value is None:
                told.append("the pair has no such relation")
                continue
            bound = "at least" if missing.bound == "at_least" else "at most"
            wanted, value = (self.words.value(missing.path, number) for number in (missing.wanted, missing.value))
            told.append(f"{self.indicator(missing.path)} must be {bound} {wanted} and is {value}")
        return "; ".join(told)

    # -- what it saw and could do

    def seen(self) -> str:
        """What the actor cared for as it stood, and for whom."""
        decision, words = self.decision, self.words
        parts = [f"What {words.actor(decision.actor)} saw at the start of the turn"]
        rows = [
            [
                spaced(want.interest), self.indicator(want.path), words.value(want.path, want.value),
                words.value(want.path, want.ideal), f"{want.salience:.2f}", f"{want.unmet:.4f}",
            ]
            for want in decision.wants
        ]  # fmt: skip
        if rows:
            parts.append(table(["interest", "indicator", "now", "ideal", "salience", "unmet"], rows, 2))
        minds = [
            f"{words.actor(mind.actor)} {mind.weight:+.3f} ({mind.stake:.2f} x {mind.regard:+.2f})"
            for mind in sorted(decision.minds, key=lambda mind: -abs(mind.weight))
        ]
        if minds:
            parts.append(wrapped(f"It minds others' gains by stake x regard: {', '.join(minds)}.", "  "))
        theory = f"theory: {decision.policy} ({THEORIES[decision.policy]})"
        depth = f"; depth {decision.depth}" if decision.depth else ""
        parts.append(
            wrapped(
                f"Attention to spend {decision.attention:.2f}; rationality (lambda) {decision.rationality:g}; "
                f"foresight {decision.foresight:g}; loss exponent {decision.risk:g}{depth}; {theory}.",
                "  ",
            )
        )
        return "\n".join(parts)

    def expected(self) -> str:
        """What it expected others to do, and what it would have made of its options without that."""
        decision, words = self.decision, self.words
        if not decision.depth:
            return ""
        parts = [f"What it expected others to do this turn (it reckons {_times(decision.depth)} ahead)"]
        rows = [
            [
                self.indicator(shift.path), words.value(shift.path, shift.value), f"{shift.then - shift.value:+.4f}",
                ", ".join(f"{words.actor(doer.actor)} {doer.shift:+.4f}" for doer in shift.by[:2])
                + (f" and {len(shift.by) - 2} more" if len(shift.by) > 2 else ""),
            ]
            for shift in decision.expects[:TOLD]
        ]  # fmt: skip
        if rows:
            cells = [
                [row[0], row[3], row[1], row[2], _signed(shift.worth)]
                for row, shift in zip(rows, decision.expects, strict=False)
            ]
            parts.append(table(["indicator", "by whom", "now", "shift", "worth"], cells, 2))
        else:
            parts.append("  Nothing that matters to it.")
        open_ = [option for option in self.open if option.alone]
        if open_:
            best = max(open_, key=lambda option: option.alone.first if option.alone else 0.0)
            alone = best.alone.first if best.alone else 0.0
            held = decision.hold_alone or 0.0
            first = f"doing nothing ({share(held)})" if held > alone else f"{self.quoted(best.name)} ({share(alone)})"
            parts.append(wrapped(f"Expecting nothing, the likeliest to be drawn first were {first}.", "  ", "    "))
            changed = sorted(
                open_, key=lambda option: -abs(option.first - (option.alone.first if option.alone else 0.0))
            )
            told = [
                f"{self.quoted(option.name)} {share(option.alone.first)} → {share(option.first)} "
                f"(EU {_signed(option.alone.utility)} → {_signed(option.utility)})"
                for option in changed[:3]
                if option.alone and option.alone.first != option.first
            ]
            if told:
                parts.append(wrapped(f"What it expects changed most: {'; '.join(told)}.", "  ", "    "))
        return "\n".join(parts)

    def menu(self) -> str:
        """The open options, or the first of them, with what speaks for each beforehand and by its worth."""
        decision, words = self.decision, self.words
        shown = [
            option for n, option in enumerate(self.open) if n < SHOWN or option.order or option.name == self.card.focus
        ]
        lines = [
            (
                option.first,
                [
                    words.option(option.name), self.fate(option), f"{option.chance:.2f}", _signed(option.utility),
                    f"{decision.rationality * option.utility:+.2f}", share(option.prior), share(option.first),
                ],
            )
            for option in shown
        ]  # fmt: skip
        held = "came up first" if not decision.taken and decision.policy != "frozen" else ""
        nothing = _signed(decision.held.propensity) if decision.held else "0"
        holding = ["does nothing", held, "", nothing, "0", share(decision.hold_prior), share(decision.hold_first)]
        lines.append((decision.hold_first, holding))
        rows = [row for _, row in sorted(lines, key=lambda line: -line[0])]
        worth = "propensity" if decision.policy == "reinforcement" else "EU"
        heads = [
            "option",
            "taken",
            "chance",
            worth,
            "lambda EU",
            "prior",
            "rate" if decision.policy == "trend" else "first",
        ]
        if decision.policy != "quantal":
            for row in (heads, *rows):
                row.pop(4)
        parts = []
        if self.open:
            by = "the rate at which it was done" if decision.policy == "trend" else "the chance of being drawn first"
            head = f"What it could do ({len(self.open)} open), by {by}"
            parts += [head, table(heads, rows, 2)]
        left = [option for option in self.open if option not in shown]
        if left:
            parts.append(f"  and {len(left)} more, together {share(math.fsum(option.first for option in left))}")
        if decision.taken and decision.policy != "trend":
            legend = "taken: in which order, and with what chance of being drawn next among what was left"
            fits = " (times attention left over effort, where that is short)"
            parts.append(wrapped(f"{legend}{fits}.", "  ", "    "))
        if any(option.fate in PASSED_OVER for option in shown):
            legend = "channel taken, attention short or gone: the draw brought it up, but it was passed over for that"
            parts.append(wrapped(f"{legend}.", "  ", "    "))
        shut = [option for option in decision.options if not option.available]
        if shut:
            told = [f"{words.option(option.name)} ({self.wanting(option)})" for option in shut[:3]]
            told += [f"and {len(shut) - 3} more"] if len(shut) > 3 else []
            parts.append(wrapped(f"Not open to it ({len(shut)}): {'; '.join(told)}.", "  ", "    "))
        return "\n".join(parts)

    def fate(self, option: Considered) -> str:
        """What became of an option, in a few words."""
        if not option.order:
            return "" if option.fate == "not drawn" else option.fate
        came = "" if option.succeeded else ", failed"
        odds = "by a player" if option.probability is None else f"at {share(option.probability)}"
        return f"{_ordinal(option.order)}, {odds}{came}"

    # -- expected utility as a sum

    def shown(self) -> tuple[list[Considered], list[Considered]]:
        """Options taken apart in full: the act explained and the likeliest other; in a line: what else was taken, and
        the two next likeliest."""
        decision = self.decision
        focus = [] if self.card.focus is None else [decision.option(*self.card.focus)]
        rest = [option for option in decision.passed if option not in focus]
        full = [option for option in focus if option.available] + rest[:1]
        brief = [option for option in decision.taken if option not in full]
        return full, brief + rest[1:3]

    def apart(self, option: Considered, explained: bool) -> str:
        """An option's expected utility as a table."""
        words = self.words
        done = "done" if option.order else "done otherwise" if option.fate == "done otherwise" else "not done"
        if isinstance(option.theory, Learnt | Contested):
            head = f"{capital(words.option(option.name))} ({done}): what it was weighed by"
            return f"{wrapped(head)}\n{wrapped(self.by_theory(option), '  ', '    ')}"
        large, small = _large(option)
        rows = [
            [
                self.interest(part) + ("*" if part.attempt else ""), self.indicator(part.path),
                words.value(part.path, part.value), f"{part.change:+.4f}",
                "own" if part.owner == self.decision.actor else f"{part.weight:+.3f}", _signed(part.utility),
            ]
            for part in large
        ]  # fmt: skip
        if small:
            rows.append([f"{len(small)} smaller", *[""] * 4, _signed(math.fsum(part.utility for part in small))])
        rows.append(["cost", *[""] * 4, _signed(-option.cost)])
        rows.append(["expected utility", *[""] * 4, _signed(option.utility)])
        lines = [
            wrapped(f"{capital(words.option(option.name))} ({done}): its expected utility, part by part"),
            table(["interest", "indicator", "now", "change", "weight", "EU"], rows, 2),
        ]
        if isinstance(option.theory, Rate):
            lines.append(wrapped(self.by_theory(option), "  ", "    "))
        lines += [wrapped(line, "  ", "    ") for line in self.dealing(option)]
        plain = any(not part.attempt and part.through == "itself" for part in option.contributions)
        if option.chance < 1.0 and plain:
            lines.append(f"  What hangs on success is counted at its chance of {share(option.chance)}.")
        if any(part.attempt for part in large):
            lines.append("  * whether or not it succeeds")
        lines += [wrapped(self.reliance(reliance), "  ", "    ") for reliance in option.reliances]
        moves: dict[tuple[str, int], float] = {}
        for move in option.moves:
            if abs(move.change) > 5e-5:
                moves[move.path, move.after] = moves.get((move.path, move.after), 0.0) + move.change
        if moves:
            told = [
                f"{self.indicator(path)} {change:+.3f}" + (f" after {after} turns" if after else "")
                for (path, after), change in list(moves.items())[:6]
            ]
            told += [f"and {len(moves) - 6} more"] if len(moves) > 6 else []
            lines.append(wrapped(f"What it moves by itself: {'; '.join(told)}.", "  ", "    "))
        if explained:
            lines.append(wrapped(f"{CHANGE}.", "  ", "    "))
        return "\n".join(lines)

    def briefly(self, options: Sequence[Considered]) -> str:
        """Other options' expected utility, a line each."""
        if not options:
            return ""
        lines = ["The same for the others taken and the next likeliest"]
        for option in options:
            if isinstance(option.theory, Learnt | Contested):
                named = f"{capital(self.words.option(option.name))}: {self.by_theory(option)}"
                lines.append(wrapped(named, "  ", "    "))
                continue
            large, small = _large(option)
            told = [f"{self.interest(part)} {_signed(part.utility)}" for part in large[:6]]
            rest = [*large[6:], *small]
            told += [f"{len(rest)} smaller {_signed(math.fsum(part.utility for part in rest))}"] if rest else []
            told.append(f"cost {_signed(-option.cost)}")
            done = "" if option.order else " (not done)"
            sum_ = f"{capital(self.words.option(option.name))}{done}: {_signed(option.utility)} = {', '.join(told)}."
            if option.terms is not None:
                sum_ += f" It expects {share(option.terms.accept or 0.0)} to be accepted."
            relied = "".join(f" {self.reliance(reliance)}" for reliance in option.reliances)
            lines.append(wrapped(sum_ + relied, "  ", "    "))
        return "\n".join(lines)

    def indicator(self, path: str) -> str:
        return self.words.indicator(path, self.decision.actor)

    def interest(self, part: Contribution) -> str:
        name = spaced(part.interest)
        name = name if part.owner == self.decision.actor else f"{self.words.actor(part.owner)}: {name}"
        return name if part.through == "itself" else f"{name} [{part.through}]"

    def reliance(self, reliance: Reliance) -> str:
        """How far a promise counts, as a product."""
        promise = self.card.scenario.assurances[reliance.kind].title or spaced(reliance.kind)
        product = f"promised {reliance.promised:.3f} x credibility {reliance.credibility:.3f} = "
        product = product if reliance.on == "kept" else f"1 - {product}"
        return (
            f"It hangs on a promise of {self.words.actor(reliance.giver)}, {promise}: what follows if that is "
            f"{reliance.on} counts by {product}{reliance.counts:.3f}; the promise adds {_signed(reliance.adds)}."
        )

    # -- offers, sessions, words and other theories

    def by_theory(self, option: Considered) -> str:
        """The numbers of a rival theory for an option."""
        theory = option.theory
        if isinstance(theory, Rate):
            times = f"{theory.here:g} in this run, {theory.before:g} in the dated record before it"
            rate = f"done {theory.before + theory.here:g} times in the last {theory.window} turns ({times})"
            return f"Under `trend`: {rate}, so done at {share(theory.rate)}; what it is worth does not count."
        if isinstance(theory, Learnt):
            return f"Under `reinforcement`: {self.learnt(theory)}."
        if isinstance(theory, Contested):
            if theory.expected is None or theory.other is None or theory.own is None:
                return f"Under `challenge`: no contest of two positions; EU = -cost = {_signed(option.utility)}."
            wins = "" if theory.wins is None else f", would prevail with {share(theory.wins)}"
            stands = (
                f"it stands at {theory.own:.3f}, the other at {theory.other:.3f} (resolve {theory.resolve:.2f}){wins}"
            )
            product = f"-0.01 x tenor {theory.tenor:+.2f} x E - cost {option.cost:.4f} = {_signed(option.utility)}"
            return f"Under `challenge`: {stands}; E of challenging it {theory.expected:+.4f}; EU = {product}."
        return ""

    def learnt(self, theory: Learnt) -> str:
        """A propensity and what made it."""
        if not theory.experiences:
            return f"propensity {_signed(theory.propensity)}, as it has not been tried"
        last = theory.experiences[-TOLD:]
        told = ", ".join(f"turn {one.turn} brought {_signed(one.gain)} → {_signed(one.after)}" for one in last)
        earlier = len(theory.experiences) - len(last)
        return f"propensity {_signed(theory.propensity)} ({told}{f'; {earlier} earlier' if earlier else ''})"

    def dealing(self, option: Considered) -> list[str]:
        """What stands behind an offer, a convening or a word, a sentence or two each."""
        lines = []
        if option.terms is not None:
            lines += self.terms(option.terms)
        if option.prospect is not None:
            lines += self.prospect(option.prospect)
        for prompted in option.prompted[:TOLD]:
            kind = self.card.scenario.assurances[prompted.kind].title or spaced(prompted.kind)
            text = (
                f"What its word ({kind}) would make others do: {self.words.deed(prompted.deed)}, likelier by "
                f"{prompted.rise:+.4f}; worth {_signed(prompted.value)} to it: {_signed(prompted.utility)}."
            )
            lines.append(text)
        return lines

    def terms(self, terms: Terms) -> list[str]:
        """How likely an offer is taken, and why."""
        other, words = terms.target.actor, self.words
        answers = f"accepts with {share(terms.accept or 0.0)}"
        if terms.instead is not None:
            answers += f", offers ‘{words.option((terms.instead.bargain, other))}’ instead with "
            answers += f"{share(terms.counter or 0.0)} (which it would take with {share(terms.instead.reply or 0.0)})"
        odds = f"lambda {terms.target.rationality:g} x X - bias {terms.bias:g}"
        lines = [
            f"{capital(words.actor(other))} {answers}: {odds}, with X = {self.side(terms.target)}.",
            f"To {words.actor(terms.proposer.actor)} the deal is worth X = {self.side(terms.proposer)}.",
        ]
        if terms.instead is not None:
            lines.append(
                f"By the counter-offer X = {self.side(terms.instead.target)} to the one, "
                f"{self.side(terms.instead.proposer)} to the other."
            )
        for joiner in terms.joiners:
            came = "" if joiner.joined is None else "; joined" if joiner.joined else "; did not join"
            told = f"joins with {share(joiner.probability)} (X = {_signed(joiner.worth)}){came}"
            lines.append(f"{capital(words.actor(joiner.actor))} {told}.")
        return lines

    def side(self, side: Side) -> str:
        """X as a sum."""
        shares = "; ".join(self.part_of_deal(part) for part in side.shares)
        return f"{_signed(side.worth)} ({shares})"

    def part_of_deal(self, part: Share) -> str:
        """One act of a deal as one side has it."""
        factors = [f"EU {_signed(part.value)}" if part.own else f"V {_signed(part.value)}"]
        factors += [] if part.own else [f"credibility {part.credibility:.3f}"]
        factors += [f"foresight {part.discount:.3f}"] if part.discount != 1.0 else []
        factors += [f"joining {share(part.counts)}"] if part.counts != 1.0 else []
        product = " x ".join(factors)
        product += f" = {_signed(part.worth)}" if len(factors) > 1 else ""
        large = sorted(part.contributions, key=lambda one: -abs(one.utility))[:2]
        why = ", ".join(f"{spaced(one.interest)} {_signed(one.utility)}" for one in large if one.utility)
        verb_ = "does" if part.own else "gets"
        return f"{verb_} ‘{self.words.deed(part.deed)}’: {product}{f', by {why}' if why else ''}"

    def prospect(self, prospect: Prospect) -> list[str]:
        """What a convener expects of a session."""
        words = self.words
        moves = sorted(prospect.moves, key=lambda move: -abs(move.worth))
        told = [
            f"{spaced(move.item)}, {words.actor(move.member)} {move.value:.3f} {move.change:+.3f} "
            f"(worth {_signed(move.worth)})"
            for move in moves[:TOLD]
        ]
        more = f"; and {len(moves) - TOLD} more" if len(moves) > TOLD else ""
        lines = [f"If all attend, the moves are worth {_signed(prospect.worth_of_moves)}: {'; '.join(told)}{more}."]
        if not moves:
            lines = ["If all attend, nobody's position moves."]
        return lines + [self.outcome(prospect.forum, output) for output in prospect.outputs]

    def outcome(self, forum: str, output: Outcome) -> str:
        """One output that a convener expects."""
        words = self.words
        spread = f"spread {output.spread:.3f}, must be below {output.within:.3f}"
        text = f"‘{words.output(forum, output.output)}’ follows with {share(output.follows)} ({spread}"
        vetoes = sorted(output.vetoes, key=lambda veto: -veto.probability)[:TOLD]
        text += "".join(f"; {words.actor(veto.member)} stops it with {share(veto.probability)}" for veto in vetoes)
        text += f"); worth {_signed(output.value)} itself"
        for act in output.acts[:TOLD]:
            text += f"; {words.deed(act.deed)} with {share(act.willing)}, worth {_signed(act.value)}"
        return f"{text}: {_signed(output.worth)} in all."

    def dealt(self) -> str:
        """What it was offered and answered, what fell due, where it came and how it voted."""
        told = self.dealings()
        if not told:
            return ""
        return "\n".join(["What it answered, owed, attended and voted", *(wrapped(one, "  ", "    ") for one in told)])

    def dealings(self) -> list[str]:
        """The same, a sentence or two each."""
        dealings = self.decision.dealings
        if not dealings.some:
            return []
        told = [line for answer in dealings.answers for line in self.answer(answer)]
        told += [self.occasion(also) for also in self.decision.also if also.why == "occasion"]
        told += [self.joining(joining) for joining in dealings.joinings if joining.joiner == self.decision.actor]
        told += [self.made(made) for made in dealings.made]
        told += [self.settled(settled) for settled in dealings.settled]
        told += [line for session in dealings.sessions for line in self.session(session)]
        for tested in dealings.tested:
            kind = self.card.scenario.assurances[tested.kind].title or spaced(tested.kind)
            kept = "kept" if tested.kept else "did not keep"
            giver, receiver = self.words.actor(tested.giver), self.words.actor(tested.receiver)
            odds = f"({share(tested.probability)} to keep)"
            told.append(f"Put to the test by {receiver}, {giver} {kept} its promise, {kind} {odds}.")
        return [capital(line) for line in told]

    def answer(self, answer: Answer) -> list[str]:
        """One answer, its chance, and what the deal was worth to both."""
        words = self.words
        offer = f"{words.actor(answer.proposer)} {words.option((answer.bargain, answer.target))}"
        if answer.probability is None or answer.terms is None:
            return [
                f"{offer}: lapsed, as one side could no longer do it, owed it already, or took another offer for it."
            ]
        lines = [
            f"{offer}: {answer.result} by {words.actor(answer.target)}; accepting had {share(answer.probability)}."
        ]
        terms = answer.terms
        odds = f"lambda {terms.target.rationality:g}, bias {terms.bias:g} against"
        lines.append(f"  to {words.actor(answer.target)} it was worth X = {self.side(terms.target)} ({odds}).")
        lines.append(f"  to {words.actor(answer.proposer)} it was worth X = {self.side(terms.proposer)}.")
        for joiner in terms.joiners:
            came = "joined" if joiner.joined else "did not join"
            lines.append(
                f"  {words.actor(joiner.actor)} {came} ({share(joiner.probability)}, X = {_signed(joiner.worth)})."
            )
        if answer.reply is not None:
            took = "took" if answer.reply.accepted else "did not take"
            instead = words.option((answer.reply.bargain, answer.target))
            chance = f"{share(answer.reply.probability)}, X = {_signed(answer.reply.worth)}"
            lines.append(f"  {words.actor(answer.proposer)} {took} the counter-offer ‘{instead}’ ({chance}).")
        return lines

    def occasion(self, also: Also) -> str:
        """An act done on the occasion of a session, and why."""
        decision = self.decision
        rationality = {"best": "without end", "random": "0"}.get(decision.policy, f"{decision.rationality:g}")
        why = f"lambda {rationality} x EU {_signed(also.utility)}"
        came = "" if also.succeeded else "; it failed"
        act = self.words.option((also.action, also.target))
        return f"on the occasion of a session it {act} ({share(also.probability)}: {why}){came}."

    def joining(self, joining: Joining) -> str:
        """Whether it joined an offer of another."""
        offer = f"{self.words.actor(joining.proposer)} {self.words.option((joining.bargain, joining.target))}"
        came = "joined" if joining.joined else "did not join"
        return f"it {came}: {offer} ({share(joining.probability)}, X = {self.side(joining.side)})."

    def made(self, made: Made) -> str:
        """A promise made."""
        worth = f"worth {_signed(made.worth_to_receiver)} to {self.words.actor(made.receiver)}"
        own = f"{_signed(made.worth_to_giver)} to its giver"
        when = f"due in turn {made.due}: {self.words.deed(made.deed)}"
        return f"promised to {self.words.actor(made.receiver)}, {when}; {worth}, {own}."

    def settled(self, settled: Settled) -> str:
        """What became of a promise that was due, and why."""
        words = self.words
        what = f"{words.deed(settled.deed)}, owed to {words.actor(settled.receiver)}"
        if settled.result == "void":
            why = "the other side had broken its word" if settled.possible else "it could not be done"
            return f"{what}: void, as {why}."
        if settled.unasked:
            came = "kept" if settled.result == "kept" else "tried, and failed; still owed"
            return f"{what}: {came}, as it did the act anyway."
        came = {"kept": "delivered", "broken": "not delivered", "failed": "tried, and failed; still owed"}[
            settled.result
        ]
        sum_ = f"EU of the act {_signed(settled.utility)} against {_signed(settled.loss or 0.0)} by default"
        chance = f"delivering had {share(settled.probability or 0.0)} (lambda {settled.rationality:g}: {sum_})"
        stake = "" if settled.stake is None else f"; at stake for the other {settled.stake:.3f}"
        return f"{what}: {came}; {chance}{stake}."

    def session(self, session: Session) -> list[str]:
        """A session: whether it came, what moved, what followed, who voted how."""
        words = self.words
        how = "by its date" if session.convener is None else f"convened by {words.actor(session.convener)}"
        lines = [f"{words.forum(session.forum)} met, {how}; {session.present} came (quorum {session.quorum})."]
        if session.attended is not None and session.probability is not None:
            did = "it attended" if session.attended else "it stayed away"
            sum_ = (
                f"log-odds {session.inclined or 0.0:g} + lambda x worth of being there {_signed(session.worth or 0.0)}"
            )
            why = "as its convener" if session.convener == self.decision.actor else sum_
            lines.append(f"  {did} ({share(session.probability)}: {why}).")
        moved = sorted(session.moved, key=lambda move: -abs(move.change))[:TOLD]
        if moved:
            told = "; ".join(
                f"{spaced(move.item)}, {words.actor(move.member)} {move.value:.3f} {move.change:+.4f}" for move in moved
            )
            lines.append(f"  moved: {told}.")
        for output in session.outputs:
            came = "followed" if output.follows else "did not follow"
            spread = f"spread {output.spread:.3f}, must be below {output.within:.3f}; vetoes {output.vetoes}"
            lines.append(f"  ‘{words.output(session.forum, output.output)}’ {came} ({spread}).")
        for vote in session.votes:
            if vote.member == self.decision.actor or vote.cast:
                did = "stopped" if vote.cast else "did not stop"
                worth = f"worth {_signed(vote.worth)} to it, bias {vote.bias:g} against stopping"
                title = words.output(session.forum, vote.output)
                lines.append(f"  {words.actor(vote.member)} {did} ‘{title}’ ({share(vote.probability)}; {worth}).")
        return lines

    # -- what would have tipped it, and what it rests on

    def tipping(self) -> str:
        """What would have put the runner-up, or holding, first."""
        policy = self.decision.policy
        if policy in UNTIPPED:
            return wrapped(
                f"What would have tipped it: no number does, changed alone; under `{policy}` {UNTIPPED[policy]}."
            )
        if not self.card.tips:
            return ""
        lines = [
            "What would have tipped it: the smallest change of one number of the scenario, with this turn's",
            "state as it was (so that starting values do not count)",
        ]
        for tip in self.card.tips:
            rival = capital(self.quoted(tip.rival))
            lead = f"{rival} ({share(tip.rival_first)}, against {share(tip.done_first)})"
            if tip.already:
                lines.append(wrapped(f"{lead} was the likelier as it was.", "  ", "    "))
            elif not tip.flips:
                lines.append(wrapped(f"{lead}: no number, changed alone within its span, does it.", "  ", "    "))
            else:
                best = tip.flips[0]
                named = best if best.then == tip.rival else tip.itself
                if named is None:
                    lines.append(wrapped(f"{lead}: no number, changed alone within its span, does it.", "  ", "    "))
                else:
                    then = f"then it is likelier than {self.quoted(tip.done)}"
                    lines.append(wrapped(f"{lead}: {self.flipped(named)}; {then}.", "  ", "    "))
                if named is not best:
                    nearer = "any other option" if named is None else "nearer still: any other option"
                    other = f"{nearer}: {self.flipped(best)}; then {self.quoted(best.then)} is likelier"
                    lines.append(wrapped(f"{other}.", "    ", "      "))
                others = [flip for flip in tip.flips[1:] if flip != named]
                if others:
                    told = [
                        self.flipped(flip) + ("" if flip.then == tip.rival else f", for {self.quoted(flip.then)}")
                        for flip in others
                    ]
                    lines.append(wrapped(f"next: {'; '.join(told)}", "    ", "      "))
        return "\n".join(lines)

    def quoted(self, option: Option | None) -> str:
        return f"‘{self.words.option(option)}’"

    def flipped(self, flip: Flip) -> str:
        span = f"{_number(flip.low)}..{_number(flip.high)}, {flip.within}"
        return f"{flip.path} {_number(flip.before)} → {_number(flip.after)} ({100 * flip.relative:.3g}% of {span})"

    def sources(self) -> str:
        """The numbers that mattered most, and what they rest on; each claim in full once."""
        if not self.card.sources:
            return ""
        about = self.card.focus or self.decision.passed[0].name
        head = (
            f"The numbers that matter most to {self.quoted(about)}, the part of its expected utility that each "
            "carries, and what they rest on"
        )
        lines = [wrapped(head)]
        told: set[str] = set()
        for source in self.card.sources:
            carries = "would tip it" if source.carries is None else _signed(source.carries)
            lines.append(f"  {source.path} = {_number(source.value)}  ({carries})")
            again = [cited.id for cited in source.claims if cited.id in told]
            for cited in source.claims:
                if cited.id not in told:
                    lines.append(wrapped(f"{cited.id} ({cited.locator}): {cited.statement}", "    ", "      "))
                    told.add(cited.id)
            if again:
                lines.append(wrapped(f"{', '.join(again)}: as above", "    ", "      "))
            if source.assumption:
                text = f"assumption: {source.assumption}"
                lines.append(wrapped(text, "    ", "      ") if text not in told else "    assumption: as above")
                told.add(text)
            if not source.claims and not source.assumption:
                lines.append("    neither claim nor assumption")
        return "\n".join(lines)

    def notes(self) -> str:
        return "\n".join(wrapped(f"Note: {note}.") for note in self.card.notes)


def _large(option: Considered) -> tuple[list[Contribution], list[Contribution]]:
    """The contributions that make a difference, and the others (below a fiftieth of the greatest; dust is
    left out)."""
    greatest = max((abs(part.utility) for part in option.contributions), default=0.0)
    parts = [part for part in option.contributions if part.utility != 0.0]
    return (
        [part for part in parts if abs(part.utility) >= greatest / 50.0],
        [part for part in parts if greatest / 1e4 <= abs(part.utility) < greatest / 50.0],
    )

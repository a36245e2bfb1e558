"""A seat for a person at the terminal: an actor's turns, told in words, chosen by whoever sits there.

Reads lines and writes text, so that a pipe can play as well as a hand. The game itself is `game`'s: what is chosen is
on the disk before the next turn begins, and a game that was left goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import explain, game, naming, runs
from sim.arrays import (
    ACCEPTED,
    ANSWER,
    BROKEN_WORD,
    COUNTERED,
    KEPT_WORD,
    LAPSED,
    OUTPUT,
    REFUSED,
    SESSION,
    SETTLED,
    VOID,
)
from sim.game import Game, OnTable, Open, Owed, Seat
from sim.seats import Choice

if TYPE_CHECKING:
    from sim.runs import Run

TOLD = 3  # onlookers beside an option; all of them are told by `why`
PARTS = 8  # of an expected utility, told by `why`
HELP = """Numbers choose acts, in order, and end the turn (“3 1”); “hold” ends it without any.
Before that: “why N” takes option N apart; “accept A”, “refuse A” answer offer A; “attend FORUM”, “stay FORUM” say
whether you come if it meets; “show” tells the turn again; “quit” leaves the game, to be gone on with another time."""
Read = Callable[[], str | None]
Write = Callable[[str], Any]


class Quit(BaseException):
    """The person leaves. No Exception: nothing that guards against faults may take it for one."""


def play(
    source: str | Path,
    actor: str,
    seed: int = 1,
    run: int = 0,
    sets: Sequence[str] = (),
    turns: int | None = None,
    policy: str | None = None,
    others: Sequence[str] = (),
    out: str | Path | None = None,
    figures: bool = True,
    read: Read | None = None,
    write: Write = print,
) -> Run | None:
    """Play an actor; the run folder, or None where the person left before the end.

    run: number of the run. others: `ACTOR=FILE.py:CLASS`. read: gives a line, None at the end of all; the standard
    input if left out. Else as `runs.run`. Raises BadInput, FolderProblem or StorageProblem.
    """
    ready = runs.prepare(source, sets, turns)
    name = Path(source).stem
    begun = game.start(ready, name, actor, seed, run, sets, policy, others, out, source=source)
    return _go(begun, figures, read or _line, write)


def resume(
    path: str | Path, others: Sequence[str] = (), figures: bool = True, read: Read | None = None, write: Write = print
) -> Run | None:
    """Go on with a game that was left (see `play`)."""
    return _go(game.again(path, others), figures, read or _line, write)


def _go(played: Game, figures: bool, read: Read, write: Write) -> Run | None:
    """Play what is left; the run folder once the last turn is over."""
    with played:
        try:
            while played.seat is not None:
                played.choose(Turn(played, played.seat, read, write).ask())
        except (Quit, KeyboardInterrupt):
            turn = played.last + 1
            write(f"Left before the end of turn {turn}. Go on with: tightrope play --resume {played.path}")
            return None
        done = played.finish(figures)
    write("")
    answers = done.outcomes.to_pylist()[0]
    asked = played.ready.scenario.outcomes
    for name in asked:
        write(f"{asked[name].title or name}: {answer(answers[name])}")
    return done


def _line() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None
    except UnicodeDecodeError:
        return "?!"  # no command


def answer(value: Any) -> str:
    """What came of an outcome, for a reader."""
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class Turn:
    """One turn at the seat: what there is to see, and what is answered."""

    def __init__(self, played: Game, seat: Seat, read: Read, write: Write) -> None:
        self.game, self.seat, self.read, self.write = played, seat, read, write
        self.words = naming.Words(played.ready.scenario)
        self.answers: dict[tuple[str, str], bool] = {}
        self.coming: dict[str, bool] = {}

    def ask(self) -> Choice:
        """Show the turn and take commands until it is chosen."""
        self.show()
        while True:
            text = self.read()
            if text is None:
                raise Quit
            choice = self._command(text.split())
            if choice is not None:
                return choice

    def _command(self, words: list[str]) -> Choice | None:
        tell, options = self.write, self.seat.options
        if not words:
            return None
        verb, rest = words[0].lower(), words[1:]
        if verb in ("quit", "q", "exit"):
            raise Quit
        if verb in ("help", "?"):
            tell(HELP)
        elif verb == "show":
            self.show()
        elif verb in ("accept", "refuse"):
            self._answer(verb, rest)
        elif verb in ("attend", "stay"):
            self._attend(verb, rest)
        elif verb == "why":
            number = self._number(rest[0]) if len(rest) == 1 else None
            if number is None:
                tell(f"“why” asks for one number of 1 to {len(options)}")
            else:
                self.why(options[number])
        elif verb == "hold" and not rest:
            return self._chosen([])
        elif verb[0].isdigit():
            numbers = [self._number(word) for word in " ".join(words).replace(",", " ").split()]
            if None in numbers or not options:
                tell(f"“{' '.join(words)}”: options are numbers of 1 to {len(options)}, with spaces between them")
            else:
                return self._chosen([options[number] for number in numbers if number is not None])
        else:
            tell(f"“{' '.join(words)}” is no command. {HELP}")
        return None

    def _number(self, text: str) -> int | None:
        """The place of an option by its number."""
        if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= len(self.seat.options):
            return int(text) - 1
        return None

    def _answer(self, verb: str, rest: list[str]) -> None:
        letters = [_letter(n) for n in range(len(self.seat.offers))]
        if len(rest) != 1 or rest[0].upper() not in letters:
            lie = f"the offers are {', '.join(letters)}" if letters else "no offer lies on the table"
            self.write(f"“{verb}” asks for one offer; {lie}")
            return
        lying = self.seat.offers[letters.index(rest[0].upper())]
        offer = lying.offer
        self.answers[offer.bargain, offer.proposer] = verb == "accept"
        done = "accepted" if verb == "accept" else "refused"
        told = f"Offer {rest[0].upper()} will be {done} when the turn ends."
        if verb == "accept" and offer.ask_after == 0:
            place = asked_of(self.seat, lying)
            where = "" if place is None else f" (option {place + 1})"
            told += f" What you promise is due in the same turn: choose it too{where}, or break your word."
        self.write(told)

    def _attend(self, verb: str, rest: list[str]) -> None:
        fora = [meeting.forum for meeting in self.seat.meetings]
        if len(rest) != 1 or rest[0] not in fora:
            have = f"your seats are in {', '.join(fora)}" if fora else "you have a seat in none"
            self.write(f"“{verb}” asks for one forum; {have}")
            return
        self.coming[rest[0]] = verb == "attend"
        will = "You come" if verb == "attend" else "You stay away"
        self.write(f"{will} if {self.words.forum(rest[0])} meets this turn.")

    def _chosen(self, options: Sequence[Open]) -> Choice | None:
        """The choice, if it can be made; else a line that says why not."""
        choice = game.choice([one.option for one in options], self.answers, self.coming)
        why = self.game.wrong(choice)
        if why is not None:
            self.write(f"That cannot be: {why}. Choose again.")
            return None
        return choice

    # -------------------------------------------------------------------------------------------- what is shown

    def show(self) -> None:
        """The turn as the actor sees it."""
        seat, words = self.seat, self.words
        date = words.date(self.game.ready.legend.dates[seat.turn])
        heading = f"Turn {seat.turn} of {seat.turns}: {date}. You are {words.actor(seat.actor)}."
        parts = [
            f"{heading}\n{'=' * len(heading)}",
            *self._news(), self._interests(), self._beliefs(), self._promises(), self._table(), self._fora(),
            self._menu(),
        ]  # fmt: skip
        self.write("\n" + "\n\n".join(part for part in parts if part))

    def _news(self) -> list[str]:
        """What happened, and what the others did in the turn before."""
        seat, words, titles = self.seat, self.words, self.game.ready.legend.incident_titles
        lines = [f"Event: {title}." for title in seat.events]
        lines += [
            f"Incident: {titles[name]}{f' {words.actor(where)}' if where else ''}." for name, where in seat.incidents
        ]
        parts = [_under("This turn", lines)]
        done: dict[str, list[str]] = {}
        for act in seat.acts:
            failed = "" if act.succeeded else " (in vain)"
            done.setdefault(act.actor, []).append(f"{words.option((act.action, act.target))}{failed}")
        lines = [
            f"{naming.capital(words.actor(name)) if name != seat.actor else 'You:'} {'; '.join(deeds)}."
            for name, deeds in done.items()
        ]
        parts.append(_under("Last turn", lines + self._said()))
        return parts

    def _said(self) -> list[str]:
        """Answers, promises settled and sessions of the turn before."""
        compiled, words = self.game.ready.compiled, self.words
        lines = []
        for kind, row, result in self.seat.said:
            if kind == ANSWER:
                bargain, proposer, target = compiled.deals[row]
                if self.seat.actor in (proposer, target):
                    how = {REFUSED: "refused", ACCEPTED: "accepted", COUNTERED: "countered", LAPSED: "lapsed"}[result]
                    lines.append(
                        f"The offer by which {words.actor(proposer)} {words.option((bargain, target))}: {how}."
                    )
            elif kind == SETTLED and result in (BROKEN_WORD, KEPT_WORD, VOID):
                _, giver, receiver, _ = compiled.promises[row]
                how = {BROKEN_WORD: "broke", KEPT_WORD: "kept", VOID: "was freed of"}[result]
                act = words.option(compiled.options[compiled.tables.promise_option[row]][1:])
                who = naming.capital(words.actor(giver))
                lines.append(f"{who} {how} its word to {words.actor(receiver)}, by which it {act}.")
            elif kind == SESSION:
                lines.append(f"{naming.capital(words.forum(compiled.fora[row]))} met.")
            elif kind == OUTPUT:
                forum, output = compiled.outputs[row]
                agreed = "agreed" if result else "not agreed"
                lines.append(f"{naming.capital(words.forum(forum))}: {words.output(forum, output)}: {agreed}.")
        return lines

    def _interests(self) -> str:
        words = self.words
        rows = [
            [
                words.indicator(one.path, self.seat.actor), words.value(one.path, one.now), f"{one.change:+.3f}",
                words.value(one.path, one.ideal), f"{one.salience:.2f}",
            ]
            for one in self.seat.interests
        ]  # fmt: skip
        return _under("What you want", [explain.table(["indicator", "now", "change", "ideal", "salience"], rows, 1)])

    def _beliefs(self) -> str:
        kinds = self.game.ready.scenario.assurances
        rows = [
            [naming.capital(self.words.actor(giver)), kinds[kind].title or kind, f"{credible:.0%}"]
            for giver, kind, credible in self.seat.beliefs
        ]
        return (
            _under("Whose word you believe", [explain.table(["who", "promise", "credible"], rows, 2)]) if rows else ""
        )

    def _promises(self) -> str:
        dates = self.game.ready.legend.dates
        return _under("Promises", [owed(self.words, self.seat, one, dates) for one in self.seat.promises])

    def _table(self) -> str:
        lines = [
            f"{_letter(n)}. {offered(self.words, self.seat, one)} "
            f"[{lasts(self.seat, one)}; worth {one.worth:+.4f} to you; the model would accept with {one.odds:.0%}]."
            for n, one in enumerate(self.seat.offers)
        ]
        return _under("On the table before you", lines)

    def _fora(self) -> str:
        """Which of its fora meet, or may be convened."""
        lines = []
        for one in self.seat.meetings:
            if one.meets:
                lines.append(f"{one.forum}: {self.words.forum(one.forum)} meets this turn.")
            elif one.convenable:
                lines.append(f"{one.forum}: {self.words.forum(one.forum)} may be convened.")
        return _under("Meetings (unless you say, you come as the model would)", lines)

    def _menu(self) -> str:
        rows = []
        for n, one in enumerate(self.seat.options, 1):
            option = one.option
            felt = one.felt[:TOLD]
            note = ", ".join(f"{self.words.actor(name).removeprefix('the ')} {change:+.3f}" for name, change in felt)
            rows.append([
                str(n), self.words.option((option.action, option.target)), note, f"{option.chance:.0%}",
                f"{option.utility:+.4f}", f"{one.effort:.2g}",
            ])  # fmt: skip
        heads = ["", "you could", "regard", "chance", "utility", "effort"]
        lines = [explain.table(heads, rows, 3)] if rows else ["Nothing can be done this turn."]
        return _under(f"Your options (attention {self.seat.attention:.2f}; “help” tells the commands)", lines)

    def why(self, one: Open) -> None:
        """An option's expected utility in parts, and who would mind."""
        told = apart(self.words, self.game, one)
        lines = [told.summary, *([told.answer] if told.answer else [])]
        if told.parts:
            heads = ["what it moves", "by what follows", "change", "utility"]
            lines.append(explain.table(heads, [list(row) for row in told.parts[:PARTS]], 2))
        self.write("\n".join([*lines, *told.hangs, *told.felt]))


# ------------------------------------------------------------------------------------------------ in words


def owed(words: naming.Words, seat: Seat, one: Owed, dates: Sequence[str]) -> str:
    """What is owed by a bargain, and when."""
    act = words.option((one.action, one.target))
    when = words.date(dates[one.due]) if one.due < len(dates) else f"turn {one.due}"
    if one.giver == seat.actor:
        now = " That is now: choose it, or your word is broken" if one.due <= seat.turn else ""
        return f"You owe {words.actor(one.receiver)} that {words.actor(one.giver)} {act}, due {when}.{now}"
    return f"{naming.capital(words.actor(one.giver))} owes you that it {act}, due {when}."


def offered(words: naming.Words, seat: Seat, one: OnTable) -> str:
    """An offer: who gives what for what, and when."""
    offer = one.offer
    return (
        f"{naming.capital(words.actor(offer.proposer))} {words.option((offer.bargain, seat.actor))}: "
        f"{words.actor(offer.give[0])} {words.option(offer.give[1:])} ({_when(offer.give_after)}), "
        f"if {words.actor(offer.ask[0])} {words.option(offer.ask[1:])} ({_when(offer.ask_after)})"
    )


def lasts(seat: Seat, one: OnTable) -> str:
    """How long an offer stands."""
    return "now or never" if one.offer.last <= seat.turn else f"until turn {one.offer.last}"


def asked_of(seat: Seat, one: OnTable) -> int | None:
    """The place among the options of what an offer asks for."""
    asked = one.offer.ask[1:]
    places = [n for n, open_ in enumerate(seat.options) if (open_.option.action, open_.option.target) == asked]
    return places[0] if places else None


@dataclass(frozen=True)
class Apart:
    """An option taken apart, in words. answer: what an offer would be answered; empty for other acts. parts: what it
    moves, by what follows, change, utility; the greatest first. hangs: on whose word. felt: who would warm or cool."""

    summary: str
    answer: str
    parts: list[tuple[str, str, str, str]]
    hangs: list[str]
    felt: list[str]


def apart(words: naming.Words, played: Game, one: Open) -> Apart:
    """An option's expected utility in parts, and who would mind."""
    option, me = one.option, played.actor
    parts = played.apart(option.number)
    answer = ""
    if parts.terms is not None and parts.terms.accept is not None:
        target = words.actor(parts.terms.target.actor)
        answer = (
            f"{naming.capital(target)} would accept with {parts.terms.accept:.0%}; the deal is worth "
            f"{parts.terms.target.worth:+.4f} to it."
        )
    return Apart(
        summary=f"{naming.capital(words.actor(me))} {words.option((option.action, option.target))}: expected utility "
        f"{option.utility:+.4f}, chance of success {option.chance:.0%}, cost {parts.cost:.4f}.",
        answer=answer,
        parts=[
            (
                words.indicator(part.path, me) if part.owner == me
                else f"{words.indicator(part.path, part.owner)}, for {words.actor(part.owner)}",
                words.deed(part.deed) if part.deed else "",
                f"{part.change:+.4f}",
                f"{part.utility:+.4f}",
            )
            for part in sorted(parts.contributions, key=lambda part: -abs(part.utility))
        ],
        hangs=[f"It hangs on {words.actor(one.giver)}'s word ({one.kind})." for one in parts.reliances],
        felt=[
            f"{naming.capital(words.actor(name))} would {_mood(change)} you ({change:+.4f})."
            for name, change in one.felt
        ] or ["Nobody's regard for you would change."],
    )  # fmt: skip


def _under(heading: str, lines: Sequence[str]) -> str:
    """A part of the page; nothing where there are no lines."""
    if not lines:
        return ""
    return "\n".join([heading, *(text if "\n" in text else explain.wrapped(text, "  ", "    ") for text in lines)])


def _when(turns: int) -> str:
    return "at once" if turns == 0 else "next turn" if turns == 1 else f"within {turns} turns"


def _mood(change: float) -> str:
    return "warm to" if change > 0 else "cool towards"


def _letter(n: int) -> str:
    return chr(ord("A") + n) if n < 26 else f"A{n}"

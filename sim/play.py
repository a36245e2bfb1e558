"""A seat for a person: an actor's turns, told in words, chosen by whoever sits there.

Reads lines and writes text, so that a pipe can play as well as a hand. What is chosen is on the disk before the next
turn begins; a game that was left goes on where it was. Played to the end it is a run folder like any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import apart, bargains, decision, explain, meetings, naming, players, rules, runs, seats, store
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
    State,
)
from sim.errors import BadInput, FolderProblem
from sim.seats import Choice, Choices
from sim.world import Actor, Offer, Option, Player, World

if TYPE_CHECKING:
    from sim.runs import Prepared, Run

FELT = 0.0005  # a change of regard that is told
TOLD = 3  # onlookers beside an option; all of them are told by `why`
PARTS = 8  # of an expected utility, told by `why`
HELP = """Numbers choose acts, in order, and end the turn (“3 1”); “hold” ends it without any.
Before that: “why N” takes option N apart; “accept A”, “refuse A” answer offer A; “attend FORUM”, “stay FORUM” say
whether you come if it meets; “show” tells the turn again; “quit” leaves the game, to be gone on with another time."""
Read = Callable[[], str | None]
Write = Callable[[str], Any]


class Quit(BaseException):
    """The person leaves. No Exception: nothing that guards against faults may take it for one."""


class Person(Actor):
    """Chooses what was chosen before the game was left; then asks."""

    waits = True

    def __init__(self, model: World, name: str, index: int, game: Game) -> None:
        super().__init__(model, name, index)
        self.game = game

    def decide(self, options: Sequence[Option]) -> Choice:
        done = self.game.made.made.get((0, self.name, self.model.turn))
        return done if done is not None else Turn(self, self.game, options).ask()


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
    runs.check_options(1, seed, policy, None)
    if not 0 <= run < 2**32:
        raise BadInput(f"--run {run}: must be 0..2^32 - 1")
    ready = runs.prepare(source, sets, turns)
    known = ready.compiled.actors
    if actor not in known:
        raise BadInput(f"--as {actor}: no such actor; the actors are {', '.join(known)}")
    loaded = _others(others, actor, known)
    name = Path(source).stem
    seated = [one for one in known if one == actor or any(player.actor == one for player in loaded)]
    made = Choices(
        name, store.text_hash(ready.text), seed, run, 1, ready.turns, seated, list(sets), policy, list(others)
    )
    folder = store.Folder.create(out) if out is not None else store.Folder.numbered("runs", name)
    with folder:
        folder.write_text(runs.SCENARIO, ready.text)
        folder.write_text(seats.FILE, made.text())
        folder.kept = True
        return Game(folder, ready, source, actor, made, loaded, figures, read or _line, write).go()


def resume(
    path: str | Path, others: Sequence[str] = (), figures: bool = True, read: Read | None = None, write: Write = print
) -> Run | None:
    """Go on with a game that was left (see `play`)."""
    folder = store.Folder.again(path)
    with folder:
        file, scenario = folder.path / seats.FILE, folder.path / runs.SCENARIO
        if not file.is_file() or not scenario.is_file():
            raise FolderProblem(f"{path}: no game that was left")
        made = seats.read(file, part=True)
        ready = runs.prepare(scenario, turns=made.turns)
        seats.check(made, ready.compiled, store.text_hash(scenario.read_text(encoding="utf-8")), file)
        code = {told.partition("=")[0] for told in made.players}
        (actor,) = [name for name in made.actors if name not in code] or [""]
        if sorted(others) != sorted(made.players):
            was = "".join(f" --player {told}" for told in made.players) or " without --player"
            raise BadInput(f"{path}: played{was}; go on with the same")
        last = max((turn for _, name, turn in made.made if name == actor), default=0)
        made.made = {key: choice for key, choice in made.made.items() if key[2] <= last}
        folder.write_text(seats.FILE, made.text())  # without what was cut short
        loaded = _others(others, actor, ready.compiled.actors)
        return Game(folder, ready, made.scenario, actor, made, loaded, figures, read or _line, write).go()


def _others(told: Sequence[str], actor: str, known: Sequence[str]) -> list[players.Loaded]:
    loaded = players.load(told, known)
    if any(player.actor == actor for player in loaded):
        raise BadInput(f"--player {actor}=...: {actor} is played by you (--as)")
    return loaded


def _line() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None
    except UnicodeDecodeError:
        return "?!"  # no command


class Game:
    """A run under way: the world, what was chosen, and where it is written."""

    def __init__(
        self,
        folder: store.Folder,
        ready: Prepared,
        source: str | Path,
        actor: str,
        made: Choices,
        loaded: Sequence[players.Loaded],
        figures: bool,
        read: Read,
        write: Write,
    ) -> None:
        self.folder, self.ready, self.source, self.actor, self.made = folder, ready, source, actor, made
        self.loaded, self.figures, self.read, self.write = loaded, figures, read, write
        self.words = naming.Words(ready.scenario)
        self.left_at = made.last

    def go(self) -> Run | None:
        """Play what is left; the run folder once the last turn is over."""
        began, made, ready = time.monotonic(), self.made, self.ready

        def person(model: World, name: str, index: int) -> Actor:
            return Person(model, name, index, self)

        seated: dict[str, Player] = {player.actor: self._again(player) for player in self.loaded}
        world = World(ready.compiled, made.seed, made.run, made.policy, seated | {self.actor: person})
        try:
            while world.turn < ready.turns:
                players.step(world, self.loaded)
                self._keep(world)
        except (Quit, KeyboardInterrupt):
            told = f"Left before the end of turn {world.turn}. Go on with: tightrope play --resume {self.folder.path}"
            self.write(told)
            return None
        histories = [world.history()]
        done = runs.write(
            self.folder, ready, histories, self.source, 1, made.seed, made.sets, made.policy, False, self.figures,
            began, chosen=made,
        )  # fmt: skip
        self.write("")
        answers = done.outcomes.to_pylist()[0]
        asked = ready.scenario.outcomes
        for name in asked:
            self.write(f"{asked[name].title or name}: {_answer(answers[name])}")
        return done

    def _again(self, player: players.Loaded) -> Player:
        """A player that goes on: in the turns that are played already it chooses what it chose."""
        game = self

        class Again(player.kind):  # type: ignore[name-defined]
            def decide(self, options: Sequence[Option]) -> Choice:
                now: Choice = super().decide(options)
                turn = self.model.turn
                return now if turn > game.left_at else game.made.made.get((0, self.name, turn), seats.MODEL)

        return Again

    def _keep(self, world: World) -> None:
        """Bring the turn's choices to the disk, the person's last: with it the turn is whole."""
        new = [row for row in world.chosen if row[1] == world.turn > self.left_at]
        new.sort(key=lambda row: row[0] == self.actor)
        for actor, turn, choice in new:
            self.made.made[0, actor, turn] = choice
        if new:
            self.folder.append(seats.FILE, "".join(seats.line(0, *row) for row in new))


def _answer(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class Turn:
    """One turn at the seat: what there is to see, and what is answered."""

    def __init__(self, actor: Person, game: Game, options: Sequence[Option]) -> None:
        self.actor, self.game, self.words = actor, game, game.words
        self.world = actor.model
        self.options = sorted(options, key=lambda option: -option.utility)
        self.offers: list[Offer] = actor.offers
        world = self.world
        # A copy, so that looking changes nothing.
        self.state: State = world.state.replaced(**{k: v.copy() for k, v in world.state.arrays().items()})
        self.desk = decision.Desk(world.compiled, self.state, actor.index, int(world.key), world.turn)
        self.answers: dict[tuple[str, str], bool] = {}
        self.coming: dict[str, bool] = {}
        self.eyes = apart.eyes(world.tables, self.state, world.compiled, actor.index)
        self.taken_by = {option.number: self._taken(option) for option in self.options}

    def ask(self) -> Choice:
        """Show the turn and take commands until it is chosen."""
        self.show()
        while True:
            text = self.game.read()
            if text is None:
                raise Quit
            choice = self._command(text.split())
            if choice is not None:
                return choice

    def _command(self, words: list[str]) -> Choice | None:
        tell = self.game.write
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
                tell(f"“why” asks for one number of 1 to {len(self.options)}")
            else:
                self.why(self.options[number])
        elif verb == "hold" and not rest:
            return self._chosen([])
        elif verb[0].isdigit():
            numbers = [self._number(word) for word in " ".join(words).replace(",", " ").split()]
            if None in numbers or not self.options:
                tell(f"“{' '.join(words)}”: options are numbers of 1 to {len(self.options)}, with spaces between them")
            else:
                return self._chosen([self.options[number] for number in numbers if number is not None])
        else:
            tell(f"“{' '.join(words)}” is no command. {HELP}")
        return None

    def _number(self, text: str) -> int | None:
        """The place of an option by its number."""
        if text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= len(self.options):
            return int(text) - 1
        return None

    def _answer(self, verb: str, rest: list[str]) -> None:
        letters = [_letter(n) for n in range(len(self.offers))]
        if len(rest) != 1 or rest[0].upper() not in letters:
            lie = f"the offers are {', '.join(letters)}" if letters else "no offer lies on the table"
            self.game.write(f"“{verb}” asks for one offer; {lie}")
            return
        offer = self.offers[letters.index(rest[0].upper())]
        self.answers[offer.bargain, offer.proposer] = verb == "accept"
        done = "accepted" if verb == "accept" else "refused"
        told = f"Offer {rest[0].upper()} will be {done} when the turn ends."
        if verb == "accept" and offer.ask_after == 0:
            told += f" What you promise is due in the same turn: choose it too{self._place(offer)}, or break your word."
        self.game.write(told)

    def _place(self, offer: Offer) -> str:
        """The number of the option that an offer asks for."""
        places = [n for n, option in enumerate(self.options, 1) if (option.action, option.target) == offer.ask[1:]]
        return f" (option {places[0]})" if places else ""

    def _attend(self, verb: str, rest: list[str]) -> None:
        fora = self.actor.fora
        if len(rest) != 1 or rest[0] not in fora:
            have = f"your seats are in {', '.join(fora)}" if fora else "you have a seat in none"
            self.game.write(f"“{verb}” asks for one forum; {have}")
            return
        self.coming[rest[0]] = verb == "attend"
        will = "You come" if verb == "attend" else "You stay away"
        self.game.write(f"{will} if {self.words.forum(rest[0])} meets this turn.")

    def _chosen(self, options: Sequence[Option]) -> Choice | None:
        """The choice, if it can be made; else a line that says why not."""
        choice = Choice(
            acts=tuple((option.action, option.target) for option in options),
            accept=tuple(deal for deal, yes in self.answers.items() if yes),
            refuse=tuple(deal for deal, yes in self.answers.items() if not yes),
            attend=tuple(forum for forum, yes in self.coming.items() if yes),
            stay_away=tuple(forum for forum, yes in self.coming.items() if not yes),
            waits=True,
        )
        world = self.world
        why = seats.wrong(world.compiled, self.state, self.actor.index, world.turn, choice)
        if why is not None:
            self.game.write(f"That cannot be: {why}. Choose again.")
            return None
        return choice

    # -------------------------------------------------------------------------------------------- what is shown

    def show(self) -> None:
        """The turn as the actor sees it."""
        world, dates = self.world, self.game.ready.legend.dates
        me = self.words.actor(self.actor.name)
        heading = f"Turn {world.turn} of {self.game.ready.turns}: {self.words.date(dates[world.turn])}. You are {me}."
        parts = [
            f"{heading}\n{'=' * len(heading)}",
            *self._news(), self._interests(), self._beliefs(), self._promises(), self._table(), self._fora(),
            self._menu(),
        ]  # fmt: skip
        self.game.write("\n" + "\n\n".join(part for part in parts if part))

    def _news(self) -> list[str]:
        """What happened, and what the others did in the turn before."""
        world, words, legend = self.world, self.words, self.game.ready.legend
        lines = [f"Event: {title}." for turn, _, title in legend.injects if turn == world.turn]
        lines += [
            f"Incident: {legend.incident_titles[name]}{f' {words.actor(where)}' if where else ''}."
            for turn, name, where in world.happened
            if turn == world.turn
        ]
        parts = [_under("This turn", lines)]
        done: dict[str, list[str]] = {}
        for act in world.acts:
            if act.turn == world.turn - 1:
                failed = "" if act.succeeded else " (in vain)"
                done.setdefault(act.actor, []).append(f"{words.option((act.action, act.target))}{failed}")
        lines = [
            f"{naming.capital(words.actor(name)) if name != self.actor.name else 'You:'} {'; '.join(deeds)}."
            for name, deeds in done.items()
        ]
        parts.append(_under("Last turn", lines + self._said()))
        return parts

    def _said(self) -> list[str]:
        """Answers, promises settled and sessions of the turn before."""
        compiled, words, T = self.world.compiled, self.words, self.world.tables
        lines = []
        for kind, row, result in self.world.said:
            if kind == ANSWER:
                bargain, proposer, target = compiled.deals[row]
                if self.actor.name in (proposer, target):
                    how = {REFUSED: "refused", ACCEPTED: "accepted", COUNTERED: "countered", LAPSED: "lapsed"}[result]
                    lines.append(
                        f"The offer by which {words.actor(proposer)} {words.option((bargain, target))}: {how}."
                    )
            elif kind == SETTLED and result in (BROKEN_WORD, KEPT_WORD, VOID):
                _, giver, receiver, _ = compiled.promises[row]
                how = {BROKEN_WORD: "broke", KEPT_WORD: "kept", VOID: "was freed of"}[result]
                act = words.option(compiled.options[T.promise_option[row]][1:])
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
        world, words = self.world, self.words
        rows = []
        for path, ideal, salience in self.actor.interests.values():
            now = world.values[path]
            before = world.earlier[path]
            rows.append([
                words.indicator(path, self.actor.name), words.value(path, now), f"{now - before:+.3f}",
                words.value(path, ideal), f"{salience:.2f}",
            ])  # fmt: skip
        return _under("What you want", [explain.table(["indicator", "now", "change", "ideal", "salience"], rows, 1)])

    def _beliefs(self) -> str:
        kinds = self.game.ready.scenario.assurances
        rows = [
            [naming.capital(self.words.actor(giver)), kinds[kind].title or kind, f"{credible:.0%}"]
            for (giver, kind), credible in self.actor.beliefs.items()
        ]
        return (
            _under("Whose word you believe", [explain.table(["who", "promise", "credible"], rows, 2)]) if rows else ""
        )

    def _promises(self) -> str:
        compiled, words, S, T = self.world.compiled, self.words, self.state, self.world.tables
        dates, lines = self.game.ready.legend.dates, []
        for p, (_, giver, receiver, _) in enumerate(compiled.promises):
            due = int(S.due[p, 0])
            if due <= 0 or self.actor.name not in (giver, receiver):
                continue
            act = words.option(compiled.options[T.promise_option[p]][1:])
            when = words.date(dates[due]) if due < len(dates) else f"turn {due}"
            if giver == self.actor.name:
                now = " That is now: choose it, or your word is broken" if due <= self.world.turn else ""
                lines.append(f"You owe {words.actor(receiver)} that {words.actor(giver)} {act}, due {when}.{now}")
            else:
                lines.append(f"{naming.capital(words.actor(giver))} owes you that it {act}, due {when}.")
        return _under("Promises", lines)

    def _table(self) -> str:
        words, lines = self.words, []
        deals = seats.deals_for(self.world.compiled, self.actor.index)
        for n, offer in enumerate(self.offers):
            d = deals[offer.bargain, offer.proposer]
            gain = bargains.to_target(self.world.tables, self.state, d, False, 0)
            accept, _, _ = bargains.answer_odds(self.world.tables, self.state, d, False, 0)
            until = "now or never" if offer.last <= self.world.turn else f"until turn {offer.last}"
            lines.append(
                f"{_letter(n)}. {naming.capital(words.actor(offer.proposer))} "
                f"{words.option((offer.bargain, self.actor.name))}: {words.actor(offer.give[0])} "
                f"{words.option(offer.give[1:])} ({_when(offer.give_after)}), if {words.actor(offer.ask[0])} "
                f"{words.option(offer.ask[1:])} ({_when(offer.ask_after)}) "
                f"[{until}; worth {gain:+.4f} to you; the model would accept with {rules.logistic(accept):.0%}]."
            )
        return _under("On the table before you", lines)

    def _fora(self) -> str:
        """Which of its fora meet, or may be convened."""
        world, compiled, lines = self.world, self.world.compiled, []
        for forum in self.actor.fora:
            f = compiled.fora.index(forum)
            if meetings.dated_session(world.tables, f, world.turn):
                lines.append(f"{forum}: {self.words.forum(forum)} meets this turn.")
            elif meetings.convenable(world.tables, self.state, f, 0):
                lines.append(f"{forum}: {self.words.forum(forum)} may be convened.")
        return _under("Meetings (unless you say, you come as the model would)", lines)

    def _menu(self) -> str:
        T = self.world.tables
        left = seats.attention(self.world.compiled, self.state, self.actor.index)
        rows = []
        for n, option in enumerate(self.options, 1):
            felt = self.taken_by[option.number][:TOLD]
            note = ", ".join(f"{self.words.actor(name).removeprefix('the ')} {change:+.3f}" for name, change in felt)
            rows.append([
                str(n), self.words.option((option.action, option.target)), note, f"{option.chance:.0%}",
                f"{option.utility:+.4f}", f"{float(T.effort[T.option_action[option.number]]):.2g}",
            ])  # fmt: skip
        heads = ["", "you could", "regard", "chance", "utility", "effort"]
        lines = [explain.table(heads, rows, 3)] if rows else ["Nothing can be done this turn."]
        return _under(f"Your options (attention {left:.2f}; “help” tells the commands)", lines)

    def _taken(self, option: Option) -> list[tuple[str, float]]:
        """How each who regards the actor is expected to take an act: the change of its regard, the greatest first."""
        T, S, compiled = self.world.tables, self.state, self.world.compiled
        moves = apart.act(self.eyes, option.number)[2]
        seen = float(T.visibility[T.option_action[option.number]])
        found = []
        for p in range(int(T.seen_start[self.actor.index]), int(T.seen_start[self.actor.index + 1])):
            o = int(T.seen_actor[p])
            tried = self._gain(o, [move for move in moves if move.attempt])
            gain = option.chance * self._gain(o, moves) + (1.0 - option.chance) * tried
            change = rules.regard_change(float(T.responsiveness[o]), seen * gain, float(S.x[T.seen_slot[p], 0]))
            if abs(change) >= FELT:
                found.append((compiled.actors[o], change))
        return sorted(found, key=lambda row: -abs(row[1]))

    def _gain(self, o: int, moves: Sequence[apart.Move]) -> float:
        """What these moves are worth to an onlooker at once, as regard counts it (odd.md, step 7)."""
        T, S, sums = self.world.tables, self.state, dict[str, float]()
        for move in moves:
            if move.after == 0:
                sums[move.path] = sums.get(move.path, 0.0) + move.change
        gain = 0.0
        for h in range(int(T.interest_start[o]), int(T.interest_start[o + 1])):
            s = int(T.interest_slot[h])
            change = sums.get(self.world.compiled.paths[s])
            if change is not None:
                x, low, high = float(S.x[s, 0]), float(T.low[s]), float(T.high[s])
                ideal = float(T.ideal[h] if T.ideal_slot[h] < 0 else S.x[T.ideal_slot[h], 0])
                then = x + rules.step(x, change, low, high)
                gain += rules.gain(float(T.salience[h]), ideal, x, then, high - low, float(T.risk[o]))
        return gain

    def why(self, option: Option) -> None:
        """An option's expected utility in parts, and who would mind."""
        words, me = self.words, self.actor.name
        parts = decision.taken_apart(self.desk, option.number - self.desk.first)
        lines = [
            f"{naming.capital(words.actor(me))} {words.option((option.action, option.target))}: expected utility "
            f"{option.utility:+.4f}, chance of success {option.chance:.0%}, cost {parts.cost:.4f}."
        ]
        if parts.terms is not None and parts.terms.accept is not None:
            target = words.actor(parts.terms.target.actor)
            lines.append(
                f"{naming.capital(target)} would accept with {parts.terms.accept:.0%}; the deal is worth "
                f"{parts.terms.target.worth:+.4f} to it."
            )
        rows = [
            [
                words.indicator(part.path, me) if part.owner == me
                else f"{words.indicator(part.path, part.owner)}, for {words.actor(part.owner)}",
                words.deed(part.deed) if part.deed else "",
                f"{part.change:+.4f}",
                f"{part.utility:+.4f}",
            ]
            for part in sorted(parts.contributions, key=lambda part: -abs(part.utility))[:PARTS]
        ]  # fmt: skip
        if rows:
            lines.append(explain.table(["what it moves", "by what follows", "change", "utility"], rows, 2))
        lines += [f"It hangs on {words.actor(one.giver)}'s word ({one.kind})." for one in parts.reliances]
        felt = self.taken_by[option.number]
        lines += [
            f"{naming.capital(words.actor(name))} would {_mood(change)} you ({change:+.4f})." for name, change in felt
        ] or ["Nobody's regard for you would change."]
        self.game.write("\n".join(lines))


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

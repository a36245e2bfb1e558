"""Play: a seat for a person; see the turn as your actor does, choose, end it, see the next.

A game lies in a numbered folder under DIR, as `tightrope play` makes it: begun here it can be gone on with there, and
the other way round. What is chosen is on the disk when the next turn is shown; what is not yet ended lives in the tab.
"""

from __future__ import annotations

import datetime
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import pages, parts, stage, state
from dashboards.fields import Button, Choice, Text
from dashboards.live import Film, await_model, open_live
from dashboards.state import Query, Subject
from dashboards.tables import Column, Row, Table
from dashboards.watch import FIRST, Setup
from sim import game, play, seats, store
from sim.arrays import POLICIES
from sim.errors import BadInput, FolderProblem
from sim.game import Game, OnTable, Open, Seat
from sim.naming import capital, listed, spaced
from sim.runs import Prepared

PAGE = pages.Page("play", "Play", "mdi-chess-pawn", 15)
PICTURES = {"map": "Map", "ladder": "Ladder", "regard": "Regard"}
TOLD = 3  # onlookers beside an option
WANTED = 6  # interests told of an actor that can be played
COMPILED = "The first time on a machine the model is compiled, which takes about a minute."
_choosing = threading.Lock()  # tabs of one game take their turns one after the other


@solara.component_vue("vue/play.vue")
def _Choose(
    heading: str,
    turn: int,
    later: bool,
    promises: list[dict[str, Any]],
    offers: list[dict[str, Any]],
    meetings: list[dict[str, Any]],
    options: list[dict[str, Any]],
    answers: list[str],
    coming: dict[str, str],
    picked: list[int],
    chips: list[dict[str, Any]],
    apart: dict[str, Any] | None,
    problem: str,
    attention: str,
    used: float,
    closing: str,
    event_answer: Callable[[list[Any]], Any],
    event_come: Callable[[list[str]], Any],
    event_pick: Callable[[int], Any],
    event_why: Callable[[int], Any],
    event_end: Callable[[int], Any],
) -> None:
    """Offers, meetings, options; what is chosen, and the end of the turn. later: the turn before was ended here."""


@solara.component_vue("vue/playseen.vue")
def _Seen(wants: list[dict[str, Any]], beliefs: list[dict[str, str]]) -> None:
    """What the actor wants, and whom it believes."""


@solara.component
def View(query: Query, go: parts.Go) -> None:
    if query.get("game"):
        At(query.get("game"), go).key(query.get("game"))
    else:
        Begin(query, go)


# ------------------------------------------------------------------------------------------------ a new game


@solara.component
def Begin(query: Query, go: parts.Go) -> None:
    """Who is to be played in what, and the games that there are."""
    subject = Subject.of(query, FIRST)
    ready = subject.ready()
    names = stage.cast(ready)
    library = state.library()
    actor = query.get("as") or next(iter(names.actors))
    if actor not in names.actors:
        raise BadInput(f"There is no actor “{actor[:60]}” in {ready.scenario.title}.")
    opened, set_opened = solara.use_state(False)
    problem, tell = solara.use_state("")
    asked, ask = solara.use_state(0)
    made, error, busy = parts.use_work(lambda: begun(subject, ready, actor) if asked else "", [asked])
    solara.use_effect(lambda: go(PAGE.path, Query().with_(game=made)) if made else None, [made])
    files = library.scenarios()

    def other(new: Subject) -> None:
        go(PAGE.path, new.query().with_(**{"as": actor if new.scenario == subject.scenario else None}))

    def typed(name: str, text: str) -> None:
        """A number of the form, as it is typed."""
        other(Subject.of(subject.query().with_(**{name: text.strip() or None})))

    with solara.Div(classes=["tightrope-two"]):
        with solara.Div(classes=["panel", "play-form"]):
            rv.Html(tag="h1", class_="heading", children=["Take a seat"])
            parts.Note(text="You decide for one actor, turn by turn; the model decides for the others. Every turn is "
                            "kept when it ends, so a game can be left at any time.")  # fmt: skip
            with solara.Div(classes=["tightrope-fields"]):
                own = {"": f"that of {subject.folder}"} if subject.folder else {}
                Choice("Scenario", subject.scenario, own | {name: name for name in files},
                       lambda name: other(Subject(name) if name else subject))  # fmt: skip
                Choice("Who you are", actor, names.actors,
                       lambda name: go(PAGE.path, subject.query().with_(**{"as": name})))  # fmt: skip
                if not subject.folder:
                    Text("Seed", str(subject.seed), parts.guarded(partial(typed, "seed"), tell))
                    Text("Run", str(subject.run), parts.guarded(partial(typed, "n"), tell))
                Choice("Policy of the others", subject.policy or "",
                       {"": "as the scenario says"} | {name: name for name in POLICIES},
                       lambda name: other(replace(subject, policy=name or None)))  # fmt: skip
            rv.Html(tag="p", children=[f"{ready.scenario.title}: {ready.turns} turns from {names.dates[1]}."])
            rv.Html(tag="p", class_="muted", children=[wanted(ready, actor)])
            with solara.Div(classes=["tightrope-row", "tightrope-chips"]):
                for text in subject.sets:
                    left = tuple(one for one in subject.sets if one != text)
                    Button(f"{text}  ✕", partial(other, replace(subject, sets=left)), plain=True)
                for change in subject.changes:
                    kept = tuple(one for one in subject.changes if one != change)
                    Button(f"{change.text()}  ✕", partial(other, replace(subject, changes=kept)), plain=True)
            with solara.Div(classes=["tightrope-row"]):
                Button("Begin the game", lambda: ask(asked + 1), disabled=bool(asked) and busy)
                Button("Scenario and numbers", lambda: set_opened(not opened), plain=True)
            if busy and asked:
                parts.Note(text=f"The game is being laid out. {COMPILED}", kind="wait")
            elif error is not None or problem:
                parts.Note(text=problem if error is None else parts.told(error), kind="error")
        with solara.Div(classes=["panel"]):
            rv.Html(tag="h2", class_="heading", children=[f"Games under {library.folder}"])
            Games(go)
    if opened:
        Setup(subject, ready, other, lambda: set_opened(False), tell, "Take these numbers")


def wanted(ready: Prepared, actor: str) -> str:
    """What an actor wants most, in a line."""
    compiled, words = ready.compiled, stage.cast(ready).words
    own = [h for h, (owner, _) in enumerate(compiled.interests) if owner == actor]
    own.sort(key=lambda h: -compiled.tables.salience[h])
    told = listed([words.indicator(compiled.paths[compiled.tables.interest_slot[h]], actor) for h in own[:WANTED]])
    return f"{capital(words.actor(actor))} cares most for {told}." if told else ""


def begun(subject: Subject, ready: Prepared, actor: str) -> str:
    """Begin a game in a folder of its own under DIR; its id."""
    library = state.library()
    seed, policy = subject.draws()
    await_model()
    if subject.folder:
        name = Path(str(library.entry(subject.folder).manifest.get("scenario") or "game")).name
    else:
        name = library.scenario(subject.scenario).stem
    made = game.start(
        ready, name, actor, seed, subject.drawn(), subject.sets, policy, parent=library.folder,
        source=library.scenario(subject.scenario) if subject.scenario else name,
    )  # fmt: skip
    return made.path.relative_to(library.folder).as_posix()


@solara.component
def Games(go: parts.Go) -> None:
    """The games that were left, and those that are over."""
    looked, look = solara.use_state(0)
    library = state.library()
    left = solara.use_memo(lambda: library.entries(state.GAME), [looked])
    over = solara.use_memo(lambda: [one for one in library.entries(state.RUN) if player(one.manifest)], [looked])

    def opened(key: str) -> None:
        go(PAGE.path, Query().with_(game=key))

    with solara.Div(classes=["tightrope-row"]):
        Button("Look again", lambda: look(looked + 1), plain=True)
    if not left and not over:
        parts.Note(text="There are no games here yet.")
    if left:
        Table("Games to go on with",
              [Column("To go on with"), Column("Who"), Column("Turns over", True), Column("Last", True)],
              [_left(one) for one in left], filtered=len(left) > 8, on_open=opened)  # fmt: skip
    if over:
        Table("Games that are over", [Column("Over"), Column("Who"), Column("Title"), Column("Ended", True)],
              [Row([one.id, str(one.manifest["actors"][player(one.manifest)]), str(one.manifest["title"]),
                    _when(one.changed)], [one.id, player(one.manifest), str(one.manifest["title"]), one.changed],
                   one.id) for one in over], filtered=len(over) > 8, on_open=opened)  # fmt: skip


def _left(entry: state.Entry) -> Row:
    if entry.problem:
        return Row([entry.id, "", "", _when(entry.changed)], problem=entry.problem)
    told = entry.manifest
    return Row([entry.id, capital(spaced(told["actor"])), f"{told['over']} of {told['turns']}", _when(entry.changed)],
               [entry.id, told["actor"], told["over"], entry.changed], entry.id)  # fmt: skip


def _when(changed: float) -> str:
    return datetime.datetime.fromtimestamp(changed).astimezone().strftime("%Y-%m-%d %H:%M")


def player(manifest: Mapping[str, Any]) -> str:
    """Whom a person played in a run, by its manifest; empty where nobody did."""
    chosen = manifest.get("chosen") or {"actors": [], "players": []}
    return game.person(chosen["actors"], chosen["players"])


# ------------------------------------------------------------------------------------------------ a game


@solara.component
def At(id: str, go: parts.Go) -> None:  # noqa: A002
    """The game of an id: as far as it was played, or what came of it."""
    opened, reopen = solara.use_state(0)
    said, say = solara.use_state("")
    library = state.library()
    whole = library.holds(id, state.RUN)
    if not whole:
        library.entry(id, state.GAME)  # what is wrong with it is told in place of the page

    def anew(why: str) -> None:
        """Open the game again, as it stands now."""
        say(why)
        reopen(opened + 1)

    if said:
        parts.Note(text=said, kind="error")
    if whole:
        Over(id, go)
    else:
        Opened(id, anew, say, go).key(f"{id}:{opened}")


def open_game(id: str) -> Game:  # noqa: A002
    """A game that was left. Raises FolderProblem where another process is at it, and as `game.again`."""
    entry = state.library().entry(id, state.GAME)
    holder = store.holder(entry.path)
    if holder is not None and holder != os.getpid():
        raise FolderProblem(f"This game is being played in another window, by process {holder}. Leave it there first "
                            "(at a terminal: quit), then look again.")  # fmt: skip
    if entry.manifest["players"]:
        code = " ".join(f"--player {told}" for told in entry.manifest["players"])
        raise BadInput(f"In this game code plays too, and code is loaded from the command line only. Go on with it "
                       f"there: tightrope play --resume {entry.path} {code}")  # fmt: skip
    await_model()
    return game.again(entry.path)


@solara.component
def Opened(id: str, anew: Callable[[str], Any], say: Callable[[str], Any], go: parts.Go) -> None:  # noqa: A002
    """A game that is not over, once it has been played again up to where it was left."""
    played, error, _ = parts.use_work(lambda: open_game(id), [id])
    if error is not None:
        parts.Note(text=parts.told(error), kind="error")
        with solara.Div(classes=["tightrope-row"]):
            Button("Look again", lambda: anew(""))
            Button("All games", lambda: go(PAGE.path), plain=True)
    elif played is None:
        parts.Note(text=f"The game is being played again up to where it was left. {COMPILED}", kind="wait")
    else:
        Playing(id, played, anew, say, go)


@solara.component
def Playing(
    id: str,  # noqa: A002
    played: Game,
    anew: Callable[[str], Any],
    say: Callable[[str], Any],
    go: parts.Go,
) -> None:
    """The turn to come, and what was before it. anew: the game is to be opened again, and why; say: told above it."""
    first = solara.use_memo(lambda: played.last, [])
    last, set_last = solara.use_state(played.last)
    seat = played.seat
    film = solara.use_memo(lambda: Film(Subject(folder=id), played.ready, played.last, played.history()), [last])
    if seat is None:
        Ending(played, anew)
        return

    def end(turn: int, choice: seats.Choice) -> None:
        """End a turn, unless it is over already, as with a second click."""
        if played.seat is None or turn != played.seat.turn:
            return
        try:
            with _choosing:
                played.choose(choice)
        except BadInput as error:
            say(str(error))
        except game.PlayedElsewhere:
            anew("This turn was ended elsewhere, in another tab or at a terminal; here is the game as it stands now.")
        except FolderProblem:  # opening it tells which
            anew("The turn was not ended: somebody else is at this game, or it is over, or gone.")
        except Exception as error:
            parts.log(error)
            anew(parts.told(error))
        else:
            say("")
            set_last(played.last)

    names = stage.cast(played.ready)
    with rv.Html(tag="div"):
        with solara.Div(classes=["controls", "panel"]):
            with solara.Div(classes=["controls-what"]):
                where = f"{names.dates[seat.turn]}, turn {seat.turn} of {seat.turns}"
                rv.Html(tag="h1", class_="heading", children=[f"{where}: you are {names.words.actor(seat.actor)}"])
                rv.Html(tag="span", class_="muted", children=[about(id, played)])
            with solara.Div(classes=["controls-more"]):
                if played.last:
                    at = Subject(folder=id).query().with_(turn=played.last)
                    Button("Watch it so far", lambda: go("watch", at), plain=True)
                Button("All games", lambda: go(PAGE.path), plain=True)
        with solara.Div(classes=["play"]):
            Before(id, seat, film, go)
            Choosing(played, seat, played.last > first, end).key(f"{seat.turn}")


def about(id: str, played: Game) -> str:  # noqa: A002
    """Which game it is, in a line."""
    made = played.made
    told = [id, played.ready.scenario.title, f"seed {made.seed}"]
    told += [f"run {made.run}"] if made.run else []
    told += [f"policy {made.policy}"] if made.policy else []
    return " · ".join([*told, *made.sets])


@solara.component
def Before(id: str, seat: Seat, film: Film, go: parts.Go) -> None:  # noqa: A002
    """What happened, where everyone stands, what the actor wants and whom it believes."""
    shown, show = solara.use_state("map")
    ready, last = film.ready, seat.turn - 1
    names = stage.cast(ready)
    subject = Subject(folder=id).query()

    there = {"map": True, "ladder": bool(names.ladder), "regard": bool(names.regard)}
    pictures = {name: title for name, title in PICTURES.items() if there[name]}

    def why(key: Mapping[str, Any]) -> None:
        go("why", card_at(id, key))

    def who(actor: str) -> None:
        if last:
            go("why", subject.with_(turn=last, actor=actor))

    def watch(turn: int) -> None:
        if 0 < turn <= last:
            go("watch", subject.with_(turn=turn))

    happened = stage.feed(film, last, min(stage.TOLD, last))  # of the start there is nothing to tell
    now = {"turn": seat.turn, "date": f"{names.dates[seat.turn]}, before anyone chooses", "told": news(seat, ready)}
    with rv.Html(tag="div", class_="play-before"):
        stage.Panel("news", stage.Feed(turns=[now, *happened], event_act=why))
        with rv.Html(tag="section", class_="panel area-picture"):
            with rv.Html(tag="div", class_="tabs", attributes={"role": "group", "aria-label": "Picture"}):
                for name, title in pictures.items():
                    Tab(title, name == shown, partial(show, name))
            if shown == "map":
                told = happened[0]["told"] if happened else []
                stage.TheMap(film, last, told, why, who)
            elif shown == "ladder":
                stage.TheLadder(film, last, watch)
            else:
                stage.TheRegard(film, last, who)
        stage.Panel("wants", _Seen(wants=interests(seat, ready), beliefs=beliefs(seat, ready)))


def card_at(id: str, key: Mapping[str, Any]) -> Query:  # noqa: A002
    """The address of an act's decision card."""
    act = {name: key.get(name) for name in ("turn", "actor", "action", "target")}
    return Subject(folder=id).query().with_(**act)


@solara.component
def Tab(title: str, here: bool, on_click: Callable[[], Any]) -> None:
    """One of several pictures in one place."""
    button = rv.Html(tag="button", class_="here" if here else "", children=[title],
                     attributes={"type": "button", "aria-pressed": str(here).lower()})  # fmt: skip
    rv.use_event(button, "click", lambda *_: on_click())


def news(seat: Seat, ready: Prepared) -> list[dict[str, Any]]:
    """What happened in the turn before anyone chooses, in sentences as those of the feed."""
    words, titles = stage.cast(ready).words, ready.legend.incident_titles
    told = [{"kind": "inject", "text": capital(title)} for title in seat.events]
    return told + [
        {"kind": "incident", "text": capital(stage.of_whom(titles[name], words.actor(whom) if whom else ""))}
        for name, whom in seat.incidents
    ]


def interests(seat: Seat, ready: Prepared) -> list[dict[str, Any]]:
    """What the actor wants, a row each. nearer: above 0 where the indicator came nearer to the ideal."""
    words = stage.cast(ready).words
    moved = {one.name: abs(one.change) >= 5e-4 for one in seat.interests}
    return [
        {"path": one.path, "told": capital(words.indicator(one.path, seat.actor)),
         "now": words.value(one.path, one.now), "change": f"{one.change:+.3f}" if moved[one.name] else "0",
         "nearer": abs(one.now - one.change - one.ideal) - abs(one.now - one.ideal) if moved[one.name] else 0,
         "ideal": words.value(one.path, one.ideal), "salience": f"{one.salience:.2f}"}
        for one in seat.interests
    ]  # fmt: skip


def beliefs(seat: Seat, ready: Prepared) -> list[dict[str, str]]:
    """Whose word the actor believes, a row each."""
    words, kinds = stage.cast(ready).words, ready.scenario.assurances
    return [{"who": capital(words.actor(giver)), "promise": capital(kinds[kind].title or spaced(kind)),
             "credible": f"{credible:.0%}"} for giver, kind, credible in seat.beliefs]  # fmt: skip


# ------------------------------------------------------------------------------------------------ choosing


@dataclass(frozen=True)
class Draft:
    """What is chosen so far. picked: places of options, in order. answers: by place of the offer; coming: by forum;
    why: the option that is taken apart."""

    picked: tuple[int, ...] = ()
    answers: Mapping[int, bool] = field(default_factory=dict)
    coming: Mapping[str, bool] = field(default_factory=dict)
    why: int | None = None


@solara.component
def Choosing(played: Game, seat: Seat, later: bool, end: Callable[[int, seats.Choice], Any]) -> None:
    """Offers, meetings and options, and what is chosen of them."""
    draft = solara.use_reactive(Draft())
    ready, words = played.ready, stage.cast(played.ready).words
    now = draft.value
    options = solara.use_memo(lambda: [_option(n, one, ready) for n, one in enumerate(seat.options)], [])
    places = solara.use_memo(lambda: tables_of(seat, ready), [])
    acts = [seat.options[n].option for n in now.picked]
    offers = [(one.offer.bargain, one.offer.proposer) for one in seat.offers]
    choice = game.choice(acts, {offers[n]: yes for n, yes in now.answers.items()}, now.coming)
    shares, left = seat.shares([(act.action, act.target) for act in acts])
    wrong = played.wrong(choice, words.option) if acts or now.answers or now.coming else None

    def pick(n: int) -> None:
        was = draft.value.picked
        if 0 <= n < len(options):
            draft.value = replace(draft.value, picked=tuple(p for p in was if p != n) if n in was else (*was, n))

    def answer(given: list[Any]) -> None:
        n, how = int(given[0]), given[1]
        if 0 <= n < len(offers) and how in ("accept", "refuse", ""):
            kept = {place: yes for place, yes in draft.value.answers.items() if place != n}
            draft.value = replace(draft.value, answers=kept | ({n: how == "accept"} if how else {}))

    def come(given: list[str]) -> None:
        forum, how = given
        if any(one.forum == forum for one in seat.meetings) and how in ("come", "stay", ""):
            kept = {name: yes for name, yes in draft.value.coming.items() if name != forum}
            draft.value = replace(draft.value, coming=kept | ({forum: how == "come"} if how else {}))

    def why(n: int) -> None:
        if 0 <= n < len(options):
            draft.value = replace(draft.value, why=None if draft.value.why == n else n)

    apart = None
    if now.why is not None:
        found = play.apart(words, played, seat.options[now.why])
        apart = {"n": now.why, **vars(found), "parts": [list(part) for part in found.parts]}
    spent = seat.attention - left
    _Choose(
        heading=f"Your choice for {stage.cast(ready).dates[seat.turn]}",
        turn=seat.turn,
        later=later,
        **places,
        options=options,
        answers=["" if n not in now.answers else "accept" if now.answers[n] else "refuse" for n in range(len(offers))],
        coming={forum: "come" if yes else "stay" for forum, yes in now.coming.items()},
        picked=list(now.picked),
        chips=[{"n": n, "told": words.option((act.action, act.target)),
                "share": "" if share == 1.0 else f"attention is short: comes about with {share:.0%}"}
               for n, act, share in zip(now.picked, acts, shares, strict=True)],
        apart=apart,
        problem="" if wrong is None else f"That cannot be: {wrong}.",
        attention=f"Attention {spent:.2f} of {seat.attention:.2f} used, {left:.2f} left",
        used=100.0 * min(spent / seat.attention, 1.0) if seat.attention > 0.0 else 100.0,
        closing="End the turn: hold" if not acts else f"End the turn: {len(acts)} act{'s' if len(acts) > 1 else ''}",
        event_answer=answer,
        event_come=come,
        event_pick=lambda n: pick(int(n)),
        event_why=lambda n: why(int(n)),
        event_end=lambda turn: end(int(turn), choice),
    )  # fmt: skip


def _option(n: int, one: Open, ready: Prepared) -> dict[str, Any]:
    """A row of the options."""
    option, names = one.option, stage.cast(ready)
    felt = ", ".join(f"{names.title(name)} {change:+.3f}" for name, change in one.felt[:TOLD])
    return {
        "n": n,
        "told": capital(names.words.option((option.action, option.target))),
        "whom": names.title(option.target) if option.target else "",
        "kind": spaced(ready.scenario.menu[option.action].channel),
        "chance": f"{option.chance:.0%}",
        "utility": f"{option.utility:+.4f}",
        "good": option.utility > 0.0,
        "effort": f"{one.effort:.2g}",
        "felt": f"regard: {felt}" if felt else "",
    }


def tables_of(seat: Seat, ready: Prepared) -> dict[str, Any]:
    """Promises, offers and meetings, in sentences."""
    words, dates = stage.cast(ready).words, ready.legend.dates
    return {
        "promises": [
            {"told": play.owed(words, seat, one, dates), "due": one.giver == seat.actor and one.due <= seat.turn}
            for one in seat.promises
        ],
        "offers": [
            {"told": f"{play.offered(words, seat, one)}.", "until": _until(seat, one),
             "worth": f"{one.worth:+.4f}", "good": one.worth > 0.0, "odds": f"{one.odds:.0%}",
             "at_once": one.offer.ask_after == 0, "asks": play.asked_of(seat, one)}
            for one in seat.offers
        ],
        "meetings": [
            {"forum": one.forum, "meets": one.meets,
             "told": f"{capital(words.forum(one.forum))} {'meets this turn' if one.meets else 'may be convened'}"}
            for one in seat.meetings if one.meets or one.convenable
        ],
    }  # fmt: skip


def _until(seat: Seat, one: OnTable) -> str:
    """How long an offer stands, and what comes of leaving it."""
    return capital(play.lasts(seat, one)) + (", left it is refused" if one.offer.last <= seat.turn else "")


# ------------------------------------------------------------------------------------------------ the end


@solara.component
def Ending(played: Game, anew: Callable[[str], Any]) -> None:
    """The run folder is written; then the game is shown as a run."""
    done, error, _ = parts.use_work(played.finish, [])
    solara.use_effect(lambda: anew("") if done is not None else None, [done is not None])
    if error is not None:
        parts.Note(text=parts.told(error), kind="error")
        Button("Try again", lambda: anew(""))
    else:
        parts.Note(text="The game is over. Its run folder is being written and its figures drawn.", kind="wait")


@solara.component
def Over(id: str, go: parts.Go) -> None:  # noqa: A002
    """What came of a game, and where to look at it."""
    done = state.library().run(id)
    actor = player(done.manifest)
    if not actor:
        raise BadInput(f"In the run folder {id} nobody took a seat; it can be looked at on Runs.")
    found, error, _ = parts.use_work(lambda: _ended(id, actor), [id])
    subject = Subject(folder=id)
    manifest = done.manifest
    known = state.library().scenarios()

    with solara.Div(classes=["tightrope-head"]):
        rv.Html(tag="h1", class_="heading", children=[f"The game is over: you were {manifest['actors'][actor]}"])
        solara.Text(f"{id} · {manifest['title']} · seed {manifest['seed']} · {manifest['turns']} turns",
                    classes=["muted"])  # fmt: skip
        Button("See it on Runs", lambda: go("runs", Query().with_(run=id)))
        Button("Watch it", lambda: go("watch", subject.query()))
        Button("Ask why", lambda: go("why", subject.query().with_(actor=actor)))
        scenario = next((one for one in (manifest["scenario"], f"./{manifest['scenario']}") if one in known), None)
        if scenario is not None:
            same = Query().with_(
                scenario=scenario, seed=manifest["seed"], n=manifest["chosen"]["run"] or None,
                policy=manifest["policy"] if manifest["policy_set"] else None, set=manifest["sets"], **{"as": actor},
            )  # fmt: skip
            Button("Play it again", lambda: go(PAGE.path, same), plain=True)
        Button("All games", lambda: go(PAGE.path), plain=True)
    if error is not None:
        parts.Note(text=parts.told(error), kind="error")
    elif found is None:
        parts.Note(text="Reading what came of it.", kind="wait")
    else:
        rows, deeds = found
        with solara.Div(classes=["tightrope-two"]):
            with solara.Div(classes=["panel"]):
                rv.Html(tag="h2", class_="heading", children=["What came of it"])
                Table("Outcomes of the game", [Column("Outcome"), Column("Answer", True), Column("When", True)], rows)
            with solara.Div(classes=["panel"]):
                rv.Html(tag="h2", class_="heading", children=["What you did"])
                stage.Feed(turns=deeds, event_act=lambda key: go("why", card_at(id, key)))


def _ended(id: str, actor: str) -> tuple[list[Row], list[dict[str, Any]]]:  # noqa: A002
    """The outcomes of a game, and what its player did, latest first."""
    done = state.library().run(id)
    answers, asked = done.outcomes.to_pylist()[0], done.manifest["outcomes"]
    words = stage.cast(done.prepared).words
    rows = []
    for name, told in asked.items():
        when = answers.get(f"{name}_date")
        rows.append(Row([str(told["title"]), play.answer(answers[name]), words.date(when) if when else ""]))
    film = open_live(Subject(folder=id), done.manifest["turns"]).reach(done.manifest["turns"])
    deeds = []
    for turn in range(film.last, 0, -1):
        told = [one for one in stage.sentences(film, turn) if one["kind"] == "act" and one["key"]["actor"] == actor]
        if told:
            deeds.append({"turn": turn, "date": stage.cast(film.ready).dates[turn], "told": told})
    return rows, deeds

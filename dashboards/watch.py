"""Watch: choose a scenario, see it unfold turn by turn, change something, go on or see both.

The address holds all of it: what is watched (`state.Subject`), `fork` for the changes of the other side, `turn`, and
`show` for the indicators. The run itself is made anew from that, which takes less than a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import pages, parts, stage, state
from dashboards.live import Film, Live, open_live
from dashboards.state import Change, Query, Subject
from sim.arrays import POLICIES
from sim.errors import BadInput
from sim.naming import number, spaced
from sim.runs import Prepared
from sim.scenario import nearest

PAGE = pages.Page("watch", "Watch", "mdi-play-circle-outline", 10)
FIRST = "takeover-2021"
SPEEDS = (0.5, 1.0, 2.0, 4.0)  # turns a second
FOUND = 40  # numbers shown at once
MOST = 16  # indicators side by side


@solara.component_vue("vue/controls.vue")
def _Controls(
    title: str,
    about: str,
    turn: int,
    turns: int,
    date: str,
    playing: bool,
    speed: float,
    speeds: list[float],
    changes: list[dict[str, str]],
    opened: str,
    forked: bool,
    event_play: Callable[[Any], Any],
    event_turn: Callable[[int], Any],
    event_tick: Callable[[int], Any],
    event_speed: Callable[[float], Any],
    event_open: Callable[[str], Any],
    event_drop: Callable[[str], Any],
    event_unfork: Callable[[Any], Any],
    event_seat: Callable[[Any], Any],
    event_size: Callable[[list[int]], Any],
) -> None:
    """The strip above the stage, the keys, and the loop that plays: it asks for the next turn as long as its tab lives,
    so that it ends with the tab, sleeps with it and goes on with it."""


@solara.component_vue("vue/setup.vue")
def _Setup(
    scenarios: list[dict[str, str]],
    scenario: str,
    seed: str,
    run: int,
    policy: str,
    policies: list[str],
    found: list[dict[str, Any]],
    count: int,
    sets: dict[str, str],
    word: str,
    event_search: Callable[[str], Any],
    event_start: Callable[[dict[str, Any]], Any],
    event_close: Callable[[Any], Any],
) -> None:
    """Scenario, seed, policy and every number."""


@solara.component_vue("vue/change.vue")
def _Change(
    actors: list[dict[str, str]],
    acts: dict[str, list[dict[str, Any]]],
    date: str,
    found: list[dict[str, Any]],
    event_search: Callable[[str], Any],
    event_do: Callable[[dict[str, Any]], Any],
    event_close: Callable[[Any], Any],
) -> None:
    """An act to be forced, or an indicator to be set, at the beginning of the turn to come."""


@solara.component_vue("vue/show.vue")
def _Show(
    found: list[dict[str, str]],
    count: int,
    chosen: list[str],
    most: int,
    event_search: Callable[[str], Any],
    event_show: Callable[[list[str]], Any],
    event_close: Callable[[Any], Any],
) -> None:
    """Which indicators are looked at."""


@solara.component
def View(query: Query, go: parts.Go) -> None:
    subject = Subject.of(query, FIRST)
    forks = tuple(Change.of(text) for text in query.all("fork"))
    turn = query.whole("turn", 0, 0, 10**6)
    key = (subject, forks)

    def make() -> tuple[Any, list[Live]]:
        lives = [open_live(subject, turn)]
        if forks:
            lives.append(open_live(subject.with_(changes=(*subject.changes, *forks)), turn))
        return key, lives

    made, error, _ = parts.use_work(make, [key])
    if made is not None and made[0] == key and error is None:
        Watching(query, subject, forks, made[1], turn, go).key(repr(key))
    elif error is not None:
        parts.Failed(
            message=parts.told(error),
            event_again=lambda _: go(PAGE.path, query),
            event_home=lambda _: go(PAGE.path),
        )
    else:
        parts.Note(text="The run is being made. The first time on a machine the model is compiled, which takes about "
                        "half a minute.", kind="wait")  # fmt: skip


@solara.component
def Watching(
    query: Query, subject: Subject, forks: tuple[Change, ...], lives: list[Live], asked: int, go: parts.Go
) -> None:
    """The run, or both, at one turn."""
    ready = lives[0].ready
    turns = min(live.ready.turns for live in lives)
    shown = solara.use_reactive(solara.use_memo(lambda: _frames(lives, min(asked, turns)), []))
    playing, set_playing = solara.use_state(False)
    speed, set_speed = solara.use_state(1.0)
    opened, set_opened = solara.use_state("")
    problem, tell = solara.use_state("")
    size, set_size = solara.use_state((1280, 720))
    turn, films = shown.value
    names = stage.cast(ready)
    looked, set_looked = solara.use_state(solara.use_memo(lambda: _indicators(query.all("show"), names), []))

    def show(wanted: int) -> None:
        wanted = max(0, min(int(wanted), turns))
        if wanted != shown.value[0]:
            reached = _frames(lives, wanted)
            with parts.together():
                shown.set(reached)
                go.note(_at(subject, forks, looked).with_(turn=wanted or None))

    def tick(wanted: int) -> None:
        if playing:  # the tab may not know yet that it was paused
            show(wanted)
            set_playing(shown.value[0] < turns)

    def toggle(_: Any) -> None:
        if not playing and shown.value[0] >= turns:
            show(0)
        set_playing(not playing)

    def step_to(wanted: int) -> None:
        set_playing(False)
        show(wanted)

    def again(new: Subject, changed: tuple[Change, ...], at: int) -> None:
        """Go to another run at a turn."""
        set_playing(False)
        go(PAGE.path, _at(new, changed, looked).with_(turn=at or None))

    def look(paths: list[str]) -> None:
        set_looked(_indicators(tuple(map(str, paths)), names))
        go.note(_at(subject, forks, paths).with_(turn=shown.value[0] or None))

    def why(side: int, key: dict[str, Any]) -> None:
        wanted = {name: key.get(name) for name in ("actor", "action", "target")}
        go("why", lives[side].subject.query().with_(turn=key["turn"], **wanted))

    def who(side: int, actor: str) -> None:
        go("why", lives[side].subject.query().with_(turn=max(shown.value[0], 1), actor=actor))

    def drop(text: str) -> None:
        kept = tuple(change for change in subject.changes if change.text() != text)
        again(subject.with_(changes=kept), tuple(c for c in forks if c.text() != text), shown.value[0])

    with rv.Html(tag="div"):
        _Controls(
            title=ready.scenario.title,
            about=_about(subject),
            turn=turn,
            turns=turns,
            date=names.dates[turn] if turn else f"Start ({names.dates[0]})",
            playing=playing,
            speed=speed,
            speeds=list(SPEEDS),
            changes=[{"text": one.text(), "told": _told(one, ready), "side": side}
                     for side, many in (("", subject.changes), ("other side: ", forks)) for one in many],
            opened=opened,
            forked=bool(forks),
            event_play=toggle,
            event_turn=parts.guarded(step_to, tell),
            event_tick=parts.guarded(tick, tell),
            event_speed=lambda value: set_speed(float(value)) if float(value) in SPEEDS else None,
            event_open=lambda what: set_opened("" if what == opened else str(what)),
            event_drop=parts.guarded(drop, tell),
            event_unfork=lambda _: again(subject, (), shown.value[0]),
            event_seat=lambda _: go("play", subject.query()),
            event_size=lambda size: set_size((int(size[0]), int(size[1]))),
        )  # fmt: skip
        if opened == "setup":
            Setup(subject, ready, lambda new: again(new, (), 0), lambda: set_opened(""), tell)
        elif opened == "change":
            Changing(subject, films[0], turn, lambda change, fork: again(
                subject if fork else subject.with_(changes=(*subject.changes, change)),
                (*forks, change) if fork else (), turn), lambda: set_opened(""), tell)  # fmt: skip
        elif opened == "show":
            Showing(films[0], turn, looked, parts.guarded(look, tell), lambda: set_opened(""))
        if problem:
            parts.Note(text=problem, kind="error")
        stage.Stage(
            films[0], turn, why, who, parts.guarded(step_to, tell), shown=looked, size=size,
            other=films[1] if len(films) > 1 else None,
        )  # fmt: skip


def _frames(lives: list[Live], turn: int) -> tuple[int, list[Film]]:
    """The runs at a turn: what all pictures of the page are drawn from, so that they never tell different turns."""
    return turn, [live.reach(turn) for live in lives]


def _at(subject: Subject, forks: tuple[Change, ...], looked: Sequence[str]) -> Query:
    return subject.query().with_(fork=tuple(change.text() for change in forks), show=tuple(looked))


def _indicators(paths: tuple[str, ...], names: stage.Cast) -> tuple[str, ...]:
    """The indicators of an address, each once. Raises BadInput."""
    for path in paths:
        if path not in names.titles:
            raise BadInput(f"There is no indicator “{path[:80]}”{nearest(path, names.titles)}.")
    if len(set(paths)) > MOST:
        raise BadInput(f"The address names {len(set(paths))} indicators to show; at most {MOST} can be.")
    return tuple(dict.fromkeys(paths))


def _about(subject: Subject) -> str:
    """Which run it is, in a line."""
    if subject.folder:
        told = [f"{subject.folder}, run {subject.run}"]
    else:
        told = [f"seed {subject.seed}", f"run {subject.run}"]
    told += [f"policy {subject.policy}"] if subject.policy else []
    count = len(subject.sets)
    return ", ".join(told + ([f"{count} number{'s' if count > 1 else ''} changed"] if count else []))


def _told(change: Change, ready: Prepared) -> str:
    """A change in words."""
    names = stage.cast(ready)
    date = names.dates[change.turn] if 0 <= change.turn < len(names.dates) else f"turn {change.turn}"
    if change.act is not None:
        actor, action, target = change.act
        return f"{date}: {names.title(actor)} {names.words.option((action, target))}"
    path, value = change.set or ("", 0.0)
    told = spaced(value) if isinstance(value, str) else number(value)
    return f"{date}: {names.titles.get(path, path)} set to {told}"


# ------------------------------------------------------------------------------------------------ what is set up


def rows(ready: Prepared, text: str, known: dict[str, str]) -> tuple[list[dict[str, Any]], int]:
    """The numbers whose path or title has every word of a text, the ranged ones first; and how many there are."""
    words = text.lower().split()
    found = []
    for path, title, entry in stage.numbers_of(ready):
        if all(word in path.lower() or word in title.lower() for word in words):
            found.append((path, title, entry))
    found.sort(key=lambda one: (one[0] not in known, one[2].quantity.range is None))
    told = []
    for path, title, entry in found[:FOUND]:
        value, bounds = entry.quantity.value, entry.quantity.range
        basis = ", ".join(entry.claim or []) or entry.assumption or "neither claim nor assumption"
        told.append({"path": path, "title": title, "value": value if isinstance(value, str) else f"{value:.10g}",
                     "low": bounds and bounds[0], "high": bounds and bounds[1], "basis": basis})  # fmt: skip
    return told, len(found)


@solara.component
def Setup(
    subject: Subject,
    ready: Prepared,
    start: Callable[[Subject], Any],
    close: Callable[[], Any],
    tell: Callable[[str], Any],
    word: str = "Start anew",
) -> None:
    """Which scenario, with which seed, policy and numbers. word: on the button that takes them."""
    text, search = solara.use_state("")
    known = dict(one.split("=", 1) for one in subject.sets if "=" in one)
    found, count = rows(ready, text, known)
    files = state.library().scenarios()

    def begin(given: dict[str, Any]) -> None:
        chosen = str(given.get("scenario", ""))
        same = chosen == (subject.scenario or "")
        if chosen and chosen not in files:
            raise BadInput(f"There is no scenario “{chosen[:80]}”.")
        policy = given.get("policy") or None
        if policy is not None and policy not in POLICIES:
            raise BadInput(f"There is no policy “{str(policy)[:40]}”.")
        sets = {str(path): str(value) for path, value in dict(given.get("sets") or {}).items() if str(value).strip()}
        query = Query().with_(
            seed=str(given.get("seed", "1")).strip() or "1", n=str(given.get("run", 0)).strip() or "0"
        )
        asked = Subject.of(query.with_(scenario=chosen or "x"))
        folder = subject.folder if not chosen else ""
        kept = sets if same or folder else {}
        new = Subject(chosen, folder, asked.seed, asked.run, policy, tuple(f"{p}={v}" for p, v in kept.items()))
        new.ready()  # so that what is wrong is told here, beside what was typed
        start(new)

    _Setup(
        scenarios=[{"id": one, "title": one} for one in files],
        scenario=subject.scenario,
        seed=str(subject.seed),
        run=subject.run,
        policy=subject.policy or "",
        policies=list(POLICIES),
        found=found,
        count=count,
        sets=known,
        word=word,
        event_search=lambda value: search(str(value)[:200]),
        event_start=parts.guarded(begin, tell),
        event_close=lambda _: close(),
    )


@solara.component
def Showing(
    film: Film, turn: int, looked: Sequence[str], show: Callable[[list[str]], Any], close: Callable[[], Any]
) -> None:
    """Which indicators are looked at: those chosen first, then those that the actors care for most."""
    text, search = solara.use_state("")
    names, values = stage.cast(film.ready), film.values(min(turn, film.last))
    words = text.lower().split()
    paths = dict.fromkeys([*looked, *names.main, *names.titles])
    found = [path for path in paths if all(word in f"{path} {names.titles[path]}".lower() for word in words)]
    _Show(
        found=[{"path": path, "title": names.titles[path], "now": names.words.value(path, values[path])}
               for path in found[:FOUND]],
        count=len(found),
        chosen=list(looked),
        most=MOST,
        event_search=lambda value: search(str(value)[:200]),
        event_show=show,
        event_close=lambda _: close(),
    )  # fmt: skip


@solara.component
def Changing(
    subject: Subject,
    film: Film,
    turn: int,
    done: Callable[[Change, bool], Any],
    close: Callable[[], Any],
    tell: Callable[[str], Any],
) -> None:
    """An intervention at the beginning of the turn to come."""
    text, search = solara.use_state("")
    ready = film.ready
    names = stage.cast(ready)
    acts: dict[str, list[dict[str, Any]]] = {}
    for actor, action, target in ready.compiled.options:
        acts.setdefault(actor, []).append({"action": action, "target": target,
                                           "told": names.words.option((action, target))})  # fmt: skip
    wanted = text.lower().split()
    values = film.values(min(turn, film.last))
    found = []
    for path, title in names.titles.items():
        if names.ranges and all(word in path.lower() or word in title.lower() for word in wanted):
            slot = ready.scenario.slots[path]
            if slot.indicator.startswith("credibility_") and slot.place.startswith("assurances."):
                continue  # what others believe cannot be set
            found.append({"path": path, "title": title, "now": names.words.value(path, values[path]),
                          "low": slot.lo, "high": slot.hi, "value": values[path],
                          "rungs": list(slot.ladder or ())})  # fmt: skip
        if len(found) >= FOUND:
            break

    def make(given: dict[str, Any]) -> None:
        coming = turn + 1
        if coming > film.turns:
            raise BadInput("The run is over: step back to an earlier turn and change something there.")
        if given.get("kind") == "act":
            target = given.get("target") or None
            change = Change(coming, act=(str(given.get("actor")), str(given.get("action")), target))
        else:
            change = Change.of(f"{coming}:set:{given.get('path')}={given.get('value')}")
        subject.with_(changes=(*subject.changes, change)).ready()
        done(change, bool(given.get("fork")))

    _Change(
        actors=[{"id": actor, "title": names.title(actor)} for actor in acts],
        acts=acts,
        date=names.dates[min(turn + 1, film.turns)],
        found=found,
        event_search=lambda value: search(str(value)[:200]),
        event_do=parts.guarded(make, tell),
        event_close=lambda _: close(),
    )

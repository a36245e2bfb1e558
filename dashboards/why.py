"""Why: one actor in one turn of one run; the decision card of `sim.explain`, with everything to be clicked.

What it could do, what each option was worth to it and through what, what would have tipped it, and what the numbers
behind it rest on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import reacton.ipyvuetify as rv
import solara
from pyarrow import compute

from dashboards import cards, live, pages, parts, stage, state
from dashboards.state import Query, Subject
from sim.errors import BadInput, FolderProblem, UserError
from sim.explain import Card, card, card_of
from sim.naming import Words, capital
from sim.runs import Prepared

TRYING = threading.Lock()  # numbers are tried for one card at a time
PAGE = pages.Page("why", "Why", "mdi-help-circle-outline", 20)
ASKED = ("Done in this turn", "Open to it, and not done", "Not open to it")


@solara.component_vue("vue/ask.vue")
def _Ask(
    subjects: list[dict[str, str]],
    subject: str,
    run: int,
    runs: int,
    actors: list[dict[str, str]],
    actor: str,
    turns: list[dict[str, Any]],
    turn: int,
    acts: list[dict[str, Any]],
    chosen: str,
    watch: str,
    event_ask: Callable[[dict[str, Any]], Any],
    event_watch: Callable[[Any], Any],
) -> None:
    """The question."""


def default() -> Subject:
    """What is asked about where the address does not say: the latest run folder that opens, else a scenario's run."""
    for entry in state.library().entries(state.RUN):
        with suppress(UserError):
            subject = Subject(folder=entry.id)
            subject.ready()
            return subject
    return Subject(scenario="takeover-2021")


@solara.component
def View(query: Query, go: parts.Go) -> None:
    plain = solara.use_memo(default, [])
    subject = Subject.of(query) if query.get("run") or query.get("scenario") else plain
    ready = subject.ready()
    names = stage.cast(ready)
    actor = query.get("actor") or next(iter(names.actors))
    if actor not in names.actors:
        raise BadInput(f"There is no actor “{actor[:60]}” in {ready.scenario.title}.")
    asked = query.whole("turn", 1, 0, ready.turns)
    turn = asked or 1
    wanted = (query.get("action") or None, query.get("target") or None)
    key = (subject, actor, turn, *wanted)
    problem, tell = solara.use_state("")

    asked_last = solara.use_ref(key)
    asked_last.current = key

    def work(whole: bool) -> tuple[Any, Card, str] | None:
        if not whole:
            return _work(key, subject, ready, False)
        with TRYING:  # what was asked meanwhile is more urgent
            return _work(key, subject, ready, True) if asked_last.current == key else None

    # The answer comes at once; what would have tipped it, for which every number is tried, when it is found.
    made, error, _ = parts.use_work(lambda: work(False), [key])
    known = made is not None and made[0] == key
    tried, lost, _ = parts.use_work(lambda: work(True) if known else None, [key, known])
    error = error or lost
    found, over = next((one[1:] for one in (tried, made) if one is not None and one[0] == key), (None, ""))
    menu = ready.compiled.options
    count = subject.count

    def view(of: Subject, **more: Any) -> Query:
        return of.query().with_(**({"turn": turn, "actor": actor, "action": wanted[0], "target": wanted[1]} | more))

    def ask(given: dict[str, Any]) -> None:
        """A changed question: what is no longer right about it is left out."""
        kind, _, name = str(given.get("subject", "")).partition(":")
        new, options, last = subject, menu, ready.turns
        if given.get("subject") != _id(subject):
            new = Subject(folder=name) if kind == "run" else Subject(scenario=name)
            there = new.ready()
            options, last = there.compiled.options, there.turns
        else:
            new = subject.with_(run=max(0, min(int(given.get("run") or 0), max(count - 1, 0) if count else 10**7)))
        who = str(given.get("actor"))
        action, _, target = str(given.get("chosen") or "").partition("|")
        acts = who in {one for one, _, _ in options}
        same = (who, action, target or None) in options
        go(PAGE.path, view(
            new, turn=min(int(given.get("turn") or 1), last), actor=who if acts or new is subject else None,
            action=action if same else None, target=(target or None) if same else None,
        ))  # fmt: skip

    def act(one: dict[str, Any]) -> None:
        action, target = one.get("action"), one.get("target")
        go(PAGE.path, view(subject, action=action, target=target))

    def try_it(flip: dict[str, Any]) -> None:
        """The same run with one number changed, beside this turn."""
        sets = (
            *(one for one in subject.sets if not one.startswith(f"{flip['path']}=")),
            f"{flip['path']}={flip['after']}",
        )
        go("watch", subject.with_(sets=sets).query().with_(turn=turn))

    def name_it() -> None:
        """What the address left out is what it is now: so it can be shared."""
        if not (query.get("run") or query.get("scenario")) or not query.get("actor"):
            go.note(view(subject))

    solara.use_effect(name_it, [key])
    with rv.Html(tag="div"):
        _Ask(
            subjects=_subjects(subject),
            subject=_id(subject),
            run=subject.run,
            runs=count,
            actors=[{"id": name, "title": title} for name, title in names.actors.items()],
            actor=actor,
            turns=[{"turn": n, "date": names.dates[n]} for n in range(1, ready.turns + 1)],
            turn=turn,
            acts=_acts(names, actor, menu, found),
            chosen=f"{wanted[0]}|{wanted[1] or ''}" if wanted[0] else "",
            watch=f"Watch {names.dates[turn]}",
            event_ask=parts.guarded(ask, tell),
            event_watch=lambda _: go("watch", subject.query().with_(turn=turn)),
        )  # fmt: skip
        if problem:
            parts.Note(text=problem, kind="error")
        if not asked and query.get("turn"):
            parts.Note(text=f"Turn 0 is the start, before anyone chose. This is the first turn, {names.dates[1]}.")
        if error is not None:
            mend = "Choose another run above, or make the folder anew by running the same again."
            parts.Note(text=parts.told(error), kind="error", more=[mend] if isinstance(error, FolderProblem) else [])
        elif found is None:
            parts.Note(text="The turn is being done again, to see what was weighed.", kind="wait")
        else:
            cards.Shown(found, over, tried is None or tried[0] != key, act, try_it, lambda claim: _to_claim(go, claim))


def _to_claim(go: parts.Go, claim: str) -> None:
    go("evidence", Query().with_(claim=claim))


def _work(key: tuple[Any, ...], subject: Subject, ready: Prepared, whole: bool) -> tuple[Any, Card, str]:
    """A card, what all runs of the folder say of its act, and what was asked: see `View`."""
    _, actor, turn, action, target = key
    card_ = _made(subject, ready, actor, turn, action, target, whole)
    return key, card_, _over_all(subject, card_)


def _made(
    subject: Subject, ready: Prepared, actor: str, turn: int, action: str | None, target: str | None, whole: bool
) -> Card:
    """The card; of a folder's own run with the notes that compare it with what was recorded. whole: see `card_of`."""
    key = ("card", subject, id(ready), actor, turn, action, target, whole)

    def make() -> Card:
        if subject.recorded:
            return card(state.library().run(subject.folder), actor, turn, subject.run, action, target, whole)
        seed, policy = subject.draws()
        # The decision is called by its own number, and drawn under the kernel's.
        first, chosen = subject.drawn() - subject.run, subject.chosen()
        if chosen and not subject.plain:  # what a change has made impossible the model chose
            chosen = live.open_live(subject, turn).chosen()
        return card_of(ready, seed, subject.run, actor, turn, policy, action, target, first, chosen or None, whole)

    return state.library().made(key, make)


def _over_all(subject: Subject, found: Card) -> str:
    """How often the act is done in all runs of the folder, and in this turn; "" where that is not kept."""
    if found.focus is None or not subject.recorded:
        return ""
    done = state.library().run(subject.folder)
    if not done.complete or done.runs < 2:
        return ""
    action, target = found.focus
    acts = done.acts
    whom = compute.is_null(acts["target"]) if target is None else compute.equal(acts["target"], target)
    same = compute.and_(compute.equal(acts["actor"], found.decision.actor), compute.equal(acts["action"], action))
    acts = acts.filter(compute.and_(same, whom))
    here = acts.filter(compute.equal(acts["turn"], found.decision.turn))
    runs, now = (len(compute.unique(rows["run"])) for rows in (acts, here))
    words = Words(found.scenario)
    return (f"In {runs:,} of {done.runs:,} runs {words.actor(found.decision.actor)} {words.option(found.focus)}; in "
            f"this turn in {now:,}.")  # fmt: skip


def _acts(names: stage.Cast, actor: str, menu: Any, found: Card | None) -> list[dict[str, str]]:
    """What can be asked about of an actor: what it did first, then what it could have done, then the rest."""
    rows = [{"id": f"{action}|{target or ''}", "told": capital(names.words.option((action, target))), "group": ""}
            for who, action, target in menu if who == actor]  # fmt: skip
    rows.sort(key=lambda row: row["told"])
    if found is None:
        return rows
    decision = found.decision
    beside = {*decision.events, *((also.action, also.target) for also in decision.also)}
    group = {
        f"{one.action}|{one.target or ''}": 0 if one.order or one.name in beside else 1 if one.available else 2
        for one in decision.options
    }
    for row in rows:
        row["group"] = ASKED[group.get(row["id"], 2)]
    return sorted(rows, key=lambda row: group.get(row["id"], 2))


def _id(subject: Subject) -> str:
    return f"run:{subject.folder}" if subject.folder else f"scenario:{subject.scenario}"


def _subjects(subject: Subject) -> list[dict[str, str]]:
    """What can be asked about."""
    library = state.library()
    found = [{"id": f"run:{entry.id}", "title": f"{entry.id}: {entry.manifest['title']}"}
             for entry in library.entries(state.RUN) if entry.problem is None]  # fmt: skip
    if subject.of_study:
        title = library.entry(subject.folder, state.STUDY).manifest["title"]
        found.insert(0, {"id": _id(subject), "title": f"{subject.folder}: {title}"})
    elif subject.of_game:
        found.insert(0, {"id": _id(subject), "title": f"{subject.folder}: a game, as far as it was played"})
    return found + [{"id": f"scenario:{name}", "title": f"{name} (made here)"} for name in library.scenarios()]

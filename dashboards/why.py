"""Why: one actor in one turn of one run; the decision card of `sim.explain`, with everything to be clicked.

What it could do, what each option was worth to it and through what, what would have tipped it, and what the numbers
behind it rest on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import charts, pages, parts, picture, stage, state
from dashboards.state import Query, Subject
from sim.apart import Contribution
from sim.decision import Considered, Flip
from sim.errors import BadInput
from sim.explain import Card, Telling, card, card_of
from sim.naming import axis_title, capital, share, spaced
from sim.runs import Prepared

PAGE = pages.Page("why", "Why", "mdi-help-circle-outline", 20)
BARS = 10  # options drawn as bars


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


@solara.component_vue("vue/card.vue")
def _Card(
    card: dict[str, Any],
    event_act: Callable[[dict[str, Any]], Any],
    event_try_it: Callable[[dict[str, Any]], Any],
    event_claim: Callable[[str], Any],
) -> None:
    """The card but for its bars."""


def default() -> Subject:
    """What is asked about where the address does not say: the latest run folder, else the first scenario's run."""
    folders = [entry for entry in state.library().entries(state.RUN) if entry.problem is None]
    return Subject(folder=folders[0].id) if folders else Subject(scenario="takeover-2021")


@solara.component
def View(query: Query, go: parts.Go) -> None:
    plain = solara.use_memo(default, [])
    subject = Subject.of(query) if query.get("run") or query.get("scenario") else plain
    ready = subject.ready()
    names = stage.cast(ready)
    actor = query.get("actor") or next(iter(names.actors))
    if actor not in names.actors:
        raise BadInput(f"There is no actor “{actor[:60]}” in {ready.scenario.title}.")
    turn = query.whole("turn", 1, 0, ready.turns) or 1
    wanted = (query.get("action") or None, query.get("target") or None)
    key = (subject, actor, turn, *wanted)
    made, error, _ = parts.use_work(lambda: (key, _made(subject, ready, actor, turn, *wanted)), [key])
    count = state.library().run(subject.folder).runs if subject.folder else 0

    def ask(given: dict[str, Any]) -> None:
        """A changed question: what is no longer right about it is left out."""
        kind, _, name = str(given.get("subject", "")).partition(":")
        if given.get("subject") != _id(subject):
            new = Subject(folder=name) if kind == "run" else Subject(scenario=name)
            go(PAGE.path, new.query().with_(actor=actor))
            return
        new = subject.with_(run=max(0, min(int(given.get("run") or 0), max(count - 1, 0) if count else 10**7)))
        asked = new.query().with_(turn=int(given.get("turn") or 1), actor=str(given.get("actor")))
        act = str(given.get("chosen") or "")
        if act and str(given.get("actor")) == actor:
            action, _, target = act.partition("|")
            asked = asked.with_(action=action, target=target or None)
        go(PAGE.path, asked)

    def act(one: dict[str, Any]) -> None:
        action, target = one.get("action"), one.get("target")
        go(PAGE.path, subject.query().with_(turn=turn, actor=actor, action=action, target=target))

    def try_it(flip: dict[str, Any]) -> None:
        """The same run with one number changed, beside this turn."""
        sets = (
            *(one for one in subject.sets if not one.startswith(f"{flip['path']}=")),
            f"{flip['path']}={flip['after']}",
        )
        go("watch", subject.with_(sets=sets).query().with_(turn=turn))

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
            acts=[{"id": f"{action}|{target or ''}", "told": capital(names.words.option((action, target)))}
                  for who, action, target in ready.compiled.options if who == actor],
            chosen=f"{wanted[0]}|{wanted[1] or ''}" if wanted[0] else "",
            watch=f"Watch {names.dates[turn]}",
            event_ask=ask,
            event_watch=lambda _: go("watch", subject.query().with_(turn=turn)),
        )  # fmt: skip
        if error is not None:
            parts.Note(text=parts.told(error), kind="error")
        elif made is None or made[0] != key:
            parts.Note(text="The turn is being done again, to see what was weighed.", kind="wait")
        else:
            Shown(made[1], act, try_it, lambda claim: _to_claim(go, claim))


def _to_claim(go: parts.Go, claim: str) -> None:
    go("evidence", Query().with_(claim=claim))


@solara.component
def Shown(
    found: Card,
    on_act: Callable[[dict[str, Any]], Any],
    on_try: Callable[[dict[str, Any]], Any],
    on_claim: Callable[[str], Any],
) -> None:
    """A card: its options as bars, then all the rest."""
    dark = picture.is_dark()
    telling = Telling(found)
    open_ = [option for option in found.decision.options if option.available]
    drawn = [option for n, option in enumerate(open_) if n < BARS or option.order or option.name == found.focus]
    with rv.Html(tag="div", class_="why"):
        parts.Note(text=telling.summary(), kind="summary", more=found.notes)
        with rv.Html(tag="section", class_="panel why-bars"):
            if drawn:
                rows = [
                    (capital(telling.words.option(option.name)),
                     charts.decision_parts(_plain(option), found.decision.actor),
                     {"action": option.action, "target": option.target}, "✓" if option.order else "")
                    for option in drawn
                ]  # fmt: skip
                picture.Picture(
                    charts.decision_bars(rows, dark),
                    "What each option was worth: expected utility, and what makes it (✓ done)",
                    height=charts.row_height(len(rows), 70),
                    on_click=lambda key: on_act(key) if isinstance(key, dict) else None,
                )
            else:
                solara.Text("Nothing was open to it in this turn.")
        _Card(card=told(found, telling), event_act=on_act, event_try_it=on_try, event_claim=on_claim)


def _made(subject: Subject, ready: Prepared, actor: str, turn: int, action: str | None, target: str | None) -> Card:
    """The card; of a folder's own run with the notes that compare it with what was recorded."""
    key = ("card", subject, id(ready), actor, turn, action, target)

    def make() -> Card:
        if subject.recorded:
            folder = state.library().run(subject.folder).folder
            return card(folder, actor, turn, subject.run, action, target)
        seed, policy = subject.draws()
        return card_of(ready, seed, subject.run, actor, turn, policy, action, target)

    return state.library().made(key, make)


# ------------------------------------------------------------------------------------------------ as plain data


def told(found: Card, telling: Telling) -> dict[str, Any]:
    """Everything of a card that is not drawn, as texts."""
    decision, words = found.decision, telling.words
    focus = None if found.focus is None else decision.option(*found.focus)
    return {
        "focus": None if focus is None else _apart(focus, telling),
        "menu": [_option(option, telling, found) for option in decision.options if option.available],
        "held": {"prior": share(decision.hold_prior), "first": share(decision.hold_first)},
        "shut": [{"told": words.option(option.name), "why": telling.wanting(option), "key": _key(option)}
                 for option in decision.options if not option.available],
        "tips": [
            {
                "lead": f"{capital(words.option(tip.rival))} ({share(tip.rival_first)}, against "
                        f"{share(tip.done_first)})",
                "already": tip.already,
                "flips": [_flip(flip, telling) for flip in _flips(tip.flips, tip.itself)],
            }
            for tip in found.tips
        ],
        "sources": _sources(found),
        "wants": [
            {"interest": spaced(want.interest), "indicator": telling.indicator(want.path),
             "now": words.value(want.path, want.value), "ideal": words.value(want.path, want.ideal),
             "salience": f"{want.salience:.2f}", "unmet": f"{want.unmet:.4f}"}
            for want in decision.wants
        ],
        "minds": [
            {"who": capital(words.actor(mind.actor)), "weight": f"{mind.weight:+.3f}", "stake": f"{mind.stake:.2f}",
             "regard": f"{mind.regard:+.2f}"}
            for mind in sorted(decision.minds, key=lambda mind: -abs(mind.weight))
        ],
        "about": f"Attention to spend {decision.attention:.2f}; rationality (lambda) {decision.rationality:g}; "
                 f"foresight {decision.foresight:g}; loss exponent {decision.risk:g}; policy {decision.policy}.",
    }  # fmt: skip


def _sources(found: Card) -> list[dict[str, Any]]:
    """What the numbers rest on; each claim and assumption in full once."""
    told: set[str] = set()
    rows = []
    for source in found.sources:
        new = [one for one in source.claims if one.id not in told]
        row = {
            "path": source.path,
            "title": capital(axis_title(found.scenario, source.path)),
            "value": _number(source.value),
            "carries": "would tip it" if source.carries is None else _signed(source.carries),
            "claims": [{"id": one.id, "locator": one.locator, "statement": one.statement} for one in new],
            "again": [one.id for one in source.claims if one.id in told],
            "assumption": "as above" if source.assumption in told else source.assumption or "",
        }
        rows.append(row)
        told.update(one.id for one in new)
        told.add(source.assumption or "")
    return rows


def _plain(option: Considered) -> dict[str, Any]:
    """What `charts.decision_parts` reads of an option."""
    return {
        "contributions": [{"owner": part.owner, "utility": part.utility} for part in option.contributions],
        "cost": option.cost,
    }


def _key(option: Considered) -> dict[str, Any]:
    return {"action": option.action, "target": option.target}


def _option(option: Considered, telling: Telling, found: Card) -> dict[str, Any]:
    return {
        "key": _key(option),
        "told": capital(telling.words.option(option.name)),
        "focus": option.name == found.focus,
        "done": bool(option.order),
        "fate": telling.fate(option),
        "chance": f"{option.chance:.2f}",
        "utility": _signed(option.utility),
        "weighed": f"{found.decision.rationality * option.utility:+.2f}",
        "prior": share(option.prior),
        "first": share(option.first),
    }


def _apart(option: Considered, telling: Telling) -> dict[str, Any]:
    """The option explained, part by part; the parts and the cost add up to its expected utility."""
    parts_ = sorted((part for part in option.contributions if part.utility), key=lambda part: -abs(part.utility))
    return {
        "told": capital(telling.words.option(option.name)),
        "available": option.available,
        "parts": [_part(part, telling) for part in parts_],
        "cost": _signed(-option.cost),
        "utility": _signed(option.utility),
        "chance": share(option.chance),
        "promises": [telling.reliance(reliance) for reliance in option.reliances],
        "moves": [
            f"{telling.indicator(move.path)} {move.change:+.3f}" + (f" after {move.after} turns" if move.after else "")
            for move in option.moves if abs(move.change) > 5e-5
        ],
    }  # fmt: skip


def _part(part: Contribution, telling: Telling) -> dict[str, Any]:
    own = part.owner == telling.decision.actor
    return {
        "interest": telling.interest(part),
        "indicator": telling.indicator(part.path),
        "now": telling.words.value(part.path, part.value),
        "change": f"{part.change:+.4f}",
        "weight": "own" if own else f"{part.weight:+.3f}",
        "utility": _signed(part.utility),
        "share": part.utility,
        "attempt": part.attempt,
    }


def _flips(flips: list[Flip], itself: Flip | None) -> list[Flip]:
    """The one that makes the named rival win first."""
    return flips if itself is None else [itself, *(flip for flip in flips if flip != itself)]


def _flip(flip: Flip, telling: Telling) -> dict[str, Any]:
    return {
        "title": capital(axis_title(telling.card.scenario, flip.path)),
        "path": flip.path,
        "before": _number(flip.before),
        "after": _number(flip.after),
        "relative": f"{100 * flip.relative:.3g}% of {_number(flip.low)}..{_number(flip.high)}, {flip.within}",
        "then": capital(telling.words.option(flip.then)),
    }


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def _signed(value: float) -> str:
    return f"{value:+.4f}" if abs(value) >= 5e-5 else f"{value:+.1e}" if value else "0"


def _id(subject: Subject) -> str:
    return f"run:{subject.folder}" if subject.folder else f"scenario:{subject.scenario}"


def _subjects(subject: Subject) -> list[dict[str, str]]:
    """What can be asked about."""
    library = state.library()
    found = [{"id": f"run:{entry.id}", "title": f"{entry.id}: {entry.manifest['title']}"}
             for entry in library.entries(state.RUN) if entry.problem is None]  # fmt: skip
    return found + [{"id": f"scenario:{name}", "title": f"{name} (made here)"} for name in library.scenarios()]

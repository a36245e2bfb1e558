"""The decision card of `sim.explain` on a page: the answer, the options as bars, and all the rest as plain data for
`vue/card.vue`, with everything to be clicked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import reacton.ipyvuetify as rv
import solara

from dashboards import charts, parts, picture
from sim.apart import Contribution
from sim.decision import Considered, Contested, Flip, Learnt, Option
from sim.explain import UNTIPPED, Card, Telling, Tip, _number, _signed
from sim.naming import axis_title, capital, percent, share, spaced

BARS = 10  # options drawn as bars
EXPECTED = 8  # of what others were expected to do, shown


@solara.component_vue("vue/card.vue")
def _Card(
    card: dict[str, Any],
    trying: bool,
    event_act: Callable[[dict[str, Any]], Any],
    event_try_it: Callable[[dict[str, Any]], Any],
    event_claim: Callable[[str], Any],
) -> None:
    """The card but for its bars."""


@solara.component
def Shown(
    found: Card,
    over: str,
    trying: bool,
    on_act: Callable[[dict[str, Any]], Any],
    on_try: Callable[[dict[str, Any]], Any],
    on_claim: Callable[[str], Any],
) -> None:
    """A card: the answer, its options as bars, then all the rest. over: how all runs of the folder had it, if known.
    trying: what would have tipped it is still being looked for."""
    dark = picture.is_dark()
    telling = Telling(found)
    drawn = [option for n, option in enumerate(telling.open) if n < BARS or option.order or option.name == found.focus]
    with rv.Html(tag="div", class_="why"):
        more = [*([over] if over else []), telling.summary(), *found.notes]
        parts.Note(text=telling.in_short(), kind="summary", more=more)
        with rv.Html(tag="section", class_="panel why-bars"):
            if drawn:
                rows = [
                    (capital(telling.words.option(option.name)), parts_of(option, found.decision.actor), _key(option),
                     "✓" if option.order else "?" if option.name == found.focus else "")
                    for option in drawn
                ]  # fmt: skip
                asked = ", ? asked about" if any(mark == "?" for *_, mark in rows) else ""
                picture.Picture(
                    charts.decision_bars(rows, dark),
                    f"What each option was worth: {telling.worth_word}, and what makes it (✓ done{asked})",
                    height=charts.row_height(len(rows), 70),
                    on_click=lambda key: on_act(key) if isinstance(key, dict) else None,
                )
            else:
                solara.Text("Nothing was open to it in this turn.")
        _Card(card=told(found, telling), trying=trying, event_act=on_act, event_try_it=on_try, event_claim=on_claim)


def parts_of(option: Considered, actor: str) -> dict[str, float]:
    """What makes an option's utility, by name: the parts add up to it, whatever the theory."""
    if isinstance(option.theory, Learnt):
        return {"propensity": option.utility}
    if isinstance(option.theory, Contested):
        return {"contest": option.theory.worth, "cost": -option.cost}
    contributions = [{"owner": one.owner, "utility": one.utility, "trust": one.trust} for one in option.contributions]
    return charts.decision_parts({"contributions": contributions, "cost": option.cost}, actor)


# ------------------------------------------------------------------------------------------------ as plain data


def told(found: Card, telling: Telling) -> dict[str, Any]:
    """Everything of a card that is not drawn, as texts."""
    decision, words = found.decision, telling.words
    focus = None if found.focus is None else decision.option(*found.focus)
    return {
        "focus": None if focus is None else _apart(focus, telling),
        "worth": telling.worth_word,
        "weighs": decision.policy == "quantal",
        "menu": [_option(option, telling, found) for option in decision.options if option.available],
        "held": {"worth": _signed(_utility(None, telling)), "prior": share(decision.hold_prior),
                 "first": share(decision.hold_first)},
        "shut": [{"told": words.option(option.name), "why": telling.wanting(option), "key": _key(option)}
                 for option in decision.options if not option.available],
        "tips": [_tip(tip, telling) for tip in found.tips],
        "untipped": f"No number does, changed alone: under the policy `{decision.policy}` {UNTIPPED[decision.policy]}."
        if decision.policy in UNTIPPED else "",
        "needs": [] if focus is None or focus.available else _needs(focus, telling),
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
        "expects": [
            {"indicator": telling.indicator(one.path), "now": telling.words.value(one.path, one.value),
             "shift": f"{one.then - one.value:+.4f}", "worth": _signed(one.worth),
             "by": ", ".join(f"{words.actor(doer.actor)} {doer.shift:+.4f}" for doer in one.by[:2])
             + (f" and {len(one.by) - 2} more" if len(one.by) > 2 else "")}
            for one in decision.expects[:EXPECTED]
        ],
        "depth": decision.depth,
        "dealings": [{"text": line.strip(), "below": line.startswith(" ")} for line in telling.dealings()],
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
        "sums": _sums(option, telling),
        "words": _words(option, telling),
        "behind": [*telling.dealing(option), *filter(None, [telling.by_theory(option)])],
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


def _sums(option: Considered, telling: Telling) -> list[dict[str, Any]]:
    """The parts of the bar: each, and its share of all that speaks for or against the option."""
    sums = parts_of(option, telling.decision.actor)
    whole = math.fsum(abs(value) for value in sums.values())
    return [
        {"name": name, "utility": _signed(value), "share": percent(abs(value) / whole) if whole else "",
         "good": value > 0.0}
        for name, value in sums.items() if value
    ]  # fmt: skip


def _words(option: Considered, telling: Telling) -> list[dict[str, Any]]:
    """Whose word an option hung on, how far that was believed, and what it added."""
    words, assurances = telling.words, telling.card.scenario.assurances
    rows = [
        {"who": capital(words.actor(one.giver)), "what": assurances[one.kind].title or spaced(one.kind),
         "promised": f"{one.promised:.3f}", "believed": f"{one.credibility:.3f}",
         "counts": f"{one.counts:.3f} of what follows if {one.on}", "adds": _signed(one.adds), "good": one.adds > 0.0}
        for one in option.reliances
    ]  # fmt: skip
    for terms, through in ((option.terms, "gets"), (option.terms and option.terms.instead, "gets instead")):
        for one in terms.proposer.shares if terms else ():
            if not one.own:
                adds = math.fsum(
                    part.utility for part in option.contributions if (part.through, part.deed) == (through, one.deed)
                )
                rows.append({"who": capital(words.actor(one.deed.actor)), "what": words.deed(one.deed),
                             "promised": "by the deal", "believed": f"{one.credibility:.3f}",
                             "counts": "if the deal is struck", "adds": _signed(adds), "good": adds > 0.0})  # fmt: skip
    return rows


def _tip(tip: Tip, telling: Telling) -> dict[str, Any]:
    """A comparison: how far behind the rival was, and what would have put it first."""
    worth = [_utility(name, telling) for name in (tip.rival, tip.done)]
    chances = f"{share(tip.rival_first)} to come up first, against {share(tip.done_first)}"
    gap = worth[1] - worth[0]
    told = f"{chances}; worth {_signed(worth[0])}, against {_signed(worth[1])}: "
    told += f"{abs(gap):.4f} {'behind' if gap >= 0.0 else 'ahead'}"
    return {
        "lead": capital(telling.words.option(tip.rival)),
        "done": telling.quoted(tip.done),
        "gap": told,
        "already": tip.already,
        "flips": [_flip(flip, telling) for flip in _flips(tip.flips, tip.itself)],
    }


def _utility(name: Option | None, telling: Telling) -> float:
    """Of an option, or of doing nothing."""
    if name is None:
        held = telling.decision.held
        return held.propensity if held else 0.0
    return telling.decision.option(*name).utility


def _needs(focus: Considered, telling: Telling) -> list[dict[str, Any]]:
    """Each condition that did not hold, and what was open that would have brought it nearer."""
    rows: list[dict[str, Any]] = []
    for missing in focus.missing:
        if missing.path is None or missing.value is None:
            continue
        up = missing.bound == "at_least"
        value, wanted = (telling.words.value(missing.path, one) for one in (missing.value, missing.wanted))
        nearer = [
            option
            for option in telling.open
            if any(move.path == missing.path and (move.change > 0.0) == up and move.change for move in option.moves)
        ]
        rows.append({
            "told": f"{capital(telling.indicator(missing.path))} was {value}, and had to be "
                    f"{'at least' if up else 'at most'} {wanted}.",
            "nearer": [
                {"key": _key(option), "told": capital(telling.words.option(option.name)), "done": bool(option.order),
                 "first": share(option.first), "utility": _signed(option.utility)} for option in nearer[:5]
            ],
        })  # fmt: skip
    return rows


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

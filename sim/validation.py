"""docs/validation.md, made from the code's own output: what the model gets right, what the facts taught, what matters.

`validate` calibrates, scores, and asks what matters, each in a folder of its own where it can be resumed and read; then
writes the page and its figures. Nothing on the page is written by hand but the sentences around the numbers.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sim import (
    calibrate,
    calibration_figures,
    findings,
    forecast,
    hindcast,
    located,
    naming,
    runs,
    store,
    study_figures,
    sweep,
)
from sim.calibrate import Calibration
from sim.errors import FolderProblem
from sim.findings import Findings, Strength, Told
from sim.forecast import markdown
from sim.hindcast import Hindcast
from sim.scenario import Scenario, numbers, read

PAGE, FIGURES = "validation.md", "pictures/validation"
SHOWN = 30  # numbers taught, on the page
STRONGEST = 3  # numbers named of each outcome
TORNADOES = 4
SKILL = 0.3  # Brier skill over the best baseline that we set ourselves
SOFT = 0.8  # of the soft facts
Progress = Callable[[str, int, int], None]
Made = TypeVar("Made")


@dataclass(frozen=True)
class Budget:
    """How much is run: points and runs of each in the calibration, runs of a hindcast, points of what matters."""

    points: int = 8000
    runs_a_point: int = 16
    runs: int = 1000
    matters: int = 4000
    seed: int = 1


def validate(
    scenario: str = "takeover-2021",
    budget: Budget | None = None,
    docs: str | Path = "docs",
    work: str | Path = "runs/validation",
    progress: Progress | None = None,
) -> Path:
    """Write docs/validation.md and its figures; returns its path.

    work: where the folders of what is run lie; finished ones that were made of the same are used again, and an
    unfinished calibration is gone on with. Raises BadInput, FolderProblem or StorageProblem.
    """
    budget = budget or Budget()
    docs, work = Path(docs), Path(work)

    def told(what: str) -> Callable[[int, int], None]:
        return lambda done, wanted: progress(what, done, wanted) if progress is not None else None

    def calibrated() -> Calibration:
        return calibrate.calibrate(
            scenario, budget.points, budget.runs_a_point, budget.seed, work / "calibration", True,
            progress=told("calibration: points"),
        )  # fmt: skip

    made = _anew(work / "calibration", calibrated)
    seed = budget.seed + 1  # no run of the calibration is scored again
    hand = _hindcast(scenario, budget.runs, seed, work / "by-hand", None, told("by hand: runs"))
    kept = _hindcast(scenario, budget.runs, seed, work / "calibrated", made.parameters, told("calibrated: runs"))
    matters = _matters(scenario, budget, work, told("what matters: runs"))
    pictures = docs / FIGURES
    with store.storage(pictures):
        pictures.mkdir(parents=True, exist_ok=True)
        for name in ("scoreboard", "reliability", "ladders"):
            figure = kept.folder / "figures" / f"{name}.png"
            if figure.is_file():
                shutil.copyfile(figure, pictures / f"{name}.png")
        for name, picture in calibration_figures.figures_of(made):
            (pictures / f"{name}.png").write_bytes(study_figures.render(picture, "png"))
    tornadoes = _tornadoes(matters, pictures)
    lines = _page(read(scenario).scenario, made, hand, kept, matters, tornadoes, budget, docs)
    return store.write_text(docs / PAGE, "\n".join(lines).rstrip() + "\n")


def _anew(folder: Path, make: Callable[[], Made]) -> Made:
    """What is made in a folder, which is emptied first where it was made of something else."""
    try:
        return make()
    except FolderProblem:
        if not folder.is_dir() or store.holder(folder) is not None:
            raise
        shutil.rmtree(folder)
        return make()


def _hindcast(
    scenario: str, count: int, seed: int, folder: Path, parameters: Path | None, progress: Callable[[int, int], None]
) -> Hindcast:
    """The hindcast of a folder, made where it is not there or was made of something else."""
    from sim.jit import rules_hash

    ready = runs.prepare(scenario, (), None, parameters)
    wanted = (count, seed, rules_hash(), store.text_hash(ready.text), store.text_hash(ready.drawn.text))
    if folder.exists():
        try:
            found = hindcast.open_hindcast(folder)
            manifest = found.manifest
            drawn = manifest.get("parameters", {}).get("hash", store.text_hash(""))
            hashes = manifest["hashes"]
            if (manifest["runs"], manifest["seed"], hashes["rules"], hashes["scenario"], drawn) == wanted:
                return found
        except FolderProblem:
            pass
        shutil.rmtree(folder)
    return hindcast.hindcast(scenario, count, seed, out=folder, progress=progress, parameter_file=parameters)


def _matters(scenario: str, budget: Budget, work: Path, progress: Callable[[int, int], None]) -> Findings:
    """What came of a hypercube over every range, set against each outcome."""
    path, folder = work / "what-matters.yaml", work / "what-matters"
    text = located.dump(
        {"study": 1, "title": f"What matters in {scenario}", "scenario": scenario, "vary": "ranged",
         "design": "latin_hypercube", "points": budget.matters, "replicates": 2, "seed": budget.seed}
    )  # fmt: skip
    store.write_text(path, text)
    _anew(folder, lambda: sweep.sweep(path, folder, resume=folder.exists(), progress=progress))
    return findings.analyse(folder, whole=False)


def _tornadoes(found: Findings, pictures: Path) -> list[tuple[Told, str]]:
    """Figures of the outcomes that the numbers explain most of; each with its file's name."""
    drawn = []
    for told in sorted(found.outcomes, key=lambda told: -_explained(told)):
        picture = study_figures.draw_tornado(told) if told.varies else None
        if picture is not None:
            name = f"matters-{told.name}.png"
            with store.storage(pictures):
                (pictures / name).write_bytes(study_figures.render(picture, "png"))
            drawn.append((told, name))
        if len(drawn) == TORNADOES:
            break
    return drawn


def _explained(told: Told) -> float:
    """Share of an outcome's variance that single numbers explain beyond chance."""
    return sum(s.index.first for s in told.strengths if s.index.first_low > 0)


# ------------------------------------------------------------------------------------------------------------ the page


def _page(
    scenario: Scenario,
    made: Calibration,
    hand: Hindcast,
    kept: Hindcast,
    matters: Findings,
    tornadoes: Sequence[tuple[Told, str]],
    budget: Budget,
    docs: Path,
) -> list[str]:
    return [
        "# Validation",
        "",
        "Does it get history right, and how would we know? Generated by `make validate` from the code's own output; "
        "no "
        "number here was written by hand. The same code, seeds and scenarios give the same page, whatever the "
        "machine.",
        "",
        *_origin(made, kept, budget),
        *_use(kept),
        *_bar(kept),
        *_facts(hand, kept),
        *_acts(hand, kept),
        *_ladders(hand, kept),
        *_taught(made),
        *_what_matters(scenario, matters, tornadoes),
        *_out_of_sample(docs),
    ]


def _origin(made: Calibration, kept: Hindcast, budget: Budget) -> list[str]:
    hashes = {**kept.manifest["hashes"], "parameter sets": made.manifest["hash"]}
    told = ", ".join(f"{name} `{value}`" for name, value in hashes.items())
    return [
        f"Made of (hashes): {told}.",
        "",
        f"Budget: {budget.points:,} points of {budget.runs_a_point} runs in the calibration, {budget.runs:,} runs of "
        f"each "
        f"policy in a hindcast, {budget.matters:,} points of 2 runs for what matters; seed {budget.seed}, and "
        f"{budget.seed + 1} for the hindcasts, so that no run of the calibration is scored again.",
        "",
    ]


def _use(kept: Hindcast) -> list[str]:
    acts = {row["forecast"]: row for row in kept.manifest["acts"] if row["sample"] == "in"}
    skill = _best_skill(acts, "skill")
    lines = [
        "## What it may be used for, and what not",
        "",
        "**Use it** to compare what follows from one assumption with what follows from another, on the same chances; "
        "to "
        "find which assumptions an outcome hangs on; to see which promises, interests and constraints pull which "
        "way; to "
        "read why an actor chose as it did in a run, and on which claim that rests.",
        "",
        "**Do not use it** to say what will happen, when, or with what probability. A share of runs is a statement "
        "about "
        "the model. Do not use it for the timing of single acts, for actors that the two documents hardly mention, "
        "or for "
        "any decision in which people may be harmed if the model is wrong.",
        "",
        "**What stands behind it** is two analyses by one author. The facts below were in view when the numbers were "
        "set "
        "by hand, and the calibrated ensemble is fitted to them: that they hold is no proof. What it was never "
        "fitted to "
        "is scored apart, in the last section.",
        "",
    ]
    if skill is not None:
        verdict = "better" if skill[0] > 0 else "no better"
        lines += [
            f"Month by month it foresees who acts how towards whom {verdict} than the best of the forecasts that know "
            f"nothing of motives (Brier skill {skill[0]:+.2f} against {_name(skill[1])}).",
            "",
        ]
    return lines


def _best_skill(acts: dict[str, dict[str, Any]], key: str) -> tuple[float, str] | None:
    """The skill against the forecast that is hardest to beat."""
    found = [
        (row[key], name) for name, row in acts.items() if name not in ("model", "reported") and row[key] is not None
    ]
    return min(found) if found else None


def _bar(kept: Hindcast) -> list[str]:
    """What we asked of it, and whether it is so."""
    rows = [row for row in kept.facts.to_pylist() if row["status"] == "scored" and row["sample"] == "in"]
    hard = [row for row in rows if row["weight"] == "hard"]
    soft = [row for row in rows if row["weight"] == "soft"]
    low_hard, low_soft = ([row for row in kind if not row["passes"]] for kind in (hard, soft))
    acts = {row["forecast"]: row for row in kept.manifest["acts"] if row["sample"] == "in"}
    lines = ["## The bar that we set ourselves", "", "| asked | found | met |", "|---|---|---|"]
    if hard:
        lines.append(f"| every hard fact in sample in 90% of runs | {len(hard) - len(low_hard)} of {len(hard)}"
                     f"{_but(low_hard)} | {_yes(not low_hard)} |")  # fmt: skip
    if soft:
        met = len(soft) - len(low_soft) >= SOFT * len(soft)
        lines.append(f"| four soft ones of five in 60% of runs | {len(soft) - len(low_soft)} of {len(soft)}"
                     f"{_but(low_soft)} | {_yes(met)} |")  # fmt: skip
    for key, what in (("skill", "the model"), ("skill_reported", "the model as far as reported")):
        skill = _best_skill(acts, key)
        if skill is not None:
            lines.append(f"| Brier skill above {SKILL} over the best other forecast, {what} | {skill[0]:+.3f} against "
                         f"{_name(skill[1])} | {_yes(skill[0] > SKILL)} |")  # fmt: skip
    return [*lines, "", "Facts whose own rule wants another share are judged by that.", ""]


def _but(rows: Sequence[dict[str, Any]]) -> str:
    failing = [f"{row['fact']} ({row['share']:.0%})" for row in rows]
    return f"; not {', '.join(failing)}" if rows else ""


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


def _name(forecast_name: str) -> str:
    return forecast_name.replace("_", " ")


def _facts(hand: Hindcast, kept: Hindcast) -> list[str]:
    others = kept.manifest["baselines"]
    by_hand = {row["fact"]: row for row in hand.facts.to_pylist()}
    rows = kept.facts.to_pylist()
    lines = [
        "## The scoreboard", "",
        "In which share of runs each fact holds, in the calibrated ensemble and with the numbers as set by hand, "
        f"beside "
        f"policies that know nothing ({', '.join(others)}). *Free*: one of those passes it too. *Given*: a dated "
        f"event "
        "decides it.", "",
        f"![The scoreboard]({FIGURES}/scoreboard.png)", "",
        *markdown(("fact", "", "wants", "calibrated", "95%", "by hand", *others, "verdict"), [
            (
                row["fact"], row["weight"], naming.percent(row["wanted"]), naming.percent(row["share"]),
                "" if row["low"] is None else f"{naming.percent(row['low'])} to {naming.percent(row['high'])}",
                naming.percent(by_hand[row["fact"]]["share"]),
                *(naming.percent(row[f"share_{name}"]) for name in others),
                ("passes" if row["passes"] else "**fails**")
                + (", given" if row["status"] == "given" else ", free" if row["free"] else ""),
            )
            for row in rows if row["status"] in ("scored", "given")
        ]),
    ]  # fmt: skip
    lines += [
        f"- {row['fact']} cannot be scored: {row['why']}." for row in rows if row["status"] not in ("scored", "given")
    ]
    lines += ["", "Totals of the facts that are scored:", ""]
    lines += markdown(
        ("", "scored", "calibrated passes", "by hand", *others, "of those not free, calibrated passes"),
        [
            (f"{mine['weight']}, {hindcast.SAMPLES[mine['sample']]}",
             str(mine["scored"]), str(mine["passed"]), str(theirs["passed"]), *(str(mine[name]) for name in others),
             f"{mine['passed_others']} of {mine['others']}")
            for mine, theirs in zip(kept.manifest["totals"], hand.manifest["totals"], strict=True)
        ],
    )  # fmt: skip
    stood = kept.obstacles.to_pylist()
    if stood:
        lines += ["Of each that fails, the run nearest to passing and what stood in the way:", ""]
        lines += [f"- {row['fact']}, run {row['run']}: {row['told'] or row['part']}" for row in stood]
        lines.append("")
    return lines


def _acts(hand: Hindcast, kept: Hindcast) -> list[str]:
    rows = [row for row in kept.manifest["acts"] if row["sample"] == "in"]
    if not rows:
        return []
    theirs = {row["forecast"]: row for row in hand.manifest["acts"] if row["sample"] == "in"}
    one = rows[0]
    lines = [
        "## Acts against the chronology", "",
        f"{one['cells']:,} cells of month, source, target and PLOVER type, of which the documents report an act in "
        f"{one['acts']}. Skill: of the model against each; below 0 it does worse.", "",
        *markdown(("forecast", "Brier", "on cells with an act", "without", "log score", "precision-recall area",
                 "skill of the model", "by hand"), [
            (
                _name(row["forecast"]), f"{row['brier']:.4f}", f"{row['brier_act']:.3f}", f"{row['brier_none']:.4f}",
                f"{row['log_score']:.4f}", f"{row['pr_auc']:.3f}", _signed(row["skill"]),
                _signed(theirs[row["forecast"]]["skill"]),
            )
            for row in rows
        ]),
    ]  # fmt: skip
    lines += [
        f"- {_name(row['forecast'])}: skill against the base rate {row['skill_base_rate']:+.3f}; with what happened "
        f"shuffled {row['shuffled']:+.3f} (95% of shuffles below {row['shuffled_q95']:+.3f})."
        for row in rows
        if row.get("shuffled") is not None
    ]
    return [*lines, "", f"![Reliability]({FIGURES}/reliability.png)", ""]


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def _ladders(hand: Hindcast, kept: Hindcast) -> list[str]:
    rows, others = kept.manifest["ladders"], kept.manifest["baselines"]
    if not rows:
        return []
    theirs = {(row["sample"], row["basis"], row["ladder"]): row for row in hand.manifest["ladders"]}
    return [
        "## Ladders", "",
        "Mean ranked probability score of where each actor stands towards the Taliban: 0 the best, 1 the worst. "
        "Stated "
        "positions count; implied ones are told apart.", "",
        f"![Ladders, forecast against observed]({FIGURES}/ladders.png)", "",
        *markdown(("ladder", "basis", "positions", "calibrated", "by hand", *others), [
            (
                row["ladder"], f"{row['basis']}, {hindcast.SAMPLES[row['sample']]}",
                str(row["positions"]), f"{row['model']:.3f}",
                f"{theirs[row['sample'], row['basis'], row['ladder']]['model']:.3f}",
                *(f"{row[name]:.3f}" for name in others),
            )
            for row in rows
        ]),
    ]  # fmt: skip


def _taught(made: Calibration) -> list[str]:
    manifest = made.manifest
    rows = made.facts.to_pylist()
    used = [row for row in rows if row["status"] != "left out"]
    told = [row for row in used if row["predicted"]]
    lines = [
        "## What the facts taught", "",
        f"{manifest['points']:,} points over the ranges of {manifest['numbers']} numbers were run "
        f"{manifest['runs_a_point']} "
        f"times each and held against {manifest['used']} facts in sample. A point is ruled out where a fact falls "
        f"more than "
        f"{manifest['rule']['cut']:g} standard deviations short of what it wants, chance and a tolerance of "
        f"{manifest['rule']['tolerance']:g} together. **{manifest['kept']} points are left**, worth "
        f"{manifest['effective']:.1f} of equal weight. Facts marked out of sample, the chronology and the positions "
        f"were "
        "not looked at.", "",
        f"Left out one at a time, {len(told)} of {len(used)} facts are foretold by the others: the points that these "
        f"keep, "
        "weighted by one half of their runs, bear the fact out in the other half as often as it wants.", "",
        f"![Facts before and after, and as the others foretell them]({FIGURES}/facts.png)", "",
        *markdown(("fact", "wants", "all points", "kept", "by the others alone", "95%", "foretold", "moved most by"), [
            (
                row["fact"] + ("" if row["status"] == "used" else " (out of reach)"), naming.percent(row["wanted"]),
                naming.percent(row["prior"]), _percent(row["kept"]), _percent(row["rest"]),
                f"{_percent(row['rest_low'])} to {_percent(row['rest_high'])}", _yes(row["predicted"]),
                row["moved_by"] or "nothing: it is the same everywhere",
            )
            for row in used
        ]),
        *(f"- {name} is not used: {why}." for name, why in manifest["left_out"].items()), "",
        f"**{manifest['taught']} numbers were taught something, {manifest['open']} are left open.** A number is "
        f"taught "
        "where points that come nearer to the facts have it systematically higher or lower (Spearman's correlation "
        "over "
        f"all points, at a false discovery rate of {manifest['rule']['taught']:.0%}). Beside it, what is kept: "
        f"median and "
        "90%, how far the mean moved and by how much the spread shrank (with 95% intervals, wide for so few points), "
        "and "
        "the distance between what was drawn and what is kept (Kolmogorov and Smirnov's), with how often points "
        "picked "
        "blindly are as far.", "",
    ]  # fmt: skip
    numbers_ = made.numbers.to_pylist()
    shown = [row for row in numbers_ if row["taught"]][:SHOWN] or numbers_[:10]
    if not manifest["taught"]:
        lines += ["None passes; the ten that come nearest:", ""]
    return [
        *lines,
        f"![Numbers before and after]({FIGURES}/taught.png)", "",
        *markdown(("number", "range", "by hand", "pulled", "kept: median", "90%", "mean moved, of the range",
                   "spread shrinks", "distance", "blindly", "rests on"), [
            (
                row["title"], f"{naming.number(row['low'])} to {naming.number(row['high'])}",
                naming.number(row["value"]),
                f"{'up' if row['pull'] > 0 else 'down'} ({row['pull_low']:+.2f} to {row['pull_high']:+.2f})",
                naming.number(row["q50"]), f"{naming.number(row['q05'])} to {naming.number(row['q95'])}",
                f"{row['shift']:+.0%} ({row['shift_low']:+.0%} to {row['shift_high']:+.0%})",
                f"{row['shrink']:+.0%} ({row['shrink_low']:+.0%} to {row['shrink_high']:+.0%})",
                f"{row['distance']:.2f}", f"{row['blind']:.1%}", row["claims"] or f"an assumption: {row['assumption']}",
            )
            for row in shown
        ]),
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else naming.percent(value)


def _what_matters(scenario: Scenario, found: Findings, tornadoes: Sequence[tuple[Told, str]]) -> list[str]:
    manifest = found.manifest
    known = {entry.path: entry for entry in numbers(scenario)}
    varied = [told for told in found.outcomes if told.varies]
    rows = []
    for told in found.outcomes:
        for n, strength in enumerate(told.strengths[:STRONGEST] if told.varies else []):
            entry = known[strength.axis.path]
            rows.append(
                (told.title if n == 0 else "", naming.capital(strength.axis.title), _direction(strength),
                 _index(strength), " ".join(entry.claim or []) or f"an assumption: {entry.assumption or ''}")
            )  # fmt: skip
    lines = [
        "## What matters", "",
        f"{manifest['points']:,} points of a Latin hypercube over every range ({len(found.axes)} numbers), each run "
        f"{manifest['replicates']} times with fresh chance, before any fact is looked at. Of each outcome the "
        f"{STRONGEST} numbers that decide most of it: which way (Spearman's rank correlation, 95% interval) and what "
        f"share "
        "of the variance between runs each explains by itself (given-data first-order index, corrected for chance; "
        "its "
        "interval by the jackknife). What is left is chance, many small numbers, and numbers together.", "",
        *markdown(("outcome", "number", "direction", "share of the variance", "rests on"), rows),
    ]  # fmt: skip
    same = [told.title for told in found.outcomes if not told.varies]
    if same:
        lines += [f"The same in every run: {'; '.join(same)}.", ""]
    for told, name in tornadoes:
        lines += [f"**{told.title}** Single numbers explain {naming.percent(_explained(told))} of it together.", "",
                  f"![{told.title}]({FIGURES}/{name})", ""]  # fmt: skip
    explained = sorted(_explained(told) for told in varied)
    if explained:
        middle = naming.percent(explained[len(explained) // 2])
        lines += [f"Of the median outcome single numbers explain {middle} of the variance between runs.", ""]
    return lines


def _direction(strength: Strength) -> str:
    rho, low, high = strength.rank
    if math.isnan(rho):
        return "-"
    way = "up" if low > 0 else "down" if high < 0 else "neither way for sure"
    return f"{way} ({rho:+.2f}; {low:+.2f} to {high:+.2f})"


def _index(strength: Strength) -> str:
    index = strength.index
    if math.isnan(index.first):
        return "-"
    share = naming.percent(max(index.first, 0.0))
    if math.isnan(index.first_low):
        return share
    return f"{share} ({naming.percent(max(index.first_low, 0.0))} to {naming.percent(min(index.first_high, 1.0))})"


def _out_of_sample(docs: Path) -> list[str]:
    pages = sorted((docs / forecast.FOLDER.name).glob("*.md"))
    listed = [f"- [{page.stem}]({forecast.FOLDER.name}/{page.name})" for page in pages]
    return [
        "## Out of sample",
        "",
        "The year after November 2021 is no part of anything above. What the calibrated ensemble foresees of it is "
        "written "
        "down before anyone compares it:",
        "",
        *(listed or ["- none yet; `tightrope forecast year-one --parameters FILE` writes one"]),
        "",
        "It is scored by `tightrope hindcast year-one --parameters FILE --facts FILE`, with facts about that year.",
    ]

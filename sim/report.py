"""A study's findings as one HTML file that opens offline: text, tables and figures, and how to do it all again.

The file refers to nothing outside itself and holds no script. Every text of a scenario or study is escaped.
"""

from __future__ import annotations

import base64
import html
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from sim import discovery, findings, naming, store, study_figures, swept
from sim.findings import BASE, Findings, Progress, Robust, Told, in_words
from sim.naming import capital, number, percent
from sim.sensitivity import Estimate

NAME = "report.html"
ROWS = 15  # of a table


def write(found: Findings, path: str | Path | None = None, progress: Progress | None = None) -> Path:
    """Write the report of a study into its folder, or to `path`, whole or not at all; returns where it is. progress:
    called with the outcomes that are done and wanted."""
    place = Path(path) if path is not None else Path(found.folder) / NAME
    return store.write_text(place, page(found, progress))


def page(found: Findings, progress: Progress | None = None) -> str:
    """The report as HTML."""
    manifest = found.manifest
    sections = []
    done = swept.open_sweep(found.folder)
    for n, told in enumerate(found.outcomes):
        if progress is not None:
            progress(n, len(found.outcomes))
        sections.append(_outcome(found, told, done))
    title = _text(manifest["title"])
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<p class="kind">A study of “{_text(manifest["scenario_title"])}”</p>
<h1>{title}</h1>
{f'<p class="question">{_text(manifest["question"])}</p>' if manifest["question"] else ""}
<p class="facts">{_facts(found)}</p>
{"".join(f'<p class="note">{_text(note)}</p>' for note in found.notes)}
</header>
<main>
{_summary(found)}
{"".join(sections)}
{_axes(found)}
{_again(found)}
</main>
</body>
</html>
"""


def _text(value: object) -> str:
    """Escaped, on one line, without control characters."""
    return html.escape(" ".join("".join(c if c.isprintable() else " " for c in str(value)).split()))


def _facts(found: Findings) -> str:
    manifest = found.manifest
    designs = {"grid": "a full grid", "latin_hypercube": "a Latin hypercube", "sobol": "a Sobol' sequence",
               "saltelli": "Saltelli's design", "list": "a list of points"}  # fmt: skip
    design = designs[manifest["design"]]
    parts = [
        f"{manifest['runs']:,} runs: {manifest['points']:,} point{_s(manifest['points'])} of {design}",
        f"{manifest['replicates']:,} replicate{_s(manifest['replicates'])} each",
    ]
    if len(found.variants) > 1:
        parts.append(f"{len(found.variants)} variants")
    dates = manifest["dates"]
    parts.append(f"{manifest['turns']} turn{_s(manifest['turns'])}, {dates[1]} to {dates[-1]}")
    chance = "the same random numbers at every point" if manifest["draws"] == "common" else "fresh random numbers"
    parts.append(f"{chance}, seed {manifest['seed']}")
    return _text("; ".join(parts)) + "."


def _summary(found: Findings) -> str:
    """The answers at a glance, each leading to its section."""
    rows = []
    for n, told in enumerate(found.outcomes):
        here = told.overall[BASE]
        answer = f"{told.value(here.mean)}{' of runs' if told.yes_or_no else ''}" if here.runs else "no value"
        first = told.strengths[0] if told.strengths and told.varies else None
        sure = first is not None and (first.index.first_low > 0 or math.isnan(first.index.first_low))
        best = f"{capital(first.axis.title)} ({percent(first.index.first)})" if first and sure else "-"
        link = f'<a href="#outcome-{n}">{_text(told.title)}</a>'
        best = best if told.varies else "the same in every run"
        rows.append([link, _text(answer), _text(_interval(told, here)), _text(best)])
    heads = ["Outcome", "Answer", "95% interval", "Depends most on (share of the variance between runs)"]
    return f"<section><h2>At a glance</h2>{_table(heads, rows, 'left right right left')}</section>"


def _interval(told: Told, here: Estimate) -> str:
    return "-" if math.isnan(here.low) else f"{told.value(here.low)} to {told.value(here.high)}"


# --------------------------------------------------------------------------------------------------------- an outcome


def _outcome(found: Findings, told: Told, done: swept.Swept) -> str:
    place = found.outcomes.index(told)
    parts = [f'<section id="outcome-{place}"><h2>{_text(told.title)}</h2>']
    boxed = {one.words for one in told.boxes}
    lead = f"{told.sentences[0].partition('”: ')[2] or told.sentences[0]}" if told.sentences else ""
    parts.append(f'<p class="lead">{_text(capital(lead))}</p>')
    if not told.varies:
        return "".join([*parts, "</section>"])
    if told.sentences[1:]:
        lines = "".join(f"<li>{_text(line)}</li>" for line in told.sentences[1:] if line not in boxed)
        parts.append(f"<ul>{lines}</ul>")
    if len(found.variants) > 1:
        parts.append(_variants(found, told))
    parts.append(_figure(study_figures.draw_tornado(told), "How far each axis moves it",
                         "A bar spans what the outcome is along one axis, over everything else that varies; the marks "
                         "are its ends, with their 95% intervals."))  # fmt: skip
    parts.append(_strengths(told))
    parts.append(_figure(study_figures.draw_responses(told, found.variants), "Response to the axes that matter most",
                         "Over everything else that varies; the band is the 95% interval at each place by itself."
                         + (" A cross marks where the share passes one half." if told.tipping else "")))  # fmt: skip
    parts.append(_tipping(found, told))
    if told.surface is not None:
        lines = " Lines join equal heights, or one half of a share." if study_figures.contoured(told.surface) else ""
        parts.append(_figure(study_figures.draw_surface(told, told.surface), "Two axes together",
                             f"Means over everything else that varies.{lines}"))  # fmt: skip
    parts.append(_boxes(found, told))
    parts.append(_robust(told))
    paths = example_paths(found, told, done)
    if paths is not None:
        shown = f"Blue: {told.interest}. Grey and broken: other runs." if told.interest else ""
        caption = f"{shown} {_commands(found, [run for run, *_ in paths.runs])}"
        parts.append(_figure(study_figures.draw_paths(paths), "Single runs", caption))
    return "\n".join([*parts, "</section>"])


def _variants(found: Findings, told: Told) -> str:
    rows = []
    for name, title in found.variants.items():
        here, moved = told.overall[name], told.against_base.get(name)
        difference = "" if moved is None else findings.difference(told, moved.mean)
        span = "" if moved is None or math.isnan(moved.low) else (
            f"{findings.difference(told, moved.low)} to {findings.difference(told, moved.high)}")  # fmt: skip
        rows.append([_text(cell) for cell in (title, told.value(here.mean), _interval(told, here), difference, span)])
    unit = " (percentage points)" if told.yes_or_no else ""
    return _table(["Variant", "Answer", "95% interval", f"Against as it is{unit}", "95% interval"], rows,
                  "left right right right right")  # fmt: skip


def _strengths(told: Told) -> str:
    if not told.strengths:
        return ""
    total = any(not math.isnan(s.index.total) for s in told.strengths)
    rows = []
    for s in told.strengths[:ROWS]:
        cells = [capital(s.axis.title), _share(s.index.first), _span(s.index.first_low, s.index.first_high)]
        if total:
            cells += [_share(s.index.total), _span(s.index.total_low, s.index.total_high)]
        moved = told.effects.get(s.axis.path)
        if moved is None:
            cells += ["-", "-"]
        else:
            span = f"{findings.difference(told, moved.low)} to {findings.difference(told, moved.high)}"
            cells += [findings.difference(told, moved.mean), "-" if math.isnan(moved.low) else span]
        rows.append([_text(cell) for cell in (*cells, "-" if math.isnan(s.rank[0]) else f"{s.rank[0]:+.2f}")])
    if not (math.isnan(told.chance.first) and math.isnan(told.chance.total)):
        c = told.chance
        cells = ["Chance", _share(c.first), _span(c.first_low, c.first_high)]
        cells += [_share(c.total), _span(c.total_low, c.total_high)] if total else []
        rows.append([_text(cell) for cell in (*cells, "", "", "")])
    heads = ["Axis", "By itself", "95% interval", *(["With interactions", "95% interval"] if total else [])]
    heads += [f"End to end{' (points)' if told.yes_or_no else ''}", "95% interval", "Rank corr."]
    left = len(told.strengths) - ROWS
    more = f" {left} weaker axes are left out; --json has them." if left > 0 else ""
    shares = "By itself, with interactions: shares" if total else "By itself: the share"
    note = (
        f"{shares} of the variance between runs; {told.method} ({told.source}). End to end: the outcome at the axis' "
        f"last value less that at its first, or in its highest and lowest tenth.{more}"
    )
    return _table(heads, rows, "left" + " right" * (len(heads) - 1), caption=note)


def _share(value: float) -> str:
    return percent(value)


def _span(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{percent(low)} to {percent(high)}"


def _tipping(found: Findings, told: Told) -> str:
    rows = []
    titles = {axis.path: axis.title for axis in found.axes}
    for (variant, path), several in told.tipping.items():
        for one in several:
            low = "below what was tried" if one.low == -math.inf else number(one.low)
            high = "above what was tried" if one.high == math.inf else number(one.high)
            cells = [capital(titles[path]), number(one.at), low, high, "rises" if one.rises else "falls"]
            rows.append(
                [_text(cell) for cell in ([found.variants[variant]] if len(found.variants) > 1 else []) + cells]
            )
    if not rows:
        return ""
    heads = ["Axis", "At", "from", "to", "The share"]
    heads = ["Variant", *heads] if len(found.variants) > 1 else heads
    note = (
        "Where the share passes one half, with its 95% interval: between the last place before and the first after at "
        "which the response's interval leaves out one half; the best guess is where the monotone curve nearest to "
        "the response (isotonic regression) passes it, on straight lines in log-odds."
    )
    marks = "left " * (len(heads) - 4) + "right right right left"
    return _table(heads, rows, marks, title="Tipping points", caption=note)


def _boxes(found: Findings, told: Told) -> str:
    if not told.boxes:
        if told.interest and found.axes and discovery.available():
            what = f"No part of the space stands out in which runs are of interest ({_text(told.interest)})."
            return f"<h3>Where it is found</h3><p>{what}</p>"
        return ""
    parts = ["<h3>Where it is found</h3>"]
    for n, one in enumerate(told.boxes, 1):
        runs = "".join(f"<br><code>{_text(line)}</code>" for line in found.replays(one.runs))
        parts.append(f"<p><b>Box {n}.</b> {_text(one.words)} Examples:{runs}</p>")
    parts.append(_figure(study_figures.draw_boxes(told), "", "Blue is what lies in the box, of all that was tried."))
    rows = []
    titles = {axis.path: axis.title for axis in found.axes}
    for n, one in enumerate(told.boxes, 1):
        box = one.box
        tests = "; ".join(f"{titles[b.axis]} {_p(b.quasi_p)}" for b in box.bounds)
        cells = (n, percent(box.density.mean), _span(box.density.low, box.density.high), percent(box.coverage.mean),
                 _span(box.coverage.low, box.coverage.high), percent(box.mass), tests)  # fmt: skip
        rows.append([_text(cell) for cell in cells])
    heads = ["Box", "Density", "95% interval", "Coverage", "95% interval", "Mass", "Quasi-p of each bound"]
    box = told.boxes[0].box
    if box.apart:
        where = "found in half of the points and measured on the other half"
    elif box.confirmed:
        where = "found in half of the replicates, confirmed on the other half, and measured on all"
    else:
        where = "measured on the runs it was found in, which flatters it: there are too few to set some aside"
    note = (
        "PRIM (Friedman & Fisher 1999; Bryant & Lempert 2010) of the EMA Workbench. Density: the share of runs of "
        f"interest among those in the box; coverage: the box's share of all of them; mass: its share of all runs. "
        f"Each was {where}. Later boxes are of what earlier ones leave."
    )
    parts.append(_table(heads, rows, "left right right right right right left", caption=note))
    return "\n".join(parts)


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _robust(told: Told) -> str:
    if not any(one.decided for one in told.robust):
        return ""
    return "\n".join(["<h3>Choices</h3>", *(_choices(told, one) for one in told.robust)])


def _choices(told: Told, one: Robust) -> str:
    regret = not math.isnan(one.choices[0].regret)
    worst = any(not math.isnan(choice.worst) for choice in one.choices)
    rows = []
    only = one.levers[0] if len(one.levers) == 1 and one.levers[0] != "variant" else ""
    for n, (label, choice) in enumerate(zip(one.labels, one.choices, strict=True)):
        cells = [
            _text(capital(label.removeprefix(f"{only} "))),
            _text(told.value(choice.mean.mean)),
            _text(_interval(told, choice.mean)),
        ]
        cells += [_text(told.value(choice.worst))] if worst else []
        if regret:
            cells += [_text(findings.difference(told, choice.regret)), _text(findings.difference(told, choice.typical))]
        rows.append([f"<b>{cell}</b>" if n == one.best and one.decided else cell for cell in cells])
    heads = [capital(only) or "Choice", "Mean", "95% interval", *(["Worst tenth"] if worst else [])]
    unit = " (points)" if told.yes_or_no else ""
    heads += [f"Largest regret{unit}", f"Mean regret{unit}"] if regret else []
    wish = in_words(told, one.wanted)
    note = "Across everything that varies beside the levers. " + (
        "Regret: what is lost against the best choice for the same uncertainties (Savage 1951)." if regret else
        "Regret is not told: it needs the same uncertainties for every choice, and ten replicates.")  # fmt: skip
    return _table(heads, rows, "left" + " right" * (len(heads) - 1), title=f"Whoever wants it {wish}", caption=note)


# ------------------------------------------------------------------------------------------------------- single runs


def example_paths(found: Findings, told: Told, done: swept.Swept) -> study_figures.Paths | None:
    """The indicator that an outcome asks of, in runs of interest and in others: as kept, else computed again. None
    where it asks of several, or of none, or where the model has changed since the runs were recorded."""
    runs = [*told.examples, *told.others]
    if not (told.examples and told.others):
        return None
    scenario = done.plan.asked.scenario
    outcome = scenario.outcomes[told.name]
    path = next(
        (of for word in ("first", "end", "mean", "max", "min", "change") if (of := getattr(outcome, word))), None
    )
    if path is None or path not in scenario.slots:
        return None
    slot = scenario.slots[path]
    lines = []
    for run in sorted(runs):
        values = _states_of(done, run, path)
        if values is None:
            return None
        lines.append((run, run in told.examples, values))
    ladder = tuple(slot.ladder or ())
    dates = [str(date) for date in found.manifest["dates"]]
    return study_figures.Paths(
        capital(naming.indicator(scenario, path)), dates, ladder, float(slot.lo), float(slot.hi), tuple(lines)
    )


def _states_of(done: swept.Swept, run: int, path: str) -> np.ndarray | None:
    if "states" in done.manifest["keep"]:
        quoted = '"' + path.replace('"', '""') + '"'
        with swept.queried(done.folder):
            rows = done.relation("states").filter(f'"run" = {int(run)}')
            rows = rows.project(f'"turn", CAST({quoted} AS DOUBLE) AS value').order('"turn"')
            table: pa.Table = rows.to_arrow_table()
        return np.array(table["value"].to_pylist()) if table.num_rows else None
    if done.changes():
        return None
    ready, history = done.plan.one(run)
    return np.array(ready.tables(history)["states"][path].to_pylist())


def _commands(found: Findings, runs: Sequence[int]) -> str:
    return f"To see one of them whole: {found.replays(runs[:1])[0]}" if runs else ""


# --------------------------------------------------------------------------------------------------- axes, and how to


def _axes(found: Findings) -> str:
    if not found.axes:
        return ""
    rows = []
    for axis, entry in zip(found.axes, found.manifest["axes"], strict=True):
        choices = entry["choices"]
        if choices is None:
            span = f"any value between {number(axis.low)} and {number(axis.high)}"
        else:
            shown = [number(c) if isinstance(c, (int, float)) else str(c) for c in choices[:12]]
            span = ", ".join(shown) + (f" and {len(choices) - 12} more" if len(choices) > 12 else "")
        rows.append([_text(capital(axis.title)), f"<code>{_text(axis.path)}</code>", _text(span),
                     "lever" if axis.lever else ""])  # fmt: skip
    table = _table(["Axis", "Path", "Values", ""], rows, "left left left left")
    return f"<section><h2>What varies</h2>{table if len(rows) <= 40 else _folded(f'{len(rows)} axes', table)}</section>"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{_text(title)}</summary>{content}</details>"


def _again(found: Findings) -> str:
    manifest = found.manifest
    lines = "\n".join(_text(line) for line in found.commands)
    sums = {**manifest["hashes"], "outcomes": manifest.get("hash", "unfinished")}
    hashes = "".join(f"<tr><td>{_text(n)}</td><td><code>{_text(value)}</code></td></tr>" for n, value in sums.items())
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    study = (Path(found.folder) / swept.STUDY).read_text(encoding="utf-8")
    return f"""<section><h2>How to do it again</h2>
<p>The study's folder holds everything that its runs depend on. Seed {_text(manifest["seed"])}; begun
{_text(manifest["started"])}, {_text(f"finished {manifest['finished']}" if manifest.get("finished") else "unfinished")};
{_text(versions)}.</p>
<pre>{lines}</pre>
<table class="plain"><tbody>{hashes}</tbody></table>
{_folded("The study, complete", f"<pre>{html.escape(study)}</pre>")}
{_folded("What was found, as JSON", f"<pre>{html.escape(_json(found))}</pre>") if len(found.axes) <= 12 else ""}
</section>"""


def _json(found: Findings) -> str:
    return json.dumps(_finite(found.as_dict()), indent=1, ensure_ascii=False, allow_nan=False)


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -------------------------------------------------------------------------------------------------------- its pieces


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], sides: str, title: str = "", caption: str = "") -> str:
    """A table of cells that are escaped already. sides: how each column is set."""
    marks = [f' class="{side}"' if side == "right" else "" for side in sides.split()]
    head = "".join(f"<th{mark}>{_text(word)}</th>" for word, mark in zip(heads, marks, strict=True))
    body = "".join(
        f"<tr>{''.join(f'<td{mark}>{cell}</td>' for cell, mark in zip(row, marks, strict=True))}</tr>" for row in rows
    )
    above = f"<h3>{_text(title)}</h3>" if title else ""
    below = f'<p class="caption">{_text(caption)}</p>' if caption else ""
    return f'{above}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{below}'


def _figure(figure: study_figures.Figure | None, title: str, caption: str) -> str:
    if figure is None:
        return ""
    drawn = base64.b64encode(study_figures.render(figure, "svg")).decode()
    above = f"<h3>{_text(title)}</h3>" if title else ""
    return (
        f'{above}<figure><img src="data:image/svg+xml;base64,{drawn}" alt="{_text(f"{title}. {caption}")}">'
        f"<figcaption>{_text(caption)}</figcaption></figure>"
    )


def _s(count: int) -> str:
    return "" if count == 1 else "s"


_STYLE = """
:root { color-scheme: light dark; --ink: #222; --grey: #5c5c5c; --rule: #d9d9d9; --paper: #fff; --shade: #f4f4f2;
  --blue: #0072b2; --note: #fdf3e1; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --grey: #a3a3a0; --rule: #3c3c3c; --paper: #191919;
  --shade: #242424; --blue: #7fbfe6; --note: #3a3020; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2.5rem 1.25rem 5rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.55 system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .2rem 0 .8rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3.2rem 0 .6rem; padding-top: .9rem;
  border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 2rem 0 .4rem; }
p, ul { max-width: 46rem; }
ul { padding-left: 1.2rem; }
li { margin: .3rem 0; }
.kind, .facts, .caption, figcaption { color: var(--grey); font-size: .875rem; }
.kind { margin: 0; }
.question { font-size: 1.1rem; }
.lead { font-size: 1.1rem; }
.note { background: var(--note); padding: .6rem .9rem; border-radius: .3rem; max-width: none; }
a { color: var(--blue); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; margin: .6rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .28rem 1.1rem .28rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
th { color: var(--grey); font-weight: 600; vertical-align: bottom; }
th.right, td.right { text-align: right; white-space: nowrap; }
figure { margin: .4rem 0 1rem; }
figure img { display: block; width: 100%; height: auto; background: #fff; border-radius: .3rem; }
@media (prefers-color-scheme: dark) { figure img { padding: .5rem; } }
code, pre { font: .8125rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { background: var(--shade); padding: .8rem 1rem; border-radius: .3rem; overflow-x: auto; white-space: pre-wrap; }
summary { cursor: pointer; color: var(--blue); margin: .6rem 0; }
@media print { body { max-width: none; padding: 0; } details > * { display: block; } h2, h3 { break-after: avoid; }
  figure { break-inside: avoid; } }
"""

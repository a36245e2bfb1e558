"""What a study is made to say, and its report: true to planted tables, whole in one file, safe with any name."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from sim import cli, columns, findings, naming, report, store, sweep, swept
from sim.errors import BadInput, FolderProblem
from sim.scenario import read

HOSTILE = '<script>alert(1)</script> & "quotes" <img src=x onerror=alert(2)>'
GRID = f"""\
study: 1
title: {json.dumps(HOSTILE)}
question: Does it matter how reliable the Front is?
scenario: minimal
vary:
  assurances.quiet.reliability: [0.2, 0.4, 0.6, 0.8]
  front.funds: {{from: 0.1, to: 0.4, steps: 4}}
  policy: [quantal, best]
  turns: 4
replicates: 12
levers: [assurances.quiet.reliability]
variants: {{rich: {{title: The Front is rich, set: {{front.standing: 0.9}}}}}}
"""
SPACE = """\
study: 1
title: A space
scenario: minimal
vary:
  assurances.quiet.reliability: {low: 0, high: 1}
  front.funds: {low: 0, high: 1}
  raiders: {low: 0, high: 1}
  turns: 1
design: latin_hypercube
points: 3000
outcomes: [recognised, talks]
"""
ROWS = SPACE.replace("latin_hypercube", "saltelli").replace("3000", "512")


class Inline(Executor):
    """Computes in this process, at once."""

    def submit(self, function, /, *args, **options):
        future: Future = Future()
        future.set_result(function(*args, **options))
        return future


@contextmanager
def inline(*_: object):
    yield Inline(), 1


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a study, computed in this process and once."""
    made: dict[str, Path] = {}

    def folder(text: str) -> Path:
        if text not in made:
            place = tmp_path_factory.mktemp("study")
            (place / "study.yaml").write_text(text)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sweep, "_executor", inline)
                sweep.sweep(place / "study.yaml", place / "out", chunk=4096)
            made[text] = place / "out"
        return made[text]

    return folder


@pytest.fixture
def planted(grown: Callable[[str], Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of a study's folder whose outcome is what a function makes of (axes by path, random numbers)."""

    def folder(text: str, name: str, function: Callable[..., np.ndarray]) -> Path:
        import shutil

        place = tmp_path / "planted"
        shutil.copytree(grown(text), place)
        key = store.read_manifest(place)["key"]
        for shard in swept.shelf(place).whole:
            table = store.read_shard(shard)
            axes = {column: table[column].to_numpy() for column in table.column_names if column not in ("variant",)}
            values = function(axes, np.random.default_rng(shard.first))
            column = columns.flags(values) if values.dtype == bool else columns.known(values)
            table = table.set_column(table.column_names.index(name), name, column)
            shard.path.unlink()
            store.write_shard(place / swept.OUTCOMES, shard.first, shard.last, table, key)
        return place

    return folder


def in_box(axes: dict[str, np.ndarray]) -> np.ndarray:
    return (axes["assurances.quiet.reliability"] > 0.6) & (axes["front.funds"] < 0.4)


def boxed(axes: dict[str, np.ndarray], random: np.random.Generator) -> np.ndarray:
    return random.random(len(axes["run"])) < np.where(in_box(axes), 0.85, 0.05)


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


# ----------------------------------------------------------------------------------------------------------- sentences


def test_a_planted_box_becomes_a_sentence_with_runs_to_replay(planted: Callable[..., Path]) -> None:
    folder = planted(SPACE, "recognised", boxed)
    (told,) = findings.analyse(folder, ["recognised"]).outcomes
    (box,) = told.boxes
    found = re.fullmatch(
        r"“Does anyone recognise the Front\?”: yes in (\d+)% of runs where (.*) \(95% interval (\d+)% to (\d+)%; "
        r"against (\d+)% of all runs\); covers (\d+)% of such runs\.",
        box.words,
    )
    assert found
    assert int(found[3]) <= 85 <= int(found[4])
    assert re.search(r"reliability of the promise to leave the border alone exceeds 0\.(59|6)", found[2])
    assert re.search(r"Funds? ?.*at the start is below 0\.(4|39)|funds.* is below 0\.(4|39)", found[2], re.IGNORECASE)
    table = swept.open_sweep(folder).outcomes.to_pandas().set_index("run")
    assert len(box.runs) == 3
    for run in box.runs:
        assert table.loc[run, "recognised"]
        assert table.loc[run, "assurances.quiet.reliability"] > 0.59
    assert box.words in told.sentences


def test_a_planted_tipping_point_is_told(planted: Callable[..., Path]) -> None:
    def tips(axes: dict[str, np.ndarray], random: np.random.Generator) -> np.ndarray:
        return random.random(len(axes["run"])) < 1 / (1 + np.exp(-10 * (axes["front.funds"] - 0.7)))

    (told,) = findings.analyse(planted(SPACE, "recognised", tips), ["recognised"]).outcomes
    (one,) = told.tipping["base", "front.funds"]
    assert one.low <= 0.7 <= one.high
    assert told.strengths[0].axis.path == "front.funds"
    told_ = " ".join(told.sentences)
    assert re.search(
        r"becomes more likely than not where .* passes 0\.(6|7)\d* \(95% interval 0\.6\d* to 0\.7\d*\)", told_
    )
    assert "The share rises from" in told_


def test_a_design_that_allows_them_has_sobol_indices(planted: Callable[..., Path]) -> None:
    """y = 4a + 2b: first-order shares 0.8 and 0.2, the same in total."""

    def linear(axes: dict[str, np.ndarray], _: np.random.Generator) -> np.ndarray:
        return 4 * axes["front.funds"] + 2 * axes["raiders"]

    (told,) = findings.analyse(planted(ROWS, "talks", linear), ["talks"]).outcomes
    assert told.method.startswith("Sobol' indices from 512 rows")
    by_path = {strength.axis.path: strength.index for strength in told.strengths}
    assert by_path["front.funds"].first == pytest.approx(0.8, abs=0.03)
    assert by_path["raiders"].total == pytest.approx(0.2, abs=0.03)
    assert by_path["assurances.quiet.reliability"].total == pytest.approx(0, abs=0.01)
    assert by_path["front.funds"].first_low < 0.8 < by_path["front.funds"].first_high


def test_runs_without_a_value_are_named_and_spoil_nothing(planted: Callable[..., Path]) -> None:
    def lacking(axes: dict[str, np.ndarray], _: np.random.Generator) -> np.ndarray:
        return np.where(np.isin(axes["run"], (7, 8, 99)), np.nan, 4 * axes["front.funds"] + 2 * axes["raiders"])

    (told,) = findings.analyse(planted(ROWS, "talks", lacking), ["talks"]).outcomes
    assert "3 runs without a value count nowhere: runs 7, 8, 99." in told.sentences
    assert "510 rows" in told.method
    assert "2 rows that lack a value left out" in told.method
    assert told.strengths[0].index.first == pytest.approx(0.8, abs=0.03)


def test_where_a_design_allows_no_sobol_indices_none_are_named_so(grown: Callable[[str], Path]) -> None:
    told = findings.analyse(grown(SPACE)).outcomes[1]
    assert told.method.startswith("given-data first-order indices")
    assert all(math.isnan(strength.index.total) for strength in told.strengths)


def test_a_robust_choice_is_told(planted: Callable[..., Path]) -> None:
    """The higher the reliability the better, wherever the funds are: nothing to regret at its top."""

    def better(axes: dict[str, np.ndarray], random: np.random.Generator) -> np.ndarray:
        noise = 0.1 * random.normal(size=len(axes["run"]))
        return 10 * axes["assurances.quiet.reliability"] + axes["front.funds"] + noise

    (told,) = findings.analyse(planted(GRID, "talks", better), ["talks"]).outcomes
    high, low = told.robust
    assert high.wanted
    assert high.labels[high.best].endswith("0.8")
    assert low.labels[low.best].endswith("0.2")
    assert any(line.startswith("Whoever wants it high has ") for line in told.sentences)


def test_variants_are_paired_with_the_scenario_as_it_is(planted: Callable[..., Path]) -> None:
    def shifted(axes: dict[str, np.ndarray], _: np.random.Generator) -> np.ndarray:
        chance = np.random.default_rng(5).normal(size=12)[axes["replicate"]]
        return chance + 0.5 * (axes["run"] >= 4 * 4 * 2 * 12)

    (told,) = findings.analyse(planted(GRID, "talks", shifted), ["talks"]).outcomes
    assert told.against_base["rich"].mean == pytest.approx(0.5)
    assert "“The Front is rich”: " in " ".join(told.sentences)
    assert "0.5 more than as it is (0.5 to 0.5)" in " ".join(told.sentences)


def test_an_outcome_that_never_varies_says_so(planted: Callable[..., Path]) -> None:
    (told,) = findings.analyse(planted(SPACE, "recognised", lambda axes, _: axes["run"] < 0), ["recognised"]).outcomes
    assert told.sentences == [
        "“Does anyone recognise the Front?”: yes in 0% of runs, the same in every run (95% interval 0% to 0.1%)."
    ]


# ------------------------------------------------------------------------------------------------- what may be amiss


def test_an_unfinished_study_says_so(grown: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "half"
    shutil.copytree(grown(ROWS), folder)
    manifest = store.read_manifest(folder)
    shard = swept.shelf(folder).whole[0]
    table = store.read_shard(shard).slice(0, 1000)
    shard.path.unlink()
    store.write_shard(folder / swept.OUTCOMES, 0, 999, table, manifest["key"])
    found = findings.analyse(folder)
    assert found.notes[0].startswith("The study is unfinished: 1,000 of 2,560 runs are done.")
    assert "--resume" in found.notes[0]
    assert "200 rows" in found.outcomes[1].method
    assert "unfinished" in report.page(found)


def test_failures_are_told(grown: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "failed"
    shutil.copytree(grown(SPACE), folder)
    done = swept.open_sweep(folder)
    failure = sweep._failure(done.plan, 5, "RuntimeError: no", str(folder))
    store.write_shard(folder / swept.FAILURES, 0, 2999, columns.rows([failure], swept.FAILURE), done.manifest["key"])
    notes = findings.analyse(folder, ["talks"]).notes
    assert any(note.startswith("1 run failed and counts nowhere: run 5.") for note in notes)


def test_a_damaged_shard_is_named(grown: Callable[[str], Path], tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "damaged"
    shutil.copytree(grown(ROWS), folder)
    path = swept.shelf(folder).whole[0].path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(FolderProblem, match=f"{path.name}: damaged"):
        findings.analyse(folder)


def test_an_unknown_outcome_is_refused(grown: Callable[[str], Path]) -> None:
    with pytest.raises(BadInput, match=r'--outcome calm: the study asks for no "calm"; it asks for recognised, talks'):
        findings.analyse(grown(SPACE), ["calm"])


def test_without_the_extra_one_line_names_it(grown: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = findings.analyse(grown(SPACE))
    assert [note for note in found.notes if "tightrope[discovery]" in note] == [
        "scenario discovery needs the EMA Workbench: pip install 'tightrope[discovery]'"
    ]


# ------------------------------------------------------------------------------------------------------------- report


@pytest.fixture(scope="module")
def page(grown: Callable[[str], Path]) -> str:
    return report.page(findings.analyse(grown(GRID)))


def test_a_report_is_one_file_that_refers_to_nothing(page: str) -> None:
    found = Page(page)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on")
        if name == "src":
            assert value.startswith("data:image/svg+xml;base64,")
        if name == "href":
            assert value.startswith("#outcome-")
    assert "url(" not in page
    assert "@import" not in page
    assert ("http-equiv", "Content-Security-Policy") in found.attributes


def test_hostile_names_are_text(page: str) -> None:
    found = Page(page)
    assert HOSTILE in found.text
    assert "<script" not in page
    assert "<img src=x" not in page


def test_a_report_holds_figures_tables_and_how_to_do_it_again(page: str, grown: Callable[[str], Path]) -> None:
    found = Page(page)
    manifest = store.read_manifest(grown(GRID))
    assert found.tags.count("img") >= 3
    assert found.tags.count("table") >= 4
    for text in ("tightrope sweep ", "tightrope replay ", manifest["hashes"]["study.yaml"], manifest["hash"], "seed 1"):
        assert text in found.text
    assert "Reliability of the promise to leave the border alone" in found.text
    assert all(dict([pair])["alt"] for pair in found.attributes if pair[0] == "alt")


def test_a_report_is_the_same_every_time(grown: Callable[[str], Path]) -> None:
    one, other = (report.page(findings.analyse(grown(GRID), ["raids"])) for _ in range(2))
    assert one == other


def test_what_is_found_is_plain_data(grown: Callable[[str], Path]) -> None:
    found = findings.analyse(grown(GRID)).as_dict()
    again = json.loads(cli.to_json(found))
    assert [outcome["outcome"] for outcome in again["outcomes"]] == ["recognised", "talks", "raids"]
    assert again["axes"][2]["labels"] == ["quantal", "best"]


# -------------------------------------------------------------------------------------------------------- command line


def test_analyse_prints_and_writes(
    grown: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    folder = tmp_path / "study"
    shutil.copytree(grown(GRID), folder)
    assert cli.main(["analyse", str(folder), "--outcome", "talks"]) == 0
    printed = capsys.readouterr().out
    assert "“How often do the states talk to it?”:" in printed
    assert printed.endswith(f"Report: {folder / 'report.html'}\n")
    (folder / "report.html").unlink()
    assert cli.main(["analyse", str(folder), "--no-report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"] is None
    assert not (folder / "report.html").exists()


def test_analyse_of_no_study_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["analyse", str(tmp_path)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


# -------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("actors.russia.interests.borders.salience", "Russia's weight on borders"),
        ("actors.russia.interests.borders.ideal", "Russia's ideal for borders"),
        ("actors.united_states.stakes.russia", "the United States' stake in Russia"),
        ("assurances.counter_daesh.reliability", "reliability of the promise to fight Daesh"),
        ("model.rationality", "everybody's rationality"),
        ("actions.recognise.cost.russia", "cost of “recognises” (Russia)"),
        ("incidents.daesh_attack.plus[0].add", "term 1 of the hazard of “Daesh strikes in Afghanistan”"),
        ("no.such.path", "no.such.path"),
    ],
)
def test_axes_are_named_by_titles(path: str, title: str) -> None:
    assert naming.axis_title(read("takeover-2021").scenario, path) == title


def test_no_two_axes_have_one_title() -> None:
    scenario = read("takeover-2021").scenario
    paths = ["actions.recognise.effects[1].add", "actions.recognise.effects[1].raise_to"]
    assert len(set(naming.axis_titles(scenario, paths).values())) == 2


def test_a_difference_of_shares_is_told_within_what_a_share_can_move_by():
    share, count = findings.Told("a", "A?", True), findings.Told("b", "B?", False)
    assert findings.difference(share, -1.021) == findings.difference(share, -1.0)
    assert findings.difference(share, -0.879) != findings.difference(share, -1.0)
    assert findings.difference(count, -1.021) != findings.difference(count, -1.0)
    assert findings.difference(share, math.nan) == "-"

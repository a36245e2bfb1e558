"""A study file is read with every problem at its place, and its design has the points that it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from sim import data, kernel, located, runs, study
from sim.errors import Problems
from sim.plan import Plan
from sim.scenario import numbers, read
from sim.study import Design, Study
from tests.test_scenario import faults

HEAD = "study: 1\ntitle: A study\nscenario: minimal\n"
BAD = Path(__file__).resolve().parent / "bad_studies"


def asked(folder: Path, text: str) -> study.Asked:
    path = folder / "study.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return study.load(path)


def told(folder: Path, text: str) -> list[str]:
    """The problems of a study, without the file's name and the closing line."""
    with pytest.raises(Problems) as caught:
        Plan(asked(folder, text))
    return [line.removeprefix(f"{folder / 'study.yaml'}:") for line in str(caught.value).splitlines()[:-1]]


# ------------------------------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize("name", sorted(path.stem for path in BAD.glob("*.yaml")))
def test_a_bad_study_ends_in_its_expected_message(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(BAD)
    with pytest.raises(Problems) as caught:
        Plan(study.load(f"{name}.yaml"))
    assert str(caught.value) == (BAD / f"{name}.expected").read_text(encoding="utf-8").rstrip("\n")


def test_a_list_varies_and_a_scalar_holds(tmp_path: Path):
    found = asked(tmp_path, "vary: {model.rationality: [100, 200], front.funds: 0.6, turns: 3}\nreplicates: 5\n")
    assert [axis.path for axis in found.axes] == ["model.rationality"]
    assert found.runs == 10
    assert found.scenario.turns == 3
    assert found.scenario.set["front.funds"].value == 0.6


def test_ranged_varies_every_number_with_a_range_but_those_with_an_axis_of_their_own(tmp_path: Path):
    found = asked(tmp_path, "vary: {all: ranged, model.foresight: [0.2, 0.9]}\ndesign: latin_hypercube\npoints: 8\n")
    ranged = {entry.path for entry in numbers(found.scenario) if entry.quantity.range}
    assert {axis.path for axis in found.axes} == ranged
    assert [axis.choices for axis in found.axes if axis.path == "model.foresight"] == [(0.2, 0.9)]


def test_an_axis_of_whole_numbers_takes_each_of_them_and_nothing_between(tmp_path: Path):
    text = "vary: {model.depth: {low: 0, high: 2}, actors.alba.depth: [0, 2], model.hold: {low: 0.4, high: 0.6}}\n"
    found = asked(tmp_path, text + "design: latin_hypercube\npoints: 8\n")
    assert [axis.choices for axis in found.axes] == [(0.0, 1.0, 2.0), (0, 2), None]
    assert set(found.design.values(np.arange(8))[:, 0]) <= {0.0, 1.0, 2.0}
    (tmp_path / "thinking.yaml").write_text(
        "tightrope: 1\nextends: minimal.yaml\nmodel: {depth: {value: 1, range: [0, 2]}}\n", encoding="utf-8"
    )
    for design in ("grid", "latin_hypercube\npoints: 6"):
        text = f"scenario: thinking\nvary: {{model.depth: ranged}}\ndesign: {design}\n"
        (tmp_path / "study.yaml").write_text(f"study: 1\ntitle: A study\n{text}", encoding="utf-8")
        plan = Plan(study.load(tmp_path / "study.yaml"))
        assert [axis.choices for axis in plan.axes] == [(0.0, 1.0, 2.0)]
    assert told(tmp_path, "vary: {actors.alba.depth: {from: 0, to: 1, steps: 3}}") == [
        "4:8: vary.actors.alba.depth: 0.5 is no whole number, as this must be"
    ]


def test_an_axis_may_leave_the_range_of_its_number(tmp_path: Path):
    assert asked(tmp_path, "vary: {model.rationality: [1, 1000]}\n").axes[0].high == 1000


def test_a_study_asks_what_its_scenario_does_not(tmp_path: Path):
    found = asked(tmp_path, "ask: {calm: {end: raiders, at_most: 0.4}}\noutcomes: [raids]\n")
    assert [q.name for q in Plan(found).structure((0, ())).ready.questions] == ["raids", "calm"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vary: {model.rationalty: [1, 2]}", '4:8: vary.model.rationalty: no such number; did you mean'),
        ("vary: {model.rationality: []}", "4:27: vary.model.rationality: is empty; write values, or leave it out"),
        ("vary: {model.rationality: [100]}", "has one value and varies nothing; to hold it write 100 without brackets"),
        ("vary: {model.rationality: [100, 100]}", "100 stands here a second time; remove one"),
        ("vary: {model.rationality: {low: 3, high: 1}}\ndesign: sobol\npoints: 8", "low must be below high"),
        ("vary: {model.rationality: {low: 1, high: 3}}", "a grid needs values"),
        ("vary: {model.rationality: [-1, 3]}", "vary.model.rationality: -1 is out of range; must be 0 or more"),
        ("vary: {policy: [quantal, bst]}", '"bst" is not allowed; did you mean "best"?'),
        ("vary: {front.funds: [0.1, 0.2], set.front.funds: [0.3, 0.4]}", "overlaps with front.funds"),
        ("vary: {outcomes.recognised.at_least: [1, 2]}", "an outcome is a question and moves nothing"),
        ("vary: {title: [a, b]}", "4:8: vary.title: changes nothing in this scenario; leave it out"),
        ("vary: {model.rationality: [1, 2]}\nlevers: [model.foresight]", "is no axis"),
        ("vary: {model.rationality: [1, 2]}\npoints: 5", "a grid has as many points as it has"),
        ("vary: ranged\ndesign: latin_hypercube", "needs a number of points"),
        ("vary: ranged\ndesign: sobol\npoints: 100", "100 is no power of two"),
        ("vary: ranged", "a grid needs values"),
        ("outcomes: [recognized]", 'no outcome "recognized"; did you mean "recognised"?'),
        ("ask: {calm: {end: raidrs}}", "4:19: ask.calm.end:"),
        ("design: list", "a list design reads its points from a `file`"),
        ("variants: {same: {set: {front.funds: 0.3}}}", "equals the base"),
        ("variants: {a: {set: {front.funds: 0.4}}, b: {set: {front.funds: 0.4}}}", "equals a"),
        ("variants: {base: {set: {front.funds: 0.4}}}", "give the variant another name"),
        ("vary: {front.funds: [0.1, 0.2]}\nvariants: {a: {set: {front.funds: 0.4}}}", "varies already"),
        ("vary: {turns: {low: 3, high: 9}}\ndesign: latin_hypercube\npoints: 4", "write its values as a list"),
        ("replicates: 0", "replicates: 0 is out of range"),
        ("replictes: 3", 'unknown key "replictes"; did you mean "replicates"?'),
        ("vary: {actions: ranged}\ndesign: latin_hypercube\npoints: 4", "no number with a range stands here"),
        ("vary: {model.rationality: {from: 1, to: 2}}", "missing; write for example `steps: 5`"),
        ("vary: {model.rationality: {low: 1, hgh: 2}}", 'unknown key "hgh"'),
        ("vary: {model.rationality: [.nan, 2]}", "4:28: vary.model.rationality[0]: .nan is not a finite number"),
        ("vary: {model.rationality: [true, 2]}", "must be a number or a word"),
        ("vary: {model.rationality: {from: 1, to: 3, steps: 1000000}}", "steps: 1000000 is out of range"),
        ("vary: [a]", "a list stands here; must be a mapping"),
        ("outcomes: []", "4:11: outcomes: "),
        ("outcomes: [raids, raids]", 'outcomes[1]: "raids" stands here a second time; remove one'),
        ("vary: {model.rationality: [1, 2]}\nlevers: [model.rationality, model.rationality]", "levers[1]:"),
        ("keep: [acts, acts]", "keep[1]:"),
        ("ask: {run: {end: raiders}}", 'ask.run: a column of the results is called "run"'),
        ("vary: {model.rationality: {from: 1, to: 9, steps: 100000}}\nreplicates: 1000000", "can be told apart"),
    ],
)  # fmt: skip
def test_problems_are_told_at_their_place(tmp_path: Path, text: str, expected: str):
    assert any(expected in line for line in told(tmp_path, text)), told(tmp_path, text)


def test_a_file_without_study_is_none(tmp_path: Path):
    assert not study.is_study("minimal")
    with pytest.raises(Problems, match="no such file, nor a shipped study"):
        study.load("minimal")


def test_points_come_from_a_table(tmp_path: Path):
    (tmp_path / "points.csv").write_text("model.rationality,policy\n100,quantal\n150,best\n100,best\n")
    found = asked(tmp_path, "design: list\nfile: points.csv\n")
    assert found.design.points == 3
    assert found.design.values(np.arange(3)).tolist() == [[100, 0], [150, 1], [100, 1]]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", "holds no points"),
        ("model.rationality\n", "holds no points"),
        ("model.rationality,x.y\n1,2\n", "points.csv:1: x.y: no such number"),
        ("model.rationality\n100,3\n", "points.csv:2:1: 2 values under 1 paths"),
        ("model.rationality\n012\n", "points.csv:2: model.rationality: 012 could be read two ways"),
        ("model.rationality;turns\n100;2\n", "points.csv:1:1: columns must be separated by commas"),
        ("model.rationality,turns\n100,\n", "points.csv:2: turns: nothing stands here; must be a number or a word"),
        ("model.rationality,turns\n100,2\n1e999,true\n", "points.csv:3: model.rationality: 1e999 is too large"),
    ],
)
def test_a_faulty_table_is_told_by_line(tmp_path: Path, table: str, expected: str):
    (tmp_path / "points.csv").write_text(table)
    with pytest.raises(Problems, match=expected):
        asked(tmp_path, "design: list\nfile: points.csv\n")


@pytest.mark.parametrize("path", sorted((data.scenarios() / "studies").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_study_is_read(path: Path):
    found = study.load(path.stem)
    assert found.study.question
    assert found.study.claim


def test_the_schema_accepts_what_is_read_and_refuses_what_is_not():
    described = study.schema()
    for path in (data.scenarios() / "studies").glob("*.yaml"):
        assert list(faults(located.load(path).data, described, described)) == [], path
    found = set(faults(located.load(BAD / "forms.yaml").data, described, described))
    assert {"design", "replicates", "seed", "repeat", "vary", "variants.a.set"} <= found


def test_every_field_of_the_schema_says_what_it_is():
    described = study.schema()
    for name, block in ({"Study": described} | described["$defs"]).items():
        for key, field in block["properties"].items():
            assert field.get("description"), f"{name}.{key}"
            assert field.get("examples"), f"{name}.{key}"


# ------------------------------------------------------------------------------------------------------------ designs


def design(kind: str, points: int, dimensions: int, seed: int = 1) -> Design:
    said = Study(study=1, title="x", scenario="x", design=kind, points=points, seed=seed)
    return Design(said, tuple(study.Axis(f"a{n}", f"a{n}", None, 0.0, 1.0) for n in range(dimensions)))


@given(st.integers(1, 300), st.integers(1, 4), st.integers(0, 2**64 - 1))
def test_a_latin_hypercube_has_one_point_in_each_stratum_of_each_axis(points: int, dimensions: int, seed: int):
    values = design("latin_hypercube", points, dimensions, seed).values(np.arange(points))
    assert (np.sort((values * points).astype(int), axis=0) == np.arange(points)[:, None]).all()


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol", "saltelli"])
def test_a_point_is_the_same_alone_and_among_others(kind: str):
    many = design(kind, 64, 3)
    whole = many.values(np.arange(many.points))
    for some in ([5], [40, 41, 42], [63, 2, 17]):
        assert np.array_equal(many.values(np.array(some)), whole[some])


def test_sobol_points_are_those_of_scipy():
    sequence = qmc.Sobol(7, scramble=True, rng=np.random.default_rng(5))
    assert np.array_equal(design("sobol", 4096, 7, 5).values(np.arange(4096)), sequence.random(4096))
    far = 2**30 - 1 - np.arange(3)
    assert (design("sobol", 2**29, 7, 5).values(far) < 1).all()


def test_a_sobol_design_fills_every_half_of_every_axis_evenly():
    values = design("sobol", 64, 5).values(np.arange(64))
    assert ((values < 0.5).sum(axis=0) == 32).all()


def test_the_rows_of_a_saltelli_design_differ_in_one_axis_each_and_share_their_draws():
    rows = design("saltelli", 8, 3)
    values = rows.values(np.arange(40)).reshape(8, 5, 3)
    for a in range(3):
        assert ((values[:, a + 1] != values[:, 0]).sum(axis=1) == 1).all()
        assert np.array_equal(values[:, a + 1, a], values[:, 4, a])
    drawn = rows.drawn(np.arange(40), np.zeros(40, dtype=np.int64)).reshape(8, 5)
    assert (drawn == np.arange(8)[:, None]).all()


# --------------------------------------------------------------------------------------------------------- the plan

MIXED = """
vary:
  model.rationality: [100, 250]
  front.funds: {from: 0.1, to: 0.5, steps: 3}
  actions.talk.effort: [0.4, 1.0]
  policy: [quantal, best]
  state.front.contact: [none, talks]
  turns: 5
variants: {proud: {set: {alba.repute: 0.95}}}
replicates: 2
"""


def test_every_run_is_the_one_that_its_numbers_make_alone(tmp_path: Path):
    """Patching, grouping and batching change no bit of what the scenario with those numbers gives."""
    text = MIXED.replace("  state.front.contact: [none, talks]\n", "  alba.front.contact: [none, talks]\n")
    plan = Plan(asked(tmp_path, text))
    assert plan.runs == 2 * 48 * 2
    table = plan.tables(np.arange(plan.runs), ("states",))
    for run in range(0, plan.runs, 7):
        about = plan.described(run)
        sets = [f"{path}={value}" for path, value in about["parameters"].items()] + ["turns=5"]
        if about["variant"] == "proud":
            sets.append("alba.repute=0.95")
        ready = runs.prepare("minimal", sets)
        history = kernel.ensemble(ready.compiled, 1, [about["replicate"]])
        alone = ready.tables(history)
        rows = table["states"].slice(run * 6, 6)
        assert rows.drop_columns("run").equals(alone["states"].drop_columns("run")), about
        answers = table["outcomes"].slice(run, 1).to_pylist()[0]
        for name, value in alone["outcomes"].to_pylist()[0].items():
            if name != "run":
                assert answers[name] == value
        assert answers["policy"] == about["parameters"]["policy"]


def test_variants_and_points_of_a_grid_share_their_random_numbers(tmp_path: Path):
    plan = Plan(asked(tmp_path, "vary: {model.rationality: [100, 250]}\nreplicates: 3\n"
                                "variants: {a: {set: {front.funds: 0.9}}}\n"))  # fmt: skip
    rows = plan.rows(np.arange(plan.runs))
    assert plan.design.drawn(rows.point, rows.replicate).tolist() == [0, 1, 2] * 4
    assert rows.variant.tolist() == [0] * 6 + [1] * 6


def test_points_that_fill_a_space_draw_afresh_unless_told_otherwise(tmp_path: Path):
    text = "vary: ranged\ndesign: latin_hypercube\npoints: 3\nreplicates: 2\n"
    points, replicates = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1] * 3)
    assert asked(tmp_path, text).design.drawn(points, replicates).tolist() == [0, 1, 2, 3, 4, 5]
    assert asked(tmp_path, text + "draws: common\n").design.drawn(points, replicates).tolist() == [0, 1] * 3
    assert read("minimal").scenario.turns == 12

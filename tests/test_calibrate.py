"""Calibration: what it may see, what it keeps, and the file of parameter sets that runs draw from."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from sim import (
    calibrate,
    cli,
    compare,
    data,
    evidence,
    explain,
    hindcast,
    observed,
    parameters,
    runs,
    store,
    sweep,
    swept,
)
from sim.calibrate import Calibration, implausibility, weighed
from sim.errors import BadInput, FolderProblem, Problems
from sim.scenario import read

POINTS, RUNS = 60, 4


@pytest.fixture(scope="module")
def loose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Facts that most points bear out, so that few points suffice."""
    path = tmp_path_factory.mktemp("facts") / "facts.yaml"
    path.write_text(
        "record: 1\ntitle: t\nfrom: 2021-05\nuntil: 2021-11\nfacts:\n"
        "  A: {statement: Nobody recognises., sample: in, weight: soft, "
        "holds: {count: {action: recognise}, equals: 0}}\n"
        "  B: {statement: Russia meets them., sample: in, weight: hard, "
        "holds: {count: {action: meet_in_kabul, by: russia}, at_least: 3}}\n"
    )
    return path


@pytest.fixture(scope="module")
def done(loose: Path, tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    return calibrate.calibrate("takeover-2021", POINTS, RUNS, 3, tmp_path_factory.mktemp("c") / "c", fact_file=loose)


def files(folder: Path) -> dict[str, bytes]:
    names = (parameters.FILE, "facts.parquet", "numbers.parquet", "points.parquet", "study.yaml", "scenario.yaml")
    return {name: (folder / name).read_bytes() for name in names}


# ------------------------------------------------------------------------------------------------- what it may see


def test_nothing_that_is_marked_out_of_sample_moves_a_single_bit(
    done: Calibration, loose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seeds = tmp_path / "seeds"
    shutil.copytree(data.seeds(), seeds)
    for name, kind in (("chronology.yaml", "events"), ("positions.yaml", "positions")):
        held = yaml.safe_load((seeds / name).read_text())
        later = [one | {"sample": "out", "date": "2022-03"} for one in held[kind]]
        (seeds / name).write_text(yaml.safe_dump(held | {kind: held[kind] + later}))
    leak = (
        "  LEAK: {statement: All recognise., sample: out, weight: hard, "
        "holds: {count: {action: recognise}, at_least: 1000}}\n"
    )
    path = tmp_path / "facts.yaml"
    path.write_text(loose.read_text() + leak)
    monkeypatch.setattr(data, "seeds", lambda: seeds)
    evidence.load.cache_clear()
    try:
        again = calibrate.calibrate("takeover-2021", POINTS, RUNS, 3, tmp_path / "again", fact_file=path)
    finally:
        evidence.load.cache_clear()
    assert files(again.folder) == files(done.folder)
    assert again.manifest["hashes"] == done.manifest["hashes"]
    assert "LEAK" not in json.dumps(again.as_dict())


def test_the_same_fact_planted_in_sample_is_seen(loose: Path, tmp_path: Path):
    path = tmp_path / "facts.yaml"
    path.write_text(
        loose.read_text() + "  LEAK: {statement: Twice., sample: in, weight: hard, "
        "holds: {count: {action: meet_in_kabul, by: russia}, at_least: 12}}\n"
    )
    found = calibrate.calibrate("takeover-2021", POINTS, RUNS, 3, tmp_path / "c", fact_file=path)
    assert "LEAK" in found.facts["fact"].to_pylist()


def test_months_after_november_2021_are_not_run(tmp_path: Path):
    path = tmp_path / "longer.yaml"
    path.write_text(data.scenarios().joinpath("takeover-2021.yaml").read_text().replace("turns: 7", "turns: 12")
                    .replace("worlds/afghanistan.yaml", str(data.scenarios() / "worlds/afghanistan.yaml")))  # fmt: skip
    loaded = read(path)
    assert loaded.scenario.turns == 12
    assert calibrate.in_sample(loaded).turns == 7
    assert calibrate.in_sample(read("takeover-2021")).turns == 7
    late = tmp_path / "late.yaml"
    late.write_text(
        "record: 1\ntitle: t\nfacts:\n  L: {statement: Later., sample: in, weight: hard, "
        "holds: {count: {action: recognise, in: 2022-03}, at_least: 1}}\n"
    )
    with pytest.raises(BadInput, match="nothing to calibrate on"):
        calibrate.calibrate(path, 10, 2, out=tmp_path / "c", fact_file=late)
    with pytest.raises(BadInput, match=r"out of sample|nothing to calibrate on"):
        calibrate.calibrate("outlook-2022", 10, 2, out=tmp_path / "o")


def test_what_runs_are_held_against_beside_facts_is_not_looked_at(
    loose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: object) -> None:
        raise AssertionError

    for name in ("cells", "places", "_chronology"):
        monkeypatch.setattr(observed, name, never)
    assert calibrate.calibrate("takeover-2021", 20, 2, 3, tmp_path / "c", fact_file=loose).manifest["complete"]


# ------------------------------------------------------------------------------------------------------- what it keeps


def test_the_same_seed_gives_the_same_files_whatever_the_threads_and_however_often_it_was_killed(
    done: Calibration, loose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        pass

    monkeypatch.setattr(calibrate, "STRIP", 40)
    monkeypatch.setattr(calibrate, "SHARD", 2)
    written, write = [], store.write_shard

    def dying(*arguments: object, **more: object) -> object:
        if len(written) == 2:
            raise Killed
        written.append(1)
        return write(*arguments, **more)

    monkeypatch.setattr(store, "write_shard", dying)
    with pytest.raises(Killed):
        calibrate.calibrate("takeover-2021", POINTS, RUNS, 3, tmp_path / "c", fact_file=loose, threads=1)
    monkeypatch.setattr(store, "write_shard", write)
    assert swept.shelf(tmp_path / "c", calibrate.SCORES).done == 40
    with pytest.raises(FolderProblem, match="--resume"):
        calibrate.open_calibration(tmp_path / "c")
    with pytest.raises(FolderProblem, match="--resume goes on with it"):
        calibrate.calibrate("takeover-2021", POINTS, RUNS, 3, tmp_path / "c", fact_file=loose)
    with pytest.raises(FolderProblem, match=r"study\.yaml changed"):
        calibrate.calibrate("takeover-2021", POINTS, RUNS, 4, tmp_path / "c", True, loose)
    computed = []
    scored = calibrate._Work.scored
    monkeypatch.setattr(calibrate._Work, "scored", lambda self, points: computed.extend(points) or scored(self, points))
    again = calibrate.calibrate("takeover-2021", POINTS, RUNS, 3, tmp_path / "c", True, loose, threads=2)
    assert sorted(computed) == list(range(40, POINTS))
    assert files(again.folder) == files(done.folder)


def test_a_point_s_share_is_that_of_its_own_runs(done: Calibration):
    """Points run side by side are scored as if each were run alone."""
    from sim import study
    from sim.kernel import ensemble
    from sim.plan import Plan

    plan = Plan(study.load(done.folder / "study.yaml"), trusted=True)
    ready = plan.structure(plan.first).ready
    point = 17
    values = dict(zip((axis.place for axis in plan.axes), plan.design.values(np.array([point]))[0], strict=True))
    alone = ensemble(ready.compiled.patched(values), 3, range(point * RUNS, (point + 1) * RUNS))
    visits = [o for o, name in enumerate(ready.compiled.options) if name[:2] == ("russia", "meet_in_kabul")]
    counts = np.array([np.isin(alone.acts.option[alone.acts.run == run], visits).sum() for run in alone.runs])
    assert done.points["B"][point].as_py() == pytest.approx((counts >= 3).mean())


def test_weights_fall_with_the_worst_miss_and_end_at_the_cut():
    wanted = np.array([0.9, 0.6])
    share = np.array([[1.0, 0.7], [0.8, 0.6], [0.1, 1.0]])
    misses = implausibility(share, wanted, 100.0)
    assert misses[0].tolist() == [0, 0]
    assert misses[1, 1] == 0 < misses[1, 0] < 1
    assert misses[2, 0] > calibrate.CUT
    weights = weighed(misses)
    assert weights[0] > weights[1] > weights[2] == 0
    assert weights.sum() == pytest.approx(1)
    assert implausibility(share[1:2], wanted, 1e6)[0, 0] == pytest.approx(0.1 / calibrate.TOLERANCE, rel=1e-3)


def test_the_kept_points_and_their_weights_are_the_file(done: Calibration):
    sets = parameters.read(done.parameters)
    weights = np.array(done.points["weight"].to_pylist())
    assert sets.weights.tolist() == weights[weights > 0].tolist()
    assert done.manifest["kept"] == sets.weights.size < POINTS
    assert done.manifest["effective"] == pytest.approx(1 / (weights**2).sum())
    assert (weights > 0).tolist() == (np.array(done.points["implausibility"].to_pylist()) < calibrate.CUT).tolist()
    assert parameters.parsed(sets.text(), "t").values.tobytes() == sets.values.tobytes()
    ranges = {row["path"]: (row["low"], row["high"]) for row in done.numbers.to_pylist()}
    for n, path in enumerate(sets.paths):
        assert ranges[path][0] <= sets.values[:, n].min() <= sets.values[:, n].max() <= ranges[path][1]


def test_a_number_that_decides_a_fact_is_taught_and_the_others_are_not():
    rng = np.random.default_rng(1)
    from sim.study import Axis

    scenario = read("takeover-2021").scenario
    paths = ["model.rationality", "model.foresight", "model.hold"]
    axes = [Axis(path, path, None, 0.0, 1.0) for path in paths]
    values = rng.random((400, 3))
    weights = (values[:, 0] > 0.8).astype(float)
    misfit = 5 * (1 - values[:, 0]) + rng.random(400)
    rows = calibrate.number_table(scenario, axes, values, weights / weights.sum(), misfit).to_pylist()
    assert [row["path"] for row in rows if row["taught"]] == ["model.rationality"]
    assert rows[0]["shift"] == pytest.approx(0.4, abs=0.03)
    assert rows[0]["shrink"] == pytest.approx(0.8, abs=0.05)
    assert rows[0]["shift_low"] < rows[0]["shift"] < rows[0]["shift_high"]
    assert rows[0]["distance"] == pytest.approx(0.8, abs=0.03)
    assert rows[0]["blind"] < 1e-3 < min(row["blind"] for row in rows[1:])
    assert rows[0]["pull_low"] > 0.9


def test_left_out_a_fact_is_told_by_the_others_alone(done: Calibration):
    rows = {row["fact"]: row for row in done.facts.to_pylist()}
    halves = np.array(done.points["B"].to_pylist())
    assert rows["B"]["prior"] == pytest.approx(halves.mean())
    assert rows["B"]["rest_points"] > rows["A"]["rest_points"] or rows["B"]["rest_points"] >= done.manifest["kept"]
    assert rows["B"]["moved_by"].count(";") == calibrate.STRONGEST - 1


# -------------------------------------------------------------------------------------------------- runs that draw them


def test_a_run_s_numbers_are_a_function_of_its_seed_and_number(done: Calibration, tmp_path: Path):
    ready = runs.prepare("takeover-2021", parameter_file=done.parameters)
    drawn = ready.drawn
    whole = drawn.of(5, range(200))
    assert whole.tolist() == [int(drawn.of(5, [run])[0]) for run in range(200)]
    assert whole.tolist() != drawn.of(6, range(200)).tolist()
    often = np.bincount(drawn.of(1, range(20000)), minlength=drawn.weights.size) / 20000
    assert np.abs(often - drawn.weights / drawn.weights.sum()).max() < 0.015
    made = runs.run("takeover-2021", 12, 5, out=tmp_path / "r", figures=False, parameter_file=done.parameters)
    alone = runs.run(
        "takeover-2021", 5, 5, out=tmp_path / "s", figures=False, parameter_file=done.parameters, threads=1
    )
    first = made.states.slice(0, alone.states.num_rows)
    assert store.table_hash(first) == store.table_hash(alone.states)
    assert runs.replay(made.folder, 9).same
    plain = runs.run("takeover-2021", 5, 5, out=tmp_path / "p", figures=False)
    assert store.table_hash(plain.states) != store.table_hash(alone.states)
    values = drawn.numbers(5, [9])
    patched = runs.open_run(made.folder).prepared.one(5, 9)
    for path in ("model.rationality", "actors.russia.interests.borders.salience"):
        column, index = ready.compiled.owners[path][0]
        assert getattr(patched.compiled.tables, column)[index] == values[path][0]
    card = explain.card(made.folder, "russia", "2021-08", 9)
    assert not [note for note in card.notes if "not" in note]


def test_what_is_set_by_hand_stays(done: Calibration):
    ready = runs.prepare("takeover-2021", ["model.rationality=120"], None, done.parameters)
    assert "model.rationality" not in ready.drawn.paths
    assert ready.drawn.of(1, range(50)).tolist() == runs.prepare(
        "takeover-2021", (), None, done.parameters
    ).drawn.of(1, range(50)).tolist()  # fmt: skip


def test_another_scenario_of_the_world_keeps_its_own_time(done: Calibration):
    ready = runs.prepare("year-one", parameter_file=done.parameters)
    assert "model.rationality" in ready.drawn.paths
    assert not [path for path in ready.drawn.paths if path.startswith(parameters.OWN)]
    assert any("of its own time" in note for note in ready.drawn.notes)


def test_files_that_do_not_fit_are_refused_in_lines(done: Calibration, tmp_path: Path, capsys: pytest.CaptureFixture):
    assert cli.main(["run", "minimal", "--runs", "2", "--parameters", str(done.parameters)]) == 2
    assert "calibrated on takeover-2021 (world afghanistan)" in capsys.readouterr().err
    path = tmp_path / "bad.csv"
    text = done.parameters.read_text()
    path.write_text(text.replace("model.rationality", "model.rationalty"))
    for verb in (
        ["run", "takeover-2021"],
        ["compare", "takeover-2021", "--policy", "best"],
        ["hindcast", "takeover-2021"],
    ):
        assert cli.main([*verb, "--runs", "2", "--parameters", str(path)]) == 2
        told = capsys.readouterr().err
        assert 'model.rationalty: no such number in takeover-2021; did you mean "model.rationality"?' in told
        assert "1 problem; nothing was run" in told
    lines = text.splitlines()
    head = lines.index(next(line for line in lines if line.startswith("weight,")))
    path.write_text("\n".join([*lines[: head + 1], "1,2", lines[head + 1].replace(",", ",x", 1)]))
    with pytest.raises(Problems) as caught:
        parameters.read(path)
    assert [problem.line for problem in caught.value.problems] == [head + 2, head + 3]
    path.write_text("nothing")
    with pytest.raises(BadInput, match="it begins with"):
        parameters.read(path)
    with pytest.raises(BadInput, match="no such file"):
        parameters.read(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="no file of parameter sets"):
        parameters.read(tmp_path)


def test_pairs_have_the_same_parameters_on_both_sides_also_after_a_fork(done: Calibration, tmp_path: Path):
    change = ["actors.russia.interests.borders.salience=0.66"]
    made = compare.compare(
        "takeover-2021", None, 8, 5, change, out=tmp_path / "k", figures=False, parameter_file=done.parameters
    )
    own = runs.run("takeover-2021", 8, 5, out=tmp_path / "r", figures=False, parameter_file=done.parameters)
    other = runs.run("takeover-2021", 8, 5, change, out=tmp_path / "b", figures=False, parameter_file=done.parameters)
    pairs = made.pairs
    for side, one in (("a", own), ("b", other)):
        assert pairs[f"{side}.contacts"].to_pylist() == one.outcomes["contacts"].to_pylist()
    late = compare.compare(
        "takeover-2021", None, 4, 5, change, "2021-11", out=tmp_path / "f", figures=False,
        parameter_file=done.parameters,
    )  # fmt: skip
    assert late.pairs["a.contacts"].to_pylist() == own.outcomes["contacts"].to_pylist()[:4]


def test_a_hindcast_draws_them_for_every_policy(done: Calibration, loose: Path, tmp_path: Path):
    found = hindcast.hindcast(
        "takeover-2021", 40, 5, loose, out=tmp_path / "h", figures=False, parameter_file=done.parameters
    )
    own = runs.run("takeover-2021", 40, 5, out=tmp_path / "r", figures=False, parameter_file=done.parameters)
    acts = own.acts.to_pandas()
    visits = acts[(acts.actor == "russia") & (acts.action == "meet_in_kabul")].groupby("run").size()
    rows = {row["fact"]: row for row in found.facts.to_pylist()}
    assert rows["B"]["share"] == pytest.approx((visits >= 3).sum() / 40)
    assert (found.folder / parameters.FILE).is_file()
    assert found.manifest["parameters"]["sets"] == done.manifest["kept"]


def test_a_study_s_runs_draw_them_and_its_own_axes_win(done: Calibration, tmp_path: Path):
    shutil.copy(done.parameters, tmp_path / "sets.csv")
    path = tmp_path / "s.yaml"
    path.write_text(
        "study: 1\ntitle: t\nscenario: takeover-2021\nparameters: sets.csv\nvary: {model.rationality: [100, 250]}\n"
        "replicates: 6\nseed: 5\noutcomes: [contacts]\n"
    )
    made = sweep.sweep(path, tmp_path / "out", workers=1)
    ready = runs.prepare("takeover-2021", ["model.rationality=250"], None, done.parameters)
    own = runs.run("takeover-2021", 6, 5, ["model.rationality=250"], out=tmp_path / "r", figures=False,
                   parameter_file=done.parameters)  # fmt: skip
    assert made.outcomes["contacts"].to_pylist()[6:] == own.outcomes["contacts"].to_pylist()
    assert ready.drawn.paths == made.plan.structure(made.plan.first).ready.drawn.paths
    assert swept.replay(tmp_path / "out", 8).same
    again = sweep.sweep(tmp_path / "out" / "study.yaml", tmp_path / "again", workers=1)
    assert again.hash() == made.hash()
    path.write_text(path.read_text().replace("takeover-2021", "minimal").replace("[contacts]", "null"))
    with pytest.raises(Problems, match=r"s\.yaml:4:13: parameters: .*calibrated on takeover-2021"):
        sweep.sweep(path, tmp_path / "no", workers=1)


def test_the_command_prints_what_was_kept_and_taught(loose: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    arguments = ["calibrate", "takeover-2021", "--points", "30", "--runs-a-point", "2", "--facts", str(loose)]
    assert cli.main([*arguments, "--out", str(tmp_path / "c")]) == 0
    told = capsys.readouterr().out
    for words in ("points are kept", "By the rest", "Parameter sets:"):
        assert words in told
    assert cli.main([*arguments, "--out", str(tmp_path / "c"), "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"] == 30
    assert cli.main(["calibrate", "takeover-2021", "--points", "3"]) == 2
    assert cli.main(["calibrate", "minimal", "--points", "10", "--out", str(tmp_path / "m")]) == 2

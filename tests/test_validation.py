"""A forecast is made once and says what its runs say; the validation page is made of what was measured."""

import datetime
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from sim import calibrate, cli, forecast, runs, validation
from sim.calibrate import Calibration
from sim.errors import BadInput, FolderProblem

SMALL = validation.Budget(points=50, runs_a_point=2, runs=10, matters=25)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Calibration:
    """A calibration on one fact that most points bear out."""
    folder = tmp_path_factory.mktemp("calibration")
    (folder / "facts.yaml").write_text(
        "record: 1\ntitle: t\nfacts:\n  A: {statement: Russia meets them., sample: in, weight: hard, "
        "holds: {count: {action: meet_in_kabul, by: russia}, at_least: 3}}\n"
    )
    return calibrate.calibrate("takeover-2021", 40, 2, out=folder / "c", fact_file=folder / "facts.yaml")


# -------------------------------------------------------------------------------------------------------- a forecast


def test_a_forecast_says_what_its_runs_say_and_is_made_once(made: Calibration, tmp_path: Path):
    day = datetime.date(2026, 11, 22)
    page = forecast.forecast("year-one", made.parameters, 30, 4, tmp_path / "f.md", day)
    told = json.loads(page.with_suffix(".json").read_text())
    own = runs.run("year-one", 30, 4, out=tmp_path / "r", figures=False, parameter_file=made.parameters)
    outcomes = {row["outcome"]: row for row in told["outcomes"]}
    for row in own.summary().outcomes.to_pylist():
        for key in ("share", "median", "q05", "q95", "date"):
            assert outcomes[row["outcome"]][key] == row[key], row["outcome"]
    last = own.states.to_pandas().query("turn == 10")
    ladders = {row["path"]: row for row in told["ladders"]}
    rungs = list(ladders["russia.taliban.rung"]["rungs"])
    for n, rung in enumerate(rungs):
        share = (last["russia.taliban.rung"] == n).mean()
        assert ladders["russia.taliban.rung"]["rungs"][rung] == pytest.approx(share)
        above = ladders["russia.taliban.rung"]["or_above"][rung]
        assert above == pytest.approx((last["russia.taliban.rung"] >= n).mean())
        assert above <= ladders["russia.taliban.rung"]["ever"][rung]
    indicators = {row["path"]: row for row in told["indicators"]}
    for path in ("taliban.rights", "resistance", "humanitarian"):
        assert indicators[path]["mean"] == pytest.approx(last[path].mean())
    text = page.read_text()
    assert "Made on 2026-11-22" in text
    assert told["hashes"]["rules"] in text
    assert told["made"] == "2026-11-22"
    with pytest.raises(FolderProblem, match="a forecast is made once"):
        forecast.forecast("year-one", made.parameters, 30, 4, tmp_path / "f.md")
    again = forecast.forecast("year-one", made.parameters, 30, 4, tmp_path / "g.md", day)
    assert again.read_text() == text
    with pytest.raises(BadInput, match=r"must end in \.md"):
        forecast.forecast("year-one", None, 30, 4, tmp_path / "f.txt")


def test_the_share_of_the_spread_that_sets_make_has_its_known_answers():
    rng = np.random.default_rng(1)
    which = np.repeat(np.arange(50), 40)
    noise = rng.normal(size=which.size)
    assert forecast.between(rng.normal(size=50)[which] + noise, which) == pytest.approx(0.5, abs=0.15)
    assert forecast.between(noise, which) == pytest.approx(0.0, abs=0.02)
    assert forecast.between(which.astype(float), which) == pytest.approx(1.0)
    assert np.isnan(forecast.between(noise, np.zeros_like(which)))


# ------------------------------------------------------------------------------------------------ the validation page


@pytest.mark.slow
def test_the_page_is_made_of_what_was_measured_and_comes_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(calibrate, "TOLERANCE", 0.4)  # so that few points suffice
    page = validation.validate(budget=SMALL, docs=tmp_path / "docs", work=tmp_path / "work")
    text = page.read_text()
    for name in re.findall(r"\]\((pictures/[^)]+)\)", text):
        assert (tmp_path / "docs" / name).stat().st_size > 1000, name
    kept = validation.hindcast.open_hindcast(tmp_path / "work" / "calibrated")
    for row in kept.facts.to_pylist():
        heads = (f"| {row['fact']} |", f"- {row['fact']} cannot")
        line = next(line for line in text.splitlines() if line.startswith(heads))
        if row["status"] in ("scored", "given"):
            assert validation.naming.percent(row["share"]) in line
            assert ("**fails**" in line) != row["passes"]
    made = calibrate.open_calibration(tmp_path / "work" / "calibration")
    assert f"**{made.manifest['kept']} points are left**" in text
    for part in (
        "## What it may be used for",
        "## What matters",
        "## Ladders",
        "## Out of sample",
        "| asked | found |",
    ):
        assert part in text
    for value in (*kept.manifest["hashes"].values(), made.manifest["hash"]):
        assert value in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for line, after in itertools.pairwise(rows):
        if after.startswith("|---"):
            assert line.count(" | ") + 1 == after.count("---"), line
    again = validation.validate(budget=SMALL, docs=tmp_path / "again", work=tmp_path / "other")
    assert again.read_text() == text
    for picture in (tmp_path / "docs" / validation.FIGURES).iterdir():
        assert picture.read_bytes() == (tmp_path / "again" / validation.FIGURES / picture.name).read_bytes()
    assert cli.main(["validate", "no-such", "--docs", str(tmp_path / "d"), "--work", str(tmp_path / "w")]) == 2
    assert "no such file" in capsys.readouterr().err

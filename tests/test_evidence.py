"""Which number rests on which claim."""

import json
from pathlib import Path

import pytest

from sim import checks, cli, data, evidence
from sim.scenario import numbers, read

SHIPPED = sorted(path.stem for path in data.scenarios().glob("*.yaml"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_is_counted_once(name: str):
    scenario = read(name).scenario
    found = evidence.sources(scenario)
    coverage = found.coverage
    assert coverage["numbers"] == len(numbers(scenario)) == found.table.num_rows
    assert coverage["claim"] + coverage["assumption"] + coverage["neither"] == coverage["numbers"]
    assert found.table["path"].to_pylist() == [entry.path for entry in numbers(scenario)]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_claim_that_is_cited_exists(name: str):
    assert evidence.sources(read(name).scenario).unknown == []


def test_a_claim_brings_its_locator_and_its_statement(tmp_path: Path):
    text = read("minimal").text().replace("value: 0.6\n", "value: 0.6\n    claim: [FRS-001, FRS-999, RID-001]\n", 1)
    path = tmp_path / "cited.yaml"
    path.write_text(text, encoding="utf-8")
    scenario = read(path).scenario
    found = evidence.sources(scenario)
    (row,) = [row for row in found.table.to_pylist() if row["claims"]]
    assert row["basis"] == "claim"
    assert row["claims"] == "FRS-001 FRS-999 RID-001"
    assert row["locators"].startswith("FRS2021 Intro")
    assert evidence.claims()["FRS-001"].statement in row["statements"]
    assert found.unknown == [(row["path"], "FRS-999")]
    assert found.by_document == {"FRS2021": 1, "Riddle2022": 1}
    assert found.resting_on("Riddle2022") == found.resting_on("RID") == [row["path"]]
    assert found.resting_on("Other") == []


def cited(tmp_path: Path, more: str) -> Path:
    """The tutorial with more in the block of an indicator that has several numbers."""
    text = read("minimal").text().replace("noise: 0.02}", f"noise: 0.02, {more}}}", 1)
    path = tmp_path / "cited.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_on_an_unknown_claim_nothing_rests(tmp_path: Path):
    path = cited(tmp_path, "claim: FRS-999")
    found = evidence.sources(read(path).scenario)
    ((claim, paths),) = found.unknown_claims.items()
    assert claim == "FRS-999"
    assert len(paths) > 1
    assert found.without() == paths
    assert found.coverage["claim"] == 0
    told = [str(problem) for problem in checks.check(path).warnings if "FRS-999" in problem.message]
    assert len(told) == 1
    assert f"{len(paths)} numbers name it" in told[0]


def test_a_claim_with_an_assumption_beside_it_is_told_apart(tmp_path: Path):
    for more, claim_only, both in (("", True, False), (", assumption: our reading", False, True)):
        coverage = evidence.sources(read(cited(tmp_path, f"claim: FRS-001{more}")).scenario).coverage
        assert bool(coverage["claim_only"]) is claim_only
        assert bool(coverage["claim_and_assumption"]) is both
        assert coverage["claim"] == coverage["claim_only"] + coverage["claim_and_assumption"]


def test_an_unknown_code_is_told_with_the_list(tmp_path: Path):
    assert not [found for found in checks.check("minimal").warnings if "CAMEO" in found.message]
    path = tmp_path / "odd.yaml"
    text = read("minimal").text()
    code = next(iter(read("minimal").scenario.actions.values())).cameo
    path.write_text(text.replace(f"'{code}'", "'99'").replace(f'"{code}"', '"99"'), encoding="utf-8")
    told = [found for found in checks.check(path).warnings if "CAMEO" in found.message]
    assert told
    assert told[0].message == 'no CAMEO code "99"; the codes stand in seeds/codes.yaml'


def test_a_number_with_neither_is_named(tmp_path: Path):
    text = read("minimal").text()
    assert evidence.sources(read("minimal").scenario).without() == []
    whole = "\n".join(line for line in text.splitlines() if not line.startswith("assumption:"))
    path = tmp_path / "bare.yaml"
    path.write_text(whole, encoding="utf-8")
    without = evidence.sources(read(path).scenario).without()
    assert "indicators.raiders.start" in without
    assert "model.rationality" not in without


@pytest.mark.parametrize(
    ("cameo", "found"), [("054", "054"), ("0541", "054"), ("0331", "033"), ("19", "190"), ("195", "190"), ("99", None)]
)
def test_a_code_that_is_not_listed_takes_the_nearest_above_it(cameo: str, found: str | None):
    code = evidence.code(cameo)
    assert (None if code is None else code.code) == found


def test_goldstein_weights_are_on_their_scale():
    assert all(code.goldstein is None or -10 <= code.goldstein <= 10 for code in evidence.codes().values())


@pytest.mark.parametrize("name", SHIPPED)
def test_what_came_of_the_first_year_is_no_number_but_a_starting_value_of_the_outlook(name: str):
    """What Riddle2022 is cited for: an interest, a constraint or an inject; else a start of outlook-2022, or a standing
    condition (no event of that year) that the world begins with."""
    scenario = read(name).scenario
    parts = evidence.sources(scenario).parts("RID")
    assert evidence.ASKED not in parts
    assert sum(map(len, parts.values())) == len(evidence.sources(scenario).resting_on("RID"))
    known = evidence.claims()
    for row in parts.get(evidence.START, []):
        cited = [claim for claim in row["claims"].split() if claim.startswith("RID-")]
        if row["path"].startswith("set."):
            assert name == "outlook-2022", row["path"]
        else:
            assert not [claim for claim in cited if known[claim].kind == "event"], row["path"]


def test_the_parts_are_told_by_the_command(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["sources", "year-one", "--cites", "RID"]) == 0
    told = capsys.readouterr().out
    assert "11 inject" in told
    assert "RID-057:constraint" in told
    assert cli.main(["sources", "outlook-2022", "--cites", "RID", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["parts"]) == {"interest", "constraint", "starting value"}
    assert evidence.part("outcomes.russia_recognises.at_least") == evidence.ASKED
    assert evidence.part("actors.russia.capabilities.guns") == evidence.CONSTRAINT

"""What the shipped scenarios came to when last looked at, they still come to, on every Python and in every process."""

import copy

import pytest

from tests import golden


@pytest.mark.parametrize("name", golden.names())
def test_golden_runs_do_not_drift(name):
    told = golden.differences(golden.load(name), golden.digest(name))
    assert not told, "\n".join([f"{name} (python -m tests.golden {name} writes it anew):", *told])


def test_golden_runs_are_the_same_in_another_process_with_other_hashes_of_text(elsewhere):
    assert not golden.differences(golden.digest("minimal"), elsewhere["digest"])


def test_a_difference_is_told_with_its_place_and_its_first_turn():
    expected = golden.load("minimal")
    assert golden.differences(expected, copy.deepcopy(expected)) == []
    changed = copy.deepcopy(expected)
    changed["quantal"]["states_by_turn"][4:] = ["0"] * len(changed["quantal"]["states_by_turn"][4:])
    changed["random"]["acts"]["talk"] += 1
    del changed["best"]
    told = golden.differences(expected, changed)
    assert told[0] == "quantal.states_by_turn: differ from turn 4 on"
    assert told[1].endswith("is now None")
    before, after = (run["random"]["acts"]["talk"] for run in (expected, changed))
    assert told[2] == f"random.acts.talk: {before} is now {after}"

"""What the page Scenario makes of files that are none, or too much, without a browser."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from dashboards import scenario
from dashboards.state import Library
from sim.errors import BadInput, StorageProblem
from sim.scenario import as_yaml, read


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder in which a scenario lies beside a folder, a pipe and links that are named like one."""
    (tmp_path / "own.yaml").write_text(as_yaml(read("minimal").scenario), encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/no\xfftext.yaml"))).write_text("", encoding="utf-8")
    return tmp_path


def test_only_files_are_listed(odd: Path):
    assert [name for name in Library(odd).scenarios() if name.startswith("./")] == ["./own"]


def test_a_text_is_read_whatever_lies_beside_it(odd: Path):
    found = scenario.examine("tightrope: 1\ntitle: mine\nextends: own.yaml\nturns: 3\n", "mine", odd)
    assert (found.problems, found.title, found.files[0]) == ([], "mine", "mine")
    wrong = scenario.examine("tightrope: 1\ntitle: mine\nextends: pipe.yaml\nturns: 3\n", "mine", odd)
    assert len(wrong.problems) == 1
    assert "pipe.yaml" in wrong.problems[0]["text"]


def test_a_file_that_is_too_long_is_told_and_not_opened(odd: Path):
    (odd / "long.yaml").write_bytes(b"#" * (scenario.MOST_TEXT + 1))
    with pytest.raises(BadInput, match=r"2,000,001 bytes; what is opened here may have 2,000,000"):
        scenario._text(odd / "long.yaml")


def test_nothing_is_left_of_what_could_not_be_saved_whole(tmp_path: Path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # as a disk that is full after so many bytes
    try:
        with pytest.raises(StorageProblem, match="mine"):
            scenario.keep(tmp_path, "mine", "#" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
    assert scenario.keep(tmp_path, "mine", "tightrope: 1") == "./mine"

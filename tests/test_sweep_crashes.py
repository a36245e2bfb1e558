"""A study that is killed at any write, fsync or rename is whole when it is resumed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from sim import store, sweep, swept
from sim.errors import FolderProblem
from tests.test_sweep import inline, sweeping, until

TEXT = """\
study: 1
title: A tiny study
scenario: minimal
vary: {front.funds: [0.1, 0.5], turns: 2}
replicates: 12
"""
CHUNK = 8  # of 24 runs: three shards


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies are computed in this process, so that one death ends everything at once."""
    monkeypatch.setattr(sweep, "_executor", inline)


@pytest.fixture(scope="module")
def expected(study: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of the table that is never interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "_executor", inline)
        return sweep.sweep(study, tmp_path_factory.mktemp("whole"), chunk=CHUNK).hash()


def die_at(step: int, after: bool) -> None:
    """Let this process be killed before, or after, its n-th write, fsync or rename."""
    count = [0]

    def deadly(real: Callable) -> Callable:
        def call(*args: object, **options: object) -> object:
            count[0] += 1
            if count[0] == step and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*args, **options)
            if count[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    os.fsync = deadly(os.fsync)
    Path.replace = deadly(Path.replace)
    Path.unlink = deadly(Path.unlink)
    real_open = Path.open

    def opened(path: Path, mode: str = "r", *args: object, **options: object) -> object:
        file = real_open(path, mode, *args, **options)
        return Writing(file, deadly(file.write)) if "w" in mode else file

    Path.open = opened


class Writing:
    """A file whose writes may kill."""

    def __init__(self, file: object, write: Callable) -> None:
        self.file, self.write = file, write

    def __getattr__(self, name: str) -> object:
        return getattr(self.file, name)

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def swept_in_a_child(study: Path, out: Path, step: int, after: bool) -> bool:
    """Whether the study, in a child that dies at a step, came to its end before."""
    child = os.fork()
    if not child:
        try:
            die_at(step, after)
            sweep.sweep(study, out, resume=True, chunk=CHUNK)
        except BaseException:
            os._exit(2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0
    return True


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_step_loses_nothing(study: Path, expected: str, tmp_path: Path, after: bool):
    step = 0
    while True:
        step += 1
        out = tmp_path / str(step)
        ended = swept_in_a_child(study, out, step, after)
        if (out / store.MANIFEST).exists():
            swept.status(out)
        done = sweep.sweep(study, out, resume=True, chunk=CHUNK)
        assert done.hash() == expected, step
        assert done.outcomes["run"].to_pylist() == list(range(24))
        assert not list(out.rglob(f"*{store.PART}"))
        if ended:
            break
    assert step > 25


def test_deaths_one_after_another_lose_nothing(study: Path, expected: str, tmp_path: Path):
    """Each attempt dies a few steps after it began, so every attempt finds what the last one left."""
    for attempt in range(60):
        if swept_in_a_child(study, tmp_path / "out", 5 + attempt % 4, attempt % 2 == 0):
            break
    assert sweep.sweep(study, tmp_path / "out", resume=True).hash() == expected


def test_a_killed_parent_and_its_workers_are_resumed(expected: str, tmp_path: Path, study: Path):
    process = sweeping(study, tmp_path / "out")
    until(lambda: (tmp_path / "out" / "manifest.json").exists())
    process.kill()
    process.communicate()
    assert sweep.sweep(study, tmp_path / "out", resume=True).hash() == expected


def test_what_was_begun_and_not_resumed_is_refused(study: Path, tmp_path: Path):
    assert not swept_in_a_child(study, tmp_path / "out", 3, False)
    with pytest.raises(FolderProblem, match="choose another folder"):
        sweep.sweep(study, tmp_path / "out")

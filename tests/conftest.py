"""What several test files share: how Hypothesis runs, the tutorial scenario, and one other process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from sim.arrays import Compiled
from sim.compile import compile_scenario
from sim.scenario import Scenario, read

# The same examples every time, and no clock: a failure on one machine is one on all.
settings.register_profile(
    "tightrope", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tightrope")

ROOT = Path(__file__).resolve().parent.parent

# What the other process runs: backwards, in other batches, on two threads, and with text hashed differently.
ELSEWHERE = """
import json
from sim.compile import compile_scenario
from sim.kernel import ensemble
from sim.scenario import read
from tests.golden import digest
history = ensemble(compile_scenario(read("minimal").scenario), 11, range(7, -1, -1), lanes=3, threads=2)
print(json.dumps({"states": history.states[::-1].tobytes().hex(), "digest": digest("minimal")}))
"""


@pytest.fixture(scope="session")
def tutorial() -> Scenario:
    """The minimal scenario, read."""
    return read("minimal").scenario


@pytest.fixture(scope="session")
def minimal(tutorial: Scenario) -> Compiled:
    """The minimal scenario, compiled."""
    return compile_scenario(tutorial)


@pytest.fixture(scope="session")
def elsewhere() -> dict:
    """Minimal's runs 0 to 7 of seed 11 and its golden digest, from a process with another PYTHONHASHSEED."""
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)

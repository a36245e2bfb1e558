"""Golden runs: what must not drift. Each JSON file here is the digest of one shipped scenario.

    python -m tests.golden            writes them all anew
    python -m tests.golden minimal    writes one

Numbers here change in a commit of their own that says why.

A digest holds, for each policy, a hash of the whole state (every bit of every indicator and belief, over all runs) at
the end of each turn and of the acts and incidents of each turn, so that a test can say where runs begin to differ; and
a few plain numbers, so that a reader of the diff sees how much.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from sim.arrays import Compiled, History
from sim.compile import compile_scenario
from sim.kernel import ensemble
from sim.scenario import read

FOLDER = Path(__file__).resolve().parent
SEED, RUNS = 20210815, 16
POLICIES = {"minimal": ("quantal", "best", "random", "frozen")}


def path(name: str) -> Path:
    return FOLDER / f"{name}.json"


def names() -> list[str]:
    """The scenarios that have a golden run."""
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def load(name: str) -> dict[str, Any]:
    return json.loads(path(name).read_text(encoding="utf-8"))


def write(name: str) -> None:
    path(name).write_text(json.dumps(digest(name), indent=1) + "\n", encoding="utf-8")


def digest(name: str) -> dict[str, Any]:
    """What came of a shipped scenario's golden runs."""
    compiled = compile_scenario(read(name).scenario)
    policies = POLICIES.get(name, ("quantal",))
    return {"scenario": name, "seed": SEED, "runs": RUNS} | {
        policy: _of(compiled, ensemble(compiled, SEED, range(RUNS), policy=policy)) for policy in policies
    }


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """Where two digests differ, in words; of the hashes by turn only the first that differs."""
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = list(dict.fromkeys([*expected, *found]))
        return [
            line for key in keys for line in differences(expected.get(key), found.get(key), f"{at}.{key}".strip("."))
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        turns = [turn for turn, (one, other) in enumerate(zip(expected, found, strict=True)) if one != other]
        return [f"{at}: differ from turn {turns[0]} on"] if turns else []
    return [] if expected == found else [f"{at}: {expected} is now {found}"]


def _of(compiled: Compiled, history: History) -> dict[str, Any]:
    acts = history.acts
    counts = Counter(compiled.options[o][1] for o in acts.option.tolist())
    happened = Counter({compiled.incidents[n][0]: 0 for n in range(len(compiled.incidents))})
    for n, (incident, _) in enumerate(compiled.incidents):
        happened[incident] += int(history.incidents[:, :, n].sum())
    ends = history.states[:, -1].mean(axis=0)
    return {
        "acts": dict(sorted(counts.items())),
        "incidents": dict(sorted(happened.items())),
        "mean_at_end": {place: float(f"{value:.6g}") for place, value in zip(compiled.paths, ends, strict=True)},
        "states_by_turn": [
            _hash(history.states[:, turn], history.alpha[:, turn], history.beta[:, turn])
            for turn in range(compiled.turns + 1)
        ],
        "acts_by_turn": [_acts_of_turn(history, turn) for turn in range(compiled.turns + 1)],
    }


def _acts_of_turn(history: History, turn: int) -> str:
    acts, rows = history.acts, history.acts.turn == turn
    columns = [acts.run, acts.option, acts.chance, acts.succeeded, acts.utility, acts.probability]
    happened = history.incidents[:, turn - 1] if turn else history.incidents[:, :0]
    return _hash(*[column[rows] for column in columns], happened)


def _hash(*arrays: np.ndarray) -> str:
    """Hash of every bit; -0.0 and NaN are made one, as no result may hang on which of their forms stands."""
    total = hashlib.blake2b(digest_size=8)
    for array in arrays:
        plain = np.ascontiguousarray(array)
        if plain.dtype == np.float64:
            plain = np.where(np.isnan(plain), np.nan, plain + 0.0)
        total.update(plain.astype(plain.dtype.newbyteorder("<")).tobytes())
    return total.hexdigest()

"""What tests let happen in the processes that compute a study: see sim/faults.py."""

from __future__ import annotations

import ctypes
import os

import numpy as np


def trip(run: np.ndarray) -> None:
    """Fail in the ways that FAULTS names, such as `raise@17,exit@40`, when the run is about to be computed."""
    for spec in os.environ.get("FAULTS", "").split(","):
        kind, _, number = spec.partition("@")
        if number and int(number) in run.tolist():
            FAULTS[kind]()


def fail() -> None:
    raise ValueError("planted")


def spin() -> None:
    while True:
        pass


def swallow() -> None:
    held = []
    while True:
        held.append(np.empty(1 << 28))  # asked for, never touched: the limit is on what is asked for


FAULTS = {
    "raise": fail,
    "exit": lambda: os._exit(3),
    "segfault": lambda: ctypes.string_at(0),
    "hang": spin,
    "memory": swallow,
}

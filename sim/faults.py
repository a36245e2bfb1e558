"""Where tests let runs fail: nothing happens unless the environment names a function to call.

TIGHTROPE_FAULT=module:function is called, in the process that computes them, with the numbers of the runs that are
about to be computed. Only tests set it.
"""

from __future__ import annotations

import importlib
import os
from typing import Any


def before(run: Any) -> None:
    """Called before some runs are computed."""
    module, _, function = os.environ.get("TIGHTROPE_FAULT", "").partition(":")
    if function:
        getattr(importlib.import_module(module), function)(run)

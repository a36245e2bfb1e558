"""Claims and numbers: what the documents say, and which number of a scenario rests on what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sim import data
from sim.errors import BadInput


@dataclass(frozen=True)
class Code:
    """A CAMEO event code. goldstein: its published weight, -10..10. intensity: of its PLOVER type."""

    code: str
    name: str
    goldstein: float | None
    plover: str | None
    intensity: float | None


def _load(name: str) -> Any:
    import yaml

    path: Path = data.seeds() / name
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {' '.join(str(error).split())}") from None


@cache
def codes() -> dict[str, Code]:
    """The event codes of seeds/codes.yaml, by code."""
    return {
        item["code"]: Code(item["code"], item["name"], item["goldstein"], item["plover"], item["intensity"])
        for item in _load("codes.yaml")["codes"]
    }

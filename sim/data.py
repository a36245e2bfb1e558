"""Where the shipped scenarios and source material lie, in a checkout as well as installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def scenarios() -> Path:
    """The folder of the shipped scenarios, with `worlds/` and `studies/` below it."""
    return _shipped("scenarios")


def seeds() -> Path:
    """The folder of what the source documents say: claims, chronology, positions."""
    return _shipped("seeds")


def _shipped(folder: str) -> Path:
    """The checkout's folder, so that an edit there counts at once, else the copy inside the installed package."""
    checkout = _PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / folder
    return _PACKAGE / "_data" / folder

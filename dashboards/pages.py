"""What every page says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """path: its address below `/`. title, icon: in the bar. order: its place there."""

    path: str
    title: str
    icon: str
    order: int

"""Settings that a search may choose from: what a number may be, and what a choice may be."""

from typing import NamedTuple


class Span(NamedTuple):
    """A number between two ends, both included; `log`: as many tries from 1 to 2 as from 10 to 20."""

    name: str
    low: float
    high: float
    whole: bool
    log: bool


class Choice(NamedTuple):
    """One of some values."""

    name: str
    values: tuple[float | None, ...]


Setting = Span | Choice
Values = dict[str, float | int | None]
"""Setting → what was chosen."""

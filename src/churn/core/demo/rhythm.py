"""The weeks of the demo world: when it begins and ends, and at which hours its customers do things.

All times inside the demo world are whole seconds since 1970 UTC.
"""

import math
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from churn.words.windows import instant

TIME_ZONE = "Europe/Berlin"
"""A zone with summer time, so that local times in the files have to be converted with care."""
OBSERVED_FROM = "2024-01-01"
OBSERVED_UNTIL = "2025-12-29"
"""Both are Mondays in winter time, so two years are exactly 104 weeks."""

DAY = 86_400
WEEK = 7 * DAY
START = instant(OBSERVED_FROM, TIME_ZONE) // 1_000_000
END = instant(OBSERVED_UNTIL, TIME_ZONE) // 1_000_000
WEEKS = (END - START) // WEEK
"""Weeks observed, 104."""

_MARGIN = 4 * 366 * DAY
"""How far beyond the weeks observed the clock is known: planted dirt lies up to three years outside."""
_DAY_WEIGHTS = (1.0, 1.05, 1.05, 1.0, 1.1, 0.75, 0.6)
"""Monday to Sunday: quieter at weekends, as a business sees it that is used at work and at home."""
_HOUR_WEIGHTS = (1, 0, 0, 0, 0, 1, 2, 4, 6, 7, 7, 7, 6, 6, 6, 6, 7, 8, 9, 10, 10, 8, 5, 2)
"""Nobody acts between 1 and 5 o'clock, so no event falls into the hour that the clock shows twice in autumn."""


def _shares(weights: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()


_CUMULATED = _shares(np.outer(_DAY_WEIGHTS, _HOUR_WEIGHTS).ravel())
_HOUR_EDGES = np.arange(7 * 24 + 1) * 3600.0


def seconds_in_week(rng: np.random.Generator, n: int) -> np.ndarray:
    """Random seconds since Monday midnight, busier at some hours than at others. Shape `(n,)`."""
    return np.interp(rng.random(n), _CUMULATED, _HOUR_EDGES).astype(np.int64)


def week_of(at: np.ndarray) -> np.ndarray:
    """Index of the week that holds each instant, clipped to the weeks observed. Shape of `at`."""
    return np.clip((at - START) // WEEK, 0, WEEKS - 1)


def season(peak_week: int, height: float) -> np.ndarray:
    """Yearly wave around 1.0 that peaks in the given week of the year. Shape `(WEEKS,)`."""
    phase = 2 * math.pi * (np.arange(WEEKS) - peak_week) / 52.18
    return (1 + height * np.cos(phase)).astype(np.float32)


def local(at: np.ndarray) -> np.ndarray:
    """The same instants as the wall clock in TIME_ZONE shows them, as seconds since 1970-01-01 00:00 on that clock."""
    changes, offsets = _clock_changes()
    return at + offsets[np.searchsorted(changes, at, side="right")]


@cache
def _clock_changes() -> tuple[np.ndarray, np.ndarray]:
    """Instants at which the clock is changed, and the offset from UTC in seconds before, between and after them."""
    # The zone database has no list of changes to ask for; the clock changes on whole hours, on two days a year.
    changes, offsets = [], [_offset(START - _MARGIN)]
    for day in range(START - _MARGIN, END + _MARGIN, DAY):
        if _offset(day + DAY) == offsets[-1]:
            continue
        changes.append(next(hour for hour in range(day, day + DAY + 1, 3600) if _offset(hour) != offsets[-1]))
        offsets.append(_offset(changes[-1]))
    return np.array(changes), np.array(offsets)


def _offset(at: int) -> int:
    moment = datetime.fromtimestamp(at, tz=ZoneInfo(TIME_ZONE)).utcoffset()
    return int(moment.total_seconds()) if moment else 0

"""Gaps: days on which a source should have delivered, and did not. They look like customers who went silent."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

RECENT_DAYS = 90
"""A gap this near to `observed_until` lies in the window in which a customer must have been seen to count as live
(definition.live_days of conf/), so it changes today's list. Older ones changed what the model learnt: a warning."""
TAIL_FROM_DAYS, TAIL_DAYS = 3, 14
"""At the end, one or two days may only be late: a warning. A feed that has been silent for longer than two weeks has
ended, or all customers left: the outcomes tell which (split), and here it is a warning, too."""
BEYOND = 4.0
"""Standard deviations. A day without events must be that far from the days around it: with sixteen events a day by
chance alone, one in ten million days is empty."""
LEAST_SPREAD = 0.1
"""Share of the mean below which a variance is not believed: sixteen equal days do not promise the seventeenth."""
PRESENT = 0.9
"""Share of such days that have events: on a weekday that is often empty, one more empty day is nothing special."""
_SAME_WEEKDAY = 8
_AROUND_DAYS = 28
_LEAST_BESIDE = 6
_HOLIDAYS = {(12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (1, 2)}


class Gap(NamedTuple):
    """Days `[first, last]` without events, whether they stop a run, and how many events are usual on such a day."""

    first: date
    last: date
    stops: bool
    usual: float

    def __str__(self) -> str:
        """The days as people write them."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


def gaps(counted: Mapping[str, int], *, since: date, until: date, none_on: Sequence[str]) -> list[Gap]:
    """The gaps of a source in `[since, until)`, the oldest first.

    A day is missing when it has no event although days around it have: the same weekday in the eight weeks before and
    after or, in a short history, all days of four weeks before and after. Shops that are closed on Sundays, weekly
    sums and sparse sources have no gap. Christmas and New Year are holidays nearly everywhere, so days without events
    around them are none; others are declared.

    Parameters
    ----------
    counted
        Local day → rows.
    none_on
        Days that are known to have no events.
    """
    inside = {day: n for day, n in ((date.fromisoformat(d), n) for d, n in counted.items()) if since <= day < until}
    if not inside:
        return []
    first = max(min(inside), since)
    n_days = (until - first).days
    numbers = np.array([inside.get(first + timedelta(days=i), 0) for i in range(n_days)])
    known = {date.fromisoformat(day) for day in none_on}
    usual = [_usual(numbers, i) if not n else 0.0 for i, n in enumerate(numbers)]
    missing = [i for i, n in enumerate(usual) if n and first + timedelta(days=i) not in known]
    runs = _runs(missing, numbers)
    return [g for g in (_gap(run, usual, first, numbers) for run in runs) if not _holiday(g)]


def _usual(numbers: np.ndarray, at: int) -> float:
    """Rows of a usual day like that one; 0 where an empty day is nothing special."""
    begin, end = at, at
    while begin and not numbers[begin - 1]:
        begin -= 1
    while end + 1 < len(numbers) and not numbers[end + 1]:
        end += 1
    # The rest of a longer gap is no example of a usual day.
    weeks = [at + 7 * w for w in range(-_SAME_WEEKDAY, _SAME_WEEKDAY + 1)]
    around = range(at - _AROUND_DAYS, at + _AROUND_DAYS + 1)
    for places in (weeks, around):
        beside = numbers[[i for i in places if 0 <= i < len(numbers) and not begin <= i <= end]]
        if len(beside) >= _LEAST_BESIDE:
            break
    if len(beside) < _LEAST_BESIDE or np.count_nonzero(beside) < PRESENT * len(beside):
        return 0.0
    mean = float(beside.mean())
    spread = float(np.sqrt(max(beside.var(), LEAST_SPREAD * mean)))
    return mean if mean >= BEYOND * spread else 0.0


def _runs(missing: list[int], numbers: np.ndarray) -> list[list[int]]:
    """Missing days that only empty days lie between."""
    runs: list[list[int]] = []
    for day in missing:
        if runs and not numbers[runs[-1][-1] : day + 1].any():
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def _gap(run: list[int], usual: list[float], first: date, numbers: np.ndarray) -> Gap:
    n_days = len(numbers)
    begin, to_end = run[0], n_days - run[0]
    tail = not numbers[begin:].any()
    end = n_days - 1 if tail else run[-1]
    stops = TAIL_FROM_DAYS <= to_end <= TAIL_DAYS if tail else n_days - end <= RECENT_DAYS
    day = first + timedelta(days=begin)
    return Gap(day, first + timedelta(days=end), stops, float(np.mean([usual[i] for i in run])))


def _holiday(gap: Gap) -> bool:
    n = (gap.last - gap.first).days + 1
    return n <= TAIL_DAYS and any(
        (d.month, d.day) in _HOLIDAYS or d in _easter(d.year) for d in (gap.first + timedelta(days=i) for i in range(n))
    )


def _easter(year: int) -> set[date]:
    """Good Friday to Easter Monday, by the rule of Meeus, Jones and Butcher (Nature 13, 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    sunday = date(year, f // 31, f % 31 + 1)
    return {sunday + timedelta(days=n) for n in (-2, -1, 0, 1)}

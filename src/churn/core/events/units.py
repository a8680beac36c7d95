"""Units: whether the numbers of a source jumped by a factor that no business makes, as from dollars to cents."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from churn.core.events.tallies import PER_DOUBLING, WEEK

FACTOR_LEAST, FACTOR_MOST = 50.0, 200.0
"""A hundred, and what growth and the seasons may have done to it on the way. Thousands are other things than cents."""
ROWS_LEAST = 20
"""Rows whose median is believed: weeks are put together until there are as many."""
_BEFORE = 8
"""Periods before a jump that are its reference."""


class Jump(NamedTuple):
    """A number of a type that is `factor` times what it was before that day, or a fraction of it."""

    number: str
    kind: str
    day: date | None
    factor: float
    before: float
    after: float


def medians(by_week: Mapping[str, Mapping[str, int]]) -> list[tuple[int, float]]:
    """Week since 1970 in which a period begins, and the median of that period, the oldest first."""
    found: list[tuple[int, float]] = []
    begin, together = -1, dict[int, int]()
    for week in sorted(map(int, by_week)):
        begin = week if begin < 0 else begin
        for size, n in by_week[str(week)].items():
            together[int(size)] = together.get(int(size), 0) + n
        if sum(together.values()) >= ROWS_LEAST:
            found.append((begin, _median(together)))
            begin, together = -1, {}
    return found


def jumps(sizes: Mapping[str, Any], kinds: list[str], per_unit: Mapping[str, int]) -> Iterator[Jump]:
    """The first jump of each number and type.

    The reference are the source's own earlier weeks: the median of the medians of up to eight periods before.

    Parameters
    ----------
    sizes
        See `churn.core.events.tallies`.
    kinds
        Names of the types by their place.
    per_unit
        Number → parts of its unit, in which sizes are counted.
    """
    for number, by_kind in sorted(sizes.items()):
        for place, by_week in sorted(by_kind.items()):
            periods = medians(by_week)
            for i in range(1, len(periods)):
                before = float(np.median([m for _, m in periods[max(0, i - _BEFORE) : i]]))
                factor = periods[i][1] / before
                if is_jump(factor):
                    day = date(1970, 1, 1) + timedelta(days=periods[i][0] * WEEK)
                    scale = per_unit[number]
                    yield Jump(number, kinds[int(place)], day, factor, before / scale, periods[i][1] / scale)
                    break


def against(before: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]) -> dict[str, Jump]:
    """Source → the first of its medians that is another unit than it was at the last delivery; see `newest`."""
    found = {}
    for name in sorted(before.keys() & now.keys()):
        for key in sorted(before[name].keys() & now[name].keys()):
            factor = now[name][key] / before[name][key]
            if is_jump(factor) and name not in found:
                number, _, kind = key.partition(" of ")
                found[name] = Jump(number, kind, None, factor, before[name][key], now[name][key])
    return found


def is_jump(factor: float) -> bool:
    """Whether a ratio of medians means another unit."""
    return FACTOR_LEAST <= max(factor, 1 / factor) <= FACTOR_MOST


def newest(sizes: Mapping[str, Any], kinds: list[str], per_unit: Mapping[str, int]) -> dict[str, float]:
    """Number and type → median of all its rows, in units: what the next delivery is compared with."""
    found = {}
    for number, by_kind in sorted(sizes.items()):
        for place, by_week in sorted(by_kind.items()):
            together: dict[int, int] = {}
            for of_week in by_week.values():
                for size, n in of_week.items():
                    together[int(size)] = together.get(int(size), 0) + n
            if sum(together.values()) >= ROWS_LEAST:
                found[f"{number} of {kinds[int(place)]}"] = round(_median(together) / per_unit[number], 6)
    return found


def _median(together: Mapping[int, int]) -> float:
    """The middle of the class in which the median lies."""
    classes = sorted(together)
    upto = np.cumsum([together[c] for c in classes])
    middle = classes[int(np.searchsorted(upto, (upto[-1] + 1) / 2))]
    return float(2 ** ((middle + 0.5) / PER_DOUBLING))

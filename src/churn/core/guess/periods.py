"""Periods: rows that sum up a week or a month of a customer, when each is known, and which of them say nothing."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from churn.core.guess import fields, words
from churn.core.guess.samples import DAY_US, Found
from churn.core.guess.tree import Entry, entry

_WEEKDAYS = ("Thursdays", "Fridays", "Saturdays", "Sundays", "Mondays", "Tuesdays", "Wednesdays")
_LEAST_DATES = 4
_MONTH_DAYS = 31


class Period(NamedTuple):
    """How long the rows of a table last, after how many days from its date each is known, and why."""

    days: int
    known_after: int
    why: str


def period(found: Found) -> Period | None:
    """What each row sums up, if a table has one row a customer and week, or month."""
    own = found.sample.profiles
    if not found.customer or not found.time or found.customer not in own or found.time not in own:
        return None
    time, customer = found.profile(found.time).time, found.profile(found.customer)
    if time is None or time.has_clock or fields.pairs(customer, found.profile(found.time)) < customer.n_rows:
        return None
    days = np.unique(time.us[time.readable] // DAY_US)
    return _lasting(days, found.time) if len(days) >= _LEAST_DATES else None


def _lasting(days: np.ndarray, column: str) -> Period | None:
    """What the dates of sums say, shape `(n_dates,)`, as days since 1970."""
    among = f"one row a customer and date, and all {len(days):,} dates are"
    dates = days.astype("datetime64[D]")
    if (np.diff(days) % 7 == 0).all():
        among = f"{among} {_WEEKDAYS[days[0] % 7]}: a row sums up a week"
        if words.has(column, ("end", "ending", "ended")):
            return Period(7, 1, f"{among}, and {column} is its last day: it is known on the next")
        return Period(7, 7, f"{among}, and is known when the week is over")
    if _are_firsts(dates):
        said = "the first of a month: a row sums up a month, and is known when the month is over"
        return Period(_MONTH_DAYS, _MONTH_DAYS, f"{among} {said}")
    if _are_firsts(dates + 1):
        said = "the last of a month: a row sums up a month, and is known on the next day"
        return Period(_MONTH_DAYS, 1, f"{among} {said}")
    return None


def _are_firsts(dates: np.ndarray) -> bool:
    return bool((dates == dates.astype("datetime64[M]")).all())


def nothing(found: Found) -> Iterable[Entry]:
    """Rows of sums that are zero, declared as no events: who did nothing in a month was not active in it."""
    if period(found) is None:
        return
    numbers = [*fields.quantities(found), *fields.amounts(found)]
    zero = [profile for profile in numbers if (profile.numbers == 0).any()]
    if not zero:
        return
    first = zero[0]
    empty = first.numbers == 0
    if not all((profile.numbers[empty] == 0).all() for profile in numbers if not (profile.numbers > 0).all()):
        return
    n = int(empty.sum())
    said = sorted({str(text).strip() for text in first.column.filter(pa.array(empty)).to_pylist()})
    share = min(1.0, round(n / first.n_rows * 4 / 3 + 0.005, 2))
    note = (
        f"{n:,} of {first.n_rows:,} rows have {first.name} 0: a sum of nothing is no event, and silence is what tells"
    )
    yield entry("nothing", {"when": [{"column": first.name, "equals": said}], "most": share}, note)

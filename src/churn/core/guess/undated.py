"""Tables without a time: why nothing in them tells when something happened, and what would."""

import re
from collections.abc import Sequence

from churn.core.guess import words
from churn.core.guess.profiles import Profile
from churn.core.guess.times import UNNAMED
from churn.words.months import month_number

_LEAST_DATED = 3
_DATED = re.compile(r"\D*(19|20)\d{2}[-_/. ]?\d{2}([-_/. ]?\d{2})?")
_MONTH = re.compile(r"([^\W\d_]+)\.?[-_/. ]?(\d{2}|\d{4})")
_LEFT = ("churn", "churned", "exited", "attrition", "left")
_SHOWN = 24
"""Letters of a value that are shown; no time is longer."""


def wide(names: Sequence[str]) -> str:
    """What is said of a table with a column for each month or day; nothing if it is none."""
    dated = [name for name in names if _is_dated(name)]
    if len(dated) < _LEAST_DATED:
        return ""
    return (
        f"{len(dated)} columns are named by times ({dated[0]} to {dated[-1]}): write one row a customer and time "
        "instead, with the time in a column (UNPIVOT in SQL, melt in pandas)"
    )


def why(profiles: Sequence[Profile], customer: str | None) -> str:
    """Why no column of a table tells when its rows happened."""
    names = [profile.name for profile in profiles]
    return wide(names) or _divided(names) or _unread(profiles) or _distance(names) or of_today(profiles, customer)


def _is_dated(name: str) -> bool:
    month = _MONTH.fullmatch(name)
    return bool(_DATED.fullmatch(name)) or (month is not None and month_number(month[1]) is not None)


def _divided(names: Sequence[str]) -> str:
    """A date in three columns."""
    parts = [[n for n in names if words.has(n, known)] for known in (("year", "年", "jahr"), ("month", "月", "monat"))]
    if not all(parts):
        return ""
    days = [n for n in names if words.has(n, ("day", "日", "tag")) and not words.has(n, ("week", "weekday", "since"))]
    columns = ", ".join(dict.fromkeys((parts[0][0], parts[1][0], *days[:1])))
    return f"its time is divided into the columns {columns}: join them to one, written as 2024-01-31 or 2024-01"


def _unread(profiles: Sequence[Profile]) -> str:
    """A column that is called a time, in a form that is not known."""
    for profile in profiles:
        called = words.has(
            profile.name, (*words.OCCURRED[:5], "datum", "fecha", "日期", "时间", "quarter", "week", "month")
        )
        if called and profile.is_text and profile.n_blank < profile.n_rows:
            value = str(profile.column.drop_null()[0].as_py())[:_SHOWN]
            return f"{profile.name} holds {value!r}, a form of time that is not known: write it as 2024-01-31 13:05:07"
    return ""


def _distance(names: Sequence[str]) -> str:
    """Days since the row before."""
    since = next((n for n in names if words.has(n, ("since", "prior", "previous"))), None)
    if since is None:
        return ""
    return (
        f"{since} counts from the row before, and nothing says on which day any of them was: without dates nobody "
        "knows who was silent last month. Add a column with the date"
    )


def of_today(profiles: Sequence[Profile], customer: str | None) -> str:
    """What is said of one row a customer, as tables for exercises in churn are."""
    whose = next((p for p in profiles if p.name == customer), None)
    if whose is None or not whose.unique or customer is None or customer.startswith(UNNAMED):
        return "no column tells when it happened"
    left = next((p.name for p in profiles if words.has(p.name, _LEFT)), None)
    flag = f" {left} says who left, but not when, nor what was known before." if left else ""
    return (
        f"one row for each of {whose.n_rows:,} customers: how customers are today.{flag} What is needed is "
        "what they did: a row for each order, payment, login or call, with the customer and the date"
    )

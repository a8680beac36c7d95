"""Times as they are written: which declared format reads all values of a column, and why no other does."""

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset.formats import DAY_NUMBER, EPOCH_MS, EPOCH_S, EPOCH_US, ISO, WEEK_NUMBER
from churn.core.dataset.shapes import Time
from churn.core.events.instants import Instants, instants
from churn.core.guess import words
from churn.core.guess.forms import forms
from churn.words.windows import DAY_US

ENOUGH = 0.98
"""Share of values that a format must read; the others are bad rows, which the contract counts."""
_TRIED = 200
UNNAMED = "column_"
"""Names that a file without a header gets begin so."""
_NUMBERED = {
    DAY_NUMBER: (("day", "days", "d", "tag", "dia", "日", "天"), 20_000),
    WEEK_NUMBER: (("week", "weeks", "wk", "woche", "周"), 3_000),
}
"""Format → words for its unit, and a number that counts no days or weeks of a business any more."""
START = "2020-01-01"
"""What numbers count from if nothing says it. Any date gives the same list; only dates in it differ."""
_EPOCHS = (
    (EPOCH_S, 3e8, 4.1e9, "seconds"),
    (EPOCH_MS, 3e11, 4.1e12, "milliseconds"),
    (EPOCH_US, 3e14, 4.1e15, "microseconds"),
)
_UNNAMED_SPAN = 20 / 50
"""Numbers of a column without a name are times only if they span less than 20 of the 50 years there are."""
_DIGITS = (("%Y%m%d", 8), ("%Y%m%d%H%M", 12), ("%Y%m%d%H%M%S", 14))
_EXCEL = ("1899-12-30", 36_526, 54_789)
"""What the dates of spreadsheets count from, and the numbers of the years 2000 to 2050."""
_PARTS_OF_TIME = ("hour", "hours", "hr", "minute", "dow", "weekday", "month", "quarter", "year", "since", "age")
"""Words of numbers that are a part of a time, or a distance, and no time."""
_NOT_A_START_DAYS = 31
"""Numbers of days that go no further may be days of a month."""


class TimeGuess(NamedTuple):
    """A column of times: how to declare it, and what can be said of its values.

    `us`: the instants of the rows, as if local times were UTC, 0 where there is none. `start`: what a number of days or
    weeks counts from. `doubt`: what a person must check.
    """

    format: str
    evidence: str
    us: np.ndarray
    readable: np.ndarray
    has_clock: bool
    aware_share: float
    doubt: str | None = None
    start: str | None = None

    def declared(self, column: str, **more: Any) -> str | dict[str, Any]:
        """The time as conf/ says it."""
        said = {"column": column} | ({} if self.format == ISO else {"format": self.format})
        said |= ({"start": self.start} if self.start else {}) | more
        return said if len(said) > 1 else column


def guessed(name: str, column: pa.Array) -> TimeGuess | None:
    """The format that reads the values of a column, if they are times."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        zone = f", in {kind.tz}" if pa.types.is_timestamp(kind) and kind.tz else ""
        return _guess(column, ISO, f"typed {kind} in the file{zone}", aware=bool(zone))
    if words.has(name, words.NEVER):
        return None
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _of_numbers(name, column)
    if not pa.types.is_string(kind):
        return None
    distinct = column.unique().drop_null()
    if len(distinct) and pc.all(pc.match_substring_regex(distinct.slice(0, _TRIED), r"^\d+(\.\d*)?$")).as_py():
        return _of_numbers(name, column)
    return _of_texts(column, distinct)


def _of_texts(column: pa.Array, distinct: pa.Array) -> TimeGuess | None:
    """The format that reads the most of the distinct texts, if it reads nearly all."""
    head = distinct.slice(0, _TRIED)
    candidates = dict.fromkeys(form for text in head.to_pylist() for form in forms(text.strip()))
    shares = {form: _share(head, form) for form in candidates}
    best = [form for form, share in shares.items() if share >= ENOUGH * max(shares.values(), default=1) and share > 0.5]
    shares = {form: _share(distinct, form) for form in best}
    form = max(shares, key=lambda f: shares[f], default=ISO)
    if shares.get(form, 0) < ENOUGH:
        return None
    found = _guess(column, form, "")
    why, doubt = _order(form, distinct, shares)
    n, valid = int(found.readable.sum()), len(column) - column.null_count
    zoned = f"; {found.aware_share:.0%} of them name their offset from UTC" if found.aware_share else ""
    return found._replace(evidence=f"{n:,} of {valid:,} values parse as {form}{why}{zoned}", doubt=doubt)


def _guess(column: pa.Array, form: str, evidence: str, *, aware: bool = False, start: str | None = None) -> TimeGuess:
    trimmed = pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column
    found = instants(trimmed, Time("", format=form, start=start), "UTC")
    readable = _sound(found)
    share = 1.0 if aware else 0.0
    if pa.types.is_string(column.type) and not pc.all(pc.is_null(column)).as_py():
        zoned = pc.match_substring_regex(trimmed, r"\d ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})$")
        dated = pc.match_substring_regex(trimmed, r"^\d{4}-\d{2}-\d{2}$")
        share = pc.mean(pc.and_not(zoned, dated).cast(pa.int8())).as_py() or 0.0
        share = 0.0 if form != ISO and "%z" not in form else share
    us = np.where(readable, found.us, 0)
    return TimeGuess(form, evidence, us, readable, bool((us[readable] % DAY_US != 0).any()), share)


def _sound(found: Instants) -> np.ndarray:
    return ~(found.blank | found.unreadable | found.out_of_range)


def _share(distinct: pa.Array, form: str) -> float:
    found = instants(pc.utf8_trim_whitespace(distinct), Time("", format=form), "UTC")
    return float(_sound(found).mean())


def _order(form: str, distinct: pa.Array, shares: dict[str, float]) -> tuple[str, str | None]:
    """Why the day comes before the month or after it; a doubt if the values do not tell."""
    mark = re.match(r"%[dm]([-/.])%[dm]", form)
    if not mark:
        return "", None
    parts = pc.extract_regex(distinct, r"^(?P<first>\d{1,2})[-/.](?P<second>\d{1,2})")
    largest = [int(pc.max(pc.struct_field(parts, side).cast(pa.int64())).as_py() or 0) for side in ("first", "second")]
    day_first = form.startswith("%d")
    place, which = ("first", largest[0]) if day_first else ("second", largest[1])
    other = form.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
    if which > 12:
        comes = "day comes first" if day_first else "month comes first"
        return f"; {which} is the largest {place} number, so the {comes}", None
    said = (
        f"no number is above 12, so the values do not tell day from month; {other} reads {shares.get(other, 0):.0%} too"
    )
    return f"; {said}", f"{form} or {other}? {said}"


def _of_numbers(name: str, column: pa.Array) -> TimeGuess | None:
    """Numbers that count seconds, or parts of them, since 1970, are written as 20240131, or count days or weeks."""
    unnamed = name.startswith(UNNAMED)
    if not unnamed and not words.has(name, (*words.OCCURRED, *words.RECORDED, *words.LATER, "epoch", "ms", "unix")):
        return None
    if pa.types.is_string(column.type):
        sound = pc.match_substring_regex(column, r"^\d{1,16}(\.\d*)?$")
        numbers = pc.if_else(sound, column, None).cast(pa.float64()).drop_null()
    else:
        numbers = column.cast(pa.float64()).drop_null()
    if not len(numbers):
        return None
    low, high = pc.quantile(numbers, [0.01, 0.99]).to_pylist()
    for form, least, most, unit in _EPOCHS:
        if least <= low and high < most and (not unnamed or high - low < _UNNAMED_SPAN * (most - least)):
            said = f"numbers from {low:,.0f} to {high:,.0f}, which are {unit} since 1970"
            return _guess(column, form, said, aware=True)._replace(aware_share=1.0)
    return _in_digits(column, low, high) or (None if unnamed else _counted(name, column, low, high))


def _in_digits(column: pa.Array, low: float, high: float) -> TimeGuess | None:
    """Years, months and days one after the other: 20240131."""
    if pa.types.is_floating(column.type):
        return None
    texts = column.cast(pa.string())
    for form, n in _DIGITS:
        if low >= 1971 * 10 ** (n - 4) and high < 2100 * 10 ** (n - 4):
            distinct = texts.unique().drop_null()
            if _share(distinct, form) < ENOUGH:
                return None
            found = _guess(texts, form, "")
            n_read, n_given = int(found.readable.sum()), len(texts) - texts.null_count
            return found._replace(evidence=f"{n_read:,} of {n_given:,} values parse as {form}")
    return None


def _counted(name: str, column: pa.Array, low: float, high: float) -> TimeGuess | None:
    """Small numbers that count days or weeks from a start that the file does not tell."""
    start, least, most = _EXCEL
    if least <= low and high < most and words.has(name, words.OCCURRED):
        said = f"numbers from {low:,.0f} to {high:,.0f}, which are days since {start}: spreadsheets count so"
        return _guess(column, DAY_NUMBER, said, start=start)._replace(start=start)
    if words.has(name, _PARTS_OF_TIME) or _is_clock(name, column, high):
        return None
    form = next((f for f, (known, most) in _NUMBERED.items() if words.has(name, known) and high < most), None)
    if form is None:
        # 'time' or 'date' without more: days, if they span more than the hours of a day or the days of a month.
        form = DAY_NUMBER if words.has(name, ("time", "date", "t", "ts")) and high < 20_000 else None
    if form is None or (form == DAY_NUMBER and high <= _NOT_A_START_DAYS):
        return None
    unit = "days" if form == DAY_NUMBER else "weeks"
    said = f"numbers from {low:,.0f} to {high:,.0f}, too small for seconds since 1970: they count {unit}"
    doubt = "the date of number 0 is made up; write the true one as `start`, or leave it: only dates shown depend on it"
    return _guess(column, form, said, start=START)._replace(start=START, doubt=doubt)


def _is_clock(name: str, column: pa.Array, high: float) -> bool:
    """Whether numbers are times of day such as 1345: all up to 2359, and no minute above 59."""
    if not words.has(name, ("time", "clock", "hhmm")) or high >= 2400 or pa.types.is_floating(column.type):
        return False
    numbers = pc.if_else(pc.match_substring_regex(column.cast(pa.string()), r"^\d{1,4}$"), column, None)
    minutes = numbers.cast(pa.int64()).drop_null().to_numpy(zero_copy_only=False) % 100
    return bool((minutes < 60).all())

"""Times as they are written, as instants: whole microseconds since 1970 UTC. The only conversion of time there is."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset.formats import COUNTED_DAYS, DAY_NUMBER, EPOCH_MS, EPOCH_S, EPOCH_US, ISO, TIME_PARTS
from churn.core.dataset.shapes import Time
from churn.words.errors import ContractFault
from churn.words.months import month_number
from churn.words.windows import DAY_US, instant

FIRST_YEAR, LAST_YEAR = 1971, 2100
"""No customer event is older than the databases that hold it. 1970 itself is left out: it is what a zero or a wrong
unit looks like, and an epoch in milliseconds that is read as seconds lies tens of thousands of years ahead."""
EARLIEST = instant(f"{FIRST_YEAR}-01-01", "UTC")
LATEST = instant(f"{LAST_YEAR}-01-01", "UTC")
_UNITS = {EPOCH_S: 1_000_000, EPOCH_MS: 1_000, EPOCH_US: 1}
_SECOND_US = 1_000_000
_ISO = (
    r"^(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6})\d*)?)?)?"
    r"(?: ?(?P<offset>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?$"
)


class Instants(NamedTuple):
    """Instants, shape `(n_rows,)`, and the rows that have none or needed a rule."""

    us: np.ndarray
    blank: np.ndarray
    unreadable: np.ndarray
    out_of_range: np.ndarray
    in_gap: np.ndarray
    in_overlap: np.ndarray
    aware: np.ndarray


def instants(column: pa.Array, time: Time, time_zone: str) -> Instants:
    """The instants of a column that was written as `time` declares.

    Local times that a clock change skips are shifted forward to the end of the skipped hour; of two possible instants
    the first is taken. Both are marked, so that they can be counted.

    Parameters
    ----------
    column : pa.Array
        Texts (trimmed, blank is null), timestamps, dates or numbers.
    time : Time
        Format and time zone.
    time_zone : str
        For times that are written without a zone, where `time` has none either.

    Raises
    ------
    ContractFault
        When numbers are given without saying what they count.
    """
    blank = column.is_null().to_numpy(zero_copy_only=False)
    us, readable, aware = _written(column, time)
    us = us + time.plus_days * DAY_US
    readable |= blank
    inside = (us >= EARLIEST) & (us < LATEST)
    usable = readable & ~blank & inside
    us = np.where(usable, us, EARLIEST)
    local = usable & ~aware
    us, in_gap, in_overlap = _from_local(us, local, time.time_zone or time_zone)
    return Instants(us, blank, ~readable, readable & ~blank & ~inside, in_gap, in_overlap, usable & aware)


def local_days(us: np.ndarray, time_zone: str) -> np.ndarray:
    """Days since 1970 on the local clock, shape `(n,)`."""
    if time_zone == "UTC":
        return us // DAY_US
    changes, offsets = _clock_changes(time_zone)
    return (us + offsets[np.searchsorted(changes, us, side="right")]) // DAY_US


def _written(column: pa.Array, time: Time) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Microseconds as written, whether they could be read, and whether they are instants already."""
    n, kind = len(column), column.type
    if pa.types.is_timestamp(kind):
        us = column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.int64())
        return _filled(us), np.ones(n, bool), np.full(n, kind.tz is not None)
    if pa.types.is_date(kind):
        days = column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())
        return _filled(days) * DAY_US, np.ones(n, bool), np.zeros(n, bool)
    if time.format in _UNITS:
        return _epoch(column, _UNITS[time.format])
    if time.start is not None:
        counted, readable, _ = _epoch(column, COUNTED_DAYS[time.format] * DAY_US)
        # Half a day is noon, as in spreadsheets, whose fractions are good for seconds; half a week is a mistake.
        counted = (counted + _SECOND_US // 2) // _SECOND_US * _SECOND_US
        readable &= (time.format == DAY_NUMBER) | (counted % DAY_US == 0)
        return counted + instant(time.start, "UTC"), readable, np.zeros(n, bool)
    if pa.types.is_integer(kind) and time.format != ISO:
        # 20240131 as a number.
        column = column.cast(pa.string())
    if not pa.types.is_string(column.type):
        raise ContractFault(
            f"column {time.column} holds {kind}, which is no time; if it counts seconds or milliseconds since 1970, "
            f"declare `format: {EPOCH_S}` or `format: {EPOCH_MS}`"
        )
    encoded = column.dictionary_encode()
    us, readable, aware = _parsed(encoded.dictionary, _pattern(time.format))
    place = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
    if not len(us):
        return np.zeros(n, np.int64), np.zeros(n, bool), np.zeros(n, bool)
    return us[place], readable[place], aware[place]


def _epoch(column: pa.Array, unit_us: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers since 1970, with or without a fraction. More than 16 digits are no time in any of the units."""
    if pa.types.is_floating(column.type):
        values = column.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
        sound = np.isfinite(values)
        us = np.round(np.clip(np.where(sound, values, 0.0) * unit_us, -(2.0**61), 2.0**61)).astype(np.int64)
        return us, sound, np.ones(len(column), bool)
    text = column.cast(pa.string())
    readable = pc.match_substring_regex(text, r"^-?\d{1,16}(\.\d*)?$").fill_null(False)
    parts = pc.extract_regex(
        pc.if_else(readable, text, "0"), r"^(?P<sign>-?)(?P<whole>\d+)\.?(?P<fraction>\d{0,9})\d*$"
    )
    whole = _filled(pc.struct_field(parts, "whole").cast(pa.int64()))
    billionths = _filled(pc.utf8_rpad(pc.struct_field(parts, "fraction"), 9, "0").cast(pa.int64()))
    sign = np.where(pc.equal(pc.struct_field(parts, "sign"), "-").to_numpy(zero_copy_only=False), -1, 1)
    # An epoch beyond the year 10,000 would overflow in microseconds; it is out of range either way.
    counted = np.clip(whole, 0, 2**61 // unit_us) * unit_us
    # In two steps, since billionths of a week do not fit into 64 bits of microseconds.
    rest = billionths // 1000 * (unit_us // 1000) // 1000 if unit_us >= 1000 else 0
    return sign * (counted + rest), readable.to_numpy(zero_copy_only=False).copy(), np.ones(len(column), bool)


@lru_cache(maxsize=64)
def _pattern(written: str) -> str:
    """The regular expression of a declared format."""
    if written == ISO:
        return _ISO
    head, *parts = written.split("%")
    return "^" + re.escape(head) + "".join(TIME_PARTS[p[0]] + re.escape(p[1:]) for p in parts) + "$"


def _parsed(texts: pa.Array, pattern: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Microseconds of texts, whether each is a time that exists, and whether it names its offset from UTC."""
    found = pc.extract_regex(texts, pattern)
    days, day_exists = _days(found)
    seconds, second_exists = _seconds_of_day(found)
    offset, aware = _offset(found)
    us = days * DAY_US + seconds * 1_000_000 + _fraction(found) - offset
    return us, found.is_valid().to_numpy(zero_copy_only=False) & day_exists & second_exists, aware


def _part(found: pa.Array, name: str, absent: int) -> np.ndarray:
    """A part of the times as whole numbers; `absent` where it is not written."""
    if found.type.get_field_index(name) < 0:
        return np.full(len(found), absent, dtype=np.int64)
    digits = pc.struct_field(found, name).fill_null("")
    return pc.if_else(pc.equal(digits, ""), str(absent), digits).cast(pa.int64()).to_numpy(zero_copy_only=False)


def _days(found: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970, and whether the calendar has that day."""
    if found.type.get_field_index("iso_year") >= 0:
        return _iso_weeks(found)
    year, day = _part(found, "year", -1), _part(found, "day", 1)
    named = found.type.get_field_index("month_name") >= 0
    month = _named_months(found) if named else _part(found, "month", 1)
    year = np.where(year < 0, 2000 + _part(found, "short_year", 0), year)
    first = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    start, end = (m.astype("datetime64[D]").astype(np.int64) for m in (first, first + 1))
    exists = (month >= 1) & (month <= 12) & (day >= 1) & (day <= end - start)
    return start + day - 1, exists


def _named_months(found: pa.Array) -> np.ndarray:
    """The number of each month that is written as a name; 0 where it names none."""
    encoded = pc.struct_field(found, "month_name").fill_null("").dictionary_encode()
    numbers = np.array([month_number(name) or 0 for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    return numbers[encoded.indices.to_numpy(zero_copy_only=False)]


def _iso_weeks(found: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Days from 1970 to the Monday of a week of ISO 8601, and whether its year has that week."""
    year, week = _part(found, "iso_year", 1970), _part(found, "iso_week", 1)
    january, next_january = (
        (y - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) for y in (year, year + 1)
    )
    # The 4th of January lies in week 1; 1970-01-01 was a Thursday.
    fourth, next_fourth = january + 3, next_january + 3
    first, next_first = fourth - (fourth + 3) % 7, next_fourth - (next_fourth + 3) % 7
    monday = first + (week - 1) * 7
    return monday, (week >= 1) & (monday < next_first)


def _seconds_of_day(found: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Seconds since midnight, and whether the clock shows that time."""
    hour, minute, second = _part(found, "hour", 0), _part(found, "minute", 0), _part(found, "second", 0)
    exists = (hour < 24) & (minute < 60) & (second < 60)
    if found.type.get_field_index("half") >= 0:
        exists &= (hour >= 1) & (hour <= 12)
        after_noon = pc.starts_with(pc.utf8_upper(pc.struct_field(found, "half")), "P").fill_null(False)
        hour = hour % 12 + 12 * after_noon.to_numpy(zero_copy_only=False)
    return (hour * 60 + minute) * 60 + second, exists


def _fraction(found: pa.Array) -> np.ndarray:
    """Microseconds after the second: `.5` is half a second, so the digits are filled up on the right."""
    if found.type.get_field_index("fraction") < 0:
        return np.zeros(len(found), np.int64)
    digits = pc.utf8_rpad(pc.struct_field(found, "fraction").fill_null(""), 6, "0")
    return digits.cast(pa.int64()).to_numpy(zero_copy_only=False)


def _offset(found: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Offset from UTC in microseconds, and whether one is written."""
    n = len(found)
    if found.type.get_field_index("offset") < 0:
        return np.zeros(n, np.int64), np.zeros(n, bool)
    written = pc.struct_field(found, "offset").fill_null("")
    aware = pc.not_equal(written, "").to_numpy(zero_copy_only=False)
    signed = pc.replace_substring_regex(pc.replace_substring(written, ":", ""), "Z|UTC|GMT", "+0000")
    minutes = np.zeros(n, np.int64)
    if aware.any():
        hhmm = pc.if_else(pc.equal(signed, ""), "+0000", signed)
        sign = np.where(pc.starts_with(hhmm, "-").to_numpy(zero_copy_only=False), -1, 1)
        value = pc.utf8_slice_codeunits(hhmm, 1, 5).cast(pa.int64()).to_numpy(zero_copy_only=False)
        minutes = sign * (value // 100 * 60 + value % 100)
    return minutes * 60_000_000, aware


def _from_local(us: np.ndarray, local: np.ndarray, zone: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Instants of local times, and which of them a clock change skipped or repeated."""
    nothing = np.zeros(len(us), bool)
    if zone == "UTC" or not local.any():
        return us, nothing, nothing
    changes, offsets = _clock_changes(zone)
    before, after = offsets[:-1], offsets[1:]
    # On the local clock a change starts and ends where the old and the new offset place it.
    starts, ends = changes + np.minimum(before, after), changes + np.maximum(before, after)
    change = np.searchsorted(starts, us, side="right") - 1
    nearest = np.maximum(change, 0)
    within = local & (change >= 0) & (us < ends[nearest]) if len(changes) else nothing
    skipped = within & (after > before)[nearest] if len(changes) else nothing
    repeated = within & ~skipped
    # The first of two instants still has the old offset.
    utc = us - offsets[change + 1 - repeated.astype(np.int64)]
    utc = np.where(skipped, changes[nearest], utc) if len(changes) else utc
    return np.where(local, utc, us), skipped, repeated


@lru_cache(maxsize=16)
def _clock_changes(zone: str) -> tuple[np.ndarray, np.ndarray]:
    """Instants at which the offset from UTC changes, shape `(n,)`, and the offsets before and after, `(n + 1,)`.

    From Python's zoneinfo, which takes its data from the package tzdata where the system has none; Arrow does not.
    """
    info = ZoneInfo(zone)
    day = timedelta(days=1)
    moment, end = datetime(FIRST_YEAR - 1, 12, 30, tzinfo=UTC), datetime(LAST_YEAR, 1, 3, tzinfo=UTC)
    offsets, changes = [_offset_us(info, moment)], []
    while moment < end:
        if _offset_us(info, moment + day) != offsets[-1]:
            change = _first_with(info, moment, moment + day, _offset_us(info, moment + day))
            changes.append((change - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))
            offsets.append(_offset_us(info, change))
        moment += day
    return np.array(changes, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _first_with(info: ZoneInfo, before: datetime, after: datetime, offset: int) -> datetime:
    """The first second in `(before, after]` with the new offset, by halving."""
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
        before, after = (before, middle) if _offset_us(info, middle) == offset else (middle, after)
    return after


def _offset_us(info: ZoneInfo, moment: datetime) -> int:
    shift = moment.astimezone(info).utcoffset() or timedelta(0)
    return shift // timedelta(microseconds=1)


def _filled(numbers: pa.Array) -> np.ndarray:
    return numbers.fill_null(0).to_numpy(zero_copy_only=False)

"""Where a business lives, as far as its data tell: a time zone and a currency."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from churn.core.guess import words
from churn.core.guess.profiles import Profile
from churn.core.guess.readings import currencies
from churn.core.guess.samples import DAY_US, EVENTS, Found
from churn.core.guess.tree import Entry, entry

_UTC = {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Z", "+00:00"}
_HOUR_US = 3_600_000_000
_MOST_COUNTRIES = 300
UNKNOWN = "XXX"
"""ISO 4217: no currency."""
_ENOUGH_HOURS = 2_000
"""Fewer times of day do not show when people sleep."""


def zone(found: Sequence[Found]) -> Entry:
    """The time zone of the business."""
    aware, zones = _aware(found), _typed_zones(found)
    if zones - _UTC:
        name = min(zones - _UTC)
        return entry("time_zone", name, f"the times of the files are typed as times in {name}")
    place = _country(found)
    quiet = _quiet(found)
    if place:
        return entry("time_zone", place[1], f"{place[0]}. CHECK: days start at its midnight", quiet)
    if _chinese(found):
        return entry("time_zone", "Asia/Shanghai", "CHECK: columns have Chinese names", quiet)
    if aware:
        said = "CHECK: times are exact, but nothing says where the business lives; days start at its midnight"
        return entry("time_zone", "UTC", said)
    said = (
        "CHECK: nothing says where the business lives. Write it as Europe/London; times without a zone are local there"
    )
    return entry("time_zone", "UTC", said, quiet)


def currency(found: Sequence[Found]) -> Entry:
    """The currency of the amounts."""
    for one in found:
        for name in one.sample.profiles:
            for token in words.tokens(name):
                if token in words.CURRENCIES:
                    return entry("currency", words.CURRENCIES[token], f"the column {name} says so")
    signs = _signs(found)
    meant = currencies(signs)
    if len(meant) == 1:
        return _by_sign(found, meant[0], f"amounts are written with {' or '.join(signs)}")
    place = _country(found)
    if place:
        return entry("currency", place[2], f"{place[0]}. CHECK: is it what amounts are in?")
    if _chinese(found):
        return entry("currency", "CNY", "CHECK: columns have Chinese names")
    return entry("currency", UNKNOWN, "CHECK: nothing says it. Write a code of ISO 4217 such as EUR; XXX means unknown")


def _by_sign(found: Sequence[Found], meant: str, said: str) -> Entry:
    """The currency that a sign means; of several, the one of the country or of the language."""
    if meant not in words.SHARED_SIGNS:
        return entry("currency", meant, said)
    of, place = words.SHARED_SIGNS[meant], _country(found)
    why = f"CHECK: {said}, the sign of {', '.join(of)}"
    if place and place[2] in of:
        return entry("currency", place[2], f"{why}; {place[0]}")
    return entry("currency", "CNY" if "CNY" in of and _chinese(found) else of[0], why)


def _signs(found: Sequence[Found]) -> tuple[str, ...]:
    """The currency signs beside the numbers of events."""
    readings = [p.reading for one in found if one.kind == EVENTS for p in one.sample.profiles.values()]
    return tuple(sorted({sign for way in readings if way for sign in way.signs}))


def _events(found: Sequence[Found]) -> Iterable[tuple[Found, Profile]]:
    for one in found:
        if one.kind == EVENTS and one.time in one.sample.profiles:
            yield one, one.sample.profiles[one.time]


def _typed_zones(found: Sequence[Found]) -> set[str]:
    """Zones of typed times; a mere offset names no place."""
    kinds = [profile.column.type for _, profile in _events(found)]
    return {kind.tz for kind in kinds if pa.types.is_timestamp(kind) and kind.tz and "/" in kind.tz}


def _aware(found: Sequence[Found]) -> bool:
    return any(profile.time is not None and profile.time.aware_share > 0.5 for _, profile in _events(found))


def _country(found: Sequence[Found]) -> tuple[str, str, str] | None:
    """What a column of countries says, a zone, and a currency, if most rows are of one country that has one of each."""
    for one in found:
        for name, profile in one.sample.profiles.items():
            if not (words.has(name, ("country", "land", "国家")) and profile.is_text):
                continue
            if profile.n_distinct > _MOST_COUNTRIES:
                continue
            most, n = max(profile.counts.items(), key=lambda pair: pair[1])
            if n > 0.5 * profile.n_rows and str(most).lower() in words.COUNTRIES:
                where, money = words.COUNTRIES[str(most).lower()]
                return f"{n:,} of {profile.n_rows:,} rows have {name} {most}", where, money
    return None


def _chinese(found: Sequence[Found]) -> bool:
    return any(re.search(r"[一-鿿]", name) for one in found for name in one.sample.profiles)


def _quiet(found: Sequence[Found]) -> str | None:
    """The six hours with the fewest events: people sleep at night, so these tell the zone of the clock."""
    for one, profile in _events(found):
        time = profile.time
        if time is None or not time.has_clock or time.aware_share or time.readable.sum() < _ENOUGH_HOURS:
            continue
        hours = np.bincount((time.us[time.readable] % DAY_US) // _HOUR_US, minlength=24)
        six = [int(np.roll(hours, -start)[:6].sum()) for start in range(24)]
        # The middle of the hours that share the least.
        least = [start for start, n in enumerate(six) if n == min(six)]
        start = least[len(least) // 2]
        said = f"{one.sample.name}: fewest events from {start:02d} to {(start + 6) % 24:02d} h as written"
        if start >= 22 or start <= 2:
            return f"{said}, which is night, so times look local"
        return f"{said}. CHECK: people sleep from 0 to 6 h, so this clock may be that of another zone, such as UTC"
    return None

"""Time as the product counts it: whole microseconds since 1970-01-01 UTC, in half-open windows.

An `as_of` is the instant of a prediction. All as-of dates of a run lie a whole number of days apart, so a day of the
product is 24 hours counted back from `as_of`, and every window of whole days holds whole days.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from churn.words.errors import ConfigFault

DAY_US = 86_400_000_000
"""Microseconds in a day of 24 hours."""


def instant(local: str, time_zone: str) -> int:
    """Microseconds since 1970 UTC of a local date or time, as written in `conf/`.

    >>> instant("2018-01-01", "America/New_York") - instant("2018-01-01", "UTC") == 5 * 3_600_000_000
    True
    """
    try:
        moment = datetime.fromisoformat(local)
    except ValueError as error:
        raise ConfigFault(f"{local!r} is not a date or time; write it as 2018-01-31 or 2018-01-31T13:00") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(time_zone))
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND


_MICROSECOND = datetime.resolution


def local_date(instant_us: int, time_zone: str) -> str:
    """The local calendar date of an instant, which names a delivery.

    >>> local_date(instant("2018-01-01", "America/New_York"), "America/New_York")
    '2018-01-01'
    """
    return datetime.fromtimestamp(instant_us / 1e6, tz=ZoneInfo(time_zone)).date().isoformat()


def as_of_dates(observed_until: int, *, every_days: int, earliest: int, most: int) -> np.ndarray:
    """As-of dates in microseconds, ascending: `observed_until`, then every `every_days` back, none before `earliest`.

    Shape `(n_as_ofs,)` with `n_as_ofs <= most`.

    >>> [int(t) for t in as_of_dates(100 * DAY_US, every_days=14, earliest=60 * DAY_US, most=10) // DAY_US]
    [72, 86, 100]
    """
    steps = np.arange(most, dtype=np.int64)
    dates = observed_until - steps * every_days * DAY_US
    return np.sort(dates[dates >= earliest])

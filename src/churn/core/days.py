"""The day that an instant belongs to, as the business counts it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def local_day(instant_us: int, time_zone: str) -> str:
    """The date there, as `2018-01-01`: midnight in Berlin is still the day before in UTC.

    >>> local_day(1_763_334_000_000_000, "Europe/Berlin"), local_day(1_763_334_000_000_000, "UTC")
    ('2025-11-17', '2025-11-16')
    """
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(instant_us))
    return moment.astimezone(ZoneInfo(time_zone)).date().isoformat()

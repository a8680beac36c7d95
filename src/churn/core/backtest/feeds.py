"""Feeds: the sources of a data set, and its events as they would be if one of them had failed."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset import Dataset
from churn.words.tables import INSTANT, SUPERSEDED
from churn.words.windows import DAY_US, instant

NEVER = instant("9999-01-01", "UTC")
"""When a record becomes known that never came: after every as-of date."""


@dataclass(frozen=True)
class Feed:
    """Sources whose rows cannot be told apart by their event types, mostly one; what comes and goes with them."""

    name: str
    event_types: tuple[str, ...]
    attributes: tuple[str, ...]


def feeds(data: Dataset) -> list[Feed]:
    """Every source, in the order of the file; sources that share an event type are one feed."""
    found: list[Feed] = []
    for name, source in data.sources.items():
        mine = tuple(source.event_types)
        same = [feed for feed in found if set(feed.event_types) & set(mine)]
        names = [*(feed.name for feed in same), name]
        types = dict.fromkeys([*(one for feed in same for one in feed.event_types), *mine])
        found = [feed for feed in found if feed not in same] + [Feed(" and ".join(names), tuple(types), ())]
    return found + [Feed(name, (), tuple(said.columns)) for name, said in data.attributes.items()]


def failed(events: pa.Table, attributes: pa.Table, feed: Feed, *, since: int | None) -> tuple[pa.Table, pa.Table]:
    """EVENTS and ATTRIBUTES as they would be if the feed had told nothing from an instant on; None: nothing ever.

    The rows of events stay, so that every customer is still there, but nobody comes to know of them; what had not been
    corrected by then stands.

    Parameters
    ----------
    events : pa.Table
        EVENTS with `event_type`.
    since : int or None
        Microseconds.
    """
    silent = pa.scalar(-NEVER if since is None else since, pa.int64()).cast(INSTANT)
    mine = pc.is_in(events["event_type"].cast(pa.string()), value_set=pa.array(feed.event_types, pa.string()))
    lost = pc.and_(mine, pc.greater_equal(events["recorded_at"], silent))
    never = pa.scalar(NEVER, pa.int64()).cast(INSTANT)
    events = _set(events, "recorded_at", pc.if_else(lost, never, events["recorded_at"]))
    if SUPERSEDED in events.column_names:
        until = events[SUPERSEDED]
        untold = pc.and_(mine, pc.fill_null(pc.greater_equal(until, silent), False))
        events = _set(events, SUPERSEDED, pc.if_else(untold, pa.scalar(None, INSTANT), until))
    about = pc.is_in(attributes["name"], value_set=pa.array(feed.attributes, pa.string()))
    gone = pc.and_(about, pc.greater_equal(attributes["recorded_at"], silent))
    return events, attributes.filter(pc.invert(gone)).combine_chunks()


def _set(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)


def instant_before(as_of: int, days: int | None) -> int | None:
    """So many days before an as_of, in microseconds; None stays None."""
    return None if days is None else as_of - days * DAY_US

"""Whether what is said of an as-of date depends on anything that was not known then.

The functions that make features and snapshots are run again on worlds with another future. What differs has seen it.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.leaks.alarm import Alarm
from churn.core.timeline import instants
from churn.words.tables import ATTRIBUTES, INSTANT, SUPERSEDED
from churn.words.windows import DAY_US

Make = Callable[[pa.Table, pa.Table, pa.Table], pa.Table]
"""From EVENTS, SNAPSHOTS and ATTRIBUTES of the same customers to one row a snapshot: key, then columns."""

REMEDY = "Count only what was recorded before as_of, and let windows end before it"
ORDER = [(name, "ascending") for name in ("customer_id", "occurred_at", "recorded_at", "event_id")]


def sees_the_future(make: Make, events: pa.Table, snapshots: pa.Table, attributes: pa.Table, as_of: int) -> list[Alarm]:
    """One alarm for each column that another future changes, at one as-of date in microseconds.

    Parameters
    ----------
    make
        What is under suspicion.
    events, snapshots, attributes : pa.Table
        Of whole customers; only the snapshots at `as_of` are asked for.
    """
    at = snapshots.filter(pc.equal(snapshots["as_of"].cast(pa.int64()), as_of))
    as_it_is = make(events, at, attributes)
    changed: dict[str, tuple[str, int]] = {}
    for what, (other_events, other_attributes) in futures(events, attributes, as_of):
        made = make(other_events, at, other_attributes)
        for name in as_it_is.column_names:
            rows = _differing(as_it_is, made, name)
            if rows:
                changed.setdefault(name, (what, rows))
    n = at.num_rows
    return [
        Alarm(
            "sees_the_future",
            name,
            rows,
            0,
            f"{name} differs for {rows:,} of {n:,} snapshots at {day(as_of)} when {what}. {REMEDY}",
        )
        for name, (what, rows) in changed.items()
    ]


def futures(events: pa.Table, attributes: pa.Table, as_of: int) -> Iterator[tuple[str, tuple[pa.Table, pa.Table]]]:
    """The same past with other futures: each with words for what is different."""
    known = events.filter(_known(events, "occurred_at", as_of))
    said = attributes.filter(_known(attributes, "valid_from", as_of))
    yield "nothing happens any more", (known, said)
    yield "the same happens again at as_of itself", (_with(known, _again(known, occurred=as_of)), _other(said, as_of))
    late = _again(known, recorded=as_of)
    yield "more of the past is told at as_of", (_with(known, late), _other(said, as_of, valid_from=as_of - DAY_US))
    much = _again(known, occurred=as_of + DAY_US, times=1000)
    yield "much more happens the day after", (_with(known, much), _other(said, as_of + DAY_US))
    told_again = _again(known, recorded=as_of + DAY_US, same_id=True)
    yield "known events are delivered again the day after", (_with(known, told_again), said)
    if SUPERSEDED in known.column_names:
        other = _again(known, recorded=as_of + DAY_US, times=1000, same_id=True)
        wrong = _set(known, SUPERSEDED, as_of + DAY_US)
        yield "known events are corrected the day after", (_with(wrong, other), said)


def _known(table: pa.Table, time: str, as_of: int) -> pa.ChunkedArray:
    """What was known at `as_of`, of events and of attributes alike."""
    instant = pa.scalar(as_of, pa.int64()).cast(INSTANT)
    return pc.and_(pc.less(table[time], instant), pc.less(table["recorded_at"], instant))


def _again(
    known: pa.Table, *, occurred: int | None = None, recorded: int | None = None, times: int = 1, same_id: bool = False
) -> pa.Table:
    """The known events once more, at another time, under other ids unless they shall be the same ones."""
    again = known
    if occurred is not None:
        again = _set(_set(again, "occurred_at", occurred), "recorded_at", occurred)
    if recorded is not None:
        again = _set(again, "recorded_at", recorded)
    for name in ("amount_minor", "discount_minor", "quantity_milli"):
        if times != 1 and name in again.column_names:
            place = again.schema.get_field_index(name)
            again = again.set_column(place, again.schema.field(name), pc.multiply(again[name], times))
    if not same_id and "event_id" in again.column_names:
        ids = pc.binary_join_element_wise(again["event_id"], "again", "-")
        again = again.set_column(again.schema.get_field_index("event_id"), again.schema.field("event_id"), ids)
    return again


def _other(said: pa.Table, recorded: int, *, valid_from: int | None = None) -> pa.Table:
    """The attributes with another value each, told of later."""
    other = _set(_set(said, "valid_from", valid_from or recorded), "recorded_at", recorded)
    values = pc.binary_join_element_wise(other["value"], "another", " ")
    other = other.set_column(other.schema.get_field_index("value"), other.schema.field("value"), values)
    one = other.group_by(["customer_id", "name", "valid_from", "recorded_at"]).aggregate([("value", "min")])
    one = one.rename_columns([*one.column_names[:-1], "value"]).select(said.column_names).cast(said.schema)
    return pa.concat_tables([said, one]).sort_by([(name, "ascending") for name in ATTRIBUTES.key])


def _set(table: pa.Table, name: str, instant: int) -> pa.Table:
    value = pa.array(np.full(table.num_rows, instant), pa.int64()).cast(INSTANT)
    return table.set_column(table.schema.get_field_index(name), table.schema.field(name), value)


def _with(events: pa.Table, more: pa.Table) -> pa.Table:
    both = pa.concat_tables([events, more]).unify_dictionaries()
    return both.sort_by([key for key in ORDER if key[0] in both.column_names]).combine_chunks()


def _differing(before: pa.Table, after: pa.Table, name: str) -> int:
    """Rows whose value differs, bit by bit; all of them where the column or the rows are not the same."""
    if name not in after.column_names or after.num_rows != before.num_rows:
        return max(before.num_rows, 1)
    one, two = (bits(table[name]) for table in (before, after))
    return int(np.count_nonzero(one != two))


def bits(column: pa.ChunkedArray) -> np.ndarray:
    """Values that can be compared: numbers by their bits, so that null equals null, and texts as they are."""
    if pa.types.is_floating(column.type):
        values = column.to_numpy(zero_copy_only=False)
        return values.view(np.int32 if values.dtype == np.float32 else np.int64)
    if pa.types.is_timestamp(column.type):
        return instants(column)
    return np.array(column.cast(pa.string()).to_pylist(), dtype=object)


def day(as_of: int) -> str:
    """The date of an instant in UTC, as text."""
    return str(np.datetime64(int(as_of), "us").astype("datetime64[D]"))

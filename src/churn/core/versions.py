"""Versions: what an event was said to be until somebody corrected it.

A correction is a row with the id of an earlier one, recorded later. Both are in the table EVENTS: the earlier one is in
force until `superseded_at`, when the later one was recorded. What was known at an as-of date is what was in force then;
what happened is what stands in the end.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.timeline import Timeline, timeline
from churn.words.tables import INSTANT, SUPERSEDED

Compute = Callable[[Timeline, pa.Table], Mapping[str, np.ndarray]]
"""From the timeline and snapshots of whole customers: name → one value a snapshot."""


def standing(events: pa.Table) -> pa.Table:
    """The versions that stand in the end, without the column that says so."""
    if SUPERSEDED not in events.column_names:
        return events
    rest = events.drop_columns([SUPERSEDED])
    if events[SUPERSEDED].null_count == len(events):
        return rest
    return rest.filter(pc.is_null(events[SUPERSEDED]))


def in_force(events: pa.Table, as_of: int) -> pa.Table:
    """The versions that nobody had corrected before `as_of`, in microseconds; later events among them."""
    until = events[SUPERSEDED]
    kept = pc.or_kleene(pc.is_null(until), pc.greater_equal(until, pa.scalar(as_of, pa.int64()).cast(INSTANT)))
    return events.filter(kept).drop_columns([SUPERSEDED])


def corrected(events: pa.Table) -> pa.Array:
    """The customers of whom an event was corrected."""
    if SUPERSEDED not in events.column_names or events[SUPERSEDED].null_count == len(events):
        return pa.nulls(0, pa.string())
    found = pc.unique(events["customer_id"].cast(pa.string()).filter(pc.is_valid(events[SUPERSEDED])))
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def among(line: Timeline, customers: pa.Array) -> Timeline:
    """The same timeline with every one of the customers, in their order; of some nothing may be in force."""
    events = np.zeros(len(customers), dtype=np.int64)
    events[pc.index_in(line.customers, value_set=customers).to_numpy()] = np.diff(line.offsets)
    return replace(line, customers=customers, offsets=np.concatenate(([0], np.cumsum(events))))


def as_known(events: pa.Table, snapshots: pa.Table, compute: Compute) -> dict[str, np.ndarray]:
    """What `compute` says of each snapshot from the versions that were in force at its `as_of`.

    Customers of whom nothing was corrected, nearly all, are computed at once; the others date by date.

    Parameters
    ----------
    events : pa.Table
        EVENTS of whole customers, sorted by customer and time.
    snapshots : pa.Table
        customer_id and as_of of some of these customers, in their order.
    compute
        Its values for a snapshot must depend on nothing but that customer's events and that date.
    """
    some = corrected(events)
    if not len(some):
        return dict(compute(timeline(standing(events)), snapshots))
    is_mine = pc.is_in(events["customer_id"].cast(pa.string()), value_set=some)
    mine, others = (events.filter(which).combine_chunks() for which in (is_mine, pc.invert(is_mine)))
    asked = pc.is_in(snapshots["customer_id"].cast(pa.string()), value_set=some).to_numpy()
    dates = snapshots["as_of"].cast(pa.int64()).to_numpy()
    groups = [(np.flatnonzero(~asked), timeline(standing(others)))]
    for as_of in np.unique(dates[asked]):
        line = among(timeline(in_force(mine, int(as_of))), some)
        groups.append((np.flatnonzero(asked & (dates == as_of)), line))
    found: dict[str, np.ndarray] = {}
    for rows, line in groups:
        for name, values in compute(line, snapshots.take(pa.array(rows))).items():
            found.setdefault(name, np.empty(len(snapshots), dtype=values.dtype))[rows] = values
    return found

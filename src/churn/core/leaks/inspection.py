"""All that the leak defence looks at, in one go."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.leaks.alarm import Alarm
from churn.core.leaks.controls import not_rebuilt, overlapping_windows
from churn.core.leaks.future import Make, sees_the_future
from churn.core.leaks.telltale import (
    present,
    telling_events,
    telling_features,
    telling_ids,
    telling_values,
    values_of_today,
)
from churn.core.model.rule import TIME
from churn.core.timeline import instants


def inspection(
    make: Make,
    events: pa.Table,
    snapshots: pa.Table,
    attributes: pa.Table,
    features: pa.Table,
    split: pa.Table,
    *,
    dates: Sequence[int],
    own_roles: Sequence[str],
    vouched: Collection[str],
) -> list[Alarm]:
    """Every alarm that the tables raise, without training a model.

    Parameters
    ----------
    make
        What makes features of events, snapshots and attributes.
    events, snapshots, attributes, features : pa.Table
        Of the same whole customers; `features` as they are stored, row by row those of `snapshots`.
    split : pa.Table
        SPLIT.
    dates : sequence of int
        As-of dates, in microseconds, at which the future is changed.
    own_roles : sequence of str
        The roles whose silence is churn: their event types are activity, not signs of something else; and those of
        which somebody vouches for a feature.
    vouched : collection of str
        Features, among them attributes, that somebody knows to be recorded before the outcome, however well they tell
        it.
    """
    found = overlapping_windows(split)
    for as_of in dates:
        found += sees_the_future(make, events, snapshots, attributes, as_of)
        found += not_rebuilt(make, events, snapshots, attributes, features, as_of)
    known = pc.is_valid(snapshots["churned"])
    rows, told = features.filter(known), snapshots.filter(known)
    if not told.num_rows:
        return _first(found)
    churned = told["churned"].to_numpy().astype(bool)
    time = [name for name in features.column_names if name.startswith(TIME)]
    found += telling_features(rows, churned, time, vouched)
    found += telling_values(_unvouched(rows, vouched), churned)
    found += values_of_today(_unvouched(features, vouched))
    others = _without(events, own_roles)
    found += telling_events(present(others, told), churned)
    instant = instants(told["as_of"])
    found += telling_ids(told["customer_id"], instant, _ages(events, told, instant), churned)
    return _first(found)


def _first(alarms: list[Alarm]) -> list[Alarm]:
    """One alarm of each kind for each name."""
    return list({(alarm.check, alarm.name): alarm for alarm in reversed(alarms)}.values())[::-1]


def _unvouched(features: pa.Table, vouched: Collection[str]) -> pa.Table:
    """Features without those that somebody vouches for."""
    return features.drop_columns([name for name in features.column_names if name in vouched])


def _without(events: pa.Table, roles: Sequence[str]) -> pa.Table:
    """The events of other roles; cancellations are what is to be predicted, and their times are checked elsewhere."""
    mine = pc.is_in(events["role"].cast(pa.string()), value_set=pa.array([*roles, "cancel"]))
    return events.filter(pc.invert(mine)).combine_chunks()


def _ages(events: pa.Table, snapshots: pa.Table, as_of: np.ndarray) -> np.ndarray:
    """Microseconds since a customer's first event, shape `(n_snapshots,)`."""
    first = events.group_by("customer_id", use_threads=False).aggregate([("occurred_at", "min")])
    place = pc.index_in(snapshots["customer_id"], value_set=first["customer_id"].combine_chunks()).to_numpy()
    return (as_of - instants(first["occurred_at_min"])[place]).astype(np.float64)

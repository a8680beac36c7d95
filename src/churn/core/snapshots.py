"""Snapshots: which customers are live at each as-of date, and whether they churned afterwards.

The only module that looks past `as_of`, through the definitions of churn. Eligibility sees what was known before
`as_of`; the label sees what happened in the outcome window, whenever it was recorded.
"""

from typing import TYPE_CHECKING, Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge

from churn.core.definitions import LABEL, LIVE, Definition
from churn.core.timeline import Timeline, timeline
from churn.core.versions import among, corrected, in_force, standing
from churn.words.tables import INSTANT, SNAPSHOTS, SUPERSEDED
from churn.words.windows import DAY_US, as_of_dates

if TYPE_CHECKING:
    from churn.core.history import Cells

COLUMNS = ("customer_id", "occurred_at", "recorded_at", "role", "state", "quantity_milli", SUPERSEDED)
"""The columns of events that this module reads."""


def as_ofs(
    observed_from: int,
    observed_until: int,
    *,
    every_days: Annotated[int, Ge(1)],
    most: Annotated[int, Ge(1)],
    history_days: Annotated[int, Ge(0)],
) -> np.ndarray:
    """As-of dates in microseconds, shape `(n_as_ofs,)`: `observed_until`, and every `every_days` back from there.

    At most `most`, and none with less than `history_days` of events before it.
    """
    earliest = observed_from + history_days * DAY_US
    return as_of_dates(observed_until, every_days=every_days, earliest=earliest, most=most)


def snapshots(events: pa.Table, as_of: np.ndarray, *, observed_until: int, definition: Definition) -> pa.Table:
    """One row per customer and as-of date at which the customer is live, with `churned` true, false or null.

    Parameters
    ----------
    events : pa.Table
        EVENTS of whole customers, sorted by customer and time.
    as_of : np.ndarray
        As-of dates in microseconds, ascending, shape `(n_as_ofs,)`.
    observed_until : int
        Up to when events are complete, in microseconds. Labels whose window ends later are null.
    definition : Definition
        One of `churn.core.definitions`.

    Returns
    -------
    pa.Table
        SNAPSHOTS.
    """
    line = among(timeline(standing(events)), _customers(events))
    live, label, known = told(line, every_cell(line, as_of), observed_until=observed_until, definition=definition)
    live = _as_known(events, as_of, line.customers, live, definition)
    customer = np.repeat(np.arange(line.n_customers), len(as_of))[live]
    churned = pa.array(label[live], mask=~known[live])
    times = pa.array(np.tile(as_of, line.n_customers)[live], pa.int64()).cast(INSTANT)
    return pa.table([line.customers.take(pa.array(customer)), times, churned], schema=SNAPSHOTS.schema)


def told(
    line: Timeline, cells: "Cells", *, observed_until: int, definition: Definition
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether a customer is live, whether it churned, and whether that is known by now, shape `(n_cells,)` each."""
    live = LIVE[definition.kind](line, cells, definition)
    label, known = LABEL[definition.kind](line, cells, definition)
    matured = cells.as_ofs + definition.outcome_days * DAY_US <= observed_until
    return live, label, known & matured[cells.as_of_index]


def _as_known(
    events: pa.Table, as_of: np.ndarray, customers: pa.Array, live: np.ndarray, definition: Definition
) -> np.ndarray:
    """Who is live by the versions of events that were in force then, shape `(n_cells,)`; `live` is by those that stand.

    Only the few customers of whom an event was corrected are looked at again, date by date.
    """
    some = corrected(events)
    if not len(some):
        return live
    mine = events.filter(pc.is_in(events["customer_id"].cast(pa.string()), value_set=some)).combine_chunks()
    found = live.reshape(-1, len(as_of)).copy()
    places = pc.index_in(some, value_set=customers).to_numpy()
    for i, date in enumerate(as_of):
        line = among(timeline(in_force(mine, int(date))), some)
        found[places, i] = LIVE[definition.kind](line, every_cell(line, as_of[i : i + 1]), definition)
    return found.reshape(-1)


def _customers(events: pa.Table) -> pa.Array:
    """All customers of a batch, also those of whom no version of an event stands any more."""
    found = pc.unique(events["customer_id"].cast(pa.string()))
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def every_cell(line: Timeline, as_of: np.ndarray) -> "Cells":
    """Every customer at every as-of date: who is live is found out from here."""
    from churn.core.history import Cells

    n = len(as_of)
    return Cells(
        as_ofs=as_of,
        offsets=np.arange(line.n_customers + 1, dtype=np.int64) * n,
        as_of_index=np.tile(np.arange(n, dtype=np.int64), line.n_customers),
    )

"""What each definition says of a batch of customers: who is live, who churned, who came back afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from churn.core.definitions import BACK, Definition
from churn.core.definitions.definition import own_acts
from churn.core.features import Feature, computed
from churn.core.lab.returns import RETURN_DAYS, Returns, days_since_act, returns
from churn.core.snapshots import every_cell, told
from churn.core.timeline import Timeline, timeline
from churn.core.versions import standing
from churn.words.tables import INSTANT
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    from churn.core.history import Cells

LONGER = 1.25
"""How much longer the horizon is against which labels are compared: who would be called otherwise after a quarter more
patience was called too soon."""


@dataclass(frozen=True)
class Trial:
    """A definition with a name to show, such as `inactivity 28 d`."""

    name: str
    definition: Definition


@dataclass(frozen=True)
class Outcomes:
    """What the trials say of a batch of customers.

    `rows` has one table a trial with one row a live customer and as-of date: customer_id, as_of, churned (null: not
    known), longer (the same with a horizon that is a quarter longer), back_30, back_90 and back_180 (null: not
    observed that long), silent_days from the last act before the outcome was settled until then. `features` has one row
    a customer and as-of date at which any of them is live, with what a simple model looks at.
    """

    rows: dict[str, pa.Table]
    features: pa.Table
    returns: Returns


def trials(definitions: Mapping[str, Definition], horizons: Sequence[int]) -> tuple[Trial, ...]:
    """Each definition with its own horizon, and those of a kind that allows any horizon with the given ones, too."""
    found = {}
    for name, own in definitions.items():
        for days in (own.horizon_days, *horizons):
            if days >= own.extract_days:
                found[f"{name} {days} d"] = Trial(f"{name} {days} d", replace(own, horizon_days=days))
    return tuple(found.values())


def outcomes(
    events: pa.Table,
    as_of: np.ndarray,
    *,
    observed_until: int,
    wanted: Sequence[Trial],
    roles: tuple[str, ...],
    looked_at: tuple[Feature, ...],
) -> Outcomes:
    """What each trial says of the customers of a batch.

    Parameters
    ----------
    events : pa.Table
        EVENTS of whole customers, sorted by customer and time.
    as_of : np.ndarray
        As-of dates in microseconds, ascending.
    observed_until : int
        Up to when events are complete, in microseconds.
    wanted : sequence of Trial
    roles : tuple of str
        Whose acts end a silence, for the curve of returns.
    looked_at : tuple of Feature
        What a simple model looks at.
    """
    events = standing(events)
    line = timeline(events)
    cells = every_cell(line, as_of)
    found = {one.name: _rows(line, cells, one.definition, observed_until) for one in wanted}
    anywhere = np.unique(np.concatenate([place for place, _ in found.values()])) if found else np.zeros(0, np.int64)
    keys = _keys(line, cells, anywhere)
    features = pa.table(keys | computed(looked_at, events, pa.table(keys)))
    rows = {name: table for name, (_, table) in found.items()}
    return Outcomes(rows, features, returns(line, cells, roles, observed_until))


def _keys(line: Timeline, cells: "Cells", place: np.ndarray) -> dict[str, pa.Array]:
    """Customer and as-of date of some cells."""
    customer = np.searchsorted(cells.offsets, place, side="right") - 1
    as_of = cells.as_ofs[cells.as_of_index[place]]
    return {"customer_id": line.customers.take(pa.array(customer)), "as_of": pa.array(as_of).cast(INSTANT)}


def _rows(line: Timeline, cells: "Cells", definition: Definition, observed_until: int) -> tuple[np.ndarray, pa.Table]:
    """Which cells are live, and what became of them."""
    live, label, known = told(line, cells, observed_until=observed_until, definition=definition)
    longer = replace(definition, horizon_days=round(definition.horizon_days * LONGER))
    _, later, later_known = told(line, cells, observed_until=observed_until, definition=longer)
    place = np.flatnonzero(live)
    as_of = cells.as_ofs[cells.as_of_index[place]]
    columns = _keys(line, cells, place) | {
        "churned": pa.array(label[place], mask=~known[place]),
        "longer": pa.array(later[place], mask=~(known & later_known)[place]),
    }
    for days in RETURN_DAYS:
        seen = as_of + (definition.outcome_days + days) * DAY_US <= observed_until
        came = BACK[definition.kind](line, cells, definition, days)[place]
        columns[f"back_{days}"] = pa.array(came, mask=~seen)
    silent = days_since_act(line, cells, own_acts(definition.roles), definition.outcome_days)[place]
    return place, pa.table(columns | {"silent_days": pa.array(silent)})

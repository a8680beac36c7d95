"""Recipe: what rows are made by besides the tables, the same for every date and every source that failed."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.definitions import Definition
from churn.core.features import Windows, features
from churn.core.snapshots import snapshots


@dataclass(frozen=True)
class Recipe:
    """What a run is told of its events, and whom to look at.

    Attributes
    ----------
    observed_until : int
        Up to when the events are complete, in microseconds.
    definition, lookback, roles, attribute_names
        As in `snapshots` and `features`.
    chosen : pa.Array or None
        The customers to look at; None takes all.
    """

    observed_until: int
    definition: Definition
    lookback: Windows
    roles: tuple[str, ...]
    attribute_names: tuple[str, ...]
    chosen: pa.Array | None

    def looked_at(self, *tables: pa.Table) -> tuple[pa.Table, ...]:
        """The rows of the customers to look at, in one chunk a column where some are not."""
        if self.chosen is None:
            return tables
        there = [pc.is_in(table["customer_id"].cast(pa.string()), value_set=self.chosen) for table in tables]
        return tuple(table.filter(here).combine_chunks() for table, here in zip(tables, there, strict=True))

    def snapshots(self, events: pa.Table, dates: np.ndarray) -> pa.Table:
        """SNAPSHOTS of these dates, as far as outcomes are known by now."""
        return snapshots(events, dates, observed_until=self.observed_until, definition=self.definition)

    def features(self, events: pa.Table, of: pa.Table, attributes: pa.Table) -> pa.Table:
        """FEATURES of these snapshots."""
        return features(
            events, of, attributes, lookback=self.lookback, roles=self.roles, attribute_names=self.attribute_names
        )

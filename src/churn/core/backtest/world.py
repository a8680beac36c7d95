"""World: features and outcomes of all dates, and what of the outcomes was known on each day a list was made."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.backtest.dates import Plan
from churn.core.backtest.feeds import Feed, failed
from churn.core.backtest.recipe import Recipe
from churn.core.snapshots import snapshots
from churn.core.timeline import instants
from churn.words.errors import Fault, NotEnoughData
from churn.words.tables import FEATURES, INSTANT, SNAPSHOTS, SUPERSEDED

TRUTH = "churned"
THEN = "churned as known at "
"""How the columns start that hold what was known on a day; no feature has a blank in its name."""


@dataclass(frozen=True)
class World:
    """Snapshots of all dates, row by row the same in both.

    Attributes
    ----------
    features : pa.Table
        FEATURES.
    outcomes : pa.Table
        SNAPSHOTS as they are known by now.
    known : dict of int to pa.ChunkedArray
        Day, in microseconds → `churned` as it was known on that day; null also where a run of that day would not have
        had the row.
    """

    features: pa.Table
    outcomes: pa.Table
    known: dict[int, pa.ChunkedArray]

    def on(self, day: int, dates: np.ndarray) -> tuple[pa.Table, pa.Table]:
        """FEATURES and SNAPSHOTS as a run made on that day would have had them."""
        there = pa.array(np.isin(instants(self.outcomes["as_of"]), dates))
        told = self.outcomes.set_column(2, SNAPSHOTS.schema.field("churned"), self.known[day])
        return self.features.filter(there), told.filter(there)

    def at(self, day: int) -> tuple[pa.Table, pa.Table]:
        """FEATURES and SNAPSHOTS of one date, with the outcomes that are known by now."""
        here = pa.array(instants(self.outcomes["as_of"]) == day)
        return self.features.filter(here), self.outcomes.filter(here)


def rows(
    events: pa.Table,
    attributes: pa.Table,
    recipe: Recipe,
    *,
    when: Plan,
) -> pa.Table:
    """One row per snapshot of a batch of whole customers: FEATURES, the outcome, and the outcome as known on each day.

    What is known on a day is what the product's own `snapshots` says of the events that had been recorded by then: a
    record that came later had not changed any label yet.

    Parameters
    ----------
    events, attributes : pa.Table
        EVENTS and ATTRIBUTES of the same whole customers, sorted.
    """
    events, attributes = recipe.looked_at(events, attributes)
    truth = recipe.snapshots(events, when.every_date)
    made = recipe.features(events, truth, attributes)
    made = made.append_column(TRUTH, truth["churned"])
    for day, dates in when.dates.items():
        then = snapshots(known_at(events, day), dates, observed_until=day, definition=recipe.definition)
        made = made.append_column(f"{THEN}{day}", _spread(truth, dates, then))
    return made


def rows_without(
    events: pa.Table,
    attributes: pa.Table,
    recipe: Recipe,
    *,
    feed: Feed,
    dates: np.ndarray,
) -> pa.Table:
    """FEATURES of the same snapshots of a batch of whole customers, as if one feed had never told anything."""
    events, attributes = recipe.looked_at(events, attributes)
    left, said = failed(events, attributes, feed, since=None)
    return recipe.features(left, recipe.snapshots(events, dates), said)


def world(pieces: Iterable[pa.Table], when: Plan) -> World:
    """The world that pieces of `rows` make together.

    Raises
    ------
    NotEnoughData
        When no customer was eligible on any date.
    """
    found = [piece for piece in pieces if piece.num_rows]
    if not found:
        raise NotEnoughData("no customer was eligible on any date; see live_days and observed_until in conf/")
    whole = pa.concat_tables(found).unify_dictionaries().combine_chunks()
    told = [TRUTH, *(f"{THEN}{day}" for day in when.dates)]
    return World(
        FEATURES.check(whole.drop_columns(told)),
        whole.select(SNAPSHOTS.schema.names),
        {day: whole[f"{THEN}{day}"] for day in when.dates},
    )


def known_at(events: pa.Table, day: int) -> pa.Table:
    """EVENTS as the table would have been on that day: what was recorded before it, corrected as it was by then."""
    instant = pa.scalar(day, pa.int64()).cast(INSTANT)
    there = events.filter(pc.and_(pc.less(events["occurred_at"], instant), pc.less(events["recorded_at"], instant)))
    if SUPERSEDED not in there.column_names:
        return there.combine_chunks()
    until = there[SUPERSEDED]
    then = pc.if_else(pc.less(until, instant), until, pa.scalar(None, INSTANT))
    place = there.schema.get_field_index(SUPERSEDED)
    return there.set_column(place, there.schema.field(SUPERSEDED), then).combine_chunks()


def _spread(truth: pa.Table, dates: np.ndarray, then: pa.Table) -> pa.Array:
    """`churned` of `then`, whose rows are those of `truth` at the dates, null in all others."""
    here = np.isin(instants(truth["as_of"]), dates)
    same: Mapping[str, pa.ChunkedArray] = {name: truth[name].filter(pa.array(here)) for name in FEATURES.key}
    if any(not then[name].equals(column) for name, column in same.items()):
        raise Fault(f"{then.num_rows:,} snapshots as known then are not the {int(here.sum()):,} as known by now")
    place = np.full(truth.num_rows, -1, np.int64)
    place[here] = np.arange(then.num_rows)
    churned = then["churned"].combine_chunks()
    return churned.take(pa.array(place, mask=~here))

"""What `churn backtest` makes of the events: features and outcomes of all dates, of the customers to look at."""

import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from churn.core.backtest import Plan, Recipe, Settings, World
    from churn.core.dataset import Dataset
    from churn.shell.engine.doors import Engine

ROWS = 100_000
"""Events read at once; what is made of them is kept."""


class Made(NamedTuple):
    """What the command made of the events: world, lists, whom it looked at of how many, and how to make more."""

    there: "World"
    when: "Plan"
    shares: dict[str, Any]
    data: "Dataset"
    engine: "Engine"
    recipe: "Recipe"


def make(settings: "Settings", asked: int, every: int | None, customers: int, older: tuple[int, ...]) -> Made:
    """Features and outcomes of all dates of all those runs, from the events table in pieces of whole customers."""
    from functools import partial

    from churn.core.backtest import Recipe, plan, rows, world
    from churn.core.dataset import dataset
    from churn.core.features import windows
    from churn.sections import section
    from churn.shell import config
    from churn.shell.engine import ENGINES

    data: Dataset = config.value("data", dataset)
    began = time.monotonic()
    when = plan(
        data.observed_from,
        data.observed_until,
        definition=settings.definition,
        snapshots=section("snapshots"),
        parts=settings.parts,
        asked=asked,
        step_days=every,
        older=older,
    )
    chosen, shares = _chosen(customers)
    recipe = Recipe(
        observed_until=data.observed_until,
        definition=settings.definition,
        lookback=config.value("features", windows),
        roles=data.roles,
        attribute_names=data.attribute_names,
        chosen=chosen,
    )
    engine: Engine = config.value("engine", ENGINES)
    there = world(engine.made(partial(rows, recipe=recipe, when=when), read(), ROWS), when)
    tell(f"{there.outcomes.num_rows:,} snapshots of {len(when.every_date)} dates in {time.monotonic() - began:.1f} s")
    return Made(there, when, shares, data, engine, recipe)


def read(*more: str) -> dict[str, list[str] | None]:
    """The columns to read of each table; texts and ids of events are most of their bytes, and no feature reads them."""
    from churn.words.tables import EVENTS

    left_out = {"event_type", "text", "event_id"} - set(more)
    return {"events": [c.name for c in EVENTS.columns if c.name not in left_out], "attributes": None}


def _chosen(most: int) -> tuple[Any, dict[str, Any]]:
    """The customers to look at, None for all, and how many they are of how many."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from churn.shell import store

    ids = pa.concat_arrays(
        [pc.unique(piece["customer_id"].cast(pa.string())) for piece in store.batches("events", ["customer_id"])]
    )
    ids = pc.unique(ids)
    step = -(-len(ids) // most)
    if step <= 1:
        return None, {"customers": len(ids), "of_customers": len(ids)}
    chosen = ids.take(pa.array(range(0, len(ids), step)))
    return chosen, {"customers": len(chosen), "of_customers": len(ids)}


def tell(words: str) -> None:
    """Say how far it got, on the error output."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()

"""The parts of `churn backtest` that are asked for: older models, models without a source, and sources that fail."""

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from churn.cli.backtest_made import ROWS, Made, read, tell

if TYPE_CHECKING:
    from churn.core.backtest import Day, Plan, Settings, World


def stale(made: Made, days: "list[Day]", settings: "Settings", judging: dict[str, Any]) -> list[dict[str, Any]]:
    """What the models of earlier months are worth on these lists."""
    from churn.core.backtest import model_of, staleness
    from churn.core.days import local_day
    from churn.words.errors import DriftFault, GateFault, NotEnoughData

    extra = {}
    for as_of in made.when.extra:
        began, on = time.monotonic(), local_day(as_of, made.data.time_zone)
        try:
            extra[as_of] = model_of(made.there, made.when, as_of, settings)
        except (NotEnoughData, DriftFault, GateFault) as fault:
            tell(f"{on}  no model: {fault}")
            continue
        tell(f"{on}  the model of that day, {time.monotonic() - began:.1f} s")
    return staleness(made.there, days, made.when, extra=extra, **judging)


def ablated(made: Made, days: "list[Day]", settings: "Settings", judging: dict[str, Any]) -> list[dict[str, Any]]:
    """What each source and each family of features is worth on the newest lists."""
    from churn.core import backtest

    when = made.when.newest(backtest.LISTS_MOST, [day.as_of for day in days])
    found, began = [], time.monotonic()
    for entry in backtest.ablated(_worlds(made, when), days, when, settings, **judging):
        worth = f"AUC {entry['worth']['auc']:+.4f}" if "worth" in entry else entry["why"]
        tell(f"without {entry['kind']} {entry['name']}: {worth}, {time.monotonic() - began:.1f} s")
        found.append(entry)
        began = time.monotonic()
    return found


def _worlds(made: Made, when: "Plan") -> "Iterator[tuple[str, str, int, World]]":
    """Each world in which something is missing: kind, name, how many columns differ, and the world."""
    import pyarrow as pa

    from churn.core import backtest
    from churn.core.features import catalogue

    for feed in backtest.feeds(made.data):
        make = partial(backtest.rows_without, recipe=made.recipe, feed=feed, dates=when.every_date)
        pieces = [piece for piece in made.engine.made(make, read("event_type"), ROWS) if piece.num_rows]
        features = pa.concat_tables(pieces).unify_dictionaries().combine_chunks()
        there, differ = backtest.with_features(made.there, when, features)
        yield "source", feed.name, differ, there
    names = made.there.features.column_names
    for family, columns in backtest.families(names, catalogue(made.recipe.lookback, made.data.roles)).items():
        yield "family", family, len(columns), backtest.without_columns(made.there, columns)


def failing(made: Made, day: "Day", judging: dict[str, Any]) -> list[dict[str, Any]]:
    """What the scores of the newest list would have been if a source had failed before it."""
    from churn.core import backtest

    sources = backtest.feeds(made.data)
    make = partial(backtest.silenced, recipe=made.recipe, as_of=day.as_of, sources=sources)
    pieces = list(made.engine.made(make, read("event_type"), ROWS))
    return backtest.failing(pieces, day, sources=sources, capacity=judging["capacity"])

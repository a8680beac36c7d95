"""Backtest: the lists that would have been made on past days, with what was known then, against what came of them.

A list of a day is made as `churn run` would have made it: the same snapshots, split, features, model and calibration,
from what had been recorded by then. The newest outcomes that a run knows are its test part, which it does not learn
from; so a list is always judged by outcomes that lie after everything its model has seen.
"""

from churn.core.backtest.ablation import LISTS_MOST, ablated, families, with_features, without_columns
from churn.core.backtest.dates import Plan, plan
from churn.core.backtest.day import Day, Settings, day, model_of
from churn.core.backtest.failing import failing, silenced
from churn.core.backtest.feeds import Feed, feeds
from churn.core.backtest.recipe import Recipe
from churn.core.backtest.report import report
from churn.core.backtest.staleness import staleness
from churn.core.backtest.verdict import FAILED
from churn.core.backtest.world import World, rows, rows_without, world

__all__ = [
    "FAILED",
    "LISTS_MOST",
    "Day",
    "Feed",
    "Plan",
    "Recipe",
    "Settings",
    "World",
    "ablated",
    "day",
    "failing",
    "families",
    "feeds",
    "model_of",
    "plan",
    "report",
    "rows",
    "rows_without",
    "silenced",
    "staleness",
    "with_features",
    "without_columns",
    "world",
]

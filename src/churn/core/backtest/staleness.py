"""Staleness: the models of earlier months on later lists, beside the models that a run of the day would have had."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from churn.core.backtest.dates import Plan
from churn.core.backtest.day import Day
from churn.core.backtest.judged import DELIVERED, judged, rows_of
from churn.core.backtest.world import World
from churn.core.model import Model, margins, score
from churn.core.model.parts import iso
from churn.words.windows import DAY_US

SHOWN = ("auc", "ap", "logloss", "ece", "lift", "caught", DELIVERED)
"""The figures that an older model could lose, and the probabilities that it could get wrong."""


def staleness(
    there: World,
    days: Sequence[Day],
    when: Plan,
    *,
    extra: Mapping[int, Model],
    capacity: int,
    bootstrap: int,
    seed: int,
    interval: float,
) -> list[dict[str, Any]]:
    """One entry an age: the older model's figures, and the paired difference from the fresh one on the same lists.

    A list counts where there is a model so much older than it: of the day of an earlier list, or one of `extra`. So the
    ages are judged on different lists, and only the differences tell what age costs.

    Parameters
    ----------
    extra : mapping of int to Model
        Day → the model of a run of that day, of days without a list.
    """
    models = {day.as_of: day.learnt for day in days} | dict(extra)
    rows_by = dict(zip((day.as_of for day in days), rows_of(days, capacity=capacity), strict=True))
    found: list[dict[str, Any]] = []
    for months, back in when.older_days.items():
        lists = []
        for day in days:
            older = models.get(day.as_of - back * DAY_US)
            if older is None:
                continue
            features, _ = there.at(day.as_of)
            p = score(older, margins(older, features))[day.known]
            rows = rows_by[day.as_of]
            lists.append(replace(rows, scores={"fresh": rows.scores["model"], "older": p}))
        entry: dict[str, Any] = {"months": months, "days": back, "lists": [iso(rows.as_of) for rows in lists]}
        if lists:
            said = judged(lists, bootstrap=bootstrap, seed=seed)
            row, fresh = (said.row(name, interval) for name in ("older", "fresh"))
            difference = said.difference("older", "fresh", interval)
            entry |= {figure: row[figure] for figure in SHOWN} | {"n": sum(len(r.churned) for r in lists)}
            entry["fresh"] = {figure: fresh[figure] for figure in SHOWN}
            entry["difference"] = {k: v for k, v in difference.items() if k.rsplit("_", 1)[0] in SHOWN or k in SHOWN}
        found.append(entry)
    return found

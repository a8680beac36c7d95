"""Dates: on which days a backtest makes its lists, and which as-of dates a run of each of those days would have had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.definitions import Definition
from churn.core.snapshots import as_ofs
from churn.core.split import split
from churn.words.errors import NotEnoughData, UsageFault
from churn.words.tables import INSTANT
from churn.words.windows import DAY_US

TRAIN_LEAST = 4
"""Training dates that a day must have had, unless no day had so many. Below that a list would be the first one of a
young business, whose faults say little about later ones."""

MONTH_DAYS = 365.2425 / 12


@dataclass(frozen=True)
class Plan:
    """When lists are made, in microseconds.

    Attributes
    ----------
    days : ndarray of int64, shape (n_days,)
        The as-of dates of the lists, ascending. The outcomes of all of them are known by now.
    dates : dict of int to ndarray of int64
        Day → the as-of dates of a run made on that day, ascending; the last one is the day itself. Of the days of the
        lists, and of older ones whose models are wanted, too.
    step_days : int
        Days between neighbouring lists.
    asked : int
        How many lists were asked for.
    older_days : dict of int to int
        Months → days: how much older than a list a model shall be.
    """

    days: np.ndarray
    dates: dict[int, np.ndarray]
    step_days: int
    asked: int
    older_days: dict[int, int]

    @property
    def every_date(self) -> np.ndarray:
        """The as-of dates of all those runs together, ascending."""
        return np.unique(np.concatenate(list(self.dates.values())))

    @property
    def extra(self) -> list[int]:
        """The days of which only the model is wanted, ascending."""
        return sorted(set(self.dates) - {int(day) for day in self.days})

    def newest(self, most: int, made: Sequence[int]) -> "Plan":
        """At most so many of the newest of the lists that could be made, and nothing else."""
        days = np.array(sorted(made)[-most:], np.int64)
        return Plan(days, {int(day): self.dates[int(day)] for day in days}, self.step_days, len(days), {})


def plan(
    observed_from: int,
    observed_until: int,
    *,
    definition: Definition,
    snapshots: Mapping[str, Any],
    parts: Mapping[str, Any],
    asked: int,
    step_days: int | None,
    older: Sequence[int] = (),
) -> Plan:
    """The newest days whose outcomes are known, as far apart as the history allows.

    Days lie so far apart that their outcome windows do not overlap, if the history is long enough for all that were
    asked for; otherwise nearer, down to `every_days` of the section `snapshots`.

    Parameters
    ----------
    observed_from, observed_until : int
        Events are complete in `[observed_from, observed_until)`, microseconds.
    snapshots, parts : mapping
        The sections `snapshots` and `split` of conf/.
    asked : int
        How many lists.
    step_days : int or None
        Days between lists, a multiple of `snapshots.every_days`; None chooses.
    older : sequence of int
        Ages, in months, of models that the newest list shall be scored with, too. A month is as many whole
        `every_days` as come nearest to it.

    Raises
    ------
    NotEnoughData
        On no day whose outcome is known could a model have been trained.
    UsageFault
        `step_days` is no multiple of `snapshots.every_days`.
    """
    every = int(snapshots["every_days"])
    if step_days is not None and step_days % every:
        raise UsageFault(
            f"lists must lie a multiple of snapshots.every_days ({every}) apart, got {step_days} days; "
            f"try {max(1, round(step_days / every)) * every}"
        )
    widest = -(-definition.outcome_days // every) * every
    most = max(1, (observed_until - observed_from) // (every * DAY_US) + 1)
    grid = as_ofs(observed_from, observed_until, **{**snapshots, "most": most})
    known = grid[grid + definition.outcome_days * DAY_US <= observed_until]
    runs = {int(day): as_ofs(observed_from, int(day), **snapshots) for day in known}
    trained = {day: _trained(dates, day, definition, parts) for day, dates in runs.items()}
    least = min(TRAIN_LEAST, parts["train_as_ofs"] or TRAIN_LEAST, max(trained.values(), default=0))
    possible = [day for day, n in trained.items() if n >= max(least, 1)]
    if not possible:
        need, have = snapshots["history_days"] + 5 * widest, (observed_until - observed_from) // DAY_US
        raise NotEnoughData(
            "there is no day on which a model could have been trained and whose outcomes are known by now: that takes "
            f"about {need} days of events (snapshots.history_days and five outcome windows), and there are {have}. "
            "Shorten definition.horizon_days, or wait; until then reports/evaluation.json has all that can be said"
        )
    steps = [step_days] if step_days else list(range(max(widest, every), 0, -every))
    for step in steps:
        days = [day for day in possible if (possible[-1] - day) % (step * DAY_US) == 0][-asked:]
        if len(days) == asked:
            break
    older_days = {months: max(min(months, 1), round(months * MONTH_DAYS / every)) * every for months in older}
    extra = {days[-1] - back * DAY_US for back in older_days.values()} & set(possible)
    return Plan(np.array(days, np.int64), {day: runs[day] for day in sorted({*days, *extra})}, step, asked, older_days)


def _trained(dates: np.ndarray, day: int, definition: Definition, parts: Mapping[str, Any]) -> int:
    """Training dates in the split of a run made on that day; one snapshot a date stands for all."""
    if not len(dates):
        return 0
    each = pa.table({"as_of": pa.array(dates).cast(INSTANT), "churned": pa.nulls(len(dates), pa.bool_())})
    try:
        found = split(each, observed_until=day, definition=definition, **parts)
    except NotEnoughData:
        return 0
    return int(pc.sum(pc.equal(found["part"], "train")).as_py())

"""Folds: dates before the test, each judged by a model of what was known then.

    train as_ofs ......... | embargo | judged as_of        a fold
    ... everything before what was judged ...... | embargo | confirming as_of

The newest date of all that a model may learn from is left out of the search and judges its winner. The test part is
not even read.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.days import local_day
from churn.core.model.boosters import dataset_of
from churn.core.model.enough import MANY
from churn.core.model.parts import LEARNING, MATURED, Learning, Part
from churn.core.timeline import instants
from churn.words.errors import NotEnoughData
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    import lightgbm

FOLDS_LEAST = 2
"""Folds that a search wants besides the confirming one: settings that suit one date alone are that date's chance."""


class Judged(NamedTuple):
    """A date that is judged, and the dates that a model of that day may learn from; in microseconds."""

    as_of: int
    learnt: tuple[int, ...]


@dataclass(frozen=True)
class Fold:
    """One date with its rows in LightGBM's bins, made once for all trials.

    Attributes
    ----------
    as_of : int
        Microseconds.
    rows, judge : Part
        What is learnt from, and what is judged.
    train, judged : lightgbm.Dataset
        The same in bins.
    """

    as_of: int
    rows: Part
    judge: Part
    train: "lightgbm.Dataset"
    judged: "lightgbm.Dataset"


def dates(split: pa.Table, *, folds: int) -> tuple[Judged, ...]:
    """The confirming date, then up to `folds` dates to search on, the newest first.

    The outcomes of a date are known before every later one of them, as far as the history allows: dates lie an outcome
    window apart, or as near as it takes to have `folds` of them.

    Parameters
    ----------
    split : pa.Table
        SPLIT.
    """
    tested = pc.min(split.filter(pc.equal(split["part"], "test"))["as_of"])
    known = pc.and_(
        pc.less_equal(split["outcome_until"], tested), pc.is_in(split["part"], pa.array([*LEARNING, "embargo"]))
    )
    as_of, until = (instants(split.filter(known)[name]) for name in ("as_of", "outcome_until"))
    if not len(as_of):
        return ()
    found = [_judged(as_of, until, int(as_of[-1]))]
    candidates = as_of[until <= as_of[-1]]
    judged = [one for one in (_judged(as_of, until, int(date)) for date in candidates[::-1]) if one.learnt]
    apart = int(until[-1] - as_of[-1])
    while len(chosen := _apart(judged, apart)) < folds and apart > DAY_US:
        apart //= 2
    return (*found, *chosen[:folds])


def folds(known: Learning, split: pa.Table, parameters: dict, *, folds: int, time_zone: str) -> tuple[Fold, ...]:
    """The confirming fold, then those to search on, the newest first, of those dates that have customers enough.

    Raises
    ------
    NotEnoughData
        When fewer than `FOLDS_LEAST` are left to search on.
    """
    whole = known.parts[MATURED]
    made = [one for one in (_part(whole, judged) for judged in dates(split, folds=folds)) if one is not None]
    if len(made) <= FOLDS_LEAST:
        newest = f" the newest on {local_day(made[0][0], time_zone)};" if made else ""
        raise NotEnoughData(
            f"{len(made)} dates before the test can be judged,{newest} a search wants {FOLDS_LEAST + 1}: each with "
            f"{MANY.judging} churners and stayers, and {MANY.each} of each on dates whose outcomes were known by "
            "then. A longer history, more as-of dates (snapshots.most) or a shorter horizon_days help"
        )
    return tuple(_binned(as_of, rows, judge, known, parameters) for as_of, rows, judge in made)


def _judged(as_of: np.ndarray, until: np.ndarray, date: int) -> Judged:
    return Judged(date, tuple(as_of[until <= date].tolist()))


def _apart(judged: list[Judged], apart: int) -> list[Judged]:
    """From the newest back, those that lie at least so far from the one before."""
    chosen: list[Judged] = []
    for one in judged:
        if not chosen or chosen[-1].as_of - one.as_of >= apart:
            chosen.append(one)
    return chosen


def _part(whole: Part, judged: Judged) -> tuple[int, Part, Part] | None:
    """The rows of a fold; None where there are too few to learn from or to judge."""
    rows = whole.where(np.isin(whole.as_of_us, judged.learnt))
    judge = whole.where(whole.as_of_us == judged.as_of)
    for part, least in ((rows, MANY.each), (judge, MANY.judging)):
        churners = int(part.churned.sum())
        if min(churners, len(part.churned) - churners) < least:
            return None
    return judged.as_of, rows, judge


def _binned(as_of: int, rows: Part, judge: Part, known: Learning, parameters: dict) -> Fold:
    # Which features a leaf of so many rows could never use is decided in a training, not while binning for all.
    settings = {**parameters, "feature_pre_filter": False}
    train = dataset_of(rows, known, settings, None)
    return Fold(as_of, rows, judge, train, dataset_of(judge, known, settings, None, reference=train))

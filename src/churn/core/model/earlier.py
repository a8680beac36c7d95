"""Earlier dates: the parts as they were then, where one date has too few churners to compare models on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.model.parts import MATURED, Learning, few
from churn.core.model.sample import later


class Dates(NamedTuple):
    """As-of dates whose outcome was known before the test, in ascending order, and until when it was open; in us."""

    as_of: np.ndarray
    until: np.ndarray


def earlier(
    known: Learning, split: pa.Table, *, churners: int, usable: Callable[[Learning], bool]
) -> Iterator[Learning]:
    """The parts as they would have been at dates before the calibration part, the newest first.

    Dates are added until, together with the calibration part, so many churners are judged. Of each date, what is
    learnt had matured by then: the newest such dates, as many as the validation part has, are its validation part, and
    those that had matured by the first of them its train part. Where the calibration part has too few churners to hold
    out, so that models learn from it, its own dates are among those that are judged.

    Parameters
    ----------
    known : Learning
        The parts. Their matrix is shared; features and vocabulary are those of its train part.
    split : pa.Table
        SPLIT.
    churners : int
        How many are enough.
    usable : function of the parts at a date
        Whether that date is judged at all.
    """
    held_out = known.parts["calibration"]
    learns_from_it = few(held_out)
    judged = 0 if learns_from_it else int(held_out.churned.sum())
    dates = _dates(known, split)
    first = held_out.as_of_us.min() if len(held_out.as_of_us) else np.inf
    candidates = dates.as_of if learns_from_it else dates.as_of[dates.as_of < first]
    n_validation = max(len(np.unique(known.parts["validation"].as_of_us)), 1)
    for date in candidates[::-1]:
        if judged >= churners:
            return
        then = _then(known, dates, int(date), n_validation)
        if then is not None and usable(then):
            judged += int(then.parts["calibration"].churned.sum())
            yield then


def _dates(known: Learning, split: pa.Table) -> Dates:
    """Those of which there are rows to learn from or to judge."""
    rows = split.filter(pc.is_in(split["as_of"].cast(pa.int64()), pa.array(np.unique(known.parts[MATURED].as_of_us))))
    as_of, until = (rows[name].cast(pa.int64()).to_numpy() for name in ("as_of", "outcome_until"))
    order = np.argsort(as_of)
    return Dates(as_of[order], until[order])


def _then(known: Learning, dates: Dates, date: int, n_validation: int) -> Learning | None:
    """The parts at a date; None where nothing is left to train on."""
    matured = dates.as_of[dates.until <= date]
    validation = matured[-n_validation:]
    train = dates.as_of[dates.until <= validation[0]] if len(validation) else validation
    if not len(train):
        return None
    whole = known.parts[MATURED]
    parts = {
        name: whole.where(np.isin(whole.as_of_us, of))
        for name, of in {"train": train, "validation": validation, "calibration": [date], MATURED: matured}.items()
    }
    judged = parts["calibration"]
    is_later = later(known.customer_id.take(pa.array(judged.rows)), judged.as_of_us)
    return replace(known, parts=parts, later=is_later)

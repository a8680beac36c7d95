"""Controls: what must not work if nothing leaks, and what must come out the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.leaks.alarm import Alarm
from churn.core.leaks.future import Make, bits, day, futures
from churn.core.metrics import auc, honest_most
from churn.core.model import margins, model
from churn.core.timeline import instants

SHUFFLED_MOST = 0.03
"""How far from .5 a model that learnt from shuffled outcomes may come, beyond three standard errors of chance."""


def overlapping_windows(split: pa.Table) -> list[Alarm]:
    """One alarm a part whose outcomes reach into the dates of a later one: it was learnt from what it shall predict.

    Parameters
    ----------
    split : pa.Table
        SPLIT.
    """
    order = ("train", "validation", "calibration", "test")
    found = []
    for i, part in enumerate(order[:-1]):
        mine = split.filter(pc.equal(split["part"], part))
        for later in order[i + 1 :]:
            after = split.filter(pc.equal(split["part"], later))
            if not mine.num_rows or not after.num_rows:
                continue
            until, first = int(instants(mine["outcome_until"]).max()), int(instants(after["as_of"]).min())
            if until > first:
                days = (until - first) / 86_400e6
                words = (
                    f"outcomes of the part {part} reach {days:g} days past the first date of the part {later}: the "
                    "same events are label here and feature there. Leave an embargo of gap and horizon between parts"
                )
                found.append(Alarm("overlapping_windows", part, days, 0, words))
    return found


def too_good(reached: float, simple: float) -> list[Alarm]:
    """An alarm where a model is better than honest data allow, given what recency, frequency and money reach (AUC)."""
    limit = honest_most(simple)
    if reached <= limit:
        return []
    words = (
        f"the model ranks with AUC {reached:.3f} where recency, frequency and money reach {simple:.3f}; above "
        f"{limit:.3f} something tells it the outcome. Find the feature with `churn leaks` and look when it is recorded"
    )
    return [Alarm("too_good", "model", reached, limit, words)]


def learns_from_noise(
    features: pa.Table, snapshots: pa.Table, split: pa.Table, section: Mapping[str, Any], *, shuffle_seed: int
) -> list[Alarm]:
    """An alarm where a model that learnt from shuffled outcomes still ranks the test part.

    Outcomes are shuffled within each as-of date, so that base rates stay. What still ranks cannot have been learnt: the
    way from features to the test knows the answer.

    Parameters
    ----------
    section : mapping
        The section `model`.
    """
    rng = np.random.default_rng(shuffle_seed)
    shuffled = _shuffled(snapshots, rng)
    learnt = model(features, shuffled, split, **section)
    dates = split.filter(pc.equal(split["part"], "test"))["as_of"].combine_chunks()
    tested = pc.and_(pc.is_in(snapshots["as_of"], value_set=dates), pc.is_valid(snapshots["churned"]))
    outcome = shuffled["churned"].filter(tested).to_numpy().astype(bool)
    reached = auc(outcome, _between(margins(learnt, features.filter(tested))))
    # The AUC of noise varies by sqrt((a + b + 1) / (12 a b)); Hanley and McNeil 1982.
    churners, stayers = int(outcome.sum()), int((~outcome).sum())
    spread = float(np.sqrt((churners + stayers + 1) / (12 * churners * stayers)))
    limit = max(SHUFFLED_MOST, 3 * spread)
    if abs(reached - 0.5) <= limit:
        return []
    words = (
        f"a model that learnt from shuffled outcomes reaches AUC {reached:.3f}, wanted is .5 within {limit:.3f}: the "
        "test part is known to what the model learns from"
    )
    return [Alarm("learns_from_noise", "model", reached, 0.5 + limit, words)]


def not_rebuilt(
    make: Make, events: pa.Table, snapshots: pa.Table, attributes: pa.Table, stored: pa.Table, as_of: int
) -> list[Alarm]:
    """An alarm a column that differs between the stored features and those made again from what was known at `as_of`.

    This is the travel back in time: events and attributes that were not known then are taken away first, so what was
    stored for training is compared, bit by bit, with what scoring on that day would have used.
    """
    at = snapshots.filter(pc.equal(snapshots["as_of"].cast(pa.int64()), as_of))
    then = stored.filter(pc.equal(stored["as_of"].cast(pa.int64()), as_of))
    _, (known, said) = next(futures(events, attributes, as_of))
    made = make(known, at, said)
    found = []
    for name in then.column_names:
        one, two = bits(made[name]) if name in made.column_names else np.zeros(0), bits(then[name])
        rows = int(np.count_nonzero(one != two)) if len(one) == len(two) else max(len(two), 1)
        if rows:
            words = (
                f"{name} at {day(as_of)} is stored with another value than scoring on that day would have had, in "
                f"{rows:,} of {then.num_rows:,} snapshots. Run `churn run`; if it stays, the feature sees "
                "what was not known"
            )
            found.append(Alarm("not_rebuilt", name, rows, 0, words))
    return found


def _shuffled(snapshots: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The same snapshots with known outcomes shuffled among those of the same date."""
    known = pc.is_valid(snapshots["churned"]).to_numpy(zero_copy_only=False)
    outcome = snapshots["churned"].fill_null(False).to_numpy(zero_copy_only=False).copy()
    as_of = instants(snapshots["as_of"])
    for date in np.unique(as_of[known]):
        here = np.flatnonzero(known & (as_of == date))
        outcome[here] = outcome[rng.permutation(here)]
    place = snapshots.schema.get_field_index("churned")
    return snapshots.set_column(place, snapshots.schema.field(place), pa.array(outcome, mask=~known))


def _between(values: np.ndarray) -> np.ndarray:
    """Margins as numbers between 0 and 1 in the same order."""
    return 1 / (1 + np.exp(-values))

"""Failing: what becomes of the scores of a model in use when a source tells nothing any more."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.backtest.day import Day
from churn.core.backtest.feeds import Feed, failed, instant_before
from churn.core.backtest.lists import first_by, rank_correlation
from churn.core.backtest.recipe import Recipe
from churn.core.metrics import auc
from churn.core.model import margins, score
from churn.words.errors import Fault

SILENCES = (7, 28, None)
"""Days for which a source has told nothing: a week nobody noticed, a month, and as if its file were empty."""
FEED, DAYS = "failed feed", "failed days"
"""Columns that say which rows are whose; no feature has a blank in its name."""


def silenced(
    events: pa.Table,
    attributes: pa.Table,
    recipe: Recipe,
    *,
    as_of: int,
    sources: Sequence[Feed],
) -> pa.Table:
    """FEATURES of a batch of whole customers at `as_of`, for each feed and silence, with the columns that say so."""
    events, attributes = recipe.looked_at(events, attributes)
    at = recipe.snapshots(events, np.array([as_of]))
    found = []
    for place, feed in enumerate(sources):
        for number, days in enumerate(SILENCES):
            left, said = failed(events, attributes, feed, since=instant_before(as_of, days))
            made = recipe.features(left, at, said)
            for name, value in ((FEED, place), (DAYS, number)):
                made = made.append_column(name, pa.array(np.full(at.num_rows, value)))
            found.append(made)
    return pa.concat_tables(found).unify_dictionaries().combine_chunks()


def failing(pieces: Sequence[pa.Table], day: Day, *, sources: Sequence[Feed], capacity: int) -> list[dict[str, Any]]:
    """One entry a feed and silence: how far the scores of the day's model move, and what the list loses.

    `moved_mean` and `moved_most` are of the absolute differences of probabilities, `score_mean` the mean probability
    before and after, `names_kept` how many of the first `capacity` by probability stay; AUC of those whose outcome is
    known.
    """
    whole = pa.concat_tables([piece for piece in pieces if piece.num_rows]).unify_dictionaries().combine_chunks()
    before, churned = day.scores["model"], day.churned[day.known]
    first = set(first_by(before, capacity).tolist())
    found = []
    for place, feed in enumerate(sources):
        for number, days in enumerate(SILENCES):
            rows = whole.filter(pc.and_(pc.equal(whole[FEED], place), pc.equal(whole[DAYS], number)))
            if not rows["customer_id"].combine_chunks().equals(day.customers):
                raise Fault(
                    f"{rows.num_rows:,} customers of a failed source are not the {len(day.customers):,} of the list"
                )
            after = score(day.learnt, margins(day.learnt, rows))
            if not np.isfinite(after).all():
                raise Fault(f"{int((~np.isfinite(after)).sum())} scores are no numbers when {feed.name} fails")
            moved = np.abs(after - before)
            found.append(
                {
                    "source": feed.name,
                    "days": days,
                    "customers": len(after),
                    "moved_mean": float(moved.mean()),
                    "moved_most": float(moved.max()),
                    "score_mean_before": float(before.mean()),
                    "score_mean": float(after.mean()),
                    "names_kept": len(first & set(first_by(after, capacity).tolist())),
                    "names": len(first),
                    "rank_correlation": rank_correlation(before, after),
                    "auc_before": auc(churned, before[day.known]),
                    "auc": auc(churned, after[day.known]),
                }
            )
    return found

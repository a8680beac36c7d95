"""Lists: what a team sees from one list to the next: names that come, names that go, and whether the order holds."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.backtest.day import Day
from churn.core.model.parts import iso


def changes(days: Sequence[Day], *, capacity: int) -> list[dict[str, Any]]:
    """One entry a pair of neighbouring lists: how many of the first `capacity` names change, and why.

    The names are those of the delivered list, the most money at risk first. `came_eligible` of the new names were no
    customers to be scored at the list before; `went_ineligible` of the names that are gone are none any more: they
    left, or are not live for another reason. All other changes are changes of mind. `rank_correlation` is Spearman's,
    of the probabilities of all who are on both lists.
    """
    return [_change(before, after, capacity) for before, after in pairwise(days)]


def summary(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What changes from list to list on average; empty with fewer than two lists.

    `rank_correlation` is the mean over the pairs that have one, NaN if none has.
    """
    if not found:
        return {}
    came, went = sum(one["came"] for one in found), sum(one["went"] for one in found)
    explained = sum(one["came_eligible"] + one["went_ineligible"] for one in found)
    agreed = [one["rank_correlation"] for one in found if np.isfinite(one["rank_correlation"])]
    return {
        "came": came / len(found),
        "kept": sum(one["kept"] for one in found) / len(found),
        "by_eligibility": explained / max(came + went, 1),
        "rank_correlation": float(np.mean(agreed)) if agreed else float("nan"),
    }


def first_names(day: Day, capacity: int) -> np.ndarray:
    """Places of the first customers of the delivered list: the most value at risk, then score, then id."""
    score = day.scores["model"]
    return np.lexsort((np.arange(len(score)), -score, -np.round(day.value * score, 2)))[:capacity]


def first_by(score: np.ndarray, capacity: int) -> np.ndarray:
    """Places of the first customers by score, equal ones in the order of their ids."""
    return np.argsort(-score, kind="stable")[:capacity]


def _change(before: Day, after: Day, capacity: int) -> dict[str, Any]:
    one, two = (day.customers.take(pa.array(first_names(day, capacity))) for day in (before, after))
    went, came = _not_in(one, two), _not_in(two, one)
    place = pc.index_in(before.customers, value_set=after.customers)
    both = place.is_valid().to_numpy(zero_copy_only=False)
    first = before.scores["model"][both]
    second = after.scores["model"][place.drop_null().to_numpy()]
    return {
        "from": iso(before.as_of),
        "to": iso(after.as_of),
        "kept": len(two) - len(came),
        "came": len(came),
        "went": len(went),
        "came_eligible": len(_not_in(came, before.customers)),
        "went_ineligible": len(_not_in(went, after.customers)),
        "on_both": int(both.sum()),
        "rank_correlation": rank_correlation(first, second),
    }


def rank_correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Spearman's rank correlation, equal values sharing their mean rank; NaN where one is constant.

    >>> rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 25.0]))
    1.0
    """
    ranks = np.vstack([_mean_ranks(values) for values in (one, two)])
    if len(one) < 2 or (np.ptp(ranks, axis=1) == 0).any():
        return float("nan")
    return float(np.corrcoef(ranks)[0, 1])


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    _, place, n = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(n) - (n - 1) / 2)[place]


def _not_in(some: pa.Array, others: pa.Array) -> pa.Array:
    return some.filter(pc.invert(pc.is_in(some, value_set=others)))

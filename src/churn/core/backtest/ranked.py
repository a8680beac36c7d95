"""Ranked: what the first customers of a list add up to, on many resamples at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranked:
    """Rows from the highest to the lowest: their old places, and where each distinct value starts."""

    order: np.ndarray
    starts: np.ndarray


def ranked(by: np.ndarray) -> Ranked:
    """The rows by falling `by`, shape `(n_rows,)`."""
    order = np.argsort(-by, kind="stable")
    falling = by[order]
    return Ranked(order, np.flatnonzero(np.concatenate(([True], falling[1:] != falling[:-1]))))


def at_depth(rows: Ranked, amounts: Sequence[np.ndarray], times: np.ndarray, k: int) -> list[np.ndarray]:
    """Rows in all, rows taken, and what each of the amounts adds up to over the first `k` rows.

    Where equal values straddle the border, each counts with the same fraction: the expectation over all ways to break
    the tie.

    Parameters
    ----------
    amounts : sequence of ndarray, shape (n_rows,)
        What a row is worth, in the order before ranking.
    times : ndarray, shape (n_resamples, n_rows)
        How often each row occurs in each resample, in that order.

    Returns
    -------
    list of ndarray, shape (n_resamples,)

    >>> by = ranked(np.array([0.5, 0.9, 0.5]))
    >>> [float(x[0]) for x in at_depth(by, [np.array([4.0, 1.0, 2.0])], np.ones((1, 3)), 2)]
    [3.0, 2.0, 4.0]
    """
    sorted_times = times[:, rows.order]
    total = _by_level(sorted_times, rows.starts)
    depth = np.cumsum(total, axis=1)
    inside = np.clip(k - (depth - total), 0, total)
    part = np.divide(inside, total, out=np.zeros_like(inside), where=total > 0)
    sums = [(part * _by_level(sorted_times * one[rows.order], rows.starts)).sum(axis=1) for one in amounts]
    return [depth[:, -1], np.minimum(k, depth[:, -1]), *sums]


def _by_level(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return values if len(starts) == values.shape[1] else np.add.reduceat(values, starts, axis=1)

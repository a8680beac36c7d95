"""How good a score is: metrics with exact definitions, of the rows as they are or of many resamples at once.

Every metric here depends on the rows only through three numbers at each distinct score: the score, how many customers
have it, and how many of them churned. Rows are therefore sorted once; a resample changes only the counts, so a thousand
resamples of 25,000 rows take seconds. Equal scores are one step: no metric depends on the order of tied rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from churn.words.errors import Fault, NotEnoughData

N_BINS = 10
"""Bins of the calibration error and of the reliability curve: tenths of the customers, as in the top decile."""

SMALLEST = float(np.finfo(np.float64).eps)
"""A score of 0 or 1 that proves wrong would cost infinitely much, so it is moved inside by this, as in scikit-learn."""

TOO_GOOD = 4.0
"""A model may leave a quarter of the distance to perfection that recency, frequency and money leave (docs/leaks.md)."""

TOP_DECILE = 0.1
"""The share of customers that the headline lift looks at."""


@dataclass(frozen=True)
class Levels:
    """Customers and churners at each distinct score, the highest first, in each resample.

    `p` has shape `(n_levels,)`; `total` and `churned` have shape `(n_resamples, n_levels)`.
    """

    p: np.ndarray
    total: np.ndarray
    churned: np.ndarray


@dataclass(frozen=True)
class Falling:
    """Rows by falling score, sorted once for all resamples.

    `order` (the rows' old places), `churned` (0 or 1) and `p` have shape `(n_rows,)`; `starts` is where each distinct
    score starts.
    """

    order: np.ndarray
    churned: np.ndarray
    p: np.ndarray
    starts: np.ndarray


def falling(churned: np.ndarray, p: np.ndarray) -> Falling:
    """The rows by falling score.

    Parameters
    ----------
    churned : np.ndarray
        Outcomes, bool, shape `(n_rows,)`.
    p : np.ndarray
        Probabilities of `churned`, shape `(n_rows,)`.

    Raises
    ------
    Fault
        If the shapes differ, or a probability is null or outside [0, 1]: a bug of whoever made it.
    """
    if churned.shape != p.shape or churned.ndim != 1 or churned.dtype != bool or not len(p):
        raise Fault(f"outcomes {churned.dtype}{churned.shape} and scores {p.shape}: wanted bool and one score a row")
    wrong = ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise Fault(f"{int(wrong.sum())} of {len(p)} scores are not between 0 and 1 (first: {p[wrong][0]})")
    order = np.argsort(-p, kind="stable")
    sorted_p = p[order].astype(np.float64)
    starts = np.flatnonzero(np.concatenate(([True], sorted_p[1:] != sorted_p[:-1])))
    return Falling(order, churned[order].astype(np.float64), sorted_p, starts)


def counted(rows: Falling, times: np.ndarray) -> Levels:
    """Levels of resamples in which sorted row j occurs `times[i, j]` times."""
    total, churned = times, times * rows.churned
    if len(rows.starts) < len(rows.p):
        total, churned = (np.add.reduceat(x, rows.starts, axis=1) for x in (total, churned))
    return Levels(rows.p[rows.starts], total, churned)


def levels(churned: np.ndarray, p: np.ndarray) -> Levels:
    """Customers and churners at each distinct score of the rows as they are: shapes `(1, n_levels)`."""
    return counted(falling(churned, p), np.ones((1, len(p))))


def base_rate(churned: np.ndarray, p: np.ndarray) -> float:
    """The share of rows that churned; `p` plays no part.

    >>> base_rate(np.array([True, False, False, True]), np.full(4, 0.5))
    0.5
    """
    return float(_base_rate(levels(churned, p))[0])


def auc(churned: np.ndarray, p: np.ndarray) -> float:
    """The chance that a churner has a higher score than a customer who stayed; a tie counts one half.

    Area under the ROC curve as the statistic of Mann and Whitney (Hanley and McNeil 1982, Radiology 143). NaN when
    only one outcome occurs.

    >>> auc(np.array([True, False, False]), np.array([0.5, 0.5, 0.1]))
    0.75
    """
    return float(_auc(levels(churned, p))[0])


def average_precision(churned: np.ndarray, p: np.ndarray) -> float:
    """The precision at each distinct score, weighted by the recall that it adds; not interpolated.

    `sum((recall[i] - recall[i - 1]) * precision[i])`, as scikit-learn computes it. NaN without churners.

    >>> average_precision(np.array([True, False, True]), np.array([0.9, 0.5, 0.1]))  # 1/2 * 1/1 + 1/2 * 2/3
    0.8333333333333333
    """
    return float(_average_precision(levels(churned, p))[0])


def log_loss(churned: np.ndarray, p: np.ndarray) -> float:
    """The mean of `-log(p)` over churners and `-log(1 - p)` over the others, in nats (Good 1952).

    >>> round(log_loss(np.array([True, False]), np.array([0.5, 0.5])), 6)
    0.693147
    """
    return float(_log_loss(levels(churned, p))[0])


def brier(churned: np.ndarray, p: np.ndarray) -> float:
    """The mean squared difference between the outcome (1 or 0) and the probability (Brier 1950).

    >>> brier(np.array([True, False]), np.array([0.5, 0.0]))
    0.125
    """
    return float(_brier(levels(churned, p))[0])


def calibration_error(churned: np.ndarray, p: np.ndarray) -> float:
    """The mean difference between churned share and mean probability over ten bins, weighted by their rows.

    Expected calibration error (Naeini, Cooper and Hauskrecht 2015, AAAI) in bins of **equal count**: most customers
    have low scores, so bins of equal width would put nearly all of them into two bins and judge the upper ones, which
    the team acts upon, by a handful of rows. Equal scores share the bin of their middle rank.

    >>> calibration_error(np.array([True, False, False, False]), np.full(4, 0.5))
    0.25
    """
    return float(_calibration_error(levels(churned, p))[0])


def lift(churned: np.ndarray, p: np.ndarray, share: float = TOP_DECILE) -> float:
    """The churned share among the `share` of rows with the highest scores, as a multiple of the base rate.

    Exactly `share * n_rows` rows count, the last one in part; where equal scores straddle the border, each counts with
    the same fraction, which is the expectation over all ways to break the tie. NaN without churners.

    >>> lift(np.array([True] + [False] * 9), np.arange(10, 0, -1) / 10)
    10.0
    """
    return float(_lift(levels(churned, p), share)[0])


def caught(churned: np.ndarray, p: np.ndarray, k: int | np.ndarray) -> np.ndarray:
    """Expected churners among the `k` rows with the highest scores, ties broken by lot; shape of `k`.

    >>> caught(np.array([True, True, False, False]), np.array([0.9, 0.5, 0.5, 0.1]), np.array([1, 2, 3])).tolist()
    [1.0, 1.5, 2.0]
    """
    depth, hits = (x[0] for x in _path(levels(churned, p)))
    return np.interp(k, depth, hits)


def recall_depth(churned: np.ndarray, p: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """How many rows, highest scores first, hold the share `recall` of the churners; the inverse of `caught`.

    >>> recall_depth(np.array([True, False, True]), np.array([0.9, 0.5, 0.1]), np.array([0.5, 1.0])).tolist()
    [1.0, 3.0]
    """
    depth, hits = (x[0] for x in _path(levels(churned, p)))
    wanted = np.asarray(recall) * hits[-1]
    # The first step that reaches what is wanted; it holds a churner, so the division below has a divisor.
    after = np.searchsorted(hits, wanted, side="left").clip(min=1)
    part = (wanted - hits[after - 1]) / (hits[after] - hits[after - 1])
    return depth[after - 1] + part * (depth[after] - depth[after - 1])


def bins(p: np.ndarray) -> np.ndarray:
    """The bin of `calibration_error` in which each row is, from 0 for the lowest scores, shape `(n_rows,)`.

    There are fewer than ten where many rows have the same score.

    >>> bins(np.array([0.9, 0.1, 0.1])).tolist()
    [8, 3, 3]
    """
    found = levels(np.zeros(len(p), bool), p)
    return N_BINS - 1 - _bin(found)[0][np.searchsorted(-found.p, -p.astype(np.float64))]


def metrics(churned: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Every metric of `METRICS` by name.

    Raises
    ------
    NotEnoughData
        If all rows have the same outcome, so that nothing can be told apart.
    """
    if churned.all() or not churned.any():
        raise NotEnoughData(
            f"{int(churned.sum())} of {len(churned)} customers churned, so no metric can be computed; evaluate on more "
            f"customers, or choose a definition that both outcomes meet"
        )
    found = levels(churned, p)
    return {name: float(metric(found)[0]) for name, metric in METRICS.items()}


def _path(found: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Customers and churners at or above each score, starting from none; shape `(n_resamples, n_levels + 1)`."""
    none = np.zeros((len(found.total), 1))
    depth, hits = (np.concatenate((none, np.cumsum(x, axis=1)), axis=1) for x in (found.total, found.churned))
    return depth, hits


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, NaN where there is no whole."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def _base_rate(found: Levels) -> np.ndarray:
    return _share(found.churned.sum(axis=1), found.total.sum(axis=1))


def _auc(found: Levels) -> np.ndarray:
    stayed = found.total - found.churned
    above = np.cumsum(found.churned, axis=1) - found.churned / 2
    return _share((stayed * above).sum(axis=1), found.churned.sum(axis=1) * stayed.sum(axis=1))


def _average_precision(found: Levels) -> np.ndarray:
    hits, depth = np.cumsum(found.churned, axis=1), np.cumsum(found.total, axis=1)
    precision = np.divide(hits, depth, out=np.zeros_like(hits), where=depth > 0)
    return _share((found.churned * precision).sum(axis=1), hits[:, -1])


def _log_loss(found: Levels) -> np.ndarray:
    p = np.clip(found.p, SMALLEST, 1 - SMALLEST)
    loss = found.churned @ -np.log(p) + (found.total - found.churned) @ -np.log1p(-p)
    return _share(loss, found.total.sum(axis=1))


def _brier(found: Levels) -> np.ndarray:
    loss = found.churned @ (1 - found.p) ** 2 + (found.total - found.churned) @ found.p**2
    return _share(loss, found.total.sum(axis=1))


def _bin(found: Levels) -> np.ndarray:
    """The tenth, from 0 for the highest scores, in which the middle rank of each level falls."""
    depth = np.cumsum(found.total, axis=1)
    middle = (depth - found.total / 2) / depth[:, -1:]
    return np.minimum((middle * N_BINS).astype(np.int64), N_BINS - 1)


def _calibration_error(found: Levels) -> np.ndarray:
    n = len(found.total)
    place = _bin(found) + np.arange(n)[:, None] * N_BINS
    excess = np.bincount(place.ravel(), (found.churned - found.total * found.p).ravel(), minlength=n * N_BINS)
    return _share(np.abs(excess).reshape(n, N_BINS).sum(axis=1), found.total.sum(axis=1))


def _lift(found: Levels, share: float = TOP_DECILE) -> np.ndarray:
    depth = np.cumsum(found.total, axis=1)
    wanted = share * depth[:, -1:]
    inside = np.clip(wanted - (depth - found.total), 0, found.total)
    part = np.divide(inside, found.total, out=np.zeros_like(inside), where=found.total > 0)
    hits = (part * found.churned).sum(axis=1)
    return _share(hits / wanted[:, 0], _base_rate(found))


def honest_most(simple: float) -> float:
    """The AUC above which a model must know the outcome, given what recency, frequency and money reach.

    >>> honest_most(0.8)
    0.95
    """
    return 1 - (1 - max(simple, 0.5)) / TOO_GOOD


METRICS: dict[str, Callable[[Levels], np.ndarray]] = {
    "base_rate": _base_rate,
    "auc": _auc,
    "ap": _average_precision,
    "logloss": _log_loss,
    "brier": _brier,
    "ece": _calibration_error,
    "lift10": _lift,
}
"""Every metric by the name that it has in reports, from levels to an array of shape `(n_resamples,)`."""

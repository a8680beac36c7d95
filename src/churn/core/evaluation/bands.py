"""Bands: whether a probability of 0.3 means 30 of 100, band by band, and what the Brier score is made of."""

from typing import Any

import numpy as np

from churn.core import metrics
from churn.core.evaluation.curves import wilson
from churn.core.evaluation.groups import run_of, runs

EDGES = np.array([0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""Where bands begin and end. Tenths, so that a reader finds a probability at once; the first one in four, since
where few churn most customers are in it."""


def bands(
    churned: np.ndarray, p: np.ndarray, customers: np.ndarray, *, interval: float, least: int, alone: float = 1.0
) -> list[dict[str, float]]:
    """One entry per band that holds a row, the lowest first; bands of few customers are put together.

    `low` and `high` bound the probabilities, `[low, high)`, the last band with its end. `n` rows, their mean `score`,
    the share `churned` of them, and the ends of its interval (Wilson 1927).

    Parameters
    ----------
    churned, p : np.ndarray
        Outcomes, bool, and probabilities, shape `(n_rows,)`.
    customers : np.ndarray
        Whole numbers, one for each customer, shape `(n_rows,)`.
    interval : float
        Probability that the intervals cover.
    least : int
        Customers of a band, at least: in a band of six, one of them could be recognised.
    alone : float
        Customers for each row: rows of one customer repeat each other, and count as often as there are customers.
    """
    place = _band(p)
    shown = runs(place, customers, least)
    found = _counted(churned, p, run_of(place, shown), interval=interval, alone=alone)
    ends = [{"low": float(EDGES[first]), "high": float(EDGES[last + 1])} for first, last in shown]
    return [end | one for end, one in zip(ends, found, strict=True)]


def tenths(
    churned: np.ndarray, p: np.ndarray, customers: np.ndarray, *, interval: float, least: int, alone: float
) -> dict[str, Any]:
    """`bins` and `brier` of one group of customers: at most ten bins of equal count, the lowest probabilities first.

    `bins` are as `bands` gives them, without ends: fixed ends, as those of the bands of all customers, would let
    somebody subtract the groups from the whole, down to one customer. `brier`: the parts over these bins.
    """
    many = int(np.clip(len(np.unique(customers)) // least, 1, metrics.N_BINS))
    place = of_equal_count(p, many)
    run = run_of(place, runs(place, customers, least))
    return {
        "bins": _counted(churned, p, run, interval=interval, alone=alone),
        "brier": brier_parts(churned, p, run),
    }


def of_equal_count(p: np.ndarray, many: int) -> np.ndarray:
    """Of each row, which of so many bins of equal count it is in, from 0 for the lowest probabilities.

    Equal ones share the bin of their middle rank, as in `churn.core.metrics.calibration_error`.

    >>> of_equal_count(np.array([0.9, 0.1, 0.1]), 10).tolist()
    [8, 3, 3]
    """
    rising = np.sort(p)
    middle = (np.searchsorted(rising, p, "left") + np.searchsorted(rising, p, "right")) / (2 * len(p))
    return np.minimum((middle * many).astype(np.int64), many - 1)


def _counted(
    churned: np.ndarray, p: np.ndarray, run: np.ndarray, *, interval: float, alone: float
) -> list[dict[str, float]]:
    n, hits, mass = (np.bincount(run, x) for x in (np.ones(len(p)), churned, p))
    lowest, highest = wilson(hits * alone, n * alone, interval)
    return [
        {
            "n": int(n[i]),
            "score": float(mass[i] / n[i]),
            "churned": float(hits[i] / n[i]),
            "churned_low": float(lowest[i]),
            "churned_high": float(highest[i]),
        }
        for i in range(len(n))
    ]


def brier_parts(churned: np.ndarray, p: np.ndarray, place: np.ndarray | None = None) -> dict[str, float]:
    """What the Brier score is made of, over bands: reliability - resolution + uncertainty + within.

    `place` says in which band each row is, as whole numbers from 0; None: those of `EDGES`.

    `reliability`: how far the probabilities of a band are from its churned share; 0 is best. `resolution`: how far the
    bands' churned shares are from the base rate; more is better. `uncertainty`: what the base rate alone costs
    (Murphy 1973, A new vector partition of the probability score). `within`: since a band holds different
    probabilities, their variance less twice their covariance with the outcome (Stephenson, Coelho and Jolliffe 2008,
    Two extra components in the Brier score decomposition); below 0 where they tell churners apart inside a band.
    """
    place, y = _band(p) if place is None else place, churned.astype(np.float64)
    n = np.bincount(place)
    many = np.maximum(n, 1)
    mean, share = (np.bincount(place, x, minlength=len(n)) / many for x in (p, y))
    base = y.mean()
    apart, outcome = p - mean[place], y - share[place]
    return {
        "reliability": float(np.sum(n * (mean - share) ** 2) / len(p)),
        "resolution": float(np.sum(n * (share - base) ** 2) / len(p)),
        "uncertainty": float(base * (1 - base)),
        "within": float(np.mean(apart**2 - 2 * apart * outcome)),
    }


def _band(p: np.ndarray) -> np.ndarray:
    return np.minimum(np.searchsorted(EDGES, p, side="right") - 1, len(EDGES) - 2)

"""Curves as tables, one column a model, and what a team of a given capacity would catch."""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from churn.core.evaluation.groups import run_of, runs
from churn.core.metrics import bins, caught, recall_depth

STEPS = np.arange(1, 101) / 100
"""Every hundredth of the customers, or of the churners: as fine as a chart can show."""


def curves(
    churned: np.ndarray,
    scores: Mapping[str, np.ndarray],
    customers: np.ndarray,
    *,
    interval: float,
    least: int,
    alone: float,
) -> dict[str, pa.Table]:
    """The curves by name; each row is one point.

    `lift`, `gain`: at `share` of the customers contacted, one column per model. `precision_recall`: precision at
    `recall`, one column per model. `reliability`: tenths of the rows by the first model's score, see there.
    """
    depth = STEPS * len(churned)
    gain = {name: caught(churned, p, depth) / churned.sum() for name, p in scores.items()}
    wanted = STEPS * churned.sum()
    precision = {name: wanted / recall_depth(churned, p, STEPS) for name, p in scores.items()}
    return {
        "lift": _table({"share": STEPS, **{name: found / STEPS for name, found in gain.items()}}),
        "gain": _table({"share": STEPS, **gain}),
        "precision_recall": _table({"recall": STEPS, **precision}),
        "reliability": reliability(
            churned, next(iter(scores.values())), customers, interval=interval, least=least, alone=alone
        ),
    }


def reliability(
    churned: np.ndarray, p: np.ndarray, customers: np.ndarray, *, interval: float, least: int, alone: float
) -> pa.Table:
    """One row per bin of the calibration error, the lowest scores first, neighbours together until they have `least`
    customers: `n` rows, mean `score`, `churned_share` with the ends `low` and `high` of its interval.

    `alone`: customers for each row, as in `churn.core.evaluation.bands.bands`.
    """
    place = bins(p)
    run = run_of(place, runs(place, customers, least))
    n, hits, mass = (np.bincount(run, x) for x in (np.ones(len(p)), churned, p))
    low, high = wilson(hits * alone, n * alone, interval)
    return _table({"n": n, "score": mass / n, "churned_share": hits / n, "low": low, "high": high})


def wilson(hits: np.ndarray, n: np.ndarray, interval: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of a binomial share; it stays within [0, 1] and holds up at 0 hits (Wilson 1927).

    >>> low, high = wilson(np.array([0]), np.array([10]), 0.95)
    >>> float(low[0]), round(float(high[0]), 4)
    (0.0, 0.2775)
    """
    z = NormalDist().inv_cdf((1 + interval) / 2)
    # One division at the end: so the lower end is exactly 0 at no hits.
    middle = hits + z * z / 2
    half = z * np.sqrt(hits * (n - hits) / n + z * z / 4)
    return np.maximum((middle - half) / (n + z * z), 0.0), np.minimum((middle + half) / (n + z * z), 1.0)


def at_capacity(churned: np.ndarray, scores: Mapping[str, np.ndarray], as_of: np.ndarray, capacity: int) -> dict:
    """What contacting the `capacity` highest scores at each as_of would have met.

    Parameters
    ----------
    as_of : np.ndarray
        Whole numbers from 0, one for each as_of, shape `(n_rows,)`.

    Returns
    -------
    dict
        `k` (customers contacted in all), and for each model `caught` (expected churners among them, ties broken by
        lot), `precision` (their share) and `recall` (share of all churners).
    """
    parts = [np.flatnonzero(as_of == i) for i in range(int(as_of.max()) + 1)]
    k = sum(min(capacity, len(rows)) for rows in parts)
    found: dict = {"k": k}
    for name, p in scores.items():
        hits = sum(float(caught(churned[rows], p[rows], min(capacity, len(rows)))) for rows in parts)
        found[name] = {"caught": hits, "precision": hits / k, "recall": hits / churned.sum()}
    return found


def _table(columns: Mapping[str, np.ndarray]) -> pa.Table:
    """The columns rounded to what a chart can show, so that the file stays small and equal on every processor."""
    return pa.table({name: np.round(values.astype(np.float64), 6) for name, values in columns.items()})

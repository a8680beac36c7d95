"""How sure a metric is: the same metric on many resamples of the customers."""

from collections.abc import Iterator, Mapping

import numpy as np

from churn.core.metrics import METRICS, counted, falling

CELLS = 2_000_000
"""Resamples times rows held at once: 16 MB an array. More is slower, since it leaves the processor's cache."""


def replicates(
    churned: np.ndarray, scores: Mapping[str, np.ndarray], customers: np.ndarray, *, bootstrap: int, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """Every metric of every model on the same resamples of the customers: model → metric → shape `(bootstrap,)`.

    A resample draws as many customers as there are, with replacement, and takes all rows of each (Field and Welsh 2007,
    J. R. Stat. Soc. B 69): the rows of one customer are not independent. Since all models meet the same resamples,
    differences between them are paired. A metric is NaN in a resample that has one outcome only.

    Parameters
    ----------
    churned : np.ndarray
        Outcomes, bool, shape `(n_rows,)`.
    scores : Mapping[str, np.ndarray]
        Model → probabilities, each of shape `(n_rows,)`.
    customers : np.ndarray
        Whole numbers from 0, one for each customer, shape `(n_rows,)`.
    """
    sorted_rows = {name: falling(churned, p) for name, p in scores.items()}
    collected: dict[str, dict[str, list[np.ndarray]]] = {name: {m: [] for m in METRICS} for name in scores}
    for drawn in drawn_customers(int(customers.max()) + 1, len(customers), bootstrap=bootstrap, seed=seed):
        for name, rows in sorted_rows.items():
            found = counted(rows, drawn[:, customers[rows.order]])
            for metric, function in METRICS.items():
                collected[name][metric].append(function(found))
    return {name: {m: np.concatenate(parts) for m, parts in by.items()} for name, by in collected.items()}


def interval_of(
    estimate: float, resampled: np.ndarray, interval: float, *, pivotal: bool = False
) -> tuple[float, float]:
    """Low and high end of the bootstrap interval that covers `interval`, for instance .95.

    The percentile interval (Efron 1979); with `pivotal` it is mirrored at the estimate (Davison and Hinkley 1997,
    section 5.2), cut off at zero and widened to hold the estimate. That is for the calibration error alone: noise
    within the bins only ever adds to it, so a resample exceeds the sample as the sample exceeds the truth.
    """
    tail = (1 - interval) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    if not pivotal:
        return float(low), float(high)
    return max(0.0, min(estimate, float(2 * estimate - high))), max(estimate, float(2 * estimate - low))


def drawn_customers(n_customers: int, n_rows: int, *, bootstrap: int, seed: int) -> Iterator[np.ndarray]:
    """How often each customer is drawn, in pieces of shape `(some resamples, n_customers)`."""
    generator = np.random.default_rng(seed)
    at_once = max(1, CELLS // n_rows)
    for first in range(0, bootstrap, at_once):
        n = min(at_once, bootstrap - first)
        drawn = generator.integers(0, n_customers, size=(n, n_customers)) + np.arange(n)[:, None] * n_customers
        yield np.bincount(drawn.ravel(), minlength=n * n_customers).reshape(n, n_customers).astype(np.float64)

"""What a model saves where each customer's mistakes have their own price."""

from collections.abc import Mapping

import numpy as np

from churn.core.resamples import interval_of

HALF = 0.5


def savings(
    churned: np.ndarray,
    scores: Mapping[str, np.ndarray],
    customers: np.ndarray,
    costs: Mapping[str, np.ndarray],
    *,
    seed: int,
    bootstrap: int,
    interval: float,
) -> dict[str, dict[str, float]]:
    """Of each model `savings` and `savings_at_half`, with intervals over customers, and the first model less it.

    Savings are the share of the costs that decisions avoid, compared with the better of contacting all and nobody
    (Bahnsen, Aouada and Ottersten 2015). A customer is contacted if that is expected to cost less: from the
    probability `(fp - tn) / (fp - tn + fn - tp)` of his own on; or, to see what that is worth, from 0.5 on.

    Parameters
    ----------
    churned, customers
        See `churn.core.evaluation.comparison.compare`.
    costs : mapping of str to np.ndarray
        `tp_cost`, `fp_cost`, `tn_cost`, `fn_cost` of each row: contacted churners, contacted stayers, and so on.
    """
    n = int(customers.max()) + 1
    generator = np.random.default_rng(seed)
    drawn = np.stack([np.bincount(generator.integers(0, n, n), minlength=n) for _ in range(bootstrap)]).astype(float)
    once = np.ones((1, n))
    tp, fp, tn, fn = (costs[f"{kind}_cost"] for kind in ("tp", "fp", "tn", "fn"))
    contacted, left = np.where(churned, tp, fp), np.where(churned, fn, tn)
    least = (fp - tn) / (fp - tn + fn - tp)

    def saved(times: np.ndarray, decided: np.ndarray) -> np.ndarray:
        spent, all_spent, none_spent = (
            times @ np.bincount(customers, cost, minlength=n)
            for cost in (np.where(decided, contacted, left), contacted, left)
        )
        return 1 - spent / np.minimum(all_spent, none_spent)

    found: dict[str, dict[str, float]] = {}
    resampled: dict[str, np.ndarray] = {}
    first = next(iter(scores))
    for model, p in scores.items():
        estimate = float(saved(once, p >= least)[0])
        resampled[model] = saved(drawn, p >= least)
        found[model] = {
            "savings": estimate,
            **_ends("savings", estimate, resampled[model], interval),
            "savings_at_half": float(saved(once, p >= HALF)[0]),
        }
        if model != first:
            less = found[first]["savings"] - estimate
            ends = _ends("ours_less_savings", less, resampled[first] - resampled[model], interval)
            found[model] |= {"ours_less_savings": less, **ends}
    return found


def _ends(name: str, estimate: float, resampled: np.ndarray, interval: float) -> dict[str, float]:
    low, high = interval_of(estimate, resampled, interval)
    return {f"{name}_low": low, f"{name}_high": high}

"""From margin to score: a monotone map, fitted on snapshots that the model has not learnt from, stored as JSON.

`{"kind": "platt", "intercept": a, "slope": b}`: score = 1 / (1 + exp(-(a + b * margin))).
`{"kind": "isotonic", "margins": [...], "scores": [...]}`: straight lines between these points, flat outside.
`{"kind": "none"}`: score = 1 / (1 + exp(-margin)).
"""

from typing import Literal

import numpy as np

Kind = Literal["platt", "isotonic", "none"]

SLOPE_LEAST = 0.01
"""A model that tells nothing may meet a calibration part in which it tells the opposite. A slope of zero or less would
tie or turn the order; this one keeps it and gives everybody nearly the base rate."""


def fit_map(margins: np.ndarray, churned: np.ndarray, *, kind: Kind, weights: np.ndarray | None = None) -> dict:
    """The map of that kind, as JSON can hold it, with the rows and churners that it was fitted on.

    Parameters
    ----------
    margins : ndarray, shape (n_rows,)
        Log-odds, of rows that the model was not fitted on.
    churned : ndarray of bool, shape (n_rows,)
    kind : {"platt", "isotonic", "none"}
        Two numbers; a staircase, which wants some thousand rows; nothing.
    weights : ndarray, shape (n_rows,), or None
        How many snapshots each row stands for; None: itself.
    """
    fitted = {"platt": _platt, "isotonic": _isotonic, "none": _none}[kind](margins, churned, weights)
    return {"kind": kind, **fitted, "rows": len(churned), "churners": int(churned.sum())}


def calibrated(fitted: dict, margins: np.ndarray) -> np.ndarray:
    """Score of each margin, shape `(n_rows,)`, between 0 and 1, never falling where the margin rises."""
    if fitted["kind"] == "isotonic":
        return np.interp(margins, fitted["margins"], fitted["scores"])
    if fitted["kind"] == "platt":
        return sigmoid(fitted["intercept"] + fitted["slope"] * margins)
    return sigmoid(margins)


def moved(fitted: dict, by: float) -> dict:
    """The same map for margins that lie higher by `by`: the score of `margin + by` is what that of `margin` was.

    A refitted model has learnt the base rate of newer rows, which the map has already put right for the older model;
    without this, the change would count twice.
    """
    if fitted["kind"] == "platt":
        return {**fitted, "intercept": fitted["intercept"] - fitted["slope"] * by}
    if fitted["kind"] == "isotonic":
        return {**fitted, "margins": [margin + by for margin in fitted["margins"]]}
    return fitted


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Probability of each log-odds, without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))


def line(x: np.ndarray, churned: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """Intercept and slope of the log-odds of churned over x: a logistic regression on one variable.

    Targets are drawn in from 0 and 1 by one pseudo-count a class, so that perfectly separated rows have an answer
    (Platt, Probabilistic outputs for support vector machines, 1999). Newton steps, halved while they make it worse.
    """
    if weights is None:
        weights = np.ones(len(x))
    total, positives = weights.sum(), weights[churned].sum()
    target = np.where(churned, (positives + 1) / (positives + 2), 1 / (total - positives + 2))
    centre = np.average(x, weights=weights)
    spread = np.sqrt(np.average((x - centre) ** 2, weights=weights)) or 1.0
    z = np.column_stack([np.ones(len(x)), (x - centre) / spread])
    answer = np.array([np.log((weights @ target) / (weights @ (1 - target))), 0.0])
    for _ in range(100):
        probability = sigmoid(z @ answer)
        # The ridge only speaks where the curvature has died away, or x is constant.
        curvature = (z * (weights * probability * (1 - probability))[:, None]).T @ z + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, z.T @ (weights * (target - probability)))
        least = _loss(z @ answer, target, weights) + 1e-12
        while _loss(z @ (answer + step), target, weights) > least and np.abs(step).max() > 1e-12:
            step = step / 2
        answer = answer + step
        if np.abs(step).max() < 1e-10:
            break
    slope = float(answer[1] / spread)
    return float(answer[0] - slope * centre), slope


def _loss(log_odds: np.ndarray, target: np.ndarray, weights: np.ndarray) -> float:
    return float(np.average(np.logaddexp(0.0, log_odds) - target * log_odds, weights=weights))


def _platt(margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None) -> dict:
    intercept, slope = line(margins, churned, weights)
    if slope < SLOPE_LEAST:
        flat = line(np.zeros(len(margins)), churned, weights)[0]
        intercept, slope = flat - SLOPE_LEAST * float(np.average(margins, weights=weights)), SLOPE_LEAST
    return {"intercept": intercept, "slope": slope}


def _isotonic(margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None) -> dict:
    from sklearn.isotonic import IsotonicRegression

    # Half a churner more and less than were seen: a probability of exactly 0 or 1 costs infinite log loss when wrong.
    least = 0.5 / (len(margins) + 1)
    staircase = IsotonicRegression(y_min=least, y_max=1 - least)
    staircase.fit(margins, churned.astype(np.float64), sample_weight=weights)
    return {"margins": staircase.X_thresholds_.tolist(), "scores": staircase.y_thresholds_.tolist()}


def _none(_margins: np.ndarray, _churned: np.ndarray, _weights: np.ndarray | None) -> dict:
    return {}

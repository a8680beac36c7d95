"""Logistic regression on a column or two, by Newton's method: what maps and rules are made of."""

import numpy as np


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Probability of each log-odds, without overflow at either end."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(log_odds, dtype=np.float64)))


def line(x: np.ndarray, churned: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """Intercept and slope of the log-odds of churned over x: a logistic regression on one variable."""
    intercept, slope = regression(x[:, None], churned, weights)
    return float(intercept), float(slope)


def regression(
    x: np.ndarray,
    churned: np.ndarray,
    weights: np.ndarray | None,
    offset: np.ndarray | float = 0.0,
    ridge: float = 0.0,
) -> np.ndarray:
    """Intercept and slopes of the log-odds of churned, less the offset, over the columns of x: a logistic regression.

    `ridge` times half the sum of the squared slopes is added to the sum of the loss. Targets are drawn in from 0 and 1
    by one pseudo-count a class, so that perfectly separated rows have an answer (Platt, Probabilistic outputs for
    support vector machines, 1999). Newton steps, halved while they make it worse.
    """
    if weights is None:
        weights = np.ones(len(x))
    total, positives = weights.sum(), weights[churned].sum()
    target = np.where(churned, (positives + 1) / (positives + 2), 1 / (total - positives + 2))
    centre = np.average(x, axis=0, weights=weights)
    spread = np.sqrt(np.average((x - centre) ** 2, axis=0, weights=weights))
    spread[spread == 0] = 1.0
    z = np.column_stack([np.ones(len(x)), (x - centre) / spread])
    # A tiny ridge only speaks where the curvature has died away, or x is constant.
    penalty = np.array([0.0, *(ridge / spread**2)]) + 1e-9

    def loss(at: np.ndarray) -> float:
        return loss_of(z @ at + offset, target, weights) + float(penalty @ at**2) / (2 * total)

    answer = np.zeros(z.shape[1])
    answer[0] = np.log((weights @ target) / (weights @ (1 - target)))
    answer[0] -= np.average(np.broadcast_to(offset, len(x)), weights=weights)
    for _ in range(100):
        probability = sigmoid(z @ answer + offset)
        curvature = (z * (weights * probability * (1 - probability))[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(curvature, z.T @ (weights * (target - probability)) - penalty * answer)
        least = loss(answer) + 1e-12
        while loss(answer + step) > least and np.abs(step).max() > 1e-12:
            step = step / 2
        answer = answer + step
        if np.abs(step).max() < 1e-10:
            break
    slopes = answer[1:] / spread
    return np.array([answer[0] - slopes @ centre, *slopes])


def loss_of(log_odds: np.ndarray, target: np.ndarray, weights: np.ndarray) -> float:
    """Mean log loss; `target` lies between 0 and 1."""
    return float(np.average(np.logaddexp(0.0, log_odds) - target * log_odds, weights=weights))

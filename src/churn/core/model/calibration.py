"""From margin to score: a monotone map, fitted on snapshots that the model has not learnt from, stored as JSON.

`{"kind": "platt", "intercept": a, "slope": b}`, and the same with "shrunk": score = 1 / (1 + exp(-(a + b * margin))).
`{"kind": "beta", "intercept": c, "slopes": [a, b], "shift": s}`: log-odds c + a ln p - b ln(1 - p) of the score,
where p is the logistic function of margin - s.
`{"kind": "isotonic", "margins": [...], "scores": [...]}`: straight lines between these points, flat outside.
`{"kind": "none"}`: score = 1 / (1 + exp(-margin)).
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from churn.core.model import intervals
from churn.core.model.regression import line, loss_of, regression, sigmoid
from churn.words.errors import Fault

Kind = Literal["chosen", "shrunk", "platt", "beta", "isotonic", "none"]

SLOPE_LEAST = 0.01
"""A model that tells nothing may meet a calibration part in which it tells the opposite. A slope of zero or less would
tie or turn the order; this one keeps it and gives everybody nearly the base rate."""

SLOPE_INFORMATION = 0.15**-2
"""Before any outcome is seen, on the slope that margins need which were fitted to outcomes: a deviation of .15 about 1.
Calibration parts of all our data asked trees for .86 to 1.24 (docs/decisions/0023-platts-map-with-a-prior.md)."""

TINY = 1e-12
"""A score of 0 or 1 that proves wrong would cost infinitely much."""
OUTCOMES_LEAST = 50
"""Churners, and stayers, in each of the slices by which a map is chosen. With fewer, the log losses of maps differ by
chance alone, and `shrunk` is taken."""


LINES = ("shrunk", "platt")
"""The kinds whose map is a line through the log-odds."""


class Rows(NamedTuple):
    """Log-odds and outcome of rows, and how many snapshots each stands for; None: itself. All of shape `(n_rows,)`."""

    margins: np.ndarray
    churned: np.ndarray
    weights: np.ndarray | None

    def at(self, chosen: np.ndarray) -> "Rows":
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[chosen]
        return Rows(self.margins[chosen], self.churned[chosen], weights)

    @property
    def offset(self) -> float:
        """What a sample that keeps one outcome more often than the other adds to the log-odds of its rows."""
        if self.weights is None or self.churned.all() or not self.churned.any():
            return 0.0
        return float(np.log(self.weights[~self.churned].mean() / self.weights[self.churned].mean()))


def fit_map(
    margins: np.ndarray,
    churned: np.ndarray,
    *,
    kind: Kind,
    weights: np.ndarray | None = None,
    later: np.ndarray | None = None,
    spread: np.ndarray | None = None,
    earlier: Rows | None = None,
) -> dict:
    """The map of that kind, as JSON can hold it, with the rows and churners that it was fitted on.

    Under "interval" it says how wide the intervals of scores are, see `churn.core.model.intervals`.

    Parameters
    ----------
    margins : ndarray, shape (n_rows,)
        Log-odds, of rows that the model was not fitted on.
    churned : ndarray of bool, shape (n_rows,)
    kind : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        `chosen`: the simplest of the others that predicts the later rows as well as the best, fitted on all; the map
        says under "choice" how it was found. The others: two numbers, of which the slope is drawn towards 1, for
        margins that were fitted to outcomes; two numbers; three; a staircase, which wants some thousand rows; nothing.
    weights : ndarray, shape (n_rows,), or None
        How many snapshots each row stands for; None: itself.
    later : ndarray of bool, shape (n_rows,), or None
        The rows that judge what was fitted on the others, see `churn.core.model.parts.Learning`; `chosen` needs it.
    spread : ndarray, shape (n_rows,), or None
        How far the members of the model in use are apart, as a standard deviation in log-odds; None: it has none.
    earlier : Rows or None
        Rows of an earlier part that the model was not fitted on. Intervals are judged on all rows by a map of these;
        without them on the later rows by a map of the others.
    """
    used, choice = _choice(margins, churned, weights, later) if kind == "chosen" else (kind, {})
    fitted = _FITS[used](margins, churned, weights)
    rows = Rows(margins, churned, weights)
    found = {"kind": used, **fitted, **choice, "rows": len(churned), "churners": int(churned.sum())}
    one = np.ones(len(margins)) if spread is None else spread
    return {**found, "interval": _interval(found, rows, one, later, earlier)}


def calibrated(fitted: dict, margins: np.ndarray) -> np.ndarray:
    """Score of each margin, shape `(n_rows,)`, between 0 and 1, never falling where the margin rises."""
    if fitted["kind"] == "isotonic":
        return np.interp(margins, fitted["margins"], fitted["scores"])
    if fitted["kind"] in LINES:
        return sigmoid(fitted["intercept"] + fitted["slope"] * margins)
    if fitted["kind"] == "beta":
        return sigmoid(fitted["intercept"] + _logs(margins - fitted["shift"]) @ np.array(fitted["slopes"]))
    return sigmoid(margins)


def moved(fitted: dict, by: float) -> dict:
    """The same map for margins that lie higher by `by`: the score of `margin + by` is what that of `margin` was.

    A refitted model has learnt the base rate of newer rows, which the map has already put right for the older model;
    without this, the change would count twice.
    """
    if fitted["kind"] in LINES:
        return {**fitted, "intercept": fitted["intercept"] - fitted["slope"] * by}
    if fitted["kind"] == "isotonic":
        return {**fitted, "margins": [margin + by for margin in fitted["margins"]]}
    if fitted["kind"] == "beta":
        return {**fitted, "shift": fitted["shift"] + by}
    return fitted


def _interval(
    found: dict, rows: Rows, spread: np.ndarray, later: np.ndarray | None, earlier: Rows | None
) -> dict[str, float]:
    """What the intervals of scores are made from; see `churn.core.model.intervals`."""

    def left_open(fitted: dict, of: Rows) -> dict[str, float]:
        x = intervals.log_odds(calibrated(fitted, of.margins))
        prior = SLOPE_INFORMATION if fitted["kind"] == "shrunk" else 0.0
        return {**intervals.left_open(x, of.offset, prior), "typical": intervals.typical(spread)}

    opened = left_open(found, rows)
    learnt, judges, apart = earlier, rows, spread
    if earlier is None and later is not None and 0 < rows.churned[~later].sum() < (~later).sum() and later.any():
        learnt, judges, apart = rows.at(~later), rows.at(later), spread[later]
    if learnt is None:
        # Nothing that the map has not seen can judge it.
        return {"nominal": intervals.NOMINAL, **opened, "factor": intervals.largest(opened["typical"])}
    by = {"kind": found["kind"], **_FITS[found["kind"]](*learnt)}
    p = calibrated(by, judges.margins)
    factor, covered = intervals.factor(p, judges.churned, apart, left_open(by, learnt), offset=judges.offset)
    return {"nominal": intervals.NOMINAL, **opened, "factor": factor, "covered": covered}


def _shrunk(margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None) -> dict:
    """Platt's line with a normal prior on its slope about 1; the intercept is free, so that the base rate is met.

    Weights count relatively: what there is to learn from are rows, however many snapshots each stands for.
    """
    heavy = None if weights is None else weights / weights.mean()
    intercept, more = regression(margins[:, None], churned, heavy, offset=margins, ridge=SLOPE_INFORMATION)
    return _rising(float(intercept), 1 + float(more), margins, churned, weights)


def _platt(margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None) -> dict:
    return _rising(*line(margins, churned, weights), margins, churned, weights)


def _rising(
    intercept: float, slope: float, margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None
) -> dict:
    if slope < SLOPE_LEAST:
        flat = line(np.zeros(len(margins)), churned, weights)[0]
        intercept, slope = flat - SLOPE_LEAST * float(np.average(margins, weights=weights)), SLOPE_LEAST
    return {"intercept": intercept, "slope": slope}


def _beta(margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None) -> dict:
    """Beta calibration: Kull, Silva Filho and Flach, Beyond sigmoids, 2017, Electronic Journal of Statistics 11.

    Either end of the scale has a slope of its own, and Platt's map is the case in which they are equal. Neither may be
    below `SLOPE_LEAST`: where one would be, the best fit lies on that border, since the loss is convex.
    """
    logs, offset = _logs(margins), SLOPE_LEAST * margins
    both = regression(logs, churned, weights, offset)
    if both[1:].min() < 0:
        borders = []
        for free in (0, 1):
            alone = regression(logs[:, [free]], churned, weights, offset)
            slopes = np.zeros(2)
            slopes[free] = alone[1]
            borders.append(np.array([alone[0], *slopes]))
        flat = np.array([regression(logs[:, :0], churned, weights, offset)[0], 0.0, 0.0])
        allowed = [flat, *(border for border in borders if border[1:].min() >= 0)]
        target, heavy = churned.astype(np.float64), np.ones(len(churned)) if weights is None else weights
        both = min(allowed, key=lambda found: loss_of(found[0] + logs @ found[1:] + offset, target, heavy))
    return {"intercept": float(both[0]), "slopes": (both[1:] + SLOPE_LEAST).tolist(), "shift": 0.0}


def _logs(margins: np.ndarray) -> np.ndarray:
    """Of the logistic function p of a margin: ln p and -ln(1 - p), shape `(n_rows, 2)`; they add up to the margin."""
    margins = np.asarray(margins, dtype=np.float64)
    return np.column_stack([-np.logaddexp(0.0, -margins), np.logaddexp(0.0, margins)])


def _isotonic(margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None) -> dict:
    from sklearn.isotonic import IsotonicRegression

    # Half a churner more and less than were seen: a probability of exactly 0 or 1 costs infinite log loss when wrong.
    least = 0.5 / (len(margins) + 1)
    staircase = IsotonicRegression(y_min=least, y_max=1 - least)
    staircase.fit(margins, churned.astype(np.float64), sample_weight=weights)
    return {"margins": staircase.X_thresholds_.tolist(), "scores": staircase.y_thresholds_.tolist()}


def _none(_margins: np.ndarray, _churned: np.ndarray, _weights: np.ndarray | None) -> dict:
    return {}


_FITS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray | None], dict]] = {
    "none": _none,
    "shrunk": _shrunk,
    "platt": _platt,
    "beta": _beta,
    "isotonic": _isotonic,
}
"""From the simplest to the one that takes most of the data."""


def _choice(
    margins: np.ndarray, churned: np.ndarray, weights: np.ndarray | None, later: np.ndarray | None
) -> tuple[str, dict]:
    """The kind of map, and how it was found: each is fitted on the earlier rows and judged on the later ones.

    Of those whose mean log loss is within one standard error of the best, the simplest (Breiman and others 1984,
    section 3.4.3); the error is that of the difference, row by row, so what all maps find hard does not count.
    """
    if later is None:
        raise Fault("a map can be chosen only where it is known which rows are the later ones")
    counts = [int((churned[rows] == outcome).sum()) for rows in (later, ~later) for outcome in (True, False)]
    if min(counts) < OUTCOMES_LEAST:
        why = f"a slice has {min(counts)} churners or stayers; it takes {OUTCOMES_LEAST} to choose"
        return "shrunk", {"choice": {"why": why, "judged": {}}}
    heavy = np.ones(len(margins)) if weights is None else weights
    before, target, n = ~later, churned[later].astype(np.float64), heavy[later]
    losses = {}
    for kind, fit in _FITS.items():
        p = np.clip(
            calibrated({"kind": kind, **fit(margins[before], churned[before], heavy[before])}, margins[later]),
            TINY,
            1 - TINY,
        )
        losses[kind] = -(target * np.log(p) + (1 - target) * np.log1p(-p))
    best = min(losses, key=lambda kind: float(np.average(losses[kind], weights=n)))
    judged = {}
    for kind, loss in losses.items():
        worse = loss - losses[best]
        mean = float(np.average(worse, weights=n))
        error = float(np.sqrt(np.sum((n * (worse - mean)) ** 2)) / n.sum())
        judged[kind] = {"log_loss": float(np.average(loss, weights=n)), "worse": mean, "error": error}
    simplest = next(kind for kind, found in judged.items() if found["worse"] <= found["error"])
    return simplest, {
        "choice": {
            "why": "the simplest within one standard error of the best",
            "rows": int(later.sum()),
            "churners": int(target.sum()),
            "judged": judged,
        }
    }

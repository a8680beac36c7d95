"""BG/NBD: buyers buy at random at their own rate and, after any purchase, may never buy again.

Fader, Hardie and Lee, "Counting your customers" the easy way: an alternative to the Pareto/NBD model, 2005. Rates are
gamma distributed with shape r and scale alpha, chances of leaving beta distributed with a and b.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from annotated_types import Ge, MinLen

from churn.core.model import frequency
from churn.core.model.calibration import Kind
from churn.core.model.enough import FEW, ROWS_LEAST
from churn.core.model.files import Model
from churn.core.model.later import trained
from churn.core.model.parts import Learning, Part, learning, narrowed_to

PARAMETERS = ("r", "alpha", "a", "b")
LOG_MOST = 9.0
"""How far the logarithm of a parameter may go: where nobody leaves, the likelihood rises for ever, ever more slowly."""
DIGITS = 6
"""Significant digits of a parameter: the last ones of an optimum differ between processors."""


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["bg_nbd"],  # noqa: ARG001 - it chooses this function
    seed: Annotated[int, Ge(0)],
    rows_most: Annotated[int, Ge(ROWS_LEAST)] | None,
    roles: Annotated[tuple[str, ...], MinLen(1)],
    refit: bool,
    calibration: Kind,
) -> Model:
    """The log-odds of no act in the horizon by the BG/NBD model, with their calibration.

    Its four parameters are those of the greatest likelihood of the histories; outcomes teach only the calibration and
    the log-odds of null, which is who never acted. Several acts on one day are one. A customer who is there at
    several dates counts at each of them, with her history by then. A gap between `as_of` and the horizon is left to the
    calibration.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"bg_nbd"}
        Chooses this function.
    seed, rows_most : int, int or None
        Of more matured snapshots than `rows_most`, a sample with weights is taken (`churn.core.model.sample`). None
        takes all.
    roles : tuple of str
        Roles of events that may be counted; of those that the features know, the one that ranks best is.
    refit : bool
        Whether to learn from all that matured before the test in the end, and keep the calibration map that was
        fitted before; see `churn.core.model.boosted.fit` for the price. Without it: train and validation.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`; also when the features know none of the roles.
    """
    own = narrowed_to(features, *frequency.wanted(roles))
    known = learning(own, snapshots, split, rows_most=rows_most, seed=seed, least=FEW)
    horizon = frequency.horizon_days(split)
    parameters = {
        "seed": seed,
        "rows_most": rows_most,
        "roles": list(roles),
        "refit": refit,
        "calibration": calibration,
    }
    return trained(
        known,
        lambda rows: learnt(known, rows, roles=roles, horizon_days=horizon),
        margins,
        refit=refit,
        calibration=calibration,
        parameters=parameters,
    ).model


def learnt(known: Learning, rows: Part, *, roles: tuple[str, ...], horizon_days: float) -> Model:
    """The model without calibration."""
    return frequency.learnt(
        "bg_nbd",
        known,
        rows,
        lambda x: most_likely(frequency.counts(x), rows.weights),
        _margins,
        roles=roles,
        horizon_days=horizon_days,
    )


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has the columns of `model.features`."""
    return _margins(json.loads(model.body), x)


def contributions(model: Model, x: np.ndarray) -> np.ndarray:
    """Shapley values against the median customer, in log-odds, shape `(n_rows, 4)`; the last column is the base."""
    body = json.loads(model.body)
    return frequency.shares(lambda rows: _margins(body, rows), x, body)


def most_likely(done: frequency.Counts, weights: np.ndarray | None = None) -> dict[str, float]:
    """r, alpha (days), a and b of the greatest likelihood of the histories; rows without any act are left out."""
    from scipy.optimize import minimize

    acted = ~np.isnan(done.repeats)
    weight = np.ones(int(acted.sum())) if weights is None else weights[acted]
    # In units of the mean age the parameters are near 1, whatever the pace of the business.
    unit = max(float(np.average(done.age_days[acted], weights=weight)), 1.0)
    repeats, place = np.unique(done.repeats[acted], return_inverse=True)
    last, age, weight = done.last_days[acted] / unit, done.age_days[acted] / unit, weight / weight.sum()
    found = minimize(
        _loss,
        np.zeros(len(PARAMETERS)),
        args=(repeats, place, last, age, weight),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LOG_MOST, LOG_MOST)] * len(PARAMETERS),
        options={"ftol": 1e-12, "gtol": 1e-7, "maxiter": 500},
    )
    values = dict(zip(PARAMETERS, np.exp(found.x), strict=True))
    values["alpha"] *= unit
    return {name: float(f"{value:.{DIGITS}g}") for name, value in values.items()}


def log_odds(parameters: Mapping[str, float], done: frequency.Counts, horizon_days: float) -> np.ndarray:
    """Log-odds of no act in `horizon_days`, shape `(n_rows,)`; NaN where nothing was ever done.

    Nothing happens to who has left, and to who has not with probability ((alpha + T) / (alpha + T + h))^(r + x). Times
    are in the unit of alpha.
    """
    r, alpha, a, b = (parameters[name] for name in PARAMETERS)
    never = np.isnan(done.repeats)
    repeats, last, age = (np.where(never, 0.0, numbers) for numbers in done)
    with np.errstate(divide="ignore"):
        turned = np.log(np.where(repeats > 0, a / (b + np.maximum(repeats, 1) - 1), 0.0))
    left = turned + (r + repeats) * np.log((alpha + age) / (alpha + last))
    log_alive = -np.logaddexp(0.0, left)
    log_silent = -(r + repeats) * np.log1p(horizon_days / (alpha + age))
    log_none = np.logaddexp(left + log_alive, log_alive + log_silent)
    return np.where(never, np.nan, log_none - log_alive - np.log(-np.expm1(log_silent)))


def _margins(body: dict[str, Any], x: np.ndarray) -> np.ndarray:
    found = log_odds(body, frequency.counts(x), body["horizon_days"])
    return np.where(np.isnan(found), body["never"], found)


def _loss(
    logs: np.ndarray, repeats: np.ndarray, place: np.ndarray, last: np.ndarray, age: np.ndarray, weight: np.ndarray
) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood, and its gradient by the logarithms of the parameters.

    `repeats` are the different numbers of repeats, `place` says which of them each row has: gamma functions of few
    numbers are cheap. Sums are no products of vectors, for which numpy wakes threads: that took five times as long.
    """
    from scipy.special import gammaln, psi

    r, alpha, a, b = np.exp(logs)
    counted = gammaln(r + repeats) - gammaln(r) + gammaln(a + b) + gammaln(b + repeats) - gammaln(b)
    counted -= gammaln(a + b + repeats)
    more = (r + repeats)[place]
    stays, leaves = -more * np.log(alpha + age), -more * np.log(alpha + last)
    with np.errstate(divide="ignore"):
        leaves += np.log(np.where(repeats > 0, a / (b + np.maximum(repeats, 1) - 1), 0.0))[place]
    both = np.logaddexp(stays, leaves)
    left = np.exp(leaves - both)
    total = (weight * (counted[place] + r * np.log(alpha) + both)).sum()
    by_left = np.bincount(place, weight * left, minlength=len(repeats))
    rows = np.bincount(place, weight, minlength=len(repeats))
    gradient = (
        rows @ (psi(r + repeats) - psi(r) + np.log(alpha))
        - (weight * ((1 - left) * np.log(alpha + age) + left * np.log(alpha + last))).sum(),
        r / alpha - (weight * more * ((1 - left) / (alpha + age) + left / (alpha + last))).sum(),
        rows @ (psi(a + b) - psi(a + b + repeats)) + by_left.sum() / a,
        rows @ (psi(a + b) + psi(b + repeats) - psi(b) - psi(a + b + repeats))
        - by_left @ (1 / (b + np.maximum(repeats, 1) - 1)),
    )
    return -float(total), -np.array(gradient) * np.exp(logs)

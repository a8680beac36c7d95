"""Own mean: who was silent in most of her past will be silent again. Nothing is learnt but how true that is."""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from annotated_types import MinLen

from churn.core.model import frequency
from churn.core.model.calibration import Kind
from churn.core.model.enough import FEW
from churn.core.model.files import Model
from churn.core.model.later import trained
from churn.core.model.parts import Learning, Part, learning, narrowed_to


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["own_mean"],  # noqa: ARG001 - it chooses this function
    roles: Annotated[tuple[str, ...], MinLen(1)],
    calibration: Kind,
) -> Model:
    """The log-odds of doing nothing in the horizon at the customer's own rate of the past, with their calibration.

    The rate is that of active days since the first act; who is known for less than a horizon counts as known for one,
    since one purchase is no daily habit. At a rate of l a day nothing is done in h days with probability exp(-l h).
    Null, which is who never acted, gets the log-odds of such rows in training.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"own_mean"}
        Chooses this function.
    roles : tuple of str
        Roles of events whose rate may be taken; of those that the features know, the one that ranks best is.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`; also when the features know none of the roles.
    """
    own = narrowed_to(features, *frequency.wanted(roles))
    known = learning(own, snapshots, split, rows_most=None, seed=0, least=FEW)
    horizon = frequency.horizon_days(split)
    parameters = {"roles": list(roles), "calibration": calibration}
    return trained(
        known,
        lambda rows: learnt(known, rows, roles=roles, horizon_days=horizon),
        margins,
        refit=False,
        calibration=calibration,
        parameters=parameters,
    ).model


def learnt(known: Learning, rows: Part, *, roles: tuple[str, ...], horizon_days: float) -> Model:
    """The model without calibration."""
    return frequency.learnt("own_mean", known, rows, lambda _: {}, _margins, roles=roles, horizon_days=horizon_days)


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has the columns of `model.features`."""
    return _margins(json.loads(model.body), x)


def contributions(model: Model, x: np.ndarray) -> np.ndarray:
    """Shapley values against the median customer, in log-odds, shape `(n_rows, 4)`; the last column is the base."""
    body = json.loads(model.body)
    return frequency.shares(lambda rows: _margins(body, rows), x, body)


def _margins(body: dict[str, Any], x: np.ndarray) -> np.ndarray:
    done, horizon = frequency.counts(x), body["horizon_days"]
    expected = (done.repeats + 1) / np.maximum(done.age_days, horizon) * horizon
    # The log-odds of exp(-expected), also where exp(expected) is beyond all numbers.
    return np.where(np.isnan(expected), body["never"], -expected - np.log(-np.expm1(-expected)))

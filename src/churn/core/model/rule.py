"""The best time rule: the one "days since" that ranks churners best. What anyone could write, as a baseline."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa

from churn.core.model.calibration import Kind
from churn.core.model.enough import FEW
from churn.core.model.files import Model, json_text
from churn.core.model.later import trained
from churn.core.model.parts import Learning, Part, learning, narrowed_to
from churn.core.model.ranking import auc
from churn.core.model.regression import line
from churn.words.errors import NotEnoughData

TIME = "days_since_"
"""How the names of time features start."""


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["rule"],  # noqa: ARG001 - it chooses this function
    calibration: Kind,
) -> Model:
    """The time feature with the best AUC in the train and validation parts, as log-odds.

    The log-odds are a straight line over days / (days + their median), which grows ever more slowly and never reaches
    1. Null (never) is 1: longer than any silence, also than those that are longer than any in training. A rule may also
    run the other way: the more recent, the worse, as for complaints.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"rule"}
        Chooses this function.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`; also when there is no time feature.
    """
    timed = narrowed_to(features, lambda name: name.startswith(TIME), _NONE)
    known = learning(timed, snapshots, split, rows_most=None, seed=0, least=FEW)
    parameters = {"calibration": calibration}
    learn = partial(learnt, known)
    return trained(known, learn, margins, refit=False, calibration=calibration, parameters=parameters).model


def learnt(known: Learning, rows: Part) -> Model:
    """The model without calibration."""
    times = [(j, name) for j, name in enumerate(known.names) if name.startswith(TIME)]
    # At an earlier date, a source that began later has told of nobody.
    aucs = {name: auc(rows.column(j), rows.churned) for j, name in times if not np.isnan(rows.column(j)).all()}
    if not aucs:
        raise NotEnoughData(f"none of {len(known.names)} features {_NONE}")
    best = max(aucs, key=lambda name: abs(aucs[name] - 0.5))
    days = rows.column(known.names.index(best))
    median = float(np.nanmedian(days))
    intercept, slope = line(_bent(days, median), rows.churned, rows.weights)
    body = {"feature": best, "median_days": median, "intercept": intercept, "slope": slope}
    body["base"] = float(_line(body, days).mean())
    return Model("rule", (best,), {}, {}, json_text(body), {}, {"aucs": aucs})


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has one column, the rule's feature."""
    return _line(json.loads(model.body), x[:, 0])


def contributions(model: Model, x: np.ndarray) -> np.ndarray:
    """The margin less the base, and the base: the mean margin of the rows that were learnt from.

    Shape `(n_rows, 2)`, in log-odds.
    """
    base = json.loads(model.body)["base"]
    return np.column_stack([margins(model, x) - base, np.full(len(x), base)])


_NONE = f"starts with {TIME}, so there is no time rule"


def _line(body: dict, days: np.ndarray) -> np.ndarray:
    return body["intercept"] + body["slope"] * _bent(days, body["median_days"])


def _bent(days: np.ndarray, median: float) -> np.ndarray:
    """Silence as days / (days + median), and the limit 1 for null: never is longer than any silence, seen or unseen."""
    known = days.astype(np.float64)
    return np.where(np.isnan(known), 1.0, known / (known + max(median, 1.0)))

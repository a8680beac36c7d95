"""What recency, frequency and money in a logistic regression reach under a definition, out of time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.lab.outcomes import Trial
from churn.core.metrics import metrics
from churn.core.model import margins, model, score
from churn.core.split import split

KEYS = ("customer_id", "as_of")


def simple(
    one: Trial,
    snapshots: pa.Table,
    features: pa.Table,
    *,
    observed_until: int,
    split_keys: Mapping[str, Any],
    l2: float,
) -> dict[str, float]:
    """AUC and average precision on the newest dates whose outcome is known, and the base rate there.

    Parameters
    ----------
    snapshots : pa.Table
        SNAPSHOTS of the trial.
    features : pa.Table
        At least the same rows, with the columns to look at.
    split_keys : mapping
        The section `split`: the same parts and embargo as everywhere.

    Raises
    ------
    NotEnoughData
        The history is too short for an honest test, or has too few churners.
    """
    parts = split(snapshots, observed_until=observed_until, definition=one.definition, **split_keys)
    rows = snapshots.join(features, list(KEYS), join_type="inner").sort_by([(key, "ascending") for key in KEYS])
    x, told = rows.drop_columns(["churned"]), rows.select([*KEYS, "churned"])
    learnt = model(
        x,
        told,
        parts,
        kind="logistic",
        features_used=None,
        seed=0,
        l2=l2,
        rows_most=None,
        refit=True,
        calibration="none",
    )
    dates = parts.filter(pc.equal(parts["part"], "test"))["as_of"].combine_chunks()
    tested = pc.and_(pc.is_in(told["as_of"], value_set=dates), pc.is_valid(told["churned"]))
    churned = told["churned"].filter(tested).to_numpy().astype(bool)
    found = metrics(churned, np.asarray(score(learnt, margins(learnt, x.filter(tested)))))
    return {"auc": found["auc"], "ap": found["ap"], "test_base_rate": float(churned.mean())}

"""`python automated.py FOLDER TRIES`: FLAML on the product's own features; run by the Python of `flaml.txt`.

It chooses among LightGBM, XGBoost, random forests, extra trees and logistic regression, and their parameters, by the
log loss on the validation and calibration rows, and fits the winner once more to all that matured before the test.
It is given a number of settings to try and no clock: with one, what it finds would depend on the machine's load.
"""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from flaml import AutoML
from pandas import DataFrame

FOLDER = Path(sys.argv[1])
TRIES = int(sys.argv[2])
"""How many settings it tries in each split."""
NO_CLOCK = -1
"""Without a limit in seconds FLAML also counts tries where it would weigh seconds to choose what to try next."""
ESTIMATORS = ["lgbm", "xgboost", "rf", "extra_tree", "lrl1"]
LATER = ("validation", "calibration")
SEED = 1


def scored(x: DataFrame, churned: np.ndarray, trials: DataFrame) -> Iterator[DataFrame]:
    """Of each trial the probabilities of its test rows."""
    for trial, rows in trials.groupby("trial"):
        of = {part: group["row"].to_numpy() for part, group in rows.groupby("part")}
        later = np.concatenate([of[part] for part in LATER])
        # The rows of the embargo are of no use to it: it judges by the validation rows and then takes those it has.
        learnt = np.concatenate([rows for part, rows in of.items() if part not in {*LATER, "test", "embargo"}])
        automl = AutoML()
        automl.fit(
            X_train=x.iloc[learnt],
            y_train=churned[learnt].astype(int),
            X_val=x.iloc[later],
            y_val=churned[later].astype(int),
            task="classification",
            metric="log_loss",
            max_iter=TRIES,
            time_budget=NO_CLOCK,
            estimator_list=ESTIMATORS,
            retrain_full=True,
            seed=SEED,
            n_jobs=2,
            verbose=0,
        )
        print(f"trial {trial}: {automl.best_estimator} {automl.best_config}", flush=True)
        p = automl.predict_proba(x.iloc[of["test"]])[:, 1]
        yield DataFrame({"trial": trial, "row": of["test"], "score": np.clip(p, 0.0, 1.0)})


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    features = pd.read_parquet(FOLDER / "features.parquet").drop(columns=["customer_id", "as_of"])
    outcomes = pd.read_parquet(FOLDER / "snapshots.parquet")["churned"].fillna(value=False).to_numpy(dtype=bool)
    found = pd.concat(scored(features, outcomes, pd.read_parquet(FOLDER / "trials.parquet")))
    found.to_parquet(FOLDER / "scores" / "flaml.parquet", index=False)

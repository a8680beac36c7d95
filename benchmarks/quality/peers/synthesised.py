"""`python synthesised.py FOLDER`: featuretools DFS and LightGBM; run by the Python of `featuretools.txt`.

What its documentation leads to: events below customers, a cutoff time for each snapshot, the default kinds of
aggregation with times since the first and the last event, over all history and over each of three windows, split by the
kind of event where there are several. LightGBM keeps its defaults but for a learning rate of .05; it stops early on the
validation and calibration rows, and is fitted once more to all that matured before the test.
"""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import featuretools as ft
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, early_stopping
from pandas import DataFrame
from woodwork.logical_types import Categorical, Datetime, Double

FOLDER = Path(sys.argv[1])
WINDOWS = (None, "30 days", "90 days", "180 days")
ROUNDS, PATIENCE, RATE, SEED = 2000, 50, 0.05, 1
LATER = ("validation", "calibration")


def matrix() -> DataFrame:
    """One row a snapshot, in their order."""
    events = pd.read_parquet(FOLDER / "events.parquet")
    features = pd.read_parquet(FOLDER / "features.parquet")
    kinds = (events["role"] + " " + events["state"]).drop_duplicates().sort_values().tolist()
    # Numbers of our own: it would take ids that look like numbers for numbers.
    customers = pd.Index(features["customer_id"].unique())
    events = events.assign(customer_id=customers.get_indexer(events["customer_id"])).query("customer_id >= 0")
    entities = _entities(events, len(customers), kinds)
    time = features["as_of"].dt.tz_localize(None).astype("datetime64[ns]")
    cutoffs = DataFrame({"customer_id": customers.get_indexer(features["customer_id"]), "time": time})
    asked: dict[str, Any] = {
        "entityset": entities,
        "target_dataframe_name": "customers",
        "cutoff_time": cutoffs,
        "include_cutoff_time": False,
        "cutoff_time_in_index": True,
        "trans_primitives": [],
        "max_depth": 1,
        "n_jobs": 1,
    }
    parts = []
    for window in WINDOWS:
        counted = ["count", "sum", "mean", "max", "min", "std", "num_unique"]
        timed = ["time_since_last", "time_since_first"] if window is None else []
        made, _ = ft.dfs(
            **asked,
            agg_primitives=counted + timed,
            where_primitives=["count", "sum"] if len(kinds) > 1 else [],
            training_window=window,
        )
        # Rows come back in an order of their own.
        part = DataFrame(made.loc[pd.MultiIndex.from_frame(cutoffs)].to_numpy(dtype="float64"))
        parts.append(part.add_prefix(f"{window or 'ever'}_"))
    # What customers are, as of then: the product's own columns, since DFS does not know versions of a parent's row.
    said = features.select_dtypes("category").add_prefix("is_")
    return pd.concat([*parts, said.reset_index(drop=True)], axis=1)


def _entities(events: DataFrame, n_customers: int, kinds: list[str]) -> Any:
    """Customers and their events."""
    columns = {
        "event": np.arange(len(events)),
        "customer_id": events["customer_id"],
        "time": events["recorded_at"].dt.tz_localize(None).astype("datetime64[ns]"),
        "kind": events["role"] + " " + events["state"],
        "category": events["category"],
        "channel": events["channel"],
        **{name: events[name] for name in ("amount", "discount", "quantity")},
    }
    kept = {name: column for name, column in columns.items() if name == "kind" or pd.Series(column).notna().any()}
    types = {"time": Datetime, "kind": Categorical, "category": Categorical, "channel": Categorical}
    types |= dict.fromkeys(("amount", "discount", "quantity"), Double)
    entities = ft.EntitySet("shop")
    entities.add_dataframe(DataFrame({"customer_id": np.arange(n_customers)}), "customers", index="customer_id")
    entities.add_dataframe(
        DataFrame(kept),
        "events",
        index="event",
        time_index="time",
        logical_types={name: kind for name, kind in types.items() if name in kept},
    )
    entities.add_relationship("customers", "customer_id", "events", "customer_id")
    if len(kinds) > 1:
        entities.add_interesting_values(dataframe_name="events", values={"kind": kinds})
    entities.add_last_time_indexes()  # without it a training window is wrong for most customers
    return entities


def scored(x: DataFrame, churned: np.ndarray) -> Iterator[DataFrame]:
    """Of each trial the probabilities of its test rows."""
    for trial, rows in pd.read_parquet(FOLDER / "trials.parquet").groupby("trial"):
        of = {part: group["row"].to_numpy() for part, group in rows.groupby("part")}
        later = np.concatenate([of[part] for part in LATER])
        before = rows.loc[rows["part"] != "test", "row"].to_numpy()
        stopped = _model(ROUNDS).fit(
            x.iloc[of["train"]],
            churned[of["train"]],
            eval_set=[(x.iloc[later], churned[later])],
            callbacks=[early_stopping(PATIENCE, verbose=False)],
        )
        model = _model(max(stopped.best_iteration_, 1)).fit(x.iloc[before], churned[before])
        yield DataFrame({"trial": trial, "row": of["test"], "score": model.predict_proba(x.iloc[of["test"]])[:, 1]})


def _model(rounds: int) -> LGBMClassifier:
    return LGBMClassifier(n_estimators=rounds, learning_rate=RATE, random_state=SEED, n_jobs=1, verbose=-1)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    outcomes = pd.read_parquet(FOLDER / "snapshots.parquet")["churned"]
    found = pd.concat(scored(matrix(), outcomes.fillna(value=False).to_numpy(dtype=bool)))
    found.to_parquet(FOLDER / "scores" / "featuretools.parquet", index=False)

"""featuretools on the same work, on what it can bear: some ten thousand events.

It knows one time of an event. So what was recorded late is not what it says it is, and only customers without late
events are compared. `training_window` is wrong for most customers unless `add_last_time_indexes` was called.
"""

from pathlib import Path
from typing import Any

from benchmarks.speed.work import ASKED, COLUMNS, COUNTED, DAYS, EVENTS, SNAPSHOTS, UNITS, Asked


def featuretools(out: Path) -> None:
    """One matrix a window, a cutoff time a snapshot."""
    import featuretools as ft
    import pandas as pd

    snapshots = pd.read_parquet(SNAPSHOTS, columns=["customer_id", "as_of"])
    entities = _entities(ft, pd)
    cutoffs = pd.DataFrame({"customer_id": snapshots["customer_id"], "time": snapshots["as_of"].dt.tz_localize(None)})
    defined = ft.dfs(
        entityset=entities,
        target_dataframe_name="customers",
        agg_primitives=["count", "sum", ft.primitives.TimeSinceLast(unit="days")],
        where_primitives=["count", "sum", ft.primitives.TimeSinceLast(unit="days")],
        trans_primitives=[],
        max_depth=2,
        features_only=True,
    )
    by_name = {feature.get_name(): feature for feature in defined}
    columns: dict[str, Any] = {}
    for days in (*DAYS, None):
        asked = [a for a in ASKED if a.days == days]
        matrix = ft.calculate_feature_matrix(
            [by_name[_said(a)] for a in asked],
            entities,
            cutoff_time=cutoffs,
            training_window=None if days is None else f"{days} days",
            include_cutoff_time=False,
        )
        columns |= {a.name: matrix[_said(a)].astype("float32") for a in asked}
    table = pd.DataFrame(columns)[[a.name for a in ASKED]]
    keys = snapshots.set_index("customer_id", drop=False).loc[:, ["customer_id", "as_of"]]
    if list(table.index) != list(keys.index):
        raise SystemExit("featuretools answered in another order than it was asked")
    pd.concat([keys, table.set_index(keys.index)], axis=1).to_parquet(out, index=False, compression="zstd")


def _entities(ft: Any, pd: Any) -> Any:
    events = pd.read_parquet(EVENTS, columns=[c for c in COLUMNS if c != "recorded_at"])
    events["kind"] = events["role"].astype(str) + " " + events["state"].astype(str)
    events["occurred_at"] = events["occurred_at"].dt.tz_localize(None)
    for name, (source, unit) in UNITS.items():
        events[name] = events[source].astype("float64") / unit
    events = events[["customer_id", "occurred_at", "kind", *UNITS]].reset_index(names="event")
    entities = ft.EntitySet("world")
    customers = events[["customer_id"]].drop_duplicates()
    entities.add_dataframe(dataframe_name="customers", dataframe=customers, index="customer_id")
    types = {"kind": "Categorical"} | dict.fromkeys(UNITS, "Double")
    entities.add_dataframe(
        dataframe_name="events", dataframe=events, index="event", time_index="occurred_at", logical_types=types
    )
    entities.add_relationship("customers", "customer_id", "events", "customer_id")
    kinds = [f"{role} {state}" for role, state in COUNTED]
    entities.add_interesting_values(dataframe_name="events", values={"kind": kinds})
    entities.add_last_time_indexes()
    return entities


def _said(asked: Asked) -> str:
    """What featuretools calls a column."""
    where = f"WHERE kind = {asked.role} {asked.state}"
    if asked.verb == "count":
        return f"COUNT(events {where})"
    if asked.verb == "sum":
        return f"SUM(events.{asked.column} {where})"
    return f"TIME_SINCE_LAST(events.occurred_at {where}, unit=days)"

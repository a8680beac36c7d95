"""`python -m benchmarks.speed.engines ENGINE FOLDER OUT FEATURES`: one engine works once, in a process of its own.

Reads `data/events.parquet` and `data/snapshots.parquet` in FOLDER, writes one row a snapshot and one column a question
to OUT, sorted by customer and date. Each engine imports what it needs and nothing else.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.speed.synthesis import featuretools
from benchmarks.speed.work import ASKED, COLUMNS, COUNTED, DAYS, EVENTS, SNAPSHOTS, SUMMED, UNITS, Asked

DAY_SECONDS = 86_400


def ours(out: Path, n_features: int = len(ASKED)) -> None:
    """The product's own reading, computing and writing."""
    import pyarrow as pa

    from churn.core.features import computed
    from churn.shell import store

    wanted = _wanted(n_features)
    read = {"events": _columns(n_features)[1:], "snapshots": ["as_of"]}

    def made(tables: tuple[pa.Table, ...]) -> pa.Table:
        events, snapshots = tables
        keys = {name: snapshots[name].combine_chunks() for name in ("customer_id", "as_of")}
        return pa.table(keys | computed(wanted, events, snapshots))

    store.write_batches("features", store.side_by_side(made, store.together(read)))
    Path(store.PATHS["features"]).replace(out)


def _wanted(n_features: int) -> tuple[Any, ...]:
    """So many of the columns asked for, spread evenly over them; of more than there are, the product's catalogue."""
    from churn.core.features import Feature, catalogue, windows

    if n_features > len(ASKED):
        return catalogue(windows(windows_days=DAYS, period_days=30, periods=6))
    asked = ASKED[:: len(ASKED) // n_features][:n_features]
    return tuple(Feature(a.name, "", a.role, "", "", "", "", "", _verb(a)) for a in asked)


def _columns(n_features: int) -> tuple[str, ...]:
    return COLUMNS if n_features <= len(ASKED) else (*COLUMNS, "channel", "category")


def _verb(asked: Asked) -> Callable[[Any], Any]:
    role, state, column, days = asked.role, asked.state, asked.column, asked.days
    if asked.verb == "since":
        return lambda h: h.days_since(role, state=state)
    if asked.verb == "sum":
        return lambda h: h.sum(role, column, days, state=state)
    return lambda h: h.count(role, days, state=state)


def pandas(out: Path) -> None:
    """One filter and one groupby for each date and window, ids and kinds as categories."""
    import pandas as pd

    events = pd.read_parquet(EVENTS, columns=list(COLUMNS))
    snapshots = pd.read_parquet(SNAPSHOTS, columns=["customer_id", "as_of"])
    events["customer_id"] = events["customer_id"].astype("category")
    events["kind"] = (events["role"].astype(str) + " " + events["state"].astype(str)).astype("category")
    for name, (source, unit) in UNITS.items():
        events[name] = events[source] / unit
    events = events[["customer_id", "kind", "occurred_at", "recorded_at", *UNITS]]
    parts = []
    for as_of, live in snapshots.groupby("as_of"):
        known = events[(events["occurred_at"] < as_of) & (events["recorded_at"] < as_of)]
        columns = {}
        for days in DAYS:
            window = known[known["occurred_at"] >= as_of - pd.Timedelta(days=days)]
            groups = window.groupby(["customer_id", "kind"], observed=True)
            counts = groups.size().unstack(fill_value=0)
            sums = groups[list(UNITS)].sum().unstack(fill_value=0.0)
            for role, state in COUNTED:
                columns[Asked("count", role, state, None, days).name] = counts.get(f"{role} {state}")
            for role, state, column in SUMMED:
                columns[Asked("sum", role, state, column, days).name] = sums.get((column, f"{role} {state}"))
        last = known.groupby(["customer_id", "kind"], observed=True)["occurred_at"].max().unstack()
        table = pd.DataFrame(columns).reindex(live["customer_id"]).fillna(0.0)
        for role, state in COUNTED:
            since = (as_of - last[f"{role} {state}"]).dt.total_seconds() / DAY_SECONDS
            table[Asked("since", role, state).name] = since.reindex(live["customer_id"])
        table.insert(0, "as_of", as_of)
        parts.append(table.astype({asked.name: "float32" for asked in ASKED}).reset_index())
    pd.concat(parts).sort_values(["customer_id", "as_of"]).to_parquet(out, index=False, compression="zstd")


def polars(out: Path) -> None:
    """One lazy query a date with an expression a column, all dates collected at once."""
    import polars as pl

    events = pl.scan_parquet(EVENTS).select(COLUMNS)
    snapshots = pl.scan_parquet(SNAPSHOTS).select("customer_id", "as_of")

    def expression(asked: Asked, as_of: Any) -> Any:
        wanted = (pl.col("role") == asked.role) & (pl.col("state") == asked.state)
        if asked.days is not None:
            wanted &= pl.col("occurred_at") >= as_of - pl.duration(days=asked.days)
        if asked.verb == "count":
            return wanted.sum().alias(asked.name)
        if asked.verb == "sum":
            source, unit = UNITS[asked.column or ""]
            return (pl.col(source).filter(wanted).sum() / unit).alias(asked.name)
        last = pl.col("occurred_at").filter(wanted).max()
        return ((as_of - last).dt.total_microseconds() / (DAY_SECONDS * 1e6)).alias(asked.name)

    parts = []
    for date in snapshots.select("as_of").unique().sort("as_of").collect()["as_of"]:
        as_of = pl.lit(date)
        known = events.filter((pl.col("occurred_at") < as_of) & (pl.col("recorded_at") < as_of))
        table = known.group_by("customer_id").agg([expression(asked, as_of) for asked in ASKED])
        joined = snapshots.filter(pl.col("as_of") == as_of).join(table, on="customer_id", how="left").collect()
        parts.append(joined.with_columns(pl.col([a.name for a in ASKED]).cast(pl.Float32)))
    pl.concat(parts).sort("customer_id", "as_of").write_parquet(out, compression="zstd")


def duckdb(out: Path) -> None:
    """One query a date, as most people write it: an aggregate with a FILTER a column."""
    _query_a_date(out, lambda function, value, wanted: f"{function}({value}) FILTER (WHERE {wanted})")


def duckdb_case(out: Path) -> None:
    """The same queries, tuned: DuckDB computes CASE inside an aggregate faster than FILTER."""

    def aggregate(function: str, value: str, wanted: str) -> str:
        if function == "count":
            return f"sum(CASE WHEN {wanted} THEN 1 ELSE 0 END)"
        return f"{function}(CASE WHEN {wanted} THEN {value} END)"

    _query_a_date(out, aggregate)


def _expression(asked: Asked, as_of: str, aggregate: Callable[[str, str, str], str]) -> str:
    """A column; `aggregate` writes function, value and condition as SQL."""
    wanted = _sql(asked, as_of)
    if asked.verb == "count":
        return f"({aggregate('count', '*', wanted)})::FLOAT AS {asked.name}"
    if asked.verb == "sum":
        source, unit = UNITS[asked.column or ""]
        return f"(coalesce({aggregate('sum', source, wanted)}, 0) / {unit})::FLOAT AS {asked.name}"
    last = f"epoch_us({as_of}) - epoch_us({aggregate('max', 'occurred_at', wanted)})"
    return f"(({last}) / {DAY_SECONDS * 1e6})::FLOAT AS {asked.name}"


def _sql(asked: Asked, as_of: str) -> str:
    """Which events a column is about."""
    wanted = f"role = '{asked.role}' AND state = '{asked.state}'"
    if asked.days is None:
        return wanted
    return f"{wanted} AND occurred_at >= {as_of} - INTERVAL {asked.days * 24} HOUR"


def _query_a_date(out: Path, aggregate: Callable[[str, str, str], str]) -> None:
    import duckdb as db

    connection = db.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET threads = 2")
    dates = connection.execute(f"SELECT DISTINCT as_of::VARCHAR FROM '{SNAPSHOTS}' ORDER BY 1").fetchall()
    for i, (date,) in enumerate(dates):
        as_of = f"TIMESTAMPTZ '{date}'"
        columns = ", ".join(_expression(asked, as_of, aggregate) for asked in ASKED)
        query = (
            f"SELECT s.customer_id, s.as_of, k.* EXCLUDE customer_id FROM '{SNAPSHOTS}' s LEFT JOIN "
            f"(SELECT customer_id, {columns} FROM '{EVENTS}' WHERE occurred_at < {as_of} AND recorded_at < {as_of} "
            f"GROUP BY customer_id) k USING (customer_id) WHERE s.as_of = {as_of}"
        )
        connection.execute(f"{'INSERT INTO made' if i else 'CREATE TABLE made AS'} {query}")
    connection.execute(
        f"COPY (SELECT * FROM made ORDER BY customer_id, as_of) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    )


def limit(out: Path, n_features: int = len(ASKED)) -> float:
    """Read the columns that are needed and write a result that is there already; returns the seconds of fetching it,
    which are no part of the work.
    """
    import pyarrow.parquet as pq

    from churn.shell import store

    began = time.perf_counter()
    result = store.read("features")
    fetching = time.perf_counter() - began
    with pq.ParquetFile(EVENTS, pre_buffer=False) as file:
        for _ in file.iter_batches(500_000, columns=list(_columns(n_features))):
            pass
    store.write("features", result)
    os.link(store.PATHS["features"], out)
    return fetching


ENGINES: dict[str, Callable[..., float | None]] = {
    "ours": ours,
    "limit": limit,
    "polars": polars,
    "pandas": pandas,
    "duckdb": duckdb,
    "duckdb_case": duckdb_case,
    "featuretools": featuretools,
}
"""The product; the scan limit; peers."""

if __name__ == "__main__":
    engine, folder, target, n_features = sys.argv[1:]
    os.chdir(folder)
    size = [int(n_features)] if engine in {"ours", "limit"} else []
    sys.stdout.write(f"{ENGINES[engine](Path(target), *size) or 0.0}\n")

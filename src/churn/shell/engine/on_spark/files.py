"""Raw files to sorted tables: each file is a task, then Spark deduplicates, merges lines and sorts."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from churn.shell import raw
from churn.shell.engine import queries, reading
from churn.shell.engine.doors import Counts, Found, added, as_events, pieces, unchanged
from churn.shell.engine.on_duckdb import connected
from churn.shell.engine.on_spark import queries as spark_queries
from churn.shell.engine.on_spark.sent import BATCH_ROWS, PACKED, fault_of, kept_on_disk, packed, told, unpacked
from churn.shell.engine.on_spark.session import plainly, session
from churn.shell.engine.reading import Check, contradictions, rows_of
from churn.shell.engine.room import spilling
from churn.words.errors import Fault
from churn.words.tables import ATTRIBUTES, QUARANTINE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@contextmanager
def found(
    settings: Mapping[str, str], limit: int, dataset: raw.Dataset, *, check: Check, inventory: list[dict[str, Any]]
) -> Iterator[Found]:
    """What the data set holds; see `Engine`."""
    with plainly():
        yield from _found(session(settings), limit, dataset, check, inventory)


def _found(
    spark: "SparkSession", limit: int, dataset: raw.Dataset, check: Check, inventory: list[dict[str, Any]]
) -> Iterator[Found]:
    kept: list[DataFrame] = []
    try:
        counts = unchanged(dataset, inventory, lambda: _read(spark, dataset, check, limit, kept))
        words = {name: _distinct(spark, name) for name in ("channel", "category")}
        events = (as_events(rows, dataset.kinds, words) for rows in _pieces(spark, spark_queries.SORTED_EVENTS))
        attributes = (rows.cast(ATTRIBUTES.schema) for rows in _pieces(spark, spark_queries.SORTED_STATEMENTS))
        quarantine = (rows.cast(QUARANTINE.schema) for rows in _pieces(spark, spark_queries.SORTED_QUARANTINE))
        yield Found(events, attributes, quarantine, counts)
    finally:
        for frame in kept:
            frame.unpersist()


def _read(spark: "SparkSession", dataset: raw.Dataset, check: Check, limit: int, kept: list["DataFrame"]) -> Counts:
    """Read all files, one a task, into the views found, placed and events; the counts of each source."""
    chosen = {n: raw.different(raw.found(n, source.files)) for n, source in _sources(dataset).items()}
    files = [(n, f) for n, (different, _) in chosen.items() for f in different]
    read = partial(_read_files, files=files, dataset=dataset, check=check, limit=limit, root=str(Path.cwd()))
    found = kept_on_disk(spark.range(0, len(files), 1, len(files)).mapInArrow(read, spark_queries.WIDE), kept)
    said = found.where("told IS NOT NULL").select("what", "source", "told").collect()
    for row in said:
        if row["what"] == "fault":
            raise fault_of(row["told"])
    found.createOrReplaceTempView("found")
    spark.sql(spark_queries.PLACED).createOrReplaceTempView("placed")
    spark.sql(spark_queries.VERSIONS).createOrReplaceTempView("versions")
    kept_on_disk(spark.sql(spark_queries.EVENTS), kept).createOrReplaceTempView("events")
    counts: Counts = {name: {"rows": 0, "quarantined": {}} for name in _sources(dataset)}
    for row in said:
        counts[row["source"]] = added(counts[row["source"]], json.loads(row["told"]))
    unique = {row["source"]: row.asDict() for row in spark.sql(spark_queries.COUNTS).collect()}
    events = {row["source"]: row["count"] for row in spark.table("events").groupBy("source").count().collect()}
    for name in dataset.sources:
        none = {"kept": 0, "duplicates": 0, "conflicts": 0, "conflict_ids": []}
        counts[name] |= {key: value for key, value in (none | unique.get(name, {})).items() if key in none}
        counts[name]["events"] = events.get(name, 0)
    twice = [tuple(row) for row in spark.sql(spark_queries.CONTRADICTIONS).collect()] if dataset.attributes else []
    for name, source in dataset.attributes.items():
        counts[name]["contradictions"] = contradictions(twice, source.columns)
    return {name: {**count, "skipped_files": chosen[name][1]} for name, count in counts.items()}


def _sources(dataset: raw.Dataset) -> dict[str, Any]:
    return {**dataset.sources, **dataset.attributes}


def _read_files(
    batches: Iterable[pa.RecordBatch],
    *,
    files: list[tuple[str, raw.RawFile]],
    dataset: raw.Dataset,
    check: Check,
    limit: int,
    root: str,
) -> Iterator[pa.RecordBatch]:
    """What the files with the given numbers hold, as WIDE. It runs in a process of its own on any worker."""
    settings, spill = {"memory_limit": f"{limit}B", "threads": 1}, partial(spilling, None, None)
    for batch in batches:
        for number in batch.column(0).to_pylist():
            name, file = files[number]
            try:
                with chdir(root), connected(settings, spill, file.path.stat().st_size) as con:
                    con.execute(queries.TABLES)
                    con.execute(queries.LINES)
                    counts = rows_of(con, dataset, name, [file], check, reading.BATCH_ROWS)
                    separate = getattr(_sources(dataset)[name], "equal_rows", None) == "separate"
                    for what, table in (("line", "lines"), ("statement", "statements"), ("rejected", "quarantine")):
                        for rows in con.table(table).to_arrow_reader(BATCH_ROWS):
                            yield _wide(rows, what=what, source=name, separate=separate)
            except Fault as fault:
                yield _wide(None, what="fault", source=name, told=told(fault))
            else:
                yield _wide(None, what="counts", source=name, told=json.dumps(counts))


def _wide(rows: pa.RecordBatch | None, **constants: Any) -> pa.RecordBatch:
    """The rows, or a single one of constants alone, with all the columns of WIDE."""
    n = 1 if rows is None else rows.num_rows
    there = {} if rows is None else {name: rows.column(name) for name in rows.schema.names}
    there |= {name: pa.repeat(value, n) for name, value in constants.items()}
    columns = [there[f.name].cast(f.type) if f.name in there else pa.nulls(n, f.type) for f in _WIDE]
    return pa.RecordBatch.from_arrays(columns, schema=_WIDE)


_TYPES = {"string": pa.string(), "bigint": pa.int64(), "smallint": pa.int16(), "boolean": pa.bool_()}
_WIDE = pa.schema(
    [
        (column.split()[0].strip("`"), _TYPES[column.split()[1]])
        for column in spark_queries.WIDE.replace("\n", " ").split(",")
    ]
)


def _distinct(spark: "SparkSession", column: str) -> pa.Array:
    found = spark.table("events").select(column).where(f"{column} IS NOT NULL").distinct().sort(column).collect()
    return pa.array([row[0] for row in found], pa.string())


def _pieces(spark: "SparkSession", query: str) -> Iterator[pa.Table]:
    from pyspark.sql.pandas.types import to_arrow_schema

    frame = spark.sql(query)
    schema = to_arrow_schema(frame.schema)
    schema = pa.schema([field.with_nullable(True) for field in schema])
    tables = (table.cast(schema) for table in unpacked(frame.mapInArrow(_packed_batches, PACKED)))
    yield from pieces((batch for table in tables for batch in table.to_batches()), schema)


def _packed_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield packed(pa.Table.from_batches([batch]))

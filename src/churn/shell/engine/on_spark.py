"""The engine of a cluster: Spark reads files side by side, deduplicates, sorts, and runs functions of whole customers.

A file is read by the reader of `on_duckdb`, so that it means the same on both engines. What the workers make comes
back as Arrow bytes, partition after partition in the order of the customers, and the driver writes it.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge

from churn.shell import raw, store
from churn.shell.engine import queries, spark_queries
from churn.shell.engine.doors import Counts, Engine, Found, as_events, pieces, unchanged
from churn.shell.engine.on_duckdb import connected, size
from churn.shell.engine.reading import Check, rows_of
from churn.words import errors
from churn.words.errors import Fault, UsageFault
from churn.words.tables import ATTRIBUTES, QUARANTINE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BATCH_ROWS = 20_000
"""Rows that Spark hands to Python at once: at 250 feature columns 20 MB."""
_PACKED = "payload binary, fault string"
_LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
"""On one machine nothing listens to the network."""


def on_spark(
    *,
    kind: Literal["spark"],
    master: str,
    driver_memory: str,
    partitions: Annotated[int, Ge(1)],
    memory_limit: str,
    settings: dict[str, str],
) -> Engine:
    """The engine of a cluster.

    Parameters
    ----------
    master
        Where Spark runs: `local[*]` on this machine, or the address of a cluster.
    driver_memory
        Memory of the driver's Java process, such as 2g.
    partitions
        Parts into which customers are divided.
    memory_limit
        What the reader of one file may hold before it spills, such as 1GB; as many run at once as there are cores.
    settings
        Further settings of Spark by their names.

    Raises
    ------
    ConfigFault
        If the limit is no size.
    """
    given = {
        "spark.master": master,
        "spark.driver.memory": driver_memory,
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        **(_LOCAL if master.startswith("local") else {}),
        **settings,
        "spark.sql.session.timeZone": "UTC",
    }
    limit = size("memory_limit", memory_limit)
    return Engine(kind, partial(_found, given, limit), partial(_made, given, partitions))


def _session(settings: Mapping[str, str]) -> "SparkSession":
    """The session of this process, which ends with it.

    Raises
    ------
    UsageFault
        If PySpark or Java is not there (exit 2).
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageFault("engine=spark needs PySpark; install this project with its extra `spark`") from error
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise UsageFault("engine=spark needs Java 17 (on Debian: apt-get install openjdk-17-jre-headless)")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if settings["spark.master"].startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return SparkSession.builder.appName("churn").config(map=dict(settings)).getOrCreate()


# -- raw files to sorted tables ----------------------------------------------------------------------------------------


@contextmanager
def _found(
    settings: Mapping[str, str], limit: str, dataset: raw.Dataset, *, check: Check, inventory: list[dict[str, Any]]
) -> Iterator[Found]:
    """What the data set holds; see `Engine`."""
    spark = _session(settings)
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


def _read(spark: "SparkSession", dataset: raw.Dataset, check: Check, limit: str, kept: list["DataFrame"]) -> Counts:
    """Read all files, one a task, into the views found, placed and events; the counts of each source."""
    files = [(n, f) for n, source in _sources(dataset).items() for f in raw.found(n, source.files)]
    read = partial(_read_files, files=files, dataset=dataset, check=check, limit=limit, root=str(Path.cwd()))
    found = _kept(spark.range(0, len(files), 1, len(files)).mapInArrow(read, spark_queries.WIDE), kept)
    said = found.where("told IS NOT NULL").select("what", "source", "told").collect()
    for row in said:
        if row["what"] == "fault":
            raise _fault(row["told"])
    found.createOrReplaceTempView("found")
    spark.sql(spark_queries.PLACED).createOrReplaceTempView("placed")
    _kept(spark.sql(spark_queries.EVENTS), kept).createOrReplaceTempView("events")
    counts: Counts = {name: {"rows": 0, "quarantined": {}} for name in _sources(dataset)}
    for row in said:
        counts[row["source"]] = _added(counts[row["source"]], json.loads(row["told"]))
    unique = {row["source"]: row.asDict() for row in spark.sql(spark_queries.COUNTS).collect()}
    events = {row["source"]: row["count"] for row in spark.table("events").groupBy("source").count().collect()}
    for name in dataset.sources:
        of_source = unique.get(name, {})
        counts[name] |= {key: of_source.get(key, 0) for key in ("kept", "duplicates", "conflicts")}
        counts[name]["events"] = events.get(name, 0)
    return counts


def _sources(dataset: raw.Dataset) -> dict[str, Any]:
    return {**dataset.sources, **dataset.attributes}


def _added(counts: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Counts of two groups of files, reasons of quarantine within them included."""
    added = {**counts}
    for key, n in more.items():
        added[key] = _added(counts.get(key, {}), n) if isinstance(n, dict) else counts.get(key, 0) + n
    return added


def _read_files(
    batches: Iterable[pa.RecordBatch],
    *,
    files: list[tuple[str, raw.RawFile]],
    dataset: raw.Dataset,
    check: Check,
    limit: str,
    root: str,
) -> Iterator[pa.RecordBatch]:
    """What the files with the given numbers hold, as WIDE. It runs in a process of its own on any worker."""
    for batch in batches:
        for number in batch.column(0).to_pylist():
            name, file = files[number]
            try:
                with chdir(root), connected({"memory_limit": limit, "threads": 1}, None) as con:
                    con.execute(queries.TABLES)
                    con.execute(queries.LINES)
                    told = rows_of(con, dataset, name, [file], check)
                    separate = getattr(_sources(dataset)[name], "equal_rows", None) == "separate"
                    for what, table in (("line", "lines"), ("statement", "statements"), ("rejected", "quarantine")):
                        for rows in con.table(table).to_arrow_reader(BATCH_ROWS):
                            yield _wide(rows, what=what, source=name, separate=separate)
            except Fault as fault:
                yield _wide(None, what="fault", source=name, told=_told(fault))
            else:
                yield _wide(None, what="counts", source=name, told=json.dumps(told))


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
    tables = (table.cast(schema) for table in _unpacked(frame.mapInArrow(_packed_batches, _PACKED)))
    yield from pieces((batch for table in tables for batch in table.to_batches()), schema)


def _packed_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield _packed(pa.Table.from_batches([batch]))


# -- functions of whole customers --------------------------------------------------------------------------------------


def _made(
    settings: Mapping[str, str],
    partitions: int,
    make: Callable[..., pa.Table],
    columns: Mapping[str, Sequence[str] | None],
    rows: int = 1_000_000,
) -> Iterator[pa.Table]:
    """What `make` makes of pieces of whole customers; see `Engine`.

    The tables are put into one, divided by ranges of customers and sorted by customer, table and row, so that a worker
    sees each customer's rows of all tables together, in the order of the files.
    """
    spark = _session(settings)
    schemas = [store.schema(name, wanted) for name, wanted in columns.items()]
    frames = [_frame(spark, n, name, schemas[n]) for n, name in enumerate(columns)]
    union = frames[0]
    for frame in frames[1:]:
        union = union.unionByName(frame, allowMissingColumns=True)
    divided = union.repartitionByRange(partitions, "customer_id")
    placed = divided.sortWithinPartitions("customer_id", "table", "row").drop("row")
    yield from _unpacked(placed.mapInArrow(partial(_make, make=make, schemas=schemas, rows=rows), _PACKED))


def _frame(spark: "SparkSession", number: int, name: str, schema: pa.Schema) -> "DataFrame":
    """A table of the store as a column of structures, with customer, number of the table and row in its file."""
    from pyspark.sql import functions as f

    frame = spark.read.parquet(Path(store.PATHS[name]).absolute().as_uri())
    here = f.struct(*[f.col(f"`{column}`") for column in schema.names]).alias(f"t{number}")
    return frame.select("customer_id", f.lit(number).alias("table"), f.col("_metadata.row_index").alias("row"), here)


def _make(
    batches: Iterable[pa.RecordBatch], *, make: Callable[..., pa.Table], schemas: list[pa.Schema], rows: int
) -> Iterator[pa.RecordBatch]:
    """What `make` makes of one partition, piece by piece. It runs in a process of its own on any worker."""
    tables = (pa.Table.from_batches([batch]) for batch in batches)
    try:
        for piece in store.whole_customers(tables, rows):
            parts = [_part(piece, number, schema) for number, schema in enumerate(schemas)]
            if parts[0].num_rows:
                yield _packed(make(*parts))
    except Fault as fault:
        yield _row(None, _told(fault))


def _part(piece: pa.Table, number: int, schema: pa.Schema) -> pa.Table:
    """The rows of one table, in its own columns and types; Spark knows no dictionaries."""
    mine = piece.filter(pc.equal(piece["table"], number))[f"t{number}"]
    chunks = [pa.Table.from_batches([pa.RecordBatch.from_struct_array(chunk)]) for chunk in mine.chunks]
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in schema])
    whole = pa.concat_tables([plain.empty_table(), *[chunk.cast(plain) for chunk in chunks]]).combine_chunks()
    coded = [whole[f.name].dictionary_encode() if pa.types.is_dictionary(f.type) else whole[f.name] for f in schema]
    return pa.table(coded, schema=schema.remove_metadata()).combine_chunks()


# -- what workers send -------------------------------------------------------------------------------------------------


def _kept(frame: "DataFrame", kept: list["DataFrame"]) -> "DataFrame":
    """The frame, made once and kept on the disks of the workers until it is forgotten."""
    from pyspark import StorageLevel

    kept.append(frame.persist(StorageLevel.DISK_ONLY))
    return kept[-1]


def _packed(table: pa.Table) -> pa.RecordBatch:
    """A table as one row: its bytes in Arrow's own format, which keeps every type, dictionaries included."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _row(sink.getvalue().to_pybytes(), None)


def _row(payload: bytes | None, fault: str | None) -> pa.RecordBatch:
    columns = {"payload": pa.array([payload], pa.binary()), "fault": pa.array([fault], pa.string())}
    return pa.RecordBatch.from_pydict(columns)


def _unpacked(frame: "DataFrame") -> Iterator[pa.Table]:
    """The tables of all partitions in order. All are made first, side by side; then one after the other comes here."""
    kept: list[DataFrame] = []
    made = _kept(frame, kept)
    try:
        made.count()
        for row in made.toLocalIterator():
            if row["fault"]:
                raise _fault(row["fault"])
            with pa.ipc.open_stream(pa.py_buffer(bytes(row["payload"]))) as reader:
                yield reader.read_all()
    finally:
        made.unpersist()


def _told(fault: Fault) -> str:
    return json.dumps({"fault": type(fault).__name__, "said": str(fault)})


def _fault(told: str) -> Fault:
    """The fault that a worker met."""
    what = json.loads(told)
    found: Fault = getattr(errors, what["fault"])(what["said"])
    return found

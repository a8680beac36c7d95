"""Functions of whole customers, in pieces of each partition."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from churn.shell import store
from churn.shell.engine.on_spark.sent import PACKED, packed, refused, unpacked
from churn.shell.engine.on_spark.session import plainly, session
from churn.words.errors import Fault

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def made(
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
    with plainly():
        yield from _made(session(settings), partitions, make, columns, rows)


def _made(
    spark: "SparkSession",
    partitions: int,
    make: Callable[..., pa.Table],
    columns: Mapping[str, Sequence[str] | None],
    rows: int,
) -> Iterator[pa.Table]:
    schemas = [store.schema(name, wanted) for name, wanted in columns.items()]
    frames = [_frame(spark, n, name, schemas[n]) for n, name in enumerate(columns)]
    union = frames[0]
    for frame in frames[1:]:
        union = union.unionByName(frame, allowMissingColumns=True)
    divided = union.repartitionByRange(partitions, "customer_id")
    placed = divided.sortWithinPartitions("customer_id", "table", "row").drop("row")
    yield from unpacked(placed.mapInArrow(partial(_make, make=make, schemas=schemas, rows=rows), PACKED))


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
                yield packed(make(*parts))
    except Fault as fault:
        yield refused(fault)


def _part(piece: pa.Table, number: int, schema: pa.Schema) -> pa.Table:
    """The rows of one table, in its own columns and types; Spark knows no dictionaries."""
    mine = piece.filter(pc.equal(piece["table"], number))[f"t{number}"]
    chunks = [pa.Table.from_batches([pa.RecordBatch.from_struct_array(chunk)]) for chunk in mine.chunks]
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in schema])
    whole = pa.concat_tables([plain.empty_table(), *[chunk.cast(plain) for chunk in chunks]]).combine_chunks()
    coded = [whole[f.name].dictionary_encode() if pa.types.is_dictionary(f.type) else whole[f.name] for f in schema]
    return pa.table(coded, schema=schema.remove_metadata()).combine_chunks()

"""What workers send: tables as bytes, one row each, or the fault that they met."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from churn.words import errors
from churn.words.errors import Fault

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BATCH_ROWS = 20_000
"""Rows that Spark hands to Python at once, and Python to Spark: at 250 feature columns 20 MB."""
PACKED = "payload binary, fault string"
"""The columns of what workers send, as Spark writes them."""


def kept_on_disk(frame: "DataFrame", kept: list["DataFrame"]) -> "DataFrame":
    """The frame, made once and kept on the disks of the workers until it is forgotten."""
    from pyspark import StorageLevel

    kept.append(frame.persist(StorageLevel.DISK_ONLY))
    return kept[-1]


def packed(table: pa.Table) -> pa.RecordBatch:
    """A table as one row: its bytes in Arrow's own format, which keeps every type, dictionaries included."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return _row(sink.getvalue().to_pybytes(), None)


def refused(fault: Fault) -> pa.RecordBatch:
    """A fault that a worker met, as one row."""
    return _row(None, told(fault))


def unpacked(frame: "DataFrame") -> Iterator[pa.Table]:
    """The tables of all partitions in order. All are made first, side by side; then one after the other comes here.

    Raises
    ------
    Fault
        The first one that a worker met.
    """
    kept: list[DataFrame] = []
    made = kept_on_disk(frame, kept)
    try:
        made.count()
        for row in made.toLocalIterator():
            if row["fault"]:
                raise fault_of(row["fault"])
            with pa.ipc.open_stream(pa.py_buffer(bytes(row["payload"]))) as reader:
                yield reader.read_all()
    finally:
        made.unpersist()


def told(fault: Fault) -> str:
    """A fault as text; `fault_of` reads it."""
    return json.dumps({"fault": type(fault).__name__, "said": str(fault)})


def fault_of(text: str) -> Fault:
    """The fault that a worker met."""
    what = json.loads(text)
    found: Fault = getattr(errors, what["fault"])(what["said"])
    return found


def _row(payload: bytes | None, fault: str | None) -> pa.RecordBatch:
    columns = {"payload": pa.array([payload], pa.binary()), "fault": pa.array([fault], pa.string())}
    return pa.RecordBatch.from_pydict(columns)

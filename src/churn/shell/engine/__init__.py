# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""The door to DuckDB: reads sources in batches, looks up, deduplicates, merges lines and sorts. Memory is bounded.

It knows nothing of what a column means: rows go through a function of a batch that the caller gives.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.shell import raw
from churn.shell.engine import queries
from churn.shell.engine.reading import Check, read
from churn.words.tables import ATTRIBUTES, EVENTS, INSTANT, QUARANTINE

if TYPE_CHECKING:
    import duckdb

MEMORY = "2GB"
"""What DuckDB may hold before it spills into a temporary folder: half of the smallest machine that we care for."""
PIECE_ROWS = 500_000
"""Rows of a piece that is given out. Always exactly as many, since a file's bytes depend on how it was written."""


class Found(NamedTuple):
    """What a data set holds: EVENTS, ATTRIBUTES and QUARANTINE in sorted pieces, and the counts of every source."""

    events: Iterator[pa.Table]
    attributes: Iterator[pa.Table]
    quarantine: Iterator[pa.Table]
    counts: dict[str, dict[str, Any]]


@contextmanager
def events(dataset: raw.Dataset, *, check: Check, inventory: list[dict[str, Any]]) -> Iterator[Found]:
    """What the data set holds, read by DuckDB; the pieces can be read until the block ends.

    Parameters
    ----------
    dataset
        The declared data set.
    check
        Function of a batch of rows, the data set, `name` and `file`: valid rows, rejected rows, counts.
    inventory
        The raw files as `raw.inventory` found them. They must be the same before and after reading.

    Raises
    ------
    IntegrityFault
        If a file differs from the inventory, also after a second try (exit 10).
    """
    raw.check_unchanged(dataset, inventory)
    with tempfile.TemporaryDirectory(prefix="churn-") as folder, _connected(folder) as con:
        counts = read(con, dataset, check)
        if raw.inventory(dataset) != inventory:
            # Before the second try, too: a file that is put back while it is read would pass for the listed one.
            raw.check_unchanged(dataset, inventory)
            counts = read(con, dataset, check)
            raw.check_unchanged(dataset, inventory)
        yield Found(_events(con, dataset), _attributes(con), _quarantine(con), counts)


@contextmanager
def _connected(folder: str) -> "Iterator[duckdb.DuckDBPyConnection]":
    import duckdb

    config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": folder, "autoinstall_known_extensions": "false"}
    with duckdb.connect(config=config) as con:
        yield con


def _events(con: "duckdb.DuckDBPyConnection", dataset: raw.Dataset) -> Iterator[pa.Table]:
    """EVENTS, sorted by customer and time, with the same dictionaries in every piece."""
    words = {name: _distinct(con, name) for name in ("channel", "category")}
    for rows in _pieces(con, queries.SORTED_EVENTS):
        kind = rows["kind"].to_numpy()
        columns = {name: rows[name] for name in ("customer_id", "text", "event_id", *queries.NUMBERS)}
        columns |= {name: rows[name].cast(INSTANT) for name in ("occurred_at", "recorded_at")}
        columns |= {name: _coded(rows[name], known) for name, known in words.items()}
        for place, name in enumerate(("event_type", "role", "state")):
            columns[name] = _picked([k[place] for k in dataset.kinds], kind)
        yield pa.table([columns[c.name] for c in EVENTS.columns], schema=EVENTS.schema)


def _attributes(con: "duckdb.DuckDBPyConnection") -> Iterator[pa.Table]:
    for rows in _pieces(con, queries.SORTED_STATEMENTS):
        yield rows.cast(ATTRIBUTES.schema)


def _quarantine(con: "duckdb.DuckDBPyConnection") -> Iterator[pa.Table]:
    for rows in _pieces(con, queries.SORTED_QUARANTINE):
        yield rows.cast(QUARANTINE.schema)


def _pieces(con: "duckdb.DuckDBPyConnection", query: str) -> Iterator[pa.Table]:
    """The rows of a query in pieces of `PIECE_ROWS`, the last one smaller; one empty piece if there are none.

    `sql`, not `execute`: the latter was seen to return sorted rows out of order.
    """
    with con.cursor() as cursor:
        reader = cursor.sql(query).to_arrow_reader(PIECE_ROWS)
        waiting = reader.schema.empty_table()
        for batch in reader:
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
            while waiting.num_rows >= PIECE_ROWS:
                yield waiting.slice(0, PIECE_ROWS).combine_chunks()
                waiting = waiting.slice(PIECE_ROWS)
        yield waiting.combine_chunks()


def _distinct(con: "duckdb.DuckDBPyConnection", column: str) -> pa.Array:
    found = con.execute(f"SELECT DISTINCT {column} FROM events WHERE {column} IS NOT NULL ORDER BY 1").fetchall()
    return pa.array([value for (value,) in found], pa.string())


def _coded(column: pa.ChunkedArray, words: pa.Array) -> pa.Array:
    """Texts as codes into `words`."""
    codes = pc.index_in(column, value_set=words).combine_chunks()
    return pa.DictionaryArray.from_arrays(codes, words)


def _picked(values: list[str], place: np.ndarray) -> pa.Array:
    """`values[place]` as codes into the sorted distinct values."""
    words = sorted(set(values))
    codes = np.array([words.index(value) for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes[place], pa.int32()), pa.array(words, pa.string()))

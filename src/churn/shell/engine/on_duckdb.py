# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""The engine of one machine: DuckDB reads, looks up, deduplicates, merges lines and sorts. Memory is bounded."""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
from annotated_types import Ge

from churn.shell import raw, store
from churn.shell.engine import doors, queries
from churn.shell.engine.doors import Engine, Found, as_events, pieces, unchanged, write_all
from churn.shell.engine.reading import Check, read
from churn.words.errors import ConfigFault
from churn.words.tables import ATTRIBUTES, QUARANTINE

if TYPE_CHECKING:
    import duckdb

_SIZE = re.compile(r"[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?B)")


def on_duckdb(
    *,
    kind: Literal["duckdb"],
    memory_limit: str,
    threads: Annotated[int, Ge(1)] | None,
    temporary_folder: str | None,
    incremental: bool,
) -> Engine:
    """The engine of one machine.

    Parameters
    ----------
    memory_limit
        What DuckDB may hold before it spills, such as 2GB.
    threads
        Threads of DuckDB; None takes one a core.
    temporary_folder
        Where it spills: a folder of its own is made there and removed. None takes that of the system.
    incremental
        Whether snapshots and features are computed only for customers of whom something changed.

    Raises
    ------
    ConfigFault
        If the limit is no size.
    """
    settings: dict[str, Any] = {"memory_limit": size("memory_limit", memory_limit)}
    settings |= {} if threads is None else {"threads": threads}
    write = _write_changed if incremental else partial(write_all, made)
    return Engine(kind, partial(_found, settings, temporary_folder), made, write)


def size(key: str, written: str) -> str:
    """The same text, once it is a size.

    Raises
    ------
    ConfigFault
        Naming the key of the section engine.
    """
    if not _SIZE.fullmatch(written):
        raise ConfigFault(f"engine.{key} must be a size such as 2GB or 500MB, got {written!r}")
    return written


@contextmanager
def connected(settings: Mapping[str, Any], temporary_folder: str | None) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory that spills into a folder of its own, which is removed when the block ends."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="churn-", dir=temporary_folder) as folder:
        config: dict[str, Any] = {"temp_directory": folder, "autoinstall_known_extensions": "false", **settings}
        with duckdb.connect(config=config) as con:
            yield con


def sorted_rows(con: "duckdb.DuckDBPyConnection", query: str) -> pa.RecordBatchReader:
    """The rows of a query in its order: `sql`, not `execute`, which was seen to return sorted rows out of order."""
    return con.sql(query).to_arrow_reader(doors.PIECE_ROWS)


def made(
    make: Callable[..., pa.Table], columns: Mapping[str, Sequence[str] | None], rows: int = store.PIECE_ROWS
) -> Iterator[pa.Table]:
    """What `make` makes of pieces of whole customers, several pieces side by side; see `Engine`."""
    return store.side_by_side(lambda tables: make(*tables), store.together(columns, rows))


def _write_changed(
    name: str,
    make: "partial[pa.Table]",
    columns: Mapping[str, Sequence[str] | None],
    remake: Callable[..., store.Remade],
) -> None:
    """Write what `make` makes, computing only what changed, and say how much that was; see `Engine`."""
    done = store.write_again(name, make, columns, remake)
    sys.stdout.write(
        f"{name}: recomputed {done.customers_touched:,} of {done.customers:,} customers, "
        f"kept {done.rows_kept:,} of {done.rows:,} rows\n"
    )


@contextmanager
def _found(
    settings: Mapping[str, Any],
    temporary_folder: str | None,
    dataset: raw.Dataset,
    *,
    check: Check,
    inventory: list[dict[str, Any]],
) -> Iterator[Found]:
    """What the data set holds; see `Engine`."""
    with connected(settings, temporary_folder) as con:
        counts = unchanged(dataset, inventory, lambda: read(con, dataset, check))
        yield Found(_events(con, dataset), _attributes(con), _quarantine(con), counts)


def _events(con: "duckdb.DuckDBPyConnection", dataset: raw.Dataset) -> Iterator[pa.Table]:
    """EVENTS, sorted by customer and time, with the same dictionaries in every piece."""
    words = {name: _distinct(con, name) for name in ("channel", "category")}
    for rows in _pieces(con, queries.SORTED_EVENTS):
        yield as_events(rows, dataset.kinds, words)


def _attributes(con: "duckdb.DuckDBPyConnection") -> Iterator[pa.Table]:
    for rows in _pieces(con, queries.SORTED_STATEMENTS):
        yield rows.cast(ATTRIBUTES.schema)


def _quarantine(con: "duckdb.DuckDBPyConnection") -> Iterator[pa.Table]:
    for rows in _pieces(con, queries.SORTED_QUARANTINE):
        yield rows.cast(QUARANTINE.schema)


def _pieces(con: "duckdb.DuckDBPyConnection", query: str) -> Iterator[pa.Table]:
    with con.cursor() as cursor:
        rows = sorted_rows(cursor, query)
        yield from pieces(rows, rows.schema)


def _distinct(con: "duckdb.DuckDBPyConnection", column: str) -> pa.Array:
    found = con.execute(f"SELECT DISTINCT {column} FROM events WHERE {column} IS NOT NULL ORDER BY 1").fetchall()
    return pa.array([value for (value,) in found], pa.string())

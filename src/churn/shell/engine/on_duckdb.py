# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""The engine of one machine: DuckDB reads, looks up, deduplicates, merges lines and sorts. Memory is bounded."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
from annotated_types import Ge

from churn.shell import raw, store
from churn.shell.engine import doors, queries
from churn.shell.engine.doors import Engine, Found, as_events, pieces, unchanged, write_all
from churn.shell.engine.reading import BATCH_ROWS, Check, read
from churn.shell.engine.room import Spill, explained, piece_rows, share, size, sorted_most, spilling
from churn.words.tables import ATTRIBUTES, QUARANTINE

if TYPE_CHECKING:
    import duckdb


def on_duckdb(
    *,
    kind: Literal["duckdb"],
    memory_limit: str,
    threads: Annotated[int, Ge(1)] | None,
    temporary_folder: str | None,
    temporary_most: str | None,
    incremental: bool,
) -> Engine:
    """The engine of one machine.

    Parameters
    ----------
    memory_limit
        What a stage may hold, such as 2GB: DuckDB spills beyond its share of it, and pieces of tables are so small that
        those under way fit it.
    threads
        Threads of DuckDB; None takes one a core.
    temporary_folder
        Where it spills: a folder of its own is made there and removed. None takes that of the system.
    temporary_most
        What it may spill, such as 50GB. None takes nine tenths of what is free.
    incremental
        Whether snapshots and features are computed only for customers of whom something changed.

    Raises
    ------
    ConfigFault
        If a size is none.
    """
    limit = size("memory_limit", memory_limit)
    most = None if temporary_most is None else size("temporary_most", temporary_most)
    settings: dict[str, Any] = {"memory_limit": f"{share(limit)}B"}
    settings |= {} if threads is None else {"threads": threads}
    here = partial(made, limit)
    write = partial(_write_changed, limit) if incremental else partial(write_all, here)
    return Engine(kind, partial(_found, settings, partial(spilling, temporary_folder, most), limit), here, write)


@contextmanager
def connected(settings: Mapping[str, Any], spill: Spill, raw_bytes: int) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory that spills as `room.spilling` says; that room ran out is told with the figures."""
    import duckdb

    with spill() as (folder, most):
        config: dict[str, Any] = {"temp_directory": str(folder), "autoinstall_known_extensions": "false", **settings}
        with (
            explained(folder, most, int(settings["memory_limit"].removesuffix("B")), raw_bytes),
            duckdb.connect(config=config) as con,
        ):
            # Given to `connect` it is shown, but not kept (DuckDB 2.0).
            con.execute(f"SET max_temp_directory_size = '{most}B'")
            yield con


def sorted_rows(con: "duckdb.DuckDBPyConnection", query: str) -> pa.RecordBatchReader:
    """The rows of a query in its order: `sql`, not `execute`, which was seen to return sorted rows out of order."""
    return con.sql(query).to_arrow_reader(doors.PIECE_ROWS)


def made(
    memory_limit: int,
    make: Callable[..., pa.Table],
    columns: Mapping[str, Sequence[str] | None],
    rows: int = store.PIECE_ROWS,
) -> Iterator[pa.Table]:
    """What `make` makes of pieces of whole customers, several pieces side by side; see `Engine`."""
    return store.side_by_side(lambda tables: make(*tables), store.together(columns, piece_rows(rows, memory_limit)))


def _write_changed(
    memory_limit: int,
    name: str,
    make: "partial[pa.Table]",
    columns: Mapping[str, Sequence[str] | None],
    remake: Callable[..., store.Remade],
) -> None:
    """Write what `make` makes, computing only what changed, and say how much that was; see `Engine`."""
    done = store.write_again(name, make, columns, remake, piece_rows(store.PIECE_ROWS, memory_limit))
    sys.stdout.write(
        f"{name}: recomputed {done.customers_touched:,} of {done.customers:,} customers, "
        f"kept {done.rows_kept:,} of {done.rows:,} rows\n"
    )


@contextmanager
def _found(
    settings: Mapping[str, Any],
    spill: Spill,
    memory_limit: int,
    dataset: raw.Dataset,
    *,
    check: Check,
    inventory: list[dict[str, Any]],
) -> Iterator[Found]:
    """What the data set holds; see `Engine`."""
    rows, raw_bytes = piece_rows(BATCH_ROWS, memory_limit), sum(file["size"] for file in inventory)
    with connected(settings, spill, raw_bytes) as con:
        counts = unchanged(dataset, inventory, lambda: read(con, dataset, check, rows))
        yield Found(_events(con, dataset, memory_limit), _attributes(con), _quarantine(con), counts)


def _events(con: "duckdb.DuckDBPyConnection", dataset: raw.Dataset, memory_limit: int) -> Iterator[pa.Table]:
    """EVENTS, sorted by customer and time, with the same dictionaries in every piece."""
    words = {name: _distinct(con, name) for name in ("channel", "category")}
    make = partial(as_events, kinds=dataset.kinds, words=words)
    yield from store.side_by_side(make, _pieces(con, *_by_customers(con, sorted_most(memory_limit))))


def _by_customers(con: "duckdb.DuckDBPyConnection", most: int) -> list[str]:
    """Queries that give the events of one range of customers after the other, about `most` events each.

    DuckDB cannot sort a table of any size in little memory, spilling or not. The ranges are bounded by quantiles of
    a sample; where they lie does not matter to the result.
    """
    ((n,),) = con.execute("SELECT count(*) FROM events").fetchall()
    parts = -(-n // most)
    if parts < 2:
        return [queries.sorted_events()]
    places = [i / parts for i in range(1, parts)]
    ((found,),) = con.execute(queries.BOUNDS, {"places": places}).fetchall()
    bounds = [None, *sorted(set(found)), None]
    return [queries.sorted_events(*pair) for pair in pairwise(bounds)]


def _attributes(con: "duckdb.DuckDBPyConnection") -> Iterator[pa.Table]:
    for rows in _pieces(con, queries.SORTED_STATEMENTS):
        yield rows.cast(ATTRIBUTES.schema)


def _quarantine(con: "duckdb.DuckDBPyConnection") -> Iterator[pa.Table]:
    for rows in _pieces(con, queries.SORTED_QUARANTINE):
        yield rows.cast(QUARANTINE.schema)


def _pieces(con: "duckdb.DuckDBPyConnection", *in_turn: str) -> Iterator[pa.Table]:
    """The rows of the queries, one after the other, in pieces of one size."""
    with con.cursor() as cursor:
        rows = sorted_rows(cursor, in_turn[0])
        rest = (batch for query in in_turn[1:] for batch in sorted_rows(cursor, query))
        yield from pieces(chain(rows, rest), rows.schema)


def _distinct(con: "duckdb.DuckDBPyConnection", column: str) -> pa.Array:
    found = con.execute(f"SELECT DISTINCT {column} FROM events WHERE {column} IS NOT NULL ORDER BY 1").fetchall()
    return pa.array([value for (value,) in found], pa.string())

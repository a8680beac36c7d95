"""Declared tables as Parquet files: whole, or in pieces of whole customers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from churn.shell.store.paths import PATHS
from churn.shell.store.row_groups import encoded, row_groups
from churn.shell.store.whole import reading, replaced
from churn.words.errors import Fault, IntegrityFault
from churn.words.tables import CODE, TABLES, Table

PIECE_ROWS = 500_000
"""Rows of events that are worked on at a time. Several pieces are under way at once: at 250 features and 12 as-of dates
each takes up to 300 MB. Fewer rows cost speed, since each piece costs some 20 ms whatever its size."""


def read(name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The whole table `name`, checked against its declaration; dictionary columns stay dictionaries.

    Parameters
    ----------
    name
        A table of `churn.words.tables`.
    columns
        Read only these; they come in the order of the file. None reads all.

    Raises
    ------
    UsageFault
        If the file is not there (exit 2).
    IntegrityFault
        If it is not a whole Parquet file (exit 10).
    """
    with _opened(name) as file:
        wanted = _wanted(name, file, columns)
        table = file.read(columns=wanted).select(wanted)
    return _declared(name, columns).check(table.replace_schema_metadata(None).unify_dictionaries())


def batches(name: str, columns: Sequence[str] | None = None, rows: int = PIECE_ROWS) -> Iterator[pa.Table]:
    """The table `name` in pieces of about `rows` rows that hold whole customers, in the order of the file.

    Memory is bounded by `rows` and by the customer with the most rows. A piece has one chunk a column.

    Parameters
    ----------
    name
        A table that is sorted by `customer_id`.
    columns
        Read only these and `customer_id`. None reads all.
    rows
        Target size of a piece. A customer is never divided, so a piece may be larger or smaller.
    """
    for piece in _as_stored(name, columns, rows, coded=()):
        yield piece.combine_chunks()


def _as_stored(
    name: str, columns: Sequence[str] | None, rows: int, *, coded: Sequence[str] = ("customer_id",)
) -> Iterator[pa.Table]:
    """Pieces as in `batches`, in the chunks that they have in the file; the texts `coded` stay the codes that they are
    there, which are read in a tenth of the time.
    """
    columns = _with_customer(columns)
    declared = _declared(name, columns, coded)
    before = None
    with _opened(name, coded) as file:
        wanted = _wanted(name, file, columns)
        pieces = (pa.Table.from_batches([b]).select(wanted) for b in file.iter_batches(rows, columns=wanted))
        for piece in whole_customers(pieces, rows):
            whole = piece.replace_schema_metadata(None).unify_dictionaries()
            _check_customers(name, whole)
            before = _check_order(declared, before, declared.check(whole))
            yield whole


def schema(name: str, columns: Sequence[str] | None = None) -> pa.Schema:
    """The columns that `batches` would give, with their types."""
    with _opened(name) as file:
        return pa.schema([file.schema_arrow.field(c) for c in _wanted(name, file, _with_customer(columns))])


def together(columns: Mapping[str, Sequence[str] | None], rows: int = PIECE_ROWS) -> Iterator[tuple[pa.Table, ...]]:
    """Pieces of the first table that hold whole customers, each with the rows of the same customers in the others.

    Pieces of EVENTS are large and become arrays anyway: they have the chunks of the file, and codes for `customer_id`.

    Parameters
    ----------
    columns
        Table → the columns to read, as in `batches`. Customers who are not in the first table may be left out.
    rows
        Target size of a piece of the first table.
    """
    leader, *others = columns
    pieces = {name: batches(name, columns[name], rows) for name in others}
    rest = {name: next(pieces[name], None) for name in others}
    empty = {name: read(name, _with_customer(columns[name])).slice(0, 0) for name in others if rest[name] is None}
    leading = _as_stored if leader == "events" else batches
    for table in leading(leader, columns[leader], rows):
        last = table["customer_id"][-1]
        found = []
        for name in others:
            taken, rest[name] = up_to(last, rest[name], pieces[name])
            found.append(pa.concat_tables(taken).unify_dictionaries().combine_chunks() if taken else empty[name])
            empty[name] = found[-1].slice(0, 0)
        yield table, *found


def up_to(
    customer: pa.Scalar, rest: pa.Table | None, pieces: Iterator[pa.Table]
) -> tuple[list[pa.Table], pa.Table | None]:
    """The rows of all customers up to `customer`, and what is left of the piece after them."""
    taken = []
    while rest is not None:
        n = _rows_up_to(customer.as_py(), rest["customer_id"])
        taken.append(rest.slice(0, n))
        if n < rest.num_rows:
            return taken, rest.slice(n)
        rest = next(pieces, None)
    return taken, None


def _rows_up_to(customer: str, ids: pa.ChunkedArray) -> int:
    """How many of the ids, which ascend, are not greater. Texts have the same order by signs and by their bytes."""
    return bisect_right(range(len(ids)), customer, key=lambda row: ids[row].as_py())


def write(name: str, table: pa.Table) -> None:
    """Write the whole table `name`, once it is as declared; the old file stays until the new one is complete."""
    write_batches(name, [table])


def write_batches(name: str, tables: Iterable[pa.Table]) -> None:
    """Write the table `name` piece by piece; each piece, and the order between pieces, is checked as declared.

    No piece at all writes a table of no rows. If a piece fails its check, or making it fails, the old file stays.
    """
    declared = TABLES[name]
    pieces = _checked(declared, tables)
    first = next(pieces, None)
    if first is None:
        first = declared.schema.empty_table()
    with (
        replaced(Path(PATHS[name])) as handle,
        pq.ParquetWriter(handle, first.schema, **encoded(first.schema)) as writer,
    ):
        for group in row_groups(chain([first], pieces)):
            writer.write_table(group, row_group_size=max(1, group.num_rows))


def _checked(declared: Table, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same tables without metadata, each as declared, of the same columns, and in order."""
    schema, before = None, None
    for table in tables:
        piece = declared.check(table.replace_schema_metadata(None)).unify_dictionaries()
        if schema is not None and not piece.schema.equals(schema):
            raise Fault(f"table {declared.name}: a later batch has other columns or types than the first one")
        before = _check_order(declared, before, piece)
        schema = piece.schema
        yield piece


def whole_customers(pieces: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows, in pieces of about `rows` that are cut only between customers.

    The last customer of a piece waits, since more rows may follow.
    """
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(t.num_rows for t in waiting) < rows:
            continue
        table = pa.concat_tables(waiting)
        ids = table["customer_id"]
        cut = bisect_left(range(len(ids)), ids[-1].as_py(), key=lambda row: ids[row].as_py())
        waiting = [table.slice(cut)]
        if cut:
            yield table.slice(0, cut)
    if any(t.num_rows for t in waiting):
        yield pa.concat_tables(waiting)


def _check_customers(name: str, table: pa.Table) -> None:
    """Customers ascend: otherwise a customer could come back in a later piece, and its history would be divided."""
    ids = table["customer_id"]
    if pa.types.is_dictionary(ids.type):
        # The codes of all chunks are places in one list. If it ascends, the ids ascend where the codes do.
        codes = pa.concat_arrays([chunk.indices for chunk in ids.chunks])
        if _ascends(ids.chunk(0).dictionary) and _ascends(codes):
            return
        ids = ids.cast(pa.string())
    if not _ascends(ids.combine_chunks()):
        raise Fault(f"table {name} is not sorted by customer_id, so it cannot be read by whole customers")


def _ascends(ids: pa.Array) -> bool:
    return len(ids) < 2 or not pc.any(pc.greater(ids[:-1], ids[1:])).as_py()


def _check_order(declared: Table, before: tuple[Any, ...] | None, table: pa.Table) -> tuple[Any, ...] | None:
    """The key of the last row of `table`, once its first row follows `before`, the last row of the piece before it."""
    key = declared.key or tuple(c.name for c in declared.columns[:1] if c.name == "customer_id")
    if not table.num_rows or not key:
        return before
    first, last = (tuple(_plain(table[name][row]) for name in key) for row in (0, -1))
    if before is not None and (first < before or (declared.key and first == before)):
        raise Fault(f"table {declared.name}: a batch starts with {first}, but the one before ended with {before}")
    return last


def _plain(value: pa.Scalar) -> Any:
    """The value as Python has it, but an instant as a number: as a time it would import pandas, a third of a second."""
    return value.value if isinstance(value, pa.TimestampScalar) else value.as_py()


def _with_customer(columns: Sequence[str] | None) -> Sequence[str] | None:
    return None if columns is None else ["customer_id", *columns]


def _declared(name: str, columns: Sequence[str] | None, coded: Sequence[str] = ()) -> Table:
    """The declaration of `name`, narrowed to `columns`: the key is checked only where all of it is read."""
    table = TABLES[name]
    known = tuple(replace(c, type=CODE) if c.name in coded else c for c in table.columns)
    if columns is None:
        return replace(table, columns=known)
    kept = tuple(c for c in known if c.name in columns)
    return replace(table, columns=kept, key=table.key if set(table.key) <= set(columns) else ())


def _wanted(name: str, file: pq.ParquetFile, columns: Sequence[str] | None) -> list[str]:
    """The columns to read, in the order of the file."""
    there = file.schema_arrow.names
    missing = sorted(set(columns or ()) - set(there))
    if missing:
        raise Fault(f"table {name} has no column {', '.join(missing)}; it has {', '.join(there)}")
    return [c for c in there if columns is None or c in columns]


@contextmanager
def _opened(name: str, coded: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """The Parquet file of table `name`. `pre_buffer` is off: it would keep every row group in memory."""
    path = Path(PATHS[name])
    with reading(path):
        try:
            with pq.ParquetFile(path, pre_buffer=False, read_dictionary=list(coded)) as file:
                yield file
        except pa.ArrowInvalid as error:
            size = path.stat().st_size
            raise IntegrityFault(
                f"{path} ({size:,} bytes) is not a whole Parquet file: {error}. Was a copy interrupted? "
                f"Delete it and run `churn run`, which makes it again."
            ) from error

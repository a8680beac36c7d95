# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""Reading: every source's rows through the check, deduplicated and merged, into the tables of the engine."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.shell import raw
from churn.shell.engine import doors, encodings, queries
from churn.shell.engine.formats import BROKEN, LINE, REASONS, Readable, named, readable
from churn.shell.engine.names import missing
from churn.shell.store import side_by_side
from churn.words.errors import ContractFault, IntegrityFault, message
from churn.words.tables import QUARANTINE

if TYPE_CHECKING:
    import duckdb

Check = Callable[..., Any]
"""Function of (rows, dataset, *, name, file): valid rows, rejected rows as QUARANTINE, counts."""
BATCH_ROWS = 250_000
"""Rows that are checked at once: many enough that calls cost nothing, few enough for ten copies in a small machine."""
LINES = pa.schema([("line", pa.int64()), ("kind", pa.string()), ("row", pa.string())])
"""Lines that cannot be read: number, what DuckDB calls the fault, and text."""


def read(con: "duckdb.DuckDBPyConnection", dataset: raw.Dataset, check: Check, rows: int) -> dict[str, dict[str, Any]]:
    """Read every source into the tables statements and quarantine, and the view events; the counts of each.

    `rows` are checked at once.
    """
    con.execute(queries.TABLES)
    counts, tables = {}, []
    for name, source in dataset.sources.items():
        con.execute(queries.LINES)
        files, skipped = raw.different(raw.found(name, source.files))
        counts[name] = {
            **rows_of(con, dataset, name, files, check, rows),
            **_unique(con, source),
            "skipped_files": skipped,
        }
        if source.merge_by:
            counts[name]["events"] = _number(con, queries.INSERT_MERGED)
            continue
        counts[name]["events"] = counts[name]["kept"]
        tables.append(f"events of {name}")
        con.execute(f"DROP TABLE IF EXISTS {named(tables[-1])}; ALTER TABLE lines RENAME TO {named(tables[-1])}")
    for name, source in dataset.attributes.items():
        files, skipped = raw.different(raw.found(name, source.files))
        counts[name] = {**rows_of(con, dataset, name, files, check, rows), "skipped_files": skipped}
        counts[name]["contradictions"] = contradictions(con.execute(queries.CONTRADICTIONS).fetchall(), source.columns)
    con.execute(f"DROP TABLE IF EXISTS lines; {queries.all_events(tables)}")
    return counts


def rows_of(
    con: "duckdb.DuckDBPyConnection", dataset: raw.Dataset, name: str, files: list[raw.RawFile], check: Check, rows: int
) -> dict[str, Any]:
    """Check every row of some files of a source, and insert valid and rejected ones; what was counted."""
    source = {**dataset.sources, **dataset.attributes}[name]
    insert = queries.INSERT_LINES if name in dataset.sources else queries.INSERT_STATEMENTS
    total: dict[str, Any] = {"rows": 0}
    for lookup_name, lookup in (source.lookups or {}).items():
        _lookup(con, f"{name}.{lookup_name}", lookup, _columns_of(lookup_name, source))
    con.execute(queries.REJECTED)
    wanted = _own_columns(source)
    for file in files:
        with _in_words(file):
            how = readable(con, file, source, wanted)
        _check_columns(file, how, source)
        work = partial(_checked, check, dataset, name, file.name)
        rejected = broken = 0
        before = total["rows"]
        with con.cursor() as reader:
            batches = _told_of(file, how, _batches(reader, _with_lookups(how, name, source), rows))
            for result, odd in side_by_side(work, batches):
                _insert(con, insert, result.valid)
                _insert(con, queries.INSERT_REJECTED, result.rejected)
                _insert(con, queries.INSERT_REJECTED, odd)
                rejected, broken = rejected + result.rejected.num_rows, broken + odd.num_rows
                total = doors.added(total, result.counts)
            # Kept by the connection that read them, so they are taken over before it ends.
            unreadable = reader.sql(queries.UNREADABLE).to_arrow_table() if how.in_lines else LINES.empty_table()
        total["rows"] += broken
        # Most files have nothing to say here, and a query takes longer than their rows.
        if rejected or broken or len(unreadable):
            total["rows"] += _quarantine(con, how, unreadable, name, file.name)
        total["rows"] += _not_read(how, file, unreadable, total["rows"] - before)
        if pc.any(pc.equal(unreadable["kind"], "INVALID ENCODING")).as_py():
            total = doors.added(total, {"looks_like": {encodings.likely(file.path): 1}})
    reasons = con.execute("SELECT reason, count(*) FROM quarantine WHERE source = ? GROUP BY 1 ORDER BY 1", [name])
    return {**total, "quarantined": dict(reasons.fetchall())}


def _checked(check: Check, dataset: raw.Dataset, name: str, file: str, rows: pa.Table) -> tuple[Any, pa.Table]:
    """What `check` says of the whole rows, and the broken ones."""
    sound, broken = _divided(rows, name, file)
    return check(sound, dataset, name=name, file=file), broken


def _check_columns(file: raw.RawFile, how: Readable, source: Any) -> None:
    """All columns are there that are not those of a lookup."""
    absent = [c for c in _own_columns(source) if c not in how.columns]
    if absent:
        raise missing(file, absent, list(how.columns))
    odd = [c for c in how.columns if "\0" in c]
    if odd:
        # On the way out of the database a name ends there, and two columns may get one name.
        raise ContractFault(
            message(
                "a column's name holds the character NUL",
                where=f"{file.name} (source {file.source}), column {odd[0]!r}",
                many=f"{len(odd)} of {len(how.columns)} columns",
                do="export it again; such characters come from damaged files",
            )
        )


def _own_columns(source: Any) -> list[str]:
    """The columns that the files of a source must have."""
    lookups = tuple(f"{name}." for name in source.lookups or {})
    return [c for c in source.reads if not (lookups and c.startswith(lookups))]


def _columns_of(lookup: str, source: Any) -> list[str]:
    return [c.partition(".")[2] for c in source.reads if c.startswith(f"{lookup}.")]


def _lookup(con: "duckdb.DuckDBPyConnection", name: str, lookup: Any, columns: list[str]) -> None:
    """The lookup as a table of its key and the wanted columns, one row a key."""
    key = lookup.key_there or lookup.key
    pieces = []
    for file in raw.found(name, lookup.files):
        with _in_words(file):
            how = readable(con, file, lookup)
        absent = [c for c in (key, *columns) if c not in how.columns]
        if absent:
            raise missing(file, absent, list(how.columns))
        wanted = "".join(f", {named(c)}" for c in columns)
        pieces.append(f"SELECT {queries.text(key, how.columns[key])} AS _key{wanted} FROM ({how.sql})")
    con.execute(f"CREATE OR REPLACE TABLE {named(name)} AS {' UNION ALL BY NAME '.join(pieces)}")
    repeated = f"SELECT _key FROM {named(name)} WHERE _key IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1"
    twice = con.execute(repeated).fetchall()
    if twice:
        shown = ", ".join(str(k) for (k,) in twice[:5])
        raise ContractFault(
            f"lookup {name}: {len(twice)} values of {key} stand in it more than once (such as {shown}), "
            f"so a row would become several; keep one row a key"
        )


def _with_lookups(how: Readable, name: str, source: Any) -> str:
    """The SQL of a file's rows with the columns of its lookups, called LOOKUP.column."""
    columns, joins = ["s.*"], []
    for place, (lookup_name, lookup) in enumerate((source.lookups or {}).items()):
        columns += [f"l{place}.{named(c)} AS {named(f'{lookup_name}.{c}')}" for c in _columns_of(lookup_name, source)]
        key = queries.text(lookup.key, how.columns[lookup.key], of="s")
        joins.append(f"LEFT JOIN {named(f'{name}.{lookup_name}')} AS l{place} ON l{place}._key = {key}")
    return f"SELECT {', '.join(columns)} FROM ({how.sql}) AS s {' '.join(joins)}"


def _batches(reader: "duckdb.DuckDBPyConnection", query: str, rows: int) -> Iterator[pa.Table]:
    """The rows of a query in pieces, while other connections to the same database work."""
    for batch in reader.sql(query).to_arrow_reader(rows):
        yield pa.Table.from_batches([batch])


def _not_read(how: Readable, file: raw.RawFile, unreadable: pa.Table, read_rows: int) -> int:
    """Lines of a file that the database did not give back: none, or the account of the source does not add up.

    Raises
    ------
    ContractFault
        If a quotation mark that is not closed swallowed the lines behind it (exit 4).
    """
    if how.lines is None:
        return 0
    line = pc.min(unreadable["line"].filter(pc.equal(unreadable["kind"], "UNQUOTED VALUE"))).as_py()
    if line is not None and how.lines > read_rows:
        raise ContractFault(
            message(
                "quote_not_closed: a quotation mark is not closed, so that nobody knows where its row ends",
                where=f"{file.name}:{line} (source {file.source})",
                many=f"up to {how.lines - read_rows:,} of {how.lines:,} lines behind it are swallowed",
                do="close or remove the mark in that line, or export the file again with every quotation mark doubled",
            )
        )
    # A lone return within a file of other line ends may divide a line in two; only fewer rows than lines are a loss.
    return 0 if how.quoted else max(0, how.lines - read_rows)


def _told_of(file: raw.RawFile, how: Readable, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same batches; a fault of the check that looks at one does not pass through here."""
    with _in_words(file, how.returns_alone):
        yield from batches


@contextmanager
def _in_words(file: raw.RawFile, returns_alone: int = 0) -> Iterator[None]:
    """What the database says of a file that it cannot read is told as a fault of the file."""
    import duckdb

    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except (duckdb.Error, OSError) as error:
        if isinstance(error, OSError) and not str(error).startswith("Invalid Input Error"):
            raise  # an OSError of the database is one that came through Arrow
        kind = IntegrityFault if file.path.suffix.lower() == ".parquet" else ContractFault
        what = "the file is damaged" if kind is IntegrityFault else "the file cannot be divided into rows"
        many, do = str(error).splitlines()[0].rpartition("Error: ")[2][:200], "copy or export it again"
        if returns_alone:
            what += ": carriage returns stand alone, not at the end of lines"
            many = f"{returns_alone:,} of them"
            do = "put texts with line ends in quotation marks, or take the returns out, and export it again"
        where = f"{file.path} (source {file.source}), {file.path.stat().st_size:,} bytes"
        raise kind(message(what, where=where, many=many, do=do)) from error


def _divided(rows: pa.Table, name: str, file: str) -> tuple[pa.Table, pa.Table]:
    """Rows that are whole, and those of a JSON file that are no object, as QUARANTINE."""
    if BROKEN not in rows.column_names:
        return rows, QUARANTINE.schema.empty_table()
    broken = pc.is_valid(rows[BROKEN])
    bad = rows.filter(broken)
    rejected = _unreadable(name, file, bad[LINE], ["no_json_object"] * bad.num_rows, bad[BROKEN].to_pylist())
    return rows.filter(pc.invert(broken)).drop_columns([BROKEN]), rejected


def _quarantine(con: "duckdb.DuckDBPyConnection", how: Readable, lines: pa.Table, name: str, file: str) -> int:
    """Quarantine what was rejected of a file, with true line numbers; how many lines could not be read at all."""
    at = lines["line"].to_numpy()
    con.register("before", pa.table({"n": at - 1 - how.header_lines - np.arange(len(at))}))
    con.execute(queries.QUARANTINE_REJECTED.format(header_lines=how.header_lines))
    con.unregister("before")
    con.execute(queries.REJECTED)
    reasons = [REASONS.get(kind, "line_unreadable") for kind in lines["kind"].to_pylist()]
    _insert(
        con, queries.QUARANTINE_UNREADABLE, _unreadable(name, file, lines["line"], reasons, lines["row"].to_pylist())
    )
    return lines.num_rows


def _unreadable(name: str, file: str, line: pa.ChunkedArray, reasons: list[str], texts: list[str]) -> pa.Table:
    """Lines as QUARANTINE. Only lines without columns come here: few, or the source is stopped."""
    n = len(reasons)
    raw_texts = [json.dumps({"line": text}, ensure_ascii=False) for text in texts]
    columns = [[name] * n, [file] * n, line.cast(pa.int64()), reasons, pa.nulls(n, pa.string()), raw_texts]
    return pa.table(columns, schema=QUARANTINE.schema)


def _insert(con: "duckdb.DuckDBPyConnection", insert: str, rows: pa.Table) -> None:
    if not rows.num_rows:
        return
    con.register("piece", rows)
    con.execute(insert)
    con.unregister("piece")


def _unique(con: "duckdb.DuckDBPyConnection", source: Any) -> dict[str, Any]:
    """Keep one row a version of an event in `lines`; how many are not the one that stands, and how many conflict."""
    n = _number(con, "SELECT count(*) FROM lines")
    if source.equal_rows == "separate":
        con.execute(queries.NUMBER_EQUAL_ROWS)
        return {"kept": n, "duplicates": 0, "conflicts": 0, "conflict_ids": []}
    con.execute(queries.REPEATED)
    duplicates = conflicts = 0
    ids: list[str] = []
    if _number(con, "SELECT count(*) FROM repeated"):
        con.execute(queries.TWINS)
        conflicts = _number(con, queries.CONFLICTS)
        ids = [one for (one,) in con.execute(queries.CONFLICT_IDS).fetchall()] if conflicts else []
        con.execute(queries.VERSIONS)
        duplicates = _number(con, queries.DROP_OTHERS)
        duplicates += _number(con, queries.SUPERSEDE)
        if source.merge_by:
            con.execute(queries.DROP_SUPERSEDED)
    con.execute(queries.FORGET_TWINS)
    return {"kept": n - duplicates, "duplicates": duplicates, "conflicts": conflicts, "conflict_ids": ids}


def contradictions(found: list[tuple[Any, ...]], columns: Mapping[str, str]) -> dict[str, Any]:
    """Of rows (name, customer, customers in all): how many customers have two values of these columns at one time."""
    mine = sorted({customer for name, customer, _ in found if name in columns})
    return {"customers": len(mine), "of": max((of for *_, of in found), default=0), "examples": mine[:5]}


def _number(con: "duckdb.DuckDBPyConnection", query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0

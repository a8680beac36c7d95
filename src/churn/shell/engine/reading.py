# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""Reading: every source's rows through the check, deduplicated and merged, into the tables of the engine."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.shell import raw
from churn.shell.engine import queries
from churn.shell.engine.formats import BROKEN, LINE, REASONS, Readable, missing, named, readable
from churn.shell.store import side_by_side
from churn.words.errors import ContractFault
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
        counts[name] = {
            **rows_of(con, dataset, name, raw.found(name, source.files), check, rows),
            **_unique(con, source),
        }
        if source.merge_by:
            counts[name]["events"] = _number(con, queries.INSERT_MERGED)
            continue
        counts[name]["events"] = counts[name]["kept"]
        tables.append(f"events of {name}")
        con.execute(f"DROP TABLE IF EXISTS {named(tables[-1])}; ALTER TABLE lines RENAME TO {named(tables[-1])}")
    for name, source in dataset.attributes.items():
        counts[name] = rows_of(con, dataset, name, raw.found(name, source.files), check, rows)
    con.execute(f"DROP TABLE IF EXISTS lines; {queries.all_events(tables)}")
    return counts


def rows_of(
    con: "duckdb.DuckDBPyConnection", dataset: raw.Dataset, name: str, files: list[raw.RawFile], check: Check, rows: int
) -> dict[str, Any]:
    """Check every row of some files of a source, and insert valid and rejected ones; what was counted."""
    source = {**dataset.sources, **dataset.attributes}[name]
    insert = queries.INSERT_LINES if name in dataset.sources else queries.INSERT_STATEMENTS
    total: dict[str, int] = {"rows": 0}
    for lookup_name, lookup in (source.lookups or {}).items():
        _lookup(con, f"{name}.{lookup_name}", lookup, _columns_of(lookup_name, source))
    con.execute(queries.REJECTED)
    for file in files:
        how = readable(con, file, source)
        _check_columns(file, how, source)
        work = partial(_checked, check, dataset, name, file.name)
        rejected = broken = 0
        with con.cursor() as reader:
            for result, odd in side_by_side(work, _batches(reader, _with_lookups(how, name, source), rows)):
                _insert(con, insert, result.valid)
                _insert(con, queries.INSERT_REJECTED, result.rejected)
                _insert(con, queries.INSERT_REJECTED, odd)
                rejected, broken = rejected + result.rejected.num_rows, broken + odd.num_rows
                for key, n in result.counts.items():
                    total[key] = total.get(key, 0) + n
            # Kept by the connection that read them, so they are taken over before it ends.
            unreadable = reader.sql(queries.UNREADABLE).to_arrow_table() if how.in_lines else LINES.empty_table()
        total["rows"] += broken
        # Most files have nothing to say here, and a query takes longer than their rows.
        if rejected or broken or len(unreadable):
            total["rows"] += _quarantine(con, how, unreadable, name, file.name)
    reasons = con.execute("SELECT reason, count(*) FROM quarantine WHERE source = ? GROUP BY 1 ORDER BY 1", [name])
    return {**total, "quarantined": dict(reasons.fetchall())}


def _checked(check: Check, dataset: raw.Dataset, name: str, file: str, rows: pa.Table) -> tuple[Any, pa.Table]:
    """What `check` says of the whole rows, and the broken ones."""
    sound, broken = _divided(rows, name, file)
    return check(sound, dataset, name=name, file=file), broken


def _check_columns(file: raw.RawFile, how: Readable, source: Any) -> None:
    """All columns are there that are not those of a lookup."""
    lookups = tuple(f"{name}." for name in source.lookups or {})
    wanted = [c for c in source.reads if not (lookups and c.startswith(lookups))]
    absent = [c for c in wanted if c not in how.columns]
    if absent:
        raise missing(file, absent, list(how.columns))


def _columns_of(lookup: str, source: Any) -> list[str]:
    return [c.partition(".")[2] for c in source.reads if c.startswith(f"{lookup}.")]


def _lookup(con: "duckdb.DuckDBPyConnection", name: str, lookup: Any, columns: list[str]) -> None:
    """The lookup as a table of its key and the wanted columns, one row a key."""
    key = lookup.key_there or lookup.key
    pieces = []
    for file in raw.found(name, lookup.files):
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


def _unique(con: "duckdb.DuckDBPyConnection", source: Any) -> dict[str, int]:
    """Keep one row an event in `lines`; how many were duplicates, and how many of these said something else."""
    n = _number(con, "SELECT count(*) FROM lines")
    if source.equal_rows == "separate":
        con.execute(queries.NUMBER_EQUAL_ROWS)
        return {"kept": n, "duplicates": 0, "conflicts": 0}
    con.execute(queries.REPEATED)
    duplicates = conflicts = 0
    if _number(con, "SELECT count(*) FROM repeated"):
        con.execute(queries.TWINS)
        conflicts, duplicates = _number(con, queries.CONFLICTS), _number(con, queries.KEEP_LATEST)
    con.execute(queries.FORGET_TWINS)
    return {"kept": n - duplicates, "duplicates": duplicates, "conflicts": conflicts}


def _number(con: "duckdb.DuckDBPyConnection", query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0

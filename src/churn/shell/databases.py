"""Databases: what a table holds is saved once as Parquet, and everything after reads that file.

A table may change between two reads; a file with its digest in data/raw.json cannot. An address may hold a password, so
it comes from an environment variable at the moment of use, and stands in no file, log or message.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from churn.shell.store.whole import replaced
from churn.words.errors import ConfigFault, ContractFault, DiskFault

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

DATABASE, SQLITE = "database:", "sqlite:"
"""`database:VARIABLE/table` is in the database whose address the environment variable holds; `sqlite:path/table`."""
SAVED = Path("data/database")
"""Where tables are saved; data/ is never committed."""
ROW_GROUP = 250_000
"""Always as many rows, since a file's bytes depend on how it was written, and batches come as the network likes."""
_PLAIN = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_date)
_SYSTEM = "'pg_catalog', 'information_schema'"


class Place(NamedTuple):
    """A table, in the database of the SQLite file or of the environment variable `where`."""

    kind: str
    where: str
    table: str


def place(source: str, pattern: str) -> Place | None:
    """What `files` says of a database; None if it names files.

    Raises
    ------
    ConfigFault
        If a part is missing, the file lies outside of the project, or an address stands where a variable should.
    """
    kind = next((k for k in (DATABASE, SQLITE) if pattern.startswith(k)), None)
    if kind is None:
        if re.match(r"\w+://", pattern):
            raise ConfigFault(
                f"data.sources.{source}.files holds the address of a database, which may hold a password; put the "
                f"address into an environment variable and write `{DATABASE}VARIABLE/table`"
            )
        return None
    where, slash, table = pattern.removeprefix(kind).rpartition("/")
    form = "VARIABLE/table" if kind == DATABASE else "data/raw/shop.db/table"
    named = re.fullmatch(r"[A-Za-z_]\w*", where) if kind == DATABASE else where
    if not (slash and table and named):
        raise ConfigFault(f"data.sources.{source}.files must be written as `{kind}{form}`")
    if kind == SQLITE and (PurePosixPath(where).is_absolute() or ".." in PurePosixPath(where).parts):
        raise ConfigFault(f"data.sources.{source}.files names {where!r}, which leaves the project")
    return Place(kind, where, table)


def saved_file(pattern: str) -> Path:
    """Where the table of a pattern is saved; two sources of one table read one file."""
    table = re.sub(r"[^\w.-]", "_", pattern.rpartition("/")[2])
    return SAVED / f"{table}-{hashlib.sha256(pattern.encode()).hexdigest()[:8]}.parquet"


def save(patterns: Iterable[tuple[str, str]]) -> list[Path]:
    """Save the table of every (source, pattern) that names one; the files.

    All tables of one database are read in one transaction, so that they fit each other.

    Raises
    ------
    ConfigFault
        If an environment variable is not set, or the database cannot be reached (exit 3).
    ContractFault
        If a table is not there (exit 4).
    """
    places = {pattern: found for source, pattern in patterns if (found := place(source, pattern))}
    for kind, where in dict.fromkeys((found.kind, found.where) for found in places.values()):
        with connected(kind, where) as con:
            for pattern, found in places.items():
                if (found.kind, found.where) == (kind, where):
                    _save(con, found, saved_file(pattern))
    return [saved_file(pattern) for pattern in places]


def tables(kind: str, where: str) -> list[str]:
    """The tables and views of a database; outside of PostgreSQL's own schema `public` as schema.table."""
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1"
    if kind == DATABASE:
        query = (
            "SELECT CASE table_schema WHEN 'public' THEN table_name ELSE table_schema || '.' || table_name END "  # noqa: S608 - constants
            f"FROM information_schema.tables WHERE table_schema NOT IN ({_SYSTEM}) ORDER BY 1"
        )
    with connected(kind, where) as con, con.cursor() as cursor:
        cursor.execute(query)
        return [str(name) for (name,) in cursor.fetchall()]


def head(kind: str, where: str, table: str, rows: int) -> tuple[pa.Table, bool]:
    """The first rows of a table, and whether they are all."""
    with connected(kind, where) as con, con.cursor() as cursor:
        cursor.execute(f"{_query(cursor, Place(kind, where, table))} LIMIT {rows + 1}")
        reader = cursor.fetch_record_batch()
        schema = _plain(reader.schema)
        found = pa.Table.from_batches(reader, reader.schema).cast(schema)
    return found.slice(0, rows), found.num_rows <= rows


@contextmanager
def connected(kind: str, where: str) -> "Iterator[Connection]":
    """A connection that only reads; what goes wrong is told without the password."""
    from adbc_driver_manager import Error

    address = _address(kind, where)
    try:
        with _connect(kind, address) as con:
            yield con
    except Error as error:
        said = masked(str(error).strip(), address)
        raise ConfigFault(f"the database {_told(kind, where, address)} said: {said}") from None


def masked(text: str, address: str = "") -> str:
    """A text in which no password of the address, nor of any other address, can be read.

    >>> masked("no route to postgresql://me:secret@host/shop?password=secret")
    'no route to postgresql://me:***@host/shop?password=***'
    """
    secrets = [part for part in _secrets(address) if part]
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = re.sub(r"(\w+://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)
    return re.sub(r"(?i)\b(password|passfile|sslpassword)=[^\s&]*", r"\1=***", text)


def _secrets(address: str) -> list[str]:
    parts = urlsplit(address)
    inside = re.findall(r"(?i)password=([^\s&]*)", address)
    try:
        written = parts.password or ""
    except ValueError:
        written = ""
    return [secret for raw in (written, *inside) for secret in (raw, unquote(raw))]


def _address(kind: str, where: str) -> str:
    if kind == SQLITE:
        if not Path(where).is_file():
            raise ContractFault(f"there is no database file {where} (looked from {Path.cwd()})")
        return where
    address = os.environ.get(where, "")
    if not address:
        raise ConfigFault(
            f"the environment variable {where} is not set; it must hold the address of the database, as in "
            f"`export {where}=postgresql://USER@HOST/DATABASE`"
        )
    if not address.startswith(("postgresql://", "postgres://")):
        raise ConfigFault(f"the address in {where} must start with postgresql://; SQLite files are named by their path")
    return address


def _connect(kind: str, address: str) -> "Connection":
    if kind == SQLITE:
        import adbc_driver_sqlite.dbapi as sqlite

        return sqlite.connect(f"file:{address}?mode=ro")
    import adbc_driver_postgresql.dbapi as postgresql

    con = postgresql.connect(address)
    with con.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    return con


def _told(kind: str, where: str, address: str) -> str:
    return where if kind == SQLITE else f"{masked(address, address)} (of {where})"


def _save(con: "Connection", found: Place, path: Path) -> None:
    """Stream a table into its file; it never is in memory as a whole."""
    with con.cursor() as cursor:
        query = _query(cursor, found)
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        with replaced(path) as handle, pq.ParquetWriter(handle, _plain(reader.schema), compression="zstd") as writer:
            for rows in _groups(reader):
                writer.write_table(rows, row_group_size=ROW_GROUP)
    if path.stat().st_size == 0:
        raise DiskFault(f"{path} could not be written")


def _groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """The rows in tables of `ROW_GROUP`, the last one smaller."""
    waiting = _plain(reader.schema).empty_table()
    for batch in reader:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(waiting.schema)])
        while waiting.num_rows >= ROW_GROUP:
            yield waiting.slice(0, ROW_GROUP)
            waiting = waiting.slice(ROW_GROUP)
    yield waiting


def _plain(schema: pa.Schema) -> pa.Schema:
    """The schema without what drivers note beside it."""
    return pa.schema([pa.field(field.name, _storage(field.type)) for field in schema])


def _storage(kind: Any) -> Any:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _query(cursor: "Cursor", found: Place) -> str:
    """All columns of a table; what Arrow has no plain type for comes as text, as does everything of SQLite.

    A column of SQLite may hold a number here and a text there, and its driver takes the type of the first rows.
    """
    table = ".".join(_named(part) for part in found.table.split("."))
    query = f"SELECT * FROM {table}"  # noqa: S608 - quoted
    if found.kind == SQLITE:
        cursor.execute(f"{query} LIMIT 0")
        names = [column[0] for column in cursor.description or []]
        return f"SELECT {', '.join(f'CAST({_named(n)} AS TEXT) AS {_named(n)}' for n in names)} FROM {table}"  # noqa: S608 - quoted
    schema = cursor.adbc_execute_schema(query)
    parts = [
        _named(field.name) if _is_plain(field.type) else f"{_named(field.name)}::text AS {_named(field.name)}"
        for field in schema
    ]
    return f"SELECT {', '.join(parts)} FROM {table}"  # noqa: S608 - quoted


def _is_plain(kind: Any) -> bool:
    return any(is_kind(kind) for is_kind in (*_PLAIN, pa.types.is_timestamp))


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

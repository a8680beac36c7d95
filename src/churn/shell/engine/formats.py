# ruff: noqa: S608 - columns and tables are named by this package or quoted by `named`
"""Formats: how the bytes of a file become rows, and what is said when they cannot."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pyarrow as pa

from churn.shell.engine import contents, header, limits, nested, packed, sheets
from churn.shell.engine.limits import LINE_BYTES
from churn.shell.raw import RawFile
from churn.words.errors import ContractFault, IntegrityFault, message

if TYPE_CHECKING:
    import duckdb

LINE = "_line"
"""Column added to every row: line or row number in the file, from 1, the header included."""
BROKEN = "_broken"
"""Column with the text of a line that is no JSON object, else null; such rows are rejected."""
REASONS = {
    "MISSING COLUMNS": "too_few_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "INVALID ENCODING": "not_utf8",
    "UNQUOTED VALUE": "quote_not_closed",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
}
"""What DuckDB calls a line that it cannot read, and our reason."""
CSV, TSV, JSON, PARQUET, SHEET = "csv", "tsv", "jsonl", "parquet", "xlsx"
ENDINGS = {
    ".csv": CSV,
    ".txt": CSV,
    ".tsv": TSV,
    ".jsonl": JSON,
    ".json": JSON,
    ".ndjson": JSON,
    ".parquet": PARQUET,
    ".xlsx": SHEET,
}
UTF8 = "utf-8"
_LOOK = 4096
_NO_SUCH_QUOTE = "''"


class Readable(NamedTuple):
    """A file that can be read: the SQL of its rows with `_line`, and its columns with DuckDB's types.

    `in_lines`: it is read line by line, so that a line may be unreadable; `_line` then counts readable lines after
    `header_lines`, until all unreadable ones are known. `lines`: lines with rows, counted by hand, in a CSV file;
    `quoted`: whether some of them may be parts of one row; `returns_alone`: returns that end no line.
    """

    sql: str
    columns: dict[str, str]
    in_lines: bool
    header_lines: int = 0
    lines: int | None = None
    quoted: bool = False
    returns_alone: int = 0


class Written(Protocol):
    """How a declaration says that its files are written: a source, attributes or a lookup."""

    @property
    def delimiter(self) -> str: ...
    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def encoding(self) -> str: ...
    @property
    def sheet(self) -> str | None: ...
    @property
    def skip_lines(self) -> int: ...


def readable(
    con: "duckdb.DuckDBPyConnection", file: RawFile, written: Written, expected: Sequence[str] = ()
) -> Readable:
    """How to read a file, once it is what its name says.

    Raises
    ------
    ContractFault
        If the file is empty, of another kind, of another encoding, or its header cannot be used (exit 4).
    IntegrityFault
        If the file is cut off (exit 10).
    """
    kind = kind_of(file)
    if file.path.stat().st_size == 0:
        columns = f"expected are the columns {', '.join(expected)}" if expected else ""
        raise ContractFault(
            message(
                f"{file.path} (source {file.source}) is empty, 0 bytes",
                where=columns,
                do="was an export or a copy interrupted? Deliver it again",
            )
        )
    if kind == PARQUET:
        return _parquet(con, file)
    if kind == SHEET:
        return _sheet(con, file, written)
    at = _as_lines(con, file, written, kind)
    scan = _scanned(file, at)
    if scan.mixed:
        at = packed.with_line_feeds(at, _temporary_folder(con))
    contents.check_text(file, scan.head)
    if kind == JSON:
        return _json(con, at, expected)
    return _below_title(con, file, at, scan, written, kind)


def _as_lines(con: "duckdb.DuckDBPyConnection", file: RawFile, written: Written, kind: str) -> Path:
    """The text of a file as lines of UTF-8: the file itself, or a copy."""
    if kind == JSON and nested.is_array(packed.head(file, _LOOK, whole=False), written.encoding):
        return nested.in_lines(file, written.encoding, _temporary_folder(con))
    if written.encoding == UTF8:
        return file.path
    _scanned(file, file.path)
    return packed.in_utf8(file, written.encoding, _temporary_folder(con))


def _below_title(
    con: "duckdb.DuckDBPyConnection", file: RawFile, at: Path, scan: limits.Scan, written: Written, kind: str
) -> Readable:
    """How to read a delimited text below the lines that are no part of its table."""
    head = scan.head
    if written.skip_lines:
        at, head = packed.without_title(file, at, written.skip_lines, _temporary_folder(con))
        if not head.strip():
            raise ContractFault(f"{file.path} (source {file.source}): nothing stands below its `skip_lines`")
    how = _delimited(file, at, head, "\t" if kind == TSV else written.delimiter, written)
    named_by = 0 if written.header else 1
    above = sum(bool(line.strip()) for line in scan.head.splitlines()[: written.skip_lines])
    return how._replace(lines=scan.lines - above - named_by, quoted=scan.quoted, returns_alone=scan.returns_alone)


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def kind_of(file: RawFile) -> str:
    """The format of a file, by its ending.

    Raises
    ------
    ContractFault
        If the ending is none that we read.
    """
    suffixes = [s.lower() for s in file.path.suffixes]
    packing = suffixes.pop() if suffixes and suffixes[-1] in packed.ENDINGS else None
    kind = ENDINGS.get(suffixes[-1] if suffixes else "")
    if kind is None or (packing and kind in (PARQUET, SHEET)):
        raise ContractFault(
            f"{file.path} (source {file.source}): its ending is none of {', '.join(ENDINGS)}; texts may also end in "
            f"{' or '.join(packed.ENDINGS)}"
        )
    return kind


def _temporary_folder(con: "duckdb.DuckDBPyConnection") -> Path:
    """Where the engine spills; it is removed with everything in it when the engine is done."""
    ((folder,),) = con.execute("SELECT current_setting('temp_directory')").fetchall()
    return Path(folder)


def _scanned(file: RawFile, path: Path) -> limits.Scan:
    """A text as a whole, unpacked: that of the file, or its copy in UTF-8."""
    size = path.stat().st_size if packed.packing(path) else None
    return limits.scanned(packed.blocks(file._replace(path=path)), file.path, file.source, size)


def _parquet(con: "duckdb.DuckDBPyConnection", file: RawFile) -> Readable:
    import duckdb

    with file.path.open("rb") as handle:
        start = handle.read(4)
        handle.seek(-min(4, file.path.stat().st_size), 2)
        end = handle.read(4)
    if start != b"PAR1":
        raise ContractFault(
            message(
                f"{file.path} (source {file.source}) is not a Parquet file by its content, but {contents.seems(file)}",
                do="rename it to its true ending",
            )
        )
    size = file.path.stat().st_size
    cut = IntegrityFault(
        f"{file.path} ({size:,} bytes) is not a whole Parquet file; was a copy interrupted? Copy it again"
    )
    if end != b"PAR1":
        raise cut
    scan = f"read_parquet({quoted(str(file.path))}, file_row_number = true)"
    try:
        types = {row[0]: row[1] for row in con.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()}
    except duckdb.Error as error:
        raise cut from error
    types.pop("file_row_number")
    limits.check_columns(con, file.path, file.source, types)
    parts = [_plain(name, kind) for name, kind in types.items()]
    return Readable(f"SELECT file_row_number + 1 AS {LINE}, {', '.join(parts)} FROM {scan}", types, in_lines=False)


def _plain(name: str, kind: str) -> str:
    """A column as SQL; what Arrow has no plain text for, such as lists, becomes text here."""
    simple = ("VARCHAR", "DOUBLE", "FLOAT", "BOOLEAN", "DATE", "DECIMAL", "TIMESTAMP", "TINYINT", "SMALLINT", "INTEGER")
    if kind.startswith((*simple, "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")) and not kind.endswith("]"):
        return named(name)
    return f"CAST({named(name)} AS VARCHAR) AS {named(name)}"


def _json(con: "duckdb.DuckDBPyConnection", path: Path, expected: Sequence[str]) -> Readable:
    """Lines of JSON are read as text, so that a broken line is one line, and numbers keep their digits."""
    lines = (
        f"SELECT row_number() OVER () AS {LINE}, json FROM read_csv({quoted(str(path))}, "
        f"columns = {{'json': 'VARCHAR'}}, auto_detect = false, header = false, delim = '\x01', "
        f"quote = {_NO_SUCH_QUOTE}, escape = {_NO_SUCH_QUOTE}, nullstr = '', "
        f"store_rejects = true, rejects_limit = 0, max_line_size = {LINE_BYTES})"
    )
    # CASE, because AND looks at both of its sides, and the type of what is no JSON is an error.
    sound = "CASE WHEN json_valid(json) THEN json_type(json) = 'OBJECT' ELSE false END"
    whole = f"SELECT {LINE}, json, {sound} AS sound FROM ({lines}) WHERE trim(json) <> ''"
    found = nested.columns(con, f"SELECT json FROM ({whole}) WHERE sound")
    # To the database, names that differ by case are one: of such keys the expected one is read, the others are not.
    first: dict[str, str] = {}
    for name in sorted(found, key=lambda name: name not in expected):
        first.setdefault(name.casefold(), name)
    pointers = {name: pointer for name, pointer in found.items() if first[name.casefold()] == name}
    parts = [
        f"CASE WHEN sound THEN json_extract_string(json, {quoted(pointer)}) END AS {named(name)}"
        for name, pointer in pointers.items()
    ]
    types = dict.fromkeys(pointers, "VARCHAR")
    broken = f"CASE WHEN NOT sound THEN json END AS {BROKEN}"
    return Readable(f"SELECT {', '.join([LINE, broken, *parts])} FROM ({whole})", types, in_lines=True)


def _sheet(con: "duckdb.DuckDBPyConnection", file: RawFile, written: Written) -> Readable:
    rows, first = sheets.rows(file, written.sheet, written.header, written.skip_lines)
    lines = pa.array(range(first, first + rows.num_rows), pa.int64())
    name = named(f"sheet {file.source} {file.name}")
    con.register("piece", rows.append_column(LINE, lines))
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM piece")
    con.unregister("piece")
    types = {row[0]: row[1] for row in con.execute(f"DESCRIBE {name}").fetchall()}
    types.pop(LINE)
    return Readable(f"SELECT * FROM {name}", types, in_lines=False)


def _delimited(file: RawFile, path: Path, head: bytes, delimiter: str, written: Written) -> Readable:
    names = list(written.header) or header.names(file, head, delimiter)
    header_lines = written.skip_lines + (0 if written.header else 1)
    fields = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in names)
    sql = (
        f"SELECT row_number() OVER () AS {LINE}, * FROM read_csv({quoted(str(path))}, columns = {{{fields}}}, "
        f"auto_detect = false, header = false, skip = {header_lines}, delim = {quoted(delimiter)}, "
        f"quote = '\"', escape = '\"', nullstr = '', strict_mode = true, null_padding = false, "
        f"store_rejects = true, rejects_limit = 0, max_line_size = {LINE_BYTES})"
    )
    return Readable(sql, dict.fromkeys(names, "VARCHAR"), in_lines=True, header_lines=header_lines)

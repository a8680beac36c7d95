# ruff: noqa: S608 - columns and tables are quoted by the formats
"""Samples: what lies at a place that somebody names, as rows to look at, and how its files would be declared."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from churn.shell import databases, raw
from churn.shell.engine import packed, sheets
from churn.shell.engine.formats import CSV, ENDINGS, JSON, LINE, SHEET, TSV, kind_of, readable
from churn.shell.patterns import numberless, pattern_of, shared_start
from churn.words.errors import ContractFault, NotEnoughData, UsageFault

if TYPE_CHECKING:
    import duckdb

RAW = Path("data/raw")
"""Where people's files lie; it is never committed."""
ROWS = 600_000
"""Rows of each kind to look at: enough that rare values show, few enough that a look takes seconds."""
_HEAD_BYTES = 1 << 16
_MEMORY = "2GB"
"""Room for `ROWS` rows of wide tables; a look streams and sorts nothing."""
_DATABASE_FILES = {".db", ".sqlite", ".sqlite3"}
Layout = Callable[..., Any]
"""Function of the first bytes of a text file and `tabs`: encoding, delimiter, header, and evidence of each."""


class Rows(NamedTuple):
    """Rows of one kind: a name, what `files` would say, the first rows, how they are written, whether that is all."""

    name: str
    files: str
    rows: pa.Table
    written: dict[str, tuple[Any, str]]
    whole: bool


class _Written(NamedTuple):
    """How files are written, as a declaration would say it."""

    delimiter: str = ","
    header: tuple[str, ...] = ()
    encoding: str = "utf-8"
    sheet: str | None = None
    skip_lines: int = 0


_Member = tuple[Path, _Written, dict[str, tuple[Any, str]]]
"""A file, how it is written, and what shows it."""


def name_of(where: str) -> str:
    """A short name for the data at a place."""
    if "://" in where:
        where = re.sub(r"[?#].*", "", where).rstrip("/")
    path = where.removeprefix(raw.PACKAGE).rstrip("/")
    path = path.partition("/")[0] if where.startswith(raw.PACKAGE) else path
    stem = re.sub(r"(\.(csv|txt|tsv|jsonl|ndjson|parquet|xlsx|gz|zst|db|sqlite3?))+$", "", path.rpartition("/")[2])
    return _word(re.sub(r"[*?\[\]]", "", stem)) or "mine"


def samples(where: str, name: str, layout: Layout) -> tuple[list[Rows], list[str]]:
    """Everything that lies at a file, folder, pattern, package or database, and notes for the person who asked.

    Files from outside of the project are copied to data/raw/NAME/: the project reads nothing else.

    Raises
    ------
    ContractFault
        If there is nothing that can be read (exit 4).
    """
    if "://" in where:
        return _of_address(where, name)
    if where.startswith(raw.PACKAGE):
        return _of_files(sorted(_package_files(where)), layout, where), []
    paths, notes = _here(where, name)
    sqlite = [path for path in paths if path.suffix.lower() in _DATABASE_FILES]
    if sqlite:
        found = [rows for path in sqlite for rows in _of_database(databases.SQLITE, path.as_posix())]
        return found, notes
    return _of_files(paths, layout, ""), notes


@contextmanager
def looking() -> "Iterator[duckdb.DuckDBPyConnection]":
    """A database in memory for a look at files, with a folder of its own that is removed when the block ends."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="churn-init-") as folder:
        config: dict[str, Any] = {"temp_directory": folder, "autoinstall_known_extensions": "false"}
        with duckdb.connect(config=config | {"memory_limit": _MEMORY}) as con:
            yield con


def _of_address(where: str, name: str) -> tuple[list[Rows], list[str]]:
    """The tables of a database server. Its address stays in the environment of this process."""
    variable = re.sub(r"\W", "_", name).upper() + "_DATABASE_URL"
    os.environ[variable] = where
    note = f"conf/ names the variable {variable}, not the address. Before each run: export {variable}='…'"
    return _of_database(databases.DATABASE, variable), [note]


def _of_database(kind: str, where: str) -> list[Rows]:
    found = []
    for table in databases.tables(kind, where):
        rows, whole = databases.head(kind, where, table, ROWS)
        if rows.num_rows:
            found.append(Rows(_word(table), f"{kind}{where}/{table}", rows, {}, whole))
    if not found:
        raise ContractFault("the database has no table with rows that this user may read")
    return found


def _here(where: str, name: str) -> tuple[list[Path], list[str]]:
    """The files at a place, relative to the project, copied into it if they lie elsewhere."""
    given = Path(where)
    if has_magic(where):
        start = Path(given.anchor) if given.is_absolute() else Path()
        paths = sorted(p for p in start.glob(str(given.relative_to(given.anchor))) if p.is_file())
    elif given.is_dir():
        paths = sorted(p for p in given.rglob("*") if p.is_file())
    else:
        paths = [given]
    known = [p for p in paths if p.is_file() and _is_known(p)]
    if not known:
        raise ContractFault(_nothing(where, given, paths))
    root = Path.cwd().resolve()
    inside = [p.resolve().is_relative_to(root) for p in known]
    if all(inside):
        return [p.resolve().relative_to(root) for p in known], []
    base = given if given.is_dir() else None
    copies = [RAW / name / (p.relative_to(base) if base else Path(p.name)) for p in known]
    if len(set(copies)) < len(copies):
        raise UsageFault(f"{where} names several files with one name; put them into a folder of the project")
    for path, copy in zip(known, copies, strict=True):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    size = sum(p.stat().st_size for p in copies)
    many = "1 file" if len(copies) == 1 else f"{len(copies)} files"
    return copies, [f"copied {many} ({size / 1e6:,.1f} MB) to {RAW / name}/: runs read only what is in the project"]


def _nothing(where: str, given: Path, paths: list[Path]) -> str:
    """What is missing, and what is there instead."""
    endings = ", ".join([*ENDINGS, *sorted(_DATABASE_FILES)])
    if paths and paths[0].exists():
        there = ", ".join(p.name for p in paths[:5])
        return f"{where} has no file that we read ({there}); endings are {endings}, texts also with .gz or .zst"
    parent = given.parent
    near = sorted(p.name for p in parent.iterdir())[:5] if parent.is_dir() else []
    held = f"{parent} holds {', '.join(near)}" if near else f"{parent} is empty or not there"
    return f"there is nothing at {where} (looked from {Path.cwd()}); {held}"


def _is_known(path: Path) -> bool:
    if path.name.startswith((".", "_")) or path.name.lower().startswith("readme"):
        return False
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in packed.ENDINGS:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in {*ENDINGS, *_DATABASE_FILES}


def _package_files(where: str) -> Iterator[Path]:
    for pattern in (f"{where.rstrip('/')}/*{ending}" for ending in ENDINGS):
        try:
            yield from (file.path for file in raw.found("init", pattern))
        except ContractFault:
            continue


def _of_files(paths: list[Path], layout: Layout, package: str) -> list[Rows]:
    """Rows of each group of files with the same columns in the same folder."""
    found: list[Rows] = []
    with looking() as con:
        groups: dict[Any, list[_Member]] = {}
        for path in paths:
            for written, said, columns in _looks(con, path, layout):
                groups.setdefault((path.parent, kind_of(_file(path)), columns, written), []).append(
                    (path, written, said)
                )
        for members in _together(groups).values():
            files = [path for path, _, _ in members]
            folder = files[0].parent
            pattern = pattern_of(files)
            for some in [files] if pattern else [[file] for file in files]:
                shown = pattern or some[0].as_posix()
                if package:
                    shown = f"{package.rstrip('/')}/{Path(shown).name}"
                written, said = members[0][1:]
                rows, whole = _rows(con, some, written)
                found.append(Rows(_called(some, folder, written, found), shown, rows, said, whole))
    if not found:
        raise ContractFault(
            f"{', '.join(path.name for path in paths[:5])}: nothing in it that could be rows of a table"
        )
    full = [rows for rows in found if rows.rows.num_rows]
    if not full:
        empty = "; ".join(f"{rows.files} has the columns {', '.join(rows.rows.column_names)}" for rows in found[:5])
        raise NotEnoughData(f"0 rows: {empty}, but nothing below them")
    return full


def _together(groups: dict[Any, list[_Member]]) -> dict[Any, list[_Member]]:
    """The groups, those of folders that differ by their numbers only, as folders of months do, as one."""
    found: dict[Any, list[_Member]] = {}
    for (folder, *same), members in groups.items():
        names = frozenset(numberless(path.name) for path, _, _ in members)
        found.setdefault((*map(numberless, folder.parts), *same, names), []).extend(members)
    return found


def _looks(
    con: "duckdb.DuckDBPyConnection", path: Path, layout: Layout
) -> Iterable[tuple[_Written, dict[str, tuple[Any, str]], tuple[str, ...]]]:
    """How a file is written, with evidence, and its columns; of a workbook each sheet."""
    file, kind = _file(path), kind_of(_file(path))
    if path.stat().st_size == 0:
        return
    if kind == SHEET:
        names = sheets.names(file)
        for sheet in names:
            said: dict[str, tuple[Any, str]] = {}
            if len(names) > 1:
                said = {"sheet": (sheet, f"one of {len(names)} sheets")}
            written = _Written(sheet=sheet if len(names) > 1 else None, skip_lines=sheets.above(file, sheet))
            if written.skip_lines:
                said |= {"skip_lines": (written.skip_lines, "so many rows stand above the names of the columns")}
            yield written, said, tuple(readable(con, file, written).columns)
        return
    written, said = _Written(), {}
    if kind in (CSV, TSV, JSON):
        seen = layout(packed.head(file, _HEAD_BYTES, whole=False), tabs=kind == TSV)
        given = {"encoding": seen.encoding}
        given |= (
            {} if kind == JSON else {"delimiter": seen.delimiter, "header": seen.header, "skip_lines": seen.skip_lines}
        )
        written = _Written(**given)
        usual = _Written(delimiter="\t") if kind == TSV else _Written()
        said = {k: (v, seen.evidence[k]) for k, v in given.items() if v != getattr(usual, k)}
        if kind != JSON and len(seen.header) == 1:
            return
    yield written, said, tuple(readable(con, file, written).columns)


def _rows(con: "duckdb.DuckDBPyConnection", files: list[Path], written: _Written) -> tuple[pa.Table, bool]:
    """The first rows of some files, and whether these are all."""
    parts, left = [], ROWS + 1
    for path in files:
        how = readable(con, _file(path), written)
        names = ", ".join('"' + n.replace('"', '""') + '"' for n in how.columns)
        query = f"SELECT {names} FROM ({how.sql}) AS s WHERE {LINE} IS NOT NULL LIMIT {left}"
        parts.append(con.sql(query).to_arrow_table())
        left -= parts[-1].num_rows
        if left <= 0:
            break
    rows = pa.concat_tables(parts, promote_options="permissive")
    return rows.slice(0, ROWS), rows.num_rows <= ROWS


def _file(path: Path) -> raw.RawFile:
    return raw.RawFile("init", path.name, path)


def _called(files: list[Path], folder: Path, written: _Written, others: list[Rows]) -> str:
    """A name of its own for a source."""
    stems = [path.name.partition(".")[0] for path in files]
    word = _word(written.sheet or (stems[0] if len(stems) == 1 else shared_start(stems)))
    # Numbers of parts and dates of deliveries are no part of a name.
    word = re.sub(r"[\W\d_]+$", "", word) or _word(folder.name) or "events"
    taken = {rows.name for rows in others}
    return next(w for n in range(1, len(taken) + 2) if (w := word if n == 1 else f"{word}_{n}") not in taken)


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_").lower()

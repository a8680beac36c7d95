"""What was made last time, kept beside so that only what changed is made again.

DVC deletes what a stage made before the stage starts. So the file that was written gets a second name in `data/kept/`,
with the digest of what each part of it was made of. Nothing needs this folder: without it, or if anything in it is not
as it was written, everything is made again.
"""

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

import churn
from churn.shell.store.files import digest, read_text, write_json
from churn.shell.store.paths import PATHS
from churn.shell.store.pieces import side_by_side
from churn.shell.store.tables import PIECE_ROWS, together, up_to, whole_customers, write_batches
from churn.shell.store.whole import beside, replaced
from churn.words.errors import Fault

FOLDER = Path("data/kept")
ROWS = 50_000
"""Rows read at a time of what was made last time: at 250 feature columns 50 MB."""
PACKAGES = ("numba", "numpy", "pyarrow")
"""What computes; another version may round otherwise."""


class Remade(Protocol):
    """What was made of a piece: its rows, the digests of what they were made of, and how much of it is new."""

    rows: pa.Table
    digests: pa.Table
    customers: int
    customers_touched: int
    rows_kept: int


class Account(NamedTuple):
    """What became of a table: its customers and rows, how many customers were computed again, how many rows stood."""

    customers: int = 0
    customers_touched: int = 0
    rows: int = 0
    rows_kept: int = 0


class _Paths(NamedTuple):
    """Where what is kept of a table lies. `about` says what the other two are; without it they mean nothing."""

    rows: Path
    digests: Path
    about: Path


def write_again(
    name: str,
    make: "partial[pa.Table]",
    columns: Mapping[str, Sequence[str] | None],
    remake: Callable[..., Remade],
    rows: int = PIECE_ROWS,
) -> Account:
    """Write the table `name` as `write_batches` writes what `make` makes, computing only what changed; what became
    of it.

    Parameters
    ----------
    name
        A table of `churn.words.tables`.
    make
        A function of pieces of whole customers. All that it is told must be told as arguments of the partial: if they
        or any code of ours differ from last time, everything is computed again.
    columns
        The tables that `make` takes, as in `together`.
    remake
        Function of `make`, the tables of a piece, and rows and digests that were made last time of its customers (None:
        not known). It gives the rows that `make` makes of the piece, and their digests.
    rows
        Target size of a piece of the first table.
    """
    paths = _Paths(*(FOLDER / f"{name}{ending}" for ending in (".parquet", ".digests.parquet", ".json")))
    made_by = _made_by(make, remake, columns)
    account = Account()
    pieces = _with_last_time(together(columns, rows), paths if _intact(paths, made_by) else None)

    def made() -> Iterator[pa.Table]:
        nonlocal account
        for piece in side_by_side(lambda given: remake(make, *given), pieces):
            write(piece.digests)
            of_piece = (piece.customers, piece.customers_touched, piece.rows.num_rows, piece.rows_kept)
            account = Account(*map(sum, zip(account, of_piece, strict=True)))
            yield piece.rows

    with _digests_file(paths.digests) as write:
        write_batches(name, made())
    _keep(Path(PATHS[name]), paths, made_by)
    return account


def _made_by(
    make: "partial[pa.Table]", remake: Callable[..., Remade], columns: Mapping[str, Sequence[str] | None]
) -> str:
    """The digest of all that the whole table depends on: what `make` is told, our code, and what computes."""
    functions = [
        (f.func.__module__, f.func.__qualname__, f.args, f.keywords) for f in (make, remake) if isinstance(f, partial)
    ]
    computes = [platform.machine(), platform.python_version(), *map(version, PACKAGES)]
    said = json.dumps([functions, columns, _code(), computes], sort_keys=True, default=_said)
    return sha256(said.encode()).hexdigest()


@cache
def _code() -> str:
    """The digest of all code of ours. Most of it concerns no table; what does is not worth finding out."""
    package = Path(churn.__path__[0])
    code = sha256()
    for path in sorted(package.rglob("*.py")):
        code.update(f"{path.relative_to(package)} {digest(path)}\n".encode())
    return code.hexdigest()


def _said(value: Any) -> Any:
    """An argument as JSON: arrays as lists, whole; a value class as it shows itself."""
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def _intact(paths: _Paths, made_by: str) -> bool:
    """Whether what is kept was made in this way, and is as it was written."""
    try:
        about = json.loads(read_text(paths.about))
        if about["made_by"] != made_by:
            return False
        return bool(about["rows"] == digest(paths.rows) and about["digests"] == digest(paths.digests))
    except (OSError, ValueError, KeyError, TypeError, Fault):
        return False


def _with_last_time(
    pieces: Iterator[tuple[pa.Table, ...]], paths: _Paths | None
) -> Iterator[tuple[tuple[pa.Table, ...], tuple[pa.Table, ...] | None]]:
    """Each piece with the rows and digests of its customers of last time, or with None."""
    if paths is None:
        yield from ((tables, None) for tables in pieces)
        return
    kept = [_pieces(path) for path in (paths.rows, paths.digests)]
    empty = [next(stream) for stream in kept]
    rest = [next(stream, None) for stream in kept]
    for tables in pieces:
        last = tables[0]["customer_id"][-1]
        found = []
        for i, stream in enumerate(kept):
            taken, rest[i] = up_to(last, rest[i], stream)
            found.append(pa.concat_tables(taken or [empty[i]]).unify_dictionaries().combine_chunks())
        yield tables, tuple(found)


def _pieces(path: Path) -> Iterator[pa.Table]:
    """No rows, for the columns; then the rows of a kept file, in pieces of whole customers."""
    with pq.ParquetFile(path, pre_buffer=False) as file:
        yield file.schema_arrow.remove_metadata().empty_table()
        batches = (pa.Table.from_batches([b]).replace_schema_metadata(None) for b in file.iter_batches(ROWS))
        for piece in whole_customers(batches, ROWS):
            yield piece.unify_dictionaries().combine_chunks()


@contextmanager
def _digests_file(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Writes digests piece by piece; the file is there when the block ended well."""
    with replaced(path) as handle, ExitStack() as stack:
        writers: list[pq.ParquetWriter] = []

        def write(digests: pa.Table) -> None:
            if not writers:
                # Digests neither repeat nor shrink, so they are written as they are.
                known = [name for name in digests.column_names if name not in {"high", "low"}]
                how = {"compression": {name: "zstd" if name in known else "none" for name in digests.column_names}}
                writers.append(
                    stack.enter_context(pq.ParquetWriter(handle, digests.schema, use_dictionary=known, **how))
                )
            writers[0].write_table(digests)

        yield write


def _keep(made: Path, paths: _Paths, made_by: str) -> None:
    """Give the file that was made its second name. What cannot be kept is made again next time, so no fault comes of
    it: `about` is written last, and says what the files must be.
    """
    fresh = beside(paths.rows, "partial")
    try:
        fresh.unlink(missing_ok=True)
        try:
            os.link(made, fresh)
        except OSError:  # a file system without second names
            shutil.copyfile(made, fresh)
        os.replace(fresh, paths.rows)
        about = {"made_by": made_by, "rows": digest(paths.rows), "digests": digest(paths.digests)}
        write_json(paths.about, about)
    except (OSError, Fault):
        paths.about.unlink(missing_ok=True)
    finally:
        fresh.unlink(missing_ok=True)

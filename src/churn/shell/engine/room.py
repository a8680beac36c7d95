"""Room to work in: what of the memory DuckDB may hold, and the folder that it spills into."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from churn.shell.store import PIECE_BYTES, most_under_way
from churn.words.errors import ConfigFault, DiskFault

_SIZE = re.compile(r"([1-9][0-9]*(?:\.[0-9]+)?) ?([KMGT])(i?)B")
PYTHON_BYTES = 600_000_000
"""What the process holds beside DuckDB: libraries, pieces on their way to DuckDB and to the file, and what DuckDB holds
beyond its limit. At 10 million events the process held 2.1 to 2.3 GB where DuckDB had a limit of 2 GB; the rest is
reserve."""
SORTED_ROW_BYTES = 400
"""Of DuckDB's share for each event that is sorted at once: 10 million events did not fit 430 MB, a tenth did."""
SPILLED_PER_RAW_BYTE = 10
"""Room for rows and for sorting them, against the size of raw files: an unmeasured guess, for the message only."""
_PREFIX = "churn-"
_MOST_OF_FREE = 0.9
_BLOCK_BYTES = 512
"""Unit of `st_blocks`, whatever the disk."""
Spill = Callable[[], AbstractContextManager[tuple[Path, int]]]
"""`spilling` of a folder and a limit."""


def size(key: str, written: str) -> int:
    """Bytes of a size such as 2GB or 500MiB.

    Raises
    ------
    ConfigFault
        Naming the key of the section engine.
    """
    found = _SIZE.fullmatch(written)
    if not found:
        raise ConfigFault(f"engine.{key} must be a size such as 2GB or 500MB, got {written!r}")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** (" KMGT".index(unit)))


def share(memory_limit: int) -> int:
    """What of the memory of the process DuckDB may hold: all but `PYTHON_BYTES`, and never less than half of it."""
    return max(memory_limit - PYTHON_BYTES, memory_limit // 2)


def piece_rows(rows: int, memory_limit: int) -> int:
    """The rows of a piece, fewer than `rows` where the pieces that are under way would not fit the memory.

    A stage asks for as many rows as take up to `PIECE_BYTES` with what is made of them.
    """
    fits = share(memory_limit) / (most_under_way() * PIECE_BYTES)
    return max(int(rows * min(fits, 1)), 1)


def sorted_most(memory_limit: int) -> int:
    """The events that DuckDB sorts at once; more are sorted one range of customers after the other."""
    return max(share(memory_limit) // SORTED_ROW_BYTES, 1)


@contextmanager
def spilling(folder: str | None, most: int | None) -> Iterator[tuple[Path, int]]:
    """A folder of its own within `folder`, removed when the block ends, and how many bytes may be spilled into it.

    Folders that killed processes left there are removed first: the lock beside a folder is free once its process is
    dead, on whatever host or in whatever container it ran.

    Parameters
    ----------
    folder
        None takes that of the system for temporary files.
    most
        Bytes that may be spilled. None takes nine tenths of what is free, so that others find room, too.

    Raises
    ------
    DiskFault
        If the folder is not there or not ours to write, or less than `most` is free in it (exit 9).
    """
    from filelock import FileLock

    root = Path(folder or tempfile.gettempdir())
    free = _free(root)
    if most is not None and most > free:
        raise DiskFault(
            f"engine.temporary_most is {_gb(most)}, but {_gb(free)} are free in {root}; make room there, or set "
            f"engine.temporary_folder to a folder with more room"
        )
    _sweep(root)
    try:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".lock", dir=root)
    except OSError as error:
        raise DiskFault(
            f"nothing can be written to {root} ({error.strerror}, {_gb(free)} are free); make room there or set "
            f"engine.temporary_folder to another folder"
        ) from error
    os.close(handle)
    mine = Path(name).with_suffix("")
    with FileLock(name, fallback_to_soft=False):
        mine.mkdir()
        try:
            yield mine, int(_MOST_OF_FREE * free) if most is None else most
        finally:
            shutil.rmtree(mine, ignore_errors=True)
            Path(name).unlink(missing_ok=True)


@contextmanager
def explained(folder: Path, most: int, memory_limit: int, raw_bytes: int) -> Iterator[None]:
    """That memory or temporary room ran out is told with the figures and with what may help.

    Parameters
    ----------
    folder, most
        Of `spilling`.
    memory_limit
        What DuckDB may hold, in bytes.
    raw_bytes
        Size of the files that are read, for a guess of the room that they need.

    Raises
    ------
    DiskFault
        In place of what DuckDB says (exit 9).
    """
    import duckdb

    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        room = "max_temp_directory_size" in str(error) or "No space left" in str(error)
        if not room and not isinstance(error, duckdb.OutOfMemoryException):
            raise
        used = sum(path.stat().st_blocks * _BLOCK_BYTES for path in folder.rglob("*") if path.is_file())
        there = f"{_gb(used)} of at most {_gb(most)} are taken in {folder.parent}, {_gb(_free(folder))} are free there"
        sort, guess = _gb(raw_bytes), _gb(max(raw_bytes * SPILLED_PER_RAW_BYTE, 2 * used))
        if room:
            raise DiskFault(
                f"temporary room ran out: to sort {sort} of raw files needs about {guess} of it; {there}. Make room, "
                f"set engine.temporary_folder to a folder with more, or raise engine.temporary_most"
            ) from error
        raise DiskFault(
            f"memory ran out: DuckDB may hold {_gb(memory_limit)}, which is engine.memory_limit less what the rest of "
            f"the process takes; that is too little for {sort} of raw files ({there}). Set engine.memory_limit higher, "
            f"or engine.threads lower"
        ) from error


def _sweep(root: Path) -> None:
    """Remove the folders of dead processes."""
    from filelock import FileLock, Timeout

    for left in root.glob(f"{_PREFIX}*.lock"):
        try:
            with FileLock(left, timeout=0, fallback_to_soft=False):
                shutil.rmtree(left.with_suffix(""), ignore_errors=True)
                left.unlink(missing_ok=True)
        except (Timeout, OSError):  # alive, or another user's
            continue


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise DiskFault(
            f"engine.temporary_folder {folder} cannot be used: {error.strerror}. Make it, or name another"
        ) from error


def _gb(n: float) -> str:
    """Bytes as people read them."""
    return f"{n / 1e9:,.1f} GB" if n >= 5e7 else f"{n / 1e6:,.1f} MB"

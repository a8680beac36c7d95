"""Demo worlds on disk: each table in the format that its source would have, the whole world or nothing of it."""

import gzip
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial as partial_of
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from churn.shell.store.files import write_json
from churn.shell.store.whole import beside, force, force_folder, writing
from churn.words.errors import UsageFault

WORKERS = 2
"""Processes that simulate and write; each holds one chunk."""
CHUNKS_ALONE = 10
"""Below so many chunks one process is done before others have started."""
ABOUT = "world.json"
"""Says which world a folder holds; a folder without it is not ours to replace."""


class File(Protocol):
    """A table, the name of its file, and its format: csv, csv.gz, jsonl or parquet."""

    @property
    def name(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def table(self) -> pa.Table: ...


def write_world(
    folder: Path, files: Callable[[int], Iterable[File]], n_chunks: int, *, about: dict[str, object]
) -> dict[str, tuple[int, int]]:
    """Number of files and rows of each source, once `folder` holds them all and nothing else.

    Parameters
    ----------
    folder
        Replaced whole, if it holds a demo world.
    files
        The files of a chunk, by its number from 0; called in other processes where there are many chunks.
    n_chunks
        How many chunks there are.
    about
        Written into the folder, to tell which world it is.

    Raises
    ------
    UsageFault
        If the folder holds something that is no demo world.
    DiskFault
        If the disk refuses; a world that was there before is untouched then.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / ABOUT).exists():
        raise UsageFault(f"{folder} holds something that is no demo world; give another folder with --to")
    partial, old = beside(folder, "partial"), beside(folder, "old")
    written: dict[str, tuple[int, int]] = {}
    with writing(folder, partial):
        for rows in _each_chunk(partial, files, n_chunks):
            for source, n in rows:
                n_files, n_rows = written.get(source, (0, 0))
                written[source] = (n_files + 1, n_rows + n)
        write_json(partial / ABOUT, about)
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
        force_folder(folder.parent)
        shutil.rmtree(old, ignore_errors=True)
    return written


def _each_chunk(folder: Path, files: Callable[[int], Iterable[File]], n_chunks: int) -> Iterator[list[tuple[str, int]]]:
    """What `_chunk` returns for each chunk in turn, made by `WORKERS` processes where there are many."""
    write = partial_of(_chunk, folder, files)
    if n_chunks < CHUNKS_ALONE:
        yield from map(write, range(n_chunks))
        return
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as workers:
        yield from workers.map(write, range(n_chunks))


def _chunk(folder: Path, files: Callable[[int], Iterable[File]], number: int) -> list[tuple[str, int]]:
    """Source and rows of each file of a chunk, once they are on the disk."""
    written = []
    for file in files(number):
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as handle:
            WRITERS[file.format](file.table, handle)
            force(handle)
        written.append((path.parent.name, file.table.num_rows))
    return written


def _csv(table: pa.Table, handle: IO[bytes] | gzip.GzipFile) -> None:
    from pyarrow import csv

    csv.write_csv(table, handle, csv.WriteOptions(quoting_style="needed"))


def _csv_gz(table: pa.Table, handle: IO[bytes]) -> None:
    # mtime and name are left out of the header: the same world has the same bytes on every day.
    with gzip.GzipFile(filename="", mode="wb", fileobj=handle, compresslevel=6, mtime=0) as packed:
        _csv(table, packed)


def _jsonl(table: pa.Table, handle: IO[bytes]) -> None:
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            handle.write(json.dumps(row, ensure_ascii=False, default=str).encode("utf-8") + b"\n")


def _parquet(table: pa.Table, handle: IO[bytes]) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, handle, compression="zstd")


WRITERS: dict[str, Callable[[pa.Table, IO[bytes]], None]] = {
    "csv": _csv,
    "csv.gz": _csv_gz,
    "jsonl": _jsonl,
    "parquet": _parquet,
}

"""Files that appear whole or not at all, and what is said when the disk refuses."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from churn.words.errors import DiskFault, UsageFault

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EACCES, errno.EPERM, errno.EROFS}
"""What the operating system says when the disk is full, broken, read-only or not ours."""


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into, which becomes `path` if the block ends well and vanishes if it does not."""
    partial = beside(path, "partial")
    with writing(path, partial):
        with partial.open("wb") as handle:
            yield handle
            force(handle)
        os.replace(partial, path)
        force_folder(path.parent)


@contextmanager
def writing(path: Path, partial: Path) -> Iterator[None]:
    """What is written as `partial` is removed if writing fails; a fault of the disk is explained with its place."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise DiskFault(
            f"{path} could not be written: a file stands where its folder must be. Move the file away, then run again"
        ) from error
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise DiskFault(_no_room(path, partial, error)) from error
    try:
        _sweep(path)
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise DiskFault(_no_room(path, partial, error)) from error
    finally:
        _remove(partial)


def _no_room(path: Path, partial: Path, error: OSError) -> str:
    """What went wrong while writing, how much was written and is free, and that nothing was lost."""
    written = partial.stat().st_size if partial.is_file() else 0
    there = next(p for p in (path.parent.absolute(), *path.parent.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    return (
        f"{path} could not be written: {error.strerror} (after {written / 1e6:,.1f} MB, {free / 1e6:,.1f} MB free). "
        f"What was there before is untouched. Make room in {there} or let user {os.getuid()} write there, "
        f"then run the same command again."
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Reading `path`: that it is absent or not ours to read is explained."""
    try:
        yield
    except FileNotFoundError as error:
        raise absent(path) from error
    except PermissionError as error:
        mode = oct(path.stat().st_mode & 0o777)
        raise DiskFault(
            f"{path} may not be read by user {os.getuid()} (mode {mode}). Run `chmod u+r {path}`."
        ) from error


def absent(path: Path) -> UsageFault:
    """The fault that says what makes the file."""
    return UsageFault(f"{path} is not there (looked in {Path.cwd()}). Run `churn run` first; it makes it.")


def beside(path: Path, ending: str) -> Path:
    """A name next to `path` that no other process uses and that no pattern for results matches."""
    return path.with_name(f".{path.name}.{os.getpid()}.{ending}")


def _sweep(path: Path) -> None:
    """Remove what killed processes left beside `path`; a name holds the number of the process that made it."""
    for ending in ("partial", "old"):
        for left in path.parent.glob(f".{path.name}.*.{ending}"):
            if not _alive(left.name.split(".")[-2]):
                _remove(left)


def _alive(process: str) -> bool:
    """Whether a process of that number runs. Signal 0 is sent to nobody; it only asks."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _remove(path: Path) -> None:
    """Remove a file or folder of ours, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def force(handle: IO[bytes]) -> None:
    """Wait until the bytes are on the disk, so that a power cut after the rename cannot leave an empty file."""
    handle.flush()
    os.fsync(handle.fileno())


def force_folder(folder: Path) -> None:
    """Wait until the folder itself is on the disk, so that a power cut cannot undo the rename."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)

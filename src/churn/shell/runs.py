"""One run at a time, and the border around each stage: its lock, its faults, its end.

DVC turns every failing stage into exit code 255. So a stage that is part of `churn run` also says what happened in
*marks*: single lines on its output, which `churn.shell.repro` takes out of the stream. They need no file, and
therefore also arrive when the disk is full.
"""

import ctypes
import errno
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from churn.shell.starts import bring
from churn.words.errors import DiskFault, Exit, Fault, IntegrityFault, LockedFault

LOCKS = Path("data/locks")
RUNS_UNDER = "CHURN_RUN"
"""Set in the environment of stages whose marks somebody reads."""
MARK = "\x1echurn "
"""Starts a line of output that is a mark; the record separator keeps it apart from anything a stage prints."""

_STAGE_WAIT_SECONDS = 60
"""How long a stage waits for an orphan that still makes the same output. An orphan of a killed run dies within
milliseconds on Linux; elsewhere it may finish its stage first, and most stages take less than this."""
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOSYS}
_PR_SET_PDEATHSIG = 1


def told(fault: Fault) -> str:
    """The message of a fault as a terminal shows it: the name of its code, then what the fault says."""
    return f"{fault.code.name}: {fault}"


def explained(error: BaseException) -> Fault | None:
    """The fault behind an exception: itself, a full or forbidden disk, a lack of memory, a missing package, or None."""
    if isinstance(error, Fault):
        return error
    if (isinstance(error, OSError) and error.errno in _DISK) or "No space left on device" in str(error):
        return DiskFault(f"{error}. Free some space or mend the permissions, then run again; older results are intact")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return DiskFault(
            f"memory ran out: {error}{_held_so_far()}. Close other programs, lower engine.memory_limit in conf/, so "
            f"that pieces of tables are smaller, or lower snapshots.most, so that there are fewer rows"
        )
    if type(error).__name__ == "ArrowInvalid" and "Parquet" in str(error):
        return IntegrityFault(f"a Parquet file cannot be read: {error}. Was its copy incomplete? Remove it, run again")
    return None


def _held_so_far() -> str:
    """What this process held at most, and what the machine has, where the platform tells."""
    if sys.platform != "linux":
        return ""
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"; this process held up to {held / 1e9:.1f} GB of the {there / 1e9:.1f} GB of this machine"


def stage(name: str, main: Callable[[], None], uses: Sequence[str] = ()) -> None:
    """Run the `main` of a stage script; ends the process with the fault's exit code when it fails.

    Only one process at a time makes the output of a stage, whoever started it, and a stage does not outlive the DVC
    that started it where the platform allows (Linux).

    Parameters
    ----------
    name
        Name of the stage in `dvc.yaml`.
    main
        Reads, computes and writes; called without arguments.
    uses
        Libraries of `churn.shell.starts` that `main` needs, brought in beforehand in their quick way.
    """
    die_with_parent()
    started = time.monotonic()
    _mark(stage=name, state="started")
    try:
        bring(*uses)
        with _held(LOCKS / f"{name}.lock", f"stage {name}", _STAGE_WAIT_SECONDS):
            main()
    except KeyboardInterrupt:
        _stop()
    except Exception as error:  # the border of a process: what leaves here is a code and a message
        if interrupted(error):
            _stop()
        fault = explained(error)
        if fault is None:
            _mark(stage=name, state="failed", code=Exit.BUG, message=_last_line(error), trace=traceback.format_exc())
            raise
        _mark(stage=name, state="failed", code=fault.code, message=str(fault))
        sys.stderr.write(f"stage {name}: {told(fault)}\n")
        raise SystemExit(fault.code) from None
    finally:
        ending()
    _mark(stage=name, state="made", seconds=round(time.monotonic() - started, 2))


@contextmanager
def one_run(*, wait: bool) -> Iterator[None]:
    """Holds the lock of the project; a lock whose process died is free.

    Raises
    ------
    LockedFault
        When another run holds it and `wait` is false, with its process, host and time.
    """
    with _held(LOCKS / "run.lock", "a run", -1 if wait else 0):
        yield


@contextmanager
def one_search() -> Iterator[None]:
    """Holds the lock of searches for settings; runs go on beside it.

    Raises
    ------
    LockedFault
        When another search holds it.
    """
    with _held(LOCKS / "search.lock", "a search", 0):
        yield


def interrupted(error: Exception) -> bool:
    """Whether a signal arrived during a query: DuckDB makes an error of its own of whatever the signal raised."""
    return type(error) is RuntimeError and str(error) == "Query interrupted"


def _stop() -> NoReturn:
    """End as told, once what was open is closed: libraries would take half a second to take themselves apart."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(Exit.INTERRUPTED)


def ending() -> None:
    """Let this process end at once when it is done, except where DuckDB would complain.

    At its end Python looks through all objects for cycles, for which the libraries of a stage keep it half a second;
    frozen ones it leaves alone, and their memory goes with the process. DuckDB counts what is left then, and writes a
    page about it to the error output.
    """
    if "duckdb" not in sys.modules:
        gc.freeze()


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere the locks alone keep orphans apart."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel knew of our wish
        os._exit(Exit.TERMINATED)


def _mark(**what: object) -> None:
    """Say it to `churn run`, if it listens."""
    if os.environ.get(RUNS_UNDER):
        sys.stdout.write(f"{MARK}{json.dumps(what)}\n")
        sys.stdout.flush()


def _last_line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip()


@contextmanager
def _held(path: Path, what: str, seconds: float) -> Iterator[None]:
    """Holds the lock file, waiting at most `seconds` (-1: for ever); beside it lies who holds it, for the message."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    holder = path.with_suffix(".json")
    lock = FileLock(path, fallback_to_soft=False)  # a soft lock would outlive its process
    try:
        lock.acquire(timeout=seconds, poll_interval=0.1)
    except Timeout:
        raise LockedFault(f"{what} is under way already: {_who(holder)}. Wait for it to end, or stop it") from None
    try:
        since = time.strftime("%Y-%m-%d %H:%M:%S %z")
        with suppress(OSError):  # only words for a message: a full disk must not stop a run that would not write
            holder.write_text(json.dumps({"pid": os.getpid(), "host": os.uname().nodename, "since": since}))
        yield
    finally:
        lock.release()


def _who(holder: Path) -> str:
    try:
        found = json.loads(holder.read_text())
        return f"process {found['pid']} on {found['host']} since {found['since']}"
    except (OSError, ValueError, KeyError):
        return "by a process that has not written its name yet"

"""One run at a time, its stages, and how a fault inside a stage reaches the one who started the run.

DVC turns every failing stage into exit code 255. So a stage that is part of `churn run` also says what happened in
*marks*: single lines on its output, which `repro` takes out of the stream. They need no file, and therefore also
arrive when the disk is full.
"""

import ctypes
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from churn.words.errors import DiskFault, Exit, Fault, IntegrityFault, LockedFault

LOCKS = Path("data/locks")
LOG = Path("data/logs/run.log")
RUNS_UNDER = "CHURN_RUN"
"""Set in the environment of stages whose marks somebody reads."""

_MARK = "\x1echurn "
_STAGE_WAIT_SECONDS = 60
"""How long a stage waits for an orphan that still makes the same output. An orphan of a killed run dies within
milliseconds on Linux; elsewhere it may finish its stage first, and most stages take less than this."""
_GRACE_SECONDS = 2.0
"""Between asking the stages to stop and killing them: a run must have ended 5 seconds after it was told to."""
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_PR_SET_PDEATHSIG = 1


class Step(NamedTuple):
    """One change in the state of a stage: started, made, unchanged or failed; `seconds` says how long it took."""

    stage: str
    state: str
    seconds: float = 0.0


def told(fault: Fault) -> str:
    """The message of a fault as a terminal shows it: the name of its code, then what the fault says."""
    return f"{fault.code.name}: {fault}"


def explained(error: BaseException) -> Fault | None:
    """The fault behind an exception: itself, a full or forbidden disk, a lack of memory, a missing package, or None."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, OSError) and error.errno in _DISK or "No space left on device" in str(error):
        return DiskFault(f"{error}. Free some space or mend the permissions, then run again; older results are intact")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return DiskFault(f"memory ran out: {error}. Close other programs, or lower snapshots.most in conf/")
    if type(error).__name__ == "ArrowInvalid" and "Parquet" in str(error):
        return IntegrityFault(f"a Parquet file cannot be read: {error}. Was its copy incomplete? Remove it, run again")
    return None


def stage(name: str, main: Callable[[], None]) -> None:
    """Run the `main` of a stage script; ends the process with the fault's exit code when it fails.

    Only one process at a time makes the output of a stage, whoever started it, and a stage does not outlive the DVC
    that started it where the platform allows (Linux).

    Parameters
    ----------
    name
        Name of the stage in `dvc.yaml`.
    main
        Reads, computes and writes; called without arguments.
    """
    die_with_parent()
    started = time.monotonic()
    _mark(stage=name, state="started")
    try:
        with _held(LOCKS / f"{name}.lock", f"stage {name}", _STAGE_WAIT_SECONDS):
            main()
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None
    except Exception as error:  # the border of a process: what leaves here is a code and a message
        fault = explained(error)
        if fault is None:
            _mark(stage=name, state="failed", code=Exit.BUG, message=_last_line(error), trace=traceback.format_exc())
            raise
        _mark(stage=name, state="failed", code=fault.code, message=str(fault))
        sys.stderr.write(f"stage {name}: {told(fault)}\n")
        raise SystemExit(fault.code) from None
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


def repro(tell: Callable[[Step], None], targets: tuple[str, ...] = ()) -> None:
    """Make what is out of date by `dvc repro`, telling each step; ends its whole process group when interrupted.

    Parameters
    ----------
    tell
        Called once for each step of a stage.
    targets
        Names of stages to make with what they need; all of them when empty.

    Raises
    ------
    Fault
        The fault of the stage that failed, with its code; or DVC's own complaint.
    """
    _clear_dead_locks(Path(".dvc/tmp"))
    command = [sys.executable, "-m", "dvc", "repro", *targets]
    with _log() as log:
        process = subprocess.Popen(  # noqa: S603 - a fixed command, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=environment(),
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has no threads yet
        )
        heard = _Heard(tell)
        try:
            for line in process.stdout or ():
                heard.line(line, log)
            code = process.wait()
        finally:
            _end(process)
    if code:
        raise heard.fault(code)


def environment() -> dict[str, str]:
    """The environment of a pipeline: this Python first, nothing phones home, nothing draws on a screen."""
    scripts = str(Path(sys.executable).parent)
    return os.environ | {
        RUNS_UNDER: str(os.getpid()),
        "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
        "SHELL": "/bin/sh",  # DVC would start stages through whatever shell the user likes
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
        "DVC_NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere the locks alone keep orphans apart."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel knew of our wish
        os._exit(Exit.TERMINATED)


class _Heard:
    """What DVC and its stages said so far."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self._tell = tell
        self._running = ""
        self._failed: dict[str, Any] = {}
        self._errors: list[str] = []
        self._exited = 0

    def line(self, line: str, log: IO[str]) -> None:
        """Take one line of output: a mark, or a line of DVC or of a library, which goes to the log."""
        if line.startswith(_MARK):
            self._take(json.loads(line.removeprefix(_MARK)))
            return
        log.write(line)
        log.flush()
        if found := re.match(r"Stage '([^']+)' (?:didn't change|is cached)", line):
            self._tell(Step(found[1], "unchanged"))
        if line.startswith("ERROR: "):
            self._errors.append(line.removeprefix("ERROR: ").strip())
        if found := re.search(r"exited with (-?\d+)", line):
            self._exited = int(found[1])

    def _take(self, mark: dict[str, Any]) -> None:
        self._running = mark["stage"] if mark["state"] == "started" else ""
        if mark["state"] == "failed":
            self._failed = mark
        self._tell(Step(mark["stage"], mark["state"], mark.get("seconds", 0.0)))

    def fault(self, code: int) -> Fault:
        """The fault that explains why DVC ended with `code`."""
        if self._failed:
            return _fault(self._failed["code"], self._failed["message"], self._failed.get("trace", ""))
        complaint = "; ".join(self._errors) or f"dvc repro ended with code {code} and gave no reason"
        if self._running:
            return self._killed(complaint)
        if "Unable to acquire lock" in complaint or "is busy" in complaint:
            return LockedFault(f"another DVC command works in this folder: {complaint}. Wait for it, then run again")
        if "No space left" in complaint or "Permission denied" in complaint:
            return DiskFault(f"{complaint}. The log is {LOG}")
        return _fault(Exit.CONFIG, f"DVC refused to run: {complaint}. The log is {LOG}")

    def _killed(self, complaint: str) -> Fault:
        """A stage that started and left no word: it was ended from outside."""
        by_signal = -self._exited if self._exited < 0 else self._exited - 128
        if by_signal in (signal.SIGINT, signal.SIGTERM):
            return _fault(128 + by_signal, f"stage {self._running} was told to stop; run again to go on from there")
        if by_signal == signal.SIGKILL:
            message = f"stage {self._running} was killed, most often because memory ran out; run again to go on from"
            return _fault(Exit.DISK, f"{message} there. If it happens again, lower snapshots.most in conf/")
        return _fault(Exit.BUG, f"stage {self._running} ended without a word: {complaint}. The log is {LOG}")


def _fault(code: int, message: str, trace: str = "") -> Fault:
    """A fault with the given exit code; the traceback of another process rides along as a note."""
    fault = Fault(message)
    fault.code = Exit(code)
    if trace:
        fault.add_note(trace)
    return fault


def _mark(**what: object) -> None:
    """Say it to `churn run`, if it listens."""
    if os.environ.get(RUNS_UNDER):
        sys.stdout.write(f"{_MARK}{json.dumps(what)}\n")
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


@contextmanager
def _log() -> Iterator[IO[str]]:
    """The log of this run, open for writing; the one before it is kept beside it."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        LOG.replace(LOG.with_suffix(".before.log"))
    with LOG.open("w", encoding="utf-8") as log:
        yield log


def _end(process: subprocess.Popen[str]) -> None:
    """End the process group if it still runs: first asked, so that DVC tidies up, then killed."""
    if process.poll() is not None:
        return
    for number, seconds in ((signal.SIGINT, _GRACE_SECONDS), (signal.SIGKILL, _GRACE_SECONDS)):
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(seconds)
            return


def _clear_dead_locks(folder: Path) -> None:
    """Drop DVC's notes of commands that are dead, so that a killed run does not block the next one.

    DVC drops a note itself when no process has its number. After a reboot, or in a container, another program has it;
    and a kill in the middle of writing leaves half a file, which DVC refuses to read.
    """
    notes = folder / "rwlock"
    if not notes.exists():
        return
    from filelock import FileLock

    with FileLock(folder / "rwlock.lock", fallback_to_soft=False, timeout=10):
        try:
            found = json.loads(notes.read_text(encoding="utf-8"))
            write = {path: note for path, note in found.get("write", {}).items() if _is_dvc(note["pid"])}
            read = {path: [n for n in those if _is_dvc(n["pid"])] for path, those in found.get("read", {}).items()}
        except (ValueError, KeyError, AttributeError):
            write, read = {}, {}
        notes.write_text(json.dumps({"write": write, "read": {p: those for p, those in read.items() if those}}))


def _is_dvc(pid: int) -> bool:
    """Whether a living process with this number is DVC, as far as the platform tells."""
    try:
        return b"dvc" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self/cmdline").exists()

"""The graph of `dvc.yaml`, made by DVC in a process group of its own, with its true faults and live progress."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from churn.shell.runs import MARK, RUNS_UNDER, die_with_parent
from churn.words.errors import DiskFault, Exit, Fault, IntegrityFault, LockedFault

LOG = Path("data/logs/run.log")

_GRACE_SECONDS = 2.0
"""Between asking the stages to stop and killing them: a run must have ended 5 seconds after it was told to."""


class Step(NamedTuple):
    """One change in the state of a stage: started, made, unchanged or failed; `seconds` says how long it took."""

    stage: str
    state: str
    seconds: float = 0.0


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
    with _log() as log, _started(command) as process:
        heard = _Heard(tell)
        try:
            for line in process.stdout or ():
                heard.line(line, log)
            code = process.wait()
        finally:
            _end(process)
    if code:
        raise heard.fault(code)


def _started(command: list[str]) -> subprocess.Popen[str]:
    """The command in a session of its own, so that it and all its children can be ended together."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment(),
        start_new_session=True,
        preexec_fn=_child,  # noqa: PLW1509 - the caller has no threads yet
    )


def _child() -> None:
    """What the child does before it becomes the command.

    A shell starts what it puts into the background deaf to the signal by which `_end` asks the stages to stop, and
    children inherit that: they had to be killed after two seconds, and left what they had spilled.
    """
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment() -> dict[str, str]:
    """The environment of a pipeline: this Python first, nothing phones home, nothing draws on a screen."""
    scripts = str(Path(sys.executable).parent)
    return (
        os.environ
        | _without_git()
        | {
            RUNS_UNDER: str(os.getpid()),
            "PATH": os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)]),
            # DVC starts stages through a shell. bash makes way for the stage, which so becomes DVC's own child and dies
            # with it; dash, the sh of Debian, stays in between.
            "SHELL": shutil.which("bash") or "/bin/sh",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "",  # or each stage would compile its libraries again
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "Agg",
            "DVC_NO_ANALYTICS": "1",
            "DO_NOT_TRACK": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
    )


def _without_git() -> dict[str, str]:
    """What tells DVC to do without git where there is none, as in an unpacked archive; otherwise DVC refuses to run.

    DVC has no switch for it, so a file of settings stands in for those of the system, the ones that count least.
    """
    here = Path.cwd()
    if any((folder / ".git").exists() for folder in (here, *here.parents)):
        return {}
    folder = here / LOG.parent / "without_git"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config").write_text("[core]\n    no_scm = true\n", encoding="utf-8")
    return {"DVC_SYSTEM_CONFIG_DIR": str(folder)}


class _Heard:
    """What DVC and its stages said so far."""

    def __init__(self, tell: Callable[[Step], None]) -> None:
        self._tell = tell
        self._running = ""
        self._failed: dict[str, Any] = {}
        self._errors: list[str] = []
        self._last: deque[str] = deque(maxlen=5)
        self._exited = 0
        self._lock_is_damaged = False

    def line(self, line: str, log: IO[str]) -> None:
        """Take one line of output: a mark, or a line of DVC or of a library, which goes to the log."""
        if line.startswith(MARK):
            self._take(json.loads(line.removeprefix(MARK)))
            return
        log.write(line)
        log.flush()
        if found := re.match(r"Stage '([^']+)' (?:didn't change|is cached)", line):
            self._tell(Step(found[1], "unchanged"))
        if re.search(r"dvc\.lock' (?:validation failed|is invalid)|unable to read: 'dvc\.lock'", line):
            self._lock_is_damaged = True
        if line.strip():
            self._last.append(line.strip())
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
        complaint = (
            "; ".join(self._errors) or " ".join(self._last) or f"dvc repro ended with code {code}, no reason given"
        )
        if self._running:
            return self._killed(complaint)
        if "Unable to acquire lock" in complaint or "is busy" in complaint:
            return LockedFault(f"another DVC command works in this folder: {complaint}. Wait for it, then run again")
        if "No space left" in complaint or "Permission denied" in complaint:
            return DiskFault(f"{complaint}. The log is {LOG}")
        if self._lock_is_damaged:
            said = "dvc.lock, in which DVC keeps what it made, is damaged"
            return IntegrityFault(f"{said}: {complaint}. Remove it and run again: everything is made anew")
        return _fault(Exit.CONFIG, f"DVC refused to run: {complaint}. The log is {LOG}")

    def _killed(self, complaint: str) -> Fault:
        """A stage that started and left no word: it was ended from outside."""
        by_signal = -self._exited if self._exited < 0 else self._exited - 128
        if by_signal in (signal.SIGINT, signal.SIGTERM):
            return _fault(128 + by_signal, f"stage {self._running} was told to stop; run again to go on from there")
        if by_signal == signal.SIGKILL:
            message = f"stage {self._running} was killed, most often because memory ran out; run again to go on from"
            hint = "If it happens again, lower engine.memory_limit or snapshots.most in conf/"
            return _fault(Exit.DISK, f"{message} there. {hint}")
        return _fault(Exit.BUG, f"stage {self._running} ended without a word: {complaint}. The log is {LOG}")


def _fault(code: int, message: str, trace: str = "") -> Fault:
    """A fault with the given exit code; the traceback of another process rides along as a note."""
    fault = Fault(message)
    fault.code = Exit(code)
    if trace:
        fault.add_note(trace)
    return fault


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

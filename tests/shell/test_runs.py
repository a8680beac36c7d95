"""The border around a stage: codes, messages, locks. Stages run in processes of their own, as they do under DVC."""

import errno
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from churn.shell import runs
from churn.shell.runs import LOCKS, MARK, RUNS_UNDER, explained, one_run, told
from churn.words.errors import ConfigFault, DiskFault, Exit, Fault, LockedFault

HOLD = """
import sys, time
from churn.shell.runs import one_run, stage

def hold():
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))

if sys.argv[1] == "stage":
    stage("events", hold)
else:
    with one_run(wait=False):
        hold()
"""
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], "stage", "60"], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))


def ended(body: str, **environment: str) -> subprocess.CompletedProcess:
    """A stage with this body, once it has ended."""
    imports = "from churn.shell.runs import stage\nfrom churn.words.errors import *\n"
    code = f"{imports}def main():\n    {body}\nstage('events', main)"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | environment
    )


@pytest.mark.parametrize("ending", ["pass", "raise ContractFault('bad')", "1 / 0"])
def test_a_stage_ends_without_looking_through_all_that_it_imported(ending):
    seen = "atexit.register(lambda: print('frozen', gc.get_freeze_count() > 10_000))"
    done = ended(f"import atexit, gc; {seen}; {ending}" if ending != "pass" else f"import atexit, gc; {seen}")
    assert "frozen True" in done.stdout


def test_a_stage_that_used_the_engine_ends_without_a_word_of_its_libraries():
    done = ended("import duckdb; con = duckdb.connect(); con.execute('SELECT 1')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def marks(output: str) -> list[dict]:
    """The marks among the lines of output. `splitlines` would also split at the sign that starts a mark."""
    return [json.loads(line.removeprefix(MARK)) for line in output.split("\n") if line.startswith(MARK)]


@contextmanager
def holding(what: str, seconds: float) -> Iterator[subprocess.Popen]:
    """A process that holds the lock of a run or of a stage, killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, what, str(seconds)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("raised", "code", "message"),
    [
        ("ConfigFault('no such key')", Exit.CONFIG, "CONFIG: no such key"),
        ("ContractFault('3 of 4 rows')", Exit.CONTRACT, "CONTRACT: 3 of 4 rows"),
        ("OSError(28, 'No space left on device')", Exit.DISK, "DISK: [Errno 28] No space left on device"),
        ("MemoryError('400 MB')", Exit.DISK, "DISK: memory ran out: 400 MB"),
        (
            "__import__('pyarrow').lib.ArrowMemoryError('malloc of 9 failed')",
            Exit.DISK,
            "lower engine.memory_limit in conf/",
        ),
        ("KeyboardInterrupt", Exit.INTERRUPTED, ""),
    ],
)
def test_a_stage_ends_with_the_code_of_its_fault_and_no_traceback(raised, code, message):
    done = ended(f"raise {raised}")
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stage_that_is_stopped_during_a_query_was_told_to_stop_and_met_no_bug():
    """DuckDB turns Ctrl-C into an error of its own."""
    told_soon = "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()"
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    query = "con.execute('SET threads = 1'); con.execute('SELECT sum(hash(range)) FROM range(9_000_000_000)')"
    done = ended(f"import duckdb, os, signal, threading; con = duckdb.connect(); {heard}; {told_soon}; {query}")
    assert (done.returncode, done.stdout, done.stderr) == (Exit.INTERRUPTED, "", "")


def test_a_stage_that_is_stopped_does_not_wait_for_libraries_to_end():
    done = ended(
        "import atexit, duckdb; atexit.register(print, 'the end of Python'); print('said'); raise KeyboardInterrupt"
    )
    assert (done.returncode, done.stdout, done.stderr) == (Exit.INTERRUPTED, "said\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the platform does not tell")
def test_a_stage_without_memory_says_what_it_held_and_what_there_is():
    said = ended("raise MemoryError('400 MB')").stderr
    held, there = map(float, re.search(r"held up to ([\d.]+) GB of the ([\d.]+) GB of this machine", said).groups())
    assert held < there


def test_a_bug_in_a_stage_keeps_its_traceback_and_ends_with_1():
    done = ended("1 / 0")
    assert done.returncode == Exit.BUG
    assert "Traceback" in done.stderr


def test_a_stage_alone_prints_no_marks():
    assert ended("print('hello')").stdout == "hello\n"


def test_a_stage_under_a_run_says_when_it_starts_and_that_its_output_is_made():
    started, made = marks(ended("pass", **{RUNS_UNDER: "1"}).stdout)
    assert started == {"stage": "events", "state": "started"}
    assert (made["stage"], made["state"]) == ("events", "made")


def test_a_stage_under_a_run_says_why_it_failed():
    _, failed = marks(ended("raise NotEnoughData('7 churners')", **{RUNS_UNDER: "1"}).stdout)
    assert failed == {"stage": "events", "state": "failed", "code": 5, "message": "7 churners"}


def test_a_second_run_is_refused_with_process_host_and_time():
    with holding("run", 60) as process, pytest.raises(LockedFault) as refused, one_run(wait=False):
        pass
    assert refused.value.code == Exit.LOCKED
    assert re.search(rf"process {process.pid} on .+ since \d{{4}}-", str(refused.value))


def test_the_lock_of_a_killed_run_is_free():
    with holding("run", 60) as process:
        process.kill()
        process.wait(5)
    assert (LOCKS / "run.lock").exists()
    with one_run(wait=False):
        pass


def test_a_run_that_waits_starts_when_the_other_has_ended():
    with holding("run", 0.5) as process, one_run(wait=True):
        assert process.wait(5) == 0


def test_a_lock_is_free_again_after_a_fault():
    with pytest.raises(ConfigFault), one_run(wait=False):
        raise ConfigFault("wrong")
    with one_run(wait=False):
        pass


def test_two_processes_never_make_the_same_output_side_by_side():
    with holding("stage", 0.7) as first:
        before = time.monotonic()
        with holding("stage", 0) as second:
            assert time.monotonic() - before >= 0.4
            assert (first.wait(5), second.wait(5)) == (0, 0)


def test_a_stage_gives_up_when_the_output_is_being_made_for_too_long(monkeypatch):
    monkeypatch.setattr(runs, "_STAGE_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(runs, "die_with_parent", lambda: None)
    with holding("stage", 60), pytest.raises(SystemExit) as ended_with:
        runs.stage("events", lambda: None)
    assert ended_with.value.code == Exit.LOCKED


def test_a_folder_that_may_not_be_written_is_a_fault_of_the_disk():
    assert isinstance(explained(PermissionError(errno.EACCES, "Permission denied", "data")), DiskFault)


def test_an_error_that_nobody_foresaw_stays_a_bug():
    assert explained(KeyError("spend")) is None
    assert explained(FileNotFoundError(errno.ENOENT, "No such file")) is None


def test_a_fault_is_told_with_the_name_of_its_code():
    assert told(ConfigFault("no such key")) == "CONFIG: no such key"
    assert told(Fault("impossible")) == "BUG: impossible"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child whose parent was killed")
def test_a_stage_dies_with_the_process_that_started_it():
    with subprocess.Popen([sys.executable, "-c", PARENT, HOLD], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 2
    status = Path(f"/proc/{child}/status")
    while status.exists() and "State:\tZ" not in status.read_text():
        assert time.monotonic() < deadline, "the stage outlived its parent"
        time.sleep(0.02)

"""What leaves the command line when something goes wrong: one message and a code, or a traceback and a hint."""

import os
import signal
import subprocess
import sys
import time

import pytest

from churn.words.errors import Exit

COMMAND = """
import churn.cli
from churn.words.errors import *

@churn.cli.app.command()
def trial():
    import time
    {body}

churn.cli.main()
"""

HEARS_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A shell starts what it puts into the background deaf to Ctrl-C, and the tests may run there."""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))


def trial(body: str) -> subprocess.CompletedProcess:
    """A command with this body, once it has ended."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND.format(body=body), "trial"], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("UsageFault", Exit.USAGE),
        ("ConfigFault", Exit.CONFIG),
        ("ContractFault", Exit.CONTRACT),
        ("NotEnoughData", Exit.NOT_ENOUGH_DATA),
        ("GateFault", Exit.GATE),
        ("LockedFault", Exit.LOCKED),
        ("DiskFault", Exit.DISK),
        ("IntegrityFault", Exit.INTEGRITY),
        ("TrackingFault", Exit.TRACKING),
    ],
)
def test_a_fault_is_one_message_and_its_code(fault, code):
    done = trial(f"raise {fault}('what, where, how many, what to do')")
    assert done.returncode == code
    assert done.stderr == f"{code.name}: what, where, how many, what to do\n"
    assert done.stdout == ""


def test_a_bug_keeps_its_traceback_says_so_and_exits_1():
    done = trial("1 / 0")
    assert done.returncode == Exit.BUG
    assert done.stderr.startswith("churn met a bug of its own.")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_a_full_disk_is_a_fault_and_not_a_bug():
    done = trial("raise OSError(28, 'No space left on device')")
    assert done.returncode == Exit.DISK
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, Exit.TERMINATED), (signal.SIGINT, Exit.INTERRUPTED)])
def test_a_signal_ends_the_command_with_its_code_and_tidies_up(number, code, tmp_path):
    body = "try:\n        print('ready', flush=True)\n        time.sleep(30)\n    finally:\n        open('tidy', 'w')"
    before = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", HEARS_CTRL_C + COMMAND.format(body=body), "trial"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(5) == code
    assert time.monotonic() - before < 5
    assert (tmp_path / "tidy").exists()


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", Exit.TERMINATED), ("SIGINT", Exit.INTERRUPTED)])
def test_a_signal_during_a_query_is_no_bug(number, code):
    """DuckDB turns what the signal raises into an error of its own."""
    heard = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    told_soon = f"threading.Timer(0.3, os.kill, (os.getpid(), signal.{number})).start()"
    query = "con.execute('SET threads = 1'); con.execute('SELECT sum(hash(range)) FROM range(9_000_000_000)')"
    done = trial(f"import duckdb, os, signal, threading; con = duckdb.connect(); {heard}; {told_soon}; {query}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize("ending", ["pass", "raise UsageFault('what')", "raise SystemExit(143)", "1 / 0"])
def test_a_command_ends_without_looking_through_all_that_it_imported(ending):
    seen = "atexit.register(lambda: print('frozen', gc.get_freeze_count() > 10_000))"
    done = trial(f"import atexit, gc; {seen}\n    {ending}")
    assert done.stdout == "frozen True\n"


def test_a_command_that_used_the_engine_ends_without_a_word_of_its_libraries():
    done = trial("import duckdb\n    con = duckdb.connect()\n    con.execute('SELECT 1')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_run_outside_a_project_says_so_and_exits_2():
    done = subprocess.run(
        [sys.executable, "-c", "from churn.cli import main; main()", "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == Exit.USAGE
    assert "no dvc.yaml" in done.stderr

"""A small graph, really made by DVC: what its stages say must reach the one who started the run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from churn.shell.repro import LOG, Step, repro
from churn.words.errors import Exit, Fault

STAGE = """
import os, signal, time
from pathlib import Path
from churn.shell.runs import stage
from churn.words.errors import ContractFault

def bad():
    raise ContractFault("3 of 4 rows are bad")

def sleep():
    Path("pid.txt").write_text(str(os.getpid()))
    try:
        time.sleep(60)
    finally:
        Path("tidy.txt").touch()

DEEDS = {
    "nothing": lambda: None,
    "bad": bad,
    "bug": lambda: 1 / 0,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "sleep": sleep,
}

def main():
    if "{name}" == "second":
        DEEDS[Path("deed.txt").read_text()]()
    Path("{name}.txt").write_text("whole")

if __name__ == "__main__":
    stage("{name}", main)
"""

GRAPH = """
stages:
  first:
    cmd: python -m first
    deps: [first.py]
    outs: [first.txt]
  second:
    cmd: python -m second
    deps: [first.txt, deed.txt]
    outs: [second.txt]
"""

RUN = """
import signal, sys
from churn.shell.repro import repro
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
repro(lambda step: print(*step[:2], flush=True))
"""


@pytest.fixture
def graph(tmp_path, monkeypatch):
    """A project of two stages outside git; the second does the deed that `deed.txt` names."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.py").write_text(STAGE.replace("{name}", name))
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "deed.txt").write_text("nothing")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    return tmp_path


def steps_and_fault() -> tuple[list[tuple[str, str]], Fault | None]:
    """What a run told, and the fault that ended it."""
    steps: list[Step] = []
    try:
        repro(steps.append)
    except Fault as fault:
        return [step[:2] for step in steps], fault
    return [step[:2] for step in steps], None


@contextmanager
def sleeping(first: str = "") -> Iterator[subprocess.Popen]:
    """A run in another process, which does something first, once its second stage sleeps."""
    Path("deed.txt").write_text("sleep")
    with subprocess.Popen([sys.executable, "-c", first + RUN], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert any(line == "second started\n" for line in process.stdout)
            yield process
        finally:
            process.kill()


def stage_process() -> int:
    """The process of the sleeping stage."""
    deadline = time.monotonic() + 5
    while not (Path("pid.txt").exists() and Path("pid.txt").read_text()):
        assert time.monotonic() < deadline, "the stage did not write its process id"
        time.sleep(0.02)
    return int(Path("pid.txt").read_text())


def is_gone(process: int) -> bool:
    """Whether the process ends within a second."""
    for _ in range(50):
        try:
            os.kill(process, 0)
            if "\nState:\tZ" in Path(f"/proc/{process}/status").read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_a_run_makes_what_is_missing_and_then_finds_nothing_to_do(graph):
    made = [("first", "started"), ("first", "made"), ("second", "started"), ("second", "made")]
    assert steps_and_fault() == (made, None)
    assert steps_and_fault() == ([("first", "unchanged"), ("second", "unchanged")], None)


def test_a_fault_in_a_stage_keeps_its_code_and_its_message(graph):
    (graph / "deed.txt").write_text("bad")
    steps, fault = steps_and_fault()
    assert steps[-1] == ("second", "failed")
    assert (fault.code, str(fault)) == (Exit.CONTRACT, "3 of 4 rows are bad")
    assert "CONTRACT: 3 of 4 rows are bad" in LOG.read_text()


def test_a_bug_in_a_stage_keeps_its_traceback(graph):
    (graph / "deed.txt").write_text("bug")
    _, fault = steps_and_fault()
    assert (fault.code, str(fault)) == (Exit.BUG, "ZeroDivisionError: division by zero")
    assert 'DEEDS[Path("deed.txt")' in fault.__notes__[0]


def test_a_stage_that_was_killed_is_named_and_points_to_memory(graph):
    (graph / "deed.txt").write_text("killed")
    _, fault = steps_and_fault()
    assert fault.code == Exit.DISK
    assert "stage second was killed, most often because memory ran out" in str(fault)


def test_a_broken_graph_is_a_fault_of_configuration_in_the_words_of_dvc(graph):
    (graph / "dvc.yaml").write_text("stages: {first: {cmd: 1}}")
    _, fault = steps_and_fault()
    assert fault.code == Exit.CONFIG
    assert "dvc.yaml" in str(fault)


@pytest.mark.parametrize("damage", [b"<<<<<<< HEAD\nschema: '2.0'\n=======\n", b"", b"\0\0\0"])
def test_a_damaged_lock_file_says_that_it_may_be_removed(graph, damage):
    Path("dvc.lock").write_bytes(damage)
    with pytest.raises(Fault, match=r"dvc\.lock, .* is damaged: .*Remove it and run again") as caught:
        repro(lambda _: None)
    assert caught.value.code == Exit.INTEGRITY


def test_a_term_signal_ends_the_stages_within_5_seconds_and_the_next_run_goes_on(graph):
    with sleeping() as process:
        stage = stage_process()
        before = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == Exit.TERMINATED
        assert time.monotonic() - before < 5
    assert is_gone(stage)
    (graph / "deed.txt").write_text("nothing")
    assert steps_and_fault() == ([("first", "unchanged"), ("second", "started"), ("second", "made")], None)


def test_stages_tidy_up_even_if_the_run_was_started_deaf_to_ctrl_c(graph):
    """As shells start what a script puts into the background: it was killed, and left what it had spilled."""
    with sleeping(first="import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)") as process:
        stage = stage_process()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == Exit.TERMINATED
    assert is_gone(stage)
    assert Path("tidy.txt").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child whose parent was killed")
def test_killing_the_run_leaves_no_stage_behind_and_does_not_block_the_next_run(graph):
    with sleeping() as process:
        stage = stage_process()
        process.kill()
    assert is_gone(stage)
    (graph / "deed.txt").write_text("nothing")
    assert steps_and_fault() == ([("first", "unchanged"), ("second", "started"), ("second", "made")], None)


def test_notes_of_dead_dvc_commands_do_not_block_even_when_their_number_was_given_again(graph):
    note = {"pid": os.getppid(), "cmd": "dvc repro"}
    (graph / ".dvc/tmp").mkdir()
    (graph / ".dvc/tmp/rwlock").write_text(json.dumps({"write": {str(graph / "second.txt"): note}, "read": {}}))
    assert steps_and_fault()[1] is None


def test_half_a_file_of_dvc_notes_does_not_block(graph):
    (graph / ".dvc/tmp").mkdir()
    (graph / ".dvc/tmp/rwlock").write_text('{"write": {"')
    assert steps_and_fault()[1] is None

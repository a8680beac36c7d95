"""The real pipeline, interrupted: whatever is killed whenever, the next run gives the bytes of an undisturbed one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from churn.shell.delivery import verify
from churn.words.errors import Exit
from tests.pipelines.project import CHURN, ROOT, demo_project, digests, done, started

STAGES = tuple(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
MIDDLE = 0.4
"""Share of the time that the stage took undisturbed: late enough to have begun, early enough not to be over."""
SOON = 0.25
"""Seconds until it is interrupted, at most: the undisturbed run shared the machine and may have taken longer."""
DELIVERED = tuple(
    f"deliveries/.versions/*/{name}" for name in ("risk_list*", "index.html", "model_card*", "manifest.json")
)
"""Without origin.json, which lies beside the files of a delivery and names the commit and the run of MLflow."""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child whose parent was killed")


@pytest.fixture
def project(demo_run, tmp_path):
    """A copy of the project that made its list."""
    return Path(shutil.copytree(demo_run.folder, tmp_path / "project", symlinks=True))


def forgotten(project: Path, *stages: str) -> None:
    """Make DVC and the disk know nothing of what these stages made."""
    path = project / "dvc.lock"
    lock = yaml.safe_load(path.read_text())
    for stage in stages:
        for out in lock["stages"].pop(stage)["outs"]:
            made = project / out["path"]
            shutil.rmtree(made) if made.is_dir() else made.unlink()
    path.write_text(yaml.safe_dump(lock))
    shutil.rmtree(project / ".dvc/cache/runs")


def processes(project: Path, stage: str = "") -> list[int]:
    """Living processes that work in the project; those of one stage only where it is named."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            works_here = (entry / "cwd").readlink() == project
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if works_here and words != [b""] and (not stage or f"pipelines.{stage}".encode() in words):
            found.append(int(entry.name))
    return found


def queued(process: int) -> float:
    """Seconds for which the process was ready to go on and had no processor; 0 once it has ended."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):  # it has ended, or this kernel does not count
        return 0.0


def ended(run: subprocess.Popen, project: Path) -> tuple[int, float]:
    """The exit code of a run, and how long it took to end, but for the time in which others had the processors.

    A busy machine is no fault of ours; a wait, a hang or slow work of our own is counted in full.
    """
    before = last = time.monotonic()
    known = {process: queued(process) for process in processes(project)}
    waited = 0.0
    while run.poll() is None and last - before < 30:
        time.sleep(0.01)
        now, found = time.monotonic(), {process: queued(process) for process in processes(project)}
        waited += min(now - last, max((found[p] - known.get(p, 0.0) for p in found), default=0.0))
        known, last = found, now
    return run.wait(0), time.monotonic() - before - waited


def interrupted(project: Path, stage: str, seconds: float, number: int, *, whom: str = "run") -> tuple[int, float]:
    """The exit code of a run that gets a signal some seconds after the stage began, and how long it took to end."""
    with started(project) as run:
        try:
            assert any(line.split()[:2] == [stage, "started"] for line in run.stderr), f"{stage} never started"
            time.sleep(min(seconds, SOON))
            targets = [run.pid] if whom == "run" else processes(project, stage)
            assert targets, f"{stage} was over before it could be interrupted"
            for target in targets:
                os.kill(target, number)
            return ended(run, project)
        finally:
            run.kill()


def gone(project: Path) -> bool:
    """Whether nothing works in the project any more, within two seconds."""
    deadline = time.monotonic() + 2
    while processes(project) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes(project)


def same_as_undisturbed(project: Path, undisturbed: Path) -> bool:
    """Whether the next run gives, without leftovers, what the undisturbed one gave."""
    again = done(project, *CHURN, "run")
    assert again.returncode == 0, again.stderr
    assert not [path for path in project.rglob(".*") if path.name.endswith((".partial", ".old"))]
    everything = digests(project), digests(project, *DELIVERED)
    return everything == (digests(undisturbed), digests(undisturbed, *DELIVERED))


def test_a_run_killed_while_it_scores_is_made_up_for_by_the_next(demo_run, project):
    forgotten(project, "scores")
    code, _ = interrupted(project, "scores", demo_run.seconds["scores"] * MIDDLE, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert gone(project)
    assert same_as_undisturbed(project, demo_run.folder)


def test_a_killed_stage_ends_the_run_which_says_so_and_the_last_list_stays(demo_run, project):
    forgotten(project, "reasons")
    code, _ = interrupted(project, "reasons", demo_run.seconds["reasons"] * MIDDLE, signal.SIGKILL, whom="stage")
    assert code == Exit.DISK  # most often memory ran out
    verify(project / "deliveries/latest")
    assert same_as_undisturbed(project, demo_run.folder)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, Exit.TERMINATED), (signal.SIGINT, Exit.INTERRUPTED)])
def test_a_signal_ends_a_run_that_learns_within_5_seconds_with_its_code(demo_run, project, number, code):
    forgotten(project, "model")
    found, seconds = interrupted(project, "model", demo_run.seconds["model"] * MIDDLE, number)
    assert found == code
    assert seconds < 5
    assert gone(project)
    verify(project / "deliveries/latest")


@pytest.mark.long
@pytest.mark.parametrize("whom", ["run", "stage"])
def test_runs_killed_in_every_stage_add_up_to_an_undisturbed_one(demo_run, tmp_path, whom):
    project = demo_project(tmp_path / "project", tracked=True)
    for stage in STAGES:
        code, _ = interrupted(project, stage, demo_run.seconds[stage] * MIDDLE, signal.SIGKILL, whom=whom)
        assert code == {"run": -signal.SIGKILL, "stage": Exit.DISK}[whom]
        assert gone(project)
    assert same_as_undisturbed(project, demo_run.folder)

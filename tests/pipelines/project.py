"""Copies of the project in folders of their own, where the real pipeline works on the demo world."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.speed.line import copy

ROOT = Path(__file__).parents[2]
CHURN = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom churn.cli import main; main()",
)
"""The command line, hearing Ctrl-C even where the tests run in the background, which a shell makes deaf to it."""
DVC = (sys.executable, "-m", "dvc")
PROMISED = ("data/*.parquet", "data/raw.json", "models/current/*", "reports/*/**/*", "reports/ev*.json")
"""What must have the same bytes in two runs, with the files of the delivery. reports/tracking.json holds a run's id."""


class Project(NamedTuple):
    """A copy of the project; what its first run told on the way, and what DVC and the libraries said in it."""

    folder: Path
    told: str
    log: str

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took."""
        return {
            stage: float(took) for stage, took in re.findall(r"^(\w+) +made in ([\d.]+) s$", self.told, re.MULTILINE)
        }


def environment(folder: Path) -> dict[str, str]:
    """What commands see: our code, and a folder of DVC's notes that no other project uses."""
    path = os.pathsep.join(p for p in sys.path if p)
    # The worker of a queue calls `dvc` by name, and waits for ever where there is none.
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ours = {"PYTHONPATH": path, "PATH": programs, "DVC_SITE_CACHE_DIR": str(folder / ".dvc/site")}
    return os.environ | ours | {"DVC_NO_ANALYTICS": "1"}


def done(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """The command, once it has ended, however it did."""
    return subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)


def started(folder: Path) -> subprocess.Popen:
    """A run under way, whose progress can be read."""
    out = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*CHURN, "run"], cwd=folder, env=environment(folder), **out)


def copied_project(folder: Path, *, tracked: bool) -> Path:
    """A copy of the project, with or without tracking."""
    copy(folder)
    if not tracked:
        changed(folder, "enabled: true", "enabled: false")
    return folder


def demo_project(folder: Path, *, tracked: bool) -> Path:
    """A copy of the project, under git, that is to work on the small demo world, with or without tracking."""
    copied_project(folder, tracked=tracked)
    for command in (("demo",), ("config", "use", "data=demo")):
        made = done(folder, *CHURN, *command)
        assert made.returncode == 0, made.stderr
    return committed(folder)


def committed(folder: Path) -> Path:
    """The same folder, under git, with everything in it."""
    for command in ("init", "config user.name tests", "config user.email tests@localhost", "add .", "commit -qm demo"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


def changed(folder: Path, old: str, new: str) -> None:
    """Change one word of conf/config.yaml, as a person would."""
    path = folder / "conf/config.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    """The digest of every file that matches, by its path."""
    paths = sorted({p for pattern in patterns or PROMISED for p in folder.glob(pattern) if p.is_file()})
    assert paths
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}

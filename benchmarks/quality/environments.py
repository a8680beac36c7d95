"""Environments of their own for what the product does not depend on: peers, and packages that bring data.

Each is made once from its pinned requirements, `peers/NAME.txt`, in the cache, and made anew when they change.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "peers"
PATIENCE_S = 900
"""An installation that takes longer hangs: the larger environment has 0.6 GB."""
ARROWS = str.maketrans("╰─▶×│", "     ")
"""What uv draws beside what it says."""
MARK = "made"
"""Written last, so that a set-up that was interrupted is done again."""


class UnavailableError(Exception):
    """An environment cannot be made here. The message says why; who asks goes without it and says so."""


def python(name: str, cache: Path) -> Path:
    """The Python of the environment `name`, made unless it is there.

    Raises
    ------
    UnavailableError
        Without uv, or where a package cannot be had.
    """
    requirements = HERE / f"{name}.txt"
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache / "environments" / f"{name}-{digest}"
    found = folder / "bin" / "python"
    if (folder / MARK).is_file():
        return found
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise UnavailableError("uv is not there; `make bench-quality` brings it")
    _ran([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
    _ran([uv, "pip", "install", "--quiet", "--python", str(found), "--require-hashes", "-r", str(requirements)])
    (folder / MARK).touch()
    return found


def _ran(command: list[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"not installed within {PATIENCE_S} s") from late
    if done.returncode:
        said = " ".join(done.stderr.translate(ARROWS).split()) or f"exit code {done.returncode}"
        raise UnavailableError(said)

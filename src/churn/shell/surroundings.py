"""The surroundings of a run: Python, packages, git. What is not as it must be is said before anything is made."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.metadata import metadata as about
from pathlib import Path
from typing import NamedTuple

from churn.words.errors import UsageFault, message

PACKAGE = "churn"
_GIT_SECONDS = 10


class Circumstance(NamedTuple):
    """Something that a run depends on: what it is, how it is, whether a run can go on, and what mends it."""

    what: str
    state: str
    fine: bool
    remedy: str = ""


def check_surroundings() -> None:
    """Nothing, if this Python and the installed packages are those that the project needs.

    Raises
    ------
    UsageFault
        Naming all that are not (exit 2).
    """
    wrong = [c for c in (python(), *packages()) if not c.fine]
    if wrong:
        raise UsageFault(
            message(
                "this environment is not the one that the project needs",
                where=sys.prefix,
                many="; ".join(f"{c.what} {c.state}" for c in wrong),
                do="run `make clean run`, which sets up .venv from the lock; `churn doctor` shows all",
            )
        )


def python() -> Circumstance:
    """The Python that runs this."""
    needs = about(PACKAGE)["Requires-Python"] or ""
    have = ".".join(map(str, sys.version_info[:3]))
    fine = _satisfied(have, needs)
    state = "is fine" if fine else f"does not fit, it needs {needs}"
    return Circumstance(f"Python {have}", state, fine, "" if fine else "make clean run")


def packages() -> Iterator[Circumstance]:
    """Every package that the project names, and whether its version fits; extras are for those who use them."""
    for written in requires(PACKAGE) or []:
        if "extra ==" in written:
            continue
        found = re.match(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*\(?([^;)]*)", written)
        if not found:
            continue
        name, needs = found[1], found[2].strip()
        try:
            have = version(name)
        except PackageNotFoundError:
            yield Circumstance(name, "is not installed", fine=False, remedy="make clean run")
            continue
        fine = _satisfied(have, needs)
        state = f"{have} is fine" if fine else f"{have} does not fit, it needs {needs}"
        yield Circumstance(name, state, fine, "" if fine else "make clean run")


def git() -> Iterator[Circumstance]:
    """The repository around the project, who commits in it, and whether anything is not committed.

    A run works without any of them; experiments of DVC need all.
    """
    here = Path.cwd()
    root = next((f for f in (here, *here.parents) if (f / ".git").exists()), None)
    works = "a run works without; `dvc exp run` needs it"
    if not _git("--version"):
        yield Circumstance("git", f"is not installed; {works}", fine=True, remedy="install git")
        return
    if root is None:
        yield Circumstance("git", f"there is no repository; {works}", fine=True, remedy="git init")
        return
    kind = "a worktree of a repository" if (root / ".git").is_file() else "a repository"
    yield Circumstance("git", f"{kind} at {root}", fine=True)
    who = _git("config", "user.email")
    yield Circumstance(
        "git identity", who or f"is not set; {works}", fine=True, remedy="" if who else "git config user.email YOU"
    )
    changed = len(_git("status", "--porcelain").splitlines())
    state = f"{changed} files are not committed; a run does not mind" if changed else "everything is committed"
    yield Circumstance("git changes", state, fine=True)


def _git(*arguments: str) -> str:
    """What git says; nothing if it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            check=False,
            timeout=_GIT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _satisfied(have: str, needs: str) -> bool:
    """Whether a version fits such limits as `>=3.11,<3.14`."""
    return all(_fits(have, limit.strip()) for limit in needs.split(",") if limit.strip())


def _fits(have: str, limit: str) -> bool:
    found = re.match(r"(>=|<=|==|!=|~=|>|<)\s*([0-9][^*]*)", limit)
    if not found:
        return True
    mine, theirs = _numbers(have), _numbers(found[2])
    n = max(len(mine), len(theirs))
    mine, theirs = mine + (0,) * (n - len(mine)), theirs + (0,) * (n - len(theirs))
    compared = {
        ">=": mine >= theirs, "<=": mine <= theirs, "==": mine == theirs, "!=": mine != theirs,
        ">": mine > theirs, "<": mine < theirs, "~=": mine >= theirs,
    }  # fmt: skip
    return compared[found[1]]


def _numbers(written: str) -> tuple[int, ...]:
    """The whole numbers at the start of a version; what follows, such as rc1 or +cpu, is left out."""
    found = re.match(r"\d+(\.\d+)*", written)
    return tuple(map(int, found[0].split("."))) if found else ()

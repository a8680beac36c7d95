"""Every package that we name can be imported together: resolvers call sets compatible that are not."""

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"]
NAMED = RUNTIME + PROJECT["dependency-groups"]["dev"]
IMPORTED_AS = {
    "hydra-core": "hydra",
    "import-linter": "importlinter",
    "pandas-stubs": None,  # only types
    "pytest-xdist": "xdist",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
    "types-pyyaml": None,
}
"""Packages whose module is called otherwise; None where there is nothing to import."""
LOCK = (ROOT / "requirements.lock").read_text()


def name_of(requirement: str) -> str:
    """The package of a requirement, as the index writes it.

    >>> name_of("types-PyYAML>=6")
    'types-pyyaml'
    """
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower().replace("_", "-")


def test_every_direct_dependency_can_be_imported_beside_the_others():
    modules = [IMPORTED_AS.get(name_of(r), name_of(r).replace("-", "_")) for r in NAMED]
    code = "import importlib\nfor module in " + repr([m for m in modules if m]) + ": importlib.import_module(module)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_line_needs_no_development_package():
    code = "import sys, churn.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    development = {name_of(r).replace("-", "_") for r in PROJECT["dependency-groups"]["dev"]}
    assert not development & set(done.stdout.split())


@pytest.mark.parametrize("requirement", NAMED, ids=name_of)
def test_the_lock_has_what_pyproject_asks_for(requirement):
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    locked = re.findall(rf"^{re.escape(name_of(requirement))}==([^ ;\\]+)", LOCK, re.MULTILINE)
    assert locked, f"{requirement} is not locked; run `make lock`"
    assert all(wanted.specifier.contains(version, prereleases=True) for version in locked), "run `make lock`"


def test_every_locked_package_has_digests_and_none_has_an_address():
    packages = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)
    unproven = [package.split()[0] for package in packages if package.strip() and "--hash=sha256:" not in package]
    assert not unproven
    assert "://" not in LOCK
    assert "index-url" not in LOCK


def test_the_installed_packages_are_those_of_the_lock():
    from importlib.metadata import version

    installed = {name_of(r): version(name_of(r)) for r in RUNTIME}
    unlocked = {name: v for name, v in installed.items() if f"\n{name}=={v} " not in f"\n{LOCK}"}
    assert not unlocked, "run `make test`, which sets up .venv from the lock"
    assert importlib.import_module("churn")

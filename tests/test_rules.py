"""The rules of the house that a machine can hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = [*(ROOT / "src").rglob("*.py"), *(ROOT / "pipelines").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
UNSAFE_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "skops"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
MACHINE_PATHS = re.compile(r"""(?:^|["'\s=(:`])/(?:home|root|work|opt|tmp|Users|mnt)/""", re.MULTILINE)
REGISTRIES = re.compile(
    r"https?://[^\s\"']*/(?:simple|packages)(?:[/\s\"']|$)|^\s*(?:--)?(?:extra-)?index-url|registry\s*=\s*\"?http",
    re.MULTILINE | re.IGNORECASE,
)
SECRETS = re.compile(r"\$\{oc\.env|_target_\s*:|yaml\.load\(|yaml\.unsafe_load")


def tracked() -> list[Path]:
    """Every tracked text file, or every file of ours where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so nothing is tracked")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and name != "tests/test_rules.py"]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def lines_with(pattern: re.Pattern, paths: list[Path]) -> list[str]:
    """Where the pattern stands."""
    return [
        f"{path.relative_to(ROOT)}: {found[0].strip()}"
        for path in paths
        if (found := pattern.search(path.read_text(encoding="utf-8", errors="replace")))
    ]


def test_imports_follow_the_rooms():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_is_run_from_data(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: set[str] = set()
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").partition(".")[0]}
        assert not names & UNSAFE_MODULES, f"line {node.lineno}: a pickle runs code when it is read"
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            assert called not in UNSAFE_CALLS, f"line {node.lineno}: {called} runs text as code"
            shell = [k for k in node.keywords if k.arg == "shell" and getattr(k.value, "value", True)]
            assert not shell, f"line {node.lineno}: a shell runs what a file name says"


def test_no_tracked_file_names_a_place_on_some_machine():
    assert not lines_with(MACHINE_PATHS, tracked())


def test_no_tracked_file_names_a_package_registry():
    assert not lines_with(REGISTRIES, tracked())


def test_no_configuration_runs_code_or_copies_the_environment():
    configured = [*ROOT.glob("conf/**/*.yaml"), ROOT / "params.yaml", ROOT / "dvc.yaml", *OURS]
    screens = ROOT / "src/churn/shell/config"  # it names these in order to refuse them
    assert not lines_with(SECRETS, [p for p in configured if p.exists() and screens not in p.parents])


def test_no_command_of_a_stage_takes_text_from_params():
    commands = re.findall(r"^\s*cmd:.*$", (ROOT / "dvc.yaml").read_text(), re.MULTILINE)
    assert commands
    assert not [command for command in commands if "${" in command]


def test_importing_us_does_nothing():
    code = "import numpy, pyarrow, typer\n"  # these do something
    code += "import warnings, logging, os\n"
    code += "before = (list(warnings.filters), list(logging.root.handlers), os.getcwd())\n"
    code += "import churn.cli, churn.shell.repro, churn.shell.delivery\n"
    code += "assert before == (list(warnings.filters), list(logging.root.handlers), os.getcwd())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

"""What `--help` says, and how fast: every command is documented with examples that exist."""

import re
import shlex
import subprocess
import sys
import time

import pytest
import typer

from churn.cli import app

MOST_SECONDS = 0.7
COMMANDS = typer.main.get_command(app)
CHURN = [sys.executable, "-c", "from churn.cli import main; main()"]


def every_command(group=COMMANDS, path=()):
    """Each command with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize(
    ("path", "command"), list(every_command()), ids=lambda value: " ".join(value) if type(value) is tuple else ""
)
def test_every_command_has_help_and_examples_that_call_it(path, command):
    assert "Example" in command.help
    examples = re.findall(r"^\s+(churn .+?)(?:\s{3,}.*)?$", command.help, re.MULTILINE)
    assert any(shlex.split(example)[1 : 1 + len(path)] == list(path) for example in examples)
    assert all(option.help for option in command.params if option.param_type_name == "option")


def test_every_example_names_a_command_that_exists():
    texts = [COMMANDS.help, *(command.help for _, command in every_command())]
    examples = [e for text in texts for e in re.findall(r"^\s+churn (.+?)(?:\s{3,}.*)?$", text, re.MULTILINE)]
    called = {tuple(shlex.split(e)[:2]) if e.startswith("config") else (shlex.split(e)[0],) for e in examples}
    assert called <= {path for path, _ in every_command()}


def test_help_answers_at_once():
    seconds = []
    for _ in range(3):
        before = time.perf_counter()
        done = subprocess.run([*CHURN, "--help"], capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - before)
    assert "run" in done.stdout
    assert min(seconds) < MOST_SECONDS


def test_help_imports_nothing_heavy():
    code = "import sys, churn.cli; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {
        "duckdb",
        "dvc",
        "hydra",
        "lightgbm",
        "mlflow",
        "numba",
        "numpy",
        "pandas",
        "pyarrow",
        "rich",
        "sklearn",
    }


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    done = subprocess.run([*CHURN, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"churn {version('churn')}\n"


def test_an_unknown_command_suggests_the_nearest_and_exits_2():
    done = subprocess.run([*CHURN, "rn"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run" in done.stderr
    assert "Traceback" not in done.stderr

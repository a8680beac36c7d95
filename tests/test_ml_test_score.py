"""The ML Test Score adds up, and every command, file and test that it names exists."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from churn.cli import app

ROOT = Path(__file__).parents[1]
SCORE = yaml.safe_load((ROOT / "docs/ml_test_score.yaml").read_text(encoding="utf-8"))
TESTS = SCORE["tests"]
SECTIONS = ("data", "model", "infrastructure", "monitoring")
IN_A_SECTION = 7
WANTED = {"data": 5, "model": 5}
"""Below this, a section has lost something."""


def by_id(test):
    return test["id"]


def test_all_28_tests_of_the_rubric_are_there_in_its_order():
    assert [test["id"] for test in TESTS] == [f"{s}_{n}" for s in SECTIONS for n in range(1, IN_A_SECTION + 1)]


def test_the_score_of_a_section_is_the_sum_of_its_tests():
    sums = {s: sum(test["state"] for test in TESTS if test["id"].startswith(f"{s}_")) for s in SECTIONS}
    assert SCORE["score"] == sums
    assert {section: most for section, most in sums.items() if most < WANTED.get(section, 0)} == {}


@pytest.mark.parametrize("test", TESTS, ids=by_id)
def test_a_state_is_what_its_evidence_allows(test):
    assert test.keys() == {"id", "wants", "state", "why", "command", "where", "shown_by"}
    assert test["state"] in {0, 0.5, 1}
    assert all(text.endswith(".") for text in (test["wants"], test["why"]))
    # Nothing shows what is not done; what is done by hand is written somewhere; what a machine does fails in a test.
    assert bool(test["command"]) == (test["state"] > 0)
    assert bool(test["where"]) == (test["state"] > 0)
    assert test["shown_by"] or test["state"] < 1


@pytest.mark.parametrize("test", TESTS, ids=by_id)
def test_what_is_named_exists(test):
    assert [path for path in test["where"] if not (ROOT / path).exists()] == []
    for shown in test["shown_by"]:
        path, _, name = shown.partition("::")
        functions = {n.name for n in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(n, ast.FunctionDef)}
        assert name in functions, shown


@pytest.mark.parametrize("test", [test for test in TESTS if test["command"]], ids=by_id)
def test_the_command_exists(test):
    program, *words = shlex.split(test["command"])
    if program == "churn":
        here = typer.main.get_command(app)
        while hasattr(here, "commands"):
            here = here.commands[words.pop(0)]
        options = {option for param in here.params for option in param.opts}
        assert {word for word in words if word.startswith("-")} <= options
    elif program == "make":
        targets = re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets)
    elif program == "python":
        assert words[:2] == ["-m", "pytest"]
        assert all((ROOT / path).exists() for path in words[2:])
    else:
        from dvc.cli.parser import get_main_parser

        assert program == "dvc"
        assert get_main_parser().parse_args(words)

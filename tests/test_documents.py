"""What the documents say is true: their commands exist, their links lead somewhere, their words are ours."""

import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

from churn.cli import app
from churn.shell.delivery import FILES
from churn.words.tables import TABLES

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands(program: str) -> list[str]:
    """Every command of a program that a page tells to type: in backticks, or on a line of a block of code."""
    found = set()
    for page in PAGES:
        blocks = re.findall(r"^```\w*\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL)
        lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
        spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL))
        for told in [*lines, *spans]:
            found |= {part.strip() for part in told.split("&&") if re.match(rf"{program} [-a-z]", part.strip())}
    assert found
    return sorted(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_paths_lead_to_files_that_exist(page):
    links = [page.parent / target for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text_of(page))]
    paths = re.findall(r"`((?:conf|docs|src|tests|pipelines|benchmarks|notebooks|scripts)/[\w./-]*)`", text_of(page))
    missing = [str(target) for target in [*links, *(ROOT / path for path in paths)] if not target.exists()]
    assert not missing


@pytest.mark.parametrize("command", commands("make"))
def test_make_knows_what_the_documents_ask_of_it(command):
    targets = re.findall(r"^([a-z][\w-]*):", text_of(ROOT / "Makefile"), re.MULTILINE)
    assert [word for word in command.split()[1:] if "=" not in word] <= targets or command.split()[1] in targets


def test_make_help_lists_every_target_that_is_no_part_of_another():
    makefile = text_of(ROOT / "Makefile")
    named = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    helped = set(re.findall(r'@echo "make ([\w-]+)', makefile))
    assert named - helped == {"help", "types", "imports"}


@pytest.mark.parametrize("command", commands("churn"))
def test_churn_knows_what_the_documents_ask_of_it(command):
    here, words = typer.main.get_command(app), shlex.split(command)[1:]
    while hasattr(here, "commands") and words and not words[0].startswith("-"):
        for name in words.pop(0).split("|"):  # churn config show|compose
            assert name in here.commands
        here = here.commands[name]
    known = {option for param in here.params for option in (*param.opts, *param.secondary_opts)} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known
    if command.startswith("churn config use"):
        assert all((ROOT / "conf" / f"{choice.replace('=', '/')}.yaml").exists() for choice in words)


@pytest.mark.parametrize("command", commands("dvc"))
def test_dvc_knows_what_the_documents_ask_of_it_and_so_does_conf(command, monkeypatch):
    from dvc.cli.parser import get_main_parser

    from churn import sections

    asked = get_main_parser().parse_args(shlex.split(command)[1:])
    monkeypatch.chdir(ROOT)
    assert sections.compose(getattr(asked, "set_param", None) or []).values


def test_the_readme_names_files_that_a_delivery_has():
    assert set(re.findall(r"`((?:risk_list\w*|index)\.\w+)`", README)) <= set(FILES)


def test_the_map_names_every_room_and_no_other():
    rows = re.findall(r"^\| (`.*?) \|", text_of(ROOT / "docs/architecture.md"), re.MULTILINE)
    named = [room for row in rows for room in re.findall(r"`([\w/]+)`", row)]
    rooms = [ROOT / "src/churn/words", *(ROOT / "src/churn/core").iterdir(), *(ROOT / "src/churn/shell").iterdir()]
    there = {path for path in rooms if not path.name.startswith("__")}
    told = [path.relative_to(ROOT / "src/churn").with_suffix("").as_posix() + "/" * path.is_dir() for path in there]
    assert sorted(named) == sorted(told)


def test_the_readme_draws_the_line_of_dvc_yaml():
    stages = set(yaml.safe_load(text_of(ROOT / "dvc.yaml"))["stages"])
    drawn = set(re.findall(r"\b[a-z_]+\b", README.split("```")[1])) - {"deliveries", "as_of"}
    assert drawn
    assert drawn <= stages


def test_the_readme_and_the_project_ask_for_the_same_python():
    oldest, beyond = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text_of(ROOT / "pyproject.toml")).groups()
    assert f"Python 3.{oldest} to 3.{int(beyond) - 1}" in README


def test_every_name_of_code_in_the_glossary_is_a_column_or_a_key():
    keys = {key for section in yaml.safe_load(text_of(ROOT / "params.yaml")).values() for key in section}
    columns = {column.name for table in TABLES.values() for column in table.columns}
    named = set(re.findall(r"^\| `(\w+)`", text_of(ROOT / "GLOSSARY.md"), re.MULTILINE))
    assert named
    assert named <= keys | columns

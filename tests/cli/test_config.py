"""`churn config`: what it prints, what it writes, and how it refuses."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from churn.cli.config import app
from churn.sections import EXPERIMENT
from churn.words.errors import ConfigFault, UsageFault

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's configuration as working directory."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(EXPERIMENT, raising=False)
    return tmp_path


def churn_config(*arguments: str) -> str:
    """The output of the command; its fault is raised as the command line would catch it."""
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, Exception):
        raise done.exception
    assert done.exit_code == 0
    return done.output


def test_show_prints_what_params_yaml_holds_and_writes_nothing(project: Path) -> None:
    before = (project / "params.yaml").read_text(encoding="utf-8")
    assert churn_config("show") == before.partition("\n")[2]
    assert "\n  horizon_days: 60\n" in churn_config("show", "definition.horizon_days=60", "model=rule")
    assert (project / "params.yaml").read_text(encoding="utf-8") == before


def test_check_then_edit_then_check_then_compose_then_check(project: Path) -> None:
    assert churn_config("check") == "params.yaml is what conf/ says\n"
    path = project / "conf/config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("every_days: 14", "every_days: 7"), encoding="utf-8")
    with pytest.raises(ConfigFault, match=r"snapshots\.every_days.*\n.*churn config compose"):
        churn_config("check")
    assert churn_config("compose") == (
        "params.yaml written: data=complete_journey, definition=inactivity, engine=duckdb, model=lightgbm, "
        "model@step_down=ladder\n"
    )
    assert churn_config("check") == "params.yaml is what conf/ says\n"
    assert churn_config("compose").startswith("params.yaml was composed already: ")


def test_compose_without_params_yaml_writes_it(project: Path) -> None:
    before = (project / "params.yaml").read_bytes()
    (project / "params.yaml").unlink()
    churn_config("compose")
    assert (project / "params.yaml").read_bytes() == before


def test_what_does_not_fit_is_not_composed(project: Path) -> None:
    before = (project / "params.yaml").read_bytes()
    path = project / "conf/definition/inactivity.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("gap_days: 0", "gap_day: 0"), encoding="utf-8")
    with pytest.raises(ConfigFault, match=r"conf/definition/inactivity\.yaml:\d: .*gap_day is not a key; .*gap_days\?"):
        churn_config("compose")
    assert (project / "params.yaml").read_bytes() == before


def test_use_writes_choices_and_composes(project: Path) -> None:
    told = churn_config("use", "data=demo", "definition=contract")
    assert told == (
        "params.yaml written: data=demo, definition=contract, engine=duckdb, model=lightgbm, model@step_down=ladder\n"
    )
    text = (project / "conf/config.yaml").read_text(encoding="utf-8")
    assert "\n  - data: demo\n" in text
    assert "\n  - definition: contract\n" in text
    assert text.count("#") == (ROOT / "conf/config.yaml").read_text(encoding="utf-8").count("#")
    churn_config("check")


@pytest.mark.parametrize(
    ("choice", "fault"),
    [
        ("data=dmo", r"conf/data/ has no dmo; .*did you mean demo\?"),
        ("model.seed=3", r"no group model\.seed; groups are data, definition, engine, model"),
    ],
)
def test_use_refuses_what_is_not_there_and_changes_nothing(choice: str, fault: str, project: Path) -> None:
    before = (project / "conf/config.yaml").read_bytes()
    with pytest.raises(ConfigFault, match=fault):
        churn_config("use", choice)
    assert (project / "conf/config.yaml").read_bytes() == before


def test_use_refuses_what_is_no_choice() -> None:
    with pytest.raises(UsageFault, match="'demo' is no choice; write GROUP=MEMBER"):
        churn_config("use", "demo")


@pytest.mark.parametrize("command", ["show", "compose", "check", "use"])
def test_every_command_has_help_with_examples(command: str) -> None:
    told = churn_config(command, "--help")
    assert "Example" in told
    assert f"churn config {command}" in told

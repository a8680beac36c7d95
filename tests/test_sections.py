"""conf/ fits the functions that it feeds, and params.yaml is what conf/ says."""

import os
import shutil
import subprocess
import sys
from inspect import Parameter, signature
from pathlib import Path

import pyarrow as pa
import pytest

from churn import sections
from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.core.snapshots import as_ofs
from churn.core.split import split
from churn.sections import SECTIONS
from churn.shell import config
from churn.words.errors import ConfigFault, Exit
from churn.words.tables import SNAPSHOTS
from churn.words.windows import DAY_US

ROOT = Path(__file__).parents[1]
FUNCTIONS = [
    pytest.param(function, section.given, id=f"{name}-{kind}")
    for name, section in SECTIONS.items()
    for kind, function in (section.feeds.items() if isinstance(section.feeds, dict) else [("", section.feeds)])
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's configuration as working directory, outside of any experiment of DVC."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(sections.EXPERIMENT, raising=False)
    return tmp_path


def members(group: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# -- signatures ---


@pytest.mark.parametrize(("function", "given"), FUNCTIONS)
def test_what_conf_decides_has_no_default_in_code(function, given) -> None:
    keywords = {p.name: p for p in signature(function).parameters.values() if p.kind is Parameter.KEYWORD_ONLY}
    assert set(given) <= keywords.keys()
    # A declaration that names no version of the contract is of the first one, which had no such key.
    # Files that no command makes are the usual case.
    given_up = {name for name, p in keywords.items() if p.default is not Parameter.empty} - {"contract", "made_by"}
    assert given_up == set()
    assert [name for name, p in keywords.items() if p.annotation is Parameter.empty] == []
    assert [name for name, p in keywords.items() if name not in given and isinstance(p.annotation, str)] == []


@pytest.mark.parametrize(
    "choice", [f"{group}={name}" for group in ("data", "model", "definition", "engine") for name in members(group)]
)
def test_every_member_of_every_group_fits_the_functions_that_it_feeds(choice: str, project: Path) -> None:
    group, _, name = choice.partition("=")
    assert sections.compose([choice]).choices[group] == name


@pytest.mark.parametrize("data", members("data"))
def test_every_data_set_has_room_for_all_parts(data: str) -> None:
    composed = sections.compose([f"data={data}"])
    given = {
        name: config.checked(composed, name, SECTIONS[name].feeds, given=SECTIONS[name].given) for name in SECTIONS
    }
    declared = dataset(**given["data"])
    definition = DEFINITIONS[given["definition"]["kind"]](**given["definition"])
    dates = as_ofs(declared.observed_from, declared.observed_until, **given["snapshots"])
    unknown = dates + definition.outcome_days * DAY_US > declared.observed_until
    columns = [["a"] * len(dates), dates, [None if open_ else True for open_ in unknown]]
    fields = zip(columns, SNAPSHOTS.schema, strict=True)
    rows = pa.table([pa.array(values).cast(field.type) for values, field in fields], schema=SNAPSHOTS.schema)
    found = split(rows, observed_until=declared.observed_until, definition=definition, **given["split"])
    assert set(found["part"].to_pylist()) >= {"train", "validation", "calibration", "test", "score"}


@pytest.mark.parametrize("data", members("data"))
@pytest.mark.parametrize("model", members("model"))
def test_every_data_set_can_be_learnt_by_every_model(data: str, model: str, project: Path) -> None:
    composed = sections.compose([f"data={data}", f"model={model}"])
    assert (composed.choices["data"], composed.choices["model"]) == (data, model)


def test_a_group_has_more_than_one_member() -> None:
    assert all(len(members(path.name)) > 1 for path in (ROOT / "conf").iterdir() if path.is_dir())


# -- params.yaml ---


def test_params_yaml_is_what_conf_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv(sections.EXPERIMENT, raising=False)
    sections.check()
    assert (ROOT / "params.yaml").read_text(encoding="utf-8") == (
        "# composed from conf/ by `churn config compose`; do not edit\n" + config.dump(sections.compose().values)
    )


@pytest.mark.parametrize(
    "overrides", [[], ["model=logistic"], ["model=ladder"], ["data=demo"], ["definition.horizon_days=60"]]
)
def test_dvc_composes_the_same_values(overrides: list[str], project: Path) -> None:
    from dvc.utils.hydra import compose_and_dump

    ours = sections.compose(overrides)
    compose_and_dump(project / "params.yaml", str(project / "conf"), None, "config", str(project), overrides)
    assert config.differences(config.params(), ours) == []
    sections.check_values(config.params())


def test_a_change_in_conf_that_was_not_composed_is_refused_with_the_command_that_mends_it(project: Path) -> None:
    change(project / "conf/definition/inactivity.yaml", "horizon_days: 28", "horizon_days: 60")
    with pytest.raises(ConfigFault) as raised:
        sections.check()
    assert str(raised.value).splitlines() == [
        "params.yaml differs from conf/ in 1 keys:",
        "  definition.horizon_days: params.yaml:6 says 28, but conf/definition/inactivity.yaml:7 says 60",
        "Run `churn config compose` to use conf/; to keep what params.yaml says, write it into conf/ first",
    ]


def test_an_edit_of_params_yaml_is_refused_too(project: Path) -> None:
    change(project / "params.yaml", "horizon_days: 28", "horizon_days: 60")
    with pytest.raises(ConfigFault, match=r"definition\.horizon_days: params\.yaml:6 says 60, but conf/"):
        sections.check()


def test_in_an_experiment_params_yaml_may_differ_but_must_be_sound(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sections.EXPERIMENT, "any-name")
    change(project / "params.yaml", "horizon_days: 28", "horizon_days: 60")
    sections.check()
    change(project / "params.yaml", "horizon_days: 60", "horizon_days: abc")
    with pytest.raises(ConfigFault, match=r"params\.yaml:6: definition\.horizon_days must be .* got text 'abc'"):
        sections.check()


def test_every_fault_of_every_section_is_told_at_once(project: Path) -> None:
    change(project / "params.yaml", "horizon_days: 28", "horizon_days: 0")
    change(project / "params.yaml", "most_leaving", "most_leavin")
    change(project / "params.yaml", "\ntracking:", "\nnonsense: {}\ntrackin:")
    with pytest.raises(ConfigFault) as raised:
        sections.check()
    told = str(raised.value)
    for fault in (
        "definition.horizon_days must be a whole number of at least 1, got 0",
        "reasons.most_leavin is not a key; did you mean most_leaving?",
        "nonsense is not a section; sections are data,",
        "trackin is not a section; did you mean tracking?",
        "the section tracking is missing",
        "conf/ has no such fault: params.yaml is older than an update",
        "Run `churn config compose`, which writes it from conf/",
    ):
        assert fault in told


def test_params_of_before_an_update_name_the_update_and_the_command_that_writes_them_anew(project: Path) -> None:
    now = (project / "params.yaml").read_text(encoding="utf-8")
    section = now[now.index("\nstep_down:") : now.index("\nsnapshots:")]
    for old in (
        now.replace(section, ""),  # the update brought a section
        now.replace("  capacity: 200\n", "", 1),  # or a key
        now.replace("  capacity: 200\n", "  capacity: 200\n  team_size: 4\n", 1),  # or dropped one
    ):
        assert old != now
        (project / "params.yaml").write_text(old, encoding="utf-8")
        with pytest.raises(ConfigFault, match=r"older than an update of churn .*\. Run `churn config compose`, which"):
            sections.check()
    config.write_params(sections.compose())
    sections.check()
    assert (project / "params.yaml").read_text(encoding="utf-8") == now


def test_a_command_that_reads_params_of_before_an_update_names_the_command_that_writes_them(project: Path) -> None:
    now = (project / "params.yaml").read_text(encoding="utf-8")
    section = now[now.index("\nstep_down:") : now.index("\nsnapshots:")]
    (project / "params.yaml").write_text(now.replace(section, ""), encoding="utf-8")
    for read in (sections.learning, lambda: config.section("step_down", SECTIONS["step_down"].feeds)):
        with pytest.raises(ConfigFault, match=r"step_down is missing.*\n.*an update .*`churn config compose`"):
            read()


def test_a_fault_of_conf_is_told_with_the_place_where_it_is_mended(project: Path) -> None:
    change(project / "conf/config.yaml", "capacity: 200", "capacity: 0")
    change(project / "params.yaml", "capacity: 200", "capacity: 0")
    with pytest.raises(
        ConfigFault, match=r"(?s)conf/config\.yaml:\d+: evaluation\.capacity .*Mend it in conf/, then run"
    ):
        sections.check()


def test_a_rung_of_the_ladder_is_the_section_of_its_own_file(project: Path) -> None:
    rungs = sections.compose(["model=ladder"]).values["model"]["rungs"]
    for name, section in rungs.items():
        assert section == sections.compose([f"model={name}"]).values["model"]
    assert sections.section("evaluation", sections.compose())["rfm"] == tuple(rungs["logistic_rfm"]["features_used"])


def test_a_fault_in_a_rung_is_told_with_its_own_file(project: Path) -> None:
    change(project / "conf/model/lightgbm.yaml", "num_leaves: 5", "num_leafs: 5")
    with pytest.raises(ConfigFault) as raised:
        sections.compose(["model=ladder"])
    assert str(raised.value).startswith(
        "conf/model/lightgbm.yaml:10: model.rungs.lightgbm.num_leafs is not a key; did you mean num_leaves?"
    )


def test_a_defaults_list_cannot_leave_the_folder(project: Path) -> None:
    change(project / "conf/model/ladder.yaml", "rule@rungs.rule", "../data/demo@rungs.rule")
    with pytest.raises(ConfigFault, match="is not the name of a file in conf/"):
        sections.compose()


def test_what_types_cannot_say_is_checked_as_well(project: Path) -> None:
    with pytest.raises(ConfigFault, match="role 'purchases'"):
        sections.compose(["definition.roles=[purchases]"])
    with pytest.raises(ConfigFault, match="no time zone"):
        sections.compose(["data.time_zone=Mars/Olympus"])


def test_checking_params_imports_nothing_heavy() -> None:
    code = (
        "import sys; from churn import sections; from churn.shell import config\n"
        "sections.check_values(config.params())\n"
        "heavy = 'pandas lightgbm mlflow duckdb numba hydra sklearn dvc matplotlib shap xlsxwriter jinja2'.split()\n"
        "print(sorted(set(heavy) & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_first_stage_refuses_what_was_not_composed(project: Path) -> None:
    change(project / "conf/config.yaml", "every_days: 14", "every_days: 7")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    command = [sys.executable, "-m", "pipelines.raw"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == Exit.CONFIG
    assert "snapshots.every_days: params.yaml" in done.stderr
    assert "says 14, but conf/config.yaml:" in done.stderr
    assert not (project / "data/raw.json").exists()

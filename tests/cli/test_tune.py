"""`churn tune` as a person uses it, on the demo world."""

import json
import shutil

import pytest
from model_world import LIGHTGBM, world

from churn.cli.tune import _folds
from churn.shell import store
from churn.words.errors import NotEnoughData
from tests.pipelines.project import CHURN, changed, done

SHORT = ("tune", "--trials", "2", "--folds", "2")


@pytest.fixture(scope="module")
def project(demo_runs, tmp_path_factory):
    """A copy of a project that made its list without tracking, with a model that learns in a moment."""
    folder = tmp_path_factory.mktemp("tune") / "project"
    shutil.copytree(demo_runs[1].folder, folder, ignore=shutil.ignore_patterns("deliveries"), symlinks=True)
    path = folder / "conf/model/lightgbm.yaml"
    path.write_text(path.read_text().replace("rounds_most: 600", "rounds_most: 20").replace("seeds: 3", "seeds: 1"))
    assert done(folder, *CHURN, "config", "compose").returncode == 0
    return folder


def test_a_search_is_told_goes_on_and_writes_what_it_found_where_it_stands(project):
    told = done(project, *CHURN, *SHORT)
    assert told.returncode == 0, told.stderr
    assert told.stderr.count("trial ") == 2
    report = json.loads((project / "reports/tuning.json").read_text())
    assert [trial["number"] for trial in report["trials"]] == [0, 1]
    assert report["confirming"]["as_of"] > max(fold["as_of"] for fold in report["folds"])
    before = (project / "conf/model/lightgbm.yaml").read_text()
    written = done(project, *CHURN, *SHORT, "--write")
    assert written.returncode == 0, written.stderr
    assert "trial " not in written.stderr  # both trials were there already
    after = (project / "conf/model/lightgbm.yaml").read_text()
    assert [line for line in after.splitlines() if line.startswith("#")] == [
        line for line in before.splitlines() if line.startswith("#")
    ]
    for name, value in report["best"]["values"].items():
        assert f"{name}: {'null' if value is None else value}\n" in after
    assert done(project, *CHURN, "config", "check").returncode == 0


def test_a_time_budget_too_small_for_a_second_trial_is_told(project):
    told = done(project, *CHURN, "tune", "--minutes", "0", "--folds", "2", "--seed", "8")
    assert told.returncode == 0, told.stderr
    assert told.stderr.count("trial ") == 1
    assert told.stdout.strip().endswith("give it more --minutes or --trials.")


def test_where_trees_have_too_few_churners_no_simpler_model_is_advised_since_it_has_no_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    features, snapshots, split = world(20)
    for name, table in {"features": features, "snapshots": snapshots, "split": split}.items():
        store.write(name, table)
    with pytest.raises(NotEnoughData, match=r"stayers among 60 matured snapshots .* nothing to tune by") as refused:
        _folds(LIGHTGBM, 2, ())
    assert "ladder" not in str(refused.value)


def test_another_kind_of_model_is_not_searched_for(project):
    changed(project, "  - model: lightgbm", "  - model: rule")
    assert done(project, *CHURN, "config", "compose").returncode == 0
    refused = done(project, *CHURN, *SHORT)
    assert refused.returncode == 2
    assert "churn config use model=ladder" in refused.stderr

"""What a change of the configuration does to the real pipeline: it is used or refused, and never ignored."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from churn.words.errors import Exit
from tests.pipelines.project import CHURN, DVC, changed, digests, done


@pytest.fixture
def project(demo_run, tmp_path):
    """A copy of the project that made its list, all of it committed."""
    folder = Path(shutil.copytree(demo_run.folder, tmp_path / "project", symlinks=True))
    for command in (["add", "."], ["commit", "-qm", "list"]):
        assert done(folder, "git", *command).returncode == 0
    return folder


def made(told: str) -> set[str]:
    """The stages that DVC ran."""
    return {line.split("'")[1] for line in told.splitlines() if line.startswith("Running stage '")}


def test_dvc_refuses_a_changed_word_of_conf_and_shows_what_differs(project):
    before = digests(project)
    changed(project, "capacity: 200", "capacity: 150")
    refused = done(project, *DVC, "repro")
    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    assert "evaluation.capacity" in said
    assert "150" in said
    assert "200" in said
    assert "churn config compose" in said
    assert digests(project, "models/current/*", "data/*.parquet").items() <= before.items()


def test_a_run_refuses_it_too_and_uses_it_once_it_is_composed(project):
    changed(project, "most_leaving: 3", "most_leaving: 1")
    refused = done(project, *CHURN, "run")
    assert refused.returncode == Exit.CONFIG
    assert "reasons.most_leaving" in refused.stderr
    assert done(project, *CHURN, "config", "compose").returncode == 0
    used = done(project, *CHURN, "run")
    assert used.returncode == 0, used.stderr
    again = {line.split()[0] for line in used.stderr.splitlines() if " made in " in line}
    assert again == {"raw", "reasons", "risk_list", "tracking"}
    head = json.loads((project / "deliveries/latest/risk_list.json").read_text())[0]
    assert head["reason_1_en"]
    assert head["reason_2_en"] is None


@pytest.mark.long
def test_an_experiment_with_another_model_makes_again_what_the_model_touches(project):
    tried = done(project, *DVC, "exp", "run", "-S", "model=logistic")
    assert tried.returncode == 0, tried.stderr
    assert made(tried.stdout) == {"raw", "model", "evaluation", "card", "scores", "reasons", "risk_list", "tracking"}
    assert json.loads((project / "models/current/card.json").read_text())["kind"] == "logistic"


@pytest.mark.long
def test_a_queue_of_two_experiments_runs_both_and_leaves_the_workspace_as_it_is(project):
    before = digests(project)
    for kind in ("logistic", "rule"):
        # The raw files of the demo world are not in git, so they come along.
        queued = done(project, *DVC, "exp", "run", "--queue", "--copy-paths", "data/demo", "-S", f"model={kind}")
        assert queued.returncode == 0, queued.stderr
    ran = done(project, *DVC, "exp", "run", "--run-all")
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert digests(project) == before
    shown = done(project, *DVC, "exp", "show", "--csv")
    found = [row for row in csv.DictReader(io.StringIO(shown.stdout)) if row["Experiment"] and row["State"]]
    assert [row["State"] for row in found] == ["Success", "Success"]
    assert {row["model.kind"] for row in found} == {"logistic", "rule"}


@pytest.mark.long
def test_an_experiment_with_another_horizon_reads_no_file_again(project):
    tried = done(project, *DVC, "exp", "run", "-S", "definition.horizon_days=60")
    assert tried.returncode == 0, tried.stderr
    assert "events" not in made(tried.stdout)
    assert {"snapshots", "split", "model", "risk_list"} <= made(tried.stdout)
    assert "horizon_days: 60" in (project / "params.yaml").read_text()

"""`churn check` as a person uses it: the demo world, before anything was made."""

import json

import pytest

from tests.pipelines.project import CHURN, demo_project, done


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project that looks at the demo world, in which nothing was made yet."""
    return demo_project(tmp_path_factory.mktemp("check"), tracked=False)


def test_a_world_that_can_be_used_is_told_to_be_with_its_sources_and_churners(project):
    told = done(project, *CHURN, "check", "--json")
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["usable"]
    assert json.loads((project / "reports/check.json").read_text()) == found
    sources = {one["source"]: one for one in found["sources"]}
    payments = sources["payments"]
    parts = ("kept", "duplicates", "quarantined", "out_of_window")
    assert payments["rows"] == sum(payments[part] for part in parts) > 0
    assert payments["first_day"] < payments["last_day"]
    assert found["trials"][0]["churners"] > 0
    assert len({one["horizon_days"] for one in found["trials"]}) == len(found["trials"]) > 3
    assert not (project / "data/events.parquet").exists()


def test_a_history_that_is_too_short_ends_with_5_and_names_what_would_help(project):
    conf = project / "conf/data/demo.yaml"
    text = conf.read_text()
    assert text.count('observed_from: "2024-01-01"') == 1
    conf.write_text(text.replace('observed_from: "2024-01-01"', 'observed_from: "2025-09-01"'))
    told = done(project, *CHURN, "check")
    conf.write_text(text)
    assert told.returncode == 5, told.stdout + told.stderr
    assert "a model cannot be trained and tested" in told.stdout
    assert "No model can be trained on it yet." in told.stdout


def test_data_that_do_not_exist_are_named_with_their_nearest(project):
    told = done(project, *CHURN, "check", "onlin_retail")
    assert told.returncode == 3
    assert "online_retail" in told.stderr

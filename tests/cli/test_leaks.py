"""`churn leaks` on the demo world: nothing in a clean run, and what was planted into its tables."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.cli.run import run
from churn.words.errors import GateFault
from tests.pipelines.project import CHURN, done


@pytest.fixture
def project(demo_run, tmp_path):
    """A copy of a project that made its list."""
    folder = tmp_path / "project"
    ignored = shutil.ignore_patterns(".dvc", ".git", "demo", "mlruns")
    shutil.copytree(demo_run.folder, folder, ignore=ignored)
    return folder


def test_a_clean_run_raises_nothing(project):
    told = done(project, *CHURN, "leaks", "--json")
    assert told.returncode == 0, told.stderr + told.stdout
    assert json.loads(told.stdout)["alarms"] == []
    assert json.loads((project / "reports/leaks.json").read_text()) == json.loads(told.stdout)


def test_where_a_leak_stopped_the_run_before_any_model_was_judged_the_tables_are_looked_at(project):
    (project / "reports/evaluation.json").unlink()
    told = done(project, *CHURN, "leaks", "--no-train")
    assert told.returncode == 0, told.stderr + told.stdout
    assert "no model was judged yet" in told.stdout


def changed(project, name: str) -> None:
    """A feature of the last run that nothing in the events explains."""
    path = project / "data/features.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index(name)
    more = pa.compute.add(table[name], pa.scalar(1.0, pa.float32()))
    path.unlink()  # it may be a link into a cache
    pq.write_table(table.set_column(place, table.schema.field(place), more), path)


def test_a_feature_that_was_changed_afterwards_is_named_and_the_exit_code_tells(project):
    changed(project, "purchases_30d")
    told = done(project, *CHURN, "leaks", "--no-train")
    assert told.returncode == 6
    assert "not_rebuilt: purchases_30d at " in told.stdout
    assert "1 alarms of leaks: purchases_30d" in told.stderr


def test_a_run_with_nobody_watching_publishes_nothing_that_a_leak_taught(project, monkeypatch):
    monkeypatch.chdir(project)
    for what in ("shell.repro.repro", "sections.check", "shell.surroundings.check_surroundings", "cli.reference.check"):
        monkeypatch.setattr(f"churn.{what}", lambda *_: None)  # all is made, as far as anything tells
    shutil.rmtree("deliveries", ignore_errors=True)
    changed(project, "purchases_30d")
    with pytest.raises(GateFault, match=r"`--strict` publishes nothing: purchases_30d at .*evaluation\.vouched"):
        run(wait=False, strict=True)
    assert not Path("deliveries").exists()
    run(wait=False, strict=False)
    assert Path("deliveries/latest").exists()

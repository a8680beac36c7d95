"""Engines give the same tables: stage by stage, from raw files to reasons."""

import importlib
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from churn.core.demo import demo
from churn.shell import store
from churn.shell.worlds import write_world
from tests.pipelines.project import CHURN, ROOT, demo_project, digests, done

BEFORE = ("raw", "events", "snapshots", "split", "features", "model", "evaluation", "scores", "reasons")
STAGES = ("events", "snapshots", "features", "scores", "reasons")
"""The stages that an engine runs; the others work on one machine."""
MADE = ("events", "attributes", "quarantine", "snapshots", "features", "scores", "contributions", "reasons")


def made_again(project: Path, folder: Path) -> None:
    """The same project in another folder, with its model, evaluation and dates, but nothing that engines make."""
    for name in ("params.yaml", "models", "data", "reports"):
        copied = shutil.copytree if (project / name).is_dir() else shutil.copy
        copied(project / name, folder / name)
    for name in MADE:
        (folder / store.PATHS[name]).unlink()


def written(project: Path, name: str) -> bytes:
    """The rows of a table as bytes that do not depend on the pieces in which it was made."""
    table, sink = pq.read_table(project / store.PATHS[name]), pa.BufferOutputStream()
    plain = [pa.field(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema]
    pq.write_table(table.cast(pa.schema(plain)).combine_chunks(), sink)
    return sink.getvalue().to_pybytes()


def same_project(folder: Path, *chosen: str) -> Path:
    """A project of the real configuration with these choices, and nothing made yet."""
    shutil.copytree(ROOT / "conf", folder / "conf")
    shutil.copy(ROOT / "dvc.yaml", folder / "dvc.yaml")
    said = done(folder, *CHURN, "config", "use", "engine=duckdb", *chosen)
    assert said.returncode == 0, said.stderr
    return folder


def make(folder: Path, stages: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for stage in stages:
        importlib.import_module(f"pipelines.{stage}").main()


def differing(project: Path, folder: Path, section: dict, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Spark makes otherwise, in another folder, than it is in the project: tables, and what became of the rows."""
    made_again(project, folder)
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    # In the same order: columns and the ids of events without one of their own depend on it.
    told = yaml.safe_dump(params | {"engine": section}, sort_keys=False, allow_unicode=True)
    (folder / "params.yaml").write_text(told, encoding="utf-8")
    make(folder, STAGES, monkeypatch)
    report = store.PATHS["reconciliation"]
    reports = [report] if (folder / report).read_bytes() != (project / report).read_bytes() else []
    return reports + [name for name in MADE if written(folder, name) != written(project, name)]


def test_spark_gives_the_same_values_as_duckdb_on_a_world_of_some_hundred_customers(
    spark_section, tmp_path_factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = same_project(tmp_path_factory.mktemp("duckdb"), "data=demo", "model=logistic")
    world = demo(size="small", seed=5, n_customers=700)
    write_world(project / "data/demo", world.chunk_files, world.n_chunks, about={})
    make(project, BEFORE, monkeypatch)
    counts = {name: pq.read_metadata(project / store.PATHS[name]).num_rows for name in MADE}
    assert min(counts.values()) > 0, counts
    assert differing(project, tmp_path_factory.mktemp("spark"), spark_section, monkeypatch) == []


@pytest.mark.long
def test_spark_gives_the_same_values_as_duckdb_on_the_demo_world(
    demo_run, spark_section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert differing(demo_run.folder, tmp_path, spark_section, monkeypatch) == []


@pytest.mark.long
def test_spark_gives_the_same_values_as_duckdb_on_complete_journey(
    spark_section, tmp_path_factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = same_project(tmp_path_factory.mktemp("duckdb"), "data=complete_journey")
    make(project, BEFORE, monkeypatch)
    assert pq.read_metadata(project / store.PATHS["events"]).num_rows > 155_848
    assert differing(project, tmp_path_factory.mktemp("spark"), spark_section, monkeypatch) == []


@pytest.mark.long
def test_a_run_on_spark_publishes_the_same_bytes(demo_run, spark_section, tmp_path: Path) -> None:
    folder = demo_project(tmp_path / "project", tracked=False)
    section = yaml.safe_load((folder / "conf/engine/spark.yaml").read_text(encoding="utf-8")) | spark_section
    (folder / "conf/engine/spark.yaml").write_text(yaml.safe_dump(section), encoding="utf-8")
    for command in (("config", "use", "engine=spark"), ("run",)):
        said = done(folder, *CHURN, *command)
        assert said.returncode == 0, said.stderr
    # Java's own words do not reach the terminal.
    assert "WARN" not in said.stderr + said.stdout
    delivered = ("deliveries/2*/risk_list*", "deliveries/2*/index.html")
    assert digests(folder) == digests(demo_run.folder)
    assert digests(folder, *delivered) == digests(demo_run.folder, *delivered)

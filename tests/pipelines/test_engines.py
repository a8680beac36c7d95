"""Engines give the same tables: stage by stage, from raw files to reasons."""

import importlib
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from churn.shell import store

STAGES = ("events", "snapshots", "features", "scores", "reasons")
"""The stages that an engine runs; the others work on one machine."""
MADE = ("events", "attributes", "quarantine", "snapshots", "features", "scores", "contributions", "reasons")


def made_again(project: Path, folder: Path) -> None:
    """The same project in another folder, with the model and the dates that it had, but nothing that engines make."""
    for name in ("params.yaml", "models", "data"):
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


@pytest.mark.long
def test_spark_gives_the_same_values_as_duckdb_on_the_demo_world(
    demo_run, spark_section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_again(demo_run.folder, tmp_path)
    params = yaml.safe_load((tmp_path / "params.yaml").read_text(encoding="utf-8"))
    # In the same order: columns and the ids of events without one of their own depend on it.
    told = yaml.safe_dump(params | {"engine": spark_section}, sort_keys=False, allow_unicode=True)
    (tmp_path / "params.yaml").write_text(told, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for stage in STAGES:
        importlib.import_module(f"pipelines.{stage}").main()
    assert [name for name in MADE if written(tmp_path, name) != written(demo_run.folder, name)] == []

"""The engines of the speed benchmark do the same work."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.speed import __main__ as speed
from benchmarks.speed import world
from benchmarks.speed.document import picture
from benchmarks.speed.engines import ENGINES
from benchmarks.speed.page import page


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        world.main(20_000, 200, 3)
        ENGINES["ours"](folder / "ours.parquet")
    return folder


@pytest.mark.parametrize("engine", ["pandas", "duckdb", "duckdb_case"])
def test_a_peer_gives_the_same_counts_sums_and_times_in_every_column(folder, monkeypatch, engine):
    monkeypatch.chdir(folder)
    ENGINES[engine](folder / f"{engine}.parquet")
    speed._check_equal(folder / "ours.parquet", folder / f"{engine}.parquet", engine)


def test_the_product_imports_neither_pandas_nor_linear_algebra_for_features(folder):
    code = (
        "import sys; from pathlib import Path; from benchmarks.speed.engines import ENGINES;"
        "ENGINES['ours'](Path('lean.parquet'));"
        "print(*(m for m in ('numba', 'pandas', 'scipy.linalg') if m in sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(speed.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["numba"]


def test_a_difference_of_one_count_stops_the_benchmark(folder):
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "ours.parquet")
    name = "count_usage_used_30"
    other = table[name].to_numpy().copy()
    other[7] += 1
    place = table.column_names.index(name)
    pq.write_table(table.set_column(place, name, [other]), folder / "other.parquet")
    with pytest.raises(SystemExit, match=name):
        speed._check_equal(folder / "ours.parquet", folder / "other.parquet", "other")


def test_the_world_is_what_its_seed_says_and_some_of_it_is_known_late():
    one, again = (next(iter(world.events(5_000, 50))) for _ in range(2))
    assert one.equals(again)
    late = one["recorded_at"].to_numpy() > one["occurred_at"].to_numpy()
    assert 0.005 < np.mean(late) < 0.05


def test_page_and_picture_say_what_the_results_say():
    rows = json.loads(speed.RESULTS.read_text(encoding="utf-8"))
    assert speed.PAGE.read_text(encoding="utf-8") == page(rows), "run `make bench-speed`"
    of_features = [row for row in rows if row["work"] == speed.WORK]
    assert speed.PICTURE.read_text(encoding="utf-8") == picture(of_features), "run `make bench-speed`"

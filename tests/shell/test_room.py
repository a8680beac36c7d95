"""Memory and temporary room: what is too little is told with figures, and nothing is left behind."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from churn.shell import store
from churn.shell.engine import ENGINES
from churn.shell.engine.on_duckdb import connected
from churn.shell.engine.room import piece_rows, share, size, spilling
from churn.words.errors import ConfigFault, DiskFault
from churn.words.tables import INSTANT, SNAPSHOTS

SORT = "SELECT hash(range) AS number, hash(range)::VARCHAR AS text FROM range(1_000_000) ORDER BY text"
"""Some 40 MB to sort."""
SPILL = """
import sys, time
from churn.shell.engine.room import spilling

with spilling(sys.argv[1], None) as (folder, _):
    (folder / "spilled").touch()
    print(folder, flush=True)
    time.sleep(60)
"""
GB = 10**9


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sort(folder: Path, *, memory: str, most: int | None) -> int:
    """Rows of a sort with so much memory and room in the folder."""
    settings = {"memory_limit": memory, "threads": 1}
    with connected(settings, lambda: spilling(str(folder), most), 5_000_000) as con:
        return con.sql(SORT).to_arrow_table().num_rows


def engine(**given: Any) -> Any:
    return ENGINES["duckdb"](
        **{
            "kind": "duckdb",
            "threads": 1,
            "temporary_folder": None,
            "temporary_most": None,
            "incremental": False,
            **given,
        }
    )


def test_enough_room_sorts_and_leaves_nothing(tmp_path: Path) -> None:
    assert sort(tmp_path, memory="30000000B", most=None) == 1_000_000
    assert list(tmp_path.iterdir()) == []


def test_too_little_temporary_room_is_told_with_figures_and_place(tmp_path: Path) -> None:
    with pytest.raises(DiskFault, match="temporary room ran out") as told:
        sort(tmp_path, memory="30000000B", most=1_000_000)
    said = str(told.value)
    assert re.search(r"sort 5\.0 MB of raw files needs about [\d.]+ .B of it; [\d.]+ .B of at most 1\.0 MB", said)
    assert re.search(rf"in {tmp_path}, [\d,.]+ .B are free there", said)
    assert "set engine.temporary_folder" in said
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_told_with_figures(tmp_path: Path) -> None:
    with pytest.raises(DiskFault, match=r"DuckDB may hold 3\.0 MB, .*Set engine\.memory_limit higher"):
        sort(tmp_path, memory="3000000B", most=None)
    assert list(tmp_path.iterdir()) == []


def test_room_that_the_disk_does_not_have_is_refused_beforehand(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskFault, match=r"engine\.temporary_most is 1,000,000\.0 GB, but [\d,.]+ GB are free in"),
        spilling(str(tmp_path), 10**15),
    ):
        pass


def test_a_temporary_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskFault, match=r"engine\.temporary_folder .*absent cannot be used"), spilling("absent", None):
        pass


def test_what_a_killed_process_spilled_is_removed_and_what_a_living_one_did_is_not(tmp_path: Path) -> None:
    def started() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen([sys.executable, "-c", SPILL, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    (killed, orphan), (alive, living) = started(), started()
    with killed, alive:
        killed.kill()
        killed.wait(10)
        assert (orphan / "spilled").exists()
        with spilling(str(tmp_path), None):
            assert not orphan.exists()
            assert (living / "spilled").exists()
        alive.kill()
    with spilling(str(tmp_path), None):
        assert not living.exists()
    assert list(tmp_path.iterdir()) == []


def test_duckdb_gets_what_the_rest_of_the_process_leaves() -> None:
    assert share(4 * GB) == 4 * GB - 600_000_000
    assert share(100_000_000) == 100_000_000 // 2


@pytest.mark.parametrize(("written", "n"), [("2GB", 2 * GB), ("1.5 GiB", 1536 * 1024**2), ("60MB", 60_000_000)])
def test_a_size_is_bytes(written: str, n: int) -> None:
    assert size("memory_limit", written) == n


def test_a_size_of_temporary_room_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigFault, match=r"engine\.temporary_most must be a size such as 2GB or 500MB, got 'all'"):
        engine(memory_limit="1GB", temporary_most="all")


def test_pieces_are_as_large_as_asked_where_those_under_way_fit_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("churn.shell.engine.room.most_under_way", lambda: 4)
    assert piece_rows(500_000, 2 * GB) == 500_000
    # Half of 1.2 GB, for 4 pieces of 0.3 GB.
    assert piece_rows(500_000, 1_200 * 10**6) == 250_000
    assert piece_rows(2, 10**6) == 1


def test_less_memory_makes_smaller_pieces_and_the_same_table() -> None:
    n = 3_000
    ids = [f"c{i:05d}" for i in range(n)]
    store.write("snapshots", pa.table([ids, pa.array([0] * n).cast(INSTANT), [True] * n], schema=SNAPSHOTS.schema))
    at_once = []

    def kept(snapshots: pa.Table) -> pa.Table:
        at_once.append(snapshots.num_rows)
        return snapshots

    whole = pa.concat_tables(engine(memory_limit="8GB").made(kept, {"snapshots": None}, 1_000))
    assert max(at_once) <= 1_000
    at_once.clear()
    assert pa.concat_tables(engine(memory_limit="100MB").made(kept, {"snapshots": None}, 1_000)).equals(whole)
    assert max(at_once) <= 1_000 * 50 // (3 * 300) + 1

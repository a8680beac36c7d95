"""`churn demo` writes a world whole, the same bytes for the same seed, and leaves other people's folders alone."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from churn import sections
from churn.cli import app
from churn.core.dataset import dataset
from churn.core.demo import demo
from churn.shell import raw
from churn.shell.store.files import digest
from churn.shell.worlds import write_world
from churn.words.errors import ContractFault, UsageFault

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def small(folder: Path, seed: int = 1) -> dict[str, tuple[int, int]]:
    """A world smaller than small."""
    world = demo(size="small", seed=seed, n_customers=60)
    return write_world(folder, world.chunk_files, world.n_chunks, about={"seed": seed})


def digests(folder: Path) -> dict[str, str]:
    """The digest of every file."""
    return {p.relative_to(folder).as_posix(): digest(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_seed_gives_the_same_bytes_and_another_one_others():
    small(Path("a"))
    small(Path("b"))
    small(Path("c"), seed=2)
    assert digests(Path("a")) == digests(Path("b"))
    assert digests(Path("a"))["orders/orders-00000.csv.gz"] != digests(Path("c"))["orders/orders-00000.csv.gz"]


def test_a_world_takes_the_place_of_the_one_before_whole():
    small(Path("world"))
    Path("world/orders/orders-00001.csv.gz").write_bytes(b"from a larger world")
    small(Path("world"))
    assert not Path("world/orders/orders-00001.csv.gz").exists()
    assert [p.name for p in Path().iterdir()] == ["world"]


def test_processes_side_by_side_write_what_one_would(monkeypatch):
    world = replace(demo(size="small", seed=1, n_customers=60), n_customers=2_100)
    monkeypatch.setattr("churn.shell.worlds.CHUNKS_ALONE", 1)
    beside = write_world(Path("beside"), world.chunk_files, world.n_chunks, about={})
    monkeypatch.setattr("churn.shell.worlds.CHUNKS_ALONE", 100)
    assert write_world(Path("alone"), world.chunk_files, world.n_chunks, about={}) == beside
    assert digests(Path("alone")) == digests(Path("beside"))


def test_sizes_grow_tenfold_up_to_a_million_customers_in_fifty_files_a_source():
    worlds = {size: demo(size=size, seed=1) for size in ("medium", "large", "huge")}
    assert [world.n_customers for world in worlds.values()] == [10_000, 100_000, 1_000_000]
    assert [world.n_chunks for world in worlds.values()] == [3, 25, 50]


def test_a_folder_that_is_no_world_is_left_alone():
    Path("mine").mkdir()
    Path("mine/notes.txt").write_text("mine")
    with pytest.raises(UsageFault, match="no demo world"):
        small(Path("mine"))
    assert [p.name for p in Path("mine").iterdir()] == ["notes.txt"]


def test_ids_keep_their_leading_zeros_and_rows_are_counted():
    written = small(Path("world"))
    lines = Path("world/customers/customers-00000.csv").read_text().splitlines()
    assert lines[1].startswith('"0000001"')
    assert written["customers"] == (1, len(lines) - 1)


def test_the_command_says_what_it_wrote_and_what_comes_next():
    done = CliRunner().invoke(app, ["demo", "--size", "small", "--seed", "3"])
    assert done.exit_code == 0
    assert Path("data/demo/orders/orders-00000.csv.gz").exists()
    assert "churn config use data=demo" in done.output
    assert "2,000" not in done.output.splitlines()[0]
    assert "orders" in done.output


def test_a_run_of_the_demo_data_without_the_world_names_the_command_that_writes_it():
    shutil.copytree(ROOT / "conf", "conf")
    data = dataset(**sections.section("data", sections.compose(["data=demo"])))
    with pytest.raises(ContractFault, match=r"no such folder\. Run `churn demo`, which makes the files, or correct"):
        raw.inventory(data)
    Path("data/demo/usage").mkdir(parents=True)
    with pytest.raises(ContractFault, match=r"the folder is empty\. Run `churn demo`"):
        raw.inventory(data)


def test_files_that_no_command_makes_are_to_be_put_there():
    shutil.copytree(ROOT / "conf", "conf")
    data = dataset(**sections.section("data", sections.compose(["data=cdnow"])))
    with pytest.raises(ContractFault, match=r"no such folder\. Put the file there, or correct"):
        raw.inventory(data)


def test_an_unknown_size_is_refused():
    done = CliRunner().invoke(app, ["demo", "--size", "enormous"])
    assert done.exit_code == 2

"""Tables and files on the disk: checked both ways, whole customers, and never half a file."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.shell import store
from churn.shell.store import files, row_groups, whole
from churn.words.errors import DiskFault, Exit, Fault, IntegrityFault, UsageFault
from churn.words.tables import CODE, FEATURES, INSTANT, SNAPSHOTS

DAY = 86_400_000_000


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project root as working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def snapshots(text: str) -> pa.Table:
    """The snapshots of a text table with the columns customer, day, churned."""
    rows = [line.split() for line in text.strip().splitlines()]
    outcome = {"yes": True, "no": False, "?": None}
    return pa.table(
        [[r[0] for r in rows], pa.array([int(r[1]) * DAY for r in rows], INSTANT), [outcome[r[2]] for r in rows]],
        schema=SNAPSHOTS.schema,
    )


def features(customers: list[str], plans: list[str]) -> pa.Table:
    """One snapshot a customer with one number and one attribute."""
    declared = pa.table([customers, pa.array([0] * len(customers), INSTANT)], schema=FEATURES.schema)
    numbered = declared.append_column("age", pa.array(range(len(customers)), pa.float32()))
    return numbered.append_column("plan", pa.array(plans).dictionary_encode().cast(CODE))


WORLD = """
    anna  0 no
    anna 14 yes
    bert  0 no
    bert 14 no
    bert 28 ?
    cara  0 yes
"""


def test_a_table_comes_back_as_it_was_written() -> None:
    store.write("snapshots", snapshots(WORLD))
    assert store.read("snapshots").equals(snapshots(WORLD))


def test_some_columns_come_in_the_order_of_the_file() -> None:
    store.write("snapshots", snapshots(WORLD))
    assert store.read("snapshots", ["churned", "customer_id"]).column_names == ["customer_id", "churned"]


def test_attributes_stay_dictionaries_when_their_row_groups_have_other_values() -> None:
    store.write_batches("features", [features(["a", "b"], ["gold", "tin"]), features(["c"], ["zinc"])])
    plan = store.read("features")["plan"]
    assert plan.type == CODE
    assert plan.to_pylist() == ["gold", "tin", "zinc"]
    assert plan.combine_chunks().dictionary.to_pylist() == ["gold", "tin", "zinc"]


def test_a_table_that_breaks_its_declaration_is_not_written() -> None:
    store.write("snapshots", snapshots(WORLD))
    with pytest.raises(Fault, match="not sorted by customer_id, as_of"):
        store.write("snapshots", snapshots("bert 0 no\nanna 0 no"))
    assert store.read("snapshots").equals(snapshots(WORLD))


def test_a_file_that_breaks_its_declaration_is_not_read() -> None:
    Path("data").mkdir()
    pq.write_table(snapshots("anna 0 no\nanna 0 yes"), "data/snapshots.parquet")
    with pytest.raises(Fault, match="two rows with the same"):
        store.read("snapshots")


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    store.write("snapshots", snapshots(WORLD))
    with pytest.raises(Fault, match="no column churn; it has customer_id, as_of, churned"):
        store.read("snapshots", ["churn"])


@pytest.mark.parametrize("group_rows", [1, 2, 3, 6])
@pytest.mark.parametrize("rows", [1, 2, 4, 100])
def test_batches_hold_whole_customers_also_across_row_groups(rows: int, group_rows: int) -> None:
    Path("data").mkdir()
    pq.write_table(snapshots(WORLD), "data/snapshots.parquet", row_group_size=group_rows)
    pieces = list(store.batches("snapshots", rows=rows))
    owners = [set(p["customer_id"].to_pylist()) for p in pieces]
    assert sum(len(o) for o in owners) == len({"anna", "bert", "cara"})
    assert pa.concat_tables(pieces).equals(snapshots(WORLD))


def test_small_batches_are_cut_at_each_customer() -> None:
    store.write("snapshots", snapshots(WORLD))
    assert [p["customer_id"].to_pylist() for p in store.batches("snapshots", rows=1)] == [
        ["anna"] * 2,
        ["bert"] * 3,
        ["cara"],
    ]


def test_batches_always_bring_the_customer() -> None:
    store.write("snapshots", snapshots(WORLD))
    (piece,) = store.batches("snapshots", ["churned"])
    assert piece.column_names == ["customer_id", "churned"]


def test_a_batch_of_attributes_has_one_dictionary() -> None:
    store.write_batches("features", [features(["a"], ["tin"]), features(["b"], ["gold"]), features(["c"], ["tin"])])
    (piece,) = store.batches("features")
    assert piece["plan"].num_chunks == 1
    assert piece["plan"].to_pylist() == ["tin", "gold", "tin"]


@pytest.mark.parametrize("rows", [1, 100])
def test_a_customer_who_comes_back_later_in_the_file_is_refused(rows: int) -> None:
    Path("data").mkdir()
    shuffled = snapshots("anna 0 no\nbert 0 no\nanna 14 yes")
    pq.write_table(shuffled, "data/snapshots.parquet", row_group_size=1)
    with pytest.raises(Fault, match=r"not sorted by customer_id|starts with"):
        list(store.batches("snapshots", ["churned"], rows=rows))


def test_memory_of_reading_in_batches_does_not_grow_with_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "ROW_GROUP_ROWS", 10_000)
    small, large = _most_memory(40_000), _most_memory(320_000)
    assert large < 1.2 * small  # eight times the rows; the rest is the noise of the allocator


def _most_memory(n: int) -> int:
    """Bytes that Arrow holds at most while 20 feature columns of n customers are read in batches."""
    numbers = pa.array(range(n), pa.float32())
    keys = {"customer_id": pa.array([f"{i:07d}" for i in range(n)]), "as_of": pa.array([0] * n, INSTANT)}
    store.write("features", pa.table(keys | {f"f{k}": numbers for k in range(20)}))
    del numbers, keys
    before, most = pa.total_allocated_bytes(), 0
    for _ in store.batches("features", rows=5_000):
        most = max(most, pa.total_allocated_bytes() - before)
    return most


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_tables_are_read_together_customer_by_customer(rows: int) -> None:
    store.write("snapshots", snapshots(WORLD))
    store.write("features", features(["anna", "bert", "both", "cara", "zoe"], ["a", "b", "x", "c", "z"]))
    columns = {"snapshots": ["as_of"], "features": ["plan"]}
    owners = [
        (set(s["customer_id"].to_pylist()), set(f["customer_id"].to_pylist()) - {"both", "zoe"})
        for s, f in store.together(columns, rows=rows)
    ]
    assert all(ours == theirs for ours, theirs in owners)
    assert sorted(name for ours, _ in owners for name in ours) == ["anna", "bert", "cara"]


def test_a_table_without_rows_goes_together_with_any() -> None:
    store.write("snapshots", snapshots(WORLD))
    store.write_batches("scores", [])
    pieces = list(store.together({"snapshots": None, "scores": ["score"]}, rows=1))
    assert [(len(s), len(f), f.column_names) for s, f in pieces] == [
        (n, 0, ["customer_id", "score"]) for n in (2, 3, 1)
    ]


def test_batches_that_overlap_are_not_written() -> None:
    with pytest.raises(Fault, match=r"starts with \('anna'"):
        store.write_batches("snapshots", [snapshots("bert 0 no"), snapshots("anna 0 no")])
    with pytest.raises(Fault, match="starts with"):
        store.write_batches("snapshots", [snapshots("anna 0 no"), snapshots("anna 0 no")])
    assert os.listdir("data") == []


def test_batches_with_other_columns_are_not_written() -> None:
    other = features(["b"], ["tin"]).rename_columns(["customer_id", "as_of", "age", "tariff"])
    with pytest.raises(Fault, match="other columns or types"):
        store.write_batches("features", [features(["a"], ["tin"]), other])


def test_no_batch_at_all_is_a_table_without_rows() -> None:
    store.write_batches("snapshots", [])
    assert store.read("snapshots").num_rows == 0
    assert list(store.batches("snapshots")) == []


def test_the_same_table_gives_the_same_bytes() -> None:
    store.write("snapshots", snapshots(WORLD))
    first = store.digest("data/snapshots.parquet")
    store.write("snapshots", snapshots(WORLD).replace_schema_metadata({"made": "elsewhere"}))
    assert store.digest("data/snapshots.parquet") == first


def test_an_interrupted_maker_leaves_the_old_table_and_no_litter() -> None:
    store.write("snapshots", snapshots(WORLD))

    def broken() -> Iterator[pa.Table]:
        yield snapshots("anna 0 no")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write_batches("snapshots", broken())
    assert store.read("snapshots").equals(snapshots(WORLD))
    assert os.listdir("data") == ["snapshots.parquet"]


def test_a_killed_writer_leaves_the_old_table_and_the_next_writer_cleans_up(project: Path) -> None:
    store.write("snapshots", snapshots(WORLD))
    kill = (
        "import os; from churn.shell.store.whole import replaced; from pathlib import Path\n"
        "with replaced(Path('data/snapshots.parquet')) as f:\n"
        "    f.write(b'half'); f.flush(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", kill], cwd=project, check=False).returncode == -9
    assert len(os.listdir("data")) == 1 + 1
    assert store.read("snapshots").equals(snapshots(WORLD))
    store.write("snapshots", snapshots(WORLD))
    assert os.listdir("data") == ["snapshots.parquet"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which stands for a full disk")
def test_a_full_disk_says_what_was_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("snapshots", snapshots(WORLD))
    real_open = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: real_open(Path("/dev/full"), "wb", buffering=0))
    with pytest.raises(DiskFault, match=r"data/snapshots.parquet could not be written: No space left.*untouched") as e:
        store.write("snapshots", snapshots(WORLD))
    monkeypatch.undo()
    assert e.value.code == Exit.DISK


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_what_the_disk_refuses_is_a_disk_fault(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: object) -> None:
        raise OSError(number, os.strerror(number))

    store.write_text("data/a.txt", "old")
    monkeypatch.setattr(whole, "force", refuse)
    with pytest.raises(DiskFault, match=r"data/a.txt could not be written"):
        store.write_text("data/a.txt", "new")
    assert store.read_text("data/a.txt") == "old"
    assert os.listdir("data") == ["a.txt"]


@pytest.mark.parametrize("name", ["data/a.txt", "data/deeper/a.txt"])
def test_a_file_in_the_place_of_a_folder_is_a_disk_fault(name: str) -> None:
    Path("data").write_text("somebody's", encoding="utf-8")
    with pytest.raises(DiskFault, match=f"{name} could not be written: a file stands where its folder must be"):
        store.write_text(name, "new")
    assert store.read_text("data") == "somebody's"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_is_a_disk_fault(project: Path) -> None:
    (project / "data").mkdir(mode=0o500)
    with pytest.raises(DiskFault, match=r"data/a.txt could not be written"):
        store.write_text("data/a.txt", "new")


def test_a_table_that_is_not_there_says_what_makes_it() -> None:
    with pytest.raises(UsageFault, match=r"data/snapshots.parquet is not there.*churn run"):
        store.read("snapshots")


@pytest.mark.parametrize("keep", [0, 3, 200])
def test_a_table_that_was_cut_short_is_an_integrity_fault(keep: int) -> None:
    store.write("snapshots", snapshots(WORLD))
    path = Path("data/snapshots.parquet")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(IntegrityFault, match=rf"data/snapshots.parquet \({keep} bytes\) is not a whole Parquet file"):
        store.read("snapshots")


def test_json_has_sorted_keys_and_its_own_script() -> None:
    store.write_json("reports/x.json", {"b": "客户", "a": [1, None]})
    assert Path("reports/x.json").read_text(encoding="utf-8") == (
        '{\n  "a": [\n    1,\n    null\n  ],\n  "b": "客户"\n}\n'
    )
    assert store.read_json("reports/x.json") == {"a": [1, None], "b": "客户"}


def test_json_refuses_numbers_that_are_none() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        store.write_json("x.json", {"auc": float("nan")})
    assert not Path("x.json").exists()


@pytest.mark.parametrize("damage", [b'{"a": [1, 2', b"\xff\xfe\x80", b"\0\0\0\0", b""])
def test_damaged_json_names_what_mends_it(damage: bytes) -> None:
    Path("note.json").write_bytes(damage)
    with pytest.raises(IntegrityFault, match=r"note\.json is not whole JSON .*\. Remove it\.$"):
        store.read_json("note.json", remedy="Remove it")


def test_a_file_in_pieces_is_written_piece_by_piece():
    store.write_files("models/current", {"list.csv": iter([b"a\n", b"b\n"]), "card.json": "{}"})
    assert store.read_texts("models/current") == {"card.json": "{}", "list.csv": "a\nb\n"}


def test_a_folder_is_replaced_whole() -> None:
    store.write_files("models/current", {"old.txt": "1", "card.json": b"{}"})
    store.write_files("models/current", {"card.json": "{}", "trees/0.txt": "2"})
    assert store.read_texts("models/current") == {"card.json": "{}", "trees/0.txt": "2"}
    assert os.listdir("models") == ["current"]


def test_a_folder_that_cannot_be_written_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store.write_files("models/current", {"card.json": "old"})
    monkeypatch.setattr(files, "force", refuse)
    with pytest.raises(DiskFault, match="models/current could not be written"):
        store.write_files("models/current", {"card.json": "new"})
    assert store.read_texts("models/current") == {"card.json": "old"}
    assert os.listdir("models") == ["current"]


@pytest.mark.parametrize("name", ["../escape.txt", "/etc/escape.txt", ""])
def test_a_file_cannot_lead_out_of_its_folder(name: str, project: Path) -> None:
    with pytest.raises(Fault, match="leads out of the folder"):
        store.write_files("deliveries/x", {name: "1"})
    assert [p for p in project.rglob("*") if p.is_file()] == []


def test_the_digest_is_that_of_sha256sum() -> None:
    Path("x").write_bytes(b"")
    # sha256sum of an empty file, RFC 6234's first vector
    assert store.digest("x") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

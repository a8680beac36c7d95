"""Pieces are worked on at the same time, and come back in order."""

import threading
import time
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.shell import store
from churn.shell.store import pieces
from churn.words.errors import Fault
from churn.words.tables import CODE, INSTANT


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr("churn.shell.store.pieces.cores", lambda: 2)


def test_what_is_made_comes_in_the_order_of_the_pieces_although_later_ones_are_made_sooner():
    def work(piece):
        time.sleep(0.02 if piece % 3 == 0 else 0)
        return piece * piece

    assert list(store.side_by_side(work, iter(range(20)))) == [n * n for n in range(20)]


def test_two_pieces_are_worked_on_at_once():
    both = threading.Barrier(2, timeout=10)
    assert list(store.side_by_side(lambda piece: both.wait() >= 0 and piece, iter([1, 2]))) == [1, 2]


def test_no_more_is_read_than_one_piece_a_worker_and_one_more():
    read = []
    made = store.side_by_side(lambda piece: piece, (read.append(n) or n for n in range(1, 100)))
    assert next(made) == 1
    time.sleep(0.05)
    assert len(read) <= 1 + 2 + 1
    made.close()
    assert len(read) <= 1 + 2 + 1


def test_a_fault_of_the_work_or_of_the_reading_reaches_whoever_asked():
    def broken():
        yield 1
        raise Fault("the file is broken")

    with pytest.raises(Fault, match="broken"):
        list(store.side_by_side(lambda piece: piece, broken()))
    with pytest.raises(ZeroDivisionError):
        list(store.side_by_side(lambda piece: 1 // piece, iter([1, 0, 1])))


def test_no_pieces_make_nothing():
    assert list(store.side_by_side(lambda piece: piece, iter([]))) == []
    assert pieces.cores() >= 1


@pytest.mark.parametrize("cuts", [(), (1, 2, 150_000), (99_999, 100_000), (70_000, 130_000, 190_000)])
def test_a_file_has_the_same_bytes_whatever_the_pieces_it_came_in(tmp_path, monkeypatch, cuts):
    monkeypatch.chdir(tmp_path)
    n = 210_000
    keys = {
        "customer_id": [f"c{i:06}" for i in range(n)],
        "as_of": pa.array(np.zeros(n, np.int64), pa.int64()).cast(INSTANT),
    }
    table = pa.table(keys | {"spend_30d": pa.array(np.arange(n), pa.float32())})
    plans = [None if i % 5 == 0 else f"plan {i % 7} of {i // 60_000}" for i in range(n)]

    def piece(begin, end):
        # Each brings its own dictionary, as a function of a piece does.
        plan = pa.array(plans[begin:end], pa.string()).dictionary_encode().cast(CODE)
        return table.slice(begin, end - begin).append_column("plan", plan)

    store.write("features", piece(0, n))
    whole = store.digest(store.PATHS["features"])
    ends = [0, *cuts, n]
    store.write_batches("features", (piece(a, b) for a, b in pairwise(ends)))
    assert store.digest(store.PATHS["features"]) == whole
    assert store.read("features")["plan"].to_pylist() == plans
    file = pq.ParquetFile(store.PATHS["features"])
    assert [file.metadata.row_group(i).num_rows for i in range(3)] == [100_000, 100_000, 10_000]

"""The files of a delivery: what another program reads out of them."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from churn.core.editions.files import csv_lines, delivery_files, json_lines
from churn.words.tables import RISK_LIST
from tests.core.list_world import ABOUT, listed

SAID = """
007 | leaving | 1 | =1+1
007 | leaving | 2 | No basket, "never" again
007 | staying | 1 | @home
"""
NAMES = ["index.html", "risk_list.csv", "risk_list.json", "risk_list.parquet", "risk_list_en.xlsx", "risk_list_zh.xlsx"]


def small():
    return listed({"007": 0.5, '=cmd|" /c calc"!A1': 0.25, "行\n1": 0.125}, said=SAID)


def csv_bytes(table):
    return b"".join(csv_lines(table))


def whole(files):
    """The files with their pieces put together."""
    return {name: made if isinstance(made, bytes) else b"".join(made) for name, made in files.items()}


def rows_of(text: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def test_a_delivery_holds_the_same_table_for_machines_and_for_people():
    assert sorted(delivery_files(small(), **ABOUT)) == NAMES


def test_two_builds_of_a_delivery_are_the_same_bytes():
    assert whole(delivery_files(small(), **ABOUT)) == whole(delivery_files(small(), **ABOUT))


def test_the_parquet_file_is_the_declared_table():
    table = small()
    read = pq.read_table(io.BytesIO(delivery_files(table, **ABOUT)["risk_list.parquet"]))
    assert RISK_LIST.check(read).equals(table)


def test_the_csv_file_has_the_columns_by_name_and_no_byte_order_mark():
    text = csv_bytes(small())
    assert text.startswith(b'"rank","customer_id","score"')
    assert [*rows_of(text)[0]] == RISK_LIST.schema.names


def test_pieces_of_a_long_list_make_the_files_of_a_whole_one(monkeypatch):
    at_once = csv_bytes(small()), b"".join(json_lines(small()))
    monkeypatch.setattr("churn.core.editions.files.PIECE_ROWS", 2)
    assert (csv_bytes(small()), b"".join(json_lines(small()))) == at_once
    assert len(list(csv_lines(small()))) == 2


def test_ids_in_the_csv_file_are_exact_and_sentences_are_no_formulas():
    first, second, third = rows_of(csv_bytes(small()))
    assert [row["customer_id"] for row in (first, second, third)] == ["007", '=cmd|" /c calc"!A1', "行\n1"]
    assert first["reason_1_en"] == "'=1+1"
    assert first["reason_2_en"] == 'No basket, "never" again'
    assert first["staying_en"] == "'@home"
    assert first["as_of"] == "2018-01-01T05:00:00Z"
    assert second["reason_1_en"].startswith("Nothing in particular")
    assert second["reason_2_en"] == ""


def test_the_json_file_is_an_array_with_one_object_a_line():
    table = small()
    text = b"".join(json_lines(table)).decode()
    rows = json.loads(text)
    assert [row["customer_id"] for row in rows] == table["customer_id"].to_pylist()
    assert rows[0]["reason_1_en"] == "=1+1"
    assert rows[0]["as_of"] == "2018-01-01T05:00:00Z"
    assert rows[1]["staying_zh"] is None
    assert [json.loads(line.rstrip(","))["rank"] for line in text.splitlines()[1:-1]] == [1, 2, 3]


def test_a_list_in_pieces_is_one_json_array(monkeypatch):
    table = small()
    whole = b"".join(json_lines(table))
    monkeypatch.setattr("churn.core.editions.files.PIECE_ROWS", 2)
    assert b"".join(json_lines(table)) == whole
    assert b"".join(json_lines(pa.concat_tables([table.slice(0, 1), table.slice(1)]))) == whole


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
def test_whatever_an_id_is_csv_and_json_give_it_back(ids):
    table = listed({customer: 1 / (place + 2) for place, customer in enumerate(ids)})
    wanted = table["customer_id"].to_pylist()
    assert [row["customer_id"] for row in json.loads(b"".join(json_lines(table)))] == wanted
    read = csv.reader(io.StringIO(csv_bytes(table).decode(), newline=""))
    assert [row[1] for row in read][1:] == wanted

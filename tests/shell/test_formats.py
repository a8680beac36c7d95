"""Formats beside plain CSV: packed, in other encodings, workbooks, keys within keys; and how their faults are told."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from churn.shell.engine import formats
from churn.shell.engine import packed as packing
from churn.shell.engine.formats import LINE, readable
from churn.shell.raw import RawFile
from churn.shell.samples import looking
from churn.words.errors import ContractFault, IntegrityFault


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def con():
    with looking() as found:
        yield found


class Written:
    """How a file is written: plain, but for what is given."""

    def __init__(self, **given):
        plain = {"delimiter": ",", "header": (), "encoding": "utf-8", "sheet": None, "skip_lines": 0}
        self.__dict__.update(plain | given)


def file(name: str, content: bytes | None = None) -> RawFile:
    if content is not None:
        Path(name).write_bytes(content)
    return RawFile("orders", name, Path(name))


def rows(con: duckdb.DuckDBPyConnection, name: str, **given) -> list[tuple]:
    return con.execute(readable(con, file(name), Written(**given)).sql).fetchall()


def packed(text: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(text.encode())
    return sink.getvalue().to_pybytes()


def test_a_file_without_a_header_begins_in_line_one(con):
    file("x.tsv", b"\xef\xbb\xbf1\ta\n2\tb\n")
    assert rows(con, "x.tsv", header=("id", "what")) == [(1, "1", "a"), (2, "2", "b")]


@pytest.mark.parametrize("block", [1 << 20, 5])
@pytest.mark.parametrize(
    "text", [b"id,what\r\n1,a\r\n2,b\n3,c\n", b"id,what\n1,a\n2,b\r\n3,c\r\n", b"id,what\r\n1,a\n2,b\r\n3,c"]
)
def test_lines_that_end_in_two_ways_are_lines(con, monkeypatch, text, block):
    monkeypatch.setattr(packing, "BLOCK_BYTES", block)
    file("x.csv", text)
    assert rows(con, "x.csv") == [(1, "1", "a"), (2, "2", "b"), (3, "3", "c")]
    file("y.csv.zst", packed(text.decode()))
    assert rows(con, "y.csv.zst") == [(1, "1", "a"), (2, "2", "b"), (3, "3", "c")]


def test_lines_of_json_that_end_in_two_ways_are_lines(con):
    file("x.jsonl", b'{"id": 1}\r\n{"id": 2}\n{"id": 3}\r\n')
    assert [row[-1] for row in rows(con, "x.jsonl")] == ["1", "2", "3"]


def test_zstd_is_unpacked_and_a_cut_file_is_told(con):
    whole = packed("id\n" + "\n".join(map(str, range(5000))) + "\n")
    file("x.csv.zst", whole)
    assert len(rows(con, "x.csv.zst")) == 5000
    with pytest.raises(IntegrityFault, match="cut off or damaged"):
        readable(con, file("cut.csv.zst", whole[: len(whole) // 2]), Written())
    with pytest.raises(ContractFault, match="is not packed"):
        readable(con, file("plain.csv.zst", b"id\n1\n"), Written())


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "cp1252", "shift_jis"])
def test_texts_in_other_encodings_are_the_same_texts(con, encoding):
    word = {"cp1252": "Größe é"}.get(encoding, "金額")
    file("x.csv", f"id,{word}\n1,{word}\n".encode(encoding))
    assert rows(con, "x.csv", encoding=encoding) == [(1, "1", word)]


def test_bytes_that_an_encoding_does_not_have_reject_their_row_only(con):
    file("x.csv", "id,名\n1,甲\n2,".encode("gb18030") + b"\xff\xff\n" + "3,乙\n".encode("gb18030"))
    how = readable(con, file("x.csv"), Written(encoding="gb18030"))
    assert [row[1:] for row in con.execute(how.sql).fetchall()] == [("1", "甲"), ("3", "乙")]
    assert con.execute("SELECT line, error_type::VARCHAR FROM reject_errors").fetchall() == [(3, "INVALID ENCODING")]


def test_keys_within_keys_are_columns_and_a_dot_in_a_key_is_a_dot(con):
    lines = [{"a": {"b": {"c": 1}, "d": [1, 2]}, "e": 1.50}, {"a": None, "x.y": "z"}, {"a": {"b": {"c": "7"}}}]
    file("x.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    how = readable(con, file("x.jsonl"), Written())
    assert list(how.columns) == ["a.b.c", "a.d", "e", "x.y"]
    found = con.execute(f'SELECT "a.b.c", e, "x.y" FROM ({how.sql}) ORDER BY {LINE}').fetchall()
    assert found == [("1", "1.5", None), (None, None, "z"), ("7", None, None)]


def test_a_sheet_keeps_whole_numbers_whole_and_mixed_cells_as_texts(con):
    import xlsxwriter

    with xlsxwriter.Workbook("x.xlsx") as book:
        book.add_worksheet("empty")
        sheet = book.add_worksheet("orders")
        for line, cells in enumerate([["id", "amount", "mixed"], [17850, 1.5, 7], [7, 2, "x"]], start=2):
            sheet.write_row(line, 0, cells)
    how = readable(con, file("x.xlsx"), Written(sheet="orders"))
    found = con.execute(f"SELECT {LINE}, id, amount, mixed FROM ({how.sql})").fetchall()
    assert found == [(4, 17850, 1.5, "7"), (5, 7, 2.0, "x")]
    with pytest.raises(ContractFault, match=r"has no sheet other; its sheets are empty, orders"):
        readable(con, file("x.xlsx"), Written(sheet="other"))
    with pytest.raises(ContractFault, match="holds nothing"):
        readable(con, file("x.xlsx"), Written())


def test_every_ending_that_is_read_is_in_the_contract():
    contract = (Path(__file__).parents[2] / "docs/data_contract.md").read_text(encoding="utf-8")
    assert [ending for ending in formats.ENDINGS if f"`{ending}`" not in contract] == []

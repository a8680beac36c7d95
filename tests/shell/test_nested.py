"""Arrays of JSON, and titles above a table: what stands in them, and what is said when they break off."""

import duckdb
import pytest

from churn.shell.engine.formats import readable
from churn.shell.raw import RawFile
from churn.shell.samples import _Written
from churn.words.errors import ContractFault


def rows(path, content: bytes, **written) -> list[tuple]:
    path.write_bytes(content)
    with duckdb.connect(config={"temp_directory": str(path.parent)}) as con:
        how = readable(con, RawFile("orders", path.name, path), _Written(**written))
        return con.sql(how.sql).fetchall()


@pytest.mark.parametrize(
    "content",
    [
        b'[{"a": 1.25, "b": {"c": "x"}}, {"a": 2, "b": {"c": "y, [z]"}}]',
        b'\xef\xbb\xbf [\n {"a": 1.25,\r\n "b": {"c": "x"}},\n {"a": 2, "b": {"c": "y, [z]"}}\n]\n',
        b'{"a": 1.25, "b": {"c": "x"}}\n{"a": 2, "b": {"c": "y, [z]"}}\n',
    ],
)
def test_an_array_is_read_as_its_objects_are_written(content, tmp_path):
    read = rows(tmp_path / "orders.json", content)
    # Line, what is broken, and the columns a and b.c.
    assert [(row[0], row[2], row[3]) for row in read] == [(1, "1.25", "x"), (2, "2", "y, [z]")]


def test_an_array_longer_than_what_is_read_at_once_keeps_every_element(tmp_path):
    content = "[" + ",\n".join(f'{{"n": {n}, "text": "{"x" * 300}"}}' for n in range(9000)) + "]"
    read = rows(tmp_path / "orders.json", content.encode())
    assert [int(row[2]) for row in read] == list(range(9000))


@pytest.mark.parametrize("content", [b'[{"a": 1}, {"a": 2', b'[{"a": 1}, {"a": }]', b'[{"a": 1} oops'])
def test_an_array_that_breaks_off_is_told(content, tmp_path):
    with pytest.raises(ContractFault, match=r"element [12] of its array breaks off"):
        rows(tmp_path / "orders.json", content)


def test_lines_above_a_table_are_skipped_and_counted(tmp_path):
    content = b'A "title;;\n\nof;two\na;b\n1;2\n3;4\n'
    read = rows(tmp_path / "orders.csv", content, delimiter=";", skip_lines=3)
    assert [row[1:] for row in read] == [("1", "2"), ("3", "4")]


def test_a_first_and_a_last_column_without_a_name_are_called_by_their_place(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(b",a,\n0,1,\n")
    with duckdb.connect(config={"temp_directory": str(tmp_path)}) as con:
        assert list(readable(con, RawFile("orders", path.name, path), _Written()).columns) == [
            "column_1",
            "a",
            "column_3",
        ]

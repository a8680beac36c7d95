"""How a table lies in its Parquet file: row groups of one size, each column packed as suits it."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

ROW_GROUP_ROWS = 100_000
"""A reader holds one row group at a time: at 250 feature columns this many rows are 100 MB. More cost memory, fewer
cost speed and compression."""

HARDLY_REPEATED = ("occurred_at", "recorded_at")
"""Instants that differ from row to row, so that a list of them saves nothing."""
OWN_OF_EACH_ROW = ("event_id",)
"""Texts of which no two are alike."""


def encoded(schema: pa.Schema) -> dict[str, Any]:
    """How Parquet shall write each column: small, and fast to write and to read.

    Words become codes into a list. Instants of events hardly repeat: the difference to the one before takes two thirds
    of the room, a quarter of the time to write and a fifth to read. Real numbers are packed by LZ4, which takes two
    thirds of the time of Zstandard, and 1.4 times the room.
    """
    real = [field.name for field in schema if pa.types.is_floating(field.type)]
    return {
        "compression": {f.name: "lz4" if f.name in real else "zstd" for f in schema},
        "use_dictionary": [f.name for f in schema if f.name not in {*real, *OWN_OF_EACH_ROW, *HARDLY_REPEATED}],
        "column_encoding": {f.name: "DELTA_BINARY_PACKED" for f in schema if f.name in HARDLY_REPEATED},
    }


def row_groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of `ROW_GROUP_ROWS`: what a file looks like does not depend on the pieces it came in."""
    waiting: list[pa.Table] = []
    rows = 0
    for piece in pieces:
        waiting.append(piece)
        rows += piece.num_rows
        if rows < ROW_GROUP_ROWS:
            continue
        table = pa.concat_tables(waiting).unify_dictionaries()
        full = rows - rows % ROW_GROUP_ROWS
        for start in range(0, full, ROW_GROUP_ROWS):
            yield _by_itself(table.slice(start, ROW_GROUP_ROWS))
        waiting, rows = [table.slice(full)], rows - full
    yield _by_itself(pa.concat_tables(waiting).unify_dictionaries())


def _by_itself(table: pa.Table) -> pa.Table:
    """The same rows in one chunk a column, with dictionaries of the values that occur in them, in their order there.

    Pages end where chunks do, and a dictionary is written as it is, with all that other rows brought into it.
    """
    whole = table.combine_chunks()
    for place, field in enumerate(whole.schema):
        if pa.types.is_dictionary(field.type) and whole.num_rows:
            whole = whole.set_column(place, field, _recoded(whole[place].chunk(0)))
    return whole


def _recoded(column: pa.DictionaryArray) -> pa.DictionaryArray:
    occurring = column.indices.unique().drop_null()
    codes = pc.index_in(column.indices, value_set=occurring)
    return pa.DictionaryArray.from_arrays(codes, column.dictionary.take(occurring))

"""What every engine gives: its verbs, and the tables of a data set in pieces of equal size."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.shell import raw, store
from churn.shell.engine.queries import NUMBERS
from churn.words.tables import EVENTS, INSTANT, SUPERSEDED

PIECE_ROWS = 200_000
"""Rows of a piece that is given out: several are under way at once, of up to 200 bytes a row, in several copies."""
Counts = dict[str, dict[str, Any]]
"""Source → what was counted of it."""


class Found(NamedTuple):
    """What a data set holds: EVENTS, ATTRIBUTES and QUARANTINE in sorted pieces, and the counts of every source."""

    events: Iterator[pa.Table]
    attributes: Iterator[pa.Table]
    quarantine: Iterator[pa.Table]
    counts: Counts


class Engine(NamedTuple):
    """The verbs of an engine.

    `events(dataset, *, check, inventory)` gives a block in which the pieces of `Found` can be read: `check` is a
    function of a batch of rows, the data set, `name` and `file`, which gives valid rows, rejected rows and counts;
    `inventory` is what `raw.inventory` found, and must hold before and after reading.

    `made(make, columns, rows)` gives what the function `make` makes of pieces of whole customers, in the order of the
    customers. `columns` (table → columns to read, None reads all) names the tables that `make` takes; customers who
    are not in the first one may be left out. `rows` is the target size of a piece.

    `write(name, make, columns, remake)` writes what `made(make, columns)` gives as the table `name`. An engine that
    keeps what it made last time gives it to `remake`, as `store.write_again` says, and computes only what changed.
    """

    kind: str
    events: Callable[..., AbstractContextManager[Found]]
    made: Callable[..., Iterator[pa.Table]]
    write: Callable[..., None]


def write_all(
    made: Callable[..., Iterator[pa.Table]],
    name: str,
    make: Callable[..., pa.Table],
    columns: Mapping[str, Sequence[str] | None],
    _remake: Callable[..., Any],
) -> None:
    """Write all that `made` gives, whatever was made before; see `Engine`."""
    store.write_batches(name, made(make, columns))


def added(counts: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Counts of two batches, or of two groups of files, together; those within, such as reasons, included."""
    both = {**counts}
    for key, n in more.items():
        both[key] = added(counts.get(key, {}), n) if isinstance(n, dict) else counts.get(key, 0) + n
    return both


def unchanged(dataset: raw.Dataset, inventory: list[dict[str, Any]], read: Callable[[], Counts]) -> Counts:
    """What `read` counts, once the raw files were the listed ones before and after it.

    Raises
    ------
    IntegrityFault
        If a file differs from the inventory, also after a second try (exit 10).
    """
    raw.check_unchanged(dataset, inventory)
    counts = read()
    if raw.inventory(dataset) != inventory:
        # Before the second try, too: a file that is put back while it is read would pass for the listed one.
        raw.check_unchanged(dataset, inventory)
        counts = read()
        raw.check_unchanged(dataset, inventory)
    return counts


def pieces(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in pieces of `PIECE_ROWS`, the last one smaller; one empty piece if there are none."""
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows >= PIECE_ROWS:
            yield waiting.slice(0, PIECE_ROWS).combine_chunks()
            waiting = waiting.slice(PIECE_ROWS)
    yield waiting.combine_chunks()


def as_events(rows: pa.Table, kinds: tuple[tuple[str, str, str], ...], words: dict[str, pa.Array]) -> pa.Table:
    """EVENTS of rows with instants as numbers and a place in `kinds`; `words`: column → its sorted values."""
    kind = rows["kind"].to_numpy()
    columns = {name: rows[name] for name in ("customer_id", "text", "event_id", *NUMBERS)}
    columns |= {name: rows[name].cast(INSTANT) for name in ("occurred_at", "recorded_at", SUPERSEDED)}
    columns |= {name: _coded(rows[name], known) for name, known in words.items()}
    for place, name in enumerate(("event_type", "role", "state")):
        columns[name] = _picked([k[place] for k in kinds], kind)
    return pa.table([columns[c.name] for c in EVENTS.columns], schema=EVENTS.schema)


def _coded(column: pa.ChunkedArray, words: pa.Array) -> pa.Array:
    """Texts as codes into `words`."""
    codes = pc.index_in(column, value_set=words).combine_chunks()
    return pa.DictionaryArray.from_arrays(codes, words)


def _picked(values: list[str], place: np.ndarray) -> pa.Array:
    """`values[place]` as codes into the sorted distinct values."""
    words = sorted(set(values))
    codes = np.array([words.index(value) for value in values], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes[place], pa.int32()), pa.array(words, pa.string()))

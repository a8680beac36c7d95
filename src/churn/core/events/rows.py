"""Rows of a file, mapped and checked: what becomes an event, what is rejected and why."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset.checks import VALID_UNTIL
from churn.core.dataset.shapes import Attributes, Dataset, Source, id_columns, number_of, text_of, time_of
from churn.core.events import fields, tallies, written
from churn.core.events.fields import LINE, Batch, Flaw
from churn.words.tables import MILLI_PER_UNIT, MINOR_PER_UNIT, QUARANTINE

NUMBERS = {
    "amount": ("amount_minor", MINOR_PER_UNIT),
    "discount": ("discount_minor", MINOR_PER_UNIT),
    "quantity": ("quantity_milli", MILLI_PER_UNIT),
}
"""Declared number → column and parts of a unit."""
LINES = pa.schema(
    [
        ("customer_id", pa.string()),
        ("occurred_at", pa.int64()),
        ("recorded_at", pa.int64()),
        ("kind", pa.int16()),
        ("amount_minor", pa.int64()),
        ("discount_minor", pa.int64()),
        ("quantity_milli", pa.int64()),
        ("channel", pa.string()),
        ("category", pa.string()),
        ("text", pa.string()),
        ("event_id", pa.string()),
        ("identity", pa.string()),
        ("merge_by", pa.string()),
    ]
)
"""Valid rows before they are deduplicated and merged: instants in microseconds, `kind` a place in `Dataset.kinds`.

`event_id` is null where the source has none; then `identity` is the row as text, of which an engine takes the digest.
"""
STATEMENTS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("name", pa.string()),
        ("valid_from", pa.int64()),
        ("recorded_at", pa.int64()),
        ("value", pa.string()),
    ]
)
"""Valid rows of attributes, one row a value, before they are deduplicated."""


class Checked(NamedTuple):
    """Valid rows, rejected rows as QUARANTINE, and numbers of rows, which can be added up over batches.

    `counts`: rows, kept, out_of_window, dst_gap, dst_overlap (local times that a clock change skipped or repeated),
    clock_skew (recorded before they occurred, within the tolerance), with_zone and without_zone (as they are written),
    unused (column → rows); of events also late (recorded more than a day after they occurred), days and sizes (see
    `churn.core.events.tallies`).
    """

    valid: pa.Table
    rejected: pa.Table
    counts: dict[str, Any]


def checked(rows: pa.Table, dataset: Dataset, *, name: str, file: str) -> Checked:
    """The valid rows of a batch as LINES or STATEMENTS, and the rejected ones with the first rule that each breaks.

    A function of the rows alone: no row depends on another, so any engine may call it on any batch.

    Parameters
    ----------
    rows : pa.Table
        The columns of the file and of its lookups (`LOOKUP.column`), and `_line`.
    dataset : Dataset
        The declaration.
    name : str
        Of the source or attributes.
    file : str
        File name, for QUARANTINE.
    """
    source: Source | Attributes = dataset.attributes[name] if name in dataset.attributes else dataset.sources[name]
    batch = Batch(rows, source, dataset)
    mapped = _statements(batch, source) if isinstance(source, Attributes) else _lines(batch, source)
    first = _first_flaw(mapped.flaws, rows.num_rows)
    kept = (first < 0) & mapped.in_window
    counts = {
        "rows": rows.num_rows,
        "kept": int(np.sum(kept)),
        "out_of_window": int(np.sum((first < 0) & ~mapped.in_window)),
        **{key: int(np.sum(kept & marked)) for key, marked in mapped.marks.items()},
        "unused": tallies.unused(batch, source),
    }
    if isinstance(source, Source):
        counts |= _tallied(mapped, first < 0, kept, dataset)
    valid = mapped.table if kept.all() else mapped.table.filter(pa.array(kept))
    if isinstance(source, Attributes):
        valid = _one_row_a_value(valid, source)
    return Checked(valid, _rejected(batch, first, mapped.flaws, name, file), counts)


def _tallied(mapped: "_Mapped", sound: np.ndarray, kept: np.ndarray, dataset: Dataset) -> dict[str, Any]:
    happened, recorded, kind = (mapped.table[name].to_numpy() for name in ("occurred_at", "recorded_at", "kind"))
    numbers = {name: written.column(mapped.table, column) for name, (column, _) in NUMBERS.items()}
    return {
        "late": tallies.late(happened, recorded, kept),
        "days": tallies.days(happened[sound], dataset.time_zone),
        "sizes": tallies.sizes(numbers, kind, happened, kept),
    }


class _Mapped(NamedTuple):
    """A batch after mapping: its table, its flaws, which rows lie in the window, and what else is counted."""

    table: pa.Table
    flaws: list[Flaw]
    in_window: np.ndarray
    marks: dict[str, np.ndarray]


def _lines(batch: Batch, source: Source) -> _Mapped:
    """Rows of a source of events."""
    dataset = batch.dataset
    times = fields.times(batch, "occurred_at", time_of(source.occurred_at))
    customer, customer_flaws = fields.customers(batch)
    kind, kind_flaws = fields.kinds(batch, source)
    flaws = [*fields.left_out(batch), *customer_flaws, *times.flaws, *kind_flaws]
    columns = {"customer_id": customer, "occurred_at": times.happened, "recorded_at": times.recorded, "kind": kind}
    for field, (column, per_unit) in NUMBERS.items():
        columns[column], found = fields.number(batch, field, number_of(getattr(source, field)), per_unit)
        flaws += found
    for field in ("channel", "category", "text"):
        columns[field] = fields.text(batch, text_of(getattr(source, field)))
    for field in ("event_id", "merge_by"):
        columns[field], found = fields.joined_id(batch, field, id_columns(getattr(source, field)))
        flaws += found
    columns["identity"] = pa.nulls(len(kind), pa.string()) if source.event_id else _identity(batch, columns)
    in_window = (times.happened >= dataset.observed_from) & (times.happened < dataset.observed_until)
    return _Mapped(pa.table({f.name: columns[f.name] for f in LINES}, schema=LINES), flaws, in_window, times.marks)


def _statements(batch: Batch, source: Attributes) -> _Mapped:
    """Rows of attributes, with a column for each of them. What holds since long before `observed_from` still holds."""
    times = fields.times(batch, "valid_from", time_of(source.valid_from))
    customer, customer_flaws = fields.customers(batch)
    columns = {"customer_id": customer, "valid_from": times.happened, "recorded_at": times.recorded}
    columns |= {f"value {name}": batch.texts(column) for name, column in source.columns.items()}
    flaws = [*fields.left_out(batch), *customer_flaws, *times.flaws]
    if source.valid_until:
        columns[f"value {VALID_UNTIL}"], found = fields.until(batch, source.valid_until, times.happened)
        flaws += found
    return _Mapped(pa.table(columns), flaws, times.happened < batch.dataset.observed_until, times.marks)


def _one_row_a_value(valid: pa.Table, source: Attributes) -> pa.Table:
    """STATEMENTS; a blank says nothing, neither that a value holds nor that it ended."""
    pieces = []
    for name in (*source.columns, *([VALID_UNTIL] if source.valid_until else [])):
        value = valid[f"value {name}"]
        names = pa.array([name] * len(value), pa.string())
        columns = [valid["customer_id"], names, valid["valid_from"], valid["recorded_at"], value]
        pieces.append(pa.table(columns, schema=STATEMENTS).filter(pc.is_valid(value)))
    return pa.concat_tables(pieces)


def _identity(batch: Batch, columns: dict[str, pa.Array | np.ndarray]) -> pa.Array:
    """The row as text: what it was mapped to, then the columns that were not mapped.

    Mapped values stand for their columns, so that 12.0 in a CSV file and 12 in a Parquet file are equal rows. The
    others come with their names, and not at all where they are blank: no column says what an empty column says.
    """
    mapped = [name for name in LINES.names if name in columns]
    parts = [pa.array(columns[name]).cast(pa.string()) for name in mapped]
    lookups = tuple(f"{name}." for name in batch.source.lookups or {})
    others = sorted(set(batch.rows.column_names) - {*batch.source.reads, LINE})
    parts += [
        pc.binary_join_element_wise(name, batch.texts(name), "\x1d")
        for name in others
        if not (lookups and name.startswith(lookups))
    ]
    # Separators that no text of a business holds.
    return pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="\x1e")


def _first_flaw(flaws: list[Flaw], n_rows: int) -> np.ndarray:
    """The place of the first flaw of each row, shape `(n_rows,)`; -1 where there is none."""
    first = np.full(n_rows, -1, dtype=np.int64)
    for place, flaw in enumerate(flaws):
        if flaw.rows.any():
            first[(first < 0) & flaw.rows] = place
    return first


def _rejected(batch: Batch, first: np.ndarray, flaws: list[Flaw], name: str, file: str) -> pa.Table:
    """The rows with a flaw, as QUARANTINE."""
    bad = np.flatnonzero(first >= 0)
    if not len(bad):
        return QUARANTINE.schema.empty_table()
    rows = batch.rows.take(pa.array(bad))
    place = pa.array(first[bad])
    return pa.table(
        [
            pa.array([name] * len(bad), pa.string()),
            pa.array([file] * len(bad), pa.string()),
            written.column(rows, LINE).cast(pa.int64()),
            pa.array([flaw.reason for flaw in flaws], pa.string()).take(place),
            pa.array([flaw.column for flaw in flaws], pa.string()).take(place),
            written.as_json(rows.drop_columns([LINE])),
        ],
        schema=QUARANTINE.schema,
    )

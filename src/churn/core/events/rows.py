"""Rows of a file, mapped and checked: what becomes an event, what is rejected and why."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core import dataset as declared
from churn.core.dataset import Attributes, Dataset, LeaveOut, Number, Source, Time, When
from churn.core.events import written
from churn.core.events.instants import Instants, instants
from churn.words.tables import MILLI_PER_UNIT, MINOR_PER_UNIT, QUARANTINE

LINE = "_line"
"""Column that an engine adds to the rows of a file: line or row number, from 1, the header included."""
LEFT_OUT = "left_out_"
"""Prefix of the reasons that `leave_out` declares, which the limits of quarantine do not count."""
NUMBERS = {"amount": ("amount_minor", MINOR_PER_UNIT), "discount": ("discount_minor", MINOR_PER_UNIT)}
NUMBERS["quantity"] = ("quantity_milli", MILLI_PER_UNIT)

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
    """Valid rows, rejected rows as QUARANTINE, and counts: rows, kept, out_of_window, dst_gap, dst_overlap, clock_skew."""

    valid: pa.Table
    rejected: pa.Table
    counts: dict[str, int]


class Flaw(NamedTuple):
    """Rows that break one rule, shape `(n_rows,)`, the rule's code, and the column, or null for the row as a whole."""

    rows: np.ndarray
    reason: str
    column: str | None


def checked(rows: pa.Table, dataset: Dataset, *, name: str, file: str) -> Checked:
    """The valid rows of a batch as LINES (or STATEMENTS), and the rejected rows with the first rule that each breaks.

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
    source = {**dataset.sources, **dataset.attributes}[name]
    mapped = _statements(rows, dataset, source) if isinstance(source, Attributes) else _lines(rows, dataset, source)
    first = _first_flaw(mapped.flaws, rows.num_rows)
    kept = (first < 0) & mapped.in_window
    counts = {
        "rows": rows.num_rows,
        "kept": int(np.sum(kept)),
        "out_of_window": int(np.sum((first < 0) & ~mapped.in_window)),
        **{key: int(np.sum(kept & mask)) for key, mask in mapped.marks.items()},
    }
    valid = mapped.table if kept.all() else mapped.table.filter(pa.array(kept))
    return Checked(mapped.finish(valid), _rejected(rows, first, mapped.flaws, name, file), counts)


class _Mapped(NamedTuple):
    """A batch after mapping: its table, its flaws, which rows lie in the window, what else is counted."""

    table: pa.Table
    flaws: list[Flaw]
    in_window: np.ndarray
    marks: dict[str, np.ndarray]
    finish: "object"


def _lines(rows: pa.Table, dataset: Dataset, source: Source) -> _Mapped:
    occurred, recorded, flaws, marks = _times(rows, dataset, source, "occurred_at", declared.time_of(source.occurred_at))
    customer, id_flaws = _customers(rows, source)
    kind, kind_flaws = _kinds(rows, dataset, source)
    flaws = [*_left_out(rows, source), *id_flaws, *flaws, *kind_flaws]
    values: dict[str, pa.Array] = {}
    for field, (column, per_unit) in NUMBERS.items():
        values[column], found = _number(rows, source, field, declared.number_of(getattr(source, field)), per_unit)
        flaws += found
    for field in ("channel", "category", "text"):
        values[field] = _text(rows, source, declared.text_of(getattr(source, field)))
    event_id, found = _joined_id(rows, source, "event_id", declared.id_columns(source.event_id))
    merge_by, more = _joined_id(rows, source, "merge_by", declared.id_columns(source.merge_by))
    table = pa.table(
        {
            "customer_id": customer,
            "occurred_at": occurred,
            "recorded_at": recorded,
            "kind": pa.array(kind, pa.int16()),
            **values,
            "event_id": event_id,
            "identity": pa.nulls(rows.num_rows, pa.string()),
            "merge_by": merge_by,
        },
        schema=LINES,
    )
    if not source.event_id:
        table = table.set_column(LINES.get_field_index("identity"), LINES.field("identity"), _identity(rows, source, table))
    in_window = (occurred >= dataset.observed_from) & (occurred < dataset.observed_until)
    return _Mapped(table, [*flaws, *found, *more], in_window, marks, lambda valid: valid)


def _statements(rows: pa.Table, dataset: Dataset, source: Attributes) -> _Mapped:
    """One row a customer, with a column an attribute; `finish` turns the valid ones into one row a value."""
    time = declared.time_of(source.valid_from)
    since, recorded, flaws, marks = _times(rows, dataset, source, "valid_from", time)
    customer, id_flaws = _customers(rows, source)
    table = {"customer_id": customer, "valid_from": since, "recorded_at": recorded}
    for attribute, column in source.columns.items():
        table[f"value {attribute}"] = written.texts(written.column(rows, column), source)

    def finish(valid: pa.Table) -> pa.Table:
        pieces = [
            pa.table(
                [
                    valid["customer_id"],
                    pa.array([attribute] * valid.num_rows, pa.string()),
                    valid["valid_from"],
                    valid["recorded_at"],
                    valid[f"value {attribute}"],
                ],
                schema=STATEMENTS,
            ).filter(pc.is_valid(valid[f"value {attribute}"]))
            for attribute in source.columns
        ]
        return pa.concat_tables(pieces)

    flaws = [*_left_out(rows, source), *id_flaws, *flaws]
    return _Mapped(pa.table(table), flaws, since < dataset.observed_until, marks, finish)


def _times(
    rows: pa.Table, dataset: Dataset, source: Source | Attributes, field: str, time: Time
) -> tuple[np.ndarray, np.ndarray, list[Flaw], dict[str, np.ndarray]]:
    """When it happened and when it was recorded, the flaws of both, and what was counted."""
    happened = _instants(rows, dataset, source, time)
    flaws = _time_flaws(field, happened, time.column)
    recorded, early = happened.us, np.zeros(rows.num_rows, bool)
    if source.recorded_at is not None:
        said = declared.time_of(source.recorded_at)
        known = _instants(rows, dataset, source, said)
        flaws += _time_flaws("recorded_at", known, said.column)
        early = known.us < happened.us
        too_early = known.us < happened.us - source.clock_skew_seconds * 1_000_000
        flaws.append(Flaw(too_early, "recorded_before_occurred", said.column))
        recorded = np.maximum(known.us, happened.us)
    marks = {"dst_gap": happened.in_gap, "dst_overlap": happened.in_overlap, "clock_skew": early}
    return happened.us, recorded, flaws, marks


def _instants(rows: pa.Table, dataset: Dataset, source: Source | Attributes, time: Time) -> Instants:
    if time.column is None:
        array = pa.array([time.constant] * rows.num_rows, pa.string())
    else:
        array = written.column(rows, time.column)
        array = written.texts(array, source) if pa.types.is_string(array.type) else array
    return instants(array, time, dataset.time_zone)


def _time_flaws(field: str, found: Instants, column: str | None) -> list[Flaw]:
    return [
        Flaw(found.blank, f"{field}_blank", column),
        Flaw(found.unreadable, f"{field}_unreadable", column),
        Flaw(found.out_of_range, f"{field}_out_of_range", column),
    ]


def _customers(rows: pa.Table, source: Source | Attributes) -> tuple[pa.Array, list[Flaw]]:
    which = declared.id_of(source.customer_id)
    found = written.ids(written.column(rows, which.column), which, source)
    return found.texts, [
        Flaw(found.blank, "customer_id_blank", which.column),
        Flaw(found.control, "customer_id_control_character", which.column),
        Flaw(found.not_whole, "customer_id_not_whole", which.column),
    ]


def _kinds(rows: pa.Table, dataset: Dataset, source: Source) -> tuple[np.ndarray, list[Flaw]]:
    """The place of each row's type in `Dataset.kinds`; -1 where no declared type applies."""
    places = {
        name: dataset.kinds.index((name, kind.role, declared.state_of(kind))) for name, kind in source.event_types.items()
    }
    kind = np.full(rows.num_rows, -1, dtype=np.int16)
    if source.event_type:
        found = written.texts(written.column(rows, source.event_type), source)
        at = pc.index_in(found, value_set=pa.array(list(places), pa.string())).fill_null(-1).to_numpy(zero_copy_only=False)
        kind = np.append(np.array(list(places.values()), dtype=np.int16), np.int16(-1))[at]
        return kind, [Flaw(kind < 0, "event_type_unknown", source.event_type)]
    # The last that is written is the first that is set: earlier types overrule later ones.
    for name, what in sorted(source.event_types.items(), key=lambda pair: not pair[1].when):
        applies = _any(rows, source, what.when) if what.when else np.ones(rows.num_rows, bool)
        kind = np.where(applies & (kind < 0), np.int16(places[name]), kind)
    return kind, [Flaw(kind < 0, "event_type_unknown", None)]


def _left_out(rows: pa.Table, source: Source | Attributes) -> list[Flaw]:
    rules: dict[str, LeaveOut] = source.leave_out or {}
    return [Flaw(_any(rows, source, out.when), LEFT_OUT + name, out.when[0].column) for name, out in rules.items()]


def _any(rows: pa.Table, source: Source | Attributes, rules: tuple[When, ...]) -> np.ndarray:
    return np.any([_true(rows, source, rule) for rule in rules], axis=0)


def _true(rows: pa.Table, source: Source | Attributes, rule: When) -> np.ndarray:
    """For which rows a statement about a column is true, shape `(n_rows,)`. Nothing is true of a blank, but `blank`."""
    array = written.column(rows, rule.column)
    if rule.below is not None or rule.above is not None:
        found = written.numbers(array, source)
        sound = ~found.blank & ~found.unreadable & ~found.not_finite
        return sound & (found.values < rule.below if rule.below is not None else found.values > rule.above)
    text = written.texts(array, source)
    if rule.blank is not None:
        # A missing number is stored as NaN by many tools.
        nan = pc.is_nan(array).fill_null(False) if pa.types.is_floating(array.type) else pa.scalar(False)
        return (pc.or_(text.is_null(), nan).to_numpy(zero_copy_only=False)) == rule.blank
    if rule.starts_with is not None:
        return pc.starts_with(text, rule.starts_with).fill_null(False).to_numpy(zero_copy_only=False)
    return pc.is_in(text, value_set=pa.array(rule.equals, pa.string())).to_numpy(zero_copy_only=False)


def _number(
    rows: pa.Table, source: Source, field: str, number: Number, per_unit: int
) -> tuple[pa.Array, list[Flaw]]:
    """A declared number in whole parts of its unit, null where blank, and its flaws."""
    n = rows.num_rows
    if number.constant is not None:
        return pa.array(np.full(n, written.whole_units(np.float64(number.constant), per_unit))), []
    if not number.columns:
        return pa.nulls(n, pa.int64()), []
    parts = [written.numbers(written.column(rows, name), source) for name in number.columns]
    flaws = []
    for name, part in zip(number.columns, parts, strict=True):
        flaws += [Flaw(part.unreadable, f"{field}_unreadable", name), Flaw(part.not_finite, f"{field}_not_finite", name)]
    if number.product:
        value = written.whole_units(_in_range(np.prod([p.values for p in parts], axis=0)), per_unit)
        blank = np.any([p.blank for p in parts], axis=0)
    else:
        # Each column is rounded for itself, so that the sum is exact.
        value = np.sum([written.whole_units(p.values, per_unit) for p in parts], axis=0)
        blank = np.all([p.blank for p in parts], axis=0)
    too_large = np.abs(value) > written.LARGEST * per_unit
    flaws.append(Flaw(too_large, f"{field}_out_of_range", number.columns[0]))
    return pa.array(value, pa.int64(), mask=blank), flaws


def _in_range(product: np.ndarray) -> np.ndarray:
    """Products that fit 64 bits; those beyond the limit stay beyond it."""
    return np.clip(product, -2 * written.LARGEST, 2 * written.LARGEST)


def _text(rows: pa.Table, source: Source, text: declared.Text) -> pa.Array:
    if text.column is None:
        return pa.array([text.constant] * rows.num_rows, pa.string())
    return written.texts(written.column(rows, text.column), source)


def _joined_id(rows: pa.Table, source: Source, field: str, names: tuple[str, ...]) -> tuple[pa.Array, list[Flaw]]:
    if not names:
        return pa.nulls(rows.num_rows, pa.string()), []
    parts = [written.texts(written.column(rows, name), source) for name in names]
    flaws = [
        Flaw(part.is_null().to_numpy(zero_copy_only=False), f"{field}_blank", name)
        for name, part in zip(names, parts, strict=True)
    ]
    return written.joined(parts), flaws


def _identity(rows: pa.Table, source: Source, table: pa.Table) -> pa.Array:
    """The row as text: what it was mapped to, then the columns that were not mapped.

    Mapped values come first in place of their columns, so that 12.0 in a CSV file and 12 in a Parquet file are equal rows.
    """
    mapped = [name for name in LINES.names if name not in ("event_id", "identity")]
    used = source.reads
    parts = [written.column(table, name).cast(pa.string()) for name in mapped]
    for name in sorted(rows.column_names):
        if name not in used and name != LINE and not _of_lookup(name, source):
            # With its name, and nothing where it is blank: a file without the column says the same as one where it is empty.
            parts.append(pc.binary_join_element_wise(name, written.texts(written.column(rows, name), source), "\x1d"))
    # A separator that no trimmed text of a customer holds.
    return pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="\x1e")


def _of_lookup(column: str, source: Source | Attributes) -> bool:
    return column.partition(".")[0] in (source.lookups or {}) and "." in column


def _first_flaw(flaws: list[Flaw], n_rows: int) -> np.ndarray:
    """The place of the first flaw of each row, shape `(n_rows,)`; -1 where there is none."""
    first = np.full(n_rows, -1, dtype=np.int64)
    for place, flaw in enumerate(flaws):
        if flaw.rows.any():
            first[(first < 0) & flaw.rows] = place
    return first


def _rejected(rows: pa.Table, first: np.ndarray, flaws: list[Flaw], name: str, file: str) -> pa.Table:
    bad = np.flatnonzero(first >= 0)
    if not len(bad):
        return QUARANTINE.schema.empty_table()
    taken = rows.take(pa.array(bad))
    place = pa.array(first[bad])
    return pa.table(
        [
            pa.array([name] * len(bad), pa.string()),
            pa.array([file] * len(bad), pa.string()),
            written.column(taken, LINE).cast(pa.int64()),
            pa.array([f.reason for f in flaws], pa.string()).take(place),
            pa.array([f.column for f in flaws], pa.string()).take(place),
            written.as_json(taken.drop_columns([LINE])),
        ],
        schema=QUARANTINE.schema,
    )

"""Fields of an event, each from the columns that declare it, with the rows that break its rules."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset.shapes import (
    Attributes,
    Dataset,
    Number,
    Source,
    Text,
    Time,
    When,
    id_of,
    state_of,
    time_of,
)
from churn.core.events import written
from churn.core.events.instants import Instants, instants
from churn.words.quarantine import LEFT_OUT
from churn.words.windows import DAY_US

LINE = "_line"
"""Column that an engine adds to the rows of a file: line or row number, from 1, the header included."""
_SECOND_US = 1_000_000
FUTURE_US = 5 * 366 * DAY_US
"""What lies more than five years after `observed_until` has not happened: it stands for "never" or "unknown". What lies
nearer may be newer than the date that a list is made for, as when it is made once more for a past one."""


class Batch(NamedTuple):
    """Rows of one file of a source: its columns, those of its lookups (`LOOKUP.column`), and `_line`."""

    rows: pa.Table
    source: Source | Attributes
    dataset: Dataset

    def column(self, name: str) -> pa.Array:
        """A column as it was read, in one piece."""
        return written.column(self.rows, name)

    def texts(self, name: str) -> pa.Array:
        """A column as trimmed texts."""
        return written.texts(self.column(name), self.source)


class Flaw(NamedTuple):
    """Rows that break one rule, shape `(n_rows,)`, the rule's code, and the column, or null for the row as a whole."""

    rows: np.ndarray
    reason: str
    column: str | None


class Times(NamedTuple):
    """When it happened and when it was recorded, in microseconds, the flaws of both, and rows to be counted."""

    happened: np.ndarray
    recorded: np.ndarray
    flaws: list[Flaw]
    marks: dict[str, np.ndarray]


def times(batch: Batch, field: str, time: Time) -> Times:
    """When it happened (`field`: occurred_at or valid_from) and when the company knew of it.

    Nothing is known before it happens: within the tolerance for clocks that differ, `recorded_at` is moved forward.
    """
    happened = _instants(batch, time)
    flaws = _time_flaws(field, happened, time.column)
    recorded, early = happened.us, np.zeros(batch.rows.num_rows, bool)
    if batch.source.recorded_at is not None:
        said = time_of(batch.source.recorded_at)
        known = _instants(batch, said)
        early = known.us < happened.us
        too_early = known.us < happened.us - batch.source.clock_skew_seconds * _SECOND_US
        flaws += _time_flaws("recorded_at", known, said.column)
        flaws.append(Flaw(too_early, "recorded_before_occurred", said.column))
        recorded = np.maximum(known.us, happened.us)
    flaws.append(Flaw(happened.us >= batch.dataset.observed_until + FUTURE_US, f"{field}_in_future", time.column))
    marks = {"dst_gap": happened.in_gap, "dst_overlap": happened.in_overlap, "clock_skew": early}
    return Times(happened.us, recorded, flaws, marks | {"with_zone": happened.aware, "without_zone": ~happened.aware})


def until(batch: Batch, declared: str | Time, since: np.ndarray) -> tuple[pa.Array, list[Flaw]]:
    """Until when a statement holds, as microseconds in text, null where it still does, and its flaws."""
    time = time_of(declared)
    found = _instants(batch, time)
    flaws = [flaw for flaw in _time_flaws("valid_until", found, time.column) if not flaw.reason.endswith("_blank")]
    flaws.append(Flaw(~found.blank & (found.us <= since), "valid_until_before_valid_from", time.column))
    return pa.array(found.us, pa.int64(), mask=found.blank).cast(pa.string()), flaws


def customers(batch: Batch) -> tuple[pa.Array, list[Flaw]]:
    """The customer's id, and its flaws."""
    which = id_of(batch.source.customer_id)
    found = written.ids(batch.column(which.column), which, batch.source)
    return found.texts, [
        Flaw(found.blank, "customer_id_blank", which.column),
        Flaw(found.control, "customer_id_control_character", which.column),
        Flaw(found.not_whole, "customer_id_not_whole", which.column),
        Flaw(found.formula, "customer_id_formula", which.column),
    ]


def kinds(batch: Batch, source: Source) -> tuple[np.ndarray, list[Flaw]]:
    """The place of each row's type in `Dataset.kinds`, shape `(n_rows,)`; -1 where no declared type applies."""
    all_kinds, types = batch.dataset.kinds, source.event_types
    place = {name: all_kinds.index((name, kind.role, state_of(kind))) for name, kind in types.items()}
    if source.event_type:
        named = pc.index_in(batch.texts(source.event_type), value_set=pa.array(list(place), pa.string()))
        # A last entry stands for null, so that -1 is a place like any other.
        found = np.array([*place.values(), -1], dtype=np.int16)[written.filled(named, -1)]
        return found, [Flaw(found < 0, "event_type_unknown", source.event_type)]
    found = np.full(batch.rows.num_rows, -1, dtype=np.int16)
    # The first type whose rule is true; the one without a rule takes what is left.
    for name, kind in sorted(types.items(), key=lambda pair: not pair[1].when):
        applies = _any(batch, kind.when) if kind.when else True
        found = np.where((found < 0) & applies, np.int16(place[name]), found)
    return found, [Flaw(found < 0, "event_type_unknown", None)]


def left_out(batch: Batch) -> list[Flaw]:
    """The rows that the declaration leaves out, by rule."""
    rules = batch.source.leave_out or {}
    return [Flaw(_any(batch, out.when), LEFT_OUT + name, out.when[0].column) for name, out in rules.items()]


def number(batch: Batch, field: str, declared: Number, per_unit: int) -> tuple[pa.Array, list[Flaw]]:
    """A number in whole parts of its unit, null where it is blank, and its flaws."""
    n = batch.rows.num_rows
    if declared.constant is not None:
        return pa.array(written.whole_units(np.full(n, declared.constant), per_unit)), []
    if not declared.columns:
        return pa.nulls(n, pa.int64()), []
    parts = [written.numbers(batch.column(name), batch.source) for name in declared.columns]
    flaws = []
    for name, part in zip(declared.columns, parts, strict=True):
        flaws += [
            Flaw(part.unreadable, f"{field}_unreadable", name),
            Flaw(part.not_finite, f"{field}_not_finite", name),
        ]
    if declared.product:
        product = np.prod([part.values for part in parts], axis=0) / declared.divided_by
        # Cut before it becomes whole, so that it fits 64 bits and stays too large.
        value = written.whole_units(np.clip(product, -2 * written.LARGEST, 2 * written.LARGEST), per_unit)
        blank = np.any([part.blank for part in parts], axis=0)
    else:
        # Each column is rounded for itself, so that the sum is exact.
        value = np.sum([written.whole_units(part.values / declared.divided_by, per_unit) for part in parts], axis=0)
        blank = np.all([part.blank for part in parts], axis=0)
    flaws.append(Flaw(np.abs(value) > written.LARGEST * per_unit, f"{field}_out_of_range", declared.columns[0]))
    if declared.sign == "positive":
        flaws.append(Flaw(value < 0, f"{field}_negative", declared.columns[0]))
    return pa.array(value, pa.int64(), mask=blank), flaws


def text(batch: Batch, declared: Text) -> pa.Array:
    """A text of a column, or a constant."""
    if declared.column is None:
        return pa.array([declared.constant] * batch.rows.num_rows, pa.string())
    return batch.texts(declared.column)


def joined_id(batch: Batch, field: str, names: tuple[str, ...]) -> tuple[pa.Array, list[Flaw]]:
    """An id of one or several columns, null where the source has none; a blank part is a flaw."""
    if not names:
        return pa.nulls(batch.rows.num_rows, pa.string()), []
    parts = [batch.texts(name) for name in names]
    flaws = [
        Flaw(written.mask(part.is_null()), f"{field}_blank", name) for name, part in zip(names, parts, strict=True)
    ]
    return written.joined(parts), flaws


def _instants(batch: Batch, time: Time) -> Instants:
    if time.column is None:
        array = pa.array([time.constant] * batch.rows.num_rows, pa.string())
        return instants(array, time, batch.dataset.time_zone)
    array = batch.column(time.column)
    array = written.texts(array, batch.source) if pa.types.is_string(array.type) else array
    return instants(array, time, batch.dataset.time_zone)


def _time_flaws(field: str, found: Instants, column: str | None) -> list[Flaw]:
    return [
        Flaw(found.blank, f"{field}_blank", column),
        Flaw(found.unreadable, f"{field}_unreadable", column),
        Flaw(found.out_of_range, f"{field}_out_of_range", column),
    ]


def _any(batch: Batch, rules: tuple[When, ...]) -> np.ndarray:
    return np.any([_true(batch, rule) for rule in rules], axis=0)


def _true(batch: Batch, rule: When) -> np.ndarray:
    """For which rows a statement is true, shape `(n_rows,)`. Of a blank nothing is true, but that it is blank."""
    if rule.below is not None or rule.above is not None:
        found = written.numbers(batch.column(rule.column), batch.source)
        sound = ~found.blank & ~found.unreadable & ~found.not_finite
        return sound & (found.values < rule.below if rule.below is not None else found.values > rule.above)
    texts = batch.texts(rule.column)
    if rule.blank is not None:
        return written.mask(texts.is_null()) == rule.blank
    if rule.starts_with is not None:
        return written.mask(pc.starts_with(texts, rule.starts_with))
    return written.mask(pc.is_in(texts, value_set=pa.array(rule.equals, pa.string())))

"""What is touched: which customers, or snapshots, must be computed again since something that they are made of changed.

What `make` makes of a batch of whole customers falls into *units*: all that is said of a customer, or one snapshot.
Each unit has a digest of 128 bits of all rows that it is made of. Where the digest is the one of last time, the rows of
last time stand; for the rest the same `make` is called on the same tables, narrowed to the rest.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.arrays import arrow, numbers, one_chunk, there
from churn.core.timeline import instants, runs
from churn.words.tables import SUPERSEDED

Unit = Literal["customer", "snapshot"]
"""`customer`: the rows made of a customer depend on all rows of the customer. `snapshot`: the one row made of a row of
the second table depends on what was known of the customer before its `as_of`: rows of the other tables of which every
instant lies before it."""

ENDLESS = np.int64(2**63 - 1)
"""The `as_of` at which everything is known."""


Before = tuple[pa.Table, pa.Table]
"""What was made last time of the customers of a batch, or of more: its rows, and the digests of its units."""


class Remade(NamedTuple):
    """What `make` makes of a batch, and how: `digests` has one row a unit, with the columns customer_id, as_of where a
    unit is a snapshot, high and low.
    """

    rows: pa.Table
    digests: pa.Table
    customers: int
    customers_touched: int
    rows_kept: int


class _Runs(NamedTuple):
    """The rows of a table that belong to one customer: `offsets[i]:offsets[i + 1]` are those of run i, whose customer
    has the number `customer[i]`; -1 is a customer without units.
    """

    offsets: np.ndarray
    customer: np.ndarray

    def of_rows(self) -> np.ndarray:
        """The customer's number of each row."""
        return np.repeat(self.customer, np.diff(self.offsets))


class _Units(NamedTuple):
    """Units in the order of customer and `as_of`: those of customer i are `offsets[i]:offsets[i + 1]`."""

    customers: pa.Array
    offsets: np.ndarray
    as_of: np.ndarray
    table: pa.Table

    def of_rows(self, table: pa.Table, *, by_customer: bool) -> np.ndarray:
        """The unit of each row of a table with `customer_id` and, unless it is by customer, `as_of`; -1: none."""
        customer = _runs(table, self.customers).of_rows()
        if by_customer:
            return customer
        dates = np.unique(self.as_of)
        mine = np.repeat(np.arange(len(self.customers)), np.diff(self.offsets)) * len(dates)
        mine += np.searchsorted(dates, self.as_of)
        theirs = instants(table["as_of"])
        place = np.searchsorted(dates, theirs)
        dated = (customer >= 0) & (np.append(dates, ENDLESS)[place] == theirs)
        wanted = customer * len(dates) + place
        unit = np.searchsorted(mine, wanted)
        return np.where(dated & (np.append(mine, -1)[unit] == wanted), unit, -1)


def remade(make: Callable[..., pa.Table], tables: tuple[pa.Table, ...], before: Before | None, *, unit: Unit) -> Remade:
    """What `make(*tables)` gives, bit for bit, computed only for units whose digest is not the one of last time.

    Parameters
    ----------
    make
        Function of tables of whole customers. What it says of a unit depends on nothing that the unit is not made of.
    tables
        Its tables, each sorted by customer_id. Units are taken from the first, or are the rows of the second.
    before
        What the same `make` made last time, as `rows` and `digests` of what came back; None if that is not known.
    unit
        What is computed again as a whole.
    """
    by_customer = unit == "customer"
    units = _units(tables, by_customer=by_customer)
    made_of = tables if by_customer else (tables[0], *tables[2:])
    high, low = _digests(units, made_of)
    digests = units.table
    for name, half in (("high", high), ("low", low)):
        digests = digests.append_column(name, arrow(half, pa.uint64()))
    account = partial(Remade, digests=digests, customers=len(units.customers))
    if before is None:
        return account(rows=make(*tables), customers_touched=len(units.customers), rows_kept=0)
    rows_before, digests_before = before
    fresh = ~_unchanged(units, digests_before, high, low, by_customer=by_customer)
    touched = np.zeros(len(units.customers), dtype=bool)
    touched[np.repeat(np.arange(len(touched)), np.diff(units.offsets))[fresh]] = True
    unit_of = units.of_rows(rows_before, by_customer=by_customer)
    standing = np.flatnonzero((unit_of >= 0) & ~np.append(fresh, True)[unit_of])
    account = partial(account, customers_touched=int(touched.sum()), rows_kept=len(standing))
    kept = _taken(rows_before, standing)
    if not fresh.any():
        return account(rows=kept)
    new = make(*_narrowed(tables, units, touched, fresh, by_customer=by_customer))
    if not len(standing):
        return account(rows=new)
    order = np.argsort(np.append(unit_of[standing], units.of_rows(new, by_customer=by_customer)), kind="stable")
    both = pa.concat_tables([kept, new.replace_schema_metadata(None)]).unify_dictionaries().combine_chunks()
    return account(rows=_taken(both, order))


def _units(tables: tuple[pa.Table, ...], *, by_customer: bool) -> _Units:
    """The customers of the first table, or the rows of the second."""
    table = tables[0 if by_customer else 1]
    offsets, customers = runs(table["customer_id"])
    if by_customer:
        each = np.arange(len(customers) + 1)
        return _Units(customers, each, np.full(len(customers), ENDLESS), pa.table({"customer_id": customers}))
    return _Units(customers, offsets, instants(table["as_of"]), table.select(["customer_id", "as_of"]))


def _unchanged(units: _Units, digests: pa.Table, high: np.ndarray, low: np.ndarray, *, by_customer: bool) -> np.ndarray:
    """Whether the digest of each unit is the one of last time."""
    unit = units.of_rows(digests, by_customer=by_customer)
    known = unit >= 0
    same = np.zeros(len(high), dtype=bool)
    before = [numbers(one_chunk(digests[half])).view(np.uint64)[known] for half in ("high", "low")]
    same[unit[known]] = (before[0] == high[unit[known]]) & (before[1] == low[unit[known]])
    return same


def _narrowed(
    tables: tuple[pa.Table, ...], units: _Units, touched: np.ndarray, fresh: np.ndarray, *, by_customer: bool
) -> tuple[pa.Table, ...]:
    """The tables without customers who are not touched, and without snapshots that stand."""
    if fresh.all():
        return tables
    wanted = np.append(touched, False)
    narrow = [_taken(table, np.flatnonzero(wanted[_runs(table, units.customers).of_rows()])) for table in tables]
    if not by_customer:
        narrow[1] = _taken(tables[1], np.flatnonzero(fresh))
    return tuple(narrow)


def _taken(table: pa.Table, rows: np.ndarray) -> pa.Table:
    """These rows in this order, without a copy where they follow each other."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1 and np.all(np.diff(rows) == 1):
        return table.slice(rows[0], len(rows))
    return table.take(arrow(rows, pa.int64()))


def _runs(table: pa.Table, customers: pa.Array) -> _Runs:
    offsets, ids = runs(table["customer_id"])
    number = pc.index_in(ids, value_set=customers)
    return _Runs(offsets, np.where(there(number), numbers(number), -1).astype(np.int64))


# -- digests -----------------------------------------------------------------------------------------------------------


def _digests(units: _Units, tables: tuple[pa.Table, ...]) -> np.ndarray:
    """The two halves of each unit's digest, shape `(2, n_units)`: of its known rows in each table, in their order."""
    from churn.core.mixing import chained

    state = np.ones((2, len(units.as_of)), dtype=np.uint64)
    for place, table in enumerate(_facts(tables)):
        own = _runs(table, units.customers)
        known = np.full(table.num_rows, -ENDLESS)
        for field in table.schema:
            if pa.types.is_timestamp(field.type):
                known = np.maximum(known, instants(table[field.name]))
        rows = _row_digests(table, place)
        state = chained(state, rows, own.offsets, own.customer, known, units.offsets, units.as_of)
    return state


def _facts(tables: tuple[pa.Table, ...]) -> Iterator[pa.Table]:
    """The tables of which every row is known from its latest instant on.

    That an event was corrected is known later than the event, so it is a fact of its own.
    """
    for table in tables:
        if SUPERSEDED not in table.column_names:
            yield table
            continue
        yield table.drop_columns([SUPERSEDED])
        if table[SUPERSEDED].null_count < table.num_rows:
            yield table.filter(pc.is_valid(table[SUPERSEDED]))


def _row_digests(table: pa.Table, place: int) -> np.ndarray:
    """The two halves of each row's digest, of all columns but `customer_id`; `place` tells tables apart."""
    from churn.core.mixing import mixed

    # Not from 0: zeros mixed into 0 leave no trace.
    state = np.full((2, table.num_rows), place + 1, dtype=np.uint64)
    for name in table.column_names:
        if name != "customer_id":
            state = mixed(state, *_words(one_chunk(table[name].unify_dictionaries())))
    return state


def _words(column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each value as two words of 64 bits, and whether it is null. Texts count, not their codes in this batch."""
    from churn.core.mixing import text_words

    missing = ~there(column)
    if pa.types.is_dictionary(column.type):
        words = np.append(text_words(*_bytes(column.dictionary.cast(pa.string()))), np.zeros((2, 1), np.uint64), axis=1)
        codes = np.where(missing, -1, numbers(column.indices))
        return words[0, codes], words[1, codes], missing
    if pa.types.is_string(column.type):
        high, low = text_words(*_bytes(column))
        return high, low, missing
    whole = column if pa.types.is_timestamp(column.type) else column.cast(pa.int64())
    words = numbers(whole).view(np.uint64)
    return words, words, missing


def _bytes(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where each text starts and ends in the bytes, shape `(n + 1,)`, and the bytes."""
    _, offsets, data = texts.buffers()
    begins = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return begins, np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)

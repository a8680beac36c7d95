"""Events of whole customers as arrays: what the compiled kernel and the verbs of `History` work on."""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.arrays import arrow, one_chunk, there, truths
from churn.core.arrays import numbers as numbers_of
from churn.words.errors import Fault
from churn.words.tables import ROLES

KINDS: dict[tuple[str, str], int] = {
    pair: code for code, pair in enumerate((role, state) for role, states in ROLES.items() for state in states)
}
"""A small whole number for each role and state, so that a set of them is a bit mask of 64 bits."""


NUMBERS = ("amount_minor", "discount_minor", "quantity_milli")
"""The columns that can be added up."""


@functools.cache
def kinds_mask(role: str, state: str | None = None) -> int:
    """Bit mask of the kinds of event that a role, or one state of it, stands for.

    >>> kinds_mask("purchase") == kinds_mask("purchase", "made") | kinds_mask("purchase", "returned")
    True
    """
    if role not in ROLES:
        raise Fault(f"there is no role {role!r}; roles are {', '.join(ROLES)}")
    if state is not None and state not in ROLES[role]:
        raise Fault(f"role {role} has no state {state!r}; its states are {', '.join(ROLES[role])}")
    return sum(1 << code for (r, s), code in KINDS.items() if r == role and state in (None, s))


@dataclass(frozen=True)
class Codes:
    """One text column as whole numbers; -1 is null, `texts[code]` the text."""

    codes: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Timeline:
    """Events of whole customers, sorted by customer and time.

    `offsets` has shape `(n_customers + 1,)`: the events of customer i are `offsets[i]:offsets[i + 1]`. All other
    arrays have shape `(n_events,)`; instants are microseconds since 1970 UTC. `values` and `missing` hold the columns
    `numbers`, shape `(n_numbers, n_events)`, in the unit of the events table; a missing value is 0.
    """

    customers: pa.Array
    offsets: np.ndarray
    occurred: np.ndarray
    recorded: np.ndarray
    kind: np.ndarray
    numbers: tuple[str, ...]
    values: np.ndarray
    missing: np.ndarray
    codes: dict[str, Codes]

    @property
    def n_customers(self) -> int:
        """Number of customers in the batch."""
        return len(self.offsets) - 1


def timeline(events: pa.Table) -> Timeline:
    """The events of a batch of whole customers as arrays.

    Parameters
    ----------
    events : pa.Table
        EVENTS or a selection of its columns, sorted by customer_id, occurred_at, recorded_at, event_id.

    Raises
    ------
    Fault
        When a customer's events are not in one piece, or not in the order of time.
    """
    offsets, customers = runs(events["customer_id"])
    if pc.count_distinct(customers).as_py() != len(customers):
        raise Fault("the events of a customer are not in one piece; sort them by customer_id before they come here")
    occurred = instants(events["occurred_at"])
    falls = occurred[1:] < occurred[:-1]
    falls[offsets[1:-1] - 1] = False
    if falls.any():
        raise Fault("the events of a customer are not in the order of time; sort them by occurred_at")
    names = events.column_names
    numbers = tuple(name for name in NUMBERS if name in names)
    values, missing = _numbers([events[name] for name in numbers], len(occurred))
    return Timeline(
        customers=customers,
        offsets=offsets,
        occurred=occurred,
        recorded=instants(events["recorded_at"]),
        kind=_kinds(events["role"], events["state"]),
        numbers=numbers,
        values=values,
        missing=missing,
        codes={name: _codes(events[name]) for name in ("channel", "category") if name in names},
    )


def instants(column: pa.ChunkedArray) -> np.ndarray:
    """A column of instants as int64 microseconds since 1970 UTC, without a copy where it is in one piece."""
    return numbers_of(one_chunk(column).cast(pa.timestamp("us", tz="UTC")))


def runs(ids: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """Where each run of equal neighbours starts, with the length at the end; and the text of each run."""
    if len(ids) == 0:
        return np.zeros(1, dtype=np.int64), pa.array([], pa.string())
    array = one_chunk(ids.unify_dictionaries())
    if pa.types.is_dictionary(array.type):
        codes = numbers_of(array.indices)
        changes = codes[1:] != codes[:-1]
    else:
        changes = truths(pc.not_equal(array[1:], array[:-1]))
    offsets = np.concatenate(([0], np.flatnonzero(changes) + 1, [len(array)])).astype(np.int64)
    return offsets, array.take(arrow(offsets[:-1], pa.int64())).cast(pa.string())


def _kinds(role: pa.ChunkedArray, state: pa.ChunkedArray) -> np.ndarray:
    """The kind of each event, by looking up the pair of dictionary codes."""
    roles, states = _codes(role), _codes(state)
    lookup = np.full((len(roles.texts) + 1, len(states.texts) + 1), -1, dtype=np.int8)
    for i, r in enumerate(roles.texts):
        for j, s in enumerate(states.texts):
            lookup[i, j] = KINDS.get((r, s), -1)
    kind = lookup[roles.codes, states.codes]
    if np.any(kind < 0):
        first = int(np.flatnonzero(kind < 0)[0])
        raise Fault(f"role {role[first]} with state {state[first]} is no pair of words/tables.py ROLES")
    return kind


def _numbers(columns: list[pa.ChunkedArray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Values, and whether they are missing, shape `(n_columns, n)`: each piece of a column is copied into its place."""
    values = np.empty((len(columns), n), dtype=np.int64)
    missing = np.empty(values.shape, dtype=bool)
    for i, column in enumerate(columns):
        begin = 0
        for chunk in column.chunks:
            end = begin + len(chunk)
            known = there(chunk)
            np.logical_not(known, out=missing[i, begin:end])
            np.multiply(numbers_of(chunk), known, out=values[i, begin:end])
            begin = end
    return values, missing


def _codes(column: pa.ChunkedArray) -> Codes:
    """Codes of a text or dictionary column. A column in pieces may have a dictionary a piece: they are unified."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = one_chunk(column.unify_dictionaries())
    codes = numbers_of(array.indices).astype(np.int32, copy=False)
    if array.indices.null_count:
        codes = np.where(there(array.indices), codes, np.int32(-1))
    return Codes(codes, tuple(array.dictionary.to_pylist()))

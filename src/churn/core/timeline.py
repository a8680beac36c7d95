"""Events of whole customers as arrays: what the compiled kernel and the verbs of `History` work on."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.words.errors import Fault
from churn.words.tables import ROLES

KINDS: dict[tuple[str, str], int] = {
    pair: code for code, pair in enumerate((role, state) for role, states in ROLES.items() for state in states)
}
"""A small whole number for each role and state, so that a set of them is a bit mask of 64 bits."""


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
    arrays have shape `(n_events,)`; instants are microseconds since 1970 UTC. `values` holds each number column as a
    pair (int64 values, bool missing), in the unit of the events table.
    """

    customers: pa.Array
    offsets: np.ndarray
    occurred: np.ndarray
    recorded: np.ndarray
    kind: np.ndarray
    values: dict[str, tuple[np.ndarray, np.ndarray]]
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
    ids = _one_chunk(events["customer_id"])
    offsets = _run_offsets(ids)
    customers = ids.take(pa.array(offsets[:-1]))
    if pa.types.is_dictionary(customers.type):
        customers = customers.cast(pa.string())
    if pc.count_distinct(customers).as_py() != len(customers):
        raise Fault("the events of a customer are not in one piece; sort them by customer_id before they come here")
    occurred = instants(events["occurred_at"])
    inside = np.ones(len(occurred), dtype=bool)
    inside[offsets[:-1]] = False
    if np.any((np.diff(occurred, prepend=occurred[:1]) < 0) & inside):
        raise Fault("the events of a customer are not in the order of time; sort them by occurred_at")
    names = events.column_names
    return Timeline(
        customers=customers,
        offsets=offsets,
        occurred=occurred,
        recorded=instants(events["recorded_at"]),
        kind=_kinds(events["role"], events["state"]),
        values={
            name: _numbers(events[name])
            for name in ("amount_minor", "discount_minor", "quantity_milli")
            if name in names
        },
        codes={name: _codes(events[name]) for name in ("channel", "category") if name in names},
    )


def instants(column: pa.ChunkedArray) -> np.ndarray:
    """A column of instants as int64 microseconds since 1970 UTC, without a copy where it is in one piece."""
    return _one_chunk(column).cast(pa.int64()).to_numpy(zero_copy_only=False)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else combined.chunk(0)


def _run_offsets(ids: pa.Array) -> np.ndarray:
    """Where each run of equal neighbours starts, and the length at the end."""
    if len(ids) == 0:
        return np.zeros(1, dtype=np.int64)
    comparable = ids.indices if pa.types.is_dictionary(ids.type) else ids
    starts = np.flatnonzero(pc.not_equal(comparable[1:], comparable[:-1]).to_numpy(zero_copy_only=False)) + 1
    return np.concatenate(([0], starts, [len(ids)])).astype(np.int64)


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


def _numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    array = _one_chunk(column)
    missing = array.is_null().to_numpy(zero_copy_only=False)
    return array.fill_null(0).to_numpy(zero_copy_only=False), missing


def _codes(column: pa.ChunkedArray) -> Codes:
    """Codes of a text or dictionary column. A column in pieces may have a dictionary a piece: they are unified."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = _one_chunk(column.unify_dictionaries())
    codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return Codes(codes, tuple(array.dictionary.to_pylist()))

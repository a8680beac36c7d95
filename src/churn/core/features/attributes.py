"""Customer attributes as they held, and were known, at `as_of`."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.arrays import arrow, numbers, one_chunk
from churn.core.timeline import instants
from churn.words.tables import CODE


def attribute_columns(attributes: pa.Table, snapshots: pa.Table, names: tuple[str, ...]) -> dict[str, pa.Array]:
    """One text column per attribute: the value with the latest `valid_from < as_of` that was recorded before `as_of`.

    Null where none was known. Of two values valid from the same instant the one recorded last wins.
    """
    columns = {}
    for name in names:
        about = attributes.filter(pc.equal(attributes["name"], name))
        columns[name] = _valid_at(about, snapshots)
    return columns


def _valid_at(values: pa.Table, snapshots: pa.Table) -> pa.Array:
    customers = pc.unique(snapshots["customer_id"])
    values = values.filter(pc.is_in(values["customer_id"], value_set=customers))
    row_customer = _position(values["customer_id"], customers)
    snap_customer = _position(snapshots["customer_id"], customers)
    valid, recorded, as_of = (
        instants(values["valid_from"]),
        instants(values["recorded_at"]),
        instants(snapshots["as_of"]),
    )
    begins = np.searchsorted(row_customer, snap_customer, side="left")
    ends = np.searchsorted(row_customer, snap_customer, side="right")
    found = np.full(len(as_of), -1, dtype=np.int64)
    # Values of a customer come in the order of valid_from and recorded_at, so the last one that passes wins.
    for step in range(int((ends - begins).max(initial=0))):
        row = begins + step
        inside = row < ends
        row = np.where(inside, row, 0)
        known = inside & (valid[row] < as_of) & (recorded[row] < as_of)
        found = np.where(known, row, found)
    texts = values["value"].combine_chunks().take(arrow(found, pa.int64(), null=found < 0))
    encoded = texts.dictionary_encode()
    return encoded.cast(CODE) if isinstance(encoded, pa.DictionaryArray) else encoded.combine_chunks().cast(CODE)


def _position(ids: pa.ChunkedArray, customers: pa.Array) -> np.ndarray:
    return numbers(one_chunk(pc.index_in(ids, value_set=customers))).astype(np.int64)

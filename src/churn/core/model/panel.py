"""The snapshots that are learnt from as one matrix, filled piece by piece: the table need never be whole in memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.model import encoding
from churn.words.errors import Fault
from churn.words.tables import FEATURES

PIECE_ROWS = 50_000
"""Rows of a whole table that are copied at a time: at 250 features 50 MB."""
BLOCK_ROWS = 4096
"""Rows of the matrix that are looked at or moved at a time: at 250 features 4 MB, which fit a processor's cache."""


@dataclass(frozen=True)
class Vouched:
    """FEATURES, whole or in pieces, with the names of those that are known before the outcome, however well they tell.

    Somebody vouches for them: nothing in the data says it.
    """

    features: pa.Table | Iterable[pa.Table]
    names: frozenset[str]

    def __iter__(self) -> Iterator[pa.Table]:
        return _pieces(self.features)


@dataclass(frozen=True)
class Panel:
    """The chosen rows, in the order of the table.

    Attributes
    ----------
    x : ndarray of float32, shape (n_rows, n_features)
        NaN is the feature's null. An attribute is the position of its value in `values`.
    names : tuple of str
        The columns of `x`.
    values : dict
        Attribute column → the values that occur, in any order.
    """

    x: np.ndarray
    names: tuple[str, ...]
    values: dict[str, list[str]]


def panel(features: pa.Table | Iterable[pa.Table], snapshots: pa.Table, chosen: np.ndarray) -> Panel:
    """The chosen rows of FEATURES, which comes whole or in pieces.

    Parameters
    ----------
    features : pa.Table or iterable of pa.Table
        FEATURES; each piece is asked for once, and let go before the next one.
    snapshots : pa.Table
        SNAPSHOTS: the same rows in the same order.
    chosen : ndarray of bool, shape (n_snapshots,)
        Which rows to keep; at least one.

    Raises
    ------
    Fault
        The rows of the two tables are not the same, or a feature is infinite.
    """
    x = np.empty((0, 0), np.float32)
    names: tuple[str, ...] = ()
    values: dict[str, list[str]] = {}
    seen = filled = 0
    for piece in _pieces(features):
        _check_same_rows(piece, snapshots, seen)
        if not names:
            names = tuple(encoding.feature_names(piece))
            x = np.empty((int(chosen.sum()), len(names)), np.float32)
        rows = piece.filter(pa.array(chosen[seen : seen + piece.num_rows]))
        values = {name: [*values.get(name, []), *_new(rows[name], values.get(name, []))] for name in _coded(piece)}
        x[filled : filled + rows.num_rows] = encoding.matrix(rows, names, values)
        seen, filled = seen + piece.num_rows, filled + rows.num_rows
    if seen != snapshots.num_rows:
        raise _other_rows(seen, snapshots.num_rows)
    return Panel(x, names, values)


def blocks(n_rows: int) -> Iterator[slice]:
    """So many rows in pieces of `BLOCK_ROWS`."""
    return (slice(first, min(first + BLOCK_ROWS, n_rows)) for first in range(0, n_rows, BLOCK_ROWS))


def narrowed(x: np.ndarray, kept: Sequence[int]) -> np.ndarray:
    """The kept columns, which ascend, in the memory of `x`: its contents are gone afterwards.

    A copy would double the largest thing that there is in memory.
    """
    narrow = x.reshape(-1)[: len(x) * len(kept)].reshape(len(x), len(kept))
    for rows in blocks(len(x)):
        # What is overwritten lies before these rows, or was copied by the right-hand side.
        narrow[rows] = x[rows][:, kept]
    return narrow


def _pieces(features: pa.Table | Iterable[pa.Table]) -> Iterator[pa.Table]:
    if not isinstance(features, pa.Table):
        return iter(features)
    return (features.slice(first, PIECE_ROWS) for first in range(0, features.num_rows, PIECE_ROWS))


def _coded(table: pa.Table) -> list[str]:
    return [name for name in encoding.feature_names(table) if pa.types.is_dictionary(table.schema.field(name).type)]


def _new(column: pa.ChunkedArray, known: list[str]) -> list[str]:
    """The values of the column that are not known yet."""
    found, before = pc.unique(column.cast(pa.string())).to_pylist(), set(known)
    return [value for value in found if value is not None and value not in before]


def _check_same_rows(piece: pa.Table, snapshots: pa.Table, first: int) -> None:
    others = snapshots.slice(first, piece.num_rows)
    if any(not piece[name].equals(others[name]) for name in FEATURES.key):
        raise _other_rows(first + piece.num_rows, snapshots.num_rows)


def _other_rows(seen: int, snapshots: int) -> Fault:
    return Fault(f"the first {seen:,} rows of features are not those of {snapshots:,} snapshots, in their order")

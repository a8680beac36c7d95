"""Scores and contributions of the customers at the newest as_of, the same arithmetic as in training, batch by batch."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core import model as door
from churn.core.model import Model
from churn.words.errors import Fault, NotEnoughData
from churn.words.tables import CONTRIBUTIONS, FEATURES, SCORES

CHUNK = 20_000
"""Rows explained at once: 150 features take 24 MB, however many customers there are."""


def scoring_as_of(split: pa.Table) -> pa.Scalar:
    """The newest `as_of` of the part "score": today's customers, whose outcome nobody has seen.

    Raises
    ------
    NotEnoughData
        No as_of has that part.
    """
    to_score = split.filter(pc.equal(split["part"], "score"))["as_of"]
    if not len(to_score):
        raise NotEnoughData(f"none of {split.num_rows} as_ofs is to be scored; observed_until in conf/data bounds them")
    return pc.max(to_score)


def at(table: pa.Table, as_of: pa.Scalar) -> pa.Table:
    """The rows of a table of snapshots at `as_of`."""
    return table.filter(pc.equal(table["as_of"], as_of))


def scores(batches: Iterable[pa.Table], as_of: pa.Scalar, model: Model) -> pa.Table:
    """SCORES: one row per customer at `as_of`.

    Parameters
    ----------
    batches : iterable of pa.Table
        FEATURES, in pieces and in order. Only five numbers a customer are kept.
    as_of : pa.Scalar
        From `scoring_as_of`.
    model : Model

    Raises
    ------
    NotEnoughData
        Nobody was eligible at `as_of`.
    """
    pieces = [_margins(piece, model) for piece in _pieces(batches, as_of)]
    if not pieces:
        raise NotEnoughData(f"0 customers are eligible at {as_of}; check live_days and observed_until in conf")
    table = pa.concat_tables(pieces)
    margins = table["margin"].to_numpy()
    score = door.score(model, margins)
    if not np.isfinite(margins).all() or score.min() < 0 or score.max() > 1:
        raise Fault(f"{len(score):,} scores are not all numbers between 0 and 1")
    columns = [*table.columns, pa.array(score), pa.array(percentile(score))]
    return pa.Table.from_arrays(columns, schema=SCORES.schema)


def contributions(batches: Iterable[pa.Table], as_of: pa.Scalar, model: Model) -> Iterator[pa.Table]:
    """CONTRIBUTIONS in pieces: one row per customer at `as_of`, one column per feature of the model, in log-odds.

    The features' columns and `base` add up to the customer's margin. Parameters as for `scores`.
    """
    schema = pa.schema([*CONTRIBUTIONS.schema, *[pa.field(name, pa.float64()) for name in model.features]])
    for piece in _pieces(batches, as_of):
        shares = door.contributions(model, piece)
        columns = [piece[name].combine_chunks() for name in FEATURES.key]
        columns += [pa.array(shares[:, j]) for j in (-1, *range(len(model.features)))]
        yield pa.Table.from_arrays(columns, schema=schema)


def percentile(score: np.ndarray) -> np.ndarray:
    """Share of the rows with a lower score, times 100, shape `(n_rows,)`; equal scores have equal percentiles.

    >>> [float(p) for p in percentile(np.array([0.2, 0.9, 0.2, 0.5]))]
    [0.0, 75.0, 0.0, 50.0]
    """
    return np.searchsorted(np.sort(score), score, side="left") / len(score) * 100


def _margins(piece: pa.Table, model: Model) -> pa.Table:
    return piece.select(FEATURES.key).append_column("margin", pa.array(door.margins(model, piece)))


def _pieces(batches: Iterable[pa.Table], as_of: pa.Scalar) -> Iterator[pa.Table]:
    """The rows at `as_of`, at most `CHUNK` at once; nothing for a batch without any."""
    for batch in batches:
        rows = at(batch, as_of)
        for start in range(0, rows.num_rows, CHUNK):
            yield rows.slice(start, CHUNK)

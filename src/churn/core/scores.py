"""Scores and contributions of the customers at the newest as_of, the same arithmetic as in training, batch by batch."""

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge, Le

from churn.core import model as door
from churn.core.model import Model
from churn.core.promotion import Order
from churn.words.errors import DriftFault, Fault, GateFault, NotEnoughData, message
from churn.words.tables import CONTRIBUTIONS, FEATURES, SCORES

TIED_LEAST = 10
"""Of fewer customers, all may be alike."""
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


def limits(*, unseen_most: Annotated[float, Ge(0), Le(1)]) -> float:
    """Share of the customers who may have a value of an attribute that the model never met.

    Parameters
    ----------
    unseen_most
        Beyond it the data are of another world than the model; 0.05 is a twentieth.
    """
    return unseen_most


def check_values(features: Iterable[pa.Table], as_of: pa.Scalar, model: Model, unseen_most: float) -> None:
    """The customers at `as_of` have values that the model knows.

    Raises
    ------
    DriftFault
        Naming each attribute with too many values that training never met (exit 7).
    """
    rows, strange = 0, dict[str, int]()
    for piece in features:
        here = at(piece, as_of)
        rows += here.num_rows
        for name, n in door.unseen(model, here).items():
            strange[name] = strange.get(name, 0) + n
    over = {name: n for name, n in sorted(strange.items()) if n > unseen_most * rows}
    if over:
        raise DriftFault(
            message(
                "today's customers have values that the model never met",
                where=f"attributes {', '.join(over)}",
                many="; ".join(f"{name}: {n:,} of {rows:,} customers ({n / rows:.1%})" for name, n in over.items())
                + f"; the limit is {unseen_most:.0%}",
                do="was a value renamed? Map it back in the export. If it is new, wait until outcomes of it are known, "
                "or raise scores.unseen_most in conf/config.yaml",
            )
        )


def at(table: pa.Table, as_of: pa.Scalar) -> pa.Table:
    """The rows of a table of snapshots at `as_of`."""
    return table.filter(pc.equal(table["as_of"], as_of))


def margins(features: pa.Table, as_of: pa.Scalar, model: Model) -> pa.Table:
    """One row per customer at `as_of`, with `margin` and `spread`: all that `scores` keeps of a batch of FEATURES."""
    rows = at(features, as_of)
    found, spread = (door.margins(model, rows), door.spread(model, rows)) if rows.num_rows else (np.zeros(0),) * 2
    return rows.select(FEATURES.key).append_column("margin", pa.array(found)).append_column("spread", pa.array(spread))


def scores(batches: Iterable[pa.Table], as_of: pa.Scalar, model: Model, *, order: Order) -> pa.Table:
    """SCORES: one row per customer at `as_of`.

    Parameters
    ----------
    batches : iterable of pa.Table
        From `margins`, in order.
    as_of : pa.Scalar
        From `scoring_as_of`.
    model : Model
    order : {"model", "rule", "value"}
        Of the list, see `churn.core.promotion.order`.

    Raises
    ------
    NotEnoughData
        Nobody was eligible at `as_of`.
    GateFault
        Everybody has the same score, and the list goes by it: one by value alone gives everybody the mean anyway.
    """
    pieces = [piece for piece in batches if piece.num_rows]
    if not pieces:
        raise NotEnoughData(f"0 customers are eligible at {as_of}; check live_days and observed_until in conf")
    table = pa.concat_tables(pieces)
    margin = table["margin"].to_numpy()
    score = door.score(model, margin)
    if not np.isfinite(margin).all() or score.min() < 0 or score.max() > 1:
        raise Fault(f"{len(score):,} scores are not all numbers between 0 and 1")
    if order != "value" and len(score) >= TIED_LEAST and score.min() == score.max():
        raise GateFault(
            message(
                "every customer has the same score, so the list would be in the order of their ids",
                where="data/scores.parquet",
                many=f"{len(score):,} customers, {score[0]:.1%} each",
                do="look at reports/evaluation.json and the model's card: has the model learnt anything?",
            )
        )
    low, high = door.interval(model, score, table["spread"].to_numpy())
    found = [score, low, high, percentile(score)]
    columns = [*table.drop_columns("spread").columns, *(pa.array(column) for column in found)]
    return pa.Table.from_arrays(columns, schema=SCORES.schema)


def contributions(features: pa.Table, as_of: pa.Scalar, model: Model) -> pa.Table:
    """CONTRIBUTIONS: one row per customer of a batch of FEATURES at `as_of`, one column per feature, in log-odds.

    The features' columns and `base` add up to the customer's margin.
    """
    schema = pa.schema([*CONTRIBUTIONS.schema, *[pa.field(name, pa.float64()) for name in model.features]])
    rows = at(features, as_of)
    explained = [_explained(rows.slice(n, CHUNK), model, schema) for n in range(0, rows.num_rows, CHUNK)]
    return pa.concat_tables([schema.empty_table(), *explained])


def percentile(score: np.ndarray) -> np.ndarray:
    """Share of the rows with a lower score, times 100, shape `(n_rows,)`; equal scores have equal percentiles.

    >>> [float(p) for p in percentile(np.array([0.2, 0.9, 0.2, 0.5]))]
    [0.0, 75.0, 0.0, 50.0]
    """
    return np.searchsorted(np.sort(score), score, side="left") / len(score) * 100


def _explained(rows: pa.Table, model: Model, schema: pa.Schema) -> pa.Table:
    shares = door.contributions(model, rows)
    columns = [rows[name].combine_chunks() for name in FEATURES.key]
    columns += [pa.array(shares[:, j]) for j in (-1, *range(len(model.features)))]
    return pa.Table.from_arrays(columns, schema=schema)

"""The matured snapshots of each part as numbers, once there are enough of them and none of them tells too much."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.model import encoding
from churn.core.model.enough import JUDGING_LEAST, Least, check_enough, check_leaks, iso
from churn.core.model.panel import Vouched, panel
from churn.core.model.sample import Sample, later, sample
from churn.core.model.telling import telling
from churn.words.errors import NotEnoughData, message
from churn.words.tables import FEATURES

LEARNING = ("train", "validation", "calibration")
"""The parts that a model may see. The test part is not even read."""
MATURED = "matured"
"""All of them, and the embargo between them: every snapshot whose outcome was known at the first date of the test."""


@dataclass(frozen=True)
class Part:
    """The matured snapshots of one part that are learnt from: rows of the matrix that all parts share.

    Attributes
    ----------
    matrix : ndarray of float32, shape (n_learnt, n_features)
        The rows of all parts; never written to.
    rows : ndarray of int64, shape (n_rows,)
        Which of them are this part's, in ascending order.
    churned, as_of_us : ndarray, shape (n_rows,)
    weights : ndarray of float64, shape (n_rows,), or None
        How many snapshots each row stands for. None: all were taken, and each stands for itself.
    """

    matrix: np.ndarray
    rows: np.ndarray
    churned: np.ndarray
    as_of_us: np.ndarray
    weights: np.ndarray | None

    @property
    def x(self) -> np.ndarray:
        """The part's rows, shape `(n_rows, n_features)`: a view where they lie side by side, otherwise a copy."""
        if not len(self.rows):
            return self.matrix[:0]
        first, last = self.rows[0], self.rows[-1]
        side_by_side = bool((np.diff(self.rows) == 1).all())
        return self.matrix[first : last + 1] if side_by_side else self.matrix[self.rows]

    def column(self, j: int) -> np.ndarray:
        """One feature, shape `(n_rows,)`."""
        return self.matrix[self.rows, j]

    def where(self, mask: np.ndarray) -> "Part":
        """Some of the rows; `mask` has shape `(n_rows,)`."""
        weights = None if self.weights is None else self.weights[mask]
        return Part(self.matrix, self.rows[mask], self.churned[mask], self.as_of_us[mask], weights)


@dataclass(frozen=True)
class Learning:
    """What a model learns from: parts by name, and the columns of their `x`.

    `later` says which rows of the calibration part judge what was fitted on the others: those of the later half of its
    as_ofs; where it has but one, half of its customers, by a digest of their ids.

    `sampled` says how many of how many rows were taken, for the model's card; empty where all of them were.
    `customer_id` belongs to the rows of the matrix that all parts share.
    """

    parts: dict[str, Part]
    names: tuple[str, ...]
    vocabulary: dict[str, list[str]]
    dropped: dict[str, str]
    later: np.ndarray
    sampled: dict[str, Any]
    customer_id: pa.ChunkedArray

    def columns(self, rows: Part, names: tuple[str, ...]) -> np.ndarray:
        """The named features of the rows, shape `(n_rows, n_names)`: a view where they are all there are, in order."""
        if names == self.names:
            return rows.x
        return np.column_stack([rows.column(self.names.index(name)) for name in names])

    def joined(self, *names: str) -> Part:
        """Several parts as one, in the given order."""
        chosen = [self.parts[name] for name in names]
        weights = [part.weights for part in chosen if part.weights is not None]
        return Part(
            chosen[0].matrix,
            np.concatenate([part.rows for part in chosen]),
            np.concatenate([part.churned for part in chosen]),
            np.concatenate([part.as_of_us for part in chosen]),
            np.concatenate(weights) if weights else None,
        )


def learning(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    rows_most: int | None,
    seed: int,
    least: Least,
) -> Learning:
    """The parts that a model may learn from, without the features that tell nothing in the train part.

    Parameters
    ----------
    features : pa.Table or iterable of pa.Table
        FEATURES, whole or in pieces, or `Vouched`. Only the rows that are learnt from are kept, once, as one matrix.
    snapshots : pa.Table
        SNAPSHOTS: the same rows in the same order.
    split : pa.Table
        SPLIT: which part each `as_of` plays.
    rows_most : int or None
        Of more matured snapshots than this a sample is taken, see `churn.core.model.sample`; None takes all.
    seed : int
        Of the sample.
    least : Least
        What there must be of each part.

    Raises
    ------
    NotEnoughData
        A part has too few snapshots, or nobody in it churned, or everybody did.
    GateFault
        One feature alone, for which nobody vouches, ranks the churners nearly perfectly: it was recorded after the
        outcome.
    """
    masks = _masks(snapshots, split)
    for part in LEARNING:
        check_enough(part, snapshots.filter(pa.array(masks[part])), least)
    outcomes = snapshots.filter(pa.array(masks[MATURED]))
    churned, as_of_us = outcomes["churned"].to_numpy().astype(bool), outcomes["as_of"].cast(pa.int64()).to_numpy()
    places, weights, sampled = np.flatnonzero(masks[MATURED]), None, {}
    if rows_most is not None and len(places) > rows_most:
        taken = sample(outcomes["customer_id"], as_of_us, churned, rows_most=rows_most, seed=seed)
        sampled = _counted(taken, churned)
        places, weights = places[taken.drawn], taken.weights
        churned, as_of_us = churned[taken.drawn], as_of_us[taken.drawn]
        outcomes = outcomes.filter(pa.array(taken.drawn))
    chosen = np.zeros(snapshots.num_rows, bool)
    chosen[places] = True
    found = panel(features, snapshots, chosen)
    rows = {part: np.flatnonzero(mask[places]) for part, mask in masks.items()}
    matrix, names, vocabulary, dropped = telling(found, rows["train"])
    parts = {
        part: Part(matrix, of, churned[of], as_of_us[of], None if weights is None else weights[of])
        for part, of in rows.items()
    }
    vouched = features.names if isinstance(features, Vouched) else frozenset()
    check_leaks(parts["train"].column, parts["train"].churned, names, vouched)
    held_out = snapshots["customer_id"].take(pa.array(places[rows["calibration"]]))
    is_later = later(held_out, parts["calibration"].as_of_us)
    return Learning(parts, names, vocabulary, dropped, is_later, sampled, outcomes["customer_id"])


def described(known: Learning) -> dict[str, Any]:
    """For the model's card: of each part rows, churners, base rate and dates; the sample; and what to look into."""
    parts = {name: _described(part) for name, part in known.parts.items()}
    return {"parts": parts, "sampled": known.sampled, "warnings": _warnings(known)}


def _warnings(known: Learning) -> list[str]:
    """A sentence for each attribute that has more values than get a code of their own."""
    said, train = [], known.parts["train"]
    for name, values in known.vocabulary.items():
        if values[-1] != encoding.OTHER:
            continue
        rest = int(np.sum(train.column(known.names.index(name)) == len(values) - 1))
        said.append(
            message(
                f"the attribute {name} has more than {encoding.VALUES_MOST} values; the rarer ones are one, other",
                many=f"{rest:,} of {len(train.churned):,} training rows",
                do="declare a coarser column in conf/data/, such as a region for a town",
            )
        )
    return said


def narrowed_to(
    features: pa.Table | Iterable[pa.Table], wanted: Callable[[str], bool], why: str
) -> pa.Table | Iterable[pa.Table]:
    """FEATURES with nothing but the wanted columns, whole or in pieces as it came: what is not read costs nothing.

    Raises
    ------
    NotEnoughData
        There is none; `why` says what they would have been.
    """

    def narrow(piece: pa.Table) -> pa.Table:
        names = [name for name in piece.column_names if name not in FEATURES.key]
        kept = [name for name in names if wanted(name)]
        if not kept:
            raise NotEnoughData(f"none of {len(names)} features {why}")
        return piece.select([*FEATURES.key, *kept])

    if isinstance(features, Vouched):
        return Vouched(map(narrow, features), features.names)
    return narrow(features) if isinstance(features, pa.Table) else map(narrow, features)


def few(part: Part) -> bool:
    """Whether there are too few churners or stayers to judge by."""
    churners = int(part.churned.sum())
    return min(churners, len(part.churned) - churners) < JUDGING_LEAST


def _described(part: Part) -> dict[str, Any]:
    if not len(part.churned):
        return {"rows": 0, "churners": 0}
    return {
        "rows": len(part.churned),
        "churners": int(part.churned.sum()),
        "base_rate": float(np.average(part.churned, weights=part.weights)),
        "as_of_from": iso(part.as_of_us.min()),
        "as_of_until": iso(part.as_of_us.max()),
    }


def _masks(snapshots: pa.Table, split: pa.Table) -> dict[str, np.ndarray]:
    """Of each part, and of all that matured before the test, which snapshots belong to it."""
    dates = {part: split.filter(pc.equal(split["part"], part)) for part in ("test", *LEARNING)}
    as_ofs = {part: dates[part]["as_of"].combine_chunks() for part in LEARNING}
    learnt = pc.is_in(split["part"], value_set=pa.array(LEARNING))
    if dates["test"].num_rows:
        # The embargo keeps early stopping and calibration honest. Once they are done, it only keeps outcomes from the
        # refit.
        between = pc.and_(
            pc.equal(split["part"], "embargo"), pc.less_equal(split["outcome_until"], pc.min(dates["test"]["as_of"]))
        )
        learnt = pc.or_(learnt, between)
    as_ofs[MATURED] = split.filter(learnt)["as_of"].combine_chunks()
    known = pc.is_valid(snapshots["churned"])
    return {
        part: pc.and_(known, pc.is_in(snapshots["as_of"], value_set=dates_of)).to_numpy()
        for part, dates_of in as_ofs.items()
    }


def _counted(taken: Sample, churned: np.ndarray) -> dict[str, Any]:
    """Rows, and the least and greatest weight, of churners and of stayers."""
    outcomes = {"churners": churned, "stayers": ~churned}
    weights = {name: taken.weights[outcome[taken.drawn]] for name, outcome in outcomes.items()}
    return {
        "rows": int(taken.drawn.sum()),
        "of_rows": len(churned),
        **{
            name: {
                "rows": len(weights[name]),
                "of_rows": int(outcome.sum()),
                "weight_from": float(weights[name].min()),
                "weight_until": float(weights[name].max()),
            }
            for name, outcome in outcomes.items()
        },
    }

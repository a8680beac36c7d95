"""Rows: what an evaluation takes from the features table, in one pass over its pieces.

Of a million customers the table does not fit into memory. What is judged is one as_of of many, and the baselines look
at a few columns: of each piece these are kept, with the margins of its test rows, and the rest is let go.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.evaluation.influence import chosen
from churn.core.model import Model, margins, spread
from churn.core.model.rule import TIME
from churn.words.errors import ConfigFault, Fault, NotEnoughData
from churn.words.tables import CODE, FEATURES


@dataclass(frozen=True)
class Rows:
    """What is left of the features table.

    Attributes
    ----------
    learning, outcomes : pa.Table
        FEATURES, with the baselines' columns only, and SNAPSHOTS of the matured snapshots before the test, row by row
        the same.
    tested : pa.Table
        FEATURES of the test part, with the baselines' columns and those that it is cut into slices by.
    churned, margins, spread : np.ndarray
        Outcome (bool), the judged model's margin, and how far its members are apart, of each row of `tested`.
    sample : pa.Table
        FEATURES of some rows of the test part, with all columns.
    time_features : tuple of str
        The columns that a time rule may choose from.
    slices : tuple of str
        The columns that the test part is cut into slices by: the wanted ones, and every attribute.
    """

    learning: pa.Table
    outcomes: pa.Table
    tested: pa.Table
    churned: np.ndarray
    margins: np.ndarray
    spread: np.ndarray
    sample: pa.Table
    time_features: tuple[str, ...]
    slices: tuple[str, ...]


def gathered(
    features: Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    learnt: Model,
    *,
    rfm: tuple[str, ...],
    vouched: tuple[str, ...],
    slices: tuple[str, ...],
    baseline_rows: int,
    influence_rows: int,
    seed: int,
) -> Rows:
    """The rows that the evaluation needs; the parameters are those of `churn.core.evaluation.evaluation`.

    Raises
    ------
    NotEnoughData
        If the test part has churners only, or none.
    ConfigFault
        If `rfm`, `vouched` or `slices` names a feature that the table does not have.
    Fault
        If the rows of `features` are not those of `snapshots`.
    """
    known = pc.is_valid(snapshots["churned"]).to_numpy()
    as_ofs, as_of_us = _test_as_ofs(split), snapshots["as_of"].cast(pa.int64()).to_numpy()
    inside = known & np.isin(as_of_us, as_ofs)
    churned = _both_outcomes(snapshots["churned"].filter(pa.array(inside)).to_numpy().astype(bool))
    before = _some(known & (as_of_us < as_ofs.min()), baseline_rows, seed)
    shown = _some(inside, influence_rows, seed)
    learning, tested, sample, found, apart, start = [], [], [], [], [], 0
    names: list[str] = []
    cut: tuple[str, ...] = ()
    for piece in features:
        here = slice(start, start + piece.num_rows)
        start = here.stop
        if not np.array_equal(piece["as_of"].cast(pa.int64()).to_numpy(), as_of_us[here]):
            raise Fault(f"rows {here.start:,} to {here.stop:,} of features are not those of snapshots, in their order")
        simple = (*_known("rfm", rfm, piece), *_known("vouched", vouched, piece))
        names = names or [*FEATURES.key, *dict.fromkeys((*_time_features(piece), *simple))]
        cut = cut or tuple(dict.fromkeys((*_known("slices", slices, piece), *_attributes(piece))))
        learning.append(piece.select(names).filter(pa.array(before[here])))
        tested.append(piece.select(list(dict.fromkeys((*names, *cut)))).filter(pa.array(inside[here])))
        sample.append(piece.filter(pa.array(shown[here])))
        if inside[here].any():
            rows = piece.filter(pa.array(inside[here]))
            found.append(margins(learnt, rows))
            apart.append(spread(learnt, rows))
    if start != len(known):
        raise Fault(f"{start:,} rows of features for {len(known):,} snapshots")
    whole = _joined(learning)
    outcomes = whole.select(FEATURES.key).append_column("churned", snapshots["churned"].filter(pa.array(before)))
    times = tuple(_time_features(whole))
    margin, spreads = np.concatenate(found), np.concatenate(apart)
    return Rows(whole, outcomes, _joined(tested), churned, margin, spreads, _joined(sample), times, cut)


def _test_as_ofs(split: pa.Table) -> np.ndarray:
    """The dates of the test part, in microseconds."""
    return split.filter(pc.equal(split["part"], "test"))["as_of"].cast(pa.int64()).to_numpy()


def _both_outcomes(churned: np.ndarray) -> np.ndarray:
    """The outcomes, once both occur among them."""
    if churned.all() or not churned.any():
        raise NotEnoughData(
            f"{int(churned.sum())} of {len(churned)} customers of the test part churned; it takes both outcomes to "
            f"judge a model. Raise split.test_as_ofs, or change definition.horizon_days"
        )
    return churned


def _some(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most `most` of the rows that are true, as a mask of the same shape."""
    places = np.flatnonzero(rows)
    mask = np.zeros_like(rows)
    mask[places[chosen(len(places), most=most, seed=seed)]] = True
    return mask


def _time_features(features: pa.Table) -> list[str]:
    """The features that a time rule may choose from."""
    return [name for name in features.column_names if name.startswith(TIME)]


def _attributes(features: pa.Table) -> list[str]:
    """The attributes of customers that the data set declares."""
    return [field.name for field in features.schema if field.type == CODE]


def _known(key: str, names: tuple[str, ...], features: pa.Table) -> list[str]:
    """The names that the configuration's key gives, once the table has every one of them."""
    absent = [name for name in names if name not in features.column_names]
    if absent:
        near = get_close_matches(absent[0], features.column_names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ", as docs/features.md lists them"
        raise ConfigFault(
            f"evaluation.{key} names {len(absent)} of {len(names)} features that the data set does not have: "
            f"{', '.join(absent)}. Name features of the table{hint}"
        )
    return list(names)


def _joined(pieces: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(pieces).unify_dictionaries().combine_chunks()

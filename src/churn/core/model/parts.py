"""The matured snapshots of each part as numbers, once there are enough of them and none of them tells too much."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.model import encoding
from churn.words.errors import Fault, GateFault, NotEnoughData
from churn.words.tables import FEATURES

LEARNING = ("train", "validation", "calibration")
"""The parts that a model may see. The test part is not even read."""
MATURED = "matured"
"""All of them, and the embargo between them: every snapshot whose outcome was known at the first date of the test."""

ROWS_LEAST = 500
EACH_LEAST = 50
"""Fewer training snapshots, churners or stayers are learnt by heart."""
JUDGING_LEAST = 10
"""Fewer churners or stayers cannot tell when to stop, nor hold a map of two numbers."""

LEAK_AUC = 0.98
"""One feature that ranks churners as well as this knows the outcome: the best honest one we met reaches 0.80."""


@dataclass(frozen=True)
class Part:
    """The matured snapshots of one part: `x` of shape `(n_rows, n_features)`, float32; the others `(n_rows,)`."""

    x: np.ndarray
    churned: np.ndarray
    as_of_us: np.ndarray


@dataclass(frozen=True)
class Learning:
    """What a model learns from: parts by name, and the columns of their `x`."""

    parts: dict[str, Part]
    names: tuple[str, ...]
    vocabulary: dict[str, list[str]]
    dropped: dict[str, str]

    def joined(self, *names: str) -> Part:
        """Several parts as one, in the given order."""
        chosen = [self.parts[name] for name in names]
        return Part(
            np.concatenate([part.x for part in chosen]),
            np.concatenate([part.churned for part in chosen]),
            np.concatenate([part.as_of_us for part in chosen]),
        )


def learning(features: pa.Table, snapshots: pa.Table, split: pa.Table) -> Learning:
    """The parts that a model may learn from, without the features that tell nothing in the train part.

    Parameters
    ----------
    features, snapshots : pa.Table
        FEATURES and SNAPSHOTS: the same rows in the same order.
    split : pa.Table
        SPLIT: which part each `as_of` plays.

    Raises
    ------
    NotEnoughData
        A part has too few snapshots, or nobody in it churned, or everybody did.
    GateFault
        One feature alone ranks the churners nearly perfectly: it was recorded after the outcome.
    """
    _check_same_rows(features, snapshots)
    masks = _masks(snapshots, split)
    for part in LEARNING:
        _check_enough(part, snapshots.filter(masks[part]))
    train = features.filter(masks["train"])
    names, vocabulary = encoding.feature_names(features), encoding.vocabulary(train)
    numbers = encoding.matrix(train, names, vocabulary)
    dropped = encoding.dropped(numbers, names)
    kept = tuple(name for name in names if name not in dropped)
    if not kept:
        raise NotEnoughData(f"none of {len(names)} features differs between the {train.num_rows:,} training snapshots")
    del train, numbers  # on a large panel they are gigabytes, and the parts are as many again
    vocabulary = {name: vocabulary[name] for name in kept if name in vocabulary}
    parts = {
        part: _part(features.filter(mask), snapshots.filter(mask), kept, vocabulary) for part, mask in masks.items()
    }
    _check_leaks(parts["train"], kept)
    return Learning(parts, kept, vocabulary, dropped)


def describe(part: Part) -> dict:
    """Rows, churners, base rate, and the first and last `as_of` of a part, for the model's card."""
    return {
        "rows": len(part.churned),
        "churners": int(part.churned.sum()),
        "base_rate": float(part.churned.mean()),
        "as_of_from": iso(part.as_of_us.min()),
        "as_of_until": iso(part.as_of_us.max()),
    }


def iso(instant_us: int) -> str:
    """An instant as text, in UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(instant_us))).isoformat()


def auc(values: np.ndarray, churned: np.ndarray, *, null_last: bool = True) -> float:
    """Probability that a churner has a higher value than a stayer, ties counting half.

    Null counts as higher than every value (`null_last`), or lower than every one.
    """
    filled = np.where(np.isnan(values), np.inf if null_last else -np.inf, values)
    _, place, count = np.unique(filled, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    positives = int(churned.sum())
    above = ranks[churned].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(churned) - positives)))


def _masks(snapshots: pa.Table, split: pa.Table) -> dict[str, pa.Array]:
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
    return {part: pc.and_(known, pc.is_in(snapshots["as_of"], value_set=dates_of)) for part, dates_of in as_ofs.items()}


def _part(features: pa.Table, snapshots: pa.Table, names: tuple[str, ...], vocabulary: dict[str, list[str]]) -> Part:
    return Part(
        encoding.matrix(features, names, vocabulary),
        snapshots["churned"].to_numpy().astype(bool),
        snapshots["as_of"].cast(pa.int64()).to_numpy(),
    )


def _check_same_rows(features: pa.Table, snapshots: pa.Table) -> None:
    if any(not features[name].equals(snapshots[name]) for name in FEATURES.key):
        raise Fault(
            f"{features.num_rows:,} rows of features are not those of {snapshots.num_rows:,} snapshots, in their order"
        )


def _check_enough(part: str, snapshots: pa.Table) -> None:
    rows = snapshots.num_rows
    churners = pc.sum(snapshots["churned"]).as_py() or 0
    wanted_rows, wanted_each = (ROWS_LEAST, EACH_LEAST) if part == "train" else (0, JUDGING_LEAST)
    if rows >= max(wanted_rows, 1) and churners >= wanted_each and rows - churners >= wanted_each:
        return
    between = ""
    if rows:
        first, last = (iso(pick(snapshots["as_of"].cast(pa.int64())).as_py())[:10] for pick in (pc.min, pc.max))
        between = f" between {first} and {last}"
    raise NotEnoughData(
        f"{churners:,} churners and {rows - churners:,} stayers among {rows:,} matured snapshots of the {part} part"
        f"{between}; needed are {wanted_each} of each and {max(wanted_rows, 2 * wanted_each)} in all. "
        "More as_ofs (conf: snapshots.every_days, split), a longer horizon_days or more customers help"
    )


def _check_leaks(train: Part, names: tuple[str, ...]) -> None:
    leaks = []
    for j, name in enumerate(names):
        reached = [auc(train.x[:, j], train.churned, null_last=last) for last in (True, False)]
        best = max(max(a, 1 - a) for a in reached)
        if best > LEAK_AUC:
            leaks.append(f"{name} (AUC {best:.3f})")
    if leaks:
        raise GateFault(
            f"{len(leaks)} of {len(names)} features alone tell who churned: {', '.join(leaks[:5])}, limit {LEAK_AUC}. "
            "They know the outcome; check recorded_at of their source in conf/data"
        )

"""What was learnt from matured snapshots, and its answer for any snapshot: margin, score, contributions.

Every kind of model fits the same door. The rows of a features table are encoded here, by name, in training and in
scoring alike, so the order of columns and rows does not matter.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from churn.core.model import bg_nbd, blend, boosted, encoding, ladder, logistic, own_mean, rule
from churn.core.model.calibration import calibrated
from churn.core.model.enough import TooFewToLearnError
from churn.core.model.files import Model, files, read, version
from churn.core.model.intervals import ends
from churn.core.model.panel import Vouched
from churn.words.errors import NotEnoughData

__all__ = [
    "MODELS",
    "Model",
    "contributions",
    "files",
    "interval",
    "margins",
    "model",
    "read",
    "score",
    "spread",
    "unseen",
    "version",
]

_KINDS = {
    "lightgbm": boosted,
    "logistic": logistic,
    "bg_nbd": bg_nbd,
    "own_mean": own_mean,
    "rule": rule,
    "blend": blend,
}

_MEMBERS = {"lightgbm": boosted}
"""The kinds that are means of members, which may be of different minds about a customer."""

MODELS = {"ladder": ladder.fit} | {kind: module.fit for kind, module in _KINDS.items()}
"""The function that each `kind` of the config section `model` feeds. A ladder gives a model of its rung's kind."""


def model(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    vouched: Collection[str] = (),
    step_down: Mapping[str, Any] | None = None,
    **section: Any,
) -> Model:
    """The model that the section's `kind` asks for, learnt from the train, validation and calibration parts.

    Parameters
    ----------
    features : pa.Table or iterable of pa.Table
        FEATURES, whole or in pieces. Pieces are asked for once and let go, so the table is never whole in memory.
    snapshots, split : pa.Table
        SNAPSHOTS, row by row the same as the features, and SPLIT.
    vouched : collection of str
        Features that may tell the outcome as well as they like, since somebody knows that they are recorded before it.
    step_down : mapping, optional
        Another section, which is taken where there are too few churners for this one; `notes` in the card then says so.
    **section
        The keyword arguments of `MODELS[kind]`.

    Raises
    ------
    NotEnoughData
        There are too few churners for either.
    GateFault
        A feature alone tells who churned, and nobody vouches for it.
    """
    features = Vouched(features, frozenset(vouched)) if vouched else features
    try:
        return MODELS[section["kind"]](features, snapshots, split, **section)
    except TooFewToLearnError as fault:
        # What there is of each part is looked at before any piece of the features is asked for.
        if step_down is None or step_down["kind"] == section["kind"]:
            raise
        lacking = fault.said
    try:
        found = MODELS[step_down["kind"]](features, snapshots, split, **step_down)
    except NotEnoughData as fault:
        raise NotEnoughData(f"{lacking}. Of a simpler model: {fault}") from fault
    why = found.card["ladder"]["en"] if "ladder" in found.card else f"It is {found.kind}."
    note = f"there are too few churners for model={section['kind']}, so a simpler model was learnt. {why}"
    return replace(found, card={**found.card, "notes": [note]})


def margins(model: Model, features: pa.Table) -> np.ndarray:
    """Log-odds of churned of each row, before calibration, shape `(n_rows,)`.

    Raises
    ------
    IntegrityFault
        The table lacks a feature of the model, or has it with another type.
    """
    return _KINDS[model.kind].margins(model, _matrix(model, features))


def score(model: Model, margins: np.ndarray) -> np.ndarray:
    """Calibrated probability of churned of each margin, shape `(n_rows,)`."""
    return calibrated(model.calibration, margins)


def spread(model: Model, features: pa.Table) -> np.ndarray:
    """How far the members of the model are apart about each row, in log-odds, shape `(n_rows,)`; 1 without members."""
    if model.kind not in _MEMBERS:
        return np.ones(features.num_rows)
    return _MEMBERS[model.kind].spread(model, _matrix(model, features))


def interval(model: Model, score: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end of the interval of each score, see `churn.core.model.intervals`; low <= score <= high."""
    return ends(model.calibration["interval"], score, spread)


def contributions(model: Model, features: pa.Table) -> np.ndarray:
    """What each feature adds to the margin of each row, in log-odds, shape `(n_rows, n_features + 1)`.

    Columns are those of `model.features`, then the base. They add up to the margin.
    """
    return _KINDS[model.kind].contributions(model, _matrix(model, features))


def unseen(model: Model, features: pa.Table) -> dict[str, int]:
    """Attribute column → rows whose value the model never met, and therefore takes as not known."""
    return encoding.unseen(features, model.vocabulary)


def _matrix(model: Model, features: pa.Table) -> np.ndarray:
    return encoding.matrix(features, model.features, model.vocabulary)

"""Day: the list that would have been made on one day, beside the lists of the baselines, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from churn.core.backtest.dates import Plan
from churn.core.backtest.world import World
from churn.core.definitions import Definition
from churn.core.model import Model, interval, margins, model, score, spread
from churn.core.model.calibration import Kind
from churn.core.model.rule import TIME
from churn.core.risk_list import expected_value
from churn.core.split import split
from churn.words.errors import NotEnoughData
from churn.words.tables import FEATURES

MODELS = ("model", "rule", "logistic")
"""The model of the section, the best time rule, and the logistic regression on RFM features."""


@dataclass(frozen=True)
class Settings:
    """The sections of conf/ that a run is made with."""

    definition: Definition
    parts: Mapping[str, Any]
    model: Mapping[str, Any]
    rfm: tuple[str, ...]
    rfm_l2: float
    vouched: tuple[str, ...]
    calibration: Kind
    seed: int
    value_features: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """All customers on the list of one day.

    Attributes
    ----------
    as_of : int
        Microseconds.
    customers : pa.Array
        Their ids, ascending, shape `(n_customers,)` as all others.
    churned, known : ndarray of bool
        The outcome, and whether it is known by now; false where it is not.
    value : ndarray of float64
        Money that the customer is expected to bring in the horizon, as the list has it.
    tenure_days : ndarray of float64
        NaN where the features do not say.
    scores : dict of str to ndarray
        One of `MODELS` → probabilities.
    ends : tuple of ndarray
        Low and high end of the interval of the model's scores.
    learnt : Model
        The model that a run of that day would have had.
    rule : str
        The feature of the time rule.
    """

    as_of: int
    customers: pa.Array
    churned: np.ndarray
    known: np.ndarray
    value: np.ndarray
    tenure_days: np.ndarray
    scores: dict[str, np.ndarray]
    ends: tuple[np.ndarray, np.ndarray]
    learnt: Model
    rule: str


def day(there: World, when: Plan, as_of: int, settings: Settings) -> Day:
    """The day's list: split, trained and calibrated on what was known then, scored on the features of that day.

    Raises
    ------
    NotEnoughData, DriftFault, GateFault
        What would have stopped a run on that day.
    """
    learning, outcomes, parts = _known(there, when, as_of, settings)
    learnt = model(learning, outcomes, parts, vouched=settings.vouched, **settings.model)
    few = _columns(learning, [name for name in learning.column_names if name.startswith(TIME)])
    rule = model(few, outcomes, parts, vouched=settings.vouched, kind="rule", calibration=settings.calibration)
    simple = tuple(dict.fromkeys((*settings.rfm, *settings.vouched)))
    logistic = model(
        _columns(learning, simple),
        outcomes,
        parts,
        vouched=settings.vouched,
        kind="logistic",
        features_used=simple,
        seed=settings.seed,
        rows_most=None,
        l2=settings.rfm_l2,
        refit=True,
        calibration=settings.calibration,
    )
    now, truth = there.at(as_of)
    ids = truth["customer_id"].combine_chunks()
    known = truth["churned"].is_valid().to_numpy()
    churned = truth["churned"].fill_null(False).to_numpy().astype(bool)
    _check_outcomes(churned[known])
    by = (learnt, rule, logistic)
    scores = {name: score(one, margins(one, now)) for name, one in zip(MODELS, by, strict=True)}
    return Day(
        as_of,
        ids,
        churned,
        known,
        expected_value(now, ids, settings.value_features, settings.definition.horizon_days),
        _tenure(now),
        scores,
        interval(learnt, scores["model"], spread(learnt, now)),
        learnt,
        rule.features[0],
    )


def model_of(there: World, when: Plan, as_of: int, settings: Settings) -> Model:
    """The model that a run of that day would have had; raises what `day` raises."""
    return model(*_known(there, when, as_of, settings), vouched=settings.vouched, **settings.model)


def _known(there: World, when: Plan, as_of: int, settings: Settings) -> tuple[pa.Table, pa.Table, pa.Table]:
    """FEATURES, SNAPSHOTS and SPLIT of a run made on that day."""
    learning, outcomes = there.on(as_of, when.dates[as_of])
    parts = split(outcomes, observed_until=as_of, definition=settings.definition, **settings.parts)
    return learning, outcomes, parts


def _check_outcomes(churned: np.ndarray) -> None:
    if churned.all() or not churned.any():
        raise NotEnoughData(f"{int(churned.sum())} of {len(churned)} customers left, so nothing tells lists apart")


def _columns(features: pa.Table, names: list[str] | tuple[str, ...]) -> pa.Table:
    return features.select([*FEATURES.key, *names])


def _tenure(features: pa.Table) -> np.ndarray:
    if "tenure_days" not in features.column_names:
        return np.full(features.num_rows, np.nan)
    return features["tenure_days"].to_numpy(zero_copy_only=False).astype(np.float64)

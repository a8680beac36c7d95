"""The log loss of settings: fold by fold, and of the winner beside the settings in use on a date of its own."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from churn.core.metrics import SMALLEST
from churn.core.model.boosters import age_weights, complete
from churn.core.model.regression import sigmoid
from churn.core.tuning.folds import Fold
from churn.words.settings import Values

if TYPE_CHECKING:
    import lightgbm

LIGHTGBM = ("max_bin", "bagging_fraction", "seed")
"""What every trial takes from the section `model` as it is."""


class Loss(NamedTuple):
    """Log loss of the best round on the judged date, and that round."""

    loss: float
    rounds: int


def losses(folds: Sequence[Fold], section: Mapping[str, Any], values: Values) -> Iterator[Loss]:
    """The loss of each fold in turn, so that a search may stop between two of them.

    Each booster stops early on the date that judges it, as in training; the least loss of a fold is therefore a little
    too good, and for all settings alike.
    """
    import lightgbm

    parameters = _parameters(section, values)
    for fold in folds:
        booster = lightgbm.train(
            complete(parameters),
            _weighted(fold, values),
            num_boost_round=section["rounds_most"],
            valid_sets=[fold.judged],
            callbacks=[lightgbm.early_stopping(section["patience"], verbose=False)],
        )
        yield Loss(float(booster.best_score["valid_0"]["binary_logloss"]), int(booster.best_iteration))


def confirmed(
    fold: Fold,
    section: Mapping[str, Any],
    *,
    best: Values,
    best_rounds: Sequence[int],
    current: Values,
    current_rounds: Sequence[int],
    interval: float,
) -> dict[str, Any]:
    """Both settings on a date that the search has not seen: losses, and the paired difference with its interval.

    Both learn with the median number of rounds that they took on the folds, so nothing is fitted to this date. The
    interval is that of a mean of paired differences, one a customer (central limit theorem).
    """
    outcome = fold.judge.churned
    weights = np.ones(len(outcome)) if fold.judge.weights is None else fold.judge.weights
    found = [
        _row_losses(_scores(fold, section, values, int(median(rounds))), outcome)
        for values, rounds in ((best, best_rounds), (current, current_rounds))
    ]
    difference = found[0] - found[1]
    mean = float(np.average(difference, weights=weights))
    error = float(np.sqrt((weights**2 * (difference - mean) ** 2).sum()) / weights.sum())
    half = NormalDist().inv_cdf((1 + interval) / 2) * error
    return {
        "n": len(outcome),
        "churners": int(outcome.sum()),
        "best": float(np.average(found[0], weights=weights)),
        "current": float(np.average(found[1], weights=weights)),
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "interval": interval,
    }


def _scores(fold: Fold, section: Mapping[str, Any], values: Values, rounds: int) -> np.ndarray:
    """Probabilities of the judged rows: of the mean margin of as many boosters as the section averages."""
    import lightgbm

    parameters, train = _parameters(section, values), _weighted(fold, values)
    margins = [
        lightgbm.train(complete({**parameters, "seed": section["seed"] + i}), train, num_boost_round=rounds).predict(
            fold.judge.x, raw_score=True
        )
        for i in range(section["seeds"])
    ]
    return sigmoid(np.mean(margins, axis=0))


def _row_losses(p: np.ndarray, churned: np.ndarray) -> np.ndarray:
    return -np.log(np.clip(np.where(churned, p, 1 - p), SMALLEST, 1.0))


def _parameters(section: Mapping[str, Any], values: Values) -> dict[str, Any]:
    chosen = {name: value for name, value in values.items() if name != "half_life_days"}
    return {**{name: section[name] for name in LIGHTGBM}, **chosen, "feature_pre_filter": False}


def _weighted(fold: Fold, values: Values) -> "lightgbm.Dataset":
    """The fold's training rows, which now have the weights of that half-life."""
    weights = age_weights(fold.rows, values["half_life_days"])
    # Not `set_weight`, which leaves the weights of the trial before where there are none.
    fold.train.set_field("weight", None if weights is None else weights.astype(np.float32))
    return fold.train

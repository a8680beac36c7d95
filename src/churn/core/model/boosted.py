"""Gradient-boosted trees: LightGBM's native booster, stored as its model text."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
from annotated_types import Ge, Gt, Le

from churn.core import shapley
from churn.core.model import trees
from churn.core.model.calibration import Kind, fit_map, moved
from churn.core.model.files import Model
from churn.core.model.parts import MATURED, Learning, Part, describe, learning
from churn.words.errors import IntegrityFault
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    import lightgbm

THREADS = 1
"""Threads of one training. Trees are the same for any number, but threads meet after every split: on two cores that
others use as well, two threads took 42 s for what one did in 4 s (20,000 rows, 150 features, 300 trees)."""
WORKERS = 2
"""Boosters that are trained side by side, and threads that score: these meet once, at the end."""
ROWS_ALONE = 1000
"""Up to so many rows one thread scores: there is nothing to share out."""


def fit(
    features: pa.Table,
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["lightgbm"],
    seed: Annotated[int, Ge(0)],
    seeds: Annotated[int, Ge(1), Le(20)],
    rounds_most: Annotated[int, Ge(1)],
    patience: Annotated[int, Ge(1)],
    learning_rate: Annotated[float, Gt(0), Le(1)],
    num_leaves: Annotated[int, Ge(2)],
    min_data_in_leaf: Annotated[int, Ge(1)],
    feature_fraction: Annotated[float, Gt(0), Le(1)],
    bagging_fraction: Annotated[float, Gt(0), Le(1)],
    lambda_l2: Annotated[float, Ge(0)],
    half_life_days: Annotated[float, Gt(0)] | None,
    refit: bool,
    calibration: Kind,
) -> Model:
    """The mean of `seeds` boosters, with the calibration of their margins.

    Each booster learns from the train part and stops where the log loss of the validation part was least. The
    calibration map is fitted on the calibration part, which no booster has seen by then.

    Refitting trains the boosters once more, with the number of rounds found, on all snapshots that matured before the
    first test date: the train, validation and calibration parts and the embargo between them. It keeps the map, moved
    by the difference of the mean margins of the calibration part. It is worth it since the newest snapshots resemble
    those to be scored most, and with few as-of dates the later parts are half of the data. The price:
    nobody has seen the refitted margins out of sample, so the slope of the map is that of a slightly weaker model.
    More rows make margins a little truer, so scores err towards the base rate; the test part shows by how much.

    Parameters
    ----------
    features, snapshots, split : pa.Table
        FEATURES and SNAPSHOTS, row by row the same, and SPLIT.
    kind : {"lightgbm"}
        Chooses this function.
    seed : int
        Seed of the first booster; the others count on from it.
    seeds : int
        Boosters to average. They differ by the rows and features that chance offers to each tree; scoring time grows
        in proportion.
    rounds_most, patience : int
        Trees at most, and rounds without a better log loss in the validation part after which no more are tried.
    learning_rate, num_leaves, min_data_in_leaf, feature_fraction, bagging_fraction, lambda_l2 : float or int
        As LightGBM means them. A customer gives a row an as_of, so a leaf of n rows holds far fewer customers.
    half_life_days : float or None
        Age, against the newest as_of that is learnt from, at which a snapshot counts half; None: all count the same.
    refit : bool
        Whether to learn from all that matured before the test in the end.
    calibration : {"platt", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`.
    """
    parameters = {
        "learning_rate": learning_rate,
        "num_leaves": num_leaves,
        "min_data_in_leaf": min_data_in_leaf,
        "feature_fraction": feature_fraction,
        "bagging_fraction": bagging_fraction,
        "lambda_l2": lambda_l2,
    }
    known = learning(features, snapshots, split)
    many = [{**parameters, "seed": seed + i} for i in range(seeds)]
    first, again = _boosters(known, many, rounds_most, patience, half_life_days, refit=refit)
    rounds = [booster.best_iteration for booster in first]
    body = trees.mean_of([booster.model_to_string() for booster in first])
    held_out = known.parts["calibration"]
    before = _margins(body, known.names, held_out.x)
    fitted = fit_map(before, held_out.churned, kind=calibration)
    if refit:
        body = trees.mean_of([booster.model_to_string() for booster in again])
        fitted = moved(fitted, float((_margins(body, known.names, held_out.x) - before).mean()))
    card = {
        "parts": {name: describe(part) for name, part in known.parts.items()},
        "learnt_from": MATURED if refit else "train",
        "rounds": rounds,
        "parameters": {
            **parameters,
            "seed": seed,
            "seeds": seeds,
            "rounds_most": rounds_most,
            "patience": patience,
            "half_life_days": half_life_days,
            "refit": refit,
            "calibration": calibration,
        },
    }
    return Model(kind, known.names, known.vocabulary, known.dropped, body, fitted, card)


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has the columns of `model.features`."""
    return _margins(model.body, model.features, x)


def contributions(model: Model, x: np.ndarray) -> np.ndarray:
    """SHAP values in log-odds, shape `(n_rows, n_features + 1)`; the last column is the base.

    The path-dependent ones of Lundberg et al., From local explanations to global understanding with explainable AI
    for trees, 2020: what `shap.TreeExplainer` gives without background data. `churn.core.shapley` computes them;
    LightGBM does, many times slower, for a model of a kind that it does not know.
    """
    forest = _forest(model.body, model.features)
    if forest is None:
        booster = _booster(model.body, model.features)
        return np.asarray(booster.predict(x, pred_contrib=True, num_threads=_threads(x)))
    return shapley.contributions(forest, x, threads=_threads(x))


def _margins(body: str, features: tuple[str, ...], x: np.ndarray) -> np.ndarray:
    return np.asarray(_booster(body, features).predict(x, raw_score=True, num_threads=_threads(x)))


def _threads(x: np.ndarray) -> int:
    return WORKERS if len(x) > ROWS_ALONE else 1


def _boosters(
    known: Learning, many: list[dict], most: int, patience: int, half_life: float | None, *, refit: bool
) -> "tuple[list[lightgbm.Booster], list[lightgbm.Booster]]":
    """The booster of each of the parameters that stopped early, and the refitted ones; `WORKERS` learn side by side.

    LightGBM lets go of Python's lock while it works. A refit needs the rounds of its own first booster only, which
    began before it, so no worker waits long for another.
    """
    train = _dataset(known.parts["train"], known, many[0], half_life)
    judge = _dataset(known.parts["validation"], known, many[0], None, reference=train)
    everything = _dataset(known.parts[MATURED], known, many[0], half_life) if refit else None
    with ThreadPoolExecutor(WORKERS) as workers:
        first = [workers.submit(_stopped, train, judge, one, most, patience) for one in many]
        again = [
            workers.submit(_refitted, everything, one, found)
            for one, found in zip(many, first, strict=True)
            if everything is not None
        ]
        return [found.result() for found in first], [found.result() for found in again]


@lru_cache(maxsize=2)
def _booster(body: str, features: tuple[str, ...]) -> "lightgbm.Booster":
    """The booster of a model text; kept, since reading it anew would take longer than scoring a small batch."""
    import lightgbm

    booster = lightgbm.Booster(model_str=body)
    _check_features(tuple(booster.feature_name()), features)
    return booster


@lru_cache(maxsize=2)
def _forest(body: str, features: tuple[str, ...]) -> shapley.Forest | None:
    """The arrays of a model text; None where only LightGBM can explain the model."""
    try:
        forest = shapley.forest(body)
    except shapley.UnknownTreesError:
        return None
    _check_features(forest.features, features)
    return forest


def _check_features(found: tuple[str, ...], features: tuple[str, ...]) -> None:
    if found != features:
        raise IntegrityFault("the booster was trained on other features than its card says; `churn run` trains it anew")


def _stopped(
    train: "lightgbm.Dataset", judge: "lightgbm.Dataset", parameters: dict, most: int, patience: int
) -> "lightgbm.Booster":
    """A booster of the train part whose best round is that of the validation part's least log loss."""
    import lightgbm

    return lightgbm.train(
        _all(parameters),
        train,
        num_boost_round=most,
        valid_sets=[judge],
        callbacks=[lightgbm.early_stopping(patience, verbose=False)],
    )


def _refitted(rows: "lightgbm.Dataset", parameters: dict, first: "Future[lightgbm.Booster]") -> "lightgbm.Booster":
    """A booster of as many rounds as the first one found best."""
    import lightgbm

    return lightgbm.train(_all(parameters), rows, num_boost_round=first.result().best_iteration)


def _all(parameters: dict) -> dict:
    """The parameters that the section decides, and those that make two trainings equal, whatever the threads.

    Histograms are made column by column, since a tree is offered `feature_fraction` of the columns: the same trees as
    row by row, in 55 % of the time (40,000 rows, 252 features).
    """
    return {
        **parameters,
        "objective": "binary",
        "metric": "binary_logloss",
        "bagging_freq": 1,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": THREADS,
        "verbosity": -1,
    }


def _dataset(
    part: Part,
    known: Learning,
    parameters: dict,
    half_life_days: float | None,
    reference: "lightgbm.Dataset | None" = None,
) -> "lightgbm.Dataset":
    """The part in LightGBM's bins, made once for all boosters, which only read it."""
    import lightgbm

    weight = None
    if half_life_days is not None:
        weight = 0.5 ** ((part.as_of_us.max() - part.as_of_us) / (half_life_days * DAY_US))
    return lightgbm.Dataset(
        part.x,
        label=part.churned.astype(np.float32),
        weight=weight,
        feature_name=list(known.names),
        categorical_feature=[name for name in known.names if name in known.vocabulary],
        reference=reference,
        params=_all(parameters),
    ).construct()

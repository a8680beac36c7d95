"""Gradient-boosted trees: LightGBM's native booster, stored as its model text."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from annotated_types import Ge, Gt, Le

from churn.core import shapley
from churn.core.model import trees
from churn.core.model.boosters import WORKERS, Binned, binned, boosters
from churn.core.model.calibration import Kind, Rows, calibrated, fit_map, moved
from churn.core.model.enough import MANY, ROWS_LEAST
from churn.core.model.files import Model
from churn.core.model.later import Trained
from churn.core.model.parts import MATURED, Learning, learning
from churn.words.errors import IntegrityFault

if TYPE_CHECKING:
    import lightgbm

TOLD = (
    "learning_rate",
    "num_leaves",
    "min_data_in_leaf",
    "max_bin",
    "feature_fraction",
    "bagging_fraction",
    "lambda_l2",
)
"""The parameters that are LightGBM's own."""
ROWS_ALONE = 1000
"""Up to so many rows one thread scores: there is nothing to share out."""


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["lightgbm"],  # noqa: ARG001 - it chooses this function
    seed: Annotated[int, Ge(0)],
    seeds: Annotated[int, Ge(1), Le(20)],
    rounds_most: Annotated[int, Ge(1)],
    patience: Annotated[int, Ge(1)],
    learning_rate: Annotated[float, Gt(0), Le(1)],
    num_leaves: Annotated[int, Ge(2)],
    min_data_in_leaf: Annotated[int, Ge(1)],
    max_bin: Annotated[int, Ge(2), Le(255)],
    feature_fraction: Annotated[float, Gt(0), Le(1)],
    bagging_fraction: Annotated[float, Gt(0), Le(1)],
    lambda_l2: Annotated[float, Ge(0)],
    rows_most: Annotated[int, Ge(ROWS_LEAST)] | None,
    half_life_days: Annotated[float, Gt(0)] | None,
    refit: bool,
    calibration: Kind,
) -> Model:
    """The mean of `seeds` boosters, with the calibration of their margins.

    A booster learns from the train part and stops where the log loss of the validation part was least. The calibration
    map is fitted on the calibration part, which no booster has seen by then.

    With `refit`, the first seed alone does so. Then the boosters of all seeds are trained, with the number of rounds
    found, on all snapshots that matured before the first test date: the train, validation and calibration parts and the
    embargo between them. They keep the map, moved by the difference of the mean margins of the calibration part. It is
    worth it since the newest snapshots resemble
    those to be scored most, and with few as-of dates the later parts are half of the data. The price:
    nobody has seen the refitted margins out of sample, so the slope of the map is that of a slightly weaker model.
    More rows make margins a little truer, so scores err towards the base rate; the test part shows by how much.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"lightgbm"}
        Chooses this function.
    seed : int
        Seed of the first booster; the others count on from it.
    seeds : int
        Boosters to average. They differ by the rows and features that chance offers to each tree; scoring time grows
        in proportion.
    rounds_most, patience : int
        Trees at most, and rounds without a better log loss in the validation part after which no more are tried.
    learning_rate, num_leaves, min_data_in_leaf, max_bin, feature_fraction, bagging_fraction, lambda_l2 : float or int
        As LightGBM means them. A customer gives a row an as_of, so a leaf of n rows holds far fewer customers.
    rows_most : int or None
        Matured snapshots to learn from at most; of more, a sample with weights is taken (`churn.core.model.sample`).
        What is held in memory grows with it, and not with the table. None takes all.
    half_life_days : float or None
        Age, against the newest as_of that is learnt from, at which a snapshot counts half; None: all count the same.
    refit : bool
        Whether to learn from all that matured before the test in the end.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`.
    """
    section = {
        "seed": seed,
        "seeds": seeds,
        "rounds_most": rounds_most,
        "patience": patience,
        "learning_rate": learning_rate,
        "num_leaves": num_leaves,
        "min_data_in_leaf": min_data_in_leaf,
        "max_bin": max_bin,
        "feature_fraction": feature_fraction,
        "bagging_fraction": bagging_fraction,
        "lambda_l2": lambda_l2,
        "rows_most": rows_most,
        "half_life_days": half_life_days,
        "refit": refit,
        "calibration": calibration,
    }
    rows = binned_for(learning(features, snapshots, split, rows_most=rows_most, seed=seed, least=MANY), section)
    return grown(rows, section)[0].model


def binned_for(known: Learning, section: Mapping[str, Any]) -> Binned:
    """What the boosters of a section learn from. Hand `known` over, and its matrix is let go."""
    return binned(known, _parameters(section), section["half_life_days"], refit=section["refit"])


def grown(rows: Binned, section: Mapping[str, Any]) -> tuple[Trained, str]:
    """The model, and the text of the boosters before the refit."""
    many = [{**_parameters(section), "seed": section["seed"] + i} for i in range(section["seeds"])]
    first, again = boosters(rows, many, section["rounds_most"], section["patience"])
    texts = [booster.model_to_string() for booster in first]
    body = first_body = trees.mean_of(texts)
    before = after = of_text(first_body, rows.names, rows.held_out)
    earlier = Rows(of_text(first_body, rows.names, rows.earlier), rows.earlier_churned, rows.earlier_weights)
    if again:
        texts = [booster.model_to_string() for booster in again]
        body = trees.mean_of(texts)
        after = of_text(body, rows.names, rows.held_out)
    members = [trees.counted(text) for text in texts]
    # Nobody has seen the refitted margins out of sample, so the map is that of the first boosters, and moved. Of the
    # spread the boosters in use decide.
    map_before = fit_map(
        before,
        rows.churned,
        kind=section["calibration"],
        weights=rows.weights,
        later=rows.later,
        spread=_spread(body, rows.names, members, rows.held_out),
        earlier=earlier,
    )
    fitted = moved(map_before, float(np.average(after - before, weights=rows.weights))) if again else map_before
    card = {
        **rows.card,
        "learnt_from": MATURED if again else "train",
        "calibrated_on": "calibration",
        "rounds": [booster.best_iteration for booster in first],
        "members": members,
        "parameters": {name: value for name, value in section.items() if name != "kind"},
    }
    model = Model("lightgbm", rows.names, rows.vocabulary, rows.dropped, body, fitted, card)
    return Trained(model, before, after, calibrated(map_before, before)), first_body


def _parameters(section: Mapping[str, Any]) -> dict[str, Any]:
    """What LightGBM is told of a section."""
    return {name: section[name] for name in TOLD}


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has the columns of `model.features`."""
    return of_text(model.body, model.features, x)


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


def spread(model: Model, x: np.ndarray) -> np.ndarray:
    """How far the boosters' margins of each row are apart, as a standard deviation, shape `(n_rows,)`.

    1 for every row where there is but one booster.
    """
    return _spread(model.body, model.features, model.card["members"], x)


def _spread(body: str, features: tuple[str, ...], members: list[int], x: np.ndarray) -> np.ndarray:
    """`members`: trees of each booster, in the order in which the model text has them."""
    n = len(members)
    if n < 2:
        return np.ones(len(x))
    booster, firsts = _booster(body, features), np.cumsum([0, *members])
    # Leaf values were divided by the number of boosters when their trees were put together.
    shares = [
        booster.predict(x, raw_score=True, start_iteration=int(first), num_iteration=trees_of, num_threads=_threads(x))
        for first, trees_of in zip(firsts[:-1], members, strict=True)
    ]
    return np.asarray(np.std(np.array(shares) * n, axis=0, ddof=1))


def of_text(body: str, features: tuple[str, ...], x: np.ndarray) -> np.ndarray:
    """Log-odds of each row by a model text."""
    return np.asarray(_booster(body, features).predict(x, raw_score=True, num_threads=_threads(x)))


def _threads(x: np.ndarray) -> int:
    return WORKERS if len(x) > ROWS_ALONE else 1


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

"""Logistic regression: a scikit-learn Pipeline in training, a list of terms in JSON afterwards.

What is learnt is small: a few lines of numpy apply it, so scoring needs neither scikit-learn nor a pickle.
"""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
from annotated_types import Ge, Gt

from churn.core.model.calibration import Kind, fit_map, moved
from churn.core.model.enough import ROWS_LEAST
from churn.core.model.files import Model, json_text
from churn.core.model.parts import MATURED, Learning, Part, described, learning

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["logistic"],
    seed: Annotated[int, Ge(0)],
    rows_most: Annotated[int, Ge(ROWS_LEAST)] | None,
    l2: Annotated[float, Gt(0)],
    refit: bool,
    calibration: Kind,
) -> Model:
    """A logistic regression on all features, with the calibration of its margins.

    Numbers go through a signed logarithm, nulls become the median and a 0/1 term of their own, attributes one 0/1 term
    a value; every term is scaled to mean 0 and deviation 1 in the rows that are learnt from.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"logistic"}
        Chooses this function.
    seed, rows_most : int, int or None
        Of more matured snapshots than `rows_most`, a sample with weights is taken (`churn.core.model.sample`). None
        takes all.
    l2 : float
        Strength of the ridge on the scaled coefficients, against the sum of the log loss over all rows.
    refit : bool
        Whether to learn from all that matured before the test in the end, and keep the calibration map that was
        fitted before; see `churn.core.model.boosted.fit` for the price. Without it: train and validation.
    calibration : {"chosen", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`.
    """
    known = learning(features, snapshots, split, rows_most=rows_most, seed=seed)
    first = ("train", "validation")
    body = _body(pipeline(known.joined(*first), known, l2), known)
    held_out = known.parts["calibration"]
    before = _sum(body, held_out.x)
    fitted = fit_map(before, held_out.churned, kind=calibration, weights=held_out.weights, later=known.later)
    if refit:
        body = _body(pipeline(known.parts[MATURED], known, l2), known)
        fitted = moved(fitted, float(np.average(_sum(body, held_out.x) - before, weights=held_out.weights)))
    card = {
        **described(known),
        "learnt_from": MATURED if refit else " and ".join(first),
        "parameters": {"seed": seed, "rows_most": rows_most, "l2": l2, "refit": refit, "calibration": calibration},
    }
    return Model(kind, known.names, known.vocabulary, known.dropped, json_text(body), fitted, card)


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has the columns of `model.features`."""
    return _sum(json.loads(model.body), x)


def contributions(model: Model, x: np.ndarray) -> np.ndarray:
    """Coefficient times distance from the mean, added up over the terms of a feature, in log-odds.

    Shape `(n_rows, n_features + 1)`; the last column is the base, the margin of a row of means. These are the SHAP
    values of a linear model whose features are taken as independent.
    """
    body = json.loads(model.body)
    shares = np.zeros((len(x), x.shape[1] + 1))
    shares[:, -1] = body["intercept"]
    for j, share in _shares(body, x):
        shares[:, j] += share
    return shares


def pipeline(rows: Part, known: Learning, l2: float) -> "Pipeline":
    """The fitted Pipeline, which takes `x` as float64."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers, attributes = _columns(known)
    codes = [np.arange(len(known.vocabulary[known.names[j]]), dtype=np.float64) for j in attributes]
    filled = make_pipeline(FunctionTransformer(signed_log), SimpleImputer(strategy="median", add_indicator=True))
    coded = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
    terms = ColumnTransformer([("numbers", filled, numbers), ("attributes", coded, attributes)])
    # Newton's method reaches the one optimum to the last digits; lbfgs stops on its way, elsewhere on each machine.
    model = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-8, max_iter=100)
    weights = {"standardscaler__sample_weight": rows.weights, "logisticregression__sample_weight": rows.weights}
    return make_pipeline(terms, StandardScaler(), model).fit(rows.x.astype(np.float64), rows.churned, **weights)


def signed_log(x: np.ndarray) -> np.ndarray:
    """log(1 + |x|) with the sign of x: money and counts span decades, and differences are negative."""
    return np.sign(x) * np.log1p(np.abs(x))


def _columns(known: Learning) -> tuple[list[int], list[int]]:
    numbers = [j for j, name in enumerate(known.names) if name not in known.vocabulary]
    return numbers, [j for j, name in enumerate(known.names) if name in known.vocabulary]


def _body(fitted: "Pipeline", known: Learning) -> dict:
    """The intercept and the terms in the Pipeline's order: numbers, their nulls, values of attributes."""
    numbers, attributes = _columns(known)
    imputer = fitted[0].named_transformers_["numbers"][-1]
    terms: list[dict] = [
        {"feature": known.names[j], "is": "number", "fill": float(fill)}
        for j, fill in zip(numbers, imputer.statistics_, strict=True)
    ]
    terms += [{"feature": known.names[numbers[i]], "is": "null"} for i in imputer.indicator_.features_]
    terms += [
        {"feature": known.names[j], "is": "value", "code": code}
        for j in attributes
        for code in range(len(known.vocabulary[known.names[j]]))
    ]
    places = {name: j for j, name in enumerate(known.names)}
    scaler, model = fitted[1], fitted[2]
    for term, mean, scale, weight in zip(terms, scaler.mean_, scaler.scale_, model.coef_[0], strict=True):
        term.update(column=places[term["feature"]], mean=float(mean), scale=float(scale), weight=float(weight))
    return {"intercept": float(model.intercept_[0]), "terms": terms}


def _shares(body: dict, x: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Of each term: the column of its feature, and what it adds to each row's margin."""
    for term in body["terms"]:
        column = x[:, term["column"]].astype(np.float64)
        if term["is"] == "number":
            value = np.where(np.isnan(column), term["fill"], signed_log(column))
        elif term["is"] == "null":
            value = np.isnan(column).astype(np.float64)
        else:
            value = (column == term["code"]).astype(np.float64)
        yield term["column"], term["weight"] * (value - term["mean"]) / term["scale"]


def _sum(body: dict, x: np.ndarray) -> np.ndarray:
    total = np.full(len(x), body["intercept"])
    for _, share in _shares(body, x):
        total += share
    return total

"""Logistic regression: learnt and applied by a few lines of numpy, kept as a list of terms in JSON."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from annotated_types import Ge, Gt, MinLen

from churn.core.model.calibration import Kind
from churn.core.model.enough import FEW, MANY, ROWS_LEAST
from churn.core.model.files import Model, json_text
from churn.core.model.later import trained
from churn.core.model.parts import Learning, Part, learning, narrowed_to
from churn.core.model.regression import sigmoid
from churn.words.errors import NotEnoughData

STEPS_MOST = 100
"""Newton steps; ten are usual."""


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["logistic"],  # noqa: ARG001 - it chooses this function
    features_used: Annotated[tuple[str, ...], MinLen(1)] | None,
    seed: Annotated[int, Ge(0)],
    rows_most: Annotated[int, Ge(ROWS_LEAST)] | None,
    l2: Annotated[float, Gt(0)],
    refit: bool,
    calibration: Kind,
) -> Model:
    """A logistic regression on all features or on some, with the calibration of its margins.

    Numbers go through a signed logarithm, nulls become the median and a 0/1 term of their own, attributes one 0/1 term
    a value; every term is scaled to mean 0 and deviation 1 in the rows that are learnt from.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"logistic"}
        Chooses this function.
    features_used : tuple of str, or None
        The features to learn from; those that the table does not have are left out. None: all.
    seed, rows_most : int, int or None
        Of more matured snapshots than `rows_most`, a sample with weights is taken (`churn.core.model.sample`). None
        takes all.
    l2 : float
        Strength of the ridge on the scaled coefficients, against the sum of the log loss over all rows.
    refit : bool
        Whether to learn from all that matured before the test in the end, and keep the calibration map that was
        fitted before; see `churn.core.model.boosted.fit` for the price. Without it: train and validation.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`; also when the table has none of `features_used`.
    """
    chosen = features_used
    if chosen is not None:
        features = narrowed_to(features, chosen.__contains__, _missing(chosen))
    known = learning(features, snapshots, split, rows_most=rows_most, seed=seed, least=FEW if chosen else MANY)
    parameters = {
        "features_used": None if chosen is None else list(chosen),
        "seed": seed,
        "rows_most": rows_most,
        "l2": l2,
        "refit": refit,
        "calibration": calibration,
    }
    return trained(
        known,
        lambda rows: learnt(known, rows, l2=l2, features_used=chosen),
        margins,
        refit=refit,
        calibration=calibration,
        parameters=parameters,
    ).model


def learnt(known: Learning, rows: Part, *, l2: float, features_used: tuple[str, ...] | None) -> Model:
    """The model without calibration."""
    names = tuple(name for name in known.names if features_used is None or name in features_used)
    if not names:
        raise NotEnoughData(f"none of {len(known.names)} features {_missing(features_used or ())}")
    vocabulary = {name: known.vocabulary[name] for name in names if name in known.vocabulary}
    x = known.columns(rows, names)
    terms = _terms(x, names, vocabulary)
    z = np.column_stack([_value(term, x) for term in terms])
    weights = np.ones(len(x)) if rows.weights is None else rows.weights
    mean = np.average(z, axis=0, weights=weights)
    deviation = np.sqrt(np.average((z - mean) ** 2, axis=0, weights=weights))
    scale = np.where(deviation > 0, deviation, 1.0)
    z = (z - mean) / scale
    intercept, coefficients = ridge(z, rows.churned, weights, l2)
    for j, term in enumerate(terms):
        term.update(mean=float(mean[j]), scale=float(scale[j]), weight=float(coefficients[j]))
    dropped = known.dropped if features_used is None else {}
    return Model("logistic", names, vocabulary, dropped, json_text({"intercept": intercept, "terms": terms}), {}, {})


def _missing(names: tuple[str, ...]) -> str:
    return f"is one of {', '.join(names)} and tells something"


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


def ridge(z: np.ndarray, churned: np.ndarray, weights: np.ndarray, l2: float) -> tuple[float, np.ndarray]:
    """Intercept and coefficients of the least weighted log loss plus `l2 / 2` times the squares of the coefficients.

    Newton steps, halved while they make it worse: the function is convex, so there is one optimum, and it is reached to
    the last digits.
    """
    z = np.column_stack([z, np.ones(len(z))])
    penalty = np.append(np.full(z.shape[1] - 1, l2), 0.0)
    answer = np.zeros(z.shape[1])

    def loss(at: np.ndarray) -> float:
        margin = z @ at
        return float(weights @ (np.logaddexp(0.0, margin) - churned * margin) + penalty @ at**2 / 2)

    here = loss(answer)
    for _ in range(STEPS_MOST):
        probability = sigmoid(z @ answer)
        slope = z.T @ (weights * (probability - churned)) + penalty * answer
        curvature = (z * (weights * probability * (1 - probability))[:, None]).T @ z + np.diag(penalty + 1e-12)
        step = -np.linalg.solve(curvature, slope)
        there = loss(answer + step)
        while there > here + 1e-12 * abs(here) and np.abs(step).max() > 1e-12:
            step = step / 2
            there = loss(answer + step)
        answer, here = answer + step, there
        if np.abs(step).max() < 1e-9:
            break
    return float(answer[-1]), answer[:-1]


def signed_log(x: np.ndarray) -> np.ndarray:
    """log(1 + |x|) with the sign of x: money and counts span decades, and differences are negative."""
    return np.sign(x) * np.log1p(np.abs(x))


def _terms(x: np.ndarray, names: tuple[str, ...], vocabulary: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The terms that the rows ask for: numbers, their nulls, values of attributes."""
    numbers = [j for j, name in enumerate(names) if name not in vocabulary]
    terms: list[dict[str, Any]] = []
    for j in numbers:
        column = signed_log(x[:, j].astype(np.float64))
        known = column[~np.isnan(column)]
        fill = float(np.median(known)) if len(known) else 0.0
        terms.append({"feature": names[j], "is": "number", "column": j, "fill": fill})
    terms += [{"feature": names[j], "is": "null", "column": j} for j in numbers if np.isnan(x[:, j]).any()]
    return terms + [
        {"feature": name, "is": "value", "column": j, "code": code}
        for j, name in enumerate(names)
        for code in range(len(vocabulary.get(name, ())))
    ]


def _value(term: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """What a term says of each row, before it is scaled."""
    column = x[:, term["column"]].astype(np.float64)
    if term["is"] == "number":
        return np.where(np.isnan(column), term["fill"], signed_log(column))
    return (np.isnan(column) if term["is"] == "null" else column == term["code"]).astype(np.float64)


def _shares(body: dict, x: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Of each term: the column of its feature, and what it adds to each row's margin."""
    for term in body["terms"]:
        yield term["column"], term["weight"] * (_value(term, x) - term["mean"]) / term["scale"]


def _sum(body: dict, x: np.ndarray) -> np.ndarray:
    total = np.full(len(x), body["intercept"])
    for _, share in _shares(body, x):
        total += share
    return total

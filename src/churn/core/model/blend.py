"""Blend: a sum of the margins of several models, with weights that are never negative, learnt on a later part."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from churn.core.model import bg_nbd, boosted, logistic, own_mean, rule
from churn.core.model.calibration import Kind, calibrated, fit_map, moved
from churn.core.model.files import Model, json_text
from churn.core.model.later import Trained
from churn.core.model.regression import sigmoid
from churn.core.model.rungs import Climbed, Judging, Rungs, climbed, sections
from churn.words.errors import NotEnoughData

DOORS: dict[str, ModuleType] = {
    "rule": rule,
    "own_mean": own_mean,
    "logistic": logistic,
    "bg_nbd": bg_nbd,
    "lightgbm": boosted,
}
"""What may be a member, by kind of model."""
CENTRES = {("logistic_rfm", "lightgbm"): 3.0, ("lightgbm",): 1.0}
"""Towards the mean of which members a blend is drawn, and how likely each of these is before any outcome is seen. The
first are the two that are fitted to outcomes from several features each: their errors differ, and with few churners
nothing better can be learnt than to take both. Where outcomes say that one of them is far behind, the trees are taken
(docs/decisions/0020-the-ladder.md)."""
WEIGHT_DEVIATION = 0.15
"""Of a weight from there, before any outcome is seen."""
WEIGHT_LEAST = 1e-4
"""A member with less is left out: it would take time and say nothing."""
DIGITS = 6
"""Significant digits of a weight: the last ones of an optimum differ between processors."""


def fit(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    *,
    kind: Literal["blend"],  # noqa: ARG001 - it chooses this function
    members: Rungs,  # type: ignore[valid-type]  # made of the members' signatures
    calibration: Kind,
) -> Model:
    """The blend of all members that there are churners enough for.

    Members that learnt from the train part give their margins of the validation part; the weights, none of them
    negative, are those of a logistic regression of the outcomes there on them, drawn towards the mean of trees and
    logistic regression. Then the members learn as their own sections say, and the map of the blended margin is
    fitted on the calibration part.

    Parameters
    ----------
    features, snapshots, split
        See `churn.core.model.model`.
    kind : {"blend"}
        Chooses this function.
    members : Rungs
        The sections of the members, as `churn.core.model.MODELS` takes them. The rows are chosen as that of `lightgbm`
        says.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        Of the blend; see `churn.core.model.calibration`.

    Raises
    ------
    NotEnoughData, GateFault
        See `churn.core.model.parts.learning`; also when there are too few churners for a weight.
    """
    found = climbed(features, snapshots, split, sections(members), churners_judged=0)
    if reason := lacking(found):
        raise NotEnoughData(f"no blend can be learnt: {reason['en']}")
    return blended(found, calibration).model


def lacking(found: Climbed) -> dict[str, str]:
    """Why there is no blend, in words; empty where there can be one."""
    n = len(found.fitted)
    if n < 2:
        return {"en": f"{n} model to blend of the 2 that it needs", "zh": f"只有 {n} 个可组合的模型，需要 2 个"}
    for name, zh, rows in (("validation", "验证集", found.blending), ("calibration", "校准集", found.judging)):
        have = int(min(rows.churned.sum(), (~rows.churned).sum()))
        if have < 10:
            return {
                "en": f"{have} churners or stayers in the {name} part of the 10 that it needs",
                "zh": f"{zh}只有 {have} 个流失或留存样本，需要 10 个",
            }
    return {}


def blended(found: Climbed, calibration: Kind) -> Trained:
    """The blend of all that were fitted."""
    names = list(found.fitted)
    weights = weighted(np.column_stack([found.margins[name] for name in names]), found.blending, *centres(names))
    kept = {name: weight for name, weight in zip(names, weights, strict=True) if weight >= WEIGHT_LEAST}
    kept = kept or {names[-1]: 1.0}
    before, after = (
        sum((weight * getattr(found.fitted[name], when) for name, weight in kept.items()), np.zeros(1))
        for when in ("before", "after")
    )
    rows = found.judging
    first = fit_map(before, rows.churned, kind=calibration, weights=rows.weights, later=found.later)
    fitted = moved(first, float(np.average(after - before, weights=rows.weights)))
    models = {name: found.fitted[name].model for name in kept}
    taken = {feature for one in models.values() for feature in one.features}
    features = tuple(name for name in found.names if name in taken)
    body = {
        "members": [
            {"rung": name, "kind": one.kind, "features": list(one.features), "weight": kept[name], "body": one.body}
            for name, one in models.items()
        ]
    }
    last = next(reversed(found.fitted.values())).model
    card = {
        **{key: last.card[key] for key in ("parts", "sampled", "warnings")},
        "learnt_from": {name: one.card["learnt_from"] for name, one in models.items()},
        "calibrated_on": "calibration",
        "weights": {name: kept.get(name, 0.0) for name in names},
        "parameters": {"calibration": calibration} | {name: one.card["parameters"] for name, one in models.items()},
    }
    vocabulary = {name: found.vocabulary[name] for name in features if name in found.vocabulary}
    model = Model("blend", features, vocabulary, last.dropped, json_text(body), fitted, card)
    return Trained(model, before, after, calibrated(first, before))


def centres(names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """What the weights of these members are drawn towards, shape `(n_centres, n_names)`, and how likely each is.

    Each row adds up to 1. Where none of `CENTRES` has a member among them, it is the mean of all.
    """
    drawn = np.array([[name in centre for name in names] for centre in CENTRES])
    some = drawn.any(axis=1)
    if not some.any():
        return np.full((1, len(names)), 1 / len(names)), np.ones(1)
    return drawn[some] / drawn[some].sum(axis=1, keepdims=True), np.array(list(CENTRES.values()))[some]


def weighted(margins: np.ndarray, rows: Judging, centres: np.ndarray, likely: np.ndarray) -> list[float]:
    """Weights of the columns of margins, none negative, learnt together with an intercept.

    Before any outcome is seen, they are normal about one of `centres`, with the deviation `WEIGHT_DEVIATION`. The
    weights of the greatest posterior density about each are found; what comes back is their mean, each as likely as
    these densities say, which are about equally wide. What there is to learn from are rows, however many snapshots
    each stands for.

    Parameters
    ----------
    margins : ndarray, shape (n_rows, n_members)
    rows : Judging
        Their outcomes.
    centres : ndarray, shape (n_centres, n_members)
    likely : ndarray, shape (n_centres,)
        How likely each centre is beforehand, in proportion.
    """
    from scipy.optimize import minimize

    z = np.column_stack([margins, np.ones(len(margins))])
    share = rows.weights / rows.weights.sum()
    ridge = 1 / (WEIGHT_DEVIATION**2 * len(margins))

    def loss(at: np.ndarray, centre: np.ndarray) -> tuple[float, np.ndarray]:
        margin, apart = z @ at, np.append(at[:-1] - centre, 0.0)
        slope = z.T @ (share * (sigmoid(margin) - rows.churned)) + ridge * apart
        fit = share @ (np.logaddexp(0.0, margin) - rows.churned * margin)
        return float(fit + ridge * apart @ apart / 2), slope

    bounds = [(0.0, None)] * margins.shape[1] + [(None, None)]
    options = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500}
    found = [
        minimize(loss, np.append(centre, 0.0), (centre,), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        for centre in centres
    ]
    losses = np.array([one.fun for one in found])
    after = likely * np.exp(len(margins) * (losses.min() - losses))
    mean = after / after.sum() @ np.array([one.x[:-1] for one in found])
    return [float(f"{weight:.{DIGITS}g}") for weight in mean]


def margins(model: Model, x: np.ndarray) -> np.ndarray:
    """Log-odds of each row of `x`, shape `(n_rows,)`; `x` has the columns of `model.features`."""
    total = np.zeros(len(x))
    for member, weight, places in _members(model.body, model.features):
        total += weight * DOORS[member.kind].margins(member, x[:, places])
    return total


def contributions(model: Model, x: np.ndarray) -> np.ndarray:
    """Those of the members, weighted, in log-odds, shape `(n_rows, n_features + 1)`; the last column is the base."""
    total = np.zeros((len(x), x.shape[1] + 1))
    for member, weight, places in _members(model.body, model.features):
        total[:, [*places, -1]] += weight * DOORS[member.kind].contributions(member, x[:, places])
    return total


@lru_cache(maxsize=2)
def _members(body: str, features: tuple[str, ...]) -> tuple[tuple[Model, float, list[int]], ...]:
    """Each member as a model of its own, its weight, and where its features stand; kept, since texts are long."""
    place = {name: j for j, name in enumerate(features)}
    said: list[dict[str, Any]] = json.loads(body)["members"]
    return tuple(
        (
            Model(one["kind"], tuple(one["features"]), {}, {}, one["body"], {}, {}),
            one["weight"],
            [place[name] for name in one["features"]],
        )
        for one in said
    )

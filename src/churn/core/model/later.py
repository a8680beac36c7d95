"""A model with the map of its margins from a later part, learnt again from newer rows in the end."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from churn.core.model.calibration import Kind, calibrated, fit_map, moved
from churn.core.model.files import Model
from churn.core.model.parts import MATURED, Learning, Part, described, few

BEFORE = ("train", "validation")
"""What is learnt from before the calibration; these models do not stop early, so they need no judge."""


class Trained(NamedTuple):
    """The model as it is used, and what the model before the refit said of the calibration part.

    Attributes
    ----------
    model : Model
    before, after : ndarray, shape (n_calibration,)
        Margins before and after the refit.
    scores : ndarray, shape (n_calibration,)
        Probabilities of the model before the refit.
    """

    model: Model
    before: np.ndarray
    after: np.ndarray
    scores: np.ndarray


def trained(
    known: Learning,
    learn: Callable[[Part], Model],
    margins: Callable[[Model, np.ndarray], np.ndarray],
    *,
    refit: bool,
    calibration: Kind,
    parameters: dict[str, Any],
) -> Trained:
    """The model with its map and its card.

    With too few churners in the calibration part to fit a map on, model and map are those of all that matured before
    the test: a handful of numbers, learnt from the same rows, err little.

    Parameters
    ----------
    known : Learning
        The parts.
    learn : function of a part
        Learns from rows: a model without map and card.
    margins : function of a model and its columns
        Log-odds of rows.
    refit : bool
        Whether to learn from all that matured before the test in the end; the map moves by the difference of the mean
        margins.
    calibration : {"chosen", "shrunk", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.
    parameters : dict
        What the section says, for the card.
    """
    held_out, alone = known.parts["calibration"], few(known.parts["calibration"])
    first = learn(known.parts[MATURED] if alone else known.joined(*BEFORE))
    judge = known.parts[MATURED] if alone else held_out
    fitted = _fitted(first, known, judge, margins, calibration)
    before = margins(first, known.columns(held_out, first.features))
    scores, model, after = calibrated(fitted, before), first, before
    if refit and not alone:
        model = learn(known.parts[MATURED])
        after = margins(model, known.columns(held_out, model.features))
        fitted = moved(fitted, float(np.average(after - before, weights=held_out.weights)))
    card = {
        **model.card,
        **described(known),
        "learnt_from": MATURED if refit or alone else " and ".join(BEFORE),
        "calibrated_on": MATURED if alone else "calibration",
        "parameters": parameters,
    }
    return Trained(replace(model, calibration=fitted, card=card), before, after, scores)


def _fitted(
    model: Model,
    known: Learning,
    judge: Part,
    margins: Callable[[Model, np.ndarray], np.ndarray],
    calibration: Kind,
) -> dict:
    found = margins(model, known.columns(judge, model.features))
    if judge is not known.parts["calibration"]:
        # Too few to choose a map by.
        calibration = "shrunk" if calibration == "chosen" else calibration
        return fit_map(found, judge.churned, kind=calibration, weights=judge.weights)
    return fit_map(found, judge.churned, kind=calibration, weights=judge.weights, later=known.later)

"""A model with the map of its margins from a later part, learnt again from newer rows in the end."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from churn.core.model.calibration import Kind, fit_map, moved
from churn.core.model.files import Model
from churn.core.model.parts import MATURED, Learning, Part, described

BEFORE = ("train", "validation")
"""What is learnt from before the calibration; these models do not stop early, so they need no judge."""


def finished(
    known: Learning,
    learn: Callable[[Part], Model],
    margins: Callable[[Model, np.ndarray], np.ndarray],
    *,
    refit: bool,
    calibration: Kind,
    parameters: dict[str, Any],
) -> Model:
    """The model with its map and its card.

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
    calibration : {"chosen", "platt", "beta", "isotonic", "none"}
        See `churn.core.model.calibration`.
    parameters : dict
        What the section says besides, for the card.
    """
    model, held_out = learn(known.joined(*BEFORE)), known.parts["calibration"]
    before = margins(model, known.columns(held_out, model.features))
    fitted = fit_map(before, held_out.churned, kind=calibration, weights=held_out.weights, later=known.later)
    if refit:
        model = learn(known.parts[MATURED])
        change = margins(model, known.columns(held_out, model.features)) - before
        fitted = moved(fitted, float(np.average(change, weights=held_out.weights)))
    card = {
        **model.card,
        **described(known),
        "learnt_from": MATURED if refit else " and ".join(BEFORE),
        "parameters": {**parameters, "calibration": calibration},
    }
    return replace(model, calibration=fitted, card=card)

"""How well one column of numbers ranks the churners, when null is an answer, too."""

import numpy as np


def auc(values: np.ndarray, churned: np.ndarray, *, null_last: bool = True) -> float:
    """Probability that a churner has a higher value than a stayer, ties counting half.

    Null counts as higher than every value (`null_last`), or lower than every one.
    """
    return aucs(values, churned)[0 if null_last else 1]


def aucs(values: np.ndarray, churned: np.ndarray) -> tuple[float, float]:
    """The two answers of `auc`: null as the highest value, and as the lowest."""
    churners, stayers = values[churned], values[~churned]
    known, others = churners[~np.isnan(churners)], np.sort(stayers[~np.isnan(stayers)])
    # Twice the pairs in which a known churner's value is higher, ties once.
    above = int(np.searchsorted(others, known, "left").sum()) + int(np.searchsorted(others, known, "right").sum())
    n_known, n_others = len(known), len(others)
    null, null_others = len(churners) - n_known, len(stayers) - n_others
    pairs = 2 * len(churners) * len(stayers)
    both_null = null * null_others
    return (above + 2 * null * n_others + both_null) / pairs, (above + 2 * n_known * null_others + both_null) / pairs

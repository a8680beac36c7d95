"""The metrics of an evaluation in words, as pages name them, and their numbers as text."""

import math

METRICS = {
    "auc": ({"en": "AUC", "zh": "AUC"}, "higher", 3),
    "ap": ({"en": "Average precision", "zh": "平均精度"}, "higher", 3),
    "lift10": ({"en": "Lift of the top tenth", "zh": "前 10% 提升度"}, "higher", 2),
    "logloss": ({"en": "Log loss", "zh": "对数损失"}, "lower", 3),
    "brier": ({"en": "Brier score", "zh": "Brier 分数"}, "lower", 3),
    "ece": ({"en": "Calibration error", "zh": "校准误差"}, "lower", 3),
}
"""Metric of the evaluation → its name, which way is better, decimals."""
DIRECTIONS = {
    "higher": {"en": "higher is better", "zh": "越高越好"},
    "lower": {"en": "lower is better", "zh": "越低越好"},
}


def number(value: float | None, decimals: int) -> str:
    """The number, or a dash for what could not be computed.

    >>> number(0.12345, 3), number(None, 3)
    ('0.123', '–')
    """
    return "–" if value is None or math.isnan(value) else f"{value:.{decimals}f}"

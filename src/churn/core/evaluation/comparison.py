"""The model beside its baselines: one table, paired differences, and a verdict in plain words by declared rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from churn.core.metrics import metrics
from churn.core.resamples import interval_of, replicates

PROVES_LEAST = 5
"""Churners, and stayers, without whom resamples do not say how sure a difference is: of two random scores of 200 to
300 customers the first was called better in 31 of 100 draws with 1 churner, in 11 with 2, in 5 with 3, in 2 with 4 or 5
(2.5 is what the interval allows), and the interval of an AUC held one half in 13, 56, 80, 84 and 87 of 100."""

JUDGED = ("auc", "ap")
"""The metrics that the verdict rests on: both judge the order of the list, and neither depends on calibration."""

OUTCOMES = {
    "better": ("Better than the best time rule ({rule})", "优于最佳时间规则（{rule}）"),
    "partly_better": ("In part better than the best time rule ({rule})", "部分优于最佳时间规则（{rule}）"),
    "no_better": ("No better than the best time rule ({rule})", "并不优于最佳时间规则（{rule}）"),
    "worse": ("Worse than the best time rule ({rule})", "劣于最佳时间规则（{rule}）"),
}
"""better: both intervals of the difference lie above zero; partly_better: one does, and the other holds zero; worse:
one lies below zero, and none above; no_better: anything else. Besides, only a model that ranks better than chance, the
whole interval of its AUC above one half, can be better: on noise, a rule may be worse than chance by chance. And of
fewer than `PROVES_LEAST` churners or stayers nothing is proved."""

MEASURED = {
    "en": "AUC {auc:.3f} against {rule_auc:.3f} (difference {d_auc:+.3f}, {percent:g}% interval {l_auc:+.3f} to "
    "{h_auc:+.3f}), average precision {ap:.3f} against {rule_ap:.3f} ({d_ap:+.3f}, {l_ap:+.3f} to {h_ap:+.3f}), "
    "measured on {n:,} snapshots of which {base_rate:.1%} churned.",
    "zh": "AUC {auc:.3f} 对 {rule_auc:.3f}（差 {d_auc:+.3f}，{percent:g}% 区间 {l_auc:+.3f} 至 {h_auc:+.3f}），"
    "平均精度 {ap:.3f} 对 {rule_ap:.3f}（差 {d_ap:+.3f}，区间 {l_ap:+.3f} 至 {h_ap:+.3f}）；"
    "样本 {n:,} 个，流失率 {base_rate:.1%}。",
}
BY_CHANCE = {
    "en": "The model may rank no better than chance: its AUC lies between {low:.3f} and {high:.3f}, and 0.5 is chance.",
    "zh": "模型的排序可能并不优于随机：其 AUC 介于 {low:.3f} 与 {high:.3f} 之间，0.5 即随机。",
}
"""Said of a model whose AUC may be one half: the differences alone would not explain why it is not better."""
TOO_FEW = {
    "en": "{churners:,} churned and {stayers:,} stayed: with fewer than {least} of either nothing is proved, whatever "
    "the intervals say.",
    "zh": "流失样本 {churners:,} 个，留存样本 {stayers:,} 个：任一类少于 {least} 个时，无论区间如何都不能证明什么。",
}
FOUND = {
    "en": "Of the {k:,} customers with the highest scores, {caught:.0f} churned; with the rule {rule_caught:.0f}, by "
    "chance {chance:.0f}.",
    "zh": "分数最高的 {k:,} 位客户中有 {caught:.0f} 位流失；按规则为 {rule_caught:.0f} 位，随机为 {chance:.0f} 位。",
}
CALIBRATED = {
    "yes": (
        "Its probabilities are true to {ece:.1%} on average (limit {most:.0%}).",
        "其概率的平均误差为 {ece:.1%}（上限 {most:.0%}），可信。",
    ),
    "unclear": (
        "Too few customers to tell if its probabilities are true: off by {low:.1%} to {high:.1%} (limit {most:.0%}).",
        "样本太少，无法判断其概率是否可信：误差 {low:.1%} 至 {high:.1%}（上限 {most:.0%}）。",
    ),
    "no": (
        "Its probabilities are off by {ece:.1%} on average (limit {most:.0%}): trust the order, not the numbers.",
        "其概率的平均误差为 {ece:.1%}（上限 {most:.0%}）：次序可信，数值不可信。",
    ),
}
"""yes: the calibration error is within the limit; no: its whole interval is beyond it; unclear: anything else."""


@dataclass(frozen=True)
class Comparison:
    """`rows`: model → n and each metric with `_low` and `_high`. `differences`: model less baseline."""

    rows: dict[str, dict[str, float]]
    differences: dict[str, dict[str, float]]


def compare(
    churned: np.ndarray,
    scores: Mapping[str, np.ndarray],
    customers: np.ndarray,
    *,
    seed: int,
    bootstrap: int,
    interval: float,
) -> Comparison:
    """Every metric of every model with its interval, and the first model less each other one on the same resamples.

    Parameters
    ----------
    churned : np.ndarray
        Outcomes, bool, shape `(n_rows,)`.
    scores : mapping of str to np.ndarray
        Model → probabilities, shape `(n_rows,)`. The first one is compared with the others.
    customers : np.ndarray
        Whole numbers from 0, one for each customer, shape `(n_rows,)`.
    """
    resampled = replicates(churned, scores, customers, bootstrap=bootstrap, seed=seed)
    estimates = {name: metrics(churned, p) for name, p in scores.items()}
    rows = {name: {"n": len(churned), **_with(estimates[name], resampled[name], interval)} for name in scores}
    first, *others = scores
    differences = {
        other: _with(
            {m: estimates[first][m] - estimates[other][m] for m in estimates[first] if m != "base_rate"},
            {m: resampled[first][m] - resampled[other][m] for m in resampled[first]},
            interval,
            pivotal=(),
        )
        for other in others
    }
    return Comparison(rows, differences)


def outcome(row: Mapping[str, float], difference: Mapping[str, float], n: int, churners: int) -> str:
    """The key of `OUTCOMES` that a model's row, and its paired difference from the time rule, earn on `n` snapshots.

    >>> ahead = {"auc_low": 0.01, "auc_high": 0.05, "ap_low": 0.01, "ap_high": 0.05}
    >>> outcome({"auc_low": 0.7}, ahead, 100, 20), outcome({"auc_low": 0.49}, ahead, 100, 20)
    ('better', 'no_better')
    >>> outcome({"auc_low": 0.7}, ahead, 100, 4)
    'no_better'
    """
    if min(churners, n - churners) < PROVES_LEAST:
        return "no_better"
    above = [metric for metric in JUDGED if difference[f"{metric}_low"] > 0]
    below = [metric for metric in JUDGED if difference[f"{metric}_high"] < 0]
    if above and maybe_chance(row):
        return "no_better"
    if len(above) == len(JUDGED):
        return "better"
    if above and not below:
        return "partly_better"
    if below and not above:
        return "worse"
    return "no_better"


def maybe_chance(row: Mapping[str, float]) -> bool:
    """Whether the AUC of a model's row may be one half."""
    return row["auc_low"] <= 0.5


def doubts(row: Mapping[str, float], n: int, churners: int, language: str) -> tuple[str, ...]:
    """The sentence that too few were there to prove anything, or that a model may rank no better than chance, if so."""
    if min(churners, n - churners) < PROVES_LEAST:
        return (TOO_FEW[language].format(churners=churners, stayers=n - churners, least=PROVES_LEAST),)
    return (BY_CHANCE[language].format(low=row["auc_low"], high=row["auc_high"]),) if maybe_chance(row) else ()


def calibrated(row: Mapping[str, float], ece_most: float) -> str:
    """The key of `CALIBRATED` that a model's row earns."""
    if row["ece"] <= ece_most:
        return "yes"
    return "no" if row["ece_low"] > ece_most else "unclear"


def verdict(
    table: Comparison, team: dict, *, rule: Mapping[str, str], interval: float, ece_most: float
) -> dict[str, Any]:
    """What the table says, in words: `outcome`, `calibrated`, `rule` a language, and sentences `en` and `zh`.

    `rule` is the time rule's feature in words, by language.
    """
    model, judged, difference = table.rows["model"], table.rows["rule"], table.differences["rule"]
    judged_on = int(model["n"]), round(model["n"] * model["base_rate"])
    earned, is_true = outcome(model, difference, *judged_on), calibrated(model, ece_most)
    numbers = {
        **model,
        **{f"rule_{metric}": judged[metric] for metric in JUDGED},
        **{f"d_{metric}": difference[metric] for metric in JUDGED},
        **{f"l_{metric}": difference[f"{metric}_low"] for metric in JUDGED},
        **{f"h_{metric}": difference[f"{metric}_high"] for metric in JUDGED},
        "percent": 100 * interval,
    }
    found = {
        "k": team["k"],
        "caught": team["model"]["caught"],
        "rule_caught": team["rule"]["caught"],
        "chance": team["k"] * model["base_rate"],
    }
    sentences = {
        language: (
            OUTCOMES[earned][place].format(rule=rule[language]),
            MEASURED[language].format(**numbers),
            *doubts(model, *judged_on, language),
            FOUND[language].format(**found),
            CALIBRATED[is_true][place].format(
                ece=model["ece"], low=model["ece_low"], high=model["ece_high"], most=ece_most
            ),
        )
        for place, language in enumerate(("en", "zh"))
    }
    (a, *rest), (b, *rest_zh) = sentences["en"], sentences["zh"]
    return {
        "outcome": earned,
        "calibrated": is_true,
        "rule": dict(rule),
        "en": f"{a}: {' '.join(rest)}",
        "zh": f"{b}：{''.join(rest_zh)}",
    }


def _with(
    estimates: Mapping[str, float],
    resampled: Mapping[str, np.ndarray],
    interval: float,
    pivotal: tuple[str, ...] = ("ece",),
) -> dict[str, float]:
    """Each estimate, followed by the low and the high end of its interval."""
    numbers: dict[str, float] = {}
    for name, estimate in estimates.items():
        low, high = interval_of(estimate, resampled[name], interval, pivotal=name in pivotal)
        numbers |= {name: estimate, f"{name}_low": low, f"{name}_high": high}
    return numbers

"""Choice: the simplest rung that is no more than a standard error worse than the best on a later part."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from churn.core.model.rungs import Judging

WORDS = {
    "rule": ("the best time rule", "最佳时间规则"),
    "own_mean": ("the customer's own rate of the past", "客户自身的历史频率"),
    "logistic_rfm": ("the logistic regression on recency, frequency and money", "基于近度、频度与金额的逻辑回归"),
    "bg_nbd": ("BG/NBD", "BG/NBD 模型"),
    "lightgbm": ("boosted trees", "梯度提升树"),
    "blend": ("the blend of all others", "其余模型的加权组合"),
}
LEAST_SCORE = 1e-6
"""A probability of zero that is wrong would cost infinitely much."""


def log_losses(scores: np.ndarray, churned: np.ndarray) -> np.ndarray:
    """What each probability costs, given what happened, shape `(n_rows,)`."""
    p = np.clip(scores, LEAST_SCORE, 1 - LEAST_SCORE)
    return -np.where(churned, np.log(p), np.log1p(-p))


def compared(scores: Mapping[str, np.ndarray], rows: Judging) -> dict[str, dict[str, float]]:
    """Of each rung: log loss, Brier score, and by how much its log loss is above the best rung's, with standard error.

    The difference is paired: both rungs meet the same customers. Its standard error counts customers, not
    snapshots, since those of one customer are alike.
    """
    share = rows.weights / rows.weights.sum()
    losses = {name: log_losses(p, rows.churned) for name, p in scores.items()}
    means = {name: float(share @ loss) for name, loss in losses.items()}
    best = min(means, key=lambda name: means[name])
    found = {}
    for name, loss in losses.items():
        difference = loss - losses[best]
        mean = float(share @ difference)
        of_customers = np.bincount(rows.customers, share * (difference - mean))
        found[name] = {
            "logloss": means[name],
            "brier": float(share @ (scores[name] - rows.churned) ** 2),
            "above_best": mean,
            "standard_error": float(np.sqrt(np.sum(of_customers**2))),
        }
    return found


def chosen(table: Mapping[str, Mapping[str, float]], standard_errors: float, least_gain: float) -> str:
    """The first rung of the table, which starts with the simplest, that is near enough to the best."""
    return next(
        name
        for name, row in table.items()
        if row["above_best"] <= max(standard_errors * row["standard_error"], least_gain)
    )


def sentences(
    name: str, table: Mapping[str, Mapping[str, float]], rows: Judging, skipped: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Why this rung, and why no other, in one sentence a language."""
    n, churners, dates = len(rows.churned), int(rows.churned.sum()), len(np.unique(rows.as_of_us))
    left_out = {
        "en": "; ".join(f"left out: {WORDS[k][0]} ({why['en']})" for k, why in skipped.items()),
        "zh": "；".join(f"未采用{WORDS[k][1]}（{why['zh']}）" for k, why in skipped.items()),
    }
    if not table:
        of_dates, of_dates_zh = (
            ("the calibration part", "校准集") if dates == 1 else (f"{dates} dates", f"{dates} 个日期")
        )
        en = f"Chosen is {WORDS[name][0]}, the simplest: {churners} churners of {of_dates} are too few to tell"
        zh = f"选用最简单的{WORDS[name][1]}：{of_dates_zh}只有 {churners} 个流失样本，不足以比较"
        return {"en": _sentence(en, left_out["en"], "; ", "."), "zh": _sentence(zh, left_out["zh"], "；", "。")}
    best = min(table, key=lambda key: table[key]["logloss"])
    row = table[name]
    measured = f"{n:,} later snapshots with {churners:,} churners"
    measured_zh = f"{n:,} 个更晚的样本（{churners:,} 个流失）"
    if dates > 1:
        measured += f" at {dates} dates, each judging what was learnt before it"
        measured_zh += f"，共 {dates} 个日期，每个日期只评判此前学到的模型"
    if best == name:
        others = [other for other in table if other != name]
        near = min(others, key=lambda key: table[key]["above_best"]) if others else ""
        en = f"Chosen is {WORDS[name][0]}, with the least log loss ({row['logloss']:.3f}) on {measured}"
        zh = f"选用{WORDS[name][1]}：在 {measured_zh} 上对数损失最低（{row['logloss']:.3f}）"
        if near:
            gap = table[near]
            en += f"; next is {WORDS[near][0]}, worse by {gap['above_best']:.4f} ± {gap['standard_error']:.4f}"
            zh += f"；其次是{WORDS[near][1]}，差 {gap['above_best']:.4f} ± {gap['standard_error']:.4f}"
    else:
        en = (
            f"Chosen is {WORDS[name][0]}, the simplest that is not clearly worse than the best, {WORDS[best][0]}: by "
            f"{row['above_best']:.4f} ± {row['standard_error']:.4f} of log loss on {measured}"
        )
        zh = (
            f"选用{WORDS[name][1]}：与最优的{WORDS[best][1]}相比，在 {measured_zh} 上对数损失仅差 "
            f"{row['above_best']:.4f} ± {row['standard_error']:.4f}，而更简单"
        )
    return {"en": _sentence(en, left_out["en"], "; ", "."), "zh": _sentence(zh, left_out["zh"], "；", "。")}


def card(
    name: str,
    table: Mapping[str, Mapping[str, float]],
    skipped: Mapping[str, Mapping[str, str]],
    order: tuple[str, ...],
) -> list[dict[str, Any]]:
    """One entry a rung, in order: fitted or why not, its figures, and whether it was chosen."""
    return [
        {
            "rung": rung,
            "fitted": rung not in skipped,
            **({"skipped": dict(skipped[rung])} if rung in skipped else {}),
            **table.get(rung, {}),
            "chosen": rung == name,
        }
        for rung in order
    ]


def _sentence(*said: str) -> str:
    head, tail, between, end = said
    return f"{head}{between}{tail}{end}" if tail else f"{head}{end}"

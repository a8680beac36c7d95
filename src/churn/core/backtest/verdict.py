"""The verdict over all lists, in plain words by declared rules."""

from collections.abc import Mapping, Sequence

import numpy as np

from churn.core.evaluation.comparison import doubts, outcome

OUTCOMES = {
    "better": ("Better than the best time rule", "优于最佳时间规则"),
    "partly_better": ("In part better than the best time rule", "部分优于最佳时间规则"),
    "no_better": ("No better than the best time rule", "并不优于最佳时间规则"),
    "worse": ("Worse than the best time rule", "劣于最佳时间规则"),
}
"""As in the evaluation, of the differences over all lists."""
FAILED = ("no_better", "worse")
"""The outcomes with which nothing should be published."""
MEASURED = {
    "en": "{outcome} on {on}: AUC {auc:.3f} against {rule_auc:.3f} (difference "
    "{d_auc:+.3f}, {percent:g}% interval {l_auc:+.3f} to {h_auc:+.3f}), average precision {d_ap:+.3f} ({l_ap:+.3f} to "
    "{h_ap:+.3f}). Of {k:,} customers called each time {caught:.0f} left, with the rule {rule_caught:.0f}, by chance "
    "{chance:.0f}.",
    "zh": "{zh_on}：{outcome}。AUC {auc:.3f} 对 {rule_auc:.3f}（差 {d_auc:+.3f}，"
    "{percent:g}% 区间 {l_auc:+.3f} 至 {h_auc:+.3f}），平均精度差 {d_ap:+.3f}（{l_ap:+.3f} 至 {h_ap:+.3f}）。"
    "每次联系 {k:,} 位客户，其中 {caught:.0f} 位流失；按规则为 {rule_caught:.0f} 位，随机为 {chance:.0f} 位。",
}


def verdict(
    rows: Mapping[str, Mapping[str, float]],
    difference: Mapping[str, float],
    *,
    dates: tuple[str, ...],
    called: Sequence[int],
    sizes: Sequence[int],
    churners: Sequence[int],
    interval: float,
) -> dict[str, str]:
    """`outcome`, and sentences `en` and `zh`.

    Parameters
    ----------
    rows : mapping
        Of `model` and `rule`: each figure with `_low` and `_high`.
    difference : mapping
        The model's figures less the rule's.
    called, sizes, churners : sequence of int
        Of each list, how many customers are called, how many there are, and how many of these left.
    """
    row = rows["model"]
    judged_on = sum(sizes), sum(churners)
    key = outcome(row, difference, *judged_on)
    numbers = {
        "on": f"{len(dates)} lists from {dates[0]} to {dates[-1]}" if len(dates) > 1 else f"1 list, of {dates[0]}",
        "zh_on": f"{dates[0]} 至 {dates[-1]} 的 {len(dates)} 份名单" if len(dates) > 1 else f"{dates[0]} 的 1 份名单",
        "percent": 100 * interval,
        "k": round(np.mean(called)),
        "auc": row["auc"],
        "rule_auc": rows["rule"]["auc"],
        "caught": row["caught"],
        "rule_caught": rows["rule"]["caught"],
        "chance": np.mean(np.multiply(called, churners) / np.array(sizes)),
        **{f"d_{figure}": difference[figure] for figure in ("auc", "ap")},
        **{f"l_{figure}": difference[f"{figure}_low"] for figure in ("auc", "ap")},
        **{f"h_{figure}": difference[f"{figure}_high"] for figure in ("auc", "ap")},
    }
    words = dict(zip(("en", "zh"), OUTCOMES[key], strict=True))
    said = {
        "en": " ".join((MEASURED["en"].format(outcome=words["en"], **numbers), *doubts(row, *judged_on, "en"))),
        "zh": "".join((MEASURED["zh"].format(outcome=words["zh"], **numbers), *doubts(row, *judged_on, "zh"))),
    }
    return {"outcome": key, **said}

"""The verdict over all lists, in plain words by declared rules."""

from collections.abc import Mapping

from churn.core.evaluation.comparison import outcome

OUTCOMES = {
    "better": ("Better than the best time rule", "优于最佳时间规则"),
    "partly_better": ("In part better than the best time rule", "部分优于最佳时间规则"),
    "no_better": ("No better than the best time rule", "并不优于最佳时间规则"),
    "worse": ("Worse than the best time rule", "劣于最佳时间规则"),
}
"""As in the evaluation, of the differences over all lists. Besides, only a model that ranks better than chance, whose
whole interval of the AUC lies above one half, can be better: on noise, a rule may be worse than chance by chance."""
FAILED = ("no_better", "worse")
"""The outcomes with which nothing should be published."""
MEASURED = {
    "en": "{outcome} on {lists} lists from {first} to {last}: AUC {auc:.3f} against {rule_auc:.3f} (difference "
    "{d_auc:+.3f}, {percent:g} % interval {l_auc:+.3f} to {h_auc:+.3f}), average precision {d_ap:+.3f} ({l_ap:+.3f} to "
    "{h_ap:+.3f}). Of {k:,} customers called each time {caught:.0f} left, with the rule {rule_caught:.0f}, by chance "
    "{chance:.0f}.",
    "zh": "{first} 至 {last} 的 {lists} 份名单：{outcome}。AUC {auc:.3f} 对 {rule_auc:.3f}（差 {d_auc:+.3f}，"
    "{percent:g}% 区间 {l_auc:+.3f} 至 {h_auc:+.3f}），平均精度差 {d_ap:+.3f}（{l_ap:+.3f} 至 {h_ap:+.3f}）。"
    "每次联系 {k:,} 位客户，其中 {caught:.0f} 位流失；按规则为 {rule_caught:.0f} 位，随机为 {chance:.0f} 位。",
}


def earned(row: Mapping[str, float], difference: Mapping[str, float]) -> str:
    """The key of `OUTCOMES` that a model's row, and its difference from the time rule, earn.

    >>> ahead = {"auc_low": 0.01, "auc_high": 0.05, "ap_low": 0.01, "ap_high": 0.05}
    >>> earned({"auc_low": 0.7}, ahead), earned({"auc_low": 0.49}, ahead)
    ('better', 'no_better')
    """
    found = outcome(difference)
    return found if found in FAILED or row["auc_low"] > 0.5 else "no_better"


def verdict(
    rows: Mapping[str, Mapping[str, float]],
    difference: Mapping[str, float],
    *,
    dates: tuple[str, ...],
    capacity: int,
    interval: float,
) -> dict[str, str]:
    """`outcome`, and sentences `en` and `zh`.

    Parameters
    ----------
    rows : mapping
        Of `model` and `rule`: each figure with `_low` and `_high`.
    difference : mapping
        The model's figures less the rule's.
    """
    key, row = earned(rows["model"], difference), rows["model"]
    n_called = min(capacity, round(row["caught"] / row["precision"])) if row["precision"] else capacity
    numbers = {
        "lists": len(dates),
        "first": dates[0],
        "last": dates[-1],
        "percent": 100 * interval,
        "k": n_called,
        "auc": row["auc"],
        "rule_auc": rows["rule"]["auc"],
        "caught": row["caught"],
        "rule_caught": rows["rule"]["caught"],
        "chance": n_called * row["base_rate"],
        **{f"d_{figure}": difference[figure] for figure in ("auc", "ap")},
        **{f"l_{figure}": difference[f"{figure}_low"] for figure in ("auc", "ap")},
        **{f"h_{figure}": difference[f"{figure}_high"] for figure in ("auc", "ap")},
    }
    words = dict(zip(("en", "zh"), OUTCOMES[key], strict=True))
    said = {language: text.format(outcome=words[language], **numbers) for language, text in MEASURED.items()}
    return {"outcome": key, **said}

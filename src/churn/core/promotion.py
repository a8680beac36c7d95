"""Promotion: what the evaluation lets a list be made of, and what it forbids."""

from collections.abc import Mapping
from typing import Any, Literal

from churn.core.metrics import honest_most
from churn.words.errors import GateFault, message

Order = Literal["model", "rule", "value"]

CHURNERS_TELL = 50
"""So many churners among those judged tell a rule from chance: an AUC of .62 is then three standard errors above .5
(Hanley and McNeil 1982). With fewer, a rule that ranks well, but not certainly so, is still the best that there is."""

PROVEN = ("better", "partly_better")
"""The outcomes of the evaluation with which a list is in the order of the model."""

UNSURE = {
    "en": " Whether the rule tells anything is not proved either: its AUC is {auc:.3f}, and may be {low:.3f} (0.5 is "
    "chance).",
    "zh": "该规则是否有效同样未被证明：其 AUC 为 {auc:.3f}，可能低至 {low:.3f}（0.5 为随机）。",
}
"""Said after `rule` where its interval holds one half."""

SAID = {
    "model": {"en": "", "zh": ""},
    "rule": {
        "en": "Nothing was proved better than the best time rule, so this list goes by that rule: probabilities and "
        "reasons are the rule's. {n:,} snapshots with {churners:,} churners were there to judge by.",
        "zh": "没有模型被证明优于最佳时间规则，因此本名单以该规则为准：概率与原因均来自该规则。"
        "用于检验的样本为 {n:,} 个，其中 {churners:,} 个流失。",
    },
    "value": {
        "en": "Nothing in these data tells who will leave: the best time rule ranks no better than chance (AUC "
        "{auc:.3f}, {low:.3f} to {high:.3f}), and no model was proved better. This list is in the order of value "
        "alone; every customer has the average probability, and no reasons are given.",
        "zh": "这些数据无法预示谁会流失：最佳时间规则的排序不优于随机（AUC {auc:.3f}，{low:.3f} 至 {high:.3f}），"
        "也没有模型被证明更优。本名单仅按客户价值排序，每位客户的概率均为平均值，不给出原因。",
    },
}


def order(outcome: str, rule: Mapping[str, float]) -> dict[str, str]:
    """The order of the list, and what a reader must know of it, `en` and `zh`; empty where it is the model's.

    Parameters
    ----------
    outcome : str
        Of the verdict: better, partly_better, no_better or worse.
    rule : mapping
        The best time rule's row of the comparison.
    """
    churners = round(rule["n"] * rule["base_rate"])
    chosen: Order = "model"
    if outcome not in PROVEN:
        by_chance = rule["auc"] <= 0.5 or (rule["auc_low"] <= 0.5 and churners >= CHURNERS_TELL)
        chosen = "value" if by_chance else "rule"
    numbers = {"n": rule["n"], "churners": churners}
    numbers |= {"auc": rule["auc"], "low": rule["auc_low"], "high": rule["auc_high"]}
    said = dict(SAID[chosen])
    if chosen == "rule" and rule["auc_low"] <= 0.5:
        said = {language: text + UNSURE[language] for language, text in said.items()}
    return {"order": chosen} | {language: text.format(**numbers) for language, text in said.items()}


def in_use(report: Mapping[str, Any]) -> str:
    """Whose scores and reasons a list shows: `model`, or `rule`; names of `churn.shell.store.PATHS`."""
    return "model" if report["list"]["order"] == "model" else "rule"


def check_gate(report: Mapping[str, Any]) -> None:
    """The list may be made with this model.

    What is too good to be true has seen the outcome. And probabilities are multiplied with money, so a list with wrong
    ones sends a team to the wrong customers. Held back is what is certainly so: a whole interval lies beyond the limit.

    Raises
    ------
    GateFault
        With what was measured, its interval and the limit (exit 6).
    """
    row, limit = report["model"], honest_most(report["logistic"]["auc"])
    if row["auc_low"] > limit:
        raise GateFault(
            message(
                f"the model is too good to be true (AUC {row['auc']:.3f}), so it is not promoted",
                where="reports/evaluation.json",
                many=f"{report['interval']:.0%} interval {row['auc_low']:.3f} to {row['auc_high']:.3f}; recency, "
                f"frequency and money reach {report['logistic']['auc']:.3f}, so the limit is {limit:.3f}",
                do="something tells it the outcome: `churn leaks` names the feature; look when it is recorded. What is "
                "honestly known before belongs into evaluation.vouched in conf/config.yaml",
            )
        )
    if not report["gate"] or report["verdict"]["calibrated"] != "no":
        return
    raise GateFault(
        message(
            f"the probabilities are off by {row['ece']:.1%} on average, so the model is not promoted",
            where="reports/evaluation.json",
            many=f"{report['interval']:.0%} interval {row['ece_low']:.1%} to {row['ece_high']:.1%}, limit "
            f"{report['ece_most']:.0%}, on {row['n']:,} snapshots",
            do="has the world changed since the calibration part? Choose model.calibration, or raise "
            "evaluation.ece_most; with evaluation.gate: false the list is made all the same",
        )
    )


def check_proven(report: Mapping[str, Any]) -> None:
    """The model was proved better than the best time rule.

    Raises
    ------
    GateFault
        With the verdict (exit 6).
    """
    if report["verdict"]["outcome"] not in PROVEN:
        raise GateFault(
            message(
                "the model is not proved better than the best time rule, which `--strict` asks for: nothing published",
                where="reports/evaluation.json",
                many=report["verdict"]["en"],
                do="more customers, dates or sources may tell more; without --strict the list is published and says so",
            )
        )

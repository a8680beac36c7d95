"""Where a model fails, and what it must not be used for."""

from collections.abc import Mapping
from typing import Any

from churn.core.definitions import Definition

Words = dict[str, str]

ALWAYS: tuple[Words, ...] = (
    {
        "en": "Decisions that harm a person or a right: prices, credit, refusal of service, employment.",
        "zh": "对个人或其权利不利的决定：定价、授信、拒绝服务、雇佣。",
    },
    {
        "en": "Proof of a cause. Reasons say what the model saw, and whether an offer changes anything is another "
        "question, which only customers who were left alone at random can answer.",
        "zh": "证明因果。原因只说明模型看到了什么；挽留是否有效，须以随机不联系的客户对照才能回答。",
    },
    {
        "en": "A verdict on one customer: a probability speaks of many alike.",
        "zh": "对单个客户下结论：概率说的是许多相似客户的整体情况。",
    },
)


def must_not(definition: Definition, evaluation: Mapping[str, Any], grade: str) -> list[Words]:
    """What the model must not be used for, what this very model must not be used for first."""
    days, gap = definition.horizon_days, definition.gap_days
    said: list[Words] = []
    if grade == "none":
        said.append({"en": "Choosing whom to call: it has no grade.", "zh": "选择联系对象：该模型未获评级。"})
    if evaluation["verdict"]["calibrated"] == "no":
        said.append(
            {
                "en": "Anything that multiplies its probabilities, such as value at risk: they are certainly off.",
                "zh": "任何以概率相乘的用途，如风险金额：其概率确有偏差。",
            }
        )
    after = (
        {"en": f" that begin {gap} days after the list", "zh": f"自名单日 {gap} 天后起的 "}
        if gap
        else {"en": "", "zh": ""}
    )
    said.append(
        {
            "en": f"Another question than the one above: another horizon than {days} days{after['en']}, another "
            "definition of leaving, customers who are not live by it, another business.",
            "zh": f"上述问题以外的用途：{after['zh']}{days} 天以外的期限、其他流失定义、定义之外的客户、其他业务。",
        }
    )
    return [*said, *ALWAYS]


def fails(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The worst group and the one with the least true probabilities, and how many groups there are.

    Groups that are too small to be shown are counted in `suppressed`. `en` and `zh` say whether chance explains it.
    """
    slices = evaluation["slices"]
    ranked = [found for found in slices if found["auc"] is not None]
    return {
        "groups": len(slices),
        "suppressed": evaluation["suppressed"],
        "ranked_worst": min(ranked, key=lambda found: found["auc"], default=None),
        "least_true": max(slices, key=lambda found: found["ece"], default=None),
        "en": evaluation["worst_slice"]["en"],
        "zh": evaluation["worst_slice"]["zh"],
    }

"""The figures of a card: each with its interval, what it says, and where the report, and MLflow, have it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from churn.core.metric_words import DIRECTIONS, METRICS, number

REPORT = "reports/evaluation.json"
BACKTEST = "reports/backtest.json"

SAYS = {
    "auc": {
        "en": "How often a customer who left had a higher probability than one who stayed; 0.5 is chance.",
        "zh": "流失客户的概率高于留存客户的比例；0.5 相当于随机。",
    },
    "ap": {
        "en": "The share of leavers among those called, averaged over how far down the list one calls.",
        "zh": "沿名单向下联系时，被联系者中流失者的平均占比。",
    },
    "lift10": {
        "en": "How many times more leavers than by chance the first tenth of the list holds.",
        "zh": "名单前十分之一的流失者密度是随机的多少倍。",
    },
    "logloss": {
        "en": "What probability and outcome cost together: it punishes being sure and wrong.",
        "zh": "概率与结果的综合损失：越自信而错得越多，惩罚越重。",
    },
    "brier": {
        "en": "The mean squared distance of probability and outcome.",
        "zh": "概率与实际结果之差的平方均值。",
    },
    "ece": {
        "en": "How far probabilities are off on average: of ten customers at 30%, three should leave.",
        "zh": "概率的平均偏差：十位概率为 30% 的客户中应有三位流失。",
    },
}
"""Metric → why it is on the card, in words."""


@dataclass(frozen=True)
class Figure:
    """One number that the card names.

    Attributes
    ----------
    key : str
        Its place in the report, dotted.
    metric : str
        Its name in the MLflow run.
    source : str
        The report.
    label, says : dict
        Language → its name, and why it is here.
    value, low, high : float or None
        None where it could not be computed, or where it has no interval.
    decimals : int
        To show of it.
    rule : float or None
        The same figure of the best time rule.
    rule_key : str or None
    """

    key: str
    metric: str
    source: str
    label: dict[str, str]
    says: dict[str, str]
    value: float | None
    low: float | None
    high: float | None
    decimals: int
    rule: float | None = None
    rule_key: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The same as values of JSON."""
        return asdict(self)

    @property
    def texts(self) -> dict[str, str]:
        """The numbers as a page shows them; no interval is an empty text."""
        ends = "" if self.low is None else f"{number(self.low, self.decimals)} – {number(self.high, self.decimals)}"
        rule = "" if self.rule_key is None else number(self.rule, self.decimals)
        return {"value": number(self.value, self.decimals), "interval": ends, "rule": rule}


def figures(evaluation: Mapping[str, Any], backtest: Mapping[str, Any] | None) -> list[Figure]:
    """The figures of the test part, then those of the backtest where there is one."""
    model, rule = evaluation["model"], evaluation["rule"]
    found = [
        Figure(
            f"model.{metric}",
            f"model.{metric}",
            REPORT,
            {language: f"{label[language]}{_way(direction, language)}" for language in label},
            SAYS[metric],
            model[metric],
            model[f"{metric}_low"],
            model[f"{metric}_high"],
            decimals,
            rule[metric],
            f"rule.{metric}",
        )
        for metric, (label, direction, decimals) in METRICS.items()
    ]
    return [*found, _caught(evaluation["at_capacity"]), *_over_time(backtest)]


def _way(direction: str, language: str) -> str:
    said = DIRECTIONS[direction][language]
    return f" ({said})" if language == "en" else f"（{said}）"


def _caught(team: Mapping[str, Any]) -> Figure:
    return Figure(
        "at_capacity.model.caught",
        "at_capacity.model.caught",
        REPORT,
        {"en": f"Leavers among the first {team['k']:,}", "zh": f"前 {team['k']:,} 位中的流失者"},
        {
            "en": "Whom the team would have met with the calls that it can make.",
            "zh": "团队在现有联系能力下能遇到的流失者数。",
        },
        team["model"]["caught"],
        None,
        None,
        0,
        team["rule"]["caught"],
        "at_capacity.rule.caught",
    )


def _over_time(backtest: Mapping[str, Any] | None) -> list[Figure]:
    """The pooled figures of a backtest, each with its interval."""
    if backtest is None:
        return []
    pooled, dates = backtest["pooled"], len(backtest["as_ofs"])
    return [
        Figure(
            f"pooled.{metric}",
            f"backtest.pooled.{metric}",
            BACKTEST,
            {"en": f"{label['en']}, dates: {dates}", "zh": f"{label['zh']}，日期数：{dates}"},
            {
                "en": "The same over many dates, each with a model that knew only what was known then.",
                "zh": "在多个日期上的同一指标；每个日期的模型只知道当时已知的信息。",
            },
            pooled[metric],
            pooled[f"{metric}_low"],
            pooled[f"{metric}_high"],
            decimals,
        )
        for metric, (label, _, decimals) in METRICS.items()
    ]

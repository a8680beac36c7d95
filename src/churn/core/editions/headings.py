"""Headings: what the columns of the list are called, and what they mean to the people who read it, in two languages.

The English meanings of all columns, and their types, are declared in `churn.words.tables.RISK_LIST`; here is what the
people's editions (workbook and page) add to them.
"""

from dataclasses import dataclass
from typing import Literal

LANGUAGES = ("en", "zh")
"""The languages of the people's editions, as the endings of columns and file names say them."""

Kind = Literal["count", "text", "sentence", "share", "number", "money", "date"]


@dataclass(frozen=True)
class Heading:
    """One column of the people's editions.

    Attributes
    ----------
    name : str
        The column of RISK_LIST; for a sentence without the ending of the language.
    kind : str
        How its cells are written: a count, a text to keep exactly, a sentence to wrap, a share of 1, a plain number,
        money in the list's currency, or a local date.
    width : int
        Width in Excel, in digits of its standard font.
    label : dict
        Language → heading.
    meaning : dict
        Language → explanation, for a reader who knows the business and not the model.
    """

    name: str
    kind: Kind
    width: int
    label: dict[str, str]
    meaning: dict[str, str]

    def column(self, language: str) -> str:
        """The column of RISK_LIST that holds the cells in a language."""
        return f"{self.name}_{language}" if self.kind == "sentence" else self.name


HEADINGS = (
    Heading(
        "rank",
        "count",
        7,
        {"en": "Rank", "zh": "排名"},
        {
            "en": "Order in which to call: the most money at risk first.",
            "zh": "联系的先后顺序：风险金额最大者在前。",
        },
    ),
    Heading(
        "customer_id",
        "text",
        16,
        {"en": "Customer", "zh": "客户"},
        {
            "en": "The customer's id, exactly as the source writes it, leading zeros included.",
            "zh": "客户编号，与来源系统完全一致，保留前导零。",
        },
    ),
    Heading(
        "score",
        "share",
        12,
        {"en": "Probability of leaving", "zh": "流失概率"},
        {
            "en": "Calibrated: of 100 customers at 30%, about 30 are expected to leave within the horizon.",
            "zh": "已校准：100 位概率为 30% 的客户中，预计约有 30 位在预测期内流失。",
        },
    ),
    Heading(
        "score_low",
        "share",
        9,
        {"en": "At least", "zh": "概率下限"},
        {
            "en": "Low end of the interval of the probability: in nine of ten groups of customers like this one, the "
            "share that leaves lies between the two ends, but for the chance of small numbers.",
            "zh": "概率区间的下限：在十组类似客户中，约有九组的实际流失比例落在上下限之间（小样本的偶然波动除外）。",
        },
    ),
    Heading(
        "score_high",
        "share",
        9,
        {"en": "At most", "zh": "概率上限"},
        {
            "en": "High end of it. A wide interval means that too little is known to rely on the number.",
            "zh": "概率区间的上限。区间越宽，说明可依据的信息越少。",
        },
    ),
    Heading(
        "percentile",
        "number",
        11,
        {"en": "Percentile", "zh": "风险百分位"},
        {
            "en": "How many of 100 customers have a lower probability of leaving; 99 is among the most at risk.",
            "zh": "每 100 位客户中有多少位的流失概率更低；99 表示属于风险最高的一批。",
        },
    ),
    Heading(
        "expected_value",
        "money",
        12,
        {"en": "Expected value", "zh": "预期价值"},
        {
            "en": "Money that the customer would bring in the next horizon by staying, at the pace seen so far. "
            "A plain estimate.",
            "zh": "客户若留下，按以往节奏在下一个预测期内预计带来的金额（简单估计）。",
        },
    ),
    Heading(
        "value_at_risk",
        "money",
        13,
        {"en": "Value at risk", "zh": "风险金额"},
        {
            "en": "Expected value times the probability of leaving. The list is sorted by it.",
            "zh": "预期价值乘以流失概率；名单按此排序。",
        },
    ),
    Heading(
        "reason_1",
        "sentence",
        34,
        {"en": "Main reason", "zh": "主要原因"},
        {
            "en": "What raises this customer's risk the most, with the customer's own numbers. "
            "It says what the model saw, not what caused it.",
            "zh": "最能推高该客户风险的事实，附客户自身的数字。说明的是模型看到了什么，而非因果。",
        },
    ),
    Heading(
        "reason_2",
        "sentence",
        34,
        {"en": "Second reason", "zh": "第二原因"},
        {"en": "The next weightiest; empty when there is none.", "zh": "次要原因；没有则为空。"},
    ),
    Heading(
        "reason_3",
        "sentence",
        34,
        {"en": "Third reason", "zh": "第三原因"},
        {"en": "The third weightiest; empty when there is none.", "zh": "第三位的原因；没有则为空。"},
    ),
    Heading(
        "staying",
        "sentence",
        34,
        {"en": "Speaks for staying", "zh": "有利于留存"},
        {
            "en": "What lowers this customer's risk the most: a thread to pick up in the conversation.",
            "zh": "最能降低该客户风险的事实：沟通时可以借助的切入点。",
        },
    ),
    Heading(
        "as_of",
        "date",
        12,
        {"en": "As of", "zh": "截至"},
        {
            "en": "Nothing that became known at this date or later was used (local time of the business).",
            "zh": "当日及之后才得知的信息一概未用（按业务所在地时间）。",
        },
    ),
    Heading(
        "model_version",
        "text",
        15,
        {"en": "Model version", "zh": "模型版本"},
        {
            "en": "Start of the digest over the files of the model that made this list.",
            "zh": "生成本名单的模型文件摘要的开头几位。",
        },
    ),
)
"""The columns of the people's editions, in their order."""

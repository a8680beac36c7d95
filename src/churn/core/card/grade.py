"""The grade of a model: some questions, what each answer allows, and the worst of the answers.

A: everything was asked, and holds. B: better than the rule, but something is not shown. C: of use beside the rule.
none: use the rule. An answer that nobody has measured allows B at most: what is not shown is not known.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from churn.core.card.questions import QUESTIONS, Answer, Words

GRADES = ("A", "B", "C", "none")
"""The best first."""


@dataclass(frozen=True)
class Grade:
    """The grade, what it means in words, and the answers that it comes from."""

    grade: str
    words: Words
    answers: tuple[Answer, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The same as values of JSON."""
        return {"grade": self.grade, **self.words, "answers": [asdict(answer) for answer in self.answers]}


MEANING = {
    "A": {
        "en": "Everything that was asked was measured, and holds: use the order and the probabilities.",
        "zh": "各项均已检验且成立：排序与概率均可使用。",
    },
    "B": {
        "en": "Better than the rule, but not everything is shown: use the order, and the probabilities with care.",
        "zh": "优于规则，但尚有未证实之处：可用排序，概率须谨慎使用。",
    },
    "C": {
        "en": "Of use beside the rule: look at the order, decide nothing by the numbers alone.",
        "zh": "可与规则并用：参考排序，不可仅凭数值决策。",
    },
    "none": {
        "en": "No grade: no better than the rule. Use the rule, which everybody understands.",
        "zh": "不予评级：并不优于规则。请直接使用人人都懂的规则。",
    },
}
NOT_BELIEVED = {
    "en": "No grade: too good to be true. Find out what tells the model the outcome before its use: run churn leaks.",
    "zh": "不予评级：好得不真实。使用前请先查明是什么向模型泄露了结果（churn leaks）。",
}

NO_SIGNAL = {
    "en": "No grade: neither the model nor the best time rule tells who will leave. Look for data that do.",
    "zh": "不予评级：模型与最佳时间规则均无法预示谁会流失。请寻找其他数据。",
}
"""Instead of the advice to use the rule, where the list does not go by it either."""

NOT_NOW = {
    "en": "Better than the rule over the dates of the backtest, but not proved so at the newest date: this list is not "
    "in its order, and its probabilities are not the model's.",
    "zh": "在回测各日期上优于规则，但在最新日期未获证明：本名单不按该模型排序，其中的概率也不是该模型的。",
}
"""Instead of the advice to use the order and the probabilities, where the list shows others."""


def grade(evaluation: Mapping[str, Any], backtest: Mapping[str, Any] | None) -> Grade:
    """The grade that an evaluation earns, with the backtest of the same data and model where there is one.

    What a backtest found over many dates weighs more than the newest date alone: it is looked at instead where both
    say something.

    Parameters
    ----------
    evaluation
        As reports/evaluation.json holds it.
    backtest
        As reports/backtest.json holds it; None where there is none of this data and model.
    """
    answers = tuple(ask(evaluation, backtest) for ask in QUESTIONS)
    worst = max((answer.allows for answer in answers), key=GRADES.index)
    believed = next(answer.allows != "none" for answer in answers if answer.name == "believable")
    if not believed:
        return Grade(worst, NOT_BELIEVED, answers)
    by = evaluation["list"]["order"]
    if worst == "none":
        return Grade(worst, NO_SIGNAL if by == "value" else MEANING[worst], answers)
    return Grade(worst, MEANING[worst] if by == "model" else NOT_NOW, answers)

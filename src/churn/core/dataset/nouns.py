"""What an event of a role is called where a data set has no better word, and what the quantity of use is called."""

from dataclasses import dataclass

from churn.core.dataset.shapes import Noun

UNITS_ZH = {
    "milliseconds": "毫秒",
    "seconds": "秒",
    "minutes": "分钟",
    "hours": "小时",
    "days": "天",
    "times": "次",
    "units": "单位",
    "pages": "页",
    "bytes": "字节",
}
"""Units that have a Chinese word. Others, such as GB, are said as they are declared in both languages."""


@dataclass(frozen=True)
class Use(Noun):
    """What a use is called, and the unit of its quantity; where nobody declared one, words name none.

    >>> Use("session", "sessions", "使用", "seconds").quantity, Use("session", "sessions", "使用").quantity
    ('seconds of use', 'usage')
    """

    unit: str = ""

    @property
    def quantity(self) -> str:
        """What the sum of the quantities is called."""
        return f"{self.unit} of use" if self.unit else "usage"

    @property
    def quantity_zh(self) -> str:
        """The same in Chinese."""
        if self.unit in UNITS_ZH:
            return f"使用{UNITS_ZH[self.unit]}数"
        return f"使用量（{self.unit}）" if self.unit else "使用量"

    @property
    def before(self) -> str:
        """What stands before the number in a sentence."""
        return "" if self.unit else "usage of "

    @property
    def after(self) -> str:
        """What stands after the number."""
        return f" {self.quantity}" if self.unit else ""

    @property
    def before_zh(self) -> str:
        """What stands before the number in Chinese."""
        return "使用" if self.unit else "使用量"

    @property
    def after_zh(self) -> str:
        """What stands after it."""
        return UNITS_ZH.get(self.unit, self.unit)


ROLE_NOUNS: dict[str, Noun] = {
    "purchase": Noun("purchase", "purchases", "购买"),
    "usage": Use("use", "uses", "使用"),
    "complaint": Noun("complaint", "complaints", "投诉"),
    "contact": Noun("contact", "contacts", "联系"),
    "payment": Noun("payment", "payments", "付款"),
    "survey": Noun("survey answer", "survey answers", "问卷回复"),
    "cancel": Noun("cancellation", "cancellations", "解约"),
    "campaign": Noun("campaign", "campaigns", "营销触达"),
    "presence": Noun("listing", "listings", "在册记录"),
}


def named(own: dict[str, Noun], unit: str) -> dict[str, Noun]:
    """The nouns of all roles: the data set's own ones, and the unit of its use."""
    nouns = ROLE_NOUNS | own
    use = nouns["usage"]
    return nouns | {"usage": Use(use.one, use.many, use.zh, unit)}

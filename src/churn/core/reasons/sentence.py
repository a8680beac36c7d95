"""What one sentence is: when it is true of a customer, and its words in both languages."""

import operator
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from churn.core.amounts import count, money, share

CENTS_BELOW = 10
"""Cents of an amount below this matter to the ear; above it they are noise in a sentence."""
Condition = tuple[str, str, float | str]
"""A fact, a comparison and a number or another fact: `("purchase_silence_ratio", ">=", 1.2)`."""
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


class Noun(Protocol):
    """What one event of a role is called: `one` basket, `many` baskets, `zh` for Chinese. That of usage also says how
    its quantity is called; see `churn.core.dataset.nouns.Use`.
    """

    one: str
    many: str
    zh: str


Direction = Literal["leaving", "staying"]
BOTH: tuple[Direction, Direction] = ("leaving", "staying")


@dataclass(frozen=True)
class Sentence:
    """A sentence about a group of features, said when all its conditions hold.

    In `en` and `zh`, `{purchase.one}` and `{usage.after}` are the data set's words and `{days_since_purchase:days}` a fact with its form:
    `days`, `count`, `ROLE` (a count with the noun of that role), `share`, `money`, `number` or `text`. A fact is a
    feature or one of `facts.FACTS`. A condition on a missing value is false, so a sentence never speaks of what is
    not known.
    """

    group: str
    direction: Direction
    when: tuple[Condition, ...]
    en: str
    zh: str

    @property
    def facts(self) -> frozenset[str]:
        """Names of the facts that the sentence needs."""
        named = {left for left, _, _ in self.when} | {right for _, _, right in self.when if isinstance(right, str)}
        for template in (self.en, self.zh):
            named |= {name for _, name, form, _ in string.Formatter().parse(template) if name and form}
        return frozenset(named)

    def holds(self, facts: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether the sentence is true, shape `(n_customers,)`."""
        true = np.ones(len(next(iter(facts.values()))), dtype=bool)
        for left, comparison, right in self.when:
            true &= COMPARISONS[comparison](facts[left], facts[right] if isinstance(right, str) else np.float64(right))
        for name in self.facts:
            if facts[name].dtype.kind == "f":
                true &= np.isfinite(facts[name])
        return true


def said(
    template: str,
    facts: Mapping[str, np.ndarray],
    rows: np.ndarray,
    *,
    language: str,
    nouns: Mapping[str, Noun],
    currency: str,
) -> list[str]:
    """The sentence in words for each of `rows`, with the customers' numbers.

    Parameters
    ----------
    template : str
        `en` or `zh` of a `Sentence`.
    rows : np.ndarray
        Positions of the customers in the arrays of `facts`, shape `(n_rows,)`.
    """
    pieces: list[list[str] | str] = []
    for literal, name, form, _ in string.Formatter().parse(template):
        pieces.append(literal)
        if name and form:
            pieces.append(_formed(facts[name][rows], form, language, nouns, currency))
        elif name:
            role, _, shape = name.partition(".")
            pieces.append(str(getattr(nouns[role], shape or ("zh" if language == "zh" else "many"))))
    columns = [[piece] * len(rows) if isinstance(piece, str) else piece for piece in pieces]
    sentences = ["".join(parts) for parts in zip(*columns, strict=True)]
    return [sentence[:1].upper() + sentence[1:] for sentence in sentences] if language == "en" else sentences


def _formed(values: np.ndarray, form: str, language: str, nouns: Mapping[str, Noun], currency: str) -> list[str]:
    """Each value in words. Equal numbers are worded once: a million customers share few different counts."""
    if form == "text":
        return [str(value) for value in values]
    different, inverse = np.unique(values.astype(np.float64), return_inverse=True)
    if form in FORMS:
        worded = [FORMS[form](float(value), language, currency) for value in different]
    else:
        worded = [_counted(float(value), nouns[form], language) for value in different]
    return [worded[i] for i in inverse]


def _days(value: float, language: str, _: str) -> str:
    whole = int(value)
    if language == "zh":
        return f"{whole}天"
    return f"{whole} day" if whole == 1 else f"{whole} days"


def _only(value: float, language: str, _: str) -> str:
    return ("" if language == "zh" else "only ") + _days(value, language, "")


def _ago(value: float, language: str, _: str) -> str:
    if value < 1:
        return "不到1天前" if language == "zh" else "less than a day ago"
    return _days(value, language, "") + ("前" if language == "zh" else " ago")


def _every(value: float, language: str, _: str) -> str:
    whole = max(round(value), 1)
    if language == "zh":
        return f"每{whole}天" if whole > 1 else "每天"
    return f"every {whole} days" if whole > 1 else "every day"


def _counted(value: float, noun: Noun, language: str) -> str:
    whole = round(value)
    if language == "zh":
        return f"{whole}次{noun.zh}"
    if whole == 0:
        return f"no {noun.one}"
    return f"{whole} {noun.one if whole == 1 else noun.many}"


def _count(value: float, language: str, _: str) -> str:
    whole = round(value)
    if whole == 0:
        return "无" if language == "zh" else "none"
    return f"{whole:,}"


def _categories(value: float, language: str, _: str) -> str:
    whole = round(value)
    if language == "zh":
        return f"{whole}个种类"
    return f"{whole} category" if whole == 1 else f"{whole} categories"


def _money(value: float, language: str, currency: str) -> str:
    if value == 0:
        return "nothing" if language == "en" else "0"
    return money(value, currency, decimals=0 if abs(value) >= CENTS_BELOW else 2)


def _number(value: float, _language: str, _currency: str) -> str:
    return count(value) if value == round(value) else f"{value:,.1f}"


def _share(value: float, _language: str, _currency: str) -> str:
    return share(value, decimals=0)


FORMS: dict[str, Callable[[float, str, str], str]] = {
    "days": _days,
    "only": _only,
    "ago": _ago,
    "categories": _categories,
    "every": _every,
    "count": _count,
    "money": _money,
    "number": _number,
    "share": _share,
}

"""What one feature is: arithmetic on the verbs of a `History`, beside its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from churn.core.dataset import Noun
    from churn.core.history import History

GROUPS = (
    "purchase_silence",
    "purchase_drop",
    "spend_drop",
    "usage_silence",
    "usage_drop",
    "complaints",
    "contacts",
    "payments",
    "survey",
    "campaigns",
    "discounts",
    "returns",
    "variety",
    "tenure",
    "season",
    "attributes",
)
"""Groups of related features: a reason speaks about one group, not about one column."""


@dataclass(frozen=True)
class Feature:
    """One column of the features table.

    `en` and `zh` say what the number is; `{purchase.one}`, `{purchase.many}` and `{purchase.zh}`, and those of the other
    roles, stand for the data set's own nouns.
    `window` is in words, such as "30 days" or "all history". `null` says what NaN means; empty: never NaN.
    `role` is the event role without which the feature is not computed; None: always.
    """

    name: str
    group: str
    role: str | None
    en: str
    zh: str
    unit: str
    window: str
    null: str
    compute: "Callable[[History], np.ndarray]"

    @property
    def is_money(self) -> bool:
        """Whether the number is in the currency of the data set, or in it a day."""
        return self.unit.split(" ")[0] == "currency"

    def words(self, language: str, nouns: "Mapping[str, Noun]") -> str:
        """What the number is, in `en` or `zh`, with the nouns of a data set."""
        return (self.zh if language == "zh" else self.en).format_map(nouns)


class Windows(NamedTuple):
    """The lookback windows that all families share, in days, and the equal periods over which trends are taken."""

    windows_days: tuple[int, ...]
    period_days: int
    periods: int


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, NaN where the whole is 0 or unknown.

    >>> ratio(np.array([1.0, 2.0]), np.array([4.0, 0.0]))
    array([0.25,  nan])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)

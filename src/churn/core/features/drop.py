"""Whether a customer does less than before: this window against the one before, against the own rate, and the trend."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from churn.core.features.feature import Feature, Windows, ratio

if TYPE_CHECKING:
    from churn.core.history import Days, History

Measure = Callable[["History", "Days"], np.ndarray]
"""How much there was of something in a window: a count or a sum."""


class Measured(NamedTuple):
    """What may drop: name of its columns, group, role, its words in both languages, and how much there was in a
    window.
    """

    name: str
    group: str
    role: str
    en: str
    zh: str
    measure: Measure


def drop(measured: Measured, lookback: Windows) -> Iterator[Feature]:
    """Ratio and difference to the window before, ratio to the own long-run rate, periods of decline, and slope."""
    name, group, role, en, zh, measure = measured
    windows_days, period_days, periods = lookback
    for days in (d for d in windows_days if d <= 180):
        window = f"{days} days and the {days} before"
        yield Feature(
            f"{name}_ratio_{days}d", group, role, f"{en} in the last {days} days against the {days} days before",
            f"最近{days}天与之前{days}天的{zh}之比", "ratio", window, "nothing in the days before",
            lambda h, days=days: ratio(measure(h, days), measure(h, (days, 2 * days))),
        )  # fmt: skip
        yield Feature(
            f"{name}_change_{days}d", group, role, f"change of {en} from the {days} days before to the last {days}",
            f"最近{days}天较之前{days}天的{zh}变化", "difference", window, "",
            lambda h, days=days: measure(h, days) - measure(h, (days, 2 * days)),
        )  # fmt: skip
        yield Feature(
            f"{name}_own_rate_ratio_{days}d", group, role, f"{en} a day in the last {days} days against the customer's own long-run rate",
            f"最近{days}天日均{zh}与客户自身长期水平之比", "ratio", f"{days} days against all history",
            "nothing yet, or known for less than the window",
            lambda h, days=days: _own_rate_ratio(h, measure, role, days),
        )  # fmt: skip
    window = f"{periods} periods of {period_days} days"
    yield Feature(
        f"{name}_decline_periods", group, role, f"consecutive periods of {period_days} days in which {en} fell",
        f"{zh}连续下降的{period_days}天周期数", "count", window, "",
        lambda h: _decline_periods(_by_period(h, measure, period_days, periods)),
    )  # fmt: skip
    yield Feature(
        f"{name}_slope", group, role, f"trend of {en} per period of {period_days} days", f"每{period_days}天的{zh}趋势",
        "per period", window, "", lambda h: _slope(_by_period(h, measure, period_days, periods)),
    )  # fmt: skip


def _own_rate_ratio(h: "History", measure: Measure, role: str, days: int) -> np.ndarray:
    known_days = h.days_since_first(role)
    return np.where(known_days >= days, ratio(measure(h, days) / days, measure(h, None) / known_days), np.nan)


def _by_period(h: "History", measure: Measure, period_days: int, periods: int) -> list[np.ndarray]:
    """The measure in each period, the newest first."""
    return [measure(h, (i * period_days, (i + 1) * period_days)) for i in range(periods)]


def _decline_periods(by_period: list[np.ndarray]) -> np.ndarray:
    """How many periods in a row, counted back from the newest, each had less than the one before."""
    falls = np.array([newer < older for newer, older in pairwise(by_period)])
    return np.cumprod(falls, axis=0).sum(axis=0).astype(np.float64)


def _slope(by_period: list[np.ndarray]) -> np.ndarray:
    """Least-squares slope over the periods, positive when the measure grows with time."""
    position = -np.arange(len(by_period), dtype=np.float64)
    weight = (position - position.mean()) / np.sum((position - position.mean()) ** 2)
    return sum((w * values for w, values in zip(weight, by_period, strict=True)), np.zeros(1))

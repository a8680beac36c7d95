"""Money: spend, discounts, returns and payments."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from churn.core.features.feature import Feature, ratio

if TYPE_CHECKING:
    from churn.core.history import Days, History

YEAR_DAYS = 365


def spend(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Money spent on purchases, and what a purchase is usually worth."""
    for days in windows_days:
        yield Feature(
            f"spend_{days}d", "spend_drop", "purchase", f"spend in the last {days} days", f"最近{days}天的消费额",
            "currency", f"{days} days", "", lambda h, days=days: h.sum("purchase", "amount", days),
        )  # fmt: skip
    yield Feature(
        "spend_total", "spend_drop", "purchase", "spend so far", "累计消费额", "currency", "all history", "",
        lambda h: h.sum("purchase", "amount"),
    )  # fmt: skip
    for days in (d for d in windows_days if d >= 90):
        yield Feature(
            f"spend_mean_{days}d", "spend_drop", "purchase", f"spend per {{purchase.one}} in the last {days} days",
            f"最近{days}天平均每次{{purchase.zh}}的消费额", "currency", f"{days} days", "no amount in the window",
            lambda h, days=days: ratio(h.sum("purchase", "amount", days), h.answered("purchase", "amount", days)),
        )  # fmt: skip
    yield Feature(
        "last_spend", "spend_drop", "purchase", "spend at the last {purchase.one}", "上次{purchase.zh}的消费额", "currency",
        "all history", "never bought", lambda h: h.last("purchase", "amount"),
    )  # fmt: skip
    yield Feature(
        "spend_per_day_365d", "spend_drop", "purchase", "net spend a day in the last year, or since the first {purchase.one}",
        "最近一年（或首次{purchase.zh}以来）日均净消费额", "currency a day", "365 days", "never bought",
        lambda h: _per_day(h, "purchase", lambda days: net_spend(h, days)),
    )  # fmt: skip


def net_spend(h: "History", days: "Days") -> np.ndarray:
    """Purchases less returns. A returned purchase carries the amount given back, whatever its sign in the source."""
    return h.sum("purchase", "amount", days) - np.abs(h.sum("purchase", "amount", days, state="returned"))


def discounts(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """How much of the price was taken off."""
    for days in (d for d in windows_days if d >= 30):
        yield Feature(
            f"discount_share_{days}d", "discounts", "purchase", f"share of the price taken off in the last {days} days",
            f"最近{days}天的折扣占比", "share", f"{days} days", "nothing bought in the window",
            lambda h, days=days: _discount_share(h, days),
        )  # fmt: skip
    yield Feature(
        "discount_share_change_90d", "discounts", "purchase", "change of the discount share from the 90 days before to the last 90",
        "最近90天较之前90天的折扣占比变化", "difference", "90 days and the 90 before", "nothing bought in one of them",
        lambda h: _discount_share(h, 90) - _discount_share(h, (90, 180)),
    )  # fmt: skip
    yield Feature(
        "last_discount_share", "discounts", "purchase", "share of the price taken off at the last {purchase.one}",
        "上次{purchase.zh}的折扣占比", "share", "all history", "never bought, or no discount said",
        lambda h: ratio(h.last("purchase", "discount"), h.last("purchase", "discount") + h.last("purchase", "amount")),
    )  # fmt: skip


def returns(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """What the customer gave back."""
    for days in (d for d in windows_days if d >= 30):
        yield Feature(
            f"returns_{days}d", "returns", "purchase", f"returns in the last {days} days", f"最近{days}天的退货次数",
            "count", f"{days} days", "", lambda h, days=days: h.count("purchase", days, state="returned"),
        )  # fmt: skip
    yield Feature(
        "return_share_365d", "returns", "purchase", "returns per {purchase.one} in the last year", "最近一年退货与{purchase.zh}之比",
        "ratio", "365 days", "nothing bought in the window",
        lambda h: ratio(h.count("purchase", YEAR_DAYS, state="returned"), h.count("purchase", YEAR_DAYS)),
    )  # fmt: skip


def payments(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Payments that came, and payments that failed."""
    for days in (d for d in windows_days if d >= 30):
        yield Feature(
            f"payments_failed_{days}d", "payments", "payment", f"failed {{payment.many}} in the last {days} days",
            f"最近{days}天失败的{{payment.zh}}次数", "count", f"{days} days", "",
            lambda h, days=days: h.count("payment", days, state="failed"),
        )  # fmt: skip
    yield Feature(
        "payments_failed_share_90d", "payments", "payment", "share of {payment.many} that failed in the last 90 days",
        "最近90天{payment.zh}失败的比例", "share", "90 days", "no payment in the window",
        lambda h: ratio(h.count("payment", 90, state="failed"), h.count("payment", 90) + h.count("payment", 90, state="failed")),
    )  # fmt: skip
    yield Feature(
        "days_since_payment", "payments", "payment", "days since the last {payment.one} that came through",
        "距上次成功{payment.zh}的天数", "days", "all history", "never paid", lambda h: h.days_since("payment"),
    )  # fmt: skip
    yield Feature(
        "days_since_failed_payment", "payments", "payment", "days since the last failed {payment.one}",
        "距上次失败{payment.zh}的天数", "days", "all history", "none ever failed",
        lambda h: h.days_since("payment", state="failed"),
    )  # fmt: skip
    yield Feature(
        "paid_per_day_365d", "payments", "payment", "paid a day in the last year, or since the first {payment.one}",
        "最近一年（或首次{payment.zh}以来）日均付款额", "currency a day", "365 days", "never paid",
        lambda h: _per_day(h, "payment", lambda days: h.sum("payment", "amount", days)),
    )  # fmt: skip


def _discount_share(h: "History", days: "Days") -> np.ndarray:
    taken_off = h.sum("purchase", "discount", days)
    return ratio(taken_off, taken_off + h.sum("purchase", "amount", days))


def _per_day(h: "History", role: str, total: "Callable[[Days], np.ndarray]") -> np.ndarray:
    """A year's sum over the days that the customer was known in it, a month at least: one purchase is no daily habit."""
    known_days = np.clip(h.days_since_first(role), 30, YEAR_DAYS)
    return total(YEAR_DAYS) / known_days

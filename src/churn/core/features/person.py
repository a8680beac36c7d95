"""Campaigns received, time with us, and the position of `as_of` in the week and the year."""

from collections.abc import Iterator

import numpy as np

from churn.core.features.feature import Feature, ratio

DAYS_A_YEAR = 365.2425
"""Mean length of the Gregorian year: keeps the phase of the season in place over decades."""
FIRST_WEEKDAY = 3
"""1970-01-01 was a Thursday, the fourth day of a week that starts on Monday."""


def campaigns(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Campaigns that reached the customer, and those that the customer answered."""
    for days in (d for d in windows_days if d >= 30):
        yield Feature(
            f"campaigns_sent_{days}d", "campaigns", "campaign", f"{{campaign.many}} received in the last {days} days",
            f"最近{days}天收到的{{campaign.zh}}次数", "count", f"{days} days", "",
            lambda h, days=days: h.count("campaign", days),
        )  # fmt: skip
        yield Feature(
            f"campaigns_answered_{days}d", "campaigns", "campaign", f"{{campaign.many}} answered in the last {days} days",
            f"最近{days}天回应的{{campaign.zh}}次数", "count", f"{days} days", "",
            lambda h, days=days: h.count("campaign", days, state="answered"),
        )  # fmt: skip
    yield Feature(
        "campaign_answer_share_365d", "campaigns", "campaign", "answers per {campaign.one} received in the last year",
        "最近一年{campaign.zh}回应率", "ratio", "365 days", "none received in the window",
        lambda h: ratio(h.count("campaign", 365, state="answered"), h.count("campaign", 365)),
    )  # fmt: skip
    for state, en, zh in (("sent", "received", "收到"), ("answered", "answered", "回应")):
        yield Feature(
            f"days_since_campaign_{state}", "campaigns", "campaign", f"days since the last {{campaign.one}} {en}",
            f"距上次{zh}{{campaign.zh}}的天数", "days", "all history", "never happened",
            lambda h, state=state: h.days_since("campaign", state=state),
        )  # fmt: skip


def tenure() -> Iterator[Feature]:
    """How long the customer has been with us, and whether a cancellation was undone before."""
    yield Feature(
        "tenure_days", "tenure", None, "days since the first event of any kind", "客户关系持续天数", "days", "all history",
        "no event was known yet", lambda h: h.days_since_first(None),
    )  # fmt: skip
    yield Feature(
        "cancellations_undone", "tenure", "cancel", "cancellations that the customer took back", "撤回的取消次数", "count",
        "all history", "", lambda h: h.count("cancel", state="undone"),
    )  # fmt: skip
    yield Feature(
        "days_since_cancellation", "tenure", "cancel", "days since the last cancellation", "距上次取消的天数", "days",
        "all history", "never cancelled", lambda h: h.days_since("cancel"),
    )  # fmt: skip


def season() -> Iterator[Feature]:
    """Where in the week and the year `as_of` lies, each as a point on a circle."""
    circles = (("year", DAYS_A_YEAR, 0, "年"), ("week", 7.0, FIRST_WEEKDAY, "周"))
    for name, days, offset, zh in circles:
        for part, turn in (("sin", np.sin), ("cos", np.cos)):
            yield Feature(
                f"as_of_{name}_{part}", "season", None, f"position of as_of in the {name} ({part})", f"预测日在{zh}中的位置（{part}）",
                "circle", "as_of", "",
                lambda h, turn=turn, days=days, offset=offset: turn(2 * np.pi * ((h.as_of + offset) % days) / days),
            )  # fmt: skip

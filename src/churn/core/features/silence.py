"""How long a customer has been silent, and whether that is unusual for this customer."""

from collections.abc import Iterator

import numpy as np

from churn.core.features.feature import Feature, ratio

GAP_DAYS = 365
"""The usual rhythm is that of the last year: an older one may belong to another life of the customer."""


def silence(role: str) -> Iterator[Feature]:
    """Recency and gaps of an activity role, `purchase` or `usage`."""
    group, noun = f"{role}_silence", f"{{{role}}}"
    gap_window = f"{GAP_DAYS} days"
    yield Feature(
        f"days_since_{role}", group, role, f"days since the last {noun}", f"距上次{noun}的天数",
        "days", "all history", "never happened", lambda h: h.days_since(role),
    )  # fmt: skip
    yield Feature(
        f"days_since_previous_{role}", group, role, f"days since the last {noun} but one", f"距倒数第二次{noun}的天数",
        "days", "all history", "happened less than twice", lambda h: h.days_since_previous(role),
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_mean_days", group, role, f"usual days from one {noun} to the next", f"两次{noun}之间的平均天数",
        "days", gap_window, "fewer than two active days", lambda h: h.gaps(role, GAP_DAYS).mean,
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_deviation_days", group, role, f"standard deviation of the days between {noun}",
        f"{noun}间隔天数的标准差", "days", gap_window, "fewer than two active days",
        lambda h: h.gaps(role, GAP_DAYS).deviation,
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_longest_days", group, role, f"longest time without {noun}", f"最长的无{noun}天数",
        "days", gap_window, "fewer than two active days", lambda h: h.gaps(role, GAP_DAYS).longest,
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_q90_days", group, role, f"nine of ten times the next {noun} came within", f"九成的{noun}间隔不超过",
        "days", gap_window, "fewer than two active days", lambda h: h.gaps(role, GAP_DAYS).quantile,
    )  # fmt: skip
    yield Feature(
        f"{role}_silence_ratio", group, role, f"current silence against the usual gap between {noun}",
        f"当前沉默天数与平常{noun}间隔之比", "ratio", gap_window, "fewer than two active days",
        lambda h: ratio(h.days_since(role), h.gaps(role, GAP_DAYS).mean),
    )  # fmt: skip
    yield Feature(
        f"{role}_silence_beyond_q90_days", group, role, f"days of silence beyond nine of ten of the gaps between {noun}",
        f"超过九成{noun}间隔的沉默天数", "days", gap_window, "fewer than two active days",
        lambda h: h.days_since(role) - h.gaps(role, GAP_DAYS).quantile,
    )  # fmt: skip
    yield Feature(
        f"{role}_silence_of_tenure", group, role, f"last {noun} as a share of the time since the first",
        f"距上次{noun}的时间占首次以来时间的比例", "share", "all history", "never happened",
        lambda h: np.minimum(ratio(h.days_since(role), h.days_since_first(role)), 1.0),
    )  # fmt: skip

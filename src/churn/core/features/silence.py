"""How long a customer has been silent, and whether that is unusual for this customer."""

from collections.abc import Iterator

import numpy as np

from churn.core.features.feature import Feature, ratio

GAP_DAYS = 365
"""The usual rhythm is that of the last year: an older one may belong to another life of the customer."""


def silence(role: str) -> Iterator[Feature]:
    """Recency and gaps of an activity role, `purchase` or `usage`."""
    group = f"{role}_silence"
    one, many, zh = f"{{{role}.one}}", f"{{{role}.many}}", f"{{{role}.zh}}"
    gap_window = f"{GAP_DAYS} days"
    yield Feature(
        f"days_since_{role}", group, role, f"days since the last {one}", f"距上次{zh}的天数",
        "days", "all history", "never happened", lambda h: h.days_since(role),
    )  # fmt: skip
    yield Feature(
        f"days_since_previous_{role}", group, role, f"days since the last {one} but one", f"距倒数第二次{zh}的天数",
        "days", "all history", "happened less than twice", lambda h: h.days_since_previous(role),
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_mean_days", group, role, f"usual days from one {one} to the next", f"两次{zh}之间的平均天数",
        "days", gap_window, "fewer than two active days", lambda h: h.gaps(role, GAP_DAYS).mean,
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_deviation_days", group, role, f"standard deviation of the days between {many}",
        f"{zh}间隔天数的标准差", "days", gap_window, "fewer than two active days",
        lambda h: h.gaps(role, GAP_DAYS).deviation,
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_longest_days", group, role, f"longest time without {many}", f"最长的无{zh}天数",
        "days", gap_window, "fewer than two active days", lambda h: h.gaps(role, GAP_DAYS).longest,
    )  # fmt: skip
    yield Feature(
        f"{role}_gap_q90_days", group, role, f"nine of ten times the next {one} came within", f"九成的{zh}间隔不超过",
        "days", gap_window, "fewer than two active days", lambda h: h.gaps(role, GAP_DAYS).quantile,
    )  # fmt: skip
    yield Feature(
        f"{role}_silence_ratio", group, role, f"current silence against the usual gap between {many}",
        f"当前沉默天数与平常{zh}间隔之比", "ratio", gap_window, "fewer than two active days",
        lambda h: ratio(h.days_since(role), h.gaps(role, GAP_DAYS).mean),
    )  # fmt: skip
    yield Feature(
        f"{role}_silence_beyond_q90_days", group, role, f"days of silence beyond nine of ten of the gaps between {many}",
        f"超过九成{zh}间隔的沉默天数", "days", gap_window, "fewer than two active days",
        lambda h: h.days_since(role) - h.gaps(role, GAP_DAYS).quantile,
    )  # fmt: skip
    yield Feature(
        f"{role}_silence_of_tenure", group, role, f"time since the last {one} as a share of the time since the first",
        f"距上次{zh}的时间占首次以来时间的比例", "share", "all history", "never happened",
        lambda h: np.minimum(ratio(h.days_since(role), h.days_since_first(role)), 1.0),
    )  # fmt: skip

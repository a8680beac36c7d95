"""How much a customer does: counts, active days, sums, means and variety in lookback windows."""

from collections.abc import Iterator

from churn.core.features.feature import Feature, ratio

PLURAL = {"purchase": "purchases", "usage": "sessions"}
"""How columns name the events of an activity role."""
QUANTITY = {
    "purchase": ("items", "items bought", "购买件数"),
    "usage": ("usage_quantity", "{usage.quantity}", "{usage.quantity_zh}"),
}
"""What the quantity of an activity role counts: column name, and words in both languages."""
YEAR_DAYS = 365


def volume(role: str, windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Counts, active days and quantities of an activity role, in each window and in all history."""
    events = PLURAL[role]
    one, many, zh = f"{{{role}.one}}", f"{{{role}.many}}", f"{{{role}.zh}}"
    group = f"{role}_drop"
    column, quantity_en, quantity_zh = QUANTITY[role]
    for days in windows_days:
        window = f"{days} days"
        yield Feature(
            f"{events}_{days}d", group, role, f"{many} in the last {days} days", f"最近{days}天的{zh}次数",
            "count", window, "", lambda h, days=days: h.count(role, days),
        )  # fmt: skip
        yield Feature(
            f"{role}_days_{days}d", group, role, f"days with {many} in the last {days} days", f"最近{days}天有{zh}的天数",
            "days", window, "", lambda h, days=days: h.active_days(role, days),
        )  # fmt: skip
        yield Feature(
            f"{column}_{days}d", group, role, f"{quantity_en} in the last {days} days", f"最近{days}天的{quantity_zh}",
            "quantity", window, "", lambda h, days=days: h.sum(role, "quantity", days),
        )  # fmt: skip
    yield Feature(
        f"{events}_total", group, role, f"{many} so far", f"累计{zh}次数", "count", "all history", "",
        lambda h: h.count(role),
    )  # fmt: skip
    yield Feature(
        f"{role}_days_total", group, role, f"days with {many} so far", f"累计有{zh}的天数", "days", "all history", "",
        lambda h: h.active_days(role),
    )  # fmt: skip
    yield Feature(
        f"{column}_mean_{YEAR_DAYS}d", group, role, f"{quantity_en} per {one} in the last year",
        f"最近一年平均每次{zh}的{quantity_zh}", "quantity", f"{YEAR_DAYS} days", "nothing counted in the window",
        lambda h: ratio(h.sum(role, "quantity", YEAR_DAYS), h.answered(role, "quantity", YEAR_DAYS)),
    )  # fmt: skip


def variety(role: str, windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Different categories and channels of an activity role in each window of a month and more."""
    many, zh = f"{{{role}.many}}", f"{{{role}.zh}}"
    words = {
        "category": ("categories", "different categories of", "种类数"),
        "channel": ("channels", "different channels of", "渠道数"),
    }
    for column, (plural, en, zh_kinds) in words.items():
        for days in (d for d in windows_days if d >= 30):
            yield Feature(
                f"{role}_{plural}_{days}d", "variety", role, f"{en} {many} in the last {days} days",
                f"最近{days}天{zh}的{zh_kinds}", "count", f"{days} days", "",
                lambda h, column=column, days=days: h.distinct(role, column, days),
            )  # fmt: skip

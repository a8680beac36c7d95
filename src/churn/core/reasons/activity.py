"""Sentences about what a customer does: how long ago, how often, for how much."""

from collections.abc import Iterator

from churn.core.reasons.sentence import BOTH, Sentence

LATE = 1.2
"""A silence a fifth longer than usual is late; less than that is the ordinary scatter of a rhythm."""
SELDOM_DAYS = 14
"""Who comes every week or so would be surprised to be told that they come seldom."""
SELDOM_IN_90_DAYS = 90 // SELDOM_DAYS
MUCH_FALLEN = 0.25
"""Two numbers side by side must show the fall that they are given for: 57 after 58 is none to the reader."""
MUCH_LESS, MUCH_MORE = 0.75, 1.25
"""A quarter below or above the customer's own rate is worth a sentence."""


def silence(role: str) -> Iterator[Sentence]:
    """How long ago the last event of an activity role was, against the customer's own rhythm."""
    group, since, gap, ratio = f"{role}_silence", f"days_since_{role}", f"{role}_gap_mean_days", f"{role}_silence_ratio"
    rhythm_en, rhythm_zh = f"; usually {{{gap}:every}}", f"；平常{{{gap}:every}}一次"
    last_en, last_zh = f"last {{{role}.one}} {{{since}:ago}}", f"上次{{{role}}}在{{{since}:ago}}"
    yield Sentence(
        group, "leaving", ((ratio, ">=", LATE), (since, ">=", 2)),
        f"no {{{role}.one}} for {{{since}:days}}" + rhythm_en, f"已{{{since}:days}}没有{{{role}}}" + rhythm_zh,
    )  # fmt: skip
    yield Sentence(
        group, "leaving", ((gap, ">=", SELDOM_DAYS),),
        f"comes only {{{gap}:every}}; last {{{role}.one}} {{{since}:ago}}", f"{{{gap}:every}}才来一次；上次{{{role}}}在{{{since}:ago}}",
    )  # fmt: skip
    yield Sentence(group, "leaving", ((since, ">=", SELDOM_DAYS),), last_en, last_zh)
    yield Sentence(
        group, "leaving", ((f"{role}_days_total", "==", 1),),
        f"{{{role}.many}} on one day only so far", f"迄今只有1天有{{{role}}}",
    )  # fmt: skip
    yield Sentence(group, "staying", ((ratio, "<", LATE),), last_en + rhythm_en, last_zh + rhythm_zh)
    yield Sentence(
        group,
        "staying",
        ((gap, ">", 0), (gap, "<", SELDOM_DAYS)),
        f"usually {{{gap}:every}}",
        f"平常{{{gap}:every}}一次",
    )
    yield Sentence(group, "staying", ((since, "<", SELDOM_DAYS),), last_en, last_zh)


def drop(role: str, events: str) -> Iterator[Sentence]:
    """How many events of an activity role there were, against before."""
    group, now, before = f"{role}_drop", f"{events}_30d", f"{events}_60d_30d"
    change, rate, rate_90 = f"{events}_change_30d", f"{events}_own_rate_ratio_30d", f"{events}_own_rate_ratio_90d"
    less_en = f"{{{now}:{role}}} in the last 30 days, {{{before}:count}} in the 30 days before"
    less_zh = f"最近30天{{{now}:{role}}}，之前30天{{{before}:number}}次"
    below, fell = f"{events}_below_own_rate_90d", f"{events}_fell_30d"
    yield Sentence(group, "leaving", ((fell, ">=", MUCH_FALLEN), (rate, "<", MUCH_LESS)), less_en, less_zh)
    yield Sentence(
        group, "leaving", ((rate_90, "<", MUCH_LESS), (f"{events}_90d", ">", 0)),
        f"{{{events}_90d:{role}}} in the last 90 days, {{{below}:share}} below the usual rate",
        f"最近90天{{{events}_90d:{role}}}，比平常少{{{below}:share}}",
    )  # fmt: skip
    yield Sentence(group, "leaving", ((fell, ">=", MUCH_FALLEN),), less_en, less_zh)
    yield Sentence(
        group, "leaving", ((f"{events}_decline_periods", ">=", 2),),
        f"fewer {{{role}.many}} in each of the last {{{events}_decline_periods:count}} months",
        f"{{{role}}}次数连续{{{events}_decline_periods:number}}个月下降",
    )  # fmt: skip
    yield Sentence(
        group,
        "leaving",
        ((f"{events}_90d", "<=", 0),),
        f"no {{{role}.one}} in the last 90 days",
        f"最近90天没有{{{role}}}",
    )
    yield Sentence(
        group, "leaving", ((f"{role}_days_90d", "<=", SELDOM_IN_90_DAYS),),
        f"{{{role}.many}} on {{{role}_days_90d:only}} in the last 90 days", f"最近90天只有{{{role}_days_90d:days}}有{{{role}}}",
    )  # fmt: skip
    yield Sentence(group, "staying", ((change, ">", 0), (rate, ">", MUCH_MORE)), less_en, less_zh)
    yield Sentence(
        group, "staying", ((f"{events}_90d", ">", 0), (rate_90, ">=", MUCH_LESS)),
        f"{{{events}_90d:{role}}} in the last 90 days", f"最近90天{{{events}_90d:{role}}}",
    )  # fmt: skip
    yield Sentence(
        group, "staying", ((f"{role}_days_total", ">", 1), (f"{role}_silence_ratio", "<", LATE)),
        f"{{{events}_total:{role}}} on {{{role}_days_total:days}} so far", f"迄今{{{role}_days_total:days}}共{{{events}_total:{role}}}",
    )  # fmt: skip


def usage_quantity() -> Iterator[Sentence]:
    """How much was used, in the declared unit; said before the number of sessions when it fell."""
    yield Sentence(
        "usage_drop", "leaving", (("usage_quantity_fell_30d", ">=", MUCH_FALLEN), ("usage_quantity_own_rate_ratio_30d", "<", MUCH_LESS)),
        "{usage.before}{usage_quantity_30d:number}{usage.after} in the last 30 days, {usage_quantity_60d_30d:number} in the 30 days before",
        "最近30天{usage.before_zh}{usage_quantity_30d:number}{usage.after_zh}，之前30天{usage_quantity_60d_30d:number}{usage.after_zh}",
    )  # fmt: skip
    yield Sentence(
        "usage_drop", "leaving", (("usage_quantity_30d", ">", 0), ("usage_quantity_own_rate_ratio_30d", "<", MUCH_LESS)),
        "{usage.before}{usage_quantity_30d:number}{usage.after} in the last 30 days, {usage_quantity_below_own_rate_30d:share} below the usual rate",
        "最近30天{usage.before_zh}{usage_quantity_30d:number}{usage.after_zh}，比平常少{usage_quantity_below_own_rate_30d:share}",
    )  # fmt: skip


def spend() -> Iterator[Sentence]:
    """Money spent, against before."""
    group = "spend_drop"
    change_en = "spent {spend_30d:money} in the last 30 days, {spend_60d_30d:money} in the 30 days before"
    change_zh = "最近30天消费{spend_30d:money}，之前30天{spend_60d_30d:money}"
    yield Sentence(
        group,
        "leaving",
        (("spend_fell_30d", ">=", MUCH_FALLEN), ("spend_own_rate_ratio_30d", "<", MUCH_LESS)),
        change_en,
        change_zh,
    )
    yield Sentence(
        group, "leaving", (("spend_own_rate_ratio_90d", "<", MUCH_LESS), ("spend_90d", ">", 0)),
        "spent {spend_90d:money} in the last 90 days, {spend_below_own_rate_90d:share} below the usual rate",
        "最近90天消费{spend_90d:money}，比平常少{spend_below_own_rate_90d:share}",
    )  # fmt: skip
    yield Sentence(
        group,
        "staying",
        (("spend_change_30d", ">", 0), ("spend_own_rate_ratio_30d", ">", MUCH_MORE)),
        change_en,
        change_zh,
    )
    yield Sentence(group, "leaving", (("spend_90d", "<=", 0),), "spent nothing in the last 90 days", "最近90天没有消费")
    for direction in BOTH:
        yield Sentence(
            group, direction, (("spend_90d", ">", 0), ("spend_mean_90d", ">", 0)),
            "spent {spend_90d:money} in the last 90 days, {spend_mean_90d:money} per {purchase.one}",
            "最近90天消费{spend_90d:money}，平均每次{purchase}{spend_mean_90d:money}",
        )  # fmt: skip
    yield Sentence(
        group, "staying", (("spend_total", ">", 0),), "spent {spend_total:money} so far", "迄今消费{spend_total:money}"
    )

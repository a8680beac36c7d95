"""Sentences about offers, variety, and what nobody can change: tenure, season, attributes."""

from collections.abc import Iterator

from churn.core.reasons.sentence import BOTH, Sentence

A_YEAR = 365
"""Days from which a customer is an old one to the reader. Below, a short time speaks for leaving and none for staying:
the same sentence on either side told nobody anything."""


def campaigns() -> Iterator[Sentence]:
    """Campaigns that reached the customer, and answers to them."""
    group = "campaigns"
    yield Sentence(
        group, "leaving", (("campaigns_sent_90d", ">", 0), ("campaigns_answered_90d", "<=", 0)),
        "{campaigns_sent_90d:campaign} in the last 90 days, none answered", "最近90天收到{campaigns_sent_90d:campaign}，均未回应",
    )  # fmt: skip
    yield Sentence(
        group, "leaving", (("campaigns_sent_90d", "<=", 0),),
        "no {campaign.one} received in the last 90 days", "最近90天没有收到{campaign}",
    )  # fmt: skip
    for direction in BOTH:
        yield Sentence(
            group, direction, (("campaigns_answered_90d", ">", 0),),
            "answered {campaigns_answered_90d:count} of our {campaign.many} in the last 90 days",
            "最近90天回应{campaign}{campaigns_answered_90d:number}次",
        )  # fmt: skip
    yield Sentence(
        group, "staying", (("campaigns_sent_90d", ">", 0),),
        "{campaigns_sent_90d:campaign} in the last 90 days", "最近90天收到{campaigns_sent_90d:campaign}",
    )  # fmt: skip


def discounts() -> Iterator[Sentence]:
    """Discounts that went away, and those that still hold."""
    yield Sentence(
        "discounts", "leaving", (("discount_share_change_90d", "<", -0.01),),
        "discounts fell from {discount_share_180d_90d:share} to {discount_share_90d:share} of the price",
        "折扣从价格的{discount_share_180d_90d:share}降到{discount_share_90d:share}",
    )  # fmt: skip
    yield Sentence(
        "discounts", "leaving", (("last_discount_share", "<=", 0), ("discount_share_365d", ">", 0.01)),
        "no discount on the last {purchase.one}; {discount_share_365d:share} of the price over the year",
        "上次{purchase}没有折扣；全年平均折扣{discount_share_365d:share}",
    )  # fmt: skip
    yield Sentence(
        "discounts", "leaving", (("discount_share_90d", "<", "discount_share_365d"),),
        "discounts of {discount_share_90d:share} of the price in the last 90 days, {discount_share_365d:share} over the year",
        "最近90天的折扣为价格的{discount_share_90d:share}，全年为{discount_share_365d:share}",
    )  # fmt: skip
    yield Sentence(
        "discounts", "staying", (("discount_share_90d", ">", 0), ("discount_share_90d", ">=", "discount_share_365d")),
        "discounts of {discount_share_90d:share} of the price in the last 90 days",
        "最近90天的折扣为价格的{discount_share_90d:share}",
    )  # fmt: skip


def returns() -> Iterator[Sentence]:
    """Returned purchases."""
    for days in (90, 365):
        yield Sentence(
            "returns", "leaving", ((f"returns_{days}d", ">", 0),),
            f"returns: {{returns_{days}d:count}} in the last {days} days", f"最近{days}天退货{{returns_{days}d:number}}次",
        )  # fmt: skip
    yield Sentence(
        "returns", "staying", (("returns_365d", "<=", 0),), "nothing returned in the last year", "最近一年没有退货"
    )


def variety() -> Iterator[Sentence]:
    """How many kinds of things the customer buys or uses."""
    for direction, only in zip(BOTH, ("only ", ""), strict=True):
        for role in ("purchase", "usage"):
            kinds = f"{role}_categories_90d"
            yield Sentence(
                "variety", direction, ((kinds, ">", 0),),
                f"{{{role}.many}} in {only}{{{kinds}:categories}} in the last 90 days",
                f"最近90天{{{role}}}涉及{{{kinds}:categories}}",
            )  # fmt: skip


def circumstances() -> Iterator[Sentence]:
    """Tenure, season and attributes: facts that nobody can change, stated plainly."""
    yield Sentence(
        "tenure", "leaving", (("tenure_days", "<", A_YEAR),),
        "with us for less than a year: {tenure_days:days}", "成为客户不足一年：{tenure_days:days}",
    )  # fmt: skip
    yield Sentence(
        "tenure",
        "staying",
        (("tenure_days", ">=", A_YEAR),),
        "with us for {tenure_days:days}",
        "成为客户{tenure_days:days}",
    )
    for direction, en, zh in zip(BOTH, ("leave", "stay"), ("流失", "留存"), strict=True):
        yield Sentence(
            "season", direction, (), f"at this time of the year more customers {en}", f"每年此时{zh}的客户较多"
        )
        yield Sentence(
            "attributes",
            direction,
            (),
            f"customers with {{attribute:text}} more often {en}",
            f"{{attribute:text}}的客户更常{zh}",
        )

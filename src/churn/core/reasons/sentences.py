"""The sentences, by group and direction. Of one group and direction, the first that is true of a customer is said.

The conditions make a sentence say only what is so: a group may weigh towards leaving for a reason that no condition
here catches, and then a later, plainer sentence states the facts without judging them.
"""

from collections.abc import Iterator

from churn.core.reasons.sentence import Direction, Sentence

BOTH: tuple[Direction, Direction] = ("leaving", "staying")
LATE = 1.2
"""A silence a fifth longer than usual is late; less than that is the ordinary scatter of a rhythm."""
SELDOM_DAYS = 14
"""Who comes every week or so would be surprised to be told that they come seldom."""
SELDOM_IN_90_DAYS = 90 // SELDOM_DAYS
MUCH_LESS, MUCH_MORE = 0.75, 1.25
"""A quarter below or above the customer's own rate is worth a sentence."""
NPS_DETRACTOR, NPS_PROMOTER = 6, 9
"""Net Promoter Score: 0-6 detract, 9-10 promote (Reichheld, The One Number You Need to Grow, HBR 2003)."""
CSAT_LOW, CSAT_HIGH = 3, 4
"""Customer satisfaction on the usual scale of 1 to 5: 4 and 5 count as satisfied."""


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
    below = f"{events}_below_own_rate_90d"
    yield Sentence(group, "leaving", ((change, "<", 0), (rate, "<", MUCH_LESS)), less_en, less_zh)
    yield Sentence(
        group, "leaving", ((rate_90, "<", MUCH_LESS), (f"{events}_90d", ">", 0)),
        f"{{{events}_90d:{role}}} in the last 90 days, {{{below}:share}} below the usual rate",
        f"最近90天{{{events}_90d:{role}}}，比平常少{{{below}:share}}",
    )  # fmt: skip
    yield Sentence(group, "leaving", ((change, "<", 0),), less_en, less_zh)
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
        group, "staying", ((f"{role}_days_total", ">", 1),),
        f"{{{events}_total:{role}}} on {{{role}_days_total:days}} so far", f"迄今{{{role}_days_total:days}}共{{{events}_total:{role}}}",
    )  # fmt: skip


def usage_minutes() -> Iterator[Sentence]:
    """Minutes of use, said before the number of sessions when they fell."""
    yield Sentence(
        "usage_drop", "leaving", (("usage_minutes_change_30d", "<", 0), ("usage_minutes_own_rate_ratio_30d", "<", MUCH_LESS)),
        "{usage_minutes_30d:number} minutes of use in the last 30 days, {usage_minutes_60d_30d:number} in the 30 days before",
        "最近30天使用{usage_minutes_30d:number}分钟，之前30天{usage_minutes_60d_30d:number}分钟",
    )  # fmt: skip


def spend() -> Iterator[Sentence]:
    """Money spent, against before."""
    group = "spend_drop"
    change_en = "spent {spend_30d:money} in the last 30 days, {spend_60d_30d:money} in the 30 days before"
    change_zh = "最近30天消费{spend_30d:money}，之前30天{spend_60d_30d:money}"
    yield Sentence(
        group,
        "leaving",
        (("spend_change_30d", "<", 0), ("spend_own_rate_ratio_30d", "<", MUCH_LESS)),
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


def complaints() -> Iterator[Sentence]:
    """Complaints, the open ones first."""
    group = "complaints"
    lately_en = (
        "{complaint.many}: {complaints_30d:count} in the last 30 days, {complaints_30d_90d:count} in the 60 days before"
    )
    lately_zh = "{complaint}：最近30天{complaints_30d:number}次，之前60天{complaints_30d_90d:number}次"
    yield Sentence(
        group, "leaving", (("complaints_30d", ">", 0), ("open_complaints", ">", 0)),
        lately_en + "; {open_complaints:count} still open", lately_zh + "；{open_complaints:number}次尚未解决",
    )  # fmt: skip
    yield Sentence(group, "leaving", (("complaints_30d", ">", 0),), lately_en, lately_zh)
    yield Sentence(
        group, "leaving", (("open_complaints", ">", 0),),
        "{open_complaints:complaint} still open, the last one {days_since_complaint:days} old",
        "{open_complaints:number}次{complaint}尚未解决，最近一次在{days_since_complaint:days}前",
    )  # fmt: skip
    yield Sentence(
        group, "leaving", (("complaints_90d", ">", 0),),
        "{complaints_90d:complaint} in the last 90 days", "最近90天{complaints_90d:complaint}",
    )  # fmt: skip
    yield Sentence(
        group, "staying", (("complaints_90d", "<=", 0), ("open_complaints", "<=", 0)),
        "no {complaint.one} in the last 90 days", "最近90天没有{complaint}",
    )  # fmt: skip


def contacts() -> Iterator[Sentence]:
    """Contacts that the customer started."""
    yield Sentence(
        "contacts", "leaving", (("contacts_by_customer_30d", ">", 0),),
        "{contacts_by_customer_30d:contact} from the customer in the last 30 days", "最近30天客户主动{contacts_by_customer_30d:contact}",
    )  # fmt: skip
    yield Sentence(
        "contacts", "leaving", (("contacts_by_customer_90d", ">", 0),),
        "{contacts_by_customer_90d:contact} from the customer in the last 90 days", "最近90天客户主动{contacts_by_customer_90d:contact}",
    )  # fmt: skip
    yield Sentence(
        "contacts", "staying", (("contacts_by_customer_90d", "<=", 0),),
        "no {contact.one} from the customer in the last 90 days", "最近90天客户没有主动{contact}",
    )  # fmt: skip


def payments() -> Iterator[Sentence]:
    """Payments that failed."""
    yield Sentence(
        "payments", "leaving", (("payments_failed_30d", ">", 0),),
        "failed {payment.many}: {payments_failed_30d:count} in the last 30 days, {payments_failed_90d_30d:count} in the 60 days before",
        "{payment}失败：最近30天{payments_failed_30d:number}次，之前60天{payments_failed_90d_30d:number}次",
    )  # fmt: skip
    yield Sentence(
        "payments", "leaving", (("payments_failed_90d", ">", 0),),
        "failed {payment.many}: {payments_failed_90d:count} in the last 90 days, the last one {days_since_failed_payment:days} ago",
        "{payment}失败：最近90天{payments_failed_90d:number}次，最近一次在{days_since_failed_payment:days}前",
    )  # fmt: skip
    yield Sentence(
        "payments", "leaving", (("days_since_payment", ">", 45),),
        "no {payment.one} came through for {days_since_payment:days}", "已{days_since_payment:days}没有成功{payment}",
    )  # fmt: skip
    yield Sentence(
        "payments", "staying", (("payments_failed_90d", "<=", 0),),
        "no failed {payment.one} in the last 90 days", "最近90天没有{payment}失败",
    )  # fmt: skip


def survey() -> Iterator[Sentence]:
    """Answers to surveys."""
    scales = (("nps", "NPS", NPS_DETRACTOR, NPS_PROMOTER), ("csat", "CSAT", CSAT_LOW, CSAT_HIGH))
    for state, name, low, _high in scales:
        last, fell = f"last_{state}", f"{state}_fell"
        yield Sentence(
            "survey", "leaving", ((last, "<=", low), (fell, ">", 0)),
            f"last {name} answer {{{last}:number}}, {{{fell}:number}} lower than the one before",
            f"上次{name}评分{{{last}:number}}，比前次低{{{fell}:number}}",
        )  # fmt: skip
        yield Sentence(
            "survey", "leaving", ((last, "<=", low),),
            f"last {name} answer {{{last}:number}}, {{days_since_{state}:days}} ago",
            f"{{days_since_{state}:days}}前的{name}评分为{{{last}:number}}",
        )  # fmt: skip
    for state, name, _low, high in scales:
        last = f"last_{state}"
        yield Sentence(
            "survey", "staying", ((last, ">=", high),),
            f"last {name} answer {{{last}:number}}, {{days_since_{state}:days}} ago",
            f"{{days_since_{state}:days}}前的{name}评分为{{{last}:number}}",
        )  # fmt: skip


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
    for direction, en, zh in zip(BOTH, ("leave", "stay"), ("流失", "留存"), strict=True):
        yield Sentence(
            "tenure",
            direction,
            (("tenure_days", ">=", 0),),
            "with us for {tenure_days:days}",
            "成为客户{tenure_days:days}",
        )
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


SENTENCES: tuple[Sentence, ...] = (
    *silence("purchase"),
    *silence("usage"),
    *drop("purchase", "purchases"),
    *usage_minutes(),
    *drop("usage", "sessions"),
    *spend(),
    *complaints(),
    *contacts(),
    *payments(),
    *survey(),
    *campaigns(),
    *discounts(),
    *returns(),
    *variety(),
    *circumstances(),
)
"""Every sentence, in the order in which those of one group are tried."""

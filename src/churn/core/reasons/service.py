"""Sentences about what went wrong and what the customer said."""

from collections.abc import Iterator

from churn.core.reasons.sentence import Sentence

NPS_DETRACTOR, NPS_PROMOTER = 6, 9
"""Net Promoter Score: 0-6 detract, 9-10 promote (Reichheld, The One Number You Need to Grow, HBR 2003)."""
CSAT_LOW, CSAT_HIGH = 3, 4
"""Customer satisfaction on the usual scale of 1 to 5: 4 and 5 count as satisfied."""


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

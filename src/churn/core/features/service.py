"""What went wrong and what the customer said: complaints, contacts, surveys."""

from collections.abc import Iterator

from churn.core.features.feature import Feature, ratio


def complaints(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Complaints: how many, how lately, how many open."""
    for days in windows_days:
        yield Feature(
            f"complaints_{days}d", "complaints", "complaint", f"{{complaint.many}} in the last {days} days",
            f"最近{days}天的{{complaint.zh}}次数", "count", f"{days} days", "",
            lambda h, days=days: h.count("complaint", days),
        )  # fmt: skip
    yield Feature(
        "complaints_30d_90d", "complaints", "complaint", "{complaint.many} in the 60 days before the last 30",
        "最近30天之前60天的{complaint.zh}次数", "count", "from 90 to 30 days before", "",
        lambda h: h.count("complaint", (30, 90)),
    )  # fmt: skip
    yield Feature(
        "complaints_total", "complaints", "complaint", "{complaint.many} so far", "累计{complaint.zh}次数", "count", "all history",
        "", lambda h: h.count("complaint"),
    )  # fmt: skip
    yield Feature(
        "open_complaints", "complaints", "complaint", "{complaint.many} that are still open", "尚未解决的{complaint.zh}数",
        "count", "all history", "", lambda h: h.count("complaint") - h.count("complaint", state="closed"),
    )  # fmt: skip
    yield Feature(
        "days_since_complaint", "complaints", "complaint", "days since the last {complaint.one}", "距上次{complaint.zh}的天数",
        "days", "all history", "never complained", lambda h: h.days_since("complaint"),
    )  # fmt: skip


def contacts(windows_days: tuple[int, ...]) -> Iterator[Feature]:
    """Contacts that the customer started, and those that the company started."""
    starters = {"by_customer": ("from the customer", "客户发起的"), "by_company": ("from us", "公司发起的")}
    for state, (en, zh) in starters.items():
        for days in (d for d in windows_days if d >= 30):
            yield Feature(
                f"contacts_{state}_{days}d", "contacts", "contact", f"{{contact.many}} {en} in the last {days} days",
                f"最近{days}天{zh}{{contact.zh}}次数", "count", f"{days} days", "",
                lambda h, state=state, days=days: h.count("contact", days, state=state),
            )  # fmt: skip
        yield Feature(
            f"days_since_contact_{state}", "contacts", "contact", f"days since the last {{contact.one}} {en}",
            f"距上次{zh}{{contact.zh}}的天数", "days", "all history", "never happened",
            lambda h, state=state: h.days_since("contact", state=state),
        )  # fmt: skip


def survey() -> Iterator[Feature]:
    """The last answers to surveys, and how they changed."""
    for state, en in {"nps": "NPS", "csat": "CSAT"}.items():
        yield Feature(
            f"last_{state}", "survey", "survey", f"last {en} answer", f"上次{en}评分", "score", "all history",
            "never answered", lambda h, state=state: h.last("survey", "quantity", state=state),
        )  # fmt: skip
        yield Feature(
            f"{state}_change", "survey", "survey", f"change of the {en} answer since the one before", f"{en}评分较前次的变化",
            "difference", "all history", "answered less than twice",
            lambda h, state=state: h.last("survey", "quantity", state=state) - h.previous("survey", "quantity", state=state),
        )  # fmt: skip
        yield Feature(
            f"{state}_mean_365d", "survey", "survey", f"mean {en} answer in the last year", f"最近一年平均{en}评分", "score",
            "365 days", "no answer in the window",
            lambda h, state=state: ratio(
                h.sum("survey", "quantity", 365, state=state), h.answered("survey", "quantity", 365, state=state)
            ),
        )  # fmt: skip
        yield Feature(
            f"days_since_{state}", "survey", "survey", f"days since the last {en} answer", f"距上次{en}评分的天数", "days",
            "all history", "never answered", lambda h, state=state: h.days_since("survey", state=state),
        )  # fmt: skip

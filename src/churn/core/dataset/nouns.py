"""What an event of a role is called where a data set has no better word."""

from churn.core.dataset.shapes import Noun

ROLE_NOUNS = {
    "purchase": Noun("purchase", "purchases", "购买"),
    "usage": Noun("use", "uses", "使用"),
    "complaint": Noun("complaint", "complaints", "投诉"),
    "contact": Noun("contact", "contacts", "联系"),
    "payment": Noun("payment", "payments", "付款"),
    "survey": Noun("survey answer", "survey answers", "问卷回复"),
    "cancel": Noun("cancellation", "cancellations", "解约"),
    "campaign": Noun("campaign", "campaigns", "营销触达"),
    "presence": Noun("listing", "listings", "在册记录"),
}

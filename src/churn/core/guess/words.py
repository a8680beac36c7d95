"""Words by which people name columns, tables and events: what each of them probably means."""

import re

CUSTOMER = (
    "customer", "client", "account", "user", "member", "household", "subscriber", "patient", "buyer", "shopper",
    "consumer", "person", "guest", "player", "cust", "kunde", "kunden", "kundennr", "cliente", "msisdn", "card",
    "uid", "userid", "customerid", "accountid", "memberid", "clientid", "kundennummer", "kundenid",
    "clienti", "utente", "usuario", "socio", "visitor", "visitorid", "driver",
    "donor", "policyholder",
    "客户", "用户", "会员", "顾客", "买家",
)  # fmt: skip
"""Whom a row is about."""
ID = ("id", "no", "nr", "num", "number", "key", "code", "uuid", "guid", "ref", "编号", "号", "号码")
MERGE = ("order", "invoice", "basket", "transaction", "receipt", "bill", "bestellung", "rechnung", "订单", "发票", "单")
"""Ids of what holds several lines."""
LINE_OF = ("product", "item", "sku", "stock", "article", "line", "upc", "商品", "产品")
OCCURRED = (
    "date", "time", "at", "timestamp", "datetime", "day", "when", "on", "ts", "created", "ordered", "occurred",
    "started", "start", "submitted", "opened", "signup", "week", "month", "datum", "belegdatum", "bestelldatum",
    "buchungsdatum", "zeit", "fecha", "data", "dt", "jour", "heure", "日期", "时间", "日", "月", "周",
)  # fmt: skip
LATER = (
    "end", "ended", "ending", "closed", "close", "resolved", "updated", "modified", "expiry", "expires", "expire",
    "expiration", "until", "due", "to", "estimated", "expected", "planned", "limit", "approved", "shipped", "shipping",
    "delivered", "delivery", "answer", "answered", "last", "next",
)  # fmt: skip
"""Times that lie after the event."""
RECORDED = ("recorded", "received", "ingested", "loaded", "exported", "entered", "synced", "inserted", "processed")
DONE = ("answer", "answered", "closed", "resolved", "approved", "shipped", "delivered", *RECORDED)
"""Times by which a row had happened, if they are there: of use where nothing tells when it began."""
NOT_YET = ("due", "estimated", "expected", "planned", "limit", "next", "until", "expiry", "expires", "expire")
"""Times that were set beforehand."""
NEVER = ("birth", "birthday", "dob", "born", "生日", "出生")
VALID = ("valid", "effective", "gueltig", "生效")
STARTS = ("start", "started", "begin", "from", "since", "开始")
ENDS = (
    "end", "ended", "until", "expiry", "expire", "expires", "terminated", "cancelled", "canceled", "结束", "到期",
)  # fmt: skip
AMOUNT = (
    "amount", "total", "revenue", "spend", "spent", "sales", "paid", "payment", "value", "price", "mrr", "betrag",
    "umsatz", "summe", "montant", "importe", "gross", "net", "valor", "prix", "precio", "importo", "prezzo", "bedrag",
    "金额", "实付", "总额", "价格", "消费", "销售额", "价",
)  # fmt: skip
PRICE = ("price", "unitprice", "preis", "单价")
"""Prices of one piece, if a number of pieces stands beside them."""
NO_AMOUNT = (
    "tax",
    "discount",
    "disc",
    "refund",
    "cost",
    "arr",
    "score",
    "rate",
    "shipping",
    "balance",
    "limit",
    "days",
)
CENTS = (
    "cents", "minor", "pence", "pennies", "penny", "centimes", "centavos", "kopecks", "paise", "groszy", "fen",
)  # fmt: skip
"""Words for hundredths of a currency."""
DISCOUNT = ("discount", "disc", "rebate", "rabatt", "优惠", "折扣")
QUANTITY = (
    "quantity", "qty", "units", "pieces", "items", "count", "menge", "anzahl", "stueck", "minutes", "duration",
    "seconds", "secs", "hours", "usage", "sessions", "logins", "visits", "clicks", "views", "calls", "数量", "件数",
    "次数", "时长",
)  # fmt: skip
DURATION = ("duration", "length", "elapsed", "watch", "listen", "spent", "played", "time", "use", "usage", "时长")
"""Words beside which even a short `ms` or `min` is a unit of time."""
LASTS = ("duration", "length", "elapsed", "时长")
"""Words for how long something took."""
UNITS: dict[str, tuple[str, ...]] = {
    "milliseconds": ("milliseconds", "millisecond", "millis", "msec", "msecs", "毫秒"),
    "seconds": ("seconds", "second", "secs", "sec", "秒"),
    "minutes": ("minutes", "minute", "mins", "分钟"),
    "hours": ("hours", "hour", "hrs", "小时"),
    "GB": ("gb", "gigabytes"),
    "MB": ("mb", "megabytes"),
    "KB": ("kb", "kilobytes"),
    "bytes": ("bytes", "byte"),
    "kWh": ("kwh",),
}
"""Unit → words of a column's name that say it."""
SHORT_UNITS = {"ms": "milliseconds", "s": "seconds", "min": "minutes", "h": "hours", "hr": "hours"}
"""Last words of a name that say a unit only beside a word for a duration: `min` alone is a minimum."""
ANSWER = ("score", "rating", "answer", "nps", "csat", "stars", "评分")
CHANNEL = ("channel", "device", "platform", "medium", "渠道")
CATEGORY = (
    "category", "department", "group", "topic", "feature", "plan", "reason", "product", "type", "priority", "tariff",
    "method", "class", "类别", "品类", "分类",
)  # fmt: skip
TEXT = ("comment", "comments", "feedback", "message", "text", "note", "notes", "review", "评论", "留言", "反馈")
TYPE = ("type", "event", "kind", "action", "status", "direction", "activity", "survey", "类型", "事件", "状态")
ROLES: dict[str, tuple[str, ...]] = {
    "cancel": ("cancel", "cancellation", "churn", "termination", "unsubscribe", "kuendigung", "退订", "解约", "流失"),
    "complaint": ("complaint", "ticket", "support", "issue", "incident", "reclamation", "投诉", "工单"),
    "survey": ("survey", "nps", "csat", "问卷", "调查"),
    "campaign": ("campaign", "mailing", "coupon", "promotion", "newsletter", "redemption", "营销", "活动"),
    "payment": ("payment", "billing", "charge", "支付", "付款"),
    "contact": ("contact", "call", "chat", "联系"),
    "usage": (
        "usage", "session", "login", "logon", "visit", "click", "view", "stream", "play", "activity", "use", "listen",
        "log", "logs", "opened", "played", "viewed", "cart", "addtocart", "使用", "登录", "访问",
    ),
    "purchase": (
        "order", "invoice", "transaction", "purchase", "sale", "basket", "receipt", "bestellung", "rechnung", "buy",
        "checkout", "umsaetze", "venda", "venta", "vente", "订单", "购买", "交易", "消费", "subscription",
    ),
}  # fmt: skip
"""What tables and kinds of events are called, by role; the first role with a word counts."""
STATES: dict[str, tuple[str, str]] = {
    "return": ("purchase", "returned"),
    "refund": ("purchase", "returned"),
    "returned": ("purchase", "returned"),
    "refunded": ("purchase", "returned"),
    "退货": ("purchase", "returned"),
    "退款": ("purchase", "returned"),
    "paid": ("payment", "paid"),
    "failed": ("payment", "failed"),
    "declined": ("payment", "failed"),
    "closed": ("complaint", "closed"),
    "resolved": ("complaint", "closed"),
    "inbound": ("contact", "by_customer"),
    "outbound": ("contact", "by_company"),
    "uncancel": ("cancel", "undone"),
    "reactivation": ("cancel", "undone"),
    "reactivated": ("cancel", "undone"),
    "redemption": ("campaign", "answered"),
    "answered": ("campaign", "answered"),
    "sent": ("campaign", "sent"),
    "nps": ("survey", "nps"),
    "csat": ("survey", "csat"),
}
"""Words of a kind of event that name a role and a state that is not its first."""
PEOPLE = ("accounts", "customers", "users", "members", "clients", "profile", "profiles", "demographics", "households")
"""What tables with one row a customer are called."""
CURRENCIES = {
    "usd": "USD", "eur": "EUR", "gbp": "GBP", "cny": "CNY", "rmb": "CNY", "jpy": "JPY", "chf": "CHF", "inr": "INR",
    "元": "CNY", "euro": "EUR", "dollar": "USD",
}  # fmt: skip
SIGNS = {
    "US$": "USD", "C$": "CAD", "A$": "AUD", "R$": "BRL", "HK$": "HKD", "NT$": "TWD", "NZ$": "NZD", "S$": "SGD",
    "€": "EUR", "£": "GBP", "￥": "¥", "₹": "INR", "Rs": "INR", "Rs.": "INR",
    "₩": "KRW", "원": "KRW", "₽": "RUB", "₺": "TRY",
    "₫": "VND", "฿": "THB", "₪": "ILS", "₴": "UAH", "₦": "NGN", "₱": "PHP", "元": "CNY", "円": "JPY", "zł": "PLN",
    "Kč": "CZK", "Ft": "HUF", "RMB": "CNY",
}  # fmt: skip
"""What stands beside amounts → the currency."""
SHARED_SIGNS = {
    "$": ("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"),
    "¥": ("JPY", "CNY"),
    "kr": ("SEK", "DKK", "NOK"),
}
"""Signs of several currencies, the likeliest first."""
CODES = frozenset((
    "AED", "AUD", "BHD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS",
    "INR", "JOD", "JPY", "KRW", "KWD", "MXN", "MYR", "NGN", "NOK", "NZD", "OMR", "PHP", "PLN", "RMB", "RUB",
    "SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
))  # fmt: skip
"""Codes of currencies that may stand beside amounts; any three capitals would take a flight for money."""
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
"""Currencies with a thousand parts."""
COUNTRIES = {
    "united kingdom": ("Europe/London", "GBP"),
    "uk": ("Europe/London", "GBP"),
    "gb": ("Europe/London", "GBP"),
    "germany": ("Europe/Berlin", "EUR"),
    "deutschland": ("Europe/Berlin", "EUR"),
    "de": ("Europe/Berlin", "EUR"),
    "france": ("Europe/Paris", "EUR"),
    "fr": ("Europe/Paris", "EUR"),
    "spain": ("Europe/Madrid", "EUR"),
    "es": ("Europe/Madrid", "EUR"),
    "italy": ("Europe/Rome", "EUR"),
    "it": ("Europe/Rome", "EUR"),
    "netherlands": ("Europe/Amsterdam", "EUR"),
    "nl": ("Europe/Amsterdam", "EUR"),
    "switzerland": ("Europe/Zurich", "CHF"),
    "china": ("Asia/Shanghai", "CNY"),
    "cn": ("Asia/Shanghai", "CNY"),
    "中国": ("Asia/Shanghai", "CNY"),
    "japan": ("Asia/Tokyo", "JPY"),
    "jp": ("Asia/Tokyo", "JPY"),
    "india": ("Asia/Kolkata", "INR"),
}
"""Country as written → a time zone and a currency, for countries that have one of each."""


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case.

    >>> tokens("CustomerID"), tokens("lookup.start_date"), tokens("客户ID")
    (('customer', 'id'), ('start', 'date'), ('客户', 'id'))
    """
    last = name.rstrip(". ").rsplit(".", 1)[-1]
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-zäöüßéèáíóúñ]+|[一-鿿]+|\d+", last)
    return tuple(part.lower().replace("ü", "ue").replace("ä", "ae").replace("ö", "oe") for part in parts)


def has(name: str, known: tuple[str, ...]) -> bool:
    """Whether the name has one of the words, in singular or plural, or, in Chinese, holds it."""
    return bool(matched(name, known))


def matched(name: str, known: tuple[str, ...]) -> int:
    """How early in `known` the first word of the name stands: `len(known)` for the first, 0 if there is none."""
    words = {form for token in tokens(name) for form in (token, token.removesuffix("s"), token.removesuffix("es"))}
    for place, word in enumerate(known):
        if word in words or (not word.isascii() and word in name):
            return len(known) - place
    return 0


def unit_of(name: str) -> str | None:
    """The unit that a column's name says.

    >>> unit_of("total_secs"), unit_of("durationMs"), unit_of("min_price"), unit_of("usage_count")
    ('seconds', 'milliseconds', None, None)
    """
    said = next((unit for unit, known in UNITS.items() if has(name, known)), None)
    last = (tokens(name) or ("",))[-1]
    return said or (SHORT_UNITS.get(last) if has(name, DURATION) else None)


def counts_cents(name: str) -> bool:
    """Whether a column's name says that it counts hundredths of a currency.

    >>> counts_cents("amount_cents"), counts_cents("金额(分)"), counts_cents("percent"), counts_cents("评分")
    (True, True, False, False)
    """
    return has(name, CENTS) or tokens(name)[-1:] == ("分",)


def role_of(name: str) -> str | None:
    """The role that a name of a table or of a kind of event speaks of."""
    return next((role for role, known in ROLES.items() if has(name, known)), None)

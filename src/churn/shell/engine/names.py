"""Names of columns: which one was probably meant by a name that a file does not have."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from churn.shell.raw import RawFile
from churn.words.errors import ContractFault, message

SAME = (
    ("customer_id", "customer", "cust_id", "custid", "client_id", "client", "user_id", "user", "account_id",
     "member_id", "household_id", "subscriber_id", "客户ID", "客户编号", "客户号", "客户", "用户ID", "用户编号",
     "会员ID", "会员编号", "会员号"),
    ("occurred_at", "at", "time", "timestamp", "date", "datetime", "event_time", "created_at", "ordered_at",
     "order_date", "invoice_date", "时间", "日期", "下单时间", "订单日期", "创建时间", "发生时间"),
    ("amount", "value", "total", "price", "revenue", "sales", "spend", "金额", "销售额", "订单金额", "总价"),
    ("event_id", "number", "order_id", "invoice", "invoice_no", "transaction_id", "订单号", "订单编号", "单号"),
    ("quantity", "qty", "units", "pieces", "items", "count", "数量", "件数"),
    ("event_type", "type", "event", "action", "kind", "事件", "事件类型", "类型"),
    ("category", "product", "department", "group", "品类", "类别", "商品"),
    ("channel", "渠道"),
)  # fmt: skip
"""Names that mean the same in most companies."""


def missing(file: RawFile, wanted: Sequence[str], there: Sequence[str]) -> ContractFault:
    """All columns that are not there at once, each with the one that is probably meant, and the line that says so."""
    near = {name: nearest(name, there) for name in wanted}
    said = [f"{name} (nearest: {other})" if other else name for name, other in near.items()]
    lines = [f"in place of {name} write {other}" for name, other in near.items() if other]
    todo = f"correct the names in conf/data/ ({'; '.join(lines)})" if lines else "correct the names in conf/data/"
    return ContractFault(
        message(
            f"{file.path} (source {file.source}) lacks {len(wanted)} of the declared columns: {', '.join(said)}",
            where=f"it has {', '.join(there)}",
            do=f"{todo}, or the file; then `churn config compose`",
        )
    )


def nearest(name: str, there: Sequence[str]) -> str:
    """The name that is there and is nearest: the same but for case and signs, of the same meaning, or alike."""
    by_plain = {plain(other): other for other in there}
    if plain(name) in by_plain:
        return by_plain[plain(name)]
    for same in SAME:
        if plain(name) in {plain(one) for one in same}:
            found = [by_plain[plain(one)] for one in same if plain(one) in by_plain]
            if found:
                return found[0]
    close = get_close_matches(plain(name), list(by_plain), n=1, cutoff=0.6)
    return by_plain[close[0]] if close else ""


def plain(name: str) -> str:
    """A name in small letters, without blanks and signs.

    >>> plain("Customer ID"), plain("customer_id"), plain("客户 ID")
    ('customerid', 'customerid', '客户id')
    """
    return re.sub(r"[\W_]", "", name).lower()

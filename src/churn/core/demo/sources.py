"""The files of the demo world: one kind of file a source, as different systems of a company would write them."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.demo import activity
from churn.core.demo.activity import CAMPAIGNS, FEATURES, PRODUCTS, Columns
from churn.core.demo.customers import COUNTRIES, PLANS, Customers
from churn.core.demo.dirt import has, with_dirt
from churn.core.demo.rhythm import END, local
from churn.core.demo.texts import TOPICS
from churn.words.tables import INSTANT

UNREADABLE = "31.02.?"
"""What stands where a date should be."""


class Layout(NamedTuple):
    """How a source is written: its format, which is also the end of its file names, and the flaws planted in it."""

    format: str
    flaws: tuple[str, ...] = ()


LAYOUTS: dict[str, Layout] = {
    "customers": Layout("csv"),
    "usage": Layout("parquet", ("blank_id", "out_of_window")),
    "orders": Layout("csv.gz", ("blank_id", "unreadable_date", "negative_amount", "unknown_type", "out_of_window")),
    "tickets": Layout("jsonl", ("blank_id",)),
    "contacts": Layout("csv", ("blank_id",)),
    "payments": Layout("parquet", ("blank_id",)),
    "surveys": Layout("csv", ("blank_id", "unknown_type")),
    "campaigns": Layout("csv.gz", ("blank_id", "unreadable_date")),
    "cancellations": Layout("csv"),
    "truth": Layout("parquet"),
    "hazard": Layout("parquet"),
}
"""Every table of the world by name. Usage is most of all rows, so it is Parquet in every size."""


def sources(
    streams: dict[str, np.random.Generator], customers: Customers, ids: pa.Array, first_id: int
) -> dict[str, pa.Table]:
    """The table of every source for one block of customers; `ids` are theirs, `first_id` starts their events' ids."""
    rows = {name: events(streams[name], customers) for name, events in _EVENTS.items()}
    rows["surveys"] = activity.surveys(streams["surveys"], customers, rows["contacts"])
    tables = {"customers": _customers(customers, ids)}
    for name, table in _TABLES.items():
        dirty = with_dirt(streams[name], rows[name], LAYOUTS[name].flaws, first_id)
        tables[name] = pa.table({"customer_id": _ids(dirty, ids), **table(dirty)})
    return tables


def _usage(rows: Columns) -> dict[str, pa.Array]:
    return {
        "session_id": pa.array(rows["id"]),
        "started_at": _utc(rows["at"]),
        "received_at": _utc(rows["recorded_at"]),
        "minutes": pa.array(rows["minutes"], pa.int32()),
        "feature": _named(rows["feature"], FEATURES),
        "device": _named(rows["app"], ("web", "app")),
    }


def _orders(rows: Columns) -> dict[str, pa.Array]:
    kind = np.where(has(rows, "unknown_type"), 2, rows["returned"])
    sign = np.where(has(rows, "negative_amount"), -1, 1)
    return {
        "order_id": _prefixed("O", rows["id"]),
        "ordered_at": _readable(rows, _text(local(rows["at"]))),
        "kind": _named(kind, ("order", "return", "voucher_import")),
        "amount": _euros(sign * rows["amount"]),
        "discount": _euros(rows["discount"]),
        "items": pa.array(rows["items"]),
        "channel": _named(rows["channel"], ("web", "app", "shop")),
        "product": _named(rows["product"], PRODUCTS),
    }


def _tickets(rows: Columns) -> dict[str, pa.Array]:
    return {
        "entry_id": _prefixed("T", rows["id"]),
        "event": _named(rows["closed"], ("complaint_opened", "complaint_closed")),
        "at": _zulu(rows["at"]),
        "entered_at": _zulu(rows["recorded_at"]),
        "topic": _named(rows["topic"], TOPICS),
        "message": pa.array(rows["text"], pa.string()),
    }


def _contacts(rows: Columns) -> dict[str, pa.Array]:
    return {
        "contact_id": pa.array(rows["id"]),
        "time_ms": pa.array(rows["at"] * 1000),
        "direction": _named(rows["by_customer"], ("outbound", "inbound")),
        "channel": _named(rows["channel"], ("phone", "mail", "chat")),
    }


def _payments(rows: Columns) -> dict[str, pa.Array]:
    return {
        "payment_id": pa.array(rows["id"]),
        "tried_at": _utc(rows["at"]),
        "status": _named(rows["failed"], ("paid", "failed")),
        "amount": _euros(rows["amount"]),
        "method": _named(rows["debit"], ("card", "debit")),
    }


def _surveys(rows: Columns) -> dict[str, pa.Array]:
    survey = np.where(has(rows, "unknown_type"), 2, rows["csat"])
    written = pc.strftime(pa.array(local(rows["at"])).cast(pa.timestamp("s")), format="%d.%m.%Y %H:%M")
    return {
        "answered": written,
        "survey": _named(survey, ("nps", "csat", "quiz")),
        "answer": pa.array(rows["answer"]),
        "comment": pa.array(rows["comment"], pa.string()),
    }


def _campaigns(rows: Columns) -> dict[str, pa.Array]:
    return {
        "time": _readable(rows, _zulu(rows["at"])),
        "action": _named(rows["answered"], ("sent", "answered")),
        "campaign": _named(rows["kind"], CAMPAIGNS),
    }


def _cancellations(rows: Columns) -> dict[str, pa.Array]:
    return {"time": _zulu(rows["at"]), "action": _named(rows["withdrawn"], ("cancel", "uncancel"))}


_EVENTS = {
    "usage": activity.usage, "orders": activity.orders, "tickets": activity.tickets, "contacts": activity.contacts,
    "payments": activity.payments, "campaigns": activity.campaigns, "cancellations": activity.cancellations,
}  # fmt: skip
_TABLES = {
    "usage": _usage, "orders": _orders, "tickets": _tickets, "contacts": _contacts, "payments": _payments,
    "surveys": _surveys, "campaigns": _campaigns, "cancellations": _cancellations,
}  # fmt: skip


def _customers(customers: Customers, ids: pa.Array) -> pa.Table:
    """One row per customer and plan held, with the local time since when it holds."""
    n = len(customers)
    changed = (customers.next_plan != customers.plan) & (customers.plan_changed_at < np.minimum(customers.left_at, END))
    who = np.concatenate([np.arange(n), np.flatnonzero(changed)])
    since = np.concatenate([customers.signed_up_at, customers.plan_changed_at[changed]])
    plan = np.concatenate([customers.plan, customers.next_plan[changed]])
    rows = np.lexsort([since, who])
    return pa.table({
        "customer_id": ids.take(pa.array(who[rows])),
        "valid_from": _text(local(since[rows])),
        "plan": _named(plan[rows], PLANS),
        "country": _named(customers.country[who[rows]], COUNTRIES),
    })  # fmt: skip


def _ids(rows: Columns, ids: pa.Array) -> pa.Array:
    """The customer id as the file shows it: some with spaces behind, some blank."""
    n = len(ids)
    spaced = pc.binary_join_element_wise(ids, pa.scalar("  "), "")
    shown = pa.concat_arrays([ids, spaced, pa.array([""], pa.string())])
    place = np.where(has(rows, "blank_id"), 2 * n, rows["who"] + n * rows["spaced"])
    return shown.take(pa.array(place))


def _named(codes: np.ndarray, names: tuple[str, ...]) -> pa.Array:
    return pa.array(names).take(pa.array(codes.astype(np.int8)))


def _prefixed(letter: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(letter), pa.array(numbers).cast(pa.string()), "")


def _euros(cents: np.ndarray) -> pa.Array:
    return pa.array(cents / 100)


def _utc(seconds: np.ndarray) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(INSTANT)


def _text(seconds: np.ndarray) -> pa.Array:
    return pa.array(seconds).cast(pa.timestamp("s")).cast(pa.string())


def _zulu(seconds: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(pc.replace_substring(_text(seconds), " ", "T"), pa.scalar("Z"), "")


def _readable(rows: Columns, written: pa.Array) -> pa.Array:
    """The times as written, except where one cannot be read."""
    return pc.if_else(pa.array(has(rows, "unreadable_date")), UNREADABLE, written)

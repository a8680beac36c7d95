"""Ten worlds with one planted leak each, and the clean twin of each: the same world without it.

A world is a shop. Customers buy at their own pace until they stop for good or the year ends; in the weeks before they
stop they buy less and complain more, which is honest. A leak is planted either in the data or in what makes features.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.definitions import inactivity
from churn.core.features import Windows, features
from churn.core.leaks import Alarm, inspection
from churn.core.snapshots import snapshots
from churn.core.split import split
from churn.words.tables import ATTRIBUTES, INSTANT
from churn.words.windows import DAY_US
from tests.core.worlds import events_table, us

UNTIL = us("2024-01-01")
DAYS = 365
CUSTOMERS = 600
DATES = np.array([UNTIL - n * 14 * DAY_US for n in range(17, -1, -1)])
SHOP = inactivity(kind="inactivity", live_days=45, gap_days=0, horizon_days=28, roles=("purchase",))
WINDOWS = Windows((14, 30, 90), 30, 3)
ROLES = ("purchase", "complaint", "contact")


@dataclass(frozen=True)
class World:
    """Events and attributes as frames with times in microseconds; `make` makes features, `embargo` parts the dates."""

    events: pd.DataFrame
    attributes: pd.DataFrame
    stops: np.ndarray
    make: Callable[[pa.Table, pa.Table, pa.Table], pa.Table]
    embargo: bool = True


def honest(seed: int) -> World:
    """The world without any leak."""
    rng = np.random.default_rng(seed)
    begins = UNTIL - (rng.random(CUSTOMERS) * 0.3 + 0.7) * DAYS * DAY_US
    pace = rng.gamma(4, 2.5, CUSTOMERS) + 2
    stops = np.where(rng.random(CUSTOMERS) < 0.6, begins + rng.random(CUSTOMERS) * DAYS * DAY_US, np.inf)
    rows = []
    for i in range(CUSTOMERS):
        end = min(stops[i], UNTIL)
        times = begins[i] + np.cumsum(rng.exponential(pace[i], 400)) * DAY_US
        kept = (times < end) & ((times < stops[i] - 40 * DAY_US) | (rng.random(400) < 0.5))
        rows += [(i, t, "basket", "purchase", "made", int(rng.integers(500, 9000))) for t in times[kept]]
        # Complaints come with any life, and twice as often in its last weeks.
        at = begins[i] + rng.random(6) * (end - begins[i])
        at = np.concatenate([at, stops[i] - rng.random(1) * 40 * DAY_US]) if stops[i] < UNTIL else at
        rows += [(i, t, "complaint", "complaint", "opened", None) for t in at[rng.random(len(at)) < 0.4]]
        rows += [(i, t, "call", "contact", "by_customer", None) for t in begins[i] + rng.random(3) * (end - begins[i])]
    frame = pd.DataFrame(rows, columns=["number", "occurred_at", "event_type", "role", "state", "amount_minor"])
    frame["recorded_at"] = (
        frame["occurred_at"] + np.where(rng.random(len(frame)) < 0.1, rng.exponential(6, len(frame)), 0) * DAY_US
    )
    plans = pd.DataFrame(
        {"number": np.arange(CUSTOMERS), "value": rng.choice(["basic", "plus"], CUSTOMERS), "at": begins - DAY_US}
    )
    # Some take another plan later, for reasons of their own.
    later = plans[rng.random(CUSTOMERS) < 0.3].assign(value="plus", at=lambda p: p["at"] + 100 * DAY_US)
    return World(frame, pd.concat([plans, later]), stops, made)


def made(events: pa.Table, at: pa.Table, attributes: pa.Table) -> pa.Table:
    """The product's own features."""
    return features(events, at, attributes, lookback=WINDOWS, roles=ROLES, attribute_names=("plan",))


def alarms(world: World, ids: np.ndarray | None = None) -> list[Alarm]:
    """What the leak defence says of a world; `ids` are the numbers that customers go by."""
    names = np.array([f"c{n:05}" for n in (np.random.default_rng(1).permutation(CUSTOMERS) if ids is None else ids)])
    frame = world.events.assign(customer_id=names[world.events["number"]])
    frame["occurred_at"] = frame["occurred_at"].astype(np.int64)
    frame["recorded_at"] = frame[["recorded_at", "occurred_at"]].max(axis=1).astype(np.int64)
    frame["amount_minor"] = frame["amount_minor"].astype("Int64")
    for column in ("discount_minor", "quantity_milli", "channel", "category", "text"):
        frame[column] = pd.NA
    if "event_id" not in frame:
        frame["event_id"] = [f"e{i:06}" for i in range(len(frame))]
    events = events_table(frame)
    attributes = _attributes(world.attributes, names)
    found = snapshots(events, DATES, observed_until=UNTIL, definition=SHOP)
    parts = split(
        found, observed_until=UNTIL, definition=SHOP if world.embargo else replace(SHOP, horizon_days=14),
        test_as_ofs=1, calibration_as_ofs=1, validation_as_ofs=1, train_as_ofs=None, base_rate_most=1e9,
    )  # fmt: skip
    if not world.embargo:
        until = pc.add(parts["as_of"].cast(pa.int64()), SHOP.outcome_days * DAY_US).cast(INSTANT)
        parts = parts.set_column(parts.schema.get_field_index("outcome_until"), "outcome_until", until)
    stored = world.make(events, found, attributes)
    return inspection(
        world.make,
        events,
        found,
        attributes,
        stored,
        parts,
        dates=DATES[[4, 10, 17]],
        own_roles=("purchase",),
        vouched=(),
    )


def _attributes(frame: pd.DataFrame, names: np.ndarray) -> pa.Table:
    instants = pa.array(frame["at"].astype(np.int64).to_numpy()).cast(INSTANT)
    columns = [names[frame["number"]], np.full(len(frame), "plan"), instants, instants, frame["value"].to_numpy()]
    table = pa.table([pa.array(c) for c in columns], schema=ATTRIBUTES.schema)
    return table.sort_by([(key, "ascending") for key in ATTRIBUTES.key])


# -- leaks in what makes features --------------------------------------------------------------------------------------


def boundary(world: World) -> World:
    """`<=` beside as_of: what happens at as_of itself counts."""

    def leaky(events: pa.Table, at: pa.Table, attributes: pa.Table) -> pa.Table:
        later = pc.add(at["as_of"].cast(pa.int64()), 1).cast(INSTANT)
        found = made(events, at.set_column(1, at.schema.field("as_of"), later), attributes)
        return found.set_column(1, found.schema.field("as_of"), at["as_of"].combine_chunks())

    return replace(world, make=leaky)


def all_time_statistics(world: World) -> World:
    """Spending against the mean basket of all time, the future included."""

    def leaky(events: pa.Table, at: pa.Table, attributes: pa.Table) -> pa.Table:
        found = made(events, at, attributes)
        mean = pc.mean(events["amount_minor"]).as_py()
        return found.append_column("spend_of_mean", pc.divide(found["spend_30d"], mean).cast(pa.float32()))

    return replace(world, make=leaky)


def newest_event_as_now(world: World) -> World:
    """Recency counted from the newest event in the file."""

    def leaky(events: pa.Table, at: pa.Table, attributes: pa.Table) -> pa.Table:
        found = made(events, at, attributes)
        last = events.group_by("customer_id").aggregate([("occurred_at", "max")])
        place = pc.index_in(at["customer_id"], value_set=last["customer_id"].combine_chunks())
        now = pc.max(events["occurred_at"].cast(pa.int64()))
        silent = pc.subtract(now, last["occurred_at_max"].cast(pa.int64()).take(place))
        return found.append_column("days_to_last", pc.divide(silent.cast(pa.float64()), DAY_US).cast(pa.float32()))

    return replace(world, make=leaky)


def deduplicated_across_as_of(world: World) -> World:
    """Of one id the row that was recorded last is kept, though the earlier one was known at as_of."""

    def leaky(events: pa.Table, at: pa.Table, attributes: pa.Table) -> pa.Table:
        order = events.append_column("row", pa.array(np.arange(len(events))))
        order = order.sort_by([("event_id", "ascending"), ("recorded_at", "ascending")])
        ids = np.array(order["event_id"].to_pylist())
        last = np.append(ids[1:] != ids[:-1], True)
        kept = events.take(pa.array(np.sort(order["row"].to_numpy()[last])))
        return made(kept.combine_chunks(), at, attributes)

    return replace(world, make=leaky)


def late_events_known(world: World) -> World:
    """What happened before as_of counts, whether anybody knew of it or not."""

    def leaky(events: pa.Table, at: pa.Table, attributes: pa.Table) -> pa.Table:
        place = events.schema.get_field_index("recorded_at")
        return made(events.set_column(place, events.schema.field(place), events["occurred_at"]), at, attributes)

    return replace(world, make=leaky)


# -- leaks in the data -------------------------------------------------------------------------------------------------


def attribute_of_today(world: World) -> World:
    """The plan as it is today, said of all times: whoever has left has none."""
    today = world.attributes.drop_duplicates("number").copy()
    today["value"] = np.where(world.stops[today["number"]] < UNTIL, "closed", today["value"])
    return replace(world, attributes=today)


def cancellation_ticket(world: World) -> World:
    """Most who leave send a ticket about it in their last weeks."""
    return _before_the_end(world, "cancellation request", "complaint", "opened", share=0.6)


def retention_call(world: World) -> World:
    """The company calls those of whom it knows that they are leaving."""
    return _before_the_end(world, "retention call", "contact", "by_company", share=0.5)


def _before_the_end(world: World, kind: str, role: str, state: str, share: float) -> World:
    rng = np.random.default_rng(3)
    who = np.flatnonzero((world.stops < UNTIL) & (rng.random(CUSTOMERS) < share))
    # Live customers of whom one more purchase comes are rare then: it is the very end.
    at = world.stops[who] - rng.random(len(who)) * 3 * DAY_US
    more = pd.DataFrame(
        {"number": who, "occurred_at": at, "recorded_at": at, "event_type": kind, "role": role, "state": state}
    )
    return replace(world, events=pd.concat([world.events, more], ignore_index=True))


def overlapping_windows(world: World) -> World:
    """Parts of the split without an embargo: labels of one part lie in the features of the next."""
    return replace(world, embargo=False)


LEAKS = {
    "boundary": boundary,
    "statistics over all time": all_time_statistics,
    "attribute of today": attribute_of_today,
    "cancellation ticket": cancellation_ticket,
    "retention call": retention_call,
    "newest event as now": newest_event_as_now,
    "deduplication across as_of": deduplicated_across_as_of,
    "late events": late_events_known,
    "order of ids": None,
    "overlapping label windows": overlapping_windows,
}


def caught(leak: str, seed: int) -> tuple[list[Alarm], list[Alarm]]:
    """What the defence says of the world with a leak, and of its clean twin."""
    clean = honest(seed)
    if leak == "order of ids":
        sorted_by_end = np.argsort(
            np.argsort(np.where(np.isfinite(clean.stops), clean.stops, UNTIL * 2), kind="stable")
        )
        return alarms(clean, ids=sorted_by_end), alarms(clean)
    return alarms(LEAKS[leak](clean)), alarms(clean)

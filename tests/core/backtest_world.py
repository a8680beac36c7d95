"""Worlds for backtests: one made of events, in which records come late and are corrected, and ones made of numbers."""

import numpy as np
import pandas as pd
import pyarrow as pa

from churn.core.backtest import Plan, Recipe, Settings, World, plan, rows, world
from churn.core.definitions import inactivity
from churn.core.features import Windows
from churn.words.tables import ATTRIBUTES, INSTANT, SUPERSEDED
from churn.words.windows import DAY_US
from tests.core.model_world import LIGHTGBM, LOGISTIC
from tests.core.worlds import events_table, us

FROM, UNTIL = us("2023-01-01"), us("2024-01-01")
SHOP = inactivity(kind="inactivity", live_days=45, gap_days=0, horizon_days=28, roles=("purchase",))
SNAPSHOTS = {"every_days": 14, "most": 20, "history_days": 40}
PARTS = {
    "test_as_ofs": 1,
    "calibration_as_ofs": 1,
    "validation_as_ofs": 1,
    "train_as_ofs": 12,
    "base_rate_most": 1e9,
}
WINDOWS = Windows((14, 30, 90), 30, 3)
ROLES = ("purchase", "complaint")
RECIPE = Recipe(UNTIL, SHOP, WINDOWS, ROLES, attribute_names=("plan",), chosen=None)
CUSTOMERS = 400
SETTINGS = Settings(
    SHOP, PARTS, {**LIGHTGBM, "seeds": 2, "rounds_most": 30}, ("days_since_purchase", "spend_90d"), 1.0, (), "platt", 7,
    ("spend_per_day_365d",),
)  # fmt: skip


def events(seed: int = 1) -> tuple[pa.Table, pa.Table]:
    """EVENTS and ATTRIBUTES of a shop whose customers buy less before they stop; a third of the records come late."""
    rng = np.random.default_rng(seed)
    begins = FROM + rng.random(CUSTOMERS) * 60 * DAY_US
    pace = rng.gamma(4, 2.5, CUSTOMERS) + 2
    stops = np.where(rng.random(CUSTOMERS) < 0.7, begins + rng.random(CUSTOMERS) * 400 * DAY_US, np.inf)
    found = []
    for i in range(CUSTOMERS):
        at = begins[i] + np.cumsum(rng.exponential(pace[i], 200)) * DAY_US
        at = at[(at < min(stops[i], UNTIL)) & ((at < stops[i] - 40 * DAY_US) | (rng.random(200) < 0.5))]
        found += [(f"c{i:04}", int(t), "purchase", "made", int(rng.integers(500, 9000))) for t in at]
        found += [(f"c{i:04}", int(t), "complaint", "opened", None) for t in at[rng.random(len(at)) < 0.1] + DAY_US]
    frame = pd.DataFrame(found, columns=["customer_id", "occurred_at", "role", "state", "amount_minor"])
    late = np.where(rng.random(len(frame)) < 0.3, rng.exponential(15, len(frame)), 0) * DAY_US
    frame["recorded_at"] = frame["occurred_at"] + late.astype(np.int64)
    frame["event_type"], frame["amount_minor"] = frame["role"], frame["amount_minor"].astype("Int64")
    frame["event_id"] = [f"e{i:06}" for i in range(len(frame))]
    for column in ("discount_minor", "quantity_milli", "channel", "category", "text"):
        frame[column] = pd.NA
    return _corrected(frame, rng), _attributes(rng)


def _corrected(frame: pd.DataFrame, rng: np.random.Generator) -> pa.Table:
    """Every twentieth purchase is corrected a while later: another amount, or another day."""
    again = frame[(frame["role"] == "purchase") & (rng.random(len(frame)) < 0.05)]
    when = again["recorded_at"] + (rng.exponential(40, len(again)) * DAY_US).astype(np.int64) + 1
    later = again.assign(
        recorded_at=when,
        amount_minor=again["amount_minor"] * 3,
        occurred_at=again["occurred_at"] - rng.integers(0, 9, len(again)) * DAY_US,
    )
    until = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    until[again.index] = when.astype(object)
    return events_table(pd.concat([frame.assign(**{SUPERSEDED: until}), later.assign(**{SUPERSEDED: None})]))


def _attributes(rng: np.random.Generator) -> pa.Table:
    """A plan for everybody, which some change in the middle of the year."""
    first = pd.DataFrame({"customer_id": [f"c{i:04}" for i in range(CUSTOMERS)], "at": FROM, "value": "basic"})
    later = first[rng.random(CUSTOMERS) < 0.3].assign(at=FROM + 180 * DAY_US, value="plus")
    both = pd.concat([first, later]).sort_values(["customer_id", "at"])
    at = pa.array(both["at"].astype(np.int64).to_numpy()).cast(INSTANT)
    names = pa.array(["plan"] * len(both))
    return pa.table([pa.array(both["customer_id"]), names, at, at, pa.array(both["value"])], schema=ATTRIBUTES.schema)


def planned(asked: int, step_days: int | None = None) -> Plan:
    """The lists of the world made of events."""
    return plan(FROM, UNTIL, definition=SHOP, snapshots=SNAPSHOTS, parts=PARTS, asked=asked, step_days=step_days)


def made(tables: tuple[pa.Table, pa.Table], when: Plan) -> World:
    """The world of these events."""
    return world([made_rows(*tables, when=when)], when)


def made_rows(of: pa.Table, attributes: pa.Table, *, when: Plan) -> pa.Table:
    """The rows of these events and attributes."""
    return rows(of, attributes, RECIPE, when=when)


def numbers(signal: float, seed: int, *, customers: int = 300, shuffled: bool = False) -> tuple[World, Plan, Settings]:
    """A world of made-up features, its lists and a quick model: `signal` says how much features tell of the outcome.

    With `shuffled`, outcomes with much signal are shuffled among the customers of each date.
    """
    rng = np.random.default_rng(seed)
    dates = FROM + np.arange(15) * 28 * DAY_US
    n = customers * len(dates)
    silence, spend = rng.exponential(30, n).round(), rng.gamma(1.0, 100, n)
    log_odds = -1.5 + signal * (np.log1p(silence) - 3 - 0.01 * (spend - 100))
    churned = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    if shuffled:
        churned = rng.permuted(churned.reshape(customers, -1), axis=0).reshape(-1)
    at = np.tile(dates, customers)
    keys = {
        "customer_id": pa.array([f"c{i:05}" for i in range(customers) for _ in dates]),
        "as_of": pa.array(at).cast(INSTANT),
    }
    columns = {"days_since_purchase": silence, "spend_90d": spend, "tenure_days": rng.random(n) * 500}
    columns |= {"spend_per_day_365d": spend / 90, **{f"noise_{i}": rng.normal(size=n) for i in range(5)}}
    features = pa.table(keys | {name: pa.array(values, pa.float32()) for name, values in columns.items()})
    snapshots = pa.table({**keys, "churned": pa.array(churned)})
    days = dates[9:13]
    runs = {int(day): dates[dates <= day] for day in days}
    known = {day: pa.chunked_array([pa.array(churned, mask=(at + 28 * DAY_US > day) | (at > day))]) for day in runs}
    settings = Settings(SHOP, PARTS, {**LOGISTIC, "l2": 10.0}, *_settings())
    return World(features, snapshots, known), Plan(days, runs, 28, 4, {}), settings


def _settings() -> tuple:
    return (
        SETTINGS.rfm, SETTINGS.rfm_l2, SETTINGS.vouched, SETTINGS.calibration, SETTINGS.seed, SETTINGS.value_features
    )  # fmt: skip

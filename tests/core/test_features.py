"""Features: equal to the slow reference, blind to the future, and indifferent to what must not matter."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.features import GROUPS, catalogue, features, windows
from churn.words.tables import FEATURES, ROLES, SUPERSEDED
from churn.words.windows import DAY_US
from tests.core.reference import reference
from tests.core.worlds import (
    NO_ATTRIBUTES,
    attributes_table,
    events_table,
    random_events,
    same_bytes,
    snapshots_at,
    us,
    world,
)

LOOKBACK = windows(windows_days=(7, 14, 30, 60, 90, 180, 365), period_days=30, periods=6)
ALL = tuple(ROLES)
AS_OFS = [us("2023-03-01") + 14 * DAY_US * i for i in range(0, 30, 5)]
seeds = st.integers(0, 2**32 - 1)


def table(events: pa.Table, as_ofs: list[int] = AS_OFS, roles: tuple[str, ...] = ALL) -> pa.Table:
    return features(
        events, snapshots_at(events, as_ofs), NO_ATTRIBUTES, lookback=LOOKBACK, roles=roles, attribute_names=()
    )


def value(text: str, name: str, as_of: str) -> float:
    """One feature of the only customer of a world at one date."""
    return table(world(text), [us(as_of)])[name][0].as_py()


@given(seeds, st.sampled_from(AS_OFS))
def test_every_feature_equals_the_slow_reference(seed, as_of):
    frame = random_events(seed, customers=1, corrections=seed % 2 == 1)
    found = table(events_table(frame), [as_of]).to_pandas()
    for row in found.to_dict("records"):
        mine = frame[frame["customer_id"] == row["customer_id"]]
        expected = reference(mine, as_of, LOOKBACK.windows_days, LOOKBACK.period_days, LOOKBACK.periods)
        assert set(expected) == set(row) - {"customer_id", "as_of"}
        values, wanted = np.array([(row[name], np.float32(expected[name])) for name in expected], float).T
        near = np.isclose(values, wanted, rtol=2e-5, atol=1e-4, equal_nan=True)
        assert near.all(), {n: (row[n], expected[n]) for n, same in zip(expected, near, strict=True) if not same}


@given(seeds, st.integers(0, len(AS_OFS) - 1))
def test_features_ignore_the_future(seed, which):
    as_of = AS_OFS[which]
    frame = random_events(seed)
    past = frame[(frame["occurred_at"] < as_of) & (frame["recorded_at"] < as_of)]
    if past.empty:
        return
    future = frame.drop(past.index)
    changed = future.sample(frac=0.5, random_state=seed % 1000).assign(
        amount_minor=99, state=lambda f: f["role"].map(lambda r: ROLES[r][-1])
    )
    invented = random_events(seed + 1, start="2025-06-01").assign(event_id=lambda f: "x" + f["event_id"])
    invented["occurred_at"] = np.maximum(invented["occurred_at"], as_of)
    invented["recorded_at"] = np.maximum(invented["recorded_at"], invented["occurred_at"])
    worlds = [
        past,
        frame,
        pd.concat([past, changed]),
        pd.concat([past, invented]).loc[lambda f: f["customer_id"].isin(past["customer_id"])],
    ]
    tables = [table(events_table(w), [as_of]) for w in worlds]
    customers = tables[0]["customer_id"]
    for other in tables[1:]:
        same = other.filter(pa.compute.is_in(other["customer_id"], value_set=customers.combine_chunks()))
        assert same_bytes(same, tables[0])


@given(seeds, st.integers(0, len(AS_OFS) - 1))
def test_a_correction_changes_nothing_of_what_was_known_before_it(seed, which):
    as_of = AS_OFS[which]
    frame = random_events(seed, corrections=True)
    told = frame[frame["recorded_at"] < as_of].copy()
    told.loc[told[SUPERSEDED].notna() & (told[SUPERSEDED] >= as_of), SUPERSEDED] = pd.NA
    if told.empty:
        return
    then, now = (table(events_table(w), [as_of]) for w in (told, frame))
    same = now.filter(pa.compute.is_in(now["customer_id"], value_set=then["customer_id"].combine_chunks()))
    assert same_bytes(same, then)


def test_an_event_is_what_was_said_of_it_until_it_is_corrected():
    text = """
    customer  occurred    role      amount  recorded    id  superseded
    a         2024-01-01  purchase  10      2024-01-01  x   2024-02-01
    a         2024-01-01  purchase  25      2024-02-01  x   -
    a         2024-01-05  purchase  1       2024-01-05  y   -
    """
    assert value(text, "spend_90d", "2024-01-31") == 10 + 1
    assert value(text, "spend_90d", "2024-02-01") == 10 + 1
    assert value(text, "spend_90d", "2024-02-02") == 25 + 1
    assert value(text, "purchases_90d", "2024-02-02") == 2


@given(seeds)
def test_the_order_of_rows_and_the_dates_asked_together_change_nothing(seed):
    frame = random_events(seed, corrections=seed % 2 == 1)
    found = table(events_table(frame))
    shuffled = table(events_table(frame.sample(frac=1, random_state=seed % 1000)))
    assert same_bytes(shuffled, found)
    for as_of in AS_OFS:
        alone = table(events_table(frame), [as_of])
        wanted = found.filter(pa.compute.equal(found["as_of"], alone["as_of"][0]))
        assert same_bytes(alone, wanted)


@given(seeds)
def test_a_customer_does_not_depend_on_other_customers_nor_on_the_id(seed):
    frame = random_events(seed)
    found = table(events_table(frame))
    for customer in ("c0", "c2"):
        mine = frame[frame["customer_id"] == customer]
        alone = table(events_table(mine.assign(customer_id="somebody else")))
        wanted = found.filter(pa.compute.equal(found["customer_id"], customer))
        assert same_bytes(alone.drop_columns("customer_id"), wanted.drop_columns("customer_id"))


@given(seeds, st.sampled_from([1, 5, 30, 52]))
def test_a_shift_by_whole_weeks_changes_nothing_but_the_season(seed, weeks):
    frame, shift = random_events(seed), weeks * 7 * DAY_US
    moved = frame.assign(occurred_at=frame["occurred_at"] + shift, recorded_at=frame["recorded_at"] + shift)
    dropped = ["as_of", "as_of_year_sin", "as_of_year_cos", "as_of_week_sin", "as_of_week_cos"]
    before = table(events_table(frame)).drop_columns(dropped)
    after = table(events_table(moved), [a + shift for a in AS_OFS]).drop_columns(dropped)
    assert same_bytes(after, before)


def test_an_event_at_midnight_of_as_of_belongs_to_the_future():
    text = """
    customer  occurred             role
    a         2024-01-01T00:00:00  purchase
    a         2024-01-30T23:59:59  purchase
    a         2024-01-31T00:00:00  purchase
    """
    assert value(text, "purchases_30d", "2024-01-31") == 1 + 1


def test_an_event_as_old_as_the_window_still_lies_in_it():
    text = """
    customer  occurred             role
    a         2024-01-01T00:00:00  purchase
    a         2023-12-31T23:59:59  purchase
    """
    assert value(text, "purchases_30d", "2024-01-31") == 1


def test_an_event_recorded_late_is_unknown_before_and_keeps_its_time_after():
    text = """
    customer  occurred    role       recorded    amount
    a         2024-01-01  purchase   2024-01-01  10
    a         2024-01-10  purchase   2024-02-05  7
    """
    assert value(text, "spend_30d", "2024-01-31") == 10
    assert value(text, "spend_30d", "2024-02-06") == 7
    assert value(text, "days_since_purchase", "2024-01-31") == 30


def test_an_event_recorded_at_as_of_is_not_known_yet():
    text = """
    customer  occurred    role      recorded
    a         2024-01-01  purchase  2024-01-01
    a         2024-01-10  purchase  2024-01-31
    """
    assert value(text, "purchases_90d", "2024-01-31") == 1


SMALL_WORLD = """
customer  occurred             role       state        amount  discount  quantity  category  channel
a         2023-10-01T09:00:00  purchase   made         20      -         2         tea       web
a         2023-12-01T09:00:00  purchase   made         30      10        3         tea       shop
a         2023-12-01T18:00:00  purchase   made         10      0         1         cups      web
a         2024-01-10T09:00:00  purchase   made         40      0         4         -         web
a         2024-01-12T09:00:00  purchase   returned     -40     -         -         -         -
a         2023-11-20T00:00:00  complaint  opened       -       -         -         -         -
a         2023-12-20T00:00:00  complaint  opened       -       -         -         -         -
a         2024-01-02T00:00:00  complaint  closed       -       -         -         -         -
a         2024-01-15T00:00:00  payment    failed       9       -         -         -         -
a         2023-12-15T00:00:00  payment    paid         9       -         -         -         -
a         2023-12-16T00:00:00  survey     nps          -       -         9         -         -
a         2024-01-16T00:00:00  survey     nps          -       -         4         -         -
a         2024-01-05T00:00:00  campaign   sent         -       -         -         -         -
a         2024-01-06T00:00:00  campaign   answered     -       -         -         -         -
a         2024-01-07T00:00:00  contact    by_customer  -       -         -         -         -
a         2024-01-08T00:00:00  usage      used         -       -         25.5      -         -
a         2024-01-08T12:00:00  usage      used         -       -         10        -         -
"""
EXPECTED_AT_2024_01_31 = {
    "purchases_30d": 1,
    "purchases_90d": 1 + 1 + 1,
    "purchase_days_90d": 1 + 1,
    "purchases_total": 4,
    "purchases_change_30d": 1 - 0,
    "purchases_ratio_60d": 1 / 2,
    "spend_90d": 30 + 10 + 40,
    "spend_mean_90d": 80 / 3,
    "spend_per_day_365d": (20 + 30 + 10 + 40 - 40) / (121 + 15 / 24),
    "discount_share_90d": 10 / (10 + 80),
    "items_90d": 3 + 1 + 4,
    "purchase_categories_90d": 2,
    "purchase_channels_90d": 2,
    "returns_30d": 1,
    "return_share_365d": 1 / 4,
    "purchase_gap_mean_days": (61 + 40) / 2,
    "purchase_gap_longest_days": 61,
    "days_since_purchase": 20 + 15 / 24,
    "complaints_30d": 0,
    "complaints_30d_90d": 1 + 1,
    "open_complaints": 2 - 1,
    "days_since_complaint": 42,
    "payments_failed_30d": 1,
    "payments_failed_share_90d": 1 / 2,
    "days_since_payment": 47,
    "last_nps": 4,
    "nps_change": 4 - 9,
    "nps_mean_365d": (9 + 4) / 2,
    "campaigns_sent_30d": 1,
    "campaign_answer_share_365d": 1 / 1,
    "contacts_by_customer_30d": 1,
    "sessions_30d": 2,
    "usage_days_30d": 1,
    "usage_quantity_30d": 25.5 + 10,
    "tenure_days": 121 + 15 / 24,
}


@pytest.mark.parametrize("name", EXPECTED_AT_2024_01_31)
def test_a_small_world_has_the_features_counted_by_hand(name):
    assert value(SMALL_WORLD, name, "2024-01-31") == pytest.approx(EXPECTED_AT_2024_01_31[name], rel=1e-6)


def test_three_months_of_decline_are_counted_back_from_the_newest():
    dates = [("2024-01-01", 4), ("2024-01-31", 3), ("2024-03-01", 2), ("2024-03-31", 1)]
    rows = "\n".join(f"a         {day}T12:00:00  usage" for day, n in dates for _ in range(n))
    text = "customer  occurred             role\n" + rows
    assert value(text, "sessions_decline_periods", "2024-04-30") == 3
    # Least squares through 0, 0, 4, 3, 2, 1 at -5 … 0: the two empty periods at the start pull it up.
    assert value(text, "sessions_slope", "2024-04-30") == pytest.approx(5 / 17.5)


def test_columns_depend_on_the_declared_roles_and_not_on_the_data():
    events = world("customer  occurred    role\na         2024-01-01  purchase")
    with_usage = table(events, [us("2024-02-01")], ("purchase", "usage")).column_names
    assert "days_since_usage" in with_usage
    assert not [name for name in with_usage if "complaint" in name or "nps" in name]


def test_attributes_hold_from_their_day_and_from_when_they_were_known():
    text = """
    customer_id  name  valid_from  recorded_at  value
    a            plan  2024-01-01  2024-01-01   basic
    a            plan  2024-02-01  2024-03-01   pro
    z            plan  2024-01-01  2024-01-01   nobody's
    """
    attributes = attributes_table(text)
    events = world("customer  occurred    role\na         2024-01-01  purchase\nb         2024-01-01  purchase")
    snapshots = snapshots_at(events, [us("2024-01-01"), us("2024-02-15"), us("2024-03-15")])
    found = features(
        events,
        snapshots,
        attributes,
        lookback=LOOKBACK,
        roles=("purchase",),
        attribute_names=("plan",),
    )
    FEATURES.check(found)
    assert found["plan"].to_pylist() == [None, "basic", "pro", None, None, None]


def test_the_catalogue_has_unique_names_known_groups_and_words_in_both_languages():
    wanted = catalogue(LOOKBACK)
    names = [f.name for f in wanted]
    assert len(names) == len(set(names))
    assert {f.group for f in wanted} | {"attributes"} == set(GROUPS)
    for f in wanted:
        assert f.en
        assert f.zh
        assert f.unit
        assert f.window
        assert f.name.isascii()
        assert not set(f.name) & set(',:[]{}"')

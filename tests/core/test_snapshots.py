"""Snapshots: who is live, and who churned, in small worlds as text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.definitions import contract, inactivity
from churn.core.snapshots import as_ofs, snapshots
from churn.words.errors import ConfigFault
from churn.words.windows import DAY_US
from tests.core.test_definitions import EVERY_KIND
from tests.core.worlds import events_table, outcome, random_events, us

INACTIVE = inactivity(kind="inactivity", live_days=60, gap_days=0, horizon_days=30, roles=("purchase",))
WITH_GAP = inactivity(kind="inactivity", live_days=60, gap_days=7, horizon_days=30, roles=("purchase",))
CONTRACT = contract(
    kind="contract", gap_days=7, horizon_days=30, grace_days=10, start_roles=("payment",), restart_roles=()
)


def test_inactivity_asks_for_a_purchase_in_the_horizon():
    text = """
    customer  occurred    role
    back      2024-01-01  purchase
    back      2024-03-01  purchase
    gone      2024-01-01  purchase
    gone      2024-03-02  purchase
    visitor   2024-01-01  purchase
    visitor   2024-02-10  usage
    """
    assert outcome(text, INACTIVE, "2024-01-31") == {"back": True, "gone": True, "visitor": True}
    assert outcome(text, INACTIVE, "2024-02-01") == {"back": False, "gone": True, "visitor": True}


def test_the_horizon_is_half_open():
    text = """
    customer  occurred             role
    first     2024-01-01           purchase
    first     2024-01-31           purchase
    last      2024-01-01           purchase
    last      2024-02-29T23:59:59  purchase
    after     2024-01-01           purchase
    after     2024-03-01           purchase
    """
    assert outcome(text, INACTIVE, "2024-01-31") == {"first": False, "last": False, "after": True}


def test_what_happens_in_the_gap_belongs_to_no_outcome():
    text = """
    customer  occurred             role
    a         2024-01-01           purchase
    a         2024-02-06T23:59:59  purchase
    b         2024-01-01           purchase
    b         2024-02-07           purchase
    """
    assert outcome(text, WITH_GAP, "2024-01-31") == {"a": True, "b": False}


def test_only_live_customers_have_snapshots():
    text = """
    customer   occurred    role      recorded
    live       2023-12-02  purchase  -
    silent     2023-12-01  purchase  -
    future     2024-02-01  purchase  -
    late       2024-01-01  purchase  2024-01-31
    returner   2024-01-01  usage     -
    """
    assert outcome(text, INACTIVE, "2024-01-31") == {"live": True}


def test_a_late_record_counts_for_the_outcome_but_not_for_being_live():
    text = """
    customer  occurred    role      recorded
    a         2024-01-01  purchase  -
    a         2024-02-10  purchase  2024-09-01
    """
    assert outcome(text, INACTIVE, "2024-01-31") == {"a": False}


def test_who_was_live_stands_whatever_is_corrected_later():
    text = """
    customer  occurred    role      recorded    id  superseded
    a         2024-01-20  purchase  2024-01-20  x   2024-02-10
    a         2023-06-20  purchase  2024-02-10  x   -
    b         2023-06-20  purchase  2023-06-20  y   2024-01-15
    b         2024-01-10  purchase  2024-01-15  y   -
    """
    assert set(outcome(text, INACTIVE, "2024-01-12")) == set()
    assert set(outcome(text, INACTIVE, "2024-01-31")) == {"a", "b"}
    assert set(outcome(text, INACTIVE, "2024-02-15")) == {"b"}


def test_an_outcome_is_by_what_stands_in_the_end():
    text = """
    customer  occurred    role      recorded    id  superseded
    a         2024-01-01  purchase  -           w   -
    a         2024-02-10  purchase  2024-02-10  x   2024-06-01
    a         2024-05-10  purchase  2024-06-01  x   -
    """
    assert outcome(text, INACTIVE, "2024-01-31") == {"a": True}


def test_a_returned_purchase_is_no_purchase():
    text = """
    customer  occurred    role      state
    a         2024-01-01  purchase  made
    a         2024-02-10  purchase  returned
    """
    assert outcome(text, INACTIVE, "2024-01-31") == {"a": True}


def test_the_outcome_is_null_until_the_whole_horizon_was_observed():
    text = "customer  occurred    role\na         2024-01-01  purchase\na         2024-02-01  purchase"
    assert outcome(text, INACTIVE, "2024-01-31", until="2024-03-01") == {"a": False}
    assert outcome(text, INACTIVE, "2024-01-31", until="2024-02-29") == {"a": None}


def test_a_contract_ends_with_a_cancellation_that_stands():
    text = """
    customer   occurred    role     state
    stays      2024-01-01  payment  paid
    leaves     2024-01-01  payment  paid
    leaves     2024-02-10  cancel   cancelled
    regrets    2024-01-01  payment  paid
    regrets    2024-02-10  cancel   cancelled
    regrets    2024-02-20  cancel   undone
    too_late   2024-01-01  payment  paid
    too_late   2024-02-10  cancel   cancelled
    too_late   2024-02-21  cancel   undone
    twice      2024-01-01  payment  paid
    twice      2024-02-10  cancel   cancelled
    twice      2024-02-12  cancel   undone
    twice      2024-02-20  cancel   cancelled
    """
    assert outcome(text, CONTRACT, "2024-01-31") == {
        "leaves": True, "regrets": False, "stays": False, "too_late": True, "twice": True,
    }  # fmt: skip


def test_who_leaves_in_the_gap_is_neither_lost_nor_kept():
    text = """
    customer  occurred    role     state
    a         2024-01-01  payment  paid
    a         2024-02-06  cancel   cancelled
    b         2024-01-01  payment  paid
    b         2024-02-06  cancel   cancelled
    b         2024-02-08  cancel   undone
    """
    assert outcome(text, CONTRACT, "2024-01-31") == {"a": None, "b": False}


def test_a_contract_matures_only_after_the_grace_period():
    text = """
    customer  occurred    role     state
    a         2024-01-01  payment  paid
    a         2024-02-10  cancel   cancelled
    """
    assert outcome(text, CONTRACT, "2024-01-31", until="2024-03-18") == {"a": True}
    assert outcome(text, CONTRACT, "2024-01-31", until="2024-03-17") == {"a": None}


def test_nobody_who_already_left_is_scored_until_the_customer_comes_back():
    text = """
    customer  occurred    role     state      recorded
    left      2024-01-01  payment  paid       -
    left      2024-01-20  cancel   cancelled  -
    back      2023-01-01  payment  paid       -
    back      2023-02-01  cancel   cancelled  -
    back      2023-09-01  cancel   undone     -
    unheard   2024-01-01  payment  paid       -
    unheard   2024-01-20  cancel   cancelled  2024-02-05
    """
    assert set(outcome(text, CONTRACT, "2024-01-31")) == {"back", "unheard"}


def test_as_of_dates_go_back_from_the_end_and_leave_room_for_history():
    found = as_ofs(us("2024-01-01"), us("2024-04-01"), every_days=14, most=10, history_days=30)
    assert found.tolist() == [us("2024-02-05"), us("2024-02-19"), us("2024-03-04"), us("2024-03-18"), us("2024-04-01")]
    assert len(as_ofs(us("2024-01-01"), us("2024-04-01"), every_days=14, most=3, history_days=30)) == 3


def test_an_unknown_role_names_those_that_exist():
    with pytest.raises(ConfigFault, match=r"'buy'.*purchase"):
        inactivity(kind="inactivity", live_days=60, gap_days=0, horizon_days=30, roles=("buy",))


@given(st.integers(0, 2**32 - 1), st.sampled_from(EVERY_KIND))
def test_labels_do_not_depend_on_the_other_dates_or_customers(seed, definition):
    frame = random_events(seed)
    events, dates = events_table(frame), np.array([us("2023-06-01") + i * 14 * DAY_US for i in range(12)])
    told = {"observed_until": us("2024-06-01"), "definition": definition}
    together = snapshots(events, dates, **told)
    for customer in frame["customer_id"].unique():
        alone = snapshots(events.filter(pa.compute.equal(events["customer_id"], customer)), dates, **told)
        assert alone.equals(together.filter(pa.compute.equal(together["customer_id"], customer)))
    each = [snapshots(events, dates[i : i + 1], **told) for i in range(12)]
    assert pa.concat_tables(each).sort_by([("customer_id", "ascending"), ("as_of", "ascending")]).equals(together)

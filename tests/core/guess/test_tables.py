"""Tables as public data sets have them: who, when and what a row is; what must not be taken for an event."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from churn.core import guess
from churn.core.guess import Sample
from churn.core.guess.tables import found
from churn.words.errors import ContractFault

START = date(2023, 1, 1)


def sample(name: str, **columns: list) -> Sample:
    texts = {key: pa.array([None if v is None else str(v) for v in values]) for key, values in columns.items()}
    return Sample(name, f"data/raw/{name}.csv", pa.table(texts))


def declared(*samples: Sample) -> dict:
    return guess.draft("shop", list(samples)).values["sources"]


def days(n: int, step: int = 1) -> list[date]:
    return [START + timedelta(days=step * k) for k in range(n)]


N = 60
WHO = [f"c{k % 20}" for k in range(N)]


def test_ids_of_one_order_lead_to_the_person_behind_them():
    """As in the orders of Olist: every order has a customer_id of its own."""
    ids = [f"x{k}" for k in range(N)]
    orders = sample(
        "orders",
        order_id=[f"o{k}" for k in range(N)],
        customer_id=ids,
        order_purchase_timestamp=days(N),
        order_estimated_delivery_date=days(N, 2),
    )
    people = sample("people", customer_id=ids, customer_unique_id=WHO)
    reviews = sample("reviews", order_id=[f"o{k}" for k in range(N)], score=[5] * N, review_date=days(N))
    made = declared(orders, people, reviews)
    assert made["orders"]["customer_id"] == "people.customer_unique_id"
    assert made["orders"]["occurred_at"] == "order_purchase_timestamp"
    assert made["orders"]["lookups"] == {"people": {"files": "data/raw/people.csv", "key": "customer_id"}}


def test_without_names_the_id_that_most_tables_share_is_the_customer():
    """As in KKBox: nothing is called customer, and a small number comes again and again in one table."""
    logs = sample("user_logs", msno=WHO, date=days(N), total=[7] * N)
    members = sample("members", city=[k % 7 for k in range(20)], msno=[f"c{k}" for k in range(20)])
    assert [one.customer for one in found([members, logs])] == ["msno", "msno"]


def test_payments_that_follow_each_other_are_no_contracts_that_end():
    paid = [START + timedelta(days=30 * k) for k in range(10)]
    until = [day + timedelta(days=31) for day in paid]
    flag = [0] * 58 + [1] * 2
    table = sample(
        "transactions",
        msno=[f"c{k // 10}" for k in range(N)],
        transaction_date=paid * 6,
        membership_expire_date=until * 6,
        is_cancel=flag,
        paid=[149] * N,
    )
    made = declared(table)
    assert list(made) == ["transactions"]
    assert made["transactions"]["leave_out"]["cancelled"]["when"] == [{"column": "is_cancel", "equals": ["1"]}]


def test_the_end_that_is_blank_while_a_contract_runs_is_the_end():
    ends = [START + timedelta(days=200) if k % 3 == 0 else None for k in range(20)]
    table = sample(
        "contracts",
        customer_id=[f"c{k}" for k in range(20)],
        created=days(20),
        current_period_end=days(20, 5)[::-1],
        ended_at=ends,
    )
    assert found([table])[0].end == "ended_at"


def test_a_time_of_the_customer_is_not_when_a_row_happened():
    registered = [START - timedelta(days=100 + k % 20) for k in range(N)]
    table = sample("events", user_id=WHO, date_of_registration=registered, time=[f"{d} 10:00" for d in days(N)])
    assert found([table])[0].time == "time"


@pytest.mark.parametrize(
    ("times", "when"),
    [
        ({"answered_at": days(N)}, "answered_at"),
        ({"sent_at": days(N), "answered_at": days(N, 2)}, "sent_at"),
        ({"closed_at": [*days(N - 1), None]}, None),
        ({"expected_delivery_at": days(N)}, None),
        ({"last_updated_at": days(N)}, None),
    ],
)
def test_the_time_by_which_a_row_had_happened_does_where_there_is_no_other(times, when):
    assert found([sample("surveys", customer_id=WHO, score=[7] * N, **times)])[0].time == when


def test_a_clock_beside_a_day_is_not_the_day():
    """As in the transactions of dunnhumby."""
    table = sample(
        "transactions",
        household_key=WHO,
        DAY=[1 + k * 10 for k in range(N)],
        TRANS_TIME=[f"{k % 24:02d}{k:02d}" for k in range(N)],
    )
    assert found([table])[0].time == "DAY"


def test_the_status_of_an_order_is_how_it_ended_not_what_it_was():
    """Refunded next month: nobody knew it when the order was made."""
    table = sample("orders", user_id=WHO, placed_at=days(N), status=["paid"] * 50 + ["refunded"] * 10)
    assert declared(table)["orders"]["event_types"] == {"order": {"role": "purchase"}}


def test_rows_without_money_are_use_where_only_some_have_it():
    table = sample("tracks", user_id=WHO, time=days(N), revenue=["9.5", None, None] * 20)
    types = declared(table)["tracks"]["event_types"]
    assert types == {
        "used": {"role": "usage", "when": [{"column": "revenue", "blank": True}]},
        "purchase": {"role": "purchase"},
    }
    assert declared(table)["tracks"]["amount"] == "revenue"


def test_a_column_with_a_cancellation_tells_kinds_of_events_whatever_its_name():
    pages = ["NextSong", "Home", "Cancellation Confirmation"] * 20
    types = declared(sample("mini", user_id=WHO, time=days(N), page=pages))["mini"]["event_types"]
    assert {name: kind["role"] for name, kind in types.items()} == {
        "Cancellation Confirmation": "cancel",
        "Home": "usage",
        "NextSong": "usage",
    }


def test_what_never_differs_within_a_customer_sorts_no_events():
    ages = [f"group {(k % 40) % 5}" for k in range(200)]
    who = [f"c{k % 40}" for k in range(200)]
    table = sample("orders", customer_id=who, date=days(200), age_group=ages, product=["a", "b", "c"] * 66 + ["a"] * 2)
    assert declared(table)["orders"]["category"] == "product"


def test_words_for_nothing_are_declared_where_numbers_stand():
    table = sample("orders", customer_id=WHO, date=days(N), amount=["1.5", "NULL", "2.5"] * 20, country=["NA"] * N)
    assert declared(table)["orders"]["null_tokens"] == ["NULL"]


# ---- sums of a week or month


def months(n: int) -> list[date]:
    return [date(2023 + k // 12, 1 + k % 12, 1) for k in range(n)]


@pytest.mark.parametrize(
    ("column", "dates", "known_after"),
    [
        ("month", months(12), 31),
        ("month_end", [day - timedelta(days=1) for day in months(12)], 1),
        ("week", [date(2023, 1, 2) + timedelta(days=7 * k) for k in range(12)], 7),
        ("week_ending", [date(2023, 1, 1) + timedelta(days=7 * k) for k in range(12)], 1),
    ],
)
def test_a_sum_is_known_when_its_time_is_over(column, dates, known_after):
    table = sample("usage", customer=[f"c{k}" for k in range(5) for _ in dates], **{column: dates * 5}, calls=[3] * 60)
    assert declared(table)["usage"]["recorded_at"] == {"column": column, "plus_days": known_after}


def test_a_sum_of_nothing_is_no_event():
    table = sample(
        "usage", customer=[f"c{k}" for k in range(5) for _ in range(12)], month=months(12) * 5, calls=[3, 0, 4] * 20
    )
    assert declared(table)["usage"]["leave_out"] == {
        "nothing": {"when": [{"column": "calls", "equals": ["0"]}], "most": 0.45}
    }


# ---- what is no table of events


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"customerID": [f"c{k}" for k in range(N)], "tenure": [5] * N, "Churn": ["Yes", "No"] * 30},
            "one row for each of 60 customers: how customers are today. Churn says who left",
        ),
        (
            {"user_id": WHO, "order_dow": [1] * N, "days_since_prior_order": [7] * N},
            "days_since_prior_order counts from the row before",
        ),
        (
            {"customer": WHO, "year": [2023] * N, "month": [1] * N, "day": [1] * N},
            "divided into the columns year, month, day",
        ),
        ({"customer": WHO, "quarter": ["2023-Q1"] * N}, "quarter holds '2023-Q1', a form of time that is not known"),
        (
            {"customer": [f"c{k}" for k in range(N)], "Nov-22": [1] * N, "Dec-22": [1] * N, "Jan-23": [1] * N},
            "3 columns are named by times (Nov-22 to Jan-23)",
        ),
        (
            {"customer_id": [f"c{k}" for k in range(N)], "signup_date": days(N), "last_login": days(N, 2)},
            "What is needed is what they did: a row for each order",
        ),
    ],
)
def test_what_is_missing_is_said_in_words(columns, said):
    with pytest.raises(ContractFault) as fault:
        guess.draft("shop", [sample("table", **columns)])
    assert said in str(fault.value)

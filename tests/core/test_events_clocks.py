"""Clocks that count days or weeks, weeks of ISO 8601, and what is known only when its week is over."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.dataset import EventType, Source, Time, dataset
from churn.core.events.instants import instants
from churn.words.errors import ConfigFault

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(values: list[str], zone: str = "UTC", **time) -> list[str]:
    found = instants(pa.array(values), Time("t", **time), zone)
    assert not (found.unreadable | found.out_of_range).any()
    return [(EPOCH + timedelta(microseconds=int(us))).strftime("%Y-%m-%dT%H:%M") for us in found.us]


def test_day_numbers_are_local_midnights_counted_from_the_start():
    said = read(["0", "1", "200.0", "-1"], "Europe/Berlin", format="day_number", start="2024-01-01")
    assert said == ["2023-12-31T23:00", "2024-01-01T23:00", "2024-07-18T22:00", "2023-12-30T23:00"]


def test_week_numbers_are_seven_days_apart():
    assert read(["0", "2"], format="week_number", start="2024-01-01") == ["2024-01-01T00:00", "2024-01-15T00:00"]


def test_days_are_added_to_what_is_known_later():
    assert read(["2024-02-26"], plus_days=7) == ["2024-03-04T00:00"]


@given(st.dates(date(1972, 1, 1), date(2099, 1, 1)))
def test_a_week_is_its_monday(day):
    year, week, _ = day.isocalendar()
    monday = day - timedelta(days=day.weekday())
    assert read([f"{year}-W{week:02d}"], format="%G-W%V") == [f"{monday}T00:00"]


@pytest.mark.parametrize("written", ["2023-W53", "2024-W00", "2024-W54"])
def test_a_week_that_its_year_does_not_have_is_unreadable(written):
    assert instants(pa.array([written]), Time("t", format="%G-W%V"), "UTC").unreadable.all()


def test_a_day_number_that_is_no_number_is_unreadable():
    found = instants(pa.array(["1.5x", "x"]), Time("t", format="day_number", start="2024-01-01"), "UTC")
    assert found.unreadable.all()
    assert instants(pa.array(["1.5"]), Time("t", format="week_number", start="2024-01-01"), "UTC").unreadable.all()


@pytest.mark.parametrize(
    ("given_keys", "said"),
    [
        ({"occurred_at": Time("t", format="day_number")}, "`start` is the local date"),
        ({"occurred_at": Time("t", start="2024-01-01")}, "`start` is the local date"),
        ({"occurred_at": Time("t", format="day_number", start="1.1.2024")}, "write a date such as 2024-01-31"),
        ({"header": ("a", "a")}, "must name every column"),
        ({"encoding": "gb18003"}, "did you mean gb18030"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(given_keys, said):
    keys = {"files": "x.csv", "customer_id": "c", "occurred_at": "t", "event_types": {"order": EventType("purchase")}}
    with pytest.raises(ConfigFault, match=said):
        dataset(
            name="x", time_zone="UTC", observed_from="2024-01-01", observed_until="2025-01-01", currency="EUR",
            nouns={}, sources={"orders": Source(**{**keys, **given_keys})}, attributes={},
        )  # fmt: skip

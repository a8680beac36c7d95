"""Times as people write them: which format reads them, and which numbers are no times."""

import numpy as np
import pyarrow as pa
import pytest

from churn.core.guess.forms import forms
from churn.core.guess.times import guessed
from churn.words.months import month_number


@pytest.mark.parametrize(
    ("text", "form", "instant"),
    [
        ("12-Jan-2023", "%d-%b-%Y", "2023-01-12"),
        ("January 12, 2023", "%b %d, %Y", "2023-01-12"),
        ("12JAN2023:13:05:07", "%d%b%Y:%H:%M:%S", "2023-01-12T13:05:07"),
        ("12 févr. 2023", "%d %b %Y", "2023-02-12"),
        ("12. März 2023", "%d. %b %Y", "2023-03-12"),
        ("12-ago-23", "%d-%b-%y", "2023-08-12"),
        ("12 de dezembro de 2023", "%d de %b de %Y", "2023-12-12"),
        ("Thu Jan 12 13:05:07 2023", "%a %b %d %H:%M:%S %Y", "2023-01-12T13:05:07"),
        ("Thu, 12 Jan 2023 13:05:07 GMT", "%a, %d %b %Y %H:%M:%S %z", "2023-01-12T13:05:07"),
        ("Jan-23", "%b-%y", "2023-01-01"),
        ("2023-01-12 13:05:07 UTC", "iso", "2023-01-12T13:05:07"),
        ("20230112", "%Y%m%d", "2023-01-12"),
        ("20230112130507", "%Y%m%d%H%M%S", "2023-01-12T13:05:07"),
        ("1673528707.25", "epoch_s", "2023-01-12T13:05:07.250"),
        ("1673528707000000", "epoch_us", "2023-01-12T13:05:07"),
        ("44938.5", "day_number", "2023-01-12T12:00"),
    ],
)
def test_a_time_is_read_as_it_is_written(text, form, instant):
    found = guessed("date", pa.array([text] * 5 + [None]))
    assert found is not None
    assert found.format == form
    assert found.us[0] == np.datetime64(instant, "us").astype(np.int64)


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_typed_numbers_are_times_as_texts_are(kind):
    found = guessed("ts", pa.array([1_673_528_707] * 5, kind))
    assert found is not None
    assert found.format == "epoch_s"


def test_digits_of_a_date_stored_as_a_number_are_read():
    found = guessed("date", pa.array([20230112, 20230113], pa.int64()))
    assert found is not None
    assert found.readable.all()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("TRANS_TIME", ["0005", "1345", "2359"]),
        ("order_hour_of_day", ["7", "13", "22"]),
        ("order_dow", ["0", "3", "6"]),
        ("day", ["1", "15", "31"]),
        ("days_since_prior_order", ["7", "45", "300"]),
        ("column_1", ["10001", "10002", "45000"]),
        ("price", ["1673528707", "1673528708", "1673528709"]),
    ],
)
def test_a_part_of_a_time_is_no_time(name, numbers):
    assert guessed(name, pa.array(numbers * 5)) is None


def test_dates_in_digits_need_no_name():
    assert guessed("column_2", pa.array(["20230112", "20231231"])).format == "%Y%m%d"


@pytest.mark.parametrize("text", ["hello 7 2022", "12-Foo-2023", "Mar", "red", "Thursday", "12 monkeys 2023"])
def test_words_are_no_months(text):
    assert not list(forms(text))


@pytest.mark.parametrize(("name", "number"), [("Mai", 5), ("MÄRZ", 3), ("août", 8), ("jui", None), ("ma", None)])
def test_a_month_is_told_by_its_name_in_any_language(name, number):
    assert month_number(name) == number

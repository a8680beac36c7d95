"""Numbers as people write them are read as they are declared, and nothing else is."""

import numpy as np
import pyarrow as pa
import pytest

from churn.core.events import hints
from churn.core.events.numerals import plain


def read(*written: str, decimal: str = ".", thousands: str = "", signs: tuple[str, ...] = ()) -> list[str | None]:
    return plain(pa.array(written, pa.string()), decimal=decimal, thousands=thousands, signs=signs).to_pylist()


def test_without_a_declaration_only_plain_numbers_are_read() -> None:
    assert read("1.5", "-2", "+3", ".5", "1e3") == ["1.5", "-2", "+3", ".5", "1e3"]
    assert read("$1", "1,000", "(1)", "1-", "1 000") == [None] * 5
    assert read("1,5", "7", decimal=",") == ["1.5", "7"]


@pytest.mark.parametrize(
    ("written", "decimal", "thousands", "signs"),
    [
        ("$1,234.50", ".", ",", ("$",)),
        ("1,234.50 USD", ".", ",", ("USD",)),
        ("US$ 1,234.50", ".", ",", ("$", "US$")),
        ("1.234,50 €", ",", ".", ("€",)),
        ("€1234,50", ",", ".", ("€",)),
        ("1 234,50\u00a0kr", ",", " ", ("kr",)),
        ("1\u202f234,50", ",", " ", ()),
        ("CHF 1\u2019234.50", ".", "'", ("CHF",)),
        ("1234.50Fr.", ".", "'", ("Fr.",)),
    ],
)
def test_signs_and_thousands_are_read_as_declared(written, decimal, thousands, signs) -> None:
    assert read(written, decimal=decimal, thousands=thousands, signs=signs) == ["1234.50"]


def test_a_minus_may_stand_anywhere_and_parentheses_mean_one() -> None:
    written = ("-$1,234.5", "$-1,234.5", "$ - 1,234.5", "1,234.5-", "$1,234.5-", "($1,234.5)", "\u22121,234.5")
    assert read(*written, thousands=",", signs=("$",)) == ["-1234.5"] * 7


def test_lakhs_and_crores_are_read_where_a_comma_divides() -> None:
    shown = ("12,34,567.89", "₹1,23,456", "-₹ 12,34,56,789.5", "99,999", "1,234,567.89")
    assert read(*shown, thousands=",", signs=("₹",)) == [
        "1234567.89", "123456", "-123456789.5", "99999", "1234567.89"
    ]  # fmt: skip
    wrong = ("1,23,45", "123,45,678", "1,234,56,789", "12,34,567,890", ",12,345", "1,2,345", "12,345,67")
    assert read(*wrong, thousands=",", signs=("₹",)) == [None] * len(wrong)
    assert read("12.34.567", decimal=",", thousands=".") == [None]  # more like a date
    assert read("12,34,567.89") == [None]


def test_what_is_not_written_as_declared_is_not_read() -> None:
    wrong = ("1,23.50", "12,34", "1,2345", "€5", "$", "5 $ 5", "5.5.5", "--5", "(5", "1.234,50", "five", "$ $5", "")
    assert read(*wrong, thousands=",", signs=("$",)) == [None] * len(wrong)
    assert read("12.50", "1.23", "1.2345,5", decimal=",", thousands=".") == [None] * 3


def test_amounts_are_read_back_however_they_are_written() -> None:
    cents = np.random.default_rng(3).integers(-(10**9), 10**9, 500)
    for decimal, thousands in ((".", ","), (",", "."), (",", " "), (".", "'")):
        shown = [f"{cent / 100:,.2f}".translate(str.maketrans({",": thousands, ".": decimal})) for cent in cents]
        found = read(*(f"{text} €" for text in shown), decimal=decimal, thousands=thousands, signs=("€",))
        assert [float(text) for text in found if text] == [cent / 100 for cent in cents]


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("$12.50", "currency_signs: [$]`"),
        ("12,50 €", "currency_signs: [€]`, `decimal: ','`"),
        ("$1,234.50", 'currency_signs: [$]`, `thousands: ","`'),
        ("1.234,50 EUR", "currency_signs: [EUR]`, `decimal: ','`, `thousands: \".\"`"),
        ("₹12,34,567.89", 'currency_signs: [₹]`, `thousands: ","`'),
        ("Rs. 1,23,456", 'currency_signs: [Rs.]`, `thousands: ","`'),
        ("1,23,456", 'have thousands separators: declare `thousands: ","`'),
        ("1 234.50", 'have thousands separators: declare `thousands: " "`'),
        ("12,5", "declare `decimal: ','`"),
        ("many", ""),
    ],
)  # fmt: skip
def test_a_hint_names_the_keys_that_read_the_rows(written, keys) -> None:
    said = hints.hint("amount_unreadable", "amount", [f'{{"amount": "{written}"}}'], {})
    assert keys in said
    assert bool(said) == bool(keys)

"""Guesses from small samples: what is taken for what, with its reason, and what must not be used."""

import numpy as np
import pyarrow as pa
import pytest

from churn.core import guess
from churn.core.guess import Sample, layout, timing, tree, words
from churn.core.guess.samples import STATES
from churn.core.guess.tables import found
from churn.core.guess.times import guessed
from churn.words.errors import ContractFault
from churn.words.windows import DAY_US, instant


def sample(name: str, table: str, *, rows: int = 1) -> Sample:
    """A sample from a text table; `rows` repeats it."""
    lines = [line.strip().split("|") for line in table.strip().splitlines()]
    columns = {title: [line[place] for line in lines[1:]] * rows for place, title in enumerate(lines[0])}
    return Sample(name, f"data/raw/{name}.csv", pa.table({k: pa.array(v, pa.string()) for k, v in columns.items()}))


def sources(*samples: Sample) -> dict:
    return guess.draft("shop", list(samples)).values["sources"]


ACCOUNTS = sample(
    "accounts",
    """
    account_id|signup_date|plan_tier|seats|churn_flag
    a|2023-01-05|Pro|3|TRUE
    b|2023-02-06|Basic|1|FALSE
    c|2023-03-07|Pro|2|FALSE
    """,
)
SUBSCRIPTIONS = sample(
    "subscriptions",
    """
    subscription_id|account_id|start_date|end_date|plan_tier|mrr_amount|churn_flag
    s1|a|2023-01-05|2023-04-05|Pro|30|TRUE
    s2|b|2023-02-06||Basic|10|FALSE
    s3|c|2023-03-07|2023-09-07|Pro|20|TRUE
    s4|a|2023-05-01||Pro|30|FALSE
    """,
)
USAGE = sample(
    "feature_usage",
    """
    usage_id|subscription_id|usage_date|feature_name|usage_count
    u1|s1|2023-01-06|search|9
    u2|s1|2023-01-07|export|2
    u3|s2|2023-02-08|search|4
    u4|s4|2023-05-08|search|4
    """,
)
TICKETS = sample(
    "support_tickets",
    """
    ticket_id|account_id|submitted_at|closed_at|resolution_time_hours|satisfaction_score|priority
    t1|a|2023-01-06 10:00|2023-01-07 10:00|24|3|high
    t2|b|2023-02-08 10:00||||low
    t3|a|2023-03-06 10:00|2023-03-06 12:00|2||low
    """,
)


def test_flags_of_today_are_in_no_declaration():
    drawn = guess.draft("saas", [ACCOUNTS, SUBSCRIPTIONS, USAGE, TICKETS])
    said = drawn.values
    assert said["attributes"] == {}
    assert "accounts" not in str(said["sources"])
    for column in ("churn_flag", "seats", "plan_tier"):
        assert column not in str({k: v for k, v in said["sources"].items() if not k.startswith("subscriptions")})
    assert "churn_flag" not in str(said)
    assert any("accounts" in note and "churn_flag" in note for note in drawn.unused)


@pytest.mark.parametrize(
    ("column", "values", "quantity"),
    [
        ("total_secs", "340 1610 25", {"column": "total_secs", "unit": "seconds"}),
        ("listen_ms", "340000 1610000 25000", {"column": "listen_ms", "unit": "milliseconds"}),
        ("minutes", "34 16 25", {"column": "minutes", "unit": "minutes"}),
        ("data_gb", "0.5 1.6 2.5", {"column": "data_gb", "unit": "GB"}),
        ("时长", "34 16 25", "时长"),
        ("duration", "34 16 25", "duration"),  # minutes or seconds, nobody can tell
        ("duration", "3400 1610 25", {"column": "duration", "unit": "seconds"}),
        ("duration", "340000 161000 25", {"column": "duration", "unit": "milliseconds"}),
        ("clicks", "34000 16100 2500", "clicks"),
    ],
)
def test_the_unit_of_use_is_guessed_by_name_or_values_and_left_out_where_nothing_tells(column, values, quantity):
    rows = "\n".join(
        f"{who}|2023-01-0{day}|{value}" for day, (who, value) in enumerate(zip("aba", values.split(), strict=True), 2)
    )
    drawn = guess.draft("shop", [sample("sessions", f"customer_id|date|{column}\n{rows}")])
    assert drawn.values["sources"]["sessions"]["quantity"] == quantity
    doubted = [note for note in guess.to_check(drawn.data) if "a day has" in note]
    assert bool(doubted) == (column == "duration" and isinstance(quantity, dict))


def test_of_two_sources_of_use_in_different_units_one_tells_how_much():
    streams = sample("streams", "customer_id|date|play_secs\na|2023-01-05|300\na|2023-02-05|120\nb|2023-02-06|90")
    visits = sample("visits", "customer_id|date|minutes|page\na|2023-01-05|3|x\na|2023-02-05|1|y\nb|2023-02-06|2|x")
    drawn = guess.draft("shop", [streams, visits])
    said = drawn.values["sources"]
    assert said["streams"]["quantity"] == {"column": "play_secs", "unit": "seconds"}
    assert "quantity" not in said["visits"]
    assert any("minutes" in note and "seconds" in note for note in guess.to_check(drawn.data))


def test_what_is_known_only_when_a_ticket_closes_is_not_said_of_its_opening():
    said = sources(ACCOUNTS, TICKETS)
    assert said["support_tickets"]["occurred_at"] == "submitted_at"
    assert said["support_tickets_closed"]["occurred_at"] == "closed_at"
    assert said["support_tickets_closed"]["event_types"]["closed"] == {"role": "complaint", "state": "closed"}
    assert "hours" not in str(said)
    assert "score" not in str(said)


def test_a_table_without_customers_finds_them_where_its_key_stands_once():
    said = sources(SUBSCRIPTIONS, USAGE)["feature_usage"]
    assert said["customer_id"] == "subscription.account_id"
    assert said["lookups"] == {"subscription": {"files": "data/raw/subscriptions.csv", "key": "subscription_id"}}


def test_contracts_start_end_and_start_again():
    drawn = guess.draft("saas", [SUBSCRIPTIONS])
    said = drawn.values["sources"]
    assert drawn.contract
    assert said["subscriptions_started"]["event_types"] == {"started": {"role": "purchase"}}
    assert said["subscriptions_ended"]["event_types"] == {"ended": {"role": "cancel"}}
    assert said["subscriptions_ended"]["leave_out"]["open"]["when"] == [{"column": "end_date", "blank": True}]
    assert said["subscriptions_resumed"]["event_types"] == {"resumed": {"role": "cancel", "state": "undone"}}


def test_a_table_of_cancellations_takes_the_place_of_contract_ends():
    churned = sample("churn_events", "churn_event_id|account_id|churn_date\nx1|a|2023-04-05\nx2|c|2023-09-07")
    said = sources(SUBSCRIPTIONS, churned)
    assert said["churn_events"]["event_types"] == {"churn_event": {"role": "cancel"}}
    assert "subscriptions_ended" not in said


def test_a_history_of_values_becomes_attributes():
    plans = sample("plans", "customer_id|valid_from|plan\na|2023-01-05|Pro\na|2023-04-05|Basic\nb|2023-02-06|Pro")
    orders = sample("orders", "customer_id|date|amount\na|2023-01-05|3.50\na|2023-02-05|1.25\nb|2023-02-06|2.75")
    said = guess.draft("shop", [plans, orders]).values["attributes"]["plans"]
    assert said["valid_from"] == "valid_from"
    assert said["columns"] == {"plan": "plan"}


def test_one_row_a_customer_is_how_customers_are_today():
    accounts, _ = found([ACCOUNTS, TICKETS])
    assert accounts.kind == STATES


def test_rows_without_a_customer_are_left_out_with_room_for_a_third_more():
    lines = "\n".join(
        f"{'' if n % 4 == 0 else n % 7}|2023-01-{1 + n % 28:02d} 10:{n % 60:02d}|1.50" for n in range(400)
    )
    said = sources(sample("orders", f"customer|date|amount\n{lines}"))["orders"]
    assert said["leave_out"] == {"anonymous": {"when": [{"column": "customer", "blank": True}], "most": 0.34}}


def test_negative_pieces_are_purchases_that_came_back():
    said = sources(
        sample("sales", "client|day|qty|unit_price\na|2023-01-05|2|1.50\na|2023-01-06|-1|1.50\nb|2023-01-07|1|2.5")
    )["sales"]
    assert said["amount"] == {"product": ["qty", "unit_price"]}
    assert said["event_types"]["returned"] == {
        "role": "purchase", "state": "returned", "when": [{"column": "qty", "below": 0}],
    }  # fmt: skip


def test_equal_rows_are_different_events_only_where_no_clock_tells_them_apart():
    dates = sample("orders", "customer|date|amount\na|2023-01-05|2.50\na|2023-01-05|2.50\nb|2023-01-07|1.5")
    clock = sample("orders", "customer|date|amount\na|2023-01-05 10:00|2.5\na|2023-01-05 10:00|2.5\nb|2023-01-07|1")
    assert sources(dates)["orders"]["equal_rows"] == "separate"
    assert "equal_rows" not in sources(clock)["orders"]


def test_a_kind_of_event_that_is_rare_and_unknown_is_not_declared():
    lines = "\n".join(f"c{n % 9}|2023-01-{1 + n % 28:02d}|{'refund' if n % 5 == 0 else 'order'}" for n in range(3000))
    said = sources(sample("rows", f"customer|date|type\n{lines}\nc1|2023-01-01|zzz"))["rows"]
    assert said["event_type"] == "type"
    assert said["event_types"] == {"order": {"role": "purchase"}, "refund": {"role": "purchase", "state": "returned"}}


# ---- times


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["31/12/2023", "01/02/2024"], "%d/%m/%Y"),
        (["12/31/2023", "01/02/2024"], "%m/%d/%Y"),
        (["31.12.23", "01.02.24"], "%d.%m.%y"),
        (["2023/12/31 08:05", "2024/01/02 9:30"], "%Y/%m/%d %H:%M"),
        (["12/31/2023 1:05 PM", "01/02/2024 9:30 AM"], "%m/%d/%Y %I:%M %p"),
        (["2024-01-02T10:00:00+01:00", "2024-01-02T10:00:00Z"], "iso"),
        (["2024-W01", "2024-W52"], "%G-W%V"),
        (["2024-01", "2024-12"], "%Y-%m"),
        (["2024年1月2日", "2024年12月31日"], "%Y年%m月%d日"),
        (["20240131", "20231231"], "%Y%m%d"),
        (["1704067200", "1735689600"], "epoch_s"),
        (["1704067200000", "1735689600000"], "epoch_ms"),
        (["0", "17", "412"], "day_number"),
    ],
)
def test_the_format_is_the_one_that_reads_all_values(values, form):
    time = guessed("date", pa.array(values))
    assert time is not None
    assert time.format == form
    assert time.readable.all()


@pytest.mark.parametrize("values", [["red", "blue"], ["1.5", "2.5"], ["2024-13-45", "2024-99-01"], [None, None]])
def test_what_is_no_time_is_taken_for_none(values):
    assert guessed("date", pa.array(values, pa.string())) is None


def test_a_birthday_is_no_time_of_an_event():
    assert guessed("date_of_birth", pa.array(["1990-01-31", "1985-12-01"])) is None


def test_the_same_dates_with_day_and_month_in_doubt_are_to_be_checked():
    time = guessed("date", pa.array(["01/02/2024", "03/04/2024"]))
    assert time is not None
    assert "%d/%m/%Y or %m/%d/%Y?" in str(time.doubt)


# ---- layout


@pytest.mark.parametrize(
    ("text", "encoding", "delimiter", "header"),
    [
        ("id,date\n1,2024-01-01\n2,2024-01-02\n3,x\n", "utf-8", ",", True),
        ("1\t2024-01-01\t2.5\n2\t2024-01-02\t3.5\n", "utf-8", "\t", False),
        ("a;b\n1,5;x\n2,5;y\n", "utf-8", ";", True),
        ("客户;金额\n甲乙;1\n丙丁;2\n", "gb18030", ";", True),
        ("Kunde|Größe\nMüller|1\nJäger|2\n", "cp1252", "|", True),
        ("a,b\n1,2\n", "utf-16", ",", True),
        ("customer,2023-01,2023-02\na,1,2\nb,0,4\n", "utf-8", ",", True),
    ],
)
def test_the_layout_is_read_off_the_first_bytes(text, encoding, delimiter, header):
    seen = layout(text.encode(encoding))
    assert (seen.encoding, seen.delimiter, not seen.header) == (encoding, delimiter, header)


# ---- window and definition


def test_a_last_day_that_ends_early_is_not_complete():
    day, start = DAY_US, instant("2024-01-01", "UTC")
    evening, noon = 20 * day // 24, 12 * day // 24
    times = np.array([start + n * day + evening for n in range(60)] + [start + 60 * day + noon])
    assert timing.window(times, "UTC", None).until == "2024-03-01"
    assert timing.window(times[:-1], "UTC", None).until == "2024-03-01"
    assert timing.window(times[:-1], "UTC", None).since == "2024-01-01"


def test_a_few_events_far_from_all_others_do_not_stretch_the_window():
    start = instant("2024-01-01", "UTC")
    times = np.array([start + n * DAY_US // 40 for n in range(4000)] + [instant("2031-01-01", "UTC")])
    assert timing.window(times, "UTC", None).until == "2024-04-10"


def test_the_window_of_weekly_sums_ends_with_the_last_week():
    times = np.array([instant("2024-01-01", "UTC") + 7 * n * DAY_US for n in range(10)])
    assert timing.window(times, "UTC", 7).until == "2024-03-11"


# ---- words and text


@pytest.mark.parametrize(
    ("name", "known", "there"),
    [
        ("CustomerID", words.CUSTOMER, True),
        ("客户ID", words.CUSTOMER, True),
        ("paid", words.CUSTOMER, False),
        ("orders", words.ROLES["purchase"], True),
        ("border", words.ROLES["purchase"], False),
    ],
)
def test_words_are_whole_words(name, known, there):
    assert words.has(name, known) is there


@pytest.mark.parametrize(
    "value", ["NO", "12:30", "a: b", "1", "0012", "", "金额", "%d/%m/%Y", "null", "#x", "it's", "*"]
)
def test_texts_are_read_back_as_they_are(value, tmp_path):
    from churn.shell.config import load

    path = tmp_path / "x.yaml"
    written = (tree.entry("plain", value, "a note"), tree.entry("inside", (tree.entry("list", [value, {value: 1}]),)))
    path.write_text(tree.text(written), encoding="utf-8")
    assert load(path).values == {"plain": value, "inside": {"list": [value, {value: 1}]}}


def test_a_table_with_a_column_for_each_month_is_told_to_be_turned():
    wide = sample("usage", "customer_id|2024-01|2024-02|2024-03\na|1|2|3\nb|4|5|6")
    with pytest.raises(ContractFault, match=r"3 columns are named by times \(2024-01 to 2024-03\): write one row"):
        guess.draft("shop", [wide])


def money(*written: str) -> guess.Draft:
    """A draft of orders whose totals are written so."""
    rows = "\n".join(f"{'ab'[n % 2]}|2023-01-{n % 28 + 1:02d}|{text}" for n, text in enumerate(written))
    return guess.draft("shop", [sample("orders", f"customer|date|total\n{rows}")])


@pytest.mark.parametrize(
    ("written", "currency", "keys"),
    [
        ("$1,234.50 $2,000.00 $7", "USD", {"thousands": ",", "currency_signs": ["$"]}),
        ("$12.50 $2.00", "USD", {"currency_signs": ["$"]}),
        ("1.234,50_€ 7,00_€", "EUR", {"decimal": ",", "thousands": ".", "currency_signs": ["€"]}),
        ("1.234_€ 700_€", "EUR", {"decimal": ",", "thousands": ".", "currency_signs": ["€"]}),
        ("¥1200 ¥980", "JPY", {"currency_signs": ["¥"]}),
        ("¥1,200 ¥980", "JPY", {"thousands": ",", "currency_signs": ["¥"]}),
        ("CHF_1'234.50 CHF_5.00", "CHF", {"thousands": "'", "currency_signs": ["CHF"]}),
        ("₹12,34,567.89 ₹1,23,456.00 ₹560.50", "INR", {"thousands": ",", "currency_signs": ["₹"]}),
        ("Rs._12,34,567.89 Rs._560.50", "INR", {"thousands": ",", "currency_signs": ["Rs."]}),
        ("1,23,456 560", "XXX", {"thousands": ","}),
        ("1_234,50 17,25", "XXX", {"decimal": ",", "thousands": " "}),
        ("1,234.50 17.25", "XXX", {"thousands": ","}),
        ("12,50 17,25", "XXX", {"decimal": ","}),
        ("12.50 17.25", "XXX", {}),
        ("1.234 5.678", "XXX", {}),
    ],
)
def test_money_is_read_as_the_whole_column_writes_it(written, currency, keys):
    drawn = money(*written.replace("_", "\u00a0").split(" "))
    said = drawn.values["sources"]["orders"]
    assert said["amount"] == "total"
    assert {key: said[key] for key in ("decimal", "thousands", "currency_signs") if key in said} == keys
    assert drawn.values["currency"] == currency
    notes = [note for e in drawn.data if e.key == "sources" for k in e.value[0].value for note in k.notes]
    assert bool(keys) == any("values of total" in note for note in notes)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (("$1,234.50", "€2,000.00"), "amounts have the signs $, €; a data set has one currency"),
        (("KWD 1.234", "KWD 5.678", "KWD 7"), "they can be read in several ways"),
    ],
)
def test_money_that_nobody_can_read_for_sure_is_left_out_and_told(written, why):
    drawn = money(*written)
    assert "amount" not in drawn.values["sources"]["orders"]
    told = " ".join(guess.to_check(drawn.data))
    assert f"total holds no plain numbers ({written[0]}): {why}" in told


@pytest.mark.parametrize("mark", [",", "."])
def test_numbers_with_three_digits_behind_each_mark_and_some_without_one_are_thousands(mark):
    written = [f"{n}{mark}{n * 7:03d}" for n in range(1, 31)]
    said = money(*written, "560", "75")
    assert said.values["sources"]["orders"]["thousands"] == mark
    assert any("taken to divide thousands" in note for note in guess.to_check(said.data))
    few = money(*written[:29], "560", "75").values["sources"]["orders"]
    assert "thousands" not in few
    decimals = money(*written, "560", f"7{mark}5").values["sources"]["orders"]
    assert "thousands" not in decimals


@pytest.mark.parametrize("million", ["1,234,567", "12,34,567"])
def test_one_number_with_two_marks_shows_that_the_mark_divides_thousands(million):
    """Among a hundred numbers with one mark it was taken for a slip, and the others for thousandths."""
    written = [f"{n},{n * 7:03d}" for n in range(1, 101)]
    assert money(*written, million).values["sources"]["orders"]["thousands"] == ","
    assert "thousands" not in money(*written, "7,5", million).values["sources"]["orders"]


def test_few_numbers_with_thousands_among_many_without_are_thousands_all_the_same():
    written = [str(n) for n in range(100, 999)] * 3
    said = money(*written, *(f"{n},{n * 7:03d}" for n in range(1, 31))).values["sources"]["orders"]
    assert said["thousands"] == ","


def test_a_slip_in_a_column_of_money_does_not_change_how_it_is_read():
    written = [f"${n},000.50" for n in range(1, 100)]
    said = money(*written, "on request").values["sources"]["orders"]
    assert said["thousands"] == ","
    assert said["currency_signs"] == ["$"]


@pytest.mark.parametrize(
    ("header", "rows", "amount"),
    [
        ("amount_cents", ("1250", "700"), {"column": "amount_cents", "divided_by": 100}),
        ("charge_pence", ("1250", "700"), {"column": "charge_pence", "divided_by": 100}),
        ("金额(分)", ("1250", "700"), {"column": "金额(分)", "divided_by": 100}),
        ("unit_price_minor|qty", ("1250|2", "700|1"), {"product": ["qty", "unit_price_minor"], "divided_by": 100}),
        ("amount_cents", ("12.50", "7.00"), "amount_cents"),
        ("amount", ("1250", "700"), "amount"),
    ],
)
def test_cents_are_divided_where_the_name_says_so_and_a_person_is_asked(header, rows, amount):
    table = f"customer|date|{header}\na|2023-01-05|{rows[0]}\nb|2023-01-06|{rows[1]}"
    drawn = guess.draft("shop", [sample("orders", table)])
    assert drawn.values["sources"]["orders"]["amount"] == amount
    assert any("hundredths" in note for note in guess.to_check(drawn.data)) == (header != "amount")


def test_discounts_in_cents_are_divided_as_well():
    table = "customer|date|total_cents|discount_cents\na|2023-01-05|1250|100\nb|2023-01-06|700|0"
    said = guess.draft("shop", [sample("orders", table)]).values["sources"]["orders"]
    assert said["amount"] == {"column": "total_cents", "divided_by": 100}
    assert said["discount"] == {"column": "discount_cents", "divided_by": 100}


def test_codes_of_things_are_no_money():
    flights = sample("flights", "customer|date|flight\na|2023-01-05|LHR 123\nb|2023-01-06|JFK 7\nb|2023-01-09|LHR 123")
    said = guess.draft("shop", [flights]).values["sources"]["flights"]
    assert "amount" not in said
    assert "currency_signs" not in said

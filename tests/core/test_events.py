"""Rows become events or are rejected, each for itself, with the reason."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from churn.core.dataset import Attributes, EventType, Id, LeaveOut, Noun, Number, Source, Text, Time, When, dataset
from churn.core.events import checked, reconciliation
from churn.core.events.instants import instants
from churn.core.events.written import whole_units
from churn.words.errors import ContractFault, Fault, NotEnoughData
from churn.words.quarantine import in_words
from churn.words.tables import QUARANTINE
from churn.words.windows import instant

ROOT = Path(__file__).parents[2]
WITH_REASONS = ("core/events/fields.py", "shell/engine/formats.py")
PURCHASE = {"order": EventType("purchase")}


def world(attributes: dict[str, Attributes] | None = None, **source: Any) -> Any:
    """A data set of one source in Berlin, complete in the year 2024."""
    given = {"files": "x.csv", "customer_id": "id", "occurred_at": "at", "event_types": PURCHASE, **source}
    return dataset(
        name="shop",
        time_zone="Europe/Berlin",
        observed_from="2024-01-01",
        observed_until="2025-01-01",
        currency="EUR",
        nouns={"purchase": Noun("order", "orders", "订单")},
        sources={"orders": Source(**given)},
        attributes=attributes or {},
    )


def rows(text: str) -> pa.Table:
    """A text table as rows of a CSV file: all texts, blank is null; the first row stands in line 2."""
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    columns = {name: pa.array([line[i] or None for line in lines], pa.string()) for i, name in enumerate(head)}
    return pa.table({"_line": pa.array(range(2, len(lines) + 2), pa.int64()), **columns})


def check(data: Any, table: pa.Table, name: str = "orders") -> Any:
    return checked(table, data, name=name, file="x.csv")


def reasons(result: Any) -> dict[int, str]:
    return dict(zip(result.rejected["line"].to_pylist(), result.rejected["reason"].to_pylist(), strict=True))


def us(*texts: str, zone: str = "Europe/Berlin", **time: Any) -> Any:
    return instants(pa.array(texts, pa.string()), Time("at", **time), zone)


# ---- time


def test_a_local_time_becomes_the_instant_of_the_declared_zone() -> None:
    found = us(
        "2024-07-01 12:00", "2024-01-15T12:00:00.5", "2024-01-15 12:00Z", "2024-01-15 12:00:00+02:00", "2024-01-15"
    )
    wanted = ["2024-07-01T10:00", "2024-01-15T11:00:00.5", "2024-01-15T12:00", "2024-01-15T10:00", "2024-01-14T23:00"]
    assert found.us.tolist() == [instant(t, "UTC") for t in wanted]
    assert not found.unreadable.any()


def test_a_skipped_hour_shifts_forward_and_of_a_repeated_hour_the_first_is_taken() -> None:
    found = us("2024-03-31 01:59", "2024-03-31 02:30", "2024-03-31 03:00", "2024-10-27 02:30", "2024-10-27 03:00")
    wanted = ["2024-03-31T00:59", "2024-03-31T01:00", "2024-03-31T01:00", "2024-10-27T00:30", "2024-10-27T02:00"]
    assert found.us.tolist() == [instant(t, "UTC") for t in wanted]
    assert found.in_gap.tolist() == [False, True, False, False, False]
    assert found.in_overlap.tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Tokyo", "UTC"])
def test_every_hour_of_a_year_agrees_with_python(zone: str) -> None:
    hours = np.arange("2024-01-01", "2025-01-01", dtype="datetime64[h]").astype(str)
    found = us(*[h.replace("T", " ") + ":15" for h in hours], zone=zone)
    python = np.array([instant(f"{h}:15", zone) for h in hours])
    plain = ~found.in_gap
    assert (found.us[plain] == python[plain]).all()


@pytest.mark.parametrize(
    ("written", "declared", "iso"),
    [
        ("31/01/2024 23:05", "%d/%m/%Y %H:%M", "2024-01-31T23:05"),
        ("1/2/2024 3:05 PM", "%m/%d/%Y %I:%M %p", "2024-01-02T15:05"),
        ("1/2/2024 12:05 AM", "%m/%d/%Y %I:%M %p", "2024-01-02T00:05"),
        ("20240229", "%Y%m%d", "2024-02-29"),
        ("24.12.31 10:00:01.25", "%y.%m.%d %H:%M:%S.%f", "2024-12-31T10:00:01.25"),
        ("1704067200", "epoch_s", "2024-01-01T00:00+00:00"),
        ("1704067200123", "epoch_ms", "2024-01-01T00:00:00.123+00:00"),
    ],
)
def test_declared_formats_are_read_as_declared(written: str, declared: str, iso: str) -> None:
    assert us(written, format=declared).us.tolist() == [instant(iso, "Europe/Berlin")]


@pytest.mark.parametrize(
    "written", ["2024-02-30", "2023-02-29", "2024-13-01", "2024-01-01 24:00", "01/02/2024", "2024-01-01x", "today"]
)
def test_a_date_that_does_not_exist_is_unreadable(written: str) -> None:
    assert us(written).unreadable.tolist() == [True]


def test_the_wrong_unit_of_an_epoch_is_out_of_range() -> None:
    assert us("1704067200123", format="epoch_s").out_of_range.tolist() == [True]
    assert us("1704067200", format="epoch_ms").out_of_range.tolist() == [True]
    assert us("9999-12-31").out_of_range.tolist() == [True]


def test_timestamps_of_any_unit_and_zone_are_the_same_instant() -> None:
    base = instant("2024-07-01T10:00", "UTC")
    naive = pa.array([base + 7_200_000_000]).cast(pa.timestamp("us"))
    for array in (
        naive,
        naive.cast(pa.timestamp("ns")),
        naive.cast(pa.timestamp("s")),
        pa.array([base]).cast(pa.timestamp("us", "UTC")),
    ):
        assert instants(array, Time("at"), "Europe/Berlin").us.tolist() == [base]


def test_whole_numbers_are_no_time_unless_declared() -> None:
    with pytest.raises(ContractFault, match="format: epoch_s"):
        instants(pa.array([1704067200]), Time("at"), "UTC")


def test_events_outside_the_observed_window_are_counted_and_the_window_is_half_open() -> None:
    result = check(world(), rows("id|at\na|2023-12-31 23:59:59\nb|2024-01-01\nc|2024-12-31 23:59:59\nd|2025-01-01"))
    assert result.valid["customer_id"].to_pylist() == ["b", "c"]
    assert result.counts["out_of_window"] == 1 + 1


def test_an_event_recorded_before_it_occurred_is_rejected_beyond_the_tolerance() -> None:
    data = world(recorded_at="entered", clock_skew_seconds=60)
    result = check(
        data, rows("id|at|entered\na|2024-05-01 12:00|2024-05-01 11:59\nb|2024-05-01 12:00|2024-05-01 11:58:59")
    )
    assert reasons(result) == {3: "recorded_before_occurred"}
    assert result.valid["recorded_at"].to_pylist() == result.valid["occurred_at"].to_pylist()
    assert result.counts["clock_skew"] == 1


# ---- ids


def test_ids_stay_exactly_as_written_but_for_blanks_around_and_unicode_form() -> None:
    result = check(
        world(), rows("id|at\n007|2024-05-01\nNA|2024-05-01\n 9007199254740993 |2024-05-01\ne\u0301|2024-05-01")
    )
    assert result.valid["customer_id"].to_pylist() == ["007", "NA", "9007199254740993", "\u00e9"]


def test_only_declared_tokens_are_null() -> None:
    result = check(world(null_tokens=("NULL",)), rows("id|at\nNA|2024-05-01\nNULL|2024-05-01\n|2024-05-01"))
    assert result.valid["customer_id"].to_pylist() == ["NA"]
    assert reasons(result) == {3: "customer_id_blank", 4: "customer_id_blank"}


def test_ids_as_floating_point_need_a_declared_rule() -> None:
    table = pa.table({"_line": [1, 2, 3], "id": [17850.0, None, 1.5], "at": ["2024-05-01"] * 3})
    with pytest.raises(ContractFault, match="written_as: whole_number"):
        check(world(), table)
    result = check(world(customer_id=Id("id", "whole_number")), table)
    assert result.valid["customer_id"].to_pylist() == ["17850"]
    assert reasons(result) == {2: "customer_id_blank", 3: "customer_id_not_whole"}


def test_whole_number_ids_beyond_what_floating_point_holds_are_rejected() -> None:
    table = pa.table({"_line": [1, 2], "id": [float(2**53 - 1), float(2**53)], "at": ["2024-05-01"] * 2})
    result = check(world(customer_id=Id("id", "whole_number")), table)
    assert result.valid["customer_id"].to_pylist() == [str(2**53 - 1)]


def test_an_id_with_a_line_end_inside_is_rejected() -> None:
    table = pa.table({"_line": [1], "id": ["a\nb"], "at": ["2024-05-01"]})
    assert reasons(check(world(), table)) == {1: "customer_id_control_character"}


# ---- numbers


def test_money_is_rounded_half_away_from_zero_in_hundredths() -> None:
    assert whole_units(np.array([1.005, -1.005, 2.675, 0.1 + 0.2, 17850.0]), 100).tolist() == [
        101,
        -101,
        268,
        30,
        1785000,
    ]


def test_amounts_are_products_and_sums_of_columns() -> None:
    data = world(amount=Number(product=("n", "price")), discount=Number(sum=("d1", "d2")), quantity="n")
    result = check(
        data, rows("id|at|n|price|d1|d2\na|2024-05-01|6|2.55|0.1|0.2\nb|2024-05-01|-2|1.5||0.5\nc|2024-05-01||1||")
    )
    assert result.valid["amount_minor"].to_pylist() == [1530, -300, None]
    assert result.valid["discount_minor"].to_pylist() == [10 + 20, 50, None]
    assert result.valid["quantity_milli"].to_pylist() == [6000, -2000, None]


def test_cents_become_the_amounts_that_they_are_to_the_cent() -> None:
    data = world(
        amount=Number("cents", divided_by=100),
        discount=Number(sum=("d1", "d2"), divided_by=100),
        quantity=Number("n", divided_by=1000),
    )
    table = rows(
        "id|at|n|cents|d1|d2\na|2024-05-01|6|2999|10|20\nb|2024-05-01|-2000|-1|3|\nc|2024-05-01||99999999999|0|\n"
        "d|2024-05-01|7|x||"
    )
    result = check(data, table)
    assert result.valid["amount_minor"].to_pylist() == [2999, -1, 99999999999]
    assert result.valid["discount_minor"].to_pylist() == [10 + 20, 3, 0]
    assert result.valid["quantity_milli"].to_pylist() == [6, -2000, None]
    assert reasons(result) == {5: "amount_unreadable"}
    priced = check(world(amount=Number(product=("n", "cents"), divided_by=100)), table)
    assert priced.valid["amount_minor"].to_pylist() == [6 * 2999, 2000, None]


def test_numbers_that_are_none_are_rejected_with_their_column() -> None:
    data = world(amount="amount")
    table = rows(
        "id|at|amount\na|2024-05-01|1,5\nb|2024-05-01|nan\nc|2024-05-01|-inf\n"
        "d|2024-05-01|1e308\ne|2024-05-01|$5\nf|2024-05-01|1e2"
    )
    result = check(data, table)
    assert reasons(result) == {
        2: "amount_unreadable",
        3: "amount_not_finite",
        4: "amount_not_finite",
        5: "amount_not_finite",
        6: "amount_unreadable",
    }  # fmt: skip
    assert result.rejected["column"].to_pylist() == ["amount"] * 5
    assert result.valid["amount_minor"].to_pylist() == [10000]
    floats = pa.table({"_line": [1, 2], "id": ["a", "b"], "at": ["2024-05-01"] * 2, "amount": [float("nan"), 2.5]})
    assert reasons(check(data, floats)) == {1: "amount_not_finite"}


def test_a_decimal_comma_is_read_where_declared() -> None:
    result = check(world(amount="amount", decimal=","), rows("id|at|amount\na|2024-05-01|1,5"))
    assert result.valid["amount_minor"].to_pylist() == [150]


# ---- types, texts, rules


def test_types_follow_from_values_or_from_a_column() -> None:
    returned = EventType("purchase", "returned", (When("number", starts_with="C"), When("n", below=0)))
    data = world(event_types={"order": EventType("purchase"), "back": returned})
    result = check(data, rows("id|at|number|n\na|2024-05-01|1|2\nb|2024-05-01|C2|2\nc|2024-05-01|3|-1"))
    assert [data.kinds[k] for k in result.valid["kind"].to_pylist()] == [
        ("order", "purchase", "made"), ("back", "purchase", "returned"), ("back", "purchase", "returned"),
    ]  # fmt: skip
    data = world(
        event_type="what",
        event_types={"in": EventType("contact", "by_customer"), "out": EventType("contact", "by_company")},
    )
    result = check(data, rows("id|at|what\na|2024-05-01|out\nb|2024-05-01|sideways\nc|2024-05-01|"))
    assert [data.kinds[k][2] for k in result.valid["kind"].to_pylist()] == ["by_company"]
    assert reasons(result) == {3: "event_type_unknown", 4: "event_type_unknown"}


def test_texts_are_columns_or_constants() -> None:
    result = check(
        world(channel=Text(constant="web"), category="group"), rows("id|at|group\na|2024-05-01| toys \nb|2024-05-01|")
    )
    assert result.valid["channel"].to_pylist() == ["web", "web"]
    assert result.valid["category"].to_pylist() == ["toys", None]


def test_declared_rows_are_left_out_under_their_own_reason() -> None:
    data = world(
        leave_out={
            "anonymous": LeaveOut((When("id", blank=True),), 0.5),
            "test": LeaveOut((When("id", equals=("T1", "T2")),), 0.5),
        }
    )
    result = check(data, rows("id|at\n|2024-05-01\nT2|2024-05-01\na|2024-05-01"))
    assert reasons(result) == {2: "left_out_anonymous", 3: "left_out_test"}


def test_a_rejected_row_is_kept_as_it_was_read() -> None:
    table = pa.table({"_line": [7], "id": [None], "at": ['say "hi"\n\\'], "n": [3], "x": [2.0]}).set_column(
        1, "id", pa.array([None], pa.string())
    )
    result = check(world(), table)
    assert QUARANTINE.check(result.rejected).num_rows == 1
    assert json.loads(result.rejected["raw"][0].as_py()) == {"id": None, "at": 'say "hi"\n\\', "n": "3", "x": "2"}


def test_the_id_of_several_columns_cannot_be_reached_by_other_values() -> None:
    data = world(event_id=("a", "b"))
    result = check(data, rows("id|at|a|b\nx|2024-05-01|1/|2\nx|2024-05-01|1|/2\nx|2024-05-01||2"))
    first, second = result.valid["event_id"].to_pylist()
    assert first != second
    assert reasons(result) == {4: "event_id_blank"}


def test_rows_without_an_id_are_equal_when_all_their_columns_are() -> None:
    table = rows("id|at|amount|note\na|2024-05-01|1.0|x\na|2024-05-01|1|x\na|2024-05-01|1|y")
    one, same, other = check(world(amount="amount"), table).valid["identity"].to_pylist()
    assert one == same != other


def test_checking_in_parts_gives_the_same_as_checking_at_once() -> None:
    table = rows("id|at\n" + "\n".join(f"{i % 7 or ''}|2024-0{i % 9 + 1}-3{i % 3}" for i in range(50)))
    whole = check(world(), table)
    parts = [check(world(), table.slice(i, 7)) for i in range(0, 50, 7)]
    assert pa.concat_tables([p.valid for p in parts]).equals(whole.valid)
    assert pa.concat_tables([p.rejected for p in parts]).equals(whole.rejected)


def test_no_row_at_all_is_no_event() -> None:
    result = check(world(amount="amount"), rows("id|at|amount\na|2024-05-01|1").slice(0, 0))
    assert result.valid.num_rows == result.rejected.num_rows == 0


def test_attributes_are_one_row_a_value_and_blanks_say_nothing() -> None:
    said = Attributes("y.csv", "id", "since", {"plan": "tier", "country": "land"})
    result = check(
        world({"accounts": said}),
        rows("id|since|tier|land\na|2020-01-01|gold|NA\nb|2024-02-01||DE\nc|2025-01-01|x|y"),
        "accounts",
    )
    assert list(zip(*[result.valid[c].to_pylist() for c in ("customer_id", "name", "value")], strict=True)) == [
        ("a", "plan", "gold"), ("a", "country", "NA"), ("b", "country", "DE"),
    ]  # fmt: skip
    assert result.counts["kept"] == 2
    assert result.counts["out_of_window"] == 1


# ---- the account


def count(**changed: Any) -> dict[str, dict[str, Any]]:
    return {
        "orders": {
            "rows": 1000,
            "kept": 1000,
            "duplicates": 0,
            "quarantined": {},
            "out_of_window": 0,
            "events": 900,
            **changed,
        }
    }


def test_rows_that_nobody_accounts_for_are_a_bug() -> None:
    with pytest.raises(
        Fault, match=r"1000 rows were read, but 998 kept \+ 1 duplicates \+ 0 quarantined \+ 0 out_of_window"
    ):
        reconciliation(world(), count(kept=998, duplicates=1))


def test_limits_of_rejected_rows_pass_warn_and_stop() -> None:
    def bad(n: int) -> dict[str, Any]:
        return reconciliation(world(), count(kept=1000 - n, quarantined={"amount_unreadable": n}))

    assert bad(1)["warnings"] == []
    assert "rows break the data contract (amount not written as declared: 10)" in bad(10)["warnings"][0]
    assert "kept in data/quarantine.parquet as amount_unreadable" in bad(10)["warnings"][0]
    assert "10 of 1,000 rows (1.00%)" in bad(10)["warnings"][0]
    with pytest.raises(ContractFault, match=r"11 of 1,000 rows \(1.10%\)"):
        bad(11)


def test_left_out_rows_have_a_limit_of_their_own() -> None:
    data = world(leave_out={"anonymous": LeaveOut((When("id", blank=True),), 0.35)})
    fine = count(kept=650, quarantined={"left_out_anonymous": 350})
    assert reconciliation(data, fine)["warnings"] == []
    assert reconciliation(data, fine)["total"]["quarantined"] == 350
    with pytest.raises(ContractFault, match=r"35.1%"):
        reconciliation(data, count(kept=649, quarantined={"left_out_anonymous": 351}))


def test_no_event_at_all_is_not_enough() -> None:
    with pytest.raises(NotEnoughData, match="1,000 out of the window"):
        reconciliation(world(), count(kept=0, out_of_window=1000, events=0))


def test_the_data_contract_explains_every_reason() -> None:
    """Reasons as they stand in the code: `FIELD_rule`, and those of lines that cannot be read."""
    document = (ROOT / "docs/data_contract.md").read_text(encoding="utf-8")
    code = "".join((ROOT / f"src/churn/{path}").read_text(encoding="utf-8") for path in WITH_REASONS)
    parts = set(re.findall(r'"(?:\{field\})?_?([a-z_]+_(?:blank|character|whole|occurred|unknown))"', code))
    parts |= set(re.findall(r'f"\{field\}(_[a-z_]+)"', code)) | set(
        re.findall(r'": "([a-z_0-9]+)",$', code, re.MULTILINE)
    )
    assert {"_unreadable", "customer_id_blank", "not_utf8", "recorded_before_occurred"} <= parts
    assert {part for part in parts if part not in document} == set()


def test_every_reason_of_the_document_has_words_in_both_languages() -> None:
    document = (ROOT / "docs/data_contract.md").read_text(encoding="utf-8")
    table = document.split("| reason | rule |")[1].split("\n\n")[0]
    codes = {code for row in table.splitlines() for code in re.findall(r"`(\w+)`", row.split("|")[1] if row else "")}
    assert {"not_utf8", "left_out_NAME", "merge_by_blank"} <= codes
    said = {code: in_words(code) for code in codes}
    assert {
        code for code, words in said.items() if words["en"] == code or not re.search("[一-鿿]", words["zh"])
    } == set()
    assert len({words["en"] for words in said.values()}) == len({words["zh"] for words in said.values()}) == len(codes)

"""The declared data set: what it accepts, and what it says about what it refuses."""

import json
import re
from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from churn.core.dataset import Attributes, EventType, Id, LeaveOut, Lookup, Noun, Number, Source, Time, When, dataset
from churn.words.errors import ConfigFault
from churn.words.tables import ROLES
from churn.words.windows import instant

ORDERS: dict[str, Any] = {
    "files": "data/raw/orders.csv",
    "customer_id": "customer",
    "occurred_at": "time",
    "event_types": {"order": EventType("purchase")},
}


def declared(*, source: dict[str, Any] | None = None, **changed: Any) -> Any:
    given: dict[str, Any] = {
        "name": "shop",
        "time_zone": "Europe/Berlin",
        "observed_from": "2024-01-01",
        "observed_until": "2024-07-01",
        "currency": "EUR",
        "nouns": {"purchase": Noun("order", "orders", "订单")},
        "sources": {"orders": Source(**{**ORDERS, **(source or {})})},
        "attributes": {},
    }
    return dataset(**{**given, **changed})


def test_the_window_is_local_midnight_in_the_business_zone() -> None:
    made = declared()
    assert made.observed_from == instant("2023-12-31T23:00", "UTC")
    assert made.observed_until == instant("2024-06-30T22:00", "UTC")


def test_a_type_without_a_state_has_the_first_one_of_its_role() -> None:
    assert declared().kinds == (("order", "purchase", "made"),)


def test_every_column_that_is_read_is_named_once() -> None:
    source = Source(
        **{**ORDERS, "event_types": {"back": EventType("purchase", "returned", (When("number", starts_with="C"),))}},
        recorded_at=Time("entered"),
        amount=Number(product=("pieces", "price")),
        quantity="pieces",
        category="products.group",
        event_id=("number", "line"),
        merge_by="number",
        lookups={"products": Lookup("data/raw/products.csv", key="product")},
        leave_out={"test": LeaveOut((When("customer", equals=("TEST",)),), most=0.1)},
    )
    assert sorted(source.reads) == sorted(
        ["customer", "time", "entered", "pieces", "price", "products.group", "number", "line", "product"]
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time_zone": "Berlin"}, "data.time_zone is 'Berlin', which is no time zone"),
        ({"observed_until": "2024-01-01"}, r"data.observed_from \(2024-01-01\) must lie before"),
        ({"observed_from": "1.1.2024"}, "'1.1.2024' is not a date or time"),
        ({"nouns": {"purchases": Noun("a", "b", "c")}}, "did you mean purchase"),
        (
            {"source": {"event_types": {"order": EventType("buy")}}},
            "data.sources.orders.event_types.order.role is 'buy'",
        ),
        ({"source": {"event_types": {"order": EventType("purchase", "done")}}}, "must be one of made, returned"),
        (
            {"source": {"event_types": {"a": EventType("usage"), "b": EventType("usage")}}},
            "a, b all apply to every row",
        ),
        ({"source": {"occurred_at": Time("time", format="%d %B %Y")}}, "format is '%d %B %Y'; it is iso, epoch_s"),
        ({"source": {"occurred_at": Time("time", time_zone="CEST!")}}, "occurred_at.time_zone is 'CEST!'"),
        ({"source": {"occurred_at": Time()}}, "must name either a `column` or a `constant`"),
        ({"source": {"amount": Number("a", sum=("b",))}}, "orders.amount must have only one of"),
        ({"source": {"amount": Number(constant=5.0, divided_by=100)}}, "amount.divided_by divides what columns say"),
        (
            {"source": {"category": "product.group", "lookups": {"products": Lookup("x.csv", "p")}}},
            "uses product.group",
        ),
        ({"source": {"leave_out": {"x": LeaveOut((When("a"),), 0.1)}}}, "must have exactly one of equals"),
        ({"source": {"merge_by": "number", "text": "words"}}, "merged lines have no words"),
        ({"source": {"equal_rows": "separate", "event_id": "number"}}, "with `event_id`, equal rows are one event"),
        ({"source": {"thousands": "."}}, "thousands is '.', and so is the decimal mark"),
        ({"source": {"currency_signs": ("$", "5")}}, "currency_signs holds '5'; write what stands beside"),
        ({"source": {"delimiter": "::"}}, "delimiter must be one character"),
        ({"attributes": {"orders": Attributes("x.csv", "c", "t", {"plan": "plan"})}}, "has the name of a source"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_key(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigFault, match=said):
        declared(**changed)


USE: dict[str, Any] = ORDERS | {"event_types": {"session": EventType("usage")}}


def test_the_unit_of_use_is_the_one_that_every_source_of_it_declares() -> None:
    def unit(*quantities: Any) -> str:
        sources = {f"s{place}": Source(**USE, quantity=quantity) for place, quantity in enumerate(quantities)}
        return str(declared(sources=sources | {"orders": Source(**ORDERS, quantity="pieces")}).nouns["usage"].unit)

    assert unit(Number("secs", unit="seconds")) == "seconds"
    assert unit(Number("secs", unit="seconds"), Number("more", unit="seconds"), None) == "seconds"
    assert unit(Number("secs", unit="seconds"), "other") == ""
    assert unit("secs") == ""
    with pytest.raises(ConfigFault, match=r"s1\.quantity\.unit is 'minutes', but that of s0 is 'seconds'"):
        unit(Number("secs", unit="seconds"), Number("mins", unit="minutes"))
    with pytest.raises(ConfigFault, match=r"orders\.amount\.unit: a unit is said of the quantity of use only"):
        declared(source={"amount": Number("paid", unit="seconds")})


def test_short_and_long_form_of_an_id_mean_the_same() -> None:
    assert Source(**ORDERS).reads == Source(**{**ORDERS, "customer_id": Id("customer")}).reads


DOCUMENT = (Path(__file__).parents[2] / "docs/data_contract.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", [Source, Attributes, Lookup, LeaveOut, EventType, Number, Time, Id, When])
def test_every_key_is_explained_in_the_data_contract(shape: Any) -> None:
    keys = {field.name for field in fields(shape)}
    assert {key for key in keys if not re.search(rf"\b{key}\b", DOCUMENT)} == set()


def test_the_data_contract_names_every_role_and_state() -> None:
    for role, states in ROLES.items():
        assert re.search(rf"\| `{role}` \| " + ", ".join(f"`{state}`" for state in states), DOCUMENT)


def test_the_example_of_the_data_contract_is_a_data_set() -> None:
    example = yaml.safe_load(DOCUMENT.split("```yaml")[1].split("```")[0])["data"]
    arguments = {name: parameter.annotation for name, parameter in signature(dataset).parameters.items()}
    made = {name: TypeAdapter(arguments[name]).validate_json(json.dumps(value)) for name, value in example.items()}
    assert dataset(**made).kinds == (("returned", "purchase", "returned"), ("order", "purchase", "made"))

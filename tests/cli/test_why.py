"""`churn why` tells one customer's path from stored tables; its sums are the stored ones."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from churn.cli import app
from churn.cli.path import explained
from churn.shell import store
from churn.words.errors import UsageFault
from churn.words.tables import CONTRIBUTIONS, EVENTS, INSTANT, REASONS, RISK_LIST, SCORES

ROOT = Path(__file__).parents[2]
OLD, NEW = datetime(2017, 12, 18, 5, tzinfo=UTC), datetime(2018, 1, 1, 5, tzinfo=UTC)
"""Midnight in New York, where the households of params.yaml live."""


def event(customer: str, day: int, amount_minor: int | None, recorded: datetime | None = None) -> dict:
    """A basket in December 2017."""
    at = datetime(2017, 12, day, 12, tzinfo=UTC)
    texts = {"event_type": "basket", "role": "purchase", "state": "made", "event_id": f"{customer}-{day}"}
    return {
        "customer_id": customer,
        "occurred_at": at,
        "recorded_at": recorded or at,
        "amount_minor": amount_minor,
    } | texts


def table(declared, rows: list[dict], *further: str) -> pa.Table:
    """Rows as a declared table, with further columns of 64-bit floats; what a row does not say is null."""
    schema = pa.schema([*declared.schema, *(pa.field(name, pa.float64()) for name in further)])
    return pa.Table.from_pylist(rows, schema=pa.schema([f.with_nullable(True) for f in schema])).cast(schema)


@pytest.fixture(autouse=True)
def _world(tmp_path, monkeypatch):
    """Customer 007 bought on two days, and once more in a shop that told us in January; 42 was never eligible."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    rows = [event("007", 3, 1250), event("007", 20, None), event("007", 22, 99, datetime(2018, 1, 2, tzinfo=UTC))]
    store.write("events", table(EVENTS, [*rows, event("42", 5, 100)]))
    keys = {"customer_id": ["007", "007", "008"], "as_of": pa.array([OLD, NEW, NEW], INSTANT)}
    numbers = {"purchases_30d": [1.0, 2.0, 0.0], "days_since_purchase": [15.0, 12.0, float("nan")]}
    store.write("features", pa.table(keys | {name: pa.array(v, pa.float32()) for name, v in numbers.items()}))
    newest = [{"customer_id": "007", "as_of": NEW}, {"customer_id": "008", "as_of": NEW}]
    ends = {"score_low": 0.3, "score_high": 0.9}
    scores = [
        {"margin": -0.5, "score": 0.4, "percentile": 0.0, **ends},
        {"margin": 1.0, "score": 0.8, "percentile": 50.0, **ends},
    ]
    store.write("scores", table(SCORES, [k | s for k, s in zip(newest, scores, strict=True)]))
    shares = [
        {"base": -1.0, "purchases_30d": 0.75, "days_since_purchase": -0.25},
        {"base": -1.0, "purchases_30d": 1.0, "days_since_purchase": 1.0},
    ]
    contributions = [k | s for k, s in zip(newest, shares, strict=True)]
    store.write("contributions", table(CONTRIBUTIONS, contributions, "purchases_30d", "days_since_purchase"))
    said = {"direction": "leaving", "position": 1, "group": "purchase_drop", "contribution": 0.75}
    store.write("reasons", table(REASONS, [newest[0] | said | {"en": "two baskets", "zh": "两次购物"}]))
    money = {"expected_value": 50.0, "value_at_risk": 20.0, "currency": "USD", "model_version": "0123456789ab"}
    money |= {"reason_1_en": "two baskets", "reason_1_zh": "两次购物"}
    listed = [{"rank": n + 1} | k | s | money for n, (k, s) in enumerate(zip(newest[::-1], scores[::-1], strict=True))]
    wanted = [{name: row.get(name) for name in RISK_LIST.schema.names} for row in listed]
    Path("data/risk_list").mkdir()
    pq.write_table(table(RISK_LIST, wanted), "data/risk_list/risk_list.parquet")


def test_base_and_contributions_add_up_to_the_margin_and_the_heaviest_come_first():
    path = explained("007", "", "en")
    assert path["margin"] == -1.0 + 0.75 - 0.25
    assert [(f["name"], f["value"], f["contribution"]) for f in path["features"]] == [
        ("purchases_30d", 2.0, 0.75),
        ("days_since_purchase", 12.0, -0.25),
    ]
    assert path["score"] == 0.4


def test_only_events_known_at_the_as_of_are_told_the_newest_first():
    events = explained("007", "", "en")["events"]
    assert events["known"] == 2
    assert [(e["at"], e["amount"]) for e in events["newest"]] == [
        ("2017-12-20 07:00:00", None),
        ("2017-12-03 07:00:00", 12.5),
    ]


def test_the_place_on_the_list_and_the_reasons_come_with_it():
    path = explained("007", "", "zh")
    assert (path["list"]["rank"], path["list"]["of"], path["list"]["value_at_risk"]) == (2, 2, 20.0)
    assert path["reasons"]["leaving"] == [{"group": "purchase_drop", "contribution": 0.75, "sentence": "两次购物"}]
    assert path["reasons"]["staying"] == []


def test_features_are_told_in_the_words_of_the_data_set():
    assert explained("007", "", "en")["features"][0]["words"] == "baskets in the last 30 days"


def test_an_unknown_customer_gets_the_nearest_ids():
    with pytest.raises(UsageFault, match=r"no customer '7' among 2; did you mean 007"):
        explained("7", "", "en")


def test_a_customer_who_was_never_eligible_is_not_called_unknown():
    with pytest.raises(UsageFault, match=r"customer 42 has 1 events but was not eligible"):
        explained("42", "", "en")


def test_a_date_without_features_names_those_that_there_are():
    with pytest.raises(UsageFault, match=r"no features at 2017-12-25; there are some at 2017-12-18, 2018-01-01"):
        explained("007", "2017-12-25", "en")


def test_the_screen_shows_the_whole_path():
    done = CliRunner().invoke(app, ["why", "007"])
    assert done.exit_code == 0, done.exception
    for line in ("Newest 2 of 2 events", "two baskets", "Probability of leaving: 40.0%", "Rank 2 of 2", "-0.500"):
        assert line in done.output


def test_the_screen_shows_money_with_its_currency():
    """As the list, the page and the reasons do."""
    said = CliRunner().invoke(app, ["why", "007"]).output
    assert "$12.50" in said
    assert "$20.00 at risk" in said


def test_json_is_the_same_path_for_programs():
    done = CliRunner().invoke(app, ["why", "007", "--json"])
    assert json.loads(done.output) == explained("007", "", "en")


def test_a_feature_without_a_value_is_null_in_json_and_not_nan():
    done = CliRunner().invoke(app, ["why", "008", "--json"])
    assert done.exit_code == 0, done.exception
    values = {feature["name"]: feature["value"] for feature in json.loads(done.output)["features"]}
    assert values == {"purchases_30d": 0.0, "days_since_purchase": None}
    assert "NaN" not in done.output

"""Reasons: true sentences about groups of contributions, weightiest first, the same in both languages."""

import itertools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.dataset.nouns import Use
from churn.core.features import GROUPS, catalogue, windows
from churn.core.reasons import reasons
from churn.core.reasons.facts import facts_of
from churn.core.reasons.sentences import SENTENCES
from churn.words.tables import INSTANT, REASONS, ROLES

CATALOGUE = catalogue(windows(windows_days=(7, 14, 30, 60, 90, 180, 365), period_days=30, periods=6))
NAMES = [f.name for f in CATALOGUE]


@dataclass(frozen=True)
class Noun:
    one: str
    many: str
    zh: str


NOUNS = {role: Noun(role, role + "s", "词" + role) for role in ROLES} | {
    "purchase": Noun("basket", "baskets", "购物"),
    "usage": Use("session", "sessions", "使用", "minutes"),
}


def tables(n: int, values: dict[str, list[float]], weights: dict[str, list[float]]) -> tuple[pa.Table, pa.Table]:
    """Contributions and features of n customers: not given means no weight, and not known."""
    keys = {
        "customer_id": pa.array([f"c{i:03d}" for i in range(n)]),
        "as_of": pa.array([0] * n, pa.int64()).cast(INSTANT),
    }
    features = {name: pa.array(np.array(values.get(name, [np.nan] * n), np.float32)) for name in NAMES}
    contributions = {name: pa.array(np.array(weights.get(name, [0.0] * n), np.float64)) for name in NAMES}
    return pa.table(keys | {"base": pa.array([0.0] * n)} | contributions), pa.table(keys | features)


def told(n: int, values: dict, weights: dict, **options) -> pa.Table:
    contributions, features = tables(n, values, weights)
    chosen = {"most_leaving": 3, "most_staying": 1, "least_contribution": 0.05} | options
    chosen = {"nouns": NOUNS} | chosen
    return REASONS.check(reasons(contributions, features, catalogue=CATALOGUE, currency="EUR", **chosen))


def test_a_long_silence_is_told_against_the_usual_rhythm():
    values = {"days_since_purchase": [41.6], "purchase_gap_mean_days": [6.2], "purchase_silence_ratio": [6.7]}
    found = told(1, values, {"days_since_purchase": [0.8], "purchase_silence_ratio": [0.3]})
    assert found["en"].to_pylist() == ["No basket for 41 days; usually every 6 days"]
    assert found["zh"].to_pylist() == ["已41天没有购物；平常每6天一次"]
    assert found["contribution"].to_pylist() == [pytest.approx(0.8 + 0.3)]


def test_complaints_are_told_with_the_time_before_and_those_still_open():
    values = {"complaints_30d": [3.0, 1.0], "complaints_30d_90d": [0.0, 2.0], "open_complaints": [0.0, 1.0]}
    found = told(2, values, {"complaints_30d": [1.0, 1.0]})
    assert found["en"].to_pylist() == [
        "Complaints: 3 in the last 30 days, none in the 60 days before",
        "Complaints: 1 in the last 30 days, 2 in the 60 days before; 1 still open",
    ]


def test_one_is_singular_and_none_is_a_word():
    values = {
        "purchases_30d": [1.0, 0.0], "purchases_change_30d": [-3.0, -1.0], "purchases_own_rate_ratio_30d": [0.3, 0.0],
    }  # fmt: skip
    found = told(2, values, {"purchases_change_30d": [0.5, 0.5]})
    assert found["en"].to_pylist() == [
        "1 basket in the last 30 days, 4 in the 30 days before",
        "No basket in the last 30 days, 1 in the 30 days before",
    ]


def test_a_fall_that_the_two_numbers_do_not_show_is_told_against_the_usual_rate():
    """57 minutes after 58 are no fall to the reader, although both are far below what was usual."""
    change, rate = "usage_quantity_change_30d", "usage_quantity_own_rate_ratio_30d"
    values = {"usage_quantity_30d": [57.0, 57.0], change: [-1.0, -19.0], rate: [0.4, 0.4]}
    found = told(2, values, {change: [0.5, 0.5]})
    assert found["en"].to_pylist() == [
        "57 minutes of use in the last 30 days, 60% below the usual rate",
        "57 minutes of use in the last 30 days, 76 in the 30 days before",
    ]
    assert found["zh"].to_pylist() == ["最近30天使用57分钟，比平常少60%", "最近30天使用57分钟，之前30天76分钟"]


def test_what_was_done_so_far_speaks_for_staying_only_while_the_customer_is_not_late():
    weight = "sessions_change_30d"
    values = {"usage_days_total": [20.0, 20.0], "sessions_total": [23.0, 23.0], "usage_silence_ratio": [0.5, 4.0]}
    found = told(2, values, {weight: [-0.5, -0.5]})
    assert found["customer_id"].to_pylist() == ["c000"]
    assert found["en"].to_pylist() == ["23 sessions on 20 days so far"]


@pytest.mark.parametrize("measure", ["purchases", "sessions", "spend"])
def test_a_fall_of_a_twentieth_is_no_reason(measure):
    change = f"{measure}_change_30d"
    values = {f"{measure}_30d": [19.0], change: [-1.0], f"{measure}_own_rate_ratio_30d": [0.5]}
    assert told(1, values, {change: [0.5]}).num_rows == 0


def test_a_short_time_speaks_for_leaving_and_a_long_one_for_staying():
    days = {"tenure_days": [110.0, 800.0, 110.0, 800.0]}
    found = told(4, days, {"tenure_days": [0.5, 0.5, -0.5, -0.5]})
    assert found.select(["customer_id", "direction", "en", "zh"]).to_pylist() == [
        {
            "customer_id": "c000",
            "direction": "leaving",
            "en": "With us for less than a year: 110 days",
            "zh": "成为客户不足一年：110天",
        },
        {"customer_id": "c003", "direction": "staying", "en": "With us for 800 days", "zh": "成为客户800天"},
    ]


@pytest.mark.parametrize(
    ("unit", "en", "zh"),
    [
        ("minutes", "340 minutes of use in the last 30 days, 1,610", "最近30天使用340分钟，之前30天1,610分钟"),
        ("seconds", "340 seconds of use in the last 30 days, 1,610", "最近30天使用340秒，之前30天1,610秒"),
        ("GB", "340 GB of use in the last 30 days, 1,610", "最近30天使用340GB，之前30天1,610GB"),
        ("", "Usage of 340 in the last 30 days, 1,610", "最近30天使用量340，之前30天1,610"),
    ],
)
def test_use_is_told_in_the_declared_unit_and_without_one_in_none(unit, en, zh):
    change, rate = "usage_quantity_change_30d", "usage_quantity_own_rate_ratio_30d"
    values = {"usage_quantity_30d": [340.0], change: [-1270.0], rate: [0.2]}
    nouns = NOUNS | {"usage": Use("session", "sessions", "使用", unit)}
    found = told(1, values, {change: [0.5]}, nouns=nouns)
    assert found["en"].to_pylist() == [f"{en} in the 30 days before"]
    assert found["zh"].to_pylist() == [zh]


@pytest.mark.parametrize(
    ("unit", "en", "zh"),
    [("hours", "hours of use", "使用小时数"), ("GB", "GB of use", "使用量（GB）"), ("", "usage", "使用量")],
)
def test_features_of_use_are_called_by_the_declared_unit(unit, en, zh):
    feature = next(f for f in CATALOGUE if f.name == "usage_quantity_30d")
    nouns = {"usage": Use("session", "sessions", "使用", unit)}
    assert feature.words("en", nouns) == f"{en} in the last 30 days"
    assert feature.words("zh", nouns) == f"最近30天的{zh}"


def test_the_weightiest_group_comes_first_in_each_direction():
    values = {
        "complaints_30d": [2.0], "complaints_30d_90d": [0.0], "open_complaints": [0.0],
        "payments_failed_30d": [1.0], "payments_failed_90d": [1.0],
        "tenure_days": [800.0], "last_nps": [9.0], "days_since_nps": [10.0],
    }  # fmt: skip
    weights = {"complaints_30d": [0.4], "payments_failed_30d": [0.9], "tenure_days": [-0.2], "last_nps": [-0.6]}
    found = told(1, values, weights, most_staying=2)
    assert found["group"].to_pylist() == ["payments", "complaints", "survey", "tenure"]
    assert found["direction"].to_pylist() == ["leaving", "leaving", "staying", "staying"]
    assert found["position"].to_pylist() == [1, 2, 1, 2]


def test_nothing_is_said_of_what_is_not_known_nor_of_what_does_not_weigh():
    assert told(1, {}, {"days_since_purchase": [2.0], "last_nps": [1.0]}).num_rows == 0
    assert told(1, {"tenure_days": [30.0]}, {"tenure_days": [0.04]}).num_rows == 0


def test_every_default_sentence_finds_its_facts_among_the_features():
    _, features = tables(1, {}, {})
    known = facts_of(features, np.array([""], object)).keys()
    for sentence in SENTENCES:
        assert sentence.facts <= known, (sentence.en, sentence.facts - known)


def test_every_group_can_be_told_in_both_directions_or_has_a_reason_not_to():
    directions = {group: {s.direction for s in SENTENCES if s.group == group} for group in GROUPS}
    assert all(directions.values())
    assert {group for group, found in directions.items() if len(found) < 2} == set()


@st.composite
def populations(draw: st.DrawFn) -> tuple[dict, dict, int]:
    n = 12
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = {name: np.where(rng.random(n) < 0.2, np.nan, rng.integers(-3, 60, n) / 2).tolist() for name in NAMES}
    weights = {name: rng.normal(0, 0.3, n).tolist() for name in NAMES}
    return values, weights, n


@given(populations())
def test_reasons_are_true_ordered_and_indifferent_to_the_order_of_customers(population):
    values, weights, n = population
    found = told(n, values, weights, most_leaving=16, most_staying=16).to_pylist()
    for row in found:
        i = int(row["customer_id"][1:])
        group = sum(weights[f.name][i] for f in CATALOGUE if f.group == row["group"])
        assert row["contribution"] == pytest.approx(group)
        assert (group > 0) == (row["direction"] == "leaving")
        assert "nan" not in row["en"]
        assert "{" not in row["en"] + row["zh"]
    for earlier, later in itertools.pairwise(found):
        if all(earlier[k] == later[k] for k in ("customer_id", "direction")):
            assert abs(earlier["contribution"]) >= abs(later["contribution"])
    order = np.random.default_rng(n).permutation(n)
    swapped = told(n, {k: [v[i] for i in order] for k, v in values.items()}, {k: [v[i] for i in order] for k, v in
    weights.items()},
                   most_leaving=16, most_staying=16).to_pylist()  # fmt: skip
    position = {f"c{i:03d}": f"c{int(np.flatnonzero(order == i)[0]):03d}" for i in range(n)}
    said = {(position[r["customer_id"]], r["direction"], r["position"]): r["en"] for r in found}
    assert said == {(r["customer_id"], r["direction"], r["position"]): r["en"] for r in swapped}

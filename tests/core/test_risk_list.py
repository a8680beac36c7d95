"""The list: who comes first, what a customer is worth, which reasons stand where."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.dataset import ROLE_NOUNS, Noun
from churn.core.definitions import Definition
from churn.core.definitions.sentences import churn_in_words
from churn.core.editions.headings import HEADINGS
from churn.core.editions.summary import summary
from churn.core.risk_list import nothing_particular, of_today, risk_list
from churn.words.errors import ConfigFault, Fault, GateFault, NotEnoughData
from churn.words.tables import RISK_LIST
from tests.core.list_world import (
    AS_OF,
    DATASET,
    DEFINITION,
    EARLIER,
    EVALUATION,
    KEYS,
    NO_REASONS,
    features_of,
    listed,
    reasons_of,
    scores_of,
)

DOCS = Path(__file__).parents[2] / "docs" / "risk_list.md"


def column(table: pa.Table, name: str) -> list:
    return table[name].to_pylist()


def test_the_most_money_at_risk_comes_first():
    found = listed({"a": 0.5, "b": 0.1, "c": 0.9}, a_day={"a": 1.0, "b": 10.0, "c": 0.5})
    assert column(found, "customer_id") == ["b", "a", "c"]
    assert column(found, "expected_value") == [10 * 28, 1 * 28, 14]
    assert column(found, "value_at_risk") == [28, 14, 12.6]
    assert column(found, "rank") == [1, 2, 3]


def test_equal_money_at_risk_is_ordered_by_probability_and_then_by_id():
    found = listed({"d": 0.2, "a": 0.2, "c": 0.4, "b": 0.1}, a_day=dict.fromkeys("abcd"))
    assert column(found, "customer_id") == ["c", "a", "d", "b"]


def test_ids_are_ordered_as_text_byte_by_byte():
    found = listed(
        {"10": 0.2, "9": 0.2, "é": 0.2, "Z": 0.2, "last": 0.1}, a_day=dict.fromkeys(["10", "9", "é", "Z", "last"])
    )
    assert column(found, "customer_id") == ["10", "9", "Z", "é", "last"]


def test_unknown_and_negative_value_count_as_no_money():
    found = listed({"a": 0.5, "b": 0.4, "c": 0.3, "d": 0.2}, a_day={"a": None, "b": float("nan"), "c": -3.0, "d": 1.0})
    assert dict(zip(column(found, "customer_id"), column(found, "value_at_risk"), strict=True)) == {
        "d": 5.6,
        "a": 0.0,
        "b": 0.0,
        "c": 0.0,
    }


def test_value_is_the_sum_of_the_features_named():
    features = features_of({"a": 1.0, "b": 2.0}).append_column("fees_per_day", pa.array([3.0, 4.0], pa.float32()))
    keys = {**KEYS, "value_features": ("spend_per_day_365d", "fees_per_day")}
    found = risk_list(scores_of({"a": 0.5, "b": 0.25}), NO_REASONS, features, **keys)
    assert column(found, "expected_value") == [(1 + 3) * 28, (2 + 4) * 28]


def test_without_value_features_the_list_is_ranked_by_probability():
    keys = {**KEYS, "value_features": ()}
    found = risk_list(scores_of({"a": 0.1, "b": 0.9}), NO_REASONS, features_of({"a": 1.0, "b": 1.0}), **keys)
    assert column(found, "customer_id") == ["b", "a"]
    assert column(found, "value_at_risk") == [0, 0]


def test_where_nothing_tells_who_leaves_the_list_is_in_the_order_of_value_and_gives_no_reasons():
    keys, worth = KEYS | {"order": "value"}, features_of({"a": 1.0, "b": 9.0, "c": 3.0})
    reasons = reasons_of("a | leaving | 1 | silent\na | staying | 1 | loyal")
    found = risk_list(scores_of({"a": 0.8, "b": 0.1, "c": 0.3}), reasons, worth, **keys)
    assert column(found, "customer_id") == ["b", "c", "a"]
    assert column(found, "score") == pytest.approx([(0.8 + 0.1 + 0.3) / 3] * 3)
    assert column(found, "percentile") == [0, 0, 0]
    assert column(found, "value_at_risk") == [round(days * 28 * 0.4, 2) for days in (9, 3, 1)]
    assert set(column(found, "reason_1_en")) == {nothing_particular(0.4, 28)["en"]}
    assert column(found, "staying_en") == [None] * 3


def test_where_nothing_is_known_of_risk_nor_of_value_there_is_no_list():
    keys = KEYS | {"order": "value"}
    with pytest.raises(GateFault, match="nothing tells who will leave, and nothing tells what customers are worth"):
        risk_list(scores_of({"a": 0.8, "b": 0.1}), NO_REASONS, features_of({"a": 1.0, "b": 1.0}), **keys)


def test_money_is_whole_hundredths():
    found = listed({"a": 1 / 3, "b": 0.1}, a_day={"a": 0.1234567, "b": 0.01})
    assert column(found, "expected_value") == [3.46, 0.28]
    assert column(found, "value_at_risk") == [1.15, 0.03]


NOTHING = nothing_particular((0.5 + 0.1) / 2, KEYS["horizon_days"])


def test_the_first_three_reasons_to_leave_and_the_first_to_stay_are_listed():
    found = listed(
        {"a": 0.5, "b": 0.1},
        said="""
        a | leaving | 1 | silent
        a | leaving | 2 | complained
        a | leaving | 3 | pays late
        a | leaving | 4 | one too many
        a | staying | 1 | old friend
        a | staying | 2 | second best
        b | staying | 1 | happy
        """,
    )
    sentences = ("reason_1_en", "reason_2_en", "reason_3_en", "staying_en", "reason_1_zh", "staying_zh")
    assert [tuple(row[name] for name in sentences) for row in found.to_pylist()] == [
        ("silent", "complained", "pays late", "old friend", "中silent", "中old friend"),
        (NOTHING["en"], None, None, "happy", NOTHING["zh"], "中happy"),
    ]


def test_reasons_and_features_of_another_as_of_are_not_used():
    features = pa.concat_tables([features_of({"a": 9.0, "b": 9.0}, EARLIER), features_of({"a": 1.0, "b": 2.0})])
    old = reasons_of("a | leaving | 1 | long ago", EARLIER)
    found = risk_list(scores_of({"a": 0.5, "b": 0.1}), old, features, **KEYS)
    assert column(found, "expected_value") == [28, 56]
    assert column(found, "reason_1_en") == [NOTHING["en"], NOTHING["en"]]


def test_a_table_in_pieces_is_cut_to_the_customers_of_today():
    pieces = [features_of({"a": 9.0}, EARLIER), features_of({"a": 1.0}), features_of({"b": 2.0})]
    found = of_today(iter(pieces), scores_of({"a": 0.5, "b": 0.1}))
    assert found.equals(features_of({"a": 1.0, "b": 2.0}))


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
        st.tuples(st.floats(0, 1), st.none() | st.floats(-1e4, 1e6, width=32)),
        min_size=2,
        max_size=12,
    ).filter(lambda world: len({score for score, _ in world.values()}) > 1)
)
def test_everybody_is_listed_once_and_no_row_has_more_at_risk_than_the_one_before(world):
    found = listed({c: s for c, (s, _) in world.items()}, a_day={c: v for c, (_, v) in world.items()})
    at_risk = column(found, "value_at_risk")
    assert sorted(column(found, "customer_id")) == sorted(world)
    assert at_risk == sorted(at_risk, reverse=True)
    assert min(at_risk) >= 0
    assert set(column(found, "as_of")) == {AS_OF}


def test_equal_scores_for_everybody_stop_the_list():
    with pytest.raises(GateFault, match=r"all 3 customers have the same score, 0\.1550"):
        listed({"a": 0.155, "b": 0.155, "c": 0.155})


def test_equal_scores_for_everybody_do_not_stop_a_list_by_value():
    worth = features_of({"a": 1.0, "b": 2.0})
    found = risk_list(scores_of({"a": 0.155, "b": 0.155}), NO_REASONS, worth, **KEYS | {"order": "value"})
    assert column(found, "customer_id") == ["b", "a"]


def test_a_single_customer_is_a_list():
    assert len(listed({"a": 0.2})) == 1


def test_nobody_scored_is_not_a_list():
    with pytest.raises(NotEnoughData, match="no customer was scored"):
        listed({})


def test_a_score_that_is_no_probability_is_a_bug():
    with pytest.raises(Fault, match="1 of 2 scores are no probabilities"):
        listed({"a": 1.5, "b": 0.1})
    with pytest.raises(Fault, match="1 of 2 scores are no probabilities"):
        listed({"a": float("nan"), "b": 0.1})


def test_a_scored_customer_without_features_is_a_bug():
    with pytest.raises(Fault, match="1 of 2 scored customers have no row"):
        risk_list(scores_of({"a": 0.5, "b": 0.1}), NO_REASONS, features_of({"a": 1.0}), **KEYS)


def test_two_as_ofs_are_no_list():
    scores = pa.concat_tables([scores_of({"a": 0.5}, EARLIER), scores_of({"b": 0.1})])
    with pytest.raises(Fault, match="one as_of, and the table scores has 2"):
        risk_list(scores, NO_REASONS, features_of({"a": 1.0, "b": 1.0}), **KEYS)


def test_a_misspelt_value_feature_is_answered_with_the_nearest_one():
    keys = {**KEYS, "value_features": ("spend_per_day",)}
    with pytest.raises(ConfigFault, match="no feature spend_per_day; did you mean spend_per_day_365d"):
        risk_list(scores_of({"a": 0.5, "b": 0.1}), NO_REASONS, features_of({"a": 1.0, "b": 1.0}), **keys)


def test_a_value_feature_must_be_a_number():
    keys = {**KEYS, "value_features": ("as_of",)}
    with pytest.raises(ConfigFault, match="as_of is no number"):
        risk_list(scores_of({"a": 0.5, "b": 0.1}), NO_REASONS, features_of({"a": 1.0, "b": 1.0}), **keys)


def test_the_summary_adds_up_the_list():
    about = summary(
        listed({"a": 0.5, "b": 0.25}, a_day={"a": 1.0, "b": 2.0}),
        dataset=DATASET,
        definition=DEFINITION,
        order=EVALUATION["list"],
    )
    assert (about.n_customers, about.expected_churners) == (2, 0.5 + 0.25)
    assert (about.expected_value, about.value_at_risk) == (28 + 56, 14 + 14)


def test_the_as_of_is_told_in_local_time():
    early = summary(listed({"a": 0.5}), dataset=DATASET, definition=DEFINITION, order=EVALUATION["list"])
    assert early.as_of_text == "2018-01-01"
    assert summary(
        listed({"a": 0.5}),
        dataset=replace(DATASET, time_zone="Asia/Shanghai"),
        definition=DEFINITION,
        order=EVALUATION["list"],
    ).as_of_text == ("2018-01-01 13:00")


def test_inactivity_is_told_in_words():
    assert churn_in_words(DEFINITION, DATASET.nouns) == {
        "en": "Customers with a basket in the 90 days before the as-of date; "
        "leaving means no basket in the 28 days after it.",
        "zh": "截至日前 90 天内有过购物的客户；其后 28 天内没有购物即视为流失。",
    }
    either = Definition("inactivity", 7, 30, live_days=None, roles=("usage", "purchase"))
    assert churn_in_words(either, ROLE_NOUNS) == {
        "en": "Customers with a use or purchase at any time before the as-of date; "
        "leaving means no use or purchase in the 30 days that begin 7 days after it.",
        "zh": "截至日前有过使用或购买的客户；其后第 8 天起的 30 天内没有使用或购买即视为流失。",
    }


def test_the_end_of_a_contract_is_told_in_words():
    definition = Definition("contract", 7, 30, roles=("purchase",), grace_days=14)
    assert churn_in_words(definition, {"purchase": Noun("order", "orders", "订购")}) == {
        "en": "Customers with an order before the as-of date who have not cancelled; "
        "leaving means a cancellation in the 30 days that begin 7 days after it that is not undone within 14 days.",
        "zh": "截至日前有过订购且未解约的客户；其后第 8 天起的 30 天内解约且未在 14 天内撤销即视为流失。",
    }


def test_every_heading_belongs_to_a_column_and_every_column_is_explained():
    shown = {heading.column(language) for heading in HEADINGS for language in ("en", "zh")}
    assert set(RISK_LIST.schema.names) - shown == {"currency"}
    assert shown <= set(RISK_LIST.schema.names)


def test_the_page_of_the_documentation_has_the_columns_as_they_are():
    section = DOCS.read_text(encoding="utf-8").split("\n## ")[1]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    headings = {heading.column(language): heading for heading in HEADINGS for language in ("en", "zh")}
    wanted = []
    for field in RISK_LIST.columns:
        heading = headings.get(field.name)
        names = f"{heading.label['en']} | {heading.label['zh']}" if heading else "– | –"
        wanted.append(f"| `{field.name}` | {names} | {field.type} | {field.meaning} | {field.null or 'never'} |")
    assert rows == wanted, "docs/risk_list.md should hold these lines:\n" + "\n".join(wanted)

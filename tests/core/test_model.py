"""The door of every kind of model: what goes in, what comes out, and what is refused."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from model_world import LIGHTGBM, LOGISTIC, PARTS, SECTIONS, learnt, world

from churn.core.model import MODELS, Model, contributions, margins, model, score, unseen
from churn.core.model.encoding import OTHER, VALUES_MOST, frequent
from churn.core.model.enough import MANY
from churn.core.model.parts import learning
from churn.core.model.ranking import auc
from churn.words.errors import ConfigFault, Fault, GateFault, IntegrityFault, NotEnoughData
from churn.words.tables import CODE, INSTANT


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


@pytest.fixture(scope="module", params=sorted(MODELS))
def fitted(request: pytest.FixtureRequest) -> Model:
    return learnt(request.param)


def in_part(features: pa.Table, part: str) -> pa.Array:
    return pa.array(np.tile(np.array(PARTS) == part, features.num_rows // len(PARTS)))


def test_contributions_add_up_to_the_margin(fitted: Model, tables: tuple) -> None:
    shares = contributions(fitted, tables[0])
    assert shares.shape == (tables[0].num_rows, len(fitted.features) + 1)
    np.testing.assert_allclose(shares.sum(axis=1), margins(fitted, tables[0]), rtol=1e-9, atol=1e-12)


def test_churners_of_the_test_part_get_higher_scores(fitted: Model, tables: tuple) -> None:
    test = in_part(tables[0], "test")
    scores = score(fitted, margins(fitted, tables[0].filter(test)))
    churned = tables[1].filter(test)["churned"].to_numpy().astype(bool)
    # The rate of one's own past says little of silence, which is what churn comes from in this world.
    assert auc(scores, churned) > (0.53 if fitted.kind in {"own_mean", "bg_nbd"} else 0.58)
    # Calibration and test part have 300 rows each: their base rates differ by 0.04 (one deviation) by chance.
    assert scores.mean() == pytest.approx(churned.mean(), abs=0.08)


def test_one_row_alone_scores_as_in_a_batch(fitted: Model, tables: tuple) -> None:
    features = tables[0].slice(0, 40)
    alone = [margins(fitted, features.slice(i, 1))[0] for i in range(40)]
    assert alone == margins(fitted, features).tolist()
    explained = [contributions(fitted, features.slice(i, 1))[0].tolist() for i in range(40)]
    assert explained == contributions(fitted, features).tolist()


def test_columns_in_another_order_score_the_same(fitted: Model, tables: tuple) -> None:
    turned = tables[0].select(tables[0].column_names[::-1])
    assert margins(fitted, turned).tolist() == margins(fitted, tables[0]).tolist()


def test_other_customer_ids_give_the_same_model(tables: tuple) -> None:
    renamed = [
        table.set_column(
            0, "customer_id", pa.array([f"x{9 - int(c[-1])}{c}" for c in table["customer_id"].to_pylist()])
        )
        for table in tables[:2]
    ]
    assert model(*renamed, tables[2], **LIGHTGBM) == model(*tables, **LIGHTGBM)


def test_a_dictionary_in_another_order_scores_the_same(fitted: Model, tables: tuple) -> None:
    features = tables[0]
    texts = features["plan"].cast(pa.string()).to_pylist()
    order = ["pro", "plus", "basic"]
    codes = pa.array([None if t is None else order.index(t) for t in texts], pa.int32())
    turned = features.set_column(
        features.column_names.index("plan"), "plan", pa.DictionaryArray.from_arrays(codes, pa.array(order))
    )
    assert margins(fitted, turned).tolist() == margins(fitted, features).tolist()


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_shuffled_labels_teach_nothing(kind: str) -> None:
    # 4,000 test rows of base rate 0.4 put the AUC of a coin within 0.5 +- 0.03 in more than 99.9 % of worlds.
    tables = world(4000, shuffled=True, seed=5)
    fitted = model(*tables, **SECTIONS[kind])
    test = in_part(tables[0], "test")
    churned = tables[1].filter(test)["churned"].to_numpy().astype(bool)
    assert auc(margins(fitted, tables[0].filter(test)), churned) == pytest.approx(0.5, abs=0.03)


def test_the_test_part_is_not_learnt_from(fitted: Model, tables: tuple) -> None:
    test = in_part(tables[0], "test").to_numpy(zero_copy_only=False)
    churned = tables[1]["churned"].to_numpy()
    turned = pa.array(np.where(test, churned == False, churned), pa.bool_(), from_pandas=True)  # noqa: E712
    snapshots = tables[1].set_column(2, "churned", turned)
    assert model(tables[0], snapshots, tables[2], **SECTIONS[fitted.kind]).body == fitted.body


def test_the_label_as_a_feature_is_a_leak(tables: tuple) -> None:
    churned = tables[1]["churned"].to_numpy()
    leak = pa.array([np.nan if c is None else 10.0 * c for c in churned], pa.float32(), from_pandas=True)
    with pytest.raises(GateFault, match=r"1 of 8 features .*complaints_after \(AUC 1.000\)"):
        model(tables[0].append_column("complaints_after", leak), *tables[1:], **LOGISTIC)


@pytest.mark.parametrize("kind", ["logistic", "rule"])
def test_a_feature_that_somebody_vouches_for_may_tell_all(tables: tuple, kind: str) -> None:
    notice = pa.array([None if c is None else 9.0 - 9 * c for c in tables[1]["churned"].to_pylist()], pa.float32())
    features = tables[0].append_column("days_since_notice", notice)
    with pytest.raises(GateFault, match=r"days_since_notice \(AUC 1.000\).*evaluation\.vouched"):
        model(features, *tables[1:], **SECTIONS[kind])
    found = model(features, *tables[1:], vouched=["days_since_notice"], **SECTIONS[kind])
    assert "days_since_notice" in found.features


def test_a_leak_through_missing_values_is_found(tables: tuple) -> None:
    leak = pa.array([1.0 if c else None for c in tables[1]["churned"].to_pylist()], pa.float32())
    with pytest.raises(GateFault, match="survey_last"):
        model(tables[0].append_column("survey_last", leak), *tables[1:], **LOGISTIC)


def test_features_that_tell_nothing_are_listed(tables: tuple) -> None:
    fitted = model(*tables, **LOGISTIC)
    assert fitted.dropped == {"always_one": "1 in every training row", "never_known": "null in every training row"}
    assert not set(fitted.dropped) & set(fitted.features)
    assert fitted.card["parts"]["train"]["rows"] == 3 * 300


def test_a_feature_that_woke_up_after_training_changes_no_score(fitted: Model, tables: tuple) -> None:
    n = tables[0].num_rows
    place = tables[0].column_names.index("never_known")
    awake = tables[0].set_column(place, "never_known", pa.array(np.arange(n), pa.float32()))
    assert margins(fitted, awake).tolist() == margins(fitted, tables[0]).tolist()


def test_unseen_attribute_values_are_counted_and_score_like_unknown_ones(tables: tuple) -> None:
    fitted = model(*tables, **LIGHTGBM)
    place = tables[0].column_names.index("plan")
    three = tables[0].slice(0, 3)
    new = three.set_column(place, "plan", pa.array(["gold", "pro", "gold"]).cast(CODE))
    unknown = three.set_column(place, "plan", pa.array([None, "pro", None], pa.string()).cast(CODE))
    assert unseen(fitted, new) == {"plan": 1 + 1}
    assert unseen(fitted, unknown) == {}
    assert margins(fitted, new).tolist() == margins(fitted, unknown).tolist()


def test_the_vocabulary_comes_from_the_train_part(tables: tuple) -> None:
    features, snapshots, split = tables
    validation = in_part(features, "validation").to_pylist()
    plans = ["gold" if v else p for p, v in zip(features["plan"].to_pylist(), validation, strict=True)]
    place = features.column_names.index("plan")
    fitted = model(features.set_column(place, "plan", pa.array(plans).cast(CODE)), snapshots, split, **LOGISTIC)
    assert fitted.vocabulary == {"plan": ["basic", "plus", "pro"]}


def test_only_the_most_frequent_values_get_a_code() -> None:
    often = [f"v{i:03d}" for i in range(VALUES_MOST)]
    counts = np.array([1, 0] + [2] * VALUES_MOST)
    assert frequent(["rare", "only later", *often[::-1]], counts) == [*often, OTHER]
    assert frequent(["only later", *often[::-1]], counts[1:]) == often
    assert frequent(["b", "only later", "a"], np.array([1, 0, 2])) == ["a", "b"]


def test_a_missing_feature_is_named(fitted: Model, tables: tuple) -> None:
    with pytest.raises(IntegrityFault, match="days_since_purchase"):
        margins(fitted, tables[0].drop_columns(["days_since_purchase"]))


def test_a_number_where_the_model_knows_an_attribute_is_refused(tables: tuple) -> None:
    fitted = model(*tables, **LOGISTIC)
    place = tables[0].column_names.index("plan")
    numbers = tables[0].set_column(place, "plan", pa.array(np.ones(tables[0].num_rows), pa.float32()))
    with pytest.raises(IntegrityFault, match="feature plan is float"):
        margins(fitted, numbers)


def test_infinite_values_are_refused(fitted: Model, tables: tuple) -> None:
    place = tables[0].column_names.index("days_since_purchase")
    endless = pa.array(np.full(tables[0].num_rows, np.inf), pa.float32())
    with pytest.raises(Fault, match="days_since_purchase"):
        margins(fitted, tables[0].set_column(place, "days_since_purchase", endless))


@pytest.mark.parametrize("name", ['spend"90d', "消费", "spend 90d", "a,b", "base"])
def test_a_feature_name_that_the_model_text_cannot_hold_is_refused(tables: tuple, name: str) -> None:
    odd = tables[0].append_column(name, tables[0]["spend_90d"])
    with pytest.raises(ConfigFault, match="Rename the attribute"):
        model(odd, *tables[1:], **LOGISTIC)


def test_nobody_who_churned_is_not_enough(tables: tuple) -> None:
    nobody = tables[1].set_column(2, "churned", pa.array([False] * tables[1].num_rows))
    with pytest.raises(
        NotEnoughData, match=r"0 churners and 900 stayers among 900 .* between 2020-01-06 and 2020-03-02"
    ):
        model(tables[0], nobody, tables[2], **LOGISTIC)


def test_few_customers_are_not_enough() -> None:
    with pytest.raises(
        NotEnoughData, match=r"among 300 matured snapshots of the train part.*500 in all.*model=ladder` makes"
    ):
        model(*world(100), **LIGHTGBM)


def test_no_matured_snapshot_is_not_enough(tables: tuple) -> None:
    unknown = tables[1].set_column(2, "churned", pa.nulls(tables[1].num_rows, pa.bool_()))
    with pytest.raises(NotEnoughData, match="0 churners and 0 stayers among 0 matured snapshots of the train part;"):
        model(tables[0], unknown, tables[2], **LOGISTIC)


def test_features_of_other_rows_than_the_snapshots_are_refused(tables: tuple) -> None:
    with pytest.raises(Fault, match="not those of"):
        model(tables[0].slice(1), tables[1].slice(0, tables[1].num_rows - 1), tables[2], **LOGISTIC)


@pytest.mark.parametrize(
    ("values", "churned", "expected"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], 1.0),
        ([4, 3, 2, 1], [0, 0, 1, 1], 0.0),
        ([1, 1, 1, 1], [0, 1, 0, 1], 0.5),
        ([1, 2, 2, 3], [0, 1, 0, 1], (1 + 1 + 0.5 + 1) / 4),
        ([np.nan, 2, 1, 3], [1, 0, 0, 0], 1.0),
    ],
)
def test_auc_is_the_share_of_pairs_in_the_right_order(values: list, churned: list, expected: float) -> None:
    assert auc(np.array(values, float), np.array(churned, bool)) == expected


def test_the_refit_takes_the_embargo_between_the_parts_and_nothing_that_the_test_could_see(tables: tuple) -> None:
    features, snapshots, split = tables
    # The second date becomes an embargo whose outcomes were known at the test; the fifth is one whose were not.
    parts = split["part"].to_pylist()
    renamed = split.set_column(1, "part", pa.array([*parts[:1], "embargo", *parts[2:]]))
    first_test = renamed["as_of"][5].as_py()
    until = [d if i != 0 else first_test for i, d in enumerate(renamed["outcome_until"].to_pylist())]
    known = learning(
        features,
        snapshots,
        renamed.set_column(3, "outcome_until", pa.array(until, INSTANT)),
        rows_most=None,
        seed=7,
        least=MANY,
    )
    dates = np.unique(known.parts["matured"].as_of_us)
    assert dates.tolist() == split["as_of"].cast(pa.int64()).to_pylist()[:5]
    late = [first_test + timedelta(days=1) if i == 1 else d for i, d in enumerate(until)]
    known = learning(
        features,
        snapshots,
        renamed.set_column(3, "outcome_until", pa.array(late, INSTANT)),
        rows_most=None,
        seed=7,
        least=MANY,
    )
    assert renamed["as_of"][1].as_py() not in {
        datetime.fromtimestamp(d / 1e6, UTC) for d in np.unique(known.parts["matured"].as_of_us)
    }

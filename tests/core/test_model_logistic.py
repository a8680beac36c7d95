"""The logistic regression and the time rule, applied by our own arithmetic."""

import json

import numpy as np
import pyarrow as pa
import pytest
from model_world import LOGISTIC, RULE, world
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from churn.core.model import contributions, logistic, margins, model
from churn.core.model.enough import MANY
from churn.core.model.parts import MATURED, Learning, Part, learning
from churn.words.errors import NotEnoughData


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


def peer(rows: Part, known: Learning, l2: float) -> Pipeline:
    """The same regression by scikit-learn."""
    numbers = [j for j, name in enumerate(known.names) if name not in known.vocabulary]
    attributes = [j for j, name in enumerate(known.names) if name in known.vocabulary]
    codes = [np.arange(len(known.vocabulary[known.names[j]]), dtype=np.float64) for j in attributes]
    filled = make_pipeline(
        FunctionTransformer(logistic.signed_log), SimpleImputer(strategy="median", add_indicator=True)
    )
    coded = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
    terms = ColumnTransformer([("numbers", filled, numbers), ("attributes", coded, attributes)])
    model = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-10, max_iter=100)
    weights = {"standardscaler__sample_weight": rows.weights, "logisticregression__sample_weight": rows.weights}
    return make_pipeline(terms, StandardScaler(), model).fit(rows.x.astype(np.float64), rows.churned, **weights)


@pytest.mark.parametrize("rows_most", [None, 900])
def test_the_terms_give_the_log_odds_of_scikit_learn(tables: tuple, rows_most: int | None) -> None:
    known = learning(*tables, rows_most=rows_most, seed=7, least=MANY)
    rows = known.parts[MATURED]
    fitted = model(*tables, **{**LOGISTIC, "rows_most": rows_most})
    expected = peer(rows, known, 1.0).decision_function(rows.x.astype(np.float64))
    np.testing.assert_allclose(logistic.margins(fitted, rows.x), expected, rtol=1e-8, atol=1e-8)
    # The world has nulls in both time features and in the attribute, or this test would prove less.
    assert {term["is"] for term in json.loads(fitted.body)["terms"]} == {"number", "null", "value"}


def test_only_the_features_that_were_named_are_learnt_from(tables: tuple) -> None:
    section = LOGISTIC | {"features_used": ("spend_90d", "days_since_purchase", "not_there")}
    fitted = model(*tables, **section)
    assert fitted.features == ("days_since_purchase", "spend_90d")
    narrow = tables[0].select(["customer_id", "as_of", "days_since_purchase", "spend_90d"])
    assert margins(fitted, narrow).tolist() == margins(fitted, tables[0]).tolist()


def test_an_average_row_is_explained_by_the_base_alone(tables: tuple) -> None:
    fitted = model(*tables, **{**LOGISTIC, "refit": False})
    known = learning(*tables, rows_most=None, seed=7, least=MANY)
    shares = logistic.contributions(fitted, known.joined("train", "validation").x)
    np.testing.assert_allclose(shares[:, :-1].mean(axis=0), 0, atol=1e-9)


def test_the_rule_is_the_time_feature_that_ranks_best(tables: tuple) -> None:
    fitted = model(*tables, **RULE)
    assert fitted.features == ("days_since_purchase",)
    assert set(fitted.card["aucs"]) == {"days_since_purchase", "days_since_complaint"}


def test_the_rule_grows_with_silence_and_never_is_the_longest(tables: tuple) -> None:
    fitted = model(*tables, **RULE)
    days = pa.array([0, 10, 100, None, 1e6], pa.float32())
    found = margins(fitted, pa.table({"days_since_purchase": days})).tolist()
    # The last is longer than any silence that was learnt from, and still shorter than never.
    assert found[0] < found[1] < found[2] < found[4] < found[3]


def test_the_rule_may_run_the_other_way(tables: tuple) -> None:
    features = tables[0]
    place = features.column_names.index("days_since_purchase")
    recent = pa.array(400 - np.nan_to_num(features["days_since_purchase"].to_numpy(), nan=30), pa.float32())
    turned = features.set_column(place, "days_since_complaint_closed", recent)
    fitted = model(turned, *tables[1:], **RULE)
    assert fitted.features == ("days_since_complaint_closed",)
    found = margins(fitted, pa.table({"days_since_complaint_closed": pa.array([1, 300], pa.float32())}))
    assert found[0] > found[1]


def test_the_base_of_the_rule_is_the_average_margin(tables: tuple) -> None:
    fitted = model(*tables, **RULE)
    rows = learning(*tables, rows_most=None, seed=7, least=MANY).joined("train", "validation")
    silence = pa.table({"days_since_purchase": pa.array(rows.x[:, 0])})
    assert contributions(fitted, silence)[0, 1] == pytest.approx(margins(fitted, silence).mean())


def test_no_time_feature_is_not_enough_for_a_rule(tables: tuple) -> None:
    timeless = tables[0].drop_columns(["days_since_purchase", "days_since_complaint"])
    with pytest.raises(NotEnoughData, match="days_since_"):
        model(timeless, *tables[1:], **RULE)

"""Scores and contributions at the newest as_of."""

import itertools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from model_world import SECTIONS, learnt, world

from churn.core import scores as module
from churn.core.model import MODELS, Model, interval, model, score
from churn.core.model import margins as log_odds
from churn.core.promotion import Order
from churn.core.scores import contributions, margins, percentile, scores, scoring_as_of
from churn.words.errors import Fault, GateFault, NotEnoughData
from churn.words.tables import CONTRIBUTIONS, SCORES


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


@pytest.fixture(scope="module", params=sorted(MODELS))
def fitted(request: pytest.FixtureRequest) -> Model:
    return learnt(request.param)


def batches(features: pa.Table, customers: int) -> list[pa.Table]:
    """Pieces of that many whole customers."""
    rows = 7 * customers
    return [features.slice(start, rows) for start in range(0, features.num_rows, rows)]


def scored(pieces: list[pa.Table], as_of: pa.Scalar, fitted: Model, order: Order = "model") -> pa.Table:
    return scores((margins(piece, as_of, fitted) for piece in pieces), as_of, fitted, order=order)


def explained(pieces: list[pa.Table], as_of: pa.Scalar, fitted: Model) -> pa.Table:
    return pa.concat_tables(contributions(piece, as_of, fitted) for piece in pieces)


def test_one_row_a_customer_at_the_newest_as_of(fitted: Model, tables: tuple) -> None:
    newest = scoring_as_of(tables[2])
    found = SCORES.check(scored([tables[0]], newest, fitted))
    assert found["customer_id"].to_pylist() == sorted(set(tables[0]["customer_id"].to_pylist()))
    assert set(found["as_of"].to_pylist()) == {tables[2]["as_of"][-1].as_py()}


def test_every_score_lies_within_its_interval_and_every_interval_between_0_and_1(fitted: Model, tables: tuple) -> None:
    found = scored([tables[0]], scoring_as_of(tables[2]), fitted)
    low, score_of, high = (found[name].to_numpy() for name in ("score_low", "score", "score_high"))
    assert ((low >= 0) & (low < score_of) & (score_of < high) & (high <= 1)).all()


def test_boosters_of_different_minds_about_a_customer_make_a_wider_interval(tables: tuple) -> None:
    fitted = model(*tables, **SECTIONS["lightgbm"])
    wide = replace(
        fitted, calibration={**fitted.calibration, "interval": {**fitted.calibration["interval"], "factor": 3.0}}
    )
    score_of = np.full(2, 0.3)
    low, high = interval(wide, score_of, np.array([0.05, 0.4]))
    assert high[1] - low[1] > high[0] - low[0]


def test_contributions_and_base_add_up_to_the_margin(fitted: Model, tables: tuple) -> None:
    newest = scoring_as_of(tables[2])
    found = CONTRIBUTIONS.check(contributions(tables[0], newest, fitted))
    assert found.column_names == ["customer_id", "as_of", "base", *fitted.features]
    total = sum(found[name].to_numpy() for name in found.column_names[2:])
    np.testing.assert_allclose(total, scored([tables[0]], newest, fitted)["margin"].to_numpy(), rtol=1e-9, atol=1e-12)


def test_batches_of_any_size_give_the_same_tables(
    fitted: Model, tables: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, features = scoring_as_of(tables[2]), tables[0].slice(0, 7 * 60)
    whole, shares = scored([features], newest, fitted), contributions(features, newest, fitted)
    for customers, chunk in itertools.product((1, 37), (1, 10)):
        monkeypatch.setattr(module, "CHUNK", chunk)
        assert scored(batches(features, customers), newest, fitted).equals(whole)
        assert explained(batches(features, customers), newest, fitted).equals(shares)


def test_no_more_rows_than_a_chunk_are_explained_at_once(
    fitted: Model, tables: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 128)
    chunks = contributions(tables[0], scoring_as_of(tables[2]), fitted)["base"].chunks
    assert [len(chunk) for chunk in chunks if len(chunk)] == [128, 128, 300 - 2 * 128]


def test_customers_with_equal_features_have_equal_scores_and_swapping_them_swaps_contributions(
    fitted: Model, tables: tuple
) -> None:
    newest = scoring_as_of(tables[2])
    rows = tables[0].filter(pc.equal(tables[0]["as_of"], newest)).slice(0, 2)
    turned = rows.take([1, 0]).set_column(0, "customer_id", rows["customer_id"])
    straight, swapped = (contributions(t, newest, fitted).drop_columns("customer_id") for t in (rows, turned))
    assert swapped.equals(straight.take([1, 0]))


def test_the_score_is_the_calibrated_margin_of_the_same_row(fitted: Model, tables: tuple) -> None:
    newest = scoring_as_of(tables[2])
    rows = tables[0].filter(pc.equal(tables[0]["as_of"], newest))
    expected = score(fitted, log_odds(fitted, rows))
    assert scored([tables[0]], newest, fitted)["score"].to_numpy().tolist() == expected.tolist()


def test_the_percentile_is_the_share_of_lower_scores() -> None:
    assert percentile(np.array([0.1, 0.4, 0.4, 0.9])).tolist() == [0.0, 100 * 1 / 4, 100 * 1 / 4, 100 * 3 / 4]


def test_an_as_of_whose_outcome_is_not_known_is_needed(tables: tuple) -> None:
    with pytest.raises(NotEnoughData, match="none of 6 as_ofs"):
        scoring_as_of(tables[2].slice(0, 6))


def test_nobody_eligible_is_not_enough(fitted: Model, tables: tuple) -> None:
    newest = scoring_as_of(tables[2])
    earlier = tables[0].filter(pc.not_equal(tables[0]["as_of"], newest))
    with pytest.raises(NotEnoughData, match="0 customers are eligible"):
        scored([earlier], newest, fitted)


def test_equal_scores_for_everybody_stop_a_list_that_goes_by_them_and_no_list_by_value(tables: tuple) -> None:
    newest, fitted = scoring_as_of(tables[2]), learnt("rule")
    features = tables[0].filter(pc.equal(tables[0]["as_of"], newest))
    place = features.schema.get_field_index(fitted.features[0])
    nobody = features.set_column(place, features.schema.field(place), pa.nulls(features.num_rows, pa.float32()))
    for order in ("model", "rule"):
        with pytest.raises(GateFault, match="every customer has the same score"):
            scored([nobody], newest, fitted, order)
    assert pc.count_distinct(scored([nobody], newest, fitted, "value")["score"]).as_py() == 1


def test_a_score_that_is_no_probability_is_a_bug(tables: tuple) -> None:
    fitted = model(*tables, **SECTIONS["rule"])
    broken = Model(**{**fitted.__dict__, "calibration": {"kind": "isotonic", "margins": [0.0], "scores": [1.5]}})
    with pytest.raises(Fault, match="between 0 and 1"):
        scored([tables[0]], scoring_as_of(tables[2]), broken)

"""LightGBM's part: the same trees on any number of threads, and several boosters in one text."""

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from model_world import LIGHTGBM, PARTS, world

from churn.core.model import boosted, boosters, contributions, margins, model, score
from churn.core.model.encoding import matrix
from churn.core.model.trees import mean_of


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


def one(tables: tuple, **changes: object) -> boosted.Model:
    return model(*tables, **{**LIGHTGBM, "seeds": 1, "refit": False, **changes})


def test_trees_are_the_same_on_one_thread_and_on_two(tables: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    on_one = one(tables, rounds_most=15)
    monkeypatch.setattr(boosters, "THREADS", 2)
    assert one(tables, rounds_most=15) == on_one


def test_boosters_trained_side_by_side_are_those_trained_one_after_the_other(
    tables: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    side_by_side = model(*tables, **LIGHTGBM)
    monkeypatch.setattr(boosters, "WORKERS", 1)
    assert model(*tables, **LIGHTGBM) == side_by_side


def test_the_margin_of_merged_boosters_is_the_mean_of_their_margins(tables: tuple) -> None:
    apart = [one(tables, seed=seed) for seed in (7, 8, 9)]
    together = model(*tables, **{**LIGHTGBM, "seeds": 3, "refit": False})
    assert len({m.body for m in apart}) == 3
    np.testing.assert_allclose(
        margins(together, tables[0]), np.mean([margins(m, tables[0]) for m in apart], axis=0), rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(
        contributions(together, tables[0]),
        np.mean([contributions(m, tables[0]) for m in apart], axis=0),
        rtol=1e-9,
        atol=1e-12,
    )
    assert together.card["rounds"] == [m.card["rounds"][0] for m in apart]


def test_merging_one_booster_changes_no_margin(tables: tuple) -> None:
    x = np.random.default_rng(3).normal(size=(800, 3))
    booster = lightgbm.train(
        {"verbosity": -1, "num_leaves": 5}, lightgbm.Dataset(x, label=x[:, 0] > x[:, 1]), num_boost_round=12
    )
    merged = lightgbm.Booster(model_str=mean_of([booster.model_to_string()]))
    assert merged.num_trees() == 12
    assert merged.predict(x, raw_score=True).tolist() == booster.predict(x, raw_score=True).tolist()


def test_merged_text_survives_lightgbm_writing_it_again(tables: tuple) -> None:
    fitted = model(*tables, **LIGHTGBM)
    again = lightgbm.Booster(model_str=lightgbm.Booster(model_str=fitted.body).model_to_string())
    x = matrix(tables[0], fitted.features, fitted.vocabulary)
    assert again.predict(x, raw_score=True).tolist() == margins(fitted, tables[0]).tolist()


def test_contributions_are_those_of_shap(tables: tuple) -> None:
    shap = pytest.importorskip("shap", reason="shap is not installed")
    fitted = model(*tables, **{**LIGHTGBM, "refit": False})
    x = matrix(tables[0].slice(0, 50), fitted.features, fitted.vocabulary)
    explained = shap.TreeExplainer(lightgbm.Booster(model_str=fitted.body)).shap_values(x)
    np.testing.assert_allclose(contributions(fitted, tables[0].slice(0, 50))[:, :-1], explained, atol=1e-6)


def test_refitting_keeps_rounds_and_slope_and_learns_from_newer_rows(tables: tuple) -> None:
    first, refitted = one(tables), one(tables, refit=True)
    assert refitted.body != first.body
    assert refitted.calibration["slope"] == first.calibration["slope"]
    assert refitted.card["rounds"] == first.card["rounds"]
    assert refitted.card["learnt_from"] == "matured"


def test_with_a_refit_the_first_seed_alone_looks_for_the_number_of_rounds(tables: tuple) -> None:
    first = one(tables)
    refitted = model(*tables, **{**LIGHTGBM, "seeds": 3})
    assert refitted.card["rounds"] == first.card["rounds"]
    assert lightgbm.Booster(model_str=refitted.body).num_trees() == 3 * first.card["rounds"][0]
    assert refitted.calibration["slope"] == first.calibration["slope"]


def test_refitting_does_not_count_a_change_of_the_base_rate_twice() -> None:
    tables = world(1500)
    snapshots, newer = tables[1], np.isin(PARTS, ["calibration", "test"])
    often = np.random.default_rng(3).random(snapshots.num_rows) < 0.5
    churned = [
        None if c is None else bool(c or (o and n))
        for c, o, n in zip(snapshots["churned"].to_pylist(), often, np.tile(newer, 1500), strict=True)
    ]
    tables = (tables[0], snapshots.set_column(2, "churned", pa.array(churned)), tables[2])
    calibration = pa.array(np.tile(np.array(PARTS) == "calibration", 1500))
    rows = tables[0].filter(calibration)
    base = np.mean(tables[1].filter(calibration)["churned"].to_pylist())
    for refit in (False, True):
        fitted = one(tables, refit=refit)
        assert score(fitted, margins(fitted, rows)).mean() == pytest.approx(base, abs=0.01)


def test_a_short_half_life_forgets_the_old_rows(tables: tuple) -> None:
    features, snapshots, split = tables
    newest = split["as_of"][2].as_py()
    turned = [
        None if c is None else (c if as_of >= newest else not c)
        for c, as_of in zip(snapshots["churned"].to_pylist(), snapshots["as_of"].to_pylist(), strict=True)
    ]
    misled = snapshots.set_column(2, "churned", pa.array(turned))
    forgetful = one((features, misled, split), half_life_days=3.0, min_data_in_leaf=40)
    right = one(tables, min_data_in_leaf=40)
    wrong = one((features, misled, split), min_data_in_leaf=40)
    agreement = [np.corrcoef(margins(m, features), margins(right, features))[0, 1] for m in (forgetful, wrong)]
    assert agreement[0] > 0.5 > agreement[1]


def test_a_model_without_any_split_gives_everybody_the_base_rate(tables: tuple) -> None:
    fitted = one(tables, min_data_in_leaf=2000, calibration="none")
    share = contributions(fitted, tables[0])
    assert np.ptp(margins(fitted, tables[0])) == 0
    assert not share[:, :-1].any()
    train = fitted.card["parts"]["train"]
    assert share[0, -1] == pytest.approx(np.log(train["churners"] / (train["rows"] - train["churners"])))

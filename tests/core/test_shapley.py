"""Shapley values of trees: LightGBM's numbers, and those of the definition, at every kind of split."""

from itertools import combinations
from math import factorial, inf, nan

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_world import LIGHTGBM, world

from churn.core import model as door
from churn.core.model import boosted
from churn.core.model.encoding import matrix
from churn.core.model.trees import mean_of
from churn.core.shapley import UnknownTreesError, contributions, forest
from churn.words.errors import IntegrityFault

COLUMNS = 6
CODES = (2, 4)
"""Columns that hold codes of categories; the second has more of them than a word of 32 bits."""
ODD = (nan, 0.0, -0.0, 1e-35, -1e-35, 1e-36, 2e-35, 1.0, -1.0, 3.0, inf, -inf, 1e30)
"""Numbers at which a comparison, a missing value or a code could go the other way."""
ODD_CODES = (nan, -1.0, -0.5, 0.0, 0.7, 31.0, 32.0, 63.9, 200.0, 2.0**31, 1e12)


def rows(n: int, seed: int, dtype: type = np.float32) -> np.ndarray:
    """Random rows with ties, zeros and missing values; columns 2 and 4 are codes."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, COLUMNS)).astype(dtype)
    x[:, 1] = np.round(x[:, 1])
    x[:, 3] *= random.random(n) < 0.5
    for j, n_codes in zip(CODES, (5, 70), strict=True):
        x[:, j] = random.integers(0, n_codes, n)
    x[random.random(x.shape) < 0.08] = np.nan
    return x


def odd_rows(n: int, seed: int) -> np.ndarray:
    """Rows that hold what no training row held."""
    random = np.random.default_rng(seed)
    x = rows(n, seed)
    strange = random.random(x.shape) < 0.3
    x[strange] = random.choice(ODD, strange.sum())
    for j in CODES:
        x[strange[:, j], j] = random.choice(ODD_CODES, strange[:, j].sum())
    return x


def trained(seed: int = 0, rounds: int = 4, *, x: np.ndarray | None = None, **parameters: object) -> lightgbm.Booster:
    x = rows(600, seed) if x is None else x
    known = np.nan_to_num(x, nan=0.7)
    y = known[:, 0] * known[:, 1] + (known[:, 2] % 3) + np.sin(known[:, 4]) - known[:, 3] ** 2
    given_ = {
        "objective": "binary",
        "verbosity": -1,
        "num_threads": 1,
        "seed": seed,
        "min_data_per_group": 5,
        **parameters,
    }
    return lightgbm.train(
        given_, lightgbm.Dataset(x, label=y > np.median(y), categorical_feature=list(CODES)), num_boost_round=rounds
    )


def ours(booster: lightgbm.Booster, x: np.ndarray, threads: int = 1) -> np.ndarray:
    return contributions(forest(booster.model_to_string()), x, threads=threads)


@given(
    seed=st.integers(0, 10**6),
    num_leaves=st.sampled_from([2, 3, 5, 15, 31, 80]),
    max_depth=st.sampled_from([-1, 1, 2, 4]),
    use_missing=st.booleans(),
    zero_as_missing=st.booleans(),
    max_cat_to_onehot=st.sampled_from([1, 4, 100]),
    min_data_in_leaf=st.sampled_from([1, 5, 40]),
    bagging_fraction=st.sampled_from([1.0, 0.6]),
)
def test_contributions_are_those_of_lightgbm_for_any_trees_and_any_rows(seed, **parameters):
    booster = trained(seed, bagging_freq=1, **parameters)
    for x in (rows(70, seed + 1), odd_rows(70, seed + 2), odd_rows(3, seed + 3).astype(np.float64)):
        wanted = booster.predict(x, pred_contrib=True)
        found = ours(booster, x)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.sum(axis=1), booster.predict(x, raw_score=True), rtol=0, atol=1e-9)


def test_the_random_models_have_every_kind_of_split():
    seen = set()
    for parameters in ({}, {"zero_as_missing": True}, {"use_missing": False}):
        seen |= set(forest(trained(1, num_leaves=40, min_data_in_leaf=3, **parameters).model_to_string()).rule.tolist())
    repeated = forest(trained(1, num_leaves=40, min_data_in_leaf=3).model_to_string()).above
    assert seen == {0, 1, 2}
    assert (repeated > 0).any()
    assert (repeated < 0).any()


def expected(tree: dict, row: np.ndarray, known: frozenset[int]) -> float:
    """Mean leaf value when only these columns of the row are known: the definition, by LightGBM's own dump."""
    if "leaf_value" in tree:
        return tree["leaf_value"]
    left, right = tree["left_child"], tree["right_child"]
    if tree["split_feature"] in known:
        return expected(left if row[tree["split_feature"]] <= tree["threshold"] else right, row, known)
    n = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    both = [expected(child, row, known) for child in (left, right)]
    return (n[0] * both[0] + n[1] * both[1]) / sum(n)


def test_contributions_are_those_of_the_definition():
    x = np.random.default_rng(5).normal(size=(400, 4))
    label = x[:, 0] * x[:, 1] + x[:, 2] > 0
    booster = lightgbm.train({"verbosity": -1, "num_leaves": 14, "objective": "binary"}, lightgbm.Dataset(x, label), 3)
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    for row, found in zip(x[:6], ours(booster, x[:6]), strict=True):
        value = {
            known: sum(expected(tree, row, known) for tree in trees)
            for size in range(5)
            for known in map(frozenset, combinations(range(4), size))
        }
        for j in range(4):
            without = [known for known in value if j not in known]
            weight = [factorial(len(known)) * factorial(3 - len(known)) / factorial(4) for known in without]
            gain = [value[known | {j}] - value[known] for known in without]
            assert found[j] == pytest.approx(np.dot(weight, gain), abs=1e-12)
        assert found[-1] == pytest.approx(value[frozenset()], abs=1e-12)


def test_contributions_are_those_of_shap_itself():
    shap = pytest.importorskip("shap", reason="shap is not installed")
    x = np.random.default_rng(6).normal(size=(500, 5))
    booster = lightgbm.train(
        {"verbosity": -1, "num_leaves": 12}, lightgbm.Dataset(x, x[:, 0] * x[:, 1] + x[:, 2]), num_boost_round=5
    )
    explainer = shap.TreeExplainer(booster)
    np.testing.assert_allclose(ours(booster, x)[:, :-1], explainer.shap_values(x), rtol=0, atol=1e-9)


def test_many_features_on_one_path_stay_exact():
    x = np.random.default_rng(7).normal(size=(3000, 40))
    booster = lightgbm.train(
        {"verbosity": -1, "num_leaves": 250, "min_data_in_leaf": 1, "feature_fraction": 0.4},
        lightgbm.Dataset(x, x.sum(axis=1)),
        num_boost_round=3,
    )
    trees = forest(booster.model_to_string())
    assert trees.n_points.max() >= 6
    np.testing.assert_allclose(
        contributions(trees, x[:100]), booster.predict(x[:100], pred_contrib=True), rtol=0, atol=1e-9
    )


def test_a_row_has_the_same_bytes_alone_in_a_batch_and_on_two_threads():
    booster = trained(3, 20, num_leaves=31)
    x = odd_rows(1100, 4)
    together = ours(booster, x)
    assert ours(booster, x, threads=2).tobytes() == together.tobytes()
    assert ours(booster, x[:0], threads=2).shape == (0, COLUMNS + 1)
    for i in (0, 1, 63, 64, 300, 1099):
        assert ours(booster, x[i : i + 1]).tobytes() == together[i : i + 1].tobytes()
    assert ours(booster, np.asfortranarray(x)).tobytes() == together.tobytes()


def test_trees_without_a_split_give_their_value_to_the_base():
    booster = trained(2, 3, min_data_in_leaf=10_000)
    found = ours(booster, rows(5, 1))
    assert not found[:, :-1].any()
    np.testing.assert_allclose(found, booster.predict(rows(5, 1), pred_contrib=True), atol=1e-12)


def test_merged_boosters_are_explained_as_lightgbm_explains_them():
    text = mean_of([trained(seed, 6, num_leaves=9).model_to_string() for seed in (1, 2, 3)])
    wanted = lightgbm.Booster(model_str=text).predict(odd_rows(90, 8), pred_contrib=True)
    np.testing.assert_allclose(contributions(forest(text), odd_rows(90, 8)), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"linear_tree": True}, "linear"),
        ({"objective": "multiclass", "num_class": 2}, "sum of its trees"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "sum of its trees"),
    ],
)
def test_other_kinds_of_models_are_refused(parameters, why):
    with pytest.raises(UnknownTreesError, match=why):
        forest(trained(**parameters).model_to_string())


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("decision_type=", "decision_type=1", "decision types"),
        ("internal_count=", "internal_count=1", "rows of a split"),
        ("leaf_count=", "no_leaf_count=", "no leaf_count"),
        ("left_child=", "left_child=9 9 9 9\nwas=", "do not make a tree"),
        ("split_feature=", "split_feature=77 77 77 77\nwas=", "no name"),
        ("split_feature=", "split_feature=1\nwas=", "of one length"),
        ("cat_boundaries=", "cat_boundaries=0 900\nwas=", "set of codes"),
    ],
)
def test_a_text_that_is_not_understood_is_refused(before, after, why):
    text = trained(num_leaves=5).model_to_string()
    assert f"\n{before}" in text
    with pytest.raises(UnknownTreesError, match=why):
        forest(text.replace(f"\n{before}", f"\n{after}"))


@pytest.mark.parametrize("shape", [(3, COLUMNS - 1), (3, COLUMNS + 1), (COLUMNS,)])
def test_rows_of_another_width_are_refused(shape):
    with pytest.raises(ValueError, match="know 6 features"):
        ours(trained(), np.zeros(shape, dtype=np.float32))


@pytest.fixture(scope="module")
def fitted() -> tuple[door.Model, pa.Table]:
    tables = world()
    return door.model(*tables, **LIGHTGBM), tables[0]


def test_the_door_gives_what_lightgbm_gives(fitted):
    model, features = fitted
    booster = lightgbm.Booster(model_str=model.body)
    wanted = booster.predict(matrix(features, model.features, model.vocabulary), pred_contrib=True)
    np.testing.assert_allclose(door.contributions(model, features), wanted, rtol=0, atol=1e-9)


def test_the_door_leaves_other_kinds_of_models_to_lightgbm():
    booster = trained(1, 5, boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    model = door.Model("lightgbm", tuple(booster.feature_name()), {}, {}, booster.model_to_string(), {}, {})
    wanted = booster.predict(rows(50, 9), pred_contrib=True)
    assert boosted.contributions(model, rows(50, 9)).tobytes() == wanted.tobytes()


def test_the_door_refuses_a_text_with_other_features():
    booster = trained(1)
    model = door.Model("lightgbm", tuple("abcdef"), {}, {}, booster.model_to_string(), {}, {})
    with pytest.raises(IntegrityFault, match="other features"):
        boosted.contributions(model, rows(50, 9))

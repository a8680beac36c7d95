"""Evaluation: out of time, beside the rule, with paired intervals and a verdict that follows declared rules."""

import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from churn.core import metrics
from churn.core.dataset import ROLE_NOUNS, Noun
from churn.core.evaluation import Evaluation, evaluation
from churn.core.evaluation.comparison import Comparison, calibrated, compare, outcome, verdict
from churn.core.evaluation.curves import at_capacity, curves, reliability
from churn.core.evaluation.influence import Influence, by_feature, by_group, influence
from churn.core.evaluation.rows import gathered
from churn.core.features.feature import Feature
from churn.core.model import contributions, margins, model, score
from churn.core.promotion import check_gate
from churn.words.errors import ConfigFault, Fault, GateFault, NotEnoughData
from tests.core.model_world import LIGHTGBM, LOGISTIC, RULE, world

CATALOGUE = (
    Feature("days_since_purchase", "purchase_silence", "purchase", "days since the last {purchase.one}",
            "距上次{purchase.zh}的天数", "days", "all history", "never", lambda h: np.zeros(1)),
    Feature("spend_90d", "spend_drop", "purchase", "spend in the last 90 days", "最近90天的消费额",
            "currency", "90 days", "", lambda h: np.zeros(1)),
)  # fmt: skip
NOUNS = ROLE_NOUNS | {"purchase": Noun("basket", "baskets", "购物")}
SECTION = {
    "currency": "EUR",
    "seed": 1,
    "bootstrap": 200,
    "interval": 0.95,
    "capacity": 30,
    "ece_most": 0.05,
    "gate": True,
    "influence_rows": 100,
    "baseline_rows": 100_000,
    "rfm": ("days_since_purchase", "spend_90d"),
    "rfm_l2": 1.0,
    "vouched": (),
    "calibration": "shrunk",
    "slices": ("spend_90d",),
    "slices_least": 20,
}


def _evaluated(features: pa.Table, *others, **section) -> Evaluation:
    return evaluation([features], *others, **section)


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world(500)


@pytest.fixture(scope="module")
def judged(tables) -> Evaluation:
    return _evaluated(*tables, model(*tables, **LIGHTGBM), catalogue=CATALOGUE, nouns=NOUNS, **SECTION)


def test_only_matured_snapshots_of_the_test_part_are_measured(tables, judged):
    features, snapshots, split = tables
    as_of = split.filter(pc.equal(split["part"], "test"))["as_of"][0]
    inside = pc.equal(snapshots["as_of"], as_of)
    churned = snapshots["churned"].filter(inside).to_numpy().astype(bool)
    learnt = model(*tables, **LIGHTGBM)
    p = score(learnt, margins(learnt, features.filter(inside)))
    assert judged.metrics["model"]["n"] == 500
    assert judged.metrics["model"]["auc"] == pytest.approx(metrics.auc(churned, p), abs=1e-6)
    assert judged.metrics["model"]["logloss"] == pytest.approx(metrics.log_loss(churned, p), abs=1e-6)


def test_outcomes_of_the_test_part_do_not_touch_the_baselines(tables):
    features, snapshots, split = tables
    learnt = model(*tables, **RULE)
    as_of = split.filter(pc.equal(split["part"], "test"))["as_of"][0]
    churned = snapshots["churned"]
    turned = pc.if_else(pc.equal(snapshots["as_of"], as_of), pc.invert(churned), churned)
    other = snapshots.set_column(2, "churned", turned)
    first, second = (
        _evaluated(features, one, split, learnt, catalogue=CATALOGUE, nouns=NOUNS, **SECTION)
        for one in (snapshots, other)
    )
    # Every outcome is turned round, so the same scores must have exactly the complementary AUC.
    for name in ("rule", "logistic"):
        assert first.metrics[name]["auc"] + second.metrics[name]["auc"] == pytest.approx(1, abs=2e-6)


def test_every_row_has_every_metric_inside_its_interval(judged):
    for name in ("model", "rule", "logistic"):
        row = judged.metrics[name]
        for metric in metrics.METRICS:
            assert row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"], (name, metric)


def test_the_rule_against_itself_differs_by_nothing_and_is_called_no_better(tables):
    found = _evaluated(*tables, model(*tables, **RULE), catalogue=CATALOGUE, nouns=NOUNS, **SECTION)
    assert set(found.metrics["difference"]["rule"].values()) == {0.0}
    assert found.metrics["verdict"]["outcome"] == "no_better"
    assert found.metrics["verdict"]["en"].startswith("No better than the best time rule (days since the last basket)")


def test_every_kind_of_model_can_be_judged(tables):
    found = _evaluated(*tables, model(*tables, **LOGISTIC), catalogue=CATALOGUE, nouns=NOUNS, **SECTION)
    assert found.metrics["kinds"] == {"model": "logistic", "rule": "days_since_purchase", "logistic": "logistic"}


def test_the_same_input_gives_the_same_bytes(tables, judged):
    again = _evaluated(*tables, model(*tables, **LIGHTGBM), catalogue=CATALOGUE, nouns=NOUNS, **SECTION)
    assert json.dumps(again.metrics) == json.dumps(judged.metrics)
    assert again.curve_files == judged.curve_files
    assert again.figure_files == judged.figure_files


def test_the_evaluation_does_not_depend_on_the_pieces_in_which_features_come(tables, judged):
    features, *others = tables
    pieces = (features.slice(start, 701) for start in range(0, features.num_rows, 701))
    found = evaluation(pieces, *others, model(*tables, **LIGHTGBM), catalogue=CATALOGUE, nouns=NOUNS, **SECTION)
    assert (found.metrics, found.curve_files, found.figure_files) == (
        judged.metrics,
        judged.curve_files,
        judged.figure_files,
    )


def test_the_baselines_learn_from_no_more_rows_than_they_may_and_from_none_of_the_test(tables):
    features, snapshots, split = tables
    as_of = split.filter(pc.equal(split["part"], "test"))["as_of"][0]
    wanted = {"rfm": SECTION["rfm"], "vouched": (), "slices": (), "influence_rows": 100, "seed": 1}
    learnt = model(*tables, **RULE)
    every, some = (gathered([features], *tables[1:], learnt, baseline_rows=n, **wanted) for n in (10_000_000, 1_000))
    assert (some.learning.num_rows, some.outcomes.num_rows) == (1_000, 1_000)
    matured = pc.and_(pc.less(snapshots["as_of"], as_of), pc.is_valid(snapshots["churned"]))
    assert every.learning.num_rows == pc.sum(matured).as_py()
    assert pc.max(some.learning["as_of"]).as_py() < as_of.as_py()


def test_features_of_other_rows_than_the_snapshots_are_refused(tables):
    features, *others = tables
    for wrong in (features.slice(1), features.slice(0, features.num_rows - 1)):
        with pytest.raises(Fault, match="rows"):
            _evaluated(wrong, *others, model(*tables, **RULE), catalogue=CATALOGUE, nouns=NOUNS, **SECTION)


def test_metrics_are_json_that_the_store_accepts(judged):
    assert json.loads(json.dumps(judged.metrics, allow_nan=False)) == judged.metrics


def test_figures_speak_of_the_feature_in_the_nouns_of_the_data_set(judged):
    english, chinese = (
        " ".join(ET.fromstring(svg).itertext()) for svg in (judged.figures["shap"], judged.figures_zh["shap"])
    )
    assert "days since the last basket" in english
    assert "距上次购物的天数" in chinese


def test_curve_files_are_csv_with_one_column_per_model(judged):
    head, first, *rest = judged.curve_files["lift.csv"].decode().splitlines()
    assert head.replace('"', "") == "share,model,rule,logistic"
    assert len(rest) == 99
    assert float(first.split(",")[0]) == 0.01


@pytest.mark.parametrize("names", ["rfm", "vouched"])
def test_an_unknown_feature_of_a_baseline_is_named_with_the_nearest_one(tables, names):
    learnt = model(*tables, **RULE)
    wrong = SECTION | {names: ("days_since_purchases",)}
    with pytest.raises(ConfigFault, match=r"days_since_purchases.*did you mean days_since_purchase\?"):
        _evaluated(*tables, learnt, catalogue=CATALOGUE, nouns=NOUNS, **wrong)


def test_the_simple_model_knows_what_somebody_vouches_for_and_nothing_else_may_tell_all(tables):
    features, snapshots, split = tables
    notice = pa.array([None if c is None else 9.0 - 9 * c for c in snapshots["churned"].to_pylist()], pa.float32())
    told = features.append_column("days_since_notice", notice)
    few = told.select([*features.column_names[:2], "days_since_purchase", "spend_90d"])
    learnt = model(few, snapshots, split, **RULE)
    about = {"catalogue": CATALOGUE, "nouns": NOUNS}
    with pytest.raises(GateFault, match=r"days_since_notice \(AUC 1\.000\)"):
        _evaluated(told, snapshots, split, learnt, **about, **SECTION | {"rfm": ("days_since_notice", "spend_90d")})
    found = _evaluated(told, snapshots, split, learnt, **about, **SECTION | {"vouched": ("days_since_notice",)})
    assert found.metrics["logistic"]["auc"] > 0.99


def test_a_test_part_of_stayers_only_is_not_enough_data(tables):
    features, snapshots, split = tables
    learnt = model(*tables, **RULE)
    as_of = split.filter(pc.equal(split["part"], "test"))["as_of"][0]
    none = pc.if_else(pc.equal(snapshots["as_of"], as_of), False, snapshots["churned"])
    with pytest.raises(NotEnoughData, match="0 of 500 customers of the test part churned"):
        evaluation(
            [features],
            snapshots.set_column(2, "churned", none),
            split,
            learnt,
            catalogue=CATALOGUE,
            nouns=NOUNS,
            **SECTION,
        )


@pytest.mark.parametrize(
    ("auc", "ap", "expected"),
    [
        ((0.01, 0.03), (0.02, 0.05), "better"),
        ((0.01, 0.03), (-0.02, 0.05), "partly_better"),
        ((-0.01, 0.03), (-0.02, 0.05), "no_better"),
        ((0.01, 0.03), (-0.05, -0.01), "no_better"),
        ((-0.03, -0.01), (-0.05, 0.01), "worse"),
    ],
)
def test_the_verdict_follows_the_intervals_of_auc_and_ap(auc, ap, expected):
    difference = {"auc_low": auc[0], "auc_high": auc[1], "ap_low": ap[0], "ap_high": ap[1]}
    assert outcome({"auc_low": 0.51}, difference, 1000, 200) == expected


@pytest.mark.parametrize(("ap_low", "still"), [(0.02, "no_better"), (-0.02, "no_better"), (-0.2, "no_better")])
def test_a_model_that_may_rank_by_chance_is_not_better_than_a_rule_below_chance(ap_low, still):
    ahead = {"auc_low": 0.01, "auc_high": 0.11, "ap_low": ap_low, "ap_high": 0.06}
    assert outcome({"auc_low": 0.492}, ahead, 1000, 200) == still


def test_a_model_that_may_rank_by_chance_is_worse_than_a_rule_that_certainly_leads():
    behind = {"auc_low": -0.11, "auc_high": -0.01, "ap_low": -0.1, "ap_high": -0.02}
    assert outcome({"auc_low": 0.48}, behind, 1000, 200) == "worse"


@pytest.mark.parametrize("churners", [1, 4, 396, 399])
def test_a_handful_of_churners_or_stayers_proves_nothing(churners):
    """One churner at the top gives every resample the same AUC, and an interval without width."""
    churned = np.arange(400) < churners
    scores = {"model": np.where(churned, 0.9, np.linspace(0.1, 0.2, 400)), "rule": np.linspace(0.1, 0.9, 400)}
    table = compare(churned, scores, np.arange(400), seed=1, bootstrap=100, interval=0.95)
    team = at_capacity(churned, scores, np.zeros(400, np.int64), 20)
    said = verdict(table, team, rule={"en": "the rule", "zh": "规则"}, interval=0.95, ece_most=0.05)
    assert table.differences["rule"]["auc_low"] > 0
    assert said["outcome"] == "no_better"
    assert (
        f"{churners} churned and {400 - churners} stayed: with fewer than 5 of either nothing is proved" in said["en"]
    )
    assert f"流失样本 {churners} 个，留存样本 {400 - churners} 个：任一类少于 5 个时" in said["zh"]


def test_probabilities_are_called_untrue_only_when_the_whole_interval_is_beyond_the_limit():
    assert calibrated({"ece": 0.04, "ece_low": 0.01}, 0.05) == "yes"
    assert calibrated({"ece": 0.07, "ece_low": 0.03}, 0.05) == "unclear"
    assert calibrated({"ece": 0.07, "ece_low": 0.06}, 0.05) == "no"


def test_a_model_that_a_planted_leak_makes_too_good_is_not_promoted(tables):
    features, snapshots, split = tables
    random = np.random.default_rng(3)
    # Twelve features that each tell a little of the outcome: none is a leak alone, together they know it.
    known = snapshots["churned"].fill_null(False).to_numpy().astype(float)
    for i in range(12):
        told = known + random.normal(0, 1, len(known))
        features = features.append_column(f"spend_after_{i}", pa.array(told, pa.float32()))
    leaky = (features, snapshots, split)
    found = _evaluated(*leaky, model(*leaky, **LIGHTGBM), catalogue=CATALOGUE, nouns=NOUNS, **SECTION).metrics
    with pytest.raises(GateFault, match=r"too good to be true \(AUC 0\.9\d\d\), so it is not promoted"):
        check_gate(found)


def test_an_honest_model_passes_the_gate_and_one_that_is_certainly_off_does_not(judged):
    check_gate(judged.metrics)
    off = judged.metrics["verdict"] | {"calibrated": "no"}
    with pytest.raises(GateFault, match="the probabilities are off"):
        check_gate(judged.metrics | {"verdict": off})


def test_a_random_score_is_not_called_better_than_another():
    random = np.random.default_rng(9)
    churned = random.random(400) < 0.2
    scores = {name: random.random(400) for name in ("model", "rule")}
    table = compare(churned, scores, np.arange(400), seed=1, bootstrap=300, interval=0.95)
    assert outcome(table.rows["model"], table.differences["rule"], 400, int(churned.sum())) == "no_better"


def test_a_paired_difference_is_surer_than_two_intervals_beside_each_other():
    random = np.random.default_rng(4)
    truth = random.beta(1, 3, 600)
    churned = random.random(600) < truth
    scores = {"model": truth, "rule": np.clip(truth + random.normal(0, 0.03, 600), 0, 1)}
    table = compare(churned, scores, np.arange(600), seed=1, bootstrap=300, interval=0.95)
    width = {name: row["auc_high"] - row["auc_low"] for name, row in table.rows.items()}
    paired = table.differences["rule"]["auc_high"] - table.differences["rule"]["auc_low"]
    assert paired < 0.5 * min(width.values())


def test_the_verdict_explains_why_a_model_ahead_of_a_bad_rule_is_no_better():
    row = {"n": 1496, "base_rate": 0.14, "auc": 0.534, "auc_low": 0.492, "auc_high": 0.576, "ap": 0.165}
    row |= {"ece": 0.023, "ece_low": 0.0, "ece_high": 0.03}
    difference = {"auc": 0.059, "auc_low": 0.011, "auc_high": 0.112, "ap": 0.028, "ap_low": 0.002, "ap_high": 0.06}
    table = Comparison({"model": row, "rule": row | {"auc": 0.475, "ap": 0.137}}, {"rule": difference})
    team = {"k": 200, "model": {"caught": 32.0}, "rule": {"caught": 22.0}}
    said = verdict(table, team, rule={"en": "the rule", "zh": "规则"}, interval=0.95, ece_most=0.05)
    assert said["outcome"] == "no_better"
    assert said["en"].startswith("No better than the best time rule (the rule): AUC 0.534 against 0.475")
    assert "may rank no better than chance: its AUC lies between 0.492 and 0.576" in said["en"]
    assert "其 AUC 介于 0.492 与 0.576 之间" in said["zh"]


def test_the_verdict_says_its_numbers_in_both_languages():
    row = {"n": 1000, "base_rate": 0.2, "auc": 0.8, "auc_low": 0.77, "ap": 0.5}
    row |= {"ece": 0.02, "ece_low": 0.0, "ece_high": 0.03}
    difference = {"auc": 0.1, "auc_low": 0.05, "auc_high": 0.15, "ap": 0.2, "ap_low": 0.1, "ap_high": 0.3}
    table = Comparison({"model": row, "rule": row | {"auc": 0.7, "ap": 0.3}}, {"rule": difference})
    team = {"k": 50, "model": {"caught": 40.0}, "rule": {"caught": 25.0}}
    said = verdict(
        table, team, rule={"en": "days since the last order", "zh": "距上次订单的天数"}, interval=0.95, ece_most=0.05
    )
    for language in ("en", "zh"):
        for number in (
            "0.800",
            "0.700",
            "+0.100",
            "+0.050",
            "+0.150",
            "0.500",
            "0.300",
            "1,000",
            "20.0%",
            "50",
            "40",
            "25",
        ):
            assert number in said[language], (language, number)
    assert "chance 10" in said["en"]


def test_curves_follow_the_list_down():
    churned = np.array([True, True, False, False, False, False, False, False, False, True])
    p = np.linspace(0.95, 0.05, 10)
    found = curves(churned, {"model": p}, np.arange(10), interval=0.95, least=1, alone=1.0)
    row = {round(r["share"], 2): r for r in found["gain"].to_pylist()}
    assert row[0.2]["model"] == pytest.approx(2 / 3, abs=1e-6)
    assert row[1.0]["model"] == 1
    lift = {round(r["share"], 2): r for r in found["lift"].to_pylist()}
    assert lift[0.2]["model"] == pytest.approx((2 / 2) / (3 / 10), abs=1e-6)
    precision = {round(r["recall"], 2): r for r in found["precision_recall"].to_pylist()}
    assert precision[0.5]["model"] == pytest.approx(1)
    assert precision[1.0]["model"] == pytest.approx(3 / 10)


def test_reliability_has_wilson_intervals():
    churned = np.array([False] * 10 + [True] * 5 + [False] * 5)
    p = np.array([0.1] * 10 + [0.5] * 10)
    found = reliability(churned, p, np.arange(20), interval=0.95, least=10, alone=1.0).to_pylist()
    assert [row["n"] for row in found] == [10, 10]
    # Wilson 1927 for 0 and for 5 of 10 at z = 1.96, as tabulated by Newcombe 1998 (Statistics in Medicine 17).
    assert (found[0]["low"], found[0]["high"]) == pytest.approx((0, 0.2775), abs=1e-4)
    assert (found[1]["low"], found[1]["high"]) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_a_team_contacts_its_capacity_at_each_as_of():
    churned = np.array([True, False, False, False, True, True])
    p = np.array([0.9, 0.8, 0.1, 0.3, 0.2, 0.2])
    as_of = np.array([0, 0, 0, 1, 1, 1])
    found = at_capacity(churned, {"model": p}, as_of, 2)
    # First date: one of two. Second date: .3 stayed, and one of the two tied churners is contacted.
    assert found == {"k": 4, "model": {"caught": 1 + 1, "precision": 2 / 4, "recall": 2 / 3}}


def test_a_capacity_beyond_the_customers_contacts_everybody():
    found = at_capacity(np.array([True, False]), {"model": np.array([0.1, 0.2])}, np.zeros(2, dtype=int), 50)
    assert found == {"k": 2, "model": {"caught": 1, "precision": 1 / 2, "recall": 1}}


def test_shap_values_equal_the_contributions_of_the_list_and_add_up_to_the_margin(tables):
    features = tables[0]
    learnt = model(*tables, **LIGHTGBM)
    sample = features.slice(0, 50)
    moved = influence(learnt, sample, most=50, seed=1)
    own = contributions(learnt, sample)
    assert moved.contributions == pytest.approx(own[:, :-1], abs=1e-6)
    assert moved.contributions.sum(axis=1) + own[:, -1] == pytest.approx(margins(learnt, sample), abs=1e-6)


def test_a_group_weighs_what_is_left_after_its_features_are_added():
    moved = Influence(
        ("days_since_purchase", "spend_90d", "plan"), np.zeros((2, 3)), np.array([[1.0, -3.0, 0.5], [-1.0, 1.0, 0.5]])
    )
    assert by_feature(moved, CATALOGUE).to_pylist() == [
        {"feature": "spend_90d", "group": "spend_drop", "mean_abs": (3 + 1) / 2},
        {"feature": "days_since_purchase", "group": "purchase_silence", "mean_abs": (1 + 1) / 2},
        {"feature": "plan", "group": "attributes", "mean_abs": (0.5 + 0.5) / 2},
    ]
    same_group = tuple(
        f if f.name == "plan" else CATALOGUE[0].__class__(**{**f.__dict__, "group": "both"}) for f in CATALOGUE
    )
    assert by_group(moved, same_group).to_pylist() == [
        {"group": "both", "mean_abs": (abs(1 - 3) + abs(-1 + 1)) / 2},
        {"group": "attributes", "mean_abs": 0.5},
    ]


def test_the_report_has_bands_intervals_and_groups_that_add_up(tables, judged):
    found = judged.metrics
    counts = [band["n"] for band in found["calibration"]["bands"]]
    assert sum(counts) == found["model"]["n"]
    assert min(counts) >= 20
    parts = found["calibration"]["brier"]
    whole = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert whole == pytest.approx(found["model"]["brier"], abs=3e-6)
    assert {"nominal", "observed", "observed_low", "observed_high", "bands", "band_size"} <= found["coverage"].keys()
    for name in ("spend_90d", "plan"):
        groups = [one for one in found["slices"] if one["attribute"] == name]
        assert sum(one["n"] for one in groups) == 500
        assert sum(one["churners"] for one in groups) == round(500 * found["model"]["base_rate"])
        assert sum(one["selected"] for one in groups) == pytest.approx(SECTION["capacity"], abs=1e-4)


def test_a_group_by_money_says_in_which_currency(tables, judged):
    """A limit without its currency could be days, or anything."""
    spending = [one for one in judged.metrics["slices"] if one["attribute"] == "spend_90d"]
    texts = [text for one in spending for text in (one["value"], one["name"]["en"], one["name"]["zh"])]
    assert texts
    assert all(re.search(r"[<≥] €[\d,]+\.\d\d$|€[\d,]+\.\d\d – €[\d,]+\.\d\d$", text) for text in texts), texts
    no_money = SECTION | {"slices": ("days_since_purchase",)}
    found = _evaluated(*tables, model(*tables, **RULE), catalogue=CATALOGUE, nouns=NOUNS, **no_money)
    assert "€" not in str(found.metrics["slices"])


def test_an_unknown_slice_is_named_with_its_key(tables):
    with pytest.raises(ConfigFault, match=r"evaluation\.slices.*spend_30d"):
        _evaluated(
            *tables, model(*tables, **RULE), catalogue=CATALOGUE, nouns=NOUNS, **SECTION | {"slices": ("spend_30d",)}
        )

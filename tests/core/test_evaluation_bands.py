"""Bands and slices of an evaluation: what 30 % means, for whom, and whom nobody may recognise."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.core import metrics
from churn.core.evaluation.bands import EDGES, bands, brier_parts, tenths
from churn.core.evaluation.coverage import coverage
from churn.core.evaluation.curves import reliability
from churn.core.evaluation.groups import grouped, kept_groups, runs
from churn.core.evaluation.slices import Judged, auc_interval, by_slice, selected, worst
from churn.words.tables import CODE


def drawn(n: int, *, seed: int = 1, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and probabilities, which are true where the slope is 1."""
    random = np.random.default_rng(seed)
    margin = random.normal(-1.5, 1.2, n)
    return random.random(n) < 1 / (1 + np.exp(-margin)), 1 / (1 + np.exp(-slope * margin))


def test_a_band_holds_its_lower_edge_and_the_last_one_also_its_upper():
    p = np.array([0.0, 0.1, 0.1999, 0.2, 1.0])
    churned = np.array([False, True, False, True, True])
    found = bands(churned, p, np.arange(5), interval=0.95, least=1)
    assert [(band["low"], band["high"], band["n"]) for band in found] == [
        (0, 0.01, 1),
        (0.1, 0.2, 2),
        (0.2, 0.3, 1),
        (0.9, 1, 1),
    ]
    assert found[1]["churned"] == 1 / 2
    assert found[1]["score"] == pytest.approx((0.1 + 0.1999) / 2)


def test_the_interval_of_a_band_is_that_of_wilson():
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263 has the 95 % interval .2553 to .3662.
    churned = np.arange(263) < 81
    (band,) = bands(churned, np.full(263, 0.33), np.arange(263), interval=0.95, least=20)
    assert (round(band["churned_low"], 4), round(band["churned_high"], 4)) == (0.2553, 0.3662)


def test_rows_of_the_same_customers_are_not_surer_than_the_customers():
    p, customers = np.full(263, 0.33), np.arange(263)
    once = bands(customers < 81, p, customers, interval=0.95, least=20)
    thrice = bands(
        np.tile(customers < 81, 3), np.tile(p, 3), np.tile(customers, 3), interval=0.95, least=20, alone=1 / 3
    )
    assert thrice == [{**once[0], "n": 3 * 263, "score": pytest.approx(0.33)}]


def test_the_reliability_curve_of_three_dates_is_as_sure_as_its_customers():
    churned, p = drawn(400)
    keys = {"interval": 0.95, "least": 20}
    once = reliability(churned, p, np.arange(400), alone=1.0, **keys)
    thrice = reliability(np.tile(churned, 3), np.tile(p, 3), np.tile(np.arange(400), 3), alone=1 / 3, **keys)
    assert thrice.drop_columns(["n"]).equals(once.drop_columns(["n"]))


def test_true_probabilities_lie_in_the_intervals_of_nearly_all_bands():
    found = bands(*drawn(20_000), np.arange(20_000), interval=0.99, least=20)
    assert sum(band["churned_low"] <= band["score"] <= band["churned_high"] for band in found) >= len(found) - 1


def test_bands_of_few_customers_are_put_together_from_the_highest_down():
    p = np.repeat([0.005, 0.015, 0.25, 0.35, 0.75, 0.95], [3, 300, 40, 5, 14, 6])
    churned = np.arange(len(p)) % 3 == 0
    found = bands(churned, p, np.arange(len(p)), interval=0.95, least=20)
    # Six above 90 % and 14 above 70 % are 20; five and 40 are 45; three are left over and join the 300 above them.
    assert [(band["low"], band["high"], band["n"]) for band in found] == [(0, 0.02, 303), (0.2, 0.4, 45), (0.7, 1, 20)]
    assert found[2]["score"] == pytest.approx((14 * 0.75 + 6 * 0.95) / 20)
    assert found[2]["churned"] == churned[-20:].mean()


def test_a_band_counts_customers_and_not_their_rows():
    p = np.repeat([0.15, 0.25], [30, 30])
    one_each = bands(p < 0.2, p, np.arange(60), interval=0.95, least=20)
    assert [band["n"] for band in one_each] == [30, 30]
    thrice = bands(p < 0.2, p, np.arange(60) // 3, interval=0.95, least=20)
    assert [(band["low"], band["high"], band["n"]) for band in thrice] == [(0.1, 0.3, 60)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 60)), min_size=1, max_size=120), st.integers(1, 25))
def test_every_run_has_enough_customers_and_every_row_is_in_one(rows: list[tuple[int, int]], least: int):
    place, customers = np.array(rows).T
    found = runs(place, customers, least)
    inside = [(place >= first) & (place <= last) for first, last in found]
    assert sum(inside).tolist() == [1] * len(rows)
    counts = [len(np.unique(customers[run])) for run in inside]
    assert min(counts) >= least or len(found) == 1


@pytest.mark.parametrize(("n", "points"), [(8, 1), (60, 2), (150, 5), (5_000, 10)])
def test_the_reliability_curve_has_no_point_of_few_customers(n: int, points: int):
    churned, p = drawn(n)
    found = reliability(churned, p, np.arange(n), interval=0.95, least=20, alone=1.0)
    assert sum(found["n"].to_pylist()) == n
    assert min(found["n"].to_pylist()) >= min(20, n)
    assert found.num_rows == points


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 300), st.integers(0, 10_000), st.floats(0.2, 3))
def test_the_parts_of_the_brier_score_add_up_to_it(n: int, seed: int, slope: float):
    churned, p = drawn(n, seed=seed, slope=slope)
    parts = brier_parts(churned, p)
    whole = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert whole == pytest.approx(metrics.brier(churned, p), abs=1e-12)


def test_with_one_probability_a_band_the_parts_are_those_of_murphy():
    p = np.repeat([0.15, 0.35], 4)
    churned = np.array([1, 0, 0, 0, 1, 1, 0, 0], bool)
    parts = brier_parts(churned, p)
    assert parts["reliability"] == pytest.approx((4 * (0.15 - 1 / 4) ** 2 + 4 * (0.35 - 2 / 4) ** 2) / 8)
    assert parts["resolution"] == pytest.approx((4 * (1 / 4 - 3 / 8) ** 2 + 4 * (2 / 4 - 3 / 8) ** 2) / 8)
    assert parts["uncertainty"] == pytest.approx(3 / 8 * 5 / 8)
    assert parts["within"] == pytest.approx(0, abs=1e-15)


def test_bands_cover_every_probability_once():
    assert (EDGES[0], EDGES[-1]) == (0, 1)
    assert (np.diff(EDGES) > 0).all()


def test_numbers_are_cut_where_quarters_end_and_equal_ones_stay_together():
    place, names = grouped(pa.chunked_array([pa.array([0, 0, 0, 5, 6, 7, 8, None], pa.float32())]), currency=None)
    assert names == ["< 5", "5 – 7", "≥ 7", "unknown"]
    assert place.tolist() == [0, 0, 0, 1, 1, 2, 2, 3]


def test_limits_of_money_have_its_currency_and_its_cents():
    spent = pa.chunked_array([pa.array([0.0, 0.0, 12.5, 1250.0], pa.float32())])
    assert grouped(spent, currency="USD")[1] == ["< $12.50", "$12.50 – $1,250.00", "≥ $1,250.00"]
    assert grouped(pa.chunked_array([pa.array([0.0])]), currency="CHF")[1] == ["CHF 0.00"]


def test_an_attribute_has_a_group_a_value_and_one_for_what_is_not_known():
    column = pa.chunked_array([pa.array(["web", "shop", None, "web"]).dictionary_encode().cast(CODE)])
    place, names = grouped(column, currency=None)
    assert [names[g] for g in place] == ["web", "shop", "unknown", "web"]


def test_no_two_groups_have_one_name():
    """Data may say "unknown" and "other" themselves, and numbers may differ in the third decimal only."""
    texts = ["unknown", None, "web", "unknown"]
    place, names = grouped(pa.chunked_array([pa.array(texts).dictionary_encode().cast(CODE)]), currency=None)
    assert (place.tolist(), names) == ([0, 0, 1, 0], ["unknown", "web"])
    texts = [*("other" for _ in range(99)), *(f"v{i:02d}" for i in range(30) for _ in range(30 - i))]
    place, names = grouped(pa.chunked_array([pa.array(texts).dictionary_encode().cast(CODE)]), currency=None)
    assert len(names) == len(set(names)) == 20
    assert int((place == names.index("other")).sum()) == 99 + sum(30 - i for i in range(19, 30))
    small = pa.chunked_array([pa.array([0.0, 0.001, 0.0015, 0.003], pa.float32())])
    assert grouped(small, currency=None)[1] == ["< 0.001", "0.001 – 0.002", "0.002 – 0.003", "≥ 0.003"]


def test_the_rarer_values_of_a_wide_attribute_are_one_group():
    texts = [f"v{i:02d}" for i in range(30) for _ in range(30 - i)]
    place, names = grouped(pa.chunked_array([pa.array(texts).dictionary_encode().cast(CODE)]), currency=None)
    assert names == [*(f"v{i:02d}" for i in range(20)), "other"]
    assert int((place == 20).sum()) == sum(30 - i for i in range(20, 30))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=8), st.integers(2, 40))
def test_no_group_below_the_limit_can_be_had_by_subtraction(counts: list[int], least: int):
    kept = kept_groups(np.repeat(np.arange(len(counts)), counts), least, np.sum)
    left = sum(counts) - sum(counts[g] for g in kept)
    assert all(counts[g] >= least for g in kept)
    assert left == 0 or left >= least or not kept


def test_two_groups_of_which_one_is_small_are_both_hidden():
    # 50 of 55: whoever knows that 50 are shown knows the other five.
    assert kept_groups(np.repeat([0, 1], [50, 5]), 20, np.sum) == []


def test_customers_who_are_in_two_hidden_groups_are_counted_once():
    # At two dates: twelve customers move from group 1 to group 2. Together these are 24 rows, and twelve customers.
    customers = np.concatenate([np.arange(72), np.arange(72)])
    place = np.repeat([0, 1, 0, 2], [60, 12, 60, 12])
    assert kept_groups(place, 20, lambda rows: len(np.unique(customers[rows]))) == []


def test_ties_at_the_border_of_the_capacity_are_shared_and_every_date_has_its_own():
    p = np.array([0.9, 0.5, 0.5, 0.5, 0.2, 0.1])
    assert selected(p, np.array([0, 0, 0, 0, 1, 1]), 2).tolist() == [1, 1 / 3, 1 / 3, 1 / 3, 1, 1]


def test_the_interval_of_an_auc_is_that_of_newcombe_and_never_a_point():
    low, high = auc_interval(0.8, 50, 50, 0.95)
    z, n = 1.959964, 50
    for end in (low, high):
        inner = 1 + (n - 1) * ((1 - end) / (2 - end) + end / (1 + end))
        assert abs(0.8 - end) == pytest.approx(z * np.sqrt(end * (1 - end) * inner / 2500), abs=1e-6)
    low, high = auc_interval(1.0, 3, 20, 0.95)
    assert low < 0.9
    assert high == 1


def test_nineteen_of_twenty_intervals_hold_the_true_auc():
    # Normal scores one apart: the true AUC is Phi(1 / sqrt(2)) = .7602. 400 draws: 95 % give or take three errors.
    random = np.random.default_rng(3)
    outcome = np.arange(80) < 20
    inside = 0
    for _ in range(400):
        found = metrics.auc(outcome, 1 / (1 + np.exp(-(random.normal(0, 1, 80) + outcome))))
        low, high = auc_interval(found, 20, 60, 0.95)
        inside += low <= 0.7602 <= high
    assert 0.917 <= inside / 400 <= 0.983


def sliced(n: int = 4_000, **keys) -> dict:
    """Two channels: in one of them the score tells nothing, and is too low."""
    churned, p = drawn(n)
    random = np.random.default_rng(8)
    phone = np.arange(n) % 4 == 0
    churned = np.where(phone, random.random(n) < 0.6, churned)
    few = np.where(np.arange(n) < 12, "fax", np.where(phone, "phone", "web"))
    columns = pa.table({"channel": pa.chunked_array([pa.array(few).dictionary_encode().cast(CODE)])})
    rows = Judged(churned, p, selected(p, np.zeros(n, np.int64), 400), np.arange(n))
    words = {"channel": {"en": "channel", "zh": "渠道"}}
    given = {"currencies": {}, "slices_least": 10, "interval": 0.95, "ece_most": 0.05, "seed": 1}
    return by_slice(rows, columns, words=words, **given | keys)


def test_the_worst_group_is_named_in_both_languages_and_so_is_the_untrue_one():
    found = sliced()["worst_slice"]
    assert (found["attribute"], found["value"]) == ("channel", "phone")
    assert found["en"].startswith("It ranks worst the customers with channel: phone (AUC 0.")
    assert found["zh"].startswith("对“渠道：phone”的客户排序最差")
    assert found["untrue"] == [{"attribute": "channel", "value": "phone"}]


def test_every_group_says_whether_its_probabilities_are_true_and_what_its_brier_score_is_made_of():
    n = 4_000
    found = {one["value"]: one for one in sliced(n, slices_least=10)["slices"]}
    churned, p = drawn(n)
    web = (np.arange(n) >= 12) & (np.arange(n) % 4 != 0)
    parts = found["web"]["brier"]
    whole = parts["reliability"] - parts["resolution"] + parts["uncertainty"] + parts["within"]
    assert whole == pytest.approx(np.mean((p[web] - churned[web]) ** 2), abs=1e-12)
    for one in found.values():
        assert sum(band["n"] for band in one["bins"]) == one["n"]
        assert sum(band["n"] * band["churned"] for band in one["bins"]) == pytest.approx(one["churners"])
        assert all(band["n"] >= 10 and "low" not in band for band in one["bins"])
    assert len(found["web"]["bins"]) == 10
    assert len(found["fax"]["bins"]) == 1  # twelve customers
    true = [band["churned_low"] <= band["score"] <= band["churned_high"] for band in found["web"]["bins"]]
    assert sum(true) >= 8
    assert found["phone"]["bins"][0]["score"] < found["phone"]["bins"][0]["churned_low"]
    assert found["phone"]["brier"]["reliability"] > 10 * parts["reliability"]


def test_a_bin_of_a_group_holds_customers_enough_where_each_has_several_rows():
    p, customers = np.linspace(0.1, 0.9, 300), np.arange(300) // 10
    found = tenths(np.arange(300) % 3 == 0, p, customers, interval=0.95, least=10, alone=0.1)
    assert [one["n"] for one in found["bins"]] == [100, 100, 100]


def test_every_group_has_a_name_in_both_languages():
    names = {one["value"]: one["name"] for one in sliced()["slices"]}
    assert names["phone"] == {"en": "channel: phone", "zh": "渠道：phone"}


def test_a_small_group_is_counted_and_neither_shown_nor_to_be_had_by_subtraction():
    found = sliced(slices_least=20)
    # The twelve of fax, and the phone customers beside whom they disappear.
    assert [one["value"] for one in found["slices"]] == ["web"]
    assert found["suppressed"] == 2


def test_the_most_selected_group_has_the_ratio_one_and_rates_follow_from_the_counts():
    found = {one["value"]: one for one in sliced()["slices"]}
    assert max(one["selection_ratio"] for one in found.values()) == 1
    for one in found.values():
        assert one["selected"] == pytest.approx(one["selection_rate"] * one["n"])
        assert one["auc_low"] <= one["auc"] <= one["auc_high"]
        assert one["ece_low"] <= one["ece"] <= one["ece_high"]


def test_where_no_group_is_certainly_worse_that_is_said():
    churned, p = drawn(400)
    half = {"n": 200, "churners": 40, "attribute": "a", "value": "x", "ece_low": 0.0, "auc_low": 0.5, "auc_high": 0.9}
    found = worst([{**half, "auc": 0.78}], metrics.auc(churned, p), {}, interval=0.95, ece_most=0.05)
    assert found["value"] is None
    assert found["en"].startswith("No group of customers is certainly ranked worse")


def test_a_group_of_stayers_only_has_no_auc():
    rows = Judged(np.arange(60) < 30, np.linspace(0.1, 0.9, 60), np.zeros(60), np.arange(60))
    column = pa.chunked_array([pa.array(["a"] * 30 + ["b"] * 30).dictionary_encode().cast(CODE)])
    keys = {"currencies": {}, "slices_least": 20, "interval": 0.95, "ece_most": 0.05, "seed": 1}
    found = by_slice(rows, pa.table({"x": column}), words={"x": {"en": "x", "zh": "x"}}, **keys)
    assert [one["auc"] for one in found["slices"]] == [None, None]
    assert [one["selection_ratio"] for one in found["slices"]] == [None, None]


def test_coverage_is_a_share_of_bands_with_its_interval_in_both_languages():
    churned, p = drawn(5_000)
    found = coverage(churned, p, p, p, 0.95)
    assert (found["bands"], found["band_size"], found["nominal"]) == (5_000 / 50, 50, 0.9)
    assert found["observed_low"] <= 0.9 <= found["observed_high"]
    assert f"{found['observed']:.0%} of 100 bands" in found["en"]
    assert "100 组" in found["zh"]


def test_intervals_of_scores_that_are_off_by_half_do_not_cover():
    churned, p = drawn(5_000)
    found = coverage(churned, p / 2, p / 2, p / 2, 0.95)
    assert found["observed_high"] < 0.6

"""The intervals of scores: exact where everything is as it says, wider where less is known, and found on later rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_world import LIGHTGBM, world

from churn.core.model import boosted, model
from churn.core.model.boosted import margins
from churn.core.model.calibration import Rows, calibrated, fit_map
from churn.core.model.encoding import matrix
from churn.core.model.intervals import (
    DEVIATION_MOST,
    NOMINAL,
    Z,
    band_rows,
    ends,
    factor,
    inside,
    left_open,
    log_odds,
    typical,
)
from churn.core.model.regression import sigmoid


def world_of(n: int, *, off: float = 0.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scores and outcomes; bands of 50 neighbours are off together, by a log-odds of this standard deviation."""
    random = np.random.default_rng(seed)
    p = np.sort(sigmoid(random.normal(-1.5, 1, n)))
    shift = np.repeat(random.normal(0, off, -(-n // 50)), 50)[:n] if off else 0.0
    return p, random.random(n) < sigmoid(log_odds(p) + shift)


KNOWN = {"centre": -1.5, "level": 0.0, "slope": 0.0, "typical": 1.0}


@pytest.mark.parametrize("size", [20, 50])
def test_where_scores_are_true_bands_without_any_width_are_covered_exactly_as_promised(size: int):
    # 4,000 bands of one score: the mean of the parts has a standard error of about half a point.
    random = np.random.default_rng(size)
    p = np.repeat(random.uniform(0.02, 0.6, 4_000), size)
    bands = [np.arange(i * size, (i + 1) * size) for i in range(4_000)]
    found = inside(random.random(len(p)) < p, p, p, p, bands)
    assert found.mean() == pytest.approx(NOMINAL, abs=0.012)


def test_where_the_true_share_is_drawn_from_the_interval_bands_are_covered_exactly_as_promised():
    random = np.random.default_rng(4)
    mean, deviation = random.uniform(0.1, 0.6, 4_000), 0.05
    certain = mean * (1 - mean) / deviation**2 - 1
    share = np.repeat(random.beta(mean * certain, (1 - mean) * certain), 50)
    p = np.repeat(mean, 50)
    bands = [np.arange(i * 50, (i + 1) * 50) for i in range(4_000)]
    churned = random.random(len(p)) < share
    assert inside(churned, p, p - Z * deviation, p + Z * deviation, bands).mean() == pytest.approx(NOMINAL, abs=0.012)
    # Who leaves the width out is found out.
    assert inside(churned, p, p, p, bands).mean() < NOMINAL - 0.05


def test_a_count_on_the_border_is_inside_in_part():
    # Of 20 with a probability of 1/2, at most 5 have a chance of 2.069 %, at most 6 one of 5.766 %: 5 % lies between.
    p = np.full(20, 0.5)
    (found,) = inside(np.arange(20) < 6, p, p, p)
    assert found == pytest.approx((0.05766 - 0.05) / (0.05766 - 0.02069), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 3), st.floats(0, 2), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_score_lies_within_its_interval_which_widens_with_all_that_is_unknown(p, spread, c, level, slope):
    found = {"centre": -1.0, "level": level, "slope": slope, "typical": 0.1, "factor": c}
    score, apart = np.array([p]), np.array([spread])
    low, high = ends(found, score, apart)
    assert 0 <= low[0] <= p <= high[0] <= 1
    for wider in ({"level": level + 0.1}, {"factor": c + 1}):
        less, more = ends({**found, **wider}, score, apart)
        assert less[0] <= low[0]
        assert more[0] >= high[0]


def test_bands_that_are_off_together_ask_for_the_factor_by_which_they_are_off():
    p, churned = world_of(20_000, off=0.5, seed=3)
    found, covered = factor(p, churned, np.ones(len(p)), KNOWN)
    assert found == pytest.approx(0.5, abs=0.15)
    assert covered >= NOMINAL


def test_true_scores_of_many_customers_ask_for_next_to_nothing():
    p, churned = world_of(20_000, seed=5)
    assert factor(p, churned, np.ones(len(p)), KNOWN)[0] <= 0.2


def test_bands_that_no_width_covers_ask_for_the_largest_factor():
    p = np.full(100, 0.02)
    found, covered = factor(p, np.ones(100, bool), np.full(100, 0.1), {**KNOWN, "typical": 0.1})
    assert found == pytest.approx(DEVIATION_MOST / 0.1)
    assert covered < NOMINAL


def test_customers_of_one_score_are_covered_in_whatever_order_their_ids_stand():
    # A model that learnt nothing gives everybody one score; ids that were given by time of joining, or by outcome.
    p, churned = np.full(2_000, 0.15), np.arange(2_000) < 300
    assert inside(churned, p, p, p).mean() == pytest.approx(NOMINAL, abs=0.1)
    found, covered = factor(p, churned, np.ones(2_000), KNOWN)
    assert found <= 0.2
    assert covered >= NOMINAL


@pytest.mark.parametrize("off", [0.0, 0.2])
@pytest.mark.parametrize("n", [200, 1_000])
def test_small_parts_find_a_factor_with_which_later_bands_are_covered_as_promised(n: int, off: float):
    # 150 worlds: the mean has a standard error of about half a point. Asking for one band more had .94 here.
    covered = []
    for seed in range(150):
        p, churned = world_of(n, off=off, seed=seed)
        found = {**KNOWN, "factor": factor(p, churned, np.ones(n), KNOWN)[0]}
        p, churned = world_of(n, off=off, seed=1_000 + seed)
        covered.append(inside(churned, p, *ends(found, p, np.ones(n))).mean())
    assert np.mean(covered) == pytest.approx(NOMINAL, abs=0.03)


def test_a_quarter_of_the_customers_leaves_twice_the_deviation_open():
    x = np.random.default_rng(1).normal(-1, 1, 8_000)
    whole, part = left_open(x), left_open(x[::4])
    assert part["level"] / whole["level"] == pytest.approx(4, rel=0.1)
    assert part["slope"] / whole["slope"] == pytest.approx(4, rel=0.2)


def test_what_is_left_open_is_the_variance_of_fitted_lines():
    random = np.random.default_rng(6)
    x = random.normal(-1, 1, 1_500)
    fitted = [fit_map(x, random.random(1_500) < sigmoid(x), kind="platt") for _ in range(150)]
    opened = left_open(x)
    levels = [one["intercept"] + one["slope"] * opened["centre"] for one in fitted]
    assert np.var(levels) == pytest.approx(opened["level"], rel=0.35)
    assert np.var([one["slope"] for one in fitted]) == pytest.approx(opened["slope"], rel=0.35)


def test_the_factor_is_found_on_rows_that_the_map_has_not_seen():
    random = np.random.default_rng(9)
    margins_of = random.normal(-1, 1, 4_000)
    churned = random.random(4_000) < sigmoid(margins_of)
    # An earlier part in which many fewer left: its map is far off on these rows, and the factor says so.
    earlier = Rows(margins_of, random.random(4_000) < sigmoid(margins_of - 1), None)
    alone = fit_map(margins_of, churned, kind="platt", later=np.arange(4_000) % 2 == 0)["interval"]
    warned = fit_map(margins_of, churned, kind="platt", earlier=earlier)["interval"]
    assert warned["factor"] > 2 * alone["factor"]
    assert {name: warned[name] for name in ("centre", "level", "slope")} == pytest.approx(
        {name: alone[name] for name in ("centre", "level", "slope")}
    )


def test_a_sample_that_keeps_churners_more_often_finds_the_factor_of_all_rows():
    random = np.random.default_rng(2)
    x = random.normal(-2, 1, 60_000)
    churned = random.random(60_000) < sigmoid(x)
    kept = churned | (random.random(60_000) < 0.25)
    weights = np.where(churned, 1.0, 4.0)[kept]
    later = np.arange(60_000) % 2 == 0
    found = fit_map(x[kept], churned[kept], kind="platt", weights=weights, later=later[kept])["interval"]
    assert found["factor"] < 0.2
    assert found["covered"] == pytest.approx(NOMINAL, abs=0.04)
    # Without the weights the scores of the sample would be far too low for it.
    p = calibrated(fit_map(x, churned, kind="platt"), x[kept])
    assert inside(churned[kept], p, p, p).mean() < 0.5


def test_bands_are_of_fifty_customers_and_of_fewer_in_a_small_part():
    assert [band_rows(n) for n in (100, 400, 800, 2_000, 1_000_000)] == [20, 20, 40, 50, 50]


def test_the_spread_is_that_of_the_boosters_whose_mean_is_the_margin():
    tables = world()
    for refit in (True, False):
        learnt = model(*tables, **{**LIGHTGBM, "refit": refit})
        x = matrix(tables[0].slice(0, 300), learnt.features, learnt.vocabulary)
        members, booster = learnt.card["members"], boosted._booster(learnt.body, learnt.features)
        assert sum(members) == booster.num_trees()
        firsts = np.cumsum([0, *members[:-1]])
        shares = [
            3 * booster.predict(x, raw_score=True, start_iteration=int(a), num_iteration=n)
            for a, n in zip(firsts, members, strict=True)
        ]
        np.testing.assert_allclose(np.mean(shares, axis=0), margins(learnt, x), rtol=1e-9)
        np.testing.assert_allclose(boosted.spread(learnt, x), np.std(shares, axis=0, ddof=1), rtol=1e-9)
        assert learnt.calibration["interval"]["typical"] > 0


def test_one_booster_alone_has_the_same_spread_everywhere():
    tables = world()
    learnt = model(*tables, **{**LIGHTGBM, "seeds": 1})
    x = matrix(tables[0].slice(0, 10), learnt.features, learnt.vocabulary)
    assert boosted.spread(learnt, x).tolist() == [1.0] * 10
    assert typical(np.ones(3)) == 1

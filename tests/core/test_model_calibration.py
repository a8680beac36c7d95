"""The map from margin to score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from churn.core.model.calibration import calibrated, fit_map, moved
from churn.core.model.regression import line, sigmoid


def drawn(n: int, *, slope: float, intercept: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    margins = random.normal(-1, 1.5, n)
    return margins, random.random(n) < sigmoid(intercept + slope * margins)


def test_platt_finds_the_line_that_the_outcomes_were_drawn_from() -> None:
    found = fit_map(*drawn(100_000, slope=0.6, intercept=-0.4), kind="platt")
    assert found["slope"] == pytest.approx(0.6, abs=0.02)
    assert found["intercept"] == pytest.approx(-0.4, abs=0.03)


def test_the_line_is_that_of_an_unpenalised_logistic_regression() -> None:
    margins, churned = drawn(5_000, slope=1.3, intercept=0.5)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(margins[:, None], churned)
    intercept, slope = line(margins, churned)
    # The pseudo-counts of one in some thousand rows move the line by less than this.
    assert slope == pytest.approx(reference.coef_[0, 0], abs=5e-3)
    assert intercept == pytest.approx(reference.intercept_[0], abs=5e-3)


@pytest.mark.parametrize("kind", ["shrunk", "platt", "beta", "isotonic"])
def test_a_calibrated_score_is_the_share_of_churners(kind: str) -> None:
    found = fit_map(*drawn(50_000, slope=0.5, intercept=-1, seed=1), kind=kind)
    margins, churned = drawn(50_000, slope=0.5, intercept=-1, seed=2)
    scores = calibrated(found, margins)
    for low, high in ((-2.5, -1.5), (-1.5, 0), (0, 1.5)):
        rows = (margins >= low) & (margins < high)
        assert scores[rows].mean() == pytest.approx(churned[rows].mean(), abs=0.015)


def test_the_shrunk_slope_has_the_greatest_posterior_density_and_the_intercept_meets_the_base_rate() -> None:
    margins, churned = drawn(300, slope=0.5, intercept=-0.5)
    found = fit_map(margins, churned, kind="shrunk")
    n, churners = len(churned), churned.sum()
    target = np.where(churned, (churners + 1) / (churners + 2), 1 / (n - churners + 2))

    def less_likely(at: np.ndarray) -> float:
        x = at[0] + at[1] * margins
        return float((np.logaddexp(0, x) - target * x).sum() + (at[1] - 1) ** 2 / (2 * 0.15**2))

    best = minimize(less_likely, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    assert [found["intercept"], found["slope"]] == pytest.approx(best, abs=1e-5)
    assert calibrated(found, margins).mean() == pytest.approx(target.mean(), abs=1e-9)


def test_few_rows_leave_a_slope_near_one_and_many_take_it_where_platt_has_it() -> None:
    def distance(n: int) -> float:
        shrunk, platt = (fit_map(*drawn(n, slope=0.5, intercept=-0.5), kind=kind) for kind in ("shrunk", "platt"))
        return (shrunk["slope"] - platt["slope"]) / (1 - platt["slope"])

    assert distance(50) > 0.7
    assert distance(100_000) < 0.01


def test_few_rows_are_scored_better_where_margins_mean_what_they_say() -> None:
    def loss(kind: str) -> float:
        losses = []
        for seed in range(40):
            found = fit_map(*drawn(200, slope=1, intercept=0, seed=seed), kind=kind)
            margins, churned = drawn(5_000, slope=1, intercept=0, seed=1_000 + seed)
            p = calibrated(found, margins)
            losses.append(-np.log(np.where(churned, p, 1 - p)).mean())
        return float(np.mean(losses))

    assert loss("none") < loss("shrunk") < loss("platt")


def test_a_sample_whose_rows_stand_for_many_is_shrunk_like_as_many_rows() -> None:
    margins, churned = drawn(200, slope=0.5, intercept=-0.5)
    alone, heavy = (fit_map(margins, churned, kind="shrunk", weights=w) for w in (None, np.full(200, 50.0)))
    assert heavy["slope"] == pytest.approx(alone["slope"], rel=1e-9)


def test_none_is_the_logistic_function() -> None:
    margins, churned = drawn(100, slope=1, intercept=0)
    assert calibrated(fit_map(margins, churned, kind="none"), np.array([0.0, np.log(3)])).tolist() == [0.5, 0.75]


@pytest.mark.parametrize("kind", ["shrunk", "platt", "beta"])
def test_a_margin_that_misleads_neither_turns_nor_ties_the_order(kind: str) -> None:
    found = fit_map(*drawn(5_000, slope=-1, intercept=0), kind=kind)
    scores = calibrated(found, np.array([-3.0, 0.0, 3.0]))
    assert scores[0] < scores[1] < scores[2]
    assert np.ptp(scores) < 0.02


def test_perfectly_separated_outcomes_stay_away_from_certainty() -> None:
    margins = np.linspace(-5, 5, 200)
    for kind in ("platt", "beta", "isotonic", "shrunk"):
        scores = calibrated(fit_map(margins, margins > 0, kind=kind), margins)
        assert 0 < scores.min() < 0.05
        assert 0.95 < scores.max() < 1


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["shrunk", "platt", "beta", "isotonic", "none"]), st.integers(0, 1000), st.floats(-2, 2))
def test_a_higher_margin_never_has_a_lower_score(kind: str, seed: int, slope: float) -> None:
    found = fit_map(*drawn(60, slope=slope, intercept=0, seed=seed), kind=kind)
    scores = calibrated(found, np.linspace(-40, 40, 200))
    assert (np.diff(scores) >= 0).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_margins_that_are_all_equal_get_the_base_rate() -> None:
    churned = np.arange(100) < 20
    for kind in ("shrunk", "platt", "beta", "isotonic"):
        scores = calibrated(fit_map(np.full(100, -1.5), churned, kind=kind), np.array([-1.5]))
        assert scores[0] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("kind", ["shrunk", "platt", "beta", "isotonic"])
def test_a_moved_map_gives_moved_margins_the_scores_that_they_had(kind: str) -> None:
    margins, churned = drawn(2_000, slope=0.8, intercept=0)
    found = fit_map(margins, churned, kind=kind)
    np.testing.assert_allclose(calibrated(moved(found, 0.7), margins + 0.7), calibrated(found, margins), rtol=1e-9)


def test_beta_finds_the_two_slopes_that_the_outcomes_were_drawn_from() -> None:
    margins = np.random.default_rng(1).normal(0, 2, 200_000)
    p = sigmoid(margins)
    churned = np.random.default_rng(2).random(len(p)) < sigmoid(-0.3 + 0.5 * np.log(p) - 1.4 * np.log(1 - p))
    found = fit_map(margins, churned, kind="beta")
    assert found["slopes"] == pytest.approx([0.5, 1.4], abs=0.03)
    assert found["intercept"] == pytest.approx(-0.3, abs=0.03)


def test_beta_with_equal_slopes_is_the_map_of_platt() -> None:
    margins, churned = drawn(100_000, slope=0.7, intercept=0.2)
    platt, beta = (fit_map(margins, churned, kind=kind) for kind in ("platt", "beta"))
    np.testing.assert_allclose(calibrated(beta, margins), calibrated(platt, margins), atol=0.01)


def test_beta_is_the_logistic_regression_of_its_paper() -> None:
    margins, churned = drawn(4_000, slope=0.6, intercept=-0.2)
    p = sigmoid(margins)
    reference = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    reference.fit(np.column_stack([np.log(p), -np.log(1 - p)]), churned)
    found = fit_map(margins, churned, kind="beta")
    # The pseudo-counts of one in some thousand rows move the slopes by less than this.
    assert found["slopes"] == pytest.approx(reference.coef_[0].tolist(), abs=0.02)


def test_a_slope_of_beta_that_would_fall_stays_at_its_border_and_the_other_is_fitted_anew() -> None:
    margins = np.random.default_rng(3).normal(0, 2, 20_000)
    p = sigmoid(margins)
    churned = np.random.default_rng(4).random(len(p)) < sigmoid(-1 - 0.4 * np.log(p) - 1.2 * np.log(1 - p))
    found = fit_map(margins, churned, kind="beta")
    assert found["slopes"][0] == 0.01
    assert found["slopes"][1] > 0.5


def _bent(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes whose log-odds rise with the margin above 0 only: no straight line is true."""
    random = np.random.default_rng(seed)
    margins = random.normal(0, 2, n)
    return margins, random.random(n) < sigmoid(-1.5 + 1.5 * np.maximum(margins, 0))


LATER = np.arange(8_000) % 2 == 1


def test_of_maps_that_are_as_good_as_each_other_the_simplest_is_chosen() -> None:
    margins, churned = drawn(8_000, slope=1, intercept=0)
    assert fit_map(margins, churned, kind="chosen", later=LATER)["kind"] == "none"
    margins, churned = drawn(8_000, slope=0.5, intercept=-0.5)
    assert fit_map(margins, churned, kind="chosen", later=LATER)["kind"] == "shrunk"


def test_a_map_that_is_certainly_better_is_chosen_and_its_figures_are_told() -> None:
    found = fit_map(*_bent(8_000, seed=5), kind="chosen", later=LATER)
    judged = found["choice"]["judged"]
    assert found["kind"] == "beta"
    assert judged["platt"]["worse"] > judged["platt"]["error"] > 0
    assert judged["beta"]["worse"] <= judged["beta"]["error"]
    assert (found["rows"], found["choice"]["rows"]) == (8_000, 4_000)


def test_the_chosen_map_is_fitted_on_all_rows_in_the_end() -> None:
    margins, churned = drawn(8_000, slope=0.5, intercept=-0.5)
    chosen, shrunk = (fit_map(margins, churned, kind=kind, later=LATER) for kind in ("chosen", "shrunk"))
    assert {name: chosen[name] for name in shrunk} == shrunk


def test_with_few_churners_nothing_is_chosen_and_that_is_said() -> None:
    margins, churned = np.linspace(-2, 2, 400), np.arange(400) % 5 == 0
    found = fit_map(margins, churned, kind="chosen", later=np.arange(400) % 2 == 1)
    assert found["kind"] == "shrunk"
    assert "40 churners" in found["choice"]["why"]


def test_rows_that_stand_for_many_decide_as_often_as_they_stand_for() -> None:
    margins, churned = drawn(4_000, slope=0.5, intercept=-0.5)
    twice = np.concatenate([np.arange(4_000), np.arange(0, 4_000, 2)])
    weights = np.where(np.arange(4_000) % 2 == 0, 2.0, 1.0)
    once, many = (
        fit_map(margins[rows], churned[rows], kind="beta", weights=w)
        for rows, w in ((np.arange(4_000), weights), (twice, None))
    )
    assert once["slopes"] == pytest.approx(many["slopes"], rel=1e-6)

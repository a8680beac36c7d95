"""The map from margin to score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from churn.core.model.calibration import calibrated, fit_map, line, moved, sigmoid


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


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_a_calibrated_score_is_the_share_of_churners(kind: str) -> None:
    found = fit_map(*drawn(50_000, slope=0.5, intercept=-1, seed=1), kind=kind)
    margins, churned = drawn(50_000, slope=0.5, intercept=-1, seed=2)
    scores = calibrated(found, margins)
    for low, high in ((-2.5, -1.5), (-1.5, 0), (0, 1.5)):
        rows = (margins >= low) & (margins < high)
        assert scores[rows].mean() == pytest.approx(churned[rows].mean(), abs=0.015)


def test_none_is_the_logistic_function() -> None:
    margins, churned = drawn(100, slope=1, intercept=0)
    assert calibrated(fit_map(margins, churned, kind="none"), np.array([0.0, np.log(3)])).tolist() == [0.5, 0.75]


def test_a_margin_that_misleads_neither_turns_nor_ties_the_order() -> None:
    found = fit_map(*drawn(5_000, slope=-1, intercept=0), kind="platt")
    scores = calibrated(found, np.array([-3.0, 0.0, 3.0]))
    assert scores[0] < scores[1] < scores[2]
    assert np.ptp(scores) < 0.02


def test_perfectly_separated_outcomes_stay_away_from_certainty() -> None:
    margins = np.linspace(-5, 5, 200)
    for kind in ("platt", "isotonic"):
        scores = calibrated(fit_map(margins, margins > 0, kind=kind), margins)
        assert 0 < scores.min() < 0.05
        assert 0.95 < scores.max() < 1


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["platt", "isotonic", "none"]), st.integers(0, 1000), st.floats(-2, 2))
def test_a_higher_margin_never_has_a_lower_score(kind: str, seed: int, slope: float) -> None:
    found = fit_map(*drawn(60, slope=slope, intercept=0, seed=seed), kind=kind)
    scores = calibrated(found, np.linspace(-40, 40, 200))
    assert (np.diff(scores) >= 0).all()
    assert scores.min() >= 0
    assert scores.max() <= 1


def test_margins_that_are_all_equal_get_the_base_rate() -> None:
    churned = np.arange(100) < 20
    for kind in ("platt", "isotonic"):
        scores = calibrated(fit_map(np.full(100, -1.5), churned, kind=kind), np.array([-1.5]))
        assert scores[0] == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("kind", ["platt", "isotonic"])
def test_a_moved_map_gives_moved_margins_the_scores_that_they_had(kind: str) -> None:
    margins, churned = drawn(2_000, slope=0.8, intercept=0)
    found = fit_map(margins, churned, kind=kind)
    np.testing.assert_allclose(calibrated(moved(found, 0.7), margins + 0.7), calibrated(found, margins), rtol=1e-9)

"""Intervals: resampling customers with all their rows, paired between models."""

import numpy as np
import pytest

from churn.core import metrics
from churn.core.resamples import interval_of, replicates


def world(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.beta(1, 4, n)
    return generator.random(n) < truth, truth


def test_replicates_equal_metrics_of_rows_drawn_one_by_one():
    churned, p = world(40, seed=1)
    customers = np.arange(40) // 2  # two rows each
    found = replicates(churned, {"model": p}, customers, bootstrap=7, seed=3)["model"]
    generator = np.random.default_rng(3)
    for i, drawn in enumerate(generator.integers(0, 20, size=(7, 20))):
        rows = np.concatenate([np.flatnonzero(customers == c) for c in drawn])
        expected = metrics.metrics(churned[rows], p[rows])
        assert {name: values[i] for name, values in found.items()} == pytest.approx(expected, abs=1e-12)


def test_all_models_meet_the_same_resamples():
    churned, p = world(200, seed=2)
    found = replicates(churned, {"one": p, "two": p.copy()}, np.arange(200), bootstrap=20, seed=5)
    for name in metrics.METRICS:
        assert np.array_equal(found["one"][name], found["two"][name])


def test_the_same_seed_gives_the_same_replicates_and_another_seed_others():
    churned, p = world(100, seed=2)
    first, again, other = (replicates(churned, {"m": p}, np.arange(100), bootstrap=9, seed=s)["m"] for s in (1, 1, 2))
    assert np.array_equal(first["auc"], again["auc"])
    assert not np.array_equal(first["auc"], other["auc"])


def test_rows_of_the_same_customer_widen_the_interval():
    churned, p = world(300, seed=4)
    alone = replicates(churned, {"m": p}, np.arange(300), bootstrap=400, seed=1)["m"]["auc"].std()
    fourfold = replicates(np.tile(churned, 4), {"m": np.tile(p, 4)}, np.tile(np.arange(300), 4), bootstrap=400, seed=1)
    assert fourfold["m"]["auc"].std() == pytest.approx(alone, rel=0.15)


def test_the_spread_of_auc_agrees_with_hanley_and_mcneil():
    churned, p = world(2000, seed=6)
    auc = metrics.auc(churned, p)
    # Standard error by Hanley and McNeil 1982, equation 1, with their exponential approximation of Q1 and Q2.
    n1, n2 = churned.sum(), (~churned).sum()
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    formula = np.sqrt((auc * (1 - auc) + (n1 - 1) * (q1 - auc**2) + (n2 - 1) * (q2 - auc**2)) / (n1 * n2))
    found = replicates(churned, {"m": p}, np.arange(2000), bootstrap=500, seed=1)["m"]["auc"].std()
    assert found == pytest.approx(formula, rel=0.15)


def test_the_percentile_interval_leaves_out_equal_tails():
    assert interval_of(50.0, np.arange(101.0), 0.9) == pytest.approx((5, 95))


def test_a_resample_with_one_outcome_is_left_out_of_the_interval():
    assert interval_of(1.0, np.array([0.0, np.nan, 2.0]), 0.5) == pytest.approx((0.5, 1.5))


def test_the_pivotal_interval_is_mirrored_cut_at_zero_and_holds_the_estimate():
    noisy = np.linspace(0.03, 0.05, 101)  # every resample exceeds the estimate
    assert interval_of(0.02, noisy, 1.0, pivotal=True) == pytest.approx((0, 0.02))
    centred = np.linspace(0.08, 0.13, 101)
    assert interval_of(0.10, centred, 1.0, pivotal=True) == pytest.approx((0.07, 0.12))

"""Metrics against sums done by hand, and against scikit-learn on random worlds full of ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churn.core import metrics
from churn.words.errors import Fault, NotEnoughData

# Ten customers, the highest score first; two pairs and one triple share a score.
P = np.array([0.9, 0.8, 0.8, 0.6, 0.5, 0.5, 0.5, 0.2, 0.1, 0.1])
CHURNED = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 1], dtype=bool)


def worlds(most: int = 60) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Outcomes of both kinds, and scores in steps of 5 %, so that ties abound."""
    rows = st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=most)
    mixed = rows.filter(lambda r: len({outcome for outcome, _ in r}) == 2)
    return mixed.map(lambda r: (np.array([x[0] for x in r]), np.array([x[1] for x in r]) / 20))


def test_auc_counts_pairs_won_and_half_of_the_pairs_tied():
    # Churners at .9, .8, .5, .1 against the six others: won, and half of what is tied.
    won = 6 + (5 + 1 / 2) + (2 + 2 / 2) + (0 + 1 / 2)
    assert metrics.auc(CHURNED, P) == won / (4 * 6)


def test_average_precision_adds_recall_times_precision_at_each_distinct_score():
    by_hand = 1 / 4 * 1 / 1 + 1 / 4 * 2 / 3 + 1 / 4 * 3 / 7 + 1 / 4 * 4 / 10
    assert metrics.average_precision(CHURNED, P) == pytest.approx(by_hand, rel=1e-12)


def test_brier_and_log_loss_are_means_over_the_rows():
    squares = 0.1**2 + 0.2**2 + 0.8**2 + 0.6**2 + 3 * 0.5**2 + 0.2**2 + 0.1**2 + 0.9**2
    assert metrics.brier(CHURNED, P) == pytest.approx(squares / 10, rel=1e-12)
    product = 0.9 * 0.8 * 0.2 * 0.4 * 0.5**3 * 0.8 * 0.9 * 0.1
    assert metrics.log_loss(CHURNED, P) == pytest.approx(-np.log(product) / 10, rel=1e-12)


def test_calibration_error_keeps_tied_rows_in_the_bin_of_their_middle_rank():
    # Each distinct score has a bin of its own here, so the error is the mean of |churners - sum of scores|.
    by_hand = abs(1 - 0.9) + abs(1 - 1.6) + abs(0 - 0.6) + abs(1 - 1.5) + abs(0 - 0.2) + abs(1 - 0.2)
    assert metrics.calibration_error(CHURNED, P) == pytest.approx(by_hand / 10, rel=1e-12)


def test_calibration_error_has_ten_bins_of_equal_count():
    p = np.linspace(0.001, 0.999, 1000)
    churned = np.arange(1000) % 2 == 0
    place = metrics.bins(p)
    assert np.bincount(place).tolist() == [100] * 10
    assert np.bincount(place, churned).tolist() == [50] * 10
    by_hand = sum(100 * abs(0.5 - p[place == i].mean()) for i in range(10)) / 1000
    assert metrics.calibration_error(churned, p) == pytest.approx(by_hand, rel=1e-12)


def test_bins_start_with_the_lowest_scores_and_leave_out_empty_ones():
    place, n = np.unique(metrics.bins(P), return_counts=True)
    assert n.tolist() == [2, 1, 3, 1, 2, 1]
    assert [P[metrics.bins(P) == i].mean() for i in place] == pytest.approx([0.1, 0.2, 0.5, 0.6, 0.8, 0.9])


def test_lift_counts_a_tie_at_the_border_in_expectation():
    # The top tenth is one customer: .9, a churner. The top fifth is .9 and one of the two at .8, one of whom churned.
    assert metrics.lift(CHURNED, P) == pytest.approx((1 / 1) / (4 / 10))
    assert metrics.lift(CHURNED, P, share=0.2) == pytest.approx(((1 + 1 / 2) / 2) / (4 / 10))


def test_lift_of_equal_scores_is_one_whatever_the_order_of_rows():
    assert metrics.lift(CHURNED, np.full(10, 0.4)) == pytest.approx(1)


def test_a_tenth_of_fifteen_customers_is_one_and_a_half():
    churned = np.array([True, True] + [False] * 13)
    p = np.linspace(0.9, 0.1, 15)
    assert metrics.lift(churned, p) == pytest.approx((1.5 / 1.5) / (2 / 15))


def test_caught_follows_the_list_down_and_breaks_ties_by_lot():
    found = metrics.caught(CHURNED, P, np.array([0, 1, 2, 3, 5, 10]))
    assert found.tolist() == pytest.approx([0, 1, 1 + 1 / 2, 2, 2 + 1 / 3, 4])


def test_recall_depth_is_the_shortest_list_that_holds_the_wanted_churners():
    depth = metrics.recall_depth(CHURNED, P, np.array([0.25, 0.5, 0.75, 1.0]))
    assert depth.tolist() == pytest.approx([1, 3, 7, 10])


def test_base_rate_is_the_share_of_churners():
    assert metrics.base_rate(CHURNED, P) == 4 / 10


def test_one_outcome_only_is_not_enough_data():
    with pytest.raises(NotEnoughData, match="0 of 3 customers churned"):
        metrics.metrics(np.zeros(3, dtype=bool), np.array([0.1, 0.2, 0.3]))


@pytest.mark.parametrize("wrong", [np.nan, -0.01, 1.01])
def test_a_score_that_is_no_probability_is_a_fault(wrong: float):
    with pytest.raises(Fault, match="1 of 2 scores are not between 0 and 1"):
        metrics.auc(np.array([True, False]), np.array([0.5, wrong]))


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_metrics_equal_those_of_scikit_learn(world: tuple[np.ndarray, np.ndarray]):
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    churned, p = world
    assert metrics.auc(churned, p) == pytest.approx(roc_auc_score(churned, p), abs=1e-12)
    assert metrics.average_precision(churned, p) == pytest.approx(average_precision_score(churned, p), abs=1e-12)
    assert metrics.log_loss(churned, p) == pytest.approx(log_loss(churned, p), rel=1e-9)
    assert metrics.brier(churned, p) == pytest.approx(brier_score_loss(churned, p), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_metric(world: tuple[np.ndarray, np.ndarray], chance):
    churned, p = world
    other = list(range(len(p)))
    chance.shuffle(other)
    assert metrics.metrics(churned[other], p[other]) == pytest.approx(metrics.metrics(churned, p), abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(worlds(), st.integers(0, 2**32 - 1))
def test_a_row_that_counts_n_times_equals_n_rows(world: tuple[np.ndarray, np.ndarray], seed: int):
    churned, p = world
    times = np.random.default_rng(seed).integers(0, 4, len(p))
    repeated_churned, repeated_p = np.repeat(churned, times), np.repeat(p, times)
    if not repeated_churned.any() or repeated_churned.all():
        return
    rows = metrics.falling(churned, p)
    found = metrics.counted(rows, times[rows.order][None, :].astype(np.float64))
    weighted = {name: float(metric(found)[0]) for name, metric in metrics.METRICS.items()}
    assert weighted == pytest.approx(metrics.metrics(repeated_churned, repeated_p), abs=1e-12)

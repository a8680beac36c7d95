"""The models of a customer's own history: counts, own mean, BG/NBD."""

import gzip
import json
import os
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from model_world import BG_NBD, OWN_MEAN, world

from churn.core.model import bg_nbd, frequency, margins, model
from churn.core.model.frequency import Counts
from churn.core.model.parts import Part
from churn.words.errors import NotEnoughData

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
"""Fader, Hardie and Lee (2005), table 1: the CDNOW sample, 39 weeks, time in weeks."""
TENTHS = {"r": 0.041, "alpha": 0.090, "a": 0.245, "b": 0.291}
"""Standard deviation of the logarithm of each parameter over the ten tenths of the cohort, customers k, k + 10, ... of
the file, each fitted with `most_likely`: by so much does a sample of 2,357 differ from the cohort by chance."""
ROOT = Path(__file__).parents[2]
CDNOW = Path(os.environ.get("CHURN_SHARED_DATA") or ROOT.parent / "shared/data") / "cdnow/cdnow_master.csv.gz"


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


def history(*rows: tuple) -> pa.Table:
    """FEATURES of customers given as active days, days of silence, and its share of the days since the first act."""
    names = frequency.columns("purchase")
    return pa.table({name: pa.array([row[j] for row in rows], pa.float32()) for j, name in enumerate(names)})


def cohort() -> Counts:
    """All customers of CDNOW, of whom the paper drew a tenth: repeat days up to 1997-09-30, in weeks."""
    days: dict[str, set[date]] = {}
    with gzip.open(CDNOW, "rt") as lines:
        next(lines)
        for line in lines:
            customer, day, *_ = line.split(",")
            days.setdefault(customer, set()).add(date.fromisoformat(day))
    end, found = date(1997, 9, 30), []
    for bought in days.values():
        known = sorted(day for day in bought if day <= end)
        found.append((len(known) - 1, (known[-1] - known[0]).days / 7, (end - known[0]).days / 7))
    return Counts(*np.array(found).T)


def test_counts_are_repeats_days_to_the_last_act_and_days_since_the_first() -> None:
    x = np.array([[3, 10, 0.25], [1, 40, 1.0], [0, np.nan, np.nan]])
    found = frequency.counts(x)
    np.testing.assert_array_equal(found.repeats, [3 - 1, 1 - 1, np.nan])
    np.testing.assert_array_equal(found.last_days, [40 - 10, 0, np.nan])
    np.testing.assert_array_equal(found.age_days, [10 / 0.25, 40, np.nan])


@pytest.mark.skipif(not CDNOW.is_file(), reason="the CDNOW data are not at hand")
def test_the_cohort_has_the_parameters_of_the_papers_sample_of_it() -> None:
    found = bg_nbd.most_likely(cohort())
    apart = {name: abs(np.log(found[name] / PUBLISHED[name])) for name in bg_nbd.PARAMETERS}
    # Two standard deviations; measured: .035, .082, .092, .116.
    assert all(apart[name] <= 2 * TENTHS[name] for name in apart), apart


def test_who_has_bought_twice_more_in_39_weeks_is_alive_with_the_probability_of_the_paper() -> None:
    # Customer 0001 of the authors' spreadsheet (Implementing the BG/NBD model in Excel, 2005): x 2, t_x 30.43, T 38.86.
    customer = Counts(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    # So far ahead, that whoever is alive buys.
    silent = bg_nbd.log_odds(PUBLISHED, customer, 1e9)
    assert 1 - 1 / (1 + np.exp(-silent[0])) == pytest.approx(0.7266, abs=2e-4)


def test_buying_at_random_is_simulated_as_often_as_the_formula_says() -> None:
    random, n, horizon = np.random.default_rng(5), 200_000, 20.0
    r, alpha, a, b = 0.8, 12.0, 0.9, 2.5
    rate, leave = random.gamma(r, 1 / alpha, n), random.beta(a, b, n)
    age, again = np.full(n, 40.0), np.zeros(n)
    repeats, last, now, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, bool)
    while (alive & (now < age + horizon)).any():
        now = np.where(alive, now + random.exponential(1 / rate), np.inf)
        repeats += now < age
        last = np.where(now < age, now, last)
        again += (now >= age) & (now < age + horizon)
        alive &= (random.random(n) >= leave) & (now < age + horizon)
    done = Counts(repeats, last, age)
    none = 1 / (1 + np.exp(-bg_nbd.log_odds({"r": r, "alpha": alpha, "a": a, "b": b}, done, horizon)))
    for low, high in ((0, 0), (1, 1), (2, 4), (5, 100)):
        some = (repeats >= low) & (repeats <= high)
        assert none[some].mean() == pytest.approx((again[some] == 0).mean(), abs=3 / np.sqrt(some.sum()))
    found = bg_nbd.most_likely(Counts(repeats[:50_000], last[:50_000], age[:50_000]))
    assert [found[name] for name in bg_nbd.PARAMETERS] == pytest.approx([r, alpha, a, b], rel=0.15)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    done = Counts(np.array([0.0, 2, 7]), np.array([0.0, 0.5, 1.2]), np.array([0.7, 0.9, 1.3]))
    given = (done.repeats, np.arange(3), done.last_days, done.age_days, np.array([0.2, 0.5, 0.3]))
    at = np.array([-0.3, 0.4, 0.1, 0.7])
    slopes = [(bg_nbd._loss(at + e, *given)[0] - bg_nbd._loss(at - e, *given)[0]) / 2e-5 for e in 1e-5 * np.eye(4)]
    np.testing.assert_allclose(bg_nbd._loss(at, *given)[1], slopes, atol=1e-7)


def test_own_mean_is_silence_at_the_own_rate(tables: tuple) -> None:
    fitted = model(*tables, **OWN_MEAN)
    rows = history((4, 56, 0.5), (1, 14, 1.0), (0, None, None))
    found = margins(fitted, rows)
    # Horizon 28 days: 4 active days in 112 are 1 expected; 1 in 14 days counts as 1 in 28.
    assert found[:2] == pytest.approx([-np.log(np.exp(1) - 1), -np.log(np.exp(1) - 1)], rel=1e-6)
    assert found[2] == json.loads(fitted.body)["never"]


def test_who_never_acted_has_the_log_odds_of_the_snapshots_that_a_sample_stands_for() -> None:
    # Of 300 who never acted 100 left; a sample has every leaver and every tenth stayer, and so it is with the others.
    churned = np.repeat([True, False, True, False], [100, 20, 100, 20])
    x = np.repeat([[0, np.nan, np.nan], [3, 10, 0.25]], 120, axis=0)
    weights = np.where(churned, 1.0, 10.0)
    rows = Part(x, np.arange(240), churned, np.zeros(240, np.int64), weights)
    assert frequency.never_acted(rows, x) == pytest.approx(np.log(1 / 2), abs=0.01)


def test_longer_silence_of_the_same_buyer_is_a_higher_risk(tables: tuple) -> None:
    fitted = model(*tables, **BG_NBD)
    found = margins(fitted, history(*((5, days, days / (100 + days)) for days in (1, 10, 30, 90, 365))))
    assert (np.diff(found) > 0).all()


def test_the_median_customer_is_explained_by_the_base_alone(tables: tuple) -> None:
    fitted = model(*tables, **BG_NBD)
    body = json.loads(fitted.body)
    median = history(tuple(body["reference"]))
    x = median.to_pandas().to_numpy()
    np.testing.assert_allclose(bg_nbd.contributions(fitted, x)[0, :3], 0, atol=1e-12)


def test_the_role_that_ranks_best_is_taken(tables: tuple) -> None:
    features = tables[0]
    random = np.random.default_rng(3).permutation(features.num_rows)
    for bought, used in zip(frequency.columns("purchase"), frequency.columns("usage"), strict=True):
        features = features.append_column(used, features[bought])
        place = features.column_names.index(bought)
        features = features.set_column(place, bought, features[bought].take(pa.array(random)))
    assert model(features, *tables[1:], **OWN_MEAN).features == frequency.columns("usage")


def test_no_role_that_anybody_has_is_not_enough(tables: tuple) -> None:
    with pytest.raises(NotEnoughData, match="in any of the roles usage"):
        model(*tables, **{**OWN_MEAN, "roles": ("usage",)})

"""The leak defence catches every planted leak and says nothing of clean worlds."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from churn.core.leaks import learns_from_noise, too_good
from churn.core.leaks.telltale import band, telling_features, values_of_today
from churn.words.tables import CODE, INSTANT
from tests.core import model_world
from tests.core.leak_worlds import LEAKS, alarms, caught, honest

CATCHES = {
    "boundary": "sees_the_future",
    "statistics over all time": "sees_the_future",
    "attribute of today": "value_of_today",
    "cancellation ticket": "event_type",
    "retention call": "event_type",
    "newest event as now": "sees_the_future",
    "deduplication across as_of": "sees_the_future",
    "late events": "sees_the_future",
    "order of ids": "id_order",
    "overlapping label windows": "overlapping_windows",
}
"""Which check is meant for which leak."""


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_caught_by_the_check_that_is_meant_for_it_and_its_clean_twin_raises_nothing(leak):
    leaky, clean = caught(leak, seed=11)
    assert CATCHES[leak] in {alarm.check for alarm in leaky}, [alarm.en for alarm in leaky]
    assert [alarm.en for alarm in clean] == []


@pytest.mark.parametrize("seed", range(20, 25))
def test_clean_worlds_raise_nothing(seed):
    assert [alarm.en for alarm in alarms(honest(seed))] == []


def test_a_feature_is_honest_while_it_leaves_a_third_of_what_the_best_time_rule_leaves():
    assert [band(a) for a in (0.5, 0.7, 0.85)] == [round(1 - 0.5 / 3, 4), 0.9, 0.95]


def test_a_model_may_leave_a_quarter_of_what_a_simple_one_leaves():
    assert too_good(0.949, 0.8) == []
    (alarm,) = too_good(0.951, 0.8)
    assert (alarm.check, alarm.limit) == ("too_good", pytest.approx(0.95))
    assert "look when it is recorded" in alarm.en


def table(numbers: dict[str, np.ndarray]) -> pa.Table:
    """FEATURES of as many customers as there are numbers, at one date."""
    n = len(next(iter(numbers.values())))
    keys = {"customer_id": [f"c{i:04}" for i in range(n)], "as_of": pa.array(np.zeros(n, np.int64)).cast(INSTANT)}
    return pa.table(keys | {name: pa.array(values.astype(np.float32)) for name, values in numbers.items()})


def test_a_feature_that_ranks_churners_beyond_the_honest_band_is_named_with_its_auc():
    rng = np.random.default_rng(1)
    churned = rng.random(1000) < 0.2
    silence, tickets = (rng.random(1000) + more * churned for more in (0.5, 2.0))
    numbers = {"days_since_purchase": silence, "closed_tickets": tickets}
    (alarm,) = telling_features(table(numbers), churned, ["days_since_purchase"], [])
    assert (alarm.check, alarm.name) == ("single_feature", "closed_tickets")
    assert alarm.en.startswith("closed_tickets alone ranks churners with AUC 1.000 at 1970-01-01")


def test_a_feature_that_is_null_exactly_for_churners_is_named():
    rng = np.random.default_rng(2)
    churned = rng.random(1000) < 0.2
    numbers = {"satisfaction": np.where(churned & (rng.random(1000) < 0.5), np.nan, rng.random(1000))}
    alarms = telling_features(table(numbers), churned, [], [])
    assert {alarm.check for alarm in alarms} >= {"null_pattern"}
    assert "satisfaction is null, 100.0% churn" in next(a.en for a in alarms if a.check == "null_pattern")


@pytest.mark.parametrize("share", [0.02, 0.2, 0.77])
def test_honest_nulls_and_small_groups_raise_nothing(share):
    rng = np.random.default_rng(3)
    churned = rng.random(2000) < share
    rare = np.full(2000, np.nan)
    rare[np.flatnonzero(churned)[:15]] = 1.0
    numbers = {"honest": np.where(rng.random(2000) < np.where(churned, 0.6, 0.3), np.nan, 1.0), "rare": rare}
    assert telling_features(table(numbers), churned, [], []) == []


def test_a_time_feature_that_no_model_may_learn_from_is_named_unless_somebody_vouches_for_it():
    churned = np.random.default_rng(1).random(1000) < 0.2
    numbers = {"days_since_contact": np.where(churned, 5.0, np.nan), "days_since_purchase": np.ones(1000)}
    times = ["days_since_contact", "days_since_purchase"]
    alarms = telling_features(table(numbers), churned, times, [])
    assert {(alarm.check, alarm.name) for alarm in alarms} == {("single_feature", "days_since_contact")}
    assert telling_features(table(numbers), churned, times, ["days_since_contact"]) == []


def test_an_attribute_that_is_filled_in_only_for_those_who_left_is_named_though_no_value_of_it_is_frequent():
    # Of 600 customers, 360 left; half of these have a reason for leaving from the start, one of nine.
    rng, n = np.random.default_rng(4), 600
    left = np.arange(n) < 360
    told = left & (rng.random(n) < 0.5)
    reason = [f"reason {rng.integers(9)}" if one else None for one in told]
    stays = np.flatnonzero(~left)
    ids = [f"c{i:04}" for i in range(n)]
    late = 200 * 86_400_000_000
    features = pa.table(
        {
            "customer_id": [*ids, *(ids[i] for i in stays)],
            "as_of": pa.array([*([0] * n), *([late] * len(stays))], pa.int64()).cast(INSTANT),
            "reason": pa.array([*reason, *(reason[i] for i in stays)]).cast(CODE),
        }
    ).sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    (alarm,) = values_of_today(features)
    assert (alarm.check, alarm.name) == ("value_of_today", "reason")
    assert "reason is filled in from the start, 100.0% churn" in alarm.en


def test_a_model_that_learns_from_the_test_part_ranks_shuffled_outcomes_and_is_caught():
    features, snapshots, split = model_world.world(600)
    section = model_world.LIGHTGBM | {"seeds": 1, "num_leaves": 31, "min_data_in_leaf": 2, "refit": False}
    assert learns_from_noise(features, snapshots, split, section, shuffle_seed=1) == []
    test = split.filter(pc.equal(split["part"], "test"))
    both = pa.concat_tables([split, test.set_column(1, split.schema.field("part"), pa.array(["train"]))])
    (alarm,) = learns_from_noise(features, snapshots, both, section, shuffle_seed=1)
    assert alarm.check == "learns_from_noise"
    assert "the test part is known" in alarm.en

"""Tuning: folds in the order of time that never reach the test, and losses that only depend on them."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.definitions import inactivity
from churn.core.model.enough import MANY
from churn.core.model.parts import learning
from churn.core.timeline import instants
from churn.core.tuning import confirmed, dates, folds, in_use, losses, space
from churn.words.errors import NotEnoughData
from churn.words.settings import Choice
from tests.core.model_world import LIGHTGBM, world
from tests.core.test_split import parts

SECTION = LIGHTGBM | {"seeds": 2, "rounds_most": 30}


def folds_of(tables, most=3):
    features, snapshots, split = tables
    known = learning(features, snapshots, split, rows_most=None, seed=7, least=MANY)
    return folds(known, split, {"max_bin": SECTION["max_bin"]}, folds=most, time_zone="Europe/Berlin")


@pytest.fixture(scope="module")
def made():
    return folds_of(world())


def loss_of(some, **values):
    return [found.loss for found in losses(some, SECTION, in_use(SECTION) | values)]


@given(every=st.integers(1, 40), horizon=st.integers(1, 90), wanted=st.integers(1, 6))
def test_a_fold_knows_only_outcomes_that_were_known_on_its_date_and_nothing_of_the_test(every, horizon, wanted):
    shop = inactivity(kind="inactivity", live_days=30, gap_days=0, horizon_days=horizon, roles=("purchase",))
    split = parts(shop, every=every, n=8 * (horizon // every + 2))
    until = dict(zip(instants(split["as_of"]).tolist(), instants(split["outcome_until"]).tolist(), strict=True))
    tested = min(instants(split.filter(pc.equal(split["part"], "test"))["as_of"]).tolist())
    confirming, *searched = dates(split, folds=wanted)
    assert len(searched) <= wanted
    assert until[confirming.as_of] <= tested
    assert confirming.as_of == max(date for date in until if until[date] <= tested)
    for one in (confirming, *searched):
        assert all(until[date] <= one.as_of for date in one.learnt)
        assert one.learnt
    # Whatever the search has seen was known before the date that confirms it.
    assert all(until[one.as_of] <= confirming.as_of for one in searched)
    assert all(newer.as_of > older.as_of for newer, older in itertools.pairwise(searched))


def test_outcomes_of_the_test_part_change_no_loss(made):
    features, snapshots, split = world()
    tested = split.filter(pc.equal(split["part"], "test"))["as_of"].combine_chunks()
    inside = pc.is_in(snapshots["as_of"], value_set=tested)
    other = pc.if_else(inside, pc.invert(snapshots["churned"]), snapshots["churned"])
    turned = snapshots.set_column(snapshots.schema.get_field_index("churned"), "churned", other)
    assert loss_of(made[1:]) == loss_of(folds_of((features, turned, split))[1:])


def test_a_loss_does_not_depend_on_the_trials_before(made):
    before = loss_of(made)
    assert loss_of(made, half_life_days=30.0) != before
    assert loss_of(made, num_leaves=3, min_data_in_leaf=150) != before
    assert loss_of(made) == before


def test_settings_that_learn_nothing_lose(made):
    best, current = in_use(SECTION) | {"learning_rate": 1e-6}, in_use(SECTION)
    rounds = [found.rounds for found in losses(made[1:], SECTION, current)]
    found = confirmed(
        made[0], SECTION, best=best, best_rounds=[5], current=current, current_rounds=rounds, interval=0.95
    )
    assert found["low"] > 0
    assert found["difference"] == pytest.approx(found["best"] - found["current"])
    rate = found["churners"] / found["n"]
    share = np.mean(made[0].rows.churned)
    assert found["best"] == pytest.approx(-rate * np.log(share) - (1 - rate) * np.log(1 - share), abs=1e-4)


def test_settings_do_not_differ_from_themselves(made):
    same = in_use(SECTION)
    found = confirmed(made[0], SECTION, best=same, best_rounds=[9], current=same, current_rounds=[9], interval=0.95)
    assert (found["difference"], found["low"], found["high"]) == (0, 0, 0)


def test_a_history_with_too_few_dates_says_what_it_wants():
    whole = world(600)
    third = whole[2]["as_of"][2]
    less = tuple(table.filter(pc.greater_equal(table["as_of"], third)) for table in whole)
    with pytest.raises(NotEnoughData, match=r"a search wants 3: each with 10 churners"):
        folds_of(less)


def test_the_space_holds_the_settings_in_use_wherever_they_lie():
    section = LIGHTGBM | {"num_leaves": 200, "min_data_in_leaf": 1, "lambda_l2": 0.0, "half_life_days": 33.0}
    for setting in space(section):
        value = section[setting.name]
        if isinstance(setting, Choice):
            assert value in setting.values
        else:
            assert setting.low <= value <= setting.high
            assert setting.low > 0 or not setting.log


def test_the_first_trial_is_what_is_in_use():
    assert in_use(LIGHTGBM) == {setting.name: LIGHTGBM[setting.name] for setting in space(LIGHTGBM)}


def test_sampled_rows_keep_their_weights():
    features, snapshots, split = world(800)
    known = learning(features, snapshots, split, rows_most=1500, seed=7, least=MANY)
    (fold, *_) = folds(known, split, {"max_bin": 63}, folds=2, time_zone="UTC")
    assert fold.judge.weights.sum() == pytest.approx(800)
    assert pa.array(fold.judge.weights).null_count == 0

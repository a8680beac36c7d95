"""Older models, models without a source or a family, and sources that fail."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from churn.core import metrics
from churn.core.backtest import (
    Feed,
    ablated,
    day,
    failing,
    families,
    feeds,
    model_of,
    rows_without,
    silenced,
    staleness,
    with_features,
    without_columns,
)
from churn.core.backtest.failing import SILENCES
from churn.core.backtest.feeds import failed
from churn.core.features import catalogue
from churn.core.model import margins, score
from churn.words.windows import DAY_US
from tests.core import backtest_world as made_up
from tests.core.backtest_world import PARTS, SETTINGS, SHOP, SNAPSHOTS, UNTIL
from tests.core.model_world import LOGISTIC
from tests.core.worlds import us, world

JUDGING = {"capacity": 30, "bootstrap": 50, "seed": 1, "interval": 0.95}
QUICK = replace(SETTINGS, model={**LOGISTIC, "l2": 10.0})
PURCHASES = Feed("baskets", ("purchase",), ())
COMPLAINTS = Feed("tickets", ("complaint",), ())
PLANS = Feed("plans", (), ("plan",))


@pytest.fixture(scope="module")
def tables():
    """The world of events."""
    return made_up.events()


@pytest.fixture(scope="module")
def shop(tables):
    """The world of events, its two lists, and what was made of it."""
    when = made_up.planned(2)
    there = made_up.made(tables, when)
    return there, when, [day(there, when, int(one), QUICK) for one in when.days]


def test_an_older_model_is_judged_on_the_lists_that_have_one():
    there, when, settings = made_up.numbers(1.0, 3)
    when = replace(when, older_days={0: 0, 1: 28, 6: 182})
    days = [day(there, when, int(one), settings) for one in when.days]
    fresh, month, half = staleness(there, days, when, extra={}, **JUDGING)
    assert set(fresh["difference"].values()) == {0.0}
    assert len(fresh["lists"]), len(month["lists"]) == (4, 3)
    expected = []
    for before, after in pairwise(days):
        p = score(before.learnt, margins(before.learnt, there.at(after.as_of)[0]))
        expected.append(metrics.auc(after.churned, p))
    assert month["auc"] == pytest.approx(np.mean(expected))
    assert month["difference"]["auc"] == pytest.approx(month["auc"] - month["fresh"]["auc"])
    assert half["lists"] == []


def test_models_of_days_without_a_list_are_planned_where_the_history_allows():
    when = made_up.plan(
        made_up.FROM, UNTIL, definition=SHOP, snapshots=SNAPSHOTS, parts=PARTS, asked=2, step_days=28, older=(0, 2, 9)
    )
    newest = int(when.days[-1])
    # Two months are 61 days, four times 14 the nearest; nine months before, the year has hardly begun.
    assert when.older_days == {0: 0, 2: 56, 9: 280}
    assert when.extra == [newest - 56 * DAY_US]
    assert when.newest(1, when.days).extra == []


def test_every_source_is_a_feed_and_those_that_share_an_event_type_are_one():
    kinds = SimpleNamespace
    data = kinds(
        sources={
            "shop": kinds(event_types={"order": 0, "return": 0}),
            "web": kinds(event_types={"click": 0}),
            "app": kinds(event_types={"order": 0}),
        },
        attributes={"people": kinds(columns={"plan": "p"})},
    )
    assert feeds(data) == [
        Feed("web", ("click",), ()),
        Feed("shop and app", ("order", "return"), ()),
        Feed("people", (), ("plan",)),
    ]


def test_a_source_that_failed_tells_nothing_from_then_on_and_corrects_nothing():
    events = world("""
        customer  occurred    role       recorded    superseded  id
        anna      2023-03-01  purchase   2023-03-01  -           a
        anna      2023-03-02  purchase   2023-03-20  -           b
        anna      2023-03-03  purchase   2023-03-03  2023-03-20  c
        anna      2023-03-03  purchase   2023-03-20  -           d
        anna      2023-03-19  complaint  2023-03-21  -           e
    """)
    nothing = made_up.events()[1].slice(0, 0)
    left, _ = failed(events, nothing, PURCHASES, since=us("2023-03-20"))
    known = pc.less(pc.cast(left["recorded_at"], pa.int64()), us("2024-01-01"))
    assert left.filter(known)["event_id"].to_pylist() == ["a", "c", "e"]
    assert left["superseded_at"].null_count == len(left)
    assert left["customer_id"].equals(events["customer_id"])
    silent, _ = failed(events, nothing, PURCHASES, since=None)
    assert pc.sum(pc.less(pc.cast(silent["recorded_at"], pa.int64()), us("2024-01-01"))).as_py() == 1


def test_without_a_source_its_features_say_that_nothing_happened(tables, shop):
    there, when, _ = shop
    dates = when.newest(1, when.days).every_date
    features = rows_without(*tables, made_up.RECIPE, feed=COMPLAINTS, dates=dates)
    other, differ = with_features(there, when.newest(1, when.days), features)
    assert differ > 0
    assert pc.max(other.features["complaints_90d"]).as_py() == 0
    assert pc.all(pc.is_nan(other.features["days_since_complaint"])).as_py()
    here = pc.is_in(there.outcomes["as_of"], value_set=pc.unique(other.outcomes["as_of"]))
    assert other.features["purchases_90d"].equals(there.features["purchases_90d"].filter(here))
    assert other.features["plan"].null_count < features.num_rows
    _, plans = with_features(
        there, when.newest(1, when.days), rows_without(*tables, made_up.RECIPE, feed=PLANS, dates=dates)
    )
    assert plans == 1


def test_what_the_world_is_made_of_is_worth_much_and_noise_nothing():
    there, when, settings = made_up.numbers(1.0, 4)
    days = [day(there, when, int(one), settings) for one in when.days]
    noise = [f"noise_{i}" for i in range(5)]
    worlds = [
        ("family", "silence", 1, without_columns(there, ["days_since_purchase"])),
        ("family", "noise", 5, without_columns(there, noise)),
    ]
    silence, nothing = ablated(iter(worlds), days, when.newest(2, when.days), settings, **JUDGING)
    assert silence["worth"]["auc_low"] > 0.03
    assert silence["worth"]["money_delivered"] > 0
    assert nothing["worth"]["auc_low"] < 0.01
    assert (silence["lists"], nothing["columns"]) == (2, 5)


def test_sources_are_left_out_of_lists_that_could_be_made():
    there, when, settings = made_up.numbers(1.0, 4)
    oldest = [day(there, when, int(when.days[0]), settings)]
    worlds = [("family", "silence", 1, without_columns(there, ["days_since_purchase"]))]
    (found,) = ablated(iter(worlds), oldest, when.newest(3, [oldest[0].as_of]), settings, **JUDGING)
    assert found["lists"] == 1
    assert found["worth"]["auc"] > 0


def test_a_model_that_cannot_be_trained_without_a_family_says_why():
    there, when, settings = made_up.numbers(1.0, 4)
    rule = replace(settings, model={"kind": "rule", "calibration": "platt"})
    days = [day(there, when, int(one), rule) for one in when.days[-1:]]
    worlds = [("family", "silence", 1, without_columns(there, ["days_since_purchase"]))]
    (found,) = ablated(iter(worlds), days, when.newest(1, when.days), rule, **JUDGING)
    assert "there is no time rule" in found["why"]


def test_families_are_those_of_the_catalogue_and_attributes(shop):
    there, _, _ = shop
    found = families(there.features.column_names, catalogue(made_up.WINDOWS, made_up.ROLES))
    assert "days_since_complaint" in found["complaints"]
    assert found["attributes"] == ["plan"]
    assert sum(map(len, found.values())) == there.features.num_columns - 2


def test_scores_degrade_gracefully_when_any_source_fails(tables, shop):
    _, _, days = shop
    sources = [PURCHASES, COMPLAINTS, PLANS]
    pieces = [silenced(*tables, made_up.RECIPE, as_of=days[-1].as_of, sources=sources)]
    found = failing(pieces, days[-1], sources=sources, capacity=30)
    assert [(one["source"], one["days"]) for one in found] == [(f.name, d) for f in sources for d in SILENCES]
    by = {(one["source"], one["days"]): one for one in found}
    assert all(np.isfinite(one["score_mean"]) and 0 <= one["moved_most"] <= 1 for one in found)
    # Who seems to have bought nothing for a month seems to leave; the others are hardly touched.
    assert by["baskets", 28]["score_mean"] > by["baskets", 28]["score_mean_before"] + 0.05
    assert by["baskets", None]["auc"] < by["baskets", None]["auc_before"]
    assert by["tickets", 7]["moved_mean"] < 0.05
    assert by["plans", 28]["moved_most"] == 0  # no plan was told of in that month
    assert by["plans", None]["moved_most"] > 0


def test_the_model_of_a_day_is_that_of_its_list(shop):
    there, when, days = shop
    assert model_of(there, when, days[0].as_of, QUICK).body == days[0].learnt.body

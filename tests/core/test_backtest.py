"""Backtest: a list of a past day is the list of that day; figures over lists are what they say; noise earns nothing."""

from dataclasses import replace
from datetime import datetime
from statistics import stdev
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from churn.cli.backtest_told import show
from churn.core import metrics, scores
from churn.core.backtest import FAILED, Day, day, plan, report
from churn.core.backtest.judged import Rows, judged, rows_of
from churn.core.backtest.lists import changes, summary
from churn.core.backtest.stability import stability
from churn.core.backtest.world import known_at
from churn.core.features import features
from churn.core.model import model
from churn.core.model.intervals import band_rows
from churn.core.model.parts import iso
from churn.core.snapshots import as_ofs, snapshots
from churn.core.split import split
from churn.words.errors import NotEnoughData, UsageFault
from churn.words.windows import DAY_US
from tests.core import backtest_world as made_up
from tests.core.backtest_world import FROM, PARTS, SETTINGS, SHOP, SNAPSHOTS, UNTIL
from tests.core.worlds import us, world

JUDGING = {"capacity": 30, "bootstrap": 100, "seed": 1, "interval": 0.95}
JUDGING |= {"currency": "USD", "time_zone": "UTC", "digest": {}, "least": 20, "outcome_days": 28}


def reported(there, when, settings):
    """The report of a backtest of all its lists."""
    days = [day(there, when, int(one), settings) for one in when.days]
    return report(days, when, stopped={}, **JUDGING)


def test_a_list_of_a_past_day_is_bit_by_bit_the_list_of_a_run_made_on_that_day():
    events, attributes = made_up.events()
    when = made_up.planned(2)
    then = int(when.days[0])
    one = day(made_up.made((events, attributes), when), when, then, SETTINGS)

    # A run made on that day: its files hold what had been recorded by then, and nothing else.
    written = known_at(events, then)
    said = attributes.filter(pc.less(attributes["recorded_at"].cast(pa.int64()), then))
    dates = as_ofs(FROM, then, **SNAPSHOTS)
    told = snapshots(written, dates, observed_until=then, definition=SHOP)
    found = features(written, told, said, lookback=made_up.WINDOWS, roles=made_up.ROLES, attribute_names=("plan",))
    parts = split(told, observed_until=then, definition=SHOP, **PARTS)
    learnt = model(found, told, parts, **SETTINGS.model)
    as_of = scores.scoring_as_of(parts)
    list_of_then = scores.scores([scores.margins(found, as_of, learnt)], as_of, learnt, order="model")

    assert pc.cast(as_of, pa.int64()).as_py() == then
    assert one.customers.equals(list_of_then["customer_id"].combine_chunks())
    assert one.scores["model"].tobytes() == list_of_then["score"].to_numpy().tobytes()
    assert one.learnt.body == learnt.body


def test_labels_of_a_past_day_are_those_of_what_had_been_recorded_by_then():
    when = made_up.planned(2)
    there = made_up.made(made_up.events(), when)
    _, then = there.on(int(when.days[0]), when.dates[int(when.days[0])])
    now = there.outcomes.filter(pc.is_in(there.outcomes["as_of"], value_set=pc.unique(then["as_of"])))
    both = pc.and_(pc.is_valid(then["churned"]), pc.is_valid(now["churned"]))
    changed = pc.not_equal(then["churned"], now["churned"]).filter(both)
    # Purchases that were recorded later turned some of those who had been called lost into customers who stayed.
    assert pc.sum(changed).as_py() > 0
    until = pc.max(then["as_of"].filter(pc.is_valid(then["churned"])))
    assert pc.cast(until, pa.int64()).as_py() + 28 * DAY_US <= when.days[0]


def test_a_day_knows_what_was_recorded_before_it_and_corrections_as_they_were():
    events = world("""
        customer  occurred    role      recorded    superseded  id
        anna      2023-03-01  purchase  2023-03-01  -           a
        anna      2023-03-02  purchase  2023-04-01  -           b
        anna      2023-03-03  purchase  2023-03-03  2023-04-01  c
        anna      2023-03-03  purchase  2023-03-03  2023-03-20  d
        anna      2023-04-01  purchase  2023-03-30  -           e
    """)
    then = known_at(events, us("2023-04-01"))
    assert then["event_id"].to_pylist() == ["a", "c", "d"]
    assert [bool(until) for until in then["superseded_at"].to_pylist()] == [False, False, True]


@pytest.mark.parametrize(("asked", "step", "lists"), [(2, 28, 2), (6, 28, 6), (7, 14, 7), (99, 14, 11)])
def test_lists_lie_a_horizon_apart_where_the_history_allows_and_nearer_otherwise(asked, step, lists):
    # Dates are the days 43, 57, … 365 of the year; a list takes 4 horizons before it and 3 more training dates, so the
    # first is day 43 + 4 * 28 + 3 * 14 = 197, and the last one that matured is 337.
    when = made_up.planned(asked)
    assert (when.step_days, len(when.days)) == (step, lists)
    assert when.days[-1] == UNTIL - 28 * DAY_US
    assert set(np.diff(when.days)) == {step * DAY_US}
    for then, dates in when.dates.items():
        assert list(dates) == list(as_ofs(FROM, then, **SNAPSHOTS))


def test_days_between_lists_are_days_on_which_a_run_has_dates():
    assert made_up.planned(2, 42).step_days == 42
    with pytest.raises(UsageFault, match=r"14\) apart, got 30 days; try 28"):
        made_up.planned(2, 30)


def test_a_short_history_gives_the_list_of_a_young_business():
    # Dates 40, 54, … days after the start; 5 horizons are 140 days, so 180 of 185 days hold one list of one date.
    when = plan(UNTIL - 185 * DAY_US, UNTIL, definition=SHOP, snapshots=SNAPSHOTS, parts=PARTS, asked=8, step_days=None)
    assert list(when.days) == [UNTIL - 28 * DAY_US]


def test_a_history_without_a_past_list_says_so():
    with pytest.raises(NotEnoughData, match="no day on which a model could have been trained"):
        plan(us("2023-07-10"), UNTIL, definition=SHOP, snapshots=SNAPSHOTS, parts=PARTS, asked=8, step_days=None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("world_of", ["noise", "shuffled"])
def test_noise_and_shuffled_outcomes_are_no_better_than_the_rule(seed, world_of):
    noise = made_up.numbers(1.0, seed, shuffled=True) if world_of == "shuffled" else made_up.numbers(0.0, seed)
    assert reported(*noise)["verdict"]["outcome"] in FAILED


@pytest.mark.parametrize("seed", range(2))
def test_a_model_that_knows_more_than_the_rule_is_better_in_both_languages(seed):
    found = reported(*made_up.numbers(1.0, seed))
    assert found["verdict"]["outcome"] == "better"
    assert "Better than the best time rule on 4 lists" in found["verdict"]["en"]
    assert "优于最佳时间规则" in found["verdict"]["zh"]


def test_noise_with_many_columns_and_trees_is_no_better_either():
    there, when, settings = made_up.numbers(0.0, 11)
    trees = type(settings)(**{**vars(settings), "model": SETTINGS.model})
    assert reported(there, when, trees)["verdict"]["outcome"] in FAILED


@pytest.fixture(scope="module")
def four():
    """Four lists of a world with signal."""
    there, when, settings = made_up.numbers(1.0, 5, customers=200)
    return [day(there, when, int(one), settings) for one in when.days], when


def test_ranking_is_measured_within_lists_and_probabilities_over_all(four):
    days, _ = four
    said = judged(rows_of(days, capacity=20), bootstrap=50, seed=1)
    each = [metrics.metrics(one.churned, one.scores["model"]) for one in days]
    for figure in ("auc", "ap", "lift10"):
        assert said.whole["model"][figure] == pytest.approx(np.mean([one[figure] for one in each]))
    churned, p = (np.concatenate(parts) for parts in zip(*[(d.churned, d.scores["model"]) for d in days], strict=True))
    together = metrics.metrics(churned, p)
    for figure in ("base_rate", "logloss", "brier", "ece"):
        assert said.whole["model"][figure] == pytest.approx(together[figure])


def test_the_list_is_the_first_customers_by_score_and_money_by_value_at_risk(four):
    days, when = four
    found = report(days, when, stopped={}, **JUDGING)["list"]["model"]
    caught, money = [], []
    for one in days:
        first = np.argsort(-one.scores["model"], kind="stable")[:30]
        caught.append(one.churned[first].sum())
        at_risk = np.argsort(-np.round(one.scores["model"] * one.value, 2), kind="stable")[:30]
        money.append((one.churned * one.value)[at_risk].sum())
    base = np.mean([one.churned.mean() for one in days])
    assert found["caught"] == pytest.approx(np.mean(caught))
    assert found["precision"] == pytest.approx(np.mean(caught) / 30)
    assert found["lift"] == pytest.approx(np.mean(caught) / 30 / base, rel=0.02)
    assert found["money_delivered"] == pytest.approx(np.mean(money), abs=1e-3)


def test_resamples_are_of_customers_over_all_lists():
    # One customer alone leaves, on every list. Where it is not drawn nobody leaves, on no list: about 1 in e resamples.
    lists = [
        Rows(i, np.arange(50), np.arange(50) == 0, np.ones(50), {"model": np.linspace(0.9, 0.1, 50)}, 5)
        for i in range(3)
    ]
    drawn = judged(lists, bootstrap=400, seed=1).resampled["model"]["base_rate"]
    assert 0.3 < np.mean(drawn == 0) < 0.44
    assert set(np.round(drawn * 50)) <= set(range(50))


def test_a_model_does_not_differ_from_itself(four):
    lists = rows_of(four[0], capacity=20)
    twice = [
        Rows(r.as_of, r.customers, r.churned, r.value, {"a": r.scores["model"], "b": r.scores["model"]}, 20)
        for r in lists
    ]
    assert set(judged(twice, bootstrap=50, seed=1).difference("a", "b", 0.95).values()) == {0.0}


def test_the_same_seed_gives_the_same_report(four):
    days, when = four
    assert report(days, when, stopped={}, **JUDGING) == report(days, when, stopped={}, **JUDGING)


def test_the_intervals_of_all_lists_are_counted_together(four):
    days, when = four
    found = report(days, when, stopped={}, **JUDGING)["coverage"]
    each = [int(day.known.sum()) for day in days]
    assert found["bands"] == sum(n // band_rows(n) for n in each)
    assert found["observed_low"] <= found["observed"] <= found["observed_high"]


def one_day(as_of: int, names: str, by: list[float]) -> Day:
    """A list of customers named by letters, in the order of the alphabet, with these probabilities."""
    n = len(names)
    p = np.array(by)
    zeros = np.zeros(n, bool)
    return Day(as_of, pa.array(list(names)), zeros, zeros, np.ones(n), np.ones(n), {"model": p}, (p, p), None, "")


def test_names_that_change_are_told_from_customers_who_come_and_go():
    # The first three of each list: a b c, then b d f. a is no customer any more, c fell; f is new, d rose.
    before = one_day(FROM, "abcde", [0.9, 0.8, 0.7, 0.6, 0.1])
    after = one_day(FROM + DAY_US, "bcdef", [0.9, 0.2, 0.8, 0.1, 0.7])
    (found,) = changes([before, after], capacity=3)
    assert (found["kept"], found["came"], found["went"]) == (1, 2, 2)
    assert (found["came_eligible"], found["went_ineligible"]) == (1, 1)
    assert found["on_both"] == 4
    # b c d e: ranks 4 3 2 1, then 4 2 3 1: 1 - 6 * (1 + 1) / (4 * 15).
    assert found["rank_correlation"] == pytest.approx(1 - 6 * (1 + 1) / (4 * 15))
    assert summary([found])["by_eligibility"] == (1 + 1) / (2 + 2)
    assert summary([]) == {}


@pytest.mark.parametrize(
    ("few", "least", "shown", "suppressed"),
    [
        (400.0, 20, ["90 to 180 days"], 2),
        (400.0, 19, ["0 to 90 days", "90 to 180 days", "365 days or more"], 0),
        (np.nan, 20, ["90 to 180 days"], 1),
    ],
)
def test_small_groups_are_counted_and_neither_shown_nor_to_be_had_by_subtraction(four, few, least, shown, suppressed):
    days, _ = four
    place = np.arange(200)
    tenure = np.where(place < 19, few, np.where(place < 119, 100.0, 50.0))
    split_up = [replace(one, tenure_days=tenure) for one in days]
    keys = {"bootstrap": 50, "seed": 1, "interval": 0.95}
    found = stability(split_up, rows_of(split_up, capacity=20), least=least, **keys)
    assert [one["value"] for one in found["groups"] if one["attribute"] == "tenure"] == shown
    assert found["suppressed"] == suppressed
    assert sum(one["n"] for one in found["groups"] if one["attribute"] == "value") == sum(len(d.churned) for d in days)


def test_a_group_that_has_one_outcome_on_every_list_is_not_shown(four):
    days, when = four
    of_each = [np.flatnonzero(one.churned == (i % 2 == 0))[:40] for i, one in enumerate(days)]
    tenures = [np.where(np.isin(np.arange(200), some), 400.0, 100.0) for some in of_each]
    found = report([replace(d, tenure_days=t) for d, t in zip(days, tenures, strict=True)], when, stopped={}, **JUDGING)
    assert [g["value"] for g in found["stability"]["groups"] if g["attribute"] == "tenure"] == ["90 to 180 days"]
    assert all(one["auc"] is not None for one in found["stability"]["groups"])


def test_lists_on_which_everybody_has_the_same_score_are_told(four, capsys):
    days, when = four
    flat = [replace(one, scores=one.scores | {"model": np.full(200, 0.2)}) for one in days]
    about = JUDGING | {"digest": {"customers": 200, "of_customers": 200}}
    found = report([flat[0], *days[1:]], when, stopped={}, **about)
    pairs = [one["rank_correlation"] for one in found["list"]["changes"]]
    assert pairs[0] is None
    assert found["list"]["change"]["rank_correlation"] == pytest.approx(np.mean(pairs[1:]), abs=1e-6)
    found = report(flat, when, stopped={}, **about)
    assert found["list"]["change"]["rank_correlation"] is None
    assert found["verdict"]["outcome"] in FAILED
    show(found, "reports/backtest.json")
    assert "customers to be scored\n" in capsys.readouterr().out


def test_a_team_that_can_call_more_than_there_are_calls_everybody(four, capsys):
    days, when = four
    about = JUDGING | {"capacity": 1000, "digest": {"customers": 200, "of_customers": 200}}
    found = report(days, when, stopped={}, **about)
    left = round(np.mean([one.churned.sum() for one in days]))
    said = f"Of 200 customers called each time {left} left, with the rule {left}, by chance {left}."
    assert said in found["verdict"]["en"]
    show(found, "reports/backtest.json")
    assert "0 of the 200 names are new" in capsys.readouterr().out


def test_one_list_says_nothing_of_how_lists_vary(four, capsys):
    days, when = four
    of_one = report(days[-1:], when, stopped={}, **JUDGING | {"digest": {"customers": 200, "of_customers": 200}})
    assert of_one["spread"]["auc"]["std"] is None
    show(of_one, "reports/backtest.json")
    assert "varies by" not in capsys.readouterr().out
    of_four = report(days, when, stopped={}, **JUDGING)
    assert of_four["spread"]["auc"]["std"] == pytest.approx(stdev(one["auc"] for one in of_four["as_ofs"]), abs=1e-6)


def test_a_day_on_which_a_run_would_have_stopped_is_told_and_left_out(four):
    days, when = four
    found = report(days[1:], when, stopped={days[0].as_of: "drift"}, **JUDGING)
    as_of = found["stopped"][0]["as_of"]
    assert found["stopped"] == [{"as_of": as_of, "day": as_of[:10], "why": "drift"}]
    assert len(found["as_ofs"]) == 3
    with pytest.raises(NotEnoughData, match=r"none of 1 lists could have been made; on .*: drift"):
        report([], when, stopped={days[0].as_of: "drift"}, **JUDGING)


def test_lists_are_called_by_the_day_of_the_business(four):
    """A list of the morning in Tokyo was made when it was still the day before in UTC."""
    days, when = four
    found = report(days, when, stopped={}, **JUDGING | {"time_zone": "Asia/Tokyo"})
    utc = [datetime.fromisoformat(one["as_of"]) for one in found["as_ofs"]]
    there = [str(one.astimezone(ZoneInfo("Asia/Tokyo")).date()) for one in utc]
    assert [one["day"] for one in found["as_ofs"]] == there
    assert f"on 4 lists from {there[0]} to {there[-1]}: AUC" in found["verdict"]["en"]
    assert f"{there[0]} 至 {there[-1]} 的 4 份名单：" in found["verdict"]["zh"]


@pytest.mark.parametrize(("outcome_days", "alone"), [(28, [1, 1, 1, 1]), (29, [0, 1, 0, 1]), (70, [1, 0, 0, 1])])
def test_lists_that_share_outcomes_with_newer_ones_are_marked(four, outcome_days, alone):
    days, when = four
    found = report(days, when, stopped={}, **JUDGING | {"outcome_days": outcome_days})
    assert [int(one["apart"]) for one in found["as_ofs"]] == alone


def test_one_list_is_not_called_lists(four):
    days, when = four
    found = report(days[-1:], when, stopped={}, **JUDGING)["verdict"]
    day_of_it = iso(days[-1].as_of)[:10]
    assert f" on 1 list, of {day_of_it}: AUC" in found["en"]
    assert found["zh"].startswith(f"{day_of_it} 的 1 份名单：")

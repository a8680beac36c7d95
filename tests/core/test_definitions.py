"""Kinds of churn in small worlds as text: who is live, and who churned."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.dataset import ROLE_NOUNS
from churn.core.definitions import DEFINITIONS, cadence, collapse, contract, disappeared, inactivity
from churn.core.definitions.sentences import churn_in_words
from churn.core.snapshots import snapshots
from churn.words.errors import ConfigFault
from churn.words.windows import DAY_US
from tests.core.worlds import events_table, outcome, random_events, us

COLLAPSE = collapse(
    kind="collapse", roles=("usage",), measure="events", normal_days=40, least_events=4, share=0.5, for_days=10,
    gap_days=0, horizon_days=20,
)  # fmt: skip
CADENCE = cadence(
    kind="cadence", roles=("purchase",), normal_days=100, least_gaps=2, times=2.0, silence_least_days=3,
    silence_most_days=60, gap_days=0, horizon_days=20,
)  # fmt: skip
DISAPPEARED = disappeared(kind="disappeared", roles=("presence",), extract_days=31, gap_days=0, horizon_days=62)
CONTRACT = contract(
    kind="contract", gap_days=0, horizon_days=30, grace_days=10, start_roles=("payment",), restart_roles=("usage",)
)
ACTS = ("purchase", "usage", "complaint", "contact", "payment", "survey")
EVERY_KIND = (
    inactivity(kind="inactivity", live_days=60, gap_days=7, horizon_days=30, roles=("purchase", "campaign")),
    CONTRACT,
    collapse(
        kind="collapse", roles=ACTS, measure="events", normal_days=120, least_events=3, share=0.5, for_days=60,
        gap_days=0, horizon_days=60,
    ),
    cadence(
        kind="cadence", roles=ACTS, normal_days=200, least_gaps=2, times=2.0, silence_least_days=20,
        silence_most_days=80, gap_days=0, horizon_days=60,
    ),
    DISAPPEARED,
)  # fmt: skip
"""By each, some customers of worlds drawn at random are live, and some of them leave: no role has many events there."""


def every(days: int, customer: str, role: str, first: str, last: str) -> str:
    """Lines of a world: one event every so many days, from the first day to the last one at most."""
    day, lines = date.fromisoformat(first), []
    while day <= date.fromisoformat(last):
        lines.append(f"{customer}  {day}  {role}")
        day += timedelta(days)
    return "\n".join(lines)


def of(*lines: str) -> str:
    """A world of these lines."""
    return "\n".join(["customer  occurred  role", *lines])


def test_a_mail_that_the_company_sent_is_no_sign_of_life():
    mails = inactivity(kind="inactivity", live_days=60, gap_days=0, horizon_days=30, roles=("campaign",))
    text = """
    customer  occurred    role      state
    sent      2024-01-01  campaign  sent
    answers   2024-01-01  campaign  answered
    """
    assert outcome(text, mails, "2024-01-31") == {"answers": True}


def test_a_cancellation_is_no_sign_of_life():
    with pytest.raises(ConfigFault, match=r"'cancel'.*those that count are purchase"):
        inactivity(kind="inactivity", live_days=60, gap_days=0, horizon_days=30, roles=("cancel",))


def test_who_starts_anew_after_a_cancellation_is_live_again():
    text = """
    customer  occurred    role     state
    back      2024-01-01  payment  paid
    back      2024-01-10  cancel   cancelled
    back      2024-01-20  usage    used
    invoiced  2024-01-01  payment  paid
    invoiced  2024-01-10  cancel   cancelled
    invoiced  2024-01-20  payment  paid
    """
    assert outcome(text, CONTRACT, "2024-01-31") == {"back": False}


def test_starting_anew_within_the_grace_period_takes_a_cancellation_back():
    text = """
    customer  occurred    role     state
    in_time   2024-01-01  payment  paid
    in_time   2024-02-10  cancel   cancelled
    in_time   2024-02-20  usage    used
    too_late  2024-01-01  payment  paid
    too_late  2024-02-10  cancel   cancelled
    too_late  2024-02-21  usage    used
    twice     2024-01-01  payment  paid
    twice     2024-02-10  cancel   cancelled
    twice     2024-02-12  usage    used
    twice     2024-02-20  cancel   cancelled
    """
    assert outcome(text, CONTRACT, "2024-01-31") == {"in_time": False, "too_late": True, "twice": True}


def test_use_collapses_when_it_falls_below_the_share_of_what_was_normal_for_so_long():
    # Normal: 20 in 40 days, 5 in 10 days; half of that is 2.5, so 2 in 10 days are a collapse and 3 are none.
    before = every(2, "{}", "usage", "2024-01-01", "2024-03-29")
    text = of(
        before.format(*["steady"] * 99), every(2, "steady", "usage", "2024-03-31", "2024-06-01"),
        before.format(*["less"] * 99), every(3, "less", "usage", "2024-04-01", "2024-06-01"),
        before.format(*["rare"] * 99), every(6, "rare", "usage", "2024-04-01", "2024-06-01"),
        before.format(*["silent"] * 99),
    )  # fmt: skip
    assert outcome(text, COLLAPSE, "2024-03-31") == {"less": False, "rare": True, "silent": True, "steady": False}


def test_a_pause_shorter_than_for_days_is_no_collapse():
    steady = every(2, "a", "usage", "2024-01-01", "2024-03-29")
    assert outcome(of(steady, every(2, "a", "usage", "2024-04-04", "2024-06-01")), COLLAPSE, "2024-03-31") == {
        "a": False
    }
    assert outcome(of(steady, every(2, "a", "usage", "2024-04-06", "2024-06-01")), COLLAPSE, "2024-03-31") == {
        "a": True
    }


def test_whose_use_has_collapsed_already_or_was_never_normal_is_not_live():
    text = of(
        every(2, "collapsed", "usage", "2024-01-01", "2024-03-19"),
        every(2, "new", "usage", "2024-03-01", "2024-06-01"),
        every(30, "seldom", "usage", "2023-06-01", "2024-06-01"),
        every(2, "live", "usage", "2024-01-01", "2024-06-01"),
    )
    assert outcome(text, COLLAPSE, "2024-03-31") == {"live": False}


def test_a_collapse_in_the_gap_is_neither_true_nor_false():
    with_gap = collapse(
        kind="collapse", roles=("usage",), measure="events", normal_days=40, least_events=4, share=0.5, for_days=10,
        gap_days=9, horizon_days=20,
    )  # fmt: skip
    # The last use before the silence was 2 days before as_of: with 2 of 5 left, the collapse comes 5 days after it.
    text = of(every(2, "a", "usage", "2024-01-01", "2024-03-29"))
    assert outcome(text, with_gap, "2024-03-31") == {"a": None}


def test_a_quantity_can_collapse_while_the_number_of_uses_does_not():
    minutes = collapse(
        kind="collapse", roles=("usage",), measure="quantity", normal_days=40, least_events=4, share=0.5, for_days=10,
        gap_days=0, horizon_days=20,
    )  # fmt: skip
    lines = [line + ("  60" if line < "a  2024-03-31" else "  20") for line in
             every(2, "a", "usage", "2024-01-01", "2024-06-01").splitlines()]  # fmt: skip
    text = "\n".join(["customer  occurred  role  quantity", *lines])
    assert outcome(text, minutes, "2024-03-31") == {"a": True}
    assert outcome(text, COLLAPSE, "2024-03-31") == {"a": False}


def test_the_silence_that_is_too_long_is_a_multiple_of_the_own_usual_gap():
    # Every 4 days: too long after 8; every 14 days: after 28. Both were last seen on the day before as_of.
    text = of(
        every(4, "often", "purchase", "2024-01-02", "2024-03-30"),
        every(14, "seldom", "purchase", "2024-01-06", "2024-03-30"),
        "two_gaps  2024-03-20  purchase", "two_gaps  2024-03-24  purchase", "two_gaps  2024-03-28  purchase",
        "one_gap   2024-03-20  purchase", "one_gap   2024-03-28  purchase",
    )  # fmt: skip
    assert outcome(text, CADENCE, "2024-03-31") == {"often": True, "seldom": False, "two_gaps": True}


def test_a_silence_is_too_long_from_the_instant_at_which_it_reaches_the_limit():
    before = every(4, "a", "purchase", "2024-01-02", "2024-03-30")
    assert outcome(of(before, "a  2024-04-06  purchase", "a  2024-04-13  purchase", "a  2024-04-20  purchase"),
                   CADENCE, "2024-03-31") == {"a": False}  # fmt: skip
    assert outcome(of(before, "a  2024-04-07  purchase"), CADENCE, "2024-03-31") == {"a": True}


def test_who_has_been_silent_for_too_long_is_not_live():
    text = of(every(4, "a", "purchase", "2024-01-02", "2024-03-30"))
    assert outcome(text, CADENCE, "2024-04-06") == {"a": True}
    assert outcome(text, CADENCE, "2024-04-07") == {}


def test_a_silence_that_gets_too_long_in_the_gap_is_neither_true_nor_false():
    with_gap = cadence(
        kind="cadence", roles=("purchase",), normal_days=100, least_gaps=2, times=2.0, silence_least_days=3,
        silence_most_days=60, gap_days=8, horizon_days=20,
    )  # fmt: skip
    text = of(
        every(4, "a", "purchase", "2024-01-02", "2024-03-30"), every(5, "b", "purchase", "2024-01-05", "2024-03-30")
    )
    assert outcome(text, with_gap, "2024-03-31") == {"a": None, "b": True}


def test_a_late_record_ends_a_silence_for_the_outcome_but_not_for_being_live():
    lines = every(4, "a", "purchase", "2024-01-02", "2024-03-18").splitlines()
    text = "\n".join(["customer  occurred  role  recorded", *[f"{line}  -" for line in lines],
                      "a  2024-03-28  purchase  2024-06-01"])  # fmt: skip
    assert outcome(text, CADENCE, "2024-03-24") == {"a": True}
    assert outcome(text, CADENCE, "2024-03-31") == {}


def test_who_is_missing_from_the_last_extract_of_the_horizon_has_disappeared():
    extracts = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
    text = of(
        *[f"stays  {day}  presence" for day in extracts],
        *[f"missing_once  {day}  presence" for day in extracts if day != "2024-03-01"],
        *[f"gone  {day}  presence" for day in extracts[:3]],
        *[f"gone_before  {day}  presence" for day in extracts[:1]],
    )
    assert outcome(text, DISAPPEARED, "2024-02-10") == {"gone": True, "missing_once": False, "stays": False}


@pytest.mark.parametrize(
    ("make", "values", "words"),
    [
        (collapse, {"for_days": 50}, "for_days must be at most normal_days .40., got 50"),
        (cadence, {"silence_most_days": 2}, "silence_most_days must be at least silence_least_days .3., got 2"),
        (disappeared, {"horizon_days": 20}, "horizon_days must be at least extract_days .31., got 20"),
    ],
)
def test_days_that_contradict_each_other_are_refused(make, values, words):
    given = {
        collapse: {"kind": "collapse", "roles": ("usage",), "measure": "events", "normal_days": 40, "least_events": 4,
                   "share": 0.5, "for_days": 10, "gap_days": 0, "horizon_days": 20},
        cadence: {"kind": "cadence", "roles": ("purchase",), "normal_days": 100, "least_gaps": 2, "times": 2.0,
                  "silence_least_days": 3, "silence_most_days": 60, "gap_days": 0, "horizon_days": 20},
        disappeared: {"kind": "disappeared", "roles": ("presence",), "extract_days": 31, "gap_days": 0,
                      "horizon_days": 62},
    }[make]  # fmt: skip
    with pytest.raises(ConfigFault, match=words):
        make(**(given | values))


@pytest.mark.parametrize("definition", EVERY_KIND, ids=lambda d: d.kind)
def test_in_worlds_drawn_at_random_some_are_live_and_some_of_them_leave(definition):
    dates = us("2023-06-01") + np.arange(6) * 28 * DAY_US
    events, until = events_table(random_events(1, customers=100)), int(dates[-1]) + definition.outcome_days * DAY_US
    found = snapshots(events, dates, observed_until=until, definition=definition)
    assert {True, False} <= set(found["churned"].to_pylist())


@given(st.integers(0, 2**32 - 1), st.sampled_from(EVERY_KIND))
def test_being_live_ignores_the_future_whatever_churn_means(seed, definition):
    frame = random_events(seed)
    as_of = us("2023-08-01")
    past = frame[(frame["occurred_at"] < as_of) & (frame["recorded_at"] < as_of)]
    if past.empty:
        return
    live = [
        snapshots(events_table(rows), np.array([as_of]), observed_until=as_of, definition=definition)
        for rows in (frame, past)
    ]
    assert live[0].to_pylist() == live[1].to_pylist()


@given(st.integers(0, 2**32 - 1), st.sampled_from(EVERY_KIND))
def test_labels_stand_whatever_happens_after_they_matured(seed, definition):
    frame = random_events(seed)
    as_of = us("2023-06-01")
    end = as_of + definition.outcome_days * DAY_US
    until = frame[frame["occurred_at"] < end]
    if until.empty:
        return
    found = [
        snapshots(events_table(rows), np.array([as_of]), observed_until=end, definition=definition)
        for rows in (frame, until)
    ]
    assert found[0].to_pylist() == found[1].to_pylist()


@pytest.mark.parametrize("definition", EVERY_KIND, ids=lambda d: d.kind)
def test_every_kind_is_told_in_both_languages(definition):
    told = churn_in_words(definition, ROLE_NOUNS)
    assert told["en"].endswith(".")
    assert told["zh"].endswith("。")
    assert str(definition.horizon_days) in told["en"]
    assert {d.kind for d in EVERY_KIND} == set(DEFINITIONS)

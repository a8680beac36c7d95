"""What follows from counts of a data set: each finding with its remedy in numbers."""

import pytest

from churn.core.dataset import Dataset
from churn.core.events import Clock
from churn.core.usability import usability
from tests.core.worlds import world

SOURCE = {"rows": 1000, "kept": 1000, "duplicates": 0, "quarantined": {}, "out_of_window": 0}


class Declared:
    """What `usability` asks of a data set."""

    time_zone = "Europe/Berlin"
    sources = ("orders",)
    kinds = (("basket", "purchase", "made"), ("return", "purchase", "returned"), ("ticket", "complaint", "opened"))


def said(account=None, trials=()) -> list[tuple[str, str, str]]:
    """Level, what and what to do of each finding."""
    data: Dataset = Declared()  # type: ignore[assignment]
    found = usability(data, {"sources": {"orders": SOURCE}} | (account or {}), trials)
    return [(one.level, one.what, one.do) for one in found.findings]


def trial(days: int, churners: int, **values) -> dict:
    return {
        "name": f"inactivity {days}", "definition": "inactivity", "horizon_days": days, "churners": churners,
        "base_rate": 0.2, "base_rate_least": 0.19, "base_rate_most": 0.22, "no_model": "",
    } | values  # fmt: skip


def test_a_sound_data_set_has_no_findings():
    assert said(trials=[trial(60, 5000)]) == []


def test_too_few_churners_are_told_with_the_nearest_horizon_that_has_enough():
    ((level, what, do),) = said(trials=[trial(60, 412), trial(30, 900), trial(45, 530), trial(90, 200)])
    assert level == "warning"
    assert what == "with a 60-day horizon there are 412 churners; 500 would be safe"
    assert do == "a 45-day horizon gives 530: set definition.horizon_days"


def test_with_hardly_any_churner_nothing_can_be_trained_and_it_says_what_would_help():
    ((level, _, do),) = said(trials=[trial(60, 20), trial(30, 50)])
    assert level == "error"
    assert do == "no definition that was tried gives more than 50; 10.0 times the customers would"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"base_rate": 0.7}, "70.0% of the live customers churn"),
        ({"base_rate_most": 0.6}, "moves from 19.0% to 60.0% between as-of dates"),
        ({"no_model": "too short"}, "a model cannot be trained and tested: too short"),
    ],
)
def test_what_is_odd_about_a_definition_is_told(values, words):
    assert words in said(trials=[trial(60, 5000, **values)])[0][1]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"late": 60}, "60 of 1,000 rows (6.0%) are recorded more than a day after they occurred"),
        ({"duplicates": 70}, "70 of 1,000 rows (7.0%) stand in it more than once"),
        ({"out_of_window": 600}, "600 of 1,000 rows lie before data.observed_from or at data.observed_until or later"),
    ],
)
def test_what_is_odd_about_a_source_is_told_with_its_share(counts, words):
    ((_, what, do),) = said({"sources": {"orders": SOURCE | counts}})
    assert what == words
    assert do


def test_what_the_door_warned_of_comes_first_after_errors():
    found = said({"warnings": ["look here"], "sources": {"orders": SOURCE | {"late": 60}}}, [trial(60, 20)])
    assert [level for level, *_ in found] == ["error", "warning", "advice"]


def test_a_role_without_events_is_a_warning_and_a_type_without_events_advice():
    types = {"basket": {"role": "purchase"}}
    found = said({"types": types})
    assert ("warning", "no event of the role complaint, though ticket is declared") in [one[:2] for one in found]
    assert ("advice", "declared event types that never come: return") in [one[:2] for one in found]


def hours(quiet_from: int) -> list[int]:
    """Acts at each hour of people who sleep six hours, from an hour of the clock that is declared."""
    return [1 if (hour - quiet_from) % 24 < 6 else 100 for hour in range(24)]


@pytest.mark.parametrize("quiet_from", [22, 0, 1, 4])
def test_people_who_sleep_at_night_raise_no_doubt(quiet_from):
    assert said({"hours": hours(quiet_from), "midnight": 0}) == []


def test_people_who_sleep_at_noon_live_in_another_time_zone():
    ((level, what, do),) = said({"hours": hours(8), "midnight": 0})
    assert level == "warning"
    assert "act least between 08:00 and 14:00 in Europe/Berlin" in what
    assert "a zone 8 hours west of it" in what
    assert "data.time_zone" in do
    assert "a zone 7 hours east of it" in said({"hours": hours(17), "midnight": 0})[0][1]


def test_dates_without_a_time_and_robots_say_nothing_about_the_zone():
    assert said({"hours": [2000] + [0] * 23, "midnight": 2000}) == []
    assert said({"hours": [100] * 24, "midnight": 0}) == []
    assert said({"hours": [1 if 8 <= h < 14 else 10 for h in range(24)], "midnight": 0}) == []


def test_the_clock_counts_own_acts_by_local_hour_and_types_by_their_span():
    clock = Clock("Europe/Berlin")
    text = """
    customer  occurred             role      state
    a         2024-01-01T12:30:00  purchase  made
    a         2024-01-02T23:00:00  usage     used
    a         2024-07-01T12:30:00  purchase  made
    b         2024-01-01T03:00:00  campaign  sent
    """
    pieces = [world(text).slice(0, 2), world(text).slice(2)]
    assert [len(piece) for piece in clock.events(pieces)] == [2, 2]
    account = clock.added({})
    assert {h: n for h, n in enumerate(account["hours"]) if n} == {13: 1, 0: 1, 14: 1}
    assert account["midnight"] == 1
    assert account["types"]["purchase"] == {
        "role": "purchase", "state": "made", "events": 2, "first": "2024-01-01T12:30:00Z",
        "last": "2024-07-01T12:30:00Z",
    }  # fmt: skip

"""A search goes on where it was killed, and its trials are those that it would have made without."""

import sqlite3
from contextlib import chdir, closing

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from churn.shell import search as searched
from churn.shell.search import best_of, search, study_name
from churn.words.errors import DiskFault, IntegrityFault
from churn.words.settings import Choice, Span

SETTINGS = (Span("rate", 0.01, 10, whole=False, log=True), Span("leaves", 2, 20, whole=True, log=False))
SETTINGS += (Choice("half_life", (None, 5.0)),)
FIRST = {"rate": 1.0, "leaves": 3, "half_life": None}
FOLDS = 3


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def judge(values):
    """A valley with its least at rate 2, leaves 7 and a half-life."""
    for fold in range(FOLDS):
        away = (values["rate"] - 2) ** 2 + (values["leaves"] - 7) ** 2 / 10 + (values["half_life"] is None)
        yield away + fold / 100, 10 * (fold + 1)


@pytest.fixture(scope="module", autouse=True)
def _quick():
    """What these tests write need not survive a loss of power."""
    event.listen(Engine, "connect", do_not_wait)
    yield
    event.remove(Engine, "connect", do_not_wait)


def do_not_wait(connection, _):
    connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, _quick):
    """The trials of a search that nothing stopped."""
    with chdir(tmp_path_factory.mktemp("whole")):
        return made()


def made(name="one", judged=judge, trials=16, seconds=600.0, told=None):
    tell = (lambda _: None) if told is None else told.append
    rest = {"folds": FOLDS, "first": FIRST, "seed": 7}
    return search(judged, SETTINGS, name=name, trials=trials, seconds=seconds, tell=tell, **rest)


def test_a_search_that_was_killed_makes_the_trials_that_it_would_have_made(whole):
    calls = []

    def killed(values):
        calls.append(values)
        for fold, found in enumerate(judge(values)):
            if (len(calls), fold) in {(1, 1), (4, 1), (13, 0)}:
                raise Killed
            yield found

    for _ in range(3):
        with pytest.raises(Killed):
            made("killed", killed)
    assert made("killed", killed) == whole


def test_the_first_trial_is_the_settings_in_use_and_later_ones_are_better(whole):
    found = whole
    assert found[0].values == FIRST
    assert found[0].losses == tuple(loss for loss, _ in judge(FIRST))
    assert best_of(found).loss < found[0].loss
    assert [trial.number for trial in found] == list(range(16))


def test_a_trial_that_is_worse_than_half_of_the_others_is_given_up_before_the_last_fold(whole):
    given_up = [trial for trial in whole if trial.pruned]
    assert given_up
    assert all(len(trial.losses) == len(trial.rounds) < FOLDS for trial in given_up)
    assert not any(trial.pruned for trial in whole[: searched.UNPRUNED])
    assert all(len(trial.losses) == FOLDS for trial in whole if not trial.pruned)


def test_more_trials_later_are_those_of_a_longer_search(whole):
    first, rest = [], []
    made("twice", trials=2, told=first)
    assert made("twice", trials=4, told=rest) == first + rest == whole[:4]


def test_without_time_there_is_the_first_trial_and_no_other():
    assert [trial.values for trial in made(seconds=0.0)] == [FIRST]


def test_what_is_chosen_has_three_digits(whole):
    assert all(float(f"{trial.values['rate']:.3g}") == trial.values["rate"] for trial in whole)


def test_a_store_that_is_none_is_named():
    searched.STORE.parent.mkdir()
    searched.STORE.write_bytes(b"not a database, but long enough to be taken for one" * 20)
    with pytest.raises(IntegrityFault, match=r"reports/tuning\.db cannot be read"):
        made()


def damaged(change, match, fault=IntegrityFault):
    """A search of four trials, whose store is changed, cannot go on, and says why."""
    made(trials=1)
    change(searched.STORE)
    with pytest.raises(fault, match=match):
        made(trials=2)


def test_a_store_whose_damage_shows_only_under_way_is_named():
    def overwritten(path):
        content = bytearray(path.read_bytes())
        content[20_000:40_000] = bytes(20_000)
        path.write_bytes(content)

    damaged(overwritten, r"reports/tuning\.db cannot be read: .*malformed")


def test_a_store_of_another_version_is_named():
    def newer(path):
        with closing(sqlite3.connect(path)) as store, store:
            store.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")

    damaged(newer, r"reports/tuning\.db was written by another version of Optuna")


def test_a_disk_that_is_full_is_no_damage_and_the_search_goes_on_once_there_is_room(whole):
    def fill(connection, _):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    made("full", trials=1)
    event.listen(Engine, "connect", fill)
    try:
        with pytest.raises(DiskFault, match=r"reports/tuning\.db cannot be written: .*full"):
            made("full", trials=400)
    finally:
        event.remove(Engine, "connect", fill)
    assert made("full", trials=16)[:16] == whole


def test_a_study_of_other_data_is_another_study():
    assert study_name("lightgbm", {"a": 1}, 7) != study_name("lightgbm", {"a": 2}, 7)
    assert study_name("lightgbm", {"a": 1}, 7) == study_name("lightgbm", {"a": 1}, 7)

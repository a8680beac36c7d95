"""A backtest counts only for the data and the parameters that it was made of."""

import hashlib
import json

import pytest

from churn.shell.measured import BACKTEST, measured
from churn.words.errors import IntegrityFault


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with an inventory, parameters and the backtest made of both."""
    for folder in ("data", "reports"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data/raw.json").write_text("[1]")
    (tmp_path / "params.yaml").write_text("model: {}")
    digest = {
        name: hashlib.sha256(text.encode()).hexdigest() for name, text in (("data", "[1]"), ("params", "model: {}"))
    }
    (tmp_path / BACKTEST).write_text(json.dumps({"pooled": {"auc": 0.8}, "digest": {**digest, "customers": 5}}))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_backtest_of_this_data_and_these_parameters_is_noted_with_its_digest(project):
    found = measured()
    assert found["backtest"]["pooled"] == {"auc": 0.8}
    assert found["digests"] == {BACKTEST: hashlib.sha256((project / BACKTEST).read_bytes()).hexdigest()}


@pytest.mark.parametrize("name", ["data/raw.json", "params.yaml"])
def test_a_backtest_of_other_data_or_parameters_does_not_count(project, name):
    (project / name).write_text("[2]")
    assert measured() == {"backtest": None, "digests": {}}


def test_without_a_backtest_there_is_nothing_to_note(project):
    (project / BACKTEST).unlink()
    assert measured() == {"backtest": None, "digests": {}}


def test_a_report_that_does_not_say_what_it_is_of_is_refused(project):
    (project / BACKTEST).write_text("{}")
    with pytest.raises(IntegrityFault, match="churn backtest"):
        measured()


def test_a_damaged_report_says_to_remove_it_and_not_to_run_again(project):
    (project / BACKTEST).write_text('{"digest": {')
    with pytest.raises(IntegrityFault, match="Remove it, or run `churn backtest` again"):
        measured()

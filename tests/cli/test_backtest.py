"""`churn backtest` as a person uses it, on the demo world."""

import csv
import json
import shutil
from importlib import import_module

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.cli.backtest_made import make
from churn.core.backtest import day
from tests.pipelines.project import CHURN, changed, committed, copied_project, done

backtest = import_module("churn.cli.backtest")  # the name in the package is the command
MORE = ("--staleness", "--ablation")


@pytest.fixture(scope="module")
def project(demo_run, tmp_path_factory):
    """A copy of a project that made its list."""
    folder = tmp_path_factory.mktemp("backtest") / "project"
    shutil.copytree(demo_run.folder, folder, ignore=shutil.ignore_patterns("mlruns", "deliveries"), symlinks=True)
    return folder


def test_lists_of_past_days_are_made_judged_and_told(project):
    told = done(project, *CHURN, "backtest", "--as-ofs", "2", "--customers", "700", "--strict")
    assert told.returncode == 0, told.stderr
    assert "2/2  " in told.stderr
    found = json.loads((project / "reports/backtest.json").read_text())
    assert found["verdict"]["outcome"] == "better"
    assert found["verdict"]["en"] in told.stdout
    assert "Looked at 667 of 2,000 customers" in told.stdout
    # A third of the customers, so a third of those whom the team can contact.
    assert found["list"]["capacity"] == round(200 * 667 / 2000)
    assert found["pooled"]["auc_low"] > found["models"]["rule"]["pooled"]["auc"]
    # Days begin at midnight in Berlin, which is the evening before in UTC.
    newest = found["as_ofs"][-1]
    assert newest["as_of"][:10] < newest["day"]
    assert f"2/2  {newest['day']}  " in told.stderr
    assert f"\n{newest['day']}" in told.stdout
    with (project / "reports/backtest/as_ofs.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["as_of"] for line in lines] == [one["as_of"] for one in found["as_ofs"]]
    assert [float(line["rule_auc"]) for line in lines] == [one["rule"]["auc"] for one in found["as_ofs"]]
    for language, words in {"en": "List of", "zh": "名单日期"}.items():
        assert words in (project / f"reports/backtest/auc_{language}.svg").read_text()


def test_strict_ends_with_6_where_the_rule_is_as_good(project):
    # The model is the rule, so there is no difference.
    changed(project, "  - model: lightgbm", "  - model: rule")
    assert done(project, *CHURN, "config", "compose").returncode == 0
    told = done(project, *CHURN, "backtest", "--as-ofs", "1", "--customers", "700", "--strict", "--json", *MORE)
    assert told.returncode == 6, told.stderr
    assert json.loads(told.stdout)["verdict"]["outcome"] == "no_better"
    assert "GATE: No better than the best time rule" in told.stderr
    found = json.loads(told.stdout)
    assert [one["months"] for one in found["staleness"]] == [0, 1, 2, 3, 6]
    sources = {one["name"] for one in found["ablation"] if one["kind"] == "source"}
    assert {"usage", "orders", "tickets", "customers"} <= sources
    assert {one["source"] for one in found["failing"]} == sources


USE = ("config", "use", "data=complete_journey", "model=lightgbm")
"""Whatever the checkout has in use."""


@pytest.mark.long
def test_a_list_of_complete_journey_is_the_one_of_a_real_run_of_that_day(tmp_path, monkeypatch):
    then = committed(copied_project(tmp_path / "then", tracked=False))
    declared = then / "conf/data/complete_journey.yaml"
    until = 'observed_until: "2018-01-01"'
    assert declared.read_text().count(until) == 1
    declared.write_text(declared.read_text().replace(until, 'observed_until: "2017-10-09T05:00:00+00:00"'))
    for command in (USE, ("run",)):
        told = done(then, *CHURN, *command)
        assert told.returncode == 0, told.stderr
    scored = pq.read_table(then / "data/scores.parquet")

    now = committed(copied_project(tmp_path / "now", tracked=False))
    assert done(now, *CHURN, *USE).returncode == 0
    monkeypatch.chdir(now)
    backtest._events()
    settings, _ = backtest._settings()
    made = make(settings, 8, None, 20_000, ())
    one = day(made.there, made.when, scored["as_of"].cast(pa.int64())[0].as_py(), settings)
    assert one.customers.equals(scored["customer_id"].combine_chunks())
    assert one.scores["model"].tobytes() == scored["score"].to_numpy().tobytes()

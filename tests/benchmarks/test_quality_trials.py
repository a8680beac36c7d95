"""Which rows learn and which are the test, what models leave behind, and what mistakes cost."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import model_world
import numpy as np
import pyarrow as pa
import pytest

from benchmarks.quality import clocked, environments, exchange, origins, ours, trial
from benchmarks.quality.protocols import PROTOCOLS, Protocol
from benchmarks.quality.savings import savings
from benchmarks.quality.snapshots import Tables
from benchmarks.quality.trials import outcome, parts, split_table
from churn.core.model import margins, model, score
from churn.words.tables import SNAPSHOTS
from churn.words.windows import DAY_US

END = datetime(2025, 1, 1, tzinfo=UTC)


def world(days_before, n_customers=2):
    """Snapshots of each customer at each date, the first customer's churned."""
    rows = [
        (f"{c:04d}", END - timedelta(days=d), c % 2 == 0)
        for c in range(n_customers)
        for d in sorted(days_before, reverse=True)
    ]
    columns = [
        pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SNAPSHOTS.schema, strict=True)
    ]
    return pa.table(columns, schema=SNAPSHOTS.schema)


def instant(days_before):
    return int((END - timedelta(days=days_before)).timestamp() * 1e6)


def test_each_fold_tests_other_customers_and_all_folds_of_a_seed_test_everybody():
    snapshots = world([10], 200)
    split = split_table({"test": [instant(10)]}, snapshots, (0, DAY_US))
    protocol = Protocol(data="", text="", overrides=(), customers_seeds=(1, 2), folds=5)
    found = parts(protocol, snapshots, split)
    assert len(found) == 2 * 5
    assert (sum((part == "test").astype(int) for part in found[:5]) == 1).all()
    churned = snapshots["churned"].to_numpy(zero_copy_only=False)
    for part in found:
        assert [int(churned[part == p].sum()) for p in ("train", "test")] == [53, 20]  # 100 x .8 x 4/6, 100 x .2


def test_customers_of_either_outcome_are_tested_in_the_same_share_without_folds():
    snapshots = world([10], 200)
    split = split_table({"test": [instant(10)]}, snapshots, (0, DAY_US))
    (part,) = parts(Protocol(data="", text="", overrides=(), customers_seeds=(4000,)), snapshots, split)
    churned = snapshots["churned"].to_numpy(zero_copy_only=False)
    assert (part[churned] == "test").sum() == (part[~churned] == "test").sum() == 30


def test_a_shift_moves_every_date_and_nothing_is_learnt_at_or_after_its_test():
    days = tuple(range(56, 56 + 8 * 14, 14))
    named = {"train": days[2:], "validation": days[1:2], "calibration": days[:1], "test": (28,)}
    protocol = Protocol(data="", text="", overrides=(), days_before=named, shifts=(0, 28, 56, 84))
    named = {d + s for days in protocol.days_before.values() for d in days for s in protocol.shifts}
    snapshots = world(named)
    split = split_table({"test": [instant(28)]}, snapshots, (0, 28 * DAY_US))
    found = parts(protocol, snapshots, split)
    as_of = snapshots["as_of"].cast(pa.int64()).to_numpy()
    for shift, part in zip(protocol.shifts, found, strict=True):
        assert set(as_of[part == "test"]) == {instant(28 + shift)}
        learnt = np.isin(part, ["train", "validation", "calibration"])
        assert as_of[learnt].max() == instant(28 + shift) - 28 * DAY_US
        assert len(set(as_of[learnt])) == 8


def test_of_the_embargo_only_what_had_matured_by_the_test_plays_a_part():
    days = {"train": [100, 90], "embargo": [80, 20], "validation": [60], "calibration": [40], "test": [10]}
    snapshots = world([d for some in days.values() for d in some])
    split = split_table({p: [instant(d) for d in some] for p, some in days.items()}, snapshots, (0, 15 * DAY_US))
    (part,) = parts(Protocol(data="", text="", overrides=()), snapshots, split)
    as_of = snapshots["as_of"].cast(pa.int64()).to_numpy()
    assert set(as_of[part == "embargo"]) == {instant(80)}
    assert set(part[as_of == instant(20)]) == {""}
    assert outcome(split) == (0, 15 * DAY_US)


def test_scores_of_other_rows_are_refused_and_scores_from_other_tables_are_gone(tmp_path):
    snapshots = world([10], 4)
    split = split_table({"test": [instant(10)]}, snapshots, (0, DAY_US))
    tables = Tables(snapshots.select(["customer_id", "as_of"]), snapshots, split)
    part = np.array(["train", "test", "", "test"])
    exchange.write(tmp_path, tables, [part])
    exchange.write_scores(tmp_path, "a", [(np.array([3, 1]), np.array([0.3, 0.1]))])
    assert exchange.scores(tmp_path, "a").tolist() == [0.1, 0.3]
    exchange.write_scores(tmp_path, "a", [(np.array([0, 1]), np.array([0.3, 0.1]))])
    with pytest.raises(SystemExit, match="a did not score the test rows"):
        exchange.scores(tmp_path, "a")
    exchange.write(tmp_path, tables, [part])
    assert (tmp_path / "scores" / "a.parquet").is_file()
    exchange.write(tmp_path, tables, [part[::-1]])
    assert not (tmp_path / "scores" / "a.parquet").is_file()


def test_scores_of_other_code_or_settings_are_not_taken_for_new_ones(tmp_path, monkeypatch):
    (tmp_path / "scores").mkdir()
    ran = []

    def run(folder, name, model, overrides, cache):
        ran.append(model)
        exchange.used(folder, model).write_text('{"cpu_s": 1, "seconds": 1, "peak_mb": 1}', encoding="utf-8")

    monkeypatch.setattr(trial, "_run", run)
    made_of = {"rule": "a", "logistic": "a"}
    monkeypatch.setattr(trial, "_origin", lambda protocol, model, overrides: made_of[model])

    def scored(again):
        ran.clear()
        asked = {"overrides": (), "cache": tmp_path, "say": said.append}
        found = trial._scored(tmp_path, "demo", ["rule", "logistic"], again=again, **asked)
        assert found == (["rule", "logistic"], [])
        return list(ran)

    said: list[str] = []
    assert scored(None) == ["rule", "logistic"]
    assert said[2] == "2/2 logistic"
    assert scored(["rule"]) == ["rule"]
    made_of["logistic"] = "b"
    assert scored(["rule"]) == ["rule", "logistic"]
    exchange.start(tmp_path, "logistic")  # and was broken off
    assert scored(["rule"]) == ["rule", "logistic"]


def test_a_model_that_fails_is_left_out_and_said_and_the_others_go_on(tmp_path):
    (tmp_path / "scores").mkdir()
    said: list[str] = []
    asked = {"again": None, "overrides": (), "cache": tmp_path, "say": said.append}
    assert trial._scored(tmp_path, "demo", ["rule"], **asked) == ([], ["rule"])  # there are no tables in the folder
    assert said[0] == "1/1 rule"
    assert said[1].startswith("1/1 rule: failed with exit code 1: FileNotFoundError")
    assert not exchange.stand(tmp_path, "rule", "a")


def test_the_origin_of_scores_changes_with_the_code_and_with_the_settings(tmp_path):
    file = tmp_path / "model.py"
    file.write_text("a", encoding="utf-8")
    found = {origins.digest([file]), origins.digest([file], 1)}
    file.write_text("b", encoding="utf-8")
    assert len({*found, origins.digest([file])}) == 3
    assert origins.of_peer("automated", "flaml", 30) != origins.of_peer("automated", "flaml", 100)
    names = {path.relative_to(origins.ROOT).as_posix() for path in origins.stage_code("model", origins.SCORING)}
    assert {"src/churn/core/model/boosted.py", "src/churn/core/shapley/__init__.py"} <= names
    assert not any(name.startswith("src/churn/shell") for name in names)


def test_the_dates_of_a_protocol_are_named_once_for_all_shifts_and_no_learnt_outcome_meets_the_test():
    horizons = {"complete_journey_28_dates": 28, "online_retail_28_dates": 28, "cdnow_90_dates": 90}
    assert set(horizons) == {name for name, protocol in PROTOCOLS.items() if len(protocol.shifts) > 1}
    for name, horizon in horizons.items():
        assert f"definition.horizon_days={horizon}" in PROTOCOLS[name].overrides
        assert PROTOCOLS[name].shifts == (0, 28, 56, 84)
        (test,) = PROTOCOLS[name].days_before["test"]
        learnt = [d for part, days in PROTOCOLS[name].days_before.items() if part != "test" for d in days]
        assert min(learnt) - test == horizon == test


def test_a_model_of_the_product_scores_as_behind_its_own_door_and_learns_from_no_test_row(tmp_path):
    features, snapshots, split = model_world.world()
    protocol = PROTOCOLS["complete_journey_28_local"]  # the product's own split decides, as in the world
    (part,) = parts(protocol, snapshots, split)
    exchange.write(tmp_path, Tables(features, snapshots, split), [part])
    ours.main(tmp_path, "complete_journey_28_local", "rule", [])
    tested = features.filter(pa.array(part == "test"))
    learnt = model(features, snapshots, split, **model_world.RULE)
    assert exchange.scores(tmp_path, "rule").tolist() == score(learnt, margins(learnt, tested)).tolist()


def test_savings_are_the_share_of_the_cheaper_of_all_and_nobody():
    churned = np.tile([True, True, False, False], 10)
    each = {"tp": 10.0, "fp": 10.0, "tn": 0.0, "fn": 100.0}  # contact from 10 / (10 + 100 - 10) = .1 on
    costs = {f"{kind}_cost": np.full(40, cost) for kind, cost in each.items()}
    found = savings(
        churned,
        {"sure": np.tile([0.9, 0.9, 0.05, 0.05], 10), "timid": np.tile([0.2, 0.2, 0.2, 0.05], 10)},
        np.arange(40),
        costs,
        seed=1,
        bootstrap=20,
        interval=0.9,
    )
    # Of each four, all: 2 x 10 + 2 x 10 = 40; nobody: 2 x 100. The sure model pays 2 x 10, the timid one 3 x 10.
    assert found["sure"]["savings"] == pytest.approx(1 - 20 / 40)
    assert found["timid"]["savings"] == pytest.approx(1 - 30 / 40)
    assert found["timid"]["savings_at_half"] == pytest.approx(1 - 200 / 40)
    assert found["timid"]["ours_less_savings"] == pytest.approx(20 / 40 - 10 / 40)
    assert "ours_less_savings" not in found["sure"]


def test_an_environment_that_cannot_be_made_says_why(tmp_path, monkeypatch):
    (tmp_path / "peer.txt").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64, encoding="utf-8")
    monkeypatch.setattr(environments, "HERE", tmp_path)
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(environments.UnavailableError, match="no-such-package"):
        environments.python("peer", tmp_path)
    assert not list(tmp_path.glob("environments/*/made"))


def test_the_clock_says_what_a_command_took_and_ends_as_it_ended(tmp_path):
    out = tmp_path / "used.json"
    command = [sys.executable, "-S", clocked.__file__, str(out), sys.executable, "-S", "-c"]
    assert subprocess.run([*command, "raise SystemExit(3)"], check=False).returncode == 3
    assert not out.exists()
    subprocess.run([*command, "x = bytearray(200_000_000)"], check=True)
    assert 190 < json.loads(out.read_text(encoding="utf-8"))["peak_mb"] < 300

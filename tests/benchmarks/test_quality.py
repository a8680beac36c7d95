"""The page of quality says what the results say, and the results name every protocol."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.quality.document import METRICS, best_peer, document, standing
from benchmarks.quality.environments import HERE
from benchmarks.quality.protocols import OURS, PEERS, PROTOCOLS
from benchmarks.quality.sampling import SHARES, table

ROOT = Path(__file__).parents[2]
ROWS = json.loads((ROOT / "benchmarks/results/quality.json").read_text(encoding="utf-8"))
REAL = (
    "complete_journey_28",
    "complete_journey_60_14",
    "online_retail_90",
    "cdnow_master",
    "cdnow_sample",
    "tv_subscription",
)


def rows_of(protocol):
    return {row["model"]: row for row in ROWS if row["protocol"] == protocol}


def test_the_page_says_what_the_results_say():
    page = (ROOT / "docs/quality.md").read_text(encoding="utf-8")
    assert page == document(ROWS), "run `make bench-quality`"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_model_of_a_protocol_has_each_metric_with_low_and_high(protocol):
    # A peer that cannot be installed where the benchmark runs is left out.
    assert set(PROTOCOLS[protocol].models) - set(PEERS) <= set(rows_of(protocol)) <= set(PROTOCOLS[protocol].models)
    for row in rows_of(protocol).values():
        for metric in METRICS:
            assert row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"], (row["model"], metric)


@pytest.mark.parametrize("protocol", REAL[:4])
def test_the_model_is_clearly_ahead_of_the_time_rule_where_dates_are_the_test(protocol):
    assert standing(rows_of(protocol)["rule"], "auc") == "ahead"


@pytest.mark.parametrize("protocol", REAL)
def test_nobody_is_clearly_ahead_of_ours(protocol):
    assert standing(best_peer(list(rows_of(protocol).values()), "auc"), "auc") != "behind"


@pytest.mark.parametrize("peer", ["featuretools", "bg_nbd"])
def test_ours_is_clearly_ahead_of_synthesised_features_and_of_bg_nbd_on_three_real_data_sets(peer):
    found = {name: rows_of(name)[peer] for name in REAL if peer in rows_of(name)}
    ahead = [name for name, row in found.items() if standing(row, "auc") == "ahead"]
    assert len(ahead) >= 3, ahead


def test_a_loss_that_is_lower_is_ahead_and_an_interval_with_zero_is_level():
    row = {"ours_less_logloss_low": -0.02, "ours_less_logloss_high": -0.01, "ours_less_auc_low": -0.01}
    assert standing(row, "logloss") == "ahead"
    assert standing({**row, "ours_less_auc_high": 0.01}, "auc") == "level"
    assert standing({**row, "ours_less_auc_high": -0.001}, "auc") == "behind"


def test_the_best_of_the_others_is_never_ours_nor_a_blend_with_it():
    rows = [{"model": OURS, "auc": 0.9, "brier": 0.1}, {"model": "a", "auc": 0.8, "brier": 0.2}]
    rows += [{"model": "b", "auc": 0.7, "brier": 0.15}, {"model": "blend", "auc": 0.91, "brier": 0.09}]
    assert best_peer(rows, "auc")["model"] == "a"
    assert best_peer(rows, "brier")["model"] == "b"


@pytest.mark.parametrize("name", [*PEERS, "packaged"])
def test_what_an_environment_gets_is_pinned_with_digests(name):
    text = (HERE / f"{name}.txt").read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if not line.startswith((" ", "#"))]
    assert packages
    assert all(re.match(r"[a-z0-9._-]+==[\w.]+( ; .*)? \\$", line) for line in packages)
    assert text.count("--hash=sha256:") >= len(packages)


def test_the_table_of_samples_shows_means_and_the_range_of_paired_differences():
    metrics = {"auc": 0.8, "ap": 0.5, "logloss": 0.3, "ece": 0.01}
    measured = [
        (share, int(1000 * share), {**metrics, "auc": 0.8 + seed / 100 - (share < 1) * seed / 1000})
        for seed in (1, 2)
        for share in SHARES
    ]
    lines = table(measured).splitlines()
    assert lines[2] == "| 1,000 | 100% | 0.8150 | 0.5000 | 0.3000 | 0.0100 |"
    assert lines[3].startswith("| 500 | 50% | -0.0015 (-0.0020 to -0.0010) | +0.0000 (+0.0000 to +0.0000) |")


def test_where_mistakes_have_prices_the_model_saves_money_and_thresholds_of_one_half_save_none():
    row = rows_of("tv_subscription")[OURS]
    assert row["savings_low"] > 0.1
    assert abs(row["savings_at_half"]) < 0.005

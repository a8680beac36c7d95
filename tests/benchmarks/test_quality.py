"""The page of quality says what the results say, and names what has no results."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.quality.__main__ import main
from benchmarks.quality.document import METRICS, best_peer, clearly_ahead, document, sources, standing
from benchmarks.quality.environments import HERE
from benchmarks.quality.protocols import ALSO_OURS, OURS, PEERS, PROTOCOLS
from benchmarks.quality.sampling import SHARES, table

ROOT = Path(__file__).parents[2]
ROWS = json.loads((ROOT / "benchmarks/results/quality.json").read_text(encoding="utf-8"))
RUN = tuple(dict.fromkeys(row["protocol"] for row in ROWS))
REAL = tuple(name for name in RUN if PROTOCOLS[name].data != "demo" and set(PEERS) & set(PROTOCOLS[name].models))
DATED = tuple(name for name in REAL if not PROTOCOLS[name].customers_seeds)
"""Where later dates are the test, and not other customers."""


def rows_of(protocol):
    return {row["model"]: row for row in ROWS if row["protocol"] == protocol}


def test_the_page_says_what_the_results_say():
    page = (ROOT / "docs/quality.md").read_text(encoding="utf-8")
    assert page == document(ROWS), "run `make bench-quality`"


def test_what_has_no_rows_is_named_on_the_page():
    # Data that are not at hand, a peer that cannot be installed, and what the benchmark has had only since it was run.
    page = document(ROWS).partition("Without rows here: ")[2].partition("\n")[0]
    for name, protocol in PROTOCOLS.items():
        absent = [model for model in protocol.models if model not in rows_of(name)]
        said = re.search(rf"\b{name}(?: \(([^)]*)\))?[;.]", page)
        assert bool(said) == bool(absent), name
        if said and name in RUN:
            assert said[1] == ", ".join(absent)


@pytest.mark.parametrize("protocol", RUN)
def test_every_model_of_a_protocol_has_each_metric_with_low_and_high(protocol):
    assert {OURS, "rule"} & set(PROTOCOLS[protocol].models) <= set(rows_of(protocol)) <= set(PROTOCOLS[protocol].models)
    for row in rows_of(protocol).values():
        for metric in METRICS:
            assert row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"], (row["model"], metric)


@pytest.mark.parametrize("protocol", DATED)
def test_the_model_is_clearly_ahead_of_the_time_rule_where_dates_are_the_test(protocol):
    assert standing(rows_of(protocol)["rule"], "auc") == "ahead"


@pytest.mark.parametrize("protocol", [name for name in RUN if name == "complete_journey_28_dates"])
def test_the_newest_of_several_dates_is_the_protocol_with_that_date_alone(protocol):
    for model in (OURS, "logistic", "rule"):
        *_, newest = rows_of(protocol)[model]["auc_by_date"].values()
        assert newest == rows_of("complete_journey_28")[model]["auc"], "run both: their rows are of different code"


@pytest.mark.parametrize("protocol", REAL)
def test_nobody_is_clearly_ahead_of_ours(protocol):
    assert standing(best_peer(list(rows_of(protocol).values()), "auc"), "auc") != "behind"


@pytest.mark.parametrize(("peer", "least"), [("featuretools", 3), ("bg_nbd", 3)])
def test_ours_is_clearly_ahead_of_featuretools_and_of_bg_nbd_on_three_sources_of_real_data(peer, least):
    # Several protocols share a source: Complete Journey and CDNOW have three each.
    ahead = clearly_ahead([row for name in REAL for row in rows_of(name).values()], peer)
    assert len(sources(ahead)) >= least, ahead


def test_protocols_of_one_source_count_as_one_source():
    row = {"model": "bg_nbd", "ours_less_auc_low": 0.01, "ours_less_auc_high": 0.02}
    rows = [row | {"data": "cdnow", "protocol": "cdnow_master"}, row | {"data": "cdnow", "protocol": "cdnow_sample"}]
    level = row | {"data": "online_retail", "ours_less_auc_low": -0.01}
    assert clearly_ahead([*rows, level], "bg_nbd") == rows
    assert sources(rows) == ["cdnow"]


def test_the_page_says_who_is_certainly_ahead_and_what_has_no_rows():
    behind = {"ours_less_auc": -0.0024, "ours_less_auc_low": -0.0041, "ours_less_auc_high": -0.0008}
    changed = [
        row | (behind if (row["protocol"], row["model"]) == ("complete_journey_28", "logistic_rfm") else {})
        for row in ROWS
        if (row["protocol"], row["model"]) != ("complete_journey_28", "own_mean")
    ]
    page = document(changed)
    assert (
        "* Ahead of ours, of the others: `logistic_rfm` on `complete_journey_28` (AUC of ours less it -0.0024" in page
    )
    assert re.search(r"Without rows here: complete_journey_28 \(own_mean\)", page)
    before = [line for line in page.splitlines() if line.startswith("* Ahead of `lightgbm`, of our other choices")]
    ranked = {(r["protocol"], r["model"]) for r in ROWS if r["model"] in ALSO_OURS and standing(r, "auc") == "behind"}
    assert len(re.findall("AUC of ours less it", before[0])) == len(ranked)


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


def test_it_says_at_which_of_how_many_protocols_it_is_and_goes_on_without_data_that_are_not_there(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("CHURN_SHARED_DATA", str(tmp_path))
    assert main(["--only", "online_retail_90", "--only", "cdnow_master", "--cache", str(tmp_path)]) == 0
    first, second, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"[1/2] online_retail_90: skipped, since {tmp_path}")
    assert second.startswith("[2/2] cdnow_master: skipped, since ")
    assert last.startswith("2 protocols in 0.0 minutes")

"""The page of quality says what the results say, and the results name every protocol."""

import json
from pathlib import Path

from benchmarks.quality.document import METRICS, document
from benchmarks.quality.protocols import PROTOCOLS
from benchmarks.quality.sampling import SHARES, table

ROOT = Path(__file__).parents[2]
ROWS = json.loads((ROOT / "benchmarks/results/quality.json").read_text(encoding="utf-8"))


def test_the_page_says_what_the_results_say():
    page = (ROOT / "docs/quality.md").read_text(encoding="utf-8")
    assert page == document(ROWS), "run `make bench-quality`"


def test_every_protocol_has_every_model_with_low_and_high():
    assert {(row["protocol"], row["model"]) for row in ROWS} == {
        (protocol, kind) for protocol in PROTOCOLS for kind in ("lightgbm", "logistic", "logistic_rfm", "rule")
    }
    for row in ROWS:
        for metric in METRICS:
            assert row[f"{metric}_low"] <= row[metric] <= row[f"{metric}_high"], (row["protocol"], row["model"], metric)


def test_the_model_is_clearly_ahead_of_the_time_rule_on_every_real_data_set():
    tables = {row["protocol"]: row for row in ROWS if row["model"] == "lightgbm"}
    for protocol in ("complete_journey_28", "complete_journey_60_14", "online_retail_90", "cdnow_master"):
        assert tables[protocol]["above_rule_auc_low"] > 0, protocol


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

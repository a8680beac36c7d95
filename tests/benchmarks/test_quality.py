"""The page of quality says what the results say, and the results name every protocol."""

import json
from pathlib import Path

from benchmarks.quality.document import METRICS, document
from benchmarks.quality.protocols import PROTOCOLS

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

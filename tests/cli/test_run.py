"""`churn run` from check to delivery, with a graph of one stage that stands for the pipeline."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.shell.delivery import FILES, verify
from churn.words.errors import Exit
from churn.words.tables import RISK_LIST

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-c", "from churn.cli import main; main()", "run"]
GRAPH = """
stages:
  risk_list:
    cmd: python -m make
    deps: [make.py, params.yaml]
    outs: [data/risk_list, data/raw.json]
"""
STAGE = """
import json
import shutil
from pathlib import Path
from churn.shell.runs import stage
from churn.words.errors import ContractFault

def main():
    if Path("fails").exists():
        raise ContractFault("3 of 4 rows are bad")
    Path("data/raw.json").write_text("{}")
    Path("reports").mkdir(exist_ok=True)
    rows = '{"rows": 9, "kept": 5, "duplicates": 1, "quarantined": 1, "out_of_window": 2}'
    Path("reports/events.json").write_text('{"total": %s, "warnings": ["one row is odd"]}' % rows)
    Path("reports/tracking.json").write_text('{"tracked": false, "git_commit": "abc"}')
    doubted = Path("doubted").exists()
    said = {"outcome": "no_better", "en": "No better"} if doubted else {"outcome": "better", "en": "Better"}
    order = {"order": "rule", "en": "In the order of the rule."} if doubted else {"order": "model", "en": ""}
    Path("reports/evaluation.json").write_text(json.dumps({"verdict": said, "list": order}))
    shutil.copytree("made", "data/risk_list")

if __name__ == "__main__":
    stage("risk_list", main)
"""


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """A project outside git whose stage copies a list of one customer."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "make.py").write_text(STAGE)
    (tmp_path / "made").mkdir()
    for name in FILES:
        (tmp_path / "made" / name).write_text("x")
    (tmp_path / "made/model_card.json").write_text('{"grade": {"grade": "B", "en": "Use the order."}}')
    row = {
        "rank": 1,
        "customer_id": "007",
        "score": 0.4,
        "percentile": 0.0,
        "expected_value": 5.0,
        "value_at_risk": 2.0,
    }
    row |= {"currency": "USD", "reason_1_en": "no basket for 41 days", "model_version": "0123456789ab"}
    row |= {"as_of": datetime(2018, 1, 1, 5, tzinfo=UTC)}
    nullable = pa.schema([f.with_nullable(True) for f in RISK_LIST.schema])
    rows = [{name: row.get(name) for name in nullable.names}]
    pq.write_table(pa.Table.from_pylist(rows, nullable), tmp_path / "made/risk_list.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))


def ran() -> subprocess.CompletedProcess:
    """A run that has ended."""
    return subprocess.run(RUN, capture_output=True, text=True, check=False)


def test_a_run_publishes_the_list_and_the_same_run_again_changes_nothing():
    first = ran()
    assert first.returncode == 0, first.stderr
    verify(Path("deliveries/2018-01-01"))
    assert "Published deliveries/2018-01-01: 1 customers" in first.stdout
    assert "no basket for 41 days" in first.stdout
    assert "Grade B. Use the order. See deliveries/2018-01-01/model_card.html" in first.stdout
    assert json.loads(Path("deliveries/2018-01-01/origin.json").read_text())["git_commit"] == "abc"
    assert [line.split()[:2] for line in first.stderr.splitlines()] == [["risk_list", "started"], ["risk_list", "made"]]
    again = ran()
    assert "Nothing changed; still deliveries/2018-01-01" in again.stdout
    assert [line.split() for line in again.stderr.splitlines()] == [["risk_list", "unchanged"]]


def test_a_fault_in_a_stage_is_told_once_with_its_code_and_the_last_list_stays():
    assert ran().returncode == 0
    Path("fails").touch()
    Path("make.py").write_text(STAGE + "\n# changed\n")
    failed = ran()
    assert failed.returncode == Exit.CONTRACT
    assert failed.stderr.count("3 of 4 rows are bad") == 1
    assert "Traceback" not in failed.stderr
    verify(Path("deliveries/latest"))


def test_a_list_of_an_unproved_model_says_so_and_strict_publishes_none():
    Path("doubted").touch()
    strict = subprocess.run([*RUN, "--strict"], capture_output=True, text=True, check=False)
    assert strict.returncode == Exit.GATE
    assert "not proved better than the best time rule" in strict.stderr
    assert not Path("deliveries").exists()
    lax = ran()
    assert lax.returncode == 0
    assert "In the order of the rule." in lax.stdout


def test_a_changed_conf_is_refused_before_any_stage_with_the_command_that_mends_it():
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("horizon_days: 28", "horizon_days: 27"))
    refused = ran()
    assert refused.returncode == Exit.CONFIG
    assert "horizon_days" in refused.stderr
    assert "churn config compose" in refused.stderr
    assert not Path("data/risk_list").exists()


def test_a_run_from_a_folder_below_finds_the_project():
    Path("docs").mkdir()
    done = subprocess.run(RUN, cwd="docs", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("deliveries/2018-01-01/index.html").exists()

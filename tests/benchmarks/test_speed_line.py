"""How the benchmark of the whole line adds up what its processes say."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.speed.line import NOTED, PREFIX, WHOLE, _by_work


def _note(command: list[str], wall: float, start: float, peak: float = 100.0) -> dict:
    return {"command": command, "wall_s": wall, "cpu_s": wall / 2, "peak_mb": peak, "start_s": start}


def test_wall_times_of_the_stages_dvc_and_publishing_add_up_to_the_whole():
    notes = [
        _note(["-m", "pipelines.raw"], 1.0, 0.5),
        _note(["-m", "pipelines.model"], 20.0, 1.0, peak=700.0),
        _note(["-m", "dvc", "repro"], 24.0, 1.5),
        _note(["-c", "main()", "run"], 26.0, 0.25),
    ]
    found = _by_work({"wall_s": 26.5, "cpu_s": 40.0}, notes)
    parts = {name: row["wall_s"] for name, row in found.items() if name != WHOLE}
    assert parts == {
        f"{PREFIX}raw": 1.0,
        f"{PREFIX}model": 20.0,
        f"{PREFIX}dvc": 24.0 - 1.0 - 20.0,
        f"{PREFIX}publishing": 26.5 - 24.0,
    }
    assert found[WHOLE] == {"wall_s": 26.5, "cpu_s": 40.0, "peak_mb": 700.0, "start_s": 0.5 + 1.0 + 1.5 + 0.25}


@pytest.mark.skipif(sys.platform != "linux", reason="a process is born where /proc says so")
def test_a_process_notes_what_it_took_to_start_and_no_more(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(NOTED), "CHURN_BENCHMARK_NOTES": str(tmp_path)}
    (tmp_path / "slow.py").write_text("import time; time.sleep(0.3)")
    code = f"import sys, time; sys.path.append({str(tmp_path)!r}); time.sleep(0.6); import slow"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    (note,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
    assert note["command"][0] == "-c"
    assert note["start_s"] >= 0.3
    assert note["wall_s"] >= note["start_s"] + 0.6

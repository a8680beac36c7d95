"""`python -m benchmarks.speed.line`: the whole line, from `churn run` to the published list, stage by stage.

Each run is one `churn run` on the demo world in a copy of the project that holds nothing but raw data, so every stage
is made. Each process of it says what it used, and how long it took to start (`noted/sitecustomize.py`).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.results import ROOT, replace

NOTED = ROOT / "benchmarks" / "speed" / "noted"
CACHE = Path(tempfile.gettempdir()) / "churn-benchmark-line"
PREFIX = "line:"
WHOLE = f"{PREFIX}churn run"
PARTS = (
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvcignore",
    ".gitignore",
    "dvc.yaml",
    "params.yaml",
    "conf",
    "src",
    "pipelines",
)
"""What the pipeline is made of."""
MADE = ("models", "reports", "deliveries", "mlruns", "dvc.lock", ".dvc/cache", ".dvc/tmp", ".dvc/site")
SIZES = {200_000: "small", 1_000_000: "medium", 10_000_000: "large", 100_000_000: "huge"}
"""Events → size of `churn demo`."""
MEASURES = ("wall_s", "cpu_s", "peak_mb", "start_s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and replace the rows of this size in the results and on the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.line", description=__doc__)
    parser.add_argument("--events", type=int, choices=SIZES, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="of which medians are taken")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for the copy of the project")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=_made(asked.cache)) as name:
        folder = Path(name)
        copy(folder)
        _world(folder, "small")
        _once(folder)  # compiles what is not compiled yet
        _world(folder, SIZES[asked.events])
        runs = []
        for _ in range(asked.runs):
            runs.append(_once(folder))
            print(json.dumps(runs[-1][WHOLE]), file=sys.stderr, flush=True)
        rows = _rows(runs, {"engine": "ours", "size": SIZES[asked.events], **_about(folder)})
    for row in rows:
        print(f"{row['work']:20}" + "".join(f"{row[measure]:>10,.2f}" for measure in MEASURES))
    replace(lambda row: row["work"].startswith(PREFIX) and row["size"] == SIZES[asked.events], rows)
    return 0


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def copy(folder: Path) -> None:
    """What the pipeline is made of, in a folder of its own."""
    for part in PARTS:
        _made((folder / part).parent)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)


def _world(folder: Path, size: str) -> None:
    for arguments in (("demo", "--size", size), ("config", "use", "data=demo")):
        subprocess.run(_churn(*arguments), cwd=folder, env=_environment(folder), check=True, stdout=subprocess.DEVNULL)


def _once(folder: Path) -> dict[str, dict[str, float]]:
    """What `churn run` and each of its processes used, by the name of its row, when nothing but raw data is there."""
    notes = folder / "notes"
    for path in (notes, *(folder / name for name in MADE), *(folder / "data").iterdir()):
        if path == folder / "data" / "demo":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    notes.mkdir()
    environment = _environment(folder) | {
        "PYTHONPATH": os.pathsep.join([str(NOTED), str(folder / "src")]),
        "CHURN_BENCHMARK_NOTES": str(notes),
    }
    with (folder / "said.log").open("wb") as said:
        began = time.perf_counter()
        process = subprocess.Popen(_churn("run"), cwd=folder, env=environment, stdout=said, stderr=said)
        # wait4 says what this process and all its children used.
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"churn run ended with {process.returncode}:\n{(folder / 'said.log').read_text('utf-8')}")
    whole = {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime}
    return _by_work(whole, [json.loads(path.read_text("utf-8")) for path in sorted(notes.glob("*.json"))])


def _by_work(whole: dict[str, float], notes: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Row → measures: the stages, what DVC and the command take beside their children, and all of it."""
    found = {_name(note["command"]): {measure: note[measure] for measure in MEASURES} for note in notes}
    dvc, churn = found.pop("dvc"), found.pop("churn")
    whole |= {measure: max(note[measure] for note in notes) for measure in ("peak_mb",)}
    whole |= {"start_s": sum(note["start_s"] for note in notes)}
    churn["wall_s"] = whole["wall_s"] - dvc["wall_s"]
    dvc["wall_s"] -= sum(stage["wall_s"] for stage in found.values())
    return {f"{PREFIX}{name}": used for name, used in {**found, "dvc": dvc, "publishing": churn}.items()} | {
        WHOLE: whole
    }


def _name(command: list[str]) -> str:
    """The stage that a process made, or `dvc` or `churn`."""
    if "pipelines." in " ".join(command):
        return command[-1].removeprefix("pipelines.")
    return "dvc" if "dvc" in command else "churn"


def _rows(runs: list[dict[str, dict[str, float]]], about: dict[str, Any]) -> list[dict[str, Any]]:
    order = (*_stages(), "dvc", "publishing", WHOLE.removeprefix(PREFIX))
    return [
        {
            "work": work,
            **about,
            **{m: round(statistics.median(run[work][m] for run in runs), 2) for m in MEASURES},
            "runs": len(runs),
            "ratio_to_ours": 1.0,
        }
        for work in (f"{PREFIX}{name}" for name in order)
    ]


def _stages() -> list[str]:
    """The stages in the order of dvc.yaml, which is that of the work."""
    import yaml

    return list(yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"])


def _about(folder: Path) -> dict[str, int]:
    import pyarrow.parquet as pq

    events, features, split = (
        pq.ParquetFile(folder / "data" / f"{name}.parquet").metadata for name in ("events", "features", "split")
    )
    customers = pq.read_table(folder / "data" / "events.parquet", columns=["customer_id"])["customer_id"]
    return {
        "events": events.num_rows,
        "customers": len(customers.unique()),
        "as_ofs": split.num_rows,
        "snapshots": features.num_rows,
        "features": features.num_columns - 2,
    }


def _churn(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from churn.cli import main; main()", *arguments]


def _environment(folder: Path) -> dict[str, str]:
    """Our code as copied, and a folder of DVC's notes that no other project uses."""
    return os.environ | {
        "PYTHONPATH": str(folder / "src"),
        "PYTHONDONTWRITEBYTECODE": "",
        "DVC_SITE_CACHE_DIR": str(folder / ".dvc/site"),
        "DVC_NO_ANALYTICS": "1",
    }


if __name__ == "__main__":
    sys.exit(main())

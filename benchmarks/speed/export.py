"""`python -m benchmarks.speed.export`: a list of a million customers as CSV, JSON, Parquet and Excel.

One process a format, which reads the list and writes one file. `beyond_mb` is what the process held more than before it
began to write; the workbook holds the head of the list only, and says so.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.speed.results import ROOT, replace
from churn.words.tables import RISK_LIST
from churn.words.windows import instant

PREFIX = "export:"
FORMATS = ("csv", "json", "parquet", "xlsx")
MEASURES = ("wall_s", "cpu_s", "peak_mb", "beyond_mb", "size_mb")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and replace the rows of the export in the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.export", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3, help="of which medians are taken")
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "FORMAT"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        print(json.dumps(_written(Path(asked.one[0]), asked.one[1])))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        pq.write_table(_listed(asked.customers), Path(folder) / "list.parquet")
        rows = [_row(Path(folder), name, asked.customers, asked.runs) for name in FORMATS]
    for row in rows:
        print(f"{row['work']:20}" + "".join(f"{row[measure]:>10,.1f}" for measure in MEASURES))
    replace(lambda row: row["work"].startswith(PREFIX), rows)
    return 0


def _row(folder: Path, name: str, customers: int, runs: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.speed.export", "--one", str(folder), name]
    told = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(runs)]
    found = [json.loads(one.stdout) for one in told]
    medians = {measure: round(statistics.median(one[measure] for one in found), 2) for measure in MEASURES}
    about = {"events": 0, "customers": customers, "as_ofs": 1, "features": 0}
    return {"work": f"{PREFIX}{name}", "engine": "ours", **about, **medians, "runs": runs, "ratio_to_ours": 1.0}


def _written(folder: Path, name: str) -> dict[str, float]:
    """Write the list in one format, and tell seconds, memory and size."""
    from churn.shell.starts import bring

    bring()
    from churn.core.editions import files, workbook  # noqa: F401 - imports are not timed
    from churn.shell import store

    listed = pq.read_table(folder / "list.parquet").combine_chunks()
    before = _status("VmRSS")
    wall, cpu = time.perf_counter(), time.process_time()
    store.write_files(folder / name, {f"risk_list.{name}": _maker(name)(listed)})
    seconds = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    peak, size = _status("VmHWM"), (folder / name / f"risk_list.{name}").stat().st_size
    return {**seconds, "peak_mb": peak, "beyond_mb": peak - before, "size_mb": size / 1e6}


def _maker(name: str) -> Callable[[pa.Table], bytes | Iterator[bytes]]:
    from churn.core.editions import files
    from churn.core.editions.workbook import workbook

    if name != "xlsx":
        lines = {"csv": files.csv_lines, "json": files.json_lines, "parquet": files.parquet}
        return lines[name]
    return lambda listed: workbook(listed, _summary(listed), language="en", verdict="Better than a rule.")


def _summary(listed: pa.Table) -> Any:
    from churn.core.dataset import ROLE_NOUNS, Dataset
    from churn.core.definitions import Definition
    from churn.core.editions.summary import summary

    dataset = Dataset("shop", "UTC", 0, instant("2026-01-01", "UTC"), "EUR", dict(ROLE_NOUNS), {}, {})
    definition = Definition("inactivity", 0, 28, live_days=90, roles=("purchase",))
    return summary(listed, dataset=dataset, definition=definition, order={"en": "", "zh": ""})


def _status(key: str) -> float:
    """Memory of this process in MB: `VmRSS` now, `VmHWM` at its highest."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(key))) / 1024


def _listed(n: int) -> pa.Table:
    """A list of `n` customers whose ids, figures and sentences differ."""
    random = np.random.default_rng(1)
    value, score = np.round(random.gamma(0.5, 200, n), 2), random.beta(1, 15, n)
    at_risk = np.round(value * score, 2)
    sentences = {
        f"reason_{place}_{language}": _sentences(random.integers(0, 300, n), words)
        for place in (1, 2, 3)
        for language, words in (("en", " minutes of use in the last 30 days, 161 before"), ("zh", "分钟，最近30天"))
    }
    columns = {
        "rank": pa.array(np.arange(1, n + 1)),
        "customer_id": pa.array(np.char.zfill(np.arange(n).astype("U8"), 8)),
        "score": pa.array(score),
        "score_low": pa.array(score * 0.8),
        "score_high": pa.array(score * 0.8 + 0.2),
        "percentile": pa.array(np.argsort(np.argsort(score)) / n * 100),
        "as_of": pa.array(np.full(n, instant("2026-01-01", "UTC")), pa.timestamp("us", "UTC")),
        "expected_value": pa.array(value),
        "value_at_risk": pa.array(-np.sort(-at_risk)),
        "currency": pa.repeat(pa.scalar("EUR"), n),
        "model_version": pa.repeat(pa.scalar("0123456789ab"), n),
        **sentences,
        "staying_en": _sentences(random.integers(0, 60, n), " months a customer"),
        "staying_zh": _sentences(random.integers(0, 60, n), "个月的客户"),
    }
    return RISK_LIST.check(pa.table({name: columns[name] for name in RISK_LIST.schema.names}).cast(RISK_LIST.schema))


def _sentences(numbers: np.ndarray, words: str) -> pa.Array:
    return pa.array(np.char.add(numbers.astype("U4"), words))


if __name__ == "__main__":
    sys.exit(main())

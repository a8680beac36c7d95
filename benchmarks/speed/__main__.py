"""`python -m benchmarks.speed`: events table to features table on disk, beside peers, as whole processes."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.speed.document import picture
from benchmarks.speed.page import page
from benchmarks.speed.work import ASKED, EVENTS
from benchmarks.speed.world import EVENTS_A_CUSTOMER

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
PAGE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.svg"
CACHE = Path(tempfile.gettempdir()) / "churn-benchmark-speed"
ENGINES = ("ours", "limit", "polars", "pandas", "duckdb", "duckdb_case", "featuretools")
PACKAGES = {
    "polars": ("polars==1.42.1",),
    "featuretools": ("featuretools==1.31.0", "pandas<3", "setuptools<81", "pyarrow"),
}
"""What peers need that the product does not depend on, or not in that version: environments of their own."""
MOST_OF_FEATURETOOLS = 100_000
"""Events that featuretools bears: it takes a cutoff time at a time."""
WORK = "features"
MEASURES = ("wall_s", "cpu_s", "peak_mb")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the events, run every engine in turn, compare what they made, and write rows, page and picture."""
    wanted = _parsed(arguments)
    rows: list[dict[str, Any]] = []
    for size in _sizes(wanted):
        folder = _world(wanted.cache, size)
        # Growth needs only the product itself; peers are shown at the first number of dates, and of features.
        usual = size[1:] == (size.n_events // EVENTS_A_CUSTOMER, wanted.as_ofs[0], wanted.features[0])
        engines = wanted.engines if usual else [e for e in wanted.engines if e in {"ours", "limit"}]
        if size.n_events > MOST_OF_FEATURETOOLS:
            engines = [e for e in engines if e != "featuretools"]
        rows += _compared(folder, size, engines, wanted.runs)
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    done = {_what(row) for row in rows}
    others = [row for row in before if row["work"] != WORK]
    mine = sorted([*(r for r in before if r["work"] == WORK and _what(r) not in done), *rows], key=_place)
    RESULTS.write_text(json.dumps([*mine, *others], indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page([*mine, *others]), encoding="utf-8")
    PICTURE.write_text(picture(mine), encoding="utf-8")
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 20_000], help="numbers of events")
    parser.add_argument("--as-ofs", type=int, nargs="+", default=[12, 24], help="numbers of monthly dates")
    parser.add_argument("--features", type=int, nargs="+", default=[84, 21, 42, 252], help="numbers of columns")
    parser.add_argument("--customers", type=int, nargs="*", default=[], help="other numbers, at the first size")
    parser.add_argument("--runs", type=int, default=3, help="runs of each engine, of which the median counts")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for events and results")
    return parser.parse_args(arguments)


class Size(NamedTuple):
    """How much work: all but the features say which world it is."""

    n_events: int
    n_customers: int
    n_as_ofs: int
    n_features: int


def _sizes(wanted: argparse.Namespace) -> list[Size]:
    """Every number of events at each number of dates and features; other numbers of customers at the first of these."""
    usual = [
        Size(n, n // EVENTS_A_CUSTOMER, dates, features)
        for n, dates, features in product(wanted.events, wanted.as_ofs, wanted.features)
        if wanted.features[0] == features or wanted.as_ofs[0] == dates
    ]
    first = usual[0]
    return [*usual, *(first._replace(n_customers=n) for n in wanted.customers)]


def _world(cache: Path, size: Size) -> Path:
    """A folder with events and snapshots, made in a process of its own unless they are there."""
    folder = cache / "_".join(str(n) for n in size[:3])
    if not (folder / "data" / "snapshots.parquet").is_file():
        (folder / "data").mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "benchmarks.speed.world", *(str(n) for n in size[:3])], folder)
    return folder


def _compared(folder: Path, size: Size, engines: list[str], runs: int) -> list[dict[str, Any]]:
    """Rows of one size: each round runs every engine once, so that whatever else the machine does meets all alike."""
    measured: dict[str, list[dict[str, float]]] = {engine: [] for engine in engines}
    _once("ours", folder, size)  # compiles what is not compiled yet, and leaves the result that `limit` writes
    for _ in range(runs):
        for engine in engines:
            measured[engine].append(_once(engine, folder, size))
            _say(f"{size} {engine}: {measured[engine][-1]}")
            if engine not in {"ours", "limit"}:
                _check_equal(folder / "ours.parquet", folder / f"{engine}.parquet", engine)
    medians = {
        e: {m: round(statistics.median(run[m] for run in rs), 2) for m in MEASURES} for e, rs in measured.items()
    }
    about = _about(folder, size)
    return [
        about
        | {"work": WORK, "engine": engine, "runs": runs}
        | found
        | {"ratio_to_ours": round(found["wall_s"] / medians["ours"]["wall_s"], 2)}
        for engine, found in medians.items()
    ]


def _once(engine: str, folder: Path, size: Size) -> dict[str, float]:
    """Seconds of wall time and of both cores, and peak memory, of one whole process."""
    out = folder / f"{engine}.parquet"
    out.unlink(missing_ok=True)
    python = str(_python_with(engine, folder.parent)) if engine in PACKAGES else sys.executable
    command = [python, "-m", "benchmarks.speed.engines", engine, str(folder), str(out), str(size.n_features)]
    return _run(command, folder, out=out)


def _run(command: list[str], folder: Path, out: Path | None = None) -> dict[str, float]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    # Nobody works with libraries that are compiled again at each start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONWARNINGS"] = "ignore"  # featuretools warns of pandas at each cutoff time
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = process.stdout.read()
    # wait4 says what this one process used; RUSAGE_CHILDREN would keep the largest of all.
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    aside = float(told) if out else 0.0
    if out and out.name == "ours.parquet":
        result = folder / "data" / "features.parquet"
        result.unlink(missing_ok=True)
        os.link(out, result)
    cpu = used.ru_utime + used.ru_stime
    return {"wall_s": wall - aside, "cpu_s": cpu, "peak_mb": used.ru_maxrss / 1024}


def _python_with(engine: str, cache: Path) -> Path:
    """The Python of an environment that holds a peer."""
    folder = cache / engine
    python = folder / "bin" / "python"
    if not python.is_file():
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *PACKAGES[engine]], check=True)
    return python


def _check_equal(ours: Path, theirs: Path, engine: str) -> None:
    """Every column of every snapshot: counts exactly, sums and times to 1e-6. Of featuretools, which knows one time of
    an event, those of customers all of whose events were recorded when they occurred.
    """
    import numpy as np
    import pyarrow.parquet as pq

    a, b = pq.read_table(ours), pq.read_table(theirs)
    if a["customer_id"].to_pylist() != b["customer_id"].cast("string").to_pylist():
        raise SystemExit(f"{engine} has other snapshots than ours")
    shown = _never_late(ours.parent, a["customer_id"]) if engine == "featuretools" else np.ones(len(a), dtype=bool)
    for asked in ASKED:
        x, y = (t[asked.name].to_numpy().astype(np.float64)[shown] for t in (a, b))
        y = y if asked.verb == "since" else np.nan_to_num(y)
        rtol = 0.0 if asked.verb == "count" else 1e-6
        if not np.allclose(x, y, rtol=rtol, atol=1e-5 if rtol else 0.0, equal_nan=True):
            raise SystemExit(f"{engine}, column {asked.name}: not what ours says")


def _never_late(folder: Path, customers: Any) -> Any:
    """Whether all events of each of the customers were recorded when they occurred."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    events = pq.read_table(folder / EVENTS, columns=["customer_id", "occurred_at", "recorded_at"])
    late = events.filter(pc.greater(events["recorded_at"], events["occurred_at"]))["customer_id"]
    return ~pc.is_in(customers, value_set=late.unique()).to_numpy()


def _about(folder: Path, size: Size) -> dict[str, int]:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    customers = pq.read_table(folder / "data" / "events.parquet", columns=["customer_id"])["customer_id"]
    dates = pq.read_table(folder / "data" / "snapshots.parquet", columns=["as_of"])["as_of"]
    return {
        "events": len(customers),
        "customers": pc.count_distinct(customers).as_py(),
        "as_ofs": pc.count_distinct(dates).as_py(),
        "snapshots": len(dates),
        "features": size.n_features,
    }


def _what(row: dict[str, Any]) -> tuple[Any, ...]:
    return (*_place(row)[:-1], row["engine"])


def _place(row: dict[str, Any]) -> tuple[int, ...]:
    return row["events"], row["customers"], row["as_ofs"], row["features"], ENGINES.index(row["engine"])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

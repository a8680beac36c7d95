"""`python -m benchmarks.speed.contributions`: our contributions beside LightGBM's `pred_contrib`, on the same rows.

Every figure is of a process of its own, ours and LightGBM's one after the other in each run. Timed is what a batch
costs once libraries are imported: from the model text and the rows to the contributions, reading the text included.
LightGBM explains a part of the rows only, since each costs it as much as the next; the ratio is one of processor
seconds per row, which tell the same on a machine that others use.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.speed.results import replace
from churn.core import shapley
from churn.core.model.trees import mean_of
from churn.shell.starts import bring

ROOT = Path(__file__).parents[2]
ROWS, FEATURES, TRAINING_ROWS = 100_000, 60, 20_000
CATEGORICAL = (5, 6)
TOLERANCE = 1e-9
PREFIX = "contributions "


class Work(NamedTuple):
    """A model to explain: boosters merged into one, rounds and leaves of each, and the rows that LightGBM explains."""

    boosters: int
    rounds: int
    leaves: int
    rows_of_lightgbm: int

    @property
    def name(self) -> str:
        """Such as `contributions 100k x 300 x 31`: rows, trees, leaves."""
        return f"{PREFIX}{ROWS // 1000}k x {self.boosters * self.rounds} x {self.leaves}"


WORKS = (Work(1, 300, 31, 1_000), Work(1, 300, 100, 200), Work(3, 300, 5, 5_000))
"""Medium and large trees, and what conf/model grows: three seeds of some 300 small trees."""
THREADS = (1, 2)
ENGINES = ("ours", "lightgbm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and replace the rows of contributions in the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.contributions", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of which medians are taken")
    parser.add_argument("--works", type=int, nargs="+", choices=range(len(WORKS)), default=range(len(WORKS)))
    parser.add_argument("--one", nargs=4, metavar=("FOLDER", "WORK", "ENGINE", "THREADS"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.one:
        folder, work, engine, threads = asked.one
        print(json.dumps(_explained(Path(folder), WORKS[int(work)], engine, int(threads))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for number in asked.works:
            rows = _measured(Path(folder), number, asked.runs)
            for row in rows:
                print(
                    f"{row['work']:32}{row['engine']:24}{row['customers'] / row['wall_s']:>12,.0f} rows/s"
                    f"{row['peak_mb']:>8,.0f} MB{row['ratio_to_ours']:>8.1f}",
                    flush=True,
                )
            replace(partial(_is_of, work=WORKS[number].name), rows)
    return 0


def _is_of(row: dict[str, Any], work: str) -> bool:
    return row["work"] == work


def _measured(folder: Path, number: int, runs: int) -> list[dict[str, Any]]:
    """One row per engine and number of threads, medians over the runs."""
    work = WORKS[number]
    np.save(folder / "x.npy", _rows(ROWS, seed=2))
    (folder / "model.txt").write_text(_model(work), encoding="utf-8")
    _child(folder, number, "ours", 1)  # compiles what is not compiled yet
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(runs):
        for threads in THREADS:
            for engine in ENGINES:
                found.setdefault((engine, threads), []).append(_child(folder, number, engine, threads))
            _check_equal(folder, work)
    return [_row(work, engine, threads, found) for threads in THREADS for engine in ENGINES]


def _row(work: Work, engine: str, threads: int, found: dict[tuple[str, int], list[dict[str, float]]]) -> dict[str, Any]:
    mine, ours = found[engine, threads], found["ours", threads]
    rows, per_row = _rows_of(work, engine), _rows_of(work, engine) / ROWS
    ratios = [one["cpu_s"] / per_row / other["cpu_s"] for one, other in zip(mine, ours, strict=True)]
    return {
        "work": work.name,
        "engine": f"{engine}, {threads} thread{'s' if threads > 1 else ''}",
        "events": 0,
        "customers": rows,
        "as_ofs": 1,
        "features": FEATURES,
        **{name: round(statistics.median(run[name] for run in mine), 3) for name in ("wall_s", "cpu_s", "peak_mb")},
        "runs": len(mine),
        "ratio_to_ours": round(statistics.median(ratios), 2),
    }


def _rows_of(work: Work, engine: str) -> int:
    return ROWS if engine == "ours" else work.rows_of_lightgbm


def _child(folder: Path, number: int, engine: str, threads: int) -> dict[str, float]:
    """What a process that does this and nothing else says of itself."""
    command = [sys.executable, "-m", "benchmarks.speed.contributions", "--one"]
    done = subprocess.run(
        [*command, str(folder), str(number), engine, str(threads)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def _explained(folder: Path, work: Work, engine: str, threads: int) -> dict[str, float]:
    """Explain the rows, leave the first of them in the folder, and tell seconds and memory."""
    x, text = np.load(folder / "x.npy")[: _rows_of(work, engine)], (folder / "model.txt").read_text(encoding="utf-8")
    explain = _explainer(engine)
    wall, cpu = time.perf_counter(), time.process_time()
    found = explain(text, x, threads)
    seconds = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    np.save(folder / f"{engine}.npy", found[: work.rows_of_lightgbm])
    return {**seconds, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _explainer(engine: str) -> Callable[[str, np.ndarray, int], np.ndarray]:
    if engine == "ours":
        import churn.core.shapley.compiled  # noqa: F401 - imports are not timed

        return lambda text, x, threads: shapley.contributions(shapley.forest(text), x, threads=threads)
    bring("lightgbm")
    import lightgbm

    return lambda text, x, threads: np.asarray(
        lightgbm.Booster(model_str=text).predict(x, pred_contrib=True, num_threads=threads)
    )


def _check_equal(folder: Path, work: Work) -> None:
    ours, theirs = (np.load(folder / f"{engine}.npy") for engine in ENGINES)
    gap = float(np.abs(ours - theirs).max())
    if gap > TOLERANCE:
        raise SystemExit(f"{work.name}: contributions differ by {gap:g}, so there is nothing to compare")


def _rows(n: int, seed: int) -> np.ndarray:
    """Random rows, a tenth missing; two columns are codes of 50 and 300 categories."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, FEATURES)).astype(np.float32)
    x[random.random(x.shape) < 0.1] = np.nan
    for j, n_codes in zip(CATEGORICAL, (50, 300), strict=True):
        x[:, j] = random.integers(0, n_codes, n)
    return x


def _model(work: Work) -> str:
    """The text of boosters that learnt a noisy sum of a third of the columns, and one category in three."""
    import lightgbm

    random, x = np.random.default_rng(1), _rows(TRAINING_ROWS, seed=1)
    signal = np.nan_to_num(x[:, :20]) @ random.normal(size=20) + 2 * (x[:, CATEGORICAL[0]] % 3)
    label = signal + 3 * random.normal(size=len(x)) > 2
    data = lightgbm.Dataset(x, label=label, categorical_feature=list(CATEGORICAL), free_raw_data=False)
    given = {
        "objective": "binary",
        "verbosity": -1,
        "num_leaves": work.leaves,
        "feature_fraction": 0.5,
        "num_threads": 1,
    }
    boosters = [
        lightgbm.train({**given, "seed": seed}, data, num_boost_round=work.rounds) for seed in range(work.boosters)
    ]
    return mean_of([booster.model_to_string() for booster in boosters])


if __name__ == "__main__":
    sys.exit(main())

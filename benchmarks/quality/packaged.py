"""Data that a package brings which the product does not depend on."""

import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.quality.environments import HERE, UnavailableError, python
from benchmarks.quality.origins import digest
from benchmarks.quality.snapshots import Tables
from benchmarks.quality.trials import split_table
from churn.words.tables import FEATURES, INSTANT, SNAPSHOTS
from churn.words.windows import DAY_US

COSTS = ("tp_cost", "fp_cost", "tn_cost", "fn_cost")


def packaged(name: str, cache: Path) -> pa.Table:
    """The table `name` as the environment `packaged` writes it, from the cache if it is there.

    Raises
    ------
    UnavailableError
        The package cannot be had.
    """
    interpreter = python("packaged", cache)
    script = HERE / "packaged.py"
    path = interpreter.parents[1] / f"tables-{digest([script])}" / f"{name}.parquet"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        command = [str(interpreter), str(script), str(path.parent)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise UnavailableError(done.stderr.strip().splitlines()[-1])
    return pq.read_table(path)


def without_dates(found: pa.Table) -> Tables:
    """A table of customers, features and outcomes as snapshots of one date."""
    found = found.sort_by("customer_id")
    n = found.num_rows
    keys = {
        "customer_id": found["customer_id"].cast(pa.string()),
        "as_of": pa.array(np.zeros(n, np.int64)).cast(INSTANT),
    }
    snapshots = pa.table({**keys, "churned": found["churned"]}, schema=SNAPSHOTS.schema)
    names = [name for name in found.column_names if name not in {"customer_id", "churned", *COSTS}]
    features = pa.table({**keys, **{name: found[name].cast(pa.float32()) for name in names}})
    return Tables(
        FEATURES.check(features),
        SNAPSHOTS.check(snapshots),
        split_table({"test": [0]}, snapshots, (0, DAY_US)),
        costs=found.select(COSTS),
    )

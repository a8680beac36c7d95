"""The folder that every model of a protocol works from, each in a process of its own, and what it leaves there.

`features`, `snapshots`, `split`, `events`: Parquet. `trials`: columns trial, row (of features and snapshots) and part.
A model writes `scores/MODEL.parquet`: trial, row and the probability of each test row.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.quality.snapshots import Tables
from benchmarks.quality.trials import NONE

EVENTS_READ = ("customer_id", "occurred_at", "recorded_at", "role", "state", "category", "channel")
UNITS = {"amount": ("amount_minor", 100), "discount": ("discount_minor", 100), "quantity": ("quantity_milli", 1000)}


def write(folder: Path, found: Tables, parts: list[np.ndarray]) -> None:
    """The folder's tables. Scores in it that were made from other ones are removed."""
    (folder / "scores").mkdir(parents=True, exist_ok=True)
    tables = {name: getattr(found, name) for name in ("features", "snapshots", "split")}
    tables |= {"trials": _trials(parts)}
    if found.events is not None:
        tables |= {"events": _events(found.events)}
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
    digest = hashlib.sha256(b"".join((folder / f"{name}.parquet").read_bytes() for name in tables)).hexdigest()
    about = folder / "about.json"
    if not about.is_file() or json.loads(about.read_text(encoding="utf-8"))["digest"] != digest:
        for path in (folder / "scores").iterdir():
            path.unlink()
    about.write_text(json.dumps({"digest": digest}), encoding="utf-8")


def read(folder: Path, name: str) -> pa.Table:
    """One of the folder's tables."""
    return pq.read_table(folder / f"{name}.parquet")


def write_scores(folder: Path, model: str, found: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Of each trial its test rows and their probabilities."""
    columns = {
        "trial": np.concatenate([np.full(len(rows), trial) for trial, (rows, _) in enumerate(found)]),
        "row": np.concatenate([rows for rows, _ in found]),
        "score": np.concatenate([scores for _, scores in found]),
    }
    pq.write_table(pa.table(columns), folder / "scores" / f"{model}.parquet")


def scores(folder: Path, model: str) -> np.ndarray:
    """Probabilities of the test rows of all trials, in the order of `tested`."""
    found = read(folder / "scores", model).sort_by([("trial", "ascending"), ("row", "ascending")])
    wanted = tested(folder)
    if not all(np.array_equal(found[name].to_numpy(), wanted[name]) for name in wanted):
        raise SystemExit(f"{model} did not score the test rows of {folder}, each once")
    return found["score"].to_numpy()


def tested(folder: Path) -> dict[str, np.ndarray]:
    """Trial and row of every test row, by trial and row."""
    trials = read(folder, "trials")
    inside = trials.filter(pc.equal(trials["part"], "test"))
    return {name: inside[name].to_numpy() for name in ("trial", "row")}


def used(folder: Path, model: str) -> Path:
    """Where it stands what time and memory the model took."""
    return folder / "scores" / f"{model}.json"


def read_used(folder: Path, model: str) -> dict[str, Any]:
    """What time and memory the model took."""
    found: dict[str, Any] = json.loads(used(folder, model).read_text(encoding="utf-8"))
    return found


def stand(folder: Path, model: str, origin: str) -> bool:
    """Whether the model's scores are there and were made of what `origin` is the digest of."""
    made_of = _origin(folder, model)
    return made_of.is_file() and made_of.read_text(encoding="utf-8") == origin


def start(folder: Path, model: str) -> None:
    """Remove what a run before left of the model, so that one that breaks off leaves nothing that looks finished."""
    for path in (_origin(folder, model), used(folder, model), folder / "scores" / f"{model}.parquet"):
        path.unlink(missing_ok=True)


def finish(folder: Path, model: str, origin: str) -> None:
    """Say of what the model's scores were made."""
    _origin(folder, model).write_text(origin, encoding="utf-8")


def _origin(folder: Path, model: str) -> Path:
    return folder / "scores" / f"{model}.origin"


def _trials(parts: list[np.ndarray]) -> pa.Table:
    rows = [np.flatnonzero(part != NONE) for part in parts]
    columns = {
        "trial": np.concatenate([np.full(len(r), trial) for trial, r in enumerate(rows)]),
        "row": np.concatenate(rows),
        "part": np.concatenate([part[r] for part, r in zip(parts, rows, strict=True)]),
    }
    return pa.table(columns)


def _events(events: pa.Table) -> pa.Table:
    """As other tools want them: texts instead of codes, units instead of hundredths; corrected versions left out."""
    standing = events.filter(pc.is_null(events["superseded_at"])) if "superseded_at" in events.column_names else events
    columns = {name: standing[name] for name in EVENTS_READ}
    columns |= {
        name: pc.divide(standing[source].cast(pa.float64()), float(unit)) for name, (source, unit) in UNITS.items()
    }
    texts = {
        name: column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for name, column in columns.items()
    }
    return pa.table(texts)

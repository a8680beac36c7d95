"""One protocol: every model learns from the same rows and meets the same test, with intervals over its customers."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.quality import exchange, origins
from benchmarks.quality.environments import HERE, UnavailableError, python
from benchmarks.quality.ours import arguments
from benchmarks.quality.packaged import packaged, without_dates
from benchmarks.quality.protocols import OURS, PEERS, PROTOCOLS, TRYING, Protocol
from benchmarks.quality.savings import savings
from benchmarks.quality.snapshots import ROOT, Tables, composed, tables
from benchmarks.quality.trials import parts
from churn.core.evaluation.comparison import Comparison, compare
from churn.core.metrics import METRICS, metrics

BOOTSTRAP, INTERVAL, SEED = 1000, 0.95, 1
LESS = ("auc", "ap", "logloss", "brier")
"""The metrics in which ours is compared with each other model."""

SCRIPTS = {"featuretools": "synthesised", "flaml": "automated"}
"""What each peer's Python runs. Not named like the package, which it would hide."""

Row = dict[str, Any]


class FailedError(Exception):
    """A model's process ended with an error. The message says which, where its log is, and its last line."""


def trial(
    name: str,
    protocol: Protocol,
    *,
    models: Sequence[str] | None,
    without: Sequence[str],
    again: Sequence[str] | None,
    overrides: Sequence[str],
    cache: Path,
    say: Callable[[str], None],
) -> tuple[list[Row], list[str]]:
    """One row per model: its metrics with low and high, what it took, and what ours is better by; and who failed.

    `models`: these and ours instead of all; `without`: not these. `again`: of the others, scores of before are taken
    where the same code made them from the same rows. A model that fails has no row; the others go on.

    Raises
    ------
    FailedError
        Ours failed, with which all others are compared.
    """
    began = time.perf_counter()
    say("events and features")
    found = _tables(protocol, [o for o in overrides if not o.startswith("model.")], cache)
    folder = cache / "work" / name
    exchange.write(folder, found, parts(protocol, found.snapshots, found.split))
    say(f"{found.features.num_rows:,} snapshots, {found.features.num_columns - 2} features, {_since(began)}")
    wanted = [m for m in protocol.models if m not in without and (models is None or m in {OURS, *models})]
    there, failed = _scored(folder, name, wanted, again=again, overrides=overrides, cache=cache, say=say)
    say(f"intervals from {BOOTSTRAP:,} resamples")
    return _rows(name, protocol, there, folder, found), failed


def _scored(
    folder: Path,
    name: str,
    wanted: Sequence[str],
    *,
    again: Sequence[str] | None,
    overrides: Sequence[str],
    cache: Path,
    say: Callable[[str], None],
) -> tuple[list[str], list[str]]:
    """Those of the wanted models whose scores are in the folder now, and those that failed."""
    there, failed = [], []
    for place, model in enumerate(wanted, 1):
        which = f"{place}/{len(wanted)} {model}"
        origin = _origin(PROTOCOLS[name], model, overrides)
        old = again is not None and model not in again and exchange.stand(folder, model, origin)
        try:
            if not old:
                say(which)
                exchange.start(folder, model)
                _run(folder, name, model, overrides, cache)
                exchange.finish(folder, model, origin)
        except UnavailableError as why:
            say(f"{which}: skipped: {why}")
            continue
        except FailedError as why:
            if model == OURS:
                raise
            say(f"{which}: {why}")
            failed.append(model)
            continue
        used = exchange.read_used(folder, model)
        there.append(model)
        took = f"{used['cpu_s']:.1f} s of CPU in {used['seconds']:.1f} s, {used['peak_mb']:.0f} MB"
        say(f"{which}: {took}{', of before' if old else ''}")
    return there, failed


def _tables(protocol: Protocol, overrides: Sequence[str], cache: Path) -> Tables:
    if protocol.packaged is None:
        return tables(protocol, composed(protocol, overrides), cache)
    brought = packaged(protocol.packaged, cache)
    if protocol.packaged == protocol.data:
        return without_dates(brought)
    customers = brought["customer_id"].combine_chunks()
    return tables(protocol, composed(protocol, overrides), cache, customers)


def _origin(protocol: Protocol, model: str, overrides: Sequence[str]) -> str:
    """Digest of all but the tables that the model's scores depend on."""
    if model in PEERS:
        return origins.of_peer(SCRIPTS[model], model, protocol.tries)
    return origins.of_ours(arguments(protocol, model, overrides))


def _run(folder: Path, name: str, model: str, overrides: Sequence[str], cache: Path) -> None:
    """Let the model learn and score in a process of its own."""
    if model in PEERS:
        tries = [str(PROTOCOLS[name].tries)] if model == TRYING else []
        command = [str(python(model, cache)), str(HERE / f"{SCRIPTS[model]}.py"), str(folder), *tries]
    else:
        command = [sys.executable, "-m", "benchmarks.quality.ours", str(folder), name, model, *overrides]
    log = folder / "scores" / f"{model}.log"
    clocked = [sys.executable, "-S", str(Path(__file__).with_name("clocked.py")), str(exchange.used(folder, model))]
    with log.open("wb") as said:
        done = subprocess.run([*clocked, *command], cwd=ROOT, stdout=said, stderr=said, check=False)
    if done.returncode:
        *_, last = log.read_text("utf-8").splitlines() or ["no word"]
        raise FailedError(f"failed with exit code {done.returncode}: {last} ({log})")


def _rows(name: str, protocol: Protocol, models: list[str], folder: Path, found: Tables) -> list[Row]:
    """All trials' test rows are one table: a customer who is drawn comes with each row in each trial."""
    tested = exchange.tested(folder)
    rows = tested["row"]
    churned = found.snapshots["churned"].to_numpy(zero_copy_only=False)[rows].astype(bool)
    codes = pc.dictionary_encode(found.snapshots["customer_id"].combine_chunks()).indices.to_numpy()[rows]
    customers = np.unique(codes, return_inverse=True)[1]
    scores = {model: exchange.scores(folder, model) for model in sorted(models, key=lambda m: m != OURS)}
    compared = compare(churned, scores, customers, seed=SEED, bootstrap=BOOTSTRAP, interval=INTERVAL)
    about = {
        "data": protocol.data,
        "protocol": name,
        "protocol_text": protocol.text,
        "n": len(rows),
        "trials": int(tested["trial"].max()) + 1,
        "customers": int(customers.max()) + 1,
        "base_rate": round(float(churned.mean()), 5),
    }
    made = [{**about, "model": m, **_row(m, compared), **exchange.read_used(folder, m)} for m in models]
    made = [row | ({"tries": protocol.tries} if row["model"] == TRYING else {}) for row in made]
    if len(protocol.shifts) > 1:
        as_of = found.snapshots["as_of"].combine_chunks().take(pa.array(rows))
        dates = pc.strftime(as_of, "%Y-%m-%d").to_numpy(zero_copy_only=False)
        made = [row | {"auc_by_date": _by_date(churned, scores[row["model"]], dates)} for row in made]
    if found.costs is not None:
        costs = {column: found.costs[column].to_numpy()[rows] for column in found.costs.column_names}
        money = savings(churned, scores, customers, costs, seed=SEED, bootstrap=BOOTSTRAP, interval=INTERVAL)
        made = [row | _rounded(money[row["model"]]) for row in made]
    return made


def _by_date(churned: np.ndarray, p: np.ndarray, dates: np.ndarray) -> dict[str, float]:
    """AUC at each test date, the oldest first."""
    return {
        str(date): round(metrics(churned[dates == date], p[dates == date])["auc"], 5) for date in sorted(set(dates))
    }


def _row(model: str, compared: Comparison) -> Row:
    numbers = _with_ends(compared.rows[model], (m for m in METRICS if m != "base_rate"))
    if model != OURS:
        numbers |= {f"ours_less_{k}": v for k, v in _with_ends(compared.differences[model], LESS).items()}
    return _rounded(numbers)


def _with_ends(numbers: dict[str, float], metrics: Iterable[str]) -> dict[str, float]:
    return {f"{metric}{end}": numbers[f"{metric}{end}"] for metric in metrics for end in ("", "_low", "_high")}


def _rounded(numbers: dict[str, float]) -> Row:
    return {name: round(float(number), 5) for name, number in numbers.items()}


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.1f} s"

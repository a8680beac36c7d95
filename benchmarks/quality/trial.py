"""One protocol: every model learns from the same parts and meets the same test, with intervals over its customers."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.quality.protocols import Protocol
from benchmarks.quality.snapshots import Tables, by_customers, composed, section, tables
from churn.core.evaluation.comparison import JUDGED, Comparison, compare
from churn.core.metrics import METRICS
from churn.core.model import margins, model, score
from churn.words.tables import FEATURES

BOOTSTRAP, INTERVAL, SEED = 1000, 0.95, 1
MODELS = ("lightgbm", "logistic", "logistic_rfm", "rule")
"""The product's three kinds with the parameters of conf/model, and the logistic baseline of its own evaluation."""

Row = dict[str, Any]


def trial(
    name: str,
    protocol: Protocol,
    *,
    models: Sequence[str],
    overrides: Sequence[str],
    cache: Path,
    say: Callable[[str], None],
) -> list[Row]:
    """One row per model: its metrics with low and high, and what it is better than the time rule by."""
    configuration = composed(protocol, [o for o in overrides if not o.startswith("model.")])
    began = time.perf_counter()
    found = tables(protocol, configuration, cache)
    say(f"{name}: {found.features.num_rows:,} snapshots, {found.features.num_columns - 2} features, {_since(began)}")
    wanted = tuple(dict.fromkeys((*models, "rule")))
    trials = [by_customers(found, seed) for seed in protocol.customers_seeds] or [found]
    seconds, compared = dict.fromkeys(wanted, 0.0), []
    for one in trials:
        tested, churned, customers = _test(one)
        scores = {}
        for kind in wanted:
            began = time.perf_counter()
            scores[kind] = _scores(one, tested, protocol, kind, overrides)
            seconds[kind] += time.perf_counter() - began
            if len(trials) == 1:
                say(f"{name}: {kind} {_since(began)}")
        compared.append({kind: _compared(churned, scores, customers, kind) for kind in wanted})
        if len(trials) > 1:
            say(f"{name}: {len(compared)} of {len(trials)}")
    return [_row(name, protocol, kind, [c[kind] for c in compared], seconds[kind]) for kind in wanted]


def _scores(one: Tables, tested: pa.Table, protocol: Protocol, kind: str, overrides: Sequence[str]) -> np.ndarray:
    """Probabilities of the test rows, by a model that was learnt from the other parts."""
    product = kind.removesuffix("_rfm")
    # Overrides of `model.…` are meant for the product's own model; the others do not have its parameters.
    mine = [o for o in overrides if product == "lightgbm" or not o.startswith("model.")]
    configuration = composed(protocol, [f"model={product}", *mine])
    learning, arguments = one.features, section(configuration, "model")
    if kind == "logistic_rfm":
        baseline = section(configuration, "evaluation")
        learning = learning.select([*FEATURES.key, *baseline["rfm"]])
        arguments |= {"l2": baseline["rfm_l2"], "calibration": baseline["calibration"]}
    learnt = model(learning, one.snapshots, one.split, **arguments)
    return score(learnt, margins(learnt, tested))


def _test(one: Tables) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Features, outcomes and customers' numbers of the test part."""
    as_of = one.split.filter(pc.equal(one.split["part"], "test"))["as_of"].combine_chunks()
    inside = pc.is_in(one.snapshots["as_of"], value_set=as_of)
    tested = one.features.filter(inside)
    churned = one.snapshots["churned"].filter(inside).to_numpy().astype(bool)
    return tested, churned, tested["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy()


def _compared(churned: np.ndarray, scores: dict[str, np.ndarray], customers: np.ndarray, kind: str) -> Comparison:
    pair = {kind: scores[kind], "rule": scores["rule"]}
    return compare(churned, pair, customers, seed=SEED, bootstrap=BOOTSTRAP, interval=INTERVAL)


def _row(name: str, protocol: Protocol, kind: str, compared: list[Comparison], seconds: float) -> Row:
    ends = [f"{metric}{end}" for metric in METRICS if metric != "base_rate" for end in ("", "_low", "_high")]
    row: Row = {
        "data": protocol.data,
        "protocol": name,
        "protocol_text": protocol.text,
        "model": kind,
        "n": int(np.mean([c.rows[kind]["n"] for c in compared])),
        "base_rate": _mean([c.rows[kind]["base_rate"] for c in compared]),
        **{end: _mean([c.rows[kind][end] for c in compared]) for end in ends},
        "seconds": round(seconds, 1),
    }
    if kind != "rule":
        above = [f"{metric}{end}" for metric in JUDGED for end in ("", "_low", "_high")]
        row |= {f"above_rule_{end}": _mean([c.differences["rule"][end] for c in compared]) for end in above}
    return row


def _mean(numbers: list[float]) -> float:
    return round(float(np.mean(numbers)), 5)


def _since(began: float) -> str:
    return f"{time.perf_counter() - began:.1f} s"

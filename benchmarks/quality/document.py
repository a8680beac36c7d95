"""docs/quality.md: the rows of benchmarks/results/quality.json in words."""

from collections.abc import Iterable
from itertools import groupby

from benchmarks.quality.protocols import PROTOCOLS

HEAD = """# How good is it?

Every figure is out of time (the CDNOW sample: out of customers), with a 95 % interval over customers from 1,000 bootstrap resamples.
`make bench-quality` makes this page and `benchmarks/results/quality.json` from the data at hand: Complete Journey comes with its package,
Online Retail and CDNOW are read from the folder that `CHURN_SHARED_DATA` names. All models see the same snapshots; ours is `lightgbm` with the
parameters of `conf/model/lightgbm.yaml`, chosen on dates before the test dates ([decision 0009](decisions/0009-small-trees.md)).

* `rule`: the best time rule, the one "days since" that ranks churners best in training.
* `logistic_rfm`: logistic regression on seven columns of recency, frequency and money.
* `logistic`: logistic regression on all features.
"""
METRICS = {
    "auc": "AUC",
    "ap": "AP",
    "logloss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
    "lift10": "lift in the top decile",
}


def document(rows: Iterable[dict]) -> str:
    """The page: one table a protocol, one row a model."""
    return HEAD + "".join(_protocol(name, list(members)) for name, members in groupby(rows, lambda r: r["protocol"]))


def _protocol(name: str, rows: list[dict]) -> str:
    head = f"\n## {name}\n\n{PROTOCOLS[name].text[0].upper()}{PROTOCOLS[name].text[1:]}. "
    head += f"n = {rows[0]['n']:,}, base rate {rows[0]['base_rate']:.1%}.\n\n"
    columns = ["model", *METRICS.values(), "AUC above the rule"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in rows:
        cells = [row["model"], *(_interval(row, metric) for metric in METRICS)]
        cells.append(_interval(row, "above_rule_auc", sign="+") if "above_rule_auc" in row else "")
        lines.append(f"| {' | '.join(cells)} |")
    return head + "\n".join(lines) + "\n"


def _interval(row: dict, metric: str, sign: str = "") -> str:
    return f"{row[metric]:{sign}.3f} ({row[f'{metric}_low']:{sign}.3f} to {row[f'{metric}_high']:{sign}.3f})"

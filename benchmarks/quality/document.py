"""docs/quality.md: the rows of benchmarks/results/quality.json in words."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from benchmarks.quality.protocols import ALSO_OURS, OURS, PROTOCOLS

Row = dict

HEAD = """# How good is it?

Every figure is out of time (the CDNOW sample and the TV subscription: out of customers), with a 95 % interval over customers from 1,000
bootstrap resamples; a customer who is drawn comes with all rows, of every date and every split. `make bench-quality` makes this page and
`benchmarks/results/quality.json` from the data at hand: Complete Journey comes with its package, the demo world is made, Online Retail and
CDNOW are read from the folder that `CHURN_SHARED_DATA` names, and an environment of its own brings TV subscription and the CDNOW sample. All
models see the same snapshots, and those that take features the same ones (featuretools makes its own from the same events). Each works in a
process of its own: seconds are of processor time, with all imports; MB are its peak.

* `{ours}`: ours, with the parameters of `conf/model/lightgbm.yaml`, chosen on dates before the test dates
  ([decision 0009](decisions/0009-small-trees.md)).
* `blend`: a weighted sum of trees, logistic regression, BG/NBD and both rules; `ladder`: the simplest of all these that is not clearly worse
  than the best in training ([decision 0020](decisions/0020-the-ladder.md)).
* `logistic`: logistic regression on all features, another choice of `model=`. On CDNOW it ranks a little better than trees, with worse
  probabilities on the whole cohort.
* `logistic_rfm`: logistic regression on seven columns of recency, frequency and money.
* `bg_nbd`: the chance of no purchase in the horizon by BG/NBD, calibrated on a later date like all of ours.
* `own_mean`: the customer's own mean rate so far.
* `rule`: the best time rule, the one "days since" that ranks churners best in training.
* `featuretools`: featuretools 1.31 synthesises features from the events at each cutoff time (all history, and windows of 30, 90 and 180 days),
  LightGBM with its defaults learns from them, stopped early on the same later rows and fitted once more.
* `flaml`: the AutoML FLAML 2.7 on our features; it tries 100 settings of five kinds of model, within three minutes (40 and
  20 seconds where there are several splits).

Peers' environments are made by the same command from pinned requirements (`benchmarks/quality/peers/`); one that cannot be installed is
skipped, and said so. Time and memory were measured on 2 shared cores.
""".replace("{ours}", OURS)
METRICS = {
    "auc": "AUC",
    "ap": "AP",
    "logloss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
    "lift10": "lift in the top decile",
}
LESS = {"auc": "AUC", "ap": "AP", "logloss": "log loss", "brier": "Brier"}
BETTER = {"auc": 1, "ap": 1, "logloss": -1, "brier": -1}
"""Whether more or less of a metric is better."""


def document(rows: Iterable[Row]) -> str:
    """The page: what the paired differences say, then two tables a protocol, one row a model."""
    by_protocol = {name: list(members) for name, members in groupby(rows, lambda r: r["protocol"])}
    return HEAD + _summary(by_protocol) + "".join(_protocol(name, members) for name, members in by_protocol.items())


def best_peer(rows: Sequence[Row], metric: str) -> Row:
    """The row with the best value of the metric among those that are neither ours nor contain it."""
    return max(
        (row for row in rows if row["model"] not in {OURS, *ALSO_OURS}), key=lambda row: BETTER[metric] * row[metric]
    )


def standing(row: Row, metric: str) -> str:
    """`ahead`, `behind` or `level`: what the interval of ours less this row says."""
    low, high = sorted(BETTER[metric] * row[f"ours_less_{metric}{end}"] for end in ("_low", "_high"))
    if low > 0:
        return "ahead"
    return "behind" if high < 0 else "level"


def _summary(by_protocol: dict[str, list[Row]]) -> str:
    head = """
## Beside the others

AUC of ours less that of the best of the others (`blend`, `ladder` and `logistic` are other choices of ours), of featuretools with LightGBM, and of BG/NBD, on the same customers. **Bold**: the interval
excludes zero.

"""
    columns = ["data", "ours", "best other", "ours less it", "less featuretools", "less BG/NBD"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for name, rows in by_protocol.items():
        models = {row["model"]: row for row in rows}
        if not set(models) - {OURS, *ALSO_OURS}:
            continue
        best = best_peer(rows, "auc")
        cells = [name, f"{models[OURS]['auc']:.3f}", f"{best['model']} {best['auc']:.3f}", _difference(best, "auc")]
        cells += [_difference(models[m], "auc") if m in models else "" for m in ("featuretools", "bg_nbd")]
        lines.append(f"| {' | '.join(cells)} |")
    return head + "\n".join(lines) + "\n"


def _protocol(name: str, rows: list[Row]) -> str:
    head = f"\n## {name}\n\n{PROTOCOLS[name].text[0].upper()}{PROTOCOLS[name].text[1:]}. "
    head += f"n = {rows[0]['n']:,}{_splits(rows[0])}, base rate {rows[0]['base_rate']:.1%}.\n\n"
    columns = ["model", *METRICS.values(), "s", "MB"]
    if "savings" in rows[0]:
        columns[-2:-2] = ["savings", "at .5"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for row in rows:
        cells = [row["model"], *(_interval(row, metric) for metric in METRICS)]
        if "savings" in row:
            cells += [f"{row['savings']:.1%} ({row['savings_low']:.1%} to {row['savings_high']:.1%})"]
            cells += [f"{row['savings_at_half']:.1%}"]
        cells += [f"{row['cpu_s']:.0f}", f"{row['peak_mb']:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return head + "\n".join(lines) + "\n" + _less(rows)


def _splits(row: Row) -> str:
    if row["trials"] == 1:
        return ""
    return f" rows of {row['customers']:,} customers in {row['trials']} splits"


def _less(rows: list[Row]) -> str:
    """Ours less each of the others."""
    metrics = LESS | ({"savings": "savings"} if "savings" in rows[0] else {})
    lines = [f"\n| ours less | {' | '.join(metrics.values())} |", f"|---|{'---|' * len(metrics)}"]
    others = (row for row in rows if row["model"] != OURS)
    lines += [f"| {' | '.join([row['model'], *(_difference(row, metric) for metric in metrics)])} |" for row in others]
    return "\n".join(lines) + "\n"


def _difference(row: Row, metric: str) -> str:
    name = f"ours_less_{metric}"
    text = _interval(row, name, sign="+")
    return f"**{text}**" if row[f"{name}_low"] > 0 or row[f"{name}_high"] < 0 else text


def _interval(row: Row, metric: str, sign: str = "") -> str:
    return f"{row[metric]:{sign}.3f} ({row[f'{metric}_low']:{sign}.3f} to {row[f'{metric}_high']:{sign}.3f})"

"""docs/quality.md: the rows of benchmarks/results/quality.json in words."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from benchmarks.quality.protocols import ALSO_OURS, OURS, PROTOCOLS

Row = dict

HEAD = """# How good is it?

Every figure is out of time (the CDNOW sample and the TV subscription: out of customers), with a 95 % interval over customers from 1,000
bootstrap resamples; a customer who is drawn comes with all rows, of every date and every split. Protocols whose names end in `_dates` have
several test dates: at each the models learn anew, from what had matured by then, and the rows of all dates are judged together. `make bench-quality` makes this page and
`benchmarks/results/quality.json` from the data at hand: Complete Journey comes with its package, the demo world is made, Online Retail and
CDNOW are read from the folder that `CHURN_SHARED_DATA` names, and an environment of its own brings TV subscription and the CDNOW sample. All
models see the same snapshots, and those that take features the same ones (featuretools makes its own from the same events). Each works in a
process of its own: seconds are of processor time, with all imports; MB are its peak.

* `{ours}`: ours, with the parameters of `conf/model/lightgbm.yaml`, chosen on dates before the test dates
  ([decision 0009](decisions/0009-small-trees.md)).
* `blend`: a weighted sum of trees, logistic regression, BG/NBD and both rules; `ladder`: the simplest of all these that is not clearly worse
  than the best in training ([decision 0020](decisions/0020-the-ladder.md)).
* `logistic`: logistic regression on all features, another choice of `model=` and therefore no peer: it learns from our features.
* `logistic_rfm`: logistic regression on seven columns of recency, frequency and money.
* `bg_nbd`: the chance of no purchase in the horizon by BG/NBD, calibrated on a later date like all of ours.
* `own_mean`: the customer's own mean rate so far.
* `rule`: the best time rule, the one "days since" that ranks churners best in training.
* `featuretools`: featuretools 1.31 synthesises features from the events at each cutoff time (all history, and windows of 30, 90 and 180 days),
  LightGBM with its defaults and a learning rate of .05 learns from them, stopped early on the same later rows and fitted once more. It is held
  to a choice of primitives: count, sum, mean, max, min, standard deviation and number of distinct values, times since the first and the last
  event, and counts and sums by kind of event. Of its default aggregations three are left out: skew (on `complete_journey_28` it made AUC .850
  of .853 and took half as much time again), mode (a text) and share of true values (there are none). Transformations such as the weekday of
  an event and features of features (`max_depth` above 1) are left out untried. With more of its choices it might do better.
* `flaml`: the AutoML FLAML 2.7 on our features, with five kinds of model: LightGBM, XGBoost, random forest, extra trees, logistic regression.
  It tries as many settings in each split as the protocol says, with no limit by the clock, so that what it finds is no matter of what else the
  machine does. With more of them it might do better.

Peers' environments are made by the same command from pinned requirements (`benchmarks/quality/peers/`); one that cannot be installed is
skipped, and said so. Time and memory were measured on 2 shared cores.
""".replace("{ours}", OURS)
OF_OURS = {OURS, *ALSO_OURS}
PEERS_COUNTED = ("featuretools", "flaml", "bg_nbd", "logistic_rfm")
"""Of whom the page says on how many protocols and sources of data ours is ahead."""
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
    found = HEAD + _took(by_protocol) + _summary(by_protocol) + _standings(by_protocol) + _missing(by_protocol)
    return found + "".join(_protocol(name, members) for name, members in by_protocol.items())


def best_peer(rows: Sequence[Row], metric: str) -> Row:
    """The row with the best value of the metric among those that are neither ours nor contain it."""
    return max((row for row in rows if row["model"] not in OF_OURS), key=lambda row: BETTER[metric] * row[metric])


def standing(row: Row, metric: str) -> str:
    """`ahead`, `behind` or `level`: what the interval of ours less this row says."""
    low, high = sorted(BETTER[metric] * row[f"ours_less_{metric}{end}"] for end in ("_low", "_high"))
    if low > 0:
        return "ahead"
    return "behind" if high < 0 else "level"


def _took(by_protocol: dict[str, list[Row]]) -> str:
    """What all models took together."""
    minutes = sum(row["cpu_s"] for rows in by_protocol.values() for row in rows) / 60
    return f"All models together took {minutes:.0f} minutes of processor time.\n"


def _summary(by_protocol: dict[str, list[Row]]) -> str:
    head = """
## Beside the others

AUC of ours less that of the best of the others (`blend`, `ladder` and `logistic` are other choices of ours), of featuretools with LightGBM, and of BG/NBD, on the same customers. **Bold**: the interval
excludes zero.

"""
    columns = ["protocol", "tested on", "ours", "best other", "ours less it", "less featuretools", "less BG/NBD"]
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    for name, rows in by_protocol.items():
        models = {row["model"]: row for row in rows}
        if not set(models) - OF_OURS:
            continue
        best = best_peer(rows, "auc")
        cells = [name, _tested(best), f"{models[OURS]['auc']:.3f}", f"{best['model']} {best['auc']:.3f}"]
        cells += [_difference(best, "auc")]
        cells += [_difference(models[m], "auc") if m in models else "" for m in ("featuretools", "bg_nbd")]
        lines.append(f"| {' | '.join(cells)} |")
    return head + "\n".join(lines) + "\n"


def clearly_ahead(rows: Iterable[Row], model: str) -> list[Row]:
    """The model's rows, one a protocol, with an interval of ours less it that lies above zero."""
    return [row for row in rows if row["model"] == model and standing(row, "auc") == "ahead"]


def sources(rows: Iterable[Row]) -> list[str]:
    """The distinct sources of data of the rows: several protocols may share one."""
    return list(dict.fromkeys(row["data"] for row in rows))


def _standings(by_protocol: dict[str, list[Row]]) -> str:
    """What the intervals say for certain, counted by sources of data as well as by protocols."""
    rows = [row for members in by_protocol.values() for row in members]
    lines = []
    for model in PEERS_COUNTED:
        ahead = clearly_ahead(rows, model)
        tested = [row for row in rows if row["model"] == model]
        named = ", ".join(f"`{row['protocol']}`" for row in ahead) or "none"
        counted = f"{len(ahead)} of {len(tested)} protocols ({named}), from {len(sources(ahead))} of "
        lines.append(f"* Ahead of `{model}`: {counted}{len(sources(tested))} sources of data.")
    before = [row for row in rows if row["model"] not in OF_OURS and standing(row, "auc") == "behind"]
    named = "; ".join(_less_it(row) for row in before) or "nobody, in no protocol"
    lines.append(f"* Ahead of ours, of the others: {named}.")
    others = [row for row in rows if row["model"] in ALSO_OURS and standing(row, "auc") == "behind"]
    named = "; ".join(_less_it(row) for row in others) or "none, in no protocol"
    lines.append(f"* Ahead of `{OURS}`, of our other choices: {named}.")
    return "\nBy AUC, with an interval without zero:\n\n" + "\n".join(lines) + "\n"


def _less_it(row: Row) -> str:
    """A row that is ahead, with what ours has less; a lower log loss is better."""
    less = f"AUC of ours less it {_interval(row, 'ours_less_auc', sign='+', digits=4)}"
    return f"`{row['model']}` on `{row['protocol']}` ({less}, log loss {row['ours_less_logloss']:+.4f})"


def _missing(by_protocol: dict[str, list[Row]]) -> str:
    """What the benchmark has but was not run, or not yet, where the rows come from."""
    absent = [
        f"{name}{'' if name not in by_protocol else ' (' + ', '.join(models) + ')'}"
        for name, protocol in PROTOCOLS.items()
        if (models := [m for m in protocol.models if m not in {row["model"] for row in by_protocol.get(name, [])}])
    ]
    return f"\nWithout rows here: {'; '.join(absent)}.\n" if absent else ""


def _protocol(name: str, rows: list[Row]) -> str:
    head = f"\n## {name}\n\n{PROTOCOLS[name].text[0].upper()}{PROTOCOLS[name].text[1:]}. "
    head += f"n = {rows[0]['n']:,}{_splits(rows[0])}, base rate {rows[0]['base_rate']:.1%}.{_tries(rows)}\n\n"
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
    return head + "\n".join(lines) + "\n" + _by_date(rows) + _less(rows)


def _splits(row: Row) -> str:
    if row["trials"] == 1:
        return ""
    return f" rows of {row['customers']:,} customers {'at' if 'auc_by_date' in row else 'in'} {_tested(row)}"


def _tested(row: Row) -> str:
    """How many dates, or splits of customers, are the test."""
    if "auc_by_date" in row:
        return f"{row['trials']} dates"
    return "1 date" if row["trials"] == 1 else f"{row['trials']} splits"


def _tries(rows: list[Row]) -> str:
    tries = next((row["tries"] for row in rows if "tries" in row), None)
    return f" FLAML tries {tries} settings{' in each split' if rows[0]['trials'] > 1 else ''}." if tries else ""


def _by_date(rows: list[Row]) -> str:
    """AUC of ours and of the best of the others at each test date."""
    if "auc_by_date" not in rows[0]:
        return ""
    ours = next(row for row in rows if row["model"] == OURS)
    lines = [f"\n| AUC at | {' | '.join(ours['auc_by_date'])} |", f"|---|{'---|' * len(ours['auc_by_date'])}"]
    lines += [
        f"| {' | '.join([row['model'], *(f'{auc:.3f}' for auc in row['auc_by_date'].values())])} |"
        for row in (ours, best_peer(rows, "auc"))
    ]
    return "\n".join(lines) + "\n"


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


def _interval(row: Row, metric: str, sign: str = "", digits: int = 3) -> str:
    value, low, high = (f"{row[f'{metric}{end}']:{sign}.{digits}f}" for end in ("", "_low", "_high"))
    return f"{value} ({low} to {high})"

"""`python -m benchmarks.quality.sampling`: what learning from a sample (`model.rows_most`) costs in quality."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from benchmarks.quality.__main__ import CACHE
from benchmarks.quality.protocols import PROTOCOLS
from benchmarks.quality.snapshots import Tables, composed, section, tables
from churn.core.metrics import metrics
from churn.core.model import margins, model, score

SHARES = (1.0, 0.5, 0.25, 0.1)
SHOWN = ("auc", "ap", "logloss", "ece")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each protocol: the metrics with all rows, and the differences of samples from them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.sampling", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PROTOCOLS), help="a protocol; may be repeated")
    parser.add_argument("--seeds", type=int, default=3, help="each draws another sample and trains other boosters")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for events that were read before")
    wanted = parser.parse_args(arguments)
    for name in wanted.only or ("complete_journey_28_local", "cdnow_master"):
        protocol = PROTOCOLS[name]
        configuration = composed(protocol)
        found = tables(protocol, configuration, wanted.cache)
        measured = list(_measured(found, section(configuration, "model"), range(1, wanted.seeds + 1)))
        sys.stdout.write(f"\n{name}\n\n" + table(measured))
        sys.stdout.flush()
    return 0


def table(measured: Sequence[tuple[float, int, dict[str, float]]]) -> str:
    """Markdown: metrics of all rows as means over the seeds; of samples the mean difference and the seeds' range."""
    whole = [found for share, _, found in measured if share == 1.0]
    lines = ["| rows | share | AUC | AP | log loss | ECE |", "|---:|---:|---|---|---|---|"]
    for share in SHARES:
        of_share = [(rows, found) for s, rows, found in measured if s == share]
        cells = [_cell([found[m] for _, found in of_share], [found[m] for found in whole], share) for m in SHOWN]
        lines.append(f"| {of_share[0][0]:,} | {share:.0%} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(found: list[float], whole: list[float], share: float) -> str:
    if share == 1.0:
        return f"{np.mean(whole):.4f}"
    differences = np.array(found) - np.array(whole)
    return f"{differences.mean():+.4f} ({differences.min():+.4f} to {differences.max():+.4f})"


def _measured(found: Tables, arguments: dict, seeds: Iterable[int]) -> Iterable[tuple[float, int, dict[str, float]]]:
    """Share, rows learnt from, and metrics on the test part, of each seed and share."""
    as_of = found.split.filter(pc.equal(found.split["part"], "test"))["as_of"].combine_chunks()
    inside = pc.is_in(found.snapshots["as_of"], value_set=as_of)
    tested, churned = found.features.filter(inside), found.snapshots["churned"].filter(inside)
    for seed in seeds:
        rows = None
        for share in SHARES:
            most = None if rows is None else int(share * rows)
            learnt = model(
                found.features, found.snapshots, found.split, **{**arguments, "seed": seed, "rows_most": most}
            )
            rows = rows or learnt.card["parts"]["matured"]["rows"]
            probabilities = score(learnt, margins(learnt, tested))
            yield share, most or rows, metrics(churned.to_numpy().astype(bool), probabilities)


if __name__ == "__main__":
    sys.exit(main())

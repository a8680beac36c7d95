"""`python -m benchmarks.quality.ours FOLDER PROTOCOL KIND [KEY=VALUE ...]`: a model of ours scores."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.quality import exchange
from benchmarks.quality.protocols import OURS, PROTOCOLS, Protocol
from benchmarks.quality.snapshots import composed, section
from benchmarks.quality.trials import dated, outcome, split_table
from churn.core.model import margins, model, score
from churn.core.timeline import instants
from churn.words.tables import INSTANT


def main(folder: Path, name: str, kind: str, overrides: list[str]) -> None:
    """Write the scores of every trial."""
    protocol = PROTOCOLS[name]
    settings = arguments(protocol, kind, overrides)
    features, snapshots, split = (exchange.read(folder, table) for table in ("features", "snapshots", "split"))
    found = []
    for rows, part in _trials(folder):
        mine, known = features.take(pa.array(rows)), snapshots.take(pa.array(rows))
        if protocol.customers_seeds:
            as_of = pa.array(dated(part, int(instants(known["as_of"])[0])), pa.int64()).cast(INSTANT)
            mine, known = (table.set_column(1, "as_of", as_of) for table in (mine, known))
        as_ofs = instants(known["as_of"])
        dates = {p: sorted({int(t) for t in as_ofs[part == p]}) for p in np.unique(part)}
        learnt = model(mine, known, split_table(dates, known, outcome(split)), **settings)
        tested = mine.filter(pa.array(part == "test"))
        found.append((rows[part == "test"], score(learnt, margins(learnt, tested))))
    exchange.write_scores(folder, kind, found)


def arguments(protocol: Protocol, kind: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The keyword arguments with which `churn.core.model.model` learns a model of this kind."""
    # Overrides of `model.…` are meant for the product's own model; the others do not have its parameters.
    mine = [o for o in overrides if kind == OURS or not o.startswith("model.")]
    return section(composed(protocol, [f"model={kind}", *mine]), "model")


def _trials(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each trial its rows, ascending, and their parts."""
    trials = exchange.read(folder, "trials")
    for trial in range(pc.max(trials["trial"]).as_py() + 1):
        one = trials.filter(pc.equal(trials["trial"], trial))
        yield one["row"].to_numpy(), one["part"].to_numpy(zero_copy_only=False).astype(str)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])

"""From raw files to features of a protocol, by the product's own functions."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.quality.protocols import PARTS, Protocol
from churn import sections
from churn.core.dataset import Dataset, dataset
from churn.core.definitions import DEFINITIONS, Definition
from churn.core.events import checked
from churn.core.features import features, windows
from churn.core.snapshots import as_ofs, snapshots
from churn.core.split import split
from churn.core.timeline import instants
from churn.shell import config, raw
from churn.shell.engine import ENGINES
from churn.words.tables import ATTRIBUTES, EVENTS, INSTANT, SPLIT
from churn.words.windows import DAY_US

ROOT = Path(__file__).parents[2]
SHARED = "CHURN_SHARED_DATA"
"""Environment variable: the folder with data that no package brings; otherwise shared/data beside the checkout."""
TEST_SHARE = 0.3
MAKERS = ("core/dataset", "core/events", "shell/engine", "shell/raw")
"""Code that decides what the events are: when it changes, cached events are made again."""


@dataclass(frozen=True)
class Tables:
    """FEATURES and SNAPSHOTS, row by row the same, and one SPLIT for each trial."""

    features: pa.Table
    snapshots: pa.Table
    split: pa.Table


def shared_file(protocol: Protocol) -> Path | None:
    """Where the protocol's raw file is expected; None when a package brings the data."""
    if protocol.file is None:
        return None
    return Path(os.environ.get(SHARED) or ROOT.parent / "shared" / "data") / protocol.file[0]


def section(composed: config.Configuration, name: str) -> dict[str, Any]:
    """The keyword arguments that the composed configuration gives to the function of a section."""
    known = sections.SECTIONS[name]
    return config.checked(composed, name, known.feeds, given=known.given)


def composed(protocol: Protocol, more: Sequence[str] = ()) -> config.Configuration:
    """conf/ of this checkout with the protocol's overrides."""
    with chdir(ROOT):
        return sections.compose([*protocol.overrides, *more])


def tables(protocol: Protocol, configuration: config.Configuration, cache: Path) -> Tables:
    """What every model of the protocol learns from and is tested on."""
    declared = dataset(**section(configuration, "data"))
    events, attributes = _events(protocol, declared, cache)
    if protocol.every > 1:
        customers = pc.unique(events["customer_id"])
        chosen = customers.take(pa.array(np.arange(0, len(customers), protocol.every)))
        events = events.filter(pc.is_in(events["customer_id"], value_set=chosen))
        attributes = attributes.filter(pc.is_in(attributes["customer_id"], value_set=chosen))
    definition = _definition(configuration)
    dates = _dates(protocol, declared, configuration)
    rows = snapshots(events, dates, observed_until=declared.observed_until, definition=definition)
    divided = _split(protocol, declared, definition, rows, configuration)
    known = features(
        events,
        rows,
        attributes,
        lookback=windows(**section(configuration, "features")),
        roles=tuple(dict.fromkeys(role for _, role, _ in declared.kinds)),
        attribute_names=tuple(name for said in declared.attributes.values() for name in said.columns),
    )
    return Tables(known, rows, divided)


def by_customers(found: Tables, seed: int) -> Tables:
    """The same snapshots, with 30 % of the customers as test; of the others, a sixth validates and a sixth calibrates.

    SPLIT knows parts by their as_of, so every part gets an as_of of its own, a second apart. Features are computed by
    then.
    """
    n = found.snapshots.num_rows
    place = np.random.default_rng(seed).permutation(n) / n
    edges = np.array([0.7 * 4 / 6, 0.7 * 5 / 6, 1 - TEST_SHARE])
    part = np.searchsorted(edges, place, side="right")
    as_of = instants(found.snapshots["as_of"])[0] + np.arange(len(PARTS)) * 1_000_000
    column = pa.array(as_of[part], pa.int64()).cast(INSTANT)
    rows = found.snapshots.set_column(1, "as_of", column)
    divided = _split_table(dict(zip(PARTS, ([t] for t in as_of), strict=True)), rows, _outcome(found.split))
    return Tables(found.features.set_column(1, "as_of", column), rows, divided)


def _definition(configuration: config.Configuration) -> Definition:
    said = section(configuration, "definition")
    definitions: dict[str, Any] = DEFINITIONS
    return definitions[said["kind"]](**said)


def _dates(protocol: Protocol, declared: Dataset, configuration: config.Configuration) -> np.ndarray:
    if protocol.days_before is None:
        return as_ofs(declared.observed_from, declared.observed_until, **section(configuration, "snapshots"))
    days = sorted((d for part in protocol.days_before.values() for d in part), reverse=True)
    return declared.observed_until - np.array(days, dtype=np.int64) * DAY_US


def _split(
    protocol: Protocol, declared: Dataset, definition: Definition, rows: pa.Table, configuration: config.Configuration
) -> pa.Table:
    if protocol.days_before is None:
        arguments = section(configuration, "split")
        return split(rows, observed_until=declared.observed_until, definition=definition, **arguments)
    as_of = {part: [declared.observed_until - d * DAY_US for d in days] for part, days in protocol.days_before.items()}
    return _split_table(as_of, rows, (definition.gap_days * DAY_US, definition.outcome_days * DAY_US))


def _split_table(as_of: dict[str, list[int]], rows: pa.Table, outcome: tuple[int, int]) -> pa.Table:
    """SPLIT with the given dates; `outcome`: microseconds from as_of to the start and the end of the outcome window."""
    pairs = sorted((int(t), part) for part, times in as_of.items() for t in times)
    times = np.array([t for t, _ in pairs])
    of_date = [rows.filter(pc.equal(rows["as_of"].cast(pa.int64()), t)) for t, _ in pairs]
    columns = [
        pa.array(times).cast(INSTANT),
        pa.array([part for _, part in pairs]),
        pa.array(times + outcome[0]).cast(INSTANT),
        pa.array(times + outcome[1]).cast(INSTANT),
        pa.array([r.num_rows for r in of_date], pa.int64()),
        pa.array([pc.sum(r["churned"]).as_py() or 0 for r in of_date], pa.int64()),
    ]
    return SPLIT.check(pa.table(columns, schema=SPLIT.schema))


def _outcome(divided: pa.Table) -> tuple[int, int]:
    """Microseconds from as_of to the start and the end of the outcome window."""
    as_of, begin, end = (instants(divided[name])[0] for name in ("as_of", "outcome_from", "outcome_until"))
    return int(begin - as_of), int(end - as_of)


def _events(protocol: Protocol, declared: Dataset, cache: Path) -> tuple[pa.Table, pa.Table]:
    """EVENTS and ATTRIBUTES, from the cache if neither the files nor the code that reads them changed."""
    project = cache / protocol.data
    project.mkdir(parents=True, exist_ok=True)
    source = shared_file(protocol)
    if protocol.file and source:
        place = project / "data" / "raw" / protocol.file[1]
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    with chdir(project):
        inventory = raw.inventory(declared)
        paths = [Path(f"{name}-{_key(declared, inventory)}.parquet") for name in ("events", "attributes")]
        if not all(path.is_file() for path in paths):
            engine = ENGINES["duckdb"](
                kind="duckdb",
                memory_limit="2GB",
                threads=None,
                temporary_folder=None,
                temporary_most=None,
                incremental=False,
            )
            with engine.events(declared, check=checked, inventory=inventory) as found:
                for path, pieces, table in zip(paths, found[:2], (EVENTS, ATTRIBUTES), strict=True):
                    pq.write_table(pa.concat_tables([table.schema.empty_table(), *pieces]).unify_dictionaries(), path)
        events, attributes = (pq.read_table(path).unify_dictionaries().combine_chunks() for path in paths)
    return EVENTS.check(events), ATTRIBUTES.check(attributes)


def _key(declared: Dataset, inventory: list[dict[str, Any]]) -> str:
    """Digest of the declaration, of the raw files, and of the code that makes events of them."""
    digest = hashlib.sha256(repr(declared).encode() + json.dumps(inventory, sort_keys=True).encode())
    for maker in MAKERS:
        path = ROOT / "src" / "churn" / maker
        for file in sorted([*path.parent.glob(f"{path.name}.py"), *path.rglob("*.py")]):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]

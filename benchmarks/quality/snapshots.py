"""From raw files to features of a protocol, by the product's own functions."""

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

from benchmarks.quality.origins import ROOT, digest, stage_code
from benchmarks.quality.protocols import Protocol
from benchmarks.quality.trials import split_table
from churn import sections
from churn.core.dataset import Dataset, dataset
from churn.core.definitions import DEFINITIONS, Definition
from churn.core.events import checked
from churn.core.features import features, windows
from churn.core.snapshots import as_ofs, snapshots
from churn.core.split import split
from churn.shell import config, raw
from churn.shell.engine import ENGINES
from churn.words.tables import ATTRIBUTES, EVENTS
from churn.words.windows import DAY_US

SHARED = "CHURN_SHARED_DATA"
"""Environment variable: the folder with data that no package brings; otherwise shared/data beside the checkout."""


@dataclass(frozen=True)
class Tables:
    """FEATURES and SNAPSHOTS, row by row the same, and SPLIT; EVENTS as every model of events gets them.

    `costs`: of each row what each decision costs, where the data say so.
    """

    features: pa.Table
    snapshots: pa.Table
    split: pa.Table
    events: pa.Table | None = None
    costs: pa.Table | None = None


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


def tables(
    protocol: Protocol, configuration: config.Configuration, cache: Path, customers: pa.Array | None = None
) -> Tables:
    """What every model of the protocol learns from and is tested on; of the given customers only."""
    declared = dataset(**section(configuration, "data"))
    events, attributes = _events(protocol, declared, cache)
    if customers is not None:
        events, attributes = (t.filter(pc.is_in(t["customer_id"], value_set=customers)) for t in (events, attributes))
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
    return Tables(known, rows, divided, events)


def _definition(configuration: config.Configuration) -> Definition:
    said = section(configuration, "definition")
    definitions: dict[str, Any] = DEFINITIONS
    return definitions[said["kind"]](**said)


def _dates(protocol: Protocol, declared: Dataset, configuration: config.Configuration) -> np.ndarray:
    if protocol.days_before is None:
        return as_ofs(declared.observed_from, declared.observed_until, **section(configuration, "snapshots"))
    named = {d + shift for part in protocol.days_before.values() for d in part for shift in protocol.shifts}
    days = sorted(named, reverse=True)
    return declared.observed_until - np.array(days, dtype=np.int64) * DAY_US


def _split(
    protocol: Protocol, declared: Dataset, definition: Definition, rows: pa.Table, configuration: config.Configuration
) -> pa.Table:
    if protocol.days_before is None:
        arguments = section(configuration, "split")
        return split(rows, observed_until=declared.observed_until, definition=definition, **arguments)
    as_of = {part: [declared.observed_until - d * DAY_US for d in days] for part, days in protocol.days_before.items()}
    return split_table(as_of, rows, (definition.gap_days * DAY_US, definition.outcome_days * DAY_US))


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
        if protocol.data == "demo":
            _demo_world()
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


def _demo_world() -> None:
    """The demo world of the least size, made anew each time: it takes seconds, and its code may have changed."""
    from churn.core.demo import demo
    from churn.shell.worlds import write_world

    made = demo(size="small", seed=1)
    write_world(Path("data/demo"), made.chunk_files, made.n_chunks, about={"size": "small", "seed": 1})


def _key(declared: Dataset, inventory: list[dict[str, Any]]) -> str:
    """Digest of the declaration, of the raw files, and of the code that makes events of them."""
    return digest(stage_code("events"), declared, json.dumps(inventory, sort_keys=True))

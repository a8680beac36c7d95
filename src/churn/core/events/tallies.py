"""Tallies of a batch: numbers of rows that can be added up, and tell of days, zones, sizes and columns not used."""

from typing import Any

import numpy as np
import pyarrow as pa

from churn.core.dataset.shapes import Attributes, Source
from churn.core.events.fields import LINE, Batch
from churn.core.events.instants import local_days
from churn.words.windows import DAY_US

PER_DOUBLING = 4
"""Classes of size a doubling: a median is true to 19 %, and it is factors of fifty that are looked for."""
_CLASSES = 64 * PER_DOUBLING
WEEK = 7


def days(us: np.ndarray, time_zone: str) -> dict[str, int]:
    """Local day → rows on it; `us` has the instants of the rows that are counted."""
    if not len(us):
        return {}
    day = local_days(us, time_zone)
    first = int(day.min())
    counted = np.bincount(day - first)
    return {str(np.datetime64(first + int(n), "D")): int(counted[n]) for n in np.flatnonzero(counted)}


def late(happened: np.ndarray, recorded: np.ndarray, kept: np.ndarray) -> int:
    """Rows that were recorded more than a day after they occurred."""
    return int(np.sum(kept & (recorded - happened > DAY_US)))


def sizes(numbers: dict[str, pa.Array], kind: np.ndarray, us: np.ndarray, kept: np.ndarray) -> dict[str, Any]:
    """Number → place of the type → week since 1970 → class of size → rows. Zeros have no size."""
    found: dict[str, Any] = {}
    for name, values in numbers.items():
        value = np.abs(values.fill_null(0).to_numpy(zero_copy_only=False))
        rows = kept & (value > 0)
        if rows.any():
            found[name] = _by_week(value[rows], kind[rows], us[rows] // (WEEK * DAY_US))
    return found


def unused(batch: Batch, source: Source | Attributes) -> dict[str, int]:
    """Column that nothing names → rows that came with it."""
    lookups = tuple(f"{name}." for name in source.lookups or {})
    there = [n for n in batch.rows.column_names if n not in {LINE, *source.reads}]
    return {n: batch.rows.num_rows for n in there if not (lookups and n.startswith(lookups))}


def _by_week(value: np.ndarray, kind: np.ndarray, week: np.ndarray) -> dict[str, Any]:
    first, many = int(week.min()), int(week.max() - week.min()) + 1
    size = np.floor(np.log2(value) * PER_DOUBLING).astype(np.int64)
    place = (kind.astype(np.int64) * many + (week - first)) * _CLASSES + size
    counted = np.bincount(place)
    found: dict[str, Any] = {}
    for at in np.flatnonzero(counted):
        rest, of_size = divmod(int(at), _CLASSES)
        of_kind, of_week = divmod(rest, many)
        weeks = found.setdefault(str(of_kind), {})
        weeks.setdefault(str(of_week + first), {})[str(of_size)] = int(counted[at])
    return found

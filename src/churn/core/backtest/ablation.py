"""Ablation: what each source and each family of features is worth, by training without it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from churn.core.backtest.dates import Plan
from churn.core.backtest.day import Day, Settings, model_of
from churn.core.backtest.judged import DELIVERED, Rows, judged, rows_of
from churn.core.backtest.world import World
from churn.core.features import Feature
from churn.core.model import margins, score
from churn.core.timeline import instants
from churn.words.errors import DriftFault, Fault, GateFault, NotEnoughData
from churn.words.tables import FEATURES

LISTS_MOST = 3
"""The newest lists, on which every source and family is left out: each needs a training, and on Complete Journey three
of them tell differences of a quarter of a point of AUC from chance."""
SHOWN = ("auc", "ap", "logloss", "lift", "caught", DELIVERED)
ATTRIBUTES = "attributes"
"""The family of the columns that are no features of events."""


def families(names: Sequence[str], catalogue: Sequence[Feature]) -> dict[str, list[str]]:
    """Family → its columns among the names, in the order of the catalogue; attributes last."""
    group = {feature.name: feature.group for feature in catalogue}
    found: dict[str, list[str]] = {feature.group: [] for feature in catalogue}
    for name in names:
        if name not in FEATURES.key:
            found.setdefault(group.get(name, ATTRIBUTES), []).append(name)
    return {family: columns for family, columns in found.items() if columns}


def without_columns(there: World, columns: Sequence[str]) -> World:
    """The world in which these features are not known."""
    return replace(there, features=there.features.drop_columns(list(columns)))


def with_features(there: World, when: Plan, features: pa.Table) -> tuple[World, int]:
    """The world of the plan's dates with other values of its features, and how many columns differ.

    Raises
    ------
    Fault
        The features are of other snapshots.
    """
    here = pa.array(np.isin(instants(there.outcomes["as_of"]), when.every_date))
    own = there.features.filter(here)
    if any(not own[name].combine_chunks().equals(features[name].combine_chunks()) for name in FEATURES.key):
        raise Fault(f"{features.num_rows:,} rows of features are not those of {own.num_rows:,} snapshots")
    known = {day: there.known[day].filter(here) for day in when.dates}
    differ = sum(_differ(own[name], features[name]) for name in own.column_names if name not in FEATURES.key)
    return World(features, there.outcomes.filter(here), known), differ


def ablated(
    worlds: Iterator[tuple[str, str, int, World]],
    days: Sequence[Day],
    when: Plan,
    settings: Settings,
    *,
    capacity: int,
    bootstrap: int,
    seed: int,
    interval: float,
) -> Iterator[dict[str, Any]]:
    """One entry a world in which something is missing: the figures without it, and with it less without it, paired.

    The model is trained anew on each of the lists of `when`, with everything that depends on training. Who is to be
    scored, who left, and what customers are expected to bring stay as they are.

    Parameters
    ----------
    worlds : iterator of (kind, name, columns, World)
        `kind` is source or family; `columns` is how many features differ or are missing.
    """
    lists = [day for day in days if day.as_of in when.dates]
    rows_by = rows_of(lists, capacity=capacity)
    for kind, name, columns, world in worlds:
        entry: dict[str, Any] = {"kind": kind, "name": name, "columns": columns, "lists": len(lists)}
        try:
            found = [_rows(world, when, day, rows, settings) for day, rows in zip(lists, rows_by, strict=True)]
        except (NotEnoughData, DriftFault, GateFault) as fault:
            yield entry | {"why": str(fault)}
            continue
        said = judged(found, bootstrap=bootstrap, seed=seed)
        row, difference = said.row("without", interval), said.difference("with", "without", interval)
        worth = {key: difference[key] for figure in SHOWN for key in (figure, f"{figure}_low", f"{figure}_high")}
        yield entry | {"without": {figure: row[figure] for figure in SHOWN}, "worth": worth}


def _rows(world: World, when: Plan, day: Day, rows: Rows, settings: Settings) -> Rows:
    """The list of that day with the probabilities of both models."""
    learnt = model_of(world, when, day.as_of, settings)
    features, _ = world.at(day.as_of)
    p = score(learnt, margins(learnt, features))[day.known]
    return replace(rows, scores={"with": rows.scores["model"], "without": p})


def _differ(one: pa.ChunkedArray, two: pa.ChunkedArray) -> bool:
    """Whether any value differs; texts by what they say, numbers with null equal to null."""
    if pa.types.is_dictionary(one.type):
        one, two = one.cast(pa.string()), two.cast(pa.string())
        return not one.combine_chunks().equals(two.combine_chunks())
    before, after = (column.to_numpy(zero_copy_only=False) for column in (one, two))
    return not np.array_equal(before, after, equal_nan=True)

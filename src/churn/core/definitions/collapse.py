"""Churned is whose use falls below a share of the customer's own normal, for so long."""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Lt, MinLen

from churn.core.definitions.definition import Definition, acting, ever_known, gone, own_acts
from churn.core.timeline import Timeline
from churn.words.errors import ConfigFault
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    from churn.core.history import Cells, WindowSpec

QUANTITY = "quantity_milli"
"""The number column of the measure `quantity`."""


def collapse(
    *,
    kind: Literal["collapse"],
    roles: Annotated[tuple[str, ...], MinLen(1)],
    measure: Literal["events", "quantity"],
    normal_days: Annotated[int, Ge(1)],
    least_events: Annotated[int, Ge(1)],
    share: Annotated[float, Gt(0), Lt(1)],
    for_days: Annotated[int, Ge(1)],
    gap_days: Annotated[int, Ge(0)],
    horizon_days: Annotated[int, Ge(1)],
) -> Definition:
    """Churned is whose use collapses in the horizon, measured by what was normal for that customer.

    The normal level of a customer is the measure a day in `[as_of - normal_days, as_of)`, as known at `as_of`. At an
    instant t the use has collapsed when the measure a day in `[t - for_days, t)` is below `share` of the normal level.
    Live at `as_of` is a customer who was there `normal_days` ago, with at least `least_events` since, whose use has not
    collapsed and who has not cancelled. Churned is a collapse at any t that lies whole days after `as_of` and in
    `[as_of + gap_days, as_of + gap_days + horizon_days)`. Whose use collapses in the gap is neither true nor false.

    Parameters
    ----------
    measure
        `events` counts them, `quantity` sums their quantity, such as minutes.
    normal_days, least_events
        How long, and how often, somebody must have been seen to have a normal level.
    share, for_days
        Below which share of it, over how many days.

    Raises
    ------
    ConfigFault
        When a role does not exist or is nothing that customers do, or `for_days` is longer than `normal_days`.
    """
    if for_days > normal_days:
        raise ConfigFault(f"definition.for_days must be at most normal_days ({normal_days}), got {for_days}")
    return Definition(
        kind,
        gap_days,
        horizon_days,
        live_days=normal_days,
        roles=acting(roles),
        measure=measure,
        normal_days=normal_days,
        least_events=least_events,
        share=share,
        for_days=for_days,
    )


def live(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """Whether a customer is live, shape `(n_snapshots,)`."""
    from churn.core.history import window_sums

    mask, normal_us = own_acts(definition.roles), definition.normal_days * DAY_US
    specs = [(mask, -1, 0, normal_us), (mask, -1, normal_us, None)]
    often, before = window_sums(line, cells, specs)
    lately = _measured(line, cells, definition, [(0, definition.for_days)])[0]
    known = (often >= definition.least_events) & (before > 0)
    return known & (lately >= _threshold(line, cells, definition)) & ~gone(line, cells)


def label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Whether a customer churned, and whether that is true or false at all, shape `(n_snapshots,)` each."""
    gap, end = definition.gap_days, definition.gap_days + definition.horizon_days
    days = range(1, end)
    levels = _measured(line, cells, definition, [(-t, definition.for_days - t) for t in days], ever_known(line))
    low = levels < _threshold(line, cells, definition)
    in_gap = max(gap - 1, 0)
    return np.any(low[in_gap:], axis=0), ~np.any(low[:in_gap], axis=0)


def back(line: Timeline, cells: "Cells", definition: Definition, days: int) -> np.ndarray:
    """Whether the use is no longer collapsed `days` after the outcome was settled."""
    end = definition.outcome_days + days
    level = _measured(line, cells, definition, [(-end, definition.for_days - end)], ever_known(line))[0]
    return level >= _threshold(line, cells, definition)


def _threshold(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """The measure over `for_days` below which the use has collapsed, shape `(n_snapshots,)`."""
    normal = _measured(line, cells, definition, [(0, definition.normal_days)])[0]
    return definition.share * normal * definition.for_days / definition.normal_days


def _measured(
    line: Timeline,
    cells: "Cells",
    definition: Definition,
    windows_days: list[tuple[int, int]],
    recorded: np.ndarray | None = None,
) -> np.ndarray:
    """The measure in each window `[as_of - far, as_of - near)`, shape `(n_windows, n_snapshots)`."""
    from churn.core.history import window_sums

    counted = definition.measure == "events"
    mask = own_acts(definition.roles)
    column = -1 if counted else line.numbers.index(QUANTITY)
    specs: list[WindowSpec] = [(mask, column, near * DAY_US, far * DAY_US) for near, far in windows_days]
    return window_sums(line, cells, specs, recorded=recorded)

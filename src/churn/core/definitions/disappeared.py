"""Churned is who was in the last extract of the customer list and is absent from a later one."""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, MinLen

from churn.core.definitions.definition import Definition, acting, active, acts_again, gone, happened, own_acts
from churn.core.timeline import Timeline
from churn.words.errors import ConfigFault

if TYPE_CHECKING:
    from churn.core.history import Cells


def disappeared(
    *,
    kind: Literal["disappeared"],
    roles: Annotated[tuple[str, ...], MinLen(1)],
    extract_days: Annotated[int, Ge(1)],
    gap_days: Annotated[int, Ge(0)],
    horizon_days: Annotated[int, Ge(1)],
) -> Definition:
    """Churned is who is absent from the last extract of the horizon.

    Some companies know of a loss only since a name is missing from the next list. Each extract gives every customer on
    it an event, as a rule of the role `presence`, at the time of the extract. `extract_days` is how far two extracts
    may lie apart, such as 31 for monthly ones, so `[t - extract_days, t)` holds the last extract before t. Live at
    `as_of` is who is in the last extract before it, and has not cancelled. Churned is who is absent from
    `[as_of + gap_days + horizon_days - extract_days, as_of + gap_days + horizon_days)`. Who is missing once and listed
    again later has not churned.

    Raises
    ------
    ConfigFault
        When a role does not exist or is nothing that shows a customer to be there, or no whole extract fits into the
        horizon.
    """
    if extract_days > horizon_days:
        raise ConfigFault(f"definition.horizon_days must be at least extract_days ({extract_days}), got {horizon_days}")
    return Definition(
        kind, gap_days, horizon_days, live_days=extract_days, roles=acting(roles), extract_days=extract_days
    )


def live(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """Whether a customer is live, shape `(n_snapshots,)`."""
    return active(line, cells, own_acts(definition.roles), definition.extract_days) & ~gone(line, cells)


def label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Whether a customer churned, and whether that is true or false at all, shape `(n_snapshots,)` each."""
    end = definition.gap_days + definition.horizon_days
    listed = happened(line, cells, own_acts(definition.roles), end - definition.extract_days, end)
    return ~listed, np.ones(len(listed), dtype=bool)


back = acts_again
"""Whether a customer who churned came back later."""

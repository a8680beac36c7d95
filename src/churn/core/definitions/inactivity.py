"""Churned is who does nothing for a while."""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, MinLen

from churn.core.definitions.definition import Definition, acting, active, acts_again, gone, happened, own_acts
from churn.core.timeline import Timeline

if TYPE_CHECKING:
    from churn.core.history import Cells


def inactivity(
    *,
    kind: Literal["inactivity"],
    live_days: Annotated[int, Ge(1)] | None,
    gap_days: Annotated[int, Ge(0)],
    horizon_days: Annotated[int, Ge(1)],
    roles: Annotated[tuple[str, ...], MinLen(1)],
) -> Definition:
    """Churned is who does nothing of `roles` in the horizon.

    Live at `as_of` is a customer with an event of `roles` in `[as_of - live_days, as_of)` whose last known
    cancellation, if any, was undone. Churned is no event of `roles` in `[as_of + gap_days, as_of + gap_days +
    horizon_days)`. What counts is what customers do themselves: a returned purchase is no purchase, and a mail that the
    company sent is no sign of life.

    Raises
    ------
    ConfigFault
        When `roles` names a role that does not exist, or that nobody does.
    """
    return Definition(kind, gap_days, horizon_days, live_days=live_days, roles=acting(roles))


def live(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """Whether a customer is live, shape `(n_snapshots,)`."""
    return active(line, cells, own_acts(definition.roles), definition.live_days) & ~gone(line, cells)


def label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Whether a customer churned, and whether that is true or false at all, shape `(n_snapshots,)` each."""
    begin, end = definition.gap_days, definition.gap_days + definition.horizon_days
    came_back = happened(line, cells, own_acts(definition.roles), begin, end)
    return ~came_back, np.ones(len(came_back), dtype=bool)


back = acts_again
"""Whether a customer who churned came back later."""

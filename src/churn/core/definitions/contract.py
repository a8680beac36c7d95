"""Churned is who cancels, and neither takes it back nor starts anew in time."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, MinLen

from churn.core.definitions.definition import Definition, acting, active, gone, happened, own_acts
from churn.core.timeline import KINDS, Timeline, kinds_mask
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    from churn.core.history import Cells

CANCELLED, UNDONE = KINDS["cancel", "cancelled"], KINDS["cancel", "undone"]


def contract(
    *,
    kind: Literal["contract"],
    gap_days: Annotated[int, Ge(0)],
    horizon_days: Annotated[int, Ge(1)],
    grace_days: Annotated[int, Ge(0)],
    start_roles: Annotated[tuple[str, ...], MinLen(1)],
    restart_roles: tuple[str, ...],
) -> Definition:
    """Churned is who cancels in the horizon and does not undo it within the grace period.

    Live at `as_of` is a customer with any earlier event of `start_roles` whose last known cancellation, if any, was
    undone or followed by an event of `restart_roles`. Churned is a cancellation in `[as_of + gap_days, as_of + gap_days
    + horizon_days)` that neither an event with state `undone` nor one of `restart_roles` follows within `grace_days`.
    Who leaves for good in the gap is neither true nor false: nobody could have acted, so the label is null.

    Parameters
    ----------
    restart_roles
        What a customer who cancelled does only after coming back, such as `usage`. A payment may be the last invoice,
        so it is not one unless it is named.

    Raises
    ------
    ConfigFault
        When a role does not exist, or is nothing that customers do.
    """
    return Definition(
        kind,
        gap_days,
        horizon_days,
        roles=acting(start_roles),
        grace_days=grace_days,
        restart_roles=acting(restart_roles),
    )


def live(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """Whether a customer is live, shape `(n_snapshots,)`."""
    started = active(line, cells, own_acts(definition.roles), None)
    return started & ~gone(line, cells, definition.restart_roles)


def label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Whether a customer churned, and whether that is true or false at all, shape `(n_snapshots,)` each."""
    for_good = _without_undone(line, definition)
    begin, end = definition.gap_days, definition.gap_days + definition.horizon_days
    cancelled = kinds_mask("cancel", "cancelled")
    left_in_gap = happened(for_good, cells, cancelled, 0, begin)
    return happened(for_good, cells, cancelled, begin, end), ~left_in_gap


def back(line: Timeline, cells: "Cells", definition: Definition, days: int) -> np.ndarray:
    """Whether a customer starts anew, or takes the cancellation back, within `days` after the outcome was settled."""
    mask = own_acts((*definition.roles, *definition.restart_roles)) | kinds_mask("cancel", "undone")
    return happened(line, cells, mask, definition.outcome_days, definition.outcome_days + days)


def _without_undone(line: Timeline, definition: Definition) -> Timeline:
    """The timeline in which a cancellation that was undone within the grace period counts as undone itself."""
    kind = line.kind.copy()
    customer = np.repeat(np.arange(line.n_customers), np.diff(line.offsets))
    restarts = (np.int64(own_acts(definition.restart_roles)) >> kind.astype(np.int64)) & 1 == 1
    about = np.flatnonzero(np.isin(kind, [CANCELLED, UNDONE]) | restarts)
    # The next word on the same contract decides: of two cancellations in a row the later one stands.
    here, after = about[:-1], about[1:]
    undone = (
        (kind[here] == CANCELLED)
        & (customer[here] == customer[after])
        & (kind[after] != CANCELLED)
        & (line.occurred[after] <= line.occurred[here] + definition.grace_days * DAY_US)
    )
    kind[here[undone]] = UNDONE
    return replace(line, kind=kind)

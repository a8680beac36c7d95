"""Churned is who stays silent for many times the customer's own usual gap."""

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, MinLen

from churn.core.definitions.definition import Definition, acting, acts_again, gone, own_acts
from churn.core.timeline import Timeline
from churn.words.errors import ConfigFault
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    from churn.core.history import Cells

USUAL = 0.5
"""The quantile of a customer's gaps that is the usual one: one long holiday does not move the median."""


def cadence(
    *,
    kind: Literal["cadence"],
    roles: Annotated[tuple[str, ...], MinLen(1)],
    normal_days: Annotated[int, Ge(1)],
    least_gaps: Annotated[int, Ge(1)],
    times: Annotated[float, Gt(1)],
    silence_least_days: Annotated[int, Ge(1)],
    silence_most_days: Annotated[int, Ge(1)],
    gap_days: Annotated[int, Ge(0)],
    horizon_days: Annotated[int, Ge(1)],
) -> Definition:
    """Churned is whose silence reaches `times` the usual gap in the horizon.

    The usual gap of a customer is the median of the days between neighbouring active days in `[as_of - normal_days,
    as_of)`, as known at `as_of`. The silence that is too long is `times` that, but at least `silence_least_days` and at
    most `silence_most_days`. Live at `as_of` is a customer with at least `least_gaps` such gaps, who has not been
    silent for too long yet and has not cancelled. Churned is whose silence, counted from the last event before it
    began, becomes too long at an instant in `[as_of + gap_days, as_of + gap_days + horizon_days)`; the first time
    counts. In the gap it is neither true nor false.

    Raises
    ------
    ConfigFault
        When a role does not exist or is nothing that customers do, or no silence could become too long.
    """
    if silence_most_days < silence_least_days:
        raise ConfigFault(
            f"definition.silence_most_days must be at least silence_least_days ({silence_least_days}), "
            f"got {silence_most_days}"
        )
    return Definition(
        kind,
        gap_days,
        horizon_days,
        live_days=normal_days,
        roles=acting(roles),
        normal_days=normal_days,
        least_gaps=least_gaps,
        times=times,
        silence_days=(silence_least_days, silence_most_days),
    )


def live(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """Whether a customer is live, shape `(n_snapshots,)`."""
    from churn.core.history import locate

    limit, number = _limit(line, cells, definition)
    _, last, _ = locate(line, cells, [own_acts(definition.roles)])[:, 0]
    silence = cells.as_ofs[cells.as_of_index] - line.occurred[last]
    return (number >= definition.least_gaps) & (last >= 0) & (silence < limit) & ~gone(line, cells)


def label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """Whether a customer churned, and whether that is true or false at all, shape `(n_snapshots,)` each."""
    from churn.core.definitions.silence import silenced

    limit, number = _limit(line, cells, definition)
    begin = definition.gap_days * DAY_US
    after = silenced(
        line.offsets,
        line.occurred,
        line.kind,
        np.int64(own_acts(definition.roles)),
        cells.as_ofs,
        np.where(number > 0, limit, 0),
        cells.offsets,
        cells.as_of_index,
    )
    return (after >= begin) & (after < begin + definition.horizon_days * DAY_US), after >= begin


def _limit(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    """The silence that is too long, in microseconds, and the number of gaps that say so, shape `(n_snapshots,)`."""
    from churn.core.history import own_gaps

    gaps = own_gaps(line, cells, own_acts(definition.roles), definition.normal_days, USUAL)
    least, most = definition.silence_days
    usual = np.nan_to_num(gaps.quantile, nan=float(most))
    days = np.clip(definition.times * usual, least, most)
    return (days * DAY_US).astype(np.int64), gaps.number


back = acts_again
"""Whether a customer who churned came back later."""

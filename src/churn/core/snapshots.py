"""Snapshots: which customers are live at each as-of date, and whether they churned afterwards.

The only module that looks past `as_of`. Eligibility sees what was known before `as_of`; the label sees what happened
in the outcome window, whenever it was recorded.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
from annotated_types import Ge, MinLen

from churn.core.timeline import KINDS, Timeline, kinds_mask, timeline
from churn.words.errors import ConfigFault
from churn.words.tables import INSTANT, ROLES, SNAPSHOTS
from churn.words.windows import DAY_US, as_of_dates

if TYPE_CHECKING:
    from churn.core.history import Cells

COLUMNS = ("customer_id", "occurred_at", "recorded_at", "role", "state")
"""The columns of events that this module reads."""
UNKNOWN_UNTIL_NEVER = np.int64(-(2**62))
"""`recorded_at` for labels: what happened counts, however late the company heard of it."""


@dataclass(frozen=True)
class Definition:
    """What churn means. Days are whole; null `live_days` means since the first event."""

    kind: str
    gap_days: int
    horizon_days: int
    live_days: int | None = None
    roles: tuple[str, ...] = ()
    grace_days: int = 0

    @property
    def outcome_days(self) -> int:
        """Days from `as_of` until the label is settled: gap, horizon and grace."""
        return self.gap_days + self.horizon_days + self.grace_days


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
    horizon_days)`. An event counts in its role's first state: a returned purchase is no purchase.

    Raises
    ------
    ConfigFault
        When `roles` names a role that does not exist.
    """
    return Definition(kind, gap_days, horizon_days, live_days=live_days, roles=_known_roles(roles))


def contract(
    *,
    kind: Literal["contract"],
    gap_days: Annotated[int, Ge(0)],
    horizon_days: Annotated[int, Ge(1)],
    grace_days: Annotated[int, Ge(0)],
    start_roles: Annotated[tuple[str, ...], MinLen(1)],
) -> Definition:
    """Churned is who cancels in the horizon and does not undo it within the grace period.

    Live at `as_of` is a customer with any earlier event of `start_roles` whose last known cancellation, if any, was
    undone. Churned is a cancellation in `[as_of + gap_days, as_of + gap_days + horizon_days)` that no event with
    state `undone` follows within `grace_days`. Who leaves for good in the gap is neither true nor false: nobody could
    have acted, so the label is null.

    Raises
    ------
    ConfigFault
        When `start_roles` names a role that does not exist.
    """
    return Definition(kind, gap_days, horizon_days, roles=_known_roles(start_roles), grace_days=grace_days)


DEFINITIONS = {"inactivity": inactivity, "contract": contract}
"""The churn definitions by the `kind` that conf/definition chooses."""


def as_ofs(
    observed_from: int,
    observed_until: int,
    *,
    every_days: Annotated[int, Ge(1)],
    most: Annotated[int, Ge(1)],
    history_days: Annotated[int, Ge(0)],
) -> np.ndarray:
    """As-of dates in microseconds, shape `(n_as_ofs,)`: `observed_until`, and every `every_days` back from there.

    At most `most`, and none with less than `history_days` of events before it.
    """
    earliest = observed_from + history_days * DAY_US
    return as_of_dates(observed_until, every_days=every_days, earliest=earliest, most=most)


def snapshots(events: pa.Table, as_of: np.ndarray, *, observed_until: int, definition: Definition) -> pa.Table:
    """One row per customer and as-of date at which the customer is live, with `churned` true, false or null.

    Parameters
    ----------
    events : pa.Table
        EVENTS of whole customers, sorted by customer and time.
    as_of : np.ndarray
        As-of dates in microseconds, ascending, shape `(n_as_ofs,)`.
    observed_until : int
        Up to when events are complete, in microseconds. Labels whose window ends later are null.
    definition : Definition
        From `inactivity` or `contract`.

    Returns
    -------
    pa.Table
        SNAPSHOTS.
    """
    line = timeline(events)
    cells = _all_cells(line, as_of)
    live = _live(line, cells, definition)
    label, known = LABELS[definition.kind](line, cells, definition)
    matured = as_of + definition.outcome_days * DAY_US <= observed_until
    known &= np.tile(matured, line.n_customers)
    customer = np.repeat(np.arange(line.n_customers), len(as_of))[live]
    churned = pa.array(label[live], mask=~known[live])
    times = pa.array(np.tile(as_of, line.n_customers)[live], pa.int64()).cast(INSTANT)
    return pa.table([line.customers.take(pa.array(customer)), times, churned], schema=SNAPSHOTS.schema)


def _known_roles(roles: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise ConfigFault(f"definition names the role {unknown[0]!r}; roles are {', '.join(ROLES)}")
    return tuple(roles)


def _all_cells(line: Timeline, as_of: np.ndarray) -> "Cells":
    """Every customer at every as-of date: who is live is found out from here."""
    from churn.core.history import Cells

    n = len(as_of)
    return Cells(
        as_ofs=as_of,
        offsets=np.arange(line.n_customers + 1, dtype=np.int64) * n,
        as_of_index=np.tile(np.arange(n, dtype=np.int64), line.n_customers),
    )


def _live(line: Timeline, cells: "Cells", definition: Definition) -> np.ndarray:
    """Whether a customer is live, shape `(n_customers * n_as_ofs,)`, by what was known before `as_of`."""
    from churn.core.history import locate, window_sums

    far = None if definition.live_days is None else definition.live_days * DAY_US
    active = window_sums(line, cells, [(_first_states(definition.roles), -1, 0, far)])[0] > 0
    _, last, _ = locate(line, cells, [kinds_mask("cancel")])[:, 0]
    gone = (last >= 0) & (line.kind[last] == KINDS["cancel", "cancelled"])
    return active & ~gone


def _first_states(roles: tuple[str, ...]) -> int:
    return sum(kinds_mask(role, ROLES[role][0]) for role in roles)


def _happened(line: Timeline, cells: "Cells", mask: int, from_days: int, until_days: int) -> np.ndarray:
    """Whether an event of the mask occurred in `[as_of + from_days, as_of + until_days)`, whenever it was recorded."""
    from churn.core.history import window_sums

    recorded = np.full(len(line.occurred), UNKNOWN_UNTIL_NEVER)
    spec = (mask, -1, -until_days * DAY_US, -from_days * DAY_US)
    return window_sums(line, cells, [spec], recorded=recorded)[0] > 0


def _inactivity_label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    begin, end = definition.gap_days, definition.gap_days + definition.horizon_days
    came_back = _happened(line, cells, _first_states(definition.roles), begin, end)
    return ~came_back, np.ones(len(came_back), dtype=bool)


def _contract_label(line: Timeline, cells: "Cells", definition: Definition) -> tuple[np.ndarray, np.ndarray]:
    for_good = _without_undone(line, definition.grace_days * DAY_US)
    begin, end = definition.gap_days, definition.gap_days + definition.horizon_days
    cancelled = kinds_mask("cancel", "cancelled")
    left_in_gap = _happened(for_good, cells, cancelled, 0, begin)
    return _happened(for_good, cells, cancelled, begin, end), ~left_in_gap


def _without_undone(line: Timeline, grace: int) -> Timeline:
    """The timeline in which a cancellation that was undone within the grace period counts as undone itself."""
    kind = line.kind.copy()
    customer = np.repeat(np.arange(line.n_customers), np.diff(line.offsets))
    about = np.flatnonzero(np.isin(kind, [KINDS["cancel", "cancelled"], KINDS["cancel", "undone"]]))
    # The next word on the same contract decides: of two cancellations in a row the later one stands.
    here, after = about[:-1], about[1:]
    undone = (
        (customer[here] == customer[after])
        & (line.kind[after] == KINDS["cancel", "undone"])
        & (line.occurred[after] <= line.occurred[here] + grace)
    )
    kind[here[undone]] = KINDS["cancel", "undone"]
    return replace(line, kind=kind)


LABELS = {"inactivity": _inactivity_label, "contract": _contract_label}

"""What all definitions of churn have in common: their days, the acts of a customer, and when a customer has left."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from churn.core.timeline import KINDS, Timeline, kinds_mask
from churn.words.errors import ConfigFault
from churn.words.tables import OWN_STATES, ROLES
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    from churn.core.history import Cells

EVERYTHING_KNOWN = np.int64(-(2**62))
"""`recorded_at` for labels: what happened counts, however late the company heard of it."""


@dataclass(frozen=True)
class Definition:
    """What churn means, in whole days: the outcome window is `[as_of + gap, as_of + gap + horizon)`.

    `roles` are the events that count; null `live_days` means since the first event. The other numbers belong to one
    kind each, and say nothing in the others.
    """

    kind: str
    gap_days: int
    horizon_days: int
    live_days: int | None = None
    roles: tuple[str, ...] = ()
    grace_days: int = 0
    restart_roles: tuple[str, ...] = ()
    measure: str = ""
    normal_days: int = 0
    least_events: int = 0
    share: float = 0.0
    for_days: int = 0
    times: float = 0.0
    least_gaps: int = 0
    silence_days: tuple[int, int] = (0, 0)
    extract_days: int = 0

    @property
    def outcome_days(self) -> int:
        """Days from `as_of` until the label is settled: gap, horizon and grace."""
        return self.gap_days + self.horizon_days + self.grace_days


def acting(roles: Iterable[str]) -> tuple[str, ...]:
    """The same roles, once each of them is something that a customer does.

    Raises
    ------
    ConfigFault
        When a role does not exist, or is nothing that shows a customer to be there.
    """
    for role in roles:
        if role not in ROLES:
            raise ConfigFault(f"definition names the role {role!r}; roles are {', '.join(ROLES)}")
        if role not in OWN_STATES:
            raise ConfigFault(
                f"definition names the role {role!r}, by which nobody is there; those that count are "
                f"{', '.join(OWN_STATES)}"
            )
    return tuple(roles)


def own_acts(roles: Iterable[str]) -> int:
    """Bit mask of what customers do themselves in these roles: a campaign that was answered, not one that was sent."""
    return sum(kinds_mask(role, state) for role in set(roles) for state in OWN_STATES[role])


def happened(line: Timeline, cells: "Cells", mask: int, from_days: int, until_days: int) -> np.ndarray:
    """Whether an event of the mask occurred in `[as_of + from_days, as_of + until_days)`, whenever it was recorded."""
    from churn.core.history import window_sums

    spec = (mask, -1, -until_days * DAY_US, -from_days * DAY_US)
    return window_sums(line, cells, [spec], recorded=ever_known(line))[0] > 0


def ever_known(line: Timeline) -> np.ndarray:
    """Recording times by which everything was known always; only labels, which ask what happened, may use them."""
    return np.full(len(line.occurred), EVERYTHING_KNOWN)


def active(line: Timeline, cells: "Cells", mask: int, days: int | None) -> np.ndarray:
    """Whether an event of the mask in `[as_of - days, as_of)` was known at `as_of`; None reaches back to the first."""
    from churn.core.history import window_sums

    return window_sums(line, cells, [(mask, -1, 0, None if days is None else days * DAY_US)])[0] > 0


def gone(line: Timeline, cells: "Cells", restart_roles: tuple[str, ...] = ()) -> np.ndarray:
    """Whether the last known word about the contract is a cancellation, and nothing of `restart_roles` followed it."""
    from churn.core.history import locate

    masks = [kinds_mask("cancel"), own_acts(restart_roles)]
    _, last, _ = locate(line, cells, masks)
    word, restart = last
    return (word >= 0) & (line.kind[word] == KINDS["cancel", "cancelled"]) & (restart <= word)


def acts_again(line: Timeline, cells: "Cells", definition: Definition, days: int) -> np.ndarray:
    """Whether a customer does something of `roles` within `days` after the outcome was settled."""
    end = definition.outcome_days
    return happened(line, cells, own_acts(definition.roles), end, end + days)

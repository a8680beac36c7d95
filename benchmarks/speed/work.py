"""The work that every engine of the benchmark does: 84 columns, as data."""

from typing import NamedTuple

EVENTS, SNAPSHOTS = "data/events.parquet", "data/snapshots.parquet"
DAYS = (7, 14, 30, 60, 90, 180, 365)
COLUMNS = (
    "customer_id",
    "occurred_at",
    "recorded_at",
    "role",
    "state",
    "amount_minor",
    "discount_minor",
    "quantity_milli",
)
UNITS = {"amount": ("amount_minor", 100), "discount": ("discount_minor", 100), "quantity": ("quantity_milli", 1000)}


class Asked(NamedTuple):
    """One column: `verb` of a role's events in one state, of a number column or none, over the last `days`.

    `count` and `sum` are over `[as_of - days, as_of)`; `since` is days since the last event, over all history.
    """

    verb: str
    role: str
    state: str
    column: str | None = None
    days: int | None = None

    @property
    def name(self) -> str:
        """Name of the column."""
        return "_".join(str(part) for part in self if part is not None)


COUNTED = (
    ("usage", "used"),
    ("purchase", "made"),
    ("purchase", "returned"),
    ("campaign", "sent"),
    ("payment", "failed"),
    ("contact", "by_customer"),
    ("complaint", "opened"),
)
SUMMED = (
    ("usage", "used", "quantity"),
    ("purchase", "made", "quantity"),
    ("purchase", "made", "amount"),
    ("purchase", "made", "discount"),
)
ASKED = (
    *(Asked("count", role, state, None, days) for role, state in COUNTED for days in DAYS),
    *(Asked("sum", *what, days) for what in SUMMED for days in DAYS),
    *(Asked("since", role, state) for role, state in COUNTED),
)
"""49 counts, 28 sums and 7 times since the last event."""

"""Churners: how many there would be to learn from and to judge by, for a definition that is being considered."""

from typing import Any, NamedTuple

import pyarrow as pa

from churn.core.definitions import Definition
from churn.core.model.enough import Least
from churn.core.model.parts import LEARNING
from churn.core.snapshots import as_ofs, snapshots
from churn.core.split import split
from churn.words.errors import DriftFault, NotEnoughData


class Counted(NamedTuple):
    """Snapshots and churners of each part, and the share of churners at the newest matured date.

    `fault` says why there are no parts.
    """

    parts: dict[str, tuple[int, int]]
    base_rate: float | None
    fault: str | None

    def missing(self, least: Least, churners_least: int) -> list[str]:
        """What a model that needs `least` lacks, in words; each is one thing."""
        if self.fault is not None:
            return [self.fault, "", "", ""]
        found = []
        rows = self.parts["train"][0]
        if rows < least.rows:
            found.append(f"{rows:,} snapshots to train on, {least.rows} are needed")
        churners = sum(left for _, left in self.parts.values())
        if churners < churners_least:
            found.append(f"{churners:,} churners at all dates, {churners_least} are needed")
        for name, (rows, left) in self.parts.items():
            wanted = {"train": least.each, "test": 1}.get(name, least.judging)
            for what, k in (("churners", left), ("who stay", rows - left)):
                if k < wanted:
                    found.append(f"{k:,} {what} in the part {name}, {wanted} are needed")
        return found


def counted_parts(
    events: pa.Table,
    share: int,
    since: int,
    until: int,
    definition: Definition,
    dates: dict[str, Any],
    parts: dict[str, Any],
) -> Counted:
    """What there is to learn from."""
    found = snapshots(events, as_ofs(since, until, **dates), observed_until=until, definition=definition)
    try:
        table = split(found, observed_until=until, definition=definition, **parts)
    except (NotEnoughData, DriftFault) as fault:
        return Counted({}, None, str(fault))
    rows = list(zip(*(table[name].to_pylist() for name in ("part", "n_snapshots", "n_churned")), strict=True))
    sums = {
        name: (
            share * sum(n for part, n, _ in rows if part == name),
            share * sum(c or 0 for p, _, c in rows if p == name),
        )
        for name in (*LEARNING, "test")
    }
    n, left = next(((n, c) for part, n, c in rows if part == "test"), (0, 0))
    return Counted(sums, left / n if n else None, None)

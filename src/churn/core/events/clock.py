"""At which hours customers act, and which event types there are: counts that can be added up."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.timeline import instants
from churn.words.tables import OWN_STATES

HOURS = 24


class Clock:
    """Looks at EVENTS while they pass; pieces may be cut anywhere."""

    def __init__(self, time_zone: str) -> None:
        self._time_zone = time_zone
        self._hours = np.zeros(HOURS, dtype=np.int64)
        self._midnight = 0
        self._types: dict[str, dict[str, Any]] = {}

    def events(self, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The same pieces."""
        for piece in pieces:
            self._add(piece)
            yield piece

    def added(self, account: dict[str, Any]) -> dict[str, Any]:
        """The account with `hours` (own acts at each local hour), `midnight` (those at the very start of a day) and
        `types` (event type → role, state, events, and the first and last instant).
        """
        types = {
            name: {**one, "first": _iso(one["first"]), "last": _iso(one["last"])}
            for name, one in sorted(self._types.items())
        }
        return {**account, "hours": self._hours.tolist(), "midnight": self._midnight, "types": types}

    def _add(self, piece: pa.Table) -> None:
        if not piece.num_rows:
            return
        kinds = piece.select(["event_type", "role", "state"])
        at = piece["occurred_at"]
        counted = kinds.append_column("at", at).group_by(kinds.column_names, use_threads=False)
        for row in counted.aggregate([("at", "count"), ("at", "min"), ("at", "max")]).to_pylist():
            first, last = (int(row[f"at_{which}"].timestamp() * 1e6) for which in ("min", "max"))
            one = self._types.setdefault(
                row["event_type"],
                {"role": row["role"], "state": row["state"], "events": 0, "first": first, "last": last},
            )
            one["events"] += row["at_count"]
            one["first"], one["last"] = min(one["first"], first), max(one["last"], last)
        own = [(role, state) for role, states in OWN_STATES.items() for state in states]
        words = pc.binary_join_element_wise(piece["role"].cast(pa.string()), piece["state"].cast(pa.string()), " ")
        acted = at.filter(pc.is_in(words, value_set=pa.array([" ".join(pair) for pair in own])))
        local = acted.cast(pa.timestamp("us", tz=self._time_zone))
        hour = pc.hour(local).to_numpy()
        self._hours += np.bincount(hour, minlength=HOURS)
        whole = (instants(acted) % 1_000_000 == 0) & (hour == 0)
        self._midnight += int(np.sum(whole & (pc.minute(local).to_numpy() == 0) & (pc.second(local).to_numpy() == 0)))


def _iso(us: int) -> str:
    return str(np.datetime64(us, "us").astype("datetime64[s]")) + "Z"

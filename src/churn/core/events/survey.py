"""Survey: what the sorted tables tell as a whole: customers who weigh too much, or are not who they seem."""

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset.checks import VALID_UNTIL
from churn.core.dataset.shapes import Dataset, time_of
from churn.words.errors import EXAMPLES, ContractFault, masked, message
from churn.words.windows import DAY_US

HEAVY_SHARE = 0.2
"""One customer with a fifth of all events is a test account, a robot, or the cash desk: it is no customer."""
CUSTOMERS_LEAST = 20
EVENTS_LEAST = 100
"""In a smaller world somebody always has a fifth."""
UNKNOWN_WARN = 0.01
REUSED_WARN = 0.001


class Survey:
    """Looks at the tables while they pass, and says what it saw. Pieces may be cut anywhere; they are sorted."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._people = _People([], [], [], [])
        self._since: dict[str, int] = {}
        self._until: dict[str, int] = {}

    def attributes(self, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The same pieces without the statements that only say until when a customer existed."""
        for piece in pieces:
            ends = pc.equal(piece["name"], VALID_UNTIL)
            for customer, since in zip(*_lists(piece, "customer_id", "valid_from"), strict=True):
                self._since[customer] = min(since, self._since.get(customer, since))
            for customer, until in zip(*_lists(piece.filter(ends), "customer_id", "value"), strict=True):
                self._until[customer] = max(int(until), self._until.get(customer, 0))
            yield piece.filter(pc.invert(ends)).combine_chunks() if pc.any(ends).as_py() else piece

    def events(self, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The same pieces."""
        for piece in pieces:
            self._people.add(piece)
            yield piece

    def added(self, account: dict[str, Any]) -> dict[str, Any]:
        """The account with what was seen.

        Raises
        ------
        ContractFault
            If too many events are of customers whom no attributes know (exit 4).
        """
        customers, counts, first, last = self._people.arrays()
        said = [*self._heavy(customers, counts), *_alike(customers)]
        if self._dataset.attributes:
            said += self._unknown(customers, counts)
            said += self._reused(customers, first, last)
        heaviest = {}
        if len(counts):
            place = int(np.argmax(counts))
            heaviest = {"customer_id": customers[place].as_py(), "events": int(counts[place])}
        return {**account, "warnings": account["warnings"] + said, "heaviest": heaviest, "customers": len(customers)}

    def _heavy(self, customers: pa.Array, counts: np.ndarray) -> list[str]:
        total = int(counts.sum())
        if len(counts) < CUSTOMERS_LEAST or total < EVENTS_LEAST or counts.max() <= HEAVY_SHARE * total:
            return []
        name = customers[int(np.argmax(counts))].as_py()
        return [
            message(
                f"one customer has {counts.max() / total:.1%} of all events",
                many=f"{int(counts.max()):,} of {total:,} events",
                such_as=[masked(name)],
                do="if it is a test account or a robot, declare it under leave_out in conf/data/; its id stands in "
                "reports/events.json as heaviest",
            )
        ]

    def _unknown(self, customers: pa.Array, counts: np.ndarray) -> list[str]:
        """Events of customers whom no attributes know."""
        known = np.array([one in self._since for one in customers.to_pylist()], dtype=bool)
        n, total = int(counts[~known].sum()), int(counts.sum())
        names, most = (
            ", ".join(self._dataset.attributes),
            max(a.unknown_stop for a in self._dataset.attributes.values()),
        )
        said = message(
            "events of customers who are unknown to the attributes",
            where=f"attributes {names}",
            many=f"{n:,} of {total:,} events ({n / max(total, 1):.1%}), {int((~known).sum()):,} customers",
            such_as=[masked(one) for one in customers.filter(pa.array(~known)).to_pylist()[:EXAMPLES]],
            do="export the table of customers anew, with all of them; if it never has them all, raise its "
            "`unknown_stop` in conf/data/",
        )
        if n > most * total:
            raise ContractFault(said)
        return [said] if n > UNKNOWN_WARN * total else []

    def _reused(self, customers: pa.Array, first: np.ndarray, last: np.ndarray) -> list[str]:
        """Customers with events before they began or after they ended, as when an id is given to somebody else."""
        if any(time_of(a.valid_from).constant for a in self._dataset.attributes.values()):
            return []
        names = customers.to_pylist()
        since = np.array([self._since.get(one, -(2**62)) for one in names], dtype=np.int64)
        until = np.array([self._until.get(one, 2**62) for one in names], dtype=np.int64)
        odd = (first < since - DAY_US) | (last >= until + DAY_US)
        if odd.sum() <= REUSED_WARN * len(names):
            return []
        return [
            message(
                "customers have events before their attributes begin or after they end: were ids re-used or merged, or "
                "does valid_from say when a row was last changed?",
                where=f"attributes {', '.join(self._dataset.attributes)}",
                many=f"{int(odd.sum()):,} of {len(names):,} customers",
                such_as=[masked(one) for one, is_odd in zip(names, odd, strict=True) if is_odd][:EXAMPLES],
                do="give each person an id of its own, or export when each row began to hold",
            )
        ]


class _People:
    """Customers in the order of the table, their events, and the first and last instant of these."""

    def __init__(
        self, customers: list[pa.Array], counts: list[np.ndarray], first: list[np.ndarray], last: list[np.ndarray]
    ) -> None:
        self._parts = (customers, counts, first, last)

    def add(self, piece: pa.Table) -> None:
        """Take the customers of a piece of EVENTS, which begins with the one that the last piece ended with, or not."""
        if not piece.num_rows:
            return
        ids = piece["customer_id"].combine_chunks()
        changes = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
        starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
        ends = np.append(starts[1:], piece.num_rows)
        at = piece["occurred_at"].cast(pa.int64()).to_numpy()
        for part, new in zip(
            self._parts, (ids.take(pa.array(starts)), ends - starts, at[starts], at[ends - 1]), strict=True
        ):
            part.append(new)

    def arrays(self) -> tuple[pa.Array, np.ndarray, np.ndarray, np.ndarray]:
        """Each customer once."""
        customers, counts, first, last = self._parts
        if not customers:
            nothing = np.zeros(0, dtype=np.int64)
            return pa.array([], pa.string()), nothing, nothing, nothing
        ids = pa.concat_arrays(customers)
        numbers, begin, end = (np.concatenate(part) for part in (counts, first, last))
        starts = np.concatenate(
            [[0], np.flatnonzero(pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)) + 1]
        )
        stops = np.append(starts[1:], len(ids))
        return ids.take(pa.array(starts)), np.add.reduceat(numbers, starts), begin[starts], end[stops - 1]


def _alike(customers: pa.Array) -> list[str]:
    """Ids that differ only by case, width or blanks inside, which people take for one."""
    if not len(customers):
        return []
    folded = pc.utf8_lower(pc.replace_substring(customers, " ", ""))
    foreign = pc.invert(pc.string_is_ascii(customers)).to_numpy(zero_copy_only=False)
    if foreign.any():
        names = [_folded(one) for one in customers.filter(pa.array(foreign)).to_pylist()]
        folded = pc.replace_with_mask(folded, pa.array(foreign), pa.array(names, pa.string()))
    codes = folded.dictionary_encode().indices.to_numpy()
    many = np.bincount(codes)
    if many.max() < 2:
        return []
    alike = many[codes] > 1
    examples = [masked(one) for one in customers.filter(pa.array(alike)).to_pylist()[:EXAMPLES]]
    return [
        message(
            "ids of customers differ only by case, full-width letters or blanks, and count as different customers",
            many=f"{int(alike.sum()):,} ids of {len(customers):,}, {int((many > 1).sum()):,} if they were one",
            such_as=examples,
            do="mend the export; where only the case differs, declare `customer_id: {column: …, case: lower}`",
        )
    ]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().replace(" ", "")


def _lists(piece: pa.Table, name: str, other: str) -> tuple[list[Any], list[Any]]:
    """Two columns as Python values; instants as microseconds."""
    columns = [piece[column] for column in (name, other)]
    plain = [c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c.cast(pa.string()) for c in columns]
    return plain[0].to_pylist(), plain[1].to_pylist()

"""Which row plays which part in each trial of a protocol."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.quality.protocols import PARTS, Protocol
from churn.core.timeline import instants
from churn.words.tables import INSTANT, SPLIT
from churn.words.windows import DAY_US

TEST_SHARE = 0.3
NONE, BETWEEN = "", "embargo"
"""Rows that play no part, and those of the embargo that had matured by the test: learnt from once rounds are found."""


def parts(protocol: Protocol, snapshots: pa.Table, split: pa.Table) -> list[np.ndarray]:
    """Of each trial the part of each row, as texts of shape `(n_snapshots,)`."""
    if protocol.customers_seeds:
        churned = snapshots["churned"].to_numpy().astype(bool)
        return [part for seed in protocol.customers_seeds for part in _of_customers(churned, seed, protocol.folds)]
    as_of, known = instants(snapshots["as_of"]), pc.is_valid(snapshots["churned"]).to_numpy()
    if protocol.days_before is None:
        return [np.where(known, _of_dates(as_of, _usable(split)), NONE)]
    return [np.where(known, _of_dates(as_of, dates), NONE) for dates in _shifted(protocol, split)]


def dated(part: np.ndarray, first_us: int) -> np.ndarray:
    """An as_of of its own for each part, a second apart, since SPLIT knows parts by their as_of.

    Features are there by then.
    """
    places = {name: i for i, name in enumerate(PARTS)}
    return first_us + np.array([places[name] for name in part], np.int64) * 1_000_000


def split_table(as_of: Mapping[str, list[int]], rows: pa.Table, outcome: tuple[int, int]) -> pa.Table:
    """SPLIT with the given dates; `outcome`: microseconds from as_of to the start and the end of the outcome window."""
    pairs = sorted((int(t), part) for part, times in as_of.items() for t in times)
    times = np.array([t for t, _ in pairs])
    of_date = [rows.filter(pc.equal(rows["as_of"].cast(pa.int64()), t)) for t, _ in pairs]
    columns = [
        pa.array(times).cast(INSTANT),
        pa.array([part for _, part in pairs]),
        pa.array(times + outcome[0]).cast(INSTANT),
        pa.array(times + outcome[1]).cast(INSTANT),
        pa.array([r.num_rows for r in of_date], pa.int64()),
        pa.array([pc.sum(r["churned"]).as_py() or 0 for r in of_date], pa.int64()),
    ]
    return SPLIT.check(pa.table(columns, schema=SPLIT.schema))


def outcome(split: pa.Table) -> tuple[int, int]:
    """Microseconds from as_of to the start and the end of the outcome window."""
    as_of, begin, end = (instants(split[name])[0] for name in ("as_of", "outcome_from", "outcome_until"))
    return int(begin - as_of), int(end - as_of)


def _of_customers(churned: np.ndarray, seed: int, folds: int) -> Iterator[np.ndarray]:
    """Parts drawn with the same share of churners in each; of those that are no test a sixth validates, one calibrates.

    Each row is another customer here. The tests are those that scikit-learn draws for the seed from rows
    sorted by customer_id as text, so that others who use it can draw the same customers.
    """
    from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit, train_test_split

    drawn = (
        StratifiedKFold(folds, shuffle=True, random_state=seed)
        if folds
        else StratifiedShuffleSplit(1, test_size=TEST_SHARE, random_state=seed)
    )
    for others, _ in drawn.split(churned, churned):
        part = np.full(len(churned), "test", dtype="<U11")
        train, later = train_test_split(others, test_size=2 / 6, random_state=seed, stratify=churned[others])
        halves = train_test_split(later, test_size=1 / 2, random_state=seed, stratify=churned[later])
        for name, rows in zip(PARTS, (train, *halves), strict=False):
            part[rows] = name
        yield part


def _of_dates(as_of: np.ndarray, dates: Mapping[int, str]) -> np.ndarray:
    """The part of each row by its date."""
    days, places = np.unique(as_of, return_inverse=True)
    return np.array([dates.get(int(day), NONE) for day in days])[places]


def _usable(split: pa.Table) -> dict[int, str]:
    """The dates of the product's split; of its embargo those that had matured by the test."""
    rows = [
        (t, part, end)
        for t, part, end in zip(
            instants(split["as_of"]), split["part"].to_pylist(), instants(split["outcome_until"]), strict=True
        )
    ]
    first = min(t for t, part, _ in rows if part == "test")
    return {int(t): part for t, part, end in rows if part in PARTS or (part == BETWEEN and end <= first)}


def _shifted(protocol: Protocol, split: pa.Table) -> Iterator[dict[int, str]]:
    """The dates that the protocol names, once for each shift."""
    assert protocol.days_before
    (test,), (test_days,) = (
        [int(t) for t, part in zip(instants(split["as_of"]), split["part"].to_pylist(), strict=True) if part == "test"],
        protocol.days_before["test"],
    )
    for shift in protocol.shifts:
        yield {
            test - (days - test_days + shift) * DAY_US: part
            for part, all_days in protocol.days_before.items()
            for days in all_days
        }

"""What really drives the customers of the demo world. Written beside the events; no pipeline reads it."""

import numpy as np
import pyarrow as pa

from churn.core.demo.causes import CAUSE_NAMES, CAUSES, code, cumulated, cumulated_at
from churn.core.demo.customers import Customers
from churn.core.demo.rhythm import END, START, WEEK, WEEKS
from churn.words.tables import INSTANT, Column, Table

TRUTH = Table(
    "truth",
    "one customer of the demo world",
    ("customer_id",),
    (
        Column("customer_id", pa.string(), "customer, as in the events"),
        Column("cause", pa.string(), "why the customer leaves or may leave, a key of CAUSES; none: no trouble so far"),
        Column("reason_groups", pa.list_(pa.string()), "the reason groups that state the cause; empty without one"),
        Column("onset", INSTANT, "when the cause first shows in the events", "no cause"),
        Column("solved_at", INSTANT, "when it is over, or was to be over had the customer stayed", "no cause"),
        Column("base_hazard", pa.float64(), "hazard a week without cause, plan and newness, a rate"),
        Column("offer_hazard_ratio", pa.float64(), "hazard after a retention offer divided by the hazard without one"),
        Column("cancelled_at", INSTANT, "when the customer left for good", "stayed until the end of the observation"),
    ),
)
HAZARD = Table(
    "hazard",
    f"one customer of the demo world and the hazard in each of the {WEEKS} weeks observed",
    ("customer_id",),
    (
        Column("customer_id", pa.string(), "customer, as in the events"),
        Column("hazard", pa.list_(pa.float32(), int(WEEKS)), "rate of leaving a week; also for weeks after leaving"),
    ),
)


def truth(customers: Customers, ids: pa.Array) -> dict[str, pa.Table]:
    """The tables TRUTH and HAZARD of one block of customers."""
    troubled = customers.cause != code("none")
    names = [CAUSE_NAMES[c] for c in customers.cause]
    columns = [
        ids,
        pa.array(names),
        pa.array([list(CAUSES[name].groups) for name in names], pa.list_(pa.string())),
        _instants(START + customers.onset * WEEK, troubled),
        _instants(START + customers.solved * WEEK, troubled),
        pa.array(customers.base_hazard),
        pa.array(customers.offer_hazard_ratio),
        _instants(customers.left_at, customers.left_at < END),
    ]
    hazard = pa.FixedSizeListArray.from_arrays(pa.array(customers.hazard.ravel()), int(WEEKS))
    return {
        "truth": pa.table(columns, schema=TRUTH.schema),
        "hazard": pa.table([ids, hazard], schema=HAZARD.schema),
    }


def churn_probability(hazard: np.ndarray, since: int, until: int, ratio: np.ndarray | float = 1.0) -> np.ndarray:
    """True probability of leaving for good within `[since, until)`, for a customer who is there at `since`.

    Parameters
    ----------
    hazard : np.ndarray
        Column `hazard` of the truth, shape `(n, WEEKS)`.
    since, until : int
        Instants in microseconds since 1970 UTC, within the weeks observed.
    ratio : np.ndarray or float
        1, or `offer_hazard_ratio` for customers who get a retention offer at `since`. Shape `(n,)`.

    Returns
    -------
    np.ndarray
        `1 - exp(-H)`, where H is the hazard summed over the window. Shape `(n,)`.
    """
    total = cumulated(hazard)
    weeks = [np.full(len(hazard), (moment / 1e6 - START) / WEEK) for moment in (since, until)]
    return -np.expm1(-(cumulated_at(total, weeks[1]) - cumulated_at(total, weeks[0])) * ratio)


def _instants(seconds: np.ndarray, known: np.ndarray) -> pa.Array:
    return pa.array(seconds.astype(np.int64) * 1_000_000, pa.int64(), mask=~known).cast(INSTANT)

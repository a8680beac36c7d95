"""The events of the benchmark: customers of very different activity over two years, several roles, some known late."""

import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from churn.words.tables import EVENTS, INSTANT
from churn.words.windows import DAY_US, instant

FROM, DAYS = instant("2023-01-01", "UTC"), 730
UNTIL = FROM + DAYS * DAY_US
EVENTS_A_CUSTOMER = 100
CHUNK_EVENTS = 2_000_000
"""Events at a time: at most some 600 MB."""
PAIRS = (
    ("usage", "used", 0.55),
    ("purchase", "made", 0.20),
    ("purchase", "returned", 0.02),
    ("campaign", "sent", 0.10),
    ("payment", "paid", 0.06),
    ("payment", "failed", 0.01),
    ("contact", "by_customer", 0.03),
    ("complaint", "opened", 0.02),
    ("complaint", "closed", 0.01),
)
"""Role, state and share of the events."""
CHANNELS = ("app", "mail", "phone", "shop", "web")
CATEGORIES = tuple(f"category {i:02}" for i in range(20))


def as_ofs(n: int) -> np.ndarray:
    """`n` monthly dates of prediction in microseconds, the newest at the end of the events, shape `(n,)`."""
    return UNTIL - np.arange(n - 1, -1, -1, dtype=np.int64) * 30 * DAY_US


def events(n_events: int, n_customers: int, seed: int = 7) -> Iterator[pa.Table]:
    """EVENTS in pieces of whole customers, about `n_events` rows in all, sorted as the product sorts them."""
    rng = np.random.default_rng(seed)
    usual = n_events / n_customers
    at_once = max(int(CHUNK_EVENTS / usual), 1)
    for first in range(0, n_customers, at_once):
        yield _piece(rng, first, min(at_once, n_customers - first), usual)


def _piece(rng: np.random.Generator, first: int, n_customers: int, usual: float) -> pa.Table:
    # The gamma distribution mixes Poisson rates into the skew of real customers: one in ten makes four in ten events.
    events_of = 1 + rng.poisson(rng.gamma(0.8, (usual - 1) / 0.8, n_customers))
    customer = np.repeat(np.arange(first, first + n_customers), events_of)
    n = len(customer)
    begins = np.repeat(rng.integers(0, DAYS * 2 // 3, n_customers), events_of)
    ends = np.repeat(np.where(rng.random(n_customers) < 0.3, rng.random(n_customers), 1.0), events_of)
    occurred = FROM + ((begins + rng.random(n) * (DAYS - begins) * ends) * DAY_US).astype(np.int64)
    order = np.lexsort((occurred, customer))
    occurred = occurred[order]
    late = np.where(rng.random(n) < 0.02, rng.exponential(5 * DAY_US, n), 0).astype(np.int64)
    pair = rng.choice(len(PAIRS), n, p=[share for *_, share in PAIRS])
    money = np.isin(pair, [1, 2, 4, 5])
    amount = np.round(np.exp(rng.normal(8, 1, n))).astype(np.int64)
    quantity = 1000 * rng.integers(1, 60, n)
    columns = {
        "customer_id": _texts("c", customer),
        "occurred_at": pa.array(occurred, pa.timestamp("us", tz="UTC")),
        "recorded_at": pa.array(occurred + late, pa.timestamp("us", tz="UTC")),
        "event_type": _codes(pair, [f"{role} {state}" for role, state, _ in PAIRS]),
        "role": _codes(pair, [role for role, *_ in PAIRS]),
        "state": _codes(pair, [state for _, state, _ in PAIRS]),
        "amount_minor": pa.array(amount, mask=~money),
        "discount_minor": pa.array(amount // 10, mask=pair != 1),
        "quantity_milli": pa.array(quantity, mask=pair > 2),
        "channel": _codes(rng.integers(0, len(CHANNELS), n), CHANNELS),
        "category": _codes(rng.integers(0, len(CATEGORIES), n), CATEGORIES),
        "text": pa.nulls(n, pa.string()),
        "event_id": _texts("e", np.arange(n) + np.int64(first) * 1_000_000),
        "superseded_at": pa.nulls(n, INSTANT),
    }
    return pa.table(columns, schema=EVENTS.schema)


def _texts(letter: str, numbers: np.ndarray) -> pa.Array:
    """Texts of one length, so that their order is that of the numbers."""
    return pa.array(np.char.add(letter, np.char.zfill(numbers.astype("U12"), 12)), pa.string())


def _codes(codes: np.ndarray, texts: list[str] | tuple[str, ...]) -> pa.DictionaryArray:
    distinct = list(dict.fromkeys(texts))
    place = np.array([distinct.index(text) for text in texts], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(place[codes]), pa.array(distinct))


def main(n_events: int, n_customers: int, n_as_ofs: int) -> None:
    """Write events and snapshots of a world into `data/` of the working directory."""
    from churn.core.definitions import Definition
    from churn.core.snapshots import COLUMNS, snapshots
    from churn.shell import store

    definition = Definition("inactivity", 0, 28, live_days=90, roles=("usage", "purchase"))
    store.write_batches("events", events(n_events, n_customers))
    dates = as_ofs(n_as_ofs)
    pieces = store.batches("events", COLUMNS)
    made = (snapshots(piece, dates, observed_until=UNTIL, definition=definition) for piece in pieces)
    store.write_batches("snapshots", made)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))

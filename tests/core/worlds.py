"""Small worlds for tests: events as a text table, or drawn at random, as an EVENTS table."""

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from churn.core.definitions import Definition
from churn.core.snapshots import snapshots
from churn.words.tables import ATTRIBUTES, EVENTS, ROLES, SNAPSHOTS, SUPERSEDED
from churn.words.windows import DAY_US

ORDER = ["customer_id", "occurred_at", "recorded_at", "event_id"]


def us(day: str) -> int:
    """Microseconds since 1970 of a UTC date or time."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


def world(text: str) -> pa.Table:
    """EVENTS from a table in words: customer, occurred, role, and where they matter state, amount, recorded and others.

    Columns are separated by two blanks or more; `-` is null. Money and quantities are in units.
    """
    rows = pd.read_csv(io.StringIO(text.strip()), sep=r"\s{2,}", engine="python", dtype=str, na_values="-")
    rows = rows.rename(columns={"customer": "customer_id"})
    frame = pd.DataFrame(index=rows.index)
    frame["customer_id"] = rows["customer_id"]
    frame["occurred_at"] = rows["occurred"].map(us)
    recorded = rows.get("recorded", pd.Series(pd.NA, index=rows.index)).fillna(rows["occurred"])
    frame["recorded_at"] = recorded.map(us)
    frame["role"] = rows["role"]
    frame["state"] = rows.get("state", pd.Series(pd.NA, index=rows.index)).fillna(
        rows["role"].map(lambda r: ROLES[r][0])
    )
    frame["event_type"] = rows["role"]
    for column, unit, scale in (
        ("amount_minor", "amount", 100),
        ("discount_minor", "discount", 100),
        ("quantity_milli", "quantity", 1000),
    ):
        frame[column] = (
            (rows.get(unit, pd.Series(np.nan, index=rows.index)).astype(float) * scale).round().astype("Int64")
        )
    for column in ("channel", "category", "text"):
        frame[column] = rows.get(column, pd.Series(pd.NA, index=rows.index))
    frame["event_id"] = rows.get("id", pd.Series([f"e{i:04d}" for i in range(len(rows))], index=rows.index))
    if "superseded" in rows:
        frame[SUPERSEDED] = [None if pd.isna(day) else us(day) for day in rows["superseded"]]
    return events_table(frame)


def events_table(frame: pd.DataFrame) -> pa.Table:
    """EVENTS, sorted, from a frame whose instants are microseconds."""
    ordered = frame.sort_values(ORDER, kind="stable")
    if SUPERSEDED not in ordered:
        ordered = ordered.assign(**{SUPERSEDED: None})
    columns = []
    for field in EVENTS.schema:
        values = pa.array(ordered[field.name].tolist(), from_pandas=True) if len(ordered) else pa.array([], pa.null())
        if pa.types.is_dictionary(field.type):
            values = values.cast(pa.string()).dictionary_encode().cast(field.type)
        columns.append(
            values.cast(pa.int64()).cast(field.type) if pa.types.is_timestamp(field.type) else values.cast(field.type)
        )
    return pa.table(columns, schema=EVENTS.schema)


def attributes_table(text: str) -> pa.Table:
    """ATTRIBUTES from a table in words, columns separated by two blanks or more."""
    rows = pd.read_csv(io.StringIO(text.strip()), sep=r"\s{2,}", engine="python", dtype=str)
    columns = [
        pa.array([us(v) for v in rows[f.name]], pa.int64()).cast(f.type)
        if pa.types.is_timestamp(f.type)
        else pa.array(rows[f.name].tolist(), f.type)
        for f in ATTRIBUTES.schema
    ]
    return pa.table(columns, schema=ATTRIBUTES.schema)


def random_events(
    seed: int,
    *,
    customers: int = 3,
    most: int = 40,
    days: int = 500,
    start: str = "2023-01-01",
    corrections: bool = False,
) -> pd.DataFrame:
    """Events drawn at random: every role and state, ties, events at midnight, late records, nulls, and corrections."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        for _ in range(int(rng.integers(1, most))):
            role = str(rng.choice(list(ROLES)))
            moment = us(start) + int(rng.integers(0, days)) * DAY_US
            if rng.random() < 0.8:
                moment += int(rng.integers(0, DAY_US))
            late = int(rng.choice([0, 1, 5, 40]) * DAY_US * rng.random()) if rng.random() < 0.3 else 0
            rows.append(
                {
                    "customer_id": f"c{customer}",
                    "occurred_at": moment,
                    "recorded_at": moment + late,
                    "role": role,
                    "state": str(rng.choice(ROLES[role])),
                    "event_type": role,
                    "amount_minor": None if rng.random() < 0.2 else int(rng.integers(-500, 20000)),
                    "discount_minor": None if rng.random() < 0.5 else int(rng.integers(0, 2000)),
                    "quantity_milli": None if rng.random() < 0.2 else int(rng.integers(0, 10000)),
                    "channel": None if rng.random() < 0.2 else str(rng.choice(["web", "shop", "app"])),
                    "category": None if rng.random() < 0.2 else str(rng.choice(["a", "b", "c", "d"])),
                    "text": None,
                    "event_id": f"e{len(rows):05d}",
                }
            )
    return _with_corrections(pd.DataFrame(rows), rng) if corrections else pd.DataFrame(rows)


def _with_corrections(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Some events get a second version, recorded later, that says something else; until then the first is in force."""
    wrong = rng.random(len(frame)) < 0.15
    later = frame[wrong].copy()
    later["recorded_at"] += rng.integers(1, 30 * DAY_US, len(later))
    later["amount_minor"] = rng.integers(0, 90000, len(later))
    later["occurred_at"] -= np.where(rng.random(len(later)) < 0.5, rng.integers(0, 60 * DAY_US, len(later)), 0)
    frame = frame.assign(**{SUPERSEDED: pd.Series(pd.NA, index=frame.index, dtype="Int64")})
    frame.loc[wrong, SUPERSEDED] = later["recorded_at"]
    return pd.concat([frame, later], ignore_index=True)


def snapshots_at(events: pa.Table, as_ofs: list[int]) -> pa.Table:
    """SNAPSHOTS of every customer at every date, outcome unknown."""
    customers = sorted(set(events["customer_id"].to_pylist()))
    pairs = [(c, a) for c in customers for a in sorted(as_ofs)]
    return pa.table(
        [
            pa.array([c for c, _ in pairs], pa.string()),
            pa.array([a for _, a in pairs], pa.int64()).cast(SNAPSHOTS.schema.field("as_of").type),
            pa.nulls(len(pairs), pa.bool_()),
        ],
        schema=SNAPSHOTS.schema,
    )


def outcome(text: str, definition: Definition, as_of: str, until: str = "2026-01-01") -> dict[str, bool | None]:
    """customer → churned, of those of a world in words who are live at a date."""
    found = snapshots(world(text), np.array([us(as_of)]), observed_until=us(until), definition=definition)
    SNAPSHOTS.check(found)
    return dict(zip(found["customer_id"].to_pylist(), found["churned"].to_pylist(), strict=True))


def same_bytes(one: pa.Table, other: pa.Table) -> bool:
    """Whether two tables hold the same bits, NaN included, which no comparison of values can tell."""
    return one.column_names == other.column_names and all(
        _bits(a) == _bits(b) for a, b in zip(one.columns, other.columns, strict=True)
    )


def _bits(column: pa.ChunkedArray) -> object:
    if pa.types.is_floating(column.type):
        return column.to_numpy().tobytes()
    return column.to_pylist()


NO_ATTRIBUTES = ATTRIBUTES.schema.empty_table()

"""The path of one customer, from events to the place on the list, read from the stored tables."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

N_EVENTS = 10
"""Events that a reader takes in on one screen."""
N_NEAR = 3
NEIGHBOURS = 2_000
"""Ids, in sorted order around the one asked for, among which similar ones are looked for: comparing all is too slow."""


def explained(customer: str, as_of: str, language: str) -> dict[str, Any]:
    """The whole path of one customer, ready for JSON.

    Raises
    ------
    UsageFault
        For a customer or a date that the tables do not hold, with what they hold instead.
    """
    from churn.core.dataset import dataset
    from churn.shell import config

    data = config.value("data", dataset)
    snapshots = _rows_of("features", customer)
    row = _at(snapshots, customer, as_of, data.time_zone)
    moment = row["as_of"][0].as_py()
    parts, score = _score_of(customer, row, moment)
    words = _words(data, language)
    contributions = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    margin = score["base"] + sum(parts.values())
    return {
        "customer_id": customer,
        "as_of": _local(moment, data.time_zone),
        "currency": data.currency,
        "events": _events(customer, moment, data.time_zone),
        "features": [
            {"name": name, "words": words.get(name, name), "value": _known(row[name][0].as_py()), "contribution": value}
            for name, value in contributions
        ],
        "reasons": _reasons(customer, moment, language),
        "base": score["base"],
        "margin": margin,
        "score": score["score"],
        "list": _place(customer, moment),
    }


def _pieces_of(name: str, customer: str, columns: list[str] | None) -> Iterator["pa.Table"]:
    """The customer's rows of a table that is sorted by customer; the first piece, perhaps empty, gives the columns."""
    import pyarrow.compute as pc

    from churn.shell.store import batches

    for number, piece in enumerate(batches(name, columns, rows=100_000)):
        mine = piece.filter(pc.equal(piece["customer_id"], customer))
        if len(mine) or number == 0:
            yield mine
        if piece["customer_id"][-1].as_py() > customer:
            return


def _rows_of(name: str, customer: str, columns: list[str] | None = None) -> "pa.Table":
    import pyarrow as pa

    return pa.concat_tables(_pieces_of(name, customer, columns), promote_options="permissive")


def _at(snapshots: "pa.Table", customer: str, as_of: str, time_zone: str) -> "pa.Table":
    """The customer's row of the table features at the date asked for, or at the newest."""
    from churn.words.errors import UsageFault

    if not len(snapshots):
        raise UsageFault(_nobody(customer))
    there = {_local(moment, time_zone): number for number, moment in enumerate(snapshots["as_of"].to_pylist())}
    if not as_of:
        newest = max(there.values())
        _check_newest(customer, snapshots["as_of"][newest].as_py(), time_zone)
        return snapshots.slice(newest, 1)
    if as_of not in there:
        raise UsageFault(f"customer {customer} has no features at {as_of}; there are some at {', '.join(there)}")
    return snapshots.slice(there[as_of], 1)


def _check_newest(customer: str, moment: datetime, time_zone: str) -> None:
    """Without a date, the customer must be among those who are scored; who left long ago has only old snapshots."""
    from churn.words.errors import UsageFault

    if not len(_rows_of("scores", customer)):
        last = _local(moment, time_zone)
        raise UsageFault(
            f"customer {customer} is not on the list: not eligible at its as_of. The newest snapshot is of {last}; "
            f"run `churn why {customer} --as-of {last}`"
        )


def _nobody(customer: str) -> str:
    """What to say of a customer without features: never eligible, or unknown, with the ids that look alike."""
    from bisect import bisect_left
    from difflib import get_close_matches

    import pyarrow.compute as pc

    from churn.shell.store import read

    if n_events := len(_rows_of("events", customer, ["role"])):
        return f"customer {customer} has {n_events:,} events but was not eligible at any as_of, so has no features"
    ids = sorted(pc.unique(read("scores", ["customer_id"])["customer_id"]).to_pylist())
    plain = customer.strip().lstrip("0").casefold()
    same = [other for other in ids if other.lstrip("0").casefold() == plain]
    place = bisect_left(ids, customer)
    alike = get_close_matches(customer, ids[max(0, place - NEIGHBOURS) : place + NEIGHBOURS], n=N_NEAR)
    near = list(dict.fromkeys([*same, *alike]))[:N_NEAR]
    hint = f"did you mean {', '.join(near)}?" if near else f"ids look like {', '.join(ids[:N_NEAR])}"
    return f"there is no customer {customer!r} among {len(ids):,}; {hint}"


def _score_of(customer: str, row: "pa.Table", moment: datetime) -> tuple[dict[str, float], dict[str, float]]:
    """Contributions by feature, and base and score: as stored for the newest as_of, from the model for another."""
    stored = _rows_of("contributions", customer)
    stored = (
        stored.slice(stored["as_of"].to_pylist().index(moment), 1) if moment in stored["as_of"].to_pylist() else None
    )
    if stored is not None:
        scores = {s["as_of"]: s for s in _rows_of("scores", customer).to_pylist()}
        values = stored.to_pylist()[0]
        parts = {name: value for name, value in values.items() if name not in {"customer_id", "as_of", "base"}}
        return parts, {"base": values["base"], "score": scores[moment]["score"]}
    from churn.core import model as door
    from churn.core.promotion import in_use
    from churn.shell.store import PATHS, read_json, read_texts

    model = door.read(read_texts(PATHS[in_use(read_json(PATHS["evaluation"]))]))
    *parts_of, base = (float(value) for value in door.contributions(model, row)[0])
    score = float(door.score(model, door.margins(model, row))[0])
    return dict(zip(model.features, parts_of, strict=True)), {"base": base, "score": score}


def _events(customer: str, moment: datetime, time_zone: str) -> dict[str, Any]:
    """How many events were known at the moment, and the newest of them."""
    import pyarrow.compute as pc

    from churn.words.tables import MINOR_PER_UNIT

    columns = ["occurred_at", "recorded_at", "event_type", "role", "state", "amount_minor"]
    events = _rows_of("events", customer, columns)
    known = events.filter(pc.less(events["recorded_at"], moment))
    newest = known.slice(max(0, len(known) - N_EVENTS)).to_pylist()[::-1]
    told = [
        {
            "at": _local(event["occurred_at"], time_zone, seconds=True),
            "recorded_at": _local(event["recorded_at"], time_zone, seconds=True),
            "event_type": event["event_type"],
            "role": event["role"],
            "state": event["state"],
            "amount": None if event["amount_minor"] is None else event["amount_minor"] / MINOR_PER_UNIT,
        }
        for event in newest
    ]
    return {"known": len(known), "newest": told}


def _reasons(customer: str, moment: datetime, language: str) -> dict[str, list[dict[str, Any]]]:
    """The stored sentences of this as_of, by direction, the weightiest first."""
    rows = [row for row in _rows_of("reasons", customer).to_pylist() if row["as_of"] == moment]
    return {
        direction: [
            {"group": row["group"], "contribution": row["contribution"], "sentence": row[language]}
            for row in sorted(rows, key=lambda row: row["position"])
            if row["direction"] == direction
        ]
        for direction in ("leaving", "staying")
    }


def _place(customer: str, moment: datetime) -> dict[str, Any]:
    """Where the customer stands on the list of this as_of; empty for another as_of."""
    from pathlib import Path

    import pyarrow.compute as pc

    from churn.shell.delivery import listed
    from churn.shell.store import PATHS

    columns = ["rank", "customer_id", "percentile", "expected_value", "value_at_risk", "currency", "as_of"]
    rows = listed(Path(PATHS["risk_list"]), columns)
    mine = rows.filter(pc.equal(rows["customer_id"], customer)).to_pylist()
    if not mine or mine[0].pop("as_of") != moment:
        return {}
    return mine[0] | {"of": len(rows)}


def _words(data: Any, language: str) -> dict[str, str]:
    """Feature → its words, with what this data set calls its events."""
    from churn.core.features import catalogue, windows
    from churn.shell import config

    every = catalogue(config.value("features", windows))
    return {feature.name: feature.words(language, data.nouns) for feature in every}


def _local(moment: datetime, time_zone: str, *, seconds: bool = False) -> str:
    """The moment in local time: its date, or also its time."""
    from zoneinfo import ZoneInfo

    there = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(ZoneInfo(time_zone))
    return there.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d")


def _known(value: float | str | None) -> float | str | None:
    """The value, or None for NaN, which JSON does not know."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN is not itself

"""Reconciliation: every row that was read is accounted for, and no source lost more rows than it may."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from churn.core.dataset.shapes import Attributes, Dataset, Source
from churn.core.events.findings import findings
from churn.core.events.hints import hint
from churn.words.errors import ContractFault, Fault, NotEnoughData, UsageFault, message
from churn.words.quarantine import LEFT_OUT, in_words
from churn.words.windows import local_date

QUARANTINE_PATH = "data/quarantine.parquet"
_ADDED = ("rows", "kept", "duplicates", "quarantined", "out_of_window", "events")
_KEPT_AS_TALLIES = ("days", "sizes", "unused", "looks_like")
"""Counts that findings are made of, and that nobody wants to read one by one."""
ENOUGH = 200
"""Rejected rows from which a hint is taken: among as many dates, some day is beyond the 12th."""
_FAR_DAYS = 366
"""`observed_until` this long after the last event is no date of this data set. Shorter silences are found as gaps."""


class Row(NamedTuple):
    """A rejected row, for a message."""

    file: str
    line: int | None
    column: str | None
    raw: str

    @property
    def place(self) -> str:
        """`orders.csv:77`."""
        return f"{self.file}:{self.line}"


Shown = dict[tuple[str, str], list[Row]]
"""Source and reason → the first rows that were rejected for it."""


def shown_of(pieces: Iterable[pa.Table], shown: Shown) -> Iterator[pa.Table]:
    """The same pieces of QUARANTINE; the first rows of each source and reason are put into `shown` as they pass."""
    for piece in pieces:
        for name, reason in {(n, r) for n, r in zip(*_texts(piece, "source", "reason"), strict=True)}:
            rows = shown.setdefault((name, reason), [])
            if len(rows) < ENOUGH:
                rows += _rows(piece, name, reason)[: ENOUGH - len(rows)]
        yield piece


def reconciliation(
    dataset: Dataset, counts: dict[str, dict[str, Any]], shown: Mapping[tuple[str, str], list[Row]] | None = None
) -> dict[str, Any]:
    """What became of the rows of each source and of all: `rows = kept + duplicates + quarantined + out_of_window`.

    Parameters
    ----------
    dataset : Dataset
        The declaration, with the limits of each source.
    counts : dict
        Source → rows, kept, duplicates, conflicts, quarantined (reason → rows), out_of_window, events, and marks.
    shown : mapping, optional
        The first rejected rows of each source and reason, for messages.

    Returns
    -------
    dict
        `sources` (as given, without what only findings are made of), `total`, and `warnings` and `notes`, which are
        sentences: warnings want somebody to look, notes say what was done.

    Raises
    ------
    Fault
        If rows were lost: a bug of ours (exit 1).
    ContractFault
        If more rows were rejected than the source allows (exit 4).
    NotEnoughData
        If there is no event at all (exit 5).
    UsageFault, StaleFault, DriftFault
        If `observed_until` is no date of the data, days are missing, or a unit changed (exit 2, 11, 7).
    """
    declared: dict[str, Source | Attributes] = {**dataset.sources, **dataset.attributes}
    warnings = []
    for name, count in counts.items():
        _check_sum(name, count)
        warnings += _check_limits(name, count, declared[name], shown or {})
    total = {key: sum(_n(count, key) for count in counts.values()) for key in _ADDED}
    _check_any(dataset, counts, total)
    for name, count in counts.items():
        if not count["rows"]:
            warnings.append(f"source {name} has no row; if that is right, nothing is to be done")
    found = findings(dataset, counts)
    plain = {n: {k: v for k, v in c.items() if k not in _KEPT_AS_TALLIES} | found.about[n] for n, c in counts.items()}
    return {"sources": plain, "total": total, "warnings": warnings + found.warnings, "notes": found.notes}


def _check_sum(name: str, count: dict[str, Any]) -> None:
    parts = {key: _n(count, key) for key in ("kept", "duplicates", "quarantined", "out_of_window")}
    if count["rows"] != sum(parts.values()):
        said = " + ".join(f"{n} {key}" for key, n in parts.items())
        raise Fault(f"source {name}: {count['rows']} rows were read, but {said} = {sum(parts.values())}; this is a bug")


def _check_any(dataset: Dataset, counts: dict[str, dict[str, Any]], total: dict[str, int]) -> None:
    """There are events, and the newest date of prediction lies among them."""
    since, until = (local_date(us, dataset.time_zone) for us in (dataset.observed_from, dataset.observed_until))
    days = sorted(day for name in dataset.sources for day in counts.get(name, {}).get("days", {}))
    if days and (until <= days[0] or _days_between(days[-1], until) > _FAR_DAYS):
        raise UsageFault(
            message(
                f"the newest as_of, {until}, lies {'before the first' if until <= days[0] else 'long after the last'} "
                f"event",
                where="data.observed_until",
                many=f"events lie between {days[0]} and {days[-1]}",
                do="set data.observed_until in conf/data/ to a date in that range, the day after the last complete "
                "one, then run `churn config compose`",
            )
        )
    if not total["events"]:
        raise NotEnoughData(
            message(
                f"no event is left of {total['rows']:,} rows",
                where=f"sources {', '.join(dataset.sources)}",
                many=f"{total['out_of_window']:,} out of the window, {total['quarantined']:,} in quarantine; looked "
                f"for events from {since} to before {until}",
                do="check the files, and the window in conf/data/",
            )
        )


def _days_between(first: str, second: str) -> int:
    from datetime import date

    return (date.fromisoformat(second) - date.fromisoformat(first)).days


def _check_limits(
    name: str, count: dict[str, Any], source: Source | Attributes, shown: Mapping[tuple[str, str], list[Row]]
) -> list[str]:
    """Warnings of one source; its limits are exceeded by raising."""
    rows = count["rows"]
    for rule, out in (source.leave_out or {}).items():
        n = count["quarantined"].get(LEFT_OUT + rule, 0)
        if n > out.most * rows:
            raise ContractFault(
                message(
                    f"more rows are left out as {rule} than conf/data/ allows",
                    where=f"source {name}",
                    many=f"{n:,} of {rows:,} rows ({n / rows:.1%}), {out.most:.1%} are allowed",
                    kept_in=QUARANTINE_PATH,
                    do=f"look into them; raise leave_out.{rule}.most if that is right",
                )
            )
    bad = {reason: n for reason, n in count["quarantined"].items() if not reason.startswith(LEFT_OUT)}
    n = sum(bad.values())
    if n <= source.quarantine_warn * rows:
        return []
    reasons = sorted(bad, key=lambda reason: (-bad[reason], reason))
    examples = [row for reason in reasons for row in shown.get((name, reason), [])]
    what = ", ".join(f"{in_words(reason)['en']}: {bad[reason]:,}" for reason in reasons)
    hints = [_hint(name, reason, shown, count) for reason in reasons]
    stops = n > source.quarantine_stop * rows
    todo = "mend the files or the declaration in conf/data/, or declare the rows under leave_out; then `churn run`"
    said = message(
        f"rows break the data contract ({what})",
        where=", ".join([f"source {name}", *_place(examples)]),
        many=f"{n:,} of {rows:,} rows ({n / rows:.2%})" + f", {source.quarantine_stop:.2%} are allowed" * stops,
        such_as=[row.place for row in examples],
        kept_in=f"{QUARANTINE_PATH} as {', '.join(reasons)}",
        do="; ".join([*filter(None, hints), *([todo] if stops else [])]),
    )
    if stops:
        raise ContractFault(said)
    return [said]


def _place(examples: list[Row]) -> list[str]:
    if not examples:
        return []
    return [examples[0].place, *([f"column {examples[0].column}"] if examples[0].column else [])]


def _hint(name: str, reason: str, shown: Mapping[tuple[str, str], list[Row]], count: dict[str, Any]) -> str:
    rows = shown.get((name, reason), [])
    column = rows[0].column if rows else None
    return hint(reason, column, [row.raw for row in rows if row.column == column], count.get("looks_like", {}))


def _texts(piece: pa.Table, *names: str) -> list[list[str]]:
    return [piece[name].to_pylist() for name in names]


def _rows(piece: pa.Table, name: str, reason: str) -> list[Row]:
    """The first rows of a source and a reason."""
    import pyarrow.compute as pc

    mine = piece.filter(pc.and_(pc.equal(piece["source"], name), pc.equal(piece["reason"], reason)))
    texts = [mine.slice(0, ENOUGH)[column].to_pylist() for column in ("file", "line", "column", "raw")]
    return [Row(*values) for values in zip(*texts, strict=True)]


def _n(count: dict[str, Any], key: str) -> int:
    value = count.get(key, 0)
    return sum(value.values()) if isinstance(value, dict) else value

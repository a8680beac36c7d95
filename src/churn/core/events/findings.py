"""Findings: what the counts of the sources say about the delivery beyond single rows."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from churn.core.dataset.shapes import Attributes, Dataset, Source, time_of
from churn.core.events.gaps import Gap, gaps
from churn.core.events.hints import encoding_hint
from churn.core.events.units import Jump, jumps, newest
from churn.words.errors import EXAMPLES, ContractFault, DriftFault, StaleFault, masked, message
from churn.words.tables import MILLI_PER_UNIT, MINOR_PER_UNIT
from churn.words.windows import local_date

PER_UNIT = {"amount": MINOR_PER_UNIT, "discount": MINOR_PER_UNIT, "quantity": MILLI_PER_UNIT}
"""Number → parts of its unit."""
PERSONAL = ("email", "mail", "phone", "mobile", "birth", "ssn", "passport", "iban", "address", "street", "surname",
            "firstname", "lastname", "fullname", "邮箱", "手机", "电话", "姓名", "身份证", "地址", "生日")  # fmt: skip
"""Parts of names of columns that hold personal data in most companies."""


class Findings(NamedTuple):
    """Sentences, and what reports/events.json says of each source."""

    warnings: list[str]
    notes: list[str]
    about: dict[str, dict[str, Any]]


def findings(dataset: Dataset, counts: Mapping[str, dict[str, Any]]) -> Findings:
    """What the counts say, once nothing in them stops the run.

    Raises
    ------
    ContractFault
        Times with and without a zone stand in one column, or a customer has two values at once (exit 4).
    DriftFault
        A number changed its unit (exit 7).
    StaleFault
        Days are missing (exit 11).
    """
    warnings: list[str] = []
    notes = [f"times without a zone are taken as {dataset.time_zone}, where days begin"]
    about: dict[str, dict[str, Any]] = {}
    for name, count in counts.items():
        source = dataset.sources.get(name)
        declared = source or dataset.attributes[name]
        _check_zones(name, declared, count)
        _check_one_value(name, count)
        about[name] = {}
        if source:
            days = sorted(count.get("days", {})) or [None]
            about[name] = {"first_day": days[0], "last_day": days[-1]}
            about[name] |= {"gaps": _gaps(dataset, name, source, count, warnings)}
            about[name] |= {"medians": _medians(dataset, name, count)}
        warnings += _warnings(name, count)
        notes += _notes(name, source, count)
    return Findings(warnings, notes, about)


def _check_zones(name: str, source: Source | Attributes, count: Mapping[str, Any]) -> None:
    time = time_of(source.occurred_at if isinstance(source, Source) else source.valid_from)
    with_zone, without = count.get("with_zone", 0), count.get("without_zone", 0)
    if with_zone and without and not time.time_zone:
        raise ContractFault(
            message(
                "times with and without a zone stand in one column",
                where=f"source {name}, column {time.column}",
                many=f"{with_zone:,} rows with a zone, {without:,} without",
                do=f"declare the zone of those without: `{{column: {time.column}, time_zone: Europe/Berlin}}`, or mend "
                f"the export",
            )
        )


def _check_one_value(name: str, count: Mapping[str, Any]) -> None:
    found = count.get("contradictions", {})
    if found.get("customers"):
        raise ContractFault(
            message(
                "customers stand in it more than once with different values from the same time on",
                where=f"attributes {name}",
                many=f"{found['customers']:,} of {found['of']:,} customers",
                such_as=[masked(one) for one in found["examples"]],
                do="keep one row a customer and time, or declare when each row was recorded (recorded_at)",
            )
        )


def _gaps(
    dataset: Dataset, name: str, source: Source, count: Mapping[str, Any], warnings: list[str]
) -> list[dict[str, Any]]:
    """The gaps of a source as the report lists them; the old ones are added to the warnings."""
    since, until = (
        date.fromisoformat(local_date(us, dataset.time_zone)) for us in (dataset.observed_from, dataset.observed_until)
    )
    found = gaps(count.get("days", {}), since=since, until=until, none_on=source.no_events_on)
    days = sum((gap.last - gap.first).days + 1 for gap in found)
    said = message(
        "days without any event, which looks like a delivery that is incomplete",
        where=f"source {name}",
        many=f"{days} of {(until - since).days} days: {_listed(found)}; about {_usual(found):,.0f} rows are usual",
        do="deliver these days; if there was nothing on them, say so with `no_events_on` of the source in conf/data/",
    )
    if any(gap.stops for gap in found):
        raise StaleFault(said)
    if found:
        warnings.append(said)
    return [{"first": str(gap.first), "last": str(gap.last), "usual": round(gap.usual, 1)} for gap in found]


def _listed(found: list[Gap]) -> str:
    """The newest gaps first: they matter most."""
    shown = [str(gap) for gap in found[::-1][:EXAMPLES]]
    return ", ".join(shown) + (f" and {len(found) - EXAMPLES} more" if len(found) > EXAMPLES else "")


def _usual(found: list[Gap]) -> float:
    return sum(gap.usual for gap in found) / len(found) if found else 0.0


def _medians(dataset: Dataset, name: str, count: Mapping[str, Any]) -> dict[str, float]:
    """Median of each number of a source, once none of them changed its unit."""
    kinds = [kind for kind, _, _ in dataset.kinds]
    sizes = count.get("sizes", {})
    jump = next(jumps(sizes, kinds, PER_UNIT), None)
    if jump:
        raise DriftFault(unit_message(name, jump, f"from the week of {jump.day} on"))
    return newest(sizes, kinds, PER_UNIT)


def unit_message(name: str, jump: Jump, since: str) -> str:
    """That a number changed its unit."""
    return message(
        f"the {jump.number} of {jump.kind} is about {_factor(jump.factor)} what it was: was the unit changed, as from "
        f"dollars to cents?",
        where=f"source {name}, {since}",
        many=f"median {jump.after:,.2f} against {jump.before:,.2f} before",
        do="export one unit throughout; if the change is true, begin data.observed_from in conf/data/ after it",
    )


def _factor(factor: float) -> str:
    """A factor as people say it; medians are known by classes, so hundredths near 100 are 100."""
    times = max(factor, 1 / factor)
    times = 100 if 80 <= times <= 125 else times
    return f"{times:.0f} times" if factor > 1 else f"1/{times:.0f} of"


def _warnings(name: str, count: Mapping[str, Any]) -> list[str]:
    said = []
    conflicts = count.get("conflicts", 0)
    if conflicts:
        said.append(
            message(
                "rows with the event_id of another row say something else; of each, the latest recorded stands",
                where=f"source {name}",
                many=f"{conflicts:,} of {count['rows']:,} rows",
                such_as=[f"event_id {masked(one)}" for one in count.get("conflict_ids", [])],
                do="reports/events.json lists the ids; is event_id one row each?",
            )
        )
    personal = [c for c in count.get("unused", {}) if any(word in _plain(c) for word in PERSONAL)]
    if personal:
        said.append(
            message(
                "columns that look like personal data are delivered and not used",
                where=f"source {name}, {', '.join(sorted(personal)[:EXAMPLES])}",
                do="leave them out of the export",
            )
        )
    return said


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")


def _notes(name: str, source: Source | None, count: Mapping[str, Any]) -> list[str]:
    said, rows = [], count["rows"]
    for file, other in sorted(count.get("skipped_files", {}).items()):
        said.append(f"source {name}: {file} has the same content as {other} and was skipped")
    unused = sorted(count.get("unused", {}))
    if unused:
        more = f" and {len(unused) - EXAMPLES} more" if len(unused) > EXAMPLES else ""
        said.append(f"source {name}: {len(unused)} columns are not used: {', '.join(unused[:EXAMPLES])}{more}")
    if source and not source.event_id:
        rule = "are separate events" if source.equal_rows == "separate" else "count as one event"
        said.append(f"source {name} has no event_id: equal rows {rule}")
    moved = {
        "dst_gap": "of {rows:,} times fall into an hour that a clock change skipped; moved to its end",
        "dst_overlap": "of {rows:,} times fall into an hour that a clock change shows twice; the first was taken",
        "clock_skew": "of {rows:,} rows were recorded before they occurred, within the tolerance for clocks",
        "late": "of {rows:,} rows were recorded more than a day later than they occurred; features see them from then",
    }
    said += [f"source {name}: {count[k]:,} {words.format(rows=rows)}" for k, words in moved.items() if count.get(k)]
    control = count.get("quarantined", {}).get("customer_id_control_character", 0)
    if control:
        said.append(f"source {name}: {control:,} of {rows:,} rows have a control character in the customer's id")
    if count.get("looks_like"):
        said.append(f"source {name}: lines are not UTF-8; {encoding_hint(count['looks_like'])}")
    return said

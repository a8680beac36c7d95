"""What a declaration must be for the data set to make sense; every fault names its key."""

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from churn.core.dataset.formats import COUNTED_DAYS, ENCODINGS, EPOCH_MS, EPOCH_S, EPOCH_US, ISO, TIME_PARTS
from churn.core.dataset.shapes import Attributes, Lookup, Number, Source, Time, When, number_of, state_of, time_of
from churn.words.errors import ConfigFault, ContractFault, message
from churn.words.tables import ROLES

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
VALID_UNTIL = "valid_until"
OUTCOMES = {
    "churn",
    "churned",
    "churnflag",
    "churnlabel",
    "ischurn",
    "ischurned",
    "haschurned",
    "attrition",
    "attrited",
    "label",
    "target",
}
"""What the outcome is called in other people's tables, without blanks and underlines, in small letters. Today's outcome
beside a customer of the past is the purest of leaks."""


def check_source(key: str, source: Source) -> None:
    """A source of events is sound."""
    check_file(key, source, "occurred_at", time_of(source.occurred_at))
    for name, kind in source.event_types.items():
        one_of(f"{key}.event_types.{name}.role", kind.role, tuple(ROLES))
        one_of(f"{key}.event_types.{name}.state", state_of(kind), ROLES[kind.role])
        for rule in kind.when:
            _check_when(f"{key}.event_types.{name}.when", rule)
    without = [name for name, kind in source.event_types.items() if not kind.when]
    if source.event_type and len(without) < len(source.event_types):
        raise ConfigFault(f"{key}.event_type names a column, so the types in {key}.event_types cannot have a `when`")
    if not source.event_type and len(without) > 1:
        raise ConfigFault(f"{key}: {', '.join(without)} all apply to every row; give all but one of them a `when`")
    _check_numbers(key, source)
    check_days(key, source.no_events_on)
    if source.merge_by and source.text:
        raise ConfigFault(f"{key} has `merge_by` and `text`: merged lines have no words of their own; drop one of them")
    if source.equal_rows == "separate" and source.event_id:
        raise ConfigFault(
            f"{key}: with `event_id`, equal rows are one event; drop `equal_rows: separate` or `event_id`"
        )


def use_unit(sources: Mapping[str, Source]) -> str:
    """The unit of the quantities of use, which features add up; empty unless every source of them declares it.

    Raises
    ------
    ConfigFault
        If two sources declare different units.
    """
    units = {
        name: number_of(source.quantity).unit
        for name, source in sources.items()
        if source.quantity and _is_used(source)
    }
    first = next((name for name in units if units[name]), "")
    for name, unit in units.items():
        if unit and unit != units[first]:
            raise ConfigFault(
                f"data.sources.{name}.quantity.unit is {unit!r}, but that of {first} is {units[first]!r}: quantities "
                f"of use are added up, so they need one unit; bring one to the other's with divided_by, or leave it out"
            )
    return next(iter(units.values())) if len(set(units.values())) == 1 else ""


def _is_used(source: Source) -> bool:
    return any(kind.role == "usage" for kind in source.event_types.values())


def check_file(key: str, source: Source | Attributes, field: str, time: Time) -> None:
    """What sources and attributes have in common."""
    _check_time(f"{key}.{field}", time)
    if source.recorded_at:
        _check_time(f"{key}.recorded_at", time_of(source.recorded_at))
    for name, out in (source.leave_out or {}).items():
        for rule in out.when:
            _check_when(f"{key}.leave_out.{name}.when", rule)
    _check_place(key, source)
    _check_numerals(key, source)
    for inner, there in (source.lookups or {}).items():
        _check_place(f"{key}.lookups.{inner}", there)
    if isinstance(source, Attributes):
        _check_names(key, source)
    names = tuple(source.lookups or {})
    for column in source.reads:
        lookup, dot, _ = column.partition(".")
        if dot and names and lookup not in names:
            raise ConfigFault(f"{key} uses {column}, but its lookups are {', '.join(names)}")


def _check_place(key: str, place: Source | Attributes | Lookup) -> None:
    """Where the rows are, and how their file is written."""
    if len(place.delimiter) != 1:
        raise ConfigFault(f"{key}.delimiter must be one character, got {place.delimiter!r}")
    if len(set(place.header)) < len(place.header) or "" in place.header:
        raise ConfigFault(f"{key}.header must name every column of the file once, from left to right")
    one_of(f"{key}.encoding", place.encoding, ENCODINGS)


def _check_numerals(key: str, source: Source | Attributes) -> None:
    """Thousands and decimals can be told apart, and a currency sign is no part of a number."""
    if source.thousands == source.decimal:
        raise ConfigFault(f"{key}.thousands is {source.thousands!r}, and so is the decimal mark; they must differ")
    for sign in source.currency_signs:
        if not sign.strip() or re.search(r"[\d()+,-]", sign):
            raise ConfigFault(
                f"{key}.currency_signs holds {sign!r}; write what stands beside the numbers, such as € or EUR"
            )


def _check_names(key: str, source: Attributes) -> None:
    """Attributes have names that a model file can hold, and none of them is the outcome."""
    if source.valid_until:
        _check_time(f"{key}.valid_until", time_of(source.valid_until))
    odd = [name for name in source.columns if not NAME.fullmatch(name) or name == VALID_UNTIL]
    if odd:
        raise ConfigFault(
            f"{key}.columns names {odd[0]!r}: the name of an attribute has only the signs A-Z, a-z, 0-9 and _, begins "
            f"with a letter, and is not {VALID_UNTIL}; write another name before the column"
        )
    told = [n for pair in source.columns.items() for n in pair if re.sub(r"[\W_]", "", n).lower() in OUTCOMES]
    if told:
        raise ContractFault(
            message(
                f"{told[0]} is the outcome that is to be predicted, so no attribute may hold it",
                where=f"{key}.columns",
                do="leave the column out; cancellations come in as events with a role, see docs/data_contract.md",
            )
        )


def check_days(key: str, days: tuple[str, ...]) -> None:
    """Days without events are local dates."""
    for day in days:
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise ConfigFault(f"{key}.no_events_on holds {day!r}, which is no date such as 2024-12-25") from error


def _check_time(key: str, time: Time) -> None:
    if (time.column is None) == (time.constant is None):
        raise ConfigFault(f"{key} must name either a `column` or a `constant`")
    if time.time_zone:
        check_zone(f"{key}.time_zone", time.time_zone)
    if (time.format in COUNTED_DAYS) != (time.start is not None):
        raise ConfigFault(f"{key}: `start` is the local date from which {' or '.join(COUNTED_DAYS)} counts; give both")
    if time.start is not None:
        _check_date(f"{key}.start", time.start)
    if time.format in (ISO, EPOCH_S, EPOCH_MS, EPOCH_US, *COUNTED_DAYS):
        return
    parts = time.format.split("%")[1:]
    unknown = [p[:1] for p in parts if p[:1] not in TIME_PARTS]
    if unknown or not parts:
        known = " ".join(f"%{p}" for p in TIME_PARTS)
        named = ", ".join((ISO, EPOCH_S, EPOCH_MS, EPOCH_US, *COUNTED_DAYS))
        raise ConfigFault(f"{key}.format is {time.format!r}; it is {named} or made of {known}")


def _check_date(key: str, written: str) -> None:
    try:
        date.fromisoformat(written)
    except ValueError as error:
        raise ConfigFault(f"{key} is {written!r}; write a date such as 2024-01-31") from error


def _check_numbers(key: str, source: Source) -> None:
    """Each number is made in one way, and only the quantity of use has a unit."""
    for name in ("amount", "discount", "quantity"):
        number = number_of(getattr(source, name))
        _check_number(f"{key}.{name}", number)
        if number.unit and not (name == "quantity" and _is_used(source)):
            raise ConfigFault(f"{key}.{name}.unit: a unit is said of the quantity of use only; delete it")


def _check_number(key: str, number: Number) -> None:
    given = sum(bool(part) for part in (number.column, number.product, number.sum)) + (number.constant is not None)
    if given > 1:
        raise ConfigFault(f"{key} must have only one of `column`, `constant`, `product` and `sum`")
    if number.divided_by > 1 and not number.columns:
        raise ConfigFault(f"{key}.divided_by divides what columns say; write the constant as it is meant")


def _check_when(key: str, rule: When) -> None:
    given = [rule.starts_with, rule.below, rule.above, rule.blank, rule.equals or None]
    if sum(part is not None for part in given) != 1:
        raise ConfigFault(f"{key} ({rule.column}) must have exactly one of equals, starts_with, below, above, blank")


def check_zone(key: str, zone: str) -> None:
    """The time zone exists."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigFault(f"{key} is {zone!r}, which is no time zone; write it as Europe/London or UTC") from error


def one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    """The value is one of those allowed; the nearest is suggested."""
    if value in allowed:
        return
    near = get_close_matches(value, allowed, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigFault(f"{key} is {value!r}, but it must be one of {', '.join(allowed)}{hint}")

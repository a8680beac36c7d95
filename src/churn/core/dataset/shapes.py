"""The few shapes in which conf/data/ may say where files are and what their columns mean."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from churn.core.dataset.formats import ENCODINGS, ISO
from churn.words.tables import ROLES

Share = Annotated[float, Ge(0), Le(1)]
WARN_SHARE = 0.001
STOP_SHARE = 0.01
"""Limits of the data contract (docs/data_contract.md): up to 1 row in 1,000 may be rejected without a word, up to 1 in
100 with a warning. Beyond that the export itself is broken, and a list made from it would call the wrong people."""
UNKNOWN_STOP = 0.2
"""Up to every fifth event may be of somebody whom the table of customers does not have: guests, or people added since
it was exported. Beyond that the two files are not of the same business, or one of them is old."""
_STRICT = {"extra": "forbid"}


@dataclass(frozen=True)
class Noun:
    """What one event of a role is called in sentences."""

    __pydantic_config__ = _STRICT
    one: str
    many: str
    zh: str


@dataclass(frozen=True)
class Time:
    """A column of times, or a constant; `format` is iso, epoch_s, epoch_ms, epoch_us or parts such as %d/%m/%Y %H:%M.

    `time_zone` holds for times that are written without one; null means the time zone of the data set. day_number and
    week_number count from the local date `start`. `plus_days` are added: what a row says of a week is known after it.
    """

    __pydantic_config__ = _STRICT
    column: str | None = None
    constant: str | None = None
    format: str = ISO
    time_zone: str | None = None
    start: str | None = None
    plus_days: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True)
class Id:
    """A column of ids. Ids are text; `whole_number` says that they were spoilt to 17850.0 and mean 17850.

    `case`: lower or upper, where the same customer is written as anna and Anna.
    """

    __pydantic_config__ = _STRICT
    column: str
    written_as: Literal["text", "whole_number"] = "text"
    case: Literal["as_written", "lower", "upper"] = "as_written"


@dataclass(frozen=True)
class Number:
    """A number of one column, a constant, a product of columns, or a sum of columns.

    `sign`: with positive, rows with a negative number break the contract. `unit`: of a quantity of use, for sentences.
    `divided_by`: how many of what the column counts make one, such as 100 where it counts cents.
    """

    __pydantic_config__ = _STRICT
    column: str | None = None
    constant: float | None = None
    product: tuple[str, ...] = ()
    sum: tuple[str, ...] = ()
    sign: Literal["any", "positive"] = "any"
    unit: str = ""
    divided_by: Annotated[int, Ge(1)] = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the number is made of."""
        return (*((self.column,) if self.column else ()), *self.product, *self.sum)


@dataclass(frozen=True)
class Text:
    """A text of one column, or a constant."""

    __pydantic_config__ = _STRICT
    column: str | None = None
    constant: str | None = None


@dataclass(frozen=True)
class When:
    """A statement about one column: exactly one of the others is given."""

    __pydantic_config__ = _STRICT
    column: str
    equals: tuple[str, ...] = ()
    starts_with: str | None = None
    below: float | None = None
    above: float | None = None
    blank: bool | None = None


@dataclass(frozen=True)
class EventType:
    """What a type of event means to us. `when`: rows for which any of these is true are of this type."""

    __pydantic_config__ = _STRICT
    role: str
    state: str | None = None
    when: tuple[When, ...] = ()


@dataclass(frozen=True)
class LeaveOut:
    """Rows that are known not to be events of customers: kept in quarantine, counted, up to a share of `most`."""

    __pydantic_config__ = _STRICT
    when: Annotated[tuple[When, ...], MinLen(1)]
    most: Share


@dataclass(frozen=True)
class Lookup:
    """Another file, one row a key, whose columns are used as NAME.column. `key_there`: the key's name in that file."""

    __pydantic_config__ = _STRICT
    files: str
    key: str
    key_there: str | None = None
    delimiter: str = ","
    header: tuple[str, ...] = ()
    encoding: str = ENCODINGS[0]
    sheet: str | None = None
    skip_lines: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True)
class Source:
    """Files of one kind, and how their columns become events. docs/data_contract.md explains every key."""

    __pydantic_config__ = _STRICT
    files: str
    customer_id: str | Id
    occurred_at: str | Time
    event_types: Annotated[dict[str, EventType], MinLen(1)]
    event_type: str | None = None
    recorded_at: str | Time | None = None
    clock_skew_seconds: Annotated[int, Ge(0)] = 0
    amount: str | Number | None = None
    discount: str | Number | None = None
    quantity: str | Number | None = None
    channel: str | Text | None = None
    category: str | Text | None = None
    text: str | None = None
    event_id: str | tuple[str, ...] | None = None
    equal_rows: Literal["duplicates", "separate"] = "duplicates"
    merge_by: str | None = None
    lookups: dict[str, Lookup] | None = None
    leave_out: dict[str, LeaveOut] | None = None
    delimiter: str = ","
    header: tuple[str, ...] = ()
    encoding: str = ENCODINGS[0]
    sheet: str | None = None
    skip_lines: Annotated[int, Ge(0)] = 0
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", "'", " "] = ""
    currency_signs: tuple[str, ...] = ()
    null_tokens: tuple[str, ...] = ()
    no_events_on: tuple[str, ...] = ()
    quarantine_warn: Share = WARN_SHARE
    quarantine_stop: Share = STOP_SHARE

    @property
    def reads(self) -> tuple[str, ...]:
        """Every column that is read, `LOOKUP.column` included."""
        return columns(self)


@dataclass(frozen=True)
class Attributes:
    """Files that say something about customers, and since when it holds. `columns`: attribute → column."""

    __pydantic_config__ = _STRICT
    files: str
    customer_id: str | Id
    valid_from: str | Time
    columns: Annotated[dict[str, str], MinLen(1)]
    recorded_at: str | Time | None = None
    clock_skew_seconds: Annotated[int, Ge(0)] = 0
    lookups: dict[str, Lookup] | None = None
    leave_out: dict[str, LeaveOut] | None = None
    valid_until: str | Time | None = None
    unknown_stop: Share = UNKNOWN_STOP
    delimiter: str = ","
    header: tuple[str, ...] = ()
    encoding: str = ENCODINGS[0]
    sheet: str | None = None
    skip_lines: Annotated[int, Ge(0)] = 0
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", "'", " "] = ""
    currency_signs: tuple[str, ...] = ()
    null_tokens: tuple[str, ...] = ()
    quarantine_warn: Share = WARN_SHARE
    quarantine_stop: Share = STOP_SHARE

    @property
    def reads(self) -> tuple[str, ...]:
        """Every column that is read, `LOOKUP.column` included."""
        return columns(self)


@dataclass(frozen=True)
class Dataset:
    """A data set. Instants are microseconds since 1970 UTC; it is complete in `[observed_from, observed_until)`."""

    name: str
    time_zone: str
    observed_from: int
    observed_until: int
    currency: str
    nouns: dict[str, Noun]
    sources: dict[str, Source]
    attributes: dict[str, Attributes]
    made_by: str = ""

    @property
    def kinds(self) -> tuple[tuple[str, str, str], ...]:
        """Every (event_type, role, state) that the sources can yield, in the order of the file."""
        pairs = ((name, kind) for source in self.sources.values() for name, kind in source.event_types.items())
        return tuple(dict.fromkeys((name, kind.role, state_of(kind)) for name, kind in pairs))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of these kinds, in the order of ROLES."""
        found = {role for _, role, _ in self.kinds}
        return tuple(role for role in ROLES if role in found)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        """The attributes of customers that are declared, in the order of the file, each once."""
        return tuple(dict.fromkeys(name for said in self.attributes.values() for name in said.columns))


def state_of(kind: EventType) -> str:
    """The declared state, or the first one of the role."""
    return kind.state or ROLES[kind.role][0]


def id_of(written: str | Id) -> Id:
    """The long form of an id; the short form is its column."""
    return Id(written) if isinstance(written, str) else written


def time_of(written: str | Time) -> Time:
    """The long form of a time; the short form is its column."""
    return Time(written) if isinstance(written, str) else written


def number_of(written: str | Number | None) -> Number:
    """The long form of a number; the short form is its column, and nothing at all is a number of no column."""
    return written if isinstance(written, Number) else Number(written)


def text_of(written: str | Text | None) -> Text:
    """The long form of a text; the short form is its column."""
    return written if isinstance(written, Text) else Text(written)


def id_columns(written: str | tuple[str, ...] | None) -> tuple[str, ...]:
    """The columns that make up an event's id."""
    return (written,) if isinstance(written, str) else tuple(written or ())


def columns(source: Source | Attributes) -> tuple[str, ...]:
    """Every column that the declaration reads, `LOOKUP.column` included, without repetition."""
    rules = [w for out in (source.leave_out or {}).values() for w in out.when]
    times = [source.recorded_at, source.valid_from if isinstance(source, Attributes) else source.occurred_at]
    if isinstance(source, Attributes):
        times.append(source.valid_until)
    names = [id_of(source.customer_id).column, *(time_of(t).column for t in times if t)]
    if isinstance(source, Attributes):
        names += source.columns.values()
    else:
        rules += [w for kind in source.event_types.values() for w in kind.when]
        for number in (source.amount, source.discount, source.quantity):
            names += number_of(number).columns
        names += [text_of(t).column for t in (source.channel, source.category, source.text, source.event_type)]
        names += [*id_columns(source.event_id), source.merge_by]
    names += [rule.column for rule in rules] + [lookup.key for lookup in (source.lookups or {}).values()]
    return tuple(dict.fromkeys(n for n in names if n))

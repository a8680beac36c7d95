"""Tables: what one row of each is, whom it is about, and which other table tells it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.guess import words
from churn.core.guess.profiles import Profile

EVENTS, PERIODS, STATES, HISTORY, THINGS = "events", "periods", "states", "history", "things"
"""Something happened; something held from a start to an end; how customers are today; since when; what is no event."""
_LEAST_DATED = 3
_DATED = re.compile(r"\D*(19|20)\d{2}[-_/. ]?\d{2}([-_/. ]?\d{2})?")
_LEAST_CONTRACT_DAYS = 7
"""What starts and ends within a week is a session, not a contract."""
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Sample:
    """Rows of one kind as they were read: texts, or typed columns; `files` as conf/ says it.

    `written`: keys of the declaration about how the files are written, each with its evidence. `whole`: whether these
    are all rows.
    """

    name: str
    files: str
    rows: pa.Table
    written: dict[str, tuple[Any, str]] = field(default_factory=dict)
    whole: bool = True

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """Column → its profile."""
        return {name: Profile(name, _plain(self.rows[name])) for name in self.rows.column_names}


@dataclass(frozen=True)
class Link:
    """Another table that a row leads to: by `key`, which is `key_there` in that table."""

    name: str
    to: Sample
    key: str


@dataclass(frozen=True)
class Found:
    """A table, what one row of it is (`kind`), and the columns that matter most.

    `customer` and `time` may be LINK.column. `end`: the column of the end of a period.
    """

    sample: Sample
    kind: str
    customer: str | None = None
    time: str | None = None
    end: str | None = None
    links: tuple[Link, ...] = ()
    why: str = ""
    customer_why: str = ""

    def profile(self, column: str) -> Profile:
        """The profile of a column of this table or of one that it leads to."""
        name, dot, inner = column.partition(".")
        if dot and column not in self.sample.profiles:
            link = next(one for one in self.links if one.name == name)
            return link.to.profiles[inner]
        return self.sample.profiles[column]

    @property
    def role(self) -> str | None:
        """The role that the table's name speaks of."""
        return words.role_of(self.sample.name)


def found(samples: Sequence[Sample]) -> list[Found]:
    """What each table is, in the order given."""
    customers = _customers(samples)
    return [_found(sample, customers, samples) for sample in samples]


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array; blank texts are null, and long texts are texts."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type) or pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    if pa.types.is_string(array.type):
        blank = pc.equal(pc.utf8_trim_whitespace(array), "")
        array = pc.if_else(blank, pa.scalar(None, pa.string()), array)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array


def _score(profile: Profile) -> int:
    """How much a column's name says that it tells the customer."""
    name = profile.name
    strong = words.matched(name, words.CUSTOMER)
    if profile.time or profile.is_flag or (profile.decimal and not profile.whole):
        return 0
    if strong and not words.has(name, ("name", "type", "country", "email", "tier")):
        return 100 + strong + (20 if profile.is_id else 0)
    if words.tokens(name) in {("id",), ("user",)} and not profile.unique:
        return 50
    return 0


def _customers(samples: Iterable[Sample]) -> dict[str, tuple[str, str]]:
    """Table → its column of customers and why; the name that most tables share comes first."""
    scores = {s.name: {p.name: _score(p) for p in s.profiles.values()} for s in samples}
    shared: dict[str, int] = {}
    for columns in scores.values():
        for name, score in columns.items():
            shared[name] = shared.get(name, 0) + (score > 0)
    chosen = {}
    for s in samples:
        best = max(scores[s.name], key=lambda name: (scores[s.name][name] > 0, shared[name], scores[s.name][name]))
        if scores[s.name][best]:
            chosen[s.name] = (best, _whose(s, s.profiles[best], shared[best], len(scores)))
        elif (repeated := _repeated(s)) and not any(any(c.values()) for c in scores.values()):
            said = f"nothing is called customer; {repeated.n_distinct:,} values of it stand in {repeated.n_rows:,} rows"
            chosen[s.name] = (repeated.name, said)
    return chosen


def _whose(sample: Sample, profile: Profile, tables: int, of: int) -> str:
    first = "" if sample.whole else "the first "
    where = f", and {tables} of {of} tables have it" if of > 1 else ""
    return (
        f"its name says so; {profile.n_distinct:,} customers in {first}{profile.n_rows - profile.n_blank:,} rows{where}"
    )


def _repeated(sample: Sample) -> Profile | None:
    """In a table without telling names: the first column whose whole numbers or short texts come again and again."""
    for p in sample.profiles.values():
        plain = not p.time and not p.is_flag and (p.whole or not p.decimal)
        if plain and 0.001 * p.n_rows < p.n_distinct < 0.9 * p.n_rows:
            return p
    return None


def _found(sample: Sample, customers: dict[str, tuple[str, str]], samples: Sequence[Sample]) -> Found:
    links = tuple(_links(sample, samples))
    customer, whose = customers.get(sample.name, (None, ""))
    if customer is None:
        customer, whose = _linked_customer(links, customers)
    time = _time(sample, links)
    base = Found(sample, THINGS, customer, time, links=links, customer_why=whose)
    if customer is None:
        return replace(base, why="no column tells the customer, neither here nor in a table that it leads to")
    one_a_customer = customer in sample.profiles and sample.profiles[customer].unique
    people = words.has(sample.name, words.PEOPLE)
    if one_a_customer and (people or base.role is None) and not _is_alone(sample, samples):
        return replace(base, kind=STATES, why="one row a customer: how customers are today, not since when")
    if time is None:
        return replace(base, why=_wide(sample) or "no column tells when it happened")
    history = [n for n, p in sample.profiles.items() if p.time and words.has(n, words.VALID)]
    if history:
        return replace(base, kind=HISTORY, time=history[0], why=f"{history[0]} says since when its values hold")
    end = _end(sample, time)
    if end and base.role not in {"campaign", "complaint", "contact", "usage"}:
        return replace(base, kind=PERIODS, end=end, why=f"{time} and {end} lie weeks apart: a row is a period")
    return replace(base, kind=EVENTS, why=f"{time} tells when it happened")


def _wide(sample: Sample) -> str:
    """What is said of a table with a column for each month or day; nothing if it is none."""
    dated = [name for name in sample.rows.column_names if _DATED.fullmatch(name)]
    if len(dated) < _LEAST_DATED:
        return ""
    return (
        f"{len(dated)} columns are named by times ({dated[0]} to {dated[-1]}): write one row a customer and time "
        "instead, with the time in a column (UNPIVOT in SQL, melt in pandas)"
    )


def _is_alone(sample: Sample, samples: Sequence[Sample]) -> bool:
    return len(samples) == 1 and any(p.time for p in sample.profiles.values())


def _links(sample: Sample, samples: Sequence[Sample]) -> Iterable[Link]:
    """Tables in which an id of this table stands once."""
    for other in samples:
        if other is sample:
            continue
        for name, profile in other.profiles.items():
            mine = sample.profiles.get(name)
            if mine is None or mine.unique or not profile.unique or not profile.is_id or profile.time:
                continue
            if _contained(mine.column, profile.column) >= 0.5:
                short = (words.tokens(name) or (other.name,))[0]
                yield Link(short if short.isascii() else other.name, other, name)
                break


def _contained(few: pa.Array, many: pa.Array) -> float:
    distinct = few.unique().drop_null()
    if not len(distinct) or few.type != many.type:
        return 0.0
    return float(pc.mean(pc.is_in(distinct, value_set=many).cast(pa.int8())).as_py() or 0.0)


def _linked_customer(links: tuple[Link, ...], customers: dict[str, tuple[str, str]]) -> tuple[str | None, str]:
    for link in links:
        theirs = customers.get(link.to.name)
        if theirs and theirs[0] != link.key:
            return f"{link.name}.{theirs[0]}", f"{link.key} leads to {link.to.name}, where every one stands once"
    return None, ""


def _time(sample: Sample, links: tuple[Link, ...]) -> str | None:
    """The column that tells when: the one whose name says it best; else one of a campaign that a row leads to."""
    own = [(n, words.matched(n, words.OCCURRED)) for n, p in sample.profiles.items() if p.time and not _later(n)]
    if own:
        blank = {n: sample.profiles[n].n_blank for n, _ in own}
        return max(own, key=lambda pair: (blank[pair[0]] == min(blank.values()), pair[1]))[0]
    for link in links:
        for n, p in link.to.profiles.items():
            if words.has(link.name, words.ROLES["campaign"]) and p.time and not _later(n):
                return f"{link.name}.{n}"
    return None


def _later(name: str) -> bool:
    return words.has(name, (*words.LATER, *words.RECORDED)) and not words.has(name, words.STARTS)


def _end(sample: Sample, time: str) -> str | None:
    """The column of the end of a period, if periods last for weeks."""
    start = sample.profiles[time].time if time in sample.profiles else None
    for name, profile in sample.profiles.items():
        if start is None or name == time or not profile.time or not words.has(name, words.ENDS):
            continue
        both = start.readable & profile.time.readable
        days = (profile.time.us[both] - start.us[both]) / DAY_US
        if len(days) and float(np.median(days)) >= _LEAST_CONTRACT_DAYS:
            return name
    return None

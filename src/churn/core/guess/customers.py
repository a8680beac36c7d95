"""Customers: which column of each table tells whom a row is about, there or in a table that the row leads to."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.guess import words
from churn.core.guess.profiles import Profile
from churn.core.guess.samples import Link, Sample

_NAMED = 100
"""The least score of a column that is called after customers."""


def _score(profile: Profile) -> int:
    """How much a column's name says that it tells the customer."""
    name = profile.name
    strong = words.matched(name, words.CUSTOMER)
    if profile.time or profile.is_flag or (profile.decimal and not profile.whole):
        return 0
    if strong and not words.has(name, ("name", "type", "country", "email", "tier")):
        return _NAMED + strong + (20 if profile.is_id else 0)
    if words.tokens(name) in {("id",), ("user",)} and not profile.unique:
        return 50
    return 0


def customers_of(samples: Sequence[Sample]) -> dict[str, tuple[str, str]]:
    """Table → its column of customers and why; the name that most tables share comes first."""
    scores = {s.name: {p.name: _score(p) for p in s.profiles.values()} for s in samples}
    shared: dict[str, int] = {}
    for columns in scores.values():
        for name, score in columns.items():
            shared[name] = shared.get(name, 0) + (score > 0)
    chosen = {}
    unnamed = None if any(any(c.values()) for c in scores.values()) else _repeated(samples)
    for s in samples:
        best = max(scores[s.name], key=lambda name: (scores[s.name][name] > 0, shared[name], scores[s.name][name]))
        if scores[s.name][best]:
            chosen[s.name] = (best, _whose(s, s.profiles[best], shared[best], len(scores)))
        elif unnamed in s.profiles:
            p = s.profiles[unnamed]
            said = f"nothing is called customer; {p.n_distinct:,} values of it stand in {p.n_rows:,} rows"
            n = sum(unnamed in other.profiles for other in samples)
            chosen[s.name] = (p.name, said + (f", and {n} of {len(scores)} tables have it" if len(scores) > 1 else ""))
    return chosen


def _whose(sample: Sample, profile: Profile, tables: int, of: int) -> str:
    first = "" if sample.whole else "the first "
    where = f", and {tables} of {of} tables have it" if of > 1 else ""
    return (
        f"its name says so; {profile.n_distinct:,} customers in {first}{profile.n_rows - profile.n_blank:,} rows{where}"
    )


def _repeated(samples: Sequence[Sample]) -> str | None:
    """In tables without telling names: the column whose whole numbers or short texts come again and again.

    The one that most tables have comes first, then the first of a table.
    """
    found = [p.name for s in samples for p in s.profiles.values() if _is_repeated(p)]
    return max(dict.fromkeys(found), key=lambda name: sum(name in s.profiles for s in samples), default=None)


def _is_repeated(p: Profile) -> bool:
    plain = not p.time and not p.is_flag and (p.whole or not p.decimal)
    return plain and 0.001 * p.n_rows < p.n_distinct < 0.9 * p.n_rows


def links_of(sample: Sample, samples: Sequence[Sample]) -> Iterable[Link]:
    """Tables in which an id of this table stands once; for each id the table that knows the most of its values."""
    taken: set[str] = set()
    for name, mine in sample.profiles.items():
        known = [
            (_contained(mine.column, other.profiles[name].column), other)
            for other in samples
            if other is not sample and _leads(mine, other.profiles.get(name))
        ]
        share, other = max(known, key=lambda pair: pair[0], default=(0.0, sample))
        if share >= 0.5:
            short = (words.tokens(name) or (other.name,))[0]
            short = short if short.isascii() and short not in taken else other.name
            taken.add(short)
            yield Link(short, other, name)


def _leads(mine: Profile, there: Profile | None) -> bool:
    return there is not None and not mine.unique and there.unique and there.is_id and not there.time


def _contained(few: pa.Array, many: pa.Array) -> float:
    distinct = few.unique().drop_null()
    if not len(distinct) or few.type != many.type:
        return 0.0
    return float(pc.mean(pc.is_in(distinct, value_set=many).cast(pa.int8())).as_py() or 0.0)


def linked_customer(links: tuple[Link, ...], customers: dict[str, tuple[str, str]]) -> tuple[str | None, str]:
    """The column of customers in a table that rows lead to, and why; None if no such table has one."""
    for link in links:
        theirs = customers.get(link.to.name)
        if theirs and theirs[0] != link.key and _once_a_row(link.to, theirs[0]) is None:
            return f"{link.name}.{theirs[0]}", f"{link.key} leads to {link.to.name}, where every one stands once"
    return None, ""


def same_person(sample: Sample, samples: Sequence[Sample], customer: str) -> tuple[Link, str, str] | None:
    """A table that tells which of the ids of this one are one customer, where an id stands for one order only."""
    if customer not in sample.profiles or not sample.profiles[customer].unique:
        return None
    for other in samples:
        there = other.profiles.get(customer)
        if other is sample or there is None or not there.unique:
            continue
        if _contained(sample.profiles[customer].column, there.column) < 0.5:
            continue
        person = _once_a_row(other, customer)
        if person:
            n = other.profiles[person]
            has = f"{other.name} has {n.n_distinct:,} {person} for {n.n_rows:,} of them"
            why = f"every row has a {customer} of its own; {has}"
            return Link(other.name, other, customer), f"{other.name}.{person}", why
    return None


def _once_a_row(sample: Sample, customer: str) -> str | None:
    """The column that says who is behind ids of customers that are different in each row; None if nothing does."""
    if not sample.profiles[customer].unique:
        return None
    others = [
        p for p in sample.profiles.values() if p.name != customer and p.is_id and not p.unique and _score(p) >= 100
    ]
    return others[0].name if others and others[0].n_distinct < 0.99 * others[0].n_rows else None

"""Fields of an event: which columns of a table say how much, what for, how and by which number."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from churn.core.guess import words
from churn.core.guess.profiles import Profile
from churn.core.guess.readings import obstacle
from churn.core.guess.samples import Found
from churn.core.guess.times import UNNAMED
from churn.core.guess.tree import Entry, entry

_MOST_CATEGORIES = 500
"""A text with more distinct values names single things, not kinds of things."""
_FEW_CUSTOMERS = 30
"""Fewer may have one value each by chance."""
_SPOKEN_TO = ("complaint", "survey", "contact", "cancel")
"""Roles whose events hold the customer's own words."""
_LINES_PER_ORDER = 1.1
_DAY_MINUTES, _DAY_SECONDS = 24 * 60, 24 * 60 * 60
"""One use hardly ever lasts longer than a day."""


def _free(found: Found) -> list[Profile]:
    """Columns that are neither customer, time, end nor key of a link."""
    taken = {found.customer, found.time, found.end, *(link.key for link in found.links)}
    return [p for p in found.sample.profiles.values() if p.name not in taken and p.n_blank < p.n_rows]


def amounts(found: Found) -> list[Profile]:
    """Columns of money, the likeliest first. In a file without a header: numbers with a fraction come first."""
    numeric = [p for p in _free(found) if p.decimal and not p.is_id and not p.time]
    named = [p for p in numeric if _is_money(p.name)]
    named = [p for p in named if not p.is_flag]
    if named:
        return sorted(named, key=lambda p: -words.matched(p.name, words.AMOUNT))
    unnamed = [p for p in numeric if p.name.startswith(UNNAMED)]
    return sorted(unnamed, key=lambda p: p.whole)


def _is_money(name: str) -> bool:
    return (words.has(name, words.AMOUNT) or words.counts_cents(name)) and not words.has(name, words.NO_AMOUNT)


def unreadable_money(found: Found) -> str | None:
    """What must be done with a column of money that holds no plain numbers."""
    for profile in _free(found) if not amounts(found) else ():
        if not (_is_money(profile.name) and profile.is_text):
            continue
        why = obstacle(profile.distinct)
        if why:
            return f"CHECK: {profile.name} holds no plain numbers ({profile.distinct[0].as_py()}): {why}"
    return None


def quantities(found: Found) -> list[Profile]:
    """Columns of pieces, minutes or times, the likeliest first."""
    numeric = [p for p in _free(found) if p.decimal and not p.is_id and not p.is_flag and not p.time]
    named = [p for p in numeric if words.has(p.name, words.QUANTITY)]
    return sorted(named, key=lambda p: -words.matched(p.name, words.QUANTITY))


def numbers(found: Found, role: str) -> Iterable[Entry]:
    """Amount, discount and quantity, as far as there are any."""
    money, pieces = amounts(found), quantities(found)
    if money and role in {"purchase", "payment"}:
        total = [p for p in money if not words.has(p.name, words.PRICE)]
        if not total and pieces:
            pair = [pieces[0].name, money[0].name]
            value, why = _in_units({"product": pair}, money[0])
            yield entry("amount", value, f"{money[0].name} is the price of one, {pair[0]} is how many", why)
        else:
            best = (total or money)[0]
            others = ", ".join(p.name for p in money if p is not best)
            sure = None if _is_money(best.name) else "CHECK: the file has no names; it is its last number"
            value, why = _in_units(best.name, best)
            yield entry("amount", value, sure or (f"not {others}" if others else None), best.reading_evidence, why)
    given = [p for p in _free(found) if p.decimal and words.has(p.name, words.DISCOUNT)]
    if given and role == "purchase":
        value, why = _in_units({"sum": [p.name for p in given]} if len(given) > 1 else given[0].name, *given)
        yield entry("discount", value, why)
    if role == "survey":
        pieces = [p for p in _free(found) if p.decimal and words.has(p.name, words.ANSWER)]
    if role == "usage":
        free = _free(found)
        pieces = pieces or [p for p in free if p.decimal and not p.is_id and not p.time and words.unit_of(p.name)]
    if pieces and role == "usage":
        unit, why = _unit(pieces[0])
        value = {"column": pieces[0].name, "unit": unit} if unit else pieces[0].name
        yield entry("quantity", value, why, pieces[0].reading_evidence)
    elif pieces and role in {"purchase", "survey"}:
        yield entry("quantity", pieces[0].name, None, pieces[0].reading_evidence)


def _in_units(value: Any, *columns: Profile) -> tuple[Any, str | None]:
    """A number of money, divided where its columns count cents, and why."""
    cents = [p for p in columns if words.counts_cents(p.name)]
    if not cents:
        return value, None
    names = ", ".join(p.name for p in cents)
    if len(cents) < len(columns) or not all(p.whole for p in cents):
        return (
            value,
            f"CHECK: the name of {names} speaks of hundredths, but what stands there does not; nothing is divided",
        )
    long = value if isinstance(value, dict) else {"column": value}
    said = f"the name of {names} says that it counts hundredths, and all its values are whole"
    return long | {"divided_by": 100}, f"CHECK: {said}, so they are divided by 100"


def _unit(profile: Profile) -> tuple[str | None, str]:
    """The unit of a quantity of use, by its name or else its values, and why; None where neither tells."""
    told = words.unit_of(profile.name)
    if told:
        return told, f"its name says {told}; sentences about use call it so"
    found = profile.numbers[np.isfinite(profile.numbers)]
    if words.has(profile.name, words.LASTS) and len(found):
        for unit, most, what in (("milliseconds", _DAY_SECONDS, "seconds"), ("seconds", _DAY_MINUTES, "minutes")):
            beyond = int((found > most).sum())
            if beyond > len(found) / 2:
                said = (
                    f"{beyond:,} of {len(found):,} values are more {what} than a day has, so they are taken for {unit}"
                )
                return unit, f"CHECK: {said}; another unit may be written here"
    return (
        None,
        "nothing tells what it counts, so sentences speak of usage; if it has a unit, write {column: …, unit: …}",
    )


def texts(found: Found, role: str) -> Iterable[Entry]:
    """Channel, category and the customer's own words."""
    free = [p for p in _free(found) if p.is_text and not p.is_flag]
    channel = next((p for p in free if words.has(p.name, words.CHANNEL)), None)
    if channel:
        yield entry("channel", channel.name, f"{channel.n_distinct:,} values")
    category = _category(found, [p for p in free if p is not channel])
    if category:
        yield category
    own = next((p for p in free if words.has(p.name, words.TEXT)), None)
    if own and role in _SPOKEN_TO:
        yield entry("text", own.name)


def _category(found: Found, free: list[Profile]) -> Entry | None:
    """The column that sorts the rows best: few values, by name; else one of a table that a row leads to."""
    named = sorted(free, key=lambda p: -words.matched(p.name, words.CATEGORY))
    for profile in named:
        fits = (
            words.has(profile.name, words.CATEGORY) and not profile.is_id and 1 < profile.n_distinct <= _MOST_CATEGORIES
        )
        if fits and not _is_of_the_customer(found, profile):
            return entry("category", profile.name, f"{profile.n_distinct:,} values")
    for link in found.links:
        if words.has(link.key, (*words.LINE_OF, "campaign")):
            there = sorted(link.to.profiles.values(), key=lambda p: -words.matched(p.name, words.CATEGORY))
            best = next((p for p in there if p.is_text and 1 < p.n_distinct <= _MOST_CATEGORIES and not p.is_id), None)
            if best:
                return entry("category", f"{link.name}.{best.name}", f"{best.n_distinct:,} values in {link.to.name}")
    return None


def _is_of_the_customer(found: Found, profile: Profile) -> bool:
    """Whether a text never differs between the rows of a customer: it says who he is today, not what a row is."""
    if not found.customer or found.customer not in found.sample.profiles:
        return False
    whose = found.sample.profiles[found.customer]
    few = whose.n_distinct < _FEW_CUSTOMERS or whose.n_rows < 2 * whose.n_distinct
    return not few and pairs(whose, profile) <= whose.n_distinct + (whose.n_blank > 0)


def identity(found: Found, role: str) -> Iterable[Entry]:
    """What tells two rows apart, and which lines are one event."""
    sample = found.sample
    own = next((p for p in _ids(found) if p.unique), None)
    merge = next((p for p in _ids(found) if words.has(p.name, words.MERGE) and _holds_lines(found, p)), None)
    if merge and role == "purchase":
        per = merge.n_rows / merge.n_distinct
        line = next((p for p in _ids(found) if p is not merge and words.has(p.name, words.LINE_OF)), None)
        if own:
            yield _unique(own, sample.whole)
        elif line and pairs(merge, line) == merge.n_rows:
            note = f"no two of {merge.n_rows:,} rows have the same {merge.name} and {line.name}"
            yield entry("event_id", [merge.name, line.name], note)
        else:
            line_note = f" ({merge.n_rows:,} rows)" if sample.whole else ""
            yield entry("merge_by", merge.name, f"{per:.1f} lines each{line_note}; equal lines count once")
            return
        yield entry("merge_by", merge.name, f"{per:.1f} lines each, all of one customer")
        return
    if own:
        yield _unique(own, sample.whole)
        return
    time = found.profile(found.time).time if found.time else None
    equal = sample.rows.num_rows - _distinct_rows(sample.rows)
    if equal and time is not None and not time.has_clock:
        note = f"CHECK: {equal:,} rows equal another one, and without a time of day they may well be different events"
        yield entry("equal_rows", "separate", note)


def _unique(profile: Profile, whole: bool) -> Entry:
    among = f"{profile.n_rows:,}" if whole else f"the first {profile.n_rows:,}"
    return entry("event_id", profile.name, f"{profile.n_distinct:,} different values in {among} rows")


def _ids(found: Found) -> list[Profile]:
    taken = {found.customer, found.time, found.end}
    return [
        p
        for p in found.sample.profiles.values()
        if p.name not in taken and not p.time and not p.spoilt and (p.is_id or words.has(p.name, words.LINE_OF))
    ]


def _holds_lines(found: Found, profile: Profile) -> bool:
    """Whether several rows share each value, all of one customer."""
    if profile.n_blank or not found.customer or found.customer not in found.sample.profiles:
        return False
    if profile.n_rows < _LINES_PER_ORDER * profile.n_distinct:
        return False
    customer = found.sample.profiles[found.customer]
    return pairs(profile, customer) <= 1.01 * profile.n_distinct


def pairs(one: Profile, other: Profile) -> int:
    """How many different pairs two columns have."""
    table = pa.table({"a": one.column, "b": other.column})
    return int(table.group_by(["a", "b"]).aggregate([]).num_rows)


def _distinct_rows(rows: pa.Table) -> int:
    return int(rows.group_by(rows.column_names).aggregate([]).num_rows) if rows.num_rows else 0

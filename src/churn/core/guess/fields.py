"""Fields of an event: which columns of a table say how much, what for, how and by which number."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.guess import words
from churn.core.guess.profiles import Profile
from churn.core.guess.tables import DAY_US, Found
from churn.core.guess.tree import Entry, entry

_MOST_CATEGORIES = 500
"""A text with more distinct values names single things, not kinds of things."""
_MOST_TYPES = 30
_RARE = 0.001
"""A kind of event that is rarer and that no word explains is a test or a slip; its rows are rejected and counted."""
_UNNAMED = "column_"
"""Names that a file without a header gets begin so."""
_SPOKEN_TO = ("complaint", "survey", "contact", "cancel")
"""Roles whose events hold the customer's own words."""
_LINES_PER_ORDER = 1.1


class Kinds(NamedTuple):
    """The types of a source: the column that tells them, if one does, and what each means."""

    event_type: str | None
    types: tuple[Entry, ...]
    roles: tuple[str, ...]


def default_role(found: Found) -> tuple[str, str]:
    """The role of a table's events, and why."""
    if found.role:
        return found.role, f"the name {found.sample.name} speaks of it"
    if amounts(found):
        return "purchase", f"{amounts(found)[0].name} looks like money"
    return "usage", "CHECK: neither its name nor an amount of money says more"


def kinds(found: Found, role: str, why: str) -> Kinds:
    """What the rows of a table of events are."""
    for profile in found.sample.profiles.values():
        if words.has(profile.name, words.TYPE) and profile.is_text and profile.n_distinct <= _MOST_TYPES:
            said = {str(value): _meaning(str(value)) for value in sorted(profile.counts, key=str)}
            if sum(meaning is not None for meaning in said.values()) >= max(1, len(said) / 2):
                return _told(profile, said, role)
    name = (found.sample.name.removesuffix("s") if words.role_of(found.sample.name) else "") or role
    rules = [*_undone(found, role), *_returned(found, role)]
    meant = _meaning(found.sample.name)
    state = {"state": meant[1]} if meant and meant[0] == role and meant[1] else {}
    kind = entry(name, {"role": role} | state, f"role {role}: {why}")
    return Kinds(None, (*rules, kind), (role,))


def _told(profile: Profile, said: dict[str, tuple[str, str | None] | None], role: str) -> Kinds:
    """Types by the values of a column."""
    entries, roles = [], []
    for value, meaning in said.items():
        n = profile.counts[value]
        if meaning is None and n < _RARE * profile.n_rows:
            continue
        meant, state = meaning or (role, None)
        doubt = None if meaning else f"CHECK: nothing tells what {value} is; it is taken for {role}"
        entries.append(entry(value, {"role": meant} | ({"state": state} if state else {}), f"{n:,} rows", doubt))
        roles.append(meant)
    return Kinds(profile.name, tuple(entries), tuple(dict.fromkeys(roles)))


def _meaning(value: str) -> tuple[str, str | None] | None:
    for token in (value.lower(), *words.tokens(value)):
        for form in (token, token.removesuffix("s")):
            if form in words.STATES:
                return words.STATES[form]
    role = words.role_of(value)
    return (role, None) if role else None


def _undone(found: Found, role: str) -> Iterable[Entry]:
    """Cancellations that a flag calls taken back."""
    for profile in found.sample.profiles.values() if role == "cancel" else ():
        if profile.is_flag and words.has(profile.name, ("reactivation", "reactivated", "undone", "revoked")):
            true = sorted(str(v) for v in profile.counts if str(v).lower() in {"true", "yes", "y", "t", "1"})
            if true:
                n = sum(profile.counts[v] for v in profile.counts if str(v) in true)
                meaning = {"role": role, "state": "undone", "when": [{"column": profile.name, "equals": true}]}
                note = f"CHECK: {n:,} of {profile.n_rows:,} rows have {profile.name} {true[0]}: the customer came back"
                yield entry("reactivated", meaning, note)


def _returned(found: Found, role: str) -> Iterable[Entry]:
    """Purchases that were given back: their number of pieces, or else their money, is negative."""
    if role != "purchase":
        return
    for profile in (*quantities(found), *amounts(found)):
        negative = profile.numbers < 0
        if 0 < negative.sum() <= 0.4 * profile.n_rows:
            rules: list[dict[str, Any]] = [{"column": profile.name, "below": 0}]
            note = f"{int(negative.sum()):,} of {profile.n_rows:,} rows have a negative {profile.name}"
            if marked := _marked(found, negative):
                rules.insert(0, {"column": marked[0], "starts_with": marked[1]})
                note += f"; {marked[0]} starts with {marked[1]} there"
            yield entry("returned", {"role": role, "state": "returned", "when": rules}, note)
            return


def _marked(found: Found, negative: np.ndarray) -> tuple[str, str] | None:
    """A column of order numbers that begin with a letter of their own in these rows."""
    for profile in found.sample.profiles.values():
        if not (words.has(profile.name, words.MERGE) and profile.is_text):
            continue
        first = pc.utf8_slice_codeunits(profile.column, 0, 1)
        there = first.filter(pa.array(negative)).value_counts()
        if not len(there):
            continue
        letter = max(there.to_pylist(), key=lambda pair: pair["counts"])
        sound = pc.equal(first, letter["values"]).fill_null(False).to_numpy(zero_copy_only=False)
        if letter["values"].isalpha() and letter["counts"] > 0.8 * negative.sum() and sound[~negative].mean() < 0.001:
            return profile.name, letter["values"]
    return None


def _free(found: Found) -> list[Profile]:
    """Columns that are neither customer, time, end nor key of a link."""
    taken = {found.customer, found.time, found.end, *(link.key for link in found.links)}
    return [p for p in found.sample.profiles.values() if p.name not in taken and p.n_blank < p.n_rows]


def amounts(found: Found) -> list[Profile]:
    """Columns of money, the likeliest first. In a file without a header: numbers with a fraction come first."""
    numeric = [p for p in _free(found) if p.decimal and not p.is_id and not p.time]
    named = [p for p in numeric if words.has(p.name, words.AMOUNT) and not words.has(p.name, words.NO_AMOUNT)]
    named = [p for p in named if not p.is_flag]
    if named:
        return sorted(named, key=lambda p: -words.matched(p.name, words.AMOUNT))
    unnamed = [p for p in numeric if p.name.startswith(_UNNAMED)]
    return sorted(unnamed, key=lambda p: p.whole)


def unreadable_money(found: Found) -> str | None:
    """What must be done with a column of money that holds no plain numbers."""
    for profile in _free(found) if not amounts(found) else ():
        named = words.has(profile.name, words.AMOUNT) and not words.has(profile.name, words.NO_AMOUNT)
        if not (named and profile.is_text):
            continue
        marked = pc.match_substring_regex(profile.column, r"\d[.,]\d{3}|[$€£¥￥]\s?\d|\d\s?[$€£¥￥]")
        if (pc.mean(marked.cast(pa.int8())).as_py() or 0) > 0.5:
            example = profile.column.drop_null()[0].as_py()
            return f"CHECK: {profile.name} holds no plain numbers ({example}); export it without signs and separators"
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
            yield entry("amount", {"product": pair}, f"{money[0].name} is the price of one, {pair[0]} is how many")
        else:
            best = (total or money)[0]
            others = ", ".join(p.name for p in money if p is not best)
            sure = None if words.has(best.name, words.AMOUNT) else "CHECK: the file has no names; it is its last number"
            yield entry("amount", best.name, sure or (f"not {others}" if others else None), best.comma_evidence)
    given = [p.name for p in _free(found) if p.decimal and words.has(p.name, words.DISCOUNT)]
    if given and role == "purchase":
        yield entry("discount", {"sum": given} if len(given) > 1 else given[0])
    if role == "survey":
        pieces = [p for p in _free(found) if p.decimal and words.has(p.name, words.ANSWER)]
    if pieces and role in {"purchase", "usage", "survey"}:
        yield entry("quantity", pieces[0].name, pieces[0].comma_evidence)


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
        if words.has(profile.name, words.CATEGORY) and not profile.is_id and profile.n_distinct <= _MOST_CATEGORIES:
            return entry("category", profile.name, f"{profile.n_distinct:,} values")
    for link in found.links:
        if words.has(link.key, (*words.LINE_OF, "campaign")):
            there = sorted(link.to.profiles.values(), key=lambda p: -words.matched(p.name, words.CATEGORY))
            best = next((p for p in there if p.is_text and 1 < p.n_distinct <= _MOST_CATEGORIES and not p.is_id), None)
            if best:
                return entry("category", f"{link.name}.{best.name}", f"{best.n_distinct:,} values in {link.to.name}")
    return None


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
        elif line and _pairs(merge, line) == merge.n_rows:
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
    return _pairs(profile, customer) <= 1.01 * profile.n_distinct


def _pairs(one: Profile, other: Profile) -> int:
    """How many different pairs two columns have."""
    table = pa.table({"a": one.column, "b": other.column})
    return int(table.group_by(["a", "b"]).aggregate([]).num_rows)


def _distinct_rows(rows: pa.Table) -> int:
    return int(rows.group_by(rows.column_names).aggregate([]).num_rows) if rows.num_rows else 0


def period_days(found: Found) -> tuple[int, str] | None:
    """How long a row of sums lasts, if a table has one row a customer and week, or month, and why."""
    own = found.sample.profiles
    if not found.customer or not found.time or found.customer not in own or found.time not in own:
        return None
    time, customer = found.profile(found.time).time, found.profile(found.customer)
    if time is None or time.has_clock or _pairs(customer, found.profile(found.time)) < customer.n_rows:
        return None
    days = np.unique(time.us[time.readable] // DAY_US)
    if len(days) < 4:
        return None
    among = f"one row a customer and date, and all {len(days):,} dates are"
    if (np.diff(days) % 7 == 0).all():
        weekday = ("Thursdays", "Fridays", "Saturdays", "Sundays", "Mondays", "Tuesdays", "Wednesdays")[days[0] % 7]
        return 7, f"{among} {weekday}: a row sums up a week, and is known when the week is over"
    dates = days.astype("datetime64[D]")
    if (dates == dates.astype("datetime64[M]")).all():
        return 31, f"{among} the first of a month: a row sums up a month, and is known when the month is over"
    return None

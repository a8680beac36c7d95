"""Sources: each table as the declaration of its events, or why it has none."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from churn.core.guess import fields, periods, words
from churn.core.guess.kinds import Kinds, default_role, kinds, withdrawn
from churn.core.guess.profiles import Profile
from churn.core.guess.readings import Reading
from churn.core.guess.samples import EVENTS, HISTORY, PERIODS, STATES, Found, Sample
from churn.core.guess.tree import Entry, Tree, entry

_FEW_BLANKS = 0.001
"""Up to this share the contract rejects rows without a word; more must be declared."""


class Sources(NamedTuple):
    """Sources of events and attributes by name, the roles of their events, and notes on tables that are not used.

    `contract`: whether there are cancellations. `money`: whether any event has an amount.
    """

    sources: Tree
    attributes: Tree
    roles: tuple[str, ...]
    unused: tuple[str, ...]
    contract: bool
    money: bool


def sources(found: Sequence[Found]) -> Sources:
    """The declarations of all tables."""
    made: list[Entry] = []
    roles: list[str] = []
    of = {one.sample.name: kinds(one, *default_role(one)) for one in found if one.kind == EVENTS}
    cancelled = any("cancel" in k.roles for k in of.values())
    contracts = any(one.kind == PERIODS for one in found)
    for one in found:
        if one.kind == EVENTS:
            made += _events(one, of[one.sample.name])
            roles += of[one.sample.name].roles
        if one.kind == PERIODS:
            made += _periods(one, cancelled)
            roles += ["purchase", "cancel"]
    history = tuple(_history(one) for one in found if one.kind == HISTORY)
    unused = tuple(_not_used(one) for one in found if one.kind not in {EVENTS, PERIODS, HISTORY})
    made = _in_one_unit(made)
    money = any(e.key == "amount" for source in made for e in source.value)
    return Sources(tuple(made), history, tuple(dict.fromkeys(roles)), unused, cancelled or contracts, money)


def _in_one_unit(made: list[Entry]) -> list[Entry]:
    """The sources without quantities of use in another unit than the first one has: features add them up."""
    units = {
        source.key: (e.value["column"], e.value["unit"])
        for source in made
        for e in source.value
        if e.key == "quantity" and isinstance(e.value, dict)
    }
    if len({unit for _, unit in units.values()}) < 2:
        return made
    first = next(iter(units))
    kept = []
    for source in made:
        column, unit = units.get(source.key, units[first])
        if unit == units[first][1]:
            kept.append(source)
            continue
        body = tuple(e for e in source.value if e.key != "quantity")
        why = f"{column} is in {unit}, but {first} counts use in {units[first][1]}, and sums need one unit"
        kept.append(entry(source.key, body, *source.notes, f"CHECK: {why}; left out"))
    return kept


def _events(found: Found, of: Kinds) -> Iterable[Entry]:
    """A table of events; of complaints with a closing time, the closings too."""
    name = found.sample.name
    # What costs money decides which fields a mixed table has.
    role = next((role for role in ("purchase", "payment") if role in of.roles), of.roles[0])
    body = [*_head(found, found.time), *_recorded(found), *_typed(of)]
    body += [*fields.numbers(found, role), *fields.texts(found, role), *fields.identity(found, role)]
    yield entry(name, (*body, *_tail(found, body)), found.why, fields.unreadable_money(found))
    closed = _closing(found) if role == "complaint" and not of.event_type else None
    if closed:
        types = entry("event_types", (entry("closed", {"role": "complaint", "state": "closed"}),))
        ids = tuple(e for e in fields.identity(found, role) if e.key == "event_id")
        tail = _tail(found, [*_head(found, closed.name)], blank=closed)
        note = f"{closed.name} is known when it happens, not when the complaint is opened: an event of its own"
        yield entry(f"{name}_closed", (*_head(found, closed.name), types, *ids, *tail), note)


def _periods(found: Found, cancelled: bool) -> Iterable[Entry]:
    """A table of contracts: a start is a purchase and takes a cancellation back; an end is one, if nothing else is."""
    name, end = found.sample.name, found.end
    assert end
    start = [*_head(found, found.time), entry("event_types", (entry("started", {"role": "purchase"}),))]
    start += [*fields.numbers(found, "purchase"), *fields.texts(found, "purchase"), *fields.identity(found, "usage")]
    note = f"{found.why}. Its start; flags and columns that may have changed later are not used"
    yield entry(f"{name}_started", (*start, *_tail(found, start)), note)
    resumed = entry("event_types", (entry("resumed", {"role": "cancel", "state": "undone"}),))
    ids = tuple(fields.identity(found, "usage"))
    head = _head(found, found.time)
    said = "Who starts again after a cancellation is a customer again"
    yield entry(f"{name}_resumed", (*head, resumed, *ids, *_tail(found, [*head])), said)
    if not cancelled:
        ended = entry("event_types", (entry("ended", {"role": "cancel"}),))
        last = _head(found, end)
        blank = found.profile(end)
        note = "CHECK: an end counts as a cancellation; who has another contract beside it comes back by its start only"
        yield entry(f"{name}_ended", (*last, ended, *ids, *_tail(found, [*last], blank=blank)), note)


def _history(found: Found) -> Entry:
    """Attributes of customers, since when they hold."""
    columns = {
        _key(p.name): p.name
        for p in found.sample.profiles.values()
        if p.is_text and not p.is_id and p.name not in {found.customer, found.time} and p.n_distinct <= 100
    }
    head = _head(found, found.time, field="valid_from")
    return entry(found.sample.name, (*head, entry("columns", columns), *_tail(found, [*head])), found.why)


def _key(name: str) -> str:
    return "_".join(words.tokens(name)) or name


def _not_used(found: Found) -> str:
    columns = ", ".join(n for n in found.sample.profiles if n not in {found.customer, found.time})
    if found.kind == STATES:
        return (
            f"Not used: {found.sample.name} ({found.why}). {columns}: today's value of a customer who left may be the "
            "consequence of leaving. What never changes may be declared as an attribute with `valid_from`"
        )
    return f"Not used as events: {found.sample.name} ({found.why})"


def _head(found: Found, time: str | None, field: str = "occurred_at") -> tuple[Entry, ...]:
    """Files, how they are written, the customer and the time."""
    assert found.customer
    assert time
    profile, when = found.profile(found.customer), found.profile(time).time
    written = [entry(key, value, why) for key, (value, why) in found.sample.written.items()]
    if found.sample.null_tokens:
        said = "they stand where other rows have numbers or times"
        written.append(entry("null_tokens", list(found.sample.null_tokens), said))
    customer: Any = found.customer
    note = None
    if profile.spoilt:
        customer = {"column": found.customer, "written_as": "whole_number"}
        example = next(iter(profile.column.drop_null().slice(0, 1).to_pylist()), "")
        note = f"a column with gaps became floating point in some tool: {example} is customer {float(example):.0f}"
    assert when
    doubt = f"CHECK: {when.doubt}" if when.doubt else None
    return (
        entry("files", found.sample.files),
        *written,
        entry("customer_id", customer, found.customer_why, note),
        entry(field, when.declared(time), when.evidence, doubt),
    )


def _recorded(found: Found) -> Iterable[Entry]:
    """When the company knew of it: another column, or the end of the week that a row sums up."""
    assert found.time
    period = periods.period(found)
    when = found.profile(found.time).time
    if period and when:
        yield entry("recorded_at", when.declared(found.time, plus_days=period.known_after), period.why)
        return
    for profile in found.sample.profiles.values():
        known = profile.time if words.has(profile.name, words.RECORDED) and profile.name != found.time else None
        if known is None or when is None or profile.n_blank or found.time not in found.sample.profiles:
            continue
        both = known.readable & when.readable
        if both.any() and (known.us[both] >= when.us[both]).mean() >= 0.999:
            later = float((known.us[both] - when.us[both]).mean()) / 3.6e9
            yield entry(
                "recorded_at",
                known.declared(profile.name),
                f"never before {found.time}, on average {later:,.1f} hours after it",
            )
            return


def _typed(of: Kinds) -> Iterable[Entry]:
    if of.event_type:
        yield entry("event_type", of.event_type)
    yield entry("event_types", of.types)


def _tail(found: Found, body: Sequence[Entry], blank: Profile | None = None) -> Iterable[Entry]:
    """Tables that a row leads to, rows that are known to be no events, and the decimal mark."""
    used = {name for e in body for name in _columns(e.value)}
    links = [link for link in found.links if any(name.startswith(f"{link.name}.") for name in used)]
    if links:
        yield entry("lookups", tuple(entry(link.name, _lookup(link.to, link.key)) for link in links))
    out = []
    assert found.customer
    customer = found.profile(found.customer)
    share = customer.n_blank / max(customer.n_rows, 1)
    if share > _FEW_BLANKS and found.customer in found.sample.profiles:
        note = f"{customer.n_blank:,} of {customer.n_rows:,} rows ({share:.1%}) name no customer; more would be a fault"
        rule = {"when": [{"column": found.customer, "blank": True}], "most": _limit(share)}
        out.append(entry("anonymous", rule, note))
    if blank is not None and blank.n_blank:
        note = f"{blank.n_blank:,} of {blank.n_rows:,} rows have no {blank.name} yet"
        out.append(entry("open", {"when": [{"column": blank.name, "blank": True}], "most": 1.0}, note))
    if found.kind == EVENTS:
        out += [*periods.nothing(found), *withdrawn(found)]
    if out:
        yield entry("leave_out", tuple(out))
    yield from _numerals([p for p in found.sample.profiles.values() if p.reading and p.name in used])


def _numerals(used: Sequence[Profile]) -> Iterable[Entry]:
    """How the numbers of a source are written, where it is not as programs write them."""
    told = [p for p in used if p.reading_evidence]
    ways = [p.reading for p in told if p.reading]
    if not ways:
        return
    notes = (told[0].reading_evidence, ways[0].doubt)
    signs = tuple(dict.fromkeys(sign for way in ways for sign in way.signs))
    thousands = next((way.thousands for way in ways if way.thousands), "")
    of_all = Reading(ways[0].decimal, thousands, signs)
    otherwise = [p.name for p in used if pa.types.is_string(p.column.type) and not p.is_read(of_all)]
    doubt = f"CHECK: {', '.join(otherwise)} is written otherwise, and a source has one way" if otherwise else None
    keys = {"decimal": "," * (of_all.decimal == ","), "thousands": thousands, "currency_signs": list(signs)}
    for place, (key, value) in enumerate((key, value) for key, value in keys.items() if value):
        yield entry(key, value, *(notes if place == 0 else ()), doubt if place == 0 else None)


def _limit(share: float) -> float:
    """A share with room for a third more, in whole hundredths."""
    return min(1.0, round(share * 4 / 3 + 0.005, 2))


def _lookup(to: Sample, key: str) -> dict[str, Any]:
    return {"files": to.files, "key": key} | {k: v for k, (v, _) in to.written.items()}


def _columns(value: Any) -> Iterable[str]:
    """Every text in a value, some of which are columns."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        for inner in value.values():
            yield from _columns(inner)
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _columns(inner.value if isinstance(inner, Entry) else inner)


def _closing(found: Found) -> Profile | None:
    """The column that says when a complaint was closed, if it never lies before its opening."""
    opened = found.profile(found.time).time if found.time else None
    for profile in found.sample.profiles.values():
        closed = profile.time if words.has(profile.name, ("closed", "resolved", "close")) else None
        if closed is None or opened is None or profile.name == found.time:
            continue
        both = closed.readable & opened.readable
        if both.any() and (closed.us[both] >= opened.us[both]).mean() > 0.99:
            return profile
    return None

"""Kinds: what the rows of a table of events are, by its name, by a column of types, by flags and by signs."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.guess import fields, words
from churn.core.guess.profiles import Profile
from churn.core.guess.samples import Found
from churn.core.guess.tree import Entry, entry

_MOST_TYPES = 30
_RARE = 0.001
"""A kind of event that is rarer and that no word explains is a test or a slip; its rows are rejected and counted."""
_OUTCOMES = ("status", "state", "状态")
"""Columns that say what became of a row since."""
_SOME, _MOST = 0.05, 0.95
"""Between these shares of blank amounts a table mixes what costs money with what does not."""
_TRUE = frozenset({"true", "yes", "y", "t", "1"})


class Kinds(NamedTuple):
    """The types of a source: the column that tells them, if one does, and what each means."""

    event_type: str | None
    types: tuple[Entry, ...]
    roles: tuple[str, ...]


def default_role(found: Found) -> tuple[str, str]:
    """The role of a table's events, and why."""
    if found.role:
        return found.role, f"the name {found.sample.name} speaks of it"
    if fields.amounts(found):
        return "purchase", f"{fields.amounts(found)[0].name} looks like money"
    if fields.unreadable_money(found):
        return "purchase", "a column is called as money is, though its numbers cannot be read"
    return "usage", "CHECK: neither its name nor an amount of money says more"


def kinds(found: Found, role: str, why: str) -> Kinds:
    """What the rows of a table of events are."""
    told = _type_column(found)
    if told:
        return _told(*told, role)
    name = (found.sample.name.removesuffix("s") if words.role_of(found.sample.name) else "") or role
    rules = [*_undone(found, role), *_free_of_charge(found, role), *_returned(found, role)]
    meant = _meaning(found.sample.name)
    state = {"state": meant[1]} if meant and meant[0] == role and meant[1] else {}
    kind = entry(name, {"role": role} | state, f"role {role}: {why}")
    roles = [role, *(rule.value["role"] for rule in rules)]
    return Kinds(None, (*rules, kind), tuple(dict.fromkeys(roles)))


def _type_column(found: Found) -> tuple[Profile, dict[str, tuple[str, str | None] | None]] | None:
    """The column that says of each row what it is: by its name, or because one of its values is a cancellation."""
    for profile in found.sample.profiles.values():
        if not profile.is_text or profile.n_distinct > _MOST_TYPES or profile.n_blank:
            continue
        said = {str(value): _meaning(str(value)) for value in sorted(profile.counts, key=str)}
        known = [meaning for meaning in said.values() if meaning is not None]
        called = words.has(profile.name, words.TYPE)
        outcome = words.has(profile.name, _OUTCOMES)
        if outcome and found.role == "purchase":
            # Paid today, refunded next month: nobody knew it when the order was made.
            continue
        if called and len(known) >= max(1, len(said) / 2):
            return profile, said
        leaves = any(meaning == ("cancel", None) for meaning in known)
        if leaves and found.role is None and not outcome and len(said) > 2 and not words.has(profile.name, ("reason",)):
            return profile, said
    return None


def _told(profile: Profile, said: dict[str, tuple[str, str | None] | None], role: str) -> Kinds:
    """Types by the values of a column."""
    entries, roles = [], []
    unknown = [value for value, meaning in said.items() if meaning is None]
    kept = [value for value in unknown if profile.counts[value] >= _RARE * profile.n_rows]
    for value, meaning in said.items():
        if meaning is None and value not in kept:
            continue
        meant, state = meaning or (role, None)
        which = ", ".join(kept)
        doubt = f"CHECK: nothing tells what {which} is; taken for {role}" if value in kept[:1] else None
        entries.append(
            entry(
                value, {"role": meant} | ({"state": state} if state else {}), f"{profile.counts[value]:,} rows", doubt
            )
        )
        roles.append(meant)
    return Kinds(profile.name, tuple(entries), tuple(dict.fromkeys(roles)))


def _free_of_charge(found: Found, role: str) -> Iterable[Entry]:
    """Rows without an amount, in a table that is one of purchases only because others have one."""
    if role != "purchase" or found.role:
        return
    amount = next(iter(fields.amounts(found)), None)
    if amount is not None and _SOME < amount.n_blank / amount.n_rows < _MOST:
        meaning = {"role": "usage", "when": [{"column": amount.name, "blank": True}]}
        yield entry("used", meaning, f"{amount.n_blank:,} of {amount.n_rows:,} rows have no {amount.name}")


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
            true = sorted(str(v) for v in profile.counts if str(v).lower() in _TRUE)
            if true:
                n = sum(profile.counts[v] for v in profile.counts if str(v) in true)
                meaning = {"role": role, "state": "undone", "when": [{"column": profile.name, "equals": true}]}
                note = f"CHECK: {n:,} of {profile.n_rows:,} rows have {profile.name} {true[0]}: the customer came back"
                yield entry("reactivated", meaning, note)


def _returned(found: Found, role: str) -> Iterable[Entry]:
    """Purchases that were given back: their number of pieces, or else their money, is negative."""
    if role != "purchase":
        return
    for profile in (*fields.quantities(found), *fields.amounts(found)):
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


def withdrawn(found: Found) -> Iterable[Entry]:
    """Payments for a time that a flag calls cancellations: nothing was paid."""
    for profile in found.sample.profiles.values() if found.renewals else ():
        if profile.is_flag and words.has(profile.name, ("cancel", "cancelled", "canceled", "cancellation")):
            true = sorted(str(v) for v in profile.counts if str(v).lower() in _TRUE)
            n = sum(profile.counts[v] for v in profile.counts if str(v) in true)
            if n:
                share = min(1.0, round(n / profile.n_rows * 4 / 3 + 0.005, 2))
                note = f"{n:,} of {profile.n_rows:,} rows have {profile.name} {true[0]}: they are no payments"
                yield entry("cancelled", {"when": [{"column": profile.name, "equals": true}], "most": share}, note)

"""Tables: what one row of each is, whom it is about, and which other table tells it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from churn.core.guess import undated, words
from churn.core.guess.customers import customers_of, linked_customer, links_of, same_person
from churn.core.guess.samples import DAY_US, EVENTS, HISTORY, PERIODS, STATES, THINGS, Found, Link, Sample

_ROWS_EACH, _FEW = 1.5, 20
"""With fewer rows a customer, or fewer customers, one value each may be chance."""
_RENEWAL_DAYS = 14
"""A payment so close to the end of what was paid for before renews it."""
_MOSTLY = 0.5
_LEAST_CONTRACT_DAYS = 7
"""What starts and ends within a week is a session, not a contract."""


def found(samples: Sequence[Sample]) -> list[Found]:
    """What each table is, in the order given."""
    customers = customers_of(samples)
    return [_found(sample, customers, samples) for sample in samples]


def _found(sample: Sample, customers: dict[str, tuple[str, str]], samples: Sequence[Sample]) -> Found:
    links = tuple(links_of(sample, samples))
    customer, whose = customers.get(sample.name, (None, ""))
    if customer is None:
        customer, whose = linked_customer(links, customers)
    person = same_person(sample, samples, customer) if customer else None
    if person:
        links, customer, whose = (*links, person[0]), *person[1:]
    time = _time(sample, links, customer)
    base = Found(sample, THINGS, customer, time, links=links, customer_why=whose)
    if customer is None:
        return replace(base, why="no column tells the customer, neither here nor in a table that it leads to")
    one_a_customer = customer in sample.profiles and sample.profiles[customer].unique
    people = words.has(sample.name, words.PEOPLE)
    if one_a_customer and (wide := undated.wide(sample.rows.column_names)):
        return replace(base, why=wide)
    if one_a_customer and (people or base.role is None) and not _is_alone(sample, samples):
        said = "one row a customer: how customers are today, not since when"
        alone = undated.of_today(list(sample.profiles.values()), customer) if len(samples) == 1 else said
        return replace(base, kind=STATES, why=alone)
    if time is None:
        return replace(base, why=undated.why(list(sample.profiles.values()), customer))
    history = [n for n, p in sample.profiles.items() if p.time and words.has(n, words.VALID)]
    if history:
        return replace(base, kind=HISTORY, time=history[0], why=f"{history[0]} says since when its values hold")
    return _happened(base, customer, time)


def _happened(base: Found, customer: str, time: str) -> Found:
    """What one row is of a table that says whom and when: an event, or a period with an end."""
    end = _end(base.sample, time)
    if not end or base.role in {"campaign", "complaint", "contact", "usage"}:
        return replace(base, kind=EVENTS, why=f"{time} tells when it happened")
    renewed = _renewed(base.sample, customer, time, end)
    if renewed < _MOSTLY:
        return replace(base, kind=PERIODS, end=end, why=f"{time} and {end} lie weeks apart: a row is a period")
    said = f"{renewed:.0%} of the rows are followed by the customer's next one within two weeks of {end}"
    said += ": a row is a payment for a time, and leaving is not to pay again"
    return replace(base, kind=EVENTS, renewals=True, why=said)


def _is_alone(sample: Sample, samples: Sequence[Sample]) -> bool:
    """Whether nothing else tells when contracts began and ended."""
    times = [name for name, profile in sample.profiles.items() if profile.time]
    return len(samples) == 1 and any(words.has(name, words.ENDS) for name in times) and len(times) > 1


def _time(sample: Sample, links: tuple[Link, ...], customer: str | None) -> str | None:
    """The column that tells when: whose name says it best; else that of a campaign; else one by which all was over."""
    timed = [n for n, p in sample.profiles.items() if p.time and not _of_the_customer(sample, n, customer)]
    own = [(n, words.matched(n, words.OCCURRED)) for n in timed if not _later(n)]
    # A row that sums up a time may be named by its end only.
    own = own or [(n, words.matched(n, words.OCCURRED)) for n in timed if _later(n) and _ends_a_period(n)]
    if own:
        blank = {n: sample.profiles[n].n_blank for n, _ in own}
        return max(own, key=lambda pair: (blank[pair[0]] == min(blank.values()), pair[1]))[0]
    for link in links:
        for n, p in link.to.profiles.items():
            if words.has(link.name, words.ROLES["campaign"]) and p.time and not _later(n):
                return f"{link.name}.{n}"
    # An answer may be all that is kept of a question; late is safe, since nothing is known before it happened.
    done = [n for n in timed if words.has(n, words.DONE) and not words.has(n, words.NOT_YET)]
    return next((n for n in done if not sample.profiles[n].n_blank), None)


def _ends_a_period(name: str) -> bool:
    return words.has(name, ("week", "month", "period", "day")) and words.has(name, ("end", "ending", "ended"))


def _of_the_customer(sample: Sample, time: str, customer: str | None) -> bool:
    """Whether a time never differs between the rows of a customer: since when he is one, not when a row happened."""
    if customer is None or customer not in sample.profiles:
        return False
    whose = sample.profiles[customer]
    if whose.n_distinct < _FEW or whose.n_rows < _ROWS_EACH * whose.n_distinct:
        return False
    pairs = pa.table({"a": whose.column, "b": sample.profiles[time].column}).group_by(["a", "b"]).aggregate([])
    return bool(pairs.num_rows <= 1.01 * whose.n_distinct)


def _later(name: str) -> bool:
    return words.has(name, (*words.LATER, *words.RECORDED)) and not words.has(name, words.STARTS)


def _end(sample: Sample, time: str) -> str | None:
    """The column of the end of a period, if periods last for weeks; one that is blank while they run comes first."""
    start = sample.profiles[time].time if time in sample.profiles else None
    found = []
    for name, profile in sample.profiles.items():
        if start is None or name == time or not profile.time or not words.has(name, words.ENDS):
            continue
        both = start.readable & profile.time.readable
        days = (profile.time.us[both] - start.us[both]) / DAY_US
        if len(days) and float(np.median(days)) >= _LEAST_CONTRACT_DAYS:
            found.append((profile.n_blank > 0, words.matched(name, words.ENDS), name))
    return max(found, key=lambda one: one[:2])[2] if found else None


def _renewed(sample: Sample, customer: str, time: str, end: str) -> float:
    """The share of the periods that the same customer's next one follows at once: payments for a time, no contracts."""
    profiles = sample.profiles
    start, until = profiles[time].time, profiles[end].time
    if customer not in profiles or start is None or until is None:
        return 0.0
    who = profiles[customer].column.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    order = np.lexsort((start.us, who))
    same = np.diff(who[order]) == 0
    pause = (start.us[order][1:] - until.us[order][:-1]) / DAY_US
    return float((same & (np.abs(pause) <= _RENEWAL_DAYS)).sum() / max(len(who), 1))

"""Timing: from when to when events are complete, how long customers pause, and what churn can mean in that time."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.definitions import Definition
from churn.core.guess.churners import counted_parts
from churn.core.model.enough import FEW, MANY
from churn.words.windows import DAY_US, instant, local_date

HORIZONS = (7, 14, 28, 60, 90, 180)
LIVES = (14, 28, 60, 90, 180, 365)
"""Days that people plan in; what lies between them makes no other list."""
GRACE_DAYS = 14
_BEFORE = 28
"""Days whose last events tell when a day usually ends."""
_ALONE_DAYS = 30
_ALONE_SHARE = 0.001
"""Up to one event in a thousand that lies a month beyond all others has a wrong date."""
_MOST_EVENTS = 3_000_000
"""More are not needed to count churners; every k-th customer is taken then."""
_BASE_RATES = (0.05, 0.6)
"""Where most customers leave, or hardly any, a list tells little that a glance at the data does not."""


class Window(NamedTuple):
    """Local dates `[since, until)` between which events are complete, and why."""

    since: str
    until: str
    since_why: str
    until_why: str


class Choice(NamedTuple):
    """A definition and its dates: keyword arguments of the sections `definition` and `snapshots`, and why.

    `too_few`: what is missing for any model, and what would make it possible; None if there is enough for one.
    `step_down`: what is missing for boosted trees only, where simpler models have enough; None otherwise.
    """

    definition: dict[str, Any]
    snapshots: dict[str, Any]
    why: tuple[str, ...]
    too_few: str | None
    step_down: str | None


def window(occurred: np.ndarray, time_zone: str, known_after: int | None) -> Window:
    """The dates between which events are complete.

    Parameters
    ----------
    occurred : np.ndarray
        Instants in microseconds, shape `(n_events,)`.
    known_after : int or None
        After how many days from its date a row of sums is known; None if rows are single events.
    """
    times = np.sort(occurred)
    first, last = _without_strays(times)
    n_out = int((times < first).sum() + (times > last).sum())
    out = f"; {n_out:,} events lie more than {_ALONE_DAYS} days away from all others and are left out" if n_out else ""
    since, day = local_date(int(first), time_zone), local_date(int(last), time_zone)
    said = f"the first event is of {since}{out}"
    if known_after:
        until = _plus(day, known_after, time_zone)
        which = "ends on" if known_after == 1 else "begins on"
        return Window(since, until, said, f"CHECK: the last period {which} {day}: is it complete?")
    midnight = instant(day, time_zone)
    clock = int(last - midnight)
    usual = _last_of_days(times, day, time_zone)
    if clock == 0 or clock >= np.quantile(usual, 0.1):
        why = f"CHECK: the last event is of {day}; is that day complete, and did the delivery miss nothing after it?"
        return Window(since, _plus(day, 1, time_zone), said, why)
    why = (
        f"CHECK: the last event is of {day} {_clock(clock)}, but on days before events come until "
        f"{_clock(int(np.median(usual)))}: that day is not complete, so {day} is the end"
    )
    return Window(since, day, said, why)


def choice(
    events: pa.Table,
    *,
    since: int,
    until: int,
    roles: tuple[str, ...],
    contract: bool,
    parts: dict[str, Any],
    churners_least: int,
    step_days: int | None,
) -> Choice:
    """The definition that suits how often customers come, and for which there are enough dates and churners.

    Parameters
    ----------
    events : pa.Table
        EVENTS, sorted by customer and time.
    since, until : int
        Between which they are complete, in microseconds.
    roles : tuple of str
        Of what a customer does; with `contract`, of what makes one a customer.
    parts : dict
        The section `split` of conf/.
    churners_least : int
        With so many churners there is a list, though of a simple model.
    step_days : int or None
        How long a row of sums lasts: dates of prediction should lie as far apart.
    """
    some, share = _some(events)
    pauses = _pauses(some, roles, since, until)
    days = (until - since) // DAY_US
    tried = []
    # Shorter than a row of sums lasts, a window may hold none of anybody.
    for horizon in [one for one in HORIZONS if one >= (step_days or 0)]:
        definition = _definition(horizon, pauses, roles, contract=contract, days=days)
        dates = _dates(horizon + definition.grace_days, days, step_days)
        if dates:
            counted = counted_parts(some, share, since, until, definition, dates, parts)
            tried.append((definition, dates, counted))
    if not tried:
        return _too_short(days, roles, pauses, contract=contract)
    target = float(np.quantile(pauses, 0.9)) if len(pauses) and not contract else 28.0
    lacking = {
        one[0].horizon_days: (one[2].missing(FEW, churners_least), one[2].missing(MANY, churners_least))
        for one in tried
    }
    definition, dates, counted = min(
        tried,
        key=lambda one: (
            *map(len, lacking[one[0].horizon_days]),
            _distance(one[0].horizon_days, target, one[2].base_rate) + _too_soon(one[0].horizon_days, pauses),
        ),
    )
    for_any, for_trees = lacking[definition.horizon_days]
    return Choice(
        _keys(definition),
        dates,
        (*(() if contract else _pause_words(pauses, roles, definition)), *_rate_words(counted.base_rate, definition)),
        _missing_words(for_any, list(lacking)) if for_any else None,
        "; ".join(for_trees) if for_trees and not for_any else None,
    )


def _without_strays(times: np.ndarray) -> tuple[int, int]:
    """The first and last instant, those left out that lie far from all others."""
    n = max(int(len(times) * _ALONE_SHARE), 1)
    gap = _ALONE_DAYS * DAY_US
    if len(times) < 2 * n + 2:
        return int(times[0]), int(times[-1])
    head, tail = np.diff(times[: n + 1]), np.diff(times[-n - 1 :])
    low = int(np.flatnonzero(head > gap)[-1]) + 1 if (head > gap).any() else 0
    high = int(np.flatnonzero(tail > gap)[0]) if (tail > gap).any() else len(tail)
    return int(times[low]), int(times[len(times) - n - 1 + high])


def _plus(day: str, days: int, time_zone: str) -> str:
    return local_date(instant(day, time_zone) + days * DAY_US + DAY_US // 2, time_zone)


def _last_of_days(times: np.ndarray, day: str, time_zone: str) -> np.ndarray:
    """How long after midnight the last event came, on days before `day`, shape `(n_days,)`."""
    found = []
    for back in range(1, _BEFORE + 1):
        start = instant(_plus(day, -back, time_zone), time_zone)
        end = instant(_plus(day, -back + 1, time_zone), time_zone)
        place = int(np.searchsorted(times, end))
        if place and times[place - 1] >= start:
            found.append(int(times[place - 1]) - start)
    return np.array(found or [0])


def _clock(us: int) -> str:
    minutes = us // 60_000_000
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _some(events: pa.Table) -> tuple[pa.Table, int]:
    """Events of every k-th customer, and k."""
    k = -(-events.num_rows // _MOST_EVENTS)
    if k <= 1:
        return events, 1
    code = pc.rank(events["customer_id"], tiebreaker="dense").to_numpy()
    return events.filter(pa.array(code % k == 0)), k


def _pauses(events: pa.Table, roles: tuple[str, ...], since: int, until: int) -> np.ndarray:
    """Days from one active day of a customer to the next, shape `(n_pauses,)`."""
    mine = events.filter(pc.is_in(events["role"].cast(pa.string()), value_set=pa.array(roles)))
    us = mine["occurred_at"].cast(pa.int64()).to_numpy()
    inside = (us >= since) & (us < until)
    code = mine["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)[inside]
    active = np.unique(np.stack([code, (us[inside] - since) // DAY_US]), axis=1)
    same = np.diff(active[0]) == 0
    return np.diff(active[1])[same]


def _definition(horizon: int, pauses: np.ndarray, roles: tuple[str, ...], *, contract: bool, days: int) -> Definition:
    if contract:
        return Definition("contract", 0, horizon, roles=roles, grace_days=GRACE_DAYS)
    least = max(2 * horizon, float(np.quantile(pauses, 0.95)) if len(pauses) else 0)
    live = next((n for n in LIVES if n >= least), None)
    # Who may be silent for most of the time that there is was, in effect, never out.
    return Definition(
        "inactivity", 0, horizon, live_days=None if live is None or live > days / 2 else live, roles=roles
    )


def _dates(outcome_days: int, days: int, step_days: int | None) -> dict[str, Any] | None:
    """The section `snapshots` for which four parts and some more training dates fit; None if they do not."""
    every = 7 if outcome_days <= 14 else 14
    every = 28 if step_days and step_days > 7 else every
    apart = -(-outcome_days // every) * every
    room = days - 4 * apart
    if room < 0:
        return None
    # Two months of history before the first date, where there are two months.
    history = int(min(60, max(room - 2 * every, room // 2)))
    return {
        "every_days": every,
        "most": int(min((days - history) // every + 1, 4 * apart // every + 12)),
        "history_days": history,
    }


def _distance(horizon: int, target: float, rate: float | None) -> float:
    """How far a horizon is from what pauses ask for; a base rate that tells little counts as 4 times."""
    useful = rate is not None and _BASE_RATES[0] <= rate <= _BASE_RATES[1]
    return float(abs(np.log(horizon / max(target, 1.0)))) + (0 if useful else np.log(4))


def _too_soon(horizon: int, pauses: np.ndarray) -> float:
    """What counts against a horizon within which most who pay once a month, say, do not come although they stay."""
    return float(np.log(4)) if len(pauses) and np.quantile(pauses, 0.5) > horizon else 0.0


def _keys(definition: Definition) -> dict[str, Any]:
    if definition.kind == "contract":
        return {"horizon_days": definition.horizon_days, "start_roles": list(definition.roles)}
    return {
        "live_days": definition.live_days,
        "horizon_days": definition.horizon_days,
        "roles": list(definition.roles),
    }


def _pause_words(pauses: np.ndarray, roles: Sequence[str], definition: Definition) -> Iterable[str]:
    if len(pauses):
        half, most, nearly = (int(np.ceil(np.quantile(pauses, q))) for q in (0.5, 0.9, 0.95))
        yield (
            f"Of {len(pauses):,} pauses between days with {' or '.join(roles)} half last up to {half} days, "
            f"nine of ten up to {most}, 95 % up to {nearly}"
        )
    if definition.kind == "inactivity" and definition.live_days is None:
        yield "Everybody who ever came counts as a customer: pauses are too long for the time that there is"


def _rate_words(rate: float | None, definition: Definition) -> Iterable[str]:
    if rate is not None:
        said = f"At the newest date whose outcome is known, {rate:.1%} of the customers leave within"
        yield f"{said} {definition.horizon_days} days. CHECK: is that what your team calls leaving?"


def _missing_words(missing: list[str], tried: list[int]) -> str:
    said = "; ".join(m for m in missing if m)
    others = ", ".join(map(str, tried))
    return (
        f"{said}. Horizons of {others} days were tried, none is enough. More customers or a longer history make it "
        f"possible; with few customers split.train_as_ofs and snapshots.most may be raised"
    )


def _too_short(days: int, roles: tuple[str, ...], pauses: np.ndarray, *, contract: bool) -> Choice:
    shortest = HORIZONS[0] + (GRACE_DAYS if contract else 0)
    definition = _definition(HORIZONS[0], pauses, roles, contract=contract, days=days)
    need = 4 * -(-shortest // 7) * 7
    too_few = (
        f"the events span {days} days, and four parts with outcome windows of {shortest} days need {need}: "
        f"{need - days} more days of history make it possible"
    )
    return Choice(_keys(definition), {"every_days": 7, "most": 12, "history_days": 0}, (), too_few, None)

"""What says too much: a feature, a value, an event type or an id that all but names the churners."""

from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.leaks.alarm import Alarm
from churn.core.leaks.future import day
from churn.core.model.enough import LEAK_AUC
from churn.core.model.ranking import auc
from churn.core.timeline import instants
from churn.words.tables import FEATURES
from churn.words.windows import DAY_US

ROWS_LEAST = 20
"""Fewer customers can be nearly all churners by chance."""
SHARE_MOST = 0.8
ODDS_MOST = 20.0
"""A group of customers gives itself away when, beyond chance, more than `SHARE_MOST` of it churn and its odds are
`ODDS_MOST` times those of all others. The strongest honest group that we met is 7 times (docs/decisions)."""
CERTAIN = 2.58
"""Standard errors below the measured share: 99 % certain."""
BAND = 3.0
"""An honest feature leaves at least a third of the distance to a perfect ranking that the best time rule leaves."""
ID_MOST = 0.15
"""How far the order of ids may rank churners from .5 beyond what the age of the customer explains: ids are often given
in the order of joining."""
FAR_DAYS = 90
"""How long before the end a first value must have been known to be unable to name those who left."""
PRESENCE_DAYS = 30
"""The lookback in which an event type counts as present."""


def band(best_time_auc: float) -> float:
    """The AUC up to which a single feature is honest, given that of the best time rule.

    >>> band(0.7)
    0.9
    """
    return round(1 - (1 - best_time_auc) / BAND, 4)


def telling_features(
    features: pa.Table, churned: np.ndarray, time_features: Iterable[str], vouched: Collection[str]
) -> list[Alarm]:
    """One alarm a feature that ranks churners beyond the honest band at an as-of date, or whose null gives them away.

    The band of a time feature, of which the best is the measure of the others, is what no model may learn from.

    Parameters
    ----------
    features : pa.Table
        FEATURES of snapshots whose outcome is known.
    churned : np.ndarray
        Outcomes, bool, shape `(n_snapshots,)`.
    time_features : iterable of str
        The time features, the best of which is the time rule.
    vouched : collection of str
        Features that raise no alarm.
    """
    as_of = instants(features["as_of"])
    rules = set(time_features)
    found: dict[str, Alarm] = {}
    for date in np.unique(as_of):
        here = as_of == date
        outcome = churned[here]
        if min(outcome.sum(), (~outcome).sum()) < ROWS_LEAST:
            continue
        rows = features.filter(pa.array(here))
        reached = {name: _auc(rows[name], outcome) for name in _numbers(rows)}
        honest = band(max((reached[name] for name in rules if name in reached), default=0.5))
        for name, measured in reached.items():
            limit = LEAK_AUC if name in rules else honest
            if measured > limit and name not in vouched:
                words = (
                    f"{name} alone ranks churners with AUC {measured:.3f} at {day(date)}; honest is up to {limit:.3f}"
                )
                found.setdefault(name, Alarm("single_feature", name, measured, limit, f"{words}. {_REMEDY}"))
    for name in (name for name in _numbers(features) if name not in vouched):
        null = np.isnan(features[name].to_numpy(zero_copy_only=False))
        for said, group in (("null", null), ("not null", ~null)):
            alarm = _pure("null_pattern", name, f"{name} is {said}", group, churned)
            if alarm:
                found.setdefault(name, alarm)
    return list(found.values())


def telling_values(features: pa.Table, churned: np.ndarray) -> list[Alarm]:
    """One alarm an attribute value, or lack of one, that gives churners away: it was written when they had left."""
    found = []
    for name, said, group in _values(features):
        alarm = _pure("attribute_value", name, f"{name} is {said}", group, churned)
        if alarm:
            found.append(alarm)
    return found


def values_of_today(features: pa.Table) -> list[Alarm]:
    """One alarm an attribute whose first value says who will have left in the end: it was written afterwards.

    A value that was true at a customer's first as-of date can speak for or against leaving, but it cannot all but name
    who is still there `FAR_DAYS` later or more.

    Parameters
    ----------
    features : pa.Table
        FEATURES of all snapshots, sorted by customer and as_of; who has no snapshot at the newest date has left.
    """
    as_of = instants(features["as_of"])
    if not len(as_of):
        return []
    customer = features["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    first = np.flatnonzero(np.diff(customer, prepend=-1))
    left = ~np.isin(customer[first], customer[as_of == as_of.max()])
    early = as_of.max() - as_of[first] >= FAR_DAYS * DAY_US
    found = []
    for name, said, group in _values(features.take(pa.array(first[early]))):
        alarm = _pure("value_of_today", name, f"{name} is {said} from the start", group, left[early])
        if alarm:
            found.append(alarm)
    return found


def _values(features: pa.Table) -> Iterator[tuple[str, str, np.ndarray]]:
    """Each attribute and value in words, with the rows that have it; where some have none, also any, and none.

    A column that is filled in for those who left gives them away by being filled in, whatever the values say.
    """
    for name in features.column_names:
        if pa.types.is_dictionary(features.schema.field(name).type):
            column = features[name].cast(pa.string())
            known = pc.is_valid(column).to_numpy()
            if not known.all():
                yield name, "filled in", known
                yield name, "blank", ~known
            for value in pc.unique(column).drop_null().to_pylist():
                yield name, repr(value), pc.equal(column, value).fill_null(False).to_numpy()


def present(events: pa.Table, snapshots: pa.Table) -> dict[str, np.ndarray]:
    """Event type → whether a snapshot's customer had one in `[as_of - 30 days, as_of)`, known then; `(n_snapshots,)`.

    Parameters
    ----------
    events : pa.Table
        EVENTS of whole customers, sorted.
    snapshots : pa.Table
        SNAPSHOTS of the same customers, in the same order of customers.
    """
    customers = pc.unique(events["customer_id"])
    row = pc.index_in(events["customer_id"], value_set=customers).to_numpy().astype(np.int64)
    mine = (
        pc.index_in(snapshots["customer_id"], value_set=customers).fill_null(len(customers)).to_numpy().astype(np.int64)
    )
    occurred, recorded, as_of = (
        instants(events["occurred_at"]), instants(events["recorded_at"]), instants(snapshots["as_of"])
    )  # fmt: skip
    kinds = events["event_type"].combine_chunks()
    found = {}
    for code, kind in enumerate(kinds.dictionary.to_pylist()):
        of_kind = kinds.indices.to_numpy() == code
        found[kind] = _any_within(row[of_kind], occurred[of_kind], recorded[of_kind], mine, as_of)
    return found


def telling_events(presence: Mapping[str, np.ndarray], churned: np.ndarray) -> list[Alarm]:
    """One alarm an event type that customers have before `as_of` only if they are about to leave, such as a ticket by
    which the contract was cancelled, or a call to win them back.

    Parameters
    ----------
    presence : mapping
        Of the event types that are not activity, from `present`.
    churned : np.ndarray
        Outcomes, bool, shape `(n_snapshots,)`.
    """
    words = f"they have {{}} in the {PRESENCE_DAYS} days before as_of"
    alarms = [_pure("event_type", kind, words.format(repr(kind)), has, churned) for kind, has in presence.items()]
    return [alarm for alarm in alarms if alarm]


def telling_ids(ids: pa.ChunkedArray, as_of: np.ndarray, tenure_days: np.ndarray, churned: np.ndarray) -> list[Alarm]:
    """An alarm where the order of ids ranks churners, beyond what the age of customers explains: rows were sorted by
    the outcome before ids were given.
    """
    newest = as_of == as_of.max()
    outcome = churned[newest]
    if min(outcome.sum(), (~outcome).sum()) < ROWS_LEAST:
        return []
    place = _ranks(ids.filter(pa.array(newest)))
    reached, explained = (abs(auc(values, outcome) - 0.5) for values in (place, tenure_days[newest]))
    if reached - explained <= ID_MOST:
        return []
    limit = 0.5 + explained + ID_MOST
    words = (
        f"the order of customer ids ranks churners with AUC {0.5 + reached:.3f}, that of their age with "
        f"{0.5 + explained:.3f}. Ids were given when the outcome was known; use others"
    )
    return [Alarm("id_order", "customer_id", 0.5 + reached, limit, words)]


_REMEDY = "Look when it is recorded: what is written because a customer left must carry the time of writing"


def _pure(check: str, name: str, words: str, group: np.ndarray, churned: np.ndarray) -> Alarm | None:
    """An alarm where a group of snapshots is all but made of churners, or of those who stay."""
    n, others = int(group.sum()), churned[~group]
    if n < ROWS_LEAST or len(others) < ROWS_LEAST:
        return None
    for what, outcome in (("churn", churned), ("stay", ~churned)):
        share, rate = float(outcome[group].mean()), float(outcome[~group].mean())
        if _gives_away(share, n, int(outcome[~group].sum()), len(others)):
            told = f"of {n:,} snapshots for which {words}, {share:.1%} {what}, and {rate:.1%} of the others"
            return Alarm(check, name, share, SHARE_MOST, f"{told}. {_REMEDY}")
    return None


def _gives_away(share: float, n: int, others: int, n_others: int) -> bool:
    """Whether a share of n is beyond chance so high that nothing honest explains it, given those of all others."""
    # Wilson 1927: the lower end of the interval of a share. Half a case more keeps the odds finite; Haldane 1956.
    spread = np.sqrt(share * (1 - share) / n + CERTAIN**2 / (4 * n**2))
    sure = (share + CERTAIN**2 / (2 * n) - CERTAIN * spread) / (1 + CERTAIN**2 / n)
    rate = (others + 0.5) / (n_others + 1)
    return bool(sure > SHARE_MOST and sure / (1 - sure) > ODDS_MOST * rate / (1 - rate))


def _auc(column: pa.ChunkedArray, churned: np.ndarray) -> float:
    values = column.to_numpy(zero_copy_only=False)
    reached = [auc(values, churned, null_last=last) for last in (True, False)]
    return max(max(a, 1 - a) for a in reached)


def _numbers(features: pa.Table) -> list[str]:
    return [f.name for f in features.schema if f.name not in FEATURES.key and pa.types.is_floating(f.type)]


def _any_within(
    row: np.ndarray, occurred: np.ndarray, recorded: np.ndarray, mine: np.ndarray, as_of: np.ndarray
) -> np.ndarray:
    """Whether a customer has an event in the window that was known; events are sorted by customer and time."""
    far = np.int64(PRESENCE_DAYS) * DAY_US
    begin = _place(row, occurred, mine, as_of - far)
    end = _place(row, occurred, mine, as_of)
    found = np.zeros(len(as_of), dtype=bool)
    for step in range(int((end - begin).max(initial=0))):
        at = begin + step
        inside = at < end
        found |= inside & (recorded[np.where(inside, at, 0)] < as_of)
    return found


def _place(row: np.ndarray, occurred: np.ndarray, mine: np.ndarray, instant: np.ndarray) -> np.ndarray:
    """How many events, by customer and time, come before an instant in the life of a customer."""
    # Instants come first, so that of equal times they stand before the events: what happens then is not before.
    order = np.lexsort((np.concatenate([instant, occurred]), np.concatenate([mine, row])))
    is_event = order >= len(mine)
    before = np.empty(len(order), dtype=np.int64)
    before[order] = np.cumsum(is_event) - is_event
    return before[: len(mine)]


def _ranks(ids: pa.ChunkedArray) -> np.ndarray:
    """The place of each id in their order: as numbers where all of them are, otherwise as texts."""
    texts = ids.cast(pa.string()).combine_chunks()
    if pc.all(pc.match_substring_regex(texts, r"^[0-9]{1,18}$")).as_py():
        return texts.cast(pa.int64()).to_numpy().astype(np.float64)
    return pc.rank(texts, sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.float64)

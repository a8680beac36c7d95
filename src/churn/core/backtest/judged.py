"""Judged: every figure of every model over all lists, with what it is on many resamples of the customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from churn.core.backtest.day import Day
from churn.core.backtest.ranked import Ranked, at_depth, ranked
from churn.core.metrics import METRICS, Falling, counted, falling
from churn.core.resamples import drawn_customers, interval_of

RANKING = ("auc", "ap", "lift10")
"""Measured within each list and averaged over lists: a team compares the customers of one day with each other. Over all
lists together a model would earn credit for knowing that more customers leave in some months."""
PROBABILITY = ("base_rate", "logloss", "brier", "ece")
"""Measured over the customers of all lists together."""
LIST = ("precision", "lift", "recall", "caught", "money")
"""Of the customers with the highest scores, as many as the team can contact: the share that left, that share as a
multiple of the base rate, the share of all who left, how many left, and what these were expected to bring."""
DELIVERED = "money_delivered"
"""The money of those who left among as many customers with the most value at risk: the order of the delivered list."""


@dataclass(frozen=True)
class Rows:
    """Customers of one list whose outcome is known.

    `customers` are whole numbers, the same for the same customer in all lists; `capacity` is how many the team can
    contact. All arrays have shape `(n_rows,)`.
    """

    as_of: int
    customers: np.ndarray
    churned: np.ndarray
    value: np.ndarray
    scores: dict[str, np.ndarray]
    capacity: int

    def some(self, kept: np.ndarray) -> "Rows":
        """The rows that are true in `kept`; the capacity is that of all."""
        scores = {name: p[kept] for name, p in self.scores.items()}
        return Rows(self.as_of, self.customers[kept], self.churned[kept], self.value[kept], scores, self.capacity)


@dataclass(frozen=True)
class Judged:
    """Model → figure → value: over all lists, on each resample of the customers, and list by list.

    `resampled` has arrays of shape `(bootstrap,)`, `of_each` one entry a list in their order, `of_each_resampled` the
    figures of `RANKING` of that list.
    """

    whole: dict[str, dict[str, float]]
    resampled: dict[str, dict[str, np.ndarray]]
    of_each: list[dict[str, dict[str, float]]]
    of_each_resampled: list[dict[str, dict[str, np.ndarray]]]

    def row(self, name: str, interval: float) -> dict[str, float]:
        """Each figure of one model with `_low` and `_high`."""
        found: dict[str, float] = {}
        for figure, value in self.whole[name].items():
            low, high = interval_of(value, self.resampled[name][figure], interval, pivotal=figure == "ece")
            found |= {figure: value, f"{figure}_low": low, f"{figure}_high": high}
        return found

    def difference(self, name: str, other: str, interval: float) -> dict[str, float]:
        """Each figure of one model less that of another, on the same resamples, with `_low` and `_high`."""
        found: dict[str, float] = {}
        for figure in self.whole[name]:
            if figure == "base_rate":
                continue
            value = self.whole[name][figure] - self.whole[other][figure]
            low, high = interval_of(value, self.resampled[name][figure] - self.resampled[other][figure], interval)
            found |= {figure: value, f"{figure}_low": low, f"{figure}_high": high}
        return found


def rows_of(days: Sequence[Day], *, capacity: int) -> list[Rows]:
    """The customers of each list whose outcome is known, with a number for each customer."""
    ids = {name: i for i, name in enumerate(sorted({name for day in days for name in day.customers.to_pylist()}))}
    return [
        Rows(
            day.as_of,
            np.array([ids[name] for name in day.customers.to_pylist()], np.int64)[day.known],
            day.churned[day.known],
            day.value[day.known],
            {name: p[day.known] for name, p in day.scores.items()},
            capacity,
        )
        for day in days
    ]


def judged(lists: Sequence[Rows], *, bootstrap: int, seed: int) -> Judged:
    """Every figure of every model, over all lists and of each.

    A resample draws as many customers as there are, with replacement, and takes all rows of each in all lists (Field
    and Welsh 2007, J. R. Stat. Soc. B 69): lists of neighbouring days hold the same customers, and outcomes of the same
    days. All models meet the same resamples, so differences between them are paired.
    """
    names = list(lists[0].scores)
    numbers = np.unique(np.concatenate([rows.customers for rows in lists]), return_inverse=True)[1]
    ends = np.cumsum([len(rows.customers) for rows in lists])
    places = np.split(numbers, ends[:-1])
    sorted_rows = {name: _sorted(lists, name) for name in names}
    once = np.ones((1, int(numbers.max()) + 1))
    whole, of_each = _figures(sorted_rows, lists, places, numbers, once)
    draws = drawn_customers(once.shape[1], len(numbers), bootstrap=bootstrap, seed=seed)
    collected = [_figures(sorted_rows, lists, places, numbers, drawn) for drawn in draws]
    return Judged(
        {name: {figure: float(value[0]) for figure, value in by.items()} for name, by in whole.items()},
        {name: _joined([part[0][name] for part in collected]) for name in names},
        [{n: {f: float(v[0]) for f, v in by.items()} for n, by in one.items()} for one in of_each],
        [{name: _joined([part[1][i][name] for part in collected]) for name in names} for i in range(len(lists))],
    )


@dataclass(frozen=True)
class _Sorted:
    """The rows of one model, sorted once for all resamples: of all lists together, and of each."""

    together: Falling
    each: list[Falling]
    by_score: list[Ranked]
    by_value: list[Ranked]


def _sorted(lists: Sequence[Rows], name: str) -> _Sorted:
    return _Sorted(
        falling(np.concatenate([rows.churned for rows in lists]), np.concatenate([r.scores[name] for r in lists])),
        [falling(rows.churned, rows.scores[name]) for rows in lists],
        [ranked(rows.scores[name]) for rows in lists],
        [ranked(np.round(rows.scores[name] * rows.value, 2)) for rows in lists],
    )


def _figures(
    sorted_rows: Mapping[str, _Sorted],
    lists: Sequence[Rows],
    places: Sequence[np.ndarray],
    numbers: np.ndarray,
    drawn: np.ndarray,
) -> tuple[dict[str, dict[str, np.ndarray]], list[dict[str, dict[str, np.ndarray]]]]:
    """Model → figure → shape `(n_resamples,)`, over all lists and of each; `drawn` counts each customer."""
    whole: dict[str, dict[str, np.ndarray]] = {}
    of_each: list[dict[str, dict[str, np.ndarray]]] = [{} for _ in lists]
    for name, sorted_of in sorted_rows.items():
        together = counted(sorted_of.together, drawn[:, numbers[sorted_of.together.order]])
        whole[name] = {figure: METRICS[figure](together) for figure in PROBABILITY}
        for i, (rows, place) in enumerate(zip(lists, places, strict=True)):
            found = counted(sorted_of.each[i], drawn[:, place[sorted_of.each[i].order]])
            of_each[i][name] = {figure: METRICS[figure](found) for figure in RANKING}
            of_each[i][name] |= _listed(sorted_of.by_score[i], sorted_of.by_value[i], rows, drawn[:, place])
        for figure in of_each[0][name]:
            whole[name][figure] = _mean([one[name][figure] for one in of_each])
    return whole, of_each


def _listed(by_score: Ranked, by_value: Ranked, rows: Rows, times: np.ndarray) -> dict[str, np.ndarray]:
    """The figures of `LIST` and `DELIVERED`; `times` has shape `(n_resamples, n_rows)`."""
    left, lost = rows.churned.astype(np.float64), rows.churned * rows.value
    n, k, caught, money = at_depth(by_score, (left, lost), times, rows.capacity)
    _, _, delivered = at_depth(by_value, (lost,), times, rows.capacity)
    churners = times @ left
    return {
        "precision": caught / k,
        "lift": np.divide(caught * n, k * churners, out=np.full(len(n), np.nan), where=churners > 0),
        "recall": np.divide(caught, churners, out=np.full(len(n), np.nan), where=churners > 0),
        "caught": caught,
        "money": money,
        DELIVERED: delivered,
    }


def _mean(lists: Sequence[np.ndarray]) -> np.ndarray:
    """The mean over the lists that can say it: a small group may have a list on which nobody left."""
    values = np.vstack(lists)
    said = np.isfinite(values)
    total = np.where(said, values, 0.0).sum(axis=0)
    return np.divide(total, said.sum(axis=0), out=np.full(values.shape[1], np.nan), where=said.any(axis=0))


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {figure: np.concatenate([part[figure] for part in parts]) for figure in parts[0]}

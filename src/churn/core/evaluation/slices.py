"""Slices: the same model on groups of customers: where it ranks worst, is untrue, and whom the team would not call.

A group of few customers is not shown, nor is one that could be had by subtracting the shown ones from all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa

from churn.core import metrics
from churn.core.evaluation.bands import of_equal_count, tenths
from churn.core.evaluation.groups import VALUES_ZH, grouped, kept_groups
from churn.core.resamples import interval_of

BIN_ROWS = 20
"""Rows that a bin of the calibration error takes at least: with fewer, chance alone makes an error of ten points."""
RESAMPLES = 500
"""Of the churners of each bin, for the interval of a group's calibration error: ten numbers a resample."""

WORST = {
    "worse": {
        "en": "It ranks worst the customers with {attribute}: {value} (AUC {auc:.3f}, {low:.3f} to {high:.3f}, against "
        "{whole:.3f} overall; {n:,} snapshots).",
        "zh": "对“{attribute}：{value}”的客户排序最差（AUC {auc:.3f}，区间 {low:.3f} 至 {high:.3f}，"
        "整体为 {whole:.3f}；样本 {n:,} 个）。",
    },
    "none": {
        "en": "No group of customers is certainly ranked worse than all of them together ({groups} groups looked at).",
        "zh": "没有哪一组客户的排序确定差于整体（共考察 {groups} 组）。",
    },
}
"""worse: the group's interval, widened for the number of groups, lies below the AUC of all rows."""

NAME = {"en": "{attribute}: {value}", "zh": "{attribute}：{value}"}
"""What a group is called."""


@dataclass(frozen=True)
class Judged:
    """The rows that are cut into slices.

    Attributes
    ----------
    churned, p : np.ndarray
        Outcome (bool) and probability, shape `(n_rows,)`.
    selected : np.ndarray
        Chance of being among those whom the team calls, shape `(n_rows,)`; see `selected`.
    customers : np.ndarray
        Whole numbers from 0, one for each customer, shape `(n_rows,)`.
    """

    churned: np.ndarray
    p: np.ndarray
    selected: np.ndarray
    customers: np.ndarray

    @cached_property
    def one_row_each(self) -> bool:
        """Whether no customer has two rows, as with one as_of."""
        return int(np.bincount(self.customers).max()) == 1

    def n_customers(self, inside: np.ndarray) -> int:
        """Customers among the rows that are true."""
        return int(inside.sum()) if self.one_row_each else len(np.unique(self.customers[inside]))

    def alone(self, inside: np.ndarray | slice = slice(None)) -> float:
        """Customers for each of the rows."""
        return 1.0 if self.one_row_each else len(np.unique(self.customers[inside])) / len(self.customers[inside])


def by_slice(
    rows: Judged,
    columns: pa.Table,
    *,
    words: Mapping[str, Mapping[str, str]],
    currencies: Mapping[str, str],
    slices_least: int,
    interval: float,
    ece_most: float,
    seed: int,
) -> dict[str, Any]:
    """`slices`, one entry per group; `suppressed`, how many are not shown; `worst_slice`, in words.

    Parameters
    ----------
    rows : Judged
    columns : pa.Table
        Row by row the same: numbers, which are cut into quarters, and attributes.
    words : mapping of column to mapping of language to text
        What each column is.
    currencies : mapping of column to currency
        ISO 4217, of the columns that are money.
    slices_least : int
        Customers in a group that is shown, at least.
    interval : float
        Probability that the intervals cover.
    ece_most : float
        Calibration error beyond which a group's probabilities are untrue, if its whole interval is.
    seed : int
        Of the resamples.
    """
    shown: list[dict[str, Any]] = []
    hidden = 0
    for name in columns.column_names:
        place, values = grouped(columns[name], currency=currencies.get(name))
        kept = kept_groups(place, slices_least, rows.n_customers)
        hidden += len(values) - len(kept)
        found = [
            {
                "attribute": name,
                "value": values[g],
                "name": _name(words[name], values[g]),
                **_measured(rows, place == g, interval=interval, least=slices_least, seed=seed),
            }
            for g in kept
        ]
        most = max((one["selection_rate"] for one in found), default=0.0)
        shown += [{**one, "selection_ratio": one["selection_rate"] / most if most else None} for one in found]
    return {
        "slices": shown,
        "suppressed": hidden,
        "worst_slice": worst(shown, metrics.auc(rows.churned, rows.p), words, interval=interval, ece_most=ece_most),
    }


def selected(p: np.ndarray, as_of: np.ndarray, capacity: int) -> np.ndarray:
    """Chance of each row to be among the `capacity` highest scores of its as_of, ties broken by lot.

    >>> selected(np.array([0.9, 0.5, 0.5, 0.1]), np.zeros(4, np.int64), 2).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    chance = np.zeros(len(p))
    for date in np.unique(as_of):
        rows = np.flatnonzero(as_of == date)
        falling = np.sort(-p[rows])
        before = np.searchsorted(falling, -p[rows], side="left")
        ties = np.searchsorted(falling, -p[rows], side="right") - before
        chance[rows] = np.clip((capacity - before) / ties, 0.0, 1.0)
    return chance


def worst(
    shown: Sequence[Mapping[str, Any]],
    whole: float,
    words: Mapping[str, Mapping[str, str]],
    *,
    interval: float,
    ece_most: float,
) -> dict[str, Any]:
    """The group that is certainly ranked worse than the whole, and the most so; and those with untrue probabilities.

    One group in twenty is below its interval by chance, so the interval is that of all groups together (Bonferroni).
    """
    ranked = [one for one in shown if one["auc"] is not None]
    sure = 1 - (1 - interval) / max(len(ranked), 1)
    ends = [auc_interval(one["auc"], one["churners"], one["n"] - one["churners"], sure)[1] for one in ranked]
    below = [i for i, end in enumerate(ends) if end < whole]
    untrue = [{"attribute": one["attribute"], "value": one["value"]} for one in shown if one["ece_low"] > ece_most]
    if not below:
        said = {language: text.format(groups=len(shown)) for language, text in WORST["none"].items()}
        return {"attribute": None, "value": None, **said, "untrue": untrue}
    group = ranked[min(below, key=lambda i: ends[i])]
    numbers = {
        **{name: group[name] for name in ("auc", "n")},
        "low": group["auc_low"],
        "high": group["auc_high"],
        "whole": whole,
    }
    said = {
        language: text.format(
            attribute=words[group["attribute"]][language], value=_value(group["value"], language), **numbers
        )
        for language, text in WORST["worse"].items()
    }
    return {"attribute": group["attribute"], "value": group["value"], **said, "untrue": untrue}


def _value(value: str, language: str) -> str:
    """The name of a group in a language: what is not of the data has a word in each."""
    return VALUES_ZH.get(value, value) if language == "zh" else value


def _name(words: Mapping[str, str], value: str) -> dict[str, str]:
    """Language → what the group is called there."""
    return {
        language: NAME[language].format(attribute=text, value=_value(value, language))
        for language, text in words.items()
    }


def auc_interval(auc: float, churners: float, stayers: float, interval: float) -> tuple[float, float]:
    """Low and high end of the interval of an AUC, which holds up at 0 and 1 and in small groups.

    The true values at which the found one is just as far off as chance allows, by the variance of Hanley and McNeil
    with equal group sizes inside it: method 5 of Newcombe 2006, Statistics in Medicine 25, 559.
    """
    z = NormalDist().inv_cdf((1 + interval) / 2)
    n = (churners + stayers) / 2

    def beyond(true: np.ndarray) -> np.ndarray:
        inner = 1 + (n - 1) * ((1 - true) / (2 - true) + true / (1 + true))
        return np.abs(auc - true) - z * np.sqrt(true * (1 - true) * inner / (churners * stayers))

    return _edge(beyond, auc, 0.0), _edge(beyond, auc, 1.0)


def _edge(beyond: Any, inside: float, outside: float) -> float:
    """Where `beyond` turns positive on the way from `inside` to `outside`; halving 50 times is exact enough."""
    for _ in range(50):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if beyond(middle) > 0 else (middle, outside)
    return float(inside)


def _measured(rows: Judged, inside: np.ndarray, *, interval: float, least: int, seed: int) -> dict[str, Any]:
    """The numbers of one group."""
    churned, p, picked = rows.churned[inside], rows.p[inside], rows.selected[inside]
    n, churners = len(churned), int(churned.sum())
    # Rows of one customer repeat each other: they count as often as there are customers.
    alone = rows.alone(inside)
    both = 0 < churners < n
    auc = metrics.auc(churned, p) if both else None
    ends = (None, None) if auc is None else auc_interval(auc, churners * alone, (n - churners) * alone, interval)
    ece, ece_low, ece_high = _calibration(churned, p, alone, interval=interval, seed=seed)
    return {
        "n": n,
        "churners": churners,
        "base_rate": churners / n,
        "score": float(p.mean()),
        "auc": auc,
        "auc_low": ends[0],
        "auc_high": ends[1],
        "ece": ece,
        "ece_low": ece_low,
        "ece_high": ece_high,
        **tenths(churned, p, rows.customers[inside], interval=interval, least=least, alone=alone),
        "selected": float(picked.sum()),
        "selection_rate": float(picked.mean()),
    }


def _calibration(
    churned: np.ndarray, p: np.ndarray, alone: float, *, interval: float, seed: int
) -> tuple[float, float, float]:
    """The calibration error and its interval, from drawing the churners of each bin anew.

    At most ten bins of equal count, fewer in a small group.
    """
    n_bins = int(np.clip(len(p) // BIN_ROWS, 1, metrics.N_BINS))
    place = of_equal_count(p, n_bins)
    n = np.bincount(place)
    held = np.flatnonzero(n)
    mean, share = (np.bincount(place, x)[held] / n[held] for x in (p, churned))
    n = n[held]
    few = np.maximum(np.round(n * alone), 1).astype(np.int64)
    drawn = np.random.default_rng(seed).binomial(few, share, size=(RESAMPLES, len(n))) / few
    error = float(np.abs(share - mean) @ n / len(p))
    resampled = np.abs(drawn - mean) @ n / len(p)
    return error, *interval_of(error, resampled, interval, pivotal=True)

"""Stability: whether the model is as good for new customers as for old ones, and for large ones as for small ones."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from churn.core.backtest.day import Day
from churn.core.backtest.judged import Judged, Rows, judged
from churn.core.evaluation.groups import kept_groups

BOOTSTRAP_MOST = 200
"""Resamples of a group: its intervals are wide, and their ends need not be known to the third digit."""
TENURES = (0.0, 90.0, 180.0, 365.0)
"""Days since the first event at which a band begins."""
QUARTERS = ("lowest", "third", "second", "highest")
"""Of the customers of one list, by what they are expected to bring."""


def stability(
    days: Sequence[Day], lists: Sequence[Rows], *, least: int, bootstrap: int, seed: int, interval: float
) -> dict[str, Any]:
    """One entry a band of tenure and a quarter of value, with the model's figures and their spread over lists.

    `suppressed` counts the groups that are not shown: those of fewer than `least` customers, those that subtracting the
    others from all would tell of so few, and those without a list on which some left and some stayed.
    """
    customers = np.concatenate([rows.customers for rows in lists])
    found: list[dict[str, Any]] = []
    suppressed = 0
    for attribute, names, places in _groups(days):
        of_each = [place[day.known] for day, place in zip(days, places, strict=True)]
        whole, n = np.concatenate(of_each), len(names)
        mute = [g for g in range(n) if not _tells(lists, of_each, g)]
        place = np.where(np.isin(whole, mute), -1, whole)
        kept = kept_groups(place, least, lambda inside: len(np.unique(customers[inside])))
        suppressed += len(np.unique(whole[whole >= 0])) - len(kept)
        for group in kept:
            there = [
                Rows(r.as_of, r.customers, r.churned, r.value, {"model": r.scores["model"]}, r.capacity)
                for r in (rows.some(one == group) for rows, one in zip(lists, of_each, strict=True))
                if len(r.churned)
            ]
            said = judged(there, bootstrap=min(bootstrap, BOOTSTRAP_MOST), seed=seed)
            found.append({"attribute": attribute, "value": names[group], **_row(there, said, interval)})
    return {"groups": found, "suppressed": suppressed}


def _groups(days: Sequence[Day]) -> Iterator[tuple[str, list[str], list[np.ndarray]]]:
    """Attribute, names of its groups, and of each list the group of each customer, -1 for what is not known."""
    ends = [*TENURES[1:], np.inf]
    bands = [
        f"{low:.0f} days or more" if np.isinf(high) else f"{low:.0f} to {high:.0f} days"
        for low, high in zip(TENURES, ends, strict=True)
    ]
    tenures = [
        np.where(np.isnan(t), -1, np.searchsorted(TENURES, t, "right") - 1) for t in (d.tenure_days for d in days)
    ]
    yield "tenure", bands, tenures
    if any(day.value.any() for day in days):
        yield "value", [f"{words} quarter" for words in QUARTERS], [_quarters(day.value) for day in days]


def _quarters(value: np.ndarray) -> np.ndarray:
    """0 to 3 by rank of the value; customers of equal value share the quarter of the first of them."""
    return np.minimum(np.searchsorted(np.sort(value), value, side="left") * 4 // max(len(value), 1), 3)


def _tells(lists: Sequence[Rows], places: Sequence[np.ndarray], group: int) -> bool:
    """Whether there is a list on which some of the group left and some stayed."""
    outcomes = [rows.churned[place == group] for rows, place in zip(lists, places, strict=True)]
    return any(churned.any() and not churned.all() for churned in outcomes)


def _row(lists: Sequence[Rows], said: Judged, interval: float) -> dict[str, Any]:
    row = said.row("model", interval)
    auc = [each["model"]["auc"] for each in said.of_each if np.isfinite(each["model"]["auc"])]
    return {
        "n": sum(len(rows.churned) for rows in lists),
        "churners": int(sum(rows.churned.sum() for rows in lists)),
        "base_rate": row["base_rate"],
        **{key: row[key] for figure in ("auc", "ece") for key in (figure, f"{figure}_low", f"{figure}_high")},
        "auc_least": min(auc, default=float("nan")),
        "auc_most": max(auc, default=float("nan")),
    }

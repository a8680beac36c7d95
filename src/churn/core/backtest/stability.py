"""Stability: whether the model is as good for new customers as for old ones, and for large ones as for small ones."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from churn.core.backtest.day import Day
from churn.core.backtest.judged import Judged, Rows, judged

LEAST = 20
"""Groups of fewer customers are not reported: their figures are chance, and could tell of single people."""
BOOTSTRAP_MOST = 200
"""Resamples of a group: its intervals are wide, and their ends need not be known to the third digit."""
TENURES = (0.0, 90.0, 180.0, 365.0)
"""Days since the first event at which a band begins."""
QUARTERS = ("lowest", "third", "second", "highest")
"""Of the customers of one list, by what they are expected to bring."""


def stability(
    days: Sequence[Day], lists: Sequence[Rows], *, bootstrap: int, seed: int, interval: float
) -> dict[str, Any]:
    """One entry a band of tenure and a quarter of value, with the model's figures and their spread over lists.

    `suppressed` counts the groups of fewer than `LEAST` customers, or with one outcome only.
    """
    found: list[dict[str, Any]] = []
    suppressed = 0
    for attribute, value, masks in _groups(days):
        kept = [rows.some(mask[day.known]) for day, rows, mask in zip(days, lists, masks, strict=True)]
        there = [
            Rows(r.as_of, r.customers, r.churned, r.value, {"model": r.scores["model"]}, r.capacity)
            for r in kept
            if len(r.churned)
        ]
        if not _enough(there):
            suppressed += sum(len(rows.churned) for rows in there) > 0
            continue
        said = judged(there, bootstrap=min(bootstrap, BOOTSTRAP_MOST), seed=seed)
        found.append({"attribute": attribute, "value": value, **_row(there, said, interval)})
    return {"groups": found, "suppressed": suppressed}


def _groups(days: Sequence[Day]) -> Iterator[tuple[str, str, list[np.ndarray]]]:
    """Attribute, value, and of each list the rows that have it."""
    ends = [*TENURES[1:], np.inf]
    for low, high in zip(TENURES, ends, strict=True):
        words = f"{low:.0f} days or more" if np.isinf(high) else f"{low:.0f} to {high:.0f} days"
        yield "tenure", words, [(day.tenure_days >= low) & (day.tenure_days < high) for day in days]
    if not any(day.value.any() for day in days):
        return
    quarters = [_quarters(day.value) for day in days]
    for place, words in enumerate(QUARTERS):
        yield "value", f"{words} quarter", [quarter == place for quarter in quarters]


def _quarters(value: np.ndarray) -> np.ndarray:
    """0 to 3 by rank of the value; customers of equal value share the quarter of the first of them."""
    return np.minimum(np.searchsorted(np.sort(value), value, side="left") * 4 // max(len(value), 1), 3)


def _enough(lists: Sequence[Rows]) -> bool:
    if not lists:
        return False
    customers = np.unique(np.concatenate([rows.customers for rows in lists]))
    churned = np.concatenate([rows.churned for rows in lists])
    return len(customers) >= LEAST and bool(churned.any()) and not churned.all()


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

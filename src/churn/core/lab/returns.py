"""How likely a customer comes back after so many days of silence."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from churn.core.definitions.definition import ever_known, own_acts
from churn.core.timeline import Timeline
from churn.words.windows import DAY_US

if TYPE_CHECKING:
    from churn.core.history import Cells

BIN_DAYS = 7
MOST_DAYS = 364
"""Silence is looked at by weeks, up to a year."""
RETURN_DAYS = (30, 90, 180)
"""Within how many days somebody comes back."""


@dataclass(frozen=True)
class Returns:
    """How many customers were silent for so many weeks at an as-of date, and how many of them came back.

    `silent` and `back` have shape `(len(RETURN_DAYS), MOST_DAYS // BIN_DAYS)`. A date counts for a number of days only
    if that many days after it were observed.
    """

    silent: np.ndarray
    back: np.ndarray

    def __add__(self, other: "Returns") -> "Returns":
        return Returns(self.silent + other.silent, self.back + other.back)

    def probability(self, least: int) -> np.ndarray:
        """Share of the silent who came back, shape as above; NaN where fewer than `least` customers were silent."""
        return np.where(self.silent >= least, self.back / np.maximum(self.silent, 1), np.nan)


def returns(line: Timeline, cells: "Cells", roles: tuple[str, ...], observed_until: int) -> Returns:
    """Of the customers of a batch at every as-of date: silence by what happened before it, and whether they came back.

    This looks back at history as it was, so late records count as if they had come in time.
    """
    from churn.core.history import WindowSpec, window_sums

    mask = own_acts(roles)
    silence = days_since_act(line, cells, mask, 0)
    week = np.where(np.isnan(silence), -1, silence // BIN_DAYS).astype(np.int64)
    counted = (week >= 0) & (week < MOST_DAYS // BIN_DAYS)
    specs: list[WindowSpec] = [(mask, -1, -days * DAY_US, 0) for days in RETURN_DAYS]
    acted = window_sums(line, cells, specs, recorded=ever_known(line)) > 0
    n = MOST_DAYS // BIN_DAYS
    silent, back = np.zeros((2, len(RETURN_DAYS), n), dtype=np.int64)
    for i, days in enumerate(RETURN_DAYS):
        seen = counted & (cells.as_ofs + days * DAY_US <= observed_until)[cells.as_of_index]
        silent[i] = np.bincount(week[seen], minlength=n)
        back[i] = np.bincount(week[seen & acted[i]], minlength=n)
    return Returns(silent, back)


def days_since_act(line: Timeline, cells: "Cells", mask: int, after_days: int) -> np.ndarray:
    """Days from the last event of the mask before `as_of + after_days` until then, shape `(n_cells,)`; NaN: none."""
    from churn.core.history import locate

    moved = replace(cells, as_ofs=cells.as_ofs + after_days * DAY_US)
    everything = replace(line, recorded=ever_known(line))
    _, last, _ = locate(everything, moved, [mask])[:, 0]
    instant = moved.as_ofs[moved.as_of_index]
    return np.where(last >= 0, (instant - line.occurred[last]) / DAY_US, np.nan)

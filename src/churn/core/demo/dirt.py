"""The dirt planted in the files of the demo world: how much of each kind, and which rows carry it.

Flaws are extra rows, copied from good ones and then spoilt, so that no good event is lost and the truth stays true.
"""

import numpy as np

from churn.core.demo.activity import Columns
from churn.core.demo.rhythm import DAY

DUPLICATES = 0.003
"""Share of rows that stand in the file twice, as after a transfer that was repeated."""
SPACED_IDS = 0.002
"""Share of rows whose customer id has spaces behind it. They are good rows once trimmed."""
FLAWS = {
    "blank_id": 5e-5,
    "unreadable_date": 1e-4,
    "negative_amount": 1e-4,
    "unknown_type": 1e-4,
    "out_of_window": 1e-4,
}
"""Share of extra rows with each flaw, in the sources that have it. What one source sends into quarantine adds up to
0.035 %, a third of what the data contract lets pass without a warning."""
OUT_BY_DAYS = 800
"""Rows out of the window lie so many days too early or too late: more than the two years observed."""
NO_FLAW = -1


def with_dirt(rng: np.random.Generator, rows: Columns, flaws: tuple[str, ...], first_id: int) -> Columns:
    """The same rows, the flawed ones and the duplicates behind them, with three columns more.

    `flaw` is the position in FLAWS, or NO_FLAW; `spaced` says that the customer id gets spaces; `id` counts the rows
    from `first_id` on, duplicates having the id of their original. Counts are exact: the share of the rows, rounded.
    """
    n = len(rows["who"])
    plain = np.full(n, NO_FLAW, dtype=np.int8)
    source, flaw = [np.arange(n)], [plain]
    for name in flaws:
        copied = rng.choice(n, round(FLAWS[name] * n), replace=False)
        source.append(copied)
        flaw.append(np.full(len(copied), list(FLAWS).index(name), dtype=np.int8))
    taken = np.concatenate(source)
    dirty = {name: column[taken] for name, column in rows.items()}
    dirty["flaw"] = np.concatenate(flaw)
    dirty["id"] = first_id + np.arange(len(taken))
    dirty["spaced"] = rng.random(len(taken)) < SPACED_IDS
    repeated = rng.choice(len(taken), round(DUPLICATES * len(taken)), replace=False)
    twice = np.concatenate([np.arange(len(taken)), repeated])
    return _out_of_window({name: column[twice] for name, column in dirty.items()})


def has(rows: Columns, flaw: str) -> np.ndarray:
    """Which rows carry a flaw. Shape `(n_rows,)`."""
    return rows["flaw"] == list(FLAWS).index(flaw)


def _out_of_window(rows: Columns) -> Columns:
    """Times that are wrong by years, half of them too early and half too late."""
    sign = np.where(rows["id"] % 2 == 0, 1, -1)
    shift = np.where(has(rows, "out_of_window"), sign * OUT_BY_DAYS * DAY, 0)
    return rows | {name: rows[name] + shift for name in ("at", "recorded_at") if name in rows}

"""Split: which part each as-of date plays, so that no label of an earlier part reaches into a later one."""

from typing import Annotated

import numpy as np
import pyarrow as pa
from annotated_types import Ge

from churn.core.definitions import Definition
from churn.core.timeline import instants
from churn.words.errors import DriftFault, NotEnoughData, message
from churn.words.tables import INSTANT, SPLIT
from churn.words.windows import DAY_US

EACH_LEAST = 100
"""Churners, or stayers, that are there or expected. A young business of a hundred customers was seen to go from 4 % to
27 % within a year, and its list is still worth having."""


def split(
    snapshots: pa.Table,
    *,
    observed_until: int,
    definition: Definition,
    test_as_ofs: Annotated[int, Ge(1)],
    calibration_as_ofs: Annotated[int, Ge(1)],
    validation_as_ofs: Annotated[int, Ge(1)],
    train_as_ofs: Annotated[int, Ge(1)] | None,
    base_rate_most: Annotated[float, Ge(1)],
) -> pa.Table:
    """One row per as-of date: its part, its outcome window, its snapshots and its churners.

    From the newest matured date back: `test_as_ofs` dates are the test, then those whose outcome windows end no later
    than the first test date may calibrate, and so on; what lies between two parts is the embargo. The newest date of
    all is the one to score, when its outcome is still open.

    Parameters
    ----------
    snapshots : pa.Table
        The columns as_of and churned of SNAPSHOTS.
    observed_until : int
        Up to when events are complete, in microseconds.
    train_as_ofs : int or None
        How many dates train; None takes all that are old enough.
    base_rate_most : float
        How many times as many of the newest customers may have churned, or stayed, as of those in training.

    Returns
    -------
    pa.Table
        SPLIT.

    Raises
    ------
    NotEnoughData
        When the history is too short for one date in each part, with the number of days that it lacks.
    DriftFault
        When the newest outcomes are not of the world that the older ones are of: a feed stopped, or a role changed.
    """
    as_of, n_snapshots, n_churned = _counts(snapshots)
    until = as_of + definition.outcome_days * DAY_US
    matured = until <= observed_until
    part = np.full(len(as_of), "embargo", dtype=object)
    if len(as_of) and not matured[-1]:
        part[-1] = "score"
    wanted = {
        "test": test_as_ofs,
        "calibration": calibration_as_ofs,
        "validation": validation_as_ofs,
        "train": train_as_ofs or len(as_of),
    }
    limit = observed_until
    for name, most in wanted.items():
        candidates = np.flatnonzero((until <= limit) & matured)[-most:]
        if len(candidates) == 0:
            raise NotEnoughData(_too_short(name, as_of, observed_until, definition, wanted))
        part[candidates] = name
        limit = as_of[candidates[0]]
    _check_base_rate(n_snapshots, n_churned, part, base_rate_most)
    return pa.table(
        [
            _instants(as_of),
            pa.array(part.tolist(), pa.string()),
            _instants(as_of + definition.gap_days * DAY_US),
            _instants(until),
            pa.array(n_snapshots),
            pa.array(n_churned, mask=~matured),
        ],
        schema=SPLIT.schema,
    )


def _counts(snapshots: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    as_of, inverse = np.unique(instants(snapshots["as_of"]), return_inverse=True)
    churned = snapshots["churned"].fill_null(False).to_numpy().astype(np.int64)
    n_snapshots = np.bincount(inverse, minlength=len(as_of)).astype(np.int64)
    n_churned = np.bincount(inverse, weights=churned, minlength=len(as_of)).astype(np.int64)
    return as_of, n_snapshots, n_churned


def _check_base_rate(n: np.ndarray, churned: np.ndarray, part: np.ndarray, most: float) -> None:
    """The test dates have about the same share of churners, and of stayers, as training had.

    Of those that are more, at least `EACH_LEAST` must be there or expected: ten against three are chance.
    """
    shares = []
    for name in ("test", "train"):
        rows, left = int(n[part == name].sum()), int(churned[part == name].sum())
        shares.append((rows, left, left / max(rows, 1)))
    (rows, left, here), (_, _, usual) = shares
    for what, share, before in (("churned", here, usual), ("stayed", 1 - here, 1 - usual)):
        low, high = sorted((share, before))
        if high * rows >= EACH_LEAST and high > most * low:
            raise DriftFault(
                message(
                    f"{share:.1%} of the newest customers {what}, {before:.1%} did in training: {_times(high, low)}",
                    where="the newest as_of whose outcome is known",
                    many=f"{rows:,} customers, {left:,} churned; the limit is {most:g} times",
                    do="did a feed stop, or was a file not delivered? Look at the newest days of each source. If it is "
                    "true, raise split.base_rate_most in conf/config.yaml",
                )
            )


def _times(high: float, low: float) -> str:
    return f"{high / low:.1f} times apart" if low else "more than a thousand times apart"


def _instants(microseconds: np.ndarray) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(INSTANT)


def _too_short(
    name: str, as_of: np.ndarray, observed_until: int, definition: Definition, wanted: dict[str, int]
) -> str:
    parts = len(wanted)
    need = parts * definition.outcome_days
    have = (observed_until - as_of[0]) // DAY_US if len(as_of) else 0
    return (
        f"no as-of date is left for the part {name}: {parts} parts with outcome windows of {definition.outcome_days} "
        f"days need at least {need} days between the first as-of date and observed_until, and there are {have}. "
        "Raise snapshots.most where the history is longer, shorten definition.horizon_days, or ask for less in split."
    )

"""Why customers of the demo world leave: each cause with its signs in the events and its pressure to leave.

A cause begins (onset), shows first in the events (its signs), then raises the hazard (its pressure), and ends with the
customer leaving or with the trouble solved. The true cause of every customer is known and written beside the events.
"""

from typing import NamedTuple

import numpy as np

from churn.core.demo.rhythm import WEEKS


class Cause(NamedTuple):
    """One cause of leaving.

    `groups`: the reason groups that state it. `share`: how often it strikes among those whom it can strike.
    `signs_weeks`: weeks until the signs are full. `lag_weeks`: weeks from onset until the pressure starts.
    `offer_hazard_ratio`: hazard after a retention offer, as a multiple of the hazard without one.
    """

    groups: tuple[str, ...]
    share: float
    signs_weeks: int
    lag_weeks: int
    offer_hazard_ratio: float


CAUSES: dict[str, Cause] = {
    "none": Cause((), 0.0, 1, 0, 1.0),
    "usage_fades": Cause(("usage_drop", "usage_silence"), 1.6, 3, 4, 0.7),
    "orders_fade": Cause(("purchase_drop", "purchase_silence", "spend_drop"), 2.2, 2, 5, 0.65),
    "complaints_pile_up": Cause(("complaints",), 0.7, 1, 3, 0.6),
    "payments_fail": Cause(("payments",), 0.7, 1, 3, 0.8),
    "bad_service": Cause(("survey", "contacts"), 0.7, 1, 3, 0.75),
    "price": Cause(("discounts",), 2.4, 1, 5, 0.45),
}
"""Every cause by name. The price is what an offer mends best; a card that fails is not mended by a present."""

CAUSE_NAMES = tuple(CAUSES)
ONSET_PER_WEEK = 0.04
"""Chance that a cause begins in a week, for a customer who has had none: five in six meet trouble within a year."""
FIRST_CALM_WEEKS = 6
"""Weeks after sign-up without trouble, so that there is a usual behaviour to fall from."""
SOLVED_AFTER_WEEKS = (10, 18)
"""A cause is over after so many weeks if the customer has not left: a third of those in trouble stay."""
PRESSURE_PER_WEEK = 0.13
"""Median extra hazard a week under full pressure: about 40 % leave within four weeks."""
BASE_PER_WEEK = 0.0016
"""Median hazard a week of a customer on the plus plan without any trouble, about 0.6 % in four weeks.
Together with the pressure this makes about 5 % leave in four weeks, and lets a good model reach an AUC of about .85."""


def code(cause: str) -> int:
    """Position of a cause in CAUSES.

    >>> code("none")
    0
    """
    return CAUSE_NAMES.index(cause)


def ramp(begin: np.ndarray, until: np.ndarray, rise_weeks: np.ndarray) -> np.ndarray:
    """Strength from 0 to 1: rises over `rise_weeks` from week `begin` on, back to 0 from week `until` on.

    Returns shape `(n, WEEKS)`, float32. `begin` may lie before the first week or beyond the last.

    >>> ramp(np.array([1]), np.array([4]), np.array([2]))[0, :5].tolist()
    [0.0, 0.5, 1.0, 1.0, 0.0]
    """
    weeks = np.arange(WEEKS, dtype=np.float32)
    rising = (weeks - begin[:, None] + 1) / rise_weeks[:, None].astype(np.float32)
    strength = np.clip(rising, 0, 1, dtype=np.float32)
    strength[weeks >= until[:, None]] = 0
    return strength


def signs(cause: np.ndarray, onset: np.ndarray, solved: np.ndarray) -> np.ndarray:
    """How strongly each customer's cause shows in the events of each week, 0 to 1. Shape `(n, WEEKS)`."""
    rise = np.array([c.signs_weeks for c in CAUSES.values()])
    return _of_those_in_trouble(cause, ramp(onset, solved, rise[cause]))


def pressure(cause: np.ndarray, onset: np.ndarray, solved: np.ndarray) -> np.ndarray:
    """How strongly each customer's cause presses to leave in each week, 0 to 1. Shape `(n, WEEKS)`."""
    lag = np.array([c.lag_weeks for c in CAUSES.values()])
    return _of_those_in_trouble(cause, ramp(onset + lag[cause], solved, np.full(len(cause), 2)))


def _of_those_in_trouble(cause: np.ndarray, strength: np.ndarray) -> np.ndarray:
    strength[cause == code("none")] = 0
    return strength


def cumulated(hazard: np.ndarray) -> np.ndarray:
    """Hazard cumulated from the first week to the start of each week. Shape `(n, WEEKS + 1)`, float64."""
    begin = np.zeros((len(hazard), 1))
    return np.concatenate([begin, np.cumsum(hazard, axis=1, dtype=np.float64)], axis=1)


def cumulated_at(total: np.ndarray, week: np.ndarray) -> np.ndarray:
    """Hazard cumulated from the first week to a moment given in (fractional) weeks, clipped to those observed.

    `total` is the result of `cumulated`, `week` has shape `(n,)`. Returns shape `(n,)`.

    >>> float(cumulated_at(cumulated(np.full((1, WEEKS), 2.0)), np.array([1.5]))[0])
    3.0
    """
    week = np.clip(week, 0, WEEKS)
    whole = np.minimum(week.astype(np.int64), WEEKS - 1)
    rows = np.arange(len(total))
    below, above = total[rows, whole], total[rows, whole + 1]
    return below + (week - whole) * (above - below)


def leaving_week(total: np.ndarray, entered_week: np.ndarray, patience: np.ndarray) -> np.ndarray:
    """Moment, in fractional weeks, at which the hazard cumulated since `entered_week` exceeds `patience`.

    Exact for a hazard that is constant within a week; `patience` is Exp(1) distributed. Infinity where the customer
    has not left within the weeks observed. Shape `(n,)`.
    """
    wanted = cumulated_at(total, entered_week) + patience
    whole = np.minimum((total[:, 1:] <= wanted[:, None]).sum(axis=1), WEEKS - 1)
    rows = np.arange(len(total))
    below, above = total[rows, whole], total[rows, whole + 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        week = whole + (wanted - below) / (above - below)
    return np.where(wanted >= total[:, -1], np.inf, week)

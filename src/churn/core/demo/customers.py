"""The customers of one block of the demo world: habits, plan, trouble, hazard and the moment of leaving."""

from typing import NamedTuple

import numpy as np

from churn.core.demo.causes import (
    BASE_PER_WEEK,
    CAUSE_NAMES,
    CAUSES,
    FIRST_CALM_WEEKS,
    ONSET_PER_WEEK,
    PRESSURE_PER_WEEK,
    SOLVED_AFTER_WEEKS,
    code,
    cumulated,
    leaving_week,
    pressure,
    signs,
)
from churn.core.demo.rhythm import DAY, END, START, WEEK, WEEKS, seconds_in_week

PLANS = ("basic", "plus", "pro")
PLAN_PRICE = (999, 1999, 3999)
"""Monthly price of each plan, in hundredths of a euro."""
PLAN_HAZARD = (1.4, 1.0, 0.6)
"""Hazard of each plan as a multiple of the plus plan's: those who pay more have thought longer."""
COUNTRIES = ("DE", "CN", "AT", "FR", "CH", "GB", "NA")
COUNTRY_SHARES = (0.4, 0.2, 0.12, 0.12, 0.08, 0.065, 0.015)
"""NA is Namibia, a true value that careless readers take for missing."""
NEWCOMER_HAZARD = 1.5
"""Extra hazard on the first day, as a multiple of the usual; it halves every six weeks."""
PAY_EVERY_DAYS = 30


class Customers(NamedTuple):
    """Customers of one block as arrays of shape `(n,)`, and what happens to them as arrays `(n, WEEKS)`.

    Times are seconds since 1970 UTC. `onset` and `solved` are weeks since the start (they may be negative, or beyond
    the end). `left_at` is END for those who stayed.
    """

    number: np.ndarray
    signed_up_at: np.ndarray
    plan: np.ndarray
    next_plan: np.ndarray
    plan_changed_at: np.ndarray
    country: np.ndarray
    usage_per_week: np.ndarray
    orders_per_week: np.ndarray
    basket: np.ndarray
    prefers_app: np.ndarray
    member: np.ndarray
    satisfaction: np.ndarray
    cause: np.ndarray
    onset: np.ndarray
    solved: np.ndarray
    base_hazard: np.ndarray
    offer_hazard_ratio: np.ndarray
    signs: np.ndarray
    hazard: np.ndarray
    left_at: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def showing(self, cause: str) -> np.ndarray:
        """Strength of the signs of one cause per customer and week, 0 for all others. Shape `(n, WEEKS)`."""
        return self.signs * (self.cause == code(cause))[:, None]

    def plan_at(self, who: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Plan of customers `who` at the instants `at`. Both of any one shape."""
        return np.where(at >= self.plan_changed_at[who], self.next_plan[who], self.plan[who])


def customers(rng: np.random.Generator, *, first: int, n: int) -> Customers:
    """`n` customers with the numbers `first`, `first + 1`, …; the same generator state gives the same customers."""
    habits = _habits(rng, n)
    signed_up_at = _sign_ups(rng, n)
    plan = rng.choice(3, n, p=(0.5, 0.35, 0.15))
    changes = rng.random(n) < 0.15
    next_plan = np.where(changes, (plan + rng.integers(1, 3, n)) % 3, plan)
    entered_at = np.maximum(signed_up_at, START)
    # Plans change at midnight of a day, never before the customer's first whole month.
    plan_changed_at = entered_at + (30 + rng.integers(0, 500, n)) * DAY
    plan_changed_at -= (plan_changed_at - START) % DAY
    cause, onset, solved = _troubles(rng, signed_up_at, **habits)
    base_hazard = BASE_PER_WEEK * rng.lognormal(0, 0.4, n)
    peak = PRESSURE_PER_WEEK * rng.lognormal(0, 0.35, n)
    hazard = base_hazard[:, None] * _circumstances(signed_up_at, plan, next_plan, plan_changed_at)
    hazard += peak[:, None] * pressure(cause, onset, solved)
    hazard = hazard.astype(np.float32)
    entered_week = (entered_at - START) / WEEK
    week = leaving_week(cumulated(hazard), entered_week, rng.exponential(size=n))
    left_at = np.where(np.isinf(week), END, START + np.ceil(np.minimum(week, WEEKS) * WEEK)).astype(np.int64)
    # A cause that had not begun when the customer left, or when the observation ended, was none.
    cause = np.where(START + onset * WEEK < left_at, cause, code("none"))
    ratio = np.array([c.offer_hazard_ratio for c in CAUSES.values()])[cause] * rng.lognormal(0, 0.1, n)
    return Customers(
        number=np.arange(first, first + n), signed_up_at=signed_up_at, plan=plan, next_plan=next_plan,
        plan_changed_at=plan_changed_at, country=rng.choice(len(COUNTRIES), n, p=COUNTRY_SHARES),
        basket=rng.lognormal(3.4, 0.5, n) * 100, prefers_app=rng.beta(1.2, 1.2, n),
        satisfaction=rng.normal(8, 1, n), cause=cause, onset=onset, solved=solved, base_hazard=base_hazard,
        offer_hazard_ratio=ratio, signs=signs(cause, onset, solved), hazard=hazard, left_at=left_at, **habits,
    )  # fmt: skip


def _circumstances(
    signed_up_at: np.ndarray, plan: np.ndarray, next_plan: np.ndarray, plan_changed_at: np.ndarray
) -> np.ndarray:
    """By how much plan and newness multiply the hazard in each week. Shape `(n, WEEKS)`."""
    factor, week_starts = np.array(PLAN_HAZARD, dtype=np.float32), START + np.arange(WEEKS) * WEEK
    changed = week_starts >= plan_changed_at[:, None]
    tenure_weeks = np.maximum(week_starts - signed_up_at[:, None], 0).astype(np.float32) / WEEK
    newcomer = 1 + NEWCOMER_HAZARD * np.exp2(-tenure_weeks / 6)
    return np.where(changed, factor[next_plan, None], factor[plan, None]) * newcomer


def _habits(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """How often customers use and order, most of them seldom and a few of them a lot; who is in the discount club."""
    return {
        "usage_per_week": rng.gamma(2.0, 0.78, n) + 0.15,
        "orders_per_week": rng.gamma(2.0, 0.16, n) + 0.06,
        "member": rng.random(n) < 0.5,
    }


def _sign_ups(rng: np.random.Generator, n: int) -> np.ndarray:
    """Three in ten had signed up in the year before the observation, the others come evenly over the two years."""
    week = np.where(rng.random(n) < 0.3, rng.integers(-52, 0, n), rng.integers(0, WEEKS - 1, n))
    return START + week * WEEK + seconds_in_week(rng, n)


def _troubles(
    rng: np.random.Generator,
    signed_up_at: np.ndarray,
    *,
    usage_per_week: np.ndarray,
    orders_per_week: np.ndarray,
    member: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cause, week of onset, and week in which it is solved unless the customer left before. Each of shape `(n,)`.

    A habit can only fade where there is one, and only members of the discount club can lose their discount.
    """
    n = len(signed_up_at)
    can = {
        "none": np.zeros(n, dtype=bool),
        "usage_fades": usage_per_week > 1.2,
        "orders_fade": orders_per_week > 0.4,
        "price": member & (orders_per_week > 0.3),
    }
    weights = np.stack([CAUSES[c].share * can.get(c, np.ones(n, dtype=bool)) for c in CAUSE_NAMES], axis=1)
    shares = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    cause = (rng.random((n, 1)) > shares).sum(axis=1)
    calm_until = np.maximum((signed_up_at - START) // WEEK, -18) + FIRST_CALM_WEEKS
    onset = calm_until + rng.geometric(ONSET_PER_WEEK, n)
    onset = np.where(cause == code("payments_fail"), _week_of_next_payment(signed_up_at, onset), onset)
    return cause, onset, onset + rng.integers(SOLVED_AFTER_WEEKS[0], SOLVED_AFTER_WEEKS[1] + 1, n)


def _week_of_next_payment(signed_up_at: np.ndarray, week: np.ndarray) -> np.ndarray:
    """A card that fails is noticed at the next payment: the week in which it is due, `week` or later."""
    after = START + week * WEEK - signed_up_at
    due_at = signed_up_at - (-after // (PAY_EVERY_DAYS * DAY)) * PAY_EVERY_DAYS * DAY
    return (due_at - START) // WEEK

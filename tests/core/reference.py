"""Every feature once more, slowly and obviously: pandas, one snapshot at a time, straight from the words of the
catalogue."""

import functools
import math

import numpy as np
import pandas as pd

from churn.words.tables import ROLES, SUPERSEDED
from churn.words.windows import DAY_US

NAN = math.nan


def reference(
    events: pd.DataFrame, as_of: int, windows_days: tuple[int, ...], period_days: int, periods: int
) -> dict[str, float]:
    """All features of one customer at one as_of, from all events of that customer."""
    known = events[(events["occurred_at"] < as_of) & (events["recorded_at"] < as_of)]
    if SUPERSEDED in known:
        known = known[known[SUPERSEDED].isna() | (known[SUPERSEDED] >= as_of)]
    known = known.sort_values(["occurred_at", "recorded_at", "event_id"])
    known = known.assign(
        age=(as_of - known["occurred_at"]) / DAY_US,
        day=(known["occurred_at"] - as_of) // DAY_US,
        amount=pd.to_numeric(known["amount_minor"]) / 100,
        discount=pd.to_numeric(known["discount_minor"]) / 100,
        quantity=pd.to_numeric(known["quantity_milli"]) / 1000,
    )
    # Few columns of plain types: choosing rows is most of the work.
    words = known[["role", "state", "category", "channel"]].astype(object)
    known = pd.concat([words, known[["age", "day", "amount", "discount", "quantity"]].astype(float)], axis=1)

    @functools.cache
    def of(role, days=None, state=None):
        if days is None:
            return known[(known["role"] == role) & (known["state"] == (state or ROLES[role][0]))]
        near, far = days if isinstance(days, tuple) else (0, days)
        chosen = of(role, None, state)
        inside = chosen[chosen["age"] > near]
        return inside[inside["age"] <= far]

    def since(chosen, nth=1):
        return chosen["age"].iloc[-nth] if len(chosen) >= nth else NAN

    def at(chosen, column, nth=1):
        value = chosen[column].iloc[-nth] if len(chosen) >= nth else NAN
        return NAN if pd.isna(value) else value

    def first(chosen):
        return chosen["age"].iloc[0] if len(chosen) else NAN

    def div(a, b):
        return a / b if b > 0 else NAN

    def mean(chosen, column):
        values = chosen[column].dropna()
        return values.mean() if len(values) else NAN

    out: dict[str, float] = {}

    def trend(name, role, measure):
        for d in (d for d in windows_days if d <= 180):
            now, before = measure(of(role, d)), measure(of(role, (d, 2 * d)))
            out[f"{name}_ratio_{d}d"] = div(now, before)
            out[f"{name}_change_{d}d"] = now - before
            age = first(of(role))
            out[f"{name}_own_rate_ratio_{d}d"] = div(now / d, measure(of(role)) / age) if age >= d else NAN
        by_period = [measure(of(role, (i * period_days, (i + 1) * period_days))) for i in range(periods)]
        declines = 0
        while declines < periods - 1 and by_period[declines] < by_period[declines + 1]:
            declines += 1
        out[f"{name}_decline_periods"] = declines
        out[f"{name}_slope"] = np.polyfit(-np.arange(periods), by_period, 1)[0]

    for role, plural, items in (("purchase", "purchases", "items"), ("usage", "sessions", "usage_quantity")):
        all_time = of(role)
        out[f"days_since_{role}"] = since(all_time)
        out[f"days_since_previous_{role}"] = since(all_time, 2)
        gaps = np.diff(np.sort(of(role, 365)["day"].unique()))
        out[f"{role}_gap_mean_days"] = gaps.mean() if len(gaps) else NAN
        out[f"{role}_gap_deviation_days"] = gaps.std() if len(gaps) else NAN
        out[f"{role}_gap_longest_days"] = gaps.max() if len(gaps) else NAN
        out[f"{role}_gap_q90_days"] = np.quantile(gaps, 0.9) if len(gaps) else NAN
        out[f"{role}_silence_ratio"] = since(all_time) / gaps.mean() if len(gaps) else NAN
        out[f"{role}_silence_beyond_q90_days"] = since(all_time) - np.quantile(gaps, 0.9) if len(gaps) else NAN
        out[f"{role}_silence_of_tenure"] = min(div(since(all_time), first(all_time)), 1) if len(all_time) else NAN
        for d in windows_days:
            out[f"{plural}_{d}d"] = len(of(role, d))
            out[f"{role}_days_{d}d"] = of(role, d)["day"].nunique()
            out[f"{items}_{d}d"] = of(role, d)["quantity"].sum()
            if d >= 30:
                out[f"{role}_categories_{d}d"] = of(role, d)["category"].nunique()
                out[f"{role}_channels_{d}d"] = of(role, d)["channel"].nunique()
        out[f"{plural}_total"] = len(all_time)
        out[f"{role}_days_total"] = all_time["day"].nunique()
        out[f"{items}_mean_365d"] = mean(of(role, 365), "quantity")
        trend(plural, role, len)
    trend("usage_quantity", "usage", lambda chosen: chosen["quantity"].sum())
    trend("spend", "purchase", lambda chosen: chosen["amount"].sum())

    def taken_off(days):
        bought = of("purchase", days)
        return div(bought["discount"].sum(), bought["discount"].sum() + bought["amount"].sum())

    for d in windows_days:
        out[f"spend_{d}d"] = of("purchase", d)["amount"].sum()
        out[f"complaints_{d}d"] = len(of("complaint", d))
        if d >= 90:
            out[f"spend_mean_{d}d"] = mean(of("purchase", d), "amount")
        if d >= 30:
            out[f"discount_share_{d}d"] = taken_off(d)
            out[f"returns_{d}d"] = len(of("purchase", d, "returned"))
            out[f"payments_failed_{d}d"] = len(of("payment", d, "failed"))
            out[f"campaigns_sent_{d}d"] = len(of("campaign", d))
            out[f"campaigns_answered_{d}d"] = len(of("campaign", d, "answered"))
            for state in ("by_customer", "by_company"):
                out[f"contacts_{state}_{d}d"] = len(of("contact", d, state))
    out["spend_total"] = of("purchase")["amount"].sum()
    out["last_spend"] = at(of("purchase"), "amount")
    net = of("purchase", 365)["amount"].sum() - abs(of("purchase", 365, "returned")["amount"].sum())
    out["spend_per_day_365d"] = net / min(max(first(of("purchase")), 30), 365) if len(of("purchase")) else NAN
    out["discount_share_change_90d"] = taken_off(90) - taken_off((90, 180))
    off, paid = at(of("purchase"), "discount"), at(of("purchase"), "amount")
    out["last_discount_share"] = div(off, off + paid)
    out["return_share_365d"] = div(len(of("purchase", 365, "returned")), len(of("purchase", 365)))
    failed, came = len(of("payment", 90, "failed")), len(of("payment", 90))
    out["payments_failed_share_90d"] = div(failed, failed + came)
    out["days_since_payment"] = since(of("payment"))
    out["days_since_failed_payment"] = since(of("payment", None, "failed"))
    paid_in = of("payment", 365)["amount"].sum()
    out["paid_per_day_365d"] = paid_in / min(max(first(of("payment")), 30), 365) if len(of("payment")) else NAN
    out["complaints_30d_90d"] = len(of("complaint", (30, 90)))
    out["complaints_total"] = len(of("complaint"))
    out["open_complaints"] = len(of("complaint")) - len(of("complaint", None, "closed"))
    out["days_since_complaint"] = since(of("complaint"))
    for state in ("by_customer", "by_company"):
        out[f"days_since_contact_{state}"] = since(of("contact", None, state))
    for state in ("nps", "csat"):
        answers = of("survey", None, state)
        out[f"last_{state}"] = at(answers, "quantity")
        out[f"{state}_change"] = at(answers, "quantity") - at(answers, "quantity", 2)
        out[f"{state}_mean_365d"] = mean(of("survey", 365, state), "quantity")
        out[f"days_since_{state}"] = since(answers)
    out["campaign_answer_share_365d"] = div(len(of("campaign", 365, "answered")), len(of("campaign", 365)))
    out["days_since_campaign_sent"] = since(of("campaign"))
    out["days_since_campaign_answered"] = since(of("campaign", None, "answered"))
    out["tenure_days"] = first(known)
    out["cancellations_undone"] = len(of("cancel", None, "undone"))
    out["days_since_cancellation"] = since(of("cancel"))
    days = as_of / DAY_US
    year, week = 2 * math.pi * (days % 365.2425) / 365.2425, 2 * math.pi * ((days + 3) % 7) / 7
    out |= {"as_of_year_sin": math.sin(year), "as_of_year_cos": math.cos(year)}
    out |= {"as_of_week_sin": math.sin(week), "as_of_week_cos": math.cos(week)}
    return out

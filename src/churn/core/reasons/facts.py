"""The facts that sentences speak of: features, and what follows from two of them by subtraction."""

import numpy as np
import pyarrow as pa

DIFFERENCES = {
    "purchases_60d_30d": ("purchases_30d", "purchases_change_30d"),
    "sessions_60d_30d": ("sessions_30d", "sessions_change_30d"),
    "usage_quantity_60d_30d": ("usage_quantity_30d", "usage_quantity_change_30d"),
    "spend_60d_30d": ("spend_30d", "spend_change_30d"),
    "payments_failed_90d_30d": ("payments_failed_90d", "payments_failed_30d"),
    "discount_share_180d_90d": ("discount_share_90d", "discount_share_change_90d"),
}
"""What happened in the window before: this window less its change, or the longer window less the shorter."""
BELOW_OWN_RATE = ("purchases", "sessions", "spend")
"""Measures of which a sentence says by how much they are below the customer's own rate."""
LESS_THAN_BEFORE = ("purchases", "sessions", "usage_quantity", "spend")
"""Measures of which a sentence says the last 30 days beside the 30 days before."""
FALLEN = ("nps", "csat")


def facts_of(features: pa.Table, attribute: np.ndarray) -> dict[str, np.ndarray]:
    """Every fact by name, shape `(n_customers,)` each: float64, NaN where it is not known.

    `attribute` is the attribute that weighs most, in words.
    """
    facts: dict[str, np.ndarray] = {
        name: features[name].to_numpy().astype(np.float64)
        for name in features.column_names[2:]
        if pa.types.is_floating(features.schema.field(name).type)
    }
    facts |= {name: facts[a] - facts[b] for name, (a, b) in DIFFERENCES.items() if {a, b} <= facts.keys()}
    for measure in BELOW_OWN_RATE:
        rate = f"{measure}_own_rate_ratio_90d"
        if rate in facts:
            facts[f"{measure}_below_own_rate_90d"] = 1 - facts[rate]
    for measure in LESS_THAN_BEFORE:
        before = facts.get(f"{measure}_60d_30d")
        if before is not None:
            # Where nothing was before, nothing can have fallen.
            facts[f"{measure}_fell_30d"] = -facts[f"{measure}_change_30d"] / np.where(before > 0, before, np.nan)
    if "usage_quantity_own_rate_ratio_30d" in facts:
        facts["usage_quantity_below_own_rate_30d"] = 1 - facts["usage_quantity_own_rate_ratio_30d"]
    for state in FALLEN:
        if f"{state}_change" in facts:
            facts[f"{state}_fell"] = -facts[f"{state}_change"]
    return facts | {"attribute": attribute}

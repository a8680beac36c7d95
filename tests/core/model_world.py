"""A small world of features, snapshots and split, in which silence and an attribute tell who churns."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from churn.core.model import Model, model
from churn.words.tables import CODE, FEATURES, INSTANT, SNAPSHOTS, SPLIT

PARTS = ("train", "train", "train", "validation", "calibration", "test", "score")
FIRST = datetime(2020, 1, 6, tzinfo=UTC)

LIGHTGBM = {
    "kind": "lightgbm",
    "seed": 7,
    "seeds": 3,
    "rounds_most": 60,
    "patience": 10,
    "learning_rate": 0.1,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "max_bin": 255,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "lambda_l2": 1.0,
    "rows_most": None,
    "half_life_days": None,
    "refit": True,
    "calibration": "shrunk",
}
LOGISTIC = {
    "kind": "logistic",
    "features_used": None,
    "seed": 7,
    "rows_most": None,
    "l2": 1.0,
    "refit": True,
    "calibration": "shrunk",
}
RULE = {"kind": "rule", "calibration": "shrunk"}
OWN_MEAN = {"kind": "own_mean", "roles": ("purchase", "usage"), "calibration": "platt"}
BG_NBD = {
    "kind": "bg_nbd",
    "seed": 7,
    "rows_most": None,
    "roles": ("purchase", "usage"),
    "refit": True,
    "calibration": "platt",
}
LOGISTIC_RFM = LOGISTIC | {"features_used": ("days_since_purchase", "spend_90d")}
RUNGS = {"rule": RULE, "own_mean": OWN_MEAN, "logistic_rfm": LOGISTIC_RFM, "bg_nbd": BG_NBD, "lightgbm": LIGHTGBM}
BLEND = {"kind": "blend", "members": RUNGS, "calibration": "shrunk"}
LADDER = {
    "kind": "ladder",
    "churners_least": 50,
    "churners_judged": 0,
    "standard_errors": 1.0,
    "least_gain": 0.001,
    "rungs": RUNGS,
    "calibration": "shrunk",
}
SECTIONS = {section["kind"]: section for section in (LIGHTGBM, LOGISTIC, RULE, OWN_MEAN, BG_NBD, BLEND, LADDER)}


@cache
def learnt(kind: str) -> Model:
    """The model of that section, learnt from `world()` once for all tests."""
    return model(*world(), **SECTIONS[kind])


def world(customers: int = 300, *, shuffled: bool = False, seed: int = 1) -> tuple[pa.Table, pa.Table, pa.Table]:
    """FEATURES, SNAPSHOTS and SPLIT of that many customers at seven as-of dates, four weeks apart."""
    random = np.random.default_rng(seed)
    as_ofs = [FIRST + timedelta(days=28 * i) for i in range(len(PARTS))]
    n = customers * len(as_ofs)
    silence = random.exponential(30, n).round()
    spend = random.gamma(1.0, 100, n).round(2) * (random.random(n) > 0.3)
    plan = random.integers(0, 3, n)
    log_odds = -2.5 + 1.2 * np.log1p(silence) / 2 + 0.8 * (plan == 2) - 0.004 * spend
    churned = random.random(n) < 1 / (1 + np.exp(-log_odds))
    if shuffled:
        churned = random.permutation(churned)
    never = random.random(n) < 0.05
    history = np.random.default_rng(seed + 1)
    days, share = 1 + history.integers(0, 3, n), 1 - 0.5 * history.random(n)
    unknown = np.tile([part == "score" for part in PARTS], customers)
    keys = {
        "customer_id": pa.array([f"c{i:05d}" for i in range(customers) for _ in as_ofs]),
        "as_of": pa.array(as_ofs * customers, INSTANT),
    }
    features = pa.table(
        {
            **keys,
            "days_since_purchase": pa.array(silence, pa.float32(), mask=never),
            "purchase_days_total": pa.array(np.where(never, 0, days), pa.float32()),
            "purchase_silence_of_tenure": pa.array(np.where(days > 1, share, 1), pa.float32(), mask=never),
            "days_since_complaint": pa.array(random.exponential(60, n), pa.float32(), mask=random.random(n) < 0.6),
            "spend_90d": pa.array(spend, pa.float32()),
            "spend_difference_30d": pa.array(random.normal(0, 50, n), pa.float32()),
            "always_one": pa.array(np.ones(n), pa.float32()),
            "never_known": pa.nulls(n, pa.float32()),
            "plan": pa.array(np.array(["basic", "plus", "pro"])[plan], mask=random.random(n) < 0.1).cast(CODE),
        }
    )
    snapshots = pa.table({**keys, "churned": pa.array(churned, mask=unknown)})
    split = pa.table(
        {
            "as_of": pa.array(as_ofs, INSTANT),
            "part": pa.array(PARTS),
            "outcome_from": pa.array(as_ofs, INSTANT),
            "outcome_until": pa.array([t + timedelta(days=28) for t in as_ofs], INSTANT),
            "n_snapshots": pa.array([customers] * len(PARTS), pa.int64()),
            "n_churned": pa.nulls(len(PARTS), pa.int64()),
        },
        schema=SPLIT.schema,
    )
    return FEATURES.check(features), SNAPSHOTS.check(snapshots), split

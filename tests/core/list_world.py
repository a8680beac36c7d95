"""A small world of scores, reasons and features, and the rest that a delivery is made of."""

from datetime import UTC, datetime

import pyarrow as pa

from churn.core.dataset import Dataset, Noun
from churn.core.definitions import Definition
from churn.core.risk_list import risk_list
from churn.words.tables import FEATURES, INSTANT, REASONS, SCORES

AS_OF = datetime(2018, 1, 1, 5, tzinfo=UTC)
EARLIER = datetime(2017, 12, 18, 5, tzinfo=UTC)
KEYS = {
    "value_features": ("spend_per_day_365d",),
    "horizon_days": 28,
    "currency": "USD",
    "model_version": "0123456789ab",
    "order": "model",
}
DATASET = Dataset(
    "shop",
    "America/New_York",
    int(datetime(2017, 1, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000,
    int(AS_OF.timestamp()) * 1_000_000,
    "USD",
    {"purchase": Noun("basket", "baskets", "购物")},
    {},
    {},
)
DEFINITION = Definition("inactivity", 0, 28, live_days=90, roles=("purchase",))

_METRICS = {"auc": 0.861, "ap": 0.508, "lift10": 3.66, "logloss": 0.31, "brier": 0.09, "ece": 0.02}
_ROW = {"n": 2318, "base_rate": 0.155} | {
    f"{name}{end}": value + move
    for name, value in _METRICS.items()
    for end, move in (("", 0), ("_low", -0.01), ("_high", 0.01))
}
EVALUATION = {
    "model": _ROW,
    "rule": {**_ROW, "auc": 0.767},
    "logistic": {**_ROW, "ece_low": float("nan")},
    "kinds": {"model": "lightgbm", "rule": "days_since_purchase", "logistic": "logistic"},
    "interval": 0.95,
    "calibration": {
        "bands": [
            {
                "low": 0.0,
                "high": 0.01,
                "n": 1200,
                "score": 0.006,
                "churned": 0.005,
                "churned_low": 0.002,
                "churned_high": 0.01,
            },
            {
                "low": 0.3,
                "high": 0.4,
                "n": 100,
                "score": 0.34,
                "churned": 0.32,
                "churned_low": 0.237,
                "churned_high": 0.417,
            },
        ]
    },
    "coverage": {"en": "Nine of ten intervals hold.", "zh": "十个区间有九个成立。"},
    "worst_slice": {"en": "It ranks worst the new ones.", "zh": "对新客户排序最差。"},
    "as_of": "2017-12-04T05:00:00+00:00",
    "list": {"order": "model", "en": "", "zh": ""},
    "verdict": {
        "outcome": "better",
        "calibrated": "yes",
        "rule": {"en": "days since the last basket", "zh": "距上次购物的天数"},
        "en": "Better than the rule.",
        "zh": "优于规则。",
    },
}
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text fill="#333">{} 100% &amp; more</text></svg>\n'
FIGURES = {
    f"{folder}{name}.svg": _SVG.format(word)
    for name in ("lift", "gain", "reliability", "precision_recall", "shap", "shap_groups")
    for folder, word in (("", "Lift"), ("zh/", "提升度"))
}
RECONCILIATION = {
    "sources": {
        "baskets": {
            "rows": 120,
            "kept": 110,
            "duplicates": 3,
            "quarantined": {"customer_id_blank": 2},
            "out_of_window": 5,
            "events": 40,
        },
        "plans": {"rows": 7, "kept": 7, "duplicates": 0, "quarantined": {}, "out_of_window": 0},
    },
    "total": {"rows": 127, "kept": 117, "duplicates": 3, "quarantined": 2, "out_of_window": 5, "events": 40},
    "warnings": ["source baskets: 2 of 120 rows break the data contract"],
}
DIGESTS = {"booster.txt": "ab" * 32, "card.json": "cd" * 32}
ABOUT = {
    "dataset": DATASET,
    "definition": DEFINITION,
    "evaluation": EVALUATION,
    "figures": FIGURES,
    "reconciliation": RECONCILIATION,
    "digests": DIGESTS,
}


def scores_of(table: dict[str, float], as_of: datetime = AS_OF) -> pa.Table:
    """SCORES of customer → score; margins are not looked at."""
    rows = sorted(table.items(), key=lambda row: row[0].encode())
    lower = [100 * sum(other < score for other in table.values()) / len(table) for _, score in rows]
    return pa.table(
        [
            [customer for customer, _ in rows],
            pa.array([as_of] * len(rows), INSTANT),
            [0.0] * len(rows),
            [score for _, score in rows],
            [score * 0.8 for _, score in rows],
            [score + 0.1 * (1 - score) for _, score in rows],
            lower,
        ],
        schema=SCORES.schema,
    )


def features_of(a_day: dict[str, float | None], as_of: datetime = AS_OF) -> pa.Table:
    """FEATURES with what each customer spends a day."""
    rows = sorted(a_day.items(), key=lambda row: row[0].encode())
    spend = pa.array([money for _, money in rows], pa.float32())
    customers = pa.array([customer for customer, _ in rows], pa.string())
    times = pa.array([as_of] * len(rows), INSTANT)
    return FEATURES.check(pa.table({"customer_id": customers, "as_of": times, "spend_per_day_365d": spend}))


def reasons_of(text: str, as_of: datetime = AS_OF) -> pa.Table:
    """REASONS written as `customer | direction | position | sentence`, one a line; Chinese has 中 before it."""
    cells = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    rows = sorted((c, d, int(p), s) for c, d, p, s in cells)
    return pa.table(
        [
            [c for c, _, _, _ in rows],
            pa.array([as_of] * len(rows), INSTANT),
            [d for _, d, _, _ in rows],
            pa.array([p for _, _, p, _ in rows], pa.int64()),
            ["tenure"] * len(rows),
            [0.1] * len(rows),
            [s for _, _, _, s in rows],
            [f"中{s}" for _, _, _, s in rows],
        ],
        schema=REASONS.schema,
    )


NO_REASONS = reasons_of("nobody | leaving | 1 | never said")


def listed(table: dict[str, float], *, a_day: dict[str, float | None] | None = None, said: str = "") -> pa.Table:
    """RISK_LIST of customer → score; everybody spends 1 a day unless told."""
    reasons = reasons_of(said) if said else NO_REASONS
    return risk_list(scores_of(table), reasons, features_of(a_day or dict.fromkeys(table, 1.0)), **KEYS)

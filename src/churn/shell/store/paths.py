"""Where everything lies: the name of each result and its path."""

PATHS: dict[str, str] = {
    "raw": "data/raw.json",
    "measured": "data/measured.json",
    "events": "data/events.parquet",
    "attributes": "data/attributes.parquet",
    "quarantine": "data/quarantine.parquet",
    "reconciliation": "reports/events.json",
    "snapshots": "data/snapshots.parquet",
    "split": "data/split.parquet",
    "features": "data/features.parquet",
    "model": "models/current",
    "rule": "models/rule",
    "evaluation": "reports/evaluation.json",
    "curves": "reports/curves",
    "figures": "reports/figures",
    "card": "reports/card",
    "scores": "data/scores.parquet",
    "contributions": "data/contributions.parquet",
    "reasons": "data/reasons.parquet",
    "risk_list": "data/risk_list",
    "tracking": "reports/tracking.json",
}
"""Where everything lies, relative to the project root, which is the working directory of every command."""

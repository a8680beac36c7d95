"""The card of a model: what it predicts, on what data, against which rule, how good, how sure, and what it is not for.

It is made of reports and digests alone, so the same data, model and reports give the same bytes. Which run of MLflow
and which commit told these figures differs from one checkout to the next; `origin.json` of a delivery says it.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from churn.core.card.bounds import fails, must_not
from churn.core.card.figures import BACKTEST, REPORT, figures
from churn.core.card.grade import grade
from churn.core.card.page import page
from churn.core.dataset import Dataset
from churn.core.definitions import Definition
from churn.core.definitions.sentences import churn_in_words
from churn.core.editions.summary import local_text

__all__ = ["card", "files"]

LANGUAGES = ("en", "zh")
MATURED = "matured"
"""The part that holds all others that may be learnt from (`churn.core.model.parts`)."""


def card(
    *,
    dataset: Dataset,
    definition: Definition,
    made: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    reconciliation: Mapping[str, Any],
    backtest: Mapping[str, Any] | None,
    model_version: str,
    digests: Mapping[str, str],
) -> dict[str, Any]:
    """What the card says, as values of JSON.

    Parameters
    ----------
    made
        models/current/card.json: how the model came about.
    evaluation, reconciliation
        reports/evaluation.json and reports/events.json.
    backtest
        reports/backtest.json, where there is one of this data and this section `model`; otherwise None.
    model_version
        First digits of the model's digest.
    digests
        SHA-256 of data/raw.json as `data`, and of the reports by their paths.
    """
    earned = grade(evaluation, backtest)
    return {
        "data_set": dataset.name,
        "predicts": churn_in_words(definition, dataset.nouns),
        "data": _data(dataset, made, evaluation, reconciliation),
        "model": {
            "version": model_version,
            "kind": made["kind"],
            "features": len(made["features"]),
            "chosen": _words(made.get("ladder")),
        },
        "rule": {"name": evaluation["kinds"]["rule"], **evaluation["verdict"]["rule"]},
        "verdict": {key: evaluation["verdict"][key] for key in ("outcome", "calibrated", "en", "zh")},
        "list": dict(evaluation["list"]),
        "over_time": _words(backtest and backtest["verdict"]),
        "grade": earned.document,
        "interval": evaluation["interval"],
        "figures": [figure.document | {"shown": figure.texts} for figure in figures(evaluation, backtest)],
        "fails": fails(evaluation),
        "must_not_be_used_for": must_not(definition, evaluation, earned.grade),
        "found_by": {
            "data_digest": digests["data"],
            "model_version": model_version,
            "reports": {path: digests[path] for path in (REPORT, BACKTEST) if path in digests},
            "mlflow_filter": f"tags.data_digest = '{digests['data']}' and tags.model_version = '{model_version}'",
        },
    }


def files(said: dict[str, Any]) -> dict[str, str]:
    """The card as a page and as JSON, by file name."""
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, indent=2, allow_nan=False)
    return {"model_card.html": page(said), "model_card.json": f"{text}\n"}


def _data(
    dataset: Dataset, made: Mapping[str, Any], evaluation: Mapping[str, Any], reconciliation: Mapping[str, Any]
) -> dict[str, Any]:
    """Rows, customers and dates: all that was read, what was learnt from, and what was tested."""
    zone = dataset.time_zone
    learnt = _learnt(made)
    rows = sum(part["rows"] for part in learnt)
    return {
        "rows": reconciliation["total"]["rows"],
        "events": reconciliation["total"]["events"],
        "customers": reconciliation.get("customers"),
        "observed_from": _local_us(dataset.observed_from, zone),
        "observed_until": _local_us(dataset.observed_until, zone),
        "time_zone": zone,
        "learnt": {
            "snapshots": rows,
            "churned": sum(part["base_rate"] * part["rows"] for part in learnt) / rows,
            "from": local(min(part["as_of_from"] for part in learnt), zone)[:10],
            "until": local(max(part["as_of_until"] for part in learnt), zone)[:10],
        },
        "tested": {
            "snapshots": evaluation["model"]["n"],
            "churned": evaluation["model"]["base_rate"],
            "as_of": local(evaluation["as_of"], zone),
        },
    }


def _learnt(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts that the model was learnt from; a blend says it of each of its models."""
    said, parts = str(made["learnt_from"]), made["parts"]
    named = [name for name in parts if name in said]
    return [parts[name] for name in ([MATURED] if MATURED in named else named)]


def _words(said: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The sentences of a part that may not be there."""
    return {language: said[language] for language in LANGUAGES} if said else None


def local(instant: str, zone: str) -> str:
    """An instant of a report as the date that people in the zone had."""
    return local_text(datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).replace(tzinfo=None))


def _local_us(instant: int, zone: str) -> str:
    return local_text(datetime.fromtimestamp(instant / 1e6, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None))

"""The report of a backtest: what reports/backtest.json holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from churn.core.backtest.dates import Plan
from churn.core.backtest.day import MODELS, Day
from churn.core.backtest.judged import DELIVERED, LIST, PROBABILITY, RANKING, Judged, judged, rows_of
from churn.core.backtest.lists import changes, summary
from churn.core.backtest.stability import stability
from churn.core.backtest.verdict import verdict
from churn.core.days import local_day
from churn.core.evaluation.comparison import JUDGED
from churn.core.evaluation.coverage import of_bands
from churn.core.metrics import METRICS, metrics
from churn.core.model.intervals import band_rows, inside
from churn.core.model.parts import iso
from churn.core.resamples import interval_of
from churn.words.errors import NotEnoughData
from churn.words.windows import DAY_US

DIGITS = 6
"""Of every number that is reported, as in the evaluation."""


def report(
    days: Sequence[Day],
    when: Plan,
    *,
    stopped: Mapping[int, str],
    capacity: int,
    bootstrap: int,
    seed: int,
    interval: float,
    currency: str,
    time_zone: str,
    digest: Mapping[str, Any],
    least: int,
    outcome_days: int,
    staleness: Sequence[Mapping[str, Any]] = (),
    ablation: Sequence[Mapping[str, Any]] = (),
    failing: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What the lists were worth: each, their spread, over all, from list to list, and the verdict.

    Parameters
    ----------
    days : sequence of Day
        The lists that could be made, ascending.
    stopped : mapping of int to str
        Day → what would have stopped the run of that day.
    capacity : int
        How many customers the team can contact at each list.
    currency : str
        ISO 4217 code of all money.
    time_zone : str
        Where the days of the lists begin.
    digest : mapping
        What the figures were made from.
    least : int
        Groups of fewer customers are not shown.
    outcome_days : int
        Days from a list until its outcomes are known, see `churn.core.definitions`.
    staleness, ablation, failing : sequence of mapping
        What the functions of these names say; empty where nobody asked.

    Raises
    ------
    NotEnoughData
        When no list could be made.
    """
    _check_days(days, stopped, time_zone)
    lists = rows_of(days, capacity=capacity)
    said = judged(lists, bootstrap=bootstrap, seed=seed)
    rows_by = {name: said.row(name, interval) for name in MODELS}
    differences = {name: said.difference("model", name, interval) for name in MODELS[1:]}
    alone = apart([day.as_of for day in days], outcome_days)
    as_ofs = [_as_of(day, said, i, interval, time_zone) | {"apart": day.as_of in alone} for i, day in enumerate(days)]
    moved = changes(days, capacity=capacity)
    dates = tuple(one["day"] for one in as_ofs)
    found = {
        "verdict": verdict(
            rows_by,
            differences["rule"],
            dates=dates,
            called=[min(capacity, one["n"]) for one in as_ofs],
            sizes=[one["n"] for one in as_ofs],
            churners=[one["churners"] for one in as_ofs],
            interval=interval,
        ),
        "asked": when.asked,
        "step_days": when.step_days,
        "stopped": [
            {"as_of": iso(day), "day": local_day(day, time_zone), "why": why} for day, why in sorted(stopped.items())
        ],
        "interval": interval,
        "bootstrap": bootstrap,
        "as_ofs": as_ofs,
        "models": {
            name: {
                "kinds": sorted({day.rule if name == "rule" else day.learnt.kind for day in days})
                if name != "logistic"
                else ["logistic"],
                "pooled": _only(rows_by[name], METRICS),
                "spread": _spread(as_ofs, name),
            }
            for name in MODELS
        },
        "difference": differences,
        "pooled": _only(rows_by["model"], METRICS),
        "spread": _spread(as_ofs, "model"),
        "list": {
            "capacity": capacity,
            "currency": currency,
            **{name: _only(rows_by[name], (*LIST, DELIVERED)) for name in MODELS},
            "changes": moved,
            "change": summary(moved),
        },
        "coverage": _coverage(days, interval),
        "stability": stability(days, lists, least=least, bootstrap=bootstrap, seed=seed, interval=interval),
        "staleness": list(staleness),
        "ablation": list(ablation),
        "failing": list(failing),
        "digest": dict(digest),
    }
    return rounded(found)


def _check_days(days: Sequence[Day], stopped: Mapping[int, str], time_zone: str) -> None:
    if not days:
        newest = max(stopped)
        on = local_day(newest, time_zone)
        raise NotEnoughData(f"none of {len(stopped)} lists could have been made; on {on}: {stopped[newest]}")


def apart(days: Sequence[int], outcome_days: int) -> set[int]:
    """Those of the days, from the newest back, of which no two share a day of their outcomes.

    >>> sorted(apart([0, 14 * DAY_US, 28 * DAY_US], 28)) == [0, 28 * DAY_US]
    True
    """
    found: list[int] = []
    for day in sorted(days, reverse=True):
        if not found or found[-1] - day >= outcome_days * DAY_US:
            found.append(day)
    return set(found)


def _as_of(day: Day, said: Judged, i: int, interval: float, time_zone: str) -> dict[str, Any]:
    """The figures of one list; those of the model flat, those of the baselines under their names."""
    rows = {name: _each(day, said, i, name) for name in MODELS}
    resampled = said.of_each_resampled[i]
    between: dict[str, float] = {}
    for figure in JUDGED:
        low, high = interval_of(rows["model"][figure], resampled["model"][figure], interval)
        rows["model"] |= {f"{figure}_low": low, f"{figure}_high": high}
        ahead = resampled["model"][figure] - resampled["rule"][figure]
        value = rows["model"][figure] - rows["rule"][figure]
        low, high = interval_of(value, ahead, interval)
        between |= {figure: value, f"{figure}_low": low, f"{figure}_high": high}
    model, *others = MODELS
    return {
        "as_of": iso(day.as_of),
        "day": local_day(day.as_of, time_zone),
        "n": int(day.known.sum()),
        "churners": int(day.churned.sum()),
        **rows[model],
        **{name: rows[name] for name in others},
        "difference": {"rule": between},
        "rule_feature": day.rule,
        "kind": day.learnt.kind,
        "not_known_yet": int((~day.known).sum()),
    }


def _each(day: Day, said: Judged, i: int, name: str) -> dict[str, float]:
    """Every metric and every figure of the list of one model on one day."""
    own = metrics(day.churned[day.known], day.scores[name][day.known])
    return own | {figure: value for figure, value in said.of_each[i][name].items() if figure not in own}


def _coverage(days: Sequence[Day], interval: float) -> dict[str, Any]:
    """Whether the intervals of scores hold what they promise, over the bands of all lists."""
    found = []
    for day in days:
        churned, p, low, high = (x[day.known] for x in (day.churned, day.scores["model"], *day.ends))
        found.append(inside(churned, p, low, high))
    return of_bands(np.concatenate(found), band_rows(int(np.mean([day.known.sum() for day in days]))), interval)


def _spread(as_ofs: Sequence[Mapping[str, Any]], name: str) -> dict[str, dict[str, float]]:
    """Of each metric the least, the most and the standard deviation over lists; null where there is one list only."""
    found = {}
    for figure in (*RANKING, *PROBABILITY, *LIST, DELIVERED):
        values = [(one if name == "model" else one[name])[figure] for one in as_ofs]
        found[figure] = {"least": min(values), "most": max(values), "std": _deviation(values)}
    return found


def _deviation(values: Sequence[float]) -> float:
    """The standard deviation of which the lists are a sample; one list says nothing of it."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _only(row: Mapping[str, float], figures: Sequence[str] | Mapping[str, Any]) -> dict[str, float]:
    """The figures with the ends of their intervals."""
    return {key: row[key] for figure in figures for key in (figure, f"{figure}_low", f"{figure}_high")}


def rounded(value: Any) -> Any:
    """The same, with every float rounded to `DIGITS`, and null instead of what is not a number."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    if isinstance(value, float):
        return round(float(value), DIGITS) if np.isfinite(value) else None
    return value

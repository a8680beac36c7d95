"""What the trials found, side by side, and which of them to take."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.lab.outcomes import Outcomes, Trial
from churn.core.lab.recommendation import recommendation
from churn.core.lab.returns import BIN_DAYS, MOST_DAYS, RETURN_DAYS, Returns
from churn.words.errors import Exit, Fault, NotEnoughData

LEAST_SILENT = 50
"""Fewer silent customers say nothing about a probability to the nearest tenth."""
FADED = (0.5, 0.25, 0.1)
"""Probabilities of a return whose silence is told."""

Reached = Callable[[Trial, pa.Table], Mapping[str, float]]
"""What a simple model reaches on the snapshots of a trial."""


@dataclass(frozen=True)
class Findings:
    """`trials`: one dict a trial; `overlap`: pairs of trials; `curve`: the curve of returns; `advice` in words."""

    trials: list[dict[str, Any]]
    overlap: list[dict[str, Any]]
    curve: pa.Table
    faded: dict[str, dict[str, int | None]]
    advice: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """What reports/definitions.json holds."""
        return {
            "trials": self.trials,
            "overlap": self.overlap,
            "returns": self.curve.to_pydict(),
            "silence_until_return_is_less_likely_than": self.faded,
            "advice": self.advice,
        }


def findings(batches: Sequence[Outcomes], wanted: Sequence[Trial], reached: Reached) -> Findings:
    """The trials side by side.

    Of each trial: `snapshots` and `churners` whose outcome is known, `base_rate` over all as-of dates, with its
    `base_rate_least` and `base_rate_most` at one of them; `regret_30`, `regret_90` and `regret_180`: share of those
    called churners who came back within so many days after the outcome was settled; `stable`: share of labels that are
    the same with a horizon a quarter longer; `known_after_days`: median days from the last sign of life of a churner
    until the outcome is settled; `auc` and `ap` of a simple model on the newest dates. A number is None where nothing
    was observed that could say it.

    Parameters
    ----------
    batches : sequence of Outcomes
        Of all customers, in order.
    wanted : sequence of Trial
    reached : callable
        Trains and tests a simple model on the snapshots of a trial.

    Raises
    ------
    NotEnoughData
        No trial has a customer whose outcome is known.
    """
    rows = {one.name: pa.concat_tables([batch.rows[one.name] for batch in batches]) for one in wanted}
    told = [
        {"name": one.name, "kind": one.definition.kind}
        | _numbers(rows[one.name])
        | _simple(reached, one, rows[one.name])
        for one in wanted
    ]
    if not any(numbers["snapshots"] for numbers in told):
        raise NotEnoughData(
            f"none of {len(wanted)} definitions has a customer whose outcome is known; see data.observed_until"
        )
    curve, faded = _curve(sum((batch.returns for batch in batches[1:]), start=batches[0].returns))
    return Findings(told, _overlaps(rows), curve, faded, recommendation(told))


def _numbers(rows: pa.Table) -> dict[str, Any]:
    known = rows.filter(pc.is_valid(rows["churned"]))
    churners = known.filter(known["churned"])
    by_date = known.group_by("as_of").aggregate([("churned", "mean")]) if known.num_rows else None
    rates = by_date.sort_by("as_of")["churned_mean"].to_numpy() if by_date else np.zeros(0)
    both = rows.filter(pc.is_valid(rows["longer"]))
    return {
        "customers": pc.count_distinct(known["customer_id"]).as_py(),
        "snapshots": known.num_rows,
        "churners": churners.num_rows,
        "churners_newest": _newest(known),
        "base_rate": _mean(known["churned"]),
        "base_rate_least": float(rates.min()) if len(rates) else None,
        "base_rate_most": float(rates.max()) if len(rates) else None,
        **{f"regret_{days}": _mean(churners[f"back_{days}"]) for days in RETURN_DAYS},
        "stable": _mean(pc.equal(both["churned"], both["longer"])),
        "known_after_days": _median(churners["silent_days"]),
    }


def _newest(known: pa.Table) -> int:
    """Churners at the newest as-of date whose outcome is known."""
    if not known.num_rows:
        return 0
    return pc.sum(known.filter(pc.equal(known["as_of"], pc.max(known["as_of"])))["churned"]).as_py()


def _simple(reached: Reached, one: Trial, rows: pa.Table) -> dict[str, Any]:
    """What a simple model reaches, or why there is none."""
    try:
        return {**reached(one, rows.select(["customer_id", "as_of", "churned"])), "no_model": ""}
    except Fault as fault:  # too few churners, an odd base rate, a feature that tells too much: it cannot be used
        if fault.code == Exit.BUG:
            raise
        return {"auc": None, "ap": None, "test_base_rate": None, "no_model": str(fault)}


def _overlaps(rows: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    """Of each pair: snapshots live and known in both, churners of either, and the share whom both call so."""
    keys = ["customer_id", "as_of"]
    found = []
    for first, second in combinations(rows, 2):
        one, two = (
            rows[name].filter(pc.is_valid(rows[name]["churned"])).select([*keys, "churned"]) for name in (first, second)
        )
        both = one.join(two, keys, join_type="inner", right_suffix="_other")
        either, agreed = (
            pc.sum(join(both["churned"], both["churned_other"])).as_py() or 0 for join in (pc.or_, pc.and_)
        )
        found.append(
            {
                "first": first,
                "second": second,
                "snapshots": both.num_rows,
                "churners_of_either": either,
                "overlap": agreed / either if either else None,
            }
        )
    return found


def _curve(returns: Returns) -> tuple[pa.Table, dict[str, dict[str, int | None]]]:
    """Probability of a return by days of silence, and from which silence on it is below each of `FADED`."""
    probability = returns.probability(LEAST_SILENT)
    days = np.arange(0, MOST_DAYS, BIN_DAYS)
    columns = {"silent_days": pa.array(days), "customers": pa.array(returns.silent[0])}
    columns |= {f"back_{n}": pa.array(probability[i], mask=np.isnan(probability[i])) for i, n in enumerate(RETURN_DAYS)}
    faded = {}
    for i, n in enumerate(RETURN_DAYS):
        below = {f"{p:.0%}": np.flatnonzero(probability[i] < p) for p in FADED}
        faded[f"back_{n}"] = {name: int(days[at[0]]) if len(at) else None for name, at in below.items()}
    return pa.table(columns), faded


def _mean(column: pa.ChunkedArray | pa.Array) -> float | None:
    return pc.mean(column.cast(pa.float64())).as_py() if len(column) else None


def _median(column: pa.ChunkedArray) -> float | None:
    known = column.drop_null().to_numpy()
    known = known[~np.isnan(known)]
    return float(np.median(known)) if len(known) else None

"""What follows from the counts of a data set: errors, warnings and advice, each with its remedy in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from churn.core.dataset import Dataset
from churn.core.definitions.soundness import CHURNERS_SAFE, DRIFT_MOST, RATE_LEAST, RATE_MOST
from churn.core.events.clock import HOURS

Level = Literal["error", "warning", "advice"]

CHURNERS_LEAST = 50
"""Fewer churners, and training refuses: churn.core.model.enough."""
NIGHT = (0, 6)
"""People sleep then, so the six hours with the fewest acts should lie there."""
FAR_HOURS = 5
"""How far the quietest six hours may lie from the night before the time zone is doubted: shops open late, bars close
late, but nobody's customers are busiest at four in the morning."""
TROUGH_MOST = 0.1
"""Share of the acts in the quietest six hours up to which there is a night at all; robots have none."""
ACTS_LEAST = 1000
DATES_ONLY = 0.9
LATE_SHARE = 0.05
"""Share of rows that are recorded more than a day late above which it is worth a word."""
DUPLICATES_SHARE = 0.05


@dataclass(frozen=True)
class Finding:
    """One thing that somebody should know: `about` a source or the whole, `what` it is, and what to `do` about it."""

    level: Level
    about: str
    what: str
    do: str

    @property
    def text(self) -> str:
        """The finding as one line, with its level."""
        return f"{self.level.capitalize()}, {self.about}: {self.what}{'. ' if self.do else ''}{self.do}"


@dataclass(frozen=True)
class Usability:
    """What was counted of each source, the churners of each definition, and the findings, worst first."""

    sources: list[dict[str, Any]]
    trials: list[dict[str, Any]]
    findings: list[Finding]

    @property
    def usable(self) -> bool:
        """Whether a model can be trained."""
        return all(finding.level != "error" for finding in self.findings)

    @property
    def document(self) -> dict[str, Any]:
        """What reports/check.json holds."""
        found = [asdict(finding) for finding in self.findings]
        return {"usable": self.usable, "sources": self.sources, "trials": self.trials, "findings": found}


def usability(dataset: Dataset, account: Mapping[str, Any], trials: Sequence[Mapping[str, Any]] = ()) -> Usability:
    """What the account of the events stage says of a data set, and what its definitions of churn find in it.

    Parameters
    ----------
    dataset : Dataset
    account : mapping
        What reports/events.json holds, with what `Clock` adds.
    trials : sequence of mapping
        What the lab of definitions found, the one in use first; none where nobody asked.
    """
    found = [Finding("warning", "data", one, "") for one in account.get("warnings", [])]
    found += _of_sources(dataset, account)
    found += _of_types(dataset, account)
    found += _of_the_clock(dataset, account)
    found += _of_churners(trials)
    order: dict[str, int] = {"error": 0, "warning": 1, "advice": 2}
    return Usability(
        [_row(name, one) for name, one in account.get("sources", {}).items()],
        [dict(one) for one in trials],
        sorted(found, key=lambda finding: order[finding.level]),
    )


def _row(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """One source as the report shows it."""
    quarantined = one.get("quarantined", {})
    return {
        "source": name,
        "rows": one["rows"],
        "kept": one.get("kept", 0),
        "duplicates": one.get("duplicates", 0),
        "quarantined": sum(quarantined.values()) if isinstance(quarantined, Mapping) else quarantined,
        "out_of_window": one.get("out_of_window", 0),
        "late": one.get("late", 0),
        "clock_skew": one.get("clock_skew", 0),
        "first_day": one.get("first_day"),
        "last_day": one.get("last_day"),
        "gaps": [f"{gap['first']} to {gap['last']}" for gap in one.get("gaps", [])],
    }


def _of_sources(dataset: Dataset, account: Mapping[str, Any]) -> list[Finding]:
    found = []
    for name, one in account.get("sources", {}).items():
        rows = max(one["rows"], 1)
        late = one.get("late", 0)
        if late > LATE_SHARE * rows and name in dataset.sources:
            what = f"{late:,} of {rows:,} rows ({late / rows:.1%}) are recorded more than a day after they occurred"
            do = "a list made on the day after misses them: make it later, or have the source deliver earlier"
            found.append(Finding("advice", name, what, do))
        twice = one.get("duplicates", 0)
        if twice > DUPLICATES_SHARE * rows:
            what = f"{twice:,} of {rows:,} rows ({twice / rows:.1%}) stand in it more than once"
            found.append(Finding("advice", name, what, "they count once; deliver only what is new"))
        outside = one.get("out_of_window", 0)
        if outside > rows / 2:
            what = f"{outside:,} of {rows:,} rows lie before data.observed_from or at data.observed_until or later"
            found.append(Finding("warning", name, what, "widen the window in conf/data/ if these rows are complete"))
    return found


def _of_types(dataset: Dataset, account: Mapping[str, Any]) -> list[Finding]:
    """Event types that are declared and never come."""
    if "types" not in account:
        return []
    declared = {kind: role for kind, role, _ in dataset.kinds}
    absent = sorted(kind for kind in declared if kind not in account["types"])
    there = {one["role"] for one in account["types"].values()}
    found = [
        Finding(
            "warning",
            "data",
            f"no event of the role {role}, though {', '.join(k for k in absent if declared[k] == role)} is declared",
            "is the file missing, or the value of the event type written otherwise? Look into data/quarantine.parquet",
        )
        for role in sorted({declared[kind] for kind in absent} - there)
    ]
    rest = [kind for kind in absent if declared[kind] in there]
    if rest:
        what = f"declared event types that never come: {', '.join(rest)}"
        found.append(Finding("advice", "data", what, "delete them from conf/data/ if they are history"))
    return found


def _of_the_clock(dataset: Dataset, account: Mapping[str, Any]) -> list[Finding]:
    """Whether the hours at which customers act are those of the zone that is declared."""
    hours = np.array(account.get("hours", []), dtype=np.int64)
    total = int(hours.sum()) if len(hours) == HOURS else 0
    if total < ACTS_LEAST or account["midnight"] > DATES_ONLY * total:
        return []
    length = NIGHT[1] - NIGHT[0]
    sums = np.array([np.take(hours, range(h, h + length), mode="wrap").sum() for h in range(HOURS)])
    quiet = int(np.argmin(sums))
    away = (quiet - NIGHT[0] + HOURS // 2) % HOURS - HOURS // 2
    if sums[quiet] > TROUGH_MOST * total or abs(away) < FAR_HOURS:
        return []
    what = (
        f"customers act least between {quiet:02}:00 and {(quiet + length) % HOURS:02}:00 in {dataset.time_zone}, where "
        f"one would expect the night: times may belong to a zone {abs(away)} hours "
        f"{'west' if away > 0 else 'east'} of it"
    )
    do = "look up in which zone the source writes its times; declare it as data.time_zone, or for one column"
    return [Finding("warning", "data", what, do)]


def _of_churners(trials: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Whether the definition in use has churners enough, and which horizon would have."""
    if not trials:
        return []
    own, found = trials[0], []
    n, days = own["churners"], own["horizon_days"]
    if n < CHURNERS_SAFE:
        level: Level = "error" if n < CHURNERS_LEAST else "warning"
        what = f"with a {days}-day horizon there are {n:,} churners; {CHURNERS_SAFE} would be safe"
        found.append(Finding(level, "definition", what, _remedy(trials)))
    if own["base_rate"] is not None and not RATE_LEAST <= own["base_rate"] <= RATE_MOST:
        what = f"{own['base_rate']:.1%} of the live customers churn; {RATE_LEAST:.0%} to {RATE_MOST:.0%} make a list"
        found.append(Finding("warning", "definition", what, "compare other definitions with `churn define`"))
    least, most = own["base_rate_least"], own["base_rate_most"]
    if least is not None and most > DRIFT_MOST * least:
        what = f"the share of churners moves from {least:.1%} to {most:.1%} between as-of dates"
        do = "is a source incomplete at some time (gaps), or is it a season? `churn define` shows other definitions"
        found.append(Finding("warning", "definition", what, do))
    if own["no_model"]:
        do = "a longer history, more as-of dates (snapshots.every_days, most) or a shorter horizon_days"
        found.append(Finding("error", "definition", f"a model cannot be trained and tested: {own['no_model']}", do))
    return found


def _remedy(trials: Sequence[Mapping[str, Any]]) -> str:
    """The nearest horizon of the same definition that has enough churners; otherwise what else has."""
    own, days = trials[0], trials[0]["horizon_days"]
    enough = [one for one in trials[1:] if one["churners"] >= CHURNERS_SAFE and not one["no_model"]]
    same = [one for one in enough if one["definition"] == own["definition"]]
    if same:
        best = min(same, key=lambda one: abs(one["horizon_days"] - days))
        return f"a {best['horizon_days']}-day horizon gives {best['churners']:,}: set definition.horizon_days"
    if enough:
        best = max(enough, key=lambda one: one["churners"])
        return f"{best['name']} gives {best['churners']:,}: `churn config use definition={best['definition']}`"
    most = max(trials, key=lambda one: one["churners"])
    lacking = CHURNERS_SAFE / max(most["churners"], 1)
    return f"no definition that was tried gives more than {most['churners']:,}; {lacking:.1f} times the customers would"

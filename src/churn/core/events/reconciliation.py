"""Reconciliation: every row that was read is accounted for, and no source lost more rows than it may."""

from typing import Any

from churn.core.dataset.shapes import Attributes, Dataset, Source
from churn.core.events.fields import LEFT_OUT
from churn.words.errors import ContractFault, Fault, NotEnoughData

_ADDED = ("rows", "kept", "duplicates", "quarantined", "out_of_window", "events")


def reconciliation(dataset: Dataset, counts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What became of the rows of each source and of all: `rows = kept + duplicates + quarantined + out_of_window`.

    Parameters
    ----------
    dataset : Dataset
        The declaration, with the limits of each source.
    counts : dict
        Source → rows, kept, duplicates, conflicts, quarantined (reason → rows), out_of_window, events, and marks.

    Returns
    -------
    dict
        `sources` (as given, plus shares), `total`, and `warnings`, which are sentences.

    Raises
    ------
    Fault
        If rows were lost: a bug of ours (exit 1).
    ContractFault
        If more rows were rejected than the source allows (exit 4).
    NotEnoughData
        If there is no event at all (exit 5).
    """
    declared: dict[str, Source | Attributes] = {**dataset.sources, **dataset.attributes}
    warnings = []
    for name, count in counts.items():
        _check_sum(name, count)
        warnings += _check_limits(name, count, declared[name])
        if not count["rows"]:
            warnings.append(f"source {name} has no row; if that is right, nothing is to be done")
    total = {key: sum(_n(count, key) for count in counts.values()) for key in _ADDED}
    if not total["events"]:
        raise NotEnoughData(
            f"no event is left of {total['rows']:,} rows ({total['out_of_window']:,} out of the window, "
            f"{total['quarantined']:,} in quarantine); check the files and the window in conf/data/"
        )
    return {"sources": counts, "total": total, "warnings": warnings}


def _check_sum(name: str, count: dict[str, Any]) -> None:
    parts = {key: _n(count, key) for key in ("kept", "duplicates", "quarantined", "out_of_window")}
    if count["rows"] != sum(parts.values()):
        said = " + ".join(f"{n} {key}" for key, n in parts.items())
        raise Fault(f"source {name}: {count['rows']} rows were read, but {said} = {sum(parts.values())}; this is a bug")


def _check_limits(name: str, count: dict[str, Any], source: Source | Attributes) -> list[str]:
    """Warnings of one source; its limits are exceeded by raising."""
    rows = count["rows"]
    for rule, out in (source.leave_out or {}).items():
        n = count["quarantined"].get(LEFT_OUT + rule, 0)
        if n > out.most * rows:
            raise ContractFault(
                f"source {name}: {n:,} of {rows:,} rows ({n / rows:.1%}) are left out as {rule}, but conf/data/ allows "
                f"{out.most:.1%}. Look into data/quarantine.parquet; raise leave_out.{rule}.most if that is right"
            )
    bad = {reason: n for reason, n in count["quarantined"].items() if not reason.startswith(LEFT_OUT)}
    n = sum(bad.values())
    if n <= source.quarantine_warn * rows:
        return []
    most = ", ".join(f"{k}: {v:,}" for k, v in sorted(bad.items(), key=lambda pair: (-pair[1], pair[0])))
    said = f"source {name}: {n:,} of {rows:,} rows ({n / rows:.2%}) break the data contract ({most})"
    if n > source.quarantine_stop * rows:
        raise ContractFault(
            f"{said}; {source.quarantine_stop:.2%} are allowed. They are in data/quarantine.parquet with file, line "
            f"and column; mend the files or the declaration in conf/data/, or declare them under leave_out"
        )
    return [f"{said}; they are in data/quarantine.parquet"]


def _n(count: dict[str, Any], key: str) -> int:
    value = count.get(key, 0)
    return sum(value.values()) if isinstance(value, dict) else value

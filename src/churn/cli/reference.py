"""What the last delivery was made of, for the next one to be compared with.

It is no output of DVC, which would delete it before it is needed, and no input: it can stop a run, but changes no byte
of what a run makes.
"""

from pathlib import Path

REFERENCE = Path("data/reference.json")


def check() -> None:
    """Nothing, if the numbers of every source are in the unit that they had at the last delivery.

    Raises
    ------
    DriftFault
        Naming the source and both medians (exit 7).
    """
    from churn.core.events.findings import unit_message
    from churn.core.events.units import against
    from churn.shell import store
    from churn.words.errors import DriftFault

    if not REFERENCE.exists():
        return
    for name, jump in against(store.read_json(REFERENCE), _medians()).items():
        said = unit_message(name, jump, "against the last delivery")
        raise DriftFault(f"{said}; to accept the new unit, remove {REFERENCE}")


def keep() -> None:
    """Remember the medians of this delivery."""
    from churn.shell import store

    store.write_json(REFERENCE, _medians())


def _medians() -> dict[str, dict[str, float]]:
    from churn.shell import store
    from churn.shell.store import PATHS

    sources = store.read_json(PATHS["reconciliation"]).get("sources", {})
    return {name: found["medians"] for name, found in sources.items() if found.get("medians")}

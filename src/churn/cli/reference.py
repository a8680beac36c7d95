"""What the last delivery was made of, for the next one to be compared with.

It is no output of DVC, which would delete it before it is needed, and no input: it can stop a run, but changes no byte
of what a run makes.
"""

from pathlib import Path

REFERENCE = Path("data/reference.json")
REMEDY = f"Remove {REFERENCE} and run again: this run compares no units with the last delivery, and writes it anew"


def check() -> None:
    """Nothing, if the numbers of every source are in the unit that they had at the last delivery.

    Raises
    ------
    DriftFault
        Naming the source and both medians (exit 7).
    IntegrityFault
        The file is damaged: the run stops, since nobody would notice that nothing was compared (exit 10).
    """
    from churn.core.events.findings import unit_message
    from churn.core.events.units import against
    from churn.shell import store
    from churn.words.errors import DriftFault, IntegrityFault

    if not REFERENCE.exists():
        return
    before = store.read_json(REFERENCE, remedy=REMEDY)
    if not _is_medians(before):
        raise IntegrityFault(f"{REFERENCE} does not hold the medians of sources. {REMEDY}.")
    for name, jump in against(before, _medians()).items():
        said = unit_message(name, jump, "against the last delivery")
        raise DriftFault(f"{said}; to accept the new unit, remove {REFERENCE}")


def keep() -> None:
    """Remember the medians of this delivery."""
    from churn.shell import store

    store.write_json(REFERENCE, _medians())


def _is_medians(found: object) -> bool:
    """Whether this is source → number → type → median, as `keep` writes it."""
    if not isinstance(found, dict) or not all(isinstance(numbers, dict) for numbers in found.values()):
        return False
    medians = (median for numbers in found.values() for median in numbers.values())
    return all(isinstance(median, int | float) and median > 0 for median in medians)


def _medians() -> dict[str, dict[str, float]]:
    from churn.shell import store
    from churn.shell.store import PATHS

    sources = store.read_json(PATHS["reconciliation"]).get("sources", {})
    return {name: found["medians"] for name, found in sources.items() if found.get("medians")}

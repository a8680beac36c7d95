"""What a run tells of its data: the account of the rows, and what somebody should look into."""

from typing import NamedTuple

from churn.words.errors import WarningsFault


class Told(NamedTuple):
    """`text` for the terminal; `warnings` are the sentences in it that `churn run --strict` does not accept."""

    text: str
    warnings: list[str]


def account() -> Told:
    """The account of the rows that were read, and the warnings and notes of all stages that have any."""
    from pathlib import Path

    from churn.shell import store
    from churn.shell.store import PATHS

    found = store.read_json(PATHS["reconciliation"])
    total = found["total"]
    read = f"Rows read {total['rows']:,} = kept {total['kept']:,} + duplicates {total['duplicates']:,} + "
    lines = [f"{read}quarantined {total['quarantined']:,} + out of window {total['out_of_window']:,}"]
    warnings, notes = list(found["warnings"]), list(found.get("notes", []))
    card = Path(PATHS["model"]) / "card.json"
    if card.is_file():
        made = store.read_json(str(card))
        warnings += made.get("warnings", [])
        notes += made.get("notes", [])
    lines += [f"Warning: {warning}" for warning in warnings]
    lines += [f"Note: {note}" for note in notes]
    return Told("\n".join(lines), warnings)


def check_warnings(warnings: list[str]) -> None:
    """Nothing, if there are no warnings.

    Raises
    ------
    WarningsFault
        With all of them (exit 12).
    """
    if warnings:
        n = f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}"
        told = "\n  ".join(warnings)
        raise WarningsFault(f"the list is made, with {n} that `--strict` does not accept:\n  {told}")

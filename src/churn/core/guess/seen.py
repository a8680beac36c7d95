"""What was seen when all rows of a draft went through the door, as notes beside its sources."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from churn.core.dataset.shapes import STOP_SHARE, WARN_SHARE
from churn.core.guess.tree import Entry, Tree, is_tree
from churn.words.quarantine import LEFT_OUT

if TYPE_CHECKING:
    from churn.core.guess import Draft


def noted(drawn: "Draft", counts: Mapping[str, dict[str, Any]]) -> "Draft":
    """The draft, with what became of the rows of each source beside it."""
    data = tuple(
        replace(e, value=tuple(_noted(source, counts[source.key]) for source in e.value))
        if e.key in {"sources", "attributes"} and is_tree(e.value)
        else e
        for e in drawn.data
    )
    return drawn._replace(data=data)


def told(tree: Tree) -> list[str]:
    """One line a source: its name and what became of its rows."""
    data = next(e for e in tree if e.key == "data")
    groups = [e.value for e in data.value if e.key in {"sources", "attributes"} and is_tree(e.value)]
    return [f"{source.key}: {source.notes[-1]}" for group in groups for source in group if source.notes]


def _noted(source: Entry, count: dict[str, Any]) -> Entry:
    rows, bad = count["rows"], dict(count["quarantined"])
    said = [f"{rows:,} rows: {count['kept']:,} kept"]
    if count.get("duplicates"):
        said.append(f"{count['duplicates']:,} duplicates")
    if count["out_of_window"]:
        said.append(f"{count['out_of_window']:,} out of the window")
    said += [f"{n:,} {reason.replace('_', ' ')}" for reason, n in sorted(bad.items(), key=lambda pair: -pair[1])]
    broken = sum(n for reason, n in bad.items() if not reason.startswith(LEFT_OUT))
    doubt = ""
    if broken > STOP_SHARE * rows:
        doubt = f". CHECK: {broken / rows:.1%} of the rows break the contract, and a run stops above {STOP_SHARE:.0%}"
    elif broken > WARN_SHARE * rows:
        doubt = f". CHECK: {broken / rows:.2%} of the rows break the contract; runs warn of them"
    return replace(source, notes=(*source.notes, ", ".join(said) + doubt))

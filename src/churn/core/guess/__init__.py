"""Guesses: what a declaration of data that nobody described probably is, each part with its evidence.

Functions of samples, as Arrow tables. Nothing here decides for good: what is written is a file in conf/data/ that
people read, and what they must check says so.
"""

from typing import Any, NamedTuple

from churn.core.guess import places
from churn.core.guess.layout import Layout, layout
from churn.core.guess.periods import Period, period
from churn.core.guess.samples import EVENTS, Sample
from churn.core.guess.sources import sources
from churn.core.guess.tables import found
from churn.core.guess.timing import Choice, Window, choice, window
from churn.core.guess.tree import Entry, Tree, comment, entry, text, values
from churn.words.errors import ContractFault

__all__ = [
    "CHECK",
    "Draft",
    "Layout",
    "Sample",
    "choice",
    "document",
    "draft",
    "finished",
    "layout",
    "to_check",
    "window",
]

CHECK = "CHECK"
"""A note with this word is for a person to look at."""
ALWAYS = ("1971-01-02", "2099-12-31")
"""A window that holds every event there can be."""
_USAGE = ("days_since_usage", "sessions_30d", "sessions_90d", "sessions_365d")
_WORTH = {"purchase": "spend_per_day_365d", "payment": "paid_per_day_365d"}


class Draft(NamedTuple):
    """A declaration with its evidence, whose window is not known yet. `money`: whether any event has an amount."""

    data: Tree
    unused: tuple[str, ...]
    roles: tuple[str, ...]
    contract: bool
    period: Period | None
    money: bool

    @property
    def active(self) -> tuple[str, ...]:
        """Roles of what customers do themselves: what makes one live, or a customer at all."""
        paid_first = ("payment",) if self.contract else ()
        for role in (*paid_first, "purchase", "usage", "payment", "contact", "survey", "complaint"):
            if role in self.roles:
                return (role,)
        return self.roles

    @property
    def values(self) -> dict[str, Any]:
        """The section `data`, as it would be read from conf/."""
        return values(self.data)


FIRST_LIST = (
    "gate: the first list is made even if its probabilities prove to be off, which the verdict then says. CHECK: "
    "before a scheduler makes lists that nobody looks at, delete it, so that such a model stops the run."
)
"""A stop is right where a good list is there already; whoever looks at data for the first time wants to see one."""


def draft(name: str, samples: list[Sample]) -> Draft:
    """What the samples of a data set look like.

    Raises
    ------
    ContractFault
        If no table tells who did something and when.
    """
    tables = found(samples)
    made = sources(tables)
    if not made.sources:
        said = "\n  ".join(made.unused) or "there is no table"
        raise ContractFault(
            f"no table tells who did something and when, so there are no events:\n  {said}\n"
            "Give the columns of customers and times telling names, such as customer_id and date, or write conf/data/ "
            "by hand (docs/data_contract.md)"
        )
    sums = [lasting for one in tables if one.kind == EVENTS and (lasting := period(one))]
    data = (
        entry("name", name),
        places.zone(tables),
        entry("observed_from", ALWAYS[0]),
        entry("observed_until", ALWAYS[1]),
        places.currency(tables),
        entry(
            "nouns", {}, "What an event is called in sentences, such as purchase: {one: order, many: orders, zh: 订单}"
        ),
        entry("sources", made.sources),
        entry("attributes", made.attributes or {}, *made.unused),
    )
    longest = max(sums, key=lambda one: one.days, default=None)
    return Draft(data, made.unused, made.roles, made.contract, longest, made.money)


def finished(drawn: Draft, seen: Window, chosen: Choice) -> Tree:
    """The whole file: the data set with its window, the definition and the dates that suit it."""
    new = {
        "observed_from": entry("observed_from", seen.since, seen.since_why),
        "observed_until": entry("observed_until", seen.until, seen.until_why),
    }
    data = tuple(new.get(e.key, e) for e in drawn.data)
    tree = [Entry("data", data)]
    tree.append(entry("definition", chosen.definition, *chosen.why))
    parts = (
        "Dates of prediction for which training, validation, calibration and test fit, with an embargo between them."
    )
    tree.append(entry("snapshots", chosen.snapshots, parts))
    judged: dict[str, Any] = {"gate": False}
    why_rfm = None
    if "purchase" not in drawn.roles:
        judged["rfm"] = [*(_USAGE if "usage" in drawn.roles else ()), "tenure_days"]
        judged["slices"] = ["tenure_days"]
        why_rfm = "rfm is what the baseline knows, and slices are what it is judged by: there are no purchases."
    tree.append(entry("evaluation", judged, FIRST_LIST, why_rfm))
    if "purchase" not in drawn.roles or "payment" in drawn.roles or not drawn.money:
        worth = [feature for role, feature in _WORTH.items() if role in drawn.roles and drawn.money]
        why = "Money that customers bring in" if worth else "Nothing says what a customer is worth: by risk alone"
        tree.append(entry("risk_list", {"value_features": worth}, f"{why}."))
    return tuple(tree)


def document(tree: Tree, head: str, definition: str) -> str:
    """The text of a file in conf/data/ that chooses a definition."""
    chosen = f"defaults:\n  - override /definition: {definition}\n"
    return "\n".join(["# @package _global_", *comment(head), chosen, text(tree)])


def to_check(tree: Tree, before: str = "") -> list[str]:
    """What a person must look at: the key and the note, in the order of the file."""
    said = []
    for e in tree:
        key = f"{before}.{e.key}".lstrip(".")
        said += [f"{key}: {note.partition(CHECK)[2].lstrip(': ')}" for note in e.notes if CHECK in note]
        if isinstance(e.value, tuple) and e.value and isinstance(e.value[0], Entry):
            said += to_check(e.value, key)
    return said

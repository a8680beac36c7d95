"""`churn why CUSTOMER`: from events to features, to contributions, to the score and the place on the list."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

N_FEATURES = 12
"""How much a reader takes in on one screen; the rest is summed up in one line."""


class Language(StrEnum):
    """Languages in which features and reasons have words."""

    EN = "en"
    ZH = "zh"


def why(
    customer: Annotated[str, typer.Argument(help="Id of the customer, as the list writes it.", show_default=False)],
    *,
    as_of: Annotated[str, typer.Option(help="Another date of the table features, such as 2017-12-18.")] = "",
    language: Annotated[Language, typer.Option(help="Words of features and reasons.")] = Language.EN,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show why one customer has this score.

    The path goes from events to features, contributions, reasons, score and the place on the list.
    Contributions are log-odds: above 0 they speak for leaving. Base and contributions add up to the margin, and the
    calibrated margin is the probability. Reasons and rank are there for the newest as_of only.

    \b
    Examples:
      churn why 1364
      churn why 1364 --language zh
      churn why 1364 --as-of 2017-12-04 --json
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.cli.path import explained

    path = explained(customer, as_of, language.value)
    if json:
        from json import dumps

        typer.echo(dumps(path, ensure_ascii=False, indent=2, allow_nan=False))
        return
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    show(path, console if console.is_terminal else Console(markup=False, highlight=False, width=120))


def show(path: dict[str, Any], console: "Console") -> None:
    """Draw the path as tables."""
    from rich.table import Table

    from churn.core.amounts import money

    console.print(f"Customer {path['customer_id']} at {path['as_of']}\n")
    known, newest = path["events"]["known"], path["events"]["newest"]
    events = Table(
        "time",
        "event",
        "role",
        "state",
        "amount",
        title=f"Newest {len(newest)} of {known:,} events",
        box=None,
        title_justify="left",
    )
    for event in newest:
        amount = "" if event["amount"] is None else money(event["amount"], path["currency"])
        events.add_row(event["at"], event["event_type"], event["role"], event["state"], amount)
    console.print(events)
    features = Table(
        "value",
        "feature",
        "contribution",
        title="\nFeatures that weigh most, in log-odds",
        box=None,
        title_justify="left",
    )
    for feature in path["features"][:N_FEATURES]:
        features.add_row(_number(feature["value"]), feature["words"], f"{feature['contribution']:+.3f}")
    rest = [feature["contribution"] for feature in path["features"][N_FEATURES:]]
    features.add_row("", f"{len(rest)} others together", f"{sum(rest):+.3f}")
    features.add_row("", "base: the average customer", f"{path['base']:+.3f}")
    features.add_row("", "margin: the sum", f"{path['margin']:+.3f}")
    console.print(features)
    for direction, speaks in (("leaving", "\nSpeaks for leaving"), ("staying", "\nSpeaks for staying")):
        for number, reason in enumerate(path["reasons"][direction]):
            console.print(f"{speaks}:" if number == 0 else "", end="\n" if number == 0 else "")
            console.print(f"  {reason['contribution']:+.2f}  {reason['sentence']}")
    console.print(f"\nProbability of leaving: {path['score']:.1%}")
    if path["list"]:
        place = path["list"]
        at_risk = f"{money(place['value_at_risk'], path['currency'])} at risk"
        console.print(f"Rank {place['rank']:,} of {place['of']:,} on the list; {at_risk}")


def _number(value: float | str | None) -> str:
    """A feature's value as a person writes it; empty where it has no value."""
    if isinstance(value, float):
        return f"{value:,.2f}".removesuffix(".00")
    return "" if value is None else str(value)

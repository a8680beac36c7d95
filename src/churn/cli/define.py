"""`churn define`: what each definition of churn would find in the same history, side by side."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from churn.core.dataset import Dataset
    from churn.core.definitions import Definition
    from churn.core.lab import Findings, Trial

HORIZONS = (14, 28, 60, 90)
"""Horizons that are tried beside each definition's own: two weeks to a quarter."""
DOCUMENT, CHART = "reports/definitions.json", "reports/definitions"


def define(
    names: Annotated[
        list[str] | None, typer.Argument(help="Definitions of conf/definition; all of them where none is named.")
    ] = None,
    *,
    horizon: Annotated[
        list[int] | None, typer.Option(min=1, help="Horizon to try beside its own, in days; may be repeated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Compare definitions of churn on the history of the data in use.

    For each definition and horizon: how many churn and how that drifts, how many of those called lost come back,
    whether labels stand when one waits longer, how early a loss is known, and what a simple model reaches. Then: whom
    two definitions both call lost, and how likely customers return after so many days of silence. The last lines say
    which definition to take, and why. Also written to reports/definitions.json, and as pictures to
    reports/definitions/.

    \b
    Examples:
      churn define
      churn define inactivity cadence --horizon 30 --horizon 90
      churn define --json
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.core.charts import LANGUAGES, returns_chart
    from churn.core.dataset import dataset
    from churn.sections import check
    from churn.shell import config, store
    from churn.shell.repro import repro
    from churn.shell.runs import one_run

    with one_run(wait=False):
        check()
        repro(lambda _: None, ("events",))
    data = config.value("data", dataset)
    wanted, left_out = _wanted(tuple(names or ()), tuple(horizon or HORIZONS), data)
    found = _found(wanted, data)
    store.write_json(DOCUMENT, found.document | {"left_out": left_out})
    store.write_files(CHART, {f"returns_{key}.svg": returns_chart(found.curve, language=key) for key in LANGUAGES})
    if json:
        typer.echo(store.read_text(DOCUMENT), nl=False)
        return
    _show(found, left_out)


def _wanted(
    names: tuple[str, ...], horizons: tuple[int, ...], data: "Dataset"
) -> tuple[tuple["Trial", ...], dict[str, str]]:
    """The trials of the definitions in conf/ that the data can answer, and why the others were left out."""
    from churn.core.definitions import DEFINITIONS
    from churn.core.lab import trials
    from churn.shell import config
    from churn.words.errors import UsageFault

    candidates: dict[str, Definition] = {}
    for name in names or config.groups()["definition"]:
        own = config.checked(config.member("definition", name), "definition", DEFINITIONS)
        candidates[name] = DEFINITIONS[own["kind"]](**own)
    # A data set may change single values of the definition that it chooses, which then is none of the files.
    candidates |= {} if names else {"in use": config.value("definition", DEFINITIONS)}
    definitions: dict[str, Definition] = {}
    left_out: dict[str, str] = {}
    for name, one in candidates.items():
        lacking = [role for role in one.roles if role not in data.roles]
        if one.kind == "contract" and "cancel" not in data.roles:
            lacking.append("cancel")
        if lacking:
            left_out[name] = f"no source of {data.name} has events of the role {' or '.join(lacking)}"
        elif one not in definitions.values():
            definitions[name] = one
    if not definitions:
        raise UsageFault("; ".join(f"{name}: {why}" for name, why in left_out.items()))
    return trials(definitions, horizons), left_out


def _found(wanted: tuple["Trial", ...], data: "Dataset") -> "Findings":
    """The findings, from the events table in pieces of whole customers."""
    from functools import partial

    import pyarrow as pa

    from churn.core.features import catalogue, windows
    from churn.core.lab import findings, outcomes
    from churn.core.lab.simple import simple
    from churn.core.snapshots import as_ofs
    from churn.sections import section
    from churn.shell import config, store
    from churn.words.tables import EVENTS

    judged = section("evaluation")
    looked_at = tuple(f for f in catalogue(config.value("features", windows), data.roles) if f.name in judged["rfm"])
    dates = as_ofs(data.observed_from, data.observed_until, **section("snapshots"))
    acted = next(role for role in ("purchase", "usage", *data.roles) if role in data.roles)
    until = data.observed_until
    work = partial(outcomes, as_of=dates, observed_until=until, wanted=wanted, roles=(acted,), looked_at=looked_at)
    read = [c.name for c in EVENTS.columns if c.name not in {"event_type", "text", "event_id"}]
    batches = list(store.side_by_side(work, store.batches("events", read)))
    features = pa.concat_tables([batch.features for batch in batches])
    reached = partial(simple, features=features, observed_until=until, split_keys=section("split"), l2=judged["rfm_l2"])
    return findings(batches, wanted, reached)


def _show(found: "Findings", left_out: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    plain = Console(markup=False, highlight=False)
    console = plain if plain.is_terminal else Console(markup=False, highlight=False, width=160)
    table = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "definition" else "right")
    for one in found.trials:
        table.add_row(*_line(one))
    console.print(table)
    overlapping = [pair for pair in found.overlap if pair["overlap"] is not None]
    if overlapping:
        least, most = (pick(overlapping, key=lambda pair: pair["overlap"]) for pick in (min, max))
        for word, pair in (("Most alike", most), ("Least alike", least)):
            console.print(
                f"{word}: {pair['first']} and {pair['second']} both call {pair['overlap']:.0%} of "
                f"{pair['churners_of_either']:,} churners lost"
            )
    for share, days in found.faded["back_90"].items():
        if days is not None:
            console.print(f"After {days} days of silence fewer than {share} come back within 90 days")
    for name, why in left_out.items():
        console.print(f"Left out: {name}, since {why}")
    console.print(found.advice["en"])
    console.print(f"All figures are in {DOCUMENT}, the picture of returns in {CHART}/returns_en.svg")


_HEADINGS = (
    "definition", "customers", "churners", "base rate", "by date", "back in 30", "90", "180 d", "stable", "known after",
    "AUC",
)  # fmt: skip


def _line(one: dict[str, Any]) -> list[str]:
    """One trial as the cells of the table."""

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    known, auc = one["known_after_days"], one["auc"]
    between = "-" if one["base_rate_least"] is None else f"{one['base_rate_least']:.1%} to {one['base_rate_most']:.1%}"
    return [
        one["name"],
        f"{one['customers']:,}",
        f"{one['churners']:,}",
        percent(one["base_rate"]),
        between,
        *(percent(one[f"regret_{days}"]) for days in (30, 90, 180)),
        percent(one["stable"]),
        "-" if known is None else f"{known:.0f} d",
        "-" if auc is None else f"{auc:.3f}",
    ]

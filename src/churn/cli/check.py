"""`churn check`: whether a model can be trained on this data, and what would make it possible."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from churn.core.dataset import Dataset
    from churn.core.lab import Outcomes, Trial
    from churn.core.lab.findings import Reached
    from churn.core.usability import Usability
    from churn.shell.config import Configuration
    from churn.shell.engine.doors import Engine

DOCUMENT = "reports/check.json"
HORIZONS = (14, 21, 28, 45, 60, 90, 120)
"""Horizons whose churners are counted beside those of the definition in use."""


def check(
    data: Annotated[str, typer.Argument(help="A data set of conf/data; the one in use where none is named.")] = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say whether a model can be trained on a data set, and what would make it possible.

    Reads all raw files anew and changes nothing. Per source: rows, span, gaps, duplicates, late rows, clock skew. Over
    all: unknown customers, doubtful time zone, customers who weigh too much, roles without events, churners per
    definition and horizon. Each finding is an error, a warning or advice, with its remedy. Ends with 0, with 5 if no
    model can be trained, or with the code of what stopped the reading. Also written to reports/check.json.

    \b
    Examples:
      churn check
      churn check online_retail
      churn check --json
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.shell import config, store
    from churn.words.errors import NotEnoughData

    configuration = config.compose((f"data={data}",) if data else ())
    found = _usability(configuration)
    store.write_json(DOCUMENT, found.document)
    if json:
        typer.echo(store.read_text(DOCUMENT), nl=False)
    else:
        _show(found)
    if not found.usable:
        errors = [finding for finding in found.findings if finding.level == "error"]
        raise NotEnoughData(f"no model can be trained on it, because of {len(errors)} errors; see {DOCUMENT}")


def _usability(configuration: "Configuration") -> "Usability":
    """All that is known of the data set, from its raw files."""
    import pyarrow as pa

    from churn.core.dataset import dataset
    from churn.core.lab import findings
    from churn.core.usability import usability
    from churn.sections import section

    data = dataset(**section("data", configuration))
    wanted = _trials(configuration, data)
    account, batches = _read(configuration, data, wanted)
    features = pa.concat_tables([batch.features for batch in batches])
    reached = _reached(configuration, features, data.observed_until)
    told = findings(batches, wanted, reached).trials
    about = [{"definition": t.name.rpartition(" ")[0], "horizon_days": t.definition.horizon_days} for t in wanted]
    return usability(data, account, [one | more for one, more in zip(told, about, strict=True)])


def _trials(configuration: "Configuration", data: "Dataset") -> tuple["Trial", ...]:
    """The definition in use first, then the same one with other horizons."""
    from dataclasses import replace

    from churn.core.definitions import DEFINITIONS
    from churn.core.lab import Trial
    from churn.sections import section
    from churn.words.errors import ConfigFault

    keys = section("definition", configuration)
    own = DEFINITIONS[keys["kind"]](**keys)
    absent = [role for role in own.roles if role not in data.roles]
    if absent:
        raise ConfigFault(
            f"definition.roles names {absent[0]}, of which {data.name} has no event; it has {', '.join(data.roles)}"
        )
    days = [own.horizon_days, *(d for d in HORIZONS if d != own.horizon_days and d >= own.extract_days)]
    return tuple(Trial(f"{own.kind} {d}", replace(own, horizon_days=d)) for d in days)


def _read(
    configuration: "Configuration", data: "Dataset", wanted: tuple["Trial", ...]
) -> tuple[dict[str, Any], list["Outcomes"]]:
    """The account of all rows, and what the trials say of all customers."""
    from functools import partial

    from churn.core.events import Clock, Shown, Survey, checked, reconciliation, shown_of
    from churn.core.features import catalogue, windows
    from churn.core.lab import outcomes
    from churn.core.snapshots import as_ofs
    from churn.sections import section
    from churn.shell import raw, store
    from churn.shell.engine import ENGINES

    engine, judged = section("engine", configuration), section("evaluation", configuration)
    lookback = windows(**section("features", configuration))
    look = partial(
        outcomes,
        as_of=as_ofs(data.observed_from, data.observed_until, **section("snapshots", configuration)),
        observed_until=data.observed_until,
        wanted=wanted,
        roles=wanted[0].definition.roles,
        looked_at=tuple(f for f in catalogue(lookback, data.roles) if f.name in judged["rfm"]),
    )
    survey, clock = Survey(data), Clock(data.time_zone)
    shown: Shown = {}
    made: Engine = ENGINES[engine["kind"]](**engine)  # type: ignore[operator]
    with made.events(data, check=checked, inventory=raw.inventory(data)) as found:
        for _ in shown_of(found.quarantine, shown):
            pass
        account = reconciliation(data, found.counts, shown)
        for _ in survey.attributes(found.attributes):
            pass
        pieces = store.whole_customers(clock.events(survey.events(found.events)), store.PIECE_ROWS)
        batches = [look(piece.unify_dictionaries().combine_chunks()) for piece in pieces]
    return clock.added(survey.added(account)), batches


def _reached(configuration: "Configuration", features: "pa.Table", observed_until: int) -> "Reached":
    from functools import partial

    from churn.core.lab.simple import simple
    from churn.sections import section

    keys, l2 = section("split", configuration), section("evaluation", configuration)["rfm_l2"]
    return partial(simple, features=features, observed_until=observed_until, split_keys=keys, l2=l2)


def _show(found: "Usability") -> None:
    from rich.console import Console
    from rich.table import Table

    plain = Console(markup=False, highlight=False, soft_wrap=True)
    console = plain if plain.is_terminal else Console(markup=False, highlight=False, width=160, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for heading in ("source", *_COUNTS):
        table.add_column(heading.replace("_", " "), justify="left" if heading == "source" else "right")
    for one in found.sources:
        counted = (one[name] for name in _COUNTS)
        table.add_row(one["source"], *(f"{n:,}" if isinstance(n, int) else str(n or "-") for n in counted))
    console.print(table)
    for trial in found.trials:
        rate = "" if trial["base_rate"] is None else f" ({trial['base_rate']:.1%})"
        console.print(f"horizon of {trial['horizon_days']} days: {trial['churners']:,} churners{rate}")
    for finding in found.findings:
        console.print(finding.text)
    console.print("A model can be trained on it." if found.usable else "No model can be trained on it yet.")
    console.print(f"All figures are in {DOCUMENT}")


_COUNTS = (
    "rows", "kept", "duplicates", "quarantined", "out_of_window", "late", "clock_skew", "first_day", "last_day",
)  # fmt: skip

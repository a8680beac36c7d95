"""`churn init`: look at data that nobody described, and write what it probably is."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churn.words.errors import ConfigFault, NotEnoughData, UsageFault

if TYPE_CHECKING:
    import pyarrow as pa

    from churn.core.dataset import Dataset
    from churn.core.guess import Draft
    from churn.core.guess.timing import Choice
    from churn.core.guess.tree import Tree

DATA = Path("conf/data")


def init(
    where: Annotated[
        str,
        typer.Argument(help="File, folder, pattern such as 'data/raw/*.csv', package:NAME/folder, or postgresql://…"),
    ],
    *,
    name: Annotated[
        str | None, typer.Option(help="Name of the data set; by default that of the file or folder.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace conf/data/NAME.yaml if it is there.")] = False,
) -> None:
    """Look at data, and write conf/data/NAME.yaml: what each column probably is, with the evidence beside it.

    Reads CSV and TSV, JSON lines, Parquet, XLSX, SQLite and PostgreSQL; texts may be packed with gzip or zstd. Asks
    nothing. What a person must check is printed, and marked CHECK in the file. The address of a database is never
    written: the file names an environment variable that holds it.

    \b
    Examples:
      churn init data/raw/shop                       every file in a folder
      churn init ../orders.csv.gz --name shop        copied to data/raw/shop/
      churn init postgresql://me@host/shop
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.core import guess
    from churn.shell import store
    from churn.shell.samples import name_of, samples

    if not Path("conf/config.yaml").is_file():
        raise UsageFault(f"{Path.cwd()} is no churn project, nor is a folder above it. Go to one")
    chosen = name or name_of(where)
    path = _free(chosen, overwrite=overwrite)
    found, notes = samples(where, chosen, guess.layout)
    drawn = guess.draft(chosen, [guess.Sample(*rows) for rows in found])
    tree, when = _with_times(drawn)
    head = "Guessed by `churn init`. Look at each CHECK, correct what is wrong, and delete what you have read."
    store.write_text(path, guess.document(tree, head, "contract" if drawn.contract else "inactivity"))
    _say(path, tree, notes)
    if when.too_few:
        raise NotEnoughData(f"{path} is written, but a model cannot be made yet: {when.too_few}")
    if when.step_down:
        typer.echo(f"Too few leave for boosted trees ({when.step_down}): a simpler model is learnt (docs/models.md).")
    typer.echo(f"Next:\n  churn config use data={chosen}\n  churn run")


def _free(name: str, *, overwrite: bool) -> Path:
    """Where the declaration goes, once nothing stands there."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UsageFault(f"--name must be made of letters, digits, _ and -, got {name!r}; give one with --name")
    path = DATA / f"{name}.yaml"
    if path.exists() and not overwrite:
        raise UsageFault(f"{path} is there already; give another --name, or --overwrite to replace it")
    return path


def _with_times(drawn: "Draft") -> tuple["Tree", "Choice"]:
    """The whole file, after all rows went through the door: what became of them, and when they happened."""
    from churn.core import guess
    from churn.core.guess.seen import noted
    from churn.shell import config

    data = _dataset(drawn.values)
    # What another data set asks for is none of this one's business, and its file may be gone.
    composed = config.compose(["engine=duckdb"], without=["data"])
    events, counts = _through_the_door(data, composed)
    # The end of a contract may be agreed on long before it comes: it does not tell until when there are data.
    said = tuple(role for role in drawn.roles if role != "cancel") if drawn.contract else drawn.active
    active = events.filter(_is_in(events["role"], said))
    sums = drawn.period
    seen = guess.window(
        _instants(active if active.num_rows else events), data.time_zone, sums.known_after if sums else None
    )
    bounds = _dataset(drawn.values | {"observed_from": seen.since, "observed_until": seen.until})
    chosen = guess.choice(
        events,
        since=bounds.observed_from,
        until=bounds.observed_until,
        roles=drawn.active,
        contract=drawn.contract,
        parts=composed.values["split"],
        churners_least=composed.values["step_down"]["churners_least"],
        step_days=sums.days if sums else None,
    )
    return guess.finished(noted(drawn, counts), seen, chosen), chosen


def _dataset(values: dict[str, Any]) -> "Dataset":
    from churn.core.dataset import dataset
    from churn.shell import config

    try:
        return dataset(**config.checked(config.Configuration({"data": values}, {(): "the guess"}), "data", dataset))
    except ConfigFault as fault:
        raise ConfigFault(f"what was guessed makes no data set, which is a bug; report it: {fault}") from fault


def _through_the_door(data: "Dataset", composed: Any) -> tuple["pa.Table", dict[str, dict[str, Any]]]:
    """When events of which role and state happened, whose they are, and what became of the rows of each source."""
    import pyarrow as pa

    from churn.core.events import checked
    from churn.core.snapshots import COLUMNS
    from churn.shell import config, raw
    from churn.shell.engine import ENGINES
    from churn.shell.engine.on_duckdb import on_duckdb

    raw.save_tables(data)
    engine = on_duckdb(**config.checked(composed, "engine", ENGINES))
    with engine.events(data, check=checked, inventory=raw.inventory(data)) as found:
        events = pa.concat_tables([piece.select(COLUMNS) for piece in found.events]).unify_dictionaries()
        if not events.num_rows:
            raise NotEnoughData(f"no row became an event: {_reasons(found.counts)}")
        return events, found.counts


def _reasons(counts: dict[str, dict[str, Any]]) -> str:
    said = [f"{name}: {n:,} {reason}" for name, c in counts.items() for reason, n in c["quarantined"].items()]
    return "; ".join(said) or "the files hold no rows"


def _is_in(column: "pa.ChunkedArray", words: tuple[str, ...]) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(column.cast(pa.string()), value_set=pa.array(words))


def _instants(events: "pa.Table") -> Any:
    import pyarrow as pa

    return events["occurred_at"].cast(pa.int64()).to_numpy()


def _say(path: Path, tree: "Tree", notes: list[str]) -> None:
    from churn.core import guess
    from churn.core.guess.seen import told

    typer.echo(f"{path} is written.")
    for line in [*told(tree), *notes]:
        typer.echo(f"  {line}")
    check = guess.to_check(tree)
    if check:
        typer.echo(f"Please check {len(check)} guess{'es' if len(check) > 1 else ''}, marked CHECK in the file:")
    for line in check:
        typer.echo(f"  {line}")

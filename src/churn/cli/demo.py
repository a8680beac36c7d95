"""`churn demo`: write a world of customers whose causes and hazards are known."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT = Path("data/demo")
"""Where conf/data/demo.yaml looks for it."""


class Size(StrEnum):
    """Sizes of `churn.core.demo`; typer shows them, so they stand where nothing heavy is imported."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    HUGE = "huge"


def demo(
    *,
    size: Annotated[
        Size, typer.Option(help="2,000, 10,000, 100,000 or 1 million customers; each has about 100 events.")
    ] = Size.SMALL,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same world, byte by byte.")] = 1,
    to: Annotated[Path, typer.Option(help="Folder to write into, from the project's folder.")] = DEFAULT,
) -> None:
    """Write the demo world, whose truth is known.

    A subscription business: orders, usage, tickets, payments, surveys, campaigns, cancellations. Beside the files
    that a company would have lies truth/: why each customer leaves, the weekly hazard, and what a retention offer
    would change. No stage reads it. A demo world that is there already is replaced whole.

    \b
    Examples:
      churn demo
      churn demo --size medium --seed 7
      churn demo --to data/other              then change the paths in conf/data/demo.yaml
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.core.demo import demo as world
    from churn.shell.worlds import write_world

    made = world(size=size.value, seed=seed)
    about: dict[str, object] = {"size": size.value, "seed": seed}
    written = write_world(to, made.chunk_files, made.n_chunks, about=about)
    typer.echo(f"{to}: the demo world of size {size.value} and seed {seed}")
    for source, (files, rows) in written.items():
        typer.echo(f"  {source:<14} {rows:>11,} rows in {files} file{'s' if files > 1 else ''}")
    typer.echo("Next:\n  churn config use data=demo\n  churn run")

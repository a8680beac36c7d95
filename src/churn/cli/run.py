"""`churn run`: check the configuration, make what is out of date, publish the list."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from churn.shell.delivery import Published
    from churn.shell.repro import Step

DELIVERIES = Path("deliveries")
SHOWN = 5
"""Customers shown after a run: enough to see that the list makes sense."""


def run(
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for another run to end instead of giving up.")] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="No list of a model that is unproved, or learnt from a leak (6); 12 if it has warnings."
        ),
    ] = False,
) -> None:
    """Make the list of customers at risk, and publish it.

    Checks conf/ against params.yaml, makes whatever is out of date (`dvc repro`), and puts the list into
    deliveries/AS_OF/ in one step. The last good list stays readable at every moment. Progress goes to the
    error output, the result to the standard output, what the stages say to data/logs/run.log.

    \b
    Examples:
      churn run                                      the list of the data in use
      churn run --wait                               after the run that is under way
      churn run --strict                             for a scheduler: doubts and warnings are exit codes, too
      churn config use data=online_retail && churn run
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.cli import reference
    from churn.cli.leaks import check as check_leaks
    from churn.cli.told import account, check_warnings
    from churn.core.promotion import check_proven
    from churn.sections import check
    from churn.shell.repro import repro
    from churn.shell.runs import one_run
    from churn.shell.store import PATHS, read_json
    from churn.shell.surroundings import check_surroundings
    from churn.words.errors import UsageFault

    if not Path("dvc.yaml").exists():
        raise UsageFault(f"{Path.cwd()} is no churn project, nor is a folder above it: there is no dvc.yaml. Go to one")
    check_surroundings()
    with one_run(wait=wait), _telling() as tell:
        check()
        repro(tell)
        reference.check()
        if strict:
            check_proven(read_json(PATHS["evaluation"]))
            check_leaks()
        published = _publish()
        reference.keep()
    _say(published)
    if strict:
        check_warnings(account().warnings)


def _publish() -> "Published":
    """Put the list that was made into deliveries/, under the local date of its as_of."""
    from churn.shell import config, store
    from churn.shell.delivery import listed, name_origin, publish
    from churn.shell.store import PATHS, digest
    from churn.words.windows import local_date

    made = Path(PATHS["risk_list"])
    rows = listed(made, ["as_of", "model_version"])
    first = rows.slice(0, 1).to_pylist()
    published = publish(
        made,
        DELIVERIES,
        as_of=local_date(int(first[0]["as_of"].timestamp() * 1e6), config.params().values["data"]["time_zone"]),
        rows=len(rows),
        model_version=first[0]["model_version"],
        params_digest=digest(config.PARAMS),
        data_digest=digest(PATHS["raw"]),
    )
    name_origin(published.folder, store.read_json(PATHS["tracking"]))
    return published


def _say(published: "Published") -> None:
    """What became of the rows, whom the list names first, what the model is worth, and where the list is."""
    from rich.console import Console
    from rich.table import Table

    from churn.cli.told import account
    from churn.core.amounts import money
    from churn.shell import store
    from churn.shell.delivery import listed
    from churn.shell.store import PATHS

    rows = listed(published.folder, ["rank", "customer_id", "score", "value_at_risk", "currency", "reason_1_en"])
    table = Table(box=None, pad_edge=False)
    for heading in ("rank", "customer", "leaves", "at risk", "first reason"):
        table.add_column(heading, justify="left" if heading in {"customer", "first reason"} else "right")
    for row in rows.slice(0, SHOWN).to_pylist():
        at_risk = money(row["value_at_risk"], row["currency"])
        table.add_row(str(row["rank"]), row["customer_id"], f"{row['score']:.0%}", at_risk, row["reason_1_en"] or "")
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(account().text)
    console.print(table)
    report = store.read_json(PATHS["evaluation"])
    console.print(report["verdict"]["en"])
    if report["list"]["en"]:
        console.print(report["list"]["en"])
    grade = store.read_json(published.folder / "model_card.json")["grade"]
    console.print(f"Grade {grade['grade']}. {grade['en']} See {published.folder}/model_card.html")
    state = "Published" if published.is_new else "Nothing changed; still"
    console.print(f"{state} {published.folder}: {len(rows):,} customers. Open {published.folder}/index.html")
    console.print(f"Ask about one of them: churn why {rows['customer_id'][0]}")


@contextmanager
def _telling() -> Iterator[Callable[["Step"], None]]:
    """What tells a person about each step, on standard error: one live line on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield lambda step: print(_words(step), file=sys.stderr, flush=True)  # noqa: T201
        return
    from rich.console import Console

    console = Console(stderr=True, markup=False, highlight=False)
    status = console.status("")

    def tell(step: "Step") -> None:
        status.start()  # here, for it starts a thread, and DVC is started by a process without threads
        if step.state == "started":
            status.update(f"making {step.stage}")
        else:
            console.print(_words(step))

    try:
        yield tell
    finally:
        status.stop()


def _words(step: "Step") -> str:
    took = f" in {step.seconds:.1f} s" if step.state == "made" else ""
    return f"{step.stage:<12} {step.state}{took}"

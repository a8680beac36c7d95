"""`churn leaks`: whether the future, or the outcome itself, has got into what the model learns from."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from churn.core.leaks import Alarm

DOCUMENT = "reports/leaks.json"
CUSTOMERS = 5000
"""Looked at: more take longer and find what a few snapshots tell."""
SEED = 7
"""Of the shuffled outcomes: the same run finds the same."""


def leaks(
    *,
    customers: Annotated[
        int, typer.Option(min=100, help="Customers to look at, chosen by their ids; more take longer.")
    ] = CUSTOMERS,
    train: Annotated[bool, typer.Option(help="Train once on shuffled outcomes, too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Look for leaks in the tables of the last run.

    Features are made again with another future, and from what was known on an earlier day; they must not differ by a
    bit from what is stored. Features, attribute values, event types and the order of ids must not name the churners.
    Parts of the split must not overlap, a model trained on shuffled outcomes must not rank, and the model in use must
    not be too good to be true. Ends with 6 when there is an alarm. Also written to reports/leaks.json.

    \b
    Examples:
      churn leaks
      churn leaks --customers 20000 --no-train
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.shell import store
    from churn.words.errors import GateFault

    tables = _tables(customers)
    found = _inspected(tables) + _controls(tables, train=train)
    n = _kept(tables, found)
    if json:
        typer.echo(store.read_text(DOCUMENT), nl=False)
    else:
        for alarm in found:
            typer.echo(f"{alarm.check}: {alarm.en}")
        without = "" if _evaluated() else "; no model was judged yet, so none was looked at"
        typer.echo(f"{len(found)} alarms; looked at {n:,} customers{without}. All checks are in docs/leaks.md")
    if found:
        raise GateFault(f"{len(found)} alarms of leaks: {', '.join(alarm.name for alarm in found[:5])}; see {DOCUMENT}")


def check() -> None:
    """Nothing is published with nobody watching of which the tables say that it knew the outcome.

    The checks of `churn leaks` that train no model, but for the order of ids, which no model sees.

    Raises
    ------
    GateFault
        With the first alarm and where the others are (exit 6).
    """
    from churn.words.errors import GateFault, message

    tables = _tables(CUSTOMERS)
    found = [alarm for alarm in _inspected(tables) if alarm.check != "id_order"]
    _kept(tables, found)
    if found:
        raise GateFault(
            message(
                f"what the model learns from knows the outcome, so `--strict` publishes nothing: {found[0].en}",
                where=DOCUMENT,
                many=f"alarms: {len(found)}, of {', '.join(sorted({alarm.name for alarm in found})[:5])}",
                do="`churn leaks` shows all of them. What is honestly known before belongs into evaluation.vouched in "
                "conf/config.yaml (docs/leaks.md)",
            )
        )


def _kept(tables: dict[str, "pa.Table"], found: list["Alarm"]) -> int:
    """Write the alarms; how many customers were looked at."""
    from churn.shell import store

    n = len(set(tables["snapshots"]["customer_id"].to_pylist()))
    store.write_json(DOCUMENT, {"customers": n, "alarms": [alarm.document for alarm in found]})
    return n


def _evaluated() -> bool:
    """Whether there is a model to look at: a run that a leak stopped may have left none."""
    from pathlib import Path

    from churn.shell.store import PATHS

    return Path(PATHS["evaluation"]).exists()


def _tables(customers: int) -> dict[str, "pa.Table"]:
    """The tables of the last run, those with customers for a part of them: every n-th id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from churn.shell import store

    ids = pc.unique(store.read("snapshots", ["customer_id"])["customer_id"])
    step = max(1, len(ids) // customers)
    chosen = ids.take(pa.array(range(0, len(ids), step)))
    found = {}
    for name in ("events", "attributes", "snapshots", "features"):
        pieces = [piece.filter(pc.is_in(piece["customer_id"], value_set=chosen)) for piece in store.batches(name)] or [
            store.read(name)
        ]
        found[name] = pa.concat_tables(pieces).unify_dictionaries().combine_chunks()
    return found | {"split": store.read("split")}


def _inspected(tables: dict[str, "pa.Table"]) -> list["Alarm"]:
    import numpy as np

    from churn.core.dataset import dataset
    from churn.core.definitions import DEFINITIONS
    from churn.core.features import catalogue, features, windows
    from churn.core.leaks import inspection
    from churn.core.timeline import instants
    from churn.sections import section
    from churn.shell import config

    data = config.value("data", dataset)
    lookback = config.value("features", windows)
    make = partial(features, lookback=lookback, roles=data.roles, attribute_names=data.attribute_names)
    dates = np.unique(instants(tables["snapshots"]["as_of"]))
    three = [int(dates[i]) for i in sorted({0, len(dates) // 2, len(dates) - 1})]
    vouched = section("evaluation")["vouched"]
    known = {feature.role for feature in catalogue(lookback, data.roles) if feature.name in vouched and feature.role}
    own = (*config.value("definition", DEFINITIONS).roles, *sorted(known))
    order = ("events", "snapshots", "attributes", "features", "split")
    return inspection(make, *(tables[name] for name in order), dates=three, own_roles=own, vouched=vouched)


def _controls(tables: dict[str, "pa.Table"], *, train: bool) -> list["Alarm"]:
    """What needs a model: the one in use, and one trained on shuffled outcomes."""
    from churn.core.leaks import learns_from_noise, too_good
    from churn.sections import learning
    from churn.shell import store
    from churn.shell.store import PATHS

    found = []
    if _evaluated():
        report = store.read_json(PATHS["evaluation"])
        found = too_good(report["model"]["auc"], report["logistic"]["auc"])
    if not train:
        return found
    features, snapshots, split = (tables[name] for name in ("features", "snapshots", "split"))
    return found + learns_from_noise(features, snapshots, split, learning(), shuffle_seed=SEED)

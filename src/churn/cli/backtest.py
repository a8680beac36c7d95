"""`churn backtest`: what the lists of past days would have been worth, made with what was known on each of them."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from churn.core.backtest import Day, Plan, Settings, World
    from churn.core.dataset import Dataset

DOCUMENT, TABLES = "reports/backtest.json", "reports/backtest"
CUSTOMERS = 20_000
"""Their features on 30 dates take about half a gigabyte, and their figures are sure to half a point of AUC."""


def backtest(
    *,
    as_ofs: Annotated[int, typer.Option("--as-ofs", min=1, help="How many lists, the newest ones.")] = 8,
    every: Annotated[
        int | None, typer.Option(min=1, help="Days between lists; chosen so that outcomes overlap least.")
    ] = None,
    customers: Annotated[
        int, typer.Option(min=100, help="Customers to look at, chosen by their ids; more take longer.")
    ] = CUSTOMERS,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 6 if the rule is as good.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Make the lists of past days anew, with what was known on each day, and judge them by what came of them.

    For each of the newest days whose outcomes are known: snapshots, labels, split, features, model and calibration as a
    run of that day would have had them. Then how well each list ranked, how many of those called left, beside the best
    time rule and a logistic regression; how much that varies from list to list; how many names change; and whether it
    is as good for new customers as for old ones. Also written to reports/backtest.json and, as a table, to
    reports/backtest/as_ofs.csv.

    \b
    Examples:
      churn backtest
      churn backtest --as-ofs 12 --every 28
      churn backtest --strict            for a scheduler: 6 if the model is no better than the rule
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.core.backtest import FAILED, report
    from churn.shell import store
    from churn.words.errors import GateFault

    _events()
    settings, judging = _settings()
    there, when, shares = _world(settings, as_ofs, every, customers)
    days, stopped = _days(there, when, settings)
    judging["capacity"] = max(1, round(judging["capacity"] * shares["customers"] / shares["of_customers"]))
    found = report(days, when, stopped=stopped, digest=shares | _digests(), **judging)
    store.write_json(DOCUMENT, found)
    store.write_files(TABLES, {"as_ofs.csv": _csv(found)})
    if json:
        typer.echo(store.read_text(DOCUMENT), nl=False)
    else:
        _show(found)
    if strict and found["verdict"]["outcome"] in FAILED:
        raise GateFault(f"{found['verdict']['en']} Nothing should be published with this model; see {DOCUMENT}")


def _events() -> None:
    """Make the events of the data in use, if they are out of date."""
    from churn.sections import check
    from churn.shell.repro import repro
    from churn.shell.runs import one_run

    with one_run(wait=False):
        check()
        repro(lambda _: None, ("events",))


def _settings() -> tuple["Settings", dict[str, Any]]:
    """The sections that a run is made with, and those by which it is judged."""
    from churn.core.backtest import Settings
    from churn.core.definitions import DEFINITIONS
    from churn.sections import section
    from churn.shell import config

    judged = section("evaluation")
    settings = Settings(
        config.value("definition", DEFINITIONS),
        section("split"),
        section("model"),
        judged["rfm"],
        judged["rfm_l2"],
        judged["calibration"],
        judged["seed"],
        section("risk_list")["value_features"],
    )
    return settings, {name: judged[name] for name in ("capacity", "bootstrap", "seed", "interval")}


def _world(
    settings: "Settings", asked: int, every: int | None, customers: int
) -> tuple["World", "Plan", dict[str, Any]]:
    """Features and outcomes of all dates of all those runs, from the events table in pieces of whole customers."""
    from functools import partial

    from churn.core.backtest import plan, rows, world
    from churn.core.dataset import dataset
    from churn.core.features import windows
    from churn.sections import section
    from churn.shell import config
    from churn.shell.engine import ENGINES
    from churn.words.tables import EVENTS

    data: Dataset = config.value("data", dataset)
    began = time.monotonic()
    when = plan(
        data.observed_from,
        data.observed_until,
        definition=settings.definition,
        snapshots=section("snapshots"),
        parts=settings.parts,
        asked=asked,
        step_days=every,
    )
    chosen, shares = _chosen(customers)
    make = partial(
        rows,
        when=when,
        observed_until=data.observed_until,
        definition=settings.definition,
        lookback=config.value("features", windows),
        roles=data.roles,
        attribute_names=data.attribute_names,
        chosen=chosen,
    )
    columns = {
        "events": [c.name for c in EVENTS.columns if c.name not in {"event_type", "text", "event_id"}],
        "attributes": None,
    }
    there = world(config.value("engine", ENGINES).made(make, columns, ROWS), when)
    _tell(f"{there.outcomes.num_rows:,} snapshots of {len(when.every_date)} dates in {time.monotonic() - began:.1f} s")
    return there, when, shares


ROWS = 100_000
"""Events read at once; what is made of them is kept."""


def _chosen(most: int) -> tuple[Any, dict[str, Any]]:
    """The customers to look at, None for all, and how many they are of how many."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from churn.shell import store

    ids = pa.concat_arrays(
        [pc.unique(piece["customer_id"].cast(pa.string())) for piece in store.batches("events", ["customer_id"])]
    )
    ids = pc.unique(ids)
    step = -(-len(ids) // most)
    if step <= 1:
        return None, {"customers": len(ids), "of_customers": len(ids)}
    chosen = ids.take(pa.array(range(0, len(ids), step)))
    return chosen, {"customers": len(chosen), "of_customers": len(ids)}


def _days(there: "World", when: "Plan", settings: "Settings") -> tuple[list["Day"], dict[int, str]]:
    """The lists that could be made, and why others could not."""
    from churn.core.backtest import day
    from churn.core.metrics import auc
    from churn.core.model.parts import iso
    from churn.shell.starts import bring
    from churn.words.errors import DriftFault, GateFault, NotEnoughData

    bring("lightgbm")
    made: list[Day] = []
    stopped: dict[int, str] = {}
    for number, as_of in enumerate(int(one) for one in when.days):
        began = time.monotonic()
        where = f"{number + 1}/{len(when.days)}  {iso(as_of)[:10]}"
        try:
            one = day(there, when, as_of, settings)
        except (NotEnoughData, DriftFault, GateFault) as fault:
            stopped[as_of] = str(fault)
            _tell(f"{where}  no list: {fault}")
            continue
        made.append(one)
        churned = one.churned[one.known]
        reached, ruled = (auc(churned, one.scores[name][one.known]) for name in ("model", "rule"))
        _tell(
            f"{where}  {len(churned):,} customers, {churned.mean():.1%} left, AUC {reached:.3f} (rule {ruled:.3f}), "
            f"{time.monotonic() - began:.1f} s"
        )
    return made, stopped


def _digests() -> dict[str, Any]:
    """What the figures were made from."""
    from churn.shell import config, store

    return {"data": store.digest(store.PATHS["raw"]), "params": store.digest(config.PARAMS)}


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


_CSV = (
    "as_of", "n", "churners", "base_rate", "auc", "ap", "lift10", "logloss", "brier", "ece", "precision", "lift",
    "recall", "caught", "money", "money_delivered",
)  # fmt: skip


def _csv(found: dict[str, Any]) -> str:
    """One line a list, then the same figures of the rule."""
    head = [*_CSV, *(f"rule_{name}" for name in _CSV[4:])]
    lines = [[one[name] for name in _CSV] + [one["rule"][name] for name in _CSV[4:]] for one in found["as_ofs"]]
    return "".join(",".join(str(cell) for cell in line) + "\n" for line in [head, *lines])


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    plain = Console(markup=False, highlight=False, soft_wrap=True)
    console = plain if plain.is_terminal else Console(markup=False, highlight=False, width=160, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "list of" else "right")
    for one in found["as_ofs"]:
        table.add_row(one["as_of"][:10], *_cells(one, one["rule"]))
    whole, rule = ({**found["list"][name], **found["models"][name]["pooled"]} for name in ("model", "rule"))
    whole = whole | {"n": sum(one["n"] for one in found["as_ofs"])}
    table.add_row("all lists", *_cells(whole, rule))
    spread = found["spread"]
    table.add_row("varies by", "", *(f"{spread[name]['std']:.3f}" for name in ("base_rate", "auc")))
    console.print(table)
    for line in _sentences(found):
        console.print(line)
    console.print(found["verdict"]["en"])
    console.print(f"All figures are in {DOCUMENT}; docs/backtest.md says how to read them")


_HEADINGS = (
    "list of",
    "customers",
    "left",
    "AUC",
    "rule",
    "ECE",
    "called",
    "left of them",
    "rule",
    "times base",
    "money",
)


def _cells(one: dict[str, Any], rule: dict[str, Any]) -> list[str]:
    """One list as the cells of the table."""
    return [
        f"{one['n']:,}",
        f"{one['base_rate']:.1%}",
        f"{one['auc']:.3f}",
        f"{rule['auc']:.3f}",
        f"{one['ece']:.3f}",
        f"{one['caught'] / one['precision']:,.0f}" if one["precision"] else "-",
        f"{one['caught']:.0f}",
        f"{rule['caught']:.0f}",
        f"{one['lift']:.2f}",
        f"{one['money_delivered']:,.0f}",
    ]


def _sentences(found: dict[str, Any]) -> list[str]:
    """What the table does not show, each in a sentence."""
    lines = [f"{one['as_of'][:10]}: no list would have been made, since {one['why']}" for one in found["stopped"]]
    if len(found["as_ofs"]) + len(found["stopped"]) < found["asked"]:
        n = len(found["as_ofs"]) + len(found["stopped"])
        lines.append(f"{found['asked']} lists were asked for; the history is long enough for {n}")
    moved, k = found["list"]["change"], found["list"]["capacity"]
    if moved:
        lines.append(
            f"From list to list, {found['step_days']} days later, {moved['came']:.0f} of the {k:,} names are new; "
            f"{moved['by_eligibility']:.0%} of the changes are customers who became, or are no longer, customers to be "
            f"scored. The order of the others agrees by {moved['rank_correlation']:.2f}"
        )
    groups = found["stability"]["groups"]
    if groups:
        worst = min(groups, key=lambda one: one["auc"])
        lines.append(
            f"Weakest group: {worst['attribute']} {worst['value']}, AUC {worst['auc']:.3f} "
            f"({worst['auc_low']:.3f} to {worst['auc_high']:.3f}), {worst['n']:,} snapshots"
        )
    shares = found["digest"]
    if shares["customers"] < shares["of_customers"]:
        lines.append(
            f"Looked at {shares['customers']:,} of {shares['of_customers']:,} customers, and called as few of them"
        )
    return lines

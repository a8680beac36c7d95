"""`churn backtest`: what the lists of past days would have been worth, made with what was known on each of them."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from churn.cli.backtest_made import make, tell

if TYPE_CHECKING:
    from churn.core.backtest import Day, Plan, Settings, World

DOCUMENT, TABLES = "reports/backtest.json", "reports/backtest"
MONTHS = (0, 1, 2, 3, 6)
"""Ages of models that are tried: as long as somebody may leave a model alone."""
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
    staleness: Annotated[bool, typer.Option("--staleness", help="Judge the models of earlier months, too.")] = False,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Train without each source and family, and let sources fail, too.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 6 if the rule is as good.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Make the lists of past days anew, with what was known on each day, and judge them by what came of them.

    For each of the newest days whose outcomes are known: snapshots, labels, split, features, model and calibration as a
    run of that day would have had them. Then how well each list ranked, how many of those called left, beside the best
    time rule and a logistic regression; how much that varies from list to list; how many names change; and whether it
    is as good for new customers as for old ones. With --staleness, what it costs to keep a model for months; with
    --ablation, what each source and family of features is worth, and what scores do when a source fails. Also written
    to reports/backtest.json and, as a table and a picture, to reports/backtest/.

    \b
    Examples:
      churn backtest
      churn backtest --as-ofs 12 --every 28
      churn backtest --staleness --ablation
      churn backtest --strict            for a scheduler: 6 if the model is no better than the rule
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.cli.backtest_parts import ablated, failing, stale
    from churn.cli.backtest_told import charts, csv_text, show
    from churn.core.backtest import FAILED, report
    from churn.sections import section
    from churn.shell import store
    from churn.words.errors import GateFault

    _events()
    settings, judging = _settings()
    made = make(settings, as_ofs, every, customers, MONTHS if staleness else ())
    days, stopped = _days(made.there, made.when, settings, made.data.time_zone)
    shares = made.shares
    judging["capacity"] = max(1, round(judging["capacity"] * shares["customers"] / shares["of_customers"]))
    more: dict[str, Any] = {"staleness": stale(made, days, settings, judging)} if staleness else {}
    if ablation and days:
        more |= {"ablation": ablated(made, days, settings, judging), "failing": failing(made, days[-1], judging)}
    about: dict[str, Any] = {"currency": made.data.currency, "time_zone": made.data.time_zone}
    about |= {"least": section("evaluation")["slices_least"], "outcome_days": settings.definition.outcome_days}
    found = report(days, made.when, stopped=stopped, digest=shares | _digests(), **about, **judging, **more)
    store.write_json(DOCUMENT, found)
    store.write_files(TABLES, {"as_ofs.csv": csv_text(found), **charts(found)})
    if json:
        typer.echo(store.read_text(DOCUMENT), nl=False)
    else:
        show(found, DOCUMENT)
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
    from churn.sections import learning, section
    from churn.shell import config

    judged = section("evaluation")
    settings = Settings(
        config.value("definition", DEFINITIONS),
        section("split"),
        learning(),
        judged["rfm"],
        judged["rfm_l2"],
        judged["vouched"],
        judged["calibration"],
        judged["seed"],
        section("risk_list")["value_features"],
    )
    return settings, {name: judged[name] for name in ("capacity", "bootstrap", "seed", "interval")}


def _days(there: "World", when: "Plan", settings: "Settings", time_zone: str) -> tuple[list["Day"], dict[int, str]]:
    """The lists that could be made, and why others could not; if there is none, the newest one's fault is raised."""
    from churn.core.backtest import day
    from churn.core.days import local_day
    from churn.core.metrics import auc
    from churn.shell.starts import bring
    from churn.words.errors import DriftFault, GateFault, NotEnoughData

    bring("lightgbm")
    made: list[Day] = []
    stopped: dict[int, str] = {}
    for number, as_of in enumerate(int(one) for one in when.days):
        began = time.monotonic()
        where = f"{number + 1}/{len(when.days)}  {local_day(as_of, time_zone)}"
        try:
            one = day(there, when, as_of, settings)
        except (NotEnoughData, DriftFault, GateFault) as fault:
            stopped[as_of] = str(fault)
            tell(f"{where}  no list: {fault}")
            if not made and as_of == when.days[-1]:
                raise
            continue
        made.append(one)
        churned = one.churned[one.known]
        reached, ruled = (auc(churned, one.scores[name][one.known]) for name in ("model", "rule"))
        tell(
            f"{where}  {len(churned):,} customers, {churned.mean():.1%} left, AUC {reached:.3f} (rule {ruled:.3f}), "
            f"{time.monotonic() - began:.1f} s"
        )
    return made, stopped


def _digests() -> dict[str, Any]:
    """What the figures were made from."""
    from churn.shell import config, store

    return {"data": store.digest(store.PATHS["raw"]), "params": store.digest(config.PARAMS)}

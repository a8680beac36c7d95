"""`churn tune`: better settings of the boosted trees, looked for on dates that lie before the test."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from churn.core.tuning import Fold
    from churn.shell.config.edit import Change
    from churn.shell.search import Trial

DOCUMENT = "reports/tuning.json"
ROWS = 50_000
"""Features read at once: 250 columns of them take 50 MB."""
ROWS_MOST = 200_000
"""Matured snapshots that a search learns from, at most: what suits them suits more, and a trial takes seconds."""


def tune(
    *,
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, those of earlier searches included.")] = 40,
    minutes: Annotated[float, typer.Option(min=0.0, help="Begin no trial after so many minutes.")] = 30.0,
    folds: Annotated[int, typer.Option(min=2, max=12, help="Dates on which each trial is judged.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same trials.")] = 7,
    write: Annotated[bool, typer.Option("--write", help="Write the best settings into conf/, and compose.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Look for better settings of the boosted trees: leaves, rows in a leaf, learning rate, features, l2, half-life.

    Each trial is judged by its log loss on some dates before the test, by models that knew what was known on each of
    them; the test part is never read. A trial that is worse than half of the others is given up. At the end the best
    settings meet those in use on a date that no trial has seen. A search that was stopped or killed goes on with the
    next call. Also written to reports/tuning.json, and told to MLflow, each trial as a run within the search.

    \b
    Examples:
      churn tune
      churn tune --minutes 5
      churn tune --trials 100              goes on where the 40 of before ended
      churn tune --write                   takes the best settings over
    """  # noqa: D301 - \b keeps lines as they are, it is no escape
    from churn.core.tuning import confirmed, in_use, losses, space
    from churn.sections import section as section_of
    from churn.shell import config, store
    from churn.shell.config import edit
    from churn.shell.runs import one_search
    from churn.shell.search import best_of, search, study_name

    with one_search():
        place, section = _section()
        evaluation = section_of("evaluation")
        confirming, *searched = _folds(section, folds, evaluation["vouched"])
        wide = space(section)
        name = study_name("lightgbm", sorted(section.items()), wide, seed, folds, _digests())
        found = search(
            lambda values: losses(searched, section, values),
            wide,
            folds=len(searched),
            name=name,
            first=in_use(section),
            seed=seed,
            trials=trials,
            seconds=60 * minutes,
            tell=lambda trial: _tell(trial, len(searched)),
        )
        best, first = best_of(found), found[0]
        sure = confirmed(
            confirming,
            section,
            best=best.values,
            best_rounds=best.rounds,
            current=first.values,
            current_rounds=first.rounds,
            interval=evaluation["interval"],
        )
        wanted = edit.changes(config.compose(), place, best.values)
        report = _report(name, found, [confirming, *searched], sure) | {"tracking": _tracked(name, found, sure)}
        store.write_json(DOCUMENT, report)
    typer.echo(store.read_text(DOCUMENT) if json else _said(report, wanted), nl=not json)
    if write and wanted:
        _write(wanted, sure)


def _section() -> tuple[str, dict[str, Any]]:
    """The section of the boosted trees and its dotted key, once features and split are up to date.

    Raises
    ------
    UsageFault
        The model in use is of another kind.
    """
    from dataclasses import asdict

    from churn.sections import check, section
    from churn.shell.repro import repro
    from churn.shell.runs import one_run
    from churn.words.errors import UsageFault

    check()
    found = section("model")
    place = "model"
    if found["kind"] == "ladder":
        place, found = "model.rungs.lightgbm", asdict(found["rungs"])["lightgbm"]
    if found["kind"] != "lightgbm":
        raise UsageFault(
            f"the model in use is {found['kind']}, and a search is for model=ladder or model=lightgbm; "
            "choose one with `churn config use model=ladder`"
        )
    with one_run(wait=False):
        repro(lambda _: None, ("features", "split"))
    return place, found


def _folds(section: dict[str, Any], folds: int, vouched: tuple[str, ...]) -> "tuple[Fold, ...]":
    """The folds.

    Raises
    ------
    NotEnoughData
        There are too few churners for boosted trees, or too few dates.
    """
    from churn.core import tuning
    from churn.core.model.enough import MANY, TooFewToLearnError
    from churn.core.model.panel import Vouched
    from churn.core.model.parts import learning
    from churn.shell import store
    from churn.words.errors import NotEnoughData

    split = store.read("split")
    most = min(section["rows_most"] or ROWS_MOST, ROWS_MOST)
    features = Vouched(store.batches("features", rows=ROWS), frozenset(vouched))
    snapshots = store.read("snapshots")
    try:
        known = learning(features, snapshots, split, rows_most=most, seed=section["seed"], least=MANY)
    except TooFewToLearnError as fault:
        # Its hint is a simpler model, which has no settings to look for.
        raise NotEnoughData(f"{fault.said}; until then there is nothing to tune by") from fault
    return tuning.folds(known, split, {"max_bin": section["max_bin"]}, folds=folds, time_zone=_zone())


def _zone() -> str:
    from churn.core.dataset import dataset
    from churn.shell import config

    return config.value("data", dataset).time_zone


def _digests() -> list[str]:
    from churn.shell.store import PATHS, digest

    return [digest(PATHS[name]) for name in ("features", "snapshots", "split")]


def _tell(trial: "Trial", folds: int) -> None:
    """One line on the error output for a trial that has ended."""
    after = f"given up after {len(trial.losses)} of {folds} dates"  # their loss is not that of all of them
    said = after if trial.pruned else f"log loss {trial.loss:.5f}"
    print(f"trial {trial.number + 1}: {said}", file=sys.stderr, flush=True)  # noqa: T201


def _tracked(name: str, trials: "list[Trial]", sure: dict[str, Any]) -> dict[str, object]:
    from pathlib import Path

    from churn.sections import section
    from churn.shell.tracking.searches import tell_search

    figures = {f"confirmed.{key}": float(sure[key]) for key in ("best", "current", "difference", "low", "high")}
    return tell_search(Path(), **section("tracking"), study=name, trials=trials, figures=figures)


def _report(name: str, trials: "list[Trial]", folds: "list[Fold]", sure: dict[str, Any]) -> dict[str, Any]:
    """What reports/tuning.json holds."""
    from churn.core.days import local_day
    from churn.core.model.enough import iso
    from churn.shell.search import best_of

    best, zone = best_of(trials), _zone()
    dates = [
        {
            "as_of": iso(fold.as_of),
            "day": local_day(fold.as_of, zone),
            "snapshots": len(fold.judge.churned),
            "churners": int(fold.judge.churned.sum()),
        }
        for fold in folds
    ]
    return {
        "study": name,
        "confirming": dates[0],
        "folds": dates[1:],
        "trials": [{**trial._asdict(), "loss": None if trial.pruned else trial.loss} for trial in trials],
        "pruned": sum(trial.pruned for trial in trials),
        "best": {"number": best.number, "loss": best.loss, "values": best.values},
        "current": {"loss": trials[0].loss, "values": trials[0].values},
        "confirmed": sure,
    }


def _said(report: dict[str, Any], wanted: "list[Change]") -> str:
    from churn.shell.config.edit import in_yaml

    best, current, sure = report["best"], report["current"], report["confirmed"]
    tried = (
        f"{len(report['trials'])} trials, {report['pruned']} given up. Best log loss on {len(report['folds'])} dates "
    )
    lines = [f"{tried}{best['loss']:.5f} (trial {best['number'] + 1}), with the settings in use {current['loss']:.5f}."]
    if len(report["trials"]) == 1:
        return (
            "Only the settings in use were judged, so there is nothing to compare: give it more --minutes or --trials."
        )
    if not wanted:
        return "\n".join([*lines, "The settings in use are the best of all trials."])
    verdict = "not certain to be better or worse: more trials, or keep what you have"
    if sure["high"] < 0:
        verdict = "better for certain"
    if sure["low"] > 0:
        verdict = "worse for certain: keep what you have"
    lines.append(
        f"On {report['confirming']['day']}, which no trial has seen: {sure['difference']:+.5f} "
        f"({sure['interval']:.0%} interval {sure['low']:+.5f} to {sure['high']:+.5f}), {sure['n']:,} customers: "
        f"{verdict}."
    )
    if sure["low"] > 0:
        return "\n".join(lines)
    lines.append("To take them over, run `churn tune --write`, or change in conf/ and run `churn config compose`:")
    lines += [
        f"  {change.place}: {change.key.rpartition('.')[2]}: {in_yaml(change.after)} (was {in_yaml(change.before)})"
        for change in wanted
    ]
    return "\n".join(lines)


def _write(wanted: "list[Change]", sure: dict[str, Any]) -> None:
    """The changes in conf/ and params.yaml.

    Raises
    ------
    GateFault
        They are worse for certain.
    """
    from churn.sections import compose
    from churn.shell import config
    from churn.shell.config import edit
    from churn.words.errors import GateFault

    if sure["low"] > 0:
        raise GateFault(f"the best settings of the search are worse for certain on a newer date; see {DOCUMENT}")
    edit.write(wanted)
    config.write_params(compose())
    typer.echo(f"{len(wanted)} settings written; `churn run` uses them")

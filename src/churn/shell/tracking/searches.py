"""A search for settings as MLflow shall know it: one run, and a nested one for each trial."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from churn.shell.search import Trial, best_of
from churn.shell.tracking import reached, records
from churn.shell.tracking.told import commit

if TYPE_CHECKING:
    from mlflow import MlflowClient

STUDY, TRIAL = "churn_study", "churn_trial"
"""Tags by which a search and its trials are found again."""


def tell_search(
    root: Path,
    *,
    enabled: bool,
    experiment: str,
    required: bool,
    study: str,
    trials: Sequence[Trial],
    figures: Mapping[str, float],
) -> dict[str, object]:
    """Where MLflow has the search, once each trial that was not told before is a nested run of it.

    All runs are ended as soon as they are told: whoever holds the lock of the store takes a run that is under way for
    one that was killed.

    Parameters
    ----------
    root
        The project.
    enabled, experiment, required
        See `churn.shell.tracking.track`.
    study
        Name of the study.
    figures
        What came out of it.

    Raises
    ------
    TrackingFault
        The store cannot be reached, and `required`.
    """
    if not enabled:
        return {"tracked": False, "why": "tracking.enabled is false"}

    def write(folder: Path) -> dict[str, object]:
        with records.opened(folder) as client:
            records.end_killed(client)
            number = records.experiment_id(client, experiment, folder)
            parent = _parent(client, number, study, root)
            known = _known(client, number, parent)
            for trial in trials:
                if str(trial.number) not in known:
                    _write(client, number, parent, study, trial)
            _log(client, parent, {"trials": len(trials), "best": best_of(trials).loss, **figures}, len(trials))
        return {"experiment": experiment, "run_id": parent}

    return reached(root, write, required=required, later="`churn tune` tells it later")


def _log(client: "MlflowClient", run: str, figures: Mapping[str, float], step: int) -> None:
    from mlflow.entities import Metric

    client.log_batch(run, metrics=[Metric(name, value, 0, step) for name, value in figures.items()])


def _parent(client: "MlflowClient", experiment: str, study: str, root: Path) -> str:
    found = client.search_runs(
        [experiment], f"tags.{STUDY} = '{study}' and tags.{TRIAL} = 'all' and attributes.status = 'FINISHED'"
    )
    if found:
        return str(found[0].info.run_id)
    git = commit(root)
    tags = {STUDY: study, TRIAL: "all", records.WRITER: "churn", "mlflow.runName": f"tune {study}"}
    tags |= {"mlflow.source.git.commit": str(git["git_commit"]), "git_changed_files": str(git["git_changed_files"])}
    run = client.create_run(experiment, tags=tags).info.run_id
    client.set_terminated(run)
    return str(run)


def _known(client: "MlflowClient", experiment: str, parent: str) -> set[str]:
    """The numbers of the trials that were told to their end."""
    found = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{parent}' and attributes.status = 'FINISHED'", max_results=10_000
    )
    return {run.data.tags[TRIAL] for run in found}


def _write(client: "MlflowClient", experiment: str, parent: str, study: str, trial: Trial) -> None:
    from mlflow.entities import Metric, Param

    tags = {STUDY: study, TRIAL: str(trial.number), records.WRITER: "churn", "mlflow.parentRunId": parent}
    tags |= {"mlflow.runName": f"trial {trial.number + 1}", "pruned": str(trial.pruned).lower()}
    run = client.create_run(experiment, tags=tags).info.run_id
    losses = [Metric("fold_loss", loss, 0, step) for step, loss in enumerate(trial.losses)]
    client.log_batch(
        run,
        metrics=losses if trial.pruned else [*losses, Metric("loss", trial.loss, 0, 0)],
        params=[Param(f"model.{name}", str(value)) for name, value in sorted(trial.values.items())],
    )
    client.set_terminated(run)

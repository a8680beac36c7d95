"""MLflow is told what the files say, never asked: no number exists only there, and the pipeline runs without it."""

import logging
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from annotated_types import MinLen

from churn.shell.tracking import records
from churn.shell.tracking.told import Told, commit, told
from churn.words.errors import TrackingFault

__all__ = ["FOLDER", "track"]

FOLDER = "mlruns"
"""Where the store lies, under the project root. `mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db` shows it."""


def track(root: Path, *, enabled: bool, experiment: Annotated[str, MinLen(1)], required: bool) -> dict[str, object]:
    """What MLflow knows of this run of the pipeline, once it was told: run, registered model and alias; and the commit.

    A run that was told before (same parameters, metrics, data and model) is not told again. `tracked` is false, with
    the reason, where tracking is switched off or the store cannot be reached; what the pipeline made stays as it is.

    Parameters
    ----------
    root : Path
        The project as DVC runs it; in an experiment in a temporary folder that is not where the store lies, which is
        under `DVC_ROOT`.
    enabled : bool
        False: MLflow is not even imported.
    experiment : str
        Name of the experiment, and of the registered model.
    required : bool
        Whether the command fails when the store cannot be reached.

    Raises
    ------
    TrackingFault
        The store cannot be reached, and `required`.
    IntegrityFault
        A file of the model is not what its digest says.
    """
    git = commit(root)
    if not enabled:
        return {"tracked": False, "why": "tracking.enabled is false", **git}
    content = told(root)
    later = "`dvc repro --single-item --force tracking` tells it later"
    return {
        **reached(root, lambda folder: _written(folder, experiment, content), required=required, later=later),
        **git,
    }


def reached(root: Path, write: Callable[[Path], dict[str, object]], *, required: bool, later: str) -> dict[str, object]:
    """What `write` has to say once it has written to the store; `tracked` is false, with the reason, if it cannot.

    Parameters
    ----------
    write
        Called with the folder of the store.
    later
        What tells it when the store is there again.

    Raises
    ------
    TrackingFault
        The store cannot be reached, and `required`.
    """
    folder = Path(os.environ.get("DVC_ROOT", root)).absolute() / FOLDER
    records.prepare()
    try:
        return {"tracked": True, "store": f"{FOLDER}/mlflow.db", **write(folder)}
    except _unavailable() as error:
        why = f"MLflow could not be told: {_first_line(error)}. The results are complete without it"
        if required:
            raise TrackingFault(f"{why}, but tracking.required is true; see {FOLDER}/mlflow.db") from error
        logging.getLogger(__name__).warning("%s; %s", why, later)
        return {"tracked": False, "why": why}


def _written(folder: Path, experiment: str, content: Told) -> dict[str, object]:
    with records.opened(folder) as client:
        records.end_killed(client)
        number = records.experiment_id(client, experiment, folder)
        known = records.known_run(client, number, content.identity)
        run = known or records.write_run(client, number, content)
        if known:
            records.write_card(client, known, content)
        version = records.registered(client, experiment, content, run)
    return {
        "experiment": experiment,
        "run_id": run,
        "model_version": content.tags["model_version"],
        "registered": None if version is None else {"name": experiment, "version": version, "alias": records.ALIAS},
    }


def _unavailable() -> tuple[type[Exception], ...]:
    """What a store that is locked, broken, read-only or of another MLflow raises."""
    from filelock import Timeout
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return OSError, sqlite3.Error, Timeout, MlflowException, SQLAlchemyError


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"

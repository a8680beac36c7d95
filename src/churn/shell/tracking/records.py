"""The tracking store: one SQLite file under `mlruns/` of the project, no server, one writer at a time.

MLflow is imported inside the functions, after `prepare` has told it to stay silent, offline and free of pickles.
"""

import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.shell.tracking.told import Told

if TYPE_CHECKING:
    from mlflow import MlflowClient

ALIAS = "champion"
WRITER = "churn_writer"
"""Tag of the runs that are ours; those of anybody else are not touched."""
IDENTITY = "churn_identity"

LOCK_SECONDS = 60
"""How long to wait for another command of ours, which needs some ten seconds at most."""
BUSY_SECONDS = 5
"""How long to wait for another program that writes to the store, such as `mlflow ui`."""

_ENVIRONMENT = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


def prepare() -> None:
    """Set what MLflow reads from the environment when it is imported."""
    os.environ.update(_ENVIRONMENT)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


@contextmanager
def opened(folder: Path) -> Iterator["MlflowClient"]:
    """A client of the store in `folder`, which is made if it is not there, with nobody else of us writing.

    The lock is the system's: it ends with the process that holds it. So whoever holds it knows that runs of ours which
    are still RUNNING were killed.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder / "lock"), timeout=LOCK_SECONDS), warnings.catch_warnings():
        # MLflow warns of its own code: nobody who reads our output can act on it. What fails is an exception.
        warnings.simplefilter("ignore")
        database = folder / "mlflow.db"
        if not database.exists():
            _create(database)
        _check_writable(database)
        yield _client(database)


def end_killed(client: "MlflowClient") -> list[str]:
    """Mark the runs of ours that were killed as such; their ids."""
    experiments = [found.experiment_id for found in client.search_experiments()]
    killed = client.search_runs(experiments, f"attributes.status = 'RUNNING' and tags.{WRITER} = 'churn'")
    for run in killed:
        client.set_terminated(run.info.run_id, "KILLED")
    return [run.info.run_id for run in killed]


def experiment_id(client: "MlflowClient", name: str, folder: Path) -> str:
    """The id of the experiment, which is made if it is not there."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    return client.create_experiment(name, artifact_location=(folder / name).as_uri())


def known_run(client: "MlflowClient", experiment: str, identity: str) -> str | None:
    """The id of the finished run that was told the same, if there is one."""
    same = f"attributes.status = 'FINISHED' and tags.{IDENTITY} = '{identity}'"
    found = client.search_runs([experiment], same, max_results=1)
    return found[0].info.run_id if found else None


def write_run(client: "MlflowClient", experiment: str, told: Told) -> str:
    """Tell a new run everything, and end it; its id. It ends FAILED if anything goes wrong."""
    tags = {**told.tags, WRITER: "churn", IDENTITY: told.identity, "mlflow.runName": told.tags["model_version"]}
    run = client.create_run(experiment, tags=tags).info.run_id
    status = "FAILED"
    try:
        _log_values(client, run, told)
        _log_artifacts(client, run, told)
        status = "FINISHED"
    finally:
        client.set_terminated(run, status)
    return run


def write_card(client: "MlflowClient", run: str, told: Told) -> None:
    """Put the files and the grade of a run that was told before in the place of the older ones."""
    _log_artifacts(client, run, told)
    if "grade" in told.tags:
        client.set_tag(run, "grade", told.tags["grade"])


def registered(client: "MlflowClient", name: str, told: Told, run: str) -> str | None:
    """The registered version of the model, which now has the alias `champion`; None if it cannot be registered.

    Only LightGBM's native booster loads without a pickle, so the other kinds are artifacts of their run and nothing
    more; the alias then goes away, since it would point to a model that is not in use.
    """
    if "booster.txt" not in told.model:
        _remove_alias(client, name)
        return None
    known = _known_version(client, name, told.tags["model_version"])
    version = known or _register(client, name, told, run)
    client.set_registered_model_alias(name, ALIAS, version)
    return version


def _create(database: Path) -> None:
    """Make the store under another name first: a run that is killed here leaves no half-made schema.

    While it has that name, SQLite need not wait for the disk after each of some hundred statements: 3 s, not 16.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    partial = database.with_name("mlflow.db.partial")
    partial.unlink(missing_ok=True)
    event.listen(Engine, "connect", _do_not_wait)
    try:
        _client(partial)
    finally:
        event.remove(Engine, "connect", _do_not_wait)
    with partial.open("rb+") as handle:
        os.fsync(handle.fileno())
    partial.replace(database)


def _do_not_wait(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _check_writable(database: Path) -> None:
    """Write nothing, but hold the right to for a moment: MLflow itself would try again for minutes."""
    with closing(sqlite3.connect(database, timeout=BUSY_SECONDS)) as connection:
        connection.execute("SELECT count(*) FROM experiments")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


def _client(database: Path) -> "MlflowClient":
    import mlflow

    address = f"sqlite:///{database}"
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    return mlflow.MlflowClient(address, address)


def _log_values(client: "MlflowClient", run: str, told: Told) -> None:
    """Parameters and metrics in as few requests as MLflow takes: one by one, each costs up to a second."""
    from mlflow.entities import Metric, Param

    parameters = [Param(name, value) for name, value in sorted(told.parameters.items())]
    for start in range(0, len(parameters), 100):
        client.log_batch(run, params=parameters[start : start + 100])
    # A time is asked for, but ours would tell nothing that the run does not.
    metrics = [Metric(name, value, timestamp=0, step=0) for name, value in sorted(told.metrics.items())]
    for start in range(0, len(metrics), 1000):
        client.log_batch(run, metrics=metrics[start : start + 1000])


def _log_artifacts(client: "MlflowClient", run: str, told: Told) -> None:
    for path, place in told.artifacts:
        log = client.log_artifacts if path.is_dir() else client.log_artifact
        log(run, str(path), place or None)


def _register(client: "MlflowClient", name: str, told: Told, run: str) -> str:
    import lightgbm
    import mlflow
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    booster = lightgbm.Booster(model_str=told.model["booster.txt"])
    inputs = Schema([ColSpec("float", feature, required=False) for feature in booster.feature_name()])
    version = told.tags["model_version"]
    # Resuming by id keeps MLflow from adding who ran which command where.
    with mlflow.start_run(run_id=run):
        info = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=ModelSignature(inputs, Schema([ColSpec("double")])),
            pip_requirements=[f"lightgbm=={lightgbm.__version__}"],
            metadata={"model_version": version},
            tags={"model_version": version},
        )
    # Step by step, since the one function that does it all prints what it does.
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(
        name, info.model_uri, run, tags={"model_version": version}, await_creation_for=0, model_id=info.model_id
    )
    return str(made.version)


def _known_version(client: "MlflowClient", name: str, model_version: str) -> str | None:
    same = f"name = '{name}' and tags.model_version = '{model_version}'"
    found = client.search_model_versions(same, max_results=1)
    return str(found[0].version) if found else None


def _remove_alias(client: "MlflowClient", name: str) -> None:
    found = client.search_registered_models(f"name = '{name}'")
    if found and ALIAS in found[0].aliases:
        client.delete_registered_model_alias(name, ALIAS)

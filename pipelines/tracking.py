"""MLflow is told what the files say."""

from pathlib import Path

from churn.shell import config, store
from churn.shell.runs import stage
from churn.shell.tracking import track


def main() -> None:
    """Write reports/tracking.json: where MLflow has this run, or why it was not told."""
    store.write_json(store.PATHS["tracking"], track(Path(), **config.section("tracking", track)))


if __name__ == "__main__":
    stage("tracking", main, uses=("lightgbm",))

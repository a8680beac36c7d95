"""What was learnt from the matured snapshots."""

from churn.core.model import MODELS, files, model
from churn.shell import config, store
from churn.shell.runs import stage


def main() -> None:
    """Write the folder models/current."""
    tables = (store.read(name) for name in ("features", "snapshots", "split"))
    store.write_files(store.PATHS["model"], files(model(*tables, **config.section("model", MODELS))))


if __name__ == "__main__":
    stage("model", main, uses=("lightgbm",))

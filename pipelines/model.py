"""What was learnt from the matured snapshots."""

from churn.core.model import MODELS, files, model
from churn.shell import config, store
from churn.shell.runs import stage

ROWS = 50_000
"""Features read at once: 250 columns of them take 50 MB. Only rows that are learnt from are kept."""


def main() -> None:
    """Write the folder models/current."""
    features, snapshots, split = store.batches("features", rows=ROWS), store.read("snapshots"), store.read("split")
    wanted, step_down = config.section("model", MODELS), config.section("step_down", MODELS)
    vouched = config.params().values["evaluation"]["vouched"]
    learnt = model(features, snapshots, split, vouched=vouched, step_down=step_down, **wanted)
    store.write_files(store.PATHS["model"], files(learnt))


if __name__ == "__main__":
    stage("model", main, uses=("lightgbm",))

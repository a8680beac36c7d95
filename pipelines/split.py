"""Which part each as_of plays."""

from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.core.split import split
from churn.shell import config, store
from churn.shell.runs import stage


def main() -> None:
    """Write the table split."""
    data, definition = config.value("data", dataset), config.value("definition", DEFINITIONS)
    outcomes, keys = store.read("snapshots", ["as_of", "churned"]), config.section("split", split)
    store.write("split", split(outcomes, observed_until=data.observed_until, definition=definition, **keys))


if __name__ == "__main__":
    stage("split", main)

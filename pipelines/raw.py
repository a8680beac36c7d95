"""The raw files that the data set is made of, and what commands measured, once params.yaml is what conf/ says."""

from churn.core.dataset import dataset
from churn.sections import check
from churn.shell import config, raw, store
from churn.shell.measured import measured
from churn.shell.runs import stage


def main() -> None:
    """Write data/raw.json and data/measured.json; their bytes decide whether the next stages have anything to do."""
    check()
    data = config.value("data", dataset)
    raw.save_tables(data)
    store.write_json(store.PATHS["raw"], raw.inventory(data))
    store.write_json(store.PATHS["measured"], measured())


if __name__ == "__main__":
    stage("raw", main)

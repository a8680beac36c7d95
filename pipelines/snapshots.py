"""Who was live at each as_of, and who churned afterwards."""

from churn.core.dataset import dataset
from churn.core.snapshots import COLUMNS, DEFINITIONS, as_ofs, snapshots
from churn.shell import config, store
from churn.shell.runs import stage


def main() -> None:
    """Write the table snapshots, in pieces of whole customers."""
    data, definition = config.value("data", dataset), config.value("definition", DEFINITIONS)
    dates = as_ofs(data.observed_from, data.observed_until, **config.section("snapshots", as_ofs))
    pieces = store.batches("events", COLUMNS)
    made = (snapshots(e, dates, observed_until=data.observed_until, definition=definition) for e in pieces)
    store.write_batches("snapshots", made)


if __name__ == "__main__":
    stage("snapshots", main)

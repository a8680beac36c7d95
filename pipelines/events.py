"""Events and attributes of customers from the raw files, and what became of every row."""

from churn.core.dataset import dataset
from churn.core.events import checked, reconciliation
from churn.shell import config, store
from churn.shell.engine import ENGINES
from churn.shell.runs import stage


def main() -> None:
    """Write the tables events, attributes and quarantine. The quarantine comes first: it explains why a run stops."""
    data, inventory = config.value("data", dataset), store.read_json(store.PATHS["raw"])
    engine = config.value("engine", ENGINES)
    with engine.events(data, check=checked, inventory=inventory) as found:
        store.write_batches("quarantine", found.quarantine)
        account = reconciliation(data, found.counts)
        store.write_batches("events", found.events)
        store.write_batches("attributes", found.attributes)
    store.write_json(store.PATHS["reconciliation"], account)


if __name__ == "__main__":
    stage("events", main)

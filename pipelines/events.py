"""Events and attributes of customers from the raw files, and what became of every row."""

from churn.core.dataset import dataset
from churn.core.events import Clock, Shown, Survey, checked, reconciliation, shown_of
from churn.shell import config, store
from churn.shell.engine import ENGINES
from churn.shell.runs import stage


def main() -> None:
    """Write the tables events, attributes and quarantine. The quarantine comes first: it explains why a run stops."""
    data, inventory = config.value("data", dataset), store.read_json(store.PATHS["raw"])
    engine, survey, clock = config.value("engine", ENGINES), Survey(data), Clock(data.time_zone)
    shown: Shown = {}
    with engine.events(data, check=checked, inventory=inventory) as found:
        store.write_batches("quarantine", shown_of(found.quarantine, shown))
        account = reconciliation(data, found.counts, shown)
        store.write_batches("attributes", survey.attributes(found.attributes))
        store.write_batches("events", clock.events(survey.events(found.events)))
    store.write_json(store.PATHS["reconciliation"], clock.added(survey.added(account)))


if __name__ == "__main__":
    stage("events", main)

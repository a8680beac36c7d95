"""What was known of each customer at each as_of."""

from churn.core.dataset import dataset
from churn.core.features import features, windows
from churn.shell import config, store
from churn.shell.runs import stage
from churn.words.tables import EVENTS

READ = {
    "events": [c.name for c in EVENTS.columns if c.name not in {"event_type", "text", "event_id"}],
    "snapshots": ["as_of"],
    "attributes": None,
}
"""What features are made of. Texts and ids of events are most of their bytes, and no feature reads them."""


def main() -> None:
    """Write the table features, in pieces of whole customers."""
    data, lookback = config.value("data", dataset), config.value("features", windows)
    declared = {"roles": data.roles, "attribute_names": data.attribute_names}
    made = (features(*tables, lookback=lookback, **declared) for tables in store.together(READ))
    store.write_batches("features", made)


if __name__ == "__main__":
    stage("features", main)

"""What was known of each customer at each as_of."""

from functools import partial

from churn.core.dataset import dataset
from churn.core.features import features, windows
from churn.core.touched import remade
from churn.shell import config
from churn.shell.engine import ENGINES
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
    make = partial(features, lookback=lookback, roles=data.roles, attribute_names=data.attribute_names)
    engine = config.value("engine", ENGINES)
    engine.write("features", make, READ, partial(remade, unit="snapshot"))


if __name__ == "__main__":
    stage("features", main)

"""Who was live at each as_of, and who churned afterwards."""

from functools import partial

from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.core.snapshots import COLUMNS, as_ofs, snapshots
from churn.core.touched import remade
from churn.shell import config
from churn.shell.engine import ENGINES
from churn.shell.runs import stage


def main() -> None:
    """Write the table snapshots, in pieces of whole customers."""
    data, definition = config.value("data", dataset), config.value("definition", DEFINITIONS)
    dates = as_ofs(data.observed_from, data.observed_until, **config.section("snapshots", as_ofs))
    make = partial(snapshots, as_of=dates, observed_until=data.observed_until, definition=definition)
    engine = config.value("engine", ENGINES)
    engine.write("snapshots", make, {"events": COLUMNS}, partial(remade, unit="customer"))


if __name__ == "__main__":
    stage("snapshots", main)

"""Why each of today's customers may leave or stay, in sentences."""

from functools import partial

from churn.core.dataset import dataset
from churn.core.features import catalogue, windows
from churn.core.reasons import reasons
from churn.shell import config, store
from churn.shell.engine import ENGINES
from churn.shell.runs import stage

ROWS = 20_000
"""Customers at once: the features of all their as-of dates are read with them."""


def main() -> None:
    """Write the table reasons."""
    data, keys = config.value("data", dataset), config.section("reasons", reasons)
    keys |= {"nouns": data.nouns, "currency": data.currency}
    keys |= {"catalogue": catalogue(config.value("features", windows), data.roles)}
    engine, columns = config.value("engine", ENGINES), {"contributions": None, "features": None}
    store.write_batches("reasons", engine.made(partial(reasons, **keys), columns, ROWS))


if __name__ == "__main__":
    stage("reasons", main)

"""Why each of today's customers may leave or stay, in sentences."""

from churn.core.dataset import dataset
from churn.core.features import catalogue, windows
from churn.core.reasons import reasons
from churn.core.scores import at, scoring_as_of
from churn.shell import config, store
from churn.shell.runs import stage

ROWS = 20_000
"""Customers at once: the features of all their as-of dates are read with them."""


def main() -> None:
    """Write the table reasons."""
    data, keys = config.value("data", dataset), config.section("reasons", reasons)
    keys |= {"nouns": data.nouns, "currency": data.currency}
    keys |= {"catalogue": catalogue(config.value("features", windows), data.roles)}
    as_of, pieces = scoring_as_of(store.read("split")), store.together({"contributions": None, "features": None}, ROWS)
    store.write_batches("reasons", (reasons(shares, at(known, as_of), **keys) for shares, known in pieces))


if __name__ == "__main__":
    stage("reasons", main)

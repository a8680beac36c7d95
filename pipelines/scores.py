"""How likely each of today's customers is to churn, and what each feature adds to that."""

from churn.core.model import read
from churn.core.scores import contributions, scores, scoring_as_of
from churn.shell import store
from churn.shell.runs import stage

ROWS = 100_000
"""Features read at once: 150 columns of them take 60 MB."""


def main() -> None:
    """Write the tables scores and contributions."""
    learnt, as_of = read(store.read_texts(store.PATHS["model"])), scoring_as_of(store.read("split"))
    store.write("scores", scores(store.batches("features", rows=ROWS), as_of, learnt))
    store.write_batches("contributions", contributions(store.batches("features", rows=ROWS), as_of, learnt))


if __name__ == "__main__":
    stage("scores", main)

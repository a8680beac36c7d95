"""How likely each of today's customers is to churn, and what each feature adds to that."""

from functools import partial

from churn.core.model import read
from churn.core.promotion import in_use
from churn.core.scores import check_values, contributions, limits, margins, scores, scoring_as_of
from churn.shell import config, store
from churn.shell.engine import ENGINES
from churn.shell.runs import stage

READ = {"features": None}
ROWS = 100_000
"""Features read at once: 150 columns of them take 60 MB."""


def main() -> None:
    """Write the tables scores and contributions."""
    report = store.read_json(store.PATHS["evaluation"])
    used, order = in_use(report), report["list"]["order"]
    trained, learnt = (read(store.read_texts(store.PATHS[name])) for name in ("model", used))
    engine, as_of = config.value("engine", ENGINES), scoring_as_of(store.read("split"))
    if trained.vocabulary:
        # Data of another world hold a list back, whoever orders it.
        columns = ["customer_id", "as_of", *trained.vocabulary]
        unseen_most = config.value("scores", limits)
        check_values(store.batches("features", columns), as_of=as_of, model=trained, unseen_most=unseen_most)
    known = {"as_of": as_of, "model": learnt}
    store.write("scores", scores(engine.made(partial(margins, **known), READ, ROWS), **known, order=order))
    store.write_batches("contributions", engine.made(partial(contributions, **known), READ, ROWS))


if __name__ == "__main__":
    stage("scores", main, uses=("lightgbm",))

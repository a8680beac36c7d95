"""Whether the model is better than a rule, on snapshots newer than everything it was learnt from."""

from churn.core.dataset import dataset
from churn.core.evaluation import evaluation
from churn.core.features import catalogue, windows
from churn.core.model import read
from churn.core.promotion import check_gate
from churn.shell import config, store
from churn.shell.runs import stage

ROWS = 50_000
"""Features read at once: 250 columns of them take 50 MB."""


def main() -> None:
    """Write reports/evaluation.json, the curves and the figures, and the time rule that the model has to beat."""
    data, learnt = config.value("data", dataset), read(store.read_texts(store.PATHS["model"]))
    keys, lookback = config.section("evaluation", evaluation), config.value("features", windows)
    keys |= {"catalogue": catalogue(lookback, data.roles), "nouns": data.nouns, "currency": data.currency}
    snapshots, split = store.read("snapshots", ["as_of", "churned"]), store.read("split")
    found = evaluation(store.batches("features", rows=ROWS), snapshots, split, learnt, **keys)
    store.write_json(store.PATHS["evaluation"], found.metrics)
    store.write_files(store.PATHS["curves"], found.curve_files)
    store.write_files(store.PATHS["figures"], found.figure_files)
    store.write_files(store.PATHS["rule"], found.rule_files)
    check_gate(found.metrics)


if __name__ == "__main__":
    stage("evaluation", main, uses=("lightgbm", "shap"))

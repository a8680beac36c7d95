"""What the model is worth, as a page and as JSON."""

from churn.core.card import card, files
from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.shell import config, store
from churn.shell.runs import stage


def main() -> None:
    """Write the folder reports/card."""
    data, definition = config.value("data", dataset), config.value("definition", DEFINITIONS)
    reports = {name: store.read_json(store.PATHS[name]) for name in ("evaluation", "reconciliation")}
    measured = store.read_json(store.PATHS["measured"])
    model = store.PATHS["model"]
    evaluation = store.PATHS["evaluation"]
    digests = {"data": store.digest(store.PATHS["raw"]), evaluation: store.digest(evaluation)}
    said = card(
        dataset=data,
        definition=definition,
        made=store.read_json(f"{model}/card.json"),
        model_version=store.digest(f"{model}/digests.json")[:12],
        backtest=measured["backtest"],
        digests=digests | measured["digests"],
        **reports,
    )
    store.write_files(store.PATHS["card"], files(said))


if __name__ == "__main__":
    stage("card", main)

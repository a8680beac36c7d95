"""Whom to call first, as all the files of a delivery."""

import json

from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.core.editions.files import delivery_files
from churn.core.model import read, version
from churn.core.promotion import in_use
from churn.core.risk_list import of_today, risk_list
from churn.shell import config, store
from churn.shell.runs import stage


def main() -> None:
    """Write the folder data/risk_list, which `churn run` publishes."""
    data, definition = config.value("data", dataset), config.value("definition", DEFINITIONS)
    about = {name: store.read_json(store.PATHS[name]) for name in ("evaluation", "reconciliation")}
    used, order = in_use(about["evaluation"]), about["evaluation"]["list"]["order"]
    keys, texts = config.section("risk_list", risk_list), store.read_texts(store.PATHS[used])
    keys |= {"horizon_days": definition.horizon_days, "currency": data.currency, "model_version": version(read(texts))}
    keys |= {"order": order}
    scores, values = store.read("scores"), store.batches("features", ["as_of", *keys["value_features"]])
    listed = risk_list(scores, store.read("reasons"), of_today(values, scores), **keys)
    about |= {"figures": store.read_texts(store.PATHS["figures"]), "digests": json.loads(texts["digests.json"])}
    files = delivery_files(listed, dataset=data, definition=definition, **about)
    store.write_files(store.PATHS["risk_list"], {**files, **store.read_texts(store.PATHS["card"])})


if __name__ == "__main__":
    stage("risk_list", main)

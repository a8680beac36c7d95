"""`python packaged.py FOLDER`: data that packages bring, as Parquet; run by the Python of `packaged.txt`.

`cdnow_sample`: the customers of the 1/10 sample that the papers on CDNOW use (package lifetimes, MIT), by their ids in
the whole cohort. `tv_subscription`: features, outcome and costs of 9,379 customers (package empulse, MIT).
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

FOLDER = Path(sys.argv[1])
COSTS = ("tp_cost", "fp_cost", "tn_cost", "fn_cost")


def cdnow_sample() -> pd.DataFrame:
    """One column, customer_id."""
    found = find_spec("lifetimes")  # its file is read; the package itself need not work with today's pandas
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise SystemExit("the package lifetimes is not there")
    path = Path(folders[0]) / "datasets" / "CDNOW_sample.txt"
    ids = pd.read_csv(path, sep=r"\s+", header=None)[0].unique()
    return pd.DataFrame({"customer_id": [str(customer) for customer in ids]})


def tv_subscription() -> pd.DataFrame:
    """One row a customer: customer_id, churned, what each decision costs, and the features."""
    from empulse.datasets import load_churn_tv_subscriptions

    found = load_churn_tv_subscriptions(backend=pd)
    columns = {"customer_id": [f"{i:04d}" for i in range(len(found.target))], "churned": found.target.astype(bool)}
    return pd.DataFrame(columns | {name: found.instance_costs[name] for name in COSTS}).join(found.data)


if __name__ == "__main__":
    for made in (cdnow_sample, tv_subscription):
        made().to_parquet(FOLDER / f"{made.__name__}.parquet", index=False)

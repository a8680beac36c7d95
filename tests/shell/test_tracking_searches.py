"""A search is one run of MLflow, each of its trials a nested one, and none is told twice."""

import pytest

from churn.shell.search import Trial
from churn.shell.tracking.searches import tell_search
from tests.shell.test_tracking import empty_store, root, runs, store  # noqa: F401 - fixtures

SECTION = {"enabled": True, "experiment": "shop", "required": True, "study": "lightgbm-1"}
TRIALS = [
    Trial(0, pruned=False, values={"num_leaves": 5, "half_life_days": None}, losses=(0.3, 0.2), rounds=(10, 20)),
    Trial(1, pruned=True, values={"num_leaves": 9, "half_life_days": 90.0}, losses=(0.4,), rounds=(10,)),
]


def test_trials_are_nested_runs_with_their_settings_and_the_loss_of_each_fold(root, store):  # noqa: F811
    import mlflow

    told = tell_search(root, **SECTION, trials=TRIALS[:1], figures={"confirmed.low": -0.1})
    again = tell_search(root, **SECTION, trials=TRIALS, figures={"confirmed.low": -0.2})
    assert told == again
    assert [status for _, status in runs(store)] == ["FINISHED"] * 3
    client = mlflow.MlflowClient()
    whole = client.get_run(told["run_id"]).data
    assert whole.metrics == {"trials": 2.0, "best": 0.25, "confirmed.low": -0.2}
    (experiment,) = [found.experiment_id for found in client.search_experiments() if found.name == "shop"]
    nested = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{told['run_id']}'", order_by=["tags.churn_trial"]
    )
    assert [run.data.params for run in nested] == [
        {"model.num_leaves": "5", "model.half_life_days": "None"},
        {"model.num_leaves": "9", "model.half_life_days": "90.0"},
    ]
    assert [run.data.metrics for run in nested] == [{"loss": 0.25, "fold_loss": 0.2}, {"fold_loss": 0.4}]


@pytest.mark.parametrize("enabled", [False])
def test_switched_off_nothing_is_written(root, enabled):  # noqa: F811
    told = tell_search(root, **SECTION | {"enabled": enabled}, trials=TRIALS, figures={})
    assert told == {"tracked": False, "why": "tracking.enabled is false"}
    assert not (root / "mlruns").exists()

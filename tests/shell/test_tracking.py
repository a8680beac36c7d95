"""MLflow is told what the files say; it may be absent, locked or killed without harm."""

import hashlib
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from churn.shell.search import Trial
from churn.shell.tracking import records, track
from churn.shell.tracking.searches import tell_search
from churn.shell.tracking.told import told
from churn.words.errors import Exit, IntegrityFault, TrackingFault

SECTION = {"enabled": True, "experiment": "shop", "required": True}
SEARCH = SECTION | {"study": "lightgbm-1"}
TRIALS = [
    Trial(0, pruned=False, values={"num_leaves": 5, "half_life_days": None}, losses=(0.3, 0.2), rounds=(10, 20)),
    Trial(1, pruned=True, values={"num_leaves": 9, "half_life_days": 90.0}, losses=(0.4,), rounds=(10,)),
]
TRACK = (
    "import sys, pathlib; from churn.shell.tracking import track;"
    "track(pathlib.Path('.'), enabled={enabled}, experiment=sys.argv[1], required=True)"
)
REPOSITORY = Path(__file__).parents[2]
TABLE = np.random.default_rng(1).normal(size=(200, 2)).astype(np.float32)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_model(root: Path, body: dict[str, str], kind: str) -> None:
    folder = root / "models" / "current"
    for old in folder.glob("*"):
        old.unlink()
    texts = {**body, "card.json": json.dumps({"kind": kind}), "calibration.json": '{"kind": "none"}'}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    for name, text in {**texts, "digests.json": json.dumps(digests)}.items():
        write(folder / name, text)


def booster_text(rounds: int = 3) -> str:
    data = lightgbm.Dataset(TABLE, label=TABLE[:, 0] > 0, feature_name=["days_since_purchase", "spend_90d"])
    parameters = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    return lightgbm.train(parameters, data, num_boost_round=rounds).model_to_string()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stages have all run, with a store that was made once for all tests."""
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write(tmp_path / "params.yaml", "model:\n  kind: lightgbm\n  learning_rate: 0.1\nsplit:\n  parts: [1, 2]\n")
    write(tmp_path / "data/raw.json", '[{"name": "orders.csv"}]')
    write(tmp_path / "reports/evaluation.json", '{"model": {"auc": 0.86, "n": 2318, "better": true}, "说明": "words"}')
    write(tmp_path / "reports/figures/lift.svg", "<svg/>")
    write_model(tmp_path, {"booster.txt": booster_text()}, "lightgbm")
    return tmp_path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    records.prepare()
    folder = tmp_path_factory.mktemp("store")
    with records.opened(folder):
        return (folder / "mlflow.db").read_bytes()


@pytest.fixture
def store(root: Path, empty_store: bytes) -> Path:
    (root / "mlruns").mkdir()
    path = root / "mlruns" / "mlflow.db"
    path.write_bytes(empty_store)
    return path


def runs(store: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("SELECT run_uuid, status FROM runs ORDER BY start_time").fetchall()


def registered(store: Path, table: str = "model_versions") -> int:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_run_holds_what_the_files_say(root: Path, store: Path) -> None:
    import mlflow

    report = track(root, **SECTION)
    run = mlflow.MlflowClient().get_run(report["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params == {"model.kind": "lightgbm", "model.learning_rate": "0.1", "split.parts": "[1, 2]"}
    assert run.data.metrics == {"model.auc": 0.86, "model.n": 2318.0}
    assert run.data.tags["data_digest"] == hashlib.sha256((root / "data/raw.json").read_bytes()).hexdigest()
    artifacts = {found.path for found in mlflow.MlflowClient().list_artifacts(report["run_id"])}
    assert artifacts == {"evaluation.json", "figures", "model", "params.yaml", "raw.json"}


def test_the_registered_model_loads_without_pickles_and_predicts_the_same(root: Path, store: Path) -> None:
    import mlflow

    report = track(root, **SECTION)
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert report["registered"] == {"name": "shop", "version": "1", "alias": "champion"}
    loaded = mlflow.lightgbm.load_model("models:/shop@champion")
    assert type(loaded) is lightgbm.Booster
    expected = lightgbm.Booster(model_str=booster_text()).predict(TABLE)
    assert loaded.predict(TABLE).tolist() == expected.tolist()
    signature = mlflow.models.get_model_info("models:/shop@champion").signature
    assert signature.inputs.input_names() == ["days_since_purchase", "spend_90d"]


def test_the_same_files_are_told_once(root: Path, store: Path) -> None:
    assert track(root, **SECTION) == track(root, **SECTION)
    assert len(runs(store)) == registered(store) == 1


def test_nothing_is_left_in_the_folder_for_temporary_files(
    root: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler runs every night for years."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    assert track(root, **SECTION)["registered"]
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_figures_of_a_backtest_are_told_under_names_of_their_own(root: Path) -> None:
    write(
        root / "data/measured.json", '{"backtest": {"pooled": {"auc": 0.8}, "as_ofs": [{"auc": 0.7}]}, "digests": {}}'
    )
    assert told(root).metrics == {"model.auc": 0.86, "model.n": 2318.0, "backtest.pooled.auc": 0.8}


def test_a_card_that_changed_alone_replaces_the_one_of_its_run(root: Path, store: Path, tmp_path: Path) -> None:
    import mlflow

    write(root / "reports/card/model_card.json", '{"grade": {"grade": "B"}}')
    first = track(root, **SECTION)
    assert mlflow.MlflowClient().get_run(first["run_id"]).data.tags["grade"] == "B"
    write(root / "reports/card/model_card.json", '{"grade": {"grade": "A"}}')
    assert track(root, **SECTION) == first
    told_card = {"run_id": first["run_id"], "artifact_path": "card/model_card.json"}
    path = mlflow.artifacts.download_artifacts(**told_card, dst_path=str(tmp_path / "read"))
    assert json.loads(Path(path).read_text())["grade"]["grade"] == "A"
    assert mlflow.MlflowClient().get_run(first["run_id"]).data.tags["grade"] == "A"


def test_a_new_figure_of_the_same_model_is_a_new_run_and_no_new_version(root: Path, store: Path) -> None:
    first = track(root, **SECTION)
    write(root / "reports/evaluation.json", '{"model": {"auc": 0.87}}')
    second = track(root, **SECTION)
    assert first["run_id"] != second["run_id"]
    assert first["registered"] == second["registered"]


def test_a_model_that_mlflow_cannot_load_without_a_pickle_takes_the_alias_away(root: Path, store: Path) -> None:
    track(root, **SECTION)
    write_model(root, {"coefficients.json": "{}"}, "logistic")
    assert track(root, **SECTION)["registered"] is None
    assert registered(store) == 1
    assert registered(store, "registered_model_aliases") == 0
    write_model(root, {"booster.txt": booster_text()}, "lightgbm")
    assert track(root, **SECTION)["registered"] == {"name": "shop", "version": "1", "alias": "champion"}


def test_a_run_that_was_killed_is_marked_and_others_are_left_alone(root: Path, store: Path) -> None:
    with records.opened(store.parent) as client:
        ours = client.create_run("0", tags={records.WRITER: "churn"}).info.run_id
        theirs = client.create_run("0").info.run_id
    track(root, **SECTION)
    found = dict(runs(store))
    assert (found[ours], found[theirs]) == ("KILLED", "RUNNING")


def test_a_run_that_failed_halfway_is_told_again(root: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(client: object, run: str, told: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(records, "_log_values", broken)
        with pytest.raises(TrackingFault, match="No space left"):
            track(root, **SECTION)
    track(root, **SECTION)
    assert [status for _, status in runs(store)] == ["FAILED", "FINISHED"]


@pytest.mark.parametrize("harm", ["folder", "broken", "locked"])
def test_an_unreachable_store_costs_one_warning_and_no_result(
    root: Path, store: Path, harm: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(records, "BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(store)
    if harm == "locked":
        holder.execute("BEGIN EXCLUSIVE")
    if harm == "broken":
        store.write_bytes(b"not a database, but long enough to be taken for one" * 20)
    if harm == "folder":
        store.unlink()
        store.parent.rmdir()
        store.parent.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        report = track(root, **{**SECTION, "required": False})
    assert (report["tracked"], report["git_commit"], report["git_changed_files"]) == (False, "", 0)
    assert len(caplog.records) == 1
    with pytest.raises(TrackingFault, match="MLflow could not be told") as raised:
        track(root, **SECTION)
    assert raised.value.code == Exit.TRACKING == 13
    holder.close()


def test_switched_off_nothing_is_written_and_mlflow_is_not_imported(root: Path) -> None:
    call = TRACK.format(enabled=False) + "; print('mlflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", call, "shop"], cwd=root, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
    assert not (root / "mlruns").exists()


def test_two_first_users_at_once_are_both_told_without_a_word(root: Path) -> None:
    (root / "mlruns").mkdir()
    (root / "mlruns" / "mlflow.db.partial").write_bytes(b"left by a killed first user")
    users = [
        subprocess.Popen(
            [sys.executable, "-c", TRACK.format(enabled=True), name],
            cwd=root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("one", "two")
    ]
    assert [user.communicate(timeout=120)[0] for user in users] == ["", ""]
    assert [user.returncode for user in users] == [0, 0]
    assert [status for _, status in runs(root / "mlruns/mlflow.db")] == ["FINISHED"] * 2


def test_an_experiment_in_a_temporary_folder_is_told_to_the_true_project(
    root: Path, store: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path_factory.mktemp("project")
    (project / "mlruns").mkdir()
    store.rename(project / "mlruns" / "mlflow.db")
    monkeypatch.setenv("DVC_ROOT", str(project))
    track(root, **SECTION)
    assert len(runs(project / "mlruns" / "mlflow.db")) == 1
    assert not store.exists()


def test_no_secret_reaches_the_store(root: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_API_KEY", "hidden-one")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://me:hidden-two@example.org/x.git"], cwd=root, check=True)
    write(root / "params.yaml", "data:\n  password: hidden-three\n  source: ftp://me:hidden-four@example.org/x\n")
    content = told(root)
    assert content.parameters == {"data.password": "(hidden)", "data.source": "ftp://(hidden)@example.org/x"}
    write(root / "params.yaml", "data:\n  name: shop\n")
    track(root, **SECTION)
    told_bytes = b"".join(path.read_bytes() for path in (root / "mlruns").rglob("*") if path.is_file())
    assert b"hidden" not in told_bytes
    assert b"days_since_purchase" in told_bytes


def test_a_changed_model_file_is_refused_before_lightgbm_sees_it(root: Path) -> None:
    write(root / "models/current/booster.txt", booster_text()[:300])
    with pytest.raises(IntegrityFault, match=r"booster\.txt"):
        track(root, **SECTION)


def test_trials_are_nested_runs_with_their_settings_and_the_loss_of_each_fold(root: Path, store: Path) -> None:
    import mlflow

    told = tell_search(root, **SEARCH, trials=TRIALS[:1], figures={"confirmed.low": -0.1})
    again = tell_search(root, **SEARCH, trials=TRIALS, figures={"confirmed.low": -0.2})
    assert told == again
    assert [status for _, status in runs(store)] == ["FINISHED"] * 3
    client = mlflow.MlflowClient()
    whole = client.get_run(told["run_id"]).data
    assert whole.metrics == {"trials": 2.0, "best": 0.25, "confirmed.low": -0.2}
    (experiment,) = [found.experiment_id for found in client.search_experiments() if found.name == "shop"]
    nested = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{told['run_id']}'", order_by=["tags.churn_trial"]
    )
    # As `churn tune` counts them on the screen.
    assert [run.info.run_name for run in nested] == ["trial 1", "trial 2"]
    assert [run.data.params for run in nested] == [
        {"model.num_leaves": "5", "model.half_life_days": "None"},
        {"model.num_leaves": "9", "model.half_life_days": "90.0"},
    ]
    assert [run.data.metrics for run in nested] == [{"loss": 0.25, "fold_loss": 0.2}, {"fold_loss": 0.4}]


def test_of_a_search_nothing_is_written_when_tracking_is_switched_off(root: Path) -> None:
    told = tell_search(root, **SEARCH | {"enabled": False}, trials=TRIALS, figures={})
    assert told == {"tracked": False, "why": "tracking.enabled is false"}
    assert not (root / "mlruns").exists()


def environment() -> dict[str, str]:
    paths = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "DVC"))}
    return {**kept, "PYTHONPATH": paths}

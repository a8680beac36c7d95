"""What holds in every test: no network but this machine, and how many examples a property gets."""

import os
import shutil
import socket

import pytest
from hypothesis import HealthCheck, settings

# Both are derandomised: a test that fails fails again. `long` is for `make test-long`.
settings.register_profile(
    "fast", max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("fast"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def pytest_collection_modifyitems(config, items):
    """Leave out the tests that take minutes, unless a `-m` asks for some."""
    if config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; `make test-long` runs it"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """A test that reaches out would pass here and fail elsewhere; notebooks talk to their kernel on loopback."""
    connect = socket.socket.connect

    def only_here(self, address):
        if self.family != getattr(socket, "AF_UNIX", None) and not str(address[0]).startswith(
            ("127.", "::1", "localhost")
        ):
            raise OSError(f"a test may not connect to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)


@pytest.fixture(scope="session")
def demo_runs(tmp_path_factory):
    """Two projects that each made their list of the same demo world, side by side; the second without tracking.

    Many tests look at them, none changes them.
    """
    from tests.pipelines.project import Project, demo_project, started

    folders = [demo_project(tmp_path_factory.mktemp(name), tracked=name == "tracked") for name in ("tracked", "alone")]
    runs = [started(folder) for folder in folders]
    told = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], told
    logs = [(folder / "data/logs/run.log").read_text() for folder in folders]
    return tuple(map(Project, folders, told, logs))


@pytest.fixture(scope="session")
def demo_run(demo_runs):
    """A project that made its list of the demo world; to be looked at, not to be changed."""
    return demo_runs[0]


@pytest.fixture(scope="session")
def spark_section():
    """What conf/engine/spark.yaml says, but small and without a network; skips where Spark cannot run."""
    pytest.importorskip("pyspark", reason="PySpark is not installed: `make spark`")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Java is not there: on Debian, apt-get install openjdk-17-jre-headless")
    # Compiling queries takes longer than running them on a few rows.
    plain = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
    # And so does compiling Java well: with these, a session and a few queries take half of the processor's time.
    plain["spark.driver.extraJavaOptions"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    small = {"master": "local[2]", "driver_memory": "1g", "partitions": 2, "memory_limit": "300MB", "settings": plain}
    return {"kind": "spark", **small}


@pytest.fixture(scope="session")
def spark(spark_section):
    """The engine of Spark; its session lives as long as the tests."""
    from churn.shell.engine import ENGINES

    return ENGINES["spark"](**spark_section)

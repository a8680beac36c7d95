"""What stands between a user and Spark: what it needs, what it says, and what its workers meet."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from churn.shell import store
from churn.shell.engine import ENGINES
from churn.shell.engine.on_spark import session
from churn.words.errors import ConfigFault, DiskFault, Fault, UsageFault
from churn.words.tables import INSTANT, SNAPSHOTS


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put_snapshots() -> None:
    row = [["a"], pa.array([0]).cast(INSTANT), pa.array([True])]
    store.write("snapshots", pa.table(row, schema=SNAPSHOTS.schema))


def asked(section: dict[str, Any], **changed: Any) -> None:
    """Spark with this section is asked for something, which fails before Java is started."""
    put_snapshots()
    list(ENGINES["spark"](**section | changed).made(len, {"snapshots": None}))


def java(folder: Path, version: str, does: str = "exit 1") -> Path:
    """A folder of a Java that says it is of this version, and does what is told."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/java").write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    (folder / "bin/java").chmod(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return folder


def test_without_java_it_says_which_one_and_how_to_get_it(spark_section, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageFault, match=r"needs Java 17, and there is no `java` on the PATH.*openjdk-17"):
        asked(spark_section)


def test_a_folder_without_java_is_named(spark_section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageFault, match=rf"JAVA_HOME is {tmp_path}, which has no bin/java"):
        asked(spark_section)


@pytest.mark.parametrize(("version", "said"), [("11.0.2", "Java 11"), ("1.8.0_392", "Java 8")])
def test_an_older_java_is_named_with_its_version(
    version: str, said: str, spark_section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "jdk", version)))
    with pytest.raises(UsageFault, match=rf"needs Java 17, and {tmp_path}/jdk/bin/java is {said}\."):
        asked(spark_section)


def test_a_java_that_does_not_start_is_one_message_and_its_words_are_in_the_log(spark_section, tmp_path: Path) -> None:
    home = java(tmp_path / "jdk", "17.0.1", does="echo Too large a heap >&2; echo the end; exit 1")
    put_snapshots()
    code = "from churn.shell.engine import ENGINES\n"
    code += f"list(ENGINES['spark'](**{spark_section}).made(len, {{'snapshots': None}}))"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"JAVA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        "UsageFault: Java ended before Spark began: Too large a heap. It must be Java 17; data/logs/spark.log"
        in said.stderr
    )
    assert "the end" not in said.stderr + said.stdout
    assert "the end" in session.LOG.read_text(encoding="utf-8")


@pytest.mark.parametrize("master", ["", "locally", "spark://host", "http://host:7077", "local[2"])
def test_a_master_of_no_known_kind_is_refused(master: str, spark_section) -> None:
    with pytest.raises(ConfigFault, match=r"engine\.master must be local\[\*\], .*spark://HOST:PORT"):
        asked(spark_section, master=master)


def test_a_master_where_nobody_listens_is_named_without_starting_java(
    spark_section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java(tmp_path / "jdk", "17.0.1", does="touch started")))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConfigFault, match=rf"engine\.master is {master}, and nobody answers there \(.*refused"):
            asked(spark_section, master=master)
    assert not Path("started").exists()


def test_yarn_needs_the_configuration_of_hadoop(spark_section, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageFault, match="HADOOP_CONF_DIR"):
        asked(spark_section, master="yarn")


def test_what_our_own_code_raises_in_a_worker_keeps_the_traceback_of_python_alone(spark) -> None:
    def divided(snapshots: pa.Table) -> pa.Table:
        return snapshots.slice(0, 1 // (snapshots.num_rows - 1))

    put_snapshots()
    with pytest.raises(RuntimeError, match=r"in a Spark worker: Trace[\s\S]*in divided[\s\S]*ZeroDivision") as met:
        list(spark.made(divided, {"snapshots": None}))
    assert "org.apache.spark" not in str(met.value)
    assert met.value.__suppress_context__
    assert "ZeroDivisionError" in session.LOG.read_text(encoding="utf-8")


def test_a_worker_that_is_killed_is_told_as_lack_of_memory(spark) -> None:
    def killed(snapshots: pa.Table) -> pa.Table:
        os.kill(os.getpid(), 9)
        return snapshots

    put_snapshots()
    with pytest.raises(DiskFault, match=r"a Spark worker was killed .*spark\.executor\.memoryOverhead") as met:
        list(spark.made(killed, {"snapshots": None}))
    assert "\n" not in str(met.value)


IN_A_WORKER = """
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "worker.py", line 1, in main
    import churn
ModuleNotFoundError: No module named 'churn'

\tat org.apache.spark.api.python.X.y(X.scala:1)
"""
IN_JAVA = """An error occurred while calling o1.count.
: org.apache.spark.SparkException: Master removed.
\tat org.apache.spark.X.y(X.scala:1)
"""


@pytest.mark.parametrize(
    ("error", "fault", "said"),
    [
        (IN_A_WORKER, UsageFault, r"cannot import .* \(ModuleNotFoundError: No module named 'churn'\).*PYSPARK_PYTHON"),
        ("java.io.IOException: No space left on device\n\tat x", DiskFault, r"spark\.local\.dir"),
        (
            IN_JAVA,
            Fault,
            r"^Spark gave up: org\.apache\.spark\.SparkException: Master removed\. All .* data/logs",
        ),
    ],
)
def test_what_spark_says_in_hundreds_of_lines_becomes_one(error: str, fault: type[Exception], said: str) -> None:
    met = session._explained(error, "")
    assert isinstance(met, fault)
    assert re.search(said, str(met))
    assert "\n" not in str(met)

"""The session of Spark: what it needs is asked for first, its words go to a log, and its faults are told in ours."""

import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from churn.words.errors import ConfigFault, DiskFault, Fault, UsageFault

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOG = Path("data/logs/spark.log")
"""What Java and the workers on this machine said in the last stage that used Spark."""
JAVA = 17
_GET_JAVA = f"Get it (on Debian: apt-get install openjdk-{JAVA}-jre-headless), or let JAVA_HOME name its folder"
_CONNECT_SECONDS = 5
"""A master that does not answer within this is not there; Spark itself would go on trying for a minute."""
_WORKER_SECONDS = 60
"""A worker that is free starts an executor within seconds. Spark itself would wait for one for ever."""
_TRACE = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*(?P<last>\S.*)")
_LOST = re.compile(r"Python worker exited unexpectedly|OutOfMemoryError|ExecutorLostFailure|worker lost", re.IGNORECASE)


def session(settings: Mapping[str, str]) -> "SparkSession":
    """The session of this process, which ends with it.

    Raises
    ------
    UsageFault
        If PySpark or Java is not there, or no worker is free (exit 2).
    ConfigFault
        If nobody answers at the address of the master (exit 3).
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageFault("engine=spark needs PySpark; install this project with its extra `spark`") from error
    _check_java()
    _check_master(settings["spark.master"])
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if settings["spark.master"].startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    heard = signal.getsignal(signal.SIGINT)
    with _aside():
        spark = SparkSession.builder.appName("churn").config(map=dict(settings)).getOrCreate()
    if threading.current_thread() is threading.main_thread():
        # PySpark would answer Ctrl-C with the failure of a job, which looks like a fault of ours.
        signal.signal(signal.SIGINT, heard)
    if settings["spark.master"].startswith("spark:"):
        _await_worker(spark, settings)
    return spark


@contextmanager
def plainly() -> Iterator[None]:
    """What fails in Spark within the block is one message; all that Java said of it goes to the log.

    Raises
    ------
    Fault
        In place of an exception of PySpark.
    RuntimeError
        With the traceback of Python alone, where a function of ours failed in a worker.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in {"py4j", "pyspark"}:
            raise
        said = _first_words()
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"\n{error}\n")
        raise _explained(str(error), said) from None


def _explained(error: str, said: str) -> Exception:
    """What an exception of Spark, of hundreds of lines, means to the user; `said` is what Java said first."""
    more = f"{LOG} holds all that Spark said"
    if "No space left on device" in error:
        return DiskFault(f"no space left on the disk of a Spark worker. Give it another with spark.local.dir; {more}")
    if "JAVA_GATEWAY_EXITED" in error:
        return UsageFault(f"Java ended before Spark began: {said}. It must be Java {JAVA}; {more}")
    if _LOST.search(error):
        return DiskFault(
            f"a Spark worker was killed or died, most often because memory ran out. Give its executor more with "
            f"spark.executor.memoryOverhead, or raise engine.partitions; {more}"
        )
    trace = _TRACE.search(error)
    if trace and "ModuleNotFoundError" in trace["last"]:
        return UsageFault(
            f"a Spark worker cannot import what it needs ({trace['last']}). Put the same Python environment at the "
            f"same path of every worker, or name it in PYSPARK_PYTHON; {more}"
        )
    if trace:
        return RuntimeError(f"in a Spark worker: {trace[0]}")
    cause = re.sub(r"^An error occurred while calling .*\n: ", "", error).partition("\n")[0].rstrip(".")
    return Fault(f"Spark gave up: {cause}. All that it said is in {LOG}")


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        where = f"JAVA_HOME is {home}, which has no bin/java" if home else "there is no `java` on the PATH"
        raise UsageFault(f"engine=spark needs Java {JAVA}, and {where}. {_GET_JAVA}")
    version = _java_version(Path(found).resolve().parents[1] / "release")
    if version is not None and version < JAVA:
        raise UsageFault(f"engine=spark needs Java {JAVA}, and {found} is Java {version}. {_GET_JAVA}")


def _java_version(release: Path) -> int | None:
    """The version that a Java says of itself in the file `release`, without being started; None where it does not."""
    try:
        found = re.search(r'^JAVA_VERSION="(?:1\.)?([0-9]+)', release.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def _check_master(master: str) -> None:
    """Somebody listens at the address: otherwise Spark fails a minute later, in hundreds of lines."""
    if master == "yarn" and not {"HADOOP_CONF_DIR", "YARN_CONF_DIR"} & os.environ.keys():
        raise UsageFault(
            "engine.master is yarn, and neither HADOOP_CONF_DIR nor YARN_CONF_DIR is set; let one name the folder of "
            "Hadoop's configuration"
        )
    if not master.startswith("spark://"):
        return
    said = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
        except (OSError, OverflowError) as error:
            said.append(f"{address}: {error}")
        else:
            return
    raise ConfigFault(
        f"engine.master is {master}, and nobody answers there ({'; '.join(said)}). Is the master running? Start it, or "
        f"correct conf/engine/spark.yaml and run `churn config compose`"
    )


def _await_worker(spark: "SparkSession", settings: Mapping[str, str]) -> None:
    """A worker took the application; with dynamic allocation none needs to, before there is work."""
    if settings.get("spark.dynamicAllocation.enabled", "false") == "true":
        return
    end = time.monotonic() + _WORKER_SECONDS
    # Whoever holds blocks: the driver, and each executor. PySpark offers no public way to ask.
    context = spark.sparkContext._jsc.sc()  # noqa: SLF001
    while context.getExecutorMemoryStatus().size() < 2:
        if time.monotonic() > end:
            spark.stop()
            raise UsageFault(
                f"no worker of {settings['spark.master']} took the work within {_WORKER_SECONDS} s. Does one run, with "
                f"a free core and the memory that spark.executor.memory asks for (1g unless settings say otherwise)? "
                f"{LOG} holds what Spark said"
            )
        time.sleep(0.2)


@contextmanager
def _aside() -> Iterator[None]:
    """A child that starts in the block writes to the log all its life, instead of the terminal."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        with LOG.open("wb") as log:
            for number in kept:
                os.dup2(log.fileno(), number)
        yield
    finally:
        for number, before in kept.items():
            os.dup2(before, number)
            os.close(before)


def _first_words() -> str:
    """The first line of the log that says something: Java names its reason first, then what came of it."""
    lines = LOG.read_text(encoding="utf-8", errors="replace").split("\n") if LOG.exists() else []
    telling = (line.strip().rstrip(".") for line in lines if line.strip() and not line.startswith("WARNING"))
    return next(telling, "it said nothing")

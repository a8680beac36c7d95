"""The engine of a cluster: Spark reads files side by side, deduplicates, sorts, and runs functions of whole customers.

A file is read by the reader of `on_duckdb`, so that it means the same on both engines. What the workers make comes
back as Arrow bytes, partition after partition in the order of the customers, and the driver writes it.
"""

import re
from functools import partial
from typing import Annotated, Literal

from annotated_types import Ge

from churn.shell.engine.doors import Engine, write_all
from churn.shell.engine.on_spark.customers import made
from churn.shell.engine.on_spark.files import found
from churn.shell.engine.on_spark.sent import BATCH_ROWS
from churn.shell.engine.room import size
from churn.words.errors import ConfigFault

__all__ = ["on_spark"]

_LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
"""On one machine nothing listens to the network."""
_MASTER = re.compile(r"local(\[.+\])?|spark://[^,\s]+:[0-9]+(,[^,\s]+:[0-9]+)*|yarn|k8s://\S+")


def on_spark(
    *,
    kind: Literal["spark"],
    master: str,
    driver_memory: str,
    partitions: Annotated[int, Ge(1)],
    memory_limit: str,
    settings: dict[str, str],
) -> Engine:
    """The engine of a cluster.

    Parameters
    ----------
    master
        Where Spark runs: `local[*]` on this machine, or the address of a cluster.
    driver_memory
        Memory of the driver's Java process, such as 2g.
    partitions
        Parts into which customers are divided.
    memory_limit
        What the reader of one file may hold before it spills, such as 1GB; as many run at once as there are cores.
    settings
        Further settings of Spark by their names.

    Raises
    ------
    ConfigFault
        If the limit is no size, or the master no address of a kind that Spark knows.
    """
    if not _MASTER.fullmatch(master):
        raise ConfigFault(
            f"engine.master must be local[*], local[N], spark://HOST:PORT, yarn or k8s://ADDRESS, got {master!r}"
        )
    given = {
        "spark.master": master,
        "spark.driver.memory": driver_memory,
        "spark.sql.shuffle.partitions": str(partitions),
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        **(_LOCAL if master.startswith("local") else {}),
        **settings,
        "spark.sql.session.timeZone": "UTC",
    }
    limit = size("memory_limit", memory_limit)
    making = partial(made, given, partitions)
    return Engine(kind, partial(found, given, limit), making, partial(write_all, making))

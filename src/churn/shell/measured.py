"""What commands measured outside of the graph, so that stages can depend on it.

DVC knows a file that a command writes now and then only if a stage has taken note of it. The first stage runs always
and does so.
"""

from pathlib import Path
from typing import Any

from churn.shell.config import PARAMS
from churn.shell.store.files import digest, read_json
from churn.shell.store.paths import PATHS
from churn.words.errors import IntegrityFault

BACKTEST = "reports/backtest.json"
"""What `churn backtest` writes."""


def measured() -> dict[str, Any]:
    """The backtest of the raw files and parameters in use as `backtest`, otherwise null; and its `digests` by path.

    Raises
    ------
    IntegrityFault
        The report of the backtest is no such report.
    """
    if not Path(BACKTEST).exists():
        return {"backtest": None, "digests": {}}
    found = read_json(BACKTEST, remedy="Remove it, or run `churn backtest` again")
    if not isinstance(found, dict) or not isinstance(found.get("digest"), dict):
        raise IntegrityFault(f"{BACKTEST} does not say what it was made from; remove it, or run `churn backtest` again")
    in_use = {"data": digest(PATHS["raw"]), "params": digest(PARAMS)}
    if any(found["digest"].get(name) != value for name, value in in_use.items()):
        return {"backtest": None, "digests": {}}
    return {"backtest": found, "digests": {BACKTEST: digest(BACKTEST)}}

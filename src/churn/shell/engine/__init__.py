"""Engines: where raw files become sorted tables, and where functions of whole customers run.

An engine is a handful of verbs. It knows nothing of what a column means: rows go through functions that the caller
gives, and these are the same on every engine.
"""

from churn.shell.engine.doors import Engine, Found
from churn.shell.engine.on_duckdb import on_duckdb
from churn.shell.engine.on_spark import on_spark

__all__ = ["ENGINES", "Engine", "Found"]

ENGINES = {"duckdb": on_duckdb, "spark": on_spark}
"""The engines by the `kind` that conf/engine chooses."""

"""Rows of benchmarks/results/speed.json, and docs/performance.md, which says what they say."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.speed.page import page
from churn.shell.store import write_text

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
PAGE = ROOT / "docs" / "performance.md"


def rows() -> list[dict[str, Any]]:
    """All rows that were measured."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []


def replace(old: Callable[[dict[str, Any]], bool], new: Iterable[dict[str, Any]]) -> None:
    """Put `new` in the place of the rows that are `old`, and write the page anew."""
    kept = [*(row for row in rows() if not old(row)), *new]
    write_text(RESULTS, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    write_text(PAGE, page(kept))

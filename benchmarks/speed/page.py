"""docs/performance.md as a whole: features first, then contributions, the whole line and the export."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from benchmarks.speed.document import document

FEATURES = "features"
CONTRIBUTIONS = """
## Contributions

What each feature adds to the margin of 100,000 customers, beside LightGBM's `pred_contrib` at the same number of
threads; both are equal to 1e-9, which is checked in each run. Timed without imports, from the text of the model on.
LightGBM explains the first rows only (`rows`), since each costs as much as the next; the ratio is of
processor seconds per row, since others used the machine.

    .venv/bin/python -m benchmarks.speed.contributions

| trees x leaves | engine | rows | wall_s | cpu_s | peak_mb | rows a second | CPU per row, ours = 1 |
|---|---|---:|---:|---:|---:|---:|---:|
"""
LINE = """
## The whole line

From `churn run` to the published list, on the demo world and from nothing but raw files. `start_s` is what lies between the birth of a process and
its work, all imports included; `dvc` and `publishing` are what the two commands around the stages take themselves. The peak of the whole is that of its
largest process. While this was measured, some ten other processes wanted the same 2 cores: the CPU seconds and the shares tell, the wall times do not.

    .venv/bin/python -m benchmarks.speed.line --events 1000000
"""
EXPORT = """
## Export

A list of {customers:,} customers, one process a file. `beyond_mb` is memory beyond what the process held before it began to write.
CSV and JSON are written piece by piece. A workbook holds the first {head:,} customers, says so, and names the files that have all.

    .venv/bin/python -m benchmarks.speed.export

| file | wall_s | cpu_s | beyond_mb | size_mb | runs |
|---|---:|---:|---:|---:|---:|
"""


def page(rows: Sequence[dict[str, Any]]) -> str:
    """The page that all rows make together."""
    text = document([row for row in rows if row["work"] == FEATURES])
    parts = {"contributions ": _contributions, "line:": _line, "export:": _export}
    return text + "".join(part([row for row in rows if row["work"].startswith(of)]) for of, part in parts.items())


def _contributions(rows: list[dict[str, Any]]) -> str:
    lines = []
    for work, members in groupby(rows, lambda row: row["work"]):
        for row in members:
            seconds = f"{row['wall_s']:.2f} | {row['cpu_s']:.2f} | {row['peak_mb']:.0f}"
            speed = f"{row['customers'] / row['wall_s']:,.0f} | {row['ratio_to_ours']:.1f}"
            lines.append(
                f"| {work.split('k x ')[1]} | {row['engine']} | {row['customers']:,} | {seconds} | {speed} |\n"
            )
    return CONTRIBUTIONS + "".join(lines) if lines else ""


def _line(rows: list[dict[str, Any]]) -> str:
    text = LINE if rows else ""
    for events, members in groupby(rows, lambda row: row["events"]):
        of_size = list(members)
        about = of_size[0]
        text += f"\n{events:,} events of {about['customers']:,} customers, {about['snapshots']:,} snapshots with "
        text += f"{about['features']} features; {_runs(about['runs'])}.\n\n"
        text += "| stage | wall_s | start_s | cpu_s | peak_mb |\n|---|---:|---:|---:|---:|\n"
        for row in of_size:
            seconds = f"{row['wall_s']:.1f} | {row['start_s']:.1f} | {row['cpu_s']:.1f}"
            text += f"| {row['work'].removeprefix('line:')} | {seconds} | {row['peak_mb']:,.0f} |\n"
        text += _shares({row["work"].removeprefix("line:"): row for row in of_size})
    return text


def _runs(n: int) -> str:
    return "one run" if n == 1 else f"medians of {n} runs"


def _shares(by: dict[str, dict[str, Any]]) -> str:
    """What share of the whole starts are, and what the reasons cost beside the contributions."""
    whole = by["churn run"]
    scores, reasons = (by[name]["wall_s"] - by[name]["start_s"] for name in ("scores", "reasons"))
    return (
        f"\nStarts are {whole['start_s'] / whole['wall_s']:.0%} of the wall time. Beside starts, the reasons in words take "
        f"{reasons:.1f} s, scores and contributions {scores:.1f} s.\n"
    )


def _export(rows: list[dict[str, Any]]) -> str:
    from churn.core.editions.workbook import HEAD_ROWS

    if not rows:
        return ""
    text = EXPORT.format(customers=rows[0]["customers"], head=HEAD_ROWS)
    for row in rows:
        seconds = f"{row['wall_s']:.1f} | {row['cpu_s']:.1f} | {row['beyond_mb']:,.0f}"
        text += f"| {row['work'].removeprefix('export:')} | {seconds} | {row['size_mb']:,.0f} | {row['runs']} |\n"
    return text

"""docs/performance.md and its picture: the rows of benchmarks/results/speed.json."""

from itertools import groupby
from math import log
from typing import Any

HEAD = """# How fast is it?

From the events table to the features table on disk: {features} columns (counts and sums in windows of 7 to 365 days, and days since the last
event) of every live customer at monthly as-of dates. Whole processes on the 2 cores of one machine, imports included; median of the runs; every
round runs each engine once, so what else the machine does meets all alike. All columns of all snapshots of the peers are compared with ours: counts are
equal, sums and times to 1e-6.

    make bench-speed                                                     # 1 million events
    .venv/bin/python -m benchmarks.speed --events 10000000 --runs 2      # another size; the page keeps the sizes it has

* `ours`: reading, computing and writing as the stage `features` does.
* `limit`: reads the same columns and writes the same result, which is there already, and does nothing else.
* `polars`: one lazy query a date, an expression a column. `pandas`: a filter and a groupby for each date and window.
* `duckdb`: one query a date. featuretools is left out: it wants pandas 2, hence an environment of its own, and cutoffs for each customer.

![Seconds by engine](performance.svg)
"""
TAIL = """
## What holds it from the limit

Importing numba and the first call of a compiled function cost some 0.8 s of CPU in each process, also when the function comes from its
cache (at 20,000 events ours takes 1.26 s of CPU, `limit` 0.50 s). What grows with events is reading and checking, the compiled kernel, arithmetic, and writing; one thread
reads, one a core computes, and one writes.
"""
COLUMNS = ("engine", "wall_s", "cpu_s", "peak_mb", "runs", "ratio_to_ours")


def document(rows: list[dict[str, Any]]) -> str:
    """The page: one table a size, one row an engine."""
    text = HEAD.format(features=rows[0]["features"])
    for (events, as_ofs), members in groupby(rows, lambda row: (row["events"], row["as_ofs"])):
        of_size = list(members)
        text += f"\n## {events:,} events of {of_size[0]['customers']:,} customers, {as_ofs} dates\n\n"
        text += f"{of_size[0]['snapshots']:,} snapshots.\n\n"
        text += f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"
        text += "".join(f"| {' | '.join(str(row[c]) for c in COLUMNS)} |\n" for row in of_size)
    return text + _growth(rows) + TAIL


def _growth(rows: list[dict[str, Any]]) -> str:
    """How the product's wall time grows with events and with dates, as exponents and ratios."""
    ours = {(row["events"], row["as_ofs"]): row["wall_s"] for row in rows if row["engine"] == "ours"}
    lines = []
    for (events, as_ofs), seconds in ours.items():
        for (more, others), longer in ours.items():
            if as_ofs == others and more > events:
                exponent = log(longer / seconds) / log(more / events)
                lines.append(f"* from {events:,} to {more:,} events at {as_ofs} dates: exponent {exponent:.2f}\n")
            if events == more and others > as_ofs:
                lines.append(
                    f"* {others} dates instead of {as_ofs} at {events:,} events: {longer / seconds:.2f} times the time\n"
                )
    return "\n## Growth\n\n" + "".join(lines) if lines else ""


def picture(rows: list[dict[str, Any]]) -> str:
    """Bars of wall time at the largest size that has peers, as SVG text in the colours of the reports."""
    most = max(row["events"] for row in rows if row["engine"] not in {"ours", "limit"})
    shown = [row for row in rows if row["events"] == most]
    shown = [row for row in shown if row["as_ofs"] == min(r["as_ofs"] for r in shown)]
    longest = max(row["wall_s"] for row in shown)
    bars = []
    for i, row in enumerate(shown):
        y, width = 8 + 26 * i, 420 * row["wall_s"] / longest
        colour = "#0072B2" if row["engine"] == "ours" else "#B8B8B8"
        bars.append(
            f'<text x="62" y="{y + 13}" text-anchor="end">{row["engine"]}</text>'
            f'<rect x="70" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>'
            f'<text x="{76 + width:.1f}" y="{y + 13}">{row["wall_s"]} s</text>'
        )
    style = 'font-family="system-ui, \'Segoe UI\', \'Noto Sans\', sans-serif" font-size="12" fill="#333333"'
    height = 16 + 26 * len(shown)
    lines = "\n".join(bars)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 {height}" {style}>\n{lines}\n</svg>\n'

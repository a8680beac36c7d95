"""docs/performance.md and its picture: the rows of benchmarks/results/speed.json."""

from itertools import groupby, product
from math import log
from typing import Any

HEAD = """# How fast is it?

From the events table to the features table on disk: {features} columns (counts and sums in windows of 7 to 365 days, and days since the last
event) of every live customer at monthly as-of dates. Whole processes on the 2 cores of one machine, imports included; median of the runs; every
round runs each engine once, so what else the machine does meets all alike. All columns of all snapshots of the peers are compared with ours: counts are
equal, sums and times to 1e-6.

    make bench-speed                                                     # 1 million and 20,000 events
    .venv/bin/python -m benchmarks.speed --events 10000000 --runs 2      # another size; the page keeps the sizes it has
    .venv/bin/python -m benchmarks.speed --customers 1000 100000 --engines ours limit      # the same events, of other numbers of customers

* `ours`: reading, computing and writing as the stage `features` does. 252 columns are the whole catalogue: gaps, active days and distinct
  values, too; 21 and 42 are spread evenly over the 84.
* `limit`: reads the same columns and writes the same result, which is there already, and does nothing else.
* `polars`: one lazy query a date, an expression a column. `pandas`: a filter and a groupby for each date and window.
* `duckdb`: one query a date with an aggregate and a FILTER for each column, as most people write it. `duckdb_case`: the same queries, tuned with
  CASE inside the aggregates, which DuckDB computes faster.
* `featuretools` 1.31 in an environment of its own (pandas 2), up to 100,000 events: a cutoff time a snapshot, a matrix a window, after
  `add_last_time_indexes()`, without which its windows are wrong. It has one time of an event and cannot say when it was recorded, so its values are
  compared for customers without late events.

![Seconds by engine](performance.svg)
"""
TAIL = """
## What holds it from the limit

The start: importing numba, with the first call of a compiled function, costs some 0.45 s of CPU in each process, also when the function
comes from its cache; pyarrow and the rest 0.25 s. Per 10 million events (one thread, CPU): reading 0.4 s, checking and turning columns into
arrays 0.5 s, counts and sums 0.55 s, times since 0.2 s, arithmetic 0.1 s, writing 0.85 s. Reading and writing are the limit's work, too; one
thread reads, one a core computes, and one writes.
"""
SIZE = ("events", "customers", "as_ofs", "features")
GROWN = (["events", "customers"], ["customers"], ["as_ofs"], ["features"])
"""What may grow from one row to another, as lists of keys: events as such grow with their customers."""
COLUMNS = ("engine", "wall_s", "cpu_s", "peak_mb", "runs", "ratio_to_ours")


def document(rows: list[dict[str, Any]]) -> str:
    """The page: one table a size, one row an engine."""
    text = HEAD.format(features=rows[0]["features"])
    for size, members in groupby(rows, lambda row: tuple(row[key] for key in SIZE)):
        of_size = list(members)
        text += "\n## {:,} events of {:,} customers, {} dates, {} features\n\n".format(*size)
        text += f"{of_size[0]['snapshots']:,} snapshots.\n\n"
        text += f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"
        text += "".join(f"| {' | '.join(str(row[c]) for c in COLUMNS)} |\n" for row in of_size)
    return text + _growth(rows) + TAIL


def _growth(rows: list[dict[str, Any]]) -> str:
    """How the product's time grows with each number that says the size, as exponents of wall time and of CPU time."""
    ours = [row for row in rows if row["engine"] == "ours"]
    lines = []
    for one, other in product(ours, ours):
        grown = [key for key in SIZE if other[key] != one[key]]
        if any(other[key] < one[key] for key in grown) or grown not in GROWN:
            continue
        more = log(other[grown[0]] / one[grown[0]])
        wall, cpu = (log(other[key] / one[key]) / more for key in ("wall_s", "cpu_s"))
        said = " and ".join(f"{key} {one[key]:,} to {other[key]:,}" for key in grown)
        kept = ", ".join(f"{one[key]:,} {key}" for key in SIZE if key not in grown)
        times = f"{other['wall_s'] / one['wall_s']:.2f} times"
        lines.append(f"| {said} | {kept} | {times} | {wall:.2f} | {cpu:.2f} |\n")
    head = "| from, to | with | wall time | exponent of wall time | of CPU time |\n|---|---|---|---|---|\n"
    return "\n## Growth of ours\n\n" + head + "".join(lines) if lines else ""


def picture(rows: list[dict[str, Any]]) -> str:
    """Bars of wall time at the largest size that has peers, as SVG text in the colours of the reports."""
    most = max(row["events"] for row in rows if row["engine"] not in {"ours", "limit"})
    shown = [row for row in rows if row["events"] == most]
    shown = [row for row in shown if row["as_ofs"] == min(r["as_ofs"] for r in shown) and row["features"] == 84]
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

"""`python -m benchmarks.quality`: prediction quality beside the time rule, on all data at hand."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality.document import document
from benchmarks.quality.protocols import PROTOCOLS
from benchmarks.quality.snapshots import ROOT, SHARED, shared_file
from benchmarks.quality.trial import MODELS, Row, trial
from churn.shell.store import write_text

RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
CACHE = Path(tempfile.gettempdir()) / "churn-benchmark"
PAGE = ROOT / "docs" / "quality.md"
SHOWN = ("auc", "ap", "logloss", "brier", "ece", "lift10")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the protocols, print their tables, and replace their rows in the results and on their page."""
    wanted = _parsed(arguments)
    rows: list[Row] = []
    for name in wanted.only or PROTOCOLS:
        protocol = PROTOCOLS[name]
        source = shared_file(protocol)
        if source and not source.is_file():
            _say(f"{name}: skipped, since {source} is not there; set {SHARED} to the folder it should be in")
            continue
        found = trial(
            name, protocol, models=wanted.models or MODELS, overrides=wanted.set, cache=wanted.cache, say=_say
        )
        print(_table(name, found), flush=True)
        rows += found
    # Trying something out is no result: the file speaks of conf/ as it is, and of all models.
    if rows and not wanted.set and not wanted.models:
        write_text(RESULTS, _merged(rows))
        write_text(PAGE, document(json.loads(RESULTS.read_text(encoding="utf-8"))))
        _say(f"wrote {len(rows)} rows of {RESULTS.relative_to(ROOT)}, and {PAGE.relative_to(ROOT)}")
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PROTOCOLS), help="one protocol; may be repeated")
    parser.add_argument(
        "--models", action="append", choices=MODELS, help="these models (and the rule); writes no results"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="an override of conf/; writes no results"
    )
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for events that were read before")
    return parser.parse_args(arguments)


def _merged(rows: list[Row]) -> str:
    """The results file with these rows in the place of those of the same protocols."""
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    done = {row["protocol"] for row in rows}
    kept = [row for row in before if row["protocol"] in PROTOCOLS and row["protocol"] not in done]
    places = list(PROTOCOLS)
    both = sorted([*kept, *rows], key=lambda row: (places.index(row["protocol"]), row["model"]))
    return json.dumps(both, indent=1, ensure_ascii=False) + "\n"


def _table(name: str, rows: list[Row]) -> str:
    """The rows as text, each metric with its interval."""
    head = f"\n{name}: n = {rows[0]['n']:,}, base rate {rows[0]['base_rate']:.1%}\n{PROTOCOLS[name].text}\n"
    lines = [f"{'model':14}" + "".join(f"{metric:>22}" for metric in SHOWN) + f"{'AUC above rule':>24}{'s':>7}"]
    for row in rows:
        cells = "".join(f"{row[m]:>8.4f} {_ends(row, m):13}" for m in SHOWN)
        above = f"{row['above_rule_auc']:+.4f} {_ends(row, 'above_rule_auc')}" if "above_rule_auc" in row else ""
        lines.append(f"{row['model']:14}{cells}{above:>24}{row['seconds']:>7.1f}")
    return head + "\n".join(lines) + "\n"


def _ends(row: Row, metric: str) -> str:
    return f"{row[f'{metric}_low']:.3f}-{row[f'{metric}_high']:.3f}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

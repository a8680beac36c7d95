"""`python -m benchmarks.quality`: prediction quality beside the time rule and peers, on all data at hand."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.quality.document import document
from benchmarks.quality.environments import UnavailableError
from benchmarks.quality.protocols import KINDS, PEERS, PROTOCOLS
from benchmarks.quality.snapshots import ROOT, SHARED, shared_file
from benchmarks.quality.trial import FailedError, Row, trial
from churn.shell.store import write_text

RESULTS = ROOT / "benchmarks" / "results" / "quality.json"
CACHE = Path(tempfile.gettempdir()) / "churn-benchmark"
PAGE = ROOT / "docs" / "quality.md"
MODELS = (*KINDS, *PEERS)
SHOWN = ("auc", "ap", "logloss", "brier", "ece", "lift10")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the protocols, print their tables, and replace their rows in the results and on their page."""
    wanted = _parsed(arguments)
    names = wanted.only or list(PROTOCOLS)
    failures: list[str] = []
    began = time.perf_counter()
    for place, name in enumerate(names, 1):
        protocol = PROTOCOLS[name]
        say = partial(_say, f"[{place}/{len(names)}] {name}: ")
        source = shared_file(protocol)
        if source and not source.is_file():
            say(f"skipped, since {source} is not there; set {SHARED} to the folder it should be in")
            continue
        try:
            found, failed = trial(
                name,
                protocol,
                models=wanted.models,
                without=wanted.without,
                again=wanted.again,
                overrides=wanted.set,
                cache=wanted.cache,
                say=say,
            )
        except UnavailableError as why:
            say(f"skipped: {why}")
            continue
        except FailedError as why:
            say(str(why))
            failures.append(name)
            continue
        failures += [f"{name} ({model})" for model in failed]
        print(_table(name, found), flush=True)
        # Trying something out is no result: the file speaks of conf/ as it is, and of all models. After each protocol,
        # so that what breaks off keeps what it has.
        if not wanted.set and not wanted.models:
            write_text(RESULTS, _merged(found))
            write_text(PAGE, document(json.loads(RESULTS.read_text(encoding="utf-8"))))
            say(f"wrote {len(found)} rows of {RESULTS.relative_to(ROOT)}, and {PAGE.relative_to(ROOT)}")
    _say("", f"{len(names)} protocols in {(time.perf_counter() - began) / 60:.1f} minutes")
    if failures:
        _say("", f"failed, and without rows: {', '.join(failures)}")
    return int(bool(failures))


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PROTOCOLS), help="one protocol; may be repeated")
    parser.add_argument("--models", action="append", choices=MODELS, help="these models (and ours); writes no results")
    parser.add_argument(
        "--again",
        action="append",
        choices=MODELS,
        help="only these anew; of the others take the scores of before, where the same code made them of the same rows",
    )
    parser.add_argument("--without", action="append", default=[], choices=MODELS[1:], help="not these models")
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
    both = sorted([*kept, *rows], key=lambda row: (places.index(row["protocol"]), MODELS.index(row["model"])))
    return json.dumps(both, indent=1, ensure_ascii=False) + "\n"


def _table(name: str, rows: list[Row]) -> str:
    """The rows as text, each metric with its interval."""
    head = f"\n{name}: n = {rows[0]['n']:,}, base rate {rows[0]['base_rate']:.1%}\n{PROTOCOLS[name].text}\n"
    lines = [
        f"{'model':14}" + "".join(f"{metric:>22}" for metric in SHOWN) + f"{'AUC of ours less it':>24}{'s':>7}{'MB':>7}"
    ]
    for row in rows:
        cells = "".join(f"{row[m]:>8.4f} {_ends(row, m):13}" for m in SHOWN)
        less = f"{row['ours_less_auc']:+.4f} {_ends(row, 'ours_less_auc')}" if "ours_less_auc" in row else ""
        lines.append(f"{row['model']:14}{cells}{less:>24}{row['cpu_s']:>7.1f}{row['peak_mb']:>7.0f}")
    return head + "\n".join(lines) + "\n"


def _ends(row: Row, metric: str) -> str:
    return f"{row[f'{metric}_low']:.3f}-{row[f'{metric}_high']:.3f}"


def _say(where: str, line: str) -> None:
    print(f"{where}{line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

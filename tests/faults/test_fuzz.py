"""Batches that were mutated at random go through the door: no row unexplained, no hang, no traceback."""

import io
import json
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from churn.core.dataset import Attributes, EventType, Source, Time, dataset
from churn.core.events import checked, reconciliation, shown_of
from churn.shell import raw
from churn.shell.engine import ENGINES
from churn.shell.runs import explained, told
from churn.words.tables import SUPERSEDED
from tests.faults.case import base, rows

FAST, LONG = 200, 1_000
AT_ONCE = 50
SECONDS_MOST = 60
FORMATS = ("csv", "jsonl", "parquet")
ENGINE = ENGINES["duckdb"](**base()["engine"] | {"threads": 1})
LIMITS = {"quarantine_stop": 1.0, "quarantine_warn": 1.0}
SNIPPETS = (
    b'"', b'""', b",", b";", b"\n", b"\r\n", b"\r", b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\t", b"=1+1",
    b"NaN", b"-", b"1e308", b"\xe5\xae\xa2", b"9999-12-31", b"2024-02-30", b"{", b"}", b"\\", b"\\u0000", b"null", b" ",
    b"\xc2\xa0", b"\xcc\x81", b"x" * 3000, b"2024-03-31 02:30", b"a" * (1 << 21),
)  # fmt: skip


def world(file: str):
    """A shop whose limits never stop a run, so that every batch has to be accounted for."""
    orders = Source(
        file, "customer", Time("at"), {"order": EventType("purchase")}, amount="amount", event_id="number", **LIMITS
    )
    said = Attributes("data/raw/accounts.csv", "id", "since", {"plan": "plan"}, **LIMITS)
    window = {"observed_from": "2024-01-01", "observed_until": "2024-07-01"}
    made = {"name": "fuzz", "time_zone": "Europe/Berlin", **window, "currency": "EUR", "nouns": {}}
    return dataset(**made, sources={"orders": orders}, attributes={"accounts": said})


def batch(kind: str, rng: np.random.Generator) -> bytes:
    """A mutated file of a few dozen orders."""
    text = "customer,at,number,amount\n" + rows(int(rng.integers(1, 40)))
    if kind == "csv":
        return mutated(text.encode(), rng)
    lines = [line.split(",") for line in text.splitlines()]
    table = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    if kind == "jsonl":
        return mutated("".join(json.dumps(row) + "\n" for row in table).encode(), rng)
    columns = {name: odd([row[name] for row in table], rng) for name in lines[0] if rng.random() > 0.03}
    if rng.random() < 0.1:
        columns["more"] = pa.array([[1, 2]] * len(table))
    sink = io.BytesIO()
    pq.write_table(pa.table(columns or {"customer": ["a"]}), sink)
    return mutated(sink.getvalue(), rng) if rng.random() < 0.3 else sink.getvalue()


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with a few of them lost, doubled, changed, or with something put between them."""
    for _ in range(int(rng.integers(0, 6))):
        if not content:
            break
        at, what = int(rng.integers(len(content))), int(rng.integers(6))
        end = min(len(content), at + int(rng.integers(1, 60)))
        if what == 0:
            content = content[:at] + content[end:]
        elif what == 1:
            content = content[:end] + content[at:end] + content[end:]
        elif what == 2:
            content = content[:at] + bytes([int(rng.integers(256))]) + content[at + 1 :]
        elif what == 3 and rng.random() < 0.3:
            content = content[:at]
        else:
            # The megabytes come last, and rarely.
            last = len(SNIPPETS) - (rng.random() > 0.05)
            content = content[:at] + SNIPPETS[int(rng.integers(last))] + content[at:]
    return content


def odd(values: list[str], rng: np.random.Generator) -> pa.Array:
    """A column of texts as another type, with gaps, or as it is."""
    what = int(rng.integers(8))
    n = len(values)
    if what == 0:
        return pa.array([None if rng.random() < 0.3 else v for v in values], pa.string())
    if what == 1:
        return pa.array(rng.choice([1.5, np.nan, np.inf, 1e300, -3.0], n))
    if what == 2:
        return pa.array(rng.integers(-(2**62), 2**62, n))
    if what == 3:
        return pa.array(rng.integers(0, 2**52, n), pa.timestamp("us", tz="UTC" if rng.random() < 0.5 else None))
    if what == 4:
        return pa.array([v.encode() for v in values], pa.binary())
    return pa.array(values, pa.string())


@contextmanager
def in_time():
    """The block ends within `SECONDS_MOST`, or the test fails."""

    def hangs(*_):
        pytest.fail(f"no answer within {SECONDS_MOST} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(SECONDS_MOST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def through_the_door(data) -> tuple[dict, int] | None:
    """The account and the rows in quarantine; nothing, if a fault was told in words."""
    shown: dict = {}
    try:
        with ENGINE.events(data, check=checked, inventory=raw.inventory(data)) as found:
            bad = sum(piece.num_rows for piece in shown_of(found.quarantine, shown))
            # Versions that were corrected stand in the table beside those that count.
            events = sum(piece[SUPERSEDED].null_count for piece in found.events)
            account = reconciliation(data, found.counts, shown)
    except Exception as error:
        fault = explained(error)
        if fault is None or fault.code == 1:
            raise
        assert len(told(fault)) > 20
        return None
    assert account["sources"]["orders"]["events"] == events
    return account, bad


def check(seed: int) -> bool:
    """One batch is accounted for, row by row, or refused in words; whether it was accounted for."""
    rng = np.random.default_rng(seed)
    kind = FORMATS[seed % len(FORMATS)]
    file = Path(f"data/raw/orders.{kind}")
    file.write_bytes(batch(kind, rng))
    with in_time():
        found = through_the_door(world(str(file)))
    if found is None:
        return False
    account, bad = found
    orders = account["sources"]["orders"]
    quarantined = sum(orders["quarantined"].values())
    assert orders["rows"] == orders["kept"] + orders["duplicates"] + quarantined + orders["out_of_window"]
    assert bad == account["total"]["quarantined"]
    content = file.read_bytes()
    if kind == "parquet":
        assert orders["rows"] == pq.read_metadata(file).num_rows
    elif b'"' not in content or kind == "jsonl":
        blank = {b"", b"\r"}
        end = b"\n" if b"\n" in content else b"\r"
        lines = sum(line not in blank for line in content.split(end)) - (kind == "csv")
        # A lone return in a file of other line ends may divide a line in two.
        alone = content.replace(b"\r\n", b"\n").count(b"\r") if end == b"\n" else 0
        assert lines <= orders["rows"] <= lines + alone
    return True


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    (tmp_path / "data/raw").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw/accounts.csv").write_text("id,since,plan\nc1,2023-01-01,gold\n")


@pytest.mark.parametrize("first", range(0, FAST, AT_ONCE))
def test_mutated_batches_are_accounted_for_or_refused_in_words(first):
    passed = sum(check(seed) for seed in range(first, first + AT_ONCE))
    assert passed > AT_ONCE // 10, "nearly all are refused, so that hardly any row is counted"


@pytest.mark.long
@pytest.mark.parametrize("first", range(FAST, FAST + LONG, AT_ONCE))
def test_a_thousand_more_mutated_batches(first):
    for seed in range(first, first + AT_ONCE):
        check(seed)

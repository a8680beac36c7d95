"""The catalogue of bad input, case by case: each folder holds an input and what must come of it.

`case.yaml`: `data` changes tests/faults/shop.yaml, `params` other sections; `make` and `links` add files that are too
big or too odd to keep; `run` is door (raw, events; the default), line (up to the scores) or a command line; `twice` is
a second command after files of `make_then`. Then what is expected: `exit`, `says` and `never` (regular expressions),
`rows` (of the account), `quarantine` (file, line, reason), `customers` (of events), `there` and `not_there` (files).
"""

import hashlib
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.faults import case as cases

HERE = Path(__file__).parent
NUMBERS = sorted(p.name for p in HERE.iterdir() if re.fullmatch(r"\d{3}", p.name[:3]) and (p / "case.yaml").is_file())
NEVER = ("Traceback", r"\.py\b.*line \d", r"duckdb\.\w", r"pyarrow\.\w", "ArrowInvalid", r"pydantic\.|pydantic_core")
"""Words of our libraries, which tell a user nothing."""


def test_every_case_of_the_catalogue_that_is_due_is_there():
    assert {f"{n:03d}" for n in range(1, 85)} <= {name[:3] for name in NUMBERS}


@pytest.mark.parametrize("number", NUMBERS)
def test_case(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = cases.load(number)
    cases.laid_out(case, number, tmp_path)
    cases.put(tmp_path / "deliveries/2024-06-01/risk_list.csv", b"the last good list\n")
    delivered = digests(tmp_path / "deliveries")
    outcome = cases.run(case, tmp_path)
    if "twice" in case:
        assert outcome.code == 0, outcome.said
        for name, recipe in case.get("make_then", {}).items():
            cases.put(tmp_path / name, cases.made(recipe))
        outcome = cases.run(case | case["twice"], tmp_path)
    check(case | case.get("twice", {}), outcome, tmp_path)
    assert digests(tmp_path / "deliveries") == delivered


def check(case, outcome, folder):
    """What the case expects is what happened."""
    assert outcome.code == case["exit"], outcome.said
    for words in case.get("says", []):
        assert re.search(words, outcome.said, re.DOTALL), f"{words!r} is not in: {outcome.said}"
    for words in (*NEVER, *case.get("never", [])):
        assert not re.search(words, outcome.said), f"{words!r} is in: {outcome.said}"
    for what, look in LOOKS.items():
        if what in case:
            look(case[what], folder)


def rows(wanted, folder):
    total = json.loads((folder / "reports/events.json").read_text(encoding="utf-8"))["total"]
    assert {key: total[key] for key in wanted} == wanted
    assert total["rows"] == sum(total[k] for k in ("kept", "duplicates", "quarantined", "out_of_window"))


def quarantine(wanted, folder):
    kept = pq.read_table(folder / "data/quarantine.parquet")
    found = list(zip(*[kept[c].to_pylist() for c in ("file", "line", "reason")], strict=True))
    assert found == [(file, int(line), reason) for file, line, reason in map(str.split, wanted)]


def customers(wanted, folder):
    events = pq.read_table(folder / "data/events.parquet", columns=["customer_id"])
    assert sorted(set(events["customer_id"].to_pylist())) == sorted(wanted)


def instants(wanted, folder):
    events = pq.read_table(folder / "data/events.parquet", columns=["occurred_at"])
    assert sorted(at.isoformat() for at in events["occurred_at"].to_pylist()) == wanted


def listed(wanted, folder):
    card = json.loads((folder / "models/current/card.json").read_text(encoding="utf-8"))
    assert any(re.fullmatch(wanted, name) for name in card["dropped"]), card["dropped"]


def there(wanted, folder):
    assert [name for name in wanted if not (folder / name).exists()] == []


def not_there(wanted, folder):
    assert [name for name in wanted if (folder / name).exists()] == []


LOOKS = {f.__name__: f for f in (rows, quarantine, customers, instants, listed, there, not_there)}
"""What a case may say of the files afterwards, and who looks."""


def digests(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}

"""What the last delivery was made of: a damaged note stops the run, and says how to go on."""

from pathlib import Path

import pytest

from churn.cli import reference
from churn.shell import store
from churn.shell.store import PATHS
from churn.words.errors import DriftFault, IntegrityFault


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose orders are about 30 each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "reports").mkdir()
    store.write_json(PATHS["reconciliation"], {"sources": {"orders": {"medians": {"amount of order": 30.0}}}})
    return tmp_path


def test_what_is_remembered_is_what_the_next_run_is_compared_with() -> None:
    reference.check()
    reference.keep()
    reference.check()
    store.write_json(PATHS["reconciliation"], {"sources": {"orders": {"medians": {"amount of order": 3000.0}}}})
    with pytest.raises(DriftFault, match="remove data/reference"):
        reference.check()


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe\x80", b"{", b"[1]", b'{"orders": 1}', b'{"orders": {"x": "a"}}', b'{"orders": {"x": 0}}']
)
def test_a_damaged_note_stops_the_run_and_says_to_remove_it(damage: bytes) -> None:
    reference.REFERENCE.write_bytes(damage)
    with pytest.raises(IntegrityFault, match=r"reference\.json .*Remove data/reference\.json and run again"):
        reference.check()
    reference.REFERENCE.unlink()
    reference.check()

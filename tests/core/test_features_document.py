"""docs/features.md is the catalogue in words."""

from pathlib import Path

from churn.core.features import catalogue, windows
from churn.core.features.document import document
from churn.shell import config

ROOT = Path(__file__).parents[2]


def test_the_page_of_features_is_the_catalogue(monkeypatch):
    monkeypatch.chdir(ROOT)
    wanted = document(catalogue(config.value("features", windows)))
    assert (ROOT / "docs/features.md").read_text(encoding="utf-8") == wanted, (
        "run `churn features --write docs/features.md`"
    )


def test_the_page_has_one_row_for_each_feature():
    members = catalogue(windows(windows_days=(30, 90), period_days=30, periods=3))
    page = document(members)
    assert all(page.count(f"| `{f.name}` |") == 1 for f in members)

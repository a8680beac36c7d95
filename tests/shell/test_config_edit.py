"""Values are changed where they are written, and everything around them stays."""

import pytest

from churn.shell.config import Configuration
from churn.shell.config.edit import Change, changes, write
from churn.words.errors import ConfigFault

TEXT = """# Trees.
num_leaves: 5  # small ones won
half_life_days: null
roles: [a, b]
rate: 0.03
"""


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    (tmp_path / "trees.yaml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)


def change(line, name, before, after):
    return Change(f"trees.yaml:{line}", f"model.{name}", before, after)


def test_comments_and_other_lines_stay_as_they_are(tmp_path):
    write([change(2, "num_leaves", 5, 12), change(3, "half_life_days", None, 90.0), change(5, "rate", 0.03, 0.0148)])
    assert (tmp_path / "trees.yaml").read_text() == TEXT.replace("5  #", "12  #").replace("null", "90.0").replace(
        "0.03", "0.0148"
    )


def test_a_value_can_become_none(tmp_path):
    write([change(2, "num_leaves", 5, None)])
    assert "num_leaves: null  # small ones won\n" in (tmp_path / "trees.yaml").read_text()


@pytest.mark.parametrize(("line", "name"), [(4, "roles"), (1, "num_leaves"), (2, "rate")])
def test_a_line_that_does_not_hold_one_plain_value_of_the_key_stops_before_anything_is_written(tmp_path, line, name):
    with pytest.raises(ConfigFault, match=rf"trees\.yaml:{line}: model\.{name} is not a plain value"):
        write([change(5, "rate", 0.03, 0.1), change(line, name, 1, 2)])
    assert (tmp_path / "trees.yaml").read_text() == TEXT


def test_only_what_differs_is_a_change_with_its_place():
    held = Configuration({"model": {"num_leaves": 5, "rate": 0.03}}, {("model", "num_leaves"): "trees.yaml:2"})
    assert changes(held, "model", {"num_leaves": 12, "rate": 0.03}) == [change(2, "num_leaves", 5, 12)]

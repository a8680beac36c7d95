"""A small shop, from files to a published list: the model steps down by itself; below fifty churners there is none."""

import json
from pathlib import Path

import numpy as np
import pytest

from churn.words.errors import Exit
from tests.pipelines.project import CHURN, copied_project, done

pytestmark = pytest.mark.long

DECLARED = """# @package _global_
# A small shop.
defaults:
  - override /definition: inactivity

data:
  contract: 1
  name: small
  time_zone: Europe/Berlin
  observed_from: "2024-01-01"
  observed_until: "2025-02-04"
  currency: EUR
  nouns:
    purchase: {one: order, many: orders, zh: 订单}
  sources:
    orders:
      files: data/raw/small/orders.csv
      customer_id: customer
      occurred_at: day
      event_types:
        order: {role: purchase}
      amount: amount
  attributes: {}
"""


def shop(folder: Path, *, customers: int, leavers: int) -> Path:
    """A project whose customers order every few days, and of whom so many stop at some time."""
    copied_project(folder, tracked=False)
    random, rows = np.random.default_rng(7), ["customer,day,amount"]
    for number in range(customers):
        pause, day = random.uniform(2, 4), random.uniform(0, 60)
        last = random.uniform(150, 390) if number < leavers else 400
        while day < last:
            at = np.datetime64("2024-01-01T10:00") + np.timedelta64(int(day * 24), "h")
            rows.append(f"c{number:04d},{at},{random.gamma(4, 10):.2f}")
            day += random.exponential(pause)
    raw = folder / "data/raw/small"
    raw.mkdir(parents=True)
    (raw / "orders.csv").write_text("\n".join(rows) + "\n")
    (folder / "conf/data/small.yaml").write_text(DECLARED)
    chosen = done(folder, *CHURN, "config", "use", "data=small")
    assert chosen.returncode == 0, chosen.stderr
    return folder


@pytest.mark.parametrize(("leavers", "steps_down"), [(50, False), (18, True)])
def test_few_churners_make_a_list_that_says_how_little_is_known(leavers, steps_down, tmp_path):
    folder = shop(tmp_path / "project", customers=200, leavers=leavers)
    ended = done(folder, *CHURN, "run")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = json.loads((folder / "deliveries/latest/risk_list.json").read_text(encoding="utf-8"))
    assert len(rows) > 100
    report = json.loads((folder / "reports/evaluation.json").read_text(encoding="utf-8"))
    card = json.loads((folder / "models/current/card.json").read_text(encoding="utf-8"))
    assert ("notes" in card) == steps_down
    for note in card.get("notes", []):
        assert "boosted trees (" in card["ladder"]["en"]
        assert f"Note: {note}" in ended.stdout
    # Two dozen churners leave a twentieth of an AUC open even where silence says it all.
    assert report["model"]["auc_high"] - report["model"]["auc_low"] > 0.04
    assert report["model"]["n"] * report["model"]["base_rate"] < 30
    if report["list"]["order"] != "model":
        assert report["list"]["en"] in ended.stdout
        strict = done(folder, *CHURN, "run", "--strict")
        assert strict.returncode == Exit.GATE
    listed = {row["score"]: (row["score_low"], row["score_high"]) for row in rows}
    assert all(low <= score <= high for score, (low, high) in listed.items())


def test_a_handful_of_churners_is_refused_with_their_number(tmp_path):
    folder = shop(tmp_path / "project", customers=200, leavers=4)
    ended = done(folder, *CHURN, "run")
    assert ended.returncode == Exit.NOT_ENOUGH_DATA
    assert "churners are too few for a list that deserves trust; needed are 50" in ended.stderr
    assert not (folder / "deliveries").exists()

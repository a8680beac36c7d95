"""What the evaluation lets a list be made of: on noise no order, with a planted leak no list."""

import numpy as np
import pyarrow as pa
import pytest

from churn.core.dataset import ROLE_NOUNS
from churn.core.evaluation import evaluation
from churn.core.features.feature import Feature
from churn.core.model import model, read
from churn.core.promotion import check_gate, check_proven, in_use, order
from churn.words.errors import GateFault
from tests.core.model_world import LADDER, LIGHTGBM, world
from tests.core.test_evaluation import SECTION

RULE = {"n": 1000, "base_rate": 0.1, "auc": 0.7, "auc_low": 0.65, "auc_high": 0.75}
CATALOGUE = (
    Feature("days_since_purchase", "purchase_silence", "purchase", "days", "天", "days", "all", "never", np.zeros),
)


def report(tables: tuple, **section: object) -> dict:
    learnt = model(*tables, **section)
    features, snapshots, split = tables
    found = evaluation([features], snapshots, split, learnt, catalogue=CATALOGUE, nouns=ROLE_NOUNS, **SECTION)
    assert read(found.rule_files).kind == "rule"
    return found.metrics


@pytest.mark.parametrize("outcome", ["better", "partly_better"])
def test_a_proved_model_orders_its_list_and_there_is_nothing_to_say(outcome: str) -> None:
    assert order(outcome, RULE) == {"order": "model", "en": "", "zh": ""}


@pytest.mark.parametrize("outcome", ["no_better", "worse"])
def test_an_unproved_model_leaves_the_list_to_the_rule(outcome: str) -> None:
    found = order(outcome, RULE)
    assert found["order"] == "rule"
    assert "probabilities and reasons are the rule's. 1,000 snapshots with 100 churners" in found["en"]
    assert "以该规则为准：概率与原因均来自该规则" in found["zh"]
    # The first are those with the most money at risk, by the rule's probabilities: the page says so below.
    assert "order" not in found["en"]


@pytest.mark.parametrize(
    ("churners", "auc", "low", "expected"),
    [
        (100, 0.53, 0.48, "value"),  # enough to tell, and no better than chance
        (100, 0.53, 0.51, "rule"),
        (5, 0.75, 0.45, "rule"),  # too few to tell from chance, and the best that there is
        (5, 0.49, 0.20, "value"),
    ],
)
def test_a_rule_by_chance_leaves_the_list_to_value(churners: int, auc: float, low: float, expected: str) -> None:
    row = {"n": 1000, "base_rate": churners / 1000, "auc": auc, "auc_low": low, "auc_high": 0.9}
    found = order("no_better", row)
    assert found["order"] == expected
    # A rule that is used although it may be chance is called so.
    assert ("may be" in found["en"], "可能低至" in found["zh"]) == ((expected == "rule" and low <= 0.5),) * 2


def test_scores_and_reasons_are_those_of_whoever_orders_the_list() -> None:
    assert [in_use({"list": {"order": name}}) for name in ("model", "rule", "value")] == ["model", "rule", "rule"]


@pytest.mark.parametrize("section", [LADDER, LIGHTGBM], ids=["ladder", "lightgbm"])
def test_shuffled_outcomes_give_a_list_in_the_order_of_value_and_none_under_strict(section: dict) -> None:
    found = report(world(1500, shuffled=True, seed=5), **section)
    assert found["verdict"]["outcome"] in {"no_better", "worse"}
    assert found["list"]["order"] == "value"
    assert found["list"]["en"].startswith("Nothing in these data tells who will leave")
    check_gate(found)
    with pytest.raises(GateFault, match="not proved better"):
        check_proven(found)


def test_features_of_pure_noise_give_a_list_in_the_order_of_value() -> None:
    features, snapshots, split = world(1500, seed=6)
    random = np.random.default_rng(4)
    for place, name in enumerate(features.column_names):
        if pa.types.is_floating(features.schema.field(name).type):
            noise = pa.array(random.exponential(30, features.num_rows), pa.float32())
            features = features.set_column(place, name, noise)
    found = report((features.drop_columns(["plan"]), snapshots, split), **LADDER)
    assert found["list"]["order"] == "value"


def test_a_planted_leak_is_not_promoted_even_with_the_gate_open() -> None:
    features, snapshots, split = world(600)
    told = np.array([np.nan if c is None else float(c) for c in snapshots["churned"].to_pylist()])
    # A flag set after nearly all departures, and by mistake for a few others: AUC .96 alone; at .98 training refuses.
    random = np.random.default_rng(8).random(len(told))
    flag = np.where(told == 1, random < 0.96, random < 0.04)
    leaky = features.append_column("account_closed", pa.array(flag, pa.float32()))
    found = report((leaky, snapshots, split), **LADDER)
    assert found["verdict"]["outcome"] == "better"
    for gate in (True, False):
        with pytest.raises(GateFault, match=r"too good to be true .AUC 0\.9.*churn leaks.*evaluation\.vouched"):
            check_gate(found | {"gate": gate})


def test_probabilities_that_are_certainly_wrong_are_held_back_unless_the_gate_is_open() -> None:
    row = {"auc": 0.7, "auc_low": 0.65, "auc_high": 0.75, "ece": 0.2, "ece_low": 0.15, "ece_high": 0.25, "n": 500}
    found = {"model": row, "logistic": {"auc": 0.7}, "interval": 0.95, "ece_most": 0.05, "gate": True}
    found |= {"verdict": {"outcome": "better", "calibrated": "no", "en": "Better."}}
    with pytest.raises(GateFault, match=r"off by 20\.0% on average"):
        check_gate(found)
    check_gate(found | {"gate": False})
    check_proven(found)

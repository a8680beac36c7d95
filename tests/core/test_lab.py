"""The lab of definitions on worlds whose truth is plain."""

import numpy as np
import pytest

from churn.core.definitions import disappeared, inactivity
from churn.core.definitions.soundness import CHURNERS_SAFE
from churn.core.lab import findings, outcomes, trials
from churn.core.lab.recommendation import recommendation
from churn.words.errors import NotEnoughData
from tests.core.worlds import us, world

INACTIVE = inactivity(kind="inactivity", live_days=60, gap_days=0, horizon_days=20, roles=("purchase",))
LISTED = disappeared(kind="disappeared", roles=("presence",), extract_days=31, gap_days=0, horizon_days=62)
WORLD = """
customer  occurred    role
back      2024-01-01  purchase
back      2024-03-01  purchase
gone      2024-01-05  purchase
here      2024-01-01  purchase
here      2024-01-25  purchase
slow      2024-01-11  purchase
slow      2024-02-03  purchase
"""


def no_model(trial, rows):
    raise NotEnoughData("0 churners; more help")


def reached(trial, rows):
    return {"auc": 0.7, "ap": 0.5, "test_base_rate": 0.3}


def seen(text: str, *, until: str = "2025-01-01", as_of: str = "2024-01-12", horizons=()):
    """Trials and outcomes of one small world at one date."""
    wanted = trials({"inactivity": INACTIVE}, horizons)
    return wanted, outcomes(
        world(text), np.array([us(as_of)]), observed_until=us(until), wanted=wanted, roles=("purchase",), looked_at=()
    )


def test_each_definition_is_tried_with_its_own_horizon_and_the_given_ones():
    wanted = trials({"inactivity": INACTIVE, "extract": LISTED}, [20, 90])
    assert [one.name for one in wanted] == ["inactivity 20 d", "inactivity 90 d", "extract 62 d", "extract 90 d"]
    assert [one.definition.horizon_days for one in wanted] == [20, 90, 62, 90]


def test_regret_is_the_share_of_those_called_lost_who_come_back_later():
    wanted, batch = seen(WORLD)
    (told,) = findings([batch], wanted, no_model).trials
    # Called lost on 2024-01-12: back, gone, slow. That is settled on 02-01; slow returns on 02-03, back on 03-01.
    assert (told["snapshots"], told["churners"], told["base_rate"]) == (4, 3, 3 / 4)
    assert told["regret_30"] == (1 + 1) / 3
    assert told["regret_90"] == (1 + 1) / 3


def test_labels_that_a_quarter_more_patience_would_change_are_not_stable():
    wanted, batch = seen(WORLD)
    (told,) = findings([batch], wanted, no_model).trials
    # 25 days after 2024-01-12 is 02-06: slow has bought again by then.
    assert told["stable"] == 3 / 4


def test_how_early_a_loss_is_known_counts_from_the_last_sign_of_life():
    wanted, batch = seen(WORLD)
    (told,) = findings([batch], wanted, no_model).trials
    assert told["known_after_days"] == np.median([31, 27, 21])


def test_nothing_is_said_of_what_was_not_observed():
    wanted, batch = seen(WORLD, until="2024-02-15")
    (told,) = findings([batch], wanted, no_model).trials
    assert told["churners"] == 3
    assert told["regret_30"] is None
    with pytest.raises(NotEnoughData, match="none of 1 definitions"):
        findings([seen(WORLD, until="2024-01-20")[1]], wanted, no_model)


def test_two_definitions_overlap_in_those_whom_both_call_lost():
    wanted, batch = seen(WORLD, horizons=[60])
    found = findings([batch], wanted, no_model)
    # With 60 days only gone stays away: back and slow have returned by 2024-03-12.
    (pair,) = found.overlap
    assert (pair["snapshots"], pair["churners_of_either"], pair["overlap"]) == (4, 3, 1 / 3)


def test_the_probability_of_a_return_is_counted_by_weeks_of_silence():
    text = "\n".join(["customer  occurred  role"] + [
        f"c{i:03}  2024-01-01  purchase" + (f"\nc{i:03}  2024-02-10  purchase" if i < 30 else "") for i in range(100)
    ])  # fmt: skip
    wanted, batch = seen(text, as_of="2024-01-20")
    curve = findings([batch], wanted, no_model).curve.to_pydict()
    # 19 days of silence are the third week; 21 days later 30 of 100 are back.
    assert curve["silent_days"][2] == 14
    assert (curve["customers"][2], curve["back_30"][2]) == (100, 0.3)
    assert curve["back_30"][3] is None


def test_batches_of_customers_add_up():
    lines = WORLD.strip().splitlines()
    halves = ["\n".join([lines[0], *lines[1:4]]), "\n".join([lines[0], *lines[4:]])]
    wanted, whole = seen(WORLD)
    apart = findings([seen(half)[1] for half in halves], wanted, reached)
    together = findings([whole], wanted, reached)
    assert apart.document == together.document


def sound(name: str, **values) -> dict:
    """A trial that nothing speaks against."""
    return {
        "name": name, "churners": 5000, "base_rate": 0.2, "base_rate_least": 0.18, "base_rate_most": 0.22,
        "regret_90": 0.1, "regret_30": 0.05, "known_after_days": 40.0, "auc": 0.8, "no_model": "",
    } | values  # fmt: skip


def test_of_definitions_with_little_regret_the_earliest_known_is_taken():
    late, rash = (
        sound("late", known_after_days=90.0, regret_90=0.01),
        sound("rash", known_after_days=9.0, regret_90=0.5),
    )
    told = recommendation([late, sound("early"), rash])
    assert told["name"] == "early"
    assert "10% of those it calls lost come back within 90 days" in told["en"]


def test_where_all_have_much_regret_the_least_is_taken_and_said():
    told = recommendation([sound("a", regret_90=0.6), sound("b", regret_90=0.4)])
    assert told["name"] == "b"
    assert "though above 20%" in told["en"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"churners": CHURNERS_SAFE - 1}, "499 churners, 500 would be safe"),
        ({"base_rate": 0.7}, "70.0% churn"),
        ({"base_rate_most": 0.6}, "the base rate moves from 18.0% to 60.0%"),
        ({"no_model": "too short; do this"}, "no model can be trained and tested: too short"),
    ],
)
def test_an_unsound_definition_is_not_taken_and_the_reason_told(values, words):
    told = recommendation([sound("sound"), sound("unsound", known_after_days=1.0, **values)])
    assert told["name"] == "sound"
    assert told["against"]["unsound"].startswith(words)
    assert recommendation([sound("unsound", **values)])["name"] is None


def test_what_happens_after_the_horizon_changes_no_label():
    _, before = seen(WORLD)
    _, after = seen(WORLD + "gone      2024-06-05  purchase")
    columns = ["customer_id", "as_of", "churned"]
    assert before.rows["inactivity 20 d"].select(columns) == after.rows["inactivity 20 d"].select(columns)

"""The ladder and the blend: what is compared, what is chosen, and what is said of it."""

import json
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from model_world import LADDER, LIGHTGBM, RUNGS, world

from churn.core.model import choice, frequency, model
from churn.core.model.blend import centres, weighted
from churn.core.model.rungs import NEEDED, ORDER, Judging, climbed
from churn.words.errors import NotEnoughData


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


def judged(churned: list[bool], customers: list[int] | None = None) -> Judging:
    n = len(churned)
    return Judging(np.array(churned), np.ones(n), np.array(customers or range(n)), np.zeros(n))


PART = "calibration"
MEAN, ONE = np.array([[0.5, 0.5]]), np.ones(1)


def once(sections: dict) -> dict:
    """The same, learnt once."""
    return {name: section | ({"refit": False} if "refit" in section else {}) for name, section in sections.items()}


def us_of(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def date(rows: Judging) -> int:
    """The only date of the rows."""
    (found,) = np.unique(rows.as_of_us)
    return int(found)


def columns(snapshots: pa.Table) -> tuple[list, list]:
    return snapshots["churned"].to_pylist(), snapshots["as_of"].to_pylist()


def with_churners(n: int, customers: int = 300) -> tuple[pa.Table, pa.Table, pa.Table]:
    """The world with only so many churners: every one of equal parts is kept, the others stay."""
    features, snapshots, split = world(customers)
    churned = snapshots["churned"].to_numpy(zero_copy_only=False)
    places = np.flatnonzero(churned == True)  # noqa: E712 - null is neither
    kept = places[np.linspace(0, len(places) - 1, n).round().astype(int)]
    turned = np.where(np.isin(np.arange(len(churned)), kept), churned, np.where(churned == True, False, churned))  # noqa: E712
    return features, snapshots.set_column(2, "churned", pa.array(turned.tolist(), pa.bool_())), split


# -- choice ---


def test_the_simplest_rung_within_a_standard_error_of_the_best_is_chosen() -> None:
    table = {
        "rule": {"above_best": 0.030, "standard_error": 0.010},
        "logistic_rfm": {"above_best": 0.009, "standard_error": 0.010},
        "lightgbm": {"above_best": 0.0, "standard_error": 0.0},
    }
    assert choice.chosen(table, 1.0, 0.001) == "logistic_rfm"
    assert choice.chosen(table, 0.5, 0.001) == "lightgbm"
    assert choice.chosen(table, 3.0, 0.001) == "rule"
    assert choice.chosen(table, 0.5, 0.009) == "logistic_rfm"


def test_the_difference_is_that_of_the_log_losses_of_the_same_customers() -> None:
    rows = judged([True, False, True, False])
    table = choice.compared({"rule": np.full(4, 0.5), "lightgbm": np.array([0.8, 0.2, 0.8, 0.4])}, rows)
    better = np.log([0.8, 0.8, 0.8, 0.6]) - np.log(0.5)
    assert table["lightgbm"]["above_best"] == 0
    assert table["rule"]["above_best"] == pytest.approx(better.mean())
    assert table["rule"]["standard_error"] == pytest.approx(better.std() / np.sqrt(4))


def test_two_snapshots_of_one_customer_count_as_one_that_weighs_double() -> None:
    scores = {"rule": np.array([0.5, 0.5]), "lightgbm": np.array([0.8, 0.3])}
    once = choice.compared(scores, judged([True, False]))
    twice = choice.compared(
        {name: np.repeat(p, 2) for name, p in scores.items()}, judged([True, True, False, False], [0, 0, 1, 1])
    )
    assert twice["rule"] == pytest.approx(once["rule"])


def test_a_sampled_row_counts_for_those_it_stands_for() -> None:
    scores = {"rule": np.array([0.5, 0.5]), "lightgbm": np.array([0.8, 0.4])}
    rows = Judging(np.array([True, False]), np.array([1.0, 3.0]), np.arange(2), np.zeros(2))
    assert choice.compared(scores, rows)["lightgbm"]["logloss"] == pytest.approx(-(np.log(0.8) + 3 * np.log(0.6)) / 4)


def test_the_sentence_names_the_chosen_the_best_and_those_left_out() -> None:
    table = {
        "rule": {"logloss": 0.31, "above_best": 0.01, "standard_error": 0.02},
        "lightgbm": {"logloss": 0.30, "above_best": 0.0, "standard_error": 0.0},
    }
    said = choice.sentences("rule", table, judged([True, False]), {"bg_nbd": {"en": "no history", "zh": "无历史"}})
    assert said["en"] == (
        "Chosen is the best time rule, the simplest that is not clearly worse than the best, boosted trees: by 0.0100 "
        "± 0.0200 of log loss on 2 later snapshots with 1 churners; left out: BG/NBD (no history)."
    )
    assert said["zh"].endswith("而更简单；未采用BG/NBD 模型（无历史）。")


# -- ladder ---


def test_the_card_lists_every_rung_with_its_figures_and_one_that_was_chosen(tables: tuple) -> None:
    fitted = model(*tables, **LADDER)
    told = fitted.card["ladder"]
    assert [row["rung"] for row in told["rungs"]] == list(ORDER)
    assert [row["rung"] for row in told["rungs"] if row["chosen"]] == [told["chosen"]]
    assert all({"logloss", "brier", "above_best", "standard_error"} <= row.keys() for row in told["rungs"])
    assert (told["n"], told["churners"]) == (300, fitted.card["parts"]["calibration"]["churners"])
    chosen = next(row for row in told["rungs"] if row["chosen"])
    assert chosen["above_best"] <= max(chosen["standard_error"], told["least_gain"])


def test_a_rung_is_the_model_that_its_own_section_gives(tables: tuple) -> None:
    found = climbed(*tables, RUNGS, churners_judged=0)
    for name, section in RUNGS.items():
        alone, rung = model(*tables, **section), found.fitted[name].model
        assert (rung.body, rung.features, rung.calibration) == (alone.body, alone.features, alone.calibration), name


def test_the_test_part_has_no_say_in_the_choice(tables: tuple) -> None:
    features, snapshots, split = tables
    churned = snapshots["churned"].to_pylist()
    turned = [not c if i % 7 == 5 else c for i, c in enumerate(churned)]
    other = snapshots.set_column(2, "churned", pa.array(turned, pa.bool_()))
    assert model(features, other, split, **LADDER).card["ladder"] == model(*tables, **LADDER).card["ladder"]


def test_without_signal_the_ladder_does_not_climb() -> None:
    fitted = model(*world(1500, shuffled=True, seed=5), **LADDER)
    assert fitted.card["ladder"]["chosen"] in {"rule", "own_mean"}


def test_with_few_churners_the_ladder_steps_down_and_says_how_many_are_missing() -> None:
    fitted = model(*with_churners(50), **LADDER)
    told = {row["rung"]: row for row in fitted.card["ladder"]["rungs"]}
    churners = fitted.card["parts"]["train"]["churners"]
    assert churners < NEEDED["lightgbm"].each
    assert told["lightgbm"]["skipped"]["en"] == f"{churners} churners in the train part of the 50 that it needs"
    assert f"left out: boosted trees ({churners} churners" in fitted.card["ladder"]["en"]
    assert told["lightgbm"]["skipped"]["zh"] == f"训练集只有 {churners} 个流失样本，需要 50 个"
    assert fitted.kind in {"rule", "bg_nbd", "logistic", "own_mean"}


def test_where_trees_have_too_few_churners_the_model_steps_down_and_says_so() -> None:
    features, snapshots, split = with_churners(50)
    pieces = (features.slice(at, 100) for at in range(0, features.num_rows, 100))
    fitted = model(pieces, snapshots, split, step_down=LADDER, **LIGHTGBM)
    by_hand = model(features, snapshots, split, **LADDER)
    (note,) = fitted.card["notes"]
    assert note.startswith("there are too few churners for model=lightgbm, so a simpler model was learnt. Chosen is ")
    assert "churners in the train part of the 50 that it needs" in note
    assert (fitted.kind, fitted.body, fitted.calibration) == (by_hand.kind, by_hand.body, by_hand.calibration)


def test_where_trees_have_churners_enough_nothing_steps_down(tables: tuple) -> None:
    fitted = model(*tables, step_down=LADDER, **LIGHTGBM)
    assert fitted == model(*tables, **LIGHTGBM)
    assert "notes" not in fitted.card


def test_where_the_ladder_has_too_few_as_well_both_are_told() -> None:
    told = r" between 2020-.*; needed are 50 of each and 500 in all.* Of a simpler model: 49 churners are too few"
    with pytest.raises(NotEnoughData, match=told):
        model(*with_churners(49), step_down=LADDER, **LIGHTGBM)


def test_without_recency_frequency_and_money_the_other_rungs_remain(tables: tuple) -> None:
    features, snapshots, split = tables
    others = [name for name in features.column_names if name not in RUNGS["logistic_rfm"]["features_used"]]
    told = model(features.select(others), snapshots, split, **LADDER).card["ladder"]["rungs"]
    skipped = {one["rung"]: one for one in told}["logistic_rfm"]
    assert not skipped["fitted"]


def test_with_few_churners_in_the_calibration_part_earlier_dates_judge_as_well(tables: tuple) -> None:
    _, snapshots, split = tables
    churned, dates = columns(snapshots)
    held_out = max(d for d, p in zip(split["as_of"].to_pylist(), split["part"].to_pylist(), strict=True) if p == PART)
    n_held_out = sum(bool(c) for c, d in zip(churned, dates, strict=True) if d == held_out)
    once = model(*tables, **LADDER | {"churners_judged": n_held_out}).card["ladder"]
    more = model(*tables, **LADDER | {"churners_judged": n_held_out + 1}).card["ladder"]
    assert once["judged_on"] == [held_out.isoformat()]
    assert (len(more["judged_on"]), more["judged_on"][-1], more["n"]) == (2, held_out.isoformat(), 2 * once["n"])
    assert more["churners"] > n_held_out
    assert f"{more['n']} later snapshots with {more['churners']} churners at 2 dates" in more["en"]
    assert "2 个日期" in more["zh"]


def test_an_earlier_date_is_judged_by_what_had_matured_by_then() -> None:
    features, snapshots, split = world(600)
    found = climbed(features, snapshots, split, RUNGS, churners_judged=10_000)
    dates = split["as_of"].to_pylist()
    # Of five dates that may be learnt from, the first two have nothing to train on and to stop at before them.
    assert [date(one.judging) for one in found.before] == [us_of(dates[3]), us_of(dates[2])]
    # As if the run had been made when the third date's outcomes were the newest that were known.
    parts = ["train", "validation", "calibration", "test", "score", "score", "score"]
    then = split.set_column(1, "part", pa.array(parts))
    alone = climbed(features, snapshots, then, once(RUNGS), churners_judged=0)
    for name, rung in alone.fitted.items():
        earlier = found.before[-1].fitted[name]
        np.testing.assert_allclose(earlier.scores, rung.scores, rtol=1e-6, err_msg=name)


def test_what_happened_later_does_not_change_how_an_earlier_date_is_judged() -> None:
    features, snapshots, split = world(600)
    dates = split["as_of"].to_pylist()
    turned = [not c if d > dates[2] and c is not None else c for c, d in zip(*columns(snapshots), strict=True)]
    other = snapshots.set_column(2, "churned", pa.array(turned, pa.bool_()))
    before, after = (
        climbed(features, told, split, RUNGS, churners_judged=10_000).before[-1] for told in (snapshots, other)
    )
    assert date(before.judging) == us_of(dates[2])
    for name, rung in before.fitted.items():
        np.testing.assert_array_equal(rung.scores, after.fitted[name].scores, err_msg=name)


def test_where_the_calibration_part_is_learnt_from_its_date_judges_models_that_have_not_seen_it() -> None:
    features, snapshots, split = with_churners(100)
    dates = split["as_of"].to_pylist()
    at_date = [d == dates[4] for d in snapshots["as_of"].to_pylist()]
    churned = snapshots["churned"].to_pylist()
    left = set(np.flatnonzero(np.array([bool(c) for c in churned]) & np.array(at_date))[9:].tolist())
    few = snapshots.set_column(2, "churned", pa.array([c and i not in left for i, c in enumerate(churned)], pa.bool_()))
    told = model(features, few, split, **LADDER | {"churners_judged": 200}).card["ladder"]
    assert dates[4].isoformat() in told["judged_on"]
    assert len(told["judged_on"]) > 1
    assert all("logloss" in row for row in told["rungs"] if row["fitted"])


def test_a_source_that_began_after_an_earlier_date_does_not_keep_it_from_judging() -> None:
    features, snapshots, split = world(300)
    dates = split["as_of"].to_pylist()
    before = features["as_of"].to_numpy() < np.datetime64(dates[2].replace(tzinfo=None))
    for name in frequency.columns("usage"):
        as_bought = features[name.replace("usage", "purchase")].to_numpy(zero_copy_only=False)
        nothing = 0.0 if name.endswith("total") else np.nan
        column = pa.array(np.where(before, nothing, as_bought).astype(np.float32), from_pandas=True)
        features = features.append_column(name, column)
    told = model(features, snapshots, split, **LADDER | {"churners_judged": 10_000}).card["ladder"]
    assert told["judged_on"] == [dates[3].isoformat(), dates[4].isoformat()]
    assert all(row["fitted"] for row in told["rungs"])


def test_below_fifty_churners_there_is_no_model() -> None:
    with pytest.raises(NotEnoughData, match=r"49 churners are too few .* needed are 50 · .* 1,800 snapshots"):
        model(*with_churners(49), **LADDER)


# -- blend ---


def test_weights_are_never_negative_and_noise_has_none() -> None:
    random = np.random.default_rng(3)
    truth, noise = random.normal(0, 1.5, 4000), random.normal(0, 1.5, 4000)
    churned = random.random(4000) < 1 / (1 + np.exp(-truth))
    rows = Judging(churned, np.ones(4000), np.arange(4000), np.zeros(4000))
    weights = weighted(np.column_stack([truth, noise]), rows, MEAN, ONE)
    assert weights[0] == pytest.approx(1, abs=0.1)
    assert weights[1] == pytest.approx(0, abs=0.1)
    assert weighted(-truth[:, None], rows, np.array([[1.0]]), ONE) == [0]


def test_few_rows_leave_the_weights_where_they_are_drawn_to_and_many_do_not() -> None:
    random = np.random.default_rng(3)

    def apart(n: int) -> float:
        truth, noise = random.normal(0, 1.5, n), random.normal(0, 1.5, n)
        churned = random.random(n) < 1 / (1 + np.exp(-truth))
        rows = Judging(churned, np.full(n, 30.0), np.arange(n), np.zeros(n))
        return float(np.subtract(*weighted(np.column_stack([truth, noise]), rows, MEAN, ONE)))

    assert abs(apart(20)) < 0.35
    assert apart(50_000) == pytest.approx(1, abs=0.05)


def test_outcomes_choose_between_centres_and_few_leave_what_was_likely_before() -> None:
    def second(n: int, *, noisy: bool) -> float:
        """The mean weight of the second of two members over ten draws, where the centres are the mean and the first."""
        found = []
        for seed in range(10):
            random = np.random.default_rng(seed)
            first, other = random.normal(0, 1.5, n), random.normal(0, 1.5, n)
            odds = first if noisy else (first + other) / 2
            churned = random.random(n) < 1 / (1 + np.exp(-odds))
            rows = Judging(churned, np.full(n, 7.0), np.arange(n), np.zeros(n))
            both = np.vstack([MEAN, [[1.0, 0.0]]])
            found.append(weighted(np.column_stack([first, other]), rows, both, np.array([3.0, 1.0]))[1])
        return float(np.mean(found))

    assert second(2, noisy=True) == pytest.approx(0.375, abs=0.05)  # three quarters of .5
    assert second(1_500, noisy=True) < 0.1
    assert second(1_500, noisy=False) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("names", "drawn_to", "likely"),
    [
        (("rule", "logistic_rfm", "bg_nbd", "lightgbm"), [[0, 0.5, 0, 0.5], [0, 0, 0, 1]], [3, 1]),
        (("rule", "lightgbm"), [[0, 1], [0, 1]], [3, 1]),
        (("rule", "logistic_rfm"), [[0, 1]], [3]),
        (("rule", "own_mean"), [[0.5, 0.5]], [1]),
    ],
)
def test_weights_are_drawn_to_the_members_that_learn_from_several_features(
    names: tuple, drawn_to: list, likely: list
) -> None:
    found, before = centres(names)
    assert found.tolist() == drawn_to
    assert before.tolist() == likely


def test_a_blend_without_members_enough_is_refused() -> None:
    with pytest.raises(NotEnoughData, match=r"no blend can be learnt: \d churners or stayers in the validation part"):
        model(*with_churners(30), kind="blend", members=RUNGS, calibration="platt")


def test_a_blend_holds_its_members_as_texts(tables: tuple) -> None:
    fitted = model(*tables, kind="blend", members=RUNGS, calibration="platt")
    members = json.loads(fitted.body)["members"]
    assert {one["rung"]: one["weight"] for one in members} == {
        name: weight for name, weight in fitted.card["weights"].items() if weight
    }
    assert all(isinstance(one["body"], str) and one["weight"] > 0 for one in members)

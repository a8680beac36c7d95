"""The card: which grade which answers earn, and that every figure leads to where it comes from."""

import copy
import json
import re

import pytest

from churn.core.card import card, files
from churn.core.card.grade import grade
from churn.core.card.questions import sign_test
from tests.core.list_world import DATASET, DEFINITION, EVALUATION, RECONCILIATION
from tests.core.test_editions_page import EVIL, Tags

AHEAD = {"auc": 0.04, "auc_low": 0.02, "auc_high": 0.06, "ap": 0.1, "ap_low": 0.05, "ap_high": 0.15}
REPORT = EVALUATION | {
    "difference": {"rule": AHEAD, "logistic": AHEAD},
    "logistic": {**EVALUATION["logistic"], "ece_low": 0.01},
    "at_capacity": {"k": 200, "model": {"caught": 120.0}, "rule": {"caught": 90.0}},
    "bootstrap": 1000,
    "ece_most": 0.05,
    "slices": [],
    "suppressed": 0,
    "coverage": {"nominal": 0.9, "observed": 0.88, "observed_low": 0.8, "observed_high": 0.94, "bands": 60},
    "verdict": {**EVALUATION["verdict"], "rule": {"en": "days since the last basket", "zh": "距上次购物的天数"}},
}
GROUP = {
    "attribute": "tier",
    "value": "gold",
    "name": {"en": "tier: gold", "zh": "等级：gold"},
    "n": 300,
    "auc": 0.7,
    "auc_low": 0.6,
    "auc_high": 0.8,
    "ece": 0.03,
    "ece_low": 0.0,
    "ece_high": 0.06,
}
SILVER = {**GROUP, "value": "silver", "name": {"en": "tier: silver", "zh": "等级：silver"}, "auc": 0.8, "ece": 0.04}
MEASURED = REPORT | {"slices": [GROUP, SILVER], "suppressed": 2}
DATE = {"apart": True, "n": 500, "base_rate": 0.1, "difference": {"rule": {"auc": 0.04}}}
POOLED = {
    f"{name}{end}": REPORT["model"][f"{name}{end}"]
    for name in ("auc", "ap", "lift10", "logloss", "brier", "ece")
    for end in ("", "_low", "_high")
}
BACKTEST = {
    "as_ofs": [DATE] * 6,
    "pooled": POOLED,
    "difference": {"rule": AHEAD},
    "interval": 0.95,
    "bootstrap": 500,
    "coverage": REPORT["coverage"],
    "verdict": {"outcome": "better", "en": "Better on six lists.", "zh": "在六份名单上更优。"},
}
MADE = {
    "kind": "lightgbm",
    "features": ["a", "b"],
    "learnt_from": "matured",
    "parts": {
        "train": {
            "rows": 10,
            "base_rate": 0.5,
            "as_of_from": "2017-05-01T04:00:00",
            "as_of_until": "2017-06-01T04:00:00",
        },
        "matured": {
            "rows": 30,
            "base_rate": 0.2,
            "as_of_from": "2017-05-01T04:00:00+00:00",
            "as_of_until": "2017-09-01T04:00:00+00:00",
        },
    },
}
DIGESTS = {"data": "da" * 32, "reports/evaluation.json": "ev" * 32, "reports/backtest.json": "ba" * 32}


def changed(report, **changes):
    """The report with values at dotted places changed; `__` stands for the dot."""
    report = copy.deepcopy(report)
    for place, value in changes.items():
        *way, last = place.split("__")
        inner = report
        for key in way:
            inner = inner[key]
        inner[last] = value
    return report


def made(evaluation=MEASURED, backtest=BACKTEST, **changes):
    rest = {"dataset": DATASET, "definition": DEFINITION, "made": MADE, "reconciliation": RECONCILIATION}
    rest |= {"model_version": "0123456789ab", "digests": DIGESTS}
    return card(evaluation=evaluation, backtest=backtest, **{**rest, **changes})


def allows(evaluation, backtest=BACKTEST):
    """The grade, and what each answer allows."""
    found = grade(evaluation, backtest)
    return found.grade, {answer.name: answer.allows for answer in found.answers}


# -- the grade ---


def test_what_was_measured_and_holds_everywhere_is_an_a():
    assert allows(MEASURED) == (
        "A",
        dict.fromkeys(("believable", "better", "true", "enough", "dates", "covered", "groups"), "A"),
    )


def test_what_nobody_has_measured_allows_b_at_most():
    earned, answers = allows(REPORT, None)
    assert earned == "B"
    assert {name for name, grade in answers.items() if grade == "B"} == {"dates", "groups"}


@pytest.mark.parametrize(
    ("question", "earned", "changes"),
    [
        ("believable", "none", {"model__auc": 0.99}),
        ("better", "none", {"verdict__outcome": "worse"}),
        ("true", "B", {"ece_most": 0.025}),
        ("true", "C", {"ece_most": 0.005}),
        ("groups", "B", {"slices": [{**GROUP, "ece_low": 0.051}]}),
        ("groups", "B", {"slices": [{**GROUP, "auc_high": 0.49}]}),
        ("groups", "B", {"slices": []}),
    ],
)
def test_one_bad_answer_is_enough(question, earned, changes):
    found, answers = allows(changed(MEASURED, **changes))
    assert (found, answers.pop(question)) == (earned, earned)
    assert set(answers.values()) == {"A"}


@pytest.mark.parametrize("off", [{"observed_high": 0.86}, {"observed_low": 0.94}])
def test_intervals_are_judged_over_all_dates_where_there_are_more_than_one(off):
    wrong = REPORT["coverage"] | off
    newest = changed(MEASURED, coverage=wrong)
    assert allows(newest, None)[1]["covered"] == "B"
    assert allows(newest)[1]["covered"] == "A"
    assert allows(MEASURED, BACKTEST | {"coverage": wrong}) == ("B", allows(MEASURED)[1] | {"covered": "B"})


@pytest.mark.parametrize("order", ["rule", "value"])
def test_a_graded_model_whose_order_the_list_does_not_have_is_not_said_to_be_in_use(order):
    ordered = {"order": order, "en": "", "zh": ""}
    found = grade(changed(MEASURED, verdict__outcome="no_better", list=ordered), BACKTEST)
    assert found.grade == "A"
    assert "this list is not in its order" in found.words["en"]
    assert "本名单不按该模型排序" in found.words["zh"]


@pytest.mark.parametrize(
    ("outcome", "earned"), [("better", "B"), ("partly_better", "C"), ("no_better", "none"), ("worse", "none")]
)
def test_a_model_that_is_no_better_than_the_rule_has_no_grade(outcome, earned):
    assert allows(changed(REPORT, verdict__outcome=outcome), None)[0] == earned


@pytest.mark.parametrize(("order", "advice"), [("rule", "Use the rule"), ("value", "Look for data that do")])
def test_the_rule_is_not_advised_where_it_ranks_by_chance_as_well(order, advice):
    report = changed(REPORT, verdict__outcome="no_better", list={"order": order, "en": "", "zh": ""})
    assert advice in grade(report, None).words["en"]


@pytest.mark.parametrize(("churners", "earned"), [(100, "A"), (99, "B"), (50, "B"), (49, "C")])
def test_few_churners_prove_little(churners, earned):
    report = changed(MEASURED, model__n=1000, model__base_rate=churners / 1000)
    assert allows(report, None)[1]["enough"] == earned


@pytest.mark.parametrize(("ahead", "earned"), [(6, "A"), (5, "B"), (4, "B"), (3, "C")])
def test_being_ahead_by_chance_at_some_dates_is_no_proof(ahead, earned):
    behind = {**DATE, "difference": {"rule": {"auc": -0.01}}}
    backtest = {**BACKTEST, "as_ofs": [DATE] * ahead + [behind] * (6 - ahead)}
    assert allows(MEASURED, backtest)[1]["dates"] == earned


def test_dates_that_share_their_outcomes_are_not_counted_twice():
    """Lists asked for every few days would prove anything: the same customers leave in all of them."""
    shared = {**DATE, "apart": False}
    found = grade(MEASURED, {**BACKTEST, "as_ofs": [DATE, shared, shared] * 4})
    answers = {answer.name: answer for answer in found.answers}
    assert (answers["dates"].allows, answers["enough"].allows) == ("B", "A")
    assert answers["dates"].measured["en"].startswith("ahead of the rule at 4 of 4 dates (of 12) whose outcomes do not")
    assert answers["dates"].measured["zh"].startswith("在 4 个日期（共 12 个，取结果期互不重叠者）中有 4 个领先于规则")
    assert answers["enough"].measured["en"].startswith("200 snapshots of leavers and 1,800 of others, dates: 4 (of 12)")


def test_many_dates_weigh_more_than_one():
    one_date = changed(MEASURED, verdict__outcome="partly_better", model__n=400, model__base_rate=0.1)
    assert allows(one_date, None)[0] == "C"
    assert allows(one_date)[0] == "A"


def test_the_sign_test_counts_throws_of_a_coin():
    assert sign_test(6, 6) == 1 / 64
    assert sign_test(5, 6) == (1 + 6) / 64


def test_a_leak_is_called_a_leak_and_not_a_weak_model():
    said = grade(changed(MEASURED, model__auc=0.99), BACKTEST).words
    assert "too good to be true" in said["en"]
    assert "churn leaks" in said["zh"]


# -- the card ---


@pytest.mark.parametrize("backtest", [None, BACKTEST])
def test_every_figure_is_what_its_report_says_at_its_key(backtest):
    reports = {"reports/evaluation.json": MEASURED, "reports/backtest.json": BACKTEST}
    said = made(backtest=backtest)
    assert len(said["figures"]) == (7 if backtest is None else 13)
    for figure in said["figures"]:
        for name, key in (("value", figure["key"]), ("rule", figure["rule_key"])):
            found = reports[figure["source"]]
            for part in key.split(".") if key else ():
                found = found[part]
            assert key is None or figure[name] == found
        assert figure["source"] in said["found_by"]["reports"]


def test_the_card_says_what_was_read_learnt_and_tested():
    data = made()["data"]
    assert (data["rows"], data["events"]) == (127, 40)
    assert data["learnt"] == {"snapshots": 30, "churned": 0.2, "from": "2017-05-01", "until": "2017-09-01"}
    assert data["tested"] == {"snapshots": 2318, "churned": 0.155, "as_of": "2017-12-04"}


@pytest.mark.parametrize(
    ("learnt_from", "rows"),
    [
        ("train", 10),
        ("train and validation", 14),
        ("matured", 30),
        ({"rule": "train and validation", "lightgbm": "matured"}, 30),
    ],
)
def test_every_way_to_say_what_was_learnt_from_is_understood(learnt_from, rows):
    parts = MADE["parts"] | {"validation": MADE["parts"]["train"] | {"rows": 4}}
    said = made(made=MADE | {"learnt_from": learnt_from, "parts": parts})
    assert said["data"]["learnt"]["snapshots"] == rows


def test_the_worst_group_is_the_one_that_is_ranked_worst_and_the_least_true_may_be_another():
    fails = made()["fails"]
    assert (fails["ranked_worst"]["value"], fails["least_true"]["value"]) == ("gold", "silver")
    assert (fails["groups"], fails["suppressed"]) == (2, 2)
    html = files(made())["model_card.html"]
    assert "tier: gold" in html
    assert "等级：gold" in html


def test_groups_that_are_all_too_small_are_not_called_fine():
    html = files(made(REPORT))["model_card.html"]
    assert "No group of customers was large enough" in html
    assert allows(REPORT)[1]["groups"] == "B"


def test_on_a_phone_every_number_stands_beside_the_head_of_its_column():
    html = files(made())["model_card.html"]
    cells = re.findall(r'<td role="cell" class="(?:n|allows whole)">(.*?)</td>', html)
    assert len(cells) > 20
    assert [cell for cell in cells if cell and not cell.startswith('<span class="narrow-only')] == []
    assert html.count('<div class="scroll cards">') == html.count("<table")


def test_a_model_without_a_grade_must_not_choose_whom_to_call():
    first = made(changed(MEASURED, verdict__outcome="worse"))["must_not_be_used_for"][0]
    assert first["en"].startswith("Choosing whom to call")


def test_probabilities_that_are_off_must_not_be_multiplied():
    said = made(changed(MEASURED, verdict__calibrated="no"))["must_not_be_used_for"]
    assert "multiplies its probabilities" in said[0]["en"]


def test_the_page_tells_the_same_story_in_both_languages():
    texts = Tags(files(made())["model_card.html"]).texts
    assert len(texts["en"]) == len(texts["zh-Hans"])
    assert not re.search(r"[\u4e00-\u9fff]", " ".join(texts["en"]))
    assert "leaving means no basket in the 28 days after it" in " ".join(texts["en"])
    assert "其后 28 天内没有购物即视为流失" in " ".join(texts["zh-Hans"])


def test_the_page_loads_nothing_and_leads_only_to_files_beside_it():
    tags = Tags(files(made())["model_card.html"]).tags
    ids = {f"#{attributes['id']}" for _, attributes in tags if "id" in attributes}
    beside = {"index.html", "origin.json", "model_card.json"}
    assert {a["href"] for tag, a in tags if tag == "a"} - ids == beside
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}


def test_hostile_words_of_a_report_are_escaped():
    report = changed(MEASURED, slices=[{**GROUP, "name": {"en": EVIL, "zh": EVIL}}], verdict__en=EVIL)
    html = files(made(changed(report, verdict__rule={"en": EVIL, "zh": EVIL})))["model_card.html"]
    assert "<script" not in html
    assert "script" not in {tag for tag, _ in Tags(html).tags}


def test_what_a_backtest_and_a_ladder_say_is_on_the_card():
    said = {"en": "Chosen is the rule.", "zh": "选用规则。"}
    html = files(made(made=MADE | {"ladder": said | {"chosen": "rule"}}))["model_card.html"]
    texts = Tags(html).texts
    assert {"Better on six lists.", said["en"]} <= set(texts["en"])
    assert {"在六份名单上更优。", said["zh"]} <= set(texts["zh-Hans"])
    assert len(re.findall("backtest.pooled.auc", html)) == 1
    assert "All dates" not in files(made(backtest=None))["model_card.html"]


def test_a_list_in_the_order_of_the_rule_is_said_to_be():
    ordered = {"order": "rule", "en": "This list is in the rule's order.", "zh": "本名单按规则排序。"}
    texts = Tags(files(made(changed(MEASURED, list=ordered)))["model_card.html"]).texts
    assert ordered["en"] in texts["en"]
    assert ordered["zh"] in texts["zh-Hans"]


def test_the_json_beside_the_page_is_the_card():
    said = made()
    assert json.loads(files(said)["model_card.json"]) == said
    assert files(made()) == files(made())

"""The questions about a model: what was found, which answer allows which grade, and where each limit comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

from churn.core.metrics import honest_most

SURE_LEAST = 100
"""Churners, and stayers, that an evaluation wants: Collins, Ogundimu and Altman, Sample size considerations for the
external validation of a multivariable prognostic model, Statistics in Medicine 35, 2016."""
SOME_LEAST = 50
"""Churners from which on training begins (`churn.core.model.enough`): fewer judge no better than they teach."""
CHANCE_MOST = 0.05
"""How often chance may do what is taken for proof, as everywhere in the evaluation."""
COVERAGE_OFF_MOST = 0.03
"""How far the share of bands inside the intervals may certainly lie from what the intervals promise: what this product
promises (docs/decisions/0024)."""


Words = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """One question about a model, with its answer.

    Attributes
    ----------
    name : str
        Of the question, for programs.
    allows : str
        The best grade that this answer allows.
    question, measured, rule, origin : dict
        Language → what is asked, what was found, which answer allows what, and where the limit comes from.
    """

    name: str
    allows: str
    question: Words
    measured: Words
    rule: Words
    origin: Words


def _believable(evaluation: Mapping[str, Any], _: object) -> Answer:
    reached, simple = evaluation["model"]["auc"], evaluation["logistic"]["auc"]
    most = honest_most(simple)
    return Answer(
        "believable",
        "A" if reached <= most else "none",
        {"en": "Is it too good to be true?", "zh": "是否好得不真实？"},
        {
            "en": f"AUC {reached:.3f}; recency, frequency and money reach {simple:.3f}, so the limit is {most:.3f}",
            "zh": f"AUC {reached:.3f}；仅用最近、频率与金额可达 {simple:.3f}，故上限为 {most:.3f}",
        },
        {"en": "Up to the limit: A. Above it: none.", "zh": "不超过上限：A；超过：无评级。"},
        {
            "en": "A quarter of the distance to perfection that recency, frequency and money leave (docs/leaks.md).",
            "zh": "最近、频率与金额距完美所余差距的四分之一（docs/leaks.md）。",
        },
    )


def _better(evaluation: Mapping[str, Any], backtest: Mapping[str, Any] | None) -> Answer:
    judged = backtest or evaluation
    found = judged["difference"]["rule"]
    numbers = {f"{metric}{end}": found[f"{metric}{end}"] for metric in ("auc", "ap") for end in ("", "_low", "_high")}
    numbers["n"] = _dates_of(backtest)
    allowed = {"better": "A", "partly_better": "C"}
    worse_now = evaluation["verdict"]["outcome"] == "worse"
    percent, times = f"{judged['interval']:.0%}", f"{judged['bootstrap']:,}"
    return Answer(
        "better",
        "none" if worse_now else allowed.get(judged["verdict"]["outcome"], "none"),
        {"en": "Is it better than the best time rule?", "zh": "是否优于最佳时间规则？"},
        {
            "en": "AUC {auc:+.3f} ({auc_low:+.3f} to {auc_high:+.3f}), average precision {ap:+.3f} "
            "({ap_low:+.3f} to {ap_high:+.3f}), dates: {n}".format(**numbers),
            "zh": "AUC {auc:+.3f}（{auc_low:+.3f} 至 {auc_high:+.3f}），平均精度 {ap:+.3f}"
            "（{ap_low:+.3f} 至 {ap_high:+.3f}），日期数：{n}".format(**numbers),
        },
        {
            "en": "Both intervals above zero: A. One above, none below: C. Otherwise, or if the model's own AUC may be "
            "0.5, or certainly worse at the newest date: none.",
            "zh": "两个区间均大于零：A；仅一个大于零且另一个不在零以下：C；否则，或模型自身的 AUC 可能为 0.5，"
            "或最新日期确定更差：无评级。",
        },
        {
            "en": f"{percent} intervals of the paired difference, customers resampled {times} times.",
            "zh": f"按客户重抽样 {times} 次所得配对差的 {percent} 区间。",
        },
    )


def _true(evaluation: Mapping[str, Any], backtest: Mapping[str, Any] | None) -> Answer:
    row, most = (backtest["pooled"] if backtest else evaluation["model"]), evaluation["ece_most"]
    error, low, high = (_number(row[f"ece{end}"], row["ece"]) for end in ("", "_low", "_high"))
    return Answer(
        "true",
        "A" if max(error, high) <= most else "C" if low > most else "B",
        {"en": "Are its probabilities true?", "zh": "概率是否可信？"},
        {
            "en": f"off by {error:.1%} on average ({low:.1%} to {high:.1%})",
            "zh": f"平均偏差 {error:.1%}（{low:.1%} 至 {high:.1%}）",
        },
        {
            "en": f"The whole interval within {most:.0%}: A. Not certainly beyond it: B. Certainly beyond: C.",
            "zh": f"整个区间在 {most:.0%} 以内：A；不能确定超出：B；确定超出：C。",
        },
        {"en": "evaluation.ece_most in conf/config.yaml.", "zh": "conf/config.yaml 中的 evaluation.ece_most。"},
    )


def _enough(evaluation: Mapping[str, Any], backtest: Mapping[str, Any] | None) -> Answer:
    tested = _apart(backtest) if backtest else [evaluation["model"]]
    churners = sum(round(one["n"] * one["base_rate"]) for one in tested)
    stayers = sum(one["n"] for one in tested) - churners
    least, alone = min(churners, stayers), _alone(backtest)
    return Answer(
        "enough",
        "A" if least >= SURE_LEAST else "B" if least >= SOME_LEAST else "C",
        {"en": "Was enough tested?", "zh": "检验样本是否充足？"},
        {
            "en": f"{churners:,} snapshots of leavers and {stayers:,} of others, dates: {len(tested)}{alone['en']}",
            "zh": f"流失样本 {churners:,} 个，留存样本 {stayers:,} 个，日期数：{len(tested)}{alone['zh']}",
        },
        {
            "en": f"{SURE_LEAST} of each: A. {SOME_LEAST}: B. Fewer: C.",
            "zh": f"两者各至少 {SURE_LEAST}：A；{SOME_LEAST}：B；更少：C。",
        },
        {
            "en": "At least 100 events to judge a model: Collins, Ogundimu, Altman 2016. Training begins at 50.",
            "zh": "评判模型至少需 100 个事件：Collins、Ogundimu 与 Altman 2016；满 50 个方可训练。",
        },
    )


def _dates(_: object, backtest: Mapping[str, Any] | None) -> Answer:
    tested = _apart(backtest) if backtest else []
    dates, ahead = len(tested), sum(one["difference"]["rule"]["auc"] > 0 for one in tested)
    chance, alone = sign_test(ahead, dates), _alone(backtest)
    measured = {
        "en": f"ahead of the rule at {ahead} of {dates} dates{alone['en']}; chance does it in {chance:.1%} of cases",
        "zh": f"在 {dates} 个日期{alone['zh']}中有 {ahead} 个领先于规则；纯属偶然的概率为 {chance:.1%}",
    }
    return Answer(
        "dates",
        "B" if backtest is None else "A" if chance <= CHANCE_MOST else "B" if 2 * ahead > dates else "C",
        {"en": "Does it hold at other dates?", "zh": "在其他日期是否成立？"},
        {"en": "not measured: run churn backtest", "zh": "未检验：请运行 churn backtest"}
        if backtest is None
        else measured,
        {
            "en": f"Ahead so often that chance does it in at most {CHANCE_MOST:.0%} of cases: A. Ahead more often than "
            "not, or not measured: B. Otherwise: C.",
            "zh": f"领先次数之多，偶然发生的概率不超过 {CHANCE_MOST:.0%}：A；多数日期领先，或未检验：B；否则：C。",
        },
        {
            "en": "Sign test over dates of the backtest whose outcomes do not overlap: others are no throws of their "
            "own.",
            "zh": "对回测中结果期互不重叠的日期所作的符号检验；重叠的日期并非独立。",
        },
    )


def _covered(evaluation: Mapping[str, Any], backtest: Mapping[str, Any] | None) -> Answer:
    found = (backtest or evaluation)["coverage"]
    nominal, low, high = found["nominal"], found["observed_low"], found["observed_high"]
    off = low > nominal + COVERAGE_OFF_MOST or high < nominal - COVERAGE_OFF_MOST
    return Answer(
        "covered",
        "B" if off else "A",
        {"en": "Do the intervals of its probabilities hold?", "zh": "概率区间是否可靠？"},
        {
            "en": f"{found['observed']:.0%} of {found['bands']:,} bands lie inside ({low:.0%} to {high:.0%}); "
            f"{nominal:.0%} are promised",
            "zh": f"{found['bands']:,} 组中有 {found['observed']:.0%} 落在区间内（{low:.0%} 至 {high:.0%}），"
            f"承诺为 {nominal:.0%}",
        },
        {
            "en": f"Certainly more than {100 * COVERAGE_OFF_MOST:.0f} points from what they promise: B. Otherwise: A.",
            "zh": f"确定与承诺相差超过 {100 * COVERAGE_OFF_MOST:.0f} 个百分点：B；否则：A。",
        },
        {"en": "The product's own promise (docs/decisions/0024).", "zh": "本产品自身的承诺（docs/decisions/0024）。"},
    )


def _groups(evaluation: Mapping[str, Any], _: object) -> Answer:
    slices, most = evaluation["slices"], evaluation["ece_most"]
    failing = failing_slices(slices, most)
    return Answer(
        "groups",
        "A" if slices and not failing else "B",
        {"en": "Does it hold for every group of customers?", "zh": "对各类客户是否都成立？"},
        {
            "en": f"{len(failing)} of {len(slices)} groups fail",
            "zh": f"{len(slices)} 个群体中有 {len(failing)} 个不成立",
        },
        {
            "en": f"No group is certainly ranked worse than by chance, and none has probabilities that are certainly "
            f"further off than {most:.0%}: A. Otherwise, or no group is large enough: B.",
            "zh": f"没有群体的排序确定劣于随机，也没有群体的概率偏差确定超过 {most:.0%}：A；否则或无足够大群体：B。",
        },
        {
            "en": "The limit of the whole list, asked of every group that is shown (docs/evaluation.md).",
            "zh": "与整份名单相同的上限，适用于每个足够大的群体（docs/evaluation.md）。",
        },
    )


QUESTIONS: tuple[Callable[[Mapping[str, Any], Mapping[str, Any] | None], Answer], ...] = (
    _believable,
    _better,
    _true,
    _enough,
    _dates,
    _covered,
    _groups,
)
"""Every question, in the order of the page."""


def failing_slices(slices: list[dict[str, Any]], ece_most: float) -> list[dict[str, Any]]:
    """Groups that are certainly ranked worse than by chance, or whose probabilities are certainly off by too much."""
    return [
        found for found in slices if _number(found["auc_high"], 1.0) < 0.5 or _number(found["ece_low"], 0.0) > ece_most
    ]


def _dates_of(backtest: Mapping[str, Any] | None) -> int:
    """How many dates were looked at; without a backtest the newest one."""
    return 1 if backtest is None else len(backtest["as_ofs"])


def _apart(backtest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The dates of a backtest of which no two share a day of outcomes; all, where an older report does not say."""
    return [one for one in backtest["as_ofs"] if one.get("apart", True)]


def _alone(backtest: Mapping[str, Any] | None) -> Words:
    """What is said of dates that were chosen since others share their outcomes; nothing where none do."""
    n = _dates_of(backtest)
    if backtest is None or len(_apart(backtest)) == n:
        return {"en": "", "zh": ""}
    return {"en": f" (of {n}) whose outcomes do not overlap", "zh": f"（共 {n} 个，取结果期互不重叠者）"}


def sign_test(ahead: int, dates: int) -> float:
    """How often a fair coin shows at least so many heads in so many throws.

    >>> sign_test(5, 5), sign_test(0, 0)
    (0.03125, 1.0)
    """
    return sum(comb(dates, k) for k in range(ahead, dates + 1)) / 2**dates


def _number(value: float | None, instead: float) -> float:
    return instead if value is None else value

"""The list as one offline HTML page in two languages: what is at stake, whom to call, and whether to believe it."""

import re
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.amounts import count, money
from churn.core.editions.headings import HEADINGS, LANGUAGES
from churn.core.editions.summary import Summary, local_text
from churn.core.metric_words import DIRECTIONS, METRICS, number
from churn.core.risk_list import LEAVING
from churn.core.template import template
from churn.words.quarantine import in_words

HEAD_ROWS = 50
"""Customers on the page: what a team calls in a week or two; the workbook has more, the CSV file all."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that HTML forbids."""

IN_ADDRESS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "%#\"'<>&\n\t\r"})
"""What must not stand in the address of an image, nor in the attribute around it."""
MODELS = {
    "model": {"en": "This list's model", "zh": "本名单所用模型"},
    "rule": {"en": "Best time rule", "zh": "最佳时间规则"},
    "logistic": {"en": "Logistic regression", "zh": "逻辑回归"},
}
LEARNT_FROM = {"en": "from recency, frequency and money", "zh": "基于最近一次、频次与金额（RFM）"}
"""What the logistic regression knows."""
OUTCOMES = {
    "better": ("good", {"en": "better than the best time rule", "zh": "优于最佳时间规则"}),
    "partly_better": ("fair", {"en": "in part better than the best time rule", "zh": "部分优于最佳时间规则"}),
    "no_better": ("poor", {"en": "no better than the best time rule", "zh": "并不优于最佳时间规则"}),
    "worse": ("poor", {"en": "worse than the best time rule", "zh": "劣于最佳时间规则"}),
}
"""Outcome of the evaluation → how it is coloured, and its short form at the top of the page."""
FIRST = {
    False: {"en": "the most money at risk", "zh": "风险金额"},
    True: {"en": "the most valuable", "zh": "客户价值"},
}
"""What the list starts with; true: where nothing tells who will leave."""
FIGURES = {
    "lift": (
        {"en": "Lift", "zh": "提升度"},
        {
            "en": "How many times more churners than by chance the top of the list holds.",
            "zh": "名单前部的流失者密度是随机的多少倍。",
        },
    ),
    "gain": (
        {"en": "Gain", "zh": "累计捕获"},
        {
            "en": "The share of all churners that is reached by calling a share of the customers.",
            "zh": "联系一定比例的客户，能覆盖多少比例的流失者。",
        },
    ),
    "reliability": (
        {"en": "Are the probabilities true?", "zh": "概率是否可信？"},
        {
            "en": "Predicted against observed; where the dots lie on the dashed line, 30% means 30 of 100.",
            "zh": "预测与实际的对比；点落在虚线上时，30% 即意味着每 100 位中有 30 位流失。",
        },
    ),
    "shap_groups": (
        {"en": "What weighs most", "zh": "哪些方面最重要"},
        {
            "en": "Mean weight of groups of related features, which the reasons speak about.",
            "zh": "相关特征归组后的平均影响；名单中的原因即按组陈述。",
        },
    ),
    "shap": (
        {"en": "What the model looks at", "zh": "模型的依据"},
        {
            "en": "The weightiest features. A dot is a customer; to the right, the feature raised the risk (SHAP).",
            "zh": "最重要的特征。每个点是一位客户；偏右表示该特征推高了风险（SHAP）。",
        },
    ),
}
"""Figure → its title and how to read it, in the order of the page."""
COUNTED = {
    "rows": {"en": "Rows read", "zh": "读入行数"},
    "kept": {"en": "Kept", "zh": "保留"},
    "duplicates": {"en": "Duplicates", "zh": "重复"},
    "quarantined": {"en": "Quarantined", "zh": "隔离"},
    "out_of_window": {"en": "Out of window", "zh": "超出观测期"},
    "events": {"en": "Events made of them", "zh": "生成事件"},
}
"""What became of the rows that were read, by the names of reports/events.json."""


def page(
    listed: pa.Table,
    about: Summary,
    *,
    evaluation: dict,
    figures: dict[str, str],
    reconciliation: dict,
    digests: dict[str, str],
) -> str:
    """An HTML page that loads nothing, runs no script, and escapes whatever it is given.

    Parameters
    ----------
    listed
        RISK_LIST; the first `HEAD_ROWS` customers are shown.
    about
        Its summary.
    evaluation, figures, reconciliation, digests
        As `churn.core.editions.files.delivery_files` takes them.
    """
    head = listed.slice(0, HEAD_ROWS)
    at_risk = pc.sum(head["value_at_risk"]).as_py()
    tone, outcome = OUTCOMES[evaluation["verdict"]["outcome"]]
    rows = [_row(row) for row in head.to_pylist()]
    return template("page.html.j2", money=partial(_money, currency=about.currency)).render(
        about=about,
        rows=rows,
        longest_id=max((len(row["customer_id"]) for row in rows), default=0),
        first=FIRST[evaluation["list"]["order"] == "value"],
        head_at_risk=at_risk,
        head_share=at_risk / about.value_at_risk if about.value_at_risk else 0.0,
        most_at_risk=pc.max(head["value_at_risk"]).as_py() or 1.0,
        headings=HEADINGS,
        label={heading.name: heading.label for heading in HEADINGS},
        verdict=evaluation["verdict"],
        tone=tone,
        outcome=outcome,
        tested={**evaluation["model"], "as_of": _local(evaluation["as_of"], about.time_zone)},
        interval=evaluation["interval"],
        bands=evaluation["calibration"]["bands"],
        coverage=evaluation["coverage"],
        worst=evaluation["worst_slice"],
        metrics=_metrics(),
        models=_models(evaluation),
        figures=_figures(figures),
        counted=COUNTED,
        sources=_sources(reconciliation),
        warnings=reconciliation["warnings"],
        digests=digests,
    )


def _money(amount: float, decimals: int = 2, *, currency: str) -> str:
    return money(amount, currency, decimals)


def _row(row: dict) -> dict:
    """One customer as the template wants it: sentences as pairs of languages."""
    reasons = [_pair(row, f"reason_{n}") for n in range(1, LEAVING + 1)]
    return {
        **row,
        "customer_id": _visible(row["customer_id"]),
        "reasons": [pair for pair in reasons if pair],
        "staying": _pair(row, "staying"),
    }


def _pair(row: dict, name: str) -> dict[str, str] | None:
    texts = {language: row[f"{name}_{language}"] for language in LANGUAGES}
    return {language: _visible(text) for language, text in texts.items()} if all(texts.values()) else None


def _visible(text: str) -> str:
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def _metrics() -> list[dict]:
    """The columns of the table of metrics."""
    return [{"label": label, "direction": DIRECTIONS[direction]} for label, direction, _ in METRICS.values()]


def _models(evaluation: dict) -> list[dict]:
    """The rows of the table of metrics: one model, what it is, each metric with its interval."""
    made = evaluation["kinds"]["model"]
    kinds = {"model": {"en": made, "zh": made}, "rule": evaluation["verdict"]["rule"], "logistic": LEARNT_FROM}
    return [
        {
            "label": label,
            "kind": kinds[name],
            "cells": [_cell(evaluation[name], metric, METRICS[metric][2]) for metric in METRICS],
        }
        for name, label in MODELS.items()
    ]


def _cell(found: dict, metric: str, decimals: int) -> dict[str, str]:
    value, low, high = (number(found[f"{metric}{end}"], decimals) for end in ("", "_low", "_high"))
    return {"value": value, "interval": f"{low} – {high}"}


def _local(instant: str, time_zone: str) -> str:
    return local_text(datetime.fromisoformat(instant).astimezone(ZoneInfo(time_zone)).replace(tzinfo=None))


def _sources(reconciliation: dict) -> list[dict]:
    """The rows of the table of sources, then the total."""
    named = [*reconciliation["sources"].items(), (None, reconciliation["total"])]
    return [{"name": name, "cells": [_counted(counts.get(key)) for key in COUNTED]} for name, counts in named]


def _counted(found: int | dict[str, int] | None) -> dict:
    """A count; what is counted by reason is added up, with the reasons below it: code, words and count of each."""
    if found is None:
        return {"value": "–", "reasons": []}
    if isinstance(found, int):
        return {"value": count(found), "reasons": []}
    return {
        "value": count(sum(found.values())),
        "reasons": [{"code": code, "words": in_words(code), "n": n} for code, n in sorted(found.items())],
    }


def _figures(figures: dict[str, str]) -> list[dict]:
    """What is known of each figure, and its drawing a language. A figure that is not known here stays in its folder."""
    return [
        {
            "name": name,
            "title": title,
            "reading": reading,
            "source": {"en": _image(figures[f"{name}.svg"]), "zh": _image(figures[f"zh/{name}.svg"])},
        }
        for name, (title, reading) in FIGURES.items()
        if f"{name}.svg" in figures
    ]


def _image(svg: str) -> str:
    """A drawing as an image of its own: its names cannot meet those of another drawing, and no script in it runs.

    Not in base64, which would make pictures inside the drawing larger once more.
    """
    return "data:image/svg+xml;charset=utf-8," + svg.translate(IN_ADDRESS)

"""The card as one offline page in two languages, in the look of the list's page."""

from typing import Any

from churn.core.card.figures import BACKTEST
from churn.core.metric_words import number
from churn.core.template import template

TONES = {"A": "good", "B": "fair", "C": "fair", "none": "poor"}
"""Grade → how it is coloured."""
GROUPS = {
    "ranked_worst": {"en": "ranked worst", "zh": "排序最差"},
    "least_true": {"en": "least true probabilities", "zh": "概率偏差最大"},
}
"""What is told of the groups of customers → its name."""


def page(said: dict[str, Any]) -> str:
    """The card as a page that loads nothing, runs no script, and escapes whatever it is given."""
    failing = [(GROUPS[name], said["fails"][name]) for name in GROUPS if said["fails"][name]]
    return template("card.html.j2", figure=number).render(
        card=said, tone=TONES[said["grade"]["grade"]], failing=failing, rows=_rows(said["figures"])
    )


def _rows(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a figure of the newest date, with the same over all dates of a backtest as `over` where it has one."""
    over = {figure["key"].rpartition(".")[2]: figure for figure in figures if figure["source"] == BACKTEST}
    newest = [figure for figure in figures if figure["source"] != BACKTEST]
    return [{"newest": figure, "over": over.get(figure["key"].rpartition(".")[2])} for figure in newest]

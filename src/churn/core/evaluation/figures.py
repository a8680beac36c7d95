"""Figures: every chart of an evaluation, by name, in one language."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from churn.core import charts
from churn.core.dataset import Noun
from churn.core.evaluation.comparison import Comparison
from churn.core.evaluation.influence import Influence
from churn.core.features import Feature

SHOWN = 12
"""Features in the summary chart: more would not fit on a screen, and the table has all."""


@dataclass(frozen=True)
class Words:
    """What columns of the features table are called, with the data set's nouns."""

    catalogue: tuple[Feature, ...]
    nouns: Mapping[str, Noun]

    def of(self, name: str) -> dict[str, str]:
        """Language → the feature in words; an attribute is called by its name."""
        feature = next((f for f in self.catalogue if f.name == name), None)
        return {
            language: name if feature is None else feature.words(language, self.nouns) for language in charts.LANGUAGES
        }


def figures(
    tables: Mapping[str, pa.Table],
    table: Comparison,
    moved: Influence,
    words: Words,
    *,
    interval: float,
    seed: int,
    language: str,
) -> dict[str, str]:
    """SVG texts by name. `tables`: curves, and the influence of features (`shap`) and of groups (`shap_groups`)."""
    top = tables["shap"]["feature"].to_pylist()[:SHOWN]
    places = [moved.features.index(name) for name in top]
    labels = [words.of(name)[language] for name in top]
    groups = tables["shap_groups"]
    return {
        "lift": charts.lift_chart(tables["lift"], language=language),
        "gain": charts.gain_chart(tables["gain"], language=language),
        "precision_recall": charts.precision_recall_chart(
            tables["precision_recall"], table.rows["model"]["base_rate"], language=language
        ),
        "reliability": charts.reliability_chart(tables["reliability"], interval, language=language),
        "shap": charts.influence_chart(
            moved.values[:, places], moved.contributions[:, places], labels, seed=seed, language=language
        ),
        "shap_groups": charts.groups_chart(
            groups["mean_abs"].to_pylist(), groups["group"].to_pylist(), language=language
        ),
    }

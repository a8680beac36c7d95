"""Evaluation: whether the model beats a rule anyone could write, whether its probabilities are true, what moves them.

Out of time: everything here is measured on the part "test", whose snapshots are newer than the outcomes that the model
and the baselines were learnt from.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from annotated_types import Ge, Gt, Lt, MinLen

from churn.core import charts
from churn.core.dataset import Noun
from churn.core.evaluation.bands import bands, brier_parts
from churn.core.evaluation.comparison import compare, verdict
from churn.core.evaluation.coverage import coverage
from churn.core.evaluation.curves import at_capacity, curves
from churn.core.evaluation.figures import Words, figures
from churn.core.evaluation.influence import by_feature, by_group, influence
from churn.core.evaluation.rows import Rows, gathered
from churn.core.evaluation.slices import Judged, by_slice, selected
from churn.core.features import Feature
from churn.core.model import Model, files, margins, model, score
from churn.core.model import interval as interval_of
from churn.core.model.calibration import Kind
from churn.core.promotion import order
from churn.words.tables import FEATURES

__all__ = ["Evaluation", "evaluation"]

DIGITS = 6
"""Of every number that is reported: more would differ between processors, and none of them can be known."""


@dataclass(frozen=True)
class Evaluation:
    """What the test part says.

    `metrics` is what reports/evaluation.json holds. `curves` are tables by name, `figures` SVG texts by name in
    English, `figures_zh` the same in Chinese. `rule_files` are the texts of the best time rule, for a list in its
    order.
    """

    metrics: dict
    curves: dict[str, pa.Table]
    figures: dict[str, str]
    figures_zh: dict[str, str]
    rule_files: dict[str, str]

    @property
    def curve_files(self) -> dict[str, bytes]:
        """CSV files by name, as reports/curves holds them and DVC plots them."""
        return {f"{name}.csv": _csv(table) for name, table in self.curves.items()}

    @property
    def figure_files(self) -> dict[str, str]:
        """SVG files by name, as reports/figures holds them."""
        return {f"{name}.svg": svg for name, svg in self.figures.items()} | {
            f"zh/{name}.svg": svg for name, svg in self.figures_zh.items()
        }


def evaluation(
    features: Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    learnt: Model,
    *,
    catalogue: tuple[Feature, ...],
    nouns: Mapping[str, Noun],
    currency: str,
    seed: Annotated[int, Ge(0)],
    bootstrap: Annotated[int, Ge(100)],
    interval: Annotated[float, Gt(0), Lt(1)],
    capacity: Annotated[int, Ge(1)],
    ece_most: Annotated[float, Gt(0), Lt(1)],
    gate: bool,
    influence_rows: Annotated[int, Ge(1)],
    baseline_rows: Annotated[int, Ge(1)],
    rfm: Annotated[tuple[str, ...], MinLen(1)],
    rfm_l2: Annotated[float, Gt(0)],
    vouched: tuple[str, ...],
    calibration: Kind,
    slices: tuple[str, ...],
    slices_least: Annotated[int, Ge(2)],
) -> Evaluation:
    """The model beside the best time rule and a logistic regression, on the same snapshots and the same resamples.

    Parameters
    ----------
    features : iterable of pa.Table
        FEATURES in pieces, taken once, in order.
    snapshots, split : pa.Table
        SNAPSHOTS, row by row the same as all pieces together, of which `as_of` and `churned` are needed; and SPLIT.
    learnt : Model
        The model to judge.
    catalogue : tuple of Feature
        Words and group of each column.
    nouns : mapping of role to noun
        The data set's own words.
    currency : str
        Of all amounts, ISO 4217.
    seed : int
        Of the resamples, and of the choice of rows whose contributions are shown.
    bootstrap : int
        Number of resamples of the customers.
    interval : float
        Probability that the intervals cover, such as .95.
    capacity : int
        How many customers the team can contact at each as_of.
    ece_most : float
        Calibration error up to which the verdict calls the probabilities true.
    gate : bool
        Whether a model whose probabilities are certainly further off than that must not be used; see
        `churn.core.promotion.check_gate`.
    influence_rows : int
        At most how many test snapshots have their contributions computed.
    baseline_rows : int
        At most how many matured snapshots the baselines learn from, chosen at random where there are more.
    rfm : tuple of str
        Features of the logistic baseline: recency, frequency and monetary value.
    rfm_l2, calibration
        Parameters of the baselines, see `churn.core.model`.
    vouched : tuple of str
        Features that somebody knows to be recorded before the outcome, however well they tell it. The logistic baseline
        has them, too, so that a model that ranks as well by them is not too good to be true.
    slices : tuple of str
        Features by whose quarters the test part is judged; every attribute is one anyway.
    slices_least : int
        Groups of fewer customers are not shown.

    Raises
    ------
    NotEnoughData
        If the test part has churners only, or none.
    ConfigFault
        If `rfm`, `vouched` or `slices` names a feature that the table does not have.
    """
    rows = gathered(
        features,
        snapshots,
        split,
        learnt,
        rfm=rfm,
        vouched=vouched,
        slices=slices,
        baseline_rows=baseline_rows,
        influence_rows=influence_rows,
        seed=seed,
    )
    baselines = _baselines(rows, split, rfm=rfm, rfm_l2=rfm_l2, vouched=vouched, calibration=calibration, seed=seed)
    scores = {"model": score(learnt, rows.margins)} | {
        name: score(baseline, margins(baseline, rows.tested)) for name, baseline in baselines.items()
    }
    judged = _judged(rows, scores["model"], capacity)
    table = compare(rows.churned, scores, judged.customers, seed=seed, bootstrap=bootstrap, interval=interval)
    team = at_capacity(rows.churned, scores, _numbered(rows.tested["as_of"]), capacity)
    said = Words(catalogue, nouns)
    rule = baselines["rule"].features[0]
    said_of_it = verdict(table, team, rule=said.of(rule), interval=interval, ece_most=ece_most)
    metrics = {
        **table.rows,
        "kinds": {"model": learnt.kind, "rule": rule, "logistic": "logistic"},
        "difference": table.differences,
        "at_capacity": team,
        "interval": interval,
        "bootstrap": bootstrap,
        "as_of": pc.max(rows.tested["as_of"]).as_py().isoformat(),
        "gate": gate,
        "ece_most": ece_most,
        "verdict": said_of_it,
        "list": order(said_of_it["outcome"], table.rows["rule"]),
        **_probabilities(judged, *interval_of(learnt, scores["model"], rows.spread), interval, slices_least),
        **by_slice(
            judged,
            rows.tested.select(rows.slices),
            words={name: said.of(name) for name in rows.slices},
            currencies={one.name: currency for one in catalogue if one.is_money},
            slices_least=slices_least,
            interval=interval,
            ece_most=ece_most,
            seed=seed,
        ),
    }
    moved = influence(learnt, rows.sample, most=influence_rows, seed=seed)
    tables = curves(rows.churned, scores, judged.customers, interval=interval, least=slices_least, alone=judged.alone())
    tables |= {"shap": by_feature(moved, catalogue), "shap_groups": by_group(moved, catalogue)}
    drawn = {
        language: figures(tables, table, moved, said, interval=interval, seed=seed, language=language)
        for language in charts.LANGUAGES
    }
    return Evaluation(_rounded(metrics), tables, drawn["en"], drawn["zh"], files(baselines["rule"]))


def _baselines(
    rows: Rows,
    split: pa.Table,
    *,
    rfm: tuple[str, ...],
    rfm_l2: float,
    vouched: tuple[str, ...],
    calibration: Kind,
    seed: int,
) -> dict[str, Model]:
    """The best time rule, and a logistic regression on recency, frequency, money and what somebody vouches for."""
    simple = tuple(dict.fromkeys((*rfm, *vouched)))
    return {
        "rule": _baseline(rows, split, rows.time_features, vouched=vouched, kind="rule", calibration=calibration),
        "logistic": _baseline(
            rows,
            split,
            simple,
            vouched=vouched,
            kind="logistic",
            features_used=simple,
            seed=seed,
            rows_most=None,
            l2=rfm_l2,
            refit=True,
            calibration=calibration,
        ),
    }


def _baseline(rows: Rows, split: pa.Table, names: tuple[str, ...], **section: Any) -> Model:
    """A baseline that learns from the named features only, through the door of every model."""
    return model(rows.learning.select([*FEATURES.key, *names]), rows.outcomes, split, **section)


def _probabilities(judged: Judged, low: np.ndarray, high: np.ndarray, interval: float, least: int) -> dict[str, Any]:
    """Whether the probabilities are true, and whether their intervals hold what they promise."""
    churned, p = judged.churned, judged.p
    return {
        "calibration": {
            "bands": bands(churned, p, judged.customers, interval=interval, least=least, alone=judged.alone()),
            "brier": brier_parts(churned, p),
        },
        "coverage": coverage(churned, p, low, high, interval),
    }


def _judged(rows: Rows, p: np.ndarray, capacity: int) -> Judged:
    """The test rows as slices want them, with whom a team of that capacity would call at each as_of."""
    customers = rows.tested["customer_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    return Judged(rows.churned, p, selected(p, _numbered(rows.tested["as_of"]), capacity), customers)


def _numbered(column: pa.ChunkedArray) -> np.ndarray:
    return np.unique(column.cast(pa.int64()).to_numpy(), return_inverse=True)[1]


def _csv(table: pa.Table) -> bytes:
    import pyarrow.csv

    sink = io.BytesIO()
    options = pyarrow.csv.WriteOptions(quoting_style="needed")
    pyarrow.csv.write_csv(table, sink, options)
    return sink.getvalue()


def _rounded(value: Any) -> Any:
    """The same, with every float rounded to `DIGITS`."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(float(value), DIGITS) if isinstance(value, float) else value

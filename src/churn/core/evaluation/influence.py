"""Influence: which features move the margins, by SHAP values of a sample of the test part."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from churn.core.features import Feature
from churn.core.model import Model, contributions
from churn.core.model.encoding import matrix


@dataclass(frozen=True)
class Influence:
    """`values` and `contributions` (log-odds) of a sample of snapshots, both of shape `(n_rows, n_features)`."""

    features: tuple[str, ...]
    values: np.ndarray
    contributions: np.ndarray


def influence(learnt: Model, tested: pa.Table, *, most: int, seed: int) -> Influence:
    """SHAP values of at most `most` rows of `tested` (FEATURES), chosen at random.

    Trees are explained by `shap.TreeExplainer`, path-dependent (Lundberg et al. 2020, Nature Machine Intelligence 2);
    the other kinds are linear, so that their own contributions are SHAP values already.
    """
    sample = tested.take(pa.array(chosen(tested.num_rows, most=most, seed=seed)))
    values = matrix(sample, learnt.features, learnt.vocabulary)
    shares = _explained(learnt, values) if learnt.kind == "lightgbm" else contributions(learnt, sample)[:, :-1]
    return Influence(learnt.features, values, shares)


def chosen(n_rows: int, *, most: int, seed: int) -> np.ndarray:
    """Ascending places of at most `most` of `n_rows` rows; all of them where there are no more."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, size=most, replace=False))


def by_feature(moved: Influence, catalogue: tuple[Feature, ...]) -> pa.Table:
    """One row per feature, the weightiest first: `feature`, `group`, `mean_abs` contribution in log-odds."""
    weight = np.abs(moved.contributions).mean(axis=0)
    groups = _groups(moved, catalogue)
    order = np.lexsort((np.array(moved.features), -weight))
    return pa.table(
        {
            "feature": [moved.features[j] for j in order],
            "group": [groups[j] for j in order],
            "mean_abs": np.round(weight[order], 6),
        }
    )


def by_group(moved: Influence, catalogue: tuple[Feature, ...]) -> pa.Table:
    """One row per group, the weightiest first: `group`, `mean_abs` of the group's summed contribution, in log-odds.

    Contributions are added within the group first: related features that pull against each other weigh nothing.
    """
    groups = np.array(_groups(moved, catalogue))
    names = sorted(set(groups.tolist()))
    weight = np.array([np.abs(moved.contributions[:, groups == name].sum(axis=1)).mean() for name in names])
    order = np.lexsort((np.array(names), -weight))
    return pa.table({"group": [names[j] for j in order], "mean_abs": np.round(weight[order], 6)})


def _groups(moved: Influence, catalogue: tuple[Feature, ...]) -> list[str]:
    """The group of each feature; what is not in the catalogue is an attribute of the customer."""
    known = {feature.name: feature.group for feature in catalogue}
    return [known.get(name, "attributes") for name in moved.features]


def _explained(learnt: Model, values: np.ndarray) -> np.ndarray:
    """SHAP values of LightGBM's trees, shape `(n_rows, n_features)`."""
    import warnings

    import lightgbm

    with warnings.catch_warnings():
        # Importing shap warns of what other libraries plan, which no reader of ours can act upon.
        warnings.simplefilter("ignore")
        import shap
    booster = lightgbm.Booster(model_str=learnt.body)
    return np.asarray(shap.TreeExplainer(booster).shap_values(values))

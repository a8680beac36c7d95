"""From the features table to numbers, in training and scoring alike: by name, with the train part's vocabulary."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.words.errors import ConfigFault, ContractFault, Fault, IntegrityFault, message
from churn.words.tables import CONTRIBUTIONS, FEATURES

VALUES_MOST = 64
"""Values of one attribute that get a code of their own, the most frequent first. LightGBM sorts values by their mean
outcome, so that rare ones are learnt by heart; the rest is one value together, `OTHER`."""
OTHER = "(other)"
"""Stands last in a vocabulary for all values beyond `VALUES_MOST`, those of tomorrow included."""

OUTCOME = "churned"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN = {column.name for column in CONTRIBUTIONS.columns}


def feature_names(features: pa.Table) -> list[str]:
    """The columns that are features, in the order of the table.

    Raises
    ------
    ConfigFault
        A name that LightGBM's model text could not hold.
    """
    names = [name for name in features.column_names if name not in FEATURES.key]
    odd = [name for name in names if not _NAME.fullmatch(name) or name in _TAKEN]
    if odd:
        raise ConfigFault(
            f"{len(odd)} of {len(names)} feature names hold other signs than A-Z, a-z, 0-9 and _, or mean something "
            f"else in a table of ours: {odd[:5]}. Rename the attribute in conf/data"
        )
    return names


def frequent(values: Sequence[str], counts: np.ndarray) -> list[str]:
    """The values that occur, sorted; of more than `VALUES_MOST` the most frequent ones, and OTHER."""
    ranked = sorted((-n, value) for value, n in zip(values, counts.tolist(), strict=True) if n)
    kept = sorted(value for _, value in ranked[:VALUES_MOST])
    return [*kept, OTHER] if len(ranked) > VALUES_MOST else kept


def matrix(features: pa.Table, names: Sequence[str], values: Mapping[str, list[str]]) -> np.ndarray:
    """The named features as float32, shape `(n_rows, n_features)`, in the order of `names`.

    NaN is the feature's null, and an attribute value that the vocabulary does not hold. Attributes become the position
    of their value in `values`.

    Raises
    ------
    IntegrityFault
        The table lacks a feature, or holds a number where the model knows an attribute, or the other way round.
    Fault
        A feature is infinite: its arithmetic divides by zero.
    """
    _check_columns(features, names, values)
    numbers = np.empty((features.num_rows, len(names)), dtype=np.float32)
    for j, name in enumerate(names):
        numbers[:, j] = codes(features[name], values[name]) if name in values else features[name].to_numpy()
    _check_finite(numbers, names)
    return numbers


def codes(column: pa.ChunkedArray, values: Sequence[str]) -> np.ndarray:
    """Position of each value in `values`, shape `(n_rows,)`; NaN for null, and for values that are not in it.

    Where `values` ends with OTHER, that is what they are.
    """
    texts = column.cast(pa.string())
    places = pc.index_in(texts, value_set=pa.array(values, pa.string()), skip_nulls=True)
    if list(values[-1:]) == [OTHER]:
        places = pc.if_else(pc.is_valid(texts), pc.fill_null(places, len(values) - 1), places)
    return places.cast(pa.float32()).to_numpy()


def unseen(features: pa.Table, values: Mapping[str, list[str]]) -> dict[str, int]:
    """Attribute column → number of rows whose value the vocabulary does not hold; only columns that have any."""
    known = {name: int(np.count_nonzero(~np.isnan(codes(features[name], values[name])))) for name in values}
    counts = {name: features.num_rows - features[name].null_count - known[name] for name in values}
    return {name: count for name, count in counts.items() if count}


def _check_columns(features: pa.Table, names: Sequence[str], values: Mapping[str, list[str]]) -> None:
    if OUTCOME in features.column_names:
        raise ContractFault(
            message(
                f"the features table holds {OUTCOME}, which is the outcome that is to be predicted",
                where="data/features.parquet",
                do="remove the column; `churn run` makes the table without it",
            )
        )
    missing = [name for name in names if name not in features.column_names]
    if missing:
        raise IntegrityFault(
            f"{len(missing)} of the model's {len(names)} features are not in the features table: {missing[:5]}. "
            "The model belongs to other features; `churn run` trains it anew"
        )
    for name in names:
        if pa.types.is_dictionary(features.schema.field(name).type) != (name in values):
            raise IntegrityFault(
                f"feature {name} is {features.schema.field(name).type} in the features table, "
                f"but {'an attribute' if name in values else 'a number'} in the model; `churn run` trains it anew"
            )


def _check_finite(numbers: np.ndarray, names: Sequence[str]) -> None:
    infinite = np.isinf(numbers).sum(axis=0)
    if infinite.any():
        found = [f"{names[j]} ({infinite[j]:,})" for j in np.flatnonzero(infinite)[:5]]
        raise Fault(f"infinite values in {len(numbers):,} rows of features: {', '.join(found)}")

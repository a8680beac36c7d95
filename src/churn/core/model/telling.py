"""The features that may tell something: with the values that are frequent enough for a code, and without constants."""

import numpy as np

from churn.core.model import encoding
from churn.core.model.panel import Panel, blocks, narrowed
from churn.words.errors import NotEnoughData


def telling(
    found: Panel, train: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], dict[str, list[str]], dict[str, str]]:
    """Matrix, names, vocabulary and dropped: in the memory of the panel, whose contents are gone afterwards."""
    vocabulary = {}
    for name, values in found.values.items():
        column = found.x[:, found.names.index(name)]
        codes = column[train]
        counts = np.bincount(codes[~np.isnan(codes)].astype(np.int64), minlength=len(values))
        vocabulary[name] = encoding.frequent(values, counts)
        column[:] = _recoded(column, values, vocabulary[name])
    dropped = _dropped(found, train)
    kept = [j for j, name in enumerate(found.names) if name not in dropped]
    if not kept:
        raise NotEnoughData(
            f"none of {len(found.names)} features differs between the {len(train):,} training snapshots"
        )
    names = tuple(found.names[j] for j in kept)
    return (
        narrowed(found.x, kept),
        names,
        {name: vocabulary[name] for name in names if name in vocabulary},
        dropped,
    )


def _recoded(codes: np.ndarray, values: list[str], vocabulary: list[str]) -> np.ndarray:
    """Positions in `values` as positions in the vocabulary; where it lacks the value OTHER, or NaN if there is none."""
    places = {value: place for place, value in enumerate(vocabulary)}
    other = places.get(encoding.OTHER, np.nan)
    table = np.array([*(places.get(value, other) for value in values), np.nan], np.float32)
    return table[np.where(np.isnan(codes), len(values), codes).astype(np.int64)]


def _dropped(found: Panel, train: np.ndarray) -> dict[str, str]:
    """Feature → why it can tell nothing: null in every training row, or the same in every one.

    A feature that is null in some rows and constant in the others stays, since its null may tell something.
    """
    n = len(found.names)
    null, least, most = np.zeros(n, np.int64), np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    for rows in blocks(len(train)):
        x = found.x[train[rows]]
        null += np.isnan(x).sum(axis=0)
        least, most = np.fmin(least, np.fmin.reduce(x)), np.fmax(most, np.fmax.reduce(x))
    why = {}
    for name, nulls, low, high in zip(found.names, null, least, most, strict=True):
        if nulls == len(train):
            why[name] = "null in every training row"
        elif nulls == 0 and low == high:
            why[name] = f"{low:g} in every training row"
    return why

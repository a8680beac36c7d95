"""Groups: what a column cuts the customers into, and which groups may be shown."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.amounts import money
from churn.words.tables import CODE

QUARTERS = (0.25, 0.5, 0.75)
"""Where a number is cut into groups of about equal count."""
VALUES_MOST = 20
"""Of an attribute with more values, the rarer ones are one group: nobody reads a longer table."""
DECIMALS_MOST = 9
"""Numbers of features have seven digits."""
UNKNOWN, OTHER = "unknown", "other"
VALUES_ZH = {UNKNOWN: "未知", OTHER: "其他"}


def grouped(column: pa.ChunkedArray, *, currency: str | None) -> tuple[np.ndarray, list[str]]:
    """The group of each row, shape `(n_rows,)`, and the name of each group, in their order.

    A number is cut where quarters of the rows end, with equal values together; an attribute has a group a value, by
    name. What is not known is a group as well, together with what the data themselves call "unknown".

    Parameters
    ----------
    column
        Numbers or CODE.
    currency
        Of a column of money, ISO 4217; None where its numbers are none.
    """
    place, names = _by_value(column) if column.type == CODE else _by_quarter(column, currency)
    if (place < 0).any():
        names = names if UNKNOWN in names else [*names, UNKNOWN]
        place = np.where(place < 0, names.index(UNKNOWN), place)
    return place, names


def kept_groups(place: np.ndarray, least: int, n_customers: Callable[[np.ndarray], int]) -> list[int]:
    """The groups that may be shown: of `least` customers, and so that those left out are `least` together, or none.

    Otherwise what is left out would be known from the shown groups and the whole.

    Parameters
    ----------
    place : np.ndarray
        The group of each row, shape `(n_rows,)`; -1: in none that could be shown.
    n_customers : function
        Of a mask of rows, how many customers they are of: one customer may have rows in several groups.

    >>> kept_groups(np.repeat([0, 1, 2], [50, 30, 5]), 20, np.sum)
    [0]
    >>> kept_groups(np.repeat([0, 1, 2, 3], [50, 30, 12, 9]), 20, np.sum)
    [0, 1]
    """
    counts = np.array([n_customers(place == g) for g in range(int(place.max(initial=-1)) + 1)])
    kept = [g for g in np.argsort(-counts, kind="stable").tolist() if counts[g] >= least]
    while kept and 0 < n_customers(~np.isin(place, kept)) < least:
        kept.pop()
    return sorted(kept)


def runs(place: np.ndarray, customers: np.ndarray, least: int) -> list[tuple[int, int]]:
    """First and last of the neighbouring places that are shown as one, so that each run has `least` customers.

    Places are put together from the highest down; what is left at the lower end joins the run above it, and customers
    who are too few for one run are one all the same: what is said of all is no secret.

    Parameters
    ----------
    place : np.ndarray
        Of each row, whole numbers from 0, shape `(n_rows,)`.
    customers : np.ndarray
        Of each row: two rows of one customer are one customer, shape `(n_rows,)`.

    >>> runs(np.array([0, 0, 1, 3, 3]), np.arange(5), 2)
    [(0, 1), (3, 3)]
    """
    found: list[tuple[int, int]] = []
    together: list[int] = []
    for one in np.unique(place)[::-1].tolist():
        together.append(one)
        inside = (place >= one) & (place <= together[0])
        if len(np.unique(customers[inside])) >= least:
            found.append((one, together[0]))
            together = []
    if together:
        last = found.pop()[1] if found else together[0]
        found.append((together[-1], last))
    return found[::-1]


def run_of(place: np.ndarray, shown: list[tuple[int, int]]) -> np.ndarray:
    """Of each row, which of the `runs` its place is in, from 0."""
    return np.searchsorted([first for first, _ in shown], place, side="right") - 1


def _by_value(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Group -1: not known. The `VALUES_MOST` most frequent values have a group of their own."""
    coded = column.combine_chunks()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    texts = coded.dictionary.to_pylist()
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    ranking = sorted(np.flatnonzero(counts).tolist(), key=lambda i: (-counts[i], texts[i]))
    names = sorted(texts[i] for i in ranking[:VALUES_MOST])
    others = [texts[i] for i in ranking[VALUES_MOST:]]
    if others and OTHER not in names:
        names.append(OTHER)
    wanted = {text: g for g, text in enumerate(names)} | {text: names.index(OTHER) for text in others}
    table = np.array([*(wanted.get(text, -1) for text in texts), -1], np.int64)
    return table[codes], names


def _by_quarter(column: pa.ChunkedArray, currency: str | None) -> tuple[np.ndarray, list[str]]:
    """Group -1: not known."""
    values = column.to_numpy().astype(np.float64)
    known = values[~np.isnan(values)]
    if not len(known):
        return np.full(len(values), -1), []
    edges = np.unique(np.quantile(known, QUARTERS, method="higher"))
    edges = edges[edges > known.min()]
    if not len(edges):
        return np.where(np.isnan(values), -1, 0), _numbers(known[:1], currency)
    place = np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="right"))
    texts = _numbers(edges, currency)
    between = [f"{low} – {high}" for low, high in pairwise(texts)]
    return place, [f"< {texts[0]}", *between, f"≥ {texts[-1]}"]


def _numbers(values: np.ndarray, currency: str | None) -> list[str]:
    """Each number with two decimals, or with as many more as it takes to tell them apart."""
    for decimals in range(2, DECIMALS_MOST + 1):
        texts = [_number(value, currency, decimals) for value in values.tolist()]
        if len(set(texts)) == len(texts):
            break
    return texts


def _number(value: float, currency: str | None, decimals: int) -> str:
    if currency:
        return money(value, currency, decimals)
    return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")

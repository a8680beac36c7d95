"""LightGBM's model text as arrays: what `churn.core.shapley` needs to know of each split, for any row."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_TREE = re.compile(r"^Tree=\d+\n", re.MULTILINE)
_CATEGORICAL, _DEFAULT_LEFT, _KNOWN_BITS = 1, 2, 15
_MISSING_NONE, _MISSING_ZERO, _MISSING_NAN = 0, 1, 2
_ORDERED, _ZERO_MISSING, _BY_SET = 0, 1, 2


_SPLIT_TYPES = {
    "feature": np.int64,
    "rule": np.int64,
    "threshold": np.float64,
    "missing_left": np.bool_,
    "share": np.float64,
    "left": np.int64,
    "right": np.int64,
    "above": np.int64,
    "set_start": np.int64,
    "set_end": np.int64,
}


class Forest(NamedTuple):
    """All trees of a model, their splits one after the other.

    Attributes
    ----------
    features : tuple of str
        Names of the columns.
    base : float
        Expected margin: the leaf values, weighted by their share of the training rows.
    split_offsets, leaf_offsets : ndarray of int64, shape (n_trees + 1,)
        The splits and leaves of tree i are those from offset i to offset i + 1.
    n_points : ndarray of int64, shape (n_trees,)
        Points of the quadrature rule: half of the most different features on one path, rounded up.
    point_offsets, table_offsets : ndarray of int64, shape (n_trees,)
        Where a tree's weights start in `point_weight`, and its rows in `slope` and `factor`.
    point_weight : ndarray
        Weights of the rules on [0, 1].
    feature, rule, threshold, missing_left, set_start, set_end : ndarray, shape (n_splits,)
        Column; 0 by order, 1 by order with 0 as missing, 2 by a set of codes; upper end of what goes left; whether
        missing values go left; where the set lies in `words`.
    words : ndarray of uint32
        Sets of codes, one bit a code.
    share : ndarray, shape (n_splits,)
        The left child's share of the training rows of the split.
    left, right : ndarray of int64, shape (n_splits,)
        Split of the same tree, or ~leaf.
    above : ndarray of int64, shape (n_splits,)
        1 + the nearest split above on the same feature, negative where the path leaves it to the right; 0 for none.
    slope, factor : ndarray, shape (sum of n_splits * n_points,)
        How much of a step the rule's points see, by split and point; see the package.
    leaf : ndarray, shape (n_leaves,)
        Leaf values.
    """

    features: tuple[str, ...]
    base: float
    split_offsets: np.ndarray
    leaf_offsets: np.ndarray
    n_points: np.ndarray
    point_offsets: np.ndarray
    table_offsets: np.ndarray
    point_weight: np.ndarray
    feature: np.ndarray
    rule: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    set_start: np.ndarray
    set_end: np.ndarray
    words: np.ndarray
    share: np.ndarray
    left: np.ndarray
    right: np.ndarray
    above: np.ndarray
    slope: np.ndarray
    factor: np.ndarray
    leaf: np.ndarray


class UnknownTreesError(ValueError):
    """A model of another kind than sums of trees with constant leaves and counted rows."""


class _Tree(NamedTuple):
    base: float
    n_points: int
    splits: dict[str, np.ndarray]
    words: np.ndarray
    slope: np.ndarray
    factor: np.ndarray
    leaf: np.ndarray


def forest(text: str) -> Forest:
    """The trees of a model text.

    Raises
    ------
    UnknownTreesError
        Several classes, averaged output, linear leaves, unknown bits of decisions, or splits whose rows are not those
        of their children: values by this method are not defined, or not LightGBM's.
    """
    head, *blocks = _TREE.split(text.split("end of trees\n", maxsplit=1)[0])
    header = _fields(head)
    if header.get("num_tree_per_iteration") != "1" or "average_output" in head.split("\n"):
        raise UnknownTreesError("a margin of this model is not the sum of its trees")
    features = tuple(header["feature_names"].split())
    trees = [_tree(_fields(block)) for block in blocks]
    if any((tree.splits["feature"] >= len(features)).any() for tree in trees):
        raise UnknownTreesError("a tree splits on a column that has no name")
    return Forest(
        features=features,
        base=float(sum(tree.base for tree in trees)),
        leaf_offsets=_offsets([len(tree.leaf) for tree in trees]),
        leaf=_joined([tree.leaf for tree in trees], np.float64),
        slope=_joined([tree.slope for tree in trees], np.float64),
        factor=_joined([tree.factor for tree in trees], np.float64),
        words=_joined([tree.words for tree in trees], np.uint32),
        table_offsets=_offsets([len(tree.slope) for tree in trees])[:-1],
        **_rules(trees),
        **_splits(trees),
    )


def _rules(trees: Sequence[_Tree]) -> dict[str, np.ndarray]:
    """Number of points of each tree and their weights, which trees with as many points share."""
    n_points = np.array([tree.n_points for tree in trees], dtype=np.int64)
    sizes = np.unique(n_points)
    starts = _offsets(sizes)
    return {
        "n_points": n_points,
        "point_offsets": starts[np.searchsorted(sizes, n_points)],
        "point_weight": _joined([rule(int(n))[1] for n in sizes], np.float64),
    }


def _splits(trees: Sequence[_Tree]) -> dict[str, np.ndarray]:
    set_offsets = _offsets([len(tree.words) for tree in trees])
    columns = {name: _joined([tree.splits[name] for tree in trees], dtype) for name, dtype in _SPLIT_TYPES.items()}
    n_splits = [len(tree.splits["feature"]) for tree in trees]
    shift = np.repeat(set_offsets[:-1], n_splits)
    columns |= {"set_start": columns["set_start"] + shift, "set_end": columns["set_end"] + shift}
    return {**columns, "split_offsets": _offsets(n_splits)}


def rule(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of the Gauss-Legendre rule on [0, 1], exact for polynomials of degree 2n - 1.

    >>> points, weights = rule(3)
    >>> bool(abs((weights * points**5).sum() - 1 / 6) < 1e-15)
    True
    """
    points, weights = np.polynomial.legendre.leggauss(n)
    return (points + 1) / 2, weights / 2


def _tree(fields: dict[str, str]) -> _Tree:
    """One tree of the text."""
    if fields.get("is_linear", "0") != "0":
        raise UnknownTreesError("leaves of this model are linear functions")
    leaf = _numbers(fields, "leaf_value", float)
    if len(leaf) == 1:
        empty = {name: np.zeros(0) for name in _SPLIT_TYPES}
        return _Tree(float(leaf[0]), 1, empty, np.zeros(0), np.zeros(0), np.zeros(0), leaf)
    left, right = _numbers(fields, "left_child", int), _numbers(fields, "right_child", int)
    feature = _numbers(fields, "split_feature", int)
    decisions, words = _decisions(fields)
    if {len(feature), len(decisions["rule"])} != {len(left)}:
        raise UnknownTreesError("the columns of a tree are not of one length")
    count = _counted(fields, left, right, len(leaf))
    share = _of(count, left) / count[0]
    above, kept, most = _paths(feature, left, right, share)
    n_points = (most + 1) // 2
    points = rule(n_points)[0]
    # seen: the factor of the feature above, for a row that followed the path there; 1 where there is no such feature.
    seen = points + (1 - points) * kept[:, None]
    splits = {"feature": feature, "left": left, "right": right, "share": share, "above": above, **decisions}
    base = float((count[1] / count[0][0] * leaf).sum())
    return _Tree(base, n_points, splits, words, (points / seen).ravel(), (kept[:, None] / seen**2).ravel(), leaf)


def _counted(
    fields: dict[str, str], left: np.ndarray, right: np.ndarray, n_leaves: int
) -> tuple[np.ndarray, np.ndarray]:
    """Training rows of each split and of each leaf."""
    count = _numbers(fields, "internal_count", int), _numbers(fields, "leaf_count", int)
    n_splits = len(left)
    children = np.concatenate([left, right])
    if n_leaves != n_splits + 1 or sorted(children.tolist()) != [*range(-n_leaves, 0), *range(1, n_splits)]:
        raise UnknownTreesError("the splits of a tree do not make a tree")
    if ((children >= 0) & (children <= np.tile(np.arange(n_splits), 2))).any():
        raise UnknownTreesError("a split stands before the one above it")
    if min(count[0].min(), count[1].min()) <= 0 or (_of(count, left) + _of(count, right) != count[0]).any():
        raise UnknownTreesError("the rows of a split are not those of its children")
    return count


def _of(count: tuple[np.ndarray, np.ndarray], child: np.ndarray) -> np.ndarray:
    """Rows of each child: a split, or ~leaf."""
    return np.where(child >= 0, count[0][np.maximum(child, 0)], count[1][np.maximum(~child, 0)])


def _paths(
    feature: np.ndarray, left: np.ndarray, right: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """Nearest split above on the same feature, as `Forest.above`; the share of rows that the splits above on this
    feature keep; and the most different features on one path.
    """
    above, kept = np.zeros(len(feature), dtype=np.int64), np.ones(len(feature))
    seen: list[dict[int, tuple[int, float]]] = [{} for _ in feature]
    most = 0
    for node, column in enumerate(feature.tolist()):
        above[node], kept[node] = seen[node].get(column, (0, 1.0))
        most = max(most, len(seen[node] | {column: None}))
        for child, sign, part in ((left[node], 1, share[node]), (right[node], -1, 1 - share[node])):
            if child >= 0:
                seen[child] = {**seen[node], column: (sign * (node + 1), float(kept[node] * part))}
    return above, kept, most


def _decisions(fields: dict[str, str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """How each split decides, and the sets of codes of the tree."""
    bits, threshold = _numbers(fields, "decision_type", int), _numbers(fields, "threshold", float)
    missing = bits >> 2 & 3
    if ((bits < 0) | (bits > _KNOWN_BITS) | (missing > _MISSING_NAN)).any():
        raise UnknownTreesError(f"decision types {sorted(set(bits.tolist()))} are not all known")
    by_set = (bits & _CATEGORICAL) != 0
    # Where nothing was missing in training, LightGBM reads a missing value as 0.
    missing_left = np.where(missing == _MISSING_NONE, threshold >= 0, (bits & _DEFAULT_LEFT) != 0)
    by_order = np.where(missing == _MISSING_ZERO, _ZERO_MISSING, _ORDERED)
    none = np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int64)
    sets = (_numbers(fields, "cat_boundaries", int), _numbers(fields, "cat_threshold", int)) if by_set.any() else none
    bounds, words = sets
    number = np.where(by_set, threshold, 0).astype(np.int64)
    if number.min() < 0 or number.max() > len(bounds) - 2 or bounds.min() < 0 or bounds.max() > len(words):
        raise UnknownTreesError("a split speaks of a set of codes that is not there")
    decisions = {
        "rule": np.where(by_set, _BY_SET, by_order),
        "threshold": threshold,
        "missing_left": missing_left,
        "set_start": bounds[number],
        "set_end": bounds[number + 1],
    }
    return decisions, words


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.split("\n"))
    return {name: value for name, _, value in pairs if value}


def _numbers(fields: dict[str, str], name: str, kind: type) -> np.ndarray:
    if name not in fields:
        raise UnknownTreesError(f"a tree has no {name}")
    return np.array([kind(number) for number in fields[name].split()], dtype=np.int64 if kind is int else np.float64)


def _joined(parts: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *[part.astype(dtype) for part in parts]])


def _offsets(lengths: "Sequence[int] | np.ndarray") -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))]).astype(np.int64)

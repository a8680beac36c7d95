"""Exact SHAP values of tree ensembles, without a loop over subsets: LightGBM's numbers, many times faster.

**What is computed.** The path-dependent values of Lundberg et al., From local explanations to global understanding with
explainable AI for trees (Nature Machine Intelligence, 2020). Give each feature k a chance x_k of being known. A row
then moves through a tree by its own value where the feature is known, and otherwise to each child with the share of
the training rows that went there. The expected leaf value F(x) is linear in each x_k on its own, and the Shapley value
is the mean slope on the way from nothing known to all known (Owen, Multilinear extensions of games, 1972):

    phi_j = integral over t in [0, 1] of dF/dx_j (t, t, ..., t)

With o_k = 1 where the row follows a path at all its splits on k and 0 elsewhere, and z_k the product of the shares at
these splits, it is the sum over leaves of v (o_j - z_j) times the integral of prod_{k != j} (t o_k + (1 - t) z_k).

**Why it is exact.** For a tree with at most d different features on a path the integrand is a polynomial of degree
d - 1, and n Gauss-Legendre points integrate degree 2n - 1 exactly: half of d points, rounded up, are enough. (Yu, Xu,
Wu, Bifet et al., Linear TreeShap, 2022, carry the same polynomials through a tree, evaluated at other points.)

**How it is computed.** At one point t, for a split with left share z and o = 1 for a row that goes left, else 0:

* A feature met for the first time on the path sends the weight z + t (o - z) to the left, the rest to the right.
* If splits above on the same feature keep the share a of the rows, the factor t + (1 - t) a is already in the weight of
  a row that followed them. What goes left is then z + s (o - z) with s = t / (t + (1 - t) a): the same form. For a row
  that did not follow them the feature's part stays unknown: s = 0.
* Downwards, each split hands on the product of these, W; upwards, it returns the expectation below it,
  E = E_right + (z + s (o - z)) (E_left - E_right), each at all points.
* Written as a sum over splits instead of leaves, the changes of (o_j - z_j) / (t o_j + (1 - t) z_j) from split to split
  of one feature telescope, and each split on j adds to phi_j

      (o - z) * sum over points of weight * W * a / (t + (1 - t) a)^2 * (E_left - E_right)

  for a row that followed the splits above on j, and nothing for another. Without such splits a = 1, and the fraction
  is 1.

So a split costs a dozen operations at each point, nothing is divided, and nothing but o depends on the row: rows are
computed side by side. Shares lie strictly between 0 and 1, points inside (0, 1), so no denominator is 0.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from churn.core.shapley.text import Forest, UnknownTreesError, forest

__all__ = ["Forest", "UnknownTreesError", "contributions", "forest"]


def contributions(trees: Forest, x: np.ndarray, *, threads: int = 1) -> np.ndarray:
    """What each column adds to the margin of each row, shape `(n_rows, n_features + 1)`; the last column is the base.

    A row's numbers are the same bits whatever rows stand beside it and however many threads work.

    Parameters
    ----------
    trees : Forest
        From `forest`.
    x : ndarray, shape (n_rows, n_features)
        Numbers in the columns of `trees.features`; NaN is missing.
    threads : int
        Threads among which the rows are shared out.

    Raises
    ------
    ValueError
        The rows have more or fewer columns than the trees know: compiled loops would read and write beside them.
    """
    from churn.core.shapley.compiled import explained

    if x.ndim != 2 or x.shape[1] != len(trees.features):
        raise ValueError(f"rows of shape {x.shape} for trees that know {len(trees.features)} features")
    x = np.ascontiguousarray(x)
    out = np.empty((len(x), len(trees.features) + 1))
    edges = [len(x) * i // threads for i in range(threads + 1)]

    def explain(part: int) -> None:
        rows = slice(edges[part], edges[part + 1])
        explained(x[rows], out[rows], *trees[1:])

    if threads == 1:
        explain(0)
        return out
    with ThreadPoolExecutor(threads) as workers:
        list(workers.map(explain, range(threads)))
    return out

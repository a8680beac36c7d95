"""How sure a score is: an interval around it, as wide as bands of customers of a later slice ask for.

What one customer will do is never seen as a share. What is seen is the share of a band: customers beside each other in
score. A band's interval is the mean of its customers' intervals, and its churners are counted as if its true share were
drawn from there (docs/decisions/0022-intervals-of-scores.md).

`{"nominal": q, "factor": c, "typical": s, "centre": x, "level": a, "slope": b, ...}`: in log-odds, the score x_i of a
customer whose boosters spread by s_i has the standard deviation sqrt(a + b (x_i - x)^2 + c^2 (s_i^2 + s^2) / 2). The
first two terms are what the calibration part leaves open of the map: they shrink as it grows. The third is what a later
slice showed beyond them.
"""

from itertools import pairwise

import numpy as np

from churn.words.errors import Fault

NOMINAL = 0.9
"""Of ten bands nine are inside. More would ask for more bands than a part of a few thousand customers has, and an
interval that is wrong every fifth time is none."""
Z = 1.6448536269514722
"""Standard deviations from the middle of a normal distribution to either end of its nominal interval."""
BAND_ROWS, BAND_ROWS_LEAST, BANDS_WANTED = 50, 20, 20
"""Customers of a band: as many as a team calls in a week or two; in a small part fewer, so that there are enough bands
to count."""
BANDS_MOST = 400
"""Bands looked at for the factor: by then chance moves a coverage of nine tenths by 1.5 points."""
DEVIATION_MOST = 0.5
"""Of the third term, in log-odds: the interval of a score of 10 % is 5 to 20 % then. That is what is said where the
later slice is too small to say anything."""
TIES_SEED = 0
"""Customers of one score come into bands by lot. In the order of their rows, which is that of ids, a band would hold
those who joined together, or whatever else ids tell, and miss its share though every score is true."""
STEPS = np.concatenate([[0.0], np.geomspace(0.01, 1.0, 40)])
"""Factors that are tried, as shares of the largest one."""


def left_open(log_odds: np.ndarray, offset: float = 0.0, prior: float = 0.0) -> dict[str, float]:
    """`centre`, `level`, `slope`: the variance that rows with these log-odds leave to a line through their outcomes.

    The inverse of Fisher's information of a logistic regression on one variable, about the centre at which level and
    slope are independent. `offset` as in `factor`; `prior` is the information on the slope that there was before.
    """
    information = 1 / (2 + 2 * np.cosh(np.clip(log_odds + offset, -30, 30)))
    total = float(information.sum())
    centre = float(information @ log_odds) / total
    apart = float(information @ (log_odds - centre) ** 2) + prior
    return {"centre": centre, "level": 1 / total, "slope": 1 / apart if apart > 1e-9 * total else 0.0}


def typical(spread: np.ndarray) -> float:
    """The root of the mean squared spread."""
    return float(np.sqrt(np.mean(spread**2)))


def ends(found: dict, p: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end of the interval of each score, both of shape `(n_rows,)`; low <= p <= high.

    Parameters
    ----------
    found : dict
        See the top of this module.
    p, spread : ndarray, shape (n_rows,)
        Score, and how far the members of the model are apart, as a standard deviation in log-odds. A few members tell
        it only roughly, so it is half the customer's own, and half what is typical.
    """
    x = log_odds(p)
    third = found["factor"] ** 2 * (spread**2 + found["typical"] ** 2) / 2
    half = Z * np.sqrt(found["level"] + found["slope"] * (x - found["centre"]) ** 2 + third)
    # A rounding error must not put a score outside of its interval.
    return np.minimum(_chance(x - half), p), np.maximum(_chance(x + half), p)


def largest(spread: float) -> float:
    """The factor with which what is typical of the members comes to `DEVIATION_MOST`."""
    return DEVIATION_MOST / max(spread, 1e-6)


def factor(
    p: np.ndarray, churned: np.ndarray, spread: np.ndarray, found: dict, *, offset: float = 0.0
) -> tuple[float, float]:
    """The smallest factor with which the bands of a later slice are covered as they should be, and their coverage.

    That is the nominal share of them; where no factor does it, it is the largest. For a rank among n bands, that of one
    band more would have to be asked for (Vovk, Gammerman and Shafer, Algorithmic learning in a random world, 2005). A
    mean of chances is no rank, and asking for it made intervals too wide (docs/decisions/0022-intervals-of-scores.md).

    Parameters
    ----------
    p, churned, spread : ndarray, shape (n_rows,)
        Scores by a map that has not seen these rows, outcomes, and spread of the members.
    found : dict
        What the rows of that map left open, with `typical`.
    offset : float
        What is added to the log-odds of the snapshots to have those of the rows, where rows are a sample that keeps
        churners more often than stayers.
    """
    bands = _banded(p, most=BANDS_MOST)
    rows, bands = np.concatenate(bands), _side_by_side(bands)
    p, churned, spread = p[rows], churned[rows], spread[rows]
    most = largest(found["typical"])

    def covered(step: int) -> float:
        low, high = (
            _chance(log_odds(end) + offset) for end in ends({**found, "factor": STEPS[step] * most}, p, spread)
        )
        return float(inside(churned, _chance(log_odds(p) + offset), low, high, bands).mean())

    # Wider intervals cover more, so halving finds it.
    too_small, enough = -1, len(STEPS) - 1
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        too_small, enough = (too_small, middle) if covered(middle) >= NOMINAL else (middle, enough)
    return float(STEPS[enough] * most), covered(enough)


def inside(
    churned: np.ndarray, p: np.ndarray, low: np.ndarray, high: np.ndarray, bands: list[np.ndarray] | None = None
) -> np.ndarray:
    """Whether each band's churners are where they should be nine times in ten, between 0 and 1, shape `(n_bands,)`.

    The band's true share is taken as drawn from the beta distribution with the mean score as its mean, and a standard
    deviation of which the mean interval is `2 Z`; the count of churners, given that share, is binomial. So the count is
    beta-binomial. Counts are whole numbers, and no range of them has a chance of exactly nine tenths: a count on the
    border is inside with the part of its chance that belongs there. If scores and intervals are as they say, the mean
    of the result is exactly the nominal one, in bands of any size.
    """
    if bands is None:
        bands = _banded(p)
    n = np.array([len(band) for band in bands])
    k = np.array([int(churned[band].sum()) for band in bands])
    mean, narrow, wide = (np.array([float(x[band].mean()) for band in bands]) for x in (p, low, high))
    above = _cumulated(n, mean, (wide - narrow) / (2 * Z))
    rows = np.arange(len(bands))
    until, before = above[rows, k], np.where(k > 0, above[rows, k - 1], 0.0)
    tail = (1 - NOMINAL) / 2
    part = np.minimum(until, 1 - tail) - np.maximum(before, tail)
    return np.clip(part / np.maximum(until - before, 1e-300), 0.0, 1.0)


def band_rows(n_rows: int) -> int:
    """Customers of a band in a part of so many rows."""
    return int(np.clip(n_rows // BANDS_WANTED, BAND_ROWS_LEAST, BAND_ROWS))


def log_odds(p: np.ndarray) -> np.ndarray:
    """ln(p / (1 - p)), with 0 and 1 moved inside by a hair."""
    near = np.clip(p, 1e-15, 1 - 1e-15)
    return np.log(near) - np.log1p(-near)


def _banded(p: np.ndarray, most: int | None = None) -> list[np.ndarray]:
    """Rows by rising score, in bands of equal count; of more than `most`, so many, evenly chosen."""
    if not len(p):
        raise Fault("0 rows make no band")
    n_bands = max(1, len(p) // band_rows(len(p)))
    edges = np.linspace(0, len(p), n_bands + 1).astype(np.int64)
    order = np.lexsort((np.random.default_rng(TIES_SEED).permutation(len(p)), p))
    chosen = range(n_bands) if most is None or n_bands <= most else np.linspace(0, n_bands - 1, most).astype(int)
    return [order[edges[i] : edges[i + 1]] for i in chosen]


def _side_by_side(bands: list[np.ndarray]) -> list[np.ndarray]:
    """The same bands in rows that were taken in their order."""
    ends_of = np.cumsum([0, *(len(band) for band in bands)])
    return [np.arange(first, last) for first, last in pairwise(ends_of)]


def _cumulated(n: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Chance of at most j churners among n, shape `(n_bands, largest n + 1)`, by the beta-binomial distribution."""
    from scipy.special import betaln, gammaln

    j = np.arange(int(n.max()) + 1)[None, :]
    many, q = n[:, None], np.clip(mean, 1e-9, 1 - 1e-9)[:, None]
    left = np.maximum(many - j, 0)
    ways = gammaln(many + 1) - gammaln(j + 1) - gammaln(left + 1)
    variance = np.clip(deviation[:, None] ** 2, 0.0, 0.99 * q * (1 - q))
    # Beyond a million rows' worth of certainty the two are equal to more digits than the logarithms have.
    certain = np.minimum(q * (1 - q) / np.maximum(variance, 1e-300) - 1, 1e6)
    a, b = q * certain, (1 - q) * certain
    chance = np.where(j <= many, np.exp(ways + betaln(j + a, left + b) - betaln(a, b)), 0.0)
    return np.minimum(np.cumsum(chance, axis=1), 1.0)


def _chance(x: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0.0, -x))

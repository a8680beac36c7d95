"""Coverage: whether the intervals of scores hold what they promise, on the test part."""

import numpy as np

from churn.core.evaluation.curves import wilson
from churn.core.model.intervals import NOMINAL, band_rows, inside

SENTENCE = {
    "en": "In bands of about {size} customers with neighbouring scores, the share that left lay within their interval "
    "in {observed:.0%} of {bands:,} bands ({low:.0%} to {high:.0%}); {nominal:.0%} is what the interval promises. "
    "A band whose share lies on an end counts in part.",
    "zh": "将分数相近的客户每约 {size} 位分为一组，在 {bands:,} 组中有 {observed:.0%}（区间 {low:.0%} 至 {high:.0%}）"
    "实际流失比例落在其概率区间内；区间承诺的比例为 {nominal:.0%}。"
    "比例恰在端点的组按部分计入。",
}


def coverage(churned: np.ndarray, p: np.ndarray, low: np.ndarray, high: np.ndarray, interval: float) -> dict:
    """`nominal` and `observed` share of bands that are inside, with the interval of the latter, and in words.

    Parameters
    ----------
    churned, p, low, high : np.ndarray
        Outcome (bool), score and the ends of its interval, shape `(n_rows,)`.
    interval : float
        Probability that the interval of the observed share covers.
    """
    return of_bands(inside(churned, p, low, high), band_rows(len(p)), interval)


def of_bands(found: np.ndarray, size: int, interval: float) -> dict:
    """The same from the bands of `churn.core.model.intervals.inside`, of one part or of several, shape `(n_bands,)`."""
    low, high = (float(end[0]) for end in wilson(np.array([found.sum()]), np.array([len(found)]), interval))
    observed = float(found.mean())
    numbers = {"observed": observed, "low": low, "high": high, "nominal": NOMINAL, "bands": len(found), "size": size}
    return {
        "nominal": NOMINAL,
        "observed": observed,
        "observed_low": low,
        "observed_high": high,
        "bands": len(found),
        "band_size": size,
        **{language: text.format(**numbers) for language, text in SENTENCE.items()},
    }

"""A sample of the snapshots that are learnt from, with weights, for panels that outgrow the memory."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

RARER_SHARE = 0.5
"""The rarer outcome, which is churners as a rule, is kept with a higher probability, until it is this share of the
sample: each of the few teaches as much as many of the others do (docs/scale.md has the measurement)."""


@dataclass(frozen=True)
class Sample:
    """Which snapshots were drawn, and how many each of them stands for.

    Attributes
    ----------
    drawn : ndarray of bool, shape (n_rows,)
    weights : ndarray of float64, shape (n_drawn,)
        They add up to the number of snapshots, within each as_of and outcome.
    """

    drawn: np.ndarray
    weights: np.ndarray


def sample(
    customer_id: pa.ChunkedArray, as_of_us: np.ndarray, churned: np.ndarray, *, rows_most: int, seed: int
) -> Sample:
    """About `rows_most` of the rows: of each as_of the same share of its churners, and the same share of its stayers.

    A row is drawn by a digest of its customer, its as_of and the seed, and by nothing else: the order of rows does not
    matter, and a customer who is left out at one date may be there at another. Every as_of keeps a churner and a stayer
    if it has one, so there may be a few rows more than `rows_most`.

    Parameters
    ----------
    customer_id : pa.ChunkedArray of text, shape (n_rows,)
    as_of_us, churned : ndarray of int64 and of bool, shape (n_rows,)
    rows_most : int
        Rows to draw; fewer than there are.
    seed : int
        Another seed draws other rows.
    """
    rarer = bool(churned.mean() <= 0.5)
    n_rarer = int((churned == rarer).sum())
    of_rarer = min(1.0, RARER_SHARE * rows_most / max(n_rarer, 1))
    shares = {rarer: of_rarer, not rarer: (rows_most - of_rarer * n_rarer) / (len(churned) - n_rarer)}
    draw = _digests(customer_id, as_of_us, seed)
    drawn, weights = np.zeros(len(churned), bool), np.zeros(len(churned))
    for as_of in np.unique(as_of_us):
        for outcome, share in shares.items():
            rows = np.flatnonzero((as_of_us == as_of) & (churned == outcome))
            n = max(1, int(len(rows) * share))
            taken = rows[np.argsort(draw[rows], kind="stable")[:n]]
            drawn[taken], weights[taken] = True, len(rows) / n
    return Sample(drawn, weights[drawn])


def later(customer_id: pa.ChunkedArray, as_of_us: np.ndarray) -> np.ndarray:
    """Which rows judge what is fitted on the others, as bool: those of the later half of the as_ofs.

    Where there is but one, half of the customers, by a digest of their ids: the same half for every kind of model.
    """
    dates = np.unique(as_of_us)
    if len(dates) > 1:
        return as_of_us >= dates[len(dates) // 2]
    return _digests(customer_id, as_of_us, 0) % 2 == 1


def _digests(customer_id: pa.ChunkedArray, as_of_us: np.ndarray, seed: int) -> np.ndarray:
    """A number of 64 bits for each row, which looks drawn by chance."""
    coded = customer_id.combine_chunks().dictionary_encode()
    salt = seed.to_bytes(16, "little")
    texts = (hashlib.blake2b(text.encode(), digest_size=8, key=salt).digest() for text in coded.dictionary.to_pylist())
    customers = np.frombuffer(b"".join(texts), np.uint64)
    return _mixed(customers[coded.indices.to_numpy()] ^ _mixed(as_of_us.astype(np.uint64)))


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64: Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

"""Mixing of words of 64 bits, compiled: digests of 128 bits, as two halves that are mixed by different odd factors.

Each step is one-to-one in the state, so two rows or histories that differ once stay different unless a second
difference undoes the first in both halves. The finalisers of MurmurHash3 (Appleby, 2011) are built in the same way:
shift, multiply, shift. They withstand chance, not an adversary; who can choose events can only deceive himself.
"""

import numpy as np

from churn.core.compiler import njit

HIGH, LOW = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
"""Factors of the halves: those of MurmurHash3's finaliser."""
NULL = np.uint64(0x9E3779B97F4A7C15)
"""What stands for null: 2^64 divided by the golden ratio, which no amount or instant of ours can be."""
_UP, _DOWN = np.uint64(32), np.uint64(29)


@njit(cache=True, nogil=True, inline="always")
def _step(state, word, factor):
    """The state after one more word."""
    state ^= word
    state ^= state >> _UP
    state *= factor
    return state ^ (state >> _DOWN)


@njit(cache=True, nogil=True)
def mixed(state, high, low, missing):
    """The digests of rows, shape `(2, n_rows)`, with one more column mixed in: `high` and `low` are its words."""
    out = np.empty_like(state)
    for row in range(len(high)):
        out[0, row] = _step(state[0, row], NULL if missing[row] else high[row], HIGH)
        out[1, row] = _step(state[1, row], NULL if missing[row] else low[row], LOW)
    return out


@njit(cache=True, nogil=True)
def text_words(begins, data):
    """Two words for each text, shape `(2, n_texts)`: of its bytes and their number."""
    out = np.zeros((2, len(begins) - 1), dtype=np.uint64)
    for text in range(len(begins) - 1):
        high = low = np.uint64(begins[text + 1] - begins[text])
        for place in range(begins[text], begins[text + 1]):
            high = _step(high, np.uint64(data[place]), HIGH)
            low = _step(low, np.uint64(data[place]), LOW)
        out[0, text], out[1, text] = high, low
    return out


@njit(cache=True, nogil=True)
def chained(state, rows, offsets, customer, known, unit_offsets, as_of):
    """The digests of units, shape `(2, n_units)`, with those of the rows that they know of mixed in, in their order.

    The rows of run i are `offsets[i]:offsets[i + 1]`; `customer[i]` is the number of its customer, -1 for none. A row
    is known to a unit whose `as_of`, ascending within a customer, lies after its instant `known`.
    """
    out = state.copy()
    for run in range(len(customer)):
        if customer[run] < 0:
            continue
        first, last = unit_offsets[customer[run]], unit_offsets[customer[run] + 1]
        for row in range(offsets[run], offsets[run + 1]):
            for unit in range(last - 1, first - 1, -1):
                if as_of[unit] <= known[row]:
                    break
                out[0, unit] = _step(out[0, unit], rows[0, row], HIGH)
                out[1, unit] = _step(out[1, unit], rows[1, row], LOW)
    return out

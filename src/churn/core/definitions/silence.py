"""When a silence became too long: a compiled pass over the events of each customer."""

import numpy as np
from numba import njit

from churn.core.history.kernel import ENDLESS


@njit(cache=True, nogil=True)
def silenced(offsets, occurred, kind, mask, as_ofs, limit, snap_offsets, snap_as_of):
    """Microseconds from `as_of` until a silence first reaches its limit, shape `(n_snapshots,)`, int64.

    The silence counts from the last event of `mask` before it, which may lie before `as_of`. A snapshot whose limit is
    0 has none, and gets `ENDLESS`, as does one without an event before `as_of`. Whoever does nothing more reaches every
    limit in the end. Other parameters as in `churn.core.history.kernel`.
    """
    out = np.full(len(snap_as_of), ENDLESS)
    for customer in range(len(offsets) - 1):
        first = offsets[customer]
        last = np.int64(-1)
        for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
            as_of = as_ofs[snap_as_of[snap]]
            while first < offsets[customer + 1] and occurred[first] < as_of:
                if mask & (np.int64(1) << np.int64(kind[first])):
                    last = first
                first += 1
            if last < 0 or limit[snap] == 0:
                continue
            since = occurred[last]
            for event in range(first, offsets[customer + 1]):
                if not mask & (np.int64(1) << np.int64(kind[event])):
                    continue
                if occurred[event] - since >= limit[snap]:
                    break
                since = occurred[event]
            out[snap] = since + limit[snap] - as_of
    return out

"""The compiled kernel: one pass over the events of a customer answers every question at every as-of date.

Each event adds itself to the as-of dates that can see it. It becomes visible at the first `as_of` after it was recorded
and occurred, and leaves a window of w days at the first `as_of` that lies more than w days after it occurred. Adding
at the first, subtracting at the last and cumulating over the as-of dates (a difference array) gives every count and
sum at every `as_of`, with late events told apart from early ones by construction, at a cost that hardly depends on
how many dates there are.

Windows are pairs of edges in microseconds before `as_of`: the window (near, far) is `[as_of - far, as_of - near)`.
Edges may be negative: then they lie past `as_of`, which only `snapshots` asks for.

Arrays named `snap_*` say which of the customer x as-of cells are wanted: the snapshots of customer i are
`snap_offsets[i]:snap_offsets[i + 1]`, and `snap_as_of` is the index of their as-of date.
"""

import numpy as np
from numba import njit

ENDLESS = np.int64(2**62)
"""The far edge of a window that reaches back to the first event."""


@njit(cache=True, nogil=True)
def _first_after(as_ofs, instant):
    """Index of the first as-of date after an instant; their number when there is none."""
    low, high = 0, len(as_ofs)
    while low < high:
        middle = (low + high) // 2
        if as_ofs[middle] > instant:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True, nogil=True)
def windowed(
    offsets, occurred, recorded, kind, values, missing, as_ofs, edges, spec_of_kind, spec_offsets, near, far, column,
    snap_offsets, snap_as_of,
):  # fmt: skip
    """Counts and sums, shape `(n_specs, n_snapshots)`, int64.

    `edges` are distinct window edges, ascending; `near` and `far` index them for each spec. `column` is -1 to count
    events, c to sum `values[c]` where it is not missing, and n_columns + c to count where it is not missing. The
    specs of kind k are `spec_of_kind[spec_offsets[k]:spec_offsets[k + 1]]`.
    """
    n_specs, n_as_ofs, n_columns = len(near), len(as_ofs), len(values)
    out = np.zeros((n_specs, len(snap_as_of)), dtype=np.int64)
    steps = np.zeros((n_specs, n_as_ofs + 1), dtype=np.int64)
    reach = np.zeros(len(edges), dtype=np.int64)
    for customer in range(len(offsets) - 1):
        if snap_offsets[customer] == snap_offsets[customer + 1]:
            continue
        steps[:] = 0
        reach[:] = 0
        for event in range(offsets[customer], offsets[customer + 1]):
            k = kind[event]
            if spec_offsets[k] == spec_offsets[k + 1]:
                continue
            # Events come in the order of time, so the first as-of date past each edge only moves forward.
            for e in range(len(edges)):
                passed = ENDLESS if edges[e] == ENDLESS else occurred[event] + edges[e]
                while reach[e] < n_as_ofs and as_ofs[reach[e]] <= passed:
                    reach[e] += 1
            visible = _first_after(as_ofs, recorded[event])
            for s in range(spec_offsets[k], spec_offsets[k + 1]):
                spec = spec_of_kind[s]
                start = max(visible, reach[near[spec]])
                end = reach[far[spec]]
                if start >= end:
                    continue
                c = column[spec]
                amount = np.int64(1)
                if c >= n_columns:
                    if missing[c - n_columns, event]:
                        continue
                elif c >= 0:
                    if missing[c, event]:
                        continue
                    amount = values[c, event]
                steps[spec, start] += amount
                steps[spec, end] -= amount
        for spec in range(n_specs):
            for a in range(1, n_as_ofs):
                steps[spec, a] += steps[spec, a - 1]
            for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
                out[spec, snap] = steps[spec, snap_as_of[snap]]
    return out


@njit(cache=True, nogil=True)
def distinct(
    offsets, occurred, recorded, kind, codes, n_codes, as_ofs, edges, mask, near, far, snap_offsets, snap_as_of
):
    """Number of different codes among the events in each window, shape `(n_specs, n_snapshots)`, int64.

    All specs share one column of codes (-1 is none). An event yields to the next one of its code: from the latest
    event back, each adds only the as-of dates that no later event of the same code has covered. Later events leave a
    window later, so what they cover reaches beyond every date of an earlier one, and the smallest start seen is all
    that must be kept.
    """
    n_specs, n_as_ofs = len(near), len(as_ofs)
    out = np.zeros((n_specs, len(snap_as_of)), dtype=np.int64)
    steps = np.zeros((n_specs, n_as_ofs + 1), dtype=np.int64)
    covered_from = np.zeros((n_codes, n_specs), dtype=np.int64)
    owner = np.full(n_codes, -1, dtype=np.int64)
    reach = np.zeros(len(edges), dtype=np.int64)
    for customer in range(len(offsets) - 1):
        if snap_offsets[customer] == snap_offsets[customer + 1]:
            continue
        steps[:] = 0
        reach[:] = n_as_ofs
        for event in range(offsets[customer + 1] - 1, offsets[customer] - 1, -1):
            code = codes[event]
            bit = np.int64(1) << np.int64(kind[event])
            wanted = False
            for spec in range(n_specs):
                wanted = wanted or (mask[spec] & bit) != 0
            if code < 0 or not wanted:
                continue
            if owner[code] != customer:
                owner[code] = customer
                covered_from[code, :] = n_as_ofs
            for e in range(len(edges)):
                passed = ENDLESS if edges[e] == ENDLESS else occurred[event] + edges[e]
                while reach[e] > 0 and as_ofs[reach[e] - 1] > passed:
                    reach[e] -= 1
            visible = _first_after(as_ofs, recorded[event])
            for spec in range(n_specs):
                if (mask[spec] & bit) == 0:
                    continue
                start = max(visible, reach[near[spec]])
                end = reach[far[spec]]
                if start >= end:
                    continue
                uncovered = min(end, covered_from[code, spec])
                if start < uncovered:
                    steps[spec, start] += 1
                    steps[spec, uncovered] -= 1
                    covered_from[code, spec] = start
        for spec in range(n_specs):
            for a in range(1, n_as_ofs):
                steps[spec, a] += steps[spec, a - 1]
            for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
                out[spec, snap] = steps[spec, snap_as_of[snap]]
    return out


@njit(cache=True, nogil=True)
def located(offsets, occurred, recorded, kind, as_ofs, mask, snap_offsets, snap_as_of):
    """First, last and last but one visible event of each mask, shape `(3, n_specs, n_snapshots)`; -1 where there is
    none.

    Events are named by their position in the batch, which is the order of time within a customer: a running minimum and
    a running maximum over the as-of dates at which events become visible.
    """
    n_specs, n_as_ofs = len(mask), len(as_ofs)
    out = np.full((3, n_specs, len(snap_as_of)), -1, dtype=np.int64)
    first = np.zeros((n_specs, n_as_ofs), dtype=np.int64)
    last = np.zeros((n_specs, n_as_ofs), dtype=np.int64)
    before = np.zeros((n_specs, n_as_ofs), dtype=np.int64)
    for customer in range(len(offsets) - 1):
        if snap_offsets[customer] == snap_offsets[customer + 1]:
            continue
        first[:] = -1
        last[:] = -1
        before[:] = -1
        for event in range(offsets[customer], offsets[customer + 1]):
            bit = np.int64(1) << np.int64(kind[event])
            a = _first_after(as_ofs, max(recorded[event], occurred[event]))
            if a == n_as_ofs:
                continue
            for spec in range(n_specs):
                if mask[spec] & bit:
                    if first[spec, a] < 0:
                        first[spec, a] = event
                    before[spec, a] = last[spec, a]
                    last[spec, a] = event
        for spec in range(n_specs):
            for a in range(1, n_as_ofs):
                if first[spec, a - 1] >= 0 and (first[spec, a] < 0 or first[spec, a - 1] < first[spec, a]):
                    first[spec, a] = first[spec, a - 1]
                older, oldest = last[spec, a - 1], before[spec, a - 1]
                if older > last[spec, a]:
                    before[spec, a] = max(oldest, last[spec, a])
                    last[spec, a] = older
                else:
                    before[spec, a] = max(older, before[spec, a])
            for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
                out[0, spec, snap] = first[spec, snap_as_of[snap]]
                out[1, spec, snap] = last[spec, snap_as_of[snap]]
                out[2, spec, snap] = before[spec, snap_as_of[snap]]
    return out


@njit(cache=True, nogil=True)
def gaps(offsets, occurred, recorded, kind, day, as_ofs, mask, far, quantile, snap_offsets, snap_as_of):
    """Gaps in days between neighbouring active days in `[as_of - far, as_of)`, shape `(5, n_snapshots)`, float64.

    Rows: number of gaps, mean, standard deviation (of the population), longest, quantile (linear between order
    statistics). All but the number are NaN without a gap. No difference array can say this: a late event between two
    active days splits a gap that was there before, so each snapshot walks over its own visible days.
    """
    out = np.full((5, len(snap_as_of)), np.nan)
    for customer in range(len(offsets) - 1):
        begin, end = offsets[customer], offsets[customer + 1]
        buffer = np.empty(end - begin, dtype=np.float64)
        for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
            as_of = as_ofs[snap_as_of[snap]]
            n, total, squares, previous = 0, 0.0, 0.0, np.int64(-(2**62))
            for event in range(begin, end):
                if occurred[event] >= as_of:
                    break
                if occurred[event] < as_of - far or recorded[event] >= as_of:
                    continue
                if not mask & (np.int64(1) << np.int64(kind[event])):
                    continue
                if previous > -(2**62) and day[event] > previous:
                    gap = float(day[event] - previous)
                    buffer[n] = gap
                    n += 1
                    total += gap
                    squares += gap * gap
                previous = day[event]
            out[0, snap] = n
            if n == 0:
                continue
            mean = total / n
            ordered = np.sort(buffer[:n])
            position = quantile * (n - 1)
            below = int(position)
            above = min(below + 1, n - 1)
            out[1, snap] = mean
            out[2, snap] = np.sqrt(max(squares / n - mean * mean, 0.0))
            out[3, snap] = ordered[n - 1]
            out[4, snap] = ordered[below] + (position - below) * (ordered[above] - ordered[below])
    return out

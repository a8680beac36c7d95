"""The compiled kernel: one pass over the events of a customer answers every question at every as-of date.

A window `[as_of - far, as_of - near)` holds what happened before its end less what happened before its beginning. All
ends and beginnings of all windows at all as-of dates are one grid of instants. While the events of a customer pass by
in the order of time, running tallies are noted down at each instant of the grid; then every count and sum is the
difference of two notes, at a cost that hardly depends on how many windows and dates there are.

That holds for events that were known at every `as_of` after they occurred. The few *late* ones, with an `as_of` between
what happened and its record, are kept out of the tallies, and add themselves to the as-of dates that can see them: at
the first, subtracting at the first that can no longer (a difference array).

Windows are pairs of edges in microseconds before `as_of`: the window (near, far) is `[as_of - far, as_of - near)`.
Edges may be negative: then they lie past `as_of`, which only `snapshots` asks for.

Arrays named `snap_*` say which of the customer x as-of cells are wanted: the snapshots of customer i are
`snap_offsets[i]:snap_offsets[i + 1]`, and `snap_as_of` is the index of their as-of date, ascending. Questions are
given by the kind of event that they are about: those about kind k are `of_kind[kind_offsets[k]:kind_offsets[k + 1]]`.

All of it stands in one file, because what numba keeps compiled is made anew when the file of a function changes, but
not when that of a function which it calls does.
"""

import numpy as np

from churn.core.compiler import njit

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
def _late(as_ofs, from_when, recorded):
    """Whether an as-of date lies in `(from_when, recorded]`: it should have seen the event, but did not know of it."""
    if recorded <= from_when:
        return False
    return _first_after(as_ofs, from_when) < _first_after(as_ofs, recorded)


@njit(cache=True, nogil=True)
def windowed(
    offsets, occurred, recorded, kind, values, missing, as_ofs, edges, grid, place, of_kind, kind_offsets, column,
    tally, near, far, snap_offsets, snap_as_of,
):  # fmt: skip
    """Counts and sums, shape `(n_specs, n_snapshots)`, int64.

    Parameters
    ----------
    values, missing
        Number columns, shape `(n_columns, n_events)`; a missing value is 0.
    edges
        Distinct window edges, ascending; `near` and `far` index them for each spec.
    grid, place
        Every `as_of - edge` once, ascending, and where that of edge e and date a lies in it, plus 1, at `place[e, a]`;
        0 for an endless edge.
    of_kind, kind_offsets
        Which tallies the events of a kind feed.
    column
        What a tally adds up: -1 counts events, c sums `values[c]`, n_columns + c counts where it is not missing.
    tally
        The tally that each spec is about.
    """
    n_specs, n_as_ofs, n_columns, n_tallies = len(near), len(as_ofs), len(values), len(column)
    out = np.zeros((n_specs, len(snap_as_of)), dtype=np.int64)
    running = np.zeros(n_tallies, dtype=np.int64)
    noted = np.zeros((len(grid) + 1, n_tallies), dtype=np.int64)
    steps = np.zeros((n_specs, n_as_ofs + 1), dtype=np.int64)
    nearest = edges[near.min()]
    for customer in range(len(offsets) - 1):
        if snap_offsets[customer] == snap_offsets[customer + 1]:
            continue
        running[:] = 0
        passed, any_late = 0, False
        for event in range(offsets[customer], offsets[customer + 1]):
            while passed < len(grid) and grid[passed] <= occurred[event]:
                passed += 1
                for t in range(n_tallies):
                    noted[passed, t] = running[t]
            if passed == len(grid):
                break
            k = kind[event]
            if kind_offsets[k] == kind_offsets[k + 1]:
                continue
            late = _late(as_ofs, occurred[event] + nearest, recorded[event])
            for t in of_kind[kind_offsets[k] : kind_offsets[k + 1]]:
                c = column[t]
                amount = np.int64(1)
                if c >= n_columns:
                    amount = np.int64(not missing[c - n_columns, event])
                elif c >= 0:
                    amount = values[c, event]
                if not late:
                    running[t] += amount
                    continue
                any_late = True
                visible = _first_after(as_ofs, recorded[event])
                for spec in range(n_specs):
                    if tally[spec] != t:
                        continue
                    start = max(visible, _first_after(as_ofs, occurred[event] + edges[near[spec]]))
                    end = n_as_ofs
                    if edges[far[spec]] != ENDLESS:
                        end = _first_after(as_ofs, occurred[event] + edges[far[spec]])
                    if start < end:
                        steps[spec, start] += amount
                        steps[spec, end] -= amount
        while passed < len(grid):
            passed += 1
            for t in range(n_tallies):
                noted[passed, t] = running[t]
        for spec in range(n_specs):
            t = tally[spec]
            for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
                a = snap_as_of[snap]
                out[spec, snap] = noted[place[near[spec], a], t] - noted[place[far[spec], a], t]
        if any_late:
            for spec in range(n_specs):
                for a in range(1, n_as_ofs):
                    steps[spec, a] += steps[spec, a - 1]
                for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
                    out[spec, snap] += steps[spec, snap_as_of[snap]]
            steps[:] = 0
    return out


@njit(cache=True, nogil=True)
def distinct(
    offsets, occurred, recorded, kind, codes, n_codes, as_ofs, edges, of_kind, kind_offsets, near, far, snap_offsets,
    snap_as_of,
):  # fmt: skip
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
            code, k = codes[event], kind[event]
            if code < 0 or kind_offsets[k] == kind_offsets[k + 1]:
                continue
            if owner[code] != customer:
                owner[code] = customer
                covered_from[code, :] = n_as_ofs
            # Events come in the reverse order of time, so the first as-of date past each edge only moves back.
            for e in range(len(edges)):
                passed = ENDLESS if edges[e] == ENDLESS else occurred[event] + edges[e]
                while reach[e] > 0 and as_ofs[reach[e] - 1] > passed:
                    reach[e] -= 1
            visible = 0 if recorded[event] <= occurred[event] else _first_after(as_ofs, recorded[event])
            for spec in of_kind[kind_offsets[k] : kind_offsets[k + 1]]:
                start = max(visible, reach[near[spec]])
                uncovered = min(reach[far[spec]], covered_from[code, spec])
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
def located(offsets, occurred, recorded, kind, as_ofs, of_kind, kind_offsets, n_specs, snap_offsets, snap_as_of):
    """First, last and last but one visible event of each spec, shape `(3, n_specs, n_snapshots)`; -1 where there is
    none.

    Events are named by their position in the batch, which is the order of time within a customer: a running minimum and
    a running maximum over the as-of dates at which events become visible.
    """
    n_as_ofs = len(as_ofs)
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
        after = 0
        for event in range(offsets[customer], offsets[customer + 1]):
            while after < n_as_ofs and as_ofs[after] <= occurred[event]:
                after += 1
            a = after if recorded[event] <= occurred[event] else max(after, _first_after(as_ofs, recorded[event]))
            if a == n_as_ofs:
                continue
            k = kind[event]
            for spec in of_kind[kind_offsets[k] : kind_offsets[k + 1]]:
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
def _put(ordered, n, gap):
    """Put a gap among the first n, which are ascending."""
    i = n
    while i > 0 and ordered[i - 1] > gap:
        ordered[i] = ordered[i - 1]
        i -= 1
    ordered[i] = gap


@njit(cache=True, nogil=True)
def _drop(ordered, n, gap):
    """Take a gap that is there out of the first n, which are ascending."""
    i = np.searchsorted(ordered[:n], gap)
    while i < n - 1:
        ordered[i] = ordered[i + 1]
        i += 1


@njit(cache=True, nogil=True)
def _say_gaps(out, snap, ordered, n, total, squares, quantile):
    """Write the five numbers of one snapshot."""
    out[0, snap] = n
    if n == 0:
        return
    mean = total / n
    position = quantile * (n - 1)
    below = int(position)
    above = min(below + 1, n - 1)
    out[1, snap] = mean
    out[2, snap] = np.sqrt(max(squares / n - mean * mean, 0.0))
    out[3, snap] = ordered[n - 1]
    out[4, snap] = ordered[below] + (position - below) * (ordered[above] - ordered[below])


@njit(cache=True, nogil=True)
def gaps(offsets, occurred, recorded, kind, day, as_ofs, mask, far, quantile, snap_offsets, snap_as_of):
    """Gaps in days between neighbouring active days in `[as_of - far, as_of)`, shape `(5, n_snapshots)`, float64.

    Rows: number of gaps, mean, standard deviation (of the population), longest, quantile (linear between order
    statistics). All but the number are NaN without a gap. From one `as_of` to the next, gaps leave at one end of the
    window and enter at the other, and the rest keep their order. A late event splits a gap that was there before, so a
    customer who has one starts anew at each snapshot. Gaps are whole, so their sums are exact in any order.
    """
    out = np.full((5, len(snap_as_of)), np.nan)
    longest = 0
    for customer in range(len(offsets) - 1):
        longest = max(longest, offsets[customer + 1] - offsets[customer])
    mine = np.empty(longest, dtype=np.int64)
    ordered = np.empty(longest + 1, dtype=np.float64)
    for customer in range(len(offsets) - 1):
        if snap_offsets[customer] == snap_offsets[customer + 1]:
            continue
        n_mine, any_late = 0, False
        for event in range(offsets[customer], offsets[customer + 1]):
            if mask & (np.int64(1) << np.int64(kind[event])):
                mine[n_mine] = event
                n_mine += 1
                any_late = any_late or _late(as_ofs, occurred[event], recorded[event])
        begin, end, n, total, squares = 0, 0, 0, 0.0, 0.0
        for snap in range(snap_offsets[customer], snap_offsets[customer + 1]):
            as_of = as_ofs[snap_as_of[snap]]
            if any_late:
                begin, end, n, total, squares = 0, 0, 0, 0.0, 0.0
            last = np.int64(-1) if end == begin else mine[end - 1]
            while end < n_mine and occurred[mine[end]] < as_of:
                event = mine[end]
                end += 1
                if any_late and (recorded[event] >= as_of or occurred[event] < as_of - far):
                    continue
                if last >= 0 and day[event] > day[last]:
                    gap = float(day[event] - day[last])
                    _put(ordered, n, gap)
                    n, total, squares = n + 1, total + gap, squares + gap * gap
                last = event
            while not any_late and begin < end and occurred[mine[begin]] < as_of - far:
                begin += 1
                if begin < end and day[mine[begin]] > day[mine[begin - 1]]:
                    gap = float(day[mine[begin]] - day[mine[begin - 1]])
                    _drop(ordered, n, gap)
                    n, total, squares = n - 1, total - gap, squares - gap * gap
            _say_gaps(out, snap, ordered, n, total, squares, quantile)
    return out

"""Answers: what the compiled kernel says of the events of a batch, one number a question and snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from churn.core.history.kernel import ENDLESS, distinct, gaps, located, windowed
from churn.core.timeline import KINDS, Timeline
from churn.words.tables import MILLI_PER_UNIT, MINOR_PER_UNIT
from churn.words.windows import DAY_US

UNITS = {"amount_minor": MINOR_PER_UNIT, "discount_minor": MINOR_PER_UNIT, "quantity_milli": MILLI_PER_UNIT}
GAP_QUANTILE = 0.9
"""A silence longer than nine of ten of a customer's own gaps is unusual for that customer."""


@dataclass(frozen=True)
class Cells:
    """The snapshots of a batch: those of customer i are `offsets[i]:offsets[i + 1]`, each with the index of its as-of
    date.
    """

    as_ofs: np.ndarray
    offsets: np.ndarray
    as_of_index: np.ndarray


class Gaps(NamedTuple):
    """Days between neighbouring active days, one number per snapshot each; NaN where there was no gap yet."""

    number: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    longest: np.ndarray
    quantile: np.ndarray


WindowSpec = tuple[int, int, int, int | None]
"""Kinds (bit mask), column (-1 counts), near and far edge in microseconds before `as_of`; a far edge of None is
endless."""


def window_sums(
    line: Timeline,
    cells: Cells,
    specs: list[WindowSpec],
    *,
    recorded: np.ndarray | None = None,
) -> np.ndarray:
    """Counts and sums in windows, shape `(n_specs, n_snapshots)`, int64; the kernel's view of a list of questions.

    `recorded` takes the place of the recording times; only labels, which do not ask what was known, give it.
    """
    edges, near, far = _edge_index((near, far) for _, _, near, far in specs)
    finite = edges[edges != ENDLESS]
    grid = np.unique(cells.as_ofs[None, :] - finite[:, None])
    place = np.zeros((len(edges), len(cells.as_ofs)), dtype=np.int64)
    place[: len(finite)] = np.searchsorted(grid, cells.as_ofs[None, :] - finite[:, None]) + 1
    tallies = list(dict.fromkeys((mask, column) for mask, column, _, _ in specs))
    of_kind, kind_offsets = _by_kind([mask for mask, _ in tallies])
    return windowed(
        line.offsets,
        line.occurred,
        line.recorded if recorded is None else recorded,
        line.kind,
        line.values,
        line.missing,
        cells.as_ofs,
        edges,
        grid,
        place,
        of_kind,
        kind_offsets,
        np.array([column for _, column in tallies], dtype=np.int64),
        np.array([tallies.index((mask, column)) for mask, column, _, _ in specs], dtype=np.int64),
        near,
        far,
        cells.offsets,
        cells.as_of_index,
    )


def _edge_index(windows: Iterable[tuple[int, int | None]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct edges of windows, ascending, and where the near and the far edge of each window lie among them."""
    ends = np.array([(near, ENDLESS if far is None else far) for near, far in windows], dtype=np.int64)
    edges, place = np.unique(ends, return_inverse=True)
    near, far = place.reshape(ends.shape).T
    return edges, np.ascontiguousarray(near), np.ascontiguousarray(far)


def _by_kind(masks: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Which masks hold each kind of event, one kind after the other, and where the part of each kind begins."""
    of_kind = [[i for i, mask in enumerate(masks) if mask >> kind & 1] for kind in range(len(KINDS))]
    flat = np.array([i for members in of_kind for i in members], dtype=np.int64)
    return flat, np.cumsum([0] + [len(members) for members in of_kind]).astype(np.int64)


def locate(line: Timeline, cells: Cells, masks: list[int]) -> np.ndarray:
    """Positions of the first, last and last but one known event of each mask, shape `(3, n_masks, n_snapshots)`; -1:
    none.
    """
    return located(
        line.offsets,
        line.occurred,
        line.recorded,
        line.kind,
        cells.as_ofs,
        *_by_kind(masks),
        len(masks),
        cells.offsets,
        cells.as_of_index,
    )


def _answer_windows(line: Timeline, cells: Cells, asked: list[tuple]) -> dict[tuple, np.ndarray]:
    code = {-1: -1} | {name: i for i, name in enumerate(line.numbers)}
    code |= {"not null " + name: len(line.numbers) + i for i, name in enumerate(line.numbers)}
    sums = window_sums(line, cells, [(m, code[c], near, far) for _, m, c, near, far in asked])
    return dict(zip(asked, sums, strict=True))


def _answer_distinct(line: Timeline, cells: Cells, asked: list[tuple]) -> dict[tuple, np.ndarray]:
    answers: dict[tuple, np.ndarray] = {}
    for column in dict.fromkeys(ask[1] for ask in asked):
        specs = [ask for ask in asked if ask[1] == column]
        codes = _days(line, cells) if column == "day" else line.codes[column].codes
        edges, near, far = _edge_index((near, far) for *_, near, far in specs)
        counts = distinct(
            line.offsets,
            line.occurred,
            line.recorded,
            line.kind,
            codes,
            int(codes.max(initial=-1)) + 1,
            cells.as_ofs,
            edges,
            *_by_kind([ask[2] for ask in specs]),
            near,
            far,
            cells.offsets,
            cells.as_of_index,
        )
        answers.update(zip(specs, counts, strict=True))
    return answers


def _days(line: Timeline, cells: Cells) -> np.ndarray:
    """The day of each event: 24 hours counted from an as-of date, so that windows of whole days hold whole days."""
    anchor = cells.as_ofs[0] if len(cells.as_ofs) else 0  # nobody of the batch may have been live at any date
    day = (line.occurred - anchor) // DAY_US
    return (day - day.min(initial=0)).astype(np.int32)


def _answer_events(line: Timeline, cells: Cells, asked: list[tuple]) -> dict[tuple, np.ndarray]:
    """Time since, and values of, the first, last or last but one event of a mask."""
    masks = list(dict.fromkeys(ask[2] for ask in asked))
    found = locate(line, cells, masks)
    as_of = cells.as_ofs[cells.as_of_index]
    answers = {}
    for ask in asked:
        at = found[("first", "last", "before").index(ask[1]), masks.index(ask[2])]
        if ask[0] == "since":
            answers[ask] = np.where(at >= 0, (as_of - line.occurred[at]) / DAY_US, np.nan)
            continue
        column = line.numbers.index(ask[3])
        values, missing = line.values[column], line.missing[column]
        answers[ask] = np.where((at >= 0) & ~missing[at], values[at] / UNITS[ask[3]], np.nan)
    return answers


def own_gaps(line: Timeline, cells: Cells, mask: int, days: int, quantile: float) -> Gaps:
    """Gaps between the known active days of a mask in `[as_of - days, as_of)`, with one quantile of them."""
    parts = gaps(
        line.offsets,
        line.occurred,
        line.recorded,
        line.kind,
        _days(line, cells).astype(np.int64),
        cells.as_ofs,
        np.int64(mask),
        np.int64(days * DAY_US),
        quantile,
        cells.offsets,
        cells.as_of_index,
    )
    return Gaps(*parts)


def _answer_gaps(line: Timeline, cells: Cells, asked: list[tuple]) -> dict[tuple, np.ndarray]:
    answers: dict[tuple, np.ndarray] = {}
    for mask, days in dict.fromkeys((ask[1], ask[2]) for ask in asked):
        parts = own_gaps(line, cells, mask, days, GAP_QUANTILE)
        answers |= {("gaps", mask, days, part): parts[part] for part in range(5)}
    return answers


ANSWERS = (
    (("window",), _answer_windows),
    (("distinct",), _answer_distinct),
    (("since", "value"), _answer_events),
    (("gaps",), _answer_gaps),
)
"""What answers the questions of some verbs, all at once."""

"""Whether there is enough to learn from, and nothing that tells too much."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.model.ranking import aucs
from churn.words.errors import GateFault, NotEnoughData

ROWS_LEAST = 500
EACH_LEAST = 50
"""Fewer training snapshots, churners or stayers are learnt by heart."""
JUDGING_LEAST = 10
"""Fewer churners or stayers cannot tell when to stop, nor hold a map of two numbers."""


class TooFewToLearnError(NotEnoughData):
    """Too few snapshots, churners or stayers for this kind of model; a simpler one may make do.

    `said` is the message without `hint`, which says how a person chooses a simpler one.
    """

    def __init__(self, said: str, hint: str = "") -> None:
        super().__init__(said + hint)
        self.said = said


class Least(NamedTuple):
    """What a kind of model needs: rows of the train part, churners and stayers of it, and of the later parts each."""

    rows: int
    each: int
    judging: int


MANY = Least(ROWS_LEAST, EACH_LEAST, JUDGING_LEAST)
"""For models that look at every feature."""
FEW = Least(2 * JUDGING_LEAST, JUDGING_LEAST, 0)
"""For models of a handful of numbers. Without enough in the later parts, those calibrate on what they learnt from."""

LEAK_AUC = 0.98
"""One feature that ranks churners as well as this knows the outcome: the best honest one we met reaches 0.80."""


def check_enough(part: str, snapshots: pa.Table, least: Least) -> None:
    """A part has so many snapshots, churners and stayers that something can be learnt from it."""
    rows = snapshots.num_rows
    churners = pc.sum(snapshots["churned"]).as_py() or 0
    wanted_rows, wanted_each = (least.rows, least.each) if part == "train" else (0, least.judging)
    if rows >= max(wanted_rows, min(wanted_each, 1)) and churners >= wanted_each and rows - churners >= wanted_each:
        return
    between = ""
    if rows:
        first, last = (iso(pick(snapshots["as_of"].cast(pa.int64())).as_py())[:10] for pick in (pc.min, pc.max))
        between = f" between {first} and {last}"
    simpler = "; `churn config use model=ladder` makes do with fewer" if least == MANY else ""
    raise TooFewToLearnError(
        f"{churners:,} churners and {rows - churners:,} stayers among {rows:,} matured snapshots of the {part} part"
        f"{between}; needed are {wanted_each} of each and {max(wanted_rows, 2 * wanted_each)} in all. "
        "More as_ofs (conf: snapshots.every_days, split), a longer horizon_days or more customers help",
        simpler,
    )


def check_leaks(
    column: Callable[[int], np.ndarray], churned: np.ndarray, names: tuple[str, ...], vouched: Collection[str]
) -> None:
    """No feature alone ranks the churners of the train part nearly perfectly, but for those that are vouched for."""
    leaks = []
    for j, name in enumerate(names):
        if name in vouched:
            continue
        best = max(max(a, 1 - a) for a in aucs(column(j), churned))
        if best > LEAK_AUC:
            leaks.append(f"{name} (AUC {best:.3f})")
    if leaks:
        raise GateFault(
            f"{len(leaks)} of {len(names)} features alone tell who churned: {', '.join(leaks[:5])}, limit {LEAK_AUC}. "
            "They know the outcome: look when they are recorded, and check recorded_at of their source in conf/data; "
            "`churn leaks` tells more. What is honestly known before belongs into evaluation.vouched "
            "in conf/config.yaml"
        )


def iso(instant_us: int) -> str:
    """An instant as text, in UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(instant_us))).isoformat()

"""Split: parts in the order of time, with an embargo between them."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.core.definitions import contract, inactivity
from churn.core.split import split
from churn.words.errors import NotEnoughData
from churn.words.tables import SNAPSHOTS, SPLIT
from churn.words.windows import DAY_US
from tests.core.worlds import us

PARTS = ["train", "validation", "calibration", "test"]


def parts(definition, *, every: int, n: int, until: int = us("2024-01-01"), **sizes: int | None) -> pa.Table:
    dates = [until - i * every * DAY_US for i in range(n)][::-1]
    matured = [d + definition.outcome_days * DAY_US <= until for d in dates]
    table = pa.table(
        [
            pa.array(["a"] * n),
            pa.array(dates, pa.int64()).cast(SNAPSHOTS.schema.field("as_of").type),
            pa.array([i % 2 == 0 if m else None for i, m in enumerate(matured)], pa.bool_()),
        ],
        schema=SNAPSHOTS.schema,
    )
    wanted = {
        "test_as_ofs": 1,
        "calibration_as_ofs": 1,
        "validation_as_ofs": 1,
        "train_as_ofs": None,
        "base_rate_most": 1e9,
    } | sizes
    return SPLIT.check(split(table, observed_until=until, definition=definition, **wanted))


@given(
    every=st.integers(1, 40), horizon=st.integers(1, 90), gap=st.integers(0, 20), grace=st.integers(0, 20),
    test=st.integers(1, 3), calibration=st.integers(1, 3),
)  # fmt: skip
def test_no_label_window_of_an_earlier_part_reaches_into_a_later_one(every, horizon, gap, grace, test, calibration):
    definition = contract(
        kind="contract",
        gap_days=gap,
        horizon_days=horizon,
        grace_days=grace,
        start_roles=("payment",),
        restart_roles=(),
    )
    try:
        found = parts(definition, every=every, n=60, test_as_ofs=test, calibration_as_ofs=calibration).to_pandas()
    except NotEnoughData:
        return
    for earlier, later in itertools.pairwise(PARTS):
        assert (
            found.loc[found["part"] == earlier, "outcome_until"].max()
            <= found.loc[found["part"] == later, "as_of"].min()
        )
    used = found[found["part"].isin(PARTS)]
    assert (used["outcome_until"].astype("int64") <= us("2024-01-01")).all()
    assert used["n_churned"].notna().all()


def test_the_newest_date_is_scored_and_the_dates_between_two_parts_are_the_embargo():
    definition = inactivity(kind="inactivity", live_days=90, gap_days=0, horizon_days=28, roles=("purchase",))
    found = parts(definition, every=14, n=11)["part"].to_pylist()
    assert found == ["train"] * 3 + [
        "embargo",
        "validation",
        "embargo",
        "calibration",
        "embargo",
        "test",
        "embargo",
        "score",
    ]


def test_a_history_too_short_says_how_many_days_it_lacks():
    definition = inactivity(kind="inactivity", live_days=90, gap_days=0, horizon_days=28, roles=("purchase",))
    with pytest.raises(NotEnoughData, match=r"need at least 112 days .* there are 98"):
        parts(definition, every=14, n=8)


def test_churners_are_counted_where_the_outcome_is_known():
    definition = inactivity(kind="inactivity", live_days=90, gap_days=0, horizon_days=28, roles=("purchase",))
    found = parts(definition, every=14, n=12).to_pydict()
    assert found["n_snapshots"] == [1] * 12
    assert found["n_churned"][:10] == [1, 0] * 5
    assert found["n_churned"][10:] == [None, None]
    assert np.sum([n or 0 for n in found["n_churned"]]) == 5

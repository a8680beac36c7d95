"""What the committed results say of contributions, which nothing times in a test."""

import pytest

from benchmarks.speed.contributions import ENGINES, ROWS, THREADS, WORKS
from benchmarks.speed.results import rows

LEAST = 6
"""Times faster than `pred_contrib` at equal threads; ten is the aim."""


@pytest.mark.parametrize("measure", ["wall_s", "cpu_s"])
@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("work", [WORKS[0].name, WORKS[2].name])
def test_contributions_are_much_faster_than_those_of_lightgbm_at_equal_threads(work, threads, measure):
    found = {
        row["engine"].split(",")[0]: row for row in rows() if row["work"] == work and f", {threads} " in row["engine"]
    }
    ours, theirs = (found[engine] for engine in ENGINES)
    assert ours["customers"] == ROWS == 100_000
    assert theirs[measure] / theirs["customers"] >= LEAST * ours[measure] / ours["customers"]

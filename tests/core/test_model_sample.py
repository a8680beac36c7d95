"""Learning from a sample with weights, and from a table that comes in pieces."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_world import LIGHTGBM, LOGISTIC, SECTIONS, world

from churn.core.model import margins, model, score
from churn.core.model.enough import MANY
from churn.core.model.parts import LEARNING, MATURED, learning
from churn.core.model.sample import RARER_SHARE, later, sample
from churn.words.errors import Fault

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table, pa.Table]:
    return world()


def pieces(features: pa.Table, rows: int) -> Iterator[pa.Table]:
    return (features.slice(first, rows) for first in range(0, features.num_rows, rows))


def people(n: int, as_ofs: int, base_rate: float, seed: int) -> tuple[pa.ChunkedArray, np.ndarray, np.ndarray]:
    """Customer, as_of and outcome of each row, some as_ofs with far fewer rows than others."""
    random = np.random.default_rng(seed)
    customer = pa.chunked_array([pa.array([f"c{i}" for i in range(n)])])
    return customer, (random.integers(0, as_ofs, n) ** 2) * DAY, random.random(n) < base_rate


@settings(max_examples=60, deadline=None)
@given(
    st.integers(60, 800),
    st.integers(1, 6),
    st.floats(0.02, 0.98),
    st.floats(0.05, 0.95),
    st.integers(0, 2**70),
)
def test_weights_add_up_to_the_snapshots_of_each_date_and_outcome(
    n: int, as_ofs: int, base_rate: float, share: float, seed: int
) -> None:
    customer, as_of, churned = people(n, as_ofs, base_rate, seed % 1000)
    rows_most = max(1, int(share * n))
    taken = sample(customer, as_of, churned, rows_most=rows_most, seed=seed)
    strata = {(int(t), bool(c)) for t, c in zip(as_of, churned, strict=True)}
    for when, outcome in strata:
        inside = (as_of == when) & (churned == outcome)
        assert taken.weights[inside[taken.drawn]].sum() == pytest.approx(inside.sum())
    assert taken.weights.min() >= 1
    # No more than asked for, but for the one row that every date and outcome keeps.
    assert taken.drawn.sum() <= rows_most + len(strata)
    assert taken.drawn.sum() >= rows_most - 2 * len(strata)


@settings(max_examples=30, deadline=None)
@given(st.integers(60, 400), st.integers(0, 2**63), st.randoms(use_true_random=False))
def test_who_is_drawn_does_not_depend_on_the_order_of_rows(n: int, seed: int, random: object) -> None:
    customer, as_of, churned = people(n, 3, 0.2, seed % 1000)
    order = list(range(n))
    random.shuffle(order)  # type: ignore[attr-defined]
    taken = sample(customer, as_of, churned, rows_most=n // 3, seed=seed)
    turned = sample(customer.take(pa.array(order)), as_of[order], churned[order], rows_most=n // 3, seed=seed)
    assert taken.drawn[order].tolist() == turned.drawn.tolist()


def test_the_rarer_outcome_is_kept_more_often() -> None:
    customer, as_of, churned = people(4000, 2, 0.05, 1)
    few = sample(customer, as_of, churned, rows_most=100, seed=7)
    assert churned[few.drawn].mean() == pytest.approx(RARER_SHARE, abs=0.03)
    # 2,000 rows have room for all of the 5 % of 4,000 that churned.
    many = sample(customer, as_of, churned, rows_most=2000, seed=7)
    assert many.drawn[churned].all()
    assert many.weights[churned[many.drawn]].tolist() == [1.0] * int(churned.sum())


def test_a_customer_who_is_left_out_at_one_date_may_be_there_at_another() -> None:
    n = 500
    customer = pa.chunked_array([pa.array([f"c{i}" for i in range(n)] * 2)])
    as_of, churned = np.repeat([0, DAY], n), np.zeros(2 * n, bool)
    churned[::7] = True
    drawn = sample(customer, as_of, churned, rows_most=500, seed=7).drawn.reshape(2, n)
    assert 0.3 < (drawn[0] ^ drawn[1]).mean() < 0.7


def test_another_seed_draws_other_rows() -> None:
    customer, as_of, churned = people(400, 1, 0.3, 1)
    one, two = (sample(customer, as_of, churned, rows_most=100, seed=seed).drawn for seed in (7, 8))
    assert (one & ~two).sum() > 30


@pytest.mark.parametrize("kind", sorted(SECTIONS))
@pytest.mark.parametrize("rows", [1, 97, 5000])
def test_pieces_of_any_size_teach_what_the_whole_table_does(tables: tuple, kind: str, rows: int) -> None:
    features, snapshots, split = tables
    section = SECTIONS[kind] | ({"rows_most": 900} if "rows_most" in SECTIONS[kind] else {})
    assert model(pieces(features, rows), snapshots, split, **section) == model(*tables, **section)


def test_pieces_may_code_their_attributes_each_in_its_own_way(tables: tuple) -> None:
    features, snapshots, split = tables
    recoded = []
    for piece in pieces(features, 100):
        plan = piece["plan"].cast(pa.string()).combine_chunks().dictionary_encode()
        recoded.append(piece.set_column(piece.column_names.index("plan"), "plan", plan))
    assert model(iter(recoded), snapshots, split, **LIGHTGBM) == model(*tables, **LIGHTGBM)


def test_pieces_that_end_early_are_not_the_snapshots(tables: tuple) -> None:
    features, snapshots, split = tables
    with pytest.raises(Fault, match="2,000 rows of features are not those of 2,100 snapshots"):
        model(pieces(features.slice(0, 2000), 500), snapshots, split, **LIGHTGBM)


def test_all_parts_share_one_matrix_and_none_is_copied(tables: tuple) -> None:
    known = learning(*tables, rows_most=None, seed=7, least=MANY)
    matured = known.parts[MATURED]
    assert len(matured.x) == 5 * 300
    assert all(known.parts[part].matrix is matured.matrix for part in LEARNING)
    assert np.shares_memory(matured.x, matured.matrix)
    train = np.isin(matured.as_of_us, known.parts["train"].as_of_us)
    np.testing.assert_array_equal(known.parts["train"].x, matured.matrix[train])


def test_rows_of_joined_parts_come_in_the_order_of_the_parts(tables: tuple) -> None:
    known = learning(*tables, rows_most=None, seed=7, least=MANY)
    joined = known.joined("calibration", "validation", "train")
    np.testing.assert_array_equal(joined.x[:300], known.parts["calibration"].x)
    np.testing.assert_array_equal(joined.column(0), joined.x[:, 0])


@pytest.mark.parametrize("section", [LIGHTGBM, LOGISTIC], ids=["lightgbm", "logistic"])
def test_as_many_rows_as_there_are_leave_the_model_as_it_is(tables: tuple, section: dict) -> None:
    whole = model(*tables, **section)
    enough = model(*tables, **{**section, "rows_most": 5 * 300})
    assert (enough.body, enough.calibration, enough.card["sampled"]) == (whole.body, whole.calibration, {})


def test_the_card_says_how_many_of_how_many_rows_with_what_weights(tables: tuple) -> None:
    fitted = model(*tables, **{**LIGHTGBM, "rows_most": 600})
    said = fitted.card["sampled"]
    matured = [i % 7 < 5 for i in range(tables[1].num_rows)]
    churners = sum(bool(c) for c, m in zip(tables[1]["churned"].to_pylist(), matured, strict=True) if m)
    assert (said["of_rows"], said["churners"]["of_rows"], said["stayers"]["of_rows"]) == (
        1500,
        churners,
        1500 - churners,
    )
    assert 580 <= said["rows"] == said["churners"]["rows"] + said["stayers"]["rows"] <= 610
    assert said["stayers"]["weight_until"] >= said["stayers"]["weight_from"] >= 1
    for part in LEARNING:
        whole = model(*tables, **LIGHTGBM).card["parts"][part]
        assert fitted.card["parts"][part]["base_rate"] == pytest.approx(whole["base_rate"])
        assert fitted.card["parts"][part]["rows"] < whole["rows"]


@pytest.mark.parametrize("section", [LIGHTGBM, LOGISTIC], ids=["lightgbm", "logistic"])
@pytest.mark.parametrize("calibration", ["platt", "isotonic"])
def test_a_sample_with_more_churners_than_there_are_gives_the_true_base_rate(section: dict, calibration: str) -> None:
    features, snapshots, split = world(3000, seed=3)
    random = np.random.default_rng(4)
    # One in five of those who churned: a base rate of some 9 %, of which the sample makes half.
    churned = [None if c is None else bool(c and random.random() < 0.2) for c in snapshots["churned"].to_pylist()]
    rare = snapshots.set_column(2, "churned", pa.array(churned))
    section = {**section, "calibration": calibration, "rows_most": 2500}
    fitted = model(features, rare, split, **section)
    sampled = fitted.card["sampled"]
    assert sampled["churners"]["rows"] / sampled["rows"] > 0.4
    test = pa.array(np.tile([i == 5 for i in range(7)], 3000))
    base = np.mean(rare.filter(test)["churned"].to_pylist())
    assert base < 0.13
    # Three deviations of the base rate of 3,000 test rows, and of the calibration rows of the sample.
    assert score(fitted, margins(fitted, features.filter(test))).mean() == pytest.approx(base, abs=0.03)


def test_where_there_is_one_date_half_of_the_customers_judge_whoever_else_is_there():
    ids = pa.chunked_array([pa.array([f"c{i}" for i in range(2_000)])])
    as_of = np.zeros(2_000, np.int64)
    found = later(ids, as_of)
    assert 0.45 < found.mean() < 0.55
    assert later(ids.slice(500), as_of[500:]).tolist() == found[500:].tolist()


def test_where_there_are_several_dates_the_later_half_of_them_judges():
    ids = pa.chunked_array([pa.array(["a", "a", "a", "b", "b"])])
    assert later(ids, np.array([1, 2, 3, 2, 3])).tolist() == [False, True, True, True, True]

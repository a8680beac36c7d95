"""Arrow arrays as numpy arrays, and back."""

import numpy as np
import pyarrow as pa
import pytest

from churn.core.arrays import arrow, numbers, one_chunk, there, truths


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64(), pa.float32(), pa.float64()])
def test_a_slice_holds_its_own_values_and_not_those_before_it(kind):
    array = pa.array([1, 2, None, 4, 5], kind)[1:4]
    assert there(array).tolist() == [True, False, True]
    assert numbers(array)[there(array)].tolist() == [2, 4]


def test_truths_of_a_slice_beyond_the_first_byte():
    array = pa.array([False] * 9 + [True, False, True])[9:]
    assert truths(array).tolist() == [True, False, True]


def test_numbers_come_back_from_arrow_as_they_were_with_their_nulls():
    array = arrow(np.array([3, 4, 5]), pa.int64(), null=np.array([False, True, False]))
    array.validate(full=True)
    assert array.to_pylist() == [3, None, 5]
    assert arrow(np.float32([1.5]), pa.float32()).to_pylist() == [1.5]


def test_an_empty_array_has_no_numbers_and_no_truths():
    assert [len(of(pa.array([], kind))) for of, kind in ((numbers, pa.int64()), (truths, pa.bool_()))] == [0, 0]


def test_a_column_in_pieces_becomes_one():
    assert one_chunk(pa.chunked_array([[1, 2], [3]])).to_pylist() == [1, 2, 3]

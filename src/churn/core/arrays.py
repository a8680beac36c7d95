"""Arrow arrays as numpy arrays, and back, without a copy.

Arrow's own `to_numpy` and `pa.array` import pandas, which takes a third of a second of a process that has no use for
it.
"""

import numpy as np
import pyarrow as pa


def numbers(array: pa.Array) -> np.ndarray:
    """The values of an array of whole or real numbers or instants, shape `(n,)`; anything where it is null."""
    letter = "f" if pa.types.is_floating(array.type) else "i"
    dtype = np.dtype(f"{letter}{array.type.bit_width // 8}")
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), dtype=dtype)
    return np.frombuffer(data, dtype=dtype, count=array.offset + len(array))[array.offset :]


def there(array: pa.Array) -> np.ndarray:
    """Whether each value is not null, shape `(n,)`."""
    bits = array.buffers()[0]
    if bits is None:
        return np.ones(len(array), dtype=bool)
    return _bits(bits, array)


def truths(array: pa.BooleanArray) -> np.ndarray:
    """The values of an array of true and false, shape `(n,)`; anything where it is null."""
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), dtype=bool)
    return _bits(data, array)


def arrow(values: np.ndarray, kind: pa.DataType, *, null: np.ndarray | None = None) -> pa.Array:
    """Numbers as an Arrow array of a type of the same width, shape `(n,)`, null where `null` says so."""
    bits = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(np.ascontiguousarray(values))])


def one_chunk(column: pa.ChunkedArray) -> pa.Array:
    """The same column in one piece; copied only where it has several."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.combine_chunks()


def _bits(data: pa.Buffer, array: pa.Array) -> np.ndarray:
    end = array.offset + len(array)
    return np.unpackbits(np.frombuffer(data, np.uint8), count=end, bitorder="little")[array.offset :].view(bool)

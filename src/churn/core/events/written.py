"""Columns as they are written, as texts, ids and whole numbers. Nothing is guessed: what cannot be read is marked."""

import unicodedata
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset.shapes import Attributes, Id, Source
from churn.core.events.numerals import plain
from churn.words.errors import ContractFault

LARGEST = 1e12
"""Amounts and quantities beyond this are no business fact, and sums of them could overflow 64 bits in hundredths."""
_NOT_FINITE = r"^[+-]?(?i:nan|inf|infinity)$"
_CONTROL = r"[\x00-\x1f\x7f]"
_FORMULA = r"^=|^[+@-].*[(|!]"
"""Ids that a spreadsheet would run when somebody opens the list: `=1+1`, `@SUM(…)`, `+cmd|' /C calc'!A0`. A telephone
number with its + is none, nor is a negative number."""
_EXACT = 2**53


class Numbers(NamedTuple):
    """Numbers of one column, shape `(n_rows,)`; where marked blank, unreadable or too large the value is 0."""

    values: np.ndarray
    blank: np.ndarray
    unreadable: np.ndarray
    not_finite: np.ndarray


class Ids(NamedTuple):
    """Ids of one column as text, and the rows whose id breaks the contract."""

    texts: pa.Array
    blank: np.ndarray
    control: np.ndarray
    not_whole: np.ndarray
    formula: np.ndarray


def column(rows: pa.Table, name: str) -> pa.Array:
    """One column in one piece."""
    found = rows[name]
    if not isinstance(found, pa.ChunkedArray):
        return found
    return found.chunk(0) if found.num_chunks == 1 else pa.concat_arrays(found.chunks or [pa.array([], found.type)])


def texts(array: pa.Array, source: Source | Attributes) -> pa.Array:
    """Texts, trimmed and in Unicode's composed form (NFC); blank texts and declared null tokens are null.

    Whole numbers that were stored as floating point are written without `.0`: a column with gaps becomes floating point
    in many tools, but a code stays the code it was.
    """
    encoded = array.dictionary_encode()
    words = _as_written(encoded.dictionary)
    words = pc.utf8_trim_whitespace(_composed(words))
    tokens = pa.array(["", *source.null_tokens], pa.string())
    words = pc.if_else(pc.is_in(words, value_set=tokens), pa.scalar(None, pa.string()), words)
    return words.take(encoded.indices)


def ids(array: pa.Array, declared: Id, source: Source | Attributes) -> Ids:
    """Ids exactly as written, or by the declared rule for ids that were spoilt to floating point.

    Raises
    ------
    ContractFault
        When ids are stored as floating point and nobody said what that means: 17850.0 is no customer's id.
    """
    whole = declared.written_as == "whole_number"
    if pa.types.is_floating(array.type) and not whole:
        raise ContractFault(
            f"column {declared.column} holds {array.type} numbers, but ids are text. If they are whole numbers that "
            f"lost their form, declare `customer_id: {{column: {declared.column}, written_as: whole_number}}`"
        )
    written = _cased(texts(array, source), declared.case)
    blank = mask(written.is_null())
    formula = mask(pc.match_substring_regex(written, _FORMULA))
    control = mask(pc.match_substring_regex(written, _CONTROL))
    if not whole:
        return Ids(written, blank, control, np.zeros(len(written), bool), formula)
    not_whole = ~mask(pc.match_substring_regex(written, r"^\d+(\.0*)?$")) & ~blank
    if pa.types.is_floating(array.type):
        # Beyond 2^53 a floating-point number has lost digits, and two customers may have become one.
        not_whole |= np.abs(np.nan_to_num(_floats(array), posinf=0, neginf=0)) >= _EXACT
    return Ids(pc.replace_substring_regex(written, r"\.0*$", ""), blank, control, not_whole, formula)


def _cased(words: pa.Array, case: str) -> pa.Array:
    if case == "as_written":
        return words
    return pc.utf8_lower(words) if case == "lower" else pc.utf8_upper(words)


def numbers(array: pa.Array, source: Source | Attributes) -> Numbers:
    """Numbers as floating point, which holds hundredths exactly up to `LARGEST`."""
    kind = array.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        values, blank = _floats(array), mask(array.is_null())
        return _within(values, blank, np.zeros(len(values), bool))
    encoded = texts(array, source).dictionary_encode()
    words = encoded.dictionary
    found = plain(words, decimal=source.decimal, thousands=source.thousands, signs=source.currency_signs)
    found = pc.if_else(pc.match_substring_regex(words, _NOT_FINITE), words, found)
    # A last entry stands for null, so that -1 is a place like any other.
    values = np.append(_floats(found.cast(pa.float64())), 0.0)
    unreadable = np.append(mask(found.is_null()), False)
    place = filled(encoded.indices, -1)
    return _within(values[place], place < 0, unreadable[place])


def whole_units(values: np.ndarray, per_unit: int) -> np.ndarray:
    """Numbers in the given parts of a unit, as int64; halves go away from zero.

    Rounding to a millionth of a part first removes what binary fractions leave: 1.005 is written as a thousand and
    five thousandths, so it is half a hundredth that is rounded, not 0.49999999999.
    """
    scaled = np.round(values * per_unit, 6)
    return (np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)).astype(np.int64)


def joined(parts: list[pa.Array]) -> pa.Array:
    """One text of several, joined by `/`; what stands inside is escaped, so that no two rows meet by accident."""
    if len(parts) == 1:
        return parts[0]
    escaped = [pc.replace_substring(pc.replace_substring(p, "\\", "\\\\"), "/", "\\/") for p in parts]
    return pc.binary_join_element_wise(*escaped, "/", null_handling="emit_null")


def as_json(rows: pa.Table) -> pa.Array:
    """Each row as JSON text of its columns as they were read: texts, and null."""
    pieces: list[pa.Array | str] = []
    for place, name in enumerate(rows.column_names):
        value = pc.fill_null(_quoted(_as_written(column(rows, name))), "null")
        head = ("{" if place == 0 else ", ") + _quoted(pa.array([name]))[0].as_py() + ": "
        pieces.append(pc.binary_join_element_wise(head, value, ""))
    return pc.binary_join_element_wise(*pieces, "}", "")


def _quoted(text: pa.Array) -> pa.Array:
    """Texts in JSON's quotation marks. Control characters without a short form become a space: nobody reads them."""
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = pc.replace_substring(text, character, escape)
    text = pc.replace_substring_regex(text, _CONTROL, " ")
    return pc.binary_join_element_wise('"', text, '"', "")


def _composed(words: pa.Array) -> pa.Array:
    """Distinct texts in Unicode's composed form. Arrow's `utf8_normalize` does not compose (pyarrow 25.0.1)."""
    foreign = pc.invert(pc.string_is_ascii(words)).fill_null(False)
    if not pc.any(foreign).as_py():
        return words
    composed = [unicodedata.normalize("NFC", word) for word in words.filter(foreign).to_pylist()]
    return pc.replace_with_mask(words, foreign, pa.array(composed, pa.string()))


def _as_written(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_string(kind):
        return array
    if pa.types.is_floating(kind):
        values = array.cast(pa.float64())
        whole = pc.and_(pc.equal(pc.trunc(values), values), pc.less(pc.abs(values), float(2**63)))
        digits = pc.if_else(whole, values, 0.0).cast(pa.int64()).cast(pa.string())
        # Many tools store a missing number as NaN.
        return pc.if_else(pc.is_nan(values), None, pc.if_else(whole, digits, values.cast(pa.string())))
    if pa.types.is_timestamp(kind):
        return (
            array.cast(pa.timestamp("us", tz=kind.tz), safe=False)
            .cast(pa.int64())
            .cast(pa.timestamp("us"))
            .cast(pa.string())
        )
    return array.cast(pa.string())


def _within(values: np.ndarray, blank: np.ndarray, unreadable: np.ndarray) -> Numbers:
    sound = ~blank & ~unreadable
    odd = sound & ~(np.abs(values) <= LARGEST)
    return Numbers(np.where(sound & ~odd, values, 0.0), blank, unreadable & ~blank, odd)


def _floats(array: pa.Array) -> np.ndarray:
    return array.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy(zero_copy_only=False)


def filled(array: pa.Array, absent: int) -> np.ndarray:
    """Whole numbers, shape `(n_rows,)`, with a number for null."""
    return array.fill_null(absent).to_numpy(zero_copy_only=False)


def mask(array: pa.Array) -> np.ndarray:
    """Truth values, shape `(n_rows,)`; null is false."""
    return pc.fill_null(array, False).to_numpy(zero_copy_only=False)

"""Numerals: numbers as people write them, with a decimal comma, thousands apart, a currency sign or a minus behind."""

import re

import pyarrow as pa
import pyarrow.compute as pc

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
INDIAN = r"\d{1,2}(?:,\d{2})+,\d{3}"
"""Lakhs and crores: two digits a group but for the last, as in 12,34,567. Only commas are written so, and no number of
another country is: what fits is read without a declaration of its own."""
_ALIKE = (("\u2019", "'"), ("\u2212", "-"), ("\u00a0", " "), ("\u2009", " "), ("\u202f", " "))
"""What typesetting programs write for an apostrophe, a minus and a blank."""


def plain(words: pa.Array, *, decimal: str, thousands: str, signs: tuple[str, ...]) -> pa.Array:
    """Trimmed texts as numbers that every program reads, such as -1234.50; null where one is not written so.

    Parameters
    ----------
    decimal
        The decimal mark.
    thousands
        What stands between groups of three digits; a number may also be written without. Empty: nothing does. With a
        comma, groups may be Indian ones as well.
    signs
        Currency signs; one may stand before the number and one behind it. Where this or `thousands` is given, a minus
        may stand on either side, and parentheses mean a negative number, as accountants write it.

    >>> plain(pa.array(["1.234,50 €", "(5 €)", "12.50 €"]), decimal=",", thousands=".", signs=("€",)).to_pylist()
    ['1234.50', '-5', None]
    >>> plain(pa.array(["12,34,567.89", "1,23,45"]), decimal=".", thousands=",", signs=()).to_pylist()
    ['1234567.89', None]
    """
    if not thousands and not signs:
        pointed = pc.replace_substring(words, ",", ".") if decimal == "," else words
        return pc.if_else(pc.match_substring_regex(pointed, _PLAIN), pointed, None)
    for typeset, typed in _ALIKE:
        words = pc.replace_substring(words, typeset, typed)
    fits = pc.match_substring_regex(words, _form(decimal, thousands, signs))
    minus = pc.if_else(pc.match_substring_regex(words, r"[-(]"), "-", "")
    digits = words
    for sign in sorted(signs, key=len, reverse=True):
        digits = pc.replace_substring(digits, sign, "")
    digits = pc.replace_substring_regex(digits, f"[^0-9{re.escape(decimal)}]", "")
    digits = pc.replace_substring(digits, ",", ".")
    return pc.if_else(fits, pc.binary_join_element_wise(minus, digits, ""), None)


def _form(decimal: str, thousands: str, signs: tuple[str, ...]) -> str:
    """What a whole number looks like as a regular expression."""
    mark = re.escape(decimal)
    grouped = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+|" if thousands else ""
    grouped += rf"{INDIAN}|" if thousands == "," else ""
    number = rf"(?:(?:{grouped}\d+)(?:{mark}\d*)?|{mark}\d+)"
    sign = "|".join(map(re.escape, signs))
    signed = rf"(?:(?:{sign}) ?)?{number}(?: ?(?:{sign}))?" if signs else number
    inner = rf"|(?:{sign}) ?[+-] ?{number}" if signs else ""
    return rf"^(?:[+-]? ?{signed}|{signed} ?-|\( ?{signed} ?\){inner})$"
